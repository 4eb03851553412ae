"""Floods of yamux frames and streams: section 3 of README.md's table."""

import pytest

from stage import MEMBER, MIB, soak

# One connection's unread bytes, and what holding them takes beside.
ONE_CONNECTION_AT_MOST = 80 * MIB
TINY_FRAMES_AT_MOST_S = 2

security = pytest.mark.parametrize("security", ["noise", "tls"])


@security
@pytest.mark.parametrize("frame", ["ping", "syn", "syn-reset"])
def test_a_flood_that_is_never_read_is_cut(stage, frame, security):
    """CVE-2024-32984: queued replies are bounded, then the connection ends."""
    with stage.watched():
        seen = stage.attack("flood", "--frame", frame, "--seconds", 5, "--security", security)
    assert seen["cut"] and not seen["taken"]


@pytest.mark.parametrize("frame", ["syn-reset", "colliding"])
def test_a_reset_flood_is_cut_though_its_answers_are_read(stage, frame):
    """The class of CVE-2023-44487; ids that meet in a table of a power of two (tentacle#437)."""
    with stage.watched() as toll:
        seen = stage.attack("flood", "--frame", frame, "--read", "yes", "--count", soak(100_000, 60_000_000),
                            "--seconds", soak(5, 60))
    assert seen["cut"]
    assert toll.processor_s < 2


@pytest.mark.parametrize("frame", ["ping", "window-update", "empty-data"])
def test_frames_at_line_rate_leave_the_honest_their_turn(stage, frame):
    """tentacle#437: nothing of them is kept."""
    with stage.watched():
        stage.attack("flood", "--frame", frame, "--read", "yes", "--count", soak(1_000_000, 60_000_000),
                     "--seconds", soak(5, 60))


@pytest.mark.parametrize("who", [[], MEMBER], ids=["stranger", "member"])
def test_streams_opened_and_ended_without_acknowledgement_leave_nothing(stage, who):
    """hashicorp/yamux#26, #28: ten thousand, and the next one still works."""
    with stage.watched():
        seen = stage.attack("open-close", "--count", soak(10_000, 1_000_000), *who, timeout=soak(120, 3600))
    assert seen["served"] or seen["cut"]
    assert seen["opened"] >= soak(10_000, 1_000_000) or seen["cut"]


@pytest.mark.parametrize("who", [[], MEMBER], ids=["stranger", "member"])
def test_windows_that_are_filled_and_not_consumed_are_bounded_together(stage, who):
    """Window abuse: a thousand streams of 256 KiB each."""
    with stage.watched(peak=ONE_CONNECTION_AT_MOST):
        stage.attack("fill-windows", "--streams", 1000, "--seconds", 3, *who)


@security
def test_a_mebibyte_in_one_byte_frames_is_cheap(stage, security):
    """1-byte frames: twelve bytes of header for each."""
    with stage.watched() as toll:
        seen = stage.attack("tiny-frames", "--security", security)
    assert seen["echoed"] >= MIB
    assert toll.processor_s < TINY_FRAMES_AT_MOST_S
