//! Templates at the daemon: they outlive programs and the daemon itself, base ones stay, and who may install them.

use super::super::commands::run;
use super::{Hosts, PATIENCE, RECEIVER, SENDER, receiving, tspec_of};
use nix::sys::signal::Signal;
use rsvp_client::qos::template::{BASE_NAMES, MOST_TEMPLATES};
use rsvp_client::qos::{Flowspec, Object, Qos, ServiceType, Status, Templates};
use rsvp_client::{ClientError, QosError, QosHost};
use rsvp_wire::MsgType;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

const TALK: &str = "# What we talk with.\nname = \"talk\"\n\n[sending]\nservice = \"controlled-load\"\ntoken_rate = 8500\n\
                    token_bucket_size = 680\nmax_sdu_size = 340\nminimum_policed_size = 340\n\n[receiving]\n\
                    service = \"controlled-load\"\n\n[[objects]]\nobject = \"friendly-name\"\nname = \"talk\"\n";

/// Hosts whose daemon at `a` keeps templates in a folder of the test's own.
struct Bed {
    hosts: Hosts,
    config: String,
}

impl Bed {
    fn new(test: &str) -> Option<Self> {
        let mut hosts = Hosts::new(test, super::CONFIG)?;
        let folder = hosts.net.file("templates");
        let config = format!("{}[qos]\ntemplates = \"{}\"\n", super::CONFIG, folder.display());
        hosts.net.signal("a", Signal::SIGTERM);
        hosts.net.ended("a");
        hosts.net.daemon("a", &config);
        Some(Self { hosts, config })
    }

    /// The daemon ends and starts anew.
    fn again(&mut self) {
        self.hosts.net.signal("a", Signal::SIGTERM);
        self.hosts.net.ended("a");
        self.hosts.net.daemon("a", &self.config);
    }

    fn rsvp(&self, arguments: &[&str]) -> (bool, String, String) {
        run(&self.hosts.net, "a", &[&["template"], arguments].concat())
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let file = self.hosts.net.file(name);
        std::fs::write(&file, text).expect("a file is written");
        file
    }

    /// Names that are not base ones.
    fn installed(&self) -> Vec<String> {
        let host = self.hosts.host("a");
        let rows = self.hosts.at("a", host.templates()).expect("a daemon that keeps templates");
        assert!(rows.iter().take(8).map(|row| row.name.as_str()).eq(BASE_NAMES), "the base ones first");
        assert!(rows.iter().all(|row| row.base == BASE_NAMES.contains(&row.name.as_str())));
        rows.into_iter().skip(8).map(|row| row.name).collect()
    }

    fn administrator(&self) -> QosHost {
        self.hosts.at("a", QosHost::connect(self.hosts.net.socket("a"))).expect("the control socket")
    }
}

#[test]
fn what_is_installed_outlives_programs_and_the_daemon() {
    let Some(mut bed) = Bed::new("templates that last") else { return };
    let (done, said, complaint) = bed.rsvp(&["list", "--json"]);
    let rows: Value = serde_json::from_str(&said).expect("JSON");
    assert!(done && rows.as_array().map(Vec::len) == Some(8), "{said} {complaint}");
    let file = bed.file("talk.toml", TALK).display().to_string();
    let (done, said, complaint) = bed.rsvp(&["install", &file]);
    assert!(done && said.contains("template talk is installed"), "{complaint}");
    assert_eq!(bed.installed(), ["talk"]);
    bed.again();
    assert_eq!(bed.installed(), ["talk"]);
    let host = bed.hosts.host("a");
    let qos = bed.hosts.at("a", host.template("TALK")).expect("in whichever case");
    let expected = Flowspec {
        token_rate: Some(8_500),
        token_bucket_size: Some(680),
        max_sdu_size: Some(340),
        minimum_policed_size: Some(340),
        ..Flowspec::of(ServiceType::ControlledLoad)
    };
    assert_eq!((qos.sending, qos.receiving), (expected, Flowspec::of(ServiceType::ControlledLoad)));
    assert_eq!(qos.objects, [Object::FriendlyName("talk".to_owned())]);
    // What is shown could be installed again.
    let (done, shown, complaint) = bed.rsvp(&["show", "talk"]);
    assert!(done, "{complaint}");
    let (done, table, _) = bed.rsvp(&["list"]);
    let line = table.lines().find(|line| line.trim_start().starts_with("talk ")).expect("its line");
    assert!(done && line.contains("installed") && line.contains("Controlled-Load 68kbit/s"), "{table}");
    // Another one in its place, under the same name.
    let file = bed.file("other.toml", &shown.replace("8500", "9000")).display().to_string();
    assert!(bed.rsvp(&["install", &file]).0);
    bed.again();
    let host = bed.hosts.host("a");
    assert_eq!(bed.hosts.at("a", host.template("talk")).expect("it").sending.token_rate, Some(9_000));
    let (done, said, complaint) = bed.rsvp(&["remove", "talk"]);
    assert!(done && said.contains("removed"), "{complaint}");
    assert!(bed.installed().is_empty());
    bed.again();
    assert!(bed.installed().is_empty());
    let (done, _, complaint) = bed.rsvp(&["show", "talk"]);
    assert!(!done && complaint.contains("there is no template \"talk\"; there are G711, "), "{complaint}");
}

#[test]
fn base_templates_stay_as_they_are_and_only_some_may_install() {
    let Some(bed) = Bed::new("who installs templates") else { return };
    let administrator = bed.administrator();
    let anybody = bed.hosts.host("a");
    let own = Templates::default().read("G711").expect("a base template");
    for name in BASE_NAMES {
        let refused = bed.hosts.at("a", administrator.remove_template(name)).expect_err("a base template");
        assert!(refused.to_string().contains("cannot be removed"), "{refused}");
        for name in [name.to_owned(), name.to_lowercase()] {
            let refused = bed.hosts.at("a", administrator.install_template(&name, &own)).expect_err("one");
            assert!(refused.to_string().contains("a base template, which says the same"), "{refused}");
        }
    }
    // Any user may look, and no more.
    assert_eq!(bed.hosts.at("a", anybody.template("g711")).expect("it is there"), own);
    for refused in [
        bed.hosts.at("a", anybody.install_template("mine", &own)),
        bed.hosts.at("a", anybody.remove_template("mine")),
    ] {
        let refused = refused.expect_err("any user's socket");
        let is = matches!(&refused, QosError::Daemon(ClientError::Refused(problem)) if problem.code == "not-permitted");
        assert!(is && refused.to_string().contains("control socket"), "{refused}");
    }
    let program = bed.hosts.net.program("rsvp").display().to_string();
    let file = bed.file("talk.toml", TALK).display().to_string();
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(bed.hosts.net.file(""), all).expect("a folder of the test's own");
    let mut command = bed.hosts.net.unprivileged("a");
    command.args([&program, "template", "install", &file]).env("RSVP_SOCKET", bed.hosts.net.socket("a"));
    let done = command.output().expect("setpriv runs");
    let complaint = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(!done.status.success() && complaint.contains("run as root"), "{complaint}");
    let mut command = bed.hosts.net.unprivileged("a");
    command.args([&program, "template", "list"]).env("RSVP_SOCKET", bed.hosts.net.socket("a"));
    let done = command.output().expect("setpriv runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(bed.installed().is_empty());
}

#[test]
fn a_bad_file_gets_its_line_and_bounds_hold() {
    let Some(mut bed) = Bed::new("bad templates") else { return };
    let cases = [
        (TALK.replacen("controlled-load", "voice", 1), ":5:11: unknown variant `voice`, expected one of"),
        (TALK.replace("token_rate", "tokenrate"), ":6:1: unknown field `tokenrate`"),
        (TALK.replace("8500", "0"), ":6:1: 11017 (WSA_QOS_EFLOWSPEC): a TokenRate is never zero"),
        (
            TALK.replace("max_sdu_size = 340", "max_sdu_size = 40"),
            ":8:1: 11017 (WSA_QOS_EFLOWSPEC): MaxSduSize is less",
        ),
        (TALK.replace("\"talk\"\n\n[send", "\"../talk\"\n\n[send"), ":2:1: \"../talk\": a name has 1 to 64"),
        ("name = \"talk\"\n".to_owned(), ":1:1: \"talk\": it says nothing of what is sent"),
    ];
    for (text, expected) in cases {
        let file = bed.file("bad.toml", &text).display().to_string();
        let (done, _, complaint) = bed.rsvp(&["install", &file]);
        assert!(!done && complaint.contains(&format!("bad.toml{expected}")), "{text}: {complaint}");
    }
    let (done, _, complaint) = bed.rsvp(&["install", "/nonexistent/talk.toml"]);
    assert!(!done && complaint.contains("/nonexistent/talk.toml"), "{complaint}");
    // Number and size.
    let administrator = bed.administrator();
    let own = Templates::default().read("G729").expect("a base template");
    let install = |name: &str, qos: &Qos| bed.hosts.at("a", administrator.install_template(name, qos));
    for nth in 0..MOST_TEMPLATES {
        install(&format!("t{nth:03}"), &own).expect("there is room");
    }
    let refused = install("one-more", &own).expect_err("one too many").to_string();
    assert!(refused.contains("100 templates are installed"), "{refused}");
    install("t099", &own).expect("in place of one");
    let refused = install("T099", &own).expect_err("alike").to_string();
    assert!(refused.contains("but for the case of letters"), "{refused}");
    let element = rsvp_client::qos::objects::policy::PolicyElement { element_type: 1, data: vec![0; 4096] };
    let large = Qos { objects: vec![Object::Policy(vec![element])], ..own };
    let refused = install("t000", &large).expect_err("too large").to_string();
    assert!(refused.contains("4096 octets at most"), "{refused}");
    // What somebody else has put into the folder is passed over, with its place in the log.
    let folder = bed.hosts.net.file("templates");
    std::fs::write(folder.join("t001.toml"), "name = \"t001\"\n[sending]\nservice = 3\n").expect("written");
    std::fs::rename(folder.join("t002.toml"), folder.join("x002.toml")).expect("renamed");
    std::fs::write(folder.join("notes.txt"), "none").expect("written");
    bed.again();
    let installed = bed.installed();
    assert_eq!(installed.len(), MOST_TEMPLATES - 2);
    assert!(!installed.contains(&"t001".to_owned()) && !installed.contains(&"t002".to_owned()));
    let log = bed.hosts.net.log("a");
    assert!(log.contains("t001.toml:3:11: ") && log.contains("call the file t002.toml"), "{log}");
}

#[test]
fn a_template_is_used_by_its_name_and_one_that_is_kept_nowhere_is_refused() {
    let Some(mut hosts) = Hosts::new("templates in use", super::CONFIG) else { return };
    let capture = hosts.net.capture("b", "to-a");
    let sender = hosts.bound("a", SENDER);
    let host = hosts.host("a");
    let template = hosts.at("a", host.template("G711")).expect("a base template");
    hosts.set(&sender, &Qos { receiving: Flowspec::default(), ..template });
    hosts.connect("a", &sender, RECEIVER);
    let tspec = tspec_of(&capture.first(MsgType::PATH));
    assert_eq!(
        (tspec.rate, tspec.bucket, tspec.peak, tspec.max_packet_size),
        (9_200.0, 708.0, 18_400.0, 368)
    );
    let receiver = hosts.bound("b", RECEIVER);
    hosts.set(&receiver, &receiving(ServiceType::ControlledLoad));
    hosts.told_of(&sender, Status::RECEIVERS);
    // Nowhere.
    let nowhere = format!("{}[qos]\ntemplates = \"\"\n", super::CONFIG);
    hosts.net.signal("b", Signal::SIGTERM);
    hosts.net.ended("b");
    hosts.net.daemon("b", &nowhere);
    let administrator = hosts.at("b", QosHost::connect(hosts.net.socket("b"))).expect("the control socket");
    let own = Templates::default().read("G729").expect("a base template");
    let refused =
        hosts.at("b", administrator.install_template("mine", &own)).expect_err("nowhere").to_string();
    assert!(refused.contains("`templates` in [qos]"), "{refused}");
    assert_eq!(hosts.at("b", administrator.templates()).expect("the base ones").len(), 8);
}

/// A daemon of an earlier release, which says in its greeting what it can do: by hand.
#[test]
fn an_older_daemon_is_told_from_one_that_keeps_templates() {
    let Some(hosts) = Hosts::new("an older daemon", super::CONFIG) else { return };
    let path = hosts.net.file("older.sock");
    let listener = UnixListener::bind(&path).expect("a socket");
    let serving = std::thread::spawn(move || {
        for can in ["[\"qos\"]", "[]"] {
            let (mut stream, _) = listener.accept().expect("a client");
            stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
            writeln!(stream, "{{\"version\":1,\"daemon\":\"rsvpd 0.0.9\",\"can\":{can}}}")
                .expect("it is read");
            // Until it has hung up.
            while BufReader::new(&stream).read_line(&mut String::new()).is_ok_and(|length| length > 0) {}
        }
    });
    let socket = path.display().to_string();
    let (done, _, complaint) = run(&hosts.net, "a", &["template", "list", "--qos-socket", &socket]);
    assert!(
        !done && complaint.contains("rsvpd 0.0.9 keeps no templates: install a newer rsvpd"),
        "{complaint}"
    );
    let (done, _, complaint) =
        run(&hosts.net, "a", &["send", "--to", RECEIVER, "--template", "g711", "--qos-socket", &socket]);
    assert!(
        !done && complaint.contains("rsvpd 0.0.9 takes no sockets: install a newer rsvpd"),
        "{complaint}"
    );
    serving.join().expect("both have come");
    // Nobody at all: the right socket is named.
    let (done, _, complaint) =
        run(&hosts.net, "a", &["template", "list", "--qos-socket", "/nonexistent/qos.sock"]);
    assert!(
        !done && complaint.contains("/nonexistent/qos.sock") && complaint.contains("RSVP_QOS_SOCKET"),
        "{complaint}"
    );
}
