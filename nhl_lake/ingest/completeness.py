"""Classify each game: complete, partial, incomplete, open (missing), or older than the lake."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from nhl_lake.bronze import endpoints
from nhl_lake.hockey.calendar import FINAL_STATES, GAME_TYPES
from nhl_lake.ingest.planner import NEVER, NO_REASON, Inventory, PageHistory, summarize_page_history
from nhl_lake.schema import ledger
from nhl_lake.schema.table import Table
from nhl_lake.silver.quarantine import QUARANTINE
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

LONGEST_GAME = timedelta(hours=6)
UNLISTED_AFTER = timedelta(days=2)  # still unplayed by a later schedule: it is no longer listed
UNOFFICIAL = "not official yet"
FAILED_PREFIX = "failed "
FAILURE_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "table": pl.String,
    "page": pl.String,
    "failure": pl.String,
    "failed_at": ledger.RUNS.schema["started_at"],
}


def describe_quarantined(root: Location, seasons: Sequence[int]) -> list[str]:
    """Describe quarantined rows that belong to no game, one line per table and reason."""
    rows = delta_tables.scan_table_or_empty(root, QUARANTINE).filter(pl.col("game_id").is_null())
    mine = rows.filter(pl.col("season").is_null() | pl.col("season").is_in(list(seasons)))
    kinds = (
        mine.sort("subject")
        .group_by("quarantined_by", "reason", maintain_order=True)
        .agg(pl.len(), pl.first("subject"))
    )
    return [
        f"{count:,} quarantined by {table}: {reason} ({subject})"
        for table, reason, count, subject in kinds.collect().iter_rows()
    ]


def classify_games(inventory: Inventory, now: datetime, read_at: datetime, failed: pl.DataFrame) -> pl.DataFrame:
    """Return one row per game that was, or should have been, played: its status in `stands`, and `why`.

    complete: every page is stored, official, and passes the checks. partial: the play-by-play page is stored, but it is
    not official yet, or the API has no page of another kind. incomplete: the play-by-play page is stored, but another
    page failed, or a page fails a check. open: there is no final play-by-play page yet. before: likewise, and the game
    is older than every stored game of its season. `failed` holds the last failures of pages.
    """
    over = pl.col("game_state").is_in(FINAL_STATES)
    must_be_over = pl.col("start_at") + LONGEST_GAME < pl.lit(now)
    # still unplayed when the schedule was read long after its day: it will not be played
    is_listed = (pl.col("start_at") + LONGEST_GAME > pl.lit(read_at)) | (
        pl.lit(now) - pl.col("start_at") < UNLISTED_AFTER
    )
    is_late = (pl.col("schedule_state") == "OK") & must_be_over & is_listed
    games = inventory.games.filter(pl.col("game_type").is_in(list(GAME_TYPES)) & (over | is_late))
    games = games.with_columns(page=pl.col("game_id").cast(pl.String))
    history = summarize_page_history(inventory)
    problems = {table.name: find_page_problems(games, history, table, failed) for table in endpoints.GAME_PAGES}
    checks = find_failed_checks(games, inventory.incomplete)
    rows = games.with_columns(
        checks.alias("lack checks"), *(column.alias(f"lack {name}") for name, column in problems.items())
    )
    confirming = f"lack {endpoints.CONFIRMING_PAGE.name}"
    others = [f"lack {name}" for name in problems if f"lack {name}" != confirming]
    rows = rows.with_columns(why=pl.concat_str(confirming, *others, "lack checks", separator=", ", ignore_nulls=True))
    is_open = pl.col(confirming).is_not_null() & (pl.col(confirming) != UNOFFICIAL)
    begins = pl.col("game_date").filter(is_open.not_()).min().over("season")
    # for an incomplete game list only what is wrong, not pages that the API does not have
    failures = [pl.when(pl.col(name).str.starts_with(FAILED_PREFIX)).then(name) for name in others]
    wrong = pl.concat_str(*failures, "lack checks", separator=", ", ignore_nulls=True)
    stands = (
        pl.when(is_open & (pl.col("game_date") < begins))
        .then(pl.lit("before"))
        .when(is_open)
        .then(pl.lit("open"))
        .when(wrong != "")
        .then(pl.lit("incomplete"))
        .when(pl.col("why") != "")
        .then(pl.lit("partial"))
        .otherwise(pl.lit("complete"))
    )
    why = pl.when(stands == "incomplete").then(wrong).otherwise("why")
    return rows.select("season", "game_id", "game_type", "game_date", stands=stands, why=why)


def find_failed_checks(games: pl.DataFrame, incomplete: pl.DataFrame) -> pl.Series:
    """Return the failed checks of each game; null if it passes all."""
    reasons = incomplete.group_by("page").agg(failed_checks=pl.col("reason").unique().sort().str.join(", "))
    return games.select("page").join(reasons, on="page", how="left", maintain_order="left")["failed_checks"]


def find_page_problems(games: pl.DataFrame, history: PageHistory, table: Table, failed: pl.DataFrame) -> pl.Series:
    """Return what is wrong with each game's page of a table; null if nothing.

    Nothing is wrong with a page that cannot exist (see `first_season`), or whose fallbacks are all there.
    """
    noun = table.name.removeprefix("bronze.").replace("_", " ")
    failures = failed.filter(pl.col("table") == table.name).select("page", "failure")
    seen = (
        games.select("page", "season", "game_type")
        .join(history[table.name], on="page", how="left", maintain_order="left")
        .join(failures, on="page", how="left", maintain_order="left")
    )
    fallbacks = [history[other.name].filter("is_held")["page"].to_list() for other in endpoints.find_fallbacks(table)]
    has_fallbacks = pl.all_horizontal(pl.col("page").is_in(pages) for pages in fallbacks) if fallbacks else NEVER
    first_season = endpoints.GAME_PAGE_RULES[table].first_season or 0
    return seen.select(
        pl.when(has_fallbacks | (pl.col("season") < first_season))
        .then(NO_REASON)
        .when(pl.col("last_at").is_null() & pl.col("failure").is_not_null())
        .then(pl.format(f"{FAILED_PREFIX}{noun}: {{}}", "failure"))
        .when(pl.col("last_at").is_null())
        .then(pl.lit(f"no {noun} yet"))
        .when(pl.col("is_held").is_null())
        .then(pl.lit(f"no {noun} (404)"))
        .when(pl.col("is_empty") & pl.col("reason").is_null())
        .then(pl.lit(f"empty {noun}"))
        .when(pl.col("is_held") & pl.col("last_state").is_in(FINAL_STATES).fill_null(value=False).not_())
        .then(pl.lit(f"{noun} is not final"))
        .when((table is endpoints.CONFIRMING_PAGE) & (pl.col("last_state") == "FINAL") & (pl.col("game_type") != 1))
        .then(pl.lit(UNOFFICIAL))
    ).to_series()


def count_incomplete_games(standing: pl.DataFrame) -> pl.DataFrame:
    """Count the open and incomplete games by reason: why, games, newest."""
    return (
        standing.filter(pl.col("stands").is_in(["incomplete", "open"]))
        .sort("game_id", descending=True)
        .group_by("why", maintain_order=True)
        .agg(games=pl.len(), newest=pl.col("game_id").first())
    )
