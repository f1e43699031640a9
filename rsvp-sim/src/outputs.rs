//! What a run leaves in files, beside what it says on standard output.

use crate::{What, complain};
use rsvp_sim::Report;
use rsvp_sim::world::Record;
use std::path::Path;

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
