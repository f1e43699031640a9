//! The egress program on a packet that goes nowhere (`BPF_PROG_TEST_RUN`): what it would do to it, and how long it takes.
//!
//! Flows count and charge the packet as any other. What comes of a VLAN tag is not seen, because it is beside the packet.

use super::{Egress, EgressError};
use aya::programs::{TestRun, TestRunOptions};
use std::time::Duration;

/// Octets of `struct __sk_buff` (linux/bpf.h), and where in it is what a trial says and reads.
const CONTEXT: usize = 192;
const PRIORITY: usize = 32;
const INTERFACE: usize = 40;
const WIRE_LENGTH: usize = 160;
const SEGMENTS: usize = 164;
const SEGMENT_SIZE: usize = 176;
/// `TC_ACT_UNSPEC`, and `TC_ACT_SHOT`.
const NEXT: u32 = u32::MAX;
const DROP: u32 = 2;

/// A packet to try.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    /// The interface by which it would leave.
    pub interface: u32,
    /// The frame, from the Ethernet header on.
    pub frame: &'a [u8],
    /// Its class before.
    pub class: u32,
    /// How often; what one run writes is what the next one finds.
    pub repeat: u32,
    /// If it is a super-packet.
    pub segments: Option<Segments>,
}

/// What a super-packet will be cut into.
#[derive(Clone, Copy, Debug)]
pub struct Segments {
    /// How many packets.
    pub count: u32,
    /// Octets of a packet behind all headers.
    pub size: u32,
    /// Octets of each packet's headers, from the Ethernet header on.
    pub headers: u32,
}

/// What comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// It would be dropped; if not, other programs are asked.
    pub dropped: bool,
    /// The frame then.
    pub frame: Vec<u8>,
    /// Its class then.
    pub class: u32,
    /// What a run took, on average.
    pub took: Duration,
}

impl Egress {
    /// Runs the program on a packet that goes nowhere.
    ///
    /// # Errors
    /// [`EgressError::Refused`], with what the kernel says: of a frame that is shorter than its headers or longer than a
    /// page of memory, or to a process without `CAP_NET_ADMIN` and `CAP_BPF`.
    pub fn try_packet(&self, trial: &Trial<'_>) -> Result<Outcome, EgressError> {
        let mut context = [0; CONTEXT];
        let mut say = |at: usize, what: u32| context[at..at + 4].copy_from_slice(&what.to_ne_bytes());
        say(PRIORITY, trial.class);
        say(INTERFACE, trial.interface);
        if let Some(Segments { count, size, headers }) = trial.segments {
            say(SEGMENTS, count);
            say(SEGMENT_SIZE, size);
            say(WIRE_LENGTH, trial.frame.len() as u32 + count.saturating_sub(1) * headers);
        }
        let (mut frame, mut after) = (vec![0; trial.frame.len() + 64], [0; CONTEXT]);
        let mut options = TestRunOptions::new();
        options.data_in = Some(trial.frame);
        options.data_out = Some(&mut frame);
        options.ctx_in = Some(&context);
        options.ctx_out = Some(&mut after);
        options.repeat = trial.repeat;
        let refused = |error| EgressError::of_map("a trial of a packet", &error);
        let result = self.program()?.test_run(options).map_err(refused)?;
        frame.truncate(result.data_size_out as usize);
        let class = after[PRIORITY..PRIORITY + 4].try_into().map_or(0, u32::from_ne_bytes);
        match result.return_value {
            DROP | NEXT => {
                Ok(Outcome { dropped: result.return_value == DROP, frame, class, took: result.duration })
            }
            other => {
                Err(EgressError::Kernel(format!("the program's answer is {other}, which it never gives")))
            }
        }
    }
}
