//! Stores (C1, C2): what is put, kept, found by hand and refused; and what another namespace does not see.

use super::*;

impl Site {
    fn ask(&self, request: &Value) -> Result<Value, Value> {
        self.net.client("a").ask(request.clone())
    }

    fn put(&self, store: &str, text: &str) -> Result<Value, Value> {
        self.ask(&json!({"request": "policy-put", "store": store, "text": text}))
    }

    /// Names of policies with their stores and DSCPs, the strongest first.
    fn listed(&self) -> Vec<(String, String, u64)> {
        let report = self.ask(&json!({"request": "policy-list"})).expect("a listing");
        let of = |row: &Value| {
            let text = |key: &str| row[key].as_str().expect("a text").to_owned();
            (text("name"), text("store"), row["dscp"].as_u64().expect("a DSCP"))
        };
        report["policy"]["policies"].as_array().expect("policies").iter().map(of).collect()
    }
}

fn row(name: &str, store: &str, dscp: u64) -> (String, String, u64) {
    (name.to_owned(), store.to_owned(), dscp)
}

#[test]
fn the_active_store_is_empty_after_a_restart_and_the_persistent_one_is_not() {
    let Some(mut site) = Site::new("policies_stores") else { return };
    let of = |dscp: u8| policy("one", "remote_port = 7600", &format!("dscp = {dscp}"));
    site.put("persistent", &of(10)).expect("kept");
    assert_eq!(site.listed(), [row("one", "persistent", 10)]);
    site.put("active", &of(12)).expect("kept");
    site.put("active", &policy("a name with / and ü", "remote_port = 7601", "dscp = 8")).expect("kept");
    // A user's and the computer's are two files, whatever they are called together.
    let of_user = "[[policy]]\nname = \"two\"\nuser = \"root\"\naction = { dscp = 4 }\n";
    site.put("active", of_user).expect("kept");
    site.put("active", &policy("root-two", "", "dscp = 6")).expect("kept");
    assert_eq!(site.listed().len(), 4);
    site.ask(&json!({"request": "policy-remove", "name": "two", "user": "root"})).expect("removed");
    site.ask(&json!({"request": "policy-remove", "name": "root-two"})).expect("removed");
    let other = row("a name with / and ü", "active", 8);
    assert_eq!(site.listed(), [other.clone(), row("one", "active", 12)]);
    // The same again takes the place of what was there.
    site.put("active", &of(14)).expect("kept");
    assert_eq!(site.listed(), [other, row("one", "active", 14)]);
    site.net.signal("a", nix::sys::signal::Signal::SIGTERM);
    assert!(site.net.ended("a").success());
    site.start("a", "");
    assert_eq!(site.listed(), [row("one", "persistent", 10)]);
    site.ask(&json!({"request": "policy-remove", "name": "one"})).expect("removed");
    assert!(site.listed().is_empty());
    let refused = site.ask(&json!({"request": "policy-remove", "name": "one"})).expect_err("it is gone");
    assert_eq!(refused["code"], "not-found");
}

#[test]
fn what_cannot_be_used_is_refused_with_its_place() {
    let Some(site) = Site::new("policies_refused") else { return };
    let cases = [
        (policy("x", "", "dscp = 64"), "policy:4:19: \"64\""),
        (policy("x", "", "rate = \"fast\""), "policy:4:19: "),
        (policy("x", "", ""), "policy:4:10: a policy without an action"),
        (
            policy("x", "local = \"10.0.0.1\", remote = \"::1\"", "dscp = 8"),
            "policy:3:9: local and remote address",
        ),
        (policy("x", "remote_port = 0", "dscp = 8"), "policy:3:25: "),
        (policy("x", "remote_port = \"7:6\"", "dscp = 8"), "policy:3:25: "),
        (policy("x", "ap = \"curl\"", "dscp = 8"), "policy:3:11: unknown field `ap`"),
        (policy("x", "app = \"a/b\"", "dscp = 8"), "policy:3:17: "),
        (policy("x", "protocol = \"icmp\"", "dscp = 8"), "policy:3:22: "),
        ("nonsense".to_owned(), "policy:1:"),
        (policy("x", "recursive = true, port = 80", "dscp = 8"), "policy:3:23: `recursive` is about a `url`"),
        (policy("x", "cgroup = \"/a/../b\"", "dscp = 8"), "policy:3:20: a cgroup is a path"),
        (policy("x", "cgroup = \"/cgroup.procs\"", "dscp = 8"), "a file of a cgroup, not one"),
        (policy("x", "url = \"http://a/\", unit = \"y.service\"", "dscp = 8"), "policy:3:9: a URL is for what a server"),
        (policy("x", "url = \"http://::1/\"", "dscp = 8"), "an IPv6 address in brackets"),
        (
            "[[policy]]\nname = \"x\"\nuser = \"root\"\nmatch = { url = \"http://a/\" }\naction = { dscp = 8 }\n".to_owned(),
            "policy:4:9: a URL is for what a server",
        ),
        (policy("x", "unit = \"not-there.service\"", "dscp = 8"), "unit not-there.service has no cgroup"),
        (
            "[[policy]]\nname = \"x\"\nuser = \"nobody-of-that-name\"\naction = { dscp = 8 }\n".to_owned(),
            "no user \"nobody-of-that-name\"",
        ),
    ];
    for (text, expected) in cases {
        let refused = site.put("active", &text).expect_err("it is refused");
        let message = refused["message"].as_str().expect("a message");
        assert!(message.contains(expected), "{text}: {message}");
        assert_eq!(refused["code"], "bad-policy");
    }
    assert!(site.listed().is_empty());
    // What was written by hand is changed by hand.
    site.say("a", "by-hand", &policy("by hand", "remote_port = 1", "dscp = 8"));
    let refused = site.ask(&json!({"request": "policy-remove", "name": "by hand"})).expect_err("refused");
    assert!(
        refused["message"].as_str().expect("a message").contains("by-hand.toml:1, which was written by hand")
    );
    // Neither is it written over, whatever the policies in it are called.
    let by_hand = policy("other name", "remote_port = 2", "dscp = 8");
    site.say("a", "web", &by_hand);
    let settings = "[settings]\ninbound_level = 1\n";
    for (request, expected) in [
        (policy("web", "remote_port = 1", "dscp = 8"), "web.toml was written by hand"),
        (policy("by hand", "remote_port = 1", "dscp = 8"), "by-hand.toml:1, which was written by hand"),
        ([&policy("x", "remote_port = 1", "dscp = 8"), settings].concat(), "has no [settings]"),
    ] {
        let refused = site.put("persistent", &request).expect_err("it is refused");
        assert!(refused["message"].as_str().expect("a message").contains(expected), "{refused}");
    }
    let web = site.store("a", "persistent").join("web.toml");
    assert_eq!(std::fs::read_to_string(&web).expect("it is there"), by_hand);
    std::fs::remove_file(&web).expect("removed");
    // Another file with nonsense takes nothing away.
    let report = site.say("a", "zz", "[[policy]\n");
    assert!(
        report["complaints"][0]["message"].as_str().expect("a message").contains("zz.toml:1:"),
        "{report:#}"
    );
    assert_eq!(site.listed(), [row("by hand", "persistent", 8)]);
}

#[test]
fn a_folder_is_checked_without_a_daemon() {
    let folder = std::env::temp_dir().join(format!("rsvp-check-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let text =
        [policy("good", "remote_port = 80", "dscp = 8"), policy("bad", "remote_port = 80", "dscp = \"efg\"")]
            .concat();
    std::fs::write(folder.join("some.toml"), text).expect("a file");
    let rsvp = crate::programs::folder().join("rsvp");
    let run = |arguments: &[&str]| {
        Command::new(&rsvp).args(["policy", "check"]).args(arguments).arg(&folder).output().expect("it runs")
    };
    let done = run(&[]);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.contains("some.toml:8:19: \"efg\"") && said.contains("usable policies: 1"), "{said}");
    let json: Value = serde_json::from_slice(&run(&["--json"]).stdout).expect("JSON");
    assert_eq!(json["usable"], 1);

    // A table in the place of an array, a URL of another kind, a number that is none of a DSCP; a file that is not text, one that is not there.
    let wrong = [
        ("[policy.web]\naction = { dscp = 8 }\n", "1:2: a policy begins with [[policy]]"),
        (&*policy("ftp", "url = \"ftp://a/\"", "dscp = 8"), "a URL is http:// or https://"),
        (&*policy("less", "remote_port = 80", "dscp = -1"), "expected a DSCP such as"),
    ];
    for (text, expected) in wrong {
        std::fs::write(folder.join("some.toml"), text).expect("a file");
        let said = String::from_utf8_lossy(&run(&[]).stdout).into_owned();
        assert!(said.contains("some.toml:") && said.contains(expected), "{said}");
    }
    std::fs::write(folder.join("some.toml"), [0xff, 0xfe]).expect("a file");
    let missing = folder.join("missing.toml");
    let done = run(&[missing.to_str().expect("text"), folder.join("some.toml").to_str().expect("text")]);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(
        said.contains("missing.toml: No such file") && said.contains("some.toml: stream did not contain"),
        "{said}"
    );
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[test]
fn two_daemons_in_two_namespaces_do_not_see_each_others_policies() {
    let Some(mut site) = Site::new("policies_namespaces") else { return };
    site.start("b", "");
    site.say("a", "of-a", &policy("of a", "remote_port = 7700", "dscp = 10"));
    site.say("b", "of-b", &policy("of b", "remote_port = 7700", "dscp = 12"));
    let capture = site.net.capture_many("b", "to-a", "udp");
    sends(&site.net, "10.0.1.1:4700", &format!("{SERVER}:7700"));
    site.net.within("b", || {
        let socket = UdpSocket::bind((SERVER, 4701)).expect("a socket");
        socket.send_to(b"hello", "10.0.1.1:7700").expect("sent");
    });
    assert_eq!([datagram(&capture, 4700, 7700, 1), datagram(&capture, 4701, 7700, 1)], [10, 12]);
    let ports = |node: &str| -> Vec<String> {
        let all = site.explained(node, &json!({"closed": true}));
        all.iter().map(|socket| socket["local"].as_str().expect("an address").to_owned()).collect()
    };
    assert_eq!(ports("a"), ["10.0.1.1:4700"]);
    assert_eq!(ports("b"), ["10.0.1.2:4701"]);
}

#[test]
fn a_users_store_is_for_that_user_alone_and_only_where_it_may_be() {
    let Some(mut site) = Site::without_daemon("policies_user_store") else { return };
    // The one user that is everywhere and has a home of its own in which this test may write.
    let folder = ".rsvp-test-policies";
    let home = PathBuf::from("/root").join(folder).join(std::process::id().to_string());
    std::fs::create_dir_all(&home).expect("a folder");
    let own = policy("own", "remote_port = 7800", "dscp = 10");
    let theirs = "[[policy]]\nname = \"theirs\"\nuser = \"nobody\"\naction = { dscp = 8 }\n[settings]\ninbound_level = 0\n";
    std::fs::write(home.join("own.toml"), [&own, theirs].concat()).expect("a file");
    // The values of the daemon's variables are not for users to read, and what a server answers is no user's.
    let path = policy("path", "app = \"/x/$PATH\"", "dscp = 8");
    let url = policy("url", "url = \"http://*/\"", "dscp = 8");
    std::fs::write(home.join("refused.toml"), [path, url].concat()).expect("a file");
    std::fs::write(home.join("long.toml"), "#".repeat(64 * 1024 + 1)).expect("a file");
    std::fs::write(home.join("stolen.toml"), policy("stolen", "", "dscp = 8")).expect("a file");
    std::os::unix::fs::chown(home.join("stolen.toml"), Some(1), None).expect("given away");
    let more = format!("users = [\"root\"]\nuser_folder = \"{folder}/{}\"\n", std::process::id());
    site.start("a", &more);
    let report = site.refreshed("a");
    std::fs::remove_dir_all(&home).expect("removed");
    let _ = std::fs::remove_dir(home.parent().expect("a folder"));
    let policies = report["policies"].as_array().expect("policies");
    let in_force: Vec<&Value> = policies.iter().filter(|policy| policy["fault"].is_null()).collect();
    assert_eq!(in_force.len(), 1, "{report:#}");
    assert_eq!(
        (&in_force[0]["name"], &in_force[0]["user"], &in_force[0]["store"]),
        (&json!("own"), &json!("root"), &json!("user"))
    );
    let said: Vec<&str> = report["complaints"]
        .as_array()
        .expect("complaints")
        .iter()
        .filter_map(|c| c["message"].as_str())
        .collect();
    assert_eq!(said.len(), 6, "{said:#?}");
    for expected in [
        "refused.toml:1:1: policy \"path\": /x/$PATH: a user's policies have the variables HOME and USER",
        "refused.toml:7:9: a policy for a URL is for what a server answers, which is no user's",
        "long.toml: a file of policies has 65536 octets at most here",
    ] {
        assert!(said.iter().any(|message| message.contains(expected)), "{expected}: {said:#?}");
    }
    assert!(said.iter().any(|message| message.contains("own.toml:7:8: ")), "{said:#?}");
    assert!(said.iter().any(|message| message.contains("settings are the computer's alone")), "{said:#?}");
    assert!(
        said.iter().any(|message| message.contains("stolen.toml: it does not belong to root")),
        "{said:#?}"
    );
}

#[test]
fn a_user_has_room_for_so_many_policies() {
    let folder = std::env::temp_dir().join(format!("rsvp-room-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten().expect("a user").name;
    let text: String = (0..300).map(|number| policy(&format!("p{number}"), "port = 1", "dscp = 8")).collect();
    std::fs::write(folder.join("all.toml"), &text).expect("a file");
    let stores = rsvpd::policies::store::Stores {
        users: vec![(user.clone(), folder.clone())],
        highest_dscp: 63,
        ..Default::default()
    };
    let loaded = stores.load(&[]);
    assert_eq!(loaded.policies.len(), 256);
    let [complaint] = &loaded.complaints[..] else { panic!("{:?}", loaded.complaints) };
    assert!(
        complaint.event == 16607 && complaint.message.contains("the last 44 are left out"),
        "{complaint:?}"
    );
    // Nor may one user's mistakes take the room of others' complaints.
    std::fs::write(folder.join("all.toml"), text.replace("dscp = 8", "dscp = 99")).expect("a file");
    assert_eq!(stores.load(&[]).complaints.len(), 64);
    std::fs::write(folder.join("all.toml"), "").expect("a file");
    (0..64).for_each(|number| std::fs::write(folder.join(format!("{number}.toml")), "").expect("a file"));
    let complaints = stores.load(&[]).complaints;
    assert!(complaints[0].message.contains("more than 64 files are not read"), "{complaints:?}");
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[test]
fn a_folder_that_comes_in_the_place_of_a_store_is_read() {
    let Some(site) = Site::new("policies_replaced") else { return };
    let folder = site.store("a", "persistent");
    site.say("a", "old", &policy("old", "remote_port = 7960", "dscp = 8"));
    assert_eq!(site.listed(), [row("old", "persistent", 8)]);
    for dscp in [10, 12] {
        let beside = site.net.file("beside.d");
        std::fs::create_dir(&beside).expect("a folder");
        let of = |dscp: u64| policy("new", "remote_port = 7961", &format!("dscp = {dscp}"));
        std::fs::write(beside.join("new.toml"), of(dscp)).expect("a file");
        std::fs::rename(&folder, site.net.file(&format!("before-{dscp}.d"))).expect("away");
        std::fs::rename(&beside, &folder).expect("in its place");
        let is = |dscp: u64| (site.listed() == [row("new", "persistent", dscp)]).then_some(());
        eventually("the new folder is read", || is(dscp));
        // And it is the one that is watched.
        std::fs::write(folder.join(".new"), of(dscp + 20)).expect("a file");
        std::fs::rename(folder.join(".new"), folder.join("new.toml")).expect("in its place");
        eventually("its change is read", || is(dscp + 20));
    }
}
