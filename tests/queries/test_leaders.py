"""Leaders of a season: by any column, position, team and situation; and what is said where nobody leads."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from nhl_lake import catalog
from nhl_lake.errors import BadInput
from nhl_lake.queries.leaders import Choice, Leaders, rank_leaders
from tests.support import lakes
from tests.support.commands import CommandResult
from tests.support.fake_api import FakeApi, FakeGame, run_ingest

Cli = Callable[..., CommandResult]


@pytest.fixture(scope="module")
def skaters(league_lake: Path) -> pl.DataFrame:
    return lakes.read_rows(league_lake, catalog.find_table("gold.skater_season"))


def lead(root: Path, count: int = 5, **choice: object) -> Leaders:
    return rank_leaders(root, Choice(**choice), count)  # type: ignore[arg-type]


def test_the_most_of_a_column_lead_whoever_they_played_for(league_lake: Path, skaters: pl.DataFrame):
    found = lead(league_lake, by="goals", position="D")

    of_all = skaters.filter("is_total", pl.col("situation") == "all", pl.col("position") == "D", game_type=2)
    assert found.rows["goals"].to_list() == of_all["goals"].top_k(5).sort(descending=True).to_list()
    assert set(found.rows["position"]) == {"D"}
    assert found.rows["player"].null_count() == 0


def test_points_lead_by_default_and_wins_of_goalies(league_lake: Path):
    assert (lead(league_lake).column, lead(league_lake, position="G").column) == ("points", "wins")
    assert lead(league_lake, by="saves").table.name == "gold.goalie_season"
    assert lead(league_lake, by="toi").column == "time_on_ice_s"


def test_a_team_and_a_situation_narrow_the_players(league_lake: Path, skaters: pl.DataFrame):
    team = skaters["team_abbrev"].mode()[0]
    found = lead(league_lake, by="attempts", team=team.lower(), situation="5on5", position="F")

    own = skaters.filter(~pl.col("is_total"), pl.col("team_abbrev") == team, pl.col("situation") == "5on5")
    own = own.filter(pl.col("position") != "D")
    assert found.rows["attempts"].to_list() == own["attempts"].top_k(5).sort(descending=True).to_list()


def test_a_rate_needs_a_quarter_of_the_games_and_a_count_none(league_lake: Path):
    rate = lead(league_lake, 999, by="shooting_share")
    every = lead(league_lake, 999, by="shooting_share", min_games=1)

    assert rate.min_games == round(int(str(every.rows["games"].max())) / 4) > 1
    assert rate.rows["games"].min() == rate.min_games
    assert lead(league_lake, by="goals").min_games == 1


def test_effects_on_xg_lead_at_5on5_unless_a_situation_is_given(league_lake: Path):
    rows = lakes.read_rows(league_lake, catalog.find_table("gold.skater_rapm"))
    even, power_play = (lead(league_lake, by=by, min_games=1, **of) for by, of in (
        ("rapm_xg_per_60", {}), ("rapm_xg_for_per_60", {"situation": "5on4"}),
    ))  # fmt: skip

    assert (even.table.name, even.situation, power_play.situation) == ("gold.skater_rapm", "5on5", "5on4")
    for found in (even, power_play):
        every = rows.filter(situation=found.situation)[found.column]
        assert found.rows[found.column].to_list() == every.top_k(5).sort(descending=True).to_list()


def test_goalies_lead_by_shrunk_goals_saved(league_lake: Path):
    found = lead(league_lake, by="shrunk_goals_saved_above_expected")

    assert found.table.name == "gold.goalie_season"
    assert found.rows.height == 5


@pytest.mark.parametrize(
    ("choice", "what", "hint"),
    [
        ({"by": "gols"}, "no statistic 'gols'", "'goals'"),
        ({"by": "saves", "position": "D"}, "no statistic 'saves'", "'saved_shots'"),
        ({"position": "Q"}, "no position 'Q'", "F for all forwards"),
        ({"season": 19501951}, "no regular season games of 1950-51", "It has 2025-26"),
        ({"game_type": 9}, "no game type 9 games to rank", "It has game types 2 (regular season): --game-type 2."),
        ({"team": "XYZ"}, "There is no team 'XYZ' in the lake", "silver.teams"),
        ({"team": "hamiltn"}, "There is no team 'hamiltn' in the lake", "Did you mean HMS (Hamilton Millwrights)?"),
        ({"team": "HMS", "game_type": 1}, "no preseason games of HMS to rank", "2 (regular season)"),
        ({"situation": "3on3"}, "no situation '3on3'", "5on5"),
    ],
)
def test_where_nobody_leads_the_reason_is_said(league_lake: Path, choice: dict[str, object], what: str, hint: str):
    with pytest.raises(BadInput) as error:
        lead(league_lake, **choice)

    assert what in error.value.message
    assert hint in error.value.hint


@pytest.fixture(scope="module")
def root_without_shifts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of three games without a shift chart; its pages have no ice time of a goalie and no location of a shot."""
    root = tmp_path_factory.mktemp("without_shifts")
    tables = ("gold.skater_season", "gold.goalie_season", "gold.skater_rapm")
    run_ingest(root, FakeApi([FakeGame(number, chart=False) for number in (1, 2, 3)]), only=tables)
    return root


@pytest.mark.parametrize(
    ("choice", "reason"),
    [
        ({"by": "on_ice_xg_share"}, "counted from shifts, and the lake has no shifts of these games"),
        ({"by": "on_ice_goals_for_per_60"}, "counted from shifts"),
        ({"by": "time_on_ice_s", "situation": "5on5"}, "counted from shifts"),
        ({"by": "rapm_xg_per_60"}, "counted from shifts"),
        ({"by": "xg"}, "No player of 2025-26 has xg: the lake's pages of these games do not record what it needs."),
        ({"by": "save_share"}, "No player of 2025-26 has save_share: the lake's pages"),
        ({"by": "goals", "min_games": 9}, "None of these players has 9 games; the most are 3: --min-games 3."),
        ({"by": "time_on_ice_s", "position": "R"}, "None of these players has time_on_ice_s."),
    ],
)
def test_without_shifts_the_reason_is_the_true_one(root_without_shifts: Path, choice: dict[str, object], reason: str):
    found = lead(root_without_shifts, **choice)

    assert found.rows.is_empty()
    assert reason in found.reason


def test_leaders_have_no_reason_to_be_missing(root_without_shifts: Path, league_lake: Path):
    assert lead(root_without_shifts, by="points").reason == lead(league_lake, by="rapm_xg_per_60").reason == ""
    assert "of another situation only" in lead(league_lake, by="rapm_xg_per_60", situation="5on4").reason


def test_the_command_prints_what_fits_and_json_has_the_ids(
    run_here: Cli, league_lake: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "60")
    words = ("leaders", "--by", "on_ice_attempt_share", "--position", "F", "-n", "4")
    shown, found = run_here(*words, root=league_lake), run_here(*words, "--json", root=league_lake).json

    assert max(len(line.rstrip()) for line in shown.out.splitlines()) <= 60
    assert [row["player"] in shown.out for row in found] == [True] * 4
    assert set(found[0]) >= {"player_id", "on_ice_attempt_share", "games"}
