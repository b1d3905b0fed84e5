"""stats/rest/en/{skater,goalie,team}/summary: the official reports on one game."""

from datetime import datetime

from nhl_lake.league.model import AWAY, HOME, RosterSpot, ScheduledGame
from nhl_lake.league.pages.boxscore import compute_share
from nhl_lake.league.pages.game_counts import EVEN, POWER, SHORT, GameCounts, count_game
from nhl_lake.league.pages.game_view import GameView, view_game
from nhl_lake.league.pages.headers import build_full_name
from nhl_lake.league.pages.page_source import Page, PageSource

STRENGTHS = (EVEN, POWER, SHORT)


def build_game_report(source: PageSource, subject: str, game: ScheduledGame, as_of: datetime) -> Page:
    """Return the report on a game; it has no rows before the game is over."""
    view = view_game(source, game, as_of)
    rows: list[Page] = []
    if view.status.is_over:
        counts = count_game(view)
        for side in (HOME, AWAY):
            if subject == "team":
                rows.append(_build_head(view, side) | _build_team(view, counts, side))
            for spot in view.list_dressed_players(side) if subject != "team" else ():
                is_goalie = spot.position == "G"
                if is_goalie == (subject == "goalie") and counts.players[spot.player.player_id, "toi"]:
                    build = _build_goalie if is_goalie else _build_skater
                    rows.append(_build_head(view, side) | _build_player(view, spot, side) | build(counts, spot))
    return {"data": rows, "total": len(rows)}


def _build_head(view: GameView, side: int) -> Page:
    return {
        "gameId": view.game.game_id,
        "gameDate": f"{view.listing.day}",
        "gamesPlayed": 1,
        "homeRoad": "H" if side == HOME else "R",
        "opponentTeamAbbrev": view.teams[1 - side].abbrev,
    }


def _build_player(view: GameView, spot: RosterSpot, side: int) -> Page:
    first, last = dict(spot.player.first)["default"], dict(spot.player.last)["default"]
    named = "goalieFullName" if spot.position == "G" else "skaterFullName"
    return {
        "playerId": spot.player.player_id,
        named: f"{first} {last}",
        "lastName": last,
        "teamAbbrev": view.teams[side].abbrev,
        "shootsCatches": spot.player.shoots,
    }


def _build_skater(counts: GameCounts, spot: RosterSpot) -> Page:
    def count(what: str) -> int:
        return counts.players[spot.player.player_id, what]

    return {
        "positionCode": spot.position,
        "goals": count("goals"),
        "assists": count("assists"),
        "points": count("goals") + count("assists"),
        "plusMinus": count("plusMinus"),
        "penaltyMinutes": count("pim"),
        "ppGoals": count("powerPlayGoals"),
        "shots": count("sog"),
        "timeOnIcePerGame": count("toi"),
    }


def _build_goalie(counts: GameCounts, spot: RosterSpot) -> Page:
    player = spot.player.player_id
    against, saves = (
        sum(counts.players[player, f"{strength} {what}"] for strength in STRENGTHS) for what in ("against", "saved")
    )
    return {
        "shotsAgainst": against,
        "saves": saves,
        "goalsAgainst": against - saves,
        "savePct": compute_share(saves, against) if against else None,
        "penaltyMinutes": counts.players[player, "pim"],
        "timeOnIce": counts.players[player, "toi"],
    }


def _build_team(view: GameView, counts: GameCounts, side: int) -> Page:
    team = view.teams[side]
    return {
        "teamId": team.team_id,
        "teamFullName": build_full_name(team)["default"],
        "goalsFor": view.score[side],
        "goalsAgainst": view.score[1 - side],
        "shotsForPerGame": counts.teams[side, "sog"],
        "shotsAgainstPerGame": counts.teams[1 - side, "sog"],
    }
