"""The model of expected goals (xG) that this lake uses."""

from functools import cache, lru_cache
from importlib.resources import files

import msgspec
import polars as pl

from nhl_lake.errors import UnreadableData
from nhl_lake.gold.measures.expected_goals import XgModel
from nhl_lake.schema import columns as c
from nhl_lake.schema.ledger import META, MODELS, read_source, select_newest_model
from nhl_lake.schema.table import Column, Table

SAMPLE_LEAGUE = "sample league"
SHIPPED = {"NHL": "xg_nhl.json", SAMPLE_LEAGUE: "xg_sample_league.json"}  # by the source of the lake
XG_KIND = "xg"


def xg_model(meta: pl.LazyFrame, models: pl.LazyFrame) -> pl.LazyFrame:
    """One row: the newest model that was fitted from this lake, or else the one that ships with the package.

    A lake fits a model only when `nhl-lake models fit xg` is run. A lake of another source has none until then.
    """
    fitted = select_newest_model(models, XG_KIND).collect()
    for name, card in fitted.select("model", "card").iter_rows():
        decode_card(name, card)  # a model that cannot be read never replaces one that can
    shipped = find_shipped_model(meta)
    rows = [] if shipped is None else [make_row(shipped)]
    ours = fitted.lazy().select("model", "made_at", "card", source=pl.lit("fitted"))
    return pl.concat([ours, pl.LazyFrame(rows, schema=XG_MODEL.schema)], how="diagonal").head(1).select(
        column.name for column in COLUMNS
    )  # fmt: skip


def make_row(model: XgModel) -> dict[str, object]:
    """Return the row of a model that ships with the package."""
    return {"model": model.name, "source": "shipped", "made_at": None, "card": msgspec.json.encode(model).decode()}


def find_shipped_model(meta: pl.LazyFrame) -> XgModel | None:
    """Return the model that ships with the package for the lake's source; None for a source without one."""
    source = read_source(meta)
    return read_shipped_model(source) if source in SHIPPED else None


@cache
def read_shipped_model(source: str) -> XgModel:
    """Read the model that ships with the package for lakes of a source."""
    text = files("nhl_lake.gold").joinpath(SHIPPED[source]).read_bytes()
    return msgspec.json.decode(text, type=XgModel)


def decode_model(xg_model: pl.LazyFrame) -> XgModel | None:
    """Return the model of the table; None without one."""
    rows = xg_model.select("model", "card").collect().rows()
    return decode_card(*rows[0]) if rows else None


@lru_cache(2)
def decode_card(name: str, card: str) -> XgModel:
    """Return the model of a card; the same object each time, as its trees are prepared once a model."""
    try:
        return msgspec.json.decode(card, type=XgModel)
    except msgspec.DecodeError as error:
        raise UnreadableData(
            f"The model '{name}' cannot be read: {error}.",
            "No xG was changed. Use the release that fitted it, or fit another: `nhl-lake models fit xg`.",
        ) from None


COLUMNS = (
    Column("model", pl.String, "Name of the model: its kind, and its training seasons or when it was fitted"),
    Column("source", pl.String, "Where it is from", values=("shipped", "fitted")),
    Column("made_at", c.UTC, "When it was fitted; null for the model of the package", "UTC", nullable=True),
    Column("card", pl.String, "The model as JSON: training rows, features, trees"),
)

XG_MODEL = Table(
    name="gold.xg_model",
    grain="one model of expected goals: the one that the lake's xG is from",
    key=("model",),
    columns=COLUMNS,
    partition=None,
    inputs=(META, MODELS),
    source=xg_model,
)
