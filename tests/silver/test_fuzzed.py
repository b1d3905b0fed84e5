"""Property tests with damaged pages: a game is valid or quarantined, and other games do not change."""

import json
from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from nhl_lake import catalog
from nhl_lake.bronze import endpoints
from nhl_lake.rebuild.build import build_or_bisect
from nhl_lake.schema import checks, ledger
from nhl_lake.schema.table import Table
from nhl_lake.silver.quarantine import QUARANTINE
from nhl_lake.silver.rosters import ROSTERS
from tests.gold.league_tables import make_model
from tests.league.league_pages import (
    filter_reported_games,
    get_game_page,
    get_shift_chart,
    get_shift_report,
    list_played_games,
)
from tests.silver.bronze_pages import FETCHED_AT, PAGE_SCHEMA, make_schedule_row
from tests.support.examples import try_examples

pytestmark = pytest.mark.league

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
def make_games() -> tuple[int, int]:
    """Return two games with all their pages: the first is not damaged."""
    first, second = filter_reported_games(list_played_games(SEASON))[:2]
    return first, second


@cache
def build_undamaged() -> Pages:
    kinds = {endpoints.PLAY_BY_PLAY: "play-by-play", endpoints.BOXSCORE: "boxscore", endpoints.RIGHT_RAIL: "right-rail"}
    found: dict[Table, dict[int, str]] = {
        table: {game: json.dumps(get_game_page(game, kind)) for game in make_games()} for table, kind in kinds.items()
    }
    found[endpoints.SHIFT_CHARTS] = {game: json.dumps(get_shift_chart(game)) for game in make_games()}
    for table, side in zip(REPORTS, ("H", "V"), strict=True):
        found[table] = {game: get_shift_report(game, side) for game in make_games()}
    return found


def make_frame(pages: Mapping[int, str]) -> pl.DataFrame:
    rows = [
        {"season": SEASON, "game_id": game, "state": "OFF", "fetched_at": FETCHED_AT, "body": b}
        for game, b in pages.items()
    ]
    return pl.DataFrame(rows, schema=PAGE_SCHEMA)


def build_all(pages: Pages) -> dict[str, pl.DataFrame]:
    """Build every table that is chunked by game, as a rebuild does, and return the quarantined games."""
    found = {table.name: pl.DataFrame(schema=table.schema) for table in ledger.TABLES}
    found |= {table.name: make_frame(pages.get(table, {})) for table in endpoints.TABLES}
    found["silver.rosters"] = pl.DataFrame(schema=ROSTERS.schema)
    found["gold.xg_model"] = make_model().collect()
    heads = [make_schedule_row(json.loads(build_undamaged()[endpoints.PLAY_BY_PLAY][game])) for game in make_games()]
    found["silver.games"] = pl.DataFrame(heads, schema=catalog.find_table("silver.games").schema)
    refusals = [pl.DataFrame(schema=QUARANTINE.schema)]
    for table in BY_GAME:
        found["silver.quarantine"] = pl.concat(refusals)
        parts = build_or_bisect(table, str(SEASON), [found[read.name] for read in table.inputs], make_games())
        found[table.name] = pl.concat(part.rows for part in parts)
        refusals += [part.quarantined.with_columns(season=pl.lit(SEASON, pl.Int32)) for part in parts]
    return found | {"silver.quarantine": pl.concat(refusals)}


@cache
def build_truth() -> dict[str, pl.DataFrame]:
    return build_all(build_undamaged())


def select_game(rows: pl.DataFrame, game: int) -> pl.DataFrame:
    return rows.filter(pl.col("game_id") == game)


def list_paths(value: Any, found: list[tuple[Any, Any]] | None = None) -> list[tuple[Any, Any]]:
    """Return every place of a page: the object or list, and the key or index in it."""
    found = [] if found is None else found
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        found.append((value, key))
        list_paths(below, found)
    return found


def damage_pages(table: Table, seed: int) -> Pages:
    """Return the pages, with one to three damages of one page of the second game."""
    dice, game = Random(seed), make_games()[1]
    page = json.loads(build_undamaged()[table][game])
    for _ in range(dice.randint(1, 3)):
        where, key = dice.choice(list_paths(page))
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
    return {**build_undamaged(), table: {**build_undamaged()[table], game: json.dumps(page)}}


def check_tables(found: dict[str, pl.DataFrame]) -> None:
    """Require that all rows are by the rules, that the other game is as ever, and that what is missing is named."""
    first, second = make_games()
    for table in BY_GAME:
        rows = found[table.name]
        assert list(checks.find_violations(table, rows.lazy())) == []
        assert_frame_equal(select_game(rows, first), select_game(build_truth()[table.name], first))
        if select_game(rows, second).is_empty() and not select_game(build_truth()[table.name], second).is_empty():
            aside = {
                catalog.find_table(name) for name in select_game(found["silver.quarantine"], second)["quarantined_by"]
            }
            follows = table in {*aside, *catalog.find_downstream(aside)}
            assert follows or table.name == "silver.officials", table.name


@try_examples(10)
@given(st.sampled_from(FUZZED), seeds)
def test_damaged_page_quarantines_its_game_and_changes_no_other(table: Table, seed: int):
    check_tables(build_all(damage_pages(table, seed)))


def drop_key(value: Any, key: str) -> Any:
    """Return a page without a key, at any depth."""
    if isinstance(value, dict):
        return {name: drop_key(inner, key) for name, inner in value.items() if name != key}
    return [drop_key(inner, key) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("table", [endpoints.BOXSCORE, endpoints.RIGHT_RAIL], ids=["box score", "right rail"])
def test_value_missing_on_the_page_is_null_never_zero(table: Table):
    second = make_games()[1]
    page = json.loads(build_undamaged()[table][second])
    keys = {key for where, key in list_paths(page) if isinstance(where, dict)}
    assert len(keys) > 20
    for key in keys:
        pages = {**build_undamaged(), table: {**build_undamaged()[table], second: json.dumps(drop_key(page, key))}}
        for name in COPIED:
            made_of = catalog.find_table(name)
            read_from = (
                make_frame(pages[read]) if read in pages else build_truth()[read.name] for read in made_of.inputs
            )
            inputs = [select_game(rows, second) for rows in read_from]
            (found,) = build_or_bisect(made_of, str(SEASON), inputs, [second])
            numbers = [column for column, dtype in made_of.schema.items() if dtype.is_numeric()]
            rows = found.rows.join(build_truth()[name], on=made_of.key, suffix="_was", validate="1:1")
            for column in set(numbers) - set(made_of.key):
                zeros = rows.filter((pl.col(column) == 0) & (pl.col(f"{column}_was") != 0))
                assert zeros.is_empty(), (key, column)


@pytest.mark.soak
@try_examples(5)
@given(seeds, st.floats(0, 1))
def test_damaged_report_changes_no_other_game(seed: int, share: float):
    dice, second = Random(seed), make_games()[1]
    side = dice.choice(REPORTS)
    body = build_undamaged()[side][second]
    cut = body[: int(share * len(body))] if dice.random() < 0.5 else body.replace(str(dice.randint(0, 60)), "??")
    empty = {game: json.dumps({"data": [], "total": 0}) for game in make_games()}
    both = {
        **build_undamaged(),
        endpoints.SHIFT_CHARTS: {**build_undamaged()[endpoints.SHIFT_CHARTS], second: empty[second]},
    }

    check_tables(build_all({**both, side: {**build_undamaged()[side], second: cut}}))
