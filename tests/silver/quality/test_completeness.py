"""Tests of the completeness checks: small handwritten frames with one defect each."""

import json
from typing import Any

import polars as pl
import pytest

from nhl_lake.silver.goalie_games import GOALIE_GAMES
from nhl_lake.silver.quality.completeness import (
    COVERS_TIME,
    FINAL_SCORE,
    HAS_LINES,
    HAS_PLAYS,
    NEAR_COUNTS,
    PAGES_BY_CHECK,
    REACHES_END,
    SAME_LINES,
    SAME_PLAYERS,
    check_completeness,
    find_truncated_plays,
    get_incomplete_pages,
)
from nhl_lake.silver.skater_games import SKATER_GAMES
from tests.silver import builders
from tests.silver.bronze_pages import PAGE_SCHEMA

SKATERS, GOALIE = (11, 12, 13), 30


def make_page(**keys: Any) -> pl.LazyFrame:
    row = {
        "season": builders.SEASON,
        "game_id": builders.GAME,
        "state": "OFF",
        "body": json.dumps({"id": builders.GAME, **keys}),
    }
    return pl.LazyFrame([row], schema=PAGE_SCHEMA)


def make_line(player: int, seconds: int = 600, **overrides: Any) -> dict[str, Any]:
    ids = {"season": builders.SEASON, "game_id": builders.GAME, "player_id": player, "team_id": builders.HOME}
    return {**ids, "time_on_ice_s": seconds, **overrides}


def find_failed_checks(**changed: Any) -> dict[str, tuple[str | None, str]]:
    """Return the checks that a game fails: expected and actual. A game is whole but for what is changed."""
    frames = {
        "play_by_play": make_page(plays=[{"eventId": 1}]),
        "boxscore": make_page(playerByGameStats={"homeTeam": {"forwards": [{"playerId": 11}]}}),
        "games": builders.make_games(builders.make_game(home_score=2, away_score=1)),
        "lineups": builders.make_lineups(
            *(builders.make_lineup_row(player) for player in SKATERS), builders.make_lineup_row(GOALIE, position="G")
        ),
        "plays": builders.make_plays(
            builders.make_play(1, 0, "period-start", period=1),
            *(builders.make_play(10 + n, 60 * n, "hit", period=2) for n in range(12)),
            builders.make_play(90, 1200, "period-end", period=3),
            builders.make_play(91, 1200, "game-end", period=3),
        ),
        "shifts": builders.make_shifts(*(builders.make_shift(player, 0, 600) for player in (*SKATERS, GOALIE))),
        "skater_games": builders.make_frame(SKATER_GAMES, [make_line(player, hits=4) for player in SKATERS]),
        "goalie_games": builders.make_frame(GOALIE_GAMES, [make_line(GOALIE)]),
    }
    rows = check_completeness(**(frames | changed)).collect()
    assert rows["severity"].unique().to_list() in ([], ["error"])
    return {check: (expected, actual) for _, _, check, _, expected, actual in rows.iter_rows()}


def test_complete_game_passes_all_checks():
    assert find_failed_checks() == {}


def test_official_page_without_plays_is_incomplete():
    assert list(
        find_failed_checks(
            play_by_play=make_page(plays=[]),
            plays=builders.make_plays(),
            skater_games=builders.make_frame(SKATER_GAMES, []),
        )
    ) == [HAS_PLAYS]


def test_old_game_without_goals_may_have_no_plays():
    old = {
        "play_by_play": make_page(plays=[]).with_columns(season=pl.lit(19271928, pl.Int32)),
        "plays": builders.make_plays(),
    }
    nothing = {"skater_games": builders.make_frame(SKATER_GAMES, [])}

    assert (
        find_failed_checks(**old, **nothing, games=builders.make_games(builders.make_game(home_score=0, away_score=0)))
        == {}
    )
    assert list(find_failed_checks(**old, **nothing)) == [HAS_PLAYS]


def test_live_page_is_not_checked():
    live = make_page(plays=[]).with_columns(state=pl.lit("LIVE"))

    assert HAS_PLAYS not in find_failed_checks(play_by_play=live)


def test_box_score_without_lines_is_incomplete():
    empty = {
        "skater_games": builders.make_frame(SKATER_GAMES, []),
        "goalie_games": builders.make_frame(GOALIE_GAMES, []),
    }

    assert list(find_failed_checks(boxscore=make_page(playerByGameStats={}), **empty)) == [HAS_LINES]


def test_plays_that_stop_in_the_second_period_are_incomplete():
    early = builders.make_plays(builders.make_play(1, 0, "period-start"), builders.make_play(2, 480, "hit", period=2))

    assert find_failed_checks(plays=early, skater_games=builders.make_frame(SKATER_GAMES, [])) == {
        REACHES_END: ("game-end", "period 2, 480 s")
    }


@pytest.mark.parametrize(
    "last",
    [
        [builders.make_play(91, 1200, "period-end", period=3)],  # now and then game-end is missing
        [builders.make_play(91, 0, "shootout-complete", period=5, period_type="SO")],
    ],
)
def test_end_of_the_last_period_is_an_end(last):
    plays = builders.make_plays(builders.make_play(1, 0, "period-start"), *last)

    assert find_failed_checks(plays=plays, skater_games=builders.make_frame(SKATER_GAMES, [])) == {}


def test_preseason_game_may_be_called_off_before_its_third_period():
    plays = builders.make_plays(
        builders.make_play(1, 0, "period-start"), builders.make_play(2, 1200, "game-end", period=2)
    )
    of_preseason = plays.with_columns(game_id=pl.col("game_id") // 1_000_000 * 1_000_000 + 10_001)

    assert find_truncated_plays(of_preseason).collect().is_empty()
    assert not find_truncated_plays(plays).collect().is_empty()


def test_pages_without_period_starts_are_not_checked_for_their_end():
    goals = builders.make_plays(builders.make_play(1, 300, "goal", period=2))

    assert find_failed_checks(plays=goals, skater_games=builders.make_frame(SKATER_GAMES, [])) == {}


def test_chart_without_the_third_period_lacks_time():
    short = builders.make_shifts(*(builders.make_shift(player, 0, 400) for player in (*SKATERS, GOALIE)))

    assert find_failed_checks(shifts=short) == {COVERS_TIME: ("2400", "1600")}


def test_player_without_shifts_lacks_time():
    assert find_failed_checks(
        shifts=builders.make_shifts(*(builders.make_shift(player, 0, 600) for player in SKATERS))
    ) == {COVERS_TIME: ("2400", "1800")}


def test_game_without_shifts_lacks_time_unless_its_season_has_none():
    short = {"goalie_games": builders.make_frame(GOALIE_GAMES, [make_line(GOALIE, 0)])}
    lines = builders.make_frame(SKATER_GAMES, [make_line(player, 20, hits=4) for player in SKATERS])
    old = lines.with_columns(season=pl.lit(19971998, pl.Int32))

    assert find_failed_checks(shifts=builders.make_shifts(), skater_games=lines, **short) == {COVERS_TIME: ("60", "0")}
    assert find_failed_checks(shifts=builders.make_shifts(), skater_games=old, **short) == {}


def test_half_a_minute_missing_for_every_player_lacks_time():
    many = range(100, 110)
    lines = builders.make_frame(SKATER_GAMES, [make_line(player, hits=1) for player in many])
    lineup = builders.make_lineups(
        *(builders.make_lineup_row(player) for player in many), builders.make_lineup_row(GOALIE, position="G")
    )
    short = builders.make_shifts(
        *(builders.make_shift(player, 0, 560) for player in many), builders.make_shift(GOALIE, 0, 600)
    )

    assert find_failed_checks(shifts=short, lineups=lineup, skater_games=lines) == {COVERS_TIME: ("6600", "6200")}


def test_few_missing_seconds_are_tolerated():
    assert (
        find_failed_checks(
            shifts=builders.make_shifts(*(builders.make_shift(player, 0, 545) for player in (*SKATERS, GOALIE)))
        )
        == {}
    )


def test_ice_time_missing_in_the_box_score_is_not_checked():
    lines = {
        "skater_games": builders.make_frame(SKATER_GAMES, [make_line(player, None, hits=4) for player in SKATERS]),
        "goalie_games": builders.make_frame(GOALIE_GAMES, [make_line(GOALIE, None)]),
    }
    assert find_failed_checks(shifts=builders.make_shifts(builders.make_shift(11, 0, 100)), **lines) == {}


def test_players_of_another_team_are_reported():
    unlisted = builders.make_lineups(*(builders.make_lineup_row(player, team=77) for player in (*SKATERS, GOALIE)))

    assert find_failed_checks(lineups=unlisted) == {SAME_PLAYERS: ("0", "4")}


def test_box_score_of_other_players_is_reported():
    others = builders.make_frame(SKATER_GAMES, [make_line(player, None) for player in (71, 72, 73)])

    assert find_failed_checks(skater_games=others)[SAME_LINES] == ("0", "3")


def test_box_score_that_lacks_several_skaters_is_reported():
    lines = builders.make_frame(SKATER_GAMES, [make_line(11, hits=12)])
    more = builders.make_lineups(
        *(builders.make_lineup_row(player) for player in (*SKATERS, 14)), builders.make_lineup_row(GOALIE, position="G")
    )

    assert find_failed_checks(skater_games=lines) == {}
    assert find_failed_checks(skater_games=lines, lineups=more) == {SAME_LINES: ("0", "3")}


def test_box_score_without_the_goalies_or_skaters_of_a_team_is_incomplete():
    both = builders.make_lineups(
        *(builders.make_lineup_row(player) for player in SKATERS), builders.make_lineup_row(GOALIE, position="G")
    )
    away = builders.make_lineups(builders.make_lineup_row(51, team=builders.AWAY))

    assert find_failed_checks(goalie_games=builders.make_frame(GOALIE_GAMES, [])) == {
        HAS_LINES: (None, f"none of the goalies of team {builders.HOME}")
    }
    assert find_failed_checks(lineups=pl.concat([both, away])) == {
        HAS_LINES: (None, f"none of the skaters of team {builders.AWAY}")
    }


@pytest.mark.parametrize(("hits", "is_different"), [(4, False), (5, False), (6, True), (None, False), (0, True)])
def test_counts_far_from_the_box_score_are_reported(hits: int | None, is_different: bool):  # noqa: FBT001
    lines = builders.make_frame(SKATER_GAMES, [make_line(player, hits=hits) for player in SKATERS])

    assert find_failed_checks(skater_games=lines) == (
        {NEAR_COUNTS: (f"{3 * (hits or 0)} hits", "12")} if is_different else {}
    )


def test_only_errors_make_pages_incomplete():
    rows = pl.LazyFrame(
        [(FINAL_SCORE, "error"), (FINAL_SCORE, "warning"), ("every event type is known", "error")],
        schema={"check": pl.String, "severity": pl.String},
        orient="row",
    )
    assert rows.select(get_incomplete_pages()).collect().to_series().to_list() == [["bronze.play_by_play"], None, None]


def test_every_check_has_pages():
    rows = (
        pl.LazyFrame({"check": list(PAGES_BY_CHECK), "severity": "error"})
        .select(get_incomplete_pages())
        .collect()
        .to_series()
    )

    assert rows.to_list() == [[table.name for table in tables] for tables in PAGES_BY_CHECK.values()]
