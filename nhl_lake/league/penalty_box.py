"""The penalty box: who serves, for how long, and how many skaters each team may have (rules 15 to 20 and 84).

Times are seconds of the game, not of the period.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

MINOR, MAJOR, MISCONDUCT = 120, 300, 600
FULL_STRENGTH, OVERTIME_SKATERS = 5, 3
MAX_RUNNING_PENALTIES: Final = 2  # a team never plays with fewer than three skaters: a third penalty waits


class PenaltyCall(NamedTuple):
    """A penalty as called."""

    side: int
    type_code: str  # MIN MAJ BEN MIS GAM MAT
    minutes: int
    player: int | None
    server: int | None = None  # serves in place of the player


@dataclass(slots=True, eq=False)
class TimedPenalty:
    """A penalty that takes a skater off the ice."""

    player: int
    seconds: int  # seconds to serve when its clock starts
    is_minor: bool  # ends on a goal
    end: int | None = None  # None while it waits
    is_coincidental: bool = False  # a coincidental minor: a goal does not end it


@dataclass(slots=True)
class PenaltyBox:
    """The state of both penalty boxes, and of the players that both teams are short."""

    base_skaters: int = FULL_STRENGTH
    penalties: tuple[list[TimedPenalty], list[TimedPenalty]] = field(default_factory=lambda: ([], []))
    sitting_until: dict[int, tuple[int, int]] = field(
        default_factory=dict
    )  # player -> (side, until): may return at a whistle after that
    ejected: dict[int, int] = field(default_factory=dict)  # ejected: player -> side
    skaters: list[int] = field(default_factory=lambda: [FULL_STRENGTH, FULL_STRENGTH])

    def find_unavailable(self, side: int) -> tuple[int, ...]:
        """Return the players of one team who cannot be on the ice."""
        names = [s.player for s in self.penalties[side]]
        names += [player for player, (whose, _) in self.sitting_until.items() if whose == side]
        return tuple(dict.fromkeys(names + [player for player, whose in self.ejected.items() if whose == side]))

    def list_running_penalties(self, side: int) -> list[TimedPenalty]:
        """Return the running penalties of one team."""
        return [s for s in self.penalties[side] if s.end is not None]

    def find_next_expiry(self) -> int | None:
        """Return when the next penalty expires."""
        return min((s.end for side in self.penalties for s in side if s.end is not None), default=None)

    def find_next_return(self, now: int) -> int | None:
        """Return when the next player may return at a whistle."""
        return min((until for _, until in self.sitting_until.values() if until > now), default=None)

    def needs_whistle(self, now: int) -> bool:
        """Whether a whistle would change who may play: a player waits in the box, or overtime has an extra skater."""
        return (
            any(until <= now for _, until in self.sitting_until.values())
            or self.skaters != self._count_allowed_skaters()
        )

    def expire_penalties(self, now: int) -> None:
        """Release every player whose penalty ends now; play continues."""
        for side in (0, 1):
            over = [s for s in self.penalties[side] if s.end is not None and s.end <= now]
            before = len(self.list_running_penalties(side))
            self.penalties[side][:] = [s for s in self.penalties[side] if s not in over]
            self._start_waiting_penalties(side, now)
            self.skaters[side] += before - len(self.list_running_penalties(side))

    def stop_play(self, now: int) -> None:
        """Stop play: players return from penalties that left no team short, and teams have the allowed strength."""
        self.sitting_until = {player: stay for player, stay in self.sitting_until.items() if stay[1] > now}
        self.skaters = self._count_allowed_skaters()

    def apply_goal_against(self, side: int, now: int) -> None:
        """Apply a goal against a shorthanded team: it ends the first minor, or the running half of a double minor."""
        if len(self.list_running_penalties(side)) > len(self.list_running_penalties(1 - side)):
            minors = [s for s in self.list_running_penalties(side) if s.is_minor and not s.is_coincidental]
            if minors:
                first = min(minors, key=lambda s: s.end or 0)
                if first.end is not None and first.end - now > MINOR:
                    first.end = now + MINOR
                else:
                    self.penalties[side].remove(first)
                    self._start_waiting_penalties(side, now)
        self.stop_play(now)

    def assess_penalties(self, calls: list[PenaltyCall], now: int) -> None:
        """Start the penalties of one whistle: equal majors and equal minors cancel out."""
        for call in calls:
            if call.type_code in ("GAM", "MAT") and call.player is not None:
                self.ejected[call.player] = call.side
            if call.type_code == "MIS" and call.player is not None:
                first = sum(c.minutes * 60 for c in calls if c.player == call.player and c.type_code in ("MIN", "MAJ"))
                self.sitting_until[call.player] = (call.side, now + first + MISCONDUCT)
        self._cancel_equal_penalties([c for c in calls if c.type_code in ("MAJ", "MAT")], now)
        self._cancel_equal_penalties([c for c in calls if c.type_code in ("MIN", "BEN")], now)
        self.stop_play(now)

    def _cancel_equal_penalties(self, calls: list[PenaltyCall], now: int) -> None:
        """Cancel equal penalties of both teams; each of the others leaves a team short."""
        teams = [[c for c in calls if c.side == side] for side in (0, 1)]
        minor = bool(calls) and calls[0].type_code in ("MIN", "BEN")
        if minor and self._is_four_on_four(teams):
            for side in (0, 1):
                self._add_penalty(teams[side][0], MINOR, now, even=True)
            return
        for home in list(teams[0]):
            away = next((c for c in teams[1] if c.minutes == home.minutes or not minor), None)
            if away is not None:
                for call in (home, away):
                    self._send_to_box(call, now)
                    teams[call.side].remove(call)
        for call in teams[0] + teams[1]:
            self._add_penalty(call, 60 * call.minutes if minor else MAJOR, now)

    def _is_four_on_four(self, teams: list[list[PenaltyCall]]) -> bool:
        """Whether rule 19.1 applies: with one minor each and both teams at full strength, teams play four on four."""
        full = self.base_skaters == FULL_STRENGTH and not self.penalties[0] and not self.penalties[1]
        return full and all(len(team) == 1 and team[0].minutes == 2 for team in teams)

    def _send_to_box(self, call: PenaltyCall, now: int) -> None:
        if call.player is not None and call.player not in self.ejected:
            until = now + 60 * call.minutes
            self.sitting_until[call.player] = (call.side, max(until, self.sitting_until.get(call.player, (0, 0))[1]))

    def _add_penalty(self, call: PenaltyCall, seconds: int, now: int, even: bool = False) -> None:  # noqa: FBT001, FBT002
        sitter = call.server if call.server is not None else call.player
        assert sitter is not None, "a penalty that leaves a team short has a player to serve it"
        self.penalties[call.side].append(
            TimedPenalty(sitter, seconds, call.type_code in ("MIN", "BEN"), is_coincidental=even)
        )
        self._start_waiting_penalties(call.side, now)

    def _start_waiting_penalties(self, side: int, now: int) -> None:
        for sentence in self.penalties[side]:
            if sentence.end is None and len(self.list_running_penalties(side)) < MAX_RUNNING_PENALTIES:
                sentence.end = now + sentence.seconds

    def _count_allowed_skaters(self) -> list[int]:
        """Return the number of skaters of each team at the next faceoff."""
        fewer = [len(self.list_running_penalties(0)), len(self.list_running_penalties(1))]
        if self.base_skaters == OVERTIME_SKATERS:  # rule 84.3: the other team gains a player instead
            return [OVERTIME_SKATERS + max(0, fewer[1 - side] - fewer[side]) for side in (0, 1)]
        return [FULL_STRENGTH - fewer[0], FULL_STRENGTH - fewer[1]]
