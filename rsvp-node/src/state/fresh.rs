//! What a crowd has is what a fresh look at the requests comes to, after each step of random histories.

use super::State;
use super::arena::Ix;
use super::column::Together;
use super::crowd::Crowd;
use super::resv::Request;
use super::session::SessionState;
use crate::interface::InterfaceId;
use crate::merge::flowspec::service_bit;
use crate::merge::span::span;
use histories::{Plan, run};
use rsvp_wire::{Flowspec, Sharing, Style};
use std::collections::{BTreeMap, BTreeSet};

#[path = "../../../tests/histories.rs"]
mod histories;

type OfHop<'a> = (Ix<Request>, &'a Request, InterfaceId);

fn merged(all: impl IntoIterator<Item = Flowspec>) -> Together {
    all.into_iter().map(Together::Flowspec).collect()
}

impl State {
    fn check(&self) {
        for (session, _) in self.sessions.iter_in(0..u32::MAX) {
            let of_hop = |(ix, request): (Ix<Request>, _)| -> Option<OfHop<'_>> {
                let request: &Request = request;
                Some((ix, request, request.interface()?))
            };
            let hops: Vec<OfHop<'_>> = self.requests_of(session).filter_map(of_hop).collect();
            if let Some(crowd) = self.crowd(session) {
                self.check_crowd(session, crowd, &hops);
            }
        }
        self.requests
            .iter_in(0..u32::MAX)
            .for_each(|(_, request)| assert_eq!(request.charged, request.charge()));
    }

    fn check_crowd(&self, session: Ix<SessionState>, crowd: &Crowd, hops: &[OfHop<'_>]) {
        assert_eq!(crowd.has_scopes(), hops.iter().any(|(_, request, _)| request.scope().is_some()));
        let interfaces: BTreeSet<InterfaceId> = hops.iter().map(|(_, _, on)| *on).collect();
        assert!(crowd.rows.keys().eq(&interfaces));
        for on in interfaces {
            let here: Vec<_> = hops.iter().filter(|(_, _, other)| *other == on).collect();
            let shared = here.iter().filter(|(_, request, _)| request.style.sharing() == Sharing::Shared);
            let any = merged(shared.map(|(_, request, _)| request.items[0].flowspec));
            assert_eq!(crowd.any_on(on), any);
            for number in 0..crowd.size() as u32 {
                let sender = crowd.known(number).key;
                if crowd.number(&sender) != Some(number) {
                    assert!(crowd.known(number).asked.is_empty(), "nobody has this number");
                    continue;
                }
                let asked = here.iter().filter_map(|(ix, request, _)| {
                    let item = request.items.iter().find(|item| item.filter == Some(sender))?;
                    Some((ix.place(), item.flowspec))
                });
                check_column(crowd, (on, number), &asked.collect());
            }
        }
        for (_, request) in self.requests_of(session) {
            let index = request.index().expect("one in a crowd");
            for (place, item) in request.items.iter().enumerate().filter(|(_, item)| item.filter.is_some()) {
                let number = self.number_of(session, &item.filter).expect("a sender of the crowd");
                assert_eq!(index.place(number), Some(place));
            }
            let asked = request.items.iter().filter(|item| request.asks_for(item));
            let services = asked.fold(0, |all, item| all | service_bit(&item.flowspec));
            assert_eq!(request.asked_services(), services);
        }
    }
}

/// `asked` is what each request asks for, by its place.
fn check_column(crowd: &Crowd, (on, number): (InterfaceId, u32), asked: &BTreeMap<u32, Flowspec>) {
    assert_eq!(crowd.asked_on(on, number), merged(asked.values().copied()));
    let mut kept = BTreeMap::new();
    for part in crowd.parts_on(on, number) {
        let each: Vec<Flowspec> = part.each().map(|(_, asked)| asked).collect();
        let together = merged(each.iter().copied());
        assert_eq!(part.joint.together, together);
        match together {
            Together::Flowspec(_) => assert_eq!(part.joint.span, span(each.iter().copied())),
            _ => assert_eq!(part.joint.span, None),
        }
        kept.extend(crowd.requests_in(on, part.at(), part.rows).map(Ix::place).zip(each));
    }
    assert_eq!(&kept, asked);
}

#[test]
fn what_is_kept_merged_is_a_fresh_merge_of_the_requests() {
    for style in [Style::WF, Style::SE, Style::FF] {
        for (senders, next_hops, previous_hops, services, asked, steps) in [
            (5, 3, 2, 0, 0, 400),
            (6, 40, 1, 0, 0, 400),
            (6, 40, 2, 50, 0, 400),
            (24, 10, 3, 5, 0, 400),
            (4, 100, 1, 5, 300, 100),
        ] {
            let plan = Plan { style, senders, next_hops, previous_hops, services, asked, steps };
            (0..4).for_each(|seed| run(seed, plan, 1, |engine| engine.state().check()));
        }
    }
}
