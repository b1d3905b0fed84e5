"""The progress bar of a run never moves back, whatever pages are planned on the way."""

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.progress import Progress

from nhl_lake.cli import console
from nhl_lake.cli.console import FetchProgressBar, format_duration


@given(st.lists(st.integers(1, 50), max_size=6), st.integers(0, 20))
def test_the_bar_never_falls_back_and_is_never_full_before_the_end(plans: list[int], weeks: int):
    bar = FetchProgressBar(quiet=True)
    shares = [bar.share]
    for _ in range(weeks):
        bar.add_pages(1, is_schedule=True)
        bar.advance()
        assert bar.share == 0
    for pages in plans:
        bar.add_pages(pages)
        for _ in range(pages):
            bar.advance()
            shares.append(bar.share)

    assert shares == sorted(shares)
    assert shares[-1] < 1
    assert shares[-1] == pytest.approx(1 - 0.1 ** len(plans))
    assert (bar.done, bar.total) == (weeks + sum(plans), weeks + sum(plans))


def test_what_is_drawn_is_the_share(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(console.sys.stderr, "isatty", lambda: True)
    bar = FetchProgressBar(quiet=False)
    assert isinstance(bar.progress, Progress)
    bar.progress.live.console = Console(file=StringIO())
    bar.add_pages(1, is_schedule=True)
    bar.advance()
    (task,) = bar.progress.tasks
    assert (task.total, task.description) == (None, "reading the schedule")
    bar.add_pages(2)
    bar.advance()

    assert (task.total, task.completed, task.description) == (1.0, pytest.approx(0.45), "fetching")
    assert task.fields["pages"].startswith("2 of 3 pages")


@pytest.mark.parametrize(("seconds", "text"), [(4.4, "4 s"), (200, "3:20 min"), (3900, "1:05 h")])
def test_a_length_of_time_is_written_as_on_a_clock(seconds: float, text: str):
    assert format_duration(seconds) == text
