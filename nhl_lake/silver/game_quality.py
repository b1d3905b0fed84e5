"""What does not add up, game by game."""

import polars as pl

from nhl_lake.bronze.endpoints import BOXSCORE, PLAY_BY_PLAY, RIGHT_RAIL, SHIFT_CHARTS
from nhl_lake.hockey.calendar import GONE, SCHEDULE_STATES, STATES
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.goalie_games import GOALIE_GAMES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.listed_shifts import LISTED_SHIFTS
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.quality.boxscore import box_quality, goalie_quality
from nhl_lake.silver.quality.completeness import completeness, incomplete_pages
from nhl_lake.silver.quality.pages import page_quality
from nhl_lake.silver.quality.plays import play_quality
from nhl_lake.silver.quality.shifts import ice_time_quality, men_quality, shift_quality
from nhl_lake.silver.quality.strength import strength_quality
from nhl_lake.silver.shifts import SHIFTS
from nhl_lake.silver.skater_games import SKATER_GAMES
from nhl_lake.silver.stints import STINTS


def game_quality(
    play_by_play: pl.LazyFrame,
    games: pl.LazyFrame,
    lineups: pl.LazyFrame,
    plays: pl.LazyFrame,
    listed_shifts: pl.LazyFrame,
    shifts: pl.LazyFrame,
    stints: pl.LazyFrame,
    skater_games: pl.LazyFrame,
    goalie_games: pl.LazyFrame,
    boxscore: pl.LazyFrame,
    right_rail: pl.LazyFrame,
    shift_charts: pl.LazyFrame,
) -> pl.LazyFrame:
    """One row a check that a final game does not pass: what was expected, what was found, and how bad that is.

    `info` is a defect of a page that was mended without loss, `warning` a difference that corrections explain most of
    the time, `error` a game whose numbers are not whole. A game without rows passes all that can be checked.
    `incomplete_pages` names the pages that are asked for again until the check passes.
    """
    found = (
        play_quality(plays, play_by_play.join(plays, on="game_id", how="semi"), games),
        shift_quality(listed_shifts, shifts, lineups),
        men_quality(stints),
        ice_time_quality(shifts, skater_games, goalie_games),
        box_quality(plays, skater_games),
        goalie_quality(plays, goalie_games),
        strength_quality(plays, shifts, lineups, skater_games),
        completeness(play_by_play, boxscore, games, lineups, plays, shifts, skater_games, goalie_games),
        unknown_words(games),
        page_quality(play_by_play, boxscore, right_rail, shift_charts, lineups, skater_games),
    )
    return pl.concat(found).with_columns(incomplete_pages=incomplete_pages())


def unknown_words(games: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row a game of the schedule, final or not, with a state that was never seen before."""
    states = {"game_state": STATES, "schedule_state": (*SCHEDULE_STATES, GONE)}
    found = (
        games.filter(~pl.col(name).is_in(known)).select(
            "season",
            "game_id",
            check=pl.lit(f"the {name.replace('_', ' ')} is known"),
            severity=pl.lit("warning"),
            expected=pl.lit(" ".join(known)),
            actual=name,
        )
        for name, known in states.items()
    )
    return pl.concat(found)


GAME_QUALITY = Table(
    name="silver.game_quality",
    grain="one check that a final game does not pass",
    key=("game_id", "check"),
    columns=(
        c.season,
        c.game_id,
        Column("check", pl.String, "What should hold"),
        Column("severity", pl.String, "How bad that is", values=("error", "warning", "info")),
        Column("expected", pl.String, "What was expected", nullable=True),
        Column("actual", pl.String, "What was found", nullable=True),
        Column(
            "incomplete_pages",
            pl.List(pl.String),
            "Bronze tables whose page of the game is incomplete, and is asked for again; null if none is",
            nullable=True,
        ),
    ),
    by="game_id",
    reads=(
        PLAY_BY_PLAY,
        GAMES,
        LINEUPS,
        PLAYS,
        LISTED_SHIFTS,
        SHIFTS,
        STINTS,
        SKATER_GAMES,
        GOALIE_GAMES,
        BOXSCORE,
        RIGHT_RAIL,
        SHIFT_CHARTS,
    ),
    source=game_quality,
    may_lose=1,  # pages get better
)
