"""Checks of plays against the box score. The NHL corrects both for days, and not at the same time."""

import polars as pl

SKATER_STATS = {
    "goals": ("shooter_player_id", pl.col("is_goal")),
    "shots_on_goal": ("shooter_player_id", pl.col("is_shot_on_goal")),
    "hits": ("hitter_player_id", pl.lit(value=True)),
    "blocked_shots": ("blocker_player_id", ~pl.col("is_teammate_block")),
    "giveaways": ("giveaway_player_id", pl.lit(value=True)),
    "takeaways": ("takeaway_player_id", pl.lit(value=True)),
}
GOALIE_STATS = {
    "goals_against": pl.col("is_goal"),
    "shots_against": pl.col("is_shot_on_goal"),
    "saves": pl.col("is_shot_on_goal") & ~pl.col("is_goal"),
}
STAT_SEVERITY = dict.fromkeys(("goals", "assists", "goals_against"), "error")


def check_skater_games(plays: pl.LazyFrame, skater_games: pl.LazyFrame) -> pl.LazyFrame:
    """One row per game and statistic for which the plays and the box score of a skater differ.

    `expected` is the box score's total, and `actual` is that of the plays with the number of skaters that differ.
    Statistics that the box score does not have are left out, and so are games with only one of the two pages.
    """
    line = ["game_id", "player_id"]
    counted = [credit_players(plays.filter(is_one), role, stat) for stat, (role, is_one) in SKATER_STATS.items()]
    counted += [credit_players(plays.filter("is_goal"), f"assist{n}_player_id", "assists") for n in (1, 2, 3)]
    counted.append(credit_penalty_minutes(plays))
    found = pl.concat(counted).group_by(*line, "stat").agg(pl.col("actual").sum())
    official = skater_games.unpivot(
        [*SKATER_STATS, "assists", "penalty_minutes"],
        index=["season", *line],
        variable_name="stat",
        value_name="expected",
    )
    return compare_lines(found, official, plays, "skater")


def check_goalie_games(plays: pl.LazyFrame, goalie_games: pl.LazyFrame) -> pl.LazyFrame:
    """One row per game and statistic for which the plays and the box score of a goalie differ."""
    line = ["game_id", "player_id"]
    counted = [credit_players(plays.filter(is_one), "goalie_player_id", stat) for stat, is_one in GOALIE_STATS.items()]
    found = pl.concat(counted).group_by(*line, "stat").agg(pl.col("actual").sum())
    official = goalie_games.unpivot(
        list(GOALIE_STATS), index=["season", *line], variable_name="stat", value_name="expected"
    )
    return compare_lines(found, official, plays, "goalie")


def compare_lines(found: pl.LazyFrame, official: pl.LazyFrame, plays: pl.LazyFrame, role: str) -> pl.LazyFrame:
    """Return one row per game and statistic for which players' lines differ from the plays."""
    return (
        official.drop_nulls("expected")
        .join(plays.select("game_id").unique(), on="game_id", how="semi")
        .join(found, on=["game_id", "player_id", "stat"], how="left", validate="1:1")
        .with_columns(pl.col("expected").cast(pl.Int64), pl.col("actual").fill_null(0))  # no event is a count of 0
        .group_by("season", "game_id", "stat")
        .agg(pl.col("expected", "actual").sum(), players=(pl.col("expected") != pl.col("actual")).sum())
        .filter(pl.col("players") > 0)
        .select(
            "season",
            "game_id",
            check=pl.format(f"{{}} match the box score for every {role}", pl.col("stat").str.replace_all("_", " ")),
            severity=pl.col("stat").replace_strict(STAT_SEVERITY, default="warning"),
            expected=pl.col("expected").cast(pl.String),
            actual=pl.format(f"{{}}, different for {{}} {role}s", "actual", "players"),
        )
    )


def credit_players(plays: pl.LazyFrame, role: str, stat: str) -> pl.LazyFrame:
    """Return one row per play that is credited to a player; a shootout is credited to nobody."""
    in_play = plays.filter(pl.col("period_type") != "SO", pl.col(role).is_not_null())
    return in_play.select("game_id", player_id=role, stat=pl.lit(stat), actual=pl.lit(1, pl.Int64))


def credit_penalty_minutes(plays: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row per penalty that a player is charged with, with its minutes."""
    charged = plays.filter(pl.col("penalised_player_id").is_not_null())
    minutes = pl.col("penalty_minutes").cast(pl.Int64)
    return charged.select("game_id", player_id="penalised_player_id", stat=pl.lit("penalty_minutes"), actual=minutes)
