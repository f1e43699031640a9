//! How commands end: with which exit status, and what they refuse to write over.

use std::path::Path;
use std::process::{Command, Output};

fn shipped(name: &str) -> String {
    format!("{}/scenarios/{name}.toml", env!("CARGO_MANIFEST_DIR"))
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rsvp-sim")).args(arguments).output().expect("the command")
}

/// The exit status, and all that was said.
fn end(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = run(arguments);
    (status.code(), String::from_utf8([stdout, stderr].concat()).expect("text"))
}

/// A folder of this test's own, empty.
fn folder(name: &str) -> String {
    let folder = format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

#[test]
fn help_and_version_that_cannot_be_written_are_an_error() {
    let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    for arguments in [["--help"].as_slice(), &["--version"], &["help", "run"], &["search", "--help"]] {
        assert_eq!(run(arguments).status.code(), Some(0), "{arguments:?}");
        let output = Command::new(env!("CARGO_BIN_EXE_rsvp-sim"))
            .args(arguments)
            .stdout(full.try_clone().expect("a copy"))
            .output()
            .expect("the command");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains("cannot write to standard output"), "{arguments:?}: {said}");
    }
}

#[test]
fn a_journal_ends_as_it_did_or_early_or_is_none() {
    let folder = folder("journals");
    let journal = format!("{folder}/run.jsonl");
    let (code, said) = end(&["run", "--quiet", "--journal", &journal, &shipped("three-routers")]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = end(&["replay", &journal]);
    assert!(code == Some(0) && said.ends_with("all as they were\n"), "{code:?} {said}");

    let text = std::fs::read_to_string(&journal).expect("the journal");
    let replay = |text: &str| {
        let file = format!("{folder}/other.jsonl");
        std::fs::write(&file, text).expect("a file");
        end(&["replay", &file])
    };
    let thirty: String = text.split_inclusive('\n').take(30).collect();
    let (code, said) = replay(&thirty);
    assert!(code == Some(1) && said.contains("other.jsonl:31: the journal ends early"), "{code:?} {said}");
    let (code, said) = replay(thirty.get(..thirty.len() - 9).expect("less"));
    assert!(code == Some(1) && said.contains("other.jsonl:30: the journal ends early"), "{code:?} {said}");

    let changed = text.replacen("\"taken\"", "\"refused\"", 1);
    assert_ne!(changed, text);
    assert_eq!(replay(&changed).0, Some(1));
    let senseless = text.replacen("\n{", "\nno{", 1);
    for none in ["", "no journal\n", "{}\n", &senseless, &text.replacen("\"version\":2", "\"version\":9", 1)]
    {
        let (code, said) = replay(none);
        assert_eq!(code, Some(2), "{said}");
    }
    let (code, said) = end(&["replay", &shipped("three-routers")]);
    assert!(code == Some(2) && said.contains(":1: this is no journal"), "{code:?} {said}");
}

#[test]
fn no_output_overwrites_the_scenario_or_another_one() {
    let folder = folder("outputs");
    let scenario = format!("{folder}/over.toml");
    let text = std::fs::read(shipped("three-routers")).expect("a scenario");
    std::fs::write(&scenario, &text).expect("a copy");
    std::os::unix::fs::symlink("over.toml", format!("{folder}/link.svg")).expect("a link");
    for option in ["--journal", "--pcap", "--html", "--svg", "--csv", "--junit"] {
        for path in [scenario.clone(), format!("{folder}/../outputs/over.toml"), format!("{folder}/link.svg")]
        {
            let (code, said) = end(&["run", "--quiet", &scenario, option, &path]);
            assert_eq!(code, Some(2), "{option} {path}: {said}");
            let says = format!("{option} would overwrite the scenario");
            assert!(said.contains(&says), "{option} {path}: {said}");
        }
        assert_eq!(std::fs::read(&scenario).expect("it is there"), text, "{option}");
        let (code, said) = end(&["run", "--quiet", &scenario, option, "-"]);
        assert!(code == Some(2) && said.contains(&format!("{option} -: expected a file")), "{said}");
    }
    assert!(!Path::new("-").exists());
    let (one, again) = (format!("{folder}/one"), format!("{folder}/./one"));
    let (code, said) = end(&["run", "--quiet", &scenario, "--svg", &one, "--csv", &again]);
    assert!(code == Some(2) && said.contains("--csv would overwrite --svg"), "{code:?} {said}");
    assert!(!Path::new(&one).exists());
    let (code, said) = end(&["run", "--quiet", &scenario, "--svg", "/dev/null", "--csv", "/dev/null"]);
    assert_eq!(code, Some(0), "{said}");
}
