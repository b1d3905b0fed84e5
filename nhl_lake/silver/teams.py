"""Teams: every team id, and which ids belong to one franchise."""

from dataclasses import replace

import polars as pl

from nhl_lake.bronze.endpoints import TEAMS as PAGES
from nhl_lake.bronze.numbers import Int32
from nhl_lake.hockey.franchises import get_team_key
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.parsing.pages import PageStruct, decode_page


class Row(PageStruct):
    """A team in the list of teams."""

    id: Int32
    triCode: str
    fullName: str | None = None
    franchiseId: Int32 | None = None


def teams(teams: pl.LazyFrame, games: pl.LazyFrame) -> pl.LazyFrame:
    """One row per team id. A team that moves gets a new id; `team_key` stays the same.

    `first_season` and `last_season` are those of its regular-season and playoff games in the lake. National and
    all-star teams have no franchise. From `bronze.teams` and `silver.games`.
    """
    played = games.filter(pl.col("game_type").is_in([2, 3]))
    seasons = (
        pl.concat([played.select("season", team_id=f"{side}_team_id") for side in ("home", "away")])
        .group_by("team_id")
        .agg(first_season=pl.col("season").min(), last_season=pl.col("season").max())
    )
    return (
        teams.select(row=decode_page(Row))
        .unnest("row")
        .select(
            team_id=pl.col("id").cast(c.team_id.dtype),
            team_abbrev="triCode",
            team_name="fullName",
            franchise_id="franchiseId",
            team_key=get_team_key(pl.col("franchiseId")),
        )
        .join(seasons, on="team_id", how="left", validate="m:1")
    )


TEAMS = Table(
    name="silver.teams",
    grain="one team id",
    key=("team_id",),
    columns=(
        c.team_id,
        c.team_abbrev,
        replace(c.team_name, nullable=True),
        Column(
            "franchise_id", pl.Int32, "Franchise id of the NHL; null for national and all-star teams", nullable=True
        ),
        Column(
            "team_key",
            pl.Int32,
            "Same number for a team over time: its franchise, with Arizona and Utah as one",
            nullable=True,
        ),
        Column("first_season", pl.Int32, "First season with games of the team in the lake", nullable=True),
        Column("last_season", pl.Int32, "Last season with games of the team in the lake", nullable=True),
    ),
    partition=None,
    inputs=(PAGES, GAMES),
    page_structs={PAGES: (Row,)},
    chunk_key="team_id",
    source=teams,
)
