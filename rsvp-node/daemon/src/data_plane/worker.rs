//! The data plane beside the daemon's loop: a thread of its own, so that a kernel that is slow holds up nobody.
//!
//! It has one thing to do at a time. What is asked for meanwhile waits here, of each reservation and of the surroundings the latest
//! alone, so that what waits is bounded by the state. A thread that dies leaves a daemon without a data plane.

use super::by_hand::FlowByHand;
use super::policies::WantedPolicies;
use super::wishes::Wishes;
use super::{Answer, DataPlane, Failure, Nothing, State, Surroundings};
use rsvp_control::rows::FlowRow;
use rsvp_node::{Held, ReservationId, TrafficControl};
use rsvp_wire::{FilterSpec, Session};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

/// How long the end of the data plane is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the thread is asked for.
enum Order {
    Look(Surroundings),
    Wish(Vec<((Session, FilterSpec), Option<Wishes>)>),
    Apply(Vec<TrafficControl>),
    ByHand(Vec<(ReservationId, Option<Arc<FlowByHand>>)>),
    Policies(Arc<WantedPolicies>),
    List,
    /// Leave everything in the kernel, and end.
    Leave,
}

/// What it says: once for each order, and when time has brought something.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// About reservations.
    pub(crate) answers: Vec<Answer>,
    /// About flows, where they were asked for.
    pub(crate) flows: Option<Result<Vec<FlowRow>, String>>,
    /// About those that are made by hand, with them.
    pub(crate) by_hand: Option<Result<BTreeMap<ReservationId, FlowRow>, String>>,
    /// What has changed about what sessions still have from an earlier run.
    pub(crate) held: Vec<Held>,
    states: BTreeMap<u32, State>,
    /// Why policies for programs match nothing, if so.
    unhooked: Option<String>,
    /// It answers no order.
    is_unasked: bool,
}

/// The data plane as the daemon's loop has it.
pub(crate) struct Worker {
    orders: Option<Sender<Order>>,
    said: UnboundedReceiver<Said>,
    is_busy: bool,
    /// Whether anything is ever carried out: if not, nobody needs be told what is to be.
    has_plane: bool,
    surroundings: Option<Surroundings>,
    changes: BTreeMap<ReservationId, TrafficControl>,
    wishes: BTreeMap<(Session, FilterSpec), Option<Wishes>>,
    by_hand: BTreeMap<ReservationId, Option<Arc<FlowByHand>>>,
    policies: Option<Arc<WantedPolicies>>,
    unhooked: Option<String>,
    lists: bool,
    states: BTreeMap<u32, State>,
    /// Whether anything is carried out on an interface of which the thread has said nothing.
    enforces: bool,
    /// What was the matter with an interface last: each refresh of a request that is refused would tell it again.
    known: BTreeMap<u32, Failure>,
    /// What an interface has on which nothing was done yet.
    untouched: String,
}

impl Worker {
    /// Starts the thread in the network namespace of this one; without a plane there is nothing, for the reason that is given.
    pub(crate) fn start(plane: Result<Box<dyn DataPlane>, String>) -> io::Result<Self> {
        let has_plane = plane.is_ok();
        let (plane, untouched) = match plane {
            Ok(plane) => (plane, "ready".to_owned()),
            Err(why) => (Box::new(Nothing) as Box<dyn DataPlane>, format!("none: {why}")),
        };
        let (orders, receiver) = channel();
        let (sender, said) = unbounded_channel();
        let started = Instant::now();
        std::thread::Builder::new()
            .name("data-plane".to_owned())
            .spawn(move || work(plane, &receiver, &sender, started))?;
        Ok(Self {
            orders: Some(orders),
            said,
            is_busy: false,
            has_plane,
            surroundings: None,
            changes: BTreeMap::new(),
            wishes: BTreeMap::new(),
            by_hand: BTreeMap::new(),
            policies: None,
            unhooked: None,
            lists: false,
            states: BTreeMap::new(),
            enforces: has_plane,
            known: BTreeMap::new(),
            untouched,
        })
    }

    /// The engine has changed a reservation.
    pub(crate) fn change(&mut self, change: &TrafficControl) {
        if self.has_plane {
            self.changes.insert(change.reservation, change.clone());
        }
    }

    /// A flow that is made by hand is to be this, or is to go.
    pub(crate) fn by_hand(&mut self, id: ReservationId, flow: Option<Arc<FlowByHand>>) {
        self.by_hand.insert(id, flow);
    }

    /// Interfaces are to have this for policies.
    pub(crate) fn policies(&mut self, wanted: WantedPolicies) {
        self.policies = Some(Arc::new(wanted));
    }

    /// An application asks this for the packets of a sender, or nothing any more.
    pub(crate) fn wish(&mut self, session: Session, sender: FilterSpec, wishes: Option<Wishes>) {
        self.wishes.insert((session, sender), wishes);
    }

    /// Whether a reservation has changed since the thread was told of it.
    pub(crate) fn has_changed(&self, reservation: ReservationId) -> bool {
        self.changes.contains_key(&reservation)
    }

    /// The interfaces are these now.
    pub(crate) fn look(&mut self, surroundings: Surroundings) {
        self.surroundings = Some(surroundings);
    }

    /// Whether the thread has something to do.
    pub(crate) fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// The flows are to be listed.
    pub(crate) fn list(&mut self) {
        self.lists = true;
    }

    /// What there is on an interface, in a few words.
    pub(crate) fn state(&self, interface: u32) -> &str {
        self.states.get(&interface).map_or(&self.untouched, |state| &state.words)
    }

    /// Why policies for programs match nothing, if so.
    pub(crate) fn unhooked(&self) -> Option<&str> {
        self.unhooked.as_deref()
    }

    /// Whether what is reserved on an interface is carried out, as far as is known.
    pub(crate) fn enforces(&self, interface: u32) -> bool {
        self.states.get(&interface).map_or(self.enforces, |state| state.enforces)
    }

    /// Whether an answer says something of its interface that the answer before it did not.
    pub(crate) fn is_news(&mut self, answer: &Answer) -> bool {
        match &answer.failure {
            None => self.known.remove(&answer.interface).is_some(),
            Some(failure) => self.known.insert(answer.interface, failure.clone()).as_ref() != Some(failure),
        }
    }

    /// Gives the thread the next thing to do, if it has none; whether that is to list the flows.
    pub(crate) fn go_on(&mut self) -> bool {
        if self.is_busy {
            return false;
        }
        let order = if let Some(surroundings) = self.surroundings.take() {
            Order::Look(surroundings)
        } else if !self.wishes.is_empty() {
            Order::Wish(std::mem::take(&mut self.wishes).into_iter().collect())
        } else if !self.changes.is_empty() {
            Order::Apply(std::mem::take(&mut self.changes).into_values().collect())
        } else if !self.by_hand.is_empty() {
            Order::ByHand(std::mem::take(&mut self.by_hand).into_iter().collect())
        } else if let Some(wanted) = self.policies.take() {
            Order::Policies(wanted)
        } else if std::mem::take(&mut self.lists) {
            Order::List
        } else {
            return false;
        };
        let lists = matches!(order, Order::List);
        self.is_busy = self.orders.as_ref().is_some_and(|orders| orders.send(order).is_ok());
        lists
    }

    /// Waits for what the thread says; nothing when it is gone, and for good from then on.
    pub(crate) async fn said(&mut self) -> Option<Said> {
        if self.orders.is_none() {
            return std::future::pending().await;
        }
        let said = self.said.recv().await;
        self.is_busy &= said.as_ref().is_some_and(|said| said.is_unasked);
        match &said {
            Some(said) => {
                self.states.clone_from(&said.states);
                self.unhooked.clone_from(&said.unhooked);
            }
            None => {
                self.orders = None;
                self.states.clear();
                self.enforces = false;
                self.untouched = "none: the data plane has failed".to_owned();
            }
        }
        said
    }

    /// Has everything taken out of the kernel, or left there for the next run, and waits for that.
    pub(crate) async fn end(&mut self, leaves: bool) {
        if let Some(orders) = self.orders.take().filter(|_| leaves) {
            // A thread that is gone has taken everything along.
            let _ = orders.send(Order::Leave);
        }
        let ended = async { while self.said.recv().await.is_some() {} };
        if tokio::time::timeout(PATIENCE, ended).await.is_err() {
            tracing::error!(
                "the kernel's traffic control is not cleared within {PATIENCE:?}: `rsvpd --clean` does it later"
            );
        }
    }
}

fn work(
    mut plane: Box<dyn DataPlane>,
    orders: &Receiver<Order>,
    sender: &UnboundedSender<Said>,
    started: Instant,
) {
    let mut held = Vec::new();
    loop {
        let order = match plane.due() {
            Some(due) => orders.recv_timeout(due.saturating_sub(started.elapsed())),
            None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let now = started.elapsed();
        let mut said = Said::default();
        let mut is_as_before = false;
        match order {
            Ok(Order::Look(surroundings)) => said.answers = plane.look(surroundings, now),
            Ok(Order::Wish(wishes)) => plane.wish(wishes),
            Ok(Order::Apply(changes)) => said.answers = plane.apply(changes, now),
            Ok(Order::ByHand(changes)) => said.answers = plane.by_hand(changes, now),
            Ok(Order::Policies(wanted)) => {
                for trouble in plane.policies(wanted, now) {
                    tracing::warn!("{trouble}");
                }
            }
            Ok(Order::List) => {
                said.flows = Some(plane.flows());
                said.by_hand = Some(plane.flows_by_hand());
            }
            Ok(Order::Leave) => return plane.leave(),
            Err(RecvTimeoutError::Timeout) => {
                let before = plane.states();
                plane.tick(now);
                said.is_unasked = true;
                is_as_before = plane.states() == before;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
        let holds = plane.held();
        said.held = changed(&held, &holds);
        held = holds;
        if is_as_before && said.held.is_empty() {
            continue;
        }
        said.states = plane.states();
        said.unhooked = plane.unhooked();
        // Nobody listens any more: the loop is about to end, and so is this.
        let _ = sender.send(said);
    }
    plane.end();
}

/// What the engine is to hear of what sessions have from an earlier run. Of a session that is admitted again it knows itself how
/// much is left, sooner than the data plane; so it is told when there is something, and when there is nothing any more.
fn changed(before: &[Held], now: &[Held]) -> Vec<Held> {
    let place = |held: &Held| (held.interface, held.session.to_string(), held.guaranteed);
    let places = |all: &[Held]| all.iter().map(place).collect::<BTreeSet<_>>();
    let (there, here) = (places(before), places(now));
    let news = now.iter().filter(|held| !there.contains(&place(held))).copied();
    let over = before.iter().filter(|held| !here.contains(&place(held))).map(|held| Held { bps: 0, ..*held });
    news.chain(over).collect()
}

#[cfg(test)]
mod tests;
