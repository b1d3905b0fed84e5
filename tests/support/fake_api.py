"""A tiny fake API of invented teams: hand-made pages, and failures on purpose."""

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from unittest import mock
from urllib.parse import unquote

import httpx
import pytest

from nhl_lake import catalog
from nhl_lake.clock import Clock
from nhl_lake.hockey.calendar import get_eastern_day
from nhl_lake.hockey.ids import get_season_on
from nhl_lake.ingest.client import RateLimit
from nhl_lake.ingest.run import ClientConfig, IngestSummary, Options, ingest
from nhl_lake.schema import ledger
from nhl_lake.schema.table import Table
from nhl_lake.silver.standings import RECORD_KEYS as STANDING
from nhl_lake.store import delta_tables

FIRST_WEEK = date(2025, 9, 29)
HOME, AWAY = (101, "AAA"), (102, "BBB")
PLAYER_NAMES = {"firstName": {"default": "Ada"}, "lastName": {"default": "Berg"}}
NOON = datetime(2026, 1, 10, 17, 0, tzinfo=UTC)


@dataclass
class FakeGame:
    """An invented game; `day` is the day that the schedule has it under."""

    number: int
    start: datetime = datetime(2026, 1, 10, 0, 0, tzinfo=UTC)
    state: str = "OFF"
    schedule_state: str = "OK"
    type: int = 2
    scorer: int = 8900001
    chart: bool = True
    day: date | None = None
    year: int = 2025  # in which its season begins

    @property
    def id(self) -> int:
        return self.year * 1_000_000 + self.type * 10_000 + self.number

    @property
    def is_final(self) -> bool:
        return self.state in ("FINAL", "OFF")

    def make_header(self) -> dict:
        day = self.day or get_eastern_day(self.start)
        score = {"score": 1} if self.is_final else {}
        return {
            "id": self.id,
            "season": self.year * 10_000 + self.year + 1,
            "gameType": self.type,
            "gameDate": day.isoformat(),
            "venue": {"default": "Glass Hall"},
            "neutralSite": False,
            "startTimeUTC": self.start.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "easternUTCOffset": "-05:00",
            "venueUTCOffset": "-05:00",
            "gameState": self.state,
            "gameScheduleState": self.schedule_state,
            "homeTeam": {"id": HOME[0], "abbrev": HOME[1], "logo": "a.svg"} | score,
            "awayTeam": {"id": AWAY[0], "abbrev": AWAY[1], "logo": "b.svg"} | ({"score": 0} if score else {}),
        } | ({"gameOutcome": {"lastPeriodType": "REG"}} if self.is_final else {})

    def make_boxscore(self) -> dict:
        skaters = [
            {"playerId": player, "position": position, "goals": goals, "assists": 0, "points": goals, "toi": "00:40"}
            for player, position in ((8900001, "C"), (8900002, "D"))
            for goals in [int(player == self.scorer)]
        ]
        goalie = {"playerId": 8900003, "position": "G", "toi": "00:00", "starter": True}
        home = {"forwards": skaters[:1], "defense": skaters[1:], "goalies": []}
        away = {"forwards": [], "defense": [], "goalies": [goalie]}
        return self.make_header() | {"playerByGameStats": {"homeTeam": home, "awayTeam": away} if self.is_final else {}}

    def make_play_by_play(self) -> dict:
        goal = {
            "eventId": 7,
            "sortOrder": 9,
            "periodDescriptor": {"number": 2, "periodType": "REG"},
            "timeInPeriod": "03:21",
            "typeCode": 505,
            "typeDescKey": "goal",
            "situationCode": "1551",
            "details": {"scoringPlayerId": self.scorer, "eventOwnerTeamId": HOME[0], "shotType": "wrist"},
        }
        spots = [
            {"playerId": 8900001, "teamId": HOME[0], "positionCode": "C", "sweaterNumber": 9},
            {"playerId": 8900002, "teamId": HOME[0], "positionCode": "D", "sweaterNumber": 5},
            {"playerId": 8900003, "teamId": AWAY[0], "positionCode": "G", "sweaterNumber": 30},
        ]
        is_on = self.state not in ("FUT", "PRE")
        return self.make_header() | {"plays": [goal] if is_on else [], "rosterSpots": spots if is_on else []}


@dataclass
class FakeApi:
    """Answers like the API from a list of games. `request_counts` is by path; `fail_request` may replace an answer."""

    games: list[FakeGame]
    request_counts: Counter[str] = field(default_factory=Counter)
    fail_request: Callable[[str], httpx.Response | None] = lambda _: None
    next_days: dict[str, str | None] = field(default_factory=dict)
    seasons: tuple[int, ...] = (20242025, 20252026)

    def make_transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = unquote(request.url.raw_path.decode()).removeprefix("/")
        self.request_counts[path] += 1
        return self.fail_request(path) or self.make_response(path)

    def make_response(self, path: str) -> httpx.Response:
        by_id = {str(game.id): game for game in self.games}
        words = path.split("/")
        if path.startswith("v1/schedule/"):
            return httpx.Response(200, json=self.make_schedule_week(words[-1]))
        if path.startswith("v1/gamecenter/"):
            if words[2] not in by_id:
                return httpx.Response(404)
            game = by_id[words[2]]
            rail = {"gameInfo": {"referees": []}, "seasonSeries": [{"id": g.id} for g in self.games]}
            pages = {"play-by-play": game.make_play_by_play(), "boxscore": game.make_boxscore(), "right-rail": rail}
            return httpx.Response(200, json=pages[words[3]]) if words[3] in pages else httpx.Response(404)
        if "shiftcharts" in path:
            game = by_id.get(path.rpartition("=")[2])
            if game is None:
                return httpx.Response(200, json={"data": [], "total": 0})
            shift = {"gameId": game.id, "playerId": 8900001, "teamId": HOME[0], "period": 1, "typeCode": 517}
            shift |= {"startTime": "00:00", "endTime": "00:40", "duration": "00:40"}
            shifts = [shift] if game.chart and game.is_final else []
            return httpx.Response(200, json={"data": shifts, "total": len(shifts)})
        if path.startswith("v1/roster/"):
            member = {"id": 8900001, "positionCode": "C", **PLAYER_NAMES}
            return httpx.Response(200, json={"forwards": [member], "defensemen": [], "goalies": []})
        if path.startswith("v1/standings/"):
            season = get_season_on(date.fromisoformat(words[-1]))
            about = {"date": words[-1], "seasonId": season, "teamAbbrev": {"default": "AAA"}}
            line = dict.fromkeys((key for key, _ in STANDING.values()), 0) | about | {"teamName": {"default": "Alphas"}}
            return httpx.Response(200, json={"standings": [line]})
        if path.startswith("v1/player/"):
            return httpx.Response(200, json={"playerId": int(words[2]), **PLAYER_NAMES})
        return self.make_list_response(path)

    def make_list_response(self, path: str) -> httpx.Response:
        rows: list[dict] = []
        if path.endswith("en/team"):
            rows = [{"id": number, "triCode": code, "fullName": code} for number, code in (HOME, AWAY)]
        elif path.endswith("en/season"):
            rows = [
                {"id": s, "startDate": f"{s // 10_000}-10-07T19:00:00", "endDate": f"{s % 10_000}-06-20T19:00:00"}
                | {"regularSeasonEndDate": f"{s % 10_000}-04-17T19:00:00"}
                for s in self.seasons
            ]
        else:
            return httpx.Response(404)
        return httpx.Response(200, json={"data": rows, "total": len(rows)})

    def make_schedule_week(self, first: str) -> dict:
        start = date.fromisoformat(first)
        days = [start + timedelta(days=n) for n in range(7)]
        by_day = {day: [g for g in self.games if (g.day or get_eastern_day(g.start)) == day] for day in days}
        week = [{"date": d.isoformat(), "games": [g.make_header() for g in games]} for d, games in by_day.items()]
        following = self.next_days.get(first, (start + timedelta(days=7)).isoformat())
        return {"gameWeek": week} | ({"nextStartDate": following} if following else {})


class SilentReport:
    """A progress report that prints nothing."""

    def begin(self, *_: object) -> None: ...

    def done(self, size: int) -> None: ...

    def add_pages(self, pages: int, *, is_schedule: bool = False) -> None: ...

    def advance(self) -> None: ...

    def log(self, line: str) -> None: ...


def make_league(day: int) -> FakeApi:
    """Return a league on its n-th day: more games each day, and from the second day a correction of the first."""
    played = [FakeGame(n, start=NOON - timedelta(days=4 - n // 3), chart=n % 3 > 0) for n in range(1, 3 * day)]
    if day > 1:
        played[0].scorer = 8900002
    return FakeApi(played)


def fixed_clock(instant: datetime) -> Clock:
    """Return a clock that stands still."""
    return lambda: instant


def make_config(api: FakeApi) -> ClientConfig:
    """Return the configuration that asks a fake API, without waiting between attempts."""
    rate_limit = RateLimit(rate=0, concurrency=4, user_agent="nhl-lake tests", first_backoff_s=0.001)
    return ClientConfig(rate_limit=rate_limit, base_url="http://fake", transport=api.make_transport())


def use_fake_api(monkeypatch: pytest.MonkeyPatch, api: FakeApi) -> None:
    """Let commands in this process ask a fake API."""
    monkeypatch.setattr("nhl_lake.cli.ingest.make_client_config", lambda *_: make_config(api))


def run_ingest(
    root,
    api: FakeApi,
    *,
    now: datetime = NOON,
    rebuilds: bool = False,
    only: Collection[str] = (),
    is_new: bool = False,
    **options,
) -> IngestSummary:
    """Ingest from a fake API, without waiting between attempts.

    only: rebuild these tables alone, and what they are built from. All tables would take most of the time. is_new: let
    the run create the tables, too; else a new lake begins with empty ones.
    """
    if isinstance(root, Path) and not is_new and not root.joinpath("bronze").exists():
        copy_empty_tables(root)
    with rebuild_only(list_upstream(only)) if only else nullcontext():
        return ingest(
            root,
            Options(**options),
            make_config(api),
            clock=fixed_clock(now),
            progress=SilentReport(),
            command="nhl-lake ingest",
            rebuilds=rebuilds or bool(only),
        )


@cache
def make_empty_tables() -> Path:
    """Return a folder with all tables but `lake.meta`, whose id is the identity of a lake; none has rows."""
    folder = Path(mkdtemp(dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))
    delta_tables.create_tables(folder, [table for table in catalog.TABLES if table != ledger.META])
    return folder


def remove_empty_tables() -> None:
    """Remove the folder of empty tables, if this process has made one."""
    if make_empty_tables.cache_info().currsize:
        shutil.rmtree(make_empty_tables())
        make_empty_tables.cache_clear()


def copy_empty_tables(root: Path) -> None:
    """Begin a lake as a first run does that was killed after it had created the tables: it takes no time."""
    shutil.copytree(make_empty_tables(), root, dirs_exist_ok=True)


def rebuild_only(tables: Sequence[Table]) -> AbstractContextManager[object]:
    """Let rebuilds inside the block rebuild these tables alone."""
    return mock.patch("nhl_lake.rebuild.run.list_build_order", return_value=tables)


def list_upstream(names: Collection[str]) -> list[Table]:
    """Return some tables and all built tables that they are built from, in build order."""
    needed = {catalog.find_table(name) for name in names}
    for table in reversed(catalog.list_build_order()):
        if table in needed:
            needed |= set(table.inputs)
    return [table for table in catalog.list_build_order() if table in needed]


def to_body(value: object) -> str:
    """Return a value as the body of a page."""
    return json.dumps(value)
