//! The outcome as JUnit's XML, which continuous integration shows: a test case for each expectation.

use super::Report;
use std::fmt::Write;

impl Report {
    /// One test suite; `file` is the scenario's.
    #[must_use]
    pub fn junit(&self, file: &str) -> String {
        let skipped = self.expectations.iter().filter(|v| v.skipped.is_some()).count();
        let failed = self.expectations.iter().filter(|v| !v.held && v.skipped.is_none()).count();
        let (errors, tests) = (usize::from(self.fault.is_some()), self.expectations.len());
        let name = escaped(&self.scenario);
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let _ = writeln!(
            out,
            "<testsuite name=\"{name}\" tests=\"{}\" failures=\"{failed}\" errors=\"{errors}\" skipped=\"{skipped}\">",
            tests + errors
        );
        let _ = writeln!(
            out,
            "  <properties><property name=\"seed\" value=\"{}\"/><property name=\"family\" value=\"{}\"/></properties>",
            self.seed, self.family
        );
        for verdict in &self.expectations {
            let title = if verdict.about.is_empty() { &verdict.expected } else { &verdict.about };
            let _ = write!(
                out,
                "  <testcase classname=\"{name}\" name=\"{}\" file=\"{}\" line=\"{}\"",
                escaped(title),
                escaped(file),
                verdict.line
            );
            let _ = match (&verdict.skipped, verdict.held) {
                (Some(why), _) => {
                    writeln!(out, "><skipped message=\"{}\"/></testcase>", escaped(why))
                }
                (None, true) => writeln!(out, "/>"),
                (None, false) => writeln!(
                    out,
                    "><failure message=\"{}\">{}</failure></testcase>",
                    escaped(&verdict.expected),
                    escaped(&verdict.seen)
                ),
            };
        }
        if let Some(fault) = &self.fault {
            let _ = writeln!(
                out,
                "  <testcase classname=\"{name}\" name=\"the run comes to its end\"><error message=\"{}\"/></testcase>",
                escaped(fault)
            );
        }
        out.push_str("</testsuite>\n");
        out
    }
}

/// Text as XML has it; what XML cannot have becomes a question mark.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(' '),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('?'),
            c => out.push(c),
        }
    }
    out
}
