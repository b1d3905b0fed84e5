"""Defense pairs: two defensemen together, by season."""

import polars as pl

from nhl_lake.gold.measures.combinations import declare_season_columns, sum_combinations
from nhl_lake.gold.pair_game import ORDINALS, PAIR_GAME
from nhl_lake.schema.table import Table


def pair_season(pair_game: pl.LazyFrame) -> pl.LazyFrame:
    """One row per season, game type, team and pair: the sums of its games at 5on5.

    A count that is null in all games is null here. Names and abbreviations are those of the last game together.
    """
    return sum_combinations(pair_game, ORDINALS)


PAIR_SEASON = Table(
    name="gold.pair_season",
    grain="one pair of defensemen of a team in a season and game type, at 5on5",
    key=("season", "game_type", "team_id", *(f"{nth}_player_id" for nth in ORDINALS)),
    columns=declare_season_columns(*ORDINALS),
    inputs=(PAIR_GAME,),
    source=pair_season,
    checks={"two defensemen, ids ascending": pl.col("first_player_id") < pl.col("second_player_id")},
)
