//! A minimum policed unit m of zero. By the letter it is illegal (RFC 2215 section 3.6, RFC 2210 section 3.1), and yet
//! routers in wide use send it in every Path and Resv: it is taken, a Path is forwarded as it came, it is counted, and who
//! sends it is named once. What it means where it meets others is arithmetic, and in `merge::flowspec`.

use super::Arrived;
use crate::node::Node;
use crate::notice::Notice;

impl Node {
    /// Whether traffic parameters are taken, of which is known whether they are legal, and whether they are but for m.
    pub(crate) fn takes_traffic(&mut self, arrived: &Arrived<'_>, legal: bool, but_for_m: bool) -> bool {
        if legal || !but_for_m || self.config.strict_tspec {
            return legal;
        }
        self.counters.count_zero_policed_unit();
        let source = arrived.rx.source;
        if self.notices.is_new(Notice::ZeroPolicedUnit, source) {
            let message = arrived.message.msg_type();
            tracing::warn!(%source, session = %arrived.session, %message, "a minimum policed unit of zero is taken");
        }
        true
    }
}
