"""Tests of shifts, stints and on-ice players of the simulated league, compared with its truth."""

from typing import Any, NamedTuple

import polars as pl
import pytest

from nhl_lake.league import quirks
from nhl_lake.schema import checks
from nhl_lake.schema.table import Table
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.listed_shifts import LISTED_SHIFTS
from nhl_lake.silver.on_ice import ON_ICE
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.quality.shifts import check_player_counts, check_shifts
from nhl_lake.silver.shifts import SHIFTS
from nhl_lake.silver.stints import STINTS, sum_time_by_situation, sum_time_on_ice
from tests.league.league_pages import (
    SEASONS,
    filter_reported_games,
    get_game_page,
    get_league,
    get_shift_chart,
    get_shift_report,
    list_played_games,
)
from tests.silver import builders
from tests.silver.bronze_pages import build_table, make_pages, make_schedule_row
from tests.silver.builders import NO_PAGES

pytestmark = pytest.mark.league


class BuiltTables(NamedTuple):
    """What silver makes of the league's pages."""

    shifts: pl.DataFrame
    stints: pl.DataFrame
    on_ice: pl.DataFrame
    faults: pl.DataFrame


def of(table: Table, *frames: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    found = build_table(table, *(frame.lazy() for frame in frames))
    checks.validate_rows(table, found)
    return found


def bodies(pages: dict[int, str]) -> pl.LazyFrame:
    return pl.concat([builders.make_page(body, game) for game, body in pages.items()]) if pages else NO_PAGES


def build_tables(games: list[int], charts: dict[int, pl.LazyFrame], reported: list[int]) -> BuiltTables:
    pages: list[dict[str, Any]] = [get_game_page(game, "play-by-play") for game in games]
    play_by_play = make_pages(*pages)
    plays, lineups = of(PLAYS, play_by_play), of(LINEUPS, play_by_play, NO_PAGES, NO_PAGES)
    reports = [bodies({game: get_shift_report(game, side) for game in reported}) for side in ("H", "V")]
    about = builders.make_games(*map(make_schedule_row, pages)).collect()
    listed = of(
        LISTED_SHIFTS,
        pl.concat([NO_PAGES, *charts.values()]),
        *reports,
        lineups,
        about,
        builders.make_skater_games(),
        builders.make_goalie_games(),
    )
    shifts = of(SHIFTS, listed, lineups)
    stints, on_ice = of(STINTS, shifts, lineups, about), of(ON_ICE, plays, shifts, lineups)
    return BuiltTables(shifts, stints, on_ice, check_shifts(listed.lazy(), shifts.lazy(), lineups.lazy()).collect())


@pytest.fixture(scope="module")
def charted() -> tuple[list[int], BuiltTables]:
    """Games with charts: some with repeats, one with a placeholder, overtimes, shootouts and playoffs."""
    engine = get_league().engine
    regular = [
        game
        for game in list_played_games(SEASONS[0])[:150]
        if quirks.find_chart_start(1, game, engine.get_end_time(game))
    ]
    with_placeholder = [game for game in regular if quirks.draw_placeholder(1, game) is not None]
    long = [game for game in regular if engine.get_outcome(game).last_period_type in {"OT", "SO"}]
    games = sorted({*regular[:8], *with_placeholder[:2], *long[:6], *list_played_games(SEASONS[0], 3)[:3]})
    return games, build_tables(
        games, {game: builders.make_chart(*get_shift_chart(game)["data"], game_id=game) for game in games}, []
    )


@pytest.fixture(scope="module")
def reported() -> tuple[list[int], BuiltTables]:
    """Games with empty charts, whose reports tell the shifts."""
    engine = get_league().engine
    regular = filter_reported_games(list_played_games(SEASONS[1])[:150])
    empty = [game for game in regular if quirks.find_chart_start(1, game, engine.get_end_time(game)) is None]
    long = [game for game in regular if engine.get_outcome(game).last_period_type in {"OT", "SO"}]
    games = sorted({*empty[:3], *long[:4], *filter_reported_games(list_played_games(SEASONS[0], 3))[:3]})
    return games, build_tables(games, {game: builders.make_chart(game_id=game) for game in games}, games)


both = pytest.mark.parametrize("source", ["charted", "reported"])


@pytest.fixture
def pair(source: str, request: pytest.FixtureRequest) -> tuple[list[int], BuiltTables]:
    found: tuple[list[int], BuiltTables] = request.getfixturevalue(source)
    return found


@both
def test_shifts_match_the_league(pair: tuple[list[int], BuiltTables], source: str):
    games, found = pair
    columns = ("player_id", "team_id", "period", "start_seconds", "end_seconds")
    for game in games:
        true = {(s.player_id, s.team_id, s.period, s.start, s.end) for s in get_league().engine.get_game(game).shifts}
        assert set(found.shifts.filter(pl.col("game_id") == game).select(columns).rows()) == true
    assert found.shifts["shift_source"].unique().to_list() == [source.removesuffix("ed")]
    assert found.shifts["game_id"].n_unique() == len(games) >= 10


@both
def test_players_on_the_ice_match_the_truth_at_every_event(pair: tuple[list[int], BuiltTables]):
    games, found = pair
    got: dict[tuple[int, int], set[tuple[int, int, bool]]] = {}
    for game, event, *rest in found.on_ice.select("game_id", "event_id", "player_id", "team_id", "is_goalie").rows():
        got.setdefault((game, event), set()).add((rest[0], rest[1], rest[2]))
    for game in games:
        about, truth = get_league().engine.find_game(game), get_league().engine.get_truth(game)
        assert about is not None
        for event, on in truth.on_ice.items():
            true = set()
            for side, team in enumerate((about.home_id, about.away_id)):
                true |= {(player, team, False) for player in on.skaters[side]}
                true |= {(goalie, team, True) for goalie in [on.goalies[side]] if goalie is not None}
            assert got.get((game, event), set()) == true, (game, event)


@both
def test_time_on_ice_by_strength_and_situation_matches_the_truth(pair: tuple[list[int], BuiltTables]):
    games, found = pair
    names = ("time_on_ice_s", "even_strength_s", "power_play_s", "shorthanded_s")
    times, situations = (
        sum_time_on_ice(found.stints.lazy()).collect(),
        sum_time_by_situation(found.stints.lazy()).collect(),
    )
    for game in games:
        truth = get_league().engine.get_truth(game)
        of_game = pl.col("game_id") == game
        assert {p: tuple(s) for p, *s in times.filter(of_game).select("player_id", *names).rows()} == truth.toi
        by_code: dict[int, dict[str, int]] = {}
        for player, code, seconds in (
            situations.filter(of_game).select("player_id", "situation_code", "time_on_ice_s").rows()
        ):
            by_code.setdefault(player, {})[code] = seconds
        assert by_code == truth.toi_by_situation


@both
def test_situation_of_every_second_matches_the_truth(pair: tuple[list[int], BuiltTables]):
    games, found = pair
    for game in games:
        rows = found.stints.filter(pl.col("game_id") == game).select(
            "period", "start_seconds", "end_seconds", "situation_code"
        )
        codes: dict[int, list[str]] = {}
        for period, start, end, code in rows.sort("period", "start_seconds").rows():
            codes.setdefault(period, []).extend([code] * (end - start))
        assert {period: tuple(row) for period, row in codes.items()} == {
            period: row for period, row in get_league().engine.get_truth(game).strength.items() if row
        }


@both
def test_number_of_players_is_always_possible(pair: tuple[list[int], BuiltTables]):
    assert check_player_counts(pair[1].stints.lazy()).collect().is_empty()


def test_every_defect_of_the_charts_is_counted(charted: tuple[list[int], BuiltTables]):
    games, found = charted
    repeats = {game: len(quirks.draw_repeated_shifts(1, get_league().engine.get_game(game))) for game in games}
    expected = {(game, "no shift is listed twice", str(n)) for game, n in repeats.items() if n}
    expected |= {
        (game, "every shift ends after it starts", "1")
        for game in games
        if quirks.draw_placeholder(1, game) is not None
    }

    assert set(found.faults.select("game_id", "check", "actual").rows()) == expected
    assert {rule for _, rule, _ in expected} == {"no shift is listed twice", "every shift ends after it starts"}


def test_games_from_reports_are_named_and_their_totals_add_up(reported: tuple[list[int], BuiltTables]):
    games, found = reported

    assert found.faults["game_id"].sort().to_list() == games
    assert found.faults["check"].unique().to_list() == ["the shift chart is complete"]
