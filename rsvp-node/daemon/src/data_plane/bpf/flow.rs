//! What a flow is held to, and what was counted of it.
//!
//! Numbers are those of a TSpec (RFC 2210 section 3.1, RFC 2215 section 3.6) as integers. What a service wants done with traffic beyond it
//! is deliberately the caller's business.

use super::sys::{FlowRecord, StateRecord};
use std::time::Duration;
use thiserror::Error;

/// The most that a rate can be, in octets per second: 137 Gbit/s.
pub const MOST_RATE: u64 = (1 << 34) - 1;
/// Billionths of an octet in one.
const NANO: i64 = 1_000_000_000;
/// A mark that is left as it was.
const LEAVE: u8 = 0xff;

/// A flow: what conforms, and what is done with the packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// What is done about packets beyond the limits.
    pub mode: Mode,
    /// The limits.
    pub limits: Limits,
    /// For packets that conform.
    pub conforming: Treatment,
    /// For packets that do not.
    pub excess: Treatment,
}

/// A TSpec: two token buckets and two sizes of packets. Lengths of packets are counted from the IP header on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// r, in octets per second: 1 to [`MOST_RATE`].
    pub rate: u64,
    /// b, in octets.
    pub bucket: u32,
    /// p, in octets per second; nothing is infinite. Its bucket has the depth M.
    pub peak: Option<u64>,
    /// M, in octets: larger packets do not conform. Nothing is any size.
    pub max_packet: Option<u32>,
    /// m, in octets: smaller packets count as this.
    pub min_policed: u32,
}

/// What is done about packets beyond the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They leave, marked and in a class for them.
    Borrow,
    /// They are dropped.
    Discard,
    /// Nothing: the flow's class shapes it. All packets count as conforming, and the limits are not looked at.
    Shape,
}

/// How packets leave. What is not set stays as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Treatment {
    /// The DSCP (RFC 2474), 0 to 63; ECN stays in any case.
    pub dscp: Option<u8>,
    /// The priority code point of IEEE 802.1Q, 0 to 7; packets without a VLAN tag get a priority tag for it.
    pub pcp: Option<u8>,
    /// The class: a handle of the interface's queueing discipline (`skb->priority`), not 0.
    pub class: Option<u32>,
}

/// What cannot be a flow.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum FlowError {
    /// A rate of 0, or more than there can be.
    #[error("{0} octets per second cannot be policed: 1 to {MOST_RATE}")]
    Rate(u64),
    /// Nothing would ever conform.
    #[error("a token bucket of 0 octets lets nothing through")]
    Bucket,
    /// The bucket of the peak rate needs a depth.
    #[error("a peak rate needs a maximum packet size, which is the depth of its bucket")]
    Peak,
    /// More than six bits.
    #[error("{0} is no DSCP: 0 to 63")]
    Dscp(u8),
    /// More than three bits.
    #[error("{0} is not a priority code point: 0 to 7")]
    Pcp(u8),
    /// The number that says that there is none.
    #[error("0 is not a class")]
    Class,
}

/// What was counted of a flow, and where its buckets stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// What conformed.
    pub conforming: Count,
    /// What did not.
    pub excess: Count,
    /// The part of it that was dropped.
    pub dropped: Count,
    /// What the bucket (r, b) held then, in billionths of an octet; below zero after a super-packet.
    pub level: i64,
    /// The same of the bucket (p, M).
    pub peak_level: i64,
    /// When a packet was last policed, by the monotonic clock; zero if none was.
    pub last: Duration,
}

/// Packets and their octets from the IP header on. What the kernel cuts into packets later counts as those.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Packets.
    pub packets: u64,
    /// Octets.
    pub octets: u64,
}

impl Limits {
    fn check(&self) -> Result<(), FlowError> {
        for rate in [Some(self.rate), self.peak].into_iter().flatten() {
            if rate == 0 || rate > MOST_RATE {
                return Err(FlowError::Rate(rate));
            }
        }
        if self.bucket == 0 {
            return Err(FlowError::Bucket);
        }
        if self.peak.is_some() && self.max_packet.is_none_or(|most| most == 0) {
            return Err(FlowError::Peak);
        }
        Ok(())
    }
}

impl Treatment {
    fn check(&self) -> Result<(), FlowError> {
        match *self {
            Self { dscp: Some(dscp), .. } if dscp > 63 => Err(FlowError::Dscp(dscp)),
            Self { pcp: Some(pcp), .. } if pcp > 7 => Err(FlowError::Pcp(pcp)),
            Self { class: Some(0), .. } => Err(FlowError::Class),
            _ => Ok(()),
        }
    }
}

impl Flow {
    pub(super) fn record(&self) -> Result<FlowRecord, FlowError> {
        if self.mode != Mode::Shape {
            self.limits.check()?;
        }
        self.conforming.check()?;
        self.excess.check()?;
        let both = [self.conforming, self.excess];
        Ok(FlowRecord {
            rate: self.limits.rate,
            peak: self.limits.peak.unwrap_or(0),
            bucket: self.limits.bucket,
            max_packet: self.limits.max_packet.unwrap_or(0),
            min_policed: self.limits.min_policed,
            class: both.map(|how| how.class.unwrap_or(0)),
            dscp: both.map(|how| how.dscp.unwrap_or(LEAVE)),
            pcp: both.map(|how| how.pcp.unwrap_or(LEAVE)),
            mode: match self.mode {
                Mode::Borrow => 0,
                Mode::Discard => 1,
                Mode::Shape => 2,
            },
            live: 1,
            zero: [0; 6],
        })
    }

    /// Where it stands before the first packet: with full buckets.
    pub(super) fn at_first(&self) -> StateRecord {
        StateRecord {
            level: i64::from(self.limits.bucket) * NANO,
            peak_level: i64::from(self.limits.max_packet.unwrap_or(0)) * NANO,
            ..StateRecord::default()
        }
    }
}

impl FlowRecord {
    /// The flow that it is.
    pub(super) fn flow(&self) -> Flow {
        let some = |number: u32| Some(number).filter(|number| *number > 0);
        let mark = |mark: u8| Some(mark).filter(|mark| *mark != LEAVE);
        let treatment = |which: usize| Treatment {
            dscp: mark(self.dscp[which]),
            pcp: mark(self.pcp[which]),
            class: some(self.class[which]),
        };
        Flow {
            mode: match self.mode {
                0 => Mode::Borrow,
                1 => Mode::Discard,
                _ => Mode::Shape,
            },
            limits: Limits {
                rate: self.rate,
                bucket: self.bucket,
                peak: Some(self.peak).filter(|peak| *peak > 0),
                max_packet: some(self.max_packet),
                min_policed: self.min_policed,
            },
            conforming: treatment(0),
            excess: treatment(1),
        }
    }
}

impl From<StateRecord> for Statistics {
    fn from(state: StateRecord) -> Self {
        Self {
            conforming: Count { packets: state.packets, octets: state.octets },
            excess: Count { packets: state.excess_packets, octets: state.excess_octets },
            dropped: Count { packets: state.dropped_packets, octets: state.dropped_octets },
            level: state.level,
            peak_level: state.peak_level,
            last: Duration::from_nanos(state.last),
        }
    }
}
