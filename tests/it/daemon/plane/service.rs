//! The shipped unit: with its user's capabilities and its mounts the daemon enforces, and flows outlive it. What takes systemd
//! itself (the dynamic user, the filter of system calls) is not tried here.

use super::super::eventually;
use super::super::net::Net;
use super::{SENDER, SESSION, compared, controlled_load, kernel, traffic};
use nix::sys::signal::Signal;
use std::process::Command;

const UNIT: &str = include_str!("../../../../packaging/rsvpd.service");
const PLAIN: &str =
    "[data_plane]\nkind = \"none\"\n[interfaces]\nbandwidth = \"100mbit\"\nrefresh = \"1s\"\n";

/// The values of a key, in their order.
fn values(key: &str) -> Vec<&'static str> {
    UNIT.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

/// Capabilities as `setpriv` has them: `+net_raw,+net_admin`.
fn capabilities(key: &str) -> String {
    let [all] = values(key)[..] else { panic!("one line of {key}") };
    let each = all.split(' ').map(|name| format!("+{}", name.trim_start_matches("CAP_").to_lowercase()));
    each.collect::<Vec<_>>().join(",")
}

/// The mounts of the unit in a mount namespace of its own, where the kernel's bpffs is the test's; then the program as a user.
fn as_the_unit_does(net: &Net, bpffs: &str, user: u32) -> Command {
    let prepare = values("ExecStartPre")
        .into_iter()
        .find_map(|line| line.strip_prefix("-+"))
        .expect("a folder for pins");
    let prepare = prepare.replace("chown -R rsvpd", &format!("chown -R {user}"));
    let [binds] = values("BindPaths")[..] else { panic!("one line of BindPaths") };
    let (from, to) = binds.trim_start_matches('-').split_once(':').expect("from:to");
    let folder = net.file("").display().to_string();
    let script = format!(
        "set -e; mount --make-rprivate /; mount --bind {bpffs} /sys/fs/bpf; chmod 0700 /sys/fs/bpf; {prepare}; \
         mount -t tmpfs tmpfs /run; mkdir {to}; mount --bind {from} {to}; mount --bind {folder} {folder}; \
         mount -o remount,bind,ro /; mount -o remount,bind,ro /sys; exec setpriv --reuid {user} --regid {user} --clear-groups \
         --no-new-privs --bounding-set -all,{bound} --inh-caps -all,{given} --ambient-caps -all,{given} \"$@\"",
        bound = capabilities("CapabilityBoundingSet"),
        given = capabilities("AmbientCapabilities"),
    );
    let mut command = net.command("r", "unshare");
    command.args(["--mount", "sh", "-c", &script, "sh"]).arg(net.program("rsvpd")).args(["--pins", to]);
    command
}

#[test]
fn what_the_unit_gives_is_enough_and_flows_outlive_the_daemon() {
    let Some(mut net) = Net::three_in_a_row("the unit") else { return };
    let start: Vec<&str> = values("ExecStart")[0].split(' ').collect();
    assert_eq!(start[1..], ["--pins", "/run/rsvpd-pins"]);
    assert_eq!((values("RestartKillSignal"), values("KillSignal")), (vec!["SIGUSR2"], vec![]));
    let bpffs = net.bpffs().display().to_string();
    let config = kernel("auto", "refresh = \"1s\"\n");
    ["a", "b"].iter().for_each(|node| net.daemon(node, PLAIN));
    let mut clients = Vec::new();
    // Another user each time, as a dynamic one may be.
    for (user, signal) in [(61_184, Signal::SIGUSR2), (61_185, Signal::SIGKILL), (61_186, Signal::SIGTERM)] {
        // The unit's runtime directory does not outlive a daemon.
        let _ = std::fs::remove_file(net.socket("r"));
        let command = as_the_unit_does(&net, &bpffs, user);
        net.daemon_by("r", &config, command);
        let found = net.client("r").list("flows");
        assert_eq!(found.len(), usize::from(user > 61_184), "{}", net.log("r"));
        if found.is_empty() {
            let (mut a, mut b) = (net.client("a"), net.client("b"));
            a.announce(SESSION, SENDER, &traffic(800_000, 20_000));
            b.hears(SESSION);
            b.ask_for(SESSION, "ff", &[SENDER], &controlled_load(800_000, 20_000));
            net.client("r").until("flows", 1);
            clients.extend([a, b]);
        }
        eventually("the flow is asked for", || {
            (net.client("r").list("flows")[0]["state"] == "installed").then_some(())
        });
        compared(&net, "r");
        let status = std::fs::read_to_string(format!("/proc/{}/status", net.pid("r"))).expect("a process");
        // CAP_NET_ADMIN is 12, CAP_NET_RAW 13: CAP_BPF and CAP_PERFMON are gone.
        for line in ["CapEff:\t0000000000003000", "CapPrm:\t0000000000003000", "CapBnd:\t"] {
            assert!(status.contains(line), "{line} in {status}");
        }
        assert!(status.contains(&format!("Uid:\t{user}\t{user}")), "{status}");
        assert!(!net.log("r").contains("do not outlive"), "{}", net.log("r"));
        net.signal("r", signal);
        net.ended("r");
    }
    let left = std::fs::read_dir(format!("{bpffs}/rsvpd")).expect("the unit's folder stays");
    assert_eq!(left.count(), 0, "{}", net.log("r"));
}
