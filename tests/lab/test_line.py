"""Links have the delay, loss, rate, queue and MTU that were asked for."""

import contextlib
import os
import socket
import struct
import threading
import time

import pytest

from lab import isolation, service, tap
from lab.line import Line
from lab.service import Service

PORT = 7000


@pytest.fixture
def pair(lab):
    return lab.public_host("first"), lab.public_host("second")


@contextlib.contextmanager
def bound(host, port=0, ipv6=False, timeout=1):
    """A UDP socket of the host."""
    with host.entered():
        made = socket.socket(socket.AF_INET6 if ipv6 else socket.AF_INET, socket.SOCK_DGRAM)
    with made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)
        made.bind((host.address6 if ipv6 else host.address, port))
        made.settimeout(timeout)
        yield made


def round_trips(first, second, count, ipv6=False):
    """Seconds that datagrams took there and back, after one that found the way."""
    with bound(first, ipv6=ipv6) as asking, bound(second, PORT, ipv6) as answering:
        taken = []
        for _ in range(count + 1):
            began = time.perf_counter()
            asking.sendto(b"?", answering.getsockname())
            answering.sendto(*answering.recvfrom(16))
            asking.recv(16)
            taken.append(time.perf_counter() - began)
        return sorted(taken[1:])


def arrivals(first, second, count, size):
    """[(number, seconds since the first was sent)] of what came of so many numbered datagrams."""
    with bound(first) as sending, bound(second, PORT, timeout=0.5) as receiving:
        got = []

        def receive():
            with contextlib.suppress(TimeoutError):
                while True:
                    number, = struct.unpack_from("!I", receiving.recv(size))
                    got.append((number, time.perf_counter() - began))

        thread = threading.Thread(target=receive)
        began = time.perf_counter()
        thread.start()
        for number in range(count):
            sending.sendto(struct.pack("!I", number).ljust(size), receiving.getsockname())
        thread.join()
        return got


@pytest.mark.parametrize("ipv6", [False, True], ids=["ipv4", "ipv6"])
def test_a_link_delays_packets_each_way(lab, pair, ipv6):
    assert round_trips(*pair, 3, ipv6)[-1] < 0.01
    lab.link(*pair, delay="30ms")
    taken = round_trips(*pair, 11, ipv6)
    assert taken[0] >= 0.06
    assert taken[len(taken) // 2] < 0.065


def test_jitter_spreads_the_delay_and_keeps_the_order(lab, pair):
    lab.link(*pair, delay="20ms", jitter="10ms")
    taken = round_trips(*pair, 40)
    assert 0.02 <= taken[0] < 0.036
    assert 0.036 < taken[len(taken) // 2] < 0.048
    assert taken[-1] > 0.044
    numbers = [number for number, _ in arrivals(*pair, 500, 100)]
    assert numbers == list(range(500))


def test_a_share_of_packets_is_lost_and_with_the_same_seed_the_same_ones(lab):
    made = lab.build("home > first, second")
    pair = made["first"], made["second"]
    for host in pair:  # packets of the kernel's own would be lost, too
        host.sysctl("net.ipv6.conf.default.disable_ipv6", 1)
    lost = []
    for seed in (7, 7, 8):
        link = lab.link(*pair, loss=0.1, seed=seed)
        lost.append(set(range(2000)) - {number for number, _ in arrivals(*pair, 2000, 100)})
        link.close()
    # 2000 draws of 10 %: the deviation is 13.
    assert all(135 < len(missing) < 265 for missing in lost)
    assert lost[0] == lost[1] != lost[2]


def test_a_rate_is_kept(lab, pair):
    lab.link(*pair, rate="20mbit", queue="2mb")
    size, count = 1000, 1000
    got = arrivals(*pair, count, size)
    assert len(got) == count
    # Headers of Ethernet, IP and UDP are carried, too. A machine with other work delays the last one.
    expected = count * (size + 42) * 8 / 20e6
    assert 1 <= got[-1][1] / expected < 1.2


def test_a_rate_is_kept_also_by_tcp_in_bulk(lab, pair):
    lab.link(*pair, delay="1ms", rate="200mbit")
    sent = bytes(12_000_000)
    with Service(pair[0], (pair[0].address, PORT), lambda connection: connection.sendall(sent)):
        began = time.perf_counter()
        with service.connect(pair[1], (pair[0].address, PORT)) as connection:
            assert service.receive_all(connection) == sent
        taken = time.perf_counter() - began
    # Of frames of 1514 bytes, 1448 are data.
    expected = len(sent) * 1514 / 1448 * 8 / 200e6
    assert 1 <= taken / expected < 1.5


def test_what_does_not_fit_into_the_queue_is_dropped(lab, pair):
    lab.link(*pair, rate="200kbit", queue="20kb")
    got = arrivals(*pair, 200, 958)
    # Twenty wait behind the one that is being sent, and those that come meanwhile find some room.
    assert 20 <= len(got) < 30
    assert [number for number, _ in got[:20]] == list(range(20))


def test_what_is_too_large_for_a_link_does_not_pass(lab, pair):
    lab.link(*pair, mtu=1300)
    with bound(pair[0]) as sending, bound(pair[1], PORT) as receiving:
        sending.setsockopt(socket.IPPROTO_IP, 10, 2)  # IP_MTU_DISCOVER: do not fragment
        sending.sendto(bytes(1272), receiving.getsockname())
        assert len(receiving.recv(2000)) == 1272
        with pytest.raises(OSError, match="too long"):
            sending.sendto(bytes(1273), receiving.getsockname())


def test_a_routers_way_to_the_internet_may_be_slow(lab):
    made = lab.build("public | home:symmetric [delay=20ms mtu=1400] > alice, bob")
    public = made["public"]
    assert round_trips(made["alice"], made["bob"], 3)[-1] < 0.01
    sent = bytes(200_000)
    with Service(public, (public.address, PORT), lambda connection: connection.sendall(sent)):
        service.connect(made["alice"], (public.address, PORT)).close()
        began = time.perf_counter()
        with service.connect(made["alice"], (public.address, PORT)) as connection:
            assert time.perf_counter() - began >= 0.04
            # Of packets of 1500 bytes none would arrive.
            assert service.receive_all(connection) == sent


@pytest.mark.parametrize("kind", ["public", "symmetric", "double-nat"])
def test_every_kind_of_host_may_have_a_slow_way_to_the_internet(lab, kind):
    near, far = lab.public_host("near"), lab.host_behind(kind, line=Line(delay="20ms"))
    with Service(near, (near.address, PORT), service.echo):
        service.connect(far, (near.address, PORT)).close()
        began = time.perf_counter()
        service.connect(far, (near.address, PORT)).close()
        assert 0.04 <= time.perf_counter() - began < 0.075


def test_a_link_can_be_cut_and_restored(lab, pair):
    link = lab.link(*pair, delay="1ms")
    round_trips(*pair, 1)
    link.cut()
    with pytest.raises(TimeoutError):
        round_trips(*pair, 1)
    link.restore()
    assert len(round_trips(*pair, 1)) == 1


def test_without_the_kernels_device_the_message_says_so(lab, pair, monkeypatch):
    monkeypatch.setattr(tap, "_DEVICE", "/dev/null/tun")
    with pytest.raises(isolation.Unavailable, match="no links with delay, loss or a rate: /dev/null/tun"):
        lab.link(*pair)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes device nodes")
def test_a_missing_device_node_is_made_where_one_may(lab, pair, monkeypatch):
    monkeypatch.setattr(tap, "_DEVICE", "/dev/net/no-such-device")
    lab.link(*pair, delay="10ms")
    assert round_trips(*pair, 1)[0] >= 0.02


def test_a_queue_holds_a_round_trip_unless_it_is_given():
    assert Line(delay="30ms", rate="1gbit").queue_bytes == 7_500_000
    assert Line(rate="1gbit").queue_bytes == 1_250_000
    assert Line(rate="1mbit").queue_bytes == 64_000
    assert Line(rate="1mbit", queue="10kb").queue_bytes == 10_000
