"""Leaders of a season: skaters or goalies by any column of their season."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import NamedTuple

import polars as pl

from nhl_lake.errors import BadInput
from nhl_lake.gold.goalie_season import GOALIE_SEASON
from nhl_lake.gold.measures.situations import ALL_SITUATIONS
from nhl_lake.gold.measures.stint_xg import REGULAR_SEASON
from nhl_lake.gold.skater_game import SHIFT_COUNTS
from nhl_lake.gold.skater_rapm import SKATER_RAPM
from nhl_lake.gold.skater_season import SKATER_SEASON
from nhl_lake.hockey.ids import format_season
from nhl_lake.queries.coverage import describe_game_type, describe_seasons, list_seasons
from nhl_lake.queries.team import require_known_team
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

POSITIONS: Mapping[str, tuple[str, ...]] = {
    "C": ("C",), "L": ("L",), "R": ("R",), "D": ("D",), "F": ("C", "L", "R"), "G": ("G",),
}  # fmt: skip
SHORT_NAMES = {
    "g": "goals", "a": "assists", "p": "points", "sog": "shots_on_goal", "shots": "shots_on_goal",
    "toi": "time_on_ice_s", "corsi": "on_ice_attempt_share", "fenwick": "on_ice_unblocked_attempt_share",
    "ixg": "xg", "xgf%": "on_ice_xg_share", "gax": "goals_above_expected", "gsax": "goals_saved_above_expected",
}  # fmt: skip
RATES = ("_share", "_per_60", "_per_game")
SHIFT_STATISTICS = ("on_ice_", "off_ice_", "offensive_zone_start_share", "game_score")
MIN_GAMES_SHARE = 0.25  # as a share of the most games of any player: a rate over fewer games says little
SKATER_COLUMNS = ("games", "goals", "assists", "points", "shots_on_goal", "xg", "time_on_ice_s")
GOALIE_COLUMNS = (
    "games", "wins", "losses", "overtime_losses", "saves", "goals_against", "save_share",
    "goals_saved_above_expected", "time_on_ice_s",
)  # fmt: skip
SHOWN_COLUMNS: Mapping[str, tuple[str, ...]] = {
    SKATER_SEASON.name: SKATER_COLUMNS,
    GOALIE_SEASON.name: GOALIE_COLUMNS,
    SKATER_RAPM.name: ("games", "time_on_ice_s"),
}


class Leaders(NamedTuple):
    """The leaders: the column, the season, the situation, the required number of games, and one row per player.

    reason: why there are no rows; empty if there are.
    """

    table: Table
    column: str
    season: int
    situation: str
    min_games: int
    rows: pl.DataFrame
    reason: str = ""


class Choice(NamedTuple):
    """Which players to rank, and by what: a column, a position, a team, a season, a game type and a situation."""

    by: str | None = None
    position: str | None = None
    team: str | None = None
    season: int | None = None
    game_type: int = 2
    situation: str = ALL_SITUATIONS
    min_games: int | None = None


def rank_leaders(root: Location, choice: Choice, count: int) -> Leaders:
    """Return the players with the highest values of a column in a season (by default the newest), highest first.

    Without a team the rows are those over all of a player's teams. Of a rate, players of few games are left out.
    """
    positions = find_positions(choice.position)
    table, column = find_statistic(choice.by, choice.position)
    season, rows = read_season(root, table, choice)
    situations = next(column.values for column in table.columns if column.name == "situation")
    situation = choice.situation
    if situation == ALL_SITUATIONS:  # effects are by situation only
        situation = situations[0]
    if situation not in situations:
        raise BadInput(f"There is no situation '{situation}'.", f"There are {', '.join(situations)}.")
    rows = rows.filter(pl.col("situation") == situation)
    min_games = choice.min_games
    if min_games is None:
        most = rows.select(pl.col("games").max()).item() or 1
        min_games = round(MIN_GAMES_SHARE * most) if column.endswith(RATES) else 1
    is_known = rows[column].is_not_null().any()
    if choice.team is not None:
        rows = rows.filter(pl.col("team_abbrev") == choice.team.upper())
    if "is_total" in rows.columns:
        rows = rows.filter("is_total" if choice.team is None else ~pl.col("is_total"))
    if positions and "position" in rows.columns:
        rows = rows.filter(pl.col("position").is_in(positions))
    shown = SHOWN_COLUMNS[table.name]
    names = ["player", "player_id", "team_abbrev", *(["position"] if "position" in rows.columns else []), *shown]
    ranked = (
        rows.filter(pl.col(column).is_not_null(), pl.col("games") >= min_games)
        .sort(column, "games", "player_id", descending=[True, False, False])
        .head(count)
        .select(list(dict.fromkeys([*names, column])))
    )
    found = Leaders(table, column, season, situation, min_games, ranked)
    if ranked.height:
        return found
    return found._replace(
        reason=explain_too_few(rows, found) if is_known else explain_unknown(root, found, choice.game_type)
    )


def explain_too_few(rows: pl.DataFrame, found: Leaders) -> str:
    """Return why none of the chosen players leads in a statistic that others have."""
    most = rows.filter(pl.col(found.column).is_not_null()).select(pl.col("games").max()).item()
    if most is None:
        return f"None of these players has {found.column}."
    return f"None of these players has {found.min_games} games; the most are {most}: --min-games {most}."


def explain_unknown(root: Location, found: Leaders, game_type: int) -> str:
    """Return why no player of a season has a statistic."""
    played = delta_tables.scan_table(root, SKATER_SEASON).filter(season=found.season, game_type=game_type)
    has_shifts = played.select((pl.col("games_with_shifts") > 0).any()).collect().item()
    what = f"No player of {format_season(found.season)} has {found.column}"
    if needs_shifts(found.table, found.column) and not has_shifts:
        return f"{what}: it is counted from shifts, and the lake has no shifts of these games."
    if found.table is SKATER_RAPM:
        return f"{what} at {found.situation}: too few games have shifts and xG, or it is of another situation only."
    return f"{what}: the lake's pages of these games do not record what it needs."


def needs_shifts(table: Table, column: str) -> bool:
    """Whether a statistic is counted from who was on the ice, or from shift starts."""
    return table is SKATER_RAPM or column.startswith(SHIFT_STATISTICS) or column.removesuffix("_per_60") in SHIFT_COUNTS


def find_positions(letter: str | None) -> tuple[str, ...]:
    """Return the positions that a letter stands for; empty without a letter."""
    if letter is None:
        return ()
    if letter.upper() not in POSITIONS:
        raise BadInput(
            f"There is no position '{letter}'.", "There are C, L, R, D, G, and F for all forwards: --position D."
        )
    return POSITIONS[letter.upper()]


def find_statistic(name: str | None, position: str | None) -> tuple[Table, str]:
    """Return the table and the column with a name, of goalies for position G or if only goalies have it."""
    tables = [SKATER_SEASON, GOALIE_SEASON, SKATER_RAPM]
    if position is not None:
        tables = [GOALIE_SEASON] if position.upper() == "G" else [SKATER_SEASON, SKATER_RAPM]
    if name is None:
        return tables[0], "wins" if tables[0] is GOALIE_SEASON else "points"
    column = SHORT_NAMES.get(name.lower(), name.lower())
    for table in tables:
        if column in list_statistics(table):
            return table, column
    known = [one for table in tables for one in list_statistics(table)]
    near = get_close_matches(column, known, n=1)
    hint = f"Did you mean '{near[0]}'?" if near else f"`nhl-lake tables {tables[0].name}` lists them."
    raise BadInput(f"There is no statistic '{name}'.", hint)


def list_statistics(table: Table) -> list[str]:
    """Return the columns by which players can be ranked: all numbers that are not part of the key."""
    return [name for name, dtype in table.schema.items() if dtype.is_numeric() and name not in table.key]


def read_season(root: Location, table: Table, choice: Choice) -> tuple[int, pl.DataFrame]:
    """Return the chosen season and its rows. If there are none, the error says what the lake has."""
    of_type = {"game_type": choice.game_type} if choice.team is None else {
        "game_type": choice.game_type, "team_abbrev": choice.team.upper()
    }  # fmt: skip
    seasons = list_seasons(root, table.name, **of_type)
    played = seasons
    if table is not SKATER_RAPM or choice.game_type == REGULAR_SEASON:  # not every season has shifts, or goalies
        played = list_seasons(root, SKATER_SEASON.name, **of_type)
    season = choice.season or next(iter([*seasons, *played]), None)
    kind = describe_game_type(choice.game_type)
    team = f" of {choice.team.upper()}" if choice.team else ""
    if choice.team is not None and not seasons:
        require_known_team(root, choice.team)
    if season is None:
        raise BadInput(f"The lake has no {kind} games{team} to rank.", describe_game_types(root, table))
    if season not in played:
        raise BadInput(
            f"The lake has no {kind} games{team} of {format_season(season)}.",
            f"It has {describe_seasons(played)}. `nhl-lake ingest --season {season // 10_000}` fetches that season.",
        )
    rows = delta_tables.scan_table(root, table).filter(season=season, game_type=choice.game_type)
    return season, rows.collect()


def describe_game_types(root: Location, table: Table) -> str:
    """Return a hint that names the game types of a table's rows."""
    types = delta_tables.scan_table(root, table).select(pl.col("game_type").unique().sort()).collect()["game_type"]
    known = ", ".join(f"{number} ({describe_game_type(number)})" for number in types)
    return f"It has game types {known}: --game-type {types[0]}." if known else "`nhl-lake status` shows what it has."
