//! What `rsvp top` looks like: interfaces with bars, sessions by size, reservations by traffic, the last events.

use super::{Moving, View};
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
    // Where nothing is carried out there is nothing to be counted.
    let flows = u16::try_from(view.flows.len()).unwrap_or(u16::MAX);
    let flows = if flows == 0 { 0 } else { flows.saturating_add(3).min(frame.area().height / 3) };
    let [top, middle, counted, low, last] = Layout::vertical([
        Constraint::Length(interfaces),
        Constraint::Min(4),
        Constraint::Length(flows),
        Constraint::Length(LOG_HEIGHT.min(frame.area().height / 3)),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    bars(view, frame, top);
    sessions(view, frame, middle);
    if flows > 0 {
        reservations(view, frame, counted);
    }
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

fn reservations(view: &View, frame: &mut Frame<'_>, area: Rect) {
    let rows = view.flows.iter().take(usize::from(area.height)).map(|Moving { row, now_bps }| {
        let now = |which: usize| now_bps.map_or_else(|| "-".to_owned(), |now| show_rate(now[which] as f64));
        let backlog = row.backlog_octets.map_or_else(|| "-".to_owned(), |octets| octets.to_string());
        Row::new([
            row.session.to_string(),
            row.interface.clone(),
            row.service.clone(),
            show_rate(row.rate_bps as f64),
            now(0),
            now(1),
            row.dropped_packets.to_string(),
            backlog,
        ])
    });
    let widths = [
        Constraint::Min(24),
        Constraint::Length(10),
        Constraint::Length(15),
        Constraint::Length(12),
        Constraint::Length(12),
        Constraint::Length(12),
        Constraint::Length(8),
        Constraint::Length(8),
    ];
    let head = ["RESERVATION", "INTERFACE", "SERVICE", "RATE", "CONFORMS", "EXCESS", "DROPPED", "BACKLOG"];
    let head = Row::new(head).style(Style::new().add_modifier(Modifier::BOLD));
    let title = format!(" Reservations: {} ", view.flows.len());
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
    use rsvp_client::rows::{FlowRow, SessionRow};

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

    fn flow(id: &str, octets: u64, excess_octets: u64) -> FlowRow {
        FlowRow {
            id: id.to_owned(),
            state: "installed".to_owned(),
            interface: "eth0".to_owned(),
            session: "udp 10.0.2.2:5000".parse().unwrap(),
            style: rsvp_client::Style::Ff,
            filters: Vec::new(),
            service: "controlled-load".to_owned(),
            name: None,
            class: None,
            rate_bps: 1_000_000,
            packets: 0,
            octets,
            excess_packets: 0,
            excess_octets,
            dropped_packets: 7,
            backlog_octets: None,
        }
    }

    #[test]
    fn reservations_are_as_fast_as_their_counts_grow() {
        use super::super::moving;
        let before = moving(vec![flow("1.1", 1_000, 0), flow("2.1", 0, 0)], &[], None);
        assert!(before.iter().all(|flow| flow.now_bps.is_none()), "nothing to compare with");
        let since = Some(core::time::Duration::from_millis(500));
        let flows = moving(
            vec![flow("1.1", 2_000, 0), flow("2.1", 62_500, 6_250), flow("3.1", 9, 9)],
            &before,
            since,
        );
        let speeds: Vec<_> = flows.iter().map(|flow| (flow.row.id.as_str(), flow.now_bps)).collect();
        assert_eq!(speeds, [("2.1", Some([1_000_000, 100_000])), ("1.1", Some([16_000, 0])), ("3.1", None)]);
        let screen = shown(&View { flows, ..View::default() }, 120, 30);
        for words in ["Reservations: 3", "controlled-load", "1Mbit/s", "100kbit/s", "16kbit/s"] {
            assert!(screen.contains(words), "{words} is not in\n{screen}");
        }
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
