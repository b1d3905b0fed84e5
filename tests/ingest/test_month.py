"""Daily runs on a league with corrections and defects: they end with the true data, and report the changes."""

from collections import Counter
from itertools import pairwise

import pytest

from nhl_lake.league.defects import Defect
from nhl_lake.league.quirks import DefectShares
from tests.support import league_months
from tests.support.league_months import LeagueMonth, PlayedMonth

OFTEN = DefectShares(**dict.fromkeys(Defect, 0.2), corrected=0.7)
# every day until the last page is fixed and fetched; then the days of the last second looks
MORNINGS = (*range(16), *range(31, 35))
pytestmark = pytest.mark.soak  # test_league.py and test_second_looks.py do the same with fewer days
SOME_MORNINGS = (*range(5), 10, 15, 34)


@pytest.fixture(scope="module", params=[SOME_MORNINGS, MORNINGS], ids=len)
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> PlayedMonth:
    return league_months.play_month(
        tmp_path_factory.mktemp("month"), LeagueMonth(days=4, every_nth=3, shares=OFTEN), request.param
    )


def test_the_month_has_every_defect(played: PlayedMonth):
    games = [played.month.get_troubles(game) for game in played.month.list_games()]

    assert {way for way in Defect if any(game.find_fix_time(way) for game in games)} == set(Defect)


def test_daily_runs_end_with_exactly_the_true_tables(played: PlayedMonth):
    assert league_months.count_differing_rows(played.root, played.reference_root) == {}


def test_corrections_list_exactly_what_changed(played: PlayedMonth):
    listed, expected = (
        league_months.list_corrections(played.root),
        list(league_months.expect_corrections(played.root, played.month)),
    )

    assert Counter(listed) == Counter(expected)
    assert max(Counter(listed).values()) == 1
    assert {change.table for change in listed} == {"silver.plays", *league_months.LINE_TABLES}


def test_runs_end_with_3_while_a_game_is_broken_and_then_with_0(played: PlayedMonth):
    for run in played.runs:
        if league_months.find_incomplete_games(played.month, run.now):
            assert run.summary.exit_code == 3, run.now
            assert run.summary.incomplete
    codes = [run.summary.exit_code for run in played.runs]

    assert set(codes) == {0, 3}
    assert codes == sorted(codes, reverse=True)
    assert played.runs[-1].summary.incomplete == []


def test_runs_report_the_same_reasons_until_a_page_is_fixed(played: PlayedMonth):
    for before, after in pairwise(played.runs):
        new = after.summary.page_counts["bronze.play_by_play"], after.summary.page_counts["bronze.boxscore"]
        charts = [tally for name, tally in after.summary.page_counts.items() if "shift" in name]
        if not any(tally.new + tally.changed for tally in (*new, *charts)):
            assert after.summary.incomplete == before.summary.incomplete, after.now


def test_second_looks_take_less_than_two_and_a_half_times_as_many_requests(played: PlayedMonth):
    assert 1 < played.compute_request_ratio() < 2.5
