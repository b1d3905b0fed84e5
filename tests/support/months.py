"""A month of daily runs against a troubled sample league, and what the lake must have come to when all is healed."""

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
from nhl_lake.ingest.client import Manners
from nhl_lake.ingest.run import Asker, Options, Summary, ingest
from nhl_lake.league import League
from nhl_lake.league.broken import Troubles, Way
from nhl_lake.league.quirks import TROUBLED, Shares
from nhl_lake.league.transport import LeagueTransport
from nhl_lake.queries import corrections
from tests.support import lakes
from tests.support.fake_api import Silent, at

SEASON = 20252026
FIRST_MORNING = datetime(2026, 1, 7, 14, 0, tzinfo=UTC)  # 09:00 in New York, in the middle of a season
FIRST_DAY = date(2026, 1, 6)
DAY = timedelta(days=1)
WITHOUT = Shares(**dict.fromkeys(Way, 0.0), corrected=0.0)
# what a page says on the day it is asked for; and lines of shift reports that were asked for while a chart was cut off
NOT_COMPARED = {"silver.players", "silver.rosters", "silver.listed_shifts"}


@dataclass
class Month:
    """Games of some days in a row, one in so many, in a league that is troubled or not."""

    days: int
    one_in: int = 1
    shares: Shares = TROUBLED
    league: League = field(init=False)

    def __post_init__(self) -> None:
        self.league = League(seasons=(20242025, SEASON), shares=self.shares)

    def has(self, game_id: int) -> bool:
        """Whether a game is one of the month's."""
        game = self.league.engine.find(game_id)
        is_in_time = game is not None and FIRST_DAY <= game.day < FIRST_DAY + self.days * DAY
        return is_in_time and game_id % self.one_in == 0

    def games(self) -> list[int]:
        """Return the ids of all games that are played."""
        every = self.league.engine.schedule(SEASON)
        return [game.game_id for game in every if game.game_type == 2 and game.played and self.has(game.game_id)]

    def troubles(self, game_id: int) -> Troubles:
        """Return how the pages of a game are broken at first."""
        return Troubles(1, self.shares, game_id, self.league.engine.ended(game_id))

    def page(self, game_id: int, kind: str, moment: datetime) -> Any:
        """Return a page of a game as it was at a moment."""
        return json.loads(self.league.answer(f"/v1/gamecenter/{game_id}/{kind}", moment).body)


class MonthTransport(LeagueTransport):
    """The league, whose schedule shows the games of a month only; it counts what is asked for."""

    def __init__(self, month: Month, now: datetime) -> None:
        super().__init__(month.league, at(now))
        self.month = month
        self.asked: Counter[str] = Counter()

    def _answer(self, request: httpx.Request, fate: Any) -> httpx.Response:
        path = request.url.path
        self.asked[re.sub(r"\d+", "", path).strip("/") or "/"] += 1
        found = super()._answer(request, fate)
        if not path.startswith("/v1/schedule"):
            return found
        page = found.json()
        for day in page["gameWeek"]:
            day["games"] = [game for game in day["games"] if self.month.has(game["id"])]
            day["numberOfGames"] = len(day["games"])
        return httpx.Response(found.status_code, json=page)


class Run(NamedTuple):
    """A run, and what it asked for."""

    now: datetime
    summary: Summary
    asked: Counter[str]


def run(root: Path, month: Month, now: datetime, *, rebuilds: bool = True, **options: Any) -> Run:
    """Run once, as `nhl-lake ingest --lookback 1` does."""
    transport = MonthTransport(month, now)
    asker = Asker(
        manners=Manners(0, 4, "nhl-lake tests"), base="http://league", source="sample league", transport=transport
    )
    summary = ingest(
        root,
        Options(**{"since": FIRST_DAY, "lookback_days": 1} | options),
        asker,
        clock=at(now),
        report=Silent(),
        command="nhl-lake ingest",
        rebuilds=rebuilds,
    )
    return Run(now, summary, transport.asked)


@dataclass
class Played:
    """A month that was played: the lake, its runs, and what the same days ask for without second looks."""

    month: Month
    root: Path
    runs: list[Run]
    first_looks: list[Run]
    whole: Path  # a lake of the same games, kept in one run when all pages were whole

    def ratio(self) -> float:
        """Return how many requests a day with games takes, of those that it takes without second looks.

        When no more games are played second looks go on: they are those of games of the month. Players are left out:
        the first run asks for all of them.
        """
        with_looks, without = ([without_players(run) for run in runs] for runs in (self.runs, self.first_looks))
        days = self.month.days
        return (sum(with_looks) - sum(without[days:])) / sum(without[:days])


def without_players(run: Run) -> int:
    """Return how many requests a run took besides those for players."""
    return sum(count for page, count in run.asked.items() if "player" not in page)


def play(folder: Path, month: Month, mornings: Iterable[int], told: Callable[[Run, Run], None] | None = None) -> Played:
    """Run on some mornings, counted from that after the first games; each month's day must be among them."""
    found = Played(month, folder / "lake", [], [], folder / "whole")
    for n in mornings:
        now = FIRST_MORNING + n * DAY
        found.runs.append(run(found.root, month, now))
        found.first_looks.append(run(folder / "first", month, now, rebuilds=False, second_looks=()))
        if told:
            told(found.runs[-1], found.first_looks[-1])
    run(found.whole, replace(month, shares=WITHOUT), found.runs[-1].now)
    return found


def broken(month: Month, now: datetime) -> set[int]:
    """Return the games that are known to be incomplete whoever looks: no other page has what theirs lack."""
    ways = (Way.NO_PLAYS, Way.PLAYS_CUT, Way.NO_LINES, Way.PLAYS_DISAGREE, Way.FOREIGN_ROSTER)
    games = [month.troubles(game) for game in month.games()]
    return {one.game_id for one in games if one.ended < now and any(one.at(way, now) for way in ways)}


class Change(NamedTuple):
    """A row of `corrections`, without the moment at which it was seen."""

    game_id: int
    table: str
    player_id: int | None
    event_id: int | None
    field: str
    was: str | None
    now: str | None


def listed(root: Path) -> list[Change]:
    """Return what `corrections` lists."""
    rows, _ = corrections.corrections(root, FIRST_MORNING - 365 * DAY)
    names = ("game_id", "table", "player_id", "event_id", "field", "was", "is")
    return [Change(*row) for row in rows.select(names).rows()]


def expected(root: Path, month: Month) -> Iterator[Change]:
    """Yield what changed between the versions that a lake has seen, as the league's own pages tell it.

    Of the lake only the moments are taken at which its versions were fetched.
    """
    for game_id, moments in seen_at(root, PLAY_BY_PLAY).items():
        pages = [plays(month.page(game_id, "play-by-play", moment)) for moment in moments]
        for was, now in pairwise(pages):
            yield from changed_plays(game_id, was, now)
    for game_id, moments in seen_at(root, BOXSCORE).items():
        pages = [month.page(game_id, "boxscore", moment) for moment in moments]
        for was, now in pairwise(pages):
            for table, kinds in LINES.items():
                yield from changed_lines(game_id, table, lines(was, kinds), lines(now, kinds))


def seen_at(root: Path, table: Any) -> dict[int, list[datetime]]:
    """Return when the versions of the final pages of each game were fetched."""
    rows = lakes.rows(root, table).filter(pl.col("state").is_in(["FINAL", "OFF"])).sort("fetched_at")
    return dict(rows.group_by("game_id", maintain_order=True).agg("fetched_at").iter_rows())


PEOPLE = {
    "scoringPlayerId": "shooter_player_id",
    "shootingPlayerId": "shooter_player_id",
    "assist1PlayerId": "assist1_player_id",
    "assist2PlayerId": "assist2_player_id",
    "goalieInNetId": "goalie_player_id",
}
OF_A_LINE = {
    "goals": "goals",
    "assists": "assists",
    "points": "points",
    "powerPlayGoals": "power_play_goals",
    "sog": "shots_on_goal",
    "hits": "hits",
}
LINES = {"silver.skater_games": ("forwards", "defense"), "silver.goalie_games": ("goalies",)}
FIRST_NAMED = (
    "committedByPlayerId",
    "winningPlayerId",
    "hittingPlayerId",
    "scoringPlayerId",
    "shootingPlayerId",
    "playerId",
)


def plays(page: Any) -> dict[int, Any]:
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


def changed_plays(game_id: int, was: dict[int, Any], now: dict[int, Any]) -> Iterator[Change]:
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
                (o["details"][key] for o in (one, other) if o for key in FIRST_NAMED if key in o["details"]), None
            )
            kinds = (play and play["typeDescKey"] for play in (one, other))
            yield Change(game_id, table, who, id_, "event", *kinds)
            continue
        for name, before, after in differing(one, other):
            yield Change(game_id, table, named_first(other), id_, name, before, after)


def differing(one: Any, other: Any) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield the fields in which two versions of a play differ: people, and the clock."""
    for key, name in PEOPLE.items():
        before, after = (play.get("details", {}).get(key) for play in (one, other))
        if before != after:
            yield name, before and str(before), after and str(after)
    before, after = (seconds(play) for play in (one, other))
    if before != after:
        yield "period_seconds", before, after


def seconds(play: Any) -> str | None:
    """Return the seconds of a play; a clock beyond its period says nothing."""
    minutes, rest = play["timeInPeriod"].split(":")
    found = 60 * int(minutes) + int(rest)
    return f"{found}" if found <= 1200 else None


def is_after(play: Any, others: dict[int, Any]) -> bool:
    """Whether a play comes after all others on its page."""
    return bool(play["sortOrder"] > max(other["sortOrder"] for other in others.values()))


def named_first(play: Any) -> int | None:
    """Return whose play it is."""
    details = play.get("details", {})
    return next((details[key] for key in FIRST_NAMED if key in details), None)


def lines(page: Any, kinds: tuple[str, ...]) -> dict[int, Any]:
    """Return the lines of a box score by player."""
    teams = page.get("playerByGameStats", {}).values()
    return {line["playerId"]: line for team in teams for kind in kinds for line in team[kind]}


def changed_lines(game_id: int, table: str, was: dict[int, Any], now: dict[int, Any]) -> Iterator[Change]:
    """Yield what differs between two versions of the lines."""
    if not was or not now:
        if was or now:
            yield Change(game_id, table, None, None, "rows", f"{len(was)}", f"{len(now)}")
        return
    for player in was.keys() | now.keys():
        for key, name in OF_A_LINE.items():
            before, after = (side[player].get(key) for side in (was, now))
            if before != after:
                yield Change(game_id, table, player, None, name, str(before), str(after))


def unlike_truth(root: Path, whole: Path) -> dict[str, int]:
    """Return by table how many rows of silver and gold differ from those of a lake that saw whole pages only."""
    found = {}
    for table in lakes.MADE:
        if table.name in NOT_COMPARED:
            continue
        mine, true = (lakes.facts(one, table) for one in (root, whole))
        rows = pl.concat([mine, true]).is_unique() if mine.schema == true.schema else pl.Series([True])
        if rows.any():
            found[table.name] = int(rows.sum())
    return found
