"""What goalies faced, game by game and situation by situation."""

from dataclasses import replace

import polars as pl

from nhl_lake.gold.measures import appearances, checks, ice_time, individual, recorded
from nhl_lake.gold.measures import attempts as shooting
from nhl_lake.gold.measures.attempts import BY_STRENGTH, count
from nhl_lake.gold.measures.situations import ALL, every_situation, of_the_team, situation, with_all
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.goalie_games import GOALIE_GAMES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.on_ice import ON_ICE
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.stints import STINTS

GOALIE = ("game_id", "player_id", "situation")


def goalie_game(
    games: pl.LazyFrame,
    lineups: pl.LazyFrame,
    plays: pl.LazyFrame,
    on_ice: pl.LazyFrame,
    stints: pl.LazyFrame,
    goalie_games: pl.LazyFrame,
) -> pl.LazyFrame:
    """One row a goalie dressed for a final game, and situation as his team has it; `all` is the sum of the others.

    What he faced is counted while he was in the net: goals, saved and missed shots as the plays name him, blocked
    attempts by the shifts. Left out: shoot-outs, and goals into the empty net. What is counted by shifts is null where
    a game has none; time in all situations together is then the box score's (`time_source`). What he faced is null
    where its plays do not name goalies, or have no such events (no shots before 1997, no misses before 2005, nothing
    else before 2009). The decision is the NHL's, and so is the split by strength beside ours (`official_`), which has
    no penalty shots apart.
    """
    shot = shooting.attempts(plays).cache()
    decisions = goalie_games.select("game_id", "player_id", "decision")
    goalies = appearances.appearances(games, lineups, plays).filter(pl.col("position") == "G").drop("position").cache()
    started = lineups.select("game_id", "player_id", "is_starter")
    rows = (
        every_situation(recorded.add_recorded(goalies, plays, stints))
        .join(started, on=GOALIE[:2], how="left", validate="m:1")
        .join(decisions, on=GOALIE[:2], how="left", validate="m:1")
    )
    time = ice_time.time_on_ice(ice_time.sides(stints), pl.concat_list("goalie"))
    for found in (faced(shot, goalies), blocked(shot, on_ice), own(shot, plays, goalies), time):
        rows = rows.join(found, on=GOALIE, how="left", validate="1:1")
    whole = ice_time.fill_times(with_all(known(rows), GOALIE[:2], COUNTS), goalie_games, ("time_on_ice_s",))
    return (
        whole.join(official(goalie_games), on=GOALIE, how="left", validate="1:1")
        .with_columns(save_share=save_share())
        .select(list(GOALIE_GAME.schema))
    )


def official(goalie_games: pl.LazyFrame) -> pl.LazyFrame:
    """One row a goalie and game, in the situation all, with the NHL's own split of what he faced by strength."""
    return goalie_games.select(
        *GOALIE[:2], *(pl.col(name).alias(f"official_{name}") for name in SPLIT), situation=pl.lit(ALL)
    )


def faced(shot: pl.LazyFrame, goalies: pl.LazyFrame) -> pl.LazyFrame:
    """One row a goalie, game and situation, with the unblocked attempts that the plays say he faced."""
    at_him = shot.rename({"goalie_player_id": "player_id"}).join(
        goalies.select("game_id", "player_id", "team_id"), on=GOALIE[:2], validate="m:1"
    )
    return at_him.with_columns(situation=of_the_team()).group_by(GOALIE).agg(**FACED)


def blocked(shot: pl.LazyFrame, on_ice: pl.LazyFrame) -> pl.LazyFrame:
    """One row a goalie, game and situation, with the attempts that were blocked before him."""
    goalies = on_ice.filter("is_goalie").select("game_id", "event_id", "player_id", "team_id")
    at_him = shot.filter(pl.col("blocked_attempts") == 1).join(goalies, on=["game_id", "event_id"], validate="1:m")
    return (
        at_him.filter(pl.col("team_id") != pl.col("acting_team_id"))
        .with_columns(situation=of_the_team())
        .group_by(GOALIE)
        .agg(blocked_attempts_against=pl.len())
    )


def own(shot: pl.LazyFrame, plays: pl.LazyFrame, goalies: pl.LazyFrame) -> pl.LazyFrame:
    """One row a goalie, game and situation, with what he did himself: goals, assists, penalties."""
    return (
        pl.concat([shot.rename({"shooter_player_id": "player_id"}), individual.deeds(plays)], how="diagonal")
        .join(goalies.select("game_id", "player_id", "team_id"), on=GOALIE[:2], validate="m:1")
        .with_columns(situation=of_the_team())
        .group_by(GOALIE)
        .agg(pl.col("goals", "assists", *PENALTIES).sum())
    )


def known(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Write zeros where nothing happened, and leave null what the pages do not record."""
    return rows.with_columns(
        *recorded.known(("goals", "assists", *PENALTIES, *BY_SHIFTS)), *recorded.known(FACED, "has_goalies")
    ).with_columns(
        points=pl.col("goals") + pl.col("assists"),
        attempts_against=pl.col("unblocked_attempts_against") + pl.col("blocked_attempts_against"),
    )


def save_share() -> pl.Expr:
    """Return the share of the shots that were saved; null if there were none."""
    return pl.when(pl.col("shots_against") > 0).then(pl.col("saves") / pl.col("shots_against"))


PENALTIES = ("penalties", "penalty_minutes")
OF_AN_ATTEMPT = (
    "missed_shots",
    "unblocked_attempts",
    "rebounds_generated",
    "rebound_shots",
    "rebound_goals",
    "rush_shots",
    "frozen_attempts",
    "stopped_attempts",
    "attempts_continued_in_zone",
    "attempts_continued_outside_zone",
)
FACED = {
    "goals_against": pl.col("goals").sum(),
    "unshot_goals_against": pl.col("unshot_goals").sum(),
    "shots_against": pl.col("shots_on_goal").sum(),
    "saves": pl.col("saved_shots").sum(),
    **{f"{strength}_goals_against": pl.col(f"{strength}_goals").sum() for strength in BY_STRENGTH.values()},
    **{f"{strength}_shots_against": pl.col(f"{strength}_shots_on_goal").sum() for strength in BY_STRENGTH.values()},
    "penalty_shot_goals_against": pl.col("penalty_shot_goals").sum(),
    "penalty_shots_against": pl.col("is_penalty_shot").sum(),
    **{f"{name}_against": pl.col(name).sum() for name in OF_AN_ATTEMPT},
}
BY_SHIFTS = ("blocked_attempts_against", *ice_time.NAMES)
COUNTS = (*FACED, *BY_SHIFTS, "attempts_against", "goals", "assists", "points", *PENALTIES)

SPLIT = tuple(
    f"{strength}_{what}" for strength in BY_STRENGTH.values() for what in ("shots_against", "saves", "goals_against")
)
OFFICIAL = {column.name: column for column in GOALIE_GAMES.columns}
ABOUT = {column.name: column.about for column in (*shooting.COLUMNS, *individual.SHARED)}


def column(name: str) -> Column:
    """Declare what he faced, in the words of the box score where it has them."""
    if name in OFFICIAL:
        return replace(OFFICIAL[name], nullable=True)
    return count(name, f"{ABOUT[name.removesuffix('_against')]}; while he was in the net")


COLUMNS = (
    *(one for one in appearances.COLUMNS if one.name != "position"),
    situation,
    c.is_starter,
    OFFICIAL["decision"],
    ice_time.time_source,
    *ice_time.COLUMNS,
    *(column(name) for name in FACED if name != "penalty_shots_against"),
    count("penalty_shots_against", "Penalty shots faced, misses among them; none of a shoot-out"),
    column("blocked_attempts_against"),
    column("attempts_against"),
    OFFICIAL["save_share"],
    c.goals,
    c.assists,
    c.points,
    *(replace(one, nullable=False) for one in individual.SHARED if one.name in PENALTIES),
    *(
        replace(
            OFFICIAL[name],
            name=f"official_{name}",
            about=f"{OFFICIAL[name].about}, as the box score says, penalty shots among them; null but in all",
        )
        for name in SPLIT
    ),
)

GOALIE_GAME = Table(
    name="gold.goalie_game",
    grain="one goalie dressed for a final game, in one situation: all, 5on5, 5on4, 4on5 or other",
    key=("game_id", "player_id", "situation"),
    columns=COLUMNS,
    by="game_id",
    reads=(GAMES, LINEUPS, PLAYS, ON_ICE, STINTS, GOALIE_GAMES),
    source=goalie_game,
    checks=checks.GOALIES | checks.TIME,
)
