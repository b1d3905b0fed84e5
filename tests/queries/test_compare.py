"""Tests of the comparison with MoneyPuck: files that are made from the lake agree, and each change is found."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import polars.selectors as cs
import pytest

from nhl_lake.errors import BadInput
from nhl_lake.queries import compare
from nhl_lake.queries.moneypuck import GAMES_HISTORICAL, PLAYER_GAME_STATS
from nhl_lake.queries.sql import scan_view
from tests.support.commands import CommandResult
from tests.support.fake_api import NOON

Cli = Callable[..., CommandResult]


def make_rows(root: Path, view: object = GAMES_HISTORICAL) -> pl.DataFrame:
    """Return rows of the lake as MoneyPuck's files have them: years, shares from 0 to 1."""
    rows = scan_view(root, view).collect()  # type: ignore[arg-type]
    return rows.with_columns(pl.col("season") // 10_000, cs.ends_with("Percentage") / 100)


def write(rows: pl.DataFrame, path: Path) -> Path:
    rows.write_csv(path)
    return path


def compare_file(root: Path, path: Path, *, is_playoffs: bool = False) -> compare.Comparison:
    return compare.compare_moneypuck(root, path, is_playoffs=is_playoffs)


@pytest.mark.parametrize("view", [GAMES_HISTORICAL, PLAYER_GAME_STATS], ids=lambda view: view.name)
def test_a_file_made_from_the_lake_agrees_in_every_row(small_lake: Path, tmp_path: Path, view: object):
    rows = make_rows(small_lake, view)
    found = compare_file(small_lake, write(rows, tmp_path / "games.csv"))

    assert (found.rows, found.only_theirs, found.only_ours) == (rows.height, 0, 0)
    assert len(found.columns) > 5
    assert {one.column: one.equal_share for one in found.columns} == dict.fromkeys(
        [one.column for one in found.columns], 1
    )
    assert all(one.largest is None for one in found.columns)


def test_each_change_is_found_where_it_is(small_lake: Path, tmp_path: Path):
    rows = make_rows(small_lake).sort("gameId", "team", "situation")
    number = pl.int_range(pl.len())
    changed = rows.with_columns(
        goalsFor=pl.when(number == 0).then(pl.col("goalsFor") + 3).otherwise("goalsFor"),
        penaltiesFor=pl.when(number == 1).then(None).otherwise("penaltiesFor"),
        iceTime=2 * pl.col("iceTime"),
        brandNew=pl.lit(1),
    )
    found = compare_file(small_lake, write(changed, tmp_path / "games.csv"))
    columns = {one.column: one for one in found.columns}
    first = rows.row(0, named=True)

    goals = columns["goalsFor"]
    assert goals.equal_share == pytest.approx(1 - 1 / rows.height)
    assert goals.largest is not None
    assert goals.largest.key == f"{first['gameId']} {first['team']} {first['situation']}"
    assert goals.largest.theirs - goals.largest.ours == 3
    assert goals.total_ratio == pytest.approx(rows["goalsFor"].sum() / (rows["goalsFor"].sum() + 3))
    assert columns["penaltiesFor"].rows == rows["penaltiesFor"].count() - 1  # unknown is not compared
    assert columns["iceTime"].total_ratio == pytest.approx(0.5)
    assert columns["iceTime"].correlation == pytest.approx(1)
    assert "brandNew" in found.not_compared
    assert found.columns[0].equal_share == 1
    assert found.columns[-1].column == "iceTime"  # what agrees least comes last


def test_rows_of_one_side_are_counted(small_lake: Path, tmp_path: Path):
    rows = make_rows(small_lake)
    other = rows.head(1).with_columns(team=pl.lit("XYZ"))
    found = compare_file(small_lake, write(pl.concat([rows.tail(rows.height - 3), other]), tmp_path / "games.csv"))

    assert (found.rows, found.only_theirs, found.only_ours) == (rows.height - 3, 1, 3)


@pytest.mark.parametrize(
    ("view", "key", "mark"), [(GAMES_HISTORICAL, "team", "goalsFor"), (PLAYER_GAME_STATS, "playerId", "I_F_goals")]
)
def test_a_file_by_season_is_compared_with_the_sum_of_the_games(
    small_lake: Path, tmp_path: Path, view: object, key: str, mark: str
):
    rows = make_rows(small_lake, view)
    ids = {"season", "gameId", "gameDate", "playoffGame"}
    sums = [pl.col(name).sum() for name in rows.select(cs.numeric()).columns if name not in ids]
    keys = [key, "season", "situation"]
    totals = rows.group_by(keys).agg(games_played=pl.len(), *sums)  # noqa: B026
    totals = totals if key == "team" else totals.with_columns(team=pl.lit("QCB"))
    found = compare_file(small_lake, write(totals, tmp_path / "season.csv"))
    shares = {one.column: one.equal_share for one in found.columns}

    assert found.rows == totals.height
    assert shares[mark] == shares["games_played"] == 1
    assert not any("Percentage" in name or "Rank" in name for name in shares)


def test_files_that_cannot_be_compared_are_named(small_lake: Path, tmp_path: Path):
    rows = make_rows(small_lake)
    with pytest.raises(BadInput, match=r"The lake has no row of g\.csv, which is about season 1990"):
        compare_file(small_lake, write(rows.with_columns(season=pl.lit(1990)), tmp_path / "g.csv"))
    with pytest.raises(BadInput, match="The lake has no row"):
        compare_file(small_lake, write(rows, tmp_path / "games.csv"), is_playoffs=True)
    shots = pl.DataFrame({"shotID": [1], "season": [2025], "xGoal": [0.1], "shotType": ["WRIST"]})
    with pytest.raises(BadInput, match="is a file of shots, which the lake has nothing equal to"):
        compare_file(small_lake, write(shots, tmp_path / "shots.csv"))


def test_the_command_prints_what_differs_and_json(run_here: Cli, small_lake: Path, tmp_path: Path):
    path = write(make_rows(small_lake).with_columns(pl.col("goalsFor") + 1), tmp_path / "games.csv")
    said = run_here("compare", "moneypuck", str(path), root=small_lake, now=NOON)
    found = run_here("compare", "moneypuck", str(path), "--json", root=small_lake, now=NOON).json

    assert said.code == 0
    assert [line.split()[0] for line in said.out.splitlines() if line.startswith(("goalsFor", "iceTime"))] == [
        "goalsFor"
    ]
    column = next(one for one in found["columns"] if one["column"] == "goalsFor")
    assert column["equal_share"] == 0
    assert set(column) == {"column", "rows", "equal_share", "correlation", "total_ratio", "largest"}
    assert run_here("compare", "elsewhere", str(path), root=small_lake, now=NOON).code == 2
