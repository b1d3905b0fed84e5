"""A backup taken while other processes write, compact and vacuum is one moment of the lake."""

from pathlib import Path

from tests.support.storm import back_up_in_storm


def test_backups_during_writes_are_moments_of_the_lake(tmp_path: Path):
    back_up_in_storm(tmp_path, 12.0, 4)
