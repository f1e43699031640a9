//! Refreshes of a request that a next hop divides among several messages: none of them costs an allocation, or more than
//! a look at what was kept.

use crate::counting::allocations;
use crate::transit::{DOWNSTREAM, Downstream, UPSTREAM};
use core::net::{IpAddr, Ipv6Addr};
use rsvp_node::{Config, Engine, Input, Instant, Interface, InterfaceId, Outcome, Output, Rx};
use rsvp_wire::{
    FilterSpec, Flowspec, MessageWriter, MsgType, Rspec, RsvpHop, SenderTemplate, SenderTspec, Session,
    Style, TimeValues, Tspec,
};

const SENDERS: u16 = 1024;
const TSPEC: Tspec = Tspec {
    rate: 125_000.0,
    bucket: 15_000.0,
    peak: f32::INFINITY,
    min_policed_unit: 64,
    max_packet_size: 1500,
};

fn address(net: u16, host: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, net, 0, 0, 0, 0, host))
}

fn sender(n: u16) -> FilterSpec {
    FilterSpec::new(address(9, 1), 20_000 + n)
}

fn start(buffer: &mut [u8], kind: MsgType, on: InterfaceId) -> MessageWriter<'_> {
    let mut writer = MessageWriter::new(buffer, kind, 62);
    writer.put(&Session::new(address(8, 1), 17, 5000));
    writer.put(&RsvpHop { address: address(on.0 as u16, 2), lih: on.0 });
    writer.put(&TimeValues { refresh_ms: 30_000 });
    writer
}

/// A Path for a sender.
fn path(n: u16) -> Vec<u8> {
    let mut buffer = vec![0; 1024];
    let mut writer = start(&mut buffer, MsgType::PATH, UPSTREAM);
    writer.put(&SenderTemplate(sender(n))).put(&SenderTspec::from(TSPEC));
    writer.finish().expect("room for a Path").to_vec()
}

/// A Resv for some of the senders: Guaranteed service for each.
fn resv(senders: core::ops::Range<u16>) -> Vec<u8> {
    let mut buffer = vec![0; 65_535];
    let mut writer = start(&mut buffer, MsgType::RESV, DOWNSTREAM);
    writer.put(&Style::FF);
    for n in senders {
        writer.put(&Flowspec::Guaranteed(TSPEC, Rspec { rate: 125_000.0, slack: 0 })).put(&sender(n));
    }
    writer.finish().expect("room for a Resv").to_vec()
}

fn hear(engine: &mut Engine, buffer: &mut [u8], on: InterfaceId, to: IpAddr, octets: &[u8]) -> usize {
    let now = Instant::from_millis(1);
    let rx = Rx { interface: on, source: address(on.0 as u16, 2), destination: to, ttl: 62, octets };
    assert_eq!(engine.handle(now, Input::Packet(rx), &mut Downstream), Outcome::Taken);
    let mut outputs = 0;
    loop {
        match engine.poll(now, buffer) {
            Output::Idle { .. } => return outputs,
            Output::NeedSpace(need) => panic!("a message of {need} octets"),
            _ => outputs += 1,
        }
    }
}

#[test]
fn unchanged_refreshes_of_all_parts_allocate_nothing() {
    let mut engine = Engine::new(Config { seed: 1, ..Config::default() });
    for id in [UPSTREAM, DOWNSTREAM] {
        let mut interface = Interface::new(id);
        if let IpAddr::V6(own) = address(id.0 as u16, 1) {
            interface.ipv6 = Some(own);
        }
        interface.proxies = true;
        (interface.bandwidth_bps, interface.reservable_bps) = (1 << 40, 1 << 40);
        engine.handle(Instant::ZERO, Input::InterfaceChanged(interface), &mut Downstream);
    }
    let mut buffer = vec![0; 65_535];
    for n in 0..SENDERS {
        hear(&mut engine, &mut buffer, UPSTREAM, address(8, 1), &path(n));
    }
    let own = address(DOWNSTREAM.0 as u16, 1);
    let parts = [0..500, 500..700, 700..1023, 1023..SENDERS].map(resv);
    for part in &parts {
        hear(&mut engine, &mut buffer, DOWNSTREAM, own, part);
    }
    assert_eq!(engine.reservations().count(), usize::from(SENDERS));
    for part in parts.iter().chain(parts.iter().rev()) {
        let before = engine.work();
        let (count, outputs) = allocations(|| hear(&mut engine, &mut buffer, DOWNSTREAM, own, part));
        assert_eq!((count, outputs), (0, 0), "allocations and outputs");
        let work = engine.work();
        assert_eq!(work.octets_handled - before.octets_handled, part.len() as u64);
        let visited = work.states_visited - before.states_visited;
        assert!(visited < 32, "{visited} looks for {} octets", part.len());
    }
}
