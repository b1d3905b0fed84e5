"""Options that several commands share, and the parsers of days, instants, seasons and sizes.

This module loads neither Polars nor the settings: `--help` and shell completion read it.
"""

import shlex
import sys
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from nhl_lake.clock import FIRST_YEAR, LAST_YEAR
from nhl_lake.errors import BadInput, redact_secrets

if TYPE_CHECKING:
    from nhl_lake.clock import Clock
    from nhl_lake.settings import Settings

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON; errors too.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done. Change nothing.")]
Replace = Annotated[bool, typer.Option("--replace", help="Overwrite an existing file.")]
RawText = Annotated[bool, typer.Option("--raw-text", help="CSV: leave texts that a spreadsheet would run as they are.")]
Season = Annotated[
    int | None, typer.Option("--season", metavar="YEAR", help="2023 is 2023-24. Default: the newest season.")
]
Seasons = Annotated[
    list[int] | None, typer.Option("--season", metavar="YEAR", help="2023 is 2023-24. Repeat for several seasons.")
]
BackupsOption = Annotated[
    str | None, typer.Option("--from", metavar="URI", help="Location of the backups. Default: NHL_LAKE_BACKUPS.")
]
SourceOption = Annotated[
    str | None,
    typer.Option("--from", metavar="URI", help="DIR, s3://… or https://… of the backups. Default: NHL_LAKE_BACKUPS."),
]
LakeOption = Annotated[
    str | None,
    typer.Option("--lake", metavar="ID", help="Use another lake's backups: its id (see `backup list`) or its league."),
]

MIN_MEMORY = 400 * 10**6
AGE_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1)}
WAIT_UNITS = {"s": 1, "m": 60, "h": 3600}
MAX_DAYS = 36_525  # a hundred years: the NHL's first season was 1917-18
MAX_GAME_TYPE = 99  # two digits of a game id
MAX_WAIT_S = 7 * 24 * 3600


def load_settings() -> "tuple[Settings, Clock]":
    """Return the settings and the clock that they set."""
    from nhl_lake import settings
    from nhl_lake.backup.manifest import set_signing_key
    from nhl_lake.cli import log
    from nhl_lake.clock import make_clock

    chosen, _ = settings.load()
    set_signing_key(chosen.backup_key.get_secret_value() if chosen.backup_key else None)
    clock = make_clock(chosen.now)
    log.configure(chosen.log_format, clock)
    return chosen, clock


def parse_season_years(numbers: list[int] | None) -> tuple[int, ...]:
    """Return 8-digit seasons from the years in which they begin. Also accept 20232024."""
    from nhl_lake.hockey.ids import is_season, make_season_id

    found = []
    for number in numbers or []:
        season = number if number > 10_000 else make_season_id(number)
        if not is_season(season):
            raise BadInput(
                f"Invalid option: --season {number} is not a season.",
                "Give the year in which it begins: --season 2023 is 2023-24.",
            )
        found.append(season)
    return tuple(dict.fromkeys(found))


def parse_game_types(numbers: list[int] | None) -> frozenset[int]:
    """Return the types of `--game-type`; by default preseason, regular season and playoffs."""
    for number in numbers or []:
        if not 1 <= number <= MAX_GAME_TYPE:
            raise BadInput(
                f"Invalid option: --game-type {number} is not from 1 to {MAX_GAME_TYPE}.",
                "1 is the preseason, 2 the regular season, 3 the playoffs.",
            )
    return frozenset(numbers or (1, 2, 3))


def parse_day(text: str | None, now: datetime) -> date | None:
    """Return the day that `--since` gives: 2023-10-01, or 7d for seven days ago (New York time)."""
    from nhl_lake.hockey.calendar import get_eastern_day

    if not text:
        return None
    try:
        day = get_eastern_day(now - age) if (age := parse_age(text)) is not None else date.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise BadInput(
            f"Invalid option: --since {text} is not a day.", "Write --since 2023-10-01 or --since 7d."
        ) from error
    require_year(day, text)
    return day


def require_year(found: date, text: str) -> None:
    """Raise unless a day or an instant is in a year that the NHL may have games of."""
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise BadInput(f"Invalid option: '{text}' is out of range.", f"Use a time from {FIRST_YEAR} to {LAST_YEAR}.")


def parse_wait(text: str) -> float:
    """Return the seconds of `--wait`: 600, 90s, 10m, 1h."""
    number, unit = (text[:-1], text[-1:]) if text[-1:] in WAIT_UNITS else (text, "s")
    seconds = int(number) * WAIT_UNITS[unit] if number.isdecimal() and len(number) < 10 else -1
    if not 0 <= seconds <= MAX_WAIT_S:
        raise BadInput(
            f"Invalid option: --wait {text} is not a time of at most a week.",
            "Write --wait 600 (seconds), --wait 10m or --wait 1h.",
        )
    return seconds


def parse_moment(text: str, now: datetime) -> datetime:
    """Return an instant: `7d` or `12h` ago, the start of a day in New York, or an ISO timestamp."""
    from nhl_lake.hockey.calendar import EASTERN

    try:
        age = parse_age(text)
        found = now - age if age is not None else datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise BadInput(
            f"Invalid option: '{text}' is not a time.", "Write 7d, 12h, 2026-01-05 or 2026-01-05T13:00:00Z."
        ) from error
    require_year(found, text)
    return (found if found.tzinfo else found.replace(tzinfo=EASTERN)).astimezone(UTC)


def parse_age(text: str) -> timedelta | None:
    """Return the length of `7d` or `12h`; None if the text is not an age."""
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or unit not in AGE_UNITS:
        return None
    if len(number) > 9:
        raise OverflowError("no age has so many digits")
    return int(number) * AGE_UNITS[unit]


def parse_instant(text: str | None) -> datetime | None:
    """Return the instant of `--as-of`, an ISO timestamp with a time zone."""
    if text is None:
        return None
    hint = "Write --as-of 2026-04-01T13:00:00Z."
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"Invalid option: --as-of {text} is not a timestamp.", hint) from error
    if found.tzinfo is None:
        raise BadInput(f"Invalid option: --as-of {text} has no time zone.", hint)
    require_year(found, text)
    return found


def parse_memory(text: str | None) -> int | None:
    """Return the bytes of `--memory`: 500MB, 2GB."""
    if text is None:
        return None
    number, unit = text[:-2].strip(), text[-2:].upper()
    try:
        found = int(float(number) * {"MB": 10**6, "GB": 10**9}[unit])
    except (ValueError, KeyError, OverflowError) as error:
        raise BadInput(
            f"Invalid option: --memory {text} is not a size.", "Write --memory 2GB or --memory 800MB."
        ) from error
    if found < MIN_MEMORY:
        raise BadInput(f"Invalid option: --memory {text} is too little for a rebuild.", "Give at least 400MB.")
    return found


def format_command_line() -> str:
    """Return the command as the user typed it, without credentials."""
    words = sys.argv[1:]
    for number, word in enumerate(words):
        if word == "--ping" and number + 1 < len(words):
            words[number + 1] = "***"
        elif word.startswith("--ping="):
            words[number] = "--ping=***"
    return redact_secrets(shlex.join(["nhl-lake", *words]))
