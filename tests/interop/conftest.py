"""Builds the peers that the chosen tests need; skips the tests of those that cannot be built here.

A test names its peers with the marker `peers`.
"""

import pytest

import peers
import transport_table

# Why there is none of a peer, by its name.
_missing = {}


def pytest_configure(config):
    config.addinivalue_line("markers", "peers(*names): the interoperability peers that a test runs")


def pytest_collection_finish(session):
    """Before any test, as later ones may run where no package registry is within reach."""
    if session.config.option.collectonly:
        return
    for name in sorted({name for item in session.items for name in peers_of(item)}):
        try:
            peers.make(name)
        except (peers.Unavailable, peers.NotBuilt) as reason:
            _missing[name] = reason


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    for reason in filter(None, map(_missing.get, peers_of(item))):
        if isinstance(reason, peers.Unavailable):
            pytest.skip(str(reason))
        pytest.fail(str(reason), pytrace=False)


def pytest_terminal_summary(terminalreporter):
    for reason in _missing.values():
        terminalreporter.write_line(f"not run: {reason}")
    recorded = (dict(report.user_properties) for report in terminalreporter.getreports("passed"))
    cells = [properties for properties in recorded if "ping_rtt_ms" in properties]
    for line in transport_table.lines(cells):
        terminalreporter.write_line(line)


def peers_of(item):
    return [name for marker in item.iter_markers("peers") for name in marker.args]
