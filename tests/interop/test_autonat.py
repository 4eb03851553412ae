"""AutoNAT v2 against go-libp2p, in both roles. Loopback addresses stand for those of the internet."""

import pytest

import peers

ROLES = {"we-ask": (peers.OURS, "go"), "they-ask": ("go", peers.OURS)}

pytestmark = pytest.mark.peers(peers.OURS, "go")


@pytest.fixture(params=ROLES, scope="module")
def ask(request, world):
    """ask(options…) asks one library's server by the other's client, and gives what that printed."""
    client, server = ROLES[request.param]
    with peers.Listener(server) as listener:
        yield lambda *options: peers.dial(client, listener.addresses[0], "autonat", *options)


def test_an_address_that_answers_is_reachable(ask):
    assert ask()["verdict"] == "reachable"


def test_an_address_that_does_not_answer_is_unreachable(ask):
    assert ask("--dead", "1")["verdict"] == "unreachable"


def test_another_ip_address_is_dialed_once_the_data_was_sent(ask):
    answer = ask("--other-ip", "1")
    assert answer["verdict"] == "reachable"
    assert answer.get("paid", True)


def test_our_server_dials_no_other_ip_address_for_one_who_does_not_pay(world):
    with peers.Listener(peers.OURS) as listener:
        with pytest.raises(peers.Failed, match="dial data"):
            peers.dial("go", listener.addresses[0], "autonat", "--other-ip", "1", "--pay", "0")
