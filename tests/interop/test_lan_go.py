"""Our node and a go-libp2p peer on one LAN find each other by multicast DNS."""

import json
import queue
import subprocess
import threading

import pytest

import peers
from lab.node import Node, wait_until

FOUND_WITHIN_S = 20

pytestmark = pytest.mark.peers("go")


@pytest.fixture
def lan(lab):
    router = lab.router("router")
    return lambda name: lab.private_host(name, behind=router)


class Finder:
    """The command `find` of the Go peer, until it is closed."""

    def __init__(self, popen):
        self._process = popen(
            [*peers.command("go"), "find"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.id = self.next()["id"]

    def next(self):
        return self._lines.get(timeout=FOUND_WITHIN_S)

    def close(self):
        self._process.stdin.close()
        try:
            self._process.wait(FOUND_WITHIN_S)
        finally:
            self._process.kill()

    def _read(self):
        for line in self._process.stdout:
            self._lines.put(json.loads(line))


@pytest.mark.parametrize("first", ["node", "go"])
def test_our_node_and_a_go_peer_find_each_other(lan, tmp_path, first):
    node = Node("node", tmp_path, lan("node"))
    go_host = lan("go")
    finder = None
    try:
        for starting in sorted(("node", "go"), key=lambda name: name != first):
            if starting == "go":
                finder = Finder(go_host.popen)
            else:
                node.start("-dnc", "home:a network password", "-rc", "admin:admin password",
                           "--log-level", "debug")
        found = finder.next()
        assert node.login("admin", "admin password")[0] == 0
        assert found == {"found": node.peer_id, "addresses": [f"/ip4/{node.host.address}/tcp/1985"]}
        # It is dialed, and turns out to be no member.
        wait_until(lambda: f"{finder.id} at /ip4/{go_host.address}/" in node.log, FOUND_WITHIN_S,
                   "finding the Go peer")
        assert [row["self"] for row in node.members()] == [True]
    finally:
        if finder is not None:
            finder.close()
        node.kill()
        print(node.log)
