//! For tests: assertions that say what was seen, with which seed, and leave the scenario and a capture of the run in files; and,
//! with feature `proptest`, strategies that draw worlds.
//!
//! The files are in the folder that the environment variable `RSVP_SIM_FAILURES` names, or else in `rsvp-sim-failures` in the folder
//! for temporary files. A scenario file has what was done to the world between steps as its actions, and the expectation that did
//! not hold; what it has no words for, as links that were cut or held and packets that were put in, is said at its beginning.

use crate::capture;
use crate::judge::Verdict;
use crate::scenario::{Scenario, ScenarioError};
use crate::world::World;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Assertions that failed in this process: tests run at the same time, and one may catch several failures.
static FAILURES: AtomicU64 = AtomicU64::new(1);

/// Asserts that an expectation holds now: the keys of an `[[expect]]` of a scenario file, but for `at`. State is that of now;
/// messages and events are those so far.
///
/// # Panics
///
/// It does not hold, or is no expectation.
#[track_caller]
pub fn expect(world: &mut World, keys: &str) {
    let verdict: Verdict = world.judge_now(keys).unwrap_or_else(|fault| panic!("{fault}"));
    if !verdict.held {
        fail(world, &verdict.expected, Some((keys, verdict.seen.as_str())));
    }
}

/// Asserts that something is so now.
///
/// # Panics
///
/// It is not, or cannot be asked.
#[track_caller]
pub fn assert_that(world: &mut World, what: &str, holds: impl FnOnce(&World) -> Result<bool, ScenarioError>) {
    let held = holds(world).unwrap_or_else(|fault| panic!("{fault}"));
    if !held {
        fail(world, what, None);
    }
}

/// Lets time pass until something is so, and asserts that it is before that time since the start is over.
///
/// # Panics
///
/// It is not, or cannot be asked.
#[track_caller]
pub fn assert_by(
    world: &mut World,
    deadline: Duration,
    what: &str,
    holds: impl FnMut(&World) -> Result<bool, ScenarioError>,
) {
    let held = world.run_until_that(holds, deadline).unwrap_or_else(|fault| panic!("{fault}"));
    if !held {
        fail(world, what, None);
    }
}

/// Panics with what did not hold; `expected` has the keys of an expectation and what was seen of it.
#[track_caller]
fn fail(world: &mut World, what: &str, expected: Option<(&str, &str)>) -> ! {
    let report = world.report();
    let headline = format!("at {}: not so: {what}", world.now());
    let missing = missing(world);
    let mut said = format!("{headline}\n");
    let _ = match expected {
        Some((_, seen)) => writeln!(said, "{seen}"),
        None => write!(said, "{}", report.state_text()),
    };
    let _ = writeln!(said, "scenario {}, seed {}, {}", report.scenario, report.seed, report.family);
    let scenario = world.scenario_so_far();
    let number = FAILURES.fetch_add(1, Ordering::Relaxed);
    let name = format!("{}-{}-{}-{number}", scenario.name, scenario.seed, std::process::id());
    let comments: Vec<&str> =
        core::iter::once(headline.as_str()).chain(missing.iter().map(String::as_str)).collect();
    let text = again(world, &scenario, &comments, expected.map(|(keys, _)| keys));
    let write_again = |path: &Path| std::fs::write(path, text);
    let write_capture =
        |path: &Path| capture::write(world.record(), std::io::BufWriter::new(std::fs::File::create(path)?));
    for (what, file) in [
        ("again", leave(&format!("{name}.toml"), write_again)),
        ("capture", leave(&format!("{name}.pcap"), write_capture)),
    ] {
        let _ = match file {
            Ok(path) => writeln!(said, "{what}: {}", path.display()),
            Err(fault) => writeln!(said, "{what}: cannot be written: {fault}"),
        };
    }
    for line in missing {
        let _ = writeln!(said, "{line}");
    }
    panic!("{said}");
}

/// What was done to a world for which scenario files have no words.
fn missing(world: &World) -> Vec<String> {
    let line = |(at, what): &(_, _)| format!("not in the scenario file: {what} at {at}");
    world.wordless().iter().map(line).collect()
}

/// The scenario as it was so far, as a file that says what did not hold, and expects it if it had the form of an expectation.
fn again(world: &World, scenario: &Scenario, comments: &[&str], keys: Option<&str>) -> String {
    let mut text = String::new();
    for line in comments.iter().flat_map(|comment| comment.lines()) {
        let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let _ = writeln!(text, "# {line}");
    }
    text.push_str(&scenario.to_toml());
    let Some(keys) = keys else { return text };
    let now = world.now().0;
    // State is looked at then, what happened up to then.
    let whens = [format!("at = \"{now}us\"\n"), format!("within = [\"0s\", \"{now}us\"]\n"), String::new()];
    let whole = |when: &String| format!("{text}\n[[expect]]\n{when}{keys}\n");
    let sound = whens.iter().map(whole).find(|text| Scenario::parse("", text.as_bytes()).is_ok());
    sound.unwrap_or(text)
}

/// Writes a file into the folder for what failed.
fn leave(name: &str, write: impl FnOnce(&Path) -> std::io::Result<()>) -> std::io::Result<PathBuf> {
    let folder = std::env::var_os("RSVP_SIM_FAILURES")
        .map_or_else(|| std::env::temp_dir().join("rsvp-sim-failures"), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(name);
    write(&path)?;
    Ok(path)
}

/// The worlds that `rsvp-sim search` draws, in which links fail, nodes crash and packets are lost, and applications come and go.
/// What fails is made smaller towards the first choice of everything.
#[cfg(feature = "proptest")]
pub fn worlds() -> impl proptest::strategy::Strategy<Value = crate::Scenario> {
    use crate::search::{Draw, scenario};
    use proptest::prelude::{Strategy, any};
    let octets = proptest::collection::vec(any::<u8>(), 60..600);
    (octets, 0u64..1 << 32).prop_map(|(octets, seed)| scenario(&mut Draw::octets(&octets), seed))
}

/// Trees of routers with a host behind each, `studio` at the root: the number of routers is drawn, and how they hang
/// together. Routers are `r0`, `r1` and so on, hosts `h0`, `h1`; links have 10 Mbit/s.
#[cfg(feature = "proptest")]
pub fn trees(
    routers: impl Into<proptest::collection::SizeRange>,
) -> impl proptest::strategy::Strategy<Value = crate::Builder> {
    use proptest::prelude::{Strategy, any};
    proptest::collection::vec(any::<proptest::sample::Index>(), routers).prop_map(|parents| {
        let mut built = World::builder().host("studio").router("r0").link("studio", "r0", |l| l);
        for (n, parent) in parents.iter().enumerate() {
            let router = format!("r{n}");
            if n > 0 {
                built = built.router(&router).link(format!("r{}", parent.index(n)), &router, |l| l);
            }
            let host = format!("h{n}");
            built = built.host(&host).link(&router, &host, |l| l);
        }
        built
    })
}
