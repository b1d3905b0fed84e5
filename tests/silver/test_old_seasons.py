"""Tests of complete old seasons, from the first page to the last table: 1930-31, 1997-98 and 2005-06."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from nhl_lake.catalog import find_table
from nhl_lake.quality import audit
from nhl_lake.store import delta_tables
from tests.support.fake_api import AWAY, HOME, FakeApi, FakeGame, run_ingest

CENTER, DEFENDER, WING, HOME_GOALIE = 8900001, 8900002, 8900004, 8900005
RIVAL, AWAY_GOALIE = 8900006, 8900003
TEAMS = {HOME[0]: {CENTER: "C", DEFENDER: "D", WING: "L", HOME_GOALIE: "G"}, AWAY[0]: {RIVAL: "C", AWAY_GOALIE: "G"}}
PLACE = {"xCoord": 60, "yCoord": 10}
NUMBERED = {"goal": 505, "shot-on-goal": 506, "missed-shot": 507, "penalty": 509}


def make_event(kind: str, number: int, period: int, clock: str, owner: int, **details: Any) -> dict[str, Any]:
    return {
        "eventId": number,
        "sortOrder": number,
        "periodDescriptor": {"number": period, "periodType": "OT" if period > 3 else "REG"},
        "timeInPeriod": clock,
        "typeCode": NUMBERED[kind],
        "typeDescKey": kind,
        "details": {"eventOwnerTeamId": owner, **details},
    }


@dataclass
class OldGame(FakeGame):
    """A game with what the pages of its season have: 1-1 in the days of ties, or else won by a goal in overtime."""

    chart: bool = False

    @property
    def is_won(self) -> bool:
        return self.year >= 2005

    def make_header(self) -> dict:
        head = super().make_header()
        head["awayTeam"]["score"] = 1
        head["homeTeam"]["score"] = 1 + self.is_won
        return head | {"gameOutcome": {"lastPeriodType": "OT"}}

    def make_boxscore(self) -> dict:
        lines = {
            CENTER: {"goals": 1 + self.is_won, "points": 1 + self.is_won, "sog": 2 + self.is_won},
            DEFENDER: {"assists": 1, "points": 1},
            WING: {"assists": 1, "points": 1, "pim": 2},
            RIVAL: {"goals": 1, "points": 1, "sog": 1},
        }
        none = {"goals": 0, "assists": 0, "points": 0, "pim": 0, "sog": 0}
        against = {HOME_GOALIE: 1, AWAY_GOALIE: 1 + self.is_won}
        sides: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for (team, _), side in ((HOME, "homeTeam"), (AWAY, "awayTeam")):
            sides[side] = {"forwards": [], "defense": [], "goalies": []}
            for player, position in TEAMS[team].items():
                row = {"playerId": player, "position": position}
                line = none | lines.get(player, {})
                if self.year < 1997:
                    del line["sog"]
                if position == "G":
                    sides[side]["goalies"].append(row | {"goalsAgainst": against[player]})
                else:
                    sides[side]["defense" if position == "D" else "forwards"].append(row | line)
        return self.make_header() | {"playerByGameStats": sides}

    def make_play_by_play(self) -> dict:
        passes = {"assist1PlayerId": DEFENDER, "assist2PlayerId": WING}
        if self.year < 1936:
            passes |= {"assist3PlayerId": HOME_GOALIE}
        home, away = HOME[0], AWAY[0]
        found = [
            make_event("penalty", 4, 1, "20:05", home, committedByPlayerId=WING, duration=2, typeCode="MIN"),
            make_event("goal", 2, 2, "03:21", home, scoringPlayerId=CENTER, goalieInNetId=AWAY_GOALIE, **passes),
            make_event("goal", 8, 3, "19:59", away, scoringPlayerId=RIVAL, goalieInNetId=HOME_GOALIE),
        ]
        if self.year >= 1997:
            found.append(
                make_event("shot-on-goal", 1, 2, "03:20", home, shootingPlayerId=CENTER, goalieInNetId=AWAY_GOALIE)
            )
        if self.is_won:
            found += [
                make_event("missed-shot", 9, 4, "01:00", home, shootingPlayerId=CENTER, goalieInNetId=AWAY_GOALIE),
                make_event("goal", 10, 4, "04:00", home, scoringPlayerId=CENTER, goalieInNetId=AWAY_GOALIE),
            ]
        if self.year >= 2005:
            found = [play | {"situationCode": "1551", "details": play["details"] | PLACE} for play in found]
        spots = [
            {"playerId": player, "teamId": team, "positionCode": position, "sweaterNumber": player % 100}
            for team, players in TEAMS.items()
            for player, position in players.items()
        ]
        return self.make_header() | {"plays": found, "rosterSpots": spots}


def ingest_season(tmp_path: Path, year: int) -> tuple[Path, Any]:
    """Return a lake of a season, and the summary of its ingest."""
    season = year * 10_000 + year + 1
    games = [OldGame(n, start=datetime(year, 12, n, tzinfo=UTC), year=year) for n in (2, 4)]
    api = FakeApi(games, seasons=(season, 20242025, 20252026))
    return tmp_path, run_ingest(tmp_path, api, rebuilds=True, seasons=(season,))


def find_first(root: Path, name: str, **key: Any) -> dict[str, Any]:
    """Return the first row of a table with such values."""
    return delta_tables.scan_table(root, find_table(name)).filter(**key).sort("game_id").collect().row(0, named=True)


@pytest.fixture(scope="module", params=[1930, 1997, 2005])
def season(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Path, Any]:
    return request.param, *ingest_season(tmp_path_factory.mktemp(str(request.param)), request.param)


def test_season_is_ingested_without_problems(season: tuple[int, Path, Any]):
    _, root, summary = season
    found = audit.audit_lake(root)

    assert (summary.exit_code, summary.incomplete) == (0, [])
    assert [f for f in found if f.severity == "error"] == []
    assert delta_tables.scan_table(root, find_table("silver.quarantine")).collect().is_empty()
    checks = delta_tables.scan_table(root, find_table("silver.game_quality")).collect()["check"].unique().to_list()
    assert checks == ["every event has a time inside its period"]
    assert (
        delta_tables.scan_table(root, find_table("silver.games")).filter(pl.col("game_state") == "OFF").collect().height
        == 2
    )


def test_counts_are_those_that_the_pages_record(season: tuple[int, Path, Any]):
    year, root, _ = season
    center = find_first(root, "gold.skater_game", player_id=CENTER, situation="all")
    goalie = find_first(root, "gold.goalie_game", player_id=AWAY_GOALIE, situation="all")
    team = find_first(root, "gold.team_game", team_id=HOME[0], situation="all")

    goals = 2 if year == 2005 else 1
    assert (center["goals"], center["points"], team["goals"], goalie["goals_against"]) == (goals,) * 4
    shots = None if year == 1930 else goals + 1
    assert (center["shots_on_goal"], team["shots_on_goal"], goalie["shots_against"]) == (shots,) * 3
    assert goalie["saves"] == (None if year == 1930 else 1)
    assert (center["missed_shots"], team["unblocked_attempts"]) == ((1, 4) if year == 2005 else (None, None))
    assert center["even_strength_goals"] == (2 if year == 2005 else None)
    assert {center[name] for name in ("hits", "attempts", "blocked_shots", "faceoffs_won", "rush_shots")} == {None}
    assert find_first(root, "gold.skater_game", player_id=WING, situation="all")["penalty_minutes"] == 2


def test_third_pass_is_an_assist(season: tuple[int, Path, Any]):
    year, root, _ = season

    goalie = find_first(root, "gold.goalie_game", player_id=HOME_GOALIE, situation="all")
    assert goalie["assists"] == (1 if year == 1930 else 0)


def test_tie_is_a_win_for_nobody(season: tuple[int, Path, Any]):
    year, root, _ = season

    found = (
        delta_tables.scan_table(root, find_table("silver.games")).select("home_score", "away_score").unique().collect()
    )
    assert found.rows() == [(2, 1) if year == 2005 else (1, 1)]


def test_goalie_with_a_goal_against_has_played(season: tuple[int, Path, Any]):
    _, root, _ = season

    rows = (
        delta_tables.scan_table(root, find_table("gold.goalie_season"))
        .filter("is_total", pl.col("situation") == "all")
        .collect()
    )
    assert dict(rows.select("player_id", "games").rows()) == {HOME_GOALIE: 2, AWAY_GOALIE: 2}
