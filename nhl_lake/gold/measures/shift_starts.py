"""Shifts of skaters: in which situation each begins, and at what faceoff it begins and ends."""

import polars as pl

from nhl_lake.gold.measures.attempts import count
from nhl_lake.gold.measures.situations import OTHER

ZONES = {"O": "offensive_zone", "N": "neutral_zone", "D": "defensive_zone"}
FLY = "on_the_fly"
KINDS = (*ZONES.values(), FLY)
COLUMNS = tuple(
    count(f"{kind}_{side}", f"Shifts that {verb} {what}")
    for side, verb in (("starts", "began with"), ("ends", "ended with"))
    for kind, what in (
        ("offensive_zone", "a faceoff in the offensive zone"),
        ("neutral_zone", "a faceoff in the neutral zone"),
        ("defensive_zone", "a faceoff in the defensive zone"),
        (FLY, "no faceoff in their second"),
    )
)
NAMES = ("shifts", *(column.name for column in COLUMNS))
PERIOD = ("game_id", "period")


def stays(shifts: pl.LazyFrame, plays: pl.LazyFrame, sides: pl.LazyFrame) -> pl.LazyFrame:
    """One row a shift: the situation that it began in, and the zone of the faceoff that began it, and that ended it.

    A shift that ends with its period, or with the game, ends on the fly.
    """
    drops = faceoffs(plays)
    stints = sides.select(*PERIOD, "team_id", "situation", since="start_seconds").sort("since")
    found = shifts.sort("start_seconds").join_asof(
        stints, left_on="start_seconds", right_on="since", by=[*PERIOD, "team_id"], check_sortedness=False
    )
    for side, second in (("start", "start_seconds"), ("end", "end_seconds")):
        at = drops.rename({"period_seconds": second, "zone": f"{side}_zone", "winner": f"{side}_winner"})
        found = found.join(at, on=[*PERIOD, second], how="left", validate="m:1")
    return found.select(
        *PERIOD,
        "player_id",
        "team_id",
        "start_seconds",
        "end_seconds",
        situation=pl.col("situation").fill_null(OTHER),
        shift_start=kind("start"),
        shift_end=kind("end"),
    )


def faceoffs(plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row a second with a faceoff, the last if there are two: its winner, and the zone as he has it."""
    second = (*PERIOD, "period_seconds")
    return (
        plays.filter(pl.col("event") == "faceoff")
        .sort("game_id", "event_number")
        .unique(second, keep="last", maintain_order=True)
        .select(*second, winner="acting_team_id", zone=pl.coalesce("zone", "zone_code_raw"))
    )


def kind(side: str) -> pl.Expr:
    """Return the zone of a faceoff as the shift's team has it; on the fly without one."""
    zone, is_winner = pl.col(f"{side}_zone"), pl.col(f"{side}_winner") == pl.col("team_id")
    own = pl.when(is_winner).then(zone).otherwise(zone.replace({"O": "D", "D": "O"}))
    return own.replace_strict(ZONES, default=FLY)


def shift_counts(stays: pl.LazyFrame) -> pl.LazyFrame:
    """One row a skater, game and situation: his shifts, by what they began and ended with."""
    counts = {f"{kind}_{side}s": (pl.col(f"shift_{side}") == kind).sum() for side in ("start", "end") for kind in KINDS}
    return stays.group_by("game_id", "player_id", "situation").agg(shifts=pl.len(), **counts)
