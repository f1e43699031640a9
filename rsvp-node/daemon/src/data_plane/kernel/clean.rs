//! Takes away what a daemon has left that was killed: class trees, the egress program at interfaces, and what is pinned.
//!
//! A tree is known by its number, a filter by the program's name, a tcx link by its pin. Without pins, what is attached by tcx and
//! all maps go with the process.

use super::super::bpf::{self, Pins};
use super::super::tc::{Batch, Handle, Tc};
use super::super::tree::ROOT;
use crate::netlink::Netlink;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;

/// Takes away all of it in this network namespace, and what is pinned below `pins`. What was found, a line each.
///
/// # Errors
/// When the kernel does not say what there is, or does not let it be removed.
pub fn clean(pins: Option<&Path>) -> io::Result<Vec<String>> {
    let pins = pins.map(Pins::find).transpose()?.flatten();
    let mut found = clean_but(&BTreeSet::new(), pins.as_ref())?;
    if let Some(pins) = pins {
        let path = pins.path().display().to_string();
        if pins.remove()? {
            found.push(format!("{path}: maps of the egress program"));
        }
    }
    Ok(found)
}

/// Takes away all of it but what is on some interfaces.
pub(super) fn clean_but(but: &BTreeSet<u32>, pins: Option<&Pins>) -> io::Result<Vec<String>> {
    let mut tc = Tc::open()?;
    let mut found = Vec::new();
    for link in Netlink::open()?.links()?.into_iter().filter(|link| !but.contains(&link.index)) {
        let listed = tc.qdiscs(link.index)?;
        let is_linked = pins.map_or(Ok(false), |pins| pins.remove_link(link.index))?;
        let is_filtered = listed.iter().any(|qdisc| qdisc.kind == "clsact")
            && bpf::remove_left_behind(&link.name).map_err(io::Error::other)?;
        if is_linked || is_filtered {
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
