"""docs/failure-modes.md has a row for every failure mode, and every row has its tests."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent.parent
TABLE = TESTS.parent / "docs" / "failure-modes.md"
MATRIX = {"A": 31, "C": 4, "D": 9, "H": 9, "R": 7, "V": 7, "W": 7}
NAME = re.compile(r"test_((?:[a-z]\d+_)+)")


def rows():
    """The table by id: failure, what happens, tests, shown as."""
    lines = TABLE.read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    return {row[0]: row[1:] for row in cells if re.fullmatch(r"[A-Z]\d+", row[0])}


def named(cell):
    return set(re.findall(r"`(test_\w+)`", cell))


def failure_tests():
    """Every test of a failure mode: its name -> the ids that it starts with."""
    found = {}
    for file in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef) and (match := NAME.match(node.name)):
                found[node.name] = {part.upper() for part in match[1].strip("_").split("_")}
    return found


def test_every_failure_mode_is_in_the_table_once_and_filled_in():
    expected = {f"{kind}{n}" for kind, count in MATRIX.items() for n in range(1, count + 1)}
    lines = re.findall(r"^\| ([A-Z]\d+) \|", TABLE.read_text(), re.MULTILINE)
    assert (set(lines), len(lines)) == (expected, len(expected))
    for key, cells in rows().items():
        assert len(cells) == 4 and all(cells), key
        assert named(cells[2]), f"{key} names no test"


def test_every_test_in_the_table_exists_and_belongs_to_its_row():
    tests = failure_tests()
    for key, cells in rows().items():
        for name in named(cells[2]):
            assert key in tests.get(name, ()), f"{key}: {name}"


def test_every_test_of_a_failure_mode_is_in_the_table():
    table = {key: named(cells[2]) for key, cells in rows().items()}
    for name, keys in failure_tests().items():
        for key in keys:
            assert name in table.get(key, ()), f"{name} is missing in row {key}"
