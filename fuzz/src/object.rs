//! One object of any class and C-Type, and everything that can be done with it.

use rsvp_wire::encode::{self, Lengths};
use rsvp_wire::layout::Status;
use rsvp_wire::{Message, MessageWriter, MsgType, Object, ObjectRef, registry, show};

use crate::again;

/// Octets as class, C-Type and body: the object is shown and made JSON, that is encoded to the same octets, and what
/// its type reads is written to octets that read as the same value.
///
/// # Panics
/// When one of these promises is broken.
pub fn object(octets: &[u8]) {
    let [class, ctype, body @ ..] = octets else { return };
    let body = &body[..body.len().min(4096)];
    let len = 4 + body.len().next_multiple_of(4);
    let mut wire = u16::try_from(len).expect("4100 at most").to_be_bytes().to_vec();
    wire.extend([class, ctype]);
    wire.extend(body);
    wire.resize(len, 0);
    let json = same(&wire);
    // What follows from the rest may come out otherwise than it was; the result is an object like any other.
    if let Ok(computed) = encode::object(&json, Lengths::Computed) {
        same(&computed);
    }
}

/// The JSON of an object, with all that has to hold for it.
fn same(wire: &[u8]) -> serde_json::Value {
    let (object, rest) = ObjectRef::split_first(wire, 0).expect("the header is sound");
    assert!(rest.is_empty());
    shown(&object);
    let text = serde_json::to_vec(&object).expect("any object is JSON");
    let json = serde_json::from_slice(&text).expect("it is JSON");
    assert_eq!(encode::object(&json, Lengths::AsGiven).as_deref(), Ok(wire), "{json}");
    let found = object.check().and_then(|()| object.view().map_or(Ok(()), |view| view.check()));
    assert_eq!(json.get("error").is_some(), found.is_err(), "{json}");
    let typed = registry::row(object.class, object.ctype).is_some_and(|row| row.status == Status::Typed);
    let reads = reads(object);
    assert!(reads || !typed || found.is_err(), "what fits its layout can be read: {json}");
    json
}

/// In one line, and as the tree of a message that has nothing else.
fn shown(object: &ObjectRef<'_>) {
    assert!(!show::object(object).to_string().contains('\n'));
    let len = u16::try_from(8 + object.octets().len()).expect("a short object");
    let mut message = vec![0x10, MsgType::PATH.0, 0, 0, 1, 0];
    message.extend(len.to_be_bytes());
    message.extend(object.octets());
    let message = Message::parse(&message).expect("the object is all of it");
    assert!(show::tree(&message).to_string().lines().count() > 1);
}

/// Reads an object as a declared type, and writes the value to the same octets; but for a C-Type
/// that says nothing, which is sent as zero.
macro_rules! as_it_was {
    ($object:expr, $type:ty) => {
        $object.read::<$type>().is_ok_and(|value| {
            let mut buffer = vec![0xaa; 12 + value.body_len()];
            let mut writer = MessageWriter::new(&mut buffer, MsgType::PATH, 1);
            writer.put(&value);
            let octets = writer.finish().expect("the buffer has the size the value asked for");
            assert_eq!(&octets[12..], $object.body());
            assert!(value.ctype() == $object.ctype || registry::ctype_ignored($object.class));
            true
        })
    };
}

/// Reads an object as a type that is read by hand, which may write it otherwise, but with the same meaning.
macro_rules! alike {
    ($object:expr, $type:ty) => {{
        again!($object, $type);
        $object.read::<$type>().is_ok()
    }};
}

/// Whether any type reads the object.
macro_rules! any {
    ($how:ident $object:expr; $($type:ident),* $(,)?) => {
        [$($how!($object, rsvp_wire::object::$type)),*].contains(&true)
    };
}

#[rustfmt::skip]
fn reads(object: ObjectRef<'_>) -> bool {
    any!(alike object;
        AdspecSummary, ErrorSpec, FilterSpec, Flowspec, ResvConfirm, RsvpHop, Scope, SenderTemplate,
        SenderTspec, Session, Style, TimeValues, UpstreamAdspec, UpstreamFlowspec, UpstreamTspec
    ) | any!(as_it_was object;
        AcceptableLabelSet, AdminStatus, AggregateIpv4FilterSpec, AggregateIpv4SenderTemplate,
        AggregateIpv4Session, AggregateIpv6FilterSpec, AggregateIpv6SenderTemplate, AggregateIpv6Session,
        AggregateVpnIpv4FilterSpec, AggregateVpnIpv4SenderTemplate, AggregateVpnIpv4Session,
        AggregateVpnIpv6FilterSpec, AggregateVpnIpv6SenderTemplate, AggregateVpnIpv6Session, AtmLabelRequest,
        AtmServiceClass, CallAttributes, CallOps, Capability, Challenge, ChannelSetLabel,
        ChannelSetLabelRequest, ChannelSetRecoveryLabel, ChannelSetSuggestedLabel, ChannelSetUpstreamLabel,
        ClassType, Dclass, DiagSelect, DiffservELsp, DiffservLLsp, DsbmTimerIntervals, EgressProtection,
        EnniIpv4Session, EnniIpv6Session, EthernetFlowspec, EthernetSenderTspec, EthernetUpstreamFlowspec,
        EthernetUpstreamTspec, ExcludeRoute, ExplicitRoute, FastReroute, FrameRelayLabelRequest, G709Flowspec,
        G709SenderTspec, G709UpstreamFlowspec, G709UpstreamTspec, GeneralizedLabel, GeneralizedLabelRequest,
        GeneralizedRecoveryLabel, GeneralizedSuggestedLabel, GeneralizedUni, GeneralizedUpstreamLabel,
        GenericAggregateIpv4Session, GenericAggregateIpv6Session, GenericAggregateVpnIpv4Session,
        GenericAggregateVpnIpv6Session, GlobalCallId, GpiIpv4FilterSpec, GpiIpv4SenderTemplate, GpiIpv4Session,
        GpiIpv6FilterSpec, GpiIpv6SenderTemplate, GpiIpv6Session, HelloAck, HelloRequest, HopL2,
        IfIdIpv4AlarmSpec, IfIdIpv4ErrorSpec, IfIdIpv4RsvpHop, IfIdIpv6AlarmSpec, IfIdIpv6ErrorSpec,
        IfIdIpv6RsvpHop, InitialCallId, Integrity, Ipv4Association, Ipv4Detour, Ipv4DiagResponse,
        Ipv4Diagnostic, Ipv4DsbmAddress, Ipv4ExtendedAssociation, Ipv4LanLoopback, Ipv4LanNextHop,
        Ipv4MulticastList, Ipv4NotifyRequest, Ipv4PcnRequest, Ipv4PcnResponse, Ipv4Route, Ipv4SessionOfInterest,
        Ipv4SourceList, Ipv6Association, Ipv6Detour, Ipv6DiagResponse, Ipv6Diagnostic, Ipv6DsbmAddress,
        Ipv6ExtendedAssociation, Ipv6LanLoopback, Ipv6LanNextHop, Ipv6MulticastList, Ipv6NotifyRequest,
        Ipv6PcnRequest, Ipv6PcnResponse, Ipv6Route, Ipv6SessionOfInterest, Ipv6SourceList, Label, LabelRequest,
        LabelSet, LanNextHopL2, LegacyFastReroute, LinkCapability, LspAttributes, LspProtection,
        LspRequiredAttributes, LspTunnelInterfaceId, LspTunnelIpv4FilterSpec, LspTunnelIpv4Interface,
        LspTunnelIpv4SenderTemplate, LspTunnelIpv4Session, LspTunnelIpv6FilterSpec, LspTunnelIpv6Interface,
        LspTunnelIpv6SenderTemplate, LspTunnelIpv6Session, LspTunnelUnnumberedInterface, MessageId,
        MessageIdAck, MessageIdList, MessageIdNack, NodeChar, NonResvSendLimit, OperatorCallId, OtnTdmFlowspec,
        OtnTdmSenderTspec, OtnTdmUpstreamFlowspec, OtnTdmUpstreamTspec, P2mpLspIpv4FilterSpec,
        P2mpLspIpv6FilterSpec, P2mpLspTunnelIpv4SenderTemplate, P2mpLspTunnelIpv4Session,
        P2mpLspTunnelIpv6SenderTemplate, P2mpLspTunnelIpv6Session, P2mpSecondaryExplicitRoute,
        P2mpSecondaryRecordRoute, PolicyData, PrimaryPathRoute, Protection, RecordRoute, RecoveryLabel,
        RestartCap, ReverseLsp, S2lSubLspFragment, S2lSubLspIpv4, S2lSubLspIpv6, SbmPriority,
        SecondaryExplicitRoute, SecondaryRecordRoute, SessionAssoc, SessionAttribute,
        SessionAttributeWithAffinity, SonetSdhFlowspec, SonetSdhSenderTspec, SonetSdhUpstreamFlowspec,
        SonetSdhUpstreamTspec, SsonFlowspec, SsonSenderTspec, SsonUpstreamFlowspec, SsonUpstreamTspec,
        SuggestedLabel, Tclass, UniIpv4Session, UniIpv6Session, UpstreamLabel, UserErrorSpec, VpnIpv4FilterSpec,
        VpnIpv4Hop, VpnIpv4SenderTemplate, VpnIpv4Session, VpnIpv6FilterSpec, VpnIpv6Hop, VpnIpv6SenderTemplate,
        VpnIpv6Session, WavebandLabel, WavebandRecoveryLabel, WavebandSuggestedLabel, WavebandUpstreamLabel
    )
}
