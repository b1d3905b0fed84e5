"""Tests of plays of the simulated league, compared with its books."""

import json
from collections import Counter
from functools import cache
from typing import Any

import polars as pl
import pytest

from nhl_lake.league import League
from nhl_lake.schema import checks
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.quality.plays import check_plays
from tests.league.league_pages import AFTER_SEASONS
from tests.silver.bronze_pages import build_table, make_pages

pytestmark = pytest.mark.league

OLD, NEW = 20242025, 20252026  # the last season whose blocks belong to the blocker, and the first of the others


@cache
def make_league(seed: int) -> League:
    return League(seed, (OLD, NEW))


def select_games(seed: int, season: int) -> list[int]:
    """Return games of a season: regular, overtime, shootout, playoffs, and with a penalty shot."""
    engine = make_league(seed).engine
    regular = [game.game_id for game in engine.schedule(season) if game.game_type == 2 and game.is_played][:400]
    playoffs = [game.game_id for game in engine.playoffs(season) if game.is_played][:2]
    kinds = [[g for g in regular if engine.get_outcome(g).last_period_type == kind][:2] for kind in ("REG", "OT", "SO")]
    awarded = [g for g in regular if any(row.type_code == "PS" for row in engine.get_outcome(g).penalties)][:2]
    return sorted({*playoffs, *awarded, *(game for kind in kinds for game in kind)})


@cache
def make_pages_of(seed: int, season: int, kind: str = "play-by-play") -> list[dict[str, Any]]:
    served = (
        make_league(seed).answer(f"/v1/gamecenter/{game}/{kind}", AFTER_SEASONS) for game in select_games(seed, season)
    )
    return [json.loads(page.body) for page in served]


@cache
def build_plays(seed: int, season: int) -> pl.DataFrame:
    return build_table(PLAYS, make_pages(*make_pages_of(seed, season))).sort("game_id", "sort_order")


leagues = pytest.mark.parametrize(("seed", "season"), [(1, OLD), (2, NEW), (3, OLD), (4, NEW)])


@leagues
def test_every_row_is_what_happened(seed: int, season: int):
    engine = make_league(seed).engine
    for game in select_games(seed, season):
        scheduled = engine.find_game(game)
        assert scheduled is not None
        teams = {0: scheduled.home_id, 1: scheduled.away_id, None: None}
        rows = build_plays(seed, season).filter(pl.col("game_id") == game).to_dicts()
        events = engine.get_game(game).events
        assert len(rows) == len(events) > 200
        for row, event in zip(rows, events, strict=True):
            assert (row["event_id"], row["event"], row["type_code"]) == (event.event_id, event.kind, event.type_code)
            assert (row["period"], row["period_seconds"]) == (event.period, event.second)
            assert (row["acting_team_id"], row["situation_code"]) == (teams[event.side], event.situation)
            assert row["is_teammate_block"] == (event.reason == "teammate-blocked")
            shoots = event.kind in ("goal", "shot-on-goal", "missed-shot", "failed-shot-attempt")
            assert row["is_penalty_shot"] == (event.penalty_shot or (event.period_type == "SO" and shoots))
            assert row["is_rebound"] == event.rebound
            if event.kind == "goal" and event.period_type != "SO" and event.score:
                before = (row["home_score_before"] + row["is_home"], row["away_score_before"] + (not row["is_home"]))
                assert before == event.score


@leagues
def test_rushes_match_the_league_except_on_the_blue_line(seed: int, season: int):
    # a blue line belongs to the zone behind it; the league has it in the neutral zone
    engine = make_league(seed).engine
    rushes = 0
    for game in select_games(seed, season):
        previous = None
        rows = build_plays(seed, season).filter(pl.col("game_id") == game)["is_rush"]
        for is_rush, event in zip(rows, engine.get_game(game).events, strict=True):
            if previous is None or previous.x not in (25, -25):
                assert is_rush == event.rush, event
                rushes += is_rush
            previous = previous if event.kind == "delayed-penalty" else event
    assert rushes > 5


@leagues
def test_every_line_of_the_box_score_matches_the_rows(seed: int, season: int):
    counts = count_box_lines(build_plays(seed, season).filter(pl.col("period_type") != "SO"))
    lines = 0
    for page in make_pages_of(seed, season, "boxscore"):
        for team in page["playerByGameStats"].values():
            for line in (line for group in team.values() for line in group):
                for what in ("goals", "assists", "sog", "hits", "giveaways", "takeaways", "blockedShots", "pim"):
                    if what in line:
                        assert line[what] == counts[page["id"], line["playerId"], what], (page["id"], what, line)
                        lines += 1
    assert lines > 2000


def count_box_lines(rows: pl.DataFrame) -> Counter[tuple[int, int, str]]:
    """Count what belongs in the box score, by game, player and name there."""
    event, goal = pl.col("event"), pl.col("is_goal")
    sums = {
        "goals": [("shooter", goal)],
        "assists": [("assist1", goal), ("assist2", goal)],
        "sog": [("shooter", pl.col("is_shot_on_goal"))],
        "hits": [("hitter", event == "hit")],
        "giveaways": [("giveaway", event == "giveaway")],
        "takeaways": [("takeaway", event == "takeaway")],
        "blockedShots": [("blocker", (event == "blocked-shot") & ~pl.col("is_teammate_block"))],
        "pim": [("penalised", pl.col("penalty_minutes").cast(pl.Int64))],
    }
    found: Counter[tuple[int, int, str]] = Counter()
    for what, parts in sums.items():
        for role, amount in parts:
            by_player = rows.drop_nulls(f"{role}_player_id").group_by("game_id", f"{role}_player_id").agg(amount.sum())
            found.update({(game, player, what): count for game, player, count in by_player.iter_rows()})
    return found


@leagues
def test_goals_and_shots_match_the_header_and_all_checks_pass(seed: int, season: int):
    rows = build_plays(seed, season)
    for page in make_pages_of(seed, season):
        game = rows.filter(pl.col("game_id") == page["id"])
        for side, is_home in (("homeTeam", True), ("awayTeam", False)):
            other = page["awayTeam" if is_home else "homeTeam"]
            won = page["periodDescriptor"]["periodType"] == "SO" and page[side]["score"] > other["score"]
            own = game.filter(pl.col("is_home") == is_home)
            assert own["is_goal"].sum() == page[side]["score"] - won
            assert own["is_shot_on_goal"].sum() == page[side]["sog"]
    checks.validate_rows(PLAYS, rows)
    assert check_plays(rows.lazy(), make_pages(*make_pages_of(seed, season))).collect().is_empty()


SWAPPED = {"left": "right", "right": "left"}
PAIRS = (("homeScore", "awayScore"), ("homeSOG", "awaySOG"))
MIRRORED = (
    ("home_team_id", "away_team_id"),
    ("home_skaters", "away_skaters"),
    ("has_home_goalie", "has_away_goalie"),
    ("home_score_before", "away_score_before"),
)


def swap_home_and_away(page: dict[str, Any]) -> dict[str, Any]:
    """Return the page of the same game, had the teams met in the other one's arena."""
    events = []
    for play in page["plays"]:
        event = play | {"homeTeamDefendingSide": SWAPPED[play["homeTeamDefendingSide"]]}
        if "situationCode" in event:
            event["situationCode"] = event["situationCode"][::-1]
        if "details" in event:
            details = dict(event["details"])
            for one, two in PAIRS:
                if one in details:
                    details[one], details[two] = details[two], details[one]
            event["details"] = details
        events.append(event)
    return page | {"homeTeam": page["awayTeam"], "awayTeam": page["homeTeam"], "plays": events}


@leagues
def test_swapping_home_and_away_mirrors_everything(seed: int, season: int):
    rows = build_plays(seed, season)
    there = build_table(PLAYS, make_pages(*(swap_home_and_away(page) for page in make_pages_of(seed, season)))).sort(
        "game_id", "sort_order"
    )

    names = dict(MIRRORED) | {two: one for one, two in MIRRORED}
    back = there.rename(names).with_columns(~pl.col("is_home"), pl.col("situation_code").str.reverse())
    assert back.select(rows.columns).equals(rows)


@leagues
def test_locations_without_the_side_of_the_ice_are_the_same(seed: int, season: int):
    silent = [
        page | {"plays": [{k: v for k, v in event.items() if k != "homeTeamDefendingSide"} for event in page["plays"]]}
        for page in make_pages_of(seed, season)
    ]

    found = build_table(PLAYS, make_pages(*silent)).sort("game_id", "sort_order")

    assert found.drop("coordinates_source").equals(build_plays(seed, season).drop("coordinates_source"))
    assert set(found["coordinates_source"].drop_nulls()) == {"inferred"}
