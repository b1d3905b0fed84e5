"""The card of a player as a page: percentiles, seasons, shots, rolling xG, usage, games, linemates."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import polars as pl
from markupsafe import Markup

from nhl_lake.gold.measures.situations import ALL_SITUATIONS, EVEN_SITUATION
from nhl_lake.hockey.calendar import GAME_TYPES
from nhl_lake.hockey.ids import format_season
from nhl_lake.reports import goalie_columns
from nhl_lake.reports.charts import half_rink, series
from nhl_lake.reports.charts.percentile_bars import render_percentiles
from nhl_lake.reports.colors import pick_team_colors
from nhl_lake.reports.page import ALONE, Place, read_asset, render_page
from nhl_lake.reports.player import COMBINATIONS, GOALIE, PlayerData, add_type_names, list_player_keys
from nhl_lake.reports.shot_cells import shade_cells
from nhl_lake.reports.tables import FORMATS, NO_VALUE, NOWHERE, Source, TableColumn, drop_empty_columns, render_table
from nhl_lake.reports.tiles import Tile, render_tiles
from nhl_lake.text import format_count

MAX_COMBINATIONS = 8
MAX_GAMES = 20  # the earlier ones are folded
DANGERS = {"high": "high: xG of .20 or more", "medium": "medium: .08 to .20", "low": "low"}
EVEN = f"situation={EVEN_SITUATION}"
TOTAL = f"is_total=true&situation={ALL_SITUATIONS}"
GROUPS = {"C": "forwards", "L": "forwards", "R": "forwards", "D": "defensemen", "G": "goalies"}
POSITIONS = {"C": "center", "L": "left wing", "R": "right wing", "D": "defenseman", "G": "goalie"}
TYPE = TableColumn("type_name", "Type", "Regular season or playoffs")
SEASON_COLUMNS = (
    TableColumn("season_name", "Season"),
    TYPE,
    TableColumn("team", "Team", kind="team", key="team_abbrev"),
    TableColumn("games", "GP", "Games played", "count"),
)
TIME_PER_GAME = TableColumn(
    "time_on_ice_s", "TOI/GP", "Time on ice a game, of the games in which it is known", "clock", per="games_with_time"
)
EVEN_SHARES = (
    TableColumn(
        "even_on_ice_xg_share", "xG%", "Share of expected goals while on the ice, at 5 on 5", "percent",
        column="on_ice_xg_share", where=EVEN,
    ),
    TableColumn(
        "even_on_ice_attempt_share", "CF%", "Share of shot attempts (Corsi) while on the ice, at 5 on 5", "percent",
        column="on_ice_attempt_share", where=EVEN,
    ),
)  # fmt: skip
COUNTS = (
    TableColumn("goals", "G", "Goals", "count"),
    TableColumn("assists", "A", "Assists", "count"),
    TableColumn("points", "P", "Points", "count"),
    TableColumn("shots_on_goal", "SOG", "Shots on goal", "count"),
    TableColumn("xg", "ixG", "Expected goals of the player's own attempts", "two"),
)
SKATER_SEASON_COLUMNS = (
    *SEASON_COLUMNS,
    *COUNTS,
    TableColumn("goals_above_expected", "G−xG", "Goals less expected goals", "signed"),
    TIME_PER_GAME,
    *EVEN_SHARES,
    TableColumn("hits", "Hit", "Hits", "count"),
    TableColumn("penalty_minutes", "PIM", "Penalty minutes", "count"),
)
SHRUNK = "shrunk_goals_above_expected"
SKATER_ABILITY_COLUMNS: Sequence[TableColumn] = (
    *SEASON_COLUMNS[:2],
    *(
        TableColumn(name, title, about, "signed", where=TOTAL)
        for name, title, about in (
            ("goals_above_expected", "G−xG", "Goals less expected goals"),
            (SHRUNK, "Likely own", "Goals above expected that are likely the player's own: shrunk"),
            (f"{SHRUNK}_low", "from", "Low end of the 80 % interval"),
            (f"{SHRUNK}_high", "to", "High end of the 80 % interval"),
        )
    ),
    *(
        TableColumn(f"rapm_xg_per_60{end}", title, about, "signed", table="gold.skater_rapm", where=EVEN)
        for end, title, about in (
            ("", "Effect", "Effect on xG per 60 minutes at 5 on 5 (RAPM)"),
            ("_low", "from", "Low end of the 80 % interval of the effect"),
            ("_high", "to", "High end of the 80 % interval of the effect"),
        )
    ),
)
GOALIE_COUNTS = (
    TableColumn("shots_against", "SA", "Shots against", "count"),
    TableColumn("goals_against", "GA", "Goals against", "count"),
    TableColumn("save_share", "SV%", "Saves as a share of shots against", "share"),
    TableColumn("xg_against", "xGA", "Expected goals against", "two"),
    goalie_columns.SAVED_ABOVE_EXPECTED,
)
SAVED = "shrunk_goals_saved_above_expected"
GOALIE_SEASON_COLUMNS = (
    *SEASON_COLUMNS,
    TableColumn("wins", "W", "Wins", "count"),
    TableColumn("losses", "L", "Losses", "count"),
    TableColumn("overtime_losses", "OTL", "Losses in overtime or the shootout", "count"),
    *GOALIE_COUNTS,
    TIME_PER_GAME,
)
GOALIE_ABILITY_COLUMNS: Sequence[TableColumn] = (
    *SEASON_COLUMNS[:2],
    GOALIE_COUNTS[-1]._replace(where=TOTAL),
    TableColumn(
        SAVED,
        "Likely own",
        "Goals saved above expected that are likely the goalie's own: shrunk",
        "signed",
        where=TOTAL,
    ),
    TableColumn(f"{SAVED}_low", "from", "Low end of the 80 % interval", "signed", where=TOTAL),
    TableColumn(f"{SAVED}_high", "to", "High end of the 80 % interval", "signed", where=TOTAL),
)
GAME_COLUMNS = (
    TableColumn("game_date", "Date", kind="day"),
    TableColumn("opponent", "Against", kind="team", key="opponent_abbrev"),
    TableColumn("score_text", "Result", kind="game", key="game_id"),
    TYPE,
)
SKATER_GAME_COLUMNS: Sequence[TableColumn] = (
    *GAME_COLUMNS,
    TableColumn("time_on_ice_s", "TOI", "Time on ice", "clock"),
    *COUNTS,
    TableColumn("even_time_on_ice_s", "5v5", "Time on ice at 5 on 5", "clock", column="time_on_ice_s", where=EVEN),
    *(
        TableColumn(
            f"even_on_ice_xg_{side}", f"xG{letter}", f"Expected goals {side} while on the ice, at 5 on 5", "two",
            column=f"on_ice_xg_{side}", where=EVEN,
        )
        for side, letter in (("for", "F"), ("against", "A"))
    ),
    *(
        TableColumn(
            f"rolling_{side}", f"r{letter}/60", f"Rolling: xG {side} per 60 minutes, last ten games", "two",
            column=NOWHERE,
        )
        for side, letter in (("for", "F"), ("against", "A"))
    ),
    TableColumn("hits", "Hit", "Hits", "count"),
    TableColumn("penalty_minutes", "PIM", "Penalty minutes", "count"),
    TableColumn("game_score", "GS", "Game score", "two"),
)  # fmt: skip
GOALIE_GAME_COLUMNS: Sequence[TableColumn] = (
    *GAME_COLUMNS,
    TableColumn("decision", "Dec", "Decision"),
    TableColumn("time_on_ice_s", "TOI", "Time on ice", "clock"),
    *GOALIE_COUNTS,
    TableColumn(
        "running_total", "Total", "Goals saved above expected of the season up to this game", "two", column=NOWHERE
    ),
)
USAGE_COLUMNS = (
    TableColumn("type_name", "Games"),
    TableColumn("games_with_shifts", "GP", "Games with shifts in the lake", "count"),
    *(
        TableColumn(f"{kind}_time_on_ice_s", title, f"{about} a game", "clock", per="games_with_shifts")
        for kind, title, about in (
            ("even_strength", "Even", "Time at even strength"), ("power_play", "PP", "Time on the power play"),
            ("shorthanded", "SH", "Time shorthanded"),
        )
    ),
    TableColumn(
        "offensive_zone_start_share", "OZ%", "Shifts that start in the offensive zone, of those in either end zone",
        "percent",
    ),
)  # fmt: skip
TOGETHER_COLUMNS = (
    TableColumn("games", "GP", "Games together", "count"),
    TableColumn("time_together_s", "Time", "Time together at 5 on 5", "clock"),
    TableColumn("on_ice_xg_for", "xGF", "Expected goals for", "two"),
    TableColumn("on_ice_xg_against", "xGA", "Expected goals against", "two"),
    TableColumn("on_ice_xg_share", "xG%", "Share of expected goals", "percent"),
    TableColumn("on_ice_goals_for", "GF", "Goals for", "count"),
    TableColumn("on_ice_goals_against", "GA", "Goals against", "count"),
)
# the rules of the style sheet that a map needs in a file of its own
MAP_RULES = (":root", "@media(prefers-color-scheme:dark){:root", ".home{", ".rink", ".c1{")
LEAGUE_MAPS = {"F": "forwards", "D": "defensemen", GOALIE: "goalies"}  # names of files in a site
STACKS = (("even_strength", "even"), ("power_play", "power-play"), ("shorthanded", "shorthanded"))


def render_player(data: PlayerData, place: Place = ALONE) -> str:
    """Return the card of a player as HTML."""
    player, missing = data.player, list_missing(data)
    team = str(player["team_abbrev"])
    return render_page(
        "player.html.j2",
        place,
        title=f"{player['player']}, {format_season(data.season)}",
        player=player,
        season=data.season,
        is_goalie=data.is_goalie,
        about=describe_person(player),
        group=GROUPS.get(player["position"], "players"),
        type_name=name_type(data.total["game_type"]),
        compared=describe_comparison(data.percentiles),
        colors=pick_team_colors(team, team),
        tiles=render_tiles(list_tiles(data)),
        percentiles=draw_percentiles(data),
        charts=defaultdict(Markup, draw_charts(data, place)),
        tables=defaultdict(Markup, render_tables(data, place)),
        far=sum(x < half_rink.FIRST_X_FT for x in data.shots["x_ft"].to_list()),
        missing=missing,
    )


def name_types(games: pl.DataFrame) -> pl.DataFrame:
    """Add `type_name` to games: regular or playoffs; null if all are of one type, so that no column shows it."""
    if games["game_type"].n_unique() < 2:
        return games.with_columns(type_name=pl.lit(None, pl.String))
    return add_type_names(games)


def name_type(game_type: int) -> str:
    """Return the name of a game type."""
    return GAME_TYPES.get(game_type, f"game type {game_type}")


def describe_person(player: dict[str, Any]) -> str:
    """Return what is known of a player: position, number, body, birth, draft."""
    parts = [POSITIONS.get(str(player["position"]), "")]
    if player["sweater_number"] is not None:
        parts.append(f"#{player['sweater_number']}")
    if player["shoots_catches"] is not None:
        verb = "catches" if player["position"] == "G" else "shoots"
        parts.append(f"{verb} {'left' if player['shoots_catches'] == 'L' else 'right'}")
    body = [f"{player[name]} {unit}" for name, unit in (("height_cm", "cm"), ("weight_kg", "kg")) if player[name]]
    parts.append(", ".join(body))
    if player["birth_date"] is not None:
        where = ", ".join(str(player[name]) for name in ("birth_city", "birth_country") if player[name])
        parts.append(f"born {player['birth_date']}" + (f" in {where}" if where else ""))
    if player["draft_year"] is not None and player["draft_pick"] is not None:
        by = f" by {player['draft_team_abbrev']}" if player["draft_team_abbrev"] else ""
        parts.append(f"drafted {player['draft_year']}, number {player['draft_pick']}{by}")
    return " · ".join(part for part in parts if part)


def describe_comparison(rows: pl.DataFrame) -> str:
    """Return with how many players the percentiles compare."""
    most = max(rows["players"].drop_nulls().to_list(), default=0)
    return f"{most}" if most else ""


def list_tiles(data: PlayerData) -> Iterator[Tile]:
    """Yield the numbers at the top: of the season over all teams."""
    total, kind = data.total, "goalie" if data.is_goalie else "skater"
    key = f"season={data.season}&game_type={total['game_type']}&player_id={data.player['player_id']}&is_total=true"
    source = Source(f"gold.{kind}_season", f"{key}&situation={ALL_SITUATIONS}", ())
    skater = ("games", "goals", "assists", "points", "xg", "goals_above_expected", "time_on_ice_s")
    goalie = ("games", "wins", "save_share", "xg_against", "goals_saved_above_expected")
    columns: Sequence[TableColumn] = GOALIE_SEASON_COLUMNS if data.is_goalie else SKATER_SEASON_COLUMNS
    chosen = {column.name: column for column in columns}
    for name in goalie if data.is_goalie else skater:
        if total[name] is not None:
            yield Tile(chosen[name], total, source)
    if not data.is_goalie and total["even_on_ice_xg_share"] is not None:
        even = Source(source.table, f"{key}&{EVEN}", ())
        yield Tile(EVEN_SHARES[0]._replace(where="", title="5v5 xG%"), total, even)


def draw_percentiles(data: PlayerData) -> Markup:
    """Return the bars; nothing if no statistic of the player is compared."""
    known = [row for row in data.percentiles.iter_rows(named=True) if row["value"] is not None]
    if all(row["percentile"] is None for row in known):
        return Markup()
    caption = f"Percentiles among {GROUPS.get(data.player['position'], 'players')}"
    return render_percentiles(known, player_id=data.player["player_id"], caption=caption)


def draw_charts(data: PlayerData, place: Place) -> Iterator[tuple[str, Markup]]:
    """Yield the charts for which there are rows: name and chart."""
    yield from draw_shots(data, place)
    if data.is_goalie:
        days, total = read_known(data.games, "running_total")
        if len(days) > 1:
            title = "Goals saved above expected, running total"
            yield "rolling", series.draw_series(days, [("GSAx", "home", total[0])], title=title, has_zero=True)
        return
    days, rates = read_known(data.games, "rolling_for", "rolling_against")
    if len(days) > 1:
        lines = [("for", "home", rates[0]), ("against", "away", rates[1])]
        yield "rolling", series.draw_series(days, lines, title="Rolling xG per 60 at 5 on 5")
    days, times = read_known(data.games, *(f"{kind}_time_on_ice_s" for kind, _ in STACKS))
    if len(days) > 1:
        stacks = [(name, seconds) for (_, name), seconds in zip(STACKS, times, strict=True)]
        yield "minutes", series.draw_minutes(days, stacks, title="Minutes by game")


def read_known(games: pl.DataFrame, *names: str) -> tuple[list[date], list[list[Any]]]:
    """Return the days of the games in which the first of some columns is known, and the columns' values there."""
    columns = [games[name].to_list() for name in names]
    known = [number for number, value in enumerate(columns[0]) if value is not None]
    days = games["game_date"].to_list()
    return [days[number] for number in known], [[column[number] for number in known] for column in columns]


def draw_shots(data: PlayerData, place: Place) -> Iterator[tuple[str, Markup]]:
    """Yield the map of the player's attempts, or of those that a goalie faced, and that of the league."""
    if data.shots.is_empty():
        return
    name, group = str(data.player["player"]), GROUPS.get(data.player["position"], "players")
    columns = (data.shots[column].to_list() for column in half_rink.Attempt._fields)
    shots = [half_rink.Attempt(*values) for values in zip(*columns, strict=True)]
    if data.is_goalie:
        goals = [shot for shot in shots if shot.is_goal]
        about = half_rink.describe_counts(int(data.cells["attempts"].sum()), int(data.cells["goals"].sum()))
        cells = shade_cells(data.cells)
        yield "shots", half_rink.draw_cells(cells, title=f"Attempts that {name} faced", about=about, goals=goals)
    else:
        yield "shots", half_rink.draw_attempts(shots, title=f"Attempts of {name}")
    kind = LEAGUE_MAPS["G" if data.is_goalie else "D" if group == "defensemen" else "F"]
    title = f"Attempts, all {group}"
    yield (
        "league_shots",
        half_rink.draw_cells(data.league_cells, title=title)
        if place.is_alone
        else Markup('<img class="map" src="{}{}{}.svg" alt="{}">').format(place.base, kind, data.season, title),
    )


def render_league_map(cells: pl.DataFrame, _: Place) -> str:
    """Return the map of the attempts of a group as a file: all cards of a site show it, so it is drawn once."""
    style = "".join(line for line in read_asset("style.css").splitlines() if line.startswith(MAP_RULES))
    return half_rink.make_file(half_rink.draw_cells(cells, title="Attempts"), style)


def render_tables(data: PlayerData, place: Place) -> Iterator[tuple[str, Markup]]:
    """Yield the tables for which there are rows: name and table."""
    player_id = data.player["player_id"]
    own = f"player_id={player_id}&situation={ALL_SITUATIONS}"
    kind = "goalie" if data.is_goalie else "skater"
    keys = ("season", "game_type", "team_id", "is_total")
    source = Source(f"gold.{kind}_season", own, keys)
    columns = drop_empty_columns(data.seasons, GOALIE_SEASON_COLUMNS if data.is_goalie else SKATER_SEASON_COLUMNS)
    yield "seasons", render_table(data.seasons, columns, caption="Seasons", source=source, link=place.link)
    games = name_types(data.games).reverse()
    source = Source(f"gold.{kind}_game", own, ("game_id",))
    columns = drop_empty_columns(games, GOALIE_GAME_COLUMNS if data.is_goalie else SKATER_GAME_COLUMNS)
    for name, part, caption in (
        ("games", games.head(MAX_GAMES), "Games, newest first"),
        ("earlier_games", games.slice(MAX_GAMES), "Earlier games"),
    ):
        if part.height:
            yield name, render_table(part, columns, caption=caption, source=source, link=place.link)
    yield "dangers", render_dangers(data)
    yield from render_season_tables(data)
    yield from render_combinations(data, place)


def render_season_tables(data: PlayerData) -> Iterator[tuple[str, Markup]]:
    """Yield the tables of seasons over all teams: goals above expected, and minutes a game."""
    own, table = (
        f"player_id={data.player['player_id']}",
        "gold.goalie_season" if data.is_goalie else "gold.skater_season",
    )
    source = Source(table, own, ("season", "game_type"))
    shrunk, columns = (SAVED, GOALIE_ABILITY_COLUMNS) if data.is_goalie else (SHRUNK, SKATER_ABILITY_COLUMNS)
    rated = data.seasons.filter(pl.col("is_total") & pl.col(shrunk).is_not_null())
    if rated.height:
        shown = drop_empty_columns(rated, columns)
        yield "ability", render_table(rated, shown, caption="Goals above expected that are likely own", source=source)
    if data.is_goalie:
        return
    is_used = pl.col("even_strength_time_on_ice_s").is_not_null()
    used = data.seasons.filter((pl.col("season") == data.season) & pl.col("is_total") & is_used)
    if used.height:
        shown = drop_empty_columns(used, USAGE_COLUMNS)
        source = Source(table, f"{own}&{TOTAL}", ("season", "game_type"))
        yield "usage", render_table(used, shown, caption="Minutes a game", source=source)


def render_combinations(data: PlayerData, place: Place) -> Iterator[tuple[str, Markup]]:
    """Yield the lines and pairs of a skater, those with the most time."""
    for name, (table, partners) in COMBINATIONS.items():
        rows = getattr(data, name).head(MAX_COMBINATIONS)
        if rows.is_empty():
            continue
        mates = [
            TableColumn(f"mate_{number}", "With" if number == 1 else "and", kind="player", key=f"mate_{number}_id")
            for number in range(1, len(partners))
        ]
        columns = (*mates, *TOGETHER_COLUMNS, TYPE)
        source = Source(table, "", ("season", "game_type", "team_id", *list_player_keys(partners)))
        caption = f"{name.title()} at 5 on 5"
        yield (
            name,
            render_table(rows, columns, caption=caption, source=source, link=place.link, shows_caption=True),
        )


def render_dangers(data: PlayerData) -> Markup:
    """Return attempts, xG and goals by danger, of the season; each number says where it is in the lake."""
    end, kind = ("_against", "goalie") if data.is_goalie else ("", "skater")
    where = f"season={data.season}&game_type={data.total['game_type']}&player_id={data.player['player_id']}"
    source = f'data-from="gold.{kind}_season" data-where="{where}&is_total=true&situation={ALL_SITUATIONS}"'
    measures = (("attempts", "Attempts", "count"), ("xg", "xG", "two"), ("goals", "Goals", "count"))

    def render_cell(column: str, form: str) -> str:
        value = data.total[column]
        shown = NO_VALUE if value is None else FORMATS[form](value)
        return f'<td class=n {source} data-column="{column}">{shown}'

    body = "".join(
        f'<tr><th scope="row">{about}'
        + "".join(render_cell(f"{danger}_danger_{what}{end}", form) for what, _, form in measures)
        for danger, about in DANGERS.items()
    )
    head = "".join(f'<th scope="col" class="n">{title}' for _, title, _ in measures)
    caption = f"Unblocked attempts of the {name_type(data.total['game_type'])} by danger"
    return Markup(
        f'<table class="plain"><caption>{caption}</caption>'
        f'<thead><tr><th scope="col">Danger{head}</thead><tbody>{body}</tbody></table>'
    )


def list_missing(data: PlayerData) -> list[str]:
    """Return a sentence for each section that has nothing to show, or not everything."""
    missing, total = [], data.total
    games = format_count(total["games"], "game")
    if data.is_goalie and total["games_with_time"] < total["games"]:
        missing.append(
            f"The ice time is known in {total['games_with_time']} of {games}. Percentiles need it, and rates cover only"
            " these."
        )
    elif not data.is_goalie and total["games_with_shifts"] < total["games"]:
        missing.append(
            f"The lake has the shifts of {total['games_with_shifts']} of {games}. What is on the ice, minutes by"
            " strength, lines and rolling xG cover only these."
        )
    if data.shots.is_empty():
        missing.append("The lake has no attempts with a place, so there is no shot map.")
    return missing
