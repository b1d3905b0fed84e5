"""The league as a page: standings with xG, leaders by position, goalies, all teams by xG for and against."""

from collections.abc import Sequence

import polars as pl
from markupsafe import Markup

from nhl_lake.gold.measures.situations import ALL_SITUATIONS, EVEN_SITUATION
from nhl_lake.hockey.ids import format_season
from nhl_lake.reports import goalie_columns
from nhl_lake.reports.charts.scatter import Dot, draw_scatter
from nhl_lake.reports.league import EVEN_LEADING, LEADER_POSITIONS, LEADING, REGULAR_SEASON, LeagueData
from nhl_lake.reports.page import ALONE, Place, render_page
from nhl_lake.reports.tables import NOWHERE, Source, TableColumn, drop_empty_columns, render_table

EVEN = f"situation={EVEN_SITUATION}"
ALL = f"game_type={REGULAR_SEASON}&situation={ALL_SITUATIONS}"
ALL_EVEN = f"game_type={REGULAR_SEASON}&{EVEN}"
MAX_GOALIES = 20
POSITION_NAMES = {"F": "Forwards", "D": "Defensemen"}
MEASURES = {
    "points": TableColumn("points", "P", "Points", "count"),
    "goals": TableColumn("goals", "G", "Goals", "count"),
    "xg": TableColumn("xg", "ixG", "Expected goals of the player's own attempts", "two"),
    "goals_above_expected": TableColumn("goals_above_expected", "G−xG", "Goals less expected goals", "signed"),
    "on_ice_xg_share": TableColumn(
        "on_ice_xg_share", "5v5 xG%", "Share of expected goals while on the ice, at 5 on 5", "percent", where=EVEN
    ),
}
MEASURE_TITLES = {
    "points": "Points", "goals": "Goals", "xg": "Expected goals", "goals_above_expected": "Goals above expected",
    "on_ice_xg_share": "Share of xG on the ice, 5 on 5",
}  # fmt: skip
PLAYER_COLUMNS = (
    TableColumn("player", "Player", kind="player", key="player_id"),
    TableColumn("team_abbrev", "Team", kind="team"),
    TableColumn("games", "GP", "Games played", "count"),
)
XG_COLUMNS = tuple(
    TableColumn(name, title, about, form, table="gold.team_season", where=where, column=column)
    for name, title, about, form, where, column in (
        ("xg", "xGF", "Expected goals for, of the games in the lake", "two", ALL, "xg"),
        (
            "xg_against", "xGA", "Expected goals against, of the games in the lake", "two",
            ALL, "xg_against",
        ),
        ("xg_share", "xG%", "Share of expected goals", "percent", ALL, "xg_share"),
        ("even_xg_share", "5v5 xG%", "Share of expected goals at 5 on 5", "percent", ALL_EVEN, "xg_share"),
    )
)  # fmt: skip
STANDING_COLUMNS: Sequence[TableColumn] = (
    TableColumn("team_abbrev", "Team", kind="team"),
    TableColumn("place", "#", "Place in the league"),
    TableColumn("games", "GP", "Games played", "count"),
    TableColumn("wins", "W", "Wins", "count"),
    TableColumn("losses", "L", "Losses", "count"),
    TableColumn("overtime_losses", "OTL", "Losses in overtime or the shootout", "count"),
    TableColumn("points_won", "Pts", "Points", "count"),
    TableColumn("point_share", "P%", "Points as a share of those possible", "share"),
    TableColumn("goals_for", "GF", "Goals for, as in the standings", "count"),
    TableColumn("goals_allowed", "GA", "Goals against, as in the standings", "count"),
    TableColumn("goal_difference", "Diff", "Goals for less goals against", "difference"),
    TableColumn("last_10", "Last 10", "Wins, losses, overtime losses of the last ten games"),
    *XG_COLUMNS,
    TableColumn("division", "Division"),
    TableColumn("team_name", "Name"),
)
GOALIE_COLUMNS: Sequence[TableColumn] = (
    *PLAYER_COLUMNS,
    *goalie_columns.SEASON_COLUMNS,
    TableColumn("goals_against", "GA", "Goals against", "count"),
    goalie_columns.SAVED_ABOVE_EXPECTED,
    goalie_columns.LIKELY_OWN,
)
TEAM_COLUMNS: Sequence[TableColumn] = (
    TableColumn("team_abbrev", "Team", kind="team"),
    TableColumn("games", "GP", "Games", "count"),
    TableColumn("xg", "xGF/GP", "Expected goals for a game, at 5 on 5", "two", per="games"),
    TableColumn("xg_against", "xGA/GP", "Expected goals against a game, at 5 on 5", "two", per="games"),
    TableColumn("xg_share", "xG%", "Share of expected goals, at 5 on 5", "percent"),
)


def render_league(data: LeagueData, place: Place = ALONE) -> str:
    """Return the page of the league as HTML."""
    return render_page(
        "league.html.j2",
        place,
        title=f"The league, {format_season(data.season)}",
        standings=render_standings(data, place),
        standings_note=describe_standings(data),
        scatter=draw_teams(data.teams),
        teams=render_teams(data, place),
        leaders=render_leaders(data, place),
        goalies=render_goalies(data, data.goalies.head(MAX_GOALIES), "Goalies", place),
        other_goalies=render_goalies(data, data.goalies.slice(MAX_GOALIES), "Other goalies", place),
        min_games=data.min_games,
        has_shifts=any(data.leaders[position, name].height for position in LEADER_POSITIONS for name in EVEN_LEADING),
    )


def render_standings(data: LeagueData, place: Place) -> Markup:
    """Return the standings; of the NHL's, every number is in silver.standings."""
    if data.standings.is_empty():
        return Markup()
    rows = data.standings.with_row_index("place", 1)
    if data.standings_day is None:
        rows = rows.with_columns(last_10=pl.lit(None, pl.String))
    else:
        last = pl.format("{}–{}–{}", "last_10_wins", "last_10_losses", "last_10_overtime_losses")
        rows = rows.with_columns(last_10=last)
    source = Source("gold.team_season", f"season={data.season}", ("team_abbrev",))
    columns = [describe_source(column, data) for column in drop_empty_columns(rows, STANDING_COLUMNS)]
    return render_table(rows, columns, caption="Standings", source=source, link=place.link)


def describe_source(column: TableColumn, data: LeagueData) -> TableColumn:
    """Return where a column of the standings is in the lake: xG in gold, the rest in the NHL's standings or nowhere."""
    if column.table:
        return column
    if data.standings_day is None:
        return column._replace(column=NOWHERE)
    return column._replace(table="silver.standings", where=f"game_date={data.standings_day}")


def describe_standings(data: LeagueData) -> str:
    """Return whose standings these are."""
    if data.standings_day is not None:
        counts = sorted(set(data.standings["counted_games"].drop_nulls()))
        games = f", {' to '.join(map(str, {counts[0]: 0, counts[-1]: 0}))} a team" if counts else ""
        return f"The NHL's standings of {data.standings_day}. The columns with xG cover the games in the lake{games}."
    day = f" to {data.last_game_day}" if data.last_game_day else ""
    return f"Counted from the games in the lake{day}: the lake has no newer standings. Order: points, then fewer games."


def draw_teams(teams: pl.DataFrame) -> Markup:
    """Return all teams by xG for and against a game at 5 on 5."""
    known = teams.filter(pl.col("xg").is_not_null(), pl.col("games") > 0)
    dots = [
        Dot(name, xg / games, against / games)
        for name, games, xg, against in known.select("team_abbrev", "games", "xg", "xg_against").iter_rows()
    ]
    if len(dots) < 2:
        return Markup()
    return draw_scatter(
        dots,
        title="Teams by expected goals at 5 on 5",
        axes=("expected goals for a game, 5 on 5", "expected goals against a game: fewer on top"),
        corners=("creates much, allows little", "creates little, allows much"),
    )


def render_teams(data: LeagueData, place: Place) -> Markup:
    """Return the numbers of the scatter."""
    where = f"season={data.season}&game_type={REGULAR_SEASON}&{EVEN}"
    source = Source("gold.team_season", where, ("team_id",))
    rows = data.teams.sort("xg_share", "team_abbrev", descending=[True, False], nulls_last=True)
    return render_table(rows, TEAM_COLUMNS, caption="Teams at 5 on 5", source=source, link=place.link)


def render_leaders(data: LeagueData, place: Place) -> list[tuple[str, list[tuple[str, Markup]]]]:
    """Return the tables of leaders: for each position its name, and title and table of each measure."""
    where = f"season={data.season}&game_type={REGULAR_SEASON}&is_total=true&situation={ALL_SITUATIONS}"
    source = Source("gold.skater_season", where, ("player_id",))
    found = []
    for position in LEADER_POSITIONS:
        tables = []
        for measure in (*LEADING, *EVEN_LEADING):
            rows, title = data.leaders[position, measure], MEASURE_TITLES[measure]
            if rows.height:
                caption = f"{POSITION_NAMES[position]}: {title}"
                columns = (*PLAYER_COLUMNS, MEASURES[measure])
                tables.append((title, render_table(rows, columns, caption=caption, source=source, link=place.link)))
        found.append((POSITION_NAMES[position], tables))
    return found


def render_goalies(data: LeagueData, rows: pl.DataFrame, caption: str, place: Place) -> Markup:
    """Return goalies by goals saved above expected."""
    if rows.is_empty():
        return Markup()
    where = f"season={data.season}&game_type={REGULAR_SEASON}&is_total=true&situation={ALL_SITUATIONS}"
    source = Source("gold.goalie_season", where, ("player_id",))
    columns = drop_empty_columns(data.goalies, GOALIE_COLUMNS)
    return render_table(rows, columns, caption=caption, source=source, link=place.link)
