//! The robustness property of the engine: whatever arrives, in whatever order, nothing panics, budgets add up, the data
//! plane has what the node says, and in the end nothing is left. What is promised is in `rsvp_fuzz::engine`.

use proptest::prelude::*;
use rsvp_fuzz::engine::engine_packets;
use std::fs;

#[test]
fn the_corpus_of_the_fuzzer() {
    let folder = format!("{}/../fuzz/corpus/engine_packets", env!("CARGO_MANIFEST_DIR"));
    let mut replayed = 0;
    for entry in fs::read_dir(&folder).expect(&folder) {
        let path = entry.expect(&folder).path();
        println!("{}", path.display());
        engine_packets(&fs::read(path).expect("a file"));
        replayed += 1;
    }
    assert!(replayed > 0, "{folder} is empty");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_script_keeps_every_promise(script in prop::collection::vec(any::<u8>(), 0..3000)) {
        engine_packets(&script);
    }
}
