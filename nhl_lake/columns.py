"""Columns that two or more tables have. A name means one thing in the whole lake."""

import polars as pl

from nhl_lake.hockey.calendar import SCHEDULE_STATES, STATES
from nhl_lake.table import Column

UTC = pl.Datetime("us", "UTC")

season = Column("season", pl.Int32, "Season, as the NHL writes it: 20232024")
game_id = Column("game_id", pl.Int64, "Game id, for ever the same: season's first year, type, number")
game_type = Column("game_type", pl.Int16, "1 preseason, 2 regular season, 3 playoffs; others are special events")
game_date = Column("game_date", pl.Date, "The league's day of the game: the date in New York")
player_id = Column("player_id", pl.Int64, "Player id, for ever the same")
team_id = Column("team_id", pl.Int32, "Team id; a team that moves gets a new one")
team_abbrev = Column("team_abbrev", pl.String, "Three letters of the team, as of then")
home_team_id = Column("home_team_id", pl.Int32, "Team id of the home team")
away_team_id = Column("away_team_id", pl.Int32, "Team id of the away team")

state = Column("state", pl.String, "State of the game when the page was fetched", nullable=True)
game_state = Column("game_state", pl.String, "FUT, PRE, LIVE, CRIT, OVER, FINAL, OFF (official)", values=STATES)
schedule_state = Column(
    "schedule_state",
    pl.String,
    "OK, TBD, PPD postponed, CNCL cancelled, SUSP suspended; postponed and cancelled games keep game_state FUT",
    values=SCHEDULE_STATES,
)

fetched_at = Column("fetched_at", UTC, "When the page was fetched; later for each version of a page", "UTC")
url = Column("url", pl.String, "Address that the page was fetched from")
sha256 = Column("sha256", pl.String, "SHA-256 of `body` in UTF-8, hexadecimal")
run_id = Column("run_id", pl.String, "The run that kept the row: `lake.runs`")
body_bytes = Column("body_bytes", pl.Int64, "Length of `body` in UTF-8", "bytes")
body = Column("body", pl.String, "The page, or the piece of it that is this row, as served")

kept = (fetched_at, url, sha256, run_id, body_bytes, body)
