"""All pages of a game agree with each other and with the truth: totals, rows, shifts and reports."""

import re
from collections import Counter
from typing import Any

import pytest

from nhl_lake.league.model import AWAY, HOME
from tests.league.league_pages import (
    SAMPLE_SIZE,
    get_game_page,
    get_last_period_type,
    get_league,
    get_page,
    get_shift_chart,
    get_shift_report,
    sample_games,
)

pytestmark = pytest.mark.league

PLAYER_KEYS = re.compile(r".*[pP]layerId$|goalieInNetId")


@pytest.fixture(scope="module", params=range(SAMPLE_SIZE))
def game_id(request: pytest.FixtureRequest) -> int:
    return sample_games()[request.param]


def test_the_sample_has_games_of_every_kind():
    assert len(set(sample_games())) == SAMPLE_SIZE
    assert {game // 10_000 % 100 for game in sample_games()} == {1, 2, 3}
    assert {get_last_period_type(game) for game in sample_games()} == {"REG", "OT", "SO"}


def select_plays(page: Any, *kinds: str) -> list[Any]:
    return [play for play in page["plays"] if play["typeDescKey"] in kinds and is_in_play(play)]


def is_in_play(play: Any) -> bool:
    return bool(play["periodDescriptor"]["periodType"] != "SO")


def index_players(page: Any) -> dict[int, Any]:
    """Return the box score's players by id."""
    teams = page["playerByGameStats"].values()
    return {line["playerId"]: line for team in teams for group in team.values() for line in group}


def read_chart_shifts(page: Any) -> set[tuple[int, int, int, int]]:
    """Return the shifts of a chart: without goals and placeholders, each shift once."""
    return {
        (row["playerId"], row["period"], parse_seconds(row["startTime"]), parse_seconds(row["endTime"]))
        for row in page["data"]
        if row["typeCode"] == 517 and row["endTime"]
    }


def parse_seconds(text: str) -> int:
    minutes, rest = text.split(":")
    return int(minutes) * 60 + int(rest)


def read_report(text: str, numbers: dict[int, int]) -> tuple[set[tuple[int, int, int, int]], dict[int, list[str]]]:
    """Return the shifts and TOT rows of a shift report, by player id."""
    shifts, totals, player = set(), {}, 0
    for row in re.findall(r"<tr[^>]*>(.*?)</tr>", text, re.DOTALL):
        cells = [cell.strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)]
        if heading := re.search(r'class="playerHeading[^>]*>(\d+) [^<]+, [^<]+</td>', row):
            player = numbers[int(heading[1])]
        elif len(cells) == 6 and cells[0].isdigit():
            period = 4 if cells[1] == "OT" else int(cells[1])
            shifts.add(
                (player, period, parse_seconds(cells[2].split(" / ")[0]), parse_seconds(cells[3].split(" / ")[0]))
            )
        elif len(cells) == 7 and cells[0] == "TOT":
            totals[player] = cells
    return shifts, totals


def read_both_reports(game_id: int) -> tuple[set[tuple[int, int, int, int]], dict[int, list[str]]]:
    page = get_game_page(game_id, "play-by-play")
    shifts, totals = set(), {}
    for letter, side in (("H", "homeTeam"), ("V", "awayTeam")):
        spots = [spot for spot in page["rosterSpots"] if spot["teamId"] == page[side]["id"]]
        found = read_report(
            get_shift_report(game_id, letter), {spot["sweaterNumber"]: spot["playerId"] for spot in spots}
        )
        shifts |= found[0]
        totals |= found[1]
    return shifts, totals


def test_the_score_is_the_same_everywhere(game_id: int):
    page, rail = get_game_page(game_id, "play-by-play"), get_game_page(game_id, "right-rail")
    game = get_league().engine.find_game(game_id)
    assert game is not None
    week = get_page(f"/v1/schedule/{game.day}")
    listed = next(g for day in week["gameWeek"] for g in day["games"] if g["id"] == game_id)
    goals = Counter(goal["details"]["eventOwnerTeamId"] for goal in select_plays(page, "goal"))
    shootout = page["periodDescriptor"]["periodType"] == "SO"

    for side in ("awayTeam", "homeTeam"):
        team = page[side]
        won = shootout and team["score"] > page["homeTeam" if side == "awayTeam" else "awayTeam"]["score"]
        assert goals[team["id"]] + won == team["score"]
        assert listed[side]["score"] == team["score"]
        assert rail["linescore"]["totals"][side[:4]] == team["score"]
        assert sum(period[side[:4]] for period in rail["linescore"]["byPeriod"]) == team["score"]
        assert get_game_page(game_id, "boxscore")[side]["score"] == team["score"]


def test_goals_count_up_to_the_score(game_id: int):
    page = get_game_page(game_id, "play-by-play")
    score = Counter()
    for goal in select_plays(page, "goal"):
        score[goal["details"]["eventOwnerTeamId"]] += 1
        assert goal["details"]["awayScore"] == score[page["awayTeam"]["id"]]
        assert goal["details"]["homeScore"] == score[page["homeTeam"]["id"]]


def test_shots_on_goal_are_the_same_everywhere(game_id: int):
    page, box, rail = (get_game_page(game_id, kind) for kind in ("play-by-play", "boxscore", "right-rail"))
    shots = Counter(shot["details"]["eventOwnerTeamId"] for shot in select_plays(page, "shot-on-goal", "goal"))
    figures = {figure["category"]: figure for figure in rail["teamGameStats"]}

    for side in ("awayTeam", "homeTeam"):
        team = page[side]
        players = box["playerByGameStats"][side]
        assert shots[team["id"]] == team["sog"] == box[side]["sog"]
        assert sum(line["sog"] for line in (*players["forwards"], *players["defense"])) == team["sog"]
        assert figures["sog"][f"{side[:4]}Value"] == team["sog"]
        assert sum(period[side[:4]] for period in rail["shotsByPeriod"]) == team["sog"]


def test_the_running_count_of_shots_is_of_those_that_were_saved(game_id: int):
    page = get_game_page(game_id, "play-by-play")
    saved: Counter[int] = Counter()
    for play in page["plays"]:
        if play["typeDescKey"] == "shot-on-goal":
            saved[play["details"]["eventOwnerTeamId"]] += 1
        if play["typeDescKey"] in ("shot-on-goal", "failed-shot-attempt"):
            running = [play["details"][key] for key in ("awaySOG", "homeSOG")]
            assert running == [saved[page[side]["id"]] for side in ("awayTeam", "homeTeam")]


def test_goalies_face_what_is_shot_at_them(game_id: int):
    page, box = get_game_page(game_id, "play-by-play"), get_game_page(game_id, "boxscore")
    faced = Counter(shot["details"].get("goalieInNetId") for shot in select_plays(page, "shot-on-goal", "goal"))
    beaten = Counter(goal["details"].get("goalieInNetId") for goal in select_plays(page, "goal"))

    for team in box["playerByGameStats"].values():
        for line in team["goalies"]:
            who = line["playerId"]
            assert (line["shotsAgainst"], line["goalsAgainst"]) == (faced[who], beaten[who])
            assert line["saves"] == faced[who] - beaten[who]
            split = [line[f"{kind}ShotsAgainst"] for kind in ("evenStrength", "powerPlay", "shorthanded")]
            assert sum(int(text.split("/")[1]) for text in split) == faced[who]
            assert line["saveShotsAgainst"] == f"{line['saves']}/{faced[who]}"
            assert ("savePctg" in line) == (faced[who] > 0)
    decisions = [line["decision"] for line in index_players(box).values() if "decision" in line]
    assert sorted(decisions)[-1] == "W"
    assert len(decisions) == 2


def test_every_line_of_the_boxscore_is_what_the_rows_say(game_id: int):
    page, box = get_game_page(game_id, "play-by-play"), get_game_page(game_id, "boxscore")
    teams = {spot["playerId"]: spot["teamId"] for spot in page["rosterSpots"]}
    counts: Counter[tuple[int, str]] = Counter()
    for play in page["plays"]:
        if is_in_play(play):
            counts.update(count_play(play["typeDescKey"], play.get("details", {}), teams))

    for who, line in index_players(box).items():
        for what in ("goals", "assists", "sog", "hits", "giveaways", "takeaways", "blockedShots", "pim"):
            if what in line:
                assert line[what] == counts[who, what], (who, what)
        if line["position"] != "G":
            assert line["points"] == line["goals"] + line["assists"]
            drawn = counts[who, "faceoffs"]
            assert line["faceoffWinningPctg"] == pytest.approx(counts[who, "won"] / drawn if drawn else 0, abs=1e-6)


PLAYER_COUNT_KEYS = {
    "goal": (("scoringPlayerId", "goals"), ("scoringPlayerId", "sog"), ("assist1PlayerId", "assists"),
             ("assist2PlayerId", "assists")),
    "shot-on-goal": (("shootingPlayerId", "sog"),),
    "hit": (("hittingPlayerId", "hits"),),
    "giveaway": (("playerId", "giveaways"),),
    "takeaway": (("playerId", "takeaways"),),
    "faceoff": (("winningPlayerId", "won"), ("winningPlayerId", "faceoffs"), ("losingPlayerId", "faceoffs")),
}  # fmt: skip


def count_play(kind: str, details: Any, teams: dict[int, int]) -> Counter[tuple[int, str]]:
    """Return what one row adds to each player's line."""
    found = Counter((details[key], what) for key, what in PLAYER_COUNT_KEYS.get(kind, ()) if key in details)
    if kind == "blocked-shot" and teams[details["blockingPlayerId"]] != teams[details["shootingPlayerId"]]:
        found[details["blockingPlayerId"], "blockedShots"] = 1
    if kind == "penalty" and "committedByPlayerId" in details:
        found[details["committedByPlayerId"], "pim"] = details["duration"]
    return found


def test_team_figures_are_the_sums_of_the_rows(game_id: int):
    page, rail = get_game_page(game_id, "play-by-play"), get_game_page(game_id, "right-rail")
    figures = {figure["category"]: figure for figure in rail["teamGameStats"]}
    owners: Counter[tuple[int, str]] = Counter()
    for play in select_plays(page, "hit", "giveaway", "takeaway", "penalty", "faceoff"):
        amount = play["details"].get("duration", 1)
        owners[play["details"]["eventOwnerTeamId"], play["typeDescKey"]] += amount

    for side in ("awayTeam", "homeTeam"):
        team, value = page[side]["id"], f"{side[:4]}Value"
        for what, kind in (("hits", "hit"), ("giveaways", "giveaway"), ("takeaways", "takeaway"), ("pim", "penalty")):
            assert figures[what][value] == owners[team, kind]
        faceoffs = sum(owners[page[name]["id"], "faceoff"] for name in ("awayTeam", "homeTeam"))
        assert figures["faceoffWinningPctg"][value] == pytest.approx(owners[team, "faceoff"] / faceoffs, abs=1e-6)
        goals, chances = (int(part) for part in figures["powerPlay"][value].split("/"))
        assert goals <= chances


def test_shifts_are_the_same_in_chart_and_reports(game_id: int):
    page = get_shift_chart(game_id)
    shifts, _ = read_both_reports(game_id)
    whole = get_league().engine.get_game(game_id).shifts

    assert shifts == {(shift.player_id, shift.period, shift.start, shift.end) for shift in whole}
    if page["total"]:
        assert read_chart_shifts(page) == shifts


def test_time_on_ice_is_the_same_everywhere(game_id: int):
    box = get_game_page(game_id, "boxscore")
    shifts, totals = read_both_reports(game_id)
    truth = get_league().engine.get_truth(game_id)
    for who, line in index_players(box).items():
        stays = [shift for shift in shifts if shift[0] == who]
        assert parse_seconds(line["toi"]) == sum(end - start for _, _, start, end in stays)
        assert line.get("shifts", len(stays)) == len(stays)
        if who in totals:
            toi = truth.toi[who]
            assert totals[who][1] == f"{len(stays)}"
            assert [parse_seconds(cell) for cell in totals[who][3:]] == [
                toi.total,
                toi.even,
                toi.power_play,
                toi.shorthanded,
            ]


def test_who_acts_is_dressed_and_who_is_dressed_has_a_line(game_id: int):
    page, box = get_game_page(game_id, "play-by-play"), get_game_page(game_id, "boxscore")
    dressed = {spot["playerId"] for spot in page["rosterSpots"]}
    named = {
        value for play in page["plays"] for key, value in play.get("details", {}).items() if PLAYER_KEYS.fullmatch(key)
    }

    assert named <= dressed
    assert dressed == index_players(box).keys()
    assert len(dressed) == 40


def test_rows_are_in_order_and_have_their_own_ids(game_id: int):
    page = get_game_page(game_id, "play-by-play")
    order = [play["sortOrder"] for play in page["plays"]]
    clocks = [(play["periodDescriptor"]["number"], parse_seconds(play["timeInPeriod"])) for play in page["plays"]]

    assert order == sorted(set(order))
    assert clocks == sorted(clocks)
    assert len({play["eventId"] for play in page["plays"]}) == len(page["plays"])
    assert page["plays"][0]["typeDescKey"] == "period-start"
    assert page["plays"][-1]["typeDescKey"] == "game-end"


def test_plus_and_minus_follow_who_was_on_the_ice(game_id: int):
    box = get_game_page(game_id, "boxscore")
    engine = get_league().engine
    truth = engine.get_truth(game_id)
    expected: Counter[int] = Counter()
    for event in engine.get_game(game_id).events:
        if event.kind == "goal" and event.period_type != "SO" and not event.penalty_shot and event.side is not None:
            away_goalie, away, home, home_goalie = (int(digit) for digit in event.situation or "")
            men = (home + home_goalie, away + away_goalie)
            if men[event.side] <= men[1 - event.side]:
                for side in (HOME, AWAY):
                    change = 1 if side == event.side else -1
                    expected.update(dict.fromkeys(truth.on_ice[event.event_id].skaters[side], change))

    for who, line in index_players(box).items():
        assert line.get("plusMinus", 0) == expected[who]


def test_goals_are_in_the_chart_too(game_id: int):
    page, plays = get_shift_chart(game_id), get_game_page(game_id, "play-by-play")
    if page["total"]:
        goals = [row["playerId"] for row in page["data"] if row["typeCode"] == 505]
        expected = [p["details"]["scoringPlayerId"] for p in plays["plays"] if p["typeDescKey"] == "goal"]
        assert sorted(goals) == sorted(expected)


def test_a_block_belongs_to_the_blocker_in_the_old_feed_and_to_the_shooter_in_the_new(game_id: int):
    page = get_game_page(game_id, "play-by-play")
    team = {spot["playerId"]: spot["teamId"] for spot in page["rosterSpots"]}
    for play in select_plays(page, "blocked-shot"):
        details = play["details"]
        owner = "blockingPlayerId" if page["season"] <= 20242025 else "shootingPlayerId"
        assert details["eventOwnerTeamId"] == team[details[owner]]
        assert ("reason" in details) == (page["season"] > 20242025)
