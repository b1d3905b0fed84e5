"""Cached table handles: each is of the newest version, and of the table that is there."""

import shutil
from pathlib import Path

import polars as pl
import pytest

from nhl_lake.silver.teams import TEAMS
from nhl_lake.store import delta_tables, handles


def make_rows(*ids: int) -> pl.DataFrame:
    known = {"team_id": ids, "team_abbrev": "ABC", "team_name": "Team"}
    missing = {c.name: pl.lit(None, c.dtype) for c in TEAMS.columns if c.name not in known}
    frame = pl.DataFrame(known, schema_overrides={"team_id": pl.Int32}).with_columns(**missing)
    return frame.select(list(TEAMS.schema)).cast(dict(TEAMS.schema))


def put(root: Path, *ids: int) -> None:
    delta_tables.replace_rows(root, TEAMS, make_rows(*ids), where=None, metadata={})


def read_ids(root: Path) -> list[int]:
    return delta_tables.scan_table(root, TEAMS).select("team_id").collect()["team_id"].sort().to_list()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    delta_tables.create_tables(tmp_path / "lake", [TEAMS])
    put(tmp_path / "lake", 1)
    return tmp_path / "lake"


def test_handle_is_cached_only_inside_the_block(root: Path):
    assert delta_tables.open_table(root, TEAMS) is not delta_tables.open_table(root, TEAMS)
    with handles.cache_folder_handles():
        held = delta_tables.open_table(root, TEAMS)
        assert delta_tables.open_table(root, TEAMS) is held
        with handles.cache_folder_handles():
            assert delta_tables.open_table(root, TEAMS) is held
        assert delta_tables.open_table(root, TEAMS) is held
    assert delta_tables.open_table(root, TEAMS) is not held
    with handles.cache_folder_handles():
        assert delta_tables.open_table(root, TEAMS) is not held


def test_cached_handle_sees_every_writer(root: Path):
    with handles.cache_folder_handles():
        assert read_ids(root) == [1]
        put(root, 1, 2)
        assert read_ids(root) == [1, 2]
        by_another = handles.open_uncached(handles.locate_table(root, TEAMS))
        by_another.delete("team_id = 1")
        assert read_ids(root) == [2]
        assert delta_tables.open_table(root, TEAMS).version() == by_another.version()


def test_cached_handle_sees_a_replaced_table(root: Path, tmp_path: Path):
    other = tmp_path / "other"
    delta_tables.create_tables(other, [TEAMS])
    put(other, 7)
    with handles.cache_folder_handles():
        assert read_ids(root) == [1]
        shutil.rmtree(root)
        shutil.move(other, root)
        assert read_ids(root) == [7]


def test_older_version_does_not_change(root: Path):
    with handles.cache_folder_handles():
        version = delta_tables.open_table(root, TEAMS).version()
        put(root, 1, 2)
        for _ in range(2):
            assert delta_tables.scan_table(root, TEAMS, version=version).collect().height == 1
        assert read_ids(root) == [1, 2]
