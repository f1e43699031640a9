//! Why things do not go on from here: path state that leads nowhere, messages that came back, routers that do not forward.

use super::Driver;
use crate::config::MulticastRoute;
use crate::links::Links;
use crate::netlink::{Netlink, NoWay, RouteTo};
use crate::routes::is_router;
use rsvp_node::{Instant, InterfaceId, RouteQuery, SenderView};
use std::cell::RefCell;
use std::net::IpAddr;

/// Questions to the kernel in a second: who lists a hundred thousand senders is not to hold up messages.
const QUESTIONS: u32 = 1000;
const SECOND_US: u64 = 1_000_000;

/// Asks the kernel for reasons.
#[derive(Default)]
pub(super) struct Reasons(RefCell<Asking>);

#[derive(Default)]
struct Asking {
    netlink: Option<Netlink>,
    second: u64,
    asked: u32,
}

impl Reasons {
    /// Why path state that leads to no interface is forwarded nowhere; nothing where its data is for this node.
    pub(super) fn why_not_forwarded(
        &self,
        view: &SenderView,
        links: &Links,
        configured: &[MulticastRoute],
        now: Instant,
    ) -> Option<String> {
        let destination = view.session.destination();
        if links.owns(destination) {
            return None;
        }
        let is_own = view.previous_hop.is_none();
        if !is_own && view.ttl <= 1 {
            return Some(format!("its TTL is used up: it came with {}", view.ttl));
        }
        if destination.is_multicast() {
            // A host takes what it hears, and forwards none of it.
            return (is_own || is_router(destination.is_ipv6()))
                .then(|| self.why_no_branch(view, links, configured, now));
        }
        if !is_own && !is_router(destination.is_ipv6()) {
            let family =
                if destination.is_ipv4() { "net.ipv4.ip_forward" } else { "net.ipv6.conf.all.forwarding" };
            return Some(format!("this node forwards nothing: {family} is 0"));
        }
        Some(match self.ask(destination, view.sender.0.address(), now)? {
            RouteTo::Nowhere(why) => why.to(destination),
            RouteTo::Local => return None,
            RouteTo::Out(_) if is_own && !view.outgoing.is_empty() => return None,
            RouteTo::Out(out) => {
                let name = |id: InterfaceId| links.name(id).unwrap_or("an interface that is gone").to_owned();
                let out = InterfaceId(out);
                if view.incoming == Some(out) {
                    format!("the only way to {destination} is the one by which it came, {}", name(out))
                } else if !links.speaking().any(|id| id == out) {
                    format!("the way to {destination} is {}, where RSVP is off", name(out))
                } else {
                    format!("the way to {destination} is {} now, which has not been taken yet", name(out))
                }
            }
        })
    }

    /// Why a Path to a group leads nowhere: there is no route, or it came by another interface than the route says, or the route leads to
    /// none.
    fn why_no_branch(
        &self,
        view: &SenderView,
        links: &Links,
        configured: &[MulticastRoute],
        now: Instant,
    ) -> String {
        let (group, source) = (view.session.destination(), view.sender.0.address());
        let none = || format!("no multicast route for {group} from {source}");
        let Some(came) = view.incoming.and_then(|on| links.name(on)) else { return none() };
        let route = if let Some(route) = configured.iter().find(|route| route.is_of(group, source)) {
            Some((format!("the [[multicast_route]] of {group}"), Some(route.incoming.as_str())))
        } else {
            let mut asking = self.0.borrow_mut();
            let entry =
                asking.netlink(now).and_then(|kernel| kernel.forwarding(source, group).ok().flatten());
            entry.map(|entry| {
                let incoming = links.name(InterfaceId(entry.incoming));
                (format!("the kernel's multicast route for {group} from {source}"), incoming)
            })
        };
        match route {
            None => none(),
            Some((route, Some(incoming))) if incoming != came => {
                format!("{route} has the incoming interface {incoming}, but the Path came by {came}")
            }
            Some((route, _)) => format!("{route} leads to no other interface on which RSVP is spoken"),
        }
    }

    /// Why data does not follow the Path of a sender elsewhere: the configuration tells the engine the way of a multicast flow, and the kernel
    /// another.
    pub(super) fn why_no_data(
        &self,
        view: &SenderView,
        configured: &[MulticastRoute],
        now: Instant,
    ) -> Option<String> {
        let (group, source) = (view.session.destination(), view.sender.0.address());
        let route = configured.iter().find(|route| route.is_of(group, source))?;
        view.previous_hop?;
        let mut asking = self.0.borrow_mut();
        if asking.netlink(now)?.forwarding(source, group).ok()?.is_some() {
            return None;
        }
        let remedy = match (route.source, group.is_ipv4()) {
            (None, true) => "say `source` in its [[multicast_route]], or run a multicast routing program",
            _ => "run a multicast routing program",
        };
        Some(format!("the kernel has no multicast route for data to {group} from {source}: {remedy}"))
    }

    fn ask(&self, destination: IpAddr, source: IpAddr, now: Instant) -> Option<RouteTo> {
        let mut asking = self.0.borrow_mut();
        let netlink = asking.netlink(now)?;
        let query = RouteQuery::to(destination);
        let with_source = RouteQuery { source: Some(source), ..query };
        match netlink.route(&with_source) {
            // Of others' packets, and of those from an address that is gone, the kernel may refuse the question.
            Ok(RouteTo::Nowhere(NoWay::NoRoute | NoWay::Blackhole)) | Err(_) => netlink.route(&query).ok(),
            found => found.ok(),
        }
    }
}

impl Asking {
    /// The way to the kernel, unless it was asked often enough in this second.
    fn netlink(&mut self, now: Instant) -> Option<&mut Netlink> {
        let second = now.as_micros() / SECOND_US;
        if self.second != second {
            (self.second, self.asked) = (second, 0);
        }
        self.asked += 1;
        if self.asked > QUESTIONS {
            return None;
        }
        if self.netlink.is_none() {
            self.netlink = Netlink::open().ok();
        }
        self.netlink.as_mut()
    }
}

impl Driver {
    /// Takes what errors of ICMP say of messages that this node has sent.
    pub(super) fn hear_what_came_back(&mut self, now_us: u64) {
        let Self { icmp, node, service, .. } = self;
        icmp.receive(|returned| {
            if !node.routes.links.owns(returned.source) {
                return;
            }
            let announced = || {
                let is_meant = |view: &SenderView| {
                    let ends = (view.sender.0.address(), view.session.destination());
                    view.previous_hop.is_none() && ends == (returned.source, returned.destination)
                };
                node.engine.senders().filter(is_meant).map(|view| (view.session, view.sender)).collect()
            };
            let (messages, why) = node.witness.came_back(&returned, announced, now_us);
            messages.iter().for_each(|of| service.undelivered(of, &why));
        });
    }

    /// Says once, at the start, what keeps a node from being the router that it looks like.
    pub(super) fn say_what_is_missing(&self) {
        let links = &self.node.routes.links;
        for (v6, name) in [(false, "net.ipv4.ip_forward"), (true, "net.ipv6.conf.all.forwarding")] {
            let has_one = |id: &InterfaceId| links.has_global(*id, v6);
            let speaking = links.speaking().filter(has_one).count();
            if speaking > 1 && !is_router(v6) {
                tracing::warn!(
                    "{speaking} interfaces speak RSVP, but nothing is forwarded between them: {name} is 0; set it to 1 on a router, and \
                     on a host switch RSVP off where it is not needed (`enabled = false` in [interface.NAME])"
                );
            }
        }
        for route in
            self.config.multicast_route.iter().filter(|route| route.source.is_none() && route.group.is_ipv4())
        {
            tracing::warn!(
                "the multicast route of {} has no `source`: Paths follow it, but the kernel forwards no data by it; say `source`, \
                 unless a multicast routing program runs here",
                route.group
            );
        }
    }
}
