"""Checks of the plays of a game. Plays that do not pass stay in silver."""

from typing import NamedTuple

import polars as pl

from nhl_lake.bronze.numbers import Int32, Int64, Score
from nhl_lake.hockey.line_changes import STOPPAGE_EVENTS
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.parsing.pages import PageStruct, read_final_pages

KNOWN_EVENTS = (
    *STOPPAGE_EVENTS,
    "blocked-shot",
    "delayed-penalty",
    "faceoff",
    "failed-shot-attempt",
    "giveaway",
    "hit",
    "missed-shot",
    "period-start",
    "shootout-complete",
    "shot-on-goal",
    "takeaway",
)
KNOWN_SHOT_TYPES = (
    *("wrist", "slap", "snap", "backhand", "tip-in", "deflected", "wrap-around", "poke", "bat", "between-legs"),
    "cradle",
)
FIRST_SIDES_SEASON = 20192020
FIRST_SEASON_WITH = {"shots": 19971998, "locations": 20052006, "all": 20092010}  # first season that records them
MIN_PLAYS = 150  # the minimum of 2,900 games was 209
SHOT_TOLERANCE = 2
EMPTY_GAMES = pl.LazyFrame(schema=GAMES.schema)


class Details(PageStruct):
    """The score recorded with a goal."""

    homeScore: Score | None = None
    awayScore: Score | None = None


class Play(PageStruct):
    """The score of a play."""

    eventId: Int32
    details: Details | None = None


class Side(PageStruct):
    """A team in the header of the page."""

    score: Score | None = None
    sog: Score | None = None


class RosterSpot(PageStruct):
    """A dressed player."""

    playerId: Int64


class Page(PageStruct):
    """A play-by-play page: its header, scores and dressed players."""

    id: Int64
    homeTeam: Side
    awayTeam: Side
    plays: list[Play]
    rosterSpots: list[RosterSpot]


class Rule(NamedTuple):
    """A check of a game: its severity, the expected value and the actual value."""

    severity: pl.Expr
    expected: pl.Expr
    actual: pl.Expr


def check_plays(plays: pl.LazyFrame, play_by_play: pl.LazyFrame, schedule: pl.LazyFrame = EMPTY_GAMES) -> pl.LazyFrame:
    """One row per game and check that its plays do not pass: severity, expected and actual value.

    Scores and shots are written away-home. From the plays, the headers and dressed players of their pages, and the
    games of the schedule.
    """
    pages = read_final_pages(play_by_play, Page)
    games = summarize_plays(plays).join(read_headers(pages), on="game_id", validate="1:1")
    games = games.with_columns(repeated=pl.col("listed") - pl.col("events"))
    games = games.join(count_score_mismatches(plays, pages), on="game_id", how="left", validate="1:1")
    scores = schedule.select("game_id", home_listed_score="home_score", away_listed_score="away_score")
    games = games.join(scores, on="game_id", how="left", validate="1:1")
    games = games.join(count_undressed_players(plays, pages), on="game_id", how="left", validate="1:1")
    found = [
        pl.struct(
            check=pl.lit(name),
            severity=rule.severity,
            expected=rule.expected.cast(pl.String),
            actual=rule.actual.cast(pl.String),
            is_broken=rule.expected != rule.actual,
        )
        for name, rule in list_rules().items()
    ]
    # a list of structs instead of a concat: pages are read once
    results = games.select("season", "game_id", found=pl.concat_list(found)).explode("found").unnest("found")
    return results.filter("is_broken").drop("is_broken")


def list_rules() -> dict[str, Rule]:
    """Return the checks by name."""
    difference = pl.max_horizontal(
        (pl.col(f"{side}_sog") - pl.col(f"{side}_shots").cast(pl.Int64)).abs() for side in ("home", "away")
    )
    shots_severity = pl.when(difference > SHOT_TOLERANCE).then(pl.lit("error")).otherwise(pl.lit("warning"))
    none, capped = pl.lit(0), pl.min_horizontal
    counts = {
        "the score at each goal matches the goals so far": ("error", "score_mismatches"),
        "every goal has a scorer": ("error", "without_scorer"),
        "every player is dressed": ("warning", "undressed"),
        "no event is listed twice": ("warning", "repeated"),
        "every sort order is used once": ("warning", "repeated_orders"),
        "the clock does not run backwards": ("warning", "backwards"),
        "every event has a time inside its period": ("warning", "without_time"),
        "every event type is known": ("warning", "unknown_events"),
        "every shot type is known": ("warning", "unknown_shots"),
        "the side that the home team defends agrees with the shots": ("warning", "contradicted_side"),
    }
    located = {
        "every attempt has a situation": "without_situation",
        "every unblocked attempt has a location": "without_location",
    }
    of_full_pages = {
        "as many penalty shots are taken as awarded": (pl.col("awarded"), pl.col("penalty_shots")),
        "the last event is game-end": (pl.lit("game-end"), pl.col("last_event")),
        "at least three periods have an end": (pl.lit(3), capped("ends", 3)),
        "a game has at least 150 plays": (pl.lit(MIN_PLAYS), capped("events", MIN_PLAYS)),
    }
    return {
        "goals add up to the final score": Rule(pl.lit("error"), format_pair("score"), format_pair("goals")),
        "the page's score matches the schedule": Rule(
            pl.lit("error"), format_pair("listed_score"), format_pair("score")
        ),
        "shots on goal match the page header": Rule(
            shots_severity, expect_if_recorded("shots", format_pair("sog")), format_pair("shots")
        ),
        **{
            name: Rule(pl.lit("warning"), expect_if_recorded("all", expected), actual)
            for name, (expected, actual) in of_full_pages.items()
        },
        **{
            name: Rule(pl.lit("warning"), expect_if_recorded("locations", none), pl.col(count))
            for name, count in located.items()
        },
    } | {name: Rule(pl.lit(severity), none, pl.col(count).fill_null(0)) for name, (severity, count) in counts.items()}


def expect_if_recorded(what: str, expected: pl.Expr) -> pl.Expr:
    """Return the expected value for games whose pages record `what`, judged by season or by content; else null."""
    return pl.when((pl.col("season") >= FIRST_SEASON_WITH[what]) | pl.col(f"has_{what}")).then(expected)


def format_pair(what: str) -> pl.Expr:
    """Return a number of both teams as the text away-home; null if one is unknown."""
    return pl.concat_str(f"away_{what}", f"home_{what}", separator="-")


def summarize_plays(plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row per game: the counts of its plays."""
    is_home, event = pl.col("is_home"), pl.col("event")
    clock = 10_000 * pl.col("period").cast(pl.Int64) + pl.col("period_seconds")
    contradicted = (pl.col("coordinates_source") == "inferred") & (pl.col("season") >= FIRST_SIDES_SEASON)
    in_play = pl.col("period_type") != "SO"
    winner = (pl.col("period_type") == "SO") & (event == "goal")
    return (
        plays.sort("game_id", "event_number")
        .group_by("season", "game_id", maintain_order=True)
        .agg(
            home_goals=(pl.col("is_goal") & is_home).sum() + ((winner & is_home).sum() > (winner & ~is_home).sum()),
            away_goals=(pl.col("is_goal") & ~is_home).sum() + ((winner & ~is_home).sum() > (winner & is_home).sum()),
            home_shots=(pl.col("is_shot_on_goal") & is_home).sum(),
            away_shots=(pl.col("is_shot_on_goal") & ~is_home).sum(),
            awarded=(pl.col("penalty_type_code") == "PS").sum(),
            penalty_shots=(pl.col("is_penalty_shot") & in_play).sum(),
            last_event=event.last(),
            ends=(event == "period-end").sum(),
            events=pl.len(),
            backwards=(clock.drop_nulls().diff() < 0).sum(),
            without_time=pl.col("period_seconds").is_null().sum(),
            repeated_orders=pl.len() - pl.col("sort_order").n_unique(),
            unknown_events=(~event.is_in(KNOWN_EVENTS)).sum(),
            unknown_shots=(~pl.col("shot_type").is_in(KNOWN_SHOT_TYPES)).sum(),
            without_situation=(pl.col("is_attempt") & pl.col("situation").is_null()).sum(),
            without_location=(pl.col("is_unblocked_attempt") & pl.col("x_ft").is_null()).sum(),
            contradicted_side=contradicted.sum(),
            without_scorer=((event == "goal") & pl.col("shooter_player_id").is_null()).sum(),
            has_shots=event.is_in(("shot-on-goal", "missed-shot")).any(),
            has_locations=pl.col("situation_code").is_not_null().any(),
            has_all=(event == "faceoff").any(),
        )
    )


def read_headers(pages: pl.LazyFrame) -> pl.LazyFrame:
    """One row per game: score and shots in the header of its page, and the number of plays on it."""
    home, away = pl.col("homeTeam").struct.field, pl.col("awayTeam").struct.field
    return pages.select(
        game_id="id",
        home_score=home("score"),
        away_score=away("score"),
        home_sog=home("sog"),
        away_sog=away("sog"),
        listed=pl.col("plays").list.len(),
    )


def count_score_mismatches(plays: pl.LazyFrame, pages: pl.LazyFrame) -> pl.LazyFrame:
    """One row per game: the number of goals whose recorded score differs from the goals so far."""
    play = pl.col("plays").struct.field
    details = play("details").struct.field
    recorded_scores = (
        pages.select("plays", game_id="id")
        .explode("plays")
        .select("game_id", event_id=play("eventId"), home=details("homeScore"), away=details("awayScore"))
        .filter(pl.col("home").is_not_null() & pl.col("away").is_not_null())
        .unique()
    )
    after = {
        side: pl.col(f"{side}_score_before").cast(pl.Int64) + (pl.col("is_home") == (side == "home"))
        for side in ("home", "away")
    }
    is_different = (pl.col("home") != after["home"]) | (pl.col("away") != after["away"])
    goals = plays.filter("is_goal").with_columns(pl.col("event_id").cast(pl.Int64))
    return (
        goals.join(recorded_scores, on=["game_id", "event_id"], validate="1:1")
        .group_by("game_id")
        .agg(score_mismatches=is_different.sum())
    )


def count_undressed_players(plays: pl.LazyFrame, pages: pl.LazyFrame) -> pl.LazyFrame:
    """One row per game with undressed players in its plays, with their number."""
    spots = pages.select("rosterSpots", game_id="id").explode("rosterSpots").drop_nulls()
    dressed = spots.select("game_id", player_id=pl.col("rosterSpots").struct.field("playerId"))
    players_in_plays = plays.unpivot(
        pl.selectors.ends_with("_player_id"), index="game_id", variable_name="role", value_name="player_id"
    )
    return (
        players_in_plays.drop_nulls("player_id")
        .unique(["game_id", "player_id"])
        .join(dressed, on=["game_id", "player_id"], how="anti")
        .group_by("game_id")
        .agg(undressed=pl.len())
    )
