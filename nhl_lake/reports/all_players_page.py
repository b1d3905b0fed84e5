"""All skaters, and all goalies, of a regular season as pages: one long table that sorts by any column."""

from collections.abc import Sequence

from nhl_lake.gold.measures.situations import ALL_SITUATIONS, EVEN_SITUATION
from nhl_lake.hockey.ids import format_season
from nhl_lake.reports import goalie_columns
from nhl_lake.reports.all_players import REGULAR_SEASON, AllPlayers
from nhl_lake.reports.page import ALONE, Place, render_page
from nhl_lake.reports.tables import Source, TableColumn, drop_empty_columns, render_table
from nhl_lake.text import format_count

EVEN = f"situation={EVEN_SITUATION}"
PLAYER = (
    TableColumn("player", "Player", kind="player", key="player_id"),
    TableColumn("team_abbrev", "Team", "Team of the last game", kind="team"),
)
GAMES = TableColumn("games", "GP", "Games played", "count")
TIME_PER_GAME = TableColumn(
    "time_on_ice_s", "TOI/GP", "Time on ice a game, of the games in which it is known", "clock", per="games_with_time"
)
SKATER_COLUMNS: Sequence[TableColumn] = (
    *PLAYER,
    TableColumn("position", "Pos", "Position"),
    GAMES,
    *(
        TableColumn(name, title, about, form)
        for name, title, about, form in (
            ("goals", "G", "Goals", "count"),
            ("assists", "A", "Assists", "count"),
            ("points", "P", "Points", "count"),
            ("power_play_points", "PPP", "Points on the power play", "count"),
            ("shots_on_goal", "SOG", "Shots on goal", "count"),
            ("shooting_share", "S%", "Goals as a share of shots on goal", "percent"),
            ("xg", "ixG", "Expected goals of the player's own attempts", "two"),
            ("goals_above_expected", "G−xG", "Goals less expected goals", "signed"),
            ("hits", "Hit", "Hits", "count"),
            ("blocked_shots", "Blk", "Shots blocked", "count"),
            ("faceoff_win_share", "FO%", "Share of faceoffs won", "percent"),
            ("penalty_minutes", "PIM", "Penalty minutes", "count"),
            ("penalties_drawn", "PenD", "Penalties drawn", "count"),
        )
    ),
    TIME_PER_GAME,
    TableColumn(
        "power_play_time_on_ice_s", "PP/GP", "Time on the power play a game, of the games with shifts", "clock",
        per="games_with_shifts",
    ),
    *(
        TableColumn(
            f"even_{name}", title, f"Share of {about} while on the ice, at 5 on 5", "percent", column=name, where=EVEN
        )
        for name, title, about in (
            ("on_ice_xg_share", "xG%", "expected goals"), ("on_ice_attempt_share", "CF%", "shot attempts (Corsi)"),
        )
    ),
)  # fmt: skip
GOALIE_COLUMNS: Sequence[TableColumn] = (
    *PLAYER,
    GAMES,
    *goalie_columns.SEASON_COLUMNS,
    TableColumn("goals_against", "GA", "Goals against", "count"),
    TableColumn("goals_against_per_60", "GAA", "Goals against per 60 minutes", "two"),
    goalie_columns.SAVED_ABOVE_EXPECTED,
    TableColumn(
        "shrunk_goals_saved_above_expected", "Likely own",
        "Goals saved above expected that are likely the goalie's own: shrunk", "signed",
    ),
    TIME_PER_GAME,
)  # fmt: skip


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
