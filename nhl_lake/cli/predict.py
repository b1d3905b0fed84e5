"""The commands that predict games and shots on goal, and measure how good the predictions are."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from nhl_lake.cli.options import Json, Quiet, format_command_line, load_settings, parse_season_years
from nhl_lake.cli.output import print_text, write_out
from nhl_lake.errors import BadInput, LakeError
from nhl_lake.text import format_count

if TYPE_CHECKING:
    import polars as pl

    from nhl_lake.schema.table import Table

SOG, GAME = "sog", "game"


def predict(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Maximum number of skaters.")] = 20,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Predict and store the shots and winners of the next games.

    Fits the model of shots to the games played so far, and appends its predictions to gold.sog_predictions. Needs
    scikit-learn: `pip install "nhl-lake[predict]"`. Those of winners are in gold.game_predictions; `nhl-lake upcoming`
    shows them.
    """
    import polars as pl

    from nhl_lake import layout
    from nhl_lake.cli import console, views
    from nhl_lake.hockey.names import format_full_name
    from nhl_lake.models import predict as models
    from nhl_lake.models import shots_on_goal
    from nhl_lake.silver.games import GAMES
    from nhl_lake.silver.players import PLAYERS
    from nhl_lake.store import delta_tables, locks

    chosen, clock = load_settings()
    layout.require_readable_lake(chosen.root)
    with locks.hold_lock(chosen.root, format_command_line(), now=clock()):
        result = models.predict_upcoming_games(chosen.root, clock())
    rows = result.rows.filter(pl.col("model") != models.BASELINE_MODEL).sort("predicted_shots_on_goal", descending=True)
    if json:
        write_out(console.format_json(rows.to_dicts()))
        return
    if quiet:
        return
    if not result.games:
        print_text("No game of the regular season or the playoffs is scheduled for the next seven days.")
        return
    names = delta_tables.scan_table_or_empty(chosen.root, PLAYERS).select("player_id", name=format_full_name())
    clubs = delta_tables.scan_table(chosen.root, GAMES).select(
        "game_id", "home_team_id", "home_team_abbrev", "away_team_abbrev"
    )
    home = pl.col("team_id") == pl.col("home_team_id")
    table = (
        rows.head(limit)
        .lazy()
        .join(names, on="player_id", how="left", maintain_order="left")
        .join(clubs, on="game_id", how="left", maintain_order="left")
        .select(
            "game_date",
            "name",
            pl.when(home).then("home_team_abbrev").otherwise("away_team_abbrev"),
            pl.when(home).then("away_team_abbrev").otherwise(pl.concat_str(pl.lit("@ "), "home_team_abbrev")),
            "predicted_shots_on_goal",
            "chance_over_1_5",
            "chance_over_2_5",
            "chance_over_3_5",
        )
        .collect()
    )
    shown = [(*row[:4], f"{row[4]:.2f}", *(f"{chance:.0%}" for chance in row[5:])) for row in table.iter_rows()]
    heads = ["date", "player", "team", "opponent", "SOG", "over 1.5", "over 2.5", "over 3.5"]
    views.show_grid(heads, shown, right=heads[4:], optional=["over 3.5", "over 1.5"])
    print_text(
        f"Predicted {format_count(rows.height, 'skater')} in {format_count(result.games, 'game')} "
        f"from {format_count(result.card.rows, 'earlier player game')}. "
        f"{format_count(result.unpredicted, 'skater', 'have')} no prediction: too little is known about them."
    )
    for line in describe_left_out((), shots_on_goal.list_unused_features(result.card)):
        print_text(line)


def list_models(json: Json = False) -> None:
    """List the models: what each predicts, and by which method. In a lake, also those that it fitted.

    Of the models of expected goals, the first is in use.
    """
    from nhl_lake import layout
    from nhl_lake.cli import console
    from nhl_lake.models import predict as models
    from nhl_lake.models import shots_on_goal
    from nhl_lake.models.storage import read_xg_models

    rows = [
        {"name": SOG, "predicts": "shots on goal", "model": model, "method": method}
        for model, method in (
            (shots_on_goal.GLM, "Poisson regression on gold.sog_features"),
            (models.BASELINE_MODEL, "recent shots a minute times ice time"),
        )
    ]
    chosen, _ = load_settings()
    names = list(read_xg_models(chosen.root)) if layout.is_lake(chosen.root) else []
    rows += [
        {"name": "xg", "predicts": "expected goals", "model": model, "method": "boosted trees on gold.shots"}
        for model in names or ["xg …"]
    ]
    rows.append(
        {"name": GAME, "predicts": "the winner of a game", "model": "win …", "method": "regression on form and rest"}
    )
    if json:
        write_out(console.format_json(rows))
    else:
        console.make_console().print(console.make_grid(list(rows[0]), [tuple(row.values()) for row in rows]))


def backtest(
    model: Annotated[str, typer.Argument(metavar="NAME", help="sog: shots on goal. game: the winner of a game.")],
    season: Annotated[int, typer.Option("--season", metavar="YEAR", help="2023 is 2023-24.")],
    json: Json = False,
) -> None:
    """Predict each game of a season from the games before it.

    Prints how far off the model and simpler predictions were. Needs the season in the lake, and the one before it.
    """
    if model not in (SOG, GAME):
        raise BadInput(f"Unknown model: {model}.", "`nhl-lake models list` lists them.")
    if model == GAME:
        backtest_games(season, json=json)
    else:
        backtest_shots(season, json=json)


def read_seasons(table: "Table", year: int, count: int | None = None) -> tuple[int, "pl.DataFrame"]:
    """Return a season, and the rows of a table up to its end: of `count` seasons, or of all."""
    import polars as pl

    from nhl_lake import layout
    from nhl_lake.store import delta_tables

    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    (wanted,) = parse_season_years([year])
    first = 0 if count is None else wanted - 10_001 * (count - 1)
    rows = delta_tables.scan_table(chosen.root, table).filter(pl.col("season").is_between(first, wanted)).collect()
    if rows.filter(pl.col("season") == wanted).is_empty():
        raise LakeError(f"The lake has no games of {wanted}.", f"Run `nhl-lake ingest --season {year}`.")
    return wanted, rows


def backtest_games(season: int, *, json: bool) -> None:
    """Print the scores of predicted winners."""
    from nhl_lake.cli import console, views
    from nhl_lake.gold.game_features import GAME_FEATURES
    from nhl_lake.gold.measures.game_model import FEATURES
    from nhl_lake.models import game_winner

    wanted, rows = read_seasons(GAME_FEATURES, season)
    found = game_winner.backtest(rows, wanted)
    weights = dict(zip(("intercept", *FEATURES), (found.model.intercept, *found.model.weights), strict=True))
    if json:
        frames = {"scores": found.scores.to_dicts(), "calibration": found.calibration.to_dicts()}
        gain = {"gain_over_elo": found.gain, "standard_error": found.gain_error}
        write_out(console.format_json({**frames, **gain, "model": weights}))
        return
    lines = [
        (name, f"{games:,}", f"{loss:.4f}", f"{brier:.4f}", f"{right:.1%}")
        for name, games, loss, brier, right in found.scores.iter_rows()
    ]
    heads = ["prediction", "games", "log-loss", "Brier", "likelier team won"]
    views.show_grid(heads, lines, right=heads[1:])
    print_text("Log-loss and Brier score: lower is better. Each prediction uses earlier games only.")
    print_text(
        f"The log-loss of the {game_winner.GAME_MODEL} minus that of Elo is {-found.gain:+.4f}, "
        f"with a standard error of {found.gain_error:.4f}.\n"
    )
    bands = [
        (band, f"{games:,}", f"{predicted:.3f}", f"{won:.3f}")
        for band, games, predicted, won in found.calibration.iter_rows()
    ]
    heads = [f"{game_winner.GAME_MODEL}: home team wins", "games", "predicted", "won"]
    views.show_grid(heads, bands, right=heads[1:])
    print_text("")
    heads = ["last model: log odds of a home win", "weight"]
    views.show_grid(heads, [(name, f"{weight:+.3f}") for name, weight in weights.items()], right=["weight"])


def backtest_shots(season: int, *, json: bool) -> None:
    """Print the scores of predicted shots on goal."""
    import msgspec

    from nhl_lake.cli import console
    from nhl_lake.gold.sog_features import SOG_FEATURES
    from nhl_lake.models import shots_on_goal

    wanted, rows = read_seasons(SOG_FEATURES, season, count=2)
    found = shots_on_goal.backtest(rows, wanted)
    if json:
        card = msgspec.to_builtins(found.card)
        write_out(console.format_json({"scores": found.scores.to_dicts(), "left_out": found.excluded, "model": card}))
        return
    lines = [
        (name, f"{games:,}", *(f"{value:.4f}" for value in rest)) for name, games, *rest in found.scores.iter_rows()
    ]
    heads = ["prediction", "games", "deviance", "mean error", "R²", "log-loss 1.5", "log-loss 2.5", "log-loss 3.5"]
    console.make_console().print(console.make_grid(heads, lines, right=heads[1:]))
    print_text(
        "Poisson deviance, mean absolute error and log-loss: lower is better. Each prediction uses earlier games only."
    )
    better = shots_on_goal.compute_deviance_gain(found.scores, shots_on_goal.LAST_10)
    print_text(f"The deviance of {shots_on_goal.GLM} is {better:.1%} below that of {shots_on_goal.LAST_10}.")
    for line in describe_left_out(found.excluded, shots_on_goal.list_unused_features(found.card)):
        print_text(line)
    weights = [(term.feature, f"{term.weight:+.3f}") for term in found.card.terms]
    console.make_console().print(
        "", console.make_grid(["last model: feature (per standard deviation)", "weight"], weights, right=["weight"])
    )


def describe_left_out(predictions: Sequence[str], features: Sequence[str]) -> Iterator[str]:
    """Yield a line on the predictions that are not possible, and one on the features that the model does not use."""
    because = "fewer than half of the games have the numbers"
    if predictions:
        yield f"Left out, because {because}: {', '.join(predictions)}."
    if features:
        yield f"The model does not use, because {because}: {', '.join(features)}."
