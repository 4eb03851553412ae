"""Two nodes that talk with each other, and what is between them breaks: new tunnels work soon after, and take the
direct path again once there is one.

Each case has a small internet of its own, and all run at the same time, because most of that is waiting.
"""

import concurrent.futures
import contextlib
import dataclasses
import os
import pathlib
import signal
import socket
import threading
import time

import pytest

from lab import fault, service
from lab.line import Line
from lab.node import wait_until
from lab.topology import Lab
from overlay import forward, found, join, path_of, wait_connected

MB = 1_000_000
# Until a new tunnel works: where nobody has to notice anything first, and where silence has to be noticed.
AT_ONCE_S = 10
IN_TIME_S = 15
# From when there is a direct path again until it is taken.
DIRECT_WITHIN_S = 60
# How long a path stays cut, and machines sleep: longer than any keep-alive waits.
CUT_S = 20
ASLEEP_S = 40
PORT_OF_LEFT, PORT_OF_RIGHT, PORT_OF_TRANSFER = 7001, 7002, 7003


@dataclasses.dataclass
class Times:
    """Seconds to the first new tunnel of each side, and to the direct path."""

    left: float
    right: float
    direct: float | None = None

    def __str__(self):
        direct = "" if self.direct is None else f", direct again after {self.direct:.1f} s"
        return f"new tunnels after {self.left:.1f} s and {self.right:.1f} s{direct}"


class Meeting:
    """Two nodes behind NATs, with relays in public. Each reaches an echo at the other one."""

    def __init__(self, lab, make, kind="port-restricted", relays=1, line=None):
        self._lab, self._make = lab, make
        first = found(self._node("relay-0", lab.public_host("relay-0", line=line)))
        others = [self._node(name, lab.public_host(name)) for name in (f"relay-{n}" for n in range(1, relays))]
        self.relays = [first, *(join(node, first.bootstrap) for node in others)]
        self.right = join(self._node("right", lab.host_behind(kind, "right")), first.bootstrap)
        self._kind = kind

    def _node(self, name, host):
        return self._make(name, host)

    def let_left_join(self):
        self.left = join(self._node("left", self._lab.host_behind(self._kind, "left")), self.relays[0].bootstrap)
        wait_connected(*self.relays, self.left, self.right, timeout=40)

    @contextlib.contextmanager
    def echoes(self):
        forward(self.left, self.right, PORT_OF_RIGHT)
        forward(self.right, self.left, PORT_OF_LEFT)
        with service.Service(self.right.host, ("127.0.0.1", PORT_OF_RIGHT), service.echo), \
             service.Service(self.left.host, ("127.0.0.1", PORT_OF_LEFT), service.echo):
            self.tunnels_since(time.monotonic())
            yield

    def tunnels_since(self, when, patience=2):
        """The Times of the first new tunnels; a visitor waits so many seconds for one and then tries anew."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            sides = [pool.submit(first_tunnel, node, port, when, patience)
                     for node, port in ((self.left, PORT_OF_RIGHT), (self.right, PORT_OF_LEFT))]
            return Times(*(side.result() for side in sides))

    def direct_since(self, when):
        """Seconds until both take the direct path."""
        for near, far in ((self.left, self.right), (self.right, self.left)):
            wait_until(lambda n=near, f=far: path_of(n, f).startswith("direct tcp"), DIRECT_WITHIN_S,
                       f"the direct path from {near.name}", every=0.2)
        return time.monotonic() - when

    @contextlib.contextmanager
    def talking(self):
        """There is a tunnel in use meanwhile, for as long as it lives."""
        over = threading.Event()

        def talk(visitor):
            with contextlib.suppress(OSError):
                while not over.wait(0.2):
                    visitor.sendall(b"still there?")
                    visitor.recv(100)

        with service.connect(self.left.host, ("127.0.0.1", PORT_OF_RIGHT)) as visitor:
            thread = threading.Thread(target=talk, args=(visitor,))
            thread.start()
            yield
            over.set()
            thread.join()

    @contextlib.contextmanager
    def transfer(self, size):
        """Bytes on their way from left to right: gives the Service that counts them, when a tenth has arrived."""
        begun = threading.Event()

        def count(connection):
            total = 0
            while data := connection.recv(1 << 20):
                total += len(data)
                if total >= size / 10:
                    begun.set()
            return total

        forward(self.left, self.right, PORT_OF_TRANSFER)
        with service.Service(self.right.host, ("127.0.0.1", PORT_OF_TRANSFER), count) as counter, \
             service.connect(self.left.host, ("127.0.0.1", PORT_OF_TRANSFER)) as visitor:
            writer = threading.Thread(target=send, args=(visitor, size))
            writer.start()
            assert begun.wait(60), "nothing of the transfer arrived"
            yield counter
            writer.join()


def send(visitor, size):
    with contextlib.suppress(OSError):
        for _ in range(size // MB):
            visitor.sendall(bytes(MB))
        visitor.shutdown(socket.SHUT_WR)


def works(node, port, patience):
    """Whether a new tunnel carries something there and back in so many seconds."""
    data = os.urandom(1000)
    try:
        with service.connect(node.host, ("127.0.0.1", port), timeout=patience) as visitor:
            visitor.sendall(data)
            visitor.shutdown(socket.SHUT_WR)
            return service.receive_all(visitor) == data
    except OSError:
        return False


def first_tunnel(node, port, since, patience):
    wait_until(lambda: works(node, port, patience), 60, f"a tunnel from {node.name}", every=0.1)
    return time.monotonic() - since


# What happens, and how long it may take until tunnels work


def relay_is_killed(meeting):
    """In the middle of a transfer over it; a second one stands by."""
    with meeting.echoes(), meeting.transfer(200 * MB):
        path = path_of(meeting.left, meeting.right)
        began = time.monotonic()
        used = next(relay for relay in meeting.relays if relay.peer_id in path)
        used.kill()
        times = meeting.tunnels_since(began)
    assert used.peer_id not in path_of(meeting.left, meeting.right)
    return times


def relay_starts_again(meeting):
    """The only one, killed and started."""
    with meeting.echoes(), meeting.talking():
        meeting.relays[0].kill()
        meeting.relays[0].start()
        return meeting.tunnels_since(time.monotonic())


def relay_has_a_slow_link(meeting):
    """Nothing breaks, however full the link is; new tunnels wait for what is queued before them."""
    with meeting.echoes():
        with meeting.transfer(12 * MB) as counter:
            times = meeting.tunnels_since(time.monotonic(), patience=IN_TIME_S)
        assert counter.result(60) == 12 * MB
    assert "lost the connection" not in meeting.left.log + meeting.right.log
    return times


def path_is_cut(meeting):
    """The routers lose what one sends to the other; both reach the relay."""
    with meeting.echoes():
        meeting.direct_since(0)
        router = meeting.left.host.router
        with meeting.talking():
            began = time.monotonic()
            fault.part(router, meeting.right.host.router)
            times = meeting.tunnels_since(began)
            for near, far in ((meeting.left, meeting.right), (meeting.right, meeting.left)):
                assert path_of(near, far).startswith("circuit via")
            time.sleep(max(0, began + CUT_S - time.monotonic()))
        fault.rejoin(router)
        # What Linux remembers of a connection may keep out another one between the same ports for minutes.
        for node in (meeting.left, meeting.right):
            node.host.router.forget()
        times.direct = meeting.direct_since(time.monotonic())
    return times


def nat_forgets(meeting):
    """What belongs to no connection that it knows, it takes for none's from then on."""
    with meeting.echoes():
        meeting.direct_since(0)
        router = meeting.left.host.router
        router.sysctl("net.netfilter.nf_conntrack_tcp_loose", 0)
        with meeting.talking():
            began = time.monotonic()
            router.forget()
            times = meeting.tunnels_since(began)
        times.direct = meeting.direct_since(began)
    return times


def outer_address_changes(meeting):
    with meeting.echoes():
        meeting.direct_since(0)
        router = meeting.left.host.router
        old = router.address
        with meeting.talking():
            began = time.monotonic()
            router.change_address()
            times = meeting.tunnels_since(began)
        times.direct = meeting.direct_since(began)
        told = addresses_of(meeting.left, meeting.right)
        assert any(router.address in address for address in told)
        assert not any(f"/{old}/" in address for address in told)
    return times


def addresses_of(node, seen_by):
    """Those in the node's record, as another node has it."""
    return next(row["addresses"] for row in seen_by.members() if row["peer_id"] == node.peer_id)


def own_address_changes(meeting):
    """Its machine sees that at once; the other one has to notice."""
    with meeting.echoes():
        meeting.direct_since(0)
        with meeting.talking():
            began = time.monotonic()
            meeting.left.host.change_address()
            times = meeting.tunnels_since(began)
        times.direct = meeting.direct_since(began)
        new = meeting.left.host.address
        wait_until(lambda: any(new in address for address in addresses_of(meeting.left, meeting.right)), 5,
                   "the new address being told")
    return times


def asleep(meeting, *nodes):
    with meeting.echoes():
        meeting.direct_since(0)
        with meeting.talking():
            for node in nodes:
                node.process.send_signal(signal.SIGSTOP)
            time.sleep(ASLEEP_S)
            woke = time.monotonic()
            for node in nodes:
                node.process.send_signal(signal.SIGCONT)
            times = meeting.tunnels_since(woke)
        times.direct = meeting.direct_since(woke)
    return times


def one_sleeps(meeting):
    return asleep(meeting, meeting.left)


def both_sleep(meeting):
    return asleep(meeting, meeting.left, meeting.right)


@dataclasses.dataclass(frozen=True)
class Case:
    happens: object
    tunnels_within: float
    options: dict = dataclasses.field(default_factory=dict)


SLOW = Line(rate="8mbit", delay="100ms")
CASES = {case.happens.__name__: case for case in (
    Case(relay_is_killed, AT_ONCE_S, {"kind": "symmetric", "relays": 2}),
    Case(relay_starts_again, IN_TIME_S, {"kind": "symmetric"}),
    Case(relay_has_a_slow_link, IN_TIME_S, {"kind": "symmetric", "line": SLOW}),
    Case(path_is_cut, IN_TIME_S),
    Case(nat_forgets, IN_TIME_S),
    Case(outer_address_changes, IN_TIME_S, {"relays": 2}),
    Case(own_address_changes, IN_TIME_S),
    Case(one_sleeps, IN_TIME_S),
    Case(both_sleep, IN_TIME_S),
)}


@pytest.fixture(scope="module")
def outcomes(world, make_module_node):
    """{name: future Times} of all cases, which go on at once."""

    def run(name):
        case = CASES[name]
        with Lab() as lab:
            meeting = Meeting(lab, lambda side, host: make_module_node(f"{name}-{side}", host), **case.options)
            meeting.let_left_join()
            return case.happens(meeting)

    with concurrent.futures.ThreadPoolExecutor(len(CASES)) as pool:
        yield {name: pool.submit(run, name) for name in CASES}


@pytest.mark.parametrize("name", CASES)
def test_tunnels_work_again_soon(outcomes, name):
    times = outcomes[name].result()
    print(f"{name}: {times}")
    assert max(times.left, times.right) < CASES[name].tunnels_within


def test_a_node_killed_in_the_middle_of_hole_punching_leaves_nothing_behind(lab, make_node):
    meeting = Meeting(lab, make_node, kind="symmetric")
    wait_connected(meeting.relays[0], meeting.right)
    before = open_files(meeting.right)
    meeting.let_left_join()
    outside = meeting.left.host.router.address
    wait_until(lambda: dials(meeting.right, outside), 20, "a hole being punched")
    meeting.left.kill()
    wait_until(lambda: meeting.left.peer_id not in meeting.right.online(), IN_TIME_S, "noticing the death")
    wait_until(lambda: not dials(meeting.right, outside), IN_TIME_S, "the end of all dials")
    wait_until(lambda: open_files(meeting.right) <= before, IN_TIME_S, "closing all sockets")


def dials(node, address):
    """Whether the node is dialing an address."""
    return node.host.run(["ss", "-Htn", "state", "syn-sent", "dst", address]).stdout


def open_files(node):
    return len(list(pathlib.Path(f"/proc/{node.process.pid}/fd").iterdir()))


def test_a_new_address_of_the_machine_is_told_at_once_and_all_are_asked_about_anew(lab, make_node):
    first = found(make_node("first", lab.public_host("first")))
    second = join(make_node("second", lab.public_host("second")), first.bootstrap, "--log-level", "debug")
    third = join(make_node("third", lab.public_host("third")), first.bootstrap)
    wait_connected(first, second, third)
    answer = f"says of /ip4/{second.host.address}/tcp/1985: reachable"
    wait_until(lambda: second.log.count(answer) >= 2, 30, "the old address being found reachable")
    answers = second.log.count(answer)
    new = "192.0.2.222"
    second.host.ip("address", "add", f"{new}/24", "dev", "eth0")
    wait_until(lambda: any(new in address for address in addresses_of(second, first)), 2, "the new record")
    wait_until(lambda: second.log.count(answer) > answers, 15, "the old one being asked about anew")
    wait_until(lambda: f"says of /ip4/{new}/tcp/1985: reachable" in second.log, 15, "the new one being asked about")
