"""The commands that write reports: one HTML file each, with everything in it."""

import webbrowser
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from nhl_lake.cli.options import Json, Replace, Season, load_settings, parse_season_years
from nhl_lake.cli.output import print_text, write_out
from nhl_lake.errors import BadInput

if TYPE_CHECKING:
    from nhl_lake.reports.game import GameData
    from nhl_lake.store.location import Location

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

    kind = choose_kind(to, png=png)
    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    data = read_game(chosen.root, find_game(chosen.root, which))
    write_report(list(draw_game(data, kind, is_alone=to is not None)), to, replace=replace, opens=opens, json=json)


def choose_kind(to: str | None, *, png: bool = False) -> str:
    """Return what a file's ending asks for: html, png or svg."""
    has_name = to not in {None, "-"}
    ending = Path(to or "").suffix.lower().removeprefix(".")
    if has_name and ending not in KINDS:
        raise BadInput(f"'{to}' has no ending of a report.", "Endings are .html, .png and .svg: --to game.html.")
    if png and has_name and ending != "png":
        raise BadInput(f"--png does not fit the name {to}.", "Change one, or leave out --png.")
    return "png" if png else ending or "html"


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


def player(
    name: Annotated[list[str], typer.Argument(help="Name, start of a name, or id. Accents do not matter.")],
    season: Season = None,
    to: To = None,
    opens: Open = False,
    replace: Replace = False,
    json: Json = False,
) -> None:
    """Write the card of a player: percentiles, seasons, shots, rolling xG, games.

    One HTML file that needs no network. Percentiles compare with the players of the same position, and have a minimum
    of ice time. If several players have the name, they are listed. Default: the newest season of the player.
    """
    from nhl_lake import layout
    from nhl_lake.cli.query import find_player
    from nhl_lake.reports.player import read_player
    from nhl_lake.reports.player_page import render_player

    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    player_id = find_player(chosen.root, name, "nhl-lake report player")["player_id"]
    page = render_player(read_player(chosen.root, player_id, parse_season(season)))
    write_page(page, f"player-{player_id}", to, replace=replace, opens=opens, json=json)


def team(
    abbrev: Annotated[str, typer.Argument(metavar="ABC", help="The three letters of the team.")],
    season: Season = None,
    to: To = None,
    opens: Open = False,
    replace: Replace = False,
    json: Json = False,
) -> None:
    """Write the page of a team: record, rolling xG, roster, games, lines, shot maps.

    One HTML file that needs no network. Default: the newest season of the team.
    """
    from nhl_lake import layout
    from nhl_lake.reports.team import read_team
    from nhl_lake.reports.team_page import render_team

    chosen, clock = load_settings()
    layout.require_readable_lake(chosen.root)
    found = read_team(chosen.root, abbrev, parse_season(season), clock())
    name = f"team-{found.team['team_abbrev']}"
    write_page(render_team(found), name, to, replace=replace, opens=opens, json=json)


def day(
    which: Annotated[
        str | None, typer.Argument(metavar="[DATE]", help="2024-02-22. Default: last night and tonight.")
    ] = None,
    to: To = None,
    opens: Open = False,
    replace: Replace = False,
    json: Json = False,
) -> None:
    """Write the games of a day: scores with xG, and games to come with form and shooters.

    One HTML file that needs no network. Without a date: the last day with results, and the next one with games.
    """
    from nhl_lake import layout
    from nhl_lake.hockey.calendar import get_eastern_day
    from nhl_lake.reports.day import read_day, read_last_and_next_day
    from nhl_lake.reports.day_page import render_days

    chosen, clock = load_settings()
    layout.require_readable_lake(chosen.root)
    now = clock()
    named = get_eastern_day(now) if which is None else parse_date(which)
    if which is None:
        page = render_days(read_last_and_next_day(chosen.root, now), title="Last games and next games")
    else:
        page = render_days([read_day(chosen.root, named, now)])
    write_page(page, f"day-{named}", to, replace=replace, opens=opens, json=json)


def league(
    season: Season = None, to: To = None, opens: Open = False, replace: Replace = False, json: Json = False
) -> None:
    """Write the page of the league: standings with xG, leaders, goalies, teams by xG.

    One HTML file that needs no network. Default: the newest season with regular-season games.
    """
    from nhl_lake import layout
    from nhl_lake.reports.league import find_league_season, read_league
    from nhl_lake.reports.league_page import render_league

    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    year = find_league_season(chosen.root, parse_season(season))
    page = render_league(read_league(chosen.root, year))
    write_page(page, f"league-{year}", to, replace=replace, opens=opens, json=json)


def parse_season(number: int | None) -> int | None:
    """Return the season of `--season`; None without one."""
    return next(iter(parse_season_years([number] if number else None)), None)


def parse_date(text: str) -> date:
    """Return the day that a text names."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"'{text}' is not a day.", "Write it as 2024-02-22: nhl-lake report day 2024-02-22.") from error


def find_game(root: "Location", words: list[str]) -> int:
    """Return the game that the words name: an id, `last`, or `last` and a team."""
    from nhl_lake.queries.game import find_last_game

    match words:
        case [number] if number.isdecimal():
            return int(number)
        case ["last"]:
            return find_last_game(root, None)
        case ["last", team]:
            return find_last_game(root, team)
    raise BadInput(f"'{' '.join(words)}' names no game.", "Give an id (2023020001), or: nhl-lake report game last TOR.")


def write_page(page: str, name: str, to: str | None, *, replace: bool, opens: bool, json: bool) -> None:
    """Write a page of HTML to its file."""
    if to is not None and choose_kind(to) != "html":
        raise BadInput(f"'{to}' would be a picture.", f"Pictures are of games only. Name a page: --to {name}.html.")
    write_report([Output(f"{name}.html", page.encode())], to, replace=replace, opens=opens, json=json)


def write_report(outputs: Sequence[Output], to: str | None, *, replace: bool, opens: bool, json: bool) -> None:
    """Write a report to its file, or pictures to theirs, and say where they are.

    Without `--to` a file has a name of its own in the working folder, and an older one of that name is replaced.
    """
    from nhl_lake.cli import console
    from nhl_lake.queries import targets

    written = []
    for output in outputs:
        target = targets.parse_target(output.name if to is None else to)
        if opens and not isinstance(target, Path):
            raise BadInput(f"--open shows files, and --to {to} is none.", "Leave out one: --to report.html --open.")
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
