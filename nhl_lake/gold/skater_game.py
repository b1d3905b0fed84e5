"""Skater statistics by game and situation: individual, on-ice and off-ice."""

import polars as pl

from nhl_lake.gold.measures import (
    appearances,
    checks,
    ice_time,
    individual_events,
    on_ice_events,
    recorded_events,
    shift_starts,
)
from nhl_lake.gold.measures import attempts as shooting
from nhl_lake.gold.measures.ratings import game_score, rank_ice_time
from nhl_lake.gold.measures.situations import (
    SHARE_COUNTS,
    add_all_situations,
    compute_share,
    expand_situations,
    orient_situation,
    situation,
)
from nhl_lake.gold.shots import SHOTS
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
    shots: pl.LazyFrame,
) -> pl.LazyFrame:
    """One row per skater dressed for a final game and situation; `all` is the sum of the others.

    Shootouts, goalies and games without plays are left out. A penalty shot counts for the shooter, in situation
    `other`, and not as an on-ice event. Counts that need shifts are null in a game without them; ice time and shifts in
    `all` are then the box score's (`time_source`). Goals, points and penalties are always known. Other counts are null
    if the plays do not record such events: shots before 1997, misses before 2005, everything else before 2009.
    """
    attempts = shooting.count_attempts(shots).cache()
    skaters = appearances.select_appearances(games, lineups, plays).filter(pl.col("position").ne_missing("G")).cache()
    team_stints = ice_time.split_stints_by_team(stints).cache()
    rows = expand_situations(recorded_events.add_recorded_flags(skaters, plays, stints, shots))
    for found in (
        count_own_events(attempts, plays, skaters),
        *list_shift_counts(attempts, plays, on_ice, shifts, team_stints, skaters),
    ):
        key = PLAYER_KEY if "player_id" in found.collect_schema() else TEAM_KEY
        rows = rows.join(found, on=key, how="left", validate="1:1" if key is PLAYER_KEY else "m:1")
    rows = rows.with_columns(has_shifts=has_known_time())
    known = rows.with_columns(recorded_events.fill_recorded_counts((*OWN_COUNTS, *SHIFT_COUNTS))).with_columns(
        **derive_counts()
    )
    filled = ice_time.fill_ice_time(
        add_all_situations(known, PLAYER_KEY[:2], ADDITIVE_COUNTS), skater_games, BOX_SCORE_COUNTS
    )
    return filled.with_columns(**compute_ratings()).select(list(SKATER_GAME.schema))


def count_own_events(attempts: pl.LazyFrame, plays: pl.LazyFrame, skaters: pl.LazyFrame) -> pl.LazyFrame:
    """One row per skater, game and situation, with individual counts."""
    own = attempts.rename({"shooter_player_id": "player_id"})
    return (
        pl.concat([own, individual_events.count_individual_events(plays)], how="diagonal")
        .join(skaters.select("game_id", "player_id", "team_id"), on=["game_id", "player_id"], validate="m:1")
        .with_columns(situation=orient_situation())
        .group_by(PLAYER_KEY)
        .agg(pl.col(*OWN_COUNTS).sum())
    )


def list_shift_counts(
    attempts: pl.LazyFrame,
    plays: pl.LazyFrame,
    on_ice: pl.LazyFrame,
    shifts: pl.LazyFrame,
    team_stints: pl.LazyFrame,
    skaters: pl.LazyFrame,
) -> list[pl.LazyFrame]:
    """Return the counts that need shifts: frames of skaters or of teams, by game and situation."""
    events = on_ice_events.find_on_ice_events(attempts, on_ice).cache()
    skater_shifts = shifts.join(skaters, on=PLAYER_KEY[:2], how="semi")
    classified = shift_starts.classify_shifts(skater_shifts, plays, team_stints).cache()
    team_time = ice_time.sum_team_time(team_stints).select(*TEAM_KEY, time_on_bench_s="time_on_ice_s")
    return [
        ice_time.sum_time_on_ice(team_stints, pl.col("skaters")),
        on_ice_events.count_on_ice_events(events),
        shift_starts.count_shifts(classified),
        on_ice_events.count_after_shifts(attempts, events, classified, plays),
        on_ice_events.count_team_on_ice_events(events),
        team_time,
    ]


def has_known_time() -> pl.Expr:
    """Return `has_shifts`, but false for a skater without shifts who is only in the lineup because of plays.

    Such a skater was on the ice, but no page lists them as dressed (their position is null), and the chart may miss
    them too.
    """
    has_no_shift = pl.col("time_on_ice_s").is_null().all().over(PLAYER_KEY[:2])
    return pl.col("has_shifts") & ~(pl.col("position").is_null() & has_no_shift)


def derive_counts() -> dict[str, pl.Expr]:
    """Return the counts that are computed from others."""
    off_ice = [name for name in on_ice_events.NAMES if name.startswith("off_ice_")]
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
    """Return shares, the ice-time rank and the game score."""
    shares = {
        f"{where}_{name}_share": compute_share(f"{where}_{count}_for", f"{where}_{count}_against")
        for where in ("on_ice", "off_ice")
        for name, count in SHARE_COUNTS.items()
        if name != "goal"
    }
    return {**shares, "ice_time_rank": rank_ice_time(), "game_score": game_score()}


def declare_required(column: Column) -> Column:
    """Declare a column as not nullable."""
    return Column(column.name, column.dtype, column.description, column.unit)


SCORING_COLUMNS = (
    Column("primary_assists", pl.Int16, "Primary assists (the last pass before a goal)"),
    Column("secondary_assists", pl.Int16, "Secondary assists; third assists (1927 to 1936) count only in `assists`"),
    c.assists,
    c.points,
    Column("even_strength_points", pl.Int16, "Points at even strength, by players on the ice", nullable=True),
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
SHIFT_COUNTS = (*ice_time.NAMES, "time_on_bench_s", *shift_starts.NAMES, *on_ice_events.NAMES)
BOX_SCORE_COUNTS = (*ice_time.NAMES, "shifts")
ADDITIVE_COUNTS = (*OWN_COUNTS, "points", *SHIFT_COUNTS)

COLUMNS = (
    *appearances.COLUMNS,
    situation,
    ice_time.time_source,
    *ice_time.COLUMNS,
    Column(
        "time_on_bench_s",
        pl.Int32,
        "Time on the bench: the team's time without the skater on the ice",
        "s",
        nullable=True,
    ),
    Column(
        "ice_time_rank",
        pl.Int16,
        "Rank by ice time among the team's forwards, or its defensemen; 1 is most",
        nullable=True,
    ),
    c.shifts,
    Column("game_score", pl.Float64, "Game score (Luszczyszyn); the same in every situation", nullable=True),
    c.goals,
    *SCORING_COLUMNS,
    *(column for column in shooting.COLUMNS if column is not c.goals),
    *(
        declare_required(column) if column.name in PENALTY_COUNTS else column
        for column in (*individual_events.SHARED_COLUMNS, *individual_events.PLAYER_COLUMNS)
    ),
    *shift_starts.COLUMNS,
    *on_ice_events.COLUMNS,
    *(
        Column(f"{where}_{what}_share", pl.Float64, f"Share of both teams' {description} {when}", nullable=True)
        for where, when in (("on_ice", "while on the ice"), ("off_ice", "while on the bench"))
        for what, description in (
            ("attempt", "shot attempts (Corsi)"),
            ("unblocked_attempt", "unblocked attempts (Fenwick)"),
            ("xg", "expected goals"),
        )
    ),
)

SKATER_GAME = Table(
    name="gold.skater_game",
    grain="one skater dressed for a final game, in one situation: all, 5on5, 5on4, 4on5 or other",
    key=("game_id", "player_id", "situation"),
    columns=COLUMNS,
    chunk_key="game_id",
    inputs=(GAMES, LINEUPS, PLAYS, ON_ICE, SHIFTS, STINTS, SKATER_GAMES, SHOTS),
    source=skater_game,
    checks=checks.STRENGTH_CHECKS
    | checks.ATTEMPT_CHECKS
    | checks.TIME_CHECKS
    | checks.SKATER_CHECKS
    | checks.SHIFT_CHECKS,
)
