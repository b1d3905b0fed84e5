"""Tests of seasons, on handwritten rows and the simulated league."""

import json
from datetime import date
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nhl_lake.errors import ValidationFailed
from nhl_lake.ingest.schedule import parse_seasons
from nhl_lake.schema import checks
from nhl_lake.silver.parsing import pages
from nhl_lake.silver.seasons import SEASONS
from tests.league.league_pages import SEASONS as OF_LEAGUE
from tests.league.league_pages import get_league, get_page
from tests.silver.bronze_pages import NO_PAGES, build_table, make_pages

ROW = {
    "id": 20232024, "conferencesInUse": 1, "divisionsInUse": 1, "endDate": "2024-06-24T20:00:00", "numberOfGames": 82,
    "pointForOTLossInUse": 1, "preseasonStartdate": "2023-09-23T00:05:00",
    "regularSeasonEndDate": "2024-04-18T22:00:00",
    "startDate": "2023-10-10T17:30:00", "tiesInUse": 0, "totalPlayoffGames": 88, "totalRegularSeasonGames": 1312,
    "wildcardInUse": 1,
}  # fmt: skip


def build_seasons(*seasons: dict[str, Any]) -> pl.DataFrame:
    return build_table(SEASONS, make_pages(*seasons))


def test_pages_are_read_alike_in_batches_of_any_size(monkeypatch: pytest.MonkeyPatch):
    many = [ROW | {"id": year * 10_001 + 1} for year in range(1990, 2024)]
    at_once = build_seasons(*many)
    monkeypatch.setattr(pages, "BATCH_BYTES", 3 * len(json.dumps(ROW)))

    assert at_once.height == len(many)
    assert_frame_equal(build_seasons(*many), at_once)


def test_season_is_one_row_with_eastern_dates():
    assert build_seasons(ROW).to_dicts() == [
        {
            "season": 20232024, "preseason_start_date": date(2023, 9, 23), "regular_season_start_date": date(2023, 10,
            10),
            "regular_season_end_date": date(2024, 4, 18), "playoffs_end_date": date(2024, 6, 24), "games_per_team": 82,
            "regular_season_games": 1312, "playoff_games": 88, "has_ties": False, "has_overtime_loss_point": True,
            "has_wild_card": True, "has_conferences": True, "has_divisions": True,
        }
    ]  # fmt: skip


def test_old_season_has_ties_and_no_known_preseason():
    old = ROW | {"id": 19531954, "preseasonStartdate": None, "tiesInUse": 1, "wildcardInUse": 0, "divisionsInUse": 0}
    (row,) = build_seasons(old).to_dicts()

    assert (row["preseason_start_date"], row["has_ties"], row["has_wild_card"], row["has_divisions"]) == (
        None, True, False, False,
    )  # fmt: skip


def test_missing_rule_is_null():
    (row,) = build_seasons({key: value for key, value in ROW.items() if not key.endswith("InUse")}).to_dicts()

    assert {name for name, value in row.items() if value is None} == {
        "has_ties", "has_overtime_loss_point", "has_wild_card", "has_conferences", "has_divisions",
    }  # fmt: skip
    checks.validate_rows(SEASONS, build_seasons(ROW))


def test_empty_list_gives_no_rows_and_days_in_the_wrong_order_are_invalid():
    assert build_table(SEASONS, NO_PAGES).is_empty()
    with pytest.raises(ValidationFailed, match="a season ends after it begins"):
        checks.validate_rows(SEASONS, build_seasons(ROW | {"startDate": "2024-10-10T17:30:00"}))


def test_row_without_a_required_key_is_named():
    with pytest.raises(ValidationFailed, match="id"):
        build_seasons({name: value for name, value in ROW.items() if name != "id"})


DAYS = {
    "startDate": "regular_season_start_date",
    "regularSeasonEndDate": "regular_season_end_date",
    "endDate": "playoffs_end_date",
}


@pytest.mark.parametrize("invalid", [None, "", "soon", 7])
def test_unknown_days_of_a_season_are_null(invalid: object):
    found = build_seasons(ROW, ROW | {"id": 20242025} | dict.fromkeys(DAYS, invalid))

    checks.validate_rows(SEASONS, found)
    to_come = found.filter(pl.col("season") == 20242025).row(0, named=True)
    assert [to_come[column] for column in DAYS.values()] == [None, None, None]
    assert found.filter(pl.col("season") == 20232024).null_count().sum_horizontal().item() == 0


def test_season_with_invalid_days_is_not_current():
    bodies = [json.dumps(ROW | {"id": 20242025, "startDate": invalid}) for invalid in (None, "", "soon")]
    assert [season.season for season in parse_seasons([json.dumps(ROW), *bodies])] == [20232024]


@pytest.mark.league
def test_league_seasons_match_its_books():
    found = build_seasons(*get_page("/stats/rest/en/season")["data"])
    checks.validate_rows(SEASONS, found)

    expected = [get_league().engine.season(season) for season in OF_LEAGUE]
    days = ("preseason_start_date", "regular_season_start_date", "regular_season_end_date", "playoffs_end_date")
    assert found.select("season", *days).rows() == [
        (season.season, season.preseason_start, season.start, season.end, season.playoff_end) for season in expected
    ]
