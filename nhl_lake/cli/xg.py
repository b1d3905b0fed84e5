"""The commands that fit the model of expected goals, and show how good it is."""

from typing import TYPE_CHECKING, Annotated

import typer

from nhl_lake.cli.options import Json, format_command_line, load_settings, parse_season_years
from nhl_lake.cli.output import print_text, write_out
from nhl_lake.cli.predict import GAME, SOG
from nhl_lake.errors import BadInput
from nhl_lake.hockey.ids import format_season
from nhl_lake.text import format_count

if TYPE_CHECKING:
    import polars as pl

    from nhl_lake.gold.measures.expected_goals import XgModel
    from nhl_lake.models.expected_goals import XgScores
    from nhl_lake.store.location import Location

XG = "xg"
FittedModel = Annotated[str, typer.Argument(metavar="NAME", help="xg: expected goals.")]
ShownModel = Annotated[str, typer.Argument(metavar="[NAME]", help="xg: the one in use; or the name of another.")]
Seasons = Annotated[list[int] | None, typer.Option("--season", metavar="YEAR", help="2023 is 2023-24. Default: all.")]


def fit(name: FittedModel, season: Seasons = None, json: Json = False) -> None:
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

    if name != XG:
        raise BadInput(f"There is no model '{name}' to fit.", "Write `nhl-lake models fit xg`.")
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
    seasons = expected_goals.describe_training(model)
    print_text(f"Fitted '{model.name}' to {format_count(model.rows, 'unblocked attempt')}: {seasons}.")
    print_text(f"Rebuilt {format_count(len(rebuilt), 'table')}. `nhl-lake models show xg` says how good it is.")


def show(name: ShownModel = XG, season: Seasons = None, json: Json = False) -> None:
    """Show a model of expected goals, and how good it is on seasons that it was not trained on."""
    from nhl_lake import layout
    from nhl_lake.cli import console
    from nhl_lake.models import expected_goals

    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    model, source = find_model(chosen.root, name)
    shots = read_shots(chosen.root, season)
    fresh = shots if season else expected_goals.select_held_out(shots, model)
    scores = expected_goals.score_xg_model(fresh, model) if fresh.height else None
    facts = {
        "model": model.name, "source": source, "rows": model.rows, "trained_through": dict(model.trained_through),
        "trees": len(model.trees), "features": list(model.features), "penalty_shot": model.penalty_shot,
    }  # fmt: skip
    if json:
        write_out(console.format_json({**facts, "scores": None if scores is None else describe_scores(scores)}))
        return
    print_text(f"{model.name} ({source})")
    print_text(f"Fitted to {format_count(model.rows, 'unblocked attempt')}: {expected_goals.describe_training(model)}.")
    print_text(f"{len(model.trees)} trees; a penalty shot has {model.penalty_shot} xG. Features:")
    console.make_console().print(f"{', '.join(model.features)}.", soft_wrap=False)
    print_scores(scores)


def compare(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL] [MODEL]", help="Names of two models. Default: the two newest."),
    ] = None,
    season: Seasons = None,
    json: Json = False,
) -> None:
    """Compare two models of expected goals on the same games, which neither was trained on.

    AUC and the log loss rank the models; goals / xG and the gap say how well calibrated they are.
    """
    from nhl_lake import layout
    from nhl_lake.cli import console, views
    from nhl_lake.models import expected_goals
    from nhl_lake.models.storage import read_xg_models

    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    wanted = names or list(read_xg_models(chosen.root))[:2]
    if len(wanted) != 2:
        raise BadInput(
            f"Name two models to compare, not {len(wanted)}.",
            f"{list_known_models(chosen.root)} `nhl-lake models fit xg` fits another.",
        )
    models = [find_model(chosen.root, name)[0] for name in wanted]
    if models[0].name == models[1].name:
        raise BadInput(
            f"'{wanted[0]}' and '{wanted[1]}' are the same model.", "`nhl-lake models list` lists the models."
        )
    shots = read_shots(chosen.root, season)
    rows = shots if season else expected_goals.select_held_out(shots, *models)
    if rows.is_empty():
        raise BadInput(
            "There is nothing to compare them on: each game of this lake was a training row of one of them.",
            "Ingest another season, for example `nhl-lake ingest --season 2024`.",
        )
    scores = {model.name: expected_goals.score_xg_model(rows, model) for model in models}
    if json:
        write_out(console.format_json({name: describe_scores(found) for name, found in scores.items()}))
        return
    played = ", ".join(format_season(year) for year in sorted(set(rows["season"])))
    attempts = next(iter(scores.values())).rows
    print_text(f"On {format_count(attempts, 'attempt')} of {played} that neither was trained on:\n")
    figures = [format_figures(found) for found in scores.values()]
    lines = [(title, *(found[title] for found in figures)) for title in figures[0]]
    views.show_grid(["", *scores], lines, right=list(scores))


def format_figures(scores: "XgScores") -> dict[str, str]:
    """Return the scores that rank models, and those that say how well calibrated they are."""
    return {
        "AUC": f"{scores.auc:.4f}",
        "log loss": f"{scores.log_loss:.4f}",
        "below that of the mean": f"{scores.gain:.1%}",
        "goals / xG": f"{scores.goals_per_xg:.3f}",
        "largest gap of a tenth": f"{scores.largest_gap:.4f}",
    }


def find_model(root: "Location", name: str) -> "tuple[XgModel, str]":
    """Return a model of expected goals, and where it is from; `xg` is the one in use."""
    from nhl_lake.gold.xg_model import XG_MODEL, decode_model
    from nhl_lake.models.storage import read_xg_models
    from nhl_lake.store import delta_tables

    rows = delta_tables.scan_table(root, XG_MODEL)
    used, models = decode_model(rows), read_xg_models(root)
    if used is None and not models:
        raise BadInput("This lake has no model of expected goals.", "Fit one: `nhl-lake models fit xg`.")
    if used is not None and name in (XG, used.name):
        return used, f"{rows.collect()['source'].item()}, in use"
    if name in (SOG, GAME):
        raise BadInput(
            f"'{name}' is no model of expected goals; only those are shown.",
            f"`nhl-lake models backtest {name} --season 2023` says how good its predictions are.",
        )
    if name not in models:
        raise BadInput(f"There is no model '{name}' of expected goals.", list_known_models(root))
    return models[name], "not in use"


def list_known_models(root: "Location") -> str:
    """Return a hint that names the lake's models of expected goals."""
    from nhl_lake.models.storage import read_xg_models

    names = [f"'{name}'" for name in read_xg_models(root)]
    return f"This lake has {', '.join(names) or 'none'}."


def read_shots(root: "Location", years: list[int] | None) -> "pl.DataFrame":
    """Read the shots of some seasons, or of all, in the regular season and the playoffs."""
    import polars as pl

    from nhl_lake.gold.shots import SHOTS
    from nhl_lake.queries.coverage import require_seasons
    from nhl_lake.store import delta_tables

    seasons = parse_season_years(years)
    require_seasons(root, seasons)
    rows = delta_tables.scan_table(root, SHOTS).filter(pl.col("game_type").is_in([2, 3]))
    return (rows.filter(pl.col("season").is_in(list(seasons))) if seasons else rows).collect()


def describe_scores(scores: "XgScores") -> dict[str, object]:
    """Return the scores for JSON."""
    return {
        "rows": scores.rows, "auc": scores.auc, "log_loss": scores.log_loss, "null_log_loss": scores.null_log_loss,
        "goals_per_xg": scores.goals_per_xg, "largest_gap": scores.largest_gap,
        "cells": scores.cells.to_dicts(), "bins": scores.bins.to_dicts(),
    }  # fmt: skip


def print_scores(scores: "XgScores | None") -> None:
    """Print the scores: the figures, ten bins, and every cell."""
    from nhl_lake.cli import views

    if scores is None:
        print_text("\nEvery game of this lake was a training row: nothing is left to score the model on.")
        return
    print_text(
        f"\nOn {format_count(scores.rows, 'attempt')} that it was not trained on:\n"
        f"AUC {scores.auc:.4f}, log loss {scores.log_loss:.4f} ({scores.gain:.1%} below that of the mean), "
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
