"""Where the league's pages are wrong, late or odd on purpose, like the NHL's. All other pages agree.

    corrections       in a share of games (`DefectShares`), some details are wrong at first, and corrected 1, 3, 7 or 20
                      days later
    defects           in small shares of games, pages are incomplete or wrong at first: see `defects`
    empty charts      CHART_EMPTY of the shift charts stay empty, CHART_LATE are filled 2 to 5 days later
    no reports        REPORTS_MISSING of the games have no shift reports (404), with or without a chart
    repeated shifts   CHART_REPEATS of the charts list some shifts again with the next shift number
    placeholders      CHART_PLACEHOLDER of the charts have a row without an end and with length "00:00"
    old blocks        until OLD_BLOCKS_UNTIL a blocked shot belongs to the blocker's team and has no reason
    season totals     the totals next to the names at a goal are random: counting them would simulate other games

On real pages, one chart in 23 of 2024-25 stays empty, and many were late in 2025-26. Many charts of 2023-24 repeat
shifts, and 174 charts of 2019-20 have placeholders. The shares of corrections and of missing reports are invented.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from nhl_lake.league.errors import InvalidLeagueOption
from nhl_lake.league.model import Event, Game, ScheduledGame, Season, Shift
from nhl_lake.league.seeds import create_rng

CORRECTION_DELAY_DAYS = (1, 3, 7, 20)  # days, give or take five hours
CHART_EMPTY = 0.03
CHART_LATE = 0.05
REPORTS_MISSING = 0.01
CHART_REPEATS = 0.25
CHART_PLACEHOLDER = 0.02
OLD_BLOCKS_UNTIL = 20242025


@dataclass(frozen=True)
class DefectShares:
    """The shares of games whose pages are wrong at first: `corrected`, and one for each kind in `defects`."""

    corrected: float = 0.12
    partial_chart: float = 0.002
    no_plays: float = 0.002
    plays_cut: float = 0.002
    no_lines: float = 0.002
    plays_disagree: float = 0.002
    foreign_roster: float = 0.002
    no_goalie: float = 0.002
    twin_goal: float = 0.002
    goalie_number: float = 0.002
    penalty_clock: float = 0.002

    def __post_init__(self) -> None:
        for name, share in asdict(self).items():
            if not 0 <= share <= 1:
                raise InvalidLeagueOption(f"{name} is a share of games from 0 to 1, not {share:g}.")


FEW_DEFECTS = DefectShares()
MANY_DEFECTS = DefectShares(
    corrected=0.35,
    partial_chart=0.06,
    no_plays=0.05,
    plays_cut=0.05,
    no_lines=0.05,
    plays_disagree=0.06,
    foreign_roster=0.05,
    no_goalie=0.08,
    twin_goal=0.08,
    goalie_number=0.08,
    penalty_clock=0.06,
)


class Correction(NamedTuple):
    """A detail that is wrong at first: the row as first published (None: it was missing), and when it is corrected."""

    event_id: int
    first_version: Event | None
    corrected_at: datetime


def draw_corrections(
    seed: int, game: Game, ended: datetime, shares: DefectShares = FEW_DEFECTS
) -> tuple[Correction, ...]:
    """Draw the corrections of a game after its end."""
    rng = create_rng("corrections", seed, game.scheduled.game_id)
    if rng.random() >= shares.corrected:
        return ()
    kinds = ("goal", "shot-on-goal", "hit")
    rows = [e for e in game.events if e.kind in kinds and e.period_type != "SO" and not e.penalty_shot]
    found = []
    for event in rng.sample(rows, k=min(len(rows), rng.randint(1, 3))):
        until = ended + timedelta(days=rng.choice(CORRECTION_DELAY_DAYS), minutes=rng.randint(-300, 300))
        found.append(Correction(event.event_id, _draw_first_version(rng, event, game), until))
    assisted = [event for event in rows if len(event.assists) == 2]
    if assisted and rng.random() < 0.5:
        event = rng.choice(assisted)
        until = ended + timedelta(days=rng.choice(CORRECTION_DELAY_DAYS))
        found.append(Correction(event.event_id, event._replace(assists=event.assists[::-1]), until))
    return tuple({correction.event_id: correction for correction in found}.values())


def _draw_first_version(rng: Random, event: Event, game: Game) -> Event | None:
    """Return the first version of an event: no hit, a goal with other names, or a shot by a teammate."""
    if event.kind == "hit":
        return None
    if event.kind == "goal":
        return change_scorer_names(rng, event, game)
    mates = find_teammates(game, event)
    return event._replace(player=rng.choice(mates)) if mates else event


def change_scorer_names(rng: Random, event: Event, game: Game) -> Event:
    """Return a goal with one assist too few or too many, or with another scorer."""
    mates = [player for player in find_teammates(game, event) if player not in event.assists]
    if mates and rng.random() < 0.4:
        return event._replace(player=rng.choice(mates))
    if event.assists:
        return event._replace(assists=event.assists[:-1])
    return event._replace(assists=(rng.choice(mates),)) if mates else event


def find_teammates(game: Game, event: Event) -> list[int]:
    """Return the other skaters of the acting player's team on the ice."""
    lineup = game.outcome.lineups[event.side or 0]
    goalies = {spot.player.player_id for spot in lineup.goalies}
    on = {
        shift.player_id
        for shift in game.shifts
        if shift.team_id == lineup.team_id and shift.period == event.period and shift.start < event.second <= shift.end
    }
    return sorted(on - goalies - {event.player or 0})


def select_published_events(
    seed: int, game: Game, ended: datetime, as_of: datetime, shares: DefectShares = FEW_DEFECTS
) -> tuple[Event, ...]:
    """Return the rows of a game as published at a time, before or after each correction."""
    wrong = {c.event_id: c.first_version for c in draw_corrections(seed, game, ended, shares) if as_of < c.corrected_at}
    rows = (wrong.get(event.event_id, event) for event in game.events)
    return tuple(event for event in rows if event is not None)


def find_chart_start(seed: int, game_id: int, ended: datetime) -> datetime | None:
    """Return when the shift chart of a finished game gets its rows; None if never."""
    rng = create_rng("chart", seed, game_id)
    share = rng.random()
    if share < CHART_EMPTY:
        return None
    if share < CHART_EMPTY + CHART_LATE:
        return ended + timedelta(days=rng.randint(2, 5))
    return ended - timedelta(days=1)


def has_shift_reports(seed: int, game_id: int) -> bool:
    """Whether a game has shift reports."""
    return create_rng("reports", seed, game_id).random() >= REPORTS_MISSING


def draw_repeated_shifts(seed: int, game: Game) -> frozenset[Shift]:
    """Draw the shifts that a chart lists twice, the second time with the next number."""
    rng = create_rng("repeats", seed, game.scheduled.game_id)
    if not game.shifts or rng.random() >= CHART_REPEATS:
        return frozenset()
    return frozenset(rng.sample(game.shifts, k=min(len(game.shifts), rng.randint(1, 8))))


def draw_placeholder(seed: int, game_id: int) -> float | None:
    """Draw where a chart has a row without an end, as a share of its rows; None if it has none."""
    rng = create_rng("placeholder", seed, game_id)
    return rng.random() if rng.random() < CHART_PLACEHOLDER else None


def has_old_blocks(season: int) -> bool:
    """Whether the pages of a season are in the old format, in which a block belongs to the blocker's team."""
    return season <= OLD_BLOCKS_UNTIL


def draw_season_total(seed: int, season: Season, game: ScheduledGame, *, player_id: int, what: str) -> int:
    """Draw a player's goals or assists before a game: more later in the season, few in preseason and playoffs."""
    most = create_rng(what, seed, season.season, player_id).randint(2, 45)
    if game.game_type != 2:
        return most // 15
    played = (game.day - season.start) / (season.end - season.start)
    return int(most * min(max(played, 0.0), 1.0))
