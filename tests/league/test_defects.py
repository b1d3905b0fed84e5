"""Pages with a defect when first published, which is fixed some days later."""

import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from nhl_lake.league import InvalidLeagueOption, League
from nhl_lake.league.defects import FIX_DELAY_DAYS, Defect, PageDefects
from nhl_lake.league.quirks import FEW_DEFECTS, MANY_DEFECTS, DefectShares
from tests.league.league_pages import list_played_games

pytestmark = pytest.mark.league

SEASON = 20252026
NO_DEFECTS = dict.fromkeys(Defect, 0.0) | {"corrected": 0.0}
GAME = list_played_games(SEASON)[30]


def create_broken_league(way: Defect) -> League:
    """Return a league in which the pages of every game have one kind of defect, and no other."""
    return League(seed=1, seasons=(SEASON,), shares=DefectShares(**NO_DEFECTS | {way: 1.0}))


def find_fix_time(league: League, way: Defect) -> datetime:
    at = PageDefects(1, league.shares, GAME, league.engine.get_end_time(GAME)).find_fix_time(way)
    assert at is not None
    return at


def get_before_and_after(way: Defect, target: str) -> tuple[Any, Any]:
    """Return a page a minute before its fix, and after it."""
    league = create_broken_league(way)
    at = find_fix_time(league, way)
    bodies = [league.answer(target, moment).body.decode() for moment in (at - timedelta(minutes=1), at)]
    if target.startswith("/scores"):
        return bodies[0], bodies[1]
    return json.loads(bodies[0]), json.loads(bodies[1])


PLAYS, BOX = f"/v1/gamecenter/{GAME}/play-by-play", f"/v1/gamecenter/{GAME}/boxscore"
CHART = f"/stats/rest/en/shiftcharts?cayenneExp=gameId={GAME}"
REPORT = f"/scores/htmlreports/{SEASON}/TH{GAME % 1_000_000:06d}.HTM"
TARGETS = {Defect.PARTIAL_CHART: CHART, Defect.NO_LINES: BOX, Defect.GOALIE_NUMBER: REPORT}


@pytest.mark.parametrize("way", Defect)
def test_a_page_is_broken_for_some_days_and_then_as_whole_as_everywhere(way: Defect):
    target = TARGETS.get(way, PLAYS)
    league, whole = create_broken_league(way), League(seed=1, seasons=(SEASON,), shares=DefectShares(**NO_DEFECTS))
    at = find_fix_time(league, way)
    days = (at - league.engine.get_end_time(GAME)) / timedelta(days=1)

    assert min(abs(days - n) for n in FIX_DELAY_DAYS) <= 0.21
    assert league.answer(target, at - timedelta(minutes=1)) != whole.answer(target, at - timedelta(minutes=1))
    assert league.answer(target, at) == whole.answer(target, at)


@pytest.mark.parametrize("way", Defect)
def test_only_the_page_that_is_meant_is_broken(way: Defect):
    league, whole = create_broken_league(way), League(seed=1, seasons=(SEASON,), shares=DefectShares(**NO_DEFECTS))
    at = find_fix_time(league, way) - timedelta(minutes=1)

    for target in {PLAYS, BOX, CHART, REPORT, PLAYS.replace("play-by-play", "right-rail")}:
        if target != TARGETS.get(way, PLAYS):
            assert league.answer(target, at) == whole.answer(target, at)


def select_goals(page: Any) -> list[dict[str, Any]]:
    return [play for play in page["plays"] if play["typeDescKey"] == "goal"]


def read_score(goal: dict[str, Any]) -> tuple[int, int]:
    return goal["details"]["homeScore"], goal["details"]["awayScore"]


def test_a_chart_has_its_first_periods_only():
    broken, whole = get_before_and_after(Defect.PARTIAL_CHART, CHART)

    assert max(row["period"] for row in broken["data"]) in (1, 2)
    assert max(row["period"] for row in whole["data"]) >= 3


def test_plays_are_missing_or_end_early():
    assert get_before_and_after(Defect.NO_PLAYS, PLAYS)[0]["plays"] == []
    broken, whole = get_before_and_after(Defect.PLAYS_CUT, PLAYS)

    assert broken["gameState"] == "OFF"
    assert whole["plays"][: len(broken["plays"])] == broken["plays"]
    assert 0.25 < len(broken["plays"]) / len(whole["plays"]) < 0.95


def test_a_box_score_has_no_lines():
    broken, whole = get_before_and_after(Defect.NO_LINES, BOX)

    assert "playerByGameStats" not in broken
    assert whole["playerByGameStats"]["homeTeam"]["forwards"]


def test_plays_and_box_score_disagree_about_a_goal():
    broken, whole = get_before_and_after(Defect.PLAYS_DISAGREE, PLAYS)
    names = ("scoringPlayerId", "assist1PlayerId", "assist2PlayerId")
    people = [
        [[goal["details"].get(name) for name in names] for goal in select_goals(page)] for page in (broken, whole)
    ]

    assert sum(was != now for was, now in zip(*people, strict=True)) == 1


def test_the_players_are_those_of_two_other_teams():
    broken, whole = get_before_and_after(Defect.FOREIGN_ROSTER, PLAYS)
    teams = {whole["homeTeam"]["id"], whole["awayTeam"]["id"]}

    assert teams == {spot["teamId"] for spot in whole["rosterSpots"]}
    assert not teams & {spot["teamId"] for spot in broken["rosterSpots"]}
    assert broken["plays"] == whole["plays"]


def test_some_shots_do_not_say_who_was_in_net():
    broken, whole = get_before_and_after(Defect.NO_GOALIE, PLAYS)
    named = [
        [play["eventId"] for play in page["plays"] if "goalieInNetId" in play.get("details", {})]
        for page in (broken, whole)
    ]

    assert 1 <= len(set(named[1]) - set(named[0])) <= 4


def test_a_goal_stands_again_a_second_later():
    broken, whole = get_before_and_after(Defect.TWIN_GOAL, PLAYS)
    known = {play["eventId"] for play in whole["plays"]}
    (twin,) = (goal for goal in select_goals(broken) if goal["eventId"] not in known)
    first = next(goal for goal in select_goals(broken) if read_score(goal) == read_score(twin))
    seconds = [60 * int(minutes) + int(rest) for minutes, rest in (p["timeInPeriod"].split(":") for p in (first, twin))]

    assert seconds[1] - seconds[0] == 1
    assert first["details"]["scoringPlayerId"] == twin["details"]["scoringPlayerId"]
    order = [play["sortOrder"] for play in broken["plays"]]
    assert order == sorted(set(order))


def test_the_goalies_have_other_numbers_in_the_shift_report():
    broken, whole = get_before_and_after(Defect.GOALIE_NUMBER, REPORT)
    heads = [re.findall(r"playerHeading[^>]*>(\d+) ([^<]+)</td>", text) for text in (broken, whole)]
    numbers = [{name: number for number, name in found} for found in heads]

    assert numbers[0].keys() == numbers[1].keys()
    assert len(set(numbers[0].values())) == len(numbers[0])
    assert 1 <= sum(numbers[0][name] != numbers[1][name] for name in numbers[1]) <= 2


def test_a_penalty_has_a_clock_beyond_its_period():
    broken, _ = get_before_and_after(Defect.PENALTY_CLOCK, PLAYS)

    assert [p["typeDescKey"] for p in broken["plays"] if p["timeInPeriod"] == "20:05"] == ["penalty"]


def test_few_games_of_the_sample_league_are_broken_and_many_of_a_troubled_one():
    def count(shares: DefectShares) -> int:
        league = League(seed=1, seasons=(SEASON,), shares=shares)
        found = (
            PageDefects(1, shares, game, league.engine.get_end_time(game)) for game in list_played_games(SEASON)[:300]
        )
        return sum(any(one.find_fix_time(way) for way in Defect) for one in found)

    assert 1 <= count(FEW_DEFECTS) <= 15
    assert 90 <= count(MANY_DEFECTS) <= 190


def test_a_share_that_is_none_is_refused():
    with pytest.raises(InvalidLeagueOption, match="twin_goal is a share"):
        DefectShares(twin_goal=1.5)
