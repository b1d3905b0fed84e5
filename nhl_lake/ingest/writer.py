"""Collect pages as they arrive, write them in batches, and count them."""

import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl

from nhl_lake.bronze import endpoints
from nhl_lake.schema import ledger
from nhl_lake.schema.table import PageRecord, Table, format_page_name
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location
from nhl_lake.store.page_versions import normalize_content

BATCH_PAGES = 256
BATCH_BYTES = 24_000_000
BATCH_SECONDS = 5.0
MAX_REASONS = 50


class FetchedPage(NamedTuple):
    """A page that arrived, parsed into records."""

    table: Table
    url: str
    fetched_at: datetime
    records: Sequence[PageRecord]


class AbsentPage(NamedTuple):
    """A page that was not found (404)."""

    table: Table
    page: str
    asked_at: datetime
    state: str | None


@dataclass
class PageCounts:
    """What a run did with one table: pages requested; rows new, changed, unchanged; pages not found, failed."""

    asked: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    not_there: int = 0
    failed: int = 0
    reasons: list[str] = field(default_factory=list)

    def count_failure(self, page: str, reason: str) -> None:
        """Count a page that could not be fetched, and note its name and the reason."""
        self.failed += 1
        if len(self.reasons) < MAX_REASONS:
            self.reasons.append(f"{page}: {reason}")


@dataclass
class PageWriter:
    """Collects pages and writes them in batches: memory stays flat, and a kill loses a few seconds of work."""

    root: Location
    run_id: str
    page_counts: dict[str, PageCounts] = field(default_factory=lambda: defaultdict(PageCounts))
    pages: dict[Table, list[FetchedPage]] = field(default_factory=lambda: defaultdict(list))
    absent_pages: list[AbsentPage] = field(default_factory=list)
    schedule_reads: list[tuple[str, datetime]] = field(default_factory=list)  # answers for the schedule, and when
    player_ids: set[int] = field(default_factory=set)  # players in new lineups and rosters
    buffered_bytes: int = 0
    buffered_pages: int = 0
    flushed_at: float = field(default_factory=time.monotonic)

    def add_page(self, page: FetchedPage) -> None:
        """Add a page to the batch."""
        self.pages[page.table].append(page)
        self.buffered_pages += 1
        self.buffered_bytes += sum(len(record.body) for record in page.records)

    def add_schedule_reads(self, reads: Sequence[tuple[str, datetime]]) -> None:
        """Add answers for the schedule. They are written after the games that it listed."""
        self.schedule_reads += reads

    def needs_flush(self) -> bool:
        """Whether to write the batch now."""
        return (
            self.buffered_pages >= BATCH_PAGES
            or self.buffered_bytes >= BATCH_BYTES
            or (self.buffered_pages > 0 and time.monotonic() - self.flushed_at >= BATCH_SECONDS)
        )

    def flush(self) -> None:
        """Write the batch: bronze first, then `lake.answers`."""
        pages, absent, schedule = self.pages, self.absent_pages, self.schedule_reads
        self.pages, self.absent_pages, self.schedule_reads = defaultdict(list), [], []
        self.buffered_bytes = self.buffered_pages = 0
        answers = [make_answer_row(a.table, a.page, "not_there", a.asked_at, a.state, self.run_id) for a in absent]
        answers += [make_answer_row(endpoints.SCHEDULE, page, "read", at, None, self.run_id) for page, at in schedule]
        for table in list(pages):
            answers += self.store_pages(table, pages.pop(table))
        delta_tables.append_to_ledger(self.root, ledger.ANSWERS, pl.DataFrame(answers, schema=ledger.ANSWERS.schema))
        self.flushed_at = time.monotonic()

    def store_pages(self, table: Table, pages: list[FetchedPage]) -> list[dict[str, Any]]:
        """Write the pages of one table, count them, and return the answers for unchanged pages."""
        rows = make_page_rows(table, pages, self.run_id)
        self.player_ids.update(*(record.player_ids for page in pages for record in page.records))
        is_listing = any(len(page.records) != 1 for page in pages)
        pages.clear()  # their bodies are in the frame now: free the memory
        ignored = table.endpoint.ignored_keys
        stored = delta_tables.store_pages(
            self.root, table, rows, lambda a, b: normalize_content(a, ignored) == normalize_content(b, ignored)
        )
        counts = self.page_counts[table.name]
        counts.new += stored.new
        counts.changed += stored.changed
        counts.unchanged += stored.unchanged.height
        if is_listing:
            return []  # every run requests a list
        state = pl.col("state") if "state" in table.schema else pl.lit(None, pl.String).alias("state")
        unchanged = rows.join(stored.unchanged, on=table.page_key, how="semi").select(
            format_page_name(table), "fetched_at", state
        )
        return [
            make_answer_row(table, page, "unchanged", at, state, self.run_id)
            for page, at, state in unchanged.iter_rows()
        ]


def make_answer_row(
    table: Table, page: str, answer: str, asked_at: datetime, state: str | None, run_id: str
) -> dict[str, Any]:
    """Return a row of `lake.answers`."""
    return {
        "table": table.name, "page": page, "answer": answer, "asked_at": asked_at, "state": state, "run_id": run_id,
    }  # fmt: skip


def make_page_rows(table: Table, pages: Sequence[FetchedPage], run_id: str) -> pl.DataFrame:
    """Return the rows of pages."""
    columns: Mapping[str, list[Any]] = {name: [] for name in table.schema}
    for page in pages:
        for record in page.records:
            row = {
                "season": record.season, "game_date": record.game_date, "state": record.state,
                "fetched_at": page.fetched_at, "url": page.url, "run_id": run_id,
                "body_bytes": len(record.body), "body": record.body,
                "sha256": hashlib.sha256(record.body).hexdigest(), **record.key,
            }  # fmt: skip
            for name, values in columns.items():
                values.append(row[name])
    # Polars converts bytes ten times as fast as str
    schema = {name: pl.Binary if name == "body" else table.schema[name] for name in columns}
    rows = pl.DataFrame(columns, schema=schema).with_columns(pl.col("body").cast(pl.String))
    return rows.select(table.schema.names())


def sum_page_counts(page_counts: Mapping[str, PageCounts]) -> Counter[str]:
    """Add up the counts of all tables."""
    total: Counter[str] = Counter()
    for counts in page_counts.values():
        total.update({k: v for k, v in vars(counts).items() if isinstance(v, int)})
    return total
