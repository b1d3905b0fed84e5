"""Plays: what happened, in order."""

from collections.abc import Iterable, Iterator
from typing import Annotated

import msgspec
import polars as pl

from nhl_lake import columns as c
from nhl_lake.bronze import PLAY_BY_PLAY
from nhl_lake.hockey.calendar import FINAL
from nhl_lake.silver.pages import reader
from nhl_lake.table import Column, Table


class Period(msgspec.Struct):
    """The period of a play."""

    number: int
    periodType: str


class Details(msgspec.Struct):
    """What a play says of its players."""

    eventOwnerTeamId: int | None = None
    shootingPlayerId: int | None = None
    scoringPlayerId: int | None = None
    blockingPlayerId: int | None = None


class Play(msgspec.Struct):
    """A play of the play-by-play page."""

    eventId: int
    sortOrder: int
    periodDescriptor: Period
    timeInPeriod: Annotated[str, msgspec.Meta(pattern=r"^\d+:\d\d$")]
    typeCode: int
    typeDescKey: str
    situationCode: str | None = None
    details: Details | None = None


class Side(msgspec.Struct):
    """A team in the page's head."""

    id: int


class Spot(msgspec.Struct):
    """A dressed player: whose he is in this game."""

    playerId: int
    teamId: int


class Page(msgspec.Struct):
    """A play-by-play page."""

    id: int
    season: int
    gameType: int
    homeTeam: Side
    awayTeam: Side
    plays: list[Play]
    rosterSpots: list[Spot]


NOBODY = Details()

COLUMNS = (
    c.season,
    c.game_id,
    c.game_type,
    Column("event_id", pl.Int32, "Event id: unique in the game, not in order"),
    Column("sort_order", pl.Int32, "Order of the event in the game"),
    Column("period", pl.Int16, "Period: 1 to 3, overtimes from 4, a shoot-out 5"),
    Column("period_type", pl.String, "REG, OT or SO", values=("REG", "OT", "SO")),
    Column("period_seconds", pl.Int32, "Time since the period began", "s"),
    Column("type_code", pl.Int16, "The NHL's number of the event type"),
    Column("event", pl.String, "Event type: goal, shot-on-goal, missed-shot, blocked-shot, faceoff, hit, …"),
    Column("situation_code", pl.String, "Away goalie, away skaters, home skaters, home goalie", nullable=True),
    Column("acting_team_id", pl.Int32, "Team of the shooter; of other events, the owner", nullable=True),
    Column("event_owner_team_id_raw", pl.Int32, "Owner of the event, as the page says", nullable=True),
    Column("shooter_player_id", pl.Int64, "Who shot, or scored", nullable=True),
    c.home_team_id,
    c.away_team_id,
)
SCHEMA = {column.name: column.dtype for column in COLUMNS}


def plays(play_by_play: pl.LazyFrame) -> pl.LazyFrame:
    """One row an event of a final game, shoot-outs included (`period_type` SO).

    The acting team of an attempt is the shooter's in this game: the page's owner of a blocked shot was the blocker's
    team until 2024 and is the shooter's since. From `plays` of the newest final page of each game.
    """
    final = play_by_play.filter(pl.col("state").is_in(FINAL))
    return final.select("body").map_batches(parsed, schema=SCHEMA)


def parsed(play_by_play: pl.DataFrame) -> pl.DataFrame:
    """Decode pages into rows, a few at a time: a season of them at once would stand in memory twice."""
    parts = [pl.DataFrame(rows(part["body"]), schema=SCHEMA, orient="row") for part in play_by_play.iter_slices(100)]
    return pl.concat(parts) if parts else pl.DataFrame(schema=SCHEMA)


def rows(bodies: Iterable[str]) -> Iterator[tuple[object, ...]]:
    """Yield the row of each play of each page."""
    read = reader(Page)
    for body in bodies:
        page = read(body)
        team_of = {spot.playerId: spot.teamId for spot in page.rosterSpots}
        for play in page.plays:
            details = play.details or NOBODY
            shooter = details.scoringPlayerId or details.shootingPlayerId
            minutes, _, seconds = play.timeInPeriod.partition(":")
            yield (
                page.season,
                page.id,
                page.gameType,
                play.eventId,
                play.sortOrder,
                play.periodDescriptor.number,
                play.periodDescriptor.periodType,
                60 * int(minutes) + int(seconds),
                play.typeCode,
                play.typeDescKey,
                play.situationCode,
                acting_team(page, details, shooter, team_of),
                details.eventOwnerTeamId,
                shooter,
                page.homeTeam.id,
                page.awayTeam.id,
            )


def acting_team(page: Page, details: Details, shooter: int | None, team_of: dict[int, int]) -> int | None:
    """Return the shooter's team; without a shooter, the team that the blocker plays against, or the owner."""
    if shooter in team_of:
        return team_of[shooter]
    if details.blockingPlayerId in team_of:
        return page.awayTeam.id if team_of[details.blockingPlayerId] == page.homeTeam.id else page.homeTeam.id
    return details.eventOwnerTeamId


PLAYS = Table(
    name="silver.plays",
    grain="one event of a final game",
    key=("game_id", "event_id"),
    columns=COLUMNS,
    by="game_id",
    reads=(PLAY_BY_PLAY,),
    source=plays,
    checks={
        "an event is inside its period": pl.col("period_seconds").is_between(0, 1200),
        "the acting team plays": pl.col("acting_team_id").is_null()
        | (pl.col("acting_team_id") == pl.col("home_team_id"))
        | (pl.col("acting_team_id") == pl.col("away_team_id")),
        "a goal has a scorer": (pl.col("event") != "goal") | pl.col("shooter_player_id").is_not_null(),
    },
)
