"""Maps of shots: of a game on the whole rink, of a player or a team on the half that is attacked."""

import math
from functools import cache

import polars as pl

from nhl_lake import Lake
from nhl_lake.catalog import find_table
from nhl_lake.errors import BadInput
from nhl_lake.gold.measures.stint_xg import REGULAR_SEASON
from nhl_lake.hockey import rink_lines
from nhl_lake.hockey.ids import format_season
from nhl_lake.plot.games import describe_game
from nhl_lake.plot.inputs import (
    Source,
    choose_season,
    collect_frame,
    find_player,
    require_game,
    require_rows,
    require_team,
)
from nhl_lake.plot.theme import MAX_ROWS, Chart, choose, choose_page_colors, finish, import_altair
from nhl_lake.queries.game import raise_unknown_game, scan_game
from nhl_lake.reports.charts.shot_map import MIN_RADIUS, NO_XG_RADIUS, RADIUS_BY_XG
from nhl_lake.reports.colors import get_team_colors, pick_team_colors
from nhl_lake.store import delta_tables

MARGIN = 2  # ft around the boards
PIXELS, HALF_PIXELS = 3.4, 5.2  # per foot
MANY_SHOTS, SMALLER = 100, 0.55  # dots of a season would cover each other
FULLNESS = {"goal": 0.95, "save": 0.4, "miss": 0.0}
COLUMNS = (
    "game_id", "team_abbrev", "opponent_abbrev", "is_home", "shooter", "shot_type", "period", "period_seconds",
    "distance_ft", "strength_state", "x_ft", "y_ft", "is_goal", "is_shot_on_goal", "is_unblocked_attempt", "xg",
)  # fmt: skip
LINE_COLORS = {
    "center_line": "red", "goal_line": "red", "circle": "red", "hash": "red", "spot": "red", "goal": "red",
    "blue_line": "blue", "center_circle": "blue", "center_spot": "blue",
}  # fmt: skip
WIDE_LINES = ("center_line", "blue_line", "boards")


def shots(
    source: Source,
    *,
    game: int | None = None,
    player: int | str | None = None,
    team: str | None = None,
    season: int | None = None,
    dark: bool = False,
) -> Chart:
    """Return a map of the unblocked attempts of a game, or of a player or a team in a season (by default the newest).

    The area of a dot is its xG; goals are full, saves pale, misses empty. In a game the home team attacks to the right.
    source: a lake, or attempts of gold.shots. Blocked attempts have the place of the block, and are left out.
    """
    if isinstance(source, Lake):
        rows, title = read_shots(source, game=game, player=player, team=team, season=season)
    else:
        rows, title = collect_frame(source, COLUMNS), "Shots"
        rows = rows if game is None else rows.filter(game_id=game)
    located = rows.filter("is_unblocked_attempt").drop_nulls(["x_ft", "y_ft", "team_abbrev"])
    located = require_rows(located, "no unblocked attempts with a location")
    if located.height > MAX_ROWS:
        raise BadInput(
            f"There are {located.height:,} attempts; a map shows at most {MAX_ROWS:,}.", "Choose a game or a player."
        )
    is_game = located["game_id"].n_unique() == 1 and player is None and team is None
    return draw_shots(located, title, is_game=is_game, dark=dark)


def read_shots(
    lake: Lake, *, game: int | None, player: int | str | None, team: str | None, season: int | None
) -> tuple[pl.DataFrame, str]:
    """Return the attempts of a game, player or team, and the title of their map."""
    if game is not None:
        game = require_game(game)
        about = scan_game(lake.root, "silver.games", game).collect()
        if about.is_empty():
            raise_unknown_game(lake.root, game)
        rows, title = scan_game(lake.root, "gold.shots", game), f"Shots, {describe_game(about.row(0, named=True))}"
    else:
        rows = delta_tables.scan_table(lake.root, find_table("gold.shots"))
        title = "Shots"
    key: dict[str, object] = {}
    if player is not None:
        person = find_player(lake, player)
        key["shooter_player_id"] = person["player_id"]
        title = f"{title} of {person['player']}" if game is None else f"{title}: {person['player']}"
    if team is not None:
        key["team_abbrev"] = require_team(lake, team)
        title = f"{title} of {team.upper()}" if game is None else f"{title}: {team.upper()}"
    if game is None:
        if not key:
            raise BadInput("Whose shots?", "Give a game, a player or a team: game=2023020001, team='HMS'.")
        chosen = choose_season(lake, "gold.shots", season, **key)
        rows = rows.filter(season=chosen, game_type=REGULAR_SEASON)
        title = f"{title}, {format_season(chosen)}"
    return rows.filter(**key).select(COLUMNS).collect(), title


def draw_shots(located: pl.DataFrame, title: str, *, is_game: bool, dark: bool) -> Chart:
    """Return the map of attempts with a location."""
    alt = import_altair()
    pixels = (PIXELS if is_game else HALF_PIXELS) * (SMALLER if located.height > MANY_SHOTS else 1)
    toward = pl.when("is_home").then(1).otherwise(-1) if is_game else pl.lit(1)
    radius = (
        pl.when(pl.col("xg").is_null()).then(NO_XG_RADIUS).otherwise(MIN_RADIUS + RADIUS_BY_XG * pl.col("xg").sqrt())
    )
    result = pl.when("is_goal").then(pl.lit("goal")).when("is_shot_on_goal").then(pl.lit("save"))
    minutes, seconds = (pl.col("period_seconds") // 60).cast(pl.String), pl.col("period_seconds") % 60
    dots = located.select(
        "shooter", "shot_type", "distance_ft", "strength_state", "xg",
        x=toward * pl.col("x_ft"),
        y=toward * pl.col("y_ft"),
        team="team_abbrev",
        result=result.otherwise(pl.lit("miss")),
        time=pl.format("P{} {}:{}", "period", minutes, seconds.cast(pl.String).str.zfill(2)),
        size=(math.pi * (radius * pixels) ** 2).round(1),
    ).sort(pl.col("result") == "goal", "size", descending=[False, True])  # fmt: skip
    shown = dots if is_game else dots.filter(pl.col("x") >= 0)
    layers = [draw_rink(alt, half=not is_game, dark=dark)]
    if is_game:
        teams, colors = choose_side_colors(located, dark=dark)
        layers.append(draw_sides(alt, teams, colors))
    else:
        teams = located["team_abbrev"].unique().sort().to_list()
        colors = [choose(get_team_colors(team), dark=dark) for team in teams]
    color = alt.Scale(domain=teams, range=colors)
    legend = None if len(teams) == 1 or is_game else alt.Legend(title=None)
    layers.append(draw_dots(alt, shown, color, legend, half=not is_game))
    return finish(alt.layer(*layers), title, describe_shots(located, dots.height - shown.height), dark=dark)


def draw_dots(alt: Chart, dots: pl.DataFrame, color: Chart, legend: Chart, *, half: bool) -> Chart:
    """Return a dot per attempt."""
    x, y = make_scales(alt, half=half)
    fullness = pl.col("result").replace_strict(FULLNESS)
    return (
        alt.Chart(dots.with_columns(fullness=fullness))
        .mark_point(shape="circle", strokeWidth=1.6, opacity=1)
        .encode(
            x=x,
            y=y,
            size=alt.Size("size:Q", scale=None, legend=None),
            fill=alt.Fill("team:N", scale=color, legend=legend),
            stroke=alt.Stroke("team:N", scale=color, legend=legend),
            fillOpacity=alt.FillOpacity("fullness:Q", scale=None, legend=None),
            tooltip=[
                "shooter:N", "team:N", "result:N", "shot_type:N", "time:N", "strength_state:N",
                alt.Tooltip("distance_ft:Q", format=".0f"), alt.Tooltip("xg:Q", format=".2f"),
            ],
        )
    )  # fmt: skip


def draw_sides(alt: Chart, teams: list[str], colors: list[str]) -> Chart:
    """Return the letters of both teams at the ends that they attack."""
    sides = pl.DataFrame({"x": [-50, 50], "y": [35, 35], "team": teams, "color": colors})
    x, y = make_scales(alt, half=False)
    text = alt.Chart(sides).mark_text(fontSize=20, fontWeight="bold", opacity=0.85)
    return text.encode(x=x, y=y, text="team:N", color=alt.Color("color:N", scale=None))


def describe_shots(located: pl.DataFrame, beyond: int) -> list[str]:
    """Return what a map shows, and how: two lines."""
    known = located["xg"].drop_nulls()
    goals = located.filter("is_goal").height
    xg = f", {known.sum():.1f} xG" if known.len() else ""
    hidden = f"; {beyond} from the own half are not shown" if beyond else ""
    return [
        f"{located.height:,} unblocked attempts, {goals} goals{xg}{hidden}",
        "Full: goal. Pale: save. Empty: miss. The larger the dot, the higher its xG.",
    ]


def choose_side_colors(located: pl.DataFrame, *, dark: bool) -> tuple[list[str], list[str]]:
    """Return the letters of the away and the home team of a game, and their colors."""
    rows = located.row(0, named=True)
    own, other = rows["team_abbrev"], rows["opponent_abbrev"] or "?"
    home, away = (own, other) if rows["is_home"] else (other, own)
    picked = pick_team_colors(home, away)
    return [away, home], [choose(picked.away, dark=dark), choose(picked.home, dark=dark)]


@cache
def trace_rink(*, half: bool) -> pl.DataFrame:
    """One row per point of the rink's lines: shape (number), name, point (number), x and y in feet."""
    return pl.DataFrame(
        [
            {"shape": number, "name": shape.name, "point": at, "x": x, "y": y}
            for number, shape in enumerate(rink_lines.list_shapes(half=half))
            for at, (x, y) in enumerate(rink_lines.trace_shape(shape))
        ]
    )


def make_scales(alt: Chart, *, half: bool) -> tuple[Chart, Chart]:
    """Return x and y in feet, without axes."""
    first = 0 if half else -rink_lines.END
    across = rink_lines.SIDE + MARGIN
    ranges = {"x": [first - MARGIN, rink_lines.END + MARGIN], "y": [-across, across]}
    scales = {name: alt.Scale(domain=ends, nice=False, zero=False) for name, ends in ranges.items()}
    return alt.X("x:Q", scale=scales["x"], axis=None), alt.Y("y:Q", scale=scales["y"], axis=None)


def draw_rink(alt: Chart, *, half: bool, dark: bool) -> Chart:
    """Return the rink as a chart, to scale; layers on top use the scales of `make_scales`."""
    colors = choose_page_colors(dark=dark)
    points = trace_rink(half=half).with_columns(
        color=pl.col("name").replace_strict(
            {name: colors[color] for name, color in LINE_COLORS.items()}, default=colors["rink"]
        ),
        width=pl.when(pl.col("name").is_in(WIDE_LINES)).then(2).otherwise(1),
    )
    x, y = make_scales(alt, half=half)
    pixels = HALF_PIXELS if half else PIXELS
    width = rink_lines.LENGTH / (2 if half else 1) + 2 * MARGIN
    is_boards = pl.col("name") == "boards"
    ice, lines = (
        alt.Chart(part)
        .mark_line(strokeWidth=2, **about)
        .encode(
            x=x,
            y=y,
            detail="shape:N",
            order="point:Q",
            stroke=alt.Stroke("color:N", scale=None),
            strokeWidth=alt.StrokeWidth("width:Q", scale=None),
        )
        for part, about in ((points.filter(is_boards), {"fill": colors["ice"]}), (points.filter(~is_boards), {}))
    )
    height = rink_lines.WIDTH + 2 * MARGIN
    return (ice + lines).properties(width=width * pixels, height=height * pixels)
