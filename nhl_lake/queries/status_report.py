"""The status of a lake for programs: JSON with a schema, one line for monitors, metrics for Prometheus.

Names are stable: a release may add a field or a metric. If one is removed or means something else, `schema_version`
goes up.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from importlib.metadata import version
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from nhl_lake import layout
from nhl_lake.backup import repository
from nhl_lake.backup.repository import BackupStatus
from nhl_lake.catalog import TABLES
from nhl_lake.queries.status import LakeStatus, read_status
from nhl_lake.schema import ledger
from nhl_lake.store import delta_tables, handles
from nhl_lake.store.location import Location
from nhl_lake.text import format_age

SCHEMA_VERSION = 1
GAME_COUNTS = ("complete", "partial", "incomplete", "pending", "not_requested", "upcoming")
OUTCOMES = next(column.values for column in ledger.RUNS.columns if column.name == "outcome")


class Report(BaseModel):
    """A part of the report: every field is always there."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_serialization_defaults_required=True)


class SeasonReport(Report):
    """A season, and its games by status."""

    season: int = Field(description="20232024 is 2023-24")
    first_game_date: date | None = Field(description="date of the first stored game")
    complete_through: date | None = Field(description="last day before the first missing game")
    complete: int
    partial: int = Field(description="games that are not official yet, or lack a page that the API does not have")
    incomplete: int = Field(description="games with a page that failed or that fails a check")
    pending: int = Field(description="played games that are missing")
    not_requested: int = Field(description="games before the first one that was requested")
    upcoming: int


class ReasonReport(Report):
    """Games of a season that lack something, by what that is."""

    season: int
    stands: Literal["partial", "incomplete", "open"] = Field(description="open: a played game is missing")
    why: str
    games: int
    newest: int = Field(description="id of the newest of these games")


class FailureReport(Report):
    """The last failure of a page that is still missing."""

    table: str
    page: str = Field(description="key of the page, joined by '/'")
    failure: str
    failed_at: datetime


class NextGameReport(Report):
    """A game to come, as the schedule lists it."""

    season: int
    game_id: int
    game_type: int
    game_date: date
    start_at: datetime
    eastern_offset: str | None
    venue_offset: str | None
    venue: str | None
    is_neutral_site: bool | None
    home_team_id: int
    home_team_abbrev: str
    away_team_id: int
    away_team_abbrev: str
    home_score: int | None
    away_score: int | None
    last_period_type: str | None
    is_shootout: bool | None
    periods: int | None
    game_state: str | None
    schedule_state: str | None


class PageCountReport(Report):
    """What a run requested of a bronze table, in pages, and what came of it, in rows."""

    table: str
    asked: int
    new: int
    changed: int
    unchanged: int
    not_there: int = Field(description="pages that the API does not have (404)")
    failed: int
    reasons: list[str] | None = Field(description="page: why it failed")


class RunReport(Report):
    """A run of `nhl-lake ingest`."""

    run_id: str
    command: str
    version: str
    started_at: datetime
    ended_at: datetime
    outcome: Literal["done", "incomplete", "stopped", "error"]
    error: str | None = Field(description="why the run stopped, or what it left incomplete")
    pages: list[PageCountReport]
    rebuilt: list[str]


class StatusReport(Report):
    """The status of a lake, as `nhl-lake status --json` prints it. Times are in UTC."""

    schema_version: Literal[1]
    checked_at: datetime
    version: str = Field(description="version of nhl-lake that looked")
    source: str | None = Field(description="whose pages the lake has: NHL, or sample league")
    is_well: bool = Field(description="there are no problems")
    problems: list[str] = Field(description="each with the command that helps")
    coverage: str = Field(description="since when games are complete")
    quarantined: list[str] = Field(description="games and other subjects that are not in a table")
    seasons: list[SeasonReport] = Field(description="newest first")
    reasons: list[ReasonReport]
    failures: list[FailureReport]
    next_games: list[NextGameReport] = Field(description="at most ten, soonest first")
    last_run: RunReport | None
    last_success_at: datetime | None = Field(
        description="end of the last run that reached its end: it may have left games incomplete, see problems"
    )
    last_backup: datetime | None
    last_drill: datetime | None
    is_last_drill_good: bool | None
    backup_problem: str | None = Field(description="why the backups cannot be read")


class HealthLimits(NamedTuple):
    """How old the last run and the last backup may be; None: any age."""

    run: timedelta | None
    backup: timedelta | None = None


class LakeFacts(NamedTuple):
    """The status of a lake, that of its backups, and both as the report."""

    lake: LakeStatus
    backups: BackupStatus
    report: StatusReport


def read_report(root: Location, backups: Location, now: datetime, limits: HealthLimits) -> LakeFacts:
    """Return the report on a lake and its backups."""
    with handles.cache_folder_handles():  # each table is opened once
        found = read_status(root, now)
        safety = repository.read_backup_status(backups, layout.read_lake_ids(root))
        report = make_report(found, safety, ledger.read_source(delta_tables.scan_table(root, ledger.META)), now)
    return LakeFacts(found, safety, add_stale_problems(report, limits))


def make_report(found: LakeStatus, safety: BackupStatus, source: str | None, now: datetime) -> StatusReport:
    """Return the report of a status that was read."""
    problems = [*found.problems, *list_backup_problems(safety)]
    return StatusReport.model_validate(
        {
            "schema_version": SCHEMA_VERSION,
            "checked_at": now,
            "version": version("nhl-lake"),
            "source": source,
            "is_well": not problems,
            "problems": problems,
            "coverage": found.coverage,
            "quarantined": found.quarantined,
            "seasons": [season._asdict() for season in found.seasons],
            "reasons": found.reasons.to_dicts(),
            "failures": found.failures.to_dicts(),
            "next_games": found.next_games.to_dicts(),
            "last_run": found.last_run,
            "last_success_at": found.last_success_at,
            "last_backup": safety.backed_up_at,
            "last_drill": safety.drill and safety.drill.made_at,
            "is_last_drill_good": None if safety.drill is None else not safety.drill.wrong,
            "backup_problem": safety.problem,
        }
    )


def list_backup_problems(status: BackupStatus) -> list[str]:
    """Return the problems of the backups."""
    problems = []
    if status.problem:
        problems.append("the backups cannot be read (`nhl-lake backup verify`)")
    if status.drill is not None and status.drill.wrong:
        problems.append("the last drill failed (`nhl-lake backup drill`)")
    return problems


def make_json_schema() -> dict[str, Any]:
    """Return the JSON schema of the report."""
    schema = StatusReport.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def add_stale_problems(report: StatusReport, limits: HealthLimits) -> StatusReport:
    """Return a report in which a run or a backup that is older than its limit is a problem, too."""
    problems = [*report.problems, *find_stale(report, limits)]
    return report.model_copy(update={"problems": problems, "is_well": not problems})


def find_stale(report: StatusReport, limits: HealthLimits) -> Iterator[str]:
    """Yield what is older than a limit, or was never done."""
    for limit, last, what, command in (
        (limits.run, report.last_success_at, "run that reached its end", "ingest"),
        (limits.backup, report.last_backup, "backup", "backup create"),
    ):
        if limit is None:
            continue
        if last is None:
            yield f"there is no {what} (`nhl-lake {command}`)"
        elif report.checked_at - last > limit:
            yield f"the last {what} was {format_age(report.checked_at, last)} (`nhl-lake {command}`)"


def format_check(report: StatusReport) -> str:
    """Return the answer to a monitor in one line: all is well, or every problem; then measures for Nagios."""
    measures = {
        "missing": sum(season.pending for season in report.seasons),
        "incomplete": sum(season.incomplete for season in report.seasons),
        "quarantined": len(report.quarantined),
    }
    last, run = report.last_success_at, "no run is recorded"
    if last is not None:
        measures["run_age"] = max(round((report.checked_at - last).total_seconds()), 0)
        run = f"last run {format_age(report.checked_at, last)}"
    text = f"OK: {report.coverage}; {run}" if report.is_well else f"PROBLEM: {'; '.join(report.problems)}"
    return f"{format_line(text)} | {' '.join(f'{name}={n}' for name, n in measures.items())}"


def format_line(text: str) -> str:
    """Return a text as one line without `|`, after which a monitor expects measures."""
    return " ".join(text.replace("|", "/").split())


class Metric(NamedTuple):
    """A metric of Prometheus: its name, what it measures, and its samples: labels and a value."""

    name: str
    about: str
    samples: Sequence[tuple[dict[str, str], float]]


def list_metrics(report: StatusReport, sizes: Iterable[tuple[str, dict[str, Any]]]) -> list[Metric]:
    """Return the metrics of a lake, all of them gauges. A time that is not known has no sample.

    sizes: rows and bytes of each table by name.
    """
    run, sizes = report.last_run, list(sizes)
    first = report.next_games[0].start_at if report.next_games else None
    seconds = None if run is None else (run.ended_at - run.started_at).total_seconds()
    games = [
        ({"season": str(season.season), "status": name}, getattr(season, name))
        for season in report.seasons
        for name in GAME_COUNTS
    ]
    failed = [({"table": name}, count) for name, count in count_failures(report).items()]
    return [
        Metric("up", "Whether the lake could be read.", [({}, 1)]),
        Metric("info", "Version and source.", [({"version": report.version, "source": report.source or ""}, 1)]),
        Metric("is_well", "Whether `nhl-lake status` finds no problem.", [({}, report.is_well)]),
        Metric("checked_timestamp_seconds", "When the lake was looked at.", sample_time(report.checked_at)),
        Metric("games", "Games by season and status; pending: played, and missing.", games),
        Metric("quarantined_subjects", "Games and other subjects in quarantine.", [({}, len(report.quarantined))]),
        Metric("missing_pages", "Pages by table that failed, and are still missing.", failed),
        Metric("next_game_timestamp_seconds", "When the next game starts.", sample_time(first)),
        Metric(
            "last_run_timestamp_seconds",
            "When the last run ended, however.",
            sample_time(run.ended_at if run else None),
        ),
        Metric("last_run_duration_seconds", "How long it took.", sample_value(seconds)),
        Metric(
            "last_run_outcome",
            "How it ended: 1 for the outcome that it had.",
            [({"outcome": name}, run.outcome == name) for name in OUTCOMES] if run else [],
        ),
        Metric(
            "last_success_timestamp_seconds",
            "When the last run that reached its end ended.",
            sample_time(report.last_success_at),
        ),
        Metric("last_backup_timestamp_seconds", "When the last backup was created.", sample_time(report.last_backup)),
        Metric("last_drill_timestamp_seconds", "When a restore was last rehearsed.", sample_time(report.last_drill)),
        Metric("last_drill_is_good", "Whether the rehearsal succeeded.", sample_value(report.is_last_drill_good)),
        Metric("table_rows", "Rows of each table.", [({"table": name}, size["rows"]) for name, size in sizes]),
        Metric("table_bytes", "Size of each table.", [({"table": name}, size["bytes"]) for name, size in sizes]),
    ]


def sample_time(instant: datetime | None) -> list[tuple[dict[str, str], float]]:
    """Return the sample of an instant in seconds since 1970; none if it is not known."""
    return sample_value(instant.timestamp() if instant is not None else None)


def sample_value(value: float | None) -> list[tuple[dict[str, str], float]]:
    """Return the sample of a value; none if it is not known."""
    return [] if value is None else [({}, float(value))]


def count_failures(report: StatusReport) -> dict[str, int]:
    """Return the number of missing pages that failed, by table; every table of the last run is there, also with 0."""
    counts = {pages.table: 0 for pages in (report.last_run.pages if report.last_run else [])}
    for failure in report.failures:
        counts[failure.table] = counts.get(failure.table, 0) + 1
    return counts


def render_metrics(metrics: Iterable[Metric]) -> str:
    """Return metrics in the text format of Prometheus, for the textfile collector of node_exporter."""
    lines = []
    for name, about, samples in metrics:
        lines += [f"# HELP nhl_lake_{name} {about}", f"# TYPE nhl_lake_{name} gauge"]
        for labels, value in samples:
            inner = ",".join(f'{label}="{escape_label(text)}"' for label, text in labels.items())
            lines.append(f"nhl_lake_{name}{f'{{{inner}}}' if inner else ''} {float(value):.15g}")
    return "".join(f"{line}\n" for line in lines)


def escape_label(text: str) -> str:
    """Return the value of a label, escaped."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def read_metrics(root: Location, report: StatusReport) -> str:
    """Return the metrics of a lake as text."""
    sizes = delta_tables.read_table_sizes(root, TABLES)
    return render_metrics(list_metrics(report, ((table.name, size) for table, size in sizes)))


def render_unreadable() -> str:
    """Return the metrics of a lake that cannot be read: an old file would look like a lake that is well."""
    return render_metrics([Metric("up", "Whether the lake could be read.", [({}, 0)])])
