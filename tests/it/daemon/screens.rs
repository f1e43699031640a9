//! Screens of `rsvp top` and `rsvp show` in a terminal of 60 columns, in a C locale and without colour, as tmux shows them; each is kept in
//! `screens/`. `RSVP_BLESS=1` writes them anew.
//!
//! Masked are how long ago something was, when it ends, the version, and numbers that the kernel chooses.

use super::commands::CONFIG;
use super::eventually;
use super::net::Net;
use crate::programs;
use std::path::{Path, PathBuf};

/// A terminal, in a server of tmux of its own.
pub(super) struct Screen<'a> {
    net: &'a Net,
    node: &'a str,
    socket: PathBuf,
}

impl<'a> Screen<'a> {
    /// Runs a command of `rsvp` in it; what it has shown stays when it ends.
    pub(super) fn of(net: &'a Net, node: &'a str, arguments: &str) -> Self {
        Self::wide(net, node, arguments, 60)
    }

    /// The same in a terminal of so many columns.
    fn wide(net: &'a Net, node: &'a str, arguments: &str, columns: u16) -> Self {
        let name: String = arguments.chars().filter(char::is_ascii_alphanumeric).collect();
        let this = Self { net, node, socket: net.file(&format!("tmux-{columns}-{name}")) };
        let program = programs::folder().join("rsvp").display().to_string();
        let socket = net.socket(node).display().to_string();
        let line = format!(
            "env LC_ALL=C NO_COLOR=1 TERM=screen RSVP_SOCKET={socket} {program} {arguments}; exec sleep 600"
        );
        let columns = columns.to_string();
        this.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", &columns, "-y", "30", &line]);
        this
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let mut line = vec!["tmux", "-S", self.socket.to_str().expect("a name")];
        line.extend(arguments);
        self.net.exec(self.node, &line)
    }

    /// What is seen, with what gives it colour.
    pub(super) fn seen(&self) -> String {
        let text = self.tmux(&["capture-pane", "-p", "-e"]);
        let lines: Vec<_> = text.trim_end().lines().map(str::trim_end).collect();
        lines.join("\n") + "\n"
    }

    /// Waits until it looks as it is kept.
    fn is(&self, name: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/daemon/screens").join(name);
        if std::env::var_os("RSVP_BLESS").is_some() {
            // As it is once it does not change any more.
            let (mut last, mut times) = (String::new(), 0);
            let settled = eventually("a screen that stays", || {
                let now = masked(&self.seen());
                times = if now == last { times + 1 } else { 0 };
                last.clone_from(&now);
                (times > 100 && now.lines().count() > 2).then_some(now)
            });
            return std::fs::write(path, settled).expect("it is written");
        }
        let kept = std::fs::read_to_string(&path).expect(name);
        let mut last = String::new();
        let is_so = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            eventually(name, || {
                last = masked(&self.seen());
                (last == kept).then_some(())
            });
        }));
        assert!(is_so.is_ok(), "{name} is to be\n{kept}\nand is\n{last}");
        assert!(
            kept.is_ascii() && !kept.contains('\x1b') && kept.lines().all(|line| line.chars().count() <= 60),
            "{kept}"
        );
    }
}

impl Drop for Screen<'_> {
    fn drop(&mut self) {
        let mut server = self.net.command(self.node, "tmux");
        // It may have ended by itself.
        let _ = server.arg("-S").arg(&self.socket).arg("kill-server").output();
    }
}

/// Attributes that are no colours: bold, dim, reversed, and their end.
const PLAIN: [&str; 8] =
    ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[7m", "\x1b[22m", "\x1b[27m", "\x1b[39m", "\x1b[49m"];

/// Without what differs from run to run: what stands behind these words, and a time at the end of a line.
fn masked(screen: &str) -> String {
    let line = |line: &str| {
        let mut text = PLAIN.iter().fold(line.to_owned(), |line, code| line.replace(code, ""));
        for before in ["refreshed ", "AGE ", "REFRESHED ", "EXPIRES ", "CLASS ", "OCTETS ", "MESSAGES "] {
            if let Some((front, behind)) = text.split_once(before)
                && let Some((value, rest)) = behind.split_once(' ').or(Some((behind, "")))
                && !value.is_empty()
            {
                // Where the frame is then says nothing.
                text = format!("{front}{before}... {}", rest.trim_end_matches('|').trim_end());
            }
        }
        // The version, and whatever of it has room.
        let text = text.split_once("rsvpd ").map_or(text.as_str(), |(front, _)| front);
        let is_time = |word: &str| word.starts_with(|c: char| c.is_ascii_digit()) && word.ends_with('s');
        match text.trim_end().rsplit_once(' ') {
            Some((front, last)) if is_time(last) && !last.contains('/') => format!("{front} ..."),
            _ => text.trim_end().to_owned(),
        }
    };
    screen.lines().map(line).map(|line| line.trim_end().to_owned() + "\n").collect()
}

#[test]
fn sixty_columns_without_locale_and_colour_are_enough() {
    if std::process::Command::new("tmux").arg("-V").output().is_err() {
        assert!(std::env::var_os("RSVP_REQUIRE_NAMESPACES").is_none(), "tmux is not installed");
        return crate::skipped("screens: skipped, tmux is not installed");
    }
    let Some(mut net) = Net::three_in_a_row("screens") else { return };
    ["a", "r", "b"].into_iter().for_each(|node| net.daemon(node, CONFIG));
    let (mut a, mut b) = (net.client("a"), net.client("b"));
    for port in [5000, 5001] {
        a.send(&format!("udp 10.0.2.2:{port}"), "10.0.1.1:4000", port - 4999);
        b.reserve(&format!("udp 10.0.2.2:{port}"), "10.0.1.1:4000", port - 4999);
        b.event("resv-confirm");
    }
    for kind in ["sessions", "senders", "requests", "reservations", "interfaces", "neighbours", "flows"] {
        let screen = Screen::of(&net, "r", &format!("show {kind}"));
        screen.is(&format!("show-{kind}.txt"));
    }
    let top = Screen::of(&net, "r", "top --every 200ms");
    top.is("top.txt");
    for key in ["Down", "Enter"] {
        top.tmux(&["send-keys", key]);
    }
    top.is("top-detail.txt");
    // Keys are not cut off where there is less room.
    for (columns, keys) in
        [(41, " up/down: sessions  Enter: detail  q: end"), (40, " up/down: choose  Enter: more  q: end")]
    {
        let narrow = Screen::wide(&net, "r", "top --every 200ms", columns);
        eventually(keys, || (masked(&narrow.seen()).lines().last() == Some(keys)).then_some(()));
    }
    // Whoever ends it has the terminal back.
    top.tmux(&["send-keys", "q"]);
    eventually("the end of top", || (!top.seen().contains("Interfaces")).then_some(()));
}
