"""Builders of handwritten play-by-play pages: players 71 and 72 at home, 82 and 83 away, goalies 31 and 32."""

from typing import Any

import polars as pl

from nhl_lake.silver.plays import PLAYS
from tests.silver.bronze_pages import build_table, make_pages

HOME, AWAY = 1, 2
SHOOTER, TEAMMATE, BLOCKER, DEFENDER, HOME_GOALIE, AWAY_GOALIE = 71, 72, 82, 83, 31, 32
ROSTER_SPOTS = [
    {"playerId": player, "teamId": team}
    for team, players in ((HOME, (SHOOTER, TEAMMATE, HOME_GOALIE)), (AWAY, (BLOCKER, DEFENDER, AWAY_GOALIE)))
    for player in players
]
PERIOD_TYPES = {3: "REG", 4: "OT", 5: "SO"}


def make_play(event: str = "shot-on-goal", /, *, number: int = 1, period: int = 1, **overrides: Any) -> dict[str, Any]:
    """Return an event; keywords are keys of the page, `details` among them; None leaves a key out."""
    row = {
        "eventId": number,
        "sortOrder": 10 * number,
        "periodDescriptor": {
            "number": period,
            "periodType": PERIOD_TYPES.get(period, "REG"),
            "maxRegulationPeriods": 3,
        },
        "timeInPeriod": "12:34",
        "typeCode": 506,
        "typeDescKey": event,
        "situationCode": "1551",
        "homeTeamDefendingSide": "left" if period % 2 else "right",
        **overrides,
    }
    return {key: value for key, value in row.items() if value is not None}


def make_shot(
    event: str = "shot-on-goal", /, *, by: int = SHOOTER, details: Any = None, **overrides: Any
) -> dict[str, Any]:
    """Return an attempt of a player, from (60, 10) on the page's ice if no place is given."""
    key = "scoringPlayerId" if event == "goal" else "shootingPlayerId"
    owner = HOME if by in (SHOOTER, TEAMMATE, HOME_GOALIE) else AWAY
    known = {key: by, "eventOwnerTeamId": owner, "xCoord": 60, "yCoord": 10, "shotType": "wrist"}
    return make_play(event, details=known | (details or {}), **overrides)


def make_page(*found: dict[str, Any], spots: list[dict[str, int]] = ROSTER_SPOTS, **overrides: Any) -> dict[str, Any]:
    sides = {"homeTeam": {"id": HOME, "score": 1}, "awayTeam": {"id": AWAY, "score": 0}}
    head = {"id": 2023020001, "season": 20232024, "gameType": 2, "gameState": "OFF"}
    return {**head, **sides, "plays": list(found), "rosterSpots": spots, **overrides}


def build_rows(*pages: dict[str, Any], state: str | None = "OFF") -> pl.DataFrame:
    """Return the rows of pages, in the order of the game."""
    return build_table(PLAYS, make_pages(*pages, state=state)).sort("game_id", "event_number")


def build_row(found: dict[str, Any], **overrides: Any) -> dict[str, Any]:
    """Return the row of an event."""
    (row,) = build_rows(make_page(found, **overrides)).to_dicts()
    return row
