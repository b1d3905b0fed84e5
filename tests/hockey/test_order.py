"""Tests of the order of events before 2019-20, when the page's order does not follow the clock."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.quality.plays import check_plays
from tests.silver.bronze_pages import build_table, make_pages
from tests.silver.play_builders import HOME, TEAMMATE, make_page, make_play, make_shot

OLD, FIRST_IN_ORDER = 20182019, 20192020
TORONTO = 10


def at(second: int, event: str, place: int, **listed: Any) -> dict[str, Any]:
    """Return an event at a second of the first period, and its place in the page's own order."""
    clock = f"{second // 60:02}:{second % 60:02}"
    return make_play(event, number=place, sortOrder=place, **{"timeInPeriod": clock, **listed})


def shot_at(second: int, place: int, event: str = "shot-on-goal", **listed: Any) -> dict[str, Any]:
    return make_shot(event, number=place, sortOrder=place, timeInPeriod=f"{second // 60:02}:{second % 60:02}", **listed)


def sort_events(*found: dict[str, Any], season: int = OLD) -> pl.DataFrame:
    """Return the rows of a page of a season, in the order of the game."""
    head = {"id": season // 10_000 * 1_000_000 + 20_001, "season": season}
    return build_table(PLAYS, make_pages(make_page(*found, **head))).sort("event_number")


def events(*found: dict[str, Any], season: int = OLD) -> list[str]:
    return sort_events(*found, season=season)["event"].to_list()


def test_events_follow_period_and_clock_before_2019_20():
    found = sort_events(at(30, "hit", 1, periodDescriptor={"number": 2, "periodType": "REG"}), at(90, "giveaway", 2),
                     at(60, "takeaway", 3))  # fmt: skip

    assert found["event"].to_list() == ["takeaway", "giveaway", "hit"]
    assert found["event_number"].to_list() == [1, 2, 3]
    assert found["sort_order"].to_list() == [3, 2, 1]


def test_events_follow_the_page_since_2019_20():
    found = sort_events(at(90, "hit", 1), at(60, "faceoff", 2), at(60, "stoppage", 3), season=FIRST_IN_ORDER)

    assert found["event_number"].to_list() == [1, 2, 3]
    assert found["event"].to_list() == ["hit", "faceoff", "stoppage"]


def test_events_of_one_second_follow_the_page():
    assert events(at(60, "hit", 1), at(60, "shot-on-goal", 2), at(60, "stoppage", 3), at(60, "faceoff", 4)) == [
        "hit", "shot-on-goal", "stoppage", "faceoff"
    ]  # fmt: skip


@pytest.mark.parametrize("stop", ["stoppage", "penalty", "goal"])
def test_stoppage_comes_before_the_faceoff_of_its_second(stop: str):
    assert events(at(60, "faceoff", 1), at(60, stop, 2), at(60, "hit", 3)) == [stop, "faceoff", "hit"]


def test_two_faceoffs_in_a_second_keep_the_page_order():
    listed = [at(60, "stoppage", 1), at(60, "faceoff", 2), at(60, "stoppage", 3), at(60, "faceoff", 4)]

    assert events(*listed) == ["stoppage", "faceoff", "stoppage", "faceoff"]


def test_period_and_game_start_first_and_end_last():
    listed = [at(1200, "game-end", 1), at(1200, "period-end", 2), at(1200, "hit", 3), at(0, "faceoff", 4),
            at(0, "period-start", 5)]  # fmt: skip

    assert events(*listed) == ["period-start", "faceoff", "hit", "period-end", "game-end"]


def test_shootout_follows_the_page():
    listed = [at(second, event, place, periodDescriptor={"number": 5, "periodType": "SO"})
            for place, (event, second) in enumerate([("period-start", 0), ("goal", 300), ("missed-shot", 0),
                                                     ("shootout-complete", 0), ("period-end", 300), ("game-end", 0)]
                                                    )]  # fmt: skip

    assert events(*listed) == [
        "period-start", "goal", "missed-shot", "shootout-complete", "period-end", "game-end",
    ]  # fmt: skip


def test_rebounds_and_score_follow_the_sorted_order():
    found = sort_events(
        shot_at(602, 1),
        shot_at(700, 2, "goal"),
        shot_at(600, 3, by=TEAMMATE),
        at(710, "hit", 4, details={"eventOwnerTeamId": HOME}),
    )

    assert found["is_rebound"].to_list() == [False, True, False, False]
    assert found["has_rebound"].to_list() == [True, False, False, False]
    assert found["home_score_before"].to_list() == [0, 0, 0, 1]
    assert found["previous_event"].to_list() == [None, "shot-on-goal", "shot-on-goal", "goal"]


def read_recorded(realdata: Path, game: int) -> tuple[pl.LazyFrame, pl.DataFrame]:
    """Return a recorded page of 2018-19 and its plays."""
    (file,) = realdata.glob(f"**/play-by-play/{game}.json")
    pages = make_pages(json.loads(file.read_text()))
    return pages, build_table(PLAYS, pages).sort("event_number")


def test_toronto_has_as_many_rebounds_as_moneypuck_counts(realdata: Path):
    _, plays = read_recorded(realdata, 2018020859)

    assert plays.filter("has_rebound", acting_team_id=TORONTO).height == 12


@pytest.mark.parametrize(
    "game", [2018020009, 2018020020, 2018020187, 2018020206, 2018020336, 2018020367, 2018020397, 2018020859]
)
def test_recorded_games_of_2018_19_pass_the_checks_of_order(realdata: Path, game: int):
    pages, plays = read_recorded(realdata, game)
    clock = 10_000 * plays["period"].cast(pl.Int64) + plays["period_seconds"]

    assert clock.is_sorted()
    assert plays["event"][0] == "period-start"
    assert plays["event"][-1] == "game-end"
    of_order = {"the score at each goal matches the goals so far", "the last event is game-end",
                "the clock does not run backwards", "goals add up to the final score"}  # fmt: skip
    assert not of_order & set(check_plays(plays.lazy(), pages).collect()["check"])


@pytest.mark.parametrize("clock", ["20:05", "05:75", None])
def test_event_without_a_clock_follows_the_previous_event(clock: str | None):
    found = [at(300, "hit", 1), at(200, "giveaway", 2), at(0, "penalty", 3, timeInPeriod=clock), at(250, "takeaway", 4)]

    assert events(*found) == ["giveaway", "penalty", "takeaway", "hit"]
    assert events(*found, season=FIRST_IN_ORDER) == ["hit", "giveaway", "penalty", "takeaway"]


def test_first_event_of_a_period_may_have_no_clock():
    assert events(at(0, "hit", 1, timeInPeriod=""), at(0, "period-start", 2), at(5, "faceoff", 3)) == [
        "period-start", "hit", "faceoff",
    ]  # fmt: skip
