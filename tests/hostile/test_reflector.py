"""Whom a node dials for others: section 4 of README.md's table."""

import pytest

from lab.service import Service

# The statuses of autonat-v2.md.
REJECTED, REFUSED, OK = 100, 101, 200
DIAL_ERROR = 100
REQUESTS_OF_A_PEER = 12
VICTIM_PORT = 9999
SOMEBODY = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"


@pytest.fixture
def bystander(stage):
    """An address of a third party, and the list of the calls that it got."""
    calls = []
    host = stage.honest.host
    with Service(host, (host.address, VICTIM_PORT), lambda connection: calls.append(connection)):
        yield f"/ip4/{host.address}/tcp/{VICTIM_PORT}", calls


def test_nobody_is_dialed_before_all_that_was_demanded_came(stage, bystander):
    address, calls = bystander
    with stage.watched():
        seen = stage.attack("reflector", "--target", address, "--pay", "part")
    assert 30_000 <= seen["demanded"] <= 100_000
    assert seen["status"] is None
    assert not calls


def test_who_pays_gets_one_dial_and_learns_that_it_is_not_there(stage, bystander):
    address, calls = bystander
    with stage.watched():
        seen = stage.attack("reflector", "--target", address, "--pay", "all")
    assert seen["demanded"]
    assert (seen["status"], seen["dial"]) == (OK, DIAL_ERROR)
    assert len(calls) == 1


@pytest.mark.parametrize("target", [
    "/ip4/127.0.0.1/tcp/1984",
    "/ip6/::1/tcp/1984",
    "/ip4/10.0.0.1/tcp/22",
    "/ip4/169.254.169.254/tcp/80",
    "/ip4/{victim}/tcp/22",
    "/ip6/::ffff:{victim}/tcp/22",
    "/ip4/{honest}/tcp/1985/p2p/" + SOMEBODY + "/p2p-circuit",
], ids=["loopback", "loopback6", "private", "link-local", "own", "mapped", "relay"])
def test_what_is_nobodys_to_ask_for_is_refused(stage, target):
    target = target.format(victim=stage.victim.host.address, honest=stage.honest.host.address)
    with stage.watched():
        seen = stage.attack("reflector", "--target", target)
    assert seen["demanded"] is None
    assert seen["status"] == REFUSED


def test_a_peer_is_served_so_often_a_minute_and_no_more(stage):
    with stage.watched():
        seen = stage.attack("reflector-flood", "--target", "/ip4/127.0.0.1/tcp/1", "--count", "20")
    assert seen["statuses"] == [REFUSED] * REQUESTS_OF_A_PEER + [REJECTED] * (20 - REQUESTS_OF_A_PEER)
