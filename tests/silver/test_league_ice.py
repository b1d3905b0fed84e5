"""Shifts, stints and players on the ice of the simulated league, held against its truth."""

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
from nhl_lake.silver.quality.shifts import men_quality, shift_quality
from nhl_lake.silver.shifts import SHIFTS
from nhl_lake.silver.stints import STINTS, time_on_ice, time_on_ice_by_situation
from tests.league.requests import SEASONS, chart, complete, game_page, league, played, report
from tests.silver import ice
from tests.silver.ice import NO_PAGES
from tests.silver.pages_of import kept, made, scheduled


class Made(NamedTuple):
    """What silver makes of the league's pages."""

    shifts: pl.DataFrame
    stints: pl.DataFrame
    on_ice: pl.DataFrame
    faults: pl.DataFrame


def of(table: Table, *frames: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    found = made(table, *(frame.lazy() for frame in frames))
    checks.require(table, found)
    return found


def bodies(pages: dict[int, str]) -> pl.LazyFrame:
    return pl.concat([ice.page(body, game) for game, body in pages.items()]) if pages else NO_PAGES


def worked_out(games: list[int], charts: dict[int, pl.LazyFrame], reported: list[int]) -> Made:
    pages: list[dict[str, Any]] = [game_page(game, "play-by-play") for game in games]
    play_by_play = kept(*pages)
    plays, lineups = of(PLAYS, play_by_play), of(LINEUPS, play_by_play, NO_PAGES, NO_PAGES)
    reports = [bodies({game: report(game, side) for game in reported}) for side in ("H", "V")]
    about = ice.games(*map(scheduled, pages)).collect()
    listed = of(
        LISTED_SHIFTS,
        pl.concat([NO_PAGES, *charts.values()]),
        *reports,
        lineups,
        about,
        ice.skater_games(),
        ice.goalie_games(),
    )
    shifts = of(SHIFTS, listed, lineups)
    stints, on_ice = of(STINTS, shifts, lineups, about), of(ON_ICE, plays, shifts, lineups)
    return Made(shifts, stints, on_ice, shift_quality(listed.lazy(), shifts.lazy(), lineups.lazy()).collect())


@pytest.fixture(scope="module")
def charted() -> tuple[list[int], Made]:
    """Games with charts: some with repeats, one with a placeholder, overtimes, shoot-outs and playoffs."""
    engine = league().engine
    regular = [game for game in played(SEASONS[0])[:150] if quirks.chart_from(1, game, engine.ended(game))]
    odd = [game for game in regular if quirks.placeholder(1, game) is not None]
    long = [game for game in regular if engine.story(game).last_type in {"OT", "SO"}]
    games = sorted({*regular[:8], *odd[:2], *long[:6], *played(SEASONS[0], 3)[:3]})
    return games, worked_out(games, {game: ice.chart(*chart(game)["data"], game_id=game) for game in games}, [])


@pytest.fixture(scope="module")
def reported() -> tuple[list[int], Made]:
    """Games with empty charts, whose reports tell the shifts."""
    engine = league().engine
    regular = complete(played(SEASONS[1])[:150])
    empty = [game for game in regular if quirks.chart_from(1, game, engine.ended(game)) is None]
    long = [game for game in regular if engine.story(game).last_type in {"OT", "SO"}]
    games = sorted({*empty[:3], *long[:4], *complete(played(SEASONS[0], 3))[:3]})
    return games, worked_out(games, {game: ice.chart(game_id=game) for game in games}, games)


both = pytest.mark.parametrize("source", ["charted", "reported"])


@pytest.fixture
def pair(source: str, request: pytest.FixtureRequest) -> tuple[list[int], Made]:
    found: tuple[list[int], Made] = request.getfixturevalue(source)
    return found


@both
def test_shifts_are_those_of_the_league(pair: tuple[list[int], Made], source: str):
    games, found = pair
    columns = ("player_id", "team_id", "period", "start_seconds", "end_seconds")
    for game in games:
        true = {(s.player_id, s.team_id, s.period, s.start, s.end) for s in league().engine.game(game).shifts}
        assert set(found.shifts.filter(pl.col("game_id") == game).select(columns).rows()) == true
    assert found.shifts["shift_source"].unique().to_list() == [source.removesuffix("ed")]
    assert found.shifts["game_id"].n_unique() == len(games) >= 10


@both
def test_players_on_the_ice_are_the_truth_at_every_event(pair: tuple[list[int], Made]):
    games, found = pair
    got: dict[tuple[int, int], set[tuple[int, int, bool]]] = {}
    for game, event, *rest in found.on_ice.select("game_id", "event_id", "player_id", "team_id", "is_goalie").rows():
        got.setdefault((game, event), set()).add((rest[0], rest[1], rest[2]))
    for game in games:
        about, truth = league().engine.find(game), league().engine.truth(game)
        assert about is not None
        for event, on in truth.on_ice.items():
            true = set()
            for side, team in enumerate((about.home_id, about.away_id)):
                true |= {(player, team, False) for player in on.skaters[side]}
                true |= {(goalie, team, True) for goalie in [on.goalies[side]] if goalie is not None}
            assert got.get((game, event), set()) == true, (game, event)


@both
def test_time_on_ice_by_strength_and_by_situation_is_the_truth(pair: tuple[list[int], Made]):
    games, found = pair
    names = ("time_on_ice_s", "even_strength_s", "power_play_s", "shorthanded_s")
    times, situations = (
        time_on_ice(found.stints.lazy()).collect(),
        time_on_ice_by_situation(found.stints.lazy()).collect(),
    )
    for game in games:
        truth = league().engine.truth(game)
        of_game = pl.col("game_id") == game
        assert {p: tuple(s) for p, *s in times.filter(of_game).select("player_id", *names).rows()} == truth.toi
        by_code: dict[int, dict[str, int]] = {}
        for player, code, seconds in (
            situations.filter(of_game).select("player_id", "situation_code", "time_on_ice_s").rows()
        ):
            by_code.setdefault(player, {})[code] = seconds
        assert by_code == truth.toi_by_situation


@both
def test_the_situation_of_every_second_is_the_truth(pair: tuple[list[int], Made]):
    games, found = pair
    for game in games:
        rows = found.stints.filter(pl.col("game_id") == game).select(
            "period", "start_seconds", "end_seconds", "situation_code"
        )
        codes: dict[int, list[str]] = {}
        for period, start, end, code in rows.sort("period", "start_seconds").rows():
            codes.setdefault(period, []).extend([code] * (end - start))
        assert {period: tuple(row) for period, row in codes.items()} == {
            period: row for period, row in league().engine.truth(game).strength.items() if row
        }


@both
def test_the_number_of_men_is_always_possible(pair: tuple[list[int], Made]):
    assert men_quality(pair[1].stints.lazy()).collect().is_empty()


def test_every_quirk_of_the_charts_is_counted(charted: tuple[list[int], Made]):
    games, found = charted
    repeats = {game: len(quirks.repeated(1, league().engine.game(game))) for game in games}
    expected = {(game, "no shift is listed twice", str(n)) for game, n in repeats.items() if n}
    expected |= {
        (game, "every shift has an end and lasts", "1") for game in games if quirks.placeholder(1, game) is not None
    }

    assert set(found.faults.select("game_id", "check", "actual").rows()) == expected
    assert {rule for _, rule, _ in expected} == {"no shift is listed twice", "every shift has an end and lasts"}


def test_games_told_by_reports_are_named_and_their_sums_add_up(reported: tuple[list[int], Made]):
    games, found = reported

    assert found.faults["game_id"].sort().to_list() == games
    assert found.faults["check"].unique().to_list() == ["the shift chart is whole"]
