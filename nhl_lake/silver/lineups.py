"""Lineups: the players who dressed for a game, and those who were scratched."""

from collections import Counter
from dataclasses import replace

import polars as pl

from nhl_lake.bronze.endpoints import BOXSCORE, PLAY_BY_PLAY, RIGHT_RAIL
from nhl_lake.bronze.numbers import Int16, Int32, Int64
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.parsing.pages import LocalizedText, PageStruct, Position, Summary, read_final_pages

PLAYER_KEY = ("game_id", "player_id")
OPPONENT_ROLES = ("goalieInNetId", "hitteePlayerId", "losingPlayerId", "drawnByPlayerId")
POSITION_BY_GROUP = {"forwards": None, "defense": "D", "goalies": "G"}  # group of a box score -> position, if the same


class RosterSpot(PageStruct):
    """A dressed player."""

    playerId: Int64
    teamId: Int32 | None = None
    positionCode: Position | None = None
    sweaterNumber: Int16 | None = None
    firstName: LocalizedText | None = None
    lastName: LocalizedText | None = None


class Team(PageStruct):
    """A team in the game."""

    id: Int32


class Details(PageStruct):
    """The team that owns a play, and the players in it."""

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
    """The players of a play."""

    typeDescKey: str | None = None
    details: Details | None = None


class DressedPage(PageStruct):
    """The teams and dressed players on a play-by-play page."""

    id: Int64
    season: Int32
    gameType: Int16
    homeTeam: Team
    awayTeam: Team
    rosterSpots: list[RosterSpot]


class Page(DressedPage):
    """A play-by-play page, with the players of its plays."""

    plays: list[Play] | None = None


ROLES = tuple(name for name in Details.__struct_fields__ if name != "eventOwnerTeamId")


class Unlisted(PageStruct):
    """A player in plays who is not listed as dressed: their team, and their position if they were in the net."""

    playerId: Int64
    teamId: Int32 | None
    position: Position | None


class PageSummary(DressedPage):
    """A play-by-play page, with the players that its plays name and `rosterSpots` does not, in place of the plays."""

    unlisted: list[Unlisted]


class Line(PageStruct):
    """A player's line in the box score; since 2024 it says whether a goalie started."""

    playerId: Int64
    position: Position | None = None
    sweaterNumber: Int16 | None = None
    starter: bool | None = None


class Lines(PageStruct):
    """The player lines of a team."""

    forwards: list[Line] | None = None
    defense: list[Line] | None = None
    goalies: list[Line] | None = None


class Teams(PageStruct):
    """The player lines of both teams."""

    homeTeam: Lines | None = None
    awayTeam: Lines | None = None


class LegacyBoxscore(PageStruct):
    """The place of the player lines until January 2024."""

    playerByGameStats: Teams | None = None


class BoxscorePage(PageStruct):
    """The players of a box score page. Nothing else is read, so that an invalid statistic does not cost the lineup."""

    playerByGameStats: Teams | None = None
    boxscore: LegacyBoxscore | None = None


class Scratch(PageStruct):
    """A scratched player."""

    id: Int64


class TeamInfo(PageStruct):
    """The scratches of a team."""

    scratches: list[Scratch] | None = None


class GameInfo(PageStruct):
    """Game information: the scratches."""

    homeTeam: TeamInfo | None = None
    awayTeam: TeamInfo | None = None


class RightRailPage(PageStruct):
    """The scratches of a right-rail page."""

    gameInfo: GameInfo | None = None


def lineups(play_by_play: pl.LazyFrame, boxscore: pl.LazyFrame, right_rail: pl.LazyFrame) -> pl.LazyFrame:
    """One row per player who dressed for a final game or was scratched, including goalies.

    Team, position and number are those in this game, because players are traded and change position. Where
    `rosterSpots` has no value or contradicts itself, the value is the box score's, and null if that has none either.
    Pages have no position, number or name for scratches, and do not say which skaters started. A player who is listed
    as dressed and as scratched is dressed. So is an unlisted player in a play that names their team. From `rosterSpots`
    and `plays` of the play-by-play page, and, where these pages exist, the players of the box score and the `scratches`
    of the right rail.
    """
    pages = read_final_pages(play_by_play, Page, summary=Summary(PageSummary, summarize_page))
    pages = pages.rename({"id": "game_id", "gameType": "game_type"})
    dressed = read_dressed_players(pages, boxscore)
    missing = read_scratches(pages, right_rail).join(dressed, on=["game_id", "player_id"], how="anti")
    return pl.concat([dressed, missing], how="diagonal_relaxed").select(column.name for column in COLUMNS)


def read_dressed_players(pages: pl.LazyFrame, boxscore: pl.LazyFrame) -> pl.LazyFrame:
    """One row per dressed player. Players whose team is on no page are left out."""
    teams = pages.select("game_id", home="homeTeam", away="awayTeam")
    box = read_boxscore_players(boxscore).join(teams, on="game_id", validate="m:1")
    team = pl.when("is_home").then("home").otherwise("away").struct.field("id")
    box = box.select(*PLAYER_KEY, "is_starter", box_team_id=team, box_position="position", box_number="sweater_number")
    return (
        pl.concat([read_roster_spots(pages), read_unlisted_players(pages)], how="diagonal_relaxed")
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
    """One row per player in `rosterSpots`. A player can be listed twice; contradicting values are null."""
    keys = {"team_id": "teamId", "position": "positionCode", "sweater_number": "sweaterNumber"}
    values = {name: pl.col(key).drop_nulls().unique() for name, key in keys.items()}
    names = {"first_name": pl.col("firstName"), "last_name": pl.col("lastName")}
    return (
        pages.select("season", "game_id", "game_type", spot="rosterSpots")
        .explode("spot")
        .filter(pl.col("spot").is_not_null())
        .unnest("spot")
        .group_by("season", "game_id", "game_type", player_id="playerId")
        .agg(
            *(pl.when(value.len() == 1).then(value.first()).alias(name) for name, value in values.items()),
            *(value.drop_nulls().first().alias(name) for name, value in names.items()),
        )
    )


def summarize_page(page: Page) -> PageSummary:
    """Return the dressed players of a page, and the players of its plays that it does not list as dressed.

    A player in plays has the team that most of their plays name; none in a tie. Blocked shots are left out: their owner
    was the blocker's team until 2024, and is the shooter's since.
    """
    listed = {spot.playerId for spot in page.rosterSpots}
    opponents = {page.homeTeam.id: page.awayTeam.id, page.awayTeam.id: page.homeTeam.id}
    teams: dict[int, Counter[int]] = {}
    goalies: set[int] = set()
    for play in page.plays or ():
        if play.details is None or play.typeDescKey == "blocked-shot":
            continue
        owner = play.details.eventOwnerTeamId
        for role in ROLES:
            player = getattr(play.details, role)
            if player is None or player in listed:
                continue
            found = teams.setdefault(player, Counter())
            if owner in opponents:
                found[opponents[owner] if role in OPPONENT_ROLES else owner] += 1
            if role == "goalieInNetId":
                goalies.add(player)
    unlisted = [
        Unlisted(player, find_most_common(found), "G" if player in goalies else None) for player, found in teams.items()
    ]
    return PageSummary(page.id, page.season, page.gameType, page.homeTeam, page.awayTeam, page.rosterSpots, unlisted)


def find_most_common(counts: Counter[int]) -> int | None:
    """Return the most common value; none in a tie."""
    match counts.most_common(2):
        case [(value, _)]:
            return value
        case [(value, count), (_, second)] if count > second:
            return value
    return None


def read_unlisted_players(pages: pl.LazyFrame) -> pl.LazyFrame:
    """One row per player in plays who is not listed as dressed, with the team that most of their plays name."""
    return (
        pages.select("season", "game_id", "game_type", player="unlisted")
        .explode("player")
        .filter(pl.col("player").is_not_null())
        .unnest("player")
        .rename({"playerId": "player_id", "teamId": "team_id"})
    )


def read_boxscore_players(boxscore: pl.LazyFrame) -> pl.LazyFrame:
    """One row per player of a box score, in both versions of the page. Goalies are the players listed as goalies."""
    current, legacy = pl.col("playerByGameStats"), pl.col("boxscore").struct.field("playerByGameStats")
    pages = read_final_pages(boxscore, BoxscorePage, "game_id")
    pages = pages.select("game_id", teams=pl.coalesce(current, legacy)).cache()
    found = pl.concat(
        pages.select(
            "game_id",
            is_home=pl.lit(side == "homeTeam"),
            group_position=pl.lit(position, pl.String),
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
            position=pl.coalesce("position", "group_position"),
            sweater_number="sweaterNumber",
            is_starter="starter",
        )
    )


def read_scratches(pages: pl.LazyFrame, right_rail: pl.LazyFrame) -> pl.LazyFrame:
    """One row per scratched player, with the team that lists them."""
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
    Column("is_scratched", pl.Boolean, "Whether the player was scratched, that is, did not dress"),
)

LINEUPS = Table(
    name="silver.lineups",
    grain="one player of a final game, dressed or scratched",
    key=("game_id", "player_id"),
    columns=COLUMNS,
    chunk_key="game_id",
    inputs=(PLAY_BY_PLAY, BOXSCORE, RIGHT_RAIL),
    page_structs={PLAY_BY_PLAY: (Page,), BOXSCORE: (BoxscorePage,), RIGHT_RAIL: (RightRailPage,)},
    source=lineups,
)
