"""Tables of other places, imported from files: MoneyPuck's, and those of the pipeline that nhl-lake replaces.

They are never mixed with pages of the NHL: no table is built from them, and no rebuild touches them. Here are the key
and the columns that every import adds. All other columns are those of the file, under its names.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table

LAYER = "external"
SEASON, PLAYOFFS = "imported_season", "is_playoffs"
SEASON_SOURCES = ("season", "SEASON", "gameId", "GAME_ID")  # the first of these that a file has
DESCRIPTIONS = {
    "playerId": "Player id of the NHL", "gameId": "Game id of the NHL", "GAME_ID": "Game id of the NHL",
    "team": "Team, as the file writes it", "situation": "Strength, as the file writes it",
    "lineId": "Ids of the players, one after the other", "shotID": "Number of the shot in its season",
}  # fmt: skip
TEXTS = {"team", "situation", "lineId"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalFile:
    """A kind of file: its table, the columns by which it is known, and the rows that a file replaces.

    marks: columns that a file of this kind has, and no kind before it in the list. scope: a file replaces the rows that
    have its values in these columns.
    """

    table: Table
    source: str
    kind: str
    marks: frozenset[str]
    scope: tuple[str, ...]


def declare(
    source: str, kind: str, grain: str, keys: Sequence[str], marks: Sequence[str], scope: Sequence[str] = ()
) -> ExternalFile:
    """Declare a kind of file."""
    added = (
        Column(SEASON, pl.Int64, "Year in which the season begins: 2023 is 2023-24"),
        *([Column(PLAYOFFS, pl.Boolean, "Whether the file is about the playoffs")] if PLAYOFFS in keys else []),
        *(Column(k, pl.String if k in TEXTS else pl.Int64, DESCRIPTIONS[k]) for k in keys if k in DESCRIPTIONS),
        Column("source_file", pl.String, "Name of the file or folder"),
        Column("source_sha256", pl.String, "SHA-256 of the file, or of the data files of the folder"),
        Column("imported_at", c.UTC, "When it was imported", "UTC"),
    )
    table = Table(
        name=f"{LAYER}.{source}_{kind}",
        grain=grain,
        key=(SEASON, *keys),
        columns=added,
        source=None,
        partition=SEASON,
        checks={"the season is a year": pl.col(SEASON).is_between(1917, 2199)},
    )
    return ExternalFile(
        table=table, source=source, kind=kind, marks=frozenset({*marks, *keys} - {PLAYOFFS}), scope=(SEASON, *scope)
    )


def add_file_columns(table: Table, schema: pl.Schema) -> Table:
    """Return a table with all columns that its rows have, those of the file among them."""
    declared = {column.name: column for column in table.columns}
    columns = (
        declared.get(name) or Column(name, dtype, "As in the file", nullable=True) for name, dtype in schema.items()
    )
    return replace(table, columns=tuple(columns))


SUMMARY = (PLAYOFFS,)
MONEYPUCK = (
    declare("moneypuck", "shots", "one shot of MoneyPuck's file of shots", ("shotID",), ("xGoal", "shotType")),
    declare("moneypuck", "lines", "one line or pair in a season, in one situation",
            ("lineId", "team", "situation", PLAYOFFS), ("games_played",), SUMMARY),
    declare("moneypuck", "skater_games", "one skater in a game, in one situation",
            ("playerId", "gameId", "situation"), ("I_F_xGoals", "icetime"), ("playerId",)),
    declare("moneypuck", "skaters", "one skater in a season, in one situation",
            ("playerId", "team", "situation", PLAYOFFS), ("I_F_xGoals", "games_played"), SUMMARY),
    declare("moneypuck", "goalies", "one goalie in a season, in one situation",
            ("playerId", "team", "situation", PLAYOFFS), ("ongoal", "games_played"), SUMMARY),
    declare("moneypuck", "games", "one team in a game, in one situation",
            ("gameId", "team", "situation"), ("xGoalsFor", "opposingTeam"), ("team",)),
    declare("moneypuck", "teams", "one team in a season, in one situation",
            ("team", "situation", PLAYOFFS), ("xGoalsFor", "games_played"), SUMMARY),
)  # fmt: skip
PREDECESSOR = (
    declare("predecessor", "player_game_stats", "one skater in a game, in one situation",
            ("playerId", "gameId", "situation"), ("I_F_shotsOnGoal",)),
    declare("predecessor", "games_historical", "one team in a game, in one situation",
            ("gameId", "team", "situation"), ("goalsFor",)),
    declare("predecessor", "skaters", "one skater in a season, in one situation",
            ("playerId", "situation"), ("player_icetime",)),
    declare("predecessor", "schedule", "one game of the schedule", ("GAME_ID",), ("HOME", "AWAY", "DATE")),
)  # fmt: skip
FILES = (*MONEYPUCK, *PREDECESSOR)
TABLES = tuple(file.table for file in FILES)
