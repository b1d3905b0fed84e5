"""Playoff series: the bracket of a season, as far as it is known."""

import polars as pl

from nhl_lake.bronze.endpoints import PLAYOFF_BRACKET
from nhl_lake.bronze.numbers import Int16, Int32
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table
from nhl_lake.silver.parsing.pages import PageStruct, decode_page

SEEDS = {"top": "better", "bottom": "other"}


class SeedTeam(PageStruct):
    """A team of a series."""

    id: Int32
    abbrev: str | None = None


class BracketSeries(PageStruct):
    """A series. One whose teams are not known yet has rank 0 and no teams."""

    seriesLetter: str
    playoffRound: Int16 | None = None
    seriesTitle: str | None = None
    topSeedTeam: SeedTeam | None = None
    topSeedRankAbbrev: str | None = None
    topSeedWins: Int16 | None = None
    bottomSeedTeam: SeedTeam | None = None
    bottomSeedRankAbbrev: str | None = None
    bottomSeedWins: Int16 | None = None
    winningTeamId: Int32 | None = None


class BracketPage(PageStruct):
    """A bracket."""

    series: list[BracketSeries]


def playoff_series(playoff_bracket: pl.LazyFrame) -> pl.LazyFrame:
    """One row per season and series of the playoffs, also those to come: their teams and wins are null.

    From the newest version of `bronze.playoff_bracket`.
    """
    rows = (
        playoff_bracket.select("season", page=decode_page(BracketPage))
        .unnest("page")
        .explode("series")
        .filter(pl.col("series").is_not_null())
        .unnest("series")
        .unique(["season", "seriesLetter"], keep="first", maintain_order=True)
    )
    seeds = {
        f"{seed}_seed_{name}": value
        for seed in SEEDS
        for name, value in (
            ("team_id", pl.col(f"{seed}SeedTeam").struct.field("id")),
            ("team_abbrev", pl.col(f"{seed}SeedTeam").struct.field("abbrev")),
            ("rank", pl.col(f"{seed}SeedRankAbbrev")),
            # the page has 0 for a team that is not known
            ("wins", pl.when(pl.col(f"{seed}SeedTeam").struct.field("id").is_not_null()).then(f"{seed}SeedWins")),
        )
    }
    return rows.select(
        "season",
        series_letter="seriesLetter",
        playoff_round="playoffRound",
        series_title="seriesTitle",
        **seeds,
        winner_team_id="winningTeamId",
    ).select(column.name for column in COLUMNS)


def declare_seed(seed: str, which: str) -> tuple[Column, ...]:
    """Declare the columns of a team in a series."""
    return (
        Column(f"{seed}_seed_team_id", pl.Int32, f"Team id of the {which} seed", nullable=True),
        Column(f"{seed}_seed_team_abbrev", pl.String, f"Three-letter code of the {which} seed", nullable=True),
        Column(
            f"{seed}_seed_rank",
            pl.String,
            f"Rank of the {which} seed: D1 to D3 in its division, WC1 and WC2 wild cards; only in the first round",
            nullable=True,
        ),
        Column(f"{seed}_seed_wins", pl.Int16, f"Games that the {which} seed has won", nullable=True),
    )


COLUMNS = (
    c.season,
    Column("series_letter", pl.String, "Letter of the series: A to H in the first round, O the final"),
    Column("playoff_round", pl.Int16, "Round: 1 to 4", nullable=True),
    Column("series_title", pl.String, "Name of the round, as the NHL has it", nullable=True),
    *(column for seed, which in SEEDS.items() for column in declare_seed(seed, which)),
    Column("winner_team_id", pl.Int32, "Team id of the winner; null until the series is over", nullable=True),
)
WINS = [pl.col(f"{seed}_seed_wins") for seed in SEEDS]

PLAYOFF_SERIES = Table(
    name="silver.playoff_series",
    grain="one series of a season's playoffs",
    key=("season", "series_letter"),
    columns=COLUMNS,
    chunk_key="season",
    inputs=(PLAYOFF_BRACKET,),
    page_structs={PLAYOFF_BRACKET: (BracketPage,)},
    source=playoff_series,
    checks={
        "a series has two different teams": (pl.col("top_seed_team_id") != pl.col("bottom_seed_team_id")).fill_null(
            value=True
        ),
        "no team has negative wins": pl.all_horizontal((wins >= 0).fill_null(value=True) for wins in WINS),
        "the winner plays in the series": (
            pl.col("winner_team_id").is_null()
            | (pl.col("winner_team_id") == pl.col("top_seed_team_id")).fill_null(value=False)
            | (pl.col("winner_team_id") == pl.col("bottom_seed_team_id")).fill_null(value=False)
        ),
    },
)
