"""Writes JUnit reports, as scripts/tally reads them."""

import dataclasses
import pathlib
import re
import xml.etree.ElementTree as ElementTree


@dataclasses.dataclass
class Case:
    name: str
    seconds: float = 0.0
    failure: str | None = None  # what it said, when it failed
    skipped: str | None = None  # why, when it did not run


def write(report: pathlib.Path, suite: str, cases: list[Case]):
    root = ElementTree.Element("testsuite", name=suite, tests=str(len(cases)))
    for case in cases:
        element = ElementTree.SubElement(
            root, "testcase", classname=suite, name=case.name, time=f"{case.seconds:.1f}")
        if case.failure is not None:
            ElementTree.SubElement(element, "failure").text = printable(case.failure)
        if case.skipped is not None:
            ElementTree.SubElement(element, "skipped", message=case.skipped)
    report.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(root).write(report, encoding="utf-8", xml_declaration=True)


def printable(text):
    """Without the characters that XML cannot hold."""
    return re.sub(r"[^\t\n\x20-\ud7ff\ue000-\ufffd]", "?", text)
