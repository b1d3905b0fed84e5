"""Charts of a game: running xG, shifts, and who met whom."""

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import polars as pl

from nhl_lake import Lake
from nhl_lake.hockey.names import format_full_name
from nhl_lake.plot.inputs import Source, collect_frame, require_frame, require_game, require_one_game, require_rows
from nhl_lake.plot.theme import WIDTH, Chart, choose, choose_page_colors, finish, import_altair
from nhl_lake.queries.game import scan_game
from nhl_lake.reports.charts.game_clock import PERIOD_S, REGULATION_S, shorten_name
from nhl_lake.reports.colors import compute_contrast, mix_colors, pick_team_colors
from nhl_lake.reports.game import GameData, read_game

FLOW_COLUMNS = (
    "step", "game_seconds", "event_id", "acting_team_abbrev", "is_home", "home_strength_state", "home_goals_so_far",
    "away_goals_so_far", "home_xg_so_far", "away_xg_so_far",
)  # fmt: skip
SHIFT_COLUMNS = ("player", "team_abbrev", "is_home", "start", "stop")
MATCHUP_COLUMNS = ("home_player", "away_player", "seconds")
ROW_HEIGHT, CELL = 17, 36
MIN_MEETING_S = 1


class Teams(NamedTuple):
    """The letters of both teams of a game."""

    home: str
    away: str

    def choose_colors(self, *, dark: bool) -> list[str]:
        """Return the colors of home and away."""
        return [choose(color, dark=dark) for color in pick_team_colors(*self)]


def game_flow(source: Source, game: int | None = None, *, dark: bool = False) -> Chart:
    """Return the running xG of both teams of a game, with goals and power plays.

    source: a lake, or the steps of one game of gold.game_flow.
    """
    if isinstance(source, Lake):
        data = read_game(source.root, require_game(game))
        steps, teams, title = data.flow, name_teams(data), describe_game(data.game)
    else:
        steps = filter_game(source, FLOW_COLUMNS, game)
        letters = dict(steps.drop_nulls("acting_team_abbrev").select("is_home", "acting_team_abbrev").iter_rows())
        teams, title = Teams(letters.get(True, "home"), letters.get(False, "away")), "Running expected goals"
    known = steps.drop_nulls(["game_seconds", "home_xg_so_far", "away_xg_so_far"])
    return draw_flow(require_rows(known, "the game has no steps with xG"), teams, title, dark=dark)


def shifts(source: Source, game: int | None = None, *, dark: bool = False) -> Chart:
    """Return the shifts of a game: a row per skater, those with the most ice time first.

    source: a lake, or a frame with a row per shift: player, team_abbrev, is_home, start and stop (seconds of the game).
    """
    if isinstance(source, Lake):
        data = read_game(source.root, require_game(game))
        rows, title = list_skater_shifts(data), describe_game(data.game)
    else:
        rows, title = filter_game(source, SHIFT_COLUMNS, game), "Shifts"
    known = rows.drop_nulls(["player", "start", "stop"])
    return draw_shifts(require_rows(known, "the game has no shifts"), title, dark=dark)


def matchups(source: Source, game: int | None = None, *, dark: bool = False) -> Chart:
    """Return the minutes at 5on5 that each skater of the home team played against each of the away team.

    source: a lake, or a frame with a row per pair: home_player, away_player and seconds.
    """
    teams = Teams("home", "away")
    if isinstance(source, Lake):
        data = read_game(source.root, require_game(game))
        rows, teams, title = list_meetings(source, data), name_teams(data), describe_game(data.game)
    else:
        rows, title = filter_game(source, MATCHUP_COLUMNS, game), "Minutes against each other at 5on5"
    met = rows.filter(pl.col("seconds") >= MIN_MEETING_S)
    return draw_matchups(require_rows(met, "the game has no shifts at 5on5"), teams, title, dark=dark)


def filter_game(source: pl.DataFrame | pl.LazyFrame, columns: tuple[str, ...], game: int | None) -> pl.DataFrame:
    """Return the columns of a frame, of one game."""
    has_game = "game_id" in require_frame(source).collect_schema().names()
    rows = collect_frame(source, (*columns, "game_id") if has_game or game is not None else columns)
    rows = rows if game is None else rows.filter(game_id=game)
    require_one_game(rows)
    return rows


def name_teams(data: GameData) -> Teams:
    """Return the letters of both teams."""
    return Teams(str(data.game["home_team_abbrev"]), str(data.game["away_team_abbrev"]))


def describe_game(game: dict[str, Any]) -> str:
    """Return the title of a row of silver.games: "ABQ 1 at SAC 3 · 31 Mar 2026"; without a score before the game."""
    sides = (
        f"{game[f'{side}_team_abbrev']}" + ("" if game[f"{side}_score"] is None else f" {game[f'{side}_score']}")
        for side in ("away", "home")
    )
    return f"{' at '.join(sides)} · {game['game_date']:%d %b %Y}".replace("· 0", "· ")


def draw_flow(steps: pl.DataFrame, teams: Teams, title: str, *, dark: bool) -> Chart:
    """Return the chart of the steps of a game, which have the second and the xG of both teams."""
    alt = import_altair()
    page, colors = choose_page_colors(dark=dark), teams.choose_colors(dark=dark)
    end = max(REGULATION_S, int(str(steps["game_seconds"].max())))
    lines = pl.concat(
        steps.select(minute=pl.col("game_seconds") / 60, xg=f"{side}_xg_so_far", team=pl.lit(team))
        for side, team in zip(("home", "away"), teams, strict=True)
    )
    x = alt.X(
        "minute:Q", title="Minute", scale=alt.Scale(domain=[0, end / 60], nice=False),
        axis=alt.Axis(values=list(range(0, end // 60 + 1, 10)), grid=False),
    )  # fmt: skip
    y = alt.Y("xg:Q", title="Expected goals so far")
    color = alt.Color("team:N", scale=alt.Scale(domain=list(teams), range=colors), legend=None)
    periods = pl.DataFrame({"minute": [second / 60 for second in range(PERIOD_S, end, PERIOD_S)]})
    layers = [
        alt.Chart(periods).mark_rule(color=page["line"]).encode(x="minute:Q"),
        *draw_power_plays(alt, steps, teams, color),
        alt.Chart(lines).mark_line(interpolate="step-after", strokeWidth=2.5).encode(x=x, y=y, color=color),
        *draw_goals(alt, steps, teams, color, page),
        draw_ends(alt, lines, end, color),
    ]
    chart = alt.layer(*layers).properties(width=WIDTH, height=280)
    bands = " Bands are power plays." if "strength" in steps["step"] else " Without shifts no power plays are shown."
    return finish(chart, title, f"Running expected goals; dots are goals, with the score.{bands}", dark=dark)


def draw_power_plays(alt: Chart, steps: pl.DataFrame, teams: Teams, color: Chart) -> Iterator[Chart]:
    """Yield the bands in which a team had more players, if the shifts say when."""
    changes = steps.filter(pl.col("step").is_in(("strength", "period-start", "period-end")))
    rows = list(changes.select("game_seconds", "home_strength_state", "step").iter_rows())
    bands = [
        {"minute": start / 60, "stop": stop / 60, "team": teams.home if state == "PP" else teams.away}
        for (start, state, step), (stop, *_) in pairwise(rows)
        if state in ("PP", "SH") and stop > start and step != "period-end"
    ]
    if bands and "strength" in steps["step"]:
        yield alt.Chart(pl.DataFrame(bands)).mark_rect(opacity=0.15).encode(x="minute:Q", x2="stop:Q", color=color)


def draw_goals(alt: Chart, steps: pl.DataFrame, teams: Teams, color: Chart, page: dict[str, str]) -> Iterator[Chart]:
    """Yield the goals on the lines of their teams, with the score after each, the away team's first."""
    scored = steps.filter(pl.col("step") == "goal", pl.col("is_home").is_not_null())
    if scored.is_empty():
        return
    goals = scored.select(
        minute=pl.col("game_seconds") / 60,
        xg=pl.when("is_home").then("home_xg_so_far").otherwise("away_xg_so_far"),
        team=pl.when("is_home").then(pl.lit(teams.home)).otherwise(pl.lit(teams.away)),
        score=pl.format("{}–{}", "away_goals_so_far", "home_goals_so_far"),
    )
    base = alt.Chart(goals).encode(x="minute:Q", y="xg:Q", color=color, tooltip=["team:N", "score:N", "xg:Q"])
    yield base.mark_circle(size=110, opacity=1, stroke=page["bg"], strokeWidth=1.5)
    yield base.mark_text(dy=-14, fontWeight="bold", fontSize=12).encode(text="score:N", color=alt.value(page["text"]))


def draw_ends(alt: Chart, lines: pl.DataFrame, end: int, color: Chart) -> Chart:
    """Return the teams' letters and xG at the ends of their lines, moved apart where they would overlap."""
    ends = lines.group_by("team", maintain_order=True).agg(pl.col("xg").max()).sort("xg")
    least, most = ends["xg"].to_list()
    labels = ends.with_columns(
        minute=pl.lit(end / 60), label=pl.Series([f"{team} {xg:.2f}" for team, xg in ends.select("team", "xg").rows()])
    )
    is_close = most - least < 0.07 * most
    shift = 9 if is_close else 0
    low, high = (
        alt.Chart(labels[number : number + 1])
        .mark_text(align="left", dx=18, dy=dy, fontWeight="bold", fontSize=13)
        .encode(x="minute:Q", y="xg:Q", text="label:N", color=color)
        for number, dy in ((0, shift), (1, -shift))
    )
    return low + high


def list_skater_shifts(data: GameData) -> pl.DataFrame:
    """One row per shift of a skater: player, team_abbrev, is_home, start and stop in seconds of the game."""
    skaters = data.skaters.select("player_id", "team_abbrev", "is_home", name="player")
    offset = PERIOD_S * (pl.col("period").cast(pl.Int32) - 1)
    rows = data.shifts.join(skaters, on="player_id", validate="m:1").with_columns(
        start=offset + pl.col("start_seconds"), stop=offset + pl.col("end_seconds")
    )
    known = pl.coalesce("name", "player", pl.col("player_id").cast(pl.String))
    number = pl.col("sweater_number").cast(pl.String).fill_null("")
    return rows.with_columns(player=pl.concat_str(number, pl.lit(" "), known).str.strip_chars()).select(SHIFT_COLUMNS)


def draw_shifts(rows: pl.DataFrame, title: str, *, dark: bool) -> Chart:
    """Return the chart of shifts, the home team's first."""
    alt = import_altair()
    sides = dict(rows.drop_nulls("is_home").select("is_home", "team_abbrev").iter_rows())
    teams = Teams(sides.get(True, "home"), sides.get(False, "away"))
    colors = dict(zip((True, False), teams.choose_colors(dark=dark), strict=True))
    end = max(REGULATION_S, int(str(rows["stop"].max())))
    parts = [
        draw_team_shifts(alt, rows.filter(is_home=is_home), team, colors[is_home], end)
        for is_home, team in sides.items()
    ]
    return finish(alt.vconcat(*parts, spacing=16), title, "Shifts, the longest ice time at the top", dark=dark)


def draw_team_shifts(alt: Chart, rows: pl.DataFrame, team: str, color: str, end: int) -> Chart:
    """Return the shifts of one team's players."""
    order = rows.group_by("player").agg(time=(pl.col("stop") - pl.col("start")).sum()).sort("time", "player")
    players = order["player"].reverse().to_list()
    bars = rows.select("player", minute=pl.col("start") / 60, stop=pl.col("stop") / 60)
    axis = alt.Axis(values=[second // 60 for second in range(0, end + 1, PERIOD_S // 2)])
    return (
        alt.Chart(bars, title=team)
        .mark_bar(color=color, height=ROW_HEIGHT - 7)
        .encode(
            x=alt.X("minute:Q", title="Minute", scale=alt.Scale(domain=[0, end / 60], nice=False), axis=axis),
            x2="stop:Q",
            y=alt.Y("player:N", sort=players, title=None, axis=alt.Axis(labelLimit=180)),
            tooltip=["player:N", alt.Tooltip("minute:Q", format=".1f"), alt.Tooltip("stop:Q", format=".1f")],
        )
        .properties(width=WIDTH, height=ROW_HEIGHT * len(players))
    )


def list_meetings(lake: Lake, data: GameData) -> pl.DataFrame:
    """One row per pair of skaters who met at 5on5: home_player, away_player, seconds."""
    lineups = scan_game(lake.root, "silver.lineups", data.game["game_id"])
    names = lineups.select("player_id", player=format_full_name()).collect()
    shown = {number: shorten_name(name, number) for number, name in names.iter_rows()}
    labels = name_apart(shown)
    return data.matchups.against.select(
        *(
            pl.col(f"{side}_player_id").replace_strict(labels, default=None, return_dtype=pl.String)
            .fill_null(pl.col(f"{side}_player_id").cast(pl.String)).alias(f"{side}_player")
            for side in ("home", "away")
        ),
        "seconds",
    )  # fmt: skip


def name_apart(names: dict[int, str]) -> dict[int, str]:
    """Return names by id; those that several players have get the id."""
    taken = list(names.values())
    return {number: f"{name} ({number})" if taken.count(name) > 1 else name for number, name in names.items()}


def draw_matchups(rows: pl.DataFrame, teams: Teams, title: str, *, dark: bool) -> Chart:
    """Return the matrix: the away team's players across, the home team's down, by their time at 5on5."""
    alt = import_altair()
    page, (home_color, _) = choose_page_colors(dark=dark), teams.choose_colors(dark=dark)
    orders = {
        side: rows.group_by(f"{side}_player")
        .agg(pl.col("seconds").sum())
        .sort(pl.col("seconds"), f"{side}_player", descending=[True, False])[f"{side}_player"]
        .to_list()
        for side in ("home", "away")
    }
    most = max(rows["seconds"])
    fills = [mix_colors(page["panel"], home_color, seconds / most) for seconds in rows["seconds"]]
    texts = [max(page["text"], page["bg"], key=partial(compute_contrast, fill)) for fill in fills]
    cells = rows.with_columns(minutes=pl.col("seconds") / 60, fill=pl.Series(fills), ink=pl.Series(texts))
    base = alt.Chart(cells).encode(
        x=alt.X("away_player:N", sort=orders["away"], title=teams.away, axis=alt.Axis(orient="top", labelAngle=-55)),
        y=alt.Y("home_player:N", sort=orders["home"], title=teams.home),
        tooltip=["home_player:N", "away_player:N", alt.Tooltip("minutes:Q", format=".1f")],
    )
    shade, ink = (alt.Color(f"{name}:N", scale=None) for name in ("fill", "ink"))
    text = base.mark_text(fontSize=11).encode(text=alt.Text("minutes:Q", format=".1f"), color=ink)
    chart = base.mark_rect(stroke=page["bg"], strokeWidth=1).encode(color=shade) + text
    sized = chart.properties(width=CELL * len(orders["away"]), height=20 * len(orders["home"]))
    return finish(sized, title, "Minutes against each other at 5on5", dark=dark)
