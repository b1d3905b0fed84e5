"""A lake of an earlier release upgrades without changing a page or a prediction, and works from then on."""

import json
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from nhl_lake import catalog, layout
from nhl_lake.backup import repository
from nhl_lake.bronze import endpoints
from nhl_lake.clock import make_clock
from nhl_lake.errors import ValidationFailed
from nhl_lake.gold.sog_predictions import SOG_PREDICTIONS
from nhl_lake.hockey.calendar import get_eastern_day
from nhl_lake.ingest.run import Options, ingest
from nhl_lake.maintenance import upgrade
from nhl_lake.models import shots_on_goal
from nhl_lake.rebuild import run
from nhl_lake.schema import ledger
from nhl_lake.store import delta_tables
from tests.fixtures import make_lake
from tests.support import lakes
from tests.support.backups import hash_files, make_backup

HERE = Path(make_lake.__file__).parent
RELEASES = sorted(HERE.glob("lake-*.tar.xz"))
NEXT = datetime(2025, 9, 23, 13, 0, tzinfo=UTC)
MAX_BYTES = 400_000
Run = Callable[..., Any]

each_release = pytest.mark.parametrize("archive", RELEASES, ids=lambda archive: archive.name.removesuffix(".tar.xz"))


def unpack_lake(archive: Path, to: Path) -> Path:
    """Unpack a release's lake, with the tables of predictions that the same release wrote."""
    predictions = archive.with_name(archive.name.replace("lake-", "predictions-"))
    for each in (archive, predictions):
        with tarfile.open(each) as tar:
            tar.extractall(to, filter="data")
    return to / archive.name.removesuffix(".tar.xz")


def unpack_and_upgrade(archive: Path, to: Path) -> Path:
    root = unpack_lake(archive, to)
    if upgrade.read_layout(root) < ledger.LAYOUT_VERSION:
        upgrade.upgrade_lake(root, now=NEXT, command="nhl-lake upgrade", made_by="test")
    return root


def read_description(archive: Path) -> dict[str, Any]:
    text = archive.with_name(archive.name.replace(".tar.xz", ".json")).read_text()
    found: dict[str, Any] = json.loads(text)
    return found


def digest_pages(root: Path) -> dict[str, Any]:
    """Return the digest of each bronze table, as the stored description has it."""
    return {name: about["digest"] for name, about in make_lake.tables(root).items() if name.startswith("bronze.")}


def read_old_predictions(root: Path) -> pl.DataFrame:
    """Read the predictions of a lake of layout 1 by Delta alone, with the column's new name."""
    rows = pl.read_delta(str(root / "lake" / "forecasts"))
    return rows.rename({"foretold_shots_on_goal": "predicted_shots_on_goal"}).sort(ledger.PREDICTIONS.key)


def test_there_is_a_lake_of_a_release():
    assert RELEASES


@each_release
def test_a_stored_lake_is_small_and_has_games(archive):
    assert archive.stat().st_size < MAX_BYTES
    rows = {name: about["rows"] for name, about in read_description(archive).items()}
    assert rows["bronze.play_by_play"] >= 2
    assert rows["gold.skater_game"] > 30


@each_release
def test_its_pages_are_unchanged_and_every_table_opens(archive, tmp_path):
    root = unpack_and_upgrade(archive, tmp_path)

    layout.check_tables(root)

    described = read_description(archive)
    expected = {n: about["digest"] for n, about in described.items() if n.startswith("bronze.")}
    found = digest_pages(root)
    assert {name: found[name] for name in expected} == expected
    # pages that the release did not know
    assert [
        n for n in found.keys() - expected.keys() if pl.scan_delta(str(root.joinpath(*n.split(".")))).collect().height
    ] == []
    assert layout.is_lake(root)


@each_release
def test_todays_code_rebuilds_silver_and_gold_from_it(archive, tmp_path):
    root = unpack_and_upgrade(archive, tmp_path)
    delta_tables.create_tables(root, catalog.TABLES)  # today's code has bronze tables that the old lake lacks
    before = digest_pages(root)

    built = {one.table: one.rows for one in run.rebuild(root, day=get_eastern_day(NEXT), everything=True)}

    assert digest_pages(root) == before
    for name in ("silver.plays", "silver.lineups", "silver.shifts"):
        assert built[name] == read_description(archive)[name]["rows"]


@pytest.mark.soak
@each_release
def test_one_more_day_is_added_to_it(archive, tmp_path):
    root = unpack_and_upgrade(archive, tmp_path)
    old_tables = [table for table in endpoints.TABLES if lakes.locate_table(root, table).exists()]
    before = {table.name: set(make_lake.lines(lakes.locate_table(root, table))) for table in old_tables}
    now = make_clock(NEXT)

    found = ingest(
        root, Options(), make_lake.client_config(now), clock=now, progress=make_lake.Silent(), command="test",
        rebuilds=True,
    )  # fmt: skip

    assert found.exit_code == 3  # one more game was played, but this API has no page for it
    assert "no play by play (404)" in found.incomplete[0]
    after = {table.name: set(make_lake.lines(lakes.locate_table(root, table))) for table in old_tables}
    assert all(before[name] <= after[name] for name in before)
    assert after["bronze.schedule"] > before["bronze.schedule"]
    assert lakes.read_rows(root, ledger.RUNS).height == 3


LAYOUT_1 = HERE / "lake-0.1.0.tar.xz"


def test_every_command_but_upgrade_tells_to_upgrade_it(run_here: Run, tmp_path: Path):
    root = unpack_lake(LAYOUT_1, tmp_path)

    for words in (["status"], ["ingest"], ["rebuild"], ["show", "lake.predictions"], ["upcoming"]):
        ended = run_here(*words, root=root, now=NEXT, api="league:")
        assert ended.code == 1
        assert "has layout 1, written by nhl-lake 0.1.0" in ended.err
        assert "`nhl-lake upgrade`" in ended.err


def test_upgrading_brings_every_prediction_over_and_leaves_the_old_lake(run_here: Run, tmp_path: Path):
    root = unpack_lake(LAYOUT_1, tmp_path)
    predictions, files = read_old_predictions(root), hash_files(root)

    ended = run_here("upgrade", root=root, now=NEXT)

    assert ended.code == 0, ended.err
    assert predictions.height > 2_000
    stored = lakes.read_rows(root, ledger.PREDICTIONS).sort(ledger.PREDICTIONS.key)
    assert stored.equals(predictions.select(ledger.PREDICTIONS.schema.names()))
    (aside,) = tmp_path.glob("*.before-upgrade-*")
    assert hash_files(aside) == files
    for gone in ("lake/forecasts", "silver/refusals", "gold/sog_predictions"):
        assert (aside / gone).is_dir()
        assert not (root / gone).exists()


def test_upgrading_renames_the_feature_in_model_cards_and_nothing_else(tmp_path: Path):
    root = unpack_lake(LAYOUT_1, tmp_path)
    (before,) = pl.read_delta(str(root / "lake" / "models")).to_dicts()

    upgrade.upgrade_lake(root, now=NEXT, command="nhl-lake upgrade", made_by="test")

    (after,) = lakes.read_rows(root, ledger.MODELS).to_dicts()
    assert '"is_defenceman"' in before["card"]
    assert after == before | {"card": before["card"].replace("is_defenceman", "is_defenseman")}
    card = msgspec.json.decode(after["card"], type=shots_on_goal.ModelCard)
    assert set(shots_on_goal.predict_mean(card).meta.root_names()) <= set(
        catalog.find_table("gold.sog_features").schema
    )
    configuration = delta_tables.open_table(root, ledger.MODELS).metadata().configuration
    assert configuration["delta.appendOnly"] == "true"


def test_after_the_upgrade_a_rebuild_has_the_predictions_in_gold_and_an_empty_quarantine(run_here: Run, tmp_path: Path):
    root = unpack_lake(LAYOUT_1, tmp_path)
    before = pl.read_delta(str(root / "gold" / "sog_predictions"))
    run_here("upgrade", root=root, now=NEXT)

    ended = run_here("rebuild", root=root, now=NEXT)

    assert ended.code == 0, ended.err
    rows = lakes.read_rows(root, SOG_PREDICTIONS).sort(SOG_PREDICTIONS.key)
    renamed = before.rename({"foretold_shots_on_goal": "predicted_shots_on_goal"}).sort(SOG_PREDICTIONS.key)
    assert rows.select(ledger.PREDICTIONS.schema.names()).equals(renamed.select(ledger.PREDICTIONS.schema.names()))
    assert lakes.read_rows(root, catalog.find_table("silver.quarantine")).is_empty()


def test_a_lost_prediction_stops_the_upgrade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root = unpack_lake(LAYOUT_1, tmp_path)
    append = delta_tables.append_to_ledger
    monkeypatch.setattr(delta_tables, "append_to_ledger", lambda at, table, rows: append(at, table, rows.head(-1)))

    with pytest.raises(ValidationFailed, match=r"lake\.predictions differ"):
        upgrade.upgrade_lake(root, now=NEXT, command="nhl-lake upgrade", made_by="test")

    assert upgrade.read_layout(root) == 1
    assert not list(tmp_path.glob("*.before-upgrade-*"))


class Killed(BaseException):
    """The process ends here."""


STEPS = ("copy_predictions", "rename_card_feature", "remove_files", "write_layout", "verify_pages")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", STEPS)
def test_an_upgrade_killed_at_any_step_leaves_the_old_lake_and_the_same_command_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, when: str
):
    root = unpack_lake(LAYOUT_1, tmp_path)
    files, predictions = hash_files(root), read_old_predictions(root)
    step = getattr(upgrade, name)

    def stop(*arguments: Any) -> None:
        if when == "after":
            step(*arguments)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(upgrade, name, stop)
        with pytest.raises(Killed):
            upgrade.upgrade_lake(root, now=NEXT, command="nhl-lake upgrade", made_by="test")

    assert hash_files(root) == files
    upgrade.upgrade_lake(root, now=NEXT, command="nhl-lake upgrade", made_by="test")
    assert not root.with_name(f"{root.name}.upgrading").exists()
    stored = lakes.read_rows(root, ledger.PREDICTIONS).sort(ledger.PREDICTIONS.key)
    assert stored.equals(predictions.select(ledger.PREDICTIONS.schema.names()))


@pytest.fixture
def backups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Backups of the old lake, made by a program that knows layout 1 only."""
    root = unpack_lake(LAYOUT_1, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "LAYOUT_VERSION", 1)
        make_backup(root, tmp_path / "backups", now=NEXT)
    return tmp_path / "backups"


def test_a_backup_of_it_restores_and_is_upgraded(run_here: Run, backups: Path, tmp_path: Path):
    root = tmp_path / "restored"
    predictions = read_old_predictions(tmp_path / "lake-0.1.0")

    ended = run_here("restore", "--from-backup", root=root, backups=backups, api="league:", now=NEXT)

    assert ended.code == 0, ended.err
    layout.check_tables(root)
    assert upgrade.read_layout(root) == ledger.LAYOUT_VERSION
    stored = lakes.read_rows(root, ledger.PREDICTIONS).sort(ledger.PREDICTIONS.key)
    assert stored.equals(predictions.select(ledger.PREDICTIONS.schema.names()))


@pytest.mark.soak
def test_after_the_upgrade_the_next_backup_and_the_doctor_know_the_earlier_backup(
    run_here: Run, backups: Path, tmp_path: Path
):
    root = tmp_path / "lake-0.1.0"
    assert run_here("upgrade", root=root, now=NEXT).code == 0
    assert run_here("rebuild", root=root, now=NEXT).code == 0

    doctor = run_here("doctor", root=root, backups=backups, now=NEXT)
    assert doctor.code == 0, doctor.out
    backup = run_here("backup", "create", root=root, backups=backups, now=NEXT)
    assert backup.code == 0, backup.err
    tables = {saved.name for saved in repository.require_newest_manifest(backups).tables}
    assert {"lake.predictions", "silver.quarantine"} <= tables
    assert not {"lake.forecasts", "silver.refusals"} & tables


def test_predictions_that_are_lost_after_the_upgrade_stop_the_next_backup(run_here: Run, backups: Path, tmp_path: Path):
    root = tmp_path / "lake-0.1.0"
    run_here("upgrade", root=root, now=NEXT)
    upgrade.remove_files(root / "lake" / "predictions")

    backup = run_here("backup", "create", root=root, backups=backups, now=NEXT)

    assert backup.code == 1
    assert "lake.predictions" in backup.err
    assert "is missing" in backup.err
