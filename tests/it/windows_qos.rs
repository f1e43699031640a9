//! The document about Generic QoS held against what it is about: every row of the checklist is there once, what it says
//! is done names tests that exist, and its numbers are those of the library.

use crate::conformance::{cells, quoted, sources, tests};
use rsvp_node::qos::{ErrorClass, ErrorValue, Status};
use std::fs;
use std::path::Path;

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/windows-qos.md");
    fs::read_to_string(path).expect("the document")
}

/// The rows of all tables, with how many cells they have.
fn rows(text: &str) -> impl Iterator<Item = Vec<String>> {
    text.lines().filter(|line| line.starts_with('|')).map(cells)
}

/// The ids of the checklist, in its order.
fn checklist() -> impl Iterator<Item = String> {
    [("S", 8), ("A", 62), ("B", 21), ("C", 24)]
        .into_iter()
        .flat_map(|(part, last)| (1..=last).map(move |n| format!("{part}{n}")))
}

/// The rows of the checklist.
fn listed(text: &str) -> Vec<Vec<String>> {
    let is_id = |cell: &str| cell.starts_with(['S', 'A', 'B', 'C']) && cell[1..].parse::<u8>().is_ok();
    rows(text).filter(|row| is_id(&row[0])).collect()
}

#[test]
fn every_row_of_the_checklist_is_there_once() {
    let ids: Vec<String> = listed(&document()).into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(ids, checklist().collect::<Vec<_>>());
    assert_eq!(ids.len(), 115);
}

#[test]
fn every_row_has_a_state_and_says_what_is_missing() {
    for row in listed(&document()) {
        let [id, capability, state, tests] = &row[..] else { panic!("four cells: {row:?}") };
        assert!(!capability.is_empty(), "{id}: what is it");
        let (word, missing) = state.split_once(": ").unwrap_or((state, ""));
        match word {
            "yes" => assert!(missing.is_empty() && !quoted(tests).is_empty(), "{id}: all of it, with tests"),
            "partial" => {
                assert!(!missing.is_empty() && !quoted(tests).is_empty(), "{id}: what is missing, tests")
            }
            "no" => assert!(!missing.is_empty() && tests.is_empty(), "{id}: what is missing, no tests"),
            other => panic!("{id}: state `{other}`"),
        }
    }
}

#[test]
fn every_named_test_exists_and_every_test_of_the_semantics_is_named() {
    let known = tests(&sources());
    let mut named = Vec::new();
    for row in listed(&document()) {
        for test in quoted(&row[3]) {
            let parts: Vec<_> = test.rsplitn(3, "::").collect();
            let bare = format!("{}::{}", parts[1], parts[0]);
            assert!(known.contains(&bare), "{}: there is no test `{test}`", row[0]);
            named.push(bare);
        }
    }
    for file in ["flowspec", "signalled", "reserved", "matching", "style", "malformed", "template", "get"] {
        let text = &sources()[&format!("tests/it/qos/{file}.rs")];
        let own = text.split("#[test]\nfn ").skip(1).filter_map(|after| after.split('(').next());
        let missing: Vec<_> = own.filter(|name| !named.contains(&format!("{file}::{name}"))).collect();
        assert!(missing.is_empty(), "{file}: no row names {missing:?}");
    }
}

#[test]
fn the_numbers_are_the_librarys() {
    let text = document();
    let of = |number: u32| {
        let number = number.to_string();
        let found: Vec<_> = rows(&text).filter(|row| row.len() == 3 && row[0] == number).collect();
        assert_eq!(found.len(), 1, "{number}");
        found[0][1].clone()
    };
    for code in 11005..=11031 {
        assert_eq!(Status(code).to_string(), of(code));
    }
    for class in (56100..=56700).step_by(100).map(ErrorClass) {
        assert_eq!(class.name().map(|name| format!("GQOS_{name}")), Some(of(class.0)));
    }
    let objects = (1000..=1004).chain(2001..=2004).chain(4001..=4005);
    assert!(objects.map(of).all(|name| name.starts_with("RSVP_") || name.starts_with("QOS_")));
    // Blocks of values that the document names in one row.
    for (first, last, name) in [(56811, 56837, "SETQOS"), (56841, 56844, "GETQOS"), (56851, 56856, "CHKQOS")]
    {
        assert!(text.contains(&format!("| {first} to {last} | GQOS_{name}_* |")), "{name}");
        let named = |value| ErrorValue(value).name().is_some_and(|found| found.starts_with(name));
        assert!((first..=last).all(named) && !named(first - 1) && !named(last + 1), "{name}");
    }
}

/// Every call of the interfaces is told of.
#[test]
fn every_call_is_told_of() {
    let text = document();
    let calls = [
        "WSAConnect WSAAccept WSAJoinLeaf WSAEnumProtocols WSADuplicateSocket WSAAsyncSelect WSAEventSelect",
        "WSAEnumNetworkEvents SIO_GET_QOS SIO_SET_QOS SIO_GET_GROUP_QOS SIO_SET_GROUP_QOS SIO_CHK_QOS FD_QOS",
        "FD_GROUP_QOS WSAGetQOSByName WSCInstallQOSTemplate WSCRemoveQOSTemplate WPUGetQOSTemplate",
        "TcRegisterClient TcDeregisterClient TcEnumerateInterfaces TcOpenInterface TcCloseInterface",
        "TcQueryInterface TcSetInterface TcAddFlow TcModifyFlow TcDeleteFlow TcAddFilter TcDeleteFilter",
        "TcEnumerateFlows TcGetFlowName TcQueryFlow TcSetFlow TcSetSocketFlow QOSCreateHandle QOSCloseHandle",
        "QOSStartTrackingClient QOSStopTrackingClient QOSAddSocketToFlow QOSSetFlow QOSQueryFlow QOSNotifyFlow",
        "QOSEnumerateFlows QOSRemoveSocketFromFlow QOSCancel",
    ];
    let told = &text[text.find("## From Winsock QoS to here").expect("that part")..];
    for call in calls.iter().flat_map(|line| line.split(' ')) {
        let word = told.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == call);
        assert!(word, "{call}");
    }
}
