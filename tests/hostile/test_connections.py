"""Connections, keys and records: section 1 of README.md's table."""

import pytest

from overlay import ADMIN, PUBLIC_PASSWORD
from stage import MEMBER, PEER_PORT, soak

SECURITIES = ["noise", "tls"]
CONNECTIONS_OF_A_PEER = 8
CONNECTIONS_OF_AN_ADDRESS = 16
MOST_RECORDS = 10_000
GOOD_RSA = ["2048", "8192"]
BAD_RSA = ["16384", "8193", "2047", "1024", "e1", "e65", "even"]
API_PORT = 1984


def test_many_peers_with_many_unread_streams_meet_caps(stage):
    """CVE-2022-23492, CVE-2022-23486, CVE-2022-23487: memory until the end."""
    with stage.watched():
        seen = stage.attack("sybil", "--connections", 500, "--streams", 1000, "--seconds", 3)
    assert seen["resets"] + seen["refused"] + seen["cut"] > 0
    assert seen["acks"] < 500 * 1000 / 2


@pytest.mark.parametrize("security", SECURITIES)
def test_one_peer_gets_no_more_than_its_share_of_connections(stage, security):
    """CVE-2022-23492, its cap on one peer."""
    with stage.watched():
        seen = stage.attack("one-peer", "--connections", 40, "--security", security)
    assert 0 < seen["served"] <= CONNECTIONS_OF_A_PEER


def test_one_address_gets_no_more_than_its_share_of_connections(stage):
    """CVE-2022-23492, its cap on one source of ever new peers."""
    with stage.watched():
        seen = stage.attack("sybil", "--connections", 100, "--streams", 1, "--seconds", 1,
                            host=stage.attacker)
    assert 0 < seen["opened"] <= CONNECTIONS_OF_AN_ADDRESS
    assert seen["refused"] == 100 - seen["opened"]


@pytest.mark.parametrize("fault", BAD_RSA)
def test_a_strange_rsa_key_is_refused_before_it_costs_anything(stage, fault):
    """CVE-2023-39533, in the Noise payload and the TLS extension."""
    with stage.watched() as toll:
        noise = stage.attack("rsa-key", "--case", fault, "--count", 20)
        tls = stage.attack("certificate", "--case", f"rsa:{fault}")
    assert noise["served"] == 0
    assert tls["cut"] and not tls["taken"]
    assert toll.processor_s < 0.5


@pytest.mark.parametrize("place", ["identify", "envelope"])
def test_a_strange_rsa_key_in_identify_costs_nothing_and_the_peer_is_still_served(stage, place):
    """CVE-2023-39533, in identify's public key and in the envelope of its record."""
    with stage.watched() as toll:
        for fault in BAD_RSA:
            seen = stage.attack("rsa-key", "--case", fault, "--place", place, "--count", 5)
            assert seen["served"] == 5
    assert toll.processor_s < 1


@pytest.mark.parametrize("size", GOOD_RSA)
def test_an_rsa_key_within_the_bounds_is_taken(stage, size):
    """CVE-2023-39533: what must go on working."""
    with stage.watched():
        assert stage.attack("rsa-key", "--case", size)["served"] == 1
        assert stage.attack("certificate", "--case", f"rsa:{size}")["taken"]


def test_signed_records_of_other_peers_are_not_kept(stage):
    """CVE-2023-40583: valid envelopes of ever new keys."""
    with stage.watched():
        seen = stage.attack(
            "foreign-records", "--count", soak(2000, 1_000_000), timeout=soak(120, 7200))
    assert seen["sent"] >= soak(2000, 1_000_000)
    assert len(stage.victim.members()) == 2


def test_members_that_a_member_invents_are_counted(own_stage):
    """CVE-2023-40583, where records of others are meant to be kept: the network's members."""
    with own_stage.watched(settle=False):
        own_stage.attack("member-records", "--count", soak(MOST_RECORDS + 2000, 1_000_000), *MEMBER,
                         timeout=soak(120, 7200))
    session = own_stage.victim.session(ADMIN, PUBLIC_PASSWORD)
    _, page = own_stage.victim.api("GET", "/api/v1/federation/nodes/list?limit=1", session=session)
    # The node itself is always among them.
    assert MOST_RECORDS <= page["total_rows"] <= MOST_RECORDS + 1


@pytest.mark.parametrize("transport", ["ip4-noise", "ip4-tls", "ip6-noise", "api"])
def test_garbage_half_handshakes_and_silence_cost_nothing_for_good(stage, transport):
    """CVE-2026-57497, on every listener."""
    victim = stage.victim.host
    where = {
        "ip4-noise": {},
        "ip4-tls": {},
        "ip6-noise": {"address": f"/ip6/{victim.address6}/tcp/{PEER_PORT}", "host": stage.attacker},
        "api": {"address": f"/ip4/127.0.0.1/tcp/{API_PORT}", "host": victim},
    }[transport]
    security = "tls" if transport.endswith("tls") else "noise"
    with stage.watched():
        seen = stage.attack("soak", "--security", security, "--seconds", soak(2, 3600),
                            timeout=soak(60, 3700), **where)
    assert seen["visits"] > 0


def test_thousands_of_addresses_of_a_peer_are_bounded(stage):
    """go-libp2p#3486, #3487, #3500: for one who is no member."""
    with stage.watched():
        assert stage.attack("many-addresses", "--count", 5000)["served"]


def test_a_members_newer_record_replaces_all_its_addresses(own_stage):
    """go-libp2p#3486, #3487, #3500: exactly one address is left."""
    with own_stage.watched(settle=False):
        seen = own_stage.attack("member-addresses", *MEMBER)
    assert seen["served"]
    row = next(r for r in own_stage.victim.members() if r["peer_id"] == seen["peer_id"])
    assert len(row["addresses"]) == 1


@pytest.mark.parametrize("security", SECURITIES)
def test_a_reset_at_any_byte_harms_nobody_else(stage, security):
    """Writes to a connection that is gone: no SIGPIPE, no closed descriptor used."""
    with stage.watched():
        seen = stage.attack("reset-mid-frame", "--last", 2500, "--step", soak(5, 1),
                            "--security", security)
    assert seen["rounds"] == 2500 / soak(5, 1)
