"""Stints: stretches of a game without a line change, with all players on the ice."""

import polars as pl

from nhl_lake.hockey.line_changes import expand_shifts, split_at_changes
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.shifts import SHIFTS

STINT_COLUMNS = ("season", "game_id", "period", "start_seconds", "end_seconds", "home_team_id", "away_team_id")
PLAYER_COLUMNS = (
    "home_skater_player_ids",
    "away_skater_player_ids",
    "home_goalie_player_ids",
    "away_goalie_player_ids",
)
LENGTH = pl.col("end_seconds") - pl.col("start_seconds")


def stints(shifts: pl.LazyFrame, lineups: pl.LazyFrame, games: pl.LazyFrame) -> pl.LazyFrame:
    """One row per stretch of a period in which the same players are on the ice.

    The situation code is counted from the players; it is null while the shifts have two goalies of a team on the ice.
    Player ids are in ascending order. Seconds without a player in the shifts are left out.
    """
    goalies = {f"{side}_goalies": pl.col(f"{side}_goalie_player_ids").list.len() for side in ("home", "away")}
    skaters = {f"{side}_skaters": pl.col(f"{side}_skater_player_ids").list.len() for side in ("home", "away")}
    return (
        merge_same_players(list_players_by_stretch(shifts, lineups, games))
        .with_columns(**goalies, **skaters)
        .with_columns(
            get_only_goalie("home"),
            get_only_goalie("away"),
            situation_code=format_situation_code(),
            home_strength_state=classify_home_strength(),
        )
        .select(list(STINTS.schema))
    )


def list_players_by_stretch(shifts: pl.LazyFrame, lineups: pl.LazyFrame, games: pl.LazyFrame) -> pl.LazyFrame:
    """One row per stretch between two line changes, with the players of both teams."""
    positions = lineups.select("game_id", "player_id", is_goalie=pl.col("position").eq_missing("G"))
    teams = games.select("season", "game_id", "home_team_id", "away_team_id")
    is_home, is_goalie = pl.col("team_id") == pl.col("home_team_id"), pl.col("is_goalie")
    groups = (is_home & ~is_goalie, ~is_home & ~is_goalie, is_home & is_goalie, ~is_home & is_goalie)
    player_shifts = (
        shifts.drop("season")
        .join(positions, on=["game_id", "player_id"], validate="m:1")
        .join(teams, on="game_id", validate="m:1")
        .sort("player_id")  # once, not in each group
        .cache()
    )
    stretches = split_at_changes(player_shifts).cache()
    found = stretches.join(teams, on="game_id", validate="m:1")
    for group, name in zip(groups, PLAYER_COLUMNS, strict=True):
        # four aggregations: one with four filters takes three times as long
        players = (
            expand_shifts(player_shifts.filter(group), stretches, "player_id")
            .group_by("stretch")
            .agg(pl.col("player_id").alias(name))
        )
        found = found.join(players, on="stretch", how="left", validate="1:1")
    is_empty = pl.all_horizontal(pl.col(PLAYER_COLUMNS).is_null())
    found = found.filter(~is_empty).with_columns(pl.col(PLAYER_COLUMNS).fill_null([]))
    return found.select(*STINT_COLUMNS, *PLAYER_COLUMNS)


def merge_same_players(stretches: pl.LazyFrame) -> pl.LazyFrame:
    """Merge neighboring stretches with the same players: one who leaves and returns in a second did not leave."""
    period = ("game_id", "period")
    # without windows or groups: over list columns they take longer than everything else
    other = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in (*period, *PLAYER_COLUMNS))
    apart = pl.col("start_seconds") != pl.col("end_seconds").shift(1)
    marked = (
        stretches.sort(*period, "start_seconds")
        .with_columns(is_first=(other | apart).fill_null(value=True))
        .with_columns(stint=pl.col("is_first").cum_sum())
        .cache()
    )
    ends = marked.group_by("stint").agg(pl.max("end_seconds"))
    return marked.filter("is_first").drop("end_seconds").join(ends, on="stint", validate="1:1")


def get_only_goalie(side: str) -> pl.Expr:
    """Return the goalie of a team; null without one, or if the shifts have two."""
    goalies = pl.col(f"{side}_goalie_player_ids")
    return pl.when(goalies.list.len() == 1).then(goalies.list.first()).alias(f"{side}_goalie_player_id")


def format_situation_code() -> pl.Expr:
    """Return the situation code as the NHL writes it: away goalie, away skaters, home skaters, home goalie."""
    counts = ("away_goalies", "away_skaters", "home_skaters", "home_goalies")
    is_possible = (pl.max_horizontal("home_goalies", "away_goalies") < 2) & (
        pl.max_horizontal("home_skaters", "away_skaters") < 10
    )
    return pl.when(is_possible).then(pl.concat_str(counts))


def classify_home_strength() -> pl.Expr:
    """Return the home team's strength (PP, SH, EV) by the number of players on the ice, including goalies."""
    home, away = (pl.col(f"{side}_skaters").cast(pl.Int32) + pl.col(f"{side}_goalies") for side in ("home", "away"))
    more = home - away
    return pl.when(more > 0).then(pl.lit("PP")).when(more < 0).then(pl.lit("SH")).otherwise(pl.lit("EV"))


def split_by_player(stints: pl.LazyFrame) -> pl.LazyFrame:
    """One row per player and stint, with the strength of the player's team."""
    mirrored = pl.col("home_strength_state").replace({"PP": "SH", "SH": "PP"})
    sides = {"home": pl.col("home_strength_state"), "away": mirrored}
    return (
        pl.concat(
            stints.select(
                "season",
                "game_id",
                "period",
                "start_seconds",
                "end_seconds",
                "situation_code",
                strength_state=strength,
                team_id=f"{side}_team_id",
                player_id=pl.concat_list(f"{side}_skater_player_ids", f"{side}_goalie_player_id"),
            )
            for side, strength in sides.items()
        )
        .explode("player_id")
        .filter(pl.col("player_id").is_not_null())
    )


def sum_time_on_ice(stints: pl.LazyFrame) -> pl.LazyFrame:
    """One row per player and game: seconds on the ice in all, at even strength, on the power play and shorthanded."""
    split = {
        name: LENGTH.filter(pl.col("strength_state") == state).sum()
        for name, state in (("even_strength_s", "EV"), ("power_play_s", "PP"), ("shorthanded_s", "SH"))
    }
    return (
        split_by_player(stints)
        .group_by("season", "game_id", "team_id", "player_id")
        .agg(time_on_ice_s=LENGTH.sum(), **split)
    )


def sum_time_by_situation(stints: pl.LazyFrame) -> pl.LazyFrame:
    """One row per player, game and situation code: seconds on the ice."""
    return (
        split_by_player(stints)
        .group_by("season", "game_id", "team_id", "player_id", "situation_code")
        .agg(time_on_ice_s=LENGTH.sum())
    )


STINTS = Table(
    name="silver.stints",
    grain="one stretch of a game without a line change",
    key=("game_id", "period", "start_seconds"),
    columns=(
        c.season,
        c.game_id,
        c.period,
        c.start_seconds,
        c.end_seconds,
        c.home_team_id,
        c.away_team_id,
        Column("home_skater_player_ids", pl.List(pl.Int64), "Ids of the home team's skaters on the ice, ascending"),
        Column("away_skater_player_ids", pl.List(pl.Int64), "Ids of the away team's skaters on the ice, ascending"),
        Column("home_goalie_player_id", pl.Int64, "Goalie of the home team; null with an empty net", nullable=True),
        Column("away_goalie_player_id", pl.Int64, "Goalie of the away team; null with an empty net", nullable=True),
        Column("home_skaters", pl.Int16, "Number of skaters of the home team"),
        Column("away_skaters", pl.Int16, "Number of skaters of the away team"),
        Column("home_goalies", pl.Int16, "Number of goalies of the home team; 2 is an error in the source"),
        Column("away_goalies", pl.Int16, "Number of goalies of the away team; 2 is an error in the source"),
        c.situation_code,
        Column(
            "home_strength_state",
            pl.String,
            "Strength of the home team by players on the ice, including goalies",
            values=("EV", "PP", "SH"),
        ),
    ),
    chunk_key="game_id",
    inputs=(SHIFTS, LINEUPS, GAMES),
    source=stints,
    checks={"a stint ends after it starts": pl.col("start_seconds") < pl.col("end_seconds")},
)
