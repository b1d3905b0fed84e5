"""Bronze pages for tests: handwritten, recorded, or of the simulated league."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from nhl_lake.bronze import endpoints
from nhl_lake.hockey.ids import get_game_season
from nhl_lake.schema.table import Table
from tests.league.league_pages import get_game_page

# columns of bronze that say where a row comes from; no table reads them
ORIGIN_COLUMNS = {"url", "sha256", "run_id", "body_bytes"}
PAGE_SCHEMA = {
    column.name: column.dtype
    for table in endpoints.TABLES
    for column in table.columns
    if column.name not in ORIGIN_COLUMNS
}
FETCHED_AT = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


def make_pages(*pages: dict[str, Any], state: str | None = "OFF", **columns: Any) -> pl.LazyFrame:
    """Return pages as rows of a bronze table; other columns may be given."""
    rows = [
        {
            "season": get_game_season(game) if game is not None and game > 10**9 else None,
            "game_id": game,
            "state": state,
            "fetched_at": FETCHED_AT,
            "body": json.dumps(page),
            **columns,
        }
        for page in pages
        for game in [page["id"] if type(page.get("id")) is int and abs(page["id"]) < 2**62 else None]
    ]
    if unknown := columns.keys() - PAGE_SCHEMA.keys():
        raise ValueError(f"no bronze table has {sorted(unknown)}")
    return pl.LazyFrame(rows, schema=PAGE_SCHEMA)


NO_PAGES = make_pages()


def build_table(table: Table, *inputs: pl.LazyFrame) -> pl.DataFrame:
    """Build a table as a rebuild does: strictly cast, with columns in order."""
    rows = table.build(*inputs).collect()
    assert rows.columns == [column.name for column in table.columns]
    return rows.cast(dict(table.schema)).sort(table.key)


def fetch_league_pages(kind: str, games: tuple[int, ...]) -> pl.LazyFrame:
    """Return pages of the simulated league."""
    return pl.concat([make_pages({"id": game, **get_game_page(game, kind)}) for game in games])


def read_recorded_pages(folder: Path, version: str = "") -> pl.LazyFrame:
    """Return the recorded pages of a folder, one a game: those that are named as a version, or as none."""
    pages = []
    for file in sorted(folder.glob("*.json")):
        name, _, number = file.stem.partition("__")
        if number == version:
            page = {"id": int(name), **json.loads(file.read_text())}
            pages.append(make_pages(page, state=page.get("gameState", "OFF")))
    return pl.concat(pages)


def make_schedule_row(page: dict[str, Any]) -> dict[str, Any]:
    """Return what the schedule says of a game, from its page."""
    ids = {"season": page["season"], "game_id": page["id"], "game_type": page["gameType"]}
    about = {"game_date": date.fromisoformat(page["gameDate"]), "game_state": "OFF", "schedule_state": "OK"}
    teams = {
        f"{side}_team_{name}": page[f"{side}Team"][key]
        for side in ("home", "away")
        for name, key in (("id", "id"), ("abbrev", "abbrev"))
    }
    return ids | about | teams | {"last_period_type": page["plays"][-1]["periodDescriptor"]["periodType"]}


def parse_day(text: str) -> date:
    return date.fromisoformat(text)
