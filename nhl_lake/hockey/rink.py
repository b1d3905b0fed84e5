"""The rink, in feet from its centre: the acting team attacks toward +x; its net stands at x = 89."""

import polars as pl

from nhl_lake.hockey.counting import FROM_A_PLACE, UNBLOCKED

GOAL_LINE, BLUE_LINE = 89, 25
SOURCES = ("page", "inferred")
ENOUGH = 8  # shots of a period that can deny what the page says
PERIOD = ("game_id", "period")


def placed(plays: pl.LazyFrame) -> pl.LazyFrame:
    """Turn places on the ice, so that the acting team attacks toward +x.

    The page says which side the home team defends, since 2019-20; not on every row, and not always truly. A team
    shoots at the net that it attacks: nearly all shots of a period tell the side, and where they do not agree, the
    other periods, the teams having changed ends. A side that most shots of a period deny is not believed.
    """
    return (
        plays.with_columns(home_attacks=said_side(), vote=vote())
        .with_columns(is_denied=is_denied(), inferred=inferred_side())
        .with_columns(
            home_attacks=pl.when("is_denied").then("inferred").otherwise(pl.coalesce("home_attacks", "inferred")),
            is_inferred=pl.col("home_attacks").is_null() | pl.col("is_denied"),
        )
        .with_columns(turn=pl.col("home_attacks") * pl.when("is_home").then(1).when(~pl.col("is_home")).then(-1))
        .with_columns(x_ft=turned("x_raw_ft"), y_ft=turned("y_raw_ft"))
        .with_columns(coordinates_source=source(), zone=zone(pl.col("x_ft")), **aim())
    )


def said_side() -> pl.Expr:
    """Return 1 where the page has the home team attack toward +x, -1 toward -x; a silent row is as its period is."""
    side = pl.col("home_defends")
    toward = pl.when(side == "left").then(1).when(side == "right").then(-1)
    lowest, highest = toward.min().over(PERIOD), toward.max().over(PERIOD)
    return pl.coalesce(toward, pl.when(lowest == highest).then(lowest))


def vote() -> pl.Expr:
    """Return which way the home team attacks according to a shot; null for all other rows."""
    shot = pl.col("event").is_in(UNBLOCKED) & (pl.col("x_raw_ft").abs() > BLUE_LINE)
    toward = pl.col("x_raw_ft").sign().cast(pl.Int64)
    return pl.when(shot & pl.col("is_home")).then(toward).when(shot & ~pl.col("is_home")).then(-toward)


def is_denied() -> pl.Expr:
    """Whether three quarters of a period's shots or more go against the side that the page says."""
    agreed = (pl.col("vote") * pl.col("home_attacks")).sum().over(PERIOD)
    shots = pl.col("vote").count().over(PERIOD).cast(pl.Int64)
    return (shots >= ENOUGH) & (2 * agreed <= -shots)


def inferred_side() -> pl.Expr:
    """Return the side that the shots of the period tell, or else those of the game."""
    ends = pl.when(pl.col("period") % 2 == 1).then(1).otherwise(-1)
    return pl.coalesce(clear(pl.col("vote"), PERIOD), ends * clear(pl.col("vote") * ends, ("game_id",)))


def clear(votes: pl.Expr, among: tuple[str, ...]) -> pl.Expr:
    """Return what three quarters of the votes say or more; null without such a majority."""
    found, count = votes.sum().over(among), votes.count().over(among).cast(pl.Int64)
    return pl.when((count > 0) & (2 * found.abs() >= count)).then(found.sign())


def turned(name: str) -> pl.Expr:
    """Return a coordinate seen by the acting team; both are turned, so that its left stays left."""
    return pl.col(name) * pl.col("turn") + 0.0  # no -0.0


def source() -> pl.Expr:
    """Return how the direction of a place is known."""
    how = pl.when("is_inferred").then(pl.lit("inferred")).otherwise(pl.lit("page"))
    return pl.when(pl.col("x_ft").is_not_null()).then(how)


def zone(x: pl.Expr) -> pl.Expr:
    """Return O, N or D of the acting team. A blue line belongs to the zone behind it."""
    return (
        pl.when(x >= BLUE_LINE)
        .then(pl.lit("O"))
        .when(x <= -BLUE_LINE)
        .then(pl.lit("D"))
        .when(x.is_not_null())
        .then(pl.lit("N"))
    )


def aim() -> dict[str, pl.Expr]:
    """Return distance and angle of a shot to the net; of a blocked one they are unknown, its place is the blocker's."""
    shot = pl.col("event").is_in(FROM_A_PLACE)
    ahead, aside = GOAL_LINE - pl.col("x_ft"), pl.col("y_ft").abs()
    return {
        "distance_ft": pl.when(shot).then((ahead**2 + aside**2).sqrt()),
        "angle_deg": pl.when(shot).then(pl.arctan2(aside, ahead).degrees()),
    }
