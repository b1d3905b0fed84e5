"""Features for shots on goal: what was known about a skater before a game, for played and upcoming games."""

from dataclasses import replace
from datetime import date

import polars as pl

from nhl_lake.gold.features import rolling, team, upcoming
from nhl_lake.gold.features.skater import COLUMNS as SKATER_COLUMNS
from nhl_lake.gold.features.skater import add_skater_form
from nhl_lake.gold.features.skater_lines import build_skater_lines, classify_position
from nhl_lake.gold.measures.appearances import opponent_abbrev
from nhl_lake.gold.skater_game import SKATER_GAME
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.rosters import ROSTERS
from nhl_lake.silver.teams import TEAMS


def sog_features(
    games: pl.LazyFrame,
    skater_game: pl.LazyFrame,
    rosters: pl.LazyFrame,
    teams: pl.LazyFrame,
    plays: pl.LazyFrame,
    day: date,
) -> pl.LazyFrame:
    """One row per skater and game of the regular season or playoffs, played or upcoming within a week of `day`.

    The target, `shots_on_goal`, is null until the game is final. All features come from games that started before this
    one, in this season and the previous one: of the skater, of the team and the opponent (by `team_key`), and of the
    league. A skater without an earlier game has nulls, not zeros; the shrunk rates are then those of the position. Time
    on ice is the box score's in games without shifts; features that need shifts use only the games with shifts.
    """
    season = games.select(pl.col("season").max())  # the newest season, even without a game this week
    games = games.filter(pl.col("game_type").is_in(upcoming.FEATURE_GAME_TYPES)).with_columns(
        order=rolling.compute_game_order()
    )
    keys = teams.select("team_id", pl.coalesce("team_key", "team_id").alias("team_key"))  # a team without a franchise
    played = build_skater_lines(skater_game, plays, games, keys).cache()
    rows = pl.concat(
        [played.select(*ROW_COLUMNS, "shots_on_goal"), build_upcoming_rows(games, played, rosters, keys, day)],
        how="diagonal",
    )
    rows = rows.join(season, on="season", how="semi").with_columns(group=classify_position())
    rows = rows.join(
        keys.rename({"team_id": "opponent_team_id", "team_key": "opponent_team_key"}), on="opponent_team_id"
    )
    return rows.pipe(add_skater_form, played).pipe(team.add_team_form, played).select(list(SOG_FEATURES.schema))


def build_upcoming_rows(
    games: pl.LazyFrame, played: pl.LazyFrame, rosters: pl.LazyFrame, keys: pl.LazyFrame, day: date
) -> pl.LazyFrame:
    """One row per upcoming game and skater who may play in it."""
    return (
        upcoming.project_skaters(games, played, rosters, keys, day)
        .join(games.select("game_id", "start_at", "order", "venue_offset"), on="game_id", validate="m:1")
        .with_columns(is_upcoming=pl.lit(value=True))
    )


ROW_COLUMNS = (
    "season",
    "game_id",
    "game_type",
    "game_date",
    "start_at",
    "order",
    "venue_offset",
    "player_id",
    "player",
    "position",
    "team_id",
    "team_abbrev",
    "team_key",
    "opponent_team_id",
    "opponent_abbrev",
    "is_home",
    "is_upcoming",
    "projection_basis",
)

COLUMNS = (
    c.season,
    c.game_id,
    c.game_type,
    c.game_date,
    c.start_at,
    c.player_id,
    replace(c.player, description="Full name, as on the game's page; for an upcoming game, as on the roster page"),
    replace(c.position, nullable=True),
    c.team_id,
    c.team_abbrev,
    Column(
        "team_key",
        pl.Int32,
        "Same number for a team over time: its franchise, with Arizona and Utah as one",
        nullable=True,
    ),
    c.opponent_team_id,
    opponent_abbrev,
    c.is_home,
    Column("is_upcoming", pl.Boolean, "Whether the game is upcoming"),
    Column(
        "projection_basis",
        pl.String,
        "Why the skater has a row: played; for an upcoming game, the team's last lineup, or only its roster page",
        values=(upcoming.PLAYED, upcoming.LAST_LINEUP, upcoming.ROSTER_PAGE),
    ),
    c.shots_on_goal,
    *SKATER_COLUMNS,
    *team.COLUMNS,
)

SOG_FEATURES = Table(
    name="gold.sog_features",
    grain="one skater in a game of the regular season or playoffs, played or upcoming within a week",
    key=("game_id", "player_id"),
    columns=COLUMNS,
    inputs=(GAMES, SKATER_GAME, ROSTERS, TEAMS, PLAYS),
    source=sog_features,
    prior_seasons=1,
    needs_day=True,
    max_row_loss=1.0,  # the skaters of upcoming games change every day
    checks={
        "upcoming games have no shots": ~pl.col("is_upcoming") | pl.col("shots_on_goal").is_null(),
        "only games played have the basis `played`": pl.col("is_upcoming")
        == (pl.col("projection_basis") != upcoming.PLAYED),
        "the last game is before this one": pl.col("days_since_last_game").is_null()
        | (pl.col("days_since_last_game") >= 0),
        "means need earlier games": pl.col("games_before").is_not_null() | pl.col("mean_shots_on_goal_5").is_null(),
    },
)
