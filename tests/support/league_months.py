"""Daily runs against a sample league with defects, and the expected lake when all pages are healed."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import polars as pl

from nhl_lake.bronze.endpoints import BOXSCORE, PLAY_BY_PLAY
from nhl_lake.ingest.client import RateLimit
from nhl_lake.ingest.run import ClientConfig, IngestSummary, Options, ingest
from nhl_lake.league import League
from nhl_lake.league.defects import Defect, PageDefects
from nhl_lake.league.quirks import MANY_DEFECTS, DefectShares
from nhl_lake.league.transport import LeagueTransport
from nhl_lake.queries import corrections
from tests.support import lakes
from tests.support.fake_api import SilentReport, fixed_clock

SEASON = 20252026
FIRST_MORNING = datetime(2026, 1, 7, 14, 0, tzinfo=UTC)  # 09:00 in New York, in the middle of a season
FIRST_DAY = date(2026, 1, 6)
ONE_DAY = timedelta(days=1)
NO_TROUBLES = DefectShares(**dict.fromkeys(Defect, 0.0), corrected=0.0)
# what a page says on the day it is asked for; and lines of shift reports that were asked for while a chart was cut off
NOT_COMPARED = {"silver.players", "silver.rosters", "silver.listed_shifts"}


@dataclass
class LeagueMonth:
    """Every n-th game of some days in a row, in a league with or without defects."""

    days: int
    every_nth: int = 1
    shares: DefectShares = MANY_DEFECTS
    league: League = field(init=False)

    def __post_init__(self) -> None:
        self.league = League(seasons=(20242025, SEASON), shares=self.shares)

    def has(self, game_id: int) -> bool:
        """Return whether a game is one of the month's."""
        game = self.league.engine.find_game(game_id)
        is_in_time = game is not None and FIRST_DAY <= game.day < FIRST_DAY + self.days * ONE_DAY
        return is_in_time and game_id % self.every_nth == 0

    def list_games(self) -> list[int]:
        """Return the ids of all games that are played."""
        every = self.league.engine.schedule(SEASON)
        return [game.game_id for game in every if game.game_type == 2 and game.is_played and self.has(game.game_id)]

    def get_troubles(self, game_id: int) -> PageDefects:
        """Return the defects of a game's pages."""
        return PageDefects(1, self.shares, game_id, self.league.engine.get_end_time(game_id))

    def read_page(self, game_id: int, kind: str, moment: datetime) -> Any:
        """Return a page of a game as it was at a moment."""
        return json.loads(self.league.answer(f"/v1/gamecenter/{game_id}/{kind}", moment).body)


class MonthTransport(LeagueTransport):
    """The league with a schedule of the month's games only. Counts requests."""

    def __init__(self, month: LeagueMonth, now: datetime) -> None:
        super().__init__(month.league, fixed_clock(now))
        self.month = month
        self.request_counts: Counter[str] = Counter()

    def _build_response(self, request: httpx.Request, fate: Any) -> httpx.Response:
        path = request.url.path
        self.request_counts[re.sub(r"\d+", "", path).strip("/") or "/"] += 1
        found = super()._build_response(request, fate)
        if not path.startswith("/v1/schedule"):
            return found
        page = found.json()
        for day in page["gameWeek"]:
            day["games"] = [game for game in day["games"] if self.month.has(game["id"])]
            day["numberOfGames"] = len(day["games"])
        return httpx.Response(found.status_code, json=page)


class MonthRun(NamedTuple):
    """A run, and its requests."""

    now: datetime
    summary: IngestSummary
    request_counts: Counter[str]


def run_ingest(root: Path, month: LeagueMonth, now: datetime, *, rebuilds: bool = True, **options: Any) -> MonthRun:
    """Run once, as `nhl-lake ingest --lookback 1` does."""
    transport = MonthTransport(month, now)
    config = ClientConfig(
        rate_limit=RateLimit(0, 4, "nhl-lake tests"),
        base_url="http://league",
        source="sample league",
        transport=transport,
    )
    summary = ingest(
        root,
        Options(**{"since": FIRST_DAY, "lookback_days": 1} | options),
        config,
        clock=fixed_clock(now),
        progress=SilentReport(),
        command="nhl-lake ingest",
        rebuilds=rebuilds,
    )
    return MonthRun(now, summary, transport.request_counts)


@dataclass
class PlayedMonth:
    """The lake of a month, its runs, and the runs of the same days without second looks."""

    month: LeagueMonth
    root: Path
    runs: list[MonthRun]
    single_look_runs: list[MonthRun]
    reference_root: Path  # a lake of the same games, ingested in one run from complete pages

    def compute_request_ratio(self) -> float:
        """Return the requests of a day with games, divided by those without second looks.

        When no more games are played second looks go on: they are those of games of the month. Players are left out:
        the first run asks for all of them.
        """
        with_looks, without = (
            [count_page_requests(run) for run in runs] for runs in (self.runs, self.single_look_runs)
        )
        days = self.month.days
        return (sum(with_looks) - sum(without[days:])) / sum(without[:days])


def count_page_requests(run: MonthRun) -> int:
    """Return the number of requests of a run, without those for players."""
    return sum(count for page, count in run.request_counts.items() if "player" not in page)


def play_month(
    folder: Path,
    month: LeagueMonth,
    mornings: Iterable[int],
    on_run: Callable[[MonthRun, MonthRun], None] | None = None,
) -> PlayedMonth:
    """Run on some mornings, counted from the first after a game. They must include every day of the month."""
    found = PlayedMonth(month, folder / "lake", [], [], folder / "whole")
    for n in mornings:
        now = FIRST_MORNING + n * ONE_DAY
        found.runs.append(run_ingest(found.root, month, now))
        found.single_look_runs.append(run_ingest(folder / "first", month, now, rebuilds=False, second_looks=()))
        if on_run:
            on_run(found.runs[-1], found.single_look_runs[-1])
    run_ingest(found.reference_root, replace(month, shares=NO_TROUBLES), found.runs[-1].now)
    return found


def find_incomplete_games(month: LeagueMonth, now: datetime) -> set[int]:
    """Return the games that every run must call incomplete: no other page has what theirs lack."""
    ways = (Defect.NO_PLAYS, Defect.PLAYS_CUT, Defect.NO_LINES, Defect.PLAYS_DISAGREE, Defect.FOREIGN_ROSTER)
    games = [month.get_troubles(game) for game in month.list_games()]
    return {one.game_id for one in games if one.ended_at < now and any(one.open_rng(way, now) for way in ways)}


class Change(NamedTuple):
    """A row of `corrections`, without its time."""

    game_id: int
    table: str
    player_id: int | None
    event_id: int | None
    field: str
    was: str | None
    now: str | None


def list_corrections(root: Path) -> list[Change]:
    """Return what `corrections` lists."""
    rows, _ = corrections.find_corrections(root, FIRST_MORNING - 365 * ONE_DAY)
    names = ("game_id", "table", "player_id", "event_id", "field", "was", "is")
    return [Change(*row) for row in rows.select(names).rows()]


def expect_corrections(root: Path, month: LeagueMonth) -> Iterator[Change]:
    """Yield what changed between the stored versions, from the league's own pages.

    Of the lake only the moments are taken at which its versions were fetched.
    """
    for game_id, moments in read_fetch_times(root, PLAY_BY_PLAY).items():
        pages = [index_plays(month.read_page(game_id, "play-by-play", moment)) for moment in moments]
        for was, now in pairwise(pages):
            yield from diff_plays(game_id, was, now)
    for game_id, moments in read_fetch_times(root, BOXSCORE).items():
        pages = [month.read_page(game_id, "boxscore", moment) for moment in moments]
        for was, now in pairwise(pages):
            for table, kinds in LINE_TABLES.items():
                yield from diff_lines(game_id, table, index_lines(was, kinds), index_lines(now, kinds))


def read_fetch_times(root: Path, table: Any) -> dict[int, list[datetime]]:
    """Return when the versions of the final pages of each game were fetched."""
    rows = lakes.read_rows(root, table).filter(pl.col("state").is_in(["FINAL", "OFF"])).sort("fetched_at")
    return dict(rows.group_by("game_id", maintain_order=True).agg("fetched_at").iter_rows())


PLAYER_FIELDS = {
    "scoringPlayerId": "shooter_player_id",
    "shootingPlayerId": "shooter_player_id",
    "assist1PlayerId": "assist1_player_id",
    "assist2PlayerId": "assist2_player_id",
    "goalieInNetId": "goalie_player_id",
}
LINE_FIELDS = {
    "goals": "goals",
    "assists": "assists",
    "points": "points",
    "powerPlayGoals": "power_play_goals",
    "sog": "shots_on_goal",
    "hits": "hits",
}
LINE_TABLES = {"silver.skater_games": ("forwards", "defense"), "silver.goalie_games": ("goalies",)}
MAIN_PLAYER_KEYS = (
    "committedByPlayerId",
    "winningPlayerId",
    "hittingPlayerId",
    "scoringPlayerId",
    "shootingPlayerId",
    "playerId",
)


def index_plays(page: Any) -> dict[int, Any]:
    """Return the plays of a page by id, without a goal's twin."""
    found: dict[int, Any] = {}
    goals = set()
    for play in page["plays"]:
        details = play.get("details", {})
        goal = (play["typeDescKey"] == "goal" and play["periodDescriptor"]["periodType"] != "SO") and (
            details["homeScore"],
            details["awayScore"],
        )
        if not goal or goal not in goals:
            found[play["eventId"]] = play
        goals.add(goal)
    return found


def diff_plays(game_id: int, was: dict[int, Any], now: dict[int, Any]) -> Iterator[Change]:
    """Yield what differs between two versions of the plays."""
    table = "silver.plays"
    lacks = [id_ for id_ in now.keys() - was.keys() if not was or is_after(now[id_], was)]
    if lacks and not any(play["typeDescKey"] == "game-end" for play in was.values()):
        yield Change(game_id, table, None, None, "rows", f"{len(was)}", f"{len(now)}")
        now = {id_: play for id_, play in now.items() if id_ not in lacks}
    for id_ in was.keys() | now.keys():
        one, other = was.get(id_), now.get(id_)
        if one is None or other is None:
            who = next(
                (o["details"][key] for o in (one, other) if o for key in MAIN_PLAYER_KEYS if key in o["details"]), None
            )
            kinds = (play and play["typeDescKey"] for play in (one, other))
            yield Change(game_id, table, who, id_, "event", *kinds)
            continue
        for name, before, after in diff_play(one, other):
            yield Change(game_id, table, find_main_player(other), id_, name, before, after)


def diff_play(one: Any, other: Any) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield the fields in which two versions of a play differ: players and the clock."""
    for key, name in PLAYER_FIELDS.items():
        before, after = (play.get("details", {}).get(key) for play in (one, other))
        if before != after:
            yield name, before and str(before), after and str(after)
    before, after = (read_period_seconds(play) for play in (one, other))
    if before != after:
        yield "period_seconds", before, after


def read_period_seconds(play: Any) -> str | None:
    """Return the seconds of a play, or None if the clock is beyond the period."""
    minutes, rest = play["timeInPeriod"].split(":")
    found = 60 * int(minutes) + int(rest)
    return f"{found}" if found <= 1200 else None


def is_after(play: Any, others: dict[int, Any]) -> bool:
    """Return whether a play comes after all others on its page."""
    return bool(play["sortOrder"] > max(other["sortOrder"] for other in others.values()))


def find_main_player(play: Any) -> int | None:
    """Return the main player of a play."""
    details = play.get("details", {})
    return next((details[key] for key in MAIN_PLAYER_KEYS if key in details), None)


def index_lines(page: Any, kinds: tuple[str, ...]) -> dict[int, Any]:
    """Return the lines of a box score by player."""
    teams = page.get("playerByGameStats", {}).values()
    return {line["playerId"]: line for team in teams for kind in kinds for line in team[kind]}


def diff_lines(game_id: int, table: str, was: dict[int, Any], now: dict[int, Any]) -> Iterator[Change]:
    """Yield what differs between two versions of the lines."""
    if not was or not now:
        if was or now:
            yield Change(game_id, table, None, None, "rows", f"{len(was)}", f"{len(now)}")
        return
    for player in was.keys() | now.keys():
        for key, name in LINE_FIELDS.items():
            before, after = (side[player].get(key) for side in (was, now))
            if before != after:
                yield Change(game_id, table, player, None, name, str(before), str(after))


def count_differing_rows(root: Path, whole: Path) -> dict[str, int]:
    """Return by table how many rows of silver and gold differ from those of a lake of complete pages."""
    found = {}
    for table in lakes.BUILT_TABLES:
        if table.name in NOT_COMPARED:
            continue
        mine, true = (lakes.read_sorted_rows(one, table) for one in (root, whole))
        rows = pl.concat([mine, true]).is_unique() if mine.schema == true.schema else pl.Series([True])
        if rows.any():
            found[table.name] = int(rows.sum())
    return found
