"""Build a site of a lake: a folder of pages that works from a disk and on any static host.

A page is drawn only if what it shows has changed, and written only if its bytes differ. The bytes depend on the lake
alone: a site that grew day by day is the same as one built at once.
"""

import multiprocessing
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from nhl_lake.catalog import TABLES
from nhl_lake.errors import BadInput, LakeError
from nhl_lake.hockey.ids import format_season
from nhl_lake.queries.coverage import describe_seasons, list_seasons
from nhl_lake.rebuild.executors import exit_with_parent
from nhl_lake.reports import page
from nhl_lake.reports.page_digest import digest_texts, hash_drawing
from nhl_lake.reports.site_folder import Manifest, PageRecord, SiteFolder, hash_body, open_locked_site, open_site
from nhl_lake.reports.site_pages import KINDS, DrawnPage, PlannedPage, Targets, draw_pages, list_targets, plan_pages
from nhl_lake.reports.site_search import render_names
from nhl_lake.schema import ledger
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

ASSETS = ("style.css", "script.js", "search.js")
NAMES = "names.js"
SHARED_FILES = (*ASSETS, NAMES)
WORKERS = 2
CHUNK = 40  # pages: what a worker holds in memory at once
POOL_PAGES = 240  # fewer are drawn before two processes have started
THREADS = "POLARS_MAX_THREADS"

Progress = Callable[[int, int], None]  # pages that are done, of how many


class SiteSummary(NamedTuple):
    """What a build did: pages and other files of the site, those written and removed, and the size of all in bytes."""

    pages: int
    files: int
    written: int
    removed: int
    bytes: int


class DrawTask(NamedTuple):
    """Pages of one kind and season for a worker to draw and write."""

    root: Location
    folder: Path
    kind: str
    season: int
    now: datetime
    numbers: Sequence[str]
    targets: Targets


class WrittenPage(NamedTuple):
    """A page that was drawn: its path, what the manifest says of it, and whether its bytes were new."""

    path: str
    record: PageRecord
    is_new: bool


class Site(NamedTuple):
    """What all pages of a site share: the lake, its seasons, and the time of its newest run."""

    root: Location
    seasons: Sequence[int]
    now: datetime


def choose_site(root: Location, seasons: Sequence[int]) -> Site:
    """Return the site of some seasons of a lake; by default of the newest."""
    known = list_seasons(root, "silver.games")
    if not known:
        raise LakeError(f"The lake at {root} has no games.", "Run `nhl-lake ingest`, then build the site.")
    for season in seasons:
        if season not in known:
            raise BadInput(
                f"The lake has no games of {format_season(season)}.",
                f"It has {describe_seasons(known)}. `nhl-lake ingest --season {season // 10_000}` fetches that season.",
            )
    return Site(root, sorted(seasons) or [max(known)], find_last_run(root))


def find_last_run(root: Location) -> datetime:
    """Return when the newest run of the lake ended: the time at which its pages are true."""
    runs = delta_tables.scan_table(root, ledger.RUNS).select(pl.col("ended_at").max()).collect()
    found: datetime | None = runs.item()
    if found is None:
        raise LakeError(f"No run of the lake at {root} has ended.", "Run `nhl-lake ingest`, then build the site.")
    return found


def build_site(
    root: Location,
    folder: Path,
    seasons: Sequence[int] = (),
    *,
    workers: int = WORKERS,
    progress: Progress = lambda *_: None,
) -> SiteSummary:
    """Write what is new or different, remove pages that are no longer there, and return what was done.

    Raises BadInput for a folder that is not empty and not a site, and LakeLocked while another build writes to it.
    """
    choose_site(root, seasons)  # raises before a folder is made
    with open_locked_site(folder) as site:
        before = site.read_manifest()
        intact = {path: record for path, record in before.files.items() if record.sha256 == site.hash(path)}
        # the versions first: what a run writes in the meantime is then found by the next build
        made_by, made_of = hash_drawing(), hash_versions(root, seasons)
        if (made_by, made_of) == (before.made_by, before.made_of) and len(intact) == len(before.files):
            return summarize(site, before, 0, 0)
        chosen = choose_site(root, seasons)
        planned = plan_pages(*chosen)
        known = intact if made_by == before.made_by else {}
        gone = [path for path in before.files if path not in planned and path not in SHARED_FILES]
        stale = list_stale_pages(planned, known) | list_pages_with_links(site, planned, known, gone)
        planned = {path: one._replace(data=None) for path, one in planned.items()}  # only `stale` holds data from here
        kept = {path: record for path, record in known.items() if path in planned and path not in stale}
        # what is about to be written is listed first: a build after a killed one may then remove it
        unfinished = dict.fromkeys([*before.files, *planned, *SHARED_FILES], PageRecord())
        site.write_manifest(Manifest(made_by, "", unfinished | kept))
        drawn, total = {}, len(stale)
        for one in draw_stale_pages(chosen, site, stale, list_targets(planned.values()), workers):
            drawn[one.path] = one._replace(record=one.record._replace(made_of=planned[one.path].made_of))
            progress(len(drawn), total)
        drawn |= {one.path: one for one in write_assets(site, planned.values())}
        files = kept | {path: one.record for path, one in drawn.items()}
        for path in gone:
            site.remove(path)
        manifest = Manifest(made_by, made_of, files)
        site.write_manifest(manifest)
        return summarize(site, manifest, sum(one.is_new for one in drawn.values()), len(gone))


def hash_versions(root: Location, seasons: Sequence[int]) -> str:
    """Return a digest of the identity and the version of every table, and of the chosen seasons."""

    def describe(root: Location, table: Table) -> str:
        if not delta_tables.has_table(root, table):
            return ""
        delta = delta_tables.open_table(root, table)
        return f"{table.name} {delta.metadata().id} {delta.version()}"

    return digest_texts(*delta_tables.map_tables(root, describe, TABLES), *map(str, sorted(seasons)))


def list_stale_pages(planned: Mapping[str, PlannedPage], known: Mapping[str, PageRecord]) -> dict[str, PlannedPage]:
    """Return the pages that show something else now, or lack a link to a page that is there now."""
    return {
        path: one
        for path, one in planned.items()
        if path not in known or known[path].made_of != one.made_of or any(path in planned for path in known[path].lacks)
    }


def list_pages_with_links(
    site: SiteFolder, planned: Mapping[str, PlannedPage], known: Mapping[str, PageRecord], gone: Collection[str]
) -> dict[str, PlannedPage]:
    """Return the pages that link to a page that is gone."""
    if not gone:
        return {}
    addresses = re.compile("|".join(map(re.escape, gone)).encode())
    return {path: one for path, one in planned.items() if path in known and addresses.search(site.read(path) or b"")}


def draw_stale_pages(
    chosen: Site, site: SiteFolder, stale: dict[str, PlannedPage], targets: Targets, workers: int
) -> Iterator[WrittenPage]:
    """Draw and write pages, in worker processes if they are many. Empties `stale`, to free what it holds."""
    in_pool = workers > 1 and sum(has_reader(one) for one in stale.values()) >= POOL_PAGES
    ready: dict[str, list[tuple[str, Any]]] = {}
    unread: dict[tuple[str, int], list[str]] = {}
    for path in list(stale):
        one = stale.pop(path)
        if one.data is None or (in_pool and has_reader(one)):
            unread.setdefault((one.kind, one.season), []).append(one.number)
        else:
            ready.setdefault(one.kind, []).append((one.number, one.data))
    tasks = [
        DrawTask(chosen.root, site.path, kind, season, chosen.now, numbers[first : first + CHUNK], targets)
        for (kind, season), numbers in unread.items()
        for first in range(0, len(numbers), CHUNK)
    ]
    for kind, pages in ready.items():
        yield from write_pages(site, draw_pages(kind, iter(pages), targets))
    yield from run_in_pool(tasks, workers) if in_pool else (one for task in tasks for one in run_task(task))


def has_reader(one: PlannedPage) -> bool:
    """Return whether a worker can read what a page is drawn from; otherwise the plan has it."""
    return KINDS[one.kind].read is not None


def run_in_pool(tasks: Sequence[DrawTask], workers: int) -> Iterator[WrittenPage]:
    """Run tasks in worker processes."""
    # spawn, not fork: Polars has threads
    with limit_threads(), ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), exit_with_parent) as pool:
        try:
            for future in as_completed([pool.submit(run_task, task) for task in tasks]):
                yield from future.result()
        except BrokenProcessPool as error:
            raise LakeError(
                "A process that drew pages was killed: the machine may be out of memory.",
                "The site has old and new pages. Build it again, with less memory: `--jobs 1`.",
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def limit_threads() -> Iterator[None]:
    """Let processes that start in the block have one thread of Polars each: more would wait for each other."""
    before = os.environ.get(THREADS)
    os.environ[THREADS] = "1"
    try:
        yield
    finally:
        os.environ.pop(THREADS)
        os.environ |= {} if before is None else {THREADS: before}


def run_task(task: DrawTask) -> list[WrittenPage]:
    """Read, draw and write the pages of a task."""
    read = KINDS[task.kind].read
    assert read is not None
    found = read(task.root, task.season, task.now, task.numbers)
    with open_site(task.folder) as site:
        return list(write_pages(site, draw_pages(task.kind, found, task.targets)))


def write_pages(site: SiteFolder, pages: Iterable[DrawnPage]) -> Iterator[WrittenPage]:
    """Write pages whose bytes differ, and yield all."""
    for drawn in pages:
        body = drawn.html.encode()
        yield WrittenPage(drawn.path, PageRecord(hash_body(body), lacks=drawn.lacks), site.write(drawn.path, body))


def write_assets(site: SiteFolder, pages: Collection[PlannedPage]) -> Iterator[WrittenPage]:
    """Write the files that pages share: style, scripts, and the names that the search finds."""
    texts = {name: page.read_asset(name) for name in ASSETS} | {NAMES: render_names(pages)}
    return write_pages(site, (DrawnPage(path, text, ()) for path, text in texts.items()))


def summarize(site: SiteFolder, manifest: Manifest, written: int, removed: int) -> SiteSummary:
    """Return what a build did."""
    sizes = [site.measure(path) for path in manifest.files]
    pages = sum(path.endswith(".html") for path in manifest.files)
    return SiteSummary(pages, len(manifest.files), written, removed, sum(sizes))
