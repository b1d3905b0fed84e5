"""Games, from hand-typed entries of a schedule."""

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

NEVER = pl.LazyFrame(schema=LISTINGS.schema)  # nothing was ever seen to be gone
OCTOBER, JANUARY = date(2023, 10, 10), date(2024, 1, 9)


def entry(number: int = 1, **said: Any) -> dict[str, Any]:
    """Return a game as the schedule tells it."""
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
        **said,
    }


def sides(home: int, away: int) -> dict[str, Any]:
    return {
        "homeTeam": {"id": 1, "abbrev": "HOM", "score": home},
        "awayTeam": {"id": 2, "abbrev": "AWA", "score": away},
    }


def schedule(*entries: dict[str, Any], day: date = OCTOBER) -> pl.LazyFrame:
    bodies = [json.dumps(said) for said in entries]
    return pl.LazyFrame({"game_date": day, "body": bodies}, schema={"game_date": pl.Date, "body": pl.String})


def rows(*entries: dict[str, Any], day: date = OCTOBER) -> pl.DataFrame:
    return games(schedule(*entries, day=day), NEVER).collect()


def listing(number: int, hour: int, *, is_listed: bool) -> dict[str, Any]:
    at = datetime(2023, 10, 9, hour, tzinfo=UTC)
    about = {"season": 20232024, "game_id": 2023020000 + number, "run_id": "a"}
    return {**about, "asked_at": at, "is_listed": is_listed}


def test_a_game_to_come_that_the_schedule_lists_no_more_is_gone_until_it_is_listed_again():
    told = [
        listing(1, 1, is_listed=False), listing(2, 1, is_listed=False), listing(2, 2, is_listed=True),
        listing(3, 2, is_listed=False), listing(3, 1, is_listed=True), listing(4, 1, is_listed=False),
    ]  # fmt: skip
    seen = pl.LazyFrame(told, schema=LISTINGS.schema)
    played = entry(4, gameState="OFF", gameOutcome={"lastPeriodType": "REG"}, **sides(3, 2))
    found = games(schedule(entry(1), entry(2), entry(3), played, entry(5)), seen).collect().sort("game_id")

    assert found["schedule_state"].to_list() == ["GONE", "OK", "GONE", "OK", "OK"]
    checks.validate_rows(GAMES, found)


def test_a_game_to_come_is_one_row_without_a_score():
    assert rows(entry()).to_dicts() == [
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


def test_the_frame_is_what_the_table_declares_even_without_games():
    assert rows().schema == GAMES.schema
    assert rows(entry()).schema == GAMES.schema
    assert rows().is_empty()


@pytest.mark.parametrize("state", ["FINAL", "OFF"])
@pytest.mark.parametrize("last", ["REG", "OT", "SO"])
def test_a_final_game_has_its_score_and_where_it_was_decided(state: str, last: str):
    periods = {"REG": 3, "OT": 4, "SO": 5}[last]
    told = {"gameOutcome": {"lastPeriodType": last}, "periodDescriptor": {"number": periods, "periodType": last}}
    final = entry(gameState=state, **told, **sides(3, 2))

    (row,) = rows(final).to_dicts()

    assert (row["home_score"], row["away_score"], row["last_period_type"]) == (3, 2, last)
    assert (row["is_shootout"], row["periods"]) == (last == "SO", periods)
    checks.validate_rows(GAMES, rows(final))


@pytest.mark.parametrize("state", ["FUT", "PRE", "LIVE", "CRIT", "OVER"])
def test_a_game_that_is_not_final_has_no_score_whatever_the_schedule_says(state: str):
    told = {"gameOutcome": {"lastPeriodType": "REG"}, "periodDescriptor": {"number": 1, "periodType": "REG"}}
    unfinished = entry(gameState=state, **told, **sides(3, 2))

    (row,) = rows(unfinished).to_dicts()

    assert (row["home_score"], row["away_score"], row["last_period_type"]) == (None, None, None)
    assert (row["is_shootout"], row["periods"]) == (None, None)
    checks.validate_rows(GAMES, rows(unfinished))


def test_an_unplayed_game_that_says_zero_to_zero_is_no_final_zero():
    (row,) = rows(entry(**sides(0, 0))).to_dicts()

    assert (row["home_score"], row["away_score"]) == (None, None)


def version(said: dict[str, Any], day: date, minute: int) -> dict[str, Any]:
    """Return a row of `bronze.schedule`, as far as it matters here."""
    fetched_at = datetime(2023, 10, 1, 12, minute, tzinfo=UTC)
    return {
        "season": 20232024,
        "game_id": said["id"],
        "fetched_at": fetched_at,
        "game_date": day,
        "body": json.dumps(said),
    }


def test_a_postponed_game_has_one_row_with_its_new_day():
    kept = pl.LazyFrame(
        [
            version(entry(1), OCTOBER, 0),
            version(entry(2), OCTOBER, 0),
            version(entry(1, gameScheduleState="PPD"), OCTOBER, 1),
            version(entry(1, startTimeUTC="2024-01-10T00:30:00Z"), JANUARY, 2),
        ]
    )

    found = games(filter_newest_pages(kept, SCHEDULE), NEVER).collect().sort("game_id")

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


def test_the_day_of_a_game_is_the_one_that_it_stands_under_not_that_of_utc():
    (row,) = rows(entry(startTimeUTC="2023-10-11T02:30:00Z")).to_dicts()

    assert (row["game_date"], row["start_at"].date()) == (OCTOBER, date(2023, 10, 11))


def test_a_game_that_was_put_off_stays_a_game_to_come():
    (row,) = rows(entry(gameScheduleState="PPD")).to_dicts()

    assert (row["game_state"], row["schedule_state"], row["home_score"]) == ("FUT", "PPD", None)


def test_a_name_may_be_plain_text_or_absent():
    plain = rows(entry(1, venue="Old Barn"), {k: v for k, v in entry(2).items() if k not in {"venue", "neutralSite"}})

    assert plain["venue"].to_list() == ["Old Barn", None]
    assert plain["is_neutral_site"].to_list() == [False, None]


def test_how_a_final_game_ended_is_unknown_where_the_entry_does_not_say():
    (row,) = rows(entry(gameState="OFF", **sides(3, 2))).to_dicts()

    assert (row["last_period_type"], row["is_shootout"], row["periods"]) == (None, None, None)


def test_what_bronze_lets_in_can_be_read():
    def required(kind: type[msgspec.Struct]) -> set[str]:
        return {field.name for field in msgspec.structs.fields(kind) if field.required}

    assert required(GameEntry) <= required(ScheduledGame)
    assert required(Team) <= required(Side)


@pytest.mark.parametrize("name", ["id", "season", "gameState", "startTimeUTC", "homeTeam"])
def test_an_entry_that_lacks_what_a_row_needs_stops_the_table_by_name(name: str):
    said = {key: value for key, value in entry().items() if key != name}

    with pytest.raises(ValidationFailed, match=name):
        rows(said)


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ({"gameState": "OFF", "gameOutcome": {"lastPeriodType": "2OT"}, **sides(2, 1)}, "last_period_type is one of"),
        ({"gameState": "OFF", **sides(2, 2)}, "a final game has a winner"),
        ({"awayTeam": {"id": 1, "abbrev": "HOM"}}, "two different teams"),
    ],
)
def test_news_from_the_api_are_refused_by_rule(said: dict[str, Any], rule: str):
    with pytest.raises(ValidationFailed, match=rule):
        checks.validate_rows(GAMES, rows(entry(**said)))


def test_two_teams_that_are_not_known_yet_are_a_game_to_come():
    nobody = {"id": 70, "abbrev": "TBD"}
    found = rows(entry(gameScheduleState="TBD", homeTeam=nobody, awayTeam=nobody))

    checks.validate_rows(GAMES, found)
    assert found.select("home_team_abbrev", "away_team_abbrev", "game_state").row(0) == ("TBD", "TBD", "FUT")


def test_a_final_game_of_a_team_against_itself_is_refused():
    nobody = {"id": 70, "abbrev": "TBD", "score": 1}
    with pytest.raises(ValidationFailed, match="two different teams"):
        checks.validate_rows(GAMES, rows(entry(gameState="OFF", homeTeam=nobody, awayTeam={**nobody, "score": 2})))


@pytest.mark.parametrize("about", [{"gameType": 1, "id": 2023010001}, {"season": 20032004, "id": 2003020001}])
def test_a_preseason_game_and_a_game_of_old_may_be_tied(about: dict[str, Any]):
    found = rows(entry(gameState="FINAL", **about, **sides(1, 1)))

    checks.validate_rows(GAMES, found)
    assert found.select("home_score", "away_score").row(0) == (1, 1)


@pytest.mark.parametrize(
    ("odd", "column"),
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
def test_an_odd_field_of_an_entry_costs_that_field_only(odd: dict[str, Any], column: str):
    said = entry(gameState="OFF", **sides(3, 2), gameOutcome={"lastPeriodType": "REG"}, periodDescriptor={"number": 3})
    part = parse_scheduled_game(OCTOBER, msgspec.Raw(json.dumps(said | odd).encode()))
    (whole,), (row,) = rows(said).to_dicts(), rows(said | odd).to_dicts()

    assert part.key == {"game_id": row["game_id"]}
    assert row[column] is None
    lost = {name for name in row if row[name] != whole[name]}
    assert lost <= {column, "is_shootout"}


def test_states_that_nobody_knows_are_kept():
    (row,) = rows(entry(gameState="HALF", gameScheduleState="LATE")).to_dicts()

    assert (row["game_state"], row["schedule_state"]) == ("HALF", "LATE")


def test_the_games_of_the_league_are_those_of_its_books():
    first = get_league().engine.season(20242025).start + timedelta(days=30)
    week = get_page(f"/v1/schedule/{first}")["gameWeek"]
    parts = [schedule(*found["games"], day=date.fromisoformat(found["date"])) for found in week if found["games"]]
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
