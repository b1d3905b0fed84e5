"""What a page must be to be kept: it parses, it is the page that was asked for, and its envelope holds.

Nothing inside the envelope is judged here: bronze keeps pages as served, silver reads them.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime
from typing import Any, TypeVar

import msgspec

from nhl_lake.bronze import lenient
from nhl_lake.bronze.player_ids import Roster, read_dressed_ids, read_roster_ids
from nhl_lake.errors import PageRejected
from nhl_lake.hockey.calendar import FINAL_STATES
from nhl_lake.schema.table import PageRecord

RequestParams = Mapping[str, Any]
PageParser = Callable[[bytes, RequestParams], list[PageRecord]]
S = TypeVar("S", bound=msgspec.Struct)
RawRows = list[msgspec.Raw]


class Game(msgspec.Struct):
    """The head that every page of a game has."""

    id: int
    season: int
    gameType: int
    gameDate: date
    gameState: str


class PlayByPlay(Game):
    """A play-by-play page: its plays and its dressed players, which are lists."""

    plays: msgspec.Raw
    rosterSpots: msgspec.Raw


class Name(msgspec.Struct):
    """A localized name; old pages have plain text in its place."""

    default: str


class Side(msgspec.Struct):
    """A team of a game."""

    id: int
    abbrev: str
    score: int | None = None


class Outcome(msgspec.Struct):
    """How a game ended."""

    lastPeriodType: str | None = None


class ScheduledGame(msgspec.Struct):
    """A game inside a schedule page: the plan and silver read it by this, so that what is kept can be read."""

    id: int
    season: int
    gameType: int
    gameState: str
    gameScheduleState: str
    startTimeUTC: datetime
    homeTeam: Side
    awayTeam: Side
    easternUTCOffset: str | None = None
    venueUTCOffset: str | None = None
    venue: Name | str | None = None
    neutralSite: bool | None = None
    gameOutcome: Outcome | None = None


class Day(msgspec.Struct):
    """A day of a schedule page, its games as served."""

    date: date
    games: RawRows


class Week(msgspec.Struct):
    """A schedule page: seven days, and where the next page begins."""

    gameWeek: list[Day]
    nextStartDate: date | None = None


class Id(msgspec.Struct):
    """A thing with an id."""

    id: int


class Listing(msgspec.Struct):
    """A page of the stats API: rows, and how many there are in all."""

    data: RawRows
    total: int


class Shift(msgspec.Struct):
    """A row of a shift chart."""

    gameId: int | None = None
    typeCode: int | None = None  # 517 a shift, 505 a goal; absent in some old charts
    duration: str | None = None


class Chart(msgspec.Struct):
    """A shift chart."""

    data: list[Shift]
    total: int


class RightRail(msgspec.Struct):
    """A right-rail page; a game not yet played has little more than `gameInfo`."""

    gameInfo: Any = None
    seasonSeries: Any = None
    gameReports: dict[str, Any] | None = None


class Standing(msgspec.Struct):
    """A team's line in the standings."""

    date: date
    teamAbbrev: Any


class Standings(msgspec.Struct):
    """The standings of a day; empty out of season."""

    standings: list[Standing]


class ClubStats(msgspec.Struct):
    """A page of a team's season statistics. It names the season, not the team."""

    season: str
    gameType: int
    skaters: RawRows
    goalies: RawRows


class Player(msgspec.Struct):
    """A player's landing page."""

    playerId: int


def decode_leniently(body: bytes, kind: type[S]) -> S:
    """Decode a JSON page without what is odd in it but not needed to know the page: silver names that."""
    try:
        return decode_strictly(body, kind)
    except PageRejected:
        with suppress(msgspec.MsgspecError, UnicodeDecodeError):
            return lenient.read_page(body.decode(), kind)[0]
        raise


def decode_strictly(body: bytes, kind: type[S]) -> S:
    """Decode a JSON page strictly; Refused names the path that is wrong. Text that is not UTF-8 is damaged."""
    try:
        body.decode()  # msgspec does not look at the texts that it leaves out
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise PageRejected(f"not a {kind.__name__} page: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        start = body[:40].decode("utf-8", "replace").strip()
        raise PageRejected(f"no whole JSON ({len(body):,} bytes, begins {start!r}): {error}") from error


def parse_boxscore(body: bytes, ask: RequestParams) -> list[PageRecord]:
    """Read a boxscore: of all that it says only the head is looked at."""
    return [make_game_row(decode_strictly(body, Game), ask, body)]


def parse_play_by_play(body: bytes, ask: RequestParams) -> list[PageRecord]:
    """Read a play-by-play page, and who is dressed where the game is over."""
    page = decode_strictly(body, PlayByPlay)
    for name in ("plays", "rosterSpots"):
        if memoryview(getattr(page, name))[0] != ord("["):
            raise PageRejected(f"not a PlayByPlay page: Expected `array` - at `$.{name}`")
    people = read_dressed_ids(page.rosterSpots) if page.gameState in FINAL_STATES else frozenset()
    return [make_game_row(page, ask, body)._replace(player_ids=people)]


def make_game_row(page: Game, ask: RequestParams, body: bytes) -> PageRecord:
    """Make the part of a page that says itself which game it is."""
    if page.id != ask["game_id"]:
        raise PageRejected(f"the page is of game {page.id}, not {ask['game_id']}")
    return PageRecord({"game_id": page.id}, page.season, page.gameDate, page.gameState, body)


def parse_schedule(body: bytes, ask: RequestParams) -> list[PageRecord]:
    """Read a schedule page: one part a game. Its state is that of the game."""
    return [parse_scheduled_game(day.date, raw) for day in parse_schedule_week(body, ask).gameWeek for raw in day.games]


def parse_schedule_week(body: bytes, ask: RequestParams) -> Week:
    """Decode a schedule page and see that it begins on the day that was asked for."""
    page = decode_strictly(body, Week)
    first = page.gameWeek[0].date if page.gameWeek else None
    if first != ask["day"]:
        raise PageRejected(f"the schedule begins on {first}, not on {ask['day']}")
    return page


def parse_scheduled_game(day: date, entry: msgspec.Raw) -> PageRecord:
    """Read one game's entry in a schedule page, as served. An odd field that it can do without costs nothing else."""
    game = decode_leniently(bytes(entry), ScheduledGame)
    return PageRecord({"game_id": game.id}, game.season, day, game.gameState, bytes(entry))


def parse_shift_chart(body: bytes, ask: RequestParams) -> list[PageRecord]:
    """Read a shift chart; an empty one is an answer too. Its state is the schedule's."""
    page = decode_leniently(body, Chart)
    if len(page.data) != page.total:
        raise PageRejected(f"{len(page.data)} of {page.total} shifts")
    other = {row.gameId for row in page.data if row.gameId is not None} - {ask["game_id"]}
    if other:
        raise PageRejected(f"the chart has shifts of game {min(other)}, not {ask['game_id']}")
    return [make_row_from_request(ask, body)]


def is_chart_empty(chart: str) -> bool:
    """Whether a shift chart has no shifts: rows of goals alone (typeCode 505) are none."""
    rows = msgspec.json.decode(chart, type=Chart).data
    return not any(row.typeCode in {517, None} and row.duration not in {None, "00:00"} for row in rows)


def make_shift_report_parser(*, home: bool) -> PageParser:
    """Read an HTML shift report by its title, whose team it is of, its game number and its last tag."""

    def read(body: bytes, ask: RequestParams) -> list[PageRecord]:
        page = decode_text(body)
        title = " ".join(re.findall(r"<title>([^<]*)", page, re.IGNORECASE)).lower()
        if "time on ice" not in title or ("home" in title) is not home:
            side = "home" if home else "away"
            raise PageRejected(
                f"not the shift report of the {side} team: its title is {title!r} ({len(page):,} characters)"
            )
        number = f"Game {ask['game_id'] % 10_000:04d}"
        if not re.search(rf"\b{number}\b", page):
            raise PageRejected(f"the report is of another game: no '{number}' in it")
        if "</html>" not in page[-1000:].lower():
            raise PageRejected(f"the report is cut off after {len(page):,} characters")
        return [make_row_from_request(ask, body)]

    return read


def parse_right_rail(body: bytes, ask: RequestParams) -> list[PageRecord]:
    """Read a right-rail page: the reports that it links to are the game's. It says nothing else of which game it is."""
    page = decode_leniently(body, RightRail)
    if page.gameInfo is None and page.seasonSeries is None and page.gameReports is None:
        raise PageRejected("not a RightRail page: neither gameInfo, nor seasonSeries, nor gameReports")
    reports = [address for address in (page.gameReports or {}).values() if address and isinstance(address, str)]
    number = f"{ask['game_id'] % 1_000_000:06d}"
    if reports and not any(number in address for address in reports):
        raise PageRejected(f"the right rail is of another game: no report {number} in it")
    return [make_row_from_request(ask, body)]


def make_row_from_request(ask: RequestParams, body: bytes) -> PageRecord:
    """Make the part of a page that does not tell its game, day or state: they are the schedule's."""
    return PageRecord(
        {"game_id": ask["game_id"]}, ask["season"], ask["game_date"], ask["state"], decode_text(body).encode()
    )


def parse_roster(body: bytes, ask: RequestParams) -> list[PageRecord]:
    """Read a roster page."""
    people = read_roster_ids(decode_leniently(body, Roster))
    return [PageRecord({"team_abbrev": ask["team_abbrev"]}, ask["season"], None, None, body, people)]


def parse_standings(body: bytes, ask: RequestParams) -> list[PageRecord]:
    """Read the standings of a day. A team's own date may lag behind; none may be later."""
    page = decode_leniently(body, Standings)
    last = max((line.date for line in page.standings), default=None)
    if last is None:
        raise PageRejected(f"the standings of {ask['game_date']} are empty")
    if last > ask["game_date"]:
        raise PageRejected(f"the standings are of {last}, not {ask['game_date']}")
    return [PageRecord({}, ask["season"], ask["game_date"], None, body)]


def parse_club_stats(body: bytes, ask: RequestParams) -> list[PageRecord]:
    """Read the statistics of a team's regular season."""
    page = decode_leniently(body, ClubStats)
    if (page.season, page.gameType) != (str(ask["season"]), 2):
        raise PageRejected(f"the page is of season {page.season}, game type {page.gameType}, not {ask['season']}, 2")
    return [PageRecord({"team_abbrev": ask["team_abbrev"]}, ask["season"], None, None, body)]


def parse_player(body: bytes, ask: RequestParams) -> list[PageRecord]:
    """Read a player's landing page."""
    page = decode_strictly(body, Player)
    if page.playerId != ask["player_id"]:
        raise PageRejected(f"the page is of player {page.playerId}, not {ask['player_id']}")
    return [PageRecord({"player_id": page.playerId}, None, None, None, body)]


def make_listing_parser(key: str) -> PageParser:
    """Read a whole listing of the stats API: one part a row, named by its id."""

    def read(body: bytes, ask: RequestParams) -> list[PageRecord]:
        page = decode_strictly(body, Listing)
        if len(page.data) != page.total:
            raise PageRejected(f"{len(page.data)} of {page.total} rows")
        rows = [(decode_strictly(bytes(raw), Id).id, bytes(raw)) for raw in page.data]
        return [PageRecord({key: number}, number if key == "season" else None, None, None, raw) for number, raw in rows]

    return read


def decode_text(body: bytes) -> str:
    """Return the text of a page. JSON is UTF-8; a report that is not reads as Latin-1, byte for byte."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("latin-1")
