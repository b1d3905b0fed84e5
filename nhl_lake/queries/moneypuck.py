"""Four views over gold with MoneyPuck's column names, for notebooks written for its files.

Polars and DuckDB return the same rows for each view. Columns of expected goals are null in games without xG, not zero.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from nhl_lake.catalog import find_table
from nhl_lake.gold.measures.expected_goals import DANGER_CLASSES
from nhl_lake.gold.measures.on_ice_events import OFF_ICE_COUNTS, ON_ICE_COUNTS
from nhl_lake.gold.measures.shift_starts import SHIFT_KINDS
from nhl_lake.schema.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A named query: its columns with their SQL expressions, and its FROM clause."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: Mapping[str, str]
    from_clause: str
    partition: str = "season"

    @property
    def sql(self) -> str:
        """Return the query."""
        return (
            "SELECT "
            + ", ".join(f'{what} AS "{name}"' for name, what in self.columns.items())
            + f" FROM {self.from_clause}"
        )

    @property
    def inputs(self) -> tuple[Table, ...]:
        """Return the tables that the query reads."""
        return tuple(
            find_table(name) for name in dict.fromkeys(re.findall(r"\b(?:silver|gold)\.\w+", self.from_clause))
        )


TableOrView = Table | View

# our name: MoneyPuck's name without prefixes and suffixes
TEAM_NAMES: Mapping[str, str] = {
    "goals": "goals",
    "shots_on_goal": "shotsOnGoal",
    "missed_shots": "missedShots",
    "blocked_attempts": "blockedShotAttempts",
    "unblocked_attempts": "unblockedShotAttempts",
    "attempts": "shotAttempts",
    "adjusted_attempts": "scoreAdjustedShotsAttempts",
    "adjusted_unblocked_attempts": "scoreAdjustedUnblockedShotAttempts",
    "saved_shots": "savedShotsOnGoal",
    "saved_unblocked_attempts": "savedUnblockedShotAttempts",
    "rebounds_generated": "rebounds",
    "rebound_goals": "reboundGoals",
    "frozen_attempts": "freeze",
    "stopped_attempts": "playStopped",
    "attempts_continued_in_zone": "playContinuedInZone",
    "attempts_continued_outside_zone": "playContinuedOutsideZone",
    "hits": "hits",
    "takeaways": "takeaways",
    "giveaways": "giveaways",
    "defensive_zone_giveaways": "dZoneGiveaways",
    "faceoffs_won": "faceOffsWon",
    "penalties": "penalties",
    "penalty_minutes": "penalityMinutes",
    "xg": "xGoals",
    "xg_flurry_adjusted": "flurryAdjustedxGoals",
    "xg_score_adjusted": "scoreVenueAdjustedxGoals",
    "xg_flurry_score_adjusted": "flurryScoreVenueAdjustedxGoals",
    "rebound_xg": "reboundxGoals",
    **{
        f"{danger}_danger_{ours}": f"{danger}Danger{theirs}"
        for ours, theirs in (("attempts", "Shots"), ("xg", "xGoals"), ("goals", "Goals"))
        for danger in DANGER_CLASSES
    },
}
SKATER_NAMES: Mapping[str, str] = {
    **{name: f"I_F_{theirs}" for name, theirs in TEAM_NAMES.items() if not name.startswith("penal")},
    "primary_assists": "I_F_primaryAssists",
    "secondary_assists": "I_F_secondaryAssists",
    "points": "I_F_points",
    "faceoffs_lost": "faceoffsLost",
    "blocked_shots": "shotsBlockedByPlayer",
    "penalties": "penalties",
    "penalty_minutes": "penalityMinutes",
    "penalties_drawn": "penaltiesDrawn",
    "penalty_minutes_drawn": "penalityMinutesDrawn",
}
REPEATED_COLUMNS = {"I_F_penalityMinutes": "penalty_minutes", "faceoffsWon": "faceoffs_won", "I_F_shifts": "shifts"}
ZONE_NAMES = dict(zip(SHIFT_KINDS, ("oZone", "neutralZone", "dZone", "fly"), strict=True))
SHARE_NAMES = {"corsi": "attempt", "fenwick": "unblocked_attempt"}
SIDES = {"F": "for", "A": "against"}
SHIFT_COLUMNS = {
    "icetime": "time_on_ice_s",
    "shifts": "shifts",
    "timeOnBench": "time_on_bench_s",
    "gameScore": "game_score",
    "iceTimeRank": "ice_time_rank",
    **{f"{where}_{name}Percentage": f"100 * {where.replace('I', '_i').lower()}_{ours}_share"
       for name, ours in SHARE_NAMES.items() for where in ("onIce", "offIce")},
    **{f"{name}Percentage": f"100 * on_ice_{ours}_share" for name, ours in SHARE_NAMES.items()},
    **{f"I_F_{theirs}Shift{side.title()}": f"{ours}_{side}"
       for side in ("starts", "ends") for ours, theirs in ZONE_NAMES.items()},
    **{f"OnIce_{letter}_{TEAM_NAMES[name]}": f"on_ice_{name}_{side}"
       for letter, side in SIDES.items() for name in ON_ICE_COUNTS},
    **{f"OffIce_{letter}_{TEAM_NAMES[name]}": f"off_ice_{name}_{side}"
       for letter, side in SIDES.items() for name in OFF_ICE_COUNTS},
    **{f"{name}{side.title()}AfterShifts": f"{ours}s_{side}_after_shifts"
       for name, ours in SHARE_NAMES.items() for side in SIDES.values()},
    **{f"xGoals{side.title()}AfterShifts": f"xg_{side}_after_shifts" for side in SIDES.values()},
    **{f"{where}_xGoalsPercentage": f"100 * {where.replace('I', '_i').lower()}_xg_share"
       for where in ("onIce", "offIce")},
}  # fmt: skip

GAME_TYPE_FILTER = "game_type IN (2, 3)"
GAME_COLUMNS = {"gameId": "game_id", "opposingTeam": "opponent_abbrev",
        "home_or_away": "CASE WHEN is_home THEN 'HOME' ELSE 'AWAY' END"}  # fmt: skip
DATE_NUMBER = (
    "year(game_date) * 10000 + CAST(month(game_date) AS INTEGER) * 100 + day(game_date)"  # a month is one byte
)
PLAYER_NAMES_QUERY = (
    "SELECT player_id AS named_id, nullif(concat_ws(' ', first_name, last_name), '') AS full_name FROM silver.players"
)
PLAYER_NAMES_JOIN = f"LEFT JOIN ({PLAYER_NAMES_QUERY}) AS p ON player_id = named_id"

PLAYER_GAME_STATS = View(
    name="player_game_stats",
    grain="one skater in a game of the regular season or the playoffs, in one situation (including `other`)",
    key=("playerId", "gameId", "situation"),
    columns={
        "playerId": "CAST(player_id AS VARCHAR)",
        "season": "season",
        "name": "full_name",
        "playerTeam": "team_abbrev",
        **GAME_COLUMNS,
        "gameDate": DATE_NUMBER,
        "position": "position",
        "situation": "situation",
        **{theirs: ours for ours, theirs in SKATER_NAMES.items()},
        **REPEATED_COLUMNS,
        **SHIFT_COLUMNS,
    },
    from_clause=f"(SELECT * FROM gold.skater_game WHERE {GAME_TYPE_FILTER}) AS s {PLAYER_NAMES_JOIN}",
)

GAMES_HISTORICAL = View(
    name="games_historical",
    grain="one team in a game of the regular season or the playoffs, in one situation (including `other`)",
    key=("gameId", "team", "situation"),
    columns={
        "team": "team_abbrev",
        "season": "season",
        "playerTeam": "team_abbrev",
        **GAME_COLUMNS,
        "gameDate": DATE_NUMBER,
        "situation": "situation",
        "playoffGame": "CASE WHEN game_type = 3 THEN 1 ELSE 0 END",
        "iceTime": "time_on_ice_s",
        "corsiPercentage": "100 * attempt_share",
        "fenwickPercentage": "100 * unblocked_attempt_share",
        "xGoalsPercentage": "100 * xg_share",
        **{f"{theirs}For": ours for ours, theirs in TEAM_NAMES.items()},
        **{f"{theirs}Against": f"{ours}_against" for ours, theirs in TEAM_NAMES.items() if ours != "faceoffs_won"},
        "faceOffsWonAgainst": "faceoffs_lost",
    },
    from_clause=f"(SELECT * FROM gold.team_game WHERE {GAME_TYPE_FILTER}) AS t",
)


def format_clock(offset: str) -> str:
    """Return the expression for the start of a game at an offset from UTC: 7:00 PM."""
    sign = f"CASE WHEN left({offset}, 1) = '-' THEN -1 ELSE 1 END"
    ahead = f"({sign}) * (CAST(substr({offset}, 2, 2) AS INTEGER) * 60 + CAST(substr({offset}, 5, 2) AS INTEGER))"
    minute = f"((CAST(extract(epoch FROM start_at) AS BIGINT) // 60 + {ahead} + 1440) % 1440)"
    hour = f"(({minute} // 60 + 11) % 12 + 1)"
    half = f"CASE WHEN {minute} < 720 THEN ' AM' ELSE ' PM' END"
    minutes = f"substr(CAST({minute} % 60 + 100 AS VARCHAR), 2, 2)"
    clock = f"concat(CAST({hour} AS VARCHAR), ':', {minutes}, {half})"
    return f"CASE WHEN {offset} IS NOT NULL THEN {clock} END"


SCHEDULE = View(
    name="schedule",
    grain="one game of the regular season or the playoffs, past or future, on its newest date",
    key=("GAME_ID",),
    partition="SEASON",
    columns={
        "SEASON": "season",
        "GAME_ID": "game_id",
        "GAME_TYPE_ID": "game_type",
        "DAY": "concat(strftime(game_date, '%a'), '.')",
        "DATE": "game_date",
        "EASTERN": format_clock("eastern_offset"),
        "LOCAL": format_clock("venue_offset"),
        "AWAY": "away_team_abbrev",
        "HOME": "home_team_abbrev",
        "AWAY_SCORE": "away_score",
        "HOME_SCORE": "home_score",
    },
    from_clause=f"(SELECT * FROM silver.games WHERE {GAME_TYPE_FILTER}) AS g",
)

SUMMED_COLUMNS = {
    "icetime": "time_on_ice_s",
    **{SKATER_NAMES[name]: name for name in ("goals", "shots_on_goal", "attempts")},
}
ROW_NUMBER = "row_number() OVER (PARTITION BY player_id, season, situation ORDER BY game_type DESC) AS nth"
SEASON_WINDOW = "OVER (PARTITION BY player_id, season, situation)"


def sum_known(name: str) -> str:
    """Return the sum of the known values over a season; null if there are none."""
    return f"CASE WHEN count({name}) {SEASON_WINDOW} > 0 THEN sum(CAST({name} AS BIGINT)) {SEASON_WINDOW} END"


SKATERS = View(
    name="skaters",
    grain="one skater in a season, in one situation, over all teams; `team` is the last one",
    key=("playerId", "season", "situation"),
    columns={
        "playerId": "CAST(player_id AS VARCHAR)",
        "name": "full_name",
        "team": "team_abbrev",
        "position": "position",
        "season": "season",
        "situation": "situation",
        **{f"player_{theirs}": f"CAST(all_{ours} AS BIGINT)" for theirs, ours in SUMMED_COLUMNS.items()},
    },
    from_clause=f"(SELECT *, {ROW_NUMBER}, "
    f"{', '.join(f'{sum_known(ours)} AS all_{ours}' for ours in SUMMED_COLUMNS.values())}"
    f" FROM gold.skater_season WHERE is_total AND {GAME_TYPE_FILTER}) AS s {PLAYER_NAMES_JOIN} WHERE nth = 1",
)  # fmt: skip

VIEWS = (PLAYER_GAME_STATS, GAMES_HISTORICAL, SCHEDULE, SKATERS)
