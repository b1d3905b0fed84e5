"""Charts for notebooks: their numbers are those of the lake, their rink and colors those of the pages."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nhl_lake
from nhl_lake import Lake, plot
from nhl_lake.errors import BadInput
from nhl_lake.hockey import rink_lines
from nhl_lake.plot import inputs, shot_maps, theme
from nhl_lake.queries import calibration, matchups, percentiles, rolling
from nhl_lake.reports import colors

pytest.importorskip("altair", reason="Altair is not installed: pip install 'nhl-lake[plot]'")
vl_convert = pytest.importorskip("vl_convert", reason="vl-convert is not installed: pip install 'nhl-lake[plot]'")

SEASON = 20252026
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def lake(league_lake: Path) -> Lake:
    return nhl_lake.open_lake(league_lake)


@pytest.fixture(scope="module")
def game(lake: Lake) -> int:
    played = lake.table("gold.game_flow").select(pl.col("game_id").max()).collect()
    return int(played.item())


@pytest.fixture(scope="module")
def skater(lake: Lake) -> int:
    rows = lake.table("gold.skater_season").filter(is_total=True, situation="all").collect()
    return int(rows.sort("goals", "player_id")["player_id"][-1])


def read_data(chart: Any) -> list[list[dict[str, Any]]]:
    """Return the data sets of a chart, which Altair checks against the schema of Vega-Lite."""
    return list(chart.to_dict()["datasets"].values())


def find_data(chart: Any, *columns: str) -> list[dict[str, Any]]:
    """Return the one data set that has some columns."""
    (found,) = (rows for rows in read_data(chart) if rows and set(columns) <= rows[0].keys())
    return found


def render(chart: Any) -> str:
    return str(vl_convert.vegalite_to_svg(chart.to_json()))


def test_every_chart_of_a_lake_can_be_drawn_light_and_dark(lake: Lake, game: int, skater: int):
    charts: list[Callable[..., Any]] = [
        lambda **o: plot.shots(lake, game=game, **o),
        lambda **o: plot.shots(lake, player=skater, **o),
        lambda **o: plot.shots(lake, team="hms", season=2025, **o),
        lambda **o: plot.game_flow(lake, game, **o),
        lambda **o: plot.shifts(lake, game, **o),
        lambda **o: plot.matchups(lake, game, **o),
        lambda **o: plot.rolling(lake, player=skater, **o),
        lambda **o: plot.rolling(lake, team="HMS", season=SEASON, **o),
        lambda **o: plot.percentiles(lake, skater, **o),
        lambda **o: plot.calibration(lake, **o),
        lambda **o: plot.calibration(lake, of="game", **o),
    ]
    for number, draw in enumerate(charts):
        for dark, page in ((False, colors.LIGHT_PAGE), (True, colors.DARK_PAGE)):
            chart = draw(dark=dark)
            assert chart.to_dict()["config"]["background"] == page
            assert "<svg" in render(chart), number


def test_shots_of_a_game_are_those_of_gold(lake: Lake, game: int):
    gold = lake.table("gold.shots").filter(game_id=game, is_unblocked_attempt=True).collect().drop_nulls(["x_ft"])
    dots = find_data(plot.shots(lake, game=game), "result", "fullness")

    assert len(dots) == gold.height
    assert sum(dot["xg"] for dot in dots) == pytest.approx(gold["xg"].sum())
    assert sum(dot["result"] == "goal" for dot in dots) == gold["is_goal"].sum()
    home = gold.filter("is_home")
    right = [dot["x"] for dot in dots if dot["team"] == home["team_abbrev"][0]]
    assert sorted(right) == home["x_ft"].sort().to_list()
    assert sorted(-dot["x"] for dot in dots if dot["team"] != home["team_abbrev"][0]) == sorted(
        gold.filter(~pl.col("is_home"))["x_ft"]
    )


def test_the_teams_of_a_game_have_the_colors_of_its_page(lake: Lake, game: int):
    about = lake.table("silver.games").filter(game_id=game).collect().row(0, named=True)
    picked = colors.pick_team_colors(about["home_team_abbrev"], about["away_team_abbrev"])
    for dark, of_theme in ((False, "light"), (True, "dark")):
        drawn = render(plot.shots(lake, game=game, dark=dark)) + render(plot.game_flow(lake, game, dark=dark))
        for color in picked:
            assert drawn.count(getattr(color, of_theme)) > 10


def test_the_rink_is_that_of_the_rule_book_to_scale(lake: Lake, game: int):
    drawn = [row for rows in read_data(plot.shots(lake, game=game)) for row in rows if "shape" in row]
    for number, shape in enumerate(rink_lines.list_shapes()):
        points = [(row["x"], row["y"]) for row in drawn if row["shape"] == number]
        assert points == list(rink_lines.trace_shape(shape)), shape.name
    for half in (False, True):
        alt = theme.import_altair()
        rink = shot_maps.draw_rink(alt, half=half, dark=False).to_dict()
        x, y = (rink["layer"][0]["encoding"][name]["scale"]["domain"] for name in "xy")
        assert rink["width"] / (x[1] - x[0]) == pytest.approx(rink["height"] / (y[1] - y[0]))


def test_the_area_of_a_dot_grows_with_its_xg(lake: Lake, game: int):
    dots = sorted(find_data(plot.shots(lake, game=game), "size", "xg"), key=lambda dot: dot["xg"])
    assert [dot["size"] for dot in dots] == sorted(dot["size"] for dot in dots)


def test_dots_of_many_shots_are_smaller(lake: Lake):
    def measure(count: int) -> float:
        rows = lake.table("gold.shots").filter(is_unblocked_attempt=True).drop_nulls(["x_ft", "xg"]).head(count)
        dots = find_data(plot.shots(rows.with_columns(xg=0.25, is_home=True)), "size")
        return float(max(dot["size"] for dot in dots))

    assert measure(101) < 0.5 * measure(100)


def test_the_flow_ends_with_the_xg_of_the_team(lake: Lake, game: int):
    rows = lake.table("gold.team_game").filter(game_id=game, situation="all").collect()
    drawn = render(plot.game_flow(lake, game))
    for team, xg in rows.select("team_abbrev", "xg").iter_rows():
        assert f"{team} {xg:.2f}" in drawn


def test_shifts_and_matchups_have_the_seconds_of_silver(lake: Lake, game: int):
    chart = plot.shifts(lake, game)
    minutes = sum(row["stop"] - row["minute"] for rows in read_data(chart) for row in rows)
    goalies = lake.table("gold.goalie_game").filter(game_id=game).select("player_id").unique().collect()["player_id"]
    rows = lake.table("silver.shifts").filter(game_id=game).collect().filter(~pl.col("player_id").is_in(goalies))
    assert minutes * 60 == pytest.approx((rows["end_seconds"] - rows["start_seconds"]).sum())

    stints = lake.table("silver.stints").filter(game_id=game).collect()
    met = matchups.compute_matchups(stints).against
    cells = find_data(plot.matchups(lake, game), "home_player", "seconds")
    assert sorted(cell["seconds"] for cell in cells) == met["seconds"].sort().to_list()


def test_text_in_a_matrix_can_be_read(lake: Lake, game: int):
    for dark in (False, True):
        for cell in find_data(plot.matchups(lake, game, dark=dark), "fill", "ink"):
            assert colors.compute_contrast(cell["fill"], cell["ink"]) >= 3


def test_rolling_xg_is_that_of_the_query(lake: Lake):
    rows = rolling.roll_teams(lake.root, SEASON).filter(team_abbrev="HMS").drop_nulls()
    drawn = [row for rows in read_data(plot.rolling(lake, team="HMS")) for row in rows if "label" not in row]
    own = [row["rate"] for row in drawn if row.get("side") == "xG for"]
    assert own == pytest.approx(rows["rolling_xg_for_per_60"].to_list())


def test_percentiles_show_number_and_value_and_say_what_is_too_little(lake: Lake):
    every = percentiles.read_percentiles(lake.root, SEASON)
    partly = every.group_by("player_id").agg(
        ranked=pl.col("percentile").is_not_null().sum(),
        few=(pl.col("percentile").is_null() & pl.col("value").is_not_null()).sum(),
    )
    player = partly.filter(pl.col("ranked") > 0, pl.col("few") > 0).sort("player_id")["player_id"][0]
    rows = every.filter(player_id=player)
    drawn = render(plot.percentiles(lake, player))
    assert "too few, needs" in drawn
    for percentile in rows["percentile"].drop_nulls():
        assert f">{round(percentile)}<" in drawn
    assert drawn == render(plot.percentiles(rows).properties(title=plot.percentiles(lake, player).title))


def test_frames_are_drawn_like_a_lake(lake: Lake, game: int):
    shots = lake.table("gold.shots").filter(game_id=game)
    assert find_data(plot.shots(shots), "fullness") == find_data(plot.shots(lake, game=game), "fullness")
    flow = lake.table("gold.game_flow").filter(game_id=game).collect()
    assert find_data(plot.game_flow(flow), "minute", "xg", "team", "score") == find_data(
        plot.game_flow(lake, game), "minute", "xg", "team", "score"
    )
    bands = calibration.read_calibration(lake.root)
    assert read_data(plot.calibration(bands)) == read_data(plot.calibration(lake))
    teams = rolling.roll_teams(lake.root, SEASON).filter(team_abbrev="HMS")
    assert read_data(plot.rolling(teams)) == read_data(plot.rolling(lake, team="HMS"))
    pairs = pl.DataFrame({"home_player": ["A", "B"], "away_player": ["C", "C"], "seconds": [60, 90]})
    assert [cell["minutes"] for cell in find_data(plot.matchups(pairs), "minutes")] == [1, 1.5]
    rows = {"player": ["A"], "team_abbrev": ["HMS"], "is_home": [True], "start": [0], "stop": [45]}
    assert find_data(plot.shifts(pl.DataFrame(rows)), "player")[0]["stop"] == 0.75


def test_a_hostile_name_is_text(lake: Lake, game: int):
    shots = (
        lake.table("gold.shots").filter(game_id=game).with_columns(shooter=pl.lit(HOSTILE), team_abbrev=pl.lit("<b>"))
    )
    pairs = pl.DataFrame({"home_player": [HOSTILE], "away_player": ["\u202eevil"], "seconds": [60]})
    for chart in (plot.shots(shots), plot.matchups(pairs)):
        drawn = render(chart)
        assert not any(mark in drawn for mark in ("<img", "<b>", "\u202e"))


@pytest.mark.parametrize(
    ("draw", "what", "hint"),
    [
        (plot.shots, "Whose shots?", "game=2023020001"),
        (lambda lake: plot.shots(lake, game=2025029999), "There is no game 2025029999", "nhl-lake show silver.games"),
        (lambda lake: plot.game_flow(lake, 12), "12 is not a game id", "ten digits"),
        (plot.game_flow, "Which game?", "game=2023020001"),
        (lambda lake: plot.shots(lake, player="nobody at all"), "There is no player 'nobody at all'", "silver.players"),
        (lambda lake: plot.percentiles(lake, "a"), "fits", "Give the id of one: "),
        (plot.percentiles, "Which player?", "player="),
        (lambda lake: plot.shots(lake, team="XXQ"), "There is no team 'XXQ'", "silver.teams"),
        (plot.rolling, "Whose rolling xG?", "team='HMS'"),
        (lambda lake: plot.rolling(lake, team="HMS", window=0), "A window of 0 games", "window=10"),
        (lambda lake: plot.rolling(lake, team="HMS", season=1999), "1999-00", "2025-26"),
        (lambda lake: plot.calibration(lake, of="weather"), "There is no prediction 'weather'", "'xg'"),
        (lambda _: plot.shots(pl.DataFrame({"xg": [0.5]})), "The frame has no column game_id", "The chart needs"),
        (
            lambda lake: plot.shots(lake.table("gold.shots").filter(game_id=0)),
            "There is nothing to draw: no unblocked attempts",
            "nhl-lake status",
        ),
        (lambda lake: plot.shots(lake.table("gold.shots")), "attempts; a map shows at most 5,000", "Choose a game"),
        (lambda lake: plot.game_flow(lake.table("gold.game_flow")), "games; the chart shows one", "frame.filter"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_said_in_two_lines(lake: Lake, draw: Callable[[Lake], Any], what: str, hint: str):
    with pytest.raises(BadInput) as caught:
        draw(lake)
    assert what in caught.value.message
    assert hint in caught.value.hint
    assert len(str(caught.value).splitlines()) == 2


def test_a_game_that_is_not_played_has_nothing_to_draw(lake: Lake):
    upcoming = lake.table("silver.games").filter(game_state="FUT").select("game_id").collect()["game_id"][0]
    for draw in (plot.game_flow, plot.shifts, plot.matchups, lambda lake, game: plot.shots(lake, game=game)):
        with pytest.raises(BadInput, match="There is nothing to draw"):
            draw(lake, upcoming)


def test_without_altair_the_error_says_what_to_install(lake: Lake, game: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "altair", None)
    with pytest.raises(BadInput) as caught:
        plot.game_flow(lake, game)
    assert str(caught.value).splitlines() == [
        "Charts are drawn by Altair, which is not installed.", "Run `pip install 'nhl-lake[plot]'`."
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("draw", "what"),
    [
        (lambda: plot.game_flow("lake", 1), "A chart is not made of a str."),
        (lambda: plot.matchups(None), "A chart is not made of a NoneType."),
        (lambda: plot.rolling({}), "A chart is not made of a dict."),
        (lambda: plot.calibration([]), "A chart is not made of a list."),
    ],
)
def test_what_is_neither_lake_nor_frame_is_named(draw: Callable[[], Any], what: str):
    with pytest.raises(BadInput) as caught:
        draw()
    assert (caught.value.message, len(str(caught.value).splitlines())) == (what, 2)


def test_numbers_are_whole_and_of_any_library():
    assert inputs.require_number(pl.Series([7]).to_numpy()[0], "game") == 7
    for value in ("2025021210", 2025021210.0, [1]):
        with pytest.raises(BadInput, match="is no game"):
            inputs.require_game(value)
    with pytest.raises(BadInput, match="'2025' is no season"):
        inputs.require_number("2025", "season")
