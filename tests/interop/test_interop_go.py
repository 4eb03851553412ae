"""Our node against go-libp2p: TCP, Noise, yamux, identify, ping, and the network's closed door."""

import json
import pathlib
import shutil
import subprocess

import pytest

from lab import node as nodes
from lab.node import Node

SOURCES = pathlib.Path(__file__).parent / "go"
MIN_GO = (1, 26)
# A peer that does not prove membership is dropped ten seconds after it connected.
STRANGER_STAYS_S = 10


@pytest.fixture(scope="session")
def go_peer():
    """The go-libp2p program, built from tests/interop/go."""
    go = shutil.which("go")
    if not go:
        pytest.skip("no Go toolchain")
    version = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout
    if tuple(int(part) for part in version.strip().removeprefix("go").split(".")[:2]) < MIN_GO:
        pytest.skip(f"{version.strip()} is too old: go-libp2p needs Go {MIN_GO[0]}.{MIN_GO[1]}")
    program = nodes.ROOT / "build" / "interop" / "go-peer"
    subprocess.run([go, "build", "-o", program, "."], cwd=SOURCES, check=True, timeout=900)
    return program


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


def dial(go_peer, node, address, *flags):
    """What the Go peer saw, from the node's own host; None and its error when it failed."""
    done = node.host.run([go_peer, "dial", address, *flags], check=False, timeout=60)
    return (json.loads(done.stdout), "") if done.returncode == 0 else (None, done.stderr)


def test_a_go_peer_connects_identifies_and_pings(go_peer, node):
    seen, error = dial(go_peer, node, address_of(node), "-pings", "10")
    assert seen, error
    assert seen["peer_id"] == node.peer_id
    assert seen["security"] == "/noise"
    assert seen["muxer"] == "/yamux/1.0.0"
    assert len(seen["pings_ms"]) == 10
    assert {"/ipfs/ping/1.0.0", "/ipfs/id/1.0.0"} <= set(seen["protocols"])
    assert "open-chat" in seen["agent_version"]
    assert f"/ip4/{node.host.address}/tcp/1985" in seen["listen_addresses"]
    assert seen["observed_address"].startswith("/ip4/127.0.0.1/tcp/")
    assert seen["signed_record"]


def test_a_go_peer_connects_over_ipv6(go_peer, node):
    seen, error = dial(go_peer, node, f"/ip6/{node.host.address6}/tcp/1985/p2p/{node.peer_id}")
    assert seen, error
    assert seen["security"] == "/noise"


def test_a_go_peer_that_expects_somebody_else_is_not_connected(go_peer, node):
    other = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"
    seen, error = dial(go_peer, node, f"/ip4/127.0.0.1/tcp/1985/p2p/{other}")
    assert seen is None
    assert "peer id mismatch" in error


def test_a_stranger_is_dropped_after_its_ten_seconds_and_not_before(go_peer, node):
    seen, error = dial(go_peer, node, address_of(node), "-stay", f"{STRANGER_STAYS_S + 5}s")
    assert seen, error
    assert seen["closed_after_s"] == pytest.approx(STRANGER_STAYS_S, abs=2)
    assert [row["self"] for row in node.members()] == [True]


def test_many_go_peers_at_once_are_all_served(go_peer, node):
    command = node.host.command([go_peer, "dial", address_of(node), "-pings", "3"])
    peers = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(8)]
    results = [peer.communicate(timeout=60) for peer in peers]
    assert [peer.returncode for peer in peers] == [0] * 8, results


def test_our_node_dials_a_go_peer(go_peer, node):
    """A registered Go peer is dialed and identified, and is no member; the node stays well."""
    peer = node.host.popen(
        [go_peer, "listen"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        at = json.loads(peer.stdout.readline())
        described = {"id": at["id"], "connect_multiadress": at["addresses"]}
        bootstrap = nodes.bootstrap_string(described)
        node.client("register", "--b64", bootstrap)
        nodes.wait_until(lambda: at["id"] in node.log, 15, "dialing the Go peer")
        assert [row["self"] for row in node.members()] == [True]
    finally:
        peer.stdin.close()
        peer.wait(10)
