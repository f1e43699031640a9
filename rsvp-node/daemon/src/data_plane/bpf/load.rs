//! Loading the egress program, with maps of its own or with those that an earlier run has pinned.

use super::by_hand::ByHand;
use super::policy::PolicyTables;
use super::policy_hooks::ByPolicy;
use super::sockets::{SocketMarks, Sockets};
use super::{Capacity, Egress, EgressError, MAPS, PROGRAM, Pins, SHARDS, missing};
use aya::maps::{Array, HashMap, Map, ProgramArray};
use aya::{Ebpf, EbpfError, EbpfLoader};
use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

/// The program, built by `bpf/build.sh`, aligned as a reader of its sections wants it.
static OBJECT: &[u8] = aya::include_bytes_aligned!("../../../bpf/flow.bpf.o");

impl Egress {
    /// Loads the program into the kernel. Needs `CAP_BPF`, `CAP_PERFMON` and `CAP_NET_ADMIN`.
    ///
    /// # Errors
    /// [`EgressError::NotAllowed`] and [`EgressError::Kernel`].
    pub fn load(capacity: Capacity) -> Result<Self, EgressError> {
        Self::load_with(capacity, None)
    }

    /// The same with maps that outlive the process, and those of an earlier run where there are any: they have the room that
    /// they were made with. If nothing can be pinned there, the log says so once, and nothing is.
    ///
    /// # Errors
    /// As above.
    pub fn load_pinned(capacity: Capacity, pins: Pins) -> Result<Self, EgressError> {
        let path = pins.path().to_owned();
        let why = match Self::load_with(capacity, Some(pins)) {
            Ok(this) => return Ok(this),
            Err(why) => why,
        };
        // Nobody would look after what is pinned.
        let there = path.parent().and_then(|root| Pins::find(root).ok().flatten());
        there.map(|pins| pins.remove());
        let this = Self::load(capacity)?;
        tracing::warn!("nothing in the kernel outlives this process: {}: {why}", path.display());
        Ok(this)
    }

    fn load_with(mut capacity: Capacity, pins: Option<Pins>) -> Result<Self, EgressError> {
        let there = pins.as_ref().and_then(Pins::capacity);
        if let Some(pins) = pins.as_ref().filter(|_| there.is_none()) {
            pins.clear().map_err(|error| EgressError::Refused("to remove old pins", error))?;
        }
        capacity = there.unwrap_or(capacity);
        // Where the kernel does not say what its structures are, policies do without what is read of them.
        let mut has_btf = Path::new(BTF).exists();
        let mut loaded = load_object(capacity, pins.as_ref(), has_btf);
        if has_btf && loaded.is_err() {
            has_btf = false;
            loaded = load_object(capacity, pins.as_ref(), false);
        }
        let mut program = loaded.map_err(|error| EgressError::of_loading(&error))?;
        let (flows, states) = (Array::try_from(map(&mut program, "flows")?), map(&mut program, "states")?);
        let (flows, states) = (flows.map_err(of_object)?, Array::try_from(states).map_err(of_object)?);
        let keys_v4 = HashMap::try_from(map(&mut program, "keys_v4")?).map_err(of_object)?;
        let keys_v6 = HashMap::try_from(map(&mut program, "keys_v6")?).map_err(of_object)?;
        let interfaces = HashMap::try_from(map(&mut program, "interfaces")?).map_err(of_object)?;
        let by_hand = for_filters(&mut program)?;
        let policy = for_policies(&mut program, there.is_some())?;
        // They are pinned nowhere: what a program has given its sockets ends with the connection over which it did.
        let sockets = Sockets {
            peers: HashMap::try_from(map(&mut program, "socket_peers")?).map_err(of_object)?,
            marks: SocketMarks::new(map(&mut program, "socket_flow")?)?,
            known: BTreeMap::new(),
        };
        let mut this = Self {
            flows,
            states,
            keys_v4,
            keys_v6,
            interfaces,
            by_hand,
            policy,
            sockets,
            program,
            attached: BTreeMap::new(),
            known: BTreeMap::new(),
            free: (0..capacity.flows).collect(),
            capacity,
            pins,
            is_resumed: there.is_some(),
        };
        for name in [PROGRAM, SHARDS] {
            this.program_mut(name)?.load().map_err(|error| EgressError::of_loading(&error))?;
        }
        this.load_for_policies(has_btf);
        if this.is_resumed {
            this.forget_by_hand(None)?;
            this.read_maps()?;
        }
        Ok(this)
    }
}

/// What filters that are made by hand have.
fn for_filters(program: &mut Ebpf) -> Result<ByHand, EgressError> {
    Ok(ByHand {
        filters: HashMap::try_from(map(program, "filters")?).map_err(of_object)?,
        masks: HashMap::try_from(map(program, "masks")?).map_err(of_object)?,
        rules: HashMap::try_from(map(program, "rules")?).map_err(of_object)?,
        known: BTreeMap::new(),
    })
}

/// Where the kernel says what its structures are.
const BTF: &str = "/sys/kernel/btf/vmlinux";

fn load_object(capacity: Capacity, pins: Option<&Pins>, has_btf: bool) -> Result<Ebpf, EbpfError> {
    let mut loader = EbpfLoader::new();
    if !has_btf {
        loader.btf(None);
    }
    loader.map_max_entries("flows", capacity.flows).map_max_entries("states", capacity.flows);
    loader.map_max_entries("keys_v4", capacity.keys).map_max_entries("keys_v6", capacity.keys);
    loader.map_max_entries("filters", capacity.keys).map_max_entries("socket_peers", capacity.keys);
    for by_interface in ["interfaces", "masks", "rules"] {
        loader.map_max_entries(by_interface, capacity.interfaces);
    }
    for (name, ..) in MAPS.iter().filter(|_| pins.is_some()) {
        loader.map_pin_path(name, pins.map(|pins| pins.at(name)).unwrap_or_default());
    }
    loader.load(OBJECT)
}

/// What policies have of it.
fn for_policies(program: &mut Ebpf, is_resumed: bool) -> Result<ByPolicy, EgressError> {
    let tables = PolicyTables::new(
        Array::try_from(map(program, "policy_rules")?).map_err(of_object)?,
        Array::try_from(map(program, "policy_settings")?).map_err(of_object)?,
        Array::try_from(map(program, "policy_counts")?).map_err(of_object)?,
        HashMap::try_from(map(program, "decisions")?).map_err(of_object)?,
        is_resumed,
    )?;
    Ok(ByPolicy {
        classes: HashMap::try_from(map(program, "policy_classes")?).map_err(of_object)?,
        step: ProgramArray::try_from(map(program, "policy_step")?).map_err(of_object)?,
        fault: None,
        hooks: Vec::new(),
        tables: Some(tables),
    })
}

fn map(program: &mut Ebpf, name: &str) -> Result<Map, EgressError> {
    program.take_map(name).ok_or_else(missing)
}

fn of_object(error: impl Error + 'static) -> EgressError {
    EgressError::of_loading(&error)
}
