"""The data of game reports: a frame per section, for one game or for every game of a season."""

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import polars as pl

from nhl_lake.catalog import find_table
from nhl_lake.gold.measures.situations import ALL_SITUATIONS, EVEN_SITUATION
from nhl_lake.hockey.calendar import FINAL_STATES
from nhl_lake.hockey.ids import get_game_season
from nhl_lake.hockey.names import format_full_name
from nhl_lake.queries.game import raise_unknown_game
from nhl_lake.queries.matchups import Matchups, compute_matchups
from nhl_lake.reports.sections import Section, read_sections, split_by_page
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

MIN_TIME_TOGETHER_S = 60
IS_ALL, IS_EVEN = (pl.col("situation") == name for name in (ALL_SITUATIONS, EVEN_SITUATION))
ON_ICE = (
    "time_on_ice_s", "on_ice_attempts_for", "on_ice_attempts_against", "on_ice_xg_for", "on_ice_xg_against",
    "on_ice_goals_for", "on_ice_goals_against", "on_ice_attempt_share", "on_ice_xg_share",
)  # fmt: skip
COMBINATION = (
    "team_abbrev", "is_home", "time_together_s", "on_ice_attempts_for", "on_ice_attempts_against", "on_ice_xg_for",
    "on_ice_xg_against", "on_ice_goals_for", "on_ice_goals_against",
)  # fmt: skip
TOGETHER = pl.col("time_together_s") >= MIN_TIME_TOGETHER_S
SECTIONS = {
    "flow": Section(
        "gold.game_flow",
        (
            "step", "period", "period_seconds", "game_seconds", "event_id", "acting_team_abbrev", "is_home",
            "home_strength_state", "home_goals_so_far", "away_goals_so_far", "home_xg_so_far", "away_xg_so_far", "xg",
        ),
        ("step_number",),
    ),
    "win_probability": Section(
        "gold.win_probability",
        ("step_number", "step", "game_seconds", "pregame_home_win_probability", "home_win_probability"),
        ("step_number",),
    ),
    "shots": Section(
        "gold.shots",
        (
            "event_id", "event", "period", "period_type", "period_seconds", "game_seconds", "team_abbrev", "is_home",
            "shooter_player_id", "shooter", "goalie", "shot_type", "x_ft", "y_ft", "distance_ft", "strength_state",
            "is_opponent_net_empty", "is_goal", "is_shot_on_goal", "is_unblocked_attempt", "is_penalty_shot",
            "is_rebound", "is_rush", "home_score_before", "away_score_before", "danger_xg", "xg",
        ),
        ("event_number",),
    ),
    "plays": Section(
        "silver.plays",
        (
            "event_id", "event", "period", "period_type", "period_seconds", "is_home", "assist1_player_id",
            "assist2_player_id", "assist3_player_id", "penalised_player_id", "penalty_description", "penalty_minutes",
        ),
        ("event_number",),
        where=(pl.col("event") == "penalty") | pl.col("is_goal"),
    ),
    "teams": Section(
        "gold.team_game",
        (
            "team_id", "team_abbrev", "is_home", "situation", "time_on_ice_s", "goals", "xg", "shots_on_goal",
            "attempts", "unblocked_attempts", "high_danger_attempts", "xg_share", "attempt_share", "hits",
            "faceoffs_won", "penalty_minutes",
        ),
        ("is_home", "situation"),
    ),
    "skaters": Section(
        "gold.skater_game",
        (
            "player_id", "player", "team_abbrev", "is_home", "position", "time_on_ice_s", "goals", "assists", "points",
            "shots_on_goal", "attempts", "xg", "hits", "blocked_shots", "penalty_minutes", "game_score", "time_source",
        ),
        ("is_home", "time_on_ice_s", "player_id"),
        (False, True, False),
        where=IS_ALL,
    ),
    "on_ice": Section("gold.skater_game", ("player_id", "is_home", *ON_ICE), ("player_id",), where=IS_EVEN),
    "goalies": Section(
        "gold.goalie_game",
        (
            "player_id", "player", "team_abbrev", "is_home", "decision", "time_on_ice_s", "shots_against", "saves",
            "goals_against", "save_share", "xg_against", "goals_saved_above_expected", "high_danger_attempts_against",
            "high_danger_goals_against",
        ),
        ("is_home", "time_on_ice_s", "player_id"),
        (False, True, False),
        where=IS_ALL & ((pl.col("time_on_ice_s") > 0) | (pl.col("shots_against") > 0)),
    ),
    "lines": Section(
        "gold.line_game",
        (
            "first_player_id", "first_player", "second_player_id", "second_player", "third_player_id", "third_player",
            *COMBINATION,
        ),
        ("is_home", "time_together_s", "first_player_id", "second_player_id", "third_player_id"),
        (False, True, False, False, False),
        where=TOGETHER,
    ),
    "pairs": Section(
        "gold.pair_game",
        ("first_player_id", "first_player", "second_player_id", "second_player", *COMBINATION),
        ("is_home", "time_together_s", "first_player_id", "second_player_id"),
        (False, True, False, False),
        where=TOGETHER,
    ),
    "shifts": Section(
        "silver.shifts",
        ("player_id", "team_id", "period", "start_seconds", "end_seconds"),
        ("player_id", "period", "start_seconds"),
    ),
    "stints": Section(
        "silver.stints",
        ("start_seconds", "end_seconds", "situation_code", "home_skater_player_ids", "away_skater_player_ids"),
        ("period", "start_seconds"),
    ),
    "names": Section("silver.lineups", ("player_id", "team_id", "sweater_number", "first_name", "last_name")),
    "problems": Section("silver.game_quality", ("check", "severity", "expected", "actual"), ("check",)),
}  # fmt: skip


class GameData(NamedTuple):
    """What a game report shows. Frames are empty where the lake lacks the rows; the page then says what is missing."""

    game: dict[str, Any]  # a row of silver.games, with home_team_name and away_team_name
    flow: pl.DataFrame  # steps of gold.game_flow
    win_probability: pl.DataFrame
    shots: pl.DataFrame  # attempts of gold.shots
    periods: pl.DataFrame  # one row per team and period: goals, xg, shots_on_goal, attempts
    teams: pl.DataFrame  # rows of gold.team_game, one per team and situation
    goals: pl.DataFrame  # attempts that are goals, with the names of the assists
    penalties: pl.DataFrame  # one row per penalty: time, team, player, infraction
    skaters: pl.DataFrame  # rows of gold.skater_game in all situations, with on-ice columns at 5on5 (`even_…`)
    goalies: pl.DataFrame
    lines: pl.DataFrame  # with at least a minute together
    pairs: pl.DataFrame
    shifts: pl.DataFrame
    matchups: Matchups  # seconds together and against each other at 5on5
    problems: pl.DataFrame  # what silver.game_quality reports

    @property
    def is_final(self) -> bool:
        """Whether the game is over."""
        return self.game["game_state"] in FINAL_STATES


def read_game(root: Location, game_id: int) -> GameData:
    """Return the data of one game; a game that the lake does not have is an error."""
    season = get_game_season(game_id)
    found = next(read_games(root, season, [game_id]), None)
    if found is None:
        raise_unknown_game(root, game_id)
    return found


def read_games(root: Location, season: int, game_ids: Collection[int] | None = None) -> Iterator[GameData]:
    """Yield the data of the games of a season, or of some of them, by game id. Every table is read once."""
    games = read_game_rows(root, season, game_ids)
    ids = [game["game_id"] for game in games]
    frames = read_sections(root, SECTIONS, season, "game_id", None if game_ids is None else ids)
    split = split_by_page(frames, "game_id")
    empty = {name: rows.drop("game_id").clear() for name, rows in frames.items()}
    for game in games:
        own = {name: parts.get(game["game_id"], empty[name]) for name, parts in split.items()}
        yield build_game(game, own)


def read_game_rows(root: Location, season: int, game_ids: Collection[int] | None) -> list[dict[str, Any]]:
    """Return rows of silver.games with the names of the teams."""
    games = delta_tables.scan_table(root, find_table("silver.games")).filter(pl.col("season") == season)
    if game_ids is not None:
        games = games.filter(pl.col("game_id").is_in(sorted(game_ids)))
    names = delta_tables.scan_table_or_empty(root, find_table("silver.teams")).select("team_id", "team_name")
    for side in ("home", "away"):
        own = names.rename({"team_id": f"{side}_team_id", "team_name": f"{side}_team_name"})
        games = games.join(own, on=f"{side}_team_id", how="left", validate="m:1")
    return games.sort("game_id").collect().to_dicts()


def build_game(game: dict[str, Any], own: dict[str, pl.DataFrame]) -> GameData:
    """Return the data of a game from its rows of each section."""
    names = own["names"].select("player_id", "team_id", "sweater_number", player=format_full_name())
    plays = own["plays"]
    skaters = add_on_ice(own["skaters"], own["on_ice"])
    return GameData(
        game=game,
        flow=own["flow"],
        win_probability=own["win_probability"],
        shots=own["shots"],
        periods=summarize_periods(own["shots"]),
        teams=own["teams"],
        goals=list_goals(own["shots"], plays, names),
        penalties=list_penalties(plays, names),
        skaters=skaters,
        goalies=own["goalies"],
        lines=own["lines"],
        pairs=own["pairs"],
        shifts=own["shifts"].join(
            names.select("player_id", "sweater_number", "player"), on="player_id", how="left", maintain_order="left"
        ),
        matchups=compute_matchups(own["stints"]),
        problems=own["problems"],
    )


def add_on_ice(skaters: pl.DataFrame, on_ice: pl.DataFrame) -> pl.DataFrame:
    """Add the columns of a skater's row at 5on5, with the prefix `even_`."""
    even = on_ice.drop("is_home").rename({name: f"even_{name}" for name in ON_ICE})
    return skaters.join(even, on="player_id", how="left", maintain_order="left", validate="1:1")


def summarize_periods(shots: pl.DataFrame) -> pl.DataFrame:
    """One row per team and period with an attempt: goals, xg, shots_on_goal, attempts; xg is null without a value."""
    return (
        shots.group_by("is_home", "team_abbrev", "period", "period_type")
        .agg(
            goals=pl.col("is_goal").sum(),
            xg=pl.when(pl.col("xg").is_not_null().any()).then(pl.col("xg").sum()),
            shots_on_goal=pl.col("is_shot_on_goal").sum(),
            attempts=pl.len(),
        )
        .sort("is_home", "period", nulls_last=True)
    )


def list_goals(shots: pl.DataFrame, plays: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """One row per goal in order: an attempt of gold.shots, the names of the assists, and the score after it."""
    scored = shots.filter("is_goal").join(
        plays.select("event_id", "assist1_player_id", "assist2_player_id", "assist3_player_id"),
        on="event_id", how="left", maintain_order="left", validate="1:1",
    )  # fmt: skip
    known = names.select("player_id", "player")
    for number in (1, 2, 3):
        own = known.rename({"player_id": f"assist{number}_player_id", "player": f"assist{number}"})
        scored = scored.join(own, on=f"assist{number}_player_id", how="left", maintain_order="left", validate="m:1")
    return scored.with_columns(
        away_score=pl.col("away_score_before") + (~pl.col("is_home")).cast(pl.Int16),
        home_score=pl.col("home_score_before") + pl.col("is_home").cast(pl.Int16),
    )


def list_penalties(plays: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """One row per penalty in order; a bench minor has no player."""
    called = plays.filter(pl.col("event") == "penalty")
    known = names.select(penalised_player_id="player_id", player="player")
    return called.join(known, on="penalised_player_id", how="left", maintain_order="left", validate="m:1").select(
        "event_id", "period", "period_type", "period_seconds", "is_home", "penalised_player_id", "player",
        "penalty_description", "penalty_minutes",
    )  # fmt: skip
