"""Rosters: who is with which team, as the pages say it over time."""

from dataclasses import replace

import polars as pl

from nhl_lake.bronze.endpoints import ROSTERS as PAGES
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Table
from nhl_lake.silver.parsing.pages import Int64, PageStruct, Position, decode_page
from nhl_lake.silver.parsing.person import BIO_COLUMNS, Person, select_person_columns


class Member(Person, kw_only=True):
    """A player on a roster."""

    id: Int64
    positionCode: Position | None = None


class Page(PageStruct):
    """A roster page."""

    forwards: list[Member]
    defensemen: list[Member]
    goalies: list[Member]


def rosters(rosters: pl.LazyFrame) -> pl.LazyFrame:
    """One row a player on a version of a team's roster page: of every version that is given, dated by `fetched_at`.

    A version holds until the next one of the same team and season. A past season's page names who was with the team
    in the end, or who played for it; a page without players gives no rows. The group that a player stands in tells a
    defenseman or a goalie whose position is missing. From every version of `bronze.rosters`.
    """
    pages = rosters.select("season", "team_abbrev", "fetched_at", page=decode_page(Page)).unnest("page").cache()
    groups = {"forwards": None, "defensemen": "D", "goalies": "G"}
    members = pl.concat(
        pages.select("season", "team_abbrev", "fetched_at", member=group, of_group=pl.lit(position, pl.String))
        for group, position in groups.items()
    ).explode("member")
    return (
        members.filter(pl.col("member").is_not_null())
        .unnest("member")
        .unique(["season", "team_abbrev", "fetched_at", "id"], keep="first", maintain_order=True)
        .select(
            "season",
            "team_abbrev",
            "fetched_at",
            player_id="id",
            position=pl.coalesce("positionCode", "of_group"),
            **select_person_columns(),
        )
        .select(list(ROSTERS.schema))
    )


ROSTERS = Table(
    name="silver.rosters",
    grain="one player on one version of a team's roster in a season",
    key=("season", "team_abbrev", "fetched_at", "player_id"),
    columns=(
        c.season,
        c.team_abbrev,
        c.fetched_at,
        c.player_id,
        c.first_name,
        c.last_name,
        replace(c.position, nullable=True),
        c.sweater_number,
        *BIO_COLUMNS,
    ),
    chunk_key="team_abbrev",
    inputs=(PAGES,),
    source=rosters,
    needs_all_versions=True,
)
