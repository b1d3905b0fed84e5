"""Rebuilding silver and gold from bronze: day by day gives the same as from scratch, and unchanged tables stay."""

import dataclasses
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nhl_lake import catalog
from nhl_lake.errors import UnreadableData, ValidationFailed
from nhl_lake.hockey.calendar import get_eastern_day
from nhl_lake.rebuild import build, lineage
from nhl_lake.rebuild import run as rebuild
from nhl_lake.schema import checks
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import BuildFunction, Column, Table
from nhl_lake.silver.quarantine import QUARANTINE
from nhl_lake.store import delta_tables
from tests.support import fake_api
from tests.support.fake_api import NOON, FakeApi, FakeGame, run_ingest

# one table of each kind, and all that they are built from: to rebuild all tables would take twice as long
BUILT = fake_api.list_upstream(("gold.sog_features", "gold.skater_season", "gold.game_flow", "silver.players"))

TODAY = get_eastern_day(NOON)


def read_tables(root: Path) -> dict[str, pl.DataFrame]:
    tables = (*BUILT, QUARANTINE)
    return {table.name: delta_tables.scan_table(root, table).sort(table.key).collect() for table in tables}


def versions(root: Path) -> dict[str, int]:
    return {table.name: delta_tables.open_table(root, table).version() for table in BUILT}


@pytest.fixture(scope="module", autouse=True)
def few_tables() -> Iterator[None]:
    with fake_api.rebuild_only(BUILT):
        yield


@pytest.fixture(scope="module")
def two_games(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("two") / "games"
    run_ingest(root, FakeApi([FakeGame(1), FakeGame(2)]), rebuilds=True)
    return root


@pytest.fixture
def root(two_games: Path, tmp_path: Path) -> Path:
    return shutil.copytree(two_games, tmp_path, dirs_exist_ok=True)


def test_unchanged_tables_are_not_rebuilt(root: Path):
    before = versions(root)

    assert list(rebuild.rebuild(root, day=TODAY)) == []
    assert versions(root) == before


def test_everything_can_be_rebuilt(root: Path):
    before, rebuilt = read_tables(root), list(rebuild.rebuild(root, day=TODAY, everything=True))

    assert [part.table for part in rebuilt] == [table.name for table in BUILT]
    for name, frame in read_tables(root).items():
        assert_frame_equal(frame, before[name], check_exact=True)


def test_small_inputs_are_read_once_for_all_tables(root: Path, monkeypatch: pytest.MonkeyPatch):
    collect, read = build.collect_verified, Counter()

    def count(table: Table, rows: pl.LazyFrame) -> pl.DataFrame:
        read[table.name] += 1
        return collect(table, rows)

    monkeypatch.setattr(build, "collect_verified", count)
    list(rebuild.rebuild(root, day=TODAY, everything=True))

    for name in ("bronze.play_by_play", "bronze.boxscore", "silver.games"):
        assert sum(any(one.name == name for one in table.inputs) for table in BUILT) > 1
        assert read[name] == 1


def test_silver_and_gold_can_be_deleted_and_nothing_is_lost(root: Path):
    before = read_tables(root)
    shutil.rmtree(root / "silver")
    shutil.rmtree(root / "gold")
    delta_tables.create_tables(root, catalog.TABLES)
    list(rebuild.rebuild(root, day=TODAY))

    for name, frame in read_tables(root).items():
        assert_frame_equal(frame, before[name], check_exact=True)


def test_new_page_rebuilds_only_the_tables_that_read_it(root: Path):
    before = versions(root)
    api = FakeApi([FakeGame(1, scorer=8900002), FakeGame(2)])
    summary = run_ingest(root, api, now=NOON + timedelta(hours=1), lookback_days=2, rebuilds=True)

    touched = catalog.find_downstream(
        {catalog.find_table("bronze.play_by_play"), catalog.find_table("bronze.boxscore")}
    )
    assert [part.table for part in summary.rebuilt] == [table.name for table in BUILT if table in touched]
    assert versions(root)["silver.games"] == before["silver.games"]


def test_day_by_day_gives_the_same_as_from_scratch(tmp_path: Path):
    games = [FakeGame(n, start=NOON - timedelta(days=5 - n), scorer=8900001 + n % 2) for n in range(1, 5)]
    for day in range(1, 6):
        moment = NOON - timedelta(days=5 - day) + timedelta(hours=12)
        played = [game if game.start < moment else FakeGame(game.number, game.start, state="FUT") for game in games]
        run_ingest(tmp_path / "daily", FakeApi(played), now=moment, rebuilds=True)
    run_ingest(tmp_path / "once", FakeApi(games), now=NOON + timedelta(hours=12), rebuilds=True)

    daily, once = read_tables(tmp_path / "daily"), read_tables(tmp_path / "once")
    for name in daily:
        # when a page was first seen is another matter
        assert_frame_equal(daily[name].drop("fetched_at", strict=False), once[name].drop("fetched_at", strict=False))


@pytest.mark.soak
def test_order_of_stored_pages_does_not_matter(tmp_path: Path):
    games = [FakeGame(n, start=NOON - timedelta(days=n)) for n in range(1, 5)]
    run_ingest(tmp_path / "a", FakeApi(games), rebuilds=True)
    run_ingest(tmp_path / "b", FakeApi(games[:1]))
    run_ingest(tmp_path / "b", FakeApi(games[::-1]), now=NOON + timedelta(hours=1), rebuilds=True)

    for name, frame in read_tables(tmp_path / "a").items():
        assert_frame_equal(frame, read_tables(tmp_path / "b")[name])


@pytest.mark.soak
def test_batches_of_games_make_the_complete_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run_ingest(tmp_path, FakeApi([FakeGame(n, start=NOON - timedelta(days=n)) for n in range(1, 8)]), rebuilds=True)
    whole = read_tables(tmp_path)
    monkeypatch.setattr(build, "MAX_BATCH_GAMES", 2)
    monkeypatch.setattr(build, "READ_WHOLE_BYTES", 0)
    list(rebuild.rebuild(tmp_path, day=TODAY, everything=True))

    for name, frame in read_tables(tmp_path).items():
        assert_frame_equal(frame, whole[name])


def make_answer(page: dict):
    import httpx

    return httpx.Response(200, json=page)


def test_table_with_changed_columns_is_rebuilt_completely(root: Path):
    table = catalog.find_table("gold.skater_game")
    folder = delta_tables.locate_table(root, table)
    shutil.rmtree(folder)
    older = pl.DataFrame({"season": [20252026], "old": [1]}, schema={"season": pl.Int32, "old": pl.Int64})
    older.write_delta(str(folder), delta_write_options={"partition_by": ["season"]})
    list(rebuild.rebuild(root, day=TODAY))

    rows = delta_tables.scan_table(root, table).collect()
    assert rows.schema == table.schema
    assert rows.height > 0


def test_one_season_can_be_rebuilt_alone(root: Path):
    before = versions(root)

    assert list(rebuild.rebuild(root, day=TODAY, seasons=[20242025], everything=True)) == []
    assert versions(root) == before
    rebuilt = [part.table for part in rebuild.rebuild(root, day=TODAY, seasons=[20252026], everything=True)]
    assert rebuilt == [table.name for table in BUILT if table.partition]


@pytest.mark.soak
def test_rebuilding_one_season_keeps_the_lineage_of_the_others(tmp_path: Path):
    games = [FakeGame(1), FakeGame(1, year=2024, start=NOON - timedelta(days=365))]
    run_ingest(tmp_path, FakeApi(games), since=NOON.date() - timedelta(days=400), rebuilds=True)
    list(rebuild.rebuild(tmp_path, day=TODAY, seasons=[20252026], everything=True))

    assert list(rebuild.rebuild(tmp_path, day=TODAY)) == []


def refetched(root: Path, page: dict, hours: int = 1, **said) -> None:
    """Store a new version of the play-by-play page of the first of two games."""
    api = FakeApi([FakeGame(1), FakeGame(2)])
    api.fail_request = lambda path: make_answer(page) if path.endswith("2025020001/play-by-play") else None
    run_ingest(root, api, now=NOON + timedelta(hours=hours), lookback_days=2, **said)


def list_games_in(root: Path, name: str) -> set[int]:
    return set(delta_tables.scan_table(root, catalog.find_table(name)).select("game_id").collect()["game_id"])


def repeated() -> dict:
    page = FakeGame(1).make_play_by_play()
    (goal,) = page["plays"]
    return page | {"plays": [goal, goal | {"sortOrder": 10, "typeDescKey": "hit", "details": {"hittingPlayerId": 1}}]}


def unreadable() -> dict:
    page = FakeGame(1).make_play_by_play()
    page["homeTeam"]["id"] = "first"
    return page


@pytest.mark.parametrize(
    ("page", "why"),
    [pytest.param(repeated, "one row per game_id, event_id", marks=pytest.mark.soak), (unreadable, r"homeTeam.id")],
    ids=["breaks a rule", "cannot be read"],
)
def test_game_that_cannot_be_built_is_quarantined_and_the_others_are_built(root: Path, page, why: str):
    refetched(root, page())

    with pytest.raises(ValidationFailed, match=f"(?s)2025020001 by silver.plays.*{why}"):
        list(rebuild.rebuild(root, day=TODAY))
    assert list_games_in(root, "silver.plays") == {2025020002}
    assert list_games_in(root, "gold.skater_game") == {2025020002}
    assert list_games_in(root, "silver.quarantine") == {2025020001}
    assert list(rebuild.rebuild(root, day=TODAY)) == []

    refetched(root, FakeGame(1, scorer=8900002).make_play_by_play(), hours=2, rebuilds=True)
    assert list_games_in(root, "gold.skater_game") == {2025020001, 2025020002}
    assert list_games_in(root, "silver.quarantine") == set()


def test_quarantined_game_is_built_when_the_code_is_fixed(root: Path, monkeypatch: pytest.MonkeyPatch):
    refetched(root, FakeGame(1, scorer=8900002).make_play_by_play())
    is_plays = {"silver.plays": {2025020001: "a rule that is wrong"}}
    with monkeypatch.context() as patch:
        patch.setattr(checks, "describe_violations", lambda table, rows, by: is_plays.get(table.name, {}))
        with pytest.raises(ValidationFailed):
            list(rebuild.rebuild(root, day=TODAY))
    assert list_games_in(root, "silver.plays") == {2025020002}
    monkeypatch.setattr(lineage, "hash_code", lambda: "mended")
    list(rebuild.rebuild(root, day=TODAY))

    assert list_games_in(root, "silver.plays") == {2025020001, 2025020002}
    assert list_games_in(root, "silver.quarantine") == set()


def test_rebuild_of_changed_games_equals_a_rebuild_of_all(root: Path):
    api = FakeApi([FakeGame(1, scorer=8900002), FakeGame(2)])
    run_ingest(root, api, now=NOON + timedelta(hours=1), lookback_days=2)
    rebuilt = {part.table: part.games for part in rebuild.rebuild(root, day=TODAY)}
    some = read_tables(root)
    list(rebuild.rebuild(root, day=TODAY, everything=True))

    assert rebuilt == {name: 1 if catalog.find_table(name).chunk_key == "game_id" else None for name in rebuilt}
    assert {"silver.plays", "gold.skater_game"} <= rebuilt.keys()
    for name, frame in read_tables(root).items():
        assert_frame_equal(frame, some[name])


def test_lake_with_restored_bronze_is_rebuilt(tmp_path: Path):
    root = tmp_path / "lake"
    run_ingest(root, FakeApi([FakeGame(1)]), rebuilds=True)
    shutil.copytree(root / "bronze", tmp_path / "copy")
    run_ingest(root, FakeApi([FakeGame(1), FakeGame(2)]), now=NOON + timedelta(hours=1), rebuilds=True)
    shutil.rmtree(root / "bronze")
    shutil.copytree(tmp_path / "copy", root / "bronze")
    run_ingest(root, FakeApi([FakeGame(1), FakeGame(3)]), now=NOON + timedelta(hours=2), rebuilds=True)

    assert list_games_in(root, "silver.plays") == {2025020001, 2025020003}


def fewer(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the code of a table lose most of its rows."""
    plays = catalog.find_table("silver.plays")
    less = dataclasses.replace(plays, source=lambda *inputs: plays.build(*inputs).head(1))
    monkeypatch.setattr(rebuild, "list_build_order", lambda: [less])
    monkeypatch.setattr(lineage, "hash_code", lambda: "worse")


def test_table_that_would_lose_rows_stays_until_row_loss_is_allowed(root: Path, monkeypatch: pytest.MonkeyPatch):
    before = read_tables(root)["silver.plays"]
    fewer(root, monkeypatch)

    with pytest.raises(ValidationFailed, match=rf"silver.plays .*{before.height} rows would become 1.*\n.*--allow-row"):
        list(rebuild.rebuild(root, day=TODAY))
    assert_frame_equal(read_tables(root)["silver.plays"], before)
    list(rebuild.rebuild(root, day=TODAY, allow_row_loss=True))
    assert read_tables(root)["silver.plays"].height == 1


def test_broken_chunk_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    games = [FakeGame(1), FakeGame(1, year=2024, start=NOON - timedelta(days=365))]
    run_ingest(tmp_path, FakeApi(games), since=NOON.date() - timedelta(days=400), rebuilds=True)
    monkeypatch.setattr(lineage, "hash_code", lambda: "new")
    made_of = build.build_chunk

    def breaks(job, table, games=None):
        if (job.table, job.partition) == ("silver.plays", "20242025"):
            raise ValidationFailed("a slice that breaks", "a hint")
        return made_of(job, table, games)

    monkeypatch.setattr(build, "build_chunk", breaks)
    rebuilt = []
    with pytest.raises(ValidationFailed, match="a slice that breaks"):
        rebuilt.extend((part.table, part.season) for part in iter_until(rebuild.rebuild(tmp_path, day=TODAY), rebuilt))

    assert ("silver.plays", 20252026) in rebuilt
    assert ("gold.skater_game", 20252026) in rebuilt
    assert ("silver.games", 20242025) in rebuilt
    assert not {("silver.plays", 20242025), ("gold.skater_game", 20242025)} & set(rebuilt)


def iter_until(parts, rebuilt: list):
    for part in parts:
        rebuilt.append((part.table, part.season))
        yield part


def test_damaged_body_is_named_and_nothing_is_written(root: Path):
    table = catalog.find_table("bronze.play_by_play")
    before = read_tables(root)
    pages = delta_tables.scan_table(root, table).collect()
    later = pl.col("fetched_at") + timedelta(hours=1)
    other = pages.with_columns(later, sha256=pl.lit("0" * 64), body=pl.col("body") + " ")
    delta_tables.store_pages(root, table, other, lambda a, b: a == b)

    with pytest.raises(UnreadableData, match=r"bronze.play_by_play: the stored page \d+ is damaged"):
        list(rebuild.rebuild(root, day=TODAY, everything=True))
    assert_frame_equal(read_tables(root)["silver.plays"], before["silver.plays"])


def test_lake_can_be_rebuilt_as_of_a_moment(root: Path, tmp_path: Path):
    before = read_tables(root)
    run_ingest(
        root,
        FakeApi([FakeGame(1, scorer=8900002), FakeGame(2)]),
        now=NOON + timedelta(hours=5),
        lookback_days=2,
        rebuilds=True,
    )
    now, then = read_tables(root), tmp_path / "then"
    list(rebuild.rebuild_as_of(root, then, NOON + timedelta(hours=3)))

    assert not now["silver.plays"].equals(before["silver.plays"])
    assert_frame_equal(read_tables(then)["silver.plays"], before["silver.plays"])
    assert_frame_equal(read_tables(then)["gold.skater_game"], before["gold.skater_game"])
    assert_frame_equal(read_tables(root)["silver.plays"], now["silver.plays"])


def test_each_commit_records_its_pages_and_code(root: Path):
    (mark,) = lineage.read_lineage(root, catalog.find_table("gold.skater_game")).values()

    assert (
        mark.code_hash != lineage.read_lineage(root, catalog.find_table("silver.plays"))["20252026"].code_hash
    )  # that of what it reads too
    assert (
        mark.page_sets["bronze.play_by_play"].version
        == delta_tables.open_table(root, catalog.find_table("bronze.play_by_play")).version()
    )


TWO_SEASONS = [FakeGame(1), FakeGame(1, year=2024, start=NOON - timedelta(days=365))]


def two_seasons(root: Path, hours: int = 0, **said) -> None:
    run_ingest(
        root, FakeApi(TWO_SEASONS), now=NOON + timedelta(hours=hours), since=NOON.date() - timedelta(days=400), **said
    )


def test_broken_chunk_is_not_recorded_as_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    two_seasons(tmp_path)
    made_of = build.build_chunk

    def breaks(job, table, games=None):
        if (job.table, job.partition) == ("silver.plays", "20252026"):
            raise ValidationFailed("a slice that breaks", "a hint")
        return made_of(job, table, games)

    monkeypatch.setattr(build, "build_chunk", breaks)
    with pytest.raises(ValidationFailed):
        list(rebuild.rebuild(tmp_path, day=TODAY))
    monkeypatch.undo()
    assert set(lineage.read_lineage(tmp_path, catalog.find_table("silver.plays"))) == {"20242025"}

    rebuilt = {(part.table, part.season) for part in rebuild.rebuild(tmp_path, day=TODAY)}
    assert {("silver.plays", 20252026), ("gold.skater_game", 20252026)} <= rebuilt
    assert list_games_in(tmp_path, "silver.plays") == {2025020001, 2024020001}


def test_player_or_day_that_cannot_be_built_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    api = FakeApi([FakeGame(1), FakeGame(2, start=NOON - timedelta(days=3))])
    odd = {"playerId": 8900002, "firstName": {"default": "Ö"}, "lastName": {"default": "Berg"}, "sweaterNumber": 9}
    is_players = {"silver.players": {8900002: "a rule that it breaks"}}
    monkeypatch.setattr(checks, "describe_violations", lambda table, rows, by: is_players.get(table.name, {}))
    api.fail_request = lambda path: make_answer(odd) if path.endswith("8900002/landing") else None
    summary = run_ingest(tmp_path, api, rebuilds=True)

    assert summary.exit_code == 3
    assert summary.incomplete == ["1 quarantined by silver.players: a rule that it breaks (player_id 8900002)"]
    players = delta_tables.scan_table(tmp_path, catalog.find_table("silver.players")).collect()["player_id"].to_list()
    assert players == [8900001, 8900003]
    aside = delta_tables.scan_table(tmp_path, catalog.find_table("silver.quarantine")).collect()
    assert aside.select("quarantined_by", "subject", "game_id").rows() == [
        ("silver.players", "player_id 8900002", None)
    ]
    assert list(rebuild.rebuild(tmp_path, day=TODAY)) == []


def test_rebuild_killed_before_a_write_still_quarantines_the_game(root: Path, monkeypatch: pytest.MonkeyPatch):
    refetched(root, repeated())
    replace, left = delta_tables.replace_rows, [1]

    def killed(*given, **said):
        if not left:
            raise KeyboardInterrupt
        left.pop()
        replace(*given, **said)

    monkeypatch.setattr(delta_tables, "replace_rows", killed)
    with pytest.raises(KeyboardInterrupt):
        list(rebuild.rebuild(root, day=TODAY))
    monkeypatch.undo()
    with pytest.raises(ValidationFailed):
        list(rebuild.rebuild(root, day=TODAY))
    assert list_games_in(root, "silver.quarantine") == {2025020001}
    assert list_games_in(root, "silver.plays") == {2025020002}


def test_table_built_from_older_inputs_is_rebuilt_with_them(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lineage, "hash_code", lambda: "new")
    list(rebuild.rebuild(root, [catalog.find_table("gold.skater_game")], day=TODAY))
    rebuilt = {part.table for part in rebuild.rebuild(root, day=TODAY)}

    assert {"silver.plays", "gold.skater_game"} <= rebuilt


def test_season_that_left_bronze_is_removed_when_row_loss_is_allowed(tmp_path: Path):
    root = tmp_path / "lake"
    run_ingest(root, FakeApi([FakeGame(1)]))
    shutil.copytree(root / "bronze", tmp_path / "copy")
    two_seasons(root, hours=1, rebuilds=True)
    shutil.rmtree(root / "bronze")
    shutil.copytree(tmp_path / "copy", root / "bronze")

    with pytest.raises(ValidationFailed, match="row would become 0"):
        list(rebuild.rebuild(root, day=TODAY))
    assert list_games_in(root, "gold.skater_game") == {2025020001, 2024020001}
    list(rebuild.rebuild(root, day=TODAY, allow_row_loss=True))
    for table in BUILT:
        if "game_id" in table.schema and table.source is not None and table.inputs:
            assert list_games_in(root, table.name) <= {2025020001}, table.name
    assert list(rebuild.rebuild(root, day=TODAY)) == []


@pytest.mark.soak
def test_pages_of_another_season_rebuild_no_complete_season(tmp_path: Path):
    run_ingest(tmp_path, FakeApi([FakeGame(1), FakeGame(2)]), rebuilds=True)
    two_seasons(tmp_path, hours=1, rebuilds=True)
    later = FakeApi([FakeGame(1, scorer=8900002), FakeGame(2)])
    run_ingest(tmp_path, later, now=NOON + timedelta(hours=2), lookback_days=2)
    rebuilt = list(rebuild.rebuild(tmp_path, day=TODAY))
    by_game = [
        part for part in rebuilt if part.season == 20252026 and catalog.find_table(part.table).chunk_key == "game_id"
    ]

    assert by_game
    assert {part.games for part in by_game} == {1}
    assert {part.season for part in rebuilt} == {20252026}


def test_one_more_game_rebuilds_nothing_of_other_seasons(tmp_path: Path):
    two_seasons(tmp_path, rebuilds=True)
    later = FakeApi([*TWO_SEASONS, FakeGame(3)])
    run_ingest(tmp_path, later, now=NOON + timedelta(hours=2), lookback_days=2)
    rebuilt = list(rebuild.rebuild(tmp_path, day=TODAY))

    assert "silver.teams" in {part.table for part in rebuilt}
    assert {part.season for part in rebuilt} == {20252026, None}


def table_of(name: str, source: BuildFunction, **said) -> Table:
    return Table(
        name=name, grain="one of a test", key=("season",), inputs=(catalog.find_table("silver.plays"),), source=source,
        **said,
        columns=(c.season, Column("games", pl.Int32, "Games that it was given"), Column("day", pl.Date, "Its day")),
    )  # fmt: skip


def count_plays(plays: pl.LazyFrame, day: date) -> pl.LazyFrame:
    return plays.select(season=pl.col("season").max(), games=pl.col("game_id").n_unique(), day=pl.lit(day))


def test_value_that_does_not_fit_stops_its_table_alone(root: Path):
    def grow(plays: pl.LazyFrame, day: date) -> pl.LazyFrame:
        return plays.select(season=pl.col("season").max(), games=pl.lit(2**40), day=pl.lit(day))

    odd, sound = (table_of("gold.odd", grow, needs_day=True), table_of("gold.sound", count_plays, needs_day=True))
    delta_tables.create_tables(root, [odd, sound])
    rebuilt = []
    with pytest.raises(ValidationFailed, match=r"gold.odd cannot be built: .*1099511627776"):
        rebuilt.extend(part.table for part in rebuild.rebuild(root, [odd, sound], day=TODAY))
    assert delta_tables.scan_table(root, odd).collect().is_empty()
    assert delta_tables.scan_table(root, sound).collect().height == 1


def test_table_with_a_history_reads_the_season_before(tmp_path: Path):
    two_seasons(tmp_path, rebuilds=True)
    table = table_of("gold.counted", count_plays, prior_seasons=1, needs_day=True)
    delta_tables.create_tables(tmp_path, [table])

    rebuilt = {part.season: part.rows for part in rebuild.rebuild(tmp_path, [table], day=TODAY)}
    assert rebuilt == {20242025: 1, 20252026: 1}
    assert delta_tables.scan_table(tmp_path, table).sort("season").collect().rows() == [
        (20242025, 1, TODAY),
        (20252026, 2, TODAY),
    ]

    api = FakeApi([FakeGame(1), FakeGame(1, year=2024, start=NOON - timedelta(days=365), scorer=8900002)])
    run_ingest(tmp_path, api, now=NOON + timedelta(hours=1), since=NOON.date() - timedelta(days=400), lookback_days=400)
    list(rebuild.rebuild(tmp_path, day=TODAY))
    assert {part.season for part in rebuild.rebuild(tmp_path, [table], day=TODAY)} == {20242025, 20252026}


def test_table_with_a_history_keeps_only_rows_of_its_season(tmp_path: Path):
    def each(plays: pl.LazyFrame, day: date) -> pl.LazyFrame:
        return plays.group_by("season").agg(games=pl.col("game_id").n_unique(), day=pl.lit(day))

    two_seasons(tmp_path, rebuilds=True)
    table = table_of("gold.counted", each, prior_seasons=1, needs_day=True)
    delta_tables.create_tables(tmp_path, [table])
    rebuilt = {part.season: part.rows for part in rebuild.rebuild(tmp_path, [table], day=TODAY)}
    assert rebuilt == {20242025: 1, 20252026: 1}


def test_season_of_future_games_has_no_rows_of_the_season_before(tmp_path: Path):
    ahead = FakeGame(1, year=2026, start=NOON + timedelta(days=270), state="FUT")
    summary = run_ingest(tmp_path, FakeApi([FakeGame(1), ahead]), seasons=(20252026, 20262027), rebuilds=True)

    assert (summary.outcome, summary.error) == ("done", None)
    assert set(read_tables(tmp_path)["silver.games"]["season"]) == {20252026, 20262027}
    assert set(read_tables(tmp_path)["gold.sog_features"]["season"]) == {20252026}


@pytest.mark.parametrize("pin", [3, *(pytest.param(pin, marks=pytest.mark.soak) for pin in (2, 4, 5))])
def test_pages_that_arrive_after_the_snapshot_are_not_read(root: Path, pin: int, monkeypatch: pytest.MonkeyPatch):
    def beside(at: Path, table: Table, **version: int):
        pinned = handle(at, table, **version)
        if table.layer == "bronze":
            seen.append(table.name)
            if len(seen) == pin + 1:
                with monkeypatch.context() as undone:
                    undone.setattr(delta_tables, "open_table", handle)
                    run_ingest(root, FakeApi([FakeGame(1), FakeGame(2), FakeGame(3)]))
        return pinned

    handle, seen = delta_tables.open_table, list[str]()
    monkeypatch.setattr(delta_tables, "open_table", beside)
    list(rebuild.rebuild(root, day=TODAY, everything=True))
    monkeypatch.setattr(delta_tables, "open_table", handle)
    list(rebuild.rebuild(root, day=TODAY))
    rows = read_tables(root)
    assert rows["gold.skater_game"]["game_id"].n_unique() == 3
    list(rebuild.rebuild(root, day=TODAY, everything=True))
    for name, frame in read_tables(root).items():
        assert_frame_equal(frame, rows[name])


def test_tables_of_another_writer_are_not_read_during_a_rebuild(root: Path):
    games = catalog.find_table("silver.games")
    older = delta_tables.scan_table(root, games).filter(pl.col("game_id") == 2025020001).collect()
    was = delta_tables.read_commit_metadata(root, games, lineage.LINEAGE_KEY)
    was["20252026"]["of"]["bronze.schedule"][1] = "of one game"
    before = read_tables(root)
    for part in rebuild.rebuild(root, day=TODAY, everything=True):
        assert part.quarantined == ()
        if part.table == "silver.games":
            delta_tables.replace_rows(root, games, older, where=None, metadata={lineage.LINEAGE_KEY: json.dumps(was)})
    assert_frame_equal(read_tables(root)["gold.skater_game"], before["gold.skater_game"])

    assert "silver.games" in [part.table for part in rebuild.rebuild(root, day=TODAY)]
    for name, frame in read_tables(root).items():
        assert_frame_equal(frame, before[name])


def test_table_that_depends_on_the_day_is_rebuilt_on_another_day(root: Path):
    table = table_of("gold.counted", count_plays, needs_day=True)
    delta_tables.create_tables(root, [table])
    list(rebuild.rebuild(root, [table], day=TODAY))

    assert list(rebuild.rebuild(root, [table], day=TODAY)) == []
    assert len(list(rebuild.rebuild(root, [table], day=TODAY + timedelta(days=1)))) == 1
    assert delta_tables.scan_table(root, table).collect()["day"].to_list() == [TODAY + timedelta(days=1)]


def read_quarantine(root: Path) -> pl.DataFrame:
    return read_tables(root)["silver.quarantine"].select("season", "quarantined_by", "subject")


@pytest.mark.soak
def test_quarantine_of_one_season_touches_no_other_and_has_no_duplicates(tmp_path: Path):
    two_seasons(tmp_path)
    list(rebuild.rebuild(tmp_path, day=TODAY))
    whole, api = read_tables(tmp_path), FakeApi(TWO_SEASONS)
    api.fail_request = lambda path: make_answer(unreadable()) if path.endswith("2025020001/play-by-play") else None
    run_ingest(tmp_path, api, now=NOON + timedelta(hours=1), lookback_days=2)
    with pytest.raises(ValidationFailed):
        list(rebuild.rebuild(tmp_path, day=TODAY))

    few = read_tables(tmp_path)
    of_season = {name: frame for name, frame in few.items() if "season" in frame.columns and name != "silver.seasons"}
    for name, frame in of_season.items():
        other = pl.col("season") == 20242025
        assert_frame_equal(frame.filter(other), whole[name].filter(other), check_exact=True)
    assert read_quarantine(tmp_path)["season"].unique().to_list() == [20252026]
    assert "silver.game_quality" not in few["silver.quarantine"]["quarantined_by"].to_list()
    for _ in range(2):
        with pytest.raises(ValidationFailed):
            list(rebuild.rebuild(tmp_path, day=TODAY, everything=True))
        for name, frame in read_tables(tmp_path).items():
            assert_frame_equal(frame, few[name], check_exact=True)


def test_quarantine_without_partitions_still_works(root: Path):
    refetched(root, unreadable())
    with pytest.raises(ValidationFailed):
        list(rebuild.rebuild(root, day=TODAY))
    before, now = read_quarantine(root), catalog.find_table("silver.quarantine")
    earlier = dataclasses.replace(now, partition=None)
    rows = delta_tables.scan_table(root, now).collect()
    shutil.rmtree(delta_tables.locate_table(root, now))
    delta_tables.create_tables(root, [earlier])
    of_a_player = {
        "season": None,
        "quarantined_by": "silver.teams",
        "subject": "team_id 7",
        "game_id": None,
        "reason": "?",
    }
    delta_tables.replace_rows(
        root, earlier, pl.concat([rows, pl.DataFrame([of_a_player], schema=now.schema)]), where=None, metadata={}
    )

    assert list(rebuild.rebuild(root, day=TODAY)) == []
    assert delta_tables.open_table(root, now).metadata().partition_columns == ["season"]
    assert read_quarantine(root).height == before.height + 1
    with pytest.raises(ValidationFailed):
        list(rebuild.rebuild(root, day=TODAY, everything=True))
    assert_frame_equal(read_quarantine(root), before)
