"""Whom a page tells of: the players dressed in a game, and those on a roster."""

from contextlib import suppress

import msgspec

from nhl_lake.bronze import lenient


class RosterSpot(msgspec.Struct):
    """A dressed player, of whom only the id is read."""

    playerId: int


ROSTER_SPOTS_DECODER = msgspec.json.Decoder(list[RosterSpot])


class RosterPlayer(msgspec.Struct):
    """A player on a roster, likewise."""

    id: int


class Roster(msgspec.Struct):
    """A team's roster page: it names neither the team nor the season."""

    forwards: list[RosterPlayer]
    defensemen: list[RosterPlayer]
    goalies: list[RosterPlayer]


def read_dressed_ids(spots: msgspec.Raw) -> frozenset[int]:
    """Return the ids of the players dressed in a game.

    One odd page or player must not keep the others from being asked for: silver.game_quality names what is odd.
    """
    try:
        return frozenset(man.playerId for man in ROSTER_SPOTS_DECODER.decode(spots))
    except msgspec.ValidationError:
        with suppress(msgspec.ValidationError):
            return frozenset(man.playerId for man in lenient.read_page(bytes(spots), list[RosterSpot])[0])
        return frozenset()


def read_roster_ids(page: Roster) -> frozenset[int]:
    """Return the ids of the players on a roster page."""
    return frozenset(man.id for man in (*page.forwards, *page.defensemen, *page.goalies))
