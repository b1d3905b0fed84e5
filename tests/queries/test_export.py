"""Tests of exports: every row, the same values, a complete file or none."""

import json
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nhl_lake import catalog
from nhl_lake.errors import LakeError
from nhl_lake.queries import duckdb_views
from nhl_lake.queries.export import export_tables, flatten_nested, save_rows
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.stints import STINTS
from nhl_lake.store import delta_tables
from tests.support import lakes
from tests.support.commands import CommandResult

Cli = Callable[..., CommandResult]
TABLES = (GAMES, STINTS)
INSTANTS, DAYS = pl.selectors.datetime(), pl.selectors.date()


def export(root: Path, kind: str, to: Path, **options: Any) -> dict[str, int]:
    return {one.table: one.row_count for one in export_tables(root, TABLES, kind, to, **{"seasons": (), **options})}


def rows(root: Path, name: str = "silver.games") -> pl.DataFrame:
    """Return the rows of a table, in order, nested columns as JSON text."""
    table = catalog.find_table(name)
    return flatten_nested(lakes.read_rows(root, table).sort(table.key).lazy()).collect()


def everything(root: Path) -> dict[str, int]:
    return {table.name: lakes.read_rows(root, table).height for table in TABLES}


def test_parquet_and_csv_have_one_file_per_table_with_every_row(league_lake: Path, tmp_path: Path):
    for kind in ("parquet", "csv"):
        assert export(league_lake, kind, tmp_path) == everything(league_lake)

    assert_frame_equal(pl.read_parquet(tmp_path / "silver.stints.parquet").sort(STINTS.key), read_games(league_lake))
    found = pl.read_csv(tmp_path / "silver.stints.csv", schema=rows(league_lake, "silver.stints").schema)
    assert_frame_equal(found.sort(STINTS.key), rows(league_lake, "silver.stints"))


def read_games(root: Path) -> pl.DataFrame:
    return lakes.read_rows(root, STINTS).sort(STINTS.key)


def test_an_sqlite_file_has_a_keyed_table_for_each_table(league_lake: Path, tmp_path: Path):
    assert export(league_lake, "sqlite", tmp_path / "lake.db") == everything(league_lake)

    with closing(sqlite3.connect(tmp_path / "lake.db")) as connection:
        cursor = connection.execute("SELECT * FROM silver_games ORDER BY game_id")
        found = pl.DataFrame(cursor.fetchall(), schema=[name for name, *_ in cursor.description], orient="row")
        key = connection.execute("SELECT name FROM pragma_table_info('silver_stints') WHERE pk > 0 ORDER BY pk")
        assert [name for (name,) in key] == list(STINTS.key)
    expected = rows(league_lake).with_columns(
        INSTANTS.dt.strftime("%Y-%m-%d %H:%M:%S%.6f"), DAYS.cast(pl.String), pl.selectors.boolean().cast(pl.Int64)
    )
    assert_frame_equal(found, expected, check_dtypes=False)


def test_an_sqlite_file_holds_every_table(league_lake: Path, tmp_path: Path):
    tables = [table for table in catalog.TABLES if table.layer in {"silver", "gold"}]  # one has a column `check`

    found = list(export_tables(league_lake, tables, "sqlite", tmp_path / "all.db", seasons=()))

    assert [one.table for one in found] == [table.name for table in tables]


def test_a_duckdb_file_of_copies_needs_no_lake(league_lake: Path, tmp_path: Path):
    assert export(league_lake, "duckdb", tmp_path / "nhl.duckdb") == everything(league_lake)

    assert_frame_equal(read_duckdb(tmp_path / "nhl.duckdb", STINTS), read_games(league_lake))
    assert [file.name for file in tmp_path.iterdir()] == ["nhl.duckdb"]


def read_duckdb(file: Path, table: Any) -> pl.DataFrame:
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return pl.DataFrame(connection.sql(f"SELECT * FROM {table.name}")).sort(table.key)


def test_a_workbook_has_one_sheet_per_table_with_ids_and_texts_unchanged(league_lake: Path, tmp_path: Path):
    assert export(league_lake, "xlsx", tmp_path / "lake.xlsx") == everything(league_lake)

    with ZipFile(tmp_path / "lake.xlsx") as book:
        sheets = book.read("xl/workbook.xml").decode()
        first = book.read("xl/worksheets/sheet1.xml").decode()
    assert [f'name="{name}"' in sheets for name in ("silver.games", "silver.stints")] == [True, True]
    assert first.count("<row ") == everything(league_lake)["silver.games"] + 1
    assert f"<v>{rows(league_lake)['game_id'][0]}</v>" in first


def test_a_text_that_looks_like_a_formula_stays_a_text(tmp_path: Path):
    game = {"venue": "=1+1", "game_id": 1, "season": 20252026, "start_at": datetime(2025, 10, 7, tzinfo=UTC)}
    delta_tables.create_tables(tmp_path, [GAMES, STINTS])
    delta_tables.replace_rows(tmp_path, GAMES, pl.DataFrame([game], schema=GAMES.schema), where=None, metadata={})

    export(tmp_path, "xlsx", tmp_path / "lake.xlsx")

    with ZipFile(tmp_path / "lake.xlsx") as book:
        assert "=1+1" in book.read("xl/sharedStrings.xml").decode()
        assert "<f>" not in book.read("xl/worksheets/sheet1.xml").decode()


def test_a_spreadsheet_runs_no_text_of_a_csv_file(tmp_path: Path):
    runs = ["=1+2", "+SUM(A1)", "-1+cmd|' /C calc'!A0", "@x", "\t=1", "\r=1", "\n=1", "＝1", "-5:00x"]
    others = ["Åke", "a=b", "-05:00", "+13:45", "-12", "-1.5", "+7%", "", None, "'=1", "(-1)"]
    texts = [*runs, *others]
    found = pl.DataFrame({"text": texts, "number": range(-3, len(texts) - 3), "share": [-0.5] * len(texts)}).lazy()

    for raw in (False, True):
        save_rows(found, tmp_path / "a.csv", "csv", raw_text=raw)
        written = pl.read_csv(tmp_path / "a.csv", schema=found.collect_schema())
        assert written["text"].fill_null("").to_list() == [
            *(text if raw else f"'{text}" for text in runs),
            *(text or "" for text in others),
        ]
        assert_frame_equal(written.drop("text"), found.drop("text").collect())


def test_the_commands_quote_formulas_unless_told_otherwise(run_here: Cli, league_lake: Path, tmp_path: Path):
    query = "select '=1' as text, -2 as number"
    for n, (words, cell) in enumerate([((), "'=1"), (("--raw-text",), "=1")]):
        to = tmp_path / f"{n}.csv"
        assert run_here("sql", query, "-o", str(to), *words, root=league_lake).code == 0
        assert to.read_text() == f"text,number\n{cell},-2\n"
    assert run_here("sql", query, "--format", "csv", root=league_lake).out == "text,number\n=1,-2\n"
    assert run_here("export", "silver.games", "-o", str(tmp_path / "g.csv"), "--raw-text", root=league_lake).code == 0


def test_too_much_for_a_sheet_is_an_error_and_writes_nothing(league_lake: Path, tmp_path: Path):
    with pytest.raises(LakeError, match=r"bronze.play_by_play has texts of [\d,]+ characters"):
        list(
            export_tables(
                league_lake, [catalog.find_table("bronze.play_by_play")], "xlsx", tmp_path / "lake.xlsx", seasons=()
            )
        )

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["parquet", "csv", "sqlite", "xlsx", "duckdb"])
def test_a_failure_leaves_no_new_file_and_keeps_an_old_one(league_lake: Path, tmp_path: Path, kind: str):
    to = tmp_path / f"silver.games.{kind}"
    to.write_text("the file of yesterday")
    missing = [catalog.find_table("silver.games"), catalog.find_table("gold.skater_game")]
    delta_tables.create_tables(tmp_path / "lake", missing[1:])

    with pytest.raises(LakeError, match=r"silver.games is not in the lake"):
        list(
            export_tables(
                tmp_path / "lake", missing[:1] if kind in {"parquet", "csv"} else missing, kind, to, seasons=()
            )
        )

    assert to.read_text() == "the file of yesterday"
    assert {file.name for file in tmp_path.iterdir()} == {to.name, "lake"}


def test_only_the_chosen_seasons_are_written(league_lake: Path, tmp_path: Path):
    assert export(league_lake, "parquet", tmp_path, seasons=(20242025,)) == {"silver.games": 0, "silver.stints": 0}
    assert export(league_lake, "parquet", tmp_path, seasons=(20252026,)) == everything(league_lake)


def test_a_nested_column_becomes_json_text_and_nulls_stay():
    found = flatten_nested(pl.LazyFrame({"ids": [[1, 2], None, []], "n": [1, 2, 3]})).collect()

    assert found.rows() == [("[1, 2]", 1), (None, 2), ("[]", 3)]


def test_views_show_every_table_with_its_columns_and_types(run_here: Cli, league_lake: Path, tmp_path: Path):
    ended = run_here("duckdb", str(tmp_path / "views.duckdb"), "--json", root=league_lake)
    assert ended.code == 0, ended.err

    there = [table for table in catalog.TABLES if table.layer != "bronze"]
    written = {view["view"]: view["rows"] for view in ended.json["views"]}
    assert {table.name: written[table.name] for table in there} == {
        table.name: lakes.read_rows(league_lake, table).height for table in there
    }
    for table in there:
        found, expected = (
            read_duckdb(tmp_path / "views.duckdb", table),
            lakes.read_rows(league_lake, table).sort(table.key),
        )
        assert found.schema == expected.schema, table.name
        assert found.height == expected.height, table.name
    assert_frame_equal(
        read_duckdb(tmp_path / "views.duckdb", PLAYS), lakes.read_rows(league_lake, PLAYS).sort(PLAYS.key)
    )
    assert (tmp_path / "views.duckdb").stat().st_size < 1_000_000


def test_views_work_in_a_folder_with_blanks_and_quotes(tmp_path: Path):
    root = tmp_path / "Gordie's lake"
    delta_tables.create_tables(root, [GAMES])
    game = {"game_id": 1, "season": 20252026, "venue": "x", "start_at": datetime(2025, 10, 7, tzinfo=UTC)}
    delta_tables.replace_rows(root, GAMES, pl.DataFrame([game], schema=GAMES.schema), where=None, metadata={})

    list(duckdb_views.create_views(root, tmp_path / "nhl.duckdb", [GAMES]))

    assert read_duckdb(tmp_path / "nhl.duckdb", GAMES).select("game_id", "season", "venue").rows() == [
        (1, 20252026, "x")
    ]


def test_without_duckdb_an_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setitem(sys.modules, "duckdb", None)

    with pytest.raises(LakeError) as error:
        list(duckdb_views.create_views(tmp_path, tmp_path / "nhl.duckdb", []))
    assert "nhl-lake[duckdb]" in error.value.hint


def test_the_command_takes_the_format_from_the_name_and_reports_its_files(
    run_here: Cli, league_lake: Path, tmp_path: Path
):
    for to in ("games.csv", "lake.db", "folder"):
        ended = run_here("export", "silver.games", "--to", str(tmp_path / to), root=league_lake)
        assert ended.code == 0, ended.err
        assert f"{everything(league_lake)['silver.games']:,}" in ended.out

    assert pl.read_csv(tmp_path / "games.csv").height == everything(league_lake)["silver.games"]
    assert [file.name for file in (tmp_path / "folder").iterdir()] == ["silver.games.parquet"]
    assert (tmp_path / "lake.db").read_bytes().startswith(b"SQLite format 3")


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (("silver.gmaes", "--to", "x"), "There is no table 'silver.gmaes'."),
        (("silver.games", "--to", "x", "--format", "pdf"), "Unknown format: --format pdf."),
        (("silver.games", "silver.plays", "--to", "x.csv"), "x.csv is one file for 2 tables."),
        (("silver.games", "--to", "x", "--format", "xlsx"), "--format xlsx writes one file."),
    ],
)
def test_invalid_options_of_the_command_are_two_line_errors(
    run_here: Cli, league_lake: Path, words: tuple[str, ...], options: str
):
    ended = run_here("export", *words, root=league_lake)

    assert ended.code == 2
    assert options in ended.err
    assert len(ended.err.splitlines()) == 2


def test_an_existing_file_is_replaced_only_on_request(run_here: Cli, league_lake: Path, tmp_path: Path):
    words = ("export", "silver.games", "--to", str(tmp_path / "games.csv"))
    codes = [run_here(*more, root=league_lake).code for more in (words, words, (*words, "--replace"))]

    assert codes == [0, 2, 0]
    assert json.dumps([file.name for file in tmp_path.iterdir()]) == '["games.csv"]'
