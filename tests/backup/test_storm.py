"""A backup taken while other processes write, compact and vacuum is one moment of the lake."""

from pathlib import Path

import pytest

from tests.support.storm import back_up_in_storm


@pytest.mark.parametrize(("seconds", "backups"), [(12, 4), pytest.param(300, 30, marks=pytest.mark.soak)])
def test_backups_during_writes_are_moments_of_the_lake(seconds: float, backups: int, tmp_path: Path):
    print(back_up_in_storm(tmp_path, seconds, backups))  # noqa: T201 - the figures are wanted
