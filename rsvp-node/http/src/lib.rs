//! Marks what HTTP servers answer, by policies for URLs. Which policy is for a URL is deliberately decided by `rsvpd` alone.
//!
#![doc = include_str!("../README.md")]

mod asked;
mod connection;
mod url;

pub use asked::Policies;
pub use connection::Connection;
pub use tower_layer;
pub use tower_service;

use http::Request;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Has a service answer by policies, on one connection.
#[derive(Clone, Debug)]
pub struct PolicyLayer {
    policies: Policies,
    connection: Arc<Connection>,
}

impl Policies {
    /// The layer for a connection.
    #[must_use]
    pub fn layer(&self, connection: Connection) -> PolicyLayer {
        PolicyLayer { policies: self.clone(), connection: Arc::new(connection) }
    }
}

impl<S> Layer<S> for PolicyLayer {
    type Service = ByPolicy<S>;

    fn layer(&self, inner: S) -> ByPolicy<S> {
        ByPolicy { layer: self.clone(), inner }
    }
}

/// A service whose answers are marked by policies.
#[derive(Clone, Debug)]
pub struct ByPolicy<S> {
    layer: PolicyLayer,
    inner: S,
}

impl<S, B> Service<Request<B>> for ByPolicy<S>
where
    S: Service<Request<B>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that is ready goes along; another one takes its place.
        let another = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, another);
        let PolicyLayer { policies, connection } = self.layer.clone();
        Box::pin(async move {
            let dscp = match connection.asks_for(&request) {
                Some(asked) => policies.dscp_for(asked).await,
                None => None,
            };
            connection.mark(dscp);
            inner.call(request).await
        })
    }
}
