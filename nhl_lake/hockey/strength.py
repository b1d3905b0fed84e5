"""Strength: who has more men, from the situation code: away goalie, away skaters, home skaters, home goalie."""

import polars as pl

SITUATION_CODE_PATTERN = "^[01][0-6][0-6][01]$"
ONE_ON_ONE = ("1010", "0101")
STRENGTH_STATES = ("EV", "PP", "SH", "PS")
SITUATIONS = ("5on5", "5on4", "4on5", "other")


def parse_situation_code(code: pl.Expr, *, is_penalty_shot: pl.Expr) -> dict[str, pl.Expr]:
    """Return goalies in and skaters of both teams; null where a code is absent, malformed or that of another row.

    The last rows of an overtime bear the code of the shoot-out that follows: nobody knows how many they were.
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
    """Return what belongs to the acting team, of the two teams' own."""
    return pl.when("is_home").then(home).when(~pl.col("is_home")).then(away)


def classify_strength() -> pl.Expr:
    """Return the officials' word for the acting team: EV, PP or SH by men, PS for a penalty shot.

    A goalie is a man: six skaters and an empty net against five and a goalie is even.
    """
    home = pl.col("home_skaters") + pl.col("has_home_goalie")
    away = pl.col("away_skaters") + pl.col("has_away_goalie")
    more = pick_acting_team(home - away, away - home)
    by_men = pl.when(more == 0).then(pl.lit("EV")).when(more > 0).then(pl.lit("PP")).when(more < 0).then(pl.lit("SH"))
    return pl.when("is_penalty_shot").then(pl.lit("PS")).otherwise(by_men)


def classify_situation() -> pl.Expr:
    """Return 5on5, 5on4 or 4on5 from the acting team's view, with both goalies in; everything else is other."""
    home, away = pl.col("home_skaters"), pl.col("away_skaters")
    goalies = pl.col("has_home_goalie") & pl.col("has_away_goalie")
    both = pl.concat_str(pick_acting_team(home, away), pl.lit("on"), pick_acting_team(away, home))
    named = pl.when(goalies & both.is_in(SITUATIONS)).then(both).when(both.is_not_null()).then(pl.lit("other"))
    return pl.when("is_penalty_shot").then(pl.lit("other")).otherwise(named)
