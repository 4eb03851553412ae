#!/usr/bin/env python3
"""Measures the laboratory's links (tests/lab): what one TCP connection gets through them, and for how
much of a core. Prints one table; what headers leave of a link's rate is the most there can be.
"""

import argparse
import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from lab import isolation  # noqa: E402
from lab.line import Line  # noqa: E402
from lab.node import wait_until  # noqa: E402
from lab.topology import Lab  # noqa: E402
from measures import run_json  # noqa: E402
from table import markdown, short  # noqa: E402

LINES = [
    {},
    {"rate": "1gbit"},
    {"rate": "1gbit", "delay": "30ms"},
    {"rate": "1gbit", "delay": "30ms", "loss": 0.001},
    {"rate": "100mbit", "delay": "30ms"},
    {"rate": "10mbit", "delay": "30ms"},
]
# Twice what is on the way in a round trip of 60 ms at 1 Gbit/s, and what the kernel adds to it.
BUFFER_BYTES = 64 << 20
# Of a frame of 1514 bytes, TCP with timestamps leaves this much.
DATA_SHARE = 1448 / 1514
WARM_UP_S = 2
PORT = 5201


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a second each: a check, not a figure")
    parser.add_argument("--congestion", default="cubic", help="TCP's congestion control (cubic)")
    return parser.parse_args()


def listening(host):
    return host.run(["ss", "-Hltn", f"sport = :{PORT}"]).stdout


def measure(properties, seconds, congestion):
    """(Mbit/s received, cores that the emulator took)."""
    with Lab() as lab:
        first, second = lab.public_host("first"), lab.public_host("second")
        for host in (first, second):
            for way in ("rmem", "wmem"):
                host.sysctl(f"net.ipv4.tcp_{way}", f"4096 131072 {BUFFER_BYTES}")
        link = lab.link(first, second, **properties)
        server = second.popen(["iperf3", "-s", "-1"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            wait_until(lambda: listening(second), 5, "the start of iperf3")
            spent = link.processor_seconds()
            result = run_json(first.command(
                ["iperf3", "-J", "-c", second.address, "-p", PORT, "-C", congestion, "-t", seconds,
                 "-O", WARM_UP_S]), 3 * seconds + 30)
            cores = (link.processor_seconds() - spent) / (seconds + WARM_UP_S)
        finally:
            server.kill()
            server.wait()
    return result["end"]["sum_received"]["bits_per_second"] / 1e6, cores


def main():
    arguments = parse_arguments()
    isolation.enter()
    rows = [["link", "Mbit/s", "of the most there can be", "cores"]]
    for properties in LINES:
        got, cores = measure(properties, 1 if arguments.quick else 8, arguments.congestion)
        most = Line(**properties).bits_per_second / 1e6 * DATA_SHARE
        rows.append([" ".join(f"{name}={value}" for name, value in properties.items()) or "no bounds",
                     short(got), f"{got / most:.1%}" if most else "–", f"{cores:.2f}"])
    print(f"{os.cpu_count()} cores; one connection, {arguments.congestion}\n")
    print(markdown(rows))


if __name__ == "__main__":
    main()
