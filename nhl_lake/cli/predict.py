"""The commands that foretell shots on goal, and that tell how well that goes."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
import polars as pl
import typer

from nhl_lake import layout
from nhl_lake.cli import console
from nhl_lake.cli.options import Json, load_settings, parse_season_years
from nhl_lake.errors import LakeError
from nhl_lake.gold.sog_features import SOG_FEATURES
from nhl_lake.hockey.names import format_full_name
from nhl_lake.models import predict as forecast
from nhl_lake.models import shots_on_goal
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.players import PLAYERS
from nhl_lake.store import delta_tables, locks

app = typer.Typer()
backtest_app = typer.Typer(no_args_is_help=True, help="How well forecasts would have foretold a season of the lake.")
app.add_typer(backtest_app, name="backtest")


@app.command()
def predict(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many skaters at the most.")] = 20,
    json: Json = False,
) -> None:
    """Foretell the shots on goal of the next games, keep that in gold.sog_predictions, and print who shoots most."""
    chosen, clock = load_settings()
    layout.require_readable_lake(chosen.root)
    with locks.hold_lock(chosen.root, "nhl-lake predict", now=clock()):
        made = forecast.predict_upcoming_games(chosen.root, clock())
    rows = made.rows.filter(pl.col("model") != forecast.BASELINE_MODEL).sort("foretold_shots_on_goal", descending=True)
    if json:
        typer.echo(console.format_json(rows.to_dicts()))
        return
    if not made.games:
        typer.echo("No game of the regular season or the playoffs is scheduled for the next seven days.")
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
            "foretold_shots_on_goal",
            "chance_over_1_5",
            "chance_over_2_5",
            "chance_over_3_5",
        )
        .collect()
    )
    shown = [(*row[:4], f"{row[4]:.2f}", *(f"{chance:.0%}" for chance in row[5:])) for row in table.iter_rows()]
    heads = ["day", "player", "team", "against", "shots on goal", "over 1.5", "over 2.5", "over 3.5"]
    console.make_console().print(console.make_grid(heads, shown, right=heads[4:]))
    typer.echo(
        f"{rows.height:,} skaters in {made.games} games, by a model of {made.card.rows:,} earlier ones; "
        f"of {made.unpredicted:,} too little is known."
    )
    for line in describe_left_out((), shots_on_goal.list_unused_features(made.card)):
        typer.echo(line)


@backtest_app.command()
def sog(
    season: Annotated[int, typer.Option("--season", metavar="YEAR", help="2023 is the season 2023-24.")],
    json: Json = False,
) -> None:
    """Foretell every game of a season from what was known before it, and print how far off each forecast was."""
    chosen, _ = load_settings()
    layout.require_readable_lake(chosen.root)
    (wanted,) = parse_season_years([season])
    rows = (
        delta_tables.scan_table(chosen.root, SOG_FEATURES)
        .filter(pl.col("season").is_in([wanted - 10_001, wanted]))
        .collect()
    )
    if rows.filter(pl.col("season") == wanted).is_empty():
        raise LakeError(f"The lake has no games of {wanted}.", f"`nhl-lake ingest --season {season}` asks for them.")
    found = shots_on_goal.backtest(rows, wanted)
    if json:
        card = msgspec.to_builtins(found.card)
        typer.echo(console.format_json({"scores": found.scores.to_dicts(), "left_out": found.excluded, "model": card}))
        return
    lines = [
        (name, f"{games:,}", *(f"{value:.4f}" for value in rest)) for name, games, *rest in found.scores.iter_rows()
    ]
    heads = ["forecast", "games", "deviance", "mean error", "R²", "log-loss 1.5", "log-loss 2.5", "log-loss 3.5"]
    console.make_console().print(console.make_grid(heads, lines, right=heads[1:]))
    typer.echo(
        "Poisson deviance, mean absolute error and log-loss: lower is better. Each game from what was known before."
    )
    better = shots_on_goal.compute_deviance_gain(found.scores, shots_on_goal.LAST_10)
    typer.echo(f"The deviance of {shots_on_goal.GLM} is {better:.1%} below that of {shots_on_goal.LAST_10}.")
    for line in describe_left_out(found.excluded, shots_on_goal.list_unused_features(found.card)):
        typer.echo(line)
    weights = [(term.feature, f"{term.weight:+.3f}") for term in found.card.terms]
    console.make_console().print(
        "", console.make_grid(["the last model, per spread of each", "weight"], weights, right=["weight"])
    )


def describe_left_out(forecasts: Sequence[str], features: Sequence[str]) -> Iterator[str]:
    """Say which forecasts could not be made, and what the model does without."""
    because = "fewer than half of the games tell what it takes"
    if forecasts:
        yield f"Not made, because {because}: {', '.join(forecasts)}."
    if features:
        yield f"The model does without, because {because}: {', '.join(features)}."
