"""Pages with odd values of every type and size, through the whole road: no traceback, and other games are as ever."""

from pathlib import Path

import pytest

from tests.support.fuzz import Truth, fuzz_lake, make_truth

pytestmark = pytest.mark.league

SINCE = "2026-03-31"  # one day of games


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return make_truth(tmp_path_factory.mktemp("truth") / "lake", SINCE)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 22))])
def test_odd_values_end_no_command_and_change_no_other_game(seed: int, truth: Truth, tmp_path: Path):
    found = fuzz_lake(tmp_path / "lake", truth, SINCE, seed, every=25)

    assert found.harm == []
    assert found.changed > 20
    assert found.compared_rows > 1000
