"""Shifts: who was on the ice, from when to when."""

import polars as pl

from nhl_lake import columns as c
from nhl_lake.bronze import SHIFT_CHARTS, SHIFT_REPORT_AWAY, SHIFT_REPORT_HOME
from nhl_lake.hockey.clock_text import seconds
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.pages import Said, said
from nhl_lake.silver.reports import PERIOD, SHIFT, report_lines
from nhl_lake.table import Column, Table

CHART, REPORT = "chart", "report"
SHIFT_CODE = 517
LONGEST_PERIOD = 1200
WHOLE = 0.95  # a chart with less ice time than this share of what the reports have is cut off

STRANGER = "every shift is of a dressed player"
OTHER_GAME = "every shift is of a team that plays"
NO_END = "every shift has an end and lasts"
OUTSIDE = "every shift is inside a period"
REPEATED = "no shift is listed twice"

STAY = ("game_id", "shift_source", "player_id", "period")
LISTED = ("season", *STAY, "team_id", "said_team_id", "start_seconds", "end_seconds", "printed_seconds")


class Row(Said):
    """A row of a shift chart; all of it may be missing in some charts."""

    playerId: int | None = None
    teamId: int | None = None
    period: int | None = None
    startTime: str | None = None
    endTime: str | None = None
    duration: str | None = None
    typeCode: int | None = None
    eventDescription: str | None = None


class Chart(Said):
    """A shift chart."""

    data: list[Row]


def shifts(
    shift_charts: pl.LazyFrame,
    shift_report_home: pl.LazyFrame,
    shift_report_away: pl.LazyFrame,
    lineups: pl.LazyFrame,
    games: pl.LazyFrame,
) -> pl.LazyFrame:
    """One row a stay on the ice of a dressed player in a final game: from a second of a period until before another.

    Left out: goals among the shifts, repeats, rows without an end, rows of strangers; what overlaps is one shift. From
    the shift chart; from the HTML reports of both teams where the chart has no shifts or is cut off.
    """
    clean = merged(listed(shift_charts, shift_report_home, shift_report_away, lineups, games)).cache()
    return clean.join(sources(clean), on=["game_id", "shift_source"], how="semi").select(list(SHIFTS.schema))


def listed(
    shift_charts: pl.LazyFrame,
    shift_report_home: pl.LazyFrame,
    shift_report_away: pl.LazyFrame,
    lineups: pl.LazyFrame,
    games: pl.LazyFrame,
) -> pl.LazyFrame:
    """One row a shift of a final game as listed, in each source; `fault` is the rule that it breaks, null if none."""
    dressed = lineups.filter(~pl.col("is_scratched"))
    teams = dressed.select("game_id", said_team_id="team_id", plays=True).unique()
    about = games.select("game_id", "game_type", "last_period_type")
    rows = [charted(shift_charts, dressed), reported(shift_report_home, shift_report_away, dressed, games)]
    return (
        pl.concat([found.select(LISTED) for found in rows], how="vertical_relaxed")
        .join(dressed, on="game_id", how="semi")
        .join(teams, on=["game_id", "said_team_id"], how="left", validate="m:1")
        .join(about, on="game_id", how="left", validate="m:1")
        .with_columns(end_seconds=end())
        .with_columns(fault=fault())
        .with_columns(fault=pl.when(again()).then(pl.lit(REPEATED)).otherwise("fault"))
    )


def charted(shift_charts: pl.LazyFrame, dressed: pl.LazyFrame) -> pl.LazyFrame:
    """One row a shift of a chart, as the page has it. Goals stand among them, with a code of their own or a word."""
    is_shift = pl.coalesce(pl.col("typeCode") == SHIFT_CODE, pl.col("eventDescription").is_null())
    return (
        shift_charts.select("season", "game_id", page=said(Chart))
        .unnest("page")
        .explode("data")
        .filter(pl.col("data").is_not_null())
        .unnest("data")
        .filter(is_shift)
        .select(
            "season",
            "game_id",
            "period",
            shift_source=pl.lit(CHART),
            player_id="playerId",
            said_team_id=pl.col("teamId").cast(c.team_id.dtype),
            start_seconds=seconds(pl.col("startTime")),
            end_seconds=seconds(pl.col("endTime")),
            printed_seconds=seconds(pl.col("duration")),
        )
        .join(
            dressed.select("game_id", "player_id", "team_id"), on=["game_id", "player_id"], how="left", validate="m:1"
        )
    )


def reported(home: pl.LazyFrame, away: pl.LazyFrame, dressed: pl.LazyFrame, games: pl.LazyFrame) -> pl.LazyFrame:
    """One row a shift of the reports, of games with both; players are known by team and sweater number.

    Now and then a goalie's shift is not listed, but the sum of the period says that he played all of it.
    """
    player = ("game_id", "team_id", "sweater_number")
    whole_period = pl.col("end_seconds").max().over("game_id", "period")
    is_shift = pl.col("line") == SHIFT
    unlisted = (
        (pl.col("line") == PERIOD)
        & ~is_shift.any().over(*player, "period")
        & (pl.col("printed_seconds") == whole_period)
    )
    return (
        printed(home, away, games)
        .with_columns(
            start_seconds=pl.when(unlisted).then(0).otherwise("start_seconds"),
            end_seconds=pl.when(unlisted).then(whole_period).otherwise("end_seconds"),
        )
        .filter(is_shift | unlisted)
        .join(numbers(dressed), on=player, how="left", validate="m:1")
        .with_columns(said_team_id="team_id", shift_source=pl.lit(REPORT))
    )


def printed(home: pl.LazyFrame, away: pl.LazyFrame, games: pl.LazyFrame) -> pl.LazyFrame:
    """One row a line of the reports, with its team, of games that have both."""
    sides = [(home, away, "home_team_id"), (away, home, "away_team_id")]
    return pl.concat(
        report_lines(report.join(other, on="game_id", how="semi")).join(
            games.select("game_id", team_id=team), on="game_id", validate="m:1"
        )
        for report, other, team in sides
    )


def numbers(dressed: pl.LazyFrame) -> pl.LazyFrame:
    """One row a sweater number that only one dressed player of a team has."""
    wearer = ("game_id", "team_id", "sweater_number")
    known = dressed.filter(pl.col("sweater_number").is_not_null() & (pl.len().over(wearer) == 1))
    return known.select(*wearer, "player_id")


def end() -> pl.Expr:
    """Return the second at which a shift ends: where the clock has rolled on to 0:00, its length after its start."""
    start, length = pl.col("start_seconds"), pl.col("printed_seconds")
    said_end = pl.col("end_seconds")
    return pl.when(length > 0).then(pl.when(said_end > start).then(said_end).otherwise(start + length))


def fault() -> pl.Expr:
    """Return the rule that a listed row breaks, so that it is not taken for a shift; null for a good one."""
    is_shootout = (pl.col("period") > 4) & ((pl.col("game_type") < 3) | pl.col("last_period_type").eq_missing("SO"))
    is_inside = (pl.col("period").fill_null(0) > 0) & (pl.col("end_seconds") <= LONGEST_PERIOD) & ~is_shootout
    return (
        pl.when(pl.col("player_id").is_null() | pl.col("team_id").is_null())
        .then(pl.lit(STRANGER))
        .when(pl.col("plays").is_null() & pl.col("said_team_id").is_not_null())
        .then(pl.lit(OTHER_GAME))
        .when(pl.col("start_seconds").is_null() | pl.col("end_seconds").is_null())
        .then(pl.lit(NO_END))
        .when(~is_inside)
        .then(pl.lit(OUTSIDE))
    )


def again() -> pl.Expr:
    """Whether the same good shift stands further up: under another id or number."""
    return pl.col("fault").is_null() & ~pl.struct("fault", *STAY, "start_seconds", "end_seconds").is_first_distinct()


def merged(listed: pl.LazyFrame) -> pl.LazyFrame:
    """Make one shift of those of a player that overlap; a shift that begins as another ends is another shift."""
    latest = pl.col("end_seconds").cum_max().shift(1).over(STAY)
    return (
        listed.filter(pl.col("fault").is_null())
        .sort(*STAY, "start_seconds")
        .with_columns(shift=(pl.col("start_seconds") < latest).fill_null(value=False).not_().cum_sum().over(STAY))
        .group_by(*STAY, "shift")
        .agg(pl.first("season", "team_id"), pl.min("start_seconds"), pl.max("end_seconds"), rows=pl.len())
    )


def sources(clean: pl.LazyFrame) -> pl.LazyFrame:
    """One row a game: the source of its shifts. The reports, if the chart has no shifts, or is cut off beside them."""
    seconds_in = {
        source: (pl.col("end_seconds") - pl.col("start_seconds")).filter(pl.col("shift_source") == source).sum()
        for source in (CHART, REPORT)
    }
    is_whole = pl.col(CHART) >= WHOLE * pl.col(REPORT)
    return (
        clean.group_by("game_id")
        .agg(**seconds_in)
        .select("game_id", shift_source=pl.when(is_whole).then(pl.lit(CHART)).otherwise(pl.lit(REPORT)))
    )


SHIFTS = Table(
    name="silver.shifts",
    grain="one stay of a player on the ice",
    key=("game_id", "player_id", "period", "start_seconds"),
    columns=(
        c.season,
        c.game_id,
        c.player_id,
        c.team_id,
        c.period,
        c.start_seconds,
        c.end_seconds,
        Column("shift_source", pl.String, "The shift chart, or the HTML reports", values=(CHART, REPORT)),
    ),
    by="game_id",
    reads=(SHIFT_CHARTS, SHIFT_REPORT_HOME, SHIFT_REPORT_AWAY, LINEUPS, GAMES),
    source=shifts,
    checks={
        "a shift lasts, inside its period": (pl.col("start_seconds") >= 0)
        & (pl.col("start_seconds") < pl.col("end_seconds"))
        & (pl.col("end_seconds") <= LONGEST_PERIOD),
    },
)
