//! `rsvpd`, the RSVP daemon; everything is in the library.

fn main() -> std::process::ExitCode {
    rsvpd::main()
}
