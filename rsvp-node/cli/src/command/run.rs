//! `rsvp run`: a command in a cgroup of its own, with a policy for that cgroup for as long as it runs.

use super::Failure;
use super::connection::{answered, look};
use super::options::Daemon;
use clap::Args;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rsvp_client::policy::{Put, Store};
use rsvp_client::{Client, What};
use rsvp_node::qos::Dscp;
use rsvp_node::units;
use rsvpd::policies::RUN;
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tokio::signal::unix::{self, SignalKind};

/// What `rsvp run` is told.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    rsvp run --dscp ef -- curl http://10.0.2.2/\n  \
    rsvp run --dscp le --rate 20mbit -- rsync -a /home backup:\n\n\
    As root, where the unified hierarchy of cgroups is mounted. Whatever the command starts is held to it, too. The exit status \
    is the command's.")]
pub(crate) struct Arguments {
    /// The DSCP of its packets: a name or a number
    #[arg(long, value_name = "DSCP")]
    dscp: Option<Dscp>,
    /// The most that it sends by an interface, such as 2mbit
    #[arg(long, value_name = "RATE", value_parser = units::rate)]
    rate: Option<f64>,
    /// The IEEE 802.1p priority of its packets
    #[arg(long, value_name = "0..7", value_parser = clap::value_parser!(u8).range(0..=7))]
    pcp: Option<u8>,
    /// Its share of best effort where the link is full, in percent
    #[arg(long, value_name = "1..100", value_parser = clap::value_parser!(u8).range(1..=100))]
    weight: Option<u8>,
    #[command(flatten)]
    daemon: Daemon,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// A cgroup, and the one in which this process was before.
struct Cgroup {
    path: PathBuf,
    before: PathBuf,
}

impl Cgroup {
    /// Makes it, and goes there.
    fn enter() -> Result<Self, Failure> {
        let root = rsvpd::policies::hierarchy().ok_or_else(|| {
            Failure::Asked(
                "no cgroup of the unified hierarchy (cgroup2) is mounted where this process can see it"
                    .to_owned(),
            )
        })?;
        let own = std::fs::read_to_string("/proc/self/cgroup").map_err(Failure::at("/proc/self/cgroup"))?;
        let own = own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
        let path = root.join(format!("{RUN}{}", std::process::id()));
        let at = |path: &Path| Failure::at(path.display().to_string());
        std::fs::create_dir(&path).map_err(at(&path))?;
        let this = Self { before: root.join(own), path };
        go_to(&this.path)?;
        Ok(this)
    }

    /// Its path below the root of the hierarchy.
    fn name(&self) -> String {
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned());
        format!("/{}", name.unwrap_or_default())
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // What the command has left running keeps it there.
        let _ = go_to(&self.before);
        let _ = std::fs::remove_dir(&self.path);
    }
}

fn go_to(cgroup: &Path) -> Result<(), Failure> {
    let list = cgroup.join("cgroup.procs");
    std::fs::write(&list, std::process::id().to_string()).map_err(Failure::at(list.display().to_string()))
}

/// `rsvp run`.
pub(super) async fn main(arguments: Arguments) -> Result<(), Failure> {
    if arguments.dscp.is_none()
        && arguments.rate.is_none()
        && arguments.pcp.is_none()
        && arguments.weight.is_none()
    {
        let message = "say what is to become of its packets: --dscp, --rate, --pcp or --weight";
        return Err(Failure::Asked(message.to_owned()));
    }
    let client = look(&arguments.daemon).await?;
    let cgroup = Cgroup::enter()?;
    let text = policy(&arguments, &cgroup.name());
    let socket = &arguments.daemon.socket;
    answered(socket, client.put_policy(Put { text, store: Store::Connection })).await?;
    answered(socket, in_force(&client)).await?;
    let (mut terminated, mut hung_up) = (Heard::of(Signal::SIGTERM)?, Heard::of(Signal::SIGHUP)?);
    let [program, rest @ ..] = &arguments.command[..] else { return Ok(()) };
    let mut child = Command::new(program)
        .args(rest)
        .spawn()
        .map_err(Failure::at(program.to_string_lossy().into_owned()))?;
    let command = Pid::from_raw(child.id().cast_signed());
    // A signal from the terminal is the command's, which is waited for in any case; others that would end this are handed on.
    let ended = tokio::task::spawn_blocking(move || child.wait());
    tokio::pin!(ended);
    let status = loop {
        tokio::select! {
            status = &mut ended => break status,
            _ = tokio::signal::ctrl_c() => {}
            () = terminated.hear() => drop(kill(command, Signal::SIGTERM)),
            () = hung_up.hear() => drop(kill(command, Signal::SIGHUP)),
        }
    };
    let status = status.map_err(std::io::Error::other).and_then(|status| status);
    let status = status.map_err(Failure::at("waiting for the command"))?;
    drop(cgroup);
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    match u8::try_from(code).unwrap_or(1) {
        0 => Ok(()),
        code => Err(Failure::Ended(code)),
    }
}

/// What this run's policy is called.
fn name() -> String {
    format!("run {}", std::process::id())
}

/// Waits until the kernel has the policy: before, the command's sockets would be told from no others.
async fn in_force(client: &Client) -> Result<(), Failure> {
    // The data plane answers after whatever it had to do before.
    client.count(What::Flows).await?;
    let report = client.policies().await?;
    let name = name();
    match report.policies.unwrap_or_default().into_iter().find(|policy| policy.name == name) {
        None => Err(Failure::Asked("rsvpd has the policy for the command no more".to_owned())),
        Some(policy) => match policy.fault {
            None => Ok(()),
            Some(why) => Err(Failure::Asked(format!("the command is not begun: {why}"))),
        },
    }
}

/// A signal that is waited for. What is ignored here (nohup) is left so, for the command too.
struct Heard(Option<unix::Signal>);

impl Heard {
    fn of(signal: Signal) -> Result<Self, Failure> {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = ignored.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or_default();
        let number = signal as i32;
        if ignored >> (number - 1) & 1 == 1 {
            return Ok(Self(None));
        }
        let heard = unix::signal(SignalKind::from_raw(number)).map_err(Failure::at("signals"))?;
        Ok(Self(Some(heard)))
    }

    async fn hear(&mut self) {
        match &mut self.0 {
            Some(signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    }
}

/// The policy, as a file would have it.
fn policy(arguments: &Arguments, cgroup: &str) -> String {
    let dscp = arguments.dscp.map(|dscp| format!("dscp = {}", dscp.value()));
    let rate = arguments.rate.map(|rate| format!("rate = \"{}bit\"", rate.round()));
    let rest = [
        arguments.pcp.map(|pcp| format!("pcp = {pcp}")),
        arguments.weight.map(|weight| format!("weight = {weight}")),
    ];
    let all: Vec<String> = [dscp, rate].into_iter().chain(rest).flatten().collect();
    format!(
        "[[policy]]\nname = \"{}\"\nprecedence = 255\nmatch = {{ cgroup = \"{cgroup}\" }}\naction = {{ {} }}\n",
        name(),
        all.join(", ")
    )
}
