"""A lake in a notebook: where it is, which games it has, and its tables."""

from typing import Any, NamedTuple

import polars as pl
from markupsafe import Markup, escape

from nhl_lake import catalog
from nhl_lake.hockey.calendar import FINAL_STATES
from nhl_lake.hockey.ids import format_season
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location
from nhl_lake.text import show_controls

CELL = Markup('<td style="text-align:right;font-variant-numeric:tabular-nums">{}</td>')


class LakeOverview(NamedTuple):
    """What a lake has, and where it is.

    seasons: season, games in the schedule, played, counted (games with statistics), and last_day that was played; null
    before the first.
    """

    root: Location
    seasons: pl.DataFrame
    tables: tuple[Table, ...]


def read_overview(root: Location) -> LakeOverview:
    """Return what a lake has; its seasons are the newest first."""
    games = delta_tables.scan_table_or_empty(root, catalog.find_table("silver.games"))
    statistics = delta_tables.scan_table_or_empty(root, catalog.find_table("gold.team_game"))
    counted = statistics.group_by("season").agg(counted=pl.col("game_id").n_unique())
    is_played = pl.col("game_state").is_in(FINAL_STATES)
    seasons = (
        games.group_by("season")
        .agg(games=pl.len(), played=is_played.sum(), last_day=pl.col("game_date").filter(is_played).max())
        .join(counted, on="season", how="left", validate="1:1")
        .with_columns(pl.col("counted").fill_null(0))
        .sort("season", descending=True)
        .select("season", "games", "played", "counted", "last_day")
        .collect()
    )
    return LakeOverview(root, seasons, tuple(t for t in catalog.TABLES if delta_tables.has_table(root, t)))


def render_lake(overview: LakeOverview) -> Markup:
    """Return a lake as HTML for a notebook. It has the notebook's own colors, light or dark."""
    rows = Markup().join(
        Markup("<tr>{}</tr>").format(Markup().join(CELL.format(text) for text in list_cells(row)))
        for row in overview.seasons.iter_rows(named=True)
    )
    names = ("Season", "Games", "Played", "With statistics", "Last played")
    head = Markup("<tr>{}</tr>").format(Markup().join(Markup("<th>{}</th>").format(name) for name in names))
    seasons = (
        Markup("<table><thead>{}</thead><tbody>{}</tbody></table>").format(head, rows)
        if rows
        else Markup("<p>It has no games yet: run <code>nhl-lake ingest</code>.</p>")
    )
    tables = Markup().join(
        Markup("<li><code>{}</code>: one row is {}</li>").format(table.name, table.grain) for table in overview.tables
    )
    where = escape(show_controls(str(overview.root), lines=False))
    return Markup(
        "<div><p><strong>nhl-lake</strong> at <code>{}</code></p>{}"
        "<details><summary>{} tables</summary><ul>{}</ul></details></div>"
    ).format(where, seasons, len(overview.tables), tables)


def list_cells(season: dict[str, Any]) -> list[str]:
    """Return the texts of a season's row."""
    counts = (f"{season[name]:,}" for name in ("games", "played", "counted"))
    return [
        format_season(season["season"]),
        *counts,
        "none yet" if season["last_day"] is None else str(season["last_day"]),
    ]
