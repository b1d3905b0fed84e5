"""Upkeep and upgrades of a lake in a bucket: rows stay, files become few, one of two lakes opens."""

from datetime import UTC, datetime, timedelta

import obstore
import polars as pl
import pytest

from nhl_lake import bronze, ledger, upkeep
from nhl_lake.errors import LakeError
from nhl_lake.recovery import upgrade
from nhl_lake.store import lake, lock, place, swap
from nhl_lake.store.place import Bucket
from tests.test_upkeep import kept

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PLAYS = bronze.PLAY_BY_PLAY


def games(root: Bucket) -> list[tuple[int, str]]:
    return sorted(lake.scan(root, PLAYS).select("game_id", "body").collect().rows())


def objects(root: Bucket) -> set[str]:
    return {file.name for file in place.files(root)}


def test_small_objects_become_one_and_every_row_stays(bucket):
    kept(bucket, 6)
    before = games(bucket)
    version = lake.handle(bucket, PLAYS).version()

    with lock.locked(bucket, "nhl-lake maintain", now=NOW):
        (tended,) = upkeep.maintain(bucket, [PLAYS], days=upkeep.KEEP_DAYS, pinned={})
    (again,) = upkeep.maintain(bucket, [PLAYS], days=upkeep.KEEP_DAYS, pinned={})

    assert (tended.files, tended.files_after, again.files_after) == (6, 1, 1)
    assert games(bucket) == before
    assert lake.scan(bucket, PLAYS, version=version).collect().height == 6
    assert any(
        name.endswith(f"{lake.handle(bucket, PLAYS).version():020}.checkpoint.parquet") for name in objects(bucket)
    )


def test_what_probes_and_leases_have_left_is_swept_and_nothing_else(bucket):
    kept(bucket, 1)
    for name in ("probe-0123456789abcdef", "lease.json-0a1b2c3d", "pace.json"):
        obstore.put(place.store(bucket), f"{lock.OWN}/{name}", b"12")
    before = objects(bucket)
    tomorrow = datetime.now(UTC) + timedelta(hours=25)

    assert upkeep.sweep(bucket, now=tomorrow - timedelta(hours=3), dry_run=False) == (0, 0)
    assert upkeep.sweep(bucket, now=tomorrow, dry_run=False) == (2, 4)

    gone = before - objects(bucket)
    assert gone == {f"{lock.OWN}/probe-0123456789abcdef", f"{lock.OWN}/lease.json-0a1b2c3d"}


@pytest.fixture
def old(bucket, monkeypatch):
    """A lake of an older layout, whose step to today's signs the seasons."""
    kept(bucket, 5)
    lake.create(bucket, [ledger.META])
    row = {"layout": 1, "source": "NHL", "made_by": "0.1.0", "made_at": NOW}
    lake.append(bucket, ledger.META, pl.DataFrame([row], schema=ledger.META.schema))
    monkeypatch.setattr(ledger, "LAYOUT", 2)
    step = upgrade.Step(layout=1, change=lambda _, new: lake.create(new, [bronze.SEASONS]), pages=upgrade.pages)
    monkeypatch.setattr(upgrade, "STEPS", (step,))
    return bucket


def test_a_lake_in_a_bucket_is_upgraded_and_the_old_one_kept_beside(old):
    before = games(old)

    done = upgrade.upgrade(old, now=NOW, command="nhl-lake upgrade", made_by="0.2.0")

    assert done is not None
    assert done.pages == 5
    assert games(old) == games(done.kept_as) == before
    assert (upgrade.layout(old), upgrade.layout(done.kept_as)) == (2, 1)
    assert lake.is_table(old, bronze.SEASONS)
    assert not lake.is_table(done.kept_as, bronze.SEASONS)
    assert place.is_empty(old.with_name(f"{old.name}.upgrading"))


def test_killed_as_it_is_put_in_place_it_says_so_and_is_finished(old, monkeypatch):
    before = games(old)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(swap, "drop", killed)
        with pytest.raises(KeyboardInterrupt):
            upgrade.upgrade(old, now=NOW, command="nhl-lake upgrade", made_by="0.2.0")

    if swap.unfinished(old) is not None:
        with pytest.raises(LakeError, match="was stopped"):
            upgrade.upgrade(old, now=NOW, command="nhl-lake upgrade", made_by="0.2.0")
        swap.finish(old)
    else:
        upgrade.upgrade(old, now=NOW, command="nhl-lake upgrade", made_by="0.2.0")
    assert games(old) == before
    assert upgrade.layout(old) == 2
