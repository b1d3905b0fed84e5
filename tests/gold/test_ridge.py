"""Tests of the ridge regression: compared with dense algebra, and with planted effects."""

import numpy as np
import polars as pl
import pytest

from nhl_lake.gold.measures import ridge
from nhl_lake.gold.skater_rapm import AGAINST, FOR, NET, fit_even_strength, fit_power_play

SCHEMA = {
    "situation": pl.String, "home_skater_player_ids": pl.List(pl.Int64), "away_skater_player_ids": pl.List(pl.Int64),
    "hours": pl.Float64, "home_xg": pl.Float64, "away_xg": pl.Float64, "lead": pl.Int32, "zone": pl.Int8,
    "power_play_ended": pl.Int32, "home_tired": pl.Int32, "away_tired": pl.Int32,
}  # fmt: skip


def simulate(
    seed: int, teams: int, games: int, spread: float = 0.3, skaters: int = 12
) -> tuple[pl.DataFrame, np.ndarray]:
    """Return stints at 5on5 of teams that play each other, and the planted effects of players on xG for and against."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, spread, (teams * skaters, 2))
    rows = []
    for _ in range(games):
        home, away = rng.choice(teams, 2, replace=False)
        for _ in range(30):
            sides = [team * skaters + rng.choice(skaters, 5, replace=False) for team in (home, away)]
            hours, lead = rng.uniform(20, 90) / 3600, int(rng.integers(-3, 4))
            rates = [
                2.5 + truth[own, 0].sum() + truth[other, 1].sum() + 0.1 * (nth == 0)
                for nth, (own, other) in enumerate((sides, sides[::-1]))
            ]
            # shots of 0.1 xG
            xg = [0.1 * rng.poisson(max(rate, 0.0) * hours / 0.1) for rate in rates]
            zone = rng.choice([None, -1, 0, 1])
            rows.append(("5on5", *(sorted(side.tolist()) for side in sides), hours, *xg, lead, zone,
                         *rng.integers((-1, 0, 0), 2).tolist()))  # fmt: skip
    return pl.DataFrame(rows, schema=SCHEMA, orient="row"), truth


def stack_both_attacks(stints: pl.DataFrame, players: int) -> tuple[np.ndarray, ...]:
    """Return the plain regression: a row for each team's attack, columns for attackers, defenders and covariates."""
    attacks, covariates, hours, xg = [], [], [], []
    for row in stints.iter_rows(named=True):
        for own, other, sign in (("home", "away", 1), ("away", "home", -1)):
            attack = np.zeros(2 * players)
            attack[row[f"{own}_skater_player_ids"]] = 1
            attack[players + np.array(row[f"{other}_skater_player_ids"])] = 1
            lead, ended = sign * row["lead"], sign * row["power_play_ended"]
            zone = None if row["zone"] is None else sign * row["zone"]
            found = [
                1, sign == 1,
                *(lead == value for value in (-3, -2, -1, 1, 2, 3)), *(zone == value for value in (-1, 0, 1)),
                ended == 1, ended == -1, row[f"{own}_tired"], row[f"{other}_tired"],
            ]  # fmt: skip
            attacks.append(attack)
            covariates.append(found)
            hours.append(row["hours"])
            xg.append(row[f"{own}_xg"])
    return np.array(attacks), np.array(covariates, dtype=float), np.array(hours), np.array(xg)


def test_two_small_regressions_are_the_plain_one_of_effects_for_and_against():
    stints, truth = simulate(seed=1, teams=3, games=20)
    players, spread = len(truth), 0.25
    attacks, covariates, hours, xg = stack_both_attacks(stints, players)
    every = np.hstack([attacks, covariates])
    penalty = np.diag([1 / spread**2] * 2 * players + [0.0] * covariates.shape[1])
    plain = np.linalg.solve(every.T @ (every * hours[:, None]) + penalty, every.T @ xg)

    found = fit_even_strength(stints, [spread]).sort("player_id")

    assert found["player_id"].to_list() == list(range(players))
    np.testing.assert_allclose(found[FOR], plain[:players], atol=1e-9)
    np.testing.assert_allclose(found[AGAINST], plain[players : 2 * players], atol=1e-9)
    np.testing.assert_allclose(found[NET], found[FOR] - found[AGAINST], atol=1e-9)
    seconds = attacks[:, :players].T @ hours * 3600
    np.testing.assert_allclose(found["time_on_ice_s"], seconds, atol=0.5)


def test_spreads_are_weighted_by_how_likely_they_make_the_xg():
    rng = np.random.default_rng(2)
    players, rows, spreads = 6, 40, (0.1, 0.5)
    on_ice = np.array([rng.choice(players, 2, replace=False) for _ in range(rows)])
    hours, covariates = rng.uniform(0.1, 1, rows), np.column_stack([np.ones(rows), rng.normal(size=rows)])
    design = np.zeros((rows, players))
    design[np.arange(rows)[:, None], on_ice] = 1
    xg = hours * (design @ rng.normal(0, 1, players) + rng.normal(size=rows) / hours**0.5)
    totals = ridge.sum_stints(design.T @ (design * hours[:, None]), on_ice, np.ones(2), hours, xg, covariates)

    found = ridge.fit_ridge(totals, spreads)

    # dense: xG per hour is normal, with a flat prior of the covariates
    likelihoods, means, variances = [], [], []
    for spread in spreads:
        noise = totals.noise * (np.diag(1 / hours) + spread**2 * design @ design.T)
        precision = np.linalg.inv(noise)
        of_covariates = covariates.T @ precision @ covariates
        left = precision - precision @ covariates @ np.linalg.inv(of_covariates) @ covariates.T @ precision
        rate, prior = xg / hours, totals.noise * spread**2
        likelihoods.append(
            -(np.linalg.slogdet(noise)[1] + np.linalg.slogdet(of_covariates)[1] + rate @ left @ rate) / 2
        )
        means.append(prior * design.T @ left @ rate)
        variances.append(np.diag(prior * np.eye(players) - prior * design.T @ left @ design * prior))
    weights = np.exp(np.array(likelihoods) - max(likelihoods))
    weights /= weights.sum()
    mean = weights @ np.array(means)
    np.testing.assert_allclose(found.mean, mean, atol=1e-9)
    np.testing.assert_allclose(
        found.variance, weights @ (np.array(variances) + (np.array(means) - mean) ** 2), atol=1e-9
    )
    assert 0.01 < weights[0] < 0.99


def test_planted_effects_are_found_and_four_of_five_intervals_have_them():
    stints, truth = simulate(seed=3, teams=8, games=400)
    found = fit_even_strength(stints).sort("player_id")
    planted = {FOR: truth[:, 0], AGAINST: truth[:, 1], NET: truth[:, 0] - truth[:, 1]}

    inside = 0
    for name, values in planted.items():
        compared = found.with_columns(truth=pl.Series(values - values.mean()))
        assert compared.select(pl.corr(name, "truth", method="spearman")).item() > 0.75, name
        inside += compared.filter(pl.col("truth").is_between(f"{name}_low", f"{name}_high")).height
    assert inside / (3 * len(truth)) == pytest.approx(0.8, abs=0.06)


def test_without_effects_nothing_is_found():
    stints, _ = simulate(seed=4, teams=4, games=100, spread=0.0)
    found = fit_even_strength(stints)

    assert found.filter(pl.col(NET).is_between(f"{NET}_low", f"{NET}_high")).height == found.height
    assert found.filter((pl.col(f"{NET}_low") > 0) | (pl.col(f"{NET}_high") < 0)).height < 0.1 * found.height


def test_power_plays_have_effects_of_both_roles():
    rng = np.random.default_rng(5)
    stints, _ = simulate(seed=5, teams=2, games=40)
    # skater 0 adds 3 xG an hour to the power play, skater 12 takes 3 away from it; both teams have power plays
    rows = []
    for row in stints.iter_rows(named=True):
        side, other = ("home", "away") if rng.random() < 0.5 else ("away", "home")
        defenders = row[f"{other}_skater_player_ids"][:4]
        own = row[f"{side}_skater_player_ids"]
        rate = 8.0 + 3 * (0 in own) - 3 * (12 in defenders)
        rows.append(row | {
            "situation": "5on4" if side == "home" else "4on5", f"{other}_skater_player_ids": defenders,
            f"{side}_xg": row["hours"] * rate, f"{other}_xg": 9.9,
        })  # fmt: skip
    found = fit_power_play(pl.DataFrame(rows, schema=SCHEMA))

    best = found.filter(situation="5on4").sort(FOR)["player_id"][-1]
    least = found.filter(situation="4on5").sort(AGAINST)["player_id"][0]
    assert (best, least) == (0, 12)
    assert found.filter(pl.col(FOR).is_null())["situation"].unique().to_list() == ["4on5"]
    assert NET not in found.columns
