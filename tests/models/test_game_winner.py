"""Tests of the model of who wins: it finds what was planted, a backtest does not look ahead, and it beats Elo."""

import gzip
import math
import random
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nhl_lake.errors import LakeError
from nhl_lake.gold.game_features import GAME_FEATURES, game_features
from nhl_lake.gold.team_game import TEAM_GAME
from nhl_lake.models import game_winner
from nhl_lake.models.game_winner import ELO, GAME_MODEL, HOME_RATE
from nhl_lake.silver.games import GAMES
from nhl_lake.silver.teams import TEAMS
from nhl_lake.store import delta_tables
from tests.silver.builders import make_frame

FIRST = date(2024, 10, 5)
TEAMS_COUNT = 16
PLANTED = (0.1, 0.9, 0.05, -0.4)


def make_rows(count: int, seed: int = 1) -> pl.DataFrame:
    """Return games, some each day, that are won with the planted log odds; the second half is of the next season."""
    dice = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for number in range(count):
        season = 20242025 if number < count // 2 else 20252026
        day = FIRST + timedelta(days=number // 5 + (120 if season == 20252026 else 0))
        home, away = dice.sample(range(1, TEAMS_COUNT + 1), 2)
        sides = {
            side: (dice.gauss(0, 0.8), dice.gauss(0, 4), dice.random() < 0.2) for side in ("home", "away")
        }  # fmt: skip
        odds = PLANTED[0] + sum(
            weight * (float(one) - float(other))
            for weight, one, other in zip(PLANTED[1:], sides["home"], sides["away"], strict=True)
        )
        is_home_win = dice.random() < 1 / (1 + math.exp(-odds))
        rows.append(
            {
                "season": season, "game_id": 2024020000 + number, "game_type": 2, "game_date": day,
                "start_at": datetime(day.year, day.month, day.day, 23, tzinfo=UTC), "is_upcoming": False,
                "home_team_id": home, "home_team_abbrev": f"T{home}", "away_team_id": away,
                "away_team_abbrev": f"T{away}", "home_score": 3 if is_home_win else 1, "away_score": 2,
                "is_home_win": is_home_win, "home_games_before": 9, "away_games_before": 9,
            }
            | {f"{side}_goal_margin": found[0] for side, found in sides.items()}
            | {f"{side}_unblocked_attempt_margin": found[1] for side, found in sides.items()}
            | {f"is_{side}_back_to_back": found[2] for side, found in sides.items()}
        )  # fmt: skip
    return make_frame(GAME_FEATURES, rows).collect()


ROWS = make_rows(1600)
SEASON = 20252026


def get_log_losses(found: game_winner.GameBacktest) -> dict[str, float]:
    return dict(found.scores.select("prediction", "log_loss").rows())


def test_planted_weights_come_back():
    found = game_winner.fit_pregame_model(make_rows(6000, seed=2))

    assert found.intercept == pytest.approx(PLANTED[0], abs=0.1)
    assert found.weights == pytest.approx(PLANTED[1:], abs=0.15)


def test_fitting_again_gives_the_same_numbers():
    assert game_winner.fit_pregame_model(ROWS) == game_winner.fit_pregame_model(ROWS)


def test_too_few_games_are_an_error_that_says_how_many_are_needed():
    with pytest.raises(LakeError, match="399; it needs 400"):
        game_winner.fit_pregame_model(ROWS.head(399))
    with pytest.raises(LakeError, match="Too few games before any month"):
        game_winner.backtest(ROWS.head(300), 20242025)


def test_backtest_scores_all_predictions_on_the_same_games_and_the_model_is_best():
    found = game_winner.backtest(ROWS, SEASON)
    losses = get_log_losses(found)

    assert found.scores["games"].to_list() == [800, 800, 800]
    assert losses[GAME_MODEL] < 0.95 * losses[HOME_RATE]
    assert losses[GAME_MODEL] < losses[ELO]
    assert found.gain == pytest.approx(losses[ELO] - losses[GAME_MODEL])
    assert 0 < found.gain_error < found.gain
    assert found.calibration["games"].sum() == 800
    assert (found.calibration["predicted"] - found.calibration["won"]).abs().max() < 0.12
    assert found.calibration["band"].to_list()[0] == "0.00 to 0.35"


def test_later_games_change_no_earlier_prediction():
    played = ROWS.sort("start_at", "game_id")
    later = played["game_date"] >= date(2025, 9, 15)
    flipped = played.with_columns(
        is_home_win=pl.col("is_home_win") != later,
        home_score=pl.when(later).then(9).otherwise("home_score").cast(pl.Int16),
    )
    before, after = (
        pl.concat(games for games, _ in game_winner.predict_months(rows, SEASON))
        for rows in (rows.with_columns(game_winner.rate_teams(rows)) for rows in (played, flipped))
    )
    unchanged = played.filter(pl.col("season") == SEASON, pl.col("game_date") < date(2025, 9, 15)).height

    assert 50 < unchanged < before.height
    assert_frame_equal(before.head(unchanged), after.head(unchanged))
    assert not before.tail(-unchanged).drop("is_home_win").equals(after.tail(-unchanged).drop("is_home_win"))


def test_shuffled_winners_cannot_be_predicted():
    shuffled = ROWS.with_columns(pl.col("is_home_win").shuffle(seed=4))
    losses = get_log_losses(game_winner.backtest(shuffled, SEASON))

    assert losses[GAME_MODEL] > 0.68


def test_elo_starts_with_home_ice_and_moves_toward_the_winner():
    names = ("season", "home_team_id", "away_team_id", "home_score", "away_score")
    games = [(20242025, 1, 2, 4, 1), (20242025, 1, 2, 1, 2), (20252026, 2, 1, 1, 2)]
    found = game_winner.rate_teams(pl.DataFrame(games, schema=names, orient="row")).to_list()

    start = 1 / (1 + 10 ** (-35 / 400))
    gain = 6 * (math.log(3) * 0.6686 + 0.8048) * (1 - start)
    second = 1 / (1 + 10 ** (-(35 + 2 * gain) / 400))
    rating = 0.7 * (gain - 6 * 0.8048 * second)
    assert found == pytest.approx([start, second, 1 / (1 + 10 ** (-(35 - 2 * rating) / 400))])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, small_lake: Path) -> Path:
    """A lake whose games are the made ones."""
    root = tmp_path_factory.mktemp("winners") / "lake"
    shutil.copytree(small_lake, root)
    delta_tables.replace_rows(root, GAME_FEATURES, ROWS, where=None, metadata={})
    return root


def test_command_prints_the_scores_and_the_calibration(root: Path, run_here):
    shown = run_here("models", "backtest", "game", "--season", "2025", root=root)
    as_json = run_here("models", "backtest", "game", "--season", "2025", "--json", root=root).json
    absent = run_here("models", "backtest", "game", "--season", "2019", root=root)

    assert shown.code == 0, shown.err
    for text in (HOME_RATE, ELO, GAME_MODEL, "Brier", "0.65 to 1.00", "goal_margin"):
        assert text in shown.out
    assert [row["games"] for row in as_json["scores"]] == [800] * 3
    assert set(as_json["model"]) == {"intercept", "goal_margin", "unblocked_attempt_margin", "is_back_to_back"}
    assert absent.code == 1
    assert "nhl-lake ingest --season 2019" in absent.err


class Details(msgspec.Struct):
    eventOwnerTeamId: int | None = None


class Period(msgspec.Struct):
    periodType: str


class Play(msgspec.Struct):
    typeDescKey: str
    periodDescriptor: Period
    details: Details | None = None


class Team(msgspec.Struct):
    id: int
    abbrev: str
    score: int


class Page(msgspec.Struct):
    id: int
    season: int
    gameType: int
    gameDate: date
    startTimeUTC: datetime
    homeTeam: Team
    awayTeam: Team
    plays: list[Play]


def read_archive(realdata: Path, season: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of the games of a recorded season, and of both teams in gold.team_game."""
    games, lines = [], []
    decoder = msgspec.json.Decoder(Page)
    with gzip.open(realdata / "season-archives" / f"play-by-play_{season}.jsonl.gz") as texts:
        for page in map(decoder.decode, texts):
            sides = {"home": page.homeTeam, "away": page.awayTeam}
            about = {"season": page.season, "game_id": page.id}
            games.append(
                about | {f"{side}_team_id": team.id for side, team in sides.items()}
                | {f"{side}_team_abbrev": team.abbrev for side, team in sides.items()}
                | {f"{side}_score": team.score for side, team in sides.items()}
                | {"game_type": page.gameType, "game_date": page.gameDate, "start_at": page.startTimeUTC,
                   "game_state": "OFF", "schedule_state": "OK"}
            )  # fmt: skip
            counts = {team.id: [0, 0] for team in sides.values()}
            for play in page.plays:
                is_unblocked = play.typeDescKey in {"goal", "shot-on-goal", "missed-shot"}
                if (
                    is_unblocked
                    and play.details
                    and play.details.eventOwnerTeamId
                    and play.periodDescriptor.periodType != "SO"
                ):
                    found = counts[play.details.eventOwnerTeamId]
                    found[0] += play.typeDescKey == "goal"
                    found[1] += 1
            for own, other in (("home", "away"), ("away", "home")):
                (goals, attempts), against = counts[sides[own].id], counts[sides[other].id]
                lines.append(
                    about | {"team_id": sides[own].id, "situation": "all", "goals": goals, "goals_against": against[0],
                             "unblocked_attempts": attempts, "unblocked_attempts_against": against[1]}
                )  # fmt: skip
    return games, lines


def test_model_beats_elo_and_the_home_rate_on_two_recorded_seasons(realdata: Path):
    found = [read_archive(realdata, season) for season in (20222023, 20232024)]
    games, lines = ([row for part in found for row in part[n]] for n in (0, 1))
    teams = [{"team_id": team, "team_key": team} for team in {game["home_team_id"] for game in games}]
    frames = [make_frame(GAMES, games), make_frame(TEAM_GAME, lines), make_frame(TEAMS, teams)]
    rows = game_features(*frames, pl.LazyFrame({"source": ["NHL"]}), date(2100, 1, 1)).collect()

    for season, count in ((20222023, 816), (20232024, 1400)):
        scored = game_winner.backtest(rows, season)
        losses = get_log_losses(scored)
        assert scored.scores["games"].unique().to_list() == [count]
        assert losses[GAME_MODEL] < losses[ELO] < losses[HOME_RATE]
        assert losses[GAME_MODEL] > 0.64  # a lower one is impossible before a game: the features would leak it
