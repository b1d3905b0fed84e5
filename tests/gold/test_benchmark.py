"""The benchmark that compares gold with MoneyPuck builds its tables from pages of play-by-play alone."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.gold.game_builders import FACEOFF, GAME, make_page, play_time
from tests.silver.play_builders import make_shot


@pytest.fixture
def benchmark() -> ModuleType:
    file = Path(__file__).resolve().parents[2] / "benchmarks" / "gold.py"
    spec = importlib.util.spec_from_file_location("gold_benchmark", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_teams_and_skaters_are_counted_from_pages(benchmark: ModuleType, monkeypatch: pytest.MonkeyPatch):
    pages: list[dict[str, Any]] = [
        make_page(FACEOFF, make_shot("goal", by=71, **play_time(30)), id=GAME + number) for number in range(2)
    ]
    monkeypatch.setattr(benchmark, "archive", lambda _: iter([pages[:1], pages[1:]]))
    monkeypatch.setattr(benchmark, "PLAYER", 71)
    teams, skaters = benchmark.sums(20232024)

    assert teams.filter(team_abbrev="HOM", situation="all")["goals"].to_list() == [2]
    assert skaters.filter(situation="all")["goals"].to_list() == [1, 1]
    assert benchmark.list_known(teams, ["goals", "xg"]) == ["goals"]  # unknown is no zero
