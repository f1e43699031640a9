//! Events, services and traffic in a few words, for people.

use core::time::Duration;
use rsvp_client::qos::{ErrorClass, FdQos, Flowspec, ServiceType};
use rsvp_client::{Carried, Dscp, Event, Fault, Gone, Offer, Service, Traffic, Watched};
use rsvp_node::units::{show_rate, show_time};
use rsvp_wire::FilterSpec;

pub(super) fn traffic(traffic: &Traffic) -> String {
    let peak = traffic.peak_bps.map_or_else(String::new, |peak| format!(" peak {}", show_rate(peak)));
    format!("{} bucket {}B{peak}", show_rate(traffic.rate_bps), traffic.bucket)
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

fn offer(offer: &Offer) -> String {
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
            words +=
                &format!(", Ctot {}B Dtot {}us{}", g.ctot, g.dtot_us, gap(g.is_broken, "Guaranteed service"))
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
    words += &carried(&Carried::from(&told.carried));
    if told.lost > 0 {
        words += &format!("; {} notifications were lost before", told.lost);
    }
    words
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
        Watched::Unreserved(row) => format!(
            "{}: {} on {} free again: {} for {}",
            row.session,
            show_rate(row.charge_bps as f64),
            row.interface,
            row.style,
            filters(&row.filters)
        ),
    }
}
