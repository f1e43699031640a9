//! A host with one interface, on which applications announce and reserve; what leaves it is looked at in octets.

use core::net::Ipv4Addr;
use rsvp_node::{
    AppId, Command, Config, Engine, FlowRequest, Host, Input, Instant, Interface, InterfaceId, Outcome,
    Output, Route, RouteAnswer, RouteQuery, Rx,
};
use rsvp_wire::{
    FilterSpec, Flowspec, MessageWriter, MsgType, RsvpHop, SenderTemplate, SenderTspec, Session, Style,
    TimeValues, Tspec,
};

/// The host's own address.
pub(super) const HERE: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 1);
const NEIGHBOUR: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 2);
const ON: InterfaceId = InterfaceId(1);
pub(super) const APP: AppId = AppId(1);

struct OneRoute;

impl Host for OneRoute {
    fn route(&mut self, _: RouteQuery) -> RouteAnswer {
        RouteAnswer::Known(Route { incoming: None, outgoing: [ON].into_iter().collect() })
    }
}

/// The host.
pub(super) struct Node {
    engine: Engine,
    /// The messages that left.
    pub(super) sent: Vec<Vec<u8>>,
}

impl Node {
    pub(super) fn new() -> Self {
        let mut node = Self { engine: Engine::new(Config::default()), sent: Vec::new() };
        let mut interface = Interface::new(ON);
        (interface.ipv4, interface.ipv6) = (Some(HERE), Some(HERE.to_ipv6_mapped()));
        node.takes(Input::InterfaceChanged(interface));
        node
    }

    #[track_caller]
    fn takes(&mut self, input: Input<'_>) {
        let now = Instant::from_millis(1);
        assert_eq!(self.engine.handle(now, input, &mut OneRoute), Outcome::Taken);
        let mut buffer = [0; 1500];
        loop {
            match self.engine.poll(now, &mut buffer) {
                Output::Transmit(transmit) => self.sent.push(transmit.octets.to_vec()),
                Output::Idle { .. } => break,
                _ => {}
            }
        }
    }

    #[track_caller]
    pub(super) fn does(&mut self, command: Command<'_>) {
        self.takes(Input::Command(command));
    }

    /// A Path arrives from the neighbour.
    #[track_caller]
    pub(super) fn hears_path(&mut self, session: Session, sender: FilterSpec, tspec: Tspec) {
        let mut buffer = [0; 500];
        let mut writer = MessageWriter::new(&mut buffer, MsgType::PATH, 60);
        writer
            .put(&session)
            .put(&RsvpHop { address: NEIGHBOUR.into(), lih: 7 })
            .put(&TimeValues { refresh_ms: 30_000 })
            .put(&SenderTemplate(sender))
            .put(&SenderTspec::from(tspec));
        let octets = writer.finish().expect("it fits");
        let destination = session.destination();
        let source = sender.address();
        self.takes(Input::Packet(Rx { interface: ON, source, destination, ttl: 60, octets }));
    }

    /// An application reserves.
    #[track_caller]
    pub(super) fn reserves(&mut self, session: Session, style: Style, flows: &[(Flowspec, Vec<FilterSpec>)]) {
        let flows: Vec<_> =
            flows.iter().map(|(flowspec, filters)| FlowRequest { flowspec: *flowspec, filters }).collect();
        self.does(Command::Reserve {
            carried: None,
            app: APP,
            session,
            style,
            flows: &flows,
            confirm: false,
            interface: None,
        });
    }
}
