"""What a restore asks before it moves a lake aside."""

import shutil
from pathlib import Path

from nhl_lake.backup.manifest import Manifest, TableBackup
from nhl_lake.backup.preflight import make_restore_prompt
from nhl_lake.bronze import endpoints
from tests.support.fake_api import NOON, FakeApi, FakeGame, run_ingest


def make_manifest(*names: str) -> Manifest:
    rest = {"id": "1", "version": 0, "rows": 9, "keys": "", "head": "", "log": (), "checkpoint": (), "files": ()}
    tables = tuple(TableBackup(name=name, **rest) for name in names)
    about = {"format": 1, "number": 1, "of": "a lake", "layout": 1, "source": "NHL", "made_by": "1", "code": "1"}
    return Manifest(name="b", made_at=NOON, is_consistent=True, tables=tables, **about)


def test_a_lake_without_a_table_of_a_later_release_is_not_damaged(tmp_path: Path):
    run_ingest(tmp_path, FakeApi([FakeGame(1)]))
    shutil.rmtree(tmp_path / "bronze" / "club_stats")  # it has no rows

    assert "undamaged lake" in (make_restore_prompt(tmp_path, make_manifest(endpoints.BOXSCORE.name)) or "")
    assert make_restore_prompt(tmp_path, make_manifest(endpoints.CLUB_STATS.name)) is None
