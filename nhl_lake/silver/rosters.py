"""Rosters: the players of each team over time, according to the roster pages."""

from dataclasses import replace

import polars as pl

from nhl_lake.bronze.endpoints import ROSTERS as PAGES
from nhl_lake.bronze.numbers import Int64
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Table
from nhl_lake.silver.parsing.pages import PageStruct, Position, decode_page
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
    """One row per player and version of a team's roster page, dated by `fetched_at`.

    A version is valid until the next one of the same team and season. The page of a past season lists the players at
    the end of the season, or all who played for the team; a page without players gives no rows. If a position is
    missing, the page's group identifies defensemen and goalies. From every version of `bronze.rosters`.
    """
    pages = rosters.select("season", "team_abbrev", "fetched_at", page=decode_page(Page)).unnest("page").cache()
    groups = {"forwards": None, "defensemen": "D", "goalies": "G"}
    members = pl.concat(
        pages.select("season", "team_abbrev", "fetched_at", member=group, group_position=pl.lit(position, pl.String))
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
            position=pl.coalesce("positionCode", "group_position"),
            **select_person_columns(),
        )
        .select(list(ROSTERS.schema))
    )


ROSTERS = Table(
    name="silver.rosters",
    grain="one player on one version of a team's roster page",
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
    page_structs={PAGES: (Page,)},
    source=rosters,
    needs_all_versions=True,
)
