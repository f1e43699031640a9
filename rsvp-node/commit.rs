//! The build script of the programs, each of which has a link to it: `RSVP_VERSION` is the version, in a release build from a git repository with the commit.
//!
//! Other builds do without: everything would be compiled again after each commit.

use std::process::Command;

fn main() {
    let git = |arguments: &[&str]| {
        let done = Command::new("git").args(arguments).output().ok()?;
        done.status.success().then(|| String::from_utf8_lossy(&done.stdout).trim().to_owned())
    };
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    // A package that was unpacked within somebody else's repository is not of that repository.
    let is_ours = is_release && git(&["ls-files", "--error-unmatch", "Cargo.toml"]).is_some();
    let commit = if is_ours { git(&["rev-parse", "--short=10", "HEAD"]) } else { None };
    let version = commit.map_or_else(|| version.clone(), |commit| format!("{version} ({commit})"));
    println!("cargo::rustc-env=RSVP_VERSION={version}");
    println!("cargo::rerun-if-changed=build.rs");
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|_| is_ours) {
        println!("cargo::rerun-if-changed={log}");
    }
}
