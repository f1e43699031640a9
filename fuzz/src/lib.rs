//! The bodies of the fuzz targets: each takes any octets and panics only if a promise of the stack is broken.
//!
//! They know nothing of the fuzzer, so tests replay the corpora through them.

pub mod command;
pub mod engine;
mod object;
pub mod qos;

pub use object::object;
use rsvp_sim::search;
use rsvp_wire::{
    Adspec, AdspecSummary, ChecksumVerdict, Class, ErrorSpec, FilterSpec, Flowspec, Integrity, Message,
    MessageWriter, MsgType, Object, ObjectRef, PolicyData, ResvConfirm, RsvpHop, Scan, Scope, SenderTemplate,
    SenderTspec, Session, Style, TimeValues, flow_descriptors, registry, rewrite, show,
};

/// Octets as a message: a scan and a parse agree on them, objects tile the message, everything can be read and shown.
///
/// # Panics
/// When one of these promises is broken.
pub fn message(octets: &[u8]) {
    let scan = Scan::new(octets);
    let good = scan.objects().take_while(Result::is_ok).count();
    assert!(scan.objects().count() <= good + 1, "a scan ends at its first error");
    assert!(octets.len() >= 8 || scan.header().is_none(), "a header needs 8 octets");
    let message = match Message::parse(octets) {
        Err(error) => {
            assert_eq!(scan.error(), Some(error));
            assert!(usize::from(error.at) <= octets.len());
            let _ = Message::trusted(octets).objects().count();
            return;
        }
        Ok(message) => message,
    };
    assert_eq!(scan.error(), None);
    assert!(matches!(scan.checksum(), ChecksumVerdict::Ok | ChecksumVerdict::Zero));
    assert_eq!(scan.objects().count(), message.objects().count());
    let mut end = 8;
    for object in message.objects() {
        assert_eq!(usize::from(object.at()), end);
        end += object.octets().len();
        assert!(show::object(&object).to_string().contains(' '));
    }
    for (at, inner) in scan.messages().map(|inner| inner.expect("no error")) {
        assert_eq!(usize::from(at), end);
        end += inner.octets().len();
    }
    assert_eq!(end, octets.len());
    assert!(flow_descriptors(&message).count() <= message.objects().count() + 1);
    assert!(!show::one_line(&message).to_string().contains('\n'));
    assert!(show::tree(&message).to_string().lines().count() > message.objects().count());
}

/// Octets as the choices by which a world is drawn: whatever happens in it, it keeps the promises of the world search.
///
/// # Panics
/// When one of these promises is broken.
pub fn world(octets: &[u8]) {
    let scenario = search::scenario(&mut search::Draw::octets(octets), 0);
    if let Some(failure) = search::try_world(&scenario).failure {
        let (promise, seen) = (failure.promise, failure.seen);
        panic!("at {}: not so: {promise}: {seen}\n{}", failure.at, scenario.to_toml());
    }
}

/// A parsed message is re-written to the same octets, and a typed object that was read is written to octets that read
/// as the same value.
///
/// # Panics
/// When one of these promises is broken.
pub fn roundtrip(octets: &[u8]) {
    let Ok(message) = Message::parse(octets) else { return };
    let mut buffer = vec![0xaa; octets.len()];
    assert_eq!(rewrite(&message, &mut buffer), Ok(octets.len()));
    assert_eq!(buffer, octets);
    for object in message.objects() {
        typed(object);
    }
}

/// Reads an object as a type, writes the value and reads it again.
macro_rules! again {
    ($object:expr, $type:ty) => {
        if let Ok(value) = $object.read::<$type>() {
            assert!(
                registry::known($object.class, $object.ctype),
                "what can be read has a row in the registry"
            );
            let mut buffer = vec![0xaa; 8 + 4 + value.body_len()];
            let mut writer = MessageWriter::new(&mut buffer, MsgType::PATH, 1);
            writer.put(&value);
            let octets = writer.finish().expect("the buffer has the size the value asked for");
            let message = Message::parse(octets).expect("what is written parses");
            let second = message.first($object.class).expect("it is there");
            assert_eq!(second.ctype, $object.ctype);
            // Debug forms, because they also tell zero from negative zero; and the place of records, so that is the same.
            let (second, _) = ObjectRef::split_first(second.octets(), $object.at()).expect("it was sound");
            let reread = second.read::<$type>().expect("what is written reads");
            assert_eq!(format!("{value:?}"), format!("{reread:?}"));
        }
    };
}

pub(crate) use again;

fn typed(object: ObjectRef<'_>) {
    match object.class {
        Class::SESSION => again!(object, Session),
        Class::RSVP_HOP => again!(object, RsvpHop),
        Class::INTEGRITY => again!(object, Integrity<'_>),
        Class::TIME_VALUES => again!(object, TimeValues),
        Class::ERROR_SPEC => again!(object, ErrorSpec),
        Class::SCOPE => again!(object, Scope<'_>),
        Class::STYLE => again!(object, Style),
        Class::FLOWSPEC => again!(object, Flowspec),
        Class::FILTER_SPEC => again!(object, FilterSpec),
        Class::SENDER_TEMPLATE => again!(object, SenderTemplate),
        Class::SENDER_TSPEC => again!(object, SenderTspec),
        Class::POLICY_DATA => again!(object, PolicyData<'_>),
        Class::RESV_CONFIRM => again!(object, ResvConfirm),
        Class::ADSPEC => {
            again!(object, AdspecSummary);
            fragments_tile(object);
        }
        _ => assert!(object.read::<Session>().is_err(), "an object reads as its own class only"),
    }
}

fn fragments_tile(object: ObjectRef<'_>) {
    let Ok(adspec) = object.read::<Adspec<'_>>() else { return };
    let mut octets = 4;
    for fragment in adspec.fragments() {
        assert_eq!(usize::from(fragment.at), usize::from(object.at()) + 4 + octets);
        octets += 4 + fragment.params().map(|(_, _, value)| 4 + value.len()).sum::<usize>();
    }
    assert_eq!(octets, object.body().len());
}
