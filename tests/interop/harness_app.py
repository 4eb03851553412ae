"""The apps of a library for the harnesses of libp2p, as those run them."""

import hashlib
import os
import re
import signal
import subprocess
import tempfile

import peers

# A run takes some milliseconds, on a busy machine a few seconds.
ENDS_WITHIN_S = 60


# What an app prints in libp2p/unified-testing.
LATENCY = re.compile(
    r"latency:\n"
    r"  handshake_plus_one_rtt: (\d+(?:\.\d+)?)\n"
    r"  ping_rtt: (\d+(?:\.\d+)?)\n"
    r"  unit: ms\n"
)


def latency(printed):
    """(handshake_plus_one_rtt, ping_rtt) of what a dialer printed, which must be nothing else."""
    return tuple(map(float, LATENCY.fullmatch(printed).groups()))


def key_of(run):
    """What tells a run from others in Redis."""
    return hashlib.sha256(run.encode()).hexdigest()[:8]


def built_by(name, test):
    """What peers.make() has to make for the app of a peer: ours are programs of their own."""
    return f"cpp-{test}" if name == "cpp" else name


def command(name, test):
    argv = peers.command(built_by(name, test))
    return argv if name == "cpp" else [*argv, test]


class App:
    """One process for the test of that name, inside `host`; `variables` are all it knows."""

    def __init__(self, name, test, host, variables):
        self._log = tempfile.TemporaryFile("w+", errors="replace")
        self._process = host.popen(
            command(name, test), env={**surroundings(), **variables},
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
