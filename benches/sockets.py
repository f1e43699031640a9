#!/usr/bin/env python3
"""Sockets that programs hand to `rsvpd`: a thousand of one program, then ten thousand of ten.

Two network namespaces with an `rsvpd` each. Every program is a process of its own: it hands its sockets over by descriptors, one request
after the other, each with a flow in a session of its own, and keeps them. When all are announced (`rsvp show senders` lists each) the
programs are killed, and nothing may be left. What does not hold is said, and ends this with 1.

Usage, as root: benches/sockets.py [--each 1000] [--programs 10] [--folder FOLDER]
FOLDER has `rsvpd` and `rsvp`; without it they are built (release). Its table is that of docs/performance.md.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time

FIRST_PORT = 10_000
PATIENCE_S = 300
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
SENDING = {"service": "controlled-load", "token_rate": 1000, "minimum_policed_size": 100}


def program(path, count, first):
    """One program: hands over its sockets, says that they are there, and keeps them until it is killed."""
    control = socket.socket(socket.AF_UNIX)
    control.connect(path)
    answers = control.makefile()
    answers.readline()
    held = []
    for n in range(count):
        data = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        data.connect(("10.0.1.2", first + n))
        held.append(data)
        line = json.dumps({"id": 1, "request": "qos-open", "fd": True}) + "\n"
        socket.send_fds(control, [line.encode()], [data.fileno()])
        number = answer(answers)["opened"]["socket"]
        request = {"id": 2, "request": "qos-set", "socket": number, "qos": {"sending": SENDING}}
        control.sendall((json.dumps(request) + "\n").encode())
        answer(answers)
    print("ready", flush=True)
    sys.stdin.read()


def answer(lines):
    """The next answer; events are passed over."""
    for line in lines:
        said = json.loads(line)
        if "error" in said:
            sys.exit(f"refused: {said['error']}")
        if "ok" in said:
            return said["ok"]
    sys.exit("the daemon has ended the connection")


class Hosts:
    """Two hosts and their daemons; taken away at the end, however that comes."""

    def __init__(self, programs, folder):
        self.programs, self.folder, self.prefix, self.daemons = programs, folder, f"sb{os.getpid()}", {}

    def space(self, host):
        return f"{self.prefix}-{host}"

    def start(self):
        for host in "ab":
            subprocess.run(["ip", "netns", "add", self.space(host)], check=True)
        subprocess.run(["ip", "link", "add", "wire", "netns", self.space("a"), "type", "veth",
                        "peer", "name", "wire", "netns", self.space("b")], check=True)
        for host, end in [("a", 1), ("b", 2)]:
            for line in ["link set lo up", f"addr add 10.0.1.{end}/24 dev wire", "link set wire up"]:
                subprocess.run(["ip", "-n", self.space(host), *line.split()], check=True)
            config = self.folder / f"{host}.toml"
            config.write_text(
                '[interfaces]\nbandwidth = "10gbit"\n[qos]\nsockets_per_user = 20000\nrate_per_user = "10gbit"\n'
                "[limits]\nsenders_per_session = 20000\nsessions = 30000\n")
            log = open(self.folder / f"{host}.log", "w")
            self.daemons[host] = subprocess.Popen(
                ["ip", "netns", "exec", self.space(host), self.programs / "rsvpd", "--config", config,
                 "--socket", self.folder / f"{host}.sock"], stderr=log)
        for host in "ab":
            self.until(host, lambda: (self.folder / f"{host}.qos.sock").exists(), "its socket")

    def until(self, host, done, what):
        end = time.monotonic() + PATIENCE_S
        while not done():
            if self.daemons[host].poll() is not None or time.monotonic() > end:
                sys.exit(f"not seen: {what}: {(self.folder / f'{host}.log').read_text()}")
            time.sleep(0.02)

    def senders(self):
        line = [self.programs / "rsvp", "show", "senders", "--json", "--socket", self.folder / "a.sock"]
        said = json.loads(subprocess.run(line, capture_output=True, text=True, check=True).stdout)
        return len(said["senders"] if isinstance(said, dict) else said)

    def cost(self):
        """Seconds of the processor, and octets of memory, of the daemon of `a`."""
        pid = self.daemons["a"].pid
        ticks = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        memory = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return (int(ticks[11]) + int(ticks[12])) / TICKS_PER_S, int(memory.split()[1]) * 1024

    def end(self):
        for daemon in self.daemons.values():
            daemon.terminate()
            daemon.wait()
        for host in "ab":
            subprocess.run(["ip", "netns", "del", self.space(host)], stderr=subprocess.DEVNULL)


def measure(hosts, programs, each):
    before = hosts.cost()
    started = time.monotonic()
    running = [
        subprocess.Popen(["ip", "netns", "exec", hosts.space("a"), sys.executable, __file__, "--program",
                          str(hosts.folder / "a.qos.sock"), str(each), str(FIRST_PORT + n * each)],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for n in range(programs)]
    try:
        for child in running:
            if child.stdout.readline() != "ready\n":
                sys.exit("a program has not handed over all of its sockets")
        opened = time.monotonic() - started
        hosts.until("a", lambda: hosts.senders() == programs * each, "a sender for each socket")
        after = hosts.cost()
    finally:
        for child in running:
            child.kill()
            child.wait()
    killed = time.monotonic()
    hosts.until("a", lambda: hosts.senders() == 0, "no sender")
    count = programs * each
    print(f"| {count} | {programs} | {count / opened:.0f} a second | {(after[0] - before[0]) * 1e6 / count:.0f} µs | "
          f"{(after[1] - before[1]) / count / 1e3:.1f} kB | {time.monotonic() - killed:.2f} s |", flush=True)


def main():
    if sys.argv[1:2] == ["--program"]:
        return program(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=1000)
    parser.add_argument("--programs", type=int, default=10)
    parser.add_argument("--folder", type=pathlib.Path)
    told = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    folder = told.folder
    if folder is None:
        subprocess.run(["cargo", "build", "--release", "-q", "-p", "rsvpd", "-p", "rsvp-cli"], check=True)
        folder = pathlib.Path("target/release").resolve()
    work = pathlib.Path(tempfile.mkdtemp())
    hosts = Hosts(folder.resolve(), work)
    try:
        hosts.start()
        print("| sockets | programs | opened, connected and asked for | processor time of rsvpd each | "
              "memory of rsvpd each | all gone when killed |")
        print("|---|---|---|---|---|---|")
        measure(hosts, 1, told.each)
        measure(hosts, told.programs, told.each)
    finally:
        hosts.end()
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
