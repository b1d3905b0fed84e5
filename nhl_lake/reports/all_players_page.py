"""All skaters, and all goalies, of a regular season as pages: one long table that sorts by any column."""

from collections.abc import Sequence

from nhl_lake.gold.measures.situations import ALL_SITUATIONS
from nhl_lake.hockey.ids import format_season
from nhl_lake.reports import goalie_columns
from nhl_lake.reports.all_players import AllPlayers
from nhl_lake.reports.league import REGULAR_SEASON
from nhl_lake.reports.league_page import PLAYER_COLUMNS
from nhl_lake.reports.page import ALONE, Place, render_page
from nhl_lake.reports.player_page import EVEN_SHARES, SKATER_SEASON_COLUMNS, TIME_PER_GAME
from nhl_lake.reports.tables import Source, TableColumn, drop_empty_columns, render_table
from nhl_lake.text import format_count

PLAYER = (PLAYER_COLUMNS[0], PLAYER_COLUMNS[1]._replace(about="Team of the last game"))
KNOWN = {column.name: column for column in SKATER_SEASON_COLUMNS}  # as the card of a player shows them
SKATER_COLUMNS: Sequence[TableColumn] = (
    *PLAYER,
    TableColumn("position", "Pos", "Position"),
    *(KNOWN[name] for name in ("games", "goals", "assists", "points")),
    TableColumn("power_play_points", "PPP", "Points on the power play", "count"),
    KNOWN["shots_on_goal"],
    TableColumn("shooting_share", "S%", "Goals as a share of shots on goal", "percent"),
    *(KNOWN[name] for name in ("xg", "goals_above_expected", "hits")),
    TableColumn("blocked_shots", "Blk", "Shots blocked", "count"),
    TableColumn("faceoff_win_share", "FO%", "Share of faceoffs won", "percent"),
    KNOWN["penalty_minutes"],
    TableColumn("penalties_drawn", "PenD", "Penalties drawn", "count"),
    TIME_PER_GAME,
    TableColumn(
        "power_play_time_on_ice_s", "PP/GP", "Time on the power play a game, of the games with shifts", "clock",
        per="games_with_shifts",
    ),
    *EVEN_SHARES,
)  # fmt: skip
GOALIE_COLUMNS: Sequence[TableColumn] = (
    *PLAYER,
    KNOWN["games"],
    *goalie_columns.SEASON_COLUMNS,
    TableColumn("goals_against", "GA", "Goals against", "count"),
    TableColumn("goals_against_per_60", "GAA", "Goals against per 60 minutes", "two"),
    goalie_columns.SAVED_ABOVE_EXPECTED,
    goalie_columns.LIKELY_OWN,
    TIME_PER_GAME,
)


def render_skaters(data: AllPlayers, place: Place = ALONE) -> str:
    """Return the page of all skaters as HTML."""
    return render_players(data, place, "skater", SKATER_COLUMNS)


def render_goalies(data: AllPlayers, place: Place = ALONE) -> str:
    """Return the page of all goalies as HTML."""
    return render_players(data, place, "goalie", GOALIE_COLUMNS)


def render_players(data: AllPlayers, place: Place, kind: str, columns: Sequence[TableColumn]) -> str:
    """Return a page with a row for each player."""
    where = f"season={data.season}&game_type={REGULAR_SEASON}&situation={ALL_SITUATIONS}&is_total=true"
    title = f"All {kind}s, {format_season(data.season)}"
    return render_page(
        "all_players.html.j2",
        place,
        title=title,
        count=format_count(data.rows.height, kind),
        table=render_table(
            data.rows,
            drop_empty_columns(data.rows, columns),
            caption=title,
            source=Source(f"gold.{kind}_season", where, ("player_id",)),
            link=place.link,
        ),
    )
