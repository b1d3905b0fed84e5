"""A team as a page: record, rolling xG, roster, games, lines and pairs, shot maps, ranks."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl
from markupsafe import Markup

from nhl_lake.gold.measures.situations import ALL_SITUATIONS, EVEN_SITUATION
from nhl_lake.hockey.calendar import EASTERN
from nhl_lake.hockey.ids import format_season
from nhl_lake.reports import goalie_columns
from nhl_lake.reports.charts import half_rink, series
from nhl_lake.reports.colors import pick_team_colors
from nhl_lake.reports.page import ALONE, Place, render_page
from nhl_lake.reports.player import add_results, add_type_names
from nhl_lake.reports.player_page import TOGETHER_COLUMNS, TYPE, name_type, name_types
from nhl_lake.reports.tables import FORMATS, Source, TableColumn, drop_empty_columns, render_table
from nhl_lake.reports.team import TeamData
from nhl_lake.reports.tiles import Tile, render_tiles
from nhl_lake.text import format_count

MAX_LINES, MAX_PAIRS, MAX_NEXT_GAMES, MAX_LAST_GAMES = 10, 8, 5, 10
WINDOW_GAMES = 10
EVEN = f"situation={EVEN_SITUATION}"
PLAYER = TableColumn("player", "Player", kind="player", key="player_id")
NUMBER = TableColumn("sweater_number", "#", "Number on the newest roster page")
GAMES_PLAYED = TableColumn("games", "GP", "Games played for this team", "count")
SKATER_COLUMNS: Sequence[TableColumn] = (
    PLAYER,
    NUMBER,
    TableColumn("position", "Pos"),
    GAMES_PLAYED,
    TableColumn("goals", "G", "Goals", "count"),
    TableColumn("assists", "A", "Assists", "count"),
    TableColumn("points", "P", "Points", "count"),
    TableColumn("shots_on_goal", "SOG", "Shots on goal", "count"),
    TableColumn("xg", "ixG", "Expected goals of the player's own attempts", "two"),
    TableColumn("goals_above_expected", "G−xG", "Goals less expected goals", "signed"),
    TableColumn(
        "even_on_ice_xg_share", "xG%", "Share of expected goals while on the ice, at 5 on 5", "percent",
        column="on_ice_xg_share", where=EVEN,
    ),
    TableColumn("time_on_ice_s", "TOI/GP", "Time on ice a game", "clock", per="games_with_time"),
    TableColumn("penalty_minutes", "PIM", "Penalty minutes", "count"),
)  # fmt: skip
GOALIE_COLUMNS: Sequence[TableColumn] = (
    PLAYER,
    NUMBER,
    GAMES_PLAYED,
    *goalie_columns.SEASON_COLUMNS,
    goalie_columns.SAVED_ABOVE_EXPECTED,
)
GAME_COLUMNS: Sequence[TableColumn] = (
    TableColumn("game_date", "Date", kind="day"),
    TableColumn("opponent", "Against", kind="team", key="opponent_abbrev"),
    TableColumn("score_text", "Result", kind="game", key="game_id"),
    TYPE,
    TableColumn("xg", "xG", "Expected goals", "two"),
    TableColumn("xg_against", "xGA", "Expected goals against", "two"),
    TableColumn(
        "even_xg_share", "5v5 xG%", "Share of expected goals at 5 on 5", "percent", column="xg_share", where=EVEN
    ),
    TableColumn("shots_on_goal", "SOG", "Shots on goal", "count"),
    TableColumn("shots_on_goal_against", "SA", "Shots on goal against", "count"),
    TableColumn("power_play", "PP", "Power plays with a goal, of all"),
)  # fmt: skip
NEXT_COLUMNS: Sequence[TableColumn] = (
    TableColumn("game_date", "Date", kind="day"),
    TableColumn("time", "ET", "Start in New York"),
    TableColumn("opponent", "Against", kind="team", key="opponent_abbrev"),
    TableColumn("chance", "Chance to win", "Probability that this team wins, by the newest prediction"),
)
STRENGTH_COLUMNS: Sequence[TableColumn] = (
    TYPE,
    TableColumn("situation", "Strength"),
    TableColumn("games", "GP", "Games", "count"),
    TableColumn("goals", "GF", "Goals for", "count"),
    TableColumn("goals_against", "GA", "Goals against", "count"),
    TableColumn("xg", "xGF", "Expected goals for", "two"),
    TableColumn("xg_against", "xGA", "Expected goals against", "two"),
    TableColumn("xg_share", "xG%", "Share of expected goals", "percent"),
    TableColumn("attempt_share", "CF%", "Share of shot attempts (Corsi)", "percent"),
    TableColumn("xg_per_60", "xGF/60", "Expected goals for per 60 minutes, of games with shifts", "two"),
    TableColumn("xg_against_per_60", "xGA/60", "Expected goals against per 60 minutes, of games with shifts", "two"),
    TableColumn("shooting_share", "SH%", "Goals as a share of shots on goal", "percent"),
    TableColumn("save_share", "SV%", "Saves as a share of shots against", "share"),
    TableColumn("high_danger_attempts", "HDF", "High-danger attempts for", "count"),
    TableColumn("high_danger_attempts_against", "HDA", "High-danger attempts against", "count"),
)
RANK_COLUMNS: Sequence[TableColumn] = (
    TableColumn("label", "Measure"),
    TableColumn("rank", "Rank"),
    TableColumn("shown", "Value"),
)
RANK_LABELS = {
    "point_share": ("Share of points", "percent"),
    "xg_share": ("Share of xG at 5 on 5", "percent"),
    "goals_per_game": ("Goals a game", "two"),
    "goals_against_per_game": ("Goals against a game", "two"),
    "xg_per_game": ("xG a game", "two"),
    "xg_against_per_game": ("xG against a game", "two"),
    "power_play_share": ("Power plays with a goal", "percent"),
    "penalty_kill_share": ("Penalties killed", "percent"),
    "goals_above_expected": ("Finishing: goals less xG", "signed"),
    "goals_saved_above_expected": ("Goals saved above expected", "signed"),
}


def render_team(data: TeamData, place: Place = ALONE) -> str:
    """Return the page of a team as HTML."""
    letters = str(data.team["team_abbrev"])
    ranks = {row["measure"]: row for row in data.ranks.iter_rows(named=True)}
    return render_page(
        "team.html.j2",
        place,
        title=f"{data.team['team_name'] or letters}, {format_season(data.season)}",
        team=data.team,
        season=data.season,
        type_name=name_type(data.summary["game_type"]),
        standing=describe_standing(data.standing),
        colors=pick_team_colors(letters, letters),
        tiles=render_tiles(list_tiles(data, ranks)),
        charts=defaultdict(Markup, draw_charts(data)),
        tables=defaultdict(Markup, render_tables(data, place)),
        is_per_60=data.rolling["rolling_xg_for_per_60"].is_not_null().sum() > 1,
        missing=list_missing(data),
    )


def describe_standing(standing: dict[str, Any] | None) -> str:
    """Return a team's place in the NHL's newest standings, with their day; empty without standings."""
    if standing is None:
        return ""
    record = "–".join(str(standing[name]) for name in ("wins", "losses", "overtime_losses"))
    place = f"{format_rank(standing['division_rank'])} of the {standing['division']}" if standing["division"] else ""
    parts = [f"{record}, {standing['points_won']} points", place, f"standings of {standing['game_date']}"]
    return " · ".join(part for part in parts if part)


def format_rank(rank: int | None) -> str:
    """Return a rank as a word: 1st, 2nd, 3rd, 4th."""
    if rank is None:
        return ""
    ending = "th" if rank % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    return f"{rank}{ending}"


def list_tiles(data: TeamData, ranks: dict[str, dict[str, Any]]) -> Iterator[Tile]:
    """Yield the numbers at the top, each with its rank in the league."""
    summary = data.summary
    key = f"season={data.season}&game_type={summary['game_type']}&team_id={data.team['team_id']}"
    total, even = (
        Source("gold.team_season", f"{key}&situation={name}", ()) for name in (ALL_SITUATIONS, EVEN_SITUATION)
    )
    saved = Source("gold.goalie_season", f"{key}&is_total=false&situation={ALL_SITUATIONS}", ())
    counts = [summary[name] for name in ("wins", "losses", "overtime_losses")]
    record = None if None in counts else "–".join(map(str, counts))
    yield Tile(TableColumn("record", "Record", "Wins, losses, overtime losses in the lake", "text"), {"record": record})
    tiles = (
        ("xg_share", "5v5 xG%", "Share of expected goals at 5 on 5", "percent", even),
        ("power_play_share", "PP%", "Power plays with a goal", "percent", None),
        ("penalty_kill_share", "PK%", "Penalties killed without a goal", "percent", None),
        ("goals_saved_above_expected", "GSAx", "Goals that the goalies saved above expected", "signed", saved),
        ("goals_above_expected", "Finishing", "Goals above expected", "signed", total),
        ("xg_per_game", "xG/GP", "Expected goals a game", "two", total),
        ("xg_against_per_game", "xGA/GP", "Expected goals against a game", "two", total),
    )
    for name, title, about, form, source in tiles:
        if summary[name] is None:
            continue
        note = f"{format_rank(ranks[name]['rank'])} of {ranks[name]['teams']}" if name in ranks else ""
        per = "games" if name.endswith("_per_game") else ""
        column = TableColumn(name.removesuffix("_per_game"), title, about, form, per=per)
        yield Tile(column, summary, source, note)


def draw_charts(data: TeamData) -> Iterator[tuple[str, Markup]]:
    """Yield the charts for which there are rows: name and chart."""
    yield from draw_rolling(data)
    games, teams = data.games.height, data.summary["games"] and data.league_games
    for side in ("for", "against"):
        cells = data.cells.filter(pl.col("side") == side)
        if cells.height and teams:
            chart = half_rink.draw_differences(
                cells, data.league_cells, games=games, league_games=teams, title=f"Attempts {side} beside the league's"
            )
            yield f"shots_{side}", chart


def draw_rolling(data: TeamData) -> Iterator[tuple[str, Markup]]:
    """Yield the rolling xG at 5 on 5: per 60 minutes, or a game if the ice time is unknown."""
    rates = data.rolling.filter(pl.col("rolling_xg_for_per_60").is_not_null())
    if rates.height > 1:
        values = [rates[f"rolling_xg_{side}_per_60"].to_list() for side in ("for", "against")]
        title = "Rolling xG per 60 at 5 on 5"
    else:
        rates = data.games.filter(pl.col("even_xg").is_not_null())
        means = rates.select(pl.col("even_xg", "even_xg_against").rolling_mean(WINDOW_GAMES, min_samples=3))
        values = [means[name].to_list() for name in means.columns]
        title = "Rolling xG a game at 5 on 5"
    if rates.height > 2:
        lines = [("for", "home", values[0]), ("against", "away", values[1])]
        yield "rolling", series.draw_series(rates["game_date"].to_list(), lines, title=title)


TableParts = tuple[str, pl.DataFrame, Sequence[TableColumn], str, Source | None]  # name, rows, columns, caption, source


def render_tables(data: TeamData, place: Place) -> Iterator[tuple[str, Markup]]:
    """Yield the tables for which there are rows: name and table."""
    for name, rows, columns, caption, source in (*list_player_tables(data), *list_game_tables(data)):
        if rows.height:
            shown = drop_empty_columns(rows, columns)
            shows_caption = name in {"forwards", "defense", "goalies", "lines", "pairs"}
            table = render_table(
                rows, shown, caption=caption, source=source, link=place.link, shows_caption=shows_caption
            )
            yield name, table


def list_player_tables(data: TeamData) -> Iterator[TableParts]:
    """Yield the tables of players, lines and pairs: of the regular season, or else of the playoffs."""
    kind, team_id = data.summary["game_type"], data.team["team_id"]
    key = f"season={data.season}&game_type={kind}&team_id={team_id}"
    is_kind = pl.col("game_type") == kind
    skaters, goalies = (mark_leavers(rows.filter(is_kind)) for rows in (data.skaters, data.goalies))
    own = f"{key}&is_total=false&situation={ALL_SITUATIONS}"
    source = Source("gold.skater_season", own, ("player_id",))
    yield "forwards", skaters.filter(pl.col("position").ne_missing("D")), SKATER_COLUMNS, "Forwards", source
    yield "defense", skaters.filter(pl.col("position") == "D"), SKATER_COLUMNS, "Defensemen", source
    yield "goalies", goalies, GOALIE_COLUMNS, "Goalies", Source("gold.goalie_season", own, ("player_id",))
    for name, most, partners in (
        ("lines", MAX_LINES, ("first", "second", "third")),
        ("pairs", MAX_PAIRS, ("first", "second")),
    ):
        rows = getattr(data, name).filter(is_kind).head(most)
        named = [
            TableColumn(f"{which}_player", "Player", kind="player", key=f"{which}_player_id") for which in partners
        ]
        keys = tuple(f"{which}_player_id" for which in partners)
        caption = f"{name.title()} at 5 on 5"
        yield name, rows, (*named, *TOGETHER_COLUMNS), caption, Source(f"gold.{name[:-1]}_season", key, keys)


def mark_leavers(rows: pl.DataFrame) -> pl.DataFrame:
    """Put those who are no longer on the roster behind the others, with a mark in place of the number."""
    is_gone = ~pl.col("is_on_roster").fill_null(value=True)
    number = pl.when(is_gone).then(pl.lit("gone")).otherwise(pl.col("sweater_number").cast(pl.String))
    return rows.with_columns(sweater_number=number).sort(is_gone, maintain_order=True)


def list_game_tables(data: TeamData) -> Iterator[TableParts]:
    """Yield the tables of games, strengths and ranks."""
    key = f"team_id={data.team['team_id']}"
    power_play = pl.format("{}/{}", "power_play_goals", "power_play_opportunities")
    games = name_types(add_results(data.games)).with_columns(power_play=power_play).reverse()
    source = Source("gold.team_game", f"{key}&situation={ALL_SITUATIONS}", ("game_id",))
    yield "games", games.head(MAX_LAST_GAMES), GAME_COLUMNS, "Last games, newest first", source
    yield "earlier_games", games.slice(MAX_LAST_GAMES), GAME_COLUMNS, "Earlier games", source
    yield "next", describe_next(data.next_games.head(MAX_NEXT_GAMES)), NEXT_COLUMNS, "Next games", None
    seasons = add_type_names(data.seasons).sort(
        "game_type", pl.col("situation").cast(pl.Enum([ALL_SITUATIONS, EVEN_SITUATION, "5on4", "4on5"]))
    )
    source = Source("gold.team_season", f"season={data.season}&{key}", ("game_type", "situation"))
    yield "strengths", seasons, STRENGTH_COLUMNS, "Season by strength", source
    yield "ranks", describe_ranks(data.ranks), RANK_COLUMNS, "Ranks among all teams", None


def describe_next(games: pl.DataFrame) -> pl.DataFrame:
    """Add what a coming game is in words: the opponent, the start in New York, the probability to win."""
    where = pl.when("is_home").then(pl.lit("")).otherwise(pl.lit("@ "))
    start = pl.col("start_at").dt.convert_time_zone(EASTERN.key).dt.strftime("%H:%M")
    is_set = pl.col("schedule_state") == "OK"
    chance = pl.format("{}%", (100 * pl.col("win_probability")).round(0).cast(pl.Int32))
    return games.with_columns(
        opponent=where + pl.col("opponent_abbrev"),
        time=pl.when(is_set).then(start).otherwise(pl.lit("open")),
        chance=chance,
    )


def describe_ranks(ranks: pl.DataFrame) -> pl.DataFrame:
    """Return the ranks in words: measure, rank, value."""
    rows = [
        (label, f"{format_rank(row['rank'])} of {row['teams']}", FORMATS[form](row["value"]))
        for row in ranks.iter_rows(named=True)
        for label, form in [RANK_LABELS[row["measure"]]]
    ]
    return pl.DataFrame(rows, schema={"label": pl.String, "rank": pl.String, "shown": pl.String}, orient="row")


def list_missing(data: TeamData) -> list[str]:
    """Return a sentence for each section that has nothing to show, or not everything."""
    missing, summary = [], data.summary
    if summary["power_play_share"] is None:
        missing.append("The box scores of some games are not in the lake, so PP% and PK% are unknown.")
    with_shifts = data.seasons.filter(
        pl.col("game_type") == summary["game_type"], pl.col("situation") == ALL_SITUATIONS
    )["games_with_shifts"].sum()
    if with_shifts < summary["games"]:
        missing.append(
            f"The lake has the shifts of {with_shifts} of {format_count(summary['games'], 'game')}. Ice time, lines,"
            " pairs and rates per 60 minutes cover only these."
        )
    return missing
