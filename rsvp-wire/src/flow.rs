//! The flow descriptor list of Resv, ResvErr, ResvTear and ResvConf, RFC 2205 3.1.4.
//!
//! The list is walked where it lies. Whether it suits its style is not judged here, but nothing is hidden either: a
//! FLOWSPEC that no FILTER_SPEC follows is an item of its own.

use crate::code::Class;
use crate::message::{Message, ObjectRef, Objects};
use crate::object::{SenderSelection, Style};

/// One FILTER_SPEC with the FLOWSPEC that applies to it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct FlowDescriptor<'a> {
    /// The FLOWSPEC before the filter; where FF omits one, the most recent in the list. A ResvTear may have none.
    pub flowspec: Option<ObjectRef<'a>>,
    /// None in WF style, and for a FLOWSPEC that no filter follows.
    pub filter: Option<ObjectRef<'a>>,
}

/// The flow descriptors after the STYLE object: one per FILTER_SPEC, or a single one without a filter in WF style. A
/// message without STYLE has none.
pub fn flow_descriptors<'a>(message: &Message<'a>) -> FlowDescriptors<'a> {
    let mut objects = message.objects();
    let style = objects.find(|object| object.class == Class::STYLE);
    let wildcard = style
        .and_then(|object| object.read::<Style>().ok())
        .is_some_and(|style| style.sender_selection() == SenderSelection::Wildcard);
    FlowDescriptors { objects, flowspec: None, pending: false, nothing_yet: wildcard }
}

/// Iterator of [`flow_descriptors`].
#[derive(Clone, Debug)]
pub struct FlowDescriptors<'a> {
    objects: Objects<'a>,
    flowspec: Option<ObjectRef<'a>>,
    /// The current FLOWSPEC has not been part of an item.
    pending: bool,
    /// Wildcard selection, where even an empty list stands for one descriptor (a ResvTear may omit the FLOWSPEC).
    nothing_yet: bool,
}

impl<'a> FlowDescriptors<'a> {
    fn item(&mut self, flowspec: Option<ObjectRef<'a>>, filter: Option<ObjectRef<'a>>) -> FlowDescriptor<'a> {
        self.nothing_yet = false;
        FlowDescriptor { flowspec, filter }
    }
}

impl<'a> Iterator for FlowDescriptors<'a> {
    type Item = FlowDescriptor<'a>;

    fn next(&mut self) -> Option<FlowDescriptor<'a>> {
        for object in self.objects.by_ref() {
            match object.class {
                Class::FLOWSPEC => {
                    let alone = core::mem::replace(&mut self.pending, true);
                    let before = self.flowspec.replace(object);
                    if alone {
                        return Some(self.item(before, None));
                    }
                }
                Class::FILTER_SPEC => {
                    self.pending = false;
                    return Some(self.item(self.flowspec, Some(object)));
                }
                _ => {}
            }
        }
        let more = core::mem::take(&mut self.pending) || self.nothing_yet;
        more.then(|| self.item(self.flowspec, None))
    }
}
