"""Tests of the commands game, player, team and upcoming, and of their queries."""

import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable
from polars.testing import assert_frame_equal

from nhl_lake import catalog
from nhl_lake.cli.views import format_rest_and_form
from nhl_lake.gold.team_season import TEAM_SEASON
from nhl_lake.queries.game import summarize_game
from nhl_lake.queries.player import find_players, suggest_players, summarize_player
from nhl_lake.queries.team import summarize_months
from nhl_lake.queries.upcoming import rank_shooters, read_upcoming_games
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.players import PLAYERS
from nhl_lake.silver.team_games import TEAM_GAMES
from nhl_lake.store import delta_tables
from tests.support import lakes
from tests.support.commands import LEAGUE_NOW, CommandResult, get_clean_environment, make_environment

Cli = Callable[..., CommandResult]
SEASON = 20252026
MORNING = datetime(2025, 11, 10, 14, 0, tzinfo=UTC)
NAMES = [
    (1, "Sebastian", "Aho", "C"), (2, "Sebastian", "Aho", "D"), (3, "Tomáš", "Hertl", "C"),
    (4, "Mikkel", "Bødker", "L"), (5, "Marc-Édouard", "Vlasic", "D"), (6, "J.T.", "Miller", "C"),
    (7, "Colin", "Miller", "D"), (8, "Jon", "Ahola", "L"),
]  # fmt: skip


LISTED = [  # in the pages of games: one who has no page of their own, and one who has
    {"season": SEASON, "game_id": 1, "player_id": 9, "first_name": "Wanda", "last_name": "Zamboni", "position": "C"},
    {"season": SEASON, "game_id": 2, "player_id": 9, "first_name": "Wanda", "last_name": "Zamboni-Ice"},
    {"season": SEASON, "game_id": 1, "player_id": 4, "first_name": "M.", "last_name": "Boedker"},
    {"season": SEASON, "game_id": 1, "player_id": 10},
]


def write_table(root: Path, table: Any, rows: list[dict[str, Any]]) -> None:
    delta_tables.create_tables(root, [table])
    delta_tables.replace_rows(root, table, pl.DataFrame(rows, schema=table.schema), where=None, metadata={})


@pytest.fixture
def named(tmp_path: Path) -> Path:
    known = {"fetched_at": MORNING}
    players = [
        {"player_id": n, "first_name": first, "last_name": last, "position": position, **known}
        for n, first, last, position in NAMES
    ]
    write_table(tmp_path, PLAYERS, players)
    write_table(tmp_path, LINEUPS, LISTED)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("hertl", [3]), ("TOMAS HERTL", [3]), ("Tomáš", [3]), ("bodker", [4]), ("Marc Edouard Vlasic", [5]),
        ("jt miller", [6]), ("miller", [6, 7]), ("miller c", [7]), ("sebastian aho", [1, 2]), ("aho", [1, 2]),
        ("ah", [1, 2, 8]), ("8", [8]), ("9", [9]), ("10", []), ("zamboni", [9]), ("boedker", []),
        ("gretzky", []), ("", []), ("ertl", []), ("jon ahola", [8]),
    ],
)  # fmt: skip
def test_a_player_is_found_by_name_without_capitals_or_accents(named: Path, name: str, ids: list[int]):
    assert find_players(named, name)["player_id"].to_list() == ids


@pytest.mark.parametrize(
    ("name", "near"),
    [("hertel", ["Tomáš Hertl (3)"]), ("wanda zambony", ["Wanda Zamboni-Ice (9)"]), ("qqq", [])],
)
def test_a_misspelled_name_has_a_suggestion(named: Path, name: str, near: list[str]):
    assert suggest_players(named, name) == near


def make_upcoming_game(number: int, day: int, home: int = 1, away: int = 2, **said: Any) -> dict[str, Any]:
    about = {"season": SEASON, "game_id": 2025020000 + number, "game_type": 2, "game_date": date(2025, 11, day)}
    teams = {"home_team_id": home, "home_team_abbrev": f"T{home}", "away_team_id": away, "away_team_abbrev": f"T{away}"}
    start = {"start_at": datetime(2025, 11, day, 23, 0, tzinfo=UTC)}
    return {**about, **teams, **start, "game_state": "FUT", "schedule_state": "OK", **said}


def end_game(game: dict[str, Any], home: int, away: int, kind: str = "REG") -> list[dict[str, Any]]:
    def line(team: str, other: str, score: int, against: int) -> dict[str, Any]:
        won = kind == "SO" and score > against
        about = {"team_id": game[f"{team}_team_id"], "opponent_team_id": game[f"{other}_team_id"]}
        shared = {name: game[name] for name in ("season", "game_id", "game_type")}
        result = "T" if score == against else "W" if score > against else "L" if kind == "REG" else "O"
        scores = {"score": score, "opponent_score": against, "goals": score - won, "is_win": score > against}
        return {
            **shared,
            **about,
            **scores,
            "result": result,
            "last_period_type": kind,
            "is_shootout_win": won,
            "is_home": team == "home",
        }

    return [line("home", "away", home, away), line("away", "home", away, home)]


def read_upcoming(root: Path, games: list[dict[str, Any]], lines: list[dict[str, Any]], days: int = 3) -> pl.DataFrame:
    write_table(root, GAMES, games)
    write_table(root, TEAM_GAMES, lines)
    write_table(root, TEAM_SEASON, [])
    return read_upcoming_games(root, MORNING, days)


def test_rest_counts_days_between_games_also_after_upcoming_ones(tmp_path: Path):
    past = make_upcoming_game(1, 8, game_state="OFF", home_score=3, away_score=2)
    found = read_upcoming(
        tmp_path,
        [past, make_upcoming_game(2, 10), make_upcoming_game(3, 11, 1, 3), make_upcoming_game(4, 13, 2, 3)],
        [],
    )

    assert found.select("game_id", "home_rest_days", "away_rest_days").rows() == [
        (2025020002, 1, 1),
        (2025020003, 0, None),
        (2025020004, 2, 1),
    ]


def test_a_postponed_game_is_not_upcoming_and_does_not_count_for_rest(tmp_path: Path):
    found = read_upcoming(tmp_path, [make_upcoming_game(1, 10, schedule_state="PPD"), make_upcoming_game(2, 11)], [])

    assert found.select("game_id", "home_rest_days").rows() == [(2025020002, None)]


def test_games_that_have_begun_or_are_too_late_are_left_out(tmp_path: Path):
    begun = make_upcoming_game(1, 10, start_at=MORNING - timedelta(minutes=1), game_state="LIVE")
    found = read_upcoming(
        tmp_path, [begun, make_upcoming_game(2, 10, 3, 4), make_upcoming_game(3, 13), make_upcoming_game(4, 14)], []
    )

    assert found["game_id"].to_list() == [2025020002, 2025020003]


def test_form_has_record_last_ten_and_goals_per_game(tmp_path: Path):
    games = [make_upcoming_game(n, n) for n in range(1, 4)]
    lines = [*end_game(games[0], 5, 2), *end_game(games[1], 3, 2, "SO"), *end_game(games[2], 1, 2, "OT")]
    found = read_upcoming(tmp_path, [*games, make_upcoming_game(9, 10)], lines).row(0, named=True)

    record = ("wins", "losses", "overtime_losses", "ties", "recent_wins", "recent_games")
    assert tuple(found[f"home_{name}"] for name in record) == (2, 0, 1, 0, 2, 3)
    assert tuple(found[f"away_{name}"] for name in record) == (1, 1, 1, 0, 1, 3)
    assert found["home_goals_per_game"] == pytest.approx(8 / 3)  # a shootout is no goal
    assert found["home_goals_against_per_game"] == pytest.approx(2)


def test_a_tie_is_not_a_loss(tmp_path: Path):
    games = [make_upcoming_game(n, n) for n in range(1, 3)]
    lines = [*end_game(games[0], 5, 2), *end_game(games[1], 2, 2, "OT")]
    found = read_upcoming(tmp_path, [*games, make_upcoming_game(9, 10)], lines).row(0, named=True)

    assert tuple(found[f"home_{name}"] for name in ("wins", "losses", "overtime_losses", "ties")) == (1, 0, 0, 1)
    assert format_rest_and_form(found, "home")[1] == "1-0-0-1"
    assert summarize_months(pl.DataFrame(lines[::2]).with_columns(
        game_date=date(2025, 11, 1), goals_against=2, power_play_goals=1, power_play_opportunities=2, xg_5on5=2.0,
        xg_5on5_against=1.0,
    )).select("wins", "losses", "overtime_losses", "ties").rows() == [(1, 0, 0, 1)]  # fmt: skip


def test_a_team_without_games_has_null_form(tmp_path: Path):
    found = read_upcoming(tmp_path, [make_upcoming_game(1, 10)], []).row(0, named=True)

    assert {found[f"{side}_{name}"] for side in ("home", "away") for name in ("wins", "recent_wins", "rest_days")} == {
        None
    }


def read_table(root: Path, name: str) -> pl.DataFrame:
    return lakes.read_rows(root, catalog.find_table(name))


def read_final_games(root: Path) -> pl.DataFrame:
    """Return the games whose pages are in the lake."""
    games = read_table(root, "silver.games").filter(pl.col("home_score").is_not_null() & (pl.col("game_type") == 2))
    return games.join(read_table(root, "silver.team_games"), on="game_id", how="semi")


def test_a_game_without_pages_has_its_score(run_here: Cli, league_lake: Path):
    games = read_table(league_lake, "silver.games").filter(pl.col("home_score").is_not_null())
    game = games.join(read_final_games(league_lake), on="game_id", how="anti").row(0, named=True)
    ended = run_here("game", str(game["game_id"]), root=league_lake)

    assert f"{game['home_team_abbrev']} {game['home_score']}" in ended.out
    assert "Its plays are not in the lake" in ended.out


def test_a_game_summary_adds_up_to_score_and_shots(league_lake: Path):
    official = read_table(league_lake, "silver.team_games")
    games = read_final_games(league_lake).sort("last_period_type", "game_id")
    some = {
        *games.filter(pl.int_range(pl.len()).over("last_period_type") < 2)["game_id"],
        *games.sample(4, seed=1)["game_id"],
    }
    for game in some:
        sheet = summarize_game(league_lake, game)
        teams = official.filter(pl.col("game_id") == game)
        for side in ("home", "away"):
            team = sheet.game[f"{side}_team_abbrev"]
            line = teams.filter(pl.col("is_home") == (side == "home")).row(0, named=True)
            mine = sheet.periods.filter(pl.col("team") == team)
            assert (mine["goals"].sum(), mine["shots_on_goal"].sum()) == (line["goals"], line["shots_on_goal"])
            assert sheet.goals.filter(pl.col("team") == team).height == line["goals"]
        assert sheet.goals.select("away", "home").sum_horizontal().to_list() == list(range(1, sheet.goals.height + 1))
        assert sheet.goalies["team"].n_unique() == 2
        assert sheet.goals["scorer"].null_count() == 0


def test_the_game_command_shows_names_and_the_score(run_here: Cli, league_lake: Path):
    game = read_final_games(league_lake).filter(pl.col("last_period_type") == "SO").row(0, named=True)
    shown = run_here("game", str(game["game_id"]), root=league_lake)
    answer = run_here("game", str(game["game_id"]), "--json", root=league_lake).json

    result = (
        f"Final (SO): {game['away_team_abbrev']} {game['away_score']}, {game['home_team_abbrev']} {game['home_score']}"
    )
    assert result in shown.out
    for word in ("Goals", "Shots", "OT", "penalty", "Goalies", "Leaders", answer["goals"][0]["scorer"]):
        assert word in shown.out
    assert len(answer["goals"]) == game["home_score"] + game["away_score"] - 1


def test_an_upcoming_game_is_not_final_and_an_unknown_one_is_an_error(run_here: Cli, league_lake: Path):
    games = read_table(league_lake, "silver.games").filter(
        (pl.col("game_state") == "FUT") & (pl.col("schedule_state") == "OK")
    )

    assert "Not final: FUT, OK." in run_here("game", str(games["game_id"][0]), root=league_lake).out
    unknown = run_here("game", "2010020001", root=league_lake)
    assert (unknown.code, len(unknown.err.splitlines())) == (2, 2)


def test_a_players_figures_are_those_of_the_box_scores(league_lake: Path):
    lines = read_table(league_lake, "silver.skater_games")
    busy = lines.group_by("player_id").agg(pl.len(), pl.col("goals").sum()).sort("len", "goals", descending=True)
    player = find_players(league_lake, str(busy["player_id"][0])).row(0, named=True)

    found = summarize_player(league_lake, player, 3)

    own = lines.filter(pl.col("player_id") == player["player_id"])
    assert found.games.height == min(3, own.height)
    assert found.games["game_date"].is_sorted(descending=True)
    assert found.seasons.select("games", "goals", "shots_on_goal").sum().row(0) == (
        own.height, own["goals"].sum(), own["shots_on_goal"].sum(),
    )  # fmt: skip
    assert found.seasons["time_on_ice_per_game_s"][0] == pytest.approx(own["time_on_ice_s"].mean())


def test_a_goalie_has_only_games_in_the_net(league_lake: Path):
    lines = read_table(league_lake, "silver.goalie_games")
    bench = lines.filter(pl.col("time_on_ice_s") == 0)["player_id"][0]

    found = summarize_player(league_lake, find_players(league_lake, str(bench)).row(0, named=True), 99)

    assert found.games.height == lines.filter((pl.col("player_id") == bench) & (pl.col("time_on_ice_s") > 0)).height


@pytest.mark.parametrize(
    ("table", "above", "title"),
    [("skater", "goals_above_expected", "Goals above"), ("goalie", "goals_saved_above_expected", "Goals saved above")],
)
def test_a_player_has_goals_above_expected_by_season(
    run_here: Cli, league_lake: Path, monkeypatch: pytest.MonkeyPatch, table: str, above: str, title: str
):
    shrunk = f"shrunk_{above}"
    seasons = read_table(league_lake, f"gold.{table}_season").filter("is_total", situation="all", game_type=2)
    row = seasons.sort(shrunk, "player_id", nulls_last=True).row(0, named=True)
    found = summarize_player(
        league_lake, find_players(league_lake, str(row["player_id"])).row(0, named=True), 3
    ).above_expected

    assert found.select("season", "above", "shrunk", "low", "high").rows() == [
        (row["season"], row[f"calibrated_{above}"], row[shrunk], row[f"{shrunk}_low"], row[f"{shrunk}_high"])
    ]
    assert ("effect" in found.columns) == (table == "skater")
    monkeypatch.setenv("COLUMNS", "80")
    printed = run_here("player", str(row["player_id"]), root=league_lake).out
    assert f"{title} expected" in printed
    assert f"{row[shrunk]:+.1f}" in printed
    assert max(map(len, printed.splitlines())) <= 80


def test_the_player_command_prints_games_and_json(run_here: Cli, league_lake: Path):
    player = read_table(league_lake, "silver.skater_games").group_by("player_id").len().sort("len")["player_id"][-1]
    about = find_players(league_lake, str(player)).row(0, named=True)
    shown, answer = (
        run_here("player", str(player), *more, root=league_lake) for more in ((), ("--json", "--last", "2"))
    )

    assert f"{about['first_name']} {about['last_name']}" in shown.out
    assert "regular season" in shown.out
    assert (len(answer.json["games"]), answer.json["player"]["player_id"]) == (2, player)


@pytest.mark.parametrize(
    ("words", "what", "hint"),
    [
        (("game", "2010020001"), "it has no games of 2010-11", "It has 2025-26"),
        (("game", "2025029999"), "no game 2025029999 in the regular season of 2025-26", "2025020001 to"),
        (("game", "12"), "12 is not a game id", "ten digits"),
        (("trace", "2010020001"), "it has no games of 2010-11", "It has 2025-26"),
        (("team", "{team}", "--season", "1950"), "no regular-season games of {team} in 1950-51", "2025-26"),
        (("team", "{city}"), "no team '{city}'", "Did you mean {team} ({name})?"),
        (("team", "{swapped}"), "no team '{swapped}'", "{team} ({name})"),
        (("team", "qqqqqq"), "no team 'qqqqqq'", "silver.teams"),
        (("player", "{typo}"), "no player '{typo}'", "{player}"),
    ],
)
def test_an_empty_answer_says_why(run_here: Cli, league_lake: Path, words: tuple[str, ...], what: str, hint: str):
    team = read_table(league_lake, "silver.teams").sort("team_id").filter(pl.col("last_season").is_not_null())
    team = team.row(0, named=True)
    player = read_table(league_lake, "silver.players").sort("player_id").row(0, named=True)
    name = f"{player['first_name']} {player['last_name']}"
    known = {"team": team["team_abbrev"], "name": team["team_name"], "player": name}
    letters = team["team_abbrev"]
    known |= {"swapped": letters[0] + letters[2] + letters[1]}
    known |= {"city": team["team_name"].rpartition(" ")[0], "typo": name[:-2] + name[-1]}
    ended = run_here(*(word.format_map(known) for word in words), root=league_lake)

    assert ended.code == 2
    assert what.format_map(known) in ended.err.splitlines()[0]
    assert hint.format_map(known) in ended.err.splitlines()[1]


def test_a_player_without_page_and_box_score_line_is_found_in_the_plays(league_lake: Path, tmp_path: Path):
    root = tmp_path / "lake"
    shutil.copytree(league_lake, root)
    best = (
        read_table(root, "silver.skater_games")
        .group_by("player_id")
        .agg(pl.col("goals").sum())
        .sort("goals", "player_id")
    )
    player, goals = best.row(-1)
    about = find_players(root, str(player)).row(0, named=True)
    for name in ("silver.skater_games", "silver.players"):
        DeltaTable(str(root / name.replace(".", "/"))).delete(f"player_id = {player}")

    (found,) = find_players(root, f"{about['first_name']} {about['last_name']}").to_dicts()
    assert found["player_id"] == player
    assert summarize_player(root, found, 3).seasons["goals"].sum() == goals
    game = int(str(summarize_player(root, found, 99).games.filter(pl.col("goals") > 0)["game_id"][0]))
    assert f"{about['first_name']} {about['last_name']}" in summarize_game(root, game).goals["scorer"].to_list()


@pytest.fixture
def without_boxes(league_lake: Path, tmp_path: Path) -> Path:
    """The lake without box-score lines of the newest half of its games."""
    root = tmp_path / "lake"
    shutil.copytree(league_lake, root)
    newest = read_table(root, "silver.skater_games")["game_id"].median()
    for name in ("silver.skater_games", "silver.goalie_games"):
        DeltaTable(str(root / name.replace(".", "/"))).delete(f"game_id >= {newest}")
    return root


def test_without_box_scores_figures_come_from_the_plays(without_boxes: Path, league_lake: Path):
    lines = read_table(league_lake, "silver.skater_games")
    player = find_players(league_lake, str(lines["player_id"].mode().sort()[0])).row(0, named=True)
    goalie = read_table(league_lake, "silver.goalie_games").sort("time_on_ice_s")["player_id"][-1]
    masked = find_players(league_lake, str(goalie)).row(0, named=True)
    game = int(str(lines["game_id"].max()))

    for who in (player, masked):
        ours, official = (summarize_player(root, who, 99) for root in (without_boxes, league_lake))
        known = [name for name in ours.games.columns if name != "time_on_ice_s"]
        assert_frame_equal(ours.games.select(known), official.games.select(known))
    ours, official = (summarize_game(root, game) for root in (without_boxes, league_lake))
    assert_frame_equal(ours.leaders.drop("time_on_ice_s"), official.leaders.drop("time_on_ice_s"))
    assert ours.goalies.select("player", "saves").rows() == official.goalies.select("player", "saves").rows()


@pytest.mark.parametrize("position", ["C", None, "G"])
def test_a_player_has_games_whatever_position_the_page_has(league_lake: Path, position: str | None):
    for name in ("silver.goalie_games", "silver.skater_games"):
        player = int(str(read_table(league_lake, name).sort("time_on_ice_s")["player_id"][-1]))
        about = find_players(league_lake, str(player)).row(0, named=True) | {"position": position}

        assert not summarize_player(league_lake, about, 3).games.is_empty()


def test_shooters_are_ranked_without_box_scores(without_boxes: Path, league_lake: Path):
    now = datetime.fromisoformat(LEAGUE_NOW)
    ours, official = (
        rank_shooters(root, read_upcoming_games(root, now, 2), 5) for root in (without_boxes, league_lake)
    )

    assert not official.is_empty()
    assert_frame_equal(ours, official)


def shared_name(root: Path) -> str:
    names = read_table(root, "silver.players").group_by("last_name").len().filter(pl.col("len") > 1)
    return str(names.sort("last_name")["last_name"][0])


def test_an_ambiguous_name_lists_players_and_exits_with_2(run_here: Cli, league_lake: Path):
    name = shared_name(league_lake)
    ended = run_here("player", name, root=league_lake)

    assert ended.code == 2
    assert "Give the id of one" in ended.err
    for player in read_table(league_lake, "silver.players").filter(pl.col("last_name") == name)["player_id"]:
        assert str(player) in ended.out


def test_an_ambiguous_name_on_a_terminal_asks_for_the_id(league_lake: Path, tmp_path: Path):
    name = shared_name(league_lake)
    player = read_table(league_lake, "silver.players").filter(pl.col("last_name") == name).row(0, named=True)
    mine, theirs = pty.openpty()
    env = get_clean_environment() | make_environment(league_lake, None, None, {}) | {"COLUMNS": "200", "TERM": "dumb"}
    words = [sys.executable, "-m", "nhl_lake", "player", name]
    process = subprocess.Popen(words, env=env, cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(mine, f"{player['player_id']}\n".encode())
    shown = b""
    while True:
        try:
            shown += os.read(mine, 65536)
        except OSError:  # the other end is closed
            break
    os.close(mine)

    assert process.wait(60) == 0
    assert "Which one?" in shown.decode()
    assert f"{player['first_name']} {name}, {player['position']}" in shown.decode()


def test_an_unknown_name_is_a_two_line_error(run_here: Cli, league_lake: Path):
    ended = run_here("player", "Wayne", "Gretzky", root=league_lake)

    assert (ended.code, ended.err.splitlines()[0]) == (2, "Error: There is no player 'Wayne Gretzky' in the lake.")


def test_the_upcoming_command_shows_every_game_of_the_days(run_here: Cli, league_lake: Path):
    shown = run_here("upcoming", "--days", "1", root=league_lake, now=LEAGUE_NOW)
    answer = run_here("upcoming", "--days", "1", "--json", root=league_lake, now=LEAGUE_NOW)

    days = [date(2026, 4, 1), date(2026, 4, 2)]
    games = read_table(league_lake, "silver.games").filter(
        pl.col("game_date").is_in(days) & (pl.col("schedule_state") == "OK")
    )
    assert sorted(game["game_id"] for game in json.loads(answer.out)) == sorted(games["game_id"])
    assert all(str(game) in shown.out for game in games["game_id"])


def test_no_upcoming_games_is_a_message(run_here: Cli, league_lake: Path):
    ended = run_here("upcoming", root=league_lake, now="2026-08-01T12:00:00Z")

    assert ended.out.startswith("No games are scheduled through 2026-08-04")
