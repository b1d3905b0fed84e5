"""Checks of a game's pages: invalid fields and rows, and players with missing or contradicting data."""

from collections.abc import Callable

import msgspec
import polars as pl

from nhl_lake.bronze.endpoints import BOXSCORE, PLAY_BY_PLAY, RIGHT_RAIL, SHIFT_CHARTS
from nhl_lake.bronze.lenient import InvalidValue
from nhl_lake.errors import ValidationFailed
from nhl_lake.hockey.calendar import FINAL_STATES
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Table, collect_page_structs
from nhl_lake.silver import lineups
from nhl_lake.silver.goalie_games import GOALIE_GAMES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.listed_shifts import LISTED_SHIFTS
from nhl_lake.silver.officials import OFFICIALS
from nhl_lake.silver.parsing.pages import decode_custom_type, read_final_pages, read_leniently
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.skater_games import SKATER_GAMES
from nhl_lake.silver.team_games import TEAM_GAMES

# `nhl-lake check` reports the invalid values of what other tables read of pages
PAGE_STRUCTS = collect_page_structs((PLAYS, SKATER_GAMES, GOALIE_GAMES, LINEUPS, OFFICIALS, TEAM_GAMES, LISTED_SHIFTS))
MAX_EXAMPLES = 3  # invalid values listed in a text
GAME_KEY = ("season", "game_id")


def check_pages(
    play_by_play: pl.LazyFrame,
    boxscore: pl.LazyFrame,
    right_rail: pl.LazyFrame,
    shift_charts: pl.LazyFrame,
    lineups: pl.LazyFrame,
    skater_games: pl.LazyFrame,
) -> pl.LazyFrame:
    """One row per check that a final game's pages do not pass: an invalid field or row, or incomplete data of a player.

    In silver an invalid field is null, and an invalid row is left out.
    """
    frames = {PLAY_BY_PLAY: play_by_play, BOXSCORE: boxscore, RIGHT_RAIL: right_rail, SHIFT_CHARTS: shift_charts}
    invalid = [find_invalid_values(frames[table], table) for table in PAGE_STRUCTS]
    return pl.concat([*invalid, find_inconsistent_players(play_by_play, lineups, skater_games)])


def find_invalid_values(pages: pl.LazyFrame, table: Table) -> pl.LazyFrame:
    """Return one row per game with invalid fields, and one per game with invalid rows: how many, and which."""
    values = ("field", "warning", False), ("row", "error", True)
    found = pages.filter(pl.col("state").is_in(FINAL_STATES)).select(
        *GAME_KEY,
        pl.col("body").map_batches(
            lambda bodies: describe_invalid_values(bodies, PAGE_STRUCTS[table]), return_dtype=TEXTS_DTYPE
        ),
    )
    return pl.concat(
        found.select(
            *GAME_KEY,
            check=pl.lit(f"every {what} of {table.name} is valid"),
            severity=pl.lit(severity),
            expected=pl.lit(None, pl.String),
            actual=pl.col("body").struct.field("rows" if is_row else "fields"),
        ).filter(pl.col("actual").is_not_null())
        for what, severity, is_row in values
    )


TEXTS_DTYPE = pl.Struct({"fields": pl.String, "rows": pl.String})


def describe_invalid_values(bodies: pl.Series, kinds: tuple[type[msgspec.Struct], ...]) -> pl.Series:
    """Return a text on the invalid fields and one on the invalid rows of each page."""
    decoders = [(kind, msgspec.json.Decoder(kind, dec_hook=decode_custom_type).decode) for kind in kinds]
    found = (
        [*dict.fromkeys(value for kind, decode in decoders for value in list_invalid_values(body, kind, decode))]
        for body in bodies
    )
    texts = [
        {
            "fields": format_invalid_values([value for value in values if not value.is_row]),
            "rows": format_invalid_values([value for value in values if value.is_row]),
        }
        for values in found
    ]
    return pl.Series(bodies.name, texts, TEXTS_DTYPE)


def list_invalid_values(body: str, kind: type[msgspec.Struct], decode: Callable[[str], object]) -> list[InvalidValue]:
    """Return the invalid values of a page. A page that cannot be read has none here: its game is quarantined."""
    try:
        decode(body)
    except msgspec.ValidationError:
        try:
            return read_leniently(body, kind)[1]
        except ValidationFailed:
            return []
    except msgspec.DecodeError:
        return []
    return []


def format_invalid_values(values: list[InvalidValue]) -> str | None:
    """Return how many values are invalid, and some of them; None without any."""
    examples = "; ".join(f"{value.path} {value.reason}" for value in values[:MAX_EXAMPLES])
    return f"{len(values)}: {examples}" if values else None


def find_inconsistent_players(
    play_by_play: pl.LazyFrame, lines: pl.LazyFrame, skater_games: pl.LazyFrame
) -> pl.LazyFrame:
    """Return one row per game and check that some of its dressed players do not pass, with their ids."""
    pages = play_by_play.join(lines, on="game_id", how="semi")  # only games that have a lineup
    spots = (
        read_final_pages(pages, lineups.DressedPage, "game_id")
        .select(pl.col("season").cast(c.season.dtype), "game_id", spot="rosterSpots")
        .explode("spot")
        .filter(pl.col("spot").is_not_null())
        .select(*GAME_KEY, player_id=pl.col("spot").struct.field("playerId"))
        .cache()
    )
    dressed = lines.filter(~pl.col("is_scratched"))
    rules = {
        "every dressed player is listed once": ("warning", spots.filter(pl.len().over("game_id", "player_id") > 1)),
        "every dressed player has a team": ("error", spots.join(dressed, on=["game_id", "player_id"], how="anti")),
        "every dressed player has a position": ("warning", dressed.filter(pl.col("position").is_null())),
    }
    is_sum = pl.col("points") == pl.col("goals") + pl.col("assists")
    rules["every skater's points are goals plus assists"] = ("warning", skater_games.filter(~is_sum))
    return pl.concat(
        players.group_by(*GAME_KEY)
        .agg(ids=pl.col("player_id").unique().sort().cast(pl.String))
        .select(
            *GAME_KEY,
            check=pl.lit(rule),
            severity=pl.lit(severity),
            expected=pl.lit(None, pl.String),
            actual=pl.format("{}: {}", pl.col("ids").list.len(), pl.col("ids").list.head(MAX_EXAMPLES).list.join(" ")),
        )
        for rule, (severity, players) in rules.items()
    )
