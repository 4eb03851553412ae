"""The laboratory itself, proven with plain sockets and tools before any node runs in it."""

import socket

import pytest

from lab import fault, nat, service
from lab.dns import DnsServer
from lab.service import FileServer, Service
from lab.terminal import Terminal
from lab.topology import ROUTABLE, Lab

PORT = 7000


@pytest.fixture
def homes(lab):
    """A public host, and two routers with a private host behind each."""
    public = lab.public_host("public")
    first = lab.private_host("first", behind=lab.router("router-1"))
    second = lab.private_host("second", behind=lab.router("router-2"))
    return public, first, second


def peer_of(connection):
    return connection.getpeername()[0]


def test_private_hosts_reach_public_ones_under_their_routers_address(homes):
    public, first, _ = homes
    with Service(public, (public.address, PORT), peer_of) as seen:
        service.connect(first, (public.address, PORT)).close()
        source = seen.result()
    assert source.startswith("192.0.2.")
    assert source not in (public.address, first.address)


def test_an_internet_may_have_addresses_that_are_routed_in_earnest(world):
    with Lab(internet=ROUTABLE) as lab:
        public, private = lab.public_host("public"), lab.host_behind("port-restricted", "private")
        with Service(public, (public.address, PORT), peer_of) as seen:
            service.connect(private, (public.address, PORT)).close()
            assert seen.result() == private.router.address
        assert public.address.startswith(f"{ROUTABLE}.")


def test_public_hosts_cannot_reach_private_ones(homes):
    public, first, _ = homes
    with Service(first, ("0.0.0.0", PORT), peer_of):
        with pytest.raises(OSError):
            service.connect(public, (first.address, PORT), timeout=1)


@pytest.mark.parametrize("kind", [nat.port_restricted, nat.port_mapping])
def test_a_router_lets_nothing_in_that_was_not_asked_for(lab, kind):
    public = lab.public_host("public")
    router = lab.router("router", kind)
    private = lab.private_host("private", behind=router)
    with Service(private, ("0.0.0.0", PORT), peer_of):
        with pytest.raises(TimeoutError):
            service.connect(public, (router.address, PORT), timeout=1)


def test_private_networks_are_separate(homes):
    _, first, second = homes
    assert first.address != second.address
    with Service(first, ("0.0.0.0", PORT), peer_of):
        with pytest.raises(OSError):
            service.connect(second, (first.address, PORT), timeout=1)


def test_hosts_of_one_lan_reach_each_other(lab):
    router = lab.router("router")
    first, second = (lab.private_host(name, behind=router) for name in ("first", "second"))
    with Service(first, ("0.0.0.0", PORT), peer_of) as seen:
        service.connect(second, (first.address, PORT)).close()
        assert seen.result() == second.address


def test_public_hosts_reach_each_other_over_ipv6(lab):
    first, second = lab.public_host("first"), lab.public_host("second")
    with Service(first, ("::", PORT), peer_of) as seen:
        service.connect(second, (first.address6, PORT)).close()
        assert seen.result() == second.address6


def test_tools_run_inside_a_host(homes, tmp_path):
    public, first, _ = homes
    (tmp_path / "hello.txt").write_text("hello")
    with FileServer(public, (public.address, PORT), tmp_path):
        got = first.run(["curl", "-sS", f"http://{public.address}:{PORT}/hello.txt"])
    assert got.stdout == "hello"


def test_a_closed_service_refuses(homes):
    public, _, _ = homes
    Service(public, ("127.0.0.1", PORT), service.echo).close()
    with pytest.raises(ConnectionRefusedError):
        service.connect(public, ("127.0.0.1", PORT))


def test_a_silenced_host_neither_answers_nor_refuses_until_it_is_mended(lab):
    first, second = lab.public_host("first"), lab.public_host("second")
    with Service(first, (first.address, PORT), peer_of) as seen:
        fault.silence(first)
        for host in (first, second):  # nothing is listening on the second
            other = second if host is first else first
            with pytest.raises(TimeoutError):
                service.connect(host, (other.address, PORT), timeout=0.5)
        service.connect(first, (first.address, PORT)).close()
        assert seen.result() == first.address
        fault.mend(first)
        service.connect(second, (first.address, PORT)).close()
        assert seen.result() == second.address


def test_the_machines_own_network_is_out_of_sight(world):
    assert [name for _, name in socket.if_nameindex()] == ["lo"]


def test_a_terminal_answers_questions_in_turn():
    script = 'read -p "Name: " name; read -s -p "Password: " word; echo; test "$name/$word" = "a/b"'
    shown = Terminal(["bash", "-c", script])
    shown.answer("name:", "a")
    shown.answer("password:", "b")
    assert shown.finish() == 0
    assert "Name: a" in shown.screen
    assert "b" not in shown.screen.split("Password:")[1]


def test_a_replaced_file_is_seen_inside_one_host_only(lab):
    one, other = lab.public_host("one"), lab.public_host("other")
    before = other.run(["cat", "/etc/hosts"]).stdout
    one.replace_file("/etc/hosts", "192.0.2.1 somebody.example\n")
    assert one.run(["cat", "/etc/hosts"]).stdout == "192.0.2.1 somebody.example\n"
    assert one.run(["getent", "ahostsv4", "somebody.example"]).stdout.startswith("192.0.2.1 ")
    assert other.run(["cat", "/etc/hosts"]).stdout == before


def test_a_dns_server_answers_the_hosts_that_ask_it(lab):
    asker, answerer = lab.public_host("asker"), lab.public_host("answerer")
    asker.replace_file("/etc/resolv.conf", f"nameserver {answerer.address}\noptions timeout:1 attempts:1\n")
    with DnsServer(answerer, {("somebody.example", "A"): ["192.0.2.1"]}) as server:
        found = asker.run(["getent", "ahostsv4", "somebody.example"]).stdout
        assert found.startswith("192.0.2.1 ")
        assert asker.run(["getent", "ahostsv4", "nobody.example"], check=False).returncode != 0
        assert {"somebody.example", "nobody.example"} <= set(server.questions)
