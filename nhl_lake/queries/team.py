"""A team: its season by month, and its last games."""

from difflib import get_close_matches
from typing import NamedTuple, NoReturn

import polars as pl

from nhl_lake.catalog import find_table
from nhl_lake.errors import BadInput
from nhl_lake.gold.measures.situations import ALL_SITUATIONS, EVEN_SITUATION, compute_share
from nhl_lake.hockey.ids import format_season
from nhl_lake.hockey.results import RESULT_CODES
from nhl_lake.queries.coverage import describe_seasons
from nhl_lake.queries.player import fold_text, has_word_start, scan_games
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

MIN_NAME = 5  # a shorter text may be meant as the letters of a team


class TeamSummary(NamedTuple):
    """A team's regular season by the NHL's own statistics: one row per month, and the last games."""

    season: int
    months: pl.DataFrame
    games: pl.DataFrame


def summarize_team(root: Location, abbrev: str, season: int | None, last: int) -> TeamSummary:
    """Return a team's months and last games in a season, the newest that has any by default."""
    is_own = pl.when("is_home").then("home_team_abbrev").otherwise("away_team_abbrev") == abbrev.upper()
    regular = delta_tables.scan_table(root, find_table("silver.team_games")).filter(pl.col("game_type") == 2)
    against = regular.select("game_id", opponent_team_id="team_id", goals_against="goals")
    lines = (
        regular.join(scan_games(root), on="game_id", validate="m:1", suffix="_of_game")
        .join(against, on=["game_id", "opponent_team_id"], validate="1:1")
        .filter(is_own)
        .pipe(add_team_xg, root)
        .sort("start_at", "game_id")
        .collect()
    )
    if lines.is_empty():
        raise_without_games(root, abbrev)
    seasons = lines["season"].unique().sort(descending=True).to_list()
    if season is not None and season not in seasons:
        raise BadInput(
            f"The lake has no regular-season games of {abbrev.upper()} in {format_season(season)}.",
            f"It has those of {describe_seasons(seasons)}.",
        )
    chosen = season if season is not None else lines["season"].max()
    own = lines.filter(pl.col("season") == chosen)
    return TeamSummary(int(str(chosen)), summarize_months(own), format_team_games(own.tail(last).reverse()))


def add_team_xg(lines: pl.LazyFrame, root: Location) -> pl.LazyFrame:
    """Add the team's xG and its opponent's, and both at 5on5."""
    key = ["game_id", "team_id"]
    for situation, suffix in ((ALL_SITUATIONS, ""), (EVEN_SITUATION, "_5on5")):
        rows = delta_tables.scan_table(root, find_table("gold.team_game")).filter(pl.col("situation") == situation)
        names = {f"xg{suffix}": "xg", f"xg{suffix}_against": "xg_against"}
        lines = lines.join(rows.select(*key, **names), on=key, how="left", validate="1:1")
    return lines


def raise_without_games(root: Location, abbrev: str) -> NoReturn:
    """Raise the error for a team without regular-season games in the lake."""
    name = require_known_team(root, abbrev)
    raise BadInput(
        f"The lake has no regular-season games of {abbrev.upper()} ({name}).",
        "`nhl-lake status` shows which seasons the lake has.",
    )


def require_known_team(root: Location, abbrev: str) -> str | None:
    """Return the name of the team with these letters; raise if there is none, and suggest similar letters and names."""
    teams = delta_tables.scan_table(root, find_table("silver.teams")).sort(
        "last_season", descending=True, nulls_last=True
    )
    names: dict[str, str | None] = dict(
        teams.select("team_abbrev", "team_name").unique("team_abbrev", maintain_order=True).collect().rows()
    )
    if (letters := abbrev.upper()) in names:
        return names[letters]
    wanted, played = fold_text(abbrev), teams.filter(pl.col("last_season").is_not_null()).collect()["team_abbrev"]
    folded = {letters: fold_text(names[letters] or "") for letters in played.unique(maintain_order=True)}
    near = [letters for letters, name in folded.items() if wanted and has_word_start(wanted, name)]
    near += [a for a, name in folded.items() if get_close_matches(wanted, list_phrases(name), n=1, cutoff=0.8)]
    near += get_close_matches(letters, folded, n=2) if len(letters) < MIN_NAME else []
    meant = " or ".join(f"{letters} ({names[letters]})" for letters in list(dict.fromkeys(near))[:3])
    raise BadInput(
        f"There is no team '{abbrev}' in the lake.",
        f"Did you mean {meant}?" if meant else "`nhl-lake show silver.teams` lists the teams with their three letters.",
    )


def list_phrases(name: str) -> list[str]:
    """Return the runs of words in a name: of a place with two words, its nickname, and the whole."""
    words = name.split()
    return [" ".join(words[first:end]) for end in range(1, len(words) + 1) for first in range(end)]


def summarize_months(lines: pl.DataFrame) -> pl.DataFrame:
    """One row per month: record, goals, power play, share of xG at 5on5. Null if unknown in one of the games."""
    is_known = pl.col("power_play_opportunities").is_not_null().all()
    scored, had = (pl.col(f"power_play_{name}").sum() for name in ("goals", "opportunities"))
    has_xg = pl.col("xg_5on5").is_not_null().all()
    return (
        lines.group_by(month=pl.col("game_date").dt.strftime("%Y-%m"), maintain_order=True)
        .agg(
            pl.len().alias("games"),
            *((pl.col("result") == result).sum().alias(name) for name, result in RESULT_CODES.items()),
            pl.col("goals").sum(),
            pl.col("goals_against").sum(),
            pl.when(is_known).then(scored).alias("power_play_goals"),
            pl.when(is_known).then(had).alias("power_play_opportunities"),
            *(pl.when(has_xg).then(pl.col(name).sum()).alias(name) for name in ("xg_5on5", "xg_5on5_against")),
        )
        .with_columns(
            power_play_share=pl.col("power_play_goals") / pl.col("power_play_opportunities").replace(0, None),
            xg_share=compute_share("xg_5on5", "xg_5on5_against"),
        )
        .drop("xg_5on5", "xg_5on5_against")
    )


def format_team_games(lines: pl.DataFrame) -> pl.DataFrame:
    """One row per game: the day, the opponent, the score, power play, shots on goal, xG for and against."""
    where = pl.when("is_home").then(pl.lit("vs ")).otherwise(pl.lit("at "))
    opponent = where + pl.when("is_home").then("away_team_abbrev").otherwise("home_team_abbrev")
    score = pl.format("{}-{} {}", "score", "opponent_score", "last_period_type")
    power = pl.format("{}/{}", "power_play_goals", "power_play_opportunities")
    about = {"opponent": opponent, "score": score, "power_play": power}
    named = (what.alias(name) for name, what in about.items())
    return lines.select("game_date", "game_id", *named, "shots_on_goal", "xg", "xg_against")
