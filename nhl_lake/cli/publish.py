"""The command that publishes tables of the lake for others: publish."""

from typing import TYPE_CHECKING, Annotated

import typer

from nhl_lake.cli.options import Json, Quiet, Seasons, format_command_line, load_settings, parse_season_years
from nhl_lake.cli.output import print_text, write_out
from nhl_lake.text import format_count

if TYPE_CHECKING:
    from nhl_lake.sharing.publish import PublishSummary

TERMS = (
    "The data are the NHL's, whose terms allow personal, non-commercial use: where you put these files is up to you."
)


def publish(
    to: Annotated[
        str, typer.Option("--to", "-o", metavar="URI", help="DIR or s3://bucket/prefix. Again: what changed.")
    ],
    silver: Annotated[bool, typer.Option("--silver", help="Also publish the tables of silver, such as plays.")] = False,
    season: Seasons = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Publish tables as Parquet files that others read.

    It writes a file for each gold table and season, a manifest and a landing page, for any static web host. Only files
    that changed are written. nhl_lake.load, DuckDB, Polars and pandas read them: see docs/how-to/sharing.md.
    """
    from nhl_lake import catalog, layout
    from nhl_lake.cli import console
    from nhl_lake.cli.site import show_progress
    from nhl_lake.sharing.publish import publish_tables
    from nhl_lake.store.location import parse_location, require_backups_name

    chosen, clock = load_settings()
    target = require_backups_name(parse_location(to))
    layout.require_readable_lake(chosen.root)
    with show_progress("Writing files", quiet=quiet or json) as progress:
        found = publish_tables(
            chosen.root,
            target,
            (*catalog.GOLD, *(catalog.SILVER if silver else ())),
            seasons=parse_season_years(season),
            now=clock(),
            command=format_command_line(),
            on_file=progress,
        )
    if json:
        write_out(console.format_json(describe_summary(str(target), found)))
    elif not quiet:
        done = "No file has changed"
        if found.written or found.removed:
            done = f"{format_count(found.written, 'file')} written, {found.removed:,} removed"
        through = found.publication.data_through
        print_text(
            f"{target}: {format_count(len(found.publication.tables), 'table')}, {format_count(found.files, 'file')}, "
            f"{console.format_size(found.bytes)}{f', games through {through}' if through else ''}. {done}."
        )
        if found.publication.league == "NHL":
            print_text(TERMS)


def describe_summary(target: str, found: "PublishSummary") -> dict[str, object]:
    """Return what --json prints."""
    publication = found.publication
    return {
        "to": target,
        "lake": publication.lake,
        "league": publication.league,
        "data_through": publication.data_through,
        "published_at": publication.published_at,
        "tables": len(publication.tables),
        "files": found.files,
        "bytes": found.bytes,
        "written": found.written,
        "removed": found.removed,
    }
