"""The kinds of pages of a site: how their data are read, how each is told from an older one, and how it is drawn."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from nhl_lake.hockey.calendar import FINAL_STATES
from nhl_lake.reports import page
from nhl_lake.reports.all_players import read_goalies, read_skaters
from nhl_lake.reports.all_players_page import render_goalies, render_skaters
from nhl_lake.reports.day import DayData, find_days_to_show, read_days
from nhl_lake.reports.day_page import render_days
from nhl_lake.reports.game import SECTIONS, read_game_rows, read_games
from nhl_lake.reports.game_page import describe_game, render_game
from nhl_lake.reports.lake_status import read_lake_status
from nhl_lake.reports.league import read_league
from nhl_lake.reports.league_page import render_league
from nhl_lake.reports.page import Place
from nhl_lake.reports.page_digest import digest_data, digest_sections, digest_texts
from nhl_lake.reports.player import read_league_cells, read_players
from nhl_lake.reports.player_page import LEAGUE_MAPS, render_league_map, render_player
from nhl_lake.reports.site_folder import is_site_path
from nhl_lake.reports.status_page import render_status
from nhl_lake.reports.team import read_teams
from nhl_lake.reports.team_page import render_team
from nhl_lake.store.location import Location

RECENT = timedelta(days=14)  # before and after the newest result: games that the search finds


class PlannedPage(NamedTuple):
    """A page that the site should have.

    number: the id in its name: a game, a player, a team's abbreviation, a day; the name itself of a page at the top.
    made_of: a digest of what it shows. label: what the search finds it by. data: what it is drawn from, if that has
    been read already.
    """

    kind: str
    season: int
    number: str
    made_of: str
    label: str = ""
    data: Any = None

    @property
    def path(self) -> str:
        """The path of the page in the site."""
        return locate_page(self.kind, self.number)


SHOT_MAPS = "map"  # the kind of page of the maps that the cards of players share
Plan = Callable[[Location, int, datetime], Iterator[PlannedPage]]
Read = Callable[[Location, int, datetime, Collection[str]], Iterator[tuple[str, Any]]]


class PageKind(NamedTuple):
    """A kind of page.

    plan: yields the pages of a season. read: yields number and data of some of them; None if the plan has the data,
    because the pages are few. draw: returns a page's HTML.
    """

    plan: Plan
    read: Read | None
    draw: Callable[[Any, Place], str]


class LinkTargets(Collection[Any]):
    """The pages of a kind that a page may link to. It remembers those that were asked for and are not there."""

    def __init__(self, kind: str, numbers: Collection[str]) -> None:
        self.kind = kind
        self.numbers = frozenset(numbers)
        self.missed: set[str] = set()

    def __contains__(self, number: object) -> bool:
        """Return whether a page is there."""
        if str(number) in self.numbers:
            return True
        if is_site_path(path := locate_page(self.kind, str(number))):
            self.missed.add(path)
        return False

    def __iter__(self) -> Iterator[str]:
        """Iterate over the numbers of the pages."""
        return iter(self.numbers)

    def __len__(self) -> int:
        """Return the number of pages."""
        return len(self.numbers)


Targets = Mapping[str, Collection[str]]  # numbers of pages by kind


class DrawnPage(NamedTuple):
    """A page as HTML, and the paths of pages that it would link to if they were there."""

    path: str
    html: str
    lacks: tuple[str, ...]


def locate_page(kind: str, number: str) -> str:
    """Return the path of a page in a site."""
    if kind == SHOT_MAPS:
        return f"{number}.svg"
    return f"{page.FOLDERS[kind]}/{number}.html" if kind in page.FOLDERS else f"{number}.html"


def plan_pages(root: Location, seasons: Sequence[int], now: datetime) -> dict[str, PlannedPage]:
    """Return the pages of a site by path. A player or a team with several seasons has the page of the newest."""
    found: dict[str, PlannedPage] = {}
    for season in sorted(seasons):
        for kind in KINDS.values():
            # an id that is no name of a file, such as a team's odd abbreviation, has no page
            found |= {one.path: one for one in kind.plan(root, season, now) if is_site_path(one.path)}
    return found


def list_targets(pages: Collection[PlannedPage]) -> dict[str, frozenset[str]]:
    """Return the numbers of the pages by kind."""
    return {kind: frozenset(one.number for one in pages if one.kind == kind) for kind in page.FOLDERS}


def draw_pages(
    kind: str, found: Iterator[tuple[str, Any]], targets: Targets, *, base: str | None = None
) -> Iterator[DrawnPage]:
    """Yield pages of a kind, drawn from number and data. base: how to reach the site's top, if not by the folder."""
    links = {name: LinkTargets(name, numbers) for name, numbers in targets.items()}
    up = "../" if kind in page.FOLDERS else ""
    place = Place(is_alone=False, base=up if base is None else base, pages=links)
    for number, data in found:
        for link in links.values():
            link.missed.clear()
        html = KINDS[kind].draw(data, place)
        lacks = sorted(path for link in links.values() for path in link.missed)
        yield DrawnPage(locate_page(kind, number), html, tuple(lacks))


def plan_games(root: Location, season: int, _: datetime) -> Iterator[PlannedPage]:
    """Yield the games of a season that the lake has rows of, and those of the days around the newest result."""
    digests = digest_sections(root, SECTIONS, season, "game_id")
    games = read_game_rows(root, season, None)
    last = max((game["game_date"] for game in games if game["game_state"] in FINAL_STATES), default=date.min)
    for game in games:
        rows = digests.get(game["game_id"])
        is_recent = abs(game["game_date"] - last) <= RECENT
        if rows or is_recent:
            made_of = digest_texts(rows or "", digest_data(game))
            label = describe_game(game) if is_recent else ""
            yield PlannedPage("game", season, str(game["game_id"]), made_of, label)


def read_game_pages(root: Location, season: int, _: datetime, numbers: Collection[str]) -> Iterator[tuple[str, Any]]:
    """Yield the data of some games."""
    for data in read_games(root, season, list(map(int, numbers))):
        yield str(data.game["game_id"]), data


def plan_players(root: Location, season: int, _: datetime) -> Iterator[PlannedPage]:
    """Yield everyone who played in a season."""
    for data in read_players(root, season):
        who = data.player
        label = " · ".join(str(who[name]) for name in ("player", "team_abbrev", "position") if who[name])
        shown = data._replace(league_cells=data.league_cells.clear())  # a file of its own shows them
        yield PlannedPage("player", season, str(who["player_id"]), digest_data(shown), label, data)


def plan_maps(root: Location, season: int, _: datetime) -> Iterator[PlannedPage]:
    """Yield the maps of the attempts of all forwards, defensemen and goalies of a season."""
    for kind, cells in read_league_cells(root, season).items():
        yield PlannedPage(SHOT_MAPS, season, f"{LEAGUE_MAPS[kind]}{season}", digest_data(cells), data=cells)


def read_player_pages(root: Location, season: int, _: datetime, numbers: Collection[str]) -> Iterator[tuple[str, Any]]:
    """Yield the data of some players."""
    for data in read_players(root, season, list(map(int, numbers)), has_league_map=False):
        yield str(data.player["player_id"]), data


def plan_teams(root: Location, season: int, now: datetime) -> Iterator[PlannedPage]:
    """Yield the teams that played in a season."""
    for data in read_teams(root, season, now):
        letters = str(data.team["team_abbrev"])
        label = " · ".join([letters, *([data.team["team_name"]] if data.team["team_name"] else [])])
        yield PlannedPage("team", season, letters, digest_data(data), label, data)


def plan_days(root: Location, season: int, now: datetime) -> Iterator[PlannedPage]:
    """Yield the days of a season that have games."""
    for data in read_days(root, season, now):
        yield PlannedPage("day", season, str(data.day), digest_data(data), data=[data])


def plan_index(root: Location, season: int, now: datetime) -> Iterator[PlannedPage]:
    """Yield the start page: the last and the next games of a season."""
    days = list(read_days(root, season, now, find_days_to_show(root, season, now)))
    if days:
        yield PlannedPage("index", season, "index", digest_data(days), data=days)


def plan_league(root: Location, season: int, _: datetime) -> Iterator[PlannedPage]:
    """Yield the page of the league."""
    data = read_league(root, season)
    yield PlannedPage("league", season, "league", digest_data(data), data=data)


def plan_skaters(root: Location, season: int, _: datetime) -> Iterator[PlannedPage]:
    """Yield the page of all skaters."""
    data = read_skaters(root, season)
    yield PlannedPage("skaters", season, "skaters", digest_data(data), data=data)


def plan_goalies(root: Location, season: int, _: datetime) -> Iterator[PlannedPage]:
    """Yield the page of all goalies."""
    data = read_goalies(root, season)
    yield PlannedPage("goalies", season, "goalies", digest_data(data), data=data)


def plan_status(root: Location, season: int, now: datetime) -> Iterator[PlannedPage]:
    """Yield the page on the lake itself."""
    data = read_lake_status(root, now)
    yield PlannedPage("status", season, "status", digest_data(data), data=data)


def draw_index(days: Sequence[DayData], place: Place) -> str:
    """Return the start page."""
    return render_days(days, place, title="Last games and next games")


KINDS: Mapping[str, PageKind] = {
    "status": PageKind(plan_status, None, render_status),  # first: it takes the most memory
    "game": PageKind(plan_games, read_game_pages, render_game),
    "player": PageKind(plan_players, read_player_pages, render_player),
    SHOT_MAPS: PageKind(plan_maps, None, render_league_map),
    "team": PageKind(plan_teams, None, render_team),
    "day": PageKind(plan_days, None, render_days),
    "index": PageKind(plan_index, None, draw_index),
    "league": PageKind(plan_league, None, render_league),
    "skaters": PageKind(plan_skaters, None, render_skaters),
    "goalies": PageKind(plan_goalies, None, render_goalies),
}
