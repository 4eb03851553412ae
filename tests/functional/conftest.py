"""Nodes in a laboratory network. What they logged is shown when a test fails."""

import pytest

from lab import node as nodes
from lab.topology import Lab
from overlay import Pair

_live = []


@pytest.fixture(scope="session", autouse=True)
def program(world):
    """The program under test; without it there is nothing to test here."""
    return nodes.binary()


def keep(node):
    _live.append(node)
    return node


@pytest.fixture
def make_node(tmp_path):
    """make_node(name, host=None, …) makes a node of this test; its process ends with the test."""
    yield from maker(tmp_path)


@pytest.fixture(scope="module")
def make_module_node(tmp_path_factory):
    """The same, for nodes that the tests of a module share."""
    yield from maker(tmp_path_factory.mktemp("nodes"))


def maker(directory):
    made = []

    def make(name, host=None, **options):
        made.append(keep(nodes.Node(name, directory, host, **options)))
        return made[-1]

    yield make
    for node in made:
        node.kill()
        _live.remove(node)


@pytest.fixture(scope="module")
def pair(world, tmp_path_factory):
    """A public node, and a private one behind NAT, joined and logged in; shared by a module."""
    directory = tmp_path_factory.mktemp("pair")
    with Lab() as lab:
        public_host = lab.public_host("public")
        private_host = lab.private_host("private", behind=lab.router("router"))
        pair = Pair(
            keep(nodes.Node("public", directory, public_host)),
            keep(nodes.Node("private", directory, private_host)),
        )
        try:
            pair.join()
            yield pair
        finally:
            for node in (pair.public, pair.private):
                node.kill()
                _live.remove(node)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        for node in _live:
            if node.log_file.exists():
                report.sections.append((f"output of node {node.name}", node.output[-2000:]))
                report.sections.append((f"log of node {node.name}", node.log[-8000:]))
