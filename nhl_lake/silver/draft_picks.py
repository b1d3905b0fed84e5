"""Draft picks: who was picked when, as the NHL lists the picks of a year."""

from dataclasses import replace

import polars as pl

from nhl_lake.bronze.endpoints import DRAFT_PICKS as PAGES
from nhl_lake.bronze.numbers import Int16, Int32
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.parsing.pages import LocalizedText, PageStruct, decode_page

CM_PER_INCH, KG_PER_POUND = 2.54, 0.45359237


class Pick(PageStruct):
    """A pick. One that is not made yet has a team, and no player."""

    overallPick: Int16
    round: Int16 | None = None
    pickInRound: Int16 | None = None
    teamId: Int32 | None = None
    teamAbbrev: str | None = None
    teamPickHistory: str | None = None
    firstName: LocalizedText | None = None
    lastName: LocalizedText | None = None
    positionCode: str | None = None
    countryCode: str | None = None
    height: Int16 | None = None
    weight: Int16 | None = None
    amateurLeague: str | None = None
    amateurClubName: str | None = None


class DraftPage(PageStruct):
    """The picks of a year."""

    picks: list[Pick]


def draft_picks(draft_picks: pl.LazyFrame) -> pl.LazyFrame:
    """One row per pick of a draft. The page has no player ids: `silver.players` has the pick of each player.

    From `bronze.draft_picks`. The page has inches and pounds; they are rounded to whole centimeters and kilograms.
    """
    return (
        draft_picks.select("year", page=decode_page(DraftPage))
        .unnest("page")
        .explode("picks")
        .filter(pl.col("picks").is_not_null())
        .unnest("picks")
        .unique(["year", "overallPick"], keep="first", maintain_order=True)
        .select(
            "year",
            draft_pick="overallPick",
            draft_round="round",
            draft_pick_in_round="pickInRound",
            team_id="teamId",
            team_abbrev="teamAbbrev",
            pick_history="teamPickHistory",
            first_name="firstName",
            last_name="lastName",
            draft_position="positionCode",
            birth_country="countryCode",
            height_cm=(pl.col("height") * CM_PER_INCH).round(0),
            weight_kg=(pl.col("weight") * KG_PER_POUND).round(0),
            amateur_league="amateurLeague",
            amateur_club="amateurClubName",
        )
        .select(column.name for column in COLUMNS)
    )


COLUMNS = (
    c.year,
    replace(c.draft_pick, nullable=False),
    c.draft_round,
    c.draft_pick_in_round,
    replace(c.team_id, nullable=True),
    replace(c.team_abbrev, nullable=True),
    Column("pick_history", pl.String, "Codes of the teams that had the pick, the first owner first", nullable=True),
    c.first_name,
    c.last_name,
    Column("draft_position", pl.String, "Position when drafted, as listed: C, LW, RW, D, G, or several", nullable=True),
    replace(c.birth_country, description="Country of the player, three-letter code"),
    c.height_cm,
    c.weight_kg,
    Column("amateur_league", pl.String, "League that the player was drafted from", nullable=True),
    Column("amateur_club", pl.String, "Club that the player was drafted from", nullable=True),
)

DRAFT_PICKS = Table(
    name="silver.draft_picks",
    grain="one pick of one year's draft",
    key=("year", "draft_pick"),
    columns=COLUMNS,
    chunk_key="year",
    partition=None,
    inputs=(PAGES,),
    page_structs={PAGES: (DraftPage,)},
    source=draft_picks,
    checks={
        "picks are counted from 1": (pl.col("draft_pick") >= 1)
        & (pl.col("draft_pick_in_round") >= 1).fill_null(value=True),
        "a pick in a round is not beyond the overall pick": (
            pl.col("draft_pick_in_round") <= pl.col("draft_pick")
        ).fill_null(value=True),
    },
)
