//! A shaper's own rate (A34).

use super::super::classes;
use super::super::seen::{amount, beyond};
use super::{Bed, paced_with, to_port};
use serde_json::json;

/// QOS_SHAPING_RATE: what is shaped leaves at that rate, slower or faster than the traffic's; all of it leaves.
#[test]
fn a_shaping_rate_takes_the_place_of_the_token_rate() {
    let Some(mut bed) = Bed::new("shaping rates", "overhead = 0\n") else { return };
    let before = bed.a.remaining("to-r");
    // 100 kB/s of traffic, shaped at half of that and at twice.
    for (place, rate) in [50_000_u64, 200_000].into_iter().enumerate() {
        let port = 5_000 + place as u16;
        let members = json!({"mode": "shape", "shaping_rate_bps": rate * 8});
        let flow = bed.a.flow("to-r", &paced_with(800_000, 5_000, &members));
        bed.a.filter(flow, &to_port(port));
        let report = bed.a.report_of(flow);
        assert_eq!(report["rate_bps"], rate * 8, "{report}");
        bed.send(4000, port, 40);
        let packets = bed.left(port, 40);
        let excess = beyond(&packets, rate, 5_000);
        assert!(excess <= 1_500.0, "{excess} octets more than the bucket at {rate}");
        // 35 kB beyond the bucket: a timer may be late, and is not early.
        let (octets, took) = amount(&packets[5..]);
        let measured = octets as f64 / took;
        assert!(measured <= rate as f64 * 1.1, "{measured} octets a second, not {rate}");
        let class = report["counted"]["class"].as_str().expect("a class of its own");
        let own = classes(&bed.net, "a", "to-r")
            .into_iter()
            .find(|(number, _)| number == class)
            .expect("it is there");
        let rates = format!("rate {0}Kbit ceil {0}Kbit", rate * 8 / 1_000);
        assert!(own.1.contains(&rates), "{rates}: {}", own.1);
    }
    // It takes the more of both: 100 kB/s of the first, 200 kB/s of the second.
    assert_eq!(bed.a.remaining("to-r"), before - 800_000 - 1_600_000);
}
