//! Takes away what a daemon has left that was killed: class trees, and filters that run the egress program.
//!
//! What is attached by tcx, and all maps, go with the process; a tree is known by its number, a filter by the program's name.

use super::super::bpf;
use super::super::tc::{Batch, Handle, Tc};
use super::super::tree::ROOT;
use crate::netlink::Netlink;
use std::io;

/// Takes away all of it in this network namespace. What was found, a line each.
///
/// # Errors
/// When the kernel does not say what there is, or does not let it be removed.
pub fn clean() -> io::Result<Vec<String>> {
    let mut tc = Tc::open()?;
    let mut found = Vec::new();
    for link in Netlink::open()?.links()? {
        let listed = tc.qdiscs(link.index)?;
        if listed.iter().any(|qdisc| qdisc.kind == "clsact")
            && bpf::remove_left_behind(&link.name).map_err(io::Error::other)?
        {
            found.push(format!("interface {}: the egress program", link.name));
        }
        if listed.iter().any(|q| (q.parent, q.handle) == (Handle::ROOT, ROOT) && q.kind == "htb") {
            let mut batch = Batch::new();
            batch.remove_qdisc(link.index, Handle::ROOT, ROOT);
            match tc.apply(&batch)?.first().map(|refusal| refusal.errno) {
                None | Some(libc::ENODEV | libc::ENOENT) => {}
                Some(errno) => return Err(io::Error::from_raw_os_error(errno)),
            }
            found.push(format!("interface {}: the class tree {ROOT}", link.name));
        }
    }
    Ok(found)
}
