"""Tests of the MoneyPuck views: same rows in both engines, every row, no column that needs a model."""

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nhl_lake import catalog
from nhl_lake.queries import duckdb_views, moneypuck, sql
from nhl_lake.queries.moneypuck import VIEWS, View
from tests.support import lakes
from tests.support.commands import CommandResult

Cli = Callable[..., CommandResult]
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "moneypuck-columns.md").read_text()
# what a notebook of the lake before this one asks: rolling means of a skater, a team's rates, who is on which team
NOTEBOOK = """
with per_game as (
    select playerId, name, playerTeam, gameId, gameDate, situation, icetime, I_F_shotsOnGoal, I_F_goals,
           OnIce_F_shotAttempts, OnIce_A_shotAttempts, onIce_corsiPercentage
    from player_game_stats
    where situation in ('all', '5on4') and season = 20252026 and gameDate >= 20260320
),
teams as (
    select gameId, team, shotsOnGoalFor, shotsOnGoalAgainst, penaltiesAgainst, corsiPercentage
    from games_historical where situation = 'all' and playoffGame = 0
)
select p.playerId, p.name, k.position, p.gameId, s."DATE", s.HOME, s.AWAY, s.EASTERN, t.shotsOnGoalAgainst,
       t.corsiPercentage, k.player_I_F_shotsOnGoal, p.onIce_corsiPercentage,
       avg(p.I_F_shotsOnGoal) over (partition by p.playerId order by p.gameDate, p.gameId
                                    rows between unbounded preceding and current row) as average_shots
from per_game as p
join schedule as s on s.GAME_ID = p.gameId
join teams as t on t.gameId = p.gameId and t.team = p.playerTeam
join skaters as k on k.playerId = p.playerId and k.situation = p.situation and k.season = 20252026
where p.situation = 'all'
order by p.playerId, p.gameId
"""


def rows(root: Path, view: View) -> pl.DataFrame:
    return sql.scan_view(root, view).collect().sort(view.key)


@pytest.fixture(scope="module")
def other(league_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DuckDB file of views over the lake."""
    file = tmp_path_factory.mktemp("duck") / "views.duckdb"
    list(duckdb_views.create_views(league_lake, file, [table for table in catalog.TABLES if table.layer != "lake"]))
    return file


def read_duckdb(file: Path, question: str) -> pl.DataFrame:
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute("SET TimeZone = 'America/Vancouver'; SET default_null_order = 'nulls_last'")
        return pl.DataFrame(connection.sql(question))


def test_a_notebook_query_has_the_same_result_in_both_engines(league_lake: Path, other: Path):
    ours = sql.collect_query(sql.run_query(league_lake, NOTEBOOK))

    assert ours.height > 1_000
    assert not any(ours[name].is_null().all() for name in ours.columns)
    assert_frame_equal(ours, read_duckdb(other, NOTEBOOK), check_dtypes=False)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_has_the_same_rows_in_both_engines(league_lake: Path, other: Path, view: View):
    ours = rows(league_lake, view)

    assert ours.height > 0
    assert ours.columns == list(view.columns)
    theirs = read_duckdb(other, f"select * from {view.name}").sort(view.key)
    assert_frame_equal(ours, theirs, check_dtypes=False)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_keys_are_unique_and_not_null(league_lake: Path, view: View):
    found = rows(league_lake, view).select(view.key)

    assert not found.is_duplicated().any()
    assert found.null_count().row(0) == (0,) * len(view.key)


@pytest.mark.parametrize(
    ("view", "table"),
    [(moneypuck.PLAYER_GAME_STATS, "gold.skater_game"), (moneypuck.GAMES_HISTORICAL, "gold.team_game"),
     (moneypuck.SCHEDULE, "silver.games")],
)  # fmt: skip
def test_a_view_has_every_row_of_its_table_and_the_same_sums(league_lake: Path, view: View, table: str):
    behind = lakes.read_rows(league_lake, catalog.find_table(table)).filter(pl.col("game_type").is_in([2, 3]))
    found = rows(league_lake, view)

    assert found.height == behind.height > 0
    plain = {theirs: ours for theirs, ours in view.columns.items() if ours in behind.columns}
    numbers = {theirs: ours for theirs, ours in plain.items() if behind.schema[ours].is_numeric()}
    sums = found.select(pl.col(*numbers).cast(pl.Float64).sum()).row(0)
    assert sums == pytest.approx(
        behind.select(pl.col(o).cast(pl.Float64).sum().alias(t) for t, o in numbers.items()).row(0)
    )


def test_views_have_no_columns_that_need_a_model_that_we_lack():
    lacking = re.compile("xOnGoal|xRebounds|xFreeze|xPlay|totalShotCredit|xGoalsFrom|earned_rebounds")

    assert [name for view in VIEWS for name in view.columns if lacking.search(name)] == []


def test_a_team_has_the_expected_goals_of_gold(league_lake: Path):
    teams = lakes.read_rows(league_lake, catalog.find_table("gold.team_game")).filter(pl.col("game_type") == 2)
    found = rows(league_lake, moneypuck.GAMES_HISTORICAL).join(
        teams, left_on=["gameId", "team", "situation"], right_on=["game_id", "team_abbrev", "situation"]
    )

    assert found["xGoalsFor"].sum() > 100
    assert found.filter(pl.col("xGoalsFor") != pl.col("xg")).is_empty()
    assert found.filter(pl.col("highDangerShotsAgainst") != pl.col("high_danger_attempts_against")).is_empty()


def test_a_row_has_the_figures_of_gold(league_lake: Path):
    skaters = lakes.read_rows(league_lake, catalog.find_table("gold.skater_game")).filter(pl.col("situation") == "all")
    best = skaters.sort("shots_on_goal", "game_id", "player_id", descending=True).row(0, named=True)
    players = lakes.read_rows(league_lake, catalog.find_table("silver.players"))
    named = players.row(by_predicate=pl.col("player_id") == best["player_id"], named=True)
    row = rows(league_lake, moneypuck.PLAYER_GAME_STATS).row(
        by_predicate=(pl.col("playerId") == str(best["player_id"])) & (pl.col("gameId") == best["game_id"])
        & (pl.col("situation") == "all"), named=True,
    )  # fmt: skip

    assert row["name"] == f"{named['first_name']} {named['last_name']}"
    assert row["gameDate"] == int(f"{best['game_date']:%Y%m%d}")
    assert row["home_or_away"] == ("HOME" if best["is_home"] else "AWAY")
    assert row["I_F_shotsOnGoal"] == best["shots_on_goal"]
    assert row["onIce_corsiPercentage"] == pytest.approx(100 * best["on_ice_attempt_share"])
    assert row["I_F_oZoneShiftStarts"] == best["offensive_zone_starts"]


def test_starts_are_in_new_york_and_arena_time(league_lake: Path):
    games = lakes.read_rows(league_lake, catalog.find_table("silver.games")).sort("game_id")
    found = rows(league_lake, moneypuck.SCHEDULE).rows_by_key("GAME_ID", named=True, unique=True)
    eastern = ZoneInfo("America/New_York")

    for game in games.filter(pl.col("game_type") == 2).iter_rows(named=True):
        at: datetime = game["start_at"].astimezone(eastern)
        row = found[game["game_id"]]
        assert row["EASTERN"] == f"{at:%I:%M %p}".lstrip("0")
        assert row["DAY"] == f"{game['game_date']:%a}."
    assert len({row["EASTERN"] for row in found.values()} | {row["LOCAL"] for row in found.values()}) > 5


@pytest.mark.parametrize(
    ("start", "offset", "text"),
    [("2026-01-14T03:00:00Z", "-08:00", "7:00 PM"), ("2026-01-14T05:05:00Z", "-05:00", "12:05 AM"),
     ("2026-01-14T17:00:00Z", "-05:00", "12:00 PM"), ("2026-07-14T22:30:00Z", "-02:30", "8:00 PM"),
     ("2026-01-14T22:30:00Z", "+02:00", "12:30 AM"), ("2026-01-14T22:30:00Z", None, None)],
)  # fmt: skip
def test_a_clock_has_twelve_hours(start: str, offset: str | None, text: str | None):
    games = pl.LazyFrame({"start_at": [datetime.fromisoformat(start)], "offset": pl.Series([offset], dtype=pl.String)})
    found = pl.SQLContext(games=games).execute(
        f"select {moneypuck.format_clock('offset')} as text from games", eager=True
    )

    assert found["text"].to_list() == [text]


def test_a_skater_season_is_one_row_over_all_teams_and_game_types():
    seasons = catalog.find_table("gold.skater_season")
    about = {"season": 20252026, "player_id": 7, "situation": "all", "position": "C"}
    numbers = [
        (2, 1, "AAA", False, 5, 100), (2, 2, "BBB", False, 3, 60), (2, 2, "BBB", True, 8, 160),
        (3, 2, "BBB", False, 2, None), (3, 2, "BBB", True, 2, None),
    ]  # fmt: skip
    names = ("game_type", "team_id", "team_abbrev", "is_total", "shots_on_goal", "time_on_ice_s")
    given = [about | dict(zip(names, row, strict=True)) for row in numbers]
    untimed = [row | {"player_id": 8, "time_on_ice_s": None} for row in given]
    schema = seasons.schema
    frame = pl.DataFrame([{name: row.get(name) for name in schema} for row in given + untimed], schema=schema)
    players = pl.DataFrame({"player_id": [7], "first_name": ["A"], "last_name": ["B"]})
    context = pl.SQLContext({"gold.skater_season": frame.lazy(), "silver.players": players.lazy()})
    found = context.execute(moneypuck.SKATERS.sql, eager=True).sort("playerId")

    columns = ("playerId", "name", "team", "player_icetime", "player_I_F_shotsOnGoal")
    assert found.select(columns).rows() == [("7", "A B", "BBB", 160, 10), ("8", None, "BBB", None, 10)]


def test_queries_know_every_view():
    assert [view.name for view in VIEWS] == list(sql.VIEW_NAMES)


def test_a_view_name_may_end_the_name_of_a_table_or_column():
    assert sql.find_named_views("select schedule_state from silver.games join bronze.schedule using (game_id)") == []
    assert [v.name for v in sql.find_named_views('select * from "skaters" s join games_historical g')] == [
        "games_historical",
        "skaters",
    ]


def test_the_sql_command_reads_a_view(run_here: Cli, league_lake: Path):
    ended = run_here("sql", "select count(*) as n from player_game_stats where situation = 'all'", root=league_lake)

    assert ended.code == 0, ended.err
    skaters = (
        lakes.read_rows(league_lake, catalog.find_table("gold.skater_game")).filter(pl.col("situation") == "all").height
    )
    assert ended.out.split() == ["n", f"{skaters:,}"]


def test_all_views_are_exported_or_some_of_one_season(run_here: Cli, league_lake: Path, tmp_path: Path):
    every = run_here("export", "--names", "moneypuck", "--to", str(tmp_path / "all"), root=league_lake)
    words = ("export", "skaters", "--names", "moneypuck", "--season", "2025", "--to", str(tmp_path / "skaters.csv"))
    one = run_here(*words, root=league_lake)
    book = run_here("export", "--names", "moneypuck", "--to", str(tmp_path / "nhl.duckdb"), root=league_lake)
    lite = run_here("export", "schedule", "--names", "moneypuck", "--to", str(tmp_path / "nhl.db"), root=league_lake)

    assert [ended.code for ended in (every, one, book, lite)] == [0, 0, 0, 0], every.err + one.err + book.err + lite.err
    assert sorted(f.name for f in (tmp_path / "all").iterdir()) == sorted(f"{view.name}.parquet" for view in VIEWS)
    for view in VIEWS:
        assert_frame_equal(
            pl.read_parquet(tmp_path / "all" / f"{view.name}.parquet").sort(view.key), rows(league_lake, view)
        )
    skaters = rows(league_lake, moneypuck.SKATERS)
    assert pl.read_csv(tmp_path / "skaters.csv").height == skaters.filter(pl.col("season") == 20252026).height
    assert read_duckdb(tmp_path / "nhl.duckdb", "select * from skaters").height == skaters.height


@pytest.mark.parametrize(
    ("words", "message"),
    [((), "Name a table to export."), (("--names", "nst"), "Unknown names: --names nst."),
     (("gold.skater_game", "--names", "moneypuck"), "MoneyPuck has no table 'gold.skater_game'.")],
)  # fmt: skip
def test_invalid_exports_are_two_line_errors(
    run_here: Cli, league_lake: Path, tmp_path: Path, words: tuple[str, ...], message: str
):
    ended = run_here("export", *words, "--to", str(tmp_path / "x"), root=league_lake)

    assert ended.code == 2
    assert message in ended.err
    assert len(ended.err.splitlines()) == 2


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_the_document_has_every_column_of_a_view(view: View):
    section = PAGE.split(f"## {view.name}\n")[1].split("\n## ")[0]
    lines = re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE)

    assert [name for name, _ in lines] == list(view.columns)
    short = {name: f"`{what}`" for name, what in view.columns.items() if len(what) < 90}
    assert {name: what for name, what in lines if name in short} == short
