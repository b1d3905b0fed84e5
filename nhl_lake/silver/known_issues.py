"""Known issues: what is wrong with the NHL's own pages of some games, and what becomes of it here."""

from typing import NamedTuple

import polars as pl

from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Table


class Issue(NamedTuple):
    """Something that is wrong with the pages of a game, or of all games between two ids."""

    first: int
    last: int
    issue: str
    symptom: str
    handling: str
    source: str


def declare_issues(games: tuple[int, ...], issue: str, symptom: str, handling: str, source: str) -> tuple[Issue, ...]:
    """Declare one issue of several games."""
    return tuple(Issue(game, game, issue, symptom, handling, source) for game in games)


NHL_EDGE = "nhl-edge, docs/data-sources.md (2026-09-29)"
NHL_EDGE_CODE = "nhl-edge, notes on its shots and faceoffs tables"
NHLDATA = "oiler/nhldata, docs/data-limitations.md"
KNOWN_PROBS = "known_probs, a list that public scrapers share"
SHIFT_ARCHIVE = "An archive of all shift charts of 2007-08 to 2025-26, fetched by others in September 2026"

NO_SHIFTS = "no shifts"

ISSUES = (
    Issue(
        2024021235,
        2024021291,
        "empty shift chart",
        "The shift chart of 8 to 15 April 2025 is an empty list, and stays so",
        "Shifts are read from the HTML reports of both teams",
        f"{NHL_EDGE}; {SHIFT_ARCHIVE}",
    ),
    *declare_issues(
        (2013020971,),
        "empty shift chart",
        "The shift chart has one row, of a goal",
        "Shifts are read from the HTML reports of both teams",
        f"{NHL_EDGE}; {SHIFT_ARCHIVE}",
    ),
    *declare_issues(
        (2007020011, 2008020259, 2008020409, 2008021077, 2008030311, 2009020081, 2009020658, 2009020885),
        NO_SHIFTS,
        "Neither the shift chart nor the HTML reports have shifts",
        "The game has no shifts here, and nothing that follows from them",
        f"{SHIFT_ARCHIVE}; {KNOWN_PROBS}",
    ),
    *declare_issues(
        (2022020041, 2021020513),
        "repeated shifts",
        "The shift chart lists shifts twice under other ids or numbers",
        "A shift is known by player, period, start and end; it counts once",
        NHL_EDGE,
    ),
    *declare_issues(
        (2021020513,),
        "foreign shifts",
        "The shift chart lists shifts again under teams that did not play",
        "Shifts count for the team that the player dressed for",
        NHL_EDGE,
    ),
    *declare_issues(
        (2021020014, 2021020326, 2021020416, 2021020427, 2021020452, 2021021028, 2021021189),
        "defective shift report",
        "Rows of the HTML shift report do not add up to the total that it prints; a new fetch gives the same bytes",
        "Nothing is repaired; the report is only read if the shift chart is empty",
        NHLDATA,
    ),
    *declare_issues(
        (2019020249, 2019020256),
        "side of the ice flipped",
        "Places and the side that the home team defends contradict each other all game",
        "Places are turned by where the shots of the period went: coordinates_source is inferred",
        NHL_EDGE_CODE,
    ),
    *declare_issues(
        (2020020175,),
        "side of the ice flipped",
        "Places and the side that the home team defends contradict each other in one period",
        "Places are turned by where the shots of the period went: coordinates_source is inferred",
        NHL_EDGE_CODE,
    ),
    *declare_issues(
        (2010020124, 2013020971),
        "situation code missing",
        "Shots stand without a situation code, 22 in both games",
        "The situation of these shots is null",
        NHL_EDGE_CODE,
    ),
    *declare_issues(
        (2013020971, 2019020876),
        "resumed game",
        "The game was stopped for a player's heart, and played anew weeks later from the score that stood; "
        "who scored or assisted before it was stopped did not dress again",
        "Nothing is repaired: events and line-ups are as the page says",
        KNOWN_PROBS,
    ),
    *declare_issues(
        (2019030002, 2019030016),
        "round robin",
        "The id is one of the playoffs; overtime and shoot-out were those of the regular season",
        "Rules follow from what the page says of its periods, not from the id",
        "Readers of the API; the league's rules for the summer of 2020",
    ),
)


def known_issues() -> pl.LazyFrame:
    """One row a game and an issue that its pages are known to have. Declared by hand, from what others have reported.

    Empty shift charts of the last days are no issue: they are asked for again. A table that cannot read a page puts
    the game aside by itself, in `silver.refusals`.
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
    Column("issue", pl.String, "Kind of the issue, in a few words"),
    Column("symptom", pl.String, "What is seen on the page"),
    Column("handling", pl.String, "What nhl-lake does about it"),
    Column("source", pl.String, "Who reported it"),
)

KNOWN_ISSUES = Table(
    name="silver.known_issues",
    grain="one game and one issue that its pages are known to have",
    key=("game_id", "issue"),
    columns=COLUMNS,
    partition=None,
    source=known_issues,
)
