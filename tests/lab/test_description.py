"""The language in which a topology is one line."""

import pytest

from lab.description import DescriptionError, parse
from lab.line import Line
from lab.machine import Host, Router


def test_sites_are_on_the_internet_and_routers_before_what_is_behind_them():
    first, second = parse("public | carrier > home:symmetric > alice, bob:firewall")
    assert [host.name for host in first.hosts] == ["public"]
    assert first.routers == ()
    assert [(router.name, router.kind) for router in second.routers] == [
        ("carrier", "port-restricted"), ("home", "symmetric")]
    assert [(host.name, host.kind) for host in second.hosts] == [("alice", "open"), ("bob", "firewall")]


def test_options_follow_the_kind_and_a_line_stands_in_brackets():
    site, = parse("home:full-cone+shift+hairpin [delay=30ms rate=1gbit] > alice [loss=0.01]")
    assert site.routers[0].switches == {"shift": True, "hairpin": True}
    assert site.routers[0].line == Line(delay="30ms", rate="1gbit")
    assert site.hosts[0].line == Line(loss=0.01)


@pytest.mark.parametrize("text, complaint", [
    ("", "'' is no host"),
    ("a | ", "'' is no host"),
    ("a > ", "'' is no host"),
    ("a b", "'a b' is no host: write name, name:kind"),
    ("r, s > a", "'r, s' is no router"),
    ("home:symetric > a", "router 'home' cannot be 'symetric': a router is full-cone, port-restricted,"),
    ("home > a:symmetric", "host 'a' cannot be 'symmetric': a host is open, firewall, ipv6-only"),
    ("home:symmetric+shift > a", "router 'home' has no option 'shift': symmetric has refuse"),
    ("a:ipv6-only+refuse", "host 'a' has no option 'refuse': ipv6-only has none"),
    ("home > a:ipv6-only", "host 'a' cannot be ipv6-only: a LAN has IPv4 alone"),
    ("a | home > a", "there are two machines 'a'"),
    ("a [speed=1]", "host 'a': 'speed=1' says nothing about a line; it may have delay, jitter,"),
    ("a [delay=30]", "host 'a': '30' is no number with one of the units us, ms, s"),
    ("a [rate=1mb]", "host 'a': '1mb' is no number with one of the units kbit, mbit, gbit"),
    ("a [loss=2]", "host 'a': a loss of 2.0 is not between 0 and 1"),
    ("a [loss=much]", "host 'a': could not convert string to float: 'much'"),
    ("a [delay=1ms jitter=2ms]", "host 'a': a jitter of 2ms is more than the delay of 1ms"),
    ("a [mtu=100]", "host 'a': an MTU of 100 is not between 1280 and 65521"),
])
def test_what_cannot_be_built_is_named(text, complaint):
    with pytest.raises(DescriptionError) as raised:
        parse(text)
    assert complaint in str(raised.value)


def test_machines_are_where_the_description_says(lab):
    made = lab.build("public | home > alice, bob | carrier > inner > carol")
    assert {name: type(machine) for name, machine in made.items()} == {
        "public": Host, "home": Router, "alice": Host, "bob": Host,
        "carrier": Router, "inner": Router, "carol": Host}
    assert made["public"].router is None
    assert made["alice"].router is made["bob"].router is made["home"]
    assert made["carol"].router is made["inner"]
    assert made["inner"].router is made["carrier"]
    assert made["carrier"].router is None
