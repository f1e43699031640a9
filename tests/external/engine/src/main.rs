//! Drives an engine: a packet that is none is discarded, and there is nothing to say about it.

use rsvp_node::{Config, Engine, Host, Input, Instant, InterfaceId, Outcome, Output, RouteAnswer, RouteQuery, Rx};

struct NoRoutes;

impl Host for NoRoutes {
    fn route(&mut self, _query: RouteQuery) -> RouteAnswer {
        RouteAnswer::NoRoute
    }
}

fn main() {
    let mut engine = Engine::new(Config::default());
    let packet = Rx {
        interface: InterfaceId(1),
        source: "10.0.0.1".parse().expect("an address"),
        destination: "10.0.0.2".parse().expect("an address"),
        ttl: 1,
        octets: &[0; 8],
    };
    let outcome = engine.handle(Instant::ZERO, Input::Packet(packet), &mut NoRoutes);
    assert!(matches!(outcome, Outcome::Discarded(_)));
    assert!(matches!(engine.poll(Instant::ZERO, &mut [0; 64]), Output::Idle { until: None, .. }));
    assert_eq!(rsvp_wire::IP_PROTOCOL, 46);
}
