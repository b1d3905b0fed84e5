"""Tests of features: nothing of the game itself or later is used, and upcoming games are treated like played ones."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nhl_lake.gold.skater_game import SKATER_GAME
from nhl_lake.gold.sog_features import SOG_FEATURES, sog_features
from nhl_lake.schema import checks
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.plays import PLAYS
from nhl_lake.silver.rosters import ROSTERS
from nhl_lake.silver.skater_games import SKATER_GAMES
from nhl_lake.silver.teams import TEAMS

FIRST = date(2025, 10, 7)
LAST = date(2026, 1, 31)
NOT_OF_FORM = ("shots_on_goal", "is_upcoming", "projection_basis")
ABBREVS = {1: "AAA", 2: "BBB", 3: "CCC", 4: "DDD"}

BY_SHIFTS = (
    "time_on_ice_s", "time_on_bench_s", "on_ice_attempts_for", "on_ice_attempts_against", "power_play_time_on_ice_s",
    "offensive_zone_starts", "defensive_zone_starts",
)  # fmt: skip

Lake = dict[str, pl.DataFrame]


def make_frame(schema: pl.Schema, rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def make_game(
    number: int, day: date, home: int, away: int, *, season: int = 20252026, **overrides: Any
) -> dict[str, Any]:
    start = datetime(day.year, day.month, day.day, 23, tzinfo=UTC)
    return {
        "season": season, "game_id": season // 10_000 * 1_000_000 + 20_000 + number, "game_type": 2, "game_date": day,
        "start_at": start, "venue_offset": "-05:00" if home % 2 else "-08:00", "home_team_id": home,
        "home_team_abbrev": ABBREVS[home], "away_team_id": away, "away_team_abbrev": ABBREVS[away],
        "game_state": "OFF", "schedule_state": "OK", **overrides,
    }  # fmt: skip


def make_skater_rows(of: dict[str, Any], team: int, player: int, shots: int, **overrides: Any) -> list[dict[str, Any]]:
    """Return the rows of a skater in a game, of all situations and of the power play."""
    home = of["home_team_id"] == team
    other = of["away_team_id"] if home else of["home_team_id"]
    row = {
        **{name: of[name] for name in ("season", "game_id", "game_type", "game_date")},
        "player_id": player, "team_id": team, "team_abbrev": ABBREVS[team], "opponent_team_id": other,
        "opponent_abbrev": ABBREVS[other], "is_home": home, "position": "D" if player % 3 == 0 else "C",
        "situation": "all", "shots_on_goal": shots, "attempts": 2 * shots, "unblocked_attempts": shots + 1,
        "blocked_attempts": shots, "adjusted_attempts": 2.0 * shots, "time_on_ice_s": 900 + 10 * shots,
        "power_play_time_on_ice_s": 60, "on_ice_attempts_for": 20, "on_ice_attempts_against": 15,
        "offensive_zone_starts": 5, "defensive_zone_starts": 4, "rebound_shots": 1, "rush_shots": 0, "penalties": 1,
        **overrides,
    }  # fmt: skip
    power_play = {"situation": "5on4", "attempts": shots, "time_on_ice_s": 60, "time_on_bench_s": 60}
    return [row, {**row, **power_play}, {**row, "situation": "5on5", "attempts": shots, "time_on_ice_s": 700}]


def make_shot(of: dict[str, Any], player: int, distance: float | None, **overrides: Any) -> dict[str, Any]:
    """Return the row of an attempt at a goalie."""
    about = {"season": of["season"], "game_id": of["game_id"], "shooter_player_id": player, "distance_ft": distance}
    return {**about, "is_unblocked_attempt": True, "is_penalty_shot": False, "goalie_player_id": 1, **overrides}


def make_box_line(of: dict[str, Any], player: int, seconds: int | None) -> dict[str, Any]:
    """Return a line of the box score."""
    about = {"season": of["season"], "game_id": of["game_id"], "player_id": player, "power_play_time_on_ice_s": 30}
    return {**about, "time_on_ice_s": seconds}


def make_roster_rows(players: dict[int, list[int]], day: date) -> list[dict[str, Any]]:
    """Return the rows of the teams' roster pages, as they were fetched on a day."""
    return [
        {"season": 20252026, "team_abbrev": ABBREVS[team], "fetched_at": datetime(*day.timetuple()[:3], tzinfo=UTC),
         "player_id": player, "position": "D" if player % 3 == 0 else "C"}
        for team, some in players.items() for player in some
    ]  # fmt: skip


def make_tables(
    games: list[dict[str, Any]],
    rows: list[dict[str, Any]],
    pages: list[dict[str, Any]],
    *,
    shots: list[dict[str, Any]] = [],  # noqa: B006 - never changed
    boxes: list[dict[str, Any]] = [],  # noqa: B006
) -> Lake:
    """Return the input tables of the features; in games without shifts, time is the box score's."""
    teams = [{"team_id": team, "team_abbrev": ABBREVS[team], "team_key": 100 + team} for team in ABBREVS]
    return {
        "games": make_frame(GAMES.schema, games),
        "skater_game": fill_times(make_frame(SKATER_GAME.schema, rows), make_frame(SKATER_GAMES.schema, boxes)),
        "rosters": make_frame(ROSTERS.schema, pages),
        "teams": make_frame(TEAMS.schema, teams),
        "plays": make_frame(PLAYS.schema, shots),
    }


def fill_times(rows: pl.DataFrame, boxes: pl.DataFrame) -> pl.DataFrame:
    """Fill the time of box scores into the rows of all situations of games without shifts."""
    times = ["time_on_ice_s", "power_play_time_on_ice_s"]
    recorded = boxes.select("game_id", "player_id", pl.col(times).name.suffix("_official"), situation=pl.lit("all"))
    found = rows.join(recorded, on=["game_id", "player_id", "situation"], how="left", maintain_order="left")
    return found.with_columns(pl.coalesce(name, f"{name}_official").alias(name) for name in times).select(rows.columns)


READ = ("games", "skater_game", "rosters", "teams", "plays")


def build_features(of: Lake, day: date = LAST) -> pl.DataFrame:
    found = sog_features(*(of[name].lazy() for name in READ), day).collect()
    rows = found.select(pl.col(column.name).cast(column.dtype) for column in SOG_FEATURES.columns)
    checks.validate_rows(SOG_FEATURES, rows)
    return rows.sort("game_id", "player_id")


def make_season(seed: int = 1, games: int = 60) -> Lake:
    """Return some months of four teams of five skaters, two of whom change teams half-way."""
    dice = random.Random(seed)
    teams = {team: [10 * team + n for n in range(5)] for team in ABBREVS}
    schedule, rows, pages, day = [], [], make_roster_rows(teams, FIRST - timedelta(days=1)), FIRST
    shots, boxes = [], []
    for number in range(1, games + 1):
        home, away = dice.sample(sorted(ABBREVS), 2)
        this = make_game(number, day, home, away)
        schedule.append(this)
        if number == games // 2:
            teams[1][0], teams[2][0] = teams[2][0], teams[1][0]
            pages += make_roster_rows(teams, day - timedelta(days=1))
        for team in (home, away):
            for player in dice.sample(teams[team], 4):
                line = make_skater_rows(this, team, player, dice.randrange(7))
                has_shifts = dice.random() < 0.8
                rows += line if has_shifts else [row | dict.fromkeys(BY_SHIFTS) for row in line]
                shots += [make_shot(this, player, dice.uniform(5, 60)) for _ in range(dice.randrange(4))]
                boxes += [make_box_line(this, player, dice.randrange(600, 1500))] if dice.random() < 0.7 else []
        day += timedelta(days=dice.randrange(1, 3))
    return make_tables(schedule, rows, pages, shots=shots, boxes=boxes)


def cut_at_day(of: Lake, day: date) -> Lake:
    """Return the lake on the morning of a day: earlier games are played, the others are scheduled."""
    is_past = pl.col("game_date") < day
    state = pl.when(is_past).then("game_state").otherwise(pl.lit("FUT"))
    past = of["games"].filter(is_past)
    return (
        of
        | {"plays": of["plays"].join(past, on="game_id", how="semi")}
        | {
            "games": of["games"].with_columns(game_state=state),
            "skater_game": of["skater_game"].filter(is_past),
            "rosters": of["rosters"].filter(pl.col("fetched_at").dt.date() < day),
        }
    )


def select_form(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.drop(NOT_OF_FORM)


@pytest.mark.parametrize("seed", range(3))
def test_features_of_the_morning_do_not_change_after_the_game(seed: int):
    tables = make_season(seed)
    after = build_features(tables)
    for day in random.Random(seed).sample(sorted(set(tables["games"]["game_date"])), 8):
        foreseen = build_features(cut_at_day(tables, day), day).filter("is_upcoming", pl.col("game_date") == day)
        dressed = after.filter(pl.col("game_date") == day)
        both = foreseen.join(dressed, on=["game_id", "player_id", "team_id"], how="semi")

        assert both.height == dressed.height > 0
        assert_frame_equal(select_form(both), select_form(dressed))


@pytest.mark.parametrize("seed", range(3))
def test_games_before_a_day_have_the_same_form_in_a_lake_that_ends_there(seed: int):
    tables = make_season(seed)
    for day in (FIRST + timedelta(days=20), FIRST + timedelta(days=50)):
        then = build_features(cut_at_day(tables, day), day).filter(~pl.col("is_upcoming"))
        assert_frame_equal(then, build_features(tables).filter(pl.col("game_date") < day))


@pytest.mark.parametrize("seed", range(5))
def test_result_of_a_game_changes_only_later_rows(seed: int):
    tables = make_season(seed)
    chosen = sorted(tables["games"]["game_id"])[20]
    is_it = pl.col("game_id") == chosen
    numbers = ["shots_on_goal", "attempts", "time_on_ice_s", "on_ice_attempts_for", "blocked_attempts", "penalties"]
    changed = tables | {
        "plays": tables["plays"].with_columns(pl.when(is_it).then(90.0).otherwise("distance_ft").alias("distance_ft")),
        "skater_game": tables["skater_game"].with_columns(
            pl.when(is_it).then(pl.col(numbers) + 3).otherwise(pl.col(numbers))
        ),
    }
    before, after = build_features(tables), build_features(changed)
    until = pl.col("game_id") <= chosen

    assert_frame_equal(select_form(before.filter(until)), select_form(after.filter(until)))
    assert not select_form(before.filter(~until)).equals(select_form(after.filter(~until)))


def test_order_of_rows_changes_nothing():
    tables = make_season()
    shuffled = {name: rows.sample(fraction=1, shuffle=True, seed=3) for name, rows in tables.items()}

    assert_frame_equal(build_features(tables), build_features(shuffled))


def make_some_games(*shots: int, **overrides: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return games two days apart with one skater per team: 10 of team 1 has `shots`, 20 of team 2 has one each."""
    games = [make_game(n, FIRST + timedelta(days=2 * n), 1, 2) for n in range(len(shots))]
    rows = [
        row
        for this, count in zip(games, shots, strict=True)
        for row in (*make_skater_rows(this, 1, 10, count, **overrides), *make_skater_rows(this, 2, 20, 1))
    ]
    return games, rows


def build_last_row(of: Lake, player: int = 10, day: date = LAST) -> dict[str, Any]:
    return build_features(of, day).filter(pl.col("player_id") == player).sort("start_at").row(-1, named=True)


def test_means_cover_earlier_games():
    row = build_last_row(make_tables(*make_some_games(3, 0, 5, 1, 9), []))

    assert row["games_before"] == row["season_games_before"] == 4
    assert row["shots_on_goal_last_game"] == 1
    assert row["mean_shots_on_goal_5"] == row["mean_shots_on_goal_20"] == 9 / 4
    assert row["days_since_last_game"] == 2
    assert not row["is_back_to_back"]


def test_decayed_mean_halves_the_weight_of_a_game_in_its_half_life():
    row = build_last_row(make_tables(*make_some_games(4, *[0] * 10, 7), []))

    weights = [0.5 ** (n / 10) for n in range(11)]
    assert row["decayed_shots_on_goal_10"] == pytest.approx(4 * weights[-1] / sum(weights))


def test_shrunk_mean_moves_toward_the_position_with_a_weight_of_three_games():
    row = build_last_row(make_tables(*make_some_games(6, 6, 9), []))

    position = (6 + 6 + 1 + 1) / 4  # both are forwards
    assert row["position_shots_on_goal"] == position
    assert row["shrunk_shots_on_goal"] == pytest.approx((12 + 3 * position) / 5)


def test_rate_covers_the_games_with_known_time():
    games, rows = make_some_games(2, 2, 2)
    rows = [row | ({"time_on_ice_s": None} if row["game_id"] == games[0]["game_id"] else {}) for row in rows]
    row = build_last_row(make_tables(games, rows, []))

    assert row["time_on_ice_last_game_s"] == row["expected_time_on_ice_s"] == 920
    assert row["recent_attempts_per_60"] == pytest.approx(3600 * 4 / 920)


def test_game_without_shifts_uses_the_boxscore_time_and_adds_no_shares():
    games, rows = make_some_games(2, 4, 1)
    first = games[0]["game_id"]
    rows = [row | (dict.fromkeys(BY_SHIFTS) if row["game_id"] == first else {}) for row in rows]
    boxes = [make_box_line(this, 10, seconds) for this, seconds in zip(games, (1000, 1, 1), strict=True)]
    row = build_last_row(make_tables(games, rows, [], boxes=boxes))

    decay = 0.5 ** (1 / 6)
    assert row["expected_time_on_ice_s"] == pytest.approx((940 + decay * 1000) / (1 + decay))
    assert row["expected_power_play_time_on_ice_s"] == pytest.approx((60 + decay * 30) / (1 + decay))
    decay = 0.5 ** (1 / 20)
    assert row["recent_attempts_per_60"] == pytest.approx(3600 * (8 + decay * 4) / (940 + decay * 1000))
    assert row["recent_share_of_attempts"] == 8 / 20  # of the second game alone
    assert row["recent_5on5_attempts_per_60"] == pytest.approx(3600 * 4 / 700)


def test_time_is_carried_over_a_game_without_one():
    games, rows = make_some_games(2, 4, 1)
    untold = games[1]["game_id"]
    rows = [row | (dict.fromkeys(BY_SHIFTS) if row["game_id"] == untold else {}) for row in rows]
    row = build_last_row(make_tables(games, rows, []))

    assert row["expected_time_on_ice_s"] == row["time_on_ice_last_game_s"] == 920
    assert row["recent_share_of_attempts"] == 4 / 20


@pytest.mark.parametrize(("silent", "known"), [(10, 920), (11, None)])
def test_value_missing_for_ten_games_becomes_null(silent: int, known: float | None):
    games, rows = make_some_games(2, *[4] * silent, 1)
    recorded = games[0]["game_id"]
    rows = [row | (dict.fromkeys(BY_SHIFTS) if row["game_id"] != recorded else {}) for row in rows]
    row = build_last_row(make_tables(games, rows, []))

    assert row["expected_time_on_ice_s"] == row["time_on_ice_last_game_s"] == known
    assert row["decayed_shots_on_goal_20"] is not None


def test_distance_covers_earlier_attempts_at_a_goalie_with_a_location():
    games, rows = make_some_games(2, 4, 1)
    shots = [
        make_shot(games[0], 10, 10.0), make_shot(games[0], 10, 20.0),
        make_shot(games[1], 10, 50.0), make_shot(games[2], 10, 80.0),
        make_shot(games[1], 10, 180.0, goalie_player_id=None), make_shot(games[1], 10, 90.0, is_penalty_shot=True),
        make_shot(games[1], 10, None), make_shot(games[1], 20, 70.0),
        make_shot(games[1], 10, 60.0, is_unblocked_attempt=False),
    ]  # fmt: skip
    row = build_last_row(make_tables(games, rows, [], shots=shots))

    decay = 0.5 ** (1 / 20)
    assert row["recent_shot_distance_ft"] == pytest.approx((50 + decay * 30) / (1 + decay * 2))


def test_skater_without_a_shot_has_no_distance():
    assert build_last_row(make_tables(*make_some_games(0, 0), []))["recent_shot_distance_ft"] is None


def test_power_play_time_is_a_share_of_the_teams():
    row = build_last_row(make_tables(*make_some_games(2, 4, 1), []))

    assert row["recent_power_play_time_share"] == 60 / 120
    assert row["recent_power_play_unblocked_attempts_per_60"] == pytest.approx(
        3600 * (5 + 3 * 0.5 ** (1 / 20)) / (60 + 60 * 0.5 ** (1 / 20))
    )


def test_features_that_need_shifts_are_null_without_them():
    games, rows = make_some_games(2, 3, 4)
    untimed = ("time_on_ice_s", "on_ice_attempts_for", "on_ice_attempts_against", "power_play_time_on_ice_s")
    row = build_last_row(make_tables(games, [row | dict.fromkeys(untimed) for row in rows], []))

    assert row["mean_shots_on_goal_5"] == 2.5
    assert row["expected_time_on_ice_s"] is None
    assert row["shrunk_shots_on_goal_per_60"] is None
    assert row["recent_share_of_attempts"] is None


def test_skater_without_a_game_has_nulls_and_no_zeros():
    games, rows = make_some_games(2, 3)
    today = FIRST + timedelta(days=20)
    row = build_last_row(
        make_tables(
            [*games, make_game(9, today, 1, 2, game_state="FUT")], rows, make_roster_rows({1: [10, 11], 2: [20]}, FIRST)
        ),
        11,
        today,
    )

    assert row["projection_basis"] == "roster page"
    recorded = {name for name, value in row.items() if value is not None} & {c.name for c in SOG_FEATURES.columns[16:]}
    assert {
        name
        for name in recorded
        if not name.startswith(("team", "opponent", "is_opponent", "position", "shrunk", "days_of_rest"))
    } == {"time_zone_shift_h"}
    assert row["shrunk_shots_on_goal"] == row["position_shots_on_goal"]


def test_every_game_of_the_week_is_there_and_no_later_or_postponed_one():
    games, rows = make_some_games(2, 3)
    today = FIRST + timedelta(days=20)
    coming = [
        make_game(10, today, 1, 2, game_state="FUT"),
        make_game(11, today + timedelta(days=1), 1, 2, game_state="PRE"),
        make_game(12, today + timedelta(days=6), 2, 1, game_state="FUT"),
        make_game(13, today + timedelta(days=7), 1, 2, game_state="FUT"),
        make_game(14, today + timedelta(days=2), 1, 2, game_state="FUT", schedule_state="PPD"),
        make_game(15, today - timedelta(days=1), 1, 2, game_state="FUT"),
        make_game(16, today, 1, 2, game_state="FUT", game_type=1),
    ]
    found = build_features(
        make_tables([*games, *coming], rows, make_roster_rows({1: [10, 11], 2: [20]}, FIRST)), today
    ).filter("is_upcoming")

    assert sorted(set(found["game_id"] % 100)) == [10, 11, 12]
    assert found.height == 9
    assert found.filter(pl.col("player_id") == 10)["mean_shots_on_goal_5"].to_list() == [2.5, 2.5, 2.5]


def test_no_scheduled_games_give_no_upcoming_rows():
    assert (
        build_features(make_tables(*make_some_games(2, 3), make_roster_rows({1: [10]}, FIRST)), date(2026, 7, 20))
        .filter("is_upcoming")
        .is_empty()
    )


def test_traded_skater_follows_the_roster_page_and_keeps_their_form():
    games, rows = make_some_games(2, 3)
    today = FIRST + timedelta(days=20)
    row = build_last_row(
        make_tables(
            [*games, make_game(9, today, 3, 2, game_state="FUT")], rows, make_roster_rows({3: [10], 2: [20]}, FIRST)
        ),
        10,
        today,
    )

    assert (row["team_id"], row["projection_basis"]) == (3, "roster page")
    assert row["mean_shots_on_goal_5"] == 2.5
    assert row["team_shots_on_goal"] is None  # of the new team, which has not played


def test_skater_on_two_roster_pages_belongs_to_the_team_of_the_last_game():
    games, rows = make_some_games(2, 3)
    today = FIRST + timedelta(days=20)
    both = make_roster_rows({1: [10, 11], 2: [10, 11, 20]}, FIRST)
    found = build_features(
        make_tables([*games, make_game(9, today, 1, 2, game_state="FUT")], rows, both), today
    ).filter("is_upcoming")

    assert found.select("player_id", "team_id").rows() == [(10, 1), (11, 1), (20, 2)]


def test_team_without_a_roster_page_uses_its_last_lineup():
    games, rows = make_some_games(2, 3)
    today = FIRST + timedelta(days=20)
    found = build_features(make_tables([*games, make_game(9, today, 1, 2, game_state="FUT")], rows, []), today).filter(
        "is_upcoming"
    )

    assert found.select("player_id", "projection_basis").rows() == [(10, "last line-up"), (20, "last line-up")]


def test_last_lineup_skater_on_another_roster_page_is_only_there():
    games, rows = make_some_games(2, 3)
    today = FIRST + timedelta(days=20)
    coming = [*games, make_game(9, today, 1, 2, game_state="FUT")]
    found = build_features(make_tables(coming, rows, make_roster_rows({2: [10, 20]}, FIRST)), today).filter(
        "is_upcoming"
    )

    assert found.select("player_id", "team_id").rows() == [(10, 2), (20, 2)]


def test_skater_who_played_for_another_team_since_is_only_in_its_lineup():
    games, rows = make_some_games(2, 3)
    today = FIRST + timedelta(days=20)
    traded = make_game(8, FIRST + timedelta(days=10), 3, 2)
    rows += [*make_skater_rows(traded, 3, 10, 1), *make_skater_rows(traded, 2, 20, 1)]
    coming = [*games, traded, make_game(9, today, 1, 3, game_state="FUT")]
    found = build_features(make_tables(coming, rows, []), today).filter("is_upcoming")

    assert found.select("player_id", "team_id").rows() == [(10, 3)]


def test_team_that_moves_keeps_its_form():
    games, rows = make_some_games(2, 3, 4)
    this = make_game(50, FIRST + timedelta(days=30), 3, 2)
    tables = make_tables(
        [*games, this], [*rows, *make_skater_rows(this, 3, 30, 1), *make_skater_rows(this, 2, 20, 1)], []
    )
    one = tables | {"teams": tables["teams"].with_columns(team_key=pl.col("team_key").replace({103: 101}))}

    assert build_last_row(tables, 30)["team_shots_on_goal"] is None
    assert build_last_row(one, 30)["team_shots_on_goal"] == pytest.approx(
        (4 + 3 * 0.5 ** (1 / 25) + 2 * 0.5 ** (2 / 25)) / (1 + 0.5 ** (1 / 25) + 0.5 ** (2 / 25))
    )


def test_new_season_starts_with_the_form_of_the_last_one_and_no_games():
    old = [make_game(n, date(2025, 3, n), 1, 2, season=20242025) for n in (1, 3)]
    new = make_game(1, FIRST, 1, 2)
    rows = [
        row for this in (*old, new) for row in (*make_skater_rows(this, 1, 10, 4), *make_skater_rows(this, 2, 20, 1))
    ]
    row = build_last_row(make_tables([*old, new], rows, []))

    assert (row["season"], row["games_before"], row["season_games_before"]) == (20252026, 2, 0)
    assert row["team_season_games_before"] == 0
    assert row["mean_shots_on_goal_5"] == 4
    assert row["shrunk_shots_on_goal_of_season"] == row["position_shots_on_goal"] == 2.5
    assert set(build_features(make_tables([*old, new], rows, []))["season"]) == {20252026}


def test_rest_and_time_zones_follow_the_teams_last_games():
    games = [
        make_game(1, FIRST, 1, 2),
        make_game(2, FIRST + timedelta(days=1), 2, 3),
        make_game(3, FIRST + timedelta(days=3), 2, 1),
    ]
    rows = [
        row
        for this in games
        for team in (this["home_team_id"], this["away_team_id"])
        for row in make_skater_rows(this, team, 10 * team, 2)
    ]
    row = build_last_row(make_tables(games, rows, []), 20)

    assert (row["team_days_of_rest"], row["opponent_days_of_rest"], row["days_of_rest_more"]) == (2, 3, -1)
    assert row["time_zone_shift_h"] == 0
    assert build_last_row(make_tables(games, rows, []), 10)["time_zone_shift_h"] == -3


def test_shots_against_are_counted_by_position():
    games = [make_game(n, FIRST + timedelta(days=n), 1, 2) for n in range(3)]
    rows = [
        row
        for this in games
        for row in (
            *make_skater_rows(this, 1, 10, 4),
            *make_skater_rows(this, 1, 12, 1),
            *make_skater_rows(this, 2, 20, 2),
            *make_skater_rows(this, 2, 21, 0),
        )
    ]

    assert (
        build_last_row(make_tables(games, rows, []), 20)["opponent_shots_on_goal_against_of_position"] == 2
    )  # 20 is a forward
    assert (
        build_last_row(make_tables(games, rows, []), 21)["opponent_shots_on_goal_against_of_position"] == 0
    )  # 21 a defenseman
    assert build_last_row(make_tables(games, rows, []), 20)["opponent_shots_on_goal_against"] == 2
    assert build_last_row(make_tables(games, rows, []), 20)["team_shots_on_goal"] == 2
