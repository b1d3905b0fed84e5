"""Goalie statistics by game and situation."""

from dataclasses import replace

import polars as pl

from nhl_lake.gold.measures import appearances, checks, ice_time, individual_events, recorded_events
from nhl_lake.gold.measures import attempts as shooting
from nhl_lake.gold.measures.attempts import STRENGTH_NAMES, declare_count
from nhl_lake.gold.measures.expected_goals import DANGER_CLASSES
from nhl_lake.gold.measures.situations import (
    ALL_SITUATIONS,
    add_all_situations,
    expand_situations,
    orient_situation,
    situation,
)
from nhl_lake.gold.shots import SHOTS
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.goalie_games import GOALIE_GAMES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.on_ice import ON_ICE
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.stints import STINTS

GOALIE_KEY = ("game_id", "player_id", "situation")


def goalie_game(
    games: pl.LazyFrame,
    lineups: pl.LazyFrame,
    plays: pl.LazyFrame,
    on_ice: pl.LazyFrame,
    stints: pl.LazyFrame,
    goalie_games: pl.LazyFrame,
    shots: pl.LazyFrame,
) -> pl.LazyFrame:
    """One row per goalie dressed for a final game and situation of the goalie's team; `all` is the sum of the others.

    Goals, saves and misses against are counted if the plays name the goalie; blocked attempts against if the shifts
    have the goalie on the ice. Shootouts and empty-net goals are left out. Counts that need shifts are null in a game
    without them; ice time in `all` is then the box score's (`time_source`). Counts against are null if the plays name
    no goalies or do not record such events: shots before 1997, misses before 2005, everything else before 2009. The
    decision is the NHL's. So is the split by strength in `official_…`, which includes penalty shots.
    """
    attempts = shooting.count_attempts(shots).cache()
    decisions = goalie_games.select("game_id", "player_id", "decision")
    goalies = (
        appearances.select_appearances(games, lineups, plays).filter(pl.col("position") == "G").drop("position").cache()
    )
    started = lineups.select("game_id", "player_id", "is_starter")
    rows = (
        expand_situations(recorded_events.add_recorded_flags(goalies, plays, stints, shots))
        .join(started, on=GOALIE_KEY[:2], how="left", validate="m:1")
        .join(decisions, on=GOALIE_KEY[:2], how="left", validate="m:1")
    )
    time = ice_time.sum_time_on_ice(ice_time.split_stints_by_team(stints), pl.concat_list("goalie"))
    for found in (
        count_attempts_faced(attempts, goalies),
        count_blocked_attempts(attempts, on_ice),
        count_own_events(attempts, plays, goalies),
        time,
    ):
        rows = rows.join(found, on=GOALIE_KEY, how="left", validate="1:1")
    filled = ice_time.fill_ice_time(
        add_all_situations(fill_counts(rows), GOALIE_KEY[:2], COUNTS), goalie_games, ("time_on_ice_s",)
    )
    return (
        filled.join(select_official_split(goalie_games), on=GOALIE_KEY, how="left", validate="1:1")
        .with_columns(save_share=compute_save_share())
        .select(list(GOALIE_GAME.schema))
    )


def select_official_split(goalie_games: pl.LazyFrame) -> pl.LazyFrame:
    """One row per goalie and game, in situation `all`, with the NHL's own split by strength."""
    return goalie_games.select(
        *GOALIE_KEY[:2],
        *(pl.col(name).alias(f"official_{name}") for name in STRENGTH_SPLIT),
        situation=pl.lit(ALL_SITUATIONS),
    )


def count_attempts_faced(attempts: pl.LazyFrame, goalies: pl.LazyFrame) -> pl.LazyFrame:
    """One row per goalie, game and situation, with the unblocked attempts against, by the goalie named in the plays."""
    faced = attempts.rename({"goalie_player_id": "player_id"}).join(
        goalies.select("game_id", "player_id", "team_id"), on=GOALIE_KEY[:2], validate="m:1"
    )
    return faced.with_columns(situation=orient_situation()).group_by(GOALIE_KEY).agg(**FACED_SUMS)


def count_blocked_attempts(attempts: pl.LazyFrame, on_ice: pl.LazyFrame) -> pl.LazyFrame:
    """One row per goalie, game and situation, with the blocked attempts against while on the ice."""
    goalies = on_ice.filter("is_goalie").select("game_id", "event_id", "player_id", "team_id")
    faced = attempts.filter(pl.col("blocked_attempts") == 1).join(goalies, on=["game_id", "event_id"], validate="1:m")
    return (
        faced.filter(pl.col("team_id") != pl.col("acting_team_id"))
        .with_columns(situation=orient_situation())
        .group_by(GOALIE_KEY)
        .agg(blocked_attempts_against=pl.len())
    )


def count_own_events(attempts: pl.LazyFrame, plays: pl.LazyFrame, goalies: pl.LazyFrame) -> pl.LazyFrame:
    """One row per goalie, game and situation, with the goalie's own goals, assists and penalties."""
    return (
        pl.concat(
            [attempts.rename({"shooter_player_id": "player_id"}), individual_events.count_individual_events(plays)],
            how="diagonal",
        )
        .join(goalies.select("game_id", "player_id", "team_id"), on=GOALIE_KEY[:2], validate="m:1")
        .with_columns(situation=orient_situation())
        .group_by(GOALIE_KEY)
        .agg(pl.col("goals", "assists", *PENALTY_COUNTS).sum())
    )


def fill_counts(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Fill counts with zero where nothing happened; counts that the pages do not record stay null."""
    return rows.with_columns(
        *recorded_events.fill_recorded_counts(("goals", "assists", *PENALTY_COUNTS, *SHIFT_COUNTS)),
        *recorded_events.fill_recorded_counts(FACED_SUMS, "has_goalies"),
    ).with_columns(
        points=pl.col("goals") + pl.col("assists"),
        attempts_against=pl.col("unblocked_attempts_against") + pl.col("blocked_attempts_against"),
    )


def compute_save_share() -> pl.Expr:
    """Return the save percentage as a share; null without shots."""
    return pl.when(pl.col("shots_against") > 0).then(pl.col("saves") / pl.col("shots_against"))


PENALTY_COUNTS = ("penalties", "penalty_minutes")
SAVED_ABOVE = "goals_saved_above_expected"
ATTEMPT_COUNTS = (
    "missed_shots",
    "unblocked_attempts",
    "rebounds_generated",
    "rebound_shots",
    "rebound_goals",
    "rush_shots",
    "frozen_attempts",
    "stopped_attempts",
    "attempts_continued_in_zone",
    "attempts_continued_outside_zone",
    "xg",
    "xg_flurry_adjusted",
    "rebound_xg",
    "xg_variance",
    *(f"{danger}_danger_{what}" for what in ("attempts", "xg", "goals") for danger in DANGER_CLASSES),
)
FACED_SUMS = {
    "goals_against": pl.col("goals").sum(),
    "goals_without_shot_against": pl.col("goals_without_shot").sum(),
    "shots_against": pl.col("shots_on_goal").sum(),
    "saves": pl.col("saved_shots").sum(),
    **{f"{strength}_goals_against": pl.col(f"{strength}_goals").sum() for strength in STRENGTH_NAMES.values()},
    **{f"{strength}_shots_against": pl.col(f"{strength}_shots_on_goal").sum() for strength in STRENGTH_NAMES.values()},
    "penalty_shot_goals_against": pl.col("penalty_shot_goals").sum(),
    "penalty_shots_against": pl.col("is_penalty_shot").sum(),
    **{f"{name}_against": pl.col(name).sum() for name in ATTEMPT_COUNTS},
    SAVED_ABOVE: -pl.col("goals_above_expected").sum(),
}
SHIFT_COUNTS = ("blocked_attempts_against", *ice_time.NAMES)
COUNTS = (*FACED_SUMS, *SHIFT_COUNTS, "attempts_against", "goals", "assists", "points", *PENALTY_COUNTS)

STRENGTH_SPLIT = tuple(
    f"{strength}_{what}" for strength in STRENGTH_NAMES.values() for what in ("shots_against", "saves", "goals_against")
)
OFFICIAL_COLUMNS = {column.name: column for column in GOALIE_GAMES.columns}
COUNTED = {column.name: column for column in (*shooting.COLUMNS, *individual_events.SHARED_COLUMNS)}


def declare_faced_column(name: str) -> Column:
    """Declare a count against the goalie, with the box score's description if it has the column."""
    if name in OFFICIAL_COLUMNS:
        return replace(OFFICIAL_COLUMNS[name], nullable=True)
    counted = COUNTED[name.removesuffix("_against")]
    description = f"{counted.description}; against the goalie in net"
    return Column(name, counted.dtype, description, nullable=True)


COLUMNS = (
    *(column for column in appearances.COLUMNS if column.name != "position"),
    situation,
    c.is_starter,
    OFFICIAL_COLUMNS["decision"],
    ice_time.time_source,
    *ice_time.COLUMNS,
    *(declare_faced_column(name) for name in FACED_SUMS if name not in {"penalty_shots_against", SAVED_ABOVE}),
    Column(SAVED_ABOVE, pl.Float64, "Expected goals minus goals against, over the attempts with xG", nullable=True),
    declare_count("penalty_shots_against", "Penalty shots against, including misses, without the shootout"),
    declare_faced_column("blocked_attempts_against"),
    declare_faced_column("attempts_against"),
    OFFICIAL_COLUMNS["save_share"],
    c.goals,
    c.assists,
    c.points,
    *(replace(column, nullable=False) for column in individual_events.SHARED_COLUMNS if column.name in PENALTY_COUNTS),
    *(
        replace(
            OFFICIAL_COLUMNS[name],
            name=f"official_{name}",
            description=f"{OFFICIAL_COLUMNS[name].description}, by the box score, with penalty shots; only in all",
        )
        for name in STRENGTH_SPLIT
    ),
)

GOALIE_GAME = Table(
    name="gold.goalie_game",
    grain="one goalie dressed for a final game, in one situation: all, 5on5, 5on4, 4on5 or other",
    key=("game_id", "player_id", "situation"),
    columns=COLUMNS,
    chunk_key="game_id",
    inputs=(GAMES, LINEUPS, PLAYS, ON_ICE, STINTS, GOALIE_GAMES, SHOTS),
    source=goalie_game,
    checks=checks.GOALIE_CHECKS | checks.TIME_CHECKS,
)
