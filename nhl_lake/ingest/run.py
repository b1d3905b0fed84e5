"""One run: read the schedule, plan, ask, keep, plan again until nothing new is to be asked for, rebuild, record.

Pages are kept in batches as they arrive: a run that is killed loses the last seconds, and the next one goes on, for
its plan is made of what bronze holds.
"""

import asyncio
import gc
import secrets
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from importlib import import_module
from importlib.metadata import version
from typing import Any, NamedTuple

import httpx
import polars as pl

from nhl_lake import layout
from nhl_lake.bronze import endpoints
from nhl_lake.catalog import TABLES, find
from nhl_lake.clock import Clock
from nhl_lake.errors import BadInput, Broken, Quarantined, Unreadable, redacted
from nhl_lake.hockey import seasons as calendar
from nhl_lake.hockey.calendar import eastern_day
from nhl_lake.ingest import client, completeness, inventory
from nhl_lake.ingest.fetcher import Report, Run, ask_all, stopping, terminable
from nhl_lake.ingest.planner import SECOND_LOOK, SECOND_LOOKS, Known, Scope, by_reason, in_scope, plan, unfinished
from nhl_lake.ingest.schedule import Walk, listed_seasons, listing, settle, walk
from nhl_lake.ingest.schedule_weeks import plan_reading
from nhl_lake.ingest.writer import Keeper, Tally, counts
from nhl_lake.maintenance import compaction
from nhl_lake.rebuild import run as rebuild
from nhl_lake.rebuild.publish import Made
from nhl_lake.schema import ledger
from nhl_lake.store import delta_tables, handles, locks
from nhl_lake.store.location import Place

VERSION = version("nhl-lake")
AGENT = f"nhl-lake/{VERSION} (a personal archive of NHL pages; Python aiohttp)"
MOST_TEXT = 1_000  # characters of what is kept of a run that was not done
NO_WAITING = pl.DataFrame(schema={"table": pl.String, "why": pl.String, "pages": pl.UInt32, "newest": pl.String})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user asked for; seasons are 8-digit."""

    seasons: tuple[int, ...] = ()
    since: date | None = None
    lookback_days: int | None = None
    second_looks: tuple[float, ...] = SECOND_LOOKS
    game_types: frozenset[int] = frozenset({1, 2, 3})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """How to ask: an address that stands for all hosts, or None; a transport for tests; manners."""

    manners: client.Manners
    base: str | None = None
    source: str = "NHL"
    transport: httpx.AsyncBaseTransport | None = None


@dataclass
class Summary:
    """What a run did, and what is still open.

    incomplete: what is missing, incomplete, quarantined or could not be had: a line a kind, each with an example.
    """

    run_id: str
    seasons: tuple[int, ...]
    tallies: Mapping[str, Tally]
    outcome: str = "error"
    waiting: pl.DataFrame = field(default_factory=lambda: NO_WAITING)
    rebuilt: list[Made] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)
    seconds: float = 0.0
    error: Broken | None = None

    @property
    def exit_code(self) -> int:
        """0 all done; 3 some pages could not be had; 130 stopped by the user."""
        return {"done": 0, "incomplete": 3, "stopped": 130}.get(self.outcome, 1)


def ingest(
    root: Place, options: Options, asker: Asker, *, clock: Clock, report: Report, command: str, rebuilds: bool
) -> Summary:
    """Run once: keep what is missing, rebuild what changed, record the run."""
    check_options(options, eastern_day(clock()))
    with ExitStack() as held:
        held.enter_context(handles.keeping())
        with ThreadPoolExecutor() as beside:
            if asker.transport is None:
                beside.submit(import_module, "nhl_lake.ingest.aiohttp_transport")  # takes as long as to open the lake
            layout.check_layout(root)
            layout.check_source(root, asker.source)
        held.enter_context(locks.locked(root, command, now=clock()))
        started_at = clock()
        run_id = f"{started_at:%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
        summary = Summary(run_id, (), {})
        try:
            with uncollected():
                found = asyncio.run(keep_pages(root, options, asker, clock, report, summary))
            if rebuilds and found is not None:
                build(root, clock, summary)
                # the checks of a rebuild tell what is incomplete, and whether there is another source of it
                with uncollected():
                    more = asyncio.run(keep_more(root, asker, report, summary, found))
                if more:
                    build(root, clock, summary)
            if found is not None and summary.outcome != "stopped":
                name_incomplete(root, summary, found, clock())
        except KeyboardInterrupt:
            summary.outcome = "stopped"  # the pages are in, and each table is as before or made again whole
        except Broken as error:
            summary.outcome, summary.error = "error", error  # the pages are in; what was not made again is as before
        except BaseException as error:
            if layout.is_lake(root) and not isinstance(error, Unreadable):
                note(root, summary, command, started_at, clock(), error)
            raise
        summary.seconds = (clock() - started_at).total_seconds()
        if layout.is_lake(root):
            trouble = summary.error.what if summary.error else "; ".join(summary.incomplete)[:MOST_TEXT] or None
            record(root, summary, command, started_at, clock(), trouble)
            tidy(root, summary)
    return summary


def build(root: Place, clock: Clock, summary: Summary) -> None:
    """Rebuild silver and gold where pages changed. What was quarantined is named at the end of the run."""
    with terminable(), suppress(Quarantined):
        for made in rebuild.rebuild(root, day=eastern_day(clock())):
            summary.rebuilt.append(made)


def tidy(root: Place, summary: Summary) -> None:
    """Merge the small files of the tables that a run has written; the run is recorded, and may be stopped here."""
    kept = {name for name, tally in summary.tallies.items() if tally.new + tally.changed}
    written = kept | {made.table for made in summary.rebuilt}
    with terminable(), suppress(KeyboardInterrupt):
        compaction.tidy(root, [ledger.RUNS, ledger.ANSWERS, *map(find, sorted(written))])


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector from looking through all that is imported: it takes a tenth of a run."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def check_options(options: Options, today: date) -> None:
    """Raise for options that cannot be meant, before anything is asked for."""
    if options.since is not None and options.since > today:
        raise BadInput(
            f"--since {options.since} is in the future: today is {today} in New York.",
            "Give a day until today: `nhl-lake ingest --since 2023-10-01`.",
        )
    if options.lookback_days is not None and options.lookback_days < 0:
        raise BadInput(
            f"--lookback {options.lookback_days} is negative.", "Give a number of days: `nhl-lake ingest --lookback 1`."
        )


class Found(NamedTuple):
    """What a run has found out when it has asked for pages: its scope, what is known, and what it asked for."""

    scope: Scope
    facts: Known
    run: Run


async def keep_pages(
    root: Place, options: Options, asker: Asker, clock: Clock, report: Report, summary: Summary
) -> Found | None:
    """Keep what is missing, incomplete or wanted again, until a plan asks for nothing new; None if it was stopped."""
    async with client.door(asker.manners, locks.own(root) / "pace.sqlite", asker.transport) as door:
        run = Run(root, door, asker.base, clock, report, Keeper(root, summary.run_id), source=asker.source)
        summary.tallies = run.keeper.tallies
        with stopping(run):
            run.survey = asyncio.create_task(survey(run, options))
            try:
                scope, found, facts = await run.survey
            except asyncio.CancelledError:
                summary.outcome = "stopped"
                return None
            summary.seasons = scope.seasons
            facts = await asyncio.to_thread(keep_survey, run, scope, found, facts)
            facts = await ask_in_rounds(run, scope, facts)
    summary.outcome = "stopped" if run.is_stopped else "incomplete" if counts(run.keeper.tallies)["failed"] else "done"
    summary.waiting = by_reason(run.open.filter(~pl.col("why").str.starts_with(SECOND_LOOK)))
    return None if run.is_stopped else Found(scope, facts, run)


async def ask_in_rounds(run: Run, scope: Scope, facts: Known) -> Known:
    """Plan, ask and keep until a plan asks for nothing new: pages that come name others. Return what is known then."""
    while asks := await asyncio.to_thread(next_asks, run, scope, facts):
        run.report.begin(len(asks))
        await ask_all(run, asks)
        asked = {ask["table"] for ask in asks}
        facts = await asyncio.to_thread(inventory.known_now, run.root, scope.seasons, facts, asked, run.keeper.met)
    await asyncio.to_thread(run.keeper.flush)
    return facts


async def keep_more(root: Place, asker: Asker, report: Report, summary: Summary, found: Found) -> bool:
    """Ask for what a rebuild has shown to be incomplete, and for its other source; return whether there was any."""
    scope, facts = found.scope, replace(found.facts, incomplete=inventory.incomplete(root, found.scope.seasons))
    asked_before = len(found.run.asked)
    async with client.door(asker.manners, locks.own(root) / "pace.sqlite", asker.transport) as door:
        run = replace(found.run, api=door, report=report, survey=None)
        with stopping(run):
            await ask_in_rounds(run, scope, facts)
    if run.is_stopped:
        summary.outcome = "stopped"
    return len(run.asked) > asked_before


def name_incomplete(root: Place, summary: Summary, found: Found, now: datetime) -> None:
    """Name what is missing, incomplete or quarantined among the games of a run; such a run is not done."""
    facts = inventory.known(root, found.scope.seasons, met=inventory.no_people())
    failed = failures_of(summary)
    standing = completeness.by_game(facts, now, now, failed)
    standing = standing.join(in_scope(facts.games, found.scope), on="game_id", how="semi")
    lines = [
        f"{games:,} {'game' if games == 1 else 'games'}: {why} ({newest})"
        for why, games, newest in completeness.incomplete_games(standing).iter_rows()
    ]
    in_games = set(standing.filter(pl.col("stands").is_in(["open", "incomplete"]))["game_id"].cast(pl.String))
    others = failed.filter(~pl.col("page").is_in(in_games))
    by_failure = others.group_by("table", "failure", maintain_order=True).agg(pl.len(), pl.col("page").min())
    lines += [
        f"{count:,} {'page' if count == 1 else 'pages'} of {table}: {failure} ({page})"
        for table, failure, count, page in by_failure.iter_rows()
    ]
    lines += completeness.quarantined(root, found.scope.seasons)
    summary.incomplete = lines
    if lines and summary.outcome == "done":
        summary.outcome = "incomplete"


def failures_of(summary: Summary) -> pl.DataFrame:
    """Return the pages that this run could not have, and why: columns of completeness.FAILURES."""
    rows = [(name, *reason.partition(": ")[::2]) for name, tally in summary.tallies.items() for reason in tally.reasons]
    shape = {name: completeness.FAILURES[name] for name in ("table", "page", "failure")}
    return pl.DataFrame(rows, schema=shape, orient="row").unique(["table", "page"], keep="last", maintain_order=True)


async def survey(run: Run, options: Options) -> tuple[Scope, Walk, Known]:
    """Read the NHL's lists of seasons and teams and the schedule of the seasons at hand, and what the lake knows.

    Nothing is kept yet.
    """
    today = eastern_day(run.clock())
    found = Walk()
    run.report.begin(2)
    await asyncio.gather(*(listing(run, table, found) for table in (endpoints.SEASONS, endpoints.TEAMS)))
    days = {s.season: s for s in listed_seasons(found, lambda: inventory.seasons_kept(run.root))}
    listed = list(days.values()) or calendar.all_guessed(today)
    for season in options.seasons:
        if not calendar.is_known(listed, season, today):
            raise unknown_season(season)
    if options.seasons:
        wanted = options.seasons
    elif options.since is not None:
        wanted = calendar.since(listed, options.since, today)
    else:
        wanted = calendar.current(listed, today)
    games, answers = await asyncio.to_thread(inventory.schedule_known, run.root, wanted)

    async def walks() -> None:
        for number in sorted(wanted):
            season = days.get(number, calendar.guessed(number))
            its_games = games.filter(pl.col("season") == number)
            no_answers = answers.clear() if options.seasons else answers  # a season asked for by name is read whole
            reading = plan_reading(season, its_games, no_answers, run.clock(), first_day_asked(options, today))
            await walk(run, season, reading, its_games, found, listed=number in days)

    # the lake is read while the API is asked
    _, facts = await asyncio.gather(walks(), asyncio.to_thread(inventory.known, run.root, wanted, games=games))
    settle(found, games)
    seen = {part.season for part in found.parts}
    for season in options.seasons:
        if season not in seen and found.schedule() is not None:
            raise unknown_season(season)
    scope = Scope(
        seasons=tuple(wanted),
        since=options.since,
        lookback_days=options.lookback_days,
        second_looks=options.second_looks,
        game_types=options.game_types,
    )
    return scope, found, facts


def first_day_asked(options: Options, today: date) -> date | None:
    """Return the first of the past days that the user wants to be looked at, if any are named."""
    if options.lookback_days is not None:
        back = today - timedelta(days=options.lookback_days)
        return min(back, options.since or back)
    return options.since


def unknown_season(season: int) -> BadInput:
    """Return the error for a season that the NHL does not have."""
    return BadInput(
        f"The NHL has no season {season // 10_000}-{season % 100:02d} in its schedule.",
        "Give the year in which the season begins: `nhl-lake ingest --season 2023` is 2023-24.",
    )


def keep_survey(run: Run, scope: Scope, found: Walk, facts: Known) -> Known:
    """Gather the schedule, seasons and teams just read, for a lake that is made if there is none; what is known now."""
    delta_tables.create(run.root, TABLES)
    sign(run.root, run.source, run.clock())
    for page in (*found.lists, *found.weeks):
        run.keeper.take(page)
    run.keeper.note_schedule(found.answers(run.clock()))
    if (fresh := found.schedule()) is not None:
        seen = inventory.listings(facts.games, fresh, found.days, run.clock(), run_id=run.keeper.run_id)
        delta_tables.append(run.root, ledger.LISTINGS, seen)
        return replace(facts, games=inventory.rescheduled(facts.games, scope.seasons, fresh, found.days))
    run.keeper.flush()
    return replace(facts, games=inventory.scheduled(run.root, scope.seasons))


def sign(root: Place, source: str, now: datetime) -> None:
    """Write into a new lake which layout it has, and whose pages."""
    if delta_tables.scan(root, ledger.META).select("layout").collect().is_empty():
        row = {"layout": ledger.LAYOUT, "source": source, "made_by": VERSION, "made_at": now}
        delta_tables.append(root, ledger.META, pl.DataFrame([row], schema=ledger.META.schema))


def next_asks(run: Run, scope: Scope, facts: Known) -> list[dict[str, Any]]:
    """Plan, and leave out what this run has asked for already; nothing is asked for when it is to end."""
    run.open = unfinished(facts, scope, run.clock())
    if run.is_stopped:
        return []
    due = run.open.filter("is_due").drop("is_due").iter_rows(named=True)
    new = [ask for ask in due if (ask["table"], ask["page"]) not in run.asked]
    run.asked.update((ask["table"], ask["page"]) for ask in new)
    return new


def foresee(
    root: Place, options: Options, asker: Asker, *, clock: Clock, report: Report
) -> tuple[Scope, Walk, pl.DataFrame]:
    """Read the schedule, keep nothing, and return the plan that a run would begin with."""
    check_options(options, eastern_day(clock()))
    layout.check_layout(root)
    layout.check_source(root, asker.source)

    async def look() -> tuple[Scope, Walk, Known]:
        async with client.door(asker.manners, locks.own(root) / "pace.sqlite", asker.transport) as door:
            return await survey(Run(root, door, asker.base, clock, report, Keeper(root, "dry-run")), options)

    scope, found, facts = asyncio.run(look())
    if (fresh := found.schedule()) is not None:
        facts = replace(facts, games=inventory.rescheduled(facts.games, scope.seasons, fresh, found.days))
    return scope, found, plan(facts, scope, clock())


def record(
    root: Place, summary: Summary, command: str, started_at: datetime, ended_at: datetime, error: str | None = None
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
        "pages": [{"table": name, **vars(tally)} for name, tally in summary.tallies.items()],
        "rebuilt": list(dict.fromkeys(made.table for made in summary.rebuilt)),
    }
    delta_tables.append(root, ledger.RUNS, pl.DataFrame([row], schema=ledger.RUNS.schema))


def note(
    root: Place, summary: Summary, command: str, started_at: datetime, ended_at: datetime, error: BaseException
) -> None:
    """Record a run that ended in an error; if that fails too (a full disk), the first error is the one to show."""
    summary.outcome = "error"
    text = redacted(str(error)).splitlines()[0] if str(error) else type(error).__name__
    try:
        record(root, summary, command, started_at, ended_at, text)
    except Exception as second:
        error.add_note(f"The run could not be recorded either: {second}")
