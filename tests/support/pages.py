"""Small rows of bronze tables, for tests of storage."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

from nhl_lake.bronze.endpoints import PLAY_BY_PLAY as PLAYS
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables

PLAYED = datetime(2026, 3, 1, tzinfo=UTC)
FIRST_FETCH = datetime(2023, 10, 11, 6, tzinfo=UTC)


def equal_bodies(a: str, b: str) -> bool:
    """Return whether two bodies are equal, without looking for keys to ignore."""
    return a == b


def make_page(table: Table, key: int, body: str, minute: int) -> pl.DataFrame:
    """Return a page as one row of a bronze table, fetched some minutes after the first."""
    values = {
        "game_id": 2023020000 + key,
        "player_id": 8470000 + key,
        "season": 20232024,
        "game_date": FIRST_FETCH.date(),
        "state": "OFF",
        "fetched_at": FIRST_FETCH + timedelta(minutes=minute),
        "url": f"https://api.example/{key}",
        "sha256": sha256(body.encode()).hexdigest(),
        "run_id": "run",
        "body_bytes": len(body),
        "body": body,
    }
    return pl.DataFrame([{name: values[name] for name in table.schema}], schema=table.schema)


def make_play_page(game: int, n: int, season: int = 20252026) -> dict[str, Any]:
    """Return a play-by-play page that was fetched n minutes after the first."""
    body = json.dumps({"game": game, "n": n})
    return {
        "season": season, "game_id": game, "game_date": PLAYED.date(), "state": "OFF", "body": body,
        "fetched_at": PLAYED + timedelta(minutes=n), "url": "http://x", "sha256": f"{n:064}", "run_id": "r",
        "body_bytes": len(body),
    }  # fmt: skip


def store_one_by_one(root: Path, pages: int, *, season: int = 20252026, start: int = 0) -> None:
    """Store pages, each in a commit of its own."""
    delta_tables.create_tables(root, [PLAYS])
    for n in range(start, start + pages):
        rows = pl.DataFrame([make_play_page(n, n, season)]).select(PLAYS.schema.names()).cast(dict(PLAYS.schema))
        delta_tables.store_pages(root, PLAYS, rows, lambda a, b: a == b)
