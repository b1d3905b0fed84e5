"""Maintenance and upgrades of a lake in a bucket: rows stay, files become few, and one of two lakes opens."""

from datetime import UTC, datetime, timedelta

import obstore
import polars as pl
import pytest

from nhl_lake.bronze import endpoints
from nhl_lake.errors import LakeError
from nhl_lake.maintenance import compaction, upgrade
from nhl_lake.schema import ledger
from nhl_lake.store import atomic_swap, delta_tables, location, locks
from nhl_lake.store.location import Bucket
from tests.support.pages import store_one_by_one

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PLAYS = endpoints.PLAY_BY_PLAY


def read_games(root: Bucket) -> list[tuple[int, str]]:
    return sorted(delta_tables.scan_table(root, PLAYS).select("game_id", "body").collect().rows())


def list_objects(root: Bucket) -> set[str]:
    return {file.name for file in location.list_files(root)}


def test_small_objects_become_one_and_every_row_stays(bucket):
    store_one_by_one(bucket, 6)
    before = read_games(bucket)
    version = delta_tables.open_table(bucket, PLAYS).version()

    with locks.hold_lock(bucket, "nhl-lake maintain", now=NOW):
        (tended,) = compaction.maintain_tables(bucket, [PLAYS], days=compaction.KEEP_DAYS, pins={})
    (again,) = compaction.maintain_tables(bucket, [PLAYS], days=compaction.KEEP_DAYS, pins={})

    assert (tended.files, tended.files_after, again.files_after) == (6, 1, 1)
    assert read_games(bucket) == before
    assert delta_tables.scan_table(bucket, PLAYS, version=version).collect().height == 6
    assert any(
        name.endswith(f"{delta_tables.open_table(bucket, PLAYS).version():020}.checkpoint.parquet")
        for name in list_objects(bucket)
    )


def test_leftovers_of_probes_and_leases_are_removed_and_nothing_else(bucket):
    store_one_by_one(bucket, 1)
    for name in ("probe-0123456789abcdef", "lease.json-0a1b2c3d", "pace.json"):
        obstore.put(location.open_store(bucket), f"{locks.STATE_FOLDER}/{name}", b"12")
    before = list_objects(bucket)
    tomorrow = datetime.now(UTC) + timedelta(hours=25)

    assert compaction.remove_orphan_files(bucket, now=tomorrow - timedelta(hours=3), dry_run=False) == (0, 0)
    assert compaction.remove_orphan_files(bucket, now=tomorrow, dry_run=False) == (2, 4)

    gone = before - list_objects(bucket)
    assert gone == {f"{locks.STATE_FOLDER}/probe-0123456789abcdef", f"{locks.STATE_FOLDER}/lease.json-0a1b2c3d"}


@pytest.fixture
def old(bucket, monkeypatch):
    """A lake of an older layout, with an upgrade step that changes the seasons."""
    store_one_by_one(bucket, 5)
    delta_tables.create_tables(bucket, [ledger.META])
    row = {"layout": 1, "source": "NHL", "made_by": "0.1.0", "made_at": NOW}
    delta_tables.append_to_ledger(bucket, ledger.META, pl.DataFrame([row], schema=ledger.META.schema))
    monkeypatch.setattr(ledger, "LAYOUT_VERSION", 2)
    step = upgrade.UpgradeStep(
        layout=1, change=lambda _, new: delta_tables.create_tables(new, [endpoints.SEASONS]), pages=upgrade.read_pages
    )
    monkeypatch.setattr(upgrade, "STEPS", (step,))
    return bucket


def test_lake_in_a_bucket_is_upgraded_and_the_old_one_stays(old):
    before = read_games(old)

    done = upgrade.upgrade_lake(old, now=NOW, command="nhl-lake upgrade", made_by="0.2.0")

    assert done is not None
    assert done.pages == 5
    assert read_games(old) == read_games(done.kept_as) == before
    assert (upgrade.read_layout(old), upgrade.read_layout(done.kept_as)) == (2, 1)
    assert delta_tables.has_table(old, endpoints.SEASONS)
    assert not delta_tables.has_table(done.kept_as, endpoints.SEASONS)
    assert location.is_empty(old.with_name(f"{old.name}.upgrading"))


def test_upgrade_killed_during_the_swap_is_reported_and_finished(old, monkeypatch):
    before = read_games(old)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(atomic_swap, "remove_objects", killed)
        with pytest.raises(KeyboardInterrupt):
            upgrade.upgrade_lake(old, now=NOW, command="nhl-lake upgrade", made_by="0.2.0")

    if atomic_swap.read_unfinished_swap(old) is not None:
        with pytest.raises(LakeError, match="was interrupted"):
            upgrade.upgrade_lake(old, now=NOW, command="nhl-lake upgrade", made_by="0.2.0")
        atomic_swap.finish_swap(old)
    else:
        upgrade.upgrade_lake(old, now=NOW, command="nhl-lake upgrade", made_by="0.2.0")
    assert read_games(old) == before
    assert upgrade.read_layout(old) == 2
