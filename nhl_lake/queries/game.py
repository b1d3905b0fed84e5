"""A game on one screen: score by period, goals, penalties, goalies, leaders."""

from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

import polars as pl

from nhl_lake.catalog import find_table
from nhl_lake.errors import BadInput
from nhl_lake.gold.measures.situations import compute_share
from nhl_lake.hockey.calendar import FINAL_STATES
from nhl_lake.hockey.ids import format_season, get_game_season, get_game_type
from nhl_lake.hockey.names import format_full_name
from nhl_lake.queries.coverage import describe_game_type, describe_seasons, list_seasons
from nhl_lake.queries.official_lines import (
    GOALIE_XG,
    ON_ICE_XG,
    SKATER_XG,
    add_goalie_xg,
    add_skater_xg,
    scan_goalie_lines,
    scan_skater_lines,
)
from nhl_lake.queries.team import require_known_team
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

LEADER_COUNT = 6
GAME_ID_DIGITS = 10
REGULATION_MINUTES = 60


class GameSummary(NamedTuple):
    """A game: a row of silver.games, and frames, which are empty for a game that is not final."""

    game: dict[str, Any]
    periods: pl.DataFrame  # one row per team and period: goals, shots on goal and xG, without a shootout
    goals: pl.DataFrame
    penalties: pl.DataFrame
    goalies: pl.DataFrame
    leaders: pl.DataFrame
    running_xg: pl.DataFrame  # one row per minute played: minute, away, home; without rows if no attempt has xG


def summarize_game(root: Location, game_id: int) -> GameSummary:
    """Return the summary of a game."""
    game = scan_game(root, "silver.games", game_id).collect()
    if game.is_empty():
        raise_unknown_game(root, game_id)
    xg = scan_game(root, "gold.shots", game_id).select("event_id", "xg")
    plays = scan_plays(root, game_id).join(xg, on="event_id", how="left", maintain_order="left").collect()
    return GameSummary(
        game.row(0, named=True), summarize_periods(plays), list_goals(root, plays), list_penalties(root, plays),
        list_goalies(root, game_id), rank_leaders(root, game_id), sum_running_xg(plays),
    )  # fmt: skip


def raise_unknown_game(root: Location, game_id: int) -> NoReturn:
    """Raise the error for a game that is not in the lake: not an id, another season, or an unused number."""
    seasons = list_seasons(root, "silver.games")
    season = get_game_season(game_id)
    if len(str(game_id)) != GAME_ID_DIGITS:
        raise BadInput(
            f"{game_id} is not a game id.",
            "A game id has ten digits: first year of the season, game type, number, as in 2023020001.",
        )
    if season not in seasons:
        raise BadInput(
            f"There is no game {game_id} in the lake: it has no games of {format_season(season)}.",
            f"It has {describe_seasons(seasons)}. `nhl-lake ingest --season {season // 10_000}` fetches that season.",
        )
    kind = get_game_type(game_id)
    games = delta_tables.scan_table(root, find_table("silver.games")).filter(season=season, game_type=kind)
    first, last = games.select(first=pl.col("game_id").min(), last=pl.col("game_id").max()).collect().row(0)
    what = f"the {describe_game_type(kind)} of {format_season(season)}"
    raise BadInput(
        f"There is no game {game_id} in {what}.",
        f"`nhl-lake show silver.games` lists games; those of {what} are {first} to {last}."
        if first
        else f"The lake has no games of {what}; `nhl-lake show silver.games` lists games.",
    )


def find_last_game(root: Location, team: str | None) -> int:
    """Return the newest final game of the lake, or of a team by its letters."""
    final = delta_tables.scan_table(root, find_table("silver.games")).filter(
        pl.col("game_state").is_in(FINAL_STATES), pl.col("home_score").is_not_null()
    )
    if team is not None:
        final = final.filter(pl.any_horizontal(pl.col("home_team_abbrev", "away_team_abbrev") == team.upper()))
    last = final.sort("start_at", "game_id", descending=True).select("game_id").head(1).collect()
    if not last.is_empty():
        return int(last.item())
    if team is not None:
        require_known_team(root, team)
    whose = "" if team is None else f" of {team.upper()}"
    raise BadInput(f"The lake has no game{whose} that is over.", "`nhl-lake status` shows what it has.")


def scan_game(root: Location, table: str, game_id: int) -> pl.LazyFrame:
    """Return the rows of a game."""
    return delta_tables.scan_table(root, find_table(table)).filter(
        (pl.col("season") == get_game_season(game_id)) & (pl.col("game_id") == game_id)
    )


def scan_plays(root: Location, game_id: int) -> pl.LazyFrame:
    """Return the plays of a game in order, with the acting team's abbreviation; of a shootout only the penalties."""
    counts = (pl.col("period_type") != "SO") | (pl.col("event") == "penalty")
    plays = scan_game(root, "silver.plays", game_id).filter(counts)
    return plays.join(scan_team_abbrevs(root, game_id), left_on="acting_team_id", right_on="team_id", how="left").sort(
        "event_number"
    )


def scan_team_abbrevs(root: Location, game_id: int) -> pl.LazyFrame:
    """Return the abbreviations of both teams of a game."""
    game = scan_game(root, "silver.games", game_id)
    return pl.concat(game.select(team_id=f"{side}_team_id", team=f"{side}_team_abbrev") for side in ("home", "away"))


def scan_player_names(root: Location, game_ids: Sequence[int]) -> pl.LazyFrame:
    """Return the names of the players of some games: from their own page, or else from the game's pages."""
    pages = delta_tables.scan_table(root, find_table("silver.players")).select("player_id", own=format_full_name())
    lineups = delta_tables.scan_table(root, find_table("silver.lineups")).filter(
        pl.col("season").is_in([get_game_season(game) for game in game_ids]) & pl.col("game_id").is_in(list(game_ids))
    )
    listed = lineups.group_by("player_id").agg(listed=format_full_name().drop_nulls().first())
    both = pages.join(listed, on="player_id", how="full", coalesce=True)
    return both.select("player_id", name=pl.coalesce("own", "listed"))


def summarize_periods(plays: pl.DataFrame) -> pl.DataFrame:
    """One row per team and period with an attempt: goals, shots on goal, and xG; null if no attempt has xG."""
    return (
        plays.filter("is_attempt")
        .group_by("team", "period")
        .agg(
            goals=pl.col("is_goal").sum(),
            shots_on_goal=pl.col("is_shot_on_goal").sum(),
            xg=pl.when(pl.col("xg").is_not_null().any()).then(pl.col("xg").sum()),
        )
        .sort("period", "team")
    )


def sum_running_xg(plays: pl.DataFrame) -> pl.DataFrame:
    """One row per minute of the game: the xG of both teams up to its end. No rows if no attempt has xG."""
    known = plays.filter(
        pl.col("xg").is_not_null(), pl.col("game_seconds").is_not_null(), pl.col("is_home").is_not_null()
    )
    if known.is_empty():
        return pl.DataFrame(schema={"minute": pl.Int32, "away": pl.Float64, "home": pl.Float64})
    last = int(str(plays["game_seconds"].max()))
    minutes = pl.DataFrame(
        {"minute": range(1, max(REGULATION_MINUTES, (last + 59) // 60) + 1)}, schema={"minute": pl.Int32}
    )
    per_minute = known.group_by(minute=(pl.col("game_seconds") // 60 + 1).clip(1, minutes.height)).agg(
        away=pl.col("xg").filter(~pl.col("is_home")).sum(), home=pl.col("xg").filter("is_home").sum()
    )
    rows = minutes.join(per_minute, on="minute", how="left", validate="1:1", maintain_order="left")
    return rows.with_columns(pl.col("away", "home").fill_null(0.0).cum_sum())


def list_goals(root: Location, plays: pl.DataFrame) -> pl.DataFrame:
    """One row per goal: time, scorer, assists, strength, xG, and the score after it."""
    scored = plays.filter("is_goal")
    who = pl.concat_list("shooter_player_id", "assist1_player_id", "assist2_player_id", "assist3_player_id")
    people = collect_player_names(root, scored.select("game_id", "event_id", player_id=who))
    rows = scored.join(people, on="event_id", how="left", maintain_order="left")
    strength = pl.concat_str(
        pl.col("strength_state").fill_null("?"), pl.when(is_empty_net()).then(pl.lit(" EN")).otherwise(pl.lit(""))
    )
    away = pl.col("away_score_before") + (~pl.col("is_home")).cast(pl.Int16)
    home = pl.col("home_score_before") + pl.col("is_home").cast(pl.Int16)
    return rows.select(
        "period", "period_type", "period_seconds", "team",
        scorer=pl.col("names").list.first(),
        assists=pl.col("names").list.slice(1).list.join(", "),
        strength=strength,
        xg=pl.col("xg"),
        away=away,
        home=home,
    )  # fmt: skip


def is_empty_net() -> pl.Expr:
    """Whether the goal was scored into an empty net."""
    other = pl.when("is_home").then("has_away_goalie").otherwise("has_home_goalie")
    return (~other).fill_null(value=False) & ~pl.col("is_penalty_shot")


def list_penalties(root: Location, plays: pl.DataFrame) -> pl.DataFrame:
    """One row per penalty: time, player, infraction. A bench minor has no player."""
    called = plays.filter(pl.col("event") == "penalty")
    people = collect_player_names(
        root, called.select("game_id", "event_id", player_id=pl.concat_list("penalised_player_id"))
    )
    rows = called.join(people, on="event_id", how="left", maintain_order="left")
    return rows.select(
        "period", "period_type", "period_seconds", "team",
        player=pl.col("names").list.first().fill_null("bench"),
        minutes="penalty_minutes",
        what="penalty_description",
    )  # fmt: skip


def collect_player_names(root: Location, ids: pl.DataFrame) -> pl.DataFrame:
    """One row per event, with the names of its players in order; the id replaces an unknown name."""
    everyone = scan_player_names(root, ids["game_id"].unique().to_list()).collect()
    return (
        ids.explode("player_id")
        .filter(pl.col("player_id").is_not_null())
        .join(everyone, on="player_id", how="left", maintain_order="left")
        .with_columns(pl.col("name").fill_null(pl.col("player_id").cast(pl.String)))
        .group_by("event_id", maintain_order=True)
        .agg(names="name")
    )


def list_goalies(root: Location, game_id: int) -> pl.DataFrame:
    """One row per goalie who played, by the box score, or without one by the plays."""
    rows = add_names(root, add_goalie_xg(root, scan_goalie_lines(root)), game_id)
    order = rows.sort("is_home", pl.col("time_on_ice_s"), "player_id", descending=[False, True, False])
    return order.select("team", "player", "decision", "saves", "shots_against", *GOALIE_XG, "time_on_ice_s").collect()


def rank_leaders(root: Location, game_id: int) -> pl.DataFrame:
    """One row per skater, ranked by points, goals and shots on goal, by the box score or else by the plays."""
    best = ["points", "goals", "shots_on_goal"]
    rows = add_names(root, add_skater_xg(root, scan_skater_lines(root)), game_id).sort(
        *best, "player_id", descending=[True, True, True, False], nulls_last=True
    )
    share = compute_share(*ON_ICE_XG).alias("on_ice_xg_share")
    return (
        rows.head(LEADER_COUNT)
        .select("team", "player", "goals", "assists", "shots_on_goal", *SKATER_XG, share, "time_on_ice_s")
        .collect()
    )


def add_names(root: Location, lines: pl.LazyFrame, game_id: int) -> pl.LazyFrame:
    """Return the lines of a game, with the names of the players and the abbreviations of the teams."""
    own = lines.filter((pl.col("season") == get_game_season(game_id)) & (pl.col("game_id") == game_id))
    rows = own.join(scan_team_abbrevs(root, game_id), on="team_id", how="left")
    name = pl.coalesce("name", pl.col("player_id").cast(pl.String))
    return rows.join(scan_player_names(root, [game_id]), on="player_id", how="left").with_columns(player=name)
