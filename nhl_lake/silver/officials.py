"""Officials: the referees and linesmen of a game."""

import polars as pl

from nhl_lake.bronze.endpoints import RIGHT_RAIL
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.parsing.pages import LocalizedText, PageStruct, read_final_pages


class GameInfo(PageStruct):
    """Game information: the officials."""

    referees: list[LocalizedText] | None = None
    linesmen: list[LocalizedText] | None = None


class RightRailPage(PageStruct):
    """The officials of a right-rail page."""

    gameInfo: GameInfo | None = None


def officials(right_rail: pl.LazyFrame) -> pl.LazyFrame:
    """One row per final game and official. Pages have no ids of officials, only names.

    From `gameInfo` of the right rail.
    """
    rails = read_final_pages(right_rail, RightRailPage, "season", "game_id")
    roles = (pl.struct(role=pl.lit(role), name=pl.col("gameInfo").struct.field(key)) for role, key in ROLES.items())
    return (
        rails.select("season", "game_id", role=pl.concat_list(*roles))
        .explode("role")
        .unnest("role")
        .explode("name")
        .filter(pl.col("name").is_not_null())
        .unique(["game_id", "role", "name"])
        .select(column.name for column in COLUMNS)
    )


ROLES = {"referee": "referees", "linesman": "linesmen"}

COLUMNS = (
    c.season,
    c.game_id,
    Column("role", pl.String, "referee or linesman", values=tuple(ROLES)),
    Column("name", pl.String, "Name of the official; the API has no id"),
)

OFFICIALS = Table(
    name="silver.officials",
    grain="one final game and one of its officials",
    key=("game_id", "role", "name"),
    columns=COLUMNS,
    chunk_key="game_id",
    inputs=(RIGHT_RAIL,),
    page_structs={RIGHT_RAIL: (RightRailPage,)},
    source=officials,
)
