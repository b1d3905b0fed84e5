"""gamecenter/{id}/right-rail: officials, coaches, scratches, the series, and the game by period."""

from datetime import datetime

from nhl_lake.league.model import AWAY, HOME, RosterSpot, ScheduledGame
from nhl_lake.league.pages.boxscore import compute_share
from nhl_lake.league.pages.game_counts import GameCounts, count_by_period, count_game
from nhl_lake.league.pages.game_view import SHOOTOUT_ATTEMPT_KINDS, GameView, view_game, view_game_header
from nhl_lake.league.pages.headers import (
    ASSETS,
    build_game_link,
    build_logo_url,
    build_outcome,
    build_period_descriptor,
    build_start_times,
    localize_text,
)
from nhl_lake.league.pages.page_source import Page, PageSource

REPORT_CODES = {
    "gameSummary": "GS", "eventSummary": "ES", "playByPlay": "PL", "faceoffSummary": "FS", "faceoffComparison": "FC",
    "rosters": "RO", "shotSummary": "SS", "shiftChart": "", "toiAway": "TV", "toiHome": "TH",
}  # fmt: skip


def build_right_rail_page(source: PageSource, game: ScheduledGame, as_of: datetime) -> Page:
    """Return the page of a game at a time; before the game only the series and the scratches."""
    view = view_game(source, game, as_of)
    page = _build_season_series(source, game, as_of) | {"gameInfo": _build_game_info(view)}
    if not view.status.has_started:
        return page
    counts = count_game(view)
    if view.status.is_final:
        page["gameVideo"] = {"threeMinRecap": game.game_id * 1000 + 1, "condensedGame": game.game_id * 1000 + 2}
    return page | {
        "linescore": _build_linescore(view),
        "shotsByPeriod": _build_periods(view, count_by_period(view, "shots")),
        "teamGameStats": _build_team_stats(counts),
        "gameReports": _build_report_links(game),
    }


def _build_season_series(source: PageSource, game: ScheduledGame, as_of: datetime) -> Page:
    """Return the games of two teams, with their scores so far, and the wins of each."""
    met = [view_game_header(source, other, as_of) for other in source.find_meetings(game, as_of)]
    wins = {game.away_id: 0, game.home_id: 0}
    for view in met:
        if view.status.is_final:
            home, away = view.score
            wins[view.game.home_id if home > away else view.game.away_id] += 1
    count: Page = {"awayTeamWins": wins[game.away_id], "homeTeamWins": wins[game.home_id]}
    if game.series:
        count["neededToWin"] = 4
    return {"seasonSeries": [_build_meeting(view) for view in met], "seasonSeriesWins": count}


def _build_meeting(view: GameView) -> Page:
    game = view.game
    row: Page = {
        "id": game.game_id,
        "season": game.season,
        "gameType": game.game_type,
        "gameDate": f"{view.listing.day}",
    }
    row |= build_start_times(game, view.listing.start) | {"gameState": view.status.state}
    row["gameScheduleState"] = view.listing.state
    for name, side in (("awayTeam", AWAY), ("homeTeam", HOME)):
        team = view.teams[side]
        row[name] = {"id": team.team_id, "abbrev": team.abbrev, "logo": build_logo_url(team, "light")} | (
            {"score": view.score[side]} if view.status.has_started else {}
        )
    if view.status.has_started:
        row["periodDescriptor"] = build_period_descriptor(game, view.status.period)
    row["gameCenterLink"] = build_game_link(game, view.listing.day, view.teams[AWAY], view.teams[HOME])
    return row | ({"gameOutcome": build_outcome(view.outcome)} if view.outcome and view.status.is_over else {})


def _build_game_info(view: GameView) -> Page:
    if view.outcome is None:
        return {"awayTeam": {"scratches": []}, "homeTeam": {"scratches": []}}
    away, home = (
        {"headCoach": localize_text(lineup.coach), "scratches": [_build_scratch(spot) for spot in lineup.scratches]}
        for lineup in (view.outcome.lineups[AWAY], view.outcome.lineups[HOME])
    )
    return {
        "referees": [localize_text(name) for name in view.outcome.referees],
        "linesmen": [localize_text(name) for name in view.outcome.linesmen],
        "awayTeam": away,
        "homeTeam": home,
    }


def _build_scratch(spot: RosterSpot) -> Page:
    player = spot.player
    return {"id": player.player_id, "firstName": localize_text(player.first), "lastName": localize_text(player.last)}


def _build_periods(view: GameView, counts: list[tuple[int, int]]) -> list[Page]:
    return [
        {"periodDescriptor": build_period_descriptor(view.game, period), "away": counts[period - 1][AWAY],
         "home": counts[period - 1][HOME]}
        for period in range(1, view.status.period + 1)
    ]  # fmt: skip


def _build_linescore(view: GameView) -> Page:
    page: Page = {"byPeriod": _build_periods(view, count_by_period(view, "goals"))}
    if any(event.period_type == "SO" for event in view.events):
        page["shootout"] = _build_shootout(view)
    return page | {"totals": {"away": view.score[AWAY], "home": view.score[HOME]}}


def _build_shootout(view: GameView) -> Page:
    taken = [event for event in view.events if event.period_type == "SO" and event.kind in SHOOTOUT_ATTEMPT_KINDS]
    page: Page = {}
    for name, side in (("away", AWAY), ("home", HOME)):
        ours = [event.kind for event in taken if event.side == side]
        decided = view.status.is_over and view.score[side] > view.score[1 - side]
        page |= {
            f"{name}DecidingGoal": int(decided),
            f"{name}Conversions": ours.count("goal"),
            f"{name}Attempts": len(ours),
        }
    return page


def _build_team_stats(counts: GameCounts) -> list[Page]:
    """Return the nine team statistics, away team first."""

    def both(what: str) -> tuple[int, int]:
        return counts.teams[AWAY, what], counts.teams[HOME, what]

    won, goals, chances = both("faceoffs won"), both("powerPlayGoals"), both("powerPlays")
    figures: dict[str, tuple[object, object]] = {
        "sog": both("sog"),
        "faceoffWinningPctg": (compute_share(won[0], sum(won)), compute_share(won[1], sum(won))),
        "powerPlay": (f"{goals[0]}/{chances[0]}", f"{goals[1]}/{chances[1]}"),
        "powerPlayPctg": (compute_share(goals[0], chances[0]), compute_share(goals[1], chances[1])),
        "pim": both("pim"),
        "hits": both("hit"),
        "blockedShots": both("blocks"),
        "giveaways": both("giveaway"),
        "takeaways": both("takeaway"),
    }
    return [{"category": name, "awayValue": away, "homeValue": home} for name, (away, home) in figures.items()]


def _build_report_links(game: ScheduledGame) -> Page:
    folder, number = f"{ASSETS}/scores/htmlreports/{game.season}", f"{game.game_id}"[4:]
    chart = f"{ASSETS}/stats/shiftcharts?id={game.game_id}"
    return {name: f"{folder}/{code}{number}.HTM" if code else chart for name, code in REPORT_CODES.items()}
