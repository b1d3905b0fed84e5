"""Everything that is wrong with what was made: rules that rows break, games put aside, games that do not add up."""

from typing import NamedTuple

import polars as pl

from nhl_lake import catalog
from nhl_lake.quality import unread_fields
from nhl_lake.schema import checks
from nhl_lake.silver.game_quality import GAME_QUALITY
from nhl_lake.silver.players import PLAYERS
from nhl_lake.silver.quarantine import REFUSALS
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Place

NAMED = 5


class Finding(NamedTuple):
    """One thing that is wrong: where, what, how bad, how often, and the games or keys of some."""

    table: str
    what: str
    severity: str
    how_many: int
    examples: str


def audit(root: Place) -> list[Finding]:
    """Hold every table against its rules, every game against its pages, and pages against what is read of them."""
    return [*broken(root), *aside(root), *doubtful(root), *unread(root), *odd(root), *nameless(root)]


def broken(root: Place) -> list[Finding]:
    """Return the declared rules that rows break."""
    return [
        Finding(breach.table, breach.rule, "error", breach.rows, breach.examples)
        for table in catalog.TABLES
        for rows in delta_tables.by_season(root, table)
        for breach in checks.breaches(table, rows)
    ]


def aside(root: Place) -> list[Finding]:
    """Return the games that tables put aside."""
    rows = delta_tables.scan(root, REFUSALS).sort(REFUSALS.key).collect()
    return [
        Finding(table, f"put aside: {reason}", "error", 1, what)
        for table, what, reason in rows.select("refused_by", "subject", "reason").iter_rows()
    ]


def doubtful(root: Place) -> list[Finding]:
    """Return the checks of games that found something, the worst first."""
    bad = delta_tables.scan(root, GAME_QUALITY).filter(pl.col("severity") != "info").sort("game_id")
    by_check = bad.group_by("check", "severity").agg(pl.len(), pl.col("game_id").unique(maintain_order=True)).collect()
    return [
        Finding(GAME_QUALITY.name, what, severity, count, named(games))
        for what, severity, count, games in by_check.sort("severity", "check").iter_rows()
    ]


def unread(root: Place) -> list[Finding]:
    """Return the keys of the newest pages that nothing reads and nothing ignores by name."""
    return [
        Finding(table, f"nobody reads {path}", "warning", pages, example)
        for table, path, pages, example in unread_fields.unread(root)
    ]


def odd(root: Place) -> list[Finding]:
    """Return the values that silver leaves out of pages that are of no game."""
    return [
        Finding(table, f"{path} is left out: {why}", "warning", pages, example)
        for table, path, why, pages, example in unread_fields.odd_values(root)
    ]


def nameless(root: Place) -> list[Finding]:
    """Return the players whose page says no last name."""
    rows = delta_tables.scan(root, PLAYERS).filter(pl.col("last_name").is_null()).sort("player_id").collect()
    people = rows["player_id"].to_list()
    return [Finding(PLAYERS.name, "a player has no last name", "warning", len(people), named(people))] if people else []


def named(games: list[int]) -> str:
    """Name some games."""
    return " ".join(map(str, games[:NAMED])) + (" …" if len(games) > NAMED else "")
