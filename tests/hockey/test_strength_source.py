"""Tests of strength where situation codes are wrong, on handwritten and recorded pages."""

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.listed_shifts import LISTED_SHIFTS
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.quality.strength import check_strength
from nhl_lake.silver.shifts import SHIFTS
from tests.silver import builders
from tests.silver.bronze_pages import NO_PAGES, build_table, make_pages, make_schedule_row
from tests.silver.play_builders import (
    AWAY,
    BLOCKER,
    DEFENDER,
    HOME,
    TEAMMATE,
    build_rows,
    make_page,
    make_play,
    make_shot,
)

LATER = datetime(2100, 1, 1, tzinfo=UTC)
ATTEMPTS = ("goal", "shot-on-goal", "missed-shot", "blocked-shot")
GAME, SEASON = 2023020001, 20232024
HOME_TEAM, AWAY_TEAM = (range(first, first + 7) for first in (100, 200))  # six skaters and a goalie, the last of each
PLAYERS = ("away_skaters", "home_skaters")


def at(second: int, code: str | None, event: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return an event of a second of the first periods, with its code; a hit if it is not given."""
    period, second = 1 + second // 1200, second % 1200
    when = {"timeInPeriod": f"{second // 60:02}:{second % 60:02}", "situationCode": code}
    where = {"number": period, "periodType": "REG", "maxRegulationPeriods": 3}
    return {**(event or make_play("hit", details={"eventOwnerTeamId": HOME})), **when, "periodDescriptor": where}


def penalty(team: int, player: int, kind: str = "MIN", minutes: int = 2) -> dict[str, Any]:
    details = {"eventOwnerTeamId": team, "committedByPlayerId": player, "typeCode": kind, "duration": minutes}
    return make_play("penalty", details=details)


def number_events(*events: dict[str, Any]) -> dict[str, Any]:
    """Return a page of events, in order."""
    found = [{**event, "eventId": number, "sortOrder": 10 * number} for number, event in enumerate(events, 1)]
    return make_page(*({key: value for key, value in event.items() if value is not None} for event in found))


def make_drift(code: str = "1541", until: int = 1000) -> list[dict[str, Any]]:
    """Return events whose code has the home team short, although no player was penalized."""
    return [at(second, "1551") for second in (10, 40, 70)] + [at(second, code) for second in range(100, until, 60)]


def test_penalty_clock_replaces_codes_that_no_penalty_explains() -> None:
    found = build_rows(number_events(*make_drift(), at(1100, "1541", make_shot("goal", by=BLOCKER))))
    goal = found.row(-1, named=True)
    assert goal["situation_code"] == "1541"
    assert (goal["strength_source"], goal["strength_state"], goal["situation"]) == ("penalty clock", "EV", "5on5")
    assert found["strength_source"].to_list() == ["page"] * 3 + ["penalty clock"] * (found.height - 3)


def test_power_play_among_wrong_codes_is_recognized() -> None:
    events = [*make_drift(), at(1010, "1541", penalty(AWAY, DEFENDER)), at(1050, "1441", make_shot("goal"))]
    goal = build_rows(number_events(*events)).row(-1, named=True)
    assert (goal["strength_source"], goal["strength_state"], goal["situation"]) == ("penalty clock", "PP", "5on4")


def test_even_code_during_a_power_play_is_replaced() -> None:
    long = at(100, "1551", penalty(AWAY, DEFENDER, "MAJ", 5))
    goal = at(390, "1551", make_shot("goal"))
    found = build_rows(number_events(long, *(at(second, "1551") for second in range(130, 390, 30)), goal))
    assert found.row(-1, named=True)["strength_state"] == "PP"


def test_goalie_in_net_follows_the_code() -> None:
    events = number_events(*make_drift(), at(1100, "0641", make_shot("shot-on-goal", by=BLOCKER)))
    found = build_rows(events).row(-1, named=True)
    assert (found["has_away_goalie"], found["away_skaters"], found["home_skaters"]) == (False, 6, 5)
    assert (found["strength_state"], found["situation"]) == ("EV", "other")


def test_wrong_codes_may_continue_over_periods() -> None:
    events = [at(second, "1441") for second in range(1100, 3000, 100)]
    assert set(build_rows(number_events(*events))["strength_source"]) == {"penalty clock"}
    assert set(build_rows(number_events(*events)).select(PLAYERS).rows()) == {(5, 5)}


@pytest.mark.parametrize("until", [130, 200, 270])
def test_unusual_codes_for_less_than_three_minutes_are_used(until: int) -> None:
    assert set(build_rows(number_events(*make_drift(until=until)))["strength_source"]) == {"page"}


def test_missing_code_gives_no_strength() -> None:
    found = build_rows(number_events(*make_drift(), at(1100, None), at(1110, "15x1")))
    assert found["strength_source"].to_list()[-2:] == [None, None]
    assert found["strength_state"].to_list()[-2:] == [None, None]


def test_three_on_three_overtime_is_explained() -> None:
    overtime = {"number": 4, "periodType": "OT", "maxRegulationPeriods": 3}
    events = [at(second, "1331") | {"periodDescriptor": overtime} for second in range(0, 299, 20)]
    assert set(build_rows(number_events(*events))["strength_source"]) == {"page"}


seconds = st.lists(st.integers(0, 3590), min_size=1, max_size=40).map(sorted)


@given(seconds, st.lists(st.tuples(st.integers(0, 14), st.booleans()), max_size=8, unique_by=lambda one: one[0]))
def test_codes_that_penalties_explain_are_used(moments: list[int], penalties: list[tuple[int, bool]]) -> None:
    """At most one minor in four minutes, of either team: two minutes later the code is 1551 again."""
    starts = {240 * number + 5: is_home for number, is_home in penalties}
    events = [
        at(second, "1551", penalty(*((HOME, TEAMMATE) if is_home else (AWAY, DEFENDER))))
        for second, is_home in starts.items()
    ]
    for second in moments:
        short = {is_home for start, is_home in starts.items() if start < second < start + 120}
        code = "1551" if not short else "1541" if True in short else "1451"
        events.append(at(second, code))
    found = build_rows(
        number_events(*sorted(events, key=lambda event: (event["periodDescriptor"]["number"], event["timeInPeriod"])))
    )
    assert set(found["strength_source"]) == {"page"}


def make_with_shifts(*events: dict[str, Any], missing: tuple[int, ...] = ()) -> pl.DataFrame:
    """Return plays of a game with shifts: all players are always on the ice, except the sixth skaters."""
    team_of = dict.fromkeys(HOME_TEAM, HOME) | dict.fromkeys(AWAY_TEAM, AWAY)
    goalies = (HOME_TEAM[-1], AWAY_TEAM[-1])
    on = [player for player in team_of if player not in (HOME_TEAM[0], AWAY_TEAM[0], *missing)]
    ids = {"season": SEASON, "game_id": GAME}
    shifts = [
        {**ids, "player_id": player, "team_id": team_of[player], "period": period, "start_seconds": 0}
        | {"end_seconds": 1200, "shift_source": "chart", "listed_rows": 1}
        for player in on
        for period in (1, 2, 3)
    ]
    lineups = [
        {**ids, "player_id": player, "team_id": team, "position": "G" if player in goalies else "C"}
        for player, team in team_of.items()
    ]
    frames = (pl.LazyFrame(found, schema=table.schema) for found, table in ((shifts, SHIFTS), (lineups, LINEUPS)))
    return build_table(PLAYS, make_pages(number_events(*events)), *frames).sort("event_number")


def test_players_on_the_ice_decide_if_there_are_shifts() -> None:
    found = make_with_shifts(*make_drift(until=220))
    assert found["strength_source"].to_list() == ["page"] * 3 + ["shifts"] * 2
    assert set(found.select(PLAYERS).rows()) == {(5, 5)}


def test_event_without_a_code_takes_the_strength_of_its_shifts() -> None:
    found = make_with_shifts(at(10, "1551"), at(100, None, make_shot()))
    assert found["strength_source"].to_list() == ["page", "shifts"]
    assert found["situation"].to_list()[-1] == "5on5"


def test_missing_shift_does_not_replace_a_code_that_penalties_explain() -> None:
    found = make_with_shifts(*(at(second, "1551") for second in range(10, 1000, 60)), missing=(HOME_TEAM[1],))
    assert set(found["strength_source"]) == {"page"}


@pytest.mark.parametrize("missing", [HOME_TEAM[1:5], HOME_TEAM])
def test_penalty_clock_decides_if_the_shifts_are_impossible(missing: range) -> None:
    found = make_with_shifts(*make_drift(), missing=tuple(missing))
    assert set(found["strength_source"]) == {"page", "penalty clock"}
    assert set(found.select(PLAYERS).rows()) == {(5, 5)}


@pytest.fixture(scope="module")
def playoffs(realdata: Path, archive: Callable[..., Any]) -> tuple[list[dict[str, Any]], pl.LazyFrame, pl.LazyFrame]:
    """Five recorded games with shift charts: pages, shifts and lineups."""
    files = sorted((realdata / "shiftcharts-derived").glob("*.json"))[:5]
    pages = [json.loads(archive("20222023").play_by_play(int(file.stem), LATER)) for file in files]
    lineups = build_table(LINEUPS, make_pages(*pages), NO_PAGES, NO_PAGES).lazy()
    charts = pl.concat([builders.make_page(file.read_text(), int(file.stem)) for file in files])
    games = builders.make_games(*(make_schedule_row(page) for page in pages))
    lines = (builders.make_skater_games(), builders.make_goalie_games())
    listed = build_table(LISTED_SHIFTS, charts, NO_PAGES, NO_PAGES, lineups, games, *lines).lazy()
    shifts = build_table(SHIFTS, listed, lineups).lazy()
    return pages, shifts, lineups


@pytest.mark.parametrize("has_shifts", [True, False])
def test_damaged_recorded_codes_are_repaired(playoffs: Any, has_shifts: bool) -> None:  # noqa: FBT001
    pages, shifts, lineups = playoffs
    undamaged = (shifts, lineups) if has_shifts else ()
    damaged = copy.deepcopy(pages)
    for game in damaged:
        for event in game["plays"][120:]:
            code = event.get("situationCode", "")
            if len(code) == 4 and code[2] > "3":
                event["situationCode"] = f"{code[:2]}{int(code[2]) - 1}{code[3]}"
    clean, repaired = (
        build_table(PLAYS, make_pages(*found), *undamaged).filter(pl.col("event").is_in(ATTEMPTS))
        for found in (pages, damaged)
    )
    assert set(clean["strength_source"]) == {"page"}
    assert ("shifts" if has_shifts else "penalty clock") in set(repaired["strength_source"])
    equal = (clean["strength_state"] == repaired["strength_state"]) & (clean["situation"] == repaired["situation"])
    assert equal.mean() > 0.99


def read_recorded(realdata: Path, game: int) -> pl.DataFrame:
    body = (realdata / "odd" / "play-by-play" / f"{game}.json").read_text()
    return build_table(PLAYS, make_pages(json.loads(body))).sort("event_number").filter("is_goal")


def test_goals_of_a_recorded_game_with_drifting_codes(realdata: Path) -> None:
    found = read_recorded(realdata, 2019020711)
    assert found["strength_state"].to_list() == ["EV", "PP", "PP", *["EV"] * 7]


def test_goals_of_a_recorded_game_with_flickering_codes(realdata: Path) -> None:
    found = read_recorded(realdata, 2019020626)
    assert found["strength_state"].to_list() == ["PP", "PP", "EV", "PP", "PP", "EV"]


def test_recorded_games_pass_the_checks_of_strength(playoffs: Any) -> None:
    pages, shifts, lineups = playoffs
    found = build_table(PLAYS, make_pages(*pages), shifts, lineups).lazy()
    assert check_strength(found, shifts, lineups, builders.make_skater_games()).collect().is_empty()
