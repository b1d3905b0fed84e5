"""Tests of season totals of skaters, teams and goalies, by team and over all teams."""

from datetime import date
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nhl_lake.gold.goalie_game import COUNTS as OF_GOALIES
from nhl_lake.gold.goalie_game import GOALIE_GAME
from nhl_lake.gold.goalie_season import GOALIE_SEASON
from nhl_lake.gold.skater_game import ADDITIVE_COUNTS, SKATER_GAME
from nhl_lake.gold.skater_season import SKATER_SEASON
from nhl_lake.gold.team_game import COUNTS as OF_TEAMS
from nhl_lake.gold.team_game import TEAM_GAME
from nhl_lake.gold.team_season import TEAM_SEASON
from nhl_lake.schema.table import Table
from tests.gold.game_builders import FACEOFF, build_game_silver
from tests.gold.league_tables import SEEDS, build_gold, build_league_silver
from tests.gold.test_goalie_game import AT_32
from tests.gold.test_skater_game import ALL_GAME
from tests.silver.play_builders import make_shot

SPANS = {SKATER_GAME: SKATER_SEASON, TEAM_GAME: TEAM_SEASON, GOALIE_GAME: GOALIE_SEASON}


def build_season(table: Table, games: pl.DataFrame) -> pl.DataFrame:
    """Return the validated season rows of game rows."""
    (source,) = table.inputs
    return build_gold(table, {source.name.split(".")[1]: games})


def copy_as_game(games: pl.DataFrame, game_id: int, day: int, **decision: Any) -> pl.DataFrame:
    """Return the rows of a game as those of another one."""
    about = {"game_id": game_id, "game_date": date(2023, 10, day), **decision}
    return games.with_columns(pl.lit(value).cast(games.schema[name]).alias(name) for name, value in about.items())


@pytest.fixture(scope="module")
def skaters() -> pl.DataFrame:
    """A game of a skater for one team, two for another, the last one without shifts."""
    timed = build_gold(SKATER_GAME, build_game_silver(FACEOFF, make_shot("goal"), make_shot(), shifts=ALL_GAME))
    untimed = build_gold(SKATER_GAME, build_game_silver(FACEOFF, make_shot("goal")))
    timed = timed.with_columns(player=pl.lit("Old Name"))
    later = copy_as_game(timed, 2023020002, 12, team_id=3, team_abbrev="NEW", position="L", player="New Name")
    last = copy_as_game(untimed, 2023020003, 14, team_id=3, team_abbrev="NEW", position="L")
    return pl.concat([later, last, timed])


def select_rows(found: pl.DataFrame, *names: str, situation: str = "all", **key: Any) -> list[tuple[Any, ...]]:
    return found.filter(pl.col("situation") == situation, **key).sort("is_total", "team_id").select(names).rows()


def test_traded_skater_has_a_row_per_team_and_a_total_under_the_last(skaters: pl.DataFrame):
    found = build_season(SKATER_SEASON, skaters)

    names = ("team_id", "is_total", "team_abbrev", "position", "games", "goals", "shots_on_goal")
    assert select_rows(found, *names, player_id=71) == [
        (1, False, "HOM", "C", 1, 1, 2),
        (3, False, "NEW", "L", 2, 2, 3),
        (3, True, "NEW", "L", 3, 3, 5),
    ]


def test_season_has_the_last_known_name(skaters: pl.DataFrame):
    found = build_season(SKATER_SEASON, skaters)

    assert select_rows(found, "team_id", "player", player_id=71) == [(1, "Old Name"), (3, "New Name"), (3, "New Name")]


def test_rates_cover_games_with_shifts_and_counts_cover_all(skaters: pl.DataFrame):
    found = build_season(SKATER_SEASON, skaters)

    names = ("games", "games_with_shifts", "time_on_ice_s", "goals", "goals_per_60", "shots_on_goal_per_60")
    assert select_rows(found, *names, player_id=71)[2] == (3, 2, 2400, 3, 3.0, 6.0)
    assert select_rows(found, *names, player_id=71)[1] == (2, 1, 1200, 2, 3.0, 6.0)


def test_boxscore_time_counts_in_all_and_in_the_rates_of_known_counts(skaters: pl.DataFrame):
    is_last = (pl.col("game_id") == 2023020003) & (pl.col("situation") == "all")
    recorded = {"time_on_ice_s": 600, "shifts": 9, "time_source": "box score"}
    games = skaters.with_columns(
        pl.when(is_last).then(pl.lit(value)).otherwise(name).cast(skaters.schema[name]).alias(name)
        for name, value in recorded.items()
    )
    found = build_season(SKATER_SEASON, games)

    names = ("games_with_shifts", "games_with_time", "time_on_ice_s", "goals_per_60", "on_ice_goals_for_per_60")
    assert select_rows(found, *names, player_id=71)[2] == (2, 3, 3000, pytest.approx(3.6), 3.0)
    assert select_rows(found, *names[:3], player_id=71, situation="other")[2] == (2, 2, 2400)


def test_ice_time_and_rates_are_null_without_shifts(skaters: pl.DataFrame):
    found = build_season(SKATER_SEASON, skaters.filter(pl.col("time_on_ice_s").is_null()))

    names = ("games_with_shifts", "time_on_ice_s", "goals_per_60", "on_ice_goals_for", "game_score_per_game")
    assert select_rows(found, *names, player_id=71)[0] == (0, None, None, None, None)


def test_shares_are_of_the_sums_and_null_without_events(skaters: pl.DataFrame):
    found = build_season(SKATER_SEASON, skaters)

    names = ("shooting_share", "faceoff_win_share", "on_ice_attempt_share", "off_ice_attempt_share")
    assert select_rows(found, *names, player_id=71)[2] == (0.6, 1.0, 1.0, None)
    assert select_rows(found, *names, player_id=82)[0] == (None, 0.0, 0.0, None)
    game = skaters.filter(pl.col("situation") == "all", player_id=71)["game_score"].mean()
    assert select_rows(found, "game_score_per_game", player_id=71)[2] == (pytest.approx(game),)


def test_seasons_and_game_types_are_separate(skaters: pl.DataFrame):
    playoff = copy_as_game(skaters.filter(team_id=1), 2023030111, 20, game_type=3)
    found = build_season(SKATER_SEASON, pl.concat([skaters.filter(team_id=1), playoff]))

    assert sorted(found.filter(situation="all", player_id=71, is_total=True).select("game_type", "goals").rows()) == [
        (2, 1),
        (3, 1),
    ]


def test_goalie_who_only_dressed_has_no_season():
    shifts = [shift for shift in ALL_GAME if shift[0] != 31]
    timed = build_gold(
        GOALIE_GAME,
        build_game_silver(FACEOFF, make_shot(details=AT_32), make_shot("goal", details=AT_32), shifts=shifts),
    )
    untimed = build_gold(GOALIE_GAME, build_game_silver(FACEOFF, make_shot(details=AT_32)))
    found = build_season(GOALIE_SEASON, pl.concat([timed, copy_as_game(untimed, 2023020002, 12)]))

    assert found["player_id"].unique().to_list() == [32]
    names = ("games", "games_with_shifts", "saves", "shots_against", "save_share", "goals_against_per_60", "wins")
    assert select_rows(found, *names, is_total=True) == [(2, 1, 2, 3, pytest.approx(2 / 3), 3.0, None)]
    assert set(found["games"]) == {2}


def test_game_with_only_goals_recorded_does_not_break_the_season():
    recorded, unrecorded = (
        build_game_silver(FACEOFF, make_shot("goal"), make_shot()),
        build_game_silver(make_shot("goal")),
    )
    games = pl.concat(
        [build_gold(SKATER_GAME, recorded), copy_as_game(build_gold(SKATER_GAME, unrecorded), 2023020002, 12)]
    )

    found = build_season(SKATER_SEASON, games)
    assert select_rows(found, "games", "goals", "shots_on_goal", player_id=71, is_total=True) == [(2, 2, 2)]


def test_decisions_are_counted():
    game = build_gold(GOALIE_GAME, build_game_silver(FACEOFF, make_shot(details=AT_32)))
    decided = [
        copy_as_game(game, 2023020001 + n, n + 1, decision=decision)
        for n, decision in enumerate(["W", "W", "L", "O", None])
    ]
    found = build_season(GOALIE_SEASON, pl.concat(decided))

    assert select_rows(found, "games", "wins", "losses", "overtime_losses", is_total=True) == [(5, 2, 1, 1)]


@pytest.mark.league
@pytest.mark.parametrize("table", SPANS, ids=lambda table: table.name)
def test_season_is_the_sum_of_its_games(table: Table):
    games = build_gold(table, build_league_silver(SEEDS[0]))
    counts = {SKATER_GAME: ADDITIVE_COUNTS, TEAM_GAME: OF_TEAMS, GOALIE_GAME: OF_GOALIES}[table]
    found = build_season(SPANS[table], games)
    key = ["season", "game_type", table.key[1], "situation"]
    apart = found.filter(~pl.col("is_total")) if "is_total" in found.columns else found
    totals = found.filter("is_total") if "is_total" in found.columns else found
    sums = games.group_by(key).agg(pl.col(counts).sum()).join(totals, on=key, how="semi").sort(key)

    for one in (totals, apart.group_by(key).agg(pl.col(counts).sum())):
        filled = one.with_columns(pl.col(counts).fill_null(0)).sort(key)
        assert_frame_equal(filled.select(*key, *counts), sums, check_dtypes=False)
    assert sums.height >= 50
    assert table is GOALIE_GAME or sums.height == games.select(key).unique().height
