"""Goalies' official lines, game by game, from the box score."""

import polars as pl

from nhl_lake.bronze.endpoints import BOXSCORE
from nhl_lake.hockey.clock_text import parse_clock
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.parsing.boxscore import get_denominator, get_numerator, read_boxscore_lines


def goalie_games(boxscore: pl.LazyFrame) -> pl.LazyFrame:
    """One row a goalie dressed for a final game, with the NHL's own count of what he did.

    A goalie who did not play has 0 shots against and no time on the ice. Strengths are those of the shooters: power
    play shots are faced while his team is shorthanded. Shoot-outs and goals into the empty net count for nobody.
    From `playerByGameStats` of the newest final box score.
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
    Column("decision", pl.String, "W won, L lost, O lost in overtime or a shoot-out", nullable=True),
    Column("saves", pl.Int16, "Shots saved", nullable=True),
    Column("shots_against", pl.Int16, "Shots faced, goals among them", nullable=True),
    Column("goals_against", pl.Int16, "Goals allowed", nullable=True),
    Column("save_share", pl.Float64, "Share of the shots that were saved; null if there were none", nullable=True),
    *(
        Column(f"{name}_{what}", pl.Int16, f"{about} while the shooters were {when}", nullable=True)
        for name, when in STRENGTH_LABELS.items()
        for what, about in (
            ("saves", "Shots saved"),
            ("shots_against", "Shots faced"),
            ("goals_against", "Goals allowed"),
        )
    ),
    c.penalty_minutes,
    c.time_on_ice_s,
)

GOALIE_GAMES = Table(
    name="silver.goalie_games",
    grain="one goalie dressed for a final game, as the box score counts him",
    key=("game_id", "player_id"),
    columns=COLUMNS,
    chunk_key="game_id",
    inputs=(BOXSCORE,),
    source=goalie_games,
    checks={
        "no more saves than shots": pl.col("saves").is_null() | (pl.col("saves") <= pl.col("shots_against")),
    },
)
