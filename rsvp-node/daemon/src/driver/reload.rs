//! A configuration that is read again.

use super::Driver;
use crate::config::DaemonConfig;

impl Driver {
    pub(super) fn reload(&mut self, config: DaemonConfig) {
        for what in not_reloadable(&self.config, &config) {
            tracing::warn!("{what} has changed in the configuration: that needs a restart");
        }
        self.node.routes.fixed.clone_from(&config.multicast_route);
        self.service.bound_sockets(config.qos.limits());
        self.service.bound_flows(config.qos.flow_limits());
        self.config = config;
        self.look_again();
        tracing::info!("the configuration was read again");
    }
}

/// What is different and cannot be changed while running.
fn not_reloadable(old: &DaemonConfig, new: &DaemonConfig) -> Vec<&'static str> {
    let different = [
        ("log", old.log != new.log),
        ("user", old.user != new.user),
        ("journal", old.journal != new.journal),
        ("[control]", old.control != new.control),
        ("socket of [qos]", old.qos.socket != new.qos.socket),
        ("hooks or cgroup of [qos]", (old.qos.hooks, &old.qos.cgroup) != (new.qos.hooks, &new.qos.cgroup)),
        ("templates of [qos]", old.qos.templates != new.qos.templates),
        ("[policies]", old.policies != new.policies),
        ("[signalling]", old.signalling != new.signalling),
        ("[node]", old.node != new.node),
        ("[limits]", old.limits != new.limits),
        ("[multicast]", old.multicast != new.multicast),
        ("[metrics]", old.metrics != new.metrics),
        ("[data_plane]", old.data_plane != new.data_plane),
        ("[responder]", old.responder != new.responder),
    ];
    different.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what).collect()
}
