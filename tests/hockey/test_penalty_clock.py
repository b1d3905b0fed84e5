"""Tests of the penalty clock: the players short, from penalties and goals alone."""

import pytest

from nhl_lake.hockey.penalty_clock import PenaltyOrGoal, run_clock

HOME, AWAY = 0, 1
START = -1


def goal(seconds: int, team: int, order: int = 50) -> PenaltyOrGoal:
    return PenaltyOrGoal(seconds, order, is_goal=True, team=team)


def penalty(
    seconds: int, team: int, player: int = 1, kind: str = "MIN", minutes: int = 2, order: int = 10
) -> PenaltyOrGoal:
    return PenaltyOrGoal(seconds, order, is_goal=False, team=team, player=player, kind=kind, minutes=minutes)


def run(*rows: PenaltyOrGoal) -> list[tuple[int, int, int]]:
    """Return each second in which the numbers of missing players change, and the new numbers of both teams."""
    found = [(0, 0, 0)]
    for change in run_clock(rows):
        state = (change.seconds, change.home_short, change.away_short)
        if state[1:] != found[-1][1:]:
            found.append(state)
    return found[1:]


def test_minor_lasts_two_minutes() -> None:
    assert run(penalty(100, HOME)) == [(100, 1, 0), (220, 0, 0)]


def test_penalty_is_over_before_the_events_of_its_last_second() -> None:
    assert run_clock([penalty(100, HOME)])[-1] == (220, START, 0, 0)


def test_power_play_goal_ends_the_minor() -> None:
    assert run(penalty(100, HOME), goal(150, AWAY)) == [(100, 1, 0), (150, 0, 0)]


def test_shorthanded_goal_ends_nothing() -> None:
    assert run(penalty(100, HOME), goal(150, HOME)) == [(100, 1, 0), (220, 0, 0)]


def test_goal_does_not_end_a_major() -> None:
    assert run(penalty(100, HOME, kind="MAJ", minutes=5), goal(150, AWAY)) == [(100, 1, 0), (400, 0, 0)]


def test_goal_ends_half_of_a_double_minor() -> None:
    assert run(penalty(100, HOME, minutes=4), goal(150, AWAY)) == [(100, 1, 0), (270, 0, 0)]


def test_third_penalty_waits() -> None:
    found = run(penalty(100, HOME, 1), penalty(110, HOME, 2), penalty(120, HOME, 3))
    assert found == [(100, 1, 0), (110, 2, 0), (230, 1, 0), (340, 0, 0)]


def test_two_penalties_of_one_player_are_served_in_turn() -> None:
    assert run(penalty(100, HOME, 1), penalty(100, HOME, 1)) == [(100, 1, 0), (340, 0, 0)]


def test_one_minor_each_is_served_and_no_goal_ends_it() -> None:
    assert run(penalty(100, HOME), penalty(100, AWAY), goal(150, AWAY)) == [(100, 1, 1), (220, 0, 0)]


def test_one_minor_each_cancels_during_another_penalty() -> None:
    found = run(penalty(100, HOME, 1), penalty(160, HOME, 2), penalty(160, AWAY, 3))
    assert found == [(100, 1, 0), (220, 0, 0)]


@pytest.mark.parametrize("kind", ["MAJ", "MAT"])
def test_fighting_majors_cancel(kind: str) -> None:
    fight = (penalty(100, HOME, 1, "MAJ", 5), penalty(100, AWAY, 2, kind, 5))
    assert run(*fight) == []
    assert run(*fight, penalty(100, HOME, 1)) == [(100, 1, 0), (220, 0, 0)]


def test_one_minor_each_cancels_with_a_fight() -> None:
    fight = (penalty(100, HOME, 1, "MAJ", 5), penalty(100, AWAY, 2, "MAJ", 5))
    assert run(*fight, penalty(100, HOME, 1), penalty(100, AWAY, 2)) == []


def test_surplus_of_minors_is_served() -> None:
    found = run(penalty(100, HOME, 1, minutes=4), penalty(100, AWAY, 2))
    assert found == [(100, 1, 0), (220, 0, 0)]


def test_minor_and_major_are_served_but_late_only_the_difference() -> None:
    major = {"kind": "MAJ", "minutes": 5}
    assert run(penalty(100, HOME), penalty(100, AWAY, 2, **major)) == [(100, 1, 1), (220, 0, 1), (400, 0, 0)]
    assert run(penalty(3400, HOME), penalty(3400, AWAY, 2, **major)) == [(3400, 0, 1), (3580, 0, 0)]


@pytest.mark.parametrize(("kind", "minutes"), [("MIS", 10), ("GAM", 10), ("PS", 0)])
def test_misconducts_and_penalty_shots_do_not_leave_the_team_short(kind: str, minutes: int) -> None:
    assert run(penalty(100, HOME, 1, kind, minutes)) == []


def test_goal_in_the_last_second_of_a_power_play_is_a_power_play_goal() -> None:
    found = run_clock([penalty(100, HOME), goal(220, AWAY)])
    assert found[-1] == (220, 50, 0, 0)  # after the goal


def test_goal_as_opponents_return_counts_for_the_power_play_that_starts() -> None:
    found = run_clock([penalty(100, AWAY), penalty(160, HOME, 2), goal(220, AWAY)])
    assert [change[2:] for change in found] == [(0, 0), (0, 1), (1, 1), (1, 0), (0, 0)]
