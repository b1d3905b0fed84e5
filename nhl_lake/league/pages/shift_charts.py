"""stats/rest/en/shiftcharts: every shift, with rows of goals among them, and the quirks of the NHL's charts."""

from collections import defaultdict
from datetime import datetime

from nhl_lake.league import quirks
from nhl_lake.league.defects import find_last_chart_period
from nhl_lake.league.model import AWAY, HOME, Event, Game, RosterSpot, ScheduledGame, Shift, Team
from nhl_lake.league.pages.game_counts import POWER, SHORT, read_strength
from nhl_lake.league.pages.game_view import GameView, view_game
from nhl_lake.league.pages.headers import build_full_name, format_clock
from nhl_lake.league.pages.page_source import Page, PageSource

TEAM_COLORS = ("#C8102E", "#00205B")
SHIFT_TYPE_CODE, GOAL_TYPE_CODE = 517, 505
GOAL_DESCRIPTIONS = {POWER: "PPG", SHORT: "SHG"}
GOAL_DETAIL_CODES = (808, 805, 803, 802)  # on the NHL's pages next to goals, without a known rule


def build_shift_chart_page(source: PageSource, game: ScheduledGame, as_of: datetime) -> Page:
    """Return the chart of a game at a time. It is empty before the game, or because of a quirk."""
    view = _drop_missing_periods(source, view_game(source, game, as_of), as_of)
    rows = _build_rows(source, view) if view.status.has_started and _is_chart_filled(source, view, as_of) else []
    return {"data": rows, "total": len(rows)}


def _drop_missing_periods(source: PageSource, view: GameView, as_of: datetime) -> GameView:
    """Return a game without the periods that its chart lacks because of a defect."""
    last = find_last_chart_period(source.get_page_defects(view.game.game_id), as_of) if view.status.is_over else None
    if last is None:
        return view
    shifts = tuple(shift for shift in view.shifts if shift.period <= last)
    return view._replace(shifts=shifts, events=tuple(event for event in view.events if event.period <= last))


def _is_chart_filled(source: PageSource, view: GameView, as_of: datetime) -> bool:
    since = quirks.find_chart_start(source.seed, view.game.game_id, source.engine.get_end_time(view.game.game_id))
    return since is not None and since <= as_of


def _build_rows(source: PageSource, view: GameView) -> list[Page]:
    spots = {spot.player.player_id: spot for side in (HOME, AWAY) for spot in view.list_dressed_players(side)}
    numbers = _assign_event_numbers(view)
    whole = source.engine.get_game(view.game.game_id)
    twice, odd = quirks.draw_repeated_shifts(source.seed, whole), _find_placeholder_shift(source, whole)
    first_id = _compute_first_id(view.game)
    rows: list[Page] = []
    ahead: dict[int, int] = defaultdict(int)
    for shift in view.shifts:
        spot = spots[shift.player_id]
        row = _build_row(view, spot) | _build_shift(shift, shift.number + ahead[shift.player_id])
        row["eventNumber"] = numbers[shift.period, shift.start]
        if shift == odd:
            rows.append(row | {"endTime": "", "duration": "00:00"})
        rows.append(row)
        if shift in twice:
            ahead[shift.player_id] += 1
            rows.append(row | {"shiftNumber": shift.number + ahead[shift.player_id]})
    rows += [_build_goal(view, spots, event) for event in view.events if event.kind == "goal"]
    return [{"id": first_id + n} | row for n, row in enumerate(rows)]


def _find_placeholder_shift(source: PageSource, whole: Game) -> Shift | None:
    """Return the shift before which the chart has a row without an end."""
    where = quirks.draw_placeholder(source.seed, whole.scheduled.game_id)
    return None if where is None or not whole.shifts else whole.shifts[int(where * len(whole.shifts))]


def _compute_first_id(game: ScheduledGame) -> int:
    """Return the first row id of a game: no two games share ids, and all fit into 32 bits."""
    kind, number = divmod(game.game_id % 1_000_000, 10_000)
    return ((game.season // 10_000 - 2000) * 2_500 + (0, 200, 1_600)[kind - 1] + number) * 1_500


def _assign_event_numbers(view: GameView) -> dict[tuple[int, int], int]:
    """Number the seconds at which shifts start: players who come on together share a number."""
    begun = sorted({(shift.period, shift.start) for shift in view.shifts})
    return {second: 6 + 2 * n for n, second in enumerate(begun)}


def _build_row(view: GameView, spot: RosterSpot) -> Page:
    """Return the player's part of a row; the shift or goal adds the rest."""
    side = HOME if spot.team_id == view.game.home_id else AWAY
    team: Team = view.teams[side]
    return {
        "detailCode": 0,
        "duration": None,
        "endTime": "",
        "eventDescription": None,
        "eventDetails": None,
        "eventNumber": 0,
        "firstName": dict(spot.player.first)["default"],
        "gameId": view.game.game_id,
        "hexValue": TEAM_COLORS[side],
        "lastName": dict(spot.player.last)["default"],
        "period": 0,
        "playerId": spot.player.player_id,
        "shiftNumber": 0,
        "startTime": "",
        "teamAbbrev": team.abbrev,
        "teamId": team.team_id,
        "teamName": build_full_name(team)["default"],
        "typeCode": SHIFT_TYPE_CODE,
    }


def _build_shift(shift: Shift, number: int) -> Page:
    return {
        "duration": format_clock(shift.end - shift.start),
        "endTime": format_clock(shift.end),
        "period": shift.period,
        "shiftNumber": number,
        "startTime": format_clock(shift.start),
    }


def _build_goal(view: GameView, spots: dict[int, RosterSpot], event: Event) -> Page:
    shootout = event.period_type == "SO"
    at = format_clock(event.second)
    strength = read_strength(event.situation, event.side or HOME)
    helpers = [spots[player].player for player in event.assists]
    return _build_row(view, spots[event.player or 0]) | {
        "detailCode": GOAL_DETAIL_CODES[event.event_id % len(GOAL_DETAIL_CODES)],
        "endTime": at,
        "eventDescription": "Shootout" if shootout else GOAL_DESCRIPTIONS.get(strength, "EVG"),
        "eventDetails": ", ".join(f"{dict(p.first)['default']} {dict(p.last)['default']}" for p in helpers),
        "eventNumber": event.event_id,
        "period": event.period,
        "startTime": at,
        "typeCode": GOAL_TYPE_CODE,
    }
