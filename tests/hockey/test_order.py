"""The order of events before 2019-20, when the page's own order does not follow the clock."""

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


def at(second: int, event: str, place: int, **said: Any) -> dict[str, Any]:
    """Return an event at a second of the first period, and its place in the page's own order."""
    clock = f"{second // 60:02}:{second % 60:02}"
    return make_play(event, number=place, sortOrder=place, **{"timeInPeriod": clock, **said})


def shot_at(second: int, place: int, event: str = "shot-on-goal", **said: Any) -> dict[str, Any]:
    return make_shot(event, number=place, sortOrder=place, timeInPeriod=f"{second // 60:02}:{second % 60:02}", **said)


def in_order(*found: dict[str, Any], season: int = OLD) -> pl.DataFrame:
    """Return the rows of a page of a season, in the order of the game."""
    head = {"id": season // 10_000 * 1_000_000 + 20_001, "season": season}
    return build_table(PLAYS, make_pages(make_page(*found, **head))).sort("event_number")


def events(*found: dict[str, Any], season: int = OLD) -> list[str]:
    return in_order(*found, season=season)["event"].to_list()


def test_events_are_numbered_by_period_and_clock_before_2019_20():
    found = in_order(at(30, "hit", 1, periodDescriptor={"number": 2, "periodType": "REG"}), at(90, "giveaway", 2),
                     at(60, "takeaway", 3))  # fmt: skip

    assert found["event"].to_list() == ["takeaway", "giveaway", "hit"]
    assert found["event_number"].to_list() == [1, 2, 3]
    assert found["sort_order"].to_list() == [3, 2, 1]


def test_since_2019_20_the_order_is_the_page_s_own():
    found = in_order(at(90, "hit", 1), at(60, "faceoff", 2), at(60, "stoppage", 3), season=FIRST_IN_ORDER)

    assert found["event_number"].to_list() == [1, 2, 3]
    assert found["event"].to_list() == ["hit", "faceoff", "stoppage"]


def test_events_of_one_second_keep_the_page_s_order():
    assert events(at(60, "hit", 1), at(60, "shot-on-goal", 2), at(60, "stoppage", 3), at(60, "faceoff", 4)) == [
        "hit", "shot-on-goal", "stoppage", "faceoff"
    ]  # fmt: skip


@pytest.mark.parametrize("stop", ["stoppage", "penalty", "goal"])
def test_what_stops_play_comes_before_the_faceoff_of_its_second(stop: str):
    assert events(at(60, "faceoff", 1), at(60, stop, 2), at(60, "hit", 3)) == [stop, "faceoff", "hit"]


def test_of_two_faceoffs_in_a_second_nobody_knows_which_a_stop_belongs_to():
    said = [at(60, "stoppage", 1), at(60, "faceoff", 2), at(60, "stoppage", 3), at(60, "faceoff", 4)]

    assert events(*said) == ["stoppage", "faceoff", "stoppage", "faceoff"]


def test_a_period_starts_first_and_ends_last_and_so_does_the_game():
    said = [at(1200, "game-end", 1), at(1200, "period-end", 2), at(1200, "hit", 3), at(0, "faceoff", 4),
            at(0, "period-start", 5)]  # fmt: skip

    assert events(*said) == ["period-start", "faceoff", "hit", "period-end", "game-end"]


def test_a_shoot_out_is_ordered_by_the_page_whatever_its_clocks():
    said = [at(second, event, place, periodDescriptor={"number": 5, "periodType": "SO"})
            for place, (event, second) in enumerate([("period-start", 0), ("goal", 300), ("missed-shot", 0),
                                                     ("shootout-complete", 0), ("period-end", 300), ("game-end", 0)]
                                                    )]  # fmt: skip

    assert events(*said) == [
        "period-start", "goal", "missed-shot", "shootout-complete", "period-end", "game-end",
    ]  # fmt: skip


def test_rebounds_and_the_score_before_follow_the_order_of_the_game():
    found = in_order(
        shot_at(602, 1),
        shot_at(700, 2, "goal"),
        shot_at(600, 3, by=TEAMMATE),
        at(710, "hit", 4, details={"eventOwnerTeamId": HOME}),
    )

    assert found["is_rebound"].to_list() == [False, True, False, False]
    assert found["has_rebound"].to_list() == [True, False, False, False]
    assert found["home_score_before"].to_list() == [0, 0, 0, 1]
    assert found["previous_event"].to_list() == [None, "shot-on-goal", "shot-on-goal", "goal"]


def recorded(realdata: Path, game: int) -> tuple[pl.LazyFrame, pl.DataFrame]:
    """Return a recorded page of 2018-19 and its plays."""
    (file,) = realdata.glob(f"**/play-by-play/{game}.json")
    pages = make_pages(json.loads(file.read_text()))
    return pages, build_table(PLAYS, pages).sort("event_number")


def test_toronto_has_as_many_rebounds_as_moneypuck_counts(realdata: Path):
    _, plays = recorded(realdata, 2018020859)

    assert plays.filter("has_rebound", acting_team_id=TORONTO).height == 12


@pytest.mark.parametrize(
    "game", [2018020009, 2018020020, 2018020187, 2018020206, 2018020336, 2018020367, 2018020397, 2018020859]
)
def test_recorded_games_of_2018_19_run_forwards_and_break_no_rule_of_order(realdata: Path, game: int):
    pages, plays = recorded(realdata, game)
    clock = 10_000 * plays["period"].cast(pl.Int64) + plays["period_seconds"]

    assert clock.is_sorted()
    assert plays["event"][0] == "period-start"
    assert plays["event"][-1] == "game-end"
    of_order = {"no goal stands beside another score", "the last event is the end of the game",
                "the clock does not run backwards", "goals are the final score"}  # fmt: skip
    assert not of_order & set(check_plays(plays.lazy(), pages).collect()["check"])


@pytest.mark.parametrize("clock", ["20:05", "05:75", None])
def test_an_event_without_a_clock_follows_the_one_before_it_on_the_page(clock: str | None):
    found = [at(300, "hit", 1), at(200, "giveaway", 2), at(0, "penalty", 3, timeInPeriod=clock), at(250, "takeaway", 4)]

    assert events(*found) == ["giveaway", "penalty", "takeaway", "hit"]
    assert events(*found, season=FIRST_IN_ORDER) == ["hit", "giveaway", "penalty", "takeaway"]


def test_a_period_s_first_event_may_be_without_a_clock():
    assert events(at(0, "hit", 1, timeInPeriod=""), at(0, "period-start", 2), at(5, "faceoff", 3)) == [
        "period-start", "hit", "faceoff",
    ]  # fmt: skip
