"""The data of team pages: a frame per section, for one team or for every team of a season."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl

from nhl_lake.catalog import find_table
from nhl_lake.errors import BadInput
from nhl_lake.gold.measures.situations import ALL_SITUATIONS, EVEN_SITUATION
from nhl_lake.hockey.calendar import FINAL_STATES, UNDECIDED_TEAM, is_upcoming
from nhl_lake.hockey.ids import format_season
from nhl_lake.hockey.results import RESULT_CODES
from nhl_lake.queries.coverage import describe_seasons
from nhl_lake.queries.rolling import roll_teams
from nhl_lake.queries.team import require_known_team
from nhl_lake.queries.upcoming import read_newest_predictions
from nhl_lake.reports.sections import Section, plan_section, split_by_page
from nhl_lake.reports.shot_cells import count_cells
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

IS_ALL, IS_EVEN = (pl.col("situation") == name for name in (ALL_SITUATIONS, EVEN_SITUATION))
IS_COMPETITIVE = pl.col("game_type").is_in([2, 3])
REGULAR_SEASON = 2
MIN_TIME_TOGETHER_S = 600
COMBINATION = (
    "season", "game_type", "games", "time_together_s", "on_ice_goals_for", "on_ice_goals_against", "on_ice_xg_for",
    "on_ice_xg_against", "on_ice_xg_share", "on_ice_attempt_share",
)  # fmt: skip
TOGETHER = IS_COMPETITIVE & (pl.col("time_together_s") >= MIN_TIME_TOGETHER_S)
LEADER_ORDER = ("game_type", "points", "goals", "games", "player_id")
EVEN_COLUMNS = ("time_on_ice_s", "goals", "goals_against", "xg", "xg_against", "xg_share", "attempt_share")
GAME_COLUMNS = (
    "game_id", "game_type", "game_date", "team_abbrev", "opponent_team_id", "opponent_abbrev", "is_home", "goals",
    "goals_against", "shots_on_goal", "shots_on_goal_against", "xg", "xg_against", "xg_share",
)  # fmt: skip
SECTIONS: Mapping[str, Section] = {
    "games": Section("gold.team_game", GAME_COLUMNS, ("game_date", "game_id"), where=IS_ALL & IS_COMPETITIVE),
    "even_games": Section(
        "gold.team_game", ("game_id", *EVEN_COLUMNS), ("game_date", "game_id"), where=IS_EVEN & IS_COMPETITIVE
    ),
    "official_games": Section(
        "silver.team_games",
        (
            "game_id", "game_type", "opponent_team_id", "score", "opponent_score", "result", "last_period_type",
            "power_play_goals", "power_play_opportunities",
        ),
        ("game_id",),
        where=IS_COMPETITIVE,
    ),
    "seasons": Section(
        "gold.team_season",
        (
            "season", "game_type", "situation", "team_abbrev", "games", "games_with_shifts", "goals", "goals_against",
            "shots_on_goal", "shots_on_goal_against", "xg", "xg_against", "xg_share", "attempt_share",
            "goals_above_expected", "shooting_share", "save_share", "high_danger_attempts",
            "high_danger_attempts_against", "xg_per_60", "xg_against_per_60",
        ),
        ("game_type", "situation"),
        where=IS_COMPETITIVE & pl.col("situation").is_in([ALL_SITUATIONS, EVEN_SITUATION, "5on4", "4on5"]),
    ),
    "skaters": Section(
        "gold.skater_season",
        (
            "season", "game_type", "player_id", "player", "position", "games", "games_with_time", "goals", "assists",
            "points", "shots_on_goal", "xg", "goals_above_expected", "penalty_minutes", "time_on_ice_s",
        ),
        LEADER_ORDER,
        (False, True, True, True, False),
        where=IS_ALL & IS_COMPETITIVE & ~pl.col("is_total"),
    ),
    "even_skaters": Section(
        "gold.skater_season",
        ("season", "game_type", "player_id", "on_ice_xg_share"),
        ("game_type", "player_id"),
        where=IS_EVEN & IS_COMPETITIVE & ~pl.col("is_total"),
    ),
    "goalies": Section(
        "gold.goalie_season",
        (
            "season", "game_type", "player_id", "player", "games", "wins", "losses", "overtime_losses",
            "shots_against", "saves", "save_share", "xg_against", "goals_saved_above_expected", "time_on_ice_s",
        ),
        ("game_type", "games", "player_id"),
        (False, True, False),
        where=IS_ALL & IS_COMPETITIVE & ~pl.col("is_total"),
    ),
    "lines": Section(
        "gold.line_season",
        (
            "first_player_id", "first_player", "second_player_id", "second_player", "third_player_id", "third_player",
            *COMBINATION,
        ),
        ("game_type", "time_together_s", "first_player_id", "second_player_id", "third_player_id"),
        (False, True, False, False, False),
        where=TOGETHER,
    ),
    "pairs": Section(
        "gold.pair_season",
        ("first_player_id", "first_player", "second_player_id", "second_player", *COMBINATION),
        ("game_type", "time_together_s", "first_player_id", "second_player_id"),
        (False, True, False, False),
        where=TOGETHER,
    ),
}  # fmt: skip
SIDES = ("for", "against")
RANKED = (  # columns of `ranks`: a high value is good, but for those that end in `against_per_game`
    "point_share", "xg_share", "goals_per_game", "goals_against_per_game", "xg_per_game", "xg_against_per_game",
    "power_play_share", "penalty_kill_share", "goals_above_expected", "goals_saved_above_expected",
)  # fmt: skip


class TeamData(NamedTuple):
    """What a team page shows. Frames are empty where the lake lacks the rows; the page then says what is missing."""

    team: dict[str, Any]  # team_id, team_abbrev, team_name, conference, division; null where the lake has none
    season: int
    standing: dict[str, Any] | None  # the newest row of silver.standings; None if the lake has newer games
    summary: dict[str, Any]  # the team's row of `summarize_teams`
    games: pl.DataFrame  # final games, the oldest first; with the columns at 5on5 (`even_…`)
    next_games: pl.DataFrame  # games to come, the soonest first; with the newest prediction
    seasons: pl.DataFrame  # rows of gold.team_season: regular season and playoffs; all, 5on5, 5on4, 4on5
    skaters: pl.DataFrame  # rows of gold.skater_season for this team; `is_on_roster` is null without a roster page
    goalies: pl.DataFrame
    lines: pl.DataFrame  # with at least ten minutes together at 5on5; most time first
    pairs: pl.DataFrame
    cells: pl.DataFrame  # attempts by cell, of `side` for or against, as `count_cells` counts them
    league_cells: pl.DataFrame  # those of all teams
    league_games: int  # of all teams, added up: what `league_cells` are attempts of
    rolling: pl.DataFrame  # xG of the last ten games at 5on5, as `roll_teams` returns it
    ranks: pl.DataFrame  # one row per column of RANKED: measure, value, rank, teams


def read_teams(
    root: Location, season: int, now: datetime, team_ids: Collection[int] | None = None
) -> Iterator[TeamData]:
    """Yield the pages of the teams that played in a season, or of some of them, by team id. Tables are read once."""
    plans = {name: plan_section(root, section, season, "team_id", None) for name, section in SECTIONS.items()}
    plans |= plan_other_frames(root, season, now)
    frames = dict(zip(plans, pl.collect_all(plans.values()), strict=True))
    league_cells, league_games = frames.pop("league_cells"), frames["games"].height
    standings = {row["team_abbrev"]: row for row in frames.pop("standings").iter_rows(named=True)}
    names = dict(frames.pop("teams").iter_rows())
    current = standings if are_current(standings, frames["games"]) else {}
    summaries = summarize_teams(frames, {one["team_abbrev"]: one["point_share"] for one in current.values()})
    ranks = rank_teams(summaries)
    frames["games"] = complete_games(frames)
    frames["skaters"], frames["goalies"] = complete_rosters(frames)
    frames["rolling"] = roll_teams(root, season)
    split = split_by_page(frames, "team_id")
    empty = {name: rows.drop("team_id").clear() for name, rows in frames.items()}
    for summary in summaries.iter_rows(named=True):
        team_id = summary["team_id"]
        if team_ids is not None and team_id not in team_ids:
            continue
        own = {name: parts.get(team_id, empty[name]) for name, parts in split.items()}
        standing = standings.get(summary["team_abbrev"])
        known = {name: standing[name] if standing else None for name in ("conference", "division")}
        about = {name: summary[name] for name in ("team_id", "team_abbrev")}
        yield TeamData(
            team=about | {"team_name": names.get(team_id)} | known,
            season=season,
            standing=current.get(summary["team_abbrev"]),
            summary=summary,
            league_cells=league_cells,
            league_games=league_games,
            ranks=ranks.filter(pl.col("team_id") == team_id).drop("team_id"),
            **{name: own[name] for name in SHOWN},
        )


def are_current(standings: Mapping[str, dict[str, Any]], games: pl.DataFrame) -> bool:
    """Return whether the standings are of the day of the last regular-season game in the lake, or newer."""
    last = max(games.filter(pl.col("game_type") == REGULAR_SEASON)["game_date"].to_list(), default=None)
    return last is None or all(one["game_date"] >= last for one in standings.values())


def read_team(root: Location, abbrev: str, season: int | None, now: datetime) -> TeamData:
    """Return the page of a team in a season, the newest with a game by default; an unknown team is an error."""
    letters = abbrev.upper()
    rows = delta_tables.scan_table_or_empty(root, find_table("gold.team_season")).filter(IS_COMPETITIVE)
    found = rows.filter(pl.col("team_abbrev") == letters).select("season", "team_id").unique().collect()
    if found.is_empty():
        name = require_known_team(root, abbrev)
        raise BadInput(
            f"The lake has no games of {letters} ({name}).", "`nhl-lake status` shows which seasons the lake has."
        )
    seasons = found["season"].unique().sort(descending=True).to_list()
    chosen = seasons[0] if season is None else season
    ids = found.filter(pl.col("season") == chosen)["team_id"].to_list()
    page = next(read_teams(root, chosen, now, ids), None) if ids else None
    if page is None:
        raise BadInput(
            f"The lake has no games of {letters} in {format_season(chosen)}.",
            f"It has those of {describe_seasons(seasons)}.",
        )
    return page


SHOWN = ("games", "next_games", "seasons", "skaters", "goalies", "lines", "pairs", "cells", "rolling")


def plan_other_frames(root: Location, season: int, now: datetime) -> dict[str, pl.LazyFrame]:
    """Return the frames that are not rows of one table: games to come, rosters, shots, standings, names."""
    standings, rosters, shots, teams, games = (
        delta_tables.scan_table_or_empty(root, find_table(name))
        for name in ("silver.standings", "silver.rosters", "gold.shots", "silver.teams", "silver.games")
    )
    standings = standings.filter(pl.col("season") == season)
    rosters = rosters.filter(pl.col("season") == season)
    newest = pl.col("fetched_at") == pl.col("fetched_at").max().over("team_abbrev")
    has_place = pl.col("is_unblocked_attempt") & pl.col("x_ft").is_not_null()
    shots = shots.filter(pl.col("season") == season).filter(IS_COMPETITIVE, has_place)
    both = pl.concat(
        shots.with_columns(side=pl.lit(side), team_id=name)
        for side, name in zip(SIDES, ("team_id", "opponent_team_id"), strict=True)
    )
    return {
        "standings": standings.filter(pl.col("game_date") == pl.col("game_date").max()),
        "rosters": rosters.filter(newest).select("team_abbrev", "player_id", "sweater_number"),
        "teams": teams.select("team_id", "team_name"),
        "next_games": plan_next_games(root, games.filter(pl.col("season") == season), now),
        "cells": count_cells(both, ["team_id", "side"]),
        "league_cells": count_cells(shots, []),
    }


def plan_next_games(root: Location, games: pl.LazyFrame, now: datetime) -> pl.LazyFrame:
    """Return one row per team and game to come: opponent, start, and the newest probability that the team wins."""
    coming = games.filter(is_upcoming(now) & ~pl.col("game_state").is_in(FINAL_STATES)).join(
        read_newest_predictions(root), on="game_id", how="left", validate="1:1"
    )
    home = pl.col("home_win_probability")
    both = pl.concat(
        coming.select(
            "game_id", "game_type", "game_date", "start_at", "schedule_state",
            team_id=f"{side}_team_id", team_abbrev=f"{side}_team_abbrev",
            opponent_team_id=f"{other}_team_id", opponent_abbrev=f"{other}_team_abbrev",
            is_home=pl.lit(side == "home"), win_probability=home if side == "home" else 1 - home,
        )
        for side, other in (("home", "away"), ("away", "home"))
    )  # fmt: skip
    return both.filter(pl.col("team_abbrev") != UNDECIDED_TEAM).sort("team_id", "start_at", "game_id")


def complete_games(frames: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the games with the columns at 5on5 (`even_…`), the result, the score and the power plays."""
    even = frames.pop("even_games").select("team_id", "game_id", pl.col(EVEN_COLUMNS).name.prefix("even_"))
    official = frames.pop("official_games").drop("opponent_team_id", "game_type")
    rows, key = frames["games"], ["team_id", "game_id"]
    for other in (even, official):
        rows = rows.join(other, on=key, how="left", maintain_order="left", validate="1:1")
    return rows


def complete_rosters(frames: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the skaters and goalies of teams, with the share of xG at 5on5, the number, and who is on the roster."""
    rosters = frames.pop("rosters")
    teams = frames["seasons"].select("team_id", "team_abbrev").unique()
    listed = rosters.join(teams, on="team_abbrev", validate="m:m").drop("team_abbrev")
    has_roster = listed.select("team_id", has_roster=pl.lit(value=True)).unique()
    even = frames.pop("even_skaters").rename({"on_ice_xg_share": "even_on_ice_xg_share"})
    key = ["season", "game_type", "team_id", "player_id"]
    skaters = frames["skaters"].join(even, on=key, how="left", maintain_order="left", validate="1:1")

    def add_roster(rows: pl.DataFrame) -> pl.DataFrame:
        known = listed.with_columns(is_listed=pl.lit(value=True))
        rows = rows.join(known, on=["team_id", "player_id"], how="left", maintain_order="left", validate="m:1")
        rows = rows.join(has_roster, on="team_id", how="left", maintain_order="left", validate="m:1")
        is_listed = pl.when(pl.col("has_roster")).then(pl.col("is_listed").fill_null(value=False))
        return rows.with_columns(is_on_roster=is_listed).drop("is_listed", "has_roster")

    return add_roster(skaters), add_roster(frames["goalies"])


def summarize_teams(frames: Mapping[str, pl.DataFrame], point_shares: Mapping[str, float]) -> pl.DataFrame:
    """Return one row per team: record, shares and goals above expected of the regular season, or of the playoffs.

    The record counts the games in the lake. Shares of power plays are null unless every game's are known.
    """
    rows = frames["seasons"].filter(pl.col("game_type") == pl.col("game_type").min().over("team_id"))
    total, even = (rows.filter(pl.col("situation") == name) for name in (ALL_SITUATIONS, EVEN_SITUATION))
    kind = total.select("team_id", "game_type")
    saved = frames["goalies"].join(kind, on=["team_id", "game_type"], how="semi")
    is_known = pl.col("goals_saved_above_expected").is_not_null().any()
    saved = saved.group_by("team_id").agg(pl.when(is_known).then(pl.col("goals_saved_above_expected").sum()))
    found = total.select(
        "team_id", "team_abbrev", "game_type", "games", "goals", "goals_against", "xg", "xg_against",
        "goals_above_expected", "shooting_share", "save_share",
        point_share=pl.col("team_abbrev").replace_strict(point_shares, default=None, return_dtype=pl.Float64),
    ).with_columns(
        pl.col(name).truediv(pl.col("games")).alias(f"{name}_per_game")
        for name in ("goals", "goals_against", "xg", "xg_against")
    )  # fmt: skip
    found = found.join(even.select("team_id", "xg_share", "attempt_share"), on="team_id", how="left", validate="1:1")
    found = found.join(saved, on="team_id", how="left", validate="1:1")
    records = summarize_records(frames["official_games"], kind)
    return found.join(records, on="team_id", how="left", validate="1:1").sort("team_id")


def summarize_records(official: pl.DataFrame, kind: pl.DataFrame) -> pl.DataFrame:
    """Return one row per team: its results, and the shares of power plays with a goal, for and against."""
    own = official.join(kind, on=["team_id", "game_type"], how="semi").join(
        official.select(
            "game_id", opponent_team_id="team_id", goals_allowed="power_play_goals", chances="power_play_opportunities"
        ),
        on=["game_id", "opponent_team_id"],
        validate="1:1",
    )
    is_known = pl.col("power_play_opportunities", "chances").is_not_null().all()
    both_known = pl.all_horizontal(is_known)
    return (
        own.group_by("team_id")
        .agg(
            *((pl.col("result") == code).sum().alias(name) for name, code in RESULT_CODES.items()),
            **{
                name: pl.when(both_known).then(pl.col(column).sum())
                for name, column in {
                    "power_play_goals": "power_play_goals",
                    "power_play_opportunities": "power_play_opportunities",
                    "power_play_goals_allowed": "goals_allowed",
                    "times_shorthanded": "chances",
                }.items()
            },
        )
        .with_columns(
            power_play_share=pl.col("power_play_goals") / pl.col("power_play_opportunities").replace(0, None),
            penalty_kill_share=1 - pl.col("power_play_goals_allowed") / pl.col("times_shorthanded").replace(0, None),
        )
    )


def rank_teams(summaries: pl.DataFrame) -> pl.DataFrame:
    """Return one row per team and column of RANKED: measure, value, rank (1 is best), teams that have a value."""

    def rank(name: str) -> pl.DataFrame:
        known = summaries.select("team_id", value=pl.col(name).cast(pl.Float64)).filter(pl.col("value").is_not_null())
        best_is_low = name.endswith("against_per_game")
        place = pl.col("value").rank("min", descending=not best_is_low).cast(pl.Int32)
        return known.select("team_id", "value", measure=pl.lit(name), rank=place, teams=pl.len().cast(pl.Int32))

    return pl.concat(rank(name) for name in RANKED)
