"""The catalog: every table of the lake."""

from difflib import get_close_matches
from graphlib import TopologicalSorter

from nhl_lake.bronze import endpoints
from nhl_lake.errors import BadInput
from nhl_lake.gold.game_flow import GAME_FLOW
from nhl_lake.gold.goalie_game import GOALIE_GAME
from nhl_lake.gold.goalie_season import GOALIE_SEASON
from nhl_lake.gold.line_game import LINE_GAME
from nhl_lake.gold.line_season import LINE_SEASON
from nhl_lake.gold.pair_game import PAIR_GAME
from nhl_lake.gold.pair_season import PAIR_SEASON
from nhl_lake.gold.shots import SHOTS
from nhl_lake.gold.skater_game import SKATER_GAME
from nhl_lake.gold.skater_season import SKATER_SEASON
from nhl_lake.gold.sog_features import SOG_FEATURES
from nhl_lake.gold.sog_predictions import SOG_PREDICTIONS
from nhl_lake.gold.team_game import TEAM_GAME
from nhl_lake.gold.team_season import TEAM_SEASON
from nhl_lake.gold.xg_model import XG_MODEL
from nhl_lake.schema import ledger
from nhl_lake.schema.table import Table
from nhl_lake.silver.game_quality import GAME_QUALITY
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.goalie_games import GOALIE_GAMES
from nhl_lake.silver.known_issues import KNOWN_ISSUES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.listed_shifts import LISTED_SHIFTS
from nhl_lake.silver.officials import OFFICIALS
from nhl_lake.silver.on_ice import ON_ICE
from nhl_lake.silver.players import PLAYERS
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.quarantine import QUARANTINE
from nhl_lake.silver.rosters import ROSTERS
from nhl_lake.silver.seasons import SEASONS
from nhl_lake.silver.shifts import SHIFTS
from nhl_lake.silver.skater_games import SKATER_GAMES
from nhl_lake.silver.standings import STANDINGS
from nhl_lake.silver.stints import STINTS
from nhl_lake.silver.team_games import TEAM_GAMES
from nhl_lake.silver.teams import TEAMS

SILVER = (
    GAMES,
    SEASONS,
    TEAMS,
    STANDINGS,
    ROSTERS,
    PLAYERS,
    LINEUPS,
    PLAYS,
    LISTED_SHIFTS,
    SHIFTS,
    ON_ICE,
    STINTS,
    SKATER_GAMES,
    GOALIE_GAMES,
    TEAM_GAMES,
    OFFICIALS,
    GAME_QUALITY,
    QUARANTINE,
    KNOWN_ISSUES,
)
GOLD = (
    XG_MODEL,
    SHOTS,
    SKATER_GAME,
    TEAM_GAME,
    GOALIE_GAME,
    SKATER_SEASON,
    TEAM_SEASON,
    GOALIE_SEASON,
    LINE_GAME,
    PAIR_GAME,
    LINE_SEASON,
    PAIR_SEASON,
    GAME_FLOW,
    SOG_FEATURES,
    SOG_PREDICTIONS,
)
BUILT_TABLES: tuple[Table, ...] = (*SILVER, *GOLD)

TABLES: tuple[Table, ...] = (*endpoints.TABLES, *BUILT_TABLES, *ledger.TABLES)


def list_build_order() -> list[Table]:
    """Return the silver and gold tables that a function builds, each after its inputs."""
    order = TopologicalSorter({table: table.inputs for table in TABLES}).static_order()
    return [table for table in order if table in BUILT_TABLES and table.source is not None]


def find_table(name: str) -> Table:
    """Return the table with this name; suggest a similar name if there is none."""
    names = {table.name: table for table in TABLES}
    if name not in names:
        similar = get_close_matches(name, names, n=1, cutoff=0.4)
        raise BadInput(
            f"There is no table '{name}'.",
            f"Did you mean '{similar[0]}'?" if similar else "Run `nhl-lake tables` to list them.",
        )
    return names[name]


def find_downstream(tables: set[Table]) -> list[Table]:
    """Return the silver and gold tables that depend on any of the given ones, in build order."""
    affected = set(tables)
    for table in list_build_order():
        if affected & set(table.inputs):
            affected.add(table)
    return [table for table in list_build_order() if table in affected]
