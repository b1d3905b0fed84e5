"""Defense pairs: two defensemen together, by game."""

import polars as pl

from nhl_lake.gold.measures.combinations import DEFENSE_POSITIONS, count_combinations, declare_columns
from nhl_lake.gold.shots import SHOTS
from nhl_lake.schema.table import Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.on_ice import ON_ICE
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.stints import STINTS

ORDINALS = ("first", "second")


def pair_game(
    plays: pl.LazyFrame,
    on_ice: pl.LazyFrame,
    stints: pl.LazyFrame,
    lineups: pl.LazyFrame,
    games: pl.LazyFrame,
    shots: pl.LazyFrame,
) -> pl.LazyFrame:
    """One row per game and pair: two defensemen who were together on the ice at 5on5, without another defenseman.

    Defensemen are players with position D in this game. Time with one or three defensemen belongs to no pair, so the
    pairs add up to the team's 5on5 time with exactly two defensemen. Games without shifts are left out.
    """
    return count_combinations(
        plays, on_ice, stints, lineups, games, shots, positions=DEFENSE_POSITIONS, ordinals=ORDINALS
    )


PAIR_GAME = Table(
    name="gold.pair_game",
    grain="one pair of defensemen in a final game, at 5on5",
    key=("game_id", "team_id", *(f"{nth}_player_id" for nth in ORDINALS)),
    columns=declare_columns(*ORDINALS),
    chunk_key="game_id",
    inputs=(PLAYS, ON_ICE, STINTS, LINEUPS, GAMES, SHOTS),
    source=pair_game,
    checks={"two defensemen, ids ascending": pl.col("first_player_id") < pl.col("second_player_id")},
)
