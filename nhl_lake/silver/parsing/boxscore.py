"""Box scores: player lines, in both versions of the page.

Until January 2024 the lines were under `boxscore`, with faceoffs as won/taken and ice time by strength. Since then they
are at the top level. They had fewer statistics at first, and later blocked shots, giveaways, takeaways and shifts
again.
"""

from typing import Annotated

import polars as pl
from msgspec import Meta

from nhl_lake.bronze.numbers import Int16, Int32, Int64
from nhl_lake.hockey.clock_text import CLOCK_PATTERN
from nhl_lake.silver.parsing.pages import Fraction, PageStruct, Position, read_final_pages

ClockText = Annotated[str, Meta(pattern=CLOCK_PATTERN)]
Percentage = Annotated[float, Meta(ge=0, le=100)]


class Skater(PageStruct):
    """A skater's line."""

    playerId: Int64
    position: Position | None = None
    goals: Int16 | None = None
    assists: Int16 | None = None
    points: Int16 | None = None
    plusMinus: Int16 | None = None
    pim: Int16 | None = None
    hits: Int16 | None = None
    shots: Int16 | None = None
    sog: Int16 | None = None
    blockedShots: Int16 | None = None
    giveaways: Int16 | None = None
    takeaways: Int16 | None = None
    powerPlayGoals: Int16 | None = None
    powerPlayPoints: Int16 | None = None
    shorthandedGoals: Int16 | None = None
    shPoints: Int16 | None = None
    faceoffs: Fraction | None = None
    faceoffWinningPctg: Percentage | None = None
    toi: ClockText | None = None
    powerPlayToi: ClockText | None = None
    shorthandedToi: ClockText | None = None
    shifts: Int16 | None = None
    sweaterNumber: Int16 | None = None


class Goalie(PageStruct):
    """A goalie's line."""

    playerId: Int64
    position: Position | None = None
    goalsAgainst: Int16 | None = None
    saveShotsAgainst: Fraction | None = None
    evenStrengthShotsAgainst: Fraction | None = None
    powerPlayShotsAgainst: Fraction | None = None
    shorthandedShotsAgainst: Fraction | None = None
    evenStrengthGoalsAgainst: Int16 | None = None
    powerPlayGoalsAgainst: Int16 | None = None
    shorthandedGoalsAgainst: Int16 | None = None
    pim: Int16 | None = None
    toi: ClockText | None = None
    starter: bool | None = None
    decision: str | None = None
    sweaterNumber: Int16 | None = None


class Lines(PageStruct):
    """The player lines of a team."""

    forwards: list[Skater] | None = None
    defense: list[Skater] | None = None
    goalies: list[Goalie] | None = None


class Teams(PageStruct):
    """The player lines of both teams."""

    homeTeam: Lines | None = None
    awayTeam: Lines | None = None


class LegacyBoxscore(PageStruct):
    """The place of the player lines until January 2024."""

    playerByGameStats: Teams | None = None


class Side(PageStruct):
    """A team in the game."""

    id: Int32


class Page(PageStruct):
    """A box score page."""

    id: Int64
    season: Int32
    gameType: Int16
    homeTeam: Side
    awayTeam: Side
    playerByGameStats: Teams | None = None
    boxscore: LegacyBoxscore | None = None


def read_boxscore_lines(boxscore: pl.LazyFrame, *groups: str) -> pl.LazyFrame:
    """One row per player line of some groups (forwards, defense, goalies) in final games, with the keys of the page.

    Adds season, game_id, game_type, team_id, is_home, and is_nested: whether the page has the old format.
    """
    pages = read_final_pages(boxscore, Page)
    return (
        pages.select(
            "season",
            game_id="id",
            game_type="gameType",
            is_nested=pl.col("boxscore").struct.field("playerByGameStats").is_not_null(),
            team=pl.concat_list(
                collect_team_lines("homeTeam", groups, is_home=True),
                collect_team_lines("awayTeam", groups, is_home=False),
            ),
        )
        .explode("team")
        .unnest("team")
        .explode("line")
        .filter(pl.col("line").is_not_null())
        .unnest("line")
    )


def collect_team_lines(side: str, groups: tuple[str, ...], *, is_home: bool) -> pl.Expr:
    """Return a struct of a team and its player lines, in both versions of the page."""
    current = pl.col("playerByGameStats").struct.field(side)
    legacy = pl.col("boxscore").struct.field("playerByGameStats").struct.field(side)
    return pl.struct(
        team_id=pl.col(side).struct.field("id"),
        is_home=pl.lit(is_home),
        line=pl.concat_list(
            # a group that is missing on the page has no lines; it must not hide the others
            pl.coalesce(lines.struct.field(group) for lines in (current, legacy)).fill_null([])
            for group in groups
        ),
    )


def get_numerator(fraction: str) -> pl.Expr:
    """Return the first number of a text such as 21/22."""
    return pl.col(fraction).str.split("/").list.first().cast(pl.Int64)


def get_denominator(fraction: str) -> pl.Expr:
    """Return the second number of a text such as 21/22."""
    return pl.col(fraction).str.split("/").list.last().cast(pl.Int64)
