//! What an application that is a QoS socket cannot be, refused where the file says it.
//!
//! A QoS socket is a UDP socket, announces and asks by flowspecs without headers, and reserves by itself once there is a Path. So
//! that the same file means the same in the simulator and in a lab, what such a socket has no words for is not taken.

use super::error::ScenarioError;
use super::model::{Receiver, Scenario, Sender, Service, SessionId, Traffic};
use super::section::Section;

/// Protocol number of UDP.
const UDP: u8 = 17;
/// Octets of the largest headers, those of IPv6 and UDP, and some more for what a packet says of itself.
const LEAST_PACKET: u32 = 64;
/// Octets of the headers of UDP over IPv4 and over IPv6.
const HEADERS: [u64; 2] = [28, 48];
/// Packets a second of one sender, in real time.
const MOST_PACKETS: f64 = 2_000.0;

impl Scenario {
    pub(super) fn check_sending_socket(
        &self,
        section: &Section<'_>,
        sender: &Sender,
    ) -> Result<(), ScenarioError> {
        if !sender.socket {
            return Ok(());
        }
        self.check_socket(section, sender.session)?;
        let error = |key: &str, message: String| Err(section.error_at(key, message));
        let taken = |other: &&Sender| {
            other.socket
                && other.name != sender.name
                && (other.node, other.port) == (sender.node, sender.port)
        };
        if let Some(other) = self.senders.iter().find(taken) {
            return error(
                "port",
                format!("\"{}\" has a socket with this port there: take another one", other.name),
            );
        }
        if sender.adspec.is_none() {
            return error(
                "adspec",
                "a QoS socket always says what it offers: leave this out, or the socket".to_owned(),
            );
        }
        let traffic = sender.traffic;
        let largest = traffic.max_packet;
        if traffic.bucket < f64::from(largest) * 2.0 {
            let why = format!(
                "a socket sends packets of {largest}B at its rate: expected a bucket for two of them"
            );
            return error("bucket", why);
        }
        if traffic.rate_bps / 8.0 / f64::from(largest) > MOST_PACKETS {
            let why = format!(
                "a lab sends {MOST_PACKETS} packets a second of one socket at most: lower it, or raise `max_packet`"
            );
            return error("rate", why);
        }
        check_traffic(section, traffic)
    }

    pub(super) fn check_receiving_socket(
        &self,
        section: &Section<'_>,
        receiver: &Receiver,
    ) -> Result<(), ScenarioError> {
        if !receiver.socket {
            return Ok(());
        }
        self.check_socket(section, receiver.session)?;
        let port = |session: SessionId| self.sessions[session.0].port;
        let taken = |other: &&Receiver| {
            let same = (other.node, port(other.session)) == (receiver.node, port(receiver.session));
            other.socket && other.name != receiver.name && same
        };
        let sends = |other: &&Sender| {
            other.socket && (other.node, other.port) == (receiver.node, port(receiver.session))
        };
        let receivers = self.receivers.iter().filter(taken).map(|other| &other.name);
        if let Some(other) =
            receivers.chain(self.senders.iter().filter(sends).map(|other| &other.name)).next()
        {
            let why =
                format!("\"{other}\" has a socket with the session's port there: take another node or port");
            return Err(section.error_at("node", why));
        }
        if !receiver.wait_for_path {
            let why = "a QoS socket reserves once there is a Path: leave this out, or the socket";
            return Err(section.error_at("wait_for_path", why));
        }
        // RFC 2212: its TSpec is the sender's, where a QoS socket asks; it says R and S.
        for flow in receiver.request.iter().flat_map(|request| &request.flows) {
            let guaranteed = matches!(flow.service, Service::Guaranteed { .. });
            let senders = match flow.filters.is_empty() {
                true => self.senders_of(receiver.session),
                false => flow.filters.clone(),
            };
            let other =
                senders.iter().map(|id| &self.senders[id.0]).find(|sender| sender.traffic != flow.traffic);
            if !guaranteed {
                check_traffic(section, flow.traffic)?;
            }
            if let (true, Some(sender)) = (guaranteed, other) {
                let why = format!(
                    "a QoS socket asks for Guaranteed service with what the sender announces: expected rate, bucket, peak, \
                     min_packet and max_packet of \"{}\"; `reserve` and `slack` are its own",
                    sender.name
                );
                return Err(section.error_at("rate", why));
            }
        }
        Ok(())
    }

    fn check_socket(&self, section: &Section<'_>, session: SessionId) -> Result<(), ScenarioError> {
        let plan = &self.sessions[session.0];
        if plan.protocol == UDP && !plan.gpi {
            return Ok(());
        }
        let why =
            format!("a QoS socket of a lab is of UDP, and session \"{}\" is not: leave it out", plan.name);
        Err(section.error_at("socket", why))
    }
}

/// A flowspec has no headers, and whole octets per second: it has to be a way of saying this traffic, in both families.
fn check_traffic(section: &Section<'_>, traffic: Traffic) -> Result<(), ScenarioError> {
    let packet = u64::from(traffic.min_packet);
    if traffic.min_packet < LEAST_PACKET {
        let why = format!(
            "packets of a QoS socket have headers of up to 48B: expected \"{LEAST_PACKET}B\" at least"
        );
        return Err(section.error_at("min_packet", why));
    }
    // Of `packet` octets so many are the application's; its octets per second are whole with every so many bits per second.
    let steps = HEADERS.map(|headers| 8 * packet / gcd(8 * packet, packet - headers));
    let step = steps[0] / gcd(steps[0], steps[1]) * steps[1];
    for (key, bps) in [("rate", traffic.rate_bps), ("peak", traffic.peak_bps)] {
        if bps.is_finite() && (bps <= 0.0 || bps % step as f64 != 0.0) {
            let why = format!(
                "a QoS socket says whole octets per second, without headers: with a min_packet of {packet}B expected a \
                 multiple of \"{step}bit\""
            );
            return Err(section.error_at(key, why));
        }
    }
    Ok(())
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
