"""Peers that take their time, all of them at once: what waits is waited for together."""

import re
import threading
import time
from datetime import datetime

import pytest

from lab.node import Node, wait_until
from lab.topology import Lab
from overlay import found, join, wait_connected
from stage import MEMBER, outcome, soak

SLOW = {
    "drip": ["drip", "--pause-ms", 1000, "--seconds", 60],
    "drip-stream": ["drip", "--pause-ms", 1000, "--place", "stream", "--seconds", 60],
    "stop-reading-noise": ["stop-reading", "--seconds", 45],
    "stop-reading-member": ["stop-reading", "--seconds", 45, *MEMBER],
    "stop-reading-tls": ["stop-reading", "--seconds", 45, "--security", "tls"],
    "never-answer": ["never-answer", "--seconds", 9],
}
NEGOTIATION_MS = (10_000, 60_000)
# A stream's opener names its protocol within ten seconds, and a stranger stays no longer either.
STREAM_NEGOTIATION_MS = (5_000, 60_000)
SESSION_ENDS_MS = 45_000
BACK_WITHIN_S = 30


class Outage(threading.Thread):
    """A network of three, one of which loses its interface for a while; how soon all are back."""

    def __init__(self, directory):
        super().__init__(daemon=True)
        self._directory = directory
        self.back_s = self.failure = None
        self.start()

    def run(self):
        try:
            with Lab() as lab:
                self._nodes = [Node(name, self._directory, lab.public_host(name))
                               for name in ("one", "two", "three")]
                try:
                    self._take_down_and_up()
                finally:
                    for node in self._nodes:
                        node.kill()
        except Exception as failure:  # the test raises it
            self.failure = failure

    def _take_down_and_up(self):
        one, *others = self._nodes
        found(one)
        for other in others:
            join(other, one.bootstrap)
        wait_connected(*self._nodes)
        down = time.monotonic()
        one.host.ip("link", "set", "eth0", "down")
        wait_until(lambda: one.online() == {one.peer_id}, 60, "noticing the outage")
        time.sleep(max(0, soak(0, 300) - (time.monotonic() - down)))
        one.host.ip("link", "set", "eth0", "up")
        one.host.ip("address", "replace", f"{one.host.address6}/64", "dev", "eth0", "nodad")
        up = time.monotonic()
        wait_connected(*self._nodes, timeout=120)
        self.back_s = time.monotonic() - up


@pytest.fixture(scope="module")
def slow(shared_stages, tmp_path_factory):
    """All of them begin here; slow(name) waits for one, with its oracle held over the whole time."""
    stage = shared_stages.get()
    outage = Outage(tmp_path_factory.mktemp("outage"))
    with stage.watched():
        running = {name: stage.start(*words) for name, words in SLOW.items()}
        seen = {name: outcome(process) for name, process in running.items()}
    outage.join(soak(150, 600))
    seen["outage"], seen["victim"] = outage, stage.victim
    return seen


def test_an_opening_that_drips_meets_the_deadline_of_the_whole(slow):
    """multistream-select#24: not one per byte."""
    seen = slow["drip"]
    assert seen["cut"]
    assert NEGOTIATION_MS[0] <= seen["after_ms"] <= NEGOTIATION_MS[1]


def test_a_proposal_on_a_stream_that_drips_meets_its_deadline(slow):
    """multistream-select#24."""
    seen = slow["drip-stream"]
    assert seen["stream_reset"] or seen["cut"]
    assert STREAM_NEGOTIATION_MS[0] <= seen["after_ms"] <= STREAM_NEGOTIATION_MS[1]


def test_a_lazily_negotiated_stream_that_is_never_answered_is_given_up(slow):
    """go-multistream#87, #89: the node's own identify stream, after five seconds."""
    seen = slow["never-answer"]
    assert seen["resets"] == 1
    assert seen["served"]


@pytest.mark.parametrize("security", ["noise", "tls"])
def test_a_session_whose_peer_stopped_reading_ends_in_time(slow, security):
    """GHSA-29qp-crvh-w22m (hashicorp/yamux#142, #143)."""
    seen = slow[f"stop-reading-{security}"]
    assert seen["cut"]
    assert seen["after_ms"] <= SESSION_ENDS_MS


def test_a_member_that_stopped_reading_is_offline_in_time(slow):
    """GHSA-29qp-crvh-w22m, for one who is not dropped as a stranger before."""
    peer = slow["stop-reading-member"]["peer_id"]
    # The peer itself need not hear of it: nothing gets through to it.
    log = slow["victim"].log
    joined, lost = (re.search(rf"^(\S+) .*{what}", log, re.MULTILINE)
                    for what in (f"{peer} joined network", f"lost the connection to {peer}"))
    assert joined and lost
    took = datetime.fromisoformat(lost[1]) - datetime.fromisoformat(joined[1])
    assert took.total_seconds() * 1000 <= SESSION_ENDS_MS


def test_all_peers_are_back_soon_after_an_interface_was_down(slow):
    """go-libp2p#374, #1966, js-libp2p#2643, rust-libp2p#6140, #2102: dial backoff forgets."""
    outage = slow["outage"]
    if outage.failure is not None:
        raise outage.failure
    assert outage.back_s is not None, "the outage did not end"
    assert outage.back_s < BACK_WITHIN_S
