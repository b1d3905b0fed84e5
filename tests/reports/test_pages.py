"""The pages of teams, days, the league and the lake: their numbers are the lake's, and names are text."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from selectolax.lexbor import LexborHTMLParser

from nhl_lake.reports.all_players import AllPlayers, read_goalies, read_skaters
from nhl_lake.reports.all_players_page import render_goalies, render_skaters
from nhl_lake.reports.day import read_days, read_last_and_next_day
from nhl_lake.reports.day_page import describe_prediction, render_days
from nhl_lake.reports.lake_status import StatusData, read_lake_status, summarize_bands
from nhl_lake.reports.league import LeagueData, read_league
from nhl_lake.reports.league_page import describe_standings, render_league
from nhl_lake.reports.page import Place
from nhl_lake.reports.status_page import render_status
from nhl_lake.reports.team import TeamData, read_team, read_teams
from nhl_lake.reports.team_page import format_rank, list_missing, render_team
from tests.support.commands import LEAGUE_NOW, CommandResult
from tests.support.page_numbers import count_by_table, find_wrong_numbers, list_page_numbers

pytestmark = pytest.mark.league
Run = Callable[..., CommandResult]
SEASON = 20252026
NOW = datetime.fromisoformat(LEAGUE_NOW)
HOSTILE = "<img src=x onerror=alert(1)>\"'&\x1b[31m\u202e"
NAMES = {"player", "first_player", "second_player", "third_player", "opponent_abbrev", "venue", "team_name", "division"}


@pytest.fixture(scope="module")
def teams(league_lake: Path) -> list[TeamData]:
    return list(read_teams(league_lake, SEASON, NOW))


def make_hostile(value: Any) -> Any:
    """Return a frame, a dict or a value with the texts of people and places replaced."""
    if isinstance(value, pl.DataFrame):
        return value.with_columns(pl.lit(HOSTILE).alias(name) for name in value.columns if name in NAMES)
    return value | {name: HOSTILE for name in value if name in NAMES} if isinstance(value, dict) else value


def assert_is_text(html: str) -> None:
    tree = LexborHTMLParser(html)
    assert tree.css("img") == []
    assert "<img" not in html
    assert [node for node in tree.css("*") if any(name.startswith("on") for name in node.attributes)] == []
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert "&lt;img" in html


def test_every_number_of_teams_is_the_lakes(league_lake: Path, teams: list[TeamData]):
    numbers = [number for team in teams for number in list_page_numbers(render_team(team))]
    counts = count_by_table(numbers)
    assert set(counts) == {
        "gold.team_season", "gold.team_game", "gold.skater_season", "gold.goalie_season", "gold.line_season",
        "gold.pair_season",
    }  # fmt: skip
    assert find_wrong_numbers(league_lake, numbers) == []


def test_a_team_is_drawn_alone_as_with_all(league_lake: Path, teams: list[TeamData]):
    team = teams[5]
    assert render_team(read_team(league_lake, team.team["team_abbrev"].lower(), None, NOW)) == render_team(team)


def test_a_team_says_its_ranks_and_what_is_missing(teams: list[TeamData]):
    team = teams[0]
    assert list_missing(team) == []
    tiles = LexborHTMLParser(render_team(team)).css("dl.tiles > div")
    ranks = dict(team.ranks.select("measure", "rank").iter_rows())
    by_name = {tile.css_first("dt").text(): [dd.text() for dd in tile.css("dd")] for tile in tiles}
    assert by_name["5v5 xG%"] == [f"{100 * team.summary['xg_share']:.1f}%", f"{format_rank(ranks['xg_share'])} of 32"]
    assert by_name["PP%"][0] == f"{100 * team.summary['power_play_share']:.1f}%"

    bare = team._replace(
        summary=team.summary | {"power_play_share": None, "penalty_kill_share": None},
        seasons=team.seasons.with_columns(games_with_shifts=pl.lit(0, pl.Int16)), rolling=team.rolling.clear(),
    )  # fmt: skip
    html = render_team(bare)
    assert len(list_missing(bare)) == 2
    assert "PP%</dt>" not in html
    assert "over the last ten games" in html  # xG a game, which needs no ice time


def test_ranks_are_words():
    words = [format_rank(rank) for rank in (1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 32, None)]
    assert words == ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd", "32nd", ""]


def test_every_number_of_the_league_is_the_lakes(league_lake: Path):
    data = read_league(league_lake, SEASON)
    numbers = list_page_numbers(render_league(data))
    assert set(count_by_table(numbers)) == {
        "silver.standings", "gold.team_season", "gold.skater_season", "gold.goalie_season",
    }  # fmt: skip
    assert find_wrong_numbers(league_lake, numbers) == []
    counted = data._replace(standings_day=None)
    numbers = list_page_numbers(render_league(counted))
    assert "silver.standings" not in count_by_table(numbers)
    assert "Counted from the games in the lake to 2026-03-31" in render_league(counted)


@pytest.mark.parametrize("place", ["-", "s3://lake/report.html"])
def test_what_is_no_file_cannot_be_opened(run_here: Run, league_lake: Path, place: str):
    ended = run_here("report", "day", "--to", place, "--open", root=league_lake, now=LEAGUE_NOW)

    assert ended.code == 2
    assert f"--to {place} is none" in ended.err


@pytest.mark.parametrize(
    ("read", "render", "kind"), [(read_skaters, render_skaters, "skater"), (read_goalies, render_goalies, "goalie")]
)
def test_everyone_who_played_has_a_row_with_the_lakes_numbers(
    league_lake: Path,
    read: Callable[[Path, int], AllPlayers],
    render: Callable[[AllPlayers], str],
    kind: str,
):
    data = read(league_lake, SEASON)
    html = render(data)
    numbers = list_page_numbers(html)
    lines = pl.scan_delta(str(league_lake / "gold" / f"{kind}_season")).filter(season=SEASON, game_type=2)

    assert len(LexborHTMLParser(html).css("tbody tr")) == lines.select(pl.col("player_id").n_unique()).collect().item()
    assert count_by_table(numbers).keys() == {f"gold.{kind}_season"}
    assert find_wrong_numbers(league_lake, numbers) == []
    assert_is_text(render(data._replace(rows=make_hostile(data.rows))))


def test_the_league_says_which_games_its_numbers_cover(league_lake: Path):
    data = read_league(league_lake, SEASON)
    games = data.standings["counted_games"]
    assert f"cover the games in the lake, {games.min()} to {games.max()} a team." in describe_standings(data)
    even = data._replace(standings=data.standings.with_columns(counted_games=82))
    assert "the lake, 82 a team." in describe_standings(even)
    bare = {key: rows.clear() if key[1] == "on_ice_xg_share" else rows for key, rows in data.leaders.items()}
    assert "the lake lacks them" not in render_league(data)
    assert "the lake lacks them" in render_league(data._replace(leaders=bare))


def test_every_team_is_a_dot(league_lake: Path):
    tree = LexborHTMLParser(render_league(read_league(league_lake, SEASON)))
    letters = [node.text() for node in tree.css("svg.scatter text.score")]
    assert len(set(letters)) == len(tree.css("svg.scatter circle.dot")) == 32


def test_days_show_results_with_xg_and_coming_games_with_form(league_lake: Path):
    days = read_last_and_next_day(league_lake, NOW)
    html = render_days(days)
    tree = LexborHTMLParser(html)
    numbers = list_page_numbers(html)
    assert len(numbers) == 2 * days[0].results.height
    assert find_wrong_numbers(league_lake, numbers) == []
    assert len(tree.css("article.score-card svg")) == days[0].results.height
    goals = sum(days[0].results.select(pl.col("home_score", "away_score").sum()).row(0))
    shootouts = (days[0].results["last_period_type"] == "SO").sum()
    assert len(tree.css("article.score-card circle.goal")) == goals - shootouts
    assert len(tree.css("section.coming")) == days[1].upcoming.height
    assert all(len(section.css("table")) == 3 for section in tree.css("section.coming"))


def test_a_day_without_plays_and_a_postponed_game_are_said(league_lake: Path):
    (first,) = read_days(league_lake, SEASON, NOW, [date(2025, 11, 1)])  # before the lake begins
    assert "The lake has no xG of this game." in render_days([first])
    postponed = first._replace(
        results=first.results.clear(), other=first.results.head(1).with_columns(schedule_state=pl.lit("PPD"))
    )
    assert ">postponed" in render_days([postponed])


def test_predicted_shooters_are_shown_as_predictions(league_lake: Path):
    day = read_last_and_next_day(league_lake, NOW)[-1]
    shooters = day.shooters.select(
        "game_id", "player_id", "player", "team", "opponent", predicted_shots_on_goal=pl.lit(3.25),
        chance_over_2_5=pl.lit(0.612),
    )  # fmt: skip
    html = render_days([day._replace(shooters=shooters, has_predicted_shots=True)])
    cells = [cell.text() for cell in LexborHTMLParser(html).css("section.coming table.d td:not(.t, .w)")]
    assert cells == ["3.25", "61.2%"] * shooters.height
    assert "the newest predictions of shots on goal" in html


def test_a_prediction_stands_beside_what_came():
    game = {"home_team_abbrev": "AAA", "away_team_abbrev": "BBB", "home_score": 1, "away_score": 2}
    chances = {"predicted_home_win_probability": 0.6, "home_win_probability": 0.7}
    assert describe_prediction(game | chances) == "BBB won; chance 40% by the prediction"
    assert describe_prediction(game | chances | {"predicted_home_win_probability": None}).endswith(
        "chance 30% by earlier games"
    )
    assert describe_prediction(game | chances | {"away_score": 1}) == ""


def test_names_are_text_and_never_markup(league_lake: Path, teams: list[TeamData]):
    place = Place(is_alone=False, base="../")
    assert_is_text(render_team(TeamData(*map(make_hostile, teams[0])), place))
    league = read_league(league_lake, SEASON)
    hostile = LeagueData(*map(make_hostile, league))
    leaders = {key: make_hostile(rows) for key, rows in league.leaders.items()}
    assert_is_text(render_league(hostile._replace(leaders=leaders), place))
    days = [type(day)(*map(make_hostile, day)) for day in read_last_and_next_day(league_lake, NOW)]
    assert_is_text(render_days(days, place))


def test_the_page_on_the_lake_answers_first_whether_all_is_well(league_lake: Path):
    data = read_lake_status(league_lake, NOW)
    tree = LexborHTMLParser(render_status(data))
    assert tree.css_first("main p").text().startswith("All is well: every game since")
    ill = data._replace(status=data.status._replace(problems=["3 games are incomplete (`nhl-lake ingest`)"]))
    assert LexborHTMLParser(render_status(ill)).css_first("main p.note").text().startswith("3 games are incomplete")


def test_corrections_and_predictions_are_listed(league_lake: Path, small_lake: Path):
    data = read_lake_status(small_lake, datetime(2026, 1, 12, tzinfo=NOW.tzinfo))
    predictions = pl.DataFrame(
        {
            "game_id": [1], "model": ["m"], "made_at": [NOW - timedelta(hours=3)], "game_date": [NOW.date()],
            "away_team_abbrev": [HOSTILE], "home_team_abbrev": ["AAA"], "away_score": [1], "home_score": [2],
            "home_win_probability": [0.61], "is_home_win": [True],
        }
    )  # fmt: skip
    found = StatusData(**data._asdict() | {"predictions": predictions, "bands": summarize_bands(predictions)})
    html = render_status(found)
    assert_is_text(html)
    tree = LexborHTMLParser(html)
    rows = {table.css_first("caption").text(): len(table.css("tbody tr")) for table in tree.css("table")}
    assert rows["Predictions beside results"] == rows["Predictions by probability"] == 1
    assert rows.get("Corrections of the last seven days", 0) == min(data.corrections.height, 200)


@pytest.mark.parametrize(
    ("words", "what", "hint"),
    [
        (["team", "Halifax"], "no team 'Halifax'", "Did you mean HFX"),
        (["team", "HFX", "--season", "2019"], "no games of HFX in 2019-20", "2025-26"),
        (["day", "2027-01-01"], "no games on 2027-01-01", "Its schedule is from"),
        (["day", "soon"], "'soon' is not a day", "2024-02-22"),
        (["league", "--season", "2019"], "no regular-season games of 2019-20", "2025-26"),
    ],
)
def test_commands_say_what_the_lake_does_not_have(
    run_here: Run, league_lake: Path, words: list[str], what: str, hint: str
):
    ended = run_here("report", *words, root=league_lake, now=LEAGUE_NOW)
    assert ended.code == 2
    assert what in ended.err
    assert hint in ended.err


def test_commands_write_pages(run_here: Run, league_lake: Path, tmp_path: Path):
    for words in (["team", "hfx"], ["day"], ["day", "2026-03-30"], ["league"]):
        where = tmp_path / f"{'-'.join(words)}.html"
        ended = run_here("report", *words, "--to", str(where), root=league_lake, now=LEAGUE_NOW)
        assert ended.code == 0, ended.err
        assert LexborHTMLParser(where.read_text()).css_first("h1").text()
