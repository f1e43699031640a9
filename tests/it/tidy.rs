//! The house rules that a machine can check: the walls between the parts, sizes of files and functions, names.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All Rust files below a folder of the repository, with their text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the repository") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).expect("UTF-8");
                found.push((path.strip_prefix(root()).expect("below the root").display().to_string(), text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no sources");
    found
}

/// The folders of the workspace's crates, but for these tests, as cargo knows them.
fn crates() -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo's JSON");
    let base = metadata["workspace_root"].as_str().expect("the root");
    let packages = metadata["packages"].as_array().expect("packages");
    let manifests = packages.iter().filter_map(|package| package["manifest_path"].as_str());
    let folders = manifests.filter_map(|path| path.strip_prefix(base)?.strip_suffix("/Cargo.toml"));
    let mut found: Vec<String> = folders.map(|folder| folder.trim_start_matches('/').to_owned()).collect();
    found.retain(|folder| folder != "tests");
    assert!(found.len() >= 8, "{found:?}");
    found
}

fn library_sources() -> Vec<(String, String)> {
    crates().iter().flat_map(|folder| sources(&format!("{folder}/src"))).collect()
}

/// The part of a file before its tests. Tests that are a file of their own are only named, and what stands behind that is looked at.
fn without_tests(text: &str) -> &str {
    const MARK: &str = "#[cfg(test)]\nmod ";
    let opens = |at: &usize| text[at + MARK.len()..].lines().next().is_some_and(|line| line.ends_with('{'));
    let begin = text.match_indices(MARK).map(|(at, _)| at).find(opens);
    begin.map_or(text, |begin| &text[..begin])
}

/// Lines of code that are no comments, with their numbers.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(n, line)| (n + 1, line)).filter(|(_, l)| !l.trim_start().starts_with("//"))
}

fn check_absent(folder: &str, words: &[&str], why: &str) {
    check_absent_but(folder, words, why, &[]);
}

fn check_absent_but(folder: &str, words: &[&str], why: &str, but: &[&str]) {
    // Files `testing.rs` and `tests.rs` are compiled for tests only.
    let only_tests = |name: &str| name.ends_with("testing.rs") || name.ends_with("/tests.rs");
    let excepted = |name: &str| but.iter().any(|start| name.starts_with(start));
    let files = sources(folder).into_iter().filter(|(name, _)| !excepted(name) && !only_tests(name));
    for (name, text) in files {
        for (n, line) in code(without_tests(&text)) {
            for word in words {
                assert!(!line.contains(word), "{name}:{n}: `{word}`: {why}");
            }
        }
    }
}

#[test]
fn the_engine_has_no_clock_socket_file_thread_or_randomness() {
    let words = [
        "std::time",
        "SystemTime",
        "std::net",
        "std::fs",
        "std::thread",
        "std::env",
        "std::io",
        "tokio",
        "async fn",
        "HashMap",
    ];
    check_absent("rsvp-node/src", &words, "the engine is driven, it does not reach out");
    check_absent(
        "rsvp-sim/src/world",
        &["std::time", "std::thread", "HashMap", "HashSet"],
        "worlds are deterministic",
    );
}

#[test]
fn state_does_not_know_procedures_and_only_the_drain_knows_the_queue_front() {
    check_absent(
        "rsvp-node/src/state",
        &["crate::process", "crate::engine", "crate::node"],
        "state knows no protocol",
    );
    check_absent(
        "rsvp-node/src/neighbour",
        &["crate::process", "crate::state", "crate::engine"],
        "who sent a message, and of which kind, is known before its grammar and its session",
    );
    check_absent(
        "rsvp-node/src/merge",
        &["crate::process", "crate::state", "crate::node"],
        "merging is arithmetic",
    );
    check_absent(
        "rsvp-node/src/process",
        &["crate::engine", "queue.front", "queue.pop"],
        "procedures queue, the drain takes",
    );
    for folder in ["rsvp-node/src/state", "rsvp-node/src/process", "rsvp-node/src/merge"] {
        check_absent(folder, &["with_flags", ".options"], "what is compared is a key of the engine's own");
    }
    // But for the encoder, which is behind a feature of its own and builds what a message is from JSON.
    let allocating = ["std::vec", "alloc::", "String", "Vec<"];
    check_absent_but("rsvp-wire/src", &allocating, "the wire does not allocate", &["rsvp-wire/src/encode/"]);
}

#[test]
fn the_engine_does_not_know_generic_qos_which_knows_only_what_it_shows() {
    check_absent_but(
        "rsvp-node/src",
        &["crate::qos", "qos::"],
        "the engine speaks RSVP; what applications mean is around it",
        &["rsvp-node/src/qos/"],
    );
    let within = [
        "config",
        "counters",
        "api",
        "engine",
        "event::",
        "host",
        "interface",
        "merge",
        "node",
        "process",
        "state",
    ];
    let within = within.map(|module| format!("crate::{module}"));
    let words: Vec<&str> = within.iter().map(String::as_str).chain(["tokio", "serde", "socket2"]).collect();
    check_absent("rsvp-node/src/qos", &words, "the semantics see messages, and the engine as everybody does");
}

#[test]
fn the_engine_writes_messages_in_one_place() {
    // But for a journal, which has objects of what goes into an engine, and sends nothing.
    check_absent_but(
        "rsvp-node/src",
        &["MessageWriter::new"],
        "what is in a message, and in which order, is decided by the composer",
        &["rsvp-node/src/composer.rs", "rsvp-node/src/journal/"],
    );
}

#[test]
fn only_the_engine_knows_which_extensions_there_are() {
    check_absent_but(
        "rsvp-node/src",
        &["crate::ext:", "crate::ext;", "super::ext:", "super::ext;"],
        "procedures see extensions by the trait in extension.rs",
        &["rsvp-node/src/ext/", "rsvp-node/src/engine.rs"],
    );
}

#[test]
fn dependencies_are_the_agreed_ones() {
    let allowed_below = |package: &str, features: &str, forbidden: &[&str]| {
        let tree = Command::new(env!("CARGO"))
            .args([
                "tree",
                "-p",
                package,
                "--no-default-features",
                "--features",
                features,
                "-e",
                "normal",
                "--prefix",
                "none",
                "--offline",
            ])
            .current_dir(root())
            .output()
            .expect("cargo runs");
        assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
        let tree = String::from_utf8(tree.stdout).expect("UTF-8");
        assert!(tree.contains("rsvp-wire"), "{tree}");
        for line in tree.lines() {
            let name = line.split(' ').next().unwrap_or_default();
            assert!(!forbidden.contains(&name), "{package} depends on {name}");
        }
    };
    let outside = [
        "tokio",
        "async-std",
        "smol",
        "futures",
        "mio",
        "socket2",
        "nix",
        "libc-net",
        "pnet",
        "rand",
        "rand_core",
        "getrandom",
        "fastrand",
        "oorandom",
        "quanta",
    ];
    allowed_below("rsvp-node", "", &outside);
    allowed_below("rsvp-sim", "", &outside);
    // The offline part of the command may read files and interfaces, but waits for nothing.
    allowed_below("rsvp-cli", "", &["tokio", "async-std", "smol", "futures", "mio", "rand", "nix"]);
    // Who builds worlds in a program of their own has no use for a command line.
    allowed_below("rsvp-sim", "", &["clap", "rsvp-client", "rsvpd", "pcap-parser"]);
    // Labs start the daemon as a program; the feature `client` alone has its control service within.
    allowed_below("rsvp-sim", "command,lab", &["rsvpd"]);
    allowed_below("rsvp-client", "", &["clap", "rsvpd", "netlink-sys", "rtnetlink"]);
    // A layer brings no server along.
    allowed_below("rsvp-http", "", &["clap", "rsvpd", "hyper", "hyper-util", "tower"]);
}

#[test]
fn unsafe_code_is_in_one_module_of_system_calls() {
    for (name, text) in library_sources().into_iter().filter(|(name, _)| !name.ends_with("/sys.rs")) {
        for (n, line) in code(&text) {
            let allowed = line.contains("allow(unsafe_code") || line.contains("expect(unsafe_code");
            assert!(!allowed, "{name}:{n}: what has no safe wrapper belongs into the program's `sys.rs`");
        }
    }
}

#[test]
fn files_are_short_and_open_with_what_they_are() {
    for (name, text) in library_sources() {
        assert!(text.starts_with("//! "), "{name} does not open with what it is");
        let lines = without_tests(&text).lines().count();
        assert!(lines <= 470, "{name} has {lines} lines before its tests: one idea each is the rule");
    }
}

#[test]
fn functions_are_short() {
    for (name, text) in library_sources() {
        let mut open: Option<(usize, usize, String)> = None;
        for (n, line) in text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let head = line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            let head = head.trim_start_matches("const ");
            match &open {
                None if head.starts_with("fn ") && !line.ends_with(';') && !line.ends_with('}') => {
                    open = Some((indent, n, head.to_owned()));
                }
                Some((at, start, head)) if indent == *at && line.trim() == "}" => {
                    let length = n - start + 1;
                    assert!(length <= 65, "{name}:{}: {length} lines: {head}", start + 1);
                    open = None;
                }
                Some((at, ..)) if indent == *at && line.ends_with(';') => open = None,
                _ => {}
            }
        }
    }
}

#[test]
fn names_say_what_things_are() {
    for (name, text) in library_sources() {
        let stem = Path::new(&name).file_stem().and_then(|s| s.to_str()).unwrap_or_default().to_owned();
        for word in ["util", "utils", "common", "helper", "helpers", "manager", "misc"] {
            assert_ne!(stem, word, "{name}");
        }
        for (n, line) in code(&text) {
            assert!(!line.contains("fn get_"), "{name}:{n}: a getter is named for what it gives");
            let unfinished = ["todo", "unimplemented"].iter().any(|word| line.contains(&format!("{word}!(")));
            assert!(!unfinished, "{name}:{n}: unfinished");
        }
    }
}
