"""Run one ingest: read the schedule, plan and fetch pages until nothing is missing, rebuild, record the run.

Pages are written in batches as they arrive. A run that is killed loses its last seconds. The next run continues,
because it plans from what bronze has.
"""

import asyncio
import gc
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from importlib.metadata import version
from typing import Any, NamedTuple

import httpx
import polars as pl

from nhl_lake import layout
from nhl_lake.bronze import endpoints
from nhl_lake.catalog import TABLES, find_table
from nhl_lake.clock import Clock, make_run_id
from nhl_lake.errors import BadInput, GamesQuarantined, UnreadableData, ValidationFailed, redact_secrets
from nhl_lake.hockey import seasons as calendar
from nhl_lake.hockey.calendar import get_eastern_day
from nhl_lake.hockey.seasons import SECOND_LOOKS
from nhl_lake.ingest import client, completeness, inventory
from nhl_lake.ingest.fetcher import FetchProgress, IngestRun, fetch_pages, interrupt_on_sigterm, stop_on_signals
from nhl_lake.ingest.planner import (
    NOT_FOUND,
    SECOND_LOOK,
    Inventory,
    Scope,
    count_by_reason,
    filter_scope,
    list_incomplete_pages,
    plan_requests,
)
from nhl_lake.ingest.schedule import (
    ScheduleReading,
    drop_duplicate_entries,
    fetch_list,
    read_listed_seasons,
    read_season_schedule,
)
from nhl_lake.ingest.schedule_plan import plan_schedule
from nhl_lake.ingest.writer import PageCounts, PageWriter, sum_page_counts
from nhl_lake.maintenance import compaction
from nhl_lake.rebuild import run as rebuild
from nhl_lake.rebuild.publish import RebuiltPartition
from nhl_lake.schema import ledger
from nhl_lake.store import delta_tables, handles, locks, website
from nhl_lake.store.location import Location

VERSION = version("nhl-lake")
USER_AGENT = f"nhl-lake/{VERSION} (a personal archive of NHL pages; Python httpx)"
GC_THRESHOLD = 20_000  # new objects; Python's own 700 come with every few pages
MAX_ERROR_CHARS = 1_000  # of the error in `lake.runs`
Predict = Callable[[Location, datetime], Iterable[RebuiltPartition]]
EMPTY_WAITING = pl.DataFrame(schema={"table": pl.String, "why": pl.String, "pages": pl.UInt32, "newest": pl.String})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of a run. Seasons have eight digits."""

    seasons: tuple[int, ...] = ()
    since: date | None = None
    lookback_days: int | None = None
    second_looks: tuple[float, ...] = SECOND_LOOKS
    game_types: frozenset[int] = frozenset({1, 2, 3})
    with_pages: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig:
    """How to reach the API.

    base_url: an address that stands in for all hosts, or None. source: whose pages these are. transport: answers in
    this process, for the sample league and for tests; None asks over the network.
    """

    rate_limit: client.RateLimit
    base_url: str | None = None
    source: str = "NHL"
    transport: httpx.AsyncBaseTransport | None = None


@dataclass
class IngestSummary:
    """What a run did, and what is still missing.

    waiting: pages that later runs will request: table, why, pages, newest. incomplete: what is missing, incomplete,
    quarantined or failed: one line per kind, each with an example.
    """

    run_id: str
    seasons: tuple[int, ...]
    page_counts: Mapping[str, PageCounts]
    outcome: str = "error"
    waiting: pl.DataFrame = field(default_factory=lambda: EMPTY_WAITING)
    rebuilt: list[RebuiltPartition] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)
    seconds: float = 0.0
    error: ValidationFailed | None = None

    @property
    def exit_code(self) -> int:
        """0 all done; 3 some pages failed or are incomplete; 130 stopped by the user; 1 an error."""
        return {"done": 0, "incomplete": 3, "stopped": 130}.get(self.outcome, 1)


def ingest(
    root: Location,
    options: Options,
    client_config: ClientConfig,
    *,
    clock: Clock,
    progress: FetchProgress,
    command: str,
    rebuilds: bool,
    predict: Predict | None = None,
    run_id: str | None = None,
) -> IngestSummary:
    """Run once: fetch missing and incomplete pages, rebuild what changed, record the run.

    predict: what predicts the next games after a rebuild. run_id: that of the log; None makes one.
    """
    check_options(options, get_eastern_day(clock()))
    with ExitStack() as stack:
        stack.enter_context(handles.cache_folder_handles())
        with ThreadPoolExecutor() as executor:
            if client_config.transport is None:
                executor.submit(website.load_certificates)  # while the lake is opened
            layout.check_tables(root)
            layout.check_source(root, client_config.source)
        stack.enter_context(locks.hold_lock(root, command, now=clock()))
        started_at = clock()
        summary = IngestSummary(run_id or make_run_id(started_at), (), {})
        try:
            with relax_gc():
                found = asyncio.run(fetch_missing_pages(root, options, client_config, clock, progress, summary))
            if rebuilds and found is not None:
                rebuild_changed(root, clock, summary)
                # the checks of a rebuild find incomplete pages: request these and their fallbacks
                with relax_gc():
                    more = asyncio.run(fetch_incomplete_pages(root, client_config, progress, summary, found))
                if more:
                    rebuild_changed(root, clock, summary)
                predict_next_games(root, clock, summary, predict)
            if found is not None and summary.outcome != "stopped":
                report_incomplete(root, summary, found, clock())
        except KeyboardInterrupt:
            summary.outcome = "stopped"  # pages are stored, and each table is either as before or completely rebuilt
        except ValidationFailed as error:
            summary.outcome, summary.error = (
                "error",
                error,
            )  # pages are stored; tables that were not rebuilt are as before
        except BaseException as error:
            if layout.is_lake(root) and not isinstance(error, UnreadableData):
                record_failed_run(root, summary, command, started_at, clock(), error)
            raise
        summary.seconds = (clock() - started_at).total_seconds()
        if layout.is_lake(root):
            error_text = (
                summary.error.message if summary.error else "; ".join(summary.incomplete)[:MAX_ERROR_CHARS] or None
            )
            record_run(root, summary, command, started_at, clock(), error_text)
            compact_written_tables(root, summary)
    return summary


def rebuild_changed(root: Location, clock: Clock, summary: IngestSummary) -> None:
    """Rebuild silver and gold where pages changed. The end of the run reports quarantined games."""
    with interrupt_on_sigterm(), suppress(GamesQuarantined):
        for rebuilt in rebuild.rebuild(root, day=get_eastern_day(clock())):
            summary.rebuilt.append(rebuilt)


def predict_next_games(root: Location, clock: Clock, summary: IngestSummary, predict: Predict | None) -> None:
    """Predict the next games, if the run has something that predicts and was not stopped."""
    if predict is not None and summary.outcome != "stopped":
        with interrupt_on_sigterm(), suppress(GamesQuarantined):
            summary.rebuilt.extend(predict(root, clock()))


def compact_written_tables(root: Location, summary: IngestSummary) -> None:
    """Merge the small files of the tables that a run has written. The run is recorded: it may be stopped here."""
    changed = {name for name, counts in summary.page_counts.items() if counts.new + counts.changed}
    written = changed | {rebuilt.table for rebuilt in summary.rebuilt}
    with interrupt_on_sigterm(), suppress(KeyboardInterrupt):
        compaction.compact_crowded_tables(
            root,
            [
                ledger.RUNS,
                ledger.ANSWERS,
                ledger.PREDICTIONS,
                ledger.GAME_PREDICTIONS,
                *map(find_table, sorted(written)),
            ],
        )


@contextmanager
def relax_gc() -> Iterator[None]:
    """Keep the garbage collector away from imported modules, and let it look less often: it took a sixth of a run."""
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def check_options(options: Options, today: date) -> None:
    """Raise BadInput for invalid options, before the first request."""
    if options.since is not None and options.since > today:
        raise BadInput(
            f"--since {options.since} is in the future: today is {today} in New York.",
            "Use a day up to today: `nhl-lake ingest --since 2023-10-01`.",
        )
    if options.lookback_days is not None and options.lookback_days < 0:
        raise BadInput(
            f"--lookback {options.lookback_days} is negative.", "Use a number of days: `nhl-lake ingest --lookback 1`."
        )


class FetchResult(NamedTuple):
    """A run after it has fetched pages: its scope, the inventory, and the run itself."""

    scope: Scope
    inventory: Inventory
    run: IngestRun


async def fetch_missing_pages(
    root: Location, options: Options, config: ClientConfig, clock: Clock, report: FetchProgress, summary: IngestSummary
) -> FetchResult | None:
    """Fetch pages until a plan names no new one. Return None if the run was stopped."""
    async with client.open_client(
        config.rate_limit, locks.locate_state_folder(root) / "pace.sqlite", config.transport
    ) as api:
        run = IngestRun(
            root, api, config.base_url, clock, report, PageWriter(root, summary.run_id), source=config.source
        )
        summary.page_counts = run.writer.page_counts
        with stop_on_signals(run):
            run.schedule_task = asyncio.create_task(read_schedule_and_inventory(run, options))
            try:
                scope, found, facts = await run.schedule_task
            except asyncio.CancelledError:
                summary.outcome = "stopped"
                return None
            summary.seasons = scope.seasons
            facts = await asyncio.to_thread(store_schedule, run, scope, found, facts)
            facts = await fetch_until_complete(run, scope, facts)
    summary.outcome = (
        "stopped" if run.is_stopped else "incomplete" if sum_page_counts(run.writer.page_counts)["failed"] else "done"
    )
    # the API does not have these pages of a team or season: later runs need not wait for them
    is_absent = (pl.col("why") == NOT_FOUND) & pl.col("game_id").is_null()
    is_second_look = pl.col("why").str.starts_with(SECOND_LOOK)
    summary.waiting = count_by_reason(run.incomplete.filter(~is_second_look & ~is_absent))
    return None if run.is_stopped else FetchResult(scope, facts, run)


async def fetch_until_complete(run: IngestRun, scope: Scope, facts: Inventory) -> Inventory:
    """Plan and fetch until a plan names no new page, because new pages name others. Return the inventory then."""
    while requests := await asyncio.to_thread(plan_next_requests, run, scope, facts):
        run.progress.add_pages(len(requests))
        await fetch_pages(run, requests)
        requested = {request["table"] for request in requests}
        facts = await asyncio.to_thread(
            inventory.refresh_inventory, run.root, scope.seasons, facts, requested, run.writer.player_ids
        )
    await asyncio.to_thread(run.writer.flush)
    return facts


async def fetch_incomplete_pages(
    root: Location, config: ClientConfig, report: FetchProgress, summary: IngestSummary, found: FetchResult
) -> bool:
    """Fetch the pages that a rebuild names: incomplete ones, their fallbacks, and those of players who have played.

    Return whether there were any.
    """
    scope = found.scope
    facts = replace(
        found.inventory,
        incomplete=inventory.find_incomplete_pages(root, scope.seasons),
        played=inventory.read_played_games(root, scope.seasons, endpoints.select_planned_tables(scope.with_pages)),
    )
    requests_before = len(found.run.requested)
    async with client.open_client(
        config.rate_limit, locks.locate_state_folder(root) / "pace.sqlite", config.transport
    ) as api:
        run = replace(found.run, api=api, progress=report, schedule_task=None)
        with stop_on_signals(run):
            await fetch_until_complete(run, scope, facts)
    if run.is_stopped:
        summary.outcome = "stopped"
    return len(run.requested) > requests_before


def report_incomplete(root: Location, summary: IngestSummary, found: FetchResult, now: datetime) -> None:
    """Report the games of a run that are missing, incomplete or in quarantine; such a run is not done."""
    facts = inventory.read_inventory(root, found.scope.seasons, player_ids=inventory.make_empty_player_ids())
    failed = list_failures(summary)
    standing = completeness.classify_games(facts, now, now, failed)
    standing = standing.join(filter_scope(facts.games, found.scope), on="game_id", how="semi")
    lines = [
        f"{games:,} {'game' if games == 1 else 'games'}: {why} ({newest})"
        for why, games, newest in completeness.count_incomplete_games(standing).iter_rows()
    ]
    in_games = set(standing.filter(pl.col("stands").is_in(["open", "incomplete"]))["game_id"].cast(pl.String))
    others = failed.filter(~pl.col("page").is_in(in_games))
    by_failure = others.group_by("table", "failure", maintain_order=True).agg(pl.len(), pl.col("page").min())
    lines += [
        f"{count:,} {'page' if count == 1 else 'pages'} of {table}: {failure} ({page})"
        for table, failure, count, page in by_failure.iter_rows()
    ]
    lines += completeness.describe_quarantined(root, found.scope.seasons)
    summary.incomplete = lines
    if lines and summary.outcome == "done":
        summary.outcome = "incomplete"


def list_failures(summary: IngestSummary) -> pl.DataFrame:
    """Return the pages that failed in this run, and why: columns of completeness.FAILURE_SCHEMA."""
    rows = [
        (name, *reason.partition(": ")[::2])
        for name, counts in summary.page_counts.items()
        for reason in counts.reasons
    ]
    shape = {name: completeness.FAILURE_SCHEMA[name] for name in ("table", "page", "failure")}
    return pl.DataFrame(rows, schema=shape, orient="row").unique(["table", "page"], keep="last", maintain_order=True)


async def read_schedule_and_inventory(run: IngestRun, options: Options) -> tuple[Scope, ScheduleReading, Inventory]:
    """Read the NHL's lists and the schedule of the seasons of the run, and what the lake has. Write nothing yet."""
    today = get_eastern_day(run.clock())
    found = ScheduleReading()
    run.progress.add_pages(len(endpoints.LISTS), is_schedule=True)
    await asyncio.gather(*(fetch_list(run, table, found) for table in endpoints.LISTS))
    days = {s.season: s for s in read_listed_seasons(found, lambda: inventory.read_stored_seasons(run.root))}
    listed = list(days.values()) or calendar.guess_all_seasons(today)
    for season in options.seasons:
        if not calendar.is_known_season(listed, season, today):
            raise unknown_season_error(season)
    if options.seasons:
        wanted = options.seasons
    elif options.since is not None:
        wanted = calendar.find_seasons_since(listed, options.since, today)
    else:
        wanted = calendar.find_current_seasons(listed, today)
    games, answers = await asyncio.to_thread(inventory.read_stored_schedule, run.root, wanted)

    async def read_seasons() -> None:
        for number in sorted(wanted):
            season = days.get(number, calendar.guess_season(number))
            its_games = games.filter(pl.col("season") == number)
            known_answers = answers.clear() if options.seasons else answers  # `--season` reads the complete schedule
            reading = plan_schedule(
                season, its_games, known_answers, run.clock(), find_first_lookback_day(options, today)
            )
            await read_season_schedule(run, season, reading, its_games, found, is_listed=number in days)

    # read the lake while requests are under way
    _, facts = await asyncio.gather(
        read_seasons(),
        asyncio.to_thread(inventory.read_inventory, run.root, wanted, games=games, with_pages=options.with_pages),
    )
    drop_duplicate_entries(found, games)
    seen = {record.season for record in found.games}
    for season in options.seasons:
        if season not in seen and found.games_if_complete() is not None:
            raise unknown_season_error(season)
    scope = Scope(
        seasons=tuple(wanted),
        since=options.since,
        lookback_days=options.lookback_days,
        second_looks=options.second_looks,
        game_types=options.game_types,
        with_pages=options.with_pages,
    )
    return scope, found, facts


def find_first_lookback_day(options: Options, today: date) -> date | None:
    """Return the first past day that the options name, if any."""
    if options.lookback_days is not None:
        back = today - timedelta(days=options.lookback_days)
        return min(back, options.since or back)
    return options.since


def unknown_season_error(season: int) -> BadInput:
    """Return the error for a season that the NHL does not have."""
    return BadInput(
        f"The NHL has no season {season // 10_000}-{season % 100:02d} in its schedule.",
        "Use the year in which the season begins: `nhl-lake ingest --season 2023` is 2023-24.",
    )


def store_schedule(run: IngestRun, scope: Scope, found: ScheduleReading, facts: Inventory) -> Inventory:
    """Create the lake if there is none, store the schedule and lists, and return the updated inventory."""
    delta_tables.create_tables(run.root, TABLES)
    write_lake_meta(run.root, run.source, run.clock())
    for page in (*found.lists, *found.weeks):
        run.writer.add_page(page)
    run.writer.add_schedule_reads(found.list_answers(run.clock()))
    if (fresh := found.games_if_complete()) is not None:
        seen = inventory.find_listing_changes(facts.games, fresh, found.days, run.clock(), run_id=run.writer.run_id)
        delta_tables.append_to_ledger(run.root, ledger.LISTINGS, seen)
        return replace(facts, games=inventory.merge_schedule(facts.games, scope.seasons, fresh, found.days))
    run.writer.flush()
    return replace(facts, games=inventory.read_stored_games(run.root, scope.seasons))


def write_lake_meta(root: Location, source: str, now: datetime) -> None:
    """Write the layout and the source of the pages into a new lake."""
    if delta_tables.scan_table(root, ledger.META).select("layout").collect().is_empty():
        row = {"layout": ledger.LAYOUT_VERSION, "source": source, "made_by": VERSION, "made_at": now}
        delta_tables.append_to_ledger(root, ledger.META, pl.DataFrame([row], schema=ledger.META.schema))


def plan_next_requests(run: IngestRun, scope: Scope, facts: Inventory) -> list[dict[str, Any]]:
    """Plan, and return the pages that this run has not requested yet; none if it is to stop."""
    run.incomplete = list_incomplete_pages(facts, scope, run.clock())
    if run.is_stopped:
        return []
    due = run.incomplete.filter("is_due").drop("is_due").iter_rows(named=True)
    new = [request for request in due if (request["table"], request["page"]) not in run.requested]
    run.requested.update((request["table"], request["page"]) for request in new)
    return new


def preview_ingest(
    root: Location, options: Options, client_config: ClientConfig, *, clock: Clock, progress: FetchProgress
) -> tuple[Scope, ScheduleReading, pl.DataFrame]:
    """Read the schedule, write nothing, and return the plan that a run would begin with."""
    check_options(options, get_eastern_day(clock()))
    layout.check_tables(root)
    layout.check_source(root, client_config.source)

    async def read() -> tuple[Scope, ScheduleReading, Inventory]:
        async with client.open_client(
            client_config.rate_limit, locks.locate_state_folder(root) / "pace.sqlite", client_config.transport
        ) as api:
            return await read_schedule_and_inventory(
                IngestRun(root, api, client_config.base_url, clock, progress, PageWriter(root, "dry-run")), options
            )

    scope, found, facts = asyncio.run(read())
    if (fresh := found.games_if_complete()) is not None:
        facts = replace(facts, games=inventory.merge_schedule(facts.games, scope.seasons, fresh, found.days))
    return scope, found, plan_requests(facts, scope, clock())


def record_run(
    root: Location,
    summary: IngestSummary,
    command: str,
    started_at: datetime,
    ended_at: datetime,
    error: str | None = None,
) -> None:
    """Write the run into the ledger."""
    row = {
        "run_id": summary.run_id,
        "command": command,
        "version": VERSION,
        "started_at": started_at,
        "ended_at": ended_at,
        "outcome": summary.outcome,
        "error": error,
        "pages": [{"table": name, **vars(counts)} for name, counts in summary.page_counts.items()],
        "rebuilt": list(dict.fromkeys(rebuilt.table for rebuilt in summary.rebuilt)),
    }
    delta_tables.append_to_ledger(root, ledger.RUNS, pl.DataFrame([row], schema=ledger.RUNS.schema))


def record_failed_run(
    root: Location, summary: IngestSummary, command: str, started_at: datetime, ended_at: datetime, error: BaseException
) -> None:
    """Record a run that ended in an error. If that fails too (a full disk), the first error is shown."""
    summary.outcome = "error"
    text = redact_secrets(str(error)).splitlines()[0] if str(error) else type(error).__name__
    try:
        record_run(root, summary, command, started_at, ended_at, text)
    except Exception as second:
        error.add_note(f"The run could not be recorded either: {second}")
