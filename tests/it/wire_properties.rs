//! Properties of the wire layer: what is built parses to the same values, what is parsed re-writes to the same
//! octets, and no octets whatsoever make it panic.

use std::net::IpAddr;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use rsvp_wire::{
    AdspecSummary, ErrorCode, ErrorSpec, FilterSpec, Flowspec, GeneralParams, GuaranteedParams, Message,
    MessageWriter, MsgType, Object, Overrides, ResvConfirm, Rspec, RsvpHop, Scan, SenderTemplate,
    SenderTspec, ServiceParams, Session, Style, TimeValues, Tspec, checksum, rewrite,
};

fn filter() -> impl Strategy<Value = FilterSpec> {
    prop_oneof![
        (any::<IpAddr>(), any::<u16>()).prop_map(|(address, port)| FilterSpec::new(address, port)),
        (any::<IpAddr>(), any::<u32>()).prop_map(|(address, spi)| FilterSpec::gpi(address, spi)),
        (any::<std::net::Ipv6Addr>(), any::<u8>(), 0u32..1 << 24)
            .prop_map(|(address, reserved, label)| FilterSpec::Ipv6FlowLabel { address, reserved, label }),
    ]
}

fn tspec() -> impl Strategy<Value = Tspec> {
    let peak = prop_oneof![0f32..1e12, Just(f32::INFINITY)];
    (0f32..1e12, 0f32..1e12, peak, 1u32..=u32::MAX)
        .prop_flat_map(|(rate, bucket, peak, m)| (Just((rate, bucket, peak, m)), m..=u32::MAX))
        .prop_map(|((rate, bucket, peak, min_policed_unit), max_packet_size)| Tspec {
            rate,
            bucket,
            peak,
            min_policed_unit,
            max_packet_size,
        })
}

fn flowspec() -> impl Strategy<Value = Flowspec> {
    (tspec(), option::of((0f32..1e12, any::<u32>()))).prop_map(|(tspec, rspec)| match rspec {
        None => Flowspec::ControlledLoad(tspec),
        Some((rate, slack)) => Flowspec::Guaranteed(tspec, Rspec { rate, slack }),
    })
}

fn overrides() -> impl Strategy<Value = Overrides> {
    (option::of(any::<u32>()), option::of(0f32..1e12), option::of(any::<u32>()), option::of(any::<u32>()))
        .prop_map(|(hops, bandwidth, latency_us, mtu)| Overrides { hops, bandwidth, latency_us, mtu })
}

fn adspec() -> impl Strategy<Value = AdspecSummary> {
    let global = (any::<bool>(), any::<u32>(), 0f32..1e12, any::<u32>(), any::<u32>()).prop_map(
        |(break_bit, hops, bandwidth, latency_us, mtu)| GeneralParams {
            break_bit,
            hops,
            bandwidth,
            latency_us,
            mtu,
        },
    );
    let guaranteed = (any::<(bool, u32, u32, u32, u32)>(), overrides()).prop_map(
        |((break_bit, ctot, dtot, csum, dsum), overrides)| GuaranteedParams {
            break_bit,
            ctot,
            dtot,
            csum,
            dsum,
            overrides,
        },
    );
    let controlled_load = (any::<bool>(), overrides())
        .prop_map(|(break_bit, overrides)| ServiceParams { break_bit, overrides });
    (global, option::of(guaranteed), option::of(controlled_load)).prop_map(
        |(global, guaranteed, controlled_load)| AdspecSummary {
            global,
            guaranteed,
            controlled_load,
            null: None,
        },
    )
}

#[derive(Debug, Clone)]
struct Built {
    session: Session,
    hop: RsvpHop,
    time: TimeValues,
    confirm: ResvConfirm,
    error: ErrorSpec,
    style: Style,
    template: SenderTemplate,
    tspec: SenderTspec,
    adspec: AdspecSummary,
    flowspec: Flowspec,
    filter: FilterSpec,
    unknown: Vec<u32>,
}

fn built() -> impl Strategy<Value = Built> {
    let session = (any::<IpAddr>(), any::<u8>(), any::<u16>(), any::<u8>())
        .prop_map(|(address, protocol, port, flags)| Session::new(address, protocol, port).with_flags(flags));
    let error = (any::<IpAddr>(), any::<u8>(), any::<u8>(), any::<u16>())
        .prop_map(|(node, flags, code, value)| ErrorSpec { node, flags, code: ErrorCode(code), value });
    let style = (any::<u8>(), 0u32..1 << 24).prop_map(|(flags, options)| Style { flags, options });
    let small = (session, any::<(IpAddr, u32)>(), any::<u32>(), any::<IpAddr>(), error, style, filter());
    let large = (tspec(), adspec(), flowspec(), filter(), vec(any::<u32>(), 0..8));
    (small, large).prop_map(|(small, large)| {
        let (session, (address, lih), refresh_ms, receiver, error, style, template) = small;
        let (tspec, adspec, flowspec, filter, unknown) = large;
        Built {
            session,
            hop: RsvpHop { address, lih },
            time: TimeValues { refresh_ms },
            confirm: ResvConfirm { address: receiver },
            error,
            style,
            template: SenderTemplate(template),
            tspec: SenderTspec::from(tspec),
            adspec,
            flowspec,
            filter,
            unknown,
        }
    })
}

/// All objects of `built` in one message, grammar or not, and an object of an unknown class.
fn write(built: &Built) -> Vec<u8> {
    let mut unknown = vec![0, 4 + 4 * built.unknown.len() as u8, 207, 1];
    unknown.extend(built.unknown.iter().flat_map(|word| word.to_be_bytes()));
    let mut buffer = [0xaa; 1024];
    let mut writer = MessageWriter::new(&mut buffer, MsgType::PATH, 64);
    writer.put(&built.session).put(&built.hop).put(&built.time).put(&built.confirm).put(&built.error);
    writer.put(&built.style).put(&built.template).put(&built.tspec).put(&built.adspec);
    writer.put(&built.flowspec).put(&built.filter).copy(&unknown);
    writer.finish().expect("room for all objects").to_vec()
}

#[track_caller]
fn same<'a, T: Object<'a> + PartialEq + std::fmt::Debug>(message: &Message<'a>, value: &T) {
    assert_eq!(message.get::<T>().expect("an object of the class").as_ref(), Ok(value));
}

proptest! {
    #[test]
    fn what_is_built_parses_to_the_same(built in built()) {
        let octets = write(&built);
        let message = Message::parse(&octets).unwrap();
        same(&message, &built.session);
        same(&message, &built.hop);
        same(&message, &built.time);
        same(&message, &built.confirm);
        same(&message, &built.error);
        same(&message, &built.style);
        same(&message, &built.template);
        same(&message, &built.tspec);
        same(&message, &built.adspec);
        same(&message, &built.flowspec);
        same(&message, &built.filter);
        prop_assert_eq!(message.objects().count(), 12);
        let mut buffer = [0; 1024];
        let length = rewrite(&message, &mut buffer).unwrap();
        prop_assert_eq!(&buffer[..length], &octets[..]);
    }

    #[test]
    fn any_octets_are_no_panic(octets in vec(any::<u8>(), 0..200)) {
        rsvp_fuzz::message(&octets);
        rsvp_fuzz::roundtrip(&octets);
    }

    #[test]
    fn the_checksum_is_the_sum_of_16_bit_words(octets in vec(any::<u8>(), 0..300)) {
        let mut sum = 0u64;
        for (at, octet) in octets.iter().enumerate().filter(|(at, _)| *at != 2 && *at != 3) {
            sum += u64::from(*octet) << if at % 2 == 0 { 8 } else { 0 };
        }
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        prop_assert_eq!(checksum(&octets), !(sum as u16));
    }

    #[test]
    fn a_scan_and_a_parse_agree(octets in vec(any::<u8>(), 0..64)) {
        let mut octets = octets;
        if octets.len() >= 8 {
            let length = octets.len() as u16;
            octets[0] = 0x10;
            octets[2..4].fill(0);
            octets[6..8].copy_from_slice(&length.to_be_bytes());
        }
        prop_assert_eq!(Message::parse(&octets).err(), Scan::new(&octets).error());
    }

    #[test]
    fn text_forms_read_back(session in (any::<IpAddr>(), any::<u8>(), any::<u16>()), filter in filter()) {
        for session in [Session::new(session.0, session.1, session.2), Session::gpi(session.0, session.1, session.2)] {
            prop_assert_eq!(session.to_string().parse::<Session>(), Ok(session));
        }
        let text = filter.to_string();
        let filter = match filter {
            FilterSpec::Ipv6FlowLabel { address, label, .. } => FilterSpec::Ipv6FlowLabel { address, reserved: 0, label },
            other => other,
        };
        prop_assert_eq!(text.parse::<FilterSpec>(), Ok(filter));
    }
}

proptest! {
    // Each case tries every octet of a message of some 500.
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn damage_is_noticed_or_harmless_and_never_a_panic(built in built(), flip in 1u8..) {
        let octets = write(&built);
        for end in 0..octets.len() {
            prop_assert!(Message::parse(&octets[..end]).is_err());
            rsvp_fuzz::message(&octets[..end]);
        }
        for at in 0..octets.len() {
            let mut octets = octets.clone();
            octets[at] ^= flip;
            // No single octet can change without the checksum noticing, unless it is the version or a length.
            prop_assert!(Message::parse(&octets).is_err());
            rsvp_fuzz::message(&octets);
            // The same without a checksum reaches the objects.
            octets[2..4].fill(0);
            rsvp_fuzz::message(&octets);
            rsvp_fuzz::roundtrip(&octets);
        }
    }
}
