//! What programs say of an interface's traffic while the daemon runs, in the place of what the configuration says (`tc-set`).
//!
//! Of an interface, what was said of it by its name holds before what was said of all: first by a program, then by the configuration.

use super::{DaemonConfig, DscpKey, Mark, MarkConfig, MarksConfig, SharedClass};
use rsvp_control::tc;
use std::collections::BTreeMap;

/// What was said of one interface, or of all.
#[derive(Clone, Debug, Default, PartialEq)]
struct Said {
    marks: MarksConfig,
    classes: BTreeMap<DscpKey, SharedClass>,
}

/// What was said of all interfaces, and of those by their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    all: Said,
    interface: BTreeMap<String, Said>,
}

impl Overrides {
    /// Takes over what a program says; all of it or nothing.
    ///
    /// # Errors
    /// What is wrong with it, and what to say instead.
    pub fn set(&mut self, set: &tc::Set) -> Result<(), String> {
        let before = match &set.interface {
            Some(name) => self.interface.get(name).cloned().unwrap_or_default(),
            None => self.all.clone(),
        };
        let mut said = if set.reset { Said::default() } else { before };
        for (service, marks) in &set.marks {
            let of = match service.as_str() {
                "guaranteed" => &mut said.marks.guaranteed,
                "controlled-load" => &mut said.marks.controlled_load,
                "null" => &mut said.marks.null,
                _ => {
                    return Err(format!(
                        "\"{service}\" has no marks: guaranteed, controlled-load or null has"
                    ));
                }
            };
            *of = read_marks(marks)?.or(*of);
        }
        for (dscp, class) in set.classes.iter().flatten() {
            said.classes.insert(dscp.parse()?, read_class(class)?);
        }
        match &set.interface {
            Some(name) => drop(self.interface.insert(name.clone(), said)),
            None => self.all = said,
        }
        Ok(())
    }

    /// The configuration with what was said in its place.
    #[must_use]
    pub fn over(&self, config: &DaemonConfig) -> DaemonConfig {
        let mut over = config.clone();
        over.interfaces.marks = self.all.marks.or(over.interfaces.marks);
        if !self.all.classes.is_empty() {
            over.interfaces.classes.get_or_insert_default().extend(&self.all.classes);
        }
        for (name, said) in &self.interface {
            let mut classes = over.of_interface(name).classes.unwrap_or_default();
            let one = over.interface.entry(name.clone()).or_default();
            one.marks = said.marks.or(one.marks);
            if !said.classes.is_empty() {
                classes.extend(&said.classes);
                one.classes = Some(classes);
            }
        }
        over
    }
}

fn read_marks(marks: &tc::Marks) -> Result<MarkConfig, String> {
    let dscp = |text: &Option<String>| text.as_ref().map(|text| text.parse::<Mark>()).transpose();
    let wrong = [marks.priority, marks.excess_priority].into_iter().flatten().find(|priority| *priority > 7);
    if let Some(wrong) = wrong {
        return Err(format!("{wrong} is not a priority of IEEE 802.1p, which are 0 to 7"));
    }
    Ok(MarkConfig {
        dscp: dscp(&marks.dscp)?,
        pcp: marks.priority,
        excess_dscp: dscp(&marks.excess_dscp)?,
        excess_pcp: marks.excess_priority,
    })
}

fn read_class(word: &str) -> Result<SharedClass, String> {
    match word {
        "network-control" => Ok(SharedClass::NetworkControl),
        "best-effort" => Ok(SharedClass::BestEffort),
        "qualitative" => Ok(SharedClass::Qualitative),
        "non-conforming" => Ok(SharedClass::NonConforming),
        _ => Err(format!(
            "\"{word}\" is no class: network-control, best-effort, qualitative or non-conforming"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse;
    use super::*;
    use crate::data_plane::manner::Reserved;
    use crate::data_plane::tree::Service;

    fn set(interface: Option<&str>, dscp: &str, class: (&str, &str)) -> tc::Set {
        let marks = tc::Marks { dscp: Some(dscp.to_owned()), ..tc::Marks::default() };
        tc::Set {
            interface: interface.map(str::to_owned),
            marks: [("controlled-load".to_owned(), marks)].into(),
            classes: Some([(class.0.to_owned(), class.1.to_owned())].into()),
            reset: false,
        }
    }

    #[test]
    fn what_is_said_of_an_interface_holds_before_what_is_said_of_all() {
        let text = "[interfaces.marks]\ncontrolled_load = { dscp = \"af11\" }\n\
                    [interface.eth1.marks]\ncontrolled_load = { dscp = \"af12\" }\n\
                    [interfaces.classes]\naf43 = \"qualitative\"\n";
        let config = parse(text).expect("a configuration");
        let mut overrides = Overrides::default();
        let dscp = |overrides: &Overrides, name: &str| {
            overrides.over(&config).manner_of(name).of(Reserved::ControlledLoad).conforming.dscp
        };
        assert_eq!(["eth0", "eth1"].map(|name| dscp(&overrides, name)), [Some(10), Some(12)]);
        overrides.set(&set(None, "ef", ("cs1", "non-conforming"))).expect("all");
        assert_eq!(["eth0", "eth1"].map(|name| dscp(&overrides, name)), [Some(46), Some(12)]);
        overrides.set(&set(Some("eth1"), "keep", ("cs2", "qualitative"))).expect("one");
        assert_eq!(["eth0", "eth1"].map(|name| dscp(&overrides, name)), [Some(46), None]);
        let classes = overrides.over(&config).manner_of("eth1").classes;
        let of = [8, 16, 38, 48].map(|dscp| classes.get(&dscp).copied());
        let expected =
            [Service::NonConforming, Service::Qualitative, Service::Qualitative, Service::NetworkControl];
        assert_eq!(of, expected.map(Some));
        overrides
            .set(&tc::Set { reset: true, interface: Some("eth1".to_owned()), ..tc::Set::default() })
            .expect("none");
        assert_eq!(["eth0", "eth1"].map(|name| dscp(&overrides, name)), [Some(46), Some(12)]);
    }

    #[test]
    fn what_cannot_be_changes_nothing_and_says_what_could() {
        let mut overrides = Overrides::default();
        let mut wrong = set(None, "ef", ("cs1", "first"));
        assert!(overrides.set(&wrong).expect_err("a class").contains("best-effort"));
        wrong = set(None, "64", ("cs1", "best-effort"));
        assert!(overrides.set(&wrong).expect_err("a DSCP").contains("64"));
        wrong = set(None, "ef", ("cs9", "best-effort"));
        assert!(overrides.set(&wrong).expect_err("a DSCP").contains("cs9"));
        wrong = set(None, "ef", ("cs1", "best-effort"));
        wrong.marks.insert("best-effort".to_owned(), tc::Marks::default());
        assert!(overrides.set(&wrong).expect_err("a service").contains("controlled-load"));
        wrong.marks = [("null".to_owned(), tc::Marks { priority: Some(8), ..tc::Marks::default() })].into();
        assert!(overrides.set(&wrong).expect_err("a priority").contains("0 to 7"));
        assert_eq!(overrides, Overrides::default());
    }
}
