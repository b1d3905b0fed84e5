"""A backup taken while other processes write, compact and vacuum is one moment of the lake."""

from pathlib import Path

from tests.support.storm import back_up_in_storm


def test_backups_in_a_storm_hold_what_some_moment_had(tmp_path: Path):
    back_up_in_storm(tmp_path, 12.0, 4)
