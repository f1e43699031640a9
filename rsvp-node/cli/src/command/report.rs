//! `rsvp report`: one file with what is needed to find out what went wrong, without the keys.

mod keys;

use super::Failure;
use super::connection::{answered, look};
use super::doctor::examine;
use super::options::Daemon;
use clap::Args;
use keys::without_keys;
use rsvp_client::What;
use rsvpd::config::DEFAULT_CONFIG;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Octets of a journal at most.
const MOST_JOURNAL: u64 = 64 << 20;

/// What `rsvp report` is told.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    rsvp report\n  \
    rsvp report --output for-the-list.json --config /etc/rsvp/rsvpd.toml\n\n\
    It has addresses, sessions and, of a daemon that keeps a journal, all messages: look at it before you send it to anybody. Values \
    of configuration keys that are called a key, a secret or a password are left out, and so are comments, or all of it if it is no TOML.\n\
    Without a daemon, or one that answers, it is written all the same, with what there is.\n\
    Exit status: 0 written; 1 it could not be written; 2 bad arguments; 5 written without what the daemon knows.")]
pub(crate) struct Arguments {
    /// Where it goes; one that is there is not replaced
    #[arg(long, value_name = "FILE", default_value = "rsvp-report.json")]
    output: PathBuf,
    /// The configuration of the daemon
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    config: PathBuf,
    #[command(flatten)]
    daemon: Daemon,
}

/// `rsvp report`.
pub(super) async fn main(arguments: Arguments) -> Result<(), Failure> {
    let mut report = json!({
        "rsvp": env!("RSVP_VERSION"),
        "kernel": std::fs::read_to_string("/proc/version").unwrap_or_default().trim(),
        "made": jiff::Timestamp::now().to_string(),
        "doctor": examine(&arguments.daemon).await?,
    });
    let mut missing = None;
    match look(&arguments.daemon).await {
        Ok(client) => {
            report["daemon"] = json!(client.daemon());
            let kinds = [
                What::Counters,
                What::Events,
                What::Interfaces,
                What::Neighbours,
                What::Sessions,
                What::Senders,
                What::Requests,
                What::Reservations,
                What::Blockades,
                What::Flows,
            ];
            for what in kinds {
                let name = serde_json::to_value(what).unwrap_or_default();
                let name = name.as_str().unwrap_or("rows");
                let listed = answered(&arguments.daemon.socket, client.list(what, None)).await;
                let (rows, total) = match listed {
                    Ok(found) => found,
                    Err(error) => {
                        report[name] = json!({ "error": error.to_string() });
                        let is_gone = error.status() == Failure::GONE;
                        missing = Some(error);
                        if is_gone {
                            break;
                        }
                        continue;
                    }
                };
                // They come under their name.
                if let (Ok(Value::Object(rows)), Some(all)) =
                    (serde_json::to_value(rows), report.as_object_mut())
                {
                    all.extend(rows);
                    all.insert(format!("{name}_total"), json!(total));
                }
            }
        }
        Err(error) => {
            report["daemon"] = json!({ "error": error.to_string() });
            missing = Some(error);
        }
    }
    let text = std::fs::read_to_string(&arguments.config);
    report["configuration"] = match &text {
        Ok(text) => json!(without_keys(text)),
        Err(error) => json!({ "file": arguments.config, "error": error.to_string() }),
    };
    if let Some(path) = text.as_deref().ok().and_then(journal) {
        report["journal"] = tail(&path).map_or_else(
            |error| json!({ "file": path, "error": error.to_string() }),
            |(text, is_whole)| json!({ "file": path, "whole": is_whole, "text": text }),
        );
    }
    write(&arguments.output, &report)?;
    println!("{}", arguments.output.display());
    missing.map_or(Ok(()), |error| Err(Failure::Incomplete(error.to_string())))
}

/// Only its owner may read it.
fn write(path: &Path, report: &Value) -> Result<(), Failure> {
    let at = || Failure::at(format!("the report {}", path.display()));
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path).map_err(at())?;
    serde_json::to_writer_pretty(&file, report).map_err(|error| at()(error.into()))?;
    file.write_all(b"\n").map_err(at())
}

/// The journal that a configuration names.
fn journal(text: &str) -> Option<PathBuf> {
    let config = rsvpd::DaemonConfig::parse(Path::new("rsvpd.toml"), text).ok()?;
    config.journal
}

/// The end of a journal, in whole lines, and whether that is all of it.
fn tail(path: &Path) -> std::io::Result<(String, bool)> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let from = length.saturating_sub(MOST_JOURNAL);
    file.seek(SeekFrom::Start(from))?;
    let mut octets = Vec::new();
    file.take(MOST_JOURNAL).read_to_end(&mut octets)?;
    let text = String::from_utf8_lossy(&octets).into_owned();
    let begins = if from == 0 { 0 } else { text.find('\n').map_or(text.len(), |at| at + 1) };
    Ok((text[begins..].to_owned(), from == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_is_the_one_that_the_configuration_names() {
        assert_eq!(journal("journal = \"/var/lib/rsvp/journal\"\n"), Some("/var/lib/rsvp/journal".into()));
        assert_eq!(journal("log = \"info\"\n"), None);
    }
}
