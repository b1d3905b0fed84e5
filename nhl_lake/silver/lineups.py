"""Line-ups: who dressed for a game, and who was scratched."""

from dataclasses import replace

import polars as pl

from nhl_lake.bronze.endpoints import BOXSCORE, PLAY_BY_PLAY, RIGHT_RAIL
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.parsing.pages import Large, Medium, Position, Said, Small, Text, final

GAME_PLAYER = ("game_id", "player_id")
OF_THE_OTHER_TEAM = ("goalieInNetId", "hitteePlayerId", "losingPlayerId", "drawnByPlayerId")
GROUPS = {"forwards": None, "defense": "D", "goalies": "G"}  # of a box score, and the position of all in one


class Spot(Said):
    """A dressed player."""

    playerId: Large
    teamId: Medium | None = None
    positionCode: Position | None = None
    sweaterNumber: Small | None = None
    firstName: Text | None = None
    lastName: Text | None = None


class Team(Said):
    """A team of the game."""

    id: int


class Details(Said):
    """Whose a play is, and who took part in it."""

    eventOwnerTeamId: Large | None = None
    scoringPlayerId: Large | None = None
    assist1PlayerId: Large | None = None
    assist2PlayerId: Large | None = None
    assist3PlayerId: Large | None = None
    shootingPlayerId: Large | None = None
    goalieInNetId: Large | None = None
    hittingPlayerId: Large | None = None
    hitteePlayerId: Large | None = None
    playerId: Large | None = None
    winningPlayerId: Large | None = None
    losingPlayerId: Large | None = None
    committedByPlayerId: Large | None = None
    drawnByPlayerId: Large | None = None


class Play(Said):
    """A play, of which only the players are read."""

    typeDescKey: str | None = None
    details: Details | None = None


class Page(Said):
    """A play-by-play page, of which the teams, the dressed players and those of its plays are read."""

    id: int
    season: int
    gameType: int
    homeTeam: Team
    awayTeam: Team
    rosterSpots: list[Spot]
    plays: list[Play] | None = None


class Line(Said):
    """A player's line in the box score. Of goalies it says since 2024 whether they started."""

    playerId: Large
    position: Position | None = None
    sweaterNumber: Small | None = None
    starter: bool | None = None


class Lines(Said):
    """A team's lines."""

    forwards: list[Line] | None = None
    defense: list[Line] | None = None
    goalies: list[Line] | None = None


class Teams(Said):
    """Both teams' lines."""

    homeTeam: Lines | None = None
    awayTeam: Lines | None = None


class Nested(Said):
    """Where the lines stood until January 2024."""

    playerByGameStats: Teams | None = None


class Box(Said):
    """A box score page, of which no more is read: a line that is odd elsewhere must not take the line-up away."""

    playerByGameStats: Teams | None = None
    boxscore: Nested | None = None


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

    Team, position and number are those of the game: players are traded, and change position. What `rosterSpots` does
    not tell of a player, or tells in two ways, is the box score's, and null where that does not tell it either. Pages
    tell neither position, number nor name of the scratched, and which skaters started not at all. A player listed among
    both is dressed, and so is one who is not listed and takes part in plays that say whose they are. From `rosterSpots`
    and `plays` of play-by-play, the players of the box score, and the `scratches` of the right rail, if these pages are
    there.
    """
    pages = final(play_by_play, Page)
    pages = pages.rename({"id": "game_id", "gameType": "game_type"})
    dressed = players(pages, boxscore)
    missing = scratched(pages, right_rail).join(dressed, on=["game_id", "player_id"], how="anti")
    return pl.concat([dressed, missing], how="diagonal_relaxed").select(column.name for column in COLUMNS)


def players(pages: pl.LazyFrame, boxscore: pl.LazyFrame) -> pl.LazyFrame:
    """One row a dressed player. One of whom no page says whose they are is left out."""
    listed_spots = spots(pages)
    acting = actors(pages)
    teams = pages.select("game_id", home="homeTeam", away="awayTeam")
    box = listed(boxscore).join(teams, on="game_id", validate="m:1")
    team = pl.when("is_home").then("home").otherwise("away").struct.field("id")
    box = box.select(*GAME_PLAYER, "is_starter", box_team_id=team, box_position="position", box_number="sweater_number")
    unlisted = acting.join(listed_spots, on=GAME_PLAYER, how="anti")
    return (
        pl.concat([listed_spots, unlisted], how="diagonal_relaxed")
        .join(box, on=GAME_PLAYER, how="left", validate="1:1")
        .with_columns(
            team_id=pl.coalesce("team_id", "box_team_id"),
            position=pl.coalesce("position", "box_position"),
            sweater_number=pl.coalesce("sweater_number", "box_number"),
            is_scratched=pl.lit(value=False),
        )
        .filter(pl.col("team_id").is_not_null())
    )


def spots(pages: pl.LazyFrame) -> pl.LazyFrame:
    """One row a player in `rosterSpots`, who may stand there twice, with what is said in one way."""
    about = {"team_id": "teamId", "position": "positionCode", "sweater_number": "sweaterNumber"}
    known = {name: pl.col(key).drop_nulls().unique() for name, key in about.items()}
    names = {"first_name": pl.col("firstName"), "last_name": pl.col("lastName")}
    return (
        pages.select("season", "game_id", "game_type", spot="rosterSpots")
        .explode("spot")
        .filter(pl.col("spot").is_not_null())
        .unnest("spot")
        .group_by("season", "game_id", "game_type", player_id="playerId")
        .agg(
            *(pl.when(one.len() == 1).then(one.first()).alias(name) for name, one in known.items()),
            *(one.drop_nulls().first().alias(name) for name, one in names.items()),
        )
    )


def actors(pages: pl.LazyFrame) -> pl.LazyFrame:
    """One row a player who takes part in plays, with the team that most of them say; two as often are no answer.

    Left out: blocked shots, whose owner was the blocker's team until 2024 and is the shooter's since.
    """
    details = pl.col("play").struct.field("details").struct
    home, away = pl.col("homeTeam").struct.field("id"), pl.col("awayTeam").struct.field("id")
    owner = details.field("eventOwnerTeamId")
    own = pl.when((owner == home) | (owner == away)).then(owner)
    other = pl.when(owner == home).then(away).when(owner == away).then(home)
    roles = [name for name in Details.__struct_fields__ if name != "eventOwnerTeamId"]
    parts = [
        pl.struct(
            player_id=details.field(role),
            team_id=other if role in OF_THE_OTHER_TEAM else own,
            is_goalie=pl.lit(role == "goalieInNetId"),
        )
        for role in roles
    ]
    team = pl.col("team_id").drop_nulls().mode()
    return (
        pages.select("season", "game_id", "game_type", "homeTeam", "awayTeam", play="plays")
        .explode("play")
        .filter(pl.col("play").struct.field("typeDescKey").ne_missing("blocked-shot"))
        .select("season", "game_id", "game_type", part=pl.concat_list(parts))
        .explode("part")
        .unnest("part")
        .filter(pl.col("player_id").is_not_null())
        .group_by("season", "game_id", "game_type", "player_id")
        .agg(
            team_id=pl.when(team.len() == 1).then(team.first()),
            position=pl.when(pl.col("is_goalie").any()).then(pl.lit("G")),
        )
    )


def listed(boxscore: pl.LazyFrame) -> pl.LazyFrame:
    """One row a player of a box score, wherever the page has the lines; a goalie is one by where the line stands."""
    now, then = pl.col("playerByGameStats"), pl.col("boxscore").struct.field("playerByGameStats")
    pages = final(boxscore, Box, "game_id").select("game_id", teams=pl.coalesce(now, then)).cache()
    found = pl.concat(
        pages.select(
            "game_id",
            is_home=pl.lit(side == "homeTeam"),
            of_group=pl.lit(position, pl.String),
            line=pl.col("teams").struct.field(side).struct.field(group),
        )
        for side in ("homeTeam", "awayTeam")
        for group, position in GROUPS.items()
    )
    return (
        found.explode("line")
        .filter(pl.col("line").is_not_null())
        .unnest("line")
        .unique(["game_id", "playerId"], keep="first", maintain_order=True)
        .select(
            "game_id",
            "is_home",
            player_id="playerId",
            position=pl.coalesce("position", "of_group"),
            sweater_number="sweaterNumber",
            is_starter="starter",
        )
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
    c.first_name,
    c.last_name,
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
)
