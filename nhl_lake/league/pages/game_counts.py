"""The official counts of a game: every player's line and both teams' totals, from rows and shifts alone."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from nhl_lake.league.model import AWAY, HOME, Event, Shift
from nhl_lake.league.pages.game_view import GameView, get_segments, is_shot_on_goal

EVEN, POWER, SHORT = "even", "power", "short"


class GameCounts(NamedTuple):
    """Counts by (player id, statistic), and by (side, statistic) for teams."""

    players: Counter[tuple[int, str]]
    teams: Counter[tuple[int, str]]


def count_game(view: GameView) -> GameCounts:
    """Count a game so far. A shootout counts for no player."""
    found = GameCounts(Counter(), Counter())
    for event in view.events:
        if event.period_type != "SO" and event.side is not None:
            _count_event(found, event, event.side)
            if event.kind == "goal" and not event.penalty_shot:
                _count_plus_minus(found, view, event, event.side)
    for shift in view.shifts:
        found.players[shift.player_id, "shifts"] += 1
        found.players[shift.player_id, "toi"] += shift.end - shift.start
    for side in (HOME, AWAY):
        goals = found.teams[side, "powerPlayGoals"]
        found.teams[side, "powerPlays"] = max(goals, _count_power_plays(view, side))
    return found


def _count_event(found: GameCounts, event: Event, side: int) -> None:
    player, other = event.player or 0, event.other_player or 0
    people, teams = found
    match event.kind:
        case "hit" | "giveaway" | "takeaway":
            people[player, event.kind] += 1
            teams[side, event.kind] += 1
        case "faceoff":
            people.update([(player, "faceoffs won"), (player, "faceoffs"), (other, "faceoffs")])
            teams[side, "faceoffs won"] += 1
        case "blocked-shot" if event.reason == "blocked":
            people[other, "blocks"] += 1
            teams[1 - side, "blocks"] += 1
        case "penalty":
            people[player, "pim"] += event.minutes or 0
            teams[side, "pim"] += event.minutes or 0
        case "goal" | "shot-on-goal":
            _count_shot(found, event, side)


def _count_shot(found: GameCounts, event: Event, side: int) -> None:
    people, teams = found
    strength = read_strength(event.situation, side)
    player = event.player or 0
    people[player, "sog"] += 1
    teams[side, "sog"] += 1
    if event.goalie is not None:
        people[event.goalie, f"{strength} against"] += 1
        people[event.goalie, f"{strength} saved"] += event.kind != "goal"
    if event.kind == "goal":
        people[player, "goals"] += 1
        people.update((assist, "assists") for assist in event.assists)
        if strength == POWER:
            people[player, "powerPlayGoals"] += 1
            teams[side, "powerPlayGoals"] += 1


def _count_plus_minus(found: GameCounts, view: GameView, event: Event, side: int) -> None:
    """Count plus-minus: for all skaters on the ice at a goal, except on the power play."""
    if read_strength(event.situation, side) == POWER:
        return
    goalies = {
        spot.player.player_id
        for spot in (*view.list_dressed_players(HOME), *view.list_dressed_players(AWAY))
        if spot.position == "G"
    }
    for shift in find_shifts_on_ice(view.shifts, event.period, event.second):
        if shift.player_id not in goalies:
            ours = shift.team_id == view.teams[side].team_id
            found.players[shift.player_id, "plusMinus"] += 1 if ours else -1


def find_shifts_on_ice(shifts: Iterable[Shift], period: int, second: int) -> list[Shift]:
    """Return the shifts that include the second before a whistle."""
    return [shift for shift in shifts if shift.period == period and shift.start < second <= shift.end]


def read_strength(situation: str | None, side: int) -> str:
    """Return even, power or short from a side's view. Goalies count, so an extra attacker is even strength."""
    if situation is None:
        return EVEN
    away_goalie, away, home, home_goalie = (int(digit) for digit in situation)
    player_counts = (home + home_goalie, away + away_goalie)
    return classify_strength(player_counts[side], player_counts[1 - side])


def classify_strength(ours: int, theirs: int) -> str:
    """Return even, power or short from numbers of players."""
    return EVEN if ours == theirs else POWER if ours > theirs else SHORT


def _count_power_plays(view: GameView, side: int) -> int:
    """Count how often a team got more players than the other."""
    found, before = 0, 0
    for segment in get_segments(view):
        if (segment.period, segment.start) > (view.status.period, view.status.second):
            break
        player_counts = [segment.skaters[n] + (segment.goalies[n] is not None) for n in (HOME, AWAY)]
        more = max(player_counts[side] - player_counts[1 - side], 0)
        found += max(more - before, 0)
        before = more
    return found


def count_by_period(view: GameView, what: str) -> list[tuple[int, int]]:
    """Return the goals or shots on goal of both teams in each period so far; a shootout is won 1-0."""
    found = []
    for period in range(1, view.status.period + 1):
        rows = [event for event in view.events if event.period == period and is_shot_on_goal(event)]
        sides = [event.side for event in rows if what == "shots" or event.kind == "goal"]
        found.append((sides.count(HOME), sides.count(AWAY)))
    if what == "goals" and view.outcome and view.outcome.last_period_type == "SO" and view.status.is_over:
        found[-1] = (1, 0) if view.score[HOME] > view.score[AWAY] else (0, 1)
    return found
