"""A player: who is meant by a name, his last games and his seasons."""

import unicodedata
from typing import Any, NamedTuple

import polars as pl

from nhl_lake.catalog import find_table
from nhl_lake.hockey.names import format_full_name
from nhl_lake.queries.official_lines import scan_goalie_lines, scan_skater_lines
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

LETTER_REPLACEMENTS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"})
TIME_COLUMN = "time_on_ice_s"
SKATER_COLUMNS = ("goals", "assists", "shots_on_goal", TIME_COLUMN)
GOALIE_COLUMNS = ("saves", "shots_against", "goals_against", TIME_COLUMN)


class PlayerSummary(NamedTuple):
    """What is known of a player: a row of silver.players, his last games, and a row a season.

    Games are told by the box scores, or where there is none by the plays.
    """

    player: dict[str, Any]
    games: pl.DataFrame
    seasons: pl.DataFrame


def find_players(root: Location, name: str) -> pl.DataFrame:
    """Return the players whom a name or an id may mean: capitals and accents do not matter, and parts will do.

    Where the words are somebody's names, those are meant who have them, and not those whose names go on.
    """
    players = delta_tables.scan_table(root, find_table("silver.players")).sort("player_id").collect()
    if name.isdecimal():
        return players.filter(pl.col("player_id") == int(name))
    wanted = fold_text(name).split()
    full = [fold_text(name or "") for name in players.select(format_full_name()).to_series()]
    whole = pl.Series([set(wanted) <= set(text.split()) for text in full], dtype=pl.Boolean)
    part = pl.Series([all(has_word_start(word, text) for word in wanted) for text in full], dtype=pl.Boolean)
    return players.filter(whole if whole.any() else part) if wanted else players.clear()


def has_word_start(word: str, text: str) -> bool:
    """Whether a word of a text begins with a word."""
    return f" {word}" in f" {text}"


def fold_text(text: str) -> str:
    """Return a text without capitals, accents and hyphens."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(LETTER_REPLACEMENTS))
    return "".join(c for c in plain if not unicodedata.combining(c)).replace("-", " ").replace(".", "")


def summarize_player(root: Location, player: dict[str, Any], last: int) -> PlayerSummary:
    """Return a player's last games, the newest first, and his seasons: as goalie or as skater, whichever he played as.

    The page of a player may say another position than that of his games: it decides only where both would do.
    """
    kinds = [(scan_goalie_lines(root), GOALIE_COLUMNS), (scan_skater_lines(root), SKATER_COLUMNS)]
    found = [(read_player_games(root, lines, player["player_id"]), counted) for lines, counted in kinds]
    as_page_says = found if player["position"] == "G" else found[::-1]
    rows, counted = next((one for one in as_page_says if not one[0].is_empty()), as_page_says[0])
    return PlayerSummary(player, format_player_games(rows.head(last), counted), summarize_seasons(rows, counted))


def read_player_games(root: Location, lines: pl.LazyFrame, player_id: int) -> pl.DataFrame:
    """Return a player's lines beside the games that they are of, the newest first."""
    own = lines.filter(pl.col("player_id") == player_id).join(scan_games(root), on="game_id", validate="m:1")
    return own.sort("start_at", "game_id", descending=True).collect()


def scan_games(root: Location) -> pl.LazyFrame:
    """Read of each game what stands beside a player's line."""
    about = ["game_id", "game_date", "start_at", "home_team_id", "home_score", "away_score", "last_period_type"]
    return delta_tables.scan_table(root, find_table("silver.games")).select(
        *about, "home_team_abbrev", "away_team_abbrev"
    )


def format_player_games(rows: pl.DataFrame, counted: tuple[str, ...]) -> pl.DataFrame:
    """One row a game: the day, the opponent, how it ended, and what he did."""
    own, other = ("home", "away"), ("away", "home")
    team, opponent, ours, theirs = (
        pl.when("is_home").then(f"{sides[0]}_{what}").otherwise(f"{sides[1]}_{what}")
        for what, sides in (("team_abbrev", own), ("team_abbrev", other), ("score", own), ("score", other))
    )
    beyond = (
        pl.when(pl.col("last_period_type") == "REG")
        .then(pl.lit(""))
        .otherwise(pl.lit(" ") + pl.col("last_period_type"))
    )
    outcome = pl.when(ours > theirs).then(pl.lit("W")).when(ours < theirs).then(pl.lit("L")).otherwise(pl.lit("T"))
    where = pl.when("is_home").then(pl.lit("vs ")).otherwise(pl.lit("at "))
    result = pl.format("{} {}-{}{}", outcome, ours, theirs, beyond)
    about = {"team": team, "opponent": where + opponent, "result": result}
    return rows.with_columns(**about).select("game_date", "game_id", *about, *counted)


def summarize_seasons(rows: pl.DataFrame, counted: tuple[str, ...]) -> pl.DataFrame:
    """One row a season and game type: his teams in order, games, sums, and the ice time a game.

    What a game does not tell is unknown of its season too.
    """
    team = pl.when("is_home").then("home_team_abbrev").otherwise("away_team_abbrev")
    sums = [
        pl.when(pl.col(name).is_not_null().all()).then(
            pl.col(name).mean() if name == TIME_COLUMN else pl.col(name).sum()
        )
        for name in counted
    ]
    kept = [
        column.alias("time_on_ice_per_game_s" if name == TIME_COLUMN else name)
        for name, column in zip(counted, sums, strict=True)
    ]
    return (
        rows.sort("start_at", "game_id")
        .group_by("season", "game_type", maintain_order=True)
        .agg(team.unique(maintain_order=True).str.join(", ").alias("teams"), pl.len().alias("games"), *kept)
        .sort("season", "game_type", descending=True)
    )
