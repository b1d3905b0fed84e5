"""Games and other subjects (players, teams, days, …) that a table quarantined in its last build."""

import dataclasses

import polars as pl

from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table

QUARANTINE = Table(
    name="silver.quarantine",
    grain="one game or other subject (a player, a team, a day, …) that a table quarantined in its last build, and why",
    key=("quarantined_by", "subject"),
    columns=(
        dataclasses.replace(c.season, nullable=True),
        Column("quarantined_by", pl.String, "Table that has no rows for it"),
        Column("subject", pl.String, "What is quarantined: a game id, or the name of another key and its value"),
        dataclasses.replace(c.game_id, nullable=True),
        Column("reason", pl.String, "What could not be read, or the check that its rows fail"),
    ),
    source=None,  # the rebuild writes it together with the tables
)
