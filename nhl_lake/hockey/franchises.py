"""Franchises, and teams that continued under another franchise."""

import polars as pl

# Utah took over Arizona's roster in 2024-25, but is a new franchise for the NHL
FRANCHISE_SUCCESSORS = {28: 40}


def get_team_key(franchise_id: pl.Expr) -> pl.Expr:
    """Return a number that stays the same when a team moves, is renamed, or continues as another franchise."""
    return franchise_id.replace(FRANCHISE_SUCCESSORS)
