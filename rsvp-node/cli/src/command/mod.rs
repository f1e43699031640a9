//! The commands of `rsvp` that talk to an engine: through `rsvpd`, or one that they start in their own process.
//!
//! What they ask for is gone when they end, however they end: the daemon sees to that. Nothing here decides anything of the
//! protocol.

mod announce;
mod choice;
mod connection;
mod course;
mod demand;
mod doctor;
mod flows;
mod measure;
mod names;
mod options;
mod output;
mod packets;
mod payload;
mod policy;
mod qos;
mod recv;
mod report;
mod reserve;
mod reserver;
mod run;
mod send;
mod sessions;
mod show;
mod socket_flows;
mod sockets;
mod spread;
mod tc;
mod template;
mod texts;
mod top;
mod wanted;
mod watch;

pub(crate) use options::span;

use clap::Subcommand;
use rsvp_client::{ClientError, QosError};
use rsvpd::DaemonError;
use std::path::PathBuf;
use std::process::ExitCode;

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Announces a flow and, once receivers have reserved, sends it
    Send(send::Arguments),
    /// Reserves for the flows that are announced, and measures what arrives
    Recv(recv::Arguments),
    /// Announces a flow that another program sends, for as long as this command runs
    Announce(announce::Arguments),
    /// Reserves for a flow that another program receives, for as long as this command runs
    Reserve(reserve::Arguments),
    /// Shows the state of the node
    Show(show::Arguments),
    /// Shows what happens on the node, as it happens
    Watch(watch::Arguments),
    /// Gives packets rates and marks by hand, without signalling
    Tc(tc::Arguments),
    /// A live view of the node: interfaces, sessions, events
    Top(top::Arguments),
    /// Looks for what keeps reservations from working here, and says what to do about it
    Doctor(doctor::Arguments),
    /// Puts into one file what is needed to find out what went wrong
    Report(report::Arguments),
    /// What this host can do for a socket's traffic
    Qos(qos::Arguments),
    /// Flows of sockets: marks and rates that programs have given them, and what the network has
    Flows(socket_flows::Arguments),
    /// Marks and rates for programs that do not ask for any
    Policy(policy::Arguments),
    /// Runs a command whose packets are marked and held to a rate
    Run(run::Arguments),
    /// Traffic by name: shows, installs and removes templates
    Template(template::Arguments),
}

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Qos(#[from] QosError),
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    #[error("{what}: {source}")]
    System { what: String, source: std::io::Error },
    #[error("{0}")]
    Asked(String),
    /// Nobody listens where a daemon was expected; with what else can be done.
    #[error("{0}")]
    NoDaemon(String),
    /// Somebody listens there who says nothing.
    #[error(
        "rsvpd does not answer on {}: it is stopped, or hangs; `ps -C rsvpd -o pid,stat,wchan` shows how it is, `kill -CONT PID` continues \
         one that is stopped (T), `systemctl restart rsvpd` starts it anew",
        .0.display()
    )]
    Silent(PathBuf),
    /// A report without what the daemon would have said.
    #[error("the report is written without what the daemon knows: {0}")]
    Incomplete(String),
    /// Options whose values do not go together, or with this command.
    #[error("{0}")]
    Arguments(String),
    /// What was asked for was not given.
    #[error("refused: {0}")]
    Refused(String),
    /// Whoever was to take part in it was not there.
    #[error("{0}")]
    Nobody(String),
    /// A command that was run has ended with this status.
    #[error("the command has ended with the status {0}")]
    Ended(u8),
}

impl Failure {
    /// Turns an error of the system into one that says at what.
    fn at(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::System { what, source }
    }

    /// The status of what there is no daemon for.
    const GONE: u8 = 5;

    /// The exit status that says so; bad arguments have 2.
    const fn status(&self) -> u8 {
        use ClientError::{Disconnected, NoDaemon, NoQosDaemon};
        match self {
            Self::Arguments(_) => 2,
            Self::Refused(_) => 3,
            Self::Nobody(_) => 4,
            Self::Ended(status) => *status,
            Self::Client(Disconnected | NoDaemon { .. } | NoQosDaemon { .. })
            | Self::Qos(QosError::Daemon(Disconnected | NoDaemon { .. } | NoQosDaemon { .. }))
            | Self::NoDaemon(_)
            | Self::Silent(_)
            | Self::Incomplete(_) => Self::GONE,
            _ => 1,
        }
    }
}

/// Runs a command.
pub(crate) fn main(command: Command) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(Failure::at("cannot start an event loop")).and_then(|runtime| {
        runtime.block_on(async {
            match command {
                Command::Send(arguments) => send::main(arguments).await,
                Command::Recv(arguments) => recv::main(arguments).await,
                Command::Announce(arguments) => announce::main(arguments).await,
                Command::Reserve(arguments) => reserve::main(arguments).await,
                Command::Show(arguments) => show::main(arguments).await,
                Command::Watch(arguments) => watch::main(arguments).await,
                Command::Tc(arguments) => tc::main(arguments).await,
                Command::Doctor(arguments) => doctor::main(arguments).await,
                Command::Report(arguments) => report::main(arguments).await,
                Command::Top(arguments) => top::main(arguments).await,
                Command::Qos(arguments) => qos::main(arguments).await,
                Command::Flows(arguments) => socket_flows::main(arguments).await,
                Command::Policy(arguments) => policy::main(arguments).await,
                Command::Run(arguments) => run::main(arguments).await,
                Command::Template(arguments) => template::main(arguments).await,
            }
        })
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever was to read it has seen enough.
        Err(Failure::System { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        // It has said itself what there was to say.
        Err(Failure::Ended(status)) => ExitCode::from(status),
        Err(failure) => {
            eprintln!("rsvp: {failure}");
            ExitCode::from(failure.status())
        }
    }
}
