"""Where shots are from: attempts counted in square cells of the offensive half of the rink."""

from collections.abc import Sequence

import polars as pl

CELL_FT = 5
HALF_WIDTH_FT = 42.5
HALF_LENGTH_FT = 100
SHADE_SHARES = (0.001, 0.003, 0.006, 0.012, 0.02)  # of all attempts in one cell: from here on the next shade


def count_cells(shots: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """Return one row per group and cell with an attempt: attempts, goals, xg, and the share of the group's attempts.

    `cell_x_ft` and `cell_y_ft` are the corner of a cell with the smallest coordinates, as in gold.shots. Attempts
    without a place, and from the own half, are left out.
    """
    cells = {f"cell_{axis}_ft": (pl.col(f"{axis}_ft") // CELL_FT * CELL_FT).cast(pl.Int16) for axis in ("x", "y")}
    is_on_map = pl.col("x_ft").is_between(0, HALF_LENGTH_FT) & pl.col("y_ft").is_between(-HALF_WIDTH_FT, HALF_WIDTH_FT)
    counted = (
        shots.filter(is_on_map)
        .with_columns(**cells)
        .group_by(*by, *cells)
        .agg(attempts=pl.len(), goals=pl.col("is_goal").sum(), xg=pl.col("xg").sum().round(5))
    )
    attempts = pl.col("attempts")
    share = attempts / (attempts.sum().over(list(by)) if by else attempts.sum())
    return counted.with_columns(share=share).sort(*by, *cells)


def shade_cells(cells: pl.DataFrame) -> pl.DataFrame:
    """Return the cells that a map shows, by their share of the attempts: cell_x_ft, cell_y_ft, shade from 1 to 5."""
    shade = pl.sum_horizontal((pl.col("share") >= limit).cast(pl.Int8) for limit in SHADE_SHARES)
    return cells.select("cell_x_ft", "cell_y_ft", shade=shade).filter(pl.col("shade") > 0)
