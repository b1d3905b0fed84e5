"""Shift starts and ends of skaters: the situation at the start, and the zone of the faceoffs (zone starts)."""

import polars as pl

from nhl_lake.gold.measures.attempts import declare_count
from nhl_lake.gold.measures.situations import OTHER_SITUATION

ZONE_NAMES = {"O": "offensive_zone", "N": "neutral_zone", "D": "defensive_zone"}
ON_THE_FLY = "on_the_fly"
SHIFT_KINDS = (*ZONE_NAMES.values(), ON_THE_FLY)
COLUMNS = tuple(
    declare_count(f"{kind}_{side}", f"Shifts that {verb} {description}")
    for side, verb in (("starts", "started"), ("ends", "ended"))
    for kind, description in (
        ("offensive_zone", "with a faceoff in the offensive zone"),
        ("neutral_zone", "with a faceoff in the neutral zone"),
        ("defensive_zone", "with a faceoff in the defensive zone"),
        (ON_THE_FLY, "on the fly: without a faceoff in the same second"),
    )
)
NAMES = ("shifts", *(column.name for column in COLUMNS))
PERIOD_KEY = ("game_id", "period")


def classify_shifts(shifts: pl.LazyFrame, plays: pl.LazyFrame, team_stints: pl.LazyFrame) -> pl.LazyFrame:
    """One row per shift: the situation at its start, and the zones of the faceoffs at its start and its end.

    A shift that ends with its period or the game ends on the fly.
    """
    faceoffs = find_faceoffs(plays)
    stints = team_stints.select(*PERIOD_KEY, "team_id", "situation", since="start_seconds").sort("since")
    found = shifts.sort("start_seconds").join_asof(
        stints, left_on="start_seconds", right_on="since", by=[*PERIOD_KEY, "team_id"], check_sortedness=False
    )
    for side, second in (("start", "start_seconds"), ("end", "end_seconds")):
        at_side = faceoffs.rename({"period_seconds": second, "zone": f"{side}_zone", "winner": f"{side}_winner"})
        found = found.join(at_side, on=[*PERIOD_KEY, second], how="left", validate="m:1")
    return found.select(
        *PERIOD_KEY,
        "player_id",
        "team_id",
        "start_seconds",
        "end_seconds",
        situation=pl.col("situation").fill_null(OTHER_SITUATION),
        shift_start=classify_shift_zone("start"),
        shift_end=classify_shift_zone("end"),
    )


def find_faceoffs(plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row per second with a faceoff (the last one): the winning team, and the zone from its view."""
    second = (*PERIOD_KEY, "period_seconds")
    return (
        plays.filter(pl.col("event") == "faceoff")
        .sort("game_id", "event_number")
        .unique(second, keep="last", maintain_order=True)
        .select(*second, winner="acting_team_id", zone=pl.coalesce("zone", "zone_code_raw"))
    )


def classify_shift_zone(side: str) -> pl.Expr:
    """Return the zone of a faceoff from the view of the shift's team; on the fly without a faceoff."""
    zone, is_winner = pl.col(f"{side}_zone"), pl.col(f"{side}_winner") == pl.col("team_id")
    own = pl.when(is_winner).then(zone).otherwise(zone.replace({"O": "D", "D": "O"}))
    return own.replace_strict(ZONE_NAMES, default=ON_THE_FLY)


def count_shifts(shifts: pl.LazyFrame) -> pl.LazyFrame:
    """One row per skater, game and situation: the number of shifts, by how they started and ended."""
    counts = {
        f"{kind}_{side}s": (pl.col(f"shift_{side}") == kind).sum() for side in ("start", "end") for kind in SHIFT_KINDS
    }
    return shifts.group_by("game_id", "player_id", "situation").agg(shifts=pl.len(), **counts)
