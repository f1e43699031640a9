#!/usr/bin/env python3
"""What a mark costs a program that sends to another host: its own processor time for a packet, of a socket with a flow and of one without.

Run as root, after `cargo build --workspace --bins`; RSVPD names another program than target/debug/rsvpd. Two network namespaces and the
daemon are made for it and removed again.
"""

import array
import ctypes
import json
import os
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

RSVPD = os.environ.get("RSVPD") or Path(__file__).resolve().parent.parent / "target" / "debug" / "rsvpd"
PACKETS, ROUNDS = 2_000, 400
HERE, THERE = f"marked-{os.getpid()}-a", f"marked-{os.getpid()}-b"
CONFIG = '[data_plane]\nkind = "kernel"\npins = ""\n[interfaces]\nbandwidth = "100mbit"\n[node]\nstate = "{folder}"\n'


def run(line):
    subprocess.run(line.split(), check=True)


def enter(namespace):
    with open(f"/run/netns/{namespace}") as inside:
        assert ctypes.CDLL(None).setns(inside.fileno(), 0x40000000) == 0


def network():
    for name in (HERE, THERE):
        run(f"ip netns add {name}")
    run(f"ip link add to-b netns {HERE} type veth peer name to-a netns {THERE}")
    for name, interface, address in ((HERE, "to-b", "10.0.1.1"), (THERE, "to-a", "10.0.1.2")):
        run(f"ip -n {name} addr add {address}/24 dev {interface}")
        run(f"ip -n {name} link set {interface} up")


def connected():
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.connect(("10.0.1.2", 5000))
    return udp


def sending(udp):
    octets, before = bytes(36), time.thread_time_ns()
    for _ in range(PACKETS):
        udp.send(octets)
    return (time.thread_time_ns() - before) / PACKETS


def connect(path):
    while True:
        try:
            daemon = socket.socket(socket.AF_UNIX)
            daemon.connect(path)
            return daemon
        except OSError:
            time.sleep(0.05)


def measure(folder):
    enter(THERE)
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("10.0.1.2", 5000))
    enter(HERE)
    plain, own = connected(), connected()
    before = statistics.median(sending(plain) for _ in range(ROUNDS))
    daemon = connect(f"{folder}/sock")
    lines = daemon.makefile()
    lines.readline()
    line = json.dumps({"id": 1, "request": "flow-add", "fd": True, "traffic": "voice"}) + "\n"
    descriptor = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [own.fileno()]))
    daemon.sendmsg([line.encode()], [descriptor])
    assert "ok" in json.loads(lines.readline())
    rounds = [(sending(plain), sending(own)) for _ in range(ROUNDS)]
    unmarked, marked = (statistics.median(each) for each in zip(*rounds))
    print(f"before there was a flow {before:.0f} ns, unmarked {unmarked:.0f} ns, marked {marked:.0f} ns: {marked / unmarked:.3f}")


def main():
    daemon = None
    with tempfile.TemporaryDirectory() as folder:
        try:
            network()
            Path(f"{folder}/toml").write_text(CONFIG.format(folder=folder))
            line = ["ip", "netns", "exec", HERE, str(RSVPD), "--config", f"{folder}/toml", "--socket", f"{folder}/sock"]
            daemon = subprocess.Popen(line, stderr=subprocess.DEVNULL)
            measure(folder)
        finally:
            if daemon:
                daemon.terminate()
                daemon.wait()
            for name in (HERE, THERE):
                subprocess.run(["ip", "netns", "del", name])


main()
