//! What the sockets of one user may have together, where programs of any user may ask.

use super::served::rate_of;
use super::wanted::{Wanted, failed};
use rsvp_control::Problem;
use rsvp_node::qos::marking::default_marks;
use rsvp_node::qos::{ErrorClass, ErrorValue, Object, Qos, ServiceType, Status};
use std::collections::BTreeMap;

/// Bounds of each user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Sockets.
    pub sockets: usize,
    /// What is announced and reserved for them together, in bits per second.
    pub rate_bps: u64,
    /// What may be announced or reserved for one of them, in bits per second, and what the checks compare with.
    pub flow_rate_bps: Option<u64>,
    /// The highest DSCP that a socket may ask for.
    pub dscp: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self { sockets: 256, rate_bps: 100_000_000, flow_rate_bps: None, dscp: 47 }
    }
}

/// What is used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Use {
    pub(super) sockets: usize,
    pub(super) octets_per_second: f64,
}

/// What the bounded sockets of each user use together, kept as they come, change and go: none of many is counted anew because
/// another one changes.
#[derive(Debug, Default)]
pub(super) struct Uses(BTreeMap<u32, Use>);

impl Uses {
    /// What a user's sockets use.
    pub(super) fn of(&self, uid: u32) -> Use {
        self.0.get(&uid).copied().unwrap_or_default()
    }

    /// A socket is there that uses this.
    pub(super) fn come(&mut self, uid: u32, own: Use) {
        let all = self.0.entry(uid).or_default();
        all.sockets += own.sockets;
        all.octets_per_second += own.octets_per_second;
    }

    /// A socket that used this is gone, or about to use something else.
    pub(super) fn go(&mut self, uid: u32, own: Use) {
        let Some(all) = self.0.get_mut(&uid) else { return };
        all.sockets = all.sockets.saturating_sub(own.sockets);
        all.octets_per_second -= own.octets_per_second;
        if all.sockets == 0 {
            // With the last one goes what rounding has left.
            self.0.remove(&uid);
        }
    }
}

/// Limits, and what the user's other sockets use of them.
#[derive(Debug)]
pub(super) struct Within<'l> {
    pub(super) limits: &'l Limits,
    pub(super) others: Use,
}

fn beyond(what: &str, limit: impl core::fmt::Display, key: &str) -> Problem {
    let message = format!(
        "beyond what the sockets of one user may have: {what}, at most {limit} (`{key}` in [qos] of rsvpd.toml); end \
         others first, or use the daemon's control socket"
    );
    Problem::new("quota", message)
}

impl Within<'_> {
    /// Whether the user may have one socket more.
    pub(super) fn takes_another(&self) -> Result<(), Problem> {
        if self.others.sockets < self.limits.sockets {
            return Ok(());
        }
        Err(beyond("sockets", self.limits.sockets, "sockets_per_user"))
    }

    /// Whether the user may ask for this: as far as the request itself says it.
    pub(super) fn allows(&self, qos: &Qos) -> Result<(), Problem> {
        let asked = [&qos.sending, &qos.receiving].into_iter().filter(|flow| {
            // What is best effort has no rate of its own; it may well be held to one.
            flow.service.service_type.is_signalled()
        });
        let rates: Vec<f64> = asked.filter_map(|flow| flow.token_rate.map(f64::from)).collect();
        let limit = self.limits;
        if let Some(most) = limit.flow_rate_bps.filter(|most| rates.iter().any(|rate| bps(*rate) > *most)) {
            return Err(beyond("a rate", format_args!("{most} bit/s a flow"), "rate_per_flow"));
        }
        let total = bps(rates.iter().sum::<f64>() + self.others.octets_per_second);
        if total > limit.rate_bps {
            let most = format!("{} bit/s in all", limit.rate_bps);
            return Err(beyond("a rate", most, "rate_per_user"));
        }
        let control = default_marks(ServiceType::NetworkControl, true).dscp;
        if qos.sending.service.service_type == ServiceType::NetworkControl && control > limit.dscp {
            return Err(beyond("network control, which has a DSCP of its own,", limit.dscp, "highest_dscp"));
        }
        for object in &qos.objects {
            if let Object::DsClass(dscp) = object
                && *dscp > u32::from(limit.dscp)
            {
                return Err(beyond("a DSCP", limit.dscp, "highest_dscp"));
            }
        }
        Ok(())
    }

    /// Takes out of what is wanted what would be beyond the limits: how much a receiver reserves may follow from what its sender
    /// announces.
    pub(super) fn keep(&self, is_bounded: bool, wanted: &mut Wanted) {
        if !is_bounded {
            return;
        }
        let mut used = self.others.octets_per_second;
        let limit = self.limits;
        let mut fits = |rate: f32| {
            let rate = f64::from(rate);
            let fits = bps(used + rate) <= limit.rate_bps
                && limit.flow_rate_bps.is_none_or(|most| bps(rate) <= most);
            used += if fits { rate } else { 0.0 };
            fits
        };
        let mut refused = Vec::new();
        wanted.senders.retain(|(session, _), sender| {
            let fits = fits(sender.tspec.rate);
            refused.extend((!fits).then_some(*session));
            fits
        });
        wanted.local.retain(|(session, _), flow| {
            let fits = !flow.counts || fits(rate_of(&flow.reservation.flowspec));
            refused.extend((!fits).then_some(*session));
            fits
        });
        wanted.reservations.retain(|session, reserved| {
            let fits = reserved.flows.iter().all(|(flow, _)| fits(rate_of(flow)));
            refused.extend((!fits).then_some(*session));
            fits
        });
        wanted.failures.extend(refused.into_iter().map(|session| {
            // GQOS_POLICY_GLOBAL_USER_SUM_FLOW_RATE.
            failed(session, Status::POLICY_FAILURE, ErrorClass::NET_POLICY, ErrorValue(56235))
        }));
    }
}

/// Bits per second.
fn bps(octets_per_second: f64) -> u64 {
    (octets_per_second * 8.0) as u64
}
