"""What is wrong on purpose: late corrections, and charts that are empty, late, or repeat shifts."""

from datetime import timedelta
from typing import Any

import pytest

from nhl_lake.league import quirks
from tests.league.league_pages import (
    get_end_time,
    get_game_page,
    get_league,
    get_shift_chart,
    get_shift_report,
    get_status,
    list_played_games,
    make_minutes,
    sample_games,
)

pytestmark = pytest.mark.league


def find_corrected_game() -> tuple[int, Any]:
    engine = get_league().engine
    for game_id in list_played_games(20252026)[:80]:
        if found := quirks.draw_corrections(1, engine.get_game(game_id), get_end_time(game_id)):
            return game_id, found
    raise AssertionError("no corrections in eighty games")


def test_corrections_come_one_three_seven_or_twenty_days_after_the_game():
    game_id, found = find_corrected_game()
    first, last = min(c.corrected_at for c in found), max(c.corrected_at for c in found)
    wrong = get_game_page(game_id, "play-by-play", first - make_minutes(1))
    right = get_game_page(game_id, "play-by-play", last + make_minutes(1))

    after = [(c.corrected_at - get_end_time(game_id)) / timedelta(days=1) for c in found]
    assert {min(quirks.CORRECTION_DELAY_DAYS, key=lambda days: abs(days - n)) - n <= 0.21 for n in after} == {True}
    assert wrong["gameState"] == right["gameState"] == "OFF"
    assert wrong["plays"] != right["plays"]
    assert get_game_page(game_id, "play-by-play")["plays"] == right["plays"]
    assert get_game_page(game_id, "boxscore", first - make_minutes(1)) != get_game_page(game_id, "boxscore")


def test_a_corrected_game_agreed_with_itself_before():
    game_id, found = find_corrected_game()
    before = min(c.corrected_at for c in found) - make_minutes(1)
    page, box = get_game_page(game_id, "play-by-play", before), get_game_page(game_id, "boxscore", before)
    lines = [line for team in box["playerByGameStats"].values() for group in team.values() for line in group]
    goals = [play["details"] for play in page["plays"] if play["typeDescKey"] == "goal"]
    shots = [play["details"] for play in page["plays"] if play["typeDescKey"] == "shot-on-goal"]

    for line in lines:
        who = line["playerId"]
        if line["position"] != "G":
            assert line["assists"] == sum(who in (g.get("assist1PlayerId"), g.get("assist2PlayerId")) for g in goals)
            assert line["sog"] == sum(g["scoringPlayerId"] == who for g in goals) + sum(
                s["shootingPlayerId"] == who for s in shots
            )


def test_about_one_game_in_eight_is_corrected():
    engine = get_league().engine
    games = list_played_games(20252026)[:80]

    assert 3 <= sum(bool(quirks.draw_corrections(1, engine.get_game(g), get_end_time(g))) for g in games) <= 19


def test_some_charts_stay_empty_and_some_come_late():
    since = {game: quirks.find_chart_start(1, game, get_end_time(game)) for game in list_played_games(20252026)}
    never = next(game for game, at in since.items() if at is None and quirks.has_shift_reports(1, game))
    late, at = next((game, at) for game, at in since.items() if at and at > get_end_time(game))

    assert get_shift_chart(never) == {"data": [], "total": 0}
    assert get_shift_report(never, "H")
    assert get_shift_chart(late, at - make_minutes(1))["total"] == 0
    assert get_shift_chart(late, at + make_minutes(1))["total"] > 500
    assert sum(at is None for at in since.values()) / len(since) == pytest.approx(quirks.CHART_EMPTY, abs=0.015)


def test_some_games_have_no_reports():
    games = list_played_games(20252026)
    missing = next(game for game in games if not quirks.has_shift_reports(1, game))

    assert get_status(f"/scores/htmlreports/20252026/TH{missing % 1_000_000:06d}.HTM") == 404
    assert get_status(f"/v1/gamecenter/{missing}/boxscore") == 200
    assert sum(not quirks.has_shift_reports(1, game) for game in games) / len(games) == pytest.approx(0.01, abs=0.008)


def test_a_chart_may_repeat_shifts_under_the_next_number():
    engine = get_league().engine
    game_id = next(
        g
        for g in list_played_games(20252026)[:60]
        if quirks.draw_repeated_shifts(1, engine.get_game(g)) and get_shift_chart(g)["total"]
    )
    stays = [r for r in get_shift_chart(game_id)["data"] if r["typeCode"] == 517 and r["endTime"]]
    seen: dict[tuple[Any, ...], int] = {}
    again = 0
    for row in stays:
        key = (row["playerId"], row["period"], row["startTime"], row["endTime"])
        again += key in seen
        assert seen.get(key, row["shiftNumber"] - 1) == row["shiftNumber"] - 1
        seen[key] = row["shiftNumber"]

    assert again == len(quirks.draw_repeated_shifts(1, engine.get_game(game_id)))


def test_a_placeholder_has_no_end():
    games = list_played_games(20252026)
    game_id = next(g for g in games if quirks.draw_placeholder(1, g) is not None and get_shift_chart(g)["total"])
    odd = [row for row in get_shift_chart(game_id)["data"] if row["endTime"] == ""]

    assert [row["duration"] for row in odd] == ["00:00"]


def test_row_ids_of_charts_are_apart():
    ids = [row["id"] for game in sample_games() for row in get_shift_chart(game)["data"]]

    assert len(set(ids)) == len(ids)
    assert max(ids) < 2**31
