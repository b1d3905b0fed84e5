"""Tests of `nhl-lake predict`: predictions are made before the games, stored permanently and compared with results."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nhl_lake import catalog
from nhl_lake.gold.game_features import GAME_FEATURES
from nhl_lake.gold.game_predictions import GAME_PREDICTIONS, game_predictions
from nhl_lake.gold.skater_game import SKATER_GAME
from nhl_lake.gold.sog_features import SOG_FEATURES
from nhl_lake.gold.sog_predictions import SOG_PREDICTIONS, sog_predictions
from nhl_lake.gold.win_probability import WIN_PROBABILITY
from nhl_lake.hockey.calendar import get_eastern_day
from nhl_lake.models import predict
from nhl_lake.quality import audit
from nhl_lake.rebuild import run
from nhl_lake.schema import ledger
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.rosters import ROSTERS
from nhl_lake.store import delta_tables
from tests.silver.builders import make_frame
from tests.support.commands import LEAGUE_NOW

NOW = datetime.fromisoformat(LEAGUE_NOW)

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def root(league_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake whose upcoming games were predicted once."""
    root = tmp_path_factory.mktemp("forecast") / "lake"
    shutil.copytree(league_lake, root)
    predict.predict_upcoming_games(root, NOW)
    return root


def test_every_possible_skater_is_predicted_once_by_each_model(root: Path):
    coming = delta_tables.scan_table(root, SOG_FEATURES).filter("is_upcoming").collect()
    rows = delta_tables.scan_table(root, ledger.PREDICTIONS).collect()
    known = coming.filter(pl.col("games_before").is_not_null())

    assert coming["game_id"].n_unique() > 5
    assert rows.group_by("model").len().sort("model")["len"].to_list() == [known.height, known.height]
    assert rows.select(ledger.PREDICTIONS.key).is_unique().all()
    assert set(rows["game_id"]) == set(coming["game_id"])
    assert rows["predicted_shots_on_goal"].mean() == pytest.approx(1.7, abs=0.4)


def test_every_upcoming_game_is_predicted_once_as_its_features_say(root: Path):
    ahead = delta_tables.scan_table(root, GAME_FEATURES).filter("is_upcoming").collect()
    rows = delta_tables.scan_table(root, ledger.GAME_PREDICTIONS).collect()
    known = ahead.drop_nulls("home_win_probability")

    assert known.height > 5
    assert (
        rows.select("game_id", "home_win_probability")
        .sort("game_id")
        .equals(known.select("game_id", "home_win_probability").sort("game_id"))
    )
    assert rows["model"].unique().to_list() == ["win sample league"]
    assert (rows["made_at"] < rows["start_at"]).all()


def test_model_card_is_stored(root: Path):
    (card,) = delta_tables.scan_table(root, ledger.MODELS).collect()["card"]

    rows_shown = json.loads(card)
    assert rows_shown["rows"] > 2_000
    assert {term["feature"] for term in rows_shown["terms"]} >= {"shrunk_shots_on_goal", "is_home"}


def test_predictions_stay_and_are_compared_with_the_results(root: Path, run_here: Run, tmp_path: Path):
    after = tmp_path / "lake"
    shutil.copytree(root, after)
    before = delta_tables.scan_table(after, SOG_PREDICTIONS).sort(SOG_PREDICTIONS.key).collect()
    later = NOW + timedelta(days=1)
    ended = run_here("ingest", "--since", "2026-03-18", "--quiet", root=after, api="league:", now=later)
    every = delta_tables.scan_table(after, SOG_PREDICTIONS).sort(SOG_PREDICTIONS.key).collect()
    rows = every.filter(pl.col("made_at") == NOW)
    by_run = every.filter(pl.col("made_at") > NOW)

    assert ended.code in {0, 3}, ended.err
    # the run has predicted as well, by the model that was there
    assert set(by_run["model"]) == set(rows["model"])
    assert by_run["made_at"].n_unique() == 1
    assert not by_run["is_played"].any()
    assert by_run["game_id"].n_unique() > 5
    assert not before["is_played"].any()
    assert rows.drop("is_played", "shots_on_goal").equals(before.drop("is_played", "shots_on_goal"))
    played = rows.filter("is_played")
    assert 0 < played["game_id"].n_unique() < rows["game_id"].n_unique()
    of_games = delta_tables.scan_table(after, GAME_PREDICTIONS).sort("made_at", "game_id").collect()
    first = of_games.filter(pl.col("made_at") == of_games["made_at"].min())
    assert of_games["made_at"].n_unique() == 2
    assert first.select(ledger.GAME_PREDICTIONS.schema.names()).equals(
        delta_tables.scan_table(root, ledger.GAME_PREDICTIONS).sort("game_id").collect()
    )
    ended_games = first.drop_nulls("home_score")
    assert 0 < ended_games.height < first.height
    assert (ended_games["is_home_win"] == (ended_games["home_score"] > ended_games["away_score"])).all()
    assert first.filter(pl.col("home_score").is_null())["is_home_win"].is_null().all()
    # what a run adds to is what a rebuild makes
    for table in (GAME_FEATURES, GAME_PREDICTIONS, WIN_PROBABILITY):
        added = delta_tables.scan_table(after, table).sort(table.key).collect()
        list(run.rebuild(after, [table], day=get_eastern_day(later), everything=True))
        assert_frame_equal(delta_tables.scan_table(after, table).sort(table.key).collect(), added, check_exact=True)
    shots = delta_tables.scan_table(after, SKATER_GAME).filter(pl.col("situation") == "all").collect()
    both = played.drop_nulls("shots_on_goal").join(shots, on=["game_id", "player_id"], suffix="_in_the_game")
    assert both.height > 30
    assert (both["shots_on_goal"] == both["shots_on_goal_in_the_game"]).all()


def test_two_predictions_at_one_instant_are_stored_once_and_break_no_rule(root: Path, tmp_path: Path):
    after = tmp_path / "lake"
    shutil.copytree(root, after)
    for _ in range(2):
        predict.predict_upcoming_games(after, NOW)
        predict.predict_upcoming_games(after, NOW + timedelta(microseconds=1))  # the model's name has whole seconds

    instants = delta_tables.scan_table(after, ledger.PREDICTIONS).group_by("made_at").len().collect()
    assert instants["len"].n_unique() == 1
    assert instants.height == 2
    assert [
        breach for breach in audit.find_rule_violations(after) if "model" in breach.table or "predic" in breach.table
    ] == []


def test_a_run_predicts_once_for_the_same_features_and_not_without_a_model(
    root: Path, league_lake: Path, tmp_path: Path
):
    after = tmp_path / "lake"
    shutil.copytree(root, after)

    assert list(predict.refresh_predictions(after, NOW + timedelta(hours=1))) == []
    assert list(predict.refresh_predictions(league_lake, NOW)) == []
    delta_tables.replace_rows(
        after, SOG_FEATURES, delta_tables.scan_table(after, SOG_FEATURES).collect(), where=None, metadata={}
    )
    rebuilt = list(predict.refresh_predictions(after, NOW + timedelta(hours=1)))
    assert {partition.table for partition in rebuilt} == {"gold.sog_predictions"}
    instants = delta_tables.scan_table(after, ledger.PREDICTIONS).select("made_at").unique().sort("made_at").collect()
    assert instants["made_at"].to_list() == [NOW, NOW + timedelta(hours=1)]
    assert delta_tables.scan_table(after, ledger.MODELS).collect().height == 1


def test_a_newer_model_of_expected_goals_does_not_predict_shots(root: Path, tmp_path: Path):
    after = tmp_path / "lake"
    shutil.copytree(root, after)
    later = NOW + timedelta(minutes=30)
    row = {"model": "xg 2025", "card": "{}", "made_at": later, "features_version": 0}
    delta_tables.append_to_ledger(after, ledger.MODELS, pl.DataFrame([row], schema=ledger.MODELS.schema))
    delta_tables.replace_rows(
        after, SOG_FEATURES, delta_tables.scan_table(after, SOG_FEATURES).collect(), where=None, metadata={}
    )

    assert list(predict.refresh_predictions(after, NOW + timedelta(hours=1)))
    rows = delta_tables.scan_table(after, ledger.PREDICTIONS).collect()
    assert rows["made_at"].n_unique() == 2
    assert not rows["model"].str.starts_with("xg").any()


def test_old_predictions_are_told_as_old(root: Path, run_here: Run):
    fresh = run_here("upcoming", root=root, now=NOW + timedelta(hours=20))
    old = run_here("upcoming", root=root, now=NOW + timedelta(hours=40))

    assert "hours old" not in fresh.out
    assert "up to 40 hours old" in " ".join(old.out.split())


def test_game_that_has_begun_is_not_predicted(root: Path, tmp_path: Path):
    after = tmp_path / "lake"
    shutil.copytree(root, after)
    starts = (
        delta_tables.scan_table(after, SOG_FEATURES)
        .filter("is_upcoming")
        .select("start_at")
        .unique()
        .sort("start_at")
        .collect()
    )
    begun = starts["start_at"][len(starts) // 2]
    result = predict.predict_upcoming_games(after, begun)

    assert result.rows.filter(pl.col("start_at") <= begun).is_empty()
    assert result.rows["start_at"].min() > begun
    both = delta_tables.scan_table(after, ledger.PREDICTIONS).collect()
    assert both["made_at"].n_unique() == 2


def test_predict_prints_the_top_shooters_and_says_if_there_are_no_games(root: Path, run_here: Run, tmp_path: Path):
    after = tmp_path / "lake"
    shutil.copytree(root, after)
    ended = run_here("predict", "-n", "3", root=after, now=NOW + timedelta(minutes=1))
    summer = run_here("predict", root=after, now=datetime(2026, 8, 1, tzinfo=UTC))
    rows_shown = run_here("predict", "--json", root=after, now=NOW + timedelta(minutes=2)).json

    assert ended.code == 0, ended.err
    assert len(ended.out.splitlines()) == 5  # heads, three skaters, a line on the rest
    assert "over 2.5" in ended.out.splitlines()[0]
    assert "No game of the regular season" in summer.out
    assert rows_shown[0]["predicted_shots_on_goal"] >= rows_shown[-1]["predicted_shots_on_goal"]


def test_upcoming_games_show_who_is_likely_to_win(root: Path, run_here: Run):
    rows_shown = run_here("upcoming", "--days", "6", "--json", root=root, now=NOW).json
    shown = run_here("upcoming", "--days", "6", root=root, now=NOW)
    rows = delta_tables.scan_table(root, ledger.GAME_PREDICTIONS).select("game_id", "home_win_probability").collect()
    stored = dict(rows.rows())

    predicted = [row for row in rows_shown if row["home_win_probability"] is not None]
    assert len(predicted) > 5
    for row in predicted:
        assert row["home_win_probability"] == stored[row["game_id"]]
        for team, chance in (("home", row["home_win_probability"]), ("away", 1 - row["home_win_probability"])):
            assert any(
                f"{row[f'{team}_team_abbrev']}  " in line and f" {chance:.0%} " in line
                for line in shown.out.splitlines()
            )


def test_upcoming_games_show_likely_shooters(root: Path, run_here: Run):
    rows_shown = run_here("upcoming", "--days", "6", "--shooters", "500", "--json", root=root, now=NOW).json
    shown = run_here("upcoming", "--days", "6", root=root, now=NOW)
    coming = delta_tables.scan_table(root, SOG_FEATURES).filter("is_upcoming").collect().rows_by_key(
        ["game_id", "player_id"], named=True, unique=True
    )  # fmt: skip
    predictions = (
        delta_tables.scan_table(root, SOG_PREDICTIONS).filter(pl.col("model") != predict.BASELINE_MODEL).collect()
    )

    assert [row["predicted_shots_on_goal"] for row in rows_shown] == predictions["predicted_shots_on_goal"].sort(
        descending=True
    ).to_list()[: len(rows_shown)]
    assert len(rows_shown) == min(500, predictions.height) > 100
    for row in rows_shown:
        features = coming[row["game_id"], row["player_id"]]
        assert row["projection_basis"] == features["projection_basis"]
        assert row["is_back_to_back"] == features["is_back_to_back"]
        assert {row["team"], row["opponent"]} == {features["team_abbrev"], features["opponent_abbrev"]}
    lines = shown.out.splitlines()
    best = (rows_shown[0]["game_date"], rows_shown[0]["player"], f"{rows_shown[0]['chance_over_2_5']:.0%}")
    assert sum(all(part in line for part in best) for line in lines) == 1
    assert "Predicted shots on goal" in shown.out
    assert "not predicted yet" not in shown.out


def test_newest_prediction_is_used_and_unexpected_skaters_are_hidden(root: Path, tmp_path: Path, run_here: Run):
    after = tmp_path / "lake"
    shutil.copytree(root, after)
    features = delta_tables.scan_table(after, SOG_FEATURES).collect()
    gone = features.filter("is_upcoming", pl.col("games_before").is_not_null())["player_id"][0]
    remaining = features.filter(~(pl.col("is_upcoming") & (pl.col("player_id") == gone)))
    delta_tables.replace_rows(after, SOG_FEATURES, remaining, where=None, metadata={})
    later = NOW + timedelta(hours=1)
    predict.predict_upcoming_games(after, later)
    words = ("upcoming", "--days", "6", "--shooters", "5000", "--json")
    before, now = (run_here(*words, root=where, now=later).json for where in (root, after))

    assert gone in {row["player_id"] for row in before}
    assert gone not in {row["player_id"] for row in now}
    assert {row["made_at"] for row in before}.isdisjoint({row["made_at"] for row in now})
    assert len({(row["game_id"], row["player_id"]) for row in now}) == len(now)


def test_games_without_predictions_are_marked(league_lake: Path, root: Path, run_here: Run):
    without = run_here("upcoming", root=league_lake, now=LEAGUE_NOW)
    of_late = run_here("upcoming", "--shooters", "5", root=league_lake, now=LEAGUE_NOW)
    partly = run_here("upcoming", "--days", "10", root=root, now=NOW)
    rows = run_here("upcoming", "--days", "10", "--json", root=root, now=NOW).json
    predicted = delta_tables.scan_table(root, ledger.PREDICTIONS).select("game_id").unique().collect().height

    assert "are not predicted yet: run `nhl-lake predict`." in without.out
    assert "By the last ten games of each player:" in of_late.out
    assert f"No predictions for {len(rows) - predicted} of the {len(rows)} games" in partly.out


def test_backtest_without_earlier_games_says_what_to_do(league_lake: Path, run_here: Run):
    ended = run_here("models", "backtest", "sog", "--season", "2025", root=league_lake)
    none = run_here("models", "backtest", "sog", "--season", "1999", root=league_lake)

    # two weeks of March are all that this lake holds; tests/models/test_shots_on_goal.py has seasons
    assert ended.code == 1
    assert "Too few games before any month" in ended.err
    assert none.code == 1
    assert none.err.count("\n") == 2
    assert "ingest --season 1999" in none.err


def test_prediction_for_a_skater_who_did_not_play_has_no_outcome():
    about = dict.fromkeys(ledger.PREDICTIONS.schema) | {"season": 20252026, "game_id": 1, "player_id": 7, "team_id": 1}
    game = dict.fromkeys(GAMES.schema) | {"game_id": 1, "home_team_id": 1, "home_team_abbrev": "HOM"}
    predictions = pl.LazyFrame(
        [about, about | {"player_id": 8}, about | {"game_id": 2}], schema=ledger.PREDICTIONS.schema
    )
    played = dict.fromkeys(SKATER_GAME.schema) | {"game_id": 1, "player_id": 7, "shots_on_goal": 3, "player": "Played"}
    rows = [played | {"situation": "all"}, played | {"situation": "5on5", "shots_on_goal": 2}]
    listed = dict.fromkeys(ROSTERS.schema) | {"player_id": 8, "first_name": "Ana", "last_name": "Berg"}
    found = sog_predictions(
        predictions,
        pl.LazyFrame(rows, schema=SKATER_GAME.schema),
        pl.LazyFrame([listed | {"season": 20252026}], schema=ROSTERS.schema),
        pl.LazyFrame([game], schema=GAMES.schema),
    ).sort("game_id", "player_id")

    names = found.select("player", "team_abbrev").collect().rows()
    assert names == [("Played", "HOM"), ("Ana Berg", "HOM"), (None, None)]
    outcomes = found.select("game_id", "player_id", "is_played", "shots_on_goal").collect().rows()
    assert outcomes == [(1, 7, True, 3), (1, 8, True, None), (2, 7, False, None)]


def test_result_of_a_predicted_game_is_unknown_until_it_is_final_and_for_a_tie():
    about = {"season": 20252026, "home_team_id": 1, "away_team_id": 2, "home_win_probability": 0.6}
    scores = {1: (3, 2), 2: (None, None), 3: (2, 2), 4: (0, 1)}
    found = game_predictions(
        make_frame(ledger.GAME_PREDICTIONS, [about | {"game_id": game} for game in (*scores, 5)]),
        make_frame(
            GAMES,
            [{"game_id": game, "home_score": home, "away_score": away} for game, (home, away) in scores.items()],
        ),
    ).sort("game_id")

    assert found.collect()["is_home_win"].to_list() == [True, None, None, False, None]


def test_predictions_are_in_the_ledger_and_append_only():
    assert ledger.PREDICTIONS in catalog.TABLES
    assert ledger.PREDICTIONS.is_append_only
    with pytest.raises(TypeError, match="never replaced"):
        delta_tables.replace_rows(Path("nowhere"), ledger.PREDICTIONS, pl.DataFrame(), where=None, metadata={})
