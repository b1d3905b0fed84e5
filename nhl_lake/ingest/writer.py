"""Pages as they arrive: gathered, written in batches, and counted."""

import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl

from nhl_lake.bronze import endpoints
from nhl_lake.schema import ledger
from nhl_lake.schema.digest import sha256
from nhl_lake.schema.table import PageRecord, Table, format_page_name
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location
from nhl_lake.store.page_versions import normalize_content

BATCH_PAGES = 256
BATCH_BYTES = 24_000_000
BATCH_SECONDS = 5.0
MAX_REASONS = 50


class FetchedPage(NamedTuple):
    """A page that arrived, read into its parts."""

    table: Table
    url: str
    fetched_at: datetime
    parts: Sequence[PageRecord]


class AbsentPage(NamedTuple):
    """A page that is not there: the answer was 404."""

    table: Table
    page: str
    asked_at: datetime
    state: str | None


@dataclass
class PageCounts:
    """What a run did with the pages of one table: pages asked for; rows new, changed, unchanged; pages not had."""

    asked: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    not_there: int = 0
    failed: int = 0
    reasons: list[str] = field(default_factory=list)

    def count_failure(self, page: str, reason: str) -> None:
        """Count a page that could not be had, by name."""
        self.failed += 1
        if len(self.reasons) < MAX_REASONS:
            self.reasons.append(f"{page}: {reason}")


@dataclass
class PageWriter:
    """Gathers pages and writes them in batches, so that memory stays flat and a kill loses seconds."""

    root: Location
    run_id: str
    page_counts: dict[str, PageCounts] = field(default_factory=lambda: defaultdict(PageCounts))
    pages: dict[Table, list[FetchedPage]] = field(default_factory=lambda: defaultdict(list))
    absent_pages: list[AbsentPage] = field(default_factory=list)
    schedule_reads: list[tuple[str, datetime]] = field(default_factory=list)  # what of the schedule was read, and when
    player_ids: set[int] = field(default_factory=set)  # players in the line-ups and rosters that came
    buffered_bytes: int = 0
    buffered_pages: int = 0
    flushed_at: float = field(default_factory=time.monotonic)

    def add_page(self, page: FetchedPage) -> None:
        """Gather a page."""
        self.pages[page.table].append(page)
        self.buffered_pages += 1
        self.buffered_bytes += sum(len(part.body) for part in page.parts)

    def add_schedule_reads(self, read: Sequence[tuple[str, datetime]]) -> None:
        """Gather what of the schedule was read: it is written after the games that were listed."""
        self.schedule_reads += read

    def needs_flush(self) -> bool:
        """Whether what is gathered should be written now."""
        return (
            self.buffered_pages >= BATCH_PAGES
            or self.buffered_bytes >= BATCH_BYTES
            or (self.buffered_pages > 0 and time.monotonic() - self.flushed_at >= BATCH_SECONDS)
        )

    def flush(self) -> None:
        """Write what is gathered: bronze first, then what the API answered beside pages."""
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
        """Write the pages of one table, count them, and return the answers for those that were unchanged."""
        rows = make_page_rows(table, pages, self.run_id)
        self.player_ids.update(*(part.player_ids for page in pages for part in page.parts))
        is_listing = any(len(page.parts) != 1 for page in pages)
        pages.clear()  # their bodies are in the frame now: memory need not hold them twice
        volatile = table.endpoint.ignored_keys
        kept = delta_tables.store_pages(
            self.root, table, rows, lambda a, b: normalize_content(a, volatile) == normalize_content(b, volatile)
        )
        tally = self.page_counts[table.name]
        tally.new += kept.new
        tally.changed += kept.changed
        tally.unchanged += kept.unchanged.height
        if is_listing:
            return []  # a listing is asked for in every run
        state = pl.col("state") if "state" in table.schema else pl.lit(None, pl.String).alias("state")
        same = rows.join(kept.unchanged, on=table.page_key, how="semi").select(
            format_page_name(table), "fetched_at", state
        )
        return [
            make_answer_row(table, page, "unchanged", at, state, self.run_id) for page, at, state in same.iter_rows()
        ]


def make_answer_row(
    table: Table, page: str, what: str, asked_at: datetime, state: str | None, run_id: str
) -> dict[str, Any]:
    """Return a row of `lake.answers`."""
    return {
        "table": table.name, "page": page, "answer": what, "asked_at": asked_at, "state": state, "run_id": run_id,
    }  # fmt: skip


def make_page_rows(table: Table, pages: Sequence[FetchedPage], run_id: str) -> pl.DataFrame:
    """Make the rows of pages."""
    columns: Mapping[str, list[Any]] = {name: [] for name in table.schema if name != "sha256"}
    for page in pages:
        for part in page.parts:
            row = {
                "season": part.season, "game_date": part.game_date, "state": part.state, "fetched_at": page.fetched_at,
                "url": page.url, "run_id": run_id, "body_bytes": len(part.body), "body": part.body, **part.key,
            }  # fmt: skip
            for name, values in columns.items():
                values.append(row[name])
    # text that Python never made is taken over ten times as fast
    given = {name: pl.Binary if name == "body" else table.schema[name] for name in columns}
    rows = pl.DataFrame(columns, schema=given).with_columns(pl.col("body").cast(pl.String), sha256=sha256("body"))
    return rows.select(table.schema.names())


def sum_page_counts(tallies: Mapping[str, PageCounts]) -> Counter[str]:
    """Add the tallies of all tables."""
    total: Counter[str] = Counter()
    for tally in tallies.values():
        total.update({k: v for k, v in vars(tally).items() if isinstance(v, int)})
    return total
