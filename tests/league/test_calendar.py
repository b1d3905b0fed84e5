"""The calendar: who plays when, postponements, the cancelled game, playoffs."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from nhl_lake.league.engine import Engine

SEASON = 20242025
EASTERN = ZoneInfo("America/New_York")


@pytest.fixture(scope="module")
def engine():
    return Engine(1)


@pytest.fixture(scope="module")
def regular(engine):
    return [g for g in engine.schedule(SEASON) if g.game_type == 2]


def test_every_club_plays_82_games_half_of_them_at_home(regular):
    assert len(regular) == 1312
    assert set(Counter(g.home_id for g in regular).values()) == {41}
    assert set(Counter(g.away_id for g in regular).values()) == {41}


def test_matches_follow_divisions_and_conferences(engine, regular):
    clubs = {t.team_id: t for t in engine.season(SEASON).teams}
    meetings = Counter(frozenset((g.home_id, g.away_id)) for g in regular)
    for pair, count in meetings.items():
        one, other = (clubs[t] for t in pair)
        if one.division == other.division:
            assert count in (3, 4)
        else:
            assert count == (3 if one.conference == other.conference else 2)
    assert len(meetings) == 32 * 31 // 2


def test_nobody_plays_twice_a_day_or_three_days_in_a_row(regular):
    days = {}
    for game in regular:
        for team in (game.home_id, game.away_id):
            days.setdefault(team, []).append(game.day)
    back_to_backs = 0
    for played in days.values():
        played.sort()
        assert len(set(played)) == 82
        assert all((c - a).days > 2 for a, c in zip(played, played[2:], strict=False))
        back_to_backs += sum((b - a).days == 1 for a, b in pairwise(played))
    assert 32 < back_to_backs < 32 * 16


def test_the_season_has_a_break_and_keeps_to_its_dates(engine, regular):
    about = engine.season(SEASON)
    days = {g.day for g in regular}
    assert min(days) == about.start
    assert about.end - timedelta(days=4) <= max(days) <= about.end
    gaps = [(b - a).days for a, b in pairwise(sorted(days))]
    assert max(gaps) >= 7


def test_ids_run_in_the_order_of_the_first_plan(regular):
    assert [g.game_id for g in regular] == list(range(2024020001, 2024021313))
    assert [g.first_day for g in regular] == sorted(g.first_day for g in regular)


def test_most_games_start_on_the_next_day_in_utc_and_their_date_is_eastern(regular):
    late = sum(g.start.date() != g.day for g in regular)
    assert 0.6 < late / len(regular) < 0.8
    assert all(g.start.astimezone(EASTERN).date() == g.day for g in regular)


def test_postponed_games_keep_their_id_and_are_played_later(regular):
    moved = [g for g in regular if g.postponed_at]
    assert len(moved) == 3
    for game in moved:
        assert game.postponed_at < game.first_start < game.rescheduled_at < game.start
        assert game.is_played
    assert max((g.day - g.first_day).days for g in moved) >= 45
    assert all(g.day == g.first_day for g in regular if not g.postponed_at)


def test_one_preseason_game_is_cancelled(engine):
    preseason = [g for g in engine.schedule(SEASON) if g.game_type == 1]
    cancelled = [g for g in preseason if g.cancelled_at]
    assert len(cancelled) == 1
    assert cancelled[0].cancelled_at < cancelled[0].start
    assert not cancelled[0].is_played
    assert max(g.day for g in preseason) < engine.season(SEASON).start


def test_playoffs_are_fifteen_series_that_end_at_four_wins(engine):
    games = engine.playoffs(SEASON)
    series = {}
    for game in games:
        series.setdefault(game.series.letter, []).append(game)
    assert len(series) == 15
    for rows in series.values():
        assert [g.series.game for g in rows] == list(range(1, 8))
        played = [g for g in rows if g.is_played]
        wins = Counter()
        for game in played:
            home, away = engine.get_outcome(game.game_id).score
            wins[game.home_id if home > away else game.away_id] += 1
        assert max(wins.values()) == 4
        assert len(played) == sum(wins.values())
        over = engine.get_end_time(played[-1].game_id)
        assert all(g.removed_at == over and g.if_necessary for g in rows[len(played) :])
        assert [g.home_id for g in rows] == [rows[0].series.top_seed_id] * 2 + [rows[0].series.bottom_seed_id] * 2 + [
            rows[0].series.top_seed_id, rows[0].series.bottom_seed_id, rows[0].series.top_seed_id,
        ]  # fmt: skip
    assert any(len([g for g in rows if g.is_played]) < 7 for rows in series.values())


def test_a_round_appears_when_its_teams_are_known(engine):
    games = engine.playoffs(SEASON)
    last = engine.list_results(SEASON, datetime(2025, 7, 1, tzinfo=UTC))[-1].ended_at
    for game in games:
        assert game.shown_from > last
        assert game.shown_from < game.start
    for number in (2, 3, 4):
        before = max(engine.get_end_time(g.game_id) for g in games if g.is_played and g.series.round == number - 1)
        assert max(g.shown_from for g in games if g.series.round == number) > before
    assert max(g.day for g in games if g.is_played) <= engine.season(SEASON).playoff_end


def test_playoff_ids_say_round_series_and_game(engine):
    for game in engine.playoffs(SEASON):
        s = game.series
        assert game.game_id == 2024030000 + 100 * s.round + 10 * s.number + s.game
        assert engine.find_game(game.game_id) == game


def test_only_games_that_have_ended_have_results(engine):
    moment = datetime(2024, 12, 1, 2, 30, tzinfo=UTC)
    early = engine.list_results(SEASON, moment)
    assert all(r.ended_at <= moment for r in early)
    expected = [g for g in engine.schedule(SEASON) if g.game_type == 2 and g.start < moment]
    assert len(expected) - 16 <= len(early) <= len(expected)
    assert [r.ended_at for r in early] == sorted(r.ended_at for r in early)


def test_two_engines_agree_whatever_was_asked_before(engine):
    other = Engine(1)
    for game_id in (2024021000, 2024020007):
        assert other.get_game(game_id) == engine.get_game(game_id)
        assert other.get_truth(game_id) == engine.get_truth(game_id)
    assert Engine(2).get_outcome(2024020007) != engine.get_outcome(2024020007)


def test_unknown_games_are_not_found(engine):
    for number in (2024020000, 2024021313, 2024040001, 2024030118, 5):
        assert engine.find_game(number) is None
