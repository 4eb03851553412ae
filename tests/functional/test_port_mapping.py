"""A node behind a router that maps ports is reached from outside, as long as it runs."""

import base64
import json
import socket
import struct
import threading
import time

import pytest

from lab import nat
from lab.miniupnpd import PortMapper
from lab.node import wait_until
from overlay import ADMIN, PRIVATE_PASSWORD, found, join, network_flag, wait_connected

PROTOCOLS = {"nat-pmp": {"natpmp": True}, "upnp": {"upnp": True}}


def announced(node):
    """The addresses of a node's own bootstrap string, without the peer id."""
    addresses = json.loads(base64.b64decode(node.bootstrap))["connect_multiadress"]
    return [address.split("/p2p/")[0] for address in addresses]


def mapping(node):
    return node.client_json("metrics")["port_mapping"]


def wait_mapped(node, router, port=1985):
    """Waits until the node tells the router's address as its first."""
    outside = f"/ip4/{router.address}/tcp/{port}"
    wait_until(lambda: announced(node)[0] == outside, 15, f"{node.name} telling {outside}")


class ShortLeases:
    """A NAT-PMP server of a router that grants every port for some seconds, and maps nothing.

    `asked` holds the times of the requests to map. (miniupnpd grants whatever is asked for.)
    """

    def __init__(self, router, seconds):
        self.asked = []
        self._address = socket.inet_aton(router.address)
        self._seconds = seconds
        with router.entered():
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((router.gateway, 5351))
        self._socket.settimeout(0.1)  # a blocked recvfrom() would not notice the end
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._closed.set()
        self._thread.join()
        self._socket.close()

    def _serve(self):
        while not self._closed.is_set():
            try:
                request, sender = self._socket.recvfrom(64)
            except TimeoutError:
                continue
            if len(request) == 2:
                answer = struct.pack("!BBHI4s", 0, 128, 0, 1, self._address)
            else:
                internal, external, lifetime = struct.unpack("!4xHHI", request)
                answer = struct.pack("!BBHIHHI", 0, 130, 0, 1, internal, external,
                                     min(lifetime, self._seconds))
                if lifetime:
                    self.asked.append(time.monotonic())
            self._socket.sendto(answer, sender)


@pytest.fixture
def home(lab):
    """A router that can map ports, and a host out on the internet."""
    return lab.router("router", nat.port_mapping), lab.public_host("public")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_mapped_node_is_reached_from_outside(home, lab, make_node, protocol):
    router, public_host = home
    with PortMapper(router, [public_host], **PROTOCOLS[protocol]) as mapper:
        private = found(make_node("private", lab.private_host("private", behind=router)))
        wait_mapped(private, mapper)
        assert mapping(private)["protocol"] == protocol
        # Nothing but the bootstrap string leads the public node to the private one.
        public = join(make_node("public", public_host), private.bootstrap)
        wait_connected(public, private)
        (path,) = public.client_json("metrics")["paths"]
        assert path["path"] == f"direct tcp /ip4/{mapper.address}/tcp/1985"
        assert public.client_json("metrics")["traffic"]["accepted"] == 0
        assert private.end() == 0
        assert mapper.mappings() == []


def test_two_nodes_behind_one_router_get_a_port_each(home, lab, make_node):
    router, public_host = home
    with PortMapper(router, [public_host], upnp=True) as mapper:
        first = found(make_node("first", lab.private_host("first", behind=router)))
        wait_mapped(first, mapper)
        second = found(make_node("second", lab.private_host("second", behind=router)))
        held = wait_until(lambda: mapping(second).get("external"), 15, "a port for the second")
        assert held.startswith(f"{mapper.address}:") and held != f"{mapper.address}:1985"
        assert len(mapper.mappings()) == 2
        first.end()
        wait_until(lambda: len(mapper.mappings()) == 1, 5, "removal of one mapping and not the other")
        second.end()
        assert mapper.mappings() == []


def test_a_mapping_is_renewed_before_its_lease_ends(home, lab, make_node):
    router, _ = home
    with ShortLeases(router, seconds=10) as server:
        node = found(make_node("node", lab.private_host("node", behind=router)))
        wait_until(lambda: len(server.asked) >= 3, 20, "two renewals")
        first, *renewals = server.asked
        assert all(5 <= later - earlier < 7 for earlier, later in zip(server.asked, renewals)), first
        assert mapping(node)["held"]


def test_a_router_that_comes_later_is_found_when_the_interfaces_change(home, lab, make_node):
    router, public_host = home
    host = lab.private_host("node", behind=router)
    node = found(make_node("node", host))
    wait_until(lambda: "no port mapping: " in node.log, 15, "the node giving up for now")
    with PortMapper(router, [public_host], natpmp=True) as mapper:
        host.ip("address", "add", "10.0.1.200/24", "dev", "eth0")
        wait_mapped(node, mapper)
        node.end()


def test_without_a_router_that_maps_a_node_starts_at_once_and_says_so_once(home, lab, make_node):
    router, _ = home
    node = make_node("node", lab.private_host("node", behind=router))
    begin = time.monotonic()
    node.start(*network_flag(), "-rc", f"{ADMIN}:{PRIVATE_PASSWORD}")
    assert time.monotonic() - begin < 5
    wait_until(lambda: "no port mapping: " in node.log, 15, "the node giving up for now")
    lines = [line for line in node.log.splitlines() if "mapping" in line or "router" in line]
    assert len(lines) == 1
    begin = time.monotonic()
    assert node.end() == 0
    assert time.monotonic() - begin < 2


def test_a_node_that_is_ended_while_it_asks_leaves_nothing_behind(home, lab, make_node):
    router, public_host = home
    with PortMapper(router, [public_host], natpmp=True, upnp=True) as mapper:
        node = make_node("node", lab.private_host("node", behind=router))
        node.start(*network_flag(), "-rc", f"{ADMIN}:{PRIVATE_PASSWORD}")
        assert node.end() == 0
        assert mapper.mappings() == []


def test_port_mapping_can_be_switched_off(home, lab, make_node):
    router, public_host = home
    with PortMapper(router, [public_host], natpmp=True, upnp=True) as mapper:
        node = found(make_node("node", lab.private_host("node", behind=router)),
                     "--port-mapping", "off")
        assert mapping(node) is None
        assert announced(node) == [f"/ip4/{node.host.address}/tcp/1985"]
        node.end()
        node.start()
        assert mapping(node) is None, "it is kept in the store"
        assert "request received" not in mapper.log and "M-SEARCH" not in mapper.log


def test_a_machine_with_a_public_address_asks_nobody(home, make_node):
    _, public_host = home
    node = found(make_node("node", public_host))
    assert mapping(node) == {"held": False, "error": None}
    assert "port mapping" not in node.log
