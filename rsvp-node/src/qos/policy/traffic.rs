//! What is known of traffic when it begins, and whether it is a program's or a request's that a policy names.

use super::condition::{App, Url};
use crate::qos::endpoint::Transport;
use core::net::SocketAddr;

/// Traffic of one socket to one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic<'t> {
    /// The user whose it is.
    pub user: Option<&'t str>,
    /// The whole path of the program's file.
    pub app_path: Option<&'t str>,
    /// The control group or unit of the program.
    pub unit: Option<&'t str>,
    /// What an HTTP server is answering.
    pub request: Option<Request<'t>>,
    /// TCP or UDP.
    pub protocol: Transport,
    /// This side.
    pub local: SocketAddr,
    /// The other side.
    pub remote: SocketAddr,
    /// The network profiles of the interface where it leaves.
    pub profiles: &'t [&'t str],
}

/// What was asked of an HTTP server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'t> {
    /// Whether by HTTPS.
    pub https: bool,
    /// The host that was asked for.
    pub host: &'t str,
    /// The port it was asked at.
    pub port: u16,
    /// The path, without a query.
    pub path: &'t str,
}

impl Traffic<'_> {
    /// Whether it is of this program.
    pub(super) fn is_of(&self, app: &App) -> bool {
        let Some(path) = self.app_path else { return false };
        match app {
            App::Path(whole) => path == whole,
            App::Name(name) => path.rsplit('/').next() == Some(name),
        }
    }
}

impl Request<'_> {
    /// Whether a policy's URL is for it.
    pub(super) fn is_for(&self, url: &Url) -> bool {
        let below = |path: &str| {
            let end = path.strip_suffix('/').unwrap_or(path);
            self.path.strip_prefix(end).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.https == url.https
            && url.host.as_ref().is_none_or(|host| host.eq_ignore_ascii_case(self.host))
            && url.port.is_none_or(|port| port == self.port)
            && (self.path == url.path || url.recursive && below(&url.path))
    }
}
