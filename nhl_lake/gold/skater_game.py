"""What skaters did, game by game and situation by situation, and what happened while they were on the ice."""

import polars as pl

from nhl_lake.gold.measures import appearances, checks, ice_time, individual, recorded, shift_starts
from nhl_lake.gold.measures import attempts as shooting
from nhl_lake.gold.measures import on_ice as presence
from nhl_lake.gold.measures.ratings import game_score, ice_time_rank
from nhl_lake.gold.measures.situations import every_situation, of_the_team, share, situation, with_all
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.on_ice import ON_ICE
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.shifts import SHIFTS
from nhl_lake.silver.skater_games import SKATER_GAMES
from nhl_lake.silver.stints import STINTS

PLAYER = ("game_id", "player_id", "situation")
TEAM = ("game_id", "team_id", "situation")


def skater_game(
    games: pl.LazyFrame,
    lineups: pl.LazyFrame,
    plays: pl.LazyFrame,
    on_ice: pl.LazyFrame,
    shifts: pl.LazyFrame,
    stints: pl.LazyFrame,
    skater_games: pl.LazyFrame,
) -> pl.LazyFrame:
    """One row a skater dressed for a final game, and situation; `all` is the sum of the others.

    Left out: shoot-outs, which count for nobody's record, goalies, and games whose plays are not there. A penalty shot
    is the shooter's, in situation other, and nobody's on the ice. What is counted by shifts is null where a game has
    none; ice time and shifts of all situations together are then the box score's (`time_source`). All but goals, points
    and penalties is null where its plays do not record it: shots before 1997, misses before 2005, the rest before 2009.
    """
    shot = shooting.attempts(plays).cache()
    skaters = appearances.appearances(games, lineups, plays).filter(pl.col("position").ne_missing("G")).cache()
    sides = ice_time.sides(stints).cache()
    rows = every_situation(recorded.add_recorded(skaters, plays, stints))
    for found in (credited(shot, plays, skaters), *on_the_ice(shot, plays, on_ice, shifts, sides, skaters)):
        key = PLAYER if "player_id" in found.collect_schema() else TEAM
        rows = rows.join(found, on=key, how="left", validate="1:1" if key is PLAYER else "m:1")
    rows = rows.with_columns(has_shifts=knows_time())
    known = rows.with_columns(recorded.known((*OWN, *BY_SHIFTS))).with_columns(**beside())
    whole = ice_time.fill_times(with_all(known, PLAYER[:2], ADDITIVE), skater_games, TIMES)
    return whole.with_columns(**rated()).select(list(SKATER_GAME.schema))


def credited(shot: pl.LazyFrame, plays: pl.LazyFrame, skaters: pl.LazyFrame) -> pl.LazyFrame:
    """One row a skater, game and situation, with what he himself did."""
    own = shot.rename({"shooter_player_id": "player_id"})
    return (
        pl.concat([own, individual.deeds(plays)], how="diagonal")
        .join(skaters.select("game_id", "player_id", "team_id"), on=["game_id", "player_id"], validate="m:1")
        .with_columns(situation=of_the_team())
        .group_by(PLAYER)
        .agg(pl.col(*OWN).sum())
    )


def on_the_ice(
    shot: pl.LazyFrame,
    plays: pl.LazyFrame,
    on_ice: pl.LazyFrame,
    shifts: pl.LazyFrame,
    sides: pl.LazyFrame,
    skaters: pl.LazyFrame,
) -> list[pl.LazyFrame]:
    """Return what is counted by the shifts: rows of skaters or of teams, by game and situation."""
    seen = presence.seen(shot, on_ice).cache()
    stays = shift_starts.stays(shifts.join(skaters, on=PLAYER[:2], how="semi"), plays, sides).cache()
    team = ice_time.team_time(sides).select(*TEAM, time_on_bench_s="time_on_ice_s")
    return [
        ice_time.time_on_ice(sides, pl.col("skaters")),
        presence.on_the_ice(seen),
        shift_starts.shift_counts(stays),
        presence.after_shifts(shot, seen, stays, plays),
        presence.while_playing(seen),
        team,
    ]


def knows_time() -> pl.Expr:
    """Return `has_shifts`, and no for a skater without a shift whom no list knows: the chart need not know them either.

    Such a skater is in the line-up because of plays, so was on the ice; they have no position.
    """
    has_no_shift = pl.col("time_on_ice_s").is_null().all().over(PLAYER[:2])
    return pl.col("has_shifts") & ~(pl.col("position").is_null() & has_no_shift)


def beside() -> dict[str, pl.Expr]:
    """Return the counts that follow from others."""
    off_ice = [name for name in presence.NAMES if name.startswith("off_ice_")]
    split = {
        f"{strength}_points": pl.col(f"{strength}_points") + pl.col(f"{strength}_goals")
        for strength in shooting.BY_STRENGTH.values()
    }
    return {
        "points": pl.col("goals") + pl.col("assists"),
        **split,
        "time_on_bench_s": pl.col("time_on_bench_s") - pl.col("time_on_ice_s"),
        **{name: pl.col(name) - pl.col(name.replace("off_ice", "on_ice")) for name in off_ice},
    }


def rated() -> dict[str, pl.Expr]:
    """Return what is no count: shares, ranks, scores."""
    shares = {
        f"{where}_{what}_share": share(f"{where}_{what}s_for", f"{where}_{what}s_against")
        for where in ("on_ice", "off_ice")
        for what in ("attempt", "unblocked_attempt")
    }
    return {**shares, "ice_time_rank": ice_time_rank(), "game_score": game_score()}


def no_null(column: Column) -> Column:
    """Declare a column that is always known."""
    return Column(column.name, column.dtype, column.about, column.unit)


DEEDS = (
    Column("primary_assists", pl.Int16, "Last passes before goals"),
    Column("secondary_assists", pl.Int16, "Passes before those; a third one, from 1927 to 1936, is in `assists` alone"),
    c.assists,
    c.points,
    Column("even_strength_points", pl.Int16, "Points at even strength, by men", nullable=True),
    c.power_play_points,
    c.shorthanded_points,
)
PENALTIES = ("penalties", "misconducts", "penalty_minutes")
OWN = (*shooting.NAMES, *individual.NAMES, *individual.ASSISTS, *individual.POINTS)
BY_SHIFTS = (*ice_time.NAMES, "time_on_bench_s", *shift_starts.NAMES, *presence.NAMES)
TIMES = (*ice_time.NAMES, "shifts")
ADDITIVE = (*OWN, "points", *BY_SHIFTS)

COLUMNS = (
    *appearances.COLUMNS,
    situation,
    ice_time.time_source,
    *ice_time.COLUMNS,
    Column("time_on_bench_s", pl.Int32, "Time that the team played while he did not", "s", nullable=True),
    Column("ice_time_rank", pl.Int16, "Rank of his ice time in the team, defencemen apart; 1 is most", nullable=True),
    c.shifts,
    Column("game_score", pl.Float64, "His game in one number; the same in every situation", nullable=True),
    c.goals,
    *DEEDS,
    *(column for column in shooting.COLUMNS if column is not c.goals),
    *(
        no_null(column) if column.name in PENALTIES else column
        for column in (*individual.SHARED, *individual.OF_PLAYERS)
    ),
    *shift_starts.COLUMNS,
    *presence.COLUMNS,
    *(
        Column(f"{where}_{what}_share", pl.Float64, f"Share of both teams' {what}s {when}", nullable=True)
        for where, when in (("on_ice", "while he was on the ice"), ("off_ice", "while he was on the bench"))
        for what in ("attempt", "unblocked_attempt")
    ),
)

SKATER_GAME = Table(
    name="gold.skater_game",
    grain="one skater dressed for a final game, in one situation: all, 5on5, 5on4, 4on5 or other",
    key=("game_id", "player_id", "situation"),
    columns=COLUMNS,
    by="game_id",
    reads=(GAMES, LINEUPS, PLAYS, ON_ICE, SHIFTS, STINTS, SKATER_GAMES),
    source=skater_game,
    checks=checks.ATTEMPTS | checks.GOALS | checks.TIME | checks.SKATERS | checks.SHIFTS,
)
