"""What happens to machines while they run: cut cables, new addresses, lost memory, reboots."""

import contextlib
import socket
import time

import pytest

from lab import service
from lab.line import Line
from lab.reflector import Reflector, ask
from lab.service import Service

PORT = 7000
SERVER_PORT = 443
SOON_S = 0.4
CABLES = pytest.mark.parametrize("line", ["", "[delay=1ms]"], ids=["wire", "link"])


def round_trip(connection, text=b"hello"):
    connection.settimeout(SOON_S)
    connection.sendall(text)
    return connection.recv(64) == text


@contextlib.contextmanager
def bound(host, port=PORT):
    """A UDP socket of the host."""
    with host.entered():
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with made:
        made.bind(("0.0.0.0", port))
        made.settimeout(SOON_S)
        yield made


@CABLES
def test_a_cut_host_is_silent_until_its_cable_is_restored(lab, line):
    made = lab.build(f"public | host {line}")
    public, host = made["public"], made["host"]
    with Service(public, (public.address, PORT), service.echo):
        with service.connect(host, (public.address, PORT)) as connection:
            assert round_trip(connection)
            host.cut()
            with pytest.raises(TimeoutError):
                round_trip(connection)
            assert "NO-CARRIER" in host.ip("link", "show", "dev", "eth0")
            host.restore()
            connection.settimeout(20)
            assert connection.recv(64) == b"hello"


@CABLES
def test_a_router_whose_cable_was_cut_remembers_its_mappings(lab, line):
    made = lab.build(f"public | router:symmetric {line} > host")
    with Reflector(made["public"], SERVER_PORT) as reflector, bound(made["host"]) as own:
        before = ask(own, reflector.endpoint())
        made["router"].cut()
        with pytest.raises(TimeoutError):
            ask(own, reflector.endpoint())
        made["router"].restore()
        own.settimeout(5)  # addresses are looked for once a second
        assert ask(own, reflector.endpoint()) == before


@pytest.mark.parametrize("happens", ["forget", "reboot"])
def test_mappings_are_others_after_a_router_forgot_them(lab, happens):
    made = lab.build("public | router:symmetric > host")
    with Reflector(made["public"], SERVER_PORT) as reflector, bound(made["host"]) as own:
        before = ask(own, reflector.endpoint())
        assert ask(own, reflector.endpoint()) == before
        getattr(made["router"], happens)()
        assert ask(own, reflector.endpoint()) != before


def test_mappings_of_udp_end_when_the_kernel_is_told_so(lab):
    made = lab.build("public | router:symmetric > host")
    made["router"].sysctl("net.netfilter.nf_conntrack_udp_timeout", 1)
    with Reflector(made["public"], SERVER_PORT) as reflector, bound(made["host"]) as own:
        before = ask(own, reflector.endpoint())
        assert ask(own, reflector.endpoint()) == before
        time.sleep(1.5)
        assert ask(own, reflector.endpoint()) != before


def test_what_a_router_forgot_is_taken_up_again_where_the_port_stays_the_same(lab):
    made = lab.build("public | home > first | random:symmetric > second")
    public = made["public"]
    with (Service(public, (public.address, PORT), service.echo),
          service.connect(made["first"], (public.address, PORT)) as lives,
          service.connect(made["second"], (public.address, PORT)) as dies):
        for connection, router in ((lives, made["home"]), (dies, made["random"])):
            assert round_trip(connection)
            router.forget()
        assert round_trip(lives)
        with pytest.raises(ConnectionResetError):
            round_trip(dies)


def test_a_full_cone_that_forgot_lets_nobody_in(lab):
    made = lab.build("public | stranger | router:full-cone > host")
    with (Reflector(made["public"], SERVER_PORT) as reflector,
          bound(made["host"]) as own, bound(made["stranger"]) as other):
        seen_as = ask(own, reflector.endpoint())
        other.sendto(b"before", seen_as)
        assert own.recv(16) == b"before"
        made["router"].forget()
        other.sendto(b"after", seen_as)
        with pytest.raises(TimeoutError):
            own.recv(16)


def test_a_router_that_is_off_is_in_nobodys_way_but_its_hosts(lab):
    made = lab.build("public | other | router > host")
    public, router = made["public"], made["router"]
    with Service(public, (public.address, PORT), service.echo):
        with router.off():
            with pytest.raises(OSError):
                service.connect(made["host"], (public.address, PORT), timeout=SOON_S)
            service.connect(made["other"], (public.address, PORT)).close()
        service.connect(made["host"], (public.address, PORT)).close()


@CABLES
def test_a_router_behind_a_carrier_finds_its_way_again_after_a_reboot(lab, line):
    made = lab.build(f"public | carrier > router {line} > host")
    with Reflector(made["public"], SERVER_PORT) as reflector, bound(made["host"]) as own:
        before = ask(own, reflector.endpoint())
        made["router"].reboot()
        assert ask(own, reflector.endpoint()) == before


@pytest.mark.parametrize("description, mover", [
    ("router > host", "router"), ("router:full-cone > host", "router"), ("router:symmetric > host", "router"),
    ("router > inner > host", "router"), ("host", "host"),
])
def test_a_machine_that_changes_its_address_is_seen_under_the_new_one(lab, description, mover):
    made = lab.build(f"public | {description}")
    with Reflector(made["public"], SERVER_PORT) as reflector, bound(made["host"]) as own:
        before = made[mover].address
        assert ask(own, reflector.endpoint())[0] == before
        made[mover].change_address()
        assert made[mover].address != before
        assert ask(own, reflector.endpoint())[0] == made[mover].address


def test_a_router_behind_a_carrier_changes_its_address_there(lab):
    made = lab.build("public | carrier > router > host")
    before = made["router"].address
    with Reflector(made["public"], SERVER_PORT) as reflector, bound(made["host"]) as own:
        made["router"].change_address()
        assert made["router"].address != before
        assert ask(own, reflector.endpoint())[0] == made["carrier"].address


def test_connections_do_not_survive_a_new_address(lab):
    made = lab.build("public | router > host")
    public = made["public"]
    with Service(public, (public.address, PORT), service.echo):
        with service.connect(made["host"], (public.address, PORT)) as connection:
            assert round_trip(connection)
            made["router"].change_address()
            with pytest.raises(OSError):
                round_trip(connection)


def test_a_network_says_when_it_has_no_address_left(lab):
    host = lab.public_host("host")
    for _ in range(244):
        host.network.take_addresses()
    with pytest.raises(RuntimeError, match="192.0.2.0/24 has no address left"):
        host.change_address()


def test_a_host_may_have_a_line_of_its_own(lab):
    host = lab.public_host("host", line=Line(mtu=1400))
    assert "mtu 1400" in host.ip("link", "show", "dev", "eth0")
