//! For tests: assertions that say what was seen, with which seed, and leave the scenario and a capture of the run in files; and,
//! with feature `proptest`, strategies that draw worlds.

use crate::capture;
use crate::judge::Verdict;
use crate::scenario::ScenarioError;
use crate::world::World;
use core::time::Duration;
use std::fmt::Write;
use std::path::PathBuf;

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
        fail(world, &verdict.expected, Some(&verdict.seen));
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

#[track_caller]
fn fail(world: &mut World, what: &str, seen: Option<&str>) -> ! {
    let report = world.report();
    let mut said = format!("at {}: not so: {what}\n", world.now());
    let _ = match seen {
        Some(seen) => writeln!(said, "{seen}"),
        None => write!(said, "{}", report.state_text()),
    };
    let _ = writeln!(said, "scenario {}, seed {}, {}", report.scenario, report.seed, report.family);
    for (what, file) in [("again", leave(world, "toml")), ("capture", leave(world, "pcap"))] {
        let _ = match file {
            Ok(path) => writeln!(said, "{what}: {}", path.display()),
            Err(fault) => writeln!(said, "{what}: cannot be written: {fault}"),
        };
    }
    panic!("{said}");
}

/// Writes the scenario as it was so far, or a capture.
fn leave(world: &World, kind: &str) -> std::io::Result<PathBuf> {
    let folder = std::env::var_os("RSVP_SIM_FAILURES")
        .map_or_else(|| std::env::temp_dir().join("rsvp-sim-failures"), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    let scenario = world.scenario_so_far();
    let path = folder.join(format!("{}-{}-{}.{kind}", scenario.name, scenario.seed, std::process::id()));
    match kind {
        "toml" => std::fs::write(&path, scenario.to_toml())?,
        _ => capture::write(world.record(), std::io::BufWriter::new(std::fs::File::create(&path)?))?,
    }
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
