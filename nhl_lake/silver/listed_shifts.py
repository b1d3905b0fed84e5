"""Listed shifts: each line of shift charts and shift reports, valid or not."""

from dataclasses import replace

import polars as pl

from nhl_lake.bronze.endpoints import SHIFT_CHARTS, SHIFT_REPORT_AWAY, SHIFT_REPORT_HOME
from nhl_lake.bronze.numbers import Int16, Int32, Int64
from nhl_lake.hockey.clock_text import parse_clock
from nhl_lake.hockey.names import format_surname_first
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.goalie_games import GOALIE_GAMES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.parsing.pages import PageStruct, decode_page
from nhl_lake.silver.parsing.shift_reports import GAME, PERIOD, SHIFT, parse_report_lines
from nhl_lake.silver.skater_games import SKATER_GAMES

CHART, HOME_REPORT, AWAY_REPORT = "chart", "home report", "away report"
SHIFT_CODE = 517
MAX_PERIOD_S = 1200

UNDRESSED_PLAYER = "every shift belongs to a dressed player"
OTHER_TEAM = "every shift belongs to a team in the game"
NO_END = "every shift ends after it starts"
NO_PERIOD = "every shift has a period"
OUTSIDE_PERIOD = "every shift is inside a period"
REPEATED_SHIFT = "no shift is listed twice"

TIME_ON_ICE = "time_on_ice_s"
GAME_KEY = ("season", "game_id")
LISTED_COLUMNS = (
    *GAME_KEY,
    "page",
    "row",
    "line",
    "player_id",
    "team_id",
    "page_team_id",
    "period",
    "start_seconds",
    "end_seconds",
    "printed_seconds",
)


class ChartRow(PageStruct):
    """A row of a shift chart; any value may be missing."""

    playerId: Int64 | None = None
    teamId: Int32 | None = None
    period: Int16 | None = None
    startTime: str | None = None
    endTime: str | None = None
    duration: str | None = None
    typeCode: Int32 | None = None
    eventDescription: str | None = None


class Chart(PageStruct):
    """A shift chart."""

    data: list[ChartRow]


def listed_shifts(
    shift_charts: pl.LazyFrame,
    shift_report_home: pl.LazyFrame,
    shift_report_away: pl.LazyFrame,
    lineups: pl.LazyFrame,
    games: pl.LazyFrame,
    skater_games: pl.LazyFrame,
    goalie_games: pl.LazyFrame,
) -> pl.LazyFrame:
    """One row per line of a final game's shift chart or shift reports: a shift, or a printed total.

    `fault` is the check that an invalid shift does not pass; it is null for a valid shift and for totals. Reports are
    read only for games that have both teams' reports. Their players are matched by name, by sweater number, or by the
    box score's time on ice. Goals among the rows of a chart are left out.
    """
    dressed = lineups.filter(~pl.col("is_scratched"))
    teams = dressed.select("game_id", page_team_id="team_id", plays=True).unique()
    game_columns = games.join(dressed, on="game_id", how="semi").select("game_id", "game_type", "last_period_type")
    lines = (skater_games, goalie_games)
    times = pl.concat(official.select("game_id", "player_id", "time_on_ice_s") for official in lines)
    rows = [
        read_chart_shifts(shift_charts, dressed),
        read_report_shifts(shift_report_home, shift_report_away, dressed, games, times),
    ]
    return (
        pl.concat([found.select(LISTED_COLUMNS) for found in rows], how="vertical_relaxed")
        .join(game_columns, on="game_id", validate="m:1")
        .join(teams, on=["game_id", "page_team_id"], how="left", validate="m:1", maintain_order="left")
        .with_columns(end_seconds=pl.when(pl.col("line") == SHIFT).then(compute_end()))
        .with_columns(fault=pl.when(pl.col("line") == SHIFT).then(find_fault()))
        .with_columns(fault=pl.when(is_repeated_shift()).then(pl.lit(REPEATED_SHIFT)).otherwise("fault"))
        .select(list(LISTED_SHIFTS.schema))
    )


def read_chart_shifts(shift_charts: pl.LazyFrame, dressed: pl.LazyFrame) -> pl.LazyFrame:
    """One row per shift of a chart, as listed. Rows of goals are left out: they have another code or a description."""
    is_shift = pl.coalesce(pl.col("typeCode") == SHIFT_CODE, pl.col("eventDescription").is_null())
    return (
        shift_charts.select(*GAME_KEY, page=decode_page(Chart))
        .unnest("page")
        .with_columns(row=pl.int_ranges(pl.col("data").list.len()))
        .explode("data", "row")
        .filter(pl.col("data").is_not_null())
        .unnest("data")
        .filter(is_shift)
        .select(
            *GAME_KEY,
            "row",
            "period",
            page=pl.lit(CHART),
            line=pl.lit(SHIFT),
            player_id="playerId",
            page_team_id=pl.col("teamId").cast(c.team_id.dtype),
            start_seconds=parse_clock(pl.col("startTime")),
            end_seconds=parse_clock(pl.col("endTime")),
            printed_seconds=parse_clock(pl.col("duration")),
        )
        .join(
            dressed.select("game_id", "player_id", "team_id"),
            on=["game_id", "player_id"],
            how="left",
            validate="m:1",
            maintain_order="left",
        )
    )


def read_report_shifts(
    home: pl.LazyFrame, away: pl.LazyFrame, dressed: pl.LazyFrame, games: pl.LazyFrame, times: pl.LazyFrame
) -> pl.LazyFrame:
    """One row per line of the reports, with the player of its heading, for games with both reports."""
    lines = read_both_reports(home, away, games).cache()
    players = match_players(read_headings(lines), dressed, times)
    heading = ["game_id", "team_id", "player"]
    return lines.join(players, on=heading, how="left", validate="m:1", maintain_order="left").with_columns(
        page_team_id="team_id"
    )


def read_headings(lines: pl.LazyFrame) -> pl.LazyFrame:
    """One row per heading of a report, with sweater number, name, and the printed time on ice of the game."""
    printed_time = pl.col("printed_seconds").filter(pl.col("line") == GAME).first()
    return lines.group_by("game_id", "team_id", "player").agg(
        pl.first("sweater_number", "listed_name"), time_on_ice_s=printed_time
    )


def match_players(headings: pl.LazyFrame, dressed: pl.LazyFrame, times: pl.LazyFrame) -> pl.LazyFrame:
    """One row per heading of a report that matches a dressed player, with the player's id.

    A player matches by a name that is unique in the team; else by sweater number, if no player with another matched
    name has it; else, among the rest, by a time on ice that is unique in the box score.
    """
    team = ["game_id", "team_id"]
    known = dressed.select(
        *team,
        "player_id",
        "sweater_number",
        listed_name=format_surname_first(pl.col("first_name"), pl.col("last_name")),
    ).join(times, on=["game_id", "player_id"], how="left", validate="m:1")
    by_name = match_by(headings, known, "listed_name").cache()
    by_number = match_by(
        drop_matched(headings, by_name, "player"),
        drop_matched(known, by_name, "player_id"),
        "sweater_number",
        allow_repeats=True,
    )
    matched = pl.concat([by_name, by_number]).cache()
    has_played = pl.col("time_on_ice_s") > 0
    by_time = match_by(
        drop_matched(headings, matched, "player").filter(has_played),
        drop_matched(known, matched, "player_id").filter(has_played),
        TIME_ON_ICE,
    )
    return pl.concat([matched, by_time])


def match_by(headings: pl.LazyFrame, known: pl.LazyFrame, name: str, *, allow_repeats: bool = False) -> pl.LazyFrame:
    """One row per heading and the only player of its team with the same value of a column.

    Unless `allow_repeats` is set, the value must also be unique among the headings.
    """
    by = ("game_id", "team_id", name)
    unique_players = known.filter(pl.col(name).is_not_null() & (pl.len().over(by) == 1))
    listed = headings if allow_repeats else headings.filter(pl.len().over(by) == 1)
    return listed.join(unique_players, on=by, validate="m:1").select("game_id", "team_id", "player", "player_id")


def drop_matched(rows: pl.LazyFrame, matched: pl.LazyFrame, by: str) -> pl.LazyFrame:
    """Return the headings, or the players, that are not matched yet."""
    return rows.join(matched, on=["game_id", "team_id", by], how="anti")


def read_both_reports(home: pl.LazyFrame, away: pl.LazyFrame, games: pl.LazyFrame) -> pl.LazyFrame:
    """One row per line of the reports, with its team, for games that have both reports."""
    sides = [(HOME_REPORT, home, away, "home_team_id"), (AWAY_REPORT, away, home, "away_team_id")]
    return pl.concat(
        parse_report_lines(report.join(other, on="game_id", how="semi"))
        .join(games.select("game_id", team_id=team), on="game_id", validate="m:1", maintain_order="left")
        .with_columns(page=pl.lit(page))
        for page, report, other, team in sides
    )


def compute_end() -> pl.Expr:
    """Return the second at which a shift ends: start plus length if the clock has rolled over to 0:00."""
    start, length = pl.col("start_seconds"), pl.col("printed_seconds")
    listed_end = pl.col("end_seconds")
    return pl.when(length > 0).then(pl.when(listed_end > start).then(listed_end).otherwise(start + length))


def find_fault() -> pl.Expr:
    """Return the check that a listed row does not pass; null for a valid shift."""
    is_shootout = (pl.col("period") > 4) & ((pl.col("game_type") < 3) | pl.col("last_period_type").eq_missing("SO"))
    is_inside = (pl.col("period") > 0) & (pl.col("end_seconds") <= MAX_PERIOD_S) & ~is_shootout
    return (
        pl.when(pl.col("player_id").is_null() | pl.col("team_id").is_null())
        .then(pl.lit(UNDRESSED_PLAYER))
        .when(pl.col("plays").is_null() & pl.col("page_team_id").is_not_null())
        .then(pl.lit(OTHER_TEAM))
        .when(pl.col("start_seconds").is_null() | pl.col("end_seconds").is_null())
        .then(pl.lit(NO_END))
        .when(pl.col("period").is_null())
        .then(pl.lit(NO_PERIOD))
        .when(~is_inside)
        .then(pl.lit(OUTSIDE_PERIOD))
    )


def is_repeated_shift() -> pl.Expr:
    """Whether the same valid shift is listed earlier, under another id or number."""
    shift = pl.struct("game_id", "page", "player_id", "period", "start_seconds", "end_seconds", "line", "fault")
    return (pl.col("line") == SHIFT) & pl.col("fault").is_null() & ~shift.is_first_distinct()


LISTED_SHIFTS = Table(
    name="silver.listed_shifts",
    grain="one line of a final game's shift chart or shift report",
    key=("game_id", "page", "row"),
    columns=(
        c.season,
        c.game_id,
        Column("page", pl.String, "Page of the line", values=(CHART, HOME_REPORT, AWAY_REPORT)),
        Column("row", pl.Int32, "Number of the line on the page, from 0"),
        Column("line", pl.String, "A shift, or the total of a player's period or game", values=(SHIFT, PERIOD, GAME)),
        replace(c.player_id, nullable=True),
        Column("team_id", pl.Int32, "Team of the player in this game, or of the report", nullable=True),
        Column("page_team_id", pl.Int32, "Team on the page", nullable=True),
        replace(c.period, nullable=True),
        replace(c.start_seconds, nullable=True),
        replace(c.end_seconds, nullable=True),
        Column("printed_seconds", pl.Int32, "Length or total as printed", "s", nullable=True),
        Column(
            "fault",
            pl.String,
            "Check that an invalid shift does not pass; null for valid shifts and for totals",
            nullable=True,
            values=(UNDRESSED_PLAYER, OTHER_TEAM, NO_END, NO_PERIOD, OUTSIDE_PERIOD, REPEATED_SHIFT),
        ),
    ),
    chunk_key="game_id",
    inputs=(SHIFT_CHARTS, SHIFT_REPORT_HOME, SHIFT_REPORT_AWAY, LINEUPS, GAMES, SKATER_GAMES, GOALIE_GAMES),
    page_structs={SHIFT_CHARTS: (Chart,)},
    source=listed_shifts,
    checks={
        "a valid shift is complete": (pl.col("line") != SHIFT)
        | pl.col("fault").is_not_null()
        | pl.all_horizontal(pl.col("player_id", "team_id", "period", "start_seconds", "end_seconds").is_not_null()),
    },
)
