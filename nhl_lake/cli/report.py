"""The commands that write reports: one HTML file each, with everything in it."""

import webbrowser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from nhl_lake.cli.options import Json, Replace, load_settings
from nhl_lake.cli.output import print_text, write_out
from nhl_lake.errors import BadInput

if TYPE_CHECKING:
    from nhl_lake.reports.game import GameData

KINDS = ("html", "png", "svg")
To = Annotated[
    str | None,
    typer.Option("--to", "-o", metavar="FILE", help="Write to FILE or s3://…, or - for stdout. Default: its own name."),
]
Open = Annotated[bool, typer.Option("--open", help="Show it in the browser.")]


class Output(NamedTuple):
    """A file to write: its name if the user gives none, and its content."""

    name: str
    content: bytes


def game(
    which: Annotated[list[str], typer.Argument(metavar="ID | last [ABC]", help="2023020001, or last, or last HMS.")],
    to: To = None,
    png: Annotated[
        bool, typer.Option("--png", help="Pictures to post instead: 1200 x 675 and 1080 x 1350. Needs nhl-lake[plot].")
    ] = False,
    opens: Open = False,
    replace: Replace = False,
    json: Json = False,
) -> None:
    """Write the report of a game: running xG, shots, teams, skaters, lines, shifts.

    One HTML file that needs no network: the lines of both teams' xG, the shot map, goals, skaters, goalies, lines and
    pairs, shifts, who played against whom, and the win probability. What the lake lacks is named where it is missing.
    --to game.png and --to game.svg write a picture of 1200 x 675.
    """
    from nhl_lake import layout
    from nhl_lake.reports.game import read_game

    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    data = read_game(chosen.root, find_game(which))
    kind = "png" if png else choose_kind(to)
    write_report(list(draw_game(data, kind, is_alone=to is not None)), to, replace=replace, opens=opens, json=json)


def choose_kind(to: str | None) -> str:
    """Return what a file's ending asks for: html, png or svg."""
    ending = Path(to or "").suffix.lower().removeprefix(".")
    if ending not in KINDS and to not in {None, "-"}:
        raise BadInput(f"'{to}' has no ending of a report.", "Endings are .html, .png and .svg: --to game.html.")
    return ending or "html"


def draw_game(data: "GameData", kind: str, *, is_alone: bool) -> Iterator[Output]:
    """Yield the report of a game, or its pictures: the wide one, and also the tall one unless one file is asked for."""
    from nhl_lake.reports.game_page import render_game
    from nhl_lake.reports.poster import LAYOUTS, convert_to_png, draw_poster

    name = f"game-{data.game['game_id']}"
    if kind == "html":
        yield Output(f"{name}.html", render_game(data).encode())
        return
    for shape in LAYOUTS if not is_alone else [next(iter(LAYOUTS))]:
        svg = draw_poster(data, shape)
        yield Output(f"{name}-{shape}.{kind}", convert_to_png(svg) if kind == "png" else svg.encode())


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


def write_report(outputs: Sequence[Output], to: str | None, *, replace: bool, opens: bool, json: bool) -> None:
    """Write a report to its file, or pictures to theirs, and say where they are.

    Without `--to` a file has a name of its own in the working folder, and an older one of that name is replaced.
    """
    from nhl_lake.cli import console
    from nhl_lake.queries import targets

    written = []
    for output in outputs:
        target = targets.parse_target(output.name if to is None else to)
        if target is not None:
            targets.require_new([target], replace=replace or to is None)
        with targets.write_atomically(target) as draft:
            draft.write_bytes(output.content)
        written.append({"file": None if target is None else str(target), "bytes": len(output.content)})
        if target is not None and not json:
            print_text(f"{len(output.content) / 1000:,.0f} KB: {target}")
        if opens and isinstance(target, Path):
            webbrowser.open(target.resolve().as_uri())
    if json:
        write_out(console.format_json(written))
