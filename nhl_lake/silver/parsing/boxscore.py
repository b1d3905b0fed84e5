"""Box scores: the lines of the players, in both generations of the page.

Until January 2024 the lines stood under `boxscore` and told faceoffs as won/taken and ice time by strength; since then
they stand at the top, told fewer things for a while, and tell blocked shots, giveaways, takeaways and shifts again.
"""

from typing import Annotated

import polars as pl
from msgspec import Meta

from nhl_lake.hockey.clock_text import CLOCK_PATTERN
from nhl_lake.silver.parsing.pages import Fraction, Int16, Int64, PageStruct, Position, read_final_pages

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
    """The lines of a team."""

    forwards: list[Skater] | None = None
    defense: list[Skater] | None = None
    goalies: list[Goalie] | None = None


class Teams(PageStruct):
    """The lines of both teams."""

    homeTeam: Lines | None = None
    awayTeam: Lines | None = None


class LegacyBoxscore(PageStruct):
    """Where the lines stood until January 2024."""

    playerByGameStats: Teams | None = None


class Side(PageStruct):
    """A team of the game."""

    id: int


class Page(PageStruct):
    """A box score page."""

    id: int
    season: int
    gameType: int
    homeTeam: Side
    awayTeam: Side
    playerByGameStats: Teams | None = None
    boxscore: LegacyBoxscore | None = None


def read_boxscore_lines(boxscore: pl.LazyFrame, *kinds: str) -> pl.LazyFrame:
    """One row a line of some kinds (forwards, defense, goalies) on the pages of final games, its keys as on the page.

    With season, game_id, game_type, team_id, is_home, and is_nested: whether the page is of the old generation.
    """
    pages = read_final_pages(boxscore, Page)
    return (
        pages.select(
            "season",
            game_id="id",
            game_type="gameType",
            is_nested=pl.col("boxscore").struct.field("playerByGameStats").is_not_null(),
            team=pl.concat_list(
                collect_team_lines("homeTeam", kinds, is_home=True),
                collect_team_lines("awayTeam", kinds, is_home=False),
            ),
        )
        .explode("team")
        .unnest("team")
        .explode("line")
        .filter(pl.col("line").is_not_null())
        .unnest("line")
    )


def collect_team_lines(side: str, kinds: tuple[str, ...], *, is_home: bool) -> pl.Expr:
    """Return a team with its lines, wherever the page has them."""
    now = pl.col("playerByGameStats").struct.field(side)
    then = pl.col("boxscore").struct.field("playerByGameStats").struct.field(side)
    return pl.struct(
        team_id=pl.col(side).struct.field("id"),
        is_home=pl.lit(is_home),
        line=pl.concat_list(
            # of a group that the page does not have no line is read, and all of the others
            pl.coalesce(lines.struct.field(kind) for lines in (now, then)).fill_null([])
            for kind in kinds
        ),
    )


def get_numerator(fraction: str) -> pl.Expr:
    """Return the first number of a text such as 21/22: how many came off."""
    return pl.col(fraction).str.split("/").list.first().cast(pl.Int64)


def get_denominator(fraction: str) -> pl.Expr:
    """Return the second number of a text such as 21/22: of how many."""
    return pl.col(fraction).str.split("/").list.last().cast(pl.Int64)
