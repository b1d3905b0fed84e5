"""Store fitted models and predictions in the ledger, and read the models of expected goals."""

from contextlib import suppress
from datetime import datetime

import msgspec
import polars as pl

from nhl_lake.errors import UnreadableData
from nhl_lake.gold.measures.expected_goals import XgModel
from nhl_lake.gold.xg_model import XG_KIND, decode_card, find_shipped_model
from nhl_lake.schema import ledger
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location


def store_model(root: Location, name: str, card: msgspec.Struct, made_at: datetime, features_version: int) -> None:
    """Store a fitted model in lake.models.

    features_version: the version of the table that it was fitted to.
    """
    row = {
        "model": name, "made_at": made_at, "features_version": features_version,
        "card": msgspec.json.encode(card).decode(),
    }  # fmt: skip
    append_if_new(root, ledger.MODELS, pl.DataFrame([row], schema=ledger.MODELS.schema))


def read_xg_models(root: Location) -> dict[str, XgModel]:
    """Return the models of expected goals by name: those that this lake fitted, newest first, then the package's.

    Those that this release cannot read are left out; a rebuild names one if it is the newest.
    """
    fitted = ledger.select_models(delta_tables.scan_table_or_empty(root, ledger.MODELS), XG_KIND).collect()
    models = []
    for name, card in fitted.select("model", "card").reverse().iter_rows():
        with suppress(UnreadableData):
            models.append(decode_card(name, card))
    shipped = find_shipped_model(delta_tables.scan_table(root, ledger.META))
    return {model.name: model for model in (*models, shipped) if model is not None}


def append_if_new(root: Location, table: Table, rows: pl.DataFrame) -> None:
    """Append the rows whose keys a table of the ledger does not have: two runs at one instant predict once."""
    delta_tables.create_tables(root, [table])
    stored = delta_tables.scan_table(root, table).select(table.key)
    delta_tables.append_to_ledger(root, table, rows.lazy().join(stored, on=table.key, how="anti").collect())
