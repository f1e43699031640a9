//! What is refused in a configuration, and with which words; what is understood.

use super::*;

/// Reads a text as the file `rsvpd.toml`.
pub(super) fn parse(text: &str) -> Result<DaemonConfig, String> {
    DaemonConfig::parse(Path::new("rsvpd.toml"), text).map_err(|error| error.to_string())
}

fn wrong(text: &str) -> String {
    parse(text).unwrap_err()
}

#[test]
fn an_unknown_key_is_refused_with_its_place_and_a_suggestion() {
    let message = wrong("[interfaces]\nenabled = true\nrefesh = \"30s\"\n");
    assert!(message.starts_with("rsvpd.toml:3:1: unknown field `refesh`"), "{message}");
    assert!(message.ends_with("did you mean `refresh`?"), "{message}");
}

#[test]
fn a_wrong_value_is_refused_with_its_place() {
    let message = wrong("[interface.eth0]\nbandwidth = \"10\"\n");
    assert!(message.starts_with("rsvpd.toml:2:13: \"10\" has no unit, expected a rate such as"), "{message}");
    assert!(wrong("[interfaces]\nrefresh = \"0s\"\n").starts_with("rsvpd.toml:2:1: "));
    let route = "[[multicast_route]]\ngroup = \"10.0.0.1\"\nincoming = \"a\"\noutgoing = []\n";
    assert!(wrong(route).starts_with("rsvpd.toml:2:10: 10.0.0.1 is no multicast group"));
}

#[test]
fn policies_and_profiles_are_checked() {
    let refresh = wrong("[interfaces]\nrefresh = \"5s\"\n[policies]\nrefresh = \"0s\"\n");
    assert!(refresh.starts_with("rsvpd.toml:4:") && refresh.contains("1s at least"), "{refresh}");
    let profile = |line: &str| parse(&format!("[policies.profile.office]\n{line}\n"));
    for (line, expected) in [
        ("interfaces = [\"eth*0\"]", "\"eth*0\" is no interface"),
        ("interfaces = [\"\"]", "\"\" is no interface"),
        ("interfaces = [\"a-name-that-is-too-long\"]", "up to 15 characters"),
        ("gateways = [\"10.0.0.1\"]", "\"10.0.0.1\" is no link-layer address"),
        ("gateways = [\"02:00:00:00:00\"]", "is no link-layer address"),
        ("gateways = [\"02:00:00:00:00:0g\"]", "is no link-layer address"),
    ] {
        let message = profile(line).unwrap_err();
        assert!(message.starts_with("rsvpd.toml:2:") && message.contains(expected), "{message}");
    }
    let sound = "interfaces = [\"eth0\", \"wl*\", \"*\"]\ngateways = [\"02:00:00:00:0A:01\"]\n";
    assert!(profile(sound).is_ok());
    assert!(parse("[policies]\nrefresh = \"1s\"\n").is_ok());
}

#[test]
fn places_are_those_that_counting_gives() {
    let text: String = (0..3_000).map(|n| if n % 7 == 0 { "ä\n" } else { "xyz€" }).collect();
    let places = Places::new(&text);
    for at in (0..text.len()).step_by(97).chain([text.len()]) {
        let before = &text[..text.floor_char_boundary(at)];
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        assert_eq!(places.of(at), (before.matches('\n').count() + 1, column), "{at}");
    }
}

#[test]
fn a_value_of_the_wrong_kind_is_told_what_is_expected() {
    let cases = [
        ("[interfaces]\nbandwidth = 10\n", "a rate in quotes, such as \"10mbit\""),
        ("[interfaces]\nreservable = 0.75\n", "such as \"75%\""),
        ("[interfaces]\nrefresh = 30\n", "a time in quotes, such as \"30s\""),
        ("[interfaces]\nslew_max = 30\n", "such as \"30%\""),
        ("interfaces = 3\n", "a table: [interfaces]"),
        ("[interface]\neth0 = \"10mbit\"\n", "[interface.eth0]"),
        ("control = \"/run/x\"\n", "a table: [control]"),
        ("[control]\nmode = 660\n", "such as \"0660\""),
    ];
    for (text, expected) in cases {
        let message = wrong(text);
        assert!(message.contains(expected) && !message.contains("struct"), "{text}: {message}");
    }
}

#[test]
fn a_log_level_that_is_none_is_refused() {
    assert!(wrong("log = \"debgu\"\n").starts_with("rsvpd.toml:1:1: \"debgu\" is no log level"));
    for sound in ["debug", "INFO", "off", "warn,rsvp_node=trace", "rsvpd::driver=debug", "3"] {
        let text = format!("log = \"{sound}\"");
        assert!(DaemonConfig::parse(Path::new("rsvpd.toml"), &text).is_ok(), "{sound}");
    }
}

#[test]
fn an_interface_overrides_what_holds_for_all() {
    let text = "[interfaces]\nrefresh = \"5s\"\nreservable = \"50%\"\n[interface.eth0]\nrefresh = \"1s\"\n";
    let config = DaemonConfig::parse(Path::new("rsvpd.toml"), text).unwrap();
    let eth0 = config.of_interface("eth0");
    assert_eq!(eth0.refresh, Some(Span(Duration::from_secs(1))));
    assert_eq!(eth0.reservable, Some(Reservable::Share(0.5)));
    assert_eq!(config.of_interface("eth1").refresh, Some(Span(Duration::from_secs(5))));
}

#[test]
fn a_unit_of_zero_is_refused_where_the_file_says_so() {
    let strict = |text| {
        let config = DaemonConfig::parse(Path::new("rsvpd.toml"), text).unwrap();
        config.of_engine([1, 2]).strict_tspec
    };
    assert!(!strict("") && !strict("node.strict_tspec = false") && strict("node.strict_tspec = true"));
    assert!(wrong("[node]\nstrict_tspec = 1\n").starts_with("rsvpd.toml:2:16: "));
}

#[test]
fn timers_and_bounds_that_cannot_work_are_refused_with_their_place() {
    for (text, expected) in [
        ("[interfaces]\nrefresh = \"0s\"\n", "rsvpd.toml:2:1: a refresh period of 0ns is too short"),
        ("[interface.a]\nrefresh = \"99ms\"\n", "rsvpd.toml:2:1: a refresh period of 99ms is too short"),
        ("[interfaces]\nlifetime_multiplier = 0\n", "rsvpd.toml:2:1: a multiplier of zero"),
        ("[interfaces]\nlifetime_multiplier = 65\n", "rsvpd.toml:2:1: 65 periods"),
        ("[node]\nblockade_multiplier = 1000000\n", "rsvpd.toml:2:1: 1000000 periods"),
        ("[node]\nttl = 0\n", "rsvpd.toml:2:1: a TTL of zero"),
        ("[limits]\nqueue = 0\n", "rsvpd.toml:2:1: 0 would send no error"),
        ("[limits]\nqueue = 4294967295\n", "rsvpd.toml:2:1: 4294967295 is more than memory could hold"),
        ("[limits]\nneighbours_per_interface = 1\n", "rsvpd.toml:2:1: 1 tells nobody apart"),
        ("[limits]\nneighbours_per_interface = 65537\n", "rsvpd.toml:2:1: 65537 is more than"),
        ("[limits]\nstate_octets = 4096\n", "rsvpd.toml:2:1: 4096 octets, divided among"),
        ("[limits]\nstate_octets = 1099511627777\n", "rsvpd.toml:2:1: 1099511627777 is more than"),
        ("[limits]\nsessions = 0\n", "rsvpd.toml:2:1: 0 would leave no session for anybody: 1 to 16777216"),
        ("[limits]\nsessions = 16777217\n", "rsvpd.toml:2:1: 16777217 is more than memory could hold"),
        ("[limits]\nsenders_per_session = 0\n", "rsvpd.toml:2:1: 0 would leave no session with"),
        ("[limits]\nrequests_per_session = 0\n", "rsvpd.toml:2:1: 0 would leave no session with"),
        ("[limits]\nfilters_per_request = 4000000000\n", "rsvpd.toml:2:1: 4000000000 is more than"),
        // The place is that of the key, not of words about it.
        (
            "# sessions = many\nlimits.senders_per_session = 9\nlimits.sessions = 0 # sessions\n",
            "rsvpd.toml:3:8: 0 would",
        ),
        ("limits = { queue = 7, \"sessions\" = 0 }\n", "rsvpd.toml:1:24: 0 would"),
    ] {
        assert!(wrong(text).starts_with(expected), "{text}: {}", wrong(text));
    }
    parse("[limits]\nsessions = 16777216\nstate_octets = 1099511627776\nqueue = 1\nneighbours_per_interface = 65536\n").unwrap();
    parse("[interfaces]\nrefresh = \"100ms\"\nlifetime_multiplier = 64\n[node]\nttl = 1\n").unwrap();
}

#[test]
fn what_is_no_file_is_refused_and_not_waited_for() {
    let folder = std::env::temp_dir().join(format!("rsvpd-config-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let fifo = folder.join("fifo.toml");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for path in [&fifo, &folder, &PathBuf::from("/dev/zero")] {
        let message = DaemonConfig::load(Some(path)).unwrap_err().to_string();
        assert!(message.ends_with("no regular file"), "{message}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn nothing_has_to_be_said() {
    assert_eq!(DaemonConfig::parse(Path::new("rsvpd.toml"), "").unwrap(), DaemonConfig::default());
}
