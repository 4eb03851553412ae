#!/usr/bin/env python3
"""Measures Open-Chat between nodes that cannot reach each other, and through a long fat link, in the
laboratory (tests/lab), and prints one table with the targets.

Three nodes of one network are on an internet in miniature; what is sent between two of them is dropped
there, so that they meet through the third. A fourth is reached directly. Rounds are interleaved; a
figure is the median over the rounds, a ratio the median of each round's ratio.
"""

import argparse
import contextlib
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent
for place in ("tests", "tests/functional"):
    sys.path.insert(0, str(ROOT / place))
os.environ.setdefault("OPEN_CHAT_BINARY", str(ROOT / "build" / "release" / "open-chat"))

from lab import firewall, isolation, service  # noqa: E402
from lab.line import Line  # noqa: E402
from lab.node import Node, wait_until  # noqa: E402
from lab.topology import Lab  # noqa: E402
from overlay import ADMIN, PRIVATE_PASSWORD, forward, found, join, path_of, wait_connected  # noqa: E402
from measures import Failed, run_json  # noqa: E402
from run import progress  # noqa: E402
from table import markdown, short  # noqa: E402

KINDS = ("relay", "start", "link")
# Half of a round trip of 60 ms is spent on the ways of both hosts to the internet.
LINE = {"delay": "15ms"}
FAT_LINE = {"rate": "1gbit", "delay": "30ms"}
# Twice what is on the way in a round trip of 60 ms at 1 Gbit/s, and what the kernel adds to it.
BUFFER_BYTES = 64 << 20
WARM_UP_S = 2
# Relayed and direct tunnels lead to these ports of the far nodes' loopback.
RELAYED_PORT, DIRECT_PORT, LINK_PORT, BANNER_PORT = 5201, 5202, 5203, 5204

# Row: (unit, what it is held against, target for the ratio to that or for the figure, if there is one).
ROWS = {
    "bulk through a relay →": ("Gbit/s", "a direct tunnel", (">=", 0.6, "ratio")),
    "bulk through a relay ←": ("Gbit/s", "a direct tunnel", (">=", 0.6, "ratio")),
    "first SYN to first byte, circuit": ("ms", "", None),
    "first SYN to direct path": ("ms", "", None),
    "bulk, 1 Gbit/s and 60 ms →": ("Gbit/s", "iperf3 alone", (">=", 0.8, "ratio")),
    "bulk, 1 Gbit/s and 60 ms ←": ("Gbit/s", "iperf3 alone", (">=", 0.8, "ratio")),
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short round: a check, not a figure")
    parser.add_argument("--only", choices=KINDS, action="append", help="this kind alone; repeatable")
    parser.add_argument("--rounds", type=int, default=5, help="rounds (5)")
    arguments = parser.parse_args()
    arguments.only = arguments.only or list(KINDS)
    if arguments.quick:
        arguments.rounds = 1
    return arguments


class Figures:
    """Ours by row and round, and what they are held against."""

    def __init__(self):
        self.ours, self.beside, self.notes = {}, {}, []

    def add(self, row, number, ours, beside=None):
        self.ours.setdefault(row, {})[number] = ours
        if beside is not None:
            self.beside.setdefault(row, {})[number] = beside

    def render(self):
        lines = [["", "unit", "open-chat", "held against", "", "×", "target", ""]]
        lines += [self._line(row) for row in ROWS if row in self.ours]
        return markdown(lines) + "".join(f"\nnot measured: {note}" for note in self.notes)

    def _line(self, row):
        unit, against, target = ROWS[row]
        ours, beside = self.ours[row], self.beside.get(row, {})
        figure = statistics.median(ours.values())
        ratio = statistics.median(ours[n] / beside[n] for n in beside) if beside else None
        cells = [row, unit, short(figure), against, short(statistics.median(beside.values())) if beside else "",
                 f"{ratio:.2f}" if beside else ""]
        if target is None:
            return [*cells, "", ""]
        relation, limit, of = target
        value = ratio if of == "ratio" else figure
        met = value >= limit if relation == ">=" else value <= limit
        return [*cells, f"{relation} {limit:g}" + (" ×" if of == "ratio" else ""), "met" if met else "MISSED"]


def drops(*addresses):
    """Rules of a host that is not reachable, and to which some addresses are not there at all."""
    return firewall.stateful() + f"""
        table ip apart {{
            chain output {{
                type filter hook output priority 0
                ip daddr {{ {", ".join(addresses)} }} drop
            }}
        }}
    """


@contextlib.contextmanager
def nodes_on(directory, **hosts):
    """{name: node}, to be started; they are killed at the end."""
    nodes = {name: Node(name, directory, host) for name, host in hosts.items()}
    try:
        yield nodes
    finally:
        for node in nodes.values():
            node.kill()


def wait_for_path(node, member, kind, timeout=30):
    wait_until(lambda: path_of(node, member).startswith(kind), timeout,
               f"a path from {node.name} to {member.name} that is {kind}", every=0.2)


@contextlib.contextmanager
def iperf_server(host, port, address="127.0.0.1"):
    server = host.popen(["iperf3", "--server", "--bind", address, "--port", port],
                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: host.run(["ss", "-Hltn", f"sport = :{port}"]).stdout, 5, "the start of iperf3")
        yield
    finally:
        server.kill()
        server.wait()


def bulk(host, address, port, seconds, reverse):
    """Gbit/s received over one stream."""
    argv = ["iperf3", "--json", "--client", address, "--port", port, "--time", seconds, "--omit", WARM_UP_S,
            *(["--reverse"] if reverse else [])]
    for _ in range(10):
        try:
            result = run_json(host.command(argv), 3 * seconds + 30)
            return result["end"]["sum_received"]["bits_per_second"] / 1e9
        except Failed as failure:
            if "busy" not in str(failure):
                raise
            time.sleep(0.5)  # the server is still at the end of the test before
    raise Failed("the server of iperf3 stays busy")


def measure_relay(arguments, directory, figures):
    """One stream through a tunnel over a circuit, and through a direct one beside it."""
    seconds = 1 if arguments.quick else 5
    with Lab() as lab:
        hosts = {name: lab.public_host(name) for name in ("relay", "free", "left", "right")}
        for name, other in (("left", "right"), ("right", "left")):
            hosts[name].load_ruleset(drops(hosts[other].address))
            hosts[name].run(["ip", "-6", "address", "flush", "dev", "eth0"])
        with nodes_on(directory / "relay", **hosts) as nodes, \
                iperf_server(hosts["right"], RELAYED_PORT), iperf_server(hosts["free"], DIRECT_PORT):
            relay, free, left, right = nodes.values()
            found(relay, "--relay", "on")
            for node in (free, left, right):
                join(node, relay.bootstrap, "--relay", "off")
            wait_connected(*nodes.values(), timeout=40)
            wait_for_path(left, right, f"circuit via {relay.peer_id}")
            wait_for_path(left, free, "direct tcp")
            forward(left, right, RELAYED_PORT)
            forward(left, free, DIRECT_PORT)
            for number in range(arguments.rounds):
                for arrow, reverse in (("→", False), ("←", True)):
                    progress(f"round {number + 1} of {arguments.rounds}: through a relay {arrow}")
                    direct = bulk(hosts["left"], "127.0.0.1", DIRECT_PORT, seconds, reverse)
                    relayed = bulk(hosts["left"], "127.0.0.1", RELAYED_PORT, seconds, reverse)
                    figures.add(f"bulk through a relay {arrow}", number, relayed, direct)
            wait_for_path(left, right, f"circuit via {relay.peer_id}")


def measure_link(arguments, directory, figures):
    """One stream through a tunnel over a long fat link, and through the link itself."""
    seconds = 3 if arguments.quick else 10
    with Lab() as lab:
        near, far = lab.public_host("near"), lab.public_host("far")
        for host in (near, far):
            for way in ("rmem", "wmem"):
                host.sysctl(f"net.ipv4.tcp_{way}", f"4096 131072 {BUFFER_BYTES}")
        lab.link(near, far, **FAT_LINE)
        for host in (near, far):
            host.run(["ip", "-6", "address", "flush", "dev", "eth0"])
        with nodes_on(directory / "link", near=near, far=far) as nodes, \
                iperf_server(far, LINK_PORT), iperf_server(far, DIRECT_PORT, far.address):
            found(nodes["near"])
            join(nodes["far"], nodes["near"].bootstrap)
            wait_connected(*nodes.values(), timeout=40)
            forward(nodes["near"], nodes["far"], LINK_PORT)
            for number in range(arguments.rounds):
                for arrow, reverse in (("→", False), ("←", True)):
                    progress(f"round {number + 1} of {arguments.rounds}: 1 Gbit/s and 60 ms {arrow}")
                    plain = bulk(near, far.address, DIRECT_PORT, seconds, reverse)
                    tunnel = bulk(near, "127.0.0.1", LINK_PORT, seconds, reverse)
                    figures.add(f"bulk, 1 Gbit/s and 60 ms {arrow}", number, tunnel, plain)


class SynWatch:
    """When the first SYN leaves a host from now on."""

    _ETH_P_IP, _OUTGOING = 0x0800, 4

    def __init__(self, host):
        with host.entered():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0003))
        self._socket.bind(("eth0", 0x0003))

    def first(self):
        self._socket.settimeout(20)
        while True:
            packet, (_, _, kind, *_) = self._socket.recvfrom(65536)
            stamp = time.monotonic()
            if kind == self._OUTGOING and is_syn(packet):
                self._socket.close()
                return stamp


def is_syn(packet):
    tcp = packet[(packet[0] & 15) * 4:]
    return packet[0] >> 4 == 4 and packet[9] == socket.IPPROTO_TCP and tcp[13] & 0x12 == 0x02


def first_byte(host, port, timeout):
    """When a visitor of a port has got the first byte of what is behind it."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            with service.connect(host, ("127.0.0.1", port), timeout=timeout) as visitor:
                if visitor.recv(1):
                    return time.monotonic()
        time.sleep(0.002)
    raise TimeoutError("no byte came")


def greet(connection):
    connection.sendall(b"!")
    connection.recv(1)


def direct_path(node, session, member):
    """When a node has a direct path to a member."""
    deadline = time.monotonic() + 20
    while True:
        _, page = node.api("GET", "/api/v1/federation/nodes/list", session=session)
        now = time.monotonic()
        for row in page["rows"]:
            if row["peer_id"] == member.peer_id and row["online"] and row["path"].startswith("direct"):
                return now
        if now > deadline:
            raise TimeoutError("no direct path came about")
        time.sleep(0.005)


def measure_start(arguments, directory, figures):
    """A node starts, and somebody connects to its tunnel at once: from the SYN to the relay on."""
    with Lab() as lab:
        made = lab.build("relay | left-router > left | right-router > right", Line(**LINE))
        hosts = {name: made[name] for name in ("relay", "left", "right")}
        with nodes_on(directory / "start", **hosts) as nodes, \
                service.Service(hosts["right"], ("127.0.0.1", BANNER_PORT), greet):
            relay, left, right = nodes.values()
            found(relay, "--relay", "on")
            for node in (left, right):
                join(node, relay.bootstrap, "--relay", "off", "--port-mapping", "off", "--mdns", "off")
            wait_connected(*nodes.values(), timeout=40)
            forward(left, right, BANNER_PORT)
            session = left.session(ADMIN, PRIVATE_PASSWORD)
            for number in range(arguments.rounds):
                progress(f"round {number + 1} of {arguments.rounds}: start")
                wait_for_path(left, right, "direct tcp")
                left.end()
                wait_until(lambda: left.peer_id not in right.online(), 20, "the end of a node")
                watch = SynWatch(hosts["left"])
                left.start(wait=False)
                began = watch.first()
                got = first_byte(hosts["left"], BANNER_PORT, 20)
                direct = direct_path(left, session, right)
                figures.add("first SYN to first byte, circuit", number, (got - began) * 1000)
                figures.add("first SYN to direct path", number, (direct - began) * 1000)


def main():
    arguments = parse_arguments()
    if not pathlib.Path(os.environ["OPEN_CHAT_BINARY"]).exists():
        sys.exit("bench: build/release/open-chat is not built: run make bench-nat")
    isolation.enter()
    measures = {"relay": measure_relay, "start": measure_start, "link": measure_link}
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="open-chat-bench-") as directory:
        for kind in arguments.only:
            try:
                measures[kind](arguments, pathlib.Path(directory), figures)
            except (Failed, RuntimeError, TimeoutError) as reason:
                figures.notes.append(f"{kind}: {reason}")
    print(f"{os.cpu_count()} cores; {arguments.rounds} round(s), medians\n")
    print(figures.render())
    return 1 if figures.notes else 0


if __name__ == "__main__":
    sys.exit(main())
