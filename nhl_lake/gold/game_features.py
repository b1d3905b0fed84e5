"""Features of games: what was known about both teams before a game, and who was likely to win."""

from dataclasses import replace
from datetime import date

import polars as pl

from nhl_lake.gold.features import rolling
from nhl_lake.gold.features.upcoming import FEATURE_GAME_TYPES, select_upcoming_games
from nhl_lake.gold.measures.game_model import SIDES, choose_model, name_feature, predict_before_game
from nhl_lake.gold.measures.situations import ALL_SITUATIONS
from nhl_lake.gold.team_game import TEAM_GAME
from nhl_lake.hockey.calendar import FINAL_STATES, UNDECIDED_TEAM
from nhl_lake.schema import columns as c
from nhl_lake.schema.ledger import META
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.teams import TEAMS

HALF_LIVES = {"goal": 80.0, "unblocked_attempt": 20.0}  # in games
PRIOR_GAMES = 25.0  # a difference is shrunk as if this many games had been even
KEY = ("team_key",)


def game_features(
    games: pl.LazyFrame, team_game: pl.LazyFrame, teams: pl.LazyFrame, meta: pl.LazyFrame, day: date
) -> pl.LazyFrame:
    """One row per game of the regular season or playoffs, played or upcoming within a week of `day`.

    `is_home_win` is null until the game is final, and for a tie. All features come from games that started before this
    one, in this season and the previous one; rest also counts scheduled games. A team without an earlier game has
    nulls. Probabilities are those of the model for the lake's source (docs/explanation/models.md).
    """
    played = games.filter(pl.col("game_state").is_in(FINAL_STATES), pl.col("home_score").is_not_null())
    rows = pl.concat(
        [
            found.with_columns(is_upcoming=pl.lit(value=is_upcoming))
            for found, is_upcoming in ((played, False), (select_upcoming_games(games, day), True))
        ]
    ).filter(
        pl.col("game_type").is_in(FEATURE_GAME_TYPES),
        *(pl.col(f"{side}_team_abbrev") != UNDECIDED_TEAM for side in SIDES),
    )
    form = compute_form(rows.with_columns(order=rolling.compute_game_order()), team_game, teams)
    for side in SIDES:
        names = {name: name_feature(name, side) for name in ("team_id", *FORM_COLUMNS)}
        rows = rows.join(
            form.select("game_id", *names).rename(names), on=["game_id", f"{side}_team_id"], how="left", validate="1:1"
        )
    lead = pl.col("home_score") - pl.col("away_score")
    model = choose_model(meta)
    chance = pl.lit(None, pl.Float64) if model is None else predict_before_game(model.pregame)
    return (
        rows.with_columns(
            is_home_win=pl.when(~pl.col("is_upcoming"), lead != 0).then(lead > 0), home_win_probability=chance
        )
        .with_columns(
            model=pl.when(pl.col("home_win_probability").is_not_null()).then(
                pl.lit(None if model is None else model.name, pl.String)
            )
        )
        .select(column.name for column in COLUMNS)
    )


def compute_form(rows: pl.LazyFrame, team_game: pl.LazyFrame, teams: pl.LazyFrame) -> pl.LazyFrame:
    """One row per team and game, played or upcoming, with the team's form before it."""
    keys = teams.select("team_id", pl.coalesce("team_key", "team_id").alias("team_key"))  # a team without a franchise
    counts = team_game.filter(pl.col("situation") == ALL_SITUATIONS).select(
        "game_id",
        "team_id",
        **{name: pl.col(f"{name}s").cast(pl.Float64) - pl.col(f"{name}s_against") for name in HALF_LIVES},
    )
    found = pl.concat(
        rows.select("game_id", "game_date", "order", "is_upcoming", team_id=f"{side}_team_id") for side in SIDES
    )
    return (
        found.join(keys, on="team_id", how="left", validate="m:1")
        .join(counts, on=["game_id", "team_id"], how="left", validate="1:1")
        .sort("team_key", "order")
        .with_columns(
            played=(~pl.col("is_upcoming")).cum_sum().over(KEY),
            **{f"{name}_margin": compute_margin(name, half_life) for name, half_life in HALF_LIVES.items()},
        )
        # everything so far is of the row's own game, too: the game before it has what was known
        .with_columns(
            pl.col("played", *(f"{name}_margin" for name in HALF_LIVES)).shift(1).over(KEY),
            days_of_rest=(pl.col("game_date") - pl.col("game_date").shift(1).over(KEY)).dt.total_days(),
        )
        .with_columns(games_before=pl.col("played").fill_null(0), is_back_to_back=pl.col("days_of_rest") == 1)
    )


def compute_margin(name: str, half_life: float) -> pl.Expr:
    """Return the decayed mean difference so far, shrunk toward zero; null without a game that has one."""
    weight = rolling.compute_effective_games(rolling.count_recorded_games(name, KEY), half_life)
    mean = rolling.compute_decayed_mean(name, half_life, KEY)
    shrunk = rolling.shrink_mean(mean, weight, pl.lit(0.0), PRIOR_GAMES)
    return pl.when(mean.is_not_null()).then(shrunk.round(4))


def declare_form(side: str) -> tuple[Column, ...]:
    """Declare the form of one team before the game."""
    shrunk = "shrunk as by 25 even games"
    return (
        Column(f"{side}_games_before", pl.Int32, f"Earlier games of the {side} team, this season and the previous one"),
        Column(
            f"{side}_goal_margin",
            pl.Float64,
            f"Goals for minus against per game of the {side} team, halved in weight every 80 games, {shrunk}",
            nullable=True,
        ),
        Column(
            f"{side}_unblocked_attempt_margin",
            pl.Float64,
            f"Unblocked attempts for minus against per game of the {side} team, halved in weight every 20 games,"
            f" {shrunk}",
            nullable=True,
        ),
        Column(f"{side}_days_of_rest", pl.Int32, f"Days since the last game of the {side} team", "d", nullable=True),
        Column(f"is_{side}_back_to_back", pl.Boolean, f"Whether the {side} team played the day before", nullable=True),
    )


FORM_COLUMNS = tuple(column.name.replace("home_", "") for column in declare_form("home"))
GAME_COLUMNS = {column.name: column for column in GAMES.columns}
TEAM_COLUMNS = tuple(GAME_COLUMNS[f"{side}_team_{what}"] for side in SIDES for what in ("id", "abbrev"))
is_home_win = Column(
    "is_home_win", pl.Boolean, "Whether the home team won; null until the game is final, and for a tie", nullable=True
)

COLUMNS = (
    c.season,
    c.game_id,
    c.game_type,
    c.game_date,
    c.start_at,
    *TEAM_COLUMNS,
    Column("is_upcoming", pl.Boolean, "Whether the game is upcoming"),
    *declare_form("home"),
    *declare_form("away"),
    replace(c.home_win_probability, nullable=True),
    Column("model", pl.String, "Model of `home_win_probability`; null without one", nullable=True),
    *(GAME_COLUMNS[f"{side}_score"] for side in SIDES),
    is_home_win,
)

GAME_FEATURES = Table(
    name="gold.game_features",
    grain="one game of the regular season or playoffs, played or upcoming within a week",
    key=("game_id",),
    columns=COLUMNS,
    inputs=(GAMES, TEAM_GAME, TEAMS, META),
    source=game_features,
    prior_seasons=1,
    needs_day=True,
    max_row_loss=1.0,  # the upcoming games change every day
    checks={
        "an upcoming game has no winner": ~pl.col("is_upcoming") | pl.col("is_home_win").is_null(),
        "the last game is before this one": pl.min_horizontal("home_days_of_rest", "away_days_of_rest").fill_null(0)
        >= 0,
        "the home team wins with a probability": pl.col("home_win_probability").is_null()
        | pl.col("home_win_probability").is_between(0, 1),
    },
)
