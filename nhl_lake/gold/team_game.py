"""What teams did, game by game and situation by situation, and what their opponents did."""

from dataclasses import replace

import polars as pl

from nhl_lake.gold.measures import appearances, checks, ice_time, individual, recorded
from nhl_lake.gold.measures import attempts as shooting
from nhl_lake.gold.measures.situations import OTHER, every_situation, mirrored, of_the_team, share, situation, with_all
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.stints import STINTS

TEAM = ("game_id", "team_id", "situation")


def team_game(games: pl.LazyFrame, plays: pl.LazyFrame, stints: pl.LazyFrame) -> pl.LazyFrame:
    """One row a team of a final game, and situation as the team has it; `all` is the sum of the others.

    What the opponent did stands beside (`_against`): its own numbers in the mirrored situation. Goalies' and the
    bench's count too. Left out: shoot-outs. Time is null where a game has no shifts; shots on goal, missed shots and
    all else are null where its plays have none, as before 1997, 2005 and 2009.
    """
    dressed = appearances.teams(games).join(plays, on="game_id", how="semi")
    time = ice_time.team_time(ice_time.sides(stints))
    rows = (
        every_situation(recorded.add_recorded(dressed, plays, stints))
        .join(done(plays), on=TEAM, how="left", validate="1:1")
        .join(time, on=TEAM, how="left", validate="1:1")
        .with_columns(recorded.known((*OWN, *ice_time.NAMES)))
        .cache()
    )
    theirs = rows.select("game_id", *AGAINST.values(), team_id="opponent_team_id", situation=mirrored())
    both = rows.join(theirs, on=TEAM, validate="1:1")
    whole = with_all(both, TEAM[:2], COUNTS)
    return whole.with_columns(**shares()).select(list(TEAM_GAME.schema))


def done(plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row a team, game and situation, with what it did."""
    shot = shooting.attempts(plays).with_columns(pl.col("situation").fill_null(OTHER), team_id="acting_team_id")
    beside = individual.team_deeds(plays).with_columns(situation=of_the_team())
    return pl.concat([shot, beside], how="diagonal").group_by(TEAM).agg(pl.col(*OWN).sum())


def shares() -> dict[str, pl.Expr]:
    """Return the team's shares of what both teams did."""
    return {f"{name[:-1]}_share": share(name, f"{name}_against") for name in SHARED}


OWN = (*shooting.NAMES, *(column.name for column in individual.SHARED))
PENALTIES = ("penalties", "misconducts", "penalty_minutes")
SHARED = ("goals", "unblocked_attempts", "attempts")

OURS = tuple(
    replace(column, nullable=False) if column.name in PENALTIES else column
    for column in (*shooting.COLUMNS, *individual.SHARED)
)
MIRRORED = tuple(column for column in OURS if column.name not in {"faceoffs_won", "faceoffs_lost"})
AGAINST = {column.name: pl.col(column.name).alias(f"{column.name}_against") for column in MIRRORED}
THEIRS = tuple(
    replace(column, name=f"{column.name}_against", about=f"{column.about}; of the opponent") for column in MIRRORED
)

COUNTS = (*OWN, *ice_time.NAMES, *(column.name for column in THEIRS))

COLUMNS = (
    *appearances.TEAM,
    *appearances.OPPONENT,
    situation,
    *(replace(column, about=column.about.replace("Time on the ice", "Time played")) for column in ice_time.COLUMNS),
    *OURS,
    *THEIRS,
    *(
        Column(f"{name[:-1]}_share", pl.Float64, f"Share of both teams' {name.replace('_', ' ')}", nullable=True)
        for name in SHARED
    ),
)

TEAM_GAME = Table(
    name="gold.team_game",
    grain="one team of a final game, in one situation: all, 5on5, 5on4, 4on5 or other",
    key=("game_id", "team_id", "situation"),
    columns=COLUMNS,
    by="game_id",
    reads=(GAMES, PLAYS, STINTS),
    source=team_game,
    checks=checks.ATTEMPTS | checks.GOALS | checks.TIME,
)
