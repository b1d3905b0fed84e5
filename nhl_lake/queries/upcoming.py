"""Upcoming games, with rest days and season form of both teams."""

from datetime import datetime, timedelta

import polars as pl

from nhl_lake.catalog import find_table
from nhl_lake.gold.measures.situations import EVEN_SITUATION
from nhl_lake.hockey.calendar import OFF_SCHEDULE_STATES, UNDECIDED_TEAM, get_eastern_day, is_upcoming
from nhl_lake.hockey.names import format_full_name
from nhl_lake.hockey.results import RESULT_CODES
from nhl_lake.queries.official_lines import scan_skater_lines
from nhl_lake.queries.player import read_players
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

RECENT_GAMES = 10
FORM_COLUMNS = (*RESULT_CODES, "recent_wins", "recent_games", "goals_per_game", "goals_against_per_game", "xg_share")


def read_upcoming_games(root: Location, now: datetime, days: int) -> pl.DataFrame:
    """Return the games of today and the next `days` days that have not begun, in order.

    Rest is the number of days since the team's last game, minus one; games to come count. 0 is the second game of a
    back-to-back. Form covers the final regular-season games; null before the first. The share of xG is at 5on5.
    `home_win_probability` is the newest prediction; null without one.
    """
    today = get_eastern_day(now)
    games = delta_tables.scan_table(root, find_table("silver.games")).filter(
        ~pl.col("schedule_state").is_in(OFF_SCHEDULE_STATES)
    )
    coming = games.filter(pl.col("game_date").is_between(today, today + timedelta(days=days)) & is_upcoming(now))
    found = coming.select("game_id", "season", "game_type", "game_date", "start_at", "schedule_state", *TEAM_COLUMNS)
    for side in ("away", "home"):
        found = found.join(
            compute_side_form(root, games, side), on=["game_id", f"{side}_team_id"], how="left", validate="1:1"
        )
    found = found.join(read_newest_predictions(root), on="game_id", how="left", validate="1:1")
    return found.sort("start_at", "game_id").collect()


def read_newest_predictions(root: Location) -> pl.LazyFrame:
    """Return the newest prediction of each game: game_id, home_win_probability."""
    rows = delta_tables.scan_table_or_empty(root, find_table("gold.game_predictions")).sort("made_at")
    return rows.group_by("game_id").agg(pl.col("home_win_probability").last())


TEAM_COLUMNS = tuple(f"{side}_team_{what}" for side in ("away", "home") for what in ("id", "abbrev"))


def compute_side_form(root: Location, games: pl.LazyFrame, side: str) -> pl.LazyFrame:
    """Return the rest and the form of the teams of one side, game by game."""
    about = compute_rest_days(games).join(compute_team_form(root), on=["season", "team_id"], how="left")
    names = {name: f"{side}_{name}" for name in ("team_id", "rest_days", *FORM_COLUMNS)}
    return about.select("game_id", *names).rename(names)


def compute_rest_days(games: pl.LazyFrame) -> pl.LazyFrame:
    """One row per team and game: rest days since its last game of the season; undecided teams have none."""
    both = pl.concat(
        games.filter(pl.col(f"{side}_team_abbrev") != UNDECIDED_TEAM).select(
            "season", "game_id", "game_date", "start_at", team_id=f"{side}_team_id"
        )
        for side in ("home", "away")
    )
    since = pl.col("game_date") - pl.col("game_date").shift(1).over("season", "team_id")
    return both.sort("start_at", "game_id").with_columns(rest_days=since.dt.total_days() - 1)


def compute_team_form(root: Location) -> pl.LazyFrame:
    """One row per team and season: record, recent record, goals per game and xG share of the regular season."""
    starts = delta_tables.scan_table(root, find_table("silver.games")).select("game_id", "start_at")
    lines = delta_tables.scan_table(root, find_table("silver.team_games")).filter(pl.col("game_type") == 2)
    against = lines.select("game_id", opponent_team_id="team_id", goals_against="goals")
    shares = delta_tables.scan_table(root, find_table("gold.team_season")).filter(
        (pl.col("game_type") == 2) & (pl.col("situation") == EVEN_SITUATION)
    )
    return (
        lines.join(starts, on="game_id", validate="m:1")
        .join(against, on=["game_id", "opponent_team_id"], validate="1:1")
        .sort("start_at", "game_id")
        .group_by("season", "team_id", maintain_order=True)
        .agg(
            **{name: (pl.col("result") == result).sum() for name, result in RESULT_CODES.items()},
            recent_wins=pl.col("is_win").tail(RECENT_GAMES).sum(),
            recent_games=pl.col("is_win").tail(RECENT_GAMES).len(),
            goals_per_game=pl.col("goals").mean(),
            goals_against_per_game=pl.col("goals_against").mean(),
        )
        .join(shares.select("season", "team_id", "xg_share"), on=["season", "team_id"], how="left", validate="1:1")
    )


def rank_shooters(root: Location, games: pl.DataFrame, count: int) -> pl.DataFrame:
    """Return the skaters of the upcoming games with the most shots on goal per game over their last ten games.

    A team's skaters are those who dressed for its last game. Games for other teams and of every game type count.
    """
    starts = delta_tables.scan_table(root, find_table("silver.games")).select("game_id", "start_at")
    lines = scan_skater_lines(root).join(starts, on="game_id", validate="m:1")
    playing = pl.concat(
        games.select("game_id", team_id=f"{side}_team_id", team=f"{side}_team_abbrev", opponent=f"{other}_team_abbrev")
        for side, other in (("home", "away"), ("away", "home"))
    ).unique("team_id", keep="first", maintain_order=True)
    newest = pl.col("start_at") == pl.col("start_at").max().over("team_id")
    dressed = lines.filter(newest).select("player_id", "team_id").join(playing.lazy(), on="team_id")
    names = read_players(root).lazy().select("player_id", player=format_full_name())
    shots = pl.col("shots_on_goal").tail(RECENT_GAMES)
    return (
        lines.sort("start_at", "game_id")
        .group_by("player_id", maintain_order=True)
        .agg(shots_per_game=shots.mean(), games=shots.count(), most=shots.max(), team_id=pl.col("team_id").last())
        .join(dressed, on=["player_id", "team_id"], validate="1:1")
        .join(names, on="player_id", how="left", validate="1:1")
        .sort("shots_per_game", "games", "player_id", descending=[True, True, False], nulls_last=True)
        .head(count)
        .select("player", "player_id", "team", "opponent", "games", "shots_per_game", "most")
        .collect()
    )
