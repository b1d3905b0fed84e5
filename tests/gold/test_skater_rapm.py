"""Tests of regularized plus-minus: stints with their xG and covariates, and the table."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from nhl_lake.gold.measures.situations import mirror_situation
from nhl_lake.gold.measures.stint_xg import sum_stint_xg
from nhl_lake.gold.shots import SHOTS
from nhl_lake.gold.skater_game import SKATER_GAME
from nhl_lake.gold.skater_rapm import AGAINST, FOR, NET, SKATER_RAPM
from nhl_lake.gold.skater_season import SKATER_SEASON
from nhl_lake.schema import checks
from nhl_lake.schema.projection import fill_unread_columns, find_required_columns
from tests.gold.league_tables import SEEDS, build_gold, build_league_silver, make_small_model
from tests.silver import builders
from tests.silver.bronze_pages import build_table
from tests.silver.builders import AWAY, GAME, HOME, SEASON

HOME_FIVE, AWAY_FIVE = [11, 12, 13, 14, 15], [21, 22, 23, 24, 25]


def make_game(game_id: int = GAME, day: int = 10, **overrides: Any) -> dict[str, Any]:
    about = {"game_id": game_id, "game_date": date(2023, 10, day), "game_state": "OFF"}
    return builders.make_game(home_team_abbrev="HOM", away_team_abbrev="AWY", **{**about, **overrides})


def make_stint(start: int, end: int, code: str = "1551", **overrides: Any) -> dict[str, Any]:
    away, home = int(code[1]), int(code[2])
    state = "EV" if home == away else "PP" if home > away else "SH"
    row = {
        "season": SEASON, "game_id": GAME, "period": 1, "start_seconds": start, "end_seconds": end,
        "home_team_id": HOME, "away_team_id": AWAY, "home_skater_player_ids": HOME_FIVE[:home],
        "away_skater_player_ids": AWAY_FIVE[:away], "situation_code": code, "home_strength_state": state,
    }  # fmt: skip
    return row | overrides


def make_shot(event_id: int, second: int, xg: float | None, *, home: bool = True, **overrides: Any) -> dict[str, Any]:
    about = {"season": SEASON, "game_id": GAME, "event_id": event_id, "event_number": event_id, "period": 1}
    flags = {"is_goal": False, "is_unblocked_attempt": True, "is_penalty_shot": False}
    return {**about, **flags, "period_seconds": second, "event": "shot-on-goal", "is_home": home, "xg": xg, **overrides}


def sum_xg(
    stints: list[dict[str, Any]],
    shots: list[dict[str, Any]],
    *others: dict[str, Any],
    games: list[dict[str, Any]] | None = None,
) -> pl.DataFrame:
    """Return the stints with xG of handwritten games; `others` are plays that are no shots."""
    plays = [
        builders.make_play(shot["event_id"], shot["period_seconds"], shot["event"], game_id=shot["game_id"])
        for shot in shots
    ]
    plays.extend(others)
    frames = (
        builders.make_games(*(games or [make_game()])), builders.make_plays(*plays), builders.make_stints(*stints),
        builders.make_frame(SHOTS, shots),
    )  # fmt: skip
    return sum_stint_xg(*frames).collect()


def faceoff(event_id: int, second: int, zone: str, winner: int = HOME) -> dict[str, Any]:
    return builders.make_play(event_id, second, "faceoff", acting_team_id=winner, zone=zone)


def test_a_shot_counts_for_the_stint_of_its_second_and_a_goal_for_the_one_before():
    stints = [make_stint(0, 30), make_stint(30, 60), make_stint(60, 90)]
    goal = {"event": "goal", "is_goal": True}
    shots = [make_shot(2, 30, 0.1), make_shot(3, 50, 0.2, home=False), make_shot(4, 60, 0.4, **goal)]
    found = sum_xg(stints, shots, faceoff(5, 60, "N"))

    assert found.select("start_seconds", "home_xg", "away_xg").rows() == [(0, 0, 0), (30, 0.1 + 0.4, 0.2), (60, 0, 0)]
    assert found["hours"].to_list() == pytest.approx([30 / 3600] * 3)
    assert found["lead"].to_list() == [0, 0, 1]


def test_shots_before_a_faceoff_of_the_second_count_for_the_players_who_leave():
    stints = [make_stint(0, 30), make_stint(30, 60)]
    before = [make_shot(2, 30, 0.1), make_shot(4, 30, 0.3)]
    found = sum_xg(stints, before, faceoff(3, 30, "O"))

    assert found["home_xg"].to_list() == [0.1, 0.3]


def test_blocked_and_penalty_shots_and_shots_outside_stints_do_not_count():
    shots = [
        make_shot(2, 10, None, is_unblocked_attempt=False, event="blocked-shot"),
        make_shot(3, 12, 0.3, is_penalty_shot=True),
        make_shot(4, 70, 0.2),
        make_shot(5, 20, 0.1),
    ]
    found = sum_xg([make_stint(0, 30)], shots)

    assert found.select("home_xg", "away_xg").rows() == [(0.1, 0)]


def test_zones_are_those_of_the_home_team_and_a_change_on_the_fly_has_none():
    stints = [make_stint(start, start + 10) for start in (0, 10, 20, 30)]
    faceoffs = [faceoff(2, 0, "O"), faceoff(3, 10, "O", winner=AWAY), faceoff(4, 20, "N")]
    found = sum_xg(stints, [make_shot(9, 35, 0.1)], *faceoffs)

    assert found["zone"].to_list() == [1, -1, 0, None]


def test_a_stint_right_after_a_power_play_is_marked():
    codes = [(0, "1451"), (10, "1551"), (20, "1541"), (30, "1551"), (45, "1551")]
    found = sum_xg([make_stint(start, start + 10, code) for start, code in codes], [make_shot(9, 5, 0.1)])

    rows = found.filter(situation="5on5").select("start_seconds", "power_play_ended").rows()
    assert rows == [(10, 1), (30, -1), (45, 0)]
    assert found["situation"].to_list() == ["5on4", "5on5", "4on5", "5on5", "5on5"]


def test_a_team_that_played_the_day_before_is_tired():
    games = [
        make_game(GAME - 1, day=9, home_team_id=AWAY, away_team_id=7),
        make_game(GAME - 2, day=9, home_team_id=8, away_team_id=HOME, game_state="FUT"),
        make_game(),
    ]
    found = sum_xg([make_stint(0, 30)], [make_shot(2, 10, 0.1)], games=games)

    assert found.select("home_tired", "away_tired").rows() == [(0, 1)]


def test_games_without_xg_playoffs_and_other_situations_are_left_out():
    other, playoff = GAME + 1, GAME + 10_000
    stints = [make_stint(0, 30), make_stint(30, 60, "1331"), make_stint(60, 90, situation_code=None)]
    stints += [make_stint(0, 30, game_id=other), make_stint(0, 30, game_id=playoff)]
    shots = [make_shot(2, 10, 0.1), make_shot(2, 10, None, game_id=other), make_shot(2, 10, 0.1, game_id=playoff)]
    games = [make_game(), make_game(other, day=12), make_game(playoff, day=14, game_type=3)]
    found = sum_xg(stints, shots, games=games)

    assert found.select("game_id", "start_seconds").rows() == [(GAME, 0)]


@pytest.mark.league
def test_time_and_xg_of_stints_add_up_to_those_of_skaters():
    silver = build_league_silver(SEEDS[0])
    games = silver["games"].with_columns(game_state=pl.lit("OFF"))
    inputs = [silver[name].lazy() for name in ("plays", "lineups", "games")]
    shots = build_table(SHOTS, *inputs, make_small_model())
    skaters = build_gold(SKATER_GAME, silver, shots=shots)

    stints = sum_stint_xg(games.lazy(), silver["plays"].lazy(), silver["stints"].lazy(), shots.lazy()).collect()

    sides = (("home", "away", pl.col("situation")), ("away", "home", mirror_situation()))
    own = pl.concat(
        stints.select(
            "game_id", player_id=f"{side}_skater_player_ids", situation=situation,
            seconds=(3600 * pl.col("hours")).round(), own=f"{side}_xg", other=f"{other}_xg",
        )
        for side, other, situation in sides
    )  # fmt: skip
    key = ["game_id", "player_id", "situation"]
    sums = own.explode("player_id").group_by(key).agg(pl.col("seconds", "own", "other").sum())
    both = skaters.filter(pl.col("time_on_ice_s") > 0).join(sums, on=key, how="right")
    assert both["situation"].unique().sort().to_list() == ["4on5", "5on4", "5on5"]
    for ours, theirs in (("seconds", "time_on_ice_s"), ("own", "on_ice_xg_for"), ("other", "on_ice_xg_against")):
        assert both[ours].to_list() == pytest.approx(both[theirs].to_list()), ours


def make_tables(stints: list[dict[str, Any]], shots: list[dict[str, Any]]) -> list[pl.LazyFrame]:
    """Return the inputs of the table."""
    plays = [
        builders.make_play(shot["event_id"], shot["period_seconds"], shot["event"], period=shot["period"])
        for shot in shots
    ]
    about = {"season": SEASON, "game_type": 2, "player_id": 11, "is_total": True, "player": "Own Name", "position": "C"}
    known = [about | {"situation": name, "team_abbrev": "HOM", "games": 3, "games_with_shifts": 1}
             for name in ("5on5", "5on4")]  # fmt: skip
    return [
        builders.make_games(make_game()), builders.make_plays(*plays), builders.make_stints(*stints),
        builders.make_frame(SHOTS, shots), builders.make_frame(SKATER_SEASON, known),
    ]  # fmt: skip


def build(stints: list[dict[str, Any]], shots: list[dict[str, Any]]) -> pl.DataFrame:
    rows = build_table(SKATER_RAPM, *make_tables(stints, shots))
    checks.validate_rows(SKATER_RAPM, rows)
    return rows


def make_season(length: int = 10) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return stints of a period at 5on5, and of one each of power plays of both teams, with shots."""
    starts = range(0, 1200, length)
    stints = [
        make_stint(start, start + length, code, period=period)
        for period, code in ((1, "1551"), (2, "1451"), (3, "1541"))
        for start in starts
    ]
    shots = [
        make_shot(1000 * period + second, second, 0.1 + second / 5000, home=second % 3 == 0, period=period)
        for period in (1, 2, 3)
        for second in range(5, 1200, 35)
    ]
    return stints, shots


def test_every_skater_has_a_row_in_each_situation_that_they_played():
    found = build(*make_season())

    assert found["situation"].value_counts().sort("situation").rows() == [("4on5", 8), ("5on4", 10), ("5on5", 10)]
    own = found.filter(player_id=11).sort("situation")
    assert own["time_on_ice_s"].to_list() == [1200, 1200, 1200]
    assert own.select("player", "team_abbrev", "games", "games_with_shifts").row(2) == ("Own Name", "HOM", 3, 1)
    is_known = own.select("situation", *(pl.col(name).is_not_null() for name in (FOR, AGAINST, NET))).rows()
    assert is_known == [("4on5", False, True, False), ("5on4", True, False, False), ("5on5", True, True, True)]
    home, away = (found.filter(pl.col("player_id").is_in(ids), situation="5on5")[NET] for ids in (HOME_FIVE, AWAY_FIVE))
    assert home.to_list() == pytest.approx([-effect for effect in away])


def test_a_season_without_shifts_has_no_rows_and_too_few_stints_have_none():
    stints, shots = make_season()

    assert build([], shots).is_empty()
    assert build(make_season(length=20)[0][:60], shots).is_empty()
    assert build(stints, [shot | {"xg": 0.0} for shot in shots]).is_empty()


def test_a_build_needs_only_the_columns_that_are_found_to_be_required():
    stints, shots = make_season()
    required = find_required_columns(SKATER_RAPM)
    frames = make_tables(stints, shots)
    few = [
        fill_unread_columns(read, frame.select(names).collect())
        for read, frame, names in zip(SKATER_RAPM.inputs, frames, required, strict=True)
    ]

    assert build_table(SKATER_RAPM, *few).equals(build_table(SKATER_RAPM, *frames))


def test_the_order_of_the_rows_does_not_show():
    stints, shots = make_season()
    for number, stint in enumerate(stints):
        stint["home_skater_player_ids"] = [*stint["home_skater_player_ids"][:-1], 100 + number % 7]

    assert build(stints, shots).equals(build(stints[::-1], shots[::-1]))
