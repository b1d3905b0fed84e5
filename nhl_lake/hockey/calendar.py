"""The league's calendar: Eastern days and the states of a game."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import polars as pl

EASTERN = ZoneInfo("America/New_York")

STATES = ("FUT", "PRE", "LIVE", "CRIT", "OVER", "FINAL", "OFF")
FINAL = ("FINAL", "OFF")
SCHEDULE_STATES = ("OK", "TBD", "PPD", "CNCL", "SUSP")
GONE = "GONE"  # ours: the schedule does not list the game any more, and it was not played
OFF_THE_CALENDAR = ("PPD", "CNCL", "SUSP", GONE)  # not to be played at the time that the schedule says
UNDECIDED = "TBD"  # the abbreviation of a team that is not known yet: the winner of a series that goes on

GAME_TYPES = {1: "preseason", 2: "regular season", 3: "playoffs"}


def is_to_come(now: datetime) -> pl.Expr:
    """Whether a game of the schedule is still to be played, whoever plays in it."""
    is_on = ~pl.col("schedule_state").is_in(OFF_THE_CALENDAR) & ~pl.col("game_state").is_in(FINAL)
    return is_on & (pl.col("start_at") > now)


def eastern_day(instant: datetime) -> date:
    """Return the league's day at an instant: the date in New York."""
    return instant.astimezone(EASTERN).date()
