"""Committing files that workers wrote: one commit for all, and none if the table would be damaged."""

import json
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable
from polars.testing import assert_frame_equal

from nhl_lake.errors import ValidationFailed
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.teams import TEAMS
from nhl_lake.store import delta_tables, location
from nhl_lake.store.file_commit import publish_files, read_season_sizes
from nhl_lake.store.files import DataFile, write_data_file

TABLE = Table(
    name="silver.trial",
    grain="one trial",
    key=("season", "game_id"),
    columns=(
        Column("season", pl.Int32, "Season"),
        Column("game_id", pl.Int64, "Game"),
        Column("name", pl.String, "A name", nullable=True),
        Column("ids", pl.List(pl.Int64), "Some ids", nullable=True),
        Column("at", pl.Datetime("us", "UTC"), "An instant", nullable=True),
    ),
    source=pl.LazyFrame,
)
OF = pl.Schema(TABLE.schema)


def make_rows(season: int, *games: int) -> pl.DataFrame:
    return pl.DataFrame({"season": [season] * len(games), "game_id": games, "name": ["é" * 90] * len(games)}).select(
        pl.col(name).cast(dtype) if name in {"season", "game_id", "name"} else pl.lit(None, dtype).alias(name)
        for name, dtype in OF.items()
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A lake with two seasons of the table, one of them written by the engine."""
    delta_tables.create_tables(tmp_path, [TABLE])
    delta_tables.replace_rows(tmp_path, TABLE, make_rows(20222023, 1), where="season = 20222023", metadata={})
    publish_files(tmp_path, TABLE, [written(tmp_path, 20232024, 2, 3)], seasons=["20232024"], metadata={"said": "1"})
    return tmp_path


def written(root: Path, season: int, *games: int) -> DataFile:
    return write_data_file(root, TABLE, make_rows(season, *games), str(season))


def there(root: Path) -> pl.DataFrame:
    return delta_tables.scan_table(root, TABLE).sort("game_id").collect()


def test_files_of_a_season_replace_that_season_only(root: Path):
    files = [written(root, 20232024, 4), written(root, 20232024, 5, 6)]
    publish_files(root, TABLE, files, seasons=["20232024"], metadata={"said": '{"how often": 2}'})

    assert_frame_equal(there(root), pl.concat([make_rows(20222023, 1), make_rows(20232024, 4, 5, 6)]))
    assert delta_tables.read_commit_metadata(root, TABLE, "said") == {"how often": 2}
    assert delta_tables.read_table_size(root, TABLE)["rows"] == 4
    assert delta_tables.open_table(root, TABLE).version() == 3


def test_seasons_without_files_are_emptied_in_one_commit(root: Path):
    publish_files(root, TABLE, [written(root, 20222023, 9)], seasons=["20222023", "20232024"], metadata={})

    assert_frame_equal(there(root), make_rows(20222023, 9))
    assert delta_tables.open_table(root, TABLE).version() == 3


def test_table_is_replaced_with_its_columns(root: Path):
    columns = (*TABLE.columns, Column("more", pl.Float64, "One more"))
    newer = Table(name=TABLE.name, grain=TABLE.grain, key=TABLE.key, columns=columns, source=TABLE.source)
    now = make_rows(20232024, 7).with_columns(more=pl.lit(0.5))
    publish_files(root, newer, [write_data_file(root, newer, now, "20232024")], seasons=None, metadata={})

    assert_frame_equal(delta_tables.scan_table(root, newer).collect(), now)
    assert delta_tables.open_table(root, newer).version() == 3


def test_log_has_statistics_that_let_readers_skip_files(root: Path):
    adds = parts_of(root).filter(pl.col("partition.season") == 20232024)
    assert adds.select("num_records", "min.game_id", "max.game_id", "null_count.game_id").rows() == [(2, 2, 3, 0)]


def parts_of(root: Path) -> pl.DataFrame:
    return pl.DataFrame(delta_tables.open_table(root, TABLE).get_add_actions(flatten=True))


def test_log_gives_the_size_of_each_season(root: Path):
    of_log = read_season_sizes(delta_tables.open_table(root, TABLE), TABLE)
    assert {season: size.rows for season, size in of_log.items()} == {"20222023": 1, "20232024": 2}
    folder = delta_tables.locate_table(root, TABLE)
    assert isinstance(folder, Path)
    on_disk = {season: sum(file.stat().st_size for file in folder.glob(f"season={season}/*")) for season in of_log}
    assert {season: size.size_bytes for season, size in of_log.items()} == on_disk


def test_size_of_tables_without_seasons_or_rows(tmp_path: Path):
    delta_tables.create_tables(tmp_path, [TEAMS])
    assert read_season_sizes(delta_tables.open_table(tmp_path, TEAMS), TEAMS) == {}
    team = pl.select(**{name: pl.lit("1") for name in TEAMS.schema}).cast(dict(TEAMS.schema))
    delta_tables.replace_rows(tmp_path, TEAMS, team, where=None, metadata={})
    of_log = read_season_sizes(delta_tables.open_table(tmp_path, TEAMS), TEAMS)
    assert [(part, size.rows) for part, size in of_log.items()] == [(None, 1)]


def test_file_without_a_row_count_leaves_it_unknown(root: Path):
    publish_files(root, TABLE, [written(root, 20232024, game) for game in (2, 3)], seasons=["20232024"], metadata={})
    log = root / "silver" / "trial" / "_delta_log" / f"{delta_tables.open_table(root, TABLE).version():020d}.json"
    said = [json.loads(line) for line in log.read_text().splitlines()]
    next(action["add"] for action in said if "add" in action)["stats"] = None
    log.write_text("\n".join(map(json.dumps, said)))
    assert read_season_sizes(delta_tables.open_table(root, TABLE), TABLE)["20232024"].rows is None


@pytest.mark.parametrize("seasons", [["20222023"], None])
def test_harmful_commit_is_refused_and_nothing_changes(root: Path, seasons: list[str] | None):
    before, good = there(root), written(root, 20222023, 8)
    season = "season=20222023"
    folder = root / "silver" / "trial"
    typed = folder / season / "part-typed.parquet"
    pl.DataFrame({"game_id": ["8"], "name": ["x"], "ids": [[1]], "at": [None]}).write_parquet(typed)
    wider = folder / season / "part-wider.parquet"
    make_rows(20222023, 8).drop("season").with_columns(more=1).write_parquet(wider)
    noise = folder / season / "part-noise.parquet"
    noise.write_bytes(b"PAR1 but no Parquet")
    cut = written(root, 20222023, 8)
    (folder / cut.name).write_bytes((folder / cut.name).read_bytes()[:-1])

    def like(file: Path) -> DataFile:
        return good._replace(name=f"{season}/{file.name}", size=file.stat().st_size)

    elsewhere = written(root, 20232024, 8)
    wrong = {
        "wrong type": like(typed),
        "extra column": like(wider),
        "file outside its season's folder": elsewhere._replace(partition="20222023"),
        "missing file": good._replace(name=f"{season}/part-none.parquet"),
        "cut file": cut,
        "no Parquet": like(noise),
        "other rows than told": good._replace(rows=2),
        "no season": good._replace(partition=None),
    }
    if seasons is not None:
        wrong["file outside the filter"] = elsewhere
    for what, file in wrong.items():
        with pytest.raises(ValidationFailed) as raised:
            publish_files(root, TABLE, [good, file], seasons=seasons, metadata={})
        assert "No changes were made" in raised.value.hint, what
    with pytest.raises(ValidationFailed, match="listed twice"):
        publish_files(root, TABLE, [good, good], seasons=seasons, metadata={})

    assert delta_tables.open_table(root, TABLE).version() == 2
    assert_frame_equal(there(root), before)


def test_table_with_unsupported_features_is_refused(root: Path):
    delta = DeltaTable(str(root / "silver" / "trial"))
    delta.alter.add_constraint({"old": "game_id > 0"})
    file = written(root, 20222023, 8)
    with pytest.raises(ValidationFailed, match="constraints"):
        publish_files(root, TABLE, [file], seasons=["20222023"], metadata={})


def test_bronze_is_never_replaced(root: Path):
    bronze = Table(name="bronze.trial", grain="g", key=TABLE.key, columns=TABLE.columns, source=None)
    with pytest.raises(TypeError, match="never replaced"):
        publish_files(root, bronze, [], seasons=["20222023"], metadata={})


def test_files_of_a_killed_rebuild_are_invisible(root: Path):
    before = there(root)
    written(root, 20222023, 8)
    assert_frame_equal(there(root), before)
    assert len([file for file in location.list_files(root) if file.name.endswith(".parquet")]) == 3
