"""Which pages of the API the sample league serves. It answers 404 for the others: no endpoint needs a page there."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from nhl_lake.bronze import endpoints
from nhl_lake.league import League
from nhl_lake.league.defects import Defect
from nhl_lake.league.quirks import DefectShares
from nhl_lake.schema.table import Table

pytestmark = pytest.mark.league

NOW = datetime(2026, 1, 20, 14, 0, tzinfo=UTC)
SERVED = {
    endpoints.SEASONS, endpoints.TEAMS, endpoints.SCHEDULE, endpoints.PLAY_BY_PLAY, endpoints.BOXSCORE,
    endpoints.SHIFT_CHARTS, endpoints.RIGHT_RAIL, endpoints.SHIFT_REPORT_HOME, endpoints.SHIFT_REPORT_AWAY,
    endpoints.ROSTERS, endpoints.STANDINGS, endpoints.PLAYERS, endpoints.LANDING, endpoints.DRAFT_PICKS,
    endpoints.GLOSSARY, endpoints.EDGE_SKATERS, endpoints.EDGE_TEAMS, endpoints.SKATER_REPORTS,
    endpoints.GOALIE_REPORTS, endpoints.TEAM_REPORTS, endpoints.ODDS,
}  # fmt: skip


@pytest.fixture(scope="module")
def league() -> League:
    return League(shares=DefectShares(**dict.fromkeys(Defect, 0.0)))


@pytest.fixture(scope="module")
def parameters(league: League) -> dict[str, Any]:
    """Return a value for each parameter of an address: those of a final game of the league."""
    given: dict[str, Any] = {"day": date(2026, 1, 12), "year": 2025}
    game = next(part for part in fetch(league, endpoints.SCHEDULE, given) if part.state == "OFF")
    given |= {
        "season": game.season,
        "game_id": game.key["game_id"],
        "game_date": game.game_date,
        "state": game.state,
        "report_number": f"{game.key['game_id'] % 1_000_000:06d}",
        "team_abbrev": json.loads(game.body)["homeTeam"]["abbrev"],
    }
    given |= {"game_type": 2, "team_id": json.loads(game.body)["homeTeam"]["id"], "language": "en", "country": "US"}
    given["player_id"] = min(fetch(league, endpoints.PLAY_BY_PLAY, given)[0].player_ids)
    return given


def fetch(league: League, table: Table, given: dict[str, Any]) -> list[Any]:
    """Return the records of a page of the league."""
    answer = league.answer("/" + table.endpoint.path.format_map(given), NOW)
    assert answer.status == 200, table.name
    return table.endpoint.parse(answer.body, given)


@pytest.mark.parametrize("table", endpoints.TABLES, ids=lambda table: table.name)
def test_the_league_serves_a_valid_page_or_answers_404(table: Table, league: League, parameters: dict[str, Any]):
    if table is endpoints.PLAYOFF_BRACKET:  # not begun: a bracket needs the results of the whole season
        parameters = parameters | {"year": 2026}
    if table in SERVED:
        assert fetch(league, table, parameters)
    else:
        assert league.answer("/" + table.endpoint.path.format_map(parameters), NOW).status == 404
