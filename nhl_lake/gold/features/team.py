"""A team's form before a game: what it and its opponents have done of late, how rested it is, how far it has come."""

import polars as pl

from nhl_lake.gold.features import rolling
from nhl_lake.gold.features.skater import declare_feature
from nhl_lake.schema.table import Column

TEAM_KEY = ("team_key",)
HALF_LIFE = 25.0
TEAM_COUNTS = ("shots_on_goal", "attempts", "adjusted_attempts", "blocked_attempts", "penalties")
OWN_COUNTS = ("shots_on_goal", "attempts", "adjusted_attempts")
OPPONENT_COUNTS = ("shots_on_goal_against", "attempts_against", "adjusted_attempts_against", "blocked_attempts_against")
GAME_COLUMNS = ("game_id", "season", "order", "game_date", "venue_offset", "team_id", "team_key", "opponent_team_id")
POSITION_COUNTS = {"F": "shots_on_goal_of_forwards", "D": "shots_on_goal_of_defencemen"}


def sum_team_games(played: pl.LazyFrame) -> pl.LazyFrame:
    """One row a team and game that was played: what its skaters did, and what the opponent's did."""
    by_position = {
        name: pl.col("shots_on_goal").filter(pl.col("group") == group) for group, name in POSITION_COUNTS.items()
    }
    own = played.group_by(GAME_COLUMNS).agg(
        *(sum_known(pl.col(name)).alias(name) for name in TEAM_COUNTS),
        *(sum_known(of).alias(name) for name, of in by_position.items()),
    )
    names = [*TEAM_COUNTS, *by_position]
    other = own.select("game_id", pl.col("team_id").alias("opponent_team_id"), pl.col(*names).name.suffix("_against"))
    return own.join(other, on=["game_id", "opponent_team_id"], how="left", validate="1:1")


def sum_known(counts: pl.Expr) -> pl.Expr:
    """Return the sum of counts; null where nobody's is known."""
    return pl.when(counts.count() > 0).then(counts.cast(pl.Float64).sum().round(3))


def compute_team_form(played: pl.LazyFrame) -> pl.LazyFrame:
    """One row a team and game that was played, with its form after it."""
    names = (*OWN_COUNTS, "penalties", *OPPONENT_COUNTS, *(f"{name}_against" for name in POSITION_COUNTS.values()))
    return (
        sum_team_games(played)
        .sort("order")
        .select(
            "team_key",
            "order",
            last_season="season",
            last_date="game_date",
            last_offset="venue_offset",
            games_of_season=pl.int_range(1, pl.len() + 1).over("team_key", "season"),
            **{name: rolling.compute_decayed_mean(name, HALF_LIFE, TEAM_KEY) for name in names},
        )
    )


def add_team_form(rows: pl.LazyFrame, played: pl.LazyFrame) -> pl.LazyFrame:
    """Add to rows of skaters and games, played or to come, what was known before them of both teams."""
    after = compute_team_form(played).cache()
    own = after.rename({name: f"team_{name}" for name in after.collect_schema() if name not in {"team_key", "order"}})
    other = after.rename({name: f"opponent_{name}" for name in after.collect_schema() if name != "order"})
    found = rolling.join_last_state(rows, own, {"team_key": "team_key"})
    found = rolling.join_last_state(found, other, {"opponent_team_key": "opponent_team_key"})
    rest = {side: (pl.col("game_date") - pl.col(f"{side}_last_date")).dt.total_days() for side in ("team", "opponent")}
    is_of_season = pl.col("team_last_season") == pl.col("season")
    by_position = pl.when(pl.col("group") == "D").then(f"opponent_{POSITION_COUNTS['D']}_against")
    return found.with_columns(
        team_season_games_before=pl.when(is_of_season).then("team_games_of_season").otherwise(0),
        team_days_of_rest=rest["team"],
        opponent_days_of_rest=rest["opponent"],
        is_opponent_back_to_back=rest["opponent"] == 1,
        days_of_rest_more=rest["team"] - rest["opponent"],
        time_zone_shift_h=parse_offset_hours("venue_offset") - parse_offset_hours("team_last_offset"),
        opponent_shots_on_goal_against_of_position=by_position.otherwise(f"opponent_{POSITION_COUNTS['F']}_against"),
    )


def parse_offset_hours(offset: str) -> pl.Expr:
    """Return an offset from UTC in hours: -04:30 is -4.5."""
    whole = pl.col(offset).str.slice(1, 2).cast(pl.Float64) + pl.col(offset).str.slice(4, 2).cast(pl.Float64) / 60
    return pl.when(pl.col(offset).str.starts_with("-")).then(-whole).otherwise(whole)


COLUMNS = (
    Column("team_season_games_before", pl.Int32, "The team's games before this one, this season"),
    Column("team_days_of_rest", pl.Int32, "Days since the team's last game", "d", nullable=True),
    Column("opponent_days_of_rest", pl.Int32, "Days since the opponent's last game", "d", nullable=True),
    Column("is_opponent_back_to_back", pl.Boolean, "Whether the opponent played the day before", nullable=True),
    Column("days_of_rest_more", pl.Int32, "Days of rest more than the opponent has had", "d", nullable=True),
    declare_feature(
        "time_zone_shift_h", "Hours that the clock of this arena is ahead of that of the team's last game", "h"
    ),
    declare_feature("team_shots_on_goal", "Shots on goal a game of the team (25 games)"),
    declare_feature("team_attempts", "Attempts a game of the team (25 games)"),
    declare_feature("team_adjusted_attempts", "Attempts a game of the team, weighted for score and rink (25 games)"),
    declare_feature("opponent_penalties", "Penalties a game that the opponent's skaters take (25 games)"),
    declare_feature("opponent_shots_on_goal_against", "Shots on goal a game that the opponent allows (25 games)"),
    declare_feature("opponent_attempts_against", "Attempts a game that the opponent allows (25 games)"),
    declare_feature(
        "opponent_adjusted_attempts_against", "Attempts that it allows, weighted for score and rink (25 games)"
    ),
    declare_feature(
        "opponent_blocked_attempts_against", "Attempts a game that are blocked as the opponent defends (25 games)"
    ),
    declare_feature(
        "opponent_shots_on_goal_against_of_position", "Shots on goal a game that it allows his position (25 games)"
    ),
)
