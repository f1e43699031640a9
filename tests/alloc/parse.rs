//! Parsing and writing do not allocate: a Path of 172 octets, all objects read into their types and written again.

use std::hint::black_box;

use rsvp_wire::{
    AdspecSummary, GeneralParams, GuaranteedParams, Message, MessageWriter, MsgType, RsvpHop, SenderTemplate,
    SenderTspec, ServiceParams, Session, TimeValues, Tspec, show,
};

use crate::counting::allocations;

fn path(buffer: &mut [u8]) -> &mut [u8] {
    let tspec = Tspec {
        rate: 250_000.0,
        bucket: 3000.0,
        peak: 500_000.0,
        min_policed_unit: 64,
        max_packet_size: 1500,
    };
    let global = GeneralParams { break_bit: false, hops: 3, bandwidth: 1.25e8, latency_us: 500, mtu: 1500 };
    let adspec = AdspecSummary {
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
    };
    let mut writer = MessageWriter::new(buffer, MsgType::PATH, 63);
    writer
        .put(&Session::new([10, 0, 2, 2].into(), 17, 5000))
        .put(&RsvpHop { address: [10, 0, 12, 1].into(), lih: 1 })
        .put(&TimeValues { refresh_ms: 30_000 })
        .put(&SenderTemplate(rsvp_wire::FilterSpec::new([10, 0, 1, 1].into(), 4000)))
        .put(&SenderTspec::from(tspec))
        .put(&adspec);
    writer.finish().expect("room for a Path")
}

#[test]
fn the_counter_counts() {
    let (count, boxed) = allocations(|| Box::new(black_box(7)));
    assert_eq!((count, *boxed), (1, 7));
    let (count, _) = allocations(|| {
        let mut list = Vec::with_capacity(1);
        list.extend(black_box([1, 2, 3]));
        list
    });
    assert_eq!(count, 2, "an allocation and a reallocation");
}

#[test]
fn reading_and_writing_a_path_allocates_nothing() {
    let mut buffer = [0; 256];
    let (count, octets) = allocations(|| path(&mut buffer));
    assert_eq!((count, octets.len()), (0, 172));
    let (count, read) = allocations(|| {
        let message = Message::parse(black_box(octets)).ok()?;
        Some((
            message.get::<Session>()?.ok()?,
            message.get::<RsvpHop>()?.ok()?,
            message.get::<TimeValues>()?.ok()?,
            message.get::<SenderTemplate>()?.ok()?,
            message.get::<SenderTspec>()?.ok()?,
            message.get::<AdspecSummary>()?.ok()?,
        ))
    });
    let read = read.expect("all six objects");
    assert_eq!(count, 0);
    assert_eq!((read.0.port(), read.5.global.hops), (5000, 3));
}

#[test]
fn refusing_and_showing_allocate_nothing() {
    struct Discard(usize);
    impl std::fmt::Write for Discard {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0 += text.len();
            Ok(())
        }
    }
    let mut buffer = [0; 256];
    let octets = path(&mut buffer);
    let mut shown = Discard(0);
    let (count, result) = allocations(|| {
        let message = Message::parse(octets).expect("sound");
        std::fmt::write(&mut shown, format_args!("{}", show::tree(&message)))
    });
    assert_eq!((count, result), (0, Ok(())));
    assert!(shown.0 > 172);
    let cut = octets.len() - 1;
    let (count, error) = allocations(|| Message::parse(&octets[..cut]).err());
    assert!(count == 0 && error.is_some());
}
