"""The rink, in feet from its centre: the acting team attacks toward +x; its net stands at x = 89."""

import polars as pl

from nhl_lake.hockey.shot_events import SHOOTER_LOCATION_EVENTS, UNBLOCKED_ATTEMPTS

GOAL_LINE, BLUE_LINE = 89, 25
COORDINATE_SOURCES = ("page", "inferred")
MIN_SHOTS_TO_OVERRIDE = 8  # shots of a period that can deny what the page says
PERIOD_KEY = ("game_id", "period")


def orient_coordinates(plays: pl.LazyFrame) -> pl.LazyFrame:
    """Turn places on the ice, so that the acting team attacks toward +x.

    The page says which side the home team defends, since 2019-20; not on every row, and not always truly. A team
    shoots at the net that it attacks: nearly all shots of a period tell the side, and where they do not agree, the
    other periods, the teams having changed ends. A side that most shots of a period deny is not believed.
    """
    return (
        plays.with_columns(home_attacks=get_recorded_side(), vote=infer_side_from_shot())
        .with_columns(is_denied=is_side_contradicted(), inferred=infer_side_from_shots())
        .with_columns(
            home_attacks=pl.when("is_denied").then("inferred").otherwise(pl.coalesce("home_attacks", "inferred")),
            is_inferred=pl.col("home_attacks").is_null() | pl.col("is_denied"),
        )
        .with_columns(turn=pl.col("home_attacks") * pl.when("is_home").then(1).when(~pl.col("is_home")).then(-1))
        .with_columns(x_ft=orient_coordinate("x_raw_ft"), y_ft=orient_coordinate("y_raw_ft"))
        .with_columns(
            coordinates_source=get_coordinates_source(),
            zone=classify_zone(pl.col("x_ft")),
            **compute_distance_and_angle(),
        )
    )


def get_recorded_side() -> pl.Expr:
    """Return 1 where the page has the home team attack toward +x, -1 toward -x; a silent row is as its period is."""
    side = pl.col("home_defends")
    toward = pl.when(side == "left").then(1).when(side == "right").then(-1)
    lowest, highest = toward.min().over(PERIOD_KEY), toward.max().over(PERIOD_KEY)
    return pl.coalesce(toward, pl.when(lowest == highest).then(lowest))


def infer_side_from_shot() -> pl.Expr:
    """Return which way the home team attacks according to a shot; null for all other rows."""
    shot = pl.col("event").is_in(UNBLOCKED_ATTEMPTS) & (pl.col("x_raw_ft").abs() > BLUE_LINE)
    toward = pl.col("x_raw_ft").sign().cast(pl.Int64)
    return pl.when(shot & pl.col("is_home")).then(toward).when(shot & ~pl.col("is_home")).then(-toward)


def is_side_contradicted() -> pl.Expr:
    """Whether three quarters of a period's shots or more go against the side that the page says."""
    agreed = (pl.col("vote") * pl.col("home_attacks")).sum().over(PERIOD_KEY)
    shots = pl.col("vote").count().over(PERIOD_KEY).cast(pl.Int64)
    return (shots >= MIN_SHOTS_TO_OVERRIDE) & (2 * agreed <= -shots)


def infer_side_from_shots() -> pl.Expr:
    """Return the side that the shots of the period tell, or else those of the game."""
    ends = pl.when(pl.col("period") % 2 == 1).then(1).otherwise(-1)
    return pl.coalesce(
        find_majority(pl.col("vote"), PERIOD_KEY), ends * find_majority(pl.col("vote") * ends, ("game_id",))
    )


def find_majority(votes: pl.Expr, among: tuple[str, ...]) -> pl.Expr:
    """Return what three quarters of the votes say or more; null without such a majority."""
    found, count = votes.sum().over(among), votes.count().over(among).cast(pl.Int64)
    return pl.when((count > 0) & (2 * found.abs() >= count)).then(found.sign())


def orient_coordinate(name: str) -> pl.Expr:
    """Return a coordinate seen by the acting team; both are turned, so that its left stays left."""
    return pl.col(name) * pl.col("turn") + 0.0  # no -0.0


def get_coordinates_source() -> pl.Expr:
    """Return how the direction of a place is known."""
    how = pl.when("is_inferred").then(pl.lit("inferred")).otherwise(pl.lit("page"))
    return pl.when(pl.col("x_ft").is_not_null()).then(how)


def classify_zone(x: pl.Expr) -> pl.Expr:
    """Return O, N or D of the acting team. A blue line belongs to the zone behind it."""
    return (
        pl.when(x >= BLUE_LINE)
        .then(pl.lit("O"))
        .when(x <= -BLUE_LINE)
        .then(pl.lit("D"))
        .when(x.is_not_null())
        .then(pl.lit("N"))
    )


def compute_distance_and_angle() -> dict[str, pl.Expr]:
    """Return distance and angle of a shot to the net; of a blocked one they are unknown, its place is the blocker's."""
    shot = pl.col("event").is_in(SHOOTER_LOCATION_EVENTS)
    ahead, aside = GOAL_LINE - pl.col("x_ft"), pl.col("y_ft").abs()
    return {
        "distance_ft": pl.when(shot).then((ahead**2 + aside**2).sqrt()),
        "angle_deg": pl.when(shot).then(pl.arctan2(aside, ahead).degrees()),
    }
