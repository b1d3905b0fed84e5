"""The number of players of both teams at each event, from the page, the shifts or the penalty clock.

The page's situation code is used unless penalties and goals contradict it. In that case the shifts decide, if the game
has shifts and their number of players is possible; otherwise the penalty clock decides, in games whose codes are wrong
for long. If the shifts contradict the code but the penalty clock agrees with it, the code is used, because a shift may
be missing.
"""

import polars as pl

from nhl_lake.hockey.line_changes import STOPPAGE_EVENTS, count_players_on_ice
from nhl_lake.hockey.penalty_clock import count_players_short
from nhl_lake.hockey.strength import parse_situation_code

PAGE, SHIFTS, PENALTY_CLOCK = STRENGTH_SOURCES = ("page", "shifts", "penalty clock")
MIN_UNEXPLAINED_EVENTS, MIN_UNEXPLAINED_S = 3, 180  # a shorter time may be a minor that is missing on the page
NON_LIVE_EVENTS = (*STOPPAGE_EVENTS[1:], "period-start", "delayed-penalty", "shootout-complete")
FIRST_THREE_ON_THREE_SEASON = 20152016  # in regular-season overtime; four on four before
SIDES = ("home", "away")
EVENT_KEY = ("game_id", "event_number")
PLAYER_COLUMNS = ("has_away_goalie", "away_skaters", "home_skaters", "has_home_goalie")
INPUT_COLUMNS = (
    *(*EVENT_KEY, "season", "game_type", "period", "period_type", "period_seconds", "game_seconds"),
    *("event", "is_penalty_shot", *PLAYER_COLUMNS),
)


def add_player_counts(events: pl.LazyFrame, shifts: pl.LazyFrame) -> pl.LazyFrame:
    """Add goalies in net and skaters of both teams before each event, and `strength_source`; null if unknown.

    `shifts` has the shifts of dressed players, with `is_home` and `is_goalie`.
    """
    by_page = parse_situation_code(pl.col("situation_code"), is_penalty_shot=pl.col("is_penalty_shot"))
    events = events.with_columns(**by_page).cache()
    page_source = pl.when(pl.col("has_away_goalie").is_not_null()).then(pl.lit(PAGE))
    return (
        events.join(find_corrections(events, shifts), on=EVENT_KEY, how="left", validate="m:1", maintain_order="left")
        .with_columns(pl.coalesce(f"other_{name}", name).alias(name) for name in PLAYER_COLUMNS)
        .with_columns(strength_source=pl.coalesce("other_source", page_source))
    )


def find_corrections(events: pl.LazyFrame, shifts: pl.LazyFrame) -> pl.LazyFrame:
    """One row per event whose code is missing or wrong: the players by another source (`other_…`), and the source."""
    is_open = (pl.col("is_unexplained") | pl.col("is_missing")).any().over("game_id")
    doubtful = (
        check_situation_codes(events).filter(is_open).with_columns(is_doubtful=is_code_doubtful().over("game_id"))
    )
    return (
        count_players_on_ice(doubtful, shifts)
        .with_columns(other_source=choose_source())
        .filter(pl.col("other_source").is_not_null())
        .select(*EVENT_KEY, "other_source", **{f"other_{name}": pick_by_source(name) for name in PLAYER_COLUMNS})
    )


def check_situation_codes(events: pl.LazyFrame) -> pl.LazyFrame:
    """Add the skaters by the penalty clock to the events in play, and whether their code is missing or unexplained.

    A code is unexplained if it differs from the penalty clock in a second in which that clock does not change. In
    regular-season overtime only the difference between the teams counts: a player whose penalty ends comes on as a
    fourth skater.
    """
    # each use of `events` computes its inputs again; there are two
    states = count_players_short(events).with_columns(
        place=compute_event_position("seconds", "order"), next_seconds=pl.col("seconds").shift(-1).over("game_id")
    )
    (home, home_by_clock), (away, away_by_clock) = (
        (count_players_by_code(side), pl.col(f"{side}_by_clock") + 1) for side in SIDES
    )
    same = (home == home_by_clock) & (away == away_by_clock)
    same_difference = (home - away) == (home_by_clock - away_by_clock)
    second = pl.col("game_seconds")
    is_moving = ((second == pl.col("seconds")) | (second == pl.col("next_seconds"))).fill_null(value=False)
    return (
        events.select(*INPUT_COLUMNS)
        .filter(second.is_not_null(), ~pl.col("is_penalty_shot"))
        .with_columns(place=compute_event_position("game_seconds", "event_number"))
        .sort("place")
        .join_asof(
            states.drop("order").sort("place"),
            on="place",
            by="game_id",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .with_columns(count_skaters_by_clock(*sides).alias(f"{sides[0]}_by_clock") for sides in (SIDES, SIDES[::-1]))
        .with_columns(is_explained=pl.when(is_short_overtime()).then(same_difference).otherwise(same))
        .with_columns(
            is_missing=is_live_event() & ~has_situation_code(),
            is_unexplained=(is_live_event() & has_situation_code() & ~is_moving & ~pl.col("is_explained")).fill_null(
                value=False
            ),
        )
        .drop("place", "home_short", "away_short", "seconds", "next_seconds")
    )


def compute_event_position(seconds: str, order: str) -> pl.Expr:
    """Return a number that orders events and changes of the clock within a game."""
    return 100_000 * pl.col(seconds).cast(pl.Int64) + pl.col(order)


def count_players_by_code(side: str) -> pl.Expr:
    """Return the players of a team by the page's code, including the goalie."""
    return pl.col(f"{side}_skaters") + pl.col(f"has_{side}_goalie")


def is_short_overtime() -> pl.Expr:
    """Whether an event is in regular-season overtime, where a penalty gives the opponent an extra skater."""
    return (pl.col("period_type") == "OT") & (pl.col("game_type") != 3)


def count_skaters_by_clock(side: str, other: str) -> pl.Expr:
    """Return the skaters of a team by the penalty clock, with its goalie in net."""
    own_short, opponent_short = (pl.col(f"{team}_short").fill_null(0) for team in (side, other))
    shortage = own_short - opponent_short
    usual = pl.when(pl.col("season") < FIRST_THREE_ON_THREE_SEASON).then(4).otherwise(3)
    in_overtime = pl.max_horizontal(3, usual - pl.max_horizontal(shortage, 0)) + pl.max_horizontal(
        3 - usual - shortage, 0
    )
    return pl.when(is_short_overtime()).then(in_overtime).otherwise(5 - own_short)


def is_live_event() -> pl.Expr:
    """Whether an event happens during play. The code of a stoppage may be that before or after it."""
    return ~pl.col("event").is_in(NON_LIVE_EVENTS)


def has_situation_code() -> pl.Expr:
    """Whether the page has a usable situation code."""
    return pl.col("has_away_goalie").is_not_null()


def is_code_doubtful() -> pl.Expr:
    """Whether the codes of a game are unexplained for several events and minutes."""
    times = pl.col("game_seconds").filter("is_unexplained")
    return (times.len() >= MIN_UNEXPLAINED_EVENTS) & (times.max() - times.min() > MIN_UNEXPLAINED_S)


def has_same_players() -> pl.Expr:
    """Whether the shifts have the same number of skaters and goalies on the ice as the event."""
    return pl.all_horizontal(
        (pl.col(f"{side}_skaters_on") == pl.col(f"{side}_skaters"))
        & (pl.col(f"{side}_goalies_on") == pl.col(f"has_{side}_goalie").cast(pl.Int64))
        for side in SIDES
    )


def choose_source() -> pl.Expr:
    """Return the source that replaces the page; null where the page is used."""
    skaters = pl.all_horizontal(pl.col(f"{side}_skaters_on").is_between(3, 6) for side in SIDES)
    goalies = pl.all_horizontal(pl.col(f"{side}_goalies_on") <= 1 for side in SIDES)
    players = pl.all_horizontal(pl.col(f"{side}_skaters_on") + pl.col(f"{side}_goalies_on") <= 6 for side in SIDES)
    is_possible = (skaters & goalies & players).fill_null(value=False)
    is_off = has_situation_code() & ~pl.col("is_explained") & pl.col("is_doubtful")
    return (
        pl.when(is_possible & (pl.col("is_missing") | ((pl.col("is_unexplained") | is_off) & ~has_same_players())))
        .then(pl.lit(SHIFTS))
        .when(is_off & ~is_possible)
        .then(pl.lit(PENALTY_CLOCK))
    )


def pick_by_source(name: str) -> pl.Expr:
    """Return a column of `PLAYER_COLUMNS` by the chosen source; the penalty clock keeps the page's goalies."""
    side = "home" if "home" in name else "away"
    by_shifts = pl.col("other_source") == SHIFTS
    if name.startswith("has"):
        return pl.when(by_shifts).then(pl.col(f"{side}_goalies_on") == 1).otherwise(name)
    by_clock = pl.col(f"{side}_by_clock") + 1 - pl.col(f"has_{side}_goalie").cast(pl.Int64)
    return pl.when(by_shifts).then(f"{side}_skaters_on").otherwise(by_clock)
