#[test]
fn a_delay_is_the_round_trip() {
    let Some(mut net) = Net::new("a delay") else { return };
    net.host("a");
    net.host("b");
    let mut relay = std::process::Command::new("python3");
    relay.args(["-c", RELAY, &net.namespace("a"), &net.namespace("b"), &DELAY_MS.to_string()]);
    let mut relay = relay.stdout(Stdio::piped()).spawn().expect("python runs");
    let said = BufReader::new(relay.stdout.take().expect("piped")).lines().next();
    net.others.push(relay);
    assert_eq!(said.and_then(Result::ok).as_deref(), Some("ready"));
    for (node, interface, address) in [("a", "to-b", "10.0.1.1/24"), ("b", "to-a", "10.0.1.2/24")] {
        net.ip(node, &format!("addr add {address} dev {interface}"));
        net.ip(node, &format!("link set {interface} up"));
    }
    net.daemon("b", RESPONDER);
    let bed = Bed::of(net, KERNEL);
    let socket = bed.connected();
    let options = FlowOptions { adaptive: true, ..FlowOptions::default() };
    let flow = bed.at(bed.flows().add(&socket, TrafficType::Voice, options)).expect("a flow");
    let found = bed.at(flow.fundamentals(true)).expect("it is measured");
    println!("{DELAY_MS} ms each way: {found:?}");
    assert!(near(found.round_trip_us, 2 * DELAY_MS * 1_000), "{found:?}");
}

