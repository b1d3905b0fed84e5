"""Corrections: what the NHL changed in final games, found by comparing the versions of their pages."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import polars as pl

from nhl_lake.hockey import goalies_in_net
from nhl_lake.hockey.calendar import FINAL_STATES
from nhl_lake.rebuild.build import build_or_bisect
from nhl_lake.rebuild.lineage import WHOLE_TABLE
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Table
from nhl_lake.silver.goalie_games import GOALIE_GAMES
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.skater_games import SKATER_GAMES
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

SCHEMA = pl.Schema(
    [
        ("seen_at", c.UTC),
        ("game_id", pl.Int64()),
        ("table", pl.String()),
        ("player_id", pl.Int64()),
        ("event_id", pl.Int32()),
        ("field", pl.String()),
        ("was", pl.String()),
        ("is", pl.String()),
    ]
)


class ComparedTable(NamedTuple):
    """A table to compare: the fields that come straight from the page, and the columns that name a row's players."""

    table: Table
    fields: Sequence[str]
    player_columns: Sequence[str]


def list_compared_tables() -> tuple[ComparedTable, ...]:
    """Return the tables to compare, without fields that are derived from others."""
    fields = ("event", "period", "period_seconds", "situation_code", "shot_type", "reason")
    people = [name for name in PLAYS.schema if name.endswith("player_id")]
    penalties = [name for name in PLAYS.schema if name.startswith("penalty_")]
    lines = ((table, ("game_id", "player_id", *list_game_columns(table))) for table in (SKATER_GAMES, GOALIE_GAMES))
    return (
        ComparedTable(PLAYS, [name for name in (*fields, *people, *penalties) if name in PLAYS.schema], people),
        *(ComparedTable(table, [n for n in table.schema if n not in names], ["player_id"]) for table, names in lines),
    )


def list_game_columns(table: Table) -> tuple[str, ...]:
    """Return the columns of a box-score line that describe its game."""
    return tuple(name for name in ("season", "game_type", "home_team_id", "away_team_id") if name in table.schema)


def find_corrections(root: Location, since: datetime) -> tuple[pl.DataFrame, list[str]]:
    """Return the fields that changed in final games since a time, and the pages that could not be read.

    Columns: seen_at (UTC, when the version was fetched), game_id, table, player_id, event_id, field, was, is. A version
    that cannot be read is skipped: the next one is compared with the last readable one. Plays that were missing at the
    end of a page, and box scores without lines, are one row: field "rows", with the old and the new number.
    """
    found, unread = [pl.DataFrame(schema=SCHEMA)], list[str]()
    for one in list_compared_tables():
        for step in pair_versions(read_changed_versions(root, one.table.inputs[0], since), one.table, unread):
            found += [part.select(SCHEMA.names()) for part in list_changes(one, step)]
    rows = pl.concat(found).sort("seen_at", "game_id", "table", "event_id", "player_id", "field")
    return rows, sorted(set(unread))


def read_changed_versions(root: Location, pages: Table, since: datetime) -> pl.DataFrame:
    """Return the final versions of the pages that changed since a time, numbered in the order they were fetched."""
    final = delta_tables.scan_table(root, pages).filter(pl.col("state").is_in(FINAL_STATES))
    last = final.select("season", "game_id", "fetched_at").group_by("season", "game_id")
    late = last.agg(pl.len(), pl.col("fetched_at").max()).filter(pl.col("len") > 1)
    late = late.filter(pl.col("fetched_at") >= since).select("season", "game_id")
    number = (pl.col("fetched_at").rank("ordinal").over("game_id") - 1).alias("number")
    after = (pl.col("fetched_at") >= since).alias("is_requested")
    return final.join(late, on=["season", "game_id"], how="semi").with_columns(number, after).collect()


class VersionPair(NamedTuple):
    """Rows of one version of some games, rows of the last readable version before it, and when it was fetched."""

    was: pl.DataFrame
    now: pl.DataFrame
    fetched: pl.DataFrame  # game_id, seen_at


def pair_versions(pages: pl.DataFrame, table: Table, unread: list[str]) -> Iterator[VersionPair]:
    """Yield each requested version with the one before it, for all games at once."""
    last, readable = pl.DataFrame(schema=table.schema), set[int]()
    for number in sorted(set(pages["number"])):
        some = pages.filter(pl.col("number") == number)
        rows, quarantined = build_version(table, some)
        unread += [f"{game}: {reason}" for game, reason in quarantined.items()]
        read = set(some["game_id"]) - quarantined.keys()
        both = pl.col("game_id").is_in(read & readable & set(some.filter("is_requested")["game_id"]))
        yield VersionPair(
            last.filter(both), rows.filter(both), some.filter(both).select("game_id", seen_at="fetched_at")
        )
        last = pl.concat([last.filter(~pl.col("game_id").is_in(read)), rows])
        readable |= read


def build_version(table: Table, pages: pl.DataFrame) -> tuple[pl.DataFrame, dict[int, str]]:
    """Build the rows of one version of each game; also return the reason for each game that cannot be built.

    Rows are built from the page alone: what other tables add is not a change of the page.
    """
    if pages.is_empty():
        return pl.DataFrame(schema=table.schema), {}
    others = [pl.DataFrame(schema=read.schema) for read in table.inputs[1:]]
    found = build_or_bisect(table, WHOLE_TABLE, [pages, *others], sorted(pages["game_id"].to_list()))
    quarantined = pl.concat(one.quarantined for one in found)
    rows = pl.concat(one.rows for one in found)
    if "goalie_source" in rows.columns:  # a goalie that silver worked out is not on the page
        named = pl.col("goalie_source") == goalies_in_net.PAGE
        rows = rows.with_columns(pl.when(named).then("goalie_player_id"))
    return rows, dict(quarantined.select("game_id", "reason").iter_rows())


def list_changes(one: ComparedTable, step: VersionPair) -> Iterator[pl.DataFrame]:
    """Yield a row per changed field, per removed or new row, and one per game in which a version lacks rows."""
    lacking = pl.concat([find_missing_rows(one.table, *pair) for pair in ((step.was, step.now), (step.now, step.was))])
    games = step.fetched.join(lacking.select("game_id").unique(), on="game_id", how="semi", maintain_order="left")
    yield count_rows(one.table, step, games)
    compared = [rows.join(lacking, on=one.table.key, how="anti") for rows in (step.was, step.now)]
    yield find_differences(one, step._replace(was=compared[0], now=compared[1]))


def find_missing_rows(table: Table, fewer: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    """Return the keys of rows that a version lacks because its plays end early or it has no rows at all."""
    if table is PLAYS:
        is_over = (pl.col("event") == "game-end").any()
        ends = fewer.group_by("game_id").agg(end=compute_play_order().max(), is_over=is_over)
        late = more.join(ends, on="game_id", how="left", validate="m:1")
        late = late.filter(pl.col("end").is_null() | (~pl.col("is_over") & (compute_play_order() > pl.col("end"))))
        is_one = pl.len().over("game_id") == 1  # reported as a row of its own
        late = late.filter(pl.col("end").is_null() | ~is_one)
    else:
        late = more.join(fewer, on="game_id", how="anti")
    return late.join(fewer, on=table.key, how="anti").select(table.key)


def compute_play_order() -> pl.Expr:
    """Return the order of a play in its game: by period, clock and the page's own order."""
    seconds = pl.col("period_seconds").fill_null(0)
    return (pl.col("period").cast(pl.Int64) * 10_000 + seconds) * 100_000 + pl.col("sort_order")


def count_rows(table: Table, step: VersionPair, games: pl.DataFrame) -> pl.DataFrame:
    """Return one row per game of which a version lacks rows: the old and the new number of rows."""
    was, now = (
        rows.group_by("game_id").agg(pl.len().alias(name)) for rows, name in ((step.was, "was"), (step.now, "is"))
    )
    both = games.join(was, on="game_id", how="left").join(now, on="game_id", how="left")
    return both.select(
        "seen_at",
        "game_id",
        table=pl.lit(table.name),
        player_id=pl.lit(None, pl.Int64),
        event_id=pl.lit(None, pl.Int32),
        field=pl.lit("rows"),
        was=pl.col("was").fill_null(0).cast(pl.String),
        **{"is": pl.col("is").fill_null(0).cast(pl.String)},
    )


def find_differences(one: ComparedTable, step: VersionPair) -> pl.DataFrame:
    """Return one row per changed field, and per removed or new row."""
    key = list(one.table.key)
    old = step.was.select(*key, pl.struct(one.fields).alias("was"), identify_player(one).alias("was_who"))
    new = step.now.select(*key, pl.struct(one.fields).alias("is"), identify_player(one).alias("is_who"))
    rows = old.join(new, on=key, how="full", coalesce=True).join(step.fetched, on="game_id", how="left", validate="m:1")
    return pl.concat(compare_field(one, rows, name) for name in one.fields)


def identify_player(one: ComparedTable) -> pl.Expr:
    """Return the player of a row; for an event, the first player that it names."""
    return pl.coalesce(pl.col(name).cast(pl.Int64) for name in one.player_columns)


def compare_field(one: ComparedTable, rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the rows in which one field changed."""
    was, now = (pl.col(side).struct.field(name).cast(pl.String) for side in ("was", "is"))
    event = pl.col("event_id") if "event_id" in one.table.key else pl.lit(None, pl.Int32)
    # a removed or new row is reported once
    is_reported = (name == one.fields[0]) | (pl.col("was").is_not_null() & pl.col("is").is_not_null())
    # a field that one version of a page lacks everywhere is a change of format, not a correction
    has_both = pl.all_horizontal(side.is_not_null().any().over("game_id") for side in (was, now))
    if one.table is PLAYS:
        is_block = pl.col("was").struct.field("event") == "blocked-shot"
        has_both = ~(is_block & was.is_null()).fill_null(value=False) if name == "reason" else pl.lit(value=True)
    return rows.filter(was.ne_missing(now) & is_reported & has_both).select(
        "seen_at",
        "game_id",
        table=pl.lit(one.table.name),
        player_id=pl.coalesce("is_who", "was_who"),
        event_id=event,
        field=pl.lit(name),
        was=was,
        **{"is": now},
    )
