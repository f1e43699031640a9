//! HELLO, RFC 3209 5.2: whether a neighbour is alive, and still the same.
//!
//! ```text
//! |                         Src_Instance                          |
//! |                         Dst_Instance                          |
//! ```

use crate::layout::object;

object! {
    /// HELLO REQUEST, C-Type 1.
    pub HelloRequest: HELLO 1 {
        /// The sender's instance; changes when it restarts.
        src_instance(u32);
        /// The instance last received from the neighbour; zero if none was.
        dst_instance(u32);
    }

    /// HELLO ACK, C-Type 2.
    pub HelloAck: HELLO 2 {
        /// The sender's instance; changes when it restarts.
        src_instance(u32);
        /// The instance last received from the neighbour.
        dst_instance(u32);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{both_ways, octets, refused};
    use super::*;
    use crate::error::Why;

    #[test]
    fn both_kinds() {
        // By hand from RFC 3209 5.2.
        let request = HelloRequest { src_instance: 0x0102_0304, dst_instance: 0 };
        both_ways(&octets("000c 1601 01020304 00000000"), &request);
        both_ways(
            &octets("000c 1602 01020304 00000009"),
            &HelloAck { src_instance: 0x0102_0304, dst_instance: 9 },
        );
        refused::<HelloRequest>(&octets("0008 1601 01020304"), 8, Why::BodyLength);
    }
}
