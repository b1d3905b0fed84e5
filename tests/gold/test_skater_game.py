"""Tests of skater statistics by game, on handwritten games."""

from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nhl_lake.gold.skater_game import SKATER_GAME, skater_game
from nhl_lake.gold.team_game import TEAM_GAME
from nhl_lake.schema import checks
from tests.gold import game_builders
from tests.gold.game_builders import FACEOFF, build_game_silver, play_time
from tests.gold.league_tables import NO_SHOTS, Silver, build_gold
from tests.silver.play_builders import AWAY, HOME, make_play, make_shot

POWER_PLAY, PULLED, SHOT_AT = "1451", "1560", "1010"
ALL_GAME = [(player, 0, 1200) for players in game_builders.TEAMS.values() for player in players]


def select_skater(found: Silver, player: int, situation: str = "all") -> dict[str, Any]:
    return game_builders.build_row(SKATER_GAME, found, situation, player_id=player)


def select_counts(found: Silver, player: int, *names: str, situation: str = "all") -> tuple[Any, ...]:
    row = select_skater(found, player, situation)
    return tuple(row[name] for name in names)


def make_details(event: str, owner: int, **details: Any) -> dict[str, Any]:
    return make_play(event, details={"eventOwnerTeamId": owner, "xCoord": 0, "yCoord": 0, **details})


def make_shootout_details(event: str, **details: Any) -> dict[str, Any]:
    """Return what a player of the home team did in a shootout."""
    details = {"eventOwnerTeamId": HOME, **details}
    return make_play(event, period=5, timeInPeriod="00:00", situationCode="0101", details=details)


def make_faceoff(second: int, x: int, *, won_by: int = HOME) -> dict[str, Any]:
    winner, loser = (71, 82) if won_by == HOME else (82, 71)
    details = {
        "eventOwnerTeamId": won_by,
        "winningPlayerId": winner,
        "losingPlayerId": loser,
        "xCoord": x,
        "yCoord": 22,
    }
    return make_play("faceoff", details=details, **play_time(second))


def test_goal_is_also_a_shot_an_attempt_and_a_point():
    found = build_game_silver(
        FACEOFF,
        make_shot("goal"),
        make_shot(),
        make_shot("missed-shot"),
        make_shot("blocked-shot", details={"blockingPlayerId": 82}),
    )

    names = ("goals", "points", "shots_on_goal", "missed_shots", "blocked_attempts", "unblocked_attempts", "attempts")
    assert select_counts(found, 71, *names) == (1, 1, 2, 1, 1, 3, 4)
    assert select_counts(found, 71, "saved_shots", "saved_unblocked_attempts", "goals_without_shot") == (1, 2, 0)
    assert select_counts(found, 82, "blocked_shots", "attempts") == (1, 0)


def test_block_by_a_teammate_is_credited_to_nobody():
    found = build_game_silver(
        FACEOFF, make_shot("blocked-shot", details={"blockingPlayerId": 72, "reason": "teammate-blocked"})
    )

    assert select_counts(found, 71, "blocked_attempts", "attempts") == (1, 1)
    assert select_counts(found, 72, "blocked_shots") == (0,)


def test_third_assist_is_an_assist_and_a_point():
    three = {"assist1PlayerId": 72, "assist2PlayerId": 73, "assist3PlayerId": 31}
    found = build_game_silver(
        make_shot("goal", details=three),
        make_shot("goal", number=2, details=three | {"assist3PlayerId": 73, "assist2PlayerId": 31}),
    )

    names = ("primary_assists", "secondary_assists", "assists", "points", "even_strength_points")
    assert select_counts(found, 73, *names) == (0, 1, 2, 2, 2)


def test_assists_are_primary_and_secondary():
    found = build_game_silver(
        FACEOFF, make_shot("goal", details={"assist1PlayerId": 72, "assist2PlayerId": 73}, situationCode=POWER_PLAY)
    )

    names = ("primary_assists", "secondary_assists", "assists", "points", "power_play_points", "even_strength_points")
    assert select_counts(found, 72, *names) == (1, 0, 1, 1, 1, 0)
    assert select_counts(found, 73, *names) == (0, 1, 1, 1, 1, 0)
    assert select_counts(found, 71, *names) == (0, 0, 0, 1, 1, 0)


@pytest.mark.parametrize(
    ("code", "home", "away", "strength"),
    [
        ("1551", "5on5", "5on5", "even_strength"),
        (POWER_PLAY, "5on4", "4on5", "power_play"),
        ("1541", "4on5", "5on4", "shorthanded"),
        (PULLED, "other", "other", "even_strength"),
        ("1460", "other", "other", "power_play"),
        ("1331", "other", "other", "even_strength"),
    ],
)
def test_event_is_in_the_situation_of_the_players_own_team(code: str, home: str, away: str, strength: str):
    hit = make_details("hit", HOME, hittingPlayerId=71, hitteePlayerId=82) | {"situationCode": code}
    found = build_game_silver(FACEOFF, make_shot("goal", situationCode=code), hit)

    assert select_counts(found, 71, "goals", "hits", f"{strength}_goals", situation=home) == (1, 1, 1)
    assert select_counts(found, 82, "hits_taken", "hits", situation=away) == (1, 0)
    assert select_counts(found, 71, "goals", f"{strength}_goals") == (1, 1)


def test_event_of_an_unknown_situation_is_in_other_without_strength():
    found = build_game_silver(FACEOFF, make_shot("goal", situationCode=None))

    assert select_counts(found, 71, "goals", situation="other") == (1,)
    assert select_counts(found, 71, "goals", "even_strength_goals", "power_play_goals", "shorthanded_goals") == (
        1,
        0,
        0,
        0,
    )


def test_shootout_counts_for_nobody():
    shots = [make_shot("goal", period=5, situationCode=SHOT_AT), make_shot(period=5, situationCode="0101", by=82)]
    found = build_game_silver(FACEOFF, *shots)

    assert select_counts(found, 71, "goals", "attempts", "penalty_shot_goals") == (0, 0, 0)
    assert select_counts(found, 82, "goals", "attempts") == (0, 0)


def test_shootout_penalties_count_as_minutes_and_nothing_else_does():
    minor = make_shootout_details("penalty", typeCode="MIN", duration=2, committedByPlayerId=71, drawnByPlayerId=82)
    rude = make_shootout_details("penalty", typeCode="MIS", duration=10, committedByPlayerId=71)
    found = build_game_silver(FACEOFF, minor, rude, make_shootout_details("hit", hittingPlayerId=71, hitteePlayerId=82))

    assert select_counts(found, 71, "penalties", "misconducts", "penalty_minutes", "hits") == (1, 1, 12, 0)
    assert select_counts(found, 71, "penalties", "penalty_minutes", situation="other") == (1, 12)
    assert select_counts(found, 82, "penalties_drawn", "penalty_minutes_drawn") == (1, 2)


def test_penalty_shot_counts_for_the_shooter_but_not_as_an_on_ice_event():
    awarded = make_details("penalty", AWAY, typeCode="PS", duration=0, committedByPlayerId=82, drawnByPlayerId=71)
    taken = make_shot("goal", situationCode=SHOT_AT, details={"goalieInNetId": 32})
    found = build_game_silver(FACEOFF, awarded, taken, shifts=ALL_GAME)

    assert select_counts(found, 71, "goals", "penalty_shot_goals", "shots_on_goal", situation="other") == (1, 1, 1)
    assert select_counts(found, 71, "on_ice_goals_for", "off_ice_goals_for", "power_play_goals") == (0, 0, 0)
    assert select_counts(found, 72, "on_ice_attempts_for", "off_ice_attempts_for") == (0, 0)


def test_goal_without_a_shot_is_an_attempt_but_not_a_shot_on_goal():
    found = build_game_silver(FACEOFF, make_shot(), make_shot("goal", details={"shotType": None}))

    assert select_counts(found, 71, "goals", "goals_without_shot", "shots_on_goal", "attempts", "saved_shots") == (
        1,
        1,
        1,
        2,
        1,
    )


def test_penalties_are_charged_and_drawn_and_misconducts_are_separate():
    minor = make_details("penalty", HOME, typeCode="MIN", duration=2, committedByPlayerId=71, drawnByPlayerId=82)
    rude = make_details("penalty", HOME, typeCode="MIS", duration=10, committedByPlayerId=71, drawnByPlayerId=82)
    bench = make_details("penalty", HOME, typeCode="BEN", duration=2, servedByPlayerId=72)
    found = build_game_silver(FACEOFF, minor, rude, bench)

    assert select_counts(found, 71, "penalties", "misconducts", "penalty_minutes") == (1, 1, 12)
    assert select_counts(found, 82, "penalties_drawn", "penalty_minutes_drawn") == (1, 2)
    assert select_counts(found, 72, "penalties", "penalty_minutes") == (0, 0)


def test_giveaways_are_counted_by_zone():
    deep, forward = (make_details("giveaway", HOME, playerId=72, xCoord=x) for x in (-60, 60))
    found = build_game_silver(FACEOFF, deep, forward, make_details("takeaway", AWAY, playerId=83))

    assert select_counts(found, 72, "giveaways", "defensive_zone_giveaways", "takeaways") == (2, 1, 0)
    assert select_counts(found, 83, "takeaways", "giveaways") == (1, 0)


STOP = make_play("stoppage", details={"reason": "goalie-stopped-after-sog"})
OUTCOMES = ("rebounds_generated", "frozen_attempts", "stopped_attempts", "attempts_continued_in_zone")


@pytest.mark.parametrize(
    ("then", "outcome"),
    [
        ([make_shot(**play_time(102))], 0),
        ([STOP | play_time(109)], 1),
        ([make_play("stoppage", details={"reason": "puck-frozen"}, **play_time(103))], 1),
        ([make_play("stoppage", details={"reason": "puck-frozen"}, **play_time(104))], 2),
        ([make_play("stoppage", details={"reason": "icing"}, **play_time(101))], 2),
        ([make_play("period-end", **play_time(120))], 2),
        ([], 2),
        ([make_details("hit", HOME, hittingPlayerId=71, xCoord=60) | play_time(104)], 3),
        ([make_details("hit", AWAY, hittingPlayerId=82, xCoord=60) | play_time(104)], 3),
        ([make_details("hit", AWAY, hittingPlayerId=82, xCoord=-60) | play_time(104)], 4),
        ([make_play("delayed-penalty", **play_time(101)), STOP | play_time(102)], 1),
    ],
)
def test_unblocked_attempt_has_one_outcome(then: list[dict[str, Any]], outcome: int):
    # some shots that show which side is attacked
    found = build_game_silver(FACEOFF, make_shot(**play_time(100)), *then)
    last = 1 if then and then[0]["typeDescKey"] == "shot-on-goal" else 0  # the rebound itself: nothing follows it

    expected = [int(n == outcome) for n in range(5)]
    expected[2] += last
    assert select_counts(found, 71, *OUTCOMES, "attempts_continued_outside_zone") == tuple(expected)


def test_shares_and_on_ice_counts_follow_the_players_on_the_ice():
    shifts = [(71, 0, 60), (72, 0, 1200), (82, 0, 1200), (31, 0, 1200), (32, 0, 1200), (73, 60, 1200)]
    plays = [
        make_shot(**play_time(30)),
        make_shot("goal", by=82, **play_time(40)),
        make_shot(by=82, **play_time(90)),
        make_shot("missed-shot", **play_time(91)),
    ]
    found = build_game_silver(FACEOFF, *plays, shifts=shifts)

    names = ("on_ice_attempts_for", "on_ice_attempts_against", "off_ice_attempts_for", "off_ice_attempts_against")
    assert select_counts(found, 71, *names) == (1, 1, 1, 1)
    assert select_counts(found, 72, *names, "on_ice_attempt_share", "off_ice_attempt_share") == (2, 2, 0, 0, 0.5, None)
    assert select_counts(found, 71, "on_ice_goals_against", "on_ice_goals_for", "time_on_ice_s", "time_on_bench_s") == (
        1, 0, 60, 1140,
    )  # fmt: skip
    assert select_counts(found, 84, *names, "time_on_ice_s", "ice_time_rank") == (0, 0, 2, 2, 0, None)
    assert select_counts(found, 73, "ice_time_rank") == (1,)
    assert select_counts(found, 71, "ice_time_rank") == (2,)


def test_ice_time_and_on_ice_counts_are_null_without_shifts():
    found = build_game_silver(FACEOFF, make_shot("goal"))

    names = ("time_on_ice_s", "shifts", "on_ice_goals_for", "off_ice_attempts_for", "game_score", "time_on_bench_s")
    assert select_counts(found, 71, *names) == (None,) * len(names)
    assert select_counts(found, 71, "goals", "hits") == (1, 0)


def test_other_counts_are_null_if_plays_record_only_goals_and_penalties():
    found = build_game_silver(make_shot("goal"))

    assert select_counts(found, 71, "goals", "points", "penalties") == (1, 1, 0)
    assert select_counts(found, 71, "shots_on_goal", "attempts", "hits", "faceoffs_won", "rush_shots") == (None,) * 5


def test_shift_starts_and_ends_with_a_faceoff_in_a_zone_or_on_the_fly():
    shifts = [(71, 0, 30), (71, 50, 80), (72, 30, 200), (82, 0, 30), (82, 30, 60), (31, 0, 1200), (32, 0, 1200)]
    found = build_game_silver(FACEOFF, make_faceoff(30, 69), make_faceoff(80, -69, won_by=AWAY), shifts=shifts)

    starts = ("offensive_zone_starts", "neutral_zone_starts", "defensive_zone_starts", "on_the_fly_starts")
    ends = tuple(name.replace("starts", "ends") for name in starts)
    assert select_counts(found, 71, "shifts", *starts) == (2, 0, 1, 0, 1)
    assert select_counts(found, 71, *ends) == (1, 0, 1, 0)
    assert select_counts(found, 72, *starts, *ends) == (1, 0, 0, 0, 0, 0, 0, 1)
    assert select_counts(found, 82, *starts, *ends) == (0, 1, 1, 0, 0, 0, 1, 1)


def test_last_of_two_faceoffs_in_a_second_starts_the_shift():
    shifts = [(71, 30, 60), (82, 0, 60), (31, 0, 1200), (32, 0, 1200)]
    found = build_game_silver(FACEOFF, make_faceoff(30, 69), STOP | play_time(30), make_faceoff(30, -69), shifts=shifts)

    assert select_counts(found, 71, "offensive_zone_starts", "defensive_zone_starts") == (0, 1)


def test_attempts_count_for_five_seconds_after_a_shift_that_ended_on_the_fly():
    shifts = [(71, 0, 50), (72, 0, 1200), (73, 50, 1200), (82, 0, 1200), (31, 0, 1200), (32, 0, 1200)]
    plays = [make_shot(by=72, **play_time(second)) for second in (50, 51, 55, 56)]
    found = build_game_silver(
        FACEOFF,
        *plays,
        make_shot("blocked-shot", by=82, details={"blockingPlayerId": 72}, **play_time(54)),
        shifts=shifts,
    )

    names = ("attempts_for_after_shifts", "attempts_against_after_shifts", "unblocked_attempts_against_after_shifts")
    assert select_counts(found, 71, *names) == (2, 1, 0)
    assert select_counts(found, 72, *names) == (0, 0, 0)


def test_attempts_after_a_new_faceoff_do_not_count_for_an_earlier_shift():
    shifts = [(71, 0, 50), (72, 0, 1200), (73, 50, 1200), (82, 0, 1200), (31, 0, 1200), (32, 0, 1200)]
    plays = [
        make_shot(by=72, **play_time(51)),
        STOP | play_time(52),
        make_faceoff(52, 69),
        make_shot(by=72, **play_time(53)),
    ]
    found = build_game_silver(FACEOFF, *plays, shifts=shifts)

    assert select_counts(found, 71, "attempts_for_after_shifts") == (1,)


def test_game_score_of_the_worked_example():
    """1 goal, 1 second assist, 4 shots, 1 block, 1 drawn, faceoffs 9 to 6; at 5on5 15 to 10 attempts, 1 goal to 0."""
    drawn = make_details("penalty", AWAY, typeCode="MIN", duration=2, committedByPlayerId=82, drawnByPlayerId=71)
    own = [make_shot(), make_shot(), make_shot(), make_shot("goal")]
    block = make_shot("blocked-shot", by=82, details={"blockingPlayerId": 71})
    others = [make_shot("missed-shot", by=72)] * 11 + [make_shot("missed-shot", by=82)] * 9
    assisted = make_shot(
        "goal", by=72, details={"assist1PlayerId": 73, "assist2PlayerId": 71}, situationCode=POWER_PLAY
    )
    won = [make_faceoff(1, 0)] * 8 + [make_faceoff(1, 0, won_by=AWAY)] * 6
    found = build_game_silver(FACEOFF, *own, block, *others, assisted, drawn, *won, shifts=ALL_GAME)

    assert select_counts(found, 71, "faceoffs_won", "faceoffs_lost", "shots_on_goal", "blocked_shots") == (9, 6, 4, 1)
    five = select_counts(found, 71, "on_ice_attempts_for", "on_ice_attempts_against", "game_score", situation="5on5")
    assert five == (15, 10, pytest.approx(2.23))
    assert select_counts(found, 71, "game_score") == (pytest.approx(2.23),)


def test_penalty_costs_the_game_score_what_drawing_one_earns():
    minor = make_details("penalty", HOME, typeCode="MIN", duration=2, committedByPlayerId=72, drawnByPlayerId=83)
    found = build_game_silver(FACEOFF, minor, shifts=ALL_GAME)

    assert select_counts(found, 72, "game_score") == (pytest.approx(-0.15),)
    assert select_counts(found, 83, "game_score") == (pytest.approx(0.15),)
    assert select_counts(found, 82, "game_score") == (pytest.approx(-0.01),)


def test_attempts_are_adjusted_for_score_and_home_ice_at_five_on_five():
    first, led = make_shot("goal", by=82), make_shot(by=82)
    found = build_game_silver(FACEOFF, first, led, make_shot(), make_shot(situationCode=POWER_PLAY))

    assert select_counts(found, 82, "adjusted_attempts") == (pytest.approx(1.028 + 1.091),)
    assert select_counts(found, 71, "adjusted_attempts", situation="5on5") == (pytest.approx(0.923),)
    assert select_counts(found, 71, "adjusted_attempts", "adjusted_unblocked_attempts") == (
        pytest.approx(1.923),
        pytest.approx(1.933),
    )


def test_goalies_and_scratches_have_no_rows_even_if_a_goalie_scores():
    found = build_game_silver(FACEOFF, make_shot("goal", by=31))
    found["lineups"] = found["lineups"].with_columns(is_scratched=pl.col("player_id") == 84)

    rows = build_gold(SKATER_GAME, found)
    assert sorted(rows["player_id"].unique()) == [71, 72, 73, 82, 83]
    assert rows["goals"].sum() == 0


def test_skater_has_five_rows_with_player_team_and_opponent():
    rows = build_gold(SKATER_GAME, build_game_silver(FACEOFF)).filter(pl.col("player_id") == 82)

    assert sorted(rows["situation"]) == ["4on5", "5on4", "5on5", "all", "other"]
    who = ("team_id", "team_abbrev", "opponent_team_id", "opponent_abbrev", "is_home", "position")
    assert rows.select(who).unique().rows() == [(AWAY, "AWY", HOME, "HOM", False, "C")]


def test_game_without_plays_has_no_rows_rather_than_zeros():
    found = build_game_silver(FACEOFF)
    found["plays"] = found["plays"].clear()

    assert build_gold(SKATER_GAME, found).is_empty()


def test_order_of_rows_changes_nothing():
    shifts = [(71, 0, 50), (72, 0, 1200), (73, 50, 1200), (82, 0, 1200), (31, 0, 1200), (32, 0, 1200)]
    found = build_game_silver(
        FACEOFF,
        make_shot(**play_time(30)),
        make_shot(**play_time(32)),
        STOP | play_time(33),
        make_faceoff(33, 69),
        shifts=shifts,
    )
    turned = {name: rows.reverse() for name, rows in found.items()}

    assert_frame_equal(build_gold(SKATER_GAME, turned), build_gold(SKATER_GAME, found))


def test_schema_is_the_declared_one():
    full = build_game_silver(FACEOFF, make_shot("goal"), shifts=ALL_GAME)
    for found in (full, {name: rows.clear() for name, rows in full.items()}):
        every = found | {"shots": NO_SHOTS.collect()}
        rows = skater_game(*(every[read.name.split(".")[1]].lazy() for read in SKATER_GAME.inputs)).collect()
        assert rows.columns == list(SKATER_GAME.schema)


def test_player_of_unknown_position_is_a_skater():
    spots = [
        {**spot, "positionCode": None if spot["playerId"] == 71 else spot["positionCode"]}
        for spot in game_builders.ROSTER_SPOTS
    ]
    goal = make_details("goal", HOME, scoringPlayerId=71, goalieInNetId=32) | play_time(30)

    found = build_game_silver(
        FACEOFF, goal, shifts=[(player, 0, 60) for player in (71, 72, 73, 31, 82, 83, 84, 32)], spots=spots
    )

    row = select_skater(found, 71)
    assert (row["position"], row["goals"], row["time_on_ice_s"]) == (None, 1, 60)
    assert select_skater(found, 72)["on_ice_goals_for"] == 1
    checks.validate_rows(SKATER_GAME, build_gold(SKATER_GAME, found))


def build_with_boxscore(*lines: dict[str, Any], shifts: list[tuple[int, int, int]] | None = None) -> Silver:
    """Return a game with lines of a box score, with shifts or without."""
    found = build_game_silver(FACEOFF, make_shot("goal"), shifts=shifts)
    nothing = dict.fromkeys(found["skater_games"].columns) | {"game_id": game_builders.GAME}
    found["skater_games"] = pl.DataFrame([nothing | line for line in lines], schema=found["skater_games"].schema)
    return found


TIMES = ("time_source", "time_on_ice_s", "even_strength_time_on_ice_s", "power_play_time_on_ice_s", "shifts")
LINE = {"player_id": 71, "time_on_ice_s": 900, "power_play_time_on_ice_s": 100, "shorthanded_time_on_ice_s": 50}


def test_game_without_shifts_has_the_boxscore_time_only_in_all():
    found = build_with_boxscore(LINE | {"shifts": 20}, {"player_id": 72, "time_on_ice_s": 700})

    assert select_counts(found, 71, *TIMES) == ("box score", 900, 750, 100, 20)
    assert select_counts(found, 72, *TIMES) == ("box score", 700, None, None, None)
    assert select_counts(found, 73, *TIMES) == (None,) * 5
    assert select_counts(found, 71, *TIMES, situation="5on5") == (None,) * 5
    assert select_counts(found, 71, "ice_time_rank", "game_score", "on_ice_attempts_for") == (1, None, None)


def test_time_from_shifts_is_preferred_to_the_box_score():
    found = build_with_boxscore(LINE, shifts=ALL_GAME)

    assert select_counts(found, 71, "time_source", "time_on_ice_s") == ("shifts", 1200)
    assert select_counts(found, 71, "time_source", situation="5on4") == ("shifts",)


def test_unlisted_scorer_has_a_row_and_the_totals_agree():
    goal = make_shot("goal", by=99, details={"eventOwnerTeamId": HOME, "assist1PlayerId": 98, "goalieInNetId": 32})
    found = build_game_silver(FACEOFF, make_shot("goal"), goal, shifts=ALL_GAME)

    assert select_counts(found, 99, "goals", "points", "shots_on_goal", "team_id", "position") == (1, 1, 1, HOME, None)
    assert select_counts(found, 98, "primary_assists", "points", "position") == (1, 1, None)
    assert select_counts(found, 99, "time_on_ice_s", "time_on_bench_s", "shifts", "on_ice_goals_for") == (None,) * 4
    assert select_counts(found, 73, "time_on_ice_s", "on_ice_goals_for") == (1200, 2)
    teams = build_gold(TEAM_GAME, found).filter(situation="all", team_id=HOME)
    skaters = build_gold(SKATER_GAME, found).filter(situation="all", team_id=HOME)
    assert skaters["goals"].sum() == teams["goals"].item() == 2
    assert skaters["shots_on_goal"].sum() == teams["shots_on_goal"].item()
