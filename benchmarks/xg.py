"""Fit the models of expected goals that ship with the package, and score one on a season that it has not seen.

    python benchmarks/xg.py                  # train on 2022-23 alone, and print how it does on 2023-24
    python benchmarks/xg.py moneypuck        # compare the teams of 2022-23 at 5on5 with MoneyPuck's
    python benchmarks/xg.py ship             # write nhl_lake/gold/xg_nhl.json, from both recorded seasons
    python benchmarks/xg.py ship-league      # write nhl_lake/gold/xg_sample_league.json, from 400 games of the league

The recorded pages are read where they lie; the models are numbers only. MoneyPuck's file (MoneyPuck.com, for
non-commercial use with credit) is only read.
"""

import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from gold import archive, build, read_moneypuck, silver

from nhl_lake import gold as gold_package
from nhl_lake.gold.measures.expected_goals import predict_xg
from nhl_lake.gold.shots import SHOTS
from nhl_lake.gold.xg_model import SAMPLE_LEAGUE, SHIPPED, read_shipped_model
from nhl_lake.league import League
from nhl_lake.models.expected_goals import encode_model, fit_xg_model, score_xg_model

FOLDER = Path(gold_package.__file__).parent
LEAGUE_SEASON, LEAGUE_GAMES, AFTER = 20242025, 400, datetime(2025, 8, 1, tzinfo=UTC)


def make_shots(chunks: Iterator[list[dict[str, Any]]]) -> pl.DataFrame:
    """Return rows of gold.shots, without xG, of play-by-play pages."""
    return pl.concat(build(SHOTS, silver(pages)) for pages in chunks)


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


def compare_moneypuck() -> None:
    """Print how the xG of the teams of 2022-23 at 5on5 agrees with MoneyPuck's, by the model of the package."""
    model = read_shipped_model("NHL")
    shots = make_shots(archive(20222023)).filter(game_type=2, situation="5on5").with_columns(xg=predict_xg(model))
    theirs = read_moneypuck().filter(situation="5on5")
    share = theirs["reboundxGoalsFor"].sum() / theirs["xGoalsFor"].sum()
    own = shots.filter("is_rebound")["xg"].sum() / shots["xg"].sum()
    like_theirs = pl.col("xg") * pl.when("is_rebound").then(share / own).otherwise((1 - share) / (1 - own))
    for title, xg in (("as it is", pl.col("xg")), ("rebounds weighted as theirs", like_theirs)):
        rows = shots.with_columns(xg=xg)
        for side, column in (("For", "team_abbrev"), ("Against", "opponent_abbrev")):
            teams = rows.group_by(team_abbrev=column).agg(pl.col("xg").sum()).join(theirs, on="team_abbrev")
            total = teams["xg"].sum() / teams[f"xGoals{side}"].sum()
            found = teams.select(pl.corr("xg", f"xGoals{side}")).item()
            print(f"xG {side.lower()}, {title}: correlation {found:.3f}, total {total:.3f} of theirs")
    rebounds = shots.filter("is_rebound")
    goals, xg, count = rebounds["is_goal"].sum(), rebounds["xg"].sum(), rebounds.height
    their_xg, their_count = theirs["reboundxGoalsFor"].sum(), theirs["reboundsFor"].sum()
    print(f"rebounds: {count:,}, {goals} goals, {xg:.0f} xG ({own:.1%} of all)")
    print(f"theirs:   {their_count:,.0f}, {their_xg:.0f} xG ({share:.1%} of all)")


def main() -> None:
    """Run the part that is asked for."""
    if "ship" in sys.argv:
        shots = pl.concat(make_shots(archive(season)) for season in (20222023, 20232024))
        (FOLDER / SHIPPED["NHL"]).write_text(encode_model(fit_xg_model(shots, "xg NHL 2022-24")))
    elif "moneypuck" in sys.argv:
        compare_moneypuck()
    elif "ship-league" in sys.argv:
        model = fit_xg_model(make_shots(play_league()), "xg sample league")
        (FOLDER / SHIPPED[SAMPLE_LEAGUE]).write_text(encode_model(model))
    else:
        score_held_out()


if __name__ == "__main__":
    main()
