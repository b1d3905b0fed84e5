"""Games, past and future, from the schedule."""

from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from nhl_lake import columns as c
from nhl_lake.bronze import SCHEDULE
from nhl_lake.envelopes import ScheduledGame
from nhl_lake.hockey.calendar import FINAL
from nhl_lake.silver.pages import reader, text
from nhl_lake.table import Column, Table

COLUMNS = (
    c.season,
    c.game_id,
    c.game_type,
    c.game_date,
    Column("start_at", c.UTC, "When the game starts, or is to start", "UTC"),
    Column("eastern_offset", pl.String, "Offset of New York's clock from UTC at the start: -05:00", nullable=True),
    Column("venue_offset", pl.String, "Offset of the venue's clock from UTC at the start", nullable=True),
    Column("venue", pl.String, "Name of the arena", nullable=True),
    Column("is_neutral_site", pl.Boolean, "Whether neither team is at home", nullable=True),
    c.home_team_id,
    Column("home_team_abbrev", pl.String, "Three letters of the home team, as of then"),
    c.away_team_id,
    Column("away_team_abbrev", pl.String, "Three letters of the away team, as of then"),
    Column("home_score", pl.Int16, "Final score of the home team; 1 more for a shoot-out won", nullable=True),
    Column("away_score", pl.Int16, "Final score of the away team; 1 more for a shoot-out won", nullable=True),
    Column(
        "last_period_type",
        pl.String,
        "Where the game was decided: REG, OT, SO",
        nullable=True,
        values=("REG", "OT", "SO"),
    ),
    c.game_state,
    c.schedule_state,
)
SCHEMA = {column.name: column.dtype for column in COLUMNS}


def games(schedule: pl.LazyFrame) -> pl.LazyFrame:
    """One row a game of the schedule, past or future. A score is null until the game is final.

    `game_date` is the day that the game stands under: a postponed game has one row, with its new day.
    From the newest entry of each game in `bronze.schedule`.
    """
    return schedule.select("game_date", "body").map_batches(parsed, schema=SCHEMA)


def parsed(schedule: pl.DataFrame) -> pl.DataFrame:
    """Decode schedule entries into rows."""
    return pl.DataFrame(rows(schedule.iter_rows()), schema=SCHEMA, orient="row")


def rows(schedule: Iterable[tuple[Any, str]]) -> Iterator[tuple[object, ...]]:
    """Yield the row of each schedule entry."""
    read = reader(ScheduledGame)
    for day, body in schedule:
        game = read(body)
        is_final = game.gameState in FINAL
        yield (
            game.season,
            game.id,
            game.gameType,
            day,
            game.startTimeUTC,
            game.easternUTCOffset,
            game.venueUTCOffset,
            text(game.venue),
            game.neutralSite,
            game.homeTeam.id,
            game.homeTeam.abbrev,
            game.awayTeam.id,
            game.awayTeam.abbrev,
            game.homeTeam.score if is_final else None,
            game.awayTeam.score if is_final else None,
            game.gameOutcome.lastPeriodType if is_final and game.gameOutcome else None,
            game.gameState,
            game.gameScheduleState,
        )


GAMES = Table(
    name="silver.games",
    grain="one game, past or future",
    key=("game_id",),
    columns=COLUMNS,
    by="game_id",
    reads=(SCHEDULE,),
    source=games,
    checks={
        "two different teams": pl.col("home_team_id") != pl.col("away_team_id"),
        # games could end in a tie until shoot-outs came in 2005
        "a final game has a winner": pl.col("home_score").ne_missing(pl.col("away_score"))
        | pl.col("home_score").is_null()
        | (pl.col("season") < 20052006),
        "a game that is not final has no score": pl.col("game_state").is_in(FINAL) | pl.col("home_score").is_null(),
    },
)
