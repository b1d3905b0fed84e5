"""What a chart is made of: a lake or a frame, and which game, player, team or season."""

from collections.abc import Collection
from operator import index
from typing import Any, TypeAlias

import polars as pl

from nhl_lake import Lake
from nhl_lake.errors import BadInput
from nhl_lake.gold.measures.stint_xg import REGULAR_SEASON
from nhl_lake.hockey.ids import format_season
from nhl_lake.hockey.names import format_full_name
from nhl_lake.plot.theme import show_text
from nhl_lake.queries.coverage import describe_seasons, list_seasons
from nhl_lake.queries.player import find_players, suggest_players
from nhl_lake.queries.team import require_known_team

Source: TypeAlias = Lake | pl.DataFrame | pl.LazyFrame
MAX_CHOICES = 5
EXAMPLES = {"game": "game=2023020001", "season": "season=2023", "window": "window=10"}


def require_frame(rows: object) -> pl.DataFrame | pl.LazyFrame:
    """Return a frame of Polars; anything else is an error."""
    if not isinstance(rows, pl.DataFrame | pl.LazyFrame):
        raise BadInput(
            f"A chart is not made of a {type(rows).__name__}.", "Give a lake, nhl_lake.open_lake(), or a Polars frame."
        )
    return rows


def require_number(value: object, what: str) -> int:
    """Return a whole number, also one of numpy; anything else is an error that says what it is for."""
    try:
        return index(value)  # type: ignore[arg-type]
    except TypeError as error:
        raise BadInput(f"{value!r} is no {what}.", f"Give a whole number: {EXAMPLES[what]}.") from error


def collect_frame(rows: pl.DataFrame | pl.LazyFrame, columns: Collection[str]) -> pl.DataFrame:
    """Return the columns of a frame; the error names those that it lacks."""
    have = require_frame(rows).collect_schema().names()
    missing = [name for name in columns if name not in have]
    if missing:
        raise BadInput(
            f"The frame has no column {', '.join(missing)}.", f"The chart needs {', '.join(columns)}, or a lake."
        )
    return rows.lazy().select(columns).collect()


def require_rows(rows: pl.DataFrame, what: str, hint: str = "`nhl-lake status` shows what is missing.") -> pl.DataFrame:
    """Return rows, their texts safe to show; raise if there are none to draw."""
    if rows.is_empty():
        raise BadInput(f"There is nothing to draw: {what}.", hint)
    return show_text(rows)


def require_one_game(rows: pl.DataFrame) -> None:
    """Raise if the rows of a frame are of several games."""
    if "game_id" in rows.columns and rows["game_id"].n_unique() > 1:
        raise BadInput(
            f"The frame has rows of {rows['game_id'].n_unique()} games; the chart shows one.",
            "Filter it first: frame.filter(game_id=…).",
        )


def require_game(game: int | None) -> int:
    """Return the game that a chart of a lake needs."""
    if game is None:
        raise BadInput("Which game?", "Give its id: game=2023020001. `nhl-lake show silver.games` lists games.")
    return require_number(game, "game")


def find_player(lake: Lake, player: int | str) -> dict[str, Any]:
    """Return the one player with an id or a name: player_id, player, and the columns of silver.players."""
    words = str(player)
    found = find_players(lake.root, words).with_columns(player=format_full_name())
    if found.height == 1:
        return found.row(0, named=True)
    if found.is_empty():
        near = suggest_players(lake.root, words)
        hint = f"Did you mean {' or '.join(near)}?" if near else "`nhl-lake show silver.players` lists players."
        raise BadInput(f"There is no player '{words}' in the lake.", hint)
    names = [f"{name} ({number})" for name, number in found.select("player", "player_id").head(MAX_CHOICES).rows()]
    rest = " …" if found.height > MAX_CHOICES else ""
    raise BadInput(f"'{words}' fits {found.height} players.", f"Give the id of one: {', '.join(names)}{rest}")


def choose_season(lake: Lake, table: str, season: int | None, **key: Any) -> int:  # noqa: ANN401 - of any column
    """Return the newest regular season that a table has, or the given one, as 2023 or 20232024."""
    seasons = list_seasons(lake.root, table, game_type=REGULAR_SEASON, **key)
    if season is None and seasons:
        return seasons[0]
    if season is not None:
        number = require_number(season, "season")
        full = number if number > 9999 else number * 10_000 + number + 1
        if full in seasons:
            return full
        raise BadInput(
            f"The lake has no such rows of {format_season(full)}.", f"{table} has {describe_seasons(seasons)} of them."
        )
    raise BadInput(f"{table} has no such rows of a regular season.", "`nhl-lake status` shows what the lake has.")


def require_team(lake: Lake, team: str) -> str:
    """Return the letters of a team that the lake has."""
    letters = str(team)
    require_known_team(lake.root, letters)
    return letters.upper()
