"""Read what the lake has, for a plan or a status, as frames."""

from collections.abc import Collection, Sequence, Set
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime

import msgspec
import polars as pl

from nhl_lake.bronze import endpoints, lenient
from nhl_lake.bronze.player_ids import Roster, read_dressed_ids, read_roster_ids
from nhl_lake.hockey.calendar import FINAL_STATES, GONE
from nhl_lake.ingest.planner import INCOMPLETE_SCHEMA, PLAYED_SCHEMA, Inventory
from nhl_lake.schema import ledger
from nhl_lake.schema.requests import AfterGames
from nhl_lake.schema.table import PageRecord, Table, format_page_name
from nhl_lake.silver.game_quality import GAME_QUALITY
from nhl_lake.silver.games import GameEntry, games, starts_in_season
from nhl_lake.silver.goalie_games import GOALIE_GAMES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.parsing.pages import is_readable
from nhl_lake.silver.quarantine import QUARANTINE
from nhl_lake.silver.skater_games import SKATER_GAMES
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

PAGES_AT_ONCE = 100
MAX_EMPTY_PAGE_BYTES = 20_000  # a page with a shift is longer: a shift has about 400 bytes


class RosterSpotsPage(msgspec.Struct):
    """A play-by-play page: only the dressed players are read."""

    rosterSpots: msgspec.Raw


def read_inventory(
    root: Location,
    seasons: Sequence[int],
    *,
    player_ids: pl.DataFrame | None = None,
    games: pl.DataFrame | None = None,
    with_pages: Collection[str] = (),
) -> Inventory:
    """Read the inventory of some seasons, with the optional pages named. `player_ids` and `games` are used if given."""
    tables = endpoints.select_planned_tables(with_pages)
    return Inventory(
        games=read_stored_games(root, seasons) if games is None else games,
        stored={table.name: read_stored_pages(root, table, seasons) for table in tables},
        answers=delta_tables.scan_table_or_empty(root, ledger.ANSWERS).collect(),
        player_ids=read_player_ids(root, seasons) if player_ids is None else player_ids,
        incomplete=find_incomplete_pages(root, seasons),
        played=read_played_games(root, seasons, tables),
    )


def read_played_games(root: Location, seasons: Sequence[int], tables: Sequence[Table]) -> pl.DataFrame:
    """Return the games of each player: columns of PLAYED_SCHEMA; none if no page of the tables is planned by them.

    A skater who dresses plays. A goalie who dresses has played with time on ice.
    """
    rules = [rule for table in tables if isinstance(rule := table.endpoint.request, AfterGames)]
    if not any("player_id" in rule.parameters for rule in rules):
        return pl.DataFrame(schema=PLAYED_SCHEMA)
    skaters, goalies = (
        delta_tables.scan_table_or_empty(root, table).filter(pl.col("season").is_in(list(seasons)))
        for table in (SKATER_GAMES, GOALIE_GAMES)
    )
    ids = ["game_id", "player_id"]
    return pl.concat(
        [
            skaters.select(*ids, position=pl.lit("skater")),
            goalies.filter(pl.col("time_on_ice_s") > 0).select(*ids, position=pl.lit("G")),
        ]
    ).collect()


def find_incomplete_pages(root: Location, seasons: Sequence[int]) -> pl.DataFrame:
    """Return the pages that the last rebuild found incomplete: table, page, reason.

    A page fails a check, or its game is in quarantine: any page of the game may be the cause.
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
    """Return the pages of games that fail a check, with the check."""
    checks = delta_tables.scan_table_or_empty(root, GAME_QUALITY)
    if "incomplete_pages" not in checks.collect_schema():
        return pl.DataFrame(schema=INCOMPLETE_SCHEMA)  # built by an older release: the next rebuild adds the column
    found = checks.filter(pl.col("season").is_in(list(seasons)), pl.col("incomplete_pages").is_not_null())
    pages = found.sort("game_id", "check").select(
        table="incomplete_pages", page=pl.col("game_id").cast(pl.String), reason=pl.format("fails '{}'", "check")
    )
    return pages.explode("table").collect()


def read_stored_seasons(root: Location) -> Sequence[str]:
    """Return the stored rows of the NHL's list of seasons, as served."""
    return delta_tables.scan_table_or_empty(root, endpoints.SEASONS).select("body").collect()["body"].to_list()


def find_first_fetch_time(root: Location) -> datetime:
    """Return when the first page was stored: every run begins with the schedule."""
    found: datetime = (
        delta_tables.scan_table(root, endpoints.SCHEDULE).select(pl.col("fetched_at").min()).collect().item()
    )
    return found


def scan_newest_pages(root: Location, table: Table, seasons: Sequence[int]) -> pl.LazyFrame:
    """Read the newest version of each page of some seasons."""
    return delta_tables.filter_newest_pages(delta_tables.scan_table_or_empty(root, table), table, seasons)


def refresh_inventory(
    root: Location, seasons: Sequence[int], before: Inventory, requested: Set[str], player_ids: Set[int]
) -> Inventory:
    """Read again what a run has changed: the `requested` tables. `player_ids` are new players on its pages."""
    tables = [table for table in endpoints.PLANNED_TABLES if table.name in requested]
    new = {table.name: read_stored_pages(root, table, seasons) for table in tables}
    return replace(
        before,
        stored={**before.stored, **new},
        answers=delta_tables.scan_table_or_empty(root, ledger.ANSWERS).collect(),
        player_ids=pl.concat([before.player_ids, make_player_ids_frame(player_ids)]),
    )


def read_stored_games(root: Location, seasons: Sequence[int]) -> pl.DataFrame:
    """Return the games of seasons by the stored schedule."""
    return scan_scheduled_games(root, scan_newest_pages(root, endpoints.SCHEDULE, seasons)).collect()


def read_stored_schedule(root: Location, seasons: Sequence[int]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the games of seasons by the stored schedule, and `lake.answers`."""
    return read_stored_games(root, seasons), delta_tables.scan_table_or_empty(root, ledger.ANSWERS).collect()


def scan_scheduled_games(root: Location, pages: pl.LazyFrame) -> pl.LazyFrame:
    """Return the games of schedule pages; `lake.listings` says which are no longer listed."""
    return read_games(pages.select("game_date", "body"), delta_tables.scan_table_or_empty(root, ledger.LISTINGS))


def read_games(entries: pl.LazyFrame, listings: pl.LazyFrame) -> pl.LazyFrame:
    """Return the games of entries of the schedule, without those that `silver.games` quarantines.

    An entry that an older release stored, and that cannot be read, must not hide the others.
    """
    return games(entries.filter(is_readable(GameEntry)), listings).filter(starts_in_season())


def find_listing_changes(
    stored: pl.DataFrame, fresh: Sequence[PageRecord], days: Set[date], at: datetime, *, run_id: str
) -> pl.DataFrame:
    """Return the unplayed games that the schedule no longer lists, or lists again: rows of `lake.listings`.

    `days` were read. A game of one of these days that is not in `fresh` is gone: when a game is not listed, the run
    reads every week that can still change (see schedule.has_schedule_changed).
    """
    is_listed = pl.col("game_id").is_in([record.key["game_id"] for record in fresh])
    changes = stored.filter(~pl.col("game_state").is_in(FINAL_STATES), is_listed != (pl.col("schedule_state") != GONE))
    changes = changes.filter(is_listed | pl.col("game_date").is_in(sorted(days)))
    rows = changes.select("season", "game_id", asked_at=pl.lit(at), is_listed=is_listed, run_id=pl.lit(run_id))
    return rows.select(pl.col(column.name).cast(column.dtype) for column in ledger.LISTINGS.columns)


def merge_schedule(
    stored: pl.DataFrame, seasons: Sequence[int], fresh: Sequence[PageRecord], days: Set[date]
) -> pl.DataFrame:
    """Return the stored games, updated by the entries of the `days` that a run has read.

    An unplayed game of these days that is no longer listed is dropped: "if necessary" games vanish when a series ends.
    """
    entries = pl.DataFrame(
        {"game_date": [record.game_date for record in fresh], "body": [record.body for record in fresh]},
        schema={"game_date": pl.Date, "body": pl.Binary},
    ).cast({"body": pl.String})
    listed = read_games(entries.lazy(), pl.LazyFrame(schema=ledger.LISTINGS.schema)).collect()
    read = listed.unique("game_id", keep="last", maintain_order=True).filter(pl.col("season").is_in(list(seasons)))
    is_unread = ~pl.col("game_date").is_in(sorted(days))
    others = stored.filter(pl.col("game_state").is_in(FINAL_STATES) | is_unread).join(read, on="game_id", how="anti")
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
    """Return an empty frame of player ids."""
    return make_player_ids_frame(set())


def read_player_ids(root: Location, seasons: Sequence[int]) -> pl.DataFrame:
    """Return the ids of the players in the lineups and on the rosters of seasons.

    Lineups come from silver. Pages that are not in silver yet are read here, so no run waits for a rebuild. One that
    cannot be read has no players; the next rebuild names it.
    """
    in_silver = delta_tables.scan_table_or_empty(root, LINEUPS).filter(
        pl.col("season").is_in(list(seasons)), ~pl.col("is_scratched")
    )
    pages = scan_newest_pages(root, endpoints.PLAY_BY_PLAY, seasons)
    built_games = in_silver.select("game_id").unique()
    final = pages.filter(pl.col("state").is_in(FINAL_STATES)).join(built_games, on="game_id", how="anti")
    new_games = final.select("game_id").collect()["game_id"]
    ids = set(in_silver.select("player_id").unique().collect()["player_id"])
    for start in range(0, len(new_games), PAGES_AT_ONCE):
        some = new_games.slice(start, PAGES_AT_ONCE).to_list()
        for body in pages.filter(pl.col("game_id").is_in(some)).select("body").collect()["body"]:
            with suppress(msgspec.MsgspecError):
                ids |= read_dressed_ids(msgspec.json.decode(body, type=RosterSpotsPage).rosterSpots)
    for body in scan_newest_pages(root, endpoints.ROSTERS, seasons).select("body").collect()["body"]:
        with suppress(msgspec.MsgspecError):
            ids |= read_roster_ids(lenient.read_page(body, Roster)[0])
    return make_player_ids_frame(ids)


def make_player_ids_frame(ids: Set[int]) -> pl.DataFrame:
    """Return player ids as a frame."""
    return pl.DataFrame({"player_id": sorted(ids)}, schema={"player_id": pl.Int64})
