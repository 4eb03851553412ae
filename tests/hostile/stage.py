"""Where a hostile peer meets a node that has work to do.

    honest member ── tunnel, pings ── victim ◀── hostile peers, with as many addresses as they like

The honest member's tunnel and pings are timed all the while, and the victim's memory, processor time
and log are looked at before and after.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import threading
import time

from lab import node as nodes
from lab import service
from lab.node import wait_until
from lab.service import Service
from overlay import ADMIN, NETWORK, NETWORK_PASSWORD, PRIVATE_PASSWORD, Pair

MIB = 2**20
# The oracle's figures: what honest members wait at most, and how far memory may be from where it was.
HONEST_WAIT_S = 1.0
BASELINE_SHARE = 0.10
# What an allocator keeps of a heap that was in use, beside that tenth.
ALLOCATOR_SLACK = 4 * MIB
# Hostile peers may cost so much together, while they are there.
PEAK_AT_MOST = 96 * MIB
# What they cost is given back this long after they left.
SETTLED_S = 20
# Hostile connections come from these addresses (reserved for benchmarks), each attack's from others:
# enough of them that what a node allows one address is no bound on what they do together.
HOSTILE_NETWORK = "198.18.0.0/16"
PEER_PORT = 1985
MEMBER = ["--network", NETWORK, "--password", NETWORK_PASSWORD]


def soak(usual, full):
    """A figure of the usual run, or the one of the long run that OPEN_CHAT_SOAK=1 asks for."""
    return full if os.environ.get("OPEN_CHAT_SOAK") == "1" else usual


SOURCES_EACH = soak(128, 4096)


def program():
    """The hostile peer: $HOSTILE_PEER, or what scripts/hostile builds."""
    path = pathlib.Path(os.environ.get("HOSTILE_PEER", nodes.ROOT / "build" / "dev" / "hostile-peer"))
    if not path.exists():
        raise FileNotFoundError(f"{path} is not built: run scripts/hostile")
    return path


def anonymous_bytes(pid):
    """Memory of a process that no file stands behind: its heap and stacks."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^RssAnon:\s+(\d+) kB", status, re.MULTILINE)[1]) * 1024


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def outcome(process, timeout=120):
    """What a hostile peer printed in its last line, once it has ended."""
    try:
        printed, complaint = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    assert process.returncode == 0, complaint
    seen = json.loads(printed.splitlines()[-1])
    print(seen)
    return seen


@dataclasses.dataclass
class Toll:
    """What it took the victim and the honest member that hostile peers were there."""

    peak: int = 0
    processor_s: float = 0
    slowest_echo_s: float = 0
    slowest_ping_s: float = 0
    echoes: int = 0
    pings: int = 0


class Sampler:
    """Calls `sample()` again and again in a thread of its own, and keeps the largest result."""

    def __init__(self, sample, pause):
        self._sample, self._pause = sample, pause
        self._stop = threading.Event()
        self.largest, self.count, self.failure = 0, 0, None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stop.is_set():
            try:
                self.largest = max(self.largest, self._sample())
            except Exception as failure:  # finish() tells the test
                self.failure = failure
                return
            self.count += 1
            self._stop.wait(self._pause)

    def finish(self):
        self._stop.set()
        self._thread.join()


class Stage:
    """A victim and an honest member with a tunnel between them, and a host for hostile peers."""

    def __init__(self, lab, victim, honest, warm=True):
        self.victim, self.honest = victim, honest
        self.attacker = lab.public_host("attacker")
        self.attacker.ip("route", "add", "local", HOSTILE_NETWORK, "dev", "lo")
        victim.host.ip("route", "add", HOSTILE_NETWORK, "via", self.attacker.address)
        self._blocks = 0
        pair = Pair(victim, honest)
        pair.join()
        self._port = pair.forward()
        self._service = Service(honest.host, ("127.0.0.1", self._port), service.echo)
        self._session = honest.session(ADMIN, PRIVATE_PASSWORD)
        self._ping_path = f"/api/v1/federation/nodes/{victim.peer_id}/ping?count=1"
        self.pid = victim.process.pid
        # Sanitizers keep freed memory back on purpose.
        self._sanitized = "libasan" in pathlib.Path(f"/proc/{self.pid}/maps").read_text()
        self.baseline = anonymous_bytes(self.pid)
        if warm:
            self._warm_up()
            self.baseline = anonymous_bytes(self.pid)

    def _warm_up(self):
        """Lets the victim meet a bit of everything, so that its pools have their usual size."""
        self.attack("handshakes", "--count", "200")
        self.attack("handshakes", "--count", "200", "--security", "tls")
        self.attack("tiny-frames")
        self.attack("fill-windows", "--seconds", "1", *MEMBER)
        self.attack("sybil", "--connections", "200", "--seconds", "1")
        with self.watched(settle=False):
            time.sleep(1)
        # Long enough for the victim to have given back what it does not use.
        time.sleep(6)

    @property
    def sound(self):
        """Whether the next test can use it."""
        return self.victim.process.poll() is None and self.honest.process.poll() is None

    # The honest member

    def _ping(self):
        """Seconds that the honest node's ping of the victim takes, API and new stream included."""
        began = time.monotonic()
        status, answer = self.honest.api("GET", self._ping_path, session=self._session)
        if status != 200:
            raise ConnectionError(answer)
        return time.monotonic() - began

    def _cuts(self):
        """How often each of the two lost its connection to the other."""
        lost = "lost the connection to"
        return (self.victim.log.count(f"{lost} {self.honest.peer_id}"),
                self.honest.log.count(f"{lost} {self.victim.peer_id}"))

    # The hostile peers

    @property
    def address(self):
        return f"/ip4/{self.victim.host.address}/tcp/{PEER_PORT}"

    def _sources(self):
        """Addresses that no earlier attack came from, as --from takes them."""
        first = self._blocks * SOURCES_EACH % 2**16
        self._blocks += 1
        return f"198.18.{first // 256}.{first % 256}+{SOURCES_EACH}"

    def start(self, attack, *options, address=None, host=None):
        """Lets a hostile peer loose from the attacker's many addresses, or from the one of a host."""
        words = [program(), attack, address or self.address, *map(str, options)]
        if host is None:
            words += ["--from", self._sources()]
        return (host or self.attacker).popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def attack(self, attack, *options, timeout=120, **more):
        """The same, to its end: what it saw."""
        return outcome(self.start(attack, *options, **more), timeout)

    # The oracle

    @contextlib.contextmanager
    def watched(self, peak=PEAK_AT_MOST, settle=True):
        """Holds the oracle over what is done inside; yields the Toll, which is complete after it."""
        spent, cuts, toll = processor_seconds(self.pid), self._cuts(), Toll()
        with service.connect(self.victim.host, ("127.0.0.1", self._port), timeout=10) as tunnel:
            memory = Sampler(lambda: anonymous_bytes(self.pid), 0.02)
            echoes = Sampler(lambda: echo(tunnel), 0.02)
            pings = Sampler(self._ping, 0.1)
            try:
                yield toll
            finally:
                for sampler in (memory, echoes, pings):
                    sampler.finish()
        assert self.victim.process.poll() is None, "the victim ended"
        assert echoes.failure is None and pings.failure is None, (
            f"the honest member was not served: {echoes.failure!r}, {pings.failure!r}")
        toll.peak = memory.largest - self.baseline
        toll.processor_s = processor_seconds(self.pid) - spent
        toll.slowest_echo_s, toll.slowest_ping_s = echoes.largest, pings.largest
        toll.echoes, toll.pings = echoes.count, pings.count
        print(toll)
        self._judge(toll, cuts, peak)
        if settle and not self._sanitized:
            self._settle(toll)

    def _judge(self, toll, cuts, peak):
        assert toll.echoes and toll.pings
        assert toll.slowest_echo_s < HONEST_WAIT_S, "the honest member's tunnel stood still"
        assert toll.slowest_ping_s < HONEST_WAIT_S, "the honest member's ping was late"
        assert self._cuts() == cuts, "the honest member's connection was cut"
        assert self._sanitized or toll.peak <= peak, f"{toll.peak / MIB:.1f} MiB at the peak"

    def _settle(self, toll):
        bound = self.baseline * (1 + BASELINE_SHARE) + ALLOCATOR_SLACK
        try:
            wait_until(lambda: anonymous_bytes(self.pid) <= bound, SETTLED_S, "")
        except TimeoutError:
            now = anonymous_bytes(self.pid)
            raise AssertionError(
                f"{now / MIB:.1f} MiB are not given back: the baseline is {self.baseline / MIB:.1f}, "
                f"the peak was {toll.peak / MIB:.1f} above it") from None

    def close(self):
        self._service.close()


def echo(tunnel):
    """Seconds that 64 bytes take through the tunnel and back."""
    sent, got, began = os.urandom(64), b"", time.monotonic()
    tunnel.sendall(sent)
    while len(got) < len(sent):
        part = tunnel.recv(len(sent) - len(got))
        if not part:
            raise ConnectionError("the tunnel ended")
        got += part
    assert got == sent
    return time.monotonic() - began
