"""A skater's form before a game: how often he has shot of late, for how long he has played, and on which terms."""

import polars as pl

from nhl_lake.gold.features import rolling
from nhl_lake.gold.measures.situations import share
from nhl_lake.schema.table import Column

PLAYER = ("player_id",)
SEASON = ("player_id", "season")
HOUR = 3600.0

# how fast games are forgotten, in games, and how many games the mean of all players counts for: of the models that
# were tried on a season, those that foretold best
SLOWLY, TIME, OF_LATE, RATE = 25.0, 6.0, 20.0, 40.0
PRIOR_GAMES, PRIOR_GAMES_DECAYED, PRIOR_GAMES_RATE = 3.0, 2.0, 6.0

# what is added up over the games of late, by when it is known: always, with the time on the ice, or with the shifts
ALWAYS, PLACED = ("unblocked_attempts", "rebound_shots", "rush_shots"), ("distance_ft", "placed_attempts")
TIMED = ("shots_on_goal", "attempts", "unblocked_attempts")
BY_SHIFTS = (
    "attempts",
    "on_ice_attempts_for",
    "on_ice_attempts_against",
    "offensive_zone_starts",
    "defensive_zone_starts",
    *(f"five_on_five_{name}" for name in ("attempts", "unblocked_attempts", "time_s")),
    *(f"power_play_{name}" for name in ("attempts", "unblocked_attempts", "time_s")),
    "team_power_play_time_s",
)


def states(played: pl.LazyFrame) -> pl.LazyFrame:
    """One row a skater and game that was played, with his form after it."""
    shots, time = "shots_on_goal", "time_on_ice_s"
    # a rate is of the games whose time is known, a share of those whose shifts are
    told = {f"{name} told": pl.col(name).fill_null(0) for name in PLACED}
    timed = {f"{name} timed": pl.when(pl.col(time).is_not_null()).then(name) for name in TIMED}
    shifted = {f"{name} by shifts": pl.when("has_shifts").then(name) for name in BY_SHIFTS}
    return (
        played.sort("order")
        .with_columns(**timed, **shifted, **told)
        .select(
            "player_id",
            "order",
            last_season="season",
            last_date="game_date",
            games_before=rolling.games_told(shots, PLAYER),
            games_of_season=rolling.games_told(shots, SEASON),
            games_timed=rolling.games_told(time, PLAYER),
            mean_of_season=pl.col(shots).cum_sum().over(SEASON) / rolling.games_told(shots, SEASON),
            mean_of_all=pl.col(shots).cum_sum().over(PLAYER) / rolling.games_told(shots, PLAYER),
            shots_on_goal_last_game=rolling.last(shots, PLAYER),
            **{f"mean_shots_on_goal_{n}": rolling.mean(shots, n, PLAYER) for n in (5, 10, 20)},
            **{f"decayed_shots_on_goal_{n}": rolling.decayed(shots, n, PLAYER) for n in (10, 20, 40)},
            decayed_slowly=rolling.decayed(shots, SLOWLY, PLAYER),
            rate_shots=rolling.decayed(f"{shots} timed", RATE, PLAYER),
            rate_time=rolling.decayed(time, RATE, PLAYER),
            time_on_ice_last_game_s=rolling.last(time, PLAYER),
            expected_time_on_ice_s=rolling.decayed(time, TIME, PLAYER),
            expected_power_play_time_on_ice_s=rolling.decayed("power_play_time_on_ice_s", TIME, PLAYER),
            **{f"late {name}": rolling.decayed(name, OF_LATE, PLAYER) for name in (*ALWAYS, *told, *timed, *shifted)},
            late_time=rolling.decayed(time, OF_LATE, PLAYER),
        )
    )


def priors(played: pl.LazyFrame) -> pl.LazyFrame:
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
        position_shots_on_goal=ratio("shots", "told"),
        position_shots_on_goal_per_60=HOUR * ratio("timed_shots", "time"),
        position_time_on_ice_s=ratio("time", "timed"),
    )


def ratio(one: str, other: str) -> pl.Expr:
    """Return one by the other; null where the other is nothing."""
    return pl.when(pl.col(other) > 0).then(pl.col(one) / pl.col(other))


def looked_up(rows: pl.LazyFrame, played: pl.LazyFrame) -> pl.LazyFrame:
    """Add to rows of skaters and games, played or to come, the form that was known before them."""
    found = rolling.before(rows, states(played), {"player_id": "player_id"})
    found = rolling.before(found, priors(played), {"group": "group"})
    is_of_season = pl.col("last_season") == pl.col("season")
    days = (pl.col("game_date") - pl.col("last_date")).dt.total_days()
    prior = pl.col("position_shots_on_goal")
    of_season = pl.when(is_of_season).then("games_of_season")
    rate = rolling.shrunk(
        HOUR * ratio("rate_shots", "rate_time"),
        rolling.weight(pl.col("games_timed"), RATE) * pl.col("rate_time") / pl.col("position_time_on_ice_s"),
        pl.col("position_shots_on_goal_per_60"),
        PRIOR_GAMES_RATE,
    )
    return found.with_columns(
        season_games_before=pl.when(pl.col("games_before").is_not_null()).then(of_season.fill_null(0)),
        days_since_last_game=days,
        is_back_to_back=days == 1,
        shrunk_shots_on_goal_of_season=rolling.shrunk(
            pl.when(is_of_season).then("mean_of_season"), of_season, prior, PRIOR_GAMES
        ),
        shrunk_shots_on_goal=rolling.shrunk(pl.col("mean_of_all"), pl.col("games_before"), prior, PRIOR_GAMES),
        shrunk_decayed_shots_on_goal=rolling.shrunk(
            pl.col("decayed_slowly"), rolling.weight(pl.col("games_before"), SLOWLY), prior, PRIOR_GAMES_DECAYED
        ),
        shrunk_shots_on_goal_per_60=rate,
        **of_late(),
    ).with_columns(
        expected_shots_on_goal=pl.col("shrunk_shots_on_goal_per_60") * pl.col("expected_time_on_ice_s") / HOUR
    )


def of_late() -> dict[str, pl.Expr]:
    """Return rates and shares of his recent games, of those where time or shifts are known."""
    by_strength = {
        f"recent_{strength}_{name}_per_60": HOUR * ratio(f"late {of}_{name} by shifts", f"late {of}_time_s by shifts")
        for strength, of in (("5on5", "five_on_five"), ("power_play", "power_play"))
        for name in ("attempts", "unblocked_attempts")
    }
    by_shifts = {name: f"late {name} by shifts" for name in BY_SHIFTS}
    return {
        "recent_attempts_per_60": HOUR * ratio("late attempts timed", "late_time"),
        "recent_unblocked_attempts_per_60": HOUR * ratio("late unblocked_attempts timed", "late_time"),
        **by_strength,
        "recent_power_play_time_share": ratio(by_shifts["power_play_time_s"], by_shifts["team_power_play_time_s"]),
        "recent_share_of_attempts": ratio(by_shifts["attempts"], by_shifts["on_ice_attempts_for"]),
        "recent_on_ice_attempt_share": share(by_shifts["on_ice_attempts_for"], by_shifts["on_ice_attempts_against"]),
        "recent_offensive_zone_start_share": share(
            by_shifts["offensive_zone_starts"], by_shifts["defensive_zone_starts"]
        ),
        "recent_shot_distance_ft": ratio("late distance_ft told", "late placed_attempts told"),
        "recent_rebound_shot_share": ratio("late rebound_shots", "late unblocked_attempts"),
        "recent_rush_shot_share": ratio("late rush_shots", "late unblocked_attempts"),
    }


def number(name: str, about: str, unit: str = "") -> Column:
    """Declare a feature: a number, or null where nothing is known."""
    return Column(name, pl.Float64, about, unit, nullable=True)


COLUMNS = (
    Column("games_before", pl.Int32, "His games before this one, this season and the last", nullable=True),
    Column("season_games_before", pl.Int32, "His games before this one, this season", nullable=True),
    Column("days_since_last_game", pl.Int32, "Days since his last game", "d", nullable=True),
    Column("is_back_to_back", pl.Boolean, "Whether he played the day before", nullable=True),
    number("shots_on_goal_last_game", "Shots on goal in his last game"),
    *(number(f"mean_shots_on_goal_{n}", f"Mean shots on goal of his last {n} games") for n in (5, 10, 20)),
    *(
        number(f"decayed_shots_on_goal_{n}", f"Mean shots on goal, a game weighing half as much {n} games later")
        for n in (10, 20, 40)
    ),
    number("position_shots_on_goal", "Mean shots on goal of all forwards, or of all defencemen, before this game"),
    number("shrunk_shots_on_goal_of_season", "Mean of this season, drawn to his position's as if it were 3 games"),
    number("shrunk_shots_on_goal", "Mean of this season and the last, drawn to that of his position likewise"),
    number("shrunk_decayed_shots_on_goal", "Decayed mean (25 games), drawn to his position's as if it were 2 games"),
    number("position_shots_on_goal_per_60", "Shots on goal an hour of all of his position, where time is known"),
    number("shrunk_shots_on_goal_per_60", "Shots on goal an hour (40 games), drawn to his position's by 6 games"),
    number("time_on_ice_last_game_s", "Time on the ice in his last game that tells it", "s"),
    number("expected_time_on_ice_s", "Decayed mean of his time on the ice (6 games)", "s"),
    number("expected_power_play_time_on_ice_s", "Decayed mean of his time on the power play (6 games)", "s"),
    number("expected_shots_on_goal", "Rate an hour times expected time: the plain forecast, where time is known"),
    number("recent_attempts_per_60", "Attempts an hour (20 games)"),
    number("recent_unblocked_attempts_per_60", "Unblocked attempts an hour (20 games)"),
    *(
        number(f"recent_{strength}_{name}_per_60", f"{said} an hour at {situation} (20 games)")
        for strength, situation in (("5on5", "5on5"), ("power_play", "5on4"))
        for name, said in (("attempts", "Attempts"), ("unblocked_attempts", "Unblocked attempts"))
    ),
    number("recent_power_play_time_share", "Share of the team's time at 5on4 that he played (20 games)"),
    number("recent_share_of_attempts", "Share of the team's attempts while he was on the ice that were his (20 games)"),
    number("recent_on_ice_attempt_share", "Share of both teams' attempts while he was on the ice (20 games)"),
    number("recent_offensive_zone_start_share", "Starts in the offensive zone, of those in both end zones (20 games)"),
    number("recent_shot_distance_ft", "Mean distance of his unblocked attempts at a goalie (20 games)", "ft"),
    number("recent_rebound_shot_share", "Share of his unblocked attempts that were rebounds (20 games)"),
    number("recent_rush_shot_share", "Share of his unblocked attempts that came off the rush (20 games)"),
)
