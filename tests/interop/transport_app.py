"""The app of the transport test of libp2p/unified-testing, in its two roles, as that harness runs it."""

import os
import re
import signal
import subprocess
import tempfile
from typing import NamedTuple

import peers

RESULT = re.compile(
    r"latency:\n"
    r"  handshake_plus_one_rtt: (\d+(?:\.\d+)?)\n"
    r"  ping_rtt: (\d+(?:\.\d+)?)\n"
    r"  unit: ms\n"
)
# A run takes some milliseconds, on a busy machine a few seconds.
ENDS_WITHIN_S = 60


class Latency(NamedTuple):
    """What a dialer printed, in milliseconds."""

    handshake_plus_one_rtt: float
    ping_rtt: float


def built_by(name):
    """What peers.make() has to make for the app of a peer: ours is a program of its own."""
    return "cpp-transport-test" if name == "cpp" else name


def command(name):
    argv = peers.command(built_by(name))
    return argv if name == "cpp" else [*argv, "transport-test"]


class App:
    """One process, inside `host`; `variables` are all it knows."""

    def __init__(self, name, host, variables):
        self._log = tempfile.TemporaryFile("w+", errors="replace")
        self._process = host.popen(
            command(name), env={**surroundings(), **variables},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._log, text=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.communicate()

    @property
    def log(self):
        self._log.seek(0)
        return self._log.read()

    @property
    def runs(self):
        return self._process.poll() is None

    def wait(self):
        """Its exit status and what it printed, when it has ended by itself."""
        printed, _ = self._process.communicate(timeout=ENDS_WITHIN_S)
        return self._process.returncode, printed

    def end(self):
        """Its exit status, when it is ended as a container is."""
        self._process.send_signal(signal.SIGTERM)
        return self.wait()[0]


def surroundings():
    return {
        "PATH": os.environ["PATH"],
        **{name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")},
    }


def parse(printed):
    """The result in a dialer's output; ValueError when that holds anything else."""
    result = RESULT.fullmatch(printed)
    if not result:
        raise ValueError(f"no result: {printed!r}")
    return Latency(*map(float, result.groups()))
