"""Which pages of a final game are incomplete: what each check of `game_quality` says about the pages behind it.

A page that is incomplete is asked for again, with growing distance, until the NHL completes it
(`nhl_lake.ingest.planner`).
"""

from collections.abc import Mapping

import polars as pl

from nhl_lake.bronze.endpoints import BOXSCORE, PLAY_BY_PLAY, SHIFT_CHARTS
from nhl_lake.hockey.calendar import FINAL_STATES
from nhl_lake.hockey.seasons import FIRST_SHIFT_SEASON
from nhl_lake.schema.table import Table
from nhl_lake.silver.known_issues import ISSUES, NO_SHIFTS

GAMES_WITHOUT_SHIFTS = [issue.first for issue in ISSUES if issue.issue == NO_SHIFTS]
FIRST_FULL_PLAYS_SEASON = 20102011  # before, a game without a goal may have no plays at all
MAX_MISSING_TOTAL_S = 300  # over all players of both teams: a minute without anybody lacks 720
MAX_MISSING_PLAYER_S = 60  # a player whose shifts lack more of the box score's ice time has lost shifts, not seconds
TOLERANCE_SHARE, TOLERANCE_COUNT = (
    0.25,
    5,
)  # corrections of a few hits are normal; more than this is another state of the game

HAS_PLAYS = "an official play-by-play page has plays"
HAS_LINES = "a box score has lines"
REACHES_END = "the plays reach the end of the game"
COVERS_TIME = "shifts cover the ice time of the box score"
SAME_PLAYERS = "the players are of the teams that play"
SAME_LINES = "box score and line-up name the same players"
NEAR_COUNTS = "the counts of the plays are near those of the box score"
FINAL_SCORE = "goals are the final score"
SCHEDULED_SCORE = "the score of the header is the schedule's"
HEADER_SHOTS = "shots on goal are those of the header"
SAME_GOALS = "goals are the box score's, skater by skater"
STRING_LIST = pl.List(pl.String)
PRESEASON = 1
SAME_ASSISTS = "assists are the box score's, skater by skater"

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
    # a row that cannot be read is left out: a play, a dressed player, a line
    **{f"every row of {table.name} is as declared": (table,) for table in (PLAY_BY_PLAY, BOXSCORE)},
}


def get_incomplete_pages() -> pl.Expr:
    """Return the names of the bronze tables whose page of the game is incomplete if an error of a check stands.

    A warning is a difference that corrections explain: null.
    """
    names = {check: [table.name for table in tables] for check, tables in PAGES_BY_CHECK.items()}
    of_check = (
        pl.when((pl.col("check") == check) & (pl.col("severity") == "error")).then(pl.lit(tables, STRING_LIST))
        for check, tables in names.items()
    )
    return pl.coalesce(*of_check)


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
    """One row a check of completeness that a final game does not pass, with what was expected and what was found."""
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
    """One row a final play-by-play page without plays, of a game that must have some."""
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
    """One row a final box score page without a player's line."""
    return boxscore.filter(
        pl.col("state").is_in(FINAL_STATES), ~pl.col("body").str.contains('"playerId"', literal=True)
    ).select("season", "game_id", check=pl.lit(HAS_LINES), expected=pl.lit(None, pl.String), actual=pl.lit("none"))


def find_teams_without_lines(lineups: pl.LazyFrame, lines: pl.LazyFrame) -> pl.LazyFrame:
    """One row a game whose box score has lines of skaters, but none of a team's skaters, or of its goalies."""
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
    """One row a game whose plays stop before its end. Only pages that tell where periods begin can show that.

    The end is `game-end`. Now and then that event is missing though the last period has its end. A preseason game can
    be called off before its third period.
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
    """One row a game with players whose shifts lack more than a minute of their ice time in the box score, or all.

    Left out: games of seasons without shifts, and those that are known to have none. `lines` are of games with a
    line-up, without which no shift is anybody's.
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
    """One row a game with dressed players of a team that does not play in it: how many."""
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
    """One row a game whose box score and line-up have several other players: how many are in one of them alone.

    A single one is a slip of a page; several are a page of another game, or of another state of this one. Goalies who
    do not play may be without a line.
    """
    dressed = lineups.filter(~pl.col("is_scratched"))
    strangers = lines.join(dressed, on=["game_id", "player_id"], how="anti")
    skaters = dressed.filter(pl.col("position").ne_missing("G"))
    has_lines = lines.filter(~pl.col("is_goalie")).select("game_id")
    missing = skaters.join(has_lines, on="game_id", how="semi").join(lines, on=["game_id", "player_id"], how="anti")
    found = pl.concat(
        frame.select("season", "game_id", is_stranger=pl.lit(is_stranger))
        for is_stranger, frame in ((True, strangers), (False, missing))
    )
    return (
        found.join(dressed, on="game_id", how="semi")
        .group_by("season", "game_id")
        .agg(actual=pl.max_horizontal(pl.col("is_stranger").sum(), (~pl.col("is_stranger")).sum()))
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
    """One row a game whose plays have far fewer or more of something than the skaters' lines: which, and how many."""
    official = skater_games.group_by("season", "game_id").agg(
        pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).cast(pl.Int64).sum()).alias(name)
        for name in COUNTED_STATS
    )
    in_play = plays.filter(pl.col("period_type") != "SO")
    ours = in_play.group_by("game_id").agg(
        pl.when(kind.any()).then(kind.sum().cast(pl.Int64)).alias(f"our_{name}") for name, kind in COUNTED_STATS.items()
    )
    far = []
    for name in COUNTED_STATS:
        off = (pl.col(name) - pl.col(f"our_{name}").fill_null(0)).abs()
        is_far = (off > TOLERANCE_COUNT) & (
            off > TOLERANCE_SHARE * pl.max_horizontal(name, pl.col(f"our_{name}").fill_null(0))
        )
        far.append(pl.when(is_far).then(pl.lit(name)))
    return (
        official.join(ours, on="game_id", validate="1:1")
        .with_columns(far=pl.concat_list(far).list.drop_nulls())
        .filter(pl.col("far").list.len() > 0)
        .with_columns(name=pl.col("far").list.first())
        .select(
            "season",
            "game_id",
            check=pl.lit(NEAR_COUNTS),
            expected=pl.format("{} {}", pick_count(""), pl.col("name").str.replace_all("_", " ")),
            actual=pick_count("our_").fill_null(0),
        )
    )


def pick_count(prefix: str) -> pl.Expr:
    """Return the count that `name` names."""
    return pl.coalesce(pl.when(pl.col("name") == name).then(f"{prefix}{name}") for name in COUNTED_STATS)
