"""A team's form before a game: recent counts for and against, rest and travel."""

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
POSITION_COUNTS = {"F": "shots_on_goal_of_forwards", "D": "shots_on_goal_of_defensemen"}


def sum_team_games(played: pl.LazyFrame) -> pl.LazyFrame:
    """One row per team and played game: the sums of its skaters, and those of the opponent's."""
    by_position = {
        name: pl.col("shots_on_goal").filter(pl.col("group") == group) for group, name in POSITION_COUNTS.items()
    }
    own = played.group_by(GAME_COLUMNS).agg(
        *(sum_known(pl.col(name)).alias(name) for name in TEAM_COUNTS),
        *(sum_known(counts).alias(name) for name, counts in by_position.items()),
    )
    names = [*TEAM_COUNTS, *by_position]
    against = own.select("game_id", pl.col("team_id").alias("opponent_team_id"), pl.col(*names).name.suffix("_against"))
    return own.join(against, on=["game_id", "opponent_team_id"], how="left", validate="1:1")


def sum_known(counts: pl.Expr) -> pl.Expr:
    """Return the sum of counts; null if none is known."""
    return pl.when(counts.count() > 0).then(counts.cast(pl.Float64).sum().round(3))


def compute_team_form(played: pl.LazyFrame) -> pl.LazyFrame:
    """One row per team and played game, with the form after it."""
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
    """Add the form of both teams before the game to rows of played and upcoming games."""
    form = compute_team_form(played).cache()
    own = form.rename({name: f"team_{name}" for name in form.collect_schema() if name not in {"team_key", "order"}})
    other = form.rename({name: f"opponent_{name}" for name in form.collect_schema() if name != "order"})
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
    hours = pl.col(offset).str.slice(1, 2).cast(pl.Float64) + pl.col(offset).str.slice(4, 2).cast(pl.Float64) / 60
    return pl.when(pl.col(offset).str.starts_with("-")).then(-hours).otherwise(hours)


COLUMNS = (
    Column("team_season_games_before", pl.Int32, "Games of the team before this one, this season"),
    Column("team_days_of_rest", pl.Int32, "Days since the team's last game", "d", nullable=True),
    Column("opponent_days_of_rest", pl.Int32, "Days since the opponent's last game", "d", nullable=True),
    Column("is_opponent_back_to_back", pl.Boolean, "Whether the opponent played the day before", nullable=True),
    Column("days_of_rest_more", pl.Int32, "Days of rest more than the opponent", "d", nullable=True),
    declare_feature("time_zone_shift_h", "Time-zone difference from the arena of the team's last game", "h"),
    declare_feature("team_shots_on_goal", "Shots on goal per game of the team (25 games)"),
    declare_feature("team_attempts", "Shot attempts (Corsi) per game of the team (25 games)"),
    declare_feature(
        "team_adjusted_attempts", "Shot attempts per game of the team, adjusted for score and home ice (25 games)"
    ),
    declare_feature("opponent_penalties", "Penalties per game of the opponent's skaters (25 games)"),
    declare_feature("opponent_shots_on_goal_against", "Shots on goal per game against the opponent (25 games)"),
    declare_feature("opponent_attempts_against", "Shot attempts (Corsi) per game against the opponent (25 games)"),
    declare_feature(
        "opponent_adjusted_attempts_against",
        "Shot attempts per game against the opponent, adjusted for score and home ice (25 games)",
    ),
    declare_feature("opponent_blocked_attempts_against", "Blocked attempts per game against the opponent (25 games)"),
    declare_feature(
        "opponent_shots_on_goal_against_of_position",
        "Shots on goal per game by the skater's position against the opponent (25 games)",
    ),
)
