"""The article's story, with its commands as printed: a service behind NAT, reached at a public node."""

import base64
import hashlib
import json
import random
import time

import pytest

from lab.node import binary, wait_until
from lab.service import FileServer
from lab.terminal import Terminal

PEER_PORT = 8080
FILE_BYTES = 200 * 1024 * 1024
NETWORK = "my-network:a network password"


@pytest.fixture(scope="module")
def big_file(tmp_path_factory):
    """A directory with `big.bin`, and the checksum of that file."""
    directory = tmp_path_factory.mktemp("files")
    digest = hashlib.sha256()
    noise = random.Random(2026)
    with open(directory / "big.bin", "wb") as file:
        for _ in range(FILE_BYTES // 2**20):
            block = noise.randbytes(2**20)
            digest.update(block)
            file.write(block)
    return directory, digest.hexdigest()


@pytest.fixture
def hosts(lab):
    return lab.public_host("public"), lab.private_host("private", behind=lab.router("router"))


def log_in(node, user, password):
    terminal = Terminal(node.command(binary(), "client", "login"), env=node.environment())
    terminal.answer("name:", user)
    terminal.answer("password:", password)
    assert terminal.finish() == 0, terminal.screen
    assert password not in terminal.screen


def fetch(host, timeout=120):
    """curl's checksum of the file as a visitor of the public host gets it; None if it fails."""
    got = host.run(
        ["sh", "-c", f"curl -sSf --max-time {timeout} http://127.0.0.1:{PEER_PORT}/big.bin | sha256sum"],
        timeout=timeout + 10,
    )
    return None if got.stderr else got.stdout.split()[0]


def connect_as_printed(public, private):
    """Sections 2 and 3: a bootstrap node, and a private node that joins it."""
    public.start("--default-network-credentials", NETWORK, "--root-credentials", "alice:public secret")
    log_in(public, "alice", "public secret")
    bootstrap = public.client("identity", "-b64").stdout.strip()
    described = json.loads(base64.b64decode(bootstrap))
    assert any(
        address == f"/ip4/{public.host.address}/tcp/1985/p2p/{described['id']}"
        for address in described["connect_multiadress"]
    )

    private.start("-dnc", NETWORK, "-rc", "bob:private secret", "-bs", bootstrap)
    log_in(private, "bob", "private secret")
    wait_until(lambda: public.peer_id in private.client("nodes", "-ls").stdout, 10, "joining")
    wait_until(lambda: len(private.online()) == 2 and len(public.online()) == 2, 10, "connecting")
    metrics = json.loads(private.client("get-metrics", "--node", public.peer_id, "--json").stdout)
    assert metrics


def route_as_printed(public, private, ingress_peers):
    """Section 4, its TCP part."""
    public.client(
        "proxy", "--direction", "egress", "--traffic-origin", f"{public.peer_id}:{PEER_PORT}",
        "--traffic-target", f"{private.peer_id}:{PEER_PORT}", "--kind", "tcp",
    )
    origin, target = ingress_peers
    private.client(
        "proxy", "--direction", "ingress", "--traffic-origin", f"{origin.peer_id}:{PEER_PORT}",
        "--traffic-target", f"{target.peer_id}:{PEER_PORT}", "--kind", "tcp",
    )


def test_a_file_behind_nat_is_fetched_from_the_public_node_also_after_a_power_cut(
    hosts, make_node, big_file
):
    directory, checksum = big_file
    public, private = make_node("public", hosts[0]), make_node("private", hosts[1])
    connect_as_printed(public, private)
    # The article prints the ingress rule with its own peer as origin and the remote one as target.
    route_as_printed(public, private, ingress_peers=(private, public))
    with FileServer(private.host, ("127.0.0.1", PEER_PORT), directory):
        assert fetch(public.host) == checksum

        public.kill()
        private.kill()
        began = time.monotonic()
        public.start(wait=False)
        private.start(wait=False)
        wait_until(lambda: reachable(public.host), 10, "serving again after both were killed")
        assert time.monotonic() - began < 10
        assert fetch(public.host) == checksum


def reachable(host):
    got = host.run(
        ["curl", "-sSfI", "--max-time", "2", f"http://127.0.0.1:{PEER_PORT}/big.bin"], check=False
    )
    return got.returncode == 0


def test_the_ingress_rule_may_name_its_peers_in_the_order_of_the_traffic(hosts, make_node, tmp_path):
    (tmp_path / "page").write_text("behind NAT")
    public, private = make_node("public", hosts[0]), make_node("private", hosts[1])
    connect_as_printed(public, private)
    route_as_printed(public, private, ingress_peers=(public, private))
    with FileServer(private.host, ("127.0.0.1", PEER_PORT), tmp_path):
        got = public.host.run(["curl", "-sSf", f"http://127.0.0.1:{PEER_PORT}/page"])
    assert got.stdout == "behind NAT"


def test_no_password_shows_in_the_log_or_the_process_list(hosts, make_node):
    public, private = make_node("public", hosts[0]), make_node("private", hosts[1])
    connect_as_printed(public, private)
    for node in (public, private):
        with open(f"/proc/{node.process.pid}/cmdline", "rb") as title:
            shown = node.log + node.output + title.read().decode()
        for secret in ("a network password", "public secret", "private secret"):
            assert secret not in shown
