"""The command line: what it says, what it leaves behind, and how it ends."""

import json
import stat

import pytest

from lab import node as nodes
from overlay import (
    ADMIN, NETWORK, NETWORK_PASSWORD, PUBLIC_PASSWORD, SOMEBODY_ELSE,
    egress, found, network_flag, rule_of,
)


@pytest.fixture
def node(lab, make_node):
    return make_node("node", lab.public_host("node"))


def program(node, *arguments):
    """Runs open-chat to its end in the node's place."""
    return node.host.run([nodes.binary(), *arguments], check=False, timeout=20, env=node.environment())


def test_version_and_help_go_to_standard_output(node):
    version = program(node, "--version")
    assert version.returncode == 0
    assert version.stdout.startswith("open-chat 0.")
    for arguments in (["--help"], ["client", "--help"], ["client", "proxy", "--help"]):
        shown = program(node, *arguments)
        assert shown.returncode == 0
        assert shown.stderr == ""
    assert "--default-network-credentials" in program(node, "--help").stdout
    assert "--traffic-origin" in program(node, "client", "proxy", "--help").stdout


@pytest.mark.parametrize(
    ("flags", "named", "code"),
    [
        (["--port", "seventy"], "--port", "OC-1001"),
        (["-pp2p", "70000"], "p2p", "OC-1001"),
        (["-dnc", "no-colon"], "--default-network-credentials", "OC-1005"),
        (["-rc", "no-colon"], "--root-credentials", "OC-1005"),
        (["-bs", "not base64"], "--network-bootstrap-peers", "OC-1003"),
        (["--log-level", "loud"], "--log-level", "OC-1001"),
        (["--no-such-flag"], "--no-such-flag", "OC-1001"),
        (["--announce", "example.com"], "--announce", "OC-1004"),
        (["--port", "2000", "--p2pport", "2000"], "--p2pport", "OC-1001"),
    ],
)
def test_a_bad_flag_stops_the_start_with_one_line_that_names_it(node, flags, named, code):
    ended = program(node, *flags)
    assert ended.returncode != 0
    assert ended.stdout == ""
    assert len(ended.stderr.strip().splitlines()) == 1
    assert named in ended.stderr
    assert code in ended.stderr


def test_a_bad_credential_is_not_repeated_in_the_error(node):
    ended = program(node, "-rc", "supersecretwithoutcolon")
    assert ended.returncode != 0
    assert "supersecretwithoutcolon" not in ended.stderr


def test_the_first_start_invents_an_admin_password_and_shows_it_once(node):
    node.start()
    words = node.output.split()
    node.end()
    node.start()
    again = node.output.split()
    invented = [word for word in words if word not in again]
    session = None
    for word in invented:
        status, answer = node.api("POST", "/api/v1/user/login", {"email": ADMIN, "password": word})
        session = session or (answer["session_id"] if status == 200 else None)
    assert session


def test_the_node_shows_where_its_api_is_and_how_to_join_it(node):
    node.start(*network_flag())
    assert "http://127.0.0.1:1984" in node.output
    node.session(NETWORK, NETWORK_PASSWORD)
    assert any(len(word) > 100 for word in node.output.split()), "no bootstrap string in the output"


def test_without_a_node_the_client_says_so(node):
    ended = node.client("identity", check=False)
    assert ended.returncode != 0
    assert "OC-1011" in ended.stderr
    assert ended.stdout == ""


def test_without_a_login_the_client_says_so(node):
    node.start()
    ended = node.client("proxies", check=False)
    assert ended.returncode != 0
    assert "OC-4001" in ended.stderr


def test_the_session_is_kept_for_its_user_only(node):
    found(node)
    kept = [path for path in (node.directory / "state").rglob("*") if path.is_file()]
    assert kept
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in kept)
    assert PUBLIC_PASSWORD not in "".join(path.read_text(errors="replace") for path in kept)


def test_logout_ends_the_session(node):
    found(node)
    assert ADMIN in node.client("whoami").stdout
    node.client("logout")
    assert node.client("whoami", check=False).returncode != 0


def test_json_is_all_that_is_printed_with_json(node):
    found(node)
    for command in (["identity"], ["nodes", "-ls"], ["networks"], ["metrics"], ["proxies"], ["whoami"]):
        done = node.client(*command, "--json")
        json.loads(done.stdout)
        assert done.stderr == ""


def test_the_same_rule_twice_is_one_rule(node):
    found(node)
    first, second = (egress(node, SOMEBODY_ELSE, 8080) for _ in range(2))
    assert first["rule"]["id"] == second["rule"]["id"]
    assert (first["created"], second["created"]) == (True, False)
    assert len(node.rules()) == 1


def test_a_rule_that_makes_no_sense_is_refused(node):
    found(node)
    for target in ("nobody:80", f"{node.peer_id}:99999", f"{node.peer_id}"):
        ended = node.client("proxy", "--direction", "egress", "--kind", "tcp", "--port", "8080",
                            "--traffic-target", target, check=False)
        assert ended.returncode != 0
        assert "OC-" in ended.stderr
    assert node.rules() == []


def test_a_disabled_rule_does_not_listen_until_enabled(node):
    found(node)
    egress(node, SOMEBODY_ELSE, 8080, "--disabled")
    rule = rule_of(node, "egress", 8080)
    assert rule["state"] == "disabled"
    node.client("enable-proxy", rule["id"])
    assert rule_of(node, "egress", 8080)["enabled"]
    node.client("disable-proxy", rule["id"])
    assert rule_of(node, "egress", 8080)["state"] == "disabled"


def test_a_hashed_admin_password_logs_in_with_the_password(node):
    hashed = node.host.run(
        [nodes.binary(), "client", "hash-password"], input="swordfish\n", env=node.environment()
    ).stdout.strip()
    assert "swordfish" not in hashed
    hash_only = hashed.removeprefix("hashed_")
    node.start("-rc", f"root:hashed_{hash_only}")
    status, screen = node.login("root", "swordfish")
    assert status == 0, screen


def test_two_nodes_do_not_share_a_store(node, make_node):
    node.start()
    ended = program(node, "--port", "2984", "-pp2p", "2985")
    assert ended.returncode != 0
    assert "OC-6002" in ended.stderr


def test_a_taken_port_is_named(node, make_node):
    node.start()
    other = make_node("other", node.host)
    ended = program(other, "-pp2p", "2985")
    assert ended.returncode != 0
    assert "OC-1010" in ended.stderr
    assert "1984" in ended.stderr


def test_a_changed_admin_password_is_applied_and_said(node):
    found(node)
    node.end()
    node.start("-rc", f"{ADMIN}:another one")
    assert "another one" not in node.log + node.output
    assert node.login(ADMIN, PUBLIC_PASSWORD)[0] != 0
    assert node.login(ADMIN, "another one")[0] == 0
