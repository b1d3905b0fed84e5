"""Property tests of damaged play-by-play pages: rows are valid or an error is raised, in any order of the plays."""

import copy
import json
from functools import cache
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nhl_lake.errors import ValidationFailed
from nhl_lake.schema import checks
from nhl_lake.silver.parsing.pages import read_leniently
from nhl_lake.silver.plays import PLAYS, Page
from nhl_lake.silver.quality.plays import check_plays
from tests.league.league_pages import get_game_page, list_played_games
from tests.silver.bronze_pages import build_table, make_pages
from tests.support.examples import try_examples

pytestmark = pytest.mark.league

GAME = 0
ODD = (None, "", "x", -1, 0, 99_999, 3_000_000_000, 1.5, True, [], {}, "00:00", "1551")
seeds = st.integers(0, 2**32)


@cache
def dump_page() -> str:
    return json.dumps(get_game_page(list_played_games(20252026)[GAME], "play-by-play"))


@cache
def build_truth() -> pl.DataFrame:
    return build_table(PLAYS, make_pages(json.loads(dump_page())))


def build_outcome(page: dict[str, Any]) -> pl.DataFrame | None:
    """Return the validated rows of a page; None if it is rejected."""
    try:
        rows = build_table(PLAYS, make_pages(page))
        checks.validate_rows(PLAYS, rows)
    except (ValidationFailed, pl.exceptions.PolarsError):
        return None
    return rows


@try_examples(10)
@given(seeds)
def test_order_on_the_page_changes_nothing(seed: int):
    page = json.loads(dump_page())
    Random(seed).shuffle(page["plays"])
    Random(seed + 1).shuffle(page["rosterSpots"])

    assert build_table(PLAYS, make_pages(page)).equals(build_truth())


@try_examples(10)
@given(seeds)
def test_duplicate_event_counts_once_or_is_rejected(seed: int):
    page = json.loads(dump_page())
    again = copy.deepcopy(Random(seed).choice(page["plays"]))
    for changed in ({}, {"eventId": 100_000}):
        page["plays"] = [*json.loads(dump_page())["plays"], again | changed]
        assert build_table(PLAYS, make_pages(page)).equals(build_truth())
    page["plays"] = [*json.loads(dump_page())["plays"], again | {"sortOrder": 100_000}]
    found = build_outcome(page)
    assert found is None or (again["typeDescKey"] == "goal" and found.equals(build_truth()))


@try_examples(10)
@given(seeds)
def test_page_without_some_plays_fails_a_check_or_has_all_that_counts(seed: int):
    page, random = json.loads(dump_page()), Random(seed)
    page["plays"] = random.sample(page["plays"], random.randint(0, len(page["plays"]) - 1))

    rows = build_outcome(page)

    assert rows is not None
    assert rows.height == len(page["plays"])
    failed_checks = check_plays(rows.lazy(), make_pages(page)).collect()["check"].to_list()
    for flag, failed_check in (
        ("is_goal", "goals add up to the final score"),
        ("is_shot_on_goal", "shots on goal match the page header"),
    ):
        if rows.height and rows[flag].sum() != build_truth()[flag].sum():
            assert failed_check in failed_checks


@try_examples(40)
@given(seeds)
def test_dropped_or_changed_value_raises_or_leaves_unrelated_values(seed: int):
    page, random = json.loads(dump_page()), Random(seed)
    event = random.choice(page["plays"])
    is_other = (pl.col("period") != event["periodDescriptor"]["number"]) & (pl.col("event_id") != event["eventId"])
    place = random.choice([event, event["periodDescriptor"], event.get("details") or event])
    key = random.choice(sorted(place))
    if random.random() < 0.5:
        del place[key]
    else:
        place[key] = random.choice(ODD)

    rows = build_outcome(page)

    if rows is not None:
        left_out = [invalid for invalid in read_leniently(json.dumps(page), Page)[1] if invalid.is_row]
        assert rows.height == build_truth().height - len(left_out)
        assert rows.select("season", "game_id", "event_id").n_unique() == rows.height
        unmoved = [
            "event",
            "acting_team_id",
            "is_attempt",
            "is_penalty_shot",
            "x_raw_ft",
            "situation",
            "period_seconds",
        ]
        kept_rows = rows.filter(is_other).select("event_id", *unmoved)
        assert kept_rows.join(build_truth(), on=["event_id", *unmoved], how="anti", nulls_equal=True).is_empty()


@try_examples(20)
@given(seeds)
@example(6473)
def test_page_damaged_anywhere_raises_or_passes_the_checks(seed: int):
    page, random = json.loads(dump_page()), Random(seed)
    for _ in range(random.randint(1, 5)):
        places = [page, page["homeTeam"], random.choice(page["plays"]), random.choice(page["rosterSpots"])]
        place = random.choice([some for some in places if some])  # an invalid value may be {}
        key = random.choice(sorted(place))
        place[key] = random.choice(ODD)
        if not all(
            isinstance(page.get(name), kind)
            for name, kind in (("homeTeam", dict), ("plays", list), ("rosterSpots", list))
        ):
            break
        if not page["plays"] or not page["rosterSpots"]:
            break

    rows = build_outcome(page)

    assert rows is None or rows.height <= len(page["plays"])
