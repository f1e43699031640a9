//! What is listed of policies, and how it is explained what a socket was given.

use super::{InForce, Policies};
use crate::data_plane::bpf::Decision;
use rsvp_control::policy::{Explain, Explained, Named, PolicyEvent, PolicyRow, Report};
use rsvp_node::qos::policy::precedence::compare;
use rsvp_node::qos::policy::{App, Conditions, Ports, Prefix, WellKnown};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// Sockets that are explained at a time, and policies that they are held against in all: the loop waits for it.
const MOST_EXPLAINED: usize = 4_096;
const MOST_HELD_AGAINST: usize = 4_000_000;
/// Policies that a socket was not given, the strongest, which are named of each.
const MOST_OTHERS: usize = 32;

impl Policies {
    pub(super) fn report(&self) -> Report {
        let complaints = self.complaints.iter().map(|complaint| PolicyEvent {
            number: complaint.event,
            policy: complaint.policy.clone(),
            message: complaint.message.clone(),
        });
        Report {
            policies: Some(self.all.iter().map(|policy| self.row(policy)).collect()),
            settings: Some(self.settings),
            complaints: Some(complaints.collect()),
            ..Report::default()
        }
    }

    pub(super) fn row(&self, of: &InForce) -> PolicyRow {
        let policy = &of.placed.policy;
        let counted =
            of.rule.as_ref().zip(self.tables.as_ref()).map(|(rule, tables)| tables.counted(rule.identity));
        let (packets, octets) = counted.unwrap_or_default();
        PolicyRow {
            name: policy.name.clone(),
            user: policy.user.clone(),
            store: of.store,
            file: file(of),
            line: of.placed.line,
            precedence: policy.precedence,
            profile: policy.profile.clone(),
            conditions: words(&policy.conditions),
            dscp: policy.action.dscp,
            rate_bps: policy.action.rate_bps,
            pcp: policy.action.priority,
            weight: policy.action.weight,
            fault: of.fault.clone().or_else(|| {
                let by_hooks =
                    of.rule.as_ref().is_some_and(|rule| rule.program.is_some() || rule.cgroup.is_some());
                self.unhooked.clone().filter(|_| by_hooks)
            }),
            packets,
            octets,
        }
    }

    /// What sockets were given; of one user alone where that is asked for.
    pub(super) fn explain(&mut self, asked: &Explain, only: Option<u32>) -> Report {
        let mut decisions = self.tables.as_ref().map(|tables| tables.decisions()).unwrap_or_default();
        let same = |one: SocketAddr, other: SocketAddr| {
            (one.ip().to_canonical(), one.port()) == (other.ip().to_canonical(), other.port())
        };
        decisions.retain(|of| {
            asked.pid.is_none_or(|pid| of.process == Some(pid))
                && asked.socket.is_none_or(|socket| same(of.local, socket) || same(of.remote, socket))
                && only.is_none_or(|uid| of.user == uid)
        });
        let cookies: BTreeSet<u64> = decisions.iter().map(|of| of.cookie).collect();
        let mut open = BTreeSet::new();
        for protocol in [libc::IPPROTO_TCP, libc::IPPROTO_UDP] {
            let listed = self
                .names
                .as_mut()
                .map(|names| names.list(protocol as u8, 0, |cookie| cookies.contains(&cookie)));
            open.extend(listed.into_iter().flatten().flatten().map(|listed| listed.cookie));
        }
        decisions.retain(|of| asked.closed || open.contains(&of.cookie));
        decisions.sort_by_key(|of| (of.protocol, of.local, of.remote));
        decisions.truncate(MOST_EXPLAINED.min(MOST_HELD_AGAINST / self.all.len().max(1)));
        let serial = |policy: &InForce| self.tables.as_ref()?.serial_of(policy.rule.as_ref()?.identity);
        let by_serial = self.all.iter().filter_map(|policy| Some((serial(policy)?, policy))).collect();
        let sockets =
            decisions.iter().map(|of| self.explained(of, &by_serial, !open.contains(&of.cookie))).collect();
        Report { sockets: Some(sockets), ..Report::default() }
    }

    fn explained(&self, of: &Decision, by_serial: &BTreeMap<u32, &InForce>, closed: bool) -> Explained {
        let given = of.serial.and_then(|serial| by_serial.get(&serial).copied());
        let matching =
            self.all.iter().filter(|policy| policy.rule.as_ref().is_some_and(|rule| rule.is_for(of)));
        let others = matching.filter(|policy| given.is_none_or(|given| !core::ptr::eq(*policy, given)));
        let others: Vec<&InForce> = others.take(MOST_OTHERS).collect();
        let first = given.or_else(|| others.first().copied());
        let lost = |other: &&InForce| {
            let by = first
                .filter(|first| !core::ptr::eq(*first, *other))
                .map(|first| compare(&first.placed.policy, &other.placed.policy));
            let by = by.map(|(order, by)| match order {
                core::cmp::Ordering::Less => format!("came later; it is stronger: {by}"),
                _ => by.to_string(),
            });
            Named { lost_by: by.or_else(|| Some("came later".to_owned())), ..named(other) }
        };
        Explained {
            protocol: if i32::from(of.protocol) == libc::IPPROTO_TCP { "tcp" } else { "udp" }.to_owned(),
            local: of.local,
            remote: of.remote,
            pid: of.process,
            program: of
                .process
                .and_then(|pid| std::fs::read_link(format!("/proc/{pid}/exe")).ok())
                .map(|path| path.display().to_string()),
            uid: of.user,
            interface: self.links.get(&of.interface).cloned(),
            policy: given.map(named).or_else(|| {
                // What it was given it keeps; what that was called is not known any more.
                of.serial.map(|_| Named {
                    name: "(removed)".to_owned(),
                    user: None,
                    file: None,
                    line: 0,
                    lost_by: None,
                })
            }),
            action: given.map(|given| self.row(given)),
            others: others.iter().map(lost).collect(),
            closed,
        }
    }
}

fn file(of: &InForce) -> Option<String> {
    Some(of.placed.file.display().to_string()).filter(|file| !file.is_empty())
}

fn named(of: &InForce) -> Named {
    let policy = &of.placed.policy;
    Named {
        name: policy.name.clone(),
        user: policy.user.clone(),
        file: file(of),
        line: of.placed.line,
        lost_by: None,
    }
}

/// Conditions as words and values.
fn words(conditions: &Conditions) -> Vec<(String, String)> {
    let ports = |ports: Ports| match ports.bounds() {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}:{last}"),
    };
    let app = |app: &App| match app {
        App::Name(text) | App::Path(text) => text.clone(),
    };
    let template = |template: WellKnown| match template {
        WellKnown::Default => "default",
        WellKnown::Iscsi => "iscsi",
        WellKnown::Nfs => "nfs",
        WellKnown::Smb => "smb",
        WellKnown::LiveMigration => "live-migration",
        WellKnown::Cluster => "cluster",
        WellKnown::Fcoe => "fcoe",
    };
    let url = conditions.url.as_ref().map(|url| {
        let (scheme, host) = (if url.https { "https" } else { "http" }, url.host.as_deref().unwrap_or("*"));
        let port = url.port.map_or_else(|| "*".to_owned(), |port| port.to_string());
        format!("{scheme}://{host}:{port}{}{}", url.path, if url.recursive { " and below" } else { "" })
    });
    let prefix = |prefix: Prefix| prefix.to_string();
    let all = [
        ("app", conditions.app.as_ref().map(app)),
        ("unit", conditions.unit.clone()),
        ("url", url),
        (
            "protocol",
            conditions.protocol.map(|protocol| {
                if i32::from(protocol.protocol()) == libc::IPPROTO_TCP { "tcp" } else { "udp" }.to_owned()
            }),
        ),
        ("local", conditions.local.map(prefix)),
        ("remote", conditions.remote.map(prefix)),
        ("local_port", conditions.local_port.map(ports)),
        ("remote_port", conditions.remote_port.map(ports)),
        ("port", conditions.port.map(ports)),
        ("template", conditions.template.map(|name| template(name).to_owned())),
    ];
    all.into_iter().filter_map(|(word, value)| Some((word.to_owned(), value?))).collect()
}
