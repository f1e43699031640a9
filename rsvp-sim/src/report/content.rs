//! What a message, an event or a reservation says, in typed fields. They have the names of the fields of expectations
//! (SCENARIOS.md), with units where they have some; what does not apply is left out.

use crate::facts::{Fact, Facts};
use serde::Serialize;
use std::collections::BTreeSet;

/// Typed fields; rates are bits per second.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Content {
    /// The session's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The sender's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// `wf`, `ff` or `se`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub style: Option<String>,
    /// The senders that it is about; none for a wildcard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<BTreeSet<String>>,
    /// `controlled-load`, `guaranteed` or `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Token rate r.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_bps: Option<f64>,
    /// R of Guaranteed service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserve_bps: Option<f64>,
    /// What a reservation takes of its link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge_bps: Option<f64>,
    /// Flow descriptors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flows: Vec<Self>,
    /// Whether a confirmation is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm: Option<bool>,
    /// Senders in the SCOPE of a wildcard message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<BTreeSet<String>>,
    /// Error Code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u64>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_name: Option<&'static str>,
    /// Error Value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<u64>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_name: Option<&'static str>,
    /// The node that found the error, or that confirms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_node: Option<String>,
    /// `in-place`, `not-guilty`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flags: Option<BTreeSet<String>>,
    /// Why a path is gone: `torn` or `timed-out`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Whether a router without RSVP is on the path.
    #[serde(rename = "break", skip_serializing_if = "Option::is_none")]
    pub is_broken: Option<bool>,
}

impl Content {
    pub(crate) fn of(facts: &Facts) -> Self {
        let word = |name: &str| match facts.0.get(name) {
            Some(Fact::Word(word)) => Some(word.clone()),
            _ => None,
        };
        let words = |name: &str| match facts.0.get(name) {
            Some(Fact::Words(words)) => Some(words.clone()),
            _ => None,
        };
        let rate = |name: &str| match facts.0.get(name) {
            Some(Fact::Rate(bps)) => Some(*bps),
            _ => None,
        };
        let truth = |name: &str| match facts.0.get(name) {
            Some(Fact::Truth(is)) => Some(*is),
            _ => None,
        };
        let number = |name: &str| match facts.0.get(name) {
            Some(Fact::Number(number)) => (Some(*number), None),
            Some(Fact::Named(number, name)) => (Some(*number), Some(*name)),
            _ => (None, None),
        };
        let flows = match facts.0.get("flows") {
            Some(Fact::Records(flows)) => flows.iter().map(Self::of).collect(),
            _ => Vec::new(),
        };
        let ((code, code_name), (value, value_name)) = (number("code"), number("value"));
        Self {
            session: word("session"),
            sender: word("sender"),
            style: word("style"),
            filters: words("filters"),
            service: word("service"),
            rate_bps: rate("rate"),
            reserve_bps: rate("reserve"),
            charge_bps: rate("charge"),
            flows,
            confirm: truth("confirm"),
            scope: words("scope"),
            code,
            code_name,
            value,
            value_name,
            // Events call it just `node`.
            error_node: word("error_node").or_else(|| word("node")),
            flags: words("flags"),
            why: word("why"),
            is_broken: truth("break"),
        }
    }
}
