//! `rsvpd` and what talks to it (feature `daemon`): the only code with sockets, a clock or an async runtime.
//!
//! No protocol decisions are made here: the engine makes them.

pub mod control;

pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
