"""Incomplete pages of final games: which checks of `game_quality` show that a page is incomplete.

An incomplete page is fetched again, at growing intervals, until the NHL completes it (`nhl_lake.ingest.planner`).
"""

from collections.abc import Mapping

import polars as pl

from nhl_lake.bronze.endpoints import BOXSCORE, PLAY_BY_PLAY, SHIFT_CHARTS
from nhl_lake.hockey.calendar import FINAL_STATES
from nhl_lake.hockey.seasons import FIRST_SHIFT_SEASON
from nhl_lake.schema.table import Table
from nhl_lake.silver.known_issues import ISSUES, NO_SHIFTS

GAMES_WITHOUT_SHIFTS = [issue.first for issue in ISSUES if issue.issue == NO_SHIFTS]
FIRST_FULL_PLAYS_SEASON = 20102011  # before, a game without goals may have no plays at all
MAX_MISSING_TOTAL_S = 300  # over all players of both teams; a missing minute of the game is 720
MAX_MISSING_PLAYER_S = 60  # if more ice time is missing, the player's shifts are incomplete, not just imprecise
# corrections of a few hits are normal; a larger difference means that the pages are from different times
TOLERANCE_SHARE, TOLERANCE_COUNT = 0.25, 5

HAS_PLAYS = "an official play-by-play page has plays"
HAS_LINES = "a box score has player lines"
REACHES_END = "the plays reach the end of the game"
COVERS_TIME = "shifts cover the ice time of the box score"
SAME_PLAYERS = "every dressed player belongs to a team in the game"
SAME_LINES = "box score and lineup name the same players"
NEAR_COUNTS = "the plays' counts are close to the box score's"
FINAL_SCORE = "goals add up to the final score"
SCHEDULED_SCORE = "the page's score matches the schedule"
HEADER_SHOTS = "shots on goal match the page header"
SAME_GOALS = "goals match the box score for every skater"
STRING_LIST = pl.List(pl.String)
PRESEASON = 1
SAME_ASSISTS = "assists match the box score for every skater"

PAGES_BY_CHECK: Mapping[str, tuple[Table, ...]] = {
    HAS_PLAYS: (PLAY_BY_PLAY,),
    HAS_LINES: (BOXSCORE,),
    REACHES_END: (PLAY_BY_PLAY,),
    COVERS_TIME: (SHIFT_CHARTS, BOXSCORE),
    SAME_PLAYERS: (PLAY_BY_PLAY,),
    SAME_LINES: (PLAY_BY_PLAY, BOXSCORE),
    NEAR_COUNTS: (PLAY_BY_PLAY, BOXSCORE),
    FINAL_SCORE: (PLAY_BY_PLAY,),
    SCHEDULED_SCORE: (PLAY_BY_PLAY,),
    HEADER_SHOTS: (PLAY_BY_PLAY,),
    SAME_GOALS: (PLAY_BY_PLAY, BOXSCORE),
    SAME_ASSISTS: (PLAY_BY_PLAY, BOXSCORE),
    # silver leaves out a row that cannot be read: a play, a dressed player, a player's line
    **{f"every row of {table.name} is valid": (table,) for table in (PLAY_BY_PLAY, BOXSCORE)},
}


def get_incomplete_pages() -> pl.Expr:
    """Return the bronze tables whose page of the game is incomplete by a failed check; null for a warning."""
    names = {check: [table.name for table in tables] for check, tables in PAGES_BY_CHECK.items()}
    tables_of_failed_check = (
        pl.when((pl.col("check") == check) & (pl.col("severity") == "error")).then(pl.lit(tables, STRING_LIST))
        for check, tables in names.items()
    )
    return pl.coalesce(*tables_of_failed_check)


def check_completeness(
    play_by_play: pl.LazyFrame,
    boxscore: pl.LazyFrame,
    games: pl.LazyFrame,
    lineups: pl.LazyFrame,
    plays: pl.LazyFrame,
    shifts: pl.LazyFrame,
    skater_games: pl.LazyFrame,
    goalie_games: pl.LazyFrame,
) -> pl.LazyFrame:
    """One row per final game and completeness check that it does not pass, with the expected and the actual value."""
    lines = pl.concat(
        frame.select("season", "game_id", "team_id", "player_id", "time_on_ice_s", is_goalie=pl.lit(is_goalie))
        for is_goalie, frame in ((False, skater_games), (True, goalie_games))
    )
    found = (
        find_pages_without_plays(play_by_play, games),
        find_pages_without_lines(boxscore),
        find_teams_without_lines(lineups, lines),
        find_truncated_plays(plays),
        find_missing_ice_time(shifts, lines.join(lineups, on="game_id", how="semi")),
        find_players_of_other_teams(lineups, games),
        find_mismatched_players(lineups, lines),
        find_count_differences(plays, skater_games),
    )
    columns = ("season", "game_id", "check", pl.lit("error").alias("severity"), "expected", "actual")
    return pl.concat(rows.with_columns(pl.col("expected", "actual").cast(pl.String)).select(columns) for rows in found)


def find_pages_without_plays(play_by_play: pl.LazyFrame, games: pl.LazyFrame) -> pl.LazyFrame:
    """One row per final play-by-play page without plays, for games that must have some."""
    scored = games.select("game_id", goals=pl.col("home_score").fill_null(0) + pl.col("away_score").fill_null(0))
    must_have = (pl.col("season") >= FIRST_FULL_PLAYS_SEASON) | (pl.col("goals") > 0)
    return (
        play_by_play.filter(
            pl.col("state").is_in(FINAL_STATES), ~pl.col("body").str.contains('"eventId"', literal=True)
        )
        .select("season", "game_id")
        .join(scored, on="game_id", how="left", validate="m:1")
        .filter(must_have.fill_null(value=True))
        .select("season", "game_id", check=pl.lit(HAS_PLAYS), expected=pl.lit(None, pl.String), actual=pl.lit("none"))
    )


def find_pages_without_lines(boxscore: pl.LazyFrame) -> pl.LazyFrame:
    """One row per final box score page without player lines."""
    return boxscore.filter(
        pl.col("state").is_in(FINAL_STATES), ~pl.col("body").str.contains('"playerId"', literal=True)
    ).select("season", "game_id", check=pl.lit(HAS_LINES), expected=pl.lit(None, pl.String), actual=pl.lit("none"))


def find_teams_without_lines(lineups: pl.LazyFrame, lines: pl.LazyFrame) -> pl.LazyFrame:
    """One row per game whose box score has skater lines, but none for the skaters or the goalies of one team."""
    has_lines = lines.filter(~pl.col("is_goalie")).select("game_id").unique()
    return (
        lineups.filter(~pl.col("is_scratched"), pl.col("position").is_not_null())
        .join(has_lines, on="game_id", how="semi")
        .join(
            lines.select("game_id", "player_id", has_line=pl.lit(value=True)), on=["game_id", "player_id"], how="left"
        )
        .group_by("season", "game_id", "team_id", is_goalie=pl.col("position") == "G")
        .agg(pl.col("has_line").any())
        .filter(~pl.col("has_line"))
        .join(lines, on=["game_id", "team_id", "is_goalie"], how="anti")
        .sort("game_id", "team_id", "is_goalie")
        .group_by("season", "game_id", maintain_order=True)
        .agg(pl.col("team_id", "is_goalie").first())
        .select(
            "season",
            "game_id",
            check=pl.lit(HAS_LINES),
            expected=pl.lit(None, pl.String),
            actual=pl.format(
                "none of the {} of team {}",
                pl.when("is_goalie").then(pl.lit("goalies")).otherwise(pl.lit("skaters")),
                "team_id",
            ),
        )
    )


def find_truncated_plays(plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row per game whose plays stop before the end of the game, if the page records the starts of periods.

    The end is `game-end`, or, where that event is missing, the end of the last period. A preseason game can be called
    off before its third period.
    """
    event = pl.col("event")
    has_end = (event == "game-end").any() | (
        event.is_in(["period-end", "shootout-complete"]) & (pl.col("period") == pl.col("period").max())
    ).any()
    is_called_off = (pl.col("game_id").first() // 10_000 % 100 == PRESEASON) & (event == "game-end").any()
    return (
        plays.group_by("season", "game_id")
        .agg(
            has_period_starts=(event == "period-start").any(),
            has_end=has_end & ((pl.col("period").max() >= 3) | is_called_off),
            last_period=pl.col("period").max(),
            last_second=pl.col("period_seconds").filter(pl.col("period") == pl.col("period").max()).max(),
        )
        .filter("has_period_starts", ~pl.col("has_end"))
        .select(
            "season",
            "game_id",
            check=pl.lit(REACHES_END),
            expected=pl.lit("game-end"),
            actual=pl.format("period {}, {} s", "last_period", pl.col("last_second").fill_null(0)),
        )
    )


def find_missing_ice_time(shifts: pl.LazyFrame, lines: pl.LazyFrame) -> pl.LazyFrame:
    """One row per game whose shifts lack too much of the box score's ice time: for one player, or over all players.

    Games of seasons without shifts, and games that are known to have none, are left out. `lines` has only games with a
    lineup, because shifts cannot be matched to players without one.
    """
    player = ["game_id", "player_id"]
    lacking = pl.col("expected") - pl.col("actual")
    known = shifts.group_by(player).agg(seconds=(pl.col("end_seconds") - pl.col("start_seconds")).sum())
    return (
        lines.filter(
            pl.col("time_on_ice_s") > 0,
            pl.col("season") >= FIRST_SHIFT_SEASON,
            ~pl.col("game_id").is_in(GAMES_WITHOUT_SHIFTS),
        )
        .join(known, on=player, how="left", validate="m:1")
        .with_columns(pl.col("seconds").fill_null(0).cast(pl.Int64))
        .group_by("season", "game_id")
        .agg(
            expected=pl.col("time_on_ice_s").cast(pl.Int64).sum(),
            actual=pl.min_horizontal("seconds", pl.col("time_on_ice_s").cast(pl.Int64)).sum(),
            worst=(pl.col("time_on_ice_s").cast(pl.Int64) - pl.col("seconds")).max(),
        )
        .filter((pl.col("worst") > MAX_MISSING_PLAYER_S) | (lacking > MAX_MISSING_TOTAL_S) | (pl.col("actual") == 0))
        .select("season", "game_id", check=pl.lit(COVERS_TIME), expected="expected", actual="actual")
    )


def find_players_of_other_teams(lineups: pl.LazyFrame, games: pl.LazyFrame) -> pl.LazyFrame:
    """One row per game with dressed players of a team that does not play in it, with their number."""
    teams = games.select("game_id", "home_team_id", "away_team_id")
    is_other = (pl.col("team_id") != pl.col("home_team_id")) & (pl.col("team_id") != pl.col("away_team_id"))
    return (
        lineups.filter(~pl.col("is_scratched"))
        .join(teams, on="game_id", validate="m:1")
        .filter(is_other)
        .group_by("season", "game_id")
        .agg(actual=pl.len())
        .select("season", "game_id", check=pl.lit(SAME_PLAYERS), expected=pl.lit(0), actual="actual")
    )


def find_mismatched_players(lineups: pl.LazyFrame, lines: pl.LazyFrame) -> pl.LazyFrame:
    """One row per game whose box score and lineup differ by more than two players, with the number.

    A few different players are an error on a page. More of them mean that a page is from another game, or from another
    time. Goalies who did not play may have no line.
    """
    dressed = lineups.filter(~pl.col("is_scratched"))
    unlisted = lines.join(dressed, on=["game_id", "player_id"], how="anti")
    skaters = dressed.filter(pl.col("position").ne_missing("G"))
    has_lines = lines.filter(~pl.col("is_goalie")).select("game_id")
    missing = skaters.join(has_lines, on="game_id", how="semi").join(lines, on=["game_id", "player_id"], how="anti")
    found = pl.concat(
        frame.select("season", "game_id", is_unlisted=pl.lit(is_unlisted))
        for is_unlisted, frame in ((True, unlisted), (False, missing))
    )
    return (
        found.join(dressed, on="game_id", how="semi")
        .group_by("season", "game_id")
        .agg(actual=pl.max_horizontal(pl.col("is_unlisted").sum(), (~pl.col("is_unlisted")).sum()))
        .filter(pl.col("actual") > 2)
        .select("season", "game_id", check=pl.lit(SAME_LINES), expected=pl.lit(0), actual="actual")
    )


COUNTED_STATS = {
    "shots_on_goal": pl.col("is_shot_on_goal"),
    "hits": pl.col("event") == "hit",
    "blocked_shots": (pl.col("event") == "blocked-shot") & ~pl.col("is_teammate_block").fill_null(value=False),
    "giveaways": pl.col("event") == "giveaway",
    "takeaways": pl.col("event") == "takeaway",
}


def find_count_differences(plays: pl.LazyFrame, skater_games: pl.LazyFrame) -> pl.LazyFrame:
    """One row per game whose plays and skater lines differ a lot in a count: which count, and both values."""
    official = skater_games.group_by("season", "game_id").agg(
        pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).cast(pl.Int64).sum()).alias(name)
        for name in COUNTED_STATS
    )
    in_play = plays.filter(pl.col("period_type") != "SO")
    from_plays = in_play.group_by("game_id").agg(
        pl.when(kind.any()).then(kind.sum().cast(pl.Int64)).alias(f"plays_{name}")
        for name, kind in COUNTED_STATS.items()
    )
    different = []
    for name in COUNTED_STATS:
        difference = (pl.col(name) - pl.col(f"plays_{name}").fill_null(0)).abs()
        is_different = (difference > TOLERANCE_COUNT) & (
            difference > TOLERANCE_SHARE * pl.max_horizontal(name, pl.col(f"plays_{name}").fill_null(0))
        )
        different.append(pl.when(is_different).then(pl.lit(name)))
    return (
        official.join(from_plays, on="game_id", validate="1:1")
        .with_columns(different=pl.concat_list(different).list.drop_nulls())
        .filter(pl.col("different").list.len() > 0)
        .with_columns(name=pl.col("different").list.first())
        .select(
            "season",
            "game_id",
            check=pl.lit(NEAR_COUNTS),
            expected=pl.format("{} {}", pick_count(""), pl.col("name").str.replace_all("_", " ")),
            actual=pick_count("plays_").fill_null(0),
        )
    )


def pick_count(prefix: str) -> pl.Expr:
    """Return the count whose name is in the column `name`."""
    return pl.coalesce(pl.when(pl.col("name") == name).then(f"{prefix}{name}") for name in COUNTED_STATS)
