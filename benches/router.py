#!/usr/bin/env python3
"""What messages cost a daemon that is a router: two rsvpd, an old one and a new one, are sent the same packets in one run.

Each has a network namespace of its own between a generator, which plays previous hops, and a sink, which plays next hops; what is
counted is the processor time of all its threads by the scheduler's own account, and how often they went to sleep and woke. In
turn come: new Paths, their refreshes, new Resvs, their refreshes, and as many refreshes of Paths as can be sent at once; between them
nothing, when only what the daemons send themselves costs anything, which is taken off the cost of what arrives. The last column is the new daemon's cost by the old one's. On a machine that does
other work the same programs differ by a tenth or two: `--rounds` takes the median of several of each but the first phases.

Usage, as root: benches/router.py --old PROGRAM --new PROGRAM [--sessions 10000] [--resvs 5000] [--rate 500] [--refresh 30] [--seconds 10]
                [--rounds 3]
Its table is the one of docs/performance.md.
"""

import argparse
import ctypes
import json
import os
import pathlib
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

LIBC = ctypes.CDLL(None, use_errno=True)
PREFIX = f"rb{os.getpid()}"
# Data goes to 10.9.0.0/16 behind the sink; the n-th daemon has 10.8.n.0/24 before and 10.8.(n+10).0/24 behind it.
TSPEC = struct.pack("!fffII", 1250, 10000, 25000, 100, 1500)


def run(line):
    done = subprocess.run(line.split(), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{line}: {done.stderr.strip()}")
    return done.stdout


def checksum(octets):
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def obj(number, ctype, body):
    return struct.pack("!HBB", len(body) + 4, number, ctype) + body


def message(kind, body):
    octets = struct.pack("!BBHBBH", 0x10, kind, 0, 63, 0, 8 + len(body)) + body
    return octets[:2] + struct.pack("!H", checksum(octets)) + octets[4:]


def packet(source, destination, octets, alert=False):
    option = bytes([148, 4, 0, 0]) if alert else b""
    length = 20 + len(option) + len(octets)
    head = struct.pack("!BBHHHBBH", 0x45 + len(option) // 4, 0xC0, length, 0, 0, 63, 46, 0)
    return head + socket.inet_aton(source) + socket.inet_aton(destination) + option + octets


def destination(n):
    return f"10.9.{n // 250}.{n % 250 + 1}"


def session(n):
    return obj(1, 1, socket.inet_aton(destination(n)) + bytes([17, 0]) + struct.pack("!H", 5000))


class Daemon:
    """One of the two, with its generator and its sink."""

    def __init__(self, number, program, folder, refresh):
        self.number, self.refresh = number, refresh
        self.generator, self.router, self.sink = (f"{PREFIX}{role}{number}" for role in "grs")
        for space in (self.generator, self.router, self.sink):
            run(f"ip netns add {space}")
            run(f"ip -n {space} link set lo up")
            run(f"ip netns exec {space} sysctl -qw net.ipv6.conf.all.disable_ipv6=1")
        run(f"ip netns exec {self.router} sysctl -qw net.ipv4.ip_forward=1")
        self.join(self.generator, self.router, f"10.8.{number}")
        self.join(self.router, self.sink, f"10.8.{number + 10}")
        run(f"ip -n {self.router} route add 10.9.0.0/16 via 10.8.{number + 10}.2")
        run(f"ip -n {self.generator} route add default via 10.8.{number}.2")
        run(f"ip -n {self.sink} route add 10.9.0.0/16 dev lo")
        config = folder / f"{number}.toml"
        config.write_text(
            f'[interfaces]\nbandwidth = "1gbit"\nrefresh = "{refresh}s"\n[data_plane]\nkind = "none"\n[qos]\nsocket = ""\n'
        )
        self.socket = folder / f"{number}.sock"
        line = f"ip netns exec {self.router} {program} --config {config} --socket {self.socket} --log warn"
        self.process = subprocess.Popen(line.split(), stderr=open(folder / f"{number}.log", "w"))
        self.upstream, self.downstream = raw(self.generator), raw(self.sink)
        self.lih = None

    @staticmethod
    def join(one, other, front):
        run(f"ip link add to-{other} netns {one} type veth peer name to-{one} netns {other}")
        for end, (space, peer) in enumerate(((one, other), (other, one)), 1):
            run(f"ip -n {space} addr add {front}.{end}/24 dev to-{peer}")
            run(f"ip -n {space} link set to-{peer} up")
        # Nobody is to ask for addresses while it is counted.
        for end, (space, peer) in enumerate(((one, other), (other, one)), 1):
            line = run(f"ip -n {peer} -o link show to-{space}")
            run(f"ip -n {space} neigh replace {front}.{3 - end} lladdr {line.split('link/ether ')[1].split()[0]} dev to-{peer}")

    def ask(self, what):
        stream = socket.socket(socket.AF_UNIX)
        stream.connect(str(self.socket))
        stream.sendall(f'{{"id":1,"request":"list","what":"{what}","at_most":8}}\n'.encode())
        lines = stream.makefile()
        lines.readline()
        return json.loads(lines.readline())["ok"]

    def taken(self):
        return self.ask("counters")["counters"]["driver"]["messages-taken"]

    def cpu_us(self):
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e3

    def wakes(self):
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()
        lines = (line for task in tasks for line in (task / "status").read_text().splitlines())
        return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary"))

    def path(self, n):
        source = f"10.8.{self.number}.1"
        body = session(n) + obj(3, 1, socket.inet_aton(source) + struct.pack("!I", 1))
        body += obj(5, 1, struct.pack("!I", self.refresh * 1000))
        body += obj(11, 1, socket.inet_aton(source) + struct.pack("!HH", 0, 4000))
        body += obj(12, 2, struct.pack("!HHBBHBBH", 0, 7, 1, 0, 6, 127, 0, 5) + TSPEC)
        return packet(source, destination(n), message(1, body), alert=True)

    def resv(self, n):
        if self.lih is None:
            rows = self.ask("interfaces")["interfaces"]
            self.lih = next(row["lih"] for row in rows if row["name"] == f"to-{self.sink}")
        own, router = f"10.8.{self.number + 10}.2", f"10.8.{self.number + 10}.1"
        body = session(n) + obj(3, 1, socket.inet_aton(own) + struct.pack("!I", self.lih))
        body += obj(5, 1, struct.pack("!I", self.refresh * 1000)) + obj(8, 1, struct.pack("!I", 10))
        body += obj(9, 2, struct.pack("!HHBBHBBH", 0, 7, 5, 0, 6, 127, 0, 5) + TSPEC)
        body += obj(10, 1, socket.inet_aton(f"10.8.{self.number}.1") + struct.pack("!HH", 0, 4000))
        return packet(own, router, message(2, body))

    def end(self):
        self.process.terminate()
        self.process.wait(20)
        for space in (self.generator, self.router, self.sink):
            subprocess.run(["ip", "netns", "del", space], check=False)


def raw(space):
    """A socket that sends what has a header already, of another namespace."""
    made = []

    def make():
        with open(f"/run/netns/{space}", encoding="ascii") as entered:
            if LIBC.setns(entered.fileno(), 0x40000000):
                raise OSError(ctypes.get_errno(), "setns")
        sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, 46)
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        made.append(sender)

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    return made[0]


def phase(daemons, packets, rate, total):
    """Sends them in turn to each daemon, `rate` a second (0: at once); gives (CPU us, wakes, messages taken, seconds) of each."""
    before = [(daemon.cpu_us(), daemon.wakes(), daemon.taken()) for daemon in daemons]
    begun, sent = time.monotonic(), 0
    while sent < total:
        until = total if not rate else min(total, int((time.monotonic() - begun) * rate) + 1)
        for n in range(sent, until):
            for line in packets:
                sender, octets = line
                one = octets[n % len(octets)]
                sender.sendto(one, (socket.inet_ntoa(one[16:20]), 0))
        sent = until
        if rate:
            time.sleep(0.001)
    if rate:
        time.sleep(0.2)
    else:
        # Until all are done.
        while any(d.taken() - b[2] < total for d, b in zip(daemons, before)) and time.monotonic() - begun < 60:
            time.sleep(0.05)
    seconds = time.monotonic() - begun
    return [
        (daemon.cpu_us() - cpu, daemon.wakes() - wakes, daemon.taken() - taken, seconds)
        for daemon, (cpu, wakes, taken) in zip(daemons, before)
    ]


def row(name, unit, old, new):
    by = f"{new / old:.2f}" if old else "-"
    print(f"| {name} | {old:,.1f} | {new:,.1f} | {unit} | {by} |", flush=True)


def per_message(name, found, total, besides=(0, 0)):
    """The cost of each message, less what a second costs the daemons besides."""
    costs = [statistics.median((one[n][0] - besides[n] * one[n][3]) / total for one in found) for n in (0, 1)]
    row(name, "us of CPU a message", *costs)
    lost = [max(total - one[n][2] for one in found) for n in (0, 1)]
    if any(lost):
        print(f"not taken of {total}: old {lost[0]}, new {lost[1]}", file=sys.stderr)


def steady(daemons, said, name, sent):
    """Nothing arrives: what the daemons' own refreshes cost; gives us of CPU a second."""
    found = [phase(daemons, [], 1, said.seconds) for _ in range(said.rounds)]
    # Asking for a counter twice wakes them, too.
    wakes = [statistics.median((one[n][1] - 4) / one[n][3] for one in found) for n in (0, 1)]
    cpu = [statistics.median(one[n][0] / one[n][3] for one in found) for n in (0, 1)]
    row(f"{name}: wake-ups", "a second", *wakes)
    row(f"{name}: CPU", "% of a core", *(each / 1e4 for each in cpu))
    row(f"{name}: each refresh", "us of CPU a message", *(each * said.refresh / sent for each in cpu))
    return cpu


def measure(daemons, said):
    time.sleep(1)
    print("| what | old | new | unit | new / old |\n|---|---|---|---|---|")
    idle = phase(daemons, [], 1, 5)
    row("idle without state: wake-ups", "a second", *(max(0, wakes - 4) / seconds for _, wakes, _, seconds in idle))
    paths = [(daemon.upstream, [daemon.path(n) for n in range(said.sessions)]) for daemon in daemons]
    per_message("new Path", [phase(daemons, paths, said.rate, said.sessions)], said.sessions)
    # What is new is sent again; then only what always is.
    time.sleep(said.refresh / 8)
    besides = steady(daemons, said, f"{said.sessions} Paths, nothing arrives", said.sessions)
    for rate in (200, 2000):
        total = rate * said.seconds
        found = [phase(daemons, paths, rate, total) for _ in range(said.rounds)]
        per_message(f"Path refresh at {rate}/s", found, total, besides)
    resvs = [(daemon.downstream, [daemon.resv(n) for n in range(said.resvs)]) for daemon in daemons]
    per_message("new Resv", [phase(daemons, resvs, said.rate, said.resvs)], said.resvs, besides)
    time.sleep(said.refresh / 8)
    sent = said.sessions + said.resvs
    besides = steady(daemons, said, f"{said.sessions} Paths and {said.resvs} Resvs, nothing arrives", sent)
    total = 200 * said.seconds
    found = [phase(daemons, resvs, 200, total) for _ in range(said.rounds)]
    per_message("Resv refresh at 200/s", found, total, besides)
    # One daemon at a time, as much as can be sent.
    few, dense = min(said.sessions, 4000), []
    for _ in range(said.rounds):
        pair = []
        for n, daemon in enumerate(daemons):
            line = [(daemon.upstream, paths[n][1][:few])]
            found = [phase([daemon], line, 0, few)[0] for _ in range(8)]
            pair.append((sum(one[2] for one in found), sum(one[0] for one in found)))
        dense.append(pair)
    rates = [statistics.median(1e6 * pair[n][0] / pair[n][1] for pair in dense) for n in (0, 1)]
    row("Path refreshes, all at once", "taken a second of CPU", *rates)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--old", required=True)
    parser.add_argument("--new", required=True)
    for name, default in [("sessions", 10000), ("resvs", 5000), ("rate", 500), ("refresh", 30), ("seconds", 10), ("rounds", 3)]:
        parser.add_argument(f"--{name}", type=int, default=default)
    said = parser.parse_args()
    if os.geteuid():
        sys.exit("network namespaces need root")
    daemons = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            for number, program in enumerate((said.old, said.new), 1):
                daemons.append(Daemon(number, program, pathlib.Path(folder), said.refresh))
            measure(daemons, said)
        finally:
            for daemon in daemons:
                daemon.end()


if __name__ == "__main__":
    main()
