"""The cache of a rebuild's small inputs."""

import pickle

import polars as pl

from nhl_lake.rebuild import input_cache
from nhl_lake.rebuild.input_cache import InputCache
from nhl_lake.store.file_commit import PartitionSize


def read_twice(cache: InputCache, *rows: int) -> list[list[int]]:
    return [cache.read_frame(("a", 0), lambda row=row: pl.DataFrame({"n": [row]}))["n"].to_list() for row in rows]


def test_rows_under_a_key_are_read_once():
    cache = InputCache()

    assert read_twice(cache, 1, 2) == [[1], [1]]
    assert cache.read_frame(("a", 1), lambda: pl.DataFrame({"n": [3]}))["n"].to_list() == [3]


def test_rows_without_room_are_read_again(monkeypatch):
    monkeypatch.setattr(input_cache, "MAX_BYTES", 7)

    assert read_twice(InputCache(), 1, 2) == [[1], [2]]


def test_full_cache_begins_again(monkeypatch):
    monkeypatch.setattr(input_cache, "MAX_BYTES", 8)
    cache = InputCache()
    read_twice(cache, 1)

    assert cache.read_frame(("b",), lambda: pl.DataFrame({"n": [2]}))["n"].to_list() == [2]
    assert read_twice(cache, 3, 4) == [[3], [3]]


def test_sizes_are_read_once():
    sizes = [{None: PartitionSize(rows, 100)} for rows in (1, 2)]
    cache = InputCache()

    assert [cache.read_sizes(("a", 0), lambda one=one: one) for one in sizes] == [sizes[0], sizes[0]]


def test_another_process_gets_an_empty_cache():
    cache = InputCache()
    read_twice(cache, 1)

    assert read_twice(pickle.loads(pickle.dumps(cache)), 2) == [[2]]
