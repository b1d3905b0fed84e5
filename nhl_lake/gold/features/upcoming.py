"""Upcoming games, and the skaters who may play in them."""

from datetime import date, timedelta

import polars as pl

from nhl_lake.gold.measures.appearances import list_game_teams
from nhl_lake.hockey.calendar import FINAL_STATES
from nhl_lake.hockey.names import format_full_name

HORIZON = timedelta(days=7)
FEATURE_GAME_TYPES = (2, 3)
LAST_LINEUP, ROSTER_PAGE, PLAYED = "last line-up", "roster page", "played"


def select_upcoming_games(games: pl.LazyFrame, day: date) -> pl.LazyFrame:
    """Return the games of a day and the next six that are not over, postponed or cancelled."""
    return games.filter(
        pl.col("game_date").is_between(day, day + HORIZON, closed="left")
        & ~pl.col("game_state").is_in(FINAL_STATES)
        & (pl.col("schedule_state") == "OK")
    )


def project_skaters(
    games: pl.LazyFrame, skaters: pl.LazyFrame, rosters: pl.LazyFrame, keys: pl.LazyFrame, day: date
) -> pl.LazyFrame:
    """One row per upcoming game and skater who may play in it, with the reason (`projection_basis`).

    These are the skaters on the team's newest roster page of the season, or, without such a page, those of the team's
    last lineup.
    """
    rows = list_game_teams(select_upcoming_games(games, day)).join(keys, on="team_id", how="left", validate="m:1")
    pages = select_newest_rosters(rosters, skaters)
    lineups = select_last_lineups(skaters)
    with_page = rows.join(pages.select("season", "team_abbrev").unique(), on=["season", "team_abbrev"], how="semi")
    without_page = rows.join(pages, on=["season", "team_abbrev"], how="anti")
    on_page = with_page.join(pages, on=["season", "team_abbrev"])
    dressed = lineups.select("team_key", "player_id", is_dressed=pl.lit(value=True))
    basis = pl.when("is_dressed").then(pl.lit(LAST_LINEUP)).otherwise(pl.lit(ROSTER_PAGE))
    found = on_page.join(dressed, on=["team_key", "player_id"], how="left", validate="m:1")
    return pl.concat(
        [
            found.with_columns(projection_basis=basis).drop("is_dressed"),
            without_page.join(lineups, on="team_key")
            .join(pages, on=["season", "player_id"], how="anti")
            .with_columns(projection_basis=pl.lit(LAST_LINEUP)),
        ],
        how="diagonal",
    )


def select_newest_rosters(rosters: pl.LazyFrame, skaters: pl.LazyFrame) -> pl.LazyFrame:
    """Return the skaters on the newest roster page of each team.

    A skater on two pages belongs to the team that they last played for. The later page does not decide, because an
    unchanged page keeps its old `fetched_at`.
    """
    newest = pl.col("fetched_at") == pl.col("fetched_at").max().over("season", "team_abbrev")
    last = skaters.sort("order").group_by("player_id").agg(last_abbrev=pl.col("team_abbrev").last())
    return (
        rosters.filter(newest, pl.col("position").ne_missing("G"))
        .join(last, on="player_id", how="left", validate="m:1")
        .sort("season", "player_id", pl.col("team_abbrev").ne_missing(pl.col("last_abbrev")), "team_abbrev")
        .unique(["season", "player_id"], keep="first", maintain_order=True)
        .select("season", "team_abbrev", "player_id", "position", player=format_full_name())
    )


def select_last_lineups(skaters: pl.LazyFrame) -> pl.LazyFrame:
    """Return the skaters of each team's last game who have not played for another team since."""
    is_last = pl.col("order") == pl.col("order").max().over("team_key")
    is_last_of_player = pl.col("order") == pl.col("order").max().over("player_id")
    return skaters.filter(is_last, is_last_of_player).select("team_key", "player_id", "position", "player")
