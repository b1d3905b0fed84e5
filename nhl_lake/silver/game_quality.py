"""Data quality by game: the checks that a game does not pass."""

import polars as pl

from nhl_lake.bronze.endpoints import BOXSCORE, PLAY_BY_PLAY, RIGHT_RAIL, SHIFT_CHARTS
from nhl_lake.hockey.calendar import GAME_STATES, GONE, SCHEDULE_STATES
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.goalie_games import GOALIE_GAMES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.listed_shifts import LISTED_SHIFTS
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.quality.boxscore import check_goalie_games, check_skater_games
from nhl_lake.silver.quality.completeness import check_completeness, get_incomplete_pages
from nhl_lake.silver.quality.pages import PAGE_STRUCTS, check_pages
from nhl_lake.silver.quality.plays import check_plays
from nhl_lake.silver.quality.shifts import check_ice_time, check_player_counts, check_shifts
from nhl_lake.silver.quality.strength import check_strength
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
    """One row per check that a final game does not pass: what was expected, what was found, and the severity.

    `info` is a defect of a page that was repaired without loss. `warning` is a difference that the NHL's later
    corrections usually explain. `error` means that the game's numbers are incomplete or wrong. A game without rows
    passes all checks. `incomplete_pages` names the pages that are fetched again until the check passes.
    """
    found = (
        check_plays(plays, play_by_play.join(plays, on="game_id", how="semi"), games),
        check_shifts(listed_shifts, shifts, lineups),
        check_player_counts(stints),
        check_ice_time(shifts, skater_games, goalie_games),
        check_skater_games(plays, skater_games),
        check_goalie_games(plays, goalie_games),
        check_strength(plays, shifts, lineups, skater_games),
        check_completeness(play_by_play, boxscore, games, lineups, plays, shifts, skater_games, goalie_games),
        find_unknown_states(games),
        check_pages(play_by_play, boxscore, right_rail, shift_charts, lineups, skater_games),
    )
    return pl.concat(found).with_columns(incomplete_pages=get_incomplete_pages())


def find_unknown_states(games: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row per game of the schedule, final or not, with an unknown state."""
    states = {"game_state": GAME_STATES, "schedule_state": (*SCHEDULE_STATES, GONE)}
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
    grain="one game and a check that it does not pass",
    key=("game_id", "check"),
    columns=(
        c.season,
        c.game_id,
        Column("check", pl.String, "The check: what should be true"),
        Column("severity", pl.String, "Severity", values=("error", "warning", "info")),
        Column("expected", pl.String, "What was expected", nullable=True),
        Column("actual", pl.String, "What was found", nullable=True),
        Column(
            "incomplete_pages",
            pl.List(pl.String),
            "Bronze tables whose page of the game is incomplete and is fetched again; null if none",
            nullable=True,
        ),
    ),
    chunk_key="game_id",
    inputs=(
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
    page_structs=PAGE_STRUCTS,
    source=game_quality,
    max_row_loss=1,  # corrected pages pass more checks
)
