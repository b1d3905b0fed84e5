"""Validate a page before bronze stores it: it parses, it is the requested page, and it is complete.

Only the keys that say this are read, and the range of its numbers is checked. Bronze stores pages as served, and silver
reads the rest.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Any, TypeVar

import msgspec

from nhl_lake.bronze import lenient
from nhl_lake.bronze.numbers import GameNumbers, Int16, Int32, Int64, Score, check_numbers
from nhl_lake.bronze.player_ids import Roster, read_dressed_ids, read_roster_ids
from nhl_lake.errors import PageRejected
from nhl_lake.hockey.calendar import FINAL_STATES
from nhl_lake.hockey.ids import format_season, get_game_season, is_season
from nhl_lake.schema.table import PageRecord

RequestParams = Mapping[str, Any]
PageParser = Callable[[bytes, RequestParams], list[PageRecord]]
S = TypeVar("S", bound=msgspec.Struct)
RawRows = list[msgspec.Raw]
# of a request, beside its season, day and state
KEY_PARAMETERS = ("game_id", "game_type", "player_id", "team_id", "team_abbrev", "year", "language", "country")
SERIES_YEAR = re.compile(r"/playoff-series/(\d{4})/")
MAX_SEASON_YEARS = 2  # a season begins in one year and ends in the next, in 2020 and 2021 late


class Game(msgspec.Struct):
    """The keys that every page of a game has."""

    id: Int64
    season: Int32
    gameType: Int16
    gameDate: date
    gameState: str


class PlayByPlay(Game):
    """A play-by-play page with two lists: its plays and its dressed players."""

    plays: msgspec.Raw
    rosterSpots: msgspec.Raw


class Name(msgspec.Struct):
    """A localized name. Old pages have plain text instead."""

    default: str


class Side(msgspec.Struct):
    """A team of a game."""

    id: Int32
    abbrev: str
    score: Score | None = None


class Outcome(msgspec.Struct):
    """How a game ended."""

    lastPeriodType: str | None = None


class ScheduledGame(msgspec.Struct):
    """A game in a schedule page, with the keys that the planner and silver read."""

    id: Int64
    season: Int32
    gameType: Int16
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
    """A row with an id."""

    id: Int32


class Listing(msgspec.Struct):
    """A page of the stats API: rows, and how many there are in total."""

    data: RawRows
    total: int


class ReportRow(msgspec.Struct):
    """A row of a report on one game."""

    gameId: Int64


class GameReport(msgspec.Struct):
    """A report of the stats API on one game."""

    data: list[ReportRow]
    total: int


class Series(msgspec.Struct):
    """A series of the playoffs; one to come has no link."""

    seriesUrl: str | None = None


class Bracket(msgspec.Struct):
    """The bracket of the playoffs of a year."""

    series: list[Series]


class Shift(msgspec.Struct):
    """A row of a shift chart."""

    gameId: Int64 | None = None
    typeCode: Int32 | None = None  # 517 a shift, 505 a goal; absent in some old charts
    duration: str | None = None


class Chart(msgspec.Struct):
    """A shift chart."""

    data: list[Shift]
    total: int


class RightRail(msgspec.Struct):
    """A right-rail page. Before the game it has little more than `gameInfo`."""

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


class Player(msgspec.Struct):
    """A player's landing page."""

    playerId: Int64


def decode_leniently(body: bytes, kind: type[S]) -> S:
    """Decode a JSON page and drop invalid values that do not identify it; silver reports them."""
    try:
        return decode_strictly(body, kind)
    except PageRejected:
        with suppress(msgspec.MsgspecError, UnicodeDecodeError):
            return lenient.read_page(body.decode(), kind)[0]
        raise


def decode_strictly(body: bytes, kind: type[S]) -> S:
    """Decode a JSON page. Raise PageRejected with the path of an invalid value, or if the page is not UTF-8."""
    try:
        body.decode()  # msgspec does not check the strings that it skips
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise PageRejected(f"not a {kind.__name__} page: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        start = body[:40].decode("utf-8", "replace").strip()
        raise PageRejected(f"no complete JSON ({len(body):,} bytes, begins {start!r}): {error}") from error


def parse_game_page(body: bytes, params: RequestParams) -> list[PageRecord]:
    """Read the keys of a box score or landing page that say which game it is."""
    page = make_game_row(decode_strictly(body, Game), params, body)
    check_numbers(body, GameNumbers)
    return [page]


def parse_play_by_play(body: bytes, params: RequestParams) -> list[PageRecord]:
    """Read a play-by-play page, and the dressed players if the game is over."""
    page = decode_strictly(body, PlayByPlay)
    for name in ("plays", "rosterSpots"):
        if memoryview(getattr(page, name))[0] != ord("["):
            raise PageRejected(f"not a PlayByPlay page: Expected `array` - at `$.{name}`")
    row = make_game_row(page, params, body)
    check_numbers(body, GameNumbers)
    player_ids = read_dressed_ids(page.rosterSpots) if page.gameState in FINAL_STATES else frozenset()
    return [row._replace(player_ids=player_ids)]


def make_game_row(page: Game, params: RequestParams, body: bytes) -> PageRecord:
    """Make the record of a page that says which game it is."""
    if page.id != params["game_id"]:
        raise PageRejected(f"the page is of game {page.id}, not {params['game_id']}")
    check_season(page.id, page.season, page.gameDate)
    return PageRecord({"game_id": page.id}, page.season, page.gameDate, page.gameState, body)


def check_season(game_id: int, season: int, day: date) -> None:
    """Raise PageRejected if a game is not of its season: its page would be stored among those of another."""
    if season != get_game_season(game_id) or not is_season(season):
        raise PageRejected(f"game {game_id} has season {season}")
    if not 0 <= day.year - season // 10_000 <= MAX_SEASON_YEARS:
        raise PageRejected(f"game {game_id} of {format_season(season)} is on {day}")


def parse_schedule(body: bytes, params: RequestParams) -> list[PageRecord]:
    """Read a schedule page: one record per game, with the state of the game."""
    return [
        parse_scheduled_game(day.date, raw) for day in parse_schedule_week(body, params).gameWeek for raw in day.games
    ]


def parse_schedule_week(body: bytes, params: RequestParams) -> Week:
    """Decode a schedule page and check that it begins on the requested day."""
    page = decode_strictly(body, Week)
    first = page.gameWeek[0].date if page.gameWeek else None
    if first != params["day"]:
        raise PageRejected(f"the schedule begins on {first}, not on {params['day']}")
    days = [day.date for day in page.gameWeek]
    if max(days) - min(days) >= timedelta(days=7):
        raise PageRejected(f"the week has days from {min(days)} to {max(days)}")
    return page


def parse_scheduled_game(day: date, entry: msgspec.Raw) -> PageRecord:
    """Read one game's entry in a schedule page. Invalid optional fields are ignored."""
    body = bytes(entry)
    game = decode_leniently(body, ScheduledGame)
    for on in (day, game.startTimeUTC.date()):
        check_season(game.id, game.season, on)
    check_numbers(body, ScheduledGame)
    return PageRecord({"game_id": game.id}, game.season, day, game.gameState, body)


def parse_shift_chart(body: bytes, params: RequestParams) -> list[PageRecord]:
    """Read a shift chart, which may be empty. Its game state comes from the schedule."""
    page = decode_leniently(body, Chart)
    if len(page.data) != page.total:
        raise PageRejected(f"{len(page.data)} of {page.total} shifts")
    other_games = {row.gameId for row in page.data if row.gameId is not None} - {params["game_id"]}
    if other_games:
        raise PageRejected(f"the chart has shifts of game {min(other_games)}, not {params['game_id']}")
    check_numbers(body)
    return [make_row_from_request(params, body)]


def is_chart_empty(chart: str) -> bool:
    """Whether a shift chart has no shifts. Rows of goals (typeCode 505) are no shifts."""
    try:
        rows = decode_leniently(chart.encode(), Chart).data
    except PageRejected:
        return False  # its game is quarantined
    return not any(row.typeCode in {517, None} and row.duration not in {None, "00:00"} for row in rows)


def make_shift_report_parser(*, home: bool) -> PageParser:
    """Return a parser of HTML shift reports: it checks the title, the team, the game number and the last tag."""

    def read(body: bytes, params: RequestParams) -> list[PageRecord]:
        page = decode_text(body)
        title = " ".join(re.findall(r"<title>([^<]*)", page, re.IGNORECASE)).lower()
        if "time on ice" not in title or ("home" in title) is not home:
            side = "home" if home else "away"
            raise PageRejected(
                f"not the shift report of the {side} team: its title is {title!r} ({len(page):,} characters)"
            )
        number = f"Game {params['game_id'] % 10_000:04d}"
        if not re.search(rf"\b{number}\b", page):
            raise PageRejected(f"the report is of another game: no '{number}' in it")
        if "</html>" not in page[-1000:].lower():
            raise PageRejected(f"the report is cut off after {len(page):,} characters")
        return [make_row_from_request(params, body)]

    return read


def parse_right_rail(body: bytes, params: RequestParams) -> list[PageRecord]:
    """Read a right-rail page. Only the reports that it links to say which game it is."""
    page = decode_leniently(body, RightRail)
    if page.gameInfo is None and page.seasonSeries is None and page.gameReports is None:
        raise PageRejected("not a RightRail page: neither gameInfo, nor seasonSeries, nor gameReports")
    reports = [address for address in (page.gameReports or {}).values() if address and isinstance(address, str)]
    number = f"{params['game_id'] % 1_000_000:06d}"
    if reports and not any(number in address for address in reports):
        raise PageRejected(f"the right rail is of another game: no report {number} in it")
    check_numbers(body)
    return [make_row_from_request(params, body)]


def make_row_from_request(params: RequestParams, body: bytes) -> PageRecord:
    """Make the record of a page that has no game, day or state: the schedule has them."""
    return PageRecord(
        {"game_id": params["game_id"]},
        params["season"],
        params["game_date"],
        params["state"],
        decode_text(body).encode(),
    )


def parse_roster(body: bytes, params: RequestParams) -> list[PageRecord]:
    """Read a roster page."""
    player_ids = read_roster_ids(decode_leniently(body, Roster))
    check_numbers(body)
    return [PageRecord({"team_abbrev": params["team_abbrev"]}, params["season"], None, None, body, player_ids)]


def parse_standings(body: bytes, params: RequestParams) -> list[PageRecord]:
    """Read the standings of a day. The date of a team may be earlier, but not later."""
    page = decode_leniently(body, Standings)
    last = max((line.date for line in page.standings), default=None)
    if last is None:
        raise PageRejected(f"the standings of {params['game_date']} are empty")
    if last > params["game_date"]:
        raise PageRejected(f"the standings are of {last}, not {params['game_date']}")
    check_numbers(body)
    return [PageRecord({}, params["season"], params["game_date"], None, body)]


def parse_player(body: bytes, params: RequestParams) -> list[PageRecord]:
    """Read a player's landing page."""
    page = decode_strictly(body, Player)
    if page.playerId != params["player_id"]:
        raise PageRejected(f"the page is of player {page.playerId}, not {params['player_id']}")
    check_numbers(body)
    return [PageRecord({"player_id": page.playerId}, None, None, None, body)]


def make_page_parser(identity: Mapping[str, str | int], lists: tuple[str, ...] = ()) -> PageParser:
    """Return a parser of pages that say in some keys which page they are: one record, with the key of the request.

    identity: these keys, each with the request parameter, or the number, that the page must have there; `player.id` is
    a key inside another. lists: other keys that a complete page has, each with a list.
    """
    keys: list[tuple[str, Any]] = []
    for name in identity:
        outer, _, inner = name.partition(".")
        keys.append((outer, msgspec.defstruct(outer, [(inner, str | int)]) if inner else str | int))
    kind = msgspec.defstruct("valid", [*keys, *((name, RawRows) for name in lists)])

    def read(body: bytes, params: RequestParams) -> list[PageRecord]:
        page = decode_leniently(body, kind)
        for name, expected in identity.items():
            found, wanted = attrgetter(name)(page), params[expected] if isinstance(expected, str) else expected
            if str(found) != str(wanted):
                raise PageRejected(f"the page has {name} {found!r}, not {wanted}")
        check_numbers(body)
        return [make_keyed_record(params, body)]

    return read


def make_keyed_record(params: RequestParams, body: bytes) -> PageRecord:
    """Make the record of a page with the key of its request."""
    key = {name: params[name] for name in KEY_PARAMETERS if params.get(name) is not None}
    return PageRecord(key, params.get("season"), params.get("game_date"), params.get("state"), body)


def parse_bracket(body: bytes, params: RequestParams) -> list[PageRecord]:
    """Read a playoff bracket. Only the links of its series say of which year it is."""
    page = decode_leniently(body, Bracket)
    if not page.series:
        raise PageRejected(f"the bracket of {params['year']} has no series")
    years = {found[1] for one in page.series if one.seriesUrl and (found := SERIES_YEAR.search(one.seriesUrl))}
    if others := years - {str(params["year"])}:
        raise PageRejected(f"the bracket is of {min(others)}, not {params['year']}")
    check_numbers(body)
    return [make_keyed_record(params, body)]


def parse_glossary(body: bytes, params: RequestParams) -> list[PageRecord]:
    """Read the glossary: all entries on one page."""
    page = decode_leniently(body, Listing)
    if not page.data or len(page.data) != page.total:
        raise PageRejected(f"{len(page.data)} of {page.total} entries")
    check_numbers(body)
    return [make_keyed_record(params, body)]


def parse_game_report(body: bytes, params: RequestParams) -> list[PageRecord]:
    """Read a report of the stats API on one game, a row per skater, goalie or team. It may be empty at first."""
    page = decode_leniently(body, GameReport)
    if len(page.data) != page.total:
        raise PageRejected(f"{len(page.data)} of {page.total} rows")
    if others := {row.gameId for row in page.data} - {params["game_id"]}:
        raise PageRejected(f"the report has rows of game {min(others)}, not {params['game_id']}")
    check_numbers(body)
    return [make_row_from_request(params, body)]


def is_report_empty(report: str) -> bool:
    """Whether a report of the stats API has no rows."""
    try:
        return not decode_leniently(report.encode(), Listing).data
    except PageRejected:
        return False


def make_listing_parser(key: str) -> PageParser:
    """Return a parser of lists of the stats API: one record per row, with its id as the key."""

    def read(body: bytes, params: RequestParams) -> list[PageRecord]:
        page = decode_strictly(body, Listing)
        if len(page.data) != page.total:
            raise PageRejected(f"{len(page.data)} of {page.total} rows")
        check_numbers(body)
        rows = [(decode_strictly(bytes(raw), Id).id, bytes(raw)) for raw in page.data]
        others = [number for number, _ in rows if key == "season" and not is_season(number)]
        if others:
            raise PageRejected(f"{others[0]} is no season")
        return [PageRecord({key: number}, number if key == "season" else None, None, None, raw) for number, raw in rows]

    return read


def decode_text(body: bytes) -> str:
    """Return the text of a page. JSON is UTF-8; a report that is not UTF-8 is read as Latin-1, byte by byte."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("latin-1")
