"""A game on one sheet: score by period, goals, penalties, goalies, leaders."""

from typing import Any, NamedTuple

import polars as pl

from nhl_lake.catalog import find
from nhl_lake.errors import BadInput
from nhl_lake.hockey.ids import season_of_game
from nhl_lake.queries.official_lines import goalie_lines, skater_lines
from nhl_lake.silver.parsing.person import full_name
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Place

LEADERS = 6


class Scoresheet(NamedTuple):
    """What a sheet says of a game: a row of silver.games, and frames; empty ones of a game that is not final."""

    game: dict[str, Any]
    periods: pl.DataFrame  # one row a team and period: goals and shots on goal; none of a shoot-out
    goals: pl.DataFrame
    penalties: pl.DataFrame
    goalies: pl.DataFrame
    leaders: pl.DataFrame


def scoresheet(root: Place, game_id: int) -> Scoresheet:
    """Return the sheet of a game."""
    game = of_game(root, "silver.games", game_id).collect()
    if game.is_empty():
        raise BadInput(
            f"There is no game {game_id} in the lake.",
            "`nhl-lake show silver.games` lists games; a lake holds those of the seasons that were asked for.",
        )
    plays = in_play(root, game_id).collect()
    return Scoresheet(
        game.row(0, named=True), periods(plays), goals(root, plays), penalties(root, plays),
        goalies(root, game_id), leaders(root, game_id),
    )  # fmt: skip


def of_game(root: Place, table: str, game_id: int) -> pl.LazyFrame:
    """Read the rows of a game."""
    return delta_tables.scan(root, find(table)).filter(
        (pl.col("season") == season_of_game(game_id)) & (pl.col("game_id") == game_id)
    )


def in_play(root: Place, game_id: int) -> pl.LazyFrame:
    """Read the plays of a game in order, with the acting team's letters; of a shoot-out the penalties alone."""
    counts = (pl.col("period_type") != "SO") | (pl.col("event") == "penalty")
    plays = of_game(root, "silver.plays", game_id).filter(counts)
    return plays.join(letters(root, game_id), left_on="acting_team_id", right_on="team_id", how="left").sort(
        "event_number"
    )


def letters(root: Place, game_id: int) -> pl.LazyFrame:
    """Return the letters of both teams of a game."""
    game = of_game(root, "silver.games", game_id)
    return pl.concat(game.select(team_id=f"{side}_team_id", team=f"{side}_team_abbrev") for side in ("home", "away"))


def names(root: Place) -> pl.LazyFrame:
    """Return every player's name."""
    return delta_tables.scan(root, find("silver.players")).select("player_id", name=full_name())


def periods(plays: pl.DataFrame) -> pl.DataFrame:
    """One row a team and period: goals and shots on goal."""
    counted = plays.filter(pl.col("is_goal") | pl.col("is_shot_on_goal"))
    sums = pl.col("is_goal").sum().alias("goals"), pl.col("is_shot_on_goal").sum().alias("shots_on_goal")
    return counted.group_by("team", "period").agg(sums).sort("period", "team")


def goals(root: Place, plays: pl.DataFrame) -> pl.DataFrame:
    """One row a goal: when, by whom, at which strength, and the score after it."""
    scored = plays.filter("is_goal")
    who = pl.concat_list("shooter_player_id", "assist1_player_id", "assist2_player_id", "assist3_player_id")
    people = named(root, scored.select("event_id", player_id=who))
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
        away=away,
        home=home,
    )  # fmt: skip


def is_empty_net() -> pl.Expr:
    """Whether the other team's goalie was out."""
    other = pl.when("is_home").then("has_away_goalie").otherwise("has_home_goalie")
    return (~other).fill_null(value=False) & ~pl.col("is_penalty_shot")


def penalties(root: Place, plays: pl.DataFrame) -> pl.DataFrame:
    """One row a penalty: when, whose, for what; nobody is charged with a bench minor."""
    called = plays.filter(pl.col("event") == "penalty")
    people = named(root, called.select("event_id", player_id=pl.concat_list("penalised_player_id")))
    rows = called.join(people, on="event_id", how="left", maintain_order="left")
    return rows.select(
        "period", "period_type", "period_seconds", "team",
        player=pl.col("names").list.first().fill_null("bench"),
        minutes="penalty_minutes",
        what="penalty_description",
    )  # fmt: skip


def named(root: Place, ids: pl.DataFrame) -> pl.DataFrame:
    """One row an event with the names of its players in order; of one who is not known, his id."""
    everyone = names(root).collect()
    return (
        ids.explode("player_id")
        .filter(pl.col("player_id").is_not_null())
        .join(everyone, on="player_id", how="left", maintain_order="left")
        .with_columns(pl.col("name").fill_null(pl.col("player_id").cast(pl.String)))
        .group_by("event_id", maintain_order=True)
        .agg(names="name")
    )


def goalies(root: Place, game_id: int) -> pl.DataFrame:
    """One row a goalie who played, by the box score, or without one by the plays."""
    rows = with_names(root, goalie_lines(root), game_id)
    order = rows.sort("is_home", pl.col("time_on_ice_s"), "player_id", descending=[False, True, False])
    return order.select("team", "player", "decision", "saves", "shots_against", "time_on_ice_s").collect()


def leaders(root: Place, game_id: int) -> pl.DataFrame:
    """One row a skater: those with the most points, then goals, then shots, by the box score, or else by the plays."""
    best = ["points", "goals", "shots_on_goal"]
    rows = with_names(root, skater_lines(root), game_id).sort(
        *best, "player_id", descending=[True, True, True, False], nulls_last=True
    )
    return rows.head(LEADERS).select("team", "player", "goals", "assists", "shots_on_goal", "time_on_ice_s").collect()


def with_names(root: Place, lines: pl.LazyFrame, game_id: int) -> pl.LazyFrame:
    """Return the lines of a game, with names and the letters of the teams."""
    own = lines.filter((pl.col("season") == season_of_game(game_id)) & (pl.col("game_id") == game_id))
    rows = own.join(letters(root, game_id), on="team_id", how="left")
    name = pl.coalesce("name", pl.col("player_id").cast(pl.String))
    return rows.join(names(root), on="player_id", how="left").with_columns(player=name)
