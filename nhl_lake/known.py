"""What the lake knows when a plan is made or a status is asked for, as frames."""

from collections.abc import Sequence, Set
from dataclasses import replace
from datetime import date, datetime

import msgspec
import polars as pl

from nhl_lake import bronze, envelopes, ledger
from nhl_lake.catalog import TABLES
from nhl_lake.errors import BadInput, LakeError, Missing, Unreadable
from nhl_lake.hockey.calendar import FINAL, GONE
from nhl_lake.people import Roster, dressed, on_roster
from nhl_lake.plan import INCOMPLETE_PAGES, Known
from nhl_lake.silver.game_quality import GAME_QUALITY
from nhl_lake.silver.games import games
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.refusals import REFUSALS
from nhl_lake.store import lake, swap
from nhl_lake.store.place import Place
from nhl_lake.table import Part, Table

PLANNED = (*bronze.GAME_PAGES, *bronze.SHIFT_REPORTS, bronze.STANDINGS, bronze.ROSTERS, bronze.PLAYERS)
PAGES_AT_ONCE = 100


class Spots(msgspec.Struct):
    """A play-by-play page, of which only the dressed players are read."""

    rosterSpots: msgspec.Raw


def is_lake(root: Place) -> bool:
    """Whether there is a lake in a folder."""
    return lake.is_table(root, ledger.META)


def known(
    root: Place, seasons: Sequence[int], *, met: pl.DataFrame | None = None, games: pl.DataFrame | None = None
) -> Known:
    """Read what the plan needs of some seasons; `met` are the ids of players, and `games`, if they are read already."""
    return Known(
        games=scheduled(root, seasons) if games is None else games,
        held={table.name: held(root, table, seasons) for table in PLANNED},
        answers=rows(root, ledger.ANSWERS).collect(),
        people=people(root, seasons) if met is None else met,
        incomplete=incomplete(root, seasons),
    )


def incomplete(root: Place, seasons: Sequence[int]) -> pl.DataFrame:
    """Return the pages that the last rebuild found incomplete: table, page, reason.

    A page fails a check, or its game is quarantined, which may be due to any of its pages.
    """
    quarantined = (
        rows(root, REFUSALS)
        .filter(pl.col("season").is_in(list(seasons)), pl.col("game_id").is_not_null())
        .sort("game_id", "refused_by")
        .select(
            table=pl.lit([table.name for table in bronze.GAME_PAGES], pl.List(pl.String)),
            page=pl.col("game_id").cast(pl.String),
            reason=pl.format("quarantined by {}: {}", "refused_by", "reason"),
        )
        .explode("table")
        .collect()
    )
    return pl.concat([quarantined, failing(root, seasons).join(quarantined, on="page", how="anti")])


def failing(root: Place, seasons: Sequence[int]) -> pl.DataFrame:
    """Return the pages of games that fail a check, and which."""
    checks = rows(root, GAME_QUALITY)
    if "incomplete_pages" not in checks.collect_schema():
        return pl.DataFrame(schema=INCOMPLETE_PAGES)  # made by a release that did not look: the next rebuild tells
    found = checks.filter(pl.col("season").is_in(list(seasons)), pl.col("incomplete_pages").is_not_null())
    pages = found.sort("game_id", "check").select(
        table="incomplete_pages", page=pl.col("game_id").cast(pl.String), reason=pl.format("fails '{}'", "check")
    )
    return pages.explode("table").collect()


def rows(root: Place, table: Table) -> pl.LazyFrame:
    """Read a table; one that is not there yet, because the first run is under way, has no rows."""
    try:
        return lake.scan(root, table)
    except Missing:
        return pl.LazyFrame(schema=table.schema)


def seasons_kept(root: Place) -> Sequence[str]:
    """Return the rows of the NHL's list of seasons that the lake has kept, as served."""
    return rows(root, bronze.SEASONS).select("body").collect()["body"].to_list()


def first_page_at(root: Place) -> datetime:
    """Return when the first page was kept: every run begins with the schedule."""
    found: datetime = lake.scan(root, bronze.SCHEDULE).select(pl.col("fetched_at").min()).collect().item()
    return found


def newest(root: Place, table: Table, seasons: Sequence[int]) -> pl.LazyFrame:
    """Read the newest version of each page of some seasons."""
    return lake.newest_of(rows(root, table), table, seasons)


def known_now(root: Place, seasons: Sequence[int], before: Known, asked: Set[str], met: Set[int]) -> Known:
    """Read again what a run has changed since: the tables that it asked for pages of; `met` are the players it met."""
    new = {table.name: held(root, table, seasons) for table in PLANNED if table.name in asked}
    return replace(
        before,
        held={**before.held, **new},
        answers=rows(root, ledger.ANSWERS).collect(),
        people=pl.concat([before.people, ids_frame(met)]),
    )


def scheduled(root: Place, seasons: Sequence[int]) -> pl.DataFrame:
    """Return the games of seasons as the lake knows them."""
    return every_game(root, newest(root, bronze.SCHEDULE, seasons)).collect()


def schedule_known(root: Place, seasons: Sequence[int]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the games of seasons as the lake knows them, and what the API answered beside pages."""
    return scheduled(root, seasons), rows(root, ledger.ANSWERS).collect()


def every_game(root: Place, pages: pl.LazyFrame) -> pl.LazyFrame:
    """Return the games of pages of the schedule, with what was seen since of those that it lists no more."""
    return games(pages.select("game_date", "body"), rows(root, ledger.LISTINGS))


def listings(kept: pl.DataFrame, fresh: Sequence[Part], days: Set[date], at: datetime, *, run_id: str) -> pl.DataFrame:
    """Return what a reading of the schedule tells anew of unplayed games: gone from it, or there again.

    `days` are those that were read. A game is gone if its day is one of them: no other day has it, for all that can
    still change is read when one is missed (see walk.is_surprising).
    """
    is_listed = pl.col("game_id").is_in([part.key["game_id"] for part in fresh])
    news = kept.filter(~pl.col("game_state").is_in(FINAL), is_listed != (pl.col("schedule_state") != GONE))
    news = news.filter(is_listed | pl.col("game_date").is_in(sorted(days)))
    told = news.select("season", "game_id", asked_at=pl.lit(at), is_listed=is_listed, run_id=pl.lit(run_id))
    return told.select(pl.col(column.name).cast(column.dtype) for column in ledger.LISTINGS.columns)


def rescheduled(kept: pl.DataFrame, seasons: Sequence[int], fresh: Sequence[Part], days: Set[date]) -> pl.DataFrame:
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
    others = kept.filter(pl.col("game_state").is_in(FINAL) | is_unread).join(read, on="game_id", how="anti")
    return pl.concat([others, read])


def held(root: Place, table: Table, seasons: Sequence[int]) -> pl.DataFrame:
    """Return one row a page that bronze holds of a table: page, state, fetched_at, is_empty (charts)."""
    return held_frame(newest(root, table, seasons), table)


def held_frame(pages: pl.LazyFrame, table: Table) -> pl.DataFrame:
    """Name the pages of a frame of newest versions."""
    state = pl.col("state") if "state" in table.schema else pl.lit(None, pl.String).alias("state")
    is_chart = table is bronze.SHIFT_CHARTS
    rows = pages.select(page_name(table), state, "fetched_at").collect()
    if not is_chart:
        return rows.with_columns(is_empty=pl.lit(value=False))
    # a shift is some 400 bytes: only the short charts need to be read to know whether they have any
    short = pages.filter(pl.col("body_bytes") < 20_000).select(page_name(table), "body").collect()
    empty = [page for page, body in short.iter_rows() if not has_shifts(body)]
    return rows.with_columns(is_empty=pl.col("page").is_in(empty))


def page_name(table: Table) -> pl.Expr:
    """Return the expression that names a page: the parts of its key joined by '/'."""
    return pl.concat_str(pl.col(table.page_key).cast(pl.String), separator="/").alias("page")


def has_shifts(chart: str) -> bool:
    """Whether a shift chart has shifts: rows of goals alone (typeCode 505) are no shifts."""
    rows = msgspec.json.decode(chart, type=envelopes.Chart).data
    return any(row.typeCode in {517, None} and row.duration not in {None, "00:00"} for row in rows)


def no_people() -> pl.DataFrame:
    """Return no player ids."""
    return ids_frame(set())


def people(root: Place, seasons: Sequence[int]) -> pl.DataFrame:
    """Return the ids of the players met in line-ups and rosters of seasons.

    Line-ups come from silver; pages that it was not yet made of are read here, so that no run waits for a rebuild.
    """
    in_silver = rows(root, LINEUPS).filter(pl.col("season").is_in(list(seasons)), ~pl.col("is_scratched"))
    pages = newest(root, bronze.PLAY_BY_PLAY, seasons)
    known_games = in_silver.select("game_id").unique()
    final = pages.filter(pl.col("state").is_in(FINAL)).join(known_games, on="game_id", how="anti")
    new_games = final.select("game_id").collect()["game_id"]
    ids = set(in_silver.select("player_id").unique().collect()["player_id"])
    for start in range(0, len(new_games), PAGES_AT_ONCE):
        some = new_games.slice(start, PAGES_AT_ONCE).to_list()
        for body in pages.filter(pl.col("game_id").is_in(some)).select("body").collect()["body"]:
            ids |= dressed(msgspec.json.decode(body, type=Spots).rosterSpots)
    for body in newest(root, bronze.ROSTERS, seasons).select("body").collect()["body"]:
        ids |= on_roster(msgspec.json.decode(body, type=Roster))
    return ids_frame(ids)


def ids_frame(ids: Set[int]) -> pl.DataFrame:
    """Return player ids as a frame."""
    return pl.DataFrame({"player_id": sorted(ids)}, schema={"player_id": pl.Int64})


def require(root: Place) -> None:
    """Raise if there is no lake, or one that cannot be read."""
    check_layout(root)
    require_any(root)


def require_any(root: Place) -> None:
    """Raise if there is no lake, of whatever layout."""
    if not is_lake(root):
        raise LakeError(f"There is no lake at {root}.", "`nhl-lake ingest` makes one; NHL_LAKE_ROOT says where.")


def check_source(root: Place, source: str) -> None:
    """Raise if the lake keeps the pages of another league: what is in bronze stays there for ever."""
    if not is_lake(root):
        return
    sources = set(lake.scan(root, ledger.META).select("source").collect()["source"])
    if sources and source not in sources:
        raise BadInput(
            f"The lake at {root} keeps pages of the {min(sources)}, not of the {source}.",
            "Set NHL_LAKE_ROOT to another folder, or NHL_LAKE_API to where this lake's pages come from (`league:`).",
        )


def check_layout(root: Place) -> None:
    """Open every table: raise if the lake is of a newer program, or if any table of it is lost or cannot be read."""
    check_version(root)
    if is_lake(root):
        require_none_lost(root, lake.open_all(root, TABLES))


def require_none_lost(root: Place, missing: Sequence[Table]) -> None:
    """Raise if the ledger tells of pages of a table that is not there: made anew, all would be asked for again."""
    gone = {table.name for table in missing if table.layer == "bronze"}
    if not gone:
        return
    told = rows(root, ledger.RUNS).select(pl.col("pages").explode()).unnest("pages")
    kept = (
        told.filter(pl.col("table").is_in(gone)).group_by("table").agg(rows=(pl.col("new") + pl.col("changed")).sum())
    )
    for name, count in kept.filter(pl.col("rows") > 0).sort("table").collect().iter_rows():
        raise LakeError(
            f"{name} is gone from the lake at {root}: runs have kept {count:,} pages in it.",
            f"`nhl-lake restore --from-backup --table {name}` brings it back; without a backup `nhl-lake doctor --mend "
            "--give-up-lost-pages` lets the next ingest ask for all of it again.",
        )


def check_version(root: Place) -> None:
    """Raise if the lake is not of this program's layout, or lost the table that says of which it is."""
    swap.require_finished(root)
    if not is_lake(root):
        # a first run that was killed, or that is under way, leaves tables; rows come after all of them are made
        for table in TABLES:
            if lake.holds_data(root, table):
                lake.unreadable(root, table, "the lake's own tables (lake/meta) are gone")
        return
    layouts = lake.scan(root, ledger.META).sort("layout").select(pl.col("layout", "made_by").last()).collect()
    newest, made_by = layouts.row(0)
    if newest is not None and newest > ledger.LAYOUT:
        raise Unreadable(
            f"The lake at {root} has layout {newest}, made by nhl-lake {made_by}: newer than this program.",
            "Nothing was changed. Update this program: `pip install --upgrade nhl-lake`.",
        )
    if newest is not None and newest < ledger.LAYOUT:
        raise Unreadable(
            f"The lake at {root} has layout {newest}, made by nhl-lake {made_by}: this program reads {ledger.LAYOUT}.",
            "Nothing was changed. `nhl-lake upgrade` brings it up, and keeps the old lake beside.",
        )
