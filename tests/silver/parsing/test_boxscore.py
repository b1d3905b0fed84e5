"""Property tests of box scores: any numbers, any order, any missing key, in both versions of the page."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from nhl_lake.silver.goalie_games import GOALIE_GAMES
from nhl_lake.silver.skater_games import SKATER_GAMES
from tests.silver.bronze_pages import build_table, make_pages
from tests.silver.test_goalie_games import LINE, NOW
from tests.silver.test_skater_games import NEW, OLD, make_page, make_stats
from tests.support.examples import try_examples

few = st.integers(0, 20)


@st.composite
def draw_skaters(draw: st.DrawFn) -> dict[str, Any]:
    """A skater's line as both generations of the page could tell it."""
    won, lost, minutes, second = draw(few), draw(few), draw(st.integers(0, 75)), draw(st.integers(0, 59))
    goals, assists = draw(few), draw(few)
    return {
        "playerId": draw(st.integers(8_400_000, 8_499_999)), "position": draw(st.sampled_from("CLRD")), "goals": goals,
        "assists": assists, "points": goals + assists, "pim": draw(few), "hits": draw(few), "shots": draw(few),
        "blockedShots": draw(few), "plusMinus": draw(st.integers(-6, 6)), "toi": f"{minutes:02d}:{second:02d}",
        "won": won, "taken": won + lost, "seconds": 60 * minutes + second,
    }  # fmt: skip


@try_examples(40)
@given(st.lists(draw_skaters(), max_size=6, unique_by=lambda line: line["playerId"]))
def test_both_versions_of_the_page_give_the_same_line(found: list[dict[str, Any]]):
    then, now = [], []
    for line in found:
        won, taken = line["won"], line["taken"]
        then.append(line | {"faceoffs": f"{won}/{taken}", "faceoffWinningPctg": round(100 * won / max(taken, 1), 2)})
        renamed = {("sog" if key == "shots" else key): value for key, value in line.items()}
        now.append(renamed | {"faceoffWinningPctg": won / max(taken, 1)})

    old = build_table(SKATER_GAMES, make_pages(make_page(make_stats(*then), nested=True)))
    new = build_table(SKATER_GAMES, make_pages(make_page(make_stats(*now))))

    assert_frame_equal(old.drop("faceoffs_won", "faceoffs_taken"), new.drop("faceoffs_won", "faceoffs_taken"))
    assert dict(new.select("player_id", "time_on_ice_s").rows()) == {
        skater["playerId"]: skater["seconds"] for skater in found
    }
    assert dict(old.select("player_id", "faceoffs_taken").rows()) == {
        skater["playerId"]: skater["taken"] for skater in found
    }


@pytest.mark.parametrize("key", sorted(NEW.keys() | OLD.keys()))
def test_missing_key_gives_a_null_and_changes_nothing_else(key: str):
    for line, nested in ((NEW, False), (OLD, True)):
        if key not in line:
            continue
        complete = build_table(SKATER_GAMES, make_pages(make_page(make_stats(line), nested=nested)))
        less = make_pages(
            make_page(make_stats({name: value for name, value in line.items() if name != key}), nested=nested)
        )
        if key == "playerId":
            assert build_table(SKATER_GAMES, less).is_empty()
            continue
        for before, after in zip(complete.row(0), build_table(SKATER_GAMES, less).row(0), strict=True):
            assert after in (before, None)


def test_order_of_pages_and_lines_changes_nothing():
    lines = [NEW | {"playerId": 71 + n} for n in range(6)]
    goalies = [LINE | NOW | {"playerId": 30 + n} for n in range(3)]
    pages = [make_page(make_stats(*lines)) | {"id": 2023020001 + n} for n in range(4)]
    nets = [make_page(make_stats(*goalies, group="goalies")) | {"id": 2023020001 + n} for n in range(4)]
    mixed = Random(1)

    for table, found, lines_of_group in ((SKATER_GAMES, pages, lines), (GOALIE_GAMES, nets, goalies)):
        first = build_table(table, make_pages(*found))
        mixed.shuffle(lines_of_group)
        group = "forwards" if table is SKATER_GAMES else "goalies"
        again = [make_page(make_stats(*lines_of_group, group=group)) | {"id": one["id"]} for one in found]
        mixed.shuffle(again)
        assert_frame_equal(build_table(table, make_pages(*again)), first)
        assert first.height == 4 * len(lines_of_group)
