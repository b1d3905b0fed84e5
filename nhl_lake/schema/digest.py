"""A digest of the keys of a table: equal if two tables have the same keys, in any order.

Each row's key is mixed into 64 bits, and the results are added up. The order of rows and files does not matter, and a
row that is there twice counts twice. The mixing is implemented here because a digest in a backup must stay valid for
years, and Polars may change its own hash in any release.
"""

import hashlib
from collections.abc import Sequence

import polars as pl

# SplitMix64: its seed, and its mixing steps
SEED = 0x9E3779B97F4A7C15
MIX_STEPS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
LAST_SHIFT = 31
NULL_BITS = 0xD1B54A32D192ED03
HALF_RANGE = 2**32
MAX_ROWS_IN_MEMORY = 100_000
MIXED_COLUMN = "mixed bits"


def compute_key_digest(rows: pl.LazyFrame, key: Sequence[str]) -> str:
    """Return the number of rows of a frame and the digest of their keys, as `<rows>-<digest>`."""
    head = rows.select(key).head(MAX_ROWS_IN_MEMORY + 1).collect(engine="streaming")
    # a small frame stays in memory; otherwise each text column reads the files again
    rows = head.lazy() if head.height <= MAX_ROWS_IN_MEMORY else rows
    schema = rows.select(key).collect_schema()
    keyed = rows.select(key)
    for name, dtype in schema.items():
        if dtype == pl.String:
            keyed = keyed.join(hash_distinct_texts(rows, name), on=name, how="left", nulls_equal=True).drop(name)
            keyed = keyed.rename({f"{name} hash": name})
    mixed = keyed.with_columns(to_uint64_literal(SEED).alias(MIXED_COLUMN))
    for name, dtype in schema.items():
        mixed = mix_bits(mixed.with_columns(pl.col(MIXED_COLUMN) ^ encode_bits(pl.col(name), dtype)))
    # the halves are added up separately, so that no sum overflows
    halves = mixed.select(
        rows=pl.len(), low=(pl.col(MIXED_COLUMN) % HALF_RANGE).sum(), high=(pl.col(MIXED_COLUMN) // HALF_RANGE).sum()
    )
    count, low, high = halves.collect(engine="streaming").row(0)
    return f"{count}-{(low + high * HALF_RANGE) % 2**64:016x}"


def hash_distinct_texts(rows: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """Return each distinct text of a column, with a 64-bit hash of it."""
    texts = rows.select(pl.col(name).unique()).drop_nulls().collect(engine="streaming")[name]
    numbers = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") for text in texts]
    return pl.LazyFrame({name: texts, f"{name} hash": pl.Series(numbers, dtype=pl.UInt64)})


def hash_texts(texts: pl.Series) -> pl.Series:
    """Return the SHA-256 of each text, in hexadecimal; null for null."""
    digests = [None if text is None else hashlib.sha256(text).hexdigest() for text in texts.cast(pl.Binary)]
    return pl.Series(digests, dtype=pl.String)


def encode_bits(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return a key value as 64 bits."""
    if dtype == pl.Datetime:
        value = value.dt.epoch("us")
    elif dtype == pl.Date:
        value = value.dt.epoch("d")
    elif not (dtype.is_integer() or dtype in {pl.String, pl.Boolean}):
        raise TypeError(f"a key of {dtype} has no digest")
    wide = value if dtype in {pl.UInt64, pl.String} else value.cast(pl.Int64).reinterpret(signed=False)
    return wide.fill_null(to_uint64_literal(NULL_BITS))


def mix_bits(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Mix 64 bits, so that each bit of the result depends on all of them; multiplication wraps around.

    Each step is a `with_columns` of its own. In one expression each step would appear twice, and the query planner
    would read 4,096 copies.
    """
    bits = pl.col(MIXED_COLUMN)
    for shift, factor in MIX_STEPS:
        rows = rows.with_columns((bits ^ (bits // to_uint64_literal(2**shift))) * to_uint64_literal(factor))
    return rows.with_columns(bits ^ (bits // to_uint64_literal(2**LAST_SHIFT)))


def to_uint64_literal(number: int) -> pl.Expr:
    """Return a number as an unsigned literal."""
    return pl.lit(number, dtype=pl.UInt64)
