"""Tests of playoff series, on handwritten and recorded pages."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from nhl_lake.bronze.endpoints import PLAYOFF_BRACKET
from nhl_lake.schema import checks
from nhl_lake.silver.playoff_series import PLAYOFF_SERIES
from tests.league.league_pages import get_league
from tests.silver.bronze_pages import NO_PAGES, build_table, make_pages

FIRST = {
    "seriesLetter": "A", "playoffRound": 1, "seriesTitle": "1st Round", "seriesAbbrev": "R1",
    "topSeedTeam": {"id": 101, "abbrev": "HOM"}, "topSeedRank": 1, "topSeedRankAbbrev": "D1", "topSeedWins": 4,
    "bottomSeedTeam": {"id": 102, "abbrev": "AWA"}, "bottomSeedRank": 4, "bottomSeedRankAbbrev": "WC1",
    "bottomSeedWins": 2, "winningTeamId": 101, "losingTeamId": 102,
}  # fmt: skip
TO_COME = {
    "seriesLetter": "I", "playoffRound": 2, "seriesTitle": "2nd Round", "topSeedRank": 0, "topSeedWins": 0,
    "bottomSeedRank": 0, "bottomSeedWins": 0,
}  # fmt: skip


def build_series(*series: Any) -> pl.DataFrame:
    found = build_table(PLAYOFF_SERIES, make_pages({"series": list(series)}, season=20232024))
    checks.validate_rows(PLAYOFF_SERIES, found)
    return found


def test_a_series_is_one_row_with_its_teams_and_wins():
    assert build_series(FIRST).rows() == [
        (20232024, "A", 1, "1st Round", 101, "HOM", "D1", 4, 102, "AWA", "WC1", 2, 101)
    ]


def test_teams_and_wins_of_a_series_to_come_are_unknown():
    assert build_series(TO_COME).rows() == [
        (20232024, "I", 2, "2nd Round", None, None, None, None, None, None, None, None, None)
    ]


def test_one_odd_field_costs_one_field_and_a_series_without_letter_or_given_twice_one_row():
    found = build_series(FIRST | {"topSeedWins": "four", "seriesTitle": 7}, {"playoffRound": 1}, FIRST)

    assert found.select("series_letter", "series_title", "top_seed_wins", "bottom_seed_wins").rows() == [
        ("A", None, None, 2)
    ]


def test_no_pages_give_no_rows():
    assert build_table(PLAYOFF_SERIES, NO_PAGES).is_empty()


def test_a_recorded_bracket_has_fifteen_series_of_which_seven_are_to_come(realdata: Path):
    body = (realdata / "playoff-bracket" / "playoff-bracket-2025.json").read_bytes()
    (record,) = PLAYOFF_BRACKET.endpoint.parse(body, {"season": 20242025, "year": 2025})
    found = build_series(*json.loads(record.body)["series"])

    assert record.season == 20242025
    assert found["series_letter"].to_list() == list("ABCDEFGHIJKLMNO")
    assert found["top_seed_team_id"].null_count() == found["bottom_seed_wins"].null_count() == 7
    assert found.head(8)["top_seed_rank"].str.contains(r"^D[12]$").all()


@pytest.mark.league
def test_the_bracket_of_the_league_has_the_wins_of_its_games():
    path = "/v1/playoff-bracket/2025"
    assert get_league().answer(path, datetime(2025, 4, 1, tzinfo=UTC)).status == 404
    answer = get_league().answer(path, datetime(2025, 7, 15, tzinfo=UTC))
    found = build_series(*json.loads(answer.body)["series"])
    engine, wins = get_league().engine, Counter()
    for game in engine.playoffs(20242025):
        if game.is_played:
            home, away = engine.get_outcome(game.game_id).score
            wins[game.series.letter, game.home_id if home > away else game.away_id] += 1

    assert found.height == 15
    for row in found.iter_rows(named=True):
        for seed in ("top", "bottom"):
            assert row[f"{seed}_seed_wins"] == wins[row["series_letter"], row[f"{seed}_seed_team_id"]]
        assert wins[row["series_letter"], row["winner_team_id"]] == 4
