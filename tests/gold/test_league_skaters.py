"""Invariants of skater statistics of simulated leagues, compared with direct counts."""

from collections import Counter

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nhl_lake.gold.measures.ice_time import NAMES, SOURCE_BOX_SCORE
from nhl_lake.gold.skater_game import ADDITIVE_COUNTS, SKATER_GAME
from nhl_lake.hockey.strength import SITUATIONS
from tests.gold.league_tables import SEEDS, Silver, build_gold, build_league_silver

pytestmark = pytest.mark.league

every_seed = pytest.mark.parametrize("seed", SEEDS)
OF_THE_BOX = (*NAMES, "shifts", "ice_time_rank")


def build_skaters(seed: int) -> tuple[Silver, pl.DataFrame]:
    found = build_league_silver(seed)
    return found, build_gold(SKATER_GAME, found)


def drop_boxscore_time(totals: pl.DataFrame) -> pl.DataFrame:
    """Return rows without the ice time that only the box score has, in situation `all`."""
    from_box = (pl.col("time_source") == SOURCE_BOX_SCORE).fill_null(value=False)
    return totals.with_columns(pl.when(from_box).then(None).otherwise(pl.col(name)).alias(name) for name in OF_THE_BOX)


@every_seed
def test_all_is_the_sum_of_the_situations(seed: int):
    _, rows = build_skaters(seed)
    key = ("game_id", "player_id")
    parts = rows.filter(pl.col("situation") != "all").group_by(key).agg(pl.col(ADDITIVE_COUNTS).sum(), pl.len())
    totals = drop_boxscore_time(rows.filter(pl.col("situation") == "all")).with_columns(
        pl.col(ADDITIVE_COUNTS).fill_null(0)
    )

    assert parts["len"].unique().to_list() == [len(SITUATIONS)]
    assert_frame_equal(
        parts.sort(key).select(*key, *ADDITIVE_COUNTS),
        totals.sort(key).select(*key, *ADDITIVE_COUNTS),
        check_dtypes=False,
        check_exact=False,
    )


@every_seed
def test_every_dressed_skater_and_situation_has_a_row_and_nobody_else(seed: int):
    found, rows = build_skaters(seed)
    dressed = found["lineups"].filter(~pl.col("is_scratched") & (pl.col("position") != "G"))

    assert rows.height == 5 * dressed.height
    assert rows.select("game_id", "player_id").unique().height == dressed.height


@every_seed
def test_counts_that_need_shifts_are_null_exactly_without_them(seed: int):
    found, rows = build_skaters(seed)
    has_shifts = pl.col("game_id").is_in(found["shifts"]["game_id"].unique().implode())
    names = [
        name for name in SKATER_GAME.schema if name.startswith(("on_ice_", "off_ice_", "time_on_")) or "shift" in name
    ]
    counts = [name for name in names if not name.endswith("_share")]

    without = drop_boxscore_time(rows.filter(~has_shifts))
    assert without.select(pl.col(names).null_count()).unpivot()["value"].unique().to_list() in ([without.height], [0])
    assert rows.filter(has_shifts).select(pl.col(counts).null_count()).unpivot()["value"].unique().to_list() == [0]


def test_there_are_games_with_and_without_shifts():
    """Without both kinds of games, the tests above would test nothing."""
    shifts = {seed: build_league_silver(seed)["shifts"]["game_id"].n_unique() for seed in SEEDS}
    games = {seed: build_league_silver(seed)["games"].height for seed in SEEDS}

    assert all(count > 4 for count in shifts.values())
    assert sum(games.values()) > sum(shifts.values())


def mirror_situation(situation: str | None, *, own: bool) -> str:
    if situation is None:
        return "other"
    return situation if own else {"5on4": "4on5", "4on5": "5on4"}.get(situation, situation)


@every_seed
def test_on_ice_events_match_a_direct_count(seed: int):
    found, rows = build_skaters(seed)
    on: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for game, event, player, team in (
        found["on_ice"].filter(~pl.col("is_goalie")).select("game_id", "event_id", "player_id", "team_id").rows()
    ):
        on.setdefault((game, event), []).append((player, team))
    expected: Counter[tuple[int, int, str, str]] = Counter()
    plays = found["plays"].filter((pl.col("period_type") != "SO") & ~pl.col("is_penalty_shot"))
    kinds = {"goal": "goals", "missed-shot": "missed_shots", "blocked-shot": "blocked_attempts"}
    for play in plays.iter_rows(named=True):
        if play["event"] not in {"goal", "shot-on-goal", "missed-shot", "blocked-shot"}:
            continue
        for player, team in on.get((play["game_id"], play["event_id"]), []):
            own = team == play["acting_team_id"]
            where = mirror_situation(play["situation"], own=own)
            for name in {"attempts", kinds.get(play["event"], "")} - {""}:
                expected[play["game_id"], player, where, f"on_ice_{name}_{'for' if own else 'against'}"] += 1
    names = [f"on_ice_{name}_{side}" for name in ("attempts", *kinds.values()) for side in ("for", "against")]
    long = rows.filter(pl.col("situation") != "all").unpivot(names, index=["game_id", "player_id", "situation"])

    got = {tuple(key): count for *key, count in long.filter(pl.col("value") > 0).rows()}
    assert got == dict(expected)
    assert sum(expected.values()) > 5_000


@every_seed
def test_skaters_and_goalies_add_up_to_their_team(seed: int):
    found, rows = build_skaters(seed)
    goalies = found["lineups"].filter(pl.col("position") == "G")["player_id"]
    by_skaters = found["plays"].filter(
        "is_goal" | pl.col("is_attempt"), ~pl.col("shooter_player_id").is_in(goalies.implode())
    )
    team = ["game_id", "acting_team_id"]
    expected = by_skaters.group_by(team).agg(
        goals=pl.col("is_goal").sum(),
        shots_on_goal=pl.col("is_shot_on_goal").sum(),
        attempts=pl.col("is_attempt").sum(),
        rebound_shots=pl.col("is_rebound").sum(),
        rebounds_generated=pl.col("has_rebound").sum(),
    )
    totals = rows.filter(pl.col("situation") == "all").rename({"team_id": "acting_team_id"})
    got = totals.group_by(team).agg(pl.col(expected.columns[2:]).cast(pl.Int64).sum())

    assert_frame_equal(got.sort(team), expected.sort(team), check_dtypes=False)


@every_seed
def test_time_on_ice_and_on_the_bench_add_up_to_the_time_played(seed: int):
    found, rows = build_skaters(seed)
    length = pl.col("end_seconds") - pl.col("start_seconds")
    played = found["stints"].group_by("game_id").agg(played=length.sum())
    totals = rows.filter((pl.col("situation") == "all") & pl.col("time_on_ice_s").is_not_null())
    off = totals.join(played, on="game_id").filter(
        pl.col("time_on_ice_s") + pl.col("time_on_bench_s") != pl.col("played")
    )

    assert off.is_empty()
    assert totals.height > 100
    assert played["played"].min() >= 3600


@every_seed
def test_on_ice_and_off_ice_goals_add_up_to_those_of_the_team(seed: int):
    """On-ice and off-ice goals of a skater add up to those of the team, except penalty shots."""
    found, rows = build_skaters(seed)
    goals = found["plays"].filter("is_goal", ~pl.col("is_penalty_shot")).group_by("game_id").agg(goals=pl.len())
    totals = rows.filter((pl.col("situation") == "all") & (pl.col("time_source") == "shifts"))
    sides = [f"{where}_goals_{side}" for where in ("on_ice", "off_ice") for side in ("for", "against")]
    off = totals.join(goals, on="game_id", how="left").filter(
        pl.sum_horizontal(sides) != pl.col("goals_right").fill_null(0)
    )

    assert off.is_empty()


@every_seed
def test_one_forward_and_one_defenseman_of_each_team_rank_first_by_ice_time(seed: int):
    _, rows = build_skaters(seed)
    ranked = rows.filter((pl.col("situation") == "all") & pl.col("ice_time_rank").is_not_null())
    peers = ["game_id", "team_id", pl.col("position") == "D"]
    best = ranked.filter(pl.col("ice_time_rank") == 1).group_by(peers).agg(pl.col("time_on_ice_s").min())
    most = ranked.group_by(peers).agg(pl.col("time_on_ice_s").max())

    assert_frame_equal(best.sort(pl.all()), most.sort(pl.all()))
