"""The fitted model of xG that `gold.xg_model` still has after `lake.models` lost it.

Without its row in `lake.models` a rebuild would change every xG: to an older model, or to the one of the package.
"""

import polars as pl

from nhl_lake.errors import UnreadableData
from nhl_lake.gold.xg_model import XG_MODEL
from nhl_lake.schema.ledger import MODELS
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location


def find_lost_model(root: Location) -> pl.DataFrame:
    """Return the fitted model in use as a row of `lake.models`, if that lacks it; else no row.

    The version of the shots that it was fitted to is unknown.
    """
    used = delta_tables.scan_table_or_empty(root, XG_MODEL).filter(source="fitted")
    stored = delta_tables.scan_table_or_empty(root, MODELS).select("model")
    rows = used.join(stored, on="model", how="anti").collect()
    unknown = (pl.lit(None, dtype).alias(name) for name, dtype in MODELS.schema.items() if name not in rows.columns)
    return rows.with_columns(*unknown).select(MODELS.schema.names())


def require_no_lost_model(root: Location) -> None:
    """Raise if `lake.models` lacks the fitted model in use."""
    for name in find_lost_model(root)["model"]:
        raise UnreadableData(
            f"{MODELS.name} lacks the model '{name}', which this lake's xG is from.",
            "No changes were made. Run `nhl-lake doctor`: it names the command that adds the model again.",
        )
