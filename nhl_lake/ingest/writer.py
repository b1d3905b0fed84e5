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
from nhl_lake.schema.table import Part, Table, page_name
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Place
from nhl_lake.store.versions import content

PAGES_AT_ONCE = 256
BYTES_AT_ONCE = 24_000_000
SECONDS_AT_ONCE = 5.0
REASONS_KEPT = 50


class Page(NamedTuple):
    """A page that arrived, read into its parts."""

    table: Table
    url: str
    fetched_at: datetime
    parts: Sequence[Part]


class Absent(NamedTuple):
    """A page that is not there: the answer was 404."""

    table: Table
    page: str
    asked_at: datetime
    state: str | None


@dataclass
class Tally:
    """What a run did with the pages of one table: pages asked for; rows new, changed, unchanged; pages not had."""

    asked: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    not_there: int = 0
    failed: int = 0
    reasons: list[str] = field(default_factory=list)

    def fail(self, page: str, reason: str) -> None:
        """Count a page that could not be had, by name."""
        self.failed += 1
        if len(self.reasons) < REASONS_KEPT:
            self.reasons.append(f"{page}: {reason}")


@dataclass
class Keeper:
    """Gathers pages and writes them in batches, so that memory stays flat and a kill loses seconds."""

    root: Place
    run_id: str
    tallies: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    pages: dict[Table, list[Page]] = field(default_factory=lambda: defaultdict(list))
    absent: list[Absent] = field(default_factory=list)
    schedule: list[tuple[str, datetime]] = field(default_factory=list)  # what of the schedule was read, and when
    met: set[int] = field(default_factory=set)  # players in the line-ups and rosters that came
    held_bytes: int = 0
    held_pages: int = 0
    flushed_at: float = field(default_factory=time.monotonic)

    def take(self, page: Page) -> None:
        """Gather a page."""
        self.pages[page.table].append(page)
        self.held_pages += 1
        self.held_bytes += sum(len(part.body) for part in page.parts)

    def note_schedule(self, read: Sequence[tuple[str, datetime]]) -> None:
        """Gather what of the schedule was read: it is written after the games that were listed."""
        self.schedule += read

    def is_due(self) -> bool:
        """Whether what is gathered should be written now."""
        return (
            self.held_pages >= PAGES_AT_ONCE
            or self.held_bytes >= BYTES_AT_ONCE
            or (self.held_pages > 0 and time.monotonic() - self.flushed_at >= SECONDS_AT_ONCE)
        )

    def flush(self) -> None:
        """Write what is gathered: bronze first, then what the API answered beside pages."""
        pages, absent, schedule = self.pages, self.absent, self.schedule
        self.pages, self.absent, self.schedule = defaultdict(list), [], []
        self.held_bytes = self.held_pages = 0
        answers = [answer(a.table, a.page, "not_there", a.asked_at, a.state, self.run_id) for a in absent]
        answers += [answer(endpoints.SCHEDULE, page, "read", at, None, self.run_id) for page, at in schedule]
        for table in list(pages):
            answers += self.keep(table, pages.pop(table))
        delta_tables.append(self.root, ledger.ANSWERS, pl.DataFrame(answers, schema=ledger.ANSWERS.schema))
        self.flushed_at = time.monotonic()

    def keep(self, table: Table, pages: list[Page]) -> list[dict[str, Any]]:
        """Write the pages of one table, count them, and return the answers for those that were unchanged."""
        rows = frame(table, pages, self.run_id)
        self.met.update(*(part.people for page in pages for part in page.parts))
        is_listing = any(len(page.parts) != 1 for page in pages)
        pages.clear()  # their bodies are in the frame now: memory need not hold them twice
        volatile = table.endpoint.volatile
        kept = delta_tables.keep(self.root, table, rows, lambda a, b: content(a, volatile) == content(b, volatile))
        tally = self.tallies[table.name]
        tally.new += kept.new
        tally.changed += kept.changed
        tally.unchanged += kept.unchanged.height
        if is_listing:
            return []  # a listing is asked for in every run
        state = pl.col("state") if "state" in table.schema else pl.lit(None, pl.String).alias("state")
        same = rows.join(kept.unchanged, on=table.page_key, how="semi").select(page_name(table), "fetched_at", state)
        return [answer(table, page, "unchanged", at, state, self.run_id) for page, at, state in same.iter_rows()]


def answer(table: Table, page: str, what: str, asked_at: datetime, state: str | None, run_id: str) -> dict[str, Any]:
    """Return a row of `lake.answers`."""
    return {
        "table": table.name, "page": page, "answer": what, "asked_at": asked_at, "state": state, "run_id": run_id,
    }  # fmt: skip


def frame(table: Table, pages: Sequence[Page], run_id: str) -> pl.DataFrame:
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


def counts(tallies: Mapping[str, Tally]) -> Counter[str]:
    """Add the tallies of all tables."""
    total: Counter[str] = Counter()
    for tally in tallies.values():
        total.update({k: v for k, v in vars(tally).items() if isinstance(v, int)})
    return total
