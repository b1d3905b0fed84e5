"""Box scores: the lines of the players, in both generations of the page.

Until January 2024 the lines stood under `boxscore` and told faceoffs as won/taken and ice time by strength; since then
they stand at the top, told fewer things for a while, and tell blocked shots, giveaways, takeaways and shifts again.
"""

from typing import Annotated

import polars as pl
from msgspec import Meta

from nhl_lake.hockey.clock_text import MINUTES_AND_SECONDS
from nhl_lake.silver.parsing.pages import Fraction, Large, Position, Said, Small, final

Clock = Annotated[str, Meta(pattern=MINUTES_AND_SECONDS)]
Share = Annotated[float, Meta(ge=0, le=100)]


class Skater(Said):
    """A skater's line."""

    playerId: Large
    position: Position | None = None
    goals: Small | None = None
    assists: Small | None = None
    points: Small | None = None
    plusMinus: Small | None = None
    pim: Small | None = None
    hits: Small | None = None
    shots: Small | None = None
    sog: Small | None = None
    blockedShots: Small | None = None
    giveaways: Small | None = None
    takeaways: Small | None = None
    powerPlayGoals: Small | None = None
    powerPlayPoints: Small | None = None
    shorthandedGoals: Small | None = None
    shPoints: Small | None = None
    faceoffs: Fraction | None = None
    faceoffWinningPctg: Share | None = None
    toi: Clock | None = None
    powerPlayToi: Clock | None = None
    shorthandedToi: Clock | None = None
    shifts: Small | None = None
    sweaterNumber: Small | None = None


class Goalie(Said):
    """A goalie's line."""

    playerId: Large
    position: Position | None = None
    goalsAgainst: Small | None = None
    saveShotsAgainst: Fraction | None = None
    evenStrengthShotsAgainst: Fraction | None = None
    powerPlayShotsAgainst: Fraction | None = None
    shorthandedShotsAgainst: Fraction | None = None
    evenStrengthGoalsAgainst: Small | None = None
    powerPlayGoalsAgainst: Small | None = None
    shorthandedGoalsAgainst: Small | None = None
    pim: Small | None = None
    toi: Clock | None = None
    starter: bool | None = None
    decision: str | None = None
    sweaterNumber: Small | None = None


class Lines(Said):
    """The lines of a team."""

    forwards: list[Skater] | None = None
    defense: list[Skater] | None = None
    goalies: list[Goalie] | None = None


class Teams(Said):
    """The lines of both teams."""

    homeTeam: Lines | None = None
    awayTeam: Lines | None = None


class Nested(Said):
    """Where the lines stood until January 2024."""

    playerByGameStats: Teams | None = None


class Side(Said):
    """A team of the game."""

    id: int


class Page(Said):
    """A box score page."""

    id: int
    season: int
    gameType: int
    homeTeam: Side
    awayTeam: Side
    playerByGameStats: Teams | None = None
    boxscore: Nested | None = None


def lines(boxscore: pl.LazyFrame, *kinds: str) -> pl.LazyFrame:
    """One row a line of some kinds (forwards, defense, goalies) on the pages of final games, its keys as on the page.

    With season, game_id, game_type, team_id, is_home, and is_nested: whether the page is of the old generation.
    """
    pages = final(boxscore, Page)
    return (
        pages.select(
            "season",
            game_id="id",
            game_type="gameType",
            is_nested=pl.col("boxscore").struct.field("playerByGameStats").is_not_null(),
            team=pl.concat_list(team("homeTeam", kinds, is_home=True), team("awayTeam", kinds, is_home=False)),
        )
        .explode("team")
        .unnest("team")
        .explode("line")
        .filter(pl.col("line").is_not_null())
        .unnest("line")
    )


def team(side: str, kinds: tuple[str, ...], *, is_home: bool) -> pl.Expr:
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


def made(fraction: str) -> pl.Expr:
    """Return the first number of a text such as 21/22: how many came off."""
    return pl.col(fraction).str.split("/").list.first().cast(pl.Int64)


def tried(fraction: str) -> pl.Expr:
    """Return the second number of a text such as 21/22: of how many."""
    return pl.col(fraction).str.split("/").list.last().cast(pl.Int64)
