"""Models of expected goals: what a fit finds, that it finds nothing in noise, and that no feature reads the future."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nhl_lake.errors import LakeError
from nhl_lake.gold.measures.expected_goals import FEATURES, XgModel, is_training_row, predict_xg
from nhl_lake.gold.shots import SHOTS
from nhl_lake.gold.xg_model import XG_MODEL
from nhl_lake.models.expected_goals import MIN_TRAINING_ROWS, SETTINGS, fit_xg_model, make_matrix, score_xg_model
from tests.gold.game_builders import FACEOFF, GAME, make_page, play_time
from tests.gold.league_tables import build_silver
from tests.silver.bronze_pages import build_table
from tests.silver.play_builders import AWAY, HOME, make_play, make_shot

ROWS = 24_000
SMALL = {**SETTINGS, "max_iter": 15, "learning_rate": 0.3}
SEASONS = (20222023, 20232024)
NO_MODEL = pl.LazyFrame(schema=XG_MODEL.schema)


def make_shots(seed: int) -> pl.DataFrame:
    """Return shots of two seasons whose log odds fall with their distance, and nothing else."""
    random = np.random.default_rng(seed)
    size = 2 * ROWS
    x_ft, y_ft = random.integers(30, 88, size).astype(float), random.integers(-40, 41, size).astype(float)
    distance = np.hypot(89 - x_ft, y_ft)
    season = np.repeat(SEASONS, ROWS)
    known = {
        "season": season,
        "game_id": season // 10_000 * 1_000_000 + 20_000 + np.arange(size) % ROWS // 80,
        "event_number": np.arange(size) % 80,
        "x_ft": x_ft,
        "y_ft": y_ft,
        "distance_ft": distance,
        "angle_deg": np.degrees(np.arctan2(np.abs(y_ft), 89 - x_ft)),
        "seconds_since_previous_event": random.integers(0, 60, size),
        "is_goal": random.random(size) < 1 / (1 + np.exp(0.5 + distance / 12)),
    }
    always: Mapping[str, Any] = {
        "game_type": 2, "is_unblocked_attempt": True, "is_penalty_shot": False, "is_opponent_net_empty": False,
        "is_home": True, "team_abbrev": "HOM", "opponent_abbrev": "AWY", "shot_type": "wrist", "strength_state": "EV",
        "score_difference": 0, "is_rebound": False, "is_rush": False, "period": 1,
    }  # fmt: skip
    rows = pl.DataFrame(known).with_columns(
        **{name: pl.lit(value) for name, value in always.items()},
        game_date=(pl.col("season") // 10_000).cast(pl.String).str.to_date("%Y") + pl.duration(days=300),
    )
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in SHOTS.schema.items() if name not in rows.columns]
    return rows.with_columns(missing).select(pl.col(name).cast(dtype) for name, dtype in SHOTS.schema.items())


@pytest.fixture(scope="module")
def shots() -> pl.DataFrame:
    return make_shots(1)


@pytest.fixture(scope="module")
def model(shots: pl.DataFrame) -> XgModel:
    return fit_xg_model(shots.filter(season=SEASONS[0]), "xg of a test", SMALL)


def test_a_fit_finds_what_makes_goals_and_is_calibrated_on_the_next_season(shots: pl.DataFrame, model: XgModel):
    scores = score_xg_model(shots.filter(season=SEASONS[1]), model)

    assert (model.rows, scores.rows) == (ROWS, ROWS)
    assert "previous_x_ft" not in model.features  # no row has it
    assert scores.auc > 0.7
    assert scores.goals_per_xg == pytest.approx(1, abs=0.1)
    assert scores.gain > 0.03


def test_shuffled_results_teach_nothing(shots: pl.DataFrame):
    shuffled = shots.with_columns(pl.col("is_goal").shuffle(seed=5))
    train, test = (shuffled.filter(season=season) for season in SEASONS)

    assert score_xg_model(test, fit_xg_model(train, "xg of noise", SMALL)).auc == pytest.approx(0.5, abs=0.02)


def test_the_same_rows_in_any_order_give_the_same_model(shots: pl.DataFrame, model: XgModel):
    again = fit_xg_model(shots.filter(season=SEASONS[0]).sample(fraction=1, shuffle=True, seed=3), model.name, SMALL)

    assert msgspec.json.encode(again) == msgspec.json.encode(model)


def test_polars_reads_the_trees_as_scikit_learn_does(shots: pl.DataFrame):
    from sklearn.ensemble import HistGradientBoostingClassifier

    train, test = (shots.filter(season=season) for season in SEASONS)
    train, test = (rows.sort("game_id", "event_number") for rows in (train, test))
    ours = fit_xg_model(train, "xg", SMALL)
    reference = HistGradientBoostingClassifier(early_stopping=False, random_state=0, **SMALL)
    reference.fit(make_matrix(train, ours.features), train["is_goal"].to_numpy())
    found = test.select(xg=predict_xg(ours))["xg"].to_numpy()

    # thresholds are rounded: a row with a value just above one may fall on the other side
    assert (np.abs(found - reference.predict_proba(make_matrix(test, ours.features))[:, 1]) > 1e-4).mean() < 1e-3


def test_training_rows_are_not_scored(shots: pl.DataFrame, model: XgModel):
    assert shots.filter(is_training_row(model))["season"].unique().to_list() == [SEASONS[0]]
    with pytest.raises(LakeError, match="was trained on some of these games"):
        score_xg_model(shots, model)


def test_too_few_shots_are_an_error(shots: pl.DataFrame):
    with pytest.raises(LakeError, match="Too few shots") as raised:
        fit_xg_model(shots.head(MIN_TRAINING_ROWS - 1), "xg")
    assert "nhl-lake ingest" in str(raised.value.hint)


# --- nothing of the future


def list_events(seed: int) -> list[dict[str, Any]]:
    """Return events of a period in order; those that follow an attempt often tell how it ended."""
    random = Random(seed)
    events, second = [FACEOFF], 0
    while len(events) < 14:
        second += random.randint(0, 12)
        team, place = (
            random.choice((HOME, AWAY)),
            {"xCoord": random.randint(-95, 95), "yCoord": random.randint(-40, 40)},
        )
        shooter, goalie = (71, 32) if team == HOME else (82, 31)
        kind = random.choice(("shot-on-goal", "missed-shot", "goal", "hit", "takeaway", "stoppage"))
        if kind == "stoppage":
            events.append(make_play(kind, **play_time(second)))
        elif kind in {"hit", "takeaway"}:
            events.append(make_play(kind, details={"eventOwnerTeamId": team, **place}, **play_time(second)))
        else:
            details = {"goalieInNetId": goalie, **place}
            events.append(make_shot(kind, by=shooter, details=details, **play_time(second)))
        if kind == "goal":
            centre = {"eventOwnerTeamId": HOME, "xCoord": 0, "yCoord": 0}
            events.append(make_play("faceoff", details=centre, **play_time(second)))
    return events


def compute_features(
    games: Sequence[list[dict[str, Any]]], features: Mapping[str, pl.Expr]
) -> dict[tuple[int, int], dict[str, Any]]:
    """Return the features of each attempt, by the number of its game and its event id."""
    pages = [make_page(*events, id=GAME + number) for number, events in enumerate(games)]
    found = build_silver(pages)
    rows = build_table(SHOTS, *(found[name].lazy() for name in ("plays", "lineups", "games")), NO_MODEL)
    key = (pl.col("game_id") - GAME).alias("game"), pl.col("event_id")
    values = pl.concat(part.select(*key, **features) for part in rows.partition_by("game_id"))
    return {(row.pop("game"), row.pop("event_id")): row for row in values.to_dicts()}


def find_leaks(events: list[dict[str, Any]], features: Mapping[str, pl.Expr]) -> set[str]:
    """Return the features of an attempt that change when everything after it is removed."""
    last = range(2, len(events) + 1)
    found = compute_features([events, *(events[:end] for end in last)], features)
    whole = {event: values for (game, event), values in found.items() if game == 0}
    assert whole
    return {
        name for event, values in whole.items() for name in features if found[event - 1, event][name] != values[name]
    }


@settings(max_examples=3)  # each of them is a game that is cut after every event
@given(st.integers(0, 10_000))
def test_no_feature_reads_what_comes_after_the_attempt(seed: int):
    assert find_leaks(list_events(seed), FEATURES) == set()


@pytest.mark.parametrize(
    "planted",
    [
        pytest.param(pl.col("outcome"), id="a column that reads what follows"),
        pytest.param(pl.col("seconds_since_stop").shift(-1), id="the next attempt"),
        pytest.param(pl.len(), id="a sum over the game"),
    ],
)
def test_a_planted_feature_of_the_future_is_found(planted: pl.Expr):
    leaks = set[str]()
    for seed in range(2):
        leaks |= find_leaks(list_events(seed), {**FEATURES, "planted": planted})
    assert leaks == {"planted"}


def test_the_result_of_an_attempt_is_none_of_its_features():
    before = list_events(4)[:6]
    second = 120
    kinds = ("goal", "shot-on-goal", "missed-shot")
    place = {"goalieInNetId": 32, "xCoord": 80, "yCoord": 5}
    games = [[*before, make_shot(kind, details=place, **play_time(second))] for kind in kinds]
    found = compute_features(games, FEATURES)
    goal, *others = (found[game, len(before) + 1] for game in range(len(kinds)))

    assert all(other == goal for other in others)
