"""The commands that answer questions: sql, game, player, team, upcoming."""

import io
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nhl_lake.cli.options import Json, Replace, Season, load_settings, parse_season_years
from nhl_lake.errors import BadInput

if TYPE_CHECKING:
    import polars as pl

ROWS_SHOWN = 40
TOP_SHOOTERS = 10  # shooters below the games


def sql_command(
    question: Annotated[str, typer.Argument(help="A SELECT over any tables: from gold.skater_game.")],
    kind: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="csv, json or parquet. Default: a table.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--to", "-o", metavar="FILE", help="Write to FILE: .csv, .json or .parquet."),
    ] = None,
    replace: Replace = False,
    json: Json = False,
) -> None:
    """Answer a question in SQL over all tables.

    Only reads: no statement changes the lake.
    """
    from nhl_lake import layout
    from nhl_lake.queries.export import ROW_WRITERS, require_new, save_rows
    from nhl_lake.queries.sql import collect_query, run_query

    chosen, _ = load_settings()
    form = kind or ("json" if json else None) or (output.suffix.removeprefix(".") if output else None)
    if form is not None and form not in ROW_WRITERS:
        raise BadInput(f"'{form}' is no format for an answer.", f"There are {', '.join(ROW_WRITERS)}: --format csv.")
    if output:
        require_new([output], replace=replace)
    layout.check_layout_version(chosen.root)  # the tables of the question are opened by it, and no others
    layout.require_lake_exists(chosen.root)
    rows = collect_query(run_query(chosen.root, question))
    if output:
        save_rows(rows.lazy(), output, str(form))
        typer.echo(f"{rows.height:,} rows: {output}")
    elif form is None:
        show_answer(rows)
    else:
        write_answer(rows, form)


def show_answer(rows: "pl.DataFrame") -> None:
    """Print an answer as a table, the first rows of a long one."""
    from nhl_lake.cli import console

    console.show_frame(rows.head(ROWS_SHOWN))
    if rows.height > ROWS_SHOWN:
        typer.echo(f"… {rows.height - ROWS_SHOWN:,} more rows; `limit`, --format csv or -o FILE.")


def write_answer(rows: "pl.DataFrame", form: str) -> None:
    """Print an answer in a format that other programs read."""
    from nhl_lake.cli import console
    from nhl_lake.queries.export import flatten_nested

    if form == "json":
        typer.echo(console.format_json(rows.to_dicts()))
    elif form == "csv":
        typer.echo(flatten_nested(rows.lazy()).collect().write_csv(), nl=False)
    elif sys.stdout.isatty():
        raise BadInput("Parquet is nothing to look at.", "Name a file: -o answer.parquet.")
    else:
        buffer = io.BytesIO()
        rows.write_parquet(buffer)
        typer.echo(buffer.getvalue(), nl=False)


def game_command(
    game: Annotated[int, typer.Argument(metavar="ID", help="Game id: 2023020001.")], json: Json = False
) -> None:
    """Show a game: periods, goals, penalties, goalies, leaders."""
    import polars as pl

    from nhl_lake import layout
    from nhl_lake.cli import console, views
    from nhl_lake.queries.game import summarize_game

    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    sheet = summarize_game(chosen.root, game)
    if json:
        parts = sheet._asdict().items()
        frames = {name: part.to_dicts() if isinstance(part, pl.DataFrame) else part for name, part in parts}
        typer.echo(console.format_json(frames))
    else:
        views.show_game(sheet)


def player_command(
    name: Annotated[list[str], typer.Argument(help="Name, start of a name, or id. Accents do not matter.")],
    last: Annotated[int, typer.Option("--last", "-n", metavar="N", min=1, help="Maximum number of games.")] = 10,
    json: Json = False,
) -> None:
    """Show a player's last games and seasons.

    Asks which player you mean if several match.
    """
    from nhl_lake import layout
    from nhl_lake.cli import console, views
    from nhl_lake.queries.player import find_players, summarize_player

    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    player = choose_player(find_players(chosen.root, " ".join(name)), " ".join(name))
    found = summarize_player(chosen.root, player, last)
    if json:
        lines = {"games": found.games.to_dicts(), "seasons": found.seasons.to_dicts()}
        typer.echo(console.format_json({"player": found.player, **lines}))
    else:
        views.show_player(found)


def choose_player(people: "pl.DataFrame", name: str) -> dict[str, Any]:
    """Return the matching player. If several match, ask on a terminal; elsewhere exit with 2."""
    from nhl_lake.cli import views

    if people.is_empty():
        raise BadInput(
            f"There is no player '{name}' in the lake.",
            "The beginnings of a first and a last name will do; `nhl-lake show silver.players` lists some.",
        )
    if people.height == 1:
        return people.row(0, named=True)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        typer.echo(f"'{name}' may be {people.height} players. Say which, by the id: nhl-lake player ID", err=True)
        views.show_player_choices(people)
        raise typer.Exit(2)
    views.show_player_choices(people)
    ids = [str(number) for number in people["player_id"]]
    chosen = typer.prompt("Which one? His id")
    if chosen not in ids:
        raise BadInput(f"{chosen} is none of them.", f"There are {', '.join(ids[:8])}{' …' if len(ids) > 8 else ''}.")
    return people.row(ids.index(chosen), named=True)


def upcoming(
    days: Annotated[int, typer.Option("--days", metavar="N", min=0, help="Number of days after today.")] = 3,
    shooters: Annotated[
        int | None, typer.Option("--shooters", metavar="N", min=1, help="Only the N players likely to shoot most.")
    ] = None,
    json: Json = False,
) -> None:
    """Show the next games, with rest, form and likely shooters.

    With --shooters, print only the players who are likely to shoot most: by `nhl-lake predict`, or without a
    prediction by their last ten games.
    """
    from nhl_lake import layout
    from nhl_lake.cli import console, views
    from nhl_lake.hockey.calendar import get_eastern_day
    from nhl_lake.queries import upcoming as upcoming_games
    from nhl_lake.queries.predictions import read_predictions

    chosen, clock = load_settings()
    layout.require_readable_lake(chosen.root)
    now = clock()
    rows = upcoming_games.read_upcoming_games(chosen.root, now, days)
    told = read_predictions(chosen.root, rows)
    found = told.shooters.head(shooters or TOP_SHOOTERS)
    if shooters is not None and found.is_empty():
        found = upcoming_games.rank_shooters(chosen.root, rows, shooters)
    if json:
        typer.echo(console.format_json((rows if shooters is None else found).to_dicts()))
    elif rows.is_empty():
        typer.echo(
            f"No game is scheduled through {get_eastern_day(now) + timedelta(days=days)}, as far as the lake knows."
        )
    else:
        if shooters is None:
            views.show_upcoming(rows)
        views.show_shooters(found, told, rows.height)


def team_command(
    abbrev: Annotated[str, typer.Argument(metavar="ABC", help="The three letters of the team.")],
    season: Season = None,
    last: Annotated[int, typer.Option("--last", "-n", metavar="N", min=1, help="Maximum number of games.")] = 10,
    json: Json = False,
) -> None:
    """Show a team's season by month, its power play and last games."""
    from nhl_lake import layout
    from nhl_lake.cli import console, views
    from nhl_lake.queries.team import summarize_team

    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    found = summarize_team(
        chosen.root, abbrev, next(iter(parse_season_years([season] if season else None)), None), last
    )
    if json:
        typer.echo(console.format_json({"months": found.months.to_dicts(), "games": found.games.to_dicts()}))
    else:
        views.show_team(found)
