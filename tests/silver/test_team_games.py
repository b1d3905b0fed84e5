"""Tests of official team statistics, on handwritten pages and the simulated league."""

from typing import Any

import polars as pl
import pytest

from nhl_lake.errors import ValidationFailed
from nhl_lake.schema import checks
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.team_games import TEAM_GAMES
from tests.league.league_pages import get_league, sample_games
from tests.silver import play_builders
from tests.silver.bronze_pages import NO_PAGES, build_table, fetch_league_pages, make_pages

HOME, AWAY = 1, 2
GAME = 2023020001
FIGURES = {
    "sog": (22, 38), "faceoffWinningPctg": (0.345455, 0.654545), "powerPlay": ("0/2", "1/5"),
    "powerPlayPctg": (0.0, 0.2), "pim": (40, 23), "hits": (20, 28), "blockedShots": (11, 8), "giveaways": (4, 5),
    "takeaways": (6, 7),
}  # fmt: skip


NO_PLAYS = build_table(PLAYS, NO_PAGES).lazy()


def make_page(home: int = 3, away: int = 2, last: str = "REG", **overrides: Any) -> dict[str, Any]:
    head = {"id": GAME, "season": 20232024, "gameType": 2, "gameOutcome": {"lastPeriodType": last}}
    return (
        head | {"homeTeam": {"id": HOME, "score": home, "sog": 22}, "awayTeam": {"id": AWAY, "score": away}} | overrides
    )


def make_rail(**overrides: Any) -> dict[str, Any]:
    benches = {"homeTeam": {"headCoach": {"default": "A. Bänke"}}, "awayTeam": {"headCoach": "B. Gang"}}
    stats = [{"category": name, "homeValue": home, "awayValue": away} for name, (home, away) in FIGURES.items()]
    return {"id": GAME, "gameInfo": benches, "teamGameStats": stats} | overrides


def build_teams(found: dict[str, Any], *rails: dict[str, Any], state: str = "OFF") -> pl.DataFrame:
    return build_table(TEAM_GAMES, make_pages(found, state=state), make_pages(*rails), NO_PLAYS)


def test_team_is_one_row_with_its_own_side_of_every_statistic():
    home, away = build_teams(make_page(), make_rail()).to_dicts()

    assert home == {
        "season": 20232024, "game_id": GAME, "game_type": 2, "team_id": HOME, "opponent_team_id": AWAY, "is_home": True,
        "coach": "A. Bänke", "score": 3, "opponent_score": 2, "goals": 3, "last_period_type": "REG", "is_win": True,
        "result": "W", "is_shootout_win": False, "shots_on_goal": 22, "power_play_goals": 0,
        "power_play_opportunities": 2, "faceoff_share": 0.345455, "penalty_minutes": 40, "hits": 20,
        "blocked_shots": 11, "giveaways": 4,
        "takeaways": 6,
    }  # fmt: skip
    assert (away["team_id"], away["opponent_team_id"], away["is_home"], away["coach"]) == (AWAY, HOME, False, "B. Gang")
    assert (away["score"], away["opponent_score"], away["is_win"]) == (2, 3, False)
    assert (away["power_play_goals"], away["power_play_opportunities"], away["faceoff_share"]) == (1, 5, 0.654545)
    assert (away["penalty_minutes"], away["hits"], away["takeaways"]) == (23, 28, 7)


@pytest.mark.parametrize(
    ("last", "goals", "won"), [("REG", [3, 2], False), ("OT", [3, 2], False), ("SO", [2, 2], True)]
)
def test_only_a_shootout_gives_the_winner_a_higher_score_than_goals(last: str, goals: list[int], won: bool):  # noqa: FBT001
    found = build_teams(make_page(3, 2, last))

    assert found["goals"].to_list() == goals
    assert found["is_win"].to_list() == [True, False]
    assert found["is_shootout_win"].to_list() == [won, False]
    checks.validate_rows(TEAM_GAMES, found)


@pytest.mark.parametrize(
    ("overrides", "last", "results"),
    [
        ({}, "REG", ["W", "L"]),
        ({}, "OT", ["W", "O"]),
        ({}, "SO", ["W", "O"]),
        ({"gameType": 3}, "OT", ["W", "L"]),
        ({"gameType": 1}, "OT", ["W", "O"]),
        ({"season": 19981999}, "OT", ["W", "L"]),  # the point came in the year after
        ({"season": 19992000}, "OT", ["W", "O"]),
    ],
)
def test_overtime_loss_has_a_point_except_in_playoffs_and_old_seasons(
    overrides: dict[str, Any], last: str, results: list[str]
):
    assert build_teams(make_page(3, 2, last, **overrides))["result"].to_list() == results


@pytest.mark.parametrize("overrides", [{"season": 20032004}, {"gameType": 1}])
def test_tie_is_a_loss_for_nobody(overrides: dict[str, Any]):
    found = build_teams(make_page(2, 2, "OT", **overrides))

    assert found.select("result", "is_win").rows() == [("T", False), ("T", False)]
    checks.validate_rows(TEAM_GAMES, found)


def build_overtime_results(
    *events: dict[str, Any], goalie: int | None = None, code: str = "1340", **overrides: Any
) -> list[str]:
    """Return the results of the home and the away team, which wins in overtime; events come before its goal."""
    goal = play_builders.make_shot(
        "goal", number=50, by=play_builders.BLOCKER, period=4, timeInPeriod="03:30", situationCode=code,
        details={"goalieInNetId": goalie},
    )  # fmt: skip
    plays = play_builders.make_page(*events, goal, **overrides)
    return build_table(
        TEAM_GAMES,
        make_pages(make_page(2, 3, "OT", **overrides)),
        make_pages(),
        build_table(PLAYS, make_pages(plays)).lazy(),
    )["result"].to_list()


def make_event(kind: str, number: int, owner: int | None = AWAY, clock: str = "03:20") -> dict[str, Any]:
    return play_builders.make_play(
        kind, number=number, period=4, timeInPeriod=clock, details={"eventOwnerTeamId": owner, "duration": 2}
    )


def test_overtime_loss_after_pulling_the_goalie_has_no_point():
    assert build_overtime_results() == ["L", "W"]
    assert build_overtime_results(make_event("penalty", 60, HOME, "03:30")) == [
        "L",
        "W",
    ]  # its own penalty, after the goal
    assert build_overtime_results(code="1331", goalie=31) == ["O", "W"]
    assert build_overtime_results(goalie=31) == ["O", "W"]  # one of both is wrong
    assert build_overtime_results(code="1331") == ["O", "W"]
    assert build_overtime_results(season=19981999, id=1998020001) == ["L", "W"]


def test_goalie_off_for_a_delayed_penalty_costs_no_point():
    assert build_overtime_results(make_event("delayed-penalty", 40)) == ["O", "W"]
    assert build_overtime_results(make_event("delayed-penalty", 40), make_event("hit", 41)) == ["O", "W"]
    assert build_overtime_results(make_event("penalty", 60, clock="03:30"), season=20152016, id=2015020001) == [
        "O",
        "W",
    ]
    assert build_overtime_results(make_event("delayed-penalty", 40, HOME)) == ["L", "W"]
    assert build_overtime_results(
        make_event("delayed-penalty", 40), make_event("penalty", 41), make_event("faceoff", 42)
    ) == ["L", "W"]


def test_statistics_are_null_without_a_right_rail_or_if_it_has_none():
    for found in (
        build_teams(make_page()),
        build_teams(make_page(), {"id": GAME}),
        build_teams(make_page(), make_rail(teamGameStats=[], gameInfo={})),
    ):
        figures = found.select("coach", "power_play_goals", "faceoff_share", "hits", "penalty_minutes", "takeaways")
        assert set(figures.rows()) == {(None,) * 6}
        assert found["score"].to_list() == [3, 2]
        assert found["shots_on_goal"].to_list() == [22, None]


def test_one_statistic_may_be_missing():
    stats = [{"category": "hits", "homeValue": 20, "awayValue": 28}, {"category": "news", "homeValue": "a"}]
    found = build_teams(make_page(), make_rail(teamGameStats=stats))

    assert found.select("hits", "giveaways").rows() == [(20, None), (28, None)]


def test_last_period_alone_can_show_how_a_game_ended():
    silent = {key: value for key, value in make_page().items() if key != "gameOutcome"}

    found = build_teams(silent | {"periodDescriptor": {"number": 5, "periodType": "SO"}})

    assert found["last_period_type"].to_list() == ["SO", "SO"]
    assert found["goals"].to_list() == [2, 2]
    with pytest.raises(ValidationFailed, match="is not null"):
        checks.validate_rows(TEAM_GAMES, build_teams(silent))


@pytest.mark.parametrize("state", ["LIVE", "CRIT", "OVER"])
def test_game_that_is_not_final_gives_no_rows(state: str):
    assert build_teams(make_page(), make_rail(), state=state).is_empty()
    assert build_table(TEAM_GAMES, NO_PAGES, make_pages(make_rail()), NO_PLAYS).is_empty()


def test_final_page_without_a_score_is_rejected():
    with pytest.raises(ValidationFailed, match=r"score.*homeTeam"):
        build_teams(make_page(homeTeam={"id": HOME}))


@pytest.mark.parametrize("invalid", ["many", "", None, [], 10**9, {"default": 3}])
def test_statistic_that_is_not_a_number_is_null(invalid: Any):
    found = build_teams(
        make_page(), make_rail(teamGameStats=[{"category": "hits", "homeValue": invalid, "awayValue": 3}])
    )

    assert dict(found.select("is_home", "hits").rows()) == {True: None, False: 3}


def test_team_that_plays_itself_is_invalid():
    with pytest.raises(ValidationFailed, match="team and opponent are different teams"):
        checks.validate_rows(TEAM_GAMES, build_teams(make_page()).with_columns(opponent_team_id="team_id"))
    with pytest.raises(ValidationFailed, match="one row per game_id, team_id"):
        checks.validate_rows(TEAM_GAMES, build_teams(make_page(awayTeam={"id": HOME, "score": 2})))
    with pytest.raises(ValidationFailed, match="the score is the goals, plus one for a shootout win"):
        checks.validate_rows(TEAM_GAMES, build_teams(make_page()).with_columns(goals="opponent_score"))


@pytest.mark.league
def test_league_teams_match_its_books():
    games = sample_games()[:20]
    pages = fetch_league_pages("play-by-play", games)
    found = build_table(TEAM_GAMES, pages, fetch_league_pages("right-rail", games), build_table(PLAYS, pages).lazy())
    checks.validate_rows(TEAM_GAMES, found)

    endings = set()
    for game in games:
        story, about = get_league().engine.get_outcome(game), get_league().engine.find_game(game)
        assert about is not None
        endings.add(story.last_period_type)
        events = [event for event in get_league().engine.get_game(game).events if event.period_type != "SO"]
        for side, team in enumerate((about.home_id, about.away_id)):
            (row,) = found.filter(game_id=game, team_id=team).to_dicts()
            kinds = [event.kind for event in events if event.side == side]
            assert (row["score"], row["opponent_score"]) == (story.score[side], story.score[1 - side])
            assert row["goals"] == sum(goal.side == side for goal in story.goals) == kinds.count("goal")
            assert row["last_period_type"] == story.last_period_type
            assert row["shots_on_goal"] == kinds.count("goal") + kinds.count("shot-on-goal")
            assert (row["hits"], row["giveaways"]) == (kinds.count("hit"), kinds.count("giveaway"))
            assert row["penalty_minutes"] == sum(penalty.minutes for penalty in story.penalties if penalty.side == side)
            assert row["coach"] == dict(story.lineups[side].coach)["default"]
    assert endings == {"REG", "OT", "SO"}


@pytest.mark.parametrize("path", [(key,) for key in make_page()] + [(side, key) for side in ("homeTeam", "awayTeam")
                                                               for key in ("id", "score", "sog")])  # fmt: skip
def test_missing_required_key_is_named_and_missing_shots_are_null(path: tuple[str, ...]):
    complete, less = build_teams(make_page(), make_rail()), make_page()
    place = less if len(path) == 1 else less[path[0]]
    place.pop(path[-1], None)

    if path[-1] != "sog":
        with pytest.raises(ValidationFailed, match=f"{path[-1]}|is not null"):
            checks.validate_rows(TEAM_GAMES, build_teams(less, make_rail()))
        return
    for before, after in zip(complete.rows(), build_teams(less, make_rail()).rows(), strict=True):
        assert all(now in (then, None) for then, now in zip(before, after, strict=True))


@pytest.mark.parametrize("key", ["gameInfo", "teamGameStats"])
def test_right_rail_without_a_part_gives_nulls(key: str):
    less = {name: value for name, value in make_rail().items() if name != key}

    for before, after in zip(
        build_teams(make_page(), make_rail()).rows(), build_teams(make_page(), less).rows(), strict=True
    ):
        assert before != after
        assert all(now in (then, None) for then, now in zip(before, after, strict=True))
