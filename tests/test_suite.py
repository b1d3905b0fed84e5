"""Rules of the test suite itself: skips say why, recorded pages come through one fixture, unit tests stay small."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import LONG_FILES
from tests.support.long_tests import choose_spread, read_long_tests

HERE = Path(__file__).parent
FILES = sorted(HERE.rglob("*.py"))
RECORDED = ("season-archives", "html-report", "shiftcharts-derived", "statsrest-season")  # folders of recorded pages


def find_calls(file: Path, *names: str) -> Iterator[ast.Call]:
    """Yield the calls of functions and marks of pytest in a file."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names:
            yield node


def test_every_skip_has_a_reason():
    for file in FILES:
        for call in find_calls(file, "skip", "skipif", "importorskip", "xfail"):
            reasons = [word.value for word in call.keywords if word.arg == "reason"]
            if isinstance(call.func, ast.Attribute) and call.func.attr == "skip":
                reasons += call.args
            assert reasons, f"{file.relative_to(HERE)}:{call.lineno} skips without a reason"


def test_recorded_pages_come_through_the_fixture_that_skips_without_them():
    for file in FILES:
        text = file.read_text()
        if file != Path(__file__) and any(folder in text for folder in RECORDED):
            assert "realdata: Path" in text or "(realdata" in text or "(folder: Path" in text, file
    users = {file.name for file in FILES if "NHL_LAKE_REALDATA" in file.read_text()}
    assert users == {"conftest.py", Path(__file__).name}


def test_support_modules_import_no_tests():
    for file in (HERE / "support").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            assert not module.rpartition(".")[2].startswith("test_"), file


def test_this_is_a_unit_test(request: pytest.FixtureRequest):
    assert request.node.get_closest_marker("unit")


def test_a_test_with_a_folder_is_no_unit_test(request: pytest.FixtureRequest, tmp_path: Path):
    assert tmp_path
    assert not request.node.get_closest_marker("unit")


def test_long_tests_exist():
    for name, count in read_long_tests().items():
        file, _, test = name.partition("::")
        functions = {
            node.name for node in ast.walk(ast.parse((HERE / file).read_text())) if isinstance(node, ast.FunctionDef)
        }
        assert test in functions, name
        assert count >= 0


@pytest.mark.parametrize(
    ("count", "kept"), [(0, set()), (1, {0}), (2, {0, 9}), (4, {0, 3, 6, 9}), (20, set(range(10)))]
)
def test_parameters_that_stay_in_the_suite_are_spread(count: int, kept: set[int]):
    assert choose_spread(10, count) == kept


def test_long_files_exist():
    assert [name for name in LONG_FILES if not (HERE / name).is_file()] == []
