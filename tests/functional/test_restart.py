"""What a network does when nodes die and links break: it heals, with nobody touching anything."""

import time

import pytest

from lab import service
from lab.node import wait_until
from lab.service import Service
from overlay import Pair, egress, found, ingress, join, wait_connected, wait_reason

PORT = 8080


@pytest.fixture
def own_pair(lab, make_node):
    """A pair of this test alone, with a rule for PORT on both nodes and an echo behind it."""
    public_host = lab.public_host("public")
    router = lab.router("router")
    private_host = lab.private_host("private", behind=router)
    pair = Pair(make_node("public", public_host), make_node("private", private_host))
    pair.router = router
    pair.join()
    ingress(pair.private, pair.public.peer_id, PORT)
    egress(pair.public, pair.private.peer_id, PORT)
    with Service(private_host, ("127.0.0.1", PORT), service.echo):
        assert echoes(pair)
        yield pair


def echoes(pair):
    """Whether a visitor of the public node gets its bytes back."""
    try:
        with service.connect(pair.public.host, ("127.0.0.1", PORT), timeout=3) as visitor:
            visitor.sendall(b"still there?")
            return visitor.recv(64) == b"still there?"
    except OSError:
        return False


def test_identity_and_rules_outlive_a_kill(own_pair):
    public = own_pair.public
    before = (public.peer_id, [rule["id"] for rule in public.rules()])
    public.kill()
    public.start()
    assert public.client_json("identity")["id"] == before[0]
    assert [rule["id"] for rule in public.rules()] == before[1]


@pytest.mark.parametrize("which", ["public", "private"])
def test_the_tunnel_works_again_within_ten_seconds_of_one_nodes_restart(own_pair, which):
    node = getattr(own_pair, which)
    node.kill()
    node.start()
    wait_until(lambda: echoes(own_pair), 10, "healing")


def test_a_dead_member_is_shown_offline_and_its_rule_down(own_pair):
    private_id = own_pair.private.peer_id
    own_pair.private.kill()
    wait_until(lambda: private_id not in own_pair.public.online(), 10, "noticing the death")
    wait_reason(own_pair.public, "egress", PORT, "OC-2002")
    assert not echoes(own_pair)


def test_a_node_that_starts_before_its_bootstrap_peer_joins_once_that_is_up(own_pair):
    own_pair.public.kill()
    own_pair.private.kill()
    own_pair.private.start()
    assert own_pair.private.client("nodes", "-ls").returncode == 0
    own_pair.public.start()
    wait_until(lambda: echoes(own_pair), 20, "joining late")


def test_a_cut_cable_is_noticed_and_healed(own_pair):
    own_pair.router.ip("link", "set", "wan0", "down")
    wait_until(lambda: own_pair.private.peer_id not in own_pair.public.online(), 60, "noticing the cut")
    own_pair.router.ip("link", "set", "wan0", "up")
    wait_until(lambda: echoes(own_pair), 30, "healing")


@pytest.mark.parametrize("which", ["public", "private"])
def test_a_terminated_node_ends_promptly_and_cleanly(own_pair, which):
    with service.connect(own_pair.public.host, ("127.0.0.1", PORT)) as visitor:
        visitor.sendall(b"an open tunnel")
        assert visitor.recv(64) == b"an open tunnel"
        assert getattr(own_pair, which).end(timeout=3) == 0
        with pytest.raises(ConnectionResetError):
            service.receive_all(visitor)


def test_a_third_node_learns_of_all_others_from_one(lab, make_node):
    first = found(make_node("first", lab.public_host("first")))
    second = join(make_node("second", lab.public_host("second")), first.bootstrap)
    wait_connected(first, second)
    third = join(make_node("third", lab.private_host("third", behind=lab.router("router"))),
                 first.bootstrap)
    wait_connected(first, second, third, timeout=20)


def test_a_changed_network_password_parts_the_node_from_the_others(own_pair):
    own_pair.private.kill()
    own_pair.private.start("-dnc", "home:a new password")
    wait_until(lambda: "OC-2004" in own_pair.private.log, 10, "the refusal")
    assert own_pair.private.peer_id not in own_pair.public.online()


AWAY_S = 8
# A dead peer is dialed every 10 s at least, give or take a quarter.
BACK_WITHIN_S = 15


def test_members_behind_nat_are_back_soon_after_the_only_public_node_is(lab, make_node):
    """It dials where it saw them and they dial it, both from their listening ports, perhaps at the same moment."""
    public = found(make_node("public", lab.public_host("public")))
    hidden = [
        join(make_node(name, lab.host_behind("port-restricted", name)), public.bootstrap)
        for name in ("first", "second", "third")
    ]
    wait_connected(public, *hidden)
    for _ in range(2):
        public.kill()
        time.sleep(AWAY_S)
        hidden[0].end()
        hidden[0].start()
        public.start()
        started = time.monotonic()
        for node in hidden:
            left = BACK_WITHIN_S - (time.monotonic() - started)
            wait_until(lambda n=node: n.peer_id in public.online(), left, f"{node.name} being back")
