//! `rsvp dscp list`: the marks that have a name.

use super::{Failure, print};
use clap::Args;
use comfy_table::{Table, presets};
use rsvp_client::dscp::Named;
use rsvp_client::{Dscp, Wmm};
use serde_json::json;

/// Shows all DSCPs that have a name: number, DS field, meaning, RFC, access category of wireless networks
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    rsvp dscp list\n  \
    rsvp dscp list --json | jq '.[] | select(.wmm == \"AC_VO\")'\n\n\
    The DS field is the octet of the IP header that has the DSCP in its upper six bits and ECN in the lower two; Wireshark\n\
    and tcpdump -v show it as tos or class. Of wireless networks: AC_VO voice, AC_VI video, AC_BE best effort, AC_BK\n\
    background.")]
pub(super) struct Arguments {
    /// As JSON: an array of objects
    #[arg(long)]
    json: bool,
}

pub(super) fn main(arguments: &Arguments) -> Result<u8, Failure> {
    let text = if arguments.json { json() } else { table() };
    print(&text).map(|()| 0)
}

const fn category(wmm: Wmm) -> &'static str {
    match wmm {
        Wmm::Voice => "AC_VO",
        Wmm::Video => "AC_VI",
        Wmm::BestEffort => "AC_BE",
        Wmm::Background => "AC_BK",
    }
}

fn json() -> String {
    let row = |named: &Named| {
        let octet = named.dscp.ds_field();
        json!({
            "name": named.name,
            "dscp": named.dscp.value(),
            "ds_field": octet,
            "hex": format!("{octet:#04x}"),
            "binary": format!("{octet:08b}"),
            "meaning": named.meaning,
            "rfc": named.rfc,
            "wmm": category(named.dscp.wmm()),
        })
    };
    serde_json::Value::from_iter(Dscp::ALL.iter().map(row)).to_string()
}

fn table() -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["NAME", "DSCP", "DS FIELD", "BINARY", "RFC", "WMM", "MEANING"]);
    for Named { dscp, name, meaning, rfc } in Dscp::ALL {
        let octet = dscp.ds_field();
        table.add_row([
            name.to_owned(),
            dscp.value().to_string(),
            format!("{octet:#04x}"),
            // The six bits of the DSCP and the two of ECN.
            format!("{:06b} {:02b}", octet >> 2, octet & 3),
            rfc.to_string(),
            category(dscp.wmm()).to_owned(),
            meaning.to_owned(),
        ]);
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}
