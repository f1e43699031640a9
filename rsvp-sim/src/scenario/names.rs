//! Names of numbers that scenario files and reports use.

use crate::facts::Fact;

/// Names of the error codes that messages and events carry.
pub(crate) const CODES: [(u64, &str); 15] = [
    (0, "confirmation"),
    (1, "admission-control"),
    (2, "policy-control"),
    (3, "no-path"),
    (4, "no-sender"),
    (5, "conflicting-style"),
    (6, "unknown-style"),
    (7, "conflicting-dest-ports"),
    (8, "conflicting-sender-ports"),
    (12, "service-preempted"),
    (13, "unknown-class"),
    (14, "unknown-ctype"),
    (20, "api"),
    (21, "traffic-control"),
    (22, "traffic-control-system"),
];

/// Names of the error values of admission control, the code they matter most for.
pub(crate) const ADMISSION_VALUES: [(u64, &str); 3] = [(1, "delay-bound"), (2, "bandwidth"), (3, "mtu")];

/// A number with its name, where it has one.
pub(crate) fn name_number(n: u64, names: &[(u64, &'static str)]) -> Fact {
    names.iter().find(|each| each.0 == n).map_or(Fact::Number(n), |each| Fact::Named(n, each.1))
}
