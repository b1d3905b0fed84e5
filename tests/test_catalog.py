"""Invariants of every table of the lake."""

import dataclasses
import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable
from polars.testing import assert_frame_equal

import nhl_lake
from nhl_lake import catalog
from nhl_lake.bronze import endpoints
from nhl_lake.cli.docs import render_layer_page
from nhl_lake.errors import BadInput
from nhl_lake.schema import checks, ledger
from nhl_lake.schema.table import Column, Endpoint, Table
from nhl_lake.silver.parsing.pages import PageStruct
from nhl_lake.silver.quarantine import QUARANTINE
from nhl_lake.store import delta_tables

PACKAGE = Path(nhl_lake.__file__).parent
LAYERS = {"lake": -1, "bronze": 0, "silver": 1, "gold": 2}
NOT_FOR_DELTA = (
    pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Int128, pl.Categorical, pl.Enum, pl.Object, pl.Time, pl.Duration,
    pl.Null, pl.Array,
)  # fmt: skip
AT = datetime(2023, 10, 11, 12, 30, 15, 123456, tzinfo=UTC)

SAMPLES = {
    pl.Int16: 2,
    pl.Int32: 20232024,
    pl.Int64: 2023020001,
    pl.Float64: 0.5,
    pl.Boolean: True,
    pl.String: "Ålesund",
    pl.Date: date(2023, 10, 10),
    pl.Datetime: AT,
    pl.List: [],
}

# what makes a sample a good row where columns must agree with each other
TEAMS = {"home_team_id": 1, "away_team_id": 2}
SHOOTING = {
    "goals": 1, "even_strength_goals": 1, "power_play_goals": 0, "shorthanded_goals": 0, "penalty_shot_goals": 0,
    "goals_without_shot": 0, "saved_shots": 1, "shots_on_goal": 2, "missed_shots": 2, "unblocked_attempts": 4,
    "blocked_attempts": 2, "attempts": 6, "saved_unblocked_attempts": 3, "rebounds_generated": 1, "frozen_attempts": 1,
    "stopped_attempts": 1, "attempts_continued_in_zone": 0, "attempts_continued_outside_zone": 0, "time_on_ice_s": 60,
    "even_strength_time_on_ice_s": 40, "power_play_time_on_ice_s": 15, "shorthanded_time_on_ice_s": 5,
}  # fmt: skip
SKATING = {
    "primary_assists": 1, "secondary_assists": 1, "assists": 2, "points": 3, "time_on_bench_s": 0, "shifts": 8,
}  # fmt: skip
GOALTENDING = {
    "goals_against": 1, "goals_without_shot_against": 0, "shots_against": 3, "saves": 2,
    "unblocked_attempts_against": 5,
    "attempts_against": 7, "rebounds_generated_against": 0, "frozen_attempts_against": 0, "time_on_ice_s": 60,
    "stopped_attempts_against": 0, "even_strength_time_on_ice_s": 40, "power_play_time_on_ice_s": 15,
    "shorthanded_time_on_ice_s": 5,
}  # fmt: skip
GOOD: dict[str, dict[str, Any]] = {
    "silver.games": TEAMS | {"home_score": 3, "away_score": 2, "game_state": "OFF"},
    "silver.plays": TEAMS | {"acting_team_id": 1, "period_seconds": 60, "event": "goal"},
    "silver.shifts": {"start_seconds": 5, "end_seconds": 45},
    "silver.stints": {"start_seconds": 5, "end_seconds": 45},
    "silver.skater_games": {"goals": 1, "assists": 2, "points": 3},
    "silver.team_games": {"team_id": 1, "opponent_team_id": 2, "score": 3, "goals": 2, "is_shootout_win": True,
                          "result": "W", "is_win": True},
    "silver.standings": {
        "games": 3, "wins": 1, "losses": 1, "overtime_losses": 1, "ties": 0, "points_won": 3, "goals_for": 5,
        "goals_allowed": 6, "goal_difference": -1,
    },
    "silver.playoff_series": {"top_seed_team_id": 1, "bottom_seed_team_id": 2, "winner_team_id": 1},
    "gold.skater_game": SHOOTING | SKATING,
    "gold.team_game": SHOOTING,
    "gold.goalie_game": GOALTENDING,
    "gold.skater_season": SHOOTING | SKATING,
    "gold.team_season": SHOOTING,
    "gold.goalie_season": GOALTENDING,
    "lake.predictions": {"start_at": AT + timedelta(hours=1)},
    "gold.sog_predictions": {"start_at": AT + timedelta(hours=1)},
    "lake.game_predictions": {"start_at": AT + timedelta(hours=1)},
    "gold.game_predictions": {"start_at": AT + timedelta(hours=1)},
    "gold.game_features": {"is_upcoming": False},
    "gold.sog_features": {"is_upcoming": False, "projection_basis": "played", "days_since_last_game": 1},
    "gold.line_game": {"first_player_id": 1, "second_player_id": 2, "third_player_id": 3},
    "gold.pair_game": {"first_player_id": 1, "second_player_id": 2},
    "gold.line_season": {"first_player_id": 1, "second_player_id": 2, "third_player_id": 3},
    "gold.pair_season": {"first_player_id": 1, "second_player_id": 2},
}  # fmt: skip

# for each rule that a table declares beside the general ones, a row that breaks it
SHOOTING_MUTANTS: dict[str, dict[str, Any]] = {
    "goals by strength do not exceed goals": {"power_play_goals": 1},
}
GOAL_MUTANTS: dict[str, dict[str, Any]] = {
    "attempts are unblocked plus blocked attempts": {"attempts": 7},
    "unblocked attempts are shots on goal, missed shots and goals without a shot": {"missed_shots": 3},
    "shots on goal are saved shots plus goals with a shot": {"saved_shots": 2},
    "unblocked attempts are goals plus other unblocked attempts": {"saved_unblocked_attempts": 4},
    "every unblocked attempt has one outcome": {"frozen_attempts": 2},
}
SKATING_MUTANTS: dict[str, dict[str, Any]] = {
    "points are goals plus assists": {"points": 4},
    "primary and secondary assists do not exceed assists": {"secondary_assists": 9},
    "no skater plays longer than their team": {"time_on_bench_s": -1},
}
MORE_TIME = {"power_play_time_on_ice_s": 16}
TIME_MUTANTS: dict[str, dict[str, Any]] = {"ice time is the sum over strengths": MORE_TIME}
SEASON_MUTANTS: dict[str, dict[str, Any]] = {"ice time by strength does not exceed ice time": MORE_TIME}
SHIFT_MUTANTS: dict[str, dict[str, Any]] = {
    "every shift start is counted once": {"on_the_fly_starts": 1},
    "every shift end is counted once": {"on_the_fly_ends": 1},
}
SEASON_SHIFT_MUTANTS: dict[str, dict[str, Any]] = {
    "no shift start is counted twice": {"on_the_fly_starts": 9},
    "no shift end is counted twice": {"on_the_fly_ends": 9},
}
GOALTENDING_GOAL_MUTANTS: dict[str, dict[str, Any]] = {
    "unblocked attempts are shots, missed shots and goals without a shot": {"missed_shots_against": 3},
    "shots are saves plus goals with a shot": {"saves": 3},
    "attempts are unblocked plus blocked attempts": {"attempts_against": 8},
    "every unblocked attempt has one outcome": {"frozen_attempts_against": 1},
}
SHRINKAGE_MUTANTS: dict[tuple[str, str], dict[str, Any]] = {
    (f"gold.{table}", "the shrunk value is within its interval"): {f"shrunk_{above}_low": 0.6}
    for table, above in (
        ("skater_season", "goals_above_expected"),
        ("goalie_season", "goals_saved_above_expected"),
    )
}
XG_MUTANTS: dict[str, dict[str, Any]] = {
    "xG is a probability": {"is_unblocked_attempt": True, "xg": 1.5, "xg_flurry_adjusted": 0.1},
    "flurry-adjusted xG does not exceed xG": {"is_unblocked_attempt": True, "xg": 0.1, "xg_flurry_adjusted": 0.2},
    "a blocked attempt has no xG": {"is_unblocked_attempt": False, "xg": 0.1, "xg_flurry_adjusted": 0.1},
    "a row with xG names its model": {"xg": None, "xg_flurry_adjusted": None},
}
MUTANTS: dict[tuple[str, str], dict[str, Any]] = {
    **SHRINKAGE_MUTANTS,
    ("gold.skater_rapm", "an effect is within its interval"): {"rapm_xg_for_per_60_low": 0.6},
    ("gold.skater_rapm", "only 5on5 has a difference"): {"situation": "5on4"},
    **{("gold.shots", rule): row for rule, row in XG_MUTANTS.items()},
    **{
        (f"gold.{who}_{span}", rule): row
        for who, always, of_a_game, of_a_season in (
            (
                "skater",
                SHOOTING_MUTANTS | SKATING_MUTANTS,
                GOAL_MUTANTS | TIME_MUTANTS | SHIFT_MUTANTS,
                SEASON_MUTANTS | SEASON_SHIFT_MUTANTS,
            ),
            ("team", SHOOTING_MUTANTS, GOAL_MUTANTS | TIME_MUTANTS, TIME_MUTANTS),
            ("goalie", {}, GOALTENDING_GOAL_MUTANTS | TIME_MUTANTS, SEASON_MUTANTS),
        )
        for span, mutants in (("game", always | of_a_game), ("season", always | of_a_season))
        for rule, row in mutants.items()
    },
    ("silver.games", "home and away are different teams"): {"away_team_id": 1},
    ("silver.games", "a game starts in its season"): {"start_at": datetime(1990, 1, 1, tzinfo=UTC)},
    ("silver.games", "a final game has a winner"): {"away_score": 3},
    ("silver.games", "a game that is not final has no score"): {"game_state": "LIVE"},
    ("silver.games", "a final game is not GONE"): {"schedule_state": "GONE"},
    ("silver.plays", "an event is within its period"): {"period_seconds": 1201},
    ("silver.plays", "the acting team plays in the game"): {"acting_team_id": 3},
    ("silver.plays", "a goal has an acting team"): {"acting_team_id": None},
    ("silver.listed_shifts", "a valid shift is complete"): {"fault": None, "end_seconds": None},
    ("silver.shifts", "a shift ends after it starts, within its period"): {"end_seconds": 5},
    ("silver.stints", "a stint ends after it starts"): {"end_seconds": 5},
    ("silver.skater_games", "the faceoff share is between 0 and 1"): {"faceoff_share": 37.5},
    ("silver.goalie_games", "saves do not exceed shots against"): {"saves": 3},
    ("silver.team_games", "team and opponent are different teams"): {"opponent_team_id": 1},
    ("silver.team_games", "the score is the goals, plus one for a shootout win"): {"goals": 3},
    ("silver.team_games", "a team wins exactly if its result is W"): {"result": "O"},
    ("silver.standings", "wins, losses, overtime losses and ties add up to games"): {"games": 4},
    ("silver.standings", "points follow from results"): {"points_won": 4},
    ("silver.standings", "the goal difference is goals for minus goals against"): {"goal_difference": 1},
    **{
        (table, rule): row
        for table in ("lake.predictions", "gold.sog_predictions")
        for rule, row in {
            "made before the game began": {"start_at": AT},
            "more shots are less likely": {"chance_over_2_5": 0.95},
            "predictions are above zero": {"predicted_shots_on_goal": 0.0},
        }.items()
    },
    **{
        (table, rule): row
        for table in ("lake.game_predictions", "gold.game_predictions")
        for rule, row in {
            "made before the game began": {"start_at": AT},
            "either team may win": {"home_win_probability": 1.0},
        }.items()
    },
    ("gold.game_features", "an upcoming game has no winner"): {"is_upcoming": True},
    ("gold.game_features", "the last game is before this one"): {"away_days_of_rest": -1},
    ("gold.game_features", "the home team wins with a probability"): {"home_win_probability": 1.1},
    ("gold.win_probability", "a probability is between 0 and 1"): {"home_win_probability": -0.1},
    ("gold.win_probability", "a game ends with 1 or 0"): {"step": "game-end"},
    ("gold.sog_features", "upcoming games have no shots"): {
        "is_upcoming": True,
        "projection_basis": "roster page",
        "shots_on_goal": 1,
    },
    ("gold.sog_features", "only games played have the basis `played`"): {"projection_basis": "roster page"},
    ("gold.sog_features", "the last game is before this one"): {"days_since_last_game": -1},
    ("gold.sog_features", "means need earlier games"): {"games_before": None},
    ("gold.line_game", "three forwards, ids ascending"): {"second_player_id": 1},
    ("gold.line_season", "three forwards, ids ascending"): {"second_player_id": 1},
    ("gold.pair_season", "two defensemen, ids ascending"): {"second_player_id": 1},
    ("gold.pair_game", "two defensemen, ids ascending"): {"second_player_id": 1},
    ("gold.game_flow", "goals do not exceed attempts"): {"home_goals_so_far": 3},
    ("silver.game_stars", "a star is the first, second or third"): {"star": 4},
    ("silver.playoff_series", "a series has two different teams"): {"bottom_seed_team_id": 1},
    ("silver.playoff_series", "no team has negative wins"): {"top_seed_wins": -1},
    ("silver.playoff_series", "the winner plays in the series"): {"winner_team_id": 3},
    ("silver.draft_picks", "picks are counted from 1"): {"draft_pick_in_round": 0},
    ("silver.draft_picks", "a pick in a round is not beyond the overall pick"): {"draft_pick_in_round": 3},
    ("silver.edge_skater_days", "no game is longer than all games"): {"longest_game_distance_km": 0.6},
    ("silver.seasons", "a season ends after it begins"): {"regular_season_start_date": date(2025, 10, 10)},
}

every_table = pytest.mark.parametrize("table", catalog.TABLES, ids=lambda table: table.name)
every_bronze_table = pytest.mark.parametrize(
    "table", [t for t in catalog.TABLES if t.layer == "bronze"], ids=lambda table: table.name
)


def sample(table: Table) -> dict[str, Any]:
    """Return a row that holds all rules of a table."""
    values = {c.name: c.values[0] if c.values else SAMPLES[c.dtype.base_type()] for c in table.columns}
    return values | GOOD.get(table.name, {})


def frame(table: Table, *rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=table.schema, orient="row")


def write(root: Path, table: Table, rows: pl.DataFrame) -> None:
    """Write rows in the way of their layer."""
    delta_tables.create_tables(root, [table])
    if table.layer == "bronze":
        delta_tables.store_pages(root, table, rows, lambda a, b: a == b)
    elif table.layer == "lake":
        delta_tables.append_to_ledger(root, table, rows)
    else:
        delta_tables.replace_rows(root, table, rows, where=None, metadata={})


def leaves(dtype: Any) -> Iterator[Any]:
    """Yield the dtypes inside a dtype."""
    if isinstance(dtype, pl.List):
        yield from leaves(dtype.inner)
    elif isinstance(dtype, pl.Struct):
        for field in dtype.fields:
            yield from leaves(field.dtype)
    else:
        yield dtype


def broken(table: Table, *rows: dict[str, Any]) -> set[str]:
    return {breach.rule for breach in checks.find_violations(table, frame(table, *rows).lazy())}


def entries(folder: Path) -> list[dict[str, Any]]:
    """Return what the log of a table says, line by line."""
    logs = sorted((folder / "_delta_log").glob("*.json"))
    return [json.loads(line) for log in logs for line in log.read_text().splitlines()]


def test_names_are_unique_and_so_are_folders(tmp_path: Path):
    names = [table.name for table in catalog.TABLES]
    folders = [delta_tables.locate_table(tmp_path, table) for table in catalog.TABLES]

    assert len(set(names)) == len(names)
    assert len(set(folders)) == len(folders)


@every_table
def test_a_name_is_a_layer_and_a_noun_and_the_folder_follows_from_it(table: Table, tmp_path: Path):
    layer, noun = table.name.split(".")

    assert layer in LAYERS
    assert noun.isidentifier()
    assert noun == noun.lower()
    assert delta_tables.locate_table(tmp_path, table) == tmp_path / layer / noun


@every_table
def test_a_table_is_found_by_its_name(table: Table):
    assert catalog.find_table(table.name) is table


def test_a_name_that_is_no_table_is_answered_with_the_nearest_one():
    with pytest.raises(BadInput) as error:
        catalog.find_table("gold.skater_gmae")

    assert error.value.hint == "Did you mean 'gold.skater_game'?"


@every_table
def test_every_table_says_what_one_row_is(table: Table):
    assert table.grain
    assert not table.grain.endswith(".")
    assert not table.grain.lower().startswith("one row is")


@every_table
def test_every_column_is_explained(table: Table):
    for column in table.columns:
        assert len(column.description) > 3, column.name
        assert not column.description.endswith("."), column.name
        assert column.name == column.name.lower(), column.name
        assert column.name.isidentifier(), column.name


@every_table
def test_a_column_stands_once_in_a_table(table: Table):
    assert len(table.schema) == len(table.columns)


def test_one_name_has_one_dtype_and_one_unit_in_the_whole_lake():
    meanings: dict[str, set[tuple[str, str]]] = {}
    for table in catalog.TABLES:
        for column in table.columns:
            meanings.setdefault(column.name, set()).add((str(column.dtype), column.unit))

    different = {name: found for name, found in meanings.items() if len(found) > 1}
    assert different == {}, "declare the column once, in schema/columns.py"


def test_units_are_those_that_contributing_lists():
    text = (PACKAGE.parent / "CONTRIBUTING.md").read_text()
    listed = set(re.findall(r"`([\w/]+)`", re.search(r"Units are (.*?)\.", text, re.DOTALL)[1]))  # type: ignore[index]

    assert {column.unit for table in catalog.TABLES for column in table.columns} - {""} == listed


def test_an_instant_ends_in_at_and_a_day_in_date():
    columns: list[Column] = [column for table in catalog.TABLES for column in table.columns]

    assert {c.name for c in columns if c.dtype.base_type() is pl.Datetime and not c.name.endswith("_at")} == set()
    assert {c.name for c in columns if c.dtype.base_type() is pl.Date and not c.name.endswith("_date")} == set()
    assert {
        c.name for c in columns if c.dtype.base_type() is pl.Boolean and c.name.split("_")[0] not in {"is", "has"}
    } == {"xg_in_sample"}  # beside xg and xg_model


@every_table
def test_key_partition_and_by_are_columns_and_never_null(table: Table):
    columns = {column.name: column for column in table.columns}
    named = {
        *table.key,
        *({table.partition} if table.partition else ()),
        *({table.chunk_key} if table.chunk_key else ()),
    }

    assert table.key, "name the columns that identify a row: key=(…)"
    assert named <= set(columns), "its key, partition and chunk key must be columns"
    of_no_season = {"season"} if table is QUARANTINE else set()  # a quarantined player has no season
    assert {name for name in named if columns[name].nullable} == of_no_season


def test_what_looks_back_over_seasons_or_ahead_from_a_day_is_not_made_game_by_game():
    for table in catalog.TABLES:
        if table.prior_seasons or table.needs_day:
            assert table.chunk_key is None, table.name
            assert table.layer == "gold", table.name


@every_table
def test_dtypes_are_such_as_delta_can_hold(table: Table):
    for column in table.columns:
        for dtype in leaves(column.dtype):
            assert dtype.base_type() not in NOT_FOR_DELTA, column.name
            if dtype.base_type() is pl.Datetime:
                assert dtype == pl.Datetime("us", "UTC"), column.name


@every_table
def test_rows_and_dtypes_survive_delta(table: Table, tmp_path: Path):
    rows = frame(table, sample(table))

    write(tmp_path, table, rows)
    back = delta_tables.scan_table(tmp_path, table)

    assert back.collect_schema() == table.schema
    assert_frame_equal(back.collect(), rows)


@every_table
def test_nulls_survive_delta_where_they_are_allowed(table: Table, tmp_path: Path):
    rows = frame(table, sample(table) | {c.name: None for c in table.columns if c.nullable})

    write(tmp_path, table, rows)

    assert_frame_equal(delta_tables.scan_table(tmp_path, table).collect(), rows)


@every_table
def test_a_table_reads_no_layer_above_its_own(table: Table):
    for read in table.inputs:
        assert read in catalog.TABLES, read.name
        assert LAYERS[read.layer] <= LAYERS[table.layer], read.name
        # what a page can tell only by not telling of it is of the ledger
        assert table.layer == "gold" or read.layer != "lake" or read is ledger.LISTINGS, read.name


@every_table
def test_a_source_fits_the_layer(table: Table):
    assert isinstance(table.source, Endpoint) == (table.layer == "bronze")
    assert (table.source is None) == (table.layer == "lake" or table is QUARANTINE)  # written beside what is made
    assert not table.inputs or table.layer in {"silver", "gold"}


def test_nothing_is_read_in_a_circle_and_the_order_makes_what_is_read_first():
    order = catalog.list_build_order()

    TopologicalSorter({table.name: [read.name for read in table.inputs] for table in catalog.TABLES}).prepare()
    assert {*order, QUARANTINE} == {t for t in catalog.TABLES if t.layer in {"silver", "gold"}}
    for n, table in enumerate(order):
        assert not set(table.inputs) & set(order[n:])


def test_what_follows_from_a_table_holds_what_reads_it_and_not_itself():
    for table in catalog.TABLES:
        after = catalog.find_downstream({table})

        assert {t for t in catalog.list_build_order() if table in t.inputs} <= set(after)
        if table.layer == "bronze":
            assert table not in after


@pytest.mark.parametrize("layer", ["silver", "gold"])
def test_module_function_table_and_constant_share_a_name_and_every_module_is_in_the_catalogue(layer: str):
    modules = {file.stem for file in (PACKAGE / layer).glob("*.py")} - {"__init__"}
    tables = {table.name.split(".")[1]: table for table in catalog.TABLES if table.layer == layer}

    assert modules == set(tables), "a file has one table, with the name of the file"
    for noun, table in tables.items():
        module = import_module(f"nhl_lake.{layer}.{noun}")
        assert getattr(module, noun.upper()) is table, f"{noun}.py declares {noun.upper()}"
        assert getattr(module, noun, None) is table.source, f"source={noun}, a function of {noun}.py"
        assert module.__doc__, f"{noun}.py needs a docstring"


@pytest.mark.parametrize("layer", ["silver", "gold"])
def test_a_function_takes_the_tables_that_it_reads_by_name(layer: str):
    for table in catalog.TABLES:
        if table.layer == layer and table.source is not None:
            taken = table.build.__code__.co_varnames[: table.build.__code__.co_argcount]
            needed = (*(read.name.split(".")[1] for read in table.inputs), *(["day"] if table.needs_day else []))
            assert taken == needed, f"{table.name}: the parameters are the names of the inputs, in their order"


@pytest.mark.parametrize("table", catalog.SILVER, ids=lambda table: table.name)
def test_a_silver_table_declares_the_structs_of_the_pages_that_it_reads(table: Table):
    reports = {page for page in endpoints.TABLES if page.endpoint.host == endpoints.REPORTS_HOST}  # HTML
    pages = {page for page in table.inputs if page.layer == "bronze"} - reports

    assert set(table.page_structs) == pages, "add page_structs={PAGES: (Page,)}"
    assert all(issubclass(kind, PageStruct) for kinds in table.page_structs.values() for kind in kinds)
    assert all(table.page_structs.values())


@every_bronze_table
def test_a_page_is_kept_whole_with_where_it_came_from(table: Table):
    assert {"fetched_at", "url", "sha256", "run_id", "body_bytes", "body"} <= set(table.schema)
    assert table.is_append_only == ("fetched_at" in table.key)


PARAMETERS = {
    "game_id": 2023020001, "season": 20232024, "game_date": date(2023, 10, 10), "day": date(2023, 10, 10), "year": 2023,
    "report_number": "020001", "team_abbrev": "ABC", "player_id": 8470000, "state": "OFF",
    "game_type": 2, "team_id": 1, "language": "en", "country": "US",
}  # fmt: skip


@every_bronze_table
def test_a_request_rule_gives_every_parameter_of_the_address_and_no_address_has_others(table: Table):
    given = {name: PARAMETERS[name] for name in table.endpoint.request.parameters}
    real, stand_in = table.endpoint.url(given), table.endpoint.url(given, "http://127.0.0.1:9")

    assert real.startswith("https://")
    assert stand_in == real.replace(table.endpoint.host, "http://127.0.0.1:9")
    assert "{" not in real


@every_bronze_table
def test_a_request_rule_names_the_pages_that_the_planner_requests_by_the_key_of_the_table(table: Table):
    given = table.endpoint.request.parameters

    if table in endpoints.PLANNED_TABLES:
        assert set(table.page_key) <= set(given)
        assert {name: table.schema[name] for name in table.page_key} == {name: given[name] for name in table.page_key}


@every_bronze_table
def test_a_request_rule_says_in_the_documents_when_a_page_is_requested(table: Table):
    assert f"Requested {table.endpoint.request.describe()}." in render_layer_page("bronze")


def test_rules_of_games_name_other_pages_of_games_and_one_page_confirms_that_a_game_is_final():
    names = {table.name for table in endpoints.GAME_PAGES}
    rules = endpoints.GAME_PAGE_RULES.values()

    assert {name for rule in rules for name in (rule.fallback_for, rule.second_look_after) if name} <= names
    assert [rule.confirms_final for rule in rules].count(True) == 1


@every_table
def test_the_engine_is_told_which_tables_only_grow(table: Table, tmp_path: Path):
    delta_tables.create_tables(tmp_path, [table])
    configuration = DeltaTable(str(delta_tables.locate_table(tmp_path, table))).metadata().configuration

    grows = table.layer == "lake" or (table.layer == "bronze" and "fetched_at" in table.key)
    assert configuration["delta.appendOnly"] == str(grows).lower()


@every_table
def test_the_log_of_ten_years_ago_outlives_a_checkpoint(table: Table, tmp_path: Path):
    write(tmp_path, table, frame(table, sample(table)))
    folder = delta_tables.locate_table(tmp_path, table)
    logs = sorted((folder / "_delta_log").glob("*.json"))
    long_ago = (datetime.now(UTC) - timedelta(days=3_000)).timestamp()
    for log in logs:
        os.utime(log, (long_ago, long_ago))

    delta = DeltaTable(str(folder))
    delta.create_checkpoint()
    delta.cleanup_metadata()

    assert delta.metadata().configuration["delta.logRetentionDuration"] == "interval 3650 days"
    assert [log for log in logs if not log.exists()] == []


@every_table
def test_statistics_hold_no_bodies_and_are_cut_short(table: Table, tmp_path: Path):
    long = {
        c.name: Random(c.name).randbytes(30_000).hex() for c in table.columns if c.dtype == pl.String and not c.values
    }

    write(tmp_path, table, frame(table, sample(table) | long))
    found = entries(delta_tables.locate_table(tmp_path, table))
    statistics = [json.loads(entry["add"]["stats"]) for entry in found if "add" in entry]

    assert len(statistics) == 1
    for bound in ("minValues", "maxValues"):
        assert "body" not in statistics[0][bound]
        assert all(len(value) <= 64 for value in statistics[0][bound].values() if isinstance(value, str))
    assert set(statistics[0]["minValues"]) >= {k for k in table.key if k != table.partition}


@every_table
def test_a_good_row_breaks_no_rule(table: Table):
    assert broken(table, sample(table)) == set(), f"put values into GOOD[{table.name!r}] that pass all checks"


@every_table
def test_a_second_row_of_a_key_breaks_the_rule_of_the_key(table: Table):
    assert broken(table, sample(table), sample(table)) == {f"one row per {', '.join(table.key)}"}


@every_table
def test_a_null_breaks_the_rule_of_every_column_that_must_be_known(table: Table):
    for column in table.columns:
        rule = f"{column.name} is not null"
        found = broken(table, sample(table) | {column.name: None})
        assert (rule in found) == (not column.nullable), column.name


@every_table
def test_a_value_that_is_not_listed_breaks_the_rule_of_every_enumerated_column(table: Table):
    for column in table.columns:
        if column.values:
            rule = f"{column.name} is one of {', '.join(column.values)}"
            assert rule in broken(table, sample(table) | {column.name: "NEWS"}), column.name
            for value in column.values:
                assert rule not in broken(table, sample(table) | {column.name: value}), value


@every_table
def test_every_declared_rule_has_a_mutant_that_breaks_it_alone(table: Table):
    for rule in table.checks:
        assert (table.name, rule) in MUTANTS, f"add a row of {table.name} that breaks '{rule}' to MUTANTS"
        mutant = MUTANTS[table.name, rule]
        found = broken(table, sample(table) | mutant) - {f"{c.name} is not null" for c in table.columns}
        assert found == {rule}, f"MUTANTS[{table.name!r}, {rule!r}] must break this rule, and no other"


def test_every_mutant_is_of_a_rule_that_there_is():
    declared = {(table.name, rule) for table in catalog.TABLES for rule in table.checks}

    assert set(MUTANTS) == declared, "MUTANTS has a row for each check that a table declares, and no others"


def test_chunk_key_that_no_input_has_is_an_error():
    with pytest.raises(ValueError, match="none of its inputs has the column draft_year"):
        dataclasses.replace(catalog.find_table("gold.skater_game"), chunk_key="draft_year")
