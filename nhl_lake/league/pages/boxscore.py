"""gamecenter/{id}/boxscore: the line of every dressed player."""

from datetime import datetime

from nhl_lake.league.defects import Defect
from nhl_lake.league.model import AWAY, HOME, RosterSpot, ScheduledGame
from nhl_lake.league.pages.game_counts import EVEN, POWER, SHORT, GameCounts, count_game
from nhl_lake.league.pages.game_view import (
    GameView,
    build_game_clock,
    build_game_outcome,
    build_header,
    build_team_blocks,
    view_game,
)
from nhl_lake.league.pages.headers import build_short_name, format_clock
from nhl_lake.league.pages.page_source import Page, PageSource

STRENGTHS = {"evenStrength": EVEN, "powerPlay": POWER, "shorthanded": SHORT}  # of the shooters


def build_boxscore_page(source: PageSource, game: ScheduledGame, as_of: datetime) -> Page:
    """Return the page of a game at a time. It has players from the first faceoff on, or later if it has a defect."""
    view = view_game(source, game, as_of)
    page = build_header(source, view) | {"regPeriods": 3} | build_team_blocks(view) | build_game_clock(view)
    if not view.status.has_started:
        return page
    if not (view.status.is_over and source.get_page_defects(game.game_id).open_rng(Defect.NO_LINES, as_of)):
        counts = count_game(view)
        page["playerByGameStats"] = {
            "awayTeam": _build_team(view, counts, AWAY),
            "homeTeam": _build_team(view, counts, HOME),
        }
    return page | {"summary": {}} | build_game_outcome(view)


def _build_team(view: GameView, counts: GameCounts, side: int) -> Page:
    spots = sorted(view.list_dressed_players(side), key=lambda spot: spot.number)
    return {
        "forwards": [_build_skater(counts, spot) for spot in spots if spot.position not in ("D", "G")],
        "defense": [_build_skater(counts, spot) for spot in spots if spot.position == "D"],
        "goalies": [_build_goalie(view, counts, spot) for spot in spots if spot.position == "G"],
    }


def _build_identity(spot: RosterSpot) -> Page:
    return {
        "playerId": spot.player.player_id,
        "sweaterNumber": spot.number,
        "name": build_short_name(spot.player),
        "position": spot.position,
    }


def _build_skater(counts: GameCounts, spot: RosterSpot) -> Page:
    def count(what: str) -> int:
        return counts.players[spot.player.player_id, what]

    return _build_identity(spot) | {
        "goals": count("goals"),
        "assists": count("assists"),
        "points": count("goals") + count("assists"),
        "plusMinus": count("plusMinus"),
        "pim": count("pim"),
        "hits": count("hit"),
        "powerPlayGoals": count("powerPlayGoals"),
        "sog": count("sog"),
        "faceoffWinningPctg": compute_share(count("faceoffs won"), count("faceoffs")),
        "toi": format_clock(count("toi")),
        "blockedShots": count("blocks"),
        "shifts": count("shifts"),
        "giveaways": count("giveaway"),
        "takeaways": count("takeaway"),
    }


def _build_goalie(view: GameView, counts: GameCounts, spot: RosterSpot) -> Page:
    def count(what: str) -> int:
        return counts.players[spot.player.player_id, what]

    faced = sum(count(f"{strength} against") for strength in STRENGTHS.values())
    saves = sum(count(f"{strength} saved") for strength in STRENGTHS.values())
    line = _build_identity(spot)
    for name, strength in STRENGTHS.items():
        line[f"{name}ShotsAgainst"] = f"{count(f'{strength} saved')}/{count(f'{strength} against')}"
    line["saveShotsAgainst"] = f"{saves}/{faced}"
    if faced:
        line["savePctg"] = compute_share(saves, faced)
    for name, strength in STRENGTHS.items():
        line[f"{name}GoalsAgainst"] = count(f"{strength} against") - count(f"{strength} saved")
    line |= {"pim": count("pim"), "goalsAgainst": faced - saves, "toi": format_clock(count("toi"))}
    line["starter"] = view.outcome is not None and spot in (lineup.goalies[0] for lineup in view.outcome.lineups)
    if decision := _find_decision(view, spot.player.player_id):
        line["decision"] = decision
    return line | {"shotsAgainst": faced, "saves": saves}


def _find_decision(view: GameView, player_id: int) -> str:
    """Return the goalie's decision: W, L, or O for a loss after regulation."""
    if view.outcome is None or not view.status.is_over:
        return ""
    if player_id == view.outcome.winning_goalie:
        return "W"
    if player_id == view.outcome.losing_goalie:
        return "O" if view.outcome.last_period_type != "REG" and view.game.game_type != 3 else "L"
    return ""


def compute_share(part: int, whole: int) -> float:
    """Return a share with six digits; 0 of nothing."""
    return round(part / whole, 6) if whole else 0.0
