"""Tests of features of games: nothing of the game itself or later is used, and upcoming games are treated alike."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nhl_lake.gold.game_features import GAME_FEATURES, game_features
from nhl_lake.gold.measures import game_model
from nhl_lake.gold.measures.game_model import GameModel, PregameModel
from nhl_lake.gold.team_game import TEAM_GAME
from nhl_lake.schema import checks
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.teams import TEAMS
from tests.silver.builders import make_frame

FIRST = date(2025, 10, 7)
LAST = date(2026, 4, 30)
RESULT = ("home_score", "away_score", "is_home_win", "is_upcoming")
MODEL = GameModel(
    "win test", PregameModel(0.1, (0.5, 0.02, -0.3)), edge=0.2, rate=3.5, advantage_rate=5.0, overtime_rate=7.0
)  # fmt: skip

Lake = dict[str, pl.DataFrame]


@pytest.fixture(autouse=True)
def model(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of the NHL, whatever the numbers of the one in the package."""
    monkeypatch.setattr(game_model, "MODELS", {"NHL": MODEL})


def make_game(number: int, day: date, home: int, away: int, score: tuple[int, int], **overrides: Any) -> dict[str, Any]:
    return {
        "season": 20252026, "game_id": 2025020000 + number, "game_type": 2, "game_date": day,
        "start_at": datetime(day.year, day.month, day.day, 23, tzinfo=UTC),
        "home_team_id": home, "home_team_abbrev": f"T{home}", "away_team_id": away, "away_team_abbrev": f"T{away}",
        "home_score": score[0], "away_score": score[1], "game_state": "OFF", "schedule_state": "OK", **overrides,
    }  # fmt: skip


def make_lines(game: dict[str, Any], attempts: tuple[int, int] = (40, 40)) -> list[dict[str, Any]]:
    """Return the rows of both teams in gold.team_game; a second situation must not count."""
    rows = []
    for own, other, side, opponent in ((0, 1, "home", "away"), (1, 0, "away", "home")):
        row = {
            "season": game["season"], "game_id": game["game_id"], "team_id": game[f"{side}_team_id"],
            "situation": "all", "goals": game[f"{side}_score"], "goals_against": game[f"{opponent}_score"],
            "unblocked_attempts": attempts[own], "unblocked_attempts_against": attempts[other],
        }  # fmt: skip
        rows += [row, row | {"situation": "5on5", "goals": 9}]
    return rows


def make_lake(games: list[dict[str, Any]], lines: list[dict[str, Any]] | None = None) -> Lake:
    lines = [line for game in games for line in make_lines(game)] if lines is None else lines
    teams = [{"team_id": team, "team_key": 100 + team} for team in range(1, 5)]
    return {
        name: make_frame(table, rows).collect()
        for name, table, rows in (
            ("games", GAMES, games), ("team_game", TEAM_GAME, lines), ("teams", TEAMS, teams),
        )
    }  # fmt: skip


def build(lake: Lake, day: date = LAST, source: str = "NHL") -> pl.DataFrame:
    meta = pl.LazyFrame({"source": [source]})
    found = game_features(*(lake[name].lazy() for name in ("games", "team_game", "teams")), meta, day).collect()
    rows = found.select(pl.col(column.name).cast(column.dtype) for column in GAME_FEATURES.columns)
    checks.validate_rows(GAME_FEATURES, rows)
    return rows.sort("game_id")


def make_season(seed: int = 1, count: int = 40) -> Lake:
    dice = random.Random(seed)
    games, lines, day = [], [], FIRST
    for number in range(1, count + 1):
        home, away = dice.sample(range(1, 5), 2)
        score = dice.sample(range(7), 2)
        games.append(make_game(number, day, home, away, (score[0], score[1])))
        lines += make_lines(games[-1], (dice.randrange(20, 60), dice.randrange(20, 60)))
        day += timedelta(days=dice.randrange(1, 3))
    return make_lake(games, lines)


def cut_at_day(lake: Lake, day: date) -> Lake:
    """Return the lake on the morning of a day: earlier games are played, the others are scheduled."""
    is_past = pl.col("game_date") < day
    hidden = [pl.when(is_past).then(name).alias(name) for name in ("home_score", "away_score")]
    state = pl.when(is_past).then("game_state").otherwise(pl.lit("FUT")).alias("game_state")
    past = lake["games"].filter(is_past)
    return lake | {
        "games": lake["games"].with_columns(*hidden, state),
        "team_game": lake["team_game"].join(past, on="game_id", how="semi"),
    }


@pytest.mark.parametrize("seed", range(3))
def test_features_of_the_morning_do_not_change_after_the_game(seed: int):
    lake = make_season(seed)
    after = build(lake)
    for day in random.Random(seed).sample(sorted(set(lake["games"]["game_date"])), 8):
        morning = build(cut_at_day(lake, day), day)
        ahead = morning.filter(pl.col("game_date") == day)

        assert ahead["is_upcoming"].all()
        assert ahead["is_home_win"].is_null().all()
        assert_frame_equal(ahead.drop(RESULT), after.filter(pl.col("game_date") == day).drop(RESULT))
        assert_frame_equal(morning.filter(pl.col("game_date") < day), after.filter(pl.col("game_date") < day))


def test_result_of_a_game_changes_only_later_rows():
    lake = make_season()
    chosen = lake["games"]["game_id"][20]
    changed = lake | {
        "team_game": lake["team_game"].with_columns(
            pl.when(pl.col("game_id") == chosen).then(pl.col(name) + 3).otherwise(name).alias(name)
            for name in ("goals", "unblocked_attempts")
        )
    }
    before, after = build(lake), build(changed)
    until = pl.col("game_id") <= chosen

    assert_frame_equal(before.filter(until), after.filter(until))
    assert not before.filter(~until).equals(after.filter(~until))


def test_order_of_rows_changes_nothing():
    lake = make_season()
    shuffled = {name: rows.sample(fraction=1, shuffle=True, seed=3) for name, rows in lake.items()}

    assert_frame_equal(build(lake), build(shuffled))


def test_differences_are_decayed_means_shrunk_by_25_even_games():
    scores = [(5, 1), (0, 1), (2, 1)]
    games = [make_game(n, FIRST + timedelta(days=2 * n), 1, 2, score) for n, score in enumerate(scores)]
    lines = [line for game, more in zip(games, (10, -4, 0), strict=True) for line in make_lines(game, (40 + more, 40))]
    row = build(make_lake(games, lines)).row(-1, named=True)

    goal, attempt = 0.5 ** (1 / 80), 0.5 ** (1 / 20)
    assert row["home_games_before"] == row["away_games_before"] == 2
    assert row["home_goal_margin"] == pytest.approx((4 * goal - 1) / (1 + goal + 25), abs=1e-4)
    assert row["home_unblocked_attempt_margin"] == pytest.approx((10 * attempt - 4) / (1 + attempt + 25), abs=1e-4)
    assert row["away_goal_margin"] == -row["home_goal_margin"]
    assert row["is_home_win"]


def test_probability_is_the_logistic_of_the_weighted_differences():
    games = [
        make_game(1, FIRST, 1, 3, (5, 1)),
        make_game(2, FIRST + timedelta(days=1), 2, 4, (0, 2)),
        make_game(3, FIRST + timedelta(days=2), 2, 1, (1, 0)),
    ]
    row = build(make_lake(games)).row(-1, named=True)

    assert (row["is_home_back_to_back"], row["is_away_back_to_back"]) == (True, False)
    odds = 0.1 + 0.5 * (-2 / 26 - 4 / 26) - 0.3
    assert row["home_win_probability"] == pytest.approx(1 / (1 + 2.718281828**-odds), abs=1e-4)
    assert row["model"] == "win test"


def test_team_without_an_earlier_game_is_unknown_and_so_is_the_winner():
    row = build(make_lake([make_game(1, FIRST, 1, 2, (3, 2))])).row(0, named=True)

    assert row["home_games_before"] == 0
    names = ("home_goal_margin", "home_days_of_rest", "is_home_back_to_back", "home_win_probability", "model")
    assert [row[name] for name in names] == [None] * 5


def test_game_whose_attempts_are_not_recorded_has_no_probability_but_a_goal_margin():
    games = [make_game(n, FIRST + timedelta(days=2 * n), 1, 2, (3, 1)) for n in range(2)]
    unrecorded = dict.fromkeys(("unblocked_attempts", "unblocked_attempts_against"))
    row = build(make_lake(games, [line | unrecorded for line in make_lines(games[0])])).row(-1, named=True)

    assert row["home_goal_margin"] == pytest.approx(2 / 26, abs=1e-4)
    assert row["home_unblocked_attempt_margin"] is row["home_win_probability"] is None


def test_rest_counts_scheduled_games_and_form_only_played_ones():
    ahead = {"home_score": None, "away_score": None, "game_state": "FUT"}
    games = [
        make_game(1, FIRST, 1, 2, (4, 0)),
        make_game(2, FIRST + timedelta(days=3), 1, 3, (0, 0), **ahead),
        make_game(3, FIRST + timedelta(days=4), 1, 2, (0, 0), **ahead),
        make_game(4, FIRST + timedelta(days=4), 3, 4, (0, 0), **ahead, **{"schedule_state": "PPD"}),
        make_game(5, FIRST + timedelta(days=12), 1, 2, (0, 0), **ahead),
    ]
    rows = build(make_lake(games, make_lines(games[0])), FIRST + timedelta(days=2))

    assert rows["game_id"].to_list() == [2025020001, 2025020002, 2025020003]  # neither postponed nor next week's
    last = rows.row(-1, named=True)
    assert (last["home_days_of_rest"], last["away_days_of_rest"]) == (1, 4)
    assert last["home_games_before"] == 1
    assert last["home_goal_margin"] == pytest.approx(4 / 26, abs=1e-4)


def test_tie_has_no_winner_and_preseason_has_no_row():
    games = [make_game(1, FIRST, 1, 2, (2, 2)), make_game(2, FIRST, 3, 4, (2, 1), game_type=1)]
    rows = build(make_lake(games))

    assert rows.select("game_id", "is_home_win").rows() == [(2025020001, None)]


def test_league_without_a_model_has_features_and_no_probability():
    rows = build(make_season(), source="another league")

    assert rows["home_goal_margin"].null_count() < 4
    assert rows.select(pl.col("home_win_probability", "model").is_null().all()).row(0) == (True, True)
