"""Delta tables: what they store, what they refuse, and what two writers at once do."""

import json
import multiprocessing
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable, Field, write_deltalake
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from nhl_lake import catalog, layout
from nhl_lake.bronze.endpoints import PLAY_BY_PLAY, PLAYERS, ROSTERS, SCHEDULE, STANDINGS
from nhl_lake.errors import LakeError, LakeLocked, UnreadableData, ValidationFailed
from nhl_lake.gold.skater_game import SKATER_GAME
from nhl_lake.schema import ledger
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables, locks
from nhl_lake.store.delta_tables import StoreResult
from nhl_lake.store.page_versions import normalize_content
from tests.support.examples import try_examples

DAY = date(2023, 10, 10)
T0 = datetime(2023, 10, 11, 6, 0, tzinfo=UTC)
SPAWN = multiprocessing.get_context("spawn")
VOLATILE = frozenset({"clock"})

at_the_start: Barrier | None = None


def equal_bodies(a: str, b: str) -> bool:
    return normalize_content(a, VOLATILE) == normalize_content(b, VOLATILE)


def page(
    table: Table, key: int, body: str, *, minute: float = 0, season: int = 20232024, day: date = DAY
) -> dict[str, Any]:
    """Return a row of a bronze table; `key` numbers the page."""
    values = {
        "game_id": 2023020000 + key,
        "player_id": 8470000 + key,
        "season": season,
        "game_date": day,
        "state": "OFF",
        "fetched_at": T0 + timedelta(minutes=minute),
        "url": f"https://api.example/{key}",
        "sha256": sha256(body.encode()).hexdigest(),
        "run_id": f"run-{minute}",
        "body_bytes": len(body.encode()),
        "body": body,
    }
    return {name: values[name] for name in table.schema}


def frame(table: Table, rows: Iterable[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=table.schema, orient="row")


def keep(root: Path, table: Table, *rows: dict[str, Any]) -> StoreResult:
    delta_tables.create_tables(root, [table])
    return delta_tables.store_pages(root, table, frame(table, rows), equal_bodies)


def bodies(root: Path, table: Table) -> list[str]:
    return delta_tables.scan_table(root, table).sort("fetched_at").collect()["body"].to_list()


def version(root: Path, table: Table) -> int:
    return DeltaTable(str(delta_tables.locate_table(root, table))).version()


def read_tree(root: Path) -> dict[str, bytes]:
    """Return the content of every file below a folder."""
    return {str(file.relative_to(root)): file.read_bytes() for file in sorted(root.rglob("*")) if file.is_file()}


def last_log(root: Path, table: Table) -> Path:
    return sorted((delta_tables.locate_table(root, table) / "_delta_log").glob("*.json"))[-1]


def skaters(*goals: int, season: int = 20232024) -> pl.DataFrame:
    rows = [
        {"season": season, "game_id": n, "game_type": 2, "player_id": n, "team_id": 1, "goals": g, "shots_on_goal": 5}
        for n, g in enumerate(goals)
    ]
    return pl.DataFrame(rows, schema=SKATER_GAME.schema)


def test_page_that_returns_to_its_first_content_is_a_third_version(tmp_path: Path):
    for minute, body in enumerate(['{"goals":1}', '{"goals":2}', '{"goals":1}']):
        keep(tmp_path, PLAY_BY_PLAY, page(PLAY_BY_PLAY, 1, body, minute=minute))

    assert bodies(tmp_path, PLAY_BY_PLAY) == ['{"goals":1}', '{"goals":2}', '{"goals":1}']
    assert delta_tables.scan_newest_pages(tmp_path, PLAY_BY_PLAY).collect()["body"].to_list() == ['{"goals":1}']


def test_new_changed_and_unchanged_pages_are_counted(tmp_path: Path):
    keep(tmp_path, PLAY_BY_PLAY, *(page(PLAY_BY_PLAY, n, '{"goals":1}') for n in (1, 2)))

    stored = keep(
        tmp_path,
        PLAY_BY_PLAY,
        page(PLAY_BY_PLAY, 1, '{"goals":1}', minute=1),
        page(PLAY_BY_PLAY, 2, '{"goals":2}', minute=1),
        page(PLAY_BY_PLAY, 3, '{"goals":0}', minute=1),
    )

    assert (stored.new, stored.changed) == (1, 1)
    assert stored.unchanged["game_id"].to_list() == [2023020001]


@pytest.mark.parametrize("table", [PLAY_BY_PLAY, PLAYERS], ids=lambda table: table.name)
def test_same_page_again_adds_no_row_and_no_version(table: Table, tmp_path: Path):
    keep(tmp_path, table, page(table, 1, '{"goals":1}'))
    before = read_tree(tmp_path)

    stored = keep(tmp_path, table, page(table, 1, '{"goals":1}', minute=5))

    assert (stored.new, stored.changed, stored.unchanged.height) == (0, 0, 1)
    assert read_tree(tmp_path) == before


@pytest.mark.parametrize("table", [PLAY_BY_PLAY, PLAYERS], ids=lambda table: table.name)
def test_page_that_differs_only_in_volatile_keys_adds_no_row_and_no_version(table: Table, tmp_path: Path):
    keep(tmp_path, table, page(table, 1, '{"goals":1,"clock":{"left":"00:10"}}'))
    before = read_tree(tmp_path)

    stored = keep(tmp_path, table, page(table, 1, '{"clock":{"left":"00:09"},"goals":1}', minute=5))

    assert (stored.new, stored.changed, stored.unchanged.height) == (0, 0, 1)
    assert read_tree(tmp_path) == before


def test_change_after_volatile_changes_is_stored_as_served(tmp_path: Path):
    keep(tmp_path, PLAY_BY_PLAY, page(PLAY_BY_PLAY, 1, '{"goals":1,"clock":1}'))

    keep(tmp_path, PLAY_BY_PLAY, page(PLAY_BY_PLAY, 1, '{"goals":1,"clock":2}', minute=1))
    keep(tmp_path, PLAY_BY_PLAY, page(PLAY_BY_PLAY, 1, '{"goals":2,"clock":3}', minute=2))

    assert bodies(tmp_path, PLAY_BY_PLAY) == ['{"goals":1,"clock":1}', '{"goals":2,"clock":3}']


def test_entry_without_a_day_is_a_new_version_under_another_day(tmp_path: Path):
    keep(tmp_path, SCHEDULE, page(SCHEDULE, 1, '{"clock":1}'))

    keep(tmp_path, SCHEDULE, page(SCHEDULE, 1, '{"clock":2}', minute=1, day=date(2024, 1, 9)))
    keep(tmp_path, SCHEDULE, page(SCHEDULE, 1, '{"clock":2}', minute=2, day=date(2024, 1, 10)))

    days = delta_tables.scan_table(tmp_path, SCHEDULE).sort("fetched_at").collect()["game_date"].to_list()
    assert days == [DAY, date(2024, 1, 9), date(2024, 1, 10)]


def test_later_version_has_a_later_time_even_if_the_clock_went_back(tmp_path: Path):
    keep(tmp_path, PLAY_BY_PLAY, page(PLAY_BY_PLAY, 1, '{"goals":1}', minute=60))

    keep(tmp_path, PLAY_BY_PLAY, page(PLAY_BY_PLAY, 1, '{"goals":2}', minute=0))
    keep(tmp_path, PLAY_BY_PLAY, page(PLAY_BY_PLAY, 1, '{"goals":3}', minute=60))

    versions = delta_tables.scan_table(tmp_path, PLAY_BY_PLAY).sort("fetched_at").select("body", "fetched_at").collect()
    first = T0 + timedelta(minutes=60)
    assert versions["body"].to_list() == ['{"goals":1}', '{"goals":2}', '{"goals":3}']
    assert versions["fetched_at"].to_list() == [
        first,
        first + timedelta(microseconds=1),
        first + timedelta(microseconds=2),
    ]
    assert delta_tables.scan_newest_pages(tmp_path, PLAY_BY_PLAY).collect()["body"].item() == '{"goals":3}'


@pytest.mark.parametrize("table", [PLAY_BY_PLAY, PLAYERS], ids=lambda table: table.name)
def test_last_of_two_versions_in_a_batch_counts(table: Table, tmp_path: Path):
    twice = [page(table, 1, '{"goals":1}'), page(table, 2, '{"goals":0}'), page(table, 1, '{"goals":2}')]

    first = keep(tmp_path, table, *twice)
    again = keep(tmp_path, table, *twice)

    assert (first.new, first.changed) == (2, 0)
    assert (again.new, again.changed, again.unchanged.height) == (0, 0, 2)
    assert sorted(bodies(tmp_path, table)) == ['{"goals":0}', '{"goals":2}']


def test_page_that_ends_a_batch_as_stored_is_unchanged(tmp_path: Path):
    keep(tmp_path, PLAY_BY_PLAY, page(PLAY_BY_PLAY, 1, '{"goals":1}'))

    stored = keep(tmp_path, PLAY_BY_PLAY, *(page(PLAY_BY_PLAY, 1, b, minute=1) for b in ('{"goals":2}', '{"goals":1}')))

    assert (stored.new, stored.changed, stored.unchanged.height) == (0, 0, 1)


def test_an_empty_batch_changes_nothing(tmp_path: Path):
    keep(tmp_path, PLAY_BY_PLAY, page(PLAY_BY_PLAY, 1, '{"goals":1}'))
    before = read_tree(tmp_path)

    stored = keep(tmp_path, PLAY_BY_PLAY)

    assert (stored.new, stored.changed, stored.unchanged.height) == (0, 0, 0)
    assert read_tree(tmp_path) == before


def test_batch_may_hold_pages_of_several_seasons(tmp_path: Path):
    rows = [page(PLAY_BY_PLAY, n, '{"goals":1}', season=season) for n, season in enumerate((20222023, 20232024))]

    keep(tmp_path, PLAY_BY_PLAY, *rows)
    stored = keep(tmp_path, PLAY_BY_PLAY, *rows)

    assert stored.unchanged.height == 2
    assert delta_tables.scan_newest_pages(tmp_path, PLAY_BY_PLAY, seasons=[20222023]).collect().height == 1


def test_keys_of_two_columns_and_of_a_day_work(tmp_path: Path):
    roster = page(PLAY_BY_PLAY, 1, '{"forwards":[]}') | {"team_abbrev": "ABC"}
    other_team, other_season = roster | {"team_abbrev": "XYZ"}, roster | {"season": 20222023}
    day = page(PLAY_BY_PLAY, 1, '{"standings":[]}')
    other_day = day | {"game_date": date(2023, 10, 11)}

    rosters = keep(
        tmp_path, ROSTERS, *({n: row[n] for n in ROSTERS.schema} for row in (roster, other_team, other_season))
    )
    standings = keep(tmp_path, STANDINGS, *({n: row[n] for n in STANDINGS.schema} for row in (day, other_day)))

    assert (rosters.new, standings.new) == (3, 2)


def test_merge_keeps_the_newest_page_and_never_loses_rows(tmp_path: Path):
    keep(tmp_path, PLAYERS, *(page(PLAYERS, n, f'{{"kg":{n}}}') for n in range(5)))
    stored = keep(tmp_path, PLAYERS, page(PLAYERS, 3, '{"kg":90}', minute=1), page(PLAYERS, 9, '{"kg":9}', minute=1))

    rows = delta_tables.scan_table(tmp_path, PLAYERS).sort("player_id").collect()
    assert (stored.new, stored.changed) == (1, 1)
    assert rows["player_id"].to_list() == [8470000 + n for n in (0, 1, 2, 3, 4, 9)]
    assert rows["body"].to_list()[3] == '{"kg":90}'
    assert rows["fetched_at"].to_list()[3] == T0 + timedelta(minutes=1)
    assert rows["run_id"].to_list() == ["run-0"] * 3 + ["run-1", "run-0", "run-1"]


def test_merge_replaces_a_page_in_an_old_file(tmp_path: Path):
    for n in range(6):
        keep(tmp_path, PLAYERS, page(PLAYERS, n, '{"kg":1}', minute=n))

    stored = keep(tmp_path, PLAYERS, *(page(PLAYERS, n, '{"kg":2}', minute=9) for n in (0, 5)))

    assert stored.changed == 2
    assert delta_tables.scan_table(tmp_path, PLAYERS).sort("player_id").collect()["body"].to_list() == [
        f'{{"kg":{kg}}}' for kg in (2, 1, 1, 1, 1, 2)
    ]


GROWING = [table for table in catalog.TABLES if table.is_append_only]


@pytest.mark.parametrize("table", GROWING, ids=lambda table: table.name)
def test_delta_refuses_to_remove_rows_from_an_append_only_table(table: Table, tmp_path: Path):
    delta_tables.create_tables(tmp_path, [table])
    folder = str(delta_tables.locate_table(tmp_path, table))
    empty = pl.DataFrame(schema=table.schema)
    write_deltalake(DeltaTable(folder), empty, mode="append")
    key = table.key[0]
    refused: list[Callable[[], object]] = [
        lambda: DeltaTable(folder).delete(),
        lambda: DeltaTable(folder).delete(f"{key} IS NOT NULL"),
        lambda: DeltaTable(folder).update(updates={key: "NULL"}),
        lambda: write_deltalake(DeltaTable(folder), empty, mode="overwrite"),
    ]

    for attempt in refused:
        with pytest.raises(Exception, match=r"(?i)append"):
            attempt()


def test_stored_rows_cannot_be_deleted_updated_merged_or_overwritten(tmp_path: Path):
    keep(tmp_path, PLAY_BY_PLAY, *(page(PLAY_BY_PLAY, n, '{"goals":1}') for n in range(3)))
    folder = str(delta_tables.locate_table(tmp_path, PLAY_BY_PLAY))
    before = delta_tables.scan_table(tmp_path, PLAY_BY_PLAY).collect()
    other = frame(PLAY_BY_PLAY, [page(PLAY_BY_PLAY, 1, '{"goals":9}')])
    refused: list[Callable[[], object]] = [
        lambda: DeltaTable(folder).delete("game_id = 2023020001"),
        lambda: DeltaTable(folder).update(updates={"body": "''"}, predicate="game_id = 2023020001"),
        lambda: write_deltalake(DeltaTable(folder), other, mode="overwrite"),
        lambda: write_deltalake(DeltaTable(folder), other, mode="overwrite", predicate="season = 20232024"),
        lambda: (
            DeltaTable(folder)
            .merge(other, predicate="t.game_id = s.game_id", source_alias="s", target_alias="t")
            .when_matched_update_all()
            .execute()
        ),
    ]

    for attempt in refused:
        with pytest.raises(Exception, match=r"(?i)append"):
            attempt()
    assert_frame_equal(delta_tables.scan_table(tmp_path, PLAY_BY_PLAY).collect(), before)


@pytest.mark.parametrize("table", [t for t in catalog.TABLES if t.layer in {"bronze", "lake"}], ids=lambda t: t.name)
def test_bronze_and_the_ledger_are_never_replaced(table: Table, tmp_path: Path):
    delta_tables.create_tables(tmp_path, [table])
    before = read_tree(tmp_path)

    with pytest.raises(TypeError, match="never replaced"):
        delta_tables.replace_rows(tmp_path, table, pl.DataFrame(schema=table.schema), where=None, metadata={})

    assert read_tree(tmp_path) == before


@pytest.mark.parametrize("table", [t for t in catalog.TABLES if t.layer != "lake"], ids=lambda t: t.name)
def test_only_the_ledger_takes_rows_without_comparing_them(table: Table, tmp_path: Path):
    delta_tables.create_tables(tmp_path, [table])

    with pytest.raises(TypeError, match="ledger"):
        delta_tables.append_to_ledger(tmp_path, table, pl.DataFrame(schema=table.schema))


def test_replacing_a_season_leaves_the_others(tmp_path: Path):
    delta_tables.create_tables(tmp_path, [SKATER_GAME])
    for season in (20222023, 20232024):
        delta_tables.replace_rows(
            tmp_path, SKATER_GAME, skaters(1, 2, season=season), where=f"season = {season}", metadata={}
        )

    delta_tables.replace_rows(
        tmp_path, SKATER_GAME, skaters(3), where="season = 20232024", metadata={"made-of": '{"a": "b"}'}
    )

    rows = delta_tables.scan_table(tmp_path, SKATER_GAME).sort("season", "game_id").collect()
    assert rows["goals"].to_list() == [1, 2, 3]
    assert delta_tables.read_commit_metadata(tmp_path, SKATER_GAME, "made-of") == {"a": "b"}


def test_replacing_a_season_with_no_rows_empties_only_that_season(tmp_path: Path):
    delta_tables.create_tables(tmp_path, [SKATER_GAME])
    for season in (20222023, 20232024):
        delta_tables.replace_rows(
            tmp_path, SKATER_GAME, skaters(1, season=season), where=f"season = {season}", metadata={}
        )

    delta_tables.replace_rows(tmp_path, SKATER_GAME, skaters(), where="season = 20232024", metadata={})

    assert delta_tables.scan_table(tmp_path, SKATER_GAME).collect()["season"].to_list() == [20222023]


def wrong_frames() -> dict[str, pl.DataFrame]:
    """Return frames that delta-rs would accept although the table declares other columns."""
    good = skaters(1)
    return {
        "1.5 in a column of integers": good.with_columns(goals=pl.lit(1.5)),
        "a text of a number": good.with_columns(goals=pl.lit("1")),
        "a wider integer": good.with_columns(goals=pl.lit(1, pl.Int64)),
        "columns in another order": good.select(reversed(good.columns)),
        "a column too few": good.drop("goals"),
        "a column too many": good.with_columns(another=pl.lit(1, pl.Int16)),
    }


@pytest.mark.parametrize("what", wrong_frames())
def test_frame_with_another_schema_is_not_written(what: str, tmp_path: Path):
    delta_tables.create_tables(tmp_path, [SKATER_GAME])
    delta_tables.replace_rows(tmp_path, SKATER_GAME, skaters(1), where="season = 20232024", metadata={})
    before = read_tree(tmp_path)

    with pytest.raises(ValidationFailed) as error:
        delta_tables.replace_rows(tmp_path, SKATER_GAME, wrong_frames()[what], where="season = 20232024", metadata={})

    assert "gold.skater_game" in error.value.message
    assert read_tree(tmp_path) == before


def test_table_with_other_columns_accepts_no_page(tmp_path: Path):
    keep(tmp_path, PLAY_BY_PLAY, page(PLAY_BY_PLAY, 1, "{}"))
    DeltaTable(str(delta_tables.locate_table(tmp_path, PLAY_BY_PLAY))).alter.add_columns(Field("more", "string"))
    version = delta_tables.open_table(tmp_path, PLAY_BY_PLAY).version()

    with pytest.raises(
        ValidationFailed, match=r"bronze.play_by_play at .* does not have the columns.*\n.*No changes were made"
    ):
        keep(tmp_path, PLAY_BY_PLAY, page(PLAY_BY_PLAY, 2, "{}"))
    assert delta_tables.open_table(tmp_path, PLAY_BY_PLAY).version() == version
    assert len(list((tmp_path / "bronze").rglob("*.parquet"))) == 1


@pytest.mark.parametrize("table", [PLAY_BY_PLAY, PLAYERS], ids=lambda table: table.name)
def test_log_has_statistics_of_keys_but_not_of_bodies(table: Table, tmp_path: Path):
    body = "[" + "1," * 100_000 + "1]"
    keep(tmp_path, table, page(table, 1, body))

    (log,) = (delta_tables.locate_table(tmp_path, table) / "_delta_log").glob("*1.json")
    add = next(json.loads(line)["add"] for line in log.read_text().splitlines() if '"add"' in line)
    stats = json.loads(add["stats"])
    assert stats["numRecords"] == 1
    held = {name for name in table.key if name != table.partition}
    assert held <= stats["minValues"].keys() & stats["maxValues"].keys() & stats["nullCount"].keys()
    assert "body" not in stats["minValues"]
    assert log.stat().st_size + add["size"] < 10_000  # nor has the file a body in its own statistics


def test_page_with_a_wrong_dtype_never_reaches_bronze(tmp_path: Path):
    delta_tables.create_tables(tmp_path, [PLAY_BY_PLAY])
    before = read_tree(tmp_path)
    rows = frame(PLAY_BY_PLAY, [page(PLAY_BY_PLAY, 1, "{}")]).with_columns(body_bytes=pl.lit(1.5))

    with pytest.raises(ValidationFailed, match="body_bytes"):
        delta_tables.store_pages(tmp_path, PLAY_BY_PLAY, rows, equal_bodies)

    assert read_tree(tmp_path) == before


@pytest.mark.parametrize("what", ["another type", "no season", "another type, no rows"])
def test_frame_with_another_schema_reaches_no_ledger_table(what: str, tmp_path: Path):
    delta_tables.create_tables(tmp_path, [ledger.LISTINGS])
    before = read_tree(tmp_path)
    good = pl.DataFrame([dict.fromkeys(ledger.LISTINGS.schema)], schema=ledger.LISTINGS.schema)
    rows = good.drop("season") if what == "no season" else good.cast({"game_id": pl.Float64})

    with pytest.raises(ValidationFailed, match=r"lake.listings: the frame differs from the declared schema"):
        delta_tables.append_to_ledger(tmp_path, ledger.LISTINGS, rows.clear() if "no rows" in what else rows)
    with pytest.raises(ValidationFailed, match=r"lake.listings: the frame differs from the declared schema"):
        delta_tables.append_rows(tmp_path, ledger.LISTINGS, delta_tables.open_table(tmp_path, ledger.LISTINGS), rows)
    assert read_tree(tmp_path) == before


def wait_for_the_others(barrier: Barrier) -> None:
    global at_the_start  # noqa: PLW0603 - a spawned process has no other place for what all of them wait at
    at_the_start = barrier


def keep_batches(root: Path, who: int, rounds: int) -> list[tuple[int, int, int]]:
    """Store pages without the lock: in each round one that all processes store, and one of this process only."""
    assert at_the_start is not None
    found = []
    for n in range(rounds):
        at_the_start.wait()
        common, own = f'{{"round":{n}}}', f'{{"who":{who},"round":{n}}}'
        both = (page(PLAY_BY_PLAY, 0, common, minute=n), page(PLAY_BY_PLAY, 1 + who, own, minute=n))
        stored = delta_tables.store_pages(root, PLAY_BY_PLAY, frame(PLAY_BY_PLAY, both), equal_bodies)
        merged = delta_tables.store_pages(
            root,
            PLAYERS,
            frame(PLAYERS, [page(PLAYERS, 0, common), page(PLAYERS, 10 * (1 + who) + n, own)]),
            equal_bodies,
        )
        found.append((stored.new + stored.changed, stored.unchanged.height, merged.new + merged.changed))
    return found


def test_two_processes_without_the_lock_lose_and_duplicate_nothing(tmp_path: Path):
    rounds = 4
    delta_tables.create_tables(tmp_path, [PLAY_BY_PLAY, PLAYERS])
    with ProcessPoolExecutor(2, SPAWN, wait_for_the_others, (SPAWN.Barrier(2),)) as pool:
        counts = list(pool.map(keep_batches, [tmp_path] * 2, range(2), [rounds] * 2))

    versions = delta_tables.scan_table(tmp_path, PLAY_BY_PLAY).sort("fetched_at").collect()
    of_key = {key: versions.filter(pl.col("game_id") == 2023020000 + key)["body"].to_list() for key in range(3)}
    assert of_key[0] == [f'{{"round":{n}}}' for n in range(rounds)]
    for who in range(2):
        assert of_key[1 + who] == [f'{{"who":{who},"round":{n}}}' for n in range(rounds)]
    assert sum(stored for found in counts for stored, _, _ in found) == versions.height == 3 * rounds
    assert sum(unchanged for found in counts for _, unchanged, _ in found) == rounds

    players = delta_tables.scan_table(tmp_path, PLAYERS).collect()["player_id"].sort().to_list()
    assert players == [8470000 + key for key in (0, *range(10, 10 + rounds), *range(20, 20 + rounds))]
    assert sum(merged for found in counts for _, _, merged in found) == 3 * rounds


def create_and_keep(root: Path, who: int) -> int:
    assert at_the_start is not None
    at_the_start.wait()
    delta_tables.create_tables(root, catalog.TABLES)
    return delta_tables.store_pages(
        root, PLAY_BY_PLAY, frame(PLAY_BY_PLAY, [page(PLAY_BY_PLAY, who, "{}")]), equal_bodies
    ).new


def test_two_first_runs_at_once_create_one_lake_with_the_pages_of_both(tmp_path: Path):
    with ProcessPoolExecutor(2, SPAWN, wait_for_the_others, (SPAWN.Barrier(2),)) as pool:
        for n in range(3):
            stored = list(pool.map(create_and_keep, [tmp_path / str(n)] * 2, (1, 2)))

            assert stored == [1, 1]
            pages = delta_tables.scan_table(tmp_path / str(n), PLAY_BY_PLAY).collect()
            assert sorted(pages["game_id"]) == [2023020001, 2023020002]
            for table in catalog.TABLES:
                assert delta_tables.scan_table(tmp_path / str(n), table).collect_schema() == table.schema


def hold(root: Path, told: Any) -> None:
    with locks.hold_lock(root, "nhl-lake ingest --since 2023-10-01", now=T0):
        told.send(os.getpid())
        told.recv()


def test_second_run_waits_then_names_the_holder_and_a_kill_frees_the_lake(tmp_path: Path):
    here, there = SPAWN.Pipe()
    holder = SPAWN.Process(target=hold, args=(tmp_path, there))
    holder.start()
    try:
        assert here.poll(60)
        pid = here.recv()
        with pytest.raises(LakeLocked) as error, locks.hold_lock(tmp_path, "nhl-lake rebuild", now=T0, wait_s=0.1):
            pass
        os.kill(pid, signal.SIGKILL)
    finally:
        holder.kill()
        holder.join()

    assert "`nhl-lake ingest --since 2023-10-01`" in error.value.message
    assert f"process {pid}" in error.value.message
    assert "2023-10-11T06:00:00 UTC" in error.value.message
    with locks.hold_lock(tmp_path, "nhl-lake rebuild", now=T0, wait_s=0):
        pass


def test_waiting_run_gets_the_lake_when_the_first_ends(tmp_path: Path):
    here, there = SPAWN.Pipe()
    holder = SPAWN.Process(target=hold, args=(tmp_path, there))
    holder.start()
    try:
        assert here.poll(60)
        here.recv()
        here.send("go on")
        with locks.hold_lock(tmp_path, "nhl-lake rebuild", now=T0, wait_s=60):
            holder.join(60)
    finally:
        holder.kill()
        holder.join()

    assert holder.exitcode == 0


def test_error_frees_the_lake(tmp_path: Path):
    with pytest.raises(ZeroDivisionError), locks.hold_lock(tmp_path, "first", now=T0):
        raise ZeroDivisionError

    with locks.hold_lock(tmp_path, "second", now=T0, wait_s=0):
        pass


def test_lock_without_a_readable_holder_has_a_clear_error(tmp_path: Path):
    with locks.hold_lock(tmp_path, "first", now=T0):
        (tmp_path / locks.STATE_FOLDER / "holder.json").write_text("{")
        with pytest.raises(LakeLocked, match="another run"), locks.hold_lock(tmp_path, "second", now=T0, wait_s=0):
            pass


def synced(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Record the inodes of all that is synced from now on."""
    inodes: set[int] = set()
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        inodes.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    return inodes


def unsynced(root: Path, before: Sequence[str], inodes: set[int]) -> set[str]:
    """Return new files and changed folders that were not synced."""
    new = [path for path in root.rglob("*") if str(path) not in before]
    return {str(p.relative_to(root)) for p in {*new, *(path.parent for path in new)} if p.stat().st_ino not in inodes}


def paths(root: Path) -> list[str]:
    return [str(path) for path in root.rglob("*")]


@pytest.mark.parametrize("table", [PLAY_BY_PLAY, PLAYERS], ids=lambda table: table.name)
def test_stored_pages_are_synced_data_log_and_folders(table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    keep(tmp_path, table, page(table, 1, "{}"))
    before, inodes = paths(tmp_path), synced(monkeypatch)

    keep(tmp_path, table, page(table, 2, "{}"))

    assert unsynced(tmp_path, before, inodes) == set()


def test_first_page_of_a_season_is_synced_with_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    keep(tmp_path, PLAY_BY_PLAY, page(PLAY_BY_PLAY, 1, "{}"))
    before, inodes = paths(tmp_path), synced(monkeypatch)

    keep(tmp_path, PLAY_BY_PLAY, page(PLAY_BY_PLAY, 2, "{}", season=20222023))

    assert unsynced(tmp_path, before, inodes) == set()


def test_checkpoint_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    before, inodes = paths(tmp_path), synced(monkeypatch)

    for n in range(21):
        keep(tmp_path, PLAY_BY_PLAY, page(PLAY_BY_PLAY, n, "{}"))

    assert list(tmp_path.rglob("*.checkpoint.parquet"))
    assert unsynced(tmp_path / "bronze", before, inodes) == set()


def test_replaced_and_appended_tables_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    delta_tables.create_tables(tmp_path, [SKATER_GAME, ledger.META])
    before, inodes = paths(tmp_path), synced(monkeypatch)

    delta_tables.replace_rows(tmp_path, SKATER_GAME, skaters(1), where="season = 20232024", metadata={})
    delta_tables.append_to_ledger(tmp_path, ledger.META, meta(1))

    assert unsynced(tmp_path, before, inodes) == set()


def cut_last_line(root: Path) -> None:
    log = last_log(root, PLAY_BY_PLAY)
    log.write_bytes(log.read_bytes()[:-200])


def empty_last_commit(root: Path) -> None:
    """Empty a commit, as a power cut does if the commit was not synced."""
    last_log(root, PLAY_BY_PLAY).write_bytes(b"")


def write_rubbish_into_the_log(root: Path) -> None:
    last_log(root, PLAY_BY_PLAY).write_text("this is no JSON\n")


def lose_the_middle_of_the_log(root: Path) -> None:
    sorted((delta_tables.locate_table(root, PLAY_BY_PLAY) / "_delta_log").glob("*.json"))[1].unlink()


def empty_the_log(root: Path) -> None:
    for log in (delta_tables.locate_table(root, PLAY_BY_PLAY) / "_delta_log").iterdir():
        log.unlink()


def lose_the_log(root: Path) -> None:
    shutil.rmtree(delta_tables.locate_table(root, PLAY_BY_PLAY) / "_delta_log")


def make_a_file_of_the_log(root: Path) -> None:
    lose_the_log(root)
    (delta_tables.locate_table(root, PLAY_BY_PLAY) / "_delta_log").write_text("")


@pytest.mark.parametrize(
    "damage",
    [
        cut_last_line,
        empty_last_commit,
        write_rubbish_into_the_log,
        lose_the_middle_of_the_log,
        empty_the_log,
        lose_the_log,
        make_a_file_of_the_log,
    ],
    ids=lambda damage: damage.__name__,
)
def test_damaged_table_is_named_and_nothing_changes(damage: Callable[[Path], None], tmp_path: Path):
    for n in range(3):
        keep(tmp_path, PLAY_BY_PLAY, page(PLAY_BY_PLAY, n, "{}"))
    damage(tmp_path)
    before = read_tree(tmp_path)

    for attempt in (
        lambda: delta_tables.scan_table(tmp_path, PLAY_BY_PLAY),
        lambda: delta_tables.scan_newest_pages(tmp_path, PLAY_BY_PLAY),
        lambda: keep(tmp_path, PLAY_BY_PLAY, page(PLAY_BY_PLAY, 9, "{}")),
        lambda: delta_tables.read_table_size(tmp_path, PLAY_BY_PLAY),
    ):
        with pytest.raises(UnreadableData) as error:
            attempt()
        assert "bronze.play_by_play" in error.value.message
        assert "\n" not in error.value.message
        assert error.value.hint.startswith("No changes were made.")

    assert read_tree(tmp_path) == before


def test_damaged_table_prevents_opening_the_lake(tmp_path: Path):
    delta_tables.create_tables(tmp_path, catalog.TABLES)
    write_rubbish_into_the_log(tmp_path)
    before = read_tree(tmp_path)

    with pytest.raises(UnreadableData, match=r"bronze\.play_by_play"):
        layout.check_tables(tmp_path)

    assert read_tree(tmp_path) == before


def test_lake_without_its_ledger_is_unreadable(tmp_path: Path):
    delta_tables.create_tables(tmp_path, catalog.TABLES)
    keep(tmp_path, PLAY_BY_PLAY, page(PLAY_BY_PLAY, 1, "{}"))
    shutil.rmtree(tmp_path / "lake")
    before = read_tree(tmp_path)

    with pytest.raises(UnreadableData):
        layout.check_tables(tmp_path)

    assert read_tree(tmp_path) == before


@pytest.mark.parametrize("created", range(len(catalog.TABLES)))
def test_first_run_killed_while_creating_tables_can_continue(created: int, tmp_path: Path):
    delta_tables.create_tables(tmp_path, catalog.TABLES[:created])
    unborn = delta_tables.locate_table(tmp_path, catalog.TABLES[created]) / "_delta_log"
    unborn.mkdir(parents=True)
    (unborn / "00000000000000000000.json#1").write_text('{"proto')

    layout.check_tables(tmp_path)
    delta_tables.create_tables(tmp_path, catalog.TABLES)

    layout.check_tables(tmp_path)
    for table in catalog.TABLES:
        assert delta_tables.scan_table(tmp_path, table).collect().is_empty()


def test_folder_of_other_files_is_not_written_into(tmp_path: Path):
    folder = delta_tables.locate_table(tmp_path, PLAY_BY_PLAY)
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")

    with pytest.raises(UnreadableData):
        delta_tables.create_tables(tmp_path, [PLAY_BY_PLAY])

    assert read_tree(tmp_path) == {"bronze/play_by_play/notes.txt": b"mine"}


def test_missing_table_error_names_the_command_that_creates_it(tmp_path: Path):
    with pytest.raises(LakeError) as error:
        delta_tables.scan_table(tmp_path, PLAY_BY_PLAY)

    assert not isinstance(error.value, UnreadableData)
    assert "bronze.play_by_play" in error.value.message
    assert "nhl-lake ingest" in error.value.hint


def meta(layout: int) -> pl.DataFrame:
    row = {"layout": layout, "source": "NHL", "made_by": "9.9.9", "made_at": T0}
    return pl.DataFrame([row], schema=ledger.META.schema)


def test_lake_of_this_layout_opens_and_a_newer_one_does_not(tmp_path: Path):
    delta_tables.create_tables(tmp_path, catalog.TABLES)
    delta_tables.append_to_ledger(tmp_path, ledger.META, meta(ledger.LAYOUT_VERSION))
    layout.check_tables(tmp_path)

    delta_tables.append_to_ledger(tmp_path, ledger.META, meta(ledger.LAYOUT_VERSION + 1))
    before = read_tree(tmp_path)

    with pytest.raises(UnreadableData) as error:
        layout.check_tables(tmp_path)
    assert f"layout {ledger.LAYOUT_VERSION + 1}" in error.value.message
    assert "9.9.9" in error.value.message
    assert "pip install --upgrade nhl-lake" in error.value.hint
    assert read_tree(tmp_path) == before


def test_table_of_a_newer_delta_protocol_is_unreadable(tmp_path: Path):
    keep(tmp_path, PLAY_BY_PLAY, page(PLAY_BY_PLAY, 1, "{}"))
    log = last_log(tmp_path, PLAY_BY_PLAY)
    following = log.with_name(f"{int(log.stem) + 1:020d}.json")
    following.write_text(json.dumps({"protocol": {"minReaderVersion": 99, "minWriterVersion": 99}}) + "\n")

    with pytest.raises(UnreadableData, match=r"bronze\.play_by_play"):
        delta_tables.scan_table(tmp_path, PLAY_BY_PLAY).collect()
    with pytest.raises(UnreadableData, match=r"bronze\.play_by_play"):
        keep(tmp_path, PLAY_BY_PLAY, page(PLAY_BY_PLAY, 2, "{}"))


def test_existing_tables_are_not_created_again(tmp_path: Path):
    created = delta_tables.create_tables(tmp_path, [PLAY_BY_PLAY, PLAYERS])
    before = read_tree(tmp_path)

    assert created == [PLAY_BY_PLAY, PLAYERS]
    assert delta_tables.create_tables(tmp_path, [PLAY_BY_PLAY, PLAYERS]) == []
    assert read_tree(tmp_path) == before


def test_size_of_a_table_comes_from_its_log(tmp_path: Path):
    delta_tables.create_tables(tmp_path, [PLAY_BY_PLAY])
    empty = delta_tables.read_table_size(tmp_path, PLAY_BY_PLAY)
    keep(tmp_path, PLAY_BY_PLAY, *(page(PLAY_BY_PLAY, n, "{}") for n in range(3)))
    keep(tmp_path, PLAY_BY_PLAY, page(PLAY_BY_PLAY, 4, "{}"))

    full = delta_tables.read_table_size(tmp_path, PLAY_BY_PLAY)
    files = list(delta_tables.locate_table(tmp_path, PLAY_BY_PLAY).rglob("part-*.parquet"))
    assert (empty["rows"], empty["files"], empty["bytes"]) == (0, 0, 0)
    assert (full["rows"], full["files"], full["version"]) == (4, 2, version(tmp_path, PLAY_BY_PLAY))
    assert full["bytes"] == sum(file.stat().st_size for file in files)


# a batch is some pages: which key, which content, which value of the volatile key, and the minute of the clock
BATCHES = st.lists(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 1), st.integers(0, 3)), max_size=5),
    min_size=1,
    max_size=6,
)


@try_examples(12)
@given(BATCHES)
def test_bronze_behaves_like_a_dictionary_of_histories(batches: list[list[tuple[int, int, int, int]]]):
    histories: dict[int, list[str]] = {}
    people: dict[int, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        delta_tables.create_tables(root, [PLAY_BY_PLAY, PLAYERS])
        for batch in batches:
            rows = [(key, f'{{"goals":{goals},"clock":{clock}}}', minute) for key, goals, clock, minute in batch]
            news = {key: body for key, body, _ in rows}
            new = {key for key in news if key not in histories}
            changed = {key for key in news if key not in new and not equal_bodies(news[key], histories[key][-1])}
            for key in new | changed:
                histories.setdefault(key, []).append(news[key])
                people[key] = news[key]
            before = delta_tables.scan_table(root, PLAY_BY_PLAY).collect(), version(root, PLAY_BY_PLAY)

            for table in (PLAY_BY_PLAY, PLAYERS):
                stored = keep(root, table, *(page(table, key, body, minute=minute) for key, body, minute in rows))
                assert (stored.new, stored.changed) == (len(new), len(changed))
                assert stored.unchanged.height == len(set(news) - new - changed)

            after = delta_tables.scan_table(root, PLAY_BY_PLAY).collect()
            assert before[0].join(after, on=PLAY_BY_PLAY.schema.names(), how="anti", nulls_equal=True).is_empty()
            assert version(root, PLAY_BY_PLAY) - before[1] == bool(new | changed)

        versions = delta_tables.scan_table(root, PLAY_BY_PLAY).sort("fetched_at").collect()
        found = {key: versions.filter(pl.col("game_id") == 2023020000 + key)["body"].to_list() for key in histories}
        assert found == histories
        assert versions.height == sum(map(len, histories.values()))
        assert versions.select(PLAY_BY_PLAY.key).is_unique().all()
        newest = delta_tables.scan_newest_pages(root, PLAY_BY_PLAY).collect()
        assert dict(newest.select("game_id", "body").iter_rows()) == {
            2023020000 + k: h[-1] for k, h in histories.items()
        }
        kept_people = delta_tables.scan_table(root, PLAYERS).collect()
        assert dict(kept_people.select("player_id", "body").iter_rows()) == {8470000 + k: b for k, b in people.items()}
        assert kept_people.height == len(people)
