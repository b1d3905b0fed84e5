"""Tests of game reports: their numbers are the lake's, names from outside are text, and what is missing is said."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from selectolax.lexbor import LexborHTMLParser

from nhl_lake import Lake, catalog
from nhl_lake.errors import BadInput
from nhl_lake.hockey.calendar import FINAL_STATES
from nhl_lake.queries.game import find_last_game
from nhl_lake.reports import game as game_data
from nhl_lake.reports.charts.shot_map import draw_dots
from nhl_lake.reports.game import GameData, read_game, read_games
from nhl_lake.reports.game_page import describe_pregame, list_missing, render_game
from nhl_lake.store import delta_tables
from tests.support.browser import Browser
from tests.support.commands import LEAGUE_NOW, CommandResult
from tests.support.page_numbers import count_by_table, find_wrong_numbers, list_page_numbers

pytestmark = pytest.mark.league
Run = Callable[..., CommandResult]
SEASON = 20252026
MAX_BYTES = 250_000
HOSTILE = "<img src=x onerror=alert(1)>\"'&\x1b[31m\u202e"


@pytest.fixture(scope="module")
def games(league_lake: Path) -> list[GameData]:
    return [game for game in read_games(league_lake, SEASON) if game.is_final and not game.shots.is_empty()]


def test_every_number_of_a_report_is_the_lakes(league_lake: Path, games: list[GameData]):
    numbers = [number for game in games[:20] for number in list_page_numbers(render_game(game))]
    counts = count_by_table(numbers)
    assert set(counts) == {
        "gold.skater_game", "gold.goalie_game", "gold.team_game", "gold.line_game", "gold.pair_game", "gold.shots",
        "silver.plays",
    }  # fmt: skip
    assert min(counts.values()) > 20
    assert find_wrong_numbers(league_lake, numbers) == []


def test_a_changed_number_is_found(league_lake: Path, games: list[GameData]):
    game = games[0]
    wrong = game._replace(skaters=game.skaters.with_columns(pl.col("goals") + 1))
    found = find_wrong_numbers(league_lake, list_page_numbers(render_game(wrong)))
    assert {number.column for number, _ in found} == {"goals"}
    assert len(found) == game.skaters.height


def test_one_game_is_read_as_all_are(league_lake: Path, games: list[GameData]):
    game_id = games[3].game["game_id"]
    assert render_game(read_game(league_lake, game_id)) == render_game(games[3])


def test_reports_are_small_files_that_ask_for_nothing(games: list[GameData]):
    for game in games[:10]:
        html = render_game(game)
        assert len(html.encode()) < MAX_BYTES
        tree = LexborHTMLParser(html)
        addresses = [node.attributes.get(name) for name in ("src", "href") for node in tree.css(f"[{name}]")]
        assert addresses == ["data:,"], addresses
        assert "url(" not in html
        assert "@import" not in html


def test_minutes_against_each_other_are_those_of_the_stints(league_lake: Path, games: list[GameData]):
    game = games[0]
    stints = delta_tables.scan_table(league_lake, catalog.find_table("silver.stints"))
    even = stints.filter(pl.col("game_id") == game.game["game_id"], pl.col("situation_code") == "1551").collect()
    expected: dict[tuple[int, int], int] = {}
    for row in even.iter_rows(named=True):
        for home in row["home_skater_player_ids"]:
            for away in row["away_skater_player_ids"]:
                pair = (home, away)
                expected[pair] = expected.get(pair, 0) + row["end_seconds"] - row["start_seconds"]
    assert {(home, away): seconds for home, away, seconds in game.matchups.against.iter_rows()} == expected
    together = game.matchups.together
    assert together.filter(pl.col("player_id") == pl.col("other_player_id")).is_empty()
    swapped = together.select("is_home", player_id="other_player_id", other_player_id="player_id", seconds="seconds")
    assert sorted(swapped.rows()) == sorted(together.rows())


def test_goals_are_drawn_and_listed(games: list[GameData]):
    for game in games[:20]:
        tree = LexborHTMLParser(render_game(game))
        counted = game.game["home_score"] + game.game["away_score"] - game.game["is_shootout"]
        assert len(tree.css("svg.flow circle.goal")) == counted
        assert len(tree.css("svg.rink g.goal circle")) <= counted
        rows = [table for table in tree.css("table") if table.css_first("caption").text() == "Goals"]
        assert sum(len(table.css("tbody tr")) for table in rows) == counted


def test_charts_show_the_lakes_numbers(league_lake: Path, games: list[GameData]):
    lake = Lake(league_lake)
    for game in games[:10]:
        tree = LexborHTMLParser(render_game(game))
        number = game.game["game_id"]
        xg = lake.sql(f"select team_abbrev, xg from gold.team_game where game_id = {number} and situation = 'all'")
        labels = [node.text() for node in tree.css("svg.flow")[0].css("text.label")]
        assert sorted(labels) == sorted(f"{team} {total:.2f}" for team, total in xg.rows())
        dots = lake.sql(
            "select count(*) from gold.shots where is_unblocked_attempt and x_ft is not null and y_ft is not null"
            f" and game_id = {number}"
        )
        assert len(tree.css("svg.rink title")) == dots.item()
        chances = lake.sql(
            f"select home_win_probability from gold.win_probability where game_id = {number}"
            " and home_win_probability is not null and game_seconds is not null order by step_number limit 1"
        )
        charts = [node.attributes["aria-label"] for node in tree.css("svg.flow")[1:]]
        assert len(charts) == chances.height
        assert chances.is_empty() or f"wins, before the game {chances.item():.0%}" in charts[0]


def make_hostile(value: Any) -> Any:
    """Return a frame, a dict or a value with every text of a person, place or kind replaced."""
    if isinstance(value, pl.DataFrame):
        names = {"player", "shooter", "goalie", "assist1", "first_player", "second_player", "third_player", "shot_type",
                 "penalty_description", "check", "actual", "decision", "team_abbrev"}  # fmt: skip
        return value.with_columns(pl.lit(HOSTILE).alias(name) for name in value.columns if name in names)
    if isinstance(value, dict):
        texts = {name for name, found in value.items() if isinstance(found, str)} - {"game_state", "last_period_type"}
        return value | dict.fromkeys(texts, HOSTILE)
    return value


def test_names_are_text_and_never_markup(games: list[GameData]):
    html = render_game(GameData(*map(make_hostile, games[0])))
    tree = LexborHTMLParser(html)
    assert tree.css("img") == []
    assert "<img" not in html
    assert [node.attributes for node in tree.css("*") if any(name.startswith("on") for name in node.attributes)] == []
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert len(tree.css("script")) == 1
    shown = [cell.text() for cell in tree.css("td")]
    assert sum(text.startswith("<img src=x onerror=alert(1)>\"'&␛[31m") for text in shown) > 40


def test_no_table_is_cut_off_on_a_wide_screen(browser: Browser, games: list[GameData], tmp_path: Path):
    page = tmp_path / "game.html"
    page.write_text(render_game(max(games, key=lambda game: game.goals.height)), encoding="utf-8")

    def find_cut(tab: Any) -> list[str]:
        cut = "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.ariaLabel)"
        return tab.locator("div.scroll").evaluate_all(cut)

    assert browser.visit(page, width=1400, act=find_cut).result == []


def test_both_teams_have_a_chance_to_win():
    teams = {"away_team_abbrev": "AAA", "home_team_abbrev": "BBB"}
    assert describe_pregame(teams, 0.486) == "chance to win before the game: AAA 51%, BBB 49%"
    assert describe_pregame(teams, None) == ""


def test_report_says_what_is_missing(games: list[GameData]):
    game = games[0]
    assert list_missing(game) == {}
    cleared = {name: getattr(game, name).clear() for name in ("shifts", "lines", "pairs")}
    no_shifts = game._replace(**cleared, matchups=type(game.matchups)(*(part.clear() for part in game.matchups)))
    html = render_game(no_shifts)
    assert "The lake has no shifts of this game" in html
    assert "<h2>Shifts</h2>" not in html
    assert "<h2>Who played" not in html
    timeless = no_shifts.skaters.with_columns(
        pl.lit(None, kind).alias(name)
        for name, kind in game.skaters.schema.items()
        if name == "time_on_ice_s" or name.startswith("even_")
    )
    tables = LexborHTMLParser(render_game(no_shifts._replace(skaters=timeless))).css("section.home table")
    [skaters] = [table for table in tables if table.css_first("caption").text().startswith("Skaters")]
    titles = [heading.text() for heading in skaters.css("thead th")]
    assert {"TOI", "5v5", "CF", "xG%"}.isdisjoint(titles)  # a column without a value is left out
    points = [sum(int(row.css("td")[titles.index(name)].text()) for name in "GA") for row in skaters.css("tbody tr")]
    assert points == sorted(points, reverse=True)
    assert points[0] > 0
    no_xg = game._replace(shots=game.shots.with_columns(xg=None, x_ft=None))
    assert "no xG" in render_game(no_xg)
    empty = GameData(*(part.clear() if isinstance(part, pl.DataFrame) else part for part in no_shifts))
    assert "The lake has no plays of this game" in render_game(empty)


def test_unknown_names_and_scores_are_not_named_none(games: list[GameData]):
    names = dict.fromkeys(("home_team_name", "away_team_name", "home_score", "venue", "last_period_type"))
    page = render_game(games[0]._replace(game=games[0].game | names))
    assert "None" not in page
    assert f"{games[0].game['home_team_abbrev']}: skaters" in page


def test_attempts_of_an_unknown_team_are_on_no_side(games: list[GameData]):
    game = next(game for game in games if game.shots.height > 9)
    unknown = game.shots.with_columns(is_home=pl.lit(None, pl.Boolean))
    assert "<circle" in "".join(draw_dots(game.shots))
    assert not list(draw_dots(unknown))


def test_a_picture_is_not_written_under_another_ending(run_here: Run, league_lake: Path, tmp_path: Path):
    file = tmp_path / "game.html"
    result = run_here("report", "game", "last", "--png", "--to", str(file), root=league_lake)
    assert (result.code, len(result.err.splitlines())) == (2, 2)
    assert "--png does not fit the name" in result.err
    assert not file.exists()


def test_game_to_come_has_a_page_that_says_so(league_lake: Path):
    coming = next(game for game in read_games(league_lake, SEASON) if not game.is_final)
    assert "This game is not over" in render_game(coming)


def test_last_game_is_the_newest_final_one(league_lake: Path):
    final = delta_tables.scan_table(league_lake, catalog.find_table("silver.games")).filter(
        pl.col("game_state").is_in(FINAL_STATES)
    )
    newest = final.sort("start_at", "game_id").collect().row(-1, named=True)
    assert find_last_game(league_lake, None) == newest["game_id"]
    assert find_last_game(league_lake, newest["home_team_abbrev"].lower()) == newest["game_id"]
    with pytest.raises(BadInput, match="no team"):
        find_last_game(league_lake, "XYZ")


def test_command_writes_a_file_and_says_where(run_here: Run, league_lake: Path, tmp_path: Path):
    file = tmp_path / "night.html"
    done = run_here("report", "game", "last", "--to", str(file), root=league_lake, now=LEAGUE_NOW)
    assert (done.code, done.err) == (0, "")
    assert str(file) in done.out
    assert file.read_text(encoding="utf-8").startswith("<!doctype html>")
    again = run_here("report", "game", "last", "--to", str(file), root=league_lake, now=LEAGUE_NOW)
    assert (again.code, "--replace" in again.err) == (2, True)
    replaced = run_here("report", "game", "last", "--to", str(file), "--replace", "--json", root=league_lake)
    assert '"bytes"' in replaced.out


def test_command_writes_pictures_to_post(run_here: Run, league_lake: Path, tmp_path: Path, monkeypatch: Any):
    pytest.importorskip("vl_convert", reason="needs nhl-lake[plot]")
    monkeypatch.chdir(tmp_path)
    done = run_here("report", "game", "last", "--png", "--json", root=league_lake, now=LEAGUE_NOW)
    names = [Path(one["file"]).name for one in done.json]
    assert [name.split("-", 2)[2] for name in names] == ["wide.png", "tall.png"]
    sizes = [struct.unpack(">II", (tmp_path / name).read_bytes()[16:24]) for name in names]
    assert sizes == [(1200, 675), (1080, 1350)]
    done = run_here("report", "game", "last", "--to", "one.svg", root=league_lake, now=LEAGUE_NOW)
    assert (tmp_path / "one.svg").read_text(encoding="utf-8").startswith("<svg")
    done = run_here("report", "game", "last", "--to", "one.pdf", root=league_lake, now=LEAGUE_NOW)
    assert (done.code, ".png" in done.err) == (2, True)


def test_pictures_of_the_documents_are_those_of_the_command(run_here: Run, league_lake: Path, tmp_path: Path):
    """`make pictures` writes them again."""
    run_here("report", "game", "last", "HMS", "--to", str(tmp_path / "game.svg"), root=league_lake, now=LEAGUE_NOW)
    picture = Path(__file__).parents[2] / "docs" / "pictures" / "game.svg"
    assert (tmp_path / "game.svg").read_bytes() == picture.read_bytes()


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["2099020001"], "no games of 2099-00"), (["12"], "ten digits"), (["last", "XYZ"], "no team"),
        (["first"], "names no game"), (["last", "a", "b"], "names no game"),
    ],
)  # fmt: skip
def test_unknown_game_is_an_error_in_two_lines(run_here: Run, league_lake: Path, words: list[str], hint: str):
    done = run_here("report", "game", *words, root=league_lake, now=LEAGUE_NOW)
    assert done.code == 2
    assert hint in done.err
    assert len(done.err.strip().splitlines()) == 2


def test_sections_read_columns_that_exist():
    for section in game_data.SECTIONS.values():
        schema = catalog.find_table(section.table).schema
        assert set(section.columns) | set(section.order) <= set(schema)
