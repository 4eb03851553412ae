"""What is measured. Each measure takes a visitor's port and gives {row of the table: figure}."""

import json
import pathlib
import subprocess
import time

RATE_CONCURRENT = 16


class Failed(Exception):
    """A measuring program did not come to its end."""


def run_json(argv, timeout):
    """The JSON that a measuring program prints."""
    try:
        done = subprocess.run(
            [str(word) for word in argv], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=timeout, check=False,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"no end within {timeout} s") from None
    try:
        result = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise Failed(done.stderr.strip() or "printed nothing") from None
    if "error" in result:
        raise Failed(result["error"])
    return result


def bulk(port, seconds):
    """Gbit/s received, 1 and 8 streams, from and to the visitor."""
    figures = {}
    for streams in (1, 8):
        for arrow, reverse in (("→", []), ("←", ["--reverse"])):
            argv = ["iperf3", "--json", "--client", "127.0.0.1", "--port", port, "--time", seconds,
                    "--parallel", streams, *reverse]
            try:
                result = run_json(argv, seconds * 3 + 20)
            except Failed as failure:
                if "busy" not in str(failure):
                    raise
                time.sleep(1)  # the server is still at the end of the test before
                result = run_json(argv, seconds * 3 + 20)
            label = "1 stream" if streams == 1 else f"{streams} streams"
            figures[f"bulk {label} {arrow}"] = result["end"]["sum_received"]["bits_per_second"] / 1e9
    return figures


def rate(load, port, seconds):
    """New connections a second, each with a short HTTP request."""
    result = run_json([load, "rate", port, seconds, RATE_CONCURRENT], seconds + 20)
    if result["failed"] > result["done"] / 1000:
        raise Failed(f"{result['failed']} of {result['done'] + result['failed']} connections failed")
    return {"new connections": result["per_second"]}


def latency(load, port, count):
    """Microseconds of a small HTTP exchange, on an open connection and with a new one."""
    figures = {}
    for how, exchanges in (("open", count), ("new", count // 4)):
        result = run_json([load, how, port, exchanges], 70)
        figures[f"p50, {how} connection"] = result["p50_us"]
        figures[f"p99, {how} connection"] = result["p99_us"]
    return figures


def memory(load, nodes, port, tunnels):
    """Resident MiB of the larger of two idle nodes, and KiB that each idle tunnel adds to each."""
    time.sleep(3)  # let what the start needed settle
    idle = [node.resident_bytes() for node in nodes]
    held = subprocess.Popen(
        [str(load), "hold", str(port), str(tunnels)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    try:
        if json.loads(held.stdout.readline() or "{}").get("held") != tunnels:
            raise Failed(f"{tunnels} tunnels: {held.stderr.readline().strip() or 'not all opened'}")
        time.sleep(3)
        full = [node.resident_bytes() for node in nodes]
    finally:
        held.kill()
        held.communicate()
    return {
        "idle node": max(idle) / 2**20,
        **{f"idle tunnel, {node.name} node": (after - before) / tunnels / 1024
           for node, before, after in zip(nodes, idle, full)},
    }


def stripped_megabytes(binary, directory):
    copy = pathlib.Path(directory) / "stripped"
    subprocess.run(["strip", "-o", copy, binary], check=True)
    return copy.stat().st_size / 1e6
