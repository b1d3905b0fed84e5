"""What a person sees: progress, summaries and tables, on a terminal, under cron, or as JSON."""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

import polars as pl
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table as Grid

from nhl_lake.hockey.calendar import EASTERN
from nhl_lake.ingest.planner import count_by_reason
from nhl_lake.ingest.run import IngestSummary
from nhl_lake.ingest.writer import sum_page_counts
from nhl_lake.quality.audit import Finding
from nhl_lake.queries.status import LakeStatus
from nhl_lake.queries.trace import TraceEntry
from nhl_lake.rebuild.publish import RebuiltPartition

LINE_EVERY_S = 30.0
ROWS_SHOWN = 12
KINDS_SHOWN = 20


def make_console() -> Console:
    """Return the console that results go to: as wide as the terminal or as COLUMNS says, in a file 200 wide."""
    has_width = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal()
    return Console(soft_wrap=True, highlight=False, width=None if has_width else 200)


def format_size(number: float) -> str:
    """Return bytes as people say them."""
    for unit in ("B", "KB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def make_grid(columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> Grid:
    """Return a plain table; unknown is '–'."""
    table = Grid(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*("–" if cell is None else f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
    return table


class FetchProgressBar:
    """Progress of a run: a bar with rate and time left on a terminal, a line now and then elsewhere, or nothing."""

    def __init__(self, *, quiet: bool, now: float | None = None) -> None:
        self.quiet = quiet
        self.total = self.done = 0
        self.started_at = self.printed_at = time.monotonic() if now is None else now
        self.progress: Progress | None = None
        if not quiet and sys.stderr.isatty():
            self.progress = Progress(
                TextColumn("asking"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("pages  {task.fields[rate]}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self.task = self.progress.add_task("asking", total=0, rate="")

    def display(self) -> AbstractContextManager[object]:
        """Show the bar while the block runs."""
        return self.progress or nullcontext()

    def add_pages(self, pages: int) -> None:
        """So many more pages are to be asked for."""
        self.total += pages
        if self.progress:
            self.progress.update(self.task, total=self.total)

    def advance(self) -> None:
        """A page was answered."""
        self.done += 1
        now = time.monotonic()
        rate = self.done / max(now - self.started_at, 0.001)
        if self.progress:
            self.progress.update(self.task, completed=self.done, rate=f"{rate:.1f}/s")
        elif not self.quiet and now - self.printed_at >= LINE_EVERY_S:
            self.printed_at = now
            left = (self.total - self.done) / rate
            self.log(f"{self.done:,} of {self.total:,} pages, {rate:.1f} a second, about {left:.0f} s left")

    def log(self, line: str) -> None:
        """Print a line beside the progress."""
        if not self.quiet:
            (self.progress.console if self.progress else Console(stderr=True)).print(line, highlight=False)


class RebuildProgressBar:
    """Progress of a rebuild: a line for each published partition, and on a terminal a bar with the time left."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self.progress: Progress | None = None
        if not quiet and sys.stdout.isatty():
            columns = (TextColumn("rebuilding"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
            self.progress = Progress(*columns, console=make_console(), transient=True)
            self.task = self.progress.add_task("rebuilding", total=None)

    def display(self) -> AbstractContextManager[object]:
        """Show the bar while the block runs."""
        return self.progress or nullcontext()

    def set_total(self, partitions: int) -> None:
        """Set how many partitions there are to compare, and to build if they changed."""
        if self.progress:
            self.progress.update(self.task, total=partitions)

    def set_completed(self, partitions: float) -> None:
        """Set how many of them are done."""
        if self.progress:
            self.progress.update(self.task, completed=partitions)

    def show_partition(self, partition: RebuiltPartition) -> bool:
        """Print a rebuilt partition. Return true: callers sum it to a count."""
        if not self.quiet:
            season = "all" if partition.season is None else str(partition.season)
            games = "" if partition.games is None else f"  {partition.games:,} games"
            out = self.progress.console if self.progress else make_console()
            out.print(f"{partition.table:22} {season:>8} {partition.rows:>12,} rows{games}")
        return True


def show_summary(summary: IngestSummary) -> None:
    """Print what a run did: a line a table, what waits and for what, what failed by name, and what was rebuilt."""
    out = make_console()
    rows = [
        (name, t.asked, t.new, t.changed, t.unchanged, t.not_there, t.failed)
        for name, t in sorted(summary.page_counts.items())
    ]
    heads = ["table", "asked", "new", "changed", "unchanged", "not there", "failed"]
    out.print(make_grid(heads, rows, right=heads[1:]))
    total = sum_page_counts(summary.page_counts)
    out.print(
        f"\n{total['asked']:,} pages asked for in {summary.seconds:,.0f} s: rows {total['new']:,} new, "
        f"{total['changed']:,} changed, {total['unchanged']:,} unchanged; "
        f"{total['not_there']:,} pages not there (404), {total['failed']:,} failed."
    )
    if summary.waiting.height:
        out.print("\nWaiting:")
        waits = summary.waiting.select("table", "pages", "why", "newest").iter_rows()
        out.print(make_grid(["table", "pages", "for", "newest"], waits, right=["pages"]))
    reasons = [f"{name} {reason}" for name, t in summary.page_counts.items() for reason in t.reasons]
    if reasons:
        out.print("\nCould not be had, and will be asked for again by the next run:")
        for reason in reasons:
            out.print(f"  {reason}", markup=False)
    for made in summary.rebuilt:
        season = "" if made.season is None else f", season {made.season}"
        out.print(f"rebuilt {made.table}{season}: {made.rows:,} rows")
    if summary.outcome == "stopped":
        out.print("\nStopped: what had arrived is kept, and the next run goes on from there.")


def show_incomplete(summary: IngestSummary) -> None:
    """Print what is incomplete on stderr, also when nothing else is printed: a line a kind."""
    out = Console(stderr=True, soft_wrap=True, highlight=False)
    for line in summary.incomplete[:KINDS_SHOWN]:
        out.print(f"Incomplete: {line}", markup=False)
    if len(summary.incomplete) > KINDS_SHOWN:
        out.print(f"Incomplete: {len(summary.incomplete) - KINDS_SHOWN} more kinds; `nhl-lake status` lists them.")


def format_summary_json(summary: IngestSummary) -> str:
    """Return the summary as JSON."""
    return format_json(
        {
            "run_id": summary.run_id,
            "outcome": summary.outcome,
            "exit_code": summary.exit_code,
            "seconds": round(summary.seconds, 3),
            "seasons": summary.seasons,
            "pages": dict(sum_page_counts(summary.page_counts)),
            "tables": {name: vars(tally) for name, tally in summary.page_counts.items()},
            "incomplete": summary.incomplete,
            "waiting": summary.waiting.to_dicts(),
            "rebuilt": [made._asdict() for made in summary.rebuilt],
        }
    )


def format_json(value: object) -> str:
    """Return a value as JSON; days and instants as text, letters escaped where the output is not in UTF-8."""
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
    return json.dumps(value, indent=2, default=str, ensure_ascii=not is_unicode)


def show_plan(asks: pl.DataFrame, *, verbose: bool, rate: float, schedule_pages: int, rebuilt: Sequence[str]) -> None:
    """Print a plan: a line a kind and reason, what it costs, and each page if asked for."""
    out = make_console()
    if verbose:
        rows = asks.select("table", "page", "why").iter_rows()
        out.print(make_grid(["table", "page", "why"], rows), "")
    rows = count_by_reason(asks).select("table", "pages", "why", "newest").iter_rows()
    out.print(make_grid(["table", "pages", "why", "newest"], rows, right=["pages"]))
    pages = asks.height + schedule_pages
    minutes = (
        f"{pages / rate / 60:,.1f} minutes at {rate:g} a second" if rate else "as fast as they come (no rate limit)"
    )
    out.print(f"\nA run would ask for {pages:,} pages ({schedule_pages} of them the schedule and lists): {minutes}.")
    out.print("Players met for the first time, and reports of games with an empty chart, come on top: in a new lake,")
    out.print("some 30 players a team.")
    out.print(f"Tables to be rebuilt: {', '.join(rebuilt) or 'none'}.")
    out.print("Nothing was kept: this was a dry run.")


def format_eastern_time(instant: datetime) -> str:
    """Return an instant as a fan in New York reads it."""
    return f"{instant.astimezone(EASTERN):%a %d %b %Y %H:%M} ET"


def show_status(status: LakeStatus, *, is_short: bool = False) -> None:
    """Print the status of the lake; a short one for the demo."""
    out = make_console()
    out.print(status.freshness, style="bold")
    heads = ["season", "data from", "through", "complete", "partial", "incomplete", "open", "before", "to come"]
    texts = [(str(season), *rest) for season, *rest in status.seasons]
    out.print("", make_grid(heads, texts, right=heads[3:]))
    if status.quarantined:
        some = ", ".join(status.quarantined[:5]) + (" …" if len(status.quarantined) > 5 else "")
        out.print(f"{len(status.quarantined)} could not be made: {some}. `nhl-lake check` says why.")
    for season in status.seasons:
        if season.not_requested and not is_short:
            year = season.season // 10_000
            out.print(
                f"{season.not_requested:,} earlier games were never fetched: run `nhl-lake ingest --season {year}`."
            )
    if status.reasons.height:
        whys = status.reasons.select(
            pl.col("season").cast(pl.String), "stands", "games", "why", pl.col("newest").cast(pl.String)
        )
        out.print("\nPartial, incomplete and open games:")
        out.print(make_grid(["season", "stands", "games", "why", "newest"], whys.iter_rows(), right=["games"]))
    show_failures(status)
    if status.next_games.height:
        out.print("\nNext games:")
        for game in status.next_games.head(4 if is_short else 10).iter_rows(named=True):
            out.print(
                f"  {format_eastern_time(game['start_at'])}  {game['away_team_abbrev']} at {game['home_team_abbrev']}"
            )
    if is_short:
        return
    out.print("\nTables:")
    sizes = [(t.name, s["rows"], s["files"], format_size(s["bytes"]), s["version"]) for t, s in status.sizes]
    heads = ["table", "rows", "files", "on disk", "version"]
    out.print(make_grid(heads, sizes, right=heads[1:]))
    run = status.last_run
    if run is None:
        out.print("\nNo run is recorded.")
    else:
        out.print(f"\nLast run: {run['command']}, {format_eastern_time(run['started_at'])}: {run['outcome']}.")
        if run["error"]:
            out.print(f"  {run['error']}", markup=False)


def show_failures(status: LakeStatus) -> None:
    """Print why pages that are still missing could not be had."""
    if status.failures.is_empty():
        return
    out = make_console()
    out.print("\nLast failures of pages that are still missing:")
    last = status.failures.head(ROWS_SHOWN).iter_rows()
    rows = ((table, page, failure, format_eastern_time(at)) for table, page, failure, at in last)
    out.print(make_grid(["table", "page", "failure", "when"], rows))
    if status.failures.height > ROWS_SHOWN:
        out.print(f"… {status.failures.height - ROWS_SHOWN:,} more; `--json` prints all.")


def show_runs(runs: pl.DataFrame) -> None:
    """Print runs, the newest first."""
    rows = []
    for run in runs.iter_rows(named=True):
        pages: list[dict[str, Any]] = run["pages"]
        total = {k: sum(p[k] for p in pages) for k in ("asked", "new", "changed", "failed")}
        seconds = (run["ended_at"] - run["started_at"]).total_seconds()
        rows.append(
            (
                f"{run['started_at']:%Y-%m-%d %H:%M:%S}",
                run["outcome"],
                f"{seconds:,.0f} s",
                *total.values(),
                run["command"],
            )
        )
    heads = ["started (UTC)", "outcome", "took", "asked", "new", "changed", "failed", "command"]
    make_console().print(make_grid(heads, rows, right=heads[2:7]))
    for run in runs.iter_rows(named=True):
        if run["error"]:
            make_console().print(f"{run['started_at']:%Y-%m-%d %H:%M:%S}: {run['error']}", markup=False)


def show_frame(rows: pl.DataFrame) -> None:
    """Print rows of a table, long text cut."""
    with pl.Config(tbl_rows=-1, tbl_cols=-1, fmt_str_lengths=40, tbl_width_chars=-1, tbl_hide_dataframe_shape=True):
        make_console().print(str(rows), markup=False)


def show_findings(findings: Sequence[Finding]) -> None:
    """Print what is wrong with what was made: the worst first."""
    order = {"error": 0, "warning": 1, "info": 2}
    rows = [
        (f.severity, f.table, f.issue, f.occurrences, f.examples)
        for f in sorted(findings, key=lambda f: order[f.severity])
    ]
    if rows:
        make_console().print(make_grid(["severity", "table", "what", "how many", "such as"], rows, right=["how many"]))
    worst = Counter(f.severity for f in findings)
    make_console().print(
        ", ".join(f"{worst[kind]} kinds of {kind}s" for kind in order) if rows else "Everything holds."
    )


def show_corrections(rows: pl.DataFrame, unread: Sequence[str]) -> None:
    """Print what the NHL changed after the fact."""
    if rows.is_empty():
        make_console().print("The NHL has changed nothing in final games since then, as far as the lake has seen.")
    else:
        names = ["seen", "game", "table", "player", "event", "field", "was", "is"]
        lines = [
            (format_eastern_time(seen), str(game), *map(format_value, rest)) for seen, game, *rest in rows.iter_rows()
        ]
        make_console().print(make_grid(names, lines))
    for page in unread:
        make_console().print(f"could not be read: {page}")


def format_value(value: object) -> str | None:
    """Return a value as text: ids without separators."""
    return None if value is None else str(value)


def show_traced_rows(said: TraceEntry) -> None:
    """Print what a table says of a game."""
    make_console().print(
        f"\n{said.table.name}  {said.row_count:,} row{'' if said.row_count == 1 else 's'}", style="bold"
    )
    if said.rows.height == 1:
        make_console().print(
            make_grid(["", ""], [(name, format_value(value)) for name, value in said.rows.row(0, named=True).items()])
        )
    elif said.rows.height:
        few = said.rows.head(ROWS_SHOWN)
        make_console().print(make_grid(few.columns, [list(map(format_value, row)) for row in few.iter_rows()]))
        if said.rows.height > ROWS_SHOWN:
            make_console().print(f"… {said.rows.height - ROWS_SHOWN:,} more; `--json` prints all.")
