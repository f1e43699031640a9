//! The programs under test, built once: `cargo test` of this package does not build another package's binaries.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The folder with the programs `rsvp`, `rsvpd` and `rsvp-sim`.
pub(crate) fn folder() -> &'static PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        // target/debug/deps/it-0123 -> target/debug
        let test = std::env::current_exe().expect("the test's own path");
        let folder = test.ancestors().nth(2).expect("a target folder").to_owned();
        built(&folder);
        folder
    })
}

/// The folder with the examples of the client library.
pub(crate) fn examples() -> PathBuf {
    folder().join("examples")
}

/// Has cargo build the programs and the examples into the folder of the test's own profile. With a test among what is built, and
/// for the whole workspace, cargo chooses the features that `cargo test --workspace` has chosen, and builds no library again.
fn built(folder: &Path) {
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--offline", "--workspace", "--features", "rsvp-sim/lab"]);
    build.args(["--bins", "--examples", "--test", "alloc", "--target-dir"]);
    build.arg(folder.parent().expect("a target folder"));
    if folder.ends_with("release") {
        build.arg("--release");
    }
    build.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    assert!(build.status().expect("cargo runs").success(), "the programs do not build");
}

/// The daemon.
pub(crate) fn rsvpd() -> PathBuf {
    folder().join("rsvpd")
}

/// The simulator, with labs.
pub(crate) fn rsvp_sim() -> PathBuf {
    folder().join("rsvp-sim")
}
