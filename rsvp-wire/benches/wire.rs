//! Reading and writing a Path of 172 octets: SESSION, RSVP_HOP, TIME_VALUES, SENDER_TEMPLATE, SENDER_TSPEC, and an
//! ADSPEC with the general, Guaranteed and Controlled-Load fragments.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use rsvp_wire::{
    AdspecSummary, Class, FilterSpec, GeneralParams, GuaranteedParams, Message, MessageWriter, MsgType,
    ParseError, RsvpHop, SenderTemplate, SenderTspec, ServiceParams, Session, TimeValues, Tspec, checksum,
};

#[derive(Debug, Clone, Default, PartialEq)]
struct Path {
    session: Option<Session>,
    hop: Option<RsvpHop>,
    time: Option<TimeValues>,
    template: Option<SenderTemplate>,
    tspec: Option<SenderTspec>,
    adspec: Option<AdspecSummary>,
}

fn read(octets: &[u8]) -> Result<Path, ParseError> {
    let mut path = Path::default();
    for object in Message::parse(octets)?.objects() {
        match object.class {
            Class::SESSION => path.session = Some(object.read()?),
            Class::RSVP_HOP => path.hop = Some(object.read()?),
            Class::TIME_VALUES => path.time = Some(object.read()?),
            Class::SENDER_TEMPLATE => path.template = Some(object.read()?),
            Class::SENDER_TSPEC => path.tspec = Some(object.read()?),
            Class::ADSPEC => path.adspec = Some(object.read()?),
            _ => {}
        }
    }
    Ok(path)
}

fn write<'b>(path: &Path, buffer: &'b mut [u8]) -> Option<&'b mut [u8]> {
    let mut writer = MessageWriter::new(buffer, MsgType::PATH, 63);
    writer.put(path.session.as_ref()?).put(path.hop.as_ref()?).put(path.time.as_ref()?);
    writer.put(path.template.as_ref()?).put(path.tspec.as_ref()?).put(path.adspec.as_ref()?);
    writer.finish().ok()
}

fn path() -> Path {
    let tspec = Tspec {
        rate: 250_000.0,
        bucket: 3000.0,
        peak: 500_000.0,
        min_policed_unit: 64,
        max_packet_size: 1500,
    };
    let global = GeneralParams { break_bit: false, hops: 3, bandwidth: 1.25e8, latency_us: 500, mtu: 1500 };
    Path {
        session: Some(Session::new([10, 0, 2, 2].into(), 17, 5000)),
        hop: Some(RsvpHop { address: [10, 0, 12, 1].into(), lih: 1 }),
        time: Some(TimeValues { refresh_ms: 30_000 }),
        template: Some(SenderTemplate(FilterSpec::new([10, 0, 1, 1].into(), 4000))),
        tspec: Some(SenderTspec(tspec)),
        adspec: Some(AdspecSummary {
            global,
            guaranteed: Some(GuaranteedParams {
                ctot: 1,
                dtot: 2,
                csum: 3,
                dsum: 4,
                ..GuaranteedParams::default()
            }),
            controlled_load: Some(ServiceParams::default()),
        }),
    }
}

fn wire(criterion: &mut Criterion) {
    let path = path();
    let mut buffer = [0; 256];
    let octets = write(&path, &mut buffer).expect("room for a Path").to_vec();
    assert_eq!((octets.len(), read(&octets)), (172, Ok(path.clone())));
    criterion.bench_function("parse", |bench| bench.iter(|| read(black_box(&octets))));
    criterion.bench_function("write", |bench| {
        bench.iter(|| write(black_box(&path), black_box(&mut buffer)).map(|octets| octets.len()));
    });
    criterion.bench_function("frame", |bench| bench.iter(|| Message::parse(black_box(&octets)).is_ok()));
    criterion.bench_function("checksum", |bench| bench.iter(|| checksum(black_box(&octets))));
}

criterion_group!(benches, wire);
criterion_main!(benches);
