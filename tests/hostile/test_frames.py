"""Single yamux frames: section 3 of README.md's table."""

import pytest

PROTOCOL_ERROR = 1
# A decision, not a time-out.
AT_ONCE_MS = 1000

security = pytest.mark.parametrize("security", ["noise", "tls"])


def cut_for_violation(seen):
    return seen["cut"] and seen["go_away"] == PROTOCOL_ERROR and seen["after_ms"] < AT_ONCE_MS


@security
def test_a_syn_with_more_than_a_window_is_a_violation(stage, security):
    """CVE-2026-32314."""
    with stage.watched():
        assert cut_for_violation(stage.attack("big-syn", "--security", security))


def test_credit_that_overflows_saturates(stage):
    """CVE-2026-31814: twice 0xffffffff on one stream, which goes on."""
    with stage.watched():
        seen = stage.attack("credit-overflow")
    assert seen["echo_before"]
    assert seen["echo_after"] or cut_for_violation(seen)


@security
def test_exactly_a_window_may_be_under_way(stage, security):
    """nim-libp2p#2787: 262144 bytes, not 256000."""
    with stage.watched():
        seen = stage.attack("exact-window", "--case", "full", "--security", security)
    assert not seen["cut"] and seen["served"]


@security
def test_one_byte_more_than_a_window_is_a_violation(stage, security):
    """nim-libp2p#2787."""
    with stage.watched():
        assert cut_for_violation(
            stage.attack("exact-window", "--case", "over", "--security", security))


@pytest.mark.parametrize("header", ["version-1", "type-4", "even-id", "id-zero", "second-syn"])
def test_a_header_that_the_protocol_does_not_have_is_a_violation(stage, header):
    """nim-libp2p#2787, tentacle#441."""
    with stage.watched():
        assert cut_for_violation(stage.attack("odd-header", "--case", header))


@pytest.mark.parametrize("stream", ["never-opened", "of-the-node", "reset", "finished"])
def test_four_gigabytes_for_a_stream_that_is_not_there_are_not_drained(stage, stream):
    """Data for an unknown stream, of length 0xffffffff: refused by its header, without a storm of resets."""
    with stage.watched():
        seen = stage.attack("dead-stream-data", "--case", stream)
    assert cut_for_violation(seen)
    assert seen["resets"] <= 1


def test_data_behind_the_end_of_a_stream_is_dropped(stage):
    """go-yamux and rust-yamux take it: a writer of the peer that lost the race against the end."""
    with stage.watched():
        seen = stage.attack("late-data")
    assert seen["finished"] and not seen["cut"] and seen["served"]


def test_acknowledgements_of_nothing_are_ignored(stage):
    """tentacle#416: twice over, and for streams that nobody opened."""
    with stage.watched():
        seen = stage.attack("stray-acks")
    assert seen["asked"] and not seen["cut"] and seen["served"]
