"""The stage (stage.py) that all tests share. What its nodes logged is shown when a test fails."""

import contextlib
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "functional"))

from lab import node as nodes  # noqa: E402
from lab.topology import Lab  # noqa: E402

import stage as stages  # noqa: E402

_live = []


@pytest.fixture(scope="session", autouse=True)
def programs(world):
    """The program under test, and the hostile one; without them there is nothing to test here."""
    return nodes.binary(), stages.program()


@contextlib.contextmanager
def opened(directory, **options):
    with Lab() as lab:
        made = [nodes.Node(name, directory, lab.public_host(name)) for name in ("victim", "honest")]
        _live.extend(made)
        stage = None
        try:
            stage = stages.Stage(lab, *made, **options)
            yield stage
            # A sanitizer speaks up at the end, too.
            if stage.sound:
                assert [node.end() for node in made] == [0, 0]
        finally:
            if stage is not None:
                stage.close()
            for node in made:
                node.kill()
                _live.remove(node)


class _Shared:
    """One stage for all tests, and another after a test that left it unsound."""

    def __init__(self, make_directory):
        self._make_directory = make_directory
        self._stack = contextlib.ExitStack()
        self._stage = None

    def get(self):
        if self._stage is None or not self._stage.sound:
            self.close()
            self._stage = self._stack.enter_context(opened(self._make_directory("stage")))
        return self._stage

    def close(self):
        self._stack.close()
        self._stage = None


@pytest.fixture(scope="session")
def shared_stages(world, tmp_path_factory):
    shared = _Shared(tmp_path_factory.mktemp)
    yield shared
    shared.close()


@pytest.fixture
def stage(shared_stages):
    return shared_stages.get()


@pytest.fixture
def own_stage(world, tmp_path):
    """A stage of this test alone, for what changes its nodes for good; its memory says nothing."""
    with opened(tmp_path, warm=False) as stage:
        yield stage


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        for node in _live:
            if node.log_file.exists():
                report.sections.append((f"log of node {node.name}", node.log[-4000:]))
