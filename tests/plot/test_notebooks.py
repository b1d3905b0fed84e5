"""The notebooks of the documents run on a lake of the sample league; they are kept without output."""

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nhl_lake
from nhl_lake.reports import lake_card
from nhl_lake.store import delta_tables
from tests.support.commands import get_clean_environment, make_environment

NOTEBOOKS = Path(__file__).resolve().parents[2] / "docs" / "notebooks"
pytest.importorskip("altair", reason="Altair is not installed: pip install 'nhl-lake[plot]'")


@pytest.fixture
def opened(league_lake: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Open the lake of the league by default, also in other processes."""
    for name in set(os.environ) - set(get_clean_environment()):
        monkeypatch.delenv(name)
    for name, value in make_environment(league_lake, None, None, {}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.chdir(tmp_path)


def list_outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


@pytest.mark.usefixtures("opened")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_jupyter_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed: pip install 'nhl-lake[dev]'")
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed: pip install 'nhl-lake[dev]'")
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    # the kernel of this Python, which may not be the one that is registered
    spec = tmp_path / "JUPYTER_DATA_DIR" / "kernels" / "python3"
    spec.mkdir(parents=True)
    words = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": words, "display_name": "here", "language": "python"}))
    notebook = nbformat.read(NOTEBOOKS / "game.ipynb", as_version=4)

    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()

    outputs = list_outputs(notebook)
    assert [output for output in outputs if output.output_type in ("error", "stream")] == []
    charts = [output for output in outputs if "vegaEmbed" in output.data.get("text/html", "")]
    assert len(charts) == sum("plot." in cell.source for cell in notebook.cells if cell.cell_type == "code") == 4
    assert "nhl-lake</strong> at" in outputs[0].data["text/html"]


def test_the_jupyter_notebook_is_kept_without_output():
    for path in NOTEBOOKS.glob("*.ipynb"):
        cells = json.loads(path.read_text())["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        assert code
        assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


@pytest.mark.usefixtures("opened")
def test_the_marimo_notebook_runs():
    pytest.importorskip("marimo", reason="marimo is not installed: pip install 'nhl-lake[dev]'")
    spec = importlib.util.spec_from_file_location("player_notebook", NOTEBOOKS / "player.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    outputs, values = module.app.run()

    charts = [values[name] for name in ("card", "shots", "rolling", "trust")]
    assert all(any(output is chart for output in outputs) for chart in charts)
    assert all(chart.to_dict()["config"] for chart in charts)
    assert values["leaders"].height == 30


def test_a_notebook_shows_where_a_lake_is_and_what_it_has(league_lake: Path):
    lake = nhl_lake.open_lake(league_lake)
    games = lake.table("silver.games").filter(season=20252026).collect()
    shown = lake._repr_html_()
    assert str(league_lake) in shown
    played = games.filter(pl.col("game_state").is_in(["FINAL", "OFF"]))
    counted = lake.table("gold.team_game").select(pl.col("game_id").n_unique()).collect().item()
    numbers = (games.height, played.height, counted)
    for text in ("2025-26", *(f"{number:,}" for number in numbers), str(played["game_date"].max())):
        assert f">{text}<" in shown
    assert shown.count("<li>") == len(lake.tables())
    assert "gold.skater_game</code>: one row is" in shown


def test_the_name_of_a_lake_is_text(league_lake: Path):
    overview = lake_card.read_overview(league_lake)
    shown = lake_card.render_lake(overview._replace(root=Path("/x/<img src=x onerror=alert(1)>\u202e")))
    assert "<img" not in shown
    assert "\u202e" not in shown


def test_a_lake_without_games_says_what_to_run(tmp_path: Path):
    delta_tables.create_tables(tmp_path, lake_card.catalog.TABLES[:1])
    shown = lake_card.render_lake(lake_card.read_overview(tmp_path))
    assert "run <code>nhl-lake ingest</code>" in shown
    assert "1 tables" in shown
