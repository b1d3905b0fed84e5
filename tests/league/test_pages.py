"""Pages at every moment: live states, postponements, corrections, late charts, 404s, and always the same bytes."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from nhl_lake.league import InvalidLeagueOption, League
from tests.league.league_pages import (
    AFTER_SEASONS,
    SEASONS,
    get_end_time,
    get_game_page,
    get_league,
    get_page,
    get_shift_chart,
    get_status,
    list_played_games,
    make_minutes,
    sample_games,
)

pytestmark = pytest.mark.league

DAY = timedelta(days=1)


def find_game(game_id: int) -> Any:
    game = get_league().engine.find_game(game_id)
    assert game is not None
    return game


def read_schedule_entries(first: date, as_of: datetime = AFTER_SEASONS) -> dict[int, Any]:
    week = get_page(f"/v1/schedule/{first}", as_of)
    return {game["id"]: {**game, "day": day["date"]} for day in week["gameWeek"] for game in day["games"]}


def read_all_weeks(first: date, as_of: datetime) -> list[Any]:
    """Return every week from a date on, by following the links."""
    weeks = [get_page(f"/v1/schedule/{first}", as_of)]
    while "nextStartDate" in weeks[-1]:
        weeks.append(get_page(f"/v1/schedule/{weeks[-1]['nextStartDate']}", as_of))
    return weeks


def test_a_game_goes_through_its_states():
    game_id = list_played_games(20252026)[0]
    game, end = find_game(game_id), get_end_time(game_id)
    moments = {
        "FUT": game.start - make_minutes(31),
        "PRE": game.start - make_minutes(29),
        "LIVE": game.start + make_minutes(30),
        "OVER": end + make_minutes(5),
        "FINAL": end + make_minutes(30),
        "OFF": end + DAY,
    }

    for kind in ("play-by-play", "boxscore"):
        assert {state: get_game_page(game_id, kind, at)["gameState"] for state, at in moments.items()} == {
            state: state for state in moments
        }
    for state, at in moments.items():
        assert read_schedule_entries(game.day, at)[game_id]["gameState"] == state


def test_a_close_game_is_critical_at_its_end():
    game_id = next(g for g in sample_games() if get_league().engine.get_outcome(g).last_period_type == "OT")

    assert get_game_page(game_id, "boxscore", get_end_time(game_id) - timedelta(seconds=1))["gameState"] == "CRIT"


def test_a_preseason_game_stays_final():
    game_id = list_played_games(20252026, 1)[0]

    assert get_game_page(game_id, "boxscore")["gameState"] == "FINAL"
    assert read_schedule_entries(find_game(game_id).day)[game_id]["gameState"] == "FINAL"


def test_a_live_page_holds_what_has_happened_so_far():
    game_id = list_played_games(20252026)[2]
    whole = get_game_page(game_id, "play-by-play", get_end_time(game_id) + make_minutes(5))["plays"]
    before: list[Any] = []
    for minute in range(0, 160, 10):
        plays = get_game_page(game_id, "play-by-play", find_game(game_id).start + make_minutes(minute))["plays"]
        assert plays[: len(before)] == before
        assert plays == whole[: len(plays)]
        before = plays


def test_a_live_game_s_pages_agree():
    game_id = list_played_games(20252026)[3]
    for minute in range(5, 140, 15):
        now = find_game(game_id).start + make_minutes(minute)
        page, box = get_game_page(game_id, "play-by-play", now), get_game_page(game_id, "boxscore", now)
        listed = read_schedule_entries(find_game(game_id).day, now)[game_id]
        for side in ("awayTeam", "homeTeam"):
            goals = [p for p in page["plays"] if p["typeDescKey"] == "goal"]
            scored = sum(goal["details"]["eventOwnerTeamId"] == page[side]["id"] for goal in goals)
            assert scored == page[side]["score"] == box[side]["score"] == listed[side]["score"]
            lines = box["playerByGameStats"][side]
            assert sum(line["sog"] for group in ("forwards", "defense") for line in lines[group]) == page[side]["sog"]
        assert page["clock"] == box["clock"]
        assert "gameOutcome" not in page


def test_a_game_to_come_has_no_rows():
    game_id = list_played_games(20252026)[5]
    page = get_game_page(game_id, "play-by-play", find_game(game_id).start - DAY)

    assert (page["plays"], page["rosterSpots"]) == ([], [])
    assert "score" not in page["homeTeam"]
    assert "playerByGameStats" not in get_game_page(game_id, "boxscore", find_game(game_id).start - DAY)
    assert "linescore" not in get_game_page(game_id, "right-rail", find_game(game_id).start - DAY)
    assert get_shift_chart(game_id, find_game(game_id).start - DAY) == {"data": [], "total": 0}


def test_who_is_dressed_is_known_before_the_game():
    game_id = list_played_games(20252026)[5]

    assert len(get_game_page(game_id, "play-by-play", find_game(game_id).start - make_minutes(10))["rosterSpots"]) == 40


def test_walking_the_schedule_finds_every_game_once():
    for season in SEASONS:
        first = get_league().engine.season(season).preseason_start
        found = [
            game["id"]
            for week in read_all_weeks(first, AFTER_SEASONS)
            for day in week["gameWeek"]
            for game in day["games"]
        ]
        mine = [game for game in found if game // 1_000_000 == season // 10_000]

        assert len(set(found)) == len(found)
        assert set(list_played_games(season)) <= set(mine)
        assert set(list_played_games(season, 1)) <= set(mine)
        assert set(list_played_games(season, 3)) == {game for game in mine if game // 10_000 % 100 == 3}


def test_an_empty_summer_is_jumped_over_both_ways():
    summer = date(2025, 8, 14)
    week = get_page(f"/v1/schedule/{summer}")
    after, before = date.fromisoformat(week["nextStartDate"]), date.fromisoformat(week["previousStartDate"])

    assert week["numberOfGames"] == 0
    assert week["regularSeasonStartDate"] == f"{get_league().engine.season(20252026).start}"
    assert (after - summer).days % 7 == (summer - before).days % 7 == 0
    assert get_page(f"/v1/schedule/{after}")["numberOfGames"]
    games = 0
    for _ in range(3):  # the final may have ended early: then the weeks before are followed back
        week = get_page(f"/v1/schedule/{before}")
        games, before = games + week["numberOfGames"], date.fromisoformat(week["previousStartDate"])
    assert games


def test_the_last_week_has_no_next():
    last = get_league().engine.season(SEASONS[-1]).playoff_end

    assert "nextStartDate" not in get_page(f"/v1/schedule/{last}")


def test_playoff_games_are_unknown_before_the_season_ends():
    season = get_league().engine.season(20242025)
    weeks = read_all_weeks(season.preseason_start, datetime(2025, 2, 1, tzinfo=UTC))

    assert {g["gameType"] for w in weeks for d in w["gameWeek"] for g in d["games"] if g["season"] == 20242025} == {
        1,
        2,
    }


def test_a_postponed_game_keeps_its_id_and_moves():
    game = next(g for g in get_league().engine.schedule(20252026) if g.rescheduled_at and g.postponed_at)
    before, between = game.postponed_at - make_minutes(1), game.postponed_at + make_minutes(1)

    assert read_schedule_entries(game.first_day, before)[game.game_id]["gameScheduleState"] == "OK"
    assert read_schedule_entries(game.first_day, between)[game.game_id]["gameScheduleState"] == "PPD"
    assert read_schedule_entries(game.first_day, between)[game.game_id]["gameState"] == "FUT"
    assert read_schedule_entries(game.day, game.rescheduled_at + make_minutes(1))[game.game_id]["day"] == f"{game.day}"
    moved = read_schedule_entries(game.first_day, game.rescheduled_at + make_minutes(1)).get(game.game_id)
    assert moved is None or moved["day"] == f"{game.day}"


def test_a_cancelled_game_stays_in_the_schedule_and_is_never_played():
    game = next(g for season in SEASONS for g in get_league().engine.schedule(season) if g.cancelled_at)
    listed = read_schedule_entries(game.day)[game.game_id]

    assert (listed["gameState"], listed["gameScheduleState"]) == ("FUT", "CNCL")
    assert get_game_page(game.game_id, "play-by-play")["plays"] == []
    assert get_shift_chart(game.game_id)["total"] == 0


def test_a_game_that_was_not_necessary_vanishes():
    game = next(g for g in get_league().engine.playoffs(20242025) if g.removed_at)

    assert game.game_id in read_schedule_entries(game.day, game.removed_at - make_minutes(1))
    assert game.game_id not in read_schedule_entries(game.day, game.removed_at + make_minutes(1))
    assert get_status(f"/v1/gamecenter/{game.game_id}/boxscore", game.removed_at + make_minutes(1)) == 404


def test_standings_count_the_games_played_so_far():
    day = get_league().engine.season(20252026).start + 30 * DAY
    as_of = datetime(day.year, day.month, day.day, 18, tzinfo=UTC)
    results = get_league().engine.list_results(20252026, as_of)
    rows = get_page(f"/v1/standings/{day}", as_of)["standings"]

    assert sum(row["gamesPlayed"] for row in rows) == 2 * len(results)
    assert sum(row["wins"] for row in rows) == len(results)
    assert sum(row["goalFor"] for row in rows) == sum(row["goalAgainst"] for row in rows)
    assert [row["leagueSequence"] for row in rows] == list(range(1, len(rows) + 1))
    assert all(row["points"] == 2 * row["wins"] + row["otLosses"] for row in rows)
    assert all(row["homeGamesPlayed"] + row["roadGamesPlayed"] == row["gamesPlayed"] for row in rows)


def test_there_are_no_standings_in_summer():
    assert get_page("/v1/standings/2025-08-14") == {"wildCardIndicator": False, "standings": []}


def test_a_player_s_page_says_where_he_plays():
    team = get_league().engine.season(20252026).teams[0]
    members = [m for group in get_page(f"/v1/roster/{team.abbrev}/20252026").values() for m in group]
    page = get_page(f"/v1/player/{members[0]['id']}/landing")

    assert (page["currentTeamId"], page["currentTeamAbbrev"]) == (team.team_id, team.abbrev)
    assert page["sweaterNumber"] == members[0]["sweaterNumber"]
    assert {mate["playerId"] for mate in page["currentTeamRoster"]} == {member["id"] for member in members}


def test_a_club_that_moves_has_two_ids_and_two_codes():
    rows = get_page("/stats/rest/en/team")
    franchises: dict[int, list[Any]] = {}
    for row in rows["data"]:
        franchises.setdefault(row["franchiseId"], []).append(row)
    moved = [found for franchise, found in franchises.items() if franchise and len(found) > 1]

    assert rows["total"] == len(rows["data"])
    assert len(moved) == 1
    old, new = moved[0]
    assert (
        get_status(f"/v1/roster/{old['triCode']}/20242025")
        == get_status(f"/v1/roster/{new['triCode']}/20252026")
        == 200
    )
    assert (
        get_status(f"/v1/roster/{old['triCode']}/20252026")
        == get_status(f"/v1/roster/{new['triCode']}/20242025")
        == 404
    )


def test_seasons_are_announced_in_summer():
    assert [row["id"] for row in get_page("/stats/rest/en/season")["data"]] == list(SEASONS)
    assert [row["id"] for row in get_page("/stats/rest/en/season", datetime(2025, 1, 1, tzinfo=UTC))["data"]] == [
        20242025
    ]


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/v1/nothing",
        "/v1/schedule/2025-13-40",
        "/v1/standings/2025-02-30",
        "/v1/gamecenter/2019020001/boxscore",
        "/v1/gamecenter/2025029999/play-by-play",
        "/v1/gamecenter/2025040001/play-by-play",
        "/v1/gamecenter/2025020001/story",
        "/v1/player/8478402/landing",
        "/v1/roster/TOR/20252026",
        "/scores/htmlreports/20242025/TH020001.HTML",
        "/scores/htmlreports/20242026/TH020001.HTM",
        "/stats/rest/en/shiftcharts",
        "//[",
        "http://[bad/v1",
        "/v1/gamecenter/٢٠٢٥٠٢٠٠٠١/boxscore",
    ],
)
def test_what_does_not_exist_is_not_found(target: str):
    assert get_status(target) == 404


def test_a_chart_of_an_unknown_game_is_empty():
    assert get_shift_chart(2019020001) == {"data": [], "total": 0}


def test_a_report_is_not_there_before_the_game():
    game_id = list_played_games(20252026)[7]

    assert get_status(f"/scores/htmlreports/20252026/TH{game_id % 1_000_000:06d}.HTM", find_game(game_id).start) in (
        200,
        404,
    )
    assert (
        get_status(f"/scores/htmlreports/20252026/TH{game_id % 1_000_000:06d}.HTM", find_game(game_id).start - DAY)
        == 404
    )


def test_an_address_may_be_percent_encoded():
    game_id = sample_games()[0]
    plain = f"/stats/rest/en/shiftcharts?cayenneExp=gameId={game_id}"

    assert get_page(plain) == get_page(f"/stats/rest/en/shiftcharts?cayenneExp=gameId%3D{game_id}")


def test_the_same_question_has_the_same_bytes_in_any_order():
    targets = [
        f"/v1/gamecenter/{game}/{kind}"
        for game in sample_games()[:4]
        for kind in ("play-by-play", "boxscore", "right-rail")
    ]
    targets += [f"/stats/rest/en/shiftcharts?cayenneExp=gameId={game}" for game in sample_games()[:4]]
    targets += ["/v1/standings/2025-01-10", "/v1/schedule/2025-01-10", "/stats/rest/en/team"]
    one, other = League(3, SEASONS), League(3, SEASONS)

    assert [one.answer(t, AFTER_SEASONS) for t in targets] == [
        other.answer(t, AFTER_SEASONS) for t in reversed(targets)
    ][::-1]


def test_the_time_zone_of_the_question_does_not_matter():
    game_id = sample_games()[0]
    now = find_game(game_id).start + make_minutes(60)
    target = f"/v1/gamecenter/{game_id}/boxscore"

    assert get_league().answer(target, now) == get_league().answer(target, now.astimezone())


@pytest.mark.parametrize(
    ("seed", "seasons", "text"),
    [
        ("one", SEASONS, "whole number"),
        (1, (), "at least one season"),
        (1, (2025,), "two consecutive years"),
        (1, (20252027,), "two consecutive years"),
        (1, ("20252026",), "two consecutive years"),
        (1, (19171918,), "from 2010"),
    ],
)
def test_a_league_that_cannot_be_meant_is_refused(seed: Any, seasons: Any, text: str):
    with pytest.raises(InvalidLeagueOption, match=text):
        League(seed, seasons)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_walk_through_a_season_reaches_the_playoffs_from_any_weekday(seed: int):
    league = League(seed=seed, seasons=(20252026,))
    after = datetime(2026, 7, 10, 14, 0, tzinfo=UTC)
    for first in range(7):
        day: str | None = f"2026-04-{first + 1:02d}"
        types = set()
        while day is not None:
            page = json.loads(league.answer(f"/v1/schedule/{day}", after).body)
            types |= {game["gameType"] for found in page["gameWeek"] for game in found["games"]}
            day = page.get("nextStartDate")
        assert types == {2, 3}, first
