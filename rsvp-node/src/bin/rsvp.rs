//! The `rsvp` command. What it does is in `cli`; this file only starts it.

use std::process::ExitCode;

fn main() -> ExitCode {
    rsvp_node::cli::main()
}
