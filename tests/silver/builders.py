"""Builders of small handwritten games with lineups, shifts and plays."""

import json
from typing import Any

import polars as pl

from nhl_lake.schema.table import Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.goalie_games import GOALIE_GAMES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.shifts import SHIFTS
from nhl_lake.silver.skater_games import SKATER_GAMES
from nhl_lake.silver.stints import STINTS
from tests.silver.bronze_pages import PAGE_SCHEMA

SEASON, GAME = 20232024, 2023020001
HOME, AWAY = 1, 2
NO_PAGES = pl.LazyFrame(schema=PAGE_SCHEMA)


def make_frame(table: Table, rows: list[dict[str, Any]]) -> pl.LazyFrame:
    """Return rows of a table; missing values are null."""
    return pl.LazyFrame(rows, schema=table.schema)


def make_game(**overrides: Any) -> dict[str, Any]:
    ids = {"season": SEASON, "game_id": GAME, "game_type": 2, "home_team_id": HOME, "away_team_id": AWAY}
    return {**ids, "last_period_type": "REG", **overrides}


def make_lineup_row(player: int, team: int = HOME, position: str = "C", **overrides: Any) -> dict[str, Any]:
    known = {"season": SEASON, "game_id": GAME, "player_id": player, "team_id": team, "position": position}
    return {**known, "sweater_number": player % 100, "is_scratched": False, **overrides}


def make_shift(player: int, start: int, end: int, team: int = HOME, **overrides: Any) -> dict[str, Any]:
    known = {"season": SEASON, "game_id": GAME, "player_id": player, "team_id": team, "period": 1}
    return {**known, "start_seconds": start, "end_seconds": end, "shift_source": "chart", **overrides}


def make_play(event_id: int, second: int, event: str, **overrides: Any) -> dict[str, Any]:
    known = {"season": SEASON, "game_id": GAME, "event_id": event_id, "event_number": event_id, "period": 1}
    return {
        **known,
        "period_type": "REG",
        "period_seconds": second,
        "event": event,
        "is_penalty_shot": False,
        **overrides,
    }


def make_games(*rows: dict[str, Any]) -> pl.LazyFrame:
    return make_frame(GAMES, list(rows) or [make_game()])


def make_lineups(*rows: dict[str, Any]) -> pl.LazyFrame:
    return make_frame(LINEUPS, list(rows))


def make_shifts(*rows: dict[str, Any]) -> pl.LazyFrame:
    return make_frame(SHIFTS, list(rows))


def make_plays(*rows: dict[str, Any]) -> pl.LazyFrame:
    return make_frame(PLAYS, list(rows))


def make_stints(*rows: dict[str, Any]) -> pl.LazyFrame:
    return make_frame(STINTS, list(rows))


def make_skater_games(*rows: dict[str, Any]) -> pl.LazyFrame:
    return make_frame(SKATER_GAMES, list(rows))


def make_goalie_games(*rows: dict[str, Any]) -> pl.LazyFrame:
    return make_frame(GOALIE_GAMES, list(rows))


def make_page(body: str, game_id: int = GAME) -> pl.LazyFrame:
    """Return a page as bronze keeps it."""
    return pl.LazyFrame([{"season": SEASON, "game_id": game_id, "body": body}], schema=PAGE_SCHEMA)


def make_chart_row(player: int, start: str, end: str, duration: str | None, **overrides: Any) -> dict[str, Any]:
    """Return a row of a shift chart."""
    times = {"period": 1, "startTime": start, "endTime": end, "duration": duration}
    return {"id": 1, "playerId": player, "teamId": HOME, "shiftNumber": 1, "typeCode": 517, **times, **overrides}


def make_chart(*rows: dict[str, Any], game_id: int = GAME) -> pl.LazyFrame:
    return make_page(json.dumps({"data": rows, "total": len(rows)}), game_id)


def make_report(*players: tuple[str, list[str], list[str]], game_id: int = GAME) -> pl.LazyFrame:
    """Return a report: of each player the heading, then shifts and sums, their cells parted by |."""
    body = "".join(
        f'<tr><td class="playerHeading + border" colspan="8">{name}</td></tr>'
        + "".join(make_cells(line) for line in lines)
        + "<tr><td><table>"
        + "".join(make_cells(line) for line in ["Per|SHF|AVG|TOI|EV&nbsp;TOT|PP&nbsp;TOT|SH&nbsp;TOT", *sums])
        + "</table></td></tr>"
        for name, lines, sums in players
    )
    return make_page(f"<html><body><table>{body}</table></body></html>", game_id)


def make_cells(line: str) -> str:
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in line.split("|")) + "</tr>"
