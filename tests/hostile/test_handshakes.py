"""Noise and TLS handshakes: section 2 of README.md's table."""

import json

import pytest

from lab import node as nodes
from stage import outcome, soak

FORGED_PAYLOADS = ["no-signature", "other-static-key", "no-prefix", "foreign-signature", "empty"]
FORGED_CERTIFICATES = [
    "no-extension", "two-extensions", "wrong-oid", "trailing-bytes", "empty-extension",
    "foreign-signature", "other-certificate", "no-prefix", "critical-extension", "expired",
    "not-yet-valid", "other-signer", "two-certificates", "no-certificate", "explicit-curve",
    "endless-curve", "rsa-certificate:1024", "rsa-certificate:16384",
]
# Processor time of the victim for one hostile certificate, the handshake around it included.
CERTIFICATE_AT_MOST_S = 0.05
HONEST_SHARE_S = 0.1


def served_by(stage, forgery):
    """What a listening hostile peer with a forged certificate saw of the victim that dialed it."""
    process = stage.start("serve-certificate", "--case", forgery,
                          address=f"/ip4/{stage.attacker.address}/tcp/1")
    at = json.loads(process.stdout.readline())
    address = f"/ip4/{stage.attacker.address}/tcp/{at['port']}/p2p/{at['id']}"
    described = {"id": at["id"], "connect_multiadress": [address]}
    stage.victim.client("register", "--b64", nodes.bootstrap_string(described))
    seen = outcome(process)
    assert seen["dialed"] and seen["spoken"]
    return seen


@pytest.mark.parametrize("payload", FORGED_PAYLOADS)
def test_a_noise_payload_that_proves_nothing_is_refused(stage, payload):
    """dotnet-libp2p#192, CVE-2022-24759; in both roles: NoiseForgery in src/p2p/upgrade/noise_test.cpp."""
    with stage.watched():
        seen = stage.attack("noise-payload", "--case", payload)
    assert seen["cut"] and not seen["served"]


def test_the_forgers_tools_make_honest_handshakes_too(stage):
    """What the refusals of this file are worth."""
    with stage.watched():
        assert stage.attack("noise-payload", "--case", "honest")["served"]
        assert stage.attack("certificate", "--case", "honest")["taken"]
        assert served_by(stage, "honest")["taken"]


@pytest.mark.parametrize("forgery", FORGED_CERTIFICATES)
def test_a_visitors_forged_certificate_is_refused(stage, forgery):
    """GHSA-5hq8-qhww-jm7q, CVE-2022-0778: closed, not aborted, and at no cost."""
    with stage.watched() as toll:
        seen = stage.attack("certificate", "--case", forgery)
    assert seen["cut"] and not seen["taken"]
    # The honest member's echoes and pings are in it, too.
    assert toll.processor_s < CERTIFICATE_AT_MOST_S + HONEST_SHARE_S


# TLS has no server without a certificate.
@pytest.mark.parametrize("forgery", [f for f in FORGED_CERTIFICATES if f != "no-certificate"])
def test_a_dialed_peers_forged_certificate_is_refused(stage, forgery):
    """GHSA-5hq8-qhww-jm7q, CVE-2022-0778: the same when the victim is the TLS client."""
    with stage.watched():
        seen = served_by(stage, forgery)
    assert seen["cut"] and not seen["taken"]


def test_a_certificate_that_says_authority_is_taken_or_refused_in_peace(stage):
    """GHSA-5hq8-qhww-jm7q: basicConstraints break no rule of libp2p."""
    with stage.watched():
        seen = stage.attack("certificate", "--case", "authority")
    assert seen["cut"] != seen["taken"]


def test_every_cut_of_the_signed_key_is_refused(stage):
    """GHSA-5hq8-qhww-jm7q: truncated at each byte."""
    with stage.watched():
        seen = stage.attack("truncated-extensions")
    assert seen["taken"] == []
    assert seen["cut"] == seen["size"]


@pytest.mark.parametrize("security", ["noise", "tls"])
def test_handshakes_leave_nothing_behind(stage, security):
    """CVE-2022-1473, CVE-2024-2511: ever new certificates, on one context."""
    count = soak(1500, 1_000_000)
    with stage.watched():
        seen = stage.attack("handshakes", "--count", count, "--security", security,
                            timeout=soak(120, 7200))
    # The rest is over what the addresses may have in a second.
    assert seen["done"] >= count * 0.9


def test_an_older_tls_and_so_renegotiation_is_refused(stage):
    """CVE-2016-6304: what can be renegotiated is not spoken."""
    with stage.watched():
        seen = stage.attack("tls-hello", "--case", "old-version")
    assert seen["cut"] and not seen["handshake"]


def test_a_status_request_of_64_kib_is_bounded(stage):
    """CVE-2016-6304."""
    with stage.watched():
        seen = stage.attack("tls-hello", "--case", "status-request")
    assert seen["cut"] != seen["taken"]


def test_a_flood_of_key_updates_is_cut(stage):
    """What TLS 1.3 has in the place of renegotiation: each asks for one of ours, none is read."""
    with stage.watched():
        seen = stage.attack("key-updates", "--count", soak(20_000, 1_000_000))
    assert seen["handshake"] and seen["cut"]


def test_nothing_can_be_resumed_and_no_early_data_sent(stage):
    """0-RTT replay."""
    with stage.watched():
        seen = stage.attack("tls-tickets")
    assert seen["taken"]
    assert seen["tickets"] == 0 and seen["early_data"] == 0
