"""README.md's table tells the truth: every test that it names is there."""

import pathlib
import re

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
UNIT_TEST = re.compile(r"\bTEST(?:_F|_P)?\((\w+), (\w+)\)")


def named(pattern):
    return set(re.findall(pattern, (HERE / "README.md").read_text()))


def test_every_test_of_this_folder_that_the_table_names_is_there():
    there = set()
    for file in HERE.glob("test_*.py"):
        there |= set(re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE))
    table = named(r"`(test_\w+)`")
    assert table
    assert table <= there
    assert there - table == {"test_every_test_of_this_folder_that_the_table_names_is_there",
                             "test_every_unit_test_that_the_table_names_is_there",
                             "test_the_forgers_tools_make_honest_handshakes_too"}


def test_every_unit_test_that_the_table_names_is_there():
    there = set()
    for file in [*ROOT.glob("src/**/*_test.cpp"), *ROOT.glob("tests/conformance/*.hpp")]:
        there |= {".".join(match) for match in UNIT_TEST.findall(file.read_text())}
    table = named(r"`([A-Z]\w+\.\w+)`")
    assert table
    assert table <= there
