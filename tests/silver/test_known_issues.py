"""Tests of the declared known issues."""

from collections import Counter

import polars as pl

from nhl_lake.hockey.ids import get_game_season, get_game_type
from nhl_lake.schema import checks
from nhl_lake.silver.known_issues import ISSUES, KNOWN_ISSUES
from tests.silver.bronze_pages import build_table

FOUND = build_table(KNOWN_ISSUES)


def test_issues_pass_the_checks_of_the_table():
    checks.validate_rows(KNOWN_ISSUES, FOUND)


def test_issue_of_several_games_is_one_row_each():
    charts = FOUND.filter(pl.col("issue") == "empty shift chart")

    assert FOUND.height == sum(issue.last - issue.first + 1 for issue in ISSUES)
    assert charts["game_id"].to_list() == [2013020971, *range(2024021235, 2024021292)]


def test_every_game_is_of_its_season_and_exists():
    for season, game in FOUND.select("season", "game_id").rows():
        assert season == get_game_season(game)
        assert get_game_type(game) in {2, 3}


def test_game_may_have_several_issues():
    assert Counter(FOUND["game_id"])[2013020971] == 3


def test_every_issue_has_symptom_handling_and_source():
    for row in FOUND.to_dicts():
        assert all(len(row[name]) > 8 and not row[name].endswith(".") for name in ("symptom", "handling", "source"))
