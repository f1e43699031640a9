//! REVERSE_LSP, RFC 7551 4.4: objects for the Path of the LSP in the other direction.
//!
//! ```text
//! //                        (Subobjects)                          //     objects, RFC 2205 3.1.2
//! ```

use crate::layout::object;

object! {
    /// REVERSE_LSP, RFC 7551 4.4.1.
    pub ReverseLsp<'a>: REVERSE_LSP 1 {
        /// What is to be in the other Path instead of what is in this one.
        objects(objects);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets};
    use super::*;
    use crate::error::Why;
    use crate::message::ObjectRef;

    #[test]
    fn objects() {
        // By hand from RFC 7551 4.4: an ADMIN_STATUS.
        let objects = octets("0008 c401 80000000");
        both_ways(&octets("000c cb01 0008 c401 80000000"), &ReverseLsp { objects: &objects });
        let octets = octets("000c cb01 000c c401 80000000");
        let (object, _) = ObjectRef::split_first(&octets, 100).unwrap();
        assert_eq!(object.check().map_err(|error| (error.at, error.why)), Err((104, Why::ObjectOverrun)));
    }
}
