"""What skaters did, game by game and situation by situation, and what happened while they were on the ice."""

import polars as pl

from nhl_lake.gold.measures import appearances, checks, ice_time, individual_events, recorded_events, shift_starts
from nhl_lake.gold.measures import attempts as shooting
from nhl_lake.gold.measures import on_ice_events as presence
from nhl_lake.gold.measures.ratings import game_score, rank_ice_time
from nhl_lake.gold.measures.situations import (
    add_all_situations,
    compute_share,
    expand_situations,
    orient_situation,
    situation,
)
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.on_ice import ON_ICE
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.shifts import SHIFTS
from nhl_lake.silver.skater_games import SKATER_GAMES
from nhl_lake.silver.stints import STINTS

PLAYER_KEY = ("game_id", "player_id", "situation")
TEAM_KEY = ("game_id", "team_id", "situation")


def skater_game(
    games: pl.LazyFrame,
    lineups: pl.LazyFrame,
    plays: pl.LazyFrame,
    on_ice: pl.LazyFrame,
    shifts: pl.LazyFrame,
    stints: pl.LazyFrame,
    skater_games: pl.LazyFrame,
) -> pl.LazyFrame:
    """One row a skater dressed for a final game, and situation; `all` is the sum of the others.

    Left out: shoot-outs, which count for nobody's record, goalies, and games whose plays are not there. A penalty shot
    is the shooter's, in situation other, and nobody's on the ice. What is counted by shifts is null where a game has
    none; ice time and shifts of all situations together are then the box score's (`time_source`). All but goals, points
    and penalties is null where its plays do not record it: shots before 1997, misses before 2005, the rest before 2009.
    """
    shot = shooting.count_attempts(plays).cache()
    skaters = appearances.select_appearances(games, lineups, plays).filter(pl.col("position").ne_missing("G")).cache()
    sides = ice_time.split_stints_by_team(stints).cache()
    rows = expand_situations(recorded_events.add_recorded_flags(skaters, plays, stints))
    for found in (
        count_own_events(shot, plays, skaters),
        *list_shift_counts(shot, plays, on_ice, shifts, sides, skaters),
    ):
        key = PLAYER_KEY if "player_id" in found.collect_schema() else TEAM_KEY
        rows = rows.join(found, on=key, how="left", validate="1:1" if key is PLAYER_KEY else "m:1")
    rows = rows.with_columns(has_shifts=has_known_time())
    known = rows.with_columns(recorded_events.fill_recorded_counts((*OWN_COUNTS, *SHIFT_COUNTS))).with_columns(
        **derive_counts()
    )
    whole = ice_time.fill_ice_time(
        add_all_situations(known, PLAYER_KEY[:2], ADDITIVE_COUNTS), skater_games, BOX_SCORE_COUNTS
    )
    return whole.with_columns(**compute_ratings()).select(list(SKATER_GAME.schema))


def count_own_events(shot: pl.LazyFrame, plays: pl.LazyFrame, skaters: pl.LazyFrame) -> pl.LazyFrame:
    """One row a skater, game and situation, with what he himself did."""
    own = shot.rename({"shooter_player_id": "player_id"})
    return (
        pl.concat([own, individual_events.count_individual_events(plays)], how="diagonal")
        .join(skaters.select("game_id", "player_id", "team_id"), on=["game_id", "player_id"], validate="m:1")
        .with_columns(situation=orient_situation())
        .group_by(PLAYER_KEY)
        .agg(pl.col(*OWN_COUNTS).sum())
    )


def list_shift_counts(
    shot: pl.LazyFrame,
    plays: pl.LazyFrame,
    on_ice: pl.LazyFrame,
    shifts: pl.LazyFrame,
    sides: pl.LazyFrame,
    skaters: pl.LazyFrame,
) -> list[pl.LazyFrame]:
    """Return what is counted by the shifts: rows of skaters or of teams, by game and situation."""
    seen = presence.find_on_ice_events(shot, on_ice).cache()
    stays = shift_starts.classify_shifts(shifts.join(skaters, on=PLAYER_KEY[:2], how="semi"), plays, sides).cache()
    team = ice_time.sum_team_time(sides).select(*TEAM_KEY, time_on_bench_s="time_on_ice_s")
    return [
        ice_time.sum_time_on_ice(sides, pl.col("skaters")),
        presence.count_on_ice_events(seen),
        shift_starts.count_shifts(stays),
        presence.count_after_shifts(shot, seen, stays, plays),
        presence.count_team_on_ice_events(seen),
        team,
    ]


def has_known_time() -> pl.Expr:
    """Return `has_shifts`, and no for a skater without a shift whom no list knows: the chart need not know them either.

    Such a skater is in the line-up because of plays, so was on the ice; they have no position.
    """
    has_no_shift = pl.col("time_on_ice_s").is_null().all().over(PLAYER_KEY[:2])
    return pl.col("has_shifts") & ~(pl.col("position").is_null() & has_no_shift)


def derive_counts() -> dict[str, pl.Expr]:
    """Return the counts that follow from others."""
    off_ice = [name for name in presence.NAMES if name.startswith("off_ice_")]
    split = {
        f"{strength}_points": pl.col(f"{strength}_points") + pl.col(f"{strength}_goals")
        for strength in shooting.STRENGTH_NAMES.values()
    }
    return {
        "points": pl.col("goals") + pl.col("assists"),
        **split,
        "time_on_bench_s": pl.col("time_on_bench_s") - pl.col("time_on_ice_s"),
        **{name: pl.col(name) - pl.col(name.replace("off_ice", "on_ice")) for name in off_ice},
    }


def compute_ratings() -> dict[str, pl.Expr]:
    """Return what is no count: shares, ranks, scores."""
    shares = {
        f"{where}_{what}_share": compute_share(f"{where}_{what}s_for", f"{where}_{what}s_against")
        for where in ("on_ice", "off_ice")
        for what in ("attempt", "unblocked_attempt")
    }
    return {**shares, "ice_time_rank": rank_ice_time(), "game_score": game_score()}


def declare_required(column: Column) -> Column:
    """Declare a column that is always known."""
    return Column(column.name, column.dtype, column.description, column.unit)


SCORING_COLUMNS = (
    Column("primary_assists", pl.Int16, "Last passes before goals"),
    Column("secondary_assists", pl.Int16, "Passes before those; a third one, from 1927 to 1936, is in `assists` alone"),
    c.assists,
    c.points,
    Column("even_strength_points", pl.Int16, "Points at even strength, by men", nullable=True),
    c.power_play_points,
    c.shorthanded_points,
)
PENALTY_COUNTS = ("penalties", "misconducts", "penalty_minutes")
OWN_COUNTS = (
    *shooting.NAMES,
    *individual_events.NAMES,
    *individual_events.ASSIST_NAMES,
    *individual_events.POINT_NAMES,
)
SHIFT_COUNTS = (*ice_time.NAMES, "time_on_bench_s", *shift_starts.NAMES, *presence.NAMES)
BOX_SCORE_COUNTS = (*ice_time.NAMES, "shifts")
ADDITIVE_COUNTS = (*OWN_COUNTS, "points", *SHIFT_COUNTS)

COLUMNS = (
    *appearances.COLUMNS,
    situation,
    ice_time.time_source,
    *ice_time.COLUMNS,
    Column("time_on_bench_s", pl.Int32, "Time that the team played while he did not", "s", nullable=True),
    Column("ice_time_rank", pl.Int16, "Rank of his ice time in the team, defencemen apart; 1 is most", nullable=True),
    c.shifts,
    Column("game_score", pl.Float64, "His game in one number; the same in every situation", nullable=True),
    c.goals,
    *SCORING_COLUMNS,
    *(column for column in shooting.COLUMNS if column is not c.goals),
    *(
        declare_required(column) if column.name in PENALTY_COUNTS else column
        for column in (*individual_events.SHARED_COLUMNS, *individual_events.PLAYER_COLUMNS)
    ),
    *shift_starts.COLUMNS,
    *presence.COLUMNS,
    *(
        Column(f"{where}_{what}_share", pl.Float64, f"Share of both teams' {what}s {when}", nullable=True)
        for where, when in (("on_ice", "while he was on the ice"), ("off_ice", "while he was on the bench"))
        for what in ("attempt", "unblocked_attempt")
    ),
)

SKATER_GAME = Table(
    name="gold.skater_game",
    grain="one skater dressed for a final game, in one situation: all, 5on5, 5on4, 4on5 or other",
    key=("game_id", "player_id", "situation"),
    columns=COLUMNS,
    chunk_key="game_id",
    inputs=(GAMES, LINEUPS, PLAYS, ON_ICE, SHIFTS, STINTS, SKATER_GAMES),
    source=skater_game,
    checks=checks.STRENGTH_CHECKS
    | checks.ATTEMPT_CHECKS
    | checks.TIME_CHECKS
    | checks.SKATER_CHECKS
    | checks.SHIFT_CHECKS,
)
