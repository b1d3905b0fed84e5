"""Fit the models of expected goals that ship with the package, and score one on a season that it has not seen.

    python benchmarks/xg.py                  # train on 2022-23 alone, and print how it does on 2023-24
    python benchmarks/xg.py ship             # write nhl_lake/gold/xg_nhl.json, from both recorded seasons
    python benchmarks/xg.py ship-league      # write nhl_lake/gold/xg_sample_league.json, from 400 games of the league

The recorded pages are read where they lie; the models are numbers only.
"""

import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from gold import archive, silver

from nhl_lake import gold as gold_package
from nhl_lake.gold.shots import SHOTS
from nhl_lake.gold.xg_model import SAMPLE_LEAGUE, SHIPPED, XG_MODEL
from nhl_lake.league import League
from nhl_lake.models.expected_goals import encode_model, fit_xg_model, score_xg_model

FOLDER = Path(gold_package.__file__).parent
LEAGUE_SEASON, LEAGUE_GAMES, AFTER = 20242025, 400, datetime(2025, 8, 1, tzinfo=UTC)


def make_shots(chunks: Iterator[list[dict[str, Any]]]) -> pl.DataFrame:
    """Return rows of gold.shots, without xG, of play-by-play pages."""
    found = []
    for pages in chunks:
        lake = silver(pages)
        inputs = [lake[table.name.removeprefix("silver.")] for table in SHOTS.inputs if table is not XG_MODEL]
        found.append(SHOTS.build(*inputs, pl.LazyFrame(schema=XG_MODEL.schema)).collect().cast(dict(SHOTS.schema)))
    return pl.concat(found)


def play_league() -> Iterator[list[dict[str, Any]]]:
    """Yield play-by-play pages of the sample league."""
    league = League(seasons=(LEAGUE_SEASON,))
    games = [game.game_id for game in league.engine.schedule(LEAGUE_SEASON) if game.is_played]
    games = [game for game in games if game // 10_000 % 100 == 2][:LEAGUE_GAMES]
    for start in range(0, len(games), 50):
        paths = (f"/v1/gamecenter/{game}/play-by-play" for game in games[start : start + 50])
        yield [json.loads(league.answer(path, AFTER).body) for path in paths]


def score_held_out() -> None:
    """Print how a model of 2022-23 does on 2023-24."""
    train, test = (make_shots(archive(season)) for season in (20222023, 20232024))
    model = fit_xg_model(train, "xg 2022-23")
    started = time.perf_counter()
    scores = score_xg_model(test, model)
    print(f"{len(encode_model(model)):,} bytes; {time.perf_counter() - started:.1f} s for {scores.rows:,} rows")
    print(f"AUC {scores.auc:.4f}  log loss {scores.log_loss:.4f}, {scores.gain:.1%} below that of the mean")
    print(f"goals / xG {scores.goals_per_xg:.3f}  largest gap of a tenth {scores.largest_gap:.4f}")
    with pl.Config(tbl_rows=-1):
        print(scores.bins)
        print(scores.cells)


def main() -> None:
    """Run the part that is asked for."""
    if "ship" in sys.argv:
        shots = pl.concat(make_shots(archive(season)) for season in (20222023, 20232024))
        (FOLDER / SHIPPED["NHL"]).write_text(encode_model(fit_xg_model(shots, "xg NHL 2022-24")))
    elif "ship-league" in sys.argv:
        model = fit_xg_model(make_shots(play_league()), "xg sample league")
        (FOLDER / SHIPPED[SAMPLE_LEAGUE]).write_text(encode_model(model))
    else:
        score_held_out()


if __name__ == "__main__":
    main()
