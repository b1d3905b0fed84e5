"""The rules of the penalty box, one by one."""

from nhl_lake.league.penalty_box import OVERTIME_SKATERS, PenaltyBox, PenaltyCall

HOME, AWAY = 0, 1


def create_minor(side, player, minutes=2):
    return PenaltyCall(side, "MIN", minutes, player)


def create_major(side, player):
    return PenaltyCall(side, "MAJ", 5, player)


def test_a_minor_takes_a_man_off_for_two_minutes():
    box = PenaltyBox()
    box.assess_penalties([create_minor(HOME, 1)], now=100)
    assert box.skaters == [4, 5]
    assert box.find_unavailable(HOME) == (1,)
    assert box.find_next_expiry() == 220
    box.expire_penalties(220)
    assert box.skaters == [5, 5]
    assert box.find_unavailable(HOME) == ()


def test_a_goal_ends_the_minor_of_the_team_that_is_short():
    box = PenaltyBox()
    box.assess_penalties([create_minor(HOME, 1)], now=100)
    box.apply_goal_against(HOME, now=150)
    assert box.skaters == [5, 5]


def test_a_goal_by_the_team_that_is_short_ends_nothing():
    box = PenaltyBox()
    box.assess_penalties([create_minor(HOME, 1)], now=100)
    box.apply_goal_against(AWAY, now=150)
    assert box.skaters == [4, 5]


def test_a_goal_ends_only_the_first_of_two_minors():
    box = PenaltyBox()
    box.assess_penalties([create_minor(HOME, 1)], now=100)
    box.assess_penalties([create_minor(HOME, 2)], now=130)
    assert box.skaters == [3, 5]
    box.apply_goal_against(HOME, now=140)
    assert box.skaters == [4, 5]
    assert box.find_unavailable(HOME) == (2,)


def test_a_major_outlives_goals():
    box = PenaltyBox()
    box.assess_penalties([create_major(HOME, 1)], now=100)
    box.apply_goal_against(HOME, now=150)
    box.apply_goal_against(HOME, now=160)
    assert box.skaters == [4, 5]
    box.expire_penalties(400)
    assert box.skaters == [5, 5]


def test_a_goal_ends_the_running_half_of_a_double_minor():
    box = PenaltyBox()
    box.assess_penalties([create_minor(HOME, 1, minutes=4)], now=100)
    box.apply_goal_against(HOME, now=150)
    assert box.skaters == [4, 5]
    assert box.find_next_expiry() == 270
    box.apply_goal_against(HOME, now=200)
    assert box.skaters == [5, 5]


def test_one_minor_each_at_full_strength_is_four_against_four():
    box = PenaltyBox()
    box.assess_penalties([create_minor(HOME, 1), create_minor(AWAY, 11)], now=100)
    assert box.skaters == [4, 4]
    box.apply_goal_against(HOME, now=150)
    assert box.skaters == [4, 4]
    box.expire_penalties(220)
    assert box.skaters == [5, 5]


def test_one_minor_each_during_a_power_play_costs_nobody_a_man():
    box = PenaltyBox()
    box.assess_penalties([create_minor(HOME, 1)], now=100)
    box.assess_penalties([create_minor(HOME, 2), create_minor(AWAY, 11)], now=130)
    assert box.skaters == [4, 5]
    assert set(box.find_unavailable(HOME)) == {1, 2}


def test_two_minors_against_one_leave_one_man_short():
    box = PenaltyBox()
    box.assess_penalties([create_minor(HOME, 1), create_minor(HOME, 2), create_minor(AWAY, 11)], now=100)
    assert box.skaters == [4, 5]


def test_players_of_coincidental_penalties_come_back_at_a_whistle_and_not_before():
    box = PenaltyBox()
    box.assess_penalties([create_major(HOME, 1), create_major(AWAY, 11)], now=100)
    assert box.skaters == [5, 5]
    box.expire_penalties(400)
    assert box.find_unavailable(HOME) == (1,)
    assert box.needs_whistle(400)
    box.stop_play(401)
    assert box.find_unavailable(HOME) == ()


def test_a_third_penalty_waits_until_one_of_two_ends():
    box = PenaltyBox()
    for player, now in ((1, 100), (2, 110), (3, 120)):
        box.assess_penalties([create_minor(HOME, player)], now)
    assert box.skaters == [3, 5]
    box.expire_penalties(220)
    assert box.skaters == [3, 5]
    box.expire_penalties(230)
    assert box.skaters == [4, 5]
    box.expire_penalties(340)
    assert box.skaters == [5, 5]


def test_a_misconduct_costs_no_man():
    box = PenaltyBox()
    box.assess_penalties([PenaltyCall(HOME, "MIS", 10, 1)], now=100)
    assert box.skaters == [5, 5]
    box.stop_play(699)
    assert box.find_unavailable(HOME) == (1,)
    box.stop_play(701)
    assert box.find_unavailable(HOME) == ()


def test_a_minor_and_a_misconduct_are_served_after_each_other_with_a_substitute_for_the_minor():
    box = PenaltyBox()
    box.assess_penalties([PenaltyCall(HOME, "MIN", 2, 1, 9), PenaltyCall(HOME, "MIS", 10, 1)], now=100)
    assert box.skaters == [4, 5]
    assert set(box.find_unavailable(HOME)) == {1, 9}
    box.expire_penalties(220)
    assert box.skaters == [5, 5]
    assert box.find_unavailable(HOME) == (1,)
    box.stop_play(819)
    assert box.find_unavailable(HOME) == (1,)
    box.stop_play(821)
    assert box.find_unavailable(HOME) == ()


def test_somebody_serves_a_bench_minor():
    box = PenaltyBox()
    box.assess_penalties([PenaltyCall(AWAY, "BEN", 2, None, 12)], now=100)
    assert box.skaters == [5, 4]
    assert box.find_unavailable(AWAY) == (12,)


def test_a_match_penalty_costs_five_minutes_and_the_player_his_game():
    box = PenaltyBox()
    box.assess_penalties([PenaltyCall(HOME, "MAT", 15, 1, 9)], now=100)
    assert box.skaters == [4, 5]
    box.expire_penalties(400)
    box.stop_play(3000)
    assert box.skaters == [5, 5]
    assert box.find_unavailable(HOME) == (1,)


def test_in_overtime_the_other_team_gains_a_man_and_loses_him_at_a_whistle():
    box = PenaltyBox(base_skaters=OVERTIME_SKATERS, skaters=[3, 3])
    box.assess_penalties([create_minor(HOME, 1)], now=3700)
    assert box.skaters == [3, 4]
    box.assess_penalties([create_minor(HOME, 2)], now=3710)
    assert box.skaters == [3, 5]
    box.expire_penalties(3820)
    assert box.skaters == [4, 5]
    box.stop_play(3825)
    assert box.skaters == [3, 4]
    box.expire_penalties(3830)
    assert box.skaters == [4, 4]
    box.stop_play(3840)
    assert box.skaters == [3, 3]
