"""Tests of recorded box scores, right rails, rosters and other pages that are not plays."""

import importlib.util
import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest

from nhl_lake.schema import checks
from nhl_lake.schema.ledger import LISTINGS
from nhl_lake.schema.table import Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.goalie_games import GOALIE_GAMES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.officials import OFFICIALS
from nhl_lake.silver.players import PLAYERS
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.rosters import ROSTERS
from nhl_lake.silver.seasons import SEASONS
from nhl_lake.silver.skater_games import SKATER_GAMES
from nhl_lake.silver.standings import STANDINGS
from nhl_lake.silver.team_games import TEAM_GAMES
from nhl_lake.silver.teams import TEAMS
from tests.league.league_pages import AFTER_SEASONS
from tests.silver.bronze_pages import FETCHED_AT, NO_PAGES, build_table, make_pages, parse_day, read_recorded_pages

NO_PLAYS = build_table(PLAYS, NO_PAGES).lazy()
BY_STRENGTH = ("even_strength_", "power_play_", "shorthanded_")


def build_valid(table: Table, *inputs: pl.LazyFrame) -> pl.DataFrame:
    """Build a table and validate its rows."""
    rows = build_table(table, *inputs)
    checks.validate_rows(table, rows)
    return rows


@pytest.fixture(scope="module")
def reconcile() -> Iterator[ModuleType]:
    """The benchmark that counts plays and compares them with the official lines."""
    file = Path(__file__).resolve().parents[2] / "benchmarks" / "reconcile.py"
    spec = importlib.util.spec_from_file_location("reconcile", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def compared(realdata: Path, reconcile: ModuleType) -> pl.DataFrame:
    return reconcile.compare(realdata)


def test_every_line_of_a_box_score_matches_the_plays_of_its_time(compared: pl.DataFrame):
    split = pl.col("stat").str.starts_with(BY_STRENGTH[0]) | (
        (pl.col("of") == "goalie") & pl.col("stat").str.contains(f"^({'|'.join(BY_STRENGTH[1:])})")
    )
    unexplained = compared.filter(verdict="unexplained")

    assert compared.height > 7000
    assert unexplained.filter(~split).is_empty()
    # of the goalies of one game the official strengths are others than the situation codes of the shots; no more
    assert unexplained.select("game_id", "who").unique().height <= 2


CREDITS = {
    "goals": ("shooter", pl.col("is_goal")),
    "shots_on_goal": ("shooter", pl.col("is_shot_on_goal")),
    "hits": ("hitter", pl.lit(value=True)),
    "giveaways": ("giveaway", pl.lit(value=True)),
    "takeaways": ("takeaway", pl.lit(value=True)),
    "blocked_shots": ("blocker", ~pl.col("is_teammate_block")),
    "faceoffs_won": ("faceoff_winner", pl.lit(value=True)),
    "saves": ("goalie", pl.col("is_shot_on_goal") & ~pl.col("is_goal")),
    "shots_against": ("goalie", pl.col("is_shot_on_goal")),
}


@pytest.mark.parametrize("version", ["", "v2"])
def test_clean_plays_give_every_player_the_counts_of_their_line(realdata: Path, reconcile: ModuleType, version: str):
    pages = read_recorded_pages(realdata / "play-by-play", version)
    plays = build_table(PLAYS, pages).lazy().filter(pl.col("period_type") != "SO")
    given = [
        plays.filter(counts).select("game_id", who=f"{role}_player_id", stat=pl.lit(stat))
        for stat, (role, counts) in CREDITS.items()
    ]
    given += [
        plays.filter("is_goal").select("game_id", who=f"assist{n}_player_id", stat=pl.lit("assists")) for n in (1, 2)
    ]
    credited = pl.concat(given).drop_nulls("who").group_by("game_id", "who", "stat").len().collect()

    expected = set()
    for game, body in pages.select("game_id", "body").collect().rows():
        page = json.loads(body)
        # one capture lists a goal three times, under other ids
        marks = {json.dumps([p["sortOrder"], p["timeInPeriod"], p.get("details")]): p for p in page["plays"]}
        page["plays"] = list(marks.values())
        people = {spot["playerId"] for spot in page["rosterSpots"]}
        counts = reconcile.count(page).items()
        expected |= {
            (game, who, stat, n) for (who, stat), n in counts if who in people and stat in {*CREDITS, "assists"}
        }
    assert set(credited.rows()) == expected
    assert len(expected) > 2000


def test_line_corrected_later_differs_only_in_hits_and_single_shots(compared: pl.DataFrame):
    later = compared.filter(verdict="other time")
    hits = later.filter(stat="hits")

    assert set(later["stat"]) == {"hits", "shots_on_goal"}
    assert later.filter(stat="shots_on_goal").height <= 4
    assert (hits["counted"].list.min() > hits["official"]).all()  # the NHL went over hits again, and found more


def test_skaters_of_a_box_score_are_the_dressed_skaters(realdata: Path):
    boxes = read_recorded_pages(realdata / "boxscore")
    skaters, goalies = build_valid(SKATER_GAMES, boxes), build_valid(GOALIE_GAMES, boxes)
    dressed = build_valid(LINEUPS, read_recorded_pages(realdata / "play-by-play"), boxes, NO_PAGES)
    dressed = dressed.join(skaters.select("game_id").unique(), on="game_id", how="semi")

    same = ["game_id", "player_id", "team_id", "sweater_number"]
    lines = pl.concat([skaters.select(same), goalies.select(same)]).join(dressed, on="game_id", how="semi")
    assert dressed["game_id"].n_unique() >= 17
    assert set(dressed.select(same).rows()) == set(lines.rows())
    assert dressed.filter(pl.col("is_starter")).height == 4  # of the two final box scores that say it


def test_goalie_shots_by_strength_add_up(realdata: Path):
    goalies = build_valid(GOALIE_GAMES, read_recorded_pages(realdata / "boxscore"))

    for what in ("saves", "shots_against", "goals_against"):
        parts = pl.sum_horizontal(f"{strength}{what}" for strength in BY_STRENGTH)
        assert goalies.filter(parts != pl.col(what)).is_empty()
    assert (goalies.filter(pl.col("shots_against") > 0)["save_share"] <= 1).all()


def test_ice_time_of_an_old_box_score_is_at_least_that_by_strength(realdata: Path):
    skaters = build_valid(SKATER_GAMES, read_recorded_pages(realdata / "boxscore"))
    parts = pl.col("power_play_time_on_ice_s") + pl.col("shorthanded_time_on_ice_s")

    assert skaters.filter(parts > pl.col("time_on_ice_s")).is_empty()
    assert skaters.filter(pl.col("time_on_ice_s").is_null()).is_empty()


@pytest.mark.parametrize("version", ["", "v2", "v3"])
def test_every_recorded_game_has_its_teams_and_lineups(realdata: Path, version: str):
    pages = read_recorded_pages(realdata / "play-by-play", version)
    teams, lineups = build_valid(TEAM_GAMES, pages, NO_PAGES, NO_PLAYS), build_valid(LINEUPS, pages, NO_PAGES, NO_PAGES)

    games = pages.select("game_id").collect().height
    assert teams.height == 2 * games
    assert lineups.group_by("game_id", "team_id").len()["len"].is_between(18, 20).all()
    assert lineups["game_id"].n_unique() == games


@pytest.mark.parametrize("season", ["20222023", "20232024"])
def test_goals_of_a_team_match_its_plays_in_every_game_of_a_season(archive: Any, season: str):
    pages = archive(season)
    bodies = [json.loads(pages.play_by_play(number, AFTER_SEASONS)) for number in list(pages.plays)[::14]]
    teams = build_valid(TEAM_GAMES, make_pages(*bodies), NO_PAGES, NO_PLAYS)

    assert teams.height == 200
    for page in bodies:
        plays = [p for p in page["plays"] if p["periodDescriptor"]["periodType"] != "SO"]
        for row in teams.filter(game_id=page["id"]).to_dicts():
            own = [p for p in plays if p.get("details", {}).get("eventOwnerTeamId") == row["team_id"]]
            goals = [p for p in own if p["typeDescKey"] == "goal"]
            shots = [p for p in own if p["typeDescKey"] == "shot-on-goal"]
            assert row["goals"] == len(goals)
            assert row["shots_on_goal"] == len(shots) + sum("shotType" in goal["details"] for goal in goals)


@pytest.mark.parametrize("version", ["", "v2"])
def test_right_rails_have_two_referees_two_linesmen_coaches_and_statistics(realdata: Path, version: str):
    rails = read_recorded_pages(realdata / "right-rail", version)
    officials = build_valid(OFFICIALS, rails)

    assert set(officials.group_by("game_id", "role").len()["len"]) == {2}
    assert officials["game_id"].n_unique() == rails.select("game_id").collect().height


def test_scratches_match_the_right_rail_and_are_not_dressed(realdata: Path, archive: Any):
    rails = read_recorded_pages(realdata / "right-rail")
    bodies = [
        json.loads(pages.play_by_play(game, AFTER_SEASONS))
        for pages in (archive("20222023"), archive("20232024"))
        for game in rails.collect()["game_id"]
        if game in pages.plays
    ]
    lineups = build_valid(LINEUPS, make_pages(*bodies), NO_PAGES, rails)
    teams = build_valid(TEAM_GAMES, make_pages(*bodies), rails, NO_PLAYS)

    assert len(bodies) == 5
    selected = rails.filter(pl.col("game_id").is_in(lineups["game_id"].unique().to_list())).collect()["body"]
    out = {player["id"] for body in selected for team in ("homeTeam", "awayTeam")
           for player in json.loads(body)["gameInfo"][team]["scratches"]}  # fmt: skip
    assert set(lineups.filter("is_scratched")["player_id"]) == out
    assert teams.null_count().sum_horizontal().item() == 0


def test_every_version_of_every_recorded_roster_is_read(realdata: Path):
    files = sorted((realdata / "roster").glob("*.json"))
    versions = [
        make_pages(
            json.loads(file.read_text()),
            team_abbrev=file.name[:3],
            season=int(file.name[4:12]),
            fetched_at=FETCHED_AT + timedelta(days="__v2" in file.name),
        )
        for file in files
    ]
    rosters = build_valid(ROSTERS, pl.concat(versions))

    assert rosters.select("team_abbrev", "season", "fetched_at").unique().height == len(files)
    assert rosters.drop("sweater_number", "birth_province").null_count().sum_horizontal().item() == 0
    assert rosters["height_cm"].is_between(160, 215).all()


def test_every_recorded_player_is_read(realdata: Path):
    files = sorted((realdata / "player-landing").glob("*.json"))
    players = build_valid(PLAYERS, make_pages(*(json.loads(file.read_text()) for file in files)))

    assert players.height == len(files)
    assert players.select("position", "birth_date", "birth_country").null_count().sum_horizontal().item() == 0
    drafted = players.filter(pl.col("draft_year").is_not_null())
    assert (drafted["draft_year"] - drafted["birth_date"].dt.year()).is_between(17, 30).all()


def test_every_recorded_standings_page_is_read_and_adds_up(realdata: Path):
    first = parse_day("2023-01-01")
    pages = [json.loads(file.read_text()) for file in sorted((realdata / "standings").glob("*.json"))]
    standings = build_valid(
        STANDINGS, pl.concat([make_pages(page, game_date=first + timedelta(days=n)) for n, page in enumerate(pages)])
    )

    assert standings.height == sum(len(page["standings"]) for page in pages)
    home_and_road = pl.col("home_points_won") + pl.col("road_points_won")
    assert standings.filter(home_and_road != pl.col("points_won")).is_empty()
    assert standings.filter(pl.col("last_10_games") > 10).is_empty()


def test_every_recorded_list_of_teams_and_seasons_is_read(realdata: Path):
    no_games = pl.LazyFrame(schema=GAMES.schema)
    teams = [
        build_valid(TEAMS, read_listing(file), no_games)
        for file in sorted((realdata / "statsrest-teams").glob("*.json"))
    ]
    seasons = [
        build_valid(SEASONS, read_listing(file)) for file in sorted((realdata / "statsrest-season").glob("*.json"))
    ]

    assert [found.height for found in teams] == [59, 61, 62]
    assert set(teams[-1].filter(team_key=40)["team_abbrev"]) == {"ARI", "PHX", "UTA", "WIN"}
    assert {found.height for found in seasons} == {107}


def read_listing(file: Path) -> pl.LazyFrame:
    """Return the rows of a listing as pages."""
    return make_pages(*json.loads(file.read_text())["data"])


def test_every_recorded_schedule_is_read_and_a_shootout_is_in_period_five(realdata: Path):
    days: list[pl.LazyFrame] = []
    for file in sorted((realdata / "schedule").glob("*.json")):
        week = json.loads(file.read_text())["gameWeek"]
        days += [make_pages(*found["games"], game_date=parse_day(found["date"])) for found in week if found["games"]]
    never_gone = pl.LazyFrame(schema=LISTINGS.schema)
    games = build_valid(GAMES, pl.concat(days).unique("game_id", keep="last"), never_gone)

    final = games.filter(pl.col("home_score").is_not_null())
    assert final.height > 1000
    assert final.select("last_period_type", "is_shootout").null_count().sum_horizontal().item() == 0
    assert set(final.filter("is_shootout")["periods"].drop_nulls()) == {5}
    assert set(final.filter(last_period_type="REG")["periods"].drop_nulls()) == {3}
