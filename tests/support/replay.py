"""A server of recorded pages that notes what it serves, and can cut connections."""

import copy
from argparse import Namespace
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

FAR_FUTURE = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass
class Replay:
    """A server of recorded pages: its address, its options (`args`, which may be set while it runs), what it served."""

    base_url: str
    pages: Any
    args: Namespace
    served: list[tuple[int, str]] = field(default_factory=list)  # status and path of each answer, in order
    dies_after: int | None = None  # so many answers, and every connection is cut from then on
    cut: list[str] = field(default_factory=list)  # paths that were asked for after that

    def list_served_paths(self) -> list[str]:
        """Return the paths that were answered with 200."""
        return [path for status, path in self.served if status == 200]

    def fetch_stats(self) -> dict[str, Any]:
        """Return `/_stats`: requests, by_status, most_in_one_second."""
        return httpx.get(f"{self.base_url}/_stats").json()


def select_games(pages: Any, capture: int | None, games: Iterable[int] | None) -> Any:
    """Return some games of the recorded pages, in one capture. They share the pages."""
    some = copy.copy(pages)
    some.capture = capture
    if games is None:
        return some
    wanted = set(games)
    some.games = {number: head for number, head in pages.games.items() if number in wanted}
    some.plays = {number: place for number, place in pages.plays.items() if number in wanted}
    some.by_date = defaultdict(list)
    for head in some.games.values():
        some.by_date[head["gameDate"]].append(head)
    return some


def make_recording_handler(handler: Any, found: Replay) -> Any:
    """Return a handler that records what it serves, and cuts connections after `dies_after`."""

    class Noted(handler):
        def do_GET(self) -> None:  # noqa: N802 - the standard library's name
            if found.dies_after is not None and len(found.served) >= found.dies_after:
                found.cut.append(self.path)
                self.close_connection = True
                self.connection.close()
                return
            with suppress(OSError, ValueError):
                super().do_GET()

        def finish(self) -> None:
            with suppress(OSError, ValueError):
                super().finish()

        def answer(self, status: int, *rest: Any, **headers: str) -> None:
            if self.path != "/_stats":
                found.served.append((status, self.path))
            super().answer(status, *rest, **headers)

    return Noted
