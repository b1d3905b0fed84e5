"""Tests of imports from other places: what a file replaces, what is refused, and what keeps such tables."""

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from nhl_lake import catalog, open_lake
from nhl_lake.backup import snapshot
from nhl_lake.errors import BadInput
from nhl_lake.ingest.external import Import, import_file
from nhl_lake.maintenance import compaction, doctor
from nhl_lake.rebuild import run as rebuild
from nhl_lake.schema import external
from nhl_lake.schema.checks import find_violations
from nhl_lake.store import delta_tables
from tests.support.commands import CommandResult
from tests.support.fake_api import NOON, FakeApi, FakeGame, run_ingest

Cli = Callable[..., CommandResult]
SKATERS = "playerId,season,name,team,position,situation,games_played,icetime,I_F_xGoals,I_F_goals"
ROW = "8400001,2022,A Name,QCB,C,all,3,100.5,0.25,1"


@pytest.fixture(scope="module")
def new_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of one game. Tests change copies of it."""
    root = tmp_path_factory.mktemp("new") / "lake"
    run_ingest(root, FakeApi([FakeGame(1)]))
    return root


@pytest.fixture
def root(new_lake: Path, tmp_path: Path) -> Path:
    shutil.copytree(new_lake, tmp_path / "lake")
    return tmp_path / "lake"


def write_csv(folder: Path, *rows: str, head: str = SKATERS, name: str = "skaters.csv") -> Path:
    (folder / name).write_text("\n".join([head, *rows, ""]))
    return folder / name


def load(root: Path, path: Path, *, source: str = "moneypuck", is_playoffs: bool = False, hours: int = 0) -> Import:
    now = NOON + timedelta(hours=hours)
    return import_file(root, source, path, is_playoffs=is_playoffs, now=now, command="nhl-lake import")


def read(root: Path, name: str = "external.moneypuck_skaters") -> pl.DataFrame:
    table = catalog.find_table(name)
    return delta_tables.scan_table(root, table).sort(table.key).collect()


def versions(root: Path) -> dict[str, int]:
    return {
        table.name: delta_tables.open_table(root, table).version()
        for table in external.TABLES
        if delta_tables.has_table(root, table)
    }


def test_rows_keep_their_names_values_and_source(root: Path, tmp_path: Path):
    found = load(root, write_csv(tmp_path, ROW, "8400001,2022,A Name,QCB,C,5on5,3,,0.20,"))
    rows = read(root)

    assert (found.rows, found.seasons, found.is_same) == (2, [2022], False)
    assert rows.columns[:4] == ["imported_season", "is_playoffs", "playerId", "team"]
    assert rows.columns[-3:] == ["source_file", "source_sha256", "imported_at"]
    row = rows.filter(situation="all").row(0, named=True)
    assert (row["playerId"], row["I_F_goals"], row["icetime"], row["name"]) == (8400001, 1.0, 100.5, "A Name")
    assert (row["source_file"], row["source_sha256"], row["imported_at"]) == ("skaters.csv", found.sha256, NOON)
    assert rows.filter(situation="5on5")["icetime"].to_list() == [None]  # unknown is no zero


def test_the_same_file_again_changes_nothing(root: Path, tmp_path: Path):
    path = write_csv(tmp_path, ROW)
    load(root, path)
    before, at = versions(root), read(root)["imported_at"].to_list()

    assert load(root, path, hours=1).is_same
    assert versions(root) == before
    assert read(root)["imported_at"].to_list() == at


def test_a_newer_file_replaces_its_season_and_no_other(root: Path, tmp_path: Path):
    old = ROW.replace("2022", "2021")
    load(root, write_csv(tmp_path, ROW, ROW.replace("8400001", "8400002"), old))
    load(root, write_csv(tmp_path, ROW), is_playoffs=True)
    found = load(root, write_csv(tmp_path, ROW.replace("100.5", "200"), name="newer.csv"))

    assert (found.rows, found.rows_before) == (1, 2)
    assert read(root).select("imported_season", "is_playoffs", "playerId", "icetime", "source_file").rows() == [
        (2021, False, 8400001, 100.5, "skaters.csv"),
        (2022, False, 8400001, 200.0, "newer.csv"),
        (2022, True, 8400001, 100.5, "skaters.csv"),
    ]


def test_a_file_of_one_skater_leaves_the_others(root: Path, tmp_path: Path):
    head = "playerId,season,name,gameId,team,opposingTeam,situation,icetime,I_F_xGoals"
    rows = ["1,2022,A,2022020001,QCB,HMS,all,100,0.1", "2,2022,B,2022020001,QCB,HMS,all,100,0.1"]
    for row in rows:
        load(root, write_csv(tmp_path, row, head=head))
    load(root, write_csv(tmp_path, rows[0].replace(",100,", ",90,"), head=head))

    assert read(root, "external.moneypuck_skater_games").select("playerId", "icetime").rows() == [(1, 90.0), (2, 100.0)]


def test_a_new_column_is_kept_and_a_lost_one_is_unknown(root: Path, tmp_path: Path):
    load(root, write_csv(tmp_path, ROW.replace("2022", "2021")))
    load(root, write_csv(tmp_path, ROW + ",7", head=f"{SKATERS},brand_new"))

    assert read(root)["brand_new"].to_list() == [None, 7.0]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([ROW, ROW.replace("8400001", "x9")], "1 row has a key that cannot be read: row 3 (season 2022, playerId x9"),
        ([ROW.replace("8400001", "")], "row 2 (season 2022, playerId empty"),
        ([ROW.replace("2022", "22")], "1 row has a key that cannot be read: row 2 (season 22"),
        ([ROW.replace("all", " ")], "a key that cannot be read"),
        ([ROW, ROW, ROW, ROW, ROW], "5 rows have a key that is there twice: row 2 "),
        ([], "has no rows"),
    ],
)
def test_a_row_with_a_bad_key_refuses_the_file_and_nothing_is_lost(
    root: Path, tmp_path: Path, rows: list[str], said: str
):
    load(root, write_csv(tmp_path, ROW, name="good.csv"))
    before, kept = versions(root), read(root)
    with pytest.raises(BadInput) as error:
        load(root, write_csv(tmp_path, *rows))

    assert said in error.value.message
    assert "\n" not in error.value.message
    assert (versions(root), read(root).equals(kept)) == (before, True)


def test_a_value_that_does_not_fit_its_column_is_refused(root: Path, tmp_path: Path):
    load(root, write_csv(tmp_path, ROW.replace("2022", "2021")))
    with pytest.raises(BadInput, match=r"the column icetime is String; in external\.moneypuck_skaters it is Float64"):
        load(root, write_csv(tmp_path, ROW.replace("100.5", "long")))
    assert read(root).height == 1


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("a,b,c", "is no file of moneypuck that is known: its columns are a, b, c"),
        (f"{SKATERS},source_file", "has a column source_file, which the import adds"),
    ],
)
def test_other_files_are_refused(root: Path, tmp_path: Path, head: str, said: str):
    with pytest.raises(BadInput, match=said):
        load(root, write_csv(tmp_path, f"{ROW},1" if head.startswith(SKATERS) else "1,2,3", head=head))
    with pytest.raises(BadInput, match="There is no file"):
        load(root, tmp_path / "nowhere.csv")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    with pytest.raises(BadInput, match="cannot be read"):
        load(root, tmp_path / "broken.parquet")


PREDECESSOR = {
    "player_game_stats": {"playerId": ["8400001"], "season": [20222023], "gameId": ["2022020001"], "situation": ["all"],
                          "I_F_shotsOnGoal": [2]},
    "games_historical": {"team": ["QCB"], "season": [2022], "gameId": [2022020001], "situation": ["all"],
                         "goalsFor": [1]},
    "schedule": {"GAME_ID": [2022020001], "DAY": ["Fri."], "DATE": ["2022-10-07"], "HOME": ["QCB"], "AWAY": ["HMS"]},
    "skaters": {"playerId": ["8400001"], "season": [20222023], "situation": ["all"], "player_icetime": [60.0]},
}  # fmt: skip


@pytest.mark.parametrize("kind", list(PREDECESSOR))
@pytest.mark.parametrize("form", ["delta", "folder", "file"])
def test_the_tables_of_the_predecessor(root: Path, tmp_path: Path, kind: str, form: str):
    frame, path = pl.DataFrame(PREDECESSOR[kind]), tmp_path / f"{kind}.parquet"
    if form == "delta":
        path = tmp_path / kind
        frame.with_columns(pl.all().shuffle(seed=1)).write_delta(str(path))
        frame.write_delta(str(path), mode="overwrite")
    elif form == "folder":
        path = tmp_path / kind
        path.mkdir()
        frame.write_parquet(path / "part-0.parquet")
    else:
        frame.write_parquet(path)
    found = load(root, path, source="predecessor")

    assert (found.table, found.rows, found.seasons) == (f"external.predecessor_{kind}", 1, [2022])
    assert load(root, path, source="predecessor").is_same


def test_every_external_table_has_a_key_that_a_check_enforces(root: Path, tmp_path: Path):
    load(root, write_csv(tmp_path, ROW))
    table = catalog.find_table("external.moneypuck_skaters")
    rows = read(root)

    assert list(find_violations(table, rows.lazy())) == []
    assert [found.row_count for found in find_violations(table, pl.concat([rows, rows]).lazy())] == [2]
    assert all(table.key[0] == external.SEASON and set(table.key) <= set(table.schema) for table in external.TABLES)
    assert not set(external.TABLES) & {read for table in catalog.BUILT_TABLES for read in table.inputs}


def test_sql_tables_show_export_and_python_see_it(run_here: Cli, root: Path, tmp_path: Path):
    load(root, write_csv(tmp_path, ROW))
    name, file = "external.moneypuck_skaters", tmp_path / "out.csv"
    said = run_here("sql", f'select "I_F_goals" as goals from {name}', "--format", "json", root=root, now=NOON)
    exported = run_here("export", name, "-o", str(file), root=root, now=NOON)

    assert json.loads(said.out) == [{"goals": 1.0}]
    assert (exported.code, file.read_text().count("8400001")) == (0, 1)
    assert name in [one["table"] for one in run_here("tables", "--json", root=root, now=NOON).json]
    columns = [one["name"] for one in run_here("tables", name, "--json", root=root, now=NOON).json["columns"]]
    assert {"I_F_goals", "imported_at"} <= set(columns)
    assert run_here("show", name, "--json", root=root, now=NOON).json[0]["name"] == "A Name"
    assert name in open_lake(root).tables()
    assert open_lake(root).table(name).collect().height == 1


def test_backup_restore_doctor_and_maintain_include_it_and_a_rebuild_does_not(
    run_here: Cli, root: Path, tmp_path: Path
):
    load(root, write_csv(tmp_path, ROW))
    kept, before = read(root), versions(root)
    for _ in rebuild.rebuild(root, [catalog.find_table("silver.seasons")], day=NOON.date()):
        pass
    assert versions(root) == before

    backups = {"backups": tmp_path / "backups", "now": NOON}
    assert run_here("backup", "create", root=root, **backups).code == 0
    maintained = run_here("maintain", "external", "--json", root=root, **backups)
    assert (maintained.code, "external.moneypuck_skaters" in maintained.out) == (0, True)
    assert doctor.examine_lake(root, tmp_path / "backups", now=NOON, deep=True) == []

    shutil.rmtree(root / "external" / "moneypuck_skaters")
    found = doctor.examine_lake(root, tmp_path / "backups", now=NOON, deep=False)
    assert [(one.where, one.severity) for one in found] == [("external.moneypuck_skaters", "damage")]
    restored = run_here(
        "restore", "--from-backup", "--table", "external.moneypuck_skaters", "--yes", root=root, **backups
    )
    assert restored.code == 0, restored.err
    assert read(root).equals(kept)


def test_a_recorded_file_of_moneypuck(root: Path, realdata: Path):
    teams = realdata / "independent" / "moneypuck_teams_2022_regular.csv"
    games = realdata / "independent" / "moneypuck_game_by_game_8477493.csv"
    if not (teams.exists() and games.exists()):
        pytest.skip("no recorded files of MoneyPuck")

    assert load(root, teams).rows == 160
    assert load(root, games).rows == 3670
    assert read(root, "external.moneypuck_teams").filter(situation="all").height == 32


def test_backups_and_maintenance_know_every_layer():
    layers = {table.layer for table in catalog.ALL_TABLES}

    assert set(snapshot.DERIVED_FIRST) == set(compaction.MIN_KEEP_DAYS) == layers
