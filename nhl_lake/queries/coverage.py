"""Which seasons and game types a lake has, to explain an empty answer."""

from collections.abc import Sequence

import polars as pl

from nhl_lake.catalog import find_table
from nhl_lake.errors import BadInput
from nhl_lake.hockey.calendar import GAME_TYPES
from nhl_lake.hockey.ids import format_season, get_game_type
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location


def list_seasons(root: Location, table: str, **key: object) -> list[int]:
    """Return the seasons of a table's rows, newest first; with a key, of the rows that have it."""
    rows = delta_tables.scan_table(root, find_table(table)).filter(**key)
    return rows.select(pl.col("season").unique()).collect()["season"].sort(descending=True).to_list()


def require_seasons(root: Location, seasons: Sequence[int]) -> None:
    """Raise if the lake has no pages of one of the seasons."""
    stored = list_seasons(root, "bronze.schedule") if seasons else []
    for season in seasons:
        if season not in stored:
            hint = (
                f"It has {describe_seasons(stored)}. `nhl-lake ingest --season {season // 10_000}` fetches that season."
            )
            raise BadInput(f"The lake has no games of {format_season(season)}.", hint)


def find_absent_game_types(root: Location, seasons: Sequence[int], game_types: Sequence[int]) -> list[int]:
    """Return the game types without a game in the schedule of some seasons."""
    if not game_types:
        return []
    games = delta_tables.scan_table(root, find_table("bronze.schedule")).filter(pl.col("season").is_in(list(seasons)))
    kinds = games.select(pl.col("game_id").unique()).collect()["game_id"]
    listed = {get_game_type(game) for game in kinds}
    return [kind for kind in game_types if kind not in listed]


def describe_seasons(seasons: Sequence[int]) -> str:
    """Return seasons as people write them: "2023-24, 2022-23 and 4 earlier"; "no season" if there are none."""
    names = [format_season(season) for season in seasons[:3]]
    if not names:
        return "no season"
    earlier = len(seasons) - len(names)
    return ", ".join(names) + (f" and {earlier} earlier" if earlier else "")


def describe_game_type(number: int) -> str:
    """Return the name of a game type, such as "regular season"; for a special one, its number."""
    return GAME_TYPES.get(number, f"game type {number}")
