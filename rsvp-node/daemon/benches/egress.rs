//! What the egress program costs, by trials of packets that go nowhere: prints the table of `docs/performance.md`. Needs root,
//! and works in a network namespace of its own.

use nix::sched::{CloneFlags, unshare};
use rsvpd::data_plane::bpf::{
    AddressBits, Attach, Beyond, Capacity, Egress, EgressError, Filter, Flow, FlowId, Key, Limits, Mode,
    Pattern, Session, Treatment, Trial,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

const MOST: u32 = 100_000;
const UDP: u8 = 17;
/// How often the packet of another flow is tried.
const ROUNDS: usize = 100_000;

struct Speed {
    egress: Egress,
    interface: u32,
    is_v6: bool,
    ids: Vec<FlowId>,
}

impl Speed {
    fn new(is_v6: bool) -> Result<Self, EgressError> {
        let mut egress = Egress::load(Capacity { flows: MOST, keys: MOST, interfaces: 16 })?;
        let (interface, _) = egress.attach("lo", Attach::Auto)?;
        Ok(Self { egress, interface, is_v6, ids: vec![] })
    }

    /// Source and destination.
    fn addresses(&self) -> [IpAddr; 2] {
        [1, 2].map(|end| match self.is_v6 {
            false => Ipv4Addr::new(10, 0, 1, end).into(),
            true => Ipv6Addr::new(0xfd00, 1, 0, 0, 0, 0, 0, end.into()).into(),
        })
    }

    /// Flow number n has a source port and a destination port of its own.
    fn ports(n: u32) -> [u16; 2] {
        [10_000 + (n / 1000) as u16, 1000 + (n % 1000) as u16]
    }

    /// A UDP packet of 100 octets of that flow. Nobody looks at its checksums.
    fn frame(&self, n: u32) -> Vec<u8> {
        let mut frame = vec![0; 12];
        match self.addresses() {
            [IpAddr::V4(source), IpAddr::V4(destination)] => {
                frame.extend([8, 0, 0x45, 0, 0, 100, 0, 7, 0, 0, 64, UDP, 0, 0]);
                frame.extend([source.octets(), destination.octets()].concat());
            }
            [IpAddr::V6(source), IpAddr::V6(destination)] => {
                frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 60, UDP, 64]);
                frame.extend([source.octets(), destination.octets()].concat());
            }
            _ => {}
        }
        frame.extend(Self::ports(n).map(u16::to_be_bytes).concat());
        frame.resize(114, 0);
        frame
    }

    /// A flow that is policed, by both buckets, and marked.
    fn flow() -> Flow {
        let limits = Limits {
            rate: 125_000,
            bucket: 3000,
            peak: Some(250_000),
            max_packet: Some(1500),
            min_policed: 64,
        };
        let conforming = Treatment { dscp: Some(46), pcp: None, class: Some(0x10001) };
        let excess = Treatment { dscp: Some(8), pcp: None, class: Some(0x10002) };
        Flow { mode: Mode::Borrow, limits, conforming, excess }
    }

    /// A packet where filters have so many masks: what it takes while none of these has it, and when the last one has.
    fn masked(&mut self, count: u8) -> Result<[f64; 2], EgressError> {
        let [elsewhere, destination] = self.addresses();
        let (frame, whole) = (self.frame(0), if self.is_v6 { 128 } else { 32 });
        // The longest prefix is the most specific, and comes first.
        let pattern = |to: IpAddr, place: u8| {
            let to = Some(AddressBits::prefix(to, whole - place));
            Pattern::new(to, None, None, Beyond::Nothing)
                .map_err(|error| EgressError::Kernel(error.to_string()))
        };
        let id = self.egress.add_flow(&Self::flow())?;
        for place in 0..count {
            // An address whose first bit is another one is in none of the packet's networks.
            self.egress.add_filter(self.interface, &pattern(opposite(elsewhere), place)?, id)?;
        }
        let none = self.again(&frame)?;
        let mut last = none;
        if let Some(place) = count.checked_sub(1) {
            self.egress.add_filter(self.interface, &pattern(destination, place)?, id)?;
            last = self.again(&frame)?;
            self.egress.remove_filter(self.interface, &pattern(destination, place)?)?;
        }
        for place in 0..count {
            self.egress.remove_filter(self.interface, &pattern(opposite(elsewhere), place)?)?;
        }
        self.egress.remove_flow(id)?;
        Ok([none, last])
    }

    /// Adds flows, policed and marked, up to this many; gives what each took.
    #[expect(clippy::disallowed_methods, reason = "a measurement of real time")]
    fn grow(&mut self, count: u32) -> Result<Duration, EgressError> {
        let flow = Self::flow();
        let [source, destination] = self.addresses();
        let before = self.ids.len() as u32;
        let start = Instant::now();
        for n in before..count {
            let [source_port, port] = Self::ports(n);
            let session = Session { destination, protocol: UDP, port };
            let filter = Filter::Sender(source, source_port);
            let id = self.egress.add_flow(&flow)?;
            self.egress.set_key(&Key { interface: self.interface, session, filter }, id)?;
            self.ids.push(id);
        }
        Ok(start.elapsed() / (count - before).max(1))
    }

    /// Removes all flows; gives what each took.
    #[expect(clippy::disallowed_methods, reason = "a measurement of real time")]
    fn clear(&mut self) -> Result<Duration, EgressError> {
        let start = Instant::now();
        let count = self.ids.len() as u32;
        for id in std::mem::take(&mut self.ids) {
            self.egress.remove_flow(id)?;
        }
        Ok(start.elapsed() / count.max(1))
    }

    fn run(&self, frame: &[u8], repeat: u32) -> Result<f64, EgressError> {
        let trial = Trial { interface: self.interface, frame, class: 0, repeat, segments: None };
        Ok(self.egress.try_packet(&trial)?.took.as_nanos() as f64)
    }

    /// One packet again and again, so that all is in the processor's cache: the least of some.
    fn again(&self, frame: &[u8]) -> Result<f64, EgressError> {
        let mut least = f64::INFINITY;
        for _ in 0..15 {
            least = least.min(self.run(frame, 200_000)?);
        }
        Ok(least)
    }

    /// Each time the packet of another of this many flows, in an order that no cache knows: the median. All are written into one
    /// buffer, as the kernel takes the one that it has freed last.
    fn in_turn(&self, mut frame: Vec<u8>, flows: u32) -> Result<f64, EgressError> {
        let ports = if self.is_v6 { 54 } else { 34 };
        let mut took = Vec::with_capacity(ROUNDS);
        let mut n = 0_u32;
        for _ in 0..ROUNDS {
            n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if flows > 0 {
                let flow = ((u64::from(n) * u64::from(flows)) >> 32) as u32;
                let [source, destination] = Self::ports(flow).map(u16::to_be_bytes);
                frame[ports..ports + 2].copy_from_slice(&source);
                frame[ports + 2..ports + 4].copy_from_slice(&destination);
            }
            took.push(self.run(&frame, 1)?);
        }
        took.sort_unstable_by(f64::total_cmp);
        Ok(took[ROUNDS / 2])
    }
}

/// An address with another first bit.
fn opposite(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() ^ 1 << 31).into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() ^ 1 << 127).into(),
    }
}

fn measure_masks() -> Result<(), EgressError> {
    println!(
        "| masks of filters | IPv4: no filter has it | the last has it | IPv6: no filter has it | the last has it |"
    );
    println!("|---|---|---|---|---|");
    let mut both = [Speed::new(false)?, Speed::new(true)?];
    for count in [0, 1, 4, 16] {
        let [v4, v6] = &mut both;
        let ([none, last], [none_v6, last_v6]) = (v4.masked(count)?, v6.masked(count)?);
        println!("| {count} | {none:.0} ns | {last:.0} ns | {none_v6:.0} ns | {last_v6:.0} ns |");
    }
    Ok(())
}

fn measure(is_v6: bool) -> Result<(), EgressError> {
    let mut speed = Speed::new(is_v6)?;
    println!("| IPv{} | the same flow | flows in turn | a new flow |", if is_v6 { 6 } else { 4 });
    println!("|---|---|---|---|");
    let arp = [vec![0; 12], vec![8, 6], vec![0; 100]].concat();
    let clock = speed.in_turn(arp.clone(), 0)?;
    // What the second column is counted from: reading the clock, and the program for a packet that it does not look at.
    println!("| no IP | {:.0} ns | 0 (of {clock:.0} ns) | |", speed.again(&arp)?);
    let first = speed.frame(0);
    let none = speed.in_turn(first.clone(), 0)? - clock;
    println!("| 0 flows | {:.0} ns | {none:.0} ns | |", speed.again(&first)?);
    for count in [10, 4000, MOST] {
        let each = speed.grow(count)?.as_nanos() as f64 / 1000.0;
        let (same, other) = (speed.again(&first)?, speed.in_turn(first.clone(), count)? - clock);
        println!("| {count} flows | {same:.0} ns | {other:.0} ns | {each:.1} µs |");
    }
    println!("\nRemoving one of {MOST}: {:.1} µs\n", speed.clear()?.as_nanos() as f64 / 1000.0);
    Ok(())
}

fn main() -> ExitCode {
    if let Err(error) = unshare(CloneFlags::CLONE_NEWNET) {
        eprintln!("a network namespace needs root: {error}");
        return ExitCode::FAILURE;
    }
    match measure(false).and_then(|()| measure(true)).and_then(|()| measure_masks()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
