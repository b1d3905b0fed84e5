"""The commands that answer questions: sql, game, player, leaders, team, upcoming."""

import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nhl_lake.cli import log
from nhl_lake.cli.options import MAX_DAYS, Json, RawText, Replace, Season, load_settings, parse_season_years
from nhl_lake.cli.output import print_text, write_out
from nhl_lake.errors import BadInput
from nhl_lake.text import format_count

if TYPE_CHECKING:
    import polars as pl

    from nhl_lake.store.location import Location

ROWS_SHOWN = 40
TOP_SHOOTERS = 10  # printed below the games
SELECT_STAR = re.compile(r"\s*select\s+\*\s", re.IGNORECASE)


def sql_command(
    query: Annotated[
        str | None, typer.Argument(help="A SELECT over any tables. - reads it from standard input.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", metavar="FILE", help="Read the query from FILE; - is standard input.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="csv, json or parquet. Default: a table.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--to", "-o", metavar="FILE", help="Write to FILE or s3://…: .csv, .json or .parquet; - is stdout."
        ),
    ] = None,
    raw_text: RawText = False,
    replace: Replace = False,
    json: Json = False,
) -> None:
    """Run an SQL query over all tables.

    Only reads: no statement changes the lake. In a CSV file, a text that a spreadsheet would run as a formula gets an
    apostrophe in front; standard output has texts as they are.
    """
    from nhl_lake import layout
    from nhl_lake.queries import targets
    from nhl_lake.queries.sql import collect_query, run_query

    text = read_query(query, file)
    chosen, _ = load_settings()
    target = targets.parse_target(output) if output is not None else None
    form = kind or ("json" if json else None)
    if form is not None or output is not None:
        from nhl_lake.queries.export import ROW_WRITERS

        form = targets.choose_format(target, form, list(ROW_WRITERS))
    if target is not None:
        if targets.is_folder(target):
            raise BadInput(f"{target} is a folder, or has no ending.", "Name a file: -o answer.csv.")
        targets.require_new([target], replace=replace)
    layout.check_layout_version(chosen.root)  # the query opens the tables that it names, and no others
    layout.require_lake_exists(chosen.root)
    rows = collect_query(run_query(chosen.root, text))
    if target is not None:
        from nhl_lake.queries.export import save_rows

        save_rows(rows.lazy(), target, str(form), raw_text=raw_text)
        print_text(f"{format_count(rows.height, 'row')}: {target}")
    elif form is None:
        show_answer(rows, is_star=SELECT_STAR.match(text) is not None)
    else:
        write_answer(rows, form)


def read_query(query: str | None, file: Path | None) -> str:
    """Return the query: from the command line, a file, or standard input for '-'."""
    if (query is None) == (file is None):
        raise BadInput("Give one query.", 'Write it in quotes: nhl-lake sql "select …"; or name a file: -f FILE.')
    if query == "-" or str(file) == "-":
        return sys.stdin.read()
    if file is None:
        return str(query)
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"The file {file} cannot be read.", "Give --file a text file with one query.") from error


def show_answer(rows: "pl.DataFrame", *, is_star: bool) -> None:
    """Print the first rows of a result and the columns that fit the screen, and say what is left out.

    For `select *`, leading columns such as date and player come first.
    """
    from nhl_lake.cli import frames

    some_rows = rows.head(ROWS_SHOWN)
    left_out = frames.show_rows(some_rows.select(frames.order_columns(rows.columns)) if is_star else some_rows)
    if rows.is_empty():
        print_text("No rows.")
    if rows.height > ROWS_SHOWN:
        print_text(f"… {format_count(rows.height - ROWS_SHOWN, 'more row')}: use `limit`, --format csv or -o FILE.")
    if left_out:
        some = ", ".join(left_out[:3]) + (" …" if len(left_out) > 3 else "")
        print_text(
            f"… {format_count(len(left_out), 'more column')}: {some}\n  Select fewer, or use --format csv or -o FILE."
        )


def write_answer(rows: "pl.DataFrame", form: str) -> None:
    """Print a result in a format that other programs read."""
    from nhl_lake.cli import console
    from nhl_lake.queries.export import flatten_nested

    if form == "json":
        write_out(console.format_json(rows.to_dicts()))
    elif form == "csv":
        write_out(flatten_nested(rows.lazy()).collect().write_csv(), end="")
    elif sys.stdout.isatty():
        raise BadInput("Parquet cannot be printed on a terminal.", "Write a file: -o answer.parquet.")
    else:
        rows.write_parquet(sys.stdout.buffer)
        sys.stdout.buffer.flush()


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
    found = summarize_game(chosen.root, game)
    if json:
        fields = found._asdict().items()
        summary = {name: field.to_dicts() if isinstance(field, pl.DataFrame) else field for name, field in fields}
        write_out(console.format_json(summary))
    else:
        views.show_game(found)


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
    from nhl_lake.queries.player import summarize_player

    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    found = summarize_player(chosen.root, find_player(chosen.root, name, "nhl-lake player"), last)
    if json:
        lines = {name: getattr(found, name).to_dicts() for name in ("games", "seasons", "above_expected")}
        write_out(console.format_json({"player": found.player, **lines}))
    else:
        views.show_player(found)


def find_player(root: "Location", name: list[str], command: str) -> dict[str, Any]:
    """Return the player whom the words name. If nobody fits, the error suggests names; if several do, see below."""
    from nhl_lake.queries.player import find_players, suggest_players

    words = " ".join(name)
    people = find_players(root, words)
    if people.is_empty():
        near = suggest_players(root, words)
        hint = f"Did you mean {' or '.join(near)}?" if near else "`nhl-lake show silver.players` lists players."
        raise BadInput(f"There is no player '{words}' in the lake.", hint)
    return choose_player(people, words, command)


def choose_player(people: "pl.DataFrame", name: str, command: str) -> dict[str, Any]:
    """Return the matching player. If several match, ask on a terminal; elsewhere list them and exit with 2."""
    from nhl_lake.cli import views

    if people.height == 1:
        return people.row(0, named=True)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        log.write("warning", f"'{name}' fits {people.height} players. Give the id of one: {command} ID")
        views.show_player_choices(people)
        raise typer.Exit(2)
    views.show_player_choices(people)
    ids = [str(number) for number in people["player_id"]]
    chosen = typer.prompt("Which one? Id")
    if chosen not in ids:
        raise BadInput(
            f"{chosen} is none of these players.", f"Ids are {', '.join(ids[:8])}{' …' if len(ids) > 8 else ''}."
        )
    return people.row(ids.index(chosen), named=True)


def leaders_command(
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="COLUMN", help="goals, shots_on_goal, hits, save_share … Default: points."),
    ] = None,
    position: Annotated[
        str | None, typer.Option("--position", "-p", metavar="LETTER", help="C, L, R, D, G, or F for all forwards.")
    ] = None,
    team: Annotated[str | None, typer.Option("--team", metavar="ABC", help="Only players of this team.")] = None,
    season: Season = None,
    game_type: Annotated[
        int, typer.Option("--game-type", metavar="TYPE", help="1 preseason, 2 regular season, 3 playoffs.")
    ] = 2,
    situation: Annotated[
        str, typer.Option("--situation", metavar="TEXT", help="all, 5on5, 5on4, 4on5 or other.")
    ] = "all",
    min_games: Annotated[
        int | None, typer.Option("--min-games", metavar="N", min=1, help="Leave out players with fewer games.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Maximum number of players.")] = 10,
    json: Json = False,
) -> None:
    """Rank the players of a season by any statistic.

    Statistics are the columns of gold.skater_season, gold.goalie_season and gold.skater_rapm (5on5 by default). For
    shares and rates, players with less than a quarter of the most games are left out unless --min-games says otherwise.
    """
    from nhl_lake import layout
    from nhl_lake.cli import console, views
    from nhl_lake.queries.leaders import Choice, rank_leaders

    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    year = next(iter(parse_season_years([season] if season else None)), None)
    choice = Choice(by, position, team, year, game_type, situation, min_games)
    found = rank_leaders(chosen.root, choice, limit)
    if json:
        write_out(console.format_json(found.rows.to_dicts()))
    else:
        views.show_leaders(found, choice)


def upcoming(
    days: Annotated[
        int, typer.Option("--days", metavar="N", min=0, max=MAX_DAYS, help="Number of days after today.")
    ] = 3,
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
    predicted = read_predictions(chosen.root, rows)
    found = predicted.shooters.head(shooters or TOP_SHOOTERS)
    if shooters is not None and found.is_empty():
        found = upcoming_games.rank_shooters(chosen.root, rows, shooters)
    if json:
        write_out(console.format_json((rows if shooters is None else found).to_dicts()))
    elif rows.is_empty():
        print_text(f"No games are scheduled through {get_eastern_day(now) + timedelta(days=days)}.")
    else:
        if shooters is None:
            views.show_upcoming(rows)
        views.show_shooters(found, predicted, rows.height, now)


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
        write_out(console.format_json({"months": found.months.to_dicts(), "games": found.games.to_dicts()}))
    else:
        views.show_team(found)
