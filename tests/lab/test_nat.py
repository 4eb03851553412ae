"""Each kind of NAT maps and filters as its description says, over TCP and UDP."""

import contextlib
import socket

import pytest

from lab import service
from lab.dns import DnsServer
from lab.reflector import Reflector, ask
from lab.service import Service
from lab.topology import KINDS, SAME_NAT

PORT = 7000
PORTS = (443, 8443)
SHIFTED_PORT = 7000 ^ 0x2000
# Packets take microseconds here; what did not come in this time was dropped.
SOON_S = 0.4
PROTOCOLS = pytest.mark.parametrize(
    "protocol", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["tcp", "udp"])


class Site:
    """A host behind a NAT, and two servers, of which the host talks to the first only."""

    def __init__(self, lab, description):
        self.machines = lab.build(f"server | stranger | {description} > host")
        self.host, self.router = self.machines["host"], self.machines["router"]
        self.server, self.stranger = self.machines["server"], self.machines["stranger"]

    def open(self, host, protocol, port, listening=False):
        with host.entered():
            made = socket.socket(socket.AF_INET, protocol)
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            made.setsockopt(socket.SOL_SOCKET, option, 1)
        made.settimeout(SOON_S)
        made.bind(("0.0.0.0", port))
        if listening and protocol == socket.SOCK_STREAM:
            made.listen()
        return made

    def endpoint(self, protocol, server, server_port, port=PORT, host=None):
        """As which the host's port is seen by a server's port."""
        with Reflector(server, server_port) as reflector, self.open(host or self.host, protocol, port) as own:
            return ask(own, reflector.endpoint())

    def passes(self, protocol, sender, sender_port, endpoint, host=None):
        """Whether the host's port gets what a sender's port sends to that endpoint."""
        with (self.open(host or self.host, protocol, PORT, listening=True) as own,
              self.open(sender, protocol, sender_port) as other):
            try:
                if protocol == socket.SOCK_STREAM:
                    other.connect(endpoint)
                    own.accept()[0].close()
                else:
                    other.sendto(b"?", endpoint)
                    own.recv(16)
            except OSError:
                return False
            return True


def endpoints(site, protocol):
    """As which one port of the host is seen by two ports of each of the two servers."""
    return [site.endpoint(protocol, server, port) for server in (site.server, site.stranger) for port in PORTS]


@PROTOCOLS
@pytest.mark.parametrize("kind, port", [
    ("full-cone", PORT), ("full-cone+shift", SHIFTED_PORT),
    ("port-restricted", PORT), ("port-restricted+shift", SHIFTED_PORT),
])
def test_all_destinations_see_one_port(lab, kind, port, protocol):
    site = Site(lab, f"router:{kind}")
    assert set(endpoints(site, protocol)) == {(site.router.address, port)}


@PROTOCOLS
def test_behind_a_symmetric_nat_each_destination_sees_another_port(lab, protocol):
    site = Site(lab, "router:symmetric")
    addresses, ports = zip(*endpoints(site, protocol))
    assert set(addresses) == {site.router.address}
    assert len(set(ports)) == len(ports)


@PROTOCOLS
@pytest.mark.parametrize("kind", ["full-cone", "full-cone+shift"])
def test_a_full_cone_lets_everybody_use_a_mapping(lab, kind, protocol):
    site = Site(lab, f"router:{kind}")
    seen_as = site.endpoint(protocol, site.server, PORTS[0])
    assert site.passes(protocol, site.server, PORTS[1], seen_as)
    assert site.passes(protocol, site.stranger, PORTS[0], seen_as)


@PROTOCOLS
def test_a_full_cone_lets_nothing_in_where_there_is_no_mapping(lab, protocol):
    site = Site(lab, "router:full-cone")
    site.endpoint(protocol, site.server, PORTS[0], port=PORT + 1)
    assert not site.passes(protocol, site.stranger, PORTS[0], (site.router.address, PORT))
    site.endpoint(protocol, site.server, PORTS[0])
    assert site.passes(protocol, site.stranger, PORTS[0], (site.router.address, PORT))


@PROTOCOLS
def test_a_mapping_of_a_full_cone_is_the_hosts_that_made_it_first(lab, protocol):
    site = Site(lab, "router:full-cone")
    second = lab.private_host("second", behind=site.router)
    seen_as = site.endpoint(protocol, site.server, PORTS[0])
    assert site.endpoint(protocol, site.stranger, PORTS[0], host=second) == seen_as
    assert site.passes(protocol, site.stranger, PORTS[1], seen_as)
    assert not site.passes(protocol, site.stranger, PORTS[1], seen_as, host=second)


@PROTOCOLS
@pytest.mark.parametrize("kind", ["port-restricted", "port-restricted+shift", "symmetric"])
def test_others_let_only_the_asked_port_answer(lab, kind, protocol):
    site = Site(lab, f"router:{kind}")
    seen_as = site.endpoint(protocol, site.server, PORTS[0])
    assert not site.passes(protocol, site.server, PORTS[1], seen_as)
    assert not site.passes(protocol, site.stranger, PORTS[0], seen_as)


@PROTOCOLS
def test_two_hosts_that_call_one_server_from_one_port_are_told_apart(lab, protocol):
    site = Site(lab, "router:port-restricted")
    second = lab.private_host("second", behind=site.router)
    with Reflector(site.server, PORTS[0]) as reflector:
        with (site.open(site.host, protocol, PORT) as one, site.open(second, protocol, PORT) as other):
            seen = [ask(own, reflector.endpoint()) for own in (one, other)]
    assert seen[0] == (site.router.address, PORT)
    assert seen[1][0] == site.router.address
    assert seen[1][1] != PORT


@pytest.mark.parametrize("kind", ["full-cone", "port-restricted", "symmetric", "udp-blocked", "only-443"])
@pytest.mark.parametrize("option, expected", [("", TimeoutError), ("+refuse", ConnectionRefusedError)],
                         ids=["dropping", "refusing"])
def test_a_call_that_nobody_asked_for(lab, kind, option, expected):
    site = Site(lab, f"router:{kind}{option}")
    with pytest.raises(expected):
        service.connect(site.stranger, (site.router.address, PORT), timeout=SOON_S)


@PROTOCOLS
@pytest.mark.parametrize("option, passes", [("", False), ("+hairpin", True), ("+hairpin+shift", True)])
def test_hosts_of_one_lan_meet_under_their_outer_addresses_by_hairpin_alone(lab, option, passes, protocol):
    site = Site(lab, f"router:full-cone{option}")
    beside = lab.private_host("beside", behind=site.router)
    seen_as = site.endpoint(protocol, site.server, PORTS[0])
    assert site.passes(protocol, beside, PORTS[0], seen_as) is passes


def test_a_hairpin_shows_the_outer_address_and_port(lab):
    site = Site(lab, "router:full-cone+hairpin+shift")
    beside = lab.private_host("beside", behind=site.router)
    seen_as = site.endpoint(socket.SOCK_DGRAM, site.server, PORTS[0])
    with (site.open(site.host, socket.SOCK_DGRAM, PORT) as own,
          site.open(beside, socket.SOCK_DGRAM, PORT + 1) as other):
        other.sendto(b"?", seen_as)
        assert own.recvfrom(16)[1] == (site.router.address, (PORT + 1) ^ 0x2000)


@PROTOCOLS
def test_behind_two_nats_the_outer_one_is_seen(lab, protocol):
    made = lab.build("server | carrier > router > host")
    assert made["router"].address.startswith("100.64.")
    with Reflector(made["server"], PORTS[0]) as reflector, made["host"].entered():
        with socket.socket(socket.AF_INET, protocol) as own:
            own.settimeout(SOON_S)
            assert ask(own, reflector.endpoint())[0] == made["carrier"].address


def answered(host, protocol, reflector):
    with host.entered():
        own = socket.socket(socket.AF_INET, protocol)
    with own, contextlib.suppress(OSError):
        own.settimeout(SOON_S)
        return bool(ask(own, reflector.endpoint()))
    return False


@pytest.mark.parametrize("kind, expected", [
    ("public", {"tcp 443", "tcp 8443", "udp 443", "udp 8443"}),
    ("udp-blocked", {"tcp 443", "tcp 8443"}),
    ("only-443", {"tcp 443"}),
])
def test_what_gets_out(lab, kind, expected):
    server, host = lab.public_host("server"), lab.host_behind(kind)
    got = set()
    for port in PORTS:
        with Reflector(server, port) as reflector:
            for name, protocol in (("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)):
                if answered(host, protocol, reflector):
                    got.add(f"{name} {port}")
    assert got == expected


@pytest.mark.parametrize("kind", ["udp-blocked", "only-443"])
def test_names_are_found_behind_every_nat(lab, kind):
    server, host = lab.public_host("server"), lab.host_behind(kind)
    host.replace_file("/etc/resolv.conf", f"nameserver {server.address}\n")
    with DnsServer(server, {("somebody.example", "A"): ["192.0.2.1"]}):
        assert host.run(["getent", "ahostsv4", "somebody.example"]).stdout.startswith("192.0.2.1 ")


@pytest.mark.parametrize("option, expected", [("", TimeoutError), ("+refuse", ConnectionRefusedError)])
def test_a_firewall_lets_only_answers_in_over_both_versions(lab, option, expected):
    made = lab.build(f"public | walled:firewall{option}")
    public, walled = made["public"], made["walled"]
    for own, other in ((walled.address, public.address), (walled.address6, public.address6)):
        with Service(walled, (own, PORT), lambda _: None), Service(public, (other, PORT), service.echo):
            with pytest.raises(expected):
                service.connect(public, (own, PORT), timeout=SOON_S)
            with service.connect(walled, (other, PORT)) as connection:
                connection.sendall(b"hello")
                assert connection.recv(16) == b"hello"


def test_an_ipv6_only_host_has_no_way_to_ipv4(lab):
    public, host = lab.public_host("public"), lab.host_behind("ipv6-only")
    assert host.address is None
    with Service(public, ("::", PORT), service.echo):
        service.connect(host, (public.address6, PORT)).close()
        with pytest.raises(OSError, match="unreachable"):
            service.connect(host, (public.address, PORT))


def test_every_kind_of_host_can_be_had_by_its_name(lab):
    hosts = {kind: lab.host_behind(kind) for kind in KINDS}
    assert [kind for kind in KINDS if hosts[kind].router is None] == ["public", "firewall", "ipv6-only"]
    assert hosts["double-nat"].router.router.name == "double-nat-carrier"
    beside = lab.host_behind(SAME_NAT, beside=hosts["symmetric"])
    assert beside.router is hosts["symmetric"].router
    with pytest.raises(ValueError, match="no kind of host is 'fullcone': there are public, full-cone"):
        lab.host_behind("fullcone")
    with pytest.raises(ValueError, match="same-nat needs a host behind a router"):
        lab.host_behind(SAME_NAT, beside=hosts["public"])
