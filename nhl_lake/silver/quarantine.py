"""What tables put aside."""

import dataclasses

import polars as pl

from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table

QUARANTINE = Table(
    name="silver.refusals",
    grain="one game, or player, team or day, that a table put aside when it was made, and why",
    key=("refused_by", "subject"),
    columns=(
        dataclasses.replace(c.season, nullable=True),
        Column("refused_by", pl.String, "Table that has no rows of it"),
        Column("subject", pl.String, "What was put aside: a game id, or the name of another key and its value"),
        dataclasses.replace(c.game_id, nullable=True),
        Column("reason", pl.String, "What could not be read, or the rule that its rows break"),
    ),
    source=None,  # written by the rebuild beside the tables
)
