"""Combinations of players who are on the ice together at 5on5: their time and on-ice events."""

from dataclasses import replace

import polars as pl

from nhl_lake.gold.measures.appearances import list_game_teams
from nhl_lake.gold.measures.recorded_events import add_recorded_flags, fill_recorded_counts, is_always_recorded
from nhl_lake.gold.measures.season_totals import sum_known
from nhl_lake.gold.measures.situations import SHARE_COUNTS, compute_share, round_sums
from nhl_lake.hockey.names import format_full_name
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column
from nhl_lake.silver.stints import LENGTH

FORWARD_POSITIONS = ("C", "L", "R")
DEFENSE_POSITIONS = ("D",)
EVENT_COUNTS = {
    "goals": ("is_goal", "Goals"),
    "shots_on_goal": ("is_shot_on_goal", "Shots on goal"),
    "unblocked_attempts": ("is_unblocked_attempt", "Unblocked attempts (Fenwick)"),
    "attempts": ("is_attempt", "Shot attempts (Corsi)"),
}
SIDES = {"for": "of the team", "against": "of the opponent"}
COUNT_COLUMNS = tuple(
    Column(
        f"on_ice_{name}_{side}",
        pl.Int16,
        f"{text} {of_team} while on the ice together",
        nullable=not is_always_recorded(name),
    )
    for name, (_, text) in EVENT_COUNTS.items()
    for side, of_team in SIDES.items()
) + tuple(
    Column(f"on_ice_xg_{side}", pl.Float64, f"Expected goals {of_team} while on the ice together", nullable=True)
    for side, of_team in SIDES.items()
)
COUNT_NAMES = tuple(column.name for column in COUNT_COLUMNS)
time_together = Column("time_together_s", pl.Int32, "Time on ice together at 5on5", "s")


def declare_columns(*ordinals: str) -> tuple[Column, ...]:
    """Declare the columns of a game table of combinations."""
    return (
        c.season,
        c.game_id,
        c.game_type,
        c.team_id,
        replace(c.team_abbrev, nullable=True),
        *declare_players(*ordinals),
        c.is_home,
        time_together,
        *COUNT_COLUMNS,
    )


def declare_season_columns(*ordinals: str) -> tuple[Column, ...]:
    """Declare the columns of a season table of combinations."""
    return (
        c.season,
        c.game_type,
        c.team_id,
        replace(c.team_abbrev, nullable=True),
        *declare_players(*ordinals),
        Column("games", pl.Int16, "Games with time together at 5on5"),
        time_together,
        *COUNT_COLUMNS,
        *(
            Column(
                f"on_ice_{name}_share",
                pl.Float64,
                f"Share of both teams' {count.replace('_', ' ')} while on the ice together, 0 to 1",
                nullable=True,
            )
            for name, count in SHARE_COUNTS.items()
        ),
    )


def declare_players(*ordinals: str) -> tuple[Column, ...]:
    """Declare the ids and the names of the players."""
    return tuple(
        column
        for nth in ordinals
        for column in (
            Column(f"{nth}_player_id", pl.Int64, f"Id of the {nth} player; ids are in ascending order"),
            Column(f"{nth}_player", pl.String, f"Full name of the {nth} player", nullable=True),
        )
    )


def count_combinations(
    plays: pl.LazyFrame,
    on_ice: pl.LazyFrame,
    stints: pl.LazyFrame,
    lineups: pl.LazyFrame,
    games: pl.LazyFrame,
    shots: pl.LazyFrame,
    *,
    positions: tuple[str, ...],
    ordinals: tuple[str, ...],
) -> pl.LazyFrame:
    """One row per game, team and combination: all players of some positions who are on the ice at 5on5."""
    dressed = lineups.filter(~pl.col("is_scratched") & pl.col("position").is_in(positions))
    found = (
        find_player_sets(*rows, dressed, ordinals)
        for rows in (number_stints_at_5on5(stints), number_attempts_at_5on5(plays, on_ice, shots))
    )
    headers = plays.select("season", "game_id", "game_type", "home_team_id").unique()
    key = ["game_id", "team_id", *(f"{nth}_player_id" for nth in ordinals)]
    return (
        # a combination may have attempts without time: the page's situation can differ from the shifts by a second
        pl.concat(found, how="diagonal")
        .group_by(key)
        .agg(pl.col("time_together_s", "^on_ice_.*$").sum())
        .pipe(add_recorded_flags, plays, stints, shots)
        .with_columns(fill_recorded_counts(COUNT_NAMES))
        .pipe(round_sums, COUNT_NAMES)
        .join(headers, on="game_id", validate="m:1")
        .with_columns(is_home=pl.col("team_id") == pl.col("home_team_id"))
        .pipe(add_names, lineups, games, ordinals)
        .select(column.name for column in declare_columns(*ordinals))
    )


def add_names(
    rows: pl.LazyFrame, lineups: pl.LazyFrame, games: pl.LazyFrame, ordinals: tuple[str, ...]
) -> pl.LazyFrame:
    """Add the team's abbreviation and the players' names; null if they are unknown."""
    teams = list_game_teams(games).select("game_id", "team_id", "team_abbrev")
    rows = rows.join(teams, on=["game_id", "team_id"], how="left", validate="m:1")
    names = lineups.select("game_id", "player_id", player=format_full_name())
    for nth in ordinals:
        own = names.rename({"player_id": f"{nth}_player_id", "player": f"{nth}_player"})
        rows = rows.join(own, on=["game_id", f"{nth}_player_id"], how="left", validate="m:1")
    return rows


def sum_combinations(rows: pl.LazyFrame, ordinals: tuple[str, ...]) -> pl.LazyFrame:
    """One row per season, game type, team and combination: games, time and counts together, and shares of these."""
    key = ["season", "game_type", "team_id", *(f"{nth}_player_id" for nth in ordinals)]
    last = ("team_abbrev", *(f"{nth}_player" for nth in ordinals))
    shares = {
        f"on_ice_{name}_share": compute_share(f"on_ice_{count}_for", f"on_ice_{count}_against")
        for name, count in SHARE_COUNTS.items()
    }
    return (
        rows.group_by(key)
        .agg(
            *(pl.col(name).sort_by("game_id").drop_nulls().last() for name in last),
            *(sum_known(column.name) for column in COUNT_COLUMNS),
            pl.col("time_together_s").sum(),
            games=pl.len(),
        )
        .pipe(round_sums, COUNT_NAMES)
        .with_columns(**shares)
        .select(column.name for column in declare_season_columns(*ordinals))
    )


def number_stints_at_5on5(stints: pl.LazyFrame) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Return one row per team and numbered stint at 5on5 with its length, and one row per skater, ids ascending."""
    at_5on5 = stints.filter(pl.col("situation_code") == "1551")
    sides = pl.concat(
        at_5on5.select(
            "game_id", team_id=f"{side}_team_id", skaters=f"{side}_skater_player_ids", time_together_s=LENGTH
        )
        for side in ("home", "away")
    )
    numbered = sides.with_row_index("moment").cache()
    return numbered.drop("skaters"), numbered.select("moment", "game_id", player_id="skaters").explode("player_id")


def number_attempts_at_5on5(
    plays: pl.LazyFrame, on_ice: pl.LazyFrame, shots: pl.LazyFrame
) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Return one row per team and numbered attempt at 5on5 with its counts, and one row per skater, ids ascending."""
    xg = shots.select("game_id", "event_id", "xg")
    attempts = plays.filter(pl.col("is_attempt") & (pl.col("situation") == "5on5"))
    attempts = attempts.join(xg, on=["game_id", "event_id"], how="left", validate="1:1")
    sides = pl.concat(attempts.with_columns(team_id=f"{side}_team_id") for side in ("home", "away"))
    is_own = pl.col("team_id") == pl.col("acting_team_id")
    counts = {
        f"on_ice_{name}_{side}": (pl.col(flag) & is_side).cast(pl.Int64)
        for name, (flag, _) in EVENT_COUNTS.items()
        for side, is_side in (("for", is_own), ("against", ~is_own))
    }
    counts |= {
        f"on_ice_xg_{side}": pl.when(is_side).then("xg").fill_null(0.0)
        for side, is_side in (("for", is_own), ("against", ~is_own))
    }
    key = ("game_id", "event_id", "team_id")
    numbered = sides.select(*key, **counts).with_row_index("moment").cache()
    skaters = on_ice.filter(~pl.col("is_goalie")).join(numbered.select("moment", *key), on=key, validate="m:1")
    return numbered.drop("event_id"), skaters.select("moment", "game_id", "player_id").sort("player_id")


def find_player_sets(
    moments: pl.LazyFrame, skaters: pl.LazyFrame, dressed: pl.LazyFrame, ordinals: tuple[str, ...]
) -> pl.LazyFrame:
    """One row per moment and team at which the combination has the right number of players, with their ids.

    `skaters` must be in order of their ids: sorting each group here takes longer than everything else.
    """
    ids = pl.col("player_id")
    return (
        skaters.join(dressed, on=["game_id", "player_id"], how="semi", maintain_order="left")
        .group_by("moment")
        .agg(ids)
        .filter(ids.list.len() == len(ordinals))
        .select("moment", *(ids.list.get(n).alias(f"{nth}_player_id") for n, nth in enumerate(ordinals)))
        .join(moments, on="moment", validate="1:1")
        .drop("moment")
    )
