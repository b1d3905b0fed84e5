"""Checks of strength: the page's situation codes, the players on the ice and the box score must agree."""

import polars as pl

from nhl_lake.hockey.line_changes import count_players_on_ice
from nhl_lake.hockey.strength_source import PENALTY_CLOCK, SHIFTS, has_same_players, is_live_event

GAME_KEY = ("season", "game_id")
MIN_MISMATCH_S = 60  # listed line changes are some seconds early or late


def check_strength(
    plays: pl.LazyFrame, shifts: pl.LazyFrame, lineups: pl.LazyFrame, skater_games: pl.LazyFrame
) -> pl.LazyFrame:
    """One row per game and check of strength that it does not pass."""
    return pl.concat(
        [find_corrected_codes(plays), compare_players(plays, shifts, lineups), compare_goals(plays, skater_games)]
    )


def find_corrected_codes(plays: pl.LazyFrame) -> pl.LazyFrame:
    """Count the events of each game whose situation code was replaced by the shifts or the penalty clock."""
    by = {source: (pl.col("strength_source") == source).sum() for source in (SHIFTS, PENALTY_CLOCK)}
    return (
        plays.filter(pl.col("situation_code").is_not_null(), pl.col("strength_source").is_in(list(by)))
        .group_by(GAME_KEY)
        .agg(actual=pl.format(f"corrected at {{}} events by {SHIFTS}, at {{}} by the {PENALTY_CLOCK}", *by.values()))
        .select(
            *GAME_KEY,
            *name_rule("the situation codes agree with the penalties"),
            expected=pl.lit(None, pl.String),
            actual="actual",
        )
    )


def compare_players(plays: pl.LazyFrame, shifts: pl.LazyFrame, lineups: pl.LazyFrame) -> pl.LazyFrame:
    """Return the games whose shifts and plays differ for a minute or more, with the longest such time."""
    positions = lineups.select("game_id", "player_id", "team_id", is_goalie=pl.col("position").eq_missing("G"))
    home_teams = plays.select("game_id", "home_team_id").unique()
    player_shifts = (
        shifts.drop("team_id")
        .join(positions, on=["game_id", "player_id"], validate="m:1")
        .join(home_teams, on="game_id", validate="m:1")
        .with_columns(is_home=pl.col("team_id") == pl.col("home_team_id"))
    )
    known = pl.col("strength_source").is_not_null() & ~pl.col("is_penalty_shot") & pl.col("game_seconds").is_not_null()
    with_shifts = plays.join(shifts, on="game_id", how="semi")
    run = pl.col("is_same").rle_id().over("game_id")
    return (
        count_players_on_ice(with_shifts, player_shifts)
        .filter(known & is_live_event() & pl.col("home_skaters_on").is_not_null())
        .sort("game_id", "event_number")
        .with_columns(is_same=has_same_players())
        .with_columns(run=run)
        .filter(~pl.col("is_same"))
        .group_by(*GAME_KEY, "run")
        .agg(seconds=pl.max("game_seconds") - pl.min("game_seconds"))
        .group_by(GAME_KEY)
        .agg(pl.max("seconds"))
        .filter(pl.col("seconds") >= MIN_MISMATCH_S)
        .select(
            *GAME_KEY,
            *name_rule("shifts and plays agree on the number of players on the ice"),
            expected=pl.lit(None, pl.String),
            actual=pl.format("different for {} s", "seconds"),
        )
    )


def compare_goals(plays: pl.LazyFrame, skater_games: pl.LazyFrame) -> pl.LazyFrame:
    """Return the games with skaters whose power-play goals differ from the box score.

    Games with a goal of unknown strength are left out, and so are skaters with a penalty-shot goal, which the NHL
    counts by the strength at that time.
    """
    player = ["game_id", "player_id"]
    state = pl.col("strength_state")
    goals = plays.filter("is_goal").rename({"shooter_player_id": "player_id"})
    counted = goals.group_by(player).agg(actual=(state == "PP").sum().cast(pl.Int64))
    return (
        skater_games.filter(pl.col("power_play_goals").is_not_null())
        .join(plays, on="game_id", how="semi")
        .join(goals.filter(state.is_null()), on="game_id", how="anti")
        .join(goals.filter(state == "PS"), on=player, how="anti")
        .join(counted, on=player, how="left", validate="1:1")
        .select(*GAME_KEY, expected=pl.col("power_play_goals").cast(pl.Int64), actual=pl.col("actual").fill_null(0))
        .group_by(GAME_KEY)
        .agg(pl.sum("expected", "actual"), skaters=(pl.col("expected") != pl.col("actual")).sum())
        .filter(pl.col("skaters") > 0)
        .select(
            *GAME_KEY,
            *name_rule("power play goals match the box score for every skater"),
            expected=pl.col("expected").cast(pl.String),
            actual=pl.format("{}, different for {} skaters", "actual", "skaters"),
        )
    )


def name_rule(check: str) -> list[pl.Expr]:
    """Return the columns `check` and `severity`."""
    return [pl.lit(check).alias("check"), pl.lit("warning").alias("severity")]
