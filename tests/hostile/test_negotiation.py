"""multistream-select: section 2 of README.md's table."""

import pytest

LENGTHS = ["zero-length", "no-newline", "header-without-newline", "too-long", "2^31", "2^63",
           "ten-bytes", "not-minimal"]
HEADERS = ["http", "tls-record", "other-version", "protocol-first"]


@pytest.mark.parametrize("bytes_", HEADERS)
def test_another_header_ends_the_connection(stage, bytes_):
    """nim-libp2p#285."""
    with stage.watched():
        assert stage.attack("first-message", "--case", bytes_)["cut"]


def test_weaker_and_unknown_security_is_never_chosen(stage):
    """nim-libp2p#286: the answer is `na` to all of it."""
    with stage.watched():
        answers = stage.attack("downgrade")["answers"]
    assert set(answers) >= {"/plaintext/2.0.0", "/secio/1.0.0"}
    assert set(answers.values()) == {"na"}


@pytest.mark.parametrize("bytes_", LENGTHS)
def test_a_malformed_length_ends_the_connection_or_the_stream(stage, bytes_):
    """cpp-libp2p#229, jvm-libp2p#28, multistream-select#24."""
    with stage.watched():
        first = stage.attack("first-message", "--case", bytes_)
        inner = stage.attack("first-message", "--case", bytes_, "--place", "stream")
    assert first["cut"] and first["after_ms"] < 1000
    assert inner["stream_reset"]
    assert inner["served"]


def test_header_proposal_data_and_end_in_one_segment_lose_nothing(stage):
    """go-multistream#115, #87, #89."""
    with stage.watched():
        seen = stage.attack("one-segment")
    assert seen["whole"] and seen["finished"] and seen["served"]
