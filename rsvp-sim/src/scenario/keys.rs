//! The keys of a scenario file's tables as methods, for [`Builder`](super::Builder) and for what is done to a world between its
//! steps. Each method has the name of its key and takes its value as a file has it.

use std::fmt::Write;

/// A string as TOML writes it.
pub(crate) fn word(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// Strings as TOML writes them.
pub(crate) fn list<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| word(name.as_ref())).collect();
    format!("[{}]", names.join(", "))
}

/// Keys with their values, and the inline tables of `flows`.
#[derive(Clone, Debug, Default)]
struct Keys {
    keys: Vec<String>,
    flows: Vec<String>,
}

impl Keys {
    fn put(&mut self, key: &str, value: &str) {
        self.keys.push(format!("{key} = {value}"));
    }

    fn lines(&self) -> String {
        let mut text = String::new();
        for key in &self.keys {
            let _ = writeln!(text, "{key}");
        }
        if !self.flows.is_empty() {
            let _ = writeln!(text, "flows = [{}]", self.flows.join(", "));
        }
        text
    }
}

macro_rules! keys {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $method:ident $key:literal $kind:ident;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        #[must_use = "these keys are of no table yet"]
        pub struct $name(Keys);

        impl $name {
            /// The keys as lines of a file.
            pub(crate) fn text(&self) -> String {
                self.0.lines()
            }

            $(keys!{@$kind $(#[$of])* $method $key})*
        }
    };
    (@word $(#[$of:meta])* $method:ident $key:literal) => {
        $(#[$of])*
        pub fn $method(mut self, value: impl AsRef<str>) -> Self {
            self.0.put($key, &word(value.as_ref()));
            self
        }
    };
    (@number $(#[$of:meta])* $method:ident $key:literal) => {
        $(#[$of])*
        pub fn $method(mut self, value: u64) -> Self {
            self.0.put($key, &value.to_string());
            self
        }
    };
    (@truth $(#[$of:meta])* $method:ident $key:literal) => {
        $(#[$of])*
        pub fn $method(mut self, value: bool) -> Self {
            self.0.put($key, &value.to_string());
            self
        }
    };
    (@names $(#[$of:meta])* $method:ident $key:literal) => {
        $(#[$of])*
        pub fn $method<N: AsRef<str>>(mut self, values: impl IntoIterator<Item = N>) -> Self {
            self.0.put($key, &list(values));
            self
        }
    };
    (@flow $(#[$of:meta])* $method:ident $key:literal) => {
        $(#[$of])*
        pub fn $method(mut self, keys: impl FnOnce(FlowKeys) -> FlowKeys) -> Self {
            let keys = keys(FlowKeys::default()).text();
            self.0.flows.push(format!("{{ {} }}", keys.trim_end().replace('\n', ", ")));
            self
        }
    };
}

keys! {
    /// Keys of `[[link]]` and `[[lan]]`.
    LinkKeys {
        /// Its name; `a-b` without.
        name "name" word;
        /// Bits per second in each direction: `"10mbit"`.
        rate "rate" word;
        /// Propagation delay: `"5ms"`.
        delay "delay" word;
        /// Largest IP packet, in octets.
        mtu "mtu" number;
        /// What can be reserved: a share or a rate.
        reservable "reservable" word;
        /// Other software refuses requests for larger buckets on it.
        refuse_bucket "refuse_bucket" word;
        /// The error value of such a refusal.
        refuse_value "refuse_value" number;
        /// Share of packets lost: `"1%"`.
        loss "loss" word;
        /// Share of packets that arrive twice.
        duplicate "duplicate" word;
        /// Share of packets that are overtaken.
        reorder "reorder" word;
        /// How long those are held up at most.
        reorder_by "reorder_by" word;
        /// Share of packets that arrive damaged.
        corrupt "corrupt" word;
        /// Which data goes first: `"priority"` or `"fifo"`.
        scheduler "scheduler" word;
        /// What waits at most in each queue of data: `"150kB"`.
        queue "queue" word;
        /// Cost in shortest paths.
        cost "cost" number;
        /// Error term C of Guaranteed service.
        error_c "error_c" word;
        /// Error term D of Guaranteed service.
        error_d "error_d" word;
    }
}

keys! {
    /// Keys of `[[session]]`.
    SessionKeys {
        /// Unicast: the node.
        to "to" word;
        /// Multicast: any name, or an address.
        group "group" word;
        /// `"udp"`, `"tcp"`, `"esp"` or `"ah"`.
        protocol "protocol" word;
        /// An IP protocol by its number.
        protocol_number "protocol" number;
        /// Destination port.
        port "port" number;
    }
}

keys! {
    /// Keys of `[[sender]]`.
    SenderKeys {
        /// Its session; may be left out when there is just one.
        session "session" word;
        /// Source port.
        port "port" number;
        /// Security parameter index, in sessions of ESP and AH.
        spi "spi" number;
        /// Token rate r.
        rate "rate" word;
        /// Bucket depth b.
        bucket "bucket" word;
        /// Peak rate p.
        peak "peak" word;
        /// Minimum policed unit m.
        min_packet "min_packet" word;
        /// Maximum packet size M.
        max_packet "max_packet" word;
        /// When it starts.
        start "start" word;
        /// IP TTL of the data.
        ttl "ttl" number;
        /// `"both"`, `"guaranteed"`, `"controlled-load"` or `"none"`.
        adspec "adspec" word;
        /// Whether it is a QoS socket.
        socket "socket" truth;
    }
}

keys! {
    /// Keys of `[[receiver]]`.
    ReceiverKeys {
        /// Its session; may be left out when there is just one.
        session "session" word;
        /// `"wf"`, `"ff"` or `"se"`.
        style "style" word;
        /// `"controlled-load"` or `"guaranteed"`.
        service "service" word;
        /// Token rate r.
        rate "rate" word;
        /// Bucket depth b.
        bucket "bucket" word;
        /// Peak rate p.
        peak "peak" word;
        /// Minimum policed unit m.
        min_packet "min_packet" word;
        /// Maximum packet size M.
        max_packet "max_packet" word;
        /// R of Guaranteed service.
        reserve "reserve" word;
        /// Slack S of Guaranteed service.
        slack "slack" word;
        /// The senders; all of the session without.
        filters "filters" names;
        /// One flow of several, each with its own filters and flowspec.
        flow "flows" flow;
        /// When it opens the session.
        start "start" word;
        /// Whether it waits for a sender's Path before it reserves.
        wait_for_path "wait_for_path" truth;
        /// Not to reserve before this.
        reserve_at "reserve_at" word;
        /// Whether it asks for a confirmation.
        confirm "confirm" truth;
        /// Whether it is a QoS socket.
        socket "socket" truth;
    }
}

keys! {
    /// Keys of one of the `flows` of a receiver.
    FlowKeys {
        /// The senders.
        filters "filters" names;
        /// `"controlled-load"` or `"guaranteed"`.
        service "service" word;
        /// Token rate r.
        rate "rate" word;
        /// Bucket depth b.
        bucket "bucket" word;
        /// Peak rate p.
        peak "peak" word;
        /// Minimum policed unit m.
        min_packet "min_packet" word;
        /// Maximum packet size M.
        max_packet "max_packet" word;
        /// R of Guaranteed service.
        reserve "reserve" word;
        /// Slack S of Guaranteed service.
        slack "slack" word;
    }
}

keys! {
    /// Keys of `[[traffic]]`.
    TrafficKeys {
        /// Packets of this sender, to its session.
        sender "sender" word;
        /// Packets from this node, in no session,
        from "from" word;
        /// to this one.
        to "to" word;
        /// `"constant"`, `"bursty"` or `"tspec"`.
        pattern "pattern" word;
        /// Bits per second in the long run.
        rate "rate" word;
        /// Size of each IP packet.
        packet "packet" word;
        /// What a bursty one sends at once.
        burst "burst" word;
        /// When it begins.
        start "start" word;
        /// When it ends.
        end "end" word;
    }
}

keys! {
    /// Keys of `[[route]]`.
    RouteKeys {
        /// Data of this session.
        session "session" word;
        /// Everything to this node.
        to "to" word;
        /// Only data of this sender.
        sender "sender" word;
        /// Where data comes from.
        incoming "in" word;
        /// Neighbours, links or LANs that it goes to.
        outgoing "out" names;
    }
}

keys! {
    /// Keys of `[[clock]]`.
    ClockKeys {
        /// How much too fast: `"10%"`.
        fast "fast" word;
        /// How much too slow.
        slow "slow" word;
    }
}

keys! {
    /// Keys of `[[object]]`.
    ObjectKeys {
        /// Its class.
        class "class" number;
        /// Its size.
        size "size" word;
    }
}

keys! {
    /// Keys of `[[action]]`.
    ActionKeys {
        /// Which sender.
        sender "sender" word;
        /// Which receiver.
        receiver "receiver" word;
        /// Which link.
        link "link" word;
        /// Which node.
        node "node" word;
        /// How long a crashed node stays away.
        away "for" word;
        /// Token rate r.
        rate "rate" word;
        /// Bucket depth b.
        bucket "bucket" word;
        /// Peak rate p.
        peak "peak" word;
        /// Minimum policed unit m.
        min_packet "min_packet" word;
        /// Maximum packet size M.
        max_packet "max_packet" word;
        /// `"wf"`, `"ff"` or `"se"`.
        style "style" word;
        /// `"controlled-load"` or `"guaranteed"`.
        service "service" word;
        /// R of Guaranteed service.
        reserve "reserve" word;
        /// Slack S of Guaranteed service.
        slack "slack" word;
        /// The senders.
        filters "filters" names;
        /// One flow of several.
        flow "flows" flow;
        /// Whether a confirmation is asked for.
        confirm "confirm" truth;
    }
}
