"""The result of a game for a team, as counted in the standings."""

import polars as pl

FIRST_OVERTIME_POINT_SEASON = 19992000
PLAYOFFS = 3
RESULT_CODES = {"wins": "W", "losses": "L", "overtime_losses": "O", "ties": "T"}
RESULTS = tuple(RESULT_CODES.values())
RESTART_EVENTS = ("faceoff", "stoppage", "penalty", "period-start")  # these end a delayed penalty


def classify_result() -> pl.Expr:
    """Return W (win), L (loss), O (overtime or shootout loss with a point) or T (tie).

    Needs `score`, `opponent_score`, `last_period_type`, `season`, `game_type`, and `has_forfeited_point` (null is
    false). Overtime losses earn a point since 1999-2000, except in the playoffs.
    """
    has_point = (
        (pl.col("last_period_type") != "REG")
        & (pl.col("season") >= FIRST_OVERTIME_POINT_SEASON)
        & (pl.col("game_type") != PLAYOFFS)
        & ~pl.col("has_forfeited_point").fill_null(value=False)
    )
    return (
        pl.when(pl.col("score") > pl.col("opponent_score"))
        .then(pl.lit("W"))
        .when(pl.col("score") == pl.col("opponent_score"))
        .then(pl.lit("T"))
        .when(has_point)
        .then(pl.lit("O"))
        .otherwise(pl.lit("L"))
    )


def find_forfeited_points(plays: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row per team and game that lost in overtime by an empty-net goal after pulling the goalie (rule 84.2).

    The rule does not apply if the goalie was off for a delayed penalty against the other team. Then the delayed penalty
    is the last such event before the goal, or, on pages without delayed penalties, the penalty is called in the second
    of the goal. The situation code and the missing goalie must both show an empty net.
    """
    overtime = plays.filter(pl.col("period_type") == "OT").sort("game_id", "event_number")
    penalties = overtime.filter(pl.col("event") == "penalty")
    goalie_in = pl.when("is_home").then("has_away_goalie").otherwise("has_home_goalie")
    loser = pl.when("is_home").then("away_team_id").otherwise("home_team_id")
    return (
        overtime.filter(pl.col("event").is_in(("goal", "delayed-penalty", *RESTART_EVENTS)))
        .with_columns(is_delayed=is_penalty_delayed())
        .filter("is_goal", ~goalie_in, pl.col("goalie_player_id").is_null(), ~pl.col("is_delayed"))
        .join(penalties, on=["game_id", "period", "period_seconds", "acting_team_id"], how="anti")
        .select("game_id", team_id=loser, has_forfeited_point=pl.lit(value=True))
        .unique(["game_id", "team_id"])
    )


def is_penalty_delayed() -> pl.Expr:
    """Whether the previous row of the game is a delayed penalty of the acting team."""
    previous = {name: pl.col(name).shift(1).over("game_id") for name in ("event", "acting_team_id")}
    is_own = previous["acting_team_id"] == pl.col("acting_team_id")
    return ((previous["event"] == "delayed-penalty") & is_own).fill_null(value=False)
