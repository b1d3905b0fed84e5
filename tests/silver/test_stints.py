"""Tests of stints, on handwritten shifts."""

from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhl_lake.schema import checks
from nhl_lake.silver.quality.shifts import check_player_counts
from nhl_lake.silver.stints import STINTS, sum_time_by_situation, sum_time_on_ice
from tests.silver import builders
from tests.silver.bronze_pages import build_table
from tests.silver.builders import AWAY, GAME, HOME, make_lineup_row, make_shift
from tests.support.examples import try_examples

HOMERS, HOME_GOALIES = range(1, 8), (30, 35)
VISITORS, AWAY_GOALIES = range(51, 58), (80, 85)
TEAM = {**dict.fromkeys((*HOMERS, *HOME_GOALIES), HOME), **dict.fromkeys((*VISITORS, *AWAY_GOALIES), AWAY)}
GOALIES = {*HOME_GOALIES, *AWAY_GOALIES}
LINEUP = builders.make_lineups(*(make_lineup_row(p, team, "G" if p in GOALIES else "C") for p, team in TEAM.items()))

spans = st.lists(
    st.tuples(st.sampled_from(sorted(TEAM)), st.integers(1, 2), st.integers(0, 60), st.integers(1, 40)), max_size=25
)


def make_shift_of(*players: int, start: int = 0, end: int = 60, **overrides: Any) -> list[dict[str, Any]]:
    return [make_shift(player, start, end, TEAM[player], **overrides) for player in players]


def build_stints(shifts: list[dict[str, Any]], lineup: pl.LazyFrame = LINEUP, **overrides: Any) -> pl.DataFrame:
    found = build_table(
        STINTS, builders.make_shifts(*shifts), lineup, builders.make_games(builders.make_game(**overrides))
    )
    checks.validate_rows(STINTS, found)
    return found


def list_codes(shifts: list[dict[str, Any]]) -> list[tuple[int, int, str]]:
    return build_stints(shifts).select("start_seconds", "end_seconds", "situation_code").rows()


def drop_overlaps(drawn: list[tuple[int, int, int, int]]) -> list[dict[str, Any]]:
    """Return shifts of which no two of a player overlap."""
    taken: list[dict[str, Any]] = []
    for player, period, start, length in drawn:
        others = [row for row in taken if (row["player_id"], row["period"]) == (player, period)]
        if all(start + length <= row["start_seconds"] or start >= row["end_seconds"] for row in others):
            taken += make_shift_of(player, start=start, end=start + length, period=period)
    return taken


def test_stint_is_one_row_with_the_players_of_both_teams():
    full = make_shift_of(*range(1, 6), 30, *range(51, 55), 80)

    assert build_stints(full).to_dicts() == [
        {
            "season": 20232024,
            "game_id": GAME,
            "period": 1,
            "start_seconds": 0,
            "end_seconds": 60,
            "home_team_id": HOME,
            "away_team_id": AWAY,
            "home_skater_player_ids": [1, 2, 3, 4, 5],
            "away_skater_player_ids": [51, 52, 53, 54],
            "home_goalie_player_id": 30,
            "away_goalie_player_id": 80,
            "home_skaters": 5,
            "away_skaters": 4,
            "home_goalies": 1,
            "away_goalies": 1,
            "situation_code": "1451",
            "home_strength_state": "PP",
        }
    ]


def test_no_shifts_give_no_stints():
    assert build_stints([]).is_empty()
    assert build_stints([]).schema == STINTS.schema


def test_line_change_separates_two_stints():
    shifts = [
        *make_shift_of(1, 2, 3, 30, 80),
        *make_shift_of(51, end=20),
        *make_shift_of(52, start=20),
        *make_shift_of(53, start=40),
    ]

    assert list_codes(shifts) == [(0, 20, "1131"), (20, 40, "1131"), (40, 60, "1231")]


def test_empty_net_is_a_zero_in_the_code():
    assert list_codes(make_shift_of(*range(1, 6), 30, *range(51, 57))) == [(0, 60, "0651")]
    assert list_codes(make_shift_of(*range(1, 7), *range(51, 56), 80)) == [(0, 60, "1560")]


@pytest.mark.parametrize(
    ("home", "away", "state"),
    [
        ((1, 2, 3, 4, 5, 30), (51, 52, 53, 54, 55, 80), "EV"),
        ((1, 2, 3, 4, 5, 6), (51, 52, 53, 54, 55, 80), "EV"),
        ((1, 2, 3, 4, 5, 6), (51, 52, 53, 54, 80), "PP"),
        ((1, 2, 3, 4, 30), (51, 52, 53, 54, 55, 56), "SH"),
    ],
)
def test_strength_counts_players_including_goalies(home: tuple[int, ...], away: tuple[int, ...], state: str):
    assert build_stints(make_shift_of(*home, *away))["home_strength_state"].to_list() == [state]


def test_seconds_without_players_give_no_stint_and_separate_two():
    assert list_codes([*make_shift_of(1, end=20), *make_shift_of(1, start=40)]) == [(0, 20, "0010"), (40, 60, "0010")]


def test_player_who_leaves_and_returns_in_a_second_did_not_leave():
    assert list_codes([*make_shift_of(1, 2, 51), *make_shift_of(3, end=20), *make_shift_of(3, start=20)]) == [
        (0, 60, "0130")
    ]


def test_periods_and_games_do_not_affect_each_other():
    other = make_shift_of(1, end=30, period=2)

    assert build_stints([*make_shift_of(1), *other]).select("period", "start_seconds", "end_seconds").rows() == [
        (1, 0, 60),
        (2, 0, 30),
    ]


def test_two_goalies_of_a_team_are_counted_without_guessing():
    (row,) = build_stints(make_shift_of(1, 2, 3, 30, 35, 51, 52, 53, 80)).to_dicts()

    assert (row["home_goalies"], row["home_goalie_player_id"], row["situation_code"]) == (2, None, None)


def test_time_on_ice_is_split_by_strength_and_situation():
    shifts = [*make_shift_of(*range(1, 6), 30, *range(51, 55), 80), *make_shift_of(55, start=40)]
    found = build_stints(shifts).lazy()
    (forward,) = sum_time_on_ice(found).filter(pl.col("player_id") == 1).collect().to_dicts()
    (opponent,) = sum_time_on_ice(found).filter(pl.col("player_id") == 51).collect().to_dicts()
    by_code = sum_time_by_situation(found).filter(pl.col("player_id") == 80).collect()

    names = ("time_on_ice_s", "even_strength_s", "power_play_s", "shorthanded_s")
    assert [forward[name] for name in names] == [60, 20, 40, 0]
    assert [opponent[name] for name in names] == [60, 20, 0, 40]
    assert dict(by_code.select("situation_code", "time_on_ice_s").rows()) == {"1451": 40, "1551": 20}


@try_examples(40)
@given(drawn=spans)
def test_stints_of_a_player_add_up_to_their_shifts(drawn: list[tuple[int, int, int, int]]):
    shifts = [row for row in drop_overlaps(drawn) if row["player_id"] not in {35, 85}]  # never two goalies
    seconds: dict[int, int] = {}
    for row in shifts:
        seconds[row["player_id"]] = seconds.get(row["player_id"], 0) + row["end_seconds"] - row["start_seconds"]
    found = sum_time_on_ice(build_stints(shifts).lazy()).collect()

    assert dict(found.select("player_id", "time_on_ice_s").rows()) == seconds
    parts = found.select(pl.sum_horizontal("even_strength_s", "power_play_s", "shorthanded_s")).to_series()
    assert parts.to_list() == found["time_on_ice_s"].to_list()


@try_examples(40)
@given(drawn=spans)
def test_stints_do_not_overlap_and_neighbors_differ(drawn: list[tuple[int, int, int, int]]):
    rows = build_stints(drop_overlaps(drawn)).to_dicts()

    for one, other in pairwise(rows):
        if one["period"] == other["period"]:
            assert one["end_seconds"] <= other["start_seconds"]
            times = ("start_seconds", "end_seconds")
            same = {k: v for k, v in one.items() if k not in times} == {
                k: v for k, v in other.items() if k not in times
            }
            assert (
                not same
                or one["end_seconds"] < other["start_seconds"]
                or 2 in (one["home_goalies"], one["away_goalies"])
            )


@try_examples(40)
@given(drawn=spans)
def test_swapping_home_and_away_mirrors_the_stints(drawn: list[tuple[int, int, int, int]]):
    turned = {"home": "away", "away": "home"}
    mirrored = build_stints(drop_overlaps(drawn), home_team_id=AWAY, away_team_id=HOME)
    renamed = mirrored.rename(lambda name: "_".join(turned.get(word, word) for word in name.split("_")))
    back = renamed.with_columns(
        situation_code=pl.col("situation_code").str.reverse(),
        home_strength_state=pl.col("away_strength_state").replace({"PP": "SH", "SH": "PP"}),
    )

    assert back.select(list(STINTS.schema)).equals(build_stints(drop_overlaps(drawn)))


@pytest.mark.parametrize(
    ("home", "seconds", "severity"),
    [
        ((1, 2, 30), 60, ["error"]),
        ((1, 2, 30), 30, ["warning"]),
        ((1, 2, 3, 30, 35), 60, ["error"]),
        ((1, 2, 3, 4, 5, 6, 30), 60, ["error"]),
        ((1, 2, 3, 4, 5, 6, 7), 60, ["error"]),
        ((1, 2, 3, 4, 5, 6), 60, []),
        ((1, 2, 3, 30), 60, []),
        ((), 60, ["error"]),
    ],
)
def test_impossible_number_of_players_is_counted(home: tuple[int, ...], seconds: int, severity: list[str]):
    found = check_player_counts(
        build_stints(make_shift_of(*home, 51, 52, 53, 54, 55, 80, end=seconds)).lazy()
    ).collect()

    assert found["severity"].to_list() == severity
    assert found["actual"].to_list() == [str(seconds)] * len(severity)
