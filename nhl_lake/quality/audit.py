"""Problems of the data: rows that break rules, quarantined games, games that fail checks, fields that nothing reads."""

from typing import NamedTuple

import polars as pl

from nhl_lake import catalog
from nhl_lake.errors import UnreadableData
from nhl_lake.gold.goalie_game import GOALIE_GAME
from nhl_lake.gold.skater_game import SKATER_GAME
from nhl_lake.gold.team_game import TEAM_GAME
from nhl_lake.gold.xg_model import XG_KIND, decode_card
from nhl_lake.quality import unread_fields
from nhl_lake.schema import checks, ledger
from nhl_lake.silver.game_quality import GAME_QUALITY
from nhl_lake.silver.official_statistics import OFFICIAL_STATISTICS, REPORTS
from nhl_lake.silver.players import PLAYERS
from nhl_lake.silver.quarantine import QUARANTINE
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

MAX_EXAMPLES = 5
# what is counted of the subjects of official reports, and the column with their id
GOLD_OF_SUBJECT = {
    "skater": (SKATER_GAME, "player_id"),
    "goalie": (GOALIE_GAME, "player_id"),
    "team": (TEAM_GAME, "team_id"),
}


class Finding(NamedTuple):
    """One problem: table, issue, severity, number of occurrences, and games or keys of some."""

    table: str
    issue: str
    severity: str
    occurrences: int
    examples: str


def audit_lake(root: Location) -> list[Finding]:
    """Check every table against its rules, every game against its pages, and pages against the fields that are read."""
    return [
        *find_rule_violations(root),
        *find_quarantined(root),
        *find_failed_checks(root),
        *find_report_differences(root),
        *find_unread_paths(root),
        *find_invalid_values(root),
        *find_unnamed_players(root),
        *find_unreadable_models(root),
    ]


def find_rule_violations(root: Location) -> list[Finding]:
    """Return the declared rules that rows break."""
    return [
        Finding(breach.table, breach.rule, "error", breach.row_count, breach.examples)
        for table in catalog.ALL_TABLES
        if table in catalog.TABLES or delta_tables.has_table(root, table)
        for rows in delta_tables.scan_by_season(root, table)
        for breach in checks.find_violations(table, rows)
    ]


def find_quarantined(root: Location) -> list[Finding]:
    """Return the quarantined games."""
    rows = delta_tables.scan_table(root, QUARANTINE).sort(QUARANTINE.key).collect()
    return [
        Finding(table, f"quarantined: {reason}", "error", 1, what)
        for table, what, reason in rows.select("quarantined_by", "subject", "reason").iter_rows()
    ]


def find_failed_checks(root: Location) -> list[Finding]:
    """Return the failed checks of games, worst first."""
    bad = delta_tables.scan_table(root, GAME_QUALITY).filter(pl.col("severity") != "info").sort("game_id")
    by_check = bad.group_by("check", "severity").agg(pl.len(), pl.col("game_id").unique(maintain_order=True)).collect()
    return [
        Finding(GAME_QUALITY.name, what, severity, count, format_examples(games))
        for what, severity, count, games in by_check.sort("severity", "check").iter_rows()
    ]


def find_report_differences(root: Location) -> list[Finding]:
    """Return the statistics of gold that differ from the official reports of `nhl-lake ingest --with reports`."""
    found = []
    official = delta_tables.scan_table_or_empty(root, OFFICIAL_STATISTICS)
    for subject, (table, key) in GOLD_OF_SUBJECT.items():
        statistics = [name for name in REPORTS[subject][2].values() if name in table.schema]
        counted = (
            delta_tables.scan_table_or_empty(root, table)
            .filter(pl.col("situation") == "all")
            .select("game_id", pl.col(key).cast(pl.Int64).alias("subject_id"), pl.col(statistics).cast(pl.Float64))
            .unpivot(statistics, index=["game_id", "subject_id"], variable_name="statistic", value_name="counted")
        )
        different = (
            official.filter(pl.col("subject") == subject)
            .join(counted, on=["game_id", "subject_id", "statistic"])
            .filter(pl.col("value") != pl.col("counted"))
            .group_by("statistic")
            .agg(pl.len(), pl.col("game_id").unique().sort())
            .sort("statistic")
            .collect()
        )
        found += [
            Finding(table.name, f"{name} differs from the official report", "warning", count, format_examples(games))
            for name, count, games in different.iter_rows()
        ]
    return found


def find_unread_paths(root: Location) -> list[Finding]:
    """Return the fields of the newest pages that nothing reads and no list ignores."""
    return [
        Finding(table, f"{path} is not read", "warning", pages, example)
        for table, path, pages, example in unread_fields.iter_unread_paths(root)
    ]


def find_invalid_values(root: Location) -> list[Finding]:
    """Return the invalid values that silver leaves out and `silver.game_quality` does not report."""
    return [
        Finding(table, f"{path} is left out: {why}", "warning", pages, example)
        for table, path, why, pages, example in unread_fields.iter_invalid_fields(root)
    ]


def find_unnamed_players(root: Location) -> list[Finding]:
    """Return the players whose page has no last name."""
    rows = delta_tables.scan_table(root, PLAYERS).filter(pl.col("last_name").is_null()).sort("player_id").collect()
    people = rows["player_id"].to_list()
    return (
        [Finding(PLAYERS.name, "a player has no last name", "warning", len(people), format_examples(people))]
        if people
        else []
    )


def find_unreadable_models(root: Location) -> list[Finding]:
    """Return the fitted models of xG that this release cannot read: an error if it is the newest, which xG is from."""
    fitted = ledger.select_models(delta_tables.scan_table_or_empty(root, ledger.MODELS), XG_KIND).collect()
    newest = fitted["model"].to_list()[-1:]
    found = []
    for name, card in fitted.select("model", "card").iter_rows():
        try:
            decode_card(name, card)
        except UnreadableData as error:
            severity = "error" if name in newest else "warning"
            found.append(Finding(ledger.MODELS.name, error.message.removesuffix("."), severity, 1, name))
    return found


def format_examples(games: list[int]) -> str:
    """Return some game ids as text."""
    return " ".join(map(str, games[:MAX_EXAMPLES])) + (" …" if len(games) > MAX_EXAMPLES else "")
