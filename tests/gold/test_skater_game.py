"""Goals and shots of skaters, on hand-typed frames."""

from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from nhl_lake import check
from nhl_lake.gold.skater_game import SKATER_GAME, skater_game
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.plays import PLAYS

GAME = {"season": 20232024, "game_id": 2023020001, "game_type": 2}


def dressed(*players: tuple[int, str | None], team: int = 1, **said: Any) -> pl.LazyFrame:
    rows = [
        {**GAME, "player_id": player, "team_id": team, "position": position, "is_scratched": False, **said}
        for player, position in players
    ]
    return pl.LazyFrame([{name: row.get(name) for name in LINEUPS.schema} for row in rows], schema=LINEUPS.schema)


def played(*events: tuple[int | None, str] | tuple[int | None, str, str], **said: Any) -> pl.LazyFrame:
    """Return plays: who shot, what came of it, and the type of the period (REG)."""
    rows = [
        {
            **GAME,
            "event_id": n,
            "event": event,
            "period_type": period[0] if period else "REG",
            "shooter_player_id": shooter,
            "is_goal": event == "goal" and "SO" not in period,
            "is_shot_on_goal": event in {"goal", "shot-on-goal"} and "SO" not in period,
            **said,
        }
        for n, (shooter, event, *period) in enumerate(events)
    ]
    return pl.LazyFrame([{name: row.get(name) for name in PLAYS.schema} for row in rows], schema=PLAYS.schema)


def counts(lineups: pl.LazyFrame, plays: pl.LazyFrame) -> dict[int, tuple[int, int]]:
    """Return goals and shots on goal by player."""
    rows = skater_game(lineups, plays).collect().select("player_id", "goals", "shots_on_goal").rows()
    return {player: (goals, shots) for player, goals, shots in rows}


def test_a_goal_is_also_a_shot():
    assert counts(dressed((7, "C")), played((7, "goal"), (7, "shot-on-goal"), (7, "shot-on-goal"))) == {7: (1, 3)}


def test_what_misses_or_is_blocked_is_no_shot_on_goal():
    others = played(
        (7, "missed-shot"), (7, "blocked-shot"), (7, "failed-shot-attempt"), (None, "hit"), (None, "faceoff")
    )

    assert counts(dressed((7, "C")), others) == {7: (0, 0)}


def test_an_overtime_counts_and_a_shoot_out_does_not():
    shots = played((7, "goal", "OT"), (7, "shot-on-goal", "OT"), (7, "goal", "SO"), (7, "shot-on-goal", "SO"))

    assert counts(dressed((7, "C")), shots) == {7: (1, 2)}


def test_goalies_are_left_out_even_if_they_score():
    assert counts(dressed((7, "C"), (30, "G")), played((30, "goal"), (7, "goal"))) == {7: (1, 1)}


def test_a_skater_who_did_not_shoot_has_zeros():
    assert counts(dressed((7, "C"), (8, "D")), played((7, "goal"))) == {7: (1, 1), 8: (0, 0)}


def test_a_game_without_a_shot_has_its_skaters():
    assert counts(dressed((7, "C"), (8, "D")), played((None, "faceoff"))) == {7: (0, 0), 8: (0, 0)}


def test_a_game_whose_plays_are_missing_has_no_rows_rather_than_zeros():
    lineups = pl.concat([dressed((7, "C")), dressed((8, "C"), game_id=2023020002)])

    assert counts(lineups, played((7, "goal"))) == {7: (1, 1)}
    assert counts(lineups, played()) == {}


def test_a_goal_that_nobody_shot_is_a_goal_without_a_shot():
    assert counts(dressed((7, "C")), played((7, "goal"), is_shot_on_goal=False)) == {7: (1, 0)}


def test_the_scratched_are_left_out():
    lineups = pl.concat(
        [dressed((7, "C")), dressed((8, None), is_scratched=True), dressed((9, "C"), is_scratched=True)]
    )

    assert counts(lineups, played((7, "goal"))) == {7: (1, 1)}


def test_a_skater_has_his_numbers_and_his_team_game_by_game():
    lineups = pl.concat([dressed((7, "C"), team=1), dressed((7, "L"), team=2, game_id=2023020002)])
    plays = pl.concat([played((7, "goal")), played((7, "shot-on-goal"), game_id=2023020002)])

    found = skater_game(lineups, plays).sort("game_id").collect()

    assert found.select("game_id", "team_id", "goals", "shots_on_goal").rows() == [
        (2023020001, 1, 1, 1),
        (2023020002, 2, 0, 1),
    ]


def test_the_frame_is_what_the_table_declares():
    for lineups, plays in ((dressed(), played()), (dressed((7, "C")), played((7, "goal")))):
        found = skater_game(lineups, plays).collect()
        assert found.schema == SKATER_GAME.schema
        check.require(SKATER_GAME, found)


SKATERS = (1, 2, 3)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from([*SKATERS, 30, None]),
        st.sampled_from(["goal", "shot-on-goal", "missed-shot", "blocked-shot", "hit"]),
        st.sampled_from(["REG", "OT", "SO"]),
    ),
    max_size=30,
)


@given(EVENTS, st.randoms(use_true_random=False))
def test_the_order_of_events_and_players_changes_nothing_and_the_sums_are_right(events: list[Any], random: Any):
    people = [*((skater, "C") for skater in SKATERS), (30, "G")]
    shuffled_people = random.sample(people, len(people))

    events = [(None, "faceoff", "REG"), *events]
    shuffled_events = random.sample(events, len(events))
    found = counts(dressed(*people), played(*events))

    assert counts(dressed(*shuffled_people), played(*shuffled_events)) == found
    for skater in SKATERS:
        own = [event for shooter, event, period in events if shooter == skater and period != "SO"]
        assert found[skater] == (own.count("goal"), own.count("goal") + own.count("shot-on-goal"))
