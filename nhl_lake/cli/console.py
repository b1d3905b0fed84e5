"""What commands print: progress, summaries and tables, for a terminal, a log file, or as JSON."""

import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl
from rich import filesize
from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.segment import Segment
from rich.table import Table as Grid
from rich.text import Text

from nhl_lake.cli import log
from nhl_lake.hockey.calendar import EASTERN
from nhl_lake.text import format_count, show_controls

if TYPE_CHECKING:  # a query prints its rows without loading the rest of the program
    from nhl_lake.ingest.run import IngestSummary
    from nhl_lake.quality.audit import Finding
    from nhl_lake.queries.status import LakeStatus, SeasonStatus
    from nhl_lake.queries.trace import TraceEntry
    from nhl_lake.rebuild.publish import RebuiltPartition

LINE_EVERY_S = 30.0
COLORS = {"error": "red", "warning": "yellow", "W": "green", "L": "red"}
ROWS_SHOWN = 12
KINDS_SHOWN = 20


LINE_BREAKS_AROUND = re.compile(r"(\n*)(.*?)(\n*)", re.DOTALL)


class TextConsole(Console):
    """A console for text of pages: brackets are no markup and colons no emoji; control characters are shown.

    Styles are arguments: print("…", style="bold"). A line break at the start or end of a text is layout; one in between
    comes from a page, and is shown.
    """

    def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401 - as rich has it
        """Return a text as it is."""
        start, inner, end = LINE_BREAKS_AROUND.fullmatch(text).groups()  # type: ignore[union-attr]
        shown = f"{start}{show_controls(inner, lines=False)}{end}"
        return super().render_str(shown, **{**options, "markup": False, "emoji": False, "highlight": False})

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render a text, a grid or a bar. Codes of rich itself are no part of a text."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=show_controls(segment.text))


def make_console(*, stderr: bool = False) -> TextConsole:
    """Return the console for results. It is as wide as the terminal or COLUMNS, and 200 characters in a file."""
    has_width = (sys.stderr if stderr else sys.stdout).isatty() or os.environ.get("COLUMNS", "").isdecimal()
    return TextConsole(soft_wrap=True, highlight=False, width=None if has_width else 200, stderr=stderr)


def format_duration(seconds: float) -> str:
    """Return a duration as text: 45 s, 3:20 min, 1:05 h."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d} h"


def format_size(number: float) -> str:
    """Return a number of bytes with its unit."""
    return filesize.decimal(int(number))


def make_grid(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Sequence[str] = (),
    unbroken: Sequence[str] = (),
    colored: Sequence[str] = (),
) -> Grid:
    """Return a plain table; null is '–'. Cells of `unbroken` columns stay on one line.

    `colored` columns have colors by their first word, on terminals and without NO_COLOR.
    """
    table = Grid(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(
            column, justify="right" if column in right else "left", overflow="fold", no_wrap=column in unbroken
        )
    for row in rows:
        texts = [cell.plain if isinstance(cell, Text) else format_text(cell) for cell in row]
        styles = [COLORS.get(text.partition(" ")[0], "") for text in texts]
        named = zip(columns, texts, styles, strict=True)
        table.add_row(*(Text(text, style if column in colored else "") for column, text, style in named))
    return table


def format_text(cell: object) -> str:
    """Return a cell as text; unknown is '–'. A line break in a name is shown: no name begins a row of its own."""
    return "–" if cell is None else f"{cell:,}" if isinstance(cell, int) else show_controls(str(cell), lines=False)


class FetchProgressBar:
    """Progress of a run: a bar with the rate on a terminal, a line now and then in a log, or nothing.

    The bar pulses while the schedule is read. After that it never moves back: fetched pages lead to more pages, so each
    plan gets most of the rest of the bar, but not all.
    """

    PLAN_SHARE = 0.9

    def __init__(self, *, quiet: bool, now: float | None = None) -> None:
        self.quiet = quiet
        self.total = self.done = self.planned = 0
        self.share = 0.0  # of the bar that is filled
        self.started_at = self.printed_at = time.monotonic() if now is None else now
        self.progress: Progress | None = None
        if not quiet and sys.stderr.isatty() and not log.is_json():
            self.progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[pages]}"),
                console=make_console(stderr=True),
                transient=True,
            )
            self.task = self.progress.add_task("reading the schedule", total=None, pages="")

    def display(self) -> AbstractContextManager[object]:
        """Show the bar while the block runs."""
        return self.progress or nullcontext()

    def add_pages(self, pages: int, *, is_schedule: bool = False) -> None:
        """Add pages to the total."""
        self.total += pages
        if not is_schedule:
            self.planned += pages
            self.plan_end = self.share + (1 - self.share) * self.PLAN_SHARE
            if self.progress:
                self.progress.update(self.task, description="fetching", total=1.0)

    def advance(self) -> None:
        """Count an answered page."""
        if self.planned:
            self.share += (self.plan_end - self.share) / max(self.total - self.done, 1)
        self.done += 1
        now = time.monotonic()
        rate = self.done / max(now - self.started_at, 0.001)
        left = format_duration((self.total - self.done) / rate)
        if self.progress:
            about = f"{self.done:,} of {self.total:,} pages, {rate:.1f} a second, about {left} left"
            pages = about if self.planned else format_count(self.done, "page")
            self.progress.update(self.task, completed=self.share if self.planned else None, pages=pages)
        elif not self.quiet and now - self.printed_at >= LINE_EVERY_S:
            self.printed_at = now
            line = f"{self.done:,} of {self.total:,} pages, {rate:.1f} a second, about {left} left"
            log.write("info", line, done=self.done, total=self.total)

    def log(self, line: str) -> None:
        """Print a line above the progress bar."""
        if self.progress:
            self.progress.console.print(line)
        elif not self.quiet:
            log.write("info", line)


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
        """Set the number of partitions to compare and, if they changed, to build."""
        if self.progress:
            self.progress.update(self.task, total=partitions)

    def set_completed(self, partitions: float) -> None:
        """Set the number of partitions done so far."""
        if self.progress:
            self.progress.update(self.task, completed=partitions)

    def show_partition(self, partition: "RebuiltPartition") -> None:
        """Print a rebuilt partition."""
        if not self.quiet:
            season = "all" if partition.season is None else str(partition.season)
            games = "" if partition.games is None else f"  {format_count(partition.games, 'game')}"
            out = self.progress.console if self.progress else make_console()
            number, noun = format_count(partition.rows, "row").split()
            out.print(f"{partition.table:22} {season:>8} {number:>12} {noun}{games}")


def show_summary(summary: "IngestSummary") -> None:
    """Print what a run did: a line per table, pages for later runs and why, failures, and rebuilt tables."""
    from nhl_lake.ingest.writer import sum_page_counts

    out = make_console()
    rows = [
        (name, t.asked, t.new, t.changed, t.unchanged, t.not_there, t.failed)
        for name, t in sorted(summary.page_counts.items())
    ]
    heads = ["table", "pages", "new", "changed", "unchanged", "not found", "failed"]
    out.print(make_grid(heads, rows, right=heads[1:]))
    total = sum_page_counts(summary.page_counts)
    out.print(
        f"\nFetched {format_count(total['asked'], 'page')} in {summary.seconds:,.0f} s. Rows: {total['new']:,} new, "
        f"{total['changed']:,} changed, {total['unchanged']:,} unchanged. "
        f"Pages: {total['not_there']:,} not found (404), {total['failed']:,} failed."
    )
    if summary.waiting.height:
        out.print("\nWaiting:")
        waits = summary.waiting.select("table", "pages", "why", "newest").iter_rows()
        out.print(make_grid(["table", "pages", "for", "newest"], waits, right=["pages"]))
    reasons = [f"{name} {reason}" for name, t in summary.page_counts.items() for reason in t.reasons]
    if reasons:
        out.print("\nFailed pages, which the next run fetches again:")
        for reason in reasons:
            out.print(f"  {reason}")
    for rebuilt in summary.rebuilt:
        season = "" if rebuilt.season is None else f", season {rebuilt.season}"
        out.print(f"Rebuilt {rebuilt.table}{season}: {format_count(rebuilt.rows, 'row')}")
    if summary.outcome == "stopped":
        out.print("\nStopped. The pages so far are stored; the next run goes on from there.")


def show_incomplete(summary: "IngestSummary") -> None:
    """Print on stderr what is incomplete, one line per kind, also with --quiet."""
    for line in summary.incomplete[:KINDS_SHOWN]:
        log.write("warning", f"Incomplete: {line}")
    if (more := len(summary.incomplete) - KINDS_SHOWN) > 0:
        log.write("warning", f"Incomplete: {more} more kinds; `nhl-lake status` lists them.")


def format_summary_json(summary: "IngestSummary") -> str:
    """Return the summary as JSON."""
    from nhl_lake.ingest.writer import sum_page_counts

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
            "rebuilt": [rebuilt._asdict() for rebuilt in summary.rebuilt],
        }
    )


def format_json(value: object) -> str:
    """Return a value as JSON. Dates and times are text; non-ASCII letters are escaped if the output is not UTF-8."""
    return json.dumps(value, indent=2, default=str, ensure_ascii=not is_unicode_output())


def is_unicode_output() -> bool:
    """Return whether standard output can show any letter."""
    return (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")


def show_plan(
    requests: pl.DataFrame,
    *,
    verbose: bool,
    rate: float,
    schedule_pages: int,
    rebuilt: Sequence[str],
    has_edge: bool = False,
) -> None:
    """Print a plan: a line per table and reason, its cost, and with `verbose` each page.

    has_edge: a run would also request EDGE pages, which depend on its rebuild.
    """
    from nhl_lake.ingest.planner import count_by_reason

    out = make_console()
    if verbose:
        rows = requests.select("table", "page", "why").iter_rows()
        out.print(make_grid(["table", "page", "why"], rows), "")
    rows = count_by_reason(requests).select("table", "pages", "why", "newest").iter_rows()
    out.print(make_grid(["table", "pages", "why", "newest"], rows, right=["pages"]))
    pages = requests.height + schedule_pages
    minutes = f"{pages / rate / 60:,.1f} minutes at {rate:g} a second" if rate else "no rate limit"
    out.print(
        f"\nA run would fetch {format_count(pages, 'page')} ({schedule_pages} of them the schedule "
        f"and lists): {minutes}."
    )
    out.print("New players and reports of games with an empty shift chart come on top:")
    out.print("in a new lake, about 30 players a team.")
    if has_edge:
        out.print("EDGE pages of the players in new games, too, after the rebuild: about 40 a game.")
    out.print(f"Tables to be rebuilt: {', '.join(rebuilt) or 'none'}.")
    out.print("This was a dry run. No changes were made.")


def format_eastern_time(instant: datetime) -> str:
    """Return an instant in New York time."""
    return f"{instant.astimezone(EASTERN):%a %d %b %Y %H:%M} ET"


def show_status(status: "LakeStatus", *, more_problems: Sequence[str] = (), is_short: bool = False) -> None:
    """Print the status of the lake; the first line says whether all is well. The demo prints a short one."""
    out = make_console()
    problems = [*status.problems, *more_problems]
    if problems:
        out.print(f"Attention: {'; '.join(problems)}.", style="bold yellow")
    else:
        out.print(f"All is well: {status.coverage}.", style="bold green")
    show_seasons(status.seasons)
    if status.quarantined:
        some = ", ".join(status.quarantined[:5]) + (" …" if len(status.quarantined) > 5 else "")
        out.print(f"Quarantined: {some}")
    if status.reasons.height:
        whys = status.reasons.select(
            pl.col("season").cast(pl.String),
            pl.col("stands").replace("open", "missing"),
            "games",
            "why",
            pl.col("newest").cast(pl.String),
        )
        out.print("\nGames that lack something:")
        out.print(
            make_grid(
                ["season", "status", "games", "why", "newest"], whys.iter_rows(), right=["games"], unbroken=["newest"]
            )
        )
    show_failures(status)
    if status.next_games.height:
        out.print("\nNext games:")
        for game in status.next_games.head(4 if is_short else 10).iter_rows(named=True):
            out.print(
                f"  {format_eastern_time(game['start_at'])}  {game['away_team_abbrev']} at {game['home_team_abbrev']}"
            )
    if is_short:
        return
    run = status.last_run
    if run is None:
        out.print("\nNo run is recorded.")
    else:
        out.print(f"\nLast run: {run['command']}, {format_eastern_time(run['started_at'])}: {run['outcome']}.")
        if run["error"]:
            out.print(f"  {run['error']}")


def show_seasons(seasons: "Sequence[SeasonStatus]") -> None:
    """Print a line per season, without columns that are all zero."""
    titles = {
        "complete": "complete",
        "partial": "partial",
        "incomplete": "incomplete",
        "pending": "missing",
        "not_requested": "not fetched",
        "upcoming": "upcoming",
    }
    names = [name for name in titles if name == "complete" or any(getattr(one, name) for one in seasons)]
    heads = ["season", "data from", "through", *(titles[name] for name in names)]
    rows = [
        (str(one.season), one.first_game_date, one.complete_through, *(getattr(one, name) for name in names))
        for one in seasons
    ]
    out = make_console()
    out.print("", make_grid(heads, rows, right=heads[3:]))
    for one in seasons:
        if one.not_requested:
            out.print(
                f"Run `nhl-lake ingest --season {one.season // 10_000}` to fetch "
                f"{format_count(one.not_requested, 'older game')}."
            )


def show_failures(status: "LakeStatus") -> None:
    """Print the last failure of each missing page."""
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
    """Print runs, newest first."""
    rows = []
    for run in runs.iter_rows(named=True):
        pages: list[dict[str, Any]] = run["pages"]
        total = {k: sum(p[k] for p in pages) for k in ("asked", "new", "changed", "failed")}
        seconds = (run["ended_at"] - run["started_at"]).total_seconds()
        rows.append(
            (
                f"{run['started_at']:%Y-%m-%d %H:%M}",
                run["outcome"],
                f"{seconds:,.0f} s",
                *total.values(),
                run["command"],
            )
        )
    heads = ["started (UTC)", "outcome", "took", "pages", "new", "changed", "failed", "command"]
    make_console().print(make_grid(heads, rows, right=heads[2:7], unbroken=heads[:7]))
    for run in runs.iter_rows(named=True):
        if run["error"]:
            make_console().print(f"{run['started_at']:%Y-%m-%d %H:%M}: {run['error']}")


def show_findings(findings: "Sequence[Finding]") -> None:
    """Print the findings of a check, errors first."""
    order = {"error": 0, "warning": 1, "info": 2}
    rows = [
        (f.severity, f.table, f.issue, f.occurrences, f.examples)
        for f in sorted(findings, key=lambda f: order[f.severity])
    ]
    if rows:
        make_console().print(
            make_grid(["severity", "table", "what", "count", "examples"], rows, right=["count"], colored=["severity"])
        )
    worst = Counter(f.severity for f in findings)
    make_console().print(
        ", ".join(f"{format_count(worst[kind], 'kind')} of {kind}s" for kind in order)
        if rows
        else "Everything adds up."
    )


def show_corrections(rows: pl.DataFrame, unread: Sequence[str]) -> None:
    """Print what the NHL changed in final games."""
    if rows.is_empty():
        make_console().print("No final game in the lake has changed since then.")
    else:
        names = ["seen", "game", "table", "player", "event", "field", "was", "is"]
        lines = [
            (format_eastern_time(seen), str(game), *map(format_value, rest)) for seen, game, *rest in rows.iter_rows()
        ]
        make_console().print(make_grid(names, lines))
    for page in unread:
        make_console().print(f"Unreadable page: {page}")


def format_value(value: object) -> str | None:
    """Return a value as text: ids without separators."""
    return None if value is None else str(value)


def show_traced_rows(entry: "TraceEntry") -> None:
    """Print a table's rows for a game."""
    make_console().print(
        f"\n{entry.table.name}  {entry.row_count:,} row{'' if entry.row_count == 1 else 's'}", style="bold"
    )
    if entry.rows.height == 1:
        make_console().print(
            make_grid(["", ""], [(name, format_value(value)) for name, value in entry.rows.row(0, named=True).items()])
        )
    elif entry.rows.height:
        few = entry.rows.head(ROWS_SHOWN)
        make_console().print(make_grid(few.columns, [list(map(format_value, row)) for row in few.iter_rows()]))
        if entry.rows.height > ROWS_SHOWN:
            make_console().print(f"… {entry.rows.height - ROWS_SHOWN:,} more; `--json` prints all.")
