"""Tests of lines and pairs, on handwritten games and the simulated league, compared with a count by the second."""

from collections import Counter
from typing import Any, NamedTuple

import polars as pl
import pytest

from nhl_lake.gold.line_game import LINE_GAME, line_game
from nhl_lake.gold.line_season import LINE_SEASON
from nhl_lake.gold.pair_game import PAIR_GAME, pair_game
from nhl_lake.gold.pair_season import PAIR_SEASON
from nhl_lake.schema import checks
from nhl_lake.schema.table import Table
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.lineups import LINEUPS
from nhl_lake.silver.on_ice import ON_ICE
from nhl_lake.silver.plays import PLAYS
from tests.gold.league_tables import NO_SHOTS
from tests.league.league_pages import SEASONS, get_game_page, get_league, get_shift_chart, list_played_games
from tests.silver import builders
from tests.silver.bronze_pages import NO_PAGES, build_table, make_pages, make_schedule_row
from tests.silver.builders import AWAY, GAME, HOME, SEASON
from tests.silver.test_league_ice import build_tables

FORWARDS, DEFENCE = [1, 2, 3], [4, 5]
THEIRS = [11, 12, 13, 14, 15]
LINEUP = [
    builders.make_lineup_row(1, HOME, "L", first_name="Ana", last_name="Berg"),
    *(builders.make_lineup_row(player, HOME, "CLRCLR"[player % 6]) for player in (2, 3, 6, 7)),
    *(builders.make_lineup_row(player, HOME, "D") for player in (4, 5, 8)),
    *(builders.make_lineup_row(player, AWAY, position) for player, position in zip(THEIRS, "CLRDD", strict=True)),
]


def make_stint(start: int, end: int, home: list[int], code: str = "1551", **overrides: Any) -> dict[str, Any]:
    known = {"season": SEASON, "game_id": GAME, "period": 1, "home_team_id": HOME, "away_team_id": AWAY}
    players = {"home_skater_player_ids": sorted(home), "away_skater_player_ids": THEIRS}
    return {**known, **players, "start_seconds": start, "end_seconds": end, "situation_code": code, **overrides}


def make_attempt(event_id: int, event: str, team: int = HOME, situation: str = "5on5") -> dict[str, Any]:
    flags = {
        "is_goal": event == "goal",
        "is_shot_on_goal": event in {"goal", "shot-on-goal"},
        "is_unblocked_attempt": event != "blocked-shot",
        "is_attempt": True,
    }
    about = {"game_type": 2, "home_team_id": HOME, "away_team_id": AWAY, "acting_team_id": team}
    return builders.make_play(event_id, event_id, event, situation=situation, **about, **flags)


def make_on_ice(event_id: int, home: list[int], goalie: int = 30) -> list[dict[str, Any]]:
    known = {"season": SEASON, "game_id": GAME, "event_id": event_id}
    sides = [*((player, HOME) for player in (*home, goalie)), *((player, AWAY) for player in THEIRS)]
    return [{**known, "player_id": p, "team_id": team, "is_goalie": p == goalie} for p, team in sides]


def build_combinations(
    table: Table, stints: list[dict[str, Any]], plays: list[dict[str, Any]] = (), on: list[dict[str, Any]] = ()
) -> pl.DataFrame:  # fmt: skip
    drop = builders.make_play(901, 901, "faceoff", game_type=2, home_team_id=HOME, away_team_id=AWAY, is_attempt=False)
    rest = [make_attempt(900, "missed-shot", situation="5on4"), drop]
    found = build_table(
        table,
        builders.make_plays(*plays, *rest),
        builders.make_frame(ON_ICE, list(on)),
        builders.make_stints(*stints),
        builders.make_lineups(*LINEUP),
        builders.make_games(builders.make_game(home_team_abbrev="HOM", away_team_abbrev="AWY")),
        NO_SHOTS,
    )
    checks.validate_rows(table, found)
    return found


def map_times(found: pl.DataFrame, team: int = HOME) -> dict[tuple[int, ...], int]:
    ids = [name for name in found.columns if name.endswith("_player_id")]
    rows = found.filter(pl.col("team_id") == team).select(*ids, "time_together_s").rows()
    return {tuple(players): seconds for *players, seconds in rows}


def select_results(found: pl.DataFrame, team: int = HOME) -> list[tuple[int, ...]]:
    """Return goals, shots, unblocked attempts and attempts, each for and against, of the only set of a team."""
    return found.filter(pl.col("team_id") == team).select("^on_ice_.*$").drop("^on_ice_xg.*$").rows()


def test_time_of_a_line_covers_all_its_stretches_with_any_defense():
    stints = [
        make_stint(0, 40, [1, 2, 3, 4, 5]),
        make_stint(40, 50, [6, 7, 1, 4, 5]),
        make_stint(50, 65, [3, 2, 1, 4, 8]),
    ]

    assert map_times(build_combinations(LINE_GAME, stints)) == {(1, 2, 3): 55, (1, 6, 7): 10}
    assert map_times(build_combinations(PAIR_GAME, stints)) == {(4, 5): 50, (4, 8): 15}


def test_only_stretches_at_five_on_five_count():
    stints = [
        make_stint(0, 40, [1, 2, 3, 4, 5]),
        make_stint(40, 90, [1, 2, 3, 4, 5], "1451"),
        make_stint(90, 95, [1, 2, 3, 4, 5], None),
    ]

    assert map_times(build_combinations(LINE_GAME, stints)) == {(1, 2, 3): 40}


def test_four_forwards_are_not_a_line_and_one_defenseman_is_not_a_pair():
    stints = [make_stint(0, 40, [1, 2, 3, 6, 4])]

    assert map_times(build_combinations(LINE_GAME, stints)) == {}
    assert map_times(build_combinations(PAIR_GAME, stints)) == {}
    assert map_times(build_combinations(LINE_GAME, stints), AWAY) == {(11, 12, 13): 40}


def test_events_count_for_the_players_on_the_ice_and_against_the_opponents():
    stints = [make_stint(0, 40, [1, 2, 3, 4, 5])]
    plays = [
        make_attempt(1, "goal"), make_attempt(2, "shot-on-goal"), make_attempt(3, "missed-shot"),
        make_attempt(4, "blocked-shot", AWAY),
    ]  # fmt: skip
    on = [row for n in (1, 2, 3, 4) for row in make_on_ice(n, [1, 2, 3, 4, 5])]

    for table in (LINE_GAME, PAIR_GAME):
        found = build_combinations(table, stints, plays, on)
        assert select_results(found) == [(1, 0, 2, 0, 3, 0, 3, 1)]
        assert select_results(found, AWAY) == [(0, 1, 0, 2, 0, 3, 1, 3)]
        assert found["is_home"].to_list() == [True, False]


def test_events_at_another_strength_or_with_four_forwards_count_for_no_line():
    stints = [make_stint(0, 40, [1, 2, 3, 4, 5])]
    plays = [make_attempt(1, "goal", situation="5on4"), make_attempt(2, "goal")]
    on = [*make_on_ice(1, [1, 2, 3, 4, 5]), *make_on_ice(2, [1, 2, 3, 6, 4])]

    found = build_combinations(LINE_GAME, stints, plays, on)

    assert select_results(found) == [(0,) * 8]
    assert select_results(found, AWAY) == [(0, 1, 0, 1, 0, 1, 0, 1)]


def test_attempt_in_the_second_of_a_change_has_a_line_without_time():
    found = build_combinations(
        LINE_GAME, [make_stint(0, 40, [1, 2, 3, 4, 5])], [make_attempt(1, "goal")], make_on_ice(1, [1, 6, 7, 4, 5])
    )

    assert map_times(found) == {(1, 2, 3): 40, (1, 6, 7): 0}


def test_game_without_shifts_has_no_rows():
    assert build_combinations(LINE_GAME, [], [make_attempt(1, "goal")]).is_empty()


def test_line_has_the_names_of_its_players_and_its_team():
    found = build_combinations(LINE_GAME, [make_stint(0, 40, [1, 2, 3, 4, 5])])

    names = ("team_abbrev", "first_player", "second_player")
    assert found.sort("team_id").select(names).rows() == [("HOM", "Ana Berg", None), ("AWY", None, None)]


def test_line_season_adds_up_games_and_shares_are_of_the_sums():
    game = build_combinations(
        LINE_GAME,
        [make_stint(0, 40, [1, 2, 3, 4, 5])],
        [make_attempt(1, "goal"), make_attempt(2, "shot-on-goal"), make_attempt(3, "missed-shot", AWAY)],
        [row for n in (1, 2, 3) for row in make_on_ice(n, [1, 2, 3, 4, 5])],
    ).filter(pl.col("team_id") == HOME)
    renamed = {"game_id": GAME + 1, "team_abbrev": "NEW", "first_player": None}
    later = game.with_columns(pl.lit(value).cast(game.schema[name]).alias(name) for name, value in renamed.items())
    unrecorded = later.with_columns(pl.lit(None, pl.Int16).alias(name) for name in game.columns if "attempts" in name)
    found = build_table(LINE_SEASON, pl.concat([later, game]).lazy())
    checks.validate_rows(LINE_SEASON, found)
    (row,) = found.to_dicts()

    assert (row["team_abbrev"], row["first_player"], row["games"], row["time_together_s"]) == ("NEW", "Ana Berg", 2, 80)
    assert (row["on_ice_goals_for"], row["on_ice_attempts_for"], row["on_ice_attempts_against"]) == (2, 4, 2)
    assert (row["on_ice_goal_share"], row["on_ice_attempt_share"]) == (1.0, pytest.approx(2 / 3))
    (bare,) = build_table(LINE_SEASON, unrecorded.lazy()).to_dicts()
    assert (bare["on_ice_goals_for"], bare["on_ice_attempts_for"], bare["on_ice_attempt_share"]) == (1, None, None)


class Truth(NamedTuple):
    """Seconds and attempts for and against of sets of players of some positions, by game and team."""

    seconds: Counter[tuple[Any, ...]]
    attempts: Counter[tuple[Any, ...]]
    against: Counter[tuple[Any, ...]]


@pytest.fixture(scope="module")
def league_made() -> tuple[list[int], dict[str, pl.DataFrame], pl.DataFrame, pl.DataFrame]:
    """Games of the league with their lines and pairs, plays and lineups."""
    games = [*list_played_games(SEASONS[0])[:4], *list_played_games(SEASONS[0], 3)[:1]]
    pages = make_pages(*(get_game_page(game, "play-by-play") for game in games))
    plays, lineups = build_table(PLAYS, pages), build_table(LINEUPS, pages, NO_PAGES, NO_PAGES)
    found = build_tables(
        games, {game: builders.make_chart(*get_shift_chart(game)["data"], game_id=game) for game in games}, []
    )
    schedule = builders.make_frame(GAMES, [make_schedule_row(get_game_page(game, "play-by-play")) for game in games])
    read = [*(frame.lazy() for frame in (plays, found.on_ice, found.stints, lineups)), schedule, NO_SHOTS]
    return games, {"line": build_table(LINE_GAME, *read), "pair": build_table(PAIR_GAME, *read)}, plays, lineups


def count_by_second(games: list[int], plays: pl.DataFrame, lineups: pl.DataFrame, positions: str, size: int) -> Truth:
    """Count from the league's truth: the players on the ice at every second and attempt."""
    truth = Truth(Counter(), Counter(), Counter())
    some = lineups.filter(pl.col("position").is_in(list(positions)))
    wanted = {game: set(some.filter(pl.col("game_id") == game)["player_id"]) for game in games}
    for game in games:
        engine, about = get_league().engine.get_game(game), get_league().engine.find_game(game)
        known = get_league().engine.get_truth(game)
        teams = (about.home_id, about.away_id)
        for period, codes in known.strength.items():
            for second in (n for n, code in enumerate(codes) if code == "1551"):
                on = [s for s in engine.shifts if s.period == period and s.start <= second < s.end]
                for team in teams:
                    group = sorted({s.player_id for s in on if s.team_id == team} & wanted[game])
                    truth.seconds[(game, team, *group)] += len(group) == size
        rows = plays.filter((pl.col("game_id") == game) & pl.col("is_attempt") & (pl.col("situation") == "5on5"))
        for event, acting in rows.select("event_id", "acting_team_id").rows():
            for team, skaters in zip(teams, known.on_ice[event].skaters, strict=True):
                group = sorted(set(skaters) & wanted[game])
                (truth.attempts if team == acting else truth.against)[(game, team, *group)] += len(group) == size
    return truth


@pytest.mark.league
@pytest.mark.parametrize(("kind", "positions", "size"), [("line", "CLR", 3), ("pair", "D", 2)])
def test_lines_and_pairs_of_the_league_match_the_truth_by_the_second(
    league_made: Any, kind: str, positions: str, size: int
):
    games, found, plays, lineups = league_made
    truth = count_by_second(games, plays, lineups, positions, size)

    rows = found[kind].select(
        "game_id", "team_id", "^.*_player_id$", "time_together_s", "on_ice_attempts_for", "on_ice_attempts_against"
    )
    for n, counted in ((-3, truth.seconds), (-2, truth.attempts), (-1, truth.against)):
        assert {row[:-3]: row[n] for row in rows.rows() if row[n]} == {key: n for key, n in counted.items() if n}
    assert rows["time_together_s"].sum() > 20_000


@pytest.mark.league
@pytest.mark.parametrize(("kind", "table"), [("line", LINE_SEASON), ("pair", PAIR_SEASON)])
def test_line_and_pair_seasons_add_up_their_games(league_made: Any, kind: str, table: Table):
    games = league_made[1][kind]
    found = build_table(table, games.lazy())
    checks.validate_rows(table, found)

    assert found.height == games.select("game_type", "team_id", "^.*_player_id$").unique().height
    for name in ("time_together_s", "on_ice_goals_for", "on_ice_attempts_against"):
        assert found[name].sum() == games[name].sum()
    assert found["games"].sum() == games.height
    assert found["first_player"].null_count() == found["team_abbrev"].null_count() == 0


def test_functions_are_those_of_the_tables():
    assert (LINE_GAME.source, PAIR_GAME.source) == (line_game, pair_game)
