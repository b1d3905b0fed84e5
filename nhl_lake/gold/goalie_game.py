"""What goalies faced, game by game and situation by situation."""

from dataclasses import replace

import polars as pl

from nhl_lake.gold.measures import appearances, checks, ice_time, individual_events, recorded_events
from nhl_lake.gold.measures import attempts as shooting
from nhl_lake.gold.measures.attempts import STRENGTH_NAMES, declare_count
from nhl_lake.gold.measures.situations import (
    ALL_SITUATIONS,
    add_all_situations,
    expand_situations,
    orient_situation,
    situation,
)
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
) -> pl.LazyFrame:
    """One row a goalie dressed for a final game, and situation as his team has it; `all` is the sum of the others.

    What he faced is counted while he was in the net: goals, saved and missed shots as the plays name him, blocked
    attempts by the shifts. Left out: shoot-outs, and goals into the empty net. What is counted by shifts is null where
    a game has none; time in all situations together is then the box score's (`time_source`). What he faced is null
    where its plays do not name goalies, or have no such events (no shots before 1997, no misses before 2005, nothing
    else before 2009). The decision is the NHL's, and so is the split by strength beside ours (`official_`), which has
    no penalty shots apart.
    """
    shot = shooting.count_attempts(plays).cache()
    decisions = goalie_games.select("game_id", "player_id", "decision")
    goalies = (
        appearances.select_appearances(games, lineups, plays).filter(pl.col("position") == "G").drop("position").cache()
    )
    started = lineups.select("game_id", "player_id", "is_starter")
    rows = (
        expand_situations(recorded_events.add_recorded_flags(goalies, plays, stints))
        .join(started, on=GOALIE_KEY[:2], how="left", validate="m:1")
        .join(decisions, on=GOALIE_KEY[:2], how="left", validate="m:1")
    )
    time = ice_time.sum_time_on_ice(ice_time.split_stints_by_team(stints), pl.concat_list("goalie"))
    for found in (
        count_attempts_faced(shot, goalies),
        count_blocked_attempts(shot, on_ice),
        count_own_events(shot, plays, goalies),
        time,
    ):
        rows = rows.join(found, on=GOALIE_KEY, how="left", validate="1:1")
    whole = ice_time.fill_ice_time(
        add_all_situations(fill_counts(rows), GOALIE_KEY[:2], COUNTS), goalie_games, ("time_on_ice_s",)
    )
    return (
        whole.join(select_official_split(goalie_games), on=GOALIE_KEY, how="left", validate="1:1")
        .with_columns(save_share=compute_save_share())
        .select(list(GOALIE_GAME.schema))
    )


def select_official_split(goalie_games: pl.LazyFrame) -> pl.LazyFrame:
    """One row a goalie and game, in the situation all, with the NHL's own split of what he faced by strength."""
    return goalie_games.select(
        *GOALIE_KEY[:2],
        *(pl.col(name).alias(f"official_{name}") for name in STRENGTH_SPLIT),
        situation=pl.lit(ALL_SITUATIONS),
    )


def count_attempts_faced(shot: pl.LazyFrame, goalies: pl.LazyFrame) -> pl.LazyFrame:
    """One row a goalie, game and situation, with the unblocked attempts that the plays say he faced."""
    at_him = shot.rename({"goalie_player_id": "player_id"}).join(
        goalies.select("game_id", "player_id", "team_id"), on=GOALIE_KEY[:2], validate="m:1"
    )
    return at_him.with_columns(situation=orient_situation()).group_by(GOALIE_KEY).agg(**FACED_SUMS)


def count_blocked_attempts(shot: pl.LazyFrame, on_ice: pl.LazyFrame) -> pl.LazyFrame:
    """One row a goalie, game and situation, with the attempts that were blocked before him."""
    goalies = on_ice.filter("is_goalie").select("game_id", "event_id", "player_id", "team_id")
    at_him = shot.filter(pl.col("blocked_attempts") == 1).join(goalies, on=["game_id", "event_id"], validate="1:m")
    return (
        at_him.filter(pl.col("team_id") != pl.col("acting_team_id"))
        .with_columns(situation=orient_situation())
        .group_by(GOALIE_KEY)
        .agg(blocked_attempts_against=pl.len())
    )


def count_own_events(shot: pl.LazyFrame, plays: pl.LazyFrame, goalies: pl.LazyFrame) -> pl.LazyFrame:
    """One row a goalie, game and situation, with what he did himself: goals, assists, penalties."""
    return (
        pl.concat(
            [shot.rename({"shooter_player_id": "player_id"}), individual_events.count_individual_events(plays)],
            how="diagonal",
        )
        .join(goalies.select("game_id", "player_id", "team_id"), on=GOALIE_KEY[:2], validate="m:1")
        .with_columns(situation=orient_situation())
        .group_by(GOALIE_KEY)
        .agg(pl.col("goals", "assists", *PENALTY_COUNTS).sum())
    )


def fill_counts(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Write zeros where nothing happened, and leave null what the pages do not record."""
    return rows.with_columns(
        *recorded_events.fill_recorded_counts(("goals", "assists", *PENALTY_COUNTS, *SHIFT_COUNTS)),
        *recorded_events.fill_recorded_counts(FACED_SUMS, "has_goalies"),
    ).with_columns(
        points=pl.col("goals") + pl.col("assists"),
        attempts_against=pl.col("unblocked_attempts_against") + pl.col("blocked_attempts_against"),
    )


def compute_save_share() -> pl.Expr:
    """Return the share of the shots that were saved; null if there were none."""
    return pl.when(pl.col("shots_against") > 0).then(pl.col("saves") / pl.col("shots_against"))


PENALTY_COUNTS = ("penalties", "penalty_minutes")
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
}
SHIFT_COUNTS = ("blocked_attempts_against", *ice_time.NAMES)
COUNTS = (*FACED_SUMS, *SHIFT_COUNTS, "attempts_against", "goals", "assists", "points", *PENALTY_COUNTS)

STRENGTH_SPLIT = tuple(
    f"{strength}_{what}" for strength in STRENGTH_NAMES.values() for what in ("shots_against", "saves", "goals_against")
)
OFFICIAL_COLUMNS = {column.name: column for column in GOALIE_GAMES.columns}
DESCRIPTIONS = {column.name: column.description for column in (*shooting.COLUMNS, *individual_events.SHARED_COLUMNS)}


def declare_faced_column(name: str) -> Column:
    """Declare what he faced, in the words of the box score where it has them."""
    if name in OFFICIAL_COLUMNS:
        return replace(OFFICIAL_COLUMNS[name], nullable=True)
    return declare_count(name, f"{DESCRIPTIONS[name.removesuffix('_against')]}; while he was in the net")


COLUMNS = (
    *(one for one in appearances.COLUMNS if one.name != "position"),
    situation,
    c.is_starter,
    OFFICIAL_COLUMNS["decision"],
    ice_time.time_source,
    *ice_time.COLUMNS,
    *(declare_faced_column(name) for name in FACED_SUMS if name != "penalty_shots_against"),
    declare_count("penalty_shots_against", "Penalty shots faced, misses among them; none of a shoot-out"),
    declare_faced_column("blocked_attempts_against"),
    declare_faced_column("attempts_against"),
    OFFICIAL_COLUMNS["save_share"],
    c.goals,
    c.assists,
    c.points,
    *(replace(one, nullable=False) for one in individual_events.SHARED_COLUMNS if one.name in PENALTY_COUNTS),
    *(
        replace(
            OFFICIAL_COLUMNS[name],
            name=f"official_{name}",
            description=f"{OFFICIAL_COLUMNS[name].description}, by the box score, with penalty shots; null but in all",
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
    inputs=(GAMES, LINEUPS, PLAYS, ON_ICE, STINTS, GOALIE_GAMES),
    source=goalie_game,
    checks=checks.GOALIE_CHECKS | checks.TIME_CHECKS,
)
