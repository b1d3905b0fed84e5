"""Ice time of players and teams by situation and strength, from stints, or in total from the box score."""

from collections.abc import Sequence

import polars as pl

from nhl_lake.gold.measures.attempts import STRENGTH_NAMES
from nhl_lake.gold.measures.situations import ALL_SITUATIONS, OTHER_SITUATION
from nhl_lake.hockey.strength import classify_situation
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column

even_strength_time_on_ice_s = Column(
    "even_strength_time_on_ice_s", pl.Int32, "Time on ice at even strength", "s", nullable=True
)
COLUMNS = (
    c.time_on_ice_s,
    even_strength_time_on_ice_s,
    c.power_play_time_on_ice_s,
    c.shorthanded_time_on_ice_s,
)
NAMES = tuple(column.name for column in COLUMNS)
SOURCE_SHIFTS, SOURCE_BOX_SCORE = "shifts", "box score"
time_source = Column(
    "time_source",
    pl.String,
    "Source of ice time; in a game without shifts the box score has only the time in all situations",
    nullable=True,
    values=(SOURCE_SHIFTS, SOURCE_BOX_SCORE),
)
MIRRORED_STRENGTHS = {"PP": "SH", "SH": "PP"}


def split_stints_by_team(stints: pl.LazyFrame) -> pl.LazyFrame:
    """One row per team and stint, with situation and strength from the team's view."""
    known = stints.with_columns(
        *(
            pl.when(pl.col(f"{side}_goalies") < 2).then(pl.col(f"{side}_goalies") == 1).alias(f"has_{side}_goalie")
            for side in ("home", "away")
        ),
        is_penalty_shot=pl.lit(value=False),
    )
    return pl.concat(orient_stints(known, side) for side in ("home", "away"))


def orient_stints(stints: pl.LazyFrame, side: str) -> pl.LazyFrame:
    """One row per stint, from the view of one team."""
    state = pl.col("home_strength_state")
    return stints.with_columns(is_home=pl.lit(value=side == "home")).select(
        "game_id",
        "period",
        "start_seconds",
        "end_seconds",
        team_id=f"{side}_team_id",
        situation=classify_situation().fill_null(OTHER_SITUATION),
        strength_state=state if side == "home" else state.replace(MIRRORED_STRENGTHS),
        skaters=f"{side}_skater_player_ids",
        goalie=f"{side}_goalie_player_id",
    )


def sum_time_on_ice(team_stints: pl.LazyFrame, player: pl.Expr) -> pl.LazyFrame:
    """One row per player, game and situation: seconds on the ice, in all and by strength."""
    rows = team_stints.select("game_id", "situation", player_id=player, **compute_stint_seconds()).explode("player_id")
    return (
        rows.filter(pl.col("player_id").is_not_null())
        .group_by("game_id", "player_id", "situation")
        .agg(sum_stint_seconds())
    )


def sum_team_time(team_stints: pl.LazyFrame) -> pl.LazyFrame:
    """One row per team, game and situation: seconds played, in all and by strength."""
    return (
        team_stints.with_columns(**compute_stint_seconds())
        .group_by("game_id", "team_id", "situation")
        .agg(sum_stint_seconds())
    )


def fill_ice_time(rows: pl.LazyFrame, official: pl.LazyFrame, names: Sequence[str]) -> pl.LazyFrame:
    """Fill ice time from the box score into the `all` rows of games without shifts, and add `time_source`.

    Even-strength time is the rest after power play and shorthanded time, if the box score has both.
    """
    even = pl.col("time_on_ice_s") - pl.col("power_play_time_on_ice_s") - pl.col("shorthanded_time_on_ice_s")
    if "power_play_time_on_ice_s" in names:
        official = official.with_columns(even_strength_time_on_ice_s=even)
    official = official.select(
        "game_id", "player_id", pl.col(names).name.prefix("official_"), situation=pl.lit(ALL_SITUATIONS)
    )
    has_shifts = pl.col("has_shifts")
    source = pl.when(has_shifts).then(pl.lit(SOURCE_SHIFTS)).when(pl.col("time_on_ice_s").is_not_null())
    return (
        rows.join(official, on=["game_id", "player_id", "situation"], how="left", validate="1:1")
        .with_columns(pl.when(has_shifts).then(name).otherwise(f"official_{name}").alias(name) for name in names)
        .with_columns(time_source=source.then(pl.lit(SOURCE_BOX_SCORE)))
    )


def compute_stint_seconds() -> dict[str, pl.Expr]:
    """Return the seconds of a stint, in all and by strength."""
    length = pl.col("end_seconds") - pl.col("start_seconds")
    split = {
        f"{strength}_time_on_ice_s": length * (pl.col("strength_state") == state)
        for state, strength in STRENGTH_NAMES.items()
    }
    return {"time_on_ice_s": length, **split}


def sum_stint_seconds() -> pl.Expr:
    """Return the sums of the seconds of stints."""
    return pl.col(*compute_stint_seconds()).sum()
