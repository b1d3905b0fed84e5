"""Players, as the NHL last described them."""

from dataclasses import replace

import polars as pl

from nhl_lake.bronze.endpoints import PLAYERS as PAGES
from nhl_lake.bronze.numbers import Int16, Int32, Int64
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.parsing.pages import PageStruct, Position, decode_page
from nhl_lake.silver.parsing.person import BIO_COLUMNS, Person, select_person_columns


class Draft(PageStruct):
    """The draft pick of a player."""

    year: Int16 | None = None
    teamAbbrev: str | None = None
    round: Int16 | None = None
    pickInRound: Int16 | None = None
    overallPick: Int16 | None = None


class Page(Person, kw_only=True):
    """A player's landing page."""

    playerId: Int64
    isActive: bool | None = None
    position: Position | None = None
    currentTeamId: Int32 | None = None
    currentTeamAbbrev: str | None = None
    draftDetails: Draft | None = None


def players(players: pl.LazyFrame) -> pl.LazyFrame:
    """One row per player, as described by their page on the day it was fetched: not of a particular game or season.

    For team, position and number in a game use `silver.lineups`. The draft columns of an undrafted player are null.
    From `bronze.players`.
    """
    pages = players.select("fetched_at", page=decode_page(Page)).unnest("page")
    draft = pl.col("draftDetails").struct
    return pages.select(
        "position",
        "fetched_at",
        player_id="playerId",
        is_active="isActive",
        current_team_id="currentTeamId",
        current_team_abbrev="currentTeamAbbrev",
        **select_person_columns(),
        draft_year=draft.field("year"),
        draft_team_abbrev=draft.field("teamAbbrev"),
        draft_round=draft.field("round"),
        draft_pick_in_round=draft.field("pickInRound"),
        draft_pick=draft.field("overallPick"),
    ).select(column.name for column in COLUMNS)


COLUMNS = (
    c.player_id,
    c.first_name,
    c.last_name,
    Column(
        "is_active", pl.Boolean, "Whether the player was active in the league when the page was fetched", nullable=True
    ),
    replace(c.position, nullable=True),
    c.sweater_number,
    Column("current_team_id", pl.Int32, "Team id when the page was fetched; null without a team", nullable=True),
    Column("current_team_abbrev", pl.String, "Three-letter code of the team when the page was fetched", nullable=True),
    *BIO_COLUMNS,
    Column("draft_year", pl.Int16, "Year of the draft; null if undrafted", nullable=True),
    Column("draft_team_abbrev", pl.String, "Three-letter code of the team that drafted the player", nullable=True),
    c.draft_round,
    c.draft_pick_in_round,
    c.draft_pick,
    c.fetched_at,
)

PLAYERS = Table(
    name="silver.players",
    grain="one player, as last described by the NHL",
    key=("player_id",),
    columns=COLUMNS,
    chunk_key="player_id",
    partition=None,
    inputs=(PAGES,),
    page_structs={PAGES: (Page,)},
    source=players,
)
