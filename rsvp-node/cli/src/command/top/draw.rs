//! What `rsvp top` looks like: interfaces with bars, sessions by size, the last events.

use super::View;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, Gauge, Paragraph, Row, Table};
use rsvp_client::rows::InterfaceRow;
use rsvp_node::units::show_rate;

/// Lines of events that are shown, with the frame.
const LOG_HEIGHT: u16 = 10;

pub(super) fn draw(view: &View, frame: &mut Frame<'_>) {
    let interfaces = u16::try_from(view.interfaces.len()).unwrap_or(u16::MAX).saturating_add(2);
    let interfaces = interfaces.min(frame.area().height / 3).max(3);
    let [top, middle, low, last] = Layout::vertical([
        Constraint::Length(interfaces),
        Constraint::Min(4),
        Constraint::Length(LOG_HEIGHT.min(frame.area().height / 3)),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    bars(view, frame, top);
    sessions(view, frame, middle);
    log(view, frame, low);
    let keys = format!(" {}   up/down: sessions   q: end", view.daemon);
    frame.render_widget(Paragraph::new(keys).style(Style::new().add_modifier(Modifier::DIM)), last);
}

fn titled(title: &str) -> Block<'_> {
    Block::new().borders(Borders::ALL).title(title)
}

fn bars(view: &View, frame: &mut Frame<'_>, area: Rect) {
    let block = titled(" Interfaces ");
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let width = view.interfaces.iter().map(|row| row.name.chars().count()).max().unwrap_or_default();
    let width = u16::try_from(width + 1).unwrap_or(u16::MAX);
    for (line, row) in inner.rows().zip(&view.interfaces) {
        let [name, bar] = Layout::horizontal([Constraint::Length(width), Constraint::Min(10)]).areas(line);
        frame.render_widget(Paragraph::new(row.name.as_str()), name);
        frame.render_widget(bar_of(row), bar);
    }
}

fn bar_of(row: &InterfaceRow) -> Gauge<'static> {
    let share =
        if row.reservable_bps == 0 { 0.0 } else { row.reserved_bps as f64 / row.reservable_bps as f64 };
    let bps = |bps: u64| show_rate(bps as f64);
    let free = row.reservable_bps.saturating_sub(row.reserved_bps);
    let (label, colour) = match (row.enabled, row.up) {
        (false, _) => ("no RSVP here".to_owned(), Color::DarkGray),
        (true, false) => (format!("down, {} reserved", bps(row.reserved_bps)), Color::Red),
        _ if row.reservable_bps == 0 => ("nothing can be reserved here".to_owned(), Color::DarkGray),
        _ => {
            let colour = if share > 0.9 { Color::Yellow } else { Color::Green };
            (format!("{} reserved, {} free", bps(row.reserved_bps), bps(free)), colour)
        }
    };
    Gauge::default().ratio(share.clamp(0.0, 1.0)).label(label).gauge_style(Style::new().fg(colour))
}

fn sessions(view: &View, frame: &mut Frame<'_>, area: Rect) {
    let title = format!(" Sessions: {} ", view.sessions_total);
    let rows = view.sessions.iter().skip(view.first).take(usize::from(area.height)).map(|row| {
        Row::new([
            row.session.to_string(),
            show_rate(row.charge_bps as f64),
            row.reservations.to_string(),
            row.requests.to_string(),
            row.senders.to_string(),
            row.applications.to_string(),
        ])
    });
    let widths = [
        Constraint::Min(24),
        Constraint::Length(12),
        Constraint::Length(12),
        Constraint::Length(8),
        Constraint::Length(7),
        Constraint::Length(12),
    ];
    let head = Row::new(["SESSION", "RESERVED", "RESERVATIONS", "REQUESTS", "SENDERS", "APPLICATIONS"]);
    let head = head.style(Style::new().add_modifier(Modifier::BOLD));
    frame.render_widget(Table::new(rows, widths).header(head).block(titled(&title)), area);
}

fn log(view: &View, frame: &mut Frame<'_>, area: Rect) {
    let room = usize::from(area.height.saturating_sub(2));
    let first = view.log.len().saturating_sub(room);
    let lines: Vec<Line<'_>> = view.log.iter().skip(first).map(|line| Line::from(line.as_str())).collect();
    frame.render_widget(Paragraph::new(lines).block(titled(" Events ")), area);
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use rsvp_client::rows::SessionRow;

    fn interface(name: &str, reserved_bps: u64, up: bool) -> InterfaceRow {
        InterfaceRow {
            name: name.to_owned(),
            index: 1,
            lih: 1,
            ipv4: None,
            ipv6: None,
            up,
            enabled: true,
            mtu: 1500,
            bandwidth_bps: 10_000_000,
            reservable_bps: 8_000_000,
            reserved_bps,
            refresh_ms: 30_000,
            udp: false,
            data_plane: "ready".to_owned(),
        }
    }

    fn shown(view: &View, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(view, frame)).unwrap();
        let buffer = terminal.backend().buffer();
        let rows = buffer.content().chunks(usize::from(width));
        rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>() + "\n").collect()
    }

    #[test]
    fn what_is_reserved_and_free_is_seen() {
        let session = SessionRow {
            session: "udp 10.0.2.2:5000".parse().unwrap(),
            applications: 0,
            senders: 2,
            requests: 1,
            reservations: 1,
            charge_bps: 2_000_000,
        };
        let mut view = View {
            daemon: "rsvpd 1".to_owned(),
            interfaces: vec![interface("eth0", 2_000_000, true), interface("eth1", 0, false)],
            sessions: vec![session],
            sessions_total: 1,
            ..View::default()
        };
        view.note("1.000s  something happened".to_owned());
        let screen = shown(&view, 100, 30);
        for words in [
            "eth0",
            "2Mbit/s reserved, 6Mbit/s free",
            "down, 0bit/s reserved",
            "udp 10.0.2.2:5000",
            "something happened",
            "rsvpd 1",
        ] {
            assert!(screen.contains(words), "{words} is not in\n{screen}");
        }
        // A quarter of the bar is full.
        let bar = screen.lines().find(|line| line.contains("eth0")).unwrap();
        let full = bar.chars().filter(|c| *c == '█').count();
        assert!((20..=25).contains(&full), "{full}: {bar}");
    }

    #[test]
    fn a_small_terminal_does_no_harm() {
        let interfaces = (0..50).map(|n| interface(&format!("eth{n}"), 0, true)).collect();
        let view = View { interfaces, ..View::default() };
        for (width, height) in [(1, 1), (5, 3), (20, 4), (80, 10)] {
            shown(&view, width, height);
        }
    }
}
