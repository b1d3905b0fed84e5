"""Line-ups: who dressed for a game, and who was scratched."""

from dataclasses import replace

import polars as pl

from nhl_lake import columns as c
from nhl_lake.bronze import BOXSCORE, PLAY_BY_PLAY, RIGHT_RAIL
from nhl_lake.silver.pages import Said, Text, final
from nhl_lake.table import Column, Table


class Spot(Said):
    """A dressed player."""

    playerId: int
    teamId: int
    positionCode: str
    sweaterNumber: int | None = None
    firstName: Text | None = None
    lastName: Text | None = None


class Team(Said):
    """A team of the game."""

    id: int


class Page(Said):
    """A play-by-play page, of which the teams and the dressed players are read."""

    id: int
    season: int
    gameType: int
    homeTeam: Team
    awayTeam: Team
    rosterSpots: list[Spot]


class Goalie(Said):
    """A goalie's line in the box score: whether he started, since 2024."""

    playerId: int
    starter: bool | None = None


class Goalies(Said):
    """A team's goalies."""

    goalies: list[Goalie]


class Teams(Said):
    """Both teams' goalies."""

    homeTeam: Goalies
    awayTeam: Goalies


class Box(Said):
    """A box score page, of which no more is read: a line that is odd elsewhere must not take the line-up away."""

    id: int
    playerByGameStats: Teams | None = None


class Scratch(Said):
    """A scratched player."""

    id: int


class Bench(Said):
    """A team beside the game."""

    scratches: list[Scratch] | None = None


class GameInfo(Said):
    """The people beside the game."""

    homeTeam: Bench | None = None
    awayTeam: Bench | None = None


class Rail(Said):
    """A right-rail page, of which the scratched players are read."""

    gameInfo: GameInfo | None = None


def lineups(play_by_play: pl.LazyFrame, boxscore: pl.LazyFrame, right_rail: pl.LazyFrame) -> pl.LazyFrame:
    """One row a player dressed for a final game, goalies included, or scratched.

    Team and position are those of the game: players are traded, and change position. Pages tell neither position,
    number nor name of the scratched, and which skaters started not at all. Who stands among both is dressed. From
    `rosterSpots` of play-by-play, `starter` of the box score, and the `scratches` of the right rail, if that page is
    there.
    """
    pages = final(play_by_play, Page)
    pages = pages.rename({"id": "game_id", "gameType": "game_type"})
    dressed = players(pages).join(starters(boxscore), on=["game_id", "player_id"], how="left", validate="m:1")
    missing = scratched(pages, right_rail).join(dressed, on=["game_id", "player_id"], how="anti")
    return pl.concat([dressed, missing], how="diagonal_relaxed").select(column.name for column in COLUMNS)


def players(pages: pl.LazyFrame) -> pl.LazyFrame:
    """One row a dressed player."""
    spots = pages.select("season", "game_id", "game_type", spot="rosterSpots").explode("spot")
    return (
        spots.filter(pl.col("spot").is_not_null())
        .unnest("spot")
        .select(
            "season",
            "game_id",
            "game_type",
            player_id="playerId",
            team_id="teamId",
            position="positionCode",
            sweater_number="sweaterNumber",
            first_name="firstName",
            last_name="lastName",
            is_scratched=pl.lit(value=False),
        )
    )


def starters(boxscore: pl.LazyFrame) -> pl.LazyFrame:
    """One row a goalie of a box score, with whether he started, where the page says it."""
    teams = pl.col("playerByGameStats").struct
    goalies = (teams.field(side).struct.field("goalies") for side in ("homeTeam", "awayTeam"))
    return (
        final(boxscore, Box)
        .select(game_id="id", goalie=pl.concat_list(*goalies))
        .explode("goalie")
        .filter(pl.col("goalie").is_not_null())
        .unnest("goalie")
        .select("game_id", player_id="playerId", is_starter="starter")
    )


def scratched(pages: pl.LazyFrame, right_rail: pl.LazyFrame) -> pl.LazyFrame:
    """One row a scratched player, in the team on whose side of the page he stands."""
    rails = final(right_rail, Rail, "game_id")
    sides = (
        pl.struct(team_id=pl.col(side).struct.field("id"), scratch=absent(side)) for side in ("homeTeam", "awayTeam")
    )
    return (
        pages.join(rails, on="game_id", validate="1:1")
        .select("season", "game_id", "game_type", side=pl.concat_list(*sides))
        .explode("side")
        .unnest("side")
        .explode("scratch")
        .filter(pl.col("scratch").is_not_null())
        .unnest("scratch")
        .select("season", "game_id", "game_type", "team_id", player_id="id", is_scratched=pl.lit(value=True))
        .unique(["game_id", "player_id"], keep="any")
    )


def absent(side: str) -> pl.Expr:
    """Return the scratched players of a team."""
    return pl.col("gameInfo").struct.field(side).struct.field("scratches")


COLUMNS = (
    c.season,
    c.game_id,
    c.game_type,
    c.player_id,
    c.team_id,
    replace(c.position, nullable=True),
    c.sweater_number,
    replace(c.first_name, nullable=True),
    replace(c.last_name, nullable=True),
    c.is_starter,
    Column("is_scratched", pl.Boolean, "Whether he was not dressed"),
)

LINEUPS = Table(
    name="silver.lineups",
    grain="one player dressed or scratched for a final game",
    key=("game_id", "player_id"),
    columns=COLUMNS,
    by="game_id",
    reads=(PLAY_BY_PLAY, BOXSCORE, RIGHT_RAIL),
    source=lineups,
    checks={
        "a dressed player has a position": pl.col("is_scratched") | pl.col("position").is_not_null(),
    },
)
