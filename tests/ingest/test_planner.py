"""The plan is a pure function of the schedule, what bronze has, and the clock."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhl_lake.bronze import endpoints
from nhl_lake.ingest import planner
from nhl_lake.ingest.planner import (
    EMPTY,
    FALLBACK,
    INCOMPLETE,
    INCOMPLETE_SCHEMA,
    LOOKBACK,
    MAX_SECOND_LOOK_GAMES,
    MISSING,
    NOT_FINAL,
    NOT_FOUND,
    OVERDUE_REASON,
    PLAYED_SCHEMA,
    REFRESH,
    Inventory,
    Scope,
    list_incomplete_pages,
    plan_requests,
)
from nhl_lake.schema import columns as c
from nhl_lake.schema import ledger
from nhl_lake.schema.requests import (
    AfterGames,
    OnePerDay,
    OnePerGame,
    OnePerPlayer,
    OnePerSeason,
    OnePerTeamSeason,
    OnePerValue,
    OnePerYear,
)
from nhl_lake.schema.table import Column, Endpoint, Table
from nhl_lake.silver.games import GAMES

SEASON = 20252026
SCOPE = Scope(seasons=(SEASON,), second_looks=())
REPORTS = endpoints.find_fallbacks(endpoints.SHIFT_CHARTS)
GAMES_AND_DAYS = {t.name for t in endpoints.PLANNED_TABLES if isinstance(t.endpoint.request, OnePerGame | OnePerDay)}
FOUR = [table.name for table in endpoints.GAME_PAGES]
EVENING = datetime(2026, 1, 10, 0, 0, tzinfo=UTC)  # 19:00 Eastern on 9 January
MORNING_AFTER = EVENING + timedelta(hours=14)
StoredPage = tuple[Table, str, str | None, datetime]


def game(number: int, *, start: datetime = EVENING, state: str = "OFF", **more: object) -> dict[str, object]:
    row: dict[str, object] = {
        "season": SEASON,
        "game_id": 2025020000 + number,
        "game_type": 2,
        "game_date": (start - timedelta(hours=5)).date(),
        "start_at": start,
        "eastern_offset": "-05:00",
        "venue_offset": "-05:00",
        "venue": None,
        "is_neutral_site": False,
        "home_team_id": 101,
        "home_team_abbrev": "AAA",
        "away_team_id": 102,
        "away_team_abbrev": "BBB",
        "home_score": 3 if state in ("FINAL", "OFF") else None,
        "away_score": 2 if state in ("FINAL", "OFF") else None,
        "last_period_type": "REG" if state in ("FINAL", "OFF") else None,
        "game_state": state,
        "schedule_state": "OK",
    }
    return row | more


def known(
    games: list[dict[str, object]], stored: list[tuple[Table, str, str | None, datetime]] = (), **more: object
) -> Inventory:
    frames = {}
    for table in endpoints.PLANNED_TABLES:
        rows = [(page, state, at) for owner, page, state, at in stored if owner is table]
        frame = pl.DataFrame(
            rows, schema={"page": pl.String, "state": pl.String, "fetched_at": pl.Datetime("us", "UTC")}, orient="row"
        )
        frames[table.name] = frame.with_columns(is_empty=pl.lit(value=False))
    facts: dict[str, object] = {
        "games": pl.DataFrame(games, schema=GAMES.schema),
        "stored": frames,
        "answers": pl.DataFrame(schema=ledger.ANSWERS.schema),
        "player_ids": pl.DataFrame(schema={"player_id": pl.Int64}),
    }
    return Inventory(**(facts | more))


def store_game(
    number: int, *, state: str = "OFF", at: datetime = MORNING_AFTER
) -> list[tuple[Table, str, str, datetime]]:
    return [(table, str(2025020000 + number), state, at) for table in endpoints.GAME_PAGES]


def list_other_pages(table: Table, day: str) -> list[str]:
    """Return the pages of a table that a lake with games of one day has, if they are not of games or players."""
    match table.endpoint.request:
        case OnePerDay():
            pages = [{"season": SEASON, "game_date": day}]
        case OnePerTeamSeason():
            pages = [{"season": SEASON, "team_abbrev": team} for team in ("AAA", "BBB")]
        case OnePerSeason():
            pages = [{"season": SEASON}]
        case OnePerYear():
            pages = [{"year": year} for year in (2025, 2026)]
        case OnePerValue(parameter=parameter, values=values):
            pages = [{parameter: value} for value in values]
        case OnePerGame() | OnePerPlayer() | AfterGames():
            pages = []
        case rule:
            raise TypeError(f"say which pages a complete lake has by {rule}")
    return ["/".join(str(page[name]) for name in table.page_key) for page in pages]


def store_everything(number: int, day: str = "2026-01-09", at: datetime = MORNING_AFTER) -> list[StoredPage]:
    others = [(table, page, None, at) for table in endpoints.PLANNED_TABLES for page in list_other_pages(table, day)]
    return [*store_game(number, at=at), *others]


def with_empty_chart(facts: Inventory, game_id: str) -> Inventory:
    stored = dict(facts.stored)
    charts = stored[endpoints.SHIFT_CHARTS.name]
    stored[endpoints.SHIFT_CHARTS.name] = charts.with_columns(is_empty=pl.col("page") == game_id)
    return replace(facts, stored=stored)


def answers(*rows: tuple[Table, str, str, datetime, str | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"table": t.name, "page": page, "answer": what, "asked_at": at, "state": state, "run_id": "r"}
            for t, page, what, at, state in rows
        ],
        schema=ledger.ANSWERS.schema,
    )


def plan_reasons(facts: Inventory, now: datetime, scope: Scope = SCOPE) -> dict[tuple[str, str], str]:
    return {(row["table"], row["page"]): row["why"] for row in plan_requests(facts, scope, now).iter_rows(named=True)}


def plan_game_reasons(facts: Inventory, now: datetime, number: int = 1, scope: Scope = SCOPE) -> dict[str, str]:
    page = str(2025020000 + number)
    return {table: why for (table, p), why in plan_reasons(facts, now, scope).items() if p == page}


def test_a_final_game_needs_its_four_pages():
    assert plan_game_reasons(known([game(1)]), MORNING_AFTER) == dict.fromkeys(FOUR, MISSING)


@pytest.mark.parametrize("state", ["FUT", "PRE", "LIVE", "CRIT", "OVER"])
def test_a_game_that_is_not_final_needs_no_page(state: str):
    assert plan_game_reasons(known([game(1, state=state)]), EVENING + timedelta(hours=2)) == {}


PLAYED = pl.DataFrame(
    [(2025020000 + n, *player) for n in (1, 2) for player in ((8900001, "skater"), (8900003, "G"))],
    schema=PLAYED_SCHEMA,
    orient="row",
)
DAY = timedelta(days=1)


def plan_pages(table: Table, facts: Inventory, now: datetime, *with_pages: str) -> dict[str, str]:
    """Return the planned pages of a table, and why."""
    scope = replace(SCOPE, with_pages=frozenset(with_pages))
    return {page: why for (name, page), why in plan_reasons(facts, now, scope).items() if name == table.name}


@pytest.mark.parametrize("table", [t for t in endpoints.PLANNED_TABLES if t.endpoint.only_with], ids=lambda t: t.name)
def test_optional_pages_are_requested_only_by_name(table: Table):
    facts = known([game(1)], played=PLAYED)
    name = table.endpoint.only_with or ""

    assert plan_pages(table, facts, MORNING_AFTER) == {}
    assert plan_pages(table, facts, MORNING_AFTER, *{*endpoints.OPTIONAL_PAGES} - {name}) == {}
    assert set(plan_pages(table, facts, MORNING_AFTER, name).values()) == {MISSING}


def test_a_missing_optional_page_does_not_make_a_game_incomplete():
    assert {t.endpoint.only_with for t in endpoints.GAME_PAGES} == {None}


@pytest.mark.parametrize(
    ("table", "page"),
    [
        (endpoints.EDGE_SKATERS, f"{SEASON}/2/8900001"),
        (endpoints.EDGE_GOALIES, f"{SEASON}/2/8900003"),
        (endpoints.EDGE_TEAMS, f"{SEASON}/2/101"),
        (endpoints.EDGE_TEAMS, f"{SEASON}/2/102"),
    ],
)
def test_an_edge_page_is_requested_once_after_each_day_on_which_its_subject_has_played(table: Table, page: str):
    requested: list[datetime] = []
    for hour in range(0, 9 * 24, 4):  # six runs a day
        now = EVENING + timedelta(hours=hour)
        games = [game(1), *([game(2, start=EVENING + 4 * DAY)] if hour > 4 * 24 + 3 else [])]
        stored = [(table, page, None, at) for at in requested[-1:]]
        if page in plan_pages(table, known(games, stored, played=PLAYED), now, "edge"):
            requested.append(now)

    days = [(at - EVENING) / DAY for at in requested]
    # at once; a day later, because the first page came during the game; and after the second game likewise
    assert len(days) == 4
    assert days[0] == 0
    assert 0.8 <= days[1] <= 1
    assert 4 < days[2] < 4.5
    assert 4.9 < days[3] < 5.3


def test_players_of_edge_pages_are_those_who_played_of_their_kind_and_from_the_first_season_on():
    old = game(1, season=20202021, game_id=2020020001)
    early = PLAYED.head(1).with_columns(game_id=pl.lit(2020020001, pl.Int64))
    scope = replace(SCOPE, seasons=(20202021, SEASON), with_pages=frozenset({"edge"}))
    facts = known([old, game(2), game(3, game_type=1)], played=pl.concat([PLAYED, early]))

    assert set(plan_pages(endpoints.EDGE_SKATERS, facts, MORNING_AFTER, "edge")) == {f"{SEASON}/2/8900001"}
    assert set(plan_pages(endpoints.EDGE_GOALIES, facts, MORNING_AFTER, "edge")) == {f"{SEASON}/2/8900003"}
    found = {page for name, page in plan_reasons(facts, MORNING_AFTER, scope) if name == endpoints.EDGE_TEAMS.name}
    assert found == {f"{SEASON}/2/101", f"{SEASON}/2/102"}


def test_an_edge_page_that_is_not_there_is_requested_again_weekly_and_only_after_new_games():
    page = f"{SEASON}/2/8900001"
    asked = answers((endpoints.EDGE_SKATERS, page, "not_there", MORNING_AFTER, None))

    def plan(games: list[dict[str, object]], now: datetime) -> dict[str, str]:
        return plan_pages(endpoints.EDGE_SKATERS, known(games, answers=asked, played=PLAYED), now, "edge")

    assert plan([game(1)], MORNING_AFTER + 300 * DAY) == {}
    later = [game(1), game(2, start=EVENING + 2 * DAY)]
    assert plan(later, MORNING_AFTER + 3 * DAY) == {}
    assert plan(later, MORNING_AFTER + 7 * DAY) == {page: NOT_FOUND}


def test_the_bracket_is_requested_after_days_with_playoff_games_and_at_most_once_a_day():
    table, page = endpoints.PLAYOFF_BRACKET, str(SEASON)
    first = {"game_type": 3, "game_id": 2025030111}
    assert plan_pages(table, known([game(1), game(2, state="FUT", **first)]), MORNING_AFTER) == {}
    begun = [game(1, **first), game(2, start=EVENING + 2 * DAY, game_type=3, game_id=2025030112)]
    assert plan_pages(table, known(begun[:1]), MORNING_AFTER) == {page: MISSING}
    stored = [(table, page, None, MORNING_AFTER)]
    assert plan_pages(table, known(begun[:1], stored), MORNING_AFTER + DAY) == {}
    assert plan_pages(table, known(begun, stored), EVENING + 2 * DAY + timedelta(hours=7)) == {page: REFRESH}
    stored = [(table, page, None, EVENING + 2 * DAY + timedelta(hours=5))]
    assert plan_pages(table, known(begun, stored), EVENING + 2 * DAY + timedelta(hours=7)) == {}
    requests = plan_requests(known(begun[:1]), SCOPE, MORNING_AFTER).filter(pl.col("table") == table.name)
    assert table.endpoint.url(requests.row(0, named=True)).endswith("/v1/playoff-bracket/2026")


def test_odds_are_snapshots_and_the_glossary_is_renewed_seldom():
    stored = [(endpoints.ODDS, "US", None, MORNING_AFTER), (endpoints.GLOSSARY, "en", None, MORNING_AFTER)]
    facts = known([game(1)], stored)

    assert plan_pages(endpoints.ODDS, facts, MORNING_AFTER + timedelta(minutes=30), "odds") == {"CA": MISSING}
    assert plan_pages(endpoints.ODDS, facts, MORNING_AFTER + DAY, "odds") == {"US": REFRESH, "CA": MISSING}
    assert plan_pages(endpoints.GLOSSARY, facts, MORNING_AFTER + 89 * DAY) == {}
    assert plan_pages(endpoints.GLOSSARY, facts, MORNING_AFTER + 90 * DAY) == {"en": REFRESH}


def test_a_gap_is_filled_at_any_age():
    stored = [*store_game(1), *store_game(3)]
    facts = known([game(n, start=EVENING + timedelta(days=n)) for n in (1, 2, 3)], stored)
    a_year_later = EVENING + timedelta(days=365)

    assert plan_game_reasons(facts, a_year_later, number=2) == dict.fromkeys(FOUR, MISSING)
    assert plan_game_reasons(facts, a_year_later, number=1) == {}
    assert plan_game_reasons(facts, a_year_later, number=3) == {}


def test_a_complete_lake_needs_no_page():
    assert plan_reasons(known([game(1)], store_everything(1)), MORNING_AFTER + timedelta(hours=1)) == {}


@pytest.mark.parametrize(
    ("rule", "key", "names", "renewed"),
    [
        (OnePerSeason(refresh_every=timedelta(days=7)), c.season, {str(SEASON)}, {str(SEASON)}),
        (OnePerYear(refresh_every=timedelta(days=7)), c.year, {"2025", "2026"}, {"2026"}),
    ],
)
def test_pages_of_seasons_and_years_are_requested_until_these_are_over(
    rule: OnePerSeason | OnePerYear, key: Column, names: set[str], renewed: set[str], monkeypatch: pytest.MonkeyPatch
):
    endpoint = Endpoint(path="v1/new", parse=lambda body, params: [], request=rule)
    table = endpoints.declare_newest_page("new", "a page", key, endpoint)
    monkeypatch.setattr(endpoints, "PLANNED_TABLES", (*endpoints.PLANNED_TABLES, table))
    monkeypatch.setattr(planner, "REQUEST_SCHEMA", {**planner.REQUEST_SCHEMA, **rule.parameters})

    def list_requested(stored: list[StoredPage], now: datetime) -> set[str]:
        return {page for name, page in plan_reasons(known([game(1)], stored), now) if name == table.name}

    assert list_requested([], MORNING_AFTER) == names
    assert plan_reasons(known([game(1)], store_everything(1)), MORNING_AFTER + timedelta(hours=1)) == {}
    assert list_requested(store_everything(1), MORNING_AFTER + timedelta(days=8)) == renewed
    over = datetime(2027, 1, 1, tzinfo=UTC)
    assert list_requested(store_everything(1, at=over), over + timedelta(days=999)) == set()


def test_final_pages_are_requested_until_they_are_official():
    facts = known([game(1, state="FINAL")], store_game(1, state="FINAL"))

    assert plan_game_reasons(facts, MORNING_AFTER) == dict.fromkeys(FOUR, NOT_FINAL)


def test_a_page_that_turned_official_without_changing_is_complete():
    answered = [(table, "2025020001", "unchanged", MORNING_AFTER, "OFF") for table in endpoints.GAME_PAGES]
    facts = known([game(1)], store_game(1, state="FINAL", at=EVENING), answers=answers(*answered))

    assert plan_game_reasons(facts, MORNING_AFTER) == {}


def test_a_preseason_game_that_stays_final_is_requested_for_three_days():
    facts = known([game(1, state="FINAL", game_type=1)], store_game(1, state="FINAL"))

    assert plan_game_reasons(facts, EVENING + timedelta(days=2)) == dict.fromkeys(FOUR, NOT_FINAL)
    assert plan_game_reasons(facts, EVENING + timedelta(days=4)) == {}


def test_a_page_of_an_unplayed_game_does_not_count():
    facts = known([game(1)], store_game(1, state="FUT"))

    assert plan_game_reasons(facts, MORNING_AFTER) == dict.fromkeys(FOUR, NOT_FINAL)


@pytest.mark.parametrize("schedule_state", ["PPD", "CNCL", "SUSP"])
def test_a_postponed_or_cancelled_game_is_no_gap(schedule_state: str):
    facts = known([game(1, state="FUT", schedule_state=schedule_state)])

    assert plan_game_reasons(facts, EVENING + timedelta(days=1)) == {}


def test_the_play_by_play_page_confirms_that_a_game_is_over_when_the_schedule_lags():
    facts = known([game(1, state="LIVE")])

    assert plan_game_reasons(facts, EVENING + timedelta(hours=5)) == {}
    assert plan_game_reasons(facts, EVENING + timedelta(hours=7)) == {"bronze.play_by_play": OVERDUE_REASON}


def test_an_empty_chart_needs_the_reports_at_once_and_is_requested_at_growing_intervals():
    facts = with_empty_chart(known([game(1)], store_everything(1)), "2025020001")
    reports = {table.name: f"{FALLBACK} bronze.shift_charts" for table in REPORTS}

    assert plan_game_reasons(facts, MORNING_AFTER + timedelta(hours=1)) == reports
    assert plan_game_reasons(facts, MORNING_AFTER + timedelta(days=1)) == {"bronze.shift_charts": EMPTY, **reports}


def test_the_interval_grows_with_the_time_that_a_page_has_been_incomplete():
    look = answers((endpoints.SHIFT_CHARTS, "2025020001", "unchanged", MORNING_AFTER + timedelta(days=4), "OFF"))
    facts = with_empty_chart(known([game(1)], store_everything(1), answers=look), "2025020001")

    assert "bronze.shift_charts" not in plan_game_reasons(facts, MORNING_AFTER + timedelta(days=7))
    assert plan_game_reasons(facts, MORNING_AFTER + timedelta(days=8))["bronze.shift_charts"] == EMPTY


def find_request_days(facts_of: Callable[[list[datetime]], Inventory]) -> list[int]:
    """Return the days of a month on which daily runs request an unchanged page of a game."""
    at, days = [MORNING_AFTER], []
    for day in range(1, 31):
        now = MORNING_AFTER + timedelta(days=day, minutes=-day % 7)
        if "bronze.boxscore" in plan_game_reasons(facts_of(at), now):
            at.append(now)
            days.append(day)
    return days


def test_daily_runs_request_an_incomplete_page_on_fewer_and_fewer_days():
    reason = {"table": "bronze.boxscore", "page": "2025020001", "reason": "a box score has player lines"}
    incomplete = pl.DataFrame([reason], schema=INCOMPLETE_SCHEMA)

    def facts(at: list[datetime]) -> Inventory:
        rows = ((endpoints.BOXSCORE, "2025020001", "unchanged", moment, "OFF") for moment in at[1:])
        return known([game(1)], store_everything(1), answers=answers(*rows), incomplete=incomplete)

    assert find_request_days(facts) == [1, 2, 4, 8, 15, 28]
    assert plan_game_reasons(facts([MORNING_AFTER]), MORNING_AFTER + timedelta(days=1)) == {
        "bronze.boxscore": f"{INCOMPLETE}: a box score has player lines"
    }


def test_an_incomplete_chart_needs_the_reports_too():
    reason = {"table": "bronze.shift_charts", "page": "2025020001", "reason": "shifts cover the ice time"}
    facts = known([game(1)], store_everything(1), incomplete=pl.DataFrame([reason], schema=INCOMPLETE_SCHEMA))
    day_after = MORNING_AFTER + timedelta(days=1)

    assert set(plan_game_reasons(facts, day_after)) == {"bronze.shift_charts", *(t.name for t in REPORTS)}


def test_stored_reports_are_not_requested_again():
    reports = [(table, "2025020001", "OFF", MORNING_AFTER) for table in REPORTS]
    facts = with_empty_chart(known([game(1)], [*store_everything(1), *reports]), "2025020001")

    assert plan_game_reasons(facts, MORNING_AFTER + timedelta(hours=1)) == {}


def test_a_page_that_was_not_found_is_requested_at_growing_intervals():
    rows = [(endpoints.BOXSCORE, "2025020001", "not_there", MORNING_AFTER + timedelta(days=n), "OFF") for n in (0, 2)]
    stored = [page for page in store_everything(1) if page[0] is not endpoints.BOXSCORE]
    facts = known([game(1)], stored, answers=answers(*rows))

    assert plan_game_reasons(facts, MORNING_AFTER + timedelta(days=3)) == {}
    assert plan_game_reasons(facts, MORNING_AFTER + timedelta(days=4)) == {"bronze.boxscore": NOT_FOUND}


def test_a_lost_page_is_missing():
    look = answers((endpoints.BOXSCORE, "2025020001", "unchanged", MORNING_AFTER, "OFF"))
    stored = [page for page in store_everything(1) if page[0] is not endpoints.BOXSCORE]

    assert plan_game_reasons(known([game(1)], stored, answers=look), MORNING_AFTER) == {"bronze.boxscore": MISSING}


WITH_SECOND_LOOKS = Scope(seasons=(SEASON,))
SECOND_LOOK_PAGES = ("bronze.play_by_play", "bronze.boxscore", "bronze.shift_charts")


@pytest.mark.parametrize(
    ("last", "now", "why"),
    [
        (0.6, 0.9, None),
        (0.6, 1.6, "second look 1 day after the game"),
        (1.6, 2.6, None),
        (1.6, 3.6, "second look 3 days after the game"),
        (0.6, 20, "second look 7 days after the game"),  # one look, however many were missed
        (8, 29, None),
        (8, 31, "second look 30 days after the game"),
        (31, 400, None),
        (300, 400, None),
    ],
)
def test_a_game_gets_a_second_look_when_it_has_reached_an_age_since_the_last_request(
    last: float, now: float, why: str | None
):
    facts = known([game(1)], store_everything(1, at=EVENING + timedelta(days=last)))
    found = plan_game_reasons(facts, EVENING + timedelta(days=now), scope=WITH_SECOND_LOOKS)

    assert found == ({} if why is None else dict.fromkeys(SECOND_LOOK_PAGES, why))


def test_daily_runs_give_a_complete_game_four_second_looks():
    def facts(at: list[datetime]) -> Inventory:
        rows = (
            (table, "2025020001", "unchanged", moment, "OFF")
            for moment in at[1:]
            for table in (endpoints.PLAY_BY_PLAY, endpoints.BOXSCORE, endpoints.SHIFT_CHARTS)
        )
        return known([game(1)], store_everything(1), answers=answers(*rows))

    at, days = [MORNING_AFTER], []
    for day in range(1, 60):
        now = MORNING_AFTER + timedelta(days=day)
        if plan_game_reasons(facts(at), now, scope=WITH_SECOND_LOOKS):
            at.append(now)
            days.append(day)
    assert days == [1, 3, 7, 30]


def test_a_lake_that_missed_many_second_looks_catches_up_in_several_runs():
    games = [game(n, start=EVENING - timedelta(days=n)) for n in range(1, MAX_SECOND_LOOK_GAMES + 21)]
    stored = [
        page
        for n in range(1, MAX_SECOND_LOOK_GAMES + 21)
        for page in store_game(n, at=MORNING_AFTER - timedelta(days=n))
    ]
    due = plan_requests(known(games, stored), WITH_SECOND_LOOKS, EVENING + timedelta(days=40))
    looked = due.filter(pl.col("why").str.starts_with("second look"))["game_id"].unique()

    assert sorted(looked.to_list()) == [2025020000 + n for n in range(1, MAX_SECOND_LOOK_GAMES + 1)]  # the newest


def test_shift_charts_of_seasons_without_any_are_not_requested():
    facts = known([game(1, season=19971998, game_id=1997020001)])
    scope = Scope(seasons=(19971998,))

    assert {table for table, page in plan_reasons(facts, MORNING_AFTER, scope) if page == "1997020001"} == {
        "bronze.play_by_play", "bronze.boxscore", "bronze.right_rail"
    }  # fmt: skip


def test_lookback_requests_complete_games_of_the_last_days_only():
    games = [game(1), game(2, start=EVENING - timedelta(days=3))]
    facts = known(games, [*store_game(1), *store_game(2)])
    scope = Scope(seasons=(SEASON,), second_looks=(), lookback_days=1)

    assert plan_game_reasons(facts, MORNING_AFTER, 1, scope) == dict.fromkeys(FOUR, LOOKBACK)
    assert plan_game_reasons(facts, MORNING_AFTER, 2, scope) == {}


def test_since_and_game_types_limit_the_plan():
    games = [game(1), game(2, start=EVENING - timedelta(days=3)), game(3, game_type=4)]
    pages = {
        page for _, page in plan_reasons(known(games), MORNING_AFTER, Scope(seasons=(SEASON,), since=date(2026, 1, 8)))
    }

    assert "2025020001" in pages
    assert not {"2025020002", "2025020003"} & pages
    stars = Scope(seasons=(SEASON,), game_types=frozenset({4}))
    assert set(plan_game_reasons(known(games), MORNING_AFTER, 3, stars)) == set(FOUR)


def test_the_newest_games_come_first():
    facts = known([game(n, start=EVENING - timedelta(days=n)) for n in range(5)])
    games = plan_requests(facts, SCOPE, MORNING_AFTER).filter(pl.col("game_id").is_not_null())["game_id"].to_list()

    assert games == sorted(games)  # later numbers are older here


def test_standings_are_requested_after_the_last_game_of_a_day_and_once_more_the_next_day():
    two = [game(1), game(2, state="LIVE")]
    assert (endpoints.STANDINGS.name, "2026-01-09") not in plan_reasons(known(two), EVENING + timedelta(hours=3))

    late_evening = EVENING + timedelta(hours=4)
    facts = known([game(1)], store_everything(1, at=late_evening))
    assert (endpoints.STANDINGS.name, "2026-01-09") not in plan_reasons(facts, late_evening + timedelta(hours=1))
    assert (endpoints.STANDINGS.name, "2026-01-09") in plan_reasons(facts, MORNING_AFTER)


def test_rosters_are_renewed_daily_until_the_season_is_over():
    facts = known([game(1)], store_everything(1))
    rosters = {(endpoints.ROSTERS.name, f"{SEASON}/{team}") for team in ("AAA", "BBB")}

    assert not rosters & set(plan_reasons(facts, MORNING_AFTER + timedelta(hours=10)))
    assert rosters <= set(plan_reasons(facts, MORNING_AFTER + timedelta(hours=21)))
    over = known([game(1)], store_everything(1, at=EVENING + timedelta(days=4)))
    assert not rosters & set(plan_reasons(over, EVENING + timedelta(days=100)))


def test_club_stats_are_renewed_once_a_week_until_the_season_is_over():
    def days_requested(facts_of: Callable[[list[datetime]], Inventory]) -> list[int]:
        requested: list[datetime] = []
        days = []
        for day in range(30):
            now = MORNING_AFTER + timedelta(days=day)
            if (endpoints.CLUB_STATS.name, f"{SEASON}/AAA") in plan_reasons(facts_of(requested), now):
                requested.append(now)
                days.append(day)
        return days

    def facts(requested: list[datetime]) -> Inventory:
        stored = [(endpoints.CLUB_STATS, f"{SEASON}/AAA", None, requested[-1])] if requested else []
        return known([game(1), game(2, start=EVENING + timedelta(days=12), state="FUT")], stored)

    assert days_requested(facts) == [0, 7, 14, 21]  # the last one comes after the last game
    assert days_requested(lambda _: known([game(1, state="FUT")])) == []


def test_players_are_requested_when_they_first_appear_and_once_a_month():
    met = pl.DataFrame({"player_id": [8900001, 8900002, 8900001]})
    facts = known([], [(endpoints.PLAYERS, "8900001", None, MORNING_AFTER)], player_ids=met)

    assert plan_pages(endpoints.PLAYERS, facts, MORNING_AFTER) == {"8900002": MISSING}
    assert "8900001" in plan_pages(endpoints.PLAYERS, facts, MORNING_AFTER + timedelta(days=30))


@pytest.mark.parametrize(
    ("now", "last_day_looked_at"),
    [
        ("2026-01-10T14:00:00+00:00", "2026-01-09"),  # 09:00 Eastern
        ("2026-01-11T04:59:00+00:00", "2026-01-09"),  # 23:59 Eastern, still the 10th
        ("2026-01-11T05:30:00+00:00", "2026-01-10"),  # 00:30 Eastern, the 11th
        ("2026-03-08T06:59:00+00:00", "2026-03-07"),  # a minute before the clocks change
        ("2026-03-09T03:30:00+00:00", "2026-03-07"),  # 23:30 Eastern on the day they changed
        ("2025-11-02T05:30:00+00:00", "2025-11-01"),  # the hour that comes twice
        ("2026-07-20T16:00:00+00:00", "2026-07-19"),  # off-season: nothing was played
    ],
)
def test_lookback_counts_days_in_new_york(now: str, last_day_looked_at: str):
    at = datetime.fromisoformat(now)
    first = date.fromisoformat(last_day_looked_at)
    games = [
        game(n, start=at - timedelta(days=40), game_date=first + timedelta(days=n)) for n in (-1, 0)
    ]  # only the day in the schedule counts
    stored = [page for n in (-1, 0) for page in store_game(n, at=at - timedelta(hours=1))]
    scope = Scope(seasons=(SEASON,), second_looks=(), lookback_days=1)

    assert plan_game_reasons(known(games, stored), at, 0, scope) == dict.fromkeys(FOUR, LOOKBACK)
    assert plan_game_reasons(known(games, stored), at, -1, scope) == {}


def test_opening_night_needs_the_first_games_and_not_before():
    opening = [game(n, state="FUT") for n in (1, 2)]
    during = known(opening)
    assert not {table for table, _ in plan_reasons(during, EVENING + timedelta(hours=1))} & GAMES_AND_DAYS

    after = known([game(1, state="FINAL"), game(2, state="LIVE")])
    assert plan_game_reasons(after, EVENING + timedelta(hours=3), 1) == dict.fromkeys(FOUR, MISSING)
    assert plan_game_reasons(after, EVENING + timedelta(hours=3), 2) == {}


def test_a_break_of_three_weeks_needs_no_game():
    facts = known([game(1), game(2, start=EVENING + timedelta(days=21), state="FUT")], store_everything(1))
    pages = plan_reasons(facts, EVENING + timedelta(days=15))

    assert not {table for table, _ in pages} & GAMES_AND_DAYS


@given(removed=st.sets(st.integers(1, 30)), now=st.integers(1, 400))
def test_the_plan_names_exactly_the_missing_games(removed: set[int], now: int):
    games = [game(n, start=EVENING - timedelta(days=n)) for n in range(1, 31)]
    stored = [page for n in range(1, 31) if n not in removed for page in store_game(n)]
    facts = known(games, stored)
    gone = {str(2025020000 + n) for n in removed}

    planned = list(plan_reasons(facts, MORNING_AFTER + timedelta(days=now)))
    for table in endpoints.GAME_PAGES:
        assert {page for name, page in planned if name == table.name} == gone


def test_the_plan_names_each_page_once():
    games = [game(n, start=EVENING - timedelta(days=n % 4)) for n in range(1, 9)]
    pages = plan_requests(known(games), SCOPE, MORNING_AFTER)

    assert pages.select("table", "page").is_unique().all()


def test_a_right_rail_gets_a_second_look_only_when_the_box_score_has_changed():
    now = MORNING_AFTER + 3 * timedelta(days=1)
    same = known([game(1)], store_everything(1))
    box = [page for page in store_everything(1) if page[0] is not endpoints.BOXSCORE]
    box.append((endpoints.BOXSCORE, "2025020001", "OFF", MORNING_AFTER + timedelta(days=2)))
    scope = Scope(seasons=(SEASON,))
    rail = (endpoints.RIGHT_RAIL.name, "2025020001")

    assert rail not in plan_reasons(same, now, scope)
    assert plan_reasons(known([game(1)], box), now, scope)[rail] == "second look: bronze.boxscore has changed"


def test_a_plan_with_every_step_of_the_ladder_stays_as_it_is():
    """Pin the order, the reasons and the due dates of a plan in which every reason has a page."""
    two_days = MORNING_AFTER + timedelta(days=2)
    games = [
        game(1),  # complete
        game(2, start=EVENING - timedelta(days=1)),  # nothing is stored
        game(3, start=EVENING - timedelta(days=2)),  # its chart is empty, its box score was not found
        game(4, start=EVENING + timedelta(days=1), state="LIVE"),  # must be over
        game(5, start=EVENING + timedelta(days=1), state="FINAL"),  # stored, not official
        game(6, start=EVENING - timedelta(days=9)),  # a page fails a check
    ]
    stored = [
        *store_everything(1),
        *store_game(3),
        *store_game(5, state="FINAL"),
        *store_game(6),
        (endpoints.PLAYERS, "8900001", None, EVENING),
    ]
    stored = [page for page in stored if page[:2] != (endpoints.BOXSCORE, "2025020003")]
    reason = {"table": "bronze.play_by_play", "page": "2025020006", "reason": "fails 'x'"}
    facts = known(
        games,
        stored,
        answers=answers((endpoints.BOXSCORE, "2025020003", "not_there", MORNING_AFTER, "OFF")),
        incomplete=pl.DataFrame([reason], schema=INCOMPLETE_SCHEMA),
        player_ids=pl.DataFrame({"player_id": [8900002, 8900001]}),
    )
    facts = with_empty_chart(facts, "2025020003")
    pages = list_incomplete_pages(facts, WITH_SECOND_LOOKS, two_days)

    first, third = "second look 1 day after the game", "second look 3 days after the game"
    expected = [
        *((table, "2025020005", NOT_FINAL, True) for table in FOUR),
        ("bronze.play_by_play", "2025020004", OVERDUE_REASON, True),
        *((table, "2025020001", first, True) for table in SECOND_LOOK_PAGES),
        *((table, "2025020002", MISSING, True) for table in FOUR),
        ("bronze.standings", "2026-01-08", MISSING, True),
        ("bronze.play_by_play", "2025020003", third, True),
        ("bronze.boxscore", "2025020003", NOT_FOUND, True),
        ("bronze.shift_charts", "2025020003", EMPTY, True),
        *((table.name, "2025020003", f"{FALLBACK} bronze.shift_charts", True) for table in REPORTS),
        ("bronze.standings", "2026-01-07", MISSING, True),
        ("bronze.play_by_play", "2025020006", f"{INCOMPLETE}: fails 'x'", True),
        ("bronze.standings", "2025-12-31", MISSING, True),
        *(("bronze.rosters", f"{SEASON}/{team}", REFRESH, True) for team in ("AAA", "BBB")),
        ("bronze.players", "8900002", MISSING, True),
    ]
    names = {table for table, *_ in expected}  # pages that were declared later have their own tests
    assert [row for row in pages.select("table", "page", "why", "is_due").rows() if row[0] in names] == expected
