#!/usr/bin/env python3
"""Measures Open-Chat beside socat, stunnel and ssh on loopback, and prints one table.

Rounds are interleaved: each visits every contender, so that a busy machine is busy for all of them.
Figures are medians over the rounds; ratios are medians of each round's ratio to the socat pair.
Everything that could not be measured is listed below the table with its reason.
"""

import argparse
import contextlib
import os
import pathlib
import platform
import resource
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import contenders  # noqa: E402
import measures  # noqa: E402
from contenders import ROOT, Unavailable  # noqa: E402
from table import Table  # noqa: E402

KINDS = ("bulk", "rate", "latency", "memory", "startup")
TUNNELS = 5000


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short round: a check, not a figure")
    parser.add_argument("--only", choices=KINDS, action="append", help="this kind alone; repeatable")
    parser.add_argument("--rounds", type=int, default=5, help="rounds (5)")
    parser.add_argument("--binary", default=os.environ.get("OPEN_CHAT_BINARY",
                                                            ROOT / "build" / "release" / "open-chat"))
    arguments = parser.parse_args()
    arguments.only = arguments.only or list(KINDS)
    if arguments.quick:
        arguments.rounds = 1
    return arguments


def build_load(directory):
    program = pathlib.Path(directory) / "load"
    subprocess.run(["g++", "-std=c++20", "-O2", "-o", program, ROOT / "bench" / "load.cpp"], check=True)
    return program


class Bench:
    """One run: services, contenders with a port for each service, and the table they fill."""

    def __init__(self, arguments, directory):
        self.arguments = arguments
        self.directory = directory
        self.table = Table()
        self.load = build_load(directory)
        self.services = contenders.Children()
        self.open_chat = contenders.OpenChat(directory)
        self.ports = {}

    def start_services(self):
        self.bulk_port, self.http_port = contenders.free_port(), contenders.free_port()
        if "bulk" in self.arguments.only:
            self.services.start_listener(
                ["iperf3", "--server", "--bind", "127.0.0.1", "--port", self.bulk_port], self.bulk_port)
        self.services.start_listener([self.load, "serve", self.http_port], self.http_port)

    def start_contenders(self, stack):
        entrants = [
            contenders.Direct(),
            contenders.SocatPair(),
            contenders.SocatPair("socat -b 64k", ["-b", "65536"]),
            contenders.StunnelPair(self.directory),
            contenders.SshForward(self.directory),
            self.open_chat,
        ]
        for entrant in entrants:
            stack.callback(entrant.stop)
            try:
                entrant.start()
                self.ports[entrant.name] = {
                    "bulk": entrant.forward(self.bulk_port), "http": entrant.forward(self.http_port)
                }
                self.table.add_column(entrant.name)
            except (Unavailable, RuntimeError, TimeoutError, OSError) as reason:
                self.table.note(f"{entrant.name} did not start: {reason}")

    def compare(self):
        """Rounds of everything that all contenders can do."""
        quick = self.arguments.quick
        for number in range(self.arguments.rounds):
            for name, ports in self.ports.items():
                progress(f"round {number + 1} of {self.arguments.rounds}: {name}")
                seconds, exchanges = (1, 1000) if quick else (3, 8000)
                self.take("bulk", name, number, measures.bulk, ports["bulk"], seconds)
                self.take("rate", name, number, measures.rate, self.load, ports["http"], seconds)
                self.take("latency", name, number, measures.latency, self.load, ports["http"], exchanges)

    def take(self, kind, name, number, measure, *arguments):
        if kind not in self.arguments.only:
            return
        try:
            self.table.add(name, measure(*arguments), number)
        except measures.Failed as reason:
            self.table.note(f"{kind} through {name}: {reason}")

    def measure_start(self):
        """What a start takes, and what there is to start."""
        if "startup" not in self.arguments.only:
            return
        progress("start-up")
        try:
            first, later = contenders.start_times(self.directory, 3 if self.arguments.quick else 11)
        except (RuntimeError, TimeoutError) as reason:
            self.table.note(f"start-up: {reason}")
            return
        self.table.add(self.open_chat.name, {
            "ready, first start": statistics.median(first),
            "ready, later starts": statistics.median(later),
            "binary, stripped": measures.stripped_megabytes(self.arguments.binary, self.directory),
        })

    def measure_memory(self):
        """On nodes of its own, so that nothing was carried before."""
        if "memory" not in self.arguments.only:
            return
        progress("memory")
        fresh = contenders.OpenChat(pathlib.Path(self.directory) / "memory")
        try:
            fresh.start()
            port = fresh.forward(self.http_port)
            self.take("memory", fresh.name, 0, measures.memory, self.load, fresh.nodes, port, TUNNELS)
        except (Unavailable, RuntimeError, TimeoutError) as reason:
            self.table.note(f"memory: {reason}")
        finally:
            fresh.stop()

    def run(self):
        with contextlib.ExitStack() as stack:
            stack.callback(self.services.stop)
            self.start_services()
            self.measure_start()
            self.measure_memory()
            if set(self.arguments.only) & {"bulk", "rate", "latency"}:
                self.start_contenders(stack)
                self.compare()


def progress(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def allow_many_files():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def main():
    arguments = parse_arguments()
    os.environ["OPEN_CHAT_BINARY"] = str(arguments.binary)
    if not pathlib.Path(arguments.binary).exists():
        sys.exit(f"bench: {arguments.binary} is not built: run make bench")
    files = allow_many_files()
    with tempfile.TemporaryDirectory(prefix="open-chat-bench-") as directory:
        bench = Bench(arguments, directory)
        if files < 2 * TUNNELS + 200:
            bench.table.note(f"the limit of {files} open files is too low for {TUNNELS} tunnels")
        bench.run()
    print(f"{platform.system()} {platform.release()}, {os.cpu_count()} cores; "
          f"{arguments.rounds} round(s), medians\n")
    print(bench.table.render())
    return 0 if bench.table.complete else 1


if __name__ == "__main__":
    sys.exit(main())
