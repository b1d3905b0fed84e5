"""Table, Column and Endpoint: the records from which commands, docs, checks and order follow."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

import polars as pl

from nhl_lake.schema.requests import RequestRule

BuildFunction = Callable[..., pl.LazyFrame]


class VersionPolicy(StrEnum):
    """What a bronze table keeps of a page that changes."""

    EVERY_VERSION = "every distinct version, appended"
    LATEST = "the newest version, merged by key"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name and dtype, what it means, and its unit if it has one."""

    name: str
    dtype: pl.DataType | type[pl.DataType]
    description: str
    unit: str = ""
    nullable: bool = False
    values: tuple[str, ...] = ()  # an enumerated text: anything else is news from the API and fails the check


class PageRecord(NamedTuple):
    """One row's worth of a page: its key, and the page, or that piece of it, as served, in UTF-8."""

    key: Mapping[str, Any]
    season: int | None
    game_date: date | None
    state: str | None
    body: bytes
    player_ids: frozenset[int] = frozenset()  # ids of the players in the line-ups or on the roster that it tells of


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A page of the NHL API: its address, how to read it, and when to request it.

    parse: takes the body and the request's parameters and returns the records that become rows. It raises PageRejected
    if the body is not the page that was requested. is_empty: whether a page, though valid, holds nothing yet; it is
    requested again. ignored_keys: keys whose changes make no new version of a page.
    """

    path: str
    parse: Callable[[bytes, Mapping[str, Any]], list[PageRecord]]
    request: RequestRule
    host: str = "https://api-web.nhle.com"
    is_empty: Callable[[str], bool] | None = None
    ignored_keys: frozenset[str] = frozenset()

    def url(self, params: Mapping[str, Any], base_url: str | None = None) -> str:
        """Return the address of the page; `base_url` replaces the host."""
        return f"{base_url or self.host}/{self.path.format_map(params)}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """One table of the lake. Commands, docs, checks and rebuild order all follow from this."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    source: (
        Endpoint | BuildFunction | None
    )  # bronze: a page; silver, gold: a function; None: the ledger, written by the runs
    inputs: tuple["Table", ...] = ()
    chunk_key: str | None = None  # rows with different `by` never meet: parts can be made apart
    partition: str | None = "season"
    version_policy: VersionPolicy = VersionPolicy.EVERY_VERSION
    max_row_loss: float = 0.05  # the share of its rows that a rebuild may take away without being told to
    prior_seasons: int = 0  # seasons before that of a slice which its function is given too
    needs_day: bool = False  # made for a day: the function is given it, as it is in New York, after the frames
    needs_all_versions: bool = False  # made of every version of the pages that it reads, not of the newest
    checks: Mapping[str, pl.Expr] = field(default_factory=dict)
    schema: pl.Schema = field(init=False)  # name to dtype, in order; made once, for it is asked for all the time

    def __post_init__(self) -> None:
        """Make the schema of the columns."""
        object.__setattr__(self, "schema", pl.Schema({c.name: c.dtype for c in self.columns}))

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
            raise TypeError(f"{self.name} is not made from other tables")
        return self.source

    @property
    def page_key(self) -> tuple[str, ...]:
        """What names a page of a bronze table: its key without the moment it was fetched."""
        return tuple(k for k in self.key if k != "fetched_at")

    @property
    def is_stored(self) -> bool:
        """Whether runs keep its rows, rather than make them of other tables: bronze and the ledger."""
        return self.layer in {"bronze", "lake"}

    @property
    def timestamp_column(self) -> str:
        """The column of a table of bronze or the ledger that says when a row was kept."""
        return next(name for name in ("fetched_at", "asked_at", "made_at", "ended_at") if name in self.schema)

    @property
    def is_append_only(self) -> bool:
        """Whether the engine itself refuses to delete, overwrite or update."""
        return self.layer == "lake" or (self.layer == "bronze" and self.version_policy is VersionPolicy.EVERY_VERSION)


def format_page_name(table: Table) -> pl.Expr:
    """Return the expression that names a page: the parts of its key joined by '/'."""
    return pl.concat_str(pl.col(table.page_key).cast(pl.String), separator="/").alias("page")
