"""Builder of a handwritten game: skaters 71, 72, 73 and goalie 31 at home, 82, 83, 84 and 32 away."""

from typing import Any

import polars as pl

from nhl_lake.schema.table import Table
from tests.gold.league_tables import Silver, build_gold, build_silver
from tests.silver import builders, play_builders
from tests.silver.bronze_pages import NO_PAGES
from tests.silver.play_builders import AWAY, HOME

GAME = 2023020001
TEAMS = {HOME: {71: "C", 72: "D", 73: "L", 31: "G"}, AWAY: {82: "C", 83: "D", 84: "R", 32: "G"}}
ROSTER_SPOTS = [
    {"playerId": player, "teamId": team, "positionCode": position, "sweaterNumber": player}
    for team, players in TEAMS.items()
    for player, position in players.items()
]
FACEOFF = play_builders.make_play(
    "faceoff",
    number=1,
    timeInPeriod="00:00",
    details={"eventOwnerTeamId": HOME, "winningPlayerId": 71, "losingPlayerId": 82, "xCoord": 0, "yCoord": 0},
)


def play_time(second: int) -> dict[str, str]:
    return {"timeInPeriod": f"{second // 60:02}:{second % 60:02}"}


def make_page(*plays: dict[str, Any], **overrides: Any) -> dict[str, Any]:
    """Return a page; plays are numbered in the order in which they are given."""
    numbered = [{**play, "eventId": n, "sortOrder": 10 * n} for n, play in enumerate(plays, start=1)]
    sides = {
        "homeTeam": {"id": HOME, "abbrev": "HOM", "score": 1},
        "awayTeam": {"id": AWAY, "abbrev": "AWY", "score": 0},
    }
    return play_builders.make_page(*numbered, **{"spots": ROSTER_SPOTS, "gameDate": "2023-10-10", **sides, **overrides})


def build_game_silver(
    *plays: dict[str, Any], shifts: list[tuple[int, int, int]] | None = None, **overrides: Any
) -> Silver:
    """Return silver of a game; shifts are player, start and end, in the first period."""
    rows = [
        builders.make_chart_row(
            player, f"{start // 60:02}:{start % 60:02}", f"{end // 60:02}:{end % 60:02}", None, teamId=team
        )
        | {"duration": f"{(end - start) // 60:02}:{(end - start) % 60:02}"}
        for player, start, end in shifts or []
        for team, players in TEAMS.items()
        if player in players
    ]
    return build_silver(
        [make_page(*plays, **overrides)], builders.make_chart(*rows, game_id=GAME) if rows else NO_PAGES
    )


def build_row(table: Table, found: Silver, situation: str = "all", **key: int) -> dict[str, Any]:
    """Return the row of a key and situation."""
    rows = build_gold(table, found).filter(pl.col("situation") == situation, **key)
    (only,) = rows.to_dicts()
    return only
