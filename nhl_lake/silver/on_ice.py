"""Who was on the ice at every event."""

import polars as pl

from nhl_lake.hockey.line_changes import PERIOD_KEY, is_before_change
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.shifts import SHIFTS

EVENT_KEY = ("game_id", "event_id")


def on_ice(plays: pl.LazyFrame, shifts: pl.LazyFrame, lineups: pl.LazyFrame) -> pl.LazyFrame:
    """One row a player on the ice at an event, goalies too.

    What stops play, and what stands before the faceoff in the same second, belongs to those who were on until then; the
    faceoff and what follows to those who come on. In a penalty shot or a shoot-out only shooter and goalie are on the
    ice, and that is known without shifts too. Left out: events while the shifts have nobody on the ice,
    and those whose time is unknown.
    """
    is_duel = (pl.col("period_type") == "SO") | pl.col("is_penalty_shot").fill_null(value=False)
    about = lineups.select("season", "game_id", "player_id", "team_id", is_goalie=pl.col("position").eq_missing("G"))
    player = ["game_id", "player_id"]
    stays = shifts.drop("season", "team_id").join(about, on=player, validate="m:1")
    alone = find_penalty_shot_players(plays.filter(is_duel)).join(about, on=player, validate="m:1")
    return pl.concat(
        found.select(list(ON_ICE.schema)) for found in (find_players_by_shifts(plays, stays, ~is_duel), alone)
    )


def find_players_by_shifts(plays: pl.LazyFrame, shifts: pl.LazyFrame, is_in_play: pl.Expr) -> pl.LazyFrame:
    """One row a player on the ice by his shifts."""
    # halves: an event before the change of its second is of those whose shifts end there
    moment = 2 * pl.col("period_seconds") - is_before_change().cast(pl.Int32)
    known = (
        plays.with_columns(moment=moment)
        .filter(is_in_play & pl.col("moment").is_not_null())
        .select(*EVENT_KEY, "period", "moment")
    )
    events = known.sort(*PERIOD_KEY, "moment").with_row_index("number").cache()
    stays = shifts.join(events.group_by(PERIOD_KEY).agg(after=pl.max("number") + 1), on=PERIOD_KEY, validate="m:1")
    for side in ("start", "end"):
        later = events.select(*PERIOD_KEY, pl.col("number").alias(side), "moment").sort("moment")
        stays = (
            stays.with_columns(moment=2 * pl.col(f"{side}_seconds"))
            .sort("moment")
            .join_asof(later, on="moment", by=PERIOD_KEY, strategy="forward", check_sortedness=False)
            .with_columns(pl.coalesce(side, "after").alias(side))
        )
    return (
        stays.select("season", "player_id", "team_id", "is_goalie", number=list_numbers("start", "end"))
        .explode("number")
        .filter(pl.col("number").is_not_null())
        .join(events.select(*EVENT_KEY, "number"), on="number", validate="m:1")
    )


def list_numbers(start: str, end: str) -> pl.Expr:
    """Return the numbers from one until before another."""
    return pl.int_ranges(start, end, dtype=pl.get_index_type())


def find_penalty_shot_players(plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row a shooter or goalie of a penalty shot or shoot-out attempt."""
    return (
        plays.select(*EVENT_KEY, player_id=pl.concat_list("shooter_player_id", "goalie_player_id"))
        .explode("player_id")
        .filter(pl.col("player_id").is_not_null())
    )


ON_ICE = Table(
    name="silver.on_ice",
    grain="one player on the ice at an event",
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
