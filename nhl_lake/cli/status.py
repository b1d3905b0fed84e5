"""The commands that show the lake's state: status, runs, settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from nhl_lake.cli.options import Json, load_settings, parse_age
from nhl_lake.cli.output import print_text, write_out
from nhl_lake.errors import BadInput, LakeError, summarize_error

if TYPE_CHECKING:
    from nhl_lake.store.location import Location

CHECKED_AGE = "2d"  # a daily run may be late


def status(
    checks: Annotated[
        bool, typer.Option("--check", help="For monitors: print one line, and exit with 0, 1 (cannot tell) or 3.")
    ] = False,
    max_age: Annotated[
        str | None,
        typer.Option("--max-age", metavar="AGE", help="An older last run is a problem: 36h, 2d. With --check: 2d."),
    ] = None,
    max_backup_age: Annotated[
        str | None, typer.Option("--max-backup-age", metavar="AGE", help="An older last backup is a problem.")
    ] = None,
    prometheus: Annotated[
        str | None,
        typer.Option("--prometheus", metavar="FILE", help="Write metrics for Prometheus to FILE, or - for stdout."),
    ] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of --json; needs no lake.")] = False,
    json: Json = False,
) -> None:
    """Show whether all is well, and what is not.

    The first line is the answer. Then: seasons, incomplete games and why, the next games, the last run, backups.
    `nhl-lake tables` shows the size of each table.
    """
    from nhl_lake.cli import console, progress
    from nhl_lake.queries import status_report
    from nhl_lake.queries.targets import parse_target

    if schema:
        write_out(console.format_json(status_report.make_json_schema()))
        return
    if prometheus == "-" and (checks or json):
        raise BadInput("Metrics and another result cannot both go to stdout.", "Name a file: --prometheus nhl.prom.")
    limits = status_report.HealthLimits(
        parse_limit("--max-age", max_age or (CHECKED_AGE if checks else None)),
        parse_limit("--max-backup-age", max_backup_age),
    )
    target = parse_target(prometheus) if prometheus is not None else None
    with report_unreadable(target, writes=prometheus is not None, checks=checks):
        chosen, clock = load_settings()
        found = status_report.read_report(chosen.root, chosen.backups, clock(), limits)
        if prometheus is not None:
            write_metrics(target, status_report.read_metrics(chosen.root, found.report))
    if json:
        write_out(console.format_json(found.report.model_dump(mode="json")))
    elif checks:
        print_text(status_report.format_check(found.report))
    elif prometheus is None:
        console.show_status(found.lake, more_problems=found.report.problems[len(found.lake.problems) :])
        progress.show_backup_status(found.backups, clock())
    if checks and not found.report.is_well:
        raise typer.Exit(3)


def parse_limit(option: str, text: str | None) -> timedelta | None:
    """Return the age that an option names; None without one."""
    if text is None:
        return None
    try:
        age = parse_age(text)
    except OverflowError:
        age = None
    if age is None:
        raise BadInput(f"Invalid option: {option} {text} is not an age.", f"Write {option} 36h or {option} 2d.")
    return age


@contextmanager
def report_unreadable(target: "Location | None", *, writes: bool, checks: bool) -> Iterator[None]:
    """Tell a monitor if the block cannot read the lake: by the metrics, and by a line and exit code 1."""
    from nhl_lake.cli.errors import print_error, redact_output
    from nhl_lake.queries import status_report

    try:
        yield
    except Exception as error:
        if writes:
            write_metrics(target, status_report.render_unreadable())
        if not checks:
            raise
        if not isinstance(error, LakeError):
            print_text(redact_output(f"UNKNOWN: {status_report.format_line(summarize_error(error))}"))
            raise
        print_text(redact_output(f"UNKNOWN: {status_report.format_line(error.message)}"))
        raise typer.Exit(print_error(error.message, error.hint, 1)) from error


def write_metrics(target: "Location | None", text: str) -> None:
    """Write metrics to a file, which is complete at any time and readable for node_exporter, or to stdout."""
    from nhl_lake.queries.targets import write_atomically

    with write_atomically(target) as draft:
        draft.write_text(text, encoding="utf-8")


def runs(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Maximum number of runs.")] = 20,
    json: Json = False,
) -> None:
    """List the runs: when, how they ended, what they did."""
    from nhl_lake import layout
    from nhl_lake.cli import console
    from nhl_lake.schema import ledger
    from nhl_lake.store import delta_tables

    chosen, _ = load_settings()
    layout.check_layout_version(chosen.root)
    layout.require_lake_exists(chosen.root)
    rows = (
        delta_tables.scan_table(chosen.root, ledger.RUNS)
        .sort("started_at", "ended_at", "run_id", descending=True)
        .head(limit)
        .collect()
    )
    if json:
        write_out(console.format_json(rows.to_dicts()))
    else:
        console.show_runs(rows)


def settings(json: Json = False) -> None:
    """Show each setting, its value, and where it comes from."""
    from nhl_lake.cli import console
    from nhl_lake.settings import load

    _, found = load()
    if json:
        write_out(console.format_json([one._asdict() for one in found]))
        return
    out = console.make_console()
    for one in found:
        out.print(f"NHL_LAKE_{one.name.upper()} = {one.value}  ({one.origin})")
        out.print(f"    {one.description}")
