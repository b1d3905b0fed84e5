"""Rolling xG: rates over the last games equal those of a loop, and those of gold."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhl_lake import catalog
from nhl_lake.queries import rolling
from tests.support import lakes

GAMES = st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5), st.integers(1, 3000)), max_size=15)


def make_games(subject: int, games: list[tuple[float, float, int]]) -> pl.DataFrame:
    rows = [
        {"player_id": subject, "game_id": number, "game_date": date(2026, 1, 1) + timedelta(number), "xg_for": ours,
         "xg_against": theirs, "time_on_ice_s": seconds}
        for number, (ours, theirs, seconds) in enumerate(games)
    ]  # fmt: skip
    counts = {"xg_for": pl.Float64, "xg_against": pl.Float64, "time_on_ice_s": pl.Int32}
    return pl.DataFrame(rows, schema={"player_id": pl.Int64, "game_id": pl.Int64, "game_date": pl.Date, **counts})


@given(GAMES, GAMES, st.integers(1, 6))
def test_rates_are_those_of_the_last_games_of_each_player(
    one: list[tuple[float, float, int]], other: list[tuple[float, float, int]], window: int
):
    games = pl.concat([make_games(7, one), make_games(3, other)])
    found = rolling.add_rolling_rates(
        games.sample(fraction=1, shuffle=True, seed=1).lazy(), "player_id", window
    ).collect()

    for subject, own in ((7, one), (3, other)):
        rows = found.filter(player_id=subject).to_dicts()
        assert [row["game_id"] for row in rows] == list(range(len(own)))
        for at, row in enumerate(rows, 1):
            last = own[max(0, at - window) : at]
            seconds = sum(time for *_, time in last)
            assert (row["rolling_games"], row["rolling_time_on_ice_s"]) == (len(last), seconds)
            is_enough = len(last) >= min(3, window)
            for column, side in (("rolling_xg_for_per_60", 0), ("rolling_xg_against_per_60", 1)):
                rate = sum(game[side] for game in last) * 3600 / seconds
                assert row[column] == (pytest.approx(rate, abs=1e-6, rel=1e-9) if is_enough else None)


def test_skaters_and_teams_have_the_xg_of_gold(league_lake: Path):
    for table, columns, roll, key in (
        ("gold.skater_game", ("on_ice_xg_for", "on_ice_xg_against"), rolling.roll_skaters, "player_id"),
        ("gold.team_game", ("xg", "xg_against"), rolling.roll_teams, "team_id"),
    ):
        gold = lakes.read_rows(league_lake, catalog.find_table(table)).filter(game_type=2, situation="5on5")
        known = gold.filter(pl.col("time_on_ice_s") > 0).drop_nulls(["time_on_ice_s", *columns])
        found = roll(league_lake, gold["season"][0])

        assert found.height == known.height > 100
        last = found.group_by(key, maintain_order=True).last().filter(pl.col("game_number") <= 10)
        summed = known.group_by(key).agg(rate=pl.col(columns[0]).sum() * 3600 / pl.col("time_on_ice_s").sum())
        both = last.filter(pl.col("game_number") >= 3).join(summed, on=key)
        assert not both.is_empty()
        assert both["rolling_xg_for_per_60"].to_list() == pytest.approx(both["rate"].to_list())


def test_some_players_and_teams_are_read_alone(league_lake: Path):
    every = rolling.roll_skaters(league_lake, 20252026)
    some = every["player_id"].unique().sort()[:2].to_list()
    assert rolling.roll_skaters(league_lake, 20252026, player_ids=some).equals(
        every.filter(pl.col("player_id").is_in(some))
    )
    teams = rolling.roll_teams(league_lake, 20252026)
    assert rolling.roll_teams(league_lake, 20252026, team_ids=[103]).equals(teams.filter(team_id=103))
    assert rolling.roll_teams(league_lake, 20242025).is_empty()
