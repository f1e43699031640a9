//! Tables, and what becomes of them where there is no room: a paragraph for each row.

use comfy_table::{Table, presets};

/// Columns of the narrowest output.
const NARROWEST: usize = 20;

/// As a table, or in paragraphs if that is wider than it may be.
pub(in super::super) fn laid_out(head: &[&str], lines: Vec<Vec<String>>, width: Option<usize>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head);
    for line in &lines {
        table.add_row(line);
    }
    let text: Vec<_> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    match width.map(|width| width.max(NARROWEST)) {
        Some(width) if text.iter().any(|line| line.chars().count() > width) => {
            paragraphs(head, &lines, width)
        }
        _ => text.join("\n"),
    }
}

/// The first column, and below it the others with their names, as many as fit in a line.
fn paragraphs(head: &[&str], lines: &[Vec<String>], width: usize) -> String {
    let mut text = Vec::new();
    for line in lines {
        let (first, others) =
            line.split_first().map_or(("", &[][..]), |(first, others)| (first.as_str(), others));
        text.extend(folded(first, width, 0));
        let mut row = String::new();
        for (name, value) in
            head.iter().skip(1).zip(others).filter(|(_, value)| !matches!(value.as_str(), "" | "-"))
        {
            let pair = format!("{name} {}", value.replace('\n', "; "));
            if !row.is_empty() && 2 + row.chars().count() + 2 + pair.chars().count() > width {
                text.extend(folded(&core::mem::take(&mut row), width, 2));
            }
            row = if row.is_empty() { pair } else { format!("{row}  {pair}") };
        }
        if !row.is_empty() {
            text.extend(folded(&row, width, 2));
        }
    }
    text.join("\n")
}

/// Words in lines; those after the first are indented by two more. A word that has no room is divided.
fn folded(words: &str, width: usize, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = " ".repeat(indent);
    let mut is_empty = true;
    for word in words.split(' ') {
        let room = width.saturating_sub(line.chars().count() + usize::from(!is_empty));
        if word.chars().count() > room && !is_empty {
            lines.push(core::mem::replace(&mut line, " ".repeat(indent + 2)));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        for c in word.chars() {
            if line.chars().count() >= width {
                lines.push(core::mem::replace(&mut line, " ".repeat(indent + 2)));
            }
            line.push(c);
        }
        is_empty = false;
    }
    lines.push(line);
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

/// The width of the terminal, if the output goes to one.
pub(super) fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 0).then(|| usize::from(size.ws_col))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: [&str; 4] = ["SESSION", "INTERFACE", "SERVICE", "POLICE"];

    fn line() -> Vec<String> {
        ["udp 10.0.2.2:5000", "right", "Controlled-Load 2Mbit/s for 10.0.1.1:4000", ""]
            .map(str::to_owned)
            .to_vec()
    }

    #[test]
    fn a_table_stays_one_where_there_is_room() {
        let text = laid_out(&HEAD, vec![line()], Some(100));
        let lines: Vec<_> = text.lines().collect();
        assert!(lines.len() == 2 && lines[0].contains("SESSION") && lines[1].contains("right"), "{text}");
    }

    #[test]
    fn where_there_is_none_each_row_is_a_paragraph() {
        let text = laid_out(&HEAD, vec![line()], Some(60));
        assert_eq!(
            text,
            "udp 10.0.2.2:5000\n  INTERFACE right\n  SERVICE Controlled-Load 2Mbit/s for 10.0.1.1:4000"
        );
        for width in [20, 30, 40, 60] {
            let text = laid_out(&HEAD, vec![line(), line()], Some(width));
            assert!(text.lines().all(|line| line.chars().count() <= width), "{width}: {text}");
            assert!(
                text.replace(char::is_whitespace, "").contains("Controlled-Load2Mbit/sfor10.0.1.1:4000"),
                "{text}"
            );
        }
    }
}
