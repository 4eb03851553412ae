"""Which kinds of hosts meet by hole punching, and which cannot."""

import asyncio
import itertools
import socket

import pytest

from lab import punch
from lab.line import Line
from lab.reflector import Reflector
from lab.topology import KINDS, Lab

# The one port that every kind of NAT lets calls out to, if to any.
REFLECTOR_PORT = 443

TCP = """
                       public
public                 yes     full-cone
full-cone              yes     yes     port-restricted
port-restricted        yes     yes     yes     symmetric
symmetric              yes     yes     -       -       double-nat
double-nat             yes     yes     yes     -       yes     udp-blocked
udp-blocked            yes     yes     yes     -       yes     yes     only-443
only-443               -       -       -       -       -       -       -       firewall
firewall               yes     yes     yes     -       yes     yes     -       yes     ipv6-only
ipv6-only              yes     -       -       -       -       -       -       yes     yes
"""

# The same, but for hosts that have no UDP.
UDP = """
                       public
public                 yes     full-cone
full-cone              yes     yes     port-restricted
port-restricted        yes     yes     yes     symmetric
symmetric              yes     yes     -       -       double-nat
double-nat             yes     yes     yes     -       yes     udp-blocked
udp-blocked            -       -       -       -       -       -       only-443
only-443               -       -       -       -       -       -       -       firewall
firewall               yes     yes     yes     -       yes     -       -       yes     ipv6-only
ipv6-only              yes     -       -       -       -       -       -       yes     yes
"""


@pytest.fixture(scope="module")
def everybody(world):
    """Two hosts of each kind, and a reflector."""
    with Lab() as lab:
        hosts = {kind: tuple(lab.host_behind(kind, f"{kind}-{n}") for n in (1, 2)) for kind in KINDS}
        with Reflector(lab.public_host("reflector"), REFLECTOR_PORT) as reflector:
            yield hosts, reflector


async def meetings(protocol, hosts, reflector):
    """{(kind, kind): whether they met}; all at once, each from ports of its own."""
    pairs = list(itertools.combinations_with_replacement(hosts, 2))
    met = await asyncio.gather(*(
        punch.meet(protocol, hosts[one][0], hosts[other][1], reflector, port)
        for port, (one, other) in enumerate(pairs, 20000)))
    return dict(zip(pairs, met))


def drawn(met, kinds):
    """The table of who met whom; the name of a column stands at the end of the row above it."""
    rows = [f"{'':23}{kinds[0]}"]
    for index, row in enumerate(kinds):
        cells = ["yes" if met[column, row] else "-" for column in kinds[:index + 1]]
        rows.append("".join([f"{row:23}", *(f"{cell:8}" for cell in cells), *kinds[index + 1:index + 2]]))
    return "\n" + "\n".join(row.rstrip() for row in rows) + "\n"


@pytest.mark.parametrize("protocol, expected", [(socket.SOCK_STREAM, TCP), (socket.SOCK_DGRAM, UDP)],
                         ids=["tcp", "udp"])
def test_hosts_meet_where_their_nats_let_them(everybody, protocol, expected):
    hosts, reflector = everybody
    table = drawn(asyncio.run(meetings(protocol, hosts, reflector)), list(hosts))
    print(table)
    assert table == expected


@pytest.mark.parametrize("protocol", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["tcp", "udp"])
@pytest.mark.parametrize("kind", ["full-cone", "port-restricted"])
def test_hosts_meet_under_ports_that_are_not_their_own(lab, kind, protocol):
    made = lab.build(f"public | router-1:{kind}+shift > first | router-2:{kind}+shift > second")
    with Reflector(made["public"], REFLECTOR_PORT) as reflector:
        assert asyncio.run(punch.meet(protocol, made["first"], made["second"], reflector, 20000))


@pytest.mark.parametrize("protocol", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["tcp", "udp"])
@pytest.mark.parametrize("kind", ["port-restricted", "double-nat", "firewall"])
def test_hosts_meet_though_they_are_far_from_each_other(lab, kind, protocol):
    first = lab.host_behind(kind, "first", line=Line(delay="20ms"))
    second = lab.host_behind("port-restricted", "second", line=Line(delay="50ms", jitter="20ms"))
    with Reflector(lab.public_host("reflector"), REFLECTOR_PORT) as reflector:
        assert asyncio.run(punch.meet(protocol, first, second, reflector, 20000))


@pytest.mark.parametrize("refuse", [False, True], ids=["dropping", "refusing"])
def test_a_nat_that_refuses_does_not_keep_hosts_from_meeting(lab, refuse):
    option = "+refuse" if refuse else ""
    made = lab.build(f"public | router-1:port-restricted{option} > first | router-2:port-restricted > second")
    with Reflector(made["public"], REFLECTOR_PORT) as reflector:
        assert asyncio.run(punch.meet(socket.SOCK_STREAM, made["first"], made["second"], reflector, 20000))
