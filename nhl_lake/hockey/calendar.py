"""The league's calendar: Eastern days and the states of a game."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import polars as pl

EASTERN = ZoneInfo("America/New_York")

GAME_STATES = ("FUT", "PRE", "LIVE", "CRIT", "OVER", "FINAL", "OFF")
FINAL_STATES = ("FINAL", "OFF")
SCHEDULE_STATES = ("OK", "TBD", "PPD", "CNCL", "SUSP")
GONE = "GONE"  # ours: the schedule does not list the game any more, and it was not played
OFF_SCHEDULE_STATES = ("PPD", "CNCL", "SUSP", GONE)  # not to be played at the time that the schedule says
UNDECIDED_TEAM = "TBD"  # the abbreviation of a team that is not known yet: the winner of a series that goes on

GAME_TYPES = {1: "preseason", 2: "regular season", 3: "playoffs"}


def is_upcoming(now: datetime) -> pl.Expr:
    """Whether a game of the schedule is still to be played, whoever plays in it."""
    is_on = ~pl.col("schedule_state").is_in(OFF_SCHEDULE_STATES) & ~pl.col("game_state").is_in(FINAL_STATES)
    return is_on & (pl.col("start_at") > now)


def get_eastern_day(instant: datetime) -> date:
    """Return the league's day at an instant: the date in New York."""
    return instant.astimezone(EASTERN).date()
