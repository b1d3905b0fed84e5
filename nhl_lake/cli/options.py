"""What people write for days, instants and seasons, and in settings, as what it means."""

import shlex
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import polars as pl
import typer

from nhl_lake import settings
from nhl_lake.clock import Clock
from nhl_lake.clock import make_clock as clock_from
from nhl_lake.errors import BadInput, redact_secrets
from nhl_lake.hockey.calendar import EASTERN
from nhl_lake.hockey.ids import is_season, make_season_id
from nhl_lake.settings import Settings

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
Seasons = Annotated[
    list[int] | None,
    typer.Option("--season", metavar="YEAR", help="2023 is the season 2023-24; may be repeated."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def parse_season_years(numbers: list[int] | None) -> tuple[int, ...]:
    """Return 8-digit seasons from the years in which they begin; 20232024 is taken too."""
    found = []
    for number in numbers or []:
        season = number if number > 10_000 else make_season_id(number)
        if not is_season(season):
            raise BadInput(
                f"--season {number} is no season.", "Give the year in which it begins: --season 2023 is 2023-24."
            )
        found.append(season)
    return tuple(dict.fromkeys(found))


def parse_day(text: str | None) -> date | None:
    """Return the day that a text names."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise BadInput(f"--since {text} is no day.", "Write it as in --since 2023-10-01.") from error


def parse_moment(text: str, now: datetime) -> datetime:
    """Return the moment that a text names: `7d` or `12h` ago, a day (its first moment in New York), or an instant."""
    number, unit = text[:-1], text[-1:]
    try:
        if number.isdecimal() and unit in AGE_UNITS:
            return now - int(number) * AGE_UNITS[unit]
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise BadInput(f"'{text}' is no moment.", "Write 7d, 2026-01-05 or 2026-01-05T13:00:00Z.") from error
    return (found if found.tzinfo else found.replace(tzinfo=EASTERN)).astimezone(UTC)


def parse_memory(text: str | None) -> int | None:
    """Return the bytes that a text names: 500MB, 2GB; at least what any rebuild needs."""
    if text is None:
        return None
    number, unit = text[:-2].strip(), text[-2:].upper()
    try:
        found = int(float(number) * {"MB": 10**6, "GB": 10**9}[unit])
    except (ValueError, KeyError, OverflowError) as error:
        raise BadInput(f"--memory {text} is no amount of memory.", "Write it as in --memory 2GB or 800MB.") from error
    if found < MIN_MEMORY:
        raise BadInput(f"--memory {text} is too little to make anything in.", "Give 400MB at the least.")
    return found


MIN_MEMORY = 400 * 10**6
AGE_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1)}


def parse_instant(text: str | None) -> datetime | None:
    """Return the instant that a text names."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"--as-of {text} is no instant.", "Write it as in --as-of 2026-04-01T13:00:00Z.") from error
    if found.tzinfo is None:
        raise BadInput(f"--as-of {text} has no time zone.", "Write it as in --as-of 2026-04-01T13:00:00Z.")
    return found


def filter_rows(rows: pl.LazyFrame, where: str) -> pl.LazyFrame:
    """Leave the rows for which an SQL condition holds."""
    try:
        found = rows.filter(pl.sql_expr(where))
        found.collect_schema()
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise BadInput(
            f"--where {where!r} cannot be read: {reason}", "Write an SQL condition on the columns."
        ) from error
    return found


def format_command_line() -> str:
    """Return the command as it was given, without credentials."""
    return redact_secrets(shlex.join(["nhl-lake", *sys.argv[1:]]))


def load_settings() -> tuple[Settings, Clock]:
    """Return the settings and the clock that they set."""
    chosen, _ = settings.load()
    return chosen, clock_from(chosen.now)
