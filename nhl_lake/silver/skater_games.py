"""Official skater statistics by game, from the box score."""

from dataclasses import replace

import polars as pl

from nhl_lake.bronze.endpoints import BOXSCORE
from nhl_lake.hockey.clock_text import parse_clock
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.parsing import boxscore as boxscore_page
from nhl_lake.silver.parsing.boxscore import get_denominator, get_numerator, read_boxscore_lines


def skater_games(boxscore: pl.LazyFrame) -> pl.LazyFrame:
    """One row per skater dressed for a final game, with the NHL's own statistics.

    Statistics that are not on the page are null: only pages until January 2024 have the number of faceoffs, ice time by
    strength and shorthanded points; only later pages have giveaways, takeaways and shifts. Shootouts do not count. From
    `playerByGameStats` of the newest final box score.
    """
    # under the same key old pages have 0 to 100, and new ones 0 to 1
    recorded_share = pl.col("faceoffWinningPctg") / pl.when("is_nested").then(100).otherwise(1)
    exact_share = pl.when(get_denominator("faceoffs") > 0).then(get_numerator("faceoffs") / get_denominator("faceoffs"))
    return (
        read_boxscore_lines(boxscore, "forwards", "defense")
        .select(
            "season",
            "game_id",
            "game_type",
            "team_id",
            "is_home",
            "position",
            "goals",
            "assists",
            "points",
            "hits",
            "giveaways",
            "takeaways",
            "shifts",
            player_id="playerId",
            sweater_number="sweaterNumber",
            plus_minus="plusMinus",
            penalty_minutes="pim",
            shots_on_goal=pl.coalesce("sog", "shots"),
            blocked_shots="blockedShots",
            faceoffs_won=get_numerator("faceoffs"),
            faceoffs_taken=get_denominator("faceoffs"),
            faceoff_share=pl.coalesce(exact_share, recorded_share),
            power_play_goals="powerPlayGoals",
            power_play_points="powerPlayPoints",
            shorthanded_goals="shorthandedGoals",
            shorthanded_points="shPoints",
            time_on_ice_s=parse_clock(pl.col("toi")),
            power_play_time_on_ice_s=parse_clock(pl.col("powerPlayToi")),
            shorthanded_time_on_ice_s=parse_clock(pl.col("shorthandedToi")),
        )
        .select(column.name for column in COLUMNS)
    )


COLUMNS = (
    c.season,
    c.game_id,
    c.game_type,
    c.player_id,
    c.team_id,
    c.is_home,
    replace(c.position, nullable=True),
    c.sweater_number,
    replace(c.goals, nullable=True),
    replace(c.assists, nullable=True),
    replace(c.points, nullable=True),
    Column(
        "plus_minus",
        pl.Int16,
        "Plus-minus: goals for minus goals against while on the ice, without power-play goals",
        nullable=True,
    ),
    c.penalty_minutes,
    c.hits,
    c.blocked_shots,
    c.shots_on_goal,
    c.giveaways,
    c.takeaways,
    c.faceoffs_won,
    Column("faceoffs_taken", pl.Int16, "Faceoffs taken: won and lost", nullable=True),
    c.faceoff_share,
    c.power_play_goals,
    c.power_play_points,
    c.shorthanded_goals,
    c.shorthanded_points,
    c.time_on_ice_s,
    c.power_play_time_on_ice_s,
    c.shorthanded_time_on_ice_s,
    c.shifts,
)

SKATER_GAMES = Table(
    name="silver.skater_games",
    grain="one skater dressed for a final game, with the box score's statistics",
    key=("game_id", "player_id"),
    columns=COLUMNS,
    chunk_key="game_id",
    inputs=(BOXSCORE,),
    page_structs={BOXSCORE: (boxscore_page.Page,)},
    source=skater_games,
    checks={
        "the faceoff share is between 0 and 1": pl.col("faceoff_share").is_null()
        | pl.col("faceoff_share").is_between(0, 1),
    },
)
