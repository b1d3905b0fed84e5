"""gamecenter/{id}/landing: three stars, goals by period, and the shootout."""

from datetime import datetime

from nhl_lake.league.model import Event, RosterSpot, ScheduledGame
from nhl_lake.league.pages.boxscore import compute_share
from nhl_lake.league.pages.game_counts import EVEN, POWER, SHORT, GameCounts, count_game
from nhl_lake.league.pages.game_view import (
    SHOOTOUT_ATTEMPT_KINDS,
    GameView,
    build_game_clock,
    build_header,
    build_team_blocks,
    view_game,
)
from nhl_lake.league.pages.headers import build_period_descriptor, build_short_name, format_clock, localize_text
from nhl_lake.league.pages.page_source import Page, PageSource

SHOOTOUT_RESULTS = {"goal": "goal", "shot-on-goal": "save"}  # any other attempt is a miss
STRENGTHS = (EVEN, POWER, SHORT)
SAVES_PER_GOAL = 9  # what a goalie must save to count as much as a scorer


def build_game_landing_page(source: PageSource, game: ScheduledGame, as_of: datetime) -> Page:
    """Return the page of a game at a time. It has a summary from the first faceoff on, and stars when it is over."""
    view = view_game(source, game, as_of)
    page = build_header(source, view) | build_team_blocks(view)
    if not view.status.has_started:
        return page
    spots = {s.player.player_id: (s, n) for n in (0, 1) for s in view.list_dressed_players(n)}
    summary: Page = {"scoring": _build_scoring(view, spots)}
    attempts = [e for e in view.events if e.period_type == "SO" and e.kind in SHOOTOUT_ATTEMPT_KINDS]
    if attempts:
        summary["shootout"] = [_build_attempt(view, spots, n, event) for n, event in enumerate(attempts, 1)]
    if view.status.is_over:
        summary["threeStars"] = _build_stars(view, spots)
    return page | {"summary": summary} | build_game_clock(view)


Spots = dict[int, tuple[RosterSpot, int]]


def _build_scoring(view: GameView, spots: Spots) -> list[Page]:
    periods = range(1, max((event.period for event in view.events if event.period_type != "SO"), default=0) + 1)
    return [
        {
            "periodDescriptor": build_period_descriptor(view.game, period),
            "goals": [
                _build_goal(view, spots, event)
                for event in view.events
                if event.kind == "goal" and event.period == period and event.period_type != "SO"
            ],
        }
        for period in periods
    ]


def _build_goal(view: GameView, spots: Spots, event: Event) -> Page:
    spot, side = spots[event.player or 0]
    return {
        "playerId": spot.player.player_id,
        "name": build_short_name(spot.player),
        "teamAbbrev": {"default": view.teams[side].abbrev},
        "timeInPeriod": format_clock(event.second),
        "assists": [{"playerId": assist} for assist in event.assists],
    }


def _build_attempt(view: GameView, spots: Spots, number: int, event: Event) -> Page:
    spot, side = spots[event.player or 0]
    taken = view.outcome.shootout if view.outcome else ()
    return {
        "sequence": number,
        "playerId": spot.player.player_id,
        "teamAbbrev": view.teams[side].abbrev,
        "firstName": localize_text(spot.player.first),
        "lastName": localize_text(spot.player.last),
        "result": SHOOTOUT_RESULTS.get(event.kind, "miss"),
        "gameWinner": len(taken) >= number and taken[number - 1].winner,
    }


def _build_stars(view: GameView, spots: Spots) -> list[Page]:
    """Return the three players who did most: goals count double, and a goalie's saves less."""
    counts = count_game(view)
    order = sorted(spots, key=lambda player: (-_rate(counts, player), player))
    return [_build_star(view, counts, *spots[player], number) for number, player in enumerate(order[:3], 1)]


def _rate(counts: GameCounts, player: int) -> float:
    of = counts.players
    saves, against = (sum(of[player, f"{s} {what}"] for s in STRENGTHS) for what in ("saved", "against"))
    return 2 * of[player, "goals"] + of[player, "assists"] + saves / SAVES_PER_GOAL - (against - saves)


def _build_star(view: GameView, counts: GameCounts, spot: RosterSpot, side: int, number: int) -> Page:
    player = spot.player.player_id
    page: Page = {
        "star": number,
        "playerId": player,
        "teamAbbrev": view.teams[side].abbrev,
        "name": build_short_name(spot.player),
        "sweaterNo": spot.number,
        "position": spot.position,
    }
    of = counts.players
    if spot.position == "G":
        saves, against = (sum(of[player, f"{s} {what}"] for s in STRENGTHS) for what in ("saved", "against"))
        hours = max(of[player, "toi"], 1) / 3600
        return page | {
            "goalsAgainstAverage": round((against - saves) / hours, 6),
            "savePctg": compute_share(saves, against),
        }
    goals, assists = of[player, "goals"], of[player, "assists"]
    return page | {"goals": goals, "assists": assists, "points": goals + assists}
