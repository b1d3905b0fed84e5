"""The data of the league's page: standings, leaders by position, goalies, and all teams by xG for and against."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import polars as pl

from nhl_lake.catalog import find_table
from nhl_lake.errors import BadInput
from nhl_lake.gold.measures.situations import ALL_SITUATIONS, EVEN_SITUATION
from nhl_lake.hockey.ids import format_season
from nhl_lake.hockey.results import RESULT_CODES
from nhl_lake.queries.coverage import describe_seasons, list_seasons
from nhl_lake.queries.leaders import MIN_GAMES_SHARE, POSITIONS
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

MAX_LEADERS = 10
REGULAR_SEASON = 2
POINTS_OF_WIN = 2
IS_REGULAR = pl.col("game_type") == REGULAR_SEASON
LEADING = ("points", "goals", "xg", "goals_above_expected")  # measures of skaters in all situations
EVEN_LEADING = ("on_ice_xg_share",)  # rates at 5on5: of players with a quarter of the games
LEADER_POSITIONS = ("F", "D")
GOALIE_COLUMNS = (
    "player_id", "player", "team_id", "team_abbrev", "season", "game_type", "games", "wins", "losses",
    "overtime_losses", "shots_against", "goals_against", "save_share", "xg_against", "goals_saved_above_expected",
    "shrunk_goals_saved_above_expected", "shrunk_goals_saved_above_expected_low",
    "shrunk_goals_saved_above_expected_high", "time_on_ice_s",
)  # fmt: skip
STANDING_COLUMNS = (
    "conference", "division", "division_rank", "conference_rank", "league_rank", "wild_card_rank", "clinch", "games",
    "wins", "losses", "overtime_losses", "ties", "points_won", "point_share", "regulation_wins", "goals_for",
    "goals_allowed", "goal_difference", "streak_kind", "streak", "last_10_wins", "last_10_losses",
    "last_10_overtime_losses",
)  # fmt: skip
TEAM_COLUMNS = ("games", "goals", "goals_against", "xg", "xg_against", "xg_share")


class LeagueData(NamedTuple):
    """What the league's page shows, of the regular season."""

    season: int
    standings_day: date | None  # of the NHL's standings; None if the records are counted from the games in the lake
    last_game_day: date | None  # last final game of the regular season in the lake
    standings: pl.DataFrame  # one row per team, the first of the league first; with xG of gold.team_season
    leaders: Mapping[tuple[str, str], pl.DataFrame]  # by position (F, D) and measure
    min_games: int  # that a rate needs
    goalies: pl.DataFrame  # with `min_games`, most goals saved above expected first
    teams: pl.DataFrame  # rows of gold.team_season at 5on5


def read_league(root: Location, season: int) -> LeagueData:
    """Return the league's page of a season. Tables are read once; frames are empty where the lake lacks the rows."""
    frames = dict(zip(plans := plan_frames(root, season), pl.collect_all(plans.values()), strict=True))
    skaters = frames["skaters"]
    most = max((rows["games"].max() or 0 for rows in (skaters, frames["goalies"])), default=0)
    min_games = max(1, round(MIN_GAMES_SHARE * int(str(most))))
    leaders = {
        (position, measure): rank_skaters(skaters, position, measure, min_games)
        for position in LEADER_POSITIONS
        for measure in (*LEADING, *EVEN_LEADING)
    }
    standings_day = max(frames["standings"]["game_date"].to_list(), default=None)
    last_game_day = max(frames["records"]["last_game_day"].to_list(), default=None)
    is_current = standings_day is not None and (last_game_day is None or standings_day >= last_game_day)
    goalies = frames["goalies"].filter(pl.col("games") >= min_games, pl.col("goals_saved_above_expected").is_not_null())
    return LeagueData(
        season=season,
        standings_day=standings_day if is_current else None,
        last_game_day=last_game_day,
        standings=join_standings(frames, is_current=is_current),
        leaders=leaders,
        min_games=min_games,
        goalies=goalies.sort("goals_saved_above_expected", "player_id", descending=[True, False]),
        teams=frames["even_teams"],
    )


def find_league_season(root: Location, season: int | None) -> int:
    """Return the season, by default the newest with a regular-season game; a season without one is an error."""
    seasons = list_seasons(root, "gold.team_season", game_type=REGULAR_SEASON)
    found = next(iter(seasons), None) if season is None else season
    if found is None or found not in seasons:
        which = f" of {format_season(season)}" if season else ""
        raise BadInput(
            f"The lake has no regular-season games{which}.",
            f"It has those of {describe_seasons(seasons)}." if seasons else "`nhl-lake ingest` fetches a season.",
        )
    return found


def plan_frames(root: Location, season: int) -> dict[str, pl.LazyFrame]:
    """Return the rows of every section."""
    standings, games, dates, teams, skaters, goalies = (
        delta_tables.scan_table_or_empty(root, find_table(name)).filter(pl.col("season") == season)
        for name in (
            "silver.standings", "silver.team_games", "silver.games", "gold.team_season", "gold.skater_season",
            "gold.goalie_season",
        )
    )  # fmt: skip
    names = delta_tables.scan_table_or_empty(root, find_table("silver.teams")).select("team_id", "team_name")
    key = ("team_id", "team_abbrev", "season", "game_type")
    teams = teams.filter(IS_REGULAR).select(*key, "situation", *TEAM_COLUMNS)
    is_total = IS_REGULAR & pl.col("is_total")
    columns = ("player_id", "player", "team_id", "team_abbrev", "season", "game_type", "position", "games")
    skaters = skaters.filter(is_total)
    even = skaters.filter(pl.col("situation") == EVEN_SITUATION)
    even = even.select("player_id", *EVEN_LEADING, even_games="games_with_shifts", even_time_on_ice_s="time_on_ice_s")
    skaters = skaters.filter(pl.col("situation") == ALL_SITUATIONS).select(*columns, "assists", *LEADING)
    goalies = goalies.filter(is_total, pl.col("situation") == ALL_SITUATIONS)
    return {
        "standings": standings.filter(pl.col("game_date") == pl.col("game_date").max()).select(
            "game_date", "team_abbrev", *STANDING_COLUMNS
        ),
        "records": plan_records(games.filter(IS_REGULAR), dates.select("game_id", "game_date")),
        "teams": teams.filter(pl.col("situation") == ALL_SITUATIONS).join(
            names, on="team_id", how="left", validate="m:1"
        ),
        "even_teams": teams.filter(pl.col("situation") == EVEN_SITUATION).sort("team_abbrev"),
        "skaters": skaters.join(even, on="player_id", how="left", validate="1:1"),
        "goalies": goalies.select(GOALIE_COLUMNS),
    }


def plan_records(games: pl.LazyFrame, dates: pl.LazyFrame) -> pl.LazyFrame:
    """Return the record of each team, counted from the regular-season games in the lake."""
    counted = (
        games.join(dates, on="game_id", validate="m:1")
        .group_by("team_id")
        .agg(
            pl.len().alias("games"),
            *((pl.col("result") == code).sum().cast(pl.Int16).alias(name) for name, code in RESULT_CODES.items()),
            goals_for=pl.col("score").cast(pl.Int32).sum(),
            goals_allowed=pl.col("opponent_score").cast(pl.Int32).sum(),
            last_game_day=pl.col("game_date").max(),
        )
    )
    points = pl.col("wins") * POINTS_OF_WIN + pl.col("overtime_losses") + pl.col("ties")
    return counted.with_columns(points_won=points).with_columns(
        point_share=pl.col("points_won") / (pl.col("games") * POINTS_OF_WIN),
        goal_difference=pl.col("goals_for") - pl.col("goals_allowed"),
    )


def join_standings(frames: Mapping[str, pl.DataFrame], *, is_current: bool) -> pl.DataFrame:
    """Return one row per team: the NHL's standings, or the record of the games in the lake if those are older.

    `counted_…`, `xg`, `xg_against` and `xg_share` cover the games in the lake; `even_xg_share` is at 5on5.
    """
    even = frames["even_teams"].select("team_id", even_xg_share="xg_share")
    teams = frames["teams"].drop("situation").rename({"games": "counted_games"}).drop("goals", "goals_against")
    teams = teams.join(even, on="team_id", how="left", validate="1:1")
    if is_current:
        rows = frames["standings"].join(teams, on="team_abbrev", how="left", validate="1:1")
        return rows.sort("league_rank", "team_abbrev", nulls_last=True)
    about = frames["standings"].select("team_abbrev", "conference", "division")
    rows = frames["records"].join(teams, on="team_id", how="left", validate="1:1")
    rows = rows.join(about, on="team_abbrev", how="left", validate="m:1")
    order = ("points_won", "games", "wins", "goal_difference", "team_abbrev")
    return rows.sort(order, descending=[True, False, True, True, False])


def rank_skaters(skaters: pl.DataFrame, position: str, measure: str, min_games: int) -> pl.DataFrame:
    """Return the skaters of a position with the highest values of a measure; a rate at 5on5 needs some games."""
    rows = skaters.filter(pl.col("position").is_in(POSITIONS[position]), pl.col(measure).is_not_null())
    if measure in EVEN_LEADING:
        rows = rows.filter(pl.col("even_games") >= min_games)
    return rows.sort(measure, "games", "player_id", descending=[True, False, False]).head(MAX_LEADERS)
