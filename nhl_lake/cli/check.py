"""The commands about the data itself: check, corrections, trace."""

from typing import Annotated

import typer

from nhl_lake.cli.options import Json, load_settings, parse_moment
from nhl_lake.cli.output import write_out


def check(json: Json = False) -> None:
    """Check every table against its rules and its pages.

    Prints what does not add up, with game ids. Exits with 1 if there is an error.
    """
    from nhl_lake import layout
    from nhl_lake.cli import console
    from nhl_lake.quality import audit

    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    found = audit.audit_lake(chosen.root)
    if json:
        write_out(console.format_json([finding._asdict() for finding in found]))
    else:
        console.show_findings(found)
    if any(finding.severity == "error" for finding in found):
        raise typer.Exit(1)


def corrections(
    since: Annotated[
        str, typer.Option("--since", metavar="WHEN", help="Changes seen since: 7d, 12h, 2026-01-05, or a timestamp.")
    ] = "7d",
    game: Annotated[int | None, typer.Option("--game", metavar="ID", help="Changes of one game.")] = None,
    json: Json = False,
) -> None:
    """List what the NHL changed in games that were final."""
    import polars as pl

    from nhl_lake import layout
    from nhl_lake.cli import console
    from nhl_lake.queries.corrections import find_corrections

    chosen, clock = load_settings()
    layout.require_readable_lake(chosen.root)
    rows, unread = find_corrections(chosen.root, parse_moment(since, clock()))
    rows = rows if game is None else rows.filter(pl.col("game_id") == game)
    if json:
        write_out(console.format_json({"corrections": rows.to_dicts(), "unread": unread}))
    else:
        console.show_corrections(rows, unread)


def trace(
    game: Annotated[int, typer.Argument(metavar="GAME", help="Game id: 2023020001.")],
    player: Annotated[int | None, typer.Option("--player", metavar="ID", help="Only rows about this player.")] = None,
    json: Json = False,
) -> None:
    """Show what each layer says of a game or a player in it."""
    from nhl_lake import layout
    from nhl_lake.cli import console
    from nhl_lake.queries.trace import trace_game

    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    found = list(trace_game(chosen.root, game, player))
    if json:
        entries = [{"table": s.table.name, "rows_in_all": s.row_count, "rows": s.rows.to_dicts()} for s in found]
        write_out(console.format_json(entries))
    else:
        for entry in found:
            console.show_traced_rows(entry)
