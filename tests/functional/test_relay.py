"""Nodes that cannot reach each other meet through a third."""

import contextlib
import os
import socket
import threading

import pytest

from lab import service
from lab.node import wait_until
from overlay import forward, found, join, path_of, wait_connected

MIB = 1 << 20


@pytest.fixture
def meet(lab, make_node):
    """meet(kind): a public node, and two behind NATs of that kind."""

    def meeting(kind):
        public = found(make_node("public", lab.public_host("public")))
        hidden = [join(make_node(name, lab.host_behind(kind, name)), public.bootstrap) for name in ("left", "right")]
        wait_connected(public, *hidden, timeout=20)
        return public, *hidden

    return meeting


def connections(node, member):
    """The kinds of the connections to the member, best first, with how they came about."""
    shown = node.client_json("path", member.peer_id)
    return [(row["path"].split()[0], row["origin"]) for row in shown["connections"]]


def send_all(visitor, data):
    """Sends the data and the end; who reads notices when that fails."""
    with contextlib.suppress(OSError):
        visitor.sendall(data)
        visitor.shutdown(socket.SHUT_WR)


def sent_and_echoed(node, port, size):
    """Sends random bytes to a port of the node, and gives whether they came back."""
    data = os.urandom(size)
    with service.connect(node.host, ("127.0.0.1", port)) as visitor:
        writer = threading.Thread(target=send_all, args=(visitor, data))
        writer.start()
        try:
            back = service.receive_all(visitor)
        finally:
            writer.join()
    return back == data


def test_two_nodes_behind_nat_meet_through_a_relay(meet):
    public, left, right = meet("symmetric")
    assert path_of(left, right).startswith(f"circuit via {public.peer_id}")
    assert path_of(left, public).startswith("direct tcp")
    with service.Service(right.host, ("127.0.0.1", 8080), service.echo):
        forward(left, right, 8080)
        assert sent_and_echoed(left, 8080, 10 * MIB)


def test_a_node_that_joins_later_is_reached_as_well(meet, lab, make_node):
    public, left, _ = meet("symmetric")
    late = join(make_node("late", lab.host_behind("symmetric", "late")), public.bootstrap)
    wait_connected(left, late)
    assert path_of(late, left).startswith(f"circuit via {public.peer_id}")


def test_another_relay_takes_over_when_one_is_killed(meet, lab, make_node):
    public, left, right = meet("symmetric")
    second = join(make_node("second", lab.public_host("second")), public.bootstrap)
    wait_connected(second, left, right)
    with service.Service(right.host, ("127.0.0.1", 8081), service.echo):
        forward(left, right, 8081)
        assert sent_and_echoed(left, 8081, MIB)
        public.kill()
        wait_until(lambda: works(left, 8081), 10, "a tunnel through the other relay")
    assert path_of(left, right).startswith(f"circuit via {second.peer_id}")


def works(node, port):
    try:
        return sent_and_echoed(node, port, 1000)
    except OSError:
        return False


def test_a_relay_that_is_switched_off_relays_nothing(lab, make_node):
    public = found(make_node("public", lab.public_host("public")), "--relay", "off")
    left, right = (
        join(make_node(name, lab.host_behind("symmetric", name)), public.bootstrap) for name in ("left", "right")
    )
    wait_connected(public, left)
    wait_connected(public, right)
    assert right.peer_id not in left.online()


def test_they_find_a_direct_path_through_both_nats(meet):
    _, left, right = meet("port-restricted")
    for near, far in ((left, right), (right, left)):
        wait_until(lambda n=near, f=far: path_of(n, f).startswith("direct tcp"), 10, "a direct path")
    with service.Service(right.host, ("127.0.0.1", 8082), service.echo):
        forward(left, right, 8082)
        assert sent_and_echoed(left, 8082, 10 * MIB)
    assert connections(left, right)[0] == ("direct", "punched")
    assert connections(right, left)[0] == ("direct", "punched")
    tried = left.client_json("path", right.peer_id)["attempts"]
    assert ("punched", "connected") in [(row["how"], row["result"]) for row in tried], tried


def test_path_says_how_each_attempt_ended(meet):
    public, left, right = meet("symmetric")
    tables = left.client("path", right.peer_id).stdout
    assert f"circuit via {public.peer_id}" in tables
    attempts = left.client_json("path", right.peer_id)["attempts"]
    over_relay = [row for row in attempts if "/p2p-circuit" in row["address"] and row["result"] == "connected"]
    came = connections(left, right)[0] == ("circuit", "accepted")
    assert came or over_relay, attempts
    right.kill()
    wait_until(lambda: not left.client_json("path", right.peer_id)["online"], 60, "the loss being noticed")
    shown = left.client_json("path", right.peer_id)
    assert shown["reason"]["code"].startswith("OC-2")
    failed = [row["reason"]["code"] for row in shown["attempts"] if row["result"] == "failed"]
    assert failed and all(code.startswith("OC-2") for code in failed), shown
