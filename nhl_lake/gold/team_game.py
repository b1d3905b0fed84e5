"""Team statistics by game and situation, for and against."""

from dataclasses import replace

import polars as pl

from nhl_lake.gold.measures import appearances, checks, ice_time, individual_events, recorded_events
from nhl_lake.gold.measures import attempts as shooting
from nhl_lake.gold.measures.situations import (
    OTHER_SITUATION,
    SHARE_COUNTS,
    add_all_situations,
    compute_share,
    expand_situations,
    mirror_situation,
    orient_situation,
    situation,
)
from nhl_lake.gold.shots import SHOTS
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.stints import STINTS

TEAM_KEY = ("game_id", "team_id", "situation")


def team_game(games: pl.LazyFrame, plays: pl.LazyFrame, stints: pl.LazyFrame, shots: pl.LazyFrame) -> pl.LazyFrame:
    """One row per team of a final game and situation of the team; `all` is the sum of the others.

    `…_against` are the opponent's own counts in the mirrored situation. Events of goalies and the bench count too;
    shootouts are left out. Time is null in a game without shifts. Counts are null if the plays do not record such
    events: shots before 1997, misses before 2005, most others before 2009.
    """
    dressed = appearances.list_game_teams(games).join(plays, on="game_id", how="semi")
    time = ice_time.sum_team_time(ice_time.split_stints_by_team(stints))
    rows = (
        expand_situations(recorded_events.add_recorded_flags(dressed, plays, stints, shots))
        .join(sum_team_counts(plays, shots), on=TEAM_KEY, how="left", validate="1:1")
        .join(time, on=TEAM_KEY, how="left", validate="1:1")
        .with_columns(recorded_events.fill_recorded_counts((*OWN_COUNTS, *ice_time.NAMES)))
        .cache()
    )
    against = rows.select(
        "game_id", *AGAINST_EXPRESSIONS.values(), team_id="opponent_team_id", situation=mirror_situation()
    )
    both = rows.join(against, on=TEAM_KEY, validate="1:1")
    filled = add_all_situations(both, TEAM_KEY[:2], COUNTS)
    return filled.with_columns(**compute_shares()).select(list(TEAM_GAME.schema))


def sum_team_counts(plays: pl.LazyFrame, shots: pl.LazyFrame) -> pl.LazyFrame:
    """One row per team, game and situation, with the team's own counts."""
    attempts = shooting.count_attempts(shots).with_columns(
        pl.col("situation").fill_null(OTHER_SITUATION), team_id="acting_team_id"
    )
    other_events = individual_events.count_team_events(plays).with_columns(situation=orient_situation())
    return pl.concat([attempts, other_events], how="diagonal").group_by(TEAM_KEY).agg(pl.col(*OWN_COUNTS).sum())


def compute_shares() -> dict[str, pl.Expr]:
    """Return the team's shares of both teams' counts."""
    return {f"{name}_share": compute_share(count, f"{count}_against") for name, count in SHARE_COUNTS.items()}


OWN_COUNTS = (*shooting.NAMES, *(column.name for column in individual_events.SHARED_COLUMNS))
PENALTY_COUNTS = ("penalties", "misconducts", "penalty_minutes")

OWN_COLUMNS = tuple(
    replace(column, nullable=False) if column.name in PENALTY_COUNTS else column
    for column in (*shooting.COLUMNS, *individual_events.SHARED_COLUMNS)
)
MIRRORED_COLUMNS = tuple(column for column in OWN_COLUMNS if column.name not in {"faceoffs_won", "faceoffs_lost"})
AGAINST_EXPRESSIONS = {column.name: pl.col(column.name).alias(f"{column.name}_against") for column in MIRRORED_COLUMNS}
OPPONENT_COLUMNS = tuple(
    replace(column, name=f"{column.name}_against", description=f"{column.description}; of the opponent")
    for column in MIRRORED_COLUMNS
)

COUNTS = (*OWN_COUNTS, *ice_time.NAMES, *(column.name for column in OPPONENT_COLUMNS))

COLUMNS = (
    *appearances.TEAM_COLUMNS,
    *appearances.OPPONENT_COLUMNS,
    situation,
    *(
        replace(column, description=column.description.replace("Time on ice", "Time played"))
        for column in ice_time.COLUMNS
    ),
    *OWN_COLUMNS,
    *OPPONENT_COLUMNS,
    *(
        Column(f"{name}_share", pl.Float64, f"Share of both teams' {count.replace('_', ' ')}, 0 to 1", nullable=True)
        for name, count in SHARE_COUNTS.items()
    ),
)

TEAM_GAME = Table(
    name="gold.team_game",
    grain="one team of a final game, in one situation: all, 5on5, 5on4, 4on5 or other",
    key=("game_id", "team_id", "situation"),
    columns=COLUMNS,
    chunk_key="game_id",
    inputs=(GAMES, PLAYS, STINTS, SHOTS),
    source=team_game,
    checks=checks.STRENGTH_CHECKS | checks.ATTEMPT_CHECKS | checks.TIME_CHECKS,
)
