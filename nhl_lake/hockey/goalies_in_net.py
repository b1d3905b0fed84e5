"""The goalie who faced an attempt, where the page names none although a goalie was in the net."""

import polars as pl

from nhl_lake.hockey.line_changes import PERIOD_KEY, is_before_change
from nhl_lake.hockey.shot_events import UNBLOCKED_ATTEMPTS
from nhl_lake.hockey.strength import ONE_ON_ONE, SITUATION_CODE_PATTERN

PAGE, SHIFTS, ONLY_GOALIE, BEFORE_AND_AFTER = "page", "shifts", "only goalie", "goalie before and after"
GOALIE_SOURCES = (PAGE, SHIFTS, ONLY_GOALIE, BEFORE_AND_AFTER)
EVENT_KEY = ("game_id", "event_number")
DEFENDING_TEAM = ("game_id", "defending_team_id")


def fill_goalies(events: pl.LazyFrame, shifts: pl.LazyFrame, played: pl.LazyFrame) -> pl.LazyFrame:
    """Fill the goalie of attempts that name none, and add the source of each goalie (`goalie_source`).

    If the team has goalie shifts in the period, these decide, and may show an empty net. Otherwise, if the code has a
    goalie in the net or the shot was saved, it is the team's only goalie of the game, or the one who is named both
    before and after. If the code has an empty net, no goalie is filled in. Shootouts are not changed. `shifts` have
    `is_goalie` and the team in this game; `played` has one row per goalie with time on ice in the box score.
    """
    events = events.cache()
    missing = find_unnamed_goalies(events).cache()
    by_shifts = find_goalies_by_shifts(missing, shifts.filter("is_goalie")).cache()
    remaining = missing.join(by_shifts, on=EVENT_KEY, how="anti").filter("is_in")
    found = pl.concat([by_shifts, find_goalies_by_mentions(remaining, events, played)])
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
    """One row per attempt in play that names no goalie, unless the code has an empty net.

    `is_in` is true if the code has a goalie in the net or the shot was saved, and null if that is unknown.
    """
    code = pl.col("situation_code")
    digit = pl.when("is_home").then(code.str.slice(0, 1)).otherwise(code.str.slice(3, 1))
    is_borrowed = code.is_in(ONE_ON_ONE) & ~pl.col("is_penalty_shot")
    says_in = pl.when(code.str.contains(SITUATION_CODE_PATTERN) & ~is_borrowed).then(digit == "1")
    is_saved = pl.col("event") == "shot-on-goal"
    # all events of these games: `is_before_change` needs the faceoffs of the same second
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
    """Whether an event is an unblocked attempt in play, by a known team, without a goalie."""
    is_attempt = pl.col("event").is_in(UNBLOCKED_ATTEMPTS) & (pl.col("period_type") != "SO")
    return is_attempt & pl.col("goalie_player_id").is_null() & pl.col("is_home").is_not_null()


def get_defending_team() -> dict[str, pl.Expr]:
    """Return the column `defending_team_id`: the opponent of the acting team."""
    return {"defending_team_id": pl.when("is_home").then("away_team_id").otherwise("home_team_id")}


def find_goalies_by_shifts(missing: pl.LazyFrame, goalies: pl.LazyFrame) -> pl.LazyFrame:
    """One row per attempt at a team with goalie shifts in the period, with the goalie if exactly one is on the ice."""
    goalie_shifts = goalies.select(
        *PERIOD_KEY, "player_id", "start_seconds", "end_seconds", defending_team_id="team_id"
    )
    is_on = (2 * pl.col("start_seconds") <= pl.col("moment")) & (pl.col("moment") < 2 * pl.col("end_seconds"))
    goalies_on = pl.col("player_id").filter(is_on).unique()
    return (
        missing.join(goalie_shifts, on=[*PERIOD_KEY, "defending_team_id"])
        .group_by(EVENT_KEY)
        .agg(found=pl.when(goalies_on.len() == 1).then(goalies_on.first()))
        .with_columns(found_by=pl.lit(SHIFTS))
    )


def find_goalies_by_mentions(missing: pl.LazyFrame, events: pl.LazyFrame, played: pl.LazyFrame) -> pl.LazyFrame:
    """One row per attempt, with the team's only goalie of the game, or the one who is named before and after it."""
    named = (
        events.filter(pl.col("goalie_player_id").is_not_null() & pl.col("is_home").is_not_null())
        .with_columns(**get_defending_team())
        .select(*DEFENDING_TEAM, "event_number", player_id="goalie_player_id")
        .cache()
    )
    by_boxscore = played.select("game_id", "player_id", defending_team_id="team_id").select(
        *DEFENDING_TEAM, "player_id"
    )
    goalies = pl.concat([named.select(*DEFENDING_TEAM, "player_id"), by_boxscore], how="vertical_relaxed")
    only_goalie = goalies.group_by(DEFENDING_TEAM).agg(
        only_goalie=pl.when(pl.col("player_id").n_unique() == 1).then(pl.first("player_id"))
    )
    before, after = (named.rename({"player_id": side}).sort("event_number") for side in ("before", "after"))
    around = (
        missing.sort("event_number")
        .join_asof(before, on="event_number", by=DEFENDING_TEAM, strategy="backward", check_sortedness=False)
        .join_asof(after, on="event_number", by=DEFENDING_TEAM, strategy="forward", check_sortedness=False)
    )
    between = pl.when(pl.col("before") == pl.col("after")).then("before")
    return around.join(only_goalie, on=DEFENDING_TEAM, how="left", validate="m:1").select(
        *EVENT_KEY,
        found=pl.coalesce("only_goalie", between),
        found_by=pl.when(pl.col("only_goalie").is_not_null())
        .then(pl.lit(ONLY_GOALIE))
        .otherwise(pl.lit(BEFORE_AND_AFTER)),
    )
