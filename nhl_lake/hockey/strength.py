"""Strength, from the situation code: away goalie, away skaters, home skaters, home goalie."""

import polars as pl

SITUATION_CODE_PATTERN = "^[01][0-6][0-6][01]$"
ONE_ON_ONE = ("1010", "0101")
STRENGTH_STATES = ("EV", "PP", "SH", "PS")
SITUATIONS = ("5on5", "5on4", "4on5", "other")


def parse_situation_code(code: pl.Expr, *, is_penalty_shot: pl.Expr) -> dict[str, pl.Expr]:
    """Return goalies in net and skaters of both teams; null if the code is missing, malformed or wrong.

    The last rows of an overtime have the code of the shootout that follows; their number of players is unknown.
    """
    is_borrowed = code.is_in(ONE_ON_ONE) & ~is_penalty_shot
    known = pl.when(code.str.contains(SITUATION_CODE_PATTERN) & ~is_borrowed).then(code)
    return {
        "has_away_goalie": known.str.slice(0, 1) == "1",
        "away_skaters": known.str.slice(1, 1).cast(pl.Int64),
        "home_skaters": known.str.slice(2, 1).cast(pl.Int64),
        "has_home_goalie": known.str.slice(3, 1) == "1",
    }


def pick_acting_team(home: pl.Expr, away: pl.Expr) -> pl.Expr:
    """Return the acting team's value, from those of the home and the away team."""
    return pl.when("is_home").then(home).when(~pl.col("is_home")).then(away)


def classify_strength() -> pl.Expr:
    """Return the acting team's strength as the NHL counts it: EV, PP or SH, and PS for a penalty shot.

    The number of players on the ice decides, and goalies count: six skaters with an empty net against five skaters and
    a goalie is even strength.
    """
    home = pl.col("home_skaters") + pl.col("has_home_goalie")
    away = pl.col("away_skaters") + pl.col("has_away_goalie")
    more = pick_acting_team(home - away, away - home)
    by_players = (
        pl.when(more == 0).then(pl.lit("EV")).when(more > 0).then(pl.lit("PP")).when(more < 0).then(pl.lit("SH"))
    )
    return pl.when("is_penalty_shot").then(pl.lit("PS")).otherwise(by_players)


def classify_situation() -> pl.Expr:
    """Return 5on5, 5on4 or 4on5 from the acting team's view, with both goalies in; other for everything else."""
    home, away = pl.col("home_skaters"), pl.col("away_skaters")
    goalies = pl.col("has_home_goalie") & pl.col("has_away_goalie")
    both = pl.concat_str(pick_acting_team(home, away), pl.lit("on"), pick_acting_team(away, home))
    named = pl.when(goalies & both.is_in(SITUATIONS)).then(both).when(both.is_not_null()).then(pl.lit("other"))
    return pl.when("is_penalty_shot").then(pl.lit("other")).otherwise(named)
