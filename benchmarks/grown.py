"""Make lakes of many seasons for benchmarks: a season of the sample league, and copies as earlier seasons."""

import hashlib
import re
from datetime import date
from pathlib import Path

import polars as pl

from nhl_lake import catalog
from nhl_lake.bronze import endpoints
from nhl_lake.rebuild import lineage
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables

PAGES_AT_ONCE = 2000


def add_built_seasons(root: Path, season: int, seasons: int, day: date) -> None:
    """Add copies of a season in all layers as earlier seasons, with other ids; page bodies do not change."""
    for table in (*endpoints.TABLES, *catalog.BUILT_TABLES):
        if not table.partition:
            continue
        rows = delta_tables.scan_table(root, table).filter(pl.col("season") == season).collect()
        for back in range(1, seasons):
            write_season(
                root, table, shift_rows(rows, season, back).select(table.schema.names()), season - back * 10_001
            )
    code = lineage.hash_code()
    for table in catalog.list_build_order():
        now = lineage.plan_lineage(lineage.take_snapshot(root, root, catalog.list_build_order(), day=day), table, code)
        nothing = "season = 1" if table.partition else f"{table.key[0]} IS NULL"
        text = {lineage.LINEAGE_KEY: lineage.format_lineage(now)}
        delta_tables.replace_rows(root, table, pl.DataFrame(schema=table.schema), where=nothing, metadata=text)


def shift_rows(rows: pl.DataFrame, season: int, back: int) -> pl.DataFrame:
    """Return rows of a season moved some years back, by their columns."""
    found = rows.with_columns(season=pl.lit(season - back * 10_001, pl.Int32))
    return found.with_columns(pl.col("game_id") - back * 1_000_000) if "game_id" in rows.columns else found


def write_season(root: Path, table: Table, rows: pl.DataFrame, season: int) -> None:
    """Write a season to the lake."""
    if table.layer == "bronze":
        delta_tables.store_pages(root, table, rows, lambda a, b: a == b)
    else:
        delta_tables.replace_rows(root, table, rows, where=f"season = {season}", metadata={})


def add_bronze_seasons(root: Path, season: int, seasons: int) -> None:
    """Add copies of a season as earlier seasons, with ids and dates changed in the pages too."""
    for table in endpoints.TABLES:
        if not table.partition:
            continue
        pages = delta_tables.scan_table(root, table).filter(pl.col("season") == season)
        count = pages.select(pl.len()).collect().item()
        for back in range(1, seasons):
            for start in range(0, count, PAGES_AT_ONCE):
                rows = pages.slice(start, PAGES_AT_ONCE).collect()
                bodies = [shift_page(body, season, back) for body in rows["body"]]
                days = {"game_date": pl.col("game_date").dt.offset_by(f"-{back}y")} if "game_date" in rows else {}
                write_season(
                    root,
                    table,
                    shift_rows(rows, season, back)
                    .with_columns(
                        body=pl.Series(bodies),
                        sha256=pl.Series([hashlib.sha256(body.encode()).hexdigest() for body in bodies]),
                        body_bytes=pl.Series([len(body.encode()) for body in bodies]),
                        **days,
                    )
                    .select(table.schema.names()),
                    season - back * 10_001,
                )


def shift_page(body: str, season: int, back: int) -> str:
    """Return a page moved some years back: the season, the games' ids, the dates."""
    first = season // 10_000
    body = body.replace(str(season), str(season - back * 10_001))
    body = re.sub(rf"\b{first}(0[1-4]\d{{4}})\b", rf"{first - back}\1", body)
    for year in (first, first + 1):
        body = re.sub(rf"\b{year}-(\d\d-\d\d)", rf"{year - back}-\1", body)
    return body
