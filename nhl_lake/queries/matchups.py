"""Matchups of a game: how long each pair of skaters was on the ice together, or against each other, at 5on5."""

from typing import NamedTuple

import numpy as np
import polars as pl

EVEN_CODE = "1551"  # both goalies in, five skaters each


class Matchups(NamedTuple):
    """Seconds at 5on5 by pair of skaters: `together` has a row per two skaters of a team, `against` of two teams.

    together: is_home, player_id, other_player_id, seconds, each pair both ways. against: home_player_id,
    away_player_id, seconds. Pairs that never met have no row.
    """

    together: pl.DataFrame
    against: pl.DataFrame


def compute_matchups(stints: pl.DataFrame) -> Matchups:
    """Return the matchups of a game from its stints (silver.stints)."""
    even = stints.filter(pl.col("situation_code") == EVEN_CODE)
    seconds = (even["end_seconds"] - even["start_seconds"]).to_numpy().astype(np.int64)
    (home, home_ice), (away, away_ice) = (
        mark_presence(even[f"{side}_skater_player_ids"], len(seconds)) for side in ("home", "away")
    )
    pairs = {
        side: list_pairs(ids, ids, (ice * seconds) @ ice.T, ("player_id", "other_player_id"))
        .filter(pl.col("player_id") != pl.col("other_player_id"))
        .select(pl.lit(side == "home").alias("is_home"), pl.all())
        for side, ids, ice in (("home", home, home_ice), ("away", away, away_ice))
    }
    met = list_pairs(home, away, (home_ice * seconds) @ away_ice.T, ("home_player_id", "away_player_id"))
    return Matchups(pl.concat(pairs.values()), met)


def mark_presence(players: pl.Series, stints: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the players in order, and an array of players by stints: 1 where a player was on the ice."""
    counts = players.list.len().fill_null(0).to_numpy().astype(np.int64)
    on_ice = players.explode().drop_nulls().to_numpy().astype(np.int64)
    ids, rows = np.unique(on_ice, return_inverse=True)
    ice = np.zeros((len(ids), stints), dtype=np.int64)
    ice[rows, np.repeat(np.arange(stints), counts)] = 1
    return ids, ice


def list_pairs(rows: np.ndarray, columns: np.ndarray, seconds: np.ndarray, names: tuple[str, str]) -> pl.DataFrame:
    """Return one row per pair that has seconds: both players and the seconds."""
    first, second = np.nonzero(seconds)
    schema = {names[0]: pl.Int64, names[1]: pl.Int64, "seconds": pl.Int64}
    return pl.DataFrame([rows[first], columns[second], seconds[first, second]], schema=schema)
