"""Games: the plays follow the rules, the shifts fit the strength, and the outcome fits the score."""

from collections import Counter
from itertools import pairwise

import pytest

from nhl_lake.league.engine import Engine
from nhl_lake.league.penalty_box import OVERTIME_SKATERS, PenaltyBox, PenaltyCall
from nhl_lake.league.truth import Truth

pytestmark = pytest.mark.league

SEASON = 20242025
STOPS = ("stoppage", "goal", "penalty", "period-start")
SHOTS = ("goal", "shot-on-goal", "missed-shot", "blocked-shot")


@pytest.fixture(scope="module")
def engine():
    return Engine(1)


@pytest.fixture(scope="module")
def stories(engine):
    return [engine.get_outcome(g.game_id) for g in engine.schedule(SEASON) if g.game_type == 2]


@pytest.fixture(scope="module")
def games(engine, stories):
    """Sixty games: the first of the season, and rare ones such as playoff overtimes."""
    wanted = [story.game_id for story in stories[:25]]
    rare = (
        lambda s: s.last_period_type == "SO",
        lambda s: s.last_period_type == "OT" and any(p.period == 4 for p in s.penalties),
        lambda s: any(g.penalty_shot for g in s.goals),
        lambda s: any(p.type_code == "PS" for p in s.penalties),
        lambda s: any(p.type_code == "MAT" for p in s.penalties),
        lambda s: any(p.type_code == "GAM" for p in s.penalties),
        lambda s: any(p.minutes == 4 for p in s.penalties),
        lambda s: any(3 in x.skaters and 5 in x.skaters for x in s.segments),
        lambda s: bool(s.cancelled_penalties),
        lambda s: any(x.goalies[0] is None and x.goalies[1] is None for x in s.segments),
        lambda s: len({x.goalies[0] for x in s.segments} - {None}) == 2,
    )
    for test in rare:
        wanted += [story.game_id for story in stories if test(story)][:3]
    for game in engine.playoffs(SEASON):
        if game.is_played and engine.get_outcome(game.game_id).last_period >= 4:
            wanted.append(game.game_id)
    return [(engine.get_game(g), engine.get_truth(g)) for g in dict.fromkeys(wanted[:70])]


def compute_game_second(game, period, second):
    """Return the second of the game."""
    length = 1200 if game.scheduled.game_type == 3 else 300
    return (period - 1) * 1200 + second if period <= 4 else 3600 + (period - 4) * length + second


def list_situation_codes(truth: Truth):
    return {(period, i): code for period, row in truth.strength.items() for i, code in enumerate(row)}


def test_the_sample_has_what_is_rare(games):
    periods = {g.outcome.last_period for g, _ in games if g.scheduled.game_type == 3}
    assert any(g.outcome.last_period_type == "SO" for g, _ in games)
    assert max(periods) >= 4
    codes = {p.type_code for g, _ in games for p in g.outcome.penalties}
    assert codes >= {"MIN", "MAJ", "BEN", "MIS", "GAM", "PS"}


def test_the_strength_of_every_second_follows_from_the_penalties_of_the_feed(games):
    for game, truth in games:
        box = PenaltyBox()
        rows = {}
        for event in game.events:
            if event.period_type != "SO":
                rows.setdefault((event.period, event.second), []).append(event)
        for period, codes in truth.strength.items():
            if period == 4 and game.scheduled.game_type != 3:
                box.base_skaters = OVERTIME_SKATERS
            for second, code in enumerate(codes):
                now = compute_game_second(game, period, second)
                box.expire_penalties(now)
                replay_penalties(box, rows.get((period, second), []), now)
                away_goalie, away, home, home_goalie = map(int, code)
                assert [home - (1 - home_goalie), away - (1 - away_goalie)] == box.skaters, (
                    game.outcome.game_id,
                    period,
                    second,
                )
                assert away_goalie + home_goalie == 2 or 5 in (home, away) or 6 in (home, away) or 4 in (home, away)


def replay_penalties(box, rows, now):
    """Apply the penalties of one second to the penalty box."""
    calls = [
        PenaltyCall(r.side, r.penalty_type, r.minutes, r.player, r.served_by)
        for r in rows
        if r.kind == "penalty" and r.penalty_type != "PS"
    ]
    for row in rows:
        if row.kind == "goal" and not row.penalty_shot:
            box.apply_goal_against(1 - row.side, now)
    if calls:
        box.assess_penalties(calls, now)
    elif any(row.kind in STOPS for row in rows):
        box.stop_play(now)


def test_situation_codes_are_those_before_goals_penalties_and_stoppages_and_those_after_faceoffs(games):
    for game, truth in games:
        strength = list_situation_codes(truth)
        for event in game.events:
            if event.period_type == "SO" or event.penalty_shot:
                assert event.situation in ("0101", "1010")
                continue
            before, after = strength.get((event.period, event.second - 1)), strength.get((event.period, event.second))
            if event.kind in ("goal", "penalty", "period-end", "game-end", "delayed-penalty"):
                assert event.situation == before
            elif event.kind in ("faceoff", "period-start"):
                assert event.situation == after
            else:
                assert event.situation in (before, after)


def test_nobody_in_the_box_is_on_the_ice(games):
    for game, _ in games:
        on = {}
        for shift in game.shifts:
            on.setdefault(shift.player_id, []).append(shift)
        for spell in game.outcome.segments:
            for player in (*spell.unavailable[0], *spell.unavailable[1]):
                for shift in on.get(player, ()):
                    assert shift.period != spell.period or shift.end <= spell.start or shift.start >= spell.end


def test_shifts_cover_every_second_with_the_right_number_of_men(games):
    for game, truth in games:
        home = game.scheduled.home_id
        goalies = {s.player.player_id for lineup in game.outcome.lineups for s in lineup.goalies}
        men = {(p, i): [0, 0, 0, 0] for p, row in truth.strength.items() for i in range(len(row))}
        for shift in game.shifts:
            place = (0 if shift.team_id == home else 2) + (shift.player_id in goalies)
            for second in range(shift.start, shift.end):
                men[shift.period, second][place] += 1
        for key, code in list_situation_codes(truth).items():
            skaters_home, goalie_home, skaters_away, goalie_away = men[key]
            assert f"{goalie_away}{skaters_away}{skaters_home}{goalie_home}" == code


def test_shifts_of_a_player_are_numbered_and_never_touch_or_overlap(games):
    for game, _ in games:
        by_player = {}
        for shift in game.shifts:
            assert 0 <= shift.start < shift.end
            by_player.setdefault(shift.player_id, []).append(shift)
        for shifts in by_player.values():
            assert [s.number for s in shifts] == list(range(1, len(shifts) + 1))
            for one, two in pairwise(shifts):
                assert one.period < two.period or one.end < two.start


def test_hardly_a_skater_stays_out_for_three_minutes(games):
    lengths = []
    for game, _ in games:
        goalies = {s.player.player_id for lineup in game.outcome.lineups for s in lineup.goalies}
        lengths += [s.end - s.start for s in game.shifts if s.player_id not in goalies]
    assert sum(length > 180 for length in lengths) < len(lengths) / 1000
    assert sum(20 <= length <= 90 for length in lengths) > 0.8 * len(lengths)


def test_those_who_iced_the_puck_stay_on(games):
    checked = 0
    for game, truth in games:
        for i, event in enumerate(game.events):
            if event.kind == "stoppage" and event.reason == "icing" and game.events[i + 1].kind == "faceoff":
                faceoff = game.events[i + 1]
                guilty = (
                    (0 if faceoff.x < 0 else 1)
                    if faceoff.home_defending_side == "left"
                    else (0 if faceoff.x > 0 else 1)
                )
                if truth.strength[event.period][event.second - 1] == truth.strength[event.period][event.second]:
                    before, after = truth.on_ice[event.event_id], truth.on_ice[faceoff.event_id]
                    assert before.skaters[guilty] == after.skaters[guilty]
                    checked += 1
    assert checked > 100


def test_event_ids_are_unique_but_not_ordered_and_sort_orders_grow(games):
    for game, _ in games:
        ids = [e.event_id for e in game.events]
        assert len(set(ids)) == len(ids)
        assert ids != sorted(ids)
        assert all(a.sort_order < b.sort_order for a, b in pairwise(game.events))
        clock = [(e.period, e.second) for e in game.events]
        assert clock == sorted(clock)


def test_rows_of_one_second_stand_in_their_order(games):
    order = {"goal": 1, "penalty": 3, "faceoff": 7, "period-end": 8, "game-end": 9}
    for game, _ in games:
        for one, two in pairwise(game.events):
            if (one.period, one.second) == (two.period, two.second) and not two.penalty_shot:
                assert order.get(one.kind, 0) <= order.get(two.kind, 9) or two.kind in ("stoppage", "penalty")
        for period in range(1, min(game.outcome.last_period, 4) + 1):
            kinds = [e.kind for e in game.events if e.period == period]
            if period < 5 or game.scheduled.game_type == 3:
                assert kinds[:2] == ["period-start", "faceoff"]
                assert kinds.count("period-end") == 1
        assert game.events[-1].kind == "game-end"


def test_the_score_after_every_goal_is_right_and_ends_at_the_story(games):
    for game, _ in games:
        score = [0, 0]
        for event in game.events:
            if event.kind == "goal" and event.period_type != "SO":
                score[event.side] += 1
            if event.kind == "goal":
                assert event.score == tuple(score)
        if game.outcome.last_period_type == "SO":
            winner = next(a.side for a in game.outcome.shootout if a.winner)
            score[winner] += 1
        assert game.outcome.score == tuple(score)
        assert score[0] != score[1]


def test_shots_on_goal_count_up(games):
    for game, _ in games:
        sog = [0, 0]
        for event in game.events:
            sog[event.side or 0] += event.kind in ("goal", "shot-on-goal") and (
                event.period_type != "SO" or event.kind != "goal"
            )
            if event.kind == "shot-on-goal":
                assert event.sog == tuple(sog)


def test_everybody_named_in_a_live_row_is_on_the_ice(games):
    for game, truth in games:
        for event in game.events:
            on = truth.on_ice[event.event_id]
            if event.kind in ("faceoff", "hit", *SHOTS) and event.side is not None:
                own = {*on.skaters[event.side], on.goalies[event.side]}
                assert event.player in own
                assert set(event.assists) <= own
                if event.kind in ("faceoff", "hit") or event.reason == "blocked":
                    assert event.other_player in on.skaters[1 - event.side]
                if event.kind in SHOTS[:3]:
                    assert event.goalie == on.goalies[1 - event.side]
                if event.reason == "teammate-blocked":
                    assert event.other_player in on.skaters[event.side]
                    assert event.other_player != event.player


def test_penalties_name_players_of_the_right_team(games):
    for game, _ in games:
        team = {s.player.player_id: i for i, lineup in enumerate(game.outcome.lineups) for s in lineup.dressed_players}
        for event in game.events:
            if event.kind == "penalty":
                assert event.player is None or team[event.player] == event.side
                assert event.other_player is None or team[event.other_player] == 1 - event.side
                assert event.served_by is None or team[event.served_by] == event.side
                assert (event.player is None) == (event.penalty_type == "BEN")
                assert event.served_by is not None or event.penalty_type not in ("BEN", "MAT")


def test_a_delayed_penalty_is_called_or_wiped_out_and_its_team_cannot_score_before(games):
    lifted = 0
    for game, truth in games:
        for row in (*game.outcome.penalties, *game.outcome.cancelled_penalties):
            if row.delayed_from is None:
                continue
            rows = [e for e in game.events if e.period == row.period and row.delayed_from <= e.second <= row.second]
            arm = next(e for e in rows if e.kind == "delayed-penalty" and e.second == row.delayed_from)
            assert arm.side == row.side
            assert not [e for e in rows if e.kind == "stoppage" and e.second < row.second]
            assert not [e for e in rows if e.kind == "goal" and e.side == row.side]
            codes = truth.strength[row.period][row.delayed_from : row.second]
            lifted += any(code[0 if row.side == 0 else 3] == "0" for code in codes)
    assert lifted > 10


def test_a_shoot_out_is_a_fifth_period_of_attempts(games):
    found = [g for g, _ in games if g.outcome.last_period_type == "SO"]
    for game in found:
        rows = [e for e in game.events if e.period_type == "SO"]
        assert {e.period for e in rows} == {5}
        assert rows[0].kind == "period-start"
        assert [e.kind for e in rows[-3:]] == ["shootout-complete", "period-end", "game-end"]
        attempts = rows[1:-3]
        assert [(e.side, e.player, e.goalie) for e in attempts] == [
            (a.side, a.shooter, a.goalie) for a in game.outcome.shootout
        ]
        assert all(a.side != b.side for a, b in pairwise(attempts))
        assert game.outcome.segments[-1].period == 4
        assert game.outcome.segments[-1].end == 300
    assert found


def test_a_shoot_out_stops_as_soon_as_it_is_decided(stories):
    for story in stories:
        goals, taken = [0, 0], [0, 0]
        for i, attempt in enumerate(story.shootout):
            taken[attempt.side] += 1
            goals[attempt.side] += attempt.outcome == "goal"
            left = [max(0, 3 - n) for n in taken]
            if max(taken) > 3:
                over = taken[0] == taken[1] and goals[0] != goals[1]
            else:
                over = goals[0] > goals[1] + left[1] or goals[1] > goals[0] + left[0]
            assert over == (i == len(story.shootout) - 1)


def test_playoff_overtimes_are_full_periods_at_full_strength_until_a_goal(games):
    codes = Counter()
    for game, truth in games:
        if game.scheduled.game_type != 3 or game.outcome.last_period < 4:
            continue
        last = game.outcome.last_period
        assert all(len(truth.strength[p]) == 1200 for p in range(1, last))
        assert game.outcome.goals[-1].period == last
        assert len(truth.strength[last]) == game.outcome.last_second == game.outcome.goals[-1].second
        codes.update(truth.strength[4])
    assert codes.most_common(1)[0][0] == "1551"
    assert "1331" not in codes


def test_overtime_of_the_regular_season_is_three_against_three(games):
    codes = Counter(
        c for g, t in games if g.scheduled.game_type == 2 for p, row in t.strength.items() if p == 4 for c in row
    )
    assert codes.most_common(1)[0][0] == "1331"
    assert {c[1:3] for c in codes} <= {"33", "34", "43", "35", "53", "44", "45", "54", "55"}


def test_a_shot_on_goal_has_a_goalie_and_a_shot_at_an_empty_net_scores_or_misses(games):
    for game, _ in games:
        assert all(e.goalie is not None for e in game.events if e.kind == "shot-on-goal")


def test_places_are_on_the_ice_and_shots_come_from_the_right_side(games):
    toward = away = 0
    for game, _ in games:
        for event in game.events:
            if event.x is None:
                continue
            assert abs(event.x) <= 99
            assert abs(event.y) <= 42
            x = event.x if (event.side == 0) == (event.home_defending_side == "left") else -event.x
            if event.kind in SHOTS[:3]:
                assert event.zone == ("O" if x >= 25 else "D" if x <= -25 else "N")
                toward, away = toward + (x > 0), away + (x < 0)
    assert toward > 20 * away


def test_teams_change_ends_after_every_period(games):
    for game, _ in games:
        sides = {}
        for event in game.events:
            sides.setdefault(event.period, set()).add(event.home_defending_side)
        assert all(len(s) == 1 for s in sides.values())
        assert all(sides[p] != sides[p + 1] for p in sides if p + 1 in sides)


def test_the_winning_goalie_was_in_the_net(stories):
    for story in stories:
        winner = 0 if story.score[0] > story.score[1] else 1
        assert story.winning_goalie in {s.player.player_id for s in story.lineups[winner].goalies}
        assert story.losing_goalie in {s.player.player_id for s in story.lineups[1 - winner].goalies}
        if story.winning_goal is not None:
            decisive = [g for g in story.goals if g.side == winner][story.score[1 - winner]]
            assert story.winning_goal == decisive.scorer
