"""Game stars: the three stars of a game, as the NHL named them."""

from dataclasses import replace

import polars as pl

from nhl_lake.bronze.endpoints import LANDING
from nhl_lake.bronze.numbers import Int16, Int64
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.parsing.pages import PageStruct, Position, read_final_pages


class Star(PageStruct):
    """A star of the game. Its other keys are statistics of the game, which other tables have."""

    star: Int16
    playerId: Int64
    teamAbbrev: str | None = None
    position: Position | None = None


class Summary(PageStruct):
    """The summary of a landing page: the stars."""

    threeStars: list[Star] | None = None


class LandingPage(PageStruct):
    """A landing page."""

    summary: Summary | None = None


def game_stars(landing: pl.LazyFrame) -> pl.LazyFrame:
    """One row per final game and star: the first star is the best player. Some games have none.

    From `summary.threeStars` of the landing page, which `nhl-lake ingest --with landing` requests.
    """
    return (
        read_final_pages(landing, LandingPage, "season", "game_id")
        .select("season", "game_id", star=pl.col("summary").struct.field("threeStars"))
        .explode("star")
        .filter(pl.col("star").is_not_null())
        .unnest("star")
        .select("season", "game_id", "star", "position", player_id="playerId", team_abbrev="teamAbbrev")
        .select(column.name for column in COLUMNS)
    )


COLUMNS = (
    c.season,
    c.game_id,
    Column("star", pl.Int16, "1 for the first star, to 3"),
    c.player_id,
    replace(c.team_abbrev, nullable=True),
    replace(c.position, nullable=True),
)

GAME_STARS = Table(
    name="silver.game_stars",
    grain="one final game and one of its three stars",
    key=("game_id", "star"),
    columns=COLUMNS,
    chunk_key="game_id",
    inputs=(LANDING,),
    page_structs={LANDING: (LandingPage,)},
    source=game_stars,
    checks={"a star is the first, second or third": pl.col("star").is_between(1, 3)},
)
