//! The kernel's traffic control by netlink (`linux/rtnetlink.h`, `linux/pkt_sched.h`): queueing disciplines and classes are
//! added, changed in place, removed and listed.
//!
//! Requests go in batches: one system call for many, and the kernel says of each that it refuses why. Only what this
//! program installs is written, and of what stands only what it has to know is read; which classes there should be is
//! deliberately not known here.

mod dump;
mod htb;
mod message;
mod socket;

pub use dump::{Class, Counters, Program, Qdisc};
pub use htb::HtbClass;
pub use message::{Batch, Handle, Queue};
pub use socket::{Refusal, Tc};
