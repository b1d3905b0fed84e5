"""Tests of standings, on handwritten pages and the simulated league."""

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from nhl_lake.errors import ValidationFailed
from nhl_lake.schema import checks
from nhl_lake.silver.standings import RECORD_COLUMNS, RECORD_KEYS, SPLIT_LABELS, STANDINGS, make_split_key
from tests.league.league_pages import get_league, get_page
from tests.silver.bronze_pages import NO_PAGES, build_table, make_pages

DAY = date(2024, 1, 10)
NUMBERS = {
    "gamesPlayed": 40, "wins": 20, "losses": 15, "otLosses": 5, "ties": 0, "points": 45, "regulationWins": 14,
    "regulationPlusOtWins": 18, "goalFor": 120, "goalAgainst": 118, "goalDifferential": 2,
}  # fmt: skip
LINE = NUMBERS | {
    "date": "2024-01-10", "seasonId": 20232024, "teamAbbrev": {"default": "HFX"},
    "teamName": {"default": "Halifax Herons"},
    "conferenceName": "Eastern", "divisionName": "Atlantic", "pointPctg": 0.5625, "streakCode": "OT", "streakCount": 2,
    "shootoutWins": 2, "shootoutLosses": 3, "leagueSequence": 9, "conferenceSequence": 5, "divisionSequence": 4,
    "wildcardSequence": 1, "waiversSequence": 23, "leagueHomeSequence": 6, "divisionL10Sequence": 2, "homeWins": 12,
    "roadGoalsFor": 51, "l10GamesPlayed": 10, "l10RegulationPlusOtWins": 4,
}  # fmt: skip


def build_standings(*lines: dict[str, Any], day: date = DAY) -> pl.DataFrame:
    return build_table(STANDINGS, make_pages({"wildCardIndicator": True, "standings": list(lines)}, game_date=day))


def test_team_after_a_day_is_one_row_with_the_numbers_of_the_page():
    (row,) = build_standings(LINE).to_dicts()

    assert {name: value for name, value in row.items() if value is not None} == {
        "season": 20232024, "game_date": DAY, "team_abbrev": "HFX", "line_date": DAY, "team_name": "Halifax Herons",
        "conference": "Eastern", "division": "Atlantic", "games": 40, "wins": 20, "losses": 15, "overtime_losses": 5,
        "ties": 0, "points_won": 45, "regulation_wins": 14, "regulation_and_overtime_wins": 18, "goals_for": 120,
        "goals_allowed": 118, "goal_difference": 2, "point_share": 0.5625, "streak_kind": "OT", "streak": 2,
        "shootout_wins": 2, "shootout_losses": 3, "league_rank": 9, "conference_rank": 5, "division_rank": 4,
        "wild_card_rank": 1, "waivers_rank": 23, "league_home_rank": 6, "division_last_10_rank": 2, "home_wins": 12,
        "road_goals_for": 51, "last_10_games": 10, "last_10_regulation_and_overtime_wins": 4,
    }  # fmt: skip


def test_row_that_lags_has_its_own_date():
    (row,) = build_standings(LINE | {"date": "2024-01-09"}).to_dicts()

    assert (row["game_date"], row["line_date"]) == (DAY, date(2024, 1, 9))


def test_empty_standings_and_no_pages_give_no_rows():
    assert build_standings().is_empty()
    assert build_table(STANDINGS, NO_PAGES).is_empty()


@pytest.mark.parametrize("key", [*NUMBERS, "date", "teamName"])
def test_invalid_field_is_null_and_costs_nothing_else(key: str):
    (complete,) = build_standings(LINE).to_dicts()
    for invalid in ({name: value for name, value in LINE.items() if name != key}, LINE | {key: []}):
        found = build_standings(invalid)
        checks.validate_rows(STANDINGS, found)
        (row,) = found.to_dicts()
        assert [name for name, value in row.items() if value != complete[name]] == [
            name for name, value in row.items() if value is None and complete[name] is not None
        ]
        assert sum(row[name] != complete[name] for name in row) == 1


@pytest.mark.parametrize("key", ["seasonId", "teamAbbrev"])
def test_row_without_a_team_is_left_out(key: str):
    assert build_standings({name: value for name, value in LINE.items() if name != key}).is_empty()


@pytest.mark.parametrize(
    ("overrides", "rule"),
    [
        ({"wins": 21, "points": 47}, "wins, losses, overtime losses and ties add up to games"),
        ({"points": 46}, "points follow from results"),
        ({"goalDifferential": 3}, "the goal difference is goals for minus goals against"),
    ],
)
def test_contradicting_numbers_are_invalid(overrides: dict[str, int], rule: str):
    checks.validate_rows(STANDINGS, build_standings(LINE))
    with pytest.raises(ValidationFailed, match=rule):
        checks.validate_rows(STANDINGS, build_standings(LINE | overrides))


@pytest.mark.league
def test_league_standings_add_up_and_follow_from_its_results():
    day = date(2025, 1, 10)
    as_of = datetime(2025, 1, 10, 14, tzinfo=UTC)
    page = get_page(f"/v1/standings/{day}", as_of)
    found = build_table(STANDINGS, make_pages(page, game_date=day))
    checks.validate_rows(STANDINGS, found)

    results = [result for result in get_league().engine.list_results(20242025, as_of) if result.day <= day]
    wins = dict.fromkeys((team.team_id for team in get_league().engine.season(20242025).teams), 0)
    for result in results:
        wins[result.home_id if result.home_goals > result.away_goals else result.away_id] += 1
    names = {team.abbrev: team.team_id for team in get_league().engine.season(20242025).teams}
    assert {names[team]: won for team, won in found.select("team_abbrev", "wins").rows()} == wins
    assert found.select((pl.col("home_games") + pl.col("road_games") == pl.col("games")).all()).item()
    for line in page["standings"]:
        (row,) = found.filter(team_abbrev=line["teamAbbrev"]["default"]).to_dicts()
        assert [row[name] for name in RECORD_KEYS] == [line[key] for key, _ in RECORD_KEYS.values()]
        for split, prefix in zip(SPLIT_LABELS, ("home", "road", "last_10"), strict=True):
            expected = [line[make_split_key(split, key)] for key, _ in RECORD_COLUMNS.values()]
            assert [row[f"{prefix}_{name}"] for name in RECORD_COLUMNS] == expected
