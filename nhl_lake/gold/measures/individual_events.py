"""Individual events of players and teams other than shot attempts: assists, hits, blocks, faceoffs, penalties, …"""

import polars as pl

from nhl_lake.gold.measures.attempts import STRENGTH_NAMES, cast_to_count, declare_count
from nhl_lake.schema import columns as c

EVENT_COLUMNS = ("game_id", "acting_team_id", "situation")
MISCONDUCT_TYPES = ("MIS", "GAM")

SHARED_COLUMNS = (
    c.hits,
    c.blocked_shots,
    c.takeaways,
    c.giveaways,
    declare_count("defensive_zone_giveaways", "Giveaways in the defensive zone"),
    c.faceoffs_won,
    declare_count("faceoffs_lost", "Faceoffs lost"),
    declare_count("penalties", "Penalties taken, without misconducts"),
    declare_count("misconducts", "Misconducts and game misconducts taken"),
    c.penalty_minutes,
)
PLAYER_COLUMNS = (
    declare_count("hits_taken", "Hits taken"),
    declare_count("penalties_drawn", "Penalties drawn, without misconducts"),
    declare_count("penalty_minutes_drawn", "Penalty minutes drawn"),
)
NAMES = tuple(column.name for column in (*SHARED_COLUMNS, *PLAYER_COLUMNS))
ASSIST_NAMES = ("assists", "primary_assists", "secondary_assists")
POINT_NAMES = tuple(f"{strength}_points" for strength in STRENGTH_NAMES.values())

is_misconduct = pl.col("penalty_type_code").is_in(MISCONDUCT_TYPES).fill_null(value=False)
ROLE_COUNTS = {
    "hitter": {"hits": pl.lit(1)},
    "hittee": {"hits_taken": pl.lit(1)},
    "blocker": {"blocked_shots": cast_to_count(~pl.col("is_teammate_block"))},
    "takeaway": {"takeaways": pl.lit(1)},
    "giveaway": {"giveaways": pl.lit(1), "defensive_zone_giveaways": cast_to_count(pl.col("zone") == "D")},
    "faceoff_winner": {"faceoffs_won": pl.lit(1)},
    "faceoff_loser": {"faceoffs_lost": pl.lit(1)},
    "penalised": {
        "penalties": cast_to_count(~is_misconduct),
        "misconducts": cast_to_count(is_misconduct),
        "penalty_minutes": pl.col("penalty_minutes").cast(pl.Int32),
    },
    "drawn_by": {
        "penalties_drawn": cast_to_count(~is_misconduct),
        "penalty_minutes_drawn": pl.when(~is_misconduct).then(pl.col("penalty_minutes").cast(pl.Int32)),
    },
}


def count_individual_events(plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row per player and event that is counted for the player, other than shot attempts."""
    in_play = plays.filter(is_counted())
    return pl.concat(
        [
            in_play.filter(pl.col(f"{role}_player_id").is_not_null()).select(
                *EVENT_COLUMNS, player_id=f"{role}_player_id", **counts
            )
            for role, counts in (ROLE_COUNTS | credit_assists()).items()
        ],
        how="diagonal",
    )


def is_counted() -> pl.Expr:
    """Whether an event counts: in a shootout only penalties do."""
    return (pl.col("period_type") != "SO") | (pl.col("event") == "penalty")


def credit_assists() -> dict[str, dict[str, pl.Expr]]:
    """Return what the assisting players are credited with; a third assist counts only as an assist."""
    state = pl.col("strength_state")
    points = {f"{strength}_points": cast_to_count(state == code) for code, strength in STRENGTH_NAMES.items()}
    names_by_role = {"assist1": ("primary_assists",), "assist2": ("secondary_assists",), "assist3": ()}
    return {
        role: {"assists": pl.lit(1), **dict.fromkeys(names, pl.lit(1)), **points}
        for role, names in names_by_role.items()
    }


def count_team_events(plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row per event and team; blocks and lost faceoffs count for the opponent of the acting team."""
    in_play = plays.filter(is_counted() & pl.col("acting_team_id").is_not_null())
    opponent = (
        pl.when(pl.col("acting_team_id") == pl.col("home_team_id")).then("away_team_id").otherwise("home_team_id")
    )
    event = pl.col("event")
    own = {
        "hits": cast_to_count(event == "hit"),
        "takeaways": cast_to_count(event == "takeaway"),
        "giveaways": cast_to_count(event == "giveaway"),
        "defensive_zone_giveaways": cast_to_count((event == "giveaway") & (pl.col("zone") == "D")),
        "faceoffs_won": cast_to_count(event == "faceoff"),
        "penalties": cast_to_count((event == "penalty") & ~is_misconduct),
        "misconducts": cast_to_count((event == "penalty") & is_misconduct),
        "penalty_minutes": pl.when(event == "penalty").then(pl.col("penalty_minutes").cast(pl.Int32)),
    }
    opponents = {
        "faceoffs_lost": cast_to_count(event == "faceoff"),
        "blocked_shots": cast_to_count((event == "blocked-shot") & ~pl.col("is_teammate_block")),
    }
    return pl.concat(
        [
            in_play.select(*EVENT_COLUMNS, team_id="acting_team_id", **own),
            in_play.select(*EVENT_COLUMNS, team_id=opponent, **opponents),
        ],
        how="diagonal_relaxed",
    )
