//! `rsvp top`: a live view of the node in the terminal.
//!
//! State is listed every second, events come as they happen; what is drawn is in [`draw`](mod@draw).

mod detail;
mod draw;

use super::connection::answered;
use super::options::{Daemon, span};
use super::output::interrupted;
use super::{Failure, connection, texts};
use clap::Args;
use core::time::Duration;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use rsvp_client::rows::{EventRow, FlowRow, InterfaceRow, Rows, SessionRow};
use rsvp_client::{Client, ClientError, What};
use std::collections::{BTreeMap, VecDeque};
use std::io::IsTerminal;
use std::path::Path;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Events that are kept to be seen.
const LOG: usize = 200;

/// What `rsvp top` is told.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  rsvp top --every 500ms\n  NO_COLOR=1 LC_ALL=C rsvp top\n\n\
        Keys: up and down choose a session, Enter shows its senders, requests and reservations, q ends. Without a locale of \
        UTF-8 all that is drawn is ASCII.")]
pub(crate) struct Arguments {
    /// Time between two looks at the state
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "1s")]
    every: Duration,
    #[command(flatten)]
    daemon: Daemon,
}

/// What is seen.
#[derive(Debug, Default)]
struct View {
    daemon: String,
    interfaces: Vec<InterfaceRow>,
    /// The largest first.
    sessions: Vec<SessionRow>,
    sessions_total: usize,
    /// Reservations that are carried out, those with the most traffic first.
    flows: Vec<Moving>,
    /// Which of the sessions is chosen.
    chosen: usize,
    /// What the chosen session has, where that is to be seen.
    detail: Option<Vec<String>>,
    look: Look,
    log: VecDeque<String>,
    /// When flows were counted last.
    looked_at: Option<Instant>,
}

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    /// Frames and bars may be drawn with characters that are not ASCII.
    lines: bool,
    colours: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self { lines: true, colours: true }
    }
}

impl Look {
    /// By the variables that are meant for it.
    fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let said = |name: &str| variable(name).filter(|value| !value.is_empty());
        let locale =
            ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(said).unwrap_or_default().to_lowercase();
        Self {
            lines: locale.contains("utf-8") || locale.contains("utf8"),
            colours: said("NO_COLOR").is_none(),
        }
    }
}

/// A reservation in the data plane and how fast its packets are now.
#[derive(Debug)]
struct Moving {
    row: FlowRow,
    /// Bits per second that conformed, and that did not, since it was looked at before; nothing the first time.
    now_bps: Option<[u64; 2]>,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    End,
    Up,
    Down,
    /// More of the chosen session, or less.
    Detail,
    /// The terminal has another size.
    Redraw,
}

/// `rsvp top`.
pub(super) async fn main(arguments: Arguments) -> Result<(), Failure> {
    let client = connection::look(&arguments.daemon).await?;
    if !std::io::stdout().is_terminal() {
        return Err(Failure::Asked("top needs a terminal: use `rsvp watch` or `rsvp show`".to_owned()));
    }
    let mut terminal = ratatui::try_init().map_err(Failure::at("the terminal"))?;
    let done = live(&client, &arguments, &mut terminal).await;
    ratatui::restore();
    done
}

async fn live(
    client: &Client,
    arguments: &Arguments,
    terminal: &mut ratatui::DefaultTerminal,
) -> Result<(), Failure> {
    let mut view = View {
        daemon: client.daemon().to_owned(),
        look: Look::of(|name| std::env::var(name).ok()),
        ..View::default()
    };
    let socket = &arguments.daemon.socket;
    let mut watch = answered(socket, client.watch()).await?;
    view.log.extend(before(client, socket).await?);
    let mut keys = keys();
    let start = Instant::now();
    let mut looks = interval(arguments.every);
    looks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut interrupted = core::pin::pin!(interrupted());
    loop {
        tokio::select! {
            () = &mut interrupted => return Ok(()),
            key = keys.recv() => match key {
                None | Some(Key::End) => return Ok(()),
                Some(Key::Redraw) => {}
                Some(key) => answered(socket, view.take(key, client)).await?,
            },
            _ = looks.tick() => answered(socket, view.look(client)).await?,
            watched = watch.next() => {
                let Some(watched) = watched else { return Err(ClientError::Disconnected.into()) };
                view.note(format!("{:9.3}s  {}", start.elapsed().as_secs_f64(), texts::watched(&watched)));
                // The next look draws it, unless it would be long in coming.
                if arguments.every <= Duration::from_secs(1) {
                    continue;
                }
            }
        }
        terminal.draw(|frame| draw::draw(&view, frame)).map_err(Failure::at("the terminal"))?;
    }
}

/// What happened before somebody looked, with times that lie before the start. A daemon that does not keep it has none.
async fn before(client: &Client, socket: &Path) -> Result<Vec<String>, Failure> {
    let rows = match answered(socket, client.list(What::Events, None)).await {
        Ok((Rows::Events(rows), _)) => rows,
        Err(silent @ Failure::Silent(_)) => return Err(silent),
        _ => Vec::new(),
    };
    let line =
        |row: &EventRow| format!("{:9.3}s  {}", row.ago_ms as f64 / -1_000.0, texts::watched(&row.watched));
    Ok(rows.iter().map(line).collect())
}

impl View {
    /// Chooses another session, or shows more of it.
    async fn take(&mut self, key: Key, client: &Client) -> Result<(), ClientError> {
        match key {
            Key::Up => self.chosen = self.chosen.saturating_sub(1),
            Key::Down => self.chosen = (self.chosen + 1).min(self.sessions.len().saturating_sub(1)),
            Key::Detail if self.detail.is_some() => self.detail = None,
            Key::Detail => self.detail = Some(Vec::new()),
            Key::End | Key::Redraw => {}
        }
        self.look_closely(client).await
    }

    /// What the chosen session has.
    async fn look_closely(&mut self, client: &Client) -> Result<(), ClientError> {
        if let (Some(detail), Some(row)) = (&mut self.detail, self.sessions.get(self.chosen)) {
            *detail = detail::of(client, row.session).await?;
        }
        Ok(())
    }

    async fn look(&mut self, client: &Client) -> Result<(), ClientError> {
        if let (Rows::Interfaces(rows), _) = client.list(What::Interfaces, None).await? {
            self.interfaces = rows;
        }
        if let (Rows::Sessions(mut rows), total) = client.list(What::Sessions, None).await? {
            rows.sort_by(|a, b| b.charge_bps.cmp(&a.charge_bps).then(a.session.cmp(&b.session)));
            // The one that was chosen stays so, wherever it is now.
            let chosen = self.sessions.get(self.chosen).map(|row| row.session);
            let place = rows.iter().position(|row| Some(row.session) == chosen);
            self.chosen = place.unwrap_or_else(|| self.chosen.min(rows.len().saturating_sub(1)));
            (self.sessions, self.sessions_total) = (rows, total);
        }
        if let (Rows::Flows(rows), _) = client.list(What::Flows, None).await? {
            let at = Instant::now();
            let since = self.looked_at.replace(at).map(|before| at - before);
            self.flows = moving(rows, &self.flows, since);
        }
        self.look_closely(client).await
    }

    fn note(&mut self, line: String) {
        if self.log.len() == LOG {
            self.log.pop_front();
        }
        self.log.push_back(line);
    }
}

/// How fast flows are, by what was counted of them before and `since` then.
fn moving(rows: Vec<FlowRow>, before: &[Moving], since: Option<Duration>) -> Vec<Moving> {
    let before: BTreeMap<&str, &FlowRow> =
        before.iter().map(|known| (known.row.id.as_str(), &known.row)).collect();
    let speed = |now: u64, then: u64, since: Duration| {
        let bits = u128::from(now.saturating_sub(then)) * 8_000_000;
        u64::try_from(bits / since.as_micros().max(1)).unwrap_or(u64::MAX)
    };
    let with = |row: FlowRow| {
        let known = before.get(row.id.as_str()).zip(since);
        let now_bps = known.map(|(then, since)| {
            [speed(row.octets, then.octets, since), speed(row.excess_octets, then.excess_octets, since)]
        });
        Moving { row, now_bps }
    };
    let mut flows: Vec<Moving> = rows.into_iter().map(with).collect();
    flows
        .sort_by_key(|flow| core::cmp::Reverse(flow.now_bps.map(|[conforming, excess]| conforming + excess)));
    flows
}

/// Keys come from a thread of their own: reading them waits. It ends with the process.
fn keys() -> mpsc::Receiver<Key> {
    let (sender, keys) = mpsc::channel(16);
    std::thread::spawn(move || {
        while let Ok(event) = event::read() {
            let key = match event {
                Event::Key(key) if key.kind != KeyEventKind::Release => meaning(key),
                Event::Resize(..) => Some(Key::Redraw),
                _ => None,
            };
            if key.is_some_and(|key| sender.blocking_send(key).is_err()) {
                return;
            }
        }
    });
    keys
}

/// In raw mode Ctrl-C is a key like others.
fn meaning(key: KeyEvent) -> Option<Key> {
    match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Some(Key::End),
        KeyCode::Char('q') | KeyCode::Esc => Some(Key::End),
        KeyCode::Up | KeyCode::Char('k') => Some(Key::Up),
        KeyCode::Down | KeyCode::Char('j') => Some(Key::Down),
        KeyCode::Enter => Some(Key::Detail),
        _ => None,
    }
}
