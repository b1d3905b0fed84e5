"""Pairs: two defencemen together, game by game."""

import polars as pl

from nhl_lake.gold.measures.combinations import DEFENSE_POSITIONS, count_combinations, declare_columns
from nhl_lake.schema.table import Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.on_ice import ON_ICE
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.stints import STINTS

ORDINALS = ("first", "second")


def pair_game(
    plays: pl.LazyFrame, on_ice: pl.LazyFrame, stints: pl.LazyFrame, lineups: pl.LazyFrame, games: pl.LazyFrame
) -> pl.LazyFrame:
    """One row two defencemen who were a team's only ones on the ice at 5on5, with the results of that time.

    Times of a team's pairs add up to its time at 5on5 with two defencemen, and what happened likewise: stretches with
    one or three are nobody's. Who is a defenceman is said by the position in this game. Left out: games without
    shifts.
    """
    return count_combinations(plays, on_ice, stints, lineups, games, positions=DEFENSE_POSITIONS, ordinals=ORDINALS)


PAIR_GAME = Table(
    name="gold.pair_game",
    grain="two defencemen together at 5on5 in a final game, with the results on the ice at 5on5 only",
    key=("game_id", "team_id", *(f"{nth}_player_id" for nth in ORDINALS)),
    columns=declare_columns(*ORDINALS),
    chunk_key="game_id",
    inputs=(PLAYS, ON_ICE, STINTS, LINEUPS, GAMES),
    source=pair_game,
    checks={"two defencemen, ids ascending": pl.col("first_player_id") < pl.col("second_player_id")},
)
