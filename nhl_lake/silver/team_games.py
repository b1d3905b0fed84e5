"""Official team statistics by game."""

from typing import Literal

import polars as pl

from nhl_lake.bronze.endpoints import PLAY_BY_PLAY, RIGHT_RAIL
from nhl_lake.bronze.numbers import Int16, Int32, Int64
from nhl_lake.hockey import results
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.parsing.pages import LocalizedText, NumberOrFraction, PageStruct, read_final_pages
from nhl_lake.silver.plays import PLAYS

PeriodType = Literal["REG", "OT", "SO"]


class Team(PageStruct):
    """A team in the header of the page."""

    id: Int32
    score: Int16
    sog: Int16 | None = None


class Outcome(PageStruct):
    """How a game ended."""

    lastPeriodType: PeriodType


class Period(PageStruct):
    """The current period of a game, or the last one of a final game."""

    periodType: PeriodType


class Page(PageStruct):
    """The header of a play-by-play page."""

    id: Int64
    season: Int32
    gameType: Int16
    homeTeam: Team
    awayTeam: Team
    gameOutcome: Outcome | None = None
    periodDescriptor: Period | None = None


class TeamInfo(PageStruct):
    """The coach of a team."""

    headCoach: LocalizedText | None = None


class GameInfo(PageStruct):
    """Game information: the coaches."""

    homeTeam: TeamInfo | None = None
    awayTeam: TeamInfo | None = None


class Stat(PageStruct):
    """A statistic of both teams."""

    category: str
    homeValue: NumberOrFraction | None = None
    awayValue: NumberOrFraction | None = None


class RightRailPage(PageStruct):
    """The coaches and team statistics of a right-rail page."""

    gameInfo: GameInfo | None = None
    teamGameStats: list[Stat] | None = None


def team_games(play_by_play: pl.LazyFrame, right_rail: pl.LazyFrame, plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row per team and final game: score, result, coach, and the NHL's own team statistics.

    A shootout win adds one to the score but not to the goals. Statistics are null without a right-rail page, or if the
    page has none. From the header of the play-by-play page, and `gameInfo` and `teamGameStats` of the right rail; the
    plays decide whether an overtime loss earns a point.
    """
    pages = read_final_pages(play_by_play, Page)
    headers = pages.rename({"id": "game_id", "gameType": "game_type"})
    return (
        headers.join(read_right_rail(right_rail), on="game_id", how="left", validate="1:1")
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
    """One row per right-rail page: the coaches, and a column per statistic and side."""
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


def collect_team(side: str) -> pl.Expr:
    """Return a struct of one team: what the pages say about it."""
    other = "away" if side == "home" else "home"
    team, opponent = pl.col(f"{side}Team").struct, pl.col(f"{other}Team").struct
    stats = [pl.col(f"{side}_{name}").alias(name) for name in STAT_CATEGORIES]
    return pl.struct(
        *stats,
        team_id=team.field("id"),
        opponent_team_id=opponent.field("id"),
        is_home=pl.lit(side == "home"),
        coach=pl.col("gameInfo").struct.field(f"{side}Team").struct.field("headCoach"),
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
    Column("score", pl.Int16, "Final score; a shootout win adds one"),
    Column("opponent_score", pl.Int16, "Final score of the opponent; a shootout win adds one"),
    c.goals,
    c.last_period_type,
    Column("is_win", pl.Boolean, "Whether the team won"),
    Column(
        "result",
        pl.String,
        "W win, L loss, O overtime or shootout loss worth a point, T tie. An overtime loss without a point is L: in the"
        " playoffs, before 1999-2000, or after pulling the goalie in overtime",
        values=results.RESULTS,
    ),
    Column("is_shootout_win", pl.Boolean, "Whether the team won in a shootout"),
    c.shots_on_goal,
    c.power_play_goals,
    Column("power_play_opportunities", pl.Int16, "Power-play opportunities", nullable=True),
    c.faceoff_share,
    c.penalty_minutes,
    c.hits,
    c.blocked_shots,
    c.giveaways,
    c.takeaways,
)

TEAM_GAMES = Table(
    name="silver.team_games",
    grain="one team of a final game, with the NHL's official statistics",
    key=("game_id", "team_id"),
    columns=COLUMNS,
    chunk_key="game_id",
    inputs=(PLAY_BY_PLAY, RIGHT_RAIL, PLAYS),
    page_structs={PLAY_BY_PLAY: (Page,), RIGHT_RAIL: (RightRailPage,)},
    source=team_games,
    checks={
        "team and opponent are different teams": pl.col("team_id") != pl.col("opponent_team_id"),
        "the score is the goals, plus one for a shootout win": pl.col("goals")
        == pl.col("score") - pl.col("is_shootout_win").cast(pl.Int16),
        "a team wins exactly if its result is W": (pl.col("result") == "W") == pl.col("is_win"),
    },
)
