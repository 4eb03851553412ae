"""Circuits through relays: ours between peers of the others, theirs with one of ours at an end."""

import contextlib
import time
from typing import NamedTuple

import pytest

import peers
from lab.node import Node

MIB = 2**20
LIMIT_BYTES = 128 * 1024
WITHIN_LIMIT_BYTES = 50_000  # each way; rust-libp2p's relay counts both together
HANDSHAKE_BYTES = 10_000  # more than Noise, yamux and identify take
LIMIT_S = 2
# Long enough for our own renewal to come in time, which is looked for every two seconds.
SHORT_LIFETIME_S = 10
# For what a busy machine adds to times.
SLACK_S = 2
# A peer that does not prove membership is dropped ten seconds after it connected.
STRANGER_STAYS_S = 10
OURS = peers.OURS


class Circuit(NamedTuple):
    """Who relays, who is called through the relay, and who calls."""

    relay: str
    far: str
    near: str


def circuits(*chosen, terms=()):
    """Parametrizes a test by circuits; `terms` are options of the relay."""
    return pytest.mark.parametrize(
        "circuit",
        [pytest.param((names, terms), id="-".join(names), marks=pytest.mark.peers(*set(names)))
         for names in map(Circuit._make, chosen)],
        indirect=True,
    )


class Meeting:
    """A relay, and a listener to be had through it."""

    def __init__(self, names, *terms):
        self.names = names
        self.relay = peers.Listener(names.relay, *terms, does="relay")
        self._ends = contextlib.ExitStack()
        self._ends.enter_context(self.relay)
        try:
            self.far = peers.Listener(names.far, "--relay", self.relay.addresses[0])
        except BaseException:
            self._ends.close()
            raise
        self._ends.enter_context(self.far)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._ends.close()

    def run(self, case, *options):
        """What the case printed that `near` ran through the relay; all sides' words when it failed."""
        try:
            return peers.dial(self.names.near, self.far.addresses[0], case, *options)
        except peers.Failed as failure:
            said = f"the dialer says:\n{failure}\nthe listener says:\n{self.far.log}\nthe relay says:\n{self.relay.log}"
        pytest.fail(said, pytrace=False)


@pytest.fixture(scope="module")
def circuit(request, world):
    names, terms = request.param
    with Meeting(names, *terms) as met:
        yield met


everywhere = circuits(
    # Through our relay,
    (OURS, "go", "go"), (OURS, "rust", "rust"), (OURS, "go", "rust"), (OURS, "rust", "go"),
    (OURS, "js", "go"), (OURS, "go", "js"), (OURS, "js", OURS), (OURS, OURS, "js"),
    (OURS, "go", OURS), (OURS, OURS, "go"), (OURS, "rust", OURS), (OURS, OURS, "rust"),
    # and through theirs.
    ("go", OURS, "go"), ("go", "go", OURS), ("rust", OURS, "rust"), ("rust", "rust", OURS),
    ("go", OURS, OURS), ("rust", OURS, OURS),
)


@everywhere
def test_a_circuit_carries_what_is_written_both_ways(circuit):
    echoed = circuit.run("echo", "--bytes", 4 * MIB)
    assert echoed["bytes"] == 4 * MIB
    assert len(echoed["sha256"]) == 64


@everywhere
def test_streams_on_a_circuit_are_ended_by_halves(circuit):
    assert circuit.run("half-close") == {"bytes": MIB}


@everywhere
def test_streams_on_a_circuit_are_reset(circuit):
    assert circuit.run("reset") == {"saw": "reset"}


@circuits((OURS, "go", "go"))
def test_go_verifies_the_voucher_of_our_relay(circuit):
    reservation = circuit.far.told["reservation"]
    voucher = reservation["voucher"]
    assert (voucher["relay"], voucher["peer"]) == (circuit.relay.id, circuit.far.id)
    assert reservation["expires_in_s"] == pytest.approx(3600, abs=SLACK_S)
    assert voucher["expires_in_s"] == pytest.approx(reservation["expires_in_s"], abs=SLACK_S)
    assert reservation["addresses"] == circuit.relay.addresses


@circuits((OURS, "go", "go"), (OURS, "rust", "go"), (OURS, "js", "go"), ("go", OURS, "go"), ("rust", OURS, "rust"))
def test_who_reserves_is_to_be_had_where_the_relay_says(circuit):
    assert circuit.far.addresses == [
        f"{address}/p2p-circuit/p2p/{circuit.far.id}" for address in circuit.relay.addresses
    ]


# Limits

ANNOUNCED = {"limit_seconds": LIMIT_S, "limit_bytes": LIMIT_BYTES}
# Our own peer tells that there is a limit, and no more.
TELL_LIMITS = {"go", "rust"}
TELL_LIMITS_WITH_RESERVATION = {"go", "rust"}


def limits_in(told):
    return {name: told[name] for name in ANNOUNCED}


@circuits(
    (OURS, "go", "go"), (OURS, "rust", "rust"), (OURS, "js", "go"),
    ("go", "go", OURS), ("go", OURS, "go"), ("rust", "rust", OURS), ("rust", OURS, "rust"),
    terms=("--limit-seconds", LIMIT_S, "--limit-bytes", LIMIT_BYTES),
)
def test_a_limited_circuit_is_known_as_such_and_cut(circuit):
    _, far, near = circuit.names
    cut = circuit.run("circuit", "--bytes", MIB, "--patience", SLACK_S)
    ended = circuit.run("circuit", "--bytes", WITHIN_LIMIT_BYTES, "--patience", LIMIT_S + SLACK_S)
    if far in TELL_LIMITS_WITH_RESERVATION:
        assert limits_in(circuit.far.told["reservation"]) == ANNOUNCED
    for seen in (cut, ended):
        assert seen["limited"]
        if near in TELL_LIMITS:
            assert limits_in(seen) == ANNOUNCED
    assert cut["bytes"] < LIMIT_BYTES
    assert cut["ended"]
    assert ended["bytes"] == WITHIN_LIMIT_BYTES
    assert ended["ended"]
    assert ended["seconds"] == pytest.approx(LIMIT_S, abs=SLACK_S)


@circuits((OURS, "go", "js"), (OURS, "js", "js"), terms=("--limit-seconds", LIMIT_S, "--limit-bytes", LIMIT_BYTES))
def test_js_knows_what_is_left_of_a_limited_circuit(circuit):
    """It does not survive that a relay stops in the middle of what it writes (README.md)."""
    seen = circuit.run("circuit", "--bytes", WITHIN_LIMIT_BYTES, "--patience", LIMIT_S + SLACK_S)
    assert seen["limited"]
    assert 0 < seen["limit_seconds"] <= LIMIT_S
    assert LIMIT_BYTES - HANDSHAKE_BYTES < seen["limit_bytes"] <= LIMIT_BYTES
    assert seen["bytes"] == WITHIN_LIMIT_BYTES
    assert seen["ended"]
    assert seen["seconds"] == pytest.approx(LIMIT_S, abs=SLACK_S)


@circuits((OURS, "go", "go"), (OURS, "rust", "rust"), (OURS, "js", "js"))
def test_a_members_circuit_has_no_limit(circuit):
    assert not circuit.run("circuit")["limited"]


@pytest.fixture
def public_relay(lab, tmp_path):
    """The address of a whole node that relays for strangers, and how to start peers beside it."""
    node = Node("node", tmp_path, lab.public_host("node"))
    node.start("-rc", "admin:admin password", "--public-relay", "on")
    assert node.login("admin", "admin password")[0] == 0
    yield f"/ip4/{node.host.address}/tcp/1985/p2p/{node.peer_id}", node.host.popen
    node.kill()
    print(node.log)


@pytest.mark.peers("go", "rust", "js")
def test_our_node_relays_for_strangers_within_the_limits_of_the_specification(public_relay):
    address, popen = public_relay
    with contextlib.ExitStack() as open_ones:
        fars = {
            name: open_ones.enter_context(peers.Listener(name, "--relay", address, popen=popen))
            for name in ("go", "rust", "js")
        }
        # Who is a stranger and not served is dropped by now.
        time.sleep(STRANGER_STAYS_S + SLACK_S)
        for near, far in (("go", "js"), ("rust", "go"), ("go", "rust")):
            to = fars[far].addresses[0]
            seen = peers.dial(near, to, "circuit", "--bytes", MIB, "--patience", SLACK_S, popen=popen)
            assert seen["limited"]
            assert (seen["limit_seconds"], seen["limit_bytes"]) == (120, LIMIT_BYTES)
            assert seen["bytes"] < LIMIT_BYTES
            assert seen["ended"]


# Time

@pytest.mark.peers(OURS, "go", "rust")
def test_reservations_are_renewed_before_they_expire(world):
    """Ours at relays of theirs, and rust's at ours; Go's peer does not renew its own."""
    with contextlib.ExitStack() as open_ones:
        meetings = [
            open_ones.enter_context(Meeting(Circuit(*names), "--lifetime", SHORT_LIFETIME_S))
            for names in (("go", OURS, "go"), ("rust", OURS, "rust"), (OURS, "rust", "go"))
        ]
        expiry = time.monotonic() + SHORT_LIFETIME_S
        for meeting in meetings:
            renewed = meeting.far.next(expiry - time.monotonic())
            assert renewed, meeting.far.log
            if meeting.names.far == OURS:
                assert renewed["reservation"]["expires_in_s"] > SHORT_LIFETIME_S - SLACK_S
        time.sleep(max(0, expiry + 1 - time.monotonic()))
        for meeting in meetings:
            assert meeting.run("ping", "--count", 1)["rtts_ms"]
