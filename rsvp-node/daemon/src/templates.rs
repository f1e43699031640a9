//! Templates that outlive the daemon: a folder with a file for each, which an administrator may also write by hand.
//!
//! ```toml
//! name = "talk"
//! [sending]
//! service = "controlled-load"
//! token_rate = 8500
//! minimum_policed_size = 340
//! [receiving]
//! service = "controlled-load"
//! ```
//!
//! Words and units are those of the control protocol (`docs/control.md`): octets and octets per second, without headers. What a
//! template may be called, and how many there are, is `rsvp_node::qos::template`'s business.

use super::config::{ConfigError, wrong_at};
use rsvp_control::sockets::values::{Flowspec, Object, Qos as Words};
use rsvp_node::qos::template::{MOST_TEMPLATES, TemplateError};
use rsvp_node::qos::{Endpoint, Invalid, Qos, Templates, Transport};
use serde::{Deserialize, Serialize};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Where templates are kept when nothing else is said.
pub const DEFAULT_FOLDER: &str = "/var/lib/rsvp/templates";
/// Longest file that is read, in octets.
const LONGEST_FILE: u64 = 65_536;

/// A template as a file has it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table with `name`, [sending], [receiving] and [[objects]]")]
struct File {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default)]
    sending: Flowspec,
    #[serde(default)]
    receiving: Flowspec,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    objects: Vec<Object>,
}

/// The key of a file that a fault of a request is about, by the name that the fault has for it.
const KEYS: [(&str, &str); 7] = [
    ("TokenRate", "token_rate"),
    ("PeakBandwidth", "peak_bandwidth"),
    ("MaxSduSize", "max_sdu_size"),
    ("MinimumPolicedSize", "minimum_policed_size"),
    ("DelayVariation", "delay_variation_us"),
    ("Latency", "latency_us"),
    ("service", "service"),
];

/// Reads a template; `path` is for messages. One without a name is called as its file, up to the last dot.
///
/// # Errors
/// With line and column, for whatever is wrong.
pub fn parse(path: &Path, text: &str) -> Result<(String, Qos), ConfigError> {
    let file: File = toml::from_str(text)
        .map_err(|error| wrong_at(path, text, error.span().map_or(0, |span| span.start), error.message()))?;
    let File { name, sending, receiving, objects } = file;
    let stem = || path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.unwrap_or_else(stem);
    let words = Words { sending, receiving, objects };
    let qos = Qos::try_from(&words).map_err(|invalid| at_fault(path, text, "objects", invalid))?;
    // A direction at a time, so that the fault has a place.
    let alone = [
        ("sending", Qos { sending: qos.sending, ..Qos::default() }),
        ("receiving", Qos { receiving: qos.receiving, ..Qos::default() }),
        ("objects", qos.clone()),
    ];
    for (part, of) in alone {
        of.validate(&Endpoint::new(Transport::Udp)).map_err(|invalid| at_fault(path, text, part, invalid))?;
    }
    Templates::default().check(&name, &qos).map_err(|error| {
        let key = if matches!(error, TemplateError::Empty | TemplateError::Large) { "[" } else { "name" };
        wrong_at(path, text, text.find(key).unwrap_or(0), &format!("\"{name}\": {error}"))
    })?;
    Ok((name, qos))
}

/// A fault of a part of a file, at the key that it is about.
fn at_fault(path: &Path, text: &str, part: &str, invalid: Invalid) -> ConfigError {
    let start = [format!("[{part}]"), format!("[[{part}]]"), part.to_owned()]
        .iter()
        .find_map(|head| text.find(head.as_str()))
        .unwrap_or(0);
    let rest = text.get(start..).unwrap_or_default();
    let end = rest.get(1..).and_then(|rest| rest.find("\n[")).map_or(rest.len(), |end| end + 1);
    let section = rest.get(..end).unwrap_or_default();
    let named = KEYS.iter().filter(|(word, _)| invalid.why.contains(word));
    let key = named.filter_map(|(_, key)| section.find(key)).next();
    wrong_at(
        path,
        text,
        start + key.unwrap_or(0),
        &format!("{} ({}): {}", invalid.status.0, invalid.status, invalid.why),
    )
}

/// A template as a file has it.
///
/// # Errors
/// When an object has no words.
pub fn render(name: &str, qos: &Qos) -> Result<String, String> {
    let Words { sending, receiving, objects } =
        Words::try_from(qos).map_err(|invalid| invalid.to_string())?;
    let file = File { name: Some(name.to_owned()), sending, receiving, objects };
    toml::to_string(&file).map_err(|error| error.to_string())
}

/// Where the templates of a daemon are kept.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    folder: Option<PathBuf>,
}

impl Shelf {
    /// In this folder; nowhere without one.
    #[must_use]
    pub const fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// Reads what is kept, and says what cannot be used of it.
    #[must_use]
    pub fn load(&self) -> (Templates, Vec<String>) {
        let (mut templates, mut complaints) = (Templates::default(), Vec::new());
        let Some(folder) = &self.folder else { return (templates, complaints) };
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return (templates, complaints),
            Err(error) => {
                complaints.push(format!("the folder of templates {}: {error}", folder.display()));
                return (templates, complaints);
            }
        };
        let is_template = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml");
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.retain(is_template);
        paths.sort();
        for path in paths {
            match read(&path).and_then(|(name, qos)| {
                let kept = templates.check(&name, &qos).and_then(|()| templates.install(&name, qos, true));
                kept.map_err(|error| format!("{}: {error}", path.display()))
            }) {
                Ok(()) => {}
                Err(complaint) if complaints.len() < MOST_TEMPLATES => complaints.push(complaint),
                Err(_) => {}
            }
        }
        (templates, complaints)
    }

    /// Writes a template, or takes its file away.
    ///
    /// # Errors
    /// What the system says, and what can be done about it.
    pub fn keep(&self, name: &str, qos: Option<&Qos>) -> Result<(), String> {
        let Some(folder) = &self.folder else {
            return Err(
                "this daemon keeps none: name a folder, `templates` in [qos] of rsvpd.toml".to_owned()
            );
        };
        let path = folder.join(format!("{name}.toml"));
        let failed = |error: io::Error| {
            format!("{}: {error}; `templates` in [qos] of rsvpd.toml names another folder", path.display())
        };
        let Some(qos) = qos else {
            return match std::fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
                _ => Ok(()),
            };
        };
        let text = render(name, qos)?;
        std::fs::create_dir_all(folder).map_err(failed)?;
        // Whole or not at all, whatever happens meanwhile.
        let beside = folder.join(format!(".{name}.new"));
        let written = std::fs::File::create(&beside).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        let kept = written.and_then(|()| std::fs::rename(&beside, &path));
        kept.inspect_err(|_| drop(std::fs::remove_file(&beside))).map_err(failed)
    }

    /// Gives the folder to the user that the daemon runs as, so that it can go on keeping templates.
    pub(super) fn give_to(&self, uid: u32) -> io::Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        std::fs::create_dir_all(folder)?;
        std::os::unix::fs::chown(folder, Some(uid), None)
    }
}

/// Reads a file that is called as the template in it.
fn read(path: &Path) -> Result<(String, Qos), String> {
    let unreadable = |error: io::Error| format!("{}: {error}", path.display());
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let length = file.take(LONGEST_FILE + 1).read_to_string(&mut text).map_err(unreadable)?;
    if length as u64 > LONGEST_FILE {
        return Err(format!("{}: a template has {LONGEST_FILE} octets at most", path.display()));
    }
    let (name, qos) = parse(path, &text).map_err(|error| error.to_string())?;
    match path.file_stem() {
        Some(stem) if *stem == *name => Ok((name, qos)),
        _ => Err(format!("{}: the template in it is \"{name}\": call the file {name}.toml", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        parse(Path::new("talk.toml"), text).expect_err("it is wrong").to_string()
    }

    #[test]
    fn a_file_says_what_is_wrong_and_where() {
        let cases = [
            ("[sending]\nservice = \"voice\"\n", "talk.toml:2:11: unknown variant `voice`"),
            ("[sending]\nrate = 3\n", "talk.toml:2:1: unknown field `rate`"),
            ("name = 3\n", "talk.toml:1:8: invalid type"),
            ("[sending]\nservice = \"controlled-load\"\n", "talk.toml:1:1: 11017 (WSA_QOS_EFLOWSPEC)"),
            (
                "[sending]\nservice = \"qualitative\"\ntoken_rate = 0\n",
                "talk.toml:3:1: 11017 (WSA_QOS_EFLOWSPEC): a TokenRate is never zero",
            ),
            (
                "[receiving]\nservice = \"controlled-load\"\n\n[sending]\nservice = \"guaranteed\"\n\
                 token_rate = 9\npeak_bandwidth = 8\n",
                "talk.toml:6:1: 11017",
            ),
            ("[receiving]\nservice = \"guaranteed\"\n", "talk.toml:2:1: 11017"),
            (
                "[sending]\nservice = \"best-effort\"\n[[objects]]\nobject = \"ds-class\"\ndscp = 64\n",
                "talk.toml:3:2: 11018",
            ),
            ("[sending]\n", "talk.toml:1:1: \"talk\": it says nothing"),
            ("name = \"a/b\"\n[sending]\nservice = \"best-effort\"\n", "talk.toml:1:1: \"a/b\": a name has"),
            (
                "name = \"g711\"\n[sending]\nservice = \"best-effort\"\n",
                "talk.toml:1:1: \"g711\": it is a base",
            ),
        ];
        for (text, expected) in cases {
            let message = wrong(text);
            assert!(message.starts_with(expected), "{text}: {message}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for name in rsvp_node::qos::template::BASE_NAMES {
            let qos = Templates::default().read(name).expect("a base template");
            let text = render("other", &qos).expect("it has words");
            assert_eq!(parse(Path::new("x.toml"), &text).expect("it is sound"), ("other".to_owned(), qos));
        }
        // Without a name it is called as its file.
        let text =
            "[sending]\nservice = \"qualitative\"\n[[objects]]\nobject = \"friendly-name\"\nname = \"x\"\n";
        let (name, qos) = parse(Path::new("/there/lecture.toml"), text).expect("it is sound");
        assert_eq!(name, "lecture");
        let again = render(&name, &qos).expect("it has words");
        assert_eq!(parse(Path::new("y.toml"), &again).expect("it is sound"), (name, qos));
    }
}
