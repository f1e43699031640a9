//! The `rsvp` command. Everything it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    rsvp_cli::main()
}
