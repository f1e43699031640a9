#!/usr/bin/env python3
"""What policies cost, as ratios within one run: connect, sendto to another peer each time, and a packet of a socket that has been looked at.

As root, with `rsvpd` built: benches/policies.py target/release/rsvpd. Two namespaces on a veth; each case is measured in turn with the
others, several times over, and the least of each is compared with the least of a machine without the daemon. What it makes (namespaces,
processes, files) it takes away again, also after a failure or Ctrl-C."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROUNDS, BATCHES = 5, 40
CONNECTS, PEERS, PACKETS = 10, 100, 500
ENTER = "nsenter --net=/run/netns/"
HERE, THERE = f"cost-{os.getpid()}-a", f"cost-{os.getpid()}-b"
# Seconds until a daemon has to be ready.
PATIENCE = 20
SINK = """
import socket
datagrams = socket.socket(type=socket.SOCK_DGRAM)
datagrams.bind(("10.8.0.2", 9001))
streams = socket.create_server(("10.8.0.2", 9000), backlog=512)
print("ready", flush=True)
while True:
    streams.accept()[0].close()
"""


def run(line):
    subprocess.run(line.split(), check=True)


def least(count, what):
    """The least that one of so many takes, in nanoseconds, of many batches: other work of the machine disturbs some of them."""
    times = []
    for _ in range(BATCHES):
        began = time.perf_counter_ns()
        for _ in range(count):
            what()
        times.append((time.perf_counter_ns() - began) / count)
    return min(times)


def measure():
    """In the namespace of the sender: nanoseconds for a connect, for a sendto another peer, for a packet to the same."""

    def connect():
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream:
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            stream.connect(("10.8.0.2", 9000))

    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ports = iter(range(10000, 65536))
    connected = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    connected.connect(("10.8.0.2", 9001))
    connected.send(b"x" * 64)
    print(
        least(CONNECTS, connect),
        least(PEERS, lambda: sender.sendto(b"x" * 64, ("10.8.0.2", next(ports)))),
        least(PACKETS, lambda: connected.send(b"x" * 64)),
    )


def policies(count, matches):
    text = "".join(
        f'[[policy]]\nname = "p{n}"\nmatch = {{ remote = "10.99.{n // 250}.{n % 250}" }}\naction = {{ dscp = 8 }}\n'
        for n in range(count - int(matches))
    )
    if matches:
        text += '[[policy]]\nname = "all"\nmatch = { protocol = "udp" }\naction = { dscp = 46 }\n'
        text += '[[policy]]\nname = "tcp"\nmatch = { protocol = "tcp" }\naction = { dscp = 46 }\n'
    return text


def ready(path, daemon, count):
    """Waits until a daemon has so many policies in force, and its data plane has done what that takes."""
    end = time.monotonic() + PATIENCE

    def late(why):
        if daemon.poll() is not None:
            sys.exit(f"rsvpd has ended with status {daemon.returncode}: its log says why, if it is run by hand")
        if time.monotonic() > end:
            sys.exit(f"rsvpd is not ready within {PATIENCE} s: {why}")
        time.sleep(0.02)

    while True:
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(PATIENCE)
        try:
            client.connect(path)
            break
        except OSError as error:
            client.close()
            late(error)
    with client, client.makefile() as lines:
        lines.readline()  # who it is

        def ask(number, **request):
            client.sendall((json.dumps({"id": number, **request}) + "\n").encode())
            for line in map(json.loads, lines):
                if line.get("id") == number and ("ok" in line or "error" in line):
                    return line.get("ok") or sys.exit(f"rsvpd refuses {request}: {line}")
            sys.exit("rsvpd has closed its control socket")

        report = ask(1, request="policy-refresh")["policy"]
        faults = [policy["fault"] for policy in report["policies"] if policy.get("fault")]
        if len(report["policies"]) != count or faults:
            sys.exit(f"{len(report['policies'])} policies in place of {count} are in force: {faults[:1] or report}")
        # Answered after whatever the data plane had to do before.
        ask(2, request="list", what="flows")


def stop(process):
    """Ends a process, gently at first."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def network():
    run(f"ip netns add {HERE}")
    run(f"ip netns add {THERE}")
    run(f"ip link add cost0 netns {HERE} type veth peer name cost0 netns {THERE}")
    for end, node in ((1, HERE), (2, THERE)):
        run(f"ip -n {node} addr add 10.8.0.{end}/24 dev cost0")
        run(f"ip -n {node} link set cost0 up")


def serve(processes):
    """Who takes what is sent, once it does."""
    sink = subprocess.Popen([*f"{ENTER}{THERE}".split(), sys.executable, "-c", SINK], stdout=subprocess.PIPE)
    processes.append(sink)
    if not sink.stdout.readline():
        sys.exit("who takes packets has not begun")


def rounds(rsvpd, folder, processes):
    cases = {"no daemon": None, "no policy": (0, False), "1, no match": (1, False), "1, match": (1, True),
             "1000, no match": (1000, False), "1000, match": (1000, True)}
    store = os.path.join(folder, "store")
    os.makedirs(store)
    config = f'[data_plane]\nkind = "kernel"\npins = ""\n[node]\nstate = "{folder}/state"\n[policies]\nactive = ""\nvendor = ""\npersistent = "{store}"\n'
    write(f"{folder}/rsvpd.toml", config)
    best = {name: [float("inf")] * 3 for name in cases}
    for _ in range(ROUNDS):
        for name, case in cases.items():
            if case is not None:
                write(f"{store}/all.toml", policies(*case))
                line = f"{ENTER}{HERE} {rsvpd} --config {folder}/rsvpd.toml --socket {folder}/sock"
                daemon = subprocess.Popen(line.split(), stderr=subprocess.DEVNULL)
                processes.append(daemon)
                ready(f"{folder}/sock", daemon, case[0] + int(case[1]))
            line = [*f"{ENTER}{HERE}".split(), sys.executable, __file__, "--measure"]
            done = subprocess.run(line, check=True, capture_output=True, text=True)
            found = [float(word) for word in done.stdout.split()]
            best[name] = [min(pair) for pair in zip(best[name], found)]
            if case is not None:
                stop(processes.pop())
    return best


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def main(rsvpd):
    # An end by a signal cleans up as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    processes = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            network()
            serve(processes)
            best = rounds(rsvpd, folder, processes)
        finally:
            for process in reversed(processes):
                stop(process)
            for name in (HERE, THERE):
                if os.path.exists(f"/run/netns/{name}"):
                    subprocess.run(["ip", "netns", "del", name])
    base = best["no daemon"]
    print(f"{'':16}{'connect':>18}{'sendto, new peer':>22}{'packet, same peer':>22}")
    for name, found in best.items():
        cells = [f"{one / 1000:9.2f} us {one / zero:5.2f}x" for one, zero in zip(found, base)]
        print(f"{name:16}{cells[0]:>18}{cells[1]:>22}{cells[2]:>22}")


if sys.argv[1:] == ["--measure"]:
    measure()
elif len(sys.argv) == 2 and os.access(sys.argv[1], os.X_OK):
    main(os.path.abspath(sys.argv[1]))
else:
    sys.exit(f"usage: {sys.argv[0]} RSVPD, for instance target/release/rsvpd")
