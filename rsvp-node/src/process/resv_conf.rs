//! RESV CONFIRM ARRIVES (RFC 2209), RFC 2205 section 3.1.9: on the way to the receiver a ResvConf is forwarded hop by
//! hop; at the receiver it becomes an event.

use super::kept::filters;
use super::{Arrived, read};
use crate::api::Discard;
use crate::composer::{Composer, Forwarded};
use crate::event::{AppId, EventKind};
use crate::host::{Host, RouteAnswer, RouteQuery};
use crate::key::{SenderKey, StyleKind};
use crate::node::Node;
use crate::queue::Envelope;
use crate::state::arena::Ix;
use crate::state::resv::{Confirm, Request};
use rsvp_wire::{
    ErrorSpec, FlowDescriptor, Flowspec, Message, MsgType, ResvConfirm, Style, flow_descriptors,
};

impl Node {
    pub(crate) fn resv_conf_arrives(
        &mut self,
        arrived: &Arrived<'_>,
        host: &mut dyn Host,
    ) -> Result<(), Discard> {
        let address = read::<ResvConfirm>(&arrived.message)?.address;
        if address != arrived.rx.destination {
            return Err(Discard::BadAddress);
        }
        if !self.is_own(address) {
            return self.forward_resv_conf(arrived, address, host);
        }
        let error = read::<ErrorSpec>(&arrived.message)?;
        let style = read::<Style>(&arrived.message)?;
        let kind = StyleKind::of(style);
        let session = self.state.find_session(&arrived.session).ok_or(Discard::NoState)?;
        let confirmed = confirmed(&arrived.message);
        let filters: Vec<SenderKey> = filters(&arrived.message).collect();
        let asked = |f: &Option<SenderKey>| f.is_none_or(|f| filters.contains(&f));
        let requests: Vec<(Ix<Request>, AppId)> = self
            .state
            .requests_of(session)
            .filter(|(_, r)| Some(r.style) == kind && r.items.iter().any(|i| asked(&i.filter)))
            .filter_map(|(ix, r)| Some((ix, r.app()?)))
            .collect();
        if requests.is_empty() {
            return Err(Discard::NoState);
        }
        let key = self.state.key_of(session);
        for (request, app) in requests {
            self.state.requests[request].set_confirm(Confirm::Done);
            for (flowspec, filters) in &confirmed {
                let (flowspec, filters) = (*flowspec, SenderKey::objects(filters));
                self.tell(app, &key, EventKind::ResvConfirm { node: error.node, style, flowspec, filters });
            }
        }
        Ok(())
    }

    fn forward_resv_conf(
        &mut self,
        arrived: &Arrived<'_>,
        address: core::net::IpAddr,
        host: &mut dyn Host,
    ) -> Result<(), Discard> {
        let ttl = arrived.rx.ttl.checked_sub(1).filter(|ttl| *ttl > 0).ok_or(Discard::TtlExhausted)?;
        let RouteAnswer::Known(route) = host.route(RouteQuery::to(address)) else {
            return Err(Discard::NoRoute);
        };
        let interface = *route.outgoing.first().ok_or(Discard::NoRoute)?;
        let to = Envelope { router_alert: true, ..Envelope::to_neighbour(interface, address, ttl) };
        let forwarded = Forwarded::All(arrived.message);
        self.send(&Composer { forwarded, ..Composer::new(MsgType::RESV_CONF, to) });
        Ok(())
    }
}

/// What a ResvConf confirms: flowspecs, each with its senders. One message may be for several (RFC 2205 section 3.1.9).
fn confirmed(message: &Message<'_>) -> Vec<(Option<Flowspec>, Vec<SenderKey>)> {
    let mut all: Vec<(Option<Flowspec>, Vec<SenderKey>)> = Vec::new();
    for FlowDescriptor { flowspec, filter } in flow_descriptors(message) {
        let flowspec = flowspec.and_then(|object| object.read().ok());
        let filter = filter.and_then(|object| object.read().ok()).map(SenderKey::of);
        match all.iter_mut().find(|(known, _)| *known == flowspec) {
            Some((_, filters)) => filters.extend(filter),
            None => all.push((flowspec, filter.into_iter().collect())),
        }
    }
    all
}
