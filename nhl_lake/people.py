"""Whom a page tells of: the players dressed in a game, and those on a roster."""

import msgspec


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

    One odd page must not keep the others from being asked for: what it says is told when silver is made of it.
    """
    try:
        return frozenset(man.playerId for man in DRESSED.decode(spots))
    except msgspec.ValidationError:
        return frozenset()


def on_roster(page: Roster) -> frozenset[int]:
    """Return the ids of the players on a roster page."""
    return frozenset(man.id for man in (*page.forwards, *page.defensemen, *page.goalies))
