"""What players and teams did beside shooting: hits, blocks, faceoffs, penalties, and so on."""

import polars as pl

from nhl_lake.gold.measures.attempts import BY_STRENGTH, count, one
from nhl_lake.schema import columns as c

EVENT = ("game_id", "acting_team_id", "situation")
MISCONDUCTS = ("MIS", "GAM")

SHARED = (
    c.hits,
    c.blocked_shots,
    c.takeaways,
    c.giveaways,
    count("defensive_zone_giveaways", "Pucks given away in the own defensive zone"),
    c.faceoffs_won,
    count("faceoffs_lost", "Faceoffs lost"),
    count("penalties", "Penalties taken; misconducts left out"),
    count("misconducts", "Misconducts and game misconducts taken"),
    c.penalty_minutes,
)
OF_PLAYERS = (
    count("hits_taken", "Hits taken"),
    count("penalties_drawn", "Penalties drawn; misconducts left out"),
    count("penalty_minutes_drawn", "Minutes of the penalties drawn"),
)
NAMES = tuple(column.name for column in (*SHARED, *OF_PLAYERS))
ASSISTS = ("assists", "primary_assists", "secondary_assists")
POINTS = tuple(f"{strength}_points" for strength in BY_STRENGTH.values())

is_misconduct = pl.col("penalty_type_code").is_in(MISCONDUCTS).fill_null(value=False)
ROLES = {
    "hitter": {"hits": pl.lit(1)},
    "hittee": {"hits_taken": pl.lit(1)},
    "blocker": {"blocked_shots": one(~pl.col("is_teammate_block"))},
    "takeaway": {"takeaways": pl.lit(1)},
    "giveaway": {"giveaways": pl.lit(1), "defensive_zone_giveaways": one(pl.col("zone") == "D")},
    "faceoff_winner": {"faceoffs_won": pl.lit(1)},
    "faceoff_loser": {"faceoffs_lost": pl.lit(1)},
    "penalised": {
        "penalties": one(~is_misconduct),
        "misconducts": one(is_misconduct),
        "penalty_minutes": pl.col("penalty_minutes").cast(pl.Int32),
    },
    "drawn_by": {
        "penalties_drawn": one(~is_misconduct),
        "penalty_minutes_drawn": pl.when(~is_misconduct).then(pl.col("penalty_minutes").cast(pl.Int32)),
    },
}


def deeds(plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row a player and event in which he did something that is counted beside shooting."""
    in_play = plays.filter(is_counted())
    return pl.concat(
        [
            in_play.filter(pl.col(f"{role}_player_id").is_not_null()).select(
                *EVENT, player_id=f"{role}_player_id", **counts
            )
            for role, counts in (ROLES | assists()).items()
        ],
        how="diagonal",
    )


def is_counted() -> pl.Expr:
    """Whether a row counts: of a shoot-out only the penalties do."""
    return (pl.col("period_type") != "SO") | (pl.col("event") == "penalty")


def assists() -> dict[str, dict[str, pl.Expr]]:
    """Return what the players who passed to the scorer are credited with; a third one with an assist and no more."""
    state = pl.col("strength_state")
    points = {f"{strength}_points": one(state == said) for said, strength in BY_STRENGTH.items()}
    whose = {"assist1": ("primary_assists",), "assist2": ("secondary_assists",), "assist3": ()}
    return {role: {"assists": pl.lit(1), **dict.fromkeys(names, pl.lit(1)), **points} for role, names in whose.items()}


def team_deeds(plays: pl.LazyFrame) -> pl.LazyFrame:
    """One row an event that is counted for a team, under its own situation; blocks are the other team's."""
    in_play = plays.filter(is_counted() & pl.col("acting_team_id").is_not_null())
    other = pl.when(pl.col("acting_team_id") == pl.col("home_team_id")).then("away_team_id").otherwise("home_team_id")
    event = pl.col("event")
    own = {
        "hits": one(event == "hit"),
        "takeaways": one(event == "takeaway"),
        "giveaways": one(event == "giveaway"),
        "defensive_zone_giveaways": one((event == "giveaway") & (pl.col("zone") == "D")),
        "faceoffs_won": one(event == "faceoff"),
        "penalties": one((event == "penalty") & ~is_misconduct),
        "misconducts": one((event == "penalty") & is_misconduct),
        "penalty_minutes": pl.when(event == "penalty").then(pl.col("penalty_minutes").cast(pl.Int32)),
    }
    theirs = {
        "faceoffs_lost": one(event == "faceoff"),
        "blocked_shots": one((event == "blocked-shot") & ~pl.col("is_teammate_block")),
    }
    return pl.concat(
        [in_play.select(*EVENT, team_id="acting_team_id", **own), in_play.select(*EVENT, team_id=other, **theirs)],
        how="diagonal_relaxed",
    )
