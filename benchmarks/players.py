"""Measure players' numbers: goals above expected, shrunk, and regularized plus-minus.

    python benchmarks/players.py            # plus-minus of 2023-24: halves of the season, and what it takes
    python benchmarks/players.py planted    # planted effects on the stints of 2023-24: are they found again?
    python benchmarks/players.py years      # goals above expected of 2022-23 and of 2023-24
    python benchmarks/players.py league     # goals above expected and the skills of the sample league

There are no shifts of whole seasons among the recorded pages. The stints here are from another project's list of the
players on the ice at every event: a line change happens at the next event, so they are less exact than a lake's.
"""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
from gold import REALDATA, archive, silver

from nhl_lake.gold.measures.ridge import SPREADS
from nhl_lake.gold.measures.shrinkage import add_shrunk_goals
from nhl_lake.gold.measures.stint_xg import sum_stint_xg
from nhl_lake.gold.shots import SHOTS
from nhl_lake.gold.skater_rapm import AGAINST, FOR, NET, fit_even_strength, fit_power_play
from nhl_lake.gold.xg_model import SAMPLE_LEAGUE, XG_MODEL, make_row, read_shipped_model
from nhl_lake.league import League
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.stints import STINTS

SEASON = 20232024
LEAGUE_SEASON, AFTER = 20242025, datetime(2025, 8, 1, tzinfo=UTC)
MEAN_XG = 2.4  # of a team, in an hour at 5on5
EFFECTS = (FOR, AGAINST, NET)


def make_inputs(season: int = SEASON) -> dict[str, pl.LazyFrame]:
    """Return games, plays and shots with xG of a regular season."""
    pages = ([page for page in part if page["gameType"] == 2] for part in archive(season))
    return read_pages((part for part in pages if part), "NHL")


def read_pages(chunks: Iterable[list[dict[str, Any]]], source: str) -> dict[str, pl.LazyFrame]:
    """Return games, plays and shots of play-by-play pages, with the xG of the package's model of a source."""
    found: dict[str, list[pl.DataFrame]] = {name: [] for name in ("games", "plays", "shots")}
    model = pl.LazyFrame([make_row(read_shipped_model(source))], schema=XG_MODEL.schema)
    for pages in chunks:
        lake = silver(pages)
        inputs = [lake[table.name.removeprefix("silver.")] for table in SHOTS.inputs if table is not XG_MODEL]
        lake["shots"] = SHOTS.build(*inputs, model)
        for name, parts in found.items():
            parts.append(lake[name].collect())
    games = pl.concat(found["games"]).with_columns(game_state=pl.lit("OFF")).cast(dict(GAMES.schema))
    tables = {"games": games, "plays": pl.concat(found["plays"]), "shots": pl.concat(found["shots"])}
    return {name: rows.lazy() for name, rows in tables.items()}


def list_stints() -> pl.DataFrame:
    """Return stints by the players on the ice at every event; the players of an event were on since the one before."""
    events = pl.scan_parquet(REALDATA / "independent" / "event_on_ice_20232024.parquet")
    period = ("game_id", "period")
    is_faceoff = pl.col("event_type") == "FACEOFF"
    start = (pl.col("period_seconds") + (~is_faceoff).cast(pl.Int64)).shift(1).over(period).fill_null(0)
    # between two events, those of the later one were on the ice; until a faceoff, those of the event before
    sides = {
        f"{side}_skater_player_ids": pl.concat_list(f"{side}_skater_{nth}" for nth in range(1, 7)).list.drop_nulls()
        for side in ("home", "away")
    }
    goalies = {side: pl.col(f"{side}_goalie").is_not_null().cast(pl.Int16) for side in ("home", "away")}
    known = (
        events.with_row_index("nth")
        .with_columns(**sides)
        .with_columns(
            **{f"{side}_skaters": pl.col(f"{side}_skater_player_ids").list.len().cast(pl.Int16) for side in goalies},
            **{f"{side}_goalies": goalie for side, goalie in goalies.items()},
        )
        .sort(*period, "period_seconds", "nth")
        .with_columns(
            season=pl.lit(SEASON, pl.Int32),
            start_seconds=start.cast(pl.Int32),
            end_seconds=(pl.col("period_seconds") + (~is_faceoff).cast(pl.Int64)).cast(pl.Int32),
        )
    )
    of_event = (
        *(f"{side}_{what}" for side in ("home", "away") for what in ("skater_player_ids", "skaters", "goalies")),
    )
    men = {side: pl.col(f"{side}_skaters") + pl.col(f"{side}_goalies") for side in ("home", "away")}
    more = men["home"] - men["away"]
    return (
        known.with_columns(pl.when(is_faceoff).then(pl.col(name).shift(1).over(period)).otherwise(name).alias(name)
                           for name in of_event)
        .filter(pl.col("end_seconds") > pl.col("start_seconds"), pl.col("home_skaters").is_not_null())
        .with_columns(
            situation_code=pl.concat_str("away_goalies", "away_skaters", "home_skaters", "home_goalies"),
            home_strength_state=pl.when(more > 0).then(pl.lit("PP")).when(more < 0).then(pl.lit("SH"))
            .otherwise(pl.lit("EV")),
            home_goalie_player_id=pl.lit(None, pl.Int64), away_goalie_player_id=pl.lit(None, pl.Int64),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in STINTS.schema.items())
        .unique(["game_id", "period", "start_seconds"], keep="first", maintain_order=True)
        .collect()
    )  # fmt: skip


def fit(stints: pl.DataFrame) -> pl.DataFrame:
    """Return the effects in all situations."""
    return pl.concat([fit_even_strength(stints), fit_power_play(stints)], how="diagonal")


def compare_halves(stints: pl.DataFrame) -> None:
    """Print the correlation of effects in games with odd and with even numbers, and of raw on-ice xG."""
    is_odd = (pl.col("game_id") % 2) == 1
    one, other = (fit(stints.filter(half)) for half in (is_odd, ~is_odd))
    for situation, minutes, names in (("5on5", 250, EFFECTS), ("5on4", 50, (FOR,)), ("4on5", 50, (AGAINST,))):
        both = one.join(other, on=["player_id", "situation"]).filter(
            pl.col("situation") == situation, pl.min_horizontal("time_on_ice_s", "time_on_ice_s_right") >= 60 * minutes
        )
        for name in names:
            found = both.select(pl.corr(name, f"{name}_right")).item()
            print(f"{situation} {name:24} {both.height:4} skaters with {minutes} min in both halves: r = {found:.2f}")
    raw = [sum_raw(stints.filter(half)) for half in (is_odd, ~is_odd)]
    both_raw = raw[0].join(raw[1], on="player_id").filter(pl.min_horizontal("hours", "hours_right") >= 250 / 60)
    print(f"5on5 raw on-ice xG difference per 60 {both_raw.height:10} skaters: "
          f"r = {both_raw.select(pl.corr('net', 'net_right')).item():.2f}")  # fmt: skip


def sum_raw(stints: pl.DataFrame) -> pl.DataFrame:
    """Return the raw on-ice xG difference per hour of skaters at 5on5."""
    even = stints.filter(pl.col("situation") == "5on5")
    net = pl.col("home_xg") - pl.col("away_xg")
    both = (even.select("hours", net=sign * net, player_id=f"{side}_skater_player_ids")
            for side, sign in (("home", 1), ("away", -1)))  # fmt: skip
    sums = pl.concat(both).explode("player_id").group_by("player_id").agg(pl.col("hours", "net").sum())
    return sums.with_columns(net=pl.col("net") / pl.col("hours"))


def compare_penalties(stints: pl.DataFrame) -> None:
    """Print how effects of one half of the games predict the other, with single spreads and with the average over all.

    The gain is the weighted squared error of the xG of stints without effects minus that with them.
    """
    even, is_odd = stints.filter(pl.col("situation") == "5on5"), (pl.col("game_id") % 2) == 1
    train, test = even.filter(is_odd), even.filter(~is_odd)
    hours = test["hours"].to_numpy()
    for name, spreads in {
        **{f"{one:.2f}": (one,) for one in (0.02, 0.1, 0.2, 0.3, 0.4, 0.6)},
        "average": SPREADS,
    }.items():
        effects = fit_even_strength(train, spreads).select("player_id", own=FOR, other=AGAINST)
        home, away = (add_up(test, effects, side) for side in ("home", "away"))
        gains = []
        for predicted, xg in ((home - away, test["home_xg"] - test["away_xg"]),
                              (home + away, test["home_xg"] + test["away_xg"])):  # fmt: skip
            centered = predicted - (predicted * hours).sum() / hours.sum()
            rest = xg.to_numpy() - xg.sum() / hours.sum() * hours
            gains.append(2 * (centered * rest).sum() - (hours * centered**2).sum())
        print(f"spread {name:8} gain of the difference {gains[0]:6.1f}, of the sum {gains[1]:6.1f}")


def compare_noise(stints: pl.DataFrame) -> None:
    """Print the variance of the xG of an hour, by stints and by games after the effects."""
    even = stints.filter(pl.col("situation") == "5on5")
    effects = fit_even_strength(even).select("player_id", own=FOR, other=AGAINST)
    home, away = (pl.Series(add_up(even, effects, side)) for side in ("home", "away"))
    for name, sign in (("difference", -1), ("sum", 1)):
        rest = even.select("game_id", "hours", rest=pl.col("home_xg") + sign * pl.col("away_xg")).with_columns(
            pl.col("rest") - (home + sign * away) * pl.col("hours")
        )
        by_game = rest.group_by("game_id").agg(pl.col("hours", "rest").sum())
        by_stint, whole = (
            rows.select(((pl.col("rest") - pl.col("rest").sum() / pl.col("hours").sum() * pl.col("hours")) ** 2).sum()
                        / pl.col("hours").sum()).item()
            for rows in (rest, by_game)
        )  # fmt: skip
        print(f"noise of the {name}: {by_stint:.3f} by stints, {whole:.3f} by games")


def plant(stints: pl.DataFrame) -> None:
    """Print how planted effects come back: rank correlation, and the share of intervals that have them."""
    rng = np.random.default_rng(SEASON)
    even = stints.filter(pl.col("situation") == "5on5")
    ids = even.select(pl.concat_list("home_skater_player_ids", "away_skater_player_ids").explode().unique()).to_series()
    for spread in (0.05, 0.1, 0.2):
        truth = pl.DataFrame({"player_id": ids, "own": rng.normal(0, spread, ids.len()),
                              "other": rng.normal(0, spread, ids.len())})  # fmt: skip
        rates = {side: add_up(even, truth, side) for side in ("home", "away")}
        # as many shots as at 5on5, each of 0.06 xG
        drawn = {f"{side}_xg": 0.06 * rng.poisson(np.clip(rate, 0, None) * even["hours"].to_numpy() / 0.06)
                 for side, rate in rates.items()}  # fmt: skip
        found = fit_even_strength(even.with_columns(**{name: pl.Series(xg) for name, xg in drawn.items()}))
        both = found.join(truth, on="player_id").with_columns(net=pl.col("own") - pl.col("other"))
        for name, planted in ((FOR, "own"), (AGAINST, "other"), (NET, "net")):
            inside = both.select(pl.col(planted).is_between(f"{name}_low", f"{name}_high").mean()).item()
            regular = both.filter(pl.col("time_on_ice_s") >= 500 * 60)
            ranks = [rows.select(pl.corr(name, planted, method="spearman")).item() for rows in (both, regular)]
            print(f"spread {spread:.2f}  {name:24} rank correlation {ranks[0]:.2f} ({ranks[1]:.2f} of {regular.height}"
                  f" with 500 min), in the interval {inside:.0%}")  # fmt: skip


def add_up(even: pl.DataFrame, truth: pl.DataFrame, side: str) -> "np.ndarray[Any, Any]":
    """Return the planted rate of a team's xG in each stint."""
    other = "away" if side == "home" else "home"
    total = np.full(even.height, MEAN_XG)
    for name, effect in ((f"{side}_skater_player_ids", "own"), (f"{other}_skater_player_ids", "other")):
        values = (
            even.with_row_index()
            .select("index", player_id=name)
            .explode("player_id")
            .join(truth, on="player_id", how="left")
        )
        total += values.group_by("index").agg(pl.col(effect).sum()).sort("index")[effect].to_numpy()
    return total


def sum_above_expected(shots: pl.LazyFrame, by: str, sign: int) -> pl.DataFrame:
    """Return goals above expected by season and player, with the columns that gold has."""
    known = shots.filter(pl.col("xg").is_not_null(), pl.col(by).is_not_null())
    xg, goal = pl.col("xg"), pl.col("is_goal").cast(pl.Float64)
    sums = known.group_by("season", "game_type", player_id=by).agg(
        xg=xg.sum(), xg_variance=(xg * (1 - xg)).sum(), above=sign * (goal - xg).sum(), goals=goal.sum()
    )
    marked = sums.with_columns(situation=pl.lit("all"), is_total=pl.lit(value=True))
    return add_shrunk_goals(marked, "above", "xg", "xg_variance", sign=sign).collect()


ROLES = {"goalies": ("goalie_player_id", -1, 60), "shooters": ("shooter_player_id", 1, 8)}  # the last: least xG


def compare_years() -> None:
    """Print the correlation of two seasons, per expected goal."""
    shots = pl.concat(make_inputs(season)["shots"] for season in (20222023, 20232024))
    for role, (by, sign, least) in ROLES.items():
        rows = sum_above_expected(shots, by, sign)
        print(rows.group_by("season").agg(
            pl.len(), pl.col("league_goals_per_xg").first(), pl.col("goals", "calibrated_above").sum(),
            pl.col("calibrated_above", "shrunk_above").std().name.suffix("_std"),
        ).sort("season"))  # fmt: skip
        first, second = (
            rows.filter(pl.col("season") == season, pl.col("xg") >= least) for season in (20222023, 20232024)
        )
        both = first.join(second, on="player_id", suffix="_next")
        goals = pl.col("calibrated_above_next")
        error = {name: (goals - pl.col(name) / pl.col("xg") * pl.col("xg_next")) ** 2
                 for name in ("calibrated_above", "shrunk_above")}  # fmt: skip
        print(role, both.select(
            pl.len(), r=pl.corr(pl.col("calibrated_above") / pl.col("xg"), goals / pl.col("xg_next")),
            error_of_nothing=(goals**2).mean().sqrt(),
            **{f"error_of_{name}": e.mean().sqrt() for name, e in error.items()},
        ))  # fmt: skip


def compare_skills() -> None:
    """Print the rank correlation of shrunk values with the skills of the sample league, and the league's sums."""
    league = League(seasons=(LEAGUE_SEASON,))
    games = [game.game_id for game in league.engine.schedule(LEAGUE_SEASON) if game.is_played and game.game_type == 2]
    shots = read_pages(play_league(league, games), SAMPLE_LEAGUE)["shots"]
    for role, (by, sign, least) in ROLES.items():
        rows = sum_above_expected(shots, by, sign)
        players = league.engine.get_players(LEAGUE_SEASON)
        skills = {player: players[player].skills for player in rows["player_id"]}
        # fewer goals against are the better skill of a goalie
        values = [-skill.save if role == "goalies" else skill.finish for skill in skills.values()]
        regular = rows.with_columns(skill=pl.Series(values)).filter(pl.col("xg") >= least)
        ranks = [regular.select(pl.corr(name, "skill", method="spearman")).item()
                 for name in ("above", "shrunk_above")]  # fmt: skip
        total, goals = rows["calibrated_above"].sum(), rows["goals"].sum()
        print(f"{role}: {regular.height} with {least} xG; rank correlation with the skill {ranks[0]:.2f} raw,"
              f" {ranks[1]:.2f} shrunk; sum of the league {total:.3f} of {goals:.0f} goals")  # fmt: skip


def play_league(league: League, games: list[int]) -> Iterator[list[dict[str, Any]]]:
    """Yield play-by-play pages of the sample league."""
    for start in range(0, len(games), 100):
        paths = (f"/v1/gamecenter/{game}/play-by-play" for game in games[start : start + 100])
        yield [json.loads(league.answer(path, AFTER).body) for path in paths]


def main() -> None:
    """Run the part that is asked for."""
    if "years" in sys.argv:
        compare_years()
        return
    if "league" in sys.argv:
        compare_skills()
        return
    inputs = make_inputs() | {"stints": list_stints().lazy()}
    started = time.process_time()
    stints = sum_stint_xg(**inputs).collect()
    print(f"{stints.height:,} stints of {stints['game_id'].n_unique():,} games: {time.process_time() - started:.1f} s")
    if "planted" in sys.argv:
        plant(stints)
        return
    started = time.process_time()
    found = fit(stints)
    print(f"{found.height:,} effects: {time.process_time() - started:.1f} s of processor time")
    compare_halves(stints)
    compare_penalties(stints)
    compare_noise(stints)


if __name__ == "__main__":
    main()
