//! Opening the data plane, and what policies have in the kernel.

use super::DaemonError;
use crate::config::{DaemonConfig, Kind, Transport};
use crate::data_plane::DataPlane;
use crate::data_plane::bpf::{Capacity, Pins, PolicyTables};
use crate::data_plane::kernel::Kernel;
use crate::hooks;
use std::io;

/// The data plane, or why there is none.
pub(super) fn open_data_plane(config: &DaemonConfig) -> Result<Plane, DaemonError> {
    let without = |why: &str| Ok((Err(why.to_owned()), Err(format!("the data plane is none: {why}"))));
    let said = &config.data_plane;
    match (said.kind, config.node.transport) {
        (Kind::None, _) => return without("as configured"),
        (Kind::Auto, Transport::Udp) => {
            return without("a host with transport = \"udp\" has no privileges for it");
        }
        _ => {}
    }
    let default = Capacity::default();
    let flows = said.flows.unwrap_or(default.flows);
    let capacity = Capacity { flows, keys: default.keys.max(flows.saturating_mul(4)), ..default };
    match Kernel::open(said.attach.into(), capacity, pins(config)) {
        Ok(mut kernel) => {
            let tables = kernel.for_policies(hooks::cgroup_of(config));
            let tables = tables.ok_or_else(|| "the kernel has no place for them".to_owned());
            Ok((Ok(Box::new(kernel)), tables))
        }
        Err(error) if said.kind == Kind::Kernel => {
            Err(DaemonError::System { what: "the data plane".into(), error: io::Error::other(error) })
        }
        Err(error) => {
            tracing::warn!(
                "reservations are signalled and admitted, but not enforced: {error}; `kind = \"none\"` in [data_plane] \
                 says that this is known"
            );
            without(&error.to_string())
        }
    }
}

/// A data plane, and what policies write and read in the kernel; or why there is none.
pub(super) type Plane = (Result<Box<dyn DataPlane>, String>, Result<PolicyTables, String>);

/// Where what stands in the kernel is pinned; where it cannot be, that is said once.
fn pins(config: &DaemonConfig) -> Option<Pins> {
    let root = config.data_plane.pins()?;
    match Pins::open(root) {
        Ok(pins) => Some(pins),
        Err(why) => {
            tracing::warn!(
                "reservations in the kernel do not outlive this daemon, should it be killed or restarted: {why}; `pins` in \
                 [data_plane] names another place, or none with \"\""
            );
            None
        }
    }
}
