"""Eastern dates, and the states of a game."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import polars as pl

EASTERN = ZoneInfo("America/New_York")

GAME_STATES = ("FUT", "PRE", "LIVE", "CRIT", "OVER", "FINAL", "OFF")
FINAL_STATES = ("FINAL", "OFF")
SCHEDULE_STATES = ("OK", "TBD", "PPD", "CNCL", "SUSP")
GONE = "GONE"  # added by nhl-lake: the game was not played, and the schedule no longer lists it
OFF_SCHEDULE_STATES = ("PPD", "CNCL", "SUSP", GONE)  # not played at the scheduled time
UNDECIDED_TEAM = "TBD"  # abbreviation of an undecided team: the winner of a series that is not over

GAME_TYPES = {1: "preseason", 2: "regular season", 3: "playoffs"}


def is_upcoming(now: datetime) -> pl.Expr:
    """Whether a game of the schedule is still to be played, even if its teams are undecided."""
    is_scheduled = ~pl.col("schedule_state").is_in(OFF_SCHEDULE_STATES) & ~pl.col("game_state").is_in(FINAL_STATES)
    return is_scheduled & (pl.col("start_at") > now)


def get_eastern_day(instant: datetime) -> date:
    """Return the date in New York at an instant."""
    return instant.astimezone(EASTERN).date()
