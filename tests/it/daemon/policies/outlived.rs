//! A daemon that is killed: policies go on marking, the next one goes on with them, and `--clean` leaves nothing.

use super::*;
use nix::sys::signal::Signal;

impl Site {
    fn with_pins(&mut self, test: &str) -> String {
        let pins = self.net.bpffs().join(test);
        let folder = pins.display().to_string();
        self.config("a", "").replace("pins = \"\"", &format!("pins = \"{folder}\""))
    }
}

#[test]
fn policies_outlive_their_daemon_and_the_next_one_goes_on_with_them() {
    let Some(mut site) = Site::without_daemon("policies_outlived") else { return };
    let config = site.with_pins("kept");
    site.net.daemon_with_cgroups("a", &config);
    site.say("a", "curl", &policy("curl", &format!("app = \"{CURL}\""), "dscp = \"ef\", rate = \"50mbit\""));
    site.serves(8100);
    let capture = site.captures();
    site.fetches(CURL, 8100, &[]);
    let first = site.sent(&capture, 8100, 0).len();
    site.net.signal("a", Signal::SIGKILL);
    site.net.ended("a");
    // Nobody is there, and new connections are marked.
    site.fetches(CURL, 8100, &[]);
    let second = first + site.sent(&capture, 8100, first).len();
    site.net.daemon_with_cgroups("a", &config);
    site.fetches(CURL, 8100, &[]);
    site.sent(&capture, 8100, second);
    let packets = seen(&capture, 8100);
    assert_eq!(dscps(&packets, 8100), [46], "{packets:#?}");
    let report = site.refreshed("a");
    let counted = report["policies"][0]["packets"].as_u64().expect("a number");
    let sent = packets.iter().filter(|packet| packet.ports.1 == 8100).count() as u64;
    // The last words of three connections are of no socket any more.
    assert!(counted + 3 >= sent && counted <= sent, "{counted} of {sent}");
    site.net.signal("a", Signal::SIGKILL);
    site.net.ended("a");
    let clean = || {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{}", site.net.namespace("a"))).arg(crate::programs::rsvpd());
        command.arg("--config").arg(site.net.file("a.toml")).arg("--clean");
        String::from_utf8(command.output().expect("it runs").stdout).expect("text")
    };
    let said = clean();
    assert!(said.contains("maps of the egress program") && said.contains("to-b"), "{said}");
    assert!(clean().contains("nothing was left"));
    site.fetches(CURL, 8100, &[]);
    assert_eq!(dscps(&site.sent(&capture, 8100, packets.len()), 8100), [0]);
    assert!(!site.net.file("bpffs").join("kept").exists());
}
