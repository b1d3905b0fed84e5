"""Lines: three forwards together, game by game."""

import polars as pl

from nhl_lake.gold.measures.combinations import FORWARD_POSITIONS, count_combinations, declare_columns
from nhl_lake.schema.table import Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.on_ice import ON_ICE
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.stints import STINTS

ORDINALS = ("first", "second", "third")


def line_game(
    plays: pl.LazyFrame, on_ice: pl.LazyFrame, stints: pl.LazyFrame, lineups: pl.LazyFrame, games: pl.LazyFrame
) -> pl.LazyFrame:
    """One row three forwards who were a team's only forwards on the ice at 5on5, with the results of that time.

    Times of a team's lines add up to its time at 5on5 with three forwards, and what happened likewise: stretches with
    two or four forwards are nobody's. Who is a forward is said by the position in this game. Left out: games without
    shifts.
    """
    return count_combinations(plays, on_ice, stints, lineups, games, positions=FORWARD_POSITIONS, ordinals=ORDINALS)


LINE_GAME = Table(
    name="gold.line_game",
    grain="three forwards together at 5on5 in a final game, with the results on the ice at 5on5 only",
    key=("game_id", "team_id", *(f"{nth}_player_id" for nth in ORDINALS)),
    columns=declare_columns(*ORDINALS),
    chunk_key="game_id",
    inputs=(PLAYS, ON_ICE, STINTS, LINEUPS, GAMES),
    source=line_game,
    checks={
        "three forwards, ids ascending": (pl.col("first_player_id") < pl.col("second_player_id"))
        & (pl.col("second_player_id") < pl.col("third_player_id")),
    },
)
