"""Play-by-play pages typed by hand: two players at home (71, 72) and two away (82, 83), goalies 31 and 32."""

from typing import Any

import polars as pl

from nhl_lake.silver.plays import PLAYS
from tests.silver.pages_of import kept, made

HOME, AWAY = 1, 2
SHOOTER, MATE, BLOCKER, OTHER, HOME_GOALIE, AWAY_GOALIE = 71, 72, 82, 83, 31, 32
SPOTS = [
    {"playerId": player, "teamId": team}
    for team, players in ((HOME, (SHOOTER, MATE, HOME_GOALIE)), (AWAY, (BLOCKER, OTHER, AWAY_GOALIE)))
    for player in players
]
TYPES = {3: "REG", 4: "OT", 5: "SO"}


def play(event: str = "shot-on-goal", /, *, number: int = 1, period: int = 1, **said: Any) -> dict[str, Any]:
    """Return an event; keywords are keys of the page, `details` among them; None leaves a key out."""
    row = {
        "eventId": number,
        "sortOrder": 10 * number,
        "periodDescriptor": {"number": period, "periodType": TYPES.get(period, "REG"), "maxRegulationPeriods": 3},
        "timeInPeriod": "12:34",
        "typeCode": 506,
        "typeDescKey": event,
        "situationCode": "1551",
        "homeTeamDefendingSide": "left" if period % 2 else "right",
        **said,
    }
    return {key: value for key, value in row.items() if value is not None}


def shot(event: str = "shot-on-goal", /, *, by: int = SHOOTER, details: Any = None, **said: Any) -> dict[str, Any]:
    """Return an attempt of a player, from (60, 10) on the page's ice if no place is given."""
    key = "scoringPlayerId" if event == "goal" else "shootingPlayerId"
    owner = HOME if by in (SHOOTER, MATE, HOME_GOALIE) else AWAY
    known = {key: by, "eventOwnerTeamId": owner, "xCoord": 60, "yCoord": 10, "shotType": "wrist"}
    return play(event, details=known | (details or {}), **said)


def page(*found: dict[str, Any], spots: list[dict[str, int]] = SPOTS, **said: Any) -> dict[str, Any]:
    sides = {"homeTeam": {"id": HOME, "score": 1}, "awayTeam": {"id": AWAY, "score": 0}}
    head = {"id": 2023020001, "season": 20232024, "gameType": 2, "gameState": "OFF"}
    return {**head, **sides, "plays": list(found), "rosterSpots": spots, **said}


def rows(*pages: dict[str, Any], state: str | None = "OFF") -> pl.DataFrame:
    """Return the rows of pages, in the order of the game."""
    return made(PLAYS, kept(*pages, state=state)).sort("game_id", "event_number")


def one(found: dict[str, Any], **said: Any) -> dict[str, Any]:
    """Return the row of an event."""
    (row,) = rows(page(found, **said)).to_dicts()
    return row
