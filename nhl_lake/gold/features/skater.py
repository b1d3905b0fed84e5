"""A skater's form before a game: recent shots, ice time and deployment."""

import polars as pl

from nhl_lake.gold.features import rolling
from nhl_lake.gold.measures.situations import compute_share
from nhl_lake.schema.table import Column

PLAYER_KEY = ("player_id",)
SEASON_KEY = ("player_id", "season")
SECONDS_PER_HOUR = 3600.0

# half-lives in games, and the number of games that the prior counts as; the values that predicted a season best
SLOW_HALF_LIFE, TIME_HALF_LIFE, RECENT_HALF_LIFE, RATE_HALF_LIFE = 25.0, 6.0, 20.0, 40.0
PRIOR_GAMES, PRIOR_GAMES_DECAYED, PRIOR_GAMES_RATE = 3.0, 2.0, 6.0

# recent counts by when they are known: always, with ice time, or with shifts
UNTIMED_COUNTS, LOCATED_COUNTS = (
    ("unblocked_attempts", "rebound_shots", "rush_shots"),
    ("distance_ft", "located_attempts"),
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
    """One row per skater and played game, with the form after it."""
    shots, time = "shots_on_goal", "time_on_ice_s"
    # rates use the games with ice time, shares the games with shifts
    located = {f"{name} located": pl.col(name).fill_null(0) for name in LOCATED_COUNTS}
    timed = {f"{name} timed": pl.when(pl.col(time).is_not_null()).then(name) for name in TIMED_COUNTS}
    shifted = {f"{name} by shifts": pl.when("has_shifts").then(name) for name in SHIFT_COUNTS}
    return (
        played.sort("order")
        .with_columns(**timed, **shifted, **located)
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
                f"recent {name}": rolling.compute_decayed_mean(name, RECENT_HALF_LIFE, PLAYER_KEY)
                for name in (*UNTIMED_COUNTS, *located, *timed, *shifted)
            },
            recent_time=rolling.compute_decayed_mean(time, RECENT_HALF_LIFE, PLAYER_KEY),
        )
    )


def compute_priors(played: pl.LazyFrame) -> pl.LazyFrame:
    """One row per game and position group (forwards or defensemen), with the means of the group so far."""
    timed = pl.col("time_on_ice_s").is_not_null()
    sums = {
        "shots": pl.col("shots_on_goal").sum(),
        "recorded": pl.col("shots_on_goal").count(),
        "timed_shots": pl.col("shots_on_goal").filter(timed).sum(),
        "time": pl.col("time_on_ice_s").filter(pl.col("shots_on_goal").is_not_null()).sum(),
        "timed": (timed & pl.col("shots_on_goal").is_not_null()).sum(),
    }
    so_far = played.group_by("group", "order").agg(**sums).sort("order")
    so_far = so_far.with_columns(pl.col(*sums).cast(pl.Int64).cum_sum().over("group"))
    return so_far.select(
        "group",
        "order",
        position_shots_on_goal=divide_columns("shots", "recorded"),
        position_shots_on_goal_per_60=SECONDS_PER_HOUR * divide_columns("timed_shots", "time"),
        position_time_on_ice_s=divide_columns("time", "timed"),
    )


def divide_columns(one: str, other: str) -> pl.Expr:
    """Return one column divided by another; null if the other is 0."""
    return pl.when(pl.col(other) > 0).then(pl.col(one) / pl.col(other))


def add_skater_form(rows: pl.LazyFrame, played: pl.LazyFrame) -> pl.LazyFrame:
    """Add the skater's form before the game to rows of played and upcoming games."""
    found = rolling.join_last_state(rows, compute_skater_form(played), {"player_id": "player_id"})
    found = rolling.join_last_state(found, compute_priors(played), {"group": "group"})
    is_of_season = pl.col("last_season") == pl.col("season")
    days = (pl.col("game_date") - pl.col("last_date")).dt.total_days()
    prior = pl.col("position_shots_on_goal")
    games_this_season = pl.when(is_of_season).then("games_of_season")
    rate = rolling.shrink_mean(
        SECONDS_PER_HOUR * divide_columns("rate_shots", "rate_time"),
        rolling.compute_effective_games(pl.col("games_timed"), RATE_HALF_LIFE)
        * pl.col("rate_time")
        / pl.col("position_time_on_ice_s"),
        pl.col("position_shots_on_goal_per_60"),
        PRIOR_GAMES_RATE,
    )
    return found.with_columns(
        season_games_before=pl.when(pl.col("games_before").is_not_null()).then(games_this_season.fill_null(0)),
        days_since_last_game=days,
        is_back_to_back=days == 1,
        shrunk_shots_on_goal_of_season=rolling.shrink_mean(
            pl.when(is_of_season).then("mean_of_season"), games_this_season, prior, PRIOR_GAMES
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
    """Return rates and shares of recent games, of those with ice time or shifts."""
    by_strength = {
        f"recent_{strength}_{name}_per_60": SECONDS_PER_HOUR
        * divide_columns(f"recent {of}_{name} by shifts", f"recent {of}_time_s by shifts")
        for strength, of in (("5on5", "five_on_five"), ("power_play", "power_play"))
        for name in ("attempts", "unblocked_attempts")
    }
    by_shifts = {name: f"recent {name} by shifts" for name in SHIFT_COUNTS}
    return {
        "recent_attempts_per_60": SECONDS_PER_HOUR * divide_columns("recent attempts timed", "recent_time"),
        "recent_unblocked_attempts_per_60": SECONDS_PER_HOUR
        * divide_columns("recent unblocked_attempts timed", "recent_time"),
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
        "recent_shot_distance_ft": divide_columns("recent distance_ft located", "recent located_attempts located"),
        "recent_rebound_shot_share": divide_columns("recent rebound_shots", "recent unblocked_attempts"),
        "recent_rush_shot_share": divide_columns("recent rush_shots", "recent unblocked_attempts"),
    }


def declare_feature(name: str, description: str, unit: str = "") -> Column:
    """Declare a feature: a number, or null if it is unknown."""
    return Column(name, pl.Float64, description, unit, nullable=True)


COLUMNS = (
    Column("games_before", pl.Int32, "Games before this one, in this season and the previous one", nullable=True),
    Column("season_games_before", pl.Int32, "Games before this one, this season", nullable=True),
    Column("days_since_last_game", pl.Int32, "Days since the skater's last game", "d", nullable=True),
    Column("is_back_to_back", pl.Boolean, "Whether the skater played the day before", nullable=True),
    declare_feature("shots_on_goal_last_game", "Shots on goal in the last game"),
    *(declare_feature(f"mean_shots_on_goal_{n}", f"Mean shots on goal of the last {n} games") for n in (5, 10, 20)),
    *(
        declare_feature(
            f"decayed_shots_on_goal_{n}", f"Exponentially weighted mean of shots on goal, with a half-life of {n} games"
        )
        for n in (10, 20, 40)
    ),
    declare_feature(
        "position_shots_on_goal", "Mean shots on goal of all forwards, or of all defensemen, before this game"
    ),
    declare_feature(
        "shrunk_shots_on_goal_of_season",
        "Mean of this season, shrunk toward the position's mean with a weight of 3 games",
    ),
    declare_feature("shrunk_shots_on_goal", "Mean of this season and the previous one, shrunk in the same way"),
    declare_feature(
        "shrunk_decayed_shots_on_goal",
        "Decayed mean (half-life 25 games), shrunk toward the position's mean with a weight of 2 games",
    ),
    declare_feature(
        "position_shots_on_goal_per_60", "Shots on goal per 60 minutes of all forwards, or of all defensemen"
    ),
    declare_feature(
        "shrunk_shots_on_goal_per_60",
        "Shots on goal per 60 minutes (40 games), shrunk toward the position's rate with a weight of 6 games",
    ),
    declare_feature("time_on_ice_last_game_s", "Time on ice in the last game where it is known", "s"),
    declare_feature("expected_time_on_ice_s", "Decayed mean of time on ice (6 games)", "s"),
    declare_feature("expected_power_play_time_on_ice_s", "Decayed mean of power-play time on ice (6 games)", "s"),
    declare_feature(
        "expected_shots_on_goal", "Shrunk rate per 60 minutes times expected time on ice: a simple prediction"
    ),
    declare_feature("recent_attempts_per_60", "Shot attempts (Corsi) per 60 minutes (20 games)"),
    declare_feature("recent_unblocked_attempts_per_60", "Unblocked attempts (Fenwick) per 60 minutes (20 games)"),
    *(
        declare_feature(f"recent_{strength}_{name}_per_60", f"{text} per 60 minutes at {situation} (20 games)")
        for strength, situation in (("5on5", "5on5"), ("power_play", "5on4"))
        for name, text in (("attempts", "Shot attempts"), ("unblocked_attempts", "Unblocked attempts"))
    ),
    declare_feature("recent_power_play_time_share", "Share of the team's 5on4 time (20 games)"),
    declare_feature("recent_share_of_attempts", "Share of the team's shot attempts while on the ice (20 games)"),
    declare_feature(
        "recent_on_ice_attempt_share", "Team's share of both teams' shot attempts while on the ice (20 games)"
    ),
    declare_feature(
        "recent_offensive_zone_start_share",
        "Share of offensive-zone starts out of offensive- and defensive-zone starts (20 games)",
    ),
    declare_feature("recent_shot_distance_ft", "Mean distance of unblocked attempts at a goalie (20 games)", "ft"),
    declare_feature("recent_rebound_shot_share", "Share of unblocked attempts that were rebounds (20 games)"),
    declare_feature("recent_rush_shot_share", "Share of unblocked attempts off the rush (20 games)"),
)
