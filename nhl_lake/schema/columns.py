"""Columns that two or more tables share. A name means one thing in the whole lake."""

import polars as pl

from nhl_lake.schema.table import Column

UTC = pl.Datetime("us", "UTC")
PERIOD_TYPES = ("REG", "OT", "SO")

season = Column("season", pl.Int32, "Season, as the NHL writes it: 20232024")
year = Column("year", pl.Int32, "Calendar year")
game_id = Column("game_id", pl.Int64, "Game id: first year of the season, game type, number; never changes")
game_type = Column("game_type", pl.Int16, "1 preseason, 2 regular season, 3 playoffs; other types are special events")
game_date = Column("game_date", pl.Date, "Date of the game in New York (Eastern time)")
player_id = Column("player_id", pl.Int64, "Player id; never changes")
player = Column("player", pl.String, "Full name, as on the game's page", nullable=True)
team_id = Column("team_id", pl.Int32, "Team id; a team that moves gets a new one")
team_abbrev = Column("team_abbrev", pl.String, "Three-letter code of the team at that time")
team_name = Column("team_name", pl.String, "Full name of the team")
start_at = Column("start_at", UTC, "Scheduled or actual start of the game", "UTC")
home_team_id = Column("home_team_id", pl.Int32, "Team id of the home team")
away_team_id = Column("away_team_id", pl.Int32, "Team id of the away team")

opponent_team_id = Column("opponent_team_id", pl.Int32, "Team id of the opponent")
is_home = Column("is_home", pl.Boolean, "Whether the team is the home team")
position = Column(
    "position",
    pl.String,
    "Position: C, L, R, D, G; in a table of games, the position in that game",
    values=tuple("CLRDG"),
)
sweater_number = Column("sweater_number", pl.Int16, "Number on the sweater", nullable=True)
is_starter = Column("is_starter", pl.Boolean, "Whether the goalie started; null for skaters", nullable=True)
last_period_type = Column(
    "last_period_type", pl.String, "Period type in which the game was decided: REG, OT, SO", values=PERIOD_TYPES
)
home_win_probability = Column("home_win_probability", pl.Float64, "Probability before the game that the home team wins")

goals = Column("goals", pl.Int16, "Goals, without the shootout")
shots_on_goal = Column("shots_on_goal", pl.Int16, "Shots on goal, including goals, without the shootout", nullable=True)
hits = Column("hits", pl.Int16, "Hits given", nullable=True)
blocked_shots = Column("blocked_shots", pl.Int16, "Opponent shots blocked", nullable=True)
giveaways = Column("giveaways", pl.Int16, "Giveaways", nullable=True)
takeaways = Column("takeaways", pl.Int16, "Takeaways", nullable=True)
power_play_goals = Column("power_play_goals", pl.Int16, "Goals on the power play", nullable=True)
shorthanded_goals = Column("shorthanded_goals", pl.Int16, "Goals while shorthanded", nullable=True)
even_strength_goals = Column(
    "even_strength_goals", pl.Int16, "Goals at even strength, by players on the ice", nullable=True
)
penalty_shot_goals = Column("penalty_shot_goals", pl.Int16, "Goals from penalty shots", nullable=True)
power_play_points = Column("power_play_points", pl.Int16, "Points on the power play", nullable=True)
shorthanded_points = Column("shorthanded_points", pl.Int16, "Points while shorthanded", nullable=True)
points = Column("points", pl.Int16, "Goals and assists")
assists = Column("assists", pl.Int16, "Assists")
shifts = Column("shifts", pl.Int16, "Shifts", nullable=True)
faceoffs_won = Column("faceoffs_won", pl.Int16, "Faceoffs won", nullable=True)
faceoff_share = Column(
    "faceoff_share", pl.Float64, "Share of faceoffs won, 0 to 1; also 0 without faceoffs", nullable=True
)
penalty_minutes = Column("penalty_minutes", pl.Int16, "Penalty minutes", "min", nullable=True)
time_on_ice_s = Column("time_on_ice_s", pl.Int32, "Time on ice", "s", nullable=True)
power_play_time_on_ice_s = Column(
    "power_play_time_on_ice_s", pl.Int32, "Time on ice on the power play", "s", nullable=True
)
shorthanded_time_on_ice_s = Column(
    "shorthanded_time_on_ice_s", pl.Int32, "Time on ice while shorthanded", "s", nullable=True
)

first_name = Column("first_name", pl.String, "First name", nullable=True)
last_name = Column("last_name", pl.String, "Last name", nullable=True)
shoots_catches = Column(
    "shoots_catches", pl.String, "Hand the player shoots with, or catches with (goalies): L, R", nullable=True
)
height_cm = Column("height_cm", pl.Int16, "Height", "cm", nullable=True)
weight_kg = Column("weight_kg", pl.Int16, "Weight", "kg", nullable=True)
birth_date = Column("birth_date", pl.Date, "Date of birth", nullable=True)
birth_city = Column("birth_city", pl.String, "City of birth", nullable=True)
birth_province = Column("birth_province", pl.String, "State or province of birth", nullable=True)
birth_country = Column("birth_country", pl.String, "Country of birth, three-letter code", nullable=True)

draft_pick = Column("draft_pick", pl.Int16, "Overall pick", nullable=True)
draft_round = Column("draft_round", pl.Int16, "Round of the draft", nullable=True)
draft_pick_in_round = Column("draft_pick_in_round", pl.Int16, "Pick within the round", nullable=True)
language = Column("language", pl.String, "Language of the page: en")

period = Column("period", pl.Int16, "Period: 1 to 3; overtime periods from 4; a shootout is 5")
event_id = Column("event_id", pl.Int32, "Event id: unique within the game, not in order of time")
situation_code = Column(
    "situation_code",
    pl.String,
    "Four digits, as the NHL has them: away goalie, away skaters, home skaters, home goalie",
    nullable=True,
)
start_seconds = Column("start_seconds", pl.Int32, "Start, in seconds since the period began", "s")
end_seconds = Column("end_seconds", pl.Int32, "End (exclusive), in seconds since the period began", "s")

state = Column("state", pl.String, "Game state when the page was fetched", nullable=True)
game_state = Column("game_state", pl.String, "FUT, PRE, LIVE, CRIT, OVER, FINAL, OFF (official)")
schedule_state = Column(
    "schedule_state",
    pl.String,
    "OK, TBD, PPD postponed, CNCL cancelled, SUSP suspended, GONE no longer listed; a game that is GONE stays FUT",
)

fetched_at = Column("fetched_at", UTC, "When this version of the page was fetched", "UTC")
url = Column("url", pl.String, "URL that the page was fetched from")
sha256 = Column("sha256", pl.String, "SHA-256 of `body` in UTF-8, in hexadecimal")
run_id = Column("run_id", pl.String, "Run that stored the row (`lake.runs`)")
body_bytes = Column("body_bytes", pl.Int64, "Length of `body` in UTF-8", "bytes")
body = Column("body", pl.String, "The page as served, or the part of it that belongs to this row")

stored_page_columns = (fetched_at, url, sha256, run_id, body_bytes, body)
