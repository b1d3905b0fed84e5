"""Which backups a retention policy keeps; their objects are never removed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhl_lake.backup import prune, repository
from nhl_lake.backup.prune import RetentionPolicy, get_week, select_backups
from nhl_lake.store import location
from tests.support import fake_api
from tests.support.backups import make_backup

NOON = datetime(2026, 3, 18, 12, tzinfo=UTC)  # a Wednesday
NONE = RetentionPolicy(0, 0, 0)


def make_backups(*ago: timedelta) -> list[tuple[str, datetime]]:
    """Return backups of given ages, newest first, each named by its time."""
    return [(f"{NOON - age:%y-%m-%d %H}", NOON - age) for age in sorted(ago)]


def daily(days: int) -> list[tuple[str, datetime]]:
    return make_backups(*(timedelta(days=n) for n in range(days)))


def test_the_newest_of_each_of_the_last_days_is_kept():
    backups = make_backups(*(timedelta(hours=6 * n) for n in range(12)))

    assert select_backups(backups, NONE._replace(daily=3)) == ["26-03-18 12", "26-03-17 18", "26-03-16 18"]


def test_days_without_a_backup_do_not_count():
    backups = make_backups(timedelta(0), timedelta(days=9), timedelta(days=40))

    assert len(select_backups(backups, NONE._replace(daily=3))) == 3


def test_weeks_begin_on_monday():
    backups = daily(10)

    # Wednesday the 18th, the Sunday before, and the Sunday before that
    assert select_backups(backups, NONE._replace(weekly=3)) == ["26-03-18 12", "26-03-15 12"]
    assert get_week(datetime(2026, 3, 15, tzinfo=UTC)) != get_week(datetime(2026, 3, 16, tzinfo=UTC))
    assert get_week(datetime(2025, 12, 31, tzinfo=UTC)) == get_week(datetime(2026, 1, 1, tzinfo=UTC))


def test_a_year_of_daily_backups_leaves_twenty():
    backups = daily(400)
    names = select_backups(backups, RetentionPolicy(7, 4, 12))

    assert names[:7] == [name for name, _ in backups[:7]]
    # 12 to 18 March; Sundays 8 and 1 March and that week's; last days of months from April 2025 on
    assert names[7:] == [
        "26-03-08 12",
        "26-03-01 12",
        "26-02-28 12",
        "26-01-31 12",
        "25-12-31 12",
        "25-11-30 12",
        "25-10-31 12",
        "25-09-30 12",
        "25-08-31 12",
        "25-07-31 12",
        "25-06-30 12",
        "25-05-31 12",
        "25-04-30 12",
    ]


def test_newest_backup_always_stays():
    assert select_backups(daily(5), NONE) == ["26-03-18 12"]
    assert select_backups([], RetentionPolicy(7, 4, 12)) == []


def test_newest_is_the_last_one_made_even_if_the_clock_went_back():
    backups = [("back", NOON - timedelta(days=300)), *daily(3)]

    assert select_backups(backups, NONE) == ["back"]
    assert select_backups(backups, NONE._replace(daily=2)) == ["back", "26-03-18 12"]


AGES = st.lists(st.integers(0, 900 * 24), max_size=60, unique=True)
COUNTS = st.integers(0, 14)


@given(AGES, COUNTS, COUNTS, COUNTS)
def test_pruning_is_idempotent_and_a_larger_policy_keeps_more(ages: list[int], days: int, weeks: int, months: int):
    backups = make_backups(*(timedelta(hours=age) for age in ages))
    keep = RetentionPolicy(days, weeks, months)
    once = select_backups(backups, keep)

    assert select_backups([one for one in backups if one[0] in once], keep) == once
    assert set(once) <= set(select_backups(backups, RetentionPolicy(days + 1, weeks + 1, months + 1)))
    assert len(once) <= max(1, days + weeks + months)
    assert once[:1] == [name for name, _ in backups[:1]]


@pytest.mark.parametrize("keep", [RetentionPolicy(1, 0, 0), RetentionPolicy(0, 1, 0), RetentionPolicy(0, 0, 1)])
def test_policy_of_one_keeps_the_newest(keep: RetentionPolicy):
    assert select_backups(daily(90), keep) == ["26-03-18 12"]


def test_incomplete_backup_does_not_replace_a_complete_one(tmp_path: Path):
    root, backups = tmp_path / "lake", tmp_path / "backups"
    fake_api.run_ingest(root, fake_api.FakeApi([fake_api.FakeGame(1)]))
    make_backup(root, backups, now=NOON)
    whole = set(repository.list_objects(backups))
    fake_api.run_ingest(
        root, fake_api.FakeApi([fake_api.FakeGame(1), fake_api.FakeGame(2)]), now=fake_api.NOON + timedelta(hours=1)
    )
    make_backup(root, backups, now=NOON + timedelta(hours=1))
    (lost, *_) = set(repository.list_objects(backups)) - whole
    location.remove_files(backups, [repository.object_name(lost)])
    broken, first = repository.list_backups(backups)

    done = prune.prune_backups(backups, RetentionPolicy(1, 0, 0), now=NOON + timedelta(hours=2), command="prune")

    assert set(done.kept) == {broken, first}
    assert whole <= set(repository.list_objects(backups))
