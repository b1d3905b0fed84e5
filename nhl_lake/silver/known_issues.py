"""Known issues: errors on the NHL's own pages of some games, and how nhl-lake handles them."""

from typing import NamedTuple

import polars as pl

from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table


class Issue(NamedTuple):
    """An error on the pages of a game, or of all games between two ids."""

    first: int
    last: int
    issue: str
    symptom: str
    handling: str
    source: str


def declare_issues(games: tuple[int, ...], issue: str, symptom: str, handling: str, source: str) -> tuple[Issue, ...]:
    """Declare the same issue for several games."""
    return tuple(Issue(game, game, issue, symptom, handling, source) for game in games)


NHL_EDGE = "nhl-edge, docs/data-sources.md (2026-09-29)"
NHL_EDGE_CODE = "nhl-edge, notes on its shots and faceoffs tables"
NHLDATA = "oiler/nhldata, docs/data-limitations.md"
KNOWN_PROBS = "known_probs, a list that public scrapers share"
SHIFT_ARCHIVE = "A public archive of all shift charts of 2007-08 to 2025-26, fetched in September 2026"

NO_SHIFTS = "no shifts"

ISSUES = (
    Issue(
        2024021235,
        2024021291,
        "empty shift chart",
        "The shift charts of 8 to 15 April 2025 are empty lists, permanently",
        "Shifts are read from the HTML reports of both teams",
        f"{NHL_EDGE}; {SHIFT_ARCHIVE}",
    ),
    *declare_issues(
        (2013020971,),
        "empty shift chart",
        "The shift chart has a single row, for a goal",
        "Shifts are read from the HTML reports of both teams",
        f"{NHL_EDGE}; {SHIFT_ARCHIVE}",
    ),
    *declare_issues(
        (2007020011, 2008020259, 2008020409, 2008021077, 2008030311, 2009020081, 2009020658, 2009020885),
        NO_SHIFTS,
        "Neither the shift chart nor the HTML reports have shifts",
        "The game has no shifts in the lake, and nothing that depends on them",
        f"{SHIFT_ARCHIVE}; {KNOWN_PROBS}",
    ),
    *declare_issues(
        (2022020041, 2021020513),
        "repeated shifts",
        "The shift chart lists shifts twice, with different ids or numbers",
        "A shift is identified by player, period, start and end; it counts once",
        NHL_EDGE,
    ),
    *declare_issues(
        (2021020513,),
        "foreign shifts",
        "The shift chart repeats shifts under teams that did not play in the game",
        "Shifts count for the team that the player dressed for",
        NHL_EDGE,
    ),
    *declare_issues(
        (2021020014, 2021020326, 2021020416, 2021020427, 2021020452, 2021021028, 2021021189),
        "defective shift report",
        "Rows of the HTML shift report do not add up to its printed total; fetching it again gives the same page",
        "Nothing is repaired; the report is only used if the shift chart is empty or incomplete",
        NHLDATA,
    ),
    *declare_issues(
        (2019020249, 2019020256),
        "side of the ice flipped",
        "Locations contradict the side that the home team defends, in the entire game",
        "The direction of attack is inferred from the shots of the period (coordinates_source)",
        NHL_EDGE_CODE,
    ),
    *declare_issues(
        (2020020175,),
        "side of the ice flipped",
        "Locations contradict the side that the home team defends, in one period",
        "The direction of attack is inferred from the shots of the period (coordinates_source)",
        NHL_EDGE_CODE,
    ),
    *declare_issues(
        (2010020124, 2013020971),
        "situation code missing",
        "Shots have no situation code, 22 in both games",
        "The situation of these shots is null",
        NHL_EDGE_CODE,
    ),
    *declare_issues(
        (2013020971, 2019020876),
        "resumed game",
        "The game was stopped for a player's cardiac emergency and resumed weeks later at the same score; "
        "players who had scored or assisted before did not dress again",
        "Nothing is repaired: events and lineups are those of the page",
        KNOWN_PROBS,
    ),
    *declare_issues(
        (2019030002, 2019030016),
        "round robin",
        "The id is that of a playoff game, but overtime and shootout followed the rules of the regular season",
        "The rules follow from the periods on the page, not from the id",
        "Users of the API; the NHL's rules for the summer of 2020",
    ),
)


def known_issues() -> pl.LazyFrame:
    """One row per game and known issue of its pages. The list is maintained by hand, from public reports.

    Empty shift charts of the last days are not listed, because they are fetched again. A table that cannot read a page
    quarantines the game (`silver.quarantine`).
    """
    issues = pl.LazyFrame(ISSUES, schema=Issue._fields, orient="row")
    return (
        issues.with_columns(game_id=pl.int_ranges("first", pl.col("last") + 1))
        .explode("game_id")
        .select("game_id", "issue", "symptom", "handling", "source", season=SEASON_OF_GAME)
        .select(column.name for column in COLUMNS)
    )


START_YEAR = pl.col("game_id") // 1_000_000
SEASON_OF_GAME = START_YEAR * 10_000 + START_YEAR + 1

COLUMNS = (
    c.season,
    c.game_id,
    Column("issue", pl.String, "Short name of the issue"),
    Column("symptom", pl.String, "What the page shows"),
    Column("handling", pl.String, "How nhl-lake handles it"),
    Column("source", pl.String, "Who reported it"),
)

KNOWN_ISSUES = Table(
    name="silver.known_issues",
    grain="one game and a known issue of its pages",
    key=("game_id", "issue"),
    columns=COLUMNS,
    partition=None,
    source=known_issues,
)
