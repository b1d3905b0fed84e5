"""Invariants of team and goalie statistics of simulated leagues: mirrored counts, totals, and the box score."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nhl_lake.gold.goalie_game import COUNTS, GOALIE_GAME
from nhl_lake.gold.measures.ice_time import NAMES as TIMES
from nhl_lake.gold.measures.ice_time import SOURCE_BOX_SCORE
from nhl_lake.gold.skater_game import SKATER_GAME
from nhl_lake.gold.team_game import OPPONENT_COLUMNS, OWN_COLUMNS, TEAM_GAME
from tests.gold.league_tables import SEEDS, Silver, build_gold, build_league_silver

pytestmark = pytest.mark.league

every_seed = pytest.mark.parametrize("seed", SEEDS)
KEY = ["game_id", "team_id", "situation"]


def build_teams(seed: int) -> tuple[Silver, pl.DataFrame]:
    found = build_league_silver(seed)
    return found, build_gold(TEAM_GAME, found)


@every_seed
def test_counts_of_a_team_are_those_against_its_opponent_in_the_mirrored_situation(seed: int):
    _, rows = build_teams(seed)
    names = [column.name.removesuffix("_against") for column in OPPONENT_COLUMNS]
    mirror = pl.col("situation").replace({"5on4": "4on5", "4on5": "5on4"})
    other = rows.select("game_id", *(pl.col(name).alias(f"{name}_against") for name in names), situation=mirror,
                        team_id="opponent_team_id")  # fmt: skip

    assert_frame_equal(
        rows.sort(KEY).select(*KEY, *(f"{name}_against" for name in names)),
        other.sort(KEY).select(*KEY, *(f"{name}_against" for name in names)),
    )
    assert rows.height == 10 * rows["game_id"].n_unique()


@every_seed
def test_faceoffs_won_are_the_opponents_faceoffs_lost(seed: int):
    _, rows = build_teams(seed)
    totals = rows.filter(pl.col("situation") == "all").select("game_id", "faceoffs_won", "faceoffs_lost")
    sums = totals.group_by("game_id").agg(pl.all().sum())

    assert sums.filter(pl.col("faceoffs_won") != pl.col("faceoffs_lost")).is_empty()
    assert sums["faceoffs_won"].min() > 20


@every_seed
@pytest.mark.parametrize("table", [TEAM_GAME, GOALIE_GAME], ids=lambda table: table.name)
def test_all_is_the_sum_of_the_situations(seed: int, table):
    rows = build_gold(table, build_league_silver(seed))
    key = ["game_id", table.key[1]]
    names = COUNTS if table is GOALIE_GAME else [column.name for column in (*OWN_COLUMNS, *OPPONENT_COLUMNS)]
    parts = rows.filter(pl.col("situation") != "all").group_by(key).agg(pl.col(names).sum())
    totals = rows.filter(pl.col("situation") == "all").with_columns(pl.col(names).fill_null(0))
    if table is GOALIE_GAME:  # without shifts the time of all situations together is the box score's
        totals = totals.with_columns(
            pl.when(pl.col("time_source").ne_missing(SOURCE_BOX_SCORE)).then(name).otherwise(0).alias(name)
            for name in TIMES
        )

    assert_frame_equal(parts.sort(key).select(*key, *names), totals.sort(key).select(*key, *names), check_dtypes=False)


@every_seed
def test_time_is_the_same_for_both_teams_and_covers_the_game(seed: int):
    found, rows = build_teams(seed)
    last = found["plays"].filter(pl.col("period_type") != "SO").group_by("game_id").agg(pl.col("game_seconds").max())
    timed = rows.filter((pl.col("situation") == "all") & pl.col("time_on_ice_s").is_not_null()).join(last, on="game_id")

    assert timed.filter(pl.col("time_on_ice_s") != pl.col("game_seconds")).is_empty()
    assert timed.height > 8


@every_seed
def test_players_add_up_to_their_team_in_every_situation(seed: int):
    found, rows = build_teams(seed)
    names = ["goals", "penalty_minutes", "penalties"]
    of_skaters = ["attempts", "shots_on_goal", "hits", "blocked_shots", "takeaways", "faceoffs_won", "faceoffs_lost"]
    skaters, goalies = (build_gold(table, found) for table in (SKATER_GAME, GOALIE_GAME))
    players = pl.concat([skaters.select(*KEY, *names, *of_skaters), goalies.select(*KEY, *names)], how="diagonal")
    sums = players.group_by(KEY).agg(pl.col(*names, *of_skaters).cast(pl.Int64).sum()).sort(KEY)
    bench = found["plays"].filter(pl.col("event") == "penalty", pl.col("penalised_player_id").is_null())
    short = sums.join(rows, on=KEY, suffix="_team").filter(
        pl.any_horizontal(pl.col(name) != pl.col(f"{name}_team") for name in ("goals", *of_skaters))
    )
    minutes = sums["penalty_minutes"].sum() + 2 * bench["penalty_minutes"].sum()  # in its situation, and in all

    assert short.is_empty()
    assert minutes == rows["penalty_minutes"].cast(pl.Int64).sum()
    assert sums.height == rows.height


@every_seed
def test_goalies_match_the_box_score(seed: int):
    found = build_league_silver(seed)
    names = ["saves", "shots_against", "goals_against", "save_share", "time_on_ice_s", "penalty_minutes", "decision"]
    rows = build_gold(GOALIE_GAME, found).filter(pl.col("situation") == "all")
    official = found["goalie_games"].join(rows, on=["game_id", "player_id"], suffix="_ours", how="left")
    timed = official.filter(pl.col("time_on_ice_s_ours").is_not_null())
    counted = [name for name in names if name != "time_on_ice_s"]
    off = official.filter(pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_ours")) for name in counted))

    assert off.is_empty()
    assert timed.filter(pl.col("time_on_ice_s") != pl.col("time_on_ice_s_ours")).is_empty()
    assert timed.height > 15


@every_seed
def test_goalie_faces_the_shots_of_the_other_team_except_at_an_empty_net(seed: int):
    found, rows = build_teams(seed)
    goalies = build_gold(GOALIE_GAME, found).group_by(KEY).agg(pl.col("^.*_against$").cast(pl.Int64).sum())
    joined = rows.join(goalies, on=KEY, suffix="_goalies").filter(pl.col("situation").is_in(["5on5", "5on4", "4on5"]))
    names = ["goals", "missed_shots", "unblocked_attempts", "rebound_shots", "frozen_attempts"]
    off = joined.filter(
        pl.any_horizontal(pl.col(f"{name}_against") != pl.col(f"{name}_against_goalies") for name in names)
    )

    assert off.is_empty()
    assert joined["goals_against_goalies"].sum() > 10
