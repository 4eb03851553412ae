"""Our node against go-libp2p: TCP, Noise, yamux, identify, ping, and the network's closed door."""

import pytest

import peers
from lab import node as nodes
from lab.node import Node

# A peer that does not prove membership is dropped ten seconds after it connected.
STRANGER_STAYS_S = 10

pytestmark = pytest.mark.peers("go")


@pytest.fixture
def node(lab, tmp_path):
    made = Node("node", tmp_path, lab.public_host("node"))
    made.start("-dnc", "home:a network password", "-rc", "admin:admin password")
    assert made.login("admin", "admin password")[0] == 0
    yield made
    made.kill()
    print(made.log)


def address_of(node):
    return f"/ip4/127.0.0.1/tcp/1985/p2p/{node.peer_id}"


def dial(node, address, case, *options):
    """What the Go peer's case printed, run on the node's own host."""
    return peers.dial("go", address, case, *options, popen=node.host.popen)


def test_a_go_peer_identifies_the_node(node):
    seen = dial(node, address_of(node), "identify")
    assert seen["peer_id"] == node.peer_id
    assert seen["security"] == "/noise"
    assert seen["muxer"] == "/yamux/1.0.0"
    assert {"/ipfs/ping/1.0.0", "/ipfs/id/1.0.0"} <= set(seen["protocols"])
    assert "open-chat" in seen["agent_version"]
    assert f"/ip4/{node.host.address}/tcp/1985" in seen["listen_addresses"]
    assert seen["observed_address"].startswith("/ip4/127.0.0.1/tcp/")
    assert seen["signed_record"]


def test_a_go_peer_pings_the_node(node):
    assert len(dial(node, address_of(node), "ping", "--count", "10")["rtts_ms"]) == 10


def test_a_go_peer_connects_over_ipv6(node):
    seen = dial(node, f"/ip6/{node.host.address6}/tcp/1985/p2p/{node.peer_id}", "identify")
    assert seen["security"] == "/noise"


def test_a_go_peer_that_expects_somebody_else_is_not_connected(node):
    other = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"
    with pytest.raises(peers.Failed, match="peer id mismatch"):
        dial(node, f"/ip4/127.0.0.1/tcp/1985/p2p/{other}", "ping")


def test_a_stranger_is_dropped_after_its_ten_seconds_and_not_before(node):
    seen = dial(node, address_of(node), "identify", "--stay", f"{STRANGER_STAYS_S + 5}s")
    assert seen["closed_after_s"] == pytest.approx(STRANGER_STAYS_S, abs=2)
    assert [row["self"] for row in node.members()] == [True]


def test_a_go_peer_does_not_get_the_node_to_dial_loopback(node):
    assert dial(node, address_of(node), "autonat") == {"verdict": "refused"}


def test_many_go_peers_at_once_are_all_served(node):
    assert dial(node, address_of(node), "connects", "--count", "8") == {"count": 8}


def test_our_node_dials_a_go_peer(node):
    """A registered Go peer is dialed and identified, and is no member; the node stays well."""
    with peers.Listener("go", popen=node.host.popen) as listener:
        described = {"id": listener.id, "connect_multiadress": listener.addresses}
        node.client("register", "--b64", nodes.bootstrap_string(described))
        nodes.wait_until(lambda: listener.id in node.log, 15, "dialing the Go peer")
        assert [row["self"] for row in node.members()] == [True]
