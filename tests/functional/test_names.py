"""Peers that are known by name: how they are found, and what a failing DNS server costs."""

import time

import pytest

from lab import service
from lab.dns import DnsServer
from lab.node import bootstrap_string, wait_until
from lab.service import Service
from overlay import (
    SOMEBODY_ELSE, found, ingress, join, rule_of, wait_connected, wait_reason,
)

NAME = "public.example"
P2P_PORT = 1985


def bootstrap_of(peer_id, *addresses):
    return bootstrap_string({"id": peer_id, "connect_multiadress": list(addresses)})


def uses(host, server):
    """From now on, processes on `host` ask the DNS server on the host `server`."""
    host.replace_file("/etc/resolv.conf", f"nameserver {server.address}\n")


@pytest.fixture
def hosts(lab):
    """A public host, a private one behind NAT, and one for DNS, which nobody asks yet."""
    return (lab.public_host("public"), lab.private_host("private", behind=lab.router("router")),
            lab.public_host("dns"))


def test_a_node_joins_by_a_name_in_its_hosts_file(hosts, make_node):
    public_host, private_host, _ = hosts
    private_host.replace_file("/etc/hosts", f"127.0.0.1 localhost\n{public_host.address} {NAME}\n")
    public = found(make_node("public", public_host))
    private = make_node("private", private_host)
    join(private, bootstrap_of(public.peer_id, f"/dns4/{NAME}/tcp/{P2P_PORT}"))
    wait_connected(public, private)


def test_a_name_that_a_node_announces_is_all_that_another_needs(hosts, make_node):
    public_host, private_host, dns_host = hosts
    uses(private_host, dns_host)
    with DnsServer(dns_host, {(NAME, "A"): [public_host.address]}) as server:
        announced = f"/dns4/{NAME}/tcp/{P2P_PORT}"
        public = found(make_node("public", public_host), "--announce", announced)
        told = public.client_json("identity")["connect_multiadress"]
        assert told == [f"{announced}/p2p/{public.peer_id}"]
        private = join(make_node("private", private_host), public.bootstrap)
        wait_connected(public, private)
        assert NAME in server.questions


def test_a_dnsaddr_leads_to_the_peer_and_only_to_it(hosts, make_node):
    public_host, private_host, dns_host = hosts
    uses(private_host, dns_host)
    public = found(make_node("public", public_host))
    records = {
        (f"_dnsaddr.{NAME}", "TXT"): [
            "no address at all",
            f"dnsaddr=/dns4/other.example/tcp/{P2P_PORT}/p2p/{SOMEBODY_ELSE}",
            f"dnsaddr=/dnsaddr/{NAME}/p2p/{public.peer_id}",
            f"dnsaddr=/dns4/{NAME}/tcp/{P2P_PORT}/p2p/{public.peer_id}",
        ],
        (NAME, "A"): [public_host.address],
    }
    with DnsServer(dns_host, records) as server:
        private = join(make_node("private", private_host),
                       bootstrap_of(public.peer_id, f"/dnsaddr/{NAME}"))
        wait_connected(public, private)
        assert "other.example" not in server.questions


def test_a_dns_server_that_never_answers_holds_up_nothing_else(hosts, make_node):
    public_host, private_host, dns_host = hosts
    uses(private_host, dns_host)
    public = found(make_node("public", public_host))
    with DnsServer(dns_host, None) as server:
        private = make_node("private", private_host)
        began = time.monotonic()
        join(private, ",".join((
            bootstrap_of(SOMEBODY_ELSE, f"/dns4/never.example/tcp/{P2P_PORT}"),
            bootstrap_of(public.peer_id, f"/dns4/{NAME}/tcp/{P2P_PORT}",
                         f"/ip4/{public_host.address}/tcp/{P2P_PORT}"),
        )))
        wait_connected(public, private, timeout=4)
        assert time.monotonic() - began < 6
        wait_until(lambda: "never.example" in server.questions, 10, "a question")
        # The next look-up of that name is under way, and the node is as quick as ever.
        asked = len(server.questions)
        wait_until(lambda: len(server.questions) > asked, 20, "another question")
        began = time.monotonic()
        assert private.api("GET", "/health")[0] == 200
        assert time.monotonic() - began < 1
        assert private.end(timeout=3) == 0


def test_a_name_that_appears_later_is_found_then(hosts, make_node):
    public_host, private_host, dns_host = hosts
    uses(private_host, dns_host)
    public = found(make_node("public", public_host))
    records = {}
    with DnsServer(dns_host, records) as server:
        private = join(make_node("private", private_host),
                       bootstrap_of(public.peer_id, f"/dns4/{NAME}/tcp/{P2P_PORT}"))
        wait_until(lambda: NAME in server.questions, 10, "a question")
        assert private.online() == {private.peer_id}
        records[NAME, "A"] = [public_host.address]
        wait_connected(public, private, timeout=20)


def test_a_service_whose_name_is_never_answered_holds_up_no_other_service(hosts, make_node):
    _, private_host, dns_host = hosts
    uses(private_host, dns_host)
    private_host.replace_file("/etc/hosts", "127.0.0.1 localhost service.example\n")
    with DnsServer(dns_host, None) as server:
        node = found(make_node("private", private_host))
        ingress(node, SOMEBODY_ELSE, 81, "--to", "never.example:81")
        wait_until(lambda: "never.example" in server.questions, 5, "a question")
        with Service(private_host, ("127.0.0.1", 82), service.echo):
            ingress(node, SOMEBODY_ELSE, 82, "--to", "service.example:82")
            wait_until(lambda: rule_of(node, "ingress", 82)["state"] == "up", 4, "seeing the service")
        wait_reason(node, "ingress", 81, "OC-3105", timeout=15)
        assert node.end(timeout=3) == 0
