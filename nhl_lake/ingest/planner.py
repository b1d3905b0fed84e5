"""Which pages are missing, incomplete or due a second look: a pure function of what is known.

No watermark and no state file: a hole of any age is a scheduled game that should be final and whose page bronze does
not hold. The NHL corrects statistics for weeks, so every page of a game is asked for again when the game is about a
day, three days, a week and thirty days old (`Scope.second_looks`). What is known to be incomplete is asked for again
too, with growing distance. `lake.answers` tells when a page was last asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import polars as pl

from nhl_lake.bronze import endpoints
from nhl_lake.hockey.calendar import FINAL_STATES, GONE, get_eastern_day
from nhl_lake.hockey.seasons import FIRST_SHIFT_SEASON
from nhl_lake.schema.table import Table

RETRY_EVERY_RUN_FOR = timedelta(days=3)  # after a game, what is unfinished is asked for in every run for so long
RETRY_INTERVAL = timedelta(days=7)  # and then weekly
SECOND_LOOKS = (1.0, 3.0, 7.0, 30.0)  # days after a game's start
MIN_RUN_GAP = timedelta(hours=1)  # pages that a run asks for together come minutes apart
MAX_SECOND_LOOK_GAMES = 100  # second looks of a run: a lake that missed many catches up in several runs
MIN_RETRY_INTERVAL, MAX_RETRY_INTERVAL = (
    timedelta(hours=6),
    timedelta(days=30),
)  # between two looks at an incomplete page
RETRY_TOLERANCE = 0.8  # of a distance: a daily run is not late by a minute and then a day
OVERDUE_AFTER = timedelta(hours=6)  # no game lasts longer: a schedule that does not call it final is asked against
MAX_ROSTER_AGE = timedelta(hours=20)  # a roster is asked for once a day until its season is over
STANDINGS_SETTLE_TIME = timedelta(hours=12)  # after a game's start; standings seen earlier are looked at once more
MAX_PLAYER_AGE = timedelta(days=30)  # a player of the seasons at hand, once a month

REQUEST_SCHEMA = {
    "table": pl.String,
    "page": pl.String,
    "season": pl.Int32,
    "game_id": pl.Int64,
    "game_date": pl.Date,
    "state": pl.String,
    "report_number": pl.String,
    "team_abbrev": pl.String,
    "player_id": pl.Int64,
    "why": pl.String,
}

INCOMPLETE_SCHEMA = {"table": pl.String, "page": pl.String, "reason": pl.String}

PageHistory = Mapping[str, pl.DataFrame]  # by the name of a bronze table: see looks

MISSING = "missing"
NOT_FINAL = "not official yet"
NOT_FOUND = "was not there"
EMPTY_CHART = "empty chart"
NO_CHART = "the chart has no shifts, or lacks some"
OVERDUE_REASON = "overdue: the schedule does not call it final"
LOOKBACK = "second look: asked for by --lookback"
SECOND_LOOK = "second look"
BOXSCORE_CHANGED = "second look: the box score has changed"
INCOMPLETE = "incomplete"
REFRESH = "to be renewed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a run is to look at: seasons, days, game types, and second looks.

    lookback_days: games of the last days that are looked at again at once. second_looks: ages of a game, in days, at
    which its pages are looked at again.
    """

    seasons: tuple[int, ...]
    since: date | None = None
    lookback_days: int | None = None
    second_looks: tuple[float, ...] = SECOND_LOOKS
    game_types: frozenset[int] = frozenset({1, 2, 3})


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What is known when the plan is made.

    games: `silver.games` as the schedule has it now. held: per bronze table, one row a page: its key, `page` (the key's
    parts joined by '/'), `state`, `fetched_at`, and `is_empty` for charts. answers: `lake.answers`. people: the player
    ids met in line-ups and rosters, `player_id`. incomplete: pages of games that fail a check, as of the last rebuild:
    `table`, `page`, `reason`.
    """

    games: pl.DataFrame
    stored: Mapping[str, pl.DataFrame]
    answers: pl.DataFrame
    player_ids: pl.DataFrame
    incomplete: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=INCOMPLETE_SCHEMA))


def plan_requests(known: Inventory, scope: Scope, now: datetime) -> pl.DataFrame:
    """Return the pages to ask for, newest games first: columns of ASKS, one row a page."""
    return list_candidate_pages(known, scope, now).filter("is_due").drop("is_due")


def list_candidate_pages(known: Inventory, scope: Scope, now: datetime) -> pl.DataFrame:
    """Return every page that is missing, unfinished or wanted again: columns of ASKS, and whether it `is_due` now."""
    games = filter_scope(known.games, scope)
    final = games.filter(pl.col("game_state").is_in(FINAL_STATES))
    seen = summarize_page_history(known)
    without = find_games_without_shifts(seen, final)
    parts = [
        plan_overdue_games(seen, games, now),
        *(
            plan_game_pages(table, seen, filter_games_with_page(table, final), scope, now)
            for table in endpoints.GAME_PAGES
        ),
        *(plan_game_pages(table, seen, without, scope, now) for table in endpoints.SHIFT_REPORTS),
        plan_standings(seen, games, scope, now),
        plan_rosters(seen, games, now),
        plan_players(seen, known.player_ids, now),
    ]
    shape = REQUEST_SCHEMA | {"is_due": pl.Boolean}
    return (
        pl.concat(select_request_columns(part, shape) for part in parts)
        .unique(["table", "page"], keep="first", maintain_order=True)
        .sort("game_date", "game_id", descending=True, nulls_last=True, maintain_order=True)
        .pipe(limit_second_looks)
    )


def limit_second_looks(pages: pl.DataFrame) -> pl.DataFrame:
    """Leave due the second looks at the newest games only, as many as one run has room for."""
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


def select_request_columns(part: pl.DataFrame, shape: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    """Leave the pages that there is a reason to ask for, in the common columns; what a page has no use for is null."""
    columns = [
        (pl.col(name) if name in part.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in shape.items()
    ]
    return part.filter(pl.col("why").is_not_null()).select(columns)


def filter_scope(games: pl.DataFrame, scope: Scope) -> pl.DataFrame:
    """Leave the games that the run looks at; postponed, cancelled and suspended ones are not holes."""
    wanted = (
        pl.col("season").is_in(scope.seasons)
        & pl.col("game_type").is_in(sorted(scope.game_types))
        & (
            pl.col("schedule_state").is_in(["PPD", "CNCL", "SUSP", GONE]).not_()
            | pl.col("game_state").is_in(FINAL_STATES)
        )
    )
    if scope.since is not None:
        wanted &= pl.col("game_date") >= scope.since
    return games.filter(wanted).with_columns(
        page=pl.col("game_id").cast(pl.String),
        report_number=(pl.col("game_id") % 1_000_000).cast(pl.String).str.zfill(6),
        state="game_state",
    )


def summarize_page_history(known: Inventory) -> PageHistory:
    """Return, by table, one row a page that was ever answered.

    Columns: page; last_at, when it was last asked for; since_at, when the version that is held first came, or the first
    404; last_state, the game's state when a page last came, the same as before or not; is_held; is_empty, of charts;
    reason, why it is incomplete.
    """
    held = pl.concat(
        pages.select("page", "state", "fetched_at", is_empty_chart(pages), table=pl.lit(name))
        for name, pages in known.stored.items()
    )
    every = pl.concat(
        [
            held.select("table", "page", "state", at="fetched_at", came=pl.lit(value=True)),
            known.answers.select("table", "page", "state", at="asked_at", came=pl.col("answer") == "unchanged"),
        ]
    ).sort("at")
    page = ["table", "page"]
    last = every.group_by(page).agg(
        last_at=pl.col("at").last(),
        first_at=pl.col("at").first(),
        last_state=pl.col("state").filter("came").last(),
        has_come=pl.col("came").last(),
    )
    kept = held.select(*page, "is_empty", "fetched_at", is_held=pl.lit(value=True))
    reasons = known.incomplete.group_by(page).agg(pl.col("reason").first())
    seen = (
        last.join(kept, on=page, how="left")
        .join(reasons, on=page, how="left")
        .with_columns(since_at=pl.coalesce("fetched_at", "first_at"))
        # a page that came and is not held was lost: it is missing, and not known to be absent
        .with_columns(last_at=pl.when(pl.col("is_held") | ~pl.col("has_come")).then("last_at"))
        .drop("fetched_at", "first_at", "has_come")
    )
    return {name: seen.filter(pl.col("table") == name).drop("table") for name in known.stored}


def is_empty_chart(pages: pl.DataFrame) -> pl.Expr:
    """Whether a page is a chart without shifts; no other page is."""
    return pl.col("is_empty") if "is_empty" in pages.columns else pl.lit(value=False).alias("is_empty")


def join_page_history(pages: pl.DataFrame, seen: PageHistory, table: Table) -> pl.DataFrame:
    """Add to each page what is known of it (see looks), and the name of its table."""
    return pages.join(seen[table.name], on="page", how="left", maintain_order="left").with_columns(
        pl.col("is_held", "is_empty").fill_null(value=False), table=pl.lit(table.name)
    )


def is_retry_due(now: datetime) -> pl.Expr:
    """Whether an unfinished page is due: in every run until three days after the game, then weekly."""
    return (pl.lit(now) - pl.col("start_at") <= RETRY_EVERY_RUN_FOR) | (
        pl.lit(now) - pl.col("last_at") >= RETRY_INTERVAL
    )


def is_backoff_over(now: datetime) -> pl.Expr:
    """Whether an incomplete page is due: the longer it has been so, the longer until the next look."""
    distance = (pl.col("last_at") - pl.col("since_at")).clip(MIN_RETRY_INTERVAL, MAX_RETRY_INTERVAL)
    return pl.lit(now) - pl.col("last_at") >= distance * RETRY_TOLERANCE


def count_ages_reached(scope: Scope, at: pl.Expr) -> pl.Expr:
    """Return how many of the ages for a second look a game had reached at an instant."""
    ages = [(at >= pl.col("start_at") + timedelta(days=days)).cast(pl.Int32) for days in scope.second_looks]
    return pl.sum_horizontal(pl.lit(0), *ages)


def find_second_look_reason(scope: Scope, now: datetime) -> pl.Expr:
    """Return the reason for a second look: an age that the game has reached since we last looked; null if none."""
    reached = count_ages_reached(scope, pl.lit(now))
    names = pl.lit(
        [
            f"{SECOND_LOOK} {days:g} {'day' if days == 1 else 'days'} after the game"
            for days in sorted(scope.second_looks)
        ],
        pl.List(pl.String),
    )
    return pl.when(reached > count_ages_reached(scope, pl.col("last_at"))).then(
        names.list.get(reached - 1, null_on_oob=True)
    )


def find_boxscore_change() -> pl.Expr:
    """Return the reason to look again beside a box score that changed after the last look; null if none did."""
    is_newer = pl.col("box_at") - pl.col("last_at") >= MIN_RUN_GAP
    return pl.when(is_newer).then(pl.lit(BOXSCORE_CHANGED))


def is_in_lookback(scope: Scope, now: datetime) -> pl.Expr:
    """Whether a game was played in the last days that the user wants a second look at."""
    if scope.lookback_days is None:
        return pl.lit(value=False)
    return pl.col("game_date") >= get_eastern_day(now) - timedelta(days=scope.lookback_days)


def plan_game_pages(table: Table, seen: PageHistory, games: pl.DataFrame, scope: Scope, now: datetime) -> pl.DataFrame:
    """Pages of final games that are missing, unfinished, or due a second look."""
    # what a right rail counts is corrected when the box score is, which is asked for anyway
    later = find_boxscore_change() if table is endpoints.RIGHT_RAIL else find_second_look_reason(scope, now)
    # preseason games stay FINAL for ever: once they are three days old, FINAL is as official as they get
    settled = (pl.col("game_type") == 1) & (pl.lit(now) - pl.col("start_at") > RETRY_EVERY_RUN_FOR)
    is_official = (pl.col("last_state") == "OFF") | ((pl.col("last_state") == "FINAL") & settled)
    why = (
        pl.when(pl.col("last_at").is_null())
        .then(pl.lit(NO_CHART if table in endpoints.SHIFT_REPORTS else MISSING))
        .when(pl.col("is_held").not_())
        .then(pl.lit(NOT_FOUND))
        .when(is_official.fill_null(value=False).not_())
        .then(pl.lit(NOT_FINAL))
        .when("is_empty")
        .then(pl.lit(EMPTY_CHART))
        .when(pl.col("reason").is_not_null())
        .then(pl.format("{}: {}", pl.lit(INCOMPLETE), "reason"))
        .when(is_in_lookback(scope, now))
        .then(pl.lit(LOOKBACK))
        .otherwise(later)
    )
    is_incomplete = pl.col("why").is_in([EMPTY_CHART, NOT_FOUND]) | pl.col("why").str.starts_with(INCOMPLETE)
    wanted = is_in_lookback(scope, now) & pl.col("is_held")
    is_due = (
        pl.when(is_incomplete)
        .then(is_backoff_over(now) | later.is_not_null() | wanted)
        .when((pl.col("why") == NOT_FINAL) & (pl.col("game_state") != "OFF"))
        .then(is_retry_due(now) | wanted)
        .otherwise(pl.lit(value=True))
    )
    boxes = seen[endpoints.BOXSCORE.name].select("page", box_at="since_at")
    pages = join_page_history(games, seen, table).join(boxes, on="page", how="left", validate="m:1")
    return pages.with_columns(why=why).with_columns(is_due=is_due)


def filter_games_with_page(table: Table, games: pl.DataFrame) -> pl.DataFrame:
    """Leave the games that such a page can exist of."""
    return games.filter(pl.col("season") >= FIRST_SHIFT_SEASON) if table is endpoints.SHIFT_CHARTS else games


def find_games_without_shifts(seen: PageHistory, final: pl.DataFrame) -> pl.DataFrame:
    """Final games whose shift chart is empty, incomplete or not there."""
    charts = seen[endpoints.SHIFT_CHARTS.name]
    is_without = pl.col("is_empty") | pl.col("is_held").is_null() | pl.col("reason").is_not_null()
    return final.join(charts.filter(is_without), on="page", how="semi")


def plan_overdue_games(seen: PageHistory, games: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Games that must be over though the schedule does not say so: their play-by-play page decides."""
    late = games.filter(
        pl.col("game_state").is_in(FINAL_STATES).not_()
        & (pl.col("schedule_state") == "OK")
        & (pl.lit(now) - pl.col("start_at") > OVERDUE_AFTER)
    )
    return (
        join_page_history(late, seen, endpoints.PLAY_BY_PLAY)
        .filter(pl.col("last_state").is_in(FINAL_STATES).fill_null(value=False).not_())
        .with_columns(why=pl.lit(OVERDUE_REASON), is_due=pl.col("last_at").is_null() | is_retry_due(now))
    )


def plan_standings(seen: PageHistory, games: pl.DataFrame, scope: Scope, now: datetime) -> pl.DataFrame:
    """The standings after each day whose regular-season games are all final."""
    days = (
        games.filter(pl.col("game_type") == 2)
        .group_by("season", "game_date")
        .agg(is_over=pl.col("game_state").is_in(FINAL_STATES).all(), start_at=pl.col("start_at").max())
        .filter("is_over")
        .with_columns(page=pl.col("game_date").cast(pl.String))
    )
    why = (
        pl.when(pl.col("last_at").is_null())
        .then(pl.lit(MISSING))
        .when(pl.col("is_held").not_())
        .then(pl.lit(NOT_FOUND))
        .when(
            (pl.col("last_at") < pl.col("start_at") + STANDINGS_SETTLE_TIME)
            & (pl.lit(now) >= pl.col("start_at") + STANDINGS_SETTLE_TIME)
        )
        .then(pl.lit(REFRESH))
        .when(is_in_lookback(scope, now))
        .then(pl.lit(LOOKBACK))
    )
    at_once = pl.col("why") != NOT_FOUND
    return (
        join_page_history(days, seen, endpoints.STANDINGS)
        .with_columns(why=why)
        .with_columns(is_due=at_once | is_backoff_over(now))
    )


def plan_rosters(seen: PageHistory, games: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """The rosters of the teams that play in the games at hand: once a day until their season is over."""
    teams = (
        games.filter(pl.col("game_type") == 2)  # who plays in the playoffs plays here too; "to be decided" does not
        .select("season", "start_at", team_abbrev=pl.concat_list("home_team_abbrev", "away_team_abbrev"))
        .explode("team_abbrev")
        .group_by("season", "team_abbrev")
        .agg(over_at=pl.col("start_at").max() + RETRY_EVERY_RUN_FOR)
        .sort("season", "team_abbrev")
        .with_columns(page=pl.format("{}/{}", "season", "team_abbrev"))
    )
    return plan_refreshes(
        join_page_history(teams, seen, endpoints.ROSTERS),
        now,
        MAX_ROSTER_AGE,
        while_=pl.col("last_at") < pl.col("over_at"),
    )


def plan_players(seen: PageHistory, people: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """The players met in line-ups and rosters: the missing ones at once, the others once a month."""
    everyone = people.unique().sort("player_id").with_columns(page=pl.col("player_id").cast(pl.String))
    return plan_refreshes(
        join_page_history(everyone, seen, endpoints.PLAYERS), now, MAX_PLAYER_AGE, while_=pl.lit(value=True)
    )


def plan_refreshes(pages: pl.DataFrame, now: datetime, every: timedelta, while_: pl.Expr) -> pl.DataFrame:
    """Pages that change with time: missing ones, those that were not there (weekly), and those that are old."""
    age = pl.lit(now) - pl.col("last_at")
    why = (
        pl.when(pl.col("last_at").is_null())
        .then(pl.lit(MISSING))
        .when(pl.col("is_held").not_())
        .then(pl.lit(NOT_FOUND))
        .when((age >= every) & while_)
        .then(pl.lit(REFRESH))
    )
    return pages.with_columns(why=why).with_columns(is_due=(pl.col("why") != NOT_FOUND) | (age >= RETRY_INTERVAL))
