"""Tests of draft picks, on handwritten pages and those of the league."""

import json
from datetime import UTC, datetime

import polars as pl
import pytest

from nhl_lake.bronze.endpoints import DRAFT_PICKS as PAGES
from nhl_lake.schema import checks
from nhl_lake.silver.draft_picks import DRAFT_PICKS
from tests.league.league_pages import get_league
from tests.silver.bronze_pages import NO_PAGES, build_table, make_pages
from tests.support.documented_pages import DRAFT


def build_picks(page: dict, year: int = 2023) -> pl.DataFrame:
    found = build_table(DRAFT_PICKS, make_pages(page, year=year))
    checks.validate_rows(DRAFT_PICKS, found)
    return found


def test_a_pick_is_one_row_in_metric_units_and_one_to_come_has_no_player():
    first, second = build_picks(DRAFT).rows()

    assert first == (
        2023, 1, 1, 1, 101, "HOM", "AWA-HOM", "Åke", "Grünwald", "LW", "SWE", 188, 84, "Lakes U20", "Umeå Juniors",
    )  # fmt: skip
    assert second == (2023, 33, 2, 1, 102, "AWA", *[None] * 9)


def test_one_odd_field_costs_one_field_and_a_pick_without_number_one_pick():
    odd = DRAFT["picks"][0] | {"height": "6'2", "firstName": {"fr": "Åke"}}
    found = build_picks({"picks": [odd, {"round": 1}, DRAFT["picks"][0]]})

    assert found.select("draft_pick", "height_cm", "first_name", "weight_kg").rows() == [(1, None, None, 84)]
    assert build_table(DRAFT_PICKS, NO_PAGES).is_empty()


@pytest.mark.league
def test_the_league_has_a_page_of_a_draft_from_the_day_after_it():
    path = "/v1/draft/picks/2025/all"
    assert get_league().answer(path, datetime(2025, 6, 27, 20, tzinfo=UTC)).status == 404
    answer = get_league().answer(path, datetime(2025, 6, 29, tzinfo=UTC))
    (record,) = PAGES.endpoint.parse(answer.body, {"year": 2025})
    found = build_picks(json.loads(record.body), 2025)

    assert found["draft_pick"].to_list() == list(range(1, found.height + 1))
    assert found["draft_round"].max() == 7
    assert found.group_by("draft_round").len()["len"].n_unique() == 1
