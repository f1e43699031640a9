//! Row A30, the pure part: base names, installing, replacing, removing.

use super::{g711, sending};
use rsvp_node::qos::template::{BASE_NAMES, TemplateError};
use rsvp_node::qos::{Endpoint, Overhead, Qos, ServiceType, Templates, Transport, sender};

const NAMES: [&str; 8] = ["G711", "G723.1", "G729", "H263QCIF", "H263CIF", "H261QCIF", "H261CIF", "GSM6.10"];

#[test]
fn eight_base_names_are_always_there() {
    assert_eq!(BASE_NAMES, NAMES);
    let templates = Templates::default();
    assert!(templates.names().eq(NAMES));
    for name in NAMES {
        let qos = templates.read(name).expect("a base template");
        assert_eq!(qos.validate(&Endpoint::new(Transport::Udp)), Ok(()), "{name}");
        assert_eq!((qos.sending, &qos.objects[..]), (qos.receiving, &[][..]));
    }
    assert_eq!(templates.read("g711"), Err(TemplateError::NoData));
}

/// The only figures that were published: with headers they are the other published ones.
#[test]
fn g711_has_the_published_figures() {
    let qos = Templates::default().read("G711").expect("a base template");
    assert_eq!(qos.sending, g711(ServiceType::ControlledLoad));
    let overhead = Overhead::of(Transport::Udp, [10, 0, 0, 1].into());
    let tspec = sender::tspec(&qos.sending, overhead, 1500).expect("a Tspec");
    assert_eq!((tspec.rate, tspec.bucket, tspec.peak), (9200.0, 708.0, 18_400.0));
    assert_eq!((tspec.min_policed_unit, tspec.max_packet_size), (368, 368));
}

/// Names with a zero behind each, as many as fit, and an empty one.
#[test]
fn an_enumeration_has_as_many_names_as_fit() {
    let templates = Templates::default();
    let whole = NAMES.map(|name| format!("{name}\0")).concat() + "\0";
    assert_eq!(templates.listed(1000), whole.as_bytes());
    assert_eq!(templates.listed(whole.len()), whole.as_bytes());
    assert!(templates.listed(whole.len() - 1).ends_with(b"H261CIF\0\0"));
    assert_eq!(templates.listed(6), b"G711\0\0");
    assert_eq!((templates.listed(5), templates.listed(0)), (vec![0], vec![]));
}

#[test]
fn what_is_installed_may_replace_a_base_template() {
    let mut templates = Templates::default();
    let own = sending(g711(ServiceType::Guaranteed));
    assert_eq!(templates.install("mine", own.clone(), true), Ok(()));
    assert_eq!(templates.install("G729", own.clone(), true), Ok(()));
    assert!(templates.names().eq(NAMES.into_iter().chain(["mine"])));
    assert_eq!((templates.read("mine"), templates.read("G729")), (Ok(own.clone()), Ok(own)));
    assert_eq!((templates.remove("mine", true), templates.remove("G729", true)), (Ok(()), Ok(())));
    assert_eq!(templates, Templates::default());
}

#[test]
fn base_names_stay_and_others_need_privileges() {
    let mut templates = Templates::default();
    assert_eq!(templates.remove("G711", true), Err(TemplateError::Invalid));
    assert_eq!(templates.remove("mine", true), Err(TemplateError::NoData));
    assert_eq!(templates.install("mine", Qos::default(), false), Err(TemplateError::Denied));
    assert_eq!(templates.remove("G711", false), Err(TemplateError::Denied));
    for name in ["", "a\0b"] {
        assert_eq!(templates.install(name, Qos::default(), true), Err(TemplateError::Invalid));
    }
    assert_eq!(templates, Templates::default());
}
