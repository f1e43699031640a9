//! What systemd and the shell say to the daemon, and what it says to them. What is done about it is the driver's business.

use super::driver::Order;
use super::start::Source;
use std::io;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// Turns signals into orders.
pub(super) fn heed_signals(
    order: mpsc::Sender<Order>,
    reread: Source,
) -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut restart = signal(SignalKind::user_defined2())?;
    Ok(async move {
        let last = loop {
            tokio::select! {
                _ = terminate.recv() => break Order::Stop,
                _ = interrupt.recv() => break Order::Stop,
                _ = restart.recv() => break Order::Leave,
                _ = hangup.recv() => {
                    match reread.read() {
                        Ok(config) => drop(order.send(Order::Reload(Box::new(config))).await),
                        Err(error) => tracing::error!("the configuration stays as it was: {error}"),
                    }
                }
            }
        };
        let _ = order.send(last).await;
    })
}

pub(super) fn notify(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager was not told");
    }
}
