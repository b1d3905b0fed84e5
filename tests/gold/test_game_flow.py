"""Tests of game flow, on handwritten games and the simulated league."""

from typing import Any

import polars as pl
import pytest

from nhl_lake.gold.game_flow import GAME_FLOW
from nhl_lake.schema import checks
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.team_games import TEAM_GAMES
from tests.gold.league_tables import NO_SHOTS
from tests.gold.test_line_game import make_stint
from tests.league.league_pages import filter_reported_games, get_game_page, get_league, get_shift_chart, sample_games
from tests.silver import builders
from tests.silver.bronze_pages import NO_PAGES, build_table, make_pages
from tests.silver.builders import AWAY, HOME
from tests.silver.test_league_ice import build_tables


def make_event(order: int, second: int, kind: str, team: int | None = None, **overrides: Any) -> dict[str, Any]:
    flags = {
        "is_goal": kind == "goal",
        "is_shot_on_goal": kind in {"goal", "shot-on-goal"},
        "is_unblocked_attempt": kind in {"goal", "shot-on-goal", "missed-shot"},
        "is_attempt": kind in {"goal", "shot-on-goal", "missed-shot", "blocked-shot"},
    }
    players = {"home_skaters": 5, "away_skaters": 5, "has_home_goalie": True, "has_away_goalie": True}
    about = {"game_type": 2, "game_seconds": second, "acting_team_id": team, "situation_code": "1551"}
    acting = {"is_home": None if team is None else team == HOME}
    return builders.make_play(order, second, kind, **{**about, **acting, **flags, **players, **overrides})


def build_flow(plays: list[dict[str, Any]], stints: list[dict[str, Any]] = ()) -> pl.DataFrame:
    drop = make_event(0, 0, "faceoff", HOME)  # as all pages have since 2009-10
    found = build_table(
        GAME_FLOW,
        builders.make_plays(*plays, drop),
        builders.make_stints(*stints),
        builders.make_games(builders.make_game(home_team_abbrev="HOM", away_team_abbrev="AWY")),
        NO_SHOTS,
    )
    checks.validate_rows(GAME_FLOW, found)
    return found


def test_every_attempt_adds_to_the_counts_of_its_team():
    found = build_flow(
        [
            make_event(1, 0, "period-start"), make_event(2, 10, "missed-shot", HOME), make_event(3, 20, "goal", AWAY),
            make_event(4, 30, "blocked-shot", HOME), make_event(5, 35, "hit", HOME),
            make_event(6, 40, "shot-on-goal", HOME),
        ]
    )  # fmt: skip

    assert found.select("step_number", "step", "^.*(goals|shots_on_goal|attempts)_so_far$").rows() == [
        (1, "period-start", 0, 0, 0, 0, 0, 0, 0, 0),
        (2, "missed-shot", 0, 0, 0, 0, 1, 0, 1, 0),
        (3, "goal", 0, 1, 0, 1, 1, 1, 1, 1),
        (4, "blocked-shot", 0, 1, 0, 1, 1, 1, 2, 1),
        (5, "shot-on-goal", 0, 1, 1, 1, 2, 1, 3, 1),
    ]


def test_step_without_a_time_follows_the_previous_event():
    lost = make_event(3, 0, "goal", HOME, period_seconds=None, game_seconds=None)
    stints = [make_stint(0, 25, [1]), make_stint(25, 60, [1], "1451")]
    found = build_flow(
        [
            make_event(1, 10, "shot-on-goal", HOME),
            make_event(2, 20, "hit", AWAY),
            lost,
            make_event(4, 30, "goal", AWAY),
        ],
        stints,
    )

    steps = found.filter(pl.col("step") != "strength").select("step", "period_seconds", "home_goals_so_far").rows()
    assert steps == [("shot-on-goal", 10, 0), ("goal", None, 1), ("goal", 30, 1)]


def test_shootout_is_not_a_step():
    shot = make_event(9, 0, "goal", HOME, period=5, period_type="SO", is_goal=False, game_seconds=None)

    assert build_flow([make_event(1, 10, "goal", HOME), shot])["step"].to_list() == ["goal"]


def test_strength_change_is_a_step_after_the_goal_of_its_second():
    stints = [
        make_stint(0, 50, [1], home_strength_state="EV"),
        make_stint(50, 60, [1], home_strength_state="EV"),
        make_stint(60, 90, [1], "1451", home_strength_state="PP"),
        make_stint(90, 99, [1], home_strength_state="EV"),
    ]
    found = build_flow([make_event(1, 0, "period-start"), make_event(2, 90, "goal", HOME, away_skaters=4)], stints)

    assert found.select("step", "game_seconds", "home_strength_state").rows() == [
        ("period-start", 0, "EV"),
        ("strength", 0, "EV"),
        ("strength", 60, "PP"),
        ("goal", 90, "PP"),
        ("strength", 90, "EV"),
    ]
    assert found["home_goals_so_far"].to_list() == [0, 0, 0, 1, 1]


def test_a_step_has_the_letters_of_the_acting_team():
    found = build_flow(
        [make_event(1, 0, "period-start"), make_event(2, 9, "goal", AWAY), make_event(3, 10, "goal", HOME)]
    )

    assert found["acting_team_abbrev"].to_list() == [None, "AWY", "HOM"]


def test_unknown_strength_is_not_even_strength():
    unknown = make_event(1, 10, "goal", HOME, home_skaters=None, situation_code=None)
    penalty_shot = make_event(2, 20, "goal", HOME, is_penalty_shot=True, away_skaters=0, situation_code="1010")

    assert build_flow([unknown, penalty_shot])["home_strength_state"].to_list() == [None, None]


@pytest.mark.league
def test_last_step_has_the_official_score_and_shots():
    games = list(sample_games()[:6])
    pages = make_pages(*(get_game_page(game, "play-by-play") for game in games))
    charts = {game: builders.make_chart(*get_shift_chart(game)["data"], game_id=game) for game in games}
    stints = build_tables(games, charts, []).stints.lazy()

    plays = build_table(PLAYS, pages).lazy()
    found = build_table(GAME_FLOW, plays, stints, builders.make_games(), NO_SHOTS)
    checks.validate_rows(GAME_FLOW, found)
    last = found.sort("step_number").group_by("game_id", maintain_order=True).last()

    teams = build_table(TEAM_GAMES, pages, NO_PAGES, plays)
    for side, is_home in (("home", True), ("away", False)):
        official = teams.filter(pl.col("is_home") == is_home).select("game_id", "goals", "shots_on_goal")
        ours = last.select("game_id", f"{side}_goals_so_far", f"{side}_shots_on_goal_so_far")
        assert sorted(ours.rows()) == sorted(official.rows())


@pytest.mark.league
def test_strength_between_the_steps_matches_the_truth_of_every_second():
    games = [game for game in filter_reported_games(list(sample_games()[:4])) if get_shift_chart(game)["data"]]
    pages = make_pages(*(get_game_page(game, "play-by-play") for game in games))
    stints = build_tables(
        games, {game: builders.make_chart(*get_shift_chart(game)["data"], game_id=game) for game in games}, []
    ).stints.lazy()
    plays = build_table(PLAYS, pages).lazy()
    found = build_table(GAME_FLOW, plays, stints, builders.make_games(), NO_SHOTS).filter(pl.col("step") == "strength")

    assert games
    for game in games:
        changes = dict(found.filter(pl.col("game_id") == game).select("game_seconds", "situation_code").rows())
        truth = get_league().engine.get_truth(game).strength
        code = None
        for period, codes in truth.items():
            for second, true in enumerate(codes):
                code = changes.get(1200 * (period - 1) + second, code)
                assert code == true, (game, period, second)
