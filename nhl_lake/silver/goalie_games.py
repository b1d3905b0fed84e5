"""Official goalie statistics by game, from the box score."""

import polars as pl

from nhl_lake.bronze.endpoints import BOXSCORE
from nhl_lake.hockey.clock_text import parse_clock
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.parsing import boxscore as boxscore_page
from nhl_lake.silver.parsing.boxscore import get_denominator, get_numerator, read_boxscore_lines


def goalie_games(boxscore: pl.LazyFrame) -> pl.LazyFrame:
    """One row per goalie dressed for a final game, with the NHL's own statistics.

    A goalie who did not play has 0 shots against and no time on ice. Strength is that of the shooters: power-play shots
    are faced while the goalie's team is shorthanded. Shootouts and empty-net goals do not count for any goalie. From
    `playerByGameStats` of the newest final box score.
    """
    shots = get_denominator("saveShotsAgainst")
    return (
        read_boxscore_lines(boxscore, "goalies")
        .with_columns(
            faced.alias(f"{name}_{what}")
            for name, key in STRENGTH_KEYS.items()
            for what, faced in (
                ("saves", get_numerator(f"{key}ShotsAgainst")),
                ("shots_against", get_denominator(f"{key}ShotsAgainst")),
                ("goals_against", pl.col(f"{key}GoalsAgainst")),
            )
        )
        .with_columns(
            player_id="playerId",
            sweater_number="sweaterNumber",
            is_starter="starter",
            saves=get_numerator("saveShotsAgainst"),
            shots_against=shots,
            goals_against="goalsAgainst",
            save_share=pl.when(shots > 0).then(get_numerator("saveShotsAgainst") / shots),
            penalty_minutes="pim",
            time_on_ice_s=parse_clock(pl.col("toi")),
        )
        .select(column.name for column in COLUMNS)
    )


STRENGTH_KEYS = {"even_strength": "evenStrength", "power_play": "powerPlay", "shorthanded": "shorthanded"}
STRENGTH_LABELS = {"even_strength": "at even strength", "power_play": "on a power play", "shorthanded": "shorthanded"}

COLUMNS = (
    c.season,
    c.game_id,
    c.game_type,
    c.player_id,
    c.team_id,
    c.is_home,
    c.sweater_number,
    c.is_starter,
    Column("decision", pl.String, "W win, L loss, O overtime or shootout loss", nullable=True),
    Column("saves", pl.Int16, "Saves", nullable=True),
    Column("shots_against", pl.Int16, "Shots against, including goals", nullable=True),
    Column("goals_against", pl.Int16, "Goals against", nullable=True),
    Column(
        "save_share",
        pl.Float64,
        "Save percentage, 0 to 1: saves out of shots against; null without shots",
        nullable=True,
    ),
    *(
        Column(f"{name}_{what}", pl.Int16, f"{text} while the shooters were {when}", nullable=True)
        for name, when in STRENGTH_LABELS.items()
        for what, text in (
            ("saves", "Saves"),
            ("shots_against", "Shots against"),
            ("goals_against", "Goals against"),
        )
    ),
    c.penalty_minutes,
    c.time_on_ice_s,
)

GOALIE_GAMES = Table(
    name="silver.goalie_games",
    grain="one goalie dressed for a final game, with the box score's statistics",
    key=("game_id", "player_id"),
    columns=COLUMNS,
    chunk_key="game_id",
    inputs=(BOXSCORE,),
    page_structs={BOXSCORE: (boxscore_page.Page,)},
    source=goalie_games,
    checks={
        "saves do not exceed shots against": pl.col("saves").is_null() | (pl.col("saves") <= pl.col("shots_against")),
    },
)
