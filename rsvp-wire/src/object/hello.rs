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
