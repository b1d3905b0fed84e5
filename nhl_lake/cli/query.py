"""The commands that answer questions: in SQL, of a game, of a player, of the games to come."""

import io
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from nhl_lake import layout
from nhl_lake.cli import console, views
from nhl_lake.cli.options import Json, load_settings, parse_season_years
from nhl_lake.errors import BadInput
from nhl_lake.hockey.calendar import get_eastern_day
from nhl_lake.queries import player as career
from nhl_lake.queries import predictions, team
from nhl_lake.queries import upcoming as slate
from nhl_lake.queries.export import ROW_WRITERS, flatten_nested, require_new, save_rows
from nhl_lake.queries.game import summarize_game
from nhl_lake.queries.sql import collect_query, run_query

app = typer.Typer()
ROWS_SHOWN = 40
TOP_SHOOTERS = 10  # shooters below the games


@app.command(name="sql")
def sql_command(
    question: Annotated[str, typer.Argument(help="A SELECT over any tables: from gold.skater_game.")],
    kind: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="csv, json or parquet; a table if not given.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write there; .csv, .json, .parquet tell the format."),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Also over a file that is there already.")] = False,
) -> None:
    """Answer a question in SQL over all tables of the lake; nothing is changed."""
    chosen, _ = load_settings()
    form = kind or (output.suffix.removeprefix(".") if output else None)
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


def show_answer(rows: pl.DataFrame) -> None:
    """Print an answer as a table, the first rows of a long one."""
    console.show_frame(rows.head(ROWS_SHOWN))
    if rows.height > ROWS_SHOWN:
        typer.echo(f"… {rows.height - ROWS_SHOWN:,} more rows; `limit`, --format csv or -o FILE.")


def write_answer(rows: pl.DataFrame, form: str) -> None:
    """Print an answer in a format that other programs read."""
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


@app.command(name="game")
def game_command(
    game: Annotated[int, typer.Argument(metavar="ID", help="Game id: 2023020001.")], json: Json = False
) -> None:
    """Print a game on one screen: score and shots by period, goals, penalties, goalies, leaders."""
    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    sheet = summarize_game(chosen.root, game)
    if json:
        parts = sheet._asdict().items()
        frames = {name: part.to_dicts() if isinstance(part, pl.DataFrame) else part for name, part in parts}
        typer.echo(console.format_json(frames))
    else:
        views.show_game(sheet)


@app.command(name="player")
def player_command(
    name: Annotated[list[str], typer.Argument(help="Name, or the beginning of one, or an id; accents do not matter.")],
    last: Annotated[int, typer.Option("--last", metavar="N", min=1, help="How many games at the most.")] = 10,
    json: Json = False,
) -> None:
    """Print a player's last games and his seasons; of several who may be meant, ask which."""
    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    player = choose_player(career.find_players(chosen.root, " ".join(name)), " ".join(name))
    found = career.summarize_player(chosen.root, player, last)
    if json:
        lines = {"games": found.games.to_dicts(), "seasons": found.seasons.to_dicts()}
        typer.echo(console.format_json({"player": found.player, **lines}))
    else:
        views.show_player(found)


def choose_player(people: pl.DataFrame, name: str) -> dict[str, Any]:
    """Return the player who is meant; of several, ask on a terminal, and end with 2 elsewhere."""
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


@app.command()
def upcoming(
    days: Annotated[int, typer.Option("--days", metavar="N", min=0, help="Today, and so many days more.")] = 3,
    shooters: Annotated[
        int | None, typer.Option("--shooters", metavar="N", min=1, help="Of those games the N likeliest shooters.")
    ] = None,
    json: Json = False,
) -> None:
    """Print the games of today and of the next days, with rest and form of both teams, and who is likely to shoot.

    With --shooters only those, as `nhl-lake predict` foretold them; without a forecast, by their last ten games.
    """
    chosen, clock = load_settings()
    layout.require_readable_lake(chosen.root)
    now = clock()
    rows = slate.read_upcoming_games(chosen.root, now, days)
    told = predictions.read_predictions(chosen.root, rows)
    found = told.shooters.head(shooters or TOP_SHOOTERS)
    if shooters is not None and found.is_empty():
        found = slate.rank_shooters(chosen.root, rows, shooters)
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


@app.command(name="team")
def team_command(
    abbrev: Annotated[str, typer.Argument(metavar="ABC", help="The three letters of the team.")],
    season: Annotated[
        int | None,
        typer.Option("--season", metavar="YEAR", help="2023 is the season 2023-24; the newest if not given."),
    ] = None,
    last: Annotated[int, typer.Option("--last", metavar="N", min=1, help="How many games at the most.")] = 10,
    json: Json = False,
) -> None:
    """Print a team's regular season by month, with its power play, and its last games."""
    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    found = team.summarize_team(
        chosen.root, abbrev, next(iter(parse_season_years([season] if season else None)), None), last
    )
    if json:
        typer.echo(console.format_json({"months": found.months.to_dicts(), "games": found.games.to_dicts()}))
    else:
        views.show_team(found)
