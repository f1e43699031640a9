//! The broken situations of docs/troubleshooting.md: each is made, and what the commands say names its cause and none of the others'.

use super::commands::CONFIG;
use super::eventually;
use super::net::Net;
use crate::programs;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

/// A situation, by the title that it has in the document.
struct Trouble {
    title: &'static str,
    /// Words that nothing says but where this is the cause.
    cause: &'static [&'static str],
    /// Who says what: a command and the node on which it runs.
    said: &'static [(&'static str, &'static str)],
}

const TROUBLES: [Trouble; 12] = [
    Trouble {
        title: "No route",
        cause: &["has no way to", "no route to"],
        said: &[
            ("send a", "10.0.1.2 has no way to 10.9.9.9"),
            ("send a", "no receiver has reserved: 10.0.1.2 has no way to 10.9.9.9"),
            ("watch a", "10.0.1.2 has no way to 10.9.9.9"),
            ("doctor a", "came back: 10.0.1.2 has no way to 10.9.9.9"),
        ],
    },
    Trouble {
        title: "A router that does not forward",
        cause: &["ip_forward is 0"],
        said: &[
            ("send a", "no receiver has reserved"),
            ("recv b", "no sender is there"),
            ("doctor r", "net.ipv4.ip_forward is 0"),
            ("log r", "net.ipv4.ip_forward is 0"),
        ],
    },
    Trouble {
        title: "One interface only",
        cause: &["where RSVP is off", "is the one by which it came"],
        said: &[
            ("send a", "no receiver has reserved"),
            ("recv b", "no sender is there"),
            ("watch r", "the way to 10.0.2.2 is to-b, where RSVP is off"),
            ("doctor r", "forwarded nowhere: the way to 10.0.2.2 is to-b, where RSVP is off"),
        ],
    },
    Trouble {
        title: "No daemon on the only router",
        cause: &["do not speak RSVP", "through routers without RSVP", "no rsvpd listens"],
        said: &[
            ("recv b", "some hops do not speak RSVP"),
            ("watch b", "some hops do not speak RSVP"),
            ("doctor b", "through routers without RSVP"),
            ("doctor r", "no rsvpd listens"),
        ],
    },
    Trouble {
        title: "The receiver filters its sender out",
        cause: &["that --filter names"],
        said: &[
            ("send a", "no receiver has reserved"),
            ("recv b", "10.0.1.1:4000"),
            ("recv b", "no sender is there that --filter names"),
        ],
    },
    Trouble {
        title: "Refused at the second hop",
        cause: &["Admission Control failure"],
        said: &[
            ("send a", "no receiver has reserved"),
            ("recv b", "Admission Control failure"),
            ("recv b", "found by 10.0.2.1"),
            ("watch r", "Admission Control failure"),
        ],
    },
    Trouble {
        title: "Packets larger than the path's MTU",
        cause: &["that are reserved for: they may be best effort"],
        said: &[
            (
                "send a",
                "packets of 1500B are larger than the 1300B that are reserved for: they may be best effort",
            ),
            ("recv b", "MTU 1300"),
        ],
    },
    Trouble {
        title: "A tunnel whose rate is its driver's invention",
        cause: &["is what its driver says"],
        said: &[("doctor r", "on tunnel is what its driver says"), ("log r", "is what a vxlan says")],
    },
    Trouble {
        title: "A firewall drops IP protocol 46",
        cause: &["IP protocol 46 is dropped"],
        said: &[
            ("send a", "no receiver has reserved"),
            ("recv b", "asks for"),
            ("doctor r", "IP protocol 46 is dropped: table inet filter, chain input"),
        ],
    },
    Trouble {
        title: "The receiver's host has no RSVP",
        cause: &["does not speak RSVP"],
        said: &[
            ("send a", "10.0.2.2 does not speak RSVP"),
            ("send a", "no receiver has reserved: 10.0.2.2 does not speak RSVP"),
            ("watch a", "10.0.2.2 does not speak RSVP"),
            ("doctor a", "came back: 10.0.2.2 does not speak RSVP"),
        ],
    },
    Trouble {
        title: "No receiver",
        cause: &["no application here takes part"],
        said: &[
            ("send a", "no receiver has reserved"),
            ("watch b", "10.0.1.1:4000"),
            ("doctor b", "announces udp 10.0.2.2:5000 to this host, and no application here takes part"),
        ],
    },
    Trouble {
        title: "A group without a route for its data",
        cause: &["the kernel has no multicast route for data", "has no `source`"],
        said: &[
            ("send a", "receivers have reserved: sending"),
            ("recv b", "no data"),
            ("doctor r", "is forwarded, but its data is not"),
            ("doctor r", "the kernel has no multicast route for data to 239.1.2.3 from 10.0.1.1"),
            ("log r", "has no `source`"),
        ],
    },
];

const SEND: &str = "send --to 10.0.2.2:5000 --from 10.0.1.1:4000 --rate 2mbit --wait 5s";
const RECV: &str = "recv --port 5000 --confirm --wait 6s";

/// A network with commands that run on it.
struct Scene {
    net: Net,
    nodes: Vec<&'static str>,
    /// Those with a daemon.
    daemons: Vec<&'static str>,
    running: Vec<(String, Child)>,
    /// What was said so far, by whom.
    said: BTreeMap<String, String>,
}

impl Scene {
    fn new(net: Net, nodes: &[&'static str]) -> Self {
        Self { net, nodes: nodes.to_vec(), daemons: vec![], running: vec![], said: BTreeMap::new() }
    }

    fn three(title: &str) -> Option<Self> {
        Some(Self::new(Net::three_in_a_row(title)?, &["a", "r", "b"]))
    }

    /// Daemons, each with somebody who watches.
    fn daemons(&mut self, nodes: &[&'static str], config: &str) {
        for node in nodes {
            self.net.daemon(node, config);
            self.daemons.push(node);
            self.start(node, "watch");
            self.waits_for(node, "watch", "watching");
        }
    }

    /// Runs a command beside others; what it says is kept.
    fn start(&mut self, node: &str, arguments: &str) {
        let name = format!("{} {node}", arguments.split(' ').next().expect("a command"));
        let out = fs::File::create(self.net.file(&name)).expect("a file");
        let mut command = self.net.command(node, &programs::folder().join("rsvp").display().to_string());
        command.args(arguments.split(' ')).env("RSVP_SOCKET", self.net.socket(node)).stdin(Stdio::null());
        command.stderr(out.try_clone().expect("a file")).stdout(out);
        self.running.push((name, command.spawn().expect("rsvp starts")));
    }

    fn waits_for(&self, node: &str, command: &str, words: &str) {
        let file = self.net.file(&format!("{command} {node}"));
        eventually(words, || fs::read_to_string(&file).ok().filter(|text| text.contains(words)).map(drop));
    }

    /// A receiver that is there, and then a sender.
    fn flow(&mut self, recv: &str, send: &str) {
        self.start("b", recv);
        self.waits_for("b", "recv", "waiting for senders");
        self.start("a", send);
    }

    /// Listens to everybody.
    fn listen(&mut self) {
        for (name, _) in &self.running {
            let text = fs::read_to_string(self.net.file(name)).unwrap_or_default();
            self.said.insert(name.clone(), text);
        }
        for node in &self.daemons {
            // Bare words: the log puts its own around them.
            self.said.insert(format!("log {node}"), self.net.log(node));
        }
        for node in &self.nodes {
            let (_, said, complaint) = super::commands::run(&self.net, node, &["doctor"]);
            *self.said.entry(format!("doctor {node}")).or_default() += &(said + &complaint);
        }
    }

    /// Waits until all is said that belongs to a situation, has everybody end, and sees that nobody has named another one.
    fn is(mut self, title: &str) {
        let trouble = TROUBLES.iter().find(|trouble| trouble.title == title).expect("one of the twelve");
        let missing = |said: &BTreeMap<String, String>| -> Vec<&(&str, &str)> {
            let is_missing =
                |(who, words): &&(&str, &str)| said.get(*who).is_none_or(|text| !text.contains(words));
            trouble.said.iter().filter(is_missing).collect()
        };
        let mut left = vec![];
        let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            eventually("what is to be said", || {
                self.listen();
                left = missing(&self.said);
                left.is_empty().then_some(())
            });
        }));
        assert!(end.is_ok(), "{left:?} is missing in {:#?}", self.said);
        for (_, child) in &mut self.running {
            let _ = kill(Pid::from_raw(child.id() as i32), Signal::SIGINT);
            child.wait().expect("a child");
        }
        self.listen();
        for other in TROUBLES.iter().filter(|other| other.title != title) {
            for (who, text) in &self.said {
                let named = other.cause.iter().find(|words| text.contains(**words));
                assert_eq!(named, None, "{who} names \"{}\": {text}", other.title);
            }
        }
        if std::env::var_os("RSVP_SHOW").is_some() {
            eprintln!(
                "## {title}\n{}",
                self.said.iter().map(|(who, said)| format!("-- {who}\n{said}\n")).collect::<String>()
            );
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        for (_, child) in &mut self.running {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn the_document_has_each_situation_with_what_is_said() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/troubleshooting.md");
    let document = fs::read_to_string(path).expect("the document");
    let sections: BTreeMap<&str, &str> =
        document.split("\n## ").skip(1).filter_map(|section| section.split_once('\n')).collect();
    for trouble in &TROUBLES {
        let section =
            sections.get(trouble.title).unwrap_or_else(|| panic!("{} has no section", trouble.title));
        for (who, words) in trouble.said {
            assert!(section.contains(words), "{}: {who} says \"{words}\"", trouble.title);
            let (command, node) = who.split_once(' ').expect("a command and a node");
            assert!(
                section
                    .lines()
                    .any(|line| line.contains(&format!("`{command}` on {node}")) && line.contains(words)),
                "{}: who says \"{words}\"?",
                trouble.title
            );
        }
    }
}

#[test]
fn a_sound_network_has_none_of_them() {
    let Some(mut scene) = Scene::three("no trouble at all") else { return };
    scene.daemons(&["a", "r", "b"], CONFIG);
    scene.flow(RECV, SEND);
    scene.waits_for("a", "send", "receivers have reserved: sending");
    scene.waits_for("b", "recv", "packets, 0 lost");
    scene.listen();
    for trouble in &TROUBLES {
        for (who, text) in &scene.said {
            let named = trouble.cause.iter().find(|words| text.contains(**words));
            assert_eq!(named, None, "{who} names \"{}\": {text}", trouble.title);
        }
    }
    for node in ["a", "r", "b"] {
        assert!(!scene.said[&format!("doctor {node}")].contains("PROBLEM"), "{:?}", scene.said);
    }
}

#[test]
fn no_route() {
    let Some(mut scene) = Scene::three("no route") else { return };
    scene.daemons(&["a", "r", "b"], CONFIG);
    scene.start("a", &SEND.replace("10.0.2.2", "10.9.9.9"));
    scene.is("No route");
}

#[test]
fn no_forwarding() {
    let Some(mut scene) = Scene::three("a router that does not forward") else { return };
    ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"]
        .into_iter()
        .for_each(|name| scene.net.sysctl("r", name, "0"));
    scene.daemons(&["a", "r", "b"], CONFIG);
    scene.flow(RECV, SEND);
    scene.is("A router that does not forward");
}

#[test]
fn one_interface_only() {
    let Some(mut scene) = Scene::three("one interface only") else { return };
    scene.daemons(&["a", "b"], CONFIG);
    scene.daemons(&["r"], &format!("{CONFIG}[interface.to-b]\nenabled = false\n"));
    scene.flow(RECV, SEND);
    scene.is("One interface only");
}

#[test]
fn no_daemon_on_the_only_router() {
    let Some(mut scene) = Scene::three("no daemon on the only router") else { return };
    scene.daemons(&["a", "b"], CONFIG);
    scene.flow(RECV, SEND);
    scene.is("No daemon on the only router");
}

#[test]
fn a_filter_that_names_nobody() {
    let Some(mut scene) = Scene::three("a filter that names nobody") else { return };
    scene.daemons(&["a", "r", "b"], CONFIG);
    scene.flow(&format!("{RECV} --filter 10.0.1.1:4001"), SEND);
    scene.is("The receiver filters its sender out");
}

#[test]
fn refused_at_the_second_hop() {
    let Some(net) = Net::four_in_a_row("refused at the second hop") else { return };
    let mut scene = Scene::new(net, &["a", "r", "q", "b"]);
    scene.daemons(&["a", "q", "b"], CONFIG);
    scene.daemons(&["r"], &format!("{CONFIG}[interface.to-q]\nbandwidth = \"1mbit\"\n"));
    scene.flow(RECV, &SEND.replace("10.0.2.2", "10.0.3.2"));
    scene.is("Refused at the second hop");
}

#[test]
fn packets_that_are_too_large() {
    let Some(mut scene) = Scene::three("packets that are too large") else { return };
    for (node, interface) in [("r", "to-b"), ("b", "to-r")] {
        scene.net.ip(node, &format!("link set {interface} mtu 1300"));
    }
    scene.daemons(&["a", "r", "b"], CONFIG);
    scene.flow(RECV, &format!("{SEND} --max-packet 1500B"));
    scene.is("Packets larger than the path's MTU");
}

#[test]
fn a_tunnel_of_unknown_rate() {
    let Some(mut scene) = Scene::three("a tunnel of unknown rate") else { return };
    for (node, link, own, other) in [("r", "to-b", 1, 2), ("b", "to-r", 2, 1)] {
        let ends = format!("local 10.0.2.{own} remote 10.0.2.{other}");
        scene.net.ip(node, &format!("link add tunnel type vxlan id 7 dstport 4789 dev {link} {ends}"));
        scene.net.ip(node, &format!("addr add 10.7.0.{own}/24 dev tunnel"));
        scene.net.ip(node, "link set tunnel up");
    }
    scene.daemons(&["a"], CONFIG);
    let known = "[interfaces]\nrefresh = \"1s\"\n[interface.to-a]\nbandwidth = \"10mbit\"\n[interface.to-b]\nbandwidth = \"10mbit\"\n";
    scene.daemons(&["r"], known);
    scene.daemons(&["b"], &format!("{CONFIG}[interface.to-r]\nenabled = false\n"));
    scene.flow(&format!("{RECV} --address 10.7.0.2"), &SEND.replace("10.0.2.2", "10.7.0.2"));
    scene.waits_for("a", "send", "receivers have reserved: sending");
    scene.is("A tunnel whose rate is its driver's invention");
}

#[test]
fn a_firewall_in_the_way() {
    let Some(mut scene) = Scene::three("a firewall in the way") else { return };
    let chain = "add table inet filter; add chain inet filter input { type filter hook input priority 0; }; add rule inet filter input ip protocol 46 drop";
    scene.net.exec("r", &["nft", chain]);
    scene.daemons(&["a", "r", "b"], CONFIG);
    scene.flow(RECV, SEND);
    scene.is("A firewall drops IP protocol 46");
}

#[test]
fn a_receiver_without_rsvp() {
    let Some(mut scene) = Scene::three("a receiver without RSVP") else { return };
    scene.daemons(&["a", "r"], CONFIG);
    // Nobody asks a doctor there.
    scene.nodes.retain(|node| *node != "b");
    scene.start("a", SEND);
    scene.is("The receiver's host has no RSVP");
}

#[test]
fn no_receiver() {
    let Some(mut scene) = Scene::three("no receiver") else { return };
    scene.daemons(&["a", "r", "b"], CONFIG);
    scene.start("a", SEND);
    scene.is("No receiver");
}

#[test]
fn a_group_without_a_way_for_its_data() {
    let Some(mut scene) = Scene::three("a group without a way for its data") else { return };
    let route = "[[multicast_route]]\ngroup = \"239.1.2.3\"\nincoming = \"to-a\"\noutgoing = [\"to-b\"]\n";
    scene.daemons(&["a", "b"], CONFIG);
    scene.daemons(&["r"], &format!("{CONFIG}{route}"));
    scene.flow(&format!("{RECV} --group 239.1.2.3"), &SEND.replace("10.0.2.2", "239.1.2.3"));
    scene.is("A group without a route for its data");
}
