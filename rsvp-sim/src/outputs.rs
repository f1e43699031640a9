//! What a run leaves in files, beside what it says on standard output.

use crate::{What, complain};
use rsvp_sim::Report;
use rsvp_sim::world::Record;
use std::path::{Path, PathBuf};

/// Whether no output would overwrite the scenario or another output; says which one would.
pub(crate) fn are_apart(scenario: &Path, what: &What, journal: Option<&Path>) -> bool {
    let outputs = [
        ("--journal", journal),
        ("--pcap", what.pcap.as_deref()),
        ("--html", what.html.as_deref()),
        ("--svg", what.svg.as_deref()),
        ("--csv", what.csv.as_deref()),
        ("--junit", what.junit.as_deref()),
    ];
    let mut taken = vec![("the scenario", file_of(scenario))];
    for (option, path) in outputs.into_iter().filter_map(|(option, path)| Some((option, path?))) {
        if path == Path::new("-") {
            complain(&format!("{option} -: expected a file; standard output is /dev/stdout"));
            return false;
        }
        let Some(file) = file_of(path) else { continue };
        if let Some((other, _)) = taken.iter().find(|(_, taken)| taken.as_ref() == Some(&file)) {
            complain(&format!("{}: {option} would overwrite {other}: give it another file", path.display()));
            return false;
        }
        taken.push((option, Some(file)));
    }
    true
}

/// The file that a path means, or will mean when it is written. A device or pipe can be written several times.
fn file_of(path: &Path) -> Option<PathBuf> {
    if let Ok(real) = path.canonicalize() {
        return real.is_file().then_some(real);
    }
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    Some(folder.canonicalize().ok()?.join(path.file_name()?))
}

/// Writes the files that are wanted; false when one cannot be written.
pub(crate) fn write((file, what): (&Path, &What), report: &Report, record: &Record) -> bool {
    let file = file.display().to_string();
    let put = |path: Option<&Path>, kind: &str, text: &dyn Fn() -> String| {
        let Some(path) = path else { return true };
        let written = std::fs::write(path, text());
        let said =
            written.map_err(|fault| complain(&format!("{}: cannot write {kind}: {fault}", path.display())));
        said.is_ok()
    };
    put(what.html.as_deref(), "the page", &|| report.html(record))
        && put(what.svg.as_deref(), "the picture", &|| report.svg())
        && put(what.csv.as_deref(), "the time series", &|| report.csv())
        && put(what.junit.as_deref(), "the outcome", &|| report.junit(&file))
}
