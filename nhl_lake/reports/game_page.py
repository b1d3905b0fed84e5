"""The report of a game as a page: charts, tables, and a word about what is missing."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl
from markupsafe import Markup

from nhl_lake.gold.measures.situations import ALL_SITUATIONS, EVEN_SITUATION
from nhl_lake.hockey.calendar import GAME_TYPES
from nhl_lake.hockey.ids import format_season
from nhl_lake.hockey.strength import SITUATIONS
from nhl_lake.reports import goalie_columns
from nhl_lake.reports.charts import game_clock, matrix, shot_map
from nhl_lake.reports.colors import pick_team_colors
from nhl_lake.reports.game import GameData
from nhl_lake.reports.page import ALONE, Place, render_page
from nhl_lake.reports.tables import Source, TableColumn, drop_empty_columns, format_clock, render_table

SIDES = ("away", "home")
CHARTS = ("flow", "shots", "win", "home_shifts", "away_shifts")
MAX_LINES, MAX_PAIRS = 6, 4  # of a team
SHOWN_CAPTIONS = {"teams", "periods", "lines", "pairs"}  # where a section has several tables
EVEN = f"situation={EVEN_SITUATION}"
PLAYER = TableColumn("player", "Player", kind="player", key="player_id")
TEAM = TableColumn("team_abbrev", "Team", kind="team")
ON_ICE = (
    TableColumn("on_ice_attempts_for", "CF", "Shot attempts for while on the ice (Corsi)", "count"),
    TableColumn("on_ice_attempts_against", "CA", "Shot attempts against while on the ice", "count"),
    TableColumn("on_ice_xg_for", "xGF", "Expected goals for while on the ice", "two"),
    TableColumn("on_ice_xg_against", "xGA", "Expected goals against while on the ice", "two"),
    TableColumn("on_ice_goals_for", "GF", "Goals for while on the ice", "count"),
    TableColumn("on_ice_goals_against", "GA", "Goals against while on the ice", "count"),
)
SKATER_COLUMNS = (
    PLAYER,
    TableColumn("position", "Pos"),
    TableColumn("time_on_ice_s", "TOI", "Time on ice", "clock"),
    TableColumn("goals", "G", "Goals", "count"),
    TableColumn("assists", "A", "Assists", "count"),
    TableColumn("shots_on_goal", "SOG", "Shots on goal", "count"),
    TableColumn("attempts", "Att", "Shot attempts", "count"),
    TableColumn("xg", "ixG", "Expected goals of the player's own attempts", "two"),
    TableColumn("even_time_on_ice_s", "5v5", "Time on ice at 5 on 5", "clock", column="time_on_ice_s", where=EVEN),
    *(
        column._replace(name=f"even_{column.name}", column=column.name, where=EVEN, about=f"{column.about}, at 5 on 5")
        for column in ON_ICE[:4]
    ),
    TableColumn(
        "even_on_ice_xg_share", "xG%", "Share of expected goals while on the ice, at 5 on 5", "percent",
        column="on_ice_xg_share", where=EVEN,
    ),
    TableColumn("hits", "Hit", "Hits", "count"),
    TableColumn("blocked_shots", "Blk", "Blocked shots", "count"),
    TableColumn("game_score", "GS", "Game score", "two"),
)  # fmt: skip
GOALIE_COLUMNS = (
    PLAYER,
    TEAM,
    TableColumn("decision", "Dec", "Decision"),
    TableColumn("time_on_ice_s", "TOI", "Time on ice", "clock"),
    TableColumn("shots_against", "SA", "Shots against", "count"),
    TableColumn("saves", "SV", "Saves", "count"),
    TableColumn("goals_against", "GA", "Goals against", "count"),
    TableColumn("save_share", "SV%", "Saves as a share of shots against", "share"),
    TableColumn("xg_against", "xGA", "Expected goals against", "two"),
    goalie_columns.SAVED_ABOVE_EXPECTED,
)
TEAM_COLUMNS = (
    TEAM,
    TableColumn("situation", "Strength"),
    TableColumn("time_on_ice_s", "Time", "Time at this strength", "clock"),
    TableColumn("goals", "G", "Goals", "count"),
    TableColumn("xg", "xG", "Expected goals", "two"),
    TableColumn("shots_on_goal", "SOG", "Shots on goal", "count"),
    TableColumn("attempts", "CF", "Shot attempts (Corsi)", "count"),
    TableColumn("unblocked_attempts", "FF", "Unblocked attempts (Fenwick)", "count"),
    TableColumn("high_danger_attempts", "HD", "High-danger attempts: xG of .20 or more", "count"),
    TableColumn("xg_share", "xG%", "Share of expected goals", "percent"),
)
PERIOD_COLUMNS = (
    TEAM,
    TableColumn("period_name", "Period"),
    TableColumn("goals", "G", "Goals", "count", column="is_goal"),
    TableColumn("xg", "xG", "Expected goals", "two"),
    TableColumn("shots_on_goal", "SOG", "Shots on goal", "count", column="is_shot_on_goal"),
)
GOAL_COLUMNS = (
    TableColumn("when", "Time"),
    TEAM,
    TableColumn("score", "Score"),
    TableColumn("shooter", "Scorer", kind="player", key="shooter_player_id"),
    TableColumn("assists", "Assists", kind="long"),
    TableColumn("strength", "Strength"),
    TableColumn("xg", "xG", "Expected goals of this attempt", "two"),
)
PENALTY_COLUMNS = (
    TableColumn("when", "Time"),
    TEAM,
    TableColumn("player", "Player", kind="player", key="penalised_player_id"),
    TableColumn("penalty_description", "Penalty"),
    TableColumn("penalty_minutes", "Min", "Minutes", "count"),
)
TOGETHER = TableColumn("time_together_s", "Time", "Time together at 5 on 5", "clock")
LINE_COLUMNS = (
    TEAM,
    *(
        TableColumn(f"{number}_player", "Player", kind="player", key=f"{number}_player_id")
        for number in ("first", "second", "third")
    ),
    TOGETHER,
    *ON_ICE,
)
PAIR_COLUMNS = (
    TEAM,
    *(
        TableColumn(f"{number}_player", "Player", kind="player", key=f"{number}_player_id")
        for number in ("first", "second")
    ),
    TOGETHER,
    *ON_ICE,
)
PROBLEM_COLUMNS = (
    TableColumn("check", "What"),
    TableColumn("severity", "Kind"),
    TableColumn("expected", "Expected"),
    TableColumn("actual", "Found"),
)


def render_game(data: GameData, place: Place = ALONE) -> str:
    """Return the report of a game as HTML."""
    game = data.game
    letters = (str(game["home_team_abbrev"]), str(game["away_team_abbrev"]))
    return render_page(
        "game.html.j2",
        place,
        title=describe_game(game),
        game=game,
        is_final=data.is_final,
        about=describe_circumstances(game),
        ending=describe_ending(game),
        colors=pick_team_colors(*letters),
        pregame=describe_pregame(game, find_pregame(data.win_probability)),
        charts=defaultdict(Markup, draw_charts(data, letters)),
        tables=defaultdict(Markup, render_tables(data, place)),
        matrices=list(render_matrices(data)),
        missing=list_missing(data),
    )


def describe_game(game: dict[str, Any]) -> str:
    """Return the title of a game: COL 5 – 3 DET, 2024-02-22."""
    away, home = game["away_team_abbrev"], game["home_team_abbrev"]
    if game["home_score"] is None or game["away_score"] is None:
        return f"{away} at {home}, {game['game_date']}"
    return f"{away} {game['away_score']} – {game['home_score']} {home}, {game['game_date']}"


def describe_circumstances(game: dict[str, Any]) -> str:
    """Return season, kind of game and place: 2023-24 regular season, Amalie Arena."""
    kind = GAME_TYPES.get(game["game_type"], f"game type {game['game_type']}")
    venue = f", {game['venue']}" if game["venue"] else ""
    return f"{format_season(game['season'])} {kind}{venue}"


def describe_ending(game: dict[str, Any]) -> str:
    """Return how a final game ended: Final, Final (OT), Final (SO)."""
    kind = game["last_period_type"]
    return "Final" if kind in (None, "REG") else f"Final ({kind})"


def find_pregame(rows: pl.DataFrame) -> float | None:
    """Return the home team's probability to win before the game; None if it is unknown."""
    known = rows["pregame_home_win_probability"].drop_nulls()
    return None if known.is_empty() else float(known[0])


def describe_pregame(game: dict[str, Any], chance: float | None) -> str:
    """Return both teams' chances to win before the game, the away team's first; empty if unknown."""
    if chance is None:
        return ""
    home = round(100 * chance)
    away_team, home_team = game["away_team_abbrev"], game["home_team_abbrev"]
    return f"chance to win before the game: {away_team} {100 - home}%, {home_team} {home}%"


def draw_charts(data: GameData, letters: tuple[str, str]) -> dict[str, Markup]:
    """Return the charts by name; empty without rows."""
    charts = dict.fromkeys(CHARTS, Markup())
    has_xg = data.shots["xg"].is_not_null().any()
    if has_xg and data.flow["home_xg_so_far"].is_not_null().any():
        charts["flow"] = game_clock.draw_game_flow(data.flow, data.goals, letters)
    if data.shots["x_ft"].is_not_null().any():
        charts["shots"] = shot_map.draw_game_shots(data.shots, letters)
    if data.win_probability["home_win_probability"].is_not_null().any():
        charts["win"] = game_clock.draw_win_probability(data.win_probability, letters)
    end = game_clock.find_end(data.flow)
    for side, team in zip(("home", "away"), letters, strict=True):
        order = order_skaters(data, side)
        if not data.shifts.is_empty() and order:
            charts[f"{side}_shifts"] = game_clock.draw_shifts(
                data.shifts, order, data.goals, side=side, team=team, end=end
            )
    return charts


def order_skaters(data: GameData, side: str) -> list[int]:
    """Return the skaters of a side: forwards, then defense, each by time on ice."""
    own = data.skaters.filter(pl.col("is_home") == (side == "home"), pl.col("time_on_ice_s") > 0)
    order = own.sort(pl.col("position") == "D", "time_on_ice_s", "player_id", descending=[False, True, False])
    return order["player_id"].to_list()


def render_tables(data: GameData, place: Place) -> Iterator[tuple[str, Markup]]:
    """Yield name and table; the table is empty without rows."""
    for name, rows, columns, caption, source in (*list_team_tables(data), *list_player_tables(data)):
        shows_caption = name in SHOWN_CAPTIONS
        table = Markup()
        if rows.height:
            shown = drop_empty_columns(rows, columns)
            table = render_table(
                rows, shown, caption=caption, source=source, link=place.link, shows_caption=shows_caption
            )
        yield name, table


TableParts = tuple[str, pl.DataFrame, Sequence[TableColumn], str, Source | None]  # name, rows, columns, caption, source


def list_team_tables(data: GameData) -> Iterator[TableParts]:
    """Yield the tables of teams and events."""
    is_game = f"game_id={data.game['game_id']}"
    yield (
        "teams", order_situations(data.teams), TEAM_COLUMNS, "By strength",
        Source("gold.team_game", is_game, ("team_id", "situation")),
    )  # fmt: skip
    periods = add_period_names(data.periods.filter(pl.col("team_abbrev").is_not_null())).sort("period", "is_home")
    yield "periods", periods, PERIOD_COLUMNS, "By period", Source("gold.shots", is_game, ("team_abbrev", "period"))
    yield "goals", describe_goals(data.goals), GOAL_COLUMNS, "Goals", Source("gold.shots", is_game, ("event_id",))
    yield (
        "penalties", describe_penalties(data), PENALTY_COLUMNS, "Penalties",
        Source("silver.plays", is_game, ("event_id",)),
    )  # fmt: skip
    yield "problems", data.problems, PROBLEM_COLUMNS, "What is not as it should be", None


def list_player_tables(data: GameData) -> Iterator[TableParts]:
    """Yield the tables of players, lines and pairs; skaters by time on ice, or by points if no time is known."""
    is_game = f"game_id={data.game['game_id']}"
    own = f"{is_game}&situation={ALL_SITUATIONS}"
    for side in SIDES:
        rows = data.skaters.filter(pl.col("is_home") == (side == "home"))
        if rows["time_on_ice_s"].is_null().all():
            rows = rows.sort("points", "goals", "shots_on_goal", descending=True, nulls_last=True, maintain_order=True)
        caption = f"Skaters of {data.game[f'{side}_team_abbrev']}"
        yield f"{side}_skaters", rows, SKATER_COLUMNS, caption, Source("gold.skater_game", own, ("player_id",))
    yield "goalies", data.goalies, GOALIE_COLUMNS, "Goalies", Source("gold.goalie_game", own, ("player_id",))
    ids = ("first_player_id", "second_player_id", "third_player_id")
    lines, pairs = (
        rows.filter(pl.int_range(pl.len()).over("is_home") < most)
        for rows, most in ((data.lines, MAX_LINES), (data.pairs, MAX_PAIRS))
    )
    yield "lines", lines, LINE_COLUMNS, "Lines at 5 on 5", Source("gold.line_game", is_game, ids)
    yield "pairs", pairs, PAIR_COLUMNS, "Pairs at 5 on 5", Source("gold.pair_game", is_game, ids[:2])


def order_situations(teams: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of teams by situation, `all` first; without situations that did not occur."""
    order = [ALL_SITUATIONS, *SITUATIONS]
    occurred = (pl.col("time_on_ice_s").fill_null(1) > 0) | (pl.col("situation") == ALL_SITUATIONS)
    return teams.filter(occurred).sort(pl.col("situation").cast(pl.Enum(order)), "is_home")


def describe_penalties(data: GameData) -> pl.DataFrame:
    """Return the penalties with what their table shows in words: when, whose."""
    home, away = (pl.lit(data.game[f"{side}_team_abbrev"]) for side in ("home", "away"))
    bench = pl.when(pl.col("penalised_player_id").is_null()).then(pl.lit("bench"))
    return add_times(data.penalties).with_columns(
        team_abbrev=pl.when("is_home").then(home).when(~pl.col("is_home")).then(away),
        player=bench.otherwise("player"),
    )


def add_times(rows: pl.DataFrame) -> pl.DataFrame:
    """Add `when`: the period and the time in it, 2 12:34; the period alone if the time is unknown."""
    named = add_period_names(rows)
    clock = pl.col("period_seconds").map_elements(format_clock, return_dtype=pl.String)
    return named.with_columns(when=pl.concat_str("period_name", clock, separator=" ", ignore_nulls=True))


def add_period_names(rows: pl.DataFrame) -> pl.DataFrame:
    """Add `period_name`: 1, 2, 3, OT, 2OT, SO."""
    number = pl.col("period").cast(pl.Int32)
    overtime = pl.when(number == 4).then(pl.lit("OT")).otherwise(pl.format("{}OT", number - 3))
    regular = pl.when(pl.col("period_type") == "REG").then(number.cast(pl.String))
    return rows.with_columns(
        period_name=regular.when(pl.col("period_type") == "SO").then(pl.lit("SO")).otherwise(overtime)
    )


def describe_goals(goals: pl.DataFrame) -> pl.DataFrame:
    """Add what the table of goals shows in words: when, the score after it, the assists, the strength."""
    empty = pl.when("is_opponent_net_empty").then(pl.lit(" EN")).otherwise(pl.lit(""))
    return add_times(goals).with_columns(
        score=pl.format("{}–{}", "away_score", "home_score"),
        assists=pl.concat_str("assist1", "assist2", "assist3", separator=", ", ignore_nulls=True).replace("", None),
        strength=pl.col("strength_state") + empty,
    )


def render_matrices(data: GameData) -> Iterator[Markup]:
    """Yield the minutes against each other, and together for each team; nothing without shifts."""
    home, away = (order_skaters(data, side) for side in ("home", "away"))
    names = {
        player: game_clock.shorten_name(name, player)
        for player, name in data.skaters.select("player_id", "player").iter_rows()
    }
    against = {(one, other): seconds for one, other, seconds in data.matchups.against.iter_rows()}
    if not against:
        return
    home_letters, away_letters = data.game["home_team_abbrev"], data.game["away_team_abbrev"]
    caption = f"Minutes at 5 on 5: {home_letters} (rows) against {away_letters} (columns)"
    yield matrix.render_matrix(home, away, against, names, caption=caption, side="home")
    for side, order, team in (("home", home, home_letters), ("away", away, away_letters)):
        own = data.matchups.together.filter(pl.col("is_home") == (side == "home"))
        together = {(one, other): seconds for _, one, other, seconds in own.iter_rows()}
        caption = f"Minutes at 5 on 5: {team} together"
        yield matrix.render_matrix(order, order, together, names, caption=caption, side=side)


def list_missing(data: GameData) -> dict[str, str]:
    """Return why a section has nothing to show, by section. It is empty for a complete game."""
    missing = {}
    if data.shots.is_empty():
        missing["shots"] = "The lake has no plays of this game, so there are no charts and no xG."
    elif not data.shots["xg"].is_not_null().any():
        missing["xg"] = "The plays of this game have no locations, so there is no xG."
    if data.shifts.is_empty():
        missing["shifts"] = (
            "The lake has no shifts of this game, so who was on the ice is unknown: no shift chart, no lines, no"
            " minutes together."
        )
    return missing
