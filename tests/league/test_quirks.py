"""What is wrong on purpose: corrections days later, charts that are empty, late, or say things twice."""

from datetime import timedelta
from typing import Any

import pytest

from nhl_lake.league import quirks
from tests.league.requests import chart, ended, game_page, league, minutes, played, report, sample, status


def corrected() -> tuple[int, Any]:
    engine = league().engine
    for game_id in played(20252026)[:80]:
        if found := quirks.corrections(1, engine.game(game_id), ended(game_id)):
            return game_id, found
    raise AssertionError("no corrections in eighty games")


def test_corrections_come_one_three_seven_or_twenty_days_after_the_game():
    game_id, found = corrected()
    first, last = min(c.until for c in found), max(c.until for c in found)
    wrong = game_page(game_id, "play-by-play", first - minutes(1))
    right = game_page(game_id, "play-by-play", last + minutes(1))

    after = [(c.until - ended(game_id)) / timedelta(days=1) for c in found]
    assert {min(quirks.CORRECTED_AFTER, key=lambda days: abs(days - n)) - n <= 0.21 for n in after} == {True}
    assert wrong["gameState"] == right["gameState"] == "OFF"
    assert wrong["plays"] != right["plays"]
    assert game_page(game_id, "play-by-play")["plays"] == right["plays"]
    assert game_page(game_id, "boxscore", first - minutes(1)) != game_page(game_id, "boxscore")


def test_a_corrected_game_agreed_with_itself_before():
    game_id, found = corrected()
    before = min(c.until for c in found) - minutes(1)
    page, box = game_page(game_id, "play-by-play", before), game_page(game_id, "boxscore", before)
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
    engine = league().engine
    games = played(20252026)[:80]

    assert 3 <= sum(bool(quirks.corrections(1, engine.game(g), ended(g))) for g in games) <= 19


def test_some_charts_stay_empty_and_some_come_late():
    since = {game: quirks.chart_from(1, game, ended(game)) for game in played(20252026)}
    never = next(game for game, at in since.items() if at is None and quirks.reported(1, game))
    late, at = next((game, at) for game, at in since.items() if at and at > ended(game))

    assert chart(never) == {"data": [], "total": 0}
    assert report(never, "H")
    assert chart(late, at - minutes(1))["total"] == 0
    assert chart(late, at + minutes(1))["total"] > 500
    assert sum(at is None for at in since.values()) / len(since) == pytest.approx(quirks.CHART_EMPTY, abs=0.015)


def test_some_games_have_no_reports():
    games = played(20252026)
    missing = next(game for game in games if not quirks.reported(1, game))

    assert status(f"/scores/htmlreports/20252026/TH{missing % 1_000_000:06d}.HTM") == 404
    assert status(f"/v1/gamecenter/{missing}/boxscore") == 200
    assert sum(not quirks.reported(1, game) for game in games) / len(games) == pytest.approx(0.01, abs=0.008)


def test_a_chart_may_repeat_shifts_under_the_next_number():
    engine = league().engine
    game_id = next(g for g in played(20252026)[:60] if quirks.repeated(1, engine.game(g)) and chart(g)["total"])
    stays = [r for r in chart(game_id)["data"] if r["typeCode"] == 517 and r["endTime"]]
    seen: dict[tuple[Any, ...], int] = {}
    again = 0
    for row in stays:
        key = (row["playerId"], row["period"], row["startTime"], row["endTime"])
        again += key in seen
        assert seen.get(key, row["shiftNumber"] - 1) == row["shiftNumber"] - 1
        seen[key] = row["shiftNumber"]

    assert again == len(quirks.repeated(1, engine.game(game_id)))


def test_a_placeholder_has_no_end():
    games = played(20252026)
    game_id = next(g for g in games if quirks.placeholder(1, g) is not None and chart(g)["total"])
    odd = [row for row in chart(game_id)["data"] if row["endTime"] == ""]

    assert [row["duration"] for row in odd] == ["00:00"]


def test_row_ids_of_charts_are_apart():
    ids = [row["id"] for game in sample() for row in chart(game)["data"]]

    assert len(set(ids)) == len(ids)
    assert max(ids) < 2**31
