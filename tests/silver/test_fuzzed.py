"""Damaged pages of every kind: a game is made by the rules or put aside by name, and no other game is touched."""

import json
from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from nhl_lake import catalog
from nhl_lake.bronze import endpoints
from nhl_lake.rebuild.build import build_or_bisect
from nhl_lake.schema import checks, ledger
from nhl_lake.schema.table import Table
from nhl_lake.silver.quarantine import QUARANTINE
from tests.league.league_pages import (
    filter_reported_games,
    get_game_page,
    get_shift_chart,
    get_shift_report,
    list_played_games,
)
from tests.silver.bronze_pages import FETCHED_AT, PAGE_SCHEMA, make_schedule_row

SEASON = 20252026
ODD = (None, "", "x", -1, 0, 99_999, 3_000_000_000, 1.5, True, [], {}, "00:00", "1551")
FUZZED = (endpoints.PLAY_BY_PLAY, endpoints.BOXSCORE, endpoints.RIGHT_RAIL, endpoints.SHIFT_CHARTS)
REPORTS = tuple(endpoints.find_fallbacks(endpoints.SHIFT_CHARTS))
BY_GAME = [
    table for table in catalog.list_build_order() if table.chunk_key == "game_id" and table.name != "silver.games"
]
# numbers of a page that are copied, not counted: where the page no longer says one, it is unknown, not zero
COPIED = ("silver.skater_games", "silver.goalie_games", "silver.team_games")
seeds = st.integers(0, 2**32)

Pages = Mapping[Table, Mapping[int, str]]


@cache
def games() -> tuple[int, int]:
    """Return two games with all their pages: the first stays as it is."""
    first, second = filter_reported_games(list_played_games(SEASON))[:2]
    return first, second


@cache
def whole() -> Pages:
    kinds = {endpoints.PLAY_BY_PLAY: "play-by-play", endpoints.BOXSCORE: "boxscore", endpoints.RIGHT_RAIL: "right-rail"}
    found: dict[Table, dict[int, str]] = {
        table: {game: json.dumps(get_game_page(game, kind)) for game in games()} for table, kind in kinds.items()
    }
    found[endpoints.SHIFT_CHARTS] = {game: json.dumps(get_shift_chart(game)) for game in games()}
    for table, side in zip(REPORTS, ("H", "V"), strict=True):
        found[table] = {game: get_shift_report(game, side) for game in games()}
    return found


def frame(pages: Mapping[int, str]) -> pl.DataFrame:
    rows = [
        {"season": SEASON, "game_id": game, "state": "OFF", "fetched_at": FETCHED_AT, "body": b}
        for game, b in pages.items()
    ]
    return pl.DataFrame(rows, schema=PAGE_SCHEMA)


def made(pages: Pages) -> dict[str, pl.DataFrame]:
    """Make every table that goes by game, as a rebuild does, and the games that were put aside."""
    found = {table.name: pl.DataFrame(schema=table.schema) for table in ledger.TABLES}
    found |= {table.name: frame(pages.get(table, {})) for table in endpoints.TABLES}
    heads = [make_schedule_row(json.loads(whole()[endpoints.PLAY_BY_PLAY][game])) for game in games()]
    found["silver.games"] = pl.DataFrame(heads, schema=catalog.find_table("silver.games").schema)
    refusals = [pl.DataFrame(schema=QUARANTINE.schema)]
    for table in BY_GAME:
        found["silver.refusals"] = pl.concat(refusals)
        parts = build_or_bisect(table, str(SEASON), [found[read.name] for read in table.inputs], games())
        found[table.name] = pl.concat(part.rows for part in parts)
        refusals += [part.quarantined.with_columns(season=pl.lit(SEASON, pl.Int32)) for part in parts]
    return found | {"silver.refusals": pl.concat(refusals)}


@cache
def truth() -> dict[str, pl.DataFrame]:
    return made(whole())


def of_game(rows: pl.DataFrame, game: int) -> pl.DataFrame:
    return rows.filter(pl.col("game_id") == game)


def places(value: Any, found: list[tuple[Any, Any]] | None = None) -> list[tuple[Any, Any]]:
    """Return every place of a page: the object or list, and the key or index in it."""
    found = [] if found is None else found
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        found.append((value, key))
        places(below, found)
    return found


def damaged(table: Table, seed: int) -> Pages:
    """Return the pages, with one to three damages of one page of the second game."""
    dice, game = Random(seed), games()[1]
    page = json.loads(whole()[table][game])
    for _ in range(dice.randint(1, 3)):
        where, key = dice.choice(places(page))
        how = dice.choice(["drop", "odd", "shuffle", "repeat", "cut"])
        if how == "drop" and isinstance(where, dict):
            del where[key]
        elif how == "odd":
            where[key] = dice.choice(ODD)
        elif isinstance(where, list) and how == "shuffle":
            dice.shuffle(where)
        elif isinstance(where, list) and how == "repeat":
            where.append(where[key])
        elif isinstance(where, list) and how == "cut":
            del where[key:]
    return {**whole(), table: {**whole()[table], game: json.dumps(page)}}


def hold(found: dict[str, pl.DataFrame]) -> None:
    """Require that all rows are by the rules, that the other game is as ever, and that what is missing is named."""
    first, second = games()
    for table in BY_GAME:
        rows = found[table.name]
        assert list(checks.find_violations(table, rows.lazy())) == []
        assert_frame_equal(of_game(rows, first), of_game(truth()[table.name], first))
        if of_game(rows, second).is_empty() and not of_game(truth()[table.name], second).is_empty():
            aside = {catalog.find_table(name) for name in of_game(found["silver.refusals"], second)["refused_by"]}
            follows = table in {*aside, *catalog.find_downstream(aside)}
            assert follows or table.name == "silver.officials", table.name


@settings(max_examples=25)
@given(st.sampled_from(FUZZED), seeds)
def test_a_damaged_page_harms_no_other_game_and_what_cannot_be_made_is_named(table: Table, seed: int):
    hold(made(damaged(table, seed)))


def without(value: Any, key: str) -> Any:
    """Return a page without a key, wherever it stands."""
    if isinstance(value, dict):
        return {name: without(inner, key) for name, inner in value.items() if name != key}
    return [without(inner, key) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("table", [endpoints.BOXSCORE, endpoints.RIGHT_RAIL], ids=["box score", "right rail"])
def test_what_a_page_no_longer_says_is_unknown_and_never_zero(table: Table):
    second = games()[1]
    page = json.loads(whole()[table][second])
    keys = {key for where, key in places(page) if isinstance(where, dict)}
    assert len(keys) > 20
    for key in keys:
        pages = {**whole(), table: {**whole()[table], second: json.dumps(without(page, key))}}
        for name in COPIED:
            made_of = catalog.find_table(name)
            read_from = (frame(pages[read]) if read in pages else truth()[read.name] for read in made_of.inputs)
            inputs = [of_game(rows, second) for rows in read_from]
            (found,) = build_or_bisect(made_of, str(SEASON), inputs, [second])
            numbers = [column for column, dtype in made_of.schema.items() if dtype.is_numeric()]
            rows = found.rows.join(truth()[name], on=made_of.key, suffix="_was", validate="1:1")
            for column in set(numbers) - set(made_of.key):
                zeros = rows.filter((pl.col(column) == 0) & (pl.col(f"{column}_was") != 0))
                assert zeros.is_empty(), (key, column)


@settings(max_examples=10)
@given(seeds, st.floats(0, 1))
def test_a_cut_or_odd_report_harms_no_other_game(seed: int, share: float):
    dice, second = Random(seed), games()[1]
    side = dice.choice(REPORTS)
    body = whole()[side][second]
    cut = body[: int(share * len(body))] if dice.random() < 0.5 else body.replace(str(dice.randint(0, 60)), "??")
    empty = {game: json.dumps({"data": [], "total": 0}) for game in games()}
    both = {**whole(), endpoints.SHIFT_CHARTS: {**whole()[endpoints.SHIFT_CHARTS], second: empty[second]}}

    hold(made({**both, side: {**whole()[side], second: cut}}))
