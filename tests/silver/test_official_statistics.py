"""Tests of official statistics and their comparison with gold, on handwritten pages."""

from typing import Any

import pytest

from nhl_lake.catalog import find_table
from nhl_lake.quality import audit
from nhl_lake.schema import checks
from nhl_lake.silver.official_statistics import OFFICIAL_STATISTICS, REPORTS
from tests.silver.bronze_pages import NO_PAGES, build_table, make_pages
from tests.support.documented_pages import GAME, GOALIE_REPORT, SKATER_REPORT, TEAM_REPORT


def build(*reports: Any, state: str = "OFF") -> list[tuple[Any, ...]]:
    pages = [make_pages(report, game_id=GAME, season=20232024, state=state) for report in reports]
    found = build_table(OFFICIAL_STATISTICS, *pages)
    checks.validate_rows(OFFICIAL_STATISTICS, found)
    return found.select("subject", "subject_id", "statistic", "value").rows()


def test_a_statistic_is_one_row_by_its_name_in_gold_and_one_without_value_has_no_row():
    assert build(SKATER_REPORT, GOALIE_REPORT, TEAM_REPORT) == [
        ("goalie", 8470003, "goals_against", 2),
        ("goalie", 8470003, "saves", 28),
        ("goalie", 8470003, "shots_against", 30),
        ("goalie", 8470003, "time_on_ice_s", 3600),
        ("skater", 8470001, "assists", 1),
        ("skater", 8470001, "goals", 1),
        ("skater", 8470001, "penalty_minutes", 2),
        ("skater", 8470001, "points", 2),
        ("skater", 8470001, "shots_on_goal", 4),
        ("skater", 8470001, "time_on_ice_s", 1034),
        ("team", 101, "shots_on_goal", 31),
    ]


def test_one_odd_field_costs_one_field_and_an_empty_report_has_no_rows():
    odd = {"data": [{"playerId": 8470001, "goals": "two", "assists": 1}, {"goals": 1}]}

    assert build(odd, {"data": []}, {"data": []}) == [("skater", 8470001, "assists", 1)]
    assert build(odd, {"data": []}, {"data": []}, state="LIVE") == []
    assert build_table(OFFICIAL_STATISTICS, NO_PAGES, NO_PAGES, NO_PAGES).is_empty()


@pytest.mark.parametrize("subject", REPORTS)
def test_every_official_statistic_is_a_column_of_gold(subject: str):
    table, key = audit.GOLD_OF_SUBJECT[subject]

    assert find_table(table.name) is table
    assert {key, "situation", *REPORTS[subject][2].values()} <= set(table.schema)
