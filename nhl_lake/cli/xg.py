"""The commands that fit the model of expected goals, and show how good it is."""

from typing import TYPE_CHECKING, Annotated

import typer

from nhl_lake.cli.options import Json, format_command_line, load_settings, parse_season_years
from nhl_lake.cli.output import print_text, write_out
from nhl_lake.errors import BadInput

if TYPE_CHECKING:
    import polars as pl

    from nhl_lake.models.expected_goals import XgScores
    from nhl_lake.store.location import Location

XG = "xg"
ModelName = Annotated[str, typer.Argument(metavar="NAME", help="xg: expected goals.")]
Seasons = Annotated[list[int] | None, typer.Option("--season", metavar="YEAR", help="2023 is 2023-24. Default: all.")]


def fit(name: ModelName, season: Seasons = None, json: Json = False) -> None:
    """Fit the model of expected goals to this lake's shots, and use it.

    Rebuilds every table with xG. The old model stays in lake.models. Needs scikit-learn:
    `pip install "nhl-lake[predict]"`, and about a quarter of a season.
    """
    from nhl_lake import layout
    from nhl_lake.cli import console
    from nhl_lake.gold.shots import SHOTS
    from nhl_lake.hockey.calendar import get_eastern_day
    from nhl_lake.models import expected_goals, storage
    from nhl_lake.rebuild import run
    from nhl_lake.store import delta_tables, locks

    require_xg(name)
    chosen, clock = load_settings()
    layout.require_readable_lake(chosen.root)
    with locks.hold_lock(chosen.root, format_command_line(), now=clock()):
        now = clock()
        model = expected_goals.fit_xg_model(read_shots(chosen.root, season), f"xg {now:%Y-%m-%dT%H:%M:%SZ}")
        version = delta_tables.open_table(chosen.root, SHOTS).version()
        storage.store_model(chosen.root, model.name, model, now, version)
        rebuilt = {part.table for part in run.rebuild(chosen.root, day=get_eastern_day(now))}
    facts = {"model": model.name, "rows": model.rows, "trained_through": dict(model.trained_through)}
    if json:
        write_out(console.format_json({**facts, "rebuilt": sorted(rebuilt)}))
        return
    seasons = ", ".join(f"{season} to {day}" for season, day in model.trained_through.items())
    print_text(f"Fitted '{model.name}' to {model.rows:,} unblocked attempts: {seasons}.")
    print_text(f"Rebuilt {len(rebuilt)} tables. `nhl-lake models show xg` says how good it is.")


def show(name: ModelName, season: Seasons = None, json: Json = False) -> None:
    """Show the model of expected goals, and how good it is on seasons that it was not trained on."""
    from nhl_lake.cli import console
    from nhl_lake.gold.xg_model import XG_MODEL, decode_model
    from nhl_lake.models import expected_goals
    from nhl_lake.store import delta_tables

    require_xg(name)
    chosen, _ = load_settings()
    rows = delta_tables.scan_table(chosen.root, XG_MODEL)
    model = decode_model(rows)
    if model is None:
        raise BadInput("This lake has no model of expected goals.", "Fit one: `nhl-lake models fit xg`.")
    shots = read_shots(chosen.root, season)
    fresh = shots if season else expected_goals.select_held_out(shots, model)
    scores = expected_goals.score_xg_model(fresh, model) if fresh.height else None
    facts = {
        "model": model.name, "source": rows.collect()["source"].item(), "rows": model.rows,
        "trained_through": dict(model.trained_through), "trees": len(model.trees), "features": list(model.features),
        "penalty_shot": model.penalty_shot,
    }  # fmt: skip
    if json:
        write_out(console.format_json({**facts, "scores": None if scores is None else describe_scores(scores)}))
        return
    for key, value in facts.items():
        print_text(f"{key}: {', '.join(value) if isinstance(value, list) else value}")
    print_scores(scores)


def require_xg(name: str) -> None:
    """Raise if a model is not the one of expected goals."""
    if name != XG:
        raise BadInput(f"There is no model '{name}' to fit or show.", "Write `nhl-lake models show xg`.")


def read_shots(root: "Location", years: list[int] | None) -> "pl.DataFrame":
    """Read the shots of some seasons, or of all, in the regular season and the playoffs."""
    import polars as pl

    from nhl_lake.gold.shots import SHOTS
    from nhl_lake.store import delta_tables

    rows = delta_tables.scan_table(root, SHOTS).filter(pl.col("game_type").is_in([2, 3]))
    if years:
        rows = rows.filter(pl.col("season").is_in(list(parse_season_years(years))))
    return rows.collect()


def describe_scores(scores: "XgScores") -> dict[str, object]:
    """Return the scores for JSON."""
    return {
        "rows": scores.rows, "auc": scores.auc, "log_loss": scores.log_loss, "null_log_loss": scores.null_log_loss,
        "goals_per_xg": scores.goals_per_xg, "cells": scores.cells.to_dicts(), "bins": scores.bins.to_dicts(),
    }  # fmt: skip


def print_scores(scores: "XgScores | None") -> None:
    """Print the scores: the figures, ten bins, and every cell."""
    from nhl_lake.cli import views

    if scores is None:
        print_text("\nEvery game of this lake was a training row: nothing is left to score the model on.")
        return
    print_text(
        f"\nOn {scores.rows:,} attempts that it was not trained on: AUC {scores.auc:.4f}, "
        f"log loss {scores.log_loss:.4f} ({scores.gain:.1%} below that of the mean), "
        f"goals / xG {scores.goals_per_xg:.3f}\n"
    )
    bins = [(f"{n + 1}", f"{size:,}", f"{xg:.4f}", f"{goals:.4f}") for n, size, goals, xg in scores.bins.iter_rows()]
    views.show_grid(["tenth", "attempts", "mean xG", "goals an attempt"], bins, right=["attempts"])
    cells = [
        (kind, cell, f"{attempts:,}", f"{goals:.0f}", f"{xg:.1f}", f"{ratio:.2f}")
        for kind, cell, attempts, goals, xg, ratio in scores.cells.iter_rows()
    ]
    print_text("")
    views.show_grid(["kind", "cell", "attempts", "goals", "xG", "goals / xG"], cells, right=["attempts", "goals", "xG"])
