"""Teams' official figures, game by game."""

from typing import Literal

import polars as pl

from nhl_lake.bronze.endpoints import PLAY_BY_PLAY, RIGHT_RAIL
from nhl_lake.hockey import results
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.parsing.pages import Int16, LocalizedText, NumberOrFraction, PageStruct, read_final_pages
from nhl_lake.silver.plays import PLAYS

PeriodType = Literal["REG", "OT", "SO"]


class Team(PageStruct):
    """A team in the page's head."""

    id: int
    score: Int16
    sog: Int16 | None = None


class Outcome(PageStruct):
    """How a game ended."""

    lastPeriodType: PeriodType


class Period(PageStruct):
    """The period that a game is in; of a final game, its last."""

    periodType: PeriodType


class Page(PageStruct):
    """A play-by-play page, of which the head is read."""

    id: int
    season: int
    gameType: int
    homeTeam: Team
    awayTeam: Team
    gameOutcome: Outcome | None = None
    periodDescriptor: Period | None = None


class TeamInfo(PageStruct):
    """A team beside the game."""

    headCoach: LocalizedText | None = None


class GameInfo(PageStruct):
    """The people beside the game."""

    homeTeam: TeamInfo | None = None
    awayTeam: TeamInfo | None = None


class Stat(PageStruct):
    """A figure of both teams."""

    category: str
    homeValue: NumberOrFraction | None = None
    awayValue: NumberOrFraction | None = None


class RightRailPage(PageStruct):
    """A right-rail page, of which the coaches and the teams' figures are read."""

    gameInfo: GameInfo | None = None
    teamGameStats: list[Stat] | None = None


def team_games(play_by_play: pl.LazyFrame, right_rail: pl.LazyFrame, plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row a team of a final game: the score, how it was decided, the coach, and the NHL's own figures of the team.

    The score has one more for a shoot-out won, the goals have not. Figures are null where there is no right rail, or
    none with them. From the head of play-by-play, and `gameInfo` and `teamGameStats` of the right rail; whether a loss
    in overtime has a point also depends on the plays.
    """
    pages = read_final_pages(play_by_play, Page)
    heads = pages.rename({"id": "game_id", "gameType": "game_type"})
    return (
        heads.join(read_right_rail(right_rail), on="game_id", how="left", validate="1:1")
        .select(
            "season",
            "game_id",
            "game_type",
            last_period_type=LAST_PERIOD_TYPE,
            team=pl.concat_list(collect_team("home"), collect_team("away")),
        )
        .explode("team")
        .unnest("team")
        .join(results.find_forfeited_points(plays), on=["game_id", "team_id"], how="left", validate="m:1")
        .with_columns(
            result=results.classify_result(),
            goals=pl.col("score") - IS_SHOOTOUT_WIN.cast(pl.Int64),
            is_win=pl.col("score") > pl.col("opponent_score"),
            is_shootout_win=IS_SHOOTOUT_WIN,
            power_play_goals=pl.col("power_play").str.split("/").list.first().cast(pl.Int64),
            power_play_opportunities=pl.col("power_play").str.split("/").list.last().cast(pl.Int64),
        )
        .select(column.name for column in COLUMNS)
    )


def read_right_rail(right_rail: pl.LazyFrame) -> pl.LazyFrame:
    """One row a right rail: the people, and for each side a column of each figure."""
    rails = read_final_pages(right_rail, RightRailPage, "game_id")
    stats = pl.col("teamGameStats")
    return rails.select(
        "game_id",
        "gameInfo",
        *(
            stats.list.filter(pl.element().struct.field("category") == category)
            .list.first()
            .struct.field(f"{side}Value")
            .cast(STAT_DTYPES[name])
            .alias(f"{side}_{name}")
            for name, category in STAT_CATEGORIES.items()
            for side in ("home", "away")
        ),
    )


def collect_team(whose: str) -> pl.Expr:
    """Return a team of the game with what the pages say of it."""
    other = "away" if whose == "home" else "home"
    team, opponent = pl.col(f"{whose}Team").struct, pl.col(f"{other}Team").struct
    figures = [pl.col(f"{whose}_{name}").alias(name) for name in STAT_CATEGORIES]
    return pl.struct(
        *figures,
        team_id=team.field("id"),
        opponent_team_id=opponent.field("id"),
        is_home=pl.lit(whose == "home"),
        coach=pl.col("gameInfo").struct.field(f"{whose}Team").struct.field("headCoach"),
        score=team.field("score"),
        opponent_score=opponent.field("score"),
        shots_on_goal=team.field("sog"),
    )


STAT_CATEGORIES = {
    "faceoff_share": "faceoffWinningPctg",
    "power_play": "powerPlay",
    "penalty_minutes": "pim",
    "hits": "hits",
    "blocked_shots": "blockedShots",
    "giveaways": "giveaways",
    "takeaways": "takeaways",
}
STAT_DTYPES = dict.fromkeys(STAT_CATEGORIES, pl.Int64) | {"faceoff_share": pl.Float64, "power_play": pl.String}

LAST_PERIOD_TYPE = pl.coalesce(
    pl.col("gameOutcome").struct.field("lastPeriodType"), pl.col("periodDescriptor").struct.field("periodType")
)
IS_SHOOTOUT_WIN = (pl.col("last_period_type") == "SO") & (pl.col("score") > pl.col("opponent_score"))

COLUMNS = (
    c.season,
    c.game_id,
    c.game_type,
    c.team_id,
    c.opponent_team_id,
    c.is_home,
    Column("coach", pl.String, "Name of the head coach", nullable=True),
    Column("score", pl.Int16, "Final score; 1 more for a shoot-out won"),
    Column("opponent_score", pl.Int16, "Final score of the opponent; 1 more for a shoot-out won"),
    c.goals,
    c.last_period_type,
    Column("is_win", pl.Boolean, "Whether the team won, in whatever period"),
    Column(
        "result",
        pl.String,
        "W won, L lost, O lost in overtime or a shoot-out for a point, T tied. Without a point, a loss is L: in the"
        " playoffs, before 1999-2000, or by a goal in overtime into the net that the team had emptied",
        values=results.RESULTS,
    ),
    Column("is_shootout_win", pl.Boolean, "Whether the team won in a shoot-out"),
    c.shots_on_goal,
    c.power_play_goals,
    Column("power_play_opportunities", pl.Int16, "Power plays had", nullable=True),
    c.faceoff_share,
    c.penalty_minutes,
    c.hits,
    c.blocked_shots,
    c.giveaways,
    c.takeaways,
)

TEAM_GAMES = Table(
    name="silver.team_games",
    grain="one team of a final game, as the NHL counts it",
    key=("game_id", "team_id"),
    columns=COLUMNS,
    chunk_key="game_id",
    inputs=(PLAY_BY_PLAY, RIGHT_RAIL, PLAYS),
    source=team_games,
    checks={
        "two different teams": pl.col("team_id") != pl.col("opponent_team_id"),
        "only a winner has a goal of the shoot-out": pl.col("goals")
        == pl.col("score") - pl.col("is_shootout_win").cast(pl.Int16),
        "who won has won": (pl.col("result") == "W") == pl.col("is_win"),
    },
)
