"""The penalty box: who sits, for how long, and how many skaters each team may have (rules 15 to 20 and 84).

Times are seconds of the game, counted through the periods.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

MINOR, MAJOR, MISCONDUCT = 120, 300, 600
FULL, OVERTIME = 5, 3
MOST_SERVED_AT_ONCE: Final = 2  # a team never plays with fewer than three skaters: a third penalty waits


class Call(NamedTuple):
    """One penalty as it goes on the board."""

    side: int
    type_code: str  # MIN MAJ BEN MIS GAM MAT
    minutes: int
    player: int | None
    server: int | None = None  # sits instead of the player


@dataclass(slots=True, eq=False)
class Sentence:
    """A penalty that takes a skater off the ice."""

    sitter: int
    seconds: int  # still to serve when its clock starts
    minor: bool  # ends on a goal
    end: int | None = None  # None while it waits for a place
    even: bool = False  # one of a pair of coincidental minors: a goal does not end it


@dataclass(slots=True)
class Box:
    """The state of both penalty boxes and of both benches' missing men."""

    base: int = FULL
    short: tuple[list[Sentence], list[Sentence]] = field(default_factory=lambda: ([], []))
    sitting: dict[int, tuple[int, int]] = field(
        default_factory=dict
    )  # player -> (side, until), back at a whistle after
    gone: dict[int, int] = field(default_factory=dict)  # ejected: player -> side
    skaters: list[int] = field(default_factory=lambda: [FULL, FULL])

    def out(self, side: int) -> tuple[int, ...]:
        """The players of one team who cannot be on the ice."""
        names = [s.sitter for s in self.short[side]]
        names += [player for player, (whose, _) in self.sitting.items() if whose == side]
        return tuple(dict.fromkeys(names + [player for player, whose in self.gone.items() if whose == side]))

    def served(self, side: int) -> list[Sentence]:
        """The sentences of one team whose clock runs."""
        return [s for s in self.short[side] if s.end is not None]

    def next_end(self) -> int | None:
        """When the next sentence runs out."""
        return min((s.end for side in self.short for s in side if s.end is not None), default=None)

    def next_return(self, now: int) -> int | None:
        """When the next player is free to come back at a whistle."""
        return min((until for _, until in self.sitting.values() if until > now), default=None)

    def waiting(self, now: int) -> bool:
        """Whether a whistle would change who may play: somebody waits in the box, or overtime has a man too many."""
        return any(until <= now for _, until in self.sitting.values()) or self.skaters != self._allowed()

    def expire(self, now: int) -> None:
        """Let out everybody whose sentence ends now: he joins the play, which goes on."""
        for side in (0, 1):
            over = [s for s in self.short[side] if s.end is not None and s.end <= now]
            before = len(self.served(side))
            self.short[side][:] = [s for s in self.short[side] if s not in over]
            self._start_waiting(side, now)
            self.skaters[side] += before - len(self.served(side))

    def whistle(self, now: int) -> None:
        """Play is stopped: players return from penalties that cost no man, teams line up at the allowed strength."""
        self.sitting = {player: stay for player, stay in self.sitting.items() if stay[1] > now}
        self.skaters = self._allowed()

    def goal_against(self, side: int, now: int) -> None:
        """A goal on a team that is short by penalties ends its first minor, or the running half of a double minor."""
        if len(self.served(side)) > len(self.served(1 - side)):
            minors = [s for s in self.served(side) if s.minor and not s.even]
            if minors:
                first = min(minors, key=lambda s: s.end or 0)
                if first.end is not None and first.end - now > MINOR:
                    first.end = now + MINOR
                else:
                    self.short[side].remove(first)
                    self._start_waiting(side, now)
        self.whistle(now)

    def assess(self, calls: list[Call], now: int) -> None:
        """Put the penalties of one whistle on the board: equal majors and equal minors cancel out."""
        for call in calls:
            if call.type_code in ("GAM", "MAT") and call.player is not None:
                self.gone[call.player] = call.side
            if call.type_code == "MIS" and call.player is not None:
                first = sum(c.minutes * 60 for c in calls if c.player == call.player and c.type_code in ("MIN", "MAJ"))
                self.sitting[call.player] = (call.side, now + first + MISCONDUCT)
        self._pair_off([c for c in calls if c.type_code in ("MAJ", "MAT")], now)
        self._pair_off([c for c in calls if c.type_code in ("MIN", "BEN")], now)
        self.whistle(now)

    def _pair_off(self, calls: list[Call], now: int) -> None:
        """Cancel equal penalties of both teams; the rest costs a man."""
        teams = [[c for c in calls if c.side == side] for side in (0, 1)]
        minor = bool(calls) and calls[0].type_code in ("MIN", "BEN")
        if minor and self._four_on_four(teams):
            for side in (0, 1):
                self._serve(teams[side][0], MINOR, now, even=True)
            return
        for home in list(teams[0]):
            away = next((c for c in teams[1] if c.minutes == home.minutes or not minor), None)
            if away is not None:
                for call in (home, away):
                    self._sit(call, now)
                    teams[call.side].remove(call)
        for call in teams[0] + teams[1]:
            self._serve(call, 60 * call.minutes if minor else MAJOR, now)

    def _four_on_four(self, teams: list[list[Call]]) -> bool:
        """Rule 19.1: one minor each, with both teams at full strength, is served without substitutes."""
        full = self.base == FULL and not self.short[0] and not self.short[1]
        return full and all(len(team) == 1 and team[0].minutes == 2 for team in teams)

    def _sit(self, call: Call, now: int) -> None:
        if call.player is not None and call.player not in self.gone:
            until = now + 60 * call.minutes
            self.sitting[call.player] = (call.side, max(until, self.sitting.get(call.player, (0, 0))[1]))

    def _serve(self, call: Call, seconds: int, now: int, even: bool = False) -> None:  # noqa: FBT001, FBT002
        sitter = call.server if call.server is not None else call.player
        assert sitter is not None, "a penalty that costs a man has somebody to serve it"
        self.short[call.side].append(Sentence(sitter, seconds, call.type_code in ("MIN", "BEN"), even=even))
        self._start_waiting(call.side, now)

    def _start_waiting(self, side: int, now: int) -> None:
        for sentence in self.short[side]:
            if sentence.end is None and len(self.served(side)) < MOST_SERVED_AT_ONCE:
                sentence.end = now + sentence.seconds

    def _allowed(self) -> list[int]:
        """Skaters at the next faceoff."""
        fewer = [len(self.served(0)), len(self.served(1))]
        if self.base == OVERTIME:  # rule 84.3: the other team gains a man instead
            return [OVERTIME + max(0, fewer[1 - side] - fewer[side]) for side in (0, 1)]
        return [FULL - fewer[0], FULL - fewer[1]]
