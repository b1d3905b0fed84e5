"""Tests of players on the ice, on handwritten plays and shifts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhl_lake.schema import checks
from nhl_lake.silver.on_ice import ON_ICE
from tests.silver import builders
from tests.silver.bronze_pages import build_table
from tests.silver.builders import AWAY, HOME, make_lineup_row, make_play, make_shift
from tests.support.examples import try_examples

OLD, NEW, GOALIE, SHOOTER, OTHER_GOALIE = 11, 12, 30, 51, 80
LINEUP = builders.make_lineups(
    make_lineup_row(OLD),
    make_lineup_row(NEW, position="D"),
    make_lineup_row(GOALIE, position="G"),
    make_lineup_row(SHOOTER, AWAY),
    make_lineup_row(OTHER_GOALIE, AWAY, "G"),
)
WHISTLE = 751
CHANGE = [make_shift(OLD, 700, WHISTLE), make_shift(NEW, WHISTLE, 800), make_shift(GOALIE, 0, 1200)]


def list_on_ice(*plays: dict[str, Any], shifts: list[dict[str, Any]] | None = None) -> dict[int, set[int]]:
    """Return the players on the ice at each event."""
    found = build_table(
        ON_ICE, builders.make_plays(*plays), builders.make_shifts(*(CHANGE if shifts is None else shifts)), LINEUP
    )
    checks.validate_rows(ON_ICE, found)
    players: dict[int, set[int]] = {}
    for event, player in found.select("event_id", "player_id").rows():
        players.setdefault(event, set()).add(player)
    return players


def test_player_at_an_event_is_one_row_with_their_team():
    found = build_table(ON_ICE, builders.make_plays(make_play(8, 720, "hit")), builders.make_shifts(*CHANGE), LINEUP)

    assert found.select("event_id", "player_id", "team_id", "is_goalie").rows() == [
        (8, OLD, HOME, False),
        (8, GOALIE, HOME, True),
    ]


def test_no_games_or_shifts_give_no_rows():
    assert (
        build_table(ON_ICE, builders.make_plays(), builders.make_shifts(), builders.make_lineups()).schema
        == ON_ICE.schema
    )
    assert list_on_ice(make_play(8, 720, "hit"), shifts=[]) == {}


def test_faceoff_belongs_to_players_who_come_on_and_earlier_events_to_those_who_leave():
    rows = [make_play(1, WHISTLE, "shot-on-goal"), make_play(2, WHISTLE, "stoppage"), make_play(3, WHISTLE, "faceoff")]

    assert list_on_ice(*rows, make_play(4, WHISTLE, "hit"), make_play(5, WHISTLE + 2, "shot-on-goal")) == {
        1: {OLD, GOALIE},
        2: {OLD, GOALIE},
        3: {NEW, GOALIE},
        4: {NEW, GOALIE},
        5: {NEW, GOALIE},
    }


@pytest.mark.parametrize("event", ["goal", "penalty", "stoppage", "delayed-penalty", "period-end", "game-end"])
def test_stoppage_belongs_to_players_who_were_on_with_or_without_a_faceoff(event: str):
    assert list_on_ice(make_play(1, WHISTLE, event))[1] == {OLD, GOALIE}
    assert list_on_ice(make_play(1, WHISTLE, event), make_play(2, WHISTLE, "faceoff"))[1] == {OLD, GOALIE}
    assert list_on_ice(make_play(1, WHISTLE, "faceoff"), make_play(2, WHISTLE, event))[2] == {OLD, GOALIE}


@pytest.mark.parametrize("event", ["shot-on-goal", "missed-shot", "blocked-shot", "hit", "giveaway", "takeaway", "new"])
def test_event_in_the_second_of_a_change_on_the_fly_belongs_to_players_who_come_on(event: str):
    assert list_on_ice(make_play(1, WHISTLE, event))[1] == {NEW, GOALIE}


def test_order_is_by_event_number_not_by_id():
    rows = [make_play(9, WHISTLE, "hit", event_number=1), make_play(1, WHISTLE, "faceoff", event_number=2)]

    assert list_on_ice(*rows) == {9: {OLD, GOALIE}, 1: {NEW, GOALIE}}


def test_event_without_a_time_has_no_players():
    rows = [make_play(1, WHISTLE, "hit", period_seconds=None), make_play(2, WHISTLE, "faceoff")]

    assert list_on_ice(*rows) == {2: {NEW, GOALIE}}


def test_faceoff_of_another_period_or_game_is_ignored():
    other = [make_play(2, WHISTLE, "faceoff", period=2), make_play(3, WHISTLE, "faceoff", game_id=builders.GAME + 1)]

    assert list_on_ice(make_play(1, WHISTLE, "hit"), *other)[1] == {NEW, GOALIE}


def test_players_who_start_a_period_are_on_at_its_start():
    shifts = [make_shift(OLD, 0, 40), make_shift(GOALIE, 0, 1200), make_shift(NEW, 0, 30, period=2)]
    rows = [make_play(1, 0, "period-start"), make_play(2, 0, "faceoff"), make_play(3, 0, "penalty")]

    assert list_on_ice(*rows, make_play(4, 0, "period-start", period=2), shifts=shifts) == {
        1: {OLD, GOALIE},
        2: {OLD, GOALIE},
        3: {OLD, GOALIE},
        4: {NEW},
    }


def test_players_who_end_a_period_are_on_in_its_last_second():
    shifts = [make_shift(OLD, 1100, 1200), make_shift(GOALIE, 0, 1200)]

    assert list_on_ice(make_play(1, 1200, "shot-on-goal"), make_play(2, 1200, "period-end"), shifts=shifts)[1] == {
        OLD,
        GOALIE,
    }


def test_players_on_for_the_last_goal_are_on_for_the_shot_before_it():
    shifts = [make_shift(OLD, 100, 130), make_shift(GOALIE, 0, 130)]

    assert list_on_ice(make_play(1, 130, "hit"), make_play(2, 130, "goal"), shifts=shifts) == {
        1: {OLD, GOALIE},
        2: {OLD, GOALIE},
    }


def test_penalty_shot_has_only_shooter_and_goalie():
    duel = {"is_penalty_shot": True, "shooter_player_id": SHOOTER, "goalie_player_id": GOALIE}
    rows = [make_play(1, 720, "penalty"), make_play(2, 720, "missed-shot", **duel), make_play(3, 720, "faceoff")]

    assert list_on_ice(*rows) == {1: {OLD, GOALIE}, 2: {SHOOTER, GOALIE}, 3: {OLD, GOALIE}}


def test_shootout_has_only_shooter_and_goalie():
    start = make_play(1, 0, "period-start", period=5, period_type="SO")
    shot = make_play(2, 0, "goal", period=5, period_type="SO", shooter_player_id=OLD, goalie_player_id=OTHER_GOALIE)
    failed = make_play(3, 0, "failed-shot-attempt", period=5, period_type="SO", shooter_player_id=SHOOTER)

    assert list_on_ice(start, shot, failed, shifts=[*CHANGE, make_shift(NEW, 0, 90, period=5)]) == {
        2: {OLD, OTHER_GOALIE},
        3: {SHOOTER},
    }


def test_event_without_shifts_has_no_rows():
    assert list_on_ice(
        make_play(1, 40, "hit"), make_play(2, 60, "hit"), shifts=[make_shift(OLD, 0, 30), make_shift(OLD, 60, 90)]
    ) == {2: {OLD}}


def test_player_with_two_adjacent_shifts_is_on_once():
    meeting = [make_shift(OLD, 0, 30), make_shift(OLD, 30, 60), make_shift(GOALIE, 0, 60)]

    assert list_on_ice(make_play(1, 30, "hit"), make_play(2, 30, "goal"), shifts=meeting) == {
        1: {OLD, GOALIE},
        2: {OLD, GOALIE},
    }


@try_examples(40)
@given(
    spells=st.lists(
        st.tuples(st.sampled_from([OLD, NEW, GOALIE, SHOOTER]), st.integers(0, 40), st.integers(1, 20)), max_size=12
    ),
    moments=st.lists(
        st.tuples(st.integers(0, 60), st.sampled_from(["faceoff", "stoppage", "hit", "goal"])), max_size=12
    ),
)
def test_rule_is_the_same_for_each_shift_and_event_alone(
    spells: list[tuple[int, int, int]], moments: list[tuple[int, str]]
):
    taken: dict[int, list[tuple[int, int]]] = {}
    for player, start, length in spells:
        if all(start + length <= a or start >= b for a, b in taken.get(player, [])):
            taken.setdefault(player, []).append((start, start + length))
    shifts = [make_shift(player, *span) for player, spans in taken.items() for span in spans]
    rows = [make_play(number, second, event) for number, (second, event) in enumerate(moments)]

    def is_old(number: int, second: int, event: str) -> bool:
        same = [(n, e) for n, (s, e) in enumerate(moments) if s == second]
        faceoffs = [n for n, e in same if e == "faceoff"]
        stops = [n for n, e in same if e in {"stoppage", "goal"}]
        limit = min(faceoffs) if faceoffs else max(stops, default=-1)
        return second > 0 and (event in {"stoppage", "goal"} or number < limit)

    expected = {
        number: {
            player
            for player, spans in taken.items()
            for start, end in spans
            if (start < second <= end if is_old(number, second, event) else start <= second < end)
        }
        for number, (second, event) in enumerate(moments)
    }

    assert list_on_ice(*rows, shifts=shifts) == {number: players for number, players in expected.items() if players}
