"""Line-ups: who dressed for a game, and who was scratched."""

from dataclasses import replace

import polars as pl

from nhl_lake.bronze.endpoints import BOXSCORE, PLAY_BY_PLAY, RIGHT_RAIL
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.parsing.pages import Int16, Int32, Int64, LocalizedText, PageStruct, Position, read_final_pages

PLAYER_KEY = ("game_id", "player_id")
OPPONENT_ROLES = ("goalieInNetId", "hitteePlayerId", "losingPlayerId", "drawnByPlayerId")
POSITION_BY_GROUP = {"forwards": None, "defense": "D", "goalies": "G"}  # of a box score, and the position of all in one


class RosterSpot(PageStruct):
    """A dressed player."""

    playerId: Int64
    teamId: Int32 | None = None
    positionCode: Position | None = None
    sweaterNumber: Int16 | None = None
    firstName: LocalizedText | None = None
    lastName: LocalizedText | None = None


class Team(PageStruct):
    """A team of the game."""

    id: int


class Details(PageStruct):
    """Whose a play is, and who took part in it."""

    eventOwnerTeamId: Int64 | None = None
    scoringPlayerId: Int64 | None = None
    assist1PlayerId: Int64 | None = None
    assist2PlayerId: Int64 | None = None
    assist3PlayerId: Int64 | None = None
    shootingPlayerId: Int64 | None = None
    goalieInNetId: Int64 | None = None
    hittingPlayerId: Int64 | None = None
    hitteePlayerId: Int64 | None = None
    playerId: Int64 | None = None
    winningPlayerId: Int64 | None = None
    losingPlayerId: Int64 | None = None
    committedByPlayerId: Int64 | None = None
    drawnByPlayerId: Int64 | None = None


class Play(PageStruct):
    """A play, of which only the players are read."""

    typeDescKey: str | None = None
    details: Details | None = None


class Page(PageStruct):
    """A play-by-play page, of which the teams, the dressed players and those of its plays are read."""

    id: int
    season: int
    gameType: int
    homeTeam: Team
    awayTeam: Team
    rosterSpots: list[RosterSpot]
    plays: list[Play] | None = None


class Line(PageStruct):
    """A player's line in the box score. Of goalies it says since 2024 whether they started."""

    playerId: Int64
    position: Position | None = None
    sweaterNumber: Int16 | None = None
    starter: bool | None = None


class Lines(PageStruct):
    """A team's lines."""

    forwards: list[Line] | None = None
    defense: list[Line] | None = None
    goalies: list[Line] | None = None


class Teams(PageStruct):
    """Both teams' lines."""

    homeTeam: Lines | None = None
    awayTeam: Lines | None = None


class LegacyBoxscore(PageStruct):
    """Where the lines stood until January 2024."""

    playerByGameStats: Teams | None = None


class BoxscorePage(PageStruct):
    """A box score page, of which no more is read: a line that is odd elsewhere must not take the line-up away."""

    playerByGameStats: Teams | None = None
    boxscore: LegacyBoxscore | None = None


class Scratch(PageStruct):
    """A scratched player."""

    id: int


class TeamInfo(PageStruct):
    """A team beside the game."""

    scratches: list[Scratch] | None = None


class GameInfo(PageStruct):
    """The people beside the game."""

    homeTeam: TeamInfo | None = None
    awayTeam: TeamInfo | None = None


class RightRailPage(PageStruct):
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
    pages = read_final_pages(play_by_play, Page)
    pages = pages.rename({"id": "game_id", "gameType": "game_type"})
    dressed = read_dressed_players(pages, boxscore)
    missing = read_scratches(pages, right_rail).join(dressed, on=["game_id", "player_id"], how="anti")
    return pl.concat([dressed, missing], how="diagonal_relaxed").select(column.name for column in COLUMNS)


def read_dressed_players(pages: pl.LazyFrame, boxscore: pl.LazyFrame) -> pl.LazyFrame:
    """One row a dressed player. One of whom no page says whose they are is left out."""
    listed_spots = read_roster_spots(pages)
    acting = find_players_in_plays(pages)
    teams = pages.select("game_id", home="homeTeam", away="awayTeam")
    box = read_boxscore_players(boxscore).join(teams, on="game_id", validate="m:1")
    team = pl.when("is_home").then("home").otherwise("away").struct.field("id")
    box = box.select(*PLAYER_KEY, "is_starter", box_team_id=team, box_position="position", box_number="sweater_number")
    unlisted = acting.join(listed_spots, on=PLAYER_KEY, how="anti")
    return (
        pl.concat([listed_spots, unlisted], how="diagonal_relaxed")
        .join(box, on=PLAYER_KEY, how="left", validate="1:1")
        .with_columns(
            team_id=pl.coalesce("team_id", "box_team_id"),
            position=pl.coalesce("position", "box_position"),
            sweater_number=pl.coalesce("sweater_number", "box_number"),
            is_scratched=pl.lit(value=False),
        )
        .filter(pl.col("team_id").is_not_null())
    )


def read_roster_spots(pages: pl.LazyFrame) -> pl.LazyFrame:
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


def find_players_in_plays(pages: pl.LazyFrame) -> pl.LazyFrame:
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
            team_id=other if role in OPPONENT_ROLES else own,
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


def read_boxscore_players(boxscore: pl.LazyFrame) -> pl.LazyFrame:
    """One row a player of a box score, wherever the page has the lines; a goalie is one by where the line stands."""
    now, then = pl.col("playerByGameStats"), pl.col("boxscore").struct.field("playerByGameStats")
    pages = read_final_pages(boxscore, BoxscorePage, "game_id").select("game_id", teams=pl.coalesce(now, then)).cache()
    found = pl.concat(
        pages.select(
            "game_id",
            is_home=pl.lit(side == "homeTeam"),
            of_group=pl.lit(position, pl.String),
            line=pl.col("teams").struct.field(side).struct.field(group),
        )
        for side in ("homeTeam", "awayTeam")
        for group, position in POSITION_BY_GROUP.items()
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


def read_scratches(pages: pl.LazyFrame, right_rail: pl.LazyFrame) -> pl.LazyFrame:
    """One row a scratched player, in the team on whose side of the page he stands."""
    rails = read_final_pages(right_rail, RightRailPage, "game_id")
    sides = (
        pl.struct(team_id=pl.col(side).struct.field("id"), scratch=get_scratches(side))
        for side in ("homeTeam", "awayTeam")
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


def get_scratches(side: str) -> pl.Expr:
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
    chunk_key="game_id",
    inputs=(PLAY_BY_PLAY, BOXSCORE, RIGHT_RAIL),
    source=lineups,
)
