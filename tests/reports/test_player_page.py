"""The card of a player: its numbers are the lake's, names from outside are text, and what is missing is said."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest
from selectolax.lexbor import LexborHTMLParser

from nhl_lake.reports.page import ALONE, Place
from nhl_lake.reports.player import PlayerData, read_player, read_players
from nhl_lake.reports.player_page import describe_person, list_missing, render_league_map, render_player
from nhl_lake.reports.site_pages import plan_maps
from tests.support.browser import Browser
from tests.support.commands import LEAGUE_NOW, CommandResult
from tests.support.page_numbers import count_by_table, find_wrong_numbers, list_page_numbers

pytestmark = pytest.mark.league
Run = Callable[..., CommandResult]
SEASON = 20252026
MAX_BYTES = 75_000
HOSTILE = "<img src=x onerror=alert(1)>\"'&\x1b[31m\u202e"
NAMES = {"player", "mate_1", "mate_2", "team_abbrev", "opponent_abbrev", "decision"}


@pytest.fixture(scope="module")
def cards(league_lake: Path) -> list[PlayerData]:
    return list(read_players(league_lake, SEASON))


@pytest.fixture(scope="module")
def skater(cards: list[PlayerData]) -> PlayerData:
    known = [card for card in cards if card.lines.height and card.percentiles["percentile"].is_not_null().any()]
    return max(known, key=lambda card: card.total["points"])


@pytest.fixture(scope="module")
def goalie(cards: list[PlayerData]) -> PlayerData:
    return max((card for card in cards if card.is_goalie), key=lambda card: card.games.height)


def test_every_number_of_a_card_is_the_lakes(league_lake: Path, cards: list[PlayerData]):
    numbers = [number for card in cards[::12] for number in list_page_numbers(render_player(card))]
    counts = count_by_table(numbers)
    assert set(counts) == {
        "gold.skater_game", "gold.goalie_game", "gold.skater_season", "gold.goalie_season", "gold.skater_rapm",
        "gold.line_season", "gold.pair_season",
    }  # fmt: skip
    assert min(counts.values()) > 20
    assert find_wrong_numbers(league_lake, numbers) == []


def test_a_changed_number_is_found(league_lake: Path, skater: PlayerData):
    wrong = skater._replace(
        percentiles=skater.percentiles.with_columns(pl.col("value") + 1),
        seasons=skater.seasons.with_columns(pl.col("time_on_ice_s") + 999),
    )
    found = find_wrong_numbers(league_lake, list_page_numbers(render_player(wrong)))
    assert {number.column for number, _ in found} > {"time_on_ice_s", "points_per_60"}


def test_one_card_is_drawn_as_all_are(league_lake: Path, skater: PlayerData, goalie: PlayerData):
    for card in (skater, goalie):
        assert render_player(read_player(league_lake, card.player["player_id"], None)) == render_player(card)


def test_cards_are_small_files_that_ask_for_nothing(cards: list[PlayerData]):
    for card in cards[::40]:
        html = render_player(card)
        assert len(html.encode()) < MAX_BYTES
        tree = LexborHTMLParser(html)
        assert [node.attributes.get(name) for name in ("src", "href") for node in tree.css(f"[{name}]")] == ["data:,"]


def test_every_percentile_has_its_number_value_minutes_and_minimum(skater: PlayerData):
    tree = LexborHTMLParser(render_player(skater))
    rows = tree.css("table.percentiles tbody tr")
    known = skater.percentiles.filter(pl.col("value").is_not_null())
    assert len(rows) == known.height > 5
    for row, expected in zip(rows, known.iter_rows(named=True), strict=True):
        bar, _, minutes, least = (cell.text(strip=True) for cell in row.css("td"))
        percentile = expected["percentile"]
        assert bar == ("–" if percentile is None else f"{percentile:.0f}")
        assert bool(row.css("svg")) == (percentile is not None)
        assert minutes == f"{expected['time_on_ice_s'] / 60:,.0f}"
        assert least == f"{expected['min_time_on_ice_s'] / 60:,.0f}"


def test_shots_are_drawn_once_each(skater: PlayerData):
    tree = LexborHTMLParser(render_player(skater))
    for kind, count in (
        ("goal", skater.shots["is_goal"].sum()),
        ("save", (skater.shots["is_shot_on_goal"] & ~skater.shots["is_goal"]).sum()),
        ("miss", (~skater.shots["is_shot_on_goal"] & ~skater.shots["is_goal"]).sum()),
    ):
        assert len(tree.css(f"g.dots.{kind} circle")) == count


def make_hostile(value: Any) -> Any:
    """Return a frame, a dict or a value with every text of a person, place or team replaced."""
    if isinstance(value, pl.DataFrame):
        return value.with_columns(pl.lit(HOSTILE).alias(name) for name in value.columns if name in NAMES)
    if isinstance(value, dict):
        texts = {name for name, found in value.items() if isinstance(found, str)} - {"position", "shoots_catches"}
        return value | dict.fromkeys(texts, HOSTILE)
    return value


def test_names_are_text_and_never_markup(skater: PlayerData, goalie: PlayerData):
    for card in (skater, goalie):
        html = render_player(PlayerData(*map(make_hostile, card)), Place(is_alone=False, base="../"))
        tree = LexborHTMLParser(html)
        [league_map] = tree.css("img")
        assert league_map.attributes["alt"] in {"Attempts, all forwards", "Attempts, all goalies"}
        assert html.count("<img") == 1
        assert [node for node in tree.css("*") if any(name.startswith("on") for name in node.attributes)] == []
        assert "\x1b" not in html
        assert "\u202e" not in html
        assert tree.css_first("h1").text().startswith("<img src=x onerror=alert(1)>\"'&␛[31m")


def test_cards_of_a_site_share_the_map_of_their_position(league_lake: Path, skater: PlayerData, goalie: PlayerData):
    maps = {one.path: render_league_map(one.data, ALONE) for one in plan_maps(league_lake, SEASON, datetime.now(UTC))}
    assert sorted(maps) == [f"{name}{SEASON}.svg" for name in ("defensemen", "forwards", "goalies")]
    for card in (skater, goalie):
        [shown] = LexborHTMLParser(render_player(card, Place(is_alone=False, base="../"))).css("img")
        drawn = ElementTree.fromstring(maps[str(shown.attributes["src"]).removeprefix("../")])
        assert drawn.tag == "{http://www.w3.org/2000/svg}svg"
        alone = LexborHTMLParser(render_player(card)).css("svg.half")[1]
        paths = [part.attrib["d"] for part in drawn.iter("{http://www.w3.org/2000/svg}path")]
        assert paths == [part.attributes["d"] for part in alone.css("path")]


def test_in_a_site_names_are_links_to_pages_that_exist(skater: PlayerData):
    mate = skater.lines["mate_1_id"][0]
    game, day = skater.games["game_id"][-1], skater.games["game_date"][-1]
    place = Place(
        is_alone=False, base="../",
        pages={"player": {mate}, "game": {game}, "day": {day}, "team": {skater.player["team_abbrev"]}},
    )  # fmt: skip
    tree = LexborHTMLParser(render_player(skater, place))
    found = {str(node.attributes["href"]) for node in tree.css("main a")}
    assert found == {
        f"../players/{mate}.html", f"../games/{game}.html", f"../days/{day}.html",
        f"../teams/{skater.player['team_abbrev']}.html",
    }  # fmt: skip


def test_a_card_says_what_is_missing(skater: PlayerData, goalie: PlayerData):
    assert list_missing(skater) == []
    cleared = {name: getattr(skater, name).clear() for name in ("shots", "cells", "lines", "pairs", "rolling")}
    no_even = {name: pl.lit(None, dtype) for name, dtype in skater.games.schema.items() if name.startswith("even_")}
    bare = skater._replace(
        **cleared,
        total=skater.total | {"games_with_shifts": 0},
        games=skater.games.with_columns(**no_even),
        percentiles=skater.percentiles.clear(),
    )
    html = render_player(bare)
    assert len(list_missing(bare)) == 2
    assert all(text.split(".")[0] in html for text in list_missing(bare))
    assert "Too little is known of this season to compare" in html
    assert ">xGF<" not in html  # a column without a value is left out
    timeless = goalie._replace(total=goalie.total | {"games_with_time": 1})
    assert list_missing(timeless)[0].startswith(f"The ice time is known in 1 of {goalie.games.height} games.")


def test_playoffs_are_told_from_the_regular_season(skater: PlayerData):
    def read_types(card: PlayerData) -> list[str]:
        tables = LexborHTMLParser(render_player(card)).css("table")
        [games] = [table for table in tables if table.css_first("caption").text() == "Games, newest first"]
        titles = [heading.text() for heading in games.css("thead th")]
        return [row.css("td")[titles.index("Type")].text() for row in games.css("tbody tr")] if "Type" in titles else []

    count = skater.games.height
    assert read_types(skater) == []
    kinds = pl.Series([2] * (count - 1) + [3], dtype=skater.games.schema["game_type"])
    mixed = skater._replace(games=skater.games.with_columns(game_type=kinds))
    assert read_types(mixed) == ["playoffs"] + ["regular"] * (count - 1)


def test_a_person_is_described_by_what_is_known(skater: PlayerData):
    nothing = dict.fromkeys(skater.player) | {"position": "D"}
    assert describe_person(nothing) == "defenseman"
    known = nothing | {"position": "G", "sweater_number": 1, "shoots_catches": "R", "height_cm": 190}
    assert describe_person(known) == "goalie · #1 · catches right · 190 cm"


def test_the_command_writes_the_card_of_a_name(run_here: Run, league_lake: Path, tmp_path: Path, skater: PlayerData):
    where, name = tmp_path / "card.html", skater.player["player"]
    ended = run_here("report", "player", name, "--to", str(where), root=league_lake, now=LEAGUE_NOW)
    assert ended.code == 0, ended.err
    assert where.read_text() == render_player(skater)

    again = run_here("report", "player", "89", "--to", str(where), root=league_lake, now=LEAGUE_NOW)
    assert "There is no player '89'" in again.err
    season = run_here("report", "player", name, "--season", "2019", root=league_lake, now=LEAGUE_NOW)
    assert "in 2019-20" in season.err
    assert "It has those of 2025-26." in season.err


def test_the_command_lists_those_who_share_a_name(run_here: Run, league_lake: Path, tmp_path: Path):
    ended = run_here("report", "player", "a", "--to", str(tmp_path / "a.html"), root=league_lake, now=LEAGUE_NOW)
    assert ended.code == 2
    assert "nhl-lake report player ID" in ended.err
    assert not list(tmp_path.iterdir())


def test_a_click_on_a_heading_sorts_the_games(browser: Browser, skater: PlayerData, tmp_path: Path):
    def click(tab: Any) -> list[str]:
        table = tab.locator("table").filter(has_text="Games, newest first")
        table.get_by_role("button", name="SOG").click()
        column = 1 + table.locator("thead th").all_inner_texts().index("SOG")
        return table.locator(f"tbody tr td:nth-child({column})").all_inner_texts()

    page = tmp_path / "card.html"
    page.write_text(render_player(skater), encoding="utf-8")
    shots = [int(text) for text in browser.visit(page, act=click).result]
    assert shots == sorted(skater.games["shots_on_goal"].to_list(), reverse=True)
