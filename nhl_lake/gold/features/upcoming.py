"""Games to come, and who may play in them."""

from datetime import date, timedelta

import polars as pl

from nhl_lake.gold.measures.appearances import list_game_teams as sides
from nhl_lake.hockey.calendar import FINAL_STATES
from nhl_lake.hockey.names import format_full_name

HORIZON = timedelta(days=7)
FEATURE_GAME_TYPES = (2, 3)
LAST_LINEUP, ROSTER_PAGE, PLAYED = "last line-up", "roster page", "played"


def select_upcoming_games(games: pl.LazyFrame, day: date) -> pl.LazyFrame:
    """Return the games of a day and the six after it that are not over, and neither postponed nor cancelled."""
    return games.filter(
        pl.col("game_date").is_between(day, day + HORIZON, closed="left")
        & ~pl.col("game_state").is_in(FINAL_STATES)
        & (pl.col("schedule_state") == "OK")
    )


def project_skaters(
    games: pl.LazyFrame, skaters: pl.LazyFrame, rosters: pl.LazyFrame, keys: pl.LazyFrame, day: date
) -> pl.LazyFrame:
    """One row a skater who may play in a game to come, and where he is known from (`projection_basis`).

    They are those on the team's newest roster page of the season; of a team that has none, those of its last line-up.
    """
    rows = sides(select_upcoming_games(games, day)).join(keys, on="team_id", how="left", validate="m:1")
    pages = select_newest_rosters(rosters, skaters)
    lineups = select_last_lineups(skaters)
    told = rows.join(pages.select("season", "team_abbrev").unique(), on=["season", "team_abbrev"], how="semi")
    untold = rows.join(pages, on=["season", "team_abbrev"], how="anti")
    on_page = told.join(pages, on=["season", "team_abbrev"])
    dressed = lineups.select("team_key", "player_id", is_dressed=pl.lit(value=True))
    basis = pl.when("is_dressed").then(pl.lit(LAST_LINEUP)).otherwise(pl.lit(ROSTER_PAGE))
    found = on_page.join(dressed, on=["team_key", "player_id"], how="left", validate="m:1")
    return pl.concat(
        [
            found.with_columns(projection_basis=basis).drop("is_dressed"),
            untold.join(lineups, on="team_key")
            .join(pages, on=["season", "player_id"], how="anti")
            .with_columns(projection_basis=pl.lit(LAST_LINEUP)),
        ],
        how="diagonal",
    )


def select_newest_rosters(rosters: pl.LazyFrame, skaters: pl.LazyFrame) -> pl.LazyFrame:
    """Return the skaters on the newest roster page of each team; who is on two is of the team that he played for last.

    A page that did not change keeps its moment, so that the later one of two pages is not the truer one.
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
    """Return the skaters of the last game of each team who have not played for another one since."""
    is_last = pl.col("order") == pl.col("order").max().over("team_key")
    is_his_last = pl.col("order") == pl.col("order").max().over("player_id")
    return skaters.filter(is_last, is_his_last).select("team_key", "player_id", "position", "player")
