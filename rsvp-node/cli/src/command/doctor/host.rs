//! What the kernel of this host says in files, and its firewall in rules.

use super::firewall::Firewall;
use std::fs::read_to_string;
use std::path::Path;
use std::process::Command;
use tokio::net::UnixStream;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Host {
    pub(super) forwards_v4: bool,
    pub(super) forwards_v6: bool,
    /// Its rules, where there was a way to see them.
    pub(super) firewall: Option<Firewall>,
}

impl Host {
    pub(super) fn look() -> Self {
        let is_set = |path: &str| read_to_string(path).is_ok_and(|text| text.trim() != "0");
        let said = |program: &str, arguments: &[&str]| {
            let done = Command::new(program).args(arguments).output().ok()?;
            done.status.success().then(|| String::from_utf8_lossy(&done.stdout).into_owned())
        };
        // What nft shows has the rules of an iptables that is made of it.
        let nft = Firewall::of_nft(|arguments| said("nft", arguments));
        let iptables = || {
            let mut firewall = None;
            for (family, program) in [("ip", "iptables-save"), ("ip6", "ip6tables-save")] {
                if let Some(saved) = said(program, &[]) {
                    firewall.get_or_insert_with(Firewall::default).add_iptables(family, &saved);
                }
            }
            firewall
        };
        Self {
            forwards_v4: is_set("/proc/sys/net/ipv4/ip_forward"),
            forwards_v6: is_set("/proc/sys/net/ipv6/conf/all/forwarding"),
            firewall: nft.or_else(iptables),
        }
    }

    /// Whether what comes in on an interface is forwarded, as its own setting says. In IPv6 there is only that of all.
    pub(super) fn forwards_from(&self, interface: &str) -> bool {
        let path = format!("/proc/sys/net/ipv4/conf/{interface}/forwarding");
        read_to_string(path).map_or(self.forwards_v4, |text| text.trim() != "0")
    }

    /// Whether the reverse path filter of an interface is strict: the kernel takes the larger of this and that of all.
    pub(super) fn is_strict(&self, interface: &str) -> bool {
        let value = |of: &str| {
            let path = format!("/proc/sys/net/ipv4/conf/{of}/rp_filter");
            read_to_string(path).ok().and_then(|text| text.trim().parse::<u8>().ok()).unwrap_or(0)
        };
        value("all").max(value(interface)) == 1
    }
}

/// The process that listens on a control socket.
pub(super) async fn listener(socket: &Path) -> Option<i32> {
    UnixStream::connect(socket).await.ok()?.peer_cred().ok()?.pid()
}

/// The process that listens on a control socket, where it is seen to be in another network namespace than this one. Of another user's
/// process only root may see that.
pub(super) async fn in_another_namespace(socket: &Path) -> Option<i32> {
    let process = listener(socket).await?;
    let theirs = std::fs::read_link(format!("/proc/{process}/ns/net")).ok()?;
    (std::fs::read_link("/proc/self/ns/net").ok()? != theirs).then_some(process)
}
