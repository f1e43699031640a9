//! The registries "RSVP Parameters" and "RSVP-TE Parameters" of IANA, and what of them is in ours.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use roxmltree::{Document, Node};
use rsvp_wire::layout::{Kind, Layout, Space};
use rsvp_wire::{CType, Class, ErrorCode, error_value_name, registry};

/// Something that is assigned.
#[derive(Clone, Debug)]
pub(super) struct Assigned {
    pub(super) number: u32,
    /// The value of a bit, if the registry has it.
    pub(super) mask: Option<u32>,
    pub(super) name: String,
}

/// The registries by their identifier: title and what is assigned.
pub(super) struct Registries(BTreeMap<String, (String, Vec<Assigned>)>);

/// Our registries of subobjects and TLVs for those of IANA.
pub(super) const RECORDS: [(&str, &str); 10] = [
    ("rsvp-parameters-25", "EXPLICIT_ROUTE subobject"),
    ("rsvp-parameters-27", "RECORD_ROUTE subobject"),
    ("rsvp-class-number-37-c-type-3-sub-objects", "PROTECTION subobject"),
    ("rsvp-parameters-60", "LINK_CAPABILITY subobject"),
    ("rsvp-parameters-75", "EXPLICIT_ROUTE subobject"),
    ("rsvp-parameters-77", "RECORD_ROUTE subobject"),
    ("rsvp-parameters-85", "GENERALIZED_UNI subobject"),
    ("rsvp-parameters-95", "EXCLUDE_ROUTE subobject"),
    ("rsvp-parameters-118", "Call Attributes TLV"),
    ("rsvp-te-parameters-1", "Attributes TLV"),
];

/// Registries of which nothing is looked into, and why.
const UNREAD: [(&str, &str); 12] = [
    ("rsvp-parameters-4", "classes: their C-Types are in the registries below it"),
    ("rsvp-parameters-86", "sub-types of a Source TNA: they choose the address in its layout"),
    ("rsvp-parameters-87", "sub-types of a Destination TNA: likewise"),
    ("rsvp-parameters-88", "a sub-type of what OIF UNI 1.0 describes"),
    ("rsvp-parameters-89", "sub-types of what OIF UNI 1.0 describes"),
    ("rsvp-parameters-90", "a sub-type of what OIF UNI 1.0 describes"),
    ("conditions-object-flags", "RFC 9705 is not at hand"),
    ("vcat-elementary-signal", "RFC 6344 is not at hand"),
    ("vcat-vgc-operation", "RFC 6344 is not at hand"),
    ("wson-processing-hop-sub-tlv", "RFC 7689 is not at hand"),
    ("wavelength-assignment-method", "RFC 7689 is not at hand"),
    ("rtm_set-object-sub-object-types", "RFC 8169 is not at hand"),
];

/// Where a field with names is: an object, or a kind of record.
enum Holder {
    Object(u8, u8),
    Record(&'static str, u32),
}

/// How the numbers of a registry stand for what is in the field.
enum Numbers {
    /// They are values of the field, or bits in their place.
    AsTheyAre,
    /// The value of the bit stands beside the number.
    Masks,
    /// Bits of 32, the most significant one is 0.
    FromTheLeft,
}

/// Registries of flags and codes, and the fields that name them.
const FLAGS: [(&str, Holder, &str, Numbers); 7] = [
    ("rsvp-parameters-92", Holder::Object(230, 2), "address_type", Numbers::AsTheyAre),
    ("rsvp-parameters-117", Holder::Object(134, 1), "flags", Numbers::Masks),
    ("rsvp-parameters-119", Holder::Record("Call Attributes TLV", 1), "flags", Numbers::Masks),
    ("rsvp-te-parameters-2", Holder::Record("Attributes TLV", 1), "flags", Numbers::FromTheLeft),
    ("rsvp-te-parameters-3", Holder::Object(207, 7), "flags", Numbers::AsTheyAre),
    ("rsvp-te-parameters-4", Holder::Record("RECORD_ROUTE subobject", 1), "flags", Numbers::AsTheyAre),
    (
        "rsvp-te-label-sub-object-flags",
        Holder::Record("RECORD_ROUTE subobject", 3),
        "flags",
        Numbers::AsTheyAre,
    ),
];

/// The C-Types of classes for which IANA lists none, or not all.
const BY_THEIR_RFCS: [(u8, CTypes); 12] = [
    // RFC 3473 9.5.1, 3 and 2.5: the same as those of a label.
    (34, CTypes::As(16)),
    (35, CTypes::As(16)),
    (129, CTypes::As(16)),
    // RFC 6387 2.1 to 2.3: those of FLOWSPEC, SENDER_TSPEC and ADSPEC.
    (120, CTypes::As(9)),
    (121, CTypes::As(12)),
    (122, CTypes::As(13)),
    // RFC 3473 4.1: the same as a LABEL_SET.
    (130, CTypes::As(36)),
    // RFC 2746 2.3: ignored.
    (128, CTypes::Listed(&[0])),
    (192, CTypes::Listed(&[0])),
    // RFC 2814 B.3.7.
    (165, CTypes::Listed(&[1])),
    // RFC 4873 4.1 and 5.1, RFC 4875 19.5 and 19.6.
    (200, CTypes::Listed(&[1, 2])),
    (201, CTypes::Listed(&[1, 2])),
];

enum CTypes {
    As(u8),
    Listed(&'static [u8]),
}

impl Registries {
    /// Both files, if they are there.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        let mut found = BTreeMap::new();
        for file in ["rsvp-parameters.xml", "rsvp-te-parameters.xml"] {
            let text = fs::read_to_string(folder.join(file)).ok()?;
            let document = Document::parse(&text).expect(file);
            for registry in document.descendants().filter(|node| node.has_tag_name_local("registry")) {
                let id = registry.attribute("id").unwrap_or_default().to_owned();
                let title = child(registry, "title").unwrap_or_default();
                let records = registry.children().filter(|node| node.has_tag_name_local("record"));
                found.insert(id, (title, records.filter_map(assigned).collect()));
            }
        }
        Some(Self(found))
    }

    /// What is assigned in a registry.
    pub(super) fn assigned(&self, id: &str) -> Vec<Assigned> {
        self.0.get(id).unwrap_or_else(|| panic!("there is no registry {id}")).1.clone()
    }

    /// Registries whose title begins like this and goes on with a number.
    fn numbered(&self, start: &str) -> impl Iterator<Item = (&str, u8, &[Assigned])> {
        self.0.iter().filter_map(move |(id, (title, assigned))| {
            let rest = title.strip_prefix(start)?.trim_start_matches([' ', '‒', '-']);
            let number = rest.split(' ').next()?.parse().ok()?;
            Some((id.as_str(), number, assigned.as_slice()))
        })
    }

    /// The assigned C-Types, by class.
    fn ctypes(&self) -> BTreeMap<u8, BTreeSet<u8>> {
        let classes = self.numbered("Class Types or C-Types");
        classes.map(|(_, class, list)| (class, list.iter().map(|one| one.number as u8).collect())).collect()
    }
}

trait LocalName {
    fn has_tag_name_local(&self, name: &str) -> bool;
}

impl LocalName for Node<'_, '_> {
    fn has_tag_name_local(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

/// The text of a child, in one line.
fn child(node: Node<'_, '_>, name: &str) -> Option<String> {
    let found = node.children().find(|child| child.has_tag_name_local(name))?;
    let text: String =
        found.descendants().filter_map(|part| part.text().filter(|_| part.is_text())).collect();
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A record of one number that is assigned; ranges are not.
fn assigned(record: Node<'_, '_>) -> Option<Assigned> {
    let name = child(record, "description").or_else(|| child(record, "name"))?;
    let value = child(record, "value")?;
    let free = name.to_lowercase().starts_with("unassigned") || name == "Reserved";
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    let mask = child(record, "hex").and_then(|hex| number(&hex));
    (!free).then_some(Assigned { number: number(&value)?, mask, name })
}

/// Pairs of class and C-Type that are assigned and have no row.
pub(super) fn missing_pairs(registries: &Registries) -> Vec<String> {
    let listed = registries.ctypes();
    let mut pairs: BTreeSet<(u8, u8)> = BTreeSet::new();
    for (class, ctypes) in &listed {
        pairs.extend(ctypes.iter().map(|ctype| (*class, *ctype)));
    }
    for (class, ctypes) in &BY_THEIR_RFCS {
        match ctypes {
            CTypes::As(other) => pairs.extend(listed[other].iter().map(|ctype| (*class, *ctype))),
            CTypes::Listed(ctypes) => pairs.extend(ctypes.iter().map(|ctype| (*class, *ctype))),
        }
    }
    // RFC 2996 2; it has no registry of C-Types at all.
    pairs.insert((225, 1));
    // A class without any C-Type here would go unnoticed.
    for class in registries.assigned("rsvp-parameters-4") {
        let number = class.number as u8;
        assert!(number == 0 || pairs.iter().any(|pair| pair.0 == number), "class {number} {}", class.name);
    }
    let unknown = |pair: &&(u8, u8)| !registry::known(Class(pair.0), CType(pair.1));
    pairs.iter().filter(unknown).map(|pair| format!("class {} C-Type {}", pair.0, pair.1)).collect()
}

/// Error codes and values that have no name.
pub(super) fn missing_errors(registries: &Registries) -> Vec<String> {
    let mut missing = Vec::new();
    for code in registries.assigned("rsvp-parameters-99") {
        if ErrorCode(code.number as u8).name().is_none() {
            missing.push(format!("error code {} {}", code.number, code.name));
        }
    }
    for (_, code, values) in registries.numbered("Sub-Codes") {
        for value in values {
            if error_value_name(ErrorCode(code), value.number as u16).is_none() {
                missing.push(format!("error code {code} value {} {}", value.number, value.name));
            }
        }
    }
    missing
}

/// What is assigned in the registries of flags and codes.
pub(super) fn flags(registries: &Registries) -> Vec<Assigned> {
    FLAGS.iter().flat_map(|(id, ..)| registries.assigned(id)).collect()
}

/// Flags and codes that their field has no name for.
pub(super) fn missing_flags(
    registries: &Registries,
    space: &dyn Fn(&str) -> Option<&'static Space>,
) -> Vec<String> {
    let mut missing = Vec::new();
    for (id, holder, name, numbers) in &FLAGS {
        let layout: Option<&'static Layout> = match holder {
            Holder::Object(class, ctype) => {
                registry::row(Class(*class), CType(*ctype)).and_then(|row| row.layout)
            }
            Holder::Record(name, key) => {
                space(name).and_then(|space| space.row(*key)).and_then(|row| row.layout)
            }
        };
        let field = layout.and_then(|layout| layout.fields.iter().find(|field| field.name == *name));
        let field = field.unwrap_or_else(|| panic!("{id}: there is no field {name}"));
        for one in registries.assigned(id) {
            let value = match numbers {
                Numbers::AsTheyAre => Some(one.number),
                Numbers::Masks => one.mask,
                Numbers::FromTheLeft => 0x8000_0000u32.checked_shr(one.number),
            };
            let named = value.is_some_and(|value| match &field.kind {
                Kind::Flags(_, names) => names.iter().any(|(mask, _)| *mask == u64::from(value)),
                Kind::Code(_, names) => names.name(u64::from(value), |_| None).is_some(),
                _ => false,
            });
            if !named {
                missing.push(format!("{id} {} {}", one.number, one.name));
            }
        }
    }
    missing
}

/// Registries with something assigned that nothing here is held against.
pub(super) fn unread(registries: &Registries) -> Vec<String> {
    let mut read: BTreeSet<&str> = ["rsvp-parameters-2", "rsvp-parameters-99"].into();
    read.extend(
        ["Class Types or C-Types", "Sub-Codes"]
            .iter()
            .flat_map(|start| registries.numbered(start).map(|(id, ..)| id).collect::<Vec<_>>()),
    );
    read.extend(RECORDS.iter().map(|(id, _)| *id));
    read.extend(FLAGS.iter().map(|(id, ..)| *id));
    read.extend(UNREAD.iter().map(|(id, _)| *id));
    let unread =
        registries.0.iter().filter(|(id, (_, list))| !list.is_empty() && !read.contains(id.as_str()));
    unread.map(|(id, (title, _))| format!("{id} {title}")).collect()
}
