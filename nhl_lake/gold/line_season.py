"""Forward lines: three forwards together, by season."""

import polars as pl

from nhl_lake.gold.line_game import LINE_GAME, ORDINALS
from nhl_lake.gold.measures.combinations import declare_season_columns, sum_combinations
from nhl_lake.schema.table import Table


def line_season(line_game: pl.LazyFrame) -> pl.LazyFrame:
    """One row per season, game type, team and line: the sums of its games at 5on5.

    A count that is null in all games is null here. Names and abbreviations are those of the last game together.
    """
    return sum_combinations(line_game, ORDINALS)


LINE_SEASON = Table(
    name="gold.line_season",
    grain="one line of three forwards of a team in a season and game type, at 5on5",
    key=("season", "game_type", "team_id", *(f"{nth}_player_id" for nth in ORDINALS)),
    columns=declare_season_columns(*ORDINALS),
    inputs=(LINE_GAME,),
    source=line_season,
    checks={
        "three forwards, ids ascending": (pl.col("first_player_id") < pl.col("second_player_id"))
        & (pl.col("second_player_id") < pl.col("third_player_id")),
    },
)
