"""Games that tables put aside."""

import polars as pl

from nhl_lake import columns as c
from nhl_lake.table import Column, Table

REFUSALS = Table(
    name="silver.refusals",
    grain="one game that a table put aside when it was made, and why",
    key=("game_id", "refused_by"),
    columns=(
        c.season,
        c.game_id,
        Column("refused_by", pl.String, "Table that has no rows of the game"),
        Column("reason", pl.String, "What could not be read, or the rule that rows of the game break"),
    ),
    by="game_id",
    source=None,  # written by the rebuild beside the tables
)
