"""Fit the models of who wins a game, and score the probabilities during games on a season not seen before.

    python benchmarks/wins.py          # fit to 2022-23 alone, and print how it does on every step of 2023-24
    python benchmarks/wins.py ship     # print the models in nhl_lake/gold/measures/game_model.py: both recorded
                                       # seasons, and a season of the sample league

`nhl-lake backtest game` scores the model before games.
"""

import json
import math
import sys
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

import polars as pl
from gold import archive, silver
from scipy.optimize import minimize
from xg import AFTER, LEAGUE_SEASON

from nhl_lake.gold.game_features import GAME_FEATURES, game_features
from nhl_lake.gold.game_flow import GAME_FLOW, game_flow
from nhl_lake.gold.measures import game_model
from nhl_lake.gold.measures.game_model import GameModel, PregameModel
from nhl_lake.gold.shots import SHOTS, shots
from nhl_lake.gold.team_game import TEAM_GAME, team_game
from nhl_lake.gold.win_probability import list_states
from nhl_lake.gold.xg_model import XG_MODEL
from nhl_lake.league import League
from nhl_lake.models.game_winner import fit_pregame_model
from nhl_lake.models.shots_on_goal import log_loss
from nhl_lake.schema.ledger import META
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.teams import TEAMS

SEASONS = (20222023, 20232024)
EVERY = 7  # of the steps, one in so many is enough to fit three numbers
NO_SOURCE = pl.LazyFrame(schema=META.schema)  # has no model yet


class Season(NamedTuple):
    """Tables of some games."""

    games: pl.DataFrame
    flow: pl.DataFrame
    features: pl.DataFrame


def play_league() -> Iterator[list[dict[str, Any]]]:
    """Yield play-by-play pages of a season of the sample league."""
    league = League(seasons=(LEAGUE_SEASON,))
    schedule = league.engine.schedule(LEAGUE_SEASON)
    games = [game.game_id for game in schedule if game.is_played and game.game_type == 2]
    for start in range(0, len(games), 100):
        paths = (f"/v1/gamecenter/{game}/play-by-play" for game in games[start : start + 100])
        yield [json.loads(league.answer(path, AFTER).body) for path in paths]


def make_season(chunks: Iterator[list[dict[str, Any]]]) -> Season:
    """Return the tables of play-by-play pages."""
    found: dict[str, list[pl.DataFrame]] = {"games": [], "team_game": [], "game_flow": []}
    for pages in chunks:
        lake = silver(pages)
        games = pl.LazyFrame([make_game(page) for page in pages], schema=GAMES.schema)
        no_model = pl.LazyFrame(schema=XG_MODEL.schema)
        attempts = shots(lake["plays"], lake["lineups"], games, no_model).collect().cast(dict(SHOTS.schema)).lazy()
        found["games"].append(games.collect())
        teams = team_game(games, lake["plays"], lake["stints"], attempts)
        found["team_game"].append(teams.collect().cast(dict(TEAM_GAME.schema)))
        flow = game_flow(lake["plays"], lake["stints"], games, attempts)
        found["game_flow"].append(flow.collect().cast(dict(GAME_FLOW.schema)))
    games, team_games, flow = (pl.concat(frames) for frames in found.values())
    ids = games["home_team_id"].unique().sort()
    teams = pl.LazyFrame({"team_id": ids, "team_key": ids}, schema={name: TEAMS.schema[name] for name in TEAM_KEYS})
    features = game_features(games.lazy(), team_games.lazy(), teams, NO_SOURCE, date(2100, 1, 1))
    return Season(games, flow, features.collect().cast(dict(GAME_FEATURES.schema)))


TEAM_KEYS = ("team_id", "team_key")


def make_game(page: dict[str, Any]) -> dict[str, Any]:
    """Return the row of silver.games of a page."""
    sides = {
        f"{side}_team_{name}": page[f"{side}Team"][name] for side in ("home", "away") for name in ("id", "abbrev")
    } | {f"{side}_score": page[f"{side}Team"]["score"] for side in ("home", "away")}
    about = {"season": page["season"], "game_id": page["id"], "game_type": page["gameType"]}
    return {
        **about, **sides, "game_date": date.fromisoformat(page["gameDate"]),
        "start_at": datetime.fromisoformat(page["startTimeUTC"]), "game_state": "OFF", "schedule_state": "OK",
        "last_period_type": page["gameOutcome"]["lastPeriodType"],
    }  # fmt: skip


def fit(season: Season, name: str) -> GameModel:
    """Fit both parts of the model."""
    pregame = fit_pregame_model(season.features)
    kinds = season.games.filter(pl.col("game_type") == 2)["last_period_type"]
    # the share of overtimes without a goal gives the rate of both teams
    undecided = (kinds == "SO").sum() / kinds.is_in(["OT", "SO"]).sum()
    overtime_rate = -math.log(undecided) * 3600 / game_model.OVERTIME_SECONDS / 2
    states = compute_states(season, pregame).filter((pl.col("period") <= 3) & (pl.col("step_number") % EVERY == 0))

    def make_model(numbers: list[float]) -> GameModel:
        return GameModel(name, pregame, *(round(float(number), 3) for number in (*numbers, overtime_rate)))

    def loss(numbers: list[float]) -> float:
        return score(states, make_model(numbers))

    return make_model(minimize(loss, [0.2, 3.5, 5.0], method="Nelder-Mead", options={"xatol": 2e-3, "fatol": 1e-7}).x)


def compute_states(season: Season, pregame: PregameModel) -> pl.DataFrame:
    """Return the steps of games with a probability before the game, and the winner."""
    chance = game_model.predict_before_game(pregame)
    before = season.features.lazy().select("game_id", "is_home_win", pregame_home_win_probability=chance)
    return list_states(season.flow.lazy(), before.drop_nulls()).collect()


def score(states: pl.DataFrame, model: GameModel) -> float:
    """Return the log loss of a model over states."""
    rows = game_model.add_win_probability(states.lazy(), model)
    return float(rows.select(log_loss(pl.col("is_home_win"), pl.col("home_win_probability"))).collect().item())


def score_held_out() -> None:
    """Print how a model of 2022-23 does on 2023-24, whose features know the season before."""
    both = make_season(pages for season in SEASONS for pages in archive(season))
    train, test = (Season(*(frame.filter(pl.col("season") == season) for frame in both)) for season in SEASONS)
    model = fit(train, "win 2022-23")
    print(model)
    states = game_model.add_win_probability(compute_states(test, model.pregame).lazy(), model).collect()
    chance, won = pl.col("home_win_probability"), pl.col("is_home_win")
    print(f"{states.height:,} steps of {states['game_id'].n_unique():,} games: log loss", end=" ")
    print(f"{states.select(log_loss(won, chance)).item():.4f}; at the start", end=" ")
    starts = states.filter(pl.col("step_number") == 1)
    print(f"{starts.select(log_loss(won, chance)).item():.4f}")
    ties = states.with_columns(is_level=pl.col("home_lead") == 0).filter("is_level")
    print(f"level: predicted {ties['home_win_probability'].mean():.4f}, won {ties['is_home_win'].mean():.4f}")
    table = (
        states.group_by(tenth=(chance * 10).floor().clip(0, 9).cast(pl.Int8))
        .agg(steps=pl.len(), predicted=chance.mean(), won=won.mean())
        .sort("tenth")
    )
    print(table)
    left = states.filter(pl.col("period") <= 3).group_by(minutes_left=(pl.col("seconds_left") / 600).floor() * 10)
    print(
        left.agg(pl.len(), log_loss=log_loss(won, chance), predicted=chance.mean(), won=won.mean()).sort("minutes_left")
    )


def main() -> None:
    """Run the part that is asked for."""
    if "ship" in sys.argv:
        print(fit(make_season(pages for season in SEASONS for pages in archive(season)), "win NHL 2022-24"))
        print(fit(make_season(play_league()), "win sample league"))
    else:
        score_held_out()


if __name__ == "__main__":
    main()
