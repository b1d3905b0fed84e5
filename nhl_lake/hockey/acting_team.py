"""The acting team of an event."""

import polars as pl


def add_acting_team(events: pl.LazyFrame, dressed: pl.LazyFrame) -> pl.LazyFrame:
    """Add the acting team of each event: the shooter's team; without a shooter, the blocker's opponent.

    `dressed` has one row per player and game, with the team. For other events the acting team is the owner on the page.
    The owner of a blocked shot was the blocker's team until 2024; newer pages, which have a reason, name the shooter's
    team. An owner that does not play in the game is an error on the page and becomes null.
    """
    home, away = pl.col("home_team_id"), pl.col("away_team_id")
    for role in ("shooter", "blocker"):
        teams = dressed.select("game_id", pl.col("player_id").alias(f"{role}_player_id"), pl.col("team_id").alias(role))
        events = events.join(
            teams, on=["game_id", f"{role}_player_id"], how="left", validate="m:1", maintain_order="left"
        )
        events = events.with_columns(null_if_not_in_game(role))
    blocker = pl.col("blocker")
    is_blocked, is_by_teammate = pl.col("event") == "blocked-shot", pl.col("reason") == "teammate-blocked"
    blocker_opponent = (
        pl.when(is_by_teammate).then(blocker).when(blocker == home).then(away).when(blocker == away).then(home)
    )
    owner = pl.when(~is_blocked | pl.col("reason").is_not_null()).then(null_if_not_in_game("event_owner_team_id_raw"))
    return events.with_columns(
        acting_team_id=pl.coalesce("shooter", pl.when(is_blocked).then(blocker_opponent), owner),
        is_teammate_block=is_blocked & pl.coalesce(blocker == pl.col("shooter"), is_by_teammate),
    ).with_columns(is_home=pl.col("acting_team_id") == home)


def null_if_not_in_game(team: str) -> pl.Expr:
    """Return the team of a column if it plays in the game, else null."""
    is_in_game = (pl.col(team) == pl.col("home_team_id")) | (pl.col(team) == pl.col("away_team_id"))
    return pl.when(is_in_game).then(team).alias(team)
