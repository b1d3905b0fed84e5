"""scores/htmlreports/{season}/TH and TV: the shift reports of the home and the visiting team, as HTML.

The markup that parsers read is the NHL's: a cell with number and name above each player, six cells per shift, seven
cells per total. Style sheet and scripts are left out.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from html import escape
from itertools import groupby
from zoneinfo import ZoneInfo

from nhl_lake.league import quirks
from nhl_lake.league.defects import apply_number_defects
from nhl_lake.league.model import AWAY, HOME, RosterSpot, ScheduledGame, Shift, StrengthSegment
from nhl_lake.league.pages.game_counts import EVEN, POWER, SHORT, classify_strength
from nhl_lake.league.pages.game_status import get_full_length, get_period_type
from nhl_lake.league.pages.game_view import GameView, get_segments, view_game
from nhl_lake.league.pages.headers import build_full_name, format_clock
from nhl_lake.league.pages.page_source import PageSource

SHIFT_HEADINGS = (
    "Shift #", "Per", "Start of Shift<br>Elapsed / Game", "End of Shift<br>Elapsed / Game", "Duration",
    'Event<br><span class="note">G=Goal<br>P=Penalty</span>',
)  # fmt: skip
SUMMARY_HEADINGS = ("Per", "SHF", "AVG", "TOI", "EV&nbsp;TOT", "PP&nbsp;TOT", "SH&nbsp;TOT")
SPACER_ROW = '<tr>\n<td width="100%" class="spacer" colspan="8">&nbsp;</td>\n</tr>\n'
TABLE_TAG = '<table border="0" cellspacing="0" cellpadding="0" width="100%">\n'


def render_shift_report(source: PageSource, game: ScheduledGame, as_of: datetime, *, side: int) -> str | None:
    """Return the report of one team at a time; None before the first faceoff, or because of a quirk."""
    view = view_game(source, game, as_of)
    if not view.status.has_started or not quirks.has_shift_reports(source.seed, game.game_id):
        return None
    team = view.teams[side]
    title = "Home" if side == HOME else "Visitor"
    played = {shift.player_id for shift in view.shifts}
    spots = sorted(_replace_numbers(source, view, as_of, side), key=lambda spot: spot.number)
    return "".join([
        f'<html>\n<head>\n<META http-equiv="Content-Type" content="text/html; charset=UTF-8">\n'
        f"<title>Time On Ice Report {title} Team</title>\n</head>\n<body>\n",
        '<div class="pageBreakAfter" align="center">\n<table class="tablewidth" align="center">\n',
        _render_banner(view),
        '<tr>\n<td class="tablewidth" valign="top">\n<table class="tablewidth">\n<tr>\n',
        f'<td class="teamHeading + border" align="center">{_format_team_name(view, side)}</td>\n</tr>\n</table>\n',
        "</td>\n</tr>\n",
        f"<tr>\n<td>\n{TABLE_TAG}",
        *(_render_player(view, spot, side) for spot in spots if spot.player.player_id in played),
        f"</table>\n</td>\n</tr>\n</table>\n</div>\n<!-- {team.abbrev} -->\n</body>\n</html>\n",
    ])  # fmt: skip


def _replace_numbers(source: PageSource, view: GameView, as_of: datetime, side: int) -> list[RosterSpot]:
    """Return the dressed players, with the numbers of the report."""
    spots = view.list_dressed_players(side)
    if not view.status.is_over:
        return list(spots)
    numbers = apply_number_defects(source.get_page_defects(view.game.game_id), spots, as_of)
    return [spot._replace(number=numbers[spot.player.player_id]) for spot in spots]


def _format_team_name(view: GameView, side: int) -> str:
    return escape(build_full_name(view.teams[side])["default"].upper())


def _render_banner(view: GameView) -> str:
    """Return the banner: teams, score, date and arena."""
    game = view.game
    start = game.start.astimezone(ZoneInfo(game.timezone))
    state = "Final" if view.status.is_over else f"Period {view.status.period}"
    lines = (
        f"VISITOR {_format_team_name(view, AWAY)} {view.score[AWAY]}",
        "TOI Shift Report",
        f"{start:%A, %B} {start.day}, {start.year}",
        f"{escape(dict(game.arena)['default'])}",
        f"Start&nbsp;{start.hour % 12 or 12}:{start:%M}&nbsp;{start:%Z}",
        f"Game {game.game_id % 10_000:04d}",
        state,
        f"HOME {_format_team_name(view, HOME)} {view.score[HOME]}",
    )
    return "".join(f'<tr>\n<td align="center" style="font-weight:bold">{line}</td>\n</tr>\n' for line in lines)


def _render_player(view: GameView, spot: RosterSpot, side: int) -> str:
    player = spot.player
    last, first = (dict(name)["default"].upper() for name in (player.last, player.first))
    shifts = [shift for shift in view.shifts if shift.player_id == player.player_id]
    return "".join([
        '<tr>\n<td align="center" valign="top" class="playerHeading + border" colspan="8">'
        f"{spot.number} {escape(last)}, {escape(first)}</td>\n</tr>\n",
        _render_row("", [(heading, "heading + lborder + bborder") for heading in SHIFT_HEADINGS]),
        *(_render_shift(view, shift, n) for n, shift in enumerate(shifts)),
        f'{SPACER_ROW}<tr>\n<td align="center" colspan="8">\n',
        TABLE_TAG,
        _render_row("", [(heading, "heading + bborder + lborder") for heading in SUMMARY_HEADINGS]),
        *_render_summary(view, shifts, side),
        f"</table>\n</td>\n</tr>\n{SPACER_ROW}{SPACER_ROW}",
    ])  # fmt: skip


def _render_row(stripe: str, cells: Iterable[tuple[str, str]]) -> str:
    inner = "".join(f'<td align="center" class="{kind}">{text}</td>\n' for text, kind in cells)
    return f'<tr class="{stripe}">\n{inner}</tr>\n' if stripe else f"<tr>\n{inner}</tr>\n"


def _render_shift(view: GameView, shift: Shift, number: int) -> str:
    full = get_full_length(view.game, shift.period)
    cells = [
        f"{shift.number}",
        format_period(view.game, shift.period),
        f"{_format_minutes(shift.start)} / {_format_minutes(full - shift.start)}",
        f"{_format_minutes(shift.end)} / {_format_minutes(full - shift.end)}",
        format_clock(shift.end - shift.start),
        _format_event_marks(view, shift) or "&nbsp;",
    ]
    stripe = "oddColor" if number % 2 == 0 else "\tevenColor"
    ends = [*["lborder + bborder"] * 5, "lborder + bborder + rborder"]
    return _render_row(stripe, zip(cells, ends, strict=True))


def _format_event_marks(view: GameView, shift: Shift) -> str:
    """Return G and P for goals and penalties during the shift."""
    rows = (event for event in view.events if event.period == shift.period and shift.start < event.second <= shift.end)
    kinds = {event.kind for event in rows}
    return ("G" if "goal" in kinds else "") + ("P" if "penalty" in kinds else "")


def _format_minutes(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02d}"


def format_period(game: ScheduledGame, period: int) -> str:
    """Return the name of a period in reports: OT in the regular season, a number in the playoffs."""
    return "OT" if get_period_type(game, period) == "OT" and game.game_type != 3 else f"{period}"


def _render_summary(view: GameView, shifts: list[Shift], side: int) -> list[str]:
    """Return the totals: shifts and time on ice by period and for the game, split by strength."""
    rows: list[str] = []
    whole: dict[str, int] = defaultdict(int)
    for period, inside in groupby(shifts, key=lambda shift: shift.period):
        part = _sum_ice_time(list(inside), get_segments(view), side)
        for name, seconds in part.items():
            whole[name] += seconds
        rows.append(_render_summary_row(format_period(view.game, period), part, "" if len(rows) % 2 else "oddColor"))
    return [*rows, _render_summary_row("TOT", whole, "evenColor")]


def _sum_ice_time(shifts: list[Shift], stretches: Iterable[StrengthSegment], side: int) -> dict[str, int]:
    found = {"shifts": len(shifts), "toi": 0, EVEN: 0, POWER: 0, SHORT: 0}
    for shift in shifts:
        found["toi"] += shift.end - shift.start
        for segment in stretches:
            if segment.period == shift.period and segment.start < shift.end and segment.end > shift.start:
                player_counts = [segment.skaters[n] + (segment.goalies[n] is not None) for n in (HOME, AWAY)]
                overlap = min(segment.end, shift.end) - max(segment.start, shift.start)
                found[classify_strength(player_counts[side], player_counts[1 - side])] += overlap
    return found


def _render_summary_row(label: str, times: dict[str, int], stripe: str) -> str:
    average = round(times["toi"] / times["shifts"])
    seconds = (average, times["toi"], times[EVEN], times[POWER], times[SHORT])
    kind = "bborder + lborder + bold" if label == "TOT" else "bborder + lborder + "
    cells = [label, f"{times['shifts']}", *(format_clock(n) for n in seconds)]
    return _render_row(stripe or "evenColor", [(cell, kind) for cell in cells])
