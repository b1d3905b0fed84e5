"""The commands that show the lake's state: status, runs, settings."""

from typing import Annotated

import typer

from nhl_lake.cli.options import Json, load_settings
from nhl_lake.cli.output import print_text, write_out


def status(json: Json = False) -> None:
    """Show whether all is well, and what is not.

    The first line is the answer. Then: seasons, incomplete games and why, the next games, the last run, backups.
    `nhl-lake tables` shows the size of each table.
    """
    from nhl_lake import layout
    from nhl_lake.backup import repository
    from nhl_lake.cli import console, progress
    from nhl_lake.queries.status import read_status

    chosen, clock = load_settings()
    found = read_status(chosen.root, clock())
    safety = repository.read_backup_status(chosen.backups, layout.read_lake_ids(chosen.root))
    if not json:
        console.show_status(found, more_problems=progress.list_backup_problems(safety))
        progress.show_backup_status(safety, clock())
        return
    problems = [*found.problems, *progress.list_backup_problems(safety)]
    print_text(
        console.format_json(
            {
                "is_well": not problems,
                "problems": problems,
                "coverage": found.coverage,
                "quarantined": found.quarantined,
                "seasons": [season._asdict() for season in found.seasons],
                "reasons": found.reasons.to_dicts(),
                "failures": found.failures.to_dicts(),
                "next_games": found.next_games.to_dicts(),
                "last_run": found.last_run,
                "last_backup": safety.backed_up_at,
                "last_drill": safety.drill and safety.drill.made_at,
                "backup_problem": safety.problem,
            }
        )
    )


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
