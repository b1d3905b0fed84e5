"""What the doctor finds, and what the command that it names repairs: each damage, with a backup and without."""

import shutil
from pathlib import Path

import msgspec
import polars as pl
import pytest

from nhl_lake import catalog
from nhl_lake.backup import restore_tables
from nhl_lake.bronze import endpoints
from nhl_lake.gold.xg_model import XG_MODEL, read_shipped_model
from nhl_lake.maintenance import doctor, repair
from nhl_lake.models.storage import store_model
from nhl_lake.rebuild import run
from nhl_lake.schema import ledger
from nhl_lake.schema.table import Table
from nhl_lake.silver.plays import PLAYS
from nhl_lake.store import atomic_swap, delta_tables
from tests.support import damage, lakes
from tests.support.backups import NOW, copy_lake, days_later, hash_all_tables, hash_table, make_backup, read_keys
from tests.support.commands import CommandResult
from tests.support.doctor import DAMAGES, Run, follow_advice, run_doctor


class Killed(BaseException):
    """The process ends here."""


BOXSCORE = endpoints.BOXSCORE
SINCE = ("--since", "2026-03-18", "--no-rebuild", "--json")
NOT_MENDED_HERE = {"ask_for_a_newer_protocol"}  # only a newer program can read it


@pytest.fixture(scope="module")
def backups(league_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The backups of the league's lake."""
    folder = tmp_path_factory.mktemp("doctor") / "backups"
    make_backup(league_lake, folder)
    return folder


@pytest.fixture
def root(league_lake: Path, tmp_path: Path) -> Path:
    return copy_lake(league_lake, tmp_path / "lake")


@pytest.fixture(scope="module")
def small_backups(small_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The backups of `small_lake`."""
    folder = tmp_path_factory.mktemp("small") / "backups"
    make_backup(small_lake, folder)
    return folder


@pytest.fixture
def small_root(small_lake: Path, tmp_path: Path) -> Path:
    return copy_lake(small_lake, tmp_path / "lake")


def list_damaged(ended: CommandResult) -> set[str]:
    return {found["where"] for found in ended.json["found"] if found["severity"] == "damage"}


def two_lines(ended: CommandResult) -> bool:
    """Return whether a command ended with an error of two lines."""
    return ended.code in {1, 2} and ended.err.startswith("Error: ") and len(ended.err.strip().splitlines()) == 2


def test_doctor_finds_no_damage_in_a_healthy_lake(run_here: Run, root: Path, backups: Path):
    for words in ((), ("--deep",), ("--mend",), ("--deep", "--mend")):
        ended = run_doctor(run_here, root, backups, *words)
        assert (ended.code, list_damaged(ended)) == (0, set()), words
    assert "No damage was found." in run_here("doctor", root=root, now=NOW, backups=backups).out


@pytest.mark.parametrize("hurt", DAMAGES, ids=lambda hurt: hurt.__name__)
def test_damage_is_named_and_repaired_from_the_backup_without_loss(
    hurt: damage.DamageFunction, run_here: Run, small_root: Path, small_backups: Path
):
    before = hash_all_tables(small_root)
    hurt(small_root, BOXSCORE)
    found = run_doctor(run_here, small_root, small_backups, "--deep")
    assert (found.code, list_damaged(found)) == (1, {BOXSCORE.name})
    follow_advice(run_here, small_root, small_backups, found)
    again = run_doctor(run_here, small_root, small_backups, "--deep")
    if hurt.__name__ in NOT_MENDED_HERE:
        assert again.code == 1
        return
    assert (again.code, list_damaged(again)) == (0, set())
    assert hash_all_tables(small_root) == before


@pytest.mark.parametrize("hurt", [damage.lose_a_log_entry, damage.empty_the_last_commit, damage.cut_the_last_commit])
def test_lost_commit_newer_than_every_backup_is_repaired_as_advised(
    hurt: damage.DamageFunction, run_here: Run, small_root: Path, small_backups: Path
):
    for number in range(1, 14 if hurt is damage.lose_a_log_entry else 2):
        delta_tables.append_rows(
            small_root, BOXSCORE, delta_tables.open_table(small_root, BOXSCORE), another_page(small_root, number)
        )
    every = read_keys(small_root, BOXSCORE)
    hurt(small_root, BOXSCORE)
    found = run_doctor(run_here, small_root, small_backups)
    assert list_damaged(found) == {BOXSCORE.name}
    follow_advice(run_here, small_root, small_backups, found)
    assert run_doctor(run_here, small_root, small_backups).code == 0
    lost = every - read_keys(small_root, BOXSCORE)
    assert lost == set() if hurt is damage.lose_a_log_entry else len(lost) <= 1  # a lost last commit is fetched again


def another_page(root: Path, number: int) -> pl.DataFrame:
    """Return a page that no backup has."""
    game = pl.lit(2025029900 + number, pl.Int64).alias("game_id")
    return delta_tables.scan_table(root, BOXSCORE).head(1).collect().with_columns(game)


@pytest.mark.parametrize("hurt", DAMAGES, ids=lambda hurt: hurt.__name__)
def test_damage_without_a_backup_is_named_and_the_other_tables_can_be_read(
    hurt: damage.DamageFunction, run_here: Run, small_root: Path, tmp_path: Path
):
    none = tmp_path / "none"
    before = hash_all_tables(small_root)
    before.pop(BOXSCORE.name)
    hurt(small_root, BOXSCORE)
    found = run_doctor(run_here, small_root, none, "--deep")
    assert (found.code, list_damaged(found)) == (1, {BOXSCORE.name})
    remedy = next(one["remedy"] for one in found.json["found"] if one["severity"] == "damage")
    assert "`" in remedy
    assert {name: hash_table(small_root, catalog.find_table(name)) for name in before} == before


def test_rows_of_a_lost_last_commit_are_added_again_without_a_backup(run_here: Run, small_root: Path, tmp_path: Path):
    restore_tables.add_missing_rows(small_root, BOXSCORE, another_page(small_root, 1).lazy())
    before = read_keys(small_root, BOXSCORE)
    damage.lose_the_last_commit(small_root, BOXSCORE)
    found = run_doctor(run_here, small_root, tmp_path / "none")
    assert "the end of its log is missing" in found.json["found"][0]["what"]
    assert run_doctor(run_here, small_root, tmp_path / "none", "--mend").code == 0
    assert read_keys(small_root, BOXSCORE) == before
    assert run_doctor(run_here, small_root, tmp_path / "none", "--deep").code == 0


@pytest.mark.parametrize(
    ("table", "hurt"),
    [
        (ledger.META, damage.lose_a_data_file),
        (ledger.META, damage.cut_a_data_file),
        (ledger.META, damage.lose_the_folder),
        (ledger.META, damage.lose_the_log),
        (ledger.META, damage.lose_the_last_commit),
        (ledger.META, damage.empty_the_last_commit),
        (ledger.ANSWERS, damage.empty_a_data_file),
        (ledger.RUNS, damage.lose_the_log),
    ],
    ids=lambda one: getattr(one, "name", "") or one.__name__,
)
def test_damaged_ledger_without_a_backup_is_repaired_as_advised_and_the_lake_can_be_used(
    table: Table, hurt: damage.DamageFunction, run_here: Run, small_root: Path, tmp_path: Path
):
    hurt(small_root, table)
    found = run_doctor(run_here, small_root, tmp_path / "none", "--deep")
    assert list_damaged(found) == {table.name}
    follow_advice(run_here, small_root, tmp_path / "none", found)
    assert run_doctor(run_here, small_root, tmp_path / "none", "--deep").code == 0
    ended = run_here("status", root=small_root, now=NOW)
    assert ended.code == 0, ended.err


def create_again(root: Path, table: Table) -> Path:
    """Remove a table, and create it again without rows, as the next ingest does."""
    folder = damage.lose_the_folder(root, table)
    delta_tables.create_tables(root, [table])
    return folder


@pytest.mark.parametrize(
    "hurt",
    [create_again, damage.lose_the_folder, damage.lose_the_log, damage.empty_a_data_file, damage.lose_a_data_file],
)
def test_lost_model_of_xg_changes_no_xg_and_is_added_again_as_advised(
    hurt: damage.DamageFunction, run_here: Run, small_root: Path, tmp_path: Path
):
    fitted = msgspec.structs.replace(read_shipped_model("NHL"), name="xg fitted")
    store_model(small_root, fitted.name, fitted, NOW, 1)
    list(run.rebuild(small_root, [XG_MODEL], day=NOW.date()))
    card = lakes.read_rows(small_root, XG_MODEL)["card"].item()
    hurt(small_root, ledger.MODELS)
    if hurt not in damage.DATA_DAMAGES:  # for these the engine raises, and the command explains it
        refused = run_here("rebuild", "gold.xg_model", root=small_root, now=NOW)
        assert two_lines(refused), refused.err
        assert ("lacks the model 'xg fitted'" in refused.err) == (hurt is not damage.lose_the_log)
    assert lakes.read_rows(small_root, XG_MODEL)["model"].item() == fitted.name
    found = run_doctor(run_here, small_root, tmp_path / "none")
    assert list_damaged(found) == {ledger.MODELS.name}
    follow_advice(run_here, small_root, tmp_path / "none", found)
    assert run_doctor(run_here, small_root, tmp_path / "none", "--deep").code == 0
    (row,) = lakes.read_rows(small_root, ledger.MODELS).to_dicts()
    assert (row["model"], row["made_at"], row["card"]) == (fitted.name, NOW, card)
    assert run_here("rebuild", "gold.xg_model", root=small_root, now=NOW).code == 0
    assert lakes.read_rows(small_root, XG_MODEL)["model"].item() == fitted.name


def test_next_ingest_writes_the_lost_layout_version_again(run_here: Run, root: Path, tmp_path: Path):
    rows = delta_tables.scan_table(root, ledger.META).drop("made_at").collect()
    damage.lose_the_log(root, ledger.META)
    assert run_doctor(run_here, root, tmp_path / "none", "--mend", "--drop-missing-pages").code == 0
    ended = run_here("ingest", *SINCE, root=root, now=NOW, api="league:")
    assert ended.code == 0, ended.err
    assert delta_tables.scan_table(root, ledger.META).drop("made_at").collect().equals(rows)


def test_pages_in_no_backup_are_dropped_only_if_asked_and_fetched_again(run_here: Run, root: Path, tmp_path: Path):
    before, none = newest(root), tmp_path / "none"
    lost = pl.read_parquet(damage.find_biggest_data_file(root, BOXSCORE)).height
    damage.lose_a_data_file(root, BOXSCORE)
    found = run_doctor(run_here, root, none)
    assert f"{lost} rows" in found.json["found"][0]["what"]
    assert "game_id 20250" in found.json["found"][0]["what"]
    assert run_doctor(run_here, root, none, "--mend").code == 1, "no page is dropped without the option"
    assert two_lines(run_here("doctor", "--drop-missing-pages", root=root, now=NOW, backups=none))
    assert run_doctor(run_here, root, none, "--mend", "--drop-missing-pages").code == 0
    assert lakes.read_rows(root, BOXSCORE).height == len(before) - lost
    ended = run_here("ingest", *SINCE, root=root, now=NOW, api="league:")
    assert ended.code == 0, ended.err
    assert ended.json["tables"][BOXSCORE.name]["new"] == lost
    assert newest(root) == before


@pytest.mark.parametrize("has_older_backup", [False, True])
def test_removed_table_of_pages_is_not_created_again_silently(
    *, has_older_backup: bool, run_here: Run, root: Path, tmp_path: Path
):
    before, backup_folder = newest(root), tmp_path / "backups"
    shutil.rmtree(lakes.locate_table(root, BOXSCORE))
    if has_older_backup:  # from before the table existed
        make_backup(root, backup_folder)
    for words in (("ingest", *SINCE), ("ingest", "--dry-run"), ("status",), ("rebuild",)):
        ended = run_here(*words, root=root, now=NOW, api="league:")
        assert two_lines(ended), words
        assert f"{BOXSCORE.name} is missing" in ended.err
        assert f"{len(before)} pages" in ended.err
        assert f"restore --from-backup --table {BOXSCORE.name}" in ended.err
    assert not lakes.locate_table(root, BOXSCORE).exists()

    assert run_doctor(run_here, root, backup_folder, "--mend").code == (0 if has_older_backup else 1)
    assert not lakes.locate_table(root, BOXSCORE).exists(), "no page is dropped without the option"
    assert run_doctor(run_here, root, backup_folder, "--mend", "--drop-missing-pages").code == 0
    ended = run_here("ingest", *SINCE, root=root, now=NOW, api="league:")
    assert (ended.code, newest(root)) == (0, before), ended.err


def test_missing_table_without_stored_pages_is_created_by_the_next_run(run_here: Run, root: Path):
    runs = lakes.read_rows(root, ledger.RUNS)
    pages = runs["pages"].to_list()
    told = [[page for page in some if page["table"] != BOXSCORE.name] for some in pages]
    lake_of_runs = runs.with_columns(pages=pl.Series(told, dtype=ledger.PAGE_COUNTS))
    shutil.rmtree(lakes.locate_table(root, ledger.RUNS))
    delta_tables.create_tables(root, [ledger.RUNS])
    delta_tables.append_to_ledger(root, ledger.RUNS, lake_of_runs)
    shutil.rmtree(lakes.locate_table(root, BOXSCORE))
    assert run_here("ingest", *SINCE, root=root, now=NOW, api="league:").code == 0


def newest(root: Path) -> dict[str, str]:
    return {page: rest[0] for page, rest in lakes.read_newest_pages(root, BOXSCORE).items()}


def test_good_pages_next_to_a_damaged_one_stay(run_here: Run, root: Path, tmp_path: Path):
    before, none = newest(root), tmp_path / "none"
    damage.change_a_body(root, BOXSCORE)
    assert run_doctor(run_here, root, none, "--deep", "--mend", "--drop-missing-pages").code == 0
    after = newest(root)
    assert len(after) == len(before) - 1
    assert after.items() <= before.items()


def test_damaged_silver_table_is_rebuilt(run_here: Run, root: Path, tmp_path: Path):
    before = lakes.read_sorted_rows(root, PLAYS)
    damage.cut_a_data_file(root, PLAYS)
    found = run_doctor(run_here, root, tmp_path / "none")
    assert list_damaged(found) == {PLAYS.name}
    assert "nhl-lake doctor --mend" in found.json["found"][0]["remedy"]
    follow_advice(run_here, root, tmp_path / "none", found)
    assert lakes.read_sorted_rows(root, PLAYS).equals(before)
    assert run_doctor(run_here, root, tmp_path / "none").code == 0


def test_doctor_reports_on_the_complete_lake(
    run_here: Run, root: Path, backups: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def said(now: object = NOW, backups: Path = backups) -> str:
        ended = run_here("doctor", root=root, now=now, backups=backups)
        assert ended.code == 0
        return ended.out

    assert "there is no backup" in said(backups=tmp_path / "none")
    assert "the newest backup is 8 days old" in said(now=days_later(8))
    assert "its newest page was fetched at 2026-04-01" in said(now=days_later(-1))
    (root.parent / "lake.restoring-20200101T000000Z").mkdir()
    (root.parent / "lake.before-restore-20200101T000000Z").mkdir()
    assert "an interrupted restore has left it" in said()
    assert "Delete it when you no longer need it" in said()
    (root / "bronze" / "boxscore" / "part-00000-01234567-89ab-cdef-0123-456789abcdef-c000.parquet#1").write_bytes(
        b"half"
    )
    assert "1 staging file of" in said()
    monkeypatch.setattr(doctor, "MIN_FREE_BYTES", 10**18)
    assert "MB left" in said()


def test_newer_layout_and_missing_lake_have_different_errors(run_here: Run, root: Path, backups: Path, tmp_path: Path):
    row = {"layout": 99, "source": "sample league", "made_by": "9.9", "made_at": NOW}
    delta_tables.append_to_ledger(root, ledger.META, pl.DataFrame([row], schema=ledger.META.schema))
    found = run_doctor(run_here, root, backups)
    assert found.code == 1
    assert "layout 99" in found.out
    ended = run_here("doctor", root=tmp_path / "nothing", now=NOW, backups=backups)
    assert two_lines(ended)
    assert "There is no lake" in ended.err


def test_only_deep_doctor_counts_files_of_killed_runs(run_here: Run, root: Path, backups: Path):
    stray = lakes.locate_table(root, BOXSCORE) / f"part-{'0' * 32}-c000.zstd.parquet"
    stray.write_bytes(damage.find_biggest_data_file(root, BOXSCORE).read_bytes())
    found = run_doctor(run_here, root, backups, "--deep")
    assert found.code == 0
    assert "1 file of killed runs" in found.out
    assert "nhl-lake maintain" in found.out


def test_doctor_finishes_an_unfinished_swap(run_here: Run, root: Path, backups: Path, tmp_path: Path):
    new = copy_lake(root, tmp_path / "lake.restoring-x")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(atomic_swap, "apply_swap", lambda *_: None)
        atomic_swap.swap_into_place(
            new, root, tmp_path / "lake.before-restore-x", command="nhl-lake restore --from-backup"
        )
    for words in (("status",), ("ingest",), ("rebuild",), ("tables",), ("backup", "create")):
        ended = run_here(*words, root=root, now=NOW, backups=backups, api="league:")
        assert two_lines(ended), words
        assert "doctor --mend" in ended.err, words
    assert run_doctor(run_here, root, backups).code == 1
    assert run_doctor(run_here, root, backups, "--mend").code == 0
    assert run_here("status", root=root, now=NOW, backups=backups).code == 0
    assert (tmp_path / "lake.before-restore-x").is_dir()


def files_of(root: Path) -> list[Path]:
    """Return the data files of the box scores, the largest first."""
    folder = lakes.locate_table(root, BOXSCORE)
    return sorted(
        (f for f in folder.rglob("*.parquet") if "_delta_log" not in f.parts), key=lambda f: -f.stat().st_size
    )


def test_pages_in_a_backup_are_restored_before_any_are_dropped(run_here: Run, root: Path, tmp_path: Path):
    first = copy_lake(root, tmp_path / "earlier")
    here = delta_tables.open_table(first, BOXSCORE)
    assert len(here.file_uris()) > 1, "a lake of one file shows nothing"
    before, backup_folder = newest(root), tmp_path / "backups"
    make_backup(root, backup_folder)
    # a page that is newer than the backup, in a file of its own
    again = delta_tables.scan_table(root, BOXSCORE).head(1).collect().with_columns(game_id=pl.lit(2025029999, pl.Int64))
    delta_tables.append_rows(root, BOXSCORE, delta_tables.open_table(root, BOXSCORE), again)
    old = {Path(name).name for name in here.file_uris()}
    (new,) = [file for file in files_of(root) if file.name not in old]
    new.unlink()
    files_of(root)[0].unlink()

    assert run_doctor(run_here, root, backup_folder, "--mend", "--drop-missing-pages").code == 0
    assert newest(root) == before  # nothing but the page that no backup had


def test_killed_repair_continues_with_what_was_set_aside(
    run_here: Run, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    before, none = newest(root), tmp_path / "none"
    damage.change_a_body(root, BOXSCORE)

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(repair.restore_tables, "add_missing_rows", killed)
        with pytest.raises(Killed):
            run_doctor(run_here, root, none, "--deep", "--mend", "--drop-missing-pages")
    assert len(newest(root)) < len(before) - 1
    assert run_doctor(run_here, root, none, "--mend", "--drop-missing-pages").code == 0
    assert len(newest(root)) == len(before) - 1
