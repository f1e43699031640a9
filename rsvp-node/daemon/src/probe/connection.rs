//! What a TCP connection itself knows of its way (TCP_INFO), from the kernel's listing (sock_diag(7)). Needs no privilege, and no
//! descriptor.

use crate::hooks::SocketNames;
use rsvp_control::flows::Fundamentals;
use std::time::Duration;

/// Where in `struct tcp_info` things are: microseconds, octets, packets, octets per second.
const RTT: usize = 68;
const SEND_MSS: usize = 16;
const WINDOW: usize = 80;
const LEAST_RTT: usize = 148;
const DELIVERED: usize = 160;

fn word(octets: &[u8], at: usize) -> Option<u64> {
    Some(u32::from_ne_bytes(octets.get(at..at + 4)?.try_into().ok()?).into())
}

/// What `struct tcp_info` says: the rate at which was delivered is the least that the narrowest link has; a window each round trip is what
/// the connection may have.
fn read(info: &[u8]) -> Option<Fundamentals> {
    let (rtt, mss, window) = (word(info, RTT)?, word(info, SEND_MSS)?, word(info, WINDOW)?);
    if rtt == 0 {
        return None;
    }
    let delivered = info.get(DELIVERED..DELIVERED + 8).and_then(|octets| octets.try_into().ok());
    let delivered = delivered.map(u64::from_ne_bytes).filter(|rate| *rate > 0).map(|rate| rate * 8);
    let window = window * mss * 8 * 1_000_000 / rtt;
    let least = word(info, LEAST_RTT).filter(|least| *least > 0).unwrap_or(rtt);
    Some(Fundamentals {
        bottleneck_bps: delivered,
        available_bps: delivered.map(|delivered| delivered.max(window)),
        round_trip_us: Some(least.max(u64::try_from(Duration::from_micros(1).as_micros()).unwrap_or(1))),
        by: "tcp".to_owned(),
    })
}

/// What a connection knows, by its cookie and its peer's port.
pub(super) fn look(cookie: u64, port: u16) -> Option<Fundamentals> {
    let mut names = SocketNames::open().ok()?;
    let info = names.tcp_info(port, cookie).ok()??;
    read(&info)
}
