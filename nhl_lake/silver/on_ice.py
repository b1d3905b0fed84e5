"""The players on the ice at every event."""

import polars as pl

from nhl_lake.hockey.line_changes import PERIOD_KEY, is_before_change
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.shifts import SHIFTS

EVENT_KEY = ("game_id", "event_id")


def on_ice(plays: pl.LazyFrame, shifts: pl.LazyFrame, lineups: pl.LazyFrame) -> pl.LazyFrame:
    """One row per event and player on the ice, including goalies.

    Events that stop play, and events before the faceoff in the same second, belong to the players who were on the ice
    until then. The faceoff and later events belong to the players who come on. In a penalty shot or a shootout only the
    shooter and the goalie are on the ice; these are known without shifts. Events without a time, or without players in
    the shifts, are left out.
    """
    is_penalty_shot = (pl.col("period_type") == "SO") | pl.col("is_penalty_shot").fill_null(value=False)
    dressed = lineups.select("season", "game_id", "player_id", "team_id", is_goalie=pl.col("position").eq_missing("G"))
    player = ["game_id", "player_id"]
    player_shifts = shifts.drop("season", "team_id").join(dressed, on=player, validate="m:1")
    shooters_and_goalies = find_penalty_shot_players(plays.filter(is_penalty_shot))
    return pl.concat(
        found.select(list(ON_ICE.schema))
        for found in (
            find_players_by_shifts(plays, player_shifts, ~is_penalty_shot),
            shooters_and_goalies.join(dressed, on=player, validate="m:1"),
        )
    )


def find_players_by_shifts(plays: pl.LazyFrame, shifts: pl.LazyFrame, is_in_play: pl.Expr) -> pl.LazyFrame:
    """One row per event and player whose shift covers it."""
    # time in half seconds: an event before the line change of its second belongs to the shifts that end there
    moment = 2 * pl.col("period_seconds") - is_before_change().cast(pl.Int32)
    timed = (
        plays.with_columns(moment=moment)
        .filter(is_in_play & pl.col("moment").is_not_null())
        .select(*EVENT_KEY, "period", "moment")
    )
    events = timed.sort(*PERIOD_KEY, "moment").with_row_index("number").cache()
    found = shifts.join(events.group_by(PERIOD_KEY).agg(after=pl.max("number") + 1), on=PERIOD_KEY, validate="m:1")
    for side in ("start", "end"):
        later_events = events.select(*PERIOD_KEY, pl.col("number").alias(side), "moment").sort("moment")
        found = (
            found.with_columns(moment=2 * pl.col(f"{side}_seconds"))
            .sort("moment")
            .join_asof(later_events, on="moment", by=PERIOD_KEY, strategy="forward", check_sortedness=False)
            .with_columns(pl.coalesce(side, "after").alias(side))
        )
    return (
        found.select("season", "player_id", "team_id", "is_goalie", number=list_numbers("start", "end"))
        .explode("number")
        .filter(pl.col("number").is_not_null())
        .join(events.select(*EVENT_KEY, "number"), on="number", validate="m:1")
    )


def list_numbers(start: str, end: str) -> pl.Expr:
    """Return the list of numbers from `start` to `end`, exclusive."""
    return pl.int_ranges(start, end, dtype=pl.get_index_type())


def find_penalty_shot_players(plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row per penalty shot or shootout attempt and player: the shooter and the goalie."""
    return (
        plays.select(*EVENT_KEY, player_id=pl.concat_list("shooter_player_id", "goalie_player_id"))
        .explode("player_id")
        .filter(pl.col("player_id").is_not_null())
    )


ON_ICE = Table(
    name="silver.on_ice",
    grain="one event and a player on the ice at it",
    key=("game_id", "event_id", "player_id"),
    columns=(
        c.season,
        c.game_id,
        c.event_id,
        c.player_id,
        c.team_id,
        Column("is_goalie", pl.Boolean, "Whether the player is a goalie in this game"),
    ),
    chunk_key="game_id",
    inputs=(PLAYS, SHIFTS, LINEUPS),
    source=on_ice,
)
