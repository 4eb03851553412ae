"""Our libp2p against others, in both roles, over both security protocols and versions of IP."""

import itertools
from typing import NamedTuple

import pytest

import peers

LIBRARIES = ["go", "js", "rust"]
ROLES = ["we-dial", "they-dial"]
SECURITY = {"noise": "/noise", "tls": "/tls/1.0.0", "both": "/tls/1.0.0"}
LOOPBACK = {4: "/ip4/127.0.0.1/tcp/", 6: "/ip6/::1/tcp/"}
SERVED = {
    "/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0", "/ipfs/ping/1.0.0", "/perf/1.0.0",
    *(f"/open-chat-interop/{name}/1.0.0"
      for name in ("echo", "digest", "reset", "fate", "last-fate", "push", "known")),
}
# Keys that a library cannot use (README.md).
IMPOSSIBLE = {("js", "ecdsa")}
MIB = 2**20


class Setting(NamedTuple):
    """Who meets our peer, in which role, and how. The key is the other side's."""

    library: str
    role: str
    security: str = "noise"
    ip: int = 4
    key: str = "ed25519"


class Meeting:
    """A listener of one side, and dialers of the other."""

    def __init__(self, setting):
        ours = (peers.OURS, "--security", setting.security)
        theirs = (setting.library, "--security", setting.security, "--key", setting.key)
        self._dialer, listener = (ours, theirs) if setting.role == "we-dial" else (theirs, ours)
        self.setting = setting
        self.listener = peers.Listener(*listener, "--ip", setting.ip)

    def run(self, case, *options):
        """What the case printed; both sides' words when it failed."""
        name, *common = self._dialer
        try:
            return peers.dial(name, self.listener.addresses[0], case, *options, *common)
        except peers.Failed as failure:
            said = f"the dialer says:\n{failure}\nthe listener says:\n{self.listener.log}"
        pytest.fail(said, pytrace=False)


@pytest.fixture(scope="module")
def meeting(request, world):
    met = Meeting(request.param)
    with met.listener:
        yield met


def meetings(shown, **choices):
    """Parametrizes a test: a meeting for each library, role and combination of the choices."""
    return pytest.mark.parametrize(
        "meeting",
        [
            pytest.param(
                setting := Setting(library, role, **dict(zip(choices, chosen))),
                id=shown.format(**setting._asdict()),
                marks=pytest.mark.peers(peers.OURS, library),
            )
            for library, role, *chosen in itertools.product(LIBRARIES, ROLES, *choices.values())
            if not any((library, choice) in IMPOSSIBLE for choice in chosen)
        ],
        indirect=True,
    )


everywhere = meetings("{library}-{role}-{security}-ip{ip}", security=["noise", "tls"], ip=[4, 6])
with_each_key = meetings(
    "{library}-{role}-{security}-{key}",
    security=["noise", "tls"], key=["rsa", "secp256k1", "ecdsa"],
)


@everywhere
def test_ping(meeting):
    assert len(meeting.run("ping", "--count", 5)["rtts_ms"]) == 5


@everywhere
def test_identify(meeting):
    seen = meeting.run("identify")
    suffix = f"/p2p/{meeting.listener.id}"
    announced = [address.removesuffix(suffix) for address in seen["listen_addresses"]]
    assert seen["peer_id"] == meeting.listener.id
    assert seen["security"] == SECURITY[meeting.setting.security]
    assert seen["muxer"] == "/yamux/1.0.0"
    assert seen["signed_record"] is True
    assert seen["agent_version"]
    assert meeting.listener.addresses[0].removesuffix(suffix) in announced
    assert seen["observed_address"].startswith(LOOPBACK[meeting.setting.ip])
    assert SERVED <= set(seen["protocols"])


@everywhere
def test_push(meeting):
    assert meeting.run("push") == {"from_listener": True, "from_dialer": True}


@everywhere
def test_echo(meeting):
    echoed = meeting.run("echo", "--bytes", 64 * MIB)
    assert echoed["bytes"] == 64 * MIB
    assert len(echoed["sha256"]) == 64


@everywhere
def test_half_close(meeting):
    assert meeting.run("half-close") == {"bytes": MIB}


@everywhere
def test_reset(meeting):
    assert meeting.run("reset") == {"saw": "reset"}


@everywhere
def test_streams(meeting):
    assert meeting.run("streams", "--count", 500) == {"count": 500}


@pytest.mark.parametrize(
    "meeting",
    [pytest.param(Setting("rust", "we-dial"), id="rust", marks=pytest.mark.peers(peers.OURS, "rust"))],
    indirect=True,
)
def test_streams_beyond_those_that_rust_yamux_takes_are_reset_at_once(meeting):
    """Above 512 it says only goodbye, so that they would wait for ever. Strangers' bound is far below that."""
    with pytest.raises(pytest.fail.Exception, match="the dialer says:\n.*(reset|leaving|closed)"):
        meeting.run("streams", "--count", 600)
    assert meeting.run("streams", "--count", 500) == {"count": 500}


@everywhere
def test_perf(meeting):
    run = meeting.run("perf", "--upload", 32 * MIB, "--download", 32 * MIB)
    assert (run["upload_bytes"], run["download_bytes"]) == (32 * MIB, 32 * MIB)
    assert run["upload_seconds"] > 0 and run["download_seconds"] > 0


@everywhere
def test_connects(meeting):
    assert meeting.run("connects", "--count", 10) == {"count": 10}


@with_each_key
def test_key(meeting):
    """The handshake and the signed peer record both need the key of the other side."""
    assert meeting.run("identify")["peer_id"] == meeting.listener.id


@meetings("{library}-{role}", security=["both"])
def test_tls_is_what_two_agree_on_that_offer_both(meeting):
    assert meeting.run("identify")["security"] == SECURITY["both"]
