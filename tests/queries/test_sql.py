"""Tests of SQL queries: results, errors of two lines, and the same results from DuckDB."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import nhl_lake
from nhl_lake import catalog
from nhl_lake.errors import BadInput, LakeError, TableNotFound
from nhl_lake.gold.skater_game import SKATER_GAME
from nhl_lake.queries import duckdb_views, sql
from nhl_lake.store import delta_tables
from tests.support import lakes
from tests.support.commands import CommandResult

Cli = Callable[..., CommandResult]

# what people ask, and what engines differ in: nulls, division, order, dates, windows, sets, lists
ASKED = Path(__file__).with_name("asked.sql").read_text().splitlines()


def run_sql(root: Path, question: str) -> pl.DataFrame:
    return sql.collect_query(sql.run_query(root, question))


def catch_error(root: Path, question: str) -> tuple[str, str]:
    with pytest.raises(LakeError) as error:
        run_sql(root, question)
    return error.value.message, error.value.hint


@pytest.fixture(scope="module")
def other(league_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DuckDB file of views over the lake."""
    file = tmp_path_factory.mktemp("duck") / "views.duckdb"
    list(duckdb_views.create_views(league_lake, file, [table for table in catalog.TABLES if table.layer != "lake"]))
    return file


def comparable(rows: pl.DataFrame) -> pl.DataFrame:
    """Put numbers into one type each: engines count and sum in different ones."""
    whole, broken = pl.selectors.integer(), pl.selectors.float() | pl.selectors.decimal()
    return rows.with_columns(whole.cast(pl.Int64), broken.cast(pl.Float64), pl.selectors.temporal().cast(pl.String))


@pytest.mark.parametrize("question", ASKED)
def test_duckdb_gives_the_same_result(league_lake: Path, other: Path, question: str):
    ours = run_sql(league_lake, question)
    with duckdb.connect(str(other), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'; SET default_null_order = 'nulls_last'")
        theirs = pl.DataFrame(connection.sql(question))

    assert ours.height > 0
    assert ours.columns == theirs.columns
    assert_frame_equal(comparable(ours), comparable(theirs), check_dtypes=False)


def test_a_table_is_read_at_its_newest_version(league_lake: Path):
    rows = run_sql(league_lake, "select sum(goals) as goals from gold.skater_game")

    assert rows["goals"].to_list() == [lakes.read_rows(league_lake, SKATER_GAME)["goals"].sum()]


def test_only_named_tables_are_opened():
    assert [t.name for t in sql.find_named_tables("select 1 from silver.plays")] == ["silver.plays"]
    assert [t.name for t in sql.find_named_tables('select 1 from "silver"."plays" p, silver.plays')] == ["silver.plays"]
    assert sql.find_named_tables("select 1 from silver.plays_of_mine, silver.parsing") == []


def test_names_of_tables_are_known_without_the_catalog():
    for table in catalog.ALL_TABLES:
        assert [found.name for found in sql.find_named_tables(f"select * from {table.name}")] == [table.name]


@pytest.mark.parametrize("name", ["gold.mine", f"gold.{'a' * 300}", "bronze.mine", "lake.mine", "external.mine"])
def test_a_folder_that_is_no_table_of_the_lake_is_not_read(league_lake: Path, tmp_path: Path, name: str):
    layer, _, folder = name.partition(".")
    (tmp_path / layer).mkdir()
    if len(folder) < 99:
        (tmp_path / layer / folder).symlink_to(league_lake / "gold" / "shots")

    assert run_sql(tmp_path, f"select 1 as one, '{name}' as text -- {name}")["one"].to_list() == [1]
    assert "There is no table" in catch_error(tmp_path, f"select * from {name}")[0]


def test_columns_of_an_alias_are_no_tables(league_lake: Path):
    rows = run_sql(league_lake, "select count(gold.goals) as games from gold.skater_game as gold")

    assert rows["games"].to_list() == [lakes.read_rows(league_lake, SKATER_GAME).height]


def test_table_that_the_lake_lacks_is_named(tmp_path: Path):
    with pytest.raises(TableNotFound, match=r"gold\.skater_game is not in the lake"):
        sql.run_query(tmp_path, "select * from gold.skater_game")


@pytest.mark.parametrize(
    ("question", "what", "hint"),
    [
        ("select * from gold.skatergame", "There is no table 'gold.skatergame'.", "Did you mean 'gold.skater_game'?"),
        ("select * from skater_game", "There is no table 'skater_game'.", "Did you mean 'gold.skater_game'?"),
        ("select playr from gold.skater_game", "There is no column 'playr'.", "Did you mean 'player'?"),
        ("select sum(goals) from gold.skater_game where", "EOF", "questions.md"),
        ("select foo(goals) from gold.skater_game", "unsupported function 'foo'", "questions.md"),
        ("select 1.0 / 0 as x", "division by zero", "nullif"),
        ("select 1; select 2", "one (and only one) statement", "questions.md"),
    ],
)
def test_an_invalid_query_is_a_two_line_error(league_lake: Path, question: str, what: str, hint: str):
    message, advice = catch_error(league_lake, question)

    assert what in message
    assert hint in advice
    assert "\n" not in message + advice


@pytest.mark.parametrize(
    "question",
    [
        "drop table gold.skater_game", "delete from gold.skater_game", "truncate table gold.skater_game", "",
        "-- nothing", "create table gold.skater_game as select 1", "update gold.skater_game set goals = 9",
        "/* select */ insert into gold.skater_game values (1)",
    ],
)  # fmt: skip
def test_a_statement_that_writes_is_an_error(league_lake: Path, question: str):
    assert "can only read" in catch_error(league_lake, question)[0]


def test_a_query_may_begin_with_a_comment_or_a_bracket(league_lake: Path):
    assert run_sql(league_lake, "-- the first\n/* or\nthe second */ (select 1 as one)").rows() == [(1,)]


def test_decimals_become_floats_and_nulls_become_texts(league_lake: Path):
    rows = run_sql(league_lake, "select 1.5 as x, null as nothing")

    assert rows.schema == {"x": pl.Float64, "nothing": pl.String}


def test_a_damaged_file_is_not_an_error_of_the_query(league_lake: Path, tmp_path: Path):
    shutil.copytree(league_lake / "gold", tmp_path / "gold")
    for file in (tmp_path / "gold" / "skater_game").rglob("*.parquet"):
        file.write_bytes(bytes(file.stat().st_size))

    with pytest.raises((pl.exceptions.PolarsError, OSError)) as error:
        run_sql(tmp_path, "select sum(goals) from gold.skater_game")
    assert not isinstance(error.value, BadInput)


def test_a_query_opens_only_the_tables_that_it_names(run_here: Cli, league_lake: Path, tmp_path: Path):
    for name in ("lake", "silver/games"):
        shutil.copytree(league_lake / name, tmp_path / name)
    (tmp_path / "gold" / "skater_game").mkdir(parents=True)
    (tmp_path / "gold" / "skater_game" / "part.parquet").write_text("damaged")
    fine = run_here("sql", "select count(*) as n from silver.games", root=tmp_path)
    damaged = run_here("sql", "select count(*) as n from gold.skater_game", root=tmp_path)
    nowhere = run_here("sql", "select 1 as one", root=tmp_path / "nowhere")

    assert (fine.code, damaged.code, nowhere.code) == (0, 1, 1), fine.err
    assert "gold.skater_game" in damaged.err
    assert "There is no lake" in nowhere.err


def test_a_missing_table_is_named(tmp_path: Path):
    delta_tables.create_tables(tmp_path, [catalog.find_table("silver.games")])

    assert "gold.skater_game is not in the lake" in catch_error(tmp_path, "select 1 from gold.skater_game")[0]


def test_the_command_prints_a_table_and_the_number_of_further_rows(run_here: Cli, league_lake: Path):
    few = run_here("sql", "select 'goals' as what", root=league_lake)
    many = run_here("sql", "select game_id from silver.games order by game_id", root=league_lake)

    assert few.out.split() == ["what", "goals"]
    assert "more rows" not in few.out
    rows = lakes.read_rows(league_lake, catalog.find_table("silver.games")).height
    assert f"… {rows - 40:,} more rows" in many.out


def test_the_command_prints_csv_json_and_parquet(run_cli: Cli, run_here: Cli, league_lake: Path):
    question = "select game_id, start_at, home_score from silver.games order by start_at limit 3"
    rows = run_sql(league_lake, question)

    lines = list(csv.DictReader(io.StringIO(run_here("sql", question, "--format", "csv", root=league_lake).out)))
    found = json.loads(run_here("sql", question, "--format", "json", root=league_lake).out)
    with_settings = dict(os.environ, NHL_LAKE_ROOT=str(league_lake))
    words = [sys.executable, "-m", "nhl_lake", "sql", question, "--format", "parquet"]
    parquet = subprocess.run(words, env=with_settings, capture_output=True, check=True).stdout

    assert [int(line["game_id"]) for line in lines] == [row["game_id"] for row in found] == rows["game_id"].to_list()
    assert_frame_equal(pl.read_parquet(io.BytesIO(parquet)), rows)


@pytest.mark.parametrize("name", ["answer.csv", "answer.json", "answer.parquet"])
def test_the_command_writes_a_file_and_never_over_another(run_here: Cli, league_lake: Path, tmp_path: Path, name: str):
    words = ("sql", "select game_id, home_score from silver.games order by game_id", "-o", str(tmp_path / "new" / name))
    first, second = (run_here(*words, root=league_lake) for _ in range(2))
    third = run_here(*words, "--replace", root=league_lake)

    assert (first.code, second.code, third.code) == (0, 2, 0)
    assert "exists already" in second.err
    read = {"csv": pl.read_csv, "json": pl.read_json, "parquet": pl.read_parquet}[name.partition(".")[2]]
    assert_frame_equal(read(tmp_path / "new" / name), run_sql(league_lake, words[1]), check_dtypes=False)
    assert [file.name for file in (tmp_path / "new").iterdir()] == [name]


def test_an_unknown_format_lists_the_formats(run_here: Cli, league_lake: Path, tmp_path: Path):
    ended = run_here("sql", "select 1", "-o", str(tmp_path / "answer.xls"), root=league_lake)

    assert ended.code == 2
    assert ended.err.splitlines() == [
        "Error: Unknown ending: answer.xls.",
        "Endings are .parquet, .csv, .json; or say what it is: --format csv.",
    ]


def list_file_readers() -> list[str]:
    """Return the functions of the engine's SQL that read files, tried by name."""
    names = [name for name in dir(pl) if name.startswith(("read_", "scan_"))]
    found = []
    for name in names:
        try:
            pl.SQLContext({}).execute(f"select * from {name}('/nowhere')").collect()
        except Exception as error:
            if "is not a supported table function" in str(error):
                continue
        found.append(name)
    return found


def test_a_query_reads_no_files(tmp_path: Path):
    file = tmp_path / "secret.csv"
    file.write_text("a\n1\n")
    readers = list_file_readers()
    assert {"read_csv", "read_parquet", "read_ipc", "read_json"} <= set(readers)
    for name in readers:
        for query in (
            f"select * from {name}('{file}')",
            f"select * from \"{name.upper()}\"/**/('{file}')",
            f"select (select max(a) from {name}('{file}')) as a",
            f"with q as (select * from {name}('{file}')) select * from q",
        ):
            message, hint = catch_error(tmp_path, query)
            assert message.startswith("A query reads tables of the lake only"), query
            assert "lake.sql" in hint
    for quote in ("'", '"', "`"):
        with pytest.raises(BadInput):
            run_sql(tmp_path, f"select * from {quote}{file}{quote}")
    with pytest.raises(BadInput, match="A query reads tables of the lake only"):
        sql.filter_rows(pl.LazyFrame({"a": [1]}), f"a in (select a from read_csv('{file}'))")
    own = pl.DataFrame({"read_at": [1]})
    assert nhl_lake.Lake(tmp_path).sql("select read_at from own", own=own).item() == 1


def test_python_runs_sql_and_reads_older_versions(tmp_path: Path):
    table = catalog.find_table("silver.games")
    delta_tables.create_tables(tmp_path, catalog.TABLES)
    for score in (1, 2):
        game = {"game_id": 1, "season": 20252026, "home_score": score}
        delta_tables.replace_rows(tmp_path, table, pl.DataFrame([game], schema=table.schema), where=None, metadata={})
    mine = nhl_lake.open_lake(tmp_path)

    found = mine.versions("silver.games")
    assert mine.sql("select home_score from silver.games").item() == 2
    assert mine.table("silver.games", version=1).collect()["home_score"].item() == 1
    assert found["version"].to_list() == [2, 1, 0]
    assert found["rows_added"].to_list()[:2] == [1, 1]
    assert found["written_at"].is_sorted(descending=True)


def test_a_query_loads_no_network_client_no_other_engine_and_no_catalog(league_lake: Path, tmp_path: Path):
    query = "select count(*) as games from silver.games"
    code = f"import sys; from nhl_lake.cli.app import main; sys.argv = ['nhl-lake', 'sql', '{query}']\n"
    code += "try: main()\n"
    unused = {"httpx", "stamina", "duckdb", "xlsxwriter", "pyarrow", "pandas", "nhl_lake.catalog"}
    code += f"finally: print({unused} & {{*sys.modules}})"
    env = dict(os.environ, NHL_LAKE_ROOT=str(league_lake))
    ended = subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert ended.stdout.endswith("set()\n")


def test_a_query_is_read_from_a_file_or_from_standard_input(run_cli: Cli, league_lake: Path, tmp_path: Path):
    file = tmp_path / "query.sql"
    file.write_text("-- how many\nselect count(*) as games from silver.games")
    words = [sys.executable, "-m", "nhl_lake", "sql", "--format", "csv"]
    env = dict(os.environ, NHL_LAKE_ROOT=str(league_lake))
    piped = [
        subprocess.run([*words, *more], env=env, input=file.read_bytes(), capture_output=True, check=True).stdout
        for more in (["-"], ["-f", "-"], ["-f", str(file)])
    ]

    assert len(set(piped)) == 1
    assert piped[0].decode().splitlines()[0] == "games"


@pytest.mark.parametrize("words", [(), ("select 1", "-f", "query.sql")])
def test_a_query_is_given_once(run_here: Cli, league_lake: Path, words: tuple[str, ...]):
    assert run_here("sql", *words, root=league_lake).code == 2


def test_a_query_file_that_is_not_there_is_named(run_here: Cli, league_lake: Path, tmp_path: Path):
    ended = run_here("sql", "-f", str(tmp_path / "none.sql"), root=league_lake)

    assert (ended.code, "none.sql cannot be read" in ended.err) == (2, True)


def test_python_joins_frames_of_its_own(league_lake: Path):
    lake = nhl_lake.open_lake(league_lake)
    own = pl.DataFrame({"situation": ["5on5"], "word": ["five"]})
    query = "select word, count(*) as n from gold.team_game join own using (situation) group by word"
    rows = lake.sql(query, own=own)

    expected = lakes.read_rows(league_lake, catalog.find_table("gold.team_game")).filter(situation="5on5").height
    assert rows.rows() == lake.sql(query, own=own.lazy()).rows() == [("five", expected)]
    assert "five" in rows._repr_html_()
    with pytest.raises(BadInput, match="name of a view"):
        lake.sql("select 1 from games_historical", games_historical=own)


def test_an_error_of_a_query_is_two_lines_in_a_notebook(league_lake: Path):
    with pytest.raises(BadInput) as error:
        nhl_lake.open_lake(league_lake).sql("select goalz from gold.skater_game")

    assert error.value.__suppress_context__
    assert error.value._render_traceback_() == ["BadInput: There is no column 'goalz'.", "Did you mean 'goals'?"]


def test_a_result_fits_the_screen_and_names_what_it_leaves_out(
    run_here: Cli, league_lake: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "80")
    ended = run_here("sql", "select * from gold.skater_game where situation = 'all' limit 3", root=league_lake)

    lines = ended.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "game_date" in lines[0] or "game_date" in lines[1]
    assert "more columns" in lines[-2]
    assert "i64" not in ended.out
