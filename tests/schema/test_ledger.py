"""What the ledger says of the lake itself."""

import polars as pl
import pytest

from nhl_lake.schema import ledger


@pytest.mark.parametrize(
    ("sources", "source"),
    [([], None), (["NHL"], "NHL"), (["NHL", "NHL"], "NHL"), (["NHL", "sample league"], None)],
)
def test_a_lake_has_one_source(sources: list[str], source: str | None):
    assert ledger.read_source(pl.LazyFrame({"source": sources}, schema={"source": pl.String})) == source
