"""Nodes behind every kind of NAT, with one relay in public: all reach each other, and directly where
that is possible at all (tests/lab/test_punch.py shows for whom)."""

import itertools
import os
import socket
import threading

import pytest

from lab import service
from lab.node import wait_until
from lab.topology import KINDS, SAME_NAT, Lab
from overlay import egress, found, ingress, join, wait_connected

TEN_MB = 10_000_000
# The one port that every kind of NAT lets calls out to.
RELAY_PORT = 443
ECHO_PORT = 7000
# How long a direct path may take to come about.
DIRECT_WITHIN_S = 10

PATHS = """
                       public
public                 -       full-cone
full-cone              direct  -       port-restricted
port-restricted        direct  direct  -       symmetric
symmetric              direct  direct  circuit -       double-nat
double-nat             direct  direct  direct  circuit -       udp-blocked
udp-blocked            direct  direct  direct  circuit direct  -       only-443
only-443               circuit circuit circuit circuit circuit circuit -       firewall
firewall               direct  direct  direct  circuit direct  direct  circuit -       ipv6-only
ipv6-only              direct  circuit circuit circuit circuit circuit circuit direct  -       same-nat
same-nat               direct  direct  lan     circuit direct  direct  circuit direct  circuit -
"""


@pytest.fixture(scope="module")
def everybody(world, make_module_node):
    """{kind: node}, all of one network; "same-nat" is on the LAN of "port-restricted"."""
    with Lab() as lab:
        relay = found(make_module_node("relay", lab.public_host("relay")), "--p2pport", str(RELAY_PORT))
        nodes = {kind: make_module_node(kind, lab.host_behind(kind)) for kind in KINDS}
        beside = lab.host_behind(SAME_NAT, beside=nodes["port-restricted"].host)
        nodes[SAME_NAT] = make_module_node(SAME_NAT, beside)
        for kind, node in nodes.items():
            # Linux would show both hosts behind the one NAT under the same port to different peers.
            join(node, relay.bootstrap, *(["--p2pport", "1986"] if kind == SAME_NAT else []))
        wait_connected(relay, *nodes.values(), timeout=30)
        yield nodes


def kind_of_path(near, far):
    """The first word of how `near` reaches `far` now."""
    return next(row["path"].split()[0] for row in near.members() if row["peer_id"] == far.peer_id)


def drawn(cells, kinds):
    """The table of cells; the name of a column stands at the end of the row above it."""
    rows = [f"{'':23}{kinds[0]}"]
    for index, row in enumerate(kinds):
        of_row = [cells.get((column, row), "-") for column in kinds[:index + 1]]
        rows.append("".join([f"{row:23}", *(f"{cell:8}" for cell in of_row), *kinds[index + 1:index + 2]]))
    return "\n" + "\n".join(row.rstrip() for row in rows) + "\n"


def test_each_pair_has_the_best_path_there_can_be(everybody):
    kinds = list(everybody)
    pairs = list(itertools.combinations(kinds, 2))

    def table():
        return drawn({(a, b): kind_of_path(everybody[a], everybody[b]) for a, b in pairs}, kinds)

    try:
        wait_until(lambda: table() == PATHS, DIRECT_WITHIN_S, "all direct paths", every=0.5)
    finally:
        print(table())


@pytest.mark.parametrize("kind", [*KINDS, SAME_NAT])
def test_tunnels_from_all_others_carry_ten_megabytes(everybody, kind):
    far = everybody[kind]
    port = ECHO_PORT + list(everybody).index(kind)
    with service.Service(far.host, ("127.0.0.1", port), service.echo):
        for near in everybody.values():
            if near is far:
                continue
            ingress(far, near.peer_id, port)
            egress(near, far.peer_id, port)
            assert came_back(near, port, os.urandom(TEN_MB)), f"from {near.name}"


def came_back(node, port, data):
    with service.connect(node.host, ("127.0.0.1", port)) as visitor:
        writer = threading.Thread(target=send, args=(visitor, data))
        writer.start()
        back = service.receive_all(visitor)
        writer.join()
    return back == data


def send(visitor, data):
    visitor.sendall(data)
    visitor.shutdown(socket.SHUT_WR)
