//! Why an interface could not be used, and for what.

/// What an interface could not be used for, and why.
pub(super) struct Refused {
    pub(super) what: Refusal,
    pub(super) why: String,
}

/// How much does not work there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// One reservation; another may be carried out.
    Reservation,
    /// The egress program.
    Program,
    /// Classes, which nearly everything takes.
    Classes,
}
