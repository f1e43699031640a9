//! What is done to the node under test: messages arrive, applications give commands.

use super::bench::Bench;
use super::message::Arriving;
use super::words::Flows;
use rsvp_node::{AppId, Command, Discard, FlowRequest, Input, Outcome, Refusal};
use rsvp_wire::SenderTemplate;

impl Bench {
    /// A message arrives and is processed.
    #[track_caller]
    pub(crate) fn hears(&mut self, text: &str) -> &mut Self {
        self.takes(&self.message(text))
    }

    /// A message made by hand arrives and is processed.
    #[track_caller]
    pub(crate) fn takes(&mut self, message: &Arriving) -> &mut Self {
        let octets = message.octets();
        let outcome = self.input(Input::Packet(message.rx(&octets)));
        assert_eq!(outcome, Outcome::Taken, "{:?}: {message:?}", self.family);
        self
    }

    /// A message arrives and is dropped; exactly the counter of that reason goes up, by one.
    #[track_caller]
    pub(crate) fn drops(&mut self, message: &Arriving, why: Discard) -> &mut Self {
        let octets = message.octets();
        self.drops_rx(message, &octets, why)
    }

    /// The same for octets made by hand.
    #[track_caller]
    pub(crate) fn drops_rx(&mut self, message: &Arriving, octets: &[u8], why: Discard) -> &mut Self {
        let counters = self.engine.counters();
        let (before, all) = (counters.discarded(why), counters.discarded_total());
        let outcome = self.input(Input::Packet(message.rx(octets)));
        assert_eq!(outcome, Outcome::Discarded(why), "{:?}", self.family);
        let counters = self.engine.counters();
        assert_eq!((counters.discarded(why), counters.discarded_total()), (before + 1, all + 1));
        self
    }

    /// Gives a command.
    pub(crate) fn command(&mut self, command: Command<'_>) -> Outcome {
        self.input(Input::Command(command))
    }

    /// Gives a command that is carried out.
    #[track_caller]
    pub(crate) fn does(&mut self, command: Command<'_>) -> &mut Self {
        let outcome = self.command(command);
        assert_eq!(outcome, Outcome::Taken, "{:?}", self.family);
        self
    }

    /// Gives a command that is refused and changes nothing.
    #[track_caller]
    pub(crate) fn refuses(&mut self, command: Command<'_>, why: Refusal) -> &mut Self {
        let before = self.state();
        let outcome = self.command(command);
        assert_eq!(outcome, Outcome::Refused(why), "{:?}", self.family);
        assert_eq!(self.state(), before, "a refused command changes nothing");
        self
    }

    /// Everything the views show.
    pub(crate) fn state(&self) -> String {
        let engine = &self.engine;
        let senders: Vec<_> = engine.senders().collect();
        let requests: Vec<_> = engine.requests().collect();
        let reservations: Vec<_> = engine.reservations().collect();
        let empty = engine.is_empty();
        format!(
            "{senders:?} {requests:?} {reservations:?} {:?} {empty}",
            engine.blockades().collect::<Vec<_>>()
        )
    }

    /// An application opens the session.
    #[track_caller]
    pub(crate) fn opens(&mut self, app: u32) -> &mut Self {
        let session = self.session;
        self.does(Command::OpenSession { app: AppId(app), session })
    }

    /// An application reserves, e.g. `WF{4B}`.
    #[track_caller]
    pub(crate) fn reserves(&mut self, app: u32, flows: &str) -> &mut Self {
        let outcome = self.reserve(app, flows, false);
        assert_eq!(outcome, Outcome::Taken, "{:?}", self.family);
        self
    }

    /// An application reserves, with or without a wish for confirmation.
    pub(crate) fn reserve(&mut self, app: u32, flows: &str, confirm: bool) -> Outcome {
        let words: Vec<&str> = flows.split(' ').collect();
        let Flows { style, flows } = Flows::read(self.family, &words);
        let flows: Vec<FlowRequest<'_>> = flows
            .iter()
            .map(|(flowspec, filters)| FlowRequest { flowspec: flowspec.expect("a flowspec"), filters })
            .collect();
        let session = self.session;
        self.command(Command::Reserve {
            carried: None,
            app: AppId(app),
            session,
            style,
            flows: &flows,
            confirm,
            interface: None,
        })
    }

    /// An application announces a sender of 9B on this node, e.g. `C0`.
    #[track_caller]
    pub(crate) fn announces(&mut self, app: u32, sender: &str) -> &mut Self {
        let (session, sender) = (self.session, SenderTemplate(self.family.sender(sender)));
        let tspec = super::words::tspec(9.0);
        let app = AppId(app);
        self.does(Command::Sender {
            carried: None,
            app,
            session,
            sender,
            tspec,
            adspec: None,
            ttl: 33,
            interface: None,
        })
    }

    /// An application leaves the session.
    #[track_caller]
    pub(crate) fn releases(&mut self, app: u32) -> &mut Self {
        let session = self.session;
        self.does(Command::Release { app: AppId(app), session })
    }

    /// Routing says that the session's routes changed.
    pub(crate) fn reroutes(&mut self) -> &mut Self {
        let destination = Some(self.session.destination());
        self.input(Input::RouteChanged { destination });
        self
    }

    /// Paths of S1 from a1, and of S2 and S3 from b1, as in RFC 2205 Figure 4; what that made is not looked at.
    #[track_caller]
    pub(crate) fn figure_4(&mut self) -> &mut Self {
        for path in ["a1 Path S1{9B}", "b1 Path S2{9B}", "b1 Path S3{9B}"] {
            self.hears(path);
        }
        self.forget()
    }
}
