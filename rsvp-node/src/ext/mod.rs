//! Extensions of RFC 2205: each knows its own objects and keeps what it has to remember in tables of its own, beside the blocks of
//! `state`, which do not grow for them. Only the engine knows which there are.

mod carried_told;

use crate::extension::Extensions;

/// All there are.
pub(crate) fn all() -> Extensions {
    vec![Box::<carried_told::CarriedTold>::default()]
}
