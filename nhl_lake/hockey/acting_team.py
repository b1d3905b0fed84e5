"""Whose an event is."""

import polars as pl


def add_acting_team(events: pl.LazyFrame, dressed: pl.LazyFrame) -> pl.LazyFrame:
    """Add whose event it is: the shooter's team; without a shooter, the team that the blocker plays against.

    `dressed` is one row a player of a game, with his team. The owner of other events is the page's own. That of a
    blocked shot was the blocker's team until 2024; pages of the new kind, which give a reason, have the shooter's.
    A team that does not play in the game is nobody's: such a page is wrong about one field.
    """
    home, away = pl.col("home_team_id"), pl.col("away_team_id")
    for role in ("shooter", "blocker"):
        on = dressed.select("game_id", pl.col("player_id").alias(f"{role}_player_id"), pl.col("team_id").alias(role))
        events = events.join(on, on=["game_id", f"{role}_player_id"], how="left", validate="m:1", maintain_order="left")
        events = events.with_columns(null_if_not_in_game(role))
    blocker = pl.col("blocker")
    is_blocked, is_by_mate = pl.col("event") == "blocked-shot", pl.col("reason") == "teammate-blocked"
    shot_at = pl.when(is_by_mate).then(blocker).when(blocker == home).then(away).when(blocker == away).then(home)
    owner = pl.when(~is_blocked | pl.col("reason").is_not_null()).then(null_if_not_in_game("event_owner_team_id_raw"))
    return events.with_columns(
        acting_team_id=pl.coalesce("shooter", pl.when(is_blocked).then(shot_at), owner),
        is_teammate_block=is_blocked & pl.coalesce(blocker == pl.col("shooter"), is_by_mate),
    ).with_columns(is_home=pl.col("acting_team_id") == home)


def null_if_not_in_game(team: str) -> pl.Expr:
    """Return a team if it plays in the game, else null."""
    plays = (pl.col(team) == pl.col("home_team_id")) | (pl.col(team) == pl.col("away_team_id"))
    return pl.when(plays).then(team).alias(team)
