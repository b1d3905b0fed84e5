"""Fields of a game's pages that are not as declared, and players of whom the pages do not say enough."""

from collections.abc import Callable

import msgspec
import polars as pl

from nhl_lake.bronze.endpoints import BOXSCORE, PLAY_BY_PLAY, RIGHT_RAIL, SHIFT_CHARTS
from nhl_lake.bronze.lenient import InvalidValue
from nhl_lake.errors import ValidationFailed
from nhl_lake.hockey.calendar import FINAL_STATES
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Table
from nhl_lake.silver import lineups, listed_shifts, officials, plays, team_games
from nhl_lake.silver.parsing import boxscore as box_score
from nhl_lake.silver.parsing.pages import PageStruct, decode_custom_type, read_final_pages, read_leniently

PAGE_STRUCTS: dict[Table, tuple[type[PageStruct], ...]] = {
    PLAY_BY_PLAY: (plays.Page, lineups.Page, team_games.Page),
    BOXSCORE: (box_score.Page, lineups.BoxscorePage),
    RIGHT_RAIL: (lineups.RightRailPage, officials.RightRailPage, team_games.RightRailPage),
    SHIFT_CHARTS: (listed_shifts.Chart,),
}
MAX_EXAMPLES = 3  # in a text that says what is odd
GAME_KEY = ("season", "game_id")


def check_pages(
    play_by_play: pl.LazyFrame,
    boxscore: pl.LazyFrame,
    right_rail: pl.LazyFrame,
    shift_charts: pl.LazyFrame,
    lineups: pl.LazyFrame,
    skater_games: pl.LazyFrame,
) -> pl.LazyFrame:
    """One row a rule that a final game's pages break: a field or a row is odd, a dressed player's line says too little.

    Silver has null in place of an odd field, and leaves an odd row out.
    """
    frames = (play_by_play, boxscore, right_rail, shift_charts)
    odd = [find_invalid_values(pages, table) for table, pages in zip(PAGE_STRUCTS, frames, strict=True)]
    return pl.concat([*odd, find_inconsistent_players(play_by_play, lineups, skater_games)])


def find_invalid_values(pages: pl.LazyFrame, table: Table) -> pl.LazyFrame:
    """Return one row a game whose page has odd fields, and one if it has odd rows: how many, and some of them."""
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
            check=pl.lit(f"every {what} of {table.name} is as declared"),
            severity=pl.lit(severity),
            expected=pl.lit(None, pl.String),
            actual=pl.col("body").struct.field("rows" if is_row else "fields"),
        ).filter(pl.col("actual").is_not_null())
        for what, severity, is_row in values
    )


TEXTS_DTYPE = pl.Struct({"fields": pl.String, "rows": pl.String})


def describe_invalid_values(bodies: pl.Series, kinds: tuple[type[PageStruct], ...]) -> pl.Series:
    """Return what is odd in each page, in words: its fields, and its rows."""
    decoders = [(kind, msgspec.json.Decoder(kind, dec_hook=decode_custom_type).decode) for kind in kinds]
    found = (
        [*dict.fromkeys(odd for kind, decode in decoders for odd in list_invalid_values(body, kind, decode))]
        for body in bodies
    )
    texts = [
        {
            "fields": format_invalid_values([o for o in odd if not o.is_row]),
            "rows": format_invalid_values([o for o in odd if o.is_row]),
        }
        for odd in found
    ]
    return pl.Series(bodies.name, texts, TEXTS_DTYPE)


def list_invalid_values(body: str, kind: type[msgspec.Struct], decode: Callable[[str], object]) -> list[InvalidValue]:
    """Return what is odd in a page for a kind. A page that cannot be read is not odd: its game is put aside by name."""
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


def format_invalid_values(odd: list[InvalidValue]) -> str | None:
    """Say how many values are odd, and which; None if there are none."""
    some = "; ".join(f"{one.path} {one.reason}" for one in odd[:MAX_EXAMPLES])
    return f"{len(odd)}: {some}" if odd else None


def find_inconsistent_players(
    play_by_play: pl.LazyFrame, lines: pl.LazyFrame, skater_games: pl.LazyFrame
) -> pl.LazyFrame:
    """Return one row a rule that dressed players of a game break, with their ids."""
    pages = play_by_play.join(lines, on="game_id", how="semi")  # of another the line-up could not be made
    spots = (
        read_final_pages(pages, lineups.Page, "game_id")
        .select(pl.col("season").cast(c.season.dtype), "game_id", spot="rosterSpots")
        .explode("spot")
        .filter(pl.col("spot").is_not_null())
        .select(*GAME_KEY, player_id=pl.col("spot").struct.field("playerId"))
        .cache()
    )
    dressed = lines.filter(~pl.col("is_scratched"))
    rules = {
        "every dressed player is listed once": ("warning", spots.filter(pl.len().over("game_id", "player_id") > 1)),
        "every dressed player is of a team": ("error", spots.join(dressed, on=["game_id", "player_id"], how="anti")),
        "every dressed player has a position": ("warning", dressed.filter(pl.col("position").is_null())),
    }
    is_sum = pl.col("points") == pl.col("goals") + pl.col("assists")
    rules["every skater's points are goals and assists"] = ("warning", skater_games.filter(~is_sum))
    return pl.concat(
        bad.group_by(*GAME_KEY)
        .agg(ids=pl.col("player_id").unique().sort().cast(pl.String))
        .select(
            *GAME_KEY,
            check=pl.lit(rule),
            severity=pl.lit(severity),
            expected=pl.lit(None, pl.String),
            actual=pl.format("{}: {}", pl.col("ids").list.len(), pl.col("ids").list.head(MAX_EXAMPLES).list.join(" ")),
        )
        for rule, (severity, bad) in rules.items()
    )
