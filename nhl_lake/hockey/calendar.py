"""The league's calendar: Eastern days and the states of a game."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")

STATES = ("FUT", "PRE", "LIVE", "CRIT", "OVER", "FINAL", "OFF")
FINAL = ("FINAL", "OFF")
SCHEDULE_STATES = ("OK", "TBD", "PPD", "CNCL", "SUSP")
GONE = "GONE"  # ours: the schedule does not list the game any more, and it was not played

GAME_TYPES = {1: "preseason", 2: "regular season", 3: "playoffs"}


def eastern_day(instant: datetime) -> date:
    """Return the league's day at an instant: the date in New York."""
    return instant.astimezone(EASTERN).date()
