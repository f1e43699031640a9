//! The program `rsvpd`: its command line, logging, and what becomes its exit code.

use super::config::DaemonConfig;
use super::listening::Listening;
use super::start::{self, DaemonError, Prepared, Source};
use clap::{CommandFactory, Parser};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// RSVP (RFC 2205) for this host or router.
#[derive(Debug, Parser)]
#[command(
    name = "rsvpd",
    version = env!("RSVP_VERSION"),
    after_help = "Examples:\n  \
    rsvpd --check-config --config rsvpd.toml\n  \
    rsvpd --config rsvpd.toml --log debug\n  \
    rsvpd --clean\n\n\
    Needs CAP_NET_RAW and CAP_NET_ADMIN (or root), with CAP_BPF and CAP_PERFMON to enforce reservations (CAP_BPF also to \
    hear when a socket with QoS is closed), and drops whatever else it has; with transport = \"udp\" it needs nothing. Runs in the foreground.\n\
    SIGTERM and SIGINT tear down what local applications asked for and end it, SIGUSR2 ends it and leaves what stands in \
    the kernel to the next one, SIGHUP has it read its configuration again.\nExit status: 0, 1 if it could not start or the configuration is not usable, 2 for bad arguments."
)]
struct Arguments {
    /// The configuration file [default: /etc/rsvp/rsvpd.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Reads the configuration, says whether it is usable, and ends
    #[arg(long)]
    check_config: bool,
    /// Removes what a daemon that was killed has left in the kernel, says what that was, and ends
    #[arg(long, conflicts_with = "check_config")]
    clean: bool,
    /// Where the control socket is to be, instead of where the configuration says
    #[arg(long, value_name = "PATH", env = "RSVP_SOCKET")]
    socket: Option<PathBuf>,
    /// Where in a bpffs what stands in the kernel is pinned, instead of where the configuration says; "" is nowhere
    #[arg(long, value_name = "PATH", env = "RSVP_PINS")]
    pins: Option<OsString>,
    /// What is logged, instead of what the configuration says: "debug", "info,rsvp_node=trace"
    #[arg(long, value_name = "FILTER", env = "RSVP_LOG")]
    log: Option<String>,
}

/// The command line of `rsvpd`, for its man page.
#[must_use]
pub fn command_line() -> clap::Command {
    Arguments::command()
}

/// `rsvpd`: reads its command line, runs, and says how it went.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rsvpd: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), DaemonError> {
    let source =
        Source { file: arguments.config, socket: arguments.socket, pins: arguments.pins.map(PathBuf::from) };
    let config = source.read()?;
    if arguments.check_config {
        println!("the configuration is usable");
        return Ok(());
    }
    if arguments.clean {
        let found = start::clean(&config)?;
        found.iter().for_each(|line| println!("removed: {line}"));
        if found.is_empty() {
            println!("nothing was left");
        }
        return Ok(());
    }
    log(&config, arguments.log.as_deref())?;
    let prepared = Prepared::open(config.clone())?;
    let control = Listening::open(&config)?;
    start::give_up_privileges(&config, &control)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| DaemonError::System { what: "an event loop".into(), error })?;
    runtime.block_on(start::serve_until_told(prepared, control, source))
}

fn log(config: &DaemonConfig, wanted: Option<&str>) -> Result<(), DaemonError> {
    let directives = wanted.or(config.log.as_deref()).unwrap_or("info");
    let refused = |error: String| DaemonError::System {
        what: format!("the log filter \"{directives}\""),
        error: std::io::Error::other(error),
    };
    super::config::check_log(directives).map_err(refused)?;
    let filter = EnvFilter::try_new(directives).map_err(|error| refused(error.to_string()))?;
    // Under a service manager the journal has its own time stamps.
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::env::var_os("JOURNAL_STREAM").is_some() {
        let lines = tracing_subscriber::fmt::format().without_time().with_ansi(false).with_level(false);
        subscriber.with_ansi(false).event_format(WithPriority(lines)).init();
    } else {
        subscriber.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).init();
    }
    Ok(())
}

/// Lines with the priority in front that the journal of systemd understands (sd-daemon(3)), in the place of the level's name.
struct WithPriority<F>(F);

impl<S, N, F> FormatEvent<S, N> for WithPriority<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        write!(writer, "<{}>", priority(*event.metadata().level()))?;
        self.0.format_event(context, writer, event)
    }
}

/// The priority of syslog (RFC 5424 section 6.2.1).
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}
