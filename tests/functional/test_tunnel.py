"""What a tunnel does to the bytes and to the connections it carries: nothing that TCP would not do."""

import hashlib
import select
import socket
import struct
import threading
import time

import pytest

from lab import service
from lab.service import Service
from overlay import egress, ingress, rule_of, wait_reason

CONCURRENT = 100
# What may lie between a sender and a receiver that stands still: kernel buffers on four sockets,
# and our windows. A program that read without bound would take in far more.
STALLED_AT_MOST = 64 * 2**20
MEMORY_GROWTH_AT_MOST = 32 * 2**20


def visit(pair, port, timeout=20):
    return service.connect(pair.public.host, ("127.0.0.1", port), timeout)


def serve(pair, port, handle):
    return Service(pair.private.host, ("127.0.0.1", port), handle)


def reset(connection):
    """Closes with a reset instead of an orderly end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_bytes_arrive_unchanged_in_both_directions(pair):
    port = pair.forward()
    sent = bytes(range(256)) * 40_000
    with serve(pair, port, service.echo), visit(pair, port) as visitor:
        writer = threading.Thread(target=lambda: (visitor.sendall(sent), visitor.shutdown(socket.SHUT_WR)))
        writer.start()
        assert service.receive_all(visitor) == sent
        writer.join()


def test_a_visitor_that_ended_its_half_still_gets_the_answer(pair):
    port = pair.forward()

    def digest(connection):
        connection.sendall(hashlib.sha256(service.receive_all(connection)).digest())

    with serve(pair, port, digest), visit(pair, port) as visitor:
        visitor.sendall(b"a question")
        visitor.shutdown(socket.SHUT_WR)
        assert service.receive_all(visitor) == hashlib.sha256(b"a question").digest()


def test_a_service_that_ended_its_half_still_hears_the_visitor(pair):
    port = pair.forward()

    def greet_and_listen(connection):
        connection.sendall(b"your turn")
        connection.shutdown(socket.SHUT_WR)
        return service.receive_all(connection)

    with serve(pair, port, greet_and_listen) as served, visit(pair, port) as visitor:
        assert service.receive_all(visitor) == b"your turn"
        visitor.sendall(b"after the end of the other half")
        visitor.shutdown(socket.SHUT_WR)
        assert served.result() == b"after the end of the other half"


def test_a_service_speaks_first(pair):
    port = pair.forward()
    with serve(pair, port, lambda c: c.sendall(b"220 ready")), visit(pair, port) as visitor:
        assert service.receive_all(visitor) == b"220 ready"


def test_a_services_reset_is_a_reset_for_the_visitor(pair):
    port = pair.forward()

    def break_off(connection):
        connection.recv(1)
        reset(connection)

    with serve(pair, port, break_off), visit(pair, port) as visitor:
        visitor.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            service.receive_all(visitor)


def test_a_visitors_reset_is_a_reset_for_the_service(pair):
    port = pair.forward()
    with serve(pair, port, service.echo) as served:
        visitor = visit(pair, port)
        visitor.sendall(b"x")
        assert visitor.recv(1) == b"x"
        reset(visitor)
        assert isinstance(served.result(), ConnectionResetError)


def write_until_blocked(connection):
    """Writes until nothing was taken for a while; gives the number of bytes taken."""
    connection.setblocking(False)
    block, taken = b"\0" * 65536, 0
    while taken <= STALLED_AT_MOST and select.select([], [connection], [], 2)[1]:
        taken += connection.send(block)
    return taken


def test_a_service_that_does_not_read_stops_the_visitor_and_costs_bounded_memory(pair):
    port = pair.forward()
    nodes = (pair.public, pair.private)
    done = threading.Event()
    with serve(pair, port, lambda _: done.wait(60)), visit(pair, port) as visitor:
        before = [node.resident_bytes() for node in nodes]
        assert write_until_blocked(visitor) < STALLED_AT_MOST
        growth = [node.resident_bytes() - was for node, was in zip(nodes, before)]
        done.set()
    assert max(growth) < MEMORY_GROWTH_AT_MOST


def test_a_visitor_that_does_not_read_stops_the_service_and_costs_bounded_memory(pair):
    port = pair.forward()
    nodes = (pair.public, pair.private)
    with serve(pair, port, write_until_blocked) as served, visit(pair, port):
        before = [node.resident_bytes() for node in nodes]
        assert served.result() < STALLED_AT_MOST
        growth = [node.resident_bytes() - was for node, was in zip(nodes, before)]
    assert max(growth) < MEMORY_GROWTH_AT_MOST


def test_a_stalled_tunnel_does_not_hold_up_others(pair):
    stalled_port, port = pair.forward(), pair.forward()
    done = threading.Event()
    with serve(pair, stalled_port, lambda _: done.wait(60)), serve(pair, port, service.echo):
        with visit(pair, stalled_port) as stalled:
            write_until_blocked(stalled)
            with visit(pair, port) as visitor:
                began = time.monotonic()
                visitor.sendall(b"prompt")
                assert visitor.recv(16) == b"prompt"
                assert time.monotonic() - began < 1
            done.set()


def test_a_hundred_connections_at_once_keep_their_bytes_apart(pair):
    port = pair.forward()
    with serve(pair, port, service.echo):
        visitors = [visit(pair, port) for _ in range(CONCURRENT)]
        for number, visitor in enumerate(visitors):
            visitor.sendall(b"%03d" % number * 5000)
            visitor.shutdown(socket.SHUT_WR)
        for number, visitor in enumerate(visitors):
            with visitor:
                assert service.receive_all(visitor) == b"%03d" % number * 5000


def test_a_rule_counts_what_passed(pair):
    port = pair.forward()
    with serve(pair, port, service.echo) as served, visit(pair, port) as visitor:
        visitor.sendall(b"x" * 1000)
        visitor.shutdown(socket.SHUT_WR)
        assert len(service.receive_all(visitor)) == 1000
        served.result()
    rule = rule_of(pair.public, "egress", port)
    assert rule["connections"] == 1
    assert {rule["bytes_in"], rule["bytes_out"]} == {1000}


def test_a_unix_socket_can_be_the_target(pair, tmp_path):
    path = str(tmp_path / "service.sock")
    port = pair.forward("--to", f"unix:{path}")
    with Service(pair.private.host, path, service.echo), visit(pair, port) as visitor:
        visitor.sendall(b"over a Unix socket")
        assert visitor.recv(64) == b"over a Unix socket"


def test_another_address_of_the_target_node_can_be_the_target(pair):
    address = pair.private.host.address
    port = pair.forward("--to", f"{address}:9000")
    with Service(pair.private.host, (address, 9000), service.echo), visit(pair, port) as visitor:
        visitor.sendall(b"over the LAN")
        assert visitor.recv(64) == b"over the LAN"


def test_visitors_come_over_ipv6(pair):
    port = pair.forward(bind="::1")
    with serve(pair, port, service.echo):
        with service.connect(pair.public.host, ("::1", port)) as visitor:
            visitor.sendall(b"six")
            assert visitor.recv(16) == b"six"


def test_an_egress_rule_bound_to_every_address_is_reached_from_outside(pair):
    port = pair.forward(bind="0.0.0.0")
    with serve(pair, port, service.echo):
        with service.connect(pair.private.host, (pair.public.host.address, port)) as visitor:
            visitor.sendall(b"round trip")
            assert visitor.recv(16) == b"round trip"


def test_the_private_node_reaches_the_public_one_just_as_well(pair):
    port = 7500
    ingress(pair.public, pair.private.peer_id, port)
    egress(pair.private, pair.public.peer_id, port)
    with Service(pair.public.host, ("127.0.0.1", port), service.echo):
        with service.connect(pair.private.host, ("127.0.0.1", port)) as visitor:
            visitor.sendall(b"the other way")
            assert visitor.recv(16) == b"the other way"


def test_a_deleted_rule_takes_no_more_visitors_and_ends_its_tunnels(pair):
    port = pair.forward()
    with serve(pair, port, service.echo), visit(pair, port) as visitor:
        visitor.sendall(b"before")
        assert visitor.recv(16) == b"before"
        pair.public.client("delete-proxy", rule_of(pair.public, "egress", port)["id"])
        with pytest.raises(ConnectionRefusedError):
            visit(pair, port)
        with pytest.raises(ConnectionResetError):
            service.receive_all(visitor)


def test_a_deleted_ingress_rule_ends_its_tunnels_and_lets_no_more_out(pair):
    port = pair.forward()
    with serve(pair, port, service.echo), visit(pair, port) as visitor:
        visitor.sendall(b"before")
        assert visitor.recv(16) == b"before"
        pair.private.client("delete-proxy", rule_of(pair.private, "ingress", port)["id"])
        with pytest.raises(ConnectionResetError):
            service.receive_all(visitor)
        with pytest.raises(ConnectionResetError), visit(pair, port) as refused:
            refused.sendall(b"x")
            service.receive_all(refused)
        wait_reason(pair.public, "egress", port, "OC-3103")


def test_a_rule_elsewhere_changes_nothing_for_an_open_tunnel(pair):
    port, other = pair.forward(), pair.forward()
    with serve(pair, port, service.echo), visit(pair, port) as visitor:
        visitor.sendall(b"before")
        assert visitor.recv(16) == b"before"
        pair.public.client("delete-proxy", rule_of(pair.public, "egress", other)["id"])
        pair.private.client("delete-proxy", rule_of(pair.private, "ingress", other)["id"])
        visitor.sendall(b"after")
        assert visitor.recv(16) == b"after"
