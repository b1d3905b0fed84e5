"""Tests of goals above expected, shrunk toward the league's mean: known answers, coverage, sums and nulls."""

from random import Random
from typing import Any

import polars as pl
import pytest

from nhl_lake.gold.measures.shrinkage import add_shrunk_goals

ABOVE = "goals_above_expected"
SHRUNK = f"shrunk_{ABOVE}"
SEASON = {"season": 20232024, "game_type": 2, "situation": "all", "is_total": True}


def shrink(rows: list[dict[str, Any]], sign: int = 1) -> pl.DataFrame:
    schema = {"season": pl.Int32, "game_type": pl.Int16, "situation": pl.String, "is_total": pl.Boolean}
    schema |= dict.fromkeys(("xg", "xg_variance", ABOVE), pl.Float64)
    frame = pl.LazyFrame([SEASON | row for row in rows], schema=schema)
    return add_shrunk_goals(frame, ABOVE, "xg", "xg_variance", sign=sign).collect()


def simulate(rng: Random, spread: float, players: int = 300) -> tuple[list[dict[str, Any]], list[float]]:
    """Return rows of players with factors of a spread, and their true goals above expected."""
    rows, truths = [], []
    for _ in range(players):
        chances = [rng.choice((0.03, 0.06, 0.15)) for _ in range(rng.randint(100, 800))]
        factor = max(0.0, rng.gauss(1, spread))
        goals = sum(rng.random() < chance * factor for chance in chances)
        xg = sum(chances)
        rows.append({"xg": xg, "xg_variance": sum(p * (1 - p) for p in chances), ABOVE: goals - xg})
        truths.append(xg * (factor - 1))
    return rows, truths


@pytest.mark.parametrize("spread", [0.1, 0.3])
def test_four_of_five_intervals_have_the_truth_and_the_shrunk_value_is_nearer_to_it(spread: float):
    rows, truths = simulate(Random(7), spread)
    found = shrink(rows).with_columns(truth=pl.Series(truths))

    covered = found.filter(pl.col("truth").is_between(f"{SHRUNK}_low", f"{SHRUNK}_high")).height / found.height
    assert covered == pytest.approx(0.8, abs=0.06)
    raw, shrunk = ((found[name] - found["truth"]).pow(2).mean() for name in (ABOVE, SHRUNK))
    assert shrunk < 0.9 * raw


def test_equal_players_are_shrunk_to_almost_nothing():
    rows, _ = simulate(Random(7), 0.0)
    found = shrink(rows)

    assert found[SHRUNK].std() < 0.15 * found[ABOVE].std()


def test_spread_of_the_players_is_the_share_that_is_kept():
    # two kinds of players of equal xG, with 20 goals more or fewer than expected: variance 400, of which 90 is chance
    rows = [{"xg": 100.0, "xg_variance": 90.0, ABOVE: 20.0 * side} for side in (-1, 1) for _ in range(200)]
    found = shrink(rows)

    assert found[SHRUNK].max() == pytest.approx(20 * (400 - 90) / 400, abs=0.3)
    half = found[f"{SHRUNK}_high"] - found[SHRUNK]
    assert half.max() == pytest.approx(1.2816 * (90 * 310 / 400) ** 0.5, abs=0.3)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_model_that_is_off_for_the_whole_league_is_not_booked_to_players(sign: int):
    rows = [{"xg": xg, "xg_variance": 0.9 * xg, ABOVE: sign * 0.1 * xg} for xg in (20.0, 40.0, 60.0)]
    found = shrink(rows, sign)

    assert found["league_goals_per_xg"].to_list() == pytest.approx([1.1] * 3)
    assert found[f"calibrated_{ABOVE}"].to_list() == pytest.approx([0, 0, 0])
    assert found[SHRUNK].to_list() == pytest.approx([0, 0, 0])


def test_the_league_is_counted_once_and_a_part_of_a_season_has_its_own_value():
    parts = [{"xg": 20.0, "xg_variance": 18.0, ABOVE: 6.0, "is_total": False}]
    totals = [{"xg": 40.0, "xg_variance": 36.0, ABOVE: 6.0}, {"xg": 40.0, "xg_variance": 36.0, ABOVE: -6.0}]
    found = shrink([*parts, *totals])

    assert found["league_goals_per_xg"].to_list() == [1, 1, 1]
    assert found[f"calibrated_{ABOVE}"].to_list() == [6, 6, -6]
    assert 0 < found[SHRUNK][0] < found[SHRUNK][1]  # of equal goals, over half of the attempts


def test_without_xg_everything_is_unknown_and_without_attempts_no_interval_is_made_up():
    unknown = dict.fromkeys(("xg", "xg_variance", ABOVE))
    none = dict.fromkeys(("xg", "xg_variance", ABOVE), 0.0)
    known = {"xg": 40.0, "xg_variance": 36.0, ABOVE: 4.0}
    names = (f"calibrated_{ABOVE}", SHRUNK, f"{SHRUNK}_low", f"{SHRUNK}_high")

    assert shrink([unknown]).select("league_goals_per_xg", *names).row(0) == (None,) * 5
    found = shrink([known, unknown, none])
    assert found.select(names).rows()[1:] == [(None,) * 4] * 2
    assert None not in found.row(0)


def test_situations_and_game_types_are_leagues_of_their_own():
    one = {"xg": 40.0, "xg_variance": 36.0, ABOVE: 4.0}
    found = shrink([one, one | {"game_type": 3, ABOVE: -4.0}, one | {"situation": "5on5", ABOVE: 0.0}])

    calibrations = found.select("game_type", "situation", "league_goals_per_xg").rows()
    assert sorted(calibrations) == [(2, "5on5", 1.0), (2, "all", 1.1), (3, "all", 0.9)]
