"""Goals that stand on their page again."""

import polars as pl

REPEAT_WINDOW_S = 2
GOAL_DETAILS = ("assist1_player_id", "assist2_player_id", "goalie_player_id", "x_raw_ft", "y_raw_ft", "shot_type")
PAGE_SCORES = ("home_score_on_page", "away_score_on_page")


def drop_repeated_goals(events: pl.LazyFrame) -> pl.LazyFrame:
    """Leave out a goal that follows one of the same team and scorer by two seconds at most, and is the same goal.

    It is the same where the page lists more goals of the team than the final score has, and either the score beside it
    has not moved on, or all else that is said of it is equal. Where the final score is unknown, the score beside it
    decides. Without a score beside it, nothing does, and both stay. Expects the score beside each goal
    (`home_score_on_page`, `away_score_on_page`), and the goals of the final score without that of a shoot-out
    (`home_final_goals`, `away_final_goals`), and drops them.
    """
    said = ("game_seconds", *GOAL_DETAILS, *PAGE_SCORES)
    key = ("game_id", "event", "event_owner_team_id_raw", "shooter_player_id")
    before = pl.struct(said).shift(1).over(key, order_by=("game_seconds", "sort_order"))
    return (
        events.with_columns(goal_before=before, extra_goals=count_extra_goals())
        .filter(~(is_goal() & is_within_window() & is_repeat_of_previous()).fill_null(value=False))
        .drop("goal_before", "extra_goals", *PAGE_SCORES, "home_final_goals", "away_final_goals")
    )


def is_goal() -> pl.Expr:
    """Whether a row is a goal in play."""
    return (pl.col("event") == "goal") & (pl.col("period_type") != "SO")


def count_extra_goals() -> pl.Expr:
    """Return how many more goals the page lists of the owner's team than the final score has."""
    owner = pl.col("event_owner_team_id_raw")
    listed = is_goal().sum().over("game_id", "event_owner_team_id_raw").cast(pl.Int64)
    final = pl.when(owner == pl.col("home_team_id")).then("home_final_goals").otherwise("away_final_goals")
    return listed - final


def is_within_window() -> pl.Expr:
    """Whether the goal before was at most two seconds earlier."""
    return pl.col("game_seconds") - get_previous("game_seconds") <= REPEAT_WINDOW_S


def is_repeat_of_previous() -> pl.Expr:
    """Whether a goal and the one before are one, by the scores or by all that is said of both."""
    has_scores = pl.all_horizontal(
        pl.col(name).is_not_null() & get_previous(name).is_not_null() for name in PAGE_SCORES
    )
    is_same_score = pl.all_horizontal(pl.col(name) == get_previous(name) for name in PAGE_SCORES)
    is_same_goal = pl.all_horizontal(pl.col(name).eq_missing(get_previous(name)) for name in GOAL_DETAILS)
    by_final_score = (pl.col("extra_goals") > 0) & (is_same_score | is_same_goal)
    return has_scores & pl.coalesce(by_final_score, is_same_score)


def get_previous(name: str) -> pl.Expr:
    """Return what is said of the goal before."""
    return pl.col("goal_before").struct.field(name)
