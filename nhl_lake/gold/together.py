"""Players of a team who are on the ice together at 5on5: their time, and what happened meanwhile."""

import polars as pl

from nhl_lake import columns as c
from nhl_lake.silver.stints import LENGTH
from nhl_lake.table import Column

FORWARDS = ("C", "L", "R")
DEFENCE = ("D",)
COUNTED = {
    "goals": ("is_goal", "Goals"),
    "shots_on_goal": ("is_shot_on_goal", "Shots on goal"),
    "unblocked_attempts": ("is_unblocked_attempt", "Goals, saved and missed shots"),
    "attempts": ("is_attempt", "Goals, saved, missed and blocked shots"),
}
SIDES = {"for": "of the team", "against": "of the opponent"}


def columns_of(*ordinals: str) -> tuple[Column, ...]:
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
            Column(f"on_ice_{name}_{side}", pl.Int16, f"{about} {whose} while on the ice")
            for name, (_, about) in COUNTED.items()
            for side, whose in SIDES.items()
        ),
    )


def together(
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
    time = sets(on_the_ice(stints), people, ("period", "start_seconds"), ordinals)
    count = sets(at_attempts(plays, on_ice), people, ("event_id",), ordinals)
    heads = plays.select("season", "game_id", "game_type", "home_team_id").unique()
    key = ["game_id", "team_id", *(f"{nth}_player_id" for nth in ordinals)]
    return (
        # a set may be there for an attempt only: the page's situation and that of the shifts part by a second
        pl.concat([time, count], how="diagonal")
        .group_by(key)
        .agg(pl.col("time_together_s", "^on_ice_.*$").sum())
        .join(heads, on="game_id", validate="m:1")
        .with_columns(is_home=pl.col("team_id") == pl.col("home_team_id"))
        .select(column.name for column in columns_of(*ordinals))
    )


def on_the_ice(stints: pl.LazyFrame) -> pl.LazyFrame:
    """One row a skater, team and stint at 5on5."""
    at_five = stints.filter(pl.col("situation_code") == "1551")
    return pl.concat(
        at_five.select(
            "game_id",
            "period",
            "start_seconds",
            team_id=f"{side}_team_id",
            player_id=f"{side}_skater_player_ids",
            time_together_s=LENGTH,
        )
        for side in ("home", "away")
    ).explode("player_id")


def at_attempts(plays: pl.LazyFrame, on_ice: pl.LazyFrame) -> pl.LazyFrame:
    """One row a skater on the ice at an attempt at 5on5, with what it counts for his team."""
    attempts = plays.filter(pl.col("is_attempt") & (pl.col("situation") == "5on5"))
    is_own = pl.col("team_id") == pl.col("acting_team_id")
    counts = {
        f"on_ice_{name}_{side}": pl.col(flag) & whose
        for name, (flag, _) in COUNTED.items()
        for side, whose in (("for", is_own), ("against", ~is_own))
    }
    found = on_ice.filter(~pl.col("is_goalie")).join(attempts, on=["game_id", "event_id"], validate="m:1")
    return found.select(
        "game_id",
        "event_id",
        "team_id",
        "player_id",
        *(what.cast(pl.Int64).alias(name) for name, what in counts.items()),
    )


def sets(rows: pl.LazyFrame, people: pl.LazyFrame, moment: tuple[str, ...], ordinals: tuple[str, ...]) -> pl.LazyFrame:
    """One row a moment and team at which exactly so many of some people are on the ice, with their ids."""
    ids = pl.col("player_id")
    return (
        rows.join(people, on=["game_id", "player_id"], how="semi")
        .group_by("game_id", "team_id", *moment)
        .agg(ids.sort(), pl.all().exclude("player_id").first())
        .filter(ids.list.len() == len(ordinals))
        .with_columns(ids.list.get(n).alias(f"{nth}_player_id") for n, nth in enumerate(ordinals))
        .drop("player_id", *moment)
    )
