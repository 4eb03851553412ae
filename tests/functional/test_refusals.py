"""What must not work, and what the one who tried is told."""

import pytest

from lab import service
from lab.node import wait_until
from lab.service import Service
from overlay import (
    ADMIN, NETWORK, NETWORK_PASSWORD, PRIVATE_PASSWORD, PUBLIC_PASSWORD, SOMEBODY_ELSE,
    egress, found, ingress, rule_of, wait_reason,
)

API = "/api/v1"


def visit(node, port):
    """Connects to a port of the node as a visitor, and expects to be turned away."""
    with pytest.raises(ConnectionError):
        with service.connect(node.host, ("127.0.0.1", port)) as visitor:
            visitor.sendall(b"hello")
            if visitor.recv(1) == b"":
                raise ConnectionError("closed without a byte")


def test_a_wrong_network_password_joins_nothing_and_learns_nothing(lab, make_node):
    public = found(make_node("public", lab.public_host("public")))
    stranger = make_node("stranger", lab.private_host("stranger", behind=lab.router("router")))
    stranger.start(
        "-dnc", f"{NETWORK}:a wrong guess", "-rc", f"{ADMIN}:{PRIVATE_PASSWORD}", "-bs", public.bootstrap
    )
    wait_until(lambda: "OC-2004" in stranger.log, 10, "the refusal in the joining node's log")
    status, screen = stranger.login(ADMIN, PRIVATE_PASSWORD)
    assert status == 0, screen
    assert [row["self"] for row in stranger.members()] == [True]
    assert [row["self"] for row in public.members()] == [True]
    asked = stranger.client("get-metrics", "--node", public.peer_id, check=False)
    assert asked.returncode != 0
    assert "OC-2" in asked.stderr
    assert "a wrong guess" not in stranger.log + public.log
    assert NETWORK_PASSWORD not in stranger.log + public.log


def test_the_right_password_of_another_network_is_a_stranger_too(lab, make_node):
    public = found(make_node("public", lab.public_host("public")))
    other = make_node("other", lab.public_host("other"))
    other.start("-dnc", f"elsewhere:{NETWORK_PASSWORD}", "-rc", f"{ADMIN}:{PRIVATE_PASSWORD}",
                "-bs", public.bootstrap)
    wait_until(lambda: "OC-2004" in other.log, 10, "the refusal in the joining node's log")
    assert [row["self"] for row in public.members()] == [True]


def test_a_wrong_admin_password_gets_no_session(pair):
    status, screen = pair.public.login(ADMIN, "not it")
    assert status != 0
    assert "OC-4002" in screen
    credentials = {"email": ADMIN, "password": PRIVATE_PASSWORD}
    status, answer = pair.public.api("POST", f"{API}/user/login", credentials)
    assert status == 401
    assert answer["error"]["code"] == "OC-4002"


def test_a_network_login_reads_but_writes_no_rule(pair):
    reader = pair.public.session(NETWORK, NETWORK_PASSWORD)
    status, listed = pair.public.api("GET", f"{API}/federation/nodes/list", session=reader)
    assert status == 200
    assert len(listed["rows"]) == 2
    rule = {"direction": "egress", "kind": "tcp", "port": 7100,
            "traffic_target": f"{pair.private.peer_id}:7100"}
    status, answer = pair.public.api("POST", f"{API}/federation/nodes/proxy", rule, session=reader)
    assert status == 403
    assert answer["error"]["code"] == "OC-4003"
    refused = pair.public.client(
        "proxy", "--direction", "egress", "--traffic-target", f"{pair.private.peer_id}:7100",
        "--port", "7100", "--kind", "tcp", "--session-id", reader, check=False,
    )
    assert refused.returncode != 0
    assert "OC-4003" in refused.stderr
    assert not any(row["port"] == 7100 for row in pair.public.rules())


def test_a_member_may_not_write_rules_on_another_node_without_its_admin(pair):
    request = {
        "method": "POST", "path": f"{API}/federation/nodes/proxy",
        "body": {"direction": "ingress", "kind": "tcp", "traffic_origin": "*",
                 "traffic_target": f"{pair.private.peer_id}:22"},
    }
    admin = pair.public.session(ADMIN, PUBLIC_PASSWORD)
    path = f"{API}/federation/nodes/peer/{pair.private.peer_id}/request"
    status, answer = pair.public.api("POST", path, request, session=admin)
    assert status == 200
    assert answer["status"] in (401, 403)
    assert not any(row["port"] == 22 for row in pair.private.rules())


def test_without_an_ingress_rule_the_visitor_is_refused_and_the_egress_rule_says_why(pair):
    port = 7200
    egress(pair.public, pair.private.peer_id, port)
    with Service(pair.private.host, ("127.0.0.1", port), service.echo) as untouched:
        visit(pair.public, port)
        reason = wait_reason(pair.public, "egress", port, "OC-3103")
        with pytest.raises(TimeoutError):
            untouched.result(timeout=0.5)
    assert reason["message"]
    assert reason["hint"]


def test_an_ingress_rule_for_another_peer_lets_nothing_out(pair):
    port = 7250
    ingress(pair.private, SOMEBODY_ELSE, port)
    egress(pair.public, pair.private.peer_id, port)
    with Service(pair.private.host, ("127.0.0.1", port), service.echo):
        visit(pair.public, port)
        wait_reason(pair.public, "egress", port, "OC-3103")


def test_while_the_target_is_down_the_egress_rule_says_so_and_recovers(pair):
    port = pair.forward()
    visit(pair.public, port)
    reason = wait_reason(pair.public, "egress", port, "OC-3104")
    assert str(port) in reason["message"]
    with Service(pair.private.host, ("127.0.0.1", port), service.echo):
        with service.connect(pair.public.host, ("127.0.0.1", port)) as visitor:
            visitor.sendall(b"again")
            assert visitor.recv(16) == b"again"
        wait_until(lambda: rule_of(pair.public, "egress", port)["state"] == "up", 10, "recovery")
        assert rule_of(pair.public, "egress", port)["reason"] is None


def test_a_foreign_origin_is_refused(pair):
    status, answer = pair.public.api("GET", "/health", headers={"Host": "evil.example"})
    assert status == 403
    assert answer["error"]["code"] == "OC-4005"
    credentials = {"email": ADMIN, "password": PUBLIC_PASSWORD}
    status, answer = pair.public.api(
        "POST", f"{API}/user/login", credentials, headers={"Origin": "http://evil.example"}
    )
    assert status == 403
    assert answer["error"]["code"] == "OC-4005"


def test_guessing_passwords_is_slowed_down(lab, make_node):
    node = found(make_node("node", lab.public_host("node")))
    guesses = [node.api("POST", f"{API}/user/login", {"email": ADMIN, "password": f"guess {i}"})
               for i in range(40)]
    assert guesses[0][0] == 401
    assert guesses[-1][0] == 429
    assert guesses[-1][1]["error"]["code"] == "OC-4004"
