"""Tests of win probability: states of handwritten games, overtime and shootouts, and games of the sample league."""

from itertools import pairwise
from math import exp, factorial, log
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from nhl_lake.gold.game_features import GAME_FEATURES
from nhl_lake.gold.game_flow import GAME_FLOW
from nhl_lake.gold.measures import game_model
from nhl_lake.gold.measures.game_model import GameModel, PregameModel, add_win_probability
from nhl_lake.gold.win_probability import WIN_PROBABILITY, win_probability
from nhl_lake.schema import checks
from nhl_lake.silver.games import GAMES
from tests.silver.builders import make_frame
from tests.support import lakes

GAME = 2023020001
MODEL = GameModel(
    "win test", PregameModel(0.1, (0.5, 0.02, -0.3)), edge=0.2, rate=3.6, advantage_rate=6.0, overtime_rate=7.2
)  # fmt: skip
LEADING = {"home_lead": "lead", "seconds_left": "left"}
META = pl.LazyFrame({"source": ["NHL"]})


@pytest.fixture(autouse=True)
def model(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of the NHL, whatever the numbers of the one in the package."""
    monkeypatch.setattr(game_model, "MODELS", {"NHL": MODEL})


def predict(lead: int | None = 0, left: int | None = 3600, **state: Any) -> float | None:
    """Return the probability of one state: by default the start of a game of equal teams."""
    row = {
        "home_lead": lead, "seconds_left": left, "home_more_players": 0, "period": 1, "game_type": 2,
        "pregame_home_win_probability": 0.5, **state,
    }  # fmt: skip
    dtypes = {"home_lead": pl.Int16, "seconds_left": pl.Int32, "pregame_home_win_probability": pl.Float64}
    return (
        add_win_probability(pl.LazyFrame([row], schema_overrides=dtypes), MODEL)
        .collect()["home_win_probability"]
        .item()
    )


def poisson(mean: float, goals: int) -> float:
    return exp(-mean) * mean**goals / factorial(goals)


def test_equal_teams_are_even_at_the_start_and_a_better_team_is_ahead():
    assert predict() == pytest.approx(0.5, abs=1e-4)
    assert predict(pregame_home_win_probability=0.6) > 0.55
    both = predict(pregame_home_win_probability=0.6) + predict(pregame_home_win_probability=0.4)
    assert both == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(("lead", "left", "more", "before"), [(1, 1200, 0, 0.5), (-2, 2000, 1, 0.6), (0, 90, -1, 0.45)])
def test_probability_is_that_of_poisson_goals_and_overtime(lead: int, left: int, more: int, before: float):
    edge = MODEL.edge * log(before / (1 - before))
    home, away = (
        MODEL.rate * exp(sign * edge) * left / 3600 + MODEL.advantage_rate * max(sign * more, 0) * min(left, 60) / 3600
        for sign in (1, -1)
    )
    chances = {(h, a): poisson(home, h) * poisson(away, a) for h in range(30) for a in range(30)}
    win = sum(chance for (h, a), chance in chances.items() if lead + h > a)
    tie = sum(chance for (h, a), chance in chances.items() if lead + h == a)
    rates = [MODEL.overtime_rate * exp(sign * edge) for sign in (1, -1)]
    undecided = exp(-sum(rates) / 12)
    overtime = (1 - undecided) * rates[0] / sum(rates) + undecided / 2

    found = predict(lead, left, home_more_players=more, pregame_home_win_probability=before)
    assert found == pytest.approx(win + tie * overtime, abs=1e-4)


def test_probability_grows_with_the_lead_and_a_lead_grows_with_time():
    by_lead = [predict(lead, 1500) for lead in range(-20, 21)]
    by_time = [predict(1, left) for left in (3600, 2400, 1200, 600, 60, 0)]

    assert all(low <= high for low, high in pairwise(by_lead))
    assert (by_lead[0], by_lead[-1]) == (pytest.approx(0, abs=1e-4), pytest.approx(1, abs=1e-4))
    assert all(low < high for low, high in pairwise(by_time))
    assert by_time[-1] == 1.0


def test_power_play_helps_but_for_no_longer_than_the_game():
    assert predict(0, 600, home_more_players=1) > predict(0, 600) > predict(0, 600, home_more_players=-1)
    assert predict(1, 0, home_more_players=-2) == 1.0


def test_next_goal_decides_overtime_and_a_shootout_is_even():
    better = {"pregame_home_win_probability": 0.6, "period": 4}

    assert predict(1, 100, **better) == 1.0
    assert predict(-1, 100, **better) == 0.0
    assert predict(0, 0, **better) == 0.5
    assert 0.5 < predict(0, 60, **better) < predict(0, 300, **better)
    assert predict(0, 300, home_more_players=1, **better) > predict(0, 300, **better)


def test_overtime_of_the_playoffs_lasts_until_a_goal():
    edge = MODEL.edge * log(0.6 / 0.4)
    found = predict(0, None, game_type=3, period=6, pregame_home_win_probability=0.6)

    assert found == pytest.approx(exp(edge) / (exp(edge) + exp(-edge)), abs=1e-4)
    assert predict(0, 0, period=3, game_type=3, pregame_home_win_probability=0.6) == found


@pytest.mark.parametrize("unknown", ["home_lead", "seconds_left", "home_more_players", "pregame_home_win_probability"])
@pytest.mark.parametrize("period", [2, 4])
def test_unknown_state_has_no_probability(unknown: str, period: int):
    state: dict[str, Any] = {"period": period, "lead": 0, "left": 200} | {LEADING.get(unknown, unknown): None}

    assert predict(**state) is None


def make_step(number: int, step: str, second: int | None, score: tuple[int, int] = (0, 0), **overrides: Any) -> dict:
    period = 1 if second is None else min(max(second - 1, 0) // 1200 + 1, 4)
    return {
        "season": 20232024, "game_id": GAME, "game_type": 2, "step_number": number, "step": step, "period": period,
        "period_seconds": None if second is None else second - 1200 * (period - 1), "game_seconds": second,
        "situation_code": "1551", "home_goals_so_far": score[0], "away_goals_so_far": score[1], **overrides,
    }  # fmt: skip


def build(steps: list[dict], final: tuple[int, int] = (1, 0), **game: Any) -> pl.DataFrame:
    about = {"season": 20232024, "game_id": GAME, "game_type": 2, "home_win_probability": 0.55, **game}
    scores = {"home_score": final[0], "away_score": final[1]}
    found = win_probability(
        make_frame(GAME_FLOW, [step | {k: v for k, v in game.items() if k in step} for step in steps]),
        make_frame(GAMES, [about | scores]), make_frame(GAME_FEATURES, [about]), META,
    ).collect()  # fmt: skip
    rows = found.select(pl.col(column.name).cast(column.dtype) for column in WIN_PROBABILITY.columns)
    checks.validate_rows(WIN_PROBABILITY, rows)
    return rows.sort("step_number")


def test_game_ends_with_its_result_after_the_last_step():
    steps = (("period-start", 0, (0, 0)), ("goal", 3000, (1, 0)), ("period-end", 3600, (1, 0)))
    rows = build([make_step(number, *step) for number, step in enumerate(steps, 1)])

    assert rows["step"].to_list() == ["period-start", "goal", "period-end", "game-end"]
    assert rows["step_number"].to_list() == [1, 2, 3, 4]
    start, goal, *end = rows["home_win_probability"].to_list()
    assert 0.5 < start < goal < 1
    assert end == [1.0, 1.0]
    assert rows["seconds_left"].to_list() == [3600, 600, 0, 0]


@pytest.mark.parametrize(("final", "result"), [((3, 2), 1.0), ((2, 3), 0.0)])
def test_shootout_is_even_until_it_is_decided(final: tuple[int, int], result: float):
    rows = build([make_step(1, "period-end", 3600, (2, 2)), make_step(2, "period-end", 3900, (2, 2))], final)

    assert rows["seconds_left"].to_list() == [0, 0, 0]
    assert rows["home_win_probability"].to_list()[1:] == [0.5, result]


@pytest.mark.parametrize(
    ("steps", "more"),
    [
        ([("shot-on-goal", "1451", True)], [1]),
        ([("shot-on-goal", "1451", True), ("goal", "1451", True)], [1, 0]),
        ([("goal", "1451", False)], [1]),  # shorthanded: the power play goes on
        ([("goal", "1351", True)], [1]),
        ([("goal", "1541", False)], [0]),
        ([("shot-on-goal", "0651", True)], [0]),  # a pulled goalie: as many players
        ([("shot-on-goal", "1541", True), ("shot-on-goal", "1010", True)], [-1, -1]),  # a penalty shot
        ([("period-start", None, None), ("shot-on-goal", "1451", None)], [0, 1]),
    ],
)
def test_players_are_those_after_the_step(steps: list[tuple[str, str | None, bool | None]], more: list[int]):
    rows = build(
        [
            make_step(n, step, 100 + n, situation_code=code, is_home=is_home)
            for n, (step, code, is_home) in enumerate(steps, 1)
        ]
    )

    assert rows["home_more_players"].to_list()[:-1] == more


def test_step_without_a_time_has_no_probability():
    rows = build([make_step(1, "period-start", 0), make_step(2, "shot-on-goal", None)])

    assert rows["home_win_probability"].is_null().to_list() == [False, True, False]


def test_game_without_a_probability_before_it_has_only_its_result():
    rows = build([make_step(1, "period-start", 0)], home_win_probability=None)

    assert rows["home_win_probability"].to_list() == [None, 1.0]


def test_games_that_could_end_in_a_tie_have_only_their_result():
    rows = build([make_step(1, "period-start", 0)], (2, 2), season=20032004)

    assert rows["home_win_probability"].to_list() == [None, None]


def test_games_of_a_lake_end_with_their_results(league_lake: Path):
    rows = lakes.read_rows(league_lake, WIN_PROBABILITY).sort("game_id", "step_number")
    games = lakes.read_rows(league_lake, GAMES)
    won = rows.group_by("game_id").agg(pl.col("home_win_probability").last()).join(games, on="game_id")
    known = rows.drop_nulls("pregame_home_win_probability")
    steps = known.filter(pl.col("step") != "game-end").group_by("game_id", maintain_order=True).last()
    decided = steps.join(games.filter(pl.col("last_period_type") != "SO"), on="game_id", how="semi")

    assert won.height > 50
    assert won.filter((pl.col("home_score") > pl.col("away_score")) != (pl.col("home_win_probability") == 1)).is_empty()
    assert known.drop_nulls("game_seconds")["home_win_probability"].is_between(0, 1).all()
    assert decided["home_win_probability"].is_in([0.0, 1.0]).all()
    assert decided.height > 30
