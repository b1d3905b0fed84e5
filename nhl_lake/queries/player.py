"""A player: find them by name, and summarize their last games and seasons."""

import unicodedata
from difflib import SequenceMatcher
from typing import Any, NamedTuple

import polars as pl

from nhl_lake.catalog import find_table
from nhl_lake.gold.goalie_game import SAVED_ABOVE
from nhl_lake.gold.goalie_season import GOALIE_SEASON
from nhl_lake.gold.measures.shrinkage import list_names
from nhl_lake.gold.measures.situations import ALL_SITUATIONS, compute_share
from nhl_lake.gold.measures.stint_xg import REGULAR_SEASON
from nhl_lake.gold.skater_rapm import NET, SKATER_RAPM
from nhl_lake.gold.skater_season import ABOVE, SKATER_SEASON
from nhl_lake.hockey.names import format_full_name
from nhl_lake.queries.official_lines import (
    GOALIE_XG,
    ON_ICE_XG,
    SKATER_XG,
    add_goalie_xg,
    add_skater_xg,
    scan_goalie_lines,
    scan_skater_lines,
)
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

LETTER_REPLACEMENTS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"})
MIN_LIKENESS = 0.75
MAX_SUGGESTIONS = 3
TIME_COLUMN = "time_on_ice_s"
SKATER_COLUMNS = ("goals", "assists", "shots_on_goal", *SKATER_XG, *ON_ICE_XG, TIME_COLUMN)
GOALIE_COLUMNS = ("saves", "shots_against", "goals_against", *GOALIE_XG, TIME_COLUMN)


class PlayerSummary(NamedTuple):
    """A player: a row of silver.players, their last games, a row a season, and a row a season of goals above expected.

    Figures are those of the box scores; without one they are counted from the plays. On-ice xG is at 5on5.
    """

    player: dict[str, Any]
    games: pl.DataFrame
    seasons: pl.DataFrame
    above_expected: pl.DataFrame


def find_players(root: Location, name: str) -> pl.DataFrame:
    """Return the players who match a name, a part of it, or an id; capitals and accents do not matter.

    If the words are the complete names of some players, only these are returned. Columns are those of silver.players.
    """
    players = read_players(root)
    if name.isdecimal():
        return players.filter(pl.col("player_id") == int(name))
    words = fold_text(name).split()
    names = list_folded_names(players)
    exact = pl.Series([set(words) <= set(text.split()) for text in names], dtype=pl.Boolean)
    partial = pl.Series([all(has_word_start(word, text) for word in words) for text in names], dtype=pl.Boolean)
    return players.filter(exact if exact.any() else partial) if words else players.clear()


def read_players(root: Location) -> pl.DataFrame:
    """Return every player: those with a page of their own, then those who are only on pages of games."""
    players = delta_tables.scan_table(root, find_table("silver.players"))
    names = ("first_name", "last_name")
    listed = (
        delta_tables.scan_table(root, find_table("silver.lineups"))
        .filter(pl.any_horizontal(pl.col(*names).is_not_null()))
        .group_by("player_id")
        .agg(pl.col(*names, "position").sort_by("game_id").drop_nulls().last())
        .join(players, on="player_id", how="anti")
    )
    return pl.concat([players, listed], how="diagonal").sort("player_id").collect()


def suggest_players(root: Location, name: str) -> list[str]:
    """Return the players with the most similar names, with their ids: "Connor McDavid (8478402)"."""
    players = read_players(root).with_columns(player=format_full_name()).filter(pl.col("player").is_not_null())
    folded = list_folded_names(players)
    last = [text.split()[-1] for text in folded]
    wanted = fold_text(name)
    likeness = [
        max(SequenceMatcher(None, wanted, text).ratio(), SequenceMatcher(None, wanted, surname).ratio())
        for text, surname in zip(folded, last, strict=True)
    ]
    found = players.with_columns(likeness=pl.Series(likeness, dtype=pl.Float64))
    near = found.filter(pl.col("likeness") >= MIN_LIKENESS).sort("likeness", "player_id", descending=[True, False])
    return [
        f"{player} ({number})" for player, number in near.head(MAX_SUGGESTIONS).select("player", "player_id").rows()
    ]


def list_folded_names(players: pl.DataFrame) -> list[str]:
    """Return the full names of players, as `fold_text` returns them."""
    return [fold_text(name or "") for name in players.select(format_full_name()).to_series()]


def has_word_start(word: str, text: str) -> bool:
    """Whether a text has a word that begins with `word`."""
    return f" {word}" in f" {text}"


def fold_text(text: str) -> str:
    """Return a text in lower case, without accents and hyphens."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(LETTER_REPLACEMENTS))
    return "".join(c for c in plain if not unicodedata.combining(c)).replace("-", " ").replace(".", "")


def summarize_player(root: Location, player: dict[str, Any], last: int) -> PlayerSummary:
    """Return a player's last games, the newest first, and their seasons, as goalie or as skater.

    A player's page may give another position than their games do. It decides only if they have games as both.
    """
    kinds = [
        (add_goalie_xg(root, scan_goalie_lines(root)), GOALIE_COLUMNS),
        (add_skater_xg(root, scan_skater_lines(root)), SKATER_COLUMNS),
    ]
    found = [(read_player_games(root, lines, player["player_id"]), counted) for lines, counted in kinds]
    by_position = found if player["position"] == "G" else found[::-1]
    rows, counted = next((one for one in by_position if not one[0].is_empty()), by_position[0])
    above_expected = read_above_expected(
        root, player["player_id"], GOALIE_SEASON if counted is GOALIE_COLUMNS else None
    )
    games, seasons = format_player_games(rows.head(last), counted), summarize_seasons(rows, counted)
    return PlayerSummary(player, games, seasons, above_expected)


def read_above_expected(root: Location, player_id: int, of_goalies: Table | None) -> pl.DataFrame:
    """One row per regular season with xG: goals above expected, calibrated and shrunk, with the interval.

    For skaters also the effect on xG at 5on5 (gold.skater_rapm), null without shifts. For goalies it is goals saved.
    """
    table = of_goalies or SKATER_SEASON
    above = SAVED_ABOVE if of_goalies else ABOVE
    _, calibrated, shrunk, low, high = list_names(above)
    if not {*list_names(above)} <= set(delta_tables.scan_table(root, table).collect_schema()):
        return pl.DataFrame()  # of an older release, until the next rebuild
    own = pl.col("player_id") == player_id, pl.col("game_type") == REGULAR_SEASON
    rows = (
        delta_tables.scan_table(root, table)
        .filter(*own, pl.col("is_total"), pl.col("situation") == ALL_SITUATIONS, pl.col(shrunk).is_not_null())
        .select("season", above=calibrated, shrunk=shrunk, low=low, high=high)
    )
    if of_goalies is None:
        effects = delta_tables.scan_table_or_empty(root, SKATER_RAPM).filter(*own, pl.col("situation") == "5on5")
        named = {"effect": NET, "effect_low": f"{NET}_low", "effect_high": f"{NET}_high"}
        rows = rows.join(effects.select("season", **named), on="season", how="left", validate="1:1")
    return rows.sort("season", descending=True).collect()


def read_player_games(root: Location, lines: pl.LazyFrame, player_id: int) -> pl.DataFrame:
    """Return a player's lines with the games, the newest first."""
    own = lines.filter(pl.col("player_id") == player_id).join(scan_games(root), on="game_id", validate="m:1")
    return own.sort("start_at", "game_id", descending=True).collect()


def scan_games(root: Location) -> pl.LazyFrame:
    """Return the columns of each game that a player's line needs: day, start, teams and score."""
    about = ["game_id", "game_date", "start_at", "home_team_id", "home_score", "away_score", "last_period_type"]
    return delta_tables.scan_table(root, find_table("silver.games")).select(
        *about, "home_team_abbrev", "away_team_abbrev"
    )


def format_player_games(rows: pl.DataFrame, counted: tuple[str, ...]) -> pl.DataFrame:
    """One row per game: the day, the opponent, the result and the player's statistics."""
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
    return rows.with_columns(**about).select("game_date", "game_id", *about, *counted).pipe(share_on_ice_xg)


def summarize_seasons(rows: pl.DataFrame, counted: tuple[str, ...]) -> pl.DataFrame:
    """One row per season and game type: teams in order, games, totals, and ice time per game.

    A statistic that is unknown in one game is unknown for its season.
    """
    team = pl.when("is_home").then("home_team_abbrev").otherwise("away_team_abbrev")
    sums = [
        pl.when(pl.col(name).is_not_null().all()).then(
            pl.col(name).mean() if name == TIME_COLUMN else pl.col(name).sum()
        )
        for name in counted
    ]
    named = [
        column.alias("time_on_ice_per_game_s" if name == TIME_COLUMN else name)
        for name, column in zip(counted, sums, strict=True)
    ]
    return (
        rows.sort("start_at", "game_id")
        .group_by("season", "game_type", maintain_order=True)
        .agg(team.unique(maintain_order=True).str.join(", ").alias("teams"), pl.len().alias("games"), *named)
        .sort("season", "game_type", descending=True)
        .pipe(share_on_ice_xg)
    )


def share_on_ice_xg(rows: pl.DataFrame) -> pl.DataFrame:
    """Replace the on-ice xG for and against of skaters by the share of both."""
    if ON_ICE_XG[0] not in rows.columns:
        return rows
    shares = rows.with_columns(compute_share(*ON_ICE_XG).alias(ON_ICE_XG[0]))
    return shares.drop(ON_ICE_XG[1]).rename({ON_ICE_XG[0]: "on_ice_xg_share"})
