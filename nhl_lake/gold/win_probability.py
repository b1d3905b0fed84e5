"""Win probability: the home team's chance to win, step by step of a game."""

from dataclasses import replace

import polars as pl

from nhl_lake.gold.game_features import GAME_FEATURES
from nhl_lake.gold.game_flow import COLUMNS as FLOW_COLUMNS
from nhl_lake.gold.game_flow import GAME_FLOW, STEPS
from nhl_lake.gold.measures.game_model import (
    OVERTIME_SECONDS,
    REGULATION_SECONDS,
    add_win_probability,
    choose_model,
)
from nhl_lake.schema import columns as c
from nhl_lake.schema.ledger import META
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.games import GAMES

GAME_END = "game-end"
FIRST_SHOOTOUT_SEASON = 20052006  # games could end in a tie before
MIN_SKATERS = 3  # fewer are on the ice at a penalty shot only


def win_probability(
    game_flow: pl.LazyFrame, games: pl.LazyFrame, game_features: pl.LazyFrame, meta: pl.LazyFrame
) -> pl.LazyFrame:
    """One row per step of a game of the regular season or playoffs, and one for its end, when it is 1 or 0.

    The steps are those of gold.game_flow, under the same numbers. Goals and players are those after the step: a goal
    ends the power play that it was scored on. Null where the time, the players or the form of the teams is unknown, and
    before 2005-06, when games could end in a tie.
    """
    before = game_features.select("game_id", pregame_home_win_probability="home_win_probability")
    steps = (
        add_win_probability(list_states(game_flow, before), choose_model(meta))
        .with_columns(pl.when(pl.col("season") >= FIRST_SHOOTOUT_SEASON).then("home_win_probability"))
        .cache()
    )
    ends = steps.group_by("game_id").last().with_columns(step=pl.lit(GAME_END), step_number=pl.col("step_number") + 1)
    won = games.select("game_id", won=pl.col("home_score") - pl.col("away_score"))
    ends = ends.join(won, on="game_id", how="left", validate="1:1").with_columns(
        home_win_probability=pl.when(pl.col("won") != 0).then((pl.col("won") > 0).cast(pl.Float64))
    )
    return pl.concat([frame.select(column.name for column in COLUMNS) for frame in (steps, ends)])


def list_states(game_flow: pl.LazyFrame, before: pl.LazyFrame) -> pl.LazyFrame:
    """Return the steps of the games in `before`, with what it says of them and the state after each step."""
    return (
        game_flow.join(before, on="game_id", validate="m:1")
        .sort("game_id", "step_number")
        .with_columns(
            home_lead=pl.col("home_goals_so_far") - pl.col("away_goals_so_far"),
            seconds_left=compute_seconds_left(),
            home_more_players=count_more_players(),
        )
    )


def compute_seconds_left() -> pl.Expr:
    """Return the seconds left in regulation or in overtime; null in the playoffs' overtime, which has no limit."""
    overtime = pl.when(pl.col("game_type") == 2).then(OVERTIME_SECONDS - pl.col("period_seconds"))
    left = pl.when(pl.col("period") > 3).then(overtime).otherwise(REGULATION_SECONDS - pl.col("game_seconds"))
    return left.clip(lower_bound=0)


def count_more_players() -> pl.Expr:
    """Return by how many players, goalies included, the home team is ahead after the step; at most two either way.

    At a penalty shot or without a code, these are the players of the step before; a game begins with as many.
    """
    digits = [pl.col("situation_code").str.slice(place, 1).cast(pl.Int32, strict=False) for place in range(4)]
    away_goalie, away_skaters, home_skaters, home_goalie = digits
    more = home_skaters + home_goalie - away_skaters - away_goalie
    is_play = (away_skaters >= MIN_SKATERS) & (home_skaters >= MIN_SKATERS)
    more = pl.when(is_play).then(more.clip(-2, 2)).forward_fill().over("game_id").fill_null(0)
    goal = pl.when(pl.col("step") == "goal").then(pl.col("is_home"))
    return pl.when(goal & (more > 0)).then(more - 1).when(~goal & (more < 0)).then(more + 1).otherwise(more)


FLOW = {column.name: column for column in FLOW_COLUMNS}
COLUMNS = (
    *(FLOW[name] for name in ("season", "game_id", "game_type", "step_number")),
    Column(
        "step", pl.String, "Kind of step, as in gold.game_flow, or the end of the game", values=(*STEPS, GAME_END)
    ),
    *(FLOW[name] for name in ("period", "period_seconds", "game_seconds")),
    Column(
        "seconds_left",
        pl.Int32,
        "Time left in regulation, or in overtime of the regular season; null in overtime of the playoffs",
        "s",
        nullable=True,
    ),
    *(FLOW[name] for name in ("home_goals_so_far", "away_goals_so_far", "home_xg_so_far", "away_xg_so_far")),
    Column("home_more_players", pl.Int16, "Players of the home team minus those of the away team, goalies included"),
    replace(c.home_win_probability, name="pregame_home_win_probability", nullable=True),
    replace(c.home_win_probability, description="Probability after the step that the home team wins", nullable=True),
)  # fmt: skip

WIN_PROBABILITY = Table(
    name="gold.win_probability",
    grain="one step of a final game of the regular season or playoffs, as in gold.game_flow, or its end",
    key=("game_id", "step_number"),
    columns=COLUMNS,
    inputs=(GAME_FLOW, GAMES, GAME_FEATURES, META),
    source=win_probability,
    checks={
        "a probability is between 0 and 1": pl.col("home_win_probability").is_null()
        | pl.col("home_win_probability").is_between(0, 1),
        "a game ends with 1 or 0": (pl.col("step") != GAME_END)
        | pl.col("home_win_probability").is_null()
        | pl.col("home_win_probability").is_in([0.0, 1.0]),
    },
)
