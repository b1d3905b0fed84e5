"""Tests of games, on handwritten schedule entries."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nhl_lake.bronze.endpoints import SCHEDULE
from nhl_lake.bronze.validation import ScheduledGame, Side, parse_scheduled_game
from nhl_lake.errors import ValidationFailed
from nhl_lake.schema import checks
from nhl_lake.schema.ledger import LISTINGS
from nhl_lake.silver.games import GAMES, GameEntry, Team, games
from nhl_lake.store.delta_tables import filter_newest_pages
from tests.league.league_pages import get_league, get_page

NEVER = pl.LazyFrame(schema=LISTINGS.schema)  # no game is gone
OCTOBER, JANUARY = date(2023, 10, 10), date(2024, 1, 9)


def make_entry(number: int = 1, **entry: Any) -> dict[str, Any]:
    """Return a game's entry in the schedule."""
    return {
        "id": 2023020000 + number,
        "season": 20232024,
        "gameType": 2,
        "startTimeUTC": "2023-10-10T23:30:00Z",
        "easternUTCOffset": "-04:00",
        "venueUTCOffset": "-05:00",
        "gameState": "FUT",
        "gameScheduleState": "OK",
        "venue": {"default": "Ice Barn"},
        "neutralSite": False,
        "homeTeam": {"id": 1, "abbrev": "HOM", "placeName": {"default": "Home"}},
        "awayTeam": {"id": 2, "abbrev": "AWA", "placeName": {"default": "Away"}},
        **entry,
    }


def make_sides(home: int, away: int) -> dict[str, Any]:
    return {
        "homeTeam": {"id": 1, "abbrev": "HOM", "score": home},
        "awayTeam": {"id": 2, "abbrev": "AWA", "score": away},
    }


def make_schedule(*entries: dict[str, Any], day: date = OCTOBER) -> pl.LazyFrame:
    bodies = [json.dumps(entry) for entry in entries]
    return pl.LazyFrame({"game_date": day, "body": bodies}, schema={"game_date": pl.Date, "body": pl.String})


def build_games(*entries: dict[str, Any], day: date = OCTOBER) -> pl.DataFrame:
    return games(make_schedule(*entries, day=day), NEVER).collect()


def make_listing(number: int, hour: int, *, is_listed: bool) -> dict[str, Any]:
    at = datetime(2023, 10, 9, hour, tzinfo=UTC)
    about = {"season": 20232024, "game_id": 2023020000 + number, "run_id": "a"}
    return {**about, "asked_at": at, "is_listed": is_listed}


def test_upcoming_game_is_gone_while_the_schedule_does_not_list_it():
    result = [
        make_listing(1, 1, is_listed=False), make_listing(2, 1, is_listed=False), make_listing(2, 2, is_listed=True),
        make_listing(3, 2, is_listed=False), make_listing(3, 1, is_listed=True), make_listing(4, 1, is_listed=False),
    ]  # fmt: skip
    listings = pl.LazyFrame(result, schema=LISTINGS.schema)
    played = make_entry(4, gameState="OFF", gameOutcome={"lastPeriodType": "REG"}, **make_sides(3, 2))
    found = (
        games(make_schedule(make_entry(1), make_entry(2), make_entry(3), played, make_entry(5)), listings)
        .collect()
        .sort("game_id")
    )

    assert found["schedule_state"].to_list() == ["GONE", "OK", "GONE", "OK", "OK"]
    checks.validate_rows(GAMES, found)


def test_upcoming_game_is_one_row_without_a_score():
    assert build_games(make_entry()).to_dicts() == [
        {
            "season": 20232024,
            "game_id": 2023020001,
            "game_type": 2,
            "game_date": OCTOBER,
            "start_at": datetime(2023, 10, 10, 23, 30, tzinfo=UTC),
            "eastern_offset": "-04:00",
            "venue_offset": "-05:00",
            "venue": "Ice Barn",
            "is_neutral_site": False,
            "home_team_id": 1,
            "home_team_abbrev": "HOM",
            "away_team_id": 2,
            "away_team_abbrev": "AWA",
            "home_score": None,
            "away_score": None,
            "last_period_type": None,
            "is_shootout": None,
            "periods": None,
            "game_state": "FUT",
            "schedule_state": "OK",
        }
    ]


def test_schema_is_the_declared_one_even_without_games():
    assert build_games().schema == GAMES.schema
    assert build_games(make_entry()).schema == GAMES.schema
    assert build_games().is_empty()


@pytest.mark.parametrize("state", ["FINAL", "OFF"])
@pytest.mark.parametrize("last", ["REG", "OT", "SO"])
def test_final_game_has_its_score_and_last_period(state: str, last: str):
    periods = {"REG": 3, "OT": 4, "SO": 5}[last]
    result = {"gameOutcome": {"lastPeriodType": last}, "periodDescriptor": {"number": periods, "periodType": last}}
    final = make_entry(gameState=state, **result, **make_sides(3, 2))

    (row,) = build_games(final).to_dicts()

    assert (row["home_score"], row["away_score"], row["last_period_type"]) == (3, 2, last)
    assert (row["is_shootout"], row["periods"]) == (last == "SO", periods)
    checks.validate_rows(GAMES, build_games(final))


@pytest.mark.parametrize("state", ["FUT", "PRE", "LIVE", "CRIT", "OVER"])
def test_game_that_is_not_final_has_no_score(state: str):
    result = {"gameOutcome": {"lastPeriodType": "REG"}, "periodDescriptor": {"number": 1, "periodType": "REG"}}
    unfinished = make_entry(gameState=state, **result, **make_sides(3, 2))

    (row,) = build_games(unfinished).to_dicts()

    assert (row["home_score"], row["away_score"], row["last_period_type"]) == (None, None, None)
    assert (row["is_shootout"], row["periods"]) == (None, None)
    checks.validate_rows(GAMES, build_games(unfinished))


def test_unplayed_game_with_zero_scores_has_no_score():
    (row,) = build_games(make_entry(**make_sides(0, 0))).to_dicts()

    assert (row["home_score"], row["away_score"]) == (None, None)


def make_version(entry: dict[str, Any], day: date, minute: int) -> dict[str, Any]:
    """Return a row of `bronze.schedule`, as far as it matters here."""
    fetched_at = datetime(2023, 10, 1, 12, minute, tzinfo=UTC)
    return {
        "season": 20232024,
        "game_id": entry["id"],
        "fetched_at": fetched_at,
        "game_date": day,
        "body": json.dumps(entry),
    }


def test_postponed_game_has_one_row_with_its_new_day():
    versions = pl.LazyFrame(
        [
            make_version(make_entry(1), OCTOBER, 0),
            make_version(make_entry(2), OCTOBER, 0),
            make_version(make_entry(1, gameScheduleState="PPD"), OCTOBER, 1),
            make_version(make_entry(1, startTimeUTC="2024-01-10T00:30:00Z"), JANUARY, 2),
        ]
    )

    found = games(filter_newest_pages(versions, SCHEDULE), NEVER).collect().sort("game_id")

    assert_frame_equal(
        found.select("game_id", "game_date", "start_at", "schedule_state"),
        pl.DataFrame(
            {
                "game_id": [2023020001, 2023020002],
                "game_date": [JANUARY, OCTOBER],
                "start_at": [datetime(2024, 1, 10, 0, 30, tzinfo=UTC), datetime(2023, 10, 10, 23, 30, tzinfo=UTC)],
                "schedule_state": ["OK", "OK"],
            },
            schema_overrides={"start_at": pl.Datetime("us", "UTC")},
        ),
    )


def test_game_date_is_the_day_of_the_schedule_not_of_utc():
    (row,) = build_games(make_entry(startTimeUTC="2023-10-11T02:30:00Z")).to_dicts()

    assert (row["game_date"], row["start_at"].date()) == (OCTOBER, date(2023, 10, 11))


@pytest.mark.parametrize("odd", ["1", "", "-5:00", "-05:00:00", "-0x:00", "−05:00", "x" * 50_000, None])
def test_offset_that_is_none_is_unknown(odd: str | None):
    (row,) = build_games(make_entry(venueUTCOffset=odd)).to_dicts()
    assert (row["eastern_offset"], row["venue_offset"]) == ("-04:00", None)


def test_postponed_game_stays_upcoming():
    (row,) = build_games(make_entry(gameScheduleState="PPD")).to_dicts()

    assert (row["game_state"], row["schedule_state"], row["home_score"]) == ("FUT", "PPD", None)


def test_name_may_be_plain_or_missing():
    plain = build_games(
        make_entry(1, venue="Old Barn"), {k: v for k, v in make_entry(2).items() if k not in {"venue", "neutralSite"}}
    )

    assert plain["venue"].to_list() == ["Old Barn", None]
    assert plain["is_neutral_site"].to_list() == [False, None]


def test_result_of_a_final_game_is_null_if_the_entry_has_none():
    (row,) = build_games(make_entry(gameState="OFF", **make_sides(3, 2))).to_dicts()

    assert (row["last_period_type"], row["is_shootout"], row["periods"]) == (None, None, None)


def test_entries_that_bronze_accepts_can_be_read():
    def required(kind: type[msgspec.Struct]) -> set[str]:
        return {field.name for field in msgspec.structs.fields(kind) if field.required}

    assert required(GameEntry) <= required(ScheduledGame)
    assert required(Team) <= required(Side)


@pytest.mark.parametrize("name", ["id", "season", "gameState", "startTimeUTC", "homeTeam"])
def test_entry_without_a_required_key_raises_with_its_path(name: str):
    entry = {key: value for key, value in make_entry().items() if key != name}

    with pytest.raises(ValidationFailed, match=name):
        build_games(entry)


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        (
            {"gameState": "OFF", "gameOutcome": {"lastPeriodType": "2OT"}, **make_sides(2, 1)},
            "last_period_type is one of",
        ),
        ({"gameState": "OFF", **make_sides(2, 2)}, "a final game has a winner"),
        ({"awayTeam": {"id": 1, "abbrev": "HOM"}}, "home and away are different teams"),
    ],
)
def test_new_values_of_the_api_break_a_check(entry: dict[str, Any], rule: str):
    with pytest.raises(ValidationFailed, match=rule):
        checks.validate_rows(GAMES, build_games(make_entry(**entry)))


def test_game_with_two_undecided_teams_is_upcoming():
    undecided = {"id": 70, "abbrev": "TBD"}
    found = build_games(make_entry(gameScheduleState="TBD", homeTeam=undecided, awayTeam=undecided))

    checks.validate_rows(GAMES, found)
    assert found.select("home_team_abbrev", "away_team_abbrev", "game_state").row(0) == ("TBD", "TBD", "FUT")


def test_final_game_of_a_team_against_itself_is_invalid():
    undecided = {"id": 70, "abbrev": "TBD", "score": 1}
    with pytest.raises(ValidationFailed, match="home and away are different teams"):
        checks.validate_rows(
            GAMES, build_games(make_entry(gameState="OFF", homeTeam=undecided, awayTeam={**undecided, "score": 2}))
        )


@pytest.mark.parametrize(
    "about",
    [{"gameType": 1, "id": 2023010001}, {"season": 20032004, "id": 2003020001, "startTimeUTC": "2003-10-10T23:30:00Z"}],
)
def test_preseason_and_old_games_may_be_tied(about: dict[str, Any]):
    found = build_games(make_entry(gameState="FINAL", **about, **make_sides(1, 1)))

    checks.validate_rows(GAMES, found)
    assert found.select("home_score", "away_score").row(0) == (1, 1)


@pytest.mark.parametrize(
    ("invalid", "column"),
    [
        ({"venue": 7}, "venue"),
        ({"neutralSite": "no"}, "is_neutral_site"),
        ({"easternUTCOffset": 4}, "eastern_offset"),
        ({"venueUTCOffset": []}, "venue_offset"),
        ({"gameOutcome": "REG"}, "last_period_type"),
        ({"periodDescriptor": {"number": "three"}}, "periods"),
        ({"homeTeam": {"id": 1, "abbrev": "HOM", "score": "two"}}, "home_score"),
    ],
)
def test_invalid_field_costs_only_that_field(invalid: dict[str, Any], column: str):
    entry = make_entry(
        gameState="OFF", **make_sides(3, 2), gameOutcome={"lastPeriodType": "REG"}, periodDescriptor={"number": 3}
    )
    part = parse_scheduled_game(OCTOBER, msgspec.Raw(json.dumps(entry | invalid).encode()))
    (complete,), (row,) = build_games(entry).to_dicts(), build_games(entry | invalid).to_dicts()

    assert part.key == {"game_id": row["game_id"]}
    assert row[column] is None
    lost = {name for name in row if row[name] != complete[name]}
    assert lost <= {column, "is_shootout"}


def test_unknown_states_are_stored():
    (row,) = build_games(make_entry(gameState="HALF", gameScheduleState="LATE")).to_dicts()

    assert (row["game_state"], row["schedule_state"]) == ("HALF", "LATE")


@pytest.mark.league
def test_league_games_match_its_books():
    first = get_league().engine.season(20242025).start + timedelta(days=30)
    week = get_page(f"/v1/schedule/{first}")["gameWeek"]
    parts = [make_schedule(*found["games"], day=date.fromisoformat(found["date"])) for found in week if found["games"]]
    found = games(pl.concat(parts), NEVER).collect()
    checks.validate_rows(GAMES, found)

    assert found.height > 40
    for row in found.to_dicts():
        about, story = get_league().engine.find_game(row["game_id"]), get_league().engine.get_outcome(row["game_id"])
        assert about is not None
        assert (row["game_date"], row["start_at"]) == (about.day, about.start)
        assert (row["home_team_id"], row["away_team_id"]) == (about.home_id, about.away_id)
        if about.is_played:
            assert (row["home_score"], row["away_score"]) == story.score
            assert (row["last_period_type"], row["periods"]) == (story.last_period_type, story.last_period)
            assert row["is_shootout"] == (story.last_period_type == "SO")
