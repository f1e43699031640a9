#!/usr/bin/env python3
"""What policies cost, as ratios within one run: connect, sendto to another peer each time, and a packet of a socket that has been looked at.

As root, with `rsvpd` built: benches/policies.py target/release/rsvpd. Two namespaces on a veth; each case is measured in turn with the
others, several times over, and the least of each is compared with the least of a machine without the daemon."""

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


def main(rsvpd):
    folder = tempfile.mkdtemp()
    cases = {"no daemon": None, "no policy": "", "1, no match": policies(1, False), "1, match": policies(1, True),
             "1000, no match": policies(1000, False), "1000, match": policies(1000, True)}
    run("ip netns add cost-a")
    run("ip netns add cost-b")
    sink = daemon = None
    try:
        run("ip link add cost0 netns cost-a type veth peer name cost0 netns cost-b")
        for end, node in ((1, "cost-a"), (2, "cost-b")):
            run(f"ip -n {node} addr add 10.8.0.{end}/24 dev cost0")
            run(f"ip -n {node} link set cost0 up")
        sink = subprocess.Popen([*f"{ENTER}cost-b".split(), sys.executable, "-c",
                                 "import socket\nu=socket.socket(type=socket.SOCK_DGRAM)\nu.bind(('10.8.0.2',9001))\ns=socket.create_server(('10.8.0.2',9000),backlog=512)\n"
                                 "while True: s.accept()[0].close()"])
        reaches = "import socket; socket.create_connection(('10.8.0.2', 9000), 1)"
        while subprocess.run([*f"{ENTER}cost-a".split(), sys.executable, "-c", reaches], stderr=subprocess.DEVNULL).returncode:
            time.sleep(0.1)
        best = {name: [float("inf")] * 3 for name in cases}
        for _ in range(ROUNDS):
            for name, text in cases.items():
                if text is not None:
                    store = os.path.join(folder, "store")
                    os.makedirs(store, exist_ok=True)
                    with open(os.path.join(store, "all.toml"), "w") as file:
                        file.write(text)
                    with open(os.path.join(folder, "rsvpd.toml"), "w") as file:
                        file.write(f'[data_plane]\nkind = "kernel"\npins = ""\n[policies]\nactive = ""\nvendor = ""\npersistent = "{store}"\n')
                    daemon = subprocess.Popen([*f"{ENTER}cost-a".split(), rsvpd, "--config", f"{folder}/rsvpd.toml", "--socket",
                                               f"{folder}/sock"], stderr=subprocess.DEVNULL)
                    time.sleep(1.5)
                done = subprocess.run([*f"{ENTER}cost-a".split(), sys.executable, __file__, "--measure"], check=True,
                                      capture_output=True, text=True)
                found = [float(word) for word in done.stdout.split()]
                best[name] = [min(pair) for pair in zip(best[name], found)]
                if daemon:
                    daemon.send_signal(signal.SIGTERM)
                    daemon.wait()
                    daemon = None
        base = best["no daemon"]
        print(f"{'':16}{'connect':>18}{'sendto, new peer':>22}{'packet, same peer':>22}")
        for name, found in best.items():
            cells = [f"{one / 1000:9.2f} us {one / zero:5.2f}x" for one, zero in zip(found, base)]
            print(f"{name:16}{cells[0]:>18}{cells[1]:>22}{cells[2]:>22}")
    finally:
        for process in filter(None, (sink, daemon)):
            process.kill()
        run("ip netns del cost-a")
        run("ip netns del cost-b")


if sys.argv[1:] == ["--measure"]:
    measure()
else:
    main(os.path.abspath(sys.argv[1]))
