"""Seasons: their dates, number of games and rules."""

from datetime import datetime

import polars as pl

from nhl_lake.bronze.endpoints import SEASONS as PAGES
from nhl_lake.bronze.numbers import Int16, Int32
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.parsing.pages import PageStruct, decode_page


class Row(PageStruct):
    """A season in the list of seasons."""

    id: Int32
    startDate: datetime | None = None
    endDate: datetime | None = None
    regularSeasonEndDate: datetime | None = None
    preseasonStartdate: datetime | None = None
    numberOfGames: Int16 | None = None
    totalRegularSeasonGames: Int32 | None = None
    totalPlayoffGames: Int32 | None = None
    tiesInUse: Int32 | None = None
    pointForOTLossInUse: Int32 | None = None
    wildcardInUse: Int32 | None = None
    conferencesInUse: Int32 | None = None
    divisionsInUse: Int32 | None = None


def seasons(seasons: pl.LazyFrame) -> pl.LazyFrame:
    """One row per season that the NHL lists. Dates are Eastern; those of future seasons are plans, or null.

    The list has no start of the playoffs, and for most seasons no preseason. From `bronze.seasons`.
    """
    return (
        seasons.select(row=decode_page(Row))
        .unnest("row")
        .select(
            season="id",
            preseason_start_date=parse_day("preseasonStartdate"),
            regular_season_start_date=parse_day("startDate"),
            regular_season_end_date=parse_day("regularSeasonEndDate"),
            playoffs_end_date=parse_day("endDate"),
            games_per_team="numberOfGames",
            regular_season_games="totalRegularSeasonGames",
            playoff_games="totalPlayoffGames",
            has_ties=pl.col("tiesInUse") == 1,
            has_overtime_loss_point=pl.col("pointForOTLossInUse") == 1,
            has_wild_card=pl.col("wildcardInUse") == 1,
            has_conferences=pl.col("conferencesInUse") == 1,
            has_divisions=pl.col("divisionsInUse") == 1,
        )
    )


def parse_day(name: str) -> pl.Expr:
    """Return the date of a column of Eastern times, which are written without an offset."""
    return pl.col(name).str.slice(0, 10).str.to_date("%Y-%m-%d")


SEASONS = Table(
    name="silver.seasons",
    grain="one season, as last described by the NHL",
    key=("season",),
    columns=(
        c.season,
        Column("preseason_start_date", pl.Date, "First day of the preseason", nullable=True),
        Column("regular_season_start_date", pl.Date, "First day of the regular season", nullable=True),
        Column("regular_season_end_date", pl.Date, "Last day of the regular season", nullable=True),
        Column("playoffs_end_date", pl.Date, "Last day of the playoffs", nullable=True),
        Column("games_per_team", pl.Int16, "Regular-season games per team", nullable=True),
        Column("regular_season_games", pl.Int32, "Regular-season games in total", nullable=True),
        Column(
            "playoff_games",
            pl.Int32,
            "Playoff games in total, as listed: 0 or a plan until the playoffs are over",
            nullable=True,
        ),
        Column("has_ties", pl.Boolean, "Whether games could end in a tie", nullable=True),
        Column("has_overtime_loss_point", pl.Boolean, "Whether an overtime loss earned a point", nullable=True),
        Column("has_wild_card", pl.Boolean, "Whether there were wild cards for the playoffs", nullable=True),
        Column("has_conferences", pl.Boolean, "Whether there were conferences", nullable=True),
        Column("has_divisions", pl.Boolean, "Whether there were divisions", nullable=True),
    ),
    partition=None,
    chunk_key="season",
    inputs=(PAGES,),
    page_structs={PAGES: (Row,)},
    source=seasons,
    checks={
        "a season ends after it begins": pl.col("regular_season_start_date").is_null()
        | pl.col("regular_season_end_date").is_null()
        | (pl.col("regular_season_start_date") <= pl.col("regular_season_end_date")),
    },
)
