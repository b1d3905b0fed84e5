"""Checks of the shifts of a game: rows that were left out, and totals that do not add up.

Rows have season, game_id, check, severity, and expected and actual value as text. Severity is `info` for a defect that
was repaired without loss, `warning` if shifts may be missing, and `error` if the game's ice time is unreliable.
"""

import polars as pl

from nhl_lake.silver.listed_shifts import (
    CHART,
    GAME_KEY,
    NO_END,
    NO_PERIOD,
    OTHER_TEAM,
    OUTSIDE_PERIOD,
    REPEATED_SHIFT,
    UNDRESSED_PLAYER,
)
from nhl_lake.silver.parsing.shift_reports import GAME
from nhl_lake.silver.shifts import REPORT, merge_overlaps

SEVERITY = {REPEATED_SHIFT: "info", OTHER_TEAM: "info"} | dict.fromkeys(
    (UNDRESSED_PLAYER, NO_END, NO_PERIOD, OUTSIDE_PERIOD), "warning"
)
TOLERANCE_S = 2
MAX_IMPOSSIBLE_S = 30
FIRST_SHIFT_SEASON = 20072008  # in HTML reports; charts begin in 2010-11
LENGTH = pl.col("end_seconds") - pl.col("start_seconds")


def check_shifts(listed_shifts: pl.LazyFrame, shifts: pl.LazyFrame, lineups: pl.LazyFrame) -> pl.LazyFrame:
    """One row per final game and check that its shifts do not pass, with the number of rows or players."""
    chosen = shifts.select("game_id", "shift_source").unique()
    overlaps = shifts.filter(pl.col("listed_rows") > 1)
    is_partial = pl.max("end_seconds").over("game_id", "period") > pl.col("end_seconds") - pl.col("start_seconds")
    inferred = shifts.filter(is_partial & (pl.col("listed_rows") == 0)).unique(["game_id", "player_id", "period"])
    expected = lineups.filter(pl.col("season") >= FIRST_SHIFT_SEASON)
    missing = expected.select(GAME_KEY).unique().join(shifts, on="game_id", how="anti")
    defects = (
        count_rejected_rows(listed_shifts, chosen),
        count_violations(overlaps, "no shifts of a player overlap", "warning", (pl.col("listed_rows") - 1).sum()),
        count_violations(inferred, "a goalie's shifts are listed, not only their total", "warning", pl.len()),
        count_violations(missing, "a game has shifts", "error", 0 * pl.len()).with_columns(
            expected=pl.lit(None, pl.Int32)
        ),
        compare_report_with_chart(listed_shifts, shifts),
        compare_shifts_with_sums(listed_shifts, shifts),
    )
    return pl.concat(cast_to_text(found) for found in defects)


def count_rejected_rows(listed: pl.LazyFrame, chosen: pl.LazyFrame) -> pl.LazyFrame:
    """Count the invalid listed rows in the source that is used, or in all sources if none is used."""
    is_from_source = pl.col("chosen").is_null() | ((pl.col("page") == CHART) == (pl.col("chosen") == CHART))
    check = pl.col("fault").alias("check")
    return (
        listed.filter(pl.col("fault").is_not_null())
        .join(chosen.rename({"shift_source": "chosen"}), on="game_id", how="left", validate="m:1")
        .filter(is_from_source)
        .group_by(*GAME_KEY, check)
        .agg(expected=pl.lit(0), actual=pl.len())
        .select(*GAME_KEY, "check", pl.col("check").replace_strict(SEVERITY).alias("severity"), "expected", "actual")
    )


def compare_report_with_chart(listed: pl.LazyFrame, shifts: pl.LazyFrame) -> pl.LazyFrame:
    """One row per game whose shifts are from the reports: the number of shifts in the reports and in the chart."""
    reported = shifts.filter(pl.col("shift_source") == REPORT)
    chart_rows = listed.filter(pl.col("page") == CHART).with_columns(listed_rows=pl.lit(1))
    in_chart = merge_overlaps(chart_rows.join(reported, on="game_id", how="semi"))
    return (
        reported.group_by(GAME_KEY)
        .agg(expected=pl.len())
        .join(in_chart.group_by("game_id").agg(actual=pl.len()), on="game_id", how="left", validate="1:1")
        .select(*GAME_KEY, *name_rule("the shift chart is complete", "info"), "expected", pl.col("actual").fill_null(0))
    )


def compare_shifts_with_sums(listed: pl.LazyFrame, shifts: pl.LazyFrame) -> pl.LazyFrame:
    """Count the players whose shifts in a report do not add up to the printed total."""
    player = ["game_id", "player_id"]
    used = shifts.filter(pl.col("shift_source") == REPORT)
    off = (
        listed.filter((pl.col("line") == GAME) & pl.col("player_id").is_not_null())
        .join(used, on="game_id", how="semi")
        .join(used.group_by(player).agg(LENGTH.sum().alias("seconds")), on=player, how="left", validate="m:1")
        .filter((pl.col("printed_seconds") - pl.col("seconds").fill_null(0)).abs() > TOLERANCE_S)
    )
    return count_violations(off, "the shifts of a report add up to its totals", "error", pl.len())


def check_player_counts(stints: pl.LazyFrame) -> pl.LazyFrame:
    """One row per game with an impossible number of players on the ice, with its seconds.

    A team has 3 to 6 skaters and at most one goalie, and 6 skaters only without a goalie.
    """
    sides = ("home", "away")
    skaters = pl.all_horizontal(pl.col(f"{side}_skaters").is_between(3, 6) for side in sides)
    players = pl.all_horizontal(pl.col(f"{side}_skaters") + pl.col(f"{side}_goalies") <= 6 for side in sides)
    goalies = pl.all_horizontal(pl.col(f"{side}_goalies") <= 1 for side in sides)
    impossible = stints.filter(~(skaters & players & goalies))
    severity = pl.when(pl.col("actual") > MAX_IMPOSSIBLE_S).then(pl.lit("error")).otherwise("severity")
    return cast_to_text(
        count_violations(
            impossible, "a team has 3 to 6 skaters and at most one goalie", "warning", LENGTH.sum()
        ).with_columns(severity=severity)
    )


def check_ice_time(shifts: pl.LazyFrame, skater_games: pl.LazyFrame, goalie_games: pl.LazyFrame) -> pl.LazyFrame:
    """One row per game with players whose shifts differ from the box score's time on ice by more than 2 s."""
    player = ["game_id", "player_id"]
    lines = pl.concat(frame.select(*GAME_KEY, "player_id", "time_on_ice_s") for frame in (skater_games, goalie_games))
    known = shifts.group_by(player).agg(LENGTH.sum().alias("seconds"))
    off = (
        lines.join(shifts.select("game_id").unique(), on="game_id", how="semi")
        .join(known, on=player, how="left", validate="m:1")
        .filter((pl.col("time_on_ice_s") - pl.col("seconds").fill_null(0)).abs() > TOLERANCE_S)
    )
    return cast_to_text(count_violations(off, "shifts add up to the box score's time on ice", "warning", pl.len()))


def count_violations(rows: pl.LazyFrame, check: str, severity: str, actual: pl.Expr) -> pl.LazyFrame:
    """Return one row per game in `rows`; a game without violations has none."""
    return (
        rows.group_by(GAME_KEY)
        .agg(actual=actual)
        .select(*GAME_KEY, *name_rule(check, severity), expected=pl.lit(0), actual="actual")
    )


def name_rule(check: str, severity: str) -> list[pl.Expr]:
    """Return the columns `check` and `severity`."""
    return [pl.lit(check).alias("check"), pl.lit(severity).alias("severity")]


def cast_to_text(found: pl.LazyFrame) -> pl.LazyFrame:
    """Cast expected and actual value to text: other checks compare texts."""
    return found.with_columns(pl.col("expected", "actual").cast(pl.String))
