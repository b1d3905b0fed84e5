"""Building tables in chunks, in little memory and in other processes gives the same rows."""

import os
import shutil
import signal
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nhl_lake import catalog
from nhl_lake.errors import LakeError
from nhl_lake.rebuild import build, executors, lineage, publish, run
from nhl_lake.rebuild.build import BuildResult, BuildTask
from nhl_lake.rebuild.executors import Executor, open_process_executor
from nhl_lake.rebuild.lineage import WHOLE_TABLE
from nhl_lake.rebuild.run import Resources
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables

TODAY = date(2026, 4, 1)
BUILT = catalog.list_build_order()
# pages that the league does not have, or not without `--with`
WITHOUT_PAGES = {"silver.edge_skater_days", "silver.game_stars", "silver.official_statistics", "silver.playoff_series"}
APART = [table for table in BUILT if table.chunk_key is not None]


@pytest.fixture(scope="module")
def snapshot(league_lake: Path) -> lineage.BuildSnapshot:
    return lineage.take_snapshot(league_lake, league_lake, BUILT, day=TODAY)


def build_chunks(snapshot: lineage.BuildSnapshot, table: Table, of: int) -> pl.DataFrame:
    """Build the league's season of a table in so many chunks, each alone."""
    part = "20252026" if table.partition else WHOLE_TABLE
    jobs = [BuildTask(snapshot, table.name, part, piece, of) for piece in range(of)]
    return pl.concat(build.build_partition(job, table, None).rows for job in jobs).sort(table.key)


@pytest.mark.parametrize("table", APART, ids=lambda table: table.name)
def test_chunks_of_a_table_make_the_complete_table(table: Table, snapshot, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(build, "MAX_BATCH_GAMES", 10**9)
    whole = build_chunks(snapshot, table, 1)
    assert_frame_equal(build_chunks(snapshot, table, 7), whole, check_exact=True)
    assert table.chunk_key in table.schema
    assert table.chunk_key in table.key or table.name == "silver.seasons"


@pytest.mark.parametrize("table", APART, ids=lambda table: table.name)
def test_table_is_the_same_from_required_columns_and_from_all(table: Table, snapshot, monkeypatch):
    part = "20252026" if table.partition else WHOLE_TABLE
    job = BuildTask(snapshot, table.name, part)
    keys, _ = build.select_chunk_keys(job, table, [build.scan_input(job, table, read) for read in table.inputs], None)
    few = build.build_partition(job, table, keys)
    monkeypatch.setattr(build, "PROJECTION_MIN_GAMES", 0)
    monkeypatch.setattr(build, "READ_WHOLE_BYTES", 0)
    assert_frame_equal(few.rows, build.build_partition(job, table, None).rows, check_exact=True)
    assert few.rows.height > 0 or table.name in {"gold.sog_predictions", "silver.game_quality", *WITHOUT_PAGES}


@pytest.mark.parametrize("table", APART, ids=lambda table: table.name)
def test_table_is_the_same_in_one_read_and_in_batches(table: Table, snapshot, monkeypatch):
    found = []
    for few in (0, 10**12):
        monkeypatch.setattr(build, "READ_WHOLE_BYTES", few)
        found.append(build_chunks(snapshot, table, 1))
    assert_frame_equal(*found, check_exact=True)


@pytest.mark.parametrize(
    ("part", "name", "season", "goes"),
    [
        ("20242025", "silver.plays", "20242025", True),
        ("20242025", "silver.plays", "20232024", False),
        ("20242025", "silver.plays", None, True),
        (WHOLE_TABLE, "silver.teams", "20232024", True),
        (WHOLE_TABLE, "silver.teams", None, True),
        ("20242025", "gold.sog_features", "20232024", True),
        ("20242025", "gold.sog_features", "20222023", False),
    ],
)
def test_chunk_reads_its_season_earlier_ones_and_rows_without_season(part: str, name: str, season, goes):
    assert build.is_input_season(part, catalog.find_table(name), season) is goes


@pytest.mark.parametrize("count", [1, build.MIN_FILTER_KEYS, build.MIN_FILTER_KEYS + 1])
def test_few_games_and_many_are_read_alike(count: int, snapshot):
    reads = catalog.find_table("gold.game_flow").inputs
    games = (
        delta_tables.scan_table(snapshot.target_root, reads[0])
        .select("game_id")
        .unique()
        .collect()["game_id"]
        .sort()
        .to_list()[:count]
    )
    for found in build.filter_keys(
        catalog.find_table("gold.game_flow"),
        [delta_tables.scan_table(snapshot.target_root, read) for read in reads],
        games,
    ):
        assert sorted(found.collect()["game_id"].unique()) == games


def test_tables_that_read_across_games_are_recognized(snapshot):
    lines = catalog.find_table("silver.skater_games")
    so_far = pl.col("goals").cum_sum().over("player_id", order_by="game_id").alias("shots_on_goal")

    def running(games: pl.LazyFrame) -> pl.LazyFrame:
        return games.with_columns(so_far)

    wrong = Table(
        name="gold.running",
        grain=lines.grain,
        key=lines.key,
        columns=lines.columns,
        source=running,
        inputs=(lines,),
        chunk_key="game_id",
    )
    whole = build_chunks(snapshot, wrong, 1)
    with pytest.raises(AssertionError):
        assert_frame_equal(build_chunks(snapshot, wrong, 3), whole)


@pytest.mark.parametrize("name", ["gold.skater_season", "gold.goalie_season", "gold.team_season", "gold.skater_rapm"])
def test_season_alone_equals_the_season_among_all(name: str, snapshot):
    """Two seasons: the league's, and a copy of it a year earlier."""
    table = catalog.find_table(name)
    job = BuildTask(snapshot, name, "20252026")
    given = [build.scan_input(job, table, read).collect() for read in table.inputs]
    both = [
        pl.concat([earlier(frame), frame]) if read.partition else frame
        for read, frame in zip(table.inputs, given, strict=True)
    ]
    every = table.build(*(frame.lazy() for frame in both)).collect()
    for season in (20242025, 20252026):
        some = [frame.filter(pl.col("season") == season) if "season" in frame.columns else frame for frame in both]
        of_season = table.build(*(frame.lazy() for frame in some)).collect()
        assert_frame_equal(of_season.sort(table.key), every.filter(pl.col("season") == season).sort(table.key))
        assert of_season.height > 0


def earlier(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows moved to the season before."""
    shifts = {
        "season": pl.col("season") - 10_001,
        "game_id": pl.col("game_id") - 1_000_000,
        "game_date": pl.col("game_date").dt.offset_by("-364d"),
        "start_at": pl.col("start_at").dt.offset_by("-364d"),
        "fetched_at": pl.col("fetched_at").dt.offset_by("-364d"),
    }
    return rows.with_columns(
        shift.cast(rows.schema[name]).alias(name) for name, shift in shifts.items() if name in rows.columns
    )


@pytest.mark.soak
def test_rebuild_in_little_memory_or_in_processes_is_the_same(league_lake: Path, tmp_path: Path, monkeypatch):
    root = copied(league_lake, tmp_path)
    monkeypatch.setattr(publish, "CHUNK_BYTES", 1)
    seen: list[int] = []

    with open_process_executor(2, 2 * (build.PROCESS_BASE_BYTES + 10**8)) as pair:

        def do(jobs: Sequence[BuildTask], table: Table):
            seen.append(len(jobs))
            yield from pair.run(jobs, table)

        list(run.rebuild(root, day=TODAY, everything=True, resources=Resources(pair._replace(run=do))))

    assert max(seen) == 4
    compare_lakes(root, league_lake)


def copied(league_lake: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(league_lake, tmp_path / "lake"))


def compare_lakes(root: Path, other: Path) -> None:
    for table in catalog.BUILT_TABLES:
        assert_frame_equal(read_table(root, table), read_table(other, table), check_exact=True)


def read_table(root: Path, table: Table) -> pl.DataFrame:
    return delta_tables.scan_table(root, table).collect().sort(table.key)


def test_each_table_is_one_commit_for_any_number_of_chunks(league_lake: Path, tmp_path: Path, monkeypatch):
    root = copied(league_lake, tmp_path)
    monkeypatch.setattr(publish, "CHUNK_BYTES", 1)
    before = {table.name: delta_tables.open_table(root, table).version() for table in BUILT}
    list(run.rebuild(root, day=TODAY, everything=True, resources=Resources(Executor(3, None, executors.run_serial))))

    assert {table.name: delta_tables.open_table(root, table).version() - before[table.name] for table in BUILT} == {
        table.name: 0 if table.name in WITHOUT_PAGES else 1 for table in BUILT
    }
    compare_lakes(root, league_lake)


def dies(job: BuildTask) -> BuildResult:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError(job)


def test_killed_process_is_an_error_and_leaves_the_table(league_lake: Path, tmp_path: Path, monkeypatch):
    root = copied(league_lake, tmp_path)
    monkeypatch.setattr(publish, "CHUNK_BYTES", 1)
    monkeypatch.setattr(executors, "run_named_task", dies)
    plays = catalog.find_table("silver.plays")
    version = delta_tables.open_table(root, plays).version()
    with open_process_executor(2, 10**9) as pair, pytest.raises(LakeError, match=r"silver\.plays was killed"):
        list(run.rebuild(root, [plays], day=TODAY, everything=True, resources=Resources(pair)))
    assert delta_tables.open_table(root, plays).version() == version
    monkeypatch.undo()

    list(run.rebuild(root, [plays], day=TODAY, everything=True))
    compare_lakes(root, league_lake)


def test_less_memory_means_fewer_games_at_once_but_never_none():
    counts = [build.choose_batch_size(10**7, memory) for memory in (4 * 10**8, 10**9, 2 * 10**9, 10**11, None)]
    assert counts == sorted(counts)
    assert counts[0] >= 1
    assert counts[-1] == counts[-2] == build.MAX_BATCH_GAMES
    assert build.choose_batch_size(10**12, 4 * 10**8) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--memory", "much"], "--memory much is not a size"),
        (["--memory", "1MB"], "too little"),
        (["--jobs", "2", "--cluster", "tcp://127.0.0.1:1"], "--jobs and --cluster"),
    ],
)
def test_invalid_options_are_errors_of_two_lines(words: list[str], said: str, run_cli, league_lake: Path):
    ended = run_cli("rebuild", *words, root=league_lake)
    assert ended.code == 2
    assert said in ended.err
    assert len(ended.err.strip().splitlines()) == 2
