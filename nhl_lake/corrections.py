"""What the NHL changed after the fact: versions of a final game's pages, held against one another."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import polars as pl

from nhl_lake import columns as c
from nhl_lake.hockey.calendar import FINAL
from nhl_lake.making import attempts
from nhl_lake.marks import WHOLE
from nhl_lake.silver.goalie_games import GOALIE_GAMES
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.skater_games import SKATER_GAMES
from nhl_lake.store import lake
from nhl_lake.store.place import Place
from nhl_lake.table import Table

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


class Told(NamedTuple):
    """A table in which corrections show: the fields that a page says itself, and those that say whose row it is."""

    table: Table
    fields: Sequence[str]
    players: Sequence[str]


def told() -> tuple[Told, ...]:
    """Return the tables in which corrections show. What follows from other fields is left out."""
    said = ("event", "period", "period_seconds", "situation_code", "shot_type", "reason")
    people = [name for name in PLAYS.schema if name.endswith("player_id")]
    penalties = [name for name in PLAYS.schema if name.startswith("penalty_")]
    lines = ((table, ("game_id", "player_id", *about_game(table))) for table in (SKATER_GAMES, GOALIE_GAMES))
    return (
        Told(PLAYS, [name for name in (*said, *people, *penalties) if name in PLAYS.schema], people),
        *(Told(table, [n for n in table.schema if n not in names], ["player_id"]) for table, names in lines),
    )


def about_game(table: Table) -> tuple[str, ...]:
    """Return the columns of a box-score line that say which game it is."""
    return tuple(name for name in ("season", "game_type", "home_team_id", "away_team_id") if name in table.schema)


def corrections(root: Place, since: datetime) -> tuple[pl.DataFrame, list[str]]:
    """Return what changed in final games since a moment, a row a field, and the pages that could not be read.

    Columns: seen_at (UTC, when the version was fetched), game_id, table, player_id, event_id, field, was, is.
    """
    found, unread = [pl.DataFrame(schema=SCHEMA)], list[str]()
    for one in told():
        for was, now in steps(versions(root, one.table.reads[0], since), one.table, unread):
            found.append(differences(one, was, now).select(SCHEMA.names()))
    rows = pl.concat(found).sort("seen_at", "game_id", "table", "event_id", "player_id", "field")
    return rows, sorted(set(unread))


def versions(root: Place, pages: Table, since: datetime) -> pl.DataFrame:
    """Return the final versions of the pages that changed since a moment, numbered in the order in which they came."""
    final = lake.scan(root, pages).filter(pl.col("state").is_in(FINAL))
    last = final.select("season", "game_id", "fetched_at").group_by("season", "game_id")
    late = last.agg(pl.len(), pl.col("fetched_at").max()).filter(pl.col("len") > 1)
    late = late.filter(pl.col("fetched_at") >= since).select("season", "game_id")
    number = (pl.col("fetched_at").rank("ordinal").over("game_id") - 1).alias("number")
    after = (pl.col("fetched_at") >= since).alias("is_asked_for")
    return final.join(late, on=["season", "game_id"], how="semi").with_columns(number, after).collect()


def steps(pages: pl.DataFrame, table: Table, unread: list[str]) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Yield the rows of each version that is asked for and of the one before it, for all games at once."""
    for number in sorted(set(pages.filter("is_asked_for", pl.col("number") > 0)["number"])):
        now = pages.filter(pl.col("number") == number, pl.col("is_asked_for"))
        was = pages.filter(pl.col("number") == number - 1).join(now, on="game_id", how="semi")
        before, after = made(table, was, unread), made(table, now, unread)
        both = before.select("game_id").unique().join(after.select("game_id").unique(), on="game_id")
        seen = now.select("game_id", seen_at="fetched_at")
        yield (
            before.join(both, on="game_id", how="semi"),
            after.join(both, on="game_id", how="semi").join(seen, on="game_id", how="left", validate="m:1"),
        )


def made(table: Table, pages: pl.DataFrame, unread: list[str]) -> pl.DataFrame:
    """Make the rows of one version of each game."""
    if pages.is_empty():
        return pl.DataFrame(schema=table.schema)
    found = attempts(table, WHOLE, [pages], sorted(pages["game_id"].to_list()))
    unread += [f"{game}: {reason}" for one in found for _, _, game, _, reason in one.refusals.iter_rows()]
    return pl.concat(one.rows for one in found)


def differences(one: Told, was: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each field that differs, and for each row that is gone or new."""
    key = list(one.table.key)
    seen = now.select("game_id", "seen_at").unique()
    old = was.select(*key, pl.struct(one.fields).alias("was"), who(one).alias("was_who"))
    new = now.select(*key, pl.struct(one.fields).alias("is"), who(one).alias("is_who"))
    rows = old.join(new, on=key, how="full", coalesce=True).join(seen, on="game_id", how="left", validate="m:1")
    return pl.concat(field(one, rows, name) for name in one.fields)


def who(one: Told) -> pl.Expr:
    """Return whose row it is: of an event the first player that it names."""
    return pl.coalesce(pl.col(name).cast(pl.Int64) for name in one.players)


def field(one: Told, rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the rows in which one field differs."""
    was, now = (pl.col(side).struct.field(name).cast(pl.String) for side in ("was", "is"))
    event = pl.col("event_id") if "event_id" in one.table.key else pl.lit(None, pl.Int32)
    # a row that is gone or new is told once
    is_told = (name == one.fields[0]) | (pl.col("was").is_not_null() & pl.col("is").is_not_null())
    # a field that one version of a page does not have at all is news of the page's form, and not of the game
    has_both = pl.all_horizontal(side.is_not_null().any().over("game_id") for side in (was, now))
    if one.table is PLAYS:
        is_block = pl.col("was").struct.field("event") == "blocked-shot"
        has_both = ~(is_block & was.is_null()).fill_null(value=False) if name == "reason" else pl.lit(value=True)
    return rows.filter(was.ne_missing(now) & is_told & has_both).select(
        "seen_at",
        "game_id",
        table=pl.lit(one.table.name),
        player_id=pl.coalesce("is_who", "was_who"),
        event_id=event,
        field=pl.lit(name),
        was=was,
        **{"is": now},
    )
