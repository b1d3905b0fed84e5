"""`show` and `tables`: the columns that fit, filters by date, and the dictionary of columns without a lake."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from nhl_lake import catalog
from tests.support import lakes
from tests.support.commands import CommandResult

Cli = Callable[..., CommandResult]
GAME = "gold.skater_game"


def test_a_condition_compares_dates_with_texts(run_here: Cli, league_lake: Path):
    condition = "game_date >= '2026-03-30' and situation = 'all'"
    found = run_here("show", GAME, "--where", condition, "-n", "9999", "--json", root=league_lake).json

    rows = lakes.read_rows(league_lake, catalog.find_table(GAME))
    expected = rows.filter(pl.col("game_date") >= pl.date(2026, 3, 30), pl.col("situation") == "all")
    assert len(found) == expected.height > 0


def test_the_screen_has_names_and_the_columns_of_the_condition(
    run_here: Cli, league_lake: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "80")
    ended = run_here("show", GAME, "--where", "hits >= 3 and situation = 'all'", root=league_lake)

    lines = ended.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) < 20
    headings = lines[0].split() + lines[1].split()
    assert {"game_date", "hits", "player", "situation"} <= set(headings)
    assert "more columns" in ended.out


def test_columns_are_chosen_by_name(run_here: Cli, league_lake: Path):
    ended = run_here("show", GAME, "--columns", "player, goals", "-n", "1", root=league_lake)
    wrong = run_here("show", GAME, "--columns", "player,goalz", root=league_lake)

    assert ended.out.splitlines()[0].split() == ["player", "goals"]
    assert wrong.err.splitlines()[0] == "Error: There is no column 'goalz'."
    assert "more columns" not in ended.out


def test_no_rows_are_said_and_a_condition_with_a_wrong_name_is_an_error(run_here: Cli, league_lake: Path):
    nothing = run_here("show", GAME, "--where", "goals > 50", root=league_lake)
    wrong = run_here("show", GAME, "--where", "goalz > 5", root=league_lake)

    assert nothing.out == "gold.skater_game has no rows where goals > 50.\n"
    assert "'goalz'" in wrong.err


@pytest.mark.parametrize("name", [GAME, "silver.plays", "bronze.boxscore", "lake.runs"])
def test_the_columns_of_a_table_are_listed_without_a_lake(
    run_here: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.setenv("COLUMNS", "80")
    shown = run_here("tables", name, root=tmp_path / "nowhere")
    found = run_here("tables", name, "--json", root=tmp_path / "nowhere").json

    table = catalog.find_table(name)
    assert [column["name"] for column in found["columns"]] == table.schema.names()
    assert (found["key"], found["row_is"]) == (list(table.key), table.grain)
    assert all(column["meaning"] for column in found["columns"])
    assert {c["unit"] for c in found["columns"]} == {c.unit or None for c in table.columns}
    assert all(column in shown.out for column in table.schema.names())
    assert max(map(len, shown.out.splitlines())) <= 80


def test_a_wrong_table_is_answered_with_the_nearest(run_here: Cli, tmp_path: Path):
    assert "gold.skater_game" in run_here("tables", "gold.skatergame", root=tmp_path).err


def test_tables_are_listed_before_there_is_a_lake_and_sizes_after(run_here: Cli, league_lake: Path, tmp_path: Path):
    before = run_here("tables", root=tmp_path / "nowhere")
    after = run_here("tables", "--json", root=league_lake).json

    assert "There is no lake" in before.out
    assert all(table.name in before.out for table in catalog.TABLES)
    assert [row["table"] for row in after] == [table.name for table in catalog.TABLES]
    games = lakes.read_rows(league_lake, catalog.find_table("silver.games")).height
    assert next(row for row in after if row["table"] == "silver.games")["rows"] == games
