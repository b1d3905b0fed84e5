"""Tests of the key digest: equal for the same rows in any order and files, different for any other rows."""

import hashlib
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhl_lake.schema import digest as digesting
from nhl_lake.schema.digest import compute_key_digest, hash_texts

WORD = 2**64


def mix_by_hand(row: list[int]) -> int:
    """SplitMix64's finaliser over the columns of a row, in Python's own integers."""
    found = 0x9E3779B97F4A7C15
    for value in row:
        found ^= value % WORD
        found = (found ^ (found >> 30)) * 0xBF58476D1CE4E5B9 % WORD
        found = (found ^ (found >> 27)) * 0x94D049BB133111EB % WORD
        found ^= found >> 31
    return found


INTS = st.integers(-(2**63), 2**63 - 1)
ROWS = st.lists(st.tuples(INTS, st.text(max_size=8)), max_size=30)


def make_frame(rows: list[tuple[int, str]]) -> pl.LazyFrame:
    return pl.LazyFrame(rows, schema={"game_id": pl.Int64, "name": pl.String}, orient="row")


def compute_digest(rows: list[tuple[int, str]]) -> str:
    return compute_key_digest(make_frame(rows), ["game_id", "name"])


@given(st.lists(st.tuples(INTS, INTS), max_size=30))
def test_digest_matches_plain_python(rows: list[tuple[int, int]]):
    schema = {"game_id": pl.Int64, "player_id": pl.Int64}
    expected = sum(mix_by_hand(list(row)) for row in rows) % WORD

    assert (
        compute_key_digest(pl.LazyFrame(rows, schema=schema, orient="row"), list(schema))
        == f"{len(rows)}-{expected:016x}"
    )


def test_table_too_large_for_memory_has_the_same_digest(monkeypatch: pytest.MonkeyPatch):
    rows = [(number, str(number % 3)) for number in range(50)]
    few = compute_digest(rows)
    monkeypatch.setattr(digesting, "MAX_ROWS_IN_MEMORY", 10)

    assert compute_digest(rows) == few


def test_digest_of_a_known_table_never_changes():
    rows = pl.LazyFrame(
        {
            "season": pl.Series([20252026, 20252026], dtype=pl.Int32),
            "team": ["AAA", None],
            "game_date": [date(2026, 1, 9), date(1917, 12, 19)],
            "fetched_at": pl.Series([datetime(2026, 1, 10, 17, tzinfo=UTC)] * 2, dtype=pl.Datetime("us", "UTC")),
            "is_final": [True, False],
        }
    )

    aaa = int.from_bytes(hashlib.sha256(b"AAA").digest()[:8], "little")
    fetched_at = 1_768_064_400_000_000
    by_hand = mix_by_hand([20252026, aaa, 20_462, fetched_at, 1])
    by_hand += mix_by_hand([20252026, 0xD1B54A32D192ED03, -19_006, fetched_at, 0])
    assert compute_key_digest(rows, rows.collect_schema().names()) == f"2-{by_hand % WORD:016x}" == "2-fc9cbafb5f0d3545"


@given(ROWS, st.randoms())
def test_order_of_rows_does_not_matter(rows: list[tuple[int, str]], random):
    other = random.sample(rows, len(rows))

    assert compute_digest(rows) == compute_digest(other)


@given(ROWS, st.integers(1, 5))
def test_layout_of_files_does_not_matter(tmp_path_factory, rows: list[tuple[int, str]], size: int):
    folder: Path = tmp_path_factory.mktemp("files")
    make_frame(rows).collect().write_parquet(folder / "empty and whole.parquet")
    for start in range(0, len(rows), size):
        make_frame(rows[start : start + size]).collect().write_parquet(folder / f"part {start}.parquet")
    parts = pl.scan_parquet(folder / "part *.parquet") if rows else make_frame([])

    assert compute_digest(rows) == compute_key_digest(parts, ["game_id", "name"])
    assert compute_digest(rows) == compute_key_digest(
        pl.scan_parquet(folder / "empty and whole.parquet"), ["game_id", "name"]
    )


@given(ROWS.filter(bool), st.data())
def test_missing_duplicate_or_changed_row_changes_the_digest(rows: list[tuple[int, str]], data):
    at = data.draw(st.integers(0, len(rows) - 1))
    game, name = rows[at]
    other = data.draw(st.tuples(INTS, st.text(max_size=8)).filter(lambda row: row != rows[at]))

    changed = [
        rows[:at] + rows[at + 1 :],
        [*rows, rows[at]],
        [*rows[:at], other, *rows[at + 1 :]],
        [*rows[:at], (game, f"{name}\0"), *rows[at + 1 :]],
    ]
    assert compute_digest(rows) not in {compute_digest(some) for some in changed}


@given(INTS, INTS)
def test_different_keys_have_different_digests(one: int, other: int):
    schema = {"game_id": pl.Int64, "player_id": pl.Int64}
    tables = {tuple(sorted(rows)) for rows in ([(one, other), (7, 8)], [(other, one), (7, 8)], [(one, 8), (7, other)])}
    digests = {
        compute_key_digest(pl.LazyFrame(list(rows), schema=schema, orient="row"), list(schema)) for rows in tables
    }

    assert len(digests) == len(tables)


def test_null_is_different_from_every_value():
    names = [None, "", "None", "null"]
    digests = {
        compute_key_digest(pl.LazyFrame({"name": [name]}, schema={"name": pl.String}), ["name"]) for name in names
    }
    numbers = {compute_key_digest(pl.LazyFrame({"id": [n]}, schema={"id": pl.Int32}), ["id"]) for n in (None, 0, -1)}

    assert (len(digests), len(numbers)) == (4, 3)


def test_number_has_the_same_digest_in_every_width():
    widths = [pl.Int16, pl.Int32, pl.Int64, pl.UInt64]

    assert (
        len(
            {
                compute_key_digest(pl.LazyFrame({"period": [3]}, schema={"period": width}), ["period"])
                for width in widths
            }
        )
        == 1
    )


def test_measure_cannot_be_a_key():
    with pytest.raises(TypeError, match="Float64"):
        compute_key_digest(pl.LazyFrame({"x": [1.5]}), ["x"])


def test_empty_table_has_a_digest():
    assert compute_digest([]) == "0-0000000000000000"


@given(st.lists(st.none() | st.text() | st.text().map(lambda text: text * 1000)))
def test_hash_of_a_text_is_standard_sha256(texts: list[str | None]):
    found = hash_texts(pl.Series(texts, dtype=pl.String))

    assert found.to_list() == [None if text is None else hashlib.sha256(text.encode()).hexdigest() for text in texts]
