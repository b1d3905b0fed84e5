"""What a lake has of a season or a game type, and what is said if it has nothing."""

from pathlib import Path

import pytest

from nhl_lake.errors import BadInput
from nhl_lake.queries import coverage
from tests.support.fake_api import FakeApi, FakeGame, run_ingest

SEASON = 20252026


@pytest.fixture
def root(tmp_path: Path) -> Path:
    run_ingest(tmp_path, FakeApi([FakeGame(1), FakeGame(2)]))
    return tmp_path


def test_a_season_that_is_not_in_the_lake_is_named_with_those_that_are(root: Path):
    coverage.require_seasons(root, [])
    coverage.require_seasons(root, [SEASON])
    with pytest.raises(BadInput) as error:
        coverage.require_seasons(root, [SEASON, 19992000])

    assert error.value.message == "The lake has no games of 1999-00."
    assert error.value.hint == "It has 2025-26. `nhl-lake ingest --season 1999` fetches that season."


def test_game_types_without_a_game_are_found(root: Path):
    assert coverage.find_absent_game_types(root, [SEASON], [2, 9]) == [9]
    assert coverage.find_absent_game_types(root, [SEASON], []) == []
    assert coverage.find_absent_game_types(root, [20242025], [2]) == [2]


@pytest.mark.parametrize(
    ("seasons", "text"),
    [([], "no season"), ([SEASON], "2025-26"), ([n * 10_001 + 1 for n in (2025, 2024, 2023, 1999, 1998)],
     "2025-26, 2024-25, 2023-24 and 2 earlier")],
)  # fmt: skip
def test_seasons_are_written_as_people_do(seasons: list[int], text: str):
    assert coverage.describe_seasons(seasons) == text
