"""schedule/{date}: the seven days from a date, as announced at a time."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from nhl_lake.league.model import AWAY, HOME, Player, ScheduledGame, Season
from nhl_lake.league.pages.game_status import find_listing
from nhl_lake.league.pages.game_view import GameView, view_game_header
from nhl_lake.league.pages.headers import (
    ASSETS,
    build_broadcasts,
    build_game_link,
    build_logo_url,
    build_period_descriptor,
    build_place_names,
    build_start_times,
    localize_text,
)
from nhl_lake.league.pages.page_source import Page, PageSource

WEEK = timedelta(days=7)
ROUND_CODES = ("1st_round", "2nd_round", "conference_finals", "stanley_cup_final")
ROUND_ABBREVS = ("R1", "R2", "CF", "SCF")


class ScheduleEntry(NamedTuple):
    """A game and its listing in the schedule at a time."""

    game: ScheduledGame
    day: date
    start: datetime


def build_schedule_page(source: PageSource, first: date, as_of: datetime) -> Page:
    """Return the page of the week that begins on a date."""
    season = source.find_season(first)
    week = [first + timedelta(days=n) for n in range(7)]
    # the last days of the season may have no game: then the next week is in the playoffs
    entries = _list_entries(source, season, as_of, playoffs=week[-1] >= season.end - WEEK)
    page: Page = {}
    if after := _find_first_day_after(source, season, week[-1], entries, as_of):
        page["nextStartDate"] = f"{first + (after - first) // WEEK * WEEK}"
    if before := _find_last_day_before(source, season, first, entries):
        page["previousStartDate"] = f"{first + (before - first) // WEEK * WEEK}"
    rows = [_build_day(source, day, [found for found in entries if found.day == day], as_of) for day in week]
    return page | {
        "gameWeek": rows,
        "preSeasonStartDate": f"{season.preseason_start}",
        "regularSeasonStartDate": f"{season.start}",
        "regularSeasonEndDate": f"{season.end}",
        "playoffEndDate": f"{season.playoff_end}",
        "numberOfGames": sum(found.day in week for found in entries),
    }


def _list_entries(source: PageSource, season: Season, as_of: datetime, *, playoffs: bool) -> list[ScheduleEntry]:
    games = source.list_games(season.season, as_of)
    if playoffs:
        games += source.list_playoff_games(season.season, as_of)
    listed = [(game, find_listing(game, as_of)) for game in games]
    return [ScheduleEntry(game, place.day, place.start) for game, place in listed]


def _find_first_day_after(
    source: PageSource, season: Season, last: date, entries: list[ScheduleEntry], as_of: datetime
) -> date | None:
    """Return the first day with a game after a week, in this season or the next."""
    if days := [found.day for found in entries if found.day > last]:
        return min(days)
    later = [number for number in source.seasons if number > season.season]
    days = (
        [found.day for found in _list_entries(source, source.engine.season(later[0]), as_of, playoffs=False)]
        if later
        else []
    )
    return min(days, default=None)


def _find_last_day_before(source: PageSource, season: Season, first: date, entries: list[ScheduleEntry]) -> date | None:
    """Return the last day with a game before a week: in this season, or the last day of the previous one.

    The real end of the previous playoffs is not computed: that would simulate a season for one link.
    """
    if days := [found.day for found in entries if found.day < first]:
        return max(days)
    earlier = [number for number in source.seasons if number < season.season]
    return source.engine.season(earlier[-1]).playoff_end if earlier else None


def _build_day(source: PageSource, day: date, entries: list[ScheduleEntry], as_of: datetime) -> Page:
    entries = sorted(entries, key=lambda found: (found.start, found.game.game_id))
    return {
        "date": f"{day}",
        "dayAbbrev": f"{day:%a}".upper(),
        "numberOfGames": len(entries),
        "datePromo": [],
        "games": [_build_game(source, found, as_of) for found in entries],
    }


def _build_game(source: PageSource, found: ScheduleEntry, as_of: datetime) -> Page:
    game = found.game
    view = view_game_header(source, game, as_of)
    row: Page = {
        "id": game.game_id,
        "season": game.season,
        "gameType": game.game_type,
        "venue": localize_text(game.arena),
        "neutralSite": game.neutral_site,
        **build_start_times(game, view.listing.start),
        "venueTimezone": game.venue_timezone,
        "gameState": view.status.state,
        "gameScheduleState": view.listing.state,
        "tvBroadcasts": build_broadcasts(source, game),
        "awayTeam": _build_team(view, AWAY),
        "homeTeam": _build_team(view, HOME),
        "periodDescriptor": build_period_descriptor(game, max(view.status.period, 1)),
    }
    if view.status.is_over:
        row |= _build_ending(view)
    if game.series:
        row["seriesStatus"] = _build_series_status(source, game, as_of)
    return row | _build_links(view)


def _build_team(view: GameView, side: int) -> Page:
    team, name = view.teams[side], "home" if side == HOME else "away"
    block: Page = {"id": team.team_id, "commonName": localize_text(team.common_name)} | build_place_names(team)
    block |= {
        "abbrev": team.abbrev,
        "logo": build_logo_url(team, "light"),
        "darkLogo": build_logo_url(team, "dark"),
        f"{name}SplitSquad": False,
    }
    if view.status.has_started:
        return block | {"score": view.score[side]}
    return block | {"radioLink": f"{ASSETS}/radio/{team.abbrev}/{view.game.season}.m3u8"}


def _build_ending(view: GameView) -> Page:
    if view.outcome is None:
        return {}
    people = {spot.player.player_id: spot.player for side in (HOME, AWAY) for spot in view.list_dressed_players(side)}
    found: Page = {
        "gameOutcome": {"lastPeriodType": view.outcome.last_period_type},  # without otPeriods, unlike other pages
        "winningGoalie": _build_player_name(people[view.outcome.winning_goalie]),
    }
    if view.outcome.winning_goal is not None:
        found["winningGoalScorer"] = _build_player_name(people[view.outcome.winning_goal])
    return found


def _build_player_name(player: Player) -> Page:
    return {
        "playerId": player.player_id,
        "firstInitial": {"default": f"{dict(player.first)['default'][0]}."},
        "lastName": localize_text(player.last),
    }


def _build_links(view: GameView) -> Page:
    away, home = view.teams[AWAY], view.teams[HOME]
    pair = f"{away.abbrev}-at-{home.abbrev}".lower()
    found: Page = {}
    if not view.status.has_started:
        tickets = f"{ASSETS}/tickets/{view.game.game_id}"
        found |= {"ticketsLink": tickets, "ticketsLinkFr": f"{tickets}/fr"}
    if view.status.is_final:
        recap = f"{pair}-recap-{view.game.game_id}"
        found |= {"threeMinRecap": f"/video/{recap}", "threeMinRecapFr": f"/fr/video/{recap}"}
    if view.status.state == "OFF":
        found["condensedGame"] = f"/video/{pair}-condensed-game-{view.game.game_id}"
    return found | {"gameCenterLink": build_game_link(view.game, view.listing.day, away, home)}


def _build_series_status(source: PageSource, game: ScheduledGame, as_of: datetime) -> Page:
    """Return the status of a series: after this game if it is over, else before it."""
    series = game.series
    assert series is not None
    wins = {series.top_seed_id: 0, series.bottom_seed_id: 0}
    for other in source.find_meetings(game, as_of):
        if other.series and other.series.game <= series.game:
            view = view_game_header(source, other, as_of)
            if view.status.is_final:
                home, away = view.score
                wins[other.home_id if home > away else other.away_id] += 1
    return {
        "round": series.round,
        "gameNumberOfSeries": series.game,
        "roundAbbrev": ROUND_ABBREVS[series.round - 1],
        "roundCode": ROUND_CODES[series.round - 1],
        "seriesLetter": series.letter,
        "neededToWin": 4,
        "length": 7,
        "topSeedTeamId": series.top_seed_id,
        "topSeedWins": wins[series.top_seed_id],
        "bottomSeedTeamId": series.bottom_seed_id,
        "bottomSeedWins": wins[series.bottom_seed_id],
        "awayTeamWins": wins[game.away_id],
        "homeTeamWins": wins[game.home_id],
    }
