"""Official statistics: what the reports of the stats API say about a game, to compare with what is counted."""

from typing import Annotated

import msgspec
import polars as pl

from nhl_lake.bronze.endpoints import GOALIE_REPORTS, SKATER_REPORTS, TEAM_REPORTS
from nhl_lake.bronze.numbers import Int64
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.parsing.pages import PageStruct, read_final_pages

# reports write counts of a game as averages of one game: 31.0
Figure = Annotated[float, msgspec.Meta(ge=0, le=100_000)]


class SkaterRow(PageStruct):
    """A skater in a report; time on ice in seconds."""

    playerId: Int64
    goals: Figure | None = None
    assists: Figure | None = None
    points: Figure | None = None
    shots: Figure | None = None
    penaltyMinutes: Figure | None = None
    timeOnIcePerGame: Figure | None = None


class GoalieRow(PageStruct):
    """A goalie in a report; time on ice in seconds."""

    playerId: Int64
    shotsAgainst: Figure | None = None
    goalsAgainst: Figure | None = None
    saves: Figure | None = None
    timeOnIce: Figure | None = None


class TeamRow(PageStruct):
    """A team in a report."""

    teamId: Int64
    shotsForPerGame: Figure | None = None
    shotsAgainstPerGame: Figure | None = None


class SkaterReport(PageStruct):
    """A report on skaters."""

    data: list[SkaterRow]


class GoalieReport(PageStruct):
    """A report on goalies."""

    data: list[GoalieRow]


class TeamReport(PageStruct):
    """A report on teams."""

    data: list[TeamRow]


# by subject: the struct of a page, the key of the subject's id, and the name of each statistic in gold
REPORTS: dict[str, tuple[type[PageStruct], str, dict[str, str]]] = {
    "skater": (
        SkaterReport,
        "playerId",
        {
            "goals": "goals",
            "assists": "assists",
            "points": "points",
            "shots": "shots_on_goal",
            "penaltyMinutes": "penalty_minutes",
            "timeOnIcePerGame": "time_on_ice_s",
        },
    ),
    "goalie": (
        GoalieReport,
        "playerId",
        {
            "shotsAgainst": "shots_against",
            "goalsAgainst": "goals_against",
            "saves": "saves",
            "timeOnIce": "time_on_ice_s",
        },
    ),
    "team": (
        TeamReport,
        "teamId",
        {"shotsForPerGame": "shots_on_goal", "shotsAgainstPerGame": "shots_on_goal_against"},
    ),
}


def official_statistics(
    skater_reports: pl.LazyFrame, goalie_reports: pl.LazyFrame, team_reports: pl.LazyFrame
) -> pl.LazyFrame:
    """One row per final game, skater, goalie or team, and statistic in an official report.

    A statistic without a value has no row. `nhl-lake check` compares them with gold.
    From the reports that `nhl-lake ingest --with reports` requests.
    """
    pages = zip(REPORTS.items(), (skater_reports, goalie_reports, team_reports), strict=True)
    return pl.concat(
        read_final_pages(reports, kind, "season", "game_id")
        .explode("data")
        .filter(pl.col("data").is_not_null())
        .unnest("data")
        .rename({key: "subject_id"} | names)
        .unique(["game_id", "subject_id"], keep="first", maintain_order=True)
        .unpivot(list(names.values()), index=["season", "game_id", "subject_id"], variable_name="statistic")
        .filter(pl.col("value").is_not_null())
        .select("season", "game_id", "subject_id", "statistic", "value", subject=pl.lit(subject))
        .select(column.name for column in COLUMNS)
        for (subject, (kind, key, names)), reports in pages
    )


COLUMNS = (
    c.season,
    c.game_id,
    Column("subject", pl.String, "What the statistic is of: skater, goalie or team", values=tuple(REPORTS)),
    Column("subject_id", pl.Int64, "Player id, or team id"),
    Column("statistic", pl.String, "The statistic, by the name of its column in gold"),
    Column("value", pl.Float64, "Its value in the report; the unit is that of the column in gold"),
)

OFFICIAL_STATISTICS = Table(
    name="silver.official_statistics",
    grain="one statistic of a skater, goalie or team in the official reports on a final game",
    key=("game_id", "subject", "subject_id", "statistic"),
    columns=COLUMNS,
    chunk_key="game_id",
    inputs=(SKATER_REPORTS, GOALIE_REPORTS, TEAM_REPORTS),
    page_structs={SKATER_REPORTS: (SkaterReport,), GOALIE_REPORTS: (GoalieReport,), TEAM_REPORTS: (TeamReport,)},
    source=official_statistics,
)
