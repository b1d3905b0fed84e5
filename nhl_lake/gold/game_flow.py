"""Game flow: running counts of both teams, and the strength, step by step."""

from dataclasses import replace

import polars as pl

from nhl_lake.gold.measures.appearances import list_game_teams
from nhl_lake.gold.measures.recorded_events import add_recorded_flags, is_always_recorded, list_required_flags
from nhl_lake.gold.shots import SHOTS
from nhl_lake.hockey.line_changes import PERIOD_KEY
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.stints import STINTS

STEPS = ("period-start", "goal", "shot-on-goal", "missed-shot", "blocked-shot", "strength", "period-end")
STEP_ORDER = {"period-start": 0, "strength": 2, "period-end": 3}  # in a second: a goal comes before a strength change
COUNTS = {
    "goals": ("is_goal", "Goals"),
    "shots_on_goal": ("is_shot_on_goal", "Shots on goal"),
    "unblocked_attempts": ("is_unblocked_attempt", "Unblocked attempts (Fenwick)"),
    "attempts": ("is_attempt", "Shot attempts (Corsi)"),
}
SIDES = {"home": pl.col("is_home"), "away": ~pl.col("is_home")}


def game_flow(plays: pl.LazyFrame, stints: pl.LazyFrame, games: pl.LazyFrame, shots: pl.LazyFrame) -> pl.LazyFrame:
    """One row per step: a shot attempt, a change of strength, or the start or end of a period.

    Counts include the step. Changes of strength come from the shifts; a game without shifts has none, and the strength
    of its attempts is the page's. Shootouts are left out.
    """
    counts = {
        f"{side}_{name}_so_far": (pl.col(flag) & is_side).fill_null(value=False).cum_sum().over("game_id")
        for name, (flag, _) in COUNTS.items()
        for side, is_side in SIDES.items()
    }
    counts |= {
        f"{side}_xg_so_far": pl.when(is_side).then("xg").fill_null(0.0).cum_sum().over("game_id").round(5)
        for side, is_side in SIDES.items()
    }
    order = pl.col("step").replace_strict(STEP_ORDER, default=1, return_dtype=pl.Int8)
    second = pl.coalesce("second", "period_seconds")
    xg = shots.select("game_id", "event_id", "xg")
    attempts = select_play_steps(plays).join(xg, on=["game_id", "event_id"], how="left", validate="1:1")
    return (
        pl.concat([attempts, find_strength_changes(plays, stints)], how="diagonal")
        .sort("game_id", "period", second, order, "event_number")
        .with_columns(step_number=pl.int_range(1, pl.len() + 1).over("game_id"), **counts)
        .pipe(add_recorded_flags, plays, None, shots)
        .with_columns(
            pl.when(*list_required_flags(name)).then(f"{side}_{name}_so_far").alias(f"{side}_{name}_so_far")
            for name in (*COUNTS, "xg")
            for side in SIDES
            if not is_always_recorded(name)
        )
        .join(
            list_acting_teams(games),
            on=["game_id", "acting_team_id"],
            how="left",
            validate="m:1",
            maintain_order="left",
        )
        .select(column.name for column in COLUMNS)
    )


def list_acting_teams(games: pl.LazyFrame) -> pl.LazyFrame:
    """Return the letters of both teams of each game: game_id, acting_team_id, acting_team_abbrev."""
    return list_game_teams(games).select("game_id", acting_team_id="team_id", acting_team_abbrev="team_abbrev")


def select_play_steps(plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row per attempt, and per start or end of a period."""
    home, away = (pl.col(f"{side}_skaters") + pl.col(f"has_{side}_goalie") for side in ("home", "away"))
    more, fewer, even = (
        pl.when(condition).then(pl.lit(state))
        for condition, state in ((home > away, "PP"), (home < away, "SH"), (home == away, "EV"))
    )
    state = pl.when(~pl.col("is_penalty_shot")).then(pl.coalesce(more, fewer, even))
    known = (
        pl.col("period_seconds").forward_fill().over(PERIOD_KEY).fill_null(0)
    )  # unknown: the time of the previous event
    in_order = plays.sort("game_id", "event_number").with_columns(second=known)
    steps = in_order.filter((pl.col("period_type") != "SO") & pl.col("event").is_in(STEPS))
    return steps.with_columns(step=pl.col("event"), home_strength_state=state)


def find_strength_changes(plays: pl.LazyFrame, stints: pl.LazyFrame) -> pl.LazyFrame:
    """One row per change of the number of players on the ice."""
    code = pl.col("situation_code")
    games = plays.select("game_id", "game_type").unique()
    changed = code.ne_missing(code.shift(1).over("game_id"))
    return (
        stints.sort(*PERIOD_KEY, "start_seconds")
        .filter(changed)
        .join(games, on="game_id", validate="m:1")
        .select(
            "season",
            "game_id",
            "game_type",
            "period",
            "situation_code",
            "home_strength_state",
            period_seconds="start_seconds",
            game_seconds=1200 * (pl.col("period") - 1) + pl.col("start_seconds"),
            step=pl.lit("strength"),
        )
    )


COLUMNS = (
    c.season,
    c.game_id,
    c.game_type,
    Column("step_number", pl.Int32, "Order of the step in the game, from 1"),
    Column(
        "step",
        pl.String,
        "Kind of step: an attempt, a change of strength, or the start or end of a period",
        values=STEPS,
    ),
    c.period,
    Column("period_seconds", pl.Int32, "Time since the period began; null if it is unknown", "s", nullable=True),
    Column("game_seconds", pl.Int32, "Time since the game began; null if it is unknown", "s", nullable=True),
    replace(c.event_id, description="Event id; null for a change of strength", nullable=True),
    Column("acting_team_id", pl.Int32, "Team of the shooter", nullable=True),
    Column("acting_team_abbrev", pl.String, "Three-letter code of the shooter's team at that time", nullable=True),
    replace(c.is_home, description="Whether the shooter's team is the home team", nullable=True),
    c.situation_code,
    Column(
        "home_strength_state",
        pl.String,
        "Home team's strength by players on the ice: after a change of strength, before other steps; null for a penalty"
        " shot",
        nullable=True,
        values=("EV", "PP", "SH"),
    ),
    *(
        Column(
            f"{side}_{name}_so_far",
            pl.Int16,
            f"{text} of the {side} team so far, including this step",
            nullable=not is_always_recorded(name),
        )
        for name, (_, text) in COUNTS.items()
        for side in SIDES
    ),
    *(
        Column(
            f"{side}_xg_so_far",
            pl.Float64,
            f"Expected goals of the {side} team so far, including this step",
            nullable=True,
        )
        for side in SIDES
    ),
    Column("xg", pl.Float64, "Expected goals of this attempt; null for other steps and without xG", nullable=True),
)

GAME_FLOW = Table(
    name="gold.game_flow",
    grain="one step of a final game: an attempt, a change of strength, or the start or end of a period",
    key=("game_id", "step_number"),
    columns=COLUMNS,
    chunk_key="game_id",
    inputs=(PLAYS, STINTS, GAMES, SHOTS),
    source=game_flow,
    checks={
        "goals do not exceed attempts": pl.col("home_attempts_so_far").is_null()
        | (pl.col("home_goals_so_far") <= pl.col("home_attempts_so_far"))
        & (pl.col("away_goals_so_far") <= pl.col("away_attempts_so_far")),
    },
)
