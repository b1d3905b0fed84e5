"""Franchises, and the teams that went on under another one."""

import polars as pl

# Utah took over Arizona's whole roster in 2024-25, and is a new franchise in the NHL's books
FRANCHISE_SUCCESSORS = {28: 40}


def get_team_key(franchise_id: pl.Expr) -> pl.Expr:
    """Return what stays the same when a team moves, is renamed, or goes on with its roster as another franchise."""
    return franchise_id.replace(FRANCHISE_SUCCESSORS)
