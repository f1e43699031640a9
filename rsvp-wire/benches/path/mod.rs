//! A Path of 172 octets: SESSION, RSVP_HOP, TIME_VALUES, SENDER_TEMPLATE, SENDER_TSPEC, and an ADSPEC with the general,
//! Guaranteed and Controlled-Load fragments; read and written whole.

use std::hint::black_box;

use rsvp_wire::{
    AdspecSummary, Class, FilterSpec, GeneralParams, GuaranteedParams, Message, MessageWriter, MsgType,
    NeedSpace, ParseError, RsvpHop, SenderTemplate, SenderTspec, ServiceParams, Session, TimeValues, Tspec,
};

/// What is in it.
pub(crate) struct Path {
    session: Session,
    hop: RsvpHop,
    time: TimeValues,
    template: SenderTemplate,
    tspec: SenderTspec,
    adspec: AdspecSummary,
}

/// All objects read into their types, each value kept from being optimised away.
pub(crate) fn read(octets: &[u8]) -> Result<(), ParseError> {
    for object in Message::parse(octets)?.objects() {
        match object.class {
            Class::SESSION => {
                black_box(object.read::<Session>()?);
            }
            Class::RSVP_HOP => {
                black_box(object.read::<RsvpHop>()?);
            }
            Class::TIME_VALUES => {
                black_box(object.read::<TimeValues>()?);
            }
            Class::SENDER_TEMPLATE => {
                black_box(object.read::<SenderTemplate>()?);
            }
            Class::SENDER_TSPEC => {
                black_box(object.read::<SenderTspec>()?);
            }
            Class::ADSPEC => {
                black_box(object.read::<AdspecSummary>()?);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Every object from its type.
pub(crate) fn write<'b>(path: &Path, buffer: &'b mut [u8]) -> Result<&'b mut [u8], NeedSpace> {
    let mut writer = MessageWriter::new(buffer, MsgType::PATH, 63);
    writer.put(&path.session).put(&path.hop).put(&path.time);
    writer.put(&path.template).put(&path.tspec).put(&path.adspec);
    writer.finish()
}

/// A Path as a first hop sends it.
pub(crate) fn path() -> Path {
    let tspec = Tspec {
        rate: 250_000.0,
        bucket: 3000.0,
        peak: 500_000.0,
        min_policed_unit: 64,
        max_packet_size: 1500,
    };
    let global = GeneralParams { break_bit: false, hops: 3, bandwidth: 1.25e8, latency_us: 500, mtu: 1500 };
    Path {
        session: Session::new([10, 0, 2, 2].into(), 17, 5000),
        hop: RsvpHop { address: [10, 0, 12, 1].into(), lih: 1 },
        time: TimeValues { refresh_ms: 30_000 },
        template: SenderTemplate(FilterSpec::new([10, 0, 1, 1].into(), 4000)),
        tspec: SenderTspec::from(tspec),
        adspec: AdspecSummary {
            global,
            guaranteed: Some(GuaranteedParams {
                ctot: 1,
                dtot: 2,
                csum: 3,
                dsum: 4,
                ..GuaranteedParams::default()
            }),
            controlled_load: Some(ServiceParams::default()),
            null: None,
        },
    }
}
