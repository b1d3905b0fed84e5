"""Players of a team who are on the ice together at 5on5: their time, and what happened meanwhile."""

import polars as pl

from nhl_lake.gold.measures.recorded_events import add_recorded_flags, fill_recorded_counts, is_always_recorded
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column
from nhl_lake.silver.stints import LENGTH

FORWARD_POSITIONS = ("C", "L", "R")
DEFENSE_POSITIONS = ("D",)
EVENT_COUNTS = {
    "goals": ("is_goal", "Goals"),
    "shots_on_goal": ("is_shot_on_goal", "Shots on goal"),
    "unblocked_attempts": ("is_unblocked_attempt", "Goals, saved and missed shots"),
    "attempts": ("is_attempt", "Goals, saved, missed and blocked shots"),
}
SIDES = {"for": "of the team", "against": "of the opponent"}


def declare_columns(*ordinals: str) -> tuple[Column, ...]:
    """Declare the columns of a table of players who are on the ice together."""
    return (
        c.season,
        c.game_id,
        c.game_type,
        c.team_id,
        *(Column(f"{nth}_player_id", pl.Int64, f"The {nth} of them; ids ascend") for nth in ordinals),
        c.is_home,
        Column("time_together_s", pl.Int32, "Time on the ice together at 5on5", "s"),
        *(
            Column(
                f"on_ice_{name}_{side}",
                pl.Int16,
                f"{about} {whose} while on the ice",
                nullable=not is_always_recorded(name),
            )
            for name, (_, about) in EVENT_COUNTS.items()
            for side, whose in SIDES.items()
        ),
    )


def count_combinations(
    plays: pl.LazyFrame,
    on_ice: pl.LazyFrame,
    stints: pl.LazyFrame,
    lineups: pl.LazyFrame,
    *,
    positions: tuple[str, ...],
    ordinals: tuple[str, ...],
) -> pl.LazyFrame:
    """One row a game, team and set of players of some positions, exactly so many of whom are on the ice at 5on5."""
    people = lineups.filter(~pl.col("is_scratched") & pl.col("position").is_in(positions))
    found = (
        find_player_sets(*rows, people, ordinals)
        for rows in (number_stints_at_5on5(stints), number_attempts_at_5on5(plays, on_ice))
    )
    heads = plays.select("season", "game_id", "game_type", "home_team_id").unique()
    key = ["game_id", "team_id", *(f"{nth}_player_id" for nth in ordinals)]
    return (
        # a set may be there for an attempt only: the page's situation and that of the shifts part by a second
        pl.concat(found, how="diagonal")
        .group_by(key)
        .agg(pl.col("time_together_s", "^on_ice_.*$").sum())
        .pipe(add_recorded_flags, plays, stints)
        .with_columns(fill_recorded_counts(f"on_ice_{name}_{side}" for name in EVENT_COUNTS for side in SIDES))
        .join(heads, on="game_id", validate="m:1")
        .with_columns(is_home=pl.col("team_id") == pl.col("home_team_id"))
        .select(column.name for column in declare_columns(*ordinals))
    )


def number_stints_at_5on5(stints: pl.LazyFrame) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Return one row a team and stint at 5on5 with its length, numbered, and one row a skater, ids ascending."""
    at_five = stints.filter(pl.col("situation_code") == "1551")
    sides = pl.concat(
        at_five.select(
            "game_id", team_id=f"{side}_team_id", skaters=f"{side}_skater_player_ids", time_together_s=LENGTH
        )
        for side in ("home", "away")
    )
    numbered = sides.with_row_index("moment").cache()
    return numbered.drop("skaters"), numbered.select("moment", "game_id", player_id="skaters").explode("player_id")


def number_attempts_at_5on5(plays: pl.LazyFrame, on_ice: pl.LazyFrame) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Return one row a team and attempt at 5on5 with its counts, numbered, and one row a skater, ids ascending."""
    attempts = plays.filter(pl.col("is_attempt") & (pl.col("situation") == "5on5"))
    sides = pl.concat(attempts.with_columns(team_id=f"{side}_team_id") for side in ("home", "away"))
    is_own = pl.col("team_id") == pl.col("acting_team_id")
    counts = {
        f"on_ice_{name}_{side}": (pl.col(flag) & whose).cast(pl.Int64)
        for name, (flag, _) in EVENT_COUNTS.items()
        for side, whose in (("for", is_own), ("against", ~is_own))
    }
    key = ("game_id", "event_id", "team_id")
    numbered = sides.select(*key, **counts).with_row_index("moment").cache()
    skaters = on_ice.filter(~pl.col("is_goalie")).join(numbered.select("moment", *key), on=key, validate="m:1")
    return numbered.drop("event_id"), skaters.select("moment", "game_id", "player_id").sort("player_id")


def find_player_sets(
    moments: pl.LazyFrame, skaters: pl.LazyFrame, people: pl.LazyFrame, ordinals: tuple[str, ...]
) -> pl.LazyFrame:
    """One row a moment and team at which exactly so many of some people are on the ice, with their ids.

    The skaters' ids ascend: to sort each group takes longer than all the rest.
    """
    ids = pl.col("player_id")
    return (
        skaters.join(people, on=["game_id", "player_id"], how="semi", maintain_order="left")
        .group_by("moment")
        .agg(ids)
        .filter(ids.list.len() == len(ordinals))
        .select("moment", *(ids.list.get(n).alias(f"{nth}_player_id") for n, nth in enumerate(ordinals)))
        .join(moments, on="moment", validate="1:1")
        .drop("moment")
    )
