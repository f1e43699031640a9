//! How messages travel: as raw IP datagrams, or encapsulated in UDP (RFC 2205 Appendix C). The keys `transport`, `udp_routers`
//! and `udp_ttl` of `[node]`, and `udp` of interfaces.
//!
//! What follows from them is deliberately the business of `daemon::udp`.

use super::DaemonConfig;
use serde::Deserialize;

/// What kind of host this is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// One that sends raw IP datagrams, and UDP beside them for hosts that need it: the RFC's Hr, or a router.
    #[default]
    Raw,
    /// One that can only send UDP: the RFC's Hu. It needs no privileges.
    Udp,
}

/// Whether hosts that can only send UDP are served on an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Udp {
    /// While a Path from one of them, on the link, is alive.
    Auto,
    /// Always, also those that are not on the link.
    On,
    /// Never: any user of a host on the link may send UDP, and so speak RSVP for that host.
    #[default]
    Off,
}

impl DaemonConfig {
    /// What does not fit together: a key to look for in the text, and what is wrong.
    pub(super) fn check_transport(&self) -> Result<(), (String, String)> {
        let wrong = |key: &str, message: &str| Err((key.to_owned(), message.to_owned()));
        let node = &self.node;
        if node.transport == Transport::Raw && !node.udp_routers.is_empty() {
            return wrong("udp_routers", "only a host with transport = \"udp\" sends to a router by UDP");
        }
        if let Some(ttl) = node.udp_ttl {
            if ttl == 0 {
                return wrong("udp_ttl", "a TTL of zero reaches nobody");
            }
            if node.udp_routers.is_empty() {
                return wrong("udp_ttl", "a TTL to reach a router needs the router: name it in udp_routers");
            }
        }
        if let Some(router) = node.udp_routers.iter().find(|r| r.is_multicast() || r.is_unspecified()) {
            return wrong(&router.to_string(), "a router has an address of its own, not a group's");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse;
    use super::*;

    #[test]
    fn what_does_not_fit_together_is_refused_with_its_place() {
        let cases = [
            ("[node]\nudp_routers = [\"10.0.0.1\"]\n", "rsvpd.toml:2:1: only a host with transport"),
            ("[node]\ntransport = \"udp\"\nudp_ttl = 3\n", "rsvpd.toml:3:1: a TTL to reach a router needs"),
            ("[node]\ntransport = \"udp\"\nudp_ttl = 0\n", "rsvpd.toml:3:1: a TTL of zero"),
            ("[node]\ntransport = \"udp\"\nudp_routers = [\"224.0.0.1\"]\n", "rsvpd.toml:3:17: a router has"),
            ("[node]\ntransport = \"tcp\"\n", "rsvpd.toml:2:13: unknown variant `tcp`"),
            ("[interfaces]\nudp = \"yes\"\n", "rsvpd.toml:2:7: unknown variant `yes`"),
        ];
        for (text, expected) in cases {
            let message = parse(text).unwrap_err();
            assert!(message.starts_with(expected), "{text}: {message}");
        }
    }

    #[test]
    fn an_interface_overrides_what_holds_for_all() {
        let config = parse("[interfaces]\nudp = \"off\"\n[interface.eth0]\nudp = \"on\"\n").unwrap();
        assert_eq!(config.of_interface("eth0").udp, Some(Udp::On));
        assert_eq!(config.of_interface("eth1").udp, Some(Udp::Off));
    }
}
