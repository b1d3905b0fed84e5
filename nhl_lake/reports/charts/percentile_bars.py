"""Percentiles as a table of bars, each with its number, the value, the minutes and the minimum."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from nhl_lake.reports.charts.svg import format_number, show_text
from nhl_lake.reports.colors import classify_percentile
from nhl_lake.reports.tables import FORMATS, NO_VALUE, wrap_table

UNIT_FORMATS = {"per_60": "two", "share": "percent", "goals": "signed"}
HEADINGS = ("Statistic", "Percentile", "Value", "Mins", "Needs")
SAVE_PERCENTAGE = "save_share"


def render_percentiles(rows: Sequence[Mapping[str, object]], *, player_id: int, caption: str) -> Markup:
    """Return a row per statistic, for rows of `read_percentiles` of one player, with minutes and the least that count.

    A bar is blue if most compared players are worse, and orange if most are better. There is none below the minimum
    of ice time. Every value says where it is in the lake.
    """
    head = "".join(f'<th scope="col"{"" if number < 2 else " class=n"}>{name}' for number, name in enumerate(HEADINGS))
    body = "".join(render_row(row, player_id) for row in rows)
    return wrap_table(
        f'<table class="percentiles"><caption class="visually-hidden">{show_text(caption)}</caption>'
        f"<thead><tr>{head}</thead><tbody>{body}</tbody></table>",
        caption,
    )


def render_row(row: Mapping[str, object], player_id: int) -> str:
    """Return the row of a statistic."""
    minutes, least = (format_minutes(row[name]) for name in ("time_on_ice_s", "min_time_on_ice_s"))
    where = f"season={row['season']}&game_type={row['game_type']}&player_id={player_id}"
    where += f"&situation={row['situation']}"
    if str(row["table_name"]).endswith("_season"):
        where += "&is_total=true"
    source = f'data-from="{row["table_name"]}" data-where="{show_text(where)}"'
    return (
        f'<tr><th scope="row">{show_text(row["label"])}<td class=bar>{render_bar(row["percentile"])}'
        f'<td class=n {source} data-column="{row["column_name"]}">{format_value(row)}'
        f"<td class=n>{minutes}<td class=n>{least}"
    )


def render_bar(percentile: object) -> str:
    """Return a bar with its number beside it; a dash without a percentile."""
    if not isinstance(percentile, float):
        return f"<span>{NO_VALUE}</span>"
    step, length = classify_percentile(percentile), format_number(max(percentile, 1))
    paths = f'<path class="track" d="M0 0h100v10H0z"/><path class="p{step}" d="M0 0h{length}v10H0z"/>'
    svg = f'<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">{paths}</svg>'
    return f"{svg}<span>{percentile:.0f}</span>"


def format_value(row: Mapping[str, object]) -> str:
    """Return the value as its unit is written; save percentages have three decimals."""
    if row["value"] is None:
        return NO_VALUE
    kind = "share" if str(row["column_name"]).endswith(SAVE_PERCENTAGE) else UNIT_FORMATS[str(row["unit"])]
    return FORMATS[kind](row["value"])


def format_minutes(seconds: object) -> str:
    """Return seconds as whole minutes."""
    return f"{seconds / 60:,.0f}" if isinstance(seconds, int) else NO_VALUE
