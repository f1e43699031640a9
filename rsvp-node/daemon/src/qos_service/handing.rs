//! Sockets that come, are told of, and go: by their descriptors or in words.

use super::quota::Within;
use super::wanted::Socket;
use super::{FIRST_APP, IN_WORDS, QosService, Served, Told};
use crate::control::descriptors::{Handed, Looked, Names};
use crate::control::service::{ClientId, EngineAccess, Who};
use crate::hooks::{Change, Watch};
use rsvp_control::sockets::{Moved, Open, Opened};
use rsvp_control::{Done, Problem};
use rsvp_node::AppId;

impl QosService {
    /// The kernel says what has become of a socket: one that is closed has no QoS any more, one that was connected is where it is
    /// now. Whether there is such a socket.
    pub fn changed(&mut self, cookie: u64, change: &Change, access: &mut dyn EngineAccess) -> bool {
        let Some(&app) = self.numbers.get(&cookie) else { return false };
        match change {
            Change::Released => {
                if let Some(client) = self.sockets.get(&app).map(|served| served.client) {
                    self.close(app, access);
                    self.told.push_back((client, Told::Closed(cookie)));
                }
            }
            Change::Moved { local, peer } => {
                if let Some(served) = self.sockets.get_mut(&app) {
                    served.socket.names.renamed(*local, *peer);
                    self.unsettled.insert(app);
                    self.settle(access);
                }
            }
        }
        true
    }

    pub(super) fn open(
        &mut self,
        client: ClientId,
        who: Who,
        open: &Open,
        handed: Option<Handed>,
    ) -> Result<Done, Problem> {
        let (mut names, watch) = match handed {
            Some(handed) => handed.map(|Looked { names, watch, .. }| (names, watch))?,
            None => (in_words(open, who)?, Watch::default()),
        };
        // Before this line was read, and after its socket came.
        match watch.missed() {
            Some(Change::Released) => {
                let message =
                    "the socket was closed before this was read: keep it open until the answer comes";
                return Err(Problem::new("no-qos-socket", message));
            }
            Some(Change::Moved { local, peer }) => names.renamed(local, peer),
            None => {}
        }
        if who.sockets_only {
            Within { limits: &self.limits, others: self.uses.of(who.uid) }.takes_another()?;
        }
        let number = match names.cookie {
            Some(cookie) if self.numbers.contains_key(&cookie) => {
                let message =
                    "this socket is handed over already, perhaps by another program that has it, too";
                return Err(Problem::new("already-open", message));
            }
            Some(cookie) => cookie,
            None => {
                self.next_number += 1;
                IN_WORDS + self.next_number
            }
        };
        let app = self.unused_app();
        let mut served = Served::new(client, who.uid, who.sockets_only, number, Socket::new(names));
        served.watch = watch;
        if who.sockets_only {
            self.uses.come(who.uid, served.used());
        }
        self.sockets.insert(app, served);
        self.numbers.insert(number, app);
        self.of_clients.insert((client, app));
        let Names { transport, local, peer, .. } = names;
        let opened = Opened { socket: number, transport: transport.into(), local, peer };
        Ok(Done { opened: Some(opened), ..Done::default() })
    }

    fn unused_app(&mut self) -> AppId {
        loop {
            let app = AppId(FIRST_APP | self.next_app);
            self.next_app = self.next_app.wrapping_add(1);
            if !self.sockets.contains_key(&app) {
                return app;
            }
        }
    }

    pub(super) fn moved(
        &mut self,
        app: AppId,
        who: Who,
        moved: &Moved,
        handed: Option<Handed>,
    ) -> Result<(), Problem> {
        let served = self.served(app)?;
        let names = &mut served.socket.names;
        match (handed, names.cookie) {
            (Some(handed), Some(cookie)) => {
                let Looked { names: now, watch, .. } = handed?;
                if now.cookie != Some(cookie) {
                    let message =
                        "the descriptor is that of another socket: hand over the one that has moved";
                    return Err(Problem::new("no-qos-socket", message));
                }
                *names = now;
                served.watch = watch;
            }
            (None, None) if !who.sockets_only => {
                *names = Names { local: moved.local, peer: moved.peer, ..*names };
            }
            _ => {
                return Err(Problem::new(
                    "bad-request",
                    "a socket moves by the means by which it was opened",
                ));
            }
        }
        Ok(())
    }
}

/// A socket that is said in words: what is said is believed, so only those may who may say anything.
fn in_words(open: &Open, who: Who) -> Result<Names, Problem> {
    if who.sockets_only {
        let message =
            "a socket is handed over here by its descriptor: send it with the line, and `\"fd\":true` in it";
        return Err(Problem::new("not-permitted", message));
    }
    let Some(transport) = open.transport else {
        let message =
            "a socket comes with its descriptor and `\"fd\":true`, or in words, with its `transport`";
        return Err(Problem::new("bad-request", message));
    };
    Ok(Names::in_words(transport.into(), open.local, open.peer))
}
