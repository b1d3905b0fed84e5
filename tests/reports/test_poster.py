"""Pictures to post: everything in one SVG, whose numbers are those of the lake, and texts that fit."""

import struct
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhl_lake import catalog
from nhl_lake.errors import BadInput
from nhl_lake.reports import colors, poster
from nhl_lake.reports.charts import poster_parts
from nhl_lake.reports.game import GameData, read_game
from tests.support import lakes

SHAPES = {"wide": (1200, 675), "tall": (1080, 1350)}
HOSTILE = "<img src=x onerror=alert(1)>\u202e"
NS = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def data(league_lake: Path) -> GameData:
    flow = lakes.read_rows(league_lake, catalog.find_table("gold.game_flow"))
    return read_game(league_lake, int(flow.filter(period=4)["game_id"].unique().sort()[-1]))  # with an overtime


def read_texts(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ET.fromstring(svg).iter(f"{NS}text")]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_picture_has_the_numbers_of_the_lake(league_lake: Path, data: GameData, shape: str):
    svg = poster.draw_poster(data, shape)
    texts = read_texts(svg)
    game = data.game
    for side in ("home", "away"):
        assert game[f"{side}_team_abbrev"] in texts
        assert str(game[f"{side}_score"]) in texts
    teams = lakes.read_rows(league_lake, catalog.find_table("gold.team_game"))
    teams = teams.filter(game_id=game["game_id"], situation="all")
    for team, xg in teams.select("team_abbrev", "xg").iter_rows():
        assert f"{team} {xg:.2f}" in texts  # at the end of its line
        assert f"{xg:.2f}" in texts  # in the table
    shots = lakes.read_rows(league_lake, catalog.find_table("gold.shots")).filter(game_id=game["game_id"])
    for (_, period), rows in shots.drop_nulls("xg").group_by("is_home", "period"):
        assert f"{rows['xg'].sum():.2f}" in texts, period
    dots = [dot for dot in ET.fromstring(svg).iter(f"{NS}circle") if dot.find(f"{NS}title") is not None]
    assert len(dots) == shots.filter("is_unblocked_attempt").drop_nulls("x_ft").height
    goals = [dot for dot in ET.fromstring(svg).iter(f"{NS}circle") if dot.get("class", "").startswith("mark")]
    assert len(goals) == shots["is_goal"].sum()
    assert f"Final/OT · {game['game_date'].day} {game['game_date']:%b %Y}" in texts


def test_the_best_players_are_those_with_the_highest_game_score(data: GameData):
    names = [text for text in read_texts(poster.draw_poster(data)) if ". " in text]
    for is_home in (False, True):
        own = data.skaters.filter(is_home=is_home)
        shown = [row for row in own.to_dicts() if any(name.endswith(row["player"].split(" ", 1)[1]) for name in names)]
        assert sorted(row["game_score"] for row in shown) == own["game_score"].drop_nulls().top_k(2).sort().to_list()


@pytest.mark.parametrize("shape", SHAPES)
def test_both_pages_have_their_colors_and_nothing_from_elsewhere(data: GameData, shape: str):
    picked = colors.pick_team_colors(data.game["home_team_abbrev"], data.game["away_team_abbrev"])
    for dark in (False, True):
        svg = poster.draw_poster(data, shape, dark=dark)
        for color in picked:
            assert (color.dark if dark else color.light) in svg
        assert (colors.DARK_PAGE if dark else colors.LIGHT_PAGE) in svg
        assert svg == poster.draw_poster(data, shape, dark=dark)
        assert not any(mark in svg.replace('xmlns="http://www.w3.org/2000/svg"', "") for mark in ("http", "url(", "@"))
        root = ET.fromstring(svg)
        assert (root.get("width"), root.get("height")) == tuple(map(str, SHAPES[shape]))
        assert root.get("role") == "img"
        assert root.get("aria-label") == root.find(f"{NS}title").text  # type: ignore[union-attr]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_text_begins_and_ends_in_the_picture(data: GameData, shape: str):
    width, height = SHAPES[shape]
    sizes = poster_parts.SIZES[shape == "tall"]
    kinds = {"letters": "letters", "points": "points", "note": "note", "stat": "small", "tick": "small"}
    hostile = data._replace(
        game={**data.game, "home_team_name": "W" * 80, "away_team_name": "m" * 80},
        skaters=data.skaters.with_columns(player=pl.lit("Willem " + "W" * 60)),
    )
    for text in ET.fromstring(poster.draw_poster(hostile, shape)).iter(f"{NS}text"):
        kind = text.get("class", "").partition(" ")[0]
        space = poster_parts.measure_text(text.text or "", sizes[kinds.get(kind, "body")])
        x, y = float(text.get("x", "")), float(text.get("y", ""))
        left = x - space * {"end": 1, "middle": 0.5}.get(text.get("text-anchor", ""), 0)
        assert left >= 0, text.text
        assert left + space <= width, text.text
        assert 0 < y < height, text.text


def test_hostile_names_are_text(data: GameData):
    names = data.skaters.with_columns(player=pl.lit(f"X {HOSTILE}"))
    shots = data.shots.with_columns(shooter=pl.lit(HOSTILE))
    bad = data._replace(game={**data.game, "home_team_name": HOSTILE}, skaters=names, shots=shots)
    for shape in SHAPES:
        svg = poster.draw_poster(bad, shape)
        assert "<img" not in svg
        assert "\u202e" not in svg
        ET.fromstring(svg)


def test_what_is_missing_is_said(data: GameData):
    bare = data._replace(
        flow=data.flow.clear(), shots=data.shots.clear(), periods=data.periods.clear(), teams=data.teams.clear(),
        skaters=data.skaters.clear(), goalies=data.goalies.clear(), goals=data.goals.clear(),
    )  # fmt: skip
    for shape in SHAPES:
        texts = read_texts(poster.draw_poster(bare, shape))
        assert "The lake has no xG of this game." in texts
        assert "The lake has no shots of it." in texts
        assert texts.count("–") == 9  # of two teams and four columns, and between the scores


def test_power_plays_are_explained_only_where_they_are_shown(data: GameData):
    without = data._replace(flow=data.flow.filter(pl.col("step") != "strength"))
    for shown, has_bands in ((data, True), (without, False)):
        svg = poster.draw_poster(shown)
        assert any("Bands: power plays." in text for text in read_texts(svg)) is has_bands
        assert ('class="power' in svg) is has_bands


def test_a_game_that_is_not_over_is_no_picture(data: GameData):
    coming = data._replace(game={**data.game, "game_state": "FUT", "home_score": None, "away_score": None})
    with pytest.raises(BadInput, match="is not over: there is nothing to post"):
        poster.draw_poster(coming)
    with pytest.raises(BadInput, match="There is no picture 'round'"):
        poster.draw_poster(data, "round")


@given(st.text(max_size=60), st.integers(30, 500))
def test_a_fitted_text_is_no_wider_than_its_space(text: str, width: int):
    found = poster_parts.fit_text(text, 26, width)
    assert poster_parts.measure_text(found, 26) <= width or found == "…"
    assert found == text or found.endswith("…")


@pytest.mark.parametrize("shape", SHAPES)
def test_a_png_has_the_size_of_its_picture(data: GameData, shape: str):
    pytest.importorskip("vl_convert", reason="vl-convert is not installed: pip install 'nhl-lake[plot]'")
    png = poster.convert_to_png(poster.draw_poster(data, shape))
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", png[16:24]) == SHAPES[shape]


def test_without_the_converter_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    convert: Callable[[str], bytes] = poster.convert_to_png
    with pytest.raises(BadInput) as caught:
        convert("<svg/>")
    assert str(caught.value).splitlines() == [
        "Pictures are made by vl-convert, which is not installed.", "Run `pip install 'nhl-lake[plot]'`."
    ]  # fmt: skip
