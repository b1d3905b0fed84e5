"""Check the numbers of a page: each says which column of which rows it is, and SQL says whether that is so."""

import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl

import polars as pl
from selectolax.lexbor import LexborHTMLParser, LexborNode

from nhl_lake import Lake
from nhl_lake.catalog import find_table

NO_VALUE = "–"
CLOCK = re.compile(r"(\d+):(\d\d)")


class PageNumber(NamedTuple):
    """A number of a page: its table of the lake, the rows it sums, the column, its text, and what it is divided by."""

    table: str
    where: tuple[tuple[str, str], ...]
    column: str
    text: str
    per: str = ""


def list_page_numbers(html: str) -> list[PageNumber]:
    """Return the numbers of a page that say where they are from: cells of tables, and numbers by themselves."""
    tree = LexborHTMLParser(html)
    found = [read_own_number(node) for node in tree.css("td[data-from],dd[data-from],span[data-from]")]
    for table in tree.css("table[data-from]"):
        headings = table.css("thead th")
        keys = [key for key in table.attributes["data-keys"].split(",") if key]
        for row in table.css("tbody tr"):
            cells = row.css("td")
            assert len(cells) == len(headings), table.css_first("caption").text()
            values = row.attributes["data-key"].split(",") if keys else []
            own = dict(zip(keys, values, strict=True))
            for heading, cell in zip(headings, cells, strict=True):
                if "data-column" in heading.attributes:
                    found.append(read_number(table, heading, own, cell.text(strip=True)))
    return found


def read_own_number(node: LexborNode) -> PageNumber:
    about = node.attributes
    where = tuple(parse_qsl(about["data-where"]))
    return PageNumber(
        about["data-from"], where, about["data-column"], node.text(strip=True), about.get("data-per") or ""
    )


def read_number(table: LexborNode, heading: LexborNode, own: dict[str, str], text: str) -> PageNumber:
    where = dict(parse_qsl(table.attributes["data-where"])) | own
    where |= dict(parse_qsl(heading.attributes.get("data-where") or ""))
    source = heading.attributes.get("data-from") or table.attributes["data-from"]
    per = heading.attributes.get("data-per") or ""
    return PageNumber(source, tuple(where.items()), heading.attributes["data-column"], text, per)


def find_wrong_numbers(root: Path, numbers: list[PageNumber]) -> list[tuple[PageNumber, object]]:
    """Return the numbers that differ from the lake's, each with the lake's value. A dash may have no row."""
    lake, wrong = Lake(root), []
    groups = defaultdict(list)
    for number in numbers:
        groups[number.table, tuple(name for name, _ in number.where)].append(number)
    for (table, names), group in groups.items():
        columns = sorted({name for number in group for name in (number.column, number.per) if name})
        sums = ", ".join(
            f"case when count({name}) = 0 then null else sum({name}) end as {name}_sum"
            if find_table(table).schema[name].is_numeric()
            else f"sum(case when {name} then 1 else 0 end) as {name}_sum"
            for name in columns
        )
        rows = lake.sql(f"select {', '.join(names)}, {sums} from {table} group by {', '.join(names)}")
        values = {
            tuple(format_key(value) for value in row[: len(names)]): dict(zip(columns, row[len(names) :], strict=True))
            for row in rows.rows()
        }
        for number in group:
            row = values.get(tuple(value for _, value in number.where))
            expected = "no row" if row is None else row[number.column]
            if row is not None and number.per:
                expected = None if expected is None or not row[number.per] else expected / row[number.per]
            if row is None and number.text == NO_VALUE:
                continue  # the lake has no such row, and the page says so
            if row is None or not is_same(number.text, expected):
                wrong.append((number, expected))
    return wrong


def format_key(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def is_same(text: str, value: float | None) -> bool:
    """Whether a shown number is the value, rounded as the text is."""
    if text == NO_VALUE or value is None:
        return text == NO_VALUE and value is None
    if clock := CLOCK.fullmatch(text):
        return abs(60 * int(clock[1]) + int(clock[2]) - value) <= 0.5
    plain = text.replace("−", "-").replace(",", "").removeprefix("+")
    if plain.endswith("%"):
        plain, value = plain.removesuffix("%"), 100 * value
    decimals = len(plain.partition(".")[2])
    return abs(float(plain) - value) <= 0.5 * 10**-decimals + 1e-9


def count_by_table(numbers: list[PageNumber]) -> dict[str, int]:
    return dict(pl.Series([number.table for number in numbers]).value_counts().iter_rows())
