#[test]
fn a_dscp_is_for_those_who_may() {
    let config = format!("{KERNEL}[qos]\nflow_dscps = {{ 1000 = [\"ef\"], 1001 = [\"10\"] }}\n");
    let Some(bed) = Bed::new("DSCPs of QOS2", &config) else { return };
    let socket = bed.connected();
    let all = bed.privileged();
    let flow = bed.add(&all, &socket, TrafficType::Voice);
    for dscp in [0, 1, 46, 63] {
        bed.at(flow.set_dscp(Dscp::new(dscp).expect("a DSCP"))).expect("root may");
        assert_eq!(bed.mark(&socket), dscp);
        assert_eq!(bed.at(flow.priority()).expect("its marks").dscp, dscp);
    }
    bed.at(flow.set_traffic(TrafficType::Voice)).expect("it is there");
    assert_eq!(bed.mark(&socket), 56, "the type's again");
    drop(flow);
    // Where any user may ask it is the list that allows, of root as of anybody.
    let flows = bed.flows();
    let flow = bed.add(&flows, &bed.connected(), TrafficType::Voice);
    assert_eq!(bed.refused(flow.set_dscp(Dscp::EF)), Refusal::AccessDenied);
    for (uid, dscp, may) in
        [(1000, 46, true), (1000, 10, false), (1001, 10, true), (1001, 46, false), (1002, 46, false)]
    {
        let said = asked_by(&bed, uid, dscp);
        assert_eq!(said.contains("marked"), may, "user {uid}, DSCP {dscp}: {said}");
        assert_eq!(said.contains("access-denied"), !may, "user {uid}, DSCP {dscp}: {said}");
    }
}

/// A program of a user adds a flow and sets a DSCP; what it is told, and `marked` where a packet of it has that.
fn asked_by(bed: &Bed, uid: u32, dscp: u8) -> String {
    const PROGRAM: &str = "
import array, json, socket, sys
path, dscp = sys.argv[1], int(sys.argv[2])
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.connect(('10.0.1.2', 5000))
daemon = socket.socket(socket.AF_UNIX)
daemon.connect(path)
lines = daemon.makefile()
lines.readline()
def ask(request, fds=[]):
    daemon.sendmsg([(json.dumps(request) + '\\n').encode()],
                   [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else [])
    return json.loads(lines.readline())
flow = ask({'id': 1, 'request': 'flow-add', 'fd': True, 'traffic': 'voice'}, [udp.fileno()])['ok']['flow']
print(ask({'id': 2, 'request': 'flow-set', 'flow': flow, 'dscp': dscp}))
udp.send(b'x')
print('port', udp.getsockname()[1])
";
    let path = bed.hosts.qos_socket("a");
    // The folder of the test is root's own; any user may walk there.
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(path.parent().expect("a folder"), all).expect("a folder of the test's own");
    let mut command = bed.net().command("a", "setpriv");
    let (user, dscp_text) = (uid.to_string(), dscp.to_string());
    command.args(["--reuid", &user, "--regid", &user, "--clear-groups", "python3", "-c", PROGRAM]);
    let done = command.arg(path).arg(&dscp_text).output().expect("it runs");
    let mut said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    let port = said.lines().filter_map(|line| line.strip_prefix("port ")).next().expect("a port");
    if bed.from(port.parse().expect("a number"), 1)[0].dscp() == dscp {
        said.push_str("marked");
    }
    said
}

