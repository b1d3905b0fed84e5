"""What is wrong with the shifts of a game: what was left out, and what does not add up.

Rows have season, game_id, check (the rule that is broken), severity, expected and actual as texts. Severity is `info`
for what was mended without loss, `warning` for what may be lost, `error` for what makes a game's ice time doubtful.
"""

import polars as pl

from nhl_lake.silver.listed_shifts import CHART, GAME_KEY, NO_END, NO_PERIOD, OTHER_GAME, OUTSIDE, REPEATED, STRANGER
from nhl_lake.silver.parsing.shift_reports import GAME
from nhl_lake.silver.shifts import REPORT, merged

SEVERITY = {REPEATED: "info", OTHER_GAME: "info"} | dict.fromkeys((STRANGER, NO_END, NO_PERIOD, OUTSIDE), "warning")
TOLERANCE_S = 2
SUSPECT_S = 30
FIRST_WITH_SHIFTS = 20072008  # in HTML reports; in charts since 2010-11
LENGTH = pl.col("end_seconds") - pl.col("start_seconds")


def shift_quality(listed_shifts: pl.LazyFrame, shifts: pl.LazyFrame, lineups: pl.LazyFrame) -> pl.LazyFrame:
    """One row a rule and final game whose shifts break it, with the number of rows or players; none if all is well."""
    chosen = shifts.select("game_id", "shift_source").unique()
    overlaps = shifts.filter(pl.col("listed_rows") > 1)
    is_part = pl.max("end_seconds").over("game_id", "period") > pl.col("end_seconds") - pl.col("start_seconds")
    summed_up = shifts.filter(is_part & (pl.col("listed_rows") == 0)).unique(["game_id", "player_id", "period"])
    expected = lineups.filter(pl.col("season") >= FIRST_WITH_SHIFTS)
    missing = expected.select(GAME_KEY).unique().join(shifts, on="game_id", how="anti")
    defects = (
        left_out(listed_shifts, chosen),
        counted(overlaps, "no shifts of a player overlap", "warning", (pl.col("listed_rows") - 1).sum()),
        counted(summed_up, "a goalie's part of a period is listed, not only summed up", "warning", pl.len()),
        counted(missing, "a game has shifts", "error", 0 * pl.len()).with_columns(expected=pl.lit(None, pl.Int32)),
        not_from_the_chart(listed_shifts, shifts),
        unlike_the_sums(listed_shifts, shifts),
    )
    return pl.concat(texts(found) for found in defects)


def left_out(listed: pl.LazyFrame, chosen: pl.LazyFrame) -> pl.LazyFrame:
    """Count the listed rows that are no shifts, in the source that is used, or in all where none can be."""
    of_the_source = pl.col("chosen").is_null() | ((pl.col("page") == CHART) == (pl.col("chosen") == CHART))
    check = pl.col("fault").alias("check")
    return (
        listed.filter(pl.col("fault").is_not_null())
        .join(chosen.rename({"shift_source": "chosen"}), on="game_id", how="left", validate="m:1")
        .filter(of_the_source)
        .group_by(*GAME_KEY, check)
        .agg(expected=pl.lit(0), actual=pl.len())
        .select(*GAME_KEY, "check", pl.col("check").replace_strict(SEVERITY).alias("severity"), "expected", "actual")
    )


def not_from_the_chart(listed: pl.LazyFrame, shifts: pl.LazyFrame) -> pl.LazyFrame:
    """One row a game with the shifts of the reports: how many they have, and how many the chart."""
    reported = shifts.filter(pl.col("shift_source") == REPORT)
    of_chart = listed.filter(pl.col("page") == CHART).with_columns(listed_rows=pl.lit(1))
    in_chart = merged(of_chart.join(reported, on="game_id", how="semi"))
    return (
        reported.group_by(GAME_KEY)
        .agg(expected=pl.len())
        .join(in_chart.group_by("game_id").agg(actual=pl.len()), on="game_id", how="left", validate="1:1")
        .select(*GAME_KEY, *named("the shift chart is whole", "info"), "expected", pl.col("actual").fill_null(0))
    )


def unlike_the_sums(listed: pl.LazyFrame, shifts: pl.LazyFrame) -> pl.LazyFrame:
    """Count the players whose shifts in a report do not add up to the time printed under them."""
    player = ["game_id", "player_id"]
    used = shifts.filter(pl.col("shift_source") == REPORT)
    off = (
        listed.filter((pl.col("line") == GAME) & pl.col("player_id").is_not_null())
        .join(used, on="game_id", how="semi")
        .join(used.group_by(player).agg(LENGTH.sum().alias("seconds")), on=player, how="left", validate="m:1")
        .filter((pl.col("printed_seconds") - pl.col("seconds").fill_null(0)).abs() > TOLERANCE_S)
    )
    return counted(off, "the shifts of a report add up to its sums", "error", pl.len())


def men_quality(stints: pl.LazyFrame) -> pl.LazyFrame:
    """One row a game with an impossible number of men on the ice: for how many seconds.

    A team has 3 to 6 skaters and one goalie at most, and 6 skaters only without him.
    """
    sides = ("home", "away")
    skaters = pl.all_horizontal(pl.col(f"{side}_skaters").is_between(3, 6) for side in sides)
    men = pl.all_horizontal(pl.col(f"{side}_skaters") + pl.col(f"{side}_goalies") <= 6 for side in sides)
    goalies = pl.all_horizontal(pl.col(f"{side}_goalies") <= 1 for side in sides)
    wrong = stints.filter(~(skaters & men & goalies))
    severity = pl.when(pl.col("actual") > SUSPECT_S).then(pl.lit("error")).otherwise("severity")
    return texts(
        counted(wrong, "a team has 3 to 6 men and one goalie", "warning", LENGTH.sum()).with_columns(severity=severity)
    )


def ice_time_quality(shifts: pl.LazyFrame, skater_games: pl.LazyFrame, goalie_games: pl.LazyFrame) -> pl.LazyFrame:
    """One row a game with players whose shifts differ by more than 2 s from the box score's time: how many."""
    player = ["game_id", "player_id"]
    lines = pl.concat(frame.select(*GAME_KEY, "player_id", "time_on_ice_s") for frame in (skater_games, goalie_games))
    known = shifts.group_by(player).agg(LENGTH.sum().alias("seconds"))
    off = (
        lines.join(shifts.select("game_id").unique(), on="game_id", how="semi")
        .join(known, on=player, how="left", validate="m:1")
        .filter((pl.col("time_on_ice_s") - pl.col("seconds").fill_null(0)).abs() > TOLERANCE_S)
    )
    return texts(counted(off, "shifts add up to the time on ice of the box score", "warning", pl.len()))


def counted(rows: pl.LazyFrame, check: str, severity: str, actual: pl.Expr) -> pl.LazyFrame:
    """Make one row a game that has rows at all; a clean game has none."""
    return (
        rows.group_by(GAME_KEY)
        .agg(actual=actual)
        .select(*GAME_KEY, *named(check, severity), expected=pl.lit(0), actual="actual")
    )


def named(check: str, severity: str) -> list[pl.Expr]:
    """Return the columns that say which check it is."""
    return [pl.lit(check).alias("check"), pl.lit(severity).alias("severity")]


def texts(found: pl.LazyFrame) -> pl.LazyFrame:
    """Write the numbers as texts: other checks compare what is no number."""
    return found.with_columns(pl.col("expected", "actual").cast(pl.String))
