"""Which counts the pages of a game record: a count that is not recorded is null, never zero.

Goals, assists and penalties are on all pages, shots on goal since 1997-98, missed shots since 2005-06, and everything
else since 2009-10 (faceoffs, hits, blocked shots, and therefore shot attempts and their outcomes). The events of a game
decide, not its season.
"""

import re
from collections.abc import Iterable

import polars as pl

from nhl_lake.gold.measures.attempts import STRENGTH_NAMES
from nhl_lake.hockey.shot_events import UNBLOCKED_ATTEMPTS

ALWAYS_RECORDED = frozenset(
    (
        *("goals", "penalty_shot_goals", "assists", "primary_assists", "secondary_assists", "points"),
        *("penalties", "misconducts", "penalty_minutes"),
    )
)
DRAWN_PENALTY_COUNTS = frozenset(("penalties_drawn", "penalty_minutes_drawn"))
SHOT_COUNTS = frozenset(("shots_on_goal", "saved_shots", "goals_without_shot", "shots", "saves"))
MISS_COUNTS = frozenset(
    ("missed_shots", "unblocked_attempts", "saved_unblocked_attempts", "adjusted_unblocked_attempts"),
)
SHIFT_TOTALS = frozenset(("shifts", "time_on_bench_s"))
SIDE_PATTERN = re.compile("^(on|off)_ice_|_(for|against)(_after_shifts)?$")
SHIFT_PATTERN = re.compile("^(on|off)_ice_|_after_shifts$|_(starts|ends)$|^blocked_attempts_against$")
XG_PATTERN = re.compile("(^|_)xg(_|$)|_danger_|_above_expected$")
STRENGTH_PATTERN = re.compile(f"^({'|'.join(STRENGTH_NAMES.values())})_")


def add_recorded_flags(
    rows: pl.LazyFrame,
    plays: pl.LazyFrame,
    stints: pl.LazyFrame | None = None,
    shots: pl.LazyFrame | None = None,
) -> pl.LazyFrame:
    """Add flags of what a game's pages record (`has_…`): with `stints`, of its shifts; with `shots`, of its xG."""
    rows = rows.join(find_recorded_events(plays), on="game_id", how="left", validate="m:1")
    if stints is not None:
        with_shifts = stints.select("game_id", has_shifts=True).unique()
        rows = rows.join(with_shifts, on="game_id", how="left", validate="m:1")
    if shots is not None:
        with_xg = shots.filter(pl.col("xg").is_not_null()).select("game_id", has_xg=True).unique()
        rows = rows.join(with_xg, on="game_id", how="left", validate="m:1")
    return rows.with_columns(pl.col("^has_.*$").fill_null(value=False))


def find_recorded_events(plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row per game, with flags of the kinds of events that its plays record."""
    event = pl.col("event")
    has_all_events, attempts = (event == "faceoff").any(), event.is_in(UNBLOCKED_ATTEMPTS)
    names_goalie = attempts & pl.col("goalie_player_id").is_not_null()
    return (
        plays.filter(pl.col("period_type") != "SO")
        .group_by("game_id")
        .agg(
            has_shots=has_all_events | event.is_in(("shot-on-goal", "missed-shot")).any(),
            has_missed_shots=has_all_events | (event == "missed-shot").any(),
            has_all_events=has_all_events,
            has_strength=has_all_events | pl.col("strength_state").is_in(list(STRENGTH_NAMES)).any(),
            has_drawn_penalties=has_all_events | pl.col("drawn_by_player_id").is_not_null().any(),
            has_goalies=has_all_events | names_goalie.any() | ~attempts.any(),
        )
    )


def list_required_flags(name: str) -> list[str]:
    """Return the flags that a game needs for a count to be known."""
    if name in SHIFT_TOTALS or name.endswith("time_on_ice_s"):
        return ["has_shifts"]
    found = ["has_shifts"] if SHIFT_PATTERN.search(name) else []
    bare = SIDE_PATTERN.sub("", SIDE_PATTERN.sub("", name))
    if XG_PATTERN.search(bare):
        return [*found, "has_xg"]
    if STRENGTH_PATTERN.search(bare):
        found.append("has_strength")
        bare = STRENGTH_PATTERN.sub("", bare)
    if bare in DRAWN_PENALTY_COUNTS:
        found.append("has_drawn_penalties")
    elif bare in SHOT_COUNTS:
        found.append("has_shots")
    elif bare in MISS_COUNTS:
        found.append("has_missed_shots")
    elif bare not in ALWAYS_RECORDED:
        found.append("has_all_events")
    return found


def fill_recorded_counts(names: Iterable[str], *also: str) -> list[pl.Expr]:
    """Return counts with zero where nothing happened, and null where the game's pages do not record such events."""
    found = []
    for name in names:
        flags, count = [*list_required_flags(name), *also], pl.col(name).fill_null(0)
        found.append(pl.when(*flags).then(count).alias(name) if flags else count)
    return found


def is_always_recorded(name: str) -> bool:
    """Whether a count is known in every game."""
    return not list_required_flags(name)
