"""A team: its months in numbers, and its last games."""

from typing import NamedTuple

import polars as pl

from nhl_lake.catalog import find
from nhl_lake.errors import BadInput
from nhl_lake.hockey.results import RECORD
from nhl_lake.queries.player import games
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Place


class Club(NamedTuple):
    """What the NHL's own figures say of a team in a season's regular games."""

    season: int
    months: pl.DataFrame
    games: pl.DataFrame


def club(root: Place, abbrev: str, season: int | None, last: int) -> Club:
    """Return a team's months and last games in a season, the newest that has any by default."""
    is_own = pl.when("is_home").then("home_team_abbrev").otherwise("away_team_abbrev") == abbrev.upper()
    regular = delta_tables.scan(root, find("silver.team_games")).filter(pl.col("game_type") == 2)
    against = regular.select("game_id", opponent_team_id="team_id", goals_against="goals")
    lines = (
        regular.join(games(root), on="game_id", validate="m:1", suffix="_of_game")
        .join(against, on=["game_id", "opponent_team_id"], validate="1:1")
        .filter(is_own)
        .sort("start_at", "game_id")
        .collect()
    )
    if lines.is_empty():
        raise BadInput(
            f"There is no regular game of a team '{abbrev}' in the lake.",
            "Teams go by their three letters, as in `nhl-lake show silver.teams`.",
        )
    chosen = season if season is not None else lines["season"].max()
    own = lines.filter(pl.col("season") == chosen)
    return Club(int(str(chosen)), months(own), last_games(own.tail(last).reverse()))


def months(lines: pl.DataFrame) -> pl.DataFrame:
    """One row a month: record, goals, power play; the power play is null if a game does not tell of it."""
    tells = pl.col("power_play_opportunities").is_not_null().all()
    scored, had = (pl.col(f"power_play_{name}").sum() for name in ("goals", "opportunities"))
    return (
        lines.group_by(month=pl.col("game_date").dt.strftime("%Y-%m"), maintain_order=True)
        .agg(
            pl.len().alias("games"),
            *((pl.col("result") == result).sum().alias(name) for name, result in RECORD.items()),
            pl.col("goals").sum(),
            pl.col("goals_against").sum(),
            pl.when(tells).then(scored).alias("power_play_goals"),
            pl.when(tells).then(had).alias("power_play_opportunities"),
        )
        .with_columns(power_play_share=pl.col("power_play_goals") / pl.col("power_play_opportunities").replace(0, None))
    )


def last_games(lines: pl.DataFrame) -> pl.DataFrame:
    """One row a game: the day, the opponent, the score, shots on goal, power play."""
    where = pl.when("is_home").then(pl.lit("vs ")).otherwise(pl.lit("at "))
    opponent = where + pl.when("is_home").then("away_team_abbrev").otherwise("home_team_abbrev")
    score = pl.format("{}-{} {}", "score", "opponent_score", "last_period_type")
    power = pl.format("{}/{}", "power_play_goals", "power_play_opportunities")
    about = {"opponent": opponent, "score": score, "power_play": power}
    return lines.select("game_date", "game_id", *(what.alias(name) for name, what in about.items()), "shots_on_goal")
