"""How a game ended for a team, as the standings count it."""

import polars as pl

FIRST_OVERTIME_POINT_SEASON = 19992000
PLAYOFFS = 3
RESULT_CODES = {"wins": "W", "losses": "L", "overtime_losses": "O", "ties": "T"}
RESULTS = tuple(RESULT_CODES.values())
RESTART_EVENTS = ("faceoff", "stoppage", "penalty", "period-start")  # after these no penalty is delayed any more


def classify_result() -> pl.Expr:
    """Return W won, L lost, O lost beyond regulation with a point, T tied.

    Needs `score`, `opponent_score`, `last_period_type`, `season`, `game_type`, and `has_forfeited_point` (null is no).
    Losses in overtime have a point since 1999-2000, and none in the playoffs.
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
    """Return one row a team and game that lost in overtime by a goal into the net that it had emptied (rule 84.2).

    The rule excepts a goalie who is off because a penalty against the other team is delayed: the raised arm is the last
    event of its kind before the goal or, on pages that do not list raised arms, the penalty is called in the second of
    the goal. Both the situation code and the missing goalie must say that the net was empty.
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
    """Whether the row before, of the same game, is the arm raised for a penalty of the acting team."""
    before = {name: pl.col(name).shift(1).over("game_id") for name in ("event", "acting_team_id")}
    is_own = before["acting_team_id"] == pl.col("acting_team_id")
    return ((before["event"] == "delayed-penalty") & is_own).fill_null(value=False)
