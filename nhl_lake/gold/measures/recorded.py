"""Which counts the pages of a game record: what no page records is null, never zero.

Goals, assists and penalties are on all pages; shots on goal since 1997-98, missed shots since 2005-06, and everything
(faceoffs, hits, blocked shots, and so attempts and what came of them) since 2009-10. What a game has is seen in its own
events, not in its season.
"""

import re
from collections.abc import Iterable

import polars as pl

from nhl_lake.gold.measures.attempts import BY_STRENGTH
from nhl_lake.hockey.counting import UNBLOCKED

ALWAYS = frozenset(
    (
        *("goals", "penalty_shot_goals", "assists", "primary_assists", "secondary_assists", "points"),
        *("penalties", "misconducts", "penalty_minutes"),
    )
)
DRAWN = frozenset(("penalties_drawn", "penalty_minutes_drawn"))
OF_SHOTS = frozenset(("shots_on_goal", "saved_shots", "unshot_goals", "shots", "saves"))
OF_MISSES = frozenset(
    ("missed_shots", "unblocked_attempts", "saved_unblocked_attempts", "adjusted_unblocked_attempts"),
)
TIMES = frozenset(("shifts", "time_on_bench_s"))
WHERE = re.compile("^(on|off)_ice_|_(for|against)(_after_shifts)?$")
BY_SHIFTS = re.compile("^(on|off)_ice_|_after_shifts$|_(starts|ends)$|^blocked_attempts_against$")
STRENGTH = re.compile(f"^({'|'.join(BY_STRENGTH.values())})_")


def add_recorded(rows: pl.LazyFrame, plays: pl.LazyFrame, stints: pl.LazyFrame | None = None) -> pl.LazyFrame:
    """Add to rows of games what the game's pages record (`has_…`), and with `stints` whether they have shifts."""
    rows = rows.join(recorded(plays), on="game_id", how="left", validate="m:1")
    if stints is not None:
        with_shifts = stints.select("game_id", has_shifts=True).unique()
        rows = rows.join(with_shifts, on="game_id", how="left", validate="m:1")
    return rows.with_columns(pl.col("^has_.*$").fill_null(value=False))


def recorded(plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row a game, with the kinds of events that its plays record."""
    event = pl.col("event")
    is_whole, attempts = (event == "faceoff").any(), event.is_in(UNBLOCKED)
    named = attempts & pl.col("goalie_player_id").is_not_null()
    return (
        plays.filter(pl.col("period_type") != "SO")
        .group_by("game_id")
        .agg(
            has_shots=is_whole | event.is_in(("shot-on-goal", "missed-shot")).any(),
            has_missed_shots=is_whole | (event == "missed-shot").any(),
            has_all_events=is_whole,
            has_strength=is_whole | pl.col("strength_state").is_in(list(BY_STRENGTH)).any(),
            has_drawn_penalties=is_whole | pl.col("drawn_by_player_id").is_not_null().any(),
            has_goalies=is_whole | named.any() | ~attempts.any(),
        )
    )


def needs(name: str) -> list[str]:
    """Return what a game's pages must record so that a count is known."""
    if name in TIMES or name.endswith("time_on_ice_s"):
        return ["has_shifts"]
    found = ["has_shifts"] if BY_SHIFTS.search(name) else []
    bare = WHERE.sub("", WHERE.sub("", name))
    if STRENGTH.search(bare):
        found.append("has_strength")
        bare = STRENGTH.sub("", bare)
    if bare in DRAWN:
        found.append("has_drawn_penalties")
    elif bare in OF_SHOTS:
        found.append("has_shots")
    elif bare in OF_MISSES:
        found.append("has_missed_shots")
    elif bare not in ALWAYS:
        found.append("has_all_events")
    return found


def known(names: Iterable[str], *also: str) -> list[pl.Expr]:
    """Return counts with zeros where nothing happened, and null where the game's pages do not record such things."""
    found = []
    for name in names:
        flags, count = [*needs(name), *also], pl.col(name).fill_null(0)
        found.append(pl.when(*flags).then(count).alias(name) if flags else count)
    return found


def is_known(name: str) -> bool:
    """Whether a count is known of every game."""
    return not needs(name)
