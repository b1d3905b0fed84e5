"""Shot attempts: where, how and when each was taken, what came before, its result and its expected goals."""

from dataclasses import replace

import polars as pl

from nhl_lake.gold.measures import expected_goals
from nhl_lake.gold.measures.appearances import list_game_teams, opponent_abbrev
from nhl_lake.gold.measures.attempt_outcomes import OUTCOMES, add_outcomes
from nhl_lake.gold.xg_model import XG_MODEL, decode_model
from nhl_lake.hockey.names import format_full_name
from nhl_lake.hockey.shot_context import add_shot_context
from nhl_lake.hockey.strength import pick_acting_team
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.plays import PLAYS


def shots(plays: pl.LazyFrame, lineups: pl.LazyFrame, games: pl.LazyFrame, xg_model: pl.LazyFrame) -> pl.LazyFrame:
    """One row per shot attempt of a final game, blocked ones and penalty shots included; shootouts are left out.

    Locations are in feet from center ice, and the shooter attacks the net at x = 89. A blocked attempt is located where
    it was blocked, so it has no distance and no xG. xG says how often such an attempt becomes a goal, by what is known
    when it is taken; see docs/explanation/models.md.
    """
    home, away, home_goalie, away_goalie = map(
        pl.col, ("home_skaters", "away_skaters", "has_home_goalie", "has_away_goalie")
    )
    # a goalie who is named was in the net, whatever the situation code says
    is_named = pl.col("goalie_player_id").is_not_null()
    faced = pl.when(is_named).then(statement=True).otherwise(pick_acting_team(away_goalie, home_goalie))
    teams = list_game_teams(games).drop("season", "game_type", "is_home").rename({"team_id": "acting_team_id"})
    names = lineups.select("game_id", "player_id", "position", player=format_full_name())
    attempts = (
        add_outcomes(plays)
        .pipe(add_shot_context)
        .filter("is_attempt")
        .with_columns(
            own_skaters=pick_acting_team(home, away),
            opponent_skaters=pick_acting_team(away, home),
            is_own_net_empty=~pick_acting_team(home_goalie, away_goalie),
            is_opponent_net_empty=~faced,
        )
        .join(teams, on=["game_id", "acting_team_id"], how="left", validate="m:1")
        .join(
            names.rename({"player_id": "shooter_player_id", "player": "shooter", "position": "shooter_position"}),
            on=["game_id", "shooter_player_id"], how="left", validate="m:1",
        )
        .join(
            names.select("game_id", goalie_player_id="player_id", goalie="player"),
            on=["game_id", "goalie_player_id"], how="left", validate="m:1",
        )
        .sort("game_id", "event_number")
    )  # fmt: skip
    return (
        expected_goals.add_expected_goals(attempts, decode_model(xg_model))
        .rename({"acting_team_id": "team_id"})
        .select(column.name for column in COLUMNS)
    )


PLAY_COLUMNS = {column.name: column for column in PLAYS.columns}
DETAILS = (
    "shot_type", "reason", "x_ft", "y_ft", "distance_ft", "angle_deg", "zone", "strength_state", "situation",
)  # fmt: skip
BEFORE = ("is_rebound", "is_rush", "previous_event", "seconds_since_previous_event")

COLUMNS = (
    c.season,
    c.game_id,
    c.game_type,
    replace(c.game_date, nullable=True),
    c.event_id,
    PLAY_COLUMNS["event_number"],
    c.period,
    PLAY_COLUMNS["period_type"],
    PLAY_COLUMNS["period_seconds"],
    PLAY_COLUMNS["game_seconds"],
    Column("event", pl.String, "Result as an event: goal, shot-on-goal, missed-shot, blocked-shot"),
    replace(c.team_id, description="Team of the shooter", nullable=True),
    replace(c.team_abbrev, description="Three-letter code of the shooter's team at that time", nullable=True),
    replace(c.opponent_team_id, nullable=True),
    replace(opponent_abbrev, nullable=True),
    replace(c.is_home, nullable=True),
    PLAY_COLUMNS["shooter_player_id"],
    Column("shooter", pl.String, "Full name of the shooter, as on the game's page", nullable=True),
    replace(c.position, name="shooter_position", description="Position of the shooter in this game", nullable=True),
    PLAY_COLUMNS["goalie_player_id"],
    Column("goalie", pl.String, "Full name of the goalie, as on the game's page", nullable=True),
    PLAY_COLUMNS["blocker_player_id"],
    *(PLAY_COLUMNS[name] for name in DETAILS),
    Column("own_skaters", pl.Int16, "Skaters of the shooter's team", nullable=True),
    Column("opponent_skaters", pl.Int16, "Skaters of the opponent", nullable=True),
    Column("is_own_net_empty", pl.Boolean, "Whether the shooter's team has pulled its goalie", nullable=True),
    Column("is_opponent_net_empty", pl.Boolean, "Whether no goalie is in the net shot at", nullable=True),
    PLAY_COLUMNS["home_score_before"],
    PLAY_COLUMNS["away_score_before"],
    PLAY_COLUMNS["score_difference"],
    *(PLAY_COLUMNS[name] for name in BEFORE),
    Column("is_own_previous_event", pl.Boolean, "Whether the previous event is of the shooter's team", nullable=True),
    Column("previous_x_ft", pl.Float64, "Location of the previous event, as `x_ft`", "ft", nullable=True),
    Column("previous_y_ft", pl.Float64, "Location of the previous event, as `y_ft`", "ft", nullable=True),
    Column("feet_from_previous_event", pl.Float64, "Distance from the previous event", "ft", nullable=True),
    Column("second_previous_event", pl.String, "Event before the previous event", nullable=True),
    Column(
        "seconds_since_stop",
        pl.Int32,
        "Time since the last faceoff, penalty, stoppage or goal, or since the period began",
        "s",
        nullable=True,
    ),
    Column(
        "flurry_number",
        pl.Int16,
        "Number of an unblocked attempt in its flurry: attempts of one team within 10 s of each other, without a stop",
        nullable=True,
    ),
    *(PLAY_COLUMNS[name] for name in ("is_goal", "is_shot_on_goal", "is_unblocked_attempt", "is_penalty_shot")),
    PLAY_COLUMNS["is_teammate_block"],
    Column("outcome", pl.String, "What followed an unblocked attempt", nullable=True, values=OUTCOMES),
    Column("xg", pl.Float64, "Expected goals: probability of a goal; null where no model applies", nullable=True),
    Column(
        "xg_flurry_adjusted",
        pl.Float64,
        "Expected goals, weighted by the probability that no earlier shot of the flurry went in",
        nullable=True,
    ),
    Column("danger_xg", pl.String, "Danger by xG: low below .08, medium below .20, high",
           nullable=True, values=expected_goals.DANGER_CLASSES),
    Column("xg_model", pl.String, "Model that `xg` is from (`gold.xg_model`)", nullable=True),
    Column("xg_in_sample", pl.Boolean, "Whether the attempt was among the model's training rows", nullable=True),
)  # fmt: skip

SHOTS = Table(
    name="gold.shots",
    grain="one shot attempt of a final game",
    key=("game_id", "event_id"),
    columns=COLUMNS,
    chunk_key="game_id",
    inputs=(PLAYS, LINEUPS, GAMES, XG_MODEL),
    source=shots,
    checks={
        "xG is a probability": pl.col("xg").is_null() | pl.col("xg").is_between(0, 1),
        "flurry-adjusted xG does not exceed xG": pl.col("xg").is_null()
        | (pl.col("xg_flurry_adjusted") <= pl.col("xg")),
        "a blocked attempt has no xG": pl.col("is_unblocked_attempt") | pl.col("xg").is_null(),
        "a row with xG names its model": pl.col("xg").is_null() == pl.col("xg_model").is_null(),
    },
)
