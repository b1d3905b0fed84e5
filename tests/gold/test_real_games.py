"""Tests of gold on recorded games: known numbers, and the invariants on complete recorded seasons."""

import gzip
import json
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from nhl_lake.gold.goalie_game import GOALIE_GAME
from nhl_lake.gold.skater_game import SKATER_GAME
from nhl_lake.gold.team_game import OWN_COLUMNS, TEAM_GAME
from tests.gold.league_tables import Silver, build_gold, build_silver
from tests.silver import builders
from tests.silver.bronze_pages import make_pages
from tests.support.replay import FAR_FUTURE

NSH, TBL, ANA, DAL = 18, 14, 24, 25
CHARTED = 2024030121
AT_ONCE = 100
EQUAL = {
    "goals": "goals",
    "saved_shots": "savedShotsOnGoal",
    "takeaways": "takeaways",
    "giveaways": "giveaways",
    "defensive_zone_giveaways": "dZoneGiveaways",
}
NEARLY = {
    "missed_shots": "missedShots",
    "blocked_attempts": "blockedShotAttempts",
    "attempts": "shotAttempts",
    "rebounds_generated": "rebounds",
    "hits": "hits",
    "faceoffs_won": "faceOffsWon",
}
MONEYPUCK = [f"{name}For" for name in (*EQUAL.values(), *NEARLY.values(), "shotsOnGoal")]
BY_ROLE = (
    ("attempts", "shooter", pl.col("is_attempt")),
    ("hits", "hitter", pl.col("event") == "hit"),
    ("takeaways", "takeaway", pl.col("event") == "takeaway"),
    ("giveaways", "giveaway", pl.col("event") == "giveaway"),
    ("faceoffs_won", "faceoff_winner", pl.col("event") == "faceoff"),
    ("blocked_shots", "blocker", (pl.col("event") == "blocked-shot") & ~pl.col("is_teammate_block")),
)


@pytest.fixture(scope="module")
def single(realdata: Path) -> dict[int, Silver]:
    """Games recorded one by one: without shifts, with a box score, with a complete chart."""
    plain = json.loads((realdata / "play-by-play" / "2023020001__v2.json").read_text())
    boxed, chart = (
        json.loads((realdata / "play-by-play" / f"{game}.json").read_text()) for game in (2025020734, CHARTED)
    )
    box = make_pages(json.loads((realdata / "boxscore" / "2025020734.json").read_text()))
    shifts = builders.make_page((realdata / "shiftcharts" / f"{CHARTED}.json").read_text(), CHARTED)
    shifts = shifts.with_columns(season=pl.lit(20242025, pl.Int32))
    return {
        2023020001: build_silver([plain]),
        2025020734: build_silver([boxed], boxes=box),
        CHARTED: build_silver([chart], shifts),
    }


@pytest.mark.parametrize(
    ("game", "team", "shots"),
    [
        (2023020001, TBL, {"5on5": (22, 12, 8), "5on4": (10, 3, 2), "4on5": (0, 1, 0), "other": (2, 0, 1)}),
        (2023020001, NSH, {"5on5": (18, 5, 14), "5on4": (7, 4, 4), "4on5": (1, 1, 0), "other": (5, 5, 1)}),
        (2025020734, ANA, {"5on5": (20, 19, 23), "5on4": (1, 2, 0), "4on5": (2, 0, 1), "other": (2, 2, 1)}),
        (2025020734, DAL, {"5on5": (14, 6, 16), "5on4": (5, 3, 1), "4on5": (1, 0, 0), "other": (5, 2, 3)}),
    ],
    ids=["TBL", "NSH", "ANA", "DAL"],
)
def test_shots_misses_and_blocks_by_situation_are_the_known_ones(
    single: dict[int, Silver], game: int, team: int, shots: dict[str, tuple[int, ...]]
):
    rows = build_gold(TEAM_GAME, single[game]).filter(pl.col("team_id") == team, pl.col("situation") != "all")
    names = ("situation", "shots_on_goal", "missed_shots", "blocked_attempts")

    assert {situation: tuple(rest) for situation, *rest in rows.select(names).rows()} == shots


def test_skaters_of_a_recorded_game_match_its_box_score(single: dict[int, Silver]):
    found = single[2025020734]
    official = found["skater_games"]
    ours = build_gold(SKATER_GAME, found).filter(pl.col("situation") == "all")
    names = ["goals", "assists", "points", "shots_on_goal", "hits", "blocked_shots", "giveaways", "takeaways"]
    names += ["penalty_minutes", "power_play_goals"]
    both = official.join(ours, on=["game_id", "player_id"], suffix="_ours", validate="1:1")
    off = both.filter(pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_ours")) for name in names))

    assert both.height == 36
    assert both["time_source"].unique().to_list() == ["box score"]
    assert (both["time_on_ice_s"] == both["time_on_ice_s_ours"]).all()
    assert (both["shifts"] == both["shifts_ours"]).all()
    assert both["power_play_time_on_ice_s_ours"].is_null().all()  # the page has only the total
    assert off.select("player_id", *names, *(f"{name}_ours" for name in names)).rows() == []


def test_game_with_a_complete_chart_has_consistent_ice_time(single: dict[int, Silver]):
    found = single[CHARTED]
    skaters, teams, goalies = (build_gold(table, found) for table in (SKATER_GAME, TEAM_GAME, GOALIE_GAME))
    is_total = pl.col("situation") == "all"

    assert teams.filter(is_total)["time_on_ice_s"].to_list() == [3600, 3600]
    assert skaters.filter(is_total).select(pl.col("time_on_ice_s") + pl.col("time_on_bench_s"))[
        "time_on_ice_s"
    ].unique().to_list() == [3600]
    five = (
        skaters.filter(pl.col("situation") == "5on5")
        .group_by("team_id")
        .agg(pl.col("on_ice_attempts_for", "time_on_ice_s").cast(pl.Int64).sum())
    )
    team = teams.filter(pl.col("situation") == "5on5").select("team_id", "attempts", "time_on_ice_s")
    assert five.sort("team_id").rows() == [
        (t, 5 * attempts, 5 * seconds) for t, attempts, seconds in team.sort("team_id").rows()
    ]
    assert (
        goalies.filter(is_total)["blocked_attempts_against"].sum() == teams.filter(is_total)["blocked_attempts"].sum()
    )


def test_fifty_playoff_games_with_charts_are_consistent(realdata: Path, archive: Callable[..., Any]):
    """At 5on5 each attempt has five skaters on the ice: code and shifts agree in all but one of 4,998 attempts."""
    files = {int(file.stem): file for file in (realdata / "shiftcharts-derived").glob("*.json")}
    pages = [json.loads(archive("20222023").play_by_play(game, FAR_FUTURE)) for game in sorted(files)]
    charts = pl.concat(builders.make_page(file.read_text(), game) for game, file in files.items())
    found = build_silver(pages, charts.with_columns(season=pl.lit(20222023, pl.Int32)))
    skaters, teams, goalies = (build_gold(table, found) for table in (SKATER_GAME, TEAM_GAME, GOALIE_GAME))
    key = ["game_id", "team_id", "situation"]
    on_ice = ["on_ice_attempts_for", "on_ice_attempts_against", "time_on_ice_s"]
    five = skaters.filter(pl.col("situation") == "5on5").group_by(key).agg(pl.col(on_ice).cast(pl.Int64).sum())
    both = five.join(teams, on=key, suffix="_team", validate="1:1")
    pairs = {"on_ice_attempts_for": "attempts", "on_ice_attempts_against": "attempts_against"}
    pairs["time_on_ice_s"] = "time_on_ice_s_team"

    assert both.height == 100
    off = {
        ours: both.select((pl.col(ours) - 5 * pl.col(teams_own).cast(pl.Int64)).abs().sum()).item()
        for ours, teams_own in pairs.items()
    }
    assert off == {"on_ice_attempts_for": 0, "on_ice_attempts_against": 1, "time_on_ice_s": 0}
    assert skaters["time_on_ice_s"].null_count() == 0
    assert goalies.filter(pl.col("situation") == "all")["time_on_ice_s"].sum() > 99 * 3500


def build_recorded(realdata: Path, season: int, games: int) -> Silver:
    """Return silver of the first games of a season whose plays are recorded; there are no shifts."""
    with gzip.open(realdata / "season-archives" / f"play-by-play_{season}.jsonl.gz", "rt", encoding="utf-8") as lines:
        pages = [json.loads(line) for line in islice(lines, games)]
    parts = [build_silver(pages[start : start + AT_ONCE]) for start in range(0, len(pages), AT_ONCE)]
    return {name: pl.concat(part[name] for part in parts) for name in parts[0]}


def compare_with_moneypuck(teams: pl.DataFrame, file: Path) -> None:
    """Compare every team's regular season with MoneyPuck's: equal, or different by one event corrected since."""
    theirs = pl.read_csv(file, infer_schema_length=None).filter(pl.col("situation") == "all")
    old_names = {"L.A": "LAK", "N.J": "NJD", "S.J": "SJS", "T.B": "TBL"}
    regular = teams.filter(pl.col("game_type") == 2, pl.col("situation") == "all").group_by("team_abbrev")
    ours = regular.agg(pl.col(*EQUAL, *NEARLY, "goals_without_shot", "shots_on_goal").cast(pl.Int64).sum())
    both = ours.join(
        theirs.with_columns(team_abbrev=pl.col("team").replace(old_names)).cast(dict.fromkeys(MONEYPUCK, pl.Int64)),
        on="team_abbrev", validate="1:1",
    )  # fmt: skip
    shots = pl.col("shots_on_goal") + pl.col("goals_without_shot")  # MoneyPuck counts goals without a shot as shots

    assert both.height == 32
    for name, column in EQUAL.items():
        assert both.filter(pl.col(name) != pl.col(f"{column}For")).is_empty(), name
    for name, column in NEARLY.items():
        off = both.select((pl.col(name) - pl.col(f"{column}For")).abs()).to_series()
        assert off.max() <= 1, name
        assert off.sum() <= 5, name
    assert both.filter(shots != pl.col("shotsOnGoalFor")).is_empty()


@pytest.mark.parametrize(
    ("season", "games"),
    [
        (20232024, 150),
        *(pytest.param(season, 1400, marks=pytest.mark.soak) for season in (20222023, 20232024)),
    ],
)
def test_invariants_are_true_in_every_game_of_a_recorded_season(realdata: Path, season: int, games: int):
    """Row checks, for and against, `all` and its parts, skaters and teams; without shifts, nothing about ice time."""
    found = build_recorded(realdata, season, games)
    skaters, teams, goalies = (build_gold(table, found) for table in (SKATER_GAME, TEAM_GAME, GOALIE_GAME))
    key = ["game_id", "team_id", "situation"]
    names = [column.name for column in OWN_COLUMNS]
    mirror = pl.col("situation").replace({"5on4": "4on5", "4on5": "5on4"})
    counts = [name for name in names if not name.startswith(("faceoffs", "adjusted"))]  # xG sums are rounded
    other = teams.select("game_id", *counts, team_id="opponent_team_id", situation=mirror)
    mirrored = teams.join(other, on=key, suffix="_theirs", validate="1:1")
    parts = teams.filter(pl.col("situation") != "all").group_by(key[:2]).agg(pl.col(counts).cast(pl.Float64).sum())
    summed = teams.filter(pl.col("situation") == "all").join(parts, on=key[:2], suffix="_parts", validate="1:1")
    header = found["plays"].filter("is_goal").group_by("game_id").agg(goals=pl.len())

    assert mirrored.height == teams.height == games * 10
    assert mirrored.filter(
        pl.any_horizontal(pl.col(f"{n}_against") != pl.col(f"{n}_theirs") for n in counts)
    ).is_empty()
    assert summed.filter(pl.any_horizontal((pl.col(n) - pl.col(f"{n}_parts")).abs() > 1e-4 for n in counts)).is_empty()
    assert teams.select(pl.col(counts).null_count()).unpivot()["value"].sum() == 0
    assert skaters["on_ice_goals_for"].null_count() == skaters.height == skaters["time_on_ice_s"].null_count()
    by_goalies = goalies.group_by(key).agg(pl.col("goals").cast(pl.Int64).sum())
    sums = pl.concat([skaters.select(*key, pl.col("goals").cast(pl.Int64)), by_goalies]).group_by(key).sum()
    assert sums.join(teams, on=key).filter(pl.col("goals") != pl.col("goals_right")).is_empty()
    for name, role, events in BY_ROLE:
        nobodys = found["plays"].filter(events, pl.col("period_type") != "SO").join(
            found["lineups"].filter(pl.col("position") != "G"),
            left_on=["game_id", f"{role}_player_id"], right_on=["game_id", "player_id"], how="anti",
        )  # fmt: skip
        short = teams[name].cast(pl.Int64).sum() - skaters[name].cast(pl.Int64).sum()
        assert short == 2 * nobodys.height, name  # in its situation, and in all
    if games == 1400:
        five = teams.filter(pl.col("situation") == "5on5", pl.col("game_type") == 2).group_by("is_home")
        by_rink = five.agg(pl.col("attempts").cast(pl.Int64).sum(), pl.col("adjusted_attempts").sum()).sort("is_home")
        assert by_rink["adjusted_attempts"].sum() == pytest.approx(by_rink["attempts"].sum(), rel=0.002)
        assert by_rink["adjusted_attempts"][1] == pytest.approx(by_rink["adjusted_attempts"][0], rel=0.02)
    if season == 20222023:
        compare_with_moneypuck(teams, realdata / "independent" / "moneypuck_teams_2022_regular.csv")
    total = teams.filter(pl.col("situation") == "all").group_by("game_id").agg(pl.col("goals").cast(pl.Int64).sum())
    assert (
        total.join(header, on="game_id", how="left")
        .filter(pl.col("goals") != pl.col("goals_right").fill_null(0))
        .is_empty()
    )
