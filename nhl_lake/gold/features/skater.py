"""A skater's form before a game: how often he has shot of late, for how long he has played, and on which terms."""

import polars as pl

from nhl_lake.gold.features import rolling
from nhl_lake.gold.measures.situations import compute_share
from nhl_lake.schema.table import Column

PLAYER_KEY = ("player_id",)
SEASON_KEY = ("player_id", "season")
SECONDS_PER_HOUR = 3600.0

# how fast games are forgotten, in games, and how many games the mean of all players counts for: of the models that
# were tried on a season, those that foretold best
SLOW_HALF_LIFE, TIME_HALF_LIFE, RECENT_HALF_LIFE, RATE_HALF_LIFE = 25.0, 6.0, 20.0, 40.0
PRIOR_GAMES, PRIOR_GAMES_DECAYED, PRIOR_GAMES_RATE = 3.0, 2.0, 6.0

# what is added up over the games of late, by when it is known: always, with the time on the ice, or with the shifts
UNTIMED_COUNTS, LOCATED_COUNTS = (
    ("unblocked_attempts", "rebound_shots", "rush_shots"),
    ("distance_ft", "placed_attempts"),
)
TIMED_COUNTS = ("shots_on_goal", "attempts", "unblocked_attempts")
SHIFT_COUNTS = (
    "attempts",
    "on_ice_attempts_for",
    "on_ice_attempts_against",
    "offensive_zone_starts",
    "defensive_zone_starts",
    *(f"five_on_five_{name}" for name in ("attempts", "unblocked_attempts", "time_s")),
    *(f"power_play_{name}" for name in ("attempts", "unblocked_attempts", "time_s")),
    "team_power_play_time_s",
)


def compute_skater_form(played: pl.LazyFrame) -> pl.LazyFrame:
    """One row a skater and game that was played, with his form after it."""
    shots, time = "shots_on_goal", "time_on_ice_s"
    # a rate is of the games whose time is known, a share of those whose shifts are
    told = {f"{name} told": pl.col(name).fill_null(0) for name in LOCATED_COUNTS}
    timed = {f"{name} timed": pl.when(pl.col(time).is_not_null()).then(name) for name in TIMED_COUNTS}
    shifted = {f"{name} by shifts": pl.when("has_shifts").then(name) for name in SHIFT_COUNTS}
    return (
        played.sort("order")
        .with_columns(**timed, **shifted, **told)
        .select(
            "player_id",
            "order",
            last_season="season",
            last_date="game_date",
            games_before=rolling.count_recorded_games(shots, PLAYER_KEY),
            games_of_season=rolling.count_recorded_games(shots, SEASON_KEY),
            games_timed=rolling.count_recorded_games(time, PLAYER_KEY),
            mean_of_season=pl.col(shots).cum_sum().over(SEASON_KEY) / rolling.count_recorded_games(shots, SEASON_KEY),
            mean_of_all=pl.col(shots).cum_sum().over(PLAYER_KEY) / rolling.count_recorded_games(shots, PLAYER_KEY),
            shots_on_goal_last_game=rolling.carry_last_value(shots, PLAYER_KEY),
            **{f"mean_shots_on_goal_{n}": rolling.average_last_games(shots, n, PLAYER_KEY) for n in (5, 10, 20)},
            **{f"decayed_shots_on_goal_{n}": rolling.compute_decayed_mean(shots, n, PLAYER_KEY) for n in (10, 20, 40)},
            decayed_slowly=rolling.compute_decayed_mean(shots, SLOW_HALF_LIFE, PLAYER_KEY),
            rate_shots=rolling.compute_decayed_mean(f"{shots} timed", RATE_HALF_LIFE, PLAYER_KEY),
            rate_time=rolling.compute_decayed_mean(time, RATE_HALF_LIFE, PLAYER_KEY),
            time_on_ice_last_game_s=rolling.carry_last_value(time, PLAYER_KEY),
            expected_time_on_ice_s=rolling.compute_decayed_mean(time, TIME_HALF_LIFE, PLAYER_KEY),
            expected_power_play_time_on_ice_s=rolling.compute_decayed_mean(
                "power_play_time_on_ice_s", TIME_HALF_LIFE, PLAYER_KEY
            ),
            **{
                f"late {name}": rolling.compute_decayed_mean(name, RECENT_HALF_LIFE, PLAYER_KEY)
                for name in (*UNTIMED_COUNTS, *told, *timed, *shifted)
            },
            late_time=rolling.compute_decayed_mean(time, RECENT_HALF_LIFE, PLAYER_KEY),
        )
    )


def compute_priors(played: pl.LazyFrame) -> pl.LazyFrame:
    """One row a game and position, forwards or defencemen, with the mean of all such skaters in games so far."""
    timed = pl.col("time_on_ice_s").is_not_null()
    sums = {
        "shots": pl.col("shots_on_goal").sum(),
        "told": pl.col("shots_on_goal").count(),
        "timed_shots": pl.col("shots_on_goal").filter(timed).sum(),
        "time": pl.col("time_on_ice_s").filter(pl.col("shots_on_goal").is_not_null()).sum(),
        "timed": (timed & pl.col("shots_on_goal").is_not_null()).sum(),
    }
    so_far = played.group_by("group", "order").agg(**sums).sort("order")
    so_far = so_far.with_columns(pl.col(*sums).cast(pl.Int64).cum_sum().over("group"))
    return so_far.select(
        "group",
        "order",
        position_shots_on_goal=divide_columns("shots", "told"),
        position_shots_on_goal_per_60=SECONDS_PER_HOUR * divide_columns("timed_shots", "time"),
        position_time_on_ice_s=divide_columns("time", "timed"),
    )


def divide_columns(one: str, other: str) -> pl.Expr:
    """Return one by the other; null where the other is nothing."""
    return pl.when(pl.col(other) > 0).then(pl.col(one) / pl.col(other))


def add_skater_form(rows: pl.LazyFrame, played: pl.LazyFrame) -> pl.LazyFrame:
    """Add to rows of skaters and games, played or to come, the form that was known before them."""
    found = rolling.join_last_state(rows, compute_skater_form(played), {"player_id": "player_id"})
    found = rolling.join_last_state(found, compute_priors(played), {"group": "group"})
    is_of_season = pl.col("last_season") == pl.col("season")
    days = (pl.col("game_date") - pl.col("last_date")).dt.total_days()
    prior = pl.col("position_shots_on_goal")
    of_season = pl.when(is_of_season).then("games_of_season")
    rate = rolling.shrink_mean(
        SECONDS_PER_HOUR * divide_columns("rate_shots", "rate_time"),
        rolling.compute_effective_games(pl.col("games_timed"), RATE_HALF_LIFE)
        * pl.col("rate_time")
        / pl.col("position_time_on_ice_s"),
        pl.col("position_shots_on_goal_per_60"),
        PRIOR_GAMES_RATE,
    )
    return found.with_columns(
        season_games_before=pl.when(pl.col("games_before").is_not_null()).then(of_season.fill_null(0)),
        days_since_last_game=days,
        is_back_to_back=days == 1,
        shrunk_shots_on_goal_of_season=rolling.shrink_mean(
            pl.when(is_of_season).then("mean_of_season"), of_season, prior, PRIOR_GAMES
        ),
        shrunk_shots_on_goal=rolling.shrink_mean(pl.col("mean_of_all"), pl.col("games_before"), prior, PRIOR_GAMES),
        shrunk_decayed_shots_on_goal=rolling.shrink_mean(
            pl.col("decayed_slowly"),
            rolling.compute_effective_games(pl.col("games_before"), SLOW_HALF_LIFE),
            prior,
            PRIOR_GAMES_DECAYED,
        ),
        shrunk_shots_on_goal_per_60=rate,
        **compute_recent_rates(),
    ).with_columns(
        expected_shots_on_goal=pl.col("shrunk_shots_on_goal_per_60")
        * pl.col("expected_time_on_ice_s")
        / SECONDS_PER_HOUR
    )


def compute_recent_rates() -> dict[str, pl.Expr]:
    """Return rates and shares of his recent games, of those where time or shifts are known."""
    by_strength = {
        f"recent_{strength}_{name}_per_60": SECONDS_PER_HOUR
        * divide_columns(f"late {of}_{name} by shifts", f"late {of}_time_s by shifts")
        for strength, of in (("5on5", "five_on_five"), ("power_play", "power_play"))
        for name in ("attempts", "unblocked_attempts")
    }
    by_shifts = {name: f"late {name} by shifts" for name in SHIFT_COUNTS}
    return {
        "recent_attempts_per_60": SECONDS_PER_HOUR * divide_columns("late attempts timed", "late_time"),
        "recent_unblocked_attempts_per_60": SECONDS_PER_HOUR
        * divide_columns("late unblocked_attempts timed", "late_time"),
        **by_strength,
        "recent_power_play_time_share": divide_columns(
            by_shifts["power_play_time_s"], by_shifts["team_power_play_time_s"]
        ),
        "recent_share_of_attempts": divide_columns(by_shifts["attempts"], by_shifts["on_ice_attempts_for"]),
        "recent_on_ice_attempt_share": compute_share(
            by_shifts["on_ice_attempts_for"], by_shifts["on_ice_attempts_against"]
        ),
        "recent_offensive_zone_start_share": compute_share(
            by_shifts["offensive_zone_starts"], by_shifts["defensive_zone_starts"]
        ),
        "recent_shot_distance_ft": divide_columns("late distance_ft told", "late placed_attempts told"),
        "recent_rebound_shot_share": divide_columns("late rebound_shots", "late unblocked_attempts"),
        "recent_rush_shot_share": divide_columns("late rush_shots", "late unblocked_attempts"),
    }


def declare_feature(name: str, about: str, unit: str = "") -> Column:
    """Declare a feature: a number, or null where nothing is known."""
    return Column(name, pl.Float64, about, unit, nullable=True)


COLUMNS = (
    Column("games_before", pl.Int32, "His games before this one, this season and the last", nullable=True),
    Column("season_games_before", pl.Int32, "His games before this one, this season", nullable=True),
    Column("days_since_last_game", pl.Int32, "Days since his last game", "d", nullable=True),
    Column("is_back_to_back", pl.Boolean, "Whether he played the day before", nullable=True),
    declare_feature("shots_on_goal_last_game", "Shots on goal in his last game"),
    *(declare_feature(f"mean_shots_on_goal_{n}", f"Mean shots on goal of his last {n} games") for n in (5, 10, 20)),
    *(
        declare_feature(
            f"decayed_shots_on_goal_{n}", f"Mean shots on goal, a game weighing half as much {n} games later"
        )
        for n in (10, 20, 40)
    ),
    declare_feature(
        "position_shots_on_goal", "Mean shots on goal of all forwards, or of all defencemen, before this game"
    ),
    declare_feature(
        "shrunk_shots_on_goal_of_season", "Mean of this season, drawn to his position's as if it were 3 games"
    ),
    declare_feature("shrunk_shots_on_goal", "Mean of this season and the last, drawn to that of his position likewise"),
    declare_feature(
        "shrunk_decayed_shots_on_goal", "Decayed mean (25 games), drawn to his position's as if it were 2 games"
    ),
    declare_feature(
        "position_shots_on_goal_per_60", "Shots on goal an hour of all of his position, where time is known"
    ),
    declare_feature(
        "shrunk_shots_on_goal_per_60", "Shots on goal an hour (40 games), drawn to his position's by 6 games"
    ),
    declare_feature("time_on_ice_last_game_s", "Time on the ice in his last game that tells it", "s"),
    declare_feature("expected_time_on_ice_s", "Decayed mean of his time on the ice (6 games)", "s"),
    declare_feature("expected_power_play_time_on_ice_s", "Decayed mean of his time on the power play (6 games)", "s"),
    declare_feature(
        "expected_shots_on_goal", "Rate an hour times expected time: the plain forecast, where time is known"
    ),
    declare_feature("recent_attempts_per_60", "Attempts an hour (20 games)"),
    declare_feature("recent_unblocked_attempts_per_60", "Unblocked attempts an hour (20 games)"),
    *(
        declare_feature(f"recent_{strength}_{name}_per_60", f"{said} an hour at {situation} (20 games)")
        for strength, situation in (("5on5", "5on5"), ("power_play", "5on4"))
        for name, said in (("attempts", "Attempts"), ("unblocked_attempts", "Unblocked attempts"))
    ),
    declare_feature("recent_power_play_time_share", "Share of the team's time at 5on4 that he played (20 games)"),
    declare_feature(
        "recent_share_of_attempts", "Share of the team's attempts while he was on the ice that were his (20 games)"
    ),
    declare_feature("recent_on_ice_attempt_share", "Share of both teams' attempts while he was on the ice (20 games)"),
    declare_feature(
        "recent_offensive_zone_start_share", "Starts in the offensive zone, of those in both end zones (20 games)"
    ),
    declare_feature("recent_shot_distance_ft", "Mean distance of his unblocked attempts at a goalie (20 games)", "ft"),
    declare_feature("recent_rebound_shot_share", "Share of his unblocked attempts that were rebounds (20 games)"),
    declare_feature("recent_rush_shot_share", "Share of his unblocked attempts that came off the rush (20 games)"),
)
