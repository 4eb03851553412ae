"""The hole-punch tests of libp2p/test-plans and libp2p/unified-testing: two peers behind NATs of their own,
which are this machine's kernel's, meet at a relay, and then connect directly. The listener is the one that
asks for that (DCUtR)."""

import contextlib
import json

import pytest

import harness_app
import peers
from harness_app import App, key_of, latency
from lab.line import Line
from lab.topology import ROUTABLE, Lab
from redis_server import RedisServer

TEST = "hole-punch-test"
# One way: from a site to the internet, and from there to the relay.
SITE_DELAY, RELAY_DELAY = "10ms", "30ms"
# From one site to the other and back.
DIRECTLY_MS, BY_THE_RELAY_MS = 40, 160
# What dials this port is refused at once.
NOBODY_LISTENS = 1
OURS = peers.OURS


class Harness:
    """A relay and Redis on the internet, and a host behind a NAT for each of the two peers."""

    def __init__(self, redis, relay, hosts):
        self._redis = redis
        self._relay_address = next(one for one in relay.addresses if ROUTABLE in one)
        self._hosts = hosts

    def test_plans(self, mode):
        """The variables of that harness; both peers find the relay's address in Redis."""
        self._redis.ask("RPUSH", "RELAY_TCP_ADDRESS", self._relay_address)
        return {"MODE": mode, "TRANSPORT": "tcp"}

    def unified_testing(self, mode, run, secure_channel):
        self._redis.ask("SET", f"{key_of(run)}_relay_multiaddr", self._relay_address)
        return {
            "IS_DIALER": "true" if mode == "dial" else "false", "REDIS_ADDR": self._redis.address,
            "TEST_KEY": key_of(run), "TRANSPORT": "tcp", "SECURE_CHANNEL": secure_channel, "MUXER": "yamux",
        }

    def app(self, name, mode, variables, **changed):
        """One of the two apps; None is a variable that is not set."""
        given = {**variables, **changed}
        known = {name: value for name, value in given.items() if value is not None}
        return App(name, TEST, self._hosts[mode], known)

    def punch(self, dialer, listener, variables):
        """What the dialer printed, the `variables` of the modes given; both apps' words when it failed."""
        with (
            self.app(listener, "listen", variables("listen")) as listening,
            self.app(dialer, "dial", variables("dial")) as dialing,
        ):
            status, printed = dialing.wait()
            said = f"the dialer says:\n{dialing.log}\nthe listener says:\n{listening.log}"
            assert status == 0, said
            assert listening.runs, said
            assert listening.end() == 0
        return printed


@contextlib.contextmanager
def made(relay, kind):
    with Lab(internet=ROUTABLE) as lab, RedisServer(lab.public_host("redis")) as redis:
        line = Line(delay=SITE_DELAY)
        hosts = {mode: lab.host_behind(kind, mode, line=line) for mode in ("listen", "dial")}
        for host in hosts.values():
            host.replace_file("/etc/hosts", f"{redis.host.address} redis\n")
        relay_host = lab.public_host("relay", line=Line(delay=RELAY_DELAY))
        with peers.Listener(relay, "--ip", "any", "--security", "both", popen=relay_host.popen, does="relay") as relaying:
            yield Harness(redis, relaying, hosts)


@pytest.fixture(scope="module")
def harness(request, world):
    with made(*request.param) as one:
        yield one


def peers_of(relay, *names):
    return pytest.mark.peers(*sorted({relay, *(harness_app.built_by(name, TEST) for name in names)}))


def runs(*chosen):
    """Parametrizes a test by (relay, kind of NAT, dialer, listener)."""
    return pytest.mark.parametrize(
        "harness, dialer, listener",
        [pytest.param((relay, kind), dialer, listener, id=f"{dialer}-{listener}-{relay}-{kind}",
                      marks=peers_of(relay, dialer, listener))
         for relay, kind, dialer, listener in chosen],
        indirect=["harness"],
    )


@runs(
    (OURS, "port-restricted", OURS, OURS),
    (OURS, "port-restricted", OURS, "go"),
    (OURS, "port-restricted", "go", OURS),
    (OURS, "port-restricted", OURS, "rust"),
    (OURS, "port-restricted", "rust", OURS),
    ("go", "port-restricted", OURS, "go"),
    ("go", "port-restricted", "go", OURS),
    ("rust", "port-restricted", OURS, "rust"),
    ("rust", "port-restricted", "rust", OURS),
    (OURS, "port-restricted", "go", "go"),
    (OURS, "port-restricted", "rust", "rust"),
    (OURS, "double-nat", OURS, "go"),
    (OURS, "double-nat", "go", OURS),
    (OURS, "double-nat", OURS, "rust"),
    (OURS, "double-nat", "rust", OURS),
)
def test_two_peers_behind_nat_connect_directly(harness, dialer, listener):
    result = json.loads(harness.punch(dialer, listener, harness.test_plans))
    assert DIRECTLY_MS <= result["rtt_to_holepunched_peer_millis"] < BY_THE_RELAY_MS


@runs(
    (OURS, "port-restricted", OURS, "go"),
    (OURS, "port-restricted", "go", OURS),
    (OURS, "port-restricted", OURS, "rust"),
    (OURS, "port-restricted", "rust", OURS),
)
def test_they_do_so_as_unified_testing_asks_over_tls(harness, dialer, listener):
    run = f"{dialer} x {listener} (tcp, tls, yamux)"
    printed = harness.punch(dialer, listener, lambda mode: harness.unified_testing(mode, run, "tls"))
    all_ms, ping_ms = latency(printed)
    assert DIRECTLY_MS <= ping_ms < BY_THE_RELAY_MS
    # The dial through the relay, and the way to the direct connection.
    assert all_ms > 2 * BY_THE_RELAY_MS


# What is demanded of our app beside

ours = pytest.mark.parametrize(
    "harness", [pytest.param((OURS, "port-restricted"), id=OURS, marks=peers_of(OURS, OURS))], indirect=True)


def ends_with_failure(app, *words):
    """It exits as failed, prints no result, and says why in these words."""
    status, printed = app.wait()
    assert (status, printed) == (1, "")
    assert all(word in app.log for word in words), app.log


@ours
@pytest.mark.parametrize("name, value", [
    ("MODE", "perhaps"), ("TRANSPORT", None), ("TRANSPORT", "quic"), ("REDIS_ADDR", "no-port"),
])
def test_a_variable_of_test_plans_that_is_wrong_is_named(harness, name, value):
    with harness.app(OURS, "dial", harness.test_plans("dial"), **{name: value}) as app:
        ends_with_failure(app, name, value or "not set")


@ours
@pytest.mark.parametrize("name, value", [
    ("IS_DIALER", None), ("REDIS_ADDR", None), ("TEST_KEY", None), ("TRANSPORT", "quic-v1"),
    ("SECURE_CHANNEL", "plaintext"), ("MUXER", "mplex"), ("DIALER_IP", "somewhere"),
])
def test_a_variable_of_unified_testing_that_is_wrong_is_named(harness, name, value):
    variables = harness.unified_testing("dial", "wrong", "noise")
    with harness.app(OURS, "dial", variables, **{name: value}) as app:
        ends_with_failure(app, name, value or "not set")


@ours
@pytest.mark.parametrize("mode", ["listen", "dial"])
def test_without_redis_nothing_is_run(harness, mode):
    nowhere = f"127.0.0.1:{NOBODY_LISTENS}"
    with harness.app(OURS, mode, harness.test_plans(mode), REDIS_ADDR=nowhere) as app:
        ends_with_failure(app, "Redis")
