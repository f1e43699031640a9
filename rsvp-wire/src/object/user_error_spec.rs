//! USER_ERROR_SPEC, RFC 5284 3: an error that an organization has defined for itself.
//!
//! ```text
//! |                       Enterprise Number                       |
//! |    Sub Org    |  Err Desc Len |        User Error Value       |
//! ~                       Error Description                       ~  and zeros to a multiple of 4
//! ~                     User-Defined Subobjects                   ~
//! |     Type      |     Length    | (Subobject contents)          |
//! ```
//!
//! What the value and the subobjects mean, the organization alone knows.

use crate::layout::{Head, Space, object, record_rows};

/// Subobjects of USER_ERROR_SPEC, RFC 5284 3.1; their types are the organization's own.
pub static USER_ERROR: Space = Space {
    name: "USER_ERROR_SPEC subobject",
    header: &[Head::Type(8, "type"), Head::Length(8)],
    unit: 1,
    counts_header: true,
    align: 1,
    rows: record_rows! {},
};

object! {
    /// USER_ERROR_SPEC, RFC 5284 3.
    pub UserErrorSpec<'a>: USER_ERROR_SPEC 1 {
        /// The organization, a Private Enterprise Number.
        enterprise_number(u32);
        /// A part of it.
        sub_org(u8);
        @description_length(u8 of description);
        /// What went wrong, as the organization numbers it.
        user_error_value(u16);
        /// What went wrong, in words.
        description(text by description_length);
        /// Fills the last word of the description.
        padding(padding);
        /// More of it.
        subobjects(records USER_ERROR);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;
    use crate::layout::{Padding, Records};

    #[test]
    fn described() {
        // By hand from RFC 5284 3: "no gas", two zeros, a subobject of type 5.
        let subobjects = octets("05 04 abcd");
        let error = UserErrorSpec {
            enterprise_number: 32473,
            sub_org: 2,
            user_error_value: 258,
            description: b"no gas",
            padding: Padding::default(),
            subobjects: Records::over(&USER_ERROR, &subobjects),
        };
        both_ways(&octets("0018 c201 00007ed9 02 06 0102 6e6f20676173 0000 05 04 abcd"), &error);
        refused::<UserErrorSpec<'_>>(&octets("000c c201 00007ed9 02 06 0102"), 12, Why::BodyLength);
        refused::<UserErrorSpec<'_>>(
            &octets("0010 c201 00007ed9 02 00 0102 05 08 0000"),
            12,
            Why::BodyLength,
        );
    }
}
