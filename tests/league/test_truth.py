"""The truth agrees with the rule for line changes, applied to the shifts independently."""

import pytest

from nhl_lake.league.engine import Engine

pytestmark = pytest.mark.league

SEASON = 20242025
BEFORE_BOUNDARY_KINDS = ("goal", "penalty", "stoppage", "period-end", "game-end")


@pytest.fixture(scope="module")
def games():
    engine = Engine(3)
    ids = [g.game_id for g in engine.schedule(SEASON) if g.game_type == 2][:30]
    ids += [i for i in range(2024020031, 2024020300) if engine.get_outcome(i).last_period_type != "REG"][:10]
    return [(engine.get_game(i), engine.get_truth(i)) for i in ids]


def find_on_ice_by_rule(game, event, faceoffs):
    """Return who is on the ice: the leaving players if the event stops play or precedes the faceoff of its second."""
    first = faceoffs.get((event.period, event.second))
    old = event.kind in BEFORE_BOUNDARY_KINDS or (
        first is not None and event.sort_order < first and event.kind != "period-start"
    )
    t = event.second
    return {
        s.player_id
        for s in game.shifts
        if s.period == event.period and (s.start < t <= s.end if old else s.start <= t < s.end)
    }


def test_players_at_every_event_follow_from_shifts_and_order(games):
    rows = 0
    for game, truth in games:
        faceoffs = {(e.period, e.second): e.sort_order for e in game.events if e.kind == "faceoff"}
        for event in game.events:
            if event.penalty_shot or event.period_type == "SO" or event.kind == "delayed-penalty":
                continue
            on = truth.on_ice[event.event_id]
            known = {*on.skaters[0], *on.skaters[1], *(g for g in on.goalies if g is not None)}
            assert known == find_on_ice_by_rule(game, event, faceoffs), event
            rows += 1
    assert rows > 8000


def test_a_change_at_a_whistle_shares_its_second(games):
    shared = 0
    for game, truth in games:
        for i, event in enumerate(game.events[:-1]):
            after = game.events[i + 1]
            if event.kind == "stoppage" and after.kind == "faceoff" and event.second == after.second:
                old, new = truth.on_ice[event.event_id], truth.on_ice[after.event_id]
                ended = {s.player_id for s in game.shifts if s.period == event.period and s.end == event.second}
                begun = {s.player_id for s in game.shifts if s.period == event.period and s.start == event.second}
                for side in (0, 1):
                    assert set(old.skaters[side]) - set(new.skaters[side]) <= ended
                    assert set(new.skaters[side]) - set(old.skaters[side]) <= begun
                shared += bool(ended)
    assert shared > 500


def test_the_number_of_players_at_an_event_is_its_situation(games):
    for game, truth in games:
        for event in game.events:
            on = truth.on_ice[event.event_id]
            if event.period_type == "SO" and event.player is None:
                continue
            home, away = (len(s) for s in on.skaters)
            assert event.situation == f"{int(on.goalies[1] is not None)}{away}{home}{int(on.goalies[0] is not None)}"


def test_ice_time_is_the_sum_of_the_shifts_and_splits_into_strengths(games):
    for game, truth in games:
        seconds = {}
        for shift in game.shifts:
            seconds[shift.player_id] = seconds.get(shift.player_id, 0) + shift.end - shift.start
        assert {p: t.total for p, t in truth.toi.items()} == seconds
        for player, toi in truth.toi.items():
            assert (
                toi.total == toi.even + toi.power_play + toi.shorthanded == sum(truth.toi_by_situation[player].values())
            )


def test_ice_time_by_strength_is_that_of_the_seconds(games):
    for game, truth in games[:12]:
        home = game.scheduled.home_id
        counted = {}
        for shift in game.shifts:
            row = counted.setdefault(shift.player_id, [0, 0, 0])
            for second in range(shift.start, shift.end):
                away_goalie, away, ours, goalie = map(int, truth.strength[shift.period][second])
                edge = (ours + goalie - away - away_goalie) * (1 if shift.team_id == home else -1)
                row[0 if edge == 0 else 1 if edge > 0 else 2] += 1
        assert counted == {p: [t.even, t.power_play, t.shorthanded] for p, t in truth.toi.items()}


def test_the_situations_of_a_game_add_up_to_its_length(games):
    for game, truth in games:
        for period, codes in truth.strength.items():
            full = 1200 if period <= 3 else 300
            assert len(codes) == (game.outcome.last_second if period == game.outcome.last_period else full)


def test_rebounds_and_rushes_are_what_their_definitions_say(games):
    rebounds = rushes = 0
    for game, _ in games:
        previous = None
        for event in game.events:
            shot = (
                event.kind in ("goal", "shot-on-goal", "missed-shot")
                and not event.penalty_shot
                and event.period_type != "SO"
            )
            assert shot or not (event.rebound or event.rush)
            if shot and event.rebound:
                assert previous.kind in ("shot-on-goal", "missed-shot")
                assert previous.side == event.side
                assert event.second - previous.second <= 3
                rebounds += 1
            if shot and event.rush:
                assert event.second - previous.second <= 4
                rushes += 1
            previous = previous if event.kind == "delayed-penalty" else event
    assert 3 < rebounds / len(games) < 10
    assert 1 < rushes / len(games) < 5
