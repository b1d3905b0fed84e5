"""Plan which pages to request: a pure function of the schedule, what the lake has, and the clock.

There is no watermark and no state file. A gap of any age is a final game whose page bronze does not hold. Each table of
bronze declares its request rule (`nhl_lake.schema.requests`); `select_candidates` lists the pages that a rule names,
and `plan_table` decides with one ladder which of them to request, and why. `lake.answers` says when a page was last
requested. The NHL corrects statistics for weeks: a game's pages get second looks when the game is about one, three,
seven and thirty days old (`Scope.second_looks`). Incomplete pages are requested at growing intervals.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

import polars as pl

from nhl_lake.bronze import endpoints
from nhl_lake.hockey.calendar import FINAL_STATES, GONE, get_eastern_day
from nhl_lake.hockey.seasons import SECOND_LOOKS
from nhl_lake.schema.requests import (
    GOALIE,
    PLAYOFFS,
    TEAM,
    AfterGames,
    OnePerDay,
    OnePerGame,
    OnePerPlayer,
    OnePerSeason,
    OnePerTeamSeason,
    OnePerValue,
    OnePerYear,
)
from nhl_lake.schema.table import Table, format_page_name

RETRY_EVERY_RUN_FOR = timedelta(days=3)  # after a game's start; until then every run requests unofficial pages
RETRY_INTERVAL = timedelta(days=7)  # and then once a week
MIN_RUN_GAP = timedelta(hours=1)  # pages of one run arrive minutes apart
MAX_SECOND_LOOK_GAMES = 100  # per run: a lake that missed many second looks catches up in several runs
MIN_RETRY_INTERVAL, MAX_RETRY_INTERVAL = timedelta(hours=6), timedelta(days=30)  # between requests of incomplete pages
RETRY_TOLERANCE = 0.8  # of an interval: a daily run that starts a minute early must not wait another day
OVERDUE_AFTER = timedelta(hours=6)  # no game lasts longer: the schedule lags if it does not call the game final

REQUEST_SCHEMA: Mapping[str, type[pl.DataType]] = {
    "table": pl.String,
    "page": pl.String,
    **{name: dtype for table in endpoints.PLANNED_TABLES for name, dtype in table.endpoint.request.parameters.items()},
    "why": pl.String,
}
INCOMPLETE_SCHEMA = {"table": pl.String, "page": pl.String, "reason": pl.String}
PLAYED_SCHEMA = {"game_id": pl.Int64, "player_id": pl.Int64, "position": pl.String}

PageHistory = Mapping[str, pl.DataFrame]  # by table name: see summarize_page_history

MISSING = "missing"
NOT_FINAL = "not official yet"
NOT_FOUND = "not found"
EMPTY = "empty"
FALLBACK = "fallback for"
OVERDUE_REASON = "overdue: the schedule does not call it final"
LOOKBACK = "second look: --lookback"
SECOND_LOOK = "second look"
INCOMPLETE = "incomplete"
REFRESH = "out of date"

NEVER = pl.lit(value=False)
ALWAYS = pl.lit(value=True)
NO_REASON = pl.lit(None, pl.String)
NEVER_OVER = pl.lit(None, pl.Datetime("us", "UTC")).alias("over_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a run covers: seasons, days, game types, and second looks.

    lookback_days: games of the last days get a second look at once. second_looks: the ages of a game, in days, at which
    its pages get a second look. with_pages: the optional pages to request, by their name in `--with NAME`.
    """

    seasons: tuple[int, ...]
    since: date | None = None
    lookback_days: int | None = None
    second_looks: tuple[float, ...] = SECOND_LOOKS
    game_types: frozenset[int] = frozenset({1, 2, 3})
    with_pages: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What the lake has when a run plans.

    games: `silver.games` by the newest schedule. stored: per bronze table, one row per page: `page` (its key joined by
    '/'), `state`, `fetched_at`, `is_empty`. answers: `lake.answers`. player_ids: players in lineups and rosters.
    incomplete: pages of games that fail a check, as of the last rebuild: `table`, `page`, `reason`. played: the games
    of each player, as of the last rebuild: `game_id`, `player_id`, `position` (G: a goalie); empty unless a run
    requests pages of players who have played.
    """

    games: pl.DataFrame
    stored: Mapping[str, pl.DataFrame]
    answers: pl.DataFrame
    player_ids: pl.DataFrame
    incomplete: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=INCOMPLETE_SCHEMA))
    played: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=PLAYED_SCHEMA))


class Candidates(NamedTuple):
    """The pages that a request rule names, and the steps of the ladder in which the rules differ.

    pages: one row per page: the parameters of its path, the columns of summarize_page_history, and what the expressions
    read. missing: the reason for a page that was never requested. is_unofficial, is_unofficial_due: whether the page of
    a game is not official yet, and whether to request it now. is_outdated: whether its rule renews the page now.
    is_in_lookback: whether it is of the days of `--lookback`. second_look: the reason for a second look, or null.
    is_retry_due: whether to request a page now that is empty, incomplete or was not found.
    """

    pages: pl.DataFrame
    is_retry_due: pl.Expr
    missing: str = MISSING
    is_unofficial: pl.Expr = NEVER
    is_unofficial_due: pl.Expr = ALWAYS
    is_outdated: pl.Expr = NEVER
    is_in_lookback: pl.Expr = NEVER
    second_look: pl.Expr = NO_REASON


def plan_requests(inventory: Inventory, scope: Scope, now: datetime) -> pl.DataFrame:
    """Return the pages to request now, newest games first: columns of REQUEST_SCHEMA, one row per page."""
    return list_incomplete_pages(inventory, scope, now).filter("is_due").drop("is_due")


def list_incomplete_pages(inventory: Inventory, scope: Scope, now: datetime) -> pl.DataFrame:
    """Return every page that there is a reason to request: columns of REQUEST_SCHEMA, and whether it `is_due` now."""
    games = filter_scope(inventory.games, scope)
    history = summarize_page_history(inventory)
    planned = [plan_overdue_games(games, history, now)]
    for table in endpoints.select_planned_tables(scope.with_pages):
        candidates = select_candidates(table, games, history, inventory, scope, now)
        planned.append(plan_table(candidates))
    schema: Mapping[str, type[pl.DataType]] = {**REQUEST_SCHEMA, "is_due": pl.Boolean}
    return (
        pl.concat(select_request_columns(pages, schema) for pages in planned)
        .unique(["table", "page"], keep="first", maintain_order=True)
        .sort("game_date", "game_id", descending=True, nulls_last=True, maintain_order=True)
        .pipe(limit_second_looks)
    )


def plan_table(candidates: Candidates) -> pl.DataFrame:
    """Add to the candidates of a table `why` to request each, null if there is no reason, and whether it `is_due`."""
    why = (
        pl.when(pl.col("last_at").is_null())
        .then(pl.lit(candidates.missing))
        .when(pl.col("is_held").not_())
        .then(pl.lit(NOT_FOUND))
        .when(candidates.is_unofficial)
        .then(pl.lit(NOT_FINAL))
        .when("is_empty")
        .then(pl.lit(EMPTY))
        .when(pl.col("reason").is_not_null())
        .then(pl.format("{}: {}", pl.lit(INCOMPLETE), "reason"))
        .when(candidates.is_outdated)
        .then(pl.lit(REFRESH))
        .when(candidates.is_in_lookback)
        .then(pl.lit(LOOKBACK))
        .otherwise(candidates.second_look)
    )
    is_retried = pl.col("why").is_in([EMPTY, NOT_FOUND]) | pl.col("why").str.starts_with(INCOMPLETE)
    is_wanted = candidates.is_in_lookback & pl.col("is_held")
    is_due = (
        pl.when(is_retried)
        .then(candidates.is_retry_due | candidates.second_look.is_not_null() | is_wanted)
        .when(pl.col("why") == NOT_FINAL)
        .then(candidates.is_unofficial_due | is_wanted)
        .otherwise(ALWAYS)
    )
    return candidates.pages.with_columns(why=why).with_columns(is_due=is_due)


def select_candidates(
    table: Table, games: pl.DataFrame, history: PageHistory, inventory: Inventory, scope: Scope, now: datetime
) -> Candidates:
    """Return the pages that the request rule of a table names."""
    rule = table.endpoint.request
    match rule:
        case OnePerGame():
            return select_game_pages(table, rule, games, history, scope, now)
        case OnePerDay():
            return select_day_pages(table, rule, games, history, scope, now)
        case AfterGames():
            return select_subject_pages(table, rule, games, history, inventory.played, now)
        case OnePerTeamSeason():
            pages = list_team_seasons(games, after_first_game=rule.after_first_game)
        case OnePerSeason():
            pages = games.group_by("season").agg(get_end_of_games()).sort("season")
        case OnePerYear():
            pages = list_years(games, now)
        case OnePerPlayer():
            pages = inventory.player_ids.unique().sort("player_id").with_columns(NEVER_OVER)
        case OnePerValue():
            pages = pl.DataFrame({rule.parameter: rule.values}).with_columns(NEVER_OVER)
        case _:
            raise TypeError(f"{table.name} is not planned page by page")
    age = pl.lit(now) - pl.col("last_at")
    is_over = (pl.col("last_at") >= pl.col("over_at")).fill_null(value=False)
    return Candidates(
        add_page_history(pages, table, history),
        is_outdated=(age >= rule.refresh_every) & ~is_over,
        is_retry_due=age >= RETRY_INTERVAL,
    )


def select_game_pages(
    table: Table, rule: OnePerGame, games: pl.DataFrame, history: PageHistory, scope: Scope, now: datetime
) -> Candidates:
    """Return the pages of the final games that can have one."""
    final = games.filter(pl.col("game_state").is_in(FINAL_STATES))
    if rule.first_season is not None:
        final = final.filter(pl.col("season") >= rule.first_season)
    pages = add_page_history(final, table, history)
    if rule.fallback_for is not None:
        has_nothing = pl.col("is_empty") | pl.col("is_held").is_null() | pl.col("reason").is_not_null()
        pages = pages.join(history[rule.fallback_for].filter(has_nothing), on="page", how="semi")
    second_look = find_second_look_reason(scope, now)
    if rule.second_look_after is not None:
        changes = history[rule.second_look_after].select("page", changed_at="since_at")
        pages = pages.join(changes, on="page", how="left", maintain_order="left", validate="m:1")
        has_changed = pl.col("changed_at") - pl.col("last_at") >= MIN_RUN_GAP
        second_look = pl.when(has_changed).then(pl.lit(f"{SECOND_LOOK}: {rule.second_look_after} has changed"))
    # preseason games stay FINAL for ever: three days after the game they are as official as they get
    is_settled = (pl.col("game_type") == 1) & (pl.lit(now) - pl.col("start_at") > RETRY_EVERY_RUN_FOR)
    is_official = (pl.col("last_state") == "OFF") | ((pl.col("last_state") == "FINAL") & is_settled)
    return Candidates(
        pages,
        missing=f"{FALLBACK} {rule.fallback_for}" if rule.fallback_for else MISSING,
        is_unofficial=is_official.fill_null(value=False).not_(),
        is_unofficial_due=(pl.col("game_state") == "OFF") | is_unofficial_retry_due(now),
        is_in_lookback=is_in_lookback(scope, now),
        second_look=second_look,
        is_retry_due=is_backoff_over(now),
    )


def select_day_pages(
    table: Table, rule: OnePerDay, games: pl.DataFrame, history: PageHistory, scope: Scope, now: datetime
) -> Candidates:
    """Return the pages of the days whose regular-season games are all final."""
    days = (
        games.filter(pl.col("game_type") == 2)
        .group_by("season", "game_date")
        .agg(is_over=pl.col("game_state").is_in(FINAL_STATES).all(), start_at=pl.col("start_at").max())
        .filter("is_over")
    )
    settled_at = pl.col("start_at") + rule.settle_time
    return Candidates(
        add_page_history(days, table, history),
        is_outdated=(pl.col("last_at") < settled_at) & (pl.lit(now) >= settled_at),
        is_in_lookback=is_in_lookback(scope, now),
        is_retry_due=is_backoff_over(now),
    )


def select_subject_pages(
    table: Table, rule: AfterGames, games: pl.DataFrame, history: PageHistory, played: pl.DataFrame, now: datetime
) -> Candidates:
    """Return the pages of the subjects that have played: skaters, goalies, teams, or playoffs."""
    final = games.filter(
        pl.col("game_state").is_in(FINAL_STATES),
        pl.col("game_type").is_in(rule.subject.game_types),
        pl.col("season") >= (rule.first_season or 0),
    ).with_columns(year=pl.col("season") % 10_000)
    if rule.subject is TEAM:
        final = final.with_columns(team_id=pl.concat_list("home_team_id", "away_team_id")).explode("team_id")
    elif rule.subject is not PLAYOFFS:
        is_goalie = pl.col("position") == "G"
        final = final.join(played.filter(is_goalie if rule.subject is GOALIE else ~is_goalie), on="game_id")
    pages = final.group_by(list(rule.parameters)).agg(played_at=pl.col("start_at").max()).sort(list(rule.parameters))
    age = pl.lit(now) - pl.col("last_at")
    return Candidates(
        add_page_history(pages, table, history),
        is_outdated=(pl.col("last_at") < pl.col("played_at") + rule.settle_time) & (age >= rule.refresh_every),
        is_retry_due=(pl.col("last_at") < pl.col("played_at")) & (age >= RETRY_INTERVAL),
    )


def list_team_seasons(games: pl.DataFrame, *, after_first_game: bool) -> pl.DataFrame:
    """Return the teams that play in each season: season, team_abbrev, over_at.

    Every playoff team plays regular-season games too. A game whose teams are to be decided names none.
    """
    teams = (
        games.filter(pl.col("game_type") == 2)
        .select(
            "season",
            "start_at",
            is_final=pl.col("game_state").is_in(FINAL_STATES),
            team_abbrev=pl.concat_list("home_team_abbrev", "away_team_abbrev"),
        )
        .explode("team_abbrev")
        .group_by("season", "team_abbrev")
        .agg(get_end_of_games(), has_played=pl.col("is_final").any())
        .sort("season", "team_abbrev")
    )
    return teams.filter("has_played") if after_first_game else teams


def list_years(games: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Return the calendar years that seasons touch, up to the current one: year, over_at."""
    season = pl.col("season")
    years = games.select(year=pl.concat_list(season // 10_000, season % 10_000)).explode("year").unique().sort("year")
    return years.filter(pl.col("year") <= get_eastern_day(now).year).with_columns(
        over_at=pl.datetime(pl.col("year") + 1, 1, 1, time_unit="us", time_zone="UTC")
    )


def get_end_of_games() -> pl.Expr:
    """Return the instant after the last game at which pages about all of the games need no renewal."""
    return (pl.col("start_at").max() + RETRY_EVERY_RUN_FOR).alias("over_at")


def plan_overdue_games(games: pl.DataFrame, history: PageHistory, now: datetime) -> pl.DataFrame:
    """Plan the page that confirms the end of a game, for games that must be over though the schedule disagrees."""
    overdue = games.filter(
        pl.col("game_state").is_in(FINAL_STATES).not_()
        & (pl.col("schedule_state") == "OK")
        & (pl.lit(now) - pl.col("start_at") > OVERDUE_AFTER)
    )
    return (
        add_page_history(overdue, endpoints.CONFIRMING_PAGE, history)
        .filter(pl.col("last_state").is_in(FINAL_STATES).fill_null(value=False).not_())
        .with_columns(why=pl.lit(OVERDUE_REASON), is_due=pl.col("last_at").is_null() | is_unofficial_retry_due(now))
    )


def limit_second_looks(pages: pl.DataFrame) -> pl.DataFrame:
    """Leave second looks due for the newest games only, at most MAX_SECOND_LOOK_GAMES."""
    is_second = pl.col("why").str.starts_with(SECOND_LOOK) & (pl.col("why") != LOOKBACK) & pl.col("is_due")
    games = pages.filter(is_second)["game_id"].unique(maintain_order=True)
    if games.len() <= MAX_SECOND_LOOK_GAMES:
        return pages
    is_later = is_second & pl.col("game_id").is_in(games.tail(-MAX_SECOND_LOOK_GAMES).to_list())
    return pages.with_columns(is_due=pl.col("is_due") & ~is_later)


def count_by_reason(pages: pl.DataFrame) -> pl.DataFrame:
    """Count pages by table and reason: columns table, why, pages, newest (the name of the first one)."""
    kinds = pages.group_by("table", "why", maintain_order=True)
    return kinds.agg(pages=pl.len(), newest=pl.col("page").first()).sort("table", "why")


def select_request_columns(pages: pl.DataFrame, schema: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    """Select the pages that there is a reason to request, in common columns; parameters of other rules are null."""
    columns = [
        (pl.col(name) if name in pages.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in schema.items()
    ]
    return pages.filter(pl.col("why").is_not_null()).select(columns)


def filter_scope(games: pl.DataFrame, scope: Scope) -> pl.DataFrame:
    """Select the games that a run covers; postponed, cancelled and suspended games are no gaps."""
    is_covered = (
        pl.col("season").is_in(scope.seasons)
        & pl.col("game_type").is_in(sorted(scope.game_types))
        & (
            pl.col("schedule_state").is_in(["PPD", "CNCL", "SUSP", GONE]).not_()
            | pl.col("game_state").is_in(FINAL_STATES)
        )
    )
    if scope.since is not None:
        is_covered &= pl.col("game_date") >= scope.since
    return games.filter(is_covered).with_columns(
        report_number=(pl.col("game_id") % 1_000_000).cast(pl.String).str.zfill(6), state="game_state"
    )


def summarize_page_history(inventory: Inventory) -> PageHistory:
    """Return, by table, one row per page that the API ever answered.

    Columns: page; last_at, when it was last requested; since_at, when the stored version first came, or the first 404;
    last_state, the game's state when a page last came, changed or not; is_held; is_empty; reason, why it is incomplete.
    """
    stored = pl.concat(
        pages.select("page", "state", "fetched_at", "is_empty", table=pl.lit(name))
        for name, pages in inventory.stored.items()
    )
    answers = pl.concat(
        [
            stored.select("table", "page", "state", at="fetched_at", has_come=ALWAYS),
            inventory.answers.select("table", "page", "state", at="asked_at", has_come=pl.col("answer") == "unchanged"),
        ]
    ).sort("at")
    page = ["table", "page"]
    last = answers.group_by(page).agg(
        last_at=pl.col("at").last(),
        first_at=pl.col("at").first(),
        last_state=pl.col("state").filter("has_come").last(),
        has_come=pl.col("has_come").last(),
    )
    held = stored.select(*page, "is_empty", "fetched_at", is_held=ALWAYS)
    reasons = inventory.incomplete.group_by(page).agg(pl.col("reason").first())
    history = (
        last.join(held, on=page, how="left")
        .join(reasons, on=page, how="left")
        .with_columns(since_at=pl.coalesce("fetched_at", "first_at"))
        # a page that came and is not stored was lost: it is missing, and not known to be absent
        .with_columns(last_at=pl.when(pl.col("is_held") | ~pl.col("has_come")).then("last_at"))
        .drop("fetched_at", "first_at", "has_come")
    )
    return {name: history.filter(pl.col("table") == name).drop("table") for name in inventory.stored}


def add_page_history(pages: pl.DataFrame, table: Table, history: PageHistory) -> pl.DataFrame:
    """Add to each page its name and history (see summarize_page_history), and the name of its table."""
    named = pages.with_columns(format_page_name(table), table=pl.lit(table.name))
    return named.join(history[table.name], on="page", how="left", maintain_order="left").with_columns(
        pl.col("is_held", "is_empty").fill_null(value=False)
    )


def is_unofficial_retry_due(now: datetime) -> pl.Expr:
    """Whether an unofficial page is due: in every run until three days after the game, then once a week."""
    return (pl.lit(now) - pl.col("start_at") <= RETRY_EVERY_RUN_FOR) | (
        pl.lit(now) - pl.col("last_at") >= RETRY_INTERVAL
    )


def is_backoff_over(now: datetime) -> pl.Expr:
    """Whether an incomplete page is due: the longer it has been incomplete, the longer the interval."""
    interval = (pl.col("last_at") - pl.col("since_at")).clip(MIN_RETRY_INTERVAL, MAX_RETRY_INTERVAL)
    return pl.lit(now) - pl.col("last_at") >= interval * RETRY_TOLERANCE


def count_ages_reached(scope: Scope, at: pl.Expr) -> pl.Expr:
    """Return how many of the ages for a second look a game had reached at an instant."""
    ages = [(at >= pl.col("start_at") + timedelta(days=days)).cast(pl.Int32) for days in scope.second_looks]
    return pl.sum_horizontal(pl.lit(0), *ages)


def find_second_look_reason(scope: Scope, now: datetime) -> pl.Expr:
    """Return the reason for a second look: an age that the game has reached since the last request; null if none."""
    reached = count_ages_reached(scope, pl.lit(now))
    reasons = pl.lit(
        [
            f"{SECOND_LOOK} {days:g} {'day' if days == 1 else 'days'} after the game"
            for days in sorted(scope.second_looks)
        ],
        pl.List(pl.String),
    )
    return pl.when(reached > count_ages_reached(scope, pl.col("last_at"))).then(
        reasons.list.get(reached - 1, null_on_oob=True)
    )


def is_in_lookback(scope: Scope, now: datetime) -> pl.Expr:
    """Whether a game was played in the last days that get a second look at once."""
    if scope.lookback_days is None:
        return NEVER
    return pl.col("game_date") >= get_eastern_day(now) - timedelta(days=scope.lookback_days)
