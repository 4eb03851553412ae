"""Makes tests/lab importable, and moves the test run into its private world."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from lab import isolation  # noqa: E402
from lab.topology import Lab  # noqa: E402


@pytest.fixture(scope="session")
def world():
    """This process is alone on its networks from here on."""
    isolation.enter()


@pytest.fixture
def lab(world):
    with Lab() as made:
        yield made
