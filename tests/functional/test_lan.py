"""Members on one LAN find each other by multicast DNS, without bootstrap strings or a way out."""

import contextlib
import itertools
import socket
import struct
import time

import pytest

from lab.node import wait_until
from overlay import ADMIN, PRIVATE_PASSWORD, network_flag, wait_connected

FOUND_WITHIN_S = 10
GROUP = ("224.0.0.251", 5353)
QUESTION = struct.pack(">6H", 0, 0, 1, 0, 0, 0) + b"\x04_p2p\x04_udp\x05local\0\0\x0c\0\x01"
# The upper byte of an answer's flags.
ANSWER = 0x84
# In which a node that is there would long have been found.
NOT_FOUND_FOR_S = 5


@pytest.fixture
def host_on_lan(lab):
    """host_on_lan(name) makes a host on a LAN whose router leads nowhere."""
    router = lab.router("router")
    router.ip("link", "set", "wan0", "down")
    return lambda name: lab.private_host(name, behind=router)


def start(node, *flags):
    node.start(*network_flag(), "-rc", f"{ADMIN}:{PRIVATE_PASSWORD}", *flags)
    status, screen = node.login(ADMIN, PRIVATE_PASSWORD)
    assert status == 0, screen
    return node


def test_members_on_a_lan_without_a_way_out_find_each_other(host_on_lan, make_node):
    nodes = [start(make_node(name, host_on_lan(name))) for name in ("first", "second", "third")]
    wait_connected(*nodes, timeout=FOUND_WITHIN_S)


def test_by_ipv6_alone_they_do_so_too(host_on_lan, make_node):
    hosts = [host_on_lan(name) for name in ("first", "second")]
    for number, host in enumerate(hosts, 1):
        host.ip("-4", "address", "flush", "dev", "eth0")
        host.ip("address", "add", f"fd00::{number}/64", "dev", "eth0", "nodad")
    nodes = [start(make_node(host.name, host)) for host in hosts]
    wait_connected(*nodes, timeout=FOUND_WITHIN_S)


def test_a_host_that_comes_to_the_lan_later_is_found(host_on_lan, make_node):
    first_host, second_host = host_on_lan("first"), host_on_lan("second")
    second_host.ip("link", "set", "eth0", "down")
    first = start(make_node("first", first_host))
    second = start(make_node("second", second_host))
    second_host.ip("link", "set", "eth0", "up")
    wait_connected(first, second, timeout=FOUND_WITHIN_S)


def test_two_nodes_of_one_host_find_each_other(host_on_lan, make_node):
    host = host_on_lan("host")
    ports = itertools.count(4001)
    first = make_node("first", host)
    second = make_node("second", host, api_port=1994)
    for node in (first, second):
        start(node, "--p2pport", next(ports), "--port", node.api_port)
    wait_connected(first, second, timeout=FOUND_WITHIN_S)


def test_a_node_that_has_it_switched_off_is_not_found_and_finds_nobody(host_on_lan, make_node):
    silent = start(make_node("silent", host_on_lan("silent")), "--mdns", "off")
    first, second = (start(make_node(name, host_on_lan(name))) for name in ("first", "second"))
    wait_connected(first, second, timeout=FOUND_WITHIN_S)
    with pytest.raises(TimeoutError):
        wait_until(lambda: len(silent.members()) > 1, NOT_FOUND_FOR_S, "meeting nobody")
    assert len(first.members()) == 2
    # It is kept, until it is switched on.
    silent.end()
    silent.start()
    with pytest.raises(TimeoutError):
        wait_until(lambda: len(silent.members()) > 1, NOT_FOUND_FOR_S, "meeting nobody")
    silent.end()
    silent.start("--mdns", "on")
    wait_connected(first, second, silent, timeout=FOUND_WITHIN_S)


def test_a_node_of_another_network_is_asked_and_left_alone(host_on_lan, make_node):
    first = start(make_node("first", host_on_lan("first")))
    other = make_node("other", host_on_lan("other"))
    other.start("-dnc", "another:correct horse battery", "-rc", f"{ADMIN}:{PRIVATE_PASSWORD}",
                "--log-level", "debug")
    wait_until(lambda: "proved no membership" in other.log, FOUND_WITHIN_S, "being asked")
    second = start(make_node("second", host_on_lan("second")))
    wait_connected(first, second, timeout=FOUND_WITHIN_S)
    assert len(first.members()) == 2
    asked = [line for line in other.log.splitlines() if "proved no membership" in line and first.peer_id in line]
    assert len(asked) == 1
    assert "warning" not in other.log, "whoever looks for his own network does no wrong"


def test_a_program_that_keeps_the_port_to_itself_does_no_harm(host_on_lan, make_node):
    host = host_on_lan("host")
    with host.entered():
        occupant = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with contextlib.closing(occupant):
        occupant.bind(("0.0.0.0", GROUP[1]))
        node = start(make_node("node", host))
        assert "another program keeps UDP port 5353 to itself" in node.log


def member_of_group(host):
    """A socket that hears and says what multicast DNS does."""
    with host.entered():
        member = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        member.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        member.bind(GROUP)
        own = socket.inet_aton(host.address)
        joined = socket.inet_aton(GROUP[0]) + own
        member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
        member.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
    return member


def rubbish():
    """Messages that no decent host sends: cut, too long, with circles of pointers, with 8000 empty texts."""
    yield b""
    yield QUESTION[:-3]
    yield struct.pack(">6H", 0, 0, 1, 0, 0, 0) + b"\xc0\x0c\0\x0c\0\x01"
    yield struct.pack(">6H", 0, 0x8400, 0, 1, 0, 0) + b"\0\0\x10\0\x01" + struct.pack(">IH", 9, 8000) + bytes(8000)
    yield struct.pack(">6H", 0, 0, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF)
    yield bytes(20000)


def test_a_flood_on_the_lan_gets_an_answer_a_second_and_harms_nobody(host_on_lan, make_node):
    node = start(make_node("node", host_on_lan("node")))
    hostile = host_on_lan("hostile")
    seconds = 4
    answers = 0
    with contextlib.closing(member_of_group(hostile)) as flood:
        flood.setblocking(False)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for message in (QUESTION, *rubbish()):
                flood.sendto(message, GROUP)
            with contextlib.suppress(BlockingIOError):
                while True:
                    message, (sender, _) = flood.recvfrom(65536)
                    answers += sender == node.host.address and message[2] == ANSWER
            time.sleep(0.01)
    assert 1 <= answers <= seconds + 1
    second = start(make_node("second", host_on_lan("second")))
    wait_connected(node, second, timeout=FOUND_WITHIN_S)
