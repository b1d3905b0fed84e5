"""Who was in the net that was shot at, where the page leaves that out and yet a goalie was in."""

import polars as pl

from nhl_lake.hockey.line_changes import PERIOD_KEY, is_before_change
from nhl_lake.hockey.shot_events import UNBLOCKED_ATTEMPTS
from nhl_lake.hockey.strength import ONE_ON_ONE, SITUATION_CODE_PATTERN

PAGE, SHIFTS, ONLY_GOALIE, BEFORE_AND_AFTER = "page", "shifts", "only goalie", "goalie before and after"
GOALIE_SOURCES = (PAGE, SHIFTS, ONLY_GOALIE, BEFORE_AND_AFTER)
EVENT_KEY = ("game_id", "event_number")
DEFENDING_TEAM = ("game_id", "defending_team_id")


def fill_goalies(events: pl.LazyFrame, stays: pl.LazyFrame, played: pl.LazyFrame) -> pl.LazyFrame:
    """Add to attempts without a goalie the one that was in the net, and to all how he is known (`goalie_source`).

    By the shifts where the team has any of goalies in the period; they may have nobody in. Else, if the code says that
    a goalie is in, or the shot was saved: the only goalie of the team in the game, or the one who is named before and
    after. A net that the code says is empty is empty. Shoot-outs stay as they are. `stays` are shifts with `is_goalie`
    and the team of the game; `played` is one row a goalie who was on the ice by the box score.
    """
    events = events.cache()
    missing = find_unnamed_goalies(events).cache()
    by_shifts = find_goalies_by_shifts(missing, stays.filter("is_goalie")).cache()
    told = missing.join(by_shifts, on=EVENT_KEY, how="anti").filter("is_in")
    found = pl.concat([by_shifts, find_goalies_by_mentions(told, events, played)])
    return (
        events.join(found, on=EVENT_KEY, how="left", validate="1:1", maintain_order="left")
        .with_columns(
            goalie_source=pl.when(pl.col("goalie_player_id").is_not_null())
            .then(pl.lit(PAGE))
            .when(pl.col("found").is_not_null())
            .then("found_by"),
            goalie_player_id=pl.coalesce("goalie_player_id", "found"),
        )
        .drop("found", "found_by")
    )


def find_unnamed_goalies(events: pl.LazyFrame) -> pl.LazyFrame:
    """One row an attempt in play that names no goalie, at a net that is not known to be empty.

    `is_in` is whether a goalie is known to be in: the code says it, or he saved the shot.
    """
    code = pl.col("situation_code")
    digit = pl.when("is_home").then(code.str.slice(0, 1)).otherwise(code.str.slice(3, 1))
    is_borrowed = code.is_in(ONE_ON_ONE) & ~pl.col("is_penalty_shot")
    says_in = pl.when(code.str.contains(SITUATION_CODE_PATTERN) & ~is_borrowed).then(digit == "1")
    is_saved = pl.col("event") == "shot-on-goal"
    # of whole games: what stands before a faceoff of the same second is told by all of its events
    games = events.filter(is_goalie_missing()).select("game_id").unique()
    return (
        events.join(games, on="game_id", how="semi")
        .with_columns(moment=2 * pl.col("period_seconds") - is_before_change().cast(pl.Int32))
        .filter(is_goalie_missing())
        .with_columns(is_in=pl.coalesce(says_in, pl.when(is_saved).then(True)), **get_defending_team())
        .filter(pl.col("is_in").fill_null(value=True))
        .select(*EVENT_KEY, "period", "moment", "defending_team_id", "is_in")
    )


def is_goalie_missing() -> pl.Expr:
    """Whether a row is an unblocked attempt of a known team, in play, and names no goalie."""
    is_attempt = pl.col("event").is_in(UNBLOCKED_ATTEMPTS) & (pl.col("period_type") != "SO")
    return is_attempt & pl.col("goalie_player_id").is_null() & pl.col("is_home").is_not_null()


def get_defending_team() -> dict[str, pl.Expr]:
    """Return the team whose net is shot at."""
    return {"defending_team_id": pl.when("is_home").then("away_team_id").otherwise("home_team_id")}


def find_goalies_by_shifts(missing: pl.LazyFrame, goalies: pl.LazyFrame) -> pl.LazyFrame:
    """One row an attempt at a team whose goalies have shifts in the period, with the only one who is on; else null."""
    stays = goalies.select(*PERIOD_KEY, "player_id", "start_seconds", "end_seconds", defending_team_id="team_id")
    is_on = (2 * pl.col("start_seconds") <= pl.col("moment")) & (pl.col("moment") < 2 * pl.col("end_seconds"))
    on = pl.col("player_id").filter(is_on).unique()
    return (
        missing.join(stays, on=[*PERIOD_KEY, "defending_team_id"])
        .group_by(EVENT_KEY)
        .agg(found=pl.when(on.len() == 1).then(on.first()))
        .with_columns(found_by=pl.lit(SHIFTS))
    )


def find_goalies_by_mentions(missing: pl.LazyFrame, events: pl.LazyFrame, played: pl.LazyFrame) -> pl.LazyFrame:
    """One row an attempt at a goalie who alone was in the team's net in the game, or who is named before and after."""
    named = (
        events.filter(pl.col("goalie_player_id").is_not_null() & pl.col("is_home").is_not_null())
        .with_columns(**get_defending_team())
        .select(*DEFENDING_TEAM, "event_number", player_id="goalie_player_id")
        .cache()
    )
    by_box = played.select("game_id", "player_id", defending_team_id="team_id").select(*DEFENDING_TEAM, "player_id")
    goalies = pl.concat([named.select(*DEFENDING_TEAM, "player_id"), by_box], how="vertical_relaxed")
    alone = goalies.group_by(DEFENDING_TEAM).agg(
        alone=pl.when(pl.col("player_id").n_unique() == 1).then(pl.first("player_id"))
    )
    before, after = (named.rename({"player_id": side}).sort("event_number") for side in ("before", "after"))
    around = (
        missing.sort("event_number")
        .join_asof(before, on="event_number", by=DEFENDING_TEAM, strategy="backward", check_sortedness=False)
        .join_asof(after, on="event_number", by=DEFENDING_TEAM, strategy="forward", check_sortedness=False)
    )
    between = pl.when(pl.col("before") == pl.col("after")).then("before")
    return around.join(alone, on=DEFENDING_TEAM, how="left", validate="m:1").select(
        *EVENT_KEY,
        found=pl.coalesce("alone", between),
        found_by=pl.when(pl.col("alone").is_not_null()).then(pl.lit(ONLY_GOALIE)).otherwise(pl.lit(BEFORE_AND_AFTER)),
    )
