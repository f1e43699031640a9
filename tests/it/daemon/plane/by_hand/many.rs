//! Many flows of one client, whose process is killed: nothing is left.

use super::super::super::eventually;
use super::Bed;
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

const FLOWS: usize = 1_000;
const FILTERS: usize = 5;

/// A program of its own process, in Python: makes flows, each with its filters, says so, and does nothing more. Each tenth flow is
/// shaped, and so has a class of its own.
const PROGRAM: &str = r#"
import json, signal, socket, sys
control = socket.socket(socket.AF_UNIX)
control.connect(sys.argv[1])
lines = control.makefile()
lines.readline()
asked = 0
def ask(**request):
    global asked
    asked += 1
    control.sendall((json.dumps({"id": asked, **request}) + "\n").encode())
    while True:
        said = json.loads(lines.readline())
        if said.get("id") == asked:
            return said["ok"]
flows, filters = int(sys.argv[2]), int(sys.argv[3])
traffic = {"rate_bps": 16000, "bucket": 3000, "min_packet": 64, "max_packet": 1500}
for n in range(flows):
    flow = ask(request="tc-flow-add", interface="to-r", mode="borrow" if n % 10 else "shape", dscp=46,
               flowspec={"service": "controlled-load", "traffic": traffic})["flow"]
    for port in range(10000 + n * filters, 10000 + (n + 1) * filters):
        ask(request="tc-filter-add", flow=flow, protocol="udp", destination="10.0.2.2", destination_port=port)
print("made", flush=True)
while True:
    signal.pause()
"#;

/// The program, which is ended with the test.
struct Program(Child);

impl Program {
    /// Runs it until it has made all.
    fn start(bed: &Bed) -> Self {
        let mut command = bed.net.command("a", "python3");
        command.args(["-c", PROGRAM]).arg(bed.net.socket("a"));
        command.args([FLOWS, FILTERS].map(|number| number.to_string()));
        let mut child = command.stdout(Stdio::piped()).spawn().expect("a program of python3");
        let stdout = child.stdout.take().expect("piped");
        let this = Self(child);
        let said = BufReader::new(stdout).lines().next().expect("it has made all").expect("a line");
        assert_eq!(said, "made");
        this
    }
}

impl Drop for Program {
    /// SIGKILL.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn nothing_is_left_of_a_thousand_flows_when_their_client_is_killed() {
    let Some(mut bed) = Bed::new("many flows by hand", "overhead = 0\n") else { return };
    let before = bed.a.remaining("to-r");
    let program = Program::start(&bed);
    let report = bed.a.report();
    assert_eq!(report["flows"].as_array().map(Vec::len), Some(FLOWS));
    assert!(report["flows"].as_array().is_some_and(|rows| rows.iter().all(|row| row["counted"].is_object())));
    assert_eq!((bed.told_by(), bed.live()), ([FLOWS * FILTERS, 1, 0], FLOWS));
    assert_eq!(bed.a.remaining("to-r"), before - 16_000 * FLOWS as u64);
    for n in [0, 77, FLOWS * FILTERS - 1] {
        let port = 10_000 + n as u16;
        bed.send(4000, port, 1);
        assert_eq!(bed.dscps(port, 0, 1), [46], "filter {n}");
    }
    assert!(bed.own_classes() >= FLOWS / 10);
    drop(program);
    eventually("no flow is left", || (bed.a.report()["flows"] == json!([])).then_some(()));
    let report = bed.a.report();
    let on = report["interfaces"].as_array().and_then(|all| all.iter().find(|on| on["interface"] == "to-r"));
    let on = on.expect("the interface");
    let numbers = ["flows", "filters", "masks", "remaining_bps"].map(|field| on[field].as_u64());
    assert_eq!(numbers, [0, 0, 0, before].map(Some), "{on}");
    assert_eq!((bed.told_by(), bed.live()), ([0; 3], 0));
    eventually("no class is left", || (bed.own_classes() == 0).then_some(()));
    bed.send(4000, 10_000, 1);
    assert_eq!(bed.dscps(10_000, 1, 1), [0]);
}
