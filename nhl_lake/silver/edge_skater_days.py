"""EDGE of skaters by day: tracking of speed, distance and zones, of a season so far."""

from typing import Annotated

import msgspec
import polars as pl

from nhl_lake.bronze.endpoints import EDGE_SKATERS
from nhl_lake.bronze.numbers import Int16
from nhl_lake.hockey.calendar import EASTERN
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.parsing.pages import PageStruct, decode_page

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Amount = Annotated[float, msgspec.Meta(ge=0, le=100_000)]


class Measure(PageStruct):
    """A speed or distance: kilometers; the share of skaters below it."""

    metric: Amount | None = None
    percentile: Share | None = None


class Count(PageStruct):
    """A count, and the share of skaters below it."""

    value: Int16 | None = None
    percentile: Share | None = None


class Skating(PageStruct):
    """Speed."""

    speedMax: Measure | None = None
    burstsOver20: Count | None = None


class Zones(PageStruct):
    """Shares of the time on ice by zone."""

    offensiveZonePctg: Share | None = None
    neutralZonePctg: Share | None = None
    defensiveZonePctg: Share | None = None
    offensiveZoneEvPctg: Share | None = None


class EdgePlayer(PageStruct):
    """The skater of a page."""

    gamesPlayed: Int16 | None = None


class EdgeSkaterPage(PageStruct):
    """A skater's EDGE page."""

    player: EdgePlayer | None = None
    topShotSpeed: Measure | None = None
    skatingSpeed: Skating | None = None
    totalDistanceSkated: Measure | None = None
    distanceMaxGame: Measure | None = None
    zoneTimeDetails: Zones | None = None


def edge_skater_days(edge_skaters: pl.LazyFrame) -> pl.LazyFrame:
    """One row per skater, season, game type and day on which their EDGE page was new: the season so far, as of then.

    The API has only the current figures, so a day without a run is not there. Tracking began in 2021-22. From every
    version of `bronze.edge_skaters`, which `nhl-lake ingest --with edge` requests; the last one of a day counts.
    """
    pages = edge_skaters.sort("fetched_at").select(
        "season",
        "game_type",
        "player_id",
        as_of_date=pl.col("fetched_at").dt.convert_time_zone(EASTERN.key).dt.date(),
        page=decode_page(EdgeSkaterPage),
    )
    skating, zones = pl.col("skatingSpeed").struct, pl.col("zoneTimeDetails").struct
    measures = {
        "top_skating_speed_kmh": (skating.field("speedMax"), "metric"),
        "bursts_over_20_mph": (skating.field("burstsOver20"), "value"),
        "distance_km": (pl.col("totalDistanceSkated"), "metric"),
        "longest_game_distance_km": (pl.col("distanceMaxGame"), "metric"),
        "top_shot_speed_kmh": (pl.col("topShotSpeed"), "metric"),
    }
    return (
        pages.unique(["season", "game_type", "player_id", "as_of_date"], keep="last", maintain_order=True)
        .unnest("page")
        .select(
            "season",
            "game_type",
            "player_id",
            "as_of_date",
            games=pl.col("player").struct.field("gamesPlayed"),
            **{name: part.struct.field(key) for name, (part, key) in measures.items()},
            **{f"{name}_percentile": part.struct.field("percentile") for name, (part, _) in measures.items()},
            offensive_zone_share=zones.field("offensiveZonePctg"),
            neutral_zone_share=zones.field("neutralZonePctg"),
            defensive_zone_share=zones.field("defensiveZonePctg"),
            even_strength_offensive_zone_share=zones.field("offensiveZoneEvPctg"),
        )
        .select(column.name for column in COLUMNS)
    )


MEASURES = (
    Column("top_skating_speed_kmh", pl.Float64, "Highest skating speed", "km/h", nullable=True),
    Column("bursts_over_20_mph", pl.Int16, "Times at more than 20 miles an hour (32 km/h)", nullable=True),
    Column("distance_km", pl.Float64, "Distance skated", "km", nullable=True),
    Column("longest_game_distance_km", pl.Float64, "Longest distance skated in a game", "km", nullable=True),
    Column("top_shot_speed_kmh", pl.Float64, "Speed of the hardest shot", "km/h", nullable=True),
)
ZONES = {
    "offensive_zone": "in the offensive zone",
    "neutral_zone": "in the neutral zone",
    "defensive_zone": "in the defensive zone",
    "even_strength_offensive_zone": "at even strength in the offensive zone",
}

COLUMNS = (
    c.season,
    c.game_type,
    c.player_id,
    Column("as_of_date", pl.Date, "Day in New York on which the page was fetched"),
    Column("games", pl.Int16, "Games", nullable=True),
    *MEASURES,
    *(
        Column(f"{m.name}_percentile", pl.Float64, f"Percentile of `{m.name}` among skaters, 0 to 1", nullable=True)
        for m in MEASURES
    ),
    *(
        Column(f"{name}_share", pl.Float64, f"Share of the time on ice {where}, 0 to 1", nullable=True)
        for name, where in ZONES.items()
    ),
)

EDGE_SKATER_DAYS = Table(
    name="silver.edge_skater_days",
    grain="one skater's EDGE figures of a season and game type so far, on a day",
    key=("season", "game_type", "player_id", "as_of_date"),
    columns=COLUMNS,
    chunk_key="player_id",
    inputs=(EDGE_SKATERS,),
    page_structs={EDGE_SKATERS: (EdgeSkaterPage,)},
    source=edge_skater_days,
    needs_all_versions=True,
    checks={
        "no game is longer than all games": (
            pl.col("longest_game_distance_km") <= pl.col("distance_km") + 0.01
        ).fill_null(value=True),
    },
)
