//! Addresses and hosts as people write them on a command line: `10.0.2.2:5000`, `[fd00:2::2]:5000`, `video.example:5000`.
//!
//! A name is asked for once, when the command line is read; of several addresses the first counts, as for other programs.

use rsvp_wire::{FilterSpec, Session};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

const WITH_PORT: &str = "10.0.2.2:5000, [fd00:2::2]:5000 or video.example:5000";
const ALONE: &str = "10.0.2.2, fd00:2::2 or video.example";

/// A host with a port.
pub(super) fn host_and_port(text: &str) -> Result<SocketAddr, String> {
    if let Ok(found) = text.parse() {
        return Ok(found);
    }
    if text.parse::<IpAddr>().is_ok() || text.starts_with('[') && text.ends_with(']') {
        return Err(format!("\"{text}\" has no port: expected a host with a port, such as {WITH_PORT}"));
    }
    let expected = || format!("\"{text}\" is no host with a port, such as {WITH_PORT}");
    let (name, port) = text.rsplit_once(':').ok_or_else(expected)?;
    let port = port.parse().map_err(|_| expected())?;
    if !is_name(name) {
        return Err(expected());
    }
    Ok(SocketAddr::new(resolved(name)?, port))
}

/// Where data can be sent: one host, or a group.
pub(super) fn destination(text: &str) -> Result<SocketAddr, String> {
    let found = host_and_port(text)?;
    no_destination(found.ip(), found.port()).map_or(Ok(found), |why| Err(format!("{text} {why}")))
}

/// Why nothing can be sent there with a reservation.
fn no_destination(address: IpAddr, port: u16) -> Option<&'static str> {
    if address.is_unspecified() {
        return Some(
            "is no host: it stands for each address of this one; name the one that receives, such as 10.0.2.2",
        );
    }
    if address == IpAddr::V4(Ipv4Addr::BROADCAST) {
        return Some("is all hosts, for whom nothing can be reserved: name one, or a multicast group");
    }
    (port == 0).then_some("has the port 0, at which nobody receives: say the receiver's, from 1 to 65535")
}

/// A multicast group.
pub(super) fn group(text: &str) -> Result<IpAddr, String> {
    match host(text)? {
        group if group.is_multicast() => Ok(group),
        other => Err(format!("{other} is no multicast group: use --address for one of this host's")),
    }
}

/// A host.
pub(super) fn host(text: &str) -> Result<IpAddr, String> {
    match text.parse() {
        Ok(found) => Ok(found),
        Err(_) if is_name(text) => resolved(text),
        Err(_) => Err(format!("\"{text}\" is no host, such as {ALONE}")),
    }
}

/// A host's address, or the one that stands for all.
pub(super) fn host_or_any(text: &str) -> Result<IpAddr, String> {
    match text {
        "any" | "*" => Ok(Ipv6Addr::UNSPECIFIED.into()),
        other => match host(other) {
            Ok(IpAddr::V4(Ipv4Addr::BROADCAST)) => Err(format!(
                "{other} is the broadcast address, not that of a host; use `any` for every address of this host"
            )),
            found => found.map_err(|why| format!("{why}; `any` stands for each address of this host")),
        },
    }
}

/// A sender: a host, with the port of its data where that has one.
pub(super) fn sender(text: &str) -> Result<FilterSpec, String> {
    if let Ok(found) = text.parse() {
        return Ok(found);
    }
    let expected =
        || format!("\"{text}\" is no sender, such as 10.0.1.1:4000, [fd00:1::1]:4000 or camera.example:4000");
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) => (name, port.parse().map_err(|_| expected())?),
        None => (text, 0),
    };
    if !is_name(name) {
        return Err(expected());
    }
    Ok(FilterSpec::new(resolved(name)?, port))
}

/// A session: a protocol, and a host with the port where the protocol has some.
pub(super) fn session(text: &str) -> Result<Session, String> {
    let why = match text.parse() {
        Ok(found) => return Ok(found),
        Err(error) => format!("{error}; a host's name may stand in the place of its address"),
    };
    let Some((protocol, end)) = text.split_once(' ') else { return Err(why) };
    let (name, port) = end.rsplit_once(':').unwrap_or((end, ""));
    if !is_name(name) {
        return Err(why);
    }
    // Whether the rest makes sense is known before anybody is asked for the name.
    let with = |address: &str| match port {
        "" => format!("{protocol} {address}"),
        port => format!("{protocol} {address}:{port}"),
    };
    if with("10.0.2.2").parse::<Session>().is_err() {
        return Err(why);
    }
    let address = match resolved(name)? {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    with(&address).parse().map_err(|_| why)
}

/// A session that data can be received in, at any address of this host, too.
pub(super) fn own_session(text: &str) -> Result<Session, String> {
    let found = session(text)?;
    let address = match found.destination() {
        any if any.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        one => one,
    };
    // Whether a protocol has ports is known where the session is opened.
    no_destination(address, found.port().max(1)).map_or(Ok(found), |why| Err(format!("{text} {why}")))
}

/// A session that data can be sent to.
pub(super) fn announced_session(text: &str) -> Result<Session, String> {
    let found = session(text)?;
    no_destination(found.destination(), found.port().max(1))
        .map_or(Ok(found), |why| Err(format!("{text} {why}")))
}

/// Letters, digits, hyphens and dots, and not only what addresses are made of.
fn is_name(text: &str) -> bool {
    let of_names = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    text.chars().all(of_names) && text.chars().any(|c| c.is_ascii_alphabetic())
}

fn resolved(name: &str) -> Result<IpAddr, String> {
    let unknown = |why: String| {
        format!("no address of the host \"{name}\" is known ({why}): say its address, such as {ALONE}")
    };
    // The port is put in its place afterwards.
    let found = (name, 0).to_socket_addrs().map_err(|error| unknown(error.to_string()))?;
    found.map(|address| address.ip()).next().ok_or_else(|| unknown("it has none".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_themselves_and_names_are_asked_for() {
        assert_eq!(host_and_port("10.0.2.2:5000"), Ok("10.0.2.2:5000".parse().unwrap()));
        assert_eq!(host_and_port("[fd00::2]:5000"), Ok("[fd00::2]:5000".parse().unwrap()));
        let here = host_and_port("localhost:5000").unwrap();
        assert!(here.ip().is_loopback() && here.port() == 5000, "{here}");
        assert!(host("localhost").unwrap().is_loopback());
        assert_eq!(host_or_any("any"), Ok(Ipv6Addr::UNSPECIFIED.into()));
        assert!(sender("localhost:4000").unwrap().address().is_loopback());
        assert_eq!(
            sender("10.0.1.1 spi 0x7").map(|sender| sender.to_string()),
            Ok("10.0.1.1 spi 0x7".to_owned())
        );
        let found = session("udp localhost:5000").unwrap();
        assert!(found.destination().is_loopback() && found.port() == 5000, "{found}");
        assert!(session("proto47 localhost").unwrap().destination().is_loopback());
    }

    #[test]
    fn what_no_data_can_be_sent_to_is_told() {
        assert!(destination("10.0.2.2:5000").is_ok() && destination("239.1.2.3:5000").is_ok());
        for (text, words) in [
            ("0.0.0.0:5000", "stands for each address"),
            ("[::]:5000", "stands for each address"),
            ("255.255.255.255:5000", "is all hosts"),
            ("10.0.2.2:0", "has the port 0"),
        ] {
            let why = destination(text).expect_err(text);
            assert!(why.starts_with(text) && why.contains(words), "{why}");
        }
        assert!(group("239.1.2.3").is_ok());
        assert!(group("10.0.2.2").unwrap_err().contains("is no multicast group: use --address"));
        assert!(own_session("udp 0.0.0.0:5000").is_ok() && own_session("proto47 10.0.2.2").is_ok());
        assert!(announced_session("udp 0.0.0.0:5000").unwrap_err().contains("stands for each address"));
        assert!(announced_session("udp 255.255.255.255:5000").unwrap_err().contains("is all hosts"));
    }

    #[test]
    fn what_is_none_is_told_with_an_example() {
        for text in [
            "10.0.2.2",
            "fd00::2",
            "[fd00::2]",
            "10.0.2.300:5000",
            "localhost",
            "localhost:x",
            ":5000",
            "a b:1",
        ] {
            let why = host_and_port(text).expect_err(text);
            assert!(why.contains("10.0.2.2:5000, [fd00:2::2]:5000 or video.example:5000"), "{why}");
        }
        assert!(host_and_port("10.0.2.2").unwrap_err().contains("has no port"));
        assert!(host("10.0.2.2:5000").unwrap_err().contains("such as 10.0.2.2"));
        assert!(sender("4000").unwrap_err().contains("camera.example:4000"));
        for text in ["video", "udp localhost:x", "cow localhost:1"] {
            assert!(session(text).unwrap_err().contains("udp 10.0.2.2:5000"), "{text}");
        }
    }
}
