"""Read the ids of the players on a page: those dressed in a game, and those on a roster."""

from contextlib import suppress

import msgspec

from nhl_lake.bronze import lenient
from nhl_lake.bronze.numbers import Int64


class RosterSpot(msgspec.Struct):
    """A dressed player."""

    playerId: Int64


ROSTER_SPOTS_DECODER = msgspec.json.Decoder(list[RosterSpot])


class RosterPlayer(msgspec.Struct):
    """A player on a roster."""

    id: Int64


class Roster(msgspec.Struct):
    """A team's roster page: it names neither the team nor the season."""

    forwards: list[RosterPlayer]
    defensemen: list[RosterPlayer]
    goalies: list[RosterPlayer]


def read_dressed_ids(spots: msgspec.Raw) -> frozenset[int]:
    """Return the ids of the players dressed in a game.

    An invalid page or player must not hide the other players. silver.game_quality reports what is invalid.
    """
    try:
        return frozenset(player.playerId for player in ROSTER_SPOTS_DECODER.decode(spots))
    except msgspec.MsgspecError:
        with suppress(msgspec.MsgspecError):
            return frozenset(player.playerId for player in lenient.read_page(bytes(spots), list[RosterSpot])[0])
        return frozenset()


def read_roster_ids(page: Roster) -> frozenset[int]:
    """Return the ids of the players on a roster page."""
    return frozenset(player.id for player in (*page.forwards, *page.defensemen, *page.goalies))
