//! What `rsvp top` looks like: interfaces with bars, sessions by size, reservations by traffic, the last events.

use super::{Look, Moving, View};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, Gauge, Paragraph, Row, Table, TableState, Wrap};
use rsvp_client::rows::InterfaceRow;
use rsvp_node::units::show_rate;

/// Columns from which on there is room for all that tables have.
const WIDE: u16 = 80;

/// Columns below which there is room for two of them.
const NARROW: u16 = 45;

/// Frames without anything but ASCII.
const ASCII: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

/// Lines of events that are shown, with the frame.
const LOG_HEIGHT: u16 = 10;

pub(super) fn draw(view: &View, frame: &mut Frame<'_>) {
    let interfaces = u16::try_from(view.interfaces.len()).unwrap_or(u16::MAX).saturating_add(2);
    let interfaces = interfaces.min(frame.area().height / 3).max(3);
    // Where nothing is carried out there is nothing to be counted.
    let flows = u16::try_from(view.flows.len()).unwrap_or(u16::MAX);
    let flows = if flows == 0 { 0 } else { flows.saturating_add(3).min(frame.area().height / 3) };
    // More of the chosen session is more than the last events.
    let share = if view.detail.is_some() { 2 } else { 3 };
    let log_height = LOG_HEIGHT.min(frame.area().height / share);
    let [top, middle, counted, low, last] = Layout::vertical([
        Constraint::Length(interfaces),
        Constraint::Min(4),
        Constraint::Length(flows),
        Constraint::Length(log_height),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    bars(view, frame, top);
    sessions(view, frame, middle);
    if flows > 0 {
        reservations(view, frame, counted);
    }
    match (&view.detail, view.sessions.get(view.chosen)) {
        (Some(lines), Some(row)) => detail(view, &row.session.to_string(), lines, frame, low),
        _ => log(view, frame, low),
    }
    let keys = keys(&view.daemon, usize::from(last.width));
    frame.render_widget(Paragraph::new(keys).style(Style::new().add_modifier(Modifier::DIM)), last);
}

/// What keys are for, whole in as many columns as there are; and the daemon, where it has room.
fn keys(daemon: &str, width: usize) -> String {
    let most = format!(" up/down: sessions  Enter: detail  q: end  {daemon}");
    let fewer = [
        " up/down: sessions  Enter: detail  q: end",
        " up/down: choose  Enter: more  q: end",
        " up/down  Enter  q: end",
        " q: end",
    ];
    let fits = |line: &str| line.chars().count() <= width;
    if fits(&most) {
        return most;
    }
    fewer.into_iter().find(|line| fits(line)).unwrap_or_default().to_owned()
}

fn titled(title: &str, look: Look) -> Block<'_> {
    let block = Block::new().borders(Borders::ALL).title(title);
    if look.lines { block } else { block.border_set(ASCII) }
}

fn bars(view: &View, frame: &mut Frame<'_>, area: Rect) {
    let block = titled(" Interfaces ", view.look);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let width = view.interfaces.iter().map(|row| row.name.chars().count()).max().unwrap_or_default();
    let width = u16::try_from(width + 1).unwrap_or(u16::MAX);
    for (line, row) in inner.rows().zip(&view.interfaces) {
        let [name, bar] = Layout::horizontal([Constraint::Length(width), Constraint::Min(10)]).areas(line);
        frame.render_widget(Paragraph::new(row.name.as_str()), name);
        let (share, label, colour) = state_of(row);
        if view.look.lines {
            let style = if view.look.colours { Style::new().fg(colour) } else { Style::new() };
            frame.render_widget(Gauge::default().ratio(share).label(label).gauge_style(style), bar);
        } else {
            frame.render_widget(Paragraph::new(plain_bar(share, &label, bar.width)), bar);
        }
    }
}

/// As `##--  2Mbit/s reserved`: a tenth of the bar for each sign.
fn plain_bar(share: f64, label: &str, width: u16) -> String {
    const SIGNS: usize = 10;
    if usize::from(width) < label.chars().count() + SIGNS + 2 {
        return label.to_owned();
    }
    let full = (share * SIGNS as f64).round() as usize;
    format!("{}{}  {label}", "#".repeat(full), "-".repeat(SIGNS - full))
}

/// How much of an interface is reserved, in words too.
fn state_of(row: &InterfaceRow) -> (f64, String, Color) {
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
    (share.clamp(0.0, 1.0), label, colour)
}

/// The first so many columns; the first of them has what room the others leave.
fn table<const N: usize>(
    rows: impl Iterator<Item = [String; N]>,
    head: [&'static str; N],
    widths: [u16; N],
    shown: usize,
) -> Table<'static> {
    let width = |(place, width): (usize, &u16)| match place {
        0 => Constraint::Min(*width),
        _ => Constraint::Length(*width),
    };
    let widths: Vec<_> = widths.iter().enumerate().take(shown).map(width).collect();
    let rows: Vec<_> = rows.map(|row| Row::new(row.into_iter().take(shown).collect::<Vec<_>>())).collect();
    let head = Row::new(head.into_iter().take(shown).collect::<Vec<_>>());
    Table::new(rows, widths).header(head.style(Style::new().add_modifier(Modifier::BOLD)))
}

fn sessions(view: &View, frame: &mut Frame<'_>, area: Rect) {
    let title = format!(" Sessions: {} ", view.sessions_total);
    let rows = view.sessions.iter().map(|row| {
        [
            row.session.to_string(),
            show_rate(row.charge_bps as f64),
            row.senders.to_string(),
            row.requests.to_string(),
            row.reservations.to_string(),
            row.applications.to_string(),
        ]
    });
    let head = ["SESSION", "RESERVED", "SENDERS", "REQUESTS", "RESERVATIONS", "APPLICATIONS"];
    // Where there is little room, how many there are goes first.
    let shown = match area.width {
        0..NARROW => 2,
        NARROW..WIDE => 3,
        _ => head.len(),
    };
    let table = table(rows, head, [20, 12, 7, 8, 12, 12], shown)
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED))
        .highlight_symbol(">")
        .block(titled(&title, view.look));
    let chosen = (!view.sessions.is_empty()).then_some(view.chosen);
    frame.render_stateful_widget(table, area, &mut TableState::new().with_selected(chosen));
}

fn reservations(view: &View, frame: &mut Frame<'_>, area: Rect) {
    let rows = view.flows.iter().take(usize::from(area.height)).map(|Moving { row, now_bps }| {
        let now = |which: usize| now_bps.map_or_else(|| "-".to_owned(), |now| show_rate(now[which] as f64));
        let backlog = row.backlog_octets.map_or_else(|| "-".to_owned(), |octets| octets.to_string());
        [
            row.session.to_string(),
            row.interface.clone(),
            now(0),
            now(1),
            show_rate(row.rate_bps as f64),
            row.dropped_packets.to_string(),
            row.service.clone(),
            backlog,
        ]
    });
    let head = ["RESERVATION", "INTERFACE", "CONFORMS", "EXCESS", "RATE", "DROPPED", "SERVICE", "BACKLOG"];
    let title = format!(" Reservations: {} ", view.flows.len());
    let shown = match area.width {
        0..WIDE => 3,
        WIDE..100 => 5,
        _ => head.len(),
    };
    let table = table(rows, head, [20, 10, 12, 12, 12, 8, 15, 8], shown);
    frame.render_widget(table.block(titled(&title, view.look)), area);
}

fn detail(view: &View, session: &str, lines: &[String], frame: &mut Frame<'_>, area: Rect) {
    let title = format!(" {session} ");
    let lines: Vec<_> = lines.iter().map(|line| Line::from(line.as_str())).collect();
    let text = Paragraph::new(lines).wrap(Wrap { trim: false });
    frame.render_widget(text.block(titled(&title, view.look)), area);
}

fn log(view: &View, frame: &mut Frame<'_>, area: Rect) {
    let room = usize::from(area.height.saturating_sub(2));
    let first = view.log.len().saturating_sub(room);
    let lines: Vec<Line<'_>> = view.log.iter().skip(first).map(|line| Line::from(line.as_str())).collect();
    frame.render_widget(Paragraph::new(lines).block(titled(" Events ", view.look)), area);
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
            guessed: false,
            reservable_bps: 8_000_000,
            reserved_bps,
            refresh_ms: 30_000,
            udp: false,
            udp_refused: 0,
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

    fn session(port: u16, charge_bps: u64) -> SessionRow {
        SessionRow {
            session: format!("udp 10.0.2.2:{port}").parse().unwrap(),
            applications: 0,
            senders: 2,
            requests: 1,
            reservations: 1,
            charge_bps,
        }
    }

    #[test]
    fn sixty_columns_and_ascii_are_enough() {
        let view = View {
            interfaces: vec![interface("eth0", 4_000_000, true)],
            sessions: vec![session(5000, 2_000_000), session(5001, 1_000_000)],
            sessions_total: 2,
            chosen: 1,
            detail: Some(vec!["sender 10.0.1.1:4000 from application".to_owned()]),
            flows: super::super::moving(vec![flow("1.1", 0, 0)], &[], None),
            look: Look { lines: false, colours: false },
            ..View::default()
        };
        let screen = shown(&view, 60, 24);
        assert!(screen.is_ascii(), "{screen}");
        for words in [
            "#####-----  4Mbit/s reserved, 4Mbit/s free",
            ">udp 10.0.2.2:5001",
            "SENDERS",
            "CONFORMS",
            "+ udp 10.0.2.2:5001 -",
            "sender 10.0.1.1:4000 from application",
            "Enter: detail",
        ] {
            assert!(screen.contains(words), "{words} is not in\n{screen}");
        }
        assert!(!screen.contains("APPLICATIONS"), "{screen}");
        let mut terminal = Terminal::new(TestBackend::new(60, 24)).unwrap();
        terminal.draw(|frame| draw(&view, frame)).unwrap();
        let colours = |cell: &ratatui::buffer::Cell| cell.fg != Color::Reset || cell.bg != Color::Reset;
        assert!(!terminal.backend().buffer().content().iter().any(colours), "no colour");
    }

    #[test]
    fn what_keys_are_for_is_seen_whole_at_any_width() {
        let view = View {
            daemon: "rsvpd 1.2.3 (0123456789ab)".to_owned(),
            sessions: vec![session(5000, 2_000_000)],
            sessions_total: 1,
            look: Look { lines: false, colours: false },
            ..View::default()
        };
        for width in 7..=80 {
            let screen = shown(&view, width, 24);
            let last = screen.lines().last().expect("a line").trim_end();
            assert!(last.contains(" q: end"), "{width}: {last}");
            let names_keys = last.contains("up/down: ") && last.contains("Enter: ");
            assert_eq!(names_keys, width >= 37, "{width}: {last}");
            assert_eq!(
                last.contains("rsvpd"),
                last.ends_with("rsvpd 1.2.3 (0123456789ab)"),
                "{width}: {last}"
            );
        }
        let narrow = shown(&view, 40, 24);
        assert!(
            narrow.contains("2Mbit/s") && narrow.contains("RESERVED") && !narrow.contains("SEND"),
            "{narrow}"
        );
    }

    #[test]
    fn what_a_terminal_can_is_what_its_variables_say() {
        let look = |set: &'static [(&str, &str)]| {
            Look::of(|name| set.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(look(&[("LANG", "de_DE.UTF-8")]), Look { lines: true, colours: true });
        assert_eq!(look(&[("LANG", "C.utf8"), ("NO_COLOR", "1")]), Look { lines: true, colours: false });
        // The first that is set counts, and an empty one is none.
        assert_eq!(look(&[("LANG", "C.UTF-8"), ("LC_ALL", "C")]), Look { lines: false, colours: true });
        assert_eq!(
            look(&[("LC_ALL", ""), ("LC_CTYPE", "C.UTF-8"), ("NO_COLOR", "")]),
            Look { lines: true, colours: true }
        );
        assert_eq!(look(&[]), Look { lines: false, colours: true });
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
