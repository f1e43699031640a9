//! Reads the timed actions.

use super::applications::{REQUEST, TRAFFIC};
use super::error::{ScenarioError, Text};
use super::model::{Action, Deed, Receiver, ReceiverId, Scenario, Sender, SenderId};
use super::read::look_up;
use super::section::Section;
use core::time::Duration;
use rsvp_node::units::show_time;
use toml::de::DeTable;

const DEEDS: [&str; 6] = ["change", "tear", "leave", "link-down", "link-up", "crash"];

/// What is acted upon.
const ACTION: [&str; 5] = ["sender", "receiver", "link", "node", "for"];

pub(crate) fn read(scenario: &mut Scenario, top: &Section<'_>) -> Result<(), ScenarioError> {
    let mut allowed = vec!["at", "do", "about"];
    allowed.extend(ACTION.iter().chain(&REQUEST));
    for section in top.sections("action", &allowed)? {
        let at = scenario.moment(section.need("at", "\"60s\"")?)?;
        let word = section.need("do", "\"tear\"")?;
        let deed = scenario.deed(&section, DEEDS[word.choice(&DEEDS)?])?;
        scenario.actions.push(Action { at, deed });
    }
    Ok(())
}

/// Refuses keys that an action of this kind has no use for.
fn only(section: &Section<'_>, word: &str, used: &[&str]) -> Result<(), ScenarioError> {
    let all = ACTION.into_iter().chain(REQUEST);
    match all.filter(|key| !used.contains(key)).find_map(|key| section.find(key).map(|item| (key, item))) {
        Some((key, item)) => {
            Err(item.error(format!("\"{word}\" has no use for `{key}`, expected {}", used.join(", "))))
        }
        None => Ok(()),
    }
}

impl Scenario {
    /// When what is acted upon starts; nothing for what is there from the beginning.
    fn start_of(&self, deed: &Deed) -> Option<(&str, Duration)> {
        match deed {
            Deed::ChangeSender(sender, _) | Deed::TearSender(sender) => {
                let sender = &self.senders[sender.0];
                Some((sender.name.as_str(), sender.start))
            }
            Deed::ChangeReceiver(receiver, _) | Deed::TearReceiver(receiver, _) | Deed::Leave(receiver) => {
                let receiver = &self.receivers[receiver.0];
                Some((receiver.name.as_str(), receiver.start))
            }
            Deed::LinkDown(_) | Deed::LinkUp(_) | Deed::Crash(..) => None,
        }
    }

    /// What is allowed and hardly meant, a line each.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let early = |action: &Action| {
            let (name, start) = self.start_of(&action.deed).filter(|(_, start)| action.at < *start)?;
            let (at, start) = (show_time(action.at), show_time(start));
            let kind = match action.deed {
                Deed::ChangeSender(..) | Deed::ChangeReceiver(..) => "starts with what it is changed to",
                _ => "has given up before it begins",
            };
            Some(format!("action at \"{at}\": \"{name}\" starts at \"{start}\", and {kind}"))
        };
        self.actions.iter().filter_map(early).collect()
    }

    /// What is done to a world between its steps: the keys of an `[[action]]` without its time.
    pub(crate) fn read_deed(&self, word: &str, keys: &str) -> Result<Deed, ScenarioError> {
        let text = Text::new("", keys);
        let table = DeTable::parse(keys)
            .map_err(|fault| text.error(fault.span().map_or(0, |span| span.start), fault.message()))?;
        let allowed = ACTION.iter().chain(&REQUEST).copied().collect::<Vec<_>>();
        let section = Section::new(&text, table.get_ref(), 0, format!("what `{word}` takes"), &allowed)?;
        self.deed(&section, word)
    }

    fn deed(&self, section: &Section<'_>, word: &str) -> Result<Deed, ScenarioError> {
        match word {
            "change" | "tear" => self.application_deed(section, word),
            "leave" => {
                only(section, word, &["receiver"])?;
                Ok(Deed::Leave(self.receiver(section)?))
            }
            "crash" => {
                only(section, word, &["node", "for"])?;
                let node = self.node(section.need("node", "\"…\"")?)?;
                Ok(Deed::Crash(node, section.need("for", "\"10s\"")?.time()?))
            }
            _ => {
                only(section, word, &["link"])?;
                let link = self.link(section.need("link", "\"…\"")?)?;
                Ok(if word == "link-up" { Deed::LinkUp(link) } else { Deed::LinkDown(link) })
            }
        }
    }

    fn receiver(&self, section: &Section<'_>) -> Result<ReceiverId, ScenarioError> {
        let item = section.need("receiver", "\"…\"")?;
        if let Some(place) = self.index.receivers.get(item.word()?) {
            return Ok(ReceiverId(*place));
        }
        look_up(item, "receiver", self.receivers.iter().map(|r| r.name.as_str())).map(ReceiverId)
    }

    fn application_deed(&self, section: &Section<'_>, word: &str) -> Result<Deed, ScenarioError> {
        match (section.find("sender"), section.find("receiver")) {
            (Some(item), None) => {
                let sender = self.sender(item)?;
                if word == "tear" {
                    only(section, word, &["sender"])?;
                    return Ok(Deed::TearSender(sender));
                }
                only(section, word, &[&["sender"][..], &TRAFFIC[..]].concat())?;
                let traffic = self.traffic(section, Some(self.senders[sender.0].traffic))?;
                self.check_sending_socket(section, &Sender { traffic, ..self.senders[sender.0].clone() })?;
                Ok(Deed::ChangeSender(sender, traffic))
            }
            (None, Some(_)) if word == "tear" => {
                only(section, word, &["receiver", "filters"])?;
                let receiver = self.receiver(section)?;
                Ok(Deed::TearReceiver(receiver, self.torn_filters(section, receiver)?))
            }
            (None, Some(_)) => {
                only(section, word, &[&["receiver"][..], &REQUEST[..]].concat())?;
                let receiver = self.receiver(section)?;
                let plan = &self.receivers[receiver.0];
                let request = self.request(section, plan.session, plan.request.as_ref())?;
                let changed = Receiver { request: Some(request.clone()), ..plan.clone() };
                self.check_receiving_socket(section, &changed)?;
                Ok(Deed::ChangeReceiver(receiver, request))
            }
            _ => {
                Err(section.error(format!("\"{word}\" needs either `sender = \"…\"` or `receiver = \"…\"`")))
            }
        }
    }

    fn torn_filters(
        &self,
        section: &Section<'_>,
        receiver: ReceiverId,
    ) -> Result<Vec<SenderId>, ScenarioError> {
        let Some(list) = section.find("filters") else { return Ok(Vec::new()) };
        let session = self.receivers[receiver.0].session;
        let mut filters = Vec::new();
        for item in list.list("senders")? {
            let sender = self.sender(item)?;
            if self.senders[sender.0].session != session {
                return Err(item.error("filters: expected senders of the receiver's session"));
            }
            filters.push(sender);
        }
        if filters.is_empty() {
            return Err(list.error("filters: expected one sender at least; all are torn without the key"));
        }
        Ok(filters)
    }
}
