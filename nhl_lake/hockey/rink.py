"""Locations on the rink, in feet from center ice. The acting team attacks toward the net at x = +89."""

import polars as pl

from nhl_lake.hockey.shot_events import SHOOTER_LOCATION_EVENTS, UNBLOCKED_ATTEMPTS

GOAL_LINE, BLUE_LINE = 89, 25
COORDINATE_SOURCES = ("page", "inferred")
MIN_SHOTS_TO_OVERRIDE = 8  # shots of a period needed to overrule the page
PERIOD_KEY = ("game_id", "period")


def orient_coordinates(plays: pl.LazyFrame) -> pl.LazyFrame:
    """Rotate locations so that the acting team attacks toward +x.

    Since 2019-20 the page has the side that the home team defends, but not on every row, and not always correctly.
    Teams shoot at the net that they attack. So the shots of a period show the side; if they are not clear, the shots of
    the other periods do, since teams change ends. The page is overruled if most shots of a period contradict it.
    """
    return (
        plays.with_columns(home_attacks=get_recorded_side(), vote=infer_side_from_shot())
        .with_columns(is_contradicted=is_side_contradicted(), inferred=infer_side_from_shots())
        .with_columns(
            home_attacks=pl.when("is_contradicted").then("inferred").otherwise(pl.coalesce("home_attacks", "inferred")),
            is_inferred=pl.col("home_attacks").is_null() | pl.col("is_contradicted"),
        )
        .with_columns(rotation=pl.col("home_attacks") * pl.when("is_home").then(1).when(~pl.col("is_home")).then(-1))
        .with_columns(x_ft=orient_coordinate("x_raw_ft"), y_ft=orient_coordinate("y_raw_ft"))
        .with_columns(
            coordinates_source=get_coordinates_source(),
            zone=classify_zone(pl.col("x_ft")),
            **compute_distance_and_angle(),
        )
    )


def get_recorded_side() -> pl.Expr:
    """Return 1 if the home team attacks toward +x by the page, else -1; rows without a side take their period's."""
    side = pl.col("home_defends")
    toward = pl.when(side == "left").then(1).when(side == "right").then(-1)
    lowest, highest = toward.min().over(PERIOD_KEY), toward.max().over(PERIOD_KEY)
    return pl.coalesce(toward, pl.when(lowest == highest).then(lowest))


def infer_side_from_shot() -> pl.Expr:
    """Return the direction in which the home team attacks by a shot (1 or -1); null for other rows."""
    shot = pl.col("event").is_in(UNBLOCKED_ATTEMPTS) & (pl.col("x_raw_ft").abs() > BLUE_LINE)
    toward = pl.col("x_raw_ft").sign().cast(pl.Int64)
    return pl.when(shot & pl.col("is_home")).then(toward).when(shot & ~pl.col("is_home")).then(-toward)


def is_side_contradicted() -> pl.Expr:
    """Whether at least three quarters of a period's shots contradict the side on the page."""
    balance = (pl.col("vote") * pl.col("home_attacks")).sum().over(PERIOD_KEY)
    shots = pl.col("vote").count().over(PERIOD_KEY).cast(pl.Int64)
    return (shots >= MIN_SHOTS_TO_OVERRIDE) & (2 * balance <= -shots)


def infer_side_from_shots() -> pl.Expr:
    """Return the direction shown by the shots of the period, or else by those of the game."""
    ends = pl.when(pl.col("period") % 2 == 1).then(1).otherwise(-1)
    return pl.coalesce(
        find_majority(pl.col("vote"), PERIOD_KEY), ends * find_majority(pl.col("vote") * ends, ("game_id",))
    )


def find_majority(votes: pl.Expr, among: tuple[str, ...]) -> pl.Expr:
    """Return the sign of the votes if at least three quarters agree; null without such a majority."""
    found, count = votes.sum().over(among), votes.count().over(among).cast(pl.Int64)
    return pl.when((count > 0) & (2 * found.abs() >= count)).then(found.sign())


def orient_coordinate(name: str) -> pl.Expr:
    """Return a coordinate from the acting team's view. x and y are both rotated, so left stays left."""
    return pl.col(name) * pl.col("rotation") + 0.0  # no -0.0


def get_coordinates_source() -> pl.Expr:
    """Return the source of the direction of attack: page or inferred."""
    source = pl.when("is_inferred").then(pl.lit("inferred")).otherwise(pl.lit("page"))
    return pl.when(pl.col("x_ft").is_not_null()).then(source)


def classify_zone(x: pl.Expr) -> pl.Expr:
    """Return the zone from the acting team's view: O, N or D. The blue lines belong to O and D."""
    return (
        pl.when(x >= BLUE_LINE)
        .then(pl.lit("O"))
        .when(x <= -BLUE_LINE)
        .then(pl.lit("D"))
        .when(x.is_not_null())
        .then(pl.lit("N"))
    )


def compute_distance_and_angle() -> dict[str, pl.Expr]:
    """Return distance and angle to the net; null for a blocked shot, which is located where it was blocked."""
    shot = pl.col("event").is_in(SHOOTER_LOCATION_EVENTS)
    ahead, aside = GOAL_LINE - pl.col("x_ft"), pl.col("y_ft").abs()
    return {
        "distance_ft": pl.when(shot).then((ahead**2 + aside**2).sqrt()),
        "angle_deg": pl.when(shot).then(pl.arctan2(aside, ahead).degrees()),
    }
