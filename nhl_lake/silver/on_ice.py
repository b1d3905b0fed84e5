"""Who was on the ice at every event."""

import polars as pl

from nhl_lake import columns as c
from nhl_lake.hockey.ice import PERIOD, before_the_change, presence, stretches
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.shifts import SHIFTS
from nhl_lake.table import Column, Table

EVENT = ("game_id", "event_id")


def on_ice(plays: pl.LazyFrame, shifts: pl.LazyFrame, lineups: pl.LazyFrame) -> pl.LazyFrame:
    """One row a player on the ice at an event, goalies too.

    What stops play, and what stands before the faceoff in the same second, belongs to those who were on until then; the
    faceoff and what follows to those who come on. In a penalty shot or a shoot-out only shooter and goalie are on the
    ice, and that is known without shifts too. Left out: events while the shifts have nobody on the ice.
    """
    is_duel = (pl.col("period_type") == "SO") | pl.col("is_penalty_shot").fill_null(value=False)
    found = pl.concat([in_play(plays, shifts, ~is_duel), duels(plays.filter(is_duel))])
    about = lineups.select("season", "game_id", "player_id", "team_id", is_goalie=pl.col("position") == "G")
    return found.join(about, on=["game_id", "player_id"], validate="m:1").select(list(ON_ICE.schema))


def in_play(plays: pl.LazyFrame, shifts: pl.LazyFrame, is_in_play: pl.Expr) -> pl.LazyFrame:
    """One row a player on the ice by his shifts."""
    # halves: an event before the change of its second is in the stretch that ends there
    event = 2 * pl.col("period_seconds") - before_the_change().cast(pl.Int32)
    moments = plays.with_columns(moment=event).filter(is_in_play).select(*EVENT, "period", "moment").sort("moment")
    since = stretches(shifts).select(*PERIOD, "stretch", moment=2 * pl.col("from_seconds")).sort("moment")
    return (
        moments.join_asof(since, on="moment", by=PERIOD, check_sortedness=False)
        .join(presence(shifts).select(*PERIOD, "stretch", "player_id"), on=[*PERIOD, "stretch"])
        .select(*EVENT, "player_id")
    )


def duels(plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row a shooter or goalie of a penalty shot or shoot-out attempt."""
    return (
        plays.select(*EVENT, player_id=pl.concat_list("shooter_player_id", "goalie_player_id"))
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
    by="game_id",
    reads=(PLAYS, SHIFTS, LINEUPS),
    source=on_ice,
)
