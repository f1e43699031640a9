//! What goes into an engine, routing's answers among it, as JSON, and back.

use crate::{
    AdspecOffer, AppId, Carried, Claim, Command, FlowKey, FlowRequest, Held, HopSources, Input, Interface,
    InterfaceId, ReservationId, Route, RouteAnswer, RouteQuery, Rx, Shares, TcAnswer, TcVerdict,
};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;
use rsvp_wire::{
    Class, FilterSpec, Flowspec, Message, MessageWriter, MsgType, Object, SenderTemplate, SenderTspec,
    Session, Style,
};
use serde_json::{Value, json};

pub(super) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks_exact(2);
    digits.map(|pair| u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// Objects in a message of no particular type: its only use is that it can be read again.
#[derive(Default)]
pub(super) struct Objects(Vec<u8>);

impl Objects {
    pub(super) fn put<'a, T: Object<'a>>(mut self, object: &T) -> Self {
        let mut buffer = vec![0; 4096];
        let mut writer = MessageWriter::new(&mut buffer, MsgType::PATH, 1);
        writer.put(object);
        if let Ok(message) = writer.finish() {
            self.0.extend_from_slice(&message[8..]);
        }
        self
    }

    pub(super) fn copy(mut self, objects: &[u8]) -> Self {
        self.0.extend_from_slice(objects);
        self
    }

    pub(super) fn hex(&self) -> String {
        hex(&self.0)
    }

    fn read(text: &Value) -> Option<Vec<u8>> {
        let objects = unhex(text.as_str()?)?;
        let mut buffer = vec![0; objects.len() + 8];
        let mut writer = MessageWriter::new(&mut buffer, MsgType::PATH, 1);
        writer.copy(&objects);
        writer.finish().ok().map(|message| message.to_vec())
    }
}

pub(super) fn write(input: &Input<'_>) -> Value {
    match input {
        Input::Packet(rx) => json!({
            "packet": hex(rx.octets), "interface": rx.interface.0, "source": rx.source,
            "destination": rx.destination, "ttl": rx.ttl,
        }),
        Input::Command(command) => write_command(command),
        Input::InterfaceChanged(i) => json!({
            "interface": i.id.0, "lih": i.lih, "ipv4": i.ipv4, "ipv6": i.ipv6, "up": i.up, "enabled": i.enabled,
            "mtu": i.mtu, "bandwidth_bps": i.bandwidth_bps, "reservable_bps": i.reservable_bps,
            "latency_us": i.latency_us, "error_c": i.error_c, "error_d_us": i.error_d_us,
            "refresh_us": i.refresh.as_micros() as u64, "lifetime_multiplier": i.lifetime_multiplier,
            "slew_max_percent": i.slew_max_percent, "repair_wait_us": i.local_repair_wait.as_micros() as u64,
            "non_rsvp_hops": i.non_rsvp_hops.word(), "enforces": i.enforces,
            "overhead": i.overhead, "subnets": i.subnets, "others": i.others, "proxies": i.proxies,
            "hop_sources": i.hop_sources.word(), "earlier_lihs": i.earlier_lihs,
            "shares": [i.shares.guaranteed_bps, i.shares.controlled_load_bps, i.shares.flow_bps],
        }),
        Input::Held(Held { interface, session, guaranteed, bps }) => {
            let objects = Objects::default().put(session).hex();
            json!({ "held": bps, "on": interface.0, "guaranteed": guaranteed, "objects": objects })
        }
        Input::RouteChanged { destination } => json!({ "route_changed": destination }),
        Input::TrafficControl(answer) => {
            let verdict = match answer.verdict {
                TcVerdict::Failed => json!("failed"),
                TcVerdict::Unfit { value } => json!({ "unfit": value }),
                TcVerdict::Preempted => json!("preempted"),
                TcVerdict::Reduced { rate } => json!(rate.to_bits()),
            };
            let id = answer.reservation;
            json!({ "traffic_control": verdict, "index": id.index, "generation": id.generation })
        }
        Input::Timer => json!("timer"),
    }
}

fn write_command(command: &Command<'_>) -> Value {
    let about = |word: &str, app: &AppId, objects: Objects| json!({ "command": word, "app": app.0, "objects": objects.hex() });
    let with = |mut value: Value, key: &str, what: Value| {
        value[key] = what;
        value
    };
    let session = |session: &Session| Objects::default().put(session);
    match command {
        Command::OpenSession { app, session: s } => about("open", app, session(s)),
        Command::RemoveSender { app, session: s, sender } => {
            about("remove-sender", app, session(s).put(sender))
        }
        Command::ReleaseReservation { app, session: s } => about("release-reservation", app, session(s)),
        Command::Release { app, session: s } => about("release", app, session(s)),
        Command::Claim(Claim { flow, interface, flowspec }) => {
            let objects = flowspec.map(|flowspec| Objects::default().put(&flowspec).hex());
            json!({ "claim": flow, "on": interface.0, "objects": objects })
        }
        Command::Sender { app, session: s, sender, tspec, adspec, ttl, interface, carried } => {
            let value = about("sender", app, session(s).put(sender).put(&SenderTspec::from(*tspec)));
            let value =
                with(value, "adspec", json!(adspec.map(|a| (a.guaranteed, a.controlled_load, a.null))));
            let value = with(with(value, "ttl", json!(ttl)), "interface", json!(interface.map(|i| i.0)));
            with_carried(value, *carried)
        }
        Command::Reserve { app, session: s, style, flows, confirm, interface, carried } => {
            let mut objects = session(s).put(style);
            for flow in *flows {
                objects = objects.put(&flow.flowspec);
                objects = flow.filters.iter().fold(objects, |objects, filter| objects.put(filter));
            }
            let value = with(about("reserve", app, objects), "confirm", json!(confirm));
            with_carried(with(value, "interface", json!(interface.map(|i| i.0))), *carried)
        }
    }
}

/// Only where there is something: a journal of an engine that had no word for it stays what it is.
fn with_carried(mut value: Value, carried: Option<&Carried>) -> Value {
    if let Some(carried) = carried.filter(|carried| !carried.is_empty()) {
        value["carried"] = json!(hex(carried.objects()));
    }
    value
}

fn read_carried(value: &Value) -> Option<Carried> {
    match value["carried"].as_str() {
        Some(text) => Carried::of_objects(&unhex(text)?),
        None => Some(Carried::default()),
    }
}

/// An input read from a journal, which owns what it is about.
#[derive(Clone, Debug)]
pub(super) enum Kept {
    Packet {
        interface: InterfaceId,
        source: IpAddr,
        destination: IpAddr,
        ttl: u8,
        octets: Vec<u8>,
    },
    Reserve {
        app: AppId,
        session: Session,
        style: Style,
        flows: Vec<(Flowspec, Vec<FilterSpec>)>,
        confirm: bool,
        interface: Option<InterfaceId>,
        carried: Carried,
    },
    /// A SENDER call, without what it carries, and that.
    Sender(Command<'static>, Carried),
    Other(Input<'static>),
}

impl Kept {
    /// Hands the input on.
    pub(super) fn with<T>(&self, take: impl FnOnce(Input<'_>) -> T) -> T {
        match self {
            Self::Packet { interface, source, destination, ttl, octets } => take(Input::Packet(Rx {
                interface: *interface,
                source: *source,
                destination: *destination,
                ttl: *ttl,
                octets,
            })),
            Self::Sender(command, own) => {
                let mut command: Command<'_> = *command;
                if let Command::Sender { carried, .. } = &mut command {
                    *carried = Some(own);
                }
                take(Input::Command(command))
            }
            Self::Reserve { app, session, style, flows, confirm, interface, carried } => {
                let flows: Vec<FlowRequest<'_>> = flows
                    .iter()
                    .map(|(flowspec, filters)| FlowRequest { flowspec: *flowspec, filters })
                    .collect();
                take(Input::Command(Command::Reserve {
                    app: *app,
                    session: *session,
                    style: *style,
                    flows: &flows,
                    confirm: *confirm,
                    interface: *interface,
                    carried: Some(carried),
                }))
            }
            Self::Other(input) => take(input.clone()),
        }
    }
}

fn number<T: TryFrom<u64>>(value: &Value) -> Option<T> {
    value.as_u64().and_then(|n| T::try_from(n).ok())
}

fn interface(value: &Value) -> Option<InterfaceId> {
    number(value).map(InterfaceId)
}

/// Reads an input; nothing if it makes no sense.
pub(super) fn read(value: &Value) -> Option<Kept> {
    if value == "timer" {
        return Some(Kept::Other(Input::Timer));
    }
    if let Some(octets) = value["packet"].as_str() {
        return Some(Kept::Packet {
            interface: interface(&value["interface"])?,
            source: value["source"].as_str()?.parse().ok()?,
            destination: value["destination"].as_str()?.parse().ok()?,
            ttl: number(&value["ttl"])?,
            octets: unhex(octets)?,
        });
    }
    if let Some(bps) = value.get("held") {
        let octets = Objects::read(&value["objects"])?;
        let session = Message::parse(&octets).ok()?.get::<Session>()?.ok()?;
        let (interface, guaranteed) = (interface(&value["on"])?, value["guaranteed"].as_bool()?);
        let held = Held { interface, session, guaranteed, bps: number(bps)? };
        return Some(Kept::Other(Input::Held(held)));
    }
    if let Some(flow) = value.get("claim") {
        let flowspec = match value["objects"].is_null() {
            true => None,
            false => Some(Message::parse(&Objects::read(&value["objects"])?).ok()?.get::<Flowspec>()?.ok()?),
        };
        let claim = Claim { flow: number(flow)?, interface: interface(&value["on"])?, flowspec };
        return Some(Kept::Other(Input::Command(Command::Claim(claim))));
    }
    if let Some(destination) = value.get("route_changed") {
        let destination = match destination.as_str() {
            Some(text) => Some(text.parse().ok()?),
            None => None,
        };
        return Some(Kept::Other(Input::RouteChanged { destination }));
    }
    if let Some(verdict) = value.get("traffic_control") {
        let verdict = match verdict.as_str() {
            Some("failed") => TcVerdict::Failed,
            Some("preempted") => TcVerdict::Preempted,
            Some(_) => return None,
            None if verdict.is_object() => TcVerdict::Unfit { value: number(&verdict["unfit"])? },
            None => TcVerdict::Reduced { rate: f32::from_bits(number(verdict)?) },
        };
        let id = ReservationId { index: number(&value["index"])?, generation: number(&value["generation"])? };
        return Some(Kept::Other(Input::TrafficControl(TcAnswer { reservation: id, verdict })));
    }
    match value["command"].as_str() {
        Some(word) => read_command(word, value),
        None => read_interface(value).map(|interface| Kept::Other(Input::InterfaceChanged(interface))),
    }
}

fn read_command(word: &str, value: &Value) -> Option<Kept> {
    let octets = Objects::read(&value["objects"])?;
    let message = Message::parse(&octets).ok()?;
    let app = AppId(number(&value["app"])?);
    let session: Session = message.get()?.ok()?;
    let sender = || message.get::<SenderTemplate>()?.ok();
    Some(Kept::Other(Input::Command(match word {
        "open" => Command::OpenSession { app, session },
        "remove-sender" => Command::RemoveSender { app, session, sender: sender()? },
        "release-reservation" => Command::ReleaseReservation { app, session },
        "release" => Command::Release { app, session },
        "sender" => {
            let command = read_sender(app, session, &message, value)?;
            return Some(Kept::Sender(command, read_carried(value)?));
        }
        "reserve" => {
            let mut flows: Vec<(Flowspec, Vec<FilterSpec>)> = Vec::new();
            for object in message.objects() {
                match object.class {
                    Class::FLOWSPEC => flows.push((object.read().ok()?, Vec::new())),
                    Class::FILTER_SPEC => flows.last_mut()?.1.push(object.read().ok()?),
                    _ => {}
                }
            }
            let (style, confirm) = (message.get()?.ok()?, value["confirm"].as_bool()?);
            let interface = interface(&value["interface"]);
            let carried = read_carried(value)?;
            return Some(Kept::Reserve { app, session, style, flows, confirm, interface, carried });
        }
        _ => return None,
    })))
}

fn read_sender(
    app: AppId,
    session: Session,
    message: &Message<'_>,
    value: &Value,
) -> Option<Command<'static>> {
    Some(Command::Sender {
        app,
        session,
        sender: message.get::<SenderTemplate>()?.ok()?,
        tspec: message.get::<SenderTspec>()?.ok()?.0,
        adspec: value["adspec"].as_array().and_then(|offer| {
            Some(AdspecOffer {
                guaranteed: offer.first()?.as_bool()?,
                controlled_load: offer.get(1)?.as_bool()?,
                null: offer.get(2)?.as_bool()?,
            })
        }),
        ttl: number(&value["ttl"])?,
        interface: interface(&value["interface"]),
        carried: None,
    })
}

fn read_interface(value: &Value) -> Option<Interface> {
    let mut read = Interface::new(interface(&value["interface"])?);
    read.lih = number(&value["lih"])?;
    read.ipv4 = value["ipv4"].as_str().and_then(|text| text.parse::<Ipv4Addr>().ok());
    read.ipv6 = value["ipv6"].as_str().and_then(|text| text.parse::<Ipv6Addr>().ok());
    (read.up, read.enabled) = (value["up"].as_bool()?, value["enabled"].as_bool()?);
    (read.mtu, read.latency_us) = (number(&value["mtu"])?, number(&value["latency_us"])?);
    (read.bandwidth_bps, read.reservable_bps) =
        (number(&value["bandwidth_bps"])?, number(&value["reservable_bps"])?);
    (read.error_c, read.error_d_us) = (number(&value["error_c"])?, number(&value["error_d_us"])?);
    read.refresh = Duration::from_micros(number(&value["refresh_us"])?);
    read.slew_max_percent = number(&value["slew_max_percent"])?;
    read.local_repair_wait = Duration::from_micros(number(&value["repair_wait_us"])?);
    read.lifetime_multiplier = number(&value["lifetime_multiplier"])?;
    read.non_rsvp_hops = value["non_rsvp_hops"].as_str()?.parse().ok()?;
    read.overhead = value["overhead"].as_u64().map_or(Some(0), |octets| u32::try_from(octets).ok())?;
    if let Some([guaranteed, controlled_load, flow]) = value["shares"].as_array().map(Vec::as_slice) {
        let (guaranteed_bps, controlled_load_bps) = (number(guaranteed)?, number(controlled_load)?);
        read.shares = Shares { guaranteed_bps, controlled_load_bps, flow_bps: number(flow)? };
    }
    // Nor did these look at sources.
    read.proxies = value["proxies"].as_bool().unwrap_or(true);
    read.hop_sources =
        value["hop_sources"].as_str().map_or(Some(HopSources::Never), |word| word.parse().ok())?;
    read.earlier_lihs = serde_json::from_value(value["earlier_lihs"].clone()).unwrap_or_default();
    read.subnets = serde_json::from_value(value["subnets"].clone()).unwrap_or_default();
    read.others = serde_json::from_value(value["others"].clone()).unwrap_or_default();
    // Journals of before there was such a thing are of interfaces that enforce.
    read.enforces = value["enforces"].as_bool().unwrap_or(true);
    Some(read)
}

/// A question to routing and its answer.
pub(super) fn answer(query: &RouteQuery, answer: &RouteAnswer) -> Value {
    let answer = match answer {
        RouteAnswer::Known(route) => {
            let out: Vec<u32> = route.outgoing.iter().map(|i| i.0).collect();
            json!({ "in": route.incoming.map(|i| i.0), "out": out })
        }
        RouteAnswer::NoRoute => json!("no-route"),
        RouteAnswer::Pending => json!("pending"),
    };
    let mut written = json!({ "destination": query.destination, "source": query.source, "answer": answer });
    let FlowKey { protocol, source_port, destination_port, flow_label, incoming } = query.flow;
    if query.flow != FlowKey::default() {
        written["flow"] = json!([protocol, source_port, destination_port, flow_label, incoming.map(|i| i.0)]);
    }
    written
}

/// Whether a question that is asked now is the one that a journal has.
pub(super) fn is_same_question(asked: &RouteQuery, kept: &Value) -> bool {
    let now = answer(asked, &RouteAnswer::Pending);
    ["destination", "source", "flow"].iter().all(|key| now.get(key) == kept.get(key))
}

/// An answer read back.
pub(super) fn read_answer(value: &Value) -> Option<RouteAnswer> {
    let answer = &value["answer"];
    Some(match answer.as_str() {
        Some("no-route") => RouteAnswer::NoRoute,
        Some("pending") => RouteAnswer::Pending,
        Some(_) => return None,
        None => {
            let outgoing = answer["out"].as_array()?.iter().map(interface).collect::<Option<_>>()?;
            RouteAnswer::Known(Route { incoming: interface(&answer["in"]), outgoing })
        }
    })
}
