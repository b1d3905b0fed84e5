"""stats/rest/en/shiftcharts: every shift, with the goals among them, and the oddities of the real charts."""

from collections import defaultdict
from datetime import datetime

from nhl_lake.league import quirks
from nhl_lake.league.broken import published_chart
from nhl_lake.league.model import AWAY, HOME, Event, Game, ScheduledGame, Shift, Spot, Team
from nhl_lake.league.pages.headers import clock_text, full_name
from nhl_lake.league.pages.seen import Seen, watch
from nhl_lake.league.pages.source import Page, Source
from nhl_lake.league.pages.tally import POWER, SHORT, strength_of

COLOURS = ("#C8102E", "#00205B")
SHIFT, GOAL = 517, 505
GOAL_WORDS = {POWER: "PPG", SHORT: "SHG"}
GOAL_DETAIL = (808, 805, 803, 802)  # seen beside goals, without a rule that anybody found


def shift_chart(source: Source, game: ScheduledGame, as_of: datetime) -> Page:
    """The chart of a game at a moment; empty before the game, and where a quirk says so."""
    seen = _published(source, watch(source, game, as_of), as_of)
    rows = _rows(source, seen) if seen.now.begun and _filled(source, seen, as_of) else []
    return {"data": rows, "total": len(rows)}


def _published(source: Source, seen: Seen, as_of: datetime) -> Seen:
    """A game without the periods that its chart does not have yet, where a quirk says so."""
    last = published_chart(source.troubles(seen.game.game_id), as_of) if seen.now.over else None
    if last is None:
        return seen
    shifts = tuple(shift for shift in seen.shifts if shift.period <= last)
    return seen._replace(shifts=shifts, events=tuple(event for event in seen.events if event.period <= last))


def _filled(source: Source, seen: Seen, as_of: datetime) -> bool:
    since = quirks.chart_from(source.seed, seen.game.game_id, source.engine.ended(seen.game.game_id))
    return since is not None and since <= as_of


def _rows(source: Source, seen: Seen) -> list[Page]:
    spots = {spot.player.player_id: spot for side in (HOME, AWAY) for spot in seen.dressed(side)}
    numbers = _event_numbers(seen)
    whole = source.engine.game(seen.game.game_id)
    twice, odd = quirks.repeated(source.seed, whole), _odd(source, whole)
    first_id = _first_id(seen.game)
    rows: list[Page] = []
    ahead: dict[int, int] = defaultdict(int)
    for shift in seen.shifts:
        spot = spots[shift.player_id]
        row = _row(seen, spot) | _shift(shift, shift.number + ahead[shift.player_id])
        row["eventNumber"] = numbers[shift.period, shift.start]
        if shift == odd:
            rows.append(row | {"endTime": "", "duration": "00:00"})
        rows.append(row)
        if shift in twice:
            ahead[shift.player_id] += 1
            rows.append(row | {"shiftNumber": shift.number + ahead[shift.player_id]})
    rows += [_goal(seen, spots, event) for event in seen.events if event.kind == "goal"]
    return [{"id": first_id + n} | row for n, row in enumerate(rows)]


def _odd(source: Source, whole: Game) -> Shift | None:
    """The shift before which there is a row without an end."""
    where = quirks.placeholder(source.seed, whole.scheduled.game_id)
    return None if where is None or not whole.shifts else whole.shifts[int(where * len(whole.shifts))]


def _first_id(game: ScheduledGame) -> int:
    """Row ids of a game begin here: apart from those of every other game, and small enough for 32 bits."""
    kind, number = divmod(game.game_id % 1_000_000, 10_000)
    return ((game.season // 10_000 - 2000) * 2_500 + (0, 200, 1_600)[kind - 1] + number) * 1_500


def _event_numbers(seen: Seen) -> dict[tuple[int, int], int]:
    """A number for every second at which shifts begin: players who come on together share it."""
    begun = sorted({(shift.period, shift.start) for shift in seen.shifts})
    return {second: 6 + 2 * n for n, second in enumerate(begun)}


def _row(seen: Seen, spot: Spot) -> Page:
    """What a row says of a player; the rest is filled in by shift or goal."""
    side = HOME if spot.team_id == seen.game.home_id else AWAY
    team: Team = seen.teams[side]
    return {
        "detailCode": 0,
        "duration": None,
        "endTime": "",
        "eventDescription": None,
        "eventDetails": None,
        "eventNumber": 0,
        "firstName": dict(spot.player.first)["default"],
        "gameId": seen.game.game_id,
        "hexValue": COLOURS[side],
        "lastName": dict(spot.player.last)["default"],
        "period": 0,
        "playerId": spot.player.player_id,
        "shiftNumber": 0,
        "startTime": "",
        "teamAbbrev": team.abbrev,
        "teamId": team.team_id,
        "teamName": full_name(team)["default"],
        "typeCode": SHIFT,
    }


def _shift(shift: Shift, number: int) -> Page:
    return {
        "duration": clock_text(shift.end - shift.start),
        "endTime": clock_text(shift.end),
        "period": shift.period,
        "shiftNumber": number,
        "startTime": clock_text(shift.start),
    }


def _goal(seen: Seen, spots: dict[int, Spot], event: Event) -> Page:
    shootout = event.period_type == "SO"
    at = clock_text(event.second)
    strength = strength_of(event.situation, event.side or HOME)
    helpers = [spots[player].player for player in event.assists]
    return _row(seen, spots[event.player or 0]) | {
        "detailCode": GOAL_DETAIL[event.event_id % len(GOAL_DETAIL)],
        "endTime": at,
        "eventDescription": "Shootout" if shootout else GOAL_WORDS.get(strength, "EVG"),
        "eventDetails": ", ".join(f"{dict(p.first)['default']} {dict(p.last)['default']}" for p in helpers),
        "eventNumber": event.event_id,
        "period": event.period,
        "startTime": at,
        "typeCode": GOAL,
    }
