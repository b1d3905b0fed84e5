"""The data of day pages: the games of a day, played and to come, for one day or for every day of a season."""

from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple

import polars as pl

from nhl_lake.catalog import find_table
from nhl_lake.errors import BadInput
from nhl_lake.gold.measures.situations import ALL_SITUATIONS, EVEN_SITUATION
from nhl_lake.hockey.calendar import FINAL_STATES, OFF_SCHEDULE_STATES, get_eastern_day, is_upcoming
from nhl_lake.queries.predictions import read_predictions
from nhl_lake.queries.upcoming import rank_shooters, read_upcoming_games
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

MAX_SHOOTERS = 5  # of a team in a game
SHOOTER_COLUMNS = ("game_id", "player_id", "player", "team", "opponent")
EVERY_SHOOTER = 100_000
SIDES = ("home", "away")
GAME_COLUMNS = (
    "game_id", "game_type", "game_date", "start_at", "venue", "home_team_id", "home_team_abbrev", "away_team_id",
    "away_team_abbrev", "home_score", "away_score", "last_period_type", "game_state", "schedule_state",
)  # fmt: skip
FLOW_COLUMNS = ("game_id", "game_seconds", "home_xg_so_far", "away_xg_so_far", "step", "is_home", "xg")
BEFORE_COLUMNS = (
    "home_days_of_rest", "is_home_back_to_back", "away_days_of_rest", "is_away_back_to_back", "home_win_probability",
)  # fmt: skip


class DayData(NamedTuple):
    """What a day page shows. Frames are empty if there is nothing to show."""

    day: date  # in New York
    previous_day: date | None  # the nearest day before with games
    next_day: date | None
    results: (
        pl.DataFrame
    )  # final games, with xG of both teams, the prediction and what is worked out from earlier games
    flow: pl.DataFrame  # steps of gold.game_flow of the final games
    upcoming: pl.DataFrame  # games that have not begun, with rest and form, as `read_upcoming_games` returns them
    other: pl.DataFrame  # games that are neither: under way, or postponed
    shooters: pl.DataFrame  # of the games to come: by predictions, or else by the last ten games
    has_predicted_shots: bool


def read_days(root: Location, season: int, now: datetime, days: Collection[date] | None = None) -> Iterator[DayData]:
    """Yield the days of a season that have games, or some days, in order. Tables are read once."""
    games, flow = pl.collect_all([plan_games(root, season), plan_flow(root, season, days)])
    every = games["game_date"].unique().sort().to_list()
    chosen = every if days is None else sorted(set(days))
    is_final = pl.col("game_state").is_in(FINAL_STATES)
    upcoming = read_coming_games(root, games, now, chosen)
    shooters, has_predictions = read_shooters(root, upcoming)
    by_day = games.partition_by("game_date", as_dict=True)
    flow_by_day = flow.partition_by("game_date", as_dict=True, include_key=False)
    for day in chosen:
        own = by_day.get((day,), games.clear())
        coming = upcoming.filter(pl.col("game_date") == day)
        begun = ~is_final & ~pl.col("game_id").is_in(coming["game_id"].to_list())
        yield DayData(
            day,
            max((other for other in every if other < day), default=None),
            min((other for other in every if other > day), default=None),
            own.filter(is_final),
            flow_by_day.get((day,), flow.drop("game_date").clear()),
            coming,
            own.filter(begun),
            shooters.filter(pl.col("game_id").is_in(coming["game_id"].to_list())),
            has_predictions,
        )


def read_day(root: Location, day: date, now: datetime) -> DayData:
    """Return one day; a day without games in the lake's schedule is an error."""
    games = delta_tables.scan_table(root, find_table("silver.games"))
    seasons = games.filter(pl.col("game_date") == day).select("season").unique().collect()["season"]
    if seasons.is_empty():
        first, last = games.select(first=pl.col("game_date").min(), last=pl.col("game_date").max()).collect().row(0)
        known = f"Its schedule is from {first} to {last}." if first else "`nhl-lake ingest` fetches the schedule."
        raise BadInput(f"There are no games on {day} in the lake.", known)
    return next(read_days(root, int(seasons[0]), now, [day]))


def read_last_and_next_day(root: Location, now: datetime) -> list[DayData]:
    """Return the last day with results and the next with games, of the newest season that the lake has by now."""
    games = delta_tables.scan_table(root, find_table("silver.games"))
    seasons = games.select("season").unique().collect()["season"].sort(descending=True).to_list()
    for season in seasons:
        if days := find_days_to_show(root, season, now):
            return list(read_days(root, season, now, days))
    raise BadInput("The lake has no games.", "`nhl-lake ingest` fetches those of the season.")


def find_days_to_show(root: Location, season: int, now: datetime) -> list[date]:
    """Return the last day with a final game before today, and the first day from today on that has a game."""
    today = get_eastern_day(now)
    games = delta_tables.scan_table(root, find_table("silver.games")).filter(pl.col("season") == season)
    is_on = ~pl.col("schedule_state").is_in(OFF_SCHEDULE_STATES)
    day, is_final = pl.col("game_date"), pl.col("game_state").is_in(FINAL_STATES)
    last, following = (
        games.select(
            last=day.filter(is_final & (day < today)).max(), following=day.filter(is_on & (day >= today)).min()
        )
        .collect()
        .row(0)
    )
    return [found for found in (last, following) if found is not None]


def plan_games(root: Location, season: int) -> pl.LazyFrame:
    """Return the games of a season: score, xG in all situations and at 5on5, and what was known before.

    `predicted_home_win_probability` is the newest prediction that was stored before the game; null if there is none.
    `home_win_probability` is worked out from earlier games, whenever the lake is built.
    """
    games, teams, features, predictions = (
        delta_tables.scan_table_or_empty(root, find_table(name)).filter(pl.col("season") == season)
        for name in ("silver.games", "gold.team_game", "gold.game_features", "gold.game_predictions")
    )
    games = games.select(GAME_COLUMNS)
    for situation, prefix in ((ALL_SITUATIONS, ""), (EVEN_SITUATION, "even_")):
        for side in SIDES:
            own = teams.filter(pl.col("situation") == situation, pl.col("is_home") == (side == "home"))
            named = {f"{prefix}{side}_{name}": name for name in ("xg", "shots_on_goal")}
            games = games.join(own.select("game_id", **named), on="game_id", how="left", validate="1:1")
    predicted = (
        predictions.sort("made_at")
        .group_by("game_id")
        .agg(predicted_home_win_probability=pl.col("home_win_probability").last(), model=pl.col("model").last(),
             made_at=pl.col("made_at").last())
    )  # fmt: skip
    games = games.join(features.select("game_id", *BEFORE_COLUMNS), on="game_id", how="left", validate="1:1")
    return games.join(predicted, on="game_id", how="left", validate="1:1").sort("start_at", "game_id")


def plan_flow(root: Location, season: int, days: Collection[date] | None) -> pl.LazyFrame:
    """Return the running xG of the games of a season, or of some days, with the day of each."""
    games = delta_tables.scan_table_or_empty(root, find_table("silver.games")).filter(pl.col("season") == season)
    if days is not None:
        games = games.filter(pl.col("game_date").is_in(list(days)))
    flow = delta_tables.scan_table_or_empty(root, find_table("gold.game_flow")).filter(pl.col("season") == season)
    rows = flow.join(games.select("game_id", "game_date"), on="game_id", validate="m:1")
    return rows.sort("game_id", "step_number").select("game_date", *FLOW_COLUMNS)


def read_coming_games(root: Location, games: pl.DataFrame, now: datetime, days: Collection[date]) -> pl.DataFrame:
    """Return the games to come of some days, with rest and form; no frame is read if there are none."""
    ahead = games.filter(is_upcoming(now), pl.col("game_date").is_in(list(days)))["game_date"]
    today = get_eastern_day(now)
    last: date = max(ahead.to_list(), default=today - timedelta(days=1))
    found = read_upcoming_games(root, now, (last - today).days)
    return found.filter(pl.col("game_date").is_in(list(days)))


def read_shooters(root: Location, upcoming: pl.DataFrame) -> tuple[pl.DataFrame, bool]:
    """Return the likely shooters of games to come, most shots first, and whether they are predicted.

    Columns: game_id, player_id, player, team, opponent, and either predicted_shots_on_goal and chance_over_2_5, or
    shots_per_game over the last ten games.
    """
    found = read_predictions(root, upcoming).shooters
    if has_predictions := not found.is_empty():
        rows = found.select(*SHOOTER_COLUMNS, "predicted_shots_on_goal", "chance_over_2_5")
    else:
        teams = pl.concat(
            upcoming.select("game_id", team=f"{side}_team_abbrev", opponent=f"{other}_team_abbrev")
            for side, other in zip(SIDES, reversed(SIDES), strict=True)
        )
        ranked = rank_shooters(root, upcoming, count=EVERY_SHOOTER).drop("opponent")
        rows = ranked.join(teams, on="team", maintain_order="left").select(
            *SHOOTER_COLUMNS, "shots_per_game", "games", "most"
        )
    return rows.group_by("game_id", "team", maintain_order=True).head(MAX_SHOOTERS), has_predictions
