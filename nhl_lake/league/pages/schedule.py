"""schedule/{date}: the seven days from a date, as they are announced at a moment."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from nhl_lake.league.model import AWAY, HOME, Player, ScheduledGame, Season
from nhl_lake.league.pages.headers import (
    ASSETS,
    broadcasts,
    link,
    logo,
    names,
    period_descriptor,
    times,
    words,
)
from nhl_lake.league.pages.moment import listing
from nhl_lake.league.pages.seen import Seen, look
from nhl_lake.league.pages.source import Page, Source

WEEK = timedelta(days=7)
ROUNDS = ("1st_round", "2nd_round", "conference_finals", "stanley_cup_final")
ROUND_ABBREVS = ("R1", "R2", "CF", "SCF")


class Entry(NamedTuple):
    """A game and its place in the schedule at a moment."""

    game: ScheduledGame
    day: date
    start: datetime


def schedule(source: Source, first: date, as_of: datetime) -> Page:
    """The page of the week that begins on a date."""
    season = source.season_on(first)
    week = [first + timedelta(days=n) for n in range(7)]
    # the last days before the season's end may have no game: the way on leads to the playoffs then
    entries = _listed(source, season, as_of, playoffs=week[-1] >= season.end - WEEK)
    page: Page = {}
    if after := _first_after(source, season, week[-1], entries, as_of):
        page["nextStartDate"] = f"{first + (after - first) // WEEK * WEEK}"
    if before := _last_before(source, season, first, entries):
        page["previousStartDate"] = f"{first + (before - first) // WEEK * WEEK}"
    rows = [_day(source, day, [found for found in entries if found.day == day], as_of) for day in week]
    return page | {
        "gameWeek": rows,
        "preSeasonStartDate": f"{season.preseason_start}",
        "regularSeasonStartDate": f"{season.start}",
        "regularSeasonEndDate": f"{season.end}",
        "playoffEndDate": f"{season.playoff_end}",
        "numberOfGames": sum(found.day in week for found in entries),
    }


def _listed(source: Source, season: Season, as_of: datetime, *, playoffs: bool) -> list[Entry]:
    games = source.games(season.season, as_of)
    if playoffs:
        games += source.playoffs(season.season, as_of)
    listed = [(game, listing(game, as_of)) for game in games]
    return [Entry(game, place.day, place.start) for game, place in listed]


def _first_after(source: Source, season: Season, last: date, entries: list[Entry], as_of: datetime) -> date | None:
    """The first day after a week with a game: of this season, or of the next one."""
    if days := [found.day for found in entries if found.day > last]:
        return min(days)
    later = [number for number in source.seasons if number > season.season]
    days = (
        [found.day for found in _listed(source, source.engine.season(later[0]), as_of, playoffs=False)] if later else []
    )
    return min(days, default=None)


def _last_before(source: Source, season: Season, first: date, entries: list[Entry]) -> date | None:
    """The last day before a week with a game: of this season, or the last day of the one before.

    The end of that season's playoffs is not looked up: it would take every game of a season to link to a week.
    """
    if days := [found.day for found in entries if found.day < first]:
        return max(days)
    earlier = [number for number in source.seasons if number < season.season]
    return source.engine.season(earlier[-1]).playoff_end if earlier else None


def _day(source: Source, day: date, entries: list[Entry], as_of: datetime) -> Page:
    entries = sorted(entries, key=lambda found: (found.start, found.game.game_id))
    return {
        "date": f"{day}",
        "dayAbbrev": f"{day:%a}".upper(),
        "numberOfGames": len(entries),
        "datePromo": [],
        "games": [_game(source, found, as_of) for found in entries],
    }


def _game(source: Source, found: Entry, as_of: datetime) -> Page:
    game = found.game
    seen = look(source, game, as_of)
    row: Page = {
        "id": game.game_id,
        "season": game.season,
        "gameType": game.game_type,
        "venue": words(game.arena),
        "neutralSite": game.neutral,
        **times(game, seen.listing.start),
        "venueTimezone": game.venue_timezone,
        "gameState": seen.now.state,
        "gameScheduleState": seen.listing.state,
        "tvBroadcasts": broadcasts(source, game),
        "awayTeam": _team(seen, AWAY),
        "homeTeam": _team(seen, HOME),
        "periodDescriptor": period_descriptor(game, max(seen.now.period, 1)),
    }
    if seen.now.over:
        row |= _ending(seen)
    if game.series:
        row["seriesStatus"] = _series_status(source, game, as_of)
    return row | _links(seen)


def _team(seen: Seen, side: int) -> Page:
    team, name = seen.teams[side], "home" if side == HOME else "away"
    block: Page = {"id": team.team_id, "commonName": words(team.common_name)} | names(team)
    block |= {
        "abbrev": team.abbrev,
        "logo": logo(team, "light"),
        "darkLogo": logo(team, "dark"),
        f"{name}SplitSquad": False,
    }
    if seen.now.begun:
        return block | {"score": seen.score[side]}
    return block | {"radioLink": f"{ASSETS}/radio/{team.abbrev}/{seen.game.season}.m3u8"}


def _ending(seen: Seen) -> Page:
    if seen.story is None:
        return {}
    people = {spot.player.player_id: spot.player for side in (HOME, AWAY) for spot in seen.dressed(side)}
    found: Page = {
        "gameOutcome": {"lastPeriodType": seen.story.last_type},  # without otPeriods, unlike other pages
        "winningGoalie": _winner(people[seen.story.winning_goalie]),
    }
    if seen.story.winning_goal is not None:
        found["winningGoalScorer"] = _winner(people[seen.story.winning_goal])
    return found


def _winner(player: Player) -> Page:
    return {
        "playerId": player.player_id,
        "firstInitial": {"default": f"{dict(player.first)['default'][0]}."},
        "lastName": words(player.last),
    }


def _links(seen: Seen) -> Page:
    away, home = seen.teams[AWAY], seen.teams[HOME]
    pair = f"{away.abbrev}-at-{home.abbrev}".lower()
    found: Page = {}
    if not seen.now.begun:
        tickets = f"{ASSETS}/tickets/{seen.game.game_id}"
        found |= {"ticketsLink": tickets, "ticketsLinkFr": f"{tickets}/fr"}
    if seen.now.final:
        recap = f"{pair}-recap-{seen.game.game_id}"
        found |= {"threeMinRecap": f"/video/{recap}", "threeMinRecapFr": f"/fr/video/{recap}"}
    if seen.now.state == "OFF":
        found["condensedGame"] = f"/video/{pair}-condensed-game-{seen.game.game_id}"
    return found | {"gameCenterLink": link(seen.game, seen.listing.day, away, home)}


def _series_status(source: Source, game: ScheduledGame, as_of: datetime) -> Page:
    """A series after this game, or as far as it has come before it."""
    series = game.series
    assert series is not None
    wins = {series.top_seed_id: 0, series.bottom_seed_id: 0}
    for other in source.meetings(game, as_of):
        if other.series and other.series.game <= series.game:
            seen = look(source, other, as_of)
            if seen.now.final:
                home, away = seen.score
                wins[other.home_id if home > away else other.away_id] += 1
    return {
        "round": series.round,
        "gameNumberOfSeries": series.game,
        "roundAbbrev": ROUND_ABBREVS[series.round - 1],
        "roundCode": ROUNDS[series.round - 1],
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
