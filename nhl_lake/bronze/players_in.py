"""Whom a page tells of: the players dressed in a game, and those on a roster."""

from contextlib import suppress

import msgspec

from nhl_lake.bronze import lenient


class Dressed(msgspec.Struct):
    """A dressed player, of whom only the id is read."""

    playerId: int


DRESSED = msgspec.json.Decoder(list[Dressed])


class Man(msgspec.Struct):
    """A player on a roster, likewise."""

    id: int


class Roster(msgspec.Struct):
    """A team's roster page: it names neither the team nor the season."""

    forwards: list[Man]
    defensemen: list[Man]
    goalies: list[Man]


def dressed(spots: msgspec.Raw) -> frozenset[int]:
    """Return the ids of the players dressed in a game.

    One odd page or player must not keep the others from being asked for: silver.game_quality names what is odd.
    """
    try:
        return frozenset(man.playerId for man in DRESSED.decode(spots))
    except msgspec.ValidationError:
        with suppress(msgspec.ValidationError):
            return frozenset(man.playerId for man in lenient.read(bytes(spots), list[Dressed])[0])
        return frozenset()


def on_roster(page: Roster) -> frozenset[int]:
    """Return the ids of the players on a roster page."""
    return frozenset(man.id for man in (*page.forwards, *page.defensemen, *page.goalies))
