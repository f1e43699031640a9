//! The maps that outlive the process, where they are pinned.

use super::sys::{self, FlowRecord, InterfaceRecord, KeyRecord, StateRecord};
use std::mem::size_of;

/// The maps, and the sizes of their keys and values.
pub(super) const MAPS: [(&str, usize, usize); 16] = [
    ("flows", size_of::<u32>(), size_of::<FlowRecord>()),
    ("states", size_of::<u32>(), size_of::<StateRecord>()),
    ("keys_v4", size_of::<KeyRecord<4>>(), size_of::<u32>()),
    ("keys_v6", size_of::<KeyRecord<16>>(), size_of::<u32>()),
    ("interfaces", size_of::<u32>(), size_of::<InterfaceRecord>()),
    ("fragments", sys::FRAGMENT, sys::TRANSPORT),
    ("filters", size_of::<sys::PatternRecord>(), size_of::<u32>()),
    ("masks", size_of::<u32>(), size_of::<sys::MasksRecord>()),
    ("rules", size_of::<u32>(), size_of::<sys::RulesRecord>()),
    ("socket_policy", size_of::<u32>(), sys::SOCKET_POLICY),
    ("policy_rules", size_of::<u32>(), size_of::<sys::PolicyRuleRecord>()),
    ("policy_settings", size_of::<u32>(), size_of::<sys::PolicySettingsRecord>()),
    ("policy_counts", size_of::<u32>(), size_of::<sys::PolicyCountRecord>()),
    ("policy_classes", size_of::<sys::PolicyPlaceRecord>(), size_of::<u32>()),
    ("decisions", size_of::<u64>(), size_of::<sys::DecisionRecord>()),
    ("policy_step", size_of::<u32>(), size_of::<u32>()),
];
