"""A team: its months in numbers, and its last games."""

from typing import NamedTuple

import polars as pl

from nhl_lake.catalog import find_table
from nhl_lake.errors import BadInput
from nhl_lake.hockey.results import RESULT_CODES
from nhl_lake.queries.player import scan_games
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location


class TeamSummary(NamedTuple):
    """What the NHL's own figures say of a team in a season's regular games."""

    season: int
    months: pl.DataFrame
    games: pl.DataFrame


def summarize_team(root: Location, abbrev: str, season: int | None, last: int) -> TeamSummary:
    """Return a team's months and last games in a season, the newest that has any by default."""
    is_own = pl.when("is_home").then("home_team_abbrev").otherwise("away_team_abbrev") == abbrev.upper()
    regular = delta_tables.scan_table(root, find_table("silver.team_games")).filter(pl.col("game_type") == 2)
    against = regular.select("game_id", opponent_team_id="team_id", goals_against="goals")
    lines = (
        regular.join(scan_games(root), on="game_id", validate="m:1", suffix="_of_game")
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
    return TeamSummary(int(str(chosen)), summarize_months(own), format_team_games(own.tail(last).reverse()))


def summarize_months(lines: pl.DataFrame) -> pl.DataFrame:
    """One row a month: record, goals, power play; the power play is null if a game does not tell of it."""
    tells = pl.col("power_play_opportunities").is_not_null().all()
    scored, had = (pl.col(f"power_play_{name}").sum() for name in ("goals", "opportunities"))
    return (
        lines.group_by(month=pl.col("game_date").dt.strftime("%Y-%m"), maintain_order=True)
        .agg(
            pl.len().alias("games"),
            *((pl.col("result") == result).sum().alias(name) for name, result in RESULT_CODES.items()),
            pl.col("goals").sum(),
            pl.col("goals_against").sum(),
            pl.when(tells).then(scored).alias("power_play_goals"),
            pl.when(tells).then(had).alias("power_play_opportunities"),
        )
        .with_columns(power_play_share=pl.col("power_play_goals") / pl.col("power_play_opportunities").replace(0, None))
    )


def format_team_games(lines: pl.DataFrame) -> pl.DataFrame:
    """One row a game: the day, the opponent, the score, shots on goal, power play."""
    where = pl.when("is_home").then(pl.lit("vs ")).otherwise(pl.lit("at "))
    opponent = where + pl.when("is_home").then("away_team_abbrev").otherwise("home_team_abbrev")
    score = pl.format("{}-{} {}", "score", "opponent_score", "last_period_type")
    power = pl.format("{}/{}", "power_play_goals", "power_play_opportunities")
    about = {"opponent": opponent, "score": score, "power_play": power}
    return lines.select("game_date", "game_id", *(what.alias(name) for name, what in about.items()), "shots_on_goal")
