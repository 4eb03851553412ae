"""How soon a node notices that another is dead, and how soon it ends when it is told to."""

import contextlib
import signal
import threading
import time

import pytest

from lab import fault, service
from lab.node import bootstrap_string, wait_until
from lab.service import Service
from overlay import (
    ADMIN, PUBLIC_PASSWORD, SOMEBODY_ELSE, Pair, found, network_flag, wait_connected,
)

OFFLINE_WITHIN_S = 45
BROKEN_WITHIN_S = 15
ENDS_WITHIN_S = 5
TRANSFER = 200 * 2**20
TUNNELS = 500
PEER_PORT = 1985


@pytest.fixture
def two(lab, make_node):
    """Two public nodes of this test alone, joined."""
    pair = Pair(*(make_node(name, lab.public_host(name)) for name in ("public", "private")))
    pair.join()
    return pair


def visit(pair, port):
    return service.connect(pair.public.host, ("127.0.0.1", port))


def say_hello(visitor):
    visitor.sendall(b"hello")
    assert visitor.recv(16) == b"hello"


# Peers that die without a word


def test_an_idle_member_that_falls_silent_is_offline_in_time_on_both_sides(two):
    fault.silence(two.private.host)
    began = time.monotonic()
    for node, other in ((two.public, two.private), (two.private, two.public)):
        left = OFFLINE_WITHIN_S - (time.monotonic() - began)
        wait_until(lambda: other.peer_id not in node.online(), left, f"{node.name} noticing it")
    fault.mend(two.private.host)
    wait_connected(two.public, two.private, timeout=30)


def test_a_tunnel_whose_peer_falls_silent_breaks_in_time(two):
    port = two.forward()
    with Service(two.private.host, ("127.0.0.1", port), service.echo), visit(two, port) as visitor:
        say_hello(visitor)
        fault.silence(two.private.host)
        began = time.monotonic()
        visitor.settimeout(BROKEN_WITHIN_S)
        visitor.sendall(b"are you there?")
        with pytest.raises(ConnectionResetError):
            service.receive_all(visitor)
        assert time.monotonic() - began < BROKEN_WITHIN_S
        assert two.private.peer_id not in two.public.online()


def test_a_transfer_whose_peer_falls_silent_breaks_in_time(two):
    port = two.forward()
    with Service(two.private.host, ("127.0.0.1", port), pour), visit(two, port) as visitor:
        assert visitor.recv(2**20)
        fault.silence(two.private.host)
        began = time.monotonic()
        visitor.settimeout(BROKEN_WITHIN_S)
        with pytest.raises(ConnectionResetError):
            service.receive_all(visitor)
        assert time.monotonic() - began < BROKEN_WITHIN_S


# The end, asked for at any moment


def pour(connection):
    """Sends TRANSFER bytes, as fast as they are taken."""
    block = bytes(2**20)
    for _ in range(TRANSFER // len(block)):
        connection.sendall(block)


def ends_in_time(node):
    began = time.monotonic()
    status = node.end(signal.SIGTERM, timeout=ENDS_WITHIN_S)
    assert status == 0, node.log
    assert time.monotonic() - began < ENDS_WITHIN_S


@pytest.mark.parametrize("after_ms", [0, 10, 30, 60, 100, 150, 200, 300, 500])
def test_a_node_that_is_starting_ends_in_time_and_starts_again(lab, make_node, after_ms):
    node = make_node("node", lab.public_host("node"))
    node.start(*network_flag(), "-rc", f"{ADMIN}:{PUBLIC_PASSWORD}", wait=False)
    time.sleep(after_ms / 1000)
    # Before it listens to signals, the kernel's own answer to them is right.
    assert node.end(signal.SIGTERM, timeout=ENDS_WITHIN_S) in (0, -signal.SIGTERM)
    node.start(*network_flag(), "-rc", f"{ADMIN}:{PUBLIC_PASSWORD}")
    ends_in_time(node)


def test_a_node_ends_in_time_though_handshakes_are_under_way(lab, make_node):
    silent_host = lab.public_host("silent")
    accepted = threading.Event()
    over = threading.Event()

    def say_nothing(_):
        accepted.set()
        over.wait(30)

    with Service(silent_host, (silent_host.address, PEER_PORT), say_nothing):
        address = f"/ip4/{silent_host.address}/tcp/{PEER_PORT}/p2p/{SOMEBODY_ELSE}"
        silent = bootstrap_string({"id": SOMEBODY_ELSE, "connect_multiadress": [address]})
        node = found(make_node("node", lab.public_host("node")), "-bs", silent)
        with contextlib.ExitStack() as visitors:
            for opening in (b"", b"\x13/multistream/1.0.0\n", b"\x13/multistream/1.0.0\n\x07/noise\n\x00\x20"):
                visitor = visitors.enter_context(
                    service.connect(silent_host, (node.host.address, PEER_PORT)))
                visitor.sendall(opening)
            assert accepted.wait(10)
            ends_in_time(node)
        over.set()


@pytest.mark.parametrize("which", ["public", "private"])
def test_a_node_ends_in_time_in_the_middle_of_a_transfer(two, which):
    port = two.forward()
    with Service(two.private.host, ("127.0.0.1", port), pour), visit(two, port) as visitor:
        assert visitor.recv(2**20)
        got = []
        reader = threading.Thread(target=lambda: got.append(read_on(visitor)))
        reader.start()
        ends_in_time(getattr(two, which))
        reader.join(10)
        assert got and got[0] < TRANSFER


def read_on(connection):
    """How many bytes came until the end, of whatever kind."""
    total = 0
    with contextlib.suppress(OSError):
        while data := connection.recv(2**20):
            total += len(data)
    return total


def test_a_node_ends_in_time_though_a_peer_does_not_hear_it(two):
    port = two.forward()
    with Service(two.private.host, ("127.0.0.1", port), service.receive_all), visit(two, port) as visitor:
        visitor.sendall(b"something")
        fault.silence(two.private.host)
        visitor.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                visitor.send(bytes(2**20))
        ends_in_time(two.public)
        ends_in_time(two.private)


@pytest.mark.parametrize("which", ["public", "private"])
def test_a_node_ends_in_time_with_many_open_tunnels(two, which):
    port = two.forward()
    with contextlib.ExitStack() as open_, Service(two.private.host, ("127.0.0.1", port), service.echo):
        visitors = [open_.enter_context(visit(two, port)) for _ in range(TUNNELS)]
        for visitor in visitors:
            say_hello(visitor)
        ends_in_time(getattr(two, which))
        for visitor in visitors:
            with pytest.raises(ConnectionResetError):
                service.receive_all(visitor)
