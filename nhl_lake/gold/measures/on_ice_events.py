"""On-ice and off-ice events of skaters, and events right after they leave the ice on the fly."""

from dataclasses import replace

import polars as pl

from nhl_lake.gold.measures import attempts as shooting
from nhl_lake.gold.measures.expected_goals import DANGER_CLASSES
from nhl_lake.gold.measures.situations import orient_situation
from nhl_lake.schema.table import Column

AFTER_SHIFT_SECONDS = 5
ON_ICE_COUNTS = (
    "goals",
    "shots_on_goal",
    "missed_shots",
    "blocked_attempts",
    "unblocked_attempts",
    "attempts",
    "rebounds_generated",
    "rebound_goals",
    "adjusted_attempts",
    "adjusted_unblocked_attempts",
    "xg",
    "xg_flurry_adjusted",
    "xg_score_adjusted",
    "xg_flurry_score_adjusted",
    "rebound_xg",
    *(f"{danger}_danger_{what}" for what in ("attempts", "xg", "goals") for danger in DANGER_CLASSES),
)
OFF_ICE_COUNTS = ("goals", "unblocked_attempts", "attempts", "xg")
AFTER_SHIFT_COUNTS = ("unblocked_attempts", "attempts", "xg")
EVENT_KEY = ("game_id", "event_id")
SIDES = {"for": "of the team", "against": "of the opponent"}
PLAYER_KEY = ("game_id", "player_id", "situation")
TEAM_KEY = ("game_id", "team_id", "situation")


def declare_both_sides(names: tuple[str, ...], prefix: str, suffix: str, when: str) -> tuple[Column, ...]:
    """Declare counts for and against, under a condition."""
    return tuple(
        replace(
            column,
            name=f"{prefix}{column.name}_{side}{suffix}",
            description=f"{column.description}; {of_team}, {when}, without penalty shots",
            nullable=True,
        )
        for name in names
        for column in shooting.COLUMNS
        if column.name == name
        for side, of_team in SIDES.items()
    )


COLUMNS = (
    *declare_both_sides(ON_ICE_COUNTS, "on_ice_", "", "while the skater was on the ice"),
    *declare_both_sides(OFF_ICE_COUNTS, "off_ice_", "", "while the skater was on the bench"),
    *declare_both_sides(AFTER_SHIFT_COUNTS, "", "_after_shifts", "1 to 5 s after the skater left on the fly"),
)
NAMES = tuple(column.name for column in COLUMNS)


def find_on_ice_events(attempts: pl.LazyFrame, on_ice: pl.LazyFrame) -> pl.LazyFrame:
    """One row per attempt and skater on the ice, with the situation of the skater's team, without penalty shots."""
    in_play = attempts.filter(~pl.col("is_penalty_shot"))
    skaters = on_ice.filter(~pl.col("is_goalie")).select("game_id", "event_id", "player_id", "team_id")
    return in_play.join(skaters, on=EVENT_KEY, validate="1:m").with_columns(situation=orient_situation())


def sum_for_and_against(names: tuple[str, ...], prefix: str, suffix: str = "") -> dict[str, pl.Expr]:
    """Return the sums of counts for the team of a row and against it."""
    is_own = pl.col("team_id") == pl.col("acting_team_id")
    return {
        f"{prefix}{name}_{side}{suffix}": pl.col(name).filter(is_side).sum()
        for name in names
        for side, is_side in (("for", is_own), ("against", ~is_own))
    }


def count_on_ice_events(events: pl.LazyFrame) -> pl.LazyFrame:
    """One row per skater, game and situation, with the on-ice counts."""
    # first by acting team: sums with filters take three times as long
    sums = events.group_by(*PLAYER_KEY, "team_id", "acting_team_id").agg(pl.col(*ON_ICE_COUNTS).sum())
    return sums.group_by(PLAYER_KEY).agg(**sum_for_and_against(ON_ICE_COUNTS, "on_ice_"))


def count_team_on_ice_events(events: pl.LazyFrame) -> pl.LazyFrame:
    """One row per team, game and situation, with the counts of the team."""
    team_events = events.unique([*EVENT_KEY, "team_id"])
    return team_events.group_by(TEAM_KEY).agg(**sum_for_and_against(OFF_ICE_COUNTS, "off_ice_"))


def count_after_shifts(
    attempts: pl.LazyFrame, events: pl.LazyFrame, shifts: pl.LazyFrame, plays: pl.LazyFrame
) -> pl.LazyFrame:
    """One row per skater, game and situation: attempts 1 to 5 s after leaving on the fly, if play continued."""
    seconds = pl.int_ranges(pl.col("end_seconds") + 1, pl.col("end_seconds") + AFTER_SHIFT_SECONDS + 1)
    left = shifts.filter(pl.col("shift_end") == "on_the_fly").select(
        "game_id", "player_id", "team_id", "period", "end_seconds", period_seconds=seconds
    )
    live = attempts.filter(~pl.col("is_penalty_shot")).join(find_last_faceoffs(plays), on=EVENT_KEY, validate="1:1")
    return (
        left.explode("period_seconds")
        .with_columns(pl.col("period_seconds").cast(pl.Int32))
        .join(live, on=["game_id", "period", "period_seconds"])
        .filter((pl.col("faceoff_seconds") < pl.col("end_seconds")).fill_null(value=True))
        .join(events, on=[*EVENT_KEY, "player_id"], how="anti")
        .with_columns(situation=orient_situation())
        .group_by(PLAYER_KEY)
        .agg(**sum_for_and_against(AFTER_SHIFT_COUNTS, "", "_after_shifts"))
    )


def find_last_faceoffs(plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row per event, with the second of the last faceoff of the period up to it."""
    faceoff = pl.when(pl.col("event") == "faceoff").then("period_seconds")
    return plays.sort("game_id", "event_number").select(
        *EVENT_KEY, faceoff_seconds=faceoff.forward_fill().over("game_id", "period")
    )
