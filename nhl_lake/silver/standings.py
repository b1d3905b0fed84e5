"""Standings after each day, as published by the NHL."""

from dataclasses import replace
from datetime import date as Day  # noqa: N812 - `date` is a key of the page
from typing import Annotated

import msgspec
import polars as pl

from nhl_lake.bronze.endpoints import STANDINGS as PAGES
from nhl_lake.bronze.numbers import Int16, Int32
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.parsing.pages import LocalizedText, PageStruct, decode_page

# column -> key on the page, description; the page has them for all games and for each split
RECORD_COLUMNS = {
    "games": ("gamesPlayed", "Games"),
    "wins": ("wins", "Wins (in regulation, overtime or a shootout)"),
    "losses": ("losses", "Losses in regulation"),
    "overtime_losses": ("otLosses", "Losses in overtime or a shootout"),
    "ties": ("ties", "Ties"),
    "points_won": ("points", "Points in the standings"),
    "regulation_wins": ("regulationWins", "Wins in regulation"),
    "regulation_and_overtime_wins": ("regulationPlusOtWins", "Wins in regulation or overtime (ROW)"),
    "goals_for": ("goalsFor", "Goals for (plus one for each shootout win)"),
    "goals_allowed": ("goalsAgainst", "Goals against (plus one for each shootout loss)"),
    "goal_difference": ("goalDifferential", "Goals for minus goals against"),
}
SPLIT_LABELS = {"home": "at home", "road": "on the road", "l10": "in the last ten games"}
SPLIT_COLUMNS = {"home": "home", "road": "road", "l10": "last_10"}
# other numbers: column -> key on the page, description
RANK_AND_STREAK_COLUMNS = {
    "shootout_wins": ("shootoutWins", "Wins in a shootout"),
    "shootout_losses": ("shootoutLosses", "Losses in a shootout"),
    "streak": ("streakCount", "Length of the current streak in games"),
    "league_rank": ("leagueSequence", "Rank in the league"),
    "conference_rank": ("conferenceSequence", "Rank in the conference"),
    "division_rank": ("divisionSequence", "Rank in the division"),
    "wild_card_rank": (
        "wildcardSequence",
        "Rank in the wild-card race; 0 for teams in a playoff spot of their division",
    ),
    "waivers_rank": ("waiversSequence", "Position in the waiver order"),
    **{
        f"{group}_{SPLIT_COLUMNS[split]}_rank": (f"{group}{split.title()}Sequence", f"Rank in the {group} {where}")
        for group in ("league", "conference", "division")
        for split, where in SPLIT_LABELS.items()
    },
}


def make_split_key(split: str, key: str) -> str:
    """Return the page's key for a number in a split: wins -> homeWins."""
    return f"{split}{key[0].upper()}{key[1:]}"


SPLIT_RECORD_COLUMNS = {
    f"{SPLIT_COLUMNS[split]}_{name}": (make_split_key(split, key), f"{description} {where}")
    for split, where in SPLIT_LABELS.items()
    for name, (key, description) in RECORD_COLUMNS.items()
}
# for all games the page's keys for goals are spelled differently than for a split
RECORD_KEYS = RECORD_COLUMNS | {
    "goals_for": ("goalFor", RECORD_COLUMNS["goals_for"][1]),
    "goals_allowed": ("goalAgainst", RECORD_COLUMNS["goals_allowed"][1]),
}
EXTRA_COLUMNS = RANK_AND_STREAK_COLUMNS | SPLIT_RECORD_COLUMNS


Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class StandingsHeader(PageStruct, kw_only=True):
    """A team's row in the standings, without its numbers."""

    date: Day | None = None
    seasonId: Int32
    teamAbbrev: LocalizedText
    teamName: LocalizedText | None = None
    conferenceName: str | None = None
    divisionName: str | None = None
    streakCode: str | None = None
    clinchIndicator: str | None = None
    pointPctg: Share | None = None


Line = msgspec.defstruct(
    "Line",
    [(key, Int16 | None, None) for key, _ in (*RECORD_KEYS.values(), *EXTRA_COLUMNS.values())],
    bases=(StandingsHeader,),
    kw_only=True,
)
Page = msgspec.defstruct("Page", [("standings", list[Line])], bases=(PageStruct,))  # type: ignore[valid-type]
assert issubclass(Page, PageStruct)
DECODED_PAGE = decode_page(Page)


def standings(standings: pl.LazyFrame) -> pl.LazyFrame:
    """One row per team and day with regular-season games: the standings after that day. All numbers are the NHL's own.

    A team's row can lag behind the day of the page: `line_date` is its own date. From `bronze.standings`.
    """
    numbers = {name: pl.col(key) for name, (key, _) in (RECORD_KEYS | EXTRA_COLUMNS).items()}
    return (
        standings.select("game_date", page=DECODED_PAGE)
        .unnest("page")
        .explode("standings")
        .filter(pl.col("standings").is_not_null())
        .unnest("standings")
        .select(
            "game_date",
            season="seasonId",
            team_abbrev="teamAbbrev",
            line_date=pl.col("date").str.to_date("%Y-%m-%d"),
            team_name="teamName",
            conference="conferenceName",
            division="divisionName",
            point_share="pointPctg",
            streak_kind="streakCode",
            clinch="clinchIndicator",
            **numbers,
        )
        .select(column.name for column in COLUMNS)
    )


def declare_numbers(names: dict[str, tuple[str, str]], *, nullable: bool) -> tuple[Column, ...]:
    """Declare the columns of counts and ranks."""
    return tuple(Column(name, pl.Int16, text, nullable=nullable) for name, (_, text) in names.items())


def is_equal_if_known(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Whether two numbers are equal, or one of them is null."""
    return (one == other).fill_null(value=True)


COLUMNS = (
    c.season,
    c.game_date,
    c.team_abbrev,
    Column(
        "line_date", pl.Date, "Date of the team's row on the page; it can be earlier than `game_date`", nullable=True
    ),
    replace(c.team_name, nullable=True),
    Column("conference", pl.String, "Conference", nullable=True),
    Column("division", pl.String, "Division", nullable=True),
    *declare_numbers(RECORD_KEYS, nullable=True),
    Column("point_share", pl.Float64, "Points percentage, 0 to 1: points won out of those possible", nullable=True),
    Column("streak_kind", pl.String, "Kind of the current streak: W, L, OT", nullable=True),
    Column("clinch", pl.String, "What the team has clinched; e means eliminated", nullable=True),
    *declare_numbers(EXTRA_COLUMNS, nullable=True),
)

STANDINGS = Table(
    name="silver.standings",
    grain="one team in the standings after a day",
    key=("game_date", "team_abbrev"),
    columns=COLUMNS,
    chunk_key="game_date",
    inputs=(PAGES,),
    page_structs={PAGES: (Page,)},
    source=standings,
    checks={
        "wins, losses, overtime losses and ties add up to games": is_equal_if_known(
            pl.col("games"), pl.col("wins") + pl.col("losses") + pl.col("overtime_losses") + pl.col("ties")
        ),
        "points follow from results": is_equal_if_known(
            pl.col("points_won"), 2 * pl.col("wins") + pl.col("overtime_losses") + pl.col("ties")
        ),
        "the goal difference is goals for minus goals against": is_equal_if_known(
            pl.col("goal_difference"), pl.col("goals_for") - pl.col("goals_allowed")
        ),
    },
)
