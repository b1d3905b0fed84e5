"""Table, Column and Endpoint: the declarations that commands, docs, checks and the rebuild order follow from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec
import polars as pl

from nhl_lake.schema.requests import RequestRule

BuildFunction = Callable[..., pl.LazyFrame]


class VersionPolicy(StrEnum):
    """Which versions of a page a bronze table stores."""

    EVERY_VERSION = "every distinct version"
    LATEST = "only the newest version"


class TableName(NamedTuple):
    """The name of a table, such as `gold.shots`: enough to read its rows, without loading all declarations."""

    name: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, dtype, meaning, and unit if it has one."""

    name: str
    dtype: pl.DataType | type[pl.DataType]
    description: str
    unit: str = ""
    nullable: bool = False
    values: tuple[str, ...] = ()  # allowed values; any other value is new in the API and fails the check


class PageRecord(NamedTuple):
    """A row of a bronze table: its key, and the page, or its part of the page, as served, in UTF-8."""

    key: Mapping[str, Any]
    season: int | None
    game_date: date | None
    state: str | None
    body: bytes
    player_ids: frozenset[int] = frozenset()  # players in the lineup or roster of the page


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A page of the NHL API: its path, its parser, and when to request it.

    `parse` takes the body and the request's parameters, and returns the rows of the page; it raises PageRejected if the
    body is not the requested page. `is_empty` says whether a valid page has no content yet, so that it is requested
    again. A change in `ignored_keys` alone does not make a new version of a page. `only_with` is the NAME of
    `ingest --with NAME`, without which the page is not requested: it would multiply the requests of a daily run.
    """

    path: str
    parse: Callable[[bytes, Mapping[str, Any]], list[PageRecord]]
    request: RequestRule
    host: str = "https://api-web.nhle.com"
    is_empty: Callable[[str], bool] | None = None
    ignored_keys: frozenset[str] = frozenset()
    only_with: str | None = None

    def url(self, params: Mapping[str, Any], base_url: str | None = None) -> str:
        """Return the URL of the page; `base_url` replaces every host."""
        # a team's letters come from a page, too: what they hold is part of one name in the path
        quoted = {name: quote(str(value), safe="") for name, value in params.items()}
        return f"{base_url or self.host}/{self.path.format_map(quoted)}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """One table of the lake. Commands, docs, checks and the rebuild order follow from it."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    source: Endpoint | BuildFunction | None  # bronze: a page; silver, gold: a function; None: written by runs
    inputs: tuple["Table", ...] = ()
    # what it reads of the pages of an input; `nhl-lake check` reports other keys, and invalid values
    page_structs: Mapping["Table", tuple[type[msgspec.Struct], ...]] = field(default_factory=dict)
    chunk_key: str | None = None  # rows with different values never meet, so chunks can be built separately
    partition: str | None = "season"
    version_policy: VersionPolicy = VersionPolicy.EVERY_VERSION
    max_row_loss: float = 0.05  # share of its rows that a rebuild may remove without permission
    prior_seasons: int = 0  # number of seasons before the partition's own that its function also gets
    needs_day: bool = False  # its function gets today's date in New York as its last argument
    needs_all_versions: bool = False  # built from every version of a page, not only the newest
    checks: Mapping[str, pl.Expr] = field(default_factory=dict)
    schema: pl.Schema = field(init=False)  # name to dtype, in order; computed once because it is used all the time

    def __post_init__(self) -> None:
        """Compute the schema from the columns."""
        object.__setattr__(self, "schema", pl.Schema({c.name: c.dtype for c in self.columns}))
        if self.partition is not None and self.partition not in self.schema:
            raise ValueError(f"{self.name} has no column {self.partition}: declare partition=None")
        if self.chunk_key is not None and not any(self.chunk_key in table.schema for table in self.inputs):
            raise ValueError(f"{self.name}: none of its inputs has the column {self.chunk_key}: name another chunk_key")

    @property
    def layer(self) -> str:
        """Bronze, silver, gold, or lake for the ledger: the first word of the name."""
        return self.name.split(".")[0]

    @property
    def endpoint(self) -> Endpoint:
        """Return the page of a bronze table."""
        if not isinstance(self.source, Endpoint):
            raise TypeError(f"{self.name} is not a page of the API")
        return self.source

    @property
    def build(self) -> BuildFunction:
        """Return the function of a silver or gold table."""
        if self.source is None or isinstance(self.source, Endpoint):
            raise TypeError(f"{self.name} is not built from other tables")
        return self.source

    @property
    def page_key(self) -> tuple[str, ...]:
        """The columns that identify a page of a bronze table: its key without `fetched_at`."""
        return tuple(k for k in self.key if k != "fetched_at")

    @property
    def is_stored(self) -> bool:
        """Whether its rows are stored by runs, not built from other tables: bronze and the ledger."""
        return self.layer in {"bronze", "lake"}

    @property
    def timestamp_column(self) -> str:
        """The column of a bronze or ledger table that says when a row was stored."""
        return next(name for name in ("fetched_at", "asked_at", "made_at", "ended_at") if name in self.schema)

    @property
    def is_append_only(self) -> bool:
        """Whether Delta Lake itself rejects deletes, overwrites and updates of the table."""
        return self.layer == "lake" or (self.layer == "bronze" and self.version_policy is VersionPolicy.EVERY_VERSION)


def format_page_name(table: Table) -> pl.Expr:
    """Return the expression for a page's name: the values of its key, joined by '/'."""
    return pl.concat_str(pl.col(table.page_key).cast(pl.String), separator="/").alias("page")


def collect_page_structs(tables: Sequence[Table]) -> dict[Table, tuple[type[msgspec.Struct], ...]]:
    """Return the structs that tables read of each page."""
    pages = dict.fromkeys(page for table in tables for page in table.page_structs)
    return {
        page: tuple(dict.fromkeys(kind for table in tables for kind in table.page_structs.get(page, ())))
        for page in pages
    }
