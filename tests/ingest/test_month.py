"""Daily runs while the league corrects statistics and breaks pages: they end with the truth, and tell what changed."""

from collections import Counter
from itertools import pairwise

import pytest

from nhl_lake.league.broken import Way
from nhl_lake.league.quirks import Shares
from tests.support import months
from tests.support.months import Month, Played

pytestmark = pytest.mark.slow

OFTEN = Shares(**dict.fromkeys(Way, 0.2), corrected=0.7)
# all days until the last page is healed and looked at; then those on which the last second looks are due
MORNINGS = (*range(16), *range(31, 35))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return months.play(tmp_path_factory.mktemp("month"), Month(days=4, one_in=3, shares=OFTEN), MORNINGS)


def test_games_are_broken_in_every_way(played: Played):
    games = [played.month.troubles(game) for game in played.month.games()]

    assert {way for way in Way if any(game.healed_at(way) for game in games)} == set(Way)


def test_daily_runs_end_with_exactly_the_truth(played: Played):
    assert months.unlike_truth(played.root, played.whole) == {}


def test_corrections_list_exactly_what_changed(played: Played):
    listed, expected = months.listed(played.root), list(months.expected(played.root, played.month))

    assert Counter(listed) == Counter(expected)
    assert max(Counter(listed).values()) == 1
    assert {change.table for change in listed} == {"silver.plays", *months.LINES}


def test_every_run_ends_with_3_while_a_game_is_broken_and_then_with_0(played: Played):
    for run in played.runs:
        if months.broken(played.month, run.now):
            assert run.summary.exit_code == 3, run.now
            assert run.summary.incomplete
    codes = [run.summary.exit_code for run in played.runs]

    assert set(codes) == {0, 3}
    assert codes == sorted(codes, reverse=True)
    assert played.runs[-1].summary.incomplete == []


def test_a_run_names_the_same_reasons_until_something_is_healed(played: Played):
    for before, after in pairwise(played.runs):
        new = after.summary.tallies["bronze.play_by_play"], after.summary.tallies["bronze.boxscore"]
        charts = [tally for name, tally in after.summary.tallies.items() if "shift" in name]
        if not any(tally.new + tally.changed for tally in (*new, *charts)):
            assert after.summary.incomplete == before.summary.incomplete, after.now


def test_second_looks_ask_for_less_than_two_and_a_half_times_as_much(played: Played):
    assert 1 < played.ratio() < 2.5
