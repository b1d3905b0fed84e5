"""Expected goals of both teams in each stint, with what else moves them: score, zone starts, power plays, rest."""

import polars as pl

from nhl_lake.gold.measures.appearances import list_game_teams
from nhl_lake.gold.measures.shift_starts import find_faceoffs
from nhl_lake.hockey.line_changes import EVENTS_BEFORE_CHANGE, PERIOD_KEY, is_before_change
from nhl_lake.hockey.shot_events import UNBLOCKED_ATTEMPTS
from nhl_lake.silver.games import is_final_state

SITUATIONS = {"1551": "5on5", "1451": "5on4", "1541": "4on5"}  # from the home team's view
REGULAR_SEASON = 2
MAX_LEAD = 3  # larger leads count as this one
STINT_KEY = (*PERIOD_KEY, "start_seconds")


def sum_stint_xg(games: pl.LazyFrame, plays: pl.LazyFrame, stints: pl.LazyFrame, shots: pl.LazyFrame) -> pl.LazyFrame:
    """One row per stint at 5on5, 5on4 and 4on5 of the regular season, in games whose shots have xG.

    Columns: situation from the home team's view; the ids of both teams' skaters; hours; home_xg and away_xg; lead of
    the home team at the start; zone of a faceoff at the start (1 the home team's offensive zone, -1 its defensive zone,
    0 the neutral zone; null on the fly); power_play_ended (1 if the stint before was the home team's power play, -1 the
    away team's, 0 none); home_tired and away_tired (1 if the team also played the day before).
    """
    unblocked = shots.filter(pl.col("is_unblocked_attempt"), ~pl.col("is_penalty_shot"), pl.col("xg").is_not_null())
    regular = find_tired_teams(games).join(unblocked, on="game_id", how="semi")
    in_order = mark_ended_power_plays(stints).with_columns(
        situation=pl.col("situation_code").replace_strict(SITUATIONS, default=None, return_dtype=pl.String)
    )
    found = in_order.filter(pl.col("situation").is_not_null()).join(regular, on="game_id", validate="m:1")
    with_xg = found.join(assign_xg(found, plays, unblocked), on=STINT_KEY, how="left", validate="1:1")
    faceoffs = find_faceoffs(plays).rename({"period_seconds": "start_seconds", "zone": "faceoff_zone"})
    value = pl.col("faceoff_zone").replace_strict({"O": 1, "N": 0, "D": -1}, default=None, return_dtype=pl.Int8)
    return (
        add_lead(with_xg, shots)
        .join(faceoffs, on=STINT_KEY, how="left", validate="m:1")
        .select(
            "season", *STINT_KEY, "situation", "home_skater_player_ids", "away_skater_player_ids",
            "lead", "power_play_ended", "home_tired", "away_tired",
            pl.col("home_xg", "away_xg").fill_null(0.0),
            hours=(pl.col("end_seconds") - pl.col("start_seconds")) / 3600,
            zone=pl.when(pl.col("winner") == pl.col("home_team_id")).then(value).otherwise(-value),
        )
        .sort(STINT_KEY)
    )  # fmt: skip


def find_tired_teams(games: pl.LazyFrame) -> pl.LazyFrame:
    """One row per game of the regular season: for both teams, 1 if they also played the day before, else 0."""
    played = list_game_teams(games.filter(is_final_state(), pl.col("game_type") == REGULAR_SEASON))
    days = played.select("team_id", pl.col("game_date").dt.offset_by("1d"), tired=1).unique()
    rested = played.join(days, on=["team_id", "game_date"], how="left", validate="m:1")
    tired = pl.col("tired").fill_null(0)
    return rested.group_by("game_id").agg(
        home_tired=tired.filter("is_home").max(), away_tired=tired.filter(~pl.col("is_home")).max()
    )


def mark_ended_power_plays(stints: pl.LazyFrame) -> pl.LazyFrame:
    """Add `power_play_ended`: whether a team was on the power play in the stint just before."""
    before = (pl.col("game_id", "period") == pl.col("game_id", "period").shift(1)).name.suffix("_is_same")
    is_next = pl.col("game_id_is_same") & pl.col("period_is_same") & (pl.col("end_before") == pl.col("start_seconds"))
    state = pl.col("state_before").replace_strict({"PP": 1, "SH": -1}, default=0, return_dtype=pl.Int8)
    return (
        stints.sort(STINT_KEY)
        .with_columns(
            before,
            end_before=pl.col("end_seconds").shift(1),
            state_before=pl.col("home_strength_state").shift(1),
        )
        .with_columns(power_play_ended=pl.when(is_next).then(state).otherwise(0))
        .drop("game_id_is_same", "period_is_same", "end_before", "state_before")
    )


def assign_xg(stints: pl.LazyFrame, plays: pl.LazyFrame, unblocked: pl.LazyFrame) -> pl.LazyFrame:
    """One row per stint with shots: the xG of both teams."""
    # events that decide to which side of a line change a shot belongs
    relevant = plays.filter(pl.col("event").is_in([*EVENTS_BEFORE_CHANGE, "faceoff", *UNBLOCKED_ATTEMPTS]))
    # time in half seconds: an event before the line change of its second belongs to the stint that ends there
    moment = 2 * pl.col("period_seconds") - is_before_change().cast(pl.Int32)
    moments = relevant.select("game_id", "event_id", "period", moment=moment)
    timed = unblocked.select("game_id", "event_id", "is_home", "xg").join(
        moments.filter(pl.col("moment").is_not_null()), on=["game_id", "event_id"], validate="1:1"
    )
    spans = stints.select(*STINT_KEY, "end_seconds", moment=2 * pl.col("start_seconds")).sort("moment")
    inside = pl.col("moment") < 2 * pl.col("end_seconds")
    return (
        timed.sort("moment")
        .join_asof(spans, on="moment", by=PERIOD_KEY, strategy="backward", check_sortedness=False)
        .filter(inside)
        .group_by(STINT_KEY)
        .agg(
            home_xg=pl.col("xg").filter("is_home").sum().round(5),
            away_xg=pl.col("xg").filter(~pl.col("is_home")).sum().round(5),
        )
    )


def add_lead(stints: pl.LazyFrame, shots: pl.LazyFrame) -> pl.LazyFrame:
    """Add the lead of the home team at the start of each stint; a goal in that second counts."""
    side = pl.when("is_home").then(1).otherwise(-1)
    second = 10_000 * pl.col("period").cast(pl.Int32)
    goals = (
        shots.filter("is_goal", pl.col("is_home").is_not_null(), pl.col("period_seconds").is_not_null())
        .sort("game_id", "event_number")
        .select("game_id", second=second + pl.col("period_seconds"), lead=side.cum_sum().over("game_id"))
        .unique(["game_id", "second"], keep="last", maintain_order=True)
        .sort("second")
    )
    return (
        stints.with_columns(second=second + pl.col("start_seconds"))
        .sort("second")
        .join_asof(goals, on="second", by="game_id", strategy="backward", check_sortedness=False)
        .with_columns(lead=pl.col("lead").fill_null(0).clip(-MAX_LEAD, MAX_LEAD))
    )
