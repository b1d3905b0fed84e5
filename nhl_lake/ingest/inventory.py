"""What the lake knows when a plan is made or a status is asked for, as frames."""

from collections.abc import Sequence, Set
from dataclasses import replace
from datetime import date, datetime

import msgspec
import polars as pl

from nhl_lake.bronze import endpoints
from nhl_lake.bronze.player_ids import Roster, read_dressed_ids, read_roster_ids
from nhl_lake.hockey.calendar import FINAL_STATES, GONE
from nhl_lake.ingest.planner import INCOMPLETE_SCHEMA, Inventory
from nhl_lake.schema import ledger
from nhl_lake.schema.table import PageRecord, Table, format_page_name
from nhl_lake.silver.game_quality import GAME_QUALITY
from nhl_lake.silver.games import games
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.quarantine import QUARANTINE
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

PAGES_AT_ONCE = 100
MAX_EMPTY_PAGE_BYTES = 20_000  # no longer page is empty: a shift is some 400 bytes


class RosterSpotsPage(msgspec.Struct):
    """A play-by-play page, of which only the dressed players are read."""

    rosterSpots: msgspec.Raw


def read_inventory(
    root: Location, seasons: Sequence[int], *, player_ids: pl.DataFrame | None = None, games: pl.DataFrame | None = None
) -> Inventory:
    """Read what the plan needs of some seasons; `met` are the ids of players, and `games`, if they are read already."""
    return Inventory(
        games=read_stored_games(root, seasons) if games is None else games,
        stored={table.name: read_stored_pages(root, table, seasons) for table in endpoints.PLANNED_TABLES},
        answers=delta_tables.scan_table_or_empty(root, ledger.ANSWERS).collect(),
        player_ids=read_player_ids(root, seasons) if player_ids is None else player_ids,
        incomplete=find_incomplete_pages(root, seasons),
    )


def find_incomplete_pages(root: Location, seasons: Sequence[int]) -> pl.DataFrame:
    """Return the pages that the last rebuild found incomplete: table, page, reason.

    A page fails a check, or its game is quarantined, which may be due to any of its pages.
    """
    quarantined = (
        delta_tables.scan_table_or_empty(root, QUARANTINE)
        .filter(pl.col("season").is_in(list(seasons)), pl.col("game_id").is_not_null())
        .sort("game_id", "quarantined_by")
        .select(
            table=pl.lit([table.name for table in endpoints.GAME_PAGES], pl.List(pl.String)),
            page=pl.col("game_id").cast(pl.String),
            reason=pl.format("quarantined by {}: {}", "quarantined_by", "reason"),
        )
        .explode("table")
        .collect()
    )
    return pl.concat([quarantined, find_failing_pages(root, seasons).join(quarantined, on="page", how="anti")])


def find_failing_pages(root: Location, seasons: Sequence[int]) -> pl.DataFrame:
    """Return the pages of games that fail a check, and which."""
    checks = delta_tables.scan_table_or_empty(root, GAME_QUALITY)
    if "incomplete_pages" not in checks.collect_schema():
        return pl.DataFrame(schema=INCOMPLETE_SCHEMA)  # made by a release that did not look: the next rebuild tells
    found = checks.filter(pl.col("season").is_in(list(seasons)), pl.col("incomplete_pages").is_not_null())
    pages = found.sort("game_id", "check").select(
        table="incomplete_pages", page=pl.col("game_id").cast(pl.String), reason=pl.format("fails '{}'", "check")
    )
    return pages.explode("table").collect()


def read_stored_seasons(root: Location) -> Sequence[str]:
    """Return the rows of the NHL's list of seasons that the lake has kept, as served."""
    return delta_tables.scan_table_or_empty(root, endpoints.SEASONS).select("body").collect()["body"].to_list()


def find_first_fetch_time(root: Location) -> datetime:
    """Return when the first page was kept: every run begins with the schedule."""
    found: datetime = (
        delta_tables.scan_table(root, endpoints.SCHEDULE).select(pl.col("fetched_at").min()).collect().item()
    )
    return found


def scan_newest_pages(root: Location, table: Table, seasons: Sequence[int]) -> pl.LazyFrame:
    """Read the newest version of each page of some seasons."""
    return delta_tables.filter_newest_pages(delta_tables.scan_table_or_empty(root, table), table, seasons)


def refresh_inventory(
    root: Location, seasons: Sequence[int], before: Inventory, asked: Set[str], met: Set[int]
) -> Inventory:
    """Read again what a run has changed since: the tables that it asked for pages of; `met` are the players it met."""
    new = {
        table.name: read_stored_pages(root, table, seasons) for table in endpoints.PLANNED_TABLES if table.name in asked
    }
    return replace(
        before,
        stored={**before.stored, **new},
        answers=delta_tables.scan_table_or_empty(root, ledger.ANSWERS).collect(),
        player_ids=pl.concat([before.player_ids, make_player_ids_frame(met)]),
    )


def read_stored_games(root: Location, seasons: Sequence[int]) -> pl.DataFrame:
    """Return the games of seasons as the lake knows them."""
    return scan_scheduled_games(root, scan_newest_pages(root, endpoints.SCHEDULE, seasons)).collect()


def read_stored_schedule(root: Location, seasons: Sequence[int]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the games of seasons as the lake knows them, and what the API answered beside pages."""
    return read_stored_games(root, seasons), delta_tables.scan_table_or_empty(root, ledger.ANSWERS).collect()


def scan_scheduled_games(root: Location, pages: pl.LazyFrame) -> pl.LazyFrame:
    """Return the games of pages of the schedule, with what was seen since of those that it lists no more."""
    return games(pages.select("game_date", "body"), delta_tables.scan_table_or_empty(root, ledger.LISTINGS))


def find_listing_changes(
    kept: pl.DataFrame, fresh: Sequence[PageRecord], days: Set[date], at: datetime, *, run_id: str
) -> pl.DataFrame:
    """Return what a reading of the schedule tells anew of unplayed games: gone from it, or there again.

    `days` are those that were read. A game is gone if its day is one of them: no other day has it, for all that can
    still change is read when one is missed (see walk.is_surprising).
    """
    is_listed = pl.col("game_id").is_in([part.key["game_id"] for part in fresh])
    news = kept.filter(~pl.col("game_state").is_in(FINAL_STATES), is_listed != (pl.col("schedule_state") != GONE))
    news = news.filter(is_listed | pl.col("game_date").is_in(sorted(days)))
    told = news.select("season", "game_id", asked_at=pl.lit(at), is_listed=is_listed, run_id=pl.lit(run_id))
    return told.select(pl.col(column.name).cast(column.dtype) for column in ledger.LISTINGS.columns)


def merge_schedule(
    kept: pl.DataFrame, seasons: Sequence[int], fresh: Sequence[PageRecord], days: Set[date]
) -> pl.DataFrame:
    """Return the games known before, as a reading of some days of the schedule has them now.

    An unplayed game of these days that it does not list any more is left out: "if necessary" games vanish when a series
    is decided.
    """
    parts = pl.DataFrame(
        {"game_date": [part.game_date for part in fresh], "body": [part.body for part in fresh]},
        schema={"game_date": pl.Date, "body": pl.Binary},
    ).cast({"body": pl.String})
    listed = games(parts.lazy(), pl.LazyFrame(schema=ledger.LISTINGS.schema)).collect()
    read = listed.unique("game_id", keep="last", maintain_order=True).filter(pl.col("season").is_in(list(seasons)))
    is_unread = ~pl.col("game_date").is_in(sorted(days))
    others = kept.filter(pl.col("game_state").is_in(FINAL_STATES) | is_unread).join(read, on="game_id", how="anti")
    return pl.concat([others, read])


def read_stored_pages(root: Location, table: Table, seasons: Sequence[int]) -> pl.DataFrame:
    """Return one row per page that bronze holds of a table: page, state, fetched_at, is_empty."""
    pages = scan_newest_pages(root, table, seasons)
    state = pl.col("state") if "state" in table.schema else pl.lit(None, pl.String).alias("state")
    rows = pages.select(format_page_name(table), state, "fetched_at").collect()
    is_empty = table.endpoint.is_empty
    if is_empty is None:
        return rows.with_columns(is_empty=pl.lit(value=False))
    short = pages.filter(pl.col("body_bytes") < MAX_EMPTY_PAGE_BYTES).select(format_page_name(table), "body").collect()
    empty = [page for page, body in short.iter_rows() if is_empty(body)]
    return rows.with_columns(is_empty=pl.col("page").is_in(empty))


def make_empty_player_ids() -> pl.DataFrame:
    """Return no player ids."""
    return make_player_ids_frame(set())


def read_player_ids(root: Location, seasons: Sequence[int]) -> pl.DataFrame:
    """Return the ids of the players met in line-ups and rosters of seasons.

    Line-ups come from silver; pages that it was not yet made of are read here, so that no run waits for a rebuild.
    """
    in_silver = delta_tables.scan_table_or_empty(root, LINEUPS).filter(
        pl.col("season").is_in(list(seasons)), ~pl.col("is_scratched")
    )
    pages = scan_newest_pages(root, endpoints.PLAY_BY_PLAY, seasons)
    known_games = in_silver.select("game_id").unique()
    final = pages.filter(pl.col("state").is_in(FINAL_STATES)).join(known_games, on="game_id", how="anti")
    new_games = final.select("game_id").collect()["game_id"]
    ids = set(in_silver.select("player_id").unique().collect()["player_id"])
    for start in range(0, len(new_games), PAGES_AT_ONCE):
        some = new_games.slice(start, PAGES_AT_ONCE).to_list()
        for body in pages.filter(pl.col("game_id").is_in(some)).select("body").collect()["body"]:
            ids |= read_dressed_ids(msgspec.json.decode(body, type=RosterSpotsPage).rosterSpots)
    for body in scan_newest_pages(root, endpoints.ROSTERS, seasons).select("body").collect()["body"]:
        ids |= read_roster_ids(msgspec.json.decode(body, type=Roster))
    return make_player_ids_frame(ids)


def make_player_ids_frame(ids: Set[int]) -> pl.DataFrame:
    """Return player ids as a frame."""
    return pl.DataFrame({"player_id": sorted(ids)}, schema={"player_id": pl.Int64})
