#!/usr/bin/env python3
"""Reservations of real daemons: sets up many across three routers, counts them on each, and again after refreshes.

Five network namespaces in a row, a sender's host, three routers and a receiver's host, each with an `rsvpd` (release
build). One application at each end: the receiver's reserves for every Path it hears of and asks for confirmation, so a
reservation counts as set up when its ResvConf has come all the way back. Then `rsvp show reservations --json` is asked on
every router, and what is there is compared with what was asked for, session by session. Last, after some refresh
periods, everything is looked at again; and when the applications have ended, that nothing is left, and that every
packet that was sent was received or counted as dropped. What does not hold is said, and ends this with 1.

Usage, as root: benches/reservations.py [--count 10000] [--refresh 30] [--periods 2] [--programs FOLDER]
Without --programs it builds them. Its tables are those of docs/performance.md.
"""

import argparse
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

NODES = ["sender", "r1", "r2", "r3", "receiver"]
ROUTERS = NODES[1:4]
FIRST_PORT = 10000
RATE_BPS = 8000
# How many requests may be without an answer, so that neither side has to keep much.
AT_ONCE = 256
# Longer than any step takes on a slow machine.
PATIENCE_S = 300
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def run(*line, **more):
    done = subprocess.run(line, capture_output=True, text=True, **more)
    if done.returncode:
        sys.exit(f"{' '.join(line)}: {done.stderr.strip()}")
    return done.stdout


class Application:
    """One connection to a control socket: requests without waiting for each, answers and events as they come."""

    def __init__(self, path, on_event):
        self.stream = socket.socket(socket.AF_UNIX)
        self.stream.connect(str(path))
        self.on_event = on_event
        self.room = threading.Semaphore(AT_ONCE)
        self.writing = threading.Lock()
        self.asked = self.answered = 0
        self.faults = []
        self.kinds = {}
        threading.Thread(target=self.read, daemon=True).start()

    def ask(self, bounded=True, **request):
        if bounded:
            self.room.acquire()
        with self.writing:
            self.asked += 1
            line = json.dumps({"id": self.asked, **request}) + "\n"
            self.stream.sendall(line.encode())

    def read(self):
        for line in self.stream.makefile():
            said = json.loads(line)
            if "event" in said:
                event = said["event"]
                self.kinds[event["event"]] = self.kinds.get(event["event"], 0) + 1
                if event["event"].endswith(("-error", "-gone")):
                    self.faults.append(event)
                self.on_event(self, event)
            elif "id" in said:
                self.answered += 1
                self.room.release()
                if "error" in said:
                    self.faults.append(said)

    def heard(self, kind):
        return self.kinds.get(kind, 0)


class Daemons:
    """The namespaces and what runs in them; taken away at the end, however that comes."""

    def __init__(self, programs, folder, refresh_s):
        self.programs, self.folder = programs, folder
        self.prefix = f"rb{os.getpid()}"
        self.running = {}
        self.config = folder / "rsvpd.toml"
        self.config.write_text(f'log = "warn"\n[interfaces]\nbandwidth = "10gbit"\nrefresh = "{refresh_s}s"\n')

    def space(self, node):
        return f"{self.prefix}-{node}"

    def ip(self, node, line):
        run("ip", "-n", self.space(node), *line.split())

    def wire(self):
        for node in NODES:
            run("ip", "netns", "add", self.space(node))
            self.ip(node, "link set lo up")
        for n, (left, right) in enumerate(zip(NODES, NODES[1:]), 1):
            run("ip", "link", "add", "onward", "netns", self.space(left), "type", "veth",
                "peer", "name", "back", "netns", self.space(right))
            for node, name, end in [(left, "onward", 1), (right, "back", 2)]:
                self.ip(node, f"addr add 10.0.{n}.{end}/24 dev {name}")
                self.ip(node, f"link set {name} up")
        for n, node in enumerate(NODES):
            if node in ROUTERS:
                run("ip", "netns", "exec", self.space(node), "sysctl", "-qw", "net.ipv4.ip_forward=1")
            if n + 2 < len(NODES):
                self.ip(node, f"route add 10.0.{len(NODES) - 1}.0/24 via 10.0.{n + 1}.2")
            if n >= 2:
                self.ip(node, f"route add 10.0.1.0/24 via 10.0.{n}.1")

    def start(self):
        for node in NODES:
            with open(self.folder / f"{node}.log", "w") as log:
                self.running[node] = subprocess.Popen(
                    ["ip", "netns", "exec", self.space(node), self.programs / "rsvpd",
                     "--config", self.config, "--socket", self.socket(node)], stderr=log)
        for node, child in self.running.items():
            end = time.monotonic() + PATIENCE_S
            while "10.0." not in self.try_show(node, "interfaces"):
                if child.poll() is not None or time.monotonic() > end:
                    sys.exit(f"the rsvpd of {node} does not answer: {(self.folder / f'{node}.log').read_text()}")
                time.sleep(0.02)

    def socket(self, node):
        return self.folder / f"{node}.sock"

    def try_show(self, node, what):
        line = [self.programs / "rsvp", "show", what, "--json", "--socket", self.socket(node)]
        return subprocess.run(line, capture_output=True, text=True).stdout

    def show(self, node, what):
        return json.loads(run(self.programs / "rsvp", "show", what, "--json", "--socket", self.socket(node)))

    def cpu_s(self, node):
        fields = pathlib.Path(f"/proc/{self.running[node].pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def memory_mib(self, node, what="VmRSS"):
        for line in pathlib.Path(f"/proc/{self.running[node].pid}/status").read_text().splitlines():
            if line.startswith(what):
                return int(line.split()[1]) / 1024
        return 0.0

    def end(self):
        for child in self.running.values():
            child.terminate()
        for child in self.running.values():
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        for node in NODES:
            subprocess.run(["ip", "netns", "del", self.space(node)], capture_output=True)


def wait_for(what, reached, count):
    end = time.monotonic() + PATIENCE_S
    while reached() < count:
        if time.monotonic() > end:
            print(f"within {PATIENCE_S} s only {reached()} of {count} {what}")
            return False
        time.sleep(0.005)
    return True


def look(daemons, sessions):
    """Compares what is reserved on each router with what was asked for; says whether everything is as it should be."""
    whole = True
    for node in ROUTERS:
        rows = daemons.show(node, "reservations")
        sound = {row["session"] for row in rows
                 if row["interface"] == "onward" and row["style"] == "ff" and row["charge_bps"] == RATE_BPS
                 and row["filters"] == ["10.0.1.1:4000"]}
        missing, strange = len(sessions - sound), len(rows) - len(sessions & sound)
        whole = whole and not missing and not strange
        print(f"{node}: {len(rows)} reservations, {missing} missing, {strange} that nobody asked for")
    return whole


def discards(daemons, node):
    """Messages that a node had no use for, by reason."""
    return ", ".join(f"{n} {why}" for why, n in daemons.show(node, "counters")["discards"].items() if n)


def account(daemons):
    """Shows what was sent, and what was not or did not arrive; says whether every packet is accounted for."""
    print("\n| node | packets sent | send errors | packets received | discarded | dropped by the kernel |")
    print("|---|---|---|---|---|---|")
    sent = received = 0
    for node in NODES:
        counters = daemons.show(node, "counters")["driver"]
        errors = {name: n for name, n in counters.items() if name.startswith("send-") and n}
        shown = ", ".join(f"{n} {name}" for name, n in errors.items()) or "0"
        print(f"| {node} | {counters['packets-sent']} | {shown} | {counters['packets-received']} | "
              f"{discards(daemons, node) or 0} | {counters['kernel-drops']} |")
        sent += counters["packets-sent"]
        received += counters["packets-received"] + counters["kernel-drops"]
    print(f"\nsent {sent}, received or counted as dropped {received}")
    return sent == received


class Expenses:
    """What every daemon has used from here on."""

    def __init__(self, daemons):
        self.daemons = daemons
        self.cpu_s = {node: daemons.cpu_s(node) for node in NODES}
        self.packets = {node: self.received(node) for node in NODES}

    def received(self, node):
        return self.daemons.show(node, "counters")["driver"]["packets-received"]

    def show(self, count, idle_mib):
        cpu_s = {node: self.daemons.cpu_s(node) - self.cpu_s[node] for node in NODES}
        print("| node | packets received | CPU | RSS | RSS per reservation |\n|---|---|---|---|---|")
        for node in NODES:
            rss = self.daemons.memory_mib(node)
            more = (rss - idle_mib[node]) * 2**20 / count
            packets = self.received(node) - self.packets[node]
            print(f"| {node} | {packets} | {cpu_s[node]:.2f} s | {rss:.1f} MiB | {more:.0f} octets |")
        print()


def measure(daemons, options):
    names = {port: f"udp 10.0.{len(NODES) - 1}.2:{port}" for port in range(FIRST_PORT, FIRST_PORT + options.count)}
    traffic = {"rate_bps": RATE_BPS}
    flows = [{"filters": ["10.0.1.1:4000"], "flowspec": {"service": "controlled-load", "traffic": traffic}}]

    def reserve(application, event):
        if event["event"] == "path" and application.heard("path") <= options.count:
            application.ask(bounded=False, request="reserve", session=event["session"], style="ff", flows=flows,
                            confirm=True)

    idle_mib = {node: daemons.memory_mib(node) for node in NODES}
    receiver = Application(daemons.socket("receiver"), reserve)
    sender = Application(daemons.socket("sender"), lambda *_: None)
    for name in names.values():
        receiver.ask(request="open-session", session=name)
    whole = wait_for("sessions are open", lambda: receiver.answered, options.count)

    expenses = Expenses(daemons)
    start = time.monotonic()
    for name in names.values():
        sender.ask(request="sender", session=name, sender="10.0.1.1:4000", traffic=traffic)
    whole &= wait_for("reservations are confirmed", lambda: receiver.heard("resv-confirm"), options.count)
    whole &= wait_for("reservations are known to the sender", lambda: sender.heard("resv"), options.count)
    took = time.monotonic() - start
    confirmed = receiver.heard("resv-confirm")
    print(f"{confirmed} reservations set up and confirmed across three routers in {took:.2f} s: "
          f"{confirmed / took:.0f} a second\n")
    expenses.show(options.count, idle_mib)
    whole &= look(daemons, set(names.values()))

    expenses = Expenses(daemons)
    time.sleep(options.periods * options.refresh)
    print(f"\nAfter {options.periods} more refresh periods of {options.refresh} s\n")
    expenses.show(options.count, idle_mib)
    whole &= look(daemons, set(names.values()))
    for node in NODES:
        strays = discards(daemons, node)
        whole &= not strays
        if strays:
            print(f"{node} has discarded messages: {strays}")
    for application in receiver, sender:
        for fault in application.faults[:5]:
            print(f"an application was told: {fault}")
        whole &= not application.faults
    return whole & part(daemons, receiver, sender)


def part(daemons, receiver, sender):
    """Ends the applications: nothing may be left. Then nothing is on its way any more, and packets can be counted."""
    start = time.monotonic()
    receiver.stream.shutdown(socket.SHUT_RDWR)
    sender.stream.shutdown(socket.SHUT_RDWR)
    empty = wait_for("nodes are without state", lambda: sum(not daemons.show(n, "sessions") for n in NODES), len(NODES))
    print(f"\ntorn down in {time.monotonic() - start:.2f} s")
    return empty & account(daemons)


def main():
    reading = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reading.add_argument("--count", type=int, default=10000)
    reading.add_argument("--refresh", type=int, default=30, help="R in seconds")
    reading.add_argument("--periods", type=int, default=2)
    reading.add_argument("--programs", type=pathlib.Path)
    options = reading.parse_args()
    if os.geteuid():
        sys.exit("network namespaces need root")
    os.chdir(pathlib.Path(__file__).resolve().parent.parent)
    if not options.programs:
        subprocess.run("cargo build --release -p rsvpd -p rsvp-cli".split(), check=True)
        told = json.loads(run("cargo", "metadata", "--no-deps", "--format-version", "1"))
        options.programs = pathlib.Path(told["target_directory"]) / "release"
    folder = pathlib.Path(tempfile.mkdtemp())
    daemons = Daemons(options.programs.resolve(), folder, options.refresh)
    try:
        daemons.wire()
        daemons.start()
        whole = measure(daemons, options)
    finally:
        daemons.end()
        shutil.rmtree(folder)
    sys.exit(0 if whole else "\nNot everything is as it should be.")


if __name__ == "__main__":
    main()
