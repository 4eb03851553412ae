#!/usr/bin/env python3
"""Measures our libp2p beside go-libp2p and rust-libp2p on loopback, and prints one table.

Each implementation talks to itself, by the interoperability peer built on it (tests/interop). Rounds
are interleaved, so that a busy machine is busy for all of them; figures are medians over the rounds,
ratios the medians of each round's ratio. Memory is the listener's, in a process of its own.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "interop"))
os.environ.setdefault("OPEN_CHAT_INTEROP_PRESET", "release")

import peers  # noqa: E402
from run import allow_many_files, progress  # noqa: E402
from table import markdown, short  # noqa: E402

OURS = "open-chat"
NAMES = {OURS: "cpp", "go-libp2p": "go", "rust-libp2p": "rust"}
SECURITY = ("tls", "noise")
# Row: (unit, whether more is better, what our goal is: the smallest lead over go and over rust).
ROWS = {
    **{f"bulk {arrow}, {security}": ("Gbit/s", True, (2.0, 1.0)) for security in SECURITY for arrow in "→←"},
    **{f"connections of {whom}, {security}": ("1/s", True, (1.0, 1.0))
       for security in SECURITY for whom in ("known peers", "strangers")},
    **{f"idle connection, {security}": ("KiB", False, (1.0, 1.0)) for security in SECURITY},
    "idle stream": ("KiB", False, (1.0, 1.0)),
}
HELD_CONNECTIONS, HELD_STREAMS, CONNECTIONS_WITH_STREAMS = 1000, 100, 50
# Each costs the dialer a host that is made before the time begins.
STRANGERS = 1000
# Buffers of the handshakes are given back by then, or never.
SETTLED_AFTER_S = 3


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short round: a check, not a figure")
    parser.add_argument("--rounds", type=int, default=5, help="rounds (5)")
    parser.add_argument("--only", choices=("bulk", "connections", "memory"), action="append")
    arguments = parser.parse_args()
    arguments.only = arguments.only or ["bulk", "connections", "memory"]
    if arguments.quick:
        arguments.rounds = 1
    return arguments


def bulk(name, security, size):
    """Gbit/s over one stream, up and down."""
    with peers.Listener(name, "--security", security) as listener:
        done = peers.dial(name, listener.addresses[0], "perf", "--security", security,
                          "--upload", size, "--download", size)
    return {
        f"bulk {arrow}, {security}": done[f"{way}_bytes"] * 8 / done[f"{way}_seconds"] / 1e9
        for arrow, way in (("→", "upload"), ("←", "download"))
    }


def connections(name, security, seconds):
    """Connections a second, each with its handshakes, one ping, and its end.

    The same four peers come again and again, which spares ours what it has verified before; so ours is measured
    with strangers too. The others keep nothing that they have verified: their figure is that of strangers as well.
    """
    with peers.Listener(name, "--security", security) as listener:
        dial = (name, listener.addresses[0], "rate", "--security", security, "--parallel", 4)
        known = strangers = peers.dial(*dial, "--seconds", seconds)
        if name == NAMES[OURS]:
            strangers = peers.dial(*dial, "--strangers", STRANGERS)
    return {
        f"connections of {whom}, {security}": done["connections"] / done["seconds"]
        for whom, done in (("known peers", known), ("strangers", strangers))
    }


def memory(name, security, count):
    """KiB of a listener for each idle connection, and for each idle stream (over TLS)."""
    figures = {f"idle connection, {security}": held_kib(name, security, count, 0) / count}
    if security == "tls":
        few = CONNECTIONS_WITH_STREAMS
        streams = held_kib(name, security, few, HELD_STREAMS) - held_kib(name, security, few, 0)
        figures["idle stream"] = streams / (few * HELD_STREAMS)
    return figures


def held_kib(name, security, count, streams):
    """By how much a fresh listener grows when a dialer holds so many connections with streams."""
    with peers.Listener(name, "--security", security) as listener:
        before = resident_kib(listener.pid)
        with peers.Holder(name, listener.addresses[0], "--security", security,
                          "--connections", count, "--streams", streams):
            time.sleep(SETTLED_AFTER_S)
            return resident_kib(listener.pid) - before


def resident_kib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


class Figures:
    def __init__(self):
        self.rows = {row: {} for row in ROWS}  # {row: {column: {round: figure}}}
        self.notes = []

    def take(self, column, number, measure, *arguments):
        try:
            for row, figure in measure(NAMES[column], *arguments).items():
                self.rows[row].setdefault(column, {})[number] = figure
        except (peers.Failed, RuntimeError, subprocess.TimeoutExpired) as reason:
            self.notes.append(f"{measure.__name__} of {column}: {str(reason).strip().splitlines()[-1]}")

    def lead(self, row, beside):
        """By how much we are better: the median over rounds of the ratio, more being better."""
        ours, theirs = self.rows[row].get(OURS, {}), self.rows[row].get(beside, {})
        ratios = [ours[n] / theirs[n] for n in ours if theirs.get(n)]
        if not ratios:
            return None
        ratio = statistics.median(ratios)
        return ratio if ROWS[row][1] else 1 / ratio

    def render(self, columns):
        others = [column for column in columns if column != OURS]
        lines = [["", "unit", *others, OURS, *(f"× {name}" for name in others), "goal", ""]]
        for row, (unit, _, goals) in ROWS.items():
            if not self.rows[row]:
                continue
            cells = [self.cell(row, column) for column in [*others, OURS]]
            leads = [self.lead(row, name) for name in others]
            wanted = [goals[list(NAMES).index(name) - 1] for name in others]
            met = all(lead is not None and lead >= goal for lead, goal in zip(leads, wanted))
            lines.append([row, unit, *cells, *("–" if lead is None else f"{lead:.2f}" for lead in leads),
                          " ".join(f"≥ {goal:g}" for goal in wanted), "met" if met else "MISSED"])
        return markdown(lines) + "".join(f"\nnot measured: {note}" for note in self.notes)

    def cell(self, row, column):
        figures = self.rows[row].get(column)
        return short(statistics.median(figures.values())) if figures else "–"


def measure_round(figures, column, number, arguments):
    size, seconds = (64 << 20, 1) if arguments.quick else (1 << 30, 3)
    for security in SECURITY:
        if "bulk" in arguments.only:
            figures.take(column, number, bulk, security, size)
        if "connections" in arguments.only:
            figures.take(column, number, connections, security, seconds)
        if "memory" in arguments.only and number == 0:
            figures.take(column, number, memory, security, 100 if arguments.quick else HELD_CONNECTIONS)


def main():
    arguments = parse_arguments()
    allow_many_files()
    figures, columns = Figures(), []
    for column, name in NAMES.items():
        progress(f"building the {name} peer")
        try:
            peers.make(name)
            columns.append(column)
        except (peers.Unavailable, peers.NotBuilt) as reason:
            figures.notes.append(f"{column}: {reason}")
    for number in range(arguments.rounds):
        for column in columns:
            progress(f"round {number + 1} of {arguments.rounds}: {column}")
            measure_round(figures, column, number, arguments)
    print(f"{os.cpu_count()} cores; {arguments.rounds} round(s), medians; × is how much better we are\n")
    print(figures.render(columns))
    return 1 if figures.notes else 0


if __name__ == "__main__":
    sys.exit(main())
