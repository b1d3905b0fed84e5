"""Line-ups: who dressed for a game."""

from collections.abc import Iterable, Iterator

import msgspec
import polars as pl

from nhl_lake import columns as c
from nhl_lake.bronze import PLAY_BY_PLAY
from nhl_lake.hockey.calendar import FINAL
from nhl_lake.silver.pages import reader
from nhl_lake.table import Column, Table


class Spot(msgspec.Struct):
    """A dressed player."""

    playerId: int
    teamId: int
    positionCode: str
    sweaterNumber: int | None = None


class Page(msgspec.Struct):
    """A play-by-play page, of which only the dressed players are read."""

    id: int
    season: int
    gameType: int
    rosterSpots: list[Spot]


COLUMNS = (
    c.season,
    c.game_id,
    c.game_type,
    c.player_id,
    c.team_id,
    Column("position", pl.String, "Position in this game: C, L, R, D, G", values=("C", "L", "R", "D", "G")),
    Column("sweater_number", pl.Int16, "Number on the sweater", nullable=True),
)
SCHEMA = {column.name: column.dtype for column in COLUMNS}


def lineups(play_by_play: pl.LazyFrame) -> pl.LazyFrame:
    """One row a player dressed for a final game, goalies included.

    Team and position are those of the game: players are traded, and change position. From `rosterSpots`.
    """
    final = play_by_play.filter(pl.col("state").is_in(FINAL))
    return final.select("body").map_batches(parsed, schema=SCHEMA)


def parsed(play_by_play: pl.DataFrame) -> pl.DataFrame:
    """Decode the dressed players of pages into rows."""
    return pl.DataFrame(rows(play_by_play["body"]), schema=SCHEMA, orient="row")


def rows(bodies: Iterable[str]) -> Iterator[tuple[object, ...]]:
    """Yield the row of each dressed player of each page."""
    read = reader(Page)
    for body in bodies:
        page = read(body)
        for spot in page.rosterSpots:
            yield (
                page.season,
                page.id,
                page.gameType,
                spot.playerId,
                spot.teamId,
                spot.positionCode,
                spot.sweaterNumber,
            )


LINEUPS = Table(
    name="silver.lineups",
    grain="one player dressed for a final game",
    key=("game_id", "player_id"),
    columns=COLUMNS,
    by="game_id",
    reads=(PLAY_BY_PLAY,),
    source=lineups,
)
