"""Charts of a season: rolling xG, percentiles of a player, calibration of predictions."""

import polars as pl

from nhl_lake import Lake
from nhl_lake.errors import BadInput
from nhl_lake.gold.measures.situations import EVEN_SITUATION
from nhl_lake.hockey.ids import format_season
from nhl_lake.plot.inputs import (
    Source,
    choose_season,
    collect_frame,
    find_player,
    require_frame,
    require_number,
    require_rows,
    require_team,
)
from nhl_lake.plot.theme import WIDTH, Chart, choose, choose_page_colors, finish, import_altair
from nhl_lake.queries.calibration import GAME, XG, read_calibration
from nhl_lake.queries.percentiles import read_percentiles
from nhl_lake.queries.rolling import WINDOW_GAMES, roll_skaters, roll_teams
from nhl_lake.reports.colors import PERCENTILE_ENDS, compute_percentile_color

ROLLING_COLUMNS = ("game_number", "game_date", "rolling_games", "rolling_xg_for_per_60", "rolling_xg_against_per_60")
PERCENTILE_COLUMNS = ("label", "unit", "value", "percentile", "time_on_ice_s", "min_time_on_ice_s", "players")
CALIBRATION_COLUMNS = ("count", "predicted", "observed", "low", "high")
BAR_HEIGHT = 24
GROUPS = {"F": "forwards", "D": "defensemen", "G": "goalies"}


def rolling(
    source: Source,
    *,
    player: int | str | None = None,
    team: str | None = None,
    season: int | None = None,
    window: int = WINDOW_GAMES,
    dark: bool = False,
) -> Chart:
    """Return the rolling xG for and against per 60 at 5on5 of a player or a team, by default in the newest season.

    source: a lake, or rows of one player or team of `nhl_lake.queries.rolling`. Games without shifts are left out.
    """
    title = "Rolling expected goals at 5on5"
    if isinstance(source, Lake):
        rows, who = read_rolling(source, player=player, team=team, season=season, window=window)
        title = f"{who}: {title[:1].lower()}{title[1:]}"
    else:
        rows = collect_frame(source, ROLLING_COLUMNS)
    known = rows.select(ROLLING_COLUMNS).drop_nulls()
    hint = "Rates begin with the third game that has shifts and xG. `nhl-lake status` shows what is missing."
    return draw_rolling(require_rows(known, "too few games with shifts and xG", hint), title, dark=dark)


def percentiles(
    source: Source, player: int | str | None = None, *, season: int | None = None, dark: bool = False
) -> Chart:
    """Return a player's percentiles among the players at their position, by default in the newest season.

    source: a lake, or rows of one player of `nhl_lake.queries.percentiles`.
    """
    title, among = "Percentiles", "position"
    if isinstance(source, Lake):
        if player is None:
            raise BadInput("Which player?", "Give an id or a name: player='zeke kesseridge'.")
        person = find_player(source, player)
        table = "gold.goalie_season" if person["position"] == "G" else "gold.skater_season"
        chosen = choose_season(source, table, season, player_id=person["player_id"])
        own = read_percentiles(source.root, chosen).filter(player_id=person["player_id"])
        rows, title = own, f"{person['player']}, {format_season(chosen)}"
        groups = [GROUPS[group] for group in own["position_group"].unique().drop_nulls().sort()]
        among = " and ".join(groups) or among
    else:
        rows = collect_frame(source, PERCENTILE_COLUMNS)
    known = require_rows(rows.select(PERCENTILE_COLUMNS).drop_nulls("value"), "the player has no such values")
    return draw_percentiles(known, title, among, dark=dark)


def calibration(source: Source, *, of: str = XG, season: int | None = None, dark: bool = False) -> Chart:
    """Return how often predictions came true, in bands: of="xg" (goals) or of="game" (home wins).

    source: a lake, or bands of `nhl_lake.queries.calibration`. By default of all regular seasons.
    """
    if isinstance(source, Lake):
        table = "gold.shots" if of == XG else "gold.game_features"
        rows = read_calibration(source.root, of, None if season is None else choose_season(source, table, season))
    else:
        rows = require_frame(source).lazy().collect()
    what = "Home wins by their probability before the game" if of == GAME else "Goals by expected goals"
    bands = collect_frame(rows, CALIBRATION_COLUMNS)
    return draw_calibration(require_rows(bands, f"no predictions of {of}"), what, dark=dark)


def read_rolling(
    lake: Lake, *, player: int | str | None, team: str | None, season: int | None, window: int
) -> tuple[pl.DataFrame, str]:
    """Return the rolling rates of a player or a team, and their name with the season."""
    if (player is None) == (team is None):
        raise BadInput("Whose rolling xG?", "Give a player or a team: player=8478402, or team='HMS'.")
    if require_number(window, "window") < 1:
        raise BadInput(f"A window of {window} games is too short.", "Give at least 1: window=10.")
    if team is not None:
        letters = require_team(lake, team)
        chosen = choose_season(lake, "gold.team_game", season, team_abbrev=letters)
        rows = roll_teams(lake.root, chosen, window=window).filter(team_abbrev=letters)
        return rows, f"{letters}, {format_season(chosen)}"
    person = find_player(lake, str(player))
    number = person["player_id"]
    chosen = choose_season(lake, "gold.skater_game", season, player_id=number, situation=EVEN_SITUATION)
    rows = roll_skaters(lake.root, chosen, window=window, player_ids=[number])
    return rows, f"{person['player']}, {format_season(chosen)}"


def draw_rolling(rows: pl.DataFrame, title: str, *, dark: bool) -> Chart:
    """Return the chart of rolling rates, by game."""
    alt = import_altair()
    page = choose_page_colors(dark=dark)
    names = {"rolling_xg_for_per_60": "xG for", "rolling_xg_against_per_60": "xG against"}
    low, _, high = (choose(color, dark=dark) for color in PERCENTILE_ENDS)
    lines = rows.unpivot(on=list(names), index=["game_number", "game_date"], variable_name="side", value_name="rate")
    lines = lines.with_columns(pl.col("side").replace(names))
    color = alt.Color("side:N", scale=alt.Scale(domain=list(names.values()), range=[high, low]), legend=None)
    base = alt.Chart(lines).encode(
        x=alt.X("game_number:Q", title="Game of the season", axis=alt.Axis(tickMinStep=1, grid=False, format="d")),
        y=alt.Y("rate:Q", title="xG per 60 minutes", scale=alt.Scale(zero=False)),
        color=color,
        strokeDash=alt.StrokeDash(
            "side:N", scale=alt.Scale(domain=list(names.values()), range=[[1, 0], [6, 3]]), legend=None
        ),
        tooltip=["game_date:T", "side:N", alt.Tooltip("rate:Q", format=".2f")],
    )
    last = lines.filter(pl.col("game_number") == pl.col("game_number").max()).sort("rate")
    rates = last["rate"].to_list()
    is_close = rates[1] - rates[0] < 0.06 * (max(lines["rate"]) - min(lines["rate"]))
    labels = last.with_columns(
        label=pl.Series([f"{side} {rate:.2f}" for side, rate in last.select("side", "rate").rows()])
    )
    ends = [
        alt.Chart(labels[number : number + 1])
        .mark_text(align="left", dx=8, dy=dy, fontWeight="bold", fontSize=12)
        .encode(x="game_number:Q", y="rate:Q", text="label:N", color=color)
        for number, dy in ((0, 9 if is_close else 0), (1, -9 if is_close else 0))
    ]
    area = (
        alt.Chart(rows)
        .mark_area(opacity=0.12, color=page["quiet"])
        .encode(
            x="game_number:Q",
            y=alt.Y("rolling_xg_for_per_60:Q", scale=alt.Scale(zero=False)),
            y2="rolling_xg_against_per_60:Q",
        )
    )
    chart = alt.layer(area, base.mark_line(strokeWidth=2.5, point={"filled": True, "size": 24}), *ends)
    window = int(str(rows["rolling_games"].max()))
    return finish(
        chart.properties(width=WIDTH, height=280), title, f"Over the last {window} games, or fewer at first", dark=dark
    )


def draw_percentiles(rows: pl.DataFrame, title: str, among: str, *, dark: bool) -> Chart:
    """Return bars from 0 to 100, with the percentile, the value and the minutes beside each."""
    alt = import_altair()
    page = choose_page_colors(dark=dark)
    bars = rows.with_columns(
        color=pl.Series([choose(compute_percentile_color(p), dark=dark) for p in rows["percentile"]], dtype=pl.String),
        shown=pl.Series([format_value(*row) for row in rows.select("value", "unit").iter_rows()], dtype=pl.String),
        minutes=pl.col("time_on_ice_s") / 60,
        rank=pl.col("percentile").round(0).cast(pl.Int32).cast(pl.String),
        note=explain_missing(),
    )  # fmt: skip
    order = rows["label"].to_list()
    y = alt.Y(
        "label:N", sort=order, title=None, axis=alt.Axis(labelLimit=320, labelPadding=8, ticks=False, domain=False)
    )
    x = alt.X(
        "percentile:Q", title="Percentile: share of the others who are worse", scale=alt.Scale(domain=[0, 100]),
        axis=alt.Axis(values=[0, 25, 50, 75, 100]),
    )  # fmt: skip
    ranked, rest = bars.drop_nulls("percentile"), bars.filter(pl.col("percentile").is_null())
    base = alt.Chart(ranked).encode(y=y)
    tips = [alt.Tooltip("label:N"), alt.Tooltip("shown:N", title="value"), alt.Tooltip("percentile:Q", format=".0f"),
            alt.Tooltip("minutes:Q", format=".0f"), "players:Q"]  # fmt: skip
    layers = [
        base.mark_bar(height=BAR_HEIGHT - 8).encode(x=x, color=alt.Color("color:N", scale=None), tooltip=tips),
        base.mark_text(align="left", dx=5, fontWeight="bold", color=page["text"]).encode(x=x, text="rank:N"),
        alt.Chart(rest).mark_text(align="left", dx=4, color=page["quiet"]).encode(y=y, x=alt.datum(0), text="note:N"),
        alt.Chart(bars).mark_text(align="right", x=WIDTH - 100, color=page["text"]).encode(y=y, text="shown:N"),
    ]
    chart = alt.layer(*layers).properties(width=WIDTH - 160, height=BAR_HEIGHT * len(order))
    players = sorted(set(ranked["players"]))
    counts = " to ".join(str(count) for count in dict.fromkeys([*players[:1], *players[-1:]]))
    subtitle = f"Among {counts} {among} with at least a quarter of the longest ice time; values at the right"
    return finish(chart, title, subtitle, dark=dark)


def explain_missing() -> pl.Expr:
    """Return why a value has no percentile."""
    minutes = ((pl.col(name) / 60).cast(pl.Int32) for name in ("time_on_ice_s", "min_time_on_ice_s"))
    is_short = pl.col("time_on_ice_s") < pl.col("min_time_on_ice_s")
    too_little = pl.format("{} min; too few, needs {}", *minutes)
    return pl.when(is_short).then(too_little).otherwise(pl.lit("too few players to compare"))


def format_value(value: float, unit: str) -> str:
    """Return a value as tables show it: a share in percent, others with two decimals."""
    return f"{100 * value:.1f}%" if unit == "share" else f"{round(value, 2) + 0.0:.2f}"  # no -0.00


def draw_calibration(bands: pl.DataFrame, title: str, *, dark: bool) -> Chart:
    """Return the observed share by the predicted one, with intervals, and the line on which both are equal."""
    alt = import_altair()
    page = choose_page_colors(dark=dark)
    blue = choose(PERCENTILE_ENDS[2], dark=dark)
    most = 1.05 * max(float(str(bands[name].max())) for name in ("predicted", "high"))
    scale = alt.Scale(domain=[0, most], nice=False)
    percent = alt.Axis(format=".0%", tickCount=6)
    base = alt.Chart(bands).encode(x=alt.X("predicted:Q", title="Predicted", scale=scale, axis=percent))
    layers = [
        alt.Chart(pl.DataFrame({"predicted": [0.0, most], "observed": [0.0, most]}))
        .mark_line(strokeDash=[5, 4], color=page["quiet"], strokeWidth=1.5)
        .encode(x=alt.X("predicted:Q", scale=scale), y=alt.Y("observed:Q", scale=scale)),
        base.mark_rule(color=blue, strokeWidth=2).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q"),
        base.mark_circle(size=80, opacity=1, color=blue).encode(
            y=alt.Y("observed:Q", title="Observed", scale=scale, axis=percent),
            tooltip=["count:Q", alt.Tooltip("predicted:Q", format=".1%"), alt.Tooltip("observed:Q", format=".1%")],
        ),
    ]
    number = f"{bands.height} bands of equal size" if bands.height > 1 else "one band"
    subtitle = f"{sum(bands['count']):,} predictions in {number}, with 95% intervals"
    return finish(alt.layer(*layers).properties(width=400, height=400), title, subtitle, dark=dark)
