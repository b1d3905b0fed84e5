"""gamecenter/{id}/boxscore: the line of every player who is dressed."""

from datetime import datetime

from nhl_lake.league.broken import Way
from nhl_lake.league.model import AWAY, HOME, ScheduledGame, Spot
from nhl_lake.league.pages.headers import clock_text, short_name
from nhl_lake.league.pages.seen import Seen, ending, game_clock, head, sides, watch
from nhl_lake.league.pages.source import Page, Source
from nhl_lake.league.pages.tally import EVEN, POWER, SHORT, Tally, tally

STRENGTHS = {"evenStrength": EVEN, "powerPlay": POWER, "shorthanded": SHORT}  # of the shooters


def boxscore(source: Source, game: ScheduledGame, as_of: datetime) -> Page:
    """The page of a game at a moment; players from the first faceoff on, or later, where a quirk says so."""
    seen = watch(source, game, as_of)
    page = head(source, seen) | {"regPeriods": 3} | sides(seen) | game_clock(seen)
    if not seen.now.begun:
        return page
    if not (seen.now.over and source.troubles(game.game_id).at(Way.NO_LINES, as_of)):
        counts = tally(seen)
        page["playerByGameStats"] = {
            "awayTeam": _team(seen, counts, AWAY),
            "homeTeam": _team(seen, counts, HOME),
        }
    return page | {"summary": {}} | ending(seen)


def _team(seen: Seen, counts: Tally, side: int) -> Page:
    spots = sorted(seen.dressed(side), key=lambda spot: spot.number)
    return {
        "forwards": [_skater(counts, spot) for spot in spots if spot.position not in ("D", "G")],
        "defense": [_skater(counts, spot) for spot in spots if spot.position == "D"],
        "goalies": [_goalie(seen, counts, spot) for spot in spots if spot.position == "G"],
    }


def _who(spot: Spot) -> Page:
    return {
        "playerId": spot.player.player_id,
        "sweaterNumber": spot.number,
        "name": short_name(spot.player),
        "position": spot.position,
    }


def _skater(counts: Tally, spot: Spot) -> Page:
    def count(what: str) -> int:
        return counts.players[spot.player.player_id, what]

    return _who(spot) | {
        "goals": count("goals"),
        "assists": count("assists"),
        "points": count("goals") + count("assists"),
        "plusMinus": count("plusMinus"),
        "pim": count("pim"),
        "hits": count("hit"),
        "powerPlayGoals": count("powerPlayGoals"),
        "sog": count("sog"),
        "faceoffWinningPctg": share(count("faceoffs won"), count("faceoffs")),
        "toi": clock_text(count("toi")),
        "blockedShots": count("blocks"),
        "shifts": count("shifts"),
        "giveaways": count("giveaway"),
        "takeaways": count("takeaway"),
    }


def _goalie(seen: Seen, counts: Tally, spot: Spot) -> Page:
    def count(what: str) -> int:
        return counts.players[spot.player.player_id, what]

    faced = sum(count(f"{strength} against") for strength in STRENGTHS.values())
    saves = sum(count(f"{strength} saved") for strength in STRENGTHS.values())
    line = _who(spot)
    for name, strength in STRENGTHS.items():
        line[f"{name}ShotsAgainst"] = f"{count(f'{strength} saved')}/{count(f'{strength} against')}"
    line["saveShotsAgainst"] = f"{saves}/{faced}"
    if faced:
        line["savePctg"] = share(saves, faced)
    for name, strength in STRENGTHS.items():
        line[f"{name}GoalsAgainst"] = count(f"{strength} against") - count(f"{strength} saved")
    line |= {"pim": count("pim"), "goalsAgainst": faced - saves, "toi": clock_text(count("toi"))}
    line["starter"] = seen.story is not None and spot in (lineup.goalies[0] for lineup in seen.story.lineups)
    if decision := _decision(seen, spot.player.player_id):
        line["decision"] = decision
    return line | {"shotsAgainst": faced, "saves": saves}


def _decision(seen: Seen, player_id: int) -> str:
    """W, L, or O for a defeat after regulation."""
    if seen.story is None or not seen.now.over:
        return ""
    if player_id == seen.story.winning_goalie:
        return "W"
    if player_id == seen.story.losing_goalie:
        return "O" if seen.story.last_type != "REG" and seen.game.game_type != 3 else "L"
    return ""


def share(part: int, whole: int) -> float:
    """A share with six digits, 0 of nothing."""
    return round(part / whole, 6) if whole else 0.0
