"""Nodes find out by AutoNAT whether others can reach them, and show it."""

import pytest

from lab.node import wait_until
from overlay import found, join, wait_connected

# From when a node has three peers on the internet.
KNOWN_WITHIN_S = 30


@pytest.fixture
def nodes(lab, make_node):
    """Three public nodes, and a private one behind NAT."""
    first = found(make_node("first", lab.public_host("first")))
    second = join(make_node("second", lab.public_host("second")), first.bootstrap)
    third = join(make_node("third", lab.public_host("third")), first.bootstrap)
    router = lab.router("router")
    private = join(make_node("private", lab.private_host("private", behind=router)), first.bootstrap)
    wait_connected(first, second, third, private)
    private.outside = f"/ip4/{router.address}/tcp/"
    return first, second, third, private


def netcheck(node):
    return node.client_json("netcheck")


def wait_state(node, state):
    wait_until(lambda: netcheck(node)["state"] == state, KNOWN_WITHIN_S, f"{node.name} being {state}")


def test_public_nodes_are_reachable_and_a_node_behind_nat_is_not(nodes):
    *public, private = nodes
    wait_state(private, "unreachable")
    for node in public:
        wait_state(node, "reachable")
    seen = netcheck(private)
    rows = {row["source"]: row for row in seen["addresses"]}
    assert rows["observed"]["address"].startswith(private.outside)
    assert rows["observed"]["state"] == "unreachable"
    assert rows["observed"]["servers"] >= 2
    assert rows["observed"]["checked"]
    assert rows["listened"]["state"] == "unknown", "nobody else is on its network"
    assert "from the internet this node is now: unreachable" in private.log
    assert seen["nat"] == {"mapping": "endpoint-independent", "observers": 3}


def test_the_client_shows_it(nodes):
    first, *_ = nodes
    address = f"/ip4/{first.host.address}/tcp/1985"
    wait_state(first, "reachable")
    wait_until(lambda: state_of(first, address) == "reachable", KNOWN_WITHIN_S, "the IPv4 address")
    shown = first.client("netcheck").stdout
    assert f"{address}" in shown
    assert "from the internet  reachable" in shown
    assert f"{address}/p2p/{first.peer_id} (reachable)" in first.client("identity").stdout
    assert "reachable" in first.client_json("identity")["reachability"]


def state_of(node, address):
    return next(row["state"] for row in netcheck(node)["addresses"] if row["address"] == address)
