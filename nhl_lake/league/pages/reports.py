"""scores/htmlreports/{season}/TH and TV: the shift reports of the home and the visiting team, as HTML.

The markup is the real report's where a reader looks: one cell with number and name over each player, six cells a shift,
seven cells a sum. The style sheet and the scripts are left out.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from html import escape
from itertools import groupby
from zoneinfo import ZoneInfo

from nhl_lake.league import quirks
from nhl_lake.league.broken import published_numbers
from nhl_lake.league.model import AWAY, HOME, ScheduledGame, Shift, Spell, Spot
from nhl_lake.league.pages.headers import clock_text, full_name
from nhl_lake.league.pages.moment import full_length, period_type
from nhl_lake.league.pages.seen import Seen, spells, watch
from nhl_lake.league.pages.source import Source
from nhl_lake.league.pages.tally import EVEN, POWER, SHORT, by_men

HEADINGS = (
    "Shift #", "Per", "Start of Shift<br>Elapsed / Game", "End of Shift<br>Elapsed / Game", "Duration",
    'Event<br><span class="note">G=Goal<br>P=Penalty</span>',
)  # fmt: skip
SUMS = ("Per", "SHF", "AVG", "TOI", "EV&nbsp;TOT", "PP&nbsp;TOT", "SH&nbsp;TOT")
SPACER = '<tr>\n<td width="100%" class="spacer" colspan="8">&nbsp;</td>\n</tr>\n'
TABLE = '<table border="0" cellspacing="0" cellpadding="0" width="100%">\n'


def report(source: Source, game: ScheduledGame, as_of: datetime, *, side: int) -> str | None:
    """The report of one team at a moment; None before the first faceoff, and where a quirk says so."""
    seen = watch(source, game, as_of)
    if not seen.now.begun or not quirks.reported(source.seed, game.game_id):
        return None
    team = seen.teams[side]
    title = "Home" if side == HOME else "Visitor"
    played = {shift.player_id for shift in seen.shifts}
    spots = sorted(_published(source, seen, as_of, side), key=lambda spot: spot.number)
    return "".join([
        f'<html>\n<head>\n<META http-equiv="Content-Type" content="text/html; charset=UTF-8">\n'
        f"<title>Time On Ice Report {title} Team</title>\n</head>\n<body>\n",
        '<div class="pageBreakAfter" align="center">\n<table class="tablewidth" align="center">\n',
        _banner(seen),
        '<tr>\n<td class="tablewidth" valign="top">\n<table class="tablewidth">\n<tr>\n',
        f'<td class="teamHeading + border" align="center">{_full_name(seen, side)}</td>\n</tr>\n</table>\n',
        "</td>\n</tr>\n",
        f"<tr>\n<td>\n{TABLE}",
        *(_player(seen, spot, side) for spot in spots if spot.player.player_id in played),
        f"</table>\n</td>\n</tr>\n</table>\n</div>\n<!-- {team.abbrev} -->\n</body>\n</html>\n",
    ])  # fmt: skip


def _published(source: Source, seen: Seen, as_of: datetime, side: int) -> list[Spot]:
    """Who is dressed, with the numbers of the report."""
    spots = seen.dressed(side)
    if not seen.now.over:
        return list(spots)
    numbers = published_numbers(source.troubles(seen.game.game_id), spots, as_of)
    return [spot._replace(number=numbers[spot.player.player_id]) for spot in spots]


def _full_name(seen: Seen, side: int) -> str:
    return escape(full_name(seen.teams[side])["default"].upper())


def _banner(seen: Seen) -> str:
    """Who played whom, when and where, with the score."""
    game = seen.game
    start = game.start.astimezone(ZoneInfo(game.timezone))
    state = "Final" if seen.now.over else f"Period {seen.now.period}"
    lines = (
        f"VISITOR {_full_name(seen, AWAY)} {seen.score[AWAY]}",
        "TOI Shift Report",
        f"{start:%A, %B} {start.day}, {start.year}",
        f"{escape(dict(game.arena)['default'])}",
        f"Start&nbsp;{start.hour % 12 or 12}:{start:%M}&nbsp;{start:%Z}",
        f"Game {game.game_id % 10_000:04d}",
        state,
        f"HOME {_full_name(seen, HOME)} {seen.score[HOME]}",
    )
    return "".join(f'<tr>\n<td align="center" style="font-weight:bold">{line}</td>\n</tr>\n' for line in lines)


def _player(seen: Seen, spot: Spot, side: int) -> str:
    player = spot.player
    last, first = (dict(name)["default"].upper() for name in (player.last, player.first))
    shifts = [shift for shift in seen.shifts if shift.player_id == player.player_id]
    return "".join([
        '<tr>\n<td align="center" valign="top" class="playerHeading + border" colspan="8">'
        f"{spot.number} {escape(last)}, {escape(first)}</td>\n</tr>\n",
        _row("", [(heading, "heading + lborder + bborder") for heading in HEADINGS]),
        *(_shift(seen, shift, n) for n, shift in enumerate(shifts)),
        f'{SPACER}<tr>\n<td align="center" colspan="8">\n',
        TABLE,
        _row("", [(heading, "heading + bborder + lborder") for heading in SUMS]),
        *_sums(seen, shifts, side),
        f"</table>\n</td>\n</tr>\n{SPACER}{SPACER}",
    ])  # fmt: skip


def _row(stripe: str, cells: Iterable[tuple[str, str]]) -> str:
    inner = "".join(f'<td align="center" class="{kind}">{text}</td>\n' for text, kind in cells)
    return f'<tr class="{stripe}">\n{inner}</tr>\n' if stripe else f"<tr>\n{inner}</tr>\n"


def _shift(seen: Seen, shift: Shift, number: int) -> str:
    full = full_length(seen.game, shift.period)
    cells = [
        f"{shift.number}",
        period_label(seen.game, shift.period),
        f"{_minutes(shift.start)} / {_minutes(full - shift.start)}",
        f"{_minutes(shift.end)} / {_minutes(full - shift.end)}",
        clock_text(shift.end - shift.start),
        _marks(seen, shift) or "&nbsp;",
    ]
    stripe = "oddColor" if number % 2 == 0 else "\tevenColor"
    ends = [*["lborder + bborder"] * 5, "lborder + bborder + rborder"]
    return _row(stripe, zip(cells, ends, strict=True))


def _marks(seen: Seen, shift: Shift) -> str:
    """G and P for goals and penalties that the player was on the ice for."""
    rows = (event for event in seen.events if event.period == shift.period and shift.start < event.second <= shift.end)
    kinds = {event.kind for event in rows}
    return ("G" if "goal" in kinds else "") + ("P" if "penalty" in kinds else "")


def _minutes(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02d}"


def period_label(game: ScheduledGame, period: int) -> str:
    """A period as the reports name it: OT in a regular season, numbers in the playoffs."""
    return "OT" if period_type(game, period) == "OT" and game.game_type != 3 else f"{period}"


def _sums(seen: Seen, shifts: list[Shift], side: int) -> list[str]:
    """Shifts and time on ice by period and in all, split by strength."""
    rows: list[str] = []
    whole: dict[str, int] = defaultdict(int)
    for period, inside in groupby(shifts, key=lambda shift: shift.period):
        part = _times(list(inside), spells(seen), side)
        for name, seconds in part.items():
            whole[name] += seconds
        rows.append(_sum(period_label(seen.game, period), part, "" if len(rows) % 2 else "oddColor"))
    return [*rows, _sum("TOT", whole, "evenColor")]


def _times(shifts: list[Shift], stretches: Iterable[Spell], side: int) -> dict[str, int]:
    found = {"shifts": len(shifts), "toi": 0, EVEN: 0, POWER: 0, SHORT: 0}
    for shift in shifts:
        found["toi"] += shift.end - shift.start
        for spell in stretches:
            if spell.period == shift.period and spell.start < shift.end and spell.end > shift.start:
                men = [spell.skaters[n] + (spell.goalies[n] is not None) for n in (HOME, AWAY)]
                overlap = min(spell.end, shift.end) - max(spell.start, shift.start)
                found[by_men(men[side], men[1 - side])] += overlap
    return found


def _sum(label: str, times: dict[str, int], stripe: str) -> str:
    average = round(times["toi"] / times["shifts"])
    seconds = (average, times["toi"], times[EVEN], times[POWER], times[SHORT])
    kind = "bborder + lborder + bold" if label == "TOT" else "bborder + lborder + "
    cells = [label, f"{times['shifts']}", *(clock_text(n) for n in seconds)]
    return _row(stripe or "evenColor", [(cell, kind) for cell in cells])
