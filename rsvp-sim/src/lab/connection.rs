//! An application's connection to its node's daemon: one client of the client library for each, in a task that gives its
//! requests and passes on what it hears.

use super::clock;
use core::time::Duration;
use rsvp_client::qos::FdQos;
use rsvp_client::{Announcement, Client, ClientError, Event, Fault, Gone, Reservation, Session};
use rsvp_node::{AppId, EventKind};
use rsvp_wire::{ErrorCode, ErrorSpec};
use std::path::Path;
use tokio::sync::{mpsc, oneshot};

/// Something an application was told.
#[derive(Debug)]
pub(super) struct TimedEvent {
    /// Real time.
    pub(super) at: Duration,
    /// By its place: senders first.
    pub(super) app: AppId,
    pub(super) heard: Heard,
}

/// What it was.
#[derive(Debug)]
pub(super) enum Heard {
    Event(rsvp_node::Event),
    /// Of an application that is a QoS socket.
    Socket(FdQos),
}

/// What an application asks for.
#[derive(Debug)]
pub(super) enum Ask {
    Announce(Announcement),
    Reserve(Reservation),
    /// Gives up the reservation.
    Release,
}

pub(super) type Answer = Result<(), ClientError>;
pub(super) type Asked = (Ask, oneshot::Sender<Answer>);

/// The application's end of its connection. Without it the session is closed.
#[derive(Debug)]
pub(super) struct Line(pub(super) mpsc::UnboundedSender<Asked>);

impl Line {
    /// Connects and opens the session.
    pub(super) async fn open(
        socket: &Path,
        app: AppId,
        session: rsvp_wire::Session,
        heard: mpsc::UnboundedSender<TimedEvent>,
    ) -> Result<Self, ClientError> {
        let client = Client::connect(socket).await?;
        let session = client.session(session).await?;
        let (line, asked) = mpsc::unbounded_channel();
        tokio::spawn(attend(session, app, asked, heard));
        Ok(Self(line))
    }

    /// Asks, and waits for the answer.
    pub(super) async fn ask(&self, ask: Ask) -> Answer {
        let (tell, answer) = oneshot::channel();
        self.0.send((ask, tell)).map_err(|_| ClientError::Disconnected)?;
        answer.await.unwrap_or(Err(ClientError::Disconnected))
    }
}

async fn attend(
    mut session: Session,
    app: AppId,
    mut asked: mpsc::UnboundedReceiver<Asked>,
    heard: mpsc::UnboundedSender<TimedEvent>,
) {
    let key = session.key();
    loop {
        tokio::select! {
            biased;
            event = session.next_event() => {
                let Some(event) = event else { return };
                let Some(kind) = kind(event) else { continue };
                let said = Heard::Event(rsvp_node::Event { app, session: key, kind });
                if heard.send(TimedEvent { at: clock::now(), app, heard: said }).is_err() {
                    return;
                }
            }
            ask = asked.recv() => {
                let Some((ask, tell)) = ask else { break };
                let answer = match ask {
                    Ask::Announce(announcement) => session.announce(announcement).await,
                    Ask::Reserve(reservation) => session.reserve(reservation).await,
                    Ask::Release => session.release().await,
                };
                // Who asked may have stopped waiting.
                let _ = tell.send(answer);
            }
        }
    }
    // A daemon that is gone has forgotten the session already.
    let _ = session.close().await;
}

/// An event of the control protocol as the engine's, so that both are described by the same words; none where it is the daemon's own.
fn kind(event: Event) -> Option<EventKind> {
    Some(match event {
        Event::SessionOpened {} | Event::SessionClosed {} | Event::Undelivered { .. } => return None,
        Event::Path { sender, traffic, adspec, carried } => EventKind::Path {
            sender,
            tspec: traffic.into(),
            adspec: adspec.map(Into::into),
            carried: (&carried).try_into().unwrap_or_default(),
        },
        Event::PathGone { sender, why } => EventKind::PathGone {
            sender,
            why: match why {
                Gone::Torn => rsvp_node::Gone::Torn,
                Gone::TimedOut => rsvp_node::Gone::TimedOut,
            },
        },
        Event::Resv { style, flowspec, filters, carried } => EventKind::Resv {
            style: style.into(),
            flowspec: flowspec.into(),
            filters,
            carried: (&carried).try_into().unwrap_or_default(),
        },
        Event::ResvGone { style, filters } => EventKind::ResvGone { style: style.into(), filters },
        Event::PathError { sender, error } => EventKind::PathError { error: fault(&error), sender },
        Event::ResvError { style, flowspec, filters, error } => EventKind::ResvError {
            error: fault(&error),
            style: style.into(),
            flowspec: flowspec.map(Into::into),
            filters,
        },
        Event::ResvConfirm { node, style, flowspec, filters } => {
            EventKind::ResvConfirm { node, style: style.into(), flowspec: flowspec.map(Into::into), filters }
        }
    })
}

fn fault(fault: &Fault) -> ErrorSpec {
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    ErrorSpec {
        node: fault.node,
        flags: flag(fault.in_place, ErrorSpec::IN_PLACE) | flag(fault.not_guilty, ErrorSpec::NOT_GUILTY),
        code: ErrorCode(fault.code),
        value: fault.value,
    }
}
