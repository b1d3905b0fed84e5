"""The landing page of a publication: what it has, how to read it, whose data these are."""

from typing import NamedTuple

from nhl_lake.hockey.ids import format_season
from nhl_lake.reports.page import ALONE, render_page
from nhl_lake.sharing.manifest import Publication, PublishedTable, locate_file

EXAMPLE = "gold.skater_season"
KILO = 1000


class FileLink(NamedTuple):
    """A file on the landing page: its path, and the text of the link."""

    path: str
    label: str


class TableEntry(NamedTuple):
    """A table on the landing page."""

    name: str
    grain: str
    rows: str
    size: str
    files: list[FileLink]


def render_landing_page(publication: Publication) -> str:
    """Return the landing page as HTML."""
    files = [(table, season) for table in publication.tables for season in (f.season for f in table.files)]
    example = next((found for found in files[::-1] if found[0].name == EXAMPLE), files[0] if files else None)
    return render_page(
        "publication.html.j2",
        ALONE,
        title=f"Hockey tables: {publication.league}",
        publication=publication,
        is_invented=publication.league != "NHL",
        tables=[describe_table(table) for table in publication.tables],
        size=format_size(sum(table.bytes for table in publication.tables)),
        example=example
        and {
            "table": example[0].name,
            "year": example[1] and example[1] // 10_000,
            "path": locate_file(example[0].name, example[1]),
        },
    )


def describe_table(table: PublishedTable) -> TableEntry:
    """Return what the page says of a table; its newest season is the first."""
    newest_first = sorted(table.files, key=lambda file: file.season or 0, reverse=True)
    files = [
        FileLink(locate_file(table.name, file.season), format_season(file.season) if file.season else "all")
        for file in newest_first
    ]
    return TableEntry(table.name, table.grain.replace("`", ""), f"{table.rows:,}", format_size(table.bytes), files)


def format_size(size: int) -> str:
    """Return bytes as kB or MB."""
    return f"{size / KILO**2:,.1f} MB" if size >= KILO**2 else f"{size / KILO:,.0f} kB"
