"""gamecenter/{id}/right-rail: officials, coaches, scratches, the series, and the game by period."""

from datetime import datetime

from nhl_lake.league.model import AWAY, HOME, ScheduledGame, Spot
from nhl_lake.league.pages.boxscore import share
from nhl_lake.league.pages.headers import ASSETS, link, logo, outcome, period_descriptor, times, words
from nhl_lake.league.pages.seen import TAKEN, Seen, look, watch
from nhl_lake.league.pages.source import Page, Source
from nhl_lake.league.pages.tally import Tally, by_period, tally

REPORTS = {
    "gameSummary": "GS", "eventSummary": "ES", "playByPlay": "PL", "faceoffSummary": "FS", "faceoffComparison": "FC",
    "rosters": "RO", "shotSummary": "SS", "shiftChart": "", "toiAway": "TV", "toiHome": "TH",
}  # fmt: skip


def right_rail(source: Source, game: ScheduledGame, as_of: datetime) -> Page:
    """The page of a game at a moment; before the game only the series and who is out."""
    seen = watch(source, game, as_of)
    page = _series(source, game, as_of) | {"gameInfo": _game_info(seen)}
    if not seen.now.begun:
        return page
    counts = tally(seen)
    if seen.now.final:
        page["gameVideo"] = {"threeMinRecap": game.game_id * 1000 + 1, "condensedGame": game.game_id * 1000 + 2}
    return page | {
        "linescore": _linescore(seen),
        "shotsByPeriod": _periods(seen, by_period(seen, "shots")),
        "teamGameStats": _team_stats(counts),
        "gameReports": _reports(game),
    }


def _series(source: Source, game: ScheduledGame, as_of: datetime) -> Page:
    """The games of these two teams, with their scores so far, and who won how many."""
    met = [look(source, other, as_of) for other in source.meetings(game, as_of)]
    wins = {game.away_id: 0, game.home_id: 0}
    for seen in met:
        if seen.now.final:
            home, away = seen.score
            wins[seen.game.home_id if home > away else seen.game.away_id] += 1
    count: Page = {"awayTeamWins": wins[game.away_id], "homeTeamWins": wins[game.home_id]}
    if game.series:
        count["neededToWin"] = 4
    return {"seasonSeries": [_meeting(seen) for seen in met], "seasonSeriesWins": count}


def _meeting(seen: Seen) -> Page:
    game = seen.game
    row: Page = {
        "id": game.game_id,
        "season": game.season,
        "gameType": game.game_type,
        "gameDate": f"{seen.listing.day}",
    }
    row |= times(game, seen.listing.start) | {"gameState": seen.now.state}
    row["gameScheduleState"] = seen.listing.state
    for name, side in (("awayTeam", AWAY), ("homeTeam", HOME)):
        team = seen.teams[side]
        row[name] = {"id": team.team_id, "abbrev": team.abbrev, "logo": logo(team, "light")} | (
            {"score": seen.score[side]} if seen.now.begun else {}
        )
    if seen.now.begun:
        row["periodDescriptor"] = period_descriptor(game, seen.now.period)
    row["gameCenterLink"] = link(game, seen.listing.day, seen.teams[AWAY], seen.teams[HOME])
    return row | ({"gameOutcome": outcome(seen.story)} if seen.story and seen.now.over else {})


def _game_info(seen: Seen) -> Page:
    if seen.story is None:
        return {"awayTeam": {"scratches": []}, "homeTeam": {"scratches": []}}
    away, home = (
        {"headCoach": words(lineup.coach), "scratches": [_scratch(spot) for spot in lineup.scratches]}
        for lineup in (seen.story.lineups[AWAY], seen.story.lineups[HOME])
    )
    return {
        "referees": [words(name) for name in seen.story.referees],
        "linesmen": [words(name) for name in seen.story.linesmen],
        "awayTeam": away,
        "homeTeam": home,
    }


def _scratch(spot: Spot) -> Page:
    player = spot.player
    return {"id": player.player_id, "firstName": words(player.first), "lastName": words(player.last)}


def _periods(seen: Seen, counts: list[tuple[int, int]]) -> list[Page]:
    return [
        {"periodDescriptor": period_descriptor(seen.game, period), "away": counts[period - 1][AWAY],
         "home": counts[period - 1][HOME]}
        for period in range(1, seen.now.period + 1)
    ]  # fmt: skip


def _linescore(seen: Seen) -> Page:
    page: Page = {"byPeriod": _periods(seen, by_period(seen, "goals"))}
    if any(event.period_type == "SO" for event in seen.events):
        page["shootout"] = _shootout(seen)
    return page | {"totals": {"away": seen.score[AWAY], "home": seen.score[HOME]}}


def _shootout(seen: Seen) -> Page:
    taken = [event for event in seen.events if event.period_type == "SO" and event.kind in TAKEN]
    page: Page = {}
    for name, side in (("away", AWAY), ("home", HOME)):
        ours = [event.kind for event in taken if event.side == side]
        decided = seen.now.over and seen.score[side] > seen.score[1 - side]
        page |= {
            f"{name}DecidingGoal": int(decided),
            f"{name}Conversions": ours.count("goal"),
            f"{name}Attempts": len(ours),
        }
    return page


def _team_stats(counts: Tally) -> list[Page]:
    """The nine figures beside the game, away team first."""

    def both(what: str) -> tuple[int, int]:
        return counts.teams[AWAY, what], counts.teams[HOME, what]

    won, goals, chances = both("faceoffs won"), both("powerPlayGoals"), both("powerPlays")
    figures: dict[str, tuple[object, object]] = {
        "sog": both("sog"),
        "faceoffWinningPctg": (share(won[0], sum(won)), share(won[1], sum(won))),
        "powerPlay": (f"{goals[0]}/{chances[0]}", f"{goals[1]}/{chances[1]}"),
        "powerPlayPctg": (share(goals[0], chances[0]), share(goals[1], chances[1])),
        "pim": both("pim"),
        "hits": both("hit"),
        "blockedShots": both("blocks"),
        "giveaways": both("giveaway"),
        "takeaways": both("takeaway"),
    }
    return [{"category": name, "awayValue": away, "homeValue": home} for name, (away, home) in figures.items()]


def _reports(game: ScheduledGame) -> Page:
    folder, number = f"{ASSETS}/scores/htmlreports/{game.season}", f"{game.game_id}"[4:]
    chart = f"{ASSETS}/stats/shiftcharts?id={game.game_id}"
    return {name: f"{folder}/{code}{number}.HTM" if code else chart for name, code in REPORTS.items()}
