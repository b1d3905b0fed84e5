"""The commands of the models of expected goals: what they show of a lake, and their errors in two lines."""

import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl
import pytest

from nhl_lake.gold.xg_model import SAMPLE_LEAGUE, read_shipped_model
from nhl_lake.models.storage import append_if_new, store_model
from nhl_lake.quality.audit import find_unreadable_models
from nhl_lake.schema.ledger import MODELS
from tests.support.commands import CommandResult

Cli = Callable[..., CommandResult]


@pytest.fixture(scope="module")
def two_models(league_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake whose newest model says the opposite of the one of the package."""
    root = tmp_path_factory.mktemp("two_models") / "lake"
    shutil.copytree(league_lake, root)
    shipped = read_shipped_model(SAMPLE_LEAGUE)
    trees = tuple(msgspec.structs.replace(tree, value=tuple(-value for value in tree.value)) for tree in shipped.trees)
    other = msgspec.structs.replace(shipped, name="xg opposite", trees=trees)
    store_model(root, other.name, other, datetime(2026, 3, 1, tzinfo=UTC), 1)
    return root


def test_compare_puts_two_models_side_by_side(two_models: Path, run_here: Cli):
    scores = run_here("models", "compare", "--season", "2025", "--json", root=two_models).json
    text = run_here("models", "compare", root=two_models).out

    assert list(scores) == ["xg opposite", "xg sample league"]  # the newest first
    assert scores["xg opposite"]["rows"] == scores["xg sample league"]["rows"]
    assert scores["xg opposite"]["auc"] == pytest.approx(1 - scores["xg sample league"]["auc"], abs=0.01)
    assert scores["xg sample league"]["log_loss"] < scores["xg opposite"]["log_loss"]
    assert all(word in text for word in ("2025-26", "AUC", "log loss", "goals / xG", "largest gap", "xg opposite"))


def test_show_has_the_card_and_the_scores_of_any_model(two_models: Path, run_here: Cli):
    used = run_here("models", "show", "--json", root=two_models).json
    other = run_here("models", "show", "xg opposite", "--json", root=two_models).json

    assert (used["model"], used["source"]) == ("xg sample league", "shipped, in use")  # as nothing is rebuilt yet
    assert (other["model"], other["source"]) == ("xg opposite", "not in use")
    assert used["scores"]["auc"] > 0.7 > other["scores"]["auc"]
    assert "distance_ft" in run_here("models", "show", root=two_models).out


def test_a_model_fits_a_terminal_of_80_columns(two_models: Path, run_here: Cli, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")

    assert max(map(len, run_here("models", "show", root=two_models).out.splitlines())) <= 80


@pytest.fixture(scope="module")
def unreadable_model(league_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake whose newest model has a feature that this release does not know, as after a later release fitted it."""
    root = tmp_path_factory.mktemp("unreadable_model") / "lake"
    shutil.copytree(league_lake, root)
    card = msgspec.json.encode(read_shipped_model(SAMPLE_LEAGUE)).replace(b"distance_ft", b"feet_from_bench", 1)
    row = {
        "model": "xg of tomorrow", "made_at": datetime(2026, 3, 1, tzinfo=UTC), "features_version": 1,
        "card": card.decode(),
    }  # fmt: skip
    append_if_new(root, MODELS, pl.DataFrame([row], schema=MODELS.schema))
    return root


def test_a_rebuild_names_a_model_that_it_cannot_read_and_keeps_the_one_in_use(unreadable_model: Path, run_here: Cli):
    ended = run_here("rebuild", root=unreadable_model)
    said, advice = ended.err.splitlines()

    assert ended.code == 1
    assert "'xg of tomorrow' cannot be read: unknown features: feet_from_bench" in said
    assert "nhl-lake models fit xg" in advice
    assert run_here("models", "show", "--json", root=unreadable_model).json["model"] == "xg sample league"


def test_check_names_a_model_that_cannot_be_read(unreadable_model: Path, run_here: Cli):
    found = [row for row in run_here("check", "--json", root=unreadable_model).json if row["table"] == MODELS.name]

    assert [(row["severity"], row["examples"]) for row in found] == [("error", "xg of tomorrow")]
    assert "unknown features: feet_from_bench" in found[0]["issue"]


def test_an_older_model_that_cannot_be_read_is_a_warning(unreadable_model: Path, tmp_path: Path):
    root = tmp_path / "lake"
    shutil.copytree(unreadable_model, root)
    newer = msgspec.structs.replace(read_shipped_model(SAMPLE_LEAGUE), name="xg newer")
    store_model(root, newer.name, newer, datetime(2026, 3, 2, tzinfo=UTC), 1)

    assert [(found.severity, found.examples) for found in find_unreadable_models(root)] == [
        ("warning", "xg of tomorrow")
    ]


def test_the_other_models_are_listed_beside_one_that_cannot_be_read(unreadable_model: Path, run_here: Cli):
    rows = run_here("models", "list", "--json", root=unreadable_model).json

    assert [row["model"] for row in rows if row["name"] == "xg"] == ["xg sample league"]


def test_list_has_the_fitted_models(two_models: Path, run_here: Cli):
    rows = run_here("models", "list", "--json", root=two_models).json

    assert [row["model"] for row in rows if row["name"] == "xg"] == ["xg opposite", "xg sample league"]


@pytest.mark.parametrize(
    ("command", "message", "hint"),
    [
        (["show", "xg 1999"], "There is no model 'xg 1999'", "'xg sample league'"),
        (["show", "xg", "--season", "2001"], "no games of 2001-02", "nhl-lake ingest --season 2001"),
        (["show", "sog"], "'sog' is no model of expected goals", "`nhl-lake models backtest sog --season 2023`"),
        (["show", "game"], "'game' is no model of expected goals", "`nhl-lake models backtest game --season 2023`"),
        (["compare"], "Name two models to compare, not 1", "nhl-lake models fit xg"),
        (
            ["compare", "xg sample league", "xg"],
            "'xg sample league' and 'xg' are the same model",
            "nhl-lake models list",
        ),
        (["compare", "xg sample league", "xg 2"], "There is no model 'xg 2'", "'xg sample league'"),
    ],
)
def test_an_error_has_two_lines(league_lake: Path, run_here: Cli, command: list[str], message: str, hint: str):
    ended = run_here("models", *command, root=league_lake)
    said, advice = ended.err.splitlines()

    assert ended.code != 0
    assert message in said
    assert hint in advice


@pytest.mark.parametrize(
    ("command", "message", "hint"),
    [
        (["fit", "sog"], "There is no model 'sog' to fit", "nhl-lake models fit xg"),
        (["fit", "xg"], "Too few shots to fit a model", "nhl-lake ingest --season"),
        (["fit", "xg", "--season", "2001"], "no games of 2001-02", "nhl-lake ingest --season 2001"),
    ],
)
def test_a_fit_that_cannot_be_says_why(two_models: Path, run_here: Cli, command: list[str], message: str, hint: str):
    ended = run_here("models", *command, root=two_models)
    said, advice = ended.err.splitlines()

    assert ended.code != 0
    assert message in said
    assert hint in advice


def test_without_scikit_learn_the_error_says_what_to_install(
    two_models: Path, run_here: Cli, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    monkeypatch.setattr("nhl_lake.models.expected_goals.MIN_TRAINING_ROWS", 1000)
    ended = run_here("models", "fit", "xg", root=two_models)

    assert len(ended.err.splitlines()) == 2
    assert "pip install 'nhl-lake[predict]'" in ended.err
