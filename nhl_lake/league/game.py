"""A game in full: the outcome with shifts, faceoffs and play around it, as rows of a play-by-play page."""

from __future__ import annotations

from random import Random
from typing import Final, NamedTuple

from nhl_lake.league import parameters as rates
from nhl_lake.league import plays, rink
from nhl_lake.league.bench import build_bench
from nhl_lake.league.game_draft import (
    EventRow,
    GameDraft,
    add_event,
    create_event,
    find_on_ice,
    find_segment,
    format_situation_code,
)
from nhl_lake.league.ice_timeline import TeamTimelines, build_timelines
from nhl_lake.league.model import AWAY, HOME, Event, Game, GameOutcome, Goal, Penalty, ScheduledGame, Shift
from nhl_lake.league.rotation import ShiftInterval, simulate_shifts
from nhl_lake.league.whistles import Whistle, draw_whistles, get_period_lengths

REASONS_WITHOUT_STOPPAGE: Final = ("goal", "penalty", "period-start", "period-end")
UNBLOCKED_KINDS: Final = ("shot-on-goal", "missed-shot", "goal")
PENALTY_SHOT_OUTCOMES: Final = (("shot-on-goal", 0.62), ("missed-shot", 0.33), ("failed-shot-attempt", 0.05))


class PlayedGame(NamedTuple):
    """A game, and what only the engine knows about it."""

    game: Game
    timelines: TeamTimelines
    rows: tuple[EventRow, ...]  # the game's events, with the side of a line change to which each belongs


def simulate_game(rng: Random, scheduled: ScheduledGame, outcome: GameOutcome) -> PlayedGame:
    """Simulate the details of a game with a given outcome."""
    playoffs = scheduled.game_type == 3
    teams = (build_bench(outcome.lineups[0]), build_bench(outcome.lineups[1]))
    rows = draw_whistles(rng, outcome, get_period_lengths(outcome, playoffs=playoffs))
    out = (simulate_shifts(rng, HOME, teams[0], outcome, rows), simulate_shifts(rng, AWAY, teams[1], outcome, rows))
    ice = (build_timelines(out[0], teams[0].goalies), build_timelines(out[1], teams[1].goalies))
    draft = GameDraft(rng, outcome, teams, ice, rows, home_defends_left=rng.random() < 0.5, playoffs=playoffs)
    for here, after in zip(rows, [*rows[1:], None], strict=True):
        _write_whistle(draft, here)
        if after is not None and after.period == here.period:
            _write_delayed_penalties(draft, here, after)
            plays.simulate_play(draft, here, after)
    _write_shootout(draft)
    written = _assign_event_ids(rng, draft.rows, outcome)
    shifts = tuple(shift for side in (0, 1) for shift in _number_shifts(out[side], outcome.lineups[side].team_id))
    return PlayedGame(Game(scheduled, outcome, tuple(row.event for row in written), shifts), ice, written)


def _write_whistle(draft: GameDraft, here: Whistle) -> None:
    """Write all rows of a whistle's second: goal, stoppage, penalties, penalty shot, faceoff."""
    period, second = here.period, here.second
    before, after = (format_situation_code(find_segment(draft, period, second, before=b)) for b in (True, False))
    if here.reason == "period-start":
        add_event(draft, create_event(draft, period, 0, "period-start", after), before=False)
    goals = [goal for goal in draft.outcome.goals if (goal.period, goal.second) == (period, second)]
    for goal in [goal for goal in goals if not goal.penalty_shot]:
        _write_goal(draft, goal, order=1)
    if here.reason not in REASONS_WITHOUT_STOPPAGE:
        add_event(
            draft,
            create_event(draft, period, second, "stoppage", before)._replace(
                reason=here.reason, secondary_reason=here.secondary_reason
            ),
        )
    for row in [row for row in draft.outcome.penalties if (row.period, row.second) == (period, second)]:
        _write_penalty(draft, row)
    if here.reason == "penalty" and here.secondary_reason:
        add_event(
            draft,
            create_event(draft, period, second, "stoppage", before)._replace(reason=here.secondary_reason),
            order=6,
        )
    last = here is draft.whistles[-1]
    if here.reason == "period-end":
        for kind in ("period-end", "game-end") if last and draft.outcome.last_period_type != "SO" else ("period-end",):
            add_event(draft, create_event(draft, period, second, kind, before))
    elif draft.outcome.last_period_type != "OT" or (period, second) != (
        draft.outcome.last_period,
        draft.outcome.last_second,
    ):
        _write_faceoff(draft, here, after)


def _write_faceoff(draft: GameDraft, here: Whistle, situation: str) -> None:
    """Write a faceoff; the row belongs to the winner's team."""
    rng = draft.rng
    takers = []
    for side in (HOME, AWAY):
        skaters, _ = find_on_ice(draft, side, here.period, here.second, before=False)
        team = draft.teams[side]
        takers.append(
            max((s.player for s in skaters), key=lambda p: (p in team.centers, team.players[p].skills.faceoff))
        )
    skill = [draft.teams[side].players[takers[side]].skills.faceoff for side in (HOME, AWAY)]
    winner = HOME if rng.random() < 0.507 + skill[0] - skill[1] else AWAY
    place = rink.draw_faceoff_dot(rng, here)
    event = create_event(draft, here.period, here.second, "faceoff", situation)
    event = event._replace(side=winner, player=takers[winner], other_player=takers[1 - winner])
    add_event(draft, event, place if winner == HOME else place.flip(), before=False)


def _write_goal(draft: GameDraft, goal: Goal, order: int) -> None:
    draft.score[goal.side] += 1
    draft.sog[goal.side] += 1
    role = "D" if draft.teams[goal.side].players[goal.scorer].position == "D" else "F"
    kind = "wrist" if goal.goalie is None else plays.draw_shot_type(draft, role, goal=True)
    place = (
        _draw_breakaway_point(draft.rng)
        if goal.penalty_shot
        else rink.draw_shot_point(draft.rng, role, kind, goal=True, empty=goal.goalie is None)
    )
    event = create_event(draft, goal.period, goal.second, "goal", goal.situation)._replace(
        side=goal.side, player=goal.scorer, assists=goal.assists, goalie=goal.goalie, shot_type=kind,
        score=(draft.score[HOME], draft.score[AWAY]), penalty_shot=goal.penalty_shot,
    )  # fmt: skip
    add_event(draft, event, place, order=order)


def _draw_breakaway_point(rng: Random) -> rink.RinkPoint:
    return rink.RinkPoint(rng.randint(68, 83), rng.randint(-8, 8))


def _write_penalty(draft: GameDraft, row: Penalty) -> None:
    event = create_event(draft, row.period, row.second, "penalty", row.situation)._replace(
        side=row.side,
        player=row.player,
        other_player=row.drawn_by,
        served_by=row.served_by,
        penalty_type=row.type_code,
        desc=row.desc,
        minutes=row.minutes,
    )
    add_event(draft, event, rink.draw_point(draft.rng, rates.PENALTY_X, rates.PENALTY_Y, rates.OWN_ZONE["penalty"]))
    if row.type_code == "PS" and row.drawn_by is not None:
        scored = [g for g in draft.outcome.goals if g.penalty_shot and (g.period, g.second) == (row.period, row.second)]
        if scored:
            _write_goal(draft, scored[0], order=5)
            return
        # a pulled goalie may return for it
        goalie = next(
            g
            for s in reversed(draft.outcome.segments)
            if (g := s.goalies[row.side]) is not None and s.period <= row.period
        )
        outcome = draft.rng.choices([o for o, _ in PENALTY_SHOT_OUTCOMES], [n for _, n in PENALTY_SHOT_OUTCOMES])[0]
        _write_penalty_shot(draft, (row.period, row.second), 1 - row.side, (row.drawn_by, goalie), outcome)


def _write_penalty_shot(
    draft: GameDraft, at: tuple[int, int], side: int, players: tuple[int, int | None], outcome: str
) -> None:
    """Write a penalty shot or a shootout attempt: one shooter, one goalie."""
    shooter, goalie = players
    situation = "1010" if side == HOME else "0101"
    event = create_event(draft, *at, outcome, situation)._replace(
        side=side, player=shooter, goalie=goalie, penalty_shot=True
    )
    if outcome != "failed-shot-attempt":
        event = event._replace(shot_type=draft.rng.choices(("wrist", "snap", "backhand"), (6, 2, 2))[0])
    if outcome == "missed-shot":
        event = event._replace(
            reason=draft.rng.choices([m for m, _ in rates.MISS_REASONS], [n for _, n in rates.MISS_REASONS])[0]
        )
    if outcome == "shot-on-goal":
        draft.sog[side] += 1
        event = event._replace(sog=(draft.sog[HOME], draft.sog[AWAY]))
    if outcome == "goal":
        event = event._replace(score=(draft.score[HOME], draft.score[AWAY]))  # a shootout goal does not count
    add_event(draft, event, _draw_breakaway_point(draft.rng), order=5)


def _write_delayed_penalties(draft: GameDraft, here: Whistle, after: Whistle) -> None:
    """Write delayed penalties; the row belongs to the team that will be penalized."""
    for row in dict.fromkeys(
        (r.period, r.delayed_from, r.side) for r in (*draft.outcome.penalties, *draft.outcome.cancelled_penalties)
    ):
        period, delayed, side = row
        if period == here.period and delayed is not None and here.second <= delayed < after.second:
            situation = format_situation_code(find_segment(draft, period, delayed, before=True))
            add_event(
                draft, create_event(draft, period, delayed, "delayed-penalty", situation)._replace(side=side), order=0.5
            )


def _write_shootout(draft: GameDraft) -> None:
    if not draft.outcome.shootout:
        return
    first = draft.outcome.shootout[0]
    add_event(draft, create_event(draft, 5, 0, "period-start", "1010" if first.side == HOME else "0101"), before=False)
    for attempt in draft.outcome.shootout:
        _write_penalty_shot(draft, (5, 0), attempt.side, (attempt.shooter, attempt.goalie), attempt.outcome)
    for kind in ("shootout-complete", "period-end", "game-end"):
        add_event(draft, create_event(draft, 5, 0, kind, draft.rows[-1].event.situation))


def _assign_event_ids(rng: Random, rows: list[EventRow], outcome: GameOutcome) -> tuple[EventRow, ...]:
    """Order the rows and number them: sort orders increase with gaps, event ids are unique but not in order."""
    ordered = sorted(rows, key=lambda row: (row.event.period, row.event.second, row.order))
    numbers = rng.sample(range(6, 6 + 4 * len(ordered)), len(ordered))
    sort_order, previous = 7, None
    written: list[EventRow] = []
    for row, number in zip(ordered, numbers, strict=True):
        sort_order += rng.choices((1, 2, 3, 5, 9), (60, 18, 12, 6, 4))[0]
        event = row.event._replace(event_id=number, sort_order=sort_order)
        if event.kind in UNBLOCKED_KINDS and previous is not None and not event.penalty_shot:
            event = event._replace(rebound=_is_rebound(previous, event), rush=_is_rush(previous, event))
        if event.kind != "delayed-penalty":
            previous = event
        written.append(row._replace(event=event))
    return tuple(written)


def _is_rebound(previous: Event, event: Event) -> bool:
    """Whether the previous row is an unblocked attempt of the same team at most three seconds earlier."""
    near = previous.period == event.period and event.second - previous.second <= 3
    return (
        near
        and previous.kind in ("shot-on-goal", "missed-shot")
        and previous.side == event.side
        and not previous.penalty_shot
    )


def _is_rush(previous: Event, event: Event) -> bool:
    """Whether the previous row is outside the shooter's offensive zone, at most four seconds earlier."""
    if previous.period != event.period or event.second - previous.second > 4 or previous.x is None:
        return False
    attacks_right = (event.side == HOME) == (event.home_defending_side == "left")
    return previous.kind not in ("faceoff", "penalty") and (previous.x if attacks_right else -previous.x) < 25


def _number_shifts(rows: list[ShiftInterval], team_id: int) -> list[Shift]:
    """Number each player's shifts, in order of time."""
    count: dict[int, int] = {}
    shifts = []
    for row in sorted(rows, key=lambda stay: (stay.player, stay.period, stay.start)):
        count[row.player] = count.get(row.player, 0) + 1
        shifts.append(Shift(row.player, team_id, count[row.player], row.period, row.start, row.end))
    return shifts
