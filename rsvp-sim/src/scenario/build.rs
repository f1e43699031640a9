//! A scenario built in code. It is the text of a scenario file, read by the same reader: what is refused there is refused
//! here in the same words, at the place in the source that says it.
//!
//! Values are written as in files (`"2mbit"`, `"15kB"`, `"20ms"`), so that there is one meaning of each.

use super::error::ScenarioError;
use super::keys::{
    ActionKeys, ClockKeys, LinkKeys, ObjectKeys, ReceiverKeys, RouteKeys, SenderKeys, SessionKeys,
    TrafficKeys, list, word,
};
use super::model::Scenario;
use crate::world::World;
use core::panic::Location;

/// Builds a [`World`], or its [`Scenario`]; begun by [`World::builder`].
///
/// Every method is a table or a key of a scenario file (SCENARIOS.md has them all); what is left out has its default there.
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is built yet"]
pub struct Builder {
    head: Vec<Part>,
    named: bool,
    hosts: Vec<Part>,
    routers: Vec<Part>,
    plain: Vec<Part>,
    tables: Vec<Part>,
}

/// Some lines of a file, and the place in the source that says them.
#[derive(Clone, Debug)]
struct Part {
    text: String,
    from: &'static Location<'static>,
}

macro_rules! head {
    ($($(#[$doc:meta])* $key:ident;)*) => {$(
        $(#[$doc])*
        #[track_caller]
        pub fn $key(mut self, value: impl AsRef<str>) -> Self {
            self.head.push(part(format!("{} = {}\n", stringify!($key), word(value.as_ref()))));
            self
        }
    )*};
}

impl Builder {
    head! {
        /// What it shows.
        description;
        /// `"ipv4"` or `"ipv6"`.
        family;
        /// How long [`World::run`] runs it.
        duration;
        /// Refresh period R on all interfaces.
        refresh;
        /// Wait W after a route change.
        repair_wait;
        /// Within which time of a change of routes nodes hear of it, each at a moment of its own.
        convergence;
        /// When links stop losing, duplicating, reordering and damaging packets.
        faults_until;
    }

    /// A name for reports; without one it is `world`.
    #[track_caller]
    pub fn name(mut self, name: impl AsRef<str>) -> Self {
        self.named = true;
        self.head.push(part(format!("name = {}\n", word(name.as_ref()))));
        self
    }

    /// Everything random comes from this.
    #[track_caller]
    pub fn seed(mut self, seed: u64) -> Self {
        self.head.push(part(format!("seed = {}\n", super::write::seed(seed))));
        self
    }

    /// K of the lifetime rule.
    #[track_caller]
    pub fn lifetime_k(mut self, k: u32) -> Self {
        self.head.push(part(format!("lifetime_k = {k}\n")));
        self
    }

    /// Octets of state that neighbours of a node may have together, and how many of an interface are told apart.
    #[track_caller]
    pub fn room(mut self, state_octets: u64, neighbours: u32) -> Self {
        let text = format!("state_octets = {state_octets}\nneighbours_per_interface = {neighbours}\n");
        self.head.push(part(text));
        self
    }

    /// Kb of blockade state.
    #[track_caller]
    pub fn blockade_k(mut self, k: u32) -> Self {
        self.head.push(part(format!("blockade_k = {k}\n")));
        self
    }

    /// A host.
    #[track_caller]
    pub fn host(mut self, name: impl AsRef<str>) -> Self {
        self.hosts.push(part(format!("  {},\n", word(name.as_ref()))));
        self
    }

    /// Several hosts.
    #[track_caller]
    pub fn hosts<N: AsRef<str>>(self, names: impl IntoIterator<Item = N>) -> Self {
        let from = Location::caller();
        names.into_iter().fold(self, |mut all, name| {
            all.hosts.push(Part { text: format!("  {},\n", word(name.as_ref())), from });
            all
        })
    }

    /// A router.
    #[track_caller]
    pub fn router(mut self, name: impl AsRef<str>) -> Self {
        self.routers.push(part(format!("  {},\n", word(name.as_ref()))));
        self
    }

    /// Several routers.
    #[track_caller]
    pub fn routers<N: AsRef<str>>(self, names: impl IntoIterator<Item = N>) -> Self {
        let from = Location::caller();
        names.into_iter().fold(self, |mut all, name| {
            all.routers.push(Part { text: format!("  {},\n", word(name.as_ref())), from });
            all
        })
    }

    /// A router without RSVP, which only forwards.
    #[track_caller]
    pub fn plain(mut self, name: impl AsRef<str>) -> Self {
        self.plain.push(part(format!("  {},\n", word(name.as_ref()))));
        self
    }

    /// A link between two nodes, called `a-b` unless it says otherwise.
    #[track_caller]
    pub fn link(
        mut self,
        a: impl AsRef<str>,
        b: impl AsRef<str>,
        keys: impl FnOnce(LinkKeys) -> LinkKeys,
    ) -> Self {
        let between = format!("between = {}\n", list([a.as_ref(), b.as_ref()]));
        self.tables.push(table("link", &between, &keys(LinkKeys::default()).text()));
        self
    }

    /// A broadcast LAN.
    #[track_caller]
    pub fn lan<N: AsRef<str>>(
        mut self,
        name: impl AsRef<str>,
        nodes: impl IntoIterator<Item = N>,
        keys: impl FnOnce(LinkKeys) -> LinkKeys,
    ) -> Self {
        let head = format!("name = {}\nnodes = {}\n", word(name.as_ref()), list(nodes));
        self.tables.push(table("lan", &head, &keys(LinkKeys::default()).text()));
        self
    }

    /// A session: `|s| s.to("node")` or `|s| s.group("name")`.
    #[track_caller]
    pub fn session(mut self, name: impl AsRef<str>, keys: impl FnOnce(SessionKeys) -> SessionKeys) -> Self {
        let name = format!("name = {}\n", word(name.as_ref()));
        self.tables.push(table("session", &name, &keys(SessionKeys::default()).text()));
        self
    }

    /// A sender on a node.
    #[track_caller]
    pub fn sender(
        mut self,
        name: impl AsRef<str>,
        node: impl AsRef<str>,
        keys: impl FnOnce(SenderKeys) -> SenderKeys,
    ) -> Self {
        let head = format!("name = {}\nnode = {}\n", word(name.as_ref()), word(node.as_ref()));
        self.tables.push(table("sender", &head, &keys(SenderKeys::default()).text()));
        self
    }

    /// A receiver on a node; without a style it only listens.
    #[track_caller]
    pub fn receiver(
        mut self,
        name: impl AsRef<str>,
        node: impl AsRef<str>,
        keys: impl FnOnce(ReceiverKeys) -> ReceiverKeys,
    ) -> Self {
        let head = format!("name = {}\nnode = {}\n", word(name.as_ref()), word(node.as_ref()));
        self.tables.push(table("receiver", &head, &keys(ReceiverKeys::default()).text()));
        self
    }

    /// Packets of data: `|t| t.sender("camera").pattern("tspec")`, or `|t| t.from("a").to("b").rate("30mbit")`.
    #[track_caller]
    pub fn traffic(mut self, name: impl AsRef<str>, keys: impl FnOnce(TrafficKeys) -> TrafficKeys) -> Self {
        let name = format!("name = {}\n", word(name.as_ref()));
        self.tables.push(table("traffic", &name, &keys(TrafficKeys::default()).text()));
        self
    }

    /// A route at a node that overrides the shortest path.
    #[track_caller]
    pub fn route(mut self, node: impl AsRef<str>, keys: impl FnOnce(RouteKeys) -> RouteKeys) -> Self {
        let node = format!("node = {}\n", word(node.as_ref()));
        self.tables.push(table("route", &node, &keys(RouteKeys::default()).text()));
        self
    }

    /// A node whose clock is wrong.
    #[track_caller]
    pub fn clock(mut self, node: impl AsRef<str>, keys: impl FnOnce(ClockKeys) -> ClockKeys) -> Self {
        let node = format!("node = {}\n", word(node.as_ref()));
        self.tables.push(table("clock", &node, &keys(ClockKeys::default()).text()));
        self
    }

    /// An object that nobody understands, in every request of a node.
    #[track_caller]
    pub fn object(mut self, node: impl AsRef<str>, keys: impl FnOnce(ObjectKeys) -> ObjectKeys) -> Self {
        let node = format!("node = {}\n", word(node.as_ref()));
        self.tables.push(table("object", &node, &keys(ObjectKeys::default()).text()));
        self
    }

    /// Something that happens at a time: `.at("60s", "tear", |a| a.receiver("viewer"))`. What happens in a test may as well
    /// be said between its steps, see [`World::tear`] and its like.
    #[track_caller]
    pub fn at(
        mut self,
        time: impl AsRef<str>,
        deed: impl AsRef<str>,
        keys: impl FnOnce(ActionKeys) -> ActionKeys,
    ) -> Self {
        let head = format!("at = {}\ndo = {}\n", word(time.as_ref()), word(deed.as_ref()));
        self.tables.push(table("action", &head, &keys(ActionKeys::default()).text()));
        self
    }

    /// Tables as a scenario file has them, such as `[[expect]]`.
    #[track_caller]
    pub fn toml(mut self, tables: impl AsRef<str>) -> Self {
        self.tables.push(part(format!("{}\n", tables.as_ref())));
        self
    }

    /// The world.
    ///
    /// # Errors
    ///
    /// The first fault, with its place in the source.
    #[track_caller]
    pub fn build(self) -> Result<World, ScenarioError> {
        self.scenario().map(World::new)
    }

    /// The scenario, for a lab, a report or a file.
    ///
    /// # Errors
    ///
    /// The first fault, with its place in the source.
    #[track_caller]
    pub fn scenario(self) -> Result<Scenario, ScenarioError> {
        let from = Location::caller();
        let mut parts = self.head;
        if !self.named {
            parts.insert(0, Part { text: "name = \"world\"\n".to_owned(), from });
        }
        parts.push(Part { text: "[nodes]\n".to_owned(), from });
        for (key, names) in [("hosts", self.hosts), ("routers", self.routers), ("plain", self.plain)] {
            parts.push(Part { text: format!("{key} = [\n"), from });
            parts.extend(names);
            parts.push(Part { text: "]\n".to_owned(), from });
        }
        parts.extend(self.tables);
        let text: String = parts.iter().map(|part| part.text.as_str()).collect();
        let mut read =
            Scenario::parse(from.file(), text.as_bytes()).map_err(|fault| placed(fault, &parts))?;
        // Nobody looks for the lines of a text that is in no file.
        for expectation in &mut read.expectations {
            expectation.line = place(&parts, expectation.line).map_or(0, |from| from.line() as usize);
        }
        Ok(read)
    }
}

#[track_caller]
fn part(text: String) -> Part {
    Part { text, from: Location::caller() }
}

#[track_caller]
fn table(name: &str, head: &str, keys: &str) -> Part {
    part(format!("[[{name}]]\n{head}{keys}"))
}

/// Who said the line of this number.
fn place(parts: &[Part], line: usize) -> Option<&'static Location<'static>> {
    let mut first = 1;
    let mut found = None;
    for part in parts {
        if first > line {
            break;
        }
        found = Some(part.from);
        first += part.text.matches('\n').count();
    }
    found
}

fn placed(fault: ScenarioError, parts: &[Part]) -> ScenarioError {
    match place(parts, fault.line) {
        Some(from) => fault.at(from),
        None => fault,
    }
}
