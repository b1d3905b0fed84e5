"""Glossary: the NHL's own definitions of its statistics."""

import polars as pl

from nhl_lake.bronze.endpoints import GLOSSARY as PAGES
from nhl_lake.bronze.numbers import Int32
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.parsing.pages import PageStruct, decode_page


class Entry(PageStruct):
    """A term."""

    id: Int32
    abbreviation: str | None = None
    fullName: str | None = None
    definition: str | None = None
    firstSeasonForStat: Int32 | None = None


class GlossaryPage(PageStruct):
    """The glossary."""

    data: list[Entry]


def glossary(glossary: pl.LazyFrame) -> pl.LazyFrame:
    """One row per term that the NHL explains. From `bronze.glossary`."""
    return (
        glossary.select("language", page=decode_page(GlossaryPage))
        .unnest("page")
        .explode("data")
        .filter(pl.col("data").is_not_null())
        .unnest("data")
        .unique(["language", "id"], keep="first", maintain_order=True)
        .select(
            "language",
            "abbreviation",
            "definition",
            term_id="id",
            full_name="fullName",
            first_season="firstSeasonForStat",
        )
        .select(column.name for column in COLUMNS)
    )


COLUMNS = (
    c.language,
    Column("term_id", pl.Int32, "The NHL's number of the term"),
    Column("abbreviation", pl.String, "Abbreviation", nullable=True),
    Column("full_name", pl.String, "Term", nullable=True),
    Column("definition", pl.String, "Definition, as the NHL words it", nullable=True),
    Column("first_season", pl.Int32, "First season with the statistic", nullable=True),
)

GLOSSARY = Table(
    name="silver.glossary",
    grain="one term of the NHL's glossary",
    key=("language", "term_id"),
    columns=COLUMNS,
    chunk_key="language",
    partition=None,
    inputs=(PAGES,),
    page_structs={PAGES: (GlossaryPage,)},
    source=glossary,
)
