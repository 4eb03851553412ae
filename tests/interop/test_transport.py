"""The transport test of libp2p/unified-testing, with processes on hosts of their own for containers."""

import re
import time

import pytest

import harness_app
import peers
from harness_app import App, key_of, latency
from lab.topology import Lab
from redis_server import RedisServer

TEST = "transport-test"
OTHERS = ["go", "rust"]
SECURE_CHANNELS = ["noise", "tls"]
# Nothing is asked for on this port; what dials it is refused at once.
NOBODY_LISTENS = 1


def peers_of(*names):
    return pytest.mark.peers(*sorted({harness_app.built_by(name, TEST) for name in names}))


def pairs():
    """Who dials and who listens, one of them being ours."""
    ours = peers.OURS
    others = [name for name in OTHERS if name != ours]
    return [
        pytest.param(dialer, listener, id=f"{dialer}-{listener}", marks=peers_of(dialer, listener))
        for dialer, listener in
        [(ours, ours), *((ours, other) for other in others), *((other, ours) for other in others)]
    ]


class Harness:
    """Redis, listeners and dialers, each on their own host, and the variables that these are given."""

    def __init__(self, redis, listener_host, dialer_host):
        self.redis = redis
        self.listener_host = listener_host
        self.dialer_host = dialer_host

    def listener(self, name, run, **changed):
        return App(name, TEST, self.listener_host, self.variables(run, "false", changed))

    def dialer(self, name, run, **changed):
        return App(name, TEST, self.dialer_host, self.variables(run, "true", changed))

    def variables(self, run, is_dialer, changed):
        """As the harness sets them, but for what a test changes; None is a variable that is not set."""
        given = {
            "IS_DIALER": is_dialer, "REDIS_ADDR": self.redis.address, "TEST_KEY": key_of(run),
            "TRANSPORT": "tcp", "SECURE_CHANNEL": "noise", "MUXER": "yamux",
            "LISTENER_IP": "0.0.0.0", "DEBUG": "false", **changed,
        }
        return {name: value for name, value in given.items() if value is not None}


@pytest.fixture(scope="module")
def harness(world):
    with Lab() as lab, RedisServer(lab.public_host("redis")) as redis:
        yield Harness(redis, lab.public_host("listener"), lab.public_host("dialer"))


@pytest.mark.parametrize("secure_channel", SECURE_CHANNELS)
@pytest.mark.parametrize("dialer, listener", pairs())
def test_the_dialer_measures_the_listener(harness, record_property, dialer, listener, secure_channel):
    run = f"{dialer} x {listener} (tcp, {secure_channel}, yamux)"
    with harness.listener(listener, run, SECURE_CHANNEL=secure_channel) as serving:
        began = time.monotonic()
        with harness.dialer(dialer, run, SECURE_CHANNEL=secure_channel) as dialing:
            status, printed = dialing.wait()
            took_ms = (time.monotonic() - began) * 1000
            said = f"the dialer says:\n{dialing.log}\nthe listener says:\n{serving.log}"
        assert status == 0, said
        assert serving.runs, said
        assert serving.end() == 0
    handshake_plus_one_rtt, ping_rtt = latency(printed)
    assert 0 < ping_rtt < handshake_plus_one_rtt < took_ms
    record_property("dialer", dialer)
    record_property("listener", listener)
    record_property("secure_channel", secure_channel)
    record_property("handshake_plus_one_rtt_ms", handshake_plus_one_rtt)
    record_property("ping_rtt_ms", ping_rtt)


# What is demanded of our app beside

ours = peers_of(peers.OURS)


@ours
def test_the_listener_tells_the_address_of_its_interface(harness):
    run = "the address of a listener"
    with harness.listener(peers.OURS, run):
        _, address = harness.redis.ask("BLPOP", f"{key_of(run)}_listener_multiaddr", "20")
    assert re.fullmatch(rf"/ip4/{harness.listener_host.address}/tcp/\d+/p2p/12D3Koo\w+", address)


def ends_with_failure(app, *words):
    """It exits as failed, prints no result, and says why in these words."""
    status, printed = app.wait()
    assert (status, printed) == (1, "")
    assert all(word in app.log for word in words), app.log


@ours
@pytest.mark.parametrize("name, value", [
    ("TRANSPORT", "quic-v1"), ("SECURE_CHANNEL", "plaintext"), ("MUXER", "mplex"),
    ("IS_DIALER", "perhaps"), ("TEST_TIMEOUT_SECS", "0"),
])
def test_a_variable_that_asks_for_what_there_is_not_is_named(harness, name, value):
    for start in (harness.dialer, harness.listener):
        with start(peers.OURS, f"{name}={value}", **{name: value}) as app:
            ends_with_failure(app, name, value)


@ours
@pytest.mark.parametrize("name", [
    "TRANSPORT", "SECURE_CHANNEL", "MUXER", "IS_DIALER", "REDIS_ADDR", "TEST_KEY",
])
def test_a_variable_that_is_missing_is_named(harness, name):
    for start in (harness.dialer, harness.listener):
        with start(peers.OURS, f"no {name}", **{name: None}) as app:
            ends_with_failure(app, name)


@ours
def test_different_secure_channels_do_not_meet(harness):
    run = "noise meets tls"
    with (
        harness.listener(peers.OURS, run, SECURE_CHANNEL="noise") as serving,
        harness.dialer(peers.OURS, run, SECURE_CHANNEL="tls") as dialing,
    ):
        ends_with_failure(dialing)
        assert serving.runs


@ours
@pytest.mark.parametrize("nowhere", ["no-port", f"127.0.0.1:{NOBODY_LISTENS}"])
def test_without_redis_nothing_is_run(harness, nowhere):
    for start in (harness.dialer, harness.listener):
        with start(peers.OURS, "no Redis", REDIS_ADDR=nowhere) as app:
            ends_with_failure(app)


@ours
def test_a_dialer_waits_no_longer_than_the_run_may_take(harness):
    with harness.dialer(peers.OURS, "no listener", TEST_TIMEOUT_SECS="1") as app:
        ends_with_failure(app)


@ours
def test_a_listener_that_nobody_ends_is_a_failure(harness):
    with harness.listener(peers.OURS, "no end", TEST_TIMEOUT_SECS="1") as app:
        ends_with_failure(app)
