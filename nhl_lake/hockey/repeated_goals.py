"""Goals that are listed twice on their page."""

import polars as pl

REPEAT_WINDOW_S = 2
GOAL_DETAILS = ("assist1_player_id", "assist2_player_id", "goalie_player_id", "x_raw_ft", "y_raw_ft", "shot_type")
PAGE_SCORES = ("home_score_on_page", "away_score_on_page")


def drop_repeated_goals(events: pl.LazyFrame) -> pl.LazyFrame:
    """Drop a goal that repeats one of the same team and scorer within two seconds.

    It is a repeat if the page lists more goals of the team than the final score has, and either the recorded score has
    not changed or all other details are equal. If the final score is unknown, the recorded score alone decides. Without
    a recorded score both goals stay. Needs the score recorded with each goal (`home_score_on_page`,
    `away_score_on_page`) and the goals of the final score without the shootout (`home_final_goals`,
    `away_final_goals`), and drops these columns.
    """
    details = ("game_seconds", *GOAL_DETAILS, *PAGE_SCORES)
    key = ("game_id", "event", "event_owner_team_id_raw", "shooter_player_id")
    previous = pl.struct(details).shift(1).over(key, order_by=("game_seconds", "sort_order"))
    rows = events.with_row_index("row").cache()
    # one event in fifty is a goal: to look for the previous goal of every event takes ten times as long
    repeats = (
        rows.filter(is_goal())
        .with_columns(previous_goal=previous, extra_goals=count_extra_goals())
        .filter(is_within_window() & is_repeat_of_previous())
        .select("row")
    )
    return rows.join(repeats, on="row", how="anti", maintain_order="left").drop(
        "row", *PAGE_SCORES, "home_final_goals", "away_final_goals"
    )


def is_goal() -> pl.Expr:
    """Whether a row is a goal in play."""
    return (pl.col("event") == "goal") & (pl.col("period_type") != "SO")


def count_extra_goals() -> pl.Expr:
    """Return how many more goals the page lists for the owner's team than the final score has."""
    owner = pl.col("event_owner_team_id_raw")
    listed = is_goal().sum().over("game_id", "event_owner_team_id_raw").cast(pl.Int64)
    final = pl.when(owner == pl.col("home_team_id")).then("home_final_goals").otherwise("away_final_goals")
    return listed - final


def is_within_window() -> pl.Expr:
    """Whether the previous goal was at most two seconds earlier."""
    return pl.col("game_seconds") - get_previous("game_seconds") <= REPEAT_WINDOW_S


def is_repeat_of_previous() -> pl.Expr:
    """Whether a goal repeats the previous one, by the scores or by all details."""
    has_scores = pl.all_horizontal(
        pl.col(name).is_not_null() & get_previous(name).is_not_null() for name in PAGE_SCORES
    )
    is_same_score = pl.all_horizontal(pl.col(name) == get_previous(name) for name in PAGE_SCORES)
    is_same_goal = pl.all_horizontal(pl.col(name).eq_missing(get_previous(name)) for name in GOAL_DETAILS)
    by_final_score = (pl.col("extra_goals") > 0) & (is_same_score | is_same_goal)
    return has_scores & pl.coalesce(by_final_score, is_same_score)


def get_previous(name: str) -> pl.Expr:
    """Return a value of the previous goal."""
    return pl.col("previous_goal").struct.field(name)
