//! Pages of runs: what a page leaves out it says, what it says is what the report says, and it is never too large for a browser.

use rsvp_sim::{Report, Scenario, World};
use serde_json::Value;
use std::fmt::Write;

/// A run, its page, and the data in that.
fn page(text: &str) -> (Report, String, Value) {
    let scenario = Scenario::parse("page.toml", text.as_bytes()).unwrap_or_else(|fault| panic!("{fault}"));
    let (scenario, record) = World::new(scenario).run();
    let report = Report::new(&scenario, &record);
    let page = report.html(&record);
    let data = data(&page);
    (report, page, data)
}

/// What the script reads: the text of its element, as HTML has it.
fn data(page: &str) -> Value {
    let text = page.split_once("id=\"run\">").expect("the data").1;
    let text = text.split_once("</script>").expect("its end").0;
    assert!(!text.contains('<'), "no tag and no comment begins in it");
    serde_json::from_str(text).expect("JSON")
}

fn list<'a>(data: &'a Value, key: &str) -> &'a Vec<Value> {
    data[key].as_array().unwrap_or_else(|| panic!("no {key}"))
}

/// A tree of routers with a host at each and a call between each two hosts; some of them carry packets, and links lose some.
fn crowd(hosts: usize, calls: usize, with_packets: usize) -> String {
    let mut text = "name = \"crowd\"\nduration = \"60s\"\nrefresh = \"10s\"\n[nodes]\n".to_owned();
    let names = |letter: char| (0..hosts).map(|n| format!("\"{letter}{n}\"")).collect::<Vec<_>>().join(", ");
    let _ = writeln!(text, "hosts = [{}]\nrouters = [{}]", names('h'), names('r'));
    for n in 0..hosts {
        let _ = writeln!(text, "[[link]]\nbetween = [\"h{n}\", \"r{n}\"]");
        if n > 0 {
            let above = (n - 1) / 2;
            let _ = writeln!(
                text,
                "[[link]]\nbetween = [\"r{above}\", \"r{n}\"]\nrate = \"1gbit\"\nloss = \"{}%\"",
                n % 3
            );
        }
    }
    for n in 0..calls {
        let far = hosts - 1 - n;
        let _ = writeln!(
            text,
            "[[session]]\nname = \"s{n}\"\nto = \"h{far}\"\nport = {port}\n[[sender]]\nname = \"c{n}\"\nnode = \"h{n}\"\n\
             session = \"s{n}\"\nrate = \"100kbit\"\n[[receiver]]\nname = \"v{n}\"\nnode = \"h{far}\"\nsession = \"s{n}\"\n\
             style = \"ff\"\nrate = \"100kbit\"\nconfirm = true",
            port = 5000 + n
        );
        if n < with_packets {
            let _ = writeln!(text, "[[traffic]]\nsender = \"c{n}\"");
        }
    }
    text
}

#[test]
fn a_page_of_a_large_world_with_traffic_is_small_and_its_figures_are_those_of_the_report() {
    let (report, page, data) = page(&crowd(600, 300, 60));
    assert!(page.len() < 2_000_000, "{} octets", page.len());
    assert_eq!((list(&data, "nodes").len(), list(&data, "links").len()), (1200, 1199));
    let left = list(&data, "left_out").iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(left.contains(&format!("of {} messages", report.messages.len())), "{left}");

    // What is reserved at the end, and where its changes end.
    let rows = list(&data, "reservations");
    assert_eq!(rows.len(), report.reservations.len());
    for (row, used) in rows.iter().zip(&report.reservations) {
        assert_eq!(row[3], used.reserved_bps, "{row}");
        assert_eq!(row[5], used.peak_bps, "{row}");
        let changes = row[8].as_array().expect("changes");
        assert_eq!(changes.last().expect("a change")[1], row[3], "{row}");
        assert!(changes.iter().any(|change| change[1] == row[5]), "{row}");
    }

    // Packets on links: as many lost as the report has, and the longest delay of each chart.
    let loads = &data["loads"];
    let charts = list(loads, "charts");
    assert_eq!(charts.len(), 24);
    let lost: u64 = charts.iter().map(|chart| chart[2].as_u64().expect("a count")).sum();
    let all: u64 = report.loads.iter().map(|load| load.lost).sum();
    assert!(lost > 0 && all > 0);
    assert_eq!(lost + loads["more_lost"].as_u64().expect("a count"), all);
    for chart in charts {
        let name = |list_of: &str, place: &Value| {
            list(&data, list_of)[place.as_u64().expect("a place") as usize][0].clone()
        };
        let (from, link) = (name("nodes", &chart[0]), name("links", &chart[1]));
        let known = || report.loads.iter().filter(|load| load.from == from && load.link == link);
        assert_eq!(chart[2], known().map(|load| load.lost).sum::<u64>());
        let points =
            || chart[4].as_object().expect("classes").values().flat_map(|v| v.as_array().expect("a line"));
        assert_eq!(chart[2], points().map(|point| point[1].as_u64().expect("a count")).sum::<u64>());
        let longest = points().map(|point| point[2].as_f64().expect("seconds")).fold(0.0, f64::max);
        let worst = known().map(|load| load.delay_s).fold(0.0, f64::max);
        assert!((longest - worst).abs() < 1e-6 && (chart[3].as_f64().expect("seconds") - worst).abs() < 1e-6);
        // And it is from all of the run.
        assert!(points().any(|point| point[0].as_f64() > Some(50.0)), "{chart}");
    }

    // Messages on links, whether they are here or not.
    for (row, link) in list(&data, "links").iter().zip(&report.links) {
        let on = || report.messages.iter().filter(|m| m.link == link.name);
        assert_eq!(row[8], on().filter(|m| m.lost).count(), "{row}");
        assert_eq!(row[7], on().filter(|m| !m.lost).count(), "{row}");
    }
    let last = list(&data, "messages").last().expect("a message")[1].as_f64();
    assert!(last > Some(50.0), "those that are here are from all of the run: {last:?}");
}

#[test]
fn a_page_of_thousands_of_nodes_shows_those_that_say_most_and_says_so() {
    let (report, page, data) = page(&crowd(4000, 20, 1));
    assert!(page.len() < 2_000_000, "{} octets", page.len());
    let (nodes, links) = (list(&data, "nodes"), list(&data, "links"));
    assert!(nodes.len() < report.nodes.len() && nodes.len() > 1000, "{} nodes", nodes.len());
    assert!(links.len() < report.links.len() && links.len() > 500, "{} links", links.len());
    assert_eq!(data["totals"]["nodes"], report.nodes.len());
    let said = format!("{} of {} nodes", report.nodes.len() - nodes.len(), report.nodes.len());
    assert!(list(&data, "left_out").iter().any(|text| text.to_string().contains(&said)), "{said}");
    // Whoever takes part in a call is here, and what is reserved for it.
    assert_eq!(list(&data, "reservations").len(), report.reservations.len());
    for row in list(&data, "reservations") {
        assert!(row[0].as_u64() < Some(nodes.len() as u64) && row[1].as_u64() < Some(links.len() as u64));
    }
}

#[test]
fn no_text_of_a_scenario_ends_the_data_or_takes_the_place_of_a_part_of_the_page() {
    let evil = "{data}{style}{script}<script>alert(1)</script><!--<script> & '";
    let long = "<".repeat(200_000);
    for description in [evil, &long] {
        let (_, page, data) = page(&format!(
            "name = \"evil\"\ndescription = \"{description}\"\nduration = \"5s\"\n[nodes]\nhosts = [\"a\", \"b\"]\n\
             [[link]]\nbetween = [\"a\", \"b\"]\n[[session]]\nname = \"s\"\nto = \"b\"\n[[sender]]\nname = \"c\"\nnode = \"a\"\n\
             rate = \"1mbit\"\n[[expect]]\nabout = \"<!--<script>\"\nwhat = \"paths\"\nnode = \"b\"\nlist = [{{ sender = \"c\" }}]\n"
        ));
        assert!(page.len() < 200_000 && page.contains("<title>evil</title>"));
        assert_eq!(page.matches("<!--").count(), 0, "no comment begins");
        let shown = data["description"].as_str().expect("a text");
        assert!(shown == description || shown.ends_with('…') && description.len() > 3000, "{shown}");
        assert_eq!(data["expectations"][0]["about"], "<!--<script>");
    }
}

#[test]
fn links_beside_each_other_and_long_names_are_told_apart() {
    let name = "router-in-the-cellar-of-the-old-house";
    let (report, _, data) = page(&format!(
        "name = \"two\"\nduration = \"5s\"\n[nodes]\nhosts = [\"a\", \"b\"]\nrouters = [\"{name}-1\", \"{name}-2\"]\n\
         [[link]]\nbetween = [\"a\", \"{name}-1\"]\n[[link]]\nbetween = [\"{name}-1\", \"{name}-2\"]\n\
         [[link]]\nbetween = [\"{name}-1\", \"{name}-2\"]\nname = \"second\"\n[[link]]\nbetween = [\"{name}-2\", \"b\"]\n\
         [[session]]\nname = \"s\"\nto = \"b\"\n[[sender]]\nname = \"c\"\nnode = \"a\"\nrate = \"1mbit\"\n"
    ));
    let links = list(&data, "links");
    assert!(links[0][6].is_null() && links[3][6].is_null(), "those that are alone go straight");
    let apart = links[1][6][1].as_f64().expect("a place") - links[2][6][1].as_f64().expect("a place");
    assert!(apart.abs() > 20.0, "{links:?}");
    let picture = report.svg();
    let drawn = roxmltree::Document::parse(&picture).expect("SVG");
    let texts = drawn.descendants().filter(|node| node.has_tag_name("text"));
    let texts: Vec<&str> = texts.filter_map(|node| node.text()).collect();
    for (end, short) in [("1", "router-i…house-1"), ("2", "router-i…house-2")] {
        assert_eq!(texts.iter().filter(|text| **text == short).count(), 2, "{texts:?}");
        assert_eq!(picture.matches(&format!("<title>{name}-{end}</title>")).count(), 2);
    }
}
