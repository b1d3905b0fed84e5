"""Games of the schedule, past and future."""

from dataclasses import replace
from datetime import datetime

import polars as pl

from nhl_lake.bronze.endpoints import SCHEDULE
from nhl_lake.bronze.numbers import Int16, Int32, Int64, Score
from nhl_lake.hockey.calendar import FINAL_STATES, GONE, UNDECIDED_TEAM
from nhl_lake.schema import columns as c
from nhl_lake.schema.ledger import LISTINGS
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.parsing.pages import LocalizedText, PageStruct, decode_page


class Team(PageStruct):
    """A team in a game."""

    id: Int32
    abbrev: str
    score: Score | None = None


class Outcome(PageStruct):
    """How a game ended."""

    lastPeriodType: str | None = None


class Period(PageStruct):
    """The current period of a game, or the last one of a final game."""

    number: Int16 | None = None


class GameEntry(PageStruct):
    """A game's entry in the schedule."""

    id: Int64
    season: Int32
    gameType: Int16
    gameState: str
    gameScheduleState: str
    startTimeUTC: datetime
    homeTeam: Team
    awayTeam: Team
    easternUTCOffset: str | None = None
    venueUTCOffset: str | None = None
    venue: LocalizedText | None = None
    neutralSite: bool | None = None
    gameOutcome: Outcome | None = None
    periodDescriptor: Period | None = None


def games(schedule: pl.LazyFrame, listings: pl.LazyFrame) -> pl.LazyFrame:
    """One row per game of the schedule, past or future. Scores and results are null until the game is final.

    A postponed game has one row, with its new `game_date`. A game that was not played and that the schedule no longer
    lists has `schedule_state` GONE, for example the rest of a playoff series that is already decided. From the newest
    entry of each game in `bronze.schedule`, and from `lake.listings`.
    """
    is_final = pl.col("gameState").is_in(FINAL_STATES)
    home, away = pl.col("homeTeam").struct, pl.col("awayTeam").struct
    last_period_type = pl.when(is_final).then(pl.col("gameOutcome").struct.field("lastPeriodType"))
    entries = schedule.select("game_date", entry=decode_page(GameEntry)).unnest("entry")
    rows = entries.select(
        "season",
        "game_date",
        "venue",
        game_id="id",
        game_type="gameType",
        start_at=pl.col("startTimeUTC").str.to_datetime("%+", time_unit="us", time_zone="UTC"),
        eastern_offset=read_utc_offset("easternUTCOffset"),
        venue_offset=read_utc_offset("venueUTCOffset"),
        is_neutral_site="neutralSite",
        home_team_id=home.field("id"),
        home_team_abbrev=home.field("abbrev"),
        away_team_id=away.field("id"),
        away_team_abbrev=away.field("abbrev"),
        home_score=pl.when(is_final).then(home.field("score")),
        away_score=pl.when(is_final).then(away.field("score")),
        last_period_type=last_period_type,
        is_shootout=last_period_type == "SO",
        periods=pl.when(is_final).then(pl.col("periodDescriptor").struct.field("number")),
        game_state="gameState",
        schedule_state="gameScheduleState",
    )
    rows = rows.join(find_delisted_games(listings), on="game_id", how="left", validate="m:1").with_columns(
        schedule_state=pl.when("is_gone", ~is_final_state()).then(pl.lit(GONE)).otherwise("schedule_state")
    )
    return rows.select(pl.col(column.name).cast(column.dtype) for column in COLUMNS)


def read_utc_offset(name: str) -> pl.Expr:
    """Return an offset from UTC in the form -05:00; null if it is none."""
    return pl.when(pl.col(name).str.contains(r"^[+-]\d\d:[0-5]\d$")).then(name)


def find_delisted_games(listings: pl.LazyFrame) -> pl.LazyFrame:
    """One row per game that the schedule did not list at the last check (`lake.listings`)."""
    last = listings.sort("asked_at").unique("game_id", keep="last", maintain_order=True)
    return last.filter(~pl.col("is_listed")).select("game_id", is_gone=pl.lit(value=True))


def is_final_state() -> pl.Expr:
    """Whether a game is over."""
    return pl.col("game_state").is_in(FINAL_STATES)


def starts_in_season() -> pl.Expr:
    """Whether a game starts in a year of its season: from its first to the year after its last."""
    first = pl.col("season") // 10_000
    return pl.col("start_at").dt.year().is_between(first, first + 2)


COLUMNS = (
    c.season,
    c.game_id,
    c.game_type,
    c.game_date,
    c.start_at,
    Column("eastern_offset", pl.String, "UTC offset of Eastern time at the start, such as -05:00", nullable=True),
    Column("venue_offset", pl.String, "UTC offset of the venue at the start", nullable=True),
    Column("venue", pl.String, "Name of the arena", nullable=True),
    Column("is_neutral_site", pl.Boolean, "Whether the game is at a neutral site", nullable=True),
    c.home_team_id,
    Column("home_team_abbrev", pl.String, "Three-letter code of the home team at that time; TBD while undecided"),
    c.away_team_id,
    Column("away_team_abbrev", pl.String, "Three-letter code of the away team at that time; TBD while undecided"),
    Column("home_score", pl.Int16, "Final score of the home team; a shootout win adds one", nullable=True),
    Column("away_score", pl.Int16, "Final score of the away team; a shootout win adds one", nullable=True),
    replace(c.last_period_type, nullable=True),
    Column("is_shootout", pl.Boolean, "Whether a shootout decided the game", nullable=True),
    Column("periods", pl.Int16, "Periods played, including overtimes and a shootout", nullable=True),
    c.game_state,
    c.schedule_state,
)

GAMES = Table(
    name="silver.games",
    grain="one game, past or future",
    key=("game_id",),
    columns=COLUMNS,
    chunk_key="game_id",
    inputs=(SCHEDULE, LISTINGS),
    page_structs={SCHEDULE: (GameEntry,)},
    source=games,
    checks={
        # in an upcoming game both teams may be undecided
        "home and away are different teams": (pl.col("home_team_id") != pl.col("away_team_id"))
        | (~is_final_state() & (pl.col("home_team_abbrev") == UNDECIDED_TEAM)),
        # ties ended with the shootout in 2005-06; a preseason game can still be called off in a tie
        "a final game has a winner": pl.col("home_score").ne_missing(pl.col("away_score"))
        | pl.col("home_score").is_null()
        | (pl.col("season") < 20052006)
        | (pl.col("game_type") == 1),
        "a game that is not final has no score": is_final_state() | pl.col("home_score").is_null(),
        "a game starts in its season": starts_in_season(),
        "a final game is not GONE": ~is_final_state() | (pl.col("schedule_state") != GONE),
    },
)
