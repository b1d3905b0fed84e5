"""How tests run the command line: its environment, and what it returned."""

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

LEAGUE_NOW = "2026-04-01T13:00:00Z"  # the morning on which the `league_lake` fixture ends


@dataclass(frozen=True)
class CommandResult:
    """The exit code of a command, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return standard output, parsed as JSON."""
        return json.loads(self.out)


def make_environment(
    root: Path, api: str | None, now: str | datetime | None, settings: dict[str, object]
) -> dict[str, str]:
    """Return the settings of a command as environment variables, without a rate limit unless one is given."""
    chosen = {"root": root, "api": api, "now": now, "rate": 0, **settings}
    texts = {k: v.isoformat() if isinstance(v, datetime) else str(v) for k, v in chosen.items() if v is not None}
    return {f"NHL_LAKE_{name.upper()}": value for name, value in texts.items()}


def get_clean_environment() -> dict[str, str]:
    """Return the environment of this process without settings of nhl-lake."""
    return {name: value for name, value in os.environ.items() if not name.startswith("NHL_LAKE_")}
