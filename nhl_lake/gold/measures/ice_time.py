"""Time: of players and of teams, by situation and by strength, from the stints, or in all from the box score."""

from collections.abc import Sequence

import polars as pl

from nhl_lake.gold.measures.attempts import STRENGTH_NAMES
from nhl_lake.gold.measures.situations import ALL_SITUATIONS, OTHER_SITUATION
from nhl_lake.hockey.strength import classify_situation
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column

even_strength_time_on_ice_s = Column(
    "even_strength_time_on_ice_s", pl.Int32, "Time on the ice at even strength", "s", nullable=True
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
    "Where ice time is from; of a game without shifts the box score tells that of all situations together",
    nullable=True,
    values=(SOURCE_SHIFTS, SOURCE_BOX_SCORE),
)
MIRRORED_STRENGTHS = {"PP": "SH", "SH": "PP"}


def split_stints_by_team(stints: pl.LazyFrame) -> pl.LazyFrame:
    """One row a team and stint, with situation and strength as the team has them."""
    known = stints.with_columns(
        *(
            pl.when(pl.col(f"{side}_goalies") < 2).then(pl.col(f"{side}_goalies") == 1).alias(f"has_{side}_goalie")
            for side in ("home", "away")
        ),
        is_penalty_shot=pl.lit(value=False),
    )
    return pl.concat(orient_stints(known, whose) for whose in ("home", "away"))


def orient_stints(stints: pl.LazyFrame, whose: str) -> pl.LazyFrame:
    """One row a stint, as one of the teams has it."""
    state = pl.col("home_strength_state")
    return stints.with_columns(is_home=pl.lit(value=whose == "home")).select(
        "game_id",
        "period",
        "start_seconds",
        "end_seconds",
        team_id=f"{whose}_team_id",
        situation=classify_situation().fill_null(OTHER_SITUATION),
        strength_state=state if whose == "home" else state.replace(MIRRORED_STRENGTHS),
        skaters=f"{whose}_skater_player_ids",
        goalie=f"{whose}_goalie_player_id",
    )


def sum_time_on_ice(sides: pl.LazyFrame, player: pl.Expr) -> pl.LazyFrame:
    """One row a player, game and situation: seconds on the ice, and by strength."""
    rows = sides.select("game_id", "situation", player_id=player, **compute_stint_seconds()).explode("player_id")
    return (
        rows.filter(pl.col("player_id").is_not_null())
        .group_by("game_id", "player_id", "situation")
        .agg(sum_stint_seconds())
    )


def sum_team_time(sides: pl.LazyFrame) -> pl.LazyFrame:
    """One row a team, game and situation: seconds played, and by strength."""
    return (
        sides.with_columns(**compute_stint_seconds())
        .group_by("game_id", "team_id", "situation")
        .agg(sum_stint_seconds())
    )


def fill_ice_time(rows: pl.LazyFrame, official: pl.LazyFrame, names: Sequence[str]) -> pl.LazyFrame:
    """Fill what the box score tells of time into the rows of all situations of games without shifts.

    Even strength is what is neither power play nor shorthanded, where both are told. Adds `time_source`.
    """
    even = pl.col("time_on_ice_s") - pl.col("power_play_time_on_ice_s") - pl.col("shorthanded_time_on_ice_s")
    told = official.with_columns(even_strength_time_on_ice_s=even) if "power_play_time_on_ice_s" in names else official
    told = told.select("game_id", "player_id", pl.col(names).name.prefix("official_"), situation=pl.lit(ALL_SITUATIONS))
    has_shifts = pl.col("has_shifts")
    source = pl.when(has_shifts).then(pl.lit(SOURCE_SHIFTS)).when(pl.col("time_on_ice_s").is_not_null())
    return (
        rows.join(told, on=["game_id", "player_id", "situation"], how="left", validate="1:1")
        .with_columns(pl.when(has_shifts).then(name).otherwise(f"official_{name}").alias(name) for name in names)
        .with_columns(time_source=source.then(pl.lit(SOURCE_BOX_SCORE)))
    )


def compute_stint_seconds() -> dict[str, pl.Expr]:
    """Return the seconds of a stint: all, and those at each strength."""
    length = pl.col("end_seconds") - pl.col("start_seconds")
    split = {
        f"{strength}_time_on_ice_s": length * (pl.col("strength_state") == state)
        for state, strength in STRENGTH_NAMES.items()
    }
    return {"time_on_ice_s": length, **split}


def sum_stint_seconds() -> pl.Expr:
    """Return the sums of seconds."""
    return pl.col(*compute_stint_seconds()).sum()
