"""The commands that write reports: one HTML file each, with everything in it."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from nhl_lake.cli.options import Json, Replace, load_settings
from nhl_lake.cli.output import print_text, write_out
from nhl_lake.errors import BadInput

To = Annotated[
    str | None,
    typer.Option("--to", "-o", metavar="FILE", help="Write to FILE or s3://…, or - for stdout. Default: a new name."),
]
Open = Annotated[bool, typer.Option("--open", help="Show the report in the browser.")]
SUFFIX = ".html"


def game(
    which: Annotated[list[str], typer.Argument(metavar="ID | last [ABC]", help="2023020001, or last, or last HMS.")],
    to: To = None,
    opens: Open = False,
    replace: Replace = False,
    json: Json = False,
) -> None:
    """Write the report of a game: running xG, shots, teams, skaters, lines, shifts.

    One HTML file that needs no network: the lines of both teams' xG, the shot map, goals, skaters, goalies, lines and
    pairs, shifts, who played against whom, and the win probability. What the lake lacks is named where it is missing.
    """
    from nhl_lake import layout
    from nhl_lake.reports.game import read_game
    from nhl_lake.reports.game_page import render_game

    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    game_id = find_game(which)
    write_report(render_game(read_game(chosen.root, game_id)), f"game-{game_id}{SUFFIX}", to, replace, opens, json)


def find_game(words: list[str]) -> int:
    """Return the game that the words name: an id, `last`, or `last` and a team."""
    from nhl_lake.queries.game import find_last_game

    chosen, _ = load_settings()
    match words:
        case [number] if number.isdecimal():
            return int(number)
        case ["last"]:
            return find_last_game(chosen.root, None)
        case ["last", team]:
            return find_last_game(chosen.root, team)
    raise BadInput(f"'{' '.join(words)}' names no game.", "Give an id (2023020001), or: nhl-lake report game last TOR.")


def write_report(page: str, name: str, to: str | None, replace: bool, opens: bool, json: bool) -> None:
    """Write a page to its file, and say where it is.

    Without `--to` the file has a name of its own in the working folder, and an older report of that name is replaced.
    """
    from nhl_lake.cli import console
    from nhl_lake.queries import targets

    target = targets.parse_target(name if to is None else to)
    if target is not None:
        if targets.is_folder(target):
            raise BadInput(f"{target} is a folder, or has no ending.", f"Name a file: --to {name}.")
        targets.require_new([target], replace=replace or to is None)
    with targets.write_atomically(target) as draft:
        draft.write_text(page, encoding="utf-8", newline="\n")
    if json:
        write_out(console.format_json({"file": str(target), "bytes": len(page.encode())}))
    elif target is not None:
        print_text(f"{len(page.encode()) / 1000:,.0f} KB: {target}")
    if opens and isinstance(target, Path):
        webbrowser.open(target.resolve().as_uri())
