//! Events, services and traffic in a few words, for people.

use core::net::IpAddr;
use core::time::Duration;
use rsvp_client::qos::{ErrorClass, FdQos, Flowspec, ServiceType};
use rsvp_client::{
    Carried, Direction, Discarded, Dscp, Event, Fault, Flow, Gone, MessageRow, Offer, Service, Traffic,
    Watched,
};
use rsvp_node::units::{show_rate, show_size, show_time};
use rsvp_wire::FilterSpec;

pub(super) fn traffic(traffic: &Traffic) -> String {
    let peak = traffic.peak_bps.map_or_else(String::new, |peak| format!(" peak {}", show_rate(peak)));
    format!("{} bucket {}{peak}", show_rate(traffic.rate_bps), show_size(traffic.bucket.round() as u64))
}

/// A neighbour, or all on an interface who are not told apart.
pub(super) fn neighbour(address: Option<IpAddr>) -> String {
    address.map_or_else(|| "others".to_owned(), |address| address.to_string())
}

pub(super) fn service(service: &Service) -> String {
    match service {
        Service::Null { .. } => "Null service".to_owned(),
        Service::ControlledLoad { traffic } => format!("Controlled-Load {}", show_rate(traffic.rate_bps)),
        Service::Guaranteed { traffic, reserve_bps, slack_us } => {
            let slack = match slack_us {
                0 => String::new(),
                us => format!(" slack {}", show_time(Duration::from_micros(u64::from(*us)))),
            };
            format!("Guaranteed {} R={}{slack}", show_rate(traffic.rate_bps), show_rate(*reserve_bps))
        }
    }
}

pub(super) fn filters(filters: &[FilterSpec]) -> String {
    match filters {
        [] => "all senders".to_owned(),
        some => some.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

pub(super) fn offer(offer: &Offer) -> String {
    let bandwidth = offer.bandwidth_bps.map_or_else(|| "bandwidth unknown".to_owned(), show_rate);
    let mut words = format!("path of {} hops, {bandwidth}, MTU {}", offer.hops, offer.mtu);
    match offer.latency_us {
        None => words += ", latency indeterminate",
        Some(0) => {}
        Some(us) => {
            words += &format!(", latency {}", show_time(Duration::from_micros(u64::from(us))));
        }
    }
    if offer.is_broken {
        words += ", some hops do not speak RSVP";
    }
    match &offer.guaranteed {
        Some(g) => {
            let (ctot, dtot) = (show_size(g.ctot.into()), Duration::from_micros(g.dtot_us.into()));
            words +=
                &format!(", Ctot {ctot} Dtot {}{}", show_time(dtot), gap(g.is_broken, "Guaranteed service"));
        }
        None => words += ", no Guaranteed service",
    }
    match &offer.controlled_load {
        Some(c) => words += &gap(c.is_broken, "Controlled-Load"),
        None => words += ", no Controlled-Load",
    }
    words
}

/// What the break bit of a service says.
fn gap(is_broken: bool, service: &str) -> String {
    if is_broken { format!(", {service} not at every hop") } else { String::new() }
}

fn carried(carried: &Carried) -> String {
    let name = |dscp: &u8| Dscp::new(*dscp).map_or_else(|| dscp.to_string(), |dscp| dscp.to_string());
    let mut words = String::new();
    if !carried.dclass.is_empty() {
        let names: Vec<_> = carried.dclass.iter().map(name).collect();
        words += &format!("; packets are to be marked {}", names.join(", "));
    }
    if let Some(priority) = carried.tclass {
        words += &format!("; frames are to have priority {priority}");
    }
    for elements in &carried.policy {
        words += &format!("; policy {elements}");
    }
    words
}

fn fault(fault: &Fault) -> String {
    let mut words = format!("{}, found by {}", fault.meaning, fault.node);
    if fault.in_place {
        words += "; what was reserved before stands";
    }
    if fault.not_guilty {
        words += "; it was not this request";
    }
    words
}

pub(super) fn event(event: &Event) -> String {
    match event {
        Event::SessionOpened {} => "waiting for senders: this host has the address".to_owned(),
        Event::SessionClosed {} => "closed: this host has the address no longer".to_owned(),
        Event::Path { sender, traffic: said, adspec, carried: along } => {
            let adspec = adspec.as_ref().map_or_else(String::new, |adspec| format!("; {}", offer(adspec)));
            format!("sender {} announces {}{adspec}{}", sender.0, traffic(said), carried(along))
        }
        Event::PathGone { sender, why } => {
            let why = match why {
                Gone::Torn => "it was torn down",
                Gone::TimedOut => "nothing was heard of it any more",
            };
            format!("sender {} is gone: {why}", sender.0)
        }
        Event::Resv { style, flowspec, filters: list, carried: along } => {
            format!("reserved: {style} {} for {}{}", service(flowspec), filters(list), carried(along))
        }
        Event::ResvGone { style, filters: list } => {
            format!("reservation gone: {style} for {}", filters(list))
        }
        Event::Undelivered { sender, why, .. } => {
            format!("not delivered: the Path of sender {}: {}", sender.0, why.meaning)
        }
        Event::PathError { sender, error } => format!("error: sender {}: {}", sender.0, fault(error)),
        Event::ResvError { style, flowspec, filters: list, error } => {
            let asked = flowspec.as_ref().map_or_else(String::new, |asked| format!(" {}", service(asked)));
            format!("error: reservation {style}{asked} for {}: {}", filters(list), fault(error))
        }
        Event::ResvConfirm { node, style, filters: list, .. } => {
            format!("confirmed: {style} for {} by {node}", filters(list))
        }
    }
}

/// What a socket asks for, or has, in its own octets or those of the network.
pub(super) fn flowspec(flowspec: &Flowspec) -> String {
    let service = match flowspec.service.service_type {
        ServiceType::NoTraffic => "no traffic",
        ServiceType::BestEffort => "best effort",
        ServiceType::ControlledLoad => "Controlled-Load",
        ServiceType::Guaranteed => "Guaranteed",
        ServiceType::NetworkUnavailable => "network unavailable",
        ServiceType::GeneralInformation => "any service",
        ServiceType::NoChange => "no change",
        ServiceType::NonConforming => "non-conforming",
        ServiceType::NetworkControl => "network control",
        ServiceType::Qualitative => "qualitative",
    };
    match flowspec.token_rate.filter(|rate| *rate > 0) {
        Some(rate) => format!("{service} {}", show_rate(f64::from(rate) * 8.0)),
        None => service.to_owned(),
    }
}

/// What the network did for a socket.
pub(super) fn told(told: &FdQos) -> String {
    let mut words = told.status.to_string();
    let said = [&told.sending, &told.receiving];
    for direction in said.into_iter().filter(|said| said.service.service_type != ServiceType::NoChange) {
        words += &format!(": {}", flowspec(direction));
    }
    if !told.senders.is_empty() {
        let senders: Vec<FilterSpec> = told.senders.iter().map(|sender| sender.0).collect();
        words += &format!(" for {}", filters(&senders));
    }
    if told.class != ErrorClass::NO_ERRORCODE {
        words += &format!(" ({} {}", told.class.0, told.value);
        if let Some(fault) = &told.fault {
            words += &format!(", found by {}", fault.node);
        }
        words.push(')');
    }
    if let Some(why) = &told.undelivered {
        words += &format!(": not delivered: {why}");
    }
    words += &carried(&Carried::from(&told.carried));
    if told.lost > 0 {
        words += &format!("; {} notifications were lost before", told.lost);
    }
    words
}

/// A previous or next hop, or an application of this node.
fn hop(hop: &str, interface: Option<&str>) -> String {
    interface.map_or_else(|| hop.to_owned(), |interface| format!("{hop} ({interface})"))
}

/// A message, as far as it could be read.
fn message(of: &MessageRow, way: &str) -> String {
    let MessageRow { message, interface, peer, session, sender } = of;
    let session = session.map_or_else(String::new, |session| format!("{session}: "));
    let sender = sender.map_or_else(String::new, |sender| format!(" of {sender}"));
    let on = interface.as_ref().map_or_else(String::new, |interface| format!(" ({interface})"));
    format!("{session}{message}{sender} {way} {peer}{on}")
}

pub(super) fn watched(watched: &Watched) -> String {
    match watched {
        Watched::Application { application, event: said } => {
            format!("application {application}, {}: {}", said.session, event(&said.kind))
        }
        Watched::Reserved(row) => format!(
            "{}: {} reserved on {}: {} {} for {}",
            row.session,
            show_rate(row.charge_bps as f64),
            row.interface,
            row.style,
            service(&row.flowspec),
            filters(&row.filters)
        ),
        Watched::SenderArrived(row) => {
            let from = hop(&row.previous_hop, row.interface.as_deref());
            let to = match (&row.not_forwarded, row.outgoing.as_slice()) {
                (Some(why), _) => format!("not forwarded: {why}"),
                (None, []) => "for this node".to_owned(),
                (None, to) => format!("to {}", to.join(", ")),
            };
            format!("{}: path of {} from {from}, {to}: {}", row.session, row.sender, traffic(&row.traffic))
        }
        Watched::SenderGone(row) => {
            let from = hop(&row.previous_hop, row.interface.as_deref());
            format!("{}: path of {} from {from} is gone", row.session, row.sender)
        }
        Watched::RequestArrived(row) => {
            let flow = |flow: &Flow| format!("{} for {}", service(&flow.flowspec), filters(&flow.filters));
            let flows: Vec<_> = row.flows.iter().map(flow).collect();
            let from = hop(&row.next_hop, row.interface.as_deref());
            format!("{}: {from} asks for {} {}", row.session, row.style, flows.join(", "))
        }
        Watched::RequestGone(row) => {
            format!(
                "{}: {} asks for nothing any more",
                row.session,
                hop(&row.next_hop, row.interface.as_deref())
            )
        }
        Watched::Unreserved(row) => format!(
            "{}: {} on {} free again: {} for {}",
            row.session,
            show_rate(row.charge_bps as f64),
            row.interface,
            row.style,
            filters(&row.filters)
        ),
        other => of_message(other),
    }
}

/// What happened to a message.
fn of_message(watched: &Watched) -> String {
    match watched {
        Watched::Message { direction, of, error } => {
            let way = match direction {
                Direction::Received => "received from",
                Direction::Sent => "sent to",
            };
            let error = error.as_ref().map_or_else(String::new, |error| format!(": {}", fault(error)));
            format!("{}{error}", message(of, way))
        }
        Watched::Discarded(Discarded { of, cause, meaning, answer, left_out }) => {
            let answer =
                answer.as_ref().map_or_else(String::new, |answer| format!("; answered: {}", answer.meaning));
            let more = if *left_out > 0 { format!("; {left_out} more before") } else { String::new() };
            format!("discarded ({cause}): {}: {meaning}{answer}{more}", message(of, "from"))
        }
        Watched::Undelivered { of, why } => {
            format!("not delivered: {}: {}", message(of, "returned by"), why.meaning)
        }
        Watched::Policy(event) => format!("policies: {} ({})", event.message, event.number),
        _ => String::new(),
    }
}
