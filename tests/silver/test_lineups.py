"""Line-ups, from hand-typed pages and the simulated league."""

from typing import Any

import polars as pl
import pytest

from nhl_lake.errors import ValidationFailed
from nhl_lake.schema import checks
from nhl_lake.silver.lineups import LINEUPS
from tests.league.league_pages import get_league, sample_games
from tests.silver.bronze_pages import NO_PAGES, build_table, fetch_league_pages, make_pages

HOME, AWAY = 1, 2
GAME = 2023020001


def spot(player: int, position: str = "C", **said: Any) -> dict[str, Any]:
    name = {"firstName": {"default": "Åke"}, "lastName": {"default": "Grünwald", "cs": "Grünwald"}}
    return {"playerId": player, "teamId": HOME, "positionCode": position, "sweaterNumber": 9, **name, **said}


def page(*spots: dict[str, Any], number: int = 1) -> dict[str, Any]:
    head = {"id": 2023020000 + number, "season": 20232024, "gameType": 2}
    return {**head, "homeTeam": {"id": HOME}, "awayTeam": {"id": AWAY}, "rosterSpots": list(spots)}


def box(*goalies: tuple[int, bool | None]) -> dict[str, Any]:
    """Return a box score with goalies of the home team: their ids, and whether they started."""
    lines = [{"playerId": player, "position": "G"} | ({} if is_starter is None else {"starter": is_starter})
             for player, is_starter in goalies]  # fmt: skip
    nobody: dict[str, Any] = {"forwards": [], "defense": [], "goalies": []}
    stats = {"homeTeam": nobody | {"goalies": lines}, "awayTeam": nobody}
    return {k: v for k, v in page().items() if k != "rosterSpots"} | {"playerByGameStats": stats}


def rail(home: list[int], away: list[int] | None = None) -> dict[str, Any]:
    """Return a right rail with the scratched players of both teams."""
    benches = {"homeTeam": home, "awayTeam": away or []}
    return {"id": GAME, "gameInfo": {side: {"scratches": [{"id": n} for n in ids]} for side, ids in benches.items()}}


def rows(*pages: dict[str, Any], state: str | None = "OFF") -> pl.DataFrame:
    return build_table(LINEUPS, make_pages(*pages, state=state), NO_PAGES, NO_PAGES)


def test_a_dressed_player_is_one_row():
    assert rows(page(spot(71, "L"))).to_dicts() == [
        {
            "season": 20232024,
            "game_id": GAME,
            "game_type": 2,
            "player_id": 71,
            "team_id": HOME,
            "position": "L",
            "sweater_number": 9,
            "first_name": "Åke",
            "last_name": "Grünwald",
            "is_starter": None,
            "is_scratched": False,
        }
    ]


def test_pages_without_players_and_no_pages_give_no_rows():
    assert rows().is_empty()
    assert rows(page()).is_empty()


@pytest.mark.parametrize(("state", "there"), [("OFF", 1), ("FINAL", 1), ("LIVE", 0), ("PRE", 0), ("FUT", 0), (None, 0)])
def test_only_final_games_have_line_ups(state: str | None, there: int):
    assert rows(page(spot(71)), state=state).height == there


def test_team_and_position_are_those_of_the_game():
    traded = rows(page(spot(71, "C", teamId=HOME), number=1), page(spot(71, "R", teamId=AWAY), number=2))

    assert traded.select("game_id", "team_id", "position").rows() == [(GAME, HOME, "C"), (GAME + 1, AWAY, "R")]


def test_a_player_without_a_number_is_dressed():
    (row,) = rows(page({k: v for k, v in spot(71).items() if k != "sweaterNumber"})).to_dicts()

    assert row["sweater_number"] is None


def test_the_box_score_says_which_goalie_started():
    dressed = page(spot(30, "G"), spot(31, "G"), spot(71))
    found = build_table(LINEUPS, make_pages(dressed), make_pages(box((30, False), (31, True))), NO_PAGES)

    assert found.select("player_id", "is_starter").rows() == [(30, False), (31, True), (71, None)]


def test_who_started_is_unknown_where_the_box_score_is_missing_silent_or_not_final():
    dressed = make_pages(page(spot(30, "G")))
    silent, early = make_pages(box((30, None))), make_pages(box((30, True)), state="LIVE")

    assert [
        build_table(LINEUPS, dressed, boxes, NO_PAGES)["is_starter"].to_list() for boxes in (NO_PAGES, silent, early)
    ] == [[None]] * 3


def test_a_scratched_player_is_a_row_in_his_team_without_position_and_number():
    found = build_table(LINEUPS, make_pages(page(spot(71))), NO_PAGES, make_pages(rail([72], [73])))

    assert found.filter(pl.col("is_scratched")).select("player_id", "team_id", "position", "sweater_number").rows() == [
        (72, HOME, None, None),
        (73, AWAY, None, None),
    ]
    assert found["game_type"].to_list() == [2, 2, 2]
    checks.validate_rows(LINEUPS, found)


def test_who_is_dressed_and_scratched_at_once_is_dressed():
    found = build_table(LINEUPS, make_pages(page(spot(71))), NO_PAGES, make_pages(rail([71])))

    assert found.select("player_id", "is_scratched").rows() == [(71, False)]


def test_a_player_who_is_scratched_twice_is_one_row():
    found = build_table(LINEUPS, make_pages(page(spot(71))), NO_PAGES, make_pages(rail([72, 72])))

    assert found["player_id"].to_list() == [71, 72]


def test_a_right_rail_without_people_gives_no_scratched_players():
    rails: list[dict[str, Any]] = [{"id": GAME}, {"id": GAME, "gameInfo": {"awayTeam": {}}}]
    for silent in rails:
        assert build_table(LINEUPS, make_pages(page(spot(71))), NO_PAGES, make_pages(silent)).height == 1


def test_a_right_rail_alone_gives_no_line_up():
    assert build_table(LINEUPS, NO_PAGES, NO_PAGES, make_pages(rail([72]))).is_empty()


def without(said: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in said.items() if key not in keys}


def lines(**groups: list[dict[str, Any]]) -> pl.LazyFrame:
    """Return a box score with lines of the home team."""
    said = box()
    said["playerByGameStats"]["homeTeam"] = {"forwards": [], "defense": [], "goalies": [], **groups}
    return make_pages(said)


def the_player(spots: list[dict[str, Any]], boxes: pl.LazyFrame) -> tuple[Any, ...]:
    found = build_table(LINEUPS, make_pages(page(*spots, spot(99, "G"))), boxes, NO_PAGES)
    checks.validate_rows(LINEUPS, found)
    assert found["player_id"].to_list()[1:] == [99]  # nobody else is harmed
    return found.select("team_id", "position", "sweater_number").row(0)


@pytest.mark.parametrize("odd", [None, "", "F", 7, ["C"], {"default": "C"}])
def test_an_odd_position_is_unknown_or_that_of_the_box_score(odd: Any):
    spots = [spot(71) | {"positionCode": odd}]

    assert the_player(spots, NO_PAGES) == (HOME, None, 9)
    assert the_player(spots, lines(forwards=[{"playerId": 71, "position": "R"}])) == (HOME, "R", 9)
    assert the_player(spots, lines(forwards=[{"playerId": 71}])) == (HOME, None, 9)
    assert the_player(spots, lines(defense=[{"playerId": 71}])) == (HOME, "D", 9)
    assert the_player(spots, lines(goalies=[{"playerId": 71}])) == (HOME, "G", 9)
    assert the_player([without(spots[0], "positionCode")], lines(goalies=[{"playerId": 71}])) == (HOME, "G", 9)


def test_the_lines_of_a_box_score_until_2024_tell_positions_too():
    nested = {"playerByGameStats": {"homeTeam": {"defense": [{"playerId": 71, "position": "D"}]}}}

    assert the_player([without(spot(71), "positionCode")], make_pages(page() | {"boxscore": nested})) == (HOME, "D", 9)


@pytest.mark.parametrize("odd", ["9", 99_999, 9.5, [], True])
def test_an_odd_number_is_unknown_or_that_of_the_box_score(odd: Any):
    spots = [spot(71, sweaterNumber=odd)]

    assert the_player(spots, NO_PAGES) == (HOME, "C", None)
    assert the_player(spots, lines(forwards=[{"playerId": 71, "sweaterNumber": 12}])) == (HOME, "C", 12)


def test_a_player_listed_twice_is_one_and_what_is_said_in_two_ways_is_the_box_scores():
    twice = [spot(71, sweaterNumber=9), spot(71, sweaterNumber=12)]

    assert the_player(twice, NO_PAGES) == (HOME, "C", None)
    assert the_player(twice, lines(forwards=[{"playerId": 71, "sweaterNumber": 12}])) == (HOME, "C", 12)
    assert the_player([spot(71), spot(71)], NO_PAGES) == (HOME, "C", 9)
    assert the_player([spot(71, "C"), spot(71, "L")], NO_PAGES) == (HOME, None, 9)


def test_a_player_of_no_team_or_of_both_is_of_the_team_in_the_box_score_and_else_left_out():
    boxes = lines(forwards=[{"playerId": 71}])
    for spots in ([without(spot(71), "teamId")], [spot(71), spot(71, teamId=AWAY)]):
        assert the_player(spots, boxes) == (HOME, "C", 9)
        assert rows(page(*spots)).is_empty()


def test_a_player_without_an_id_is_left_out():
    assert rows(page(without(spot(71), "playerId"), spot(72)))["player_id"].to_list() == [72]


def test_a_page_of_which_no_player_can_be_read_is_another_kind_of_page():
    with pytest.raises(ValidationFailed, match="playerId"):
        rows(page(*(without(spot(number), "playerId") for number in (71, 72, 73))))


def test_the_line_ups_of_the_league_are_those_of_its_books():
    games = sample_games()[:12]
    found = build_table(
        LINEUPS, *(fetch_league_pages(kind, games) for kind in ("play-by-play", "boxscore", "right-rail"))
    )
    checks.validate_rows(LINEUPS, found)

    told = set()
    for game in games:
        for lineup in get_league().engine.get_outcome(game).lineups:
            for man in lineup.dressed_players:
                starts = man is lineup.goalies[0] if man.position == "G" else None
                told.add((game, man.player.player_id, man.team_id, man.position, man.number, starts, False))
            told |= {(game, man.player.player_id, man.team_id, None, None, None, True) for man in lineup.scratches}
    assert set(found.drop("season", "game_type", "first_name", "last_name").rows()) == told
    assert (found["last_name"].is_null() == found["is_scratched"]).all()


def test_an_odd_line_of_a_skater_takes_no_line_up_away():
    odd = box((30, True))
    odd["playerByGameStats"]["homeTeam"]["forwards"] = [{"playerId": "seventy-one"}]

    found = build_table(LINEUPS, make_pages(page(spot(30, "G"))), make_pages(odd), NO_PAGES)

    assert found["is_starter"].to_list() == [True]


def with_plays(*plays: dict[str, Any], spots: tuple[int, ...] = (71,)) -> dict[str, Any]:
    return page(*(spot(player) for player in spots)) | {"plays": list(plays)}


def event(kind: str, owner: int | None, **players: int) -> dict[str, Any]:
    return {"typeDescKey": kind, "details": {"eventOwnerTeamId": owner, **players}}


def unlisted(*plays: dict[str, Any]) -> list[tuple[int, int, str | None]]:
    """Return who is in the line-up beside 71 because of plays: the player, the team, the position."""
    found = rows(with_plays(*plays))
    checks.validate_rows(LINEUPS, found)
    return found.filter(pl.col("player_id") != 71).select("player_id", "team_id", "position").rows()


def test_a_player_who_is_not_listed_and_takes_part_in_plays_is_dressed():
    goal = event("goal", HOME, scoringPlayerId=72, assist1PlayerId=73, assist2PlayerId=71, goalieInNetId=31)
    hit = event("hit", AWAY, hittingPlayerId=82, hitteePlayerId=74)

    assert unlisted(goal, hit) == [
        (31, AWAY, "G"), (72, HOME, None), (73, HOME, None), (74, HOME, None), (82, AWAY, None)
    ]  # fmt: skip
    found = rows(with_plays(goal)).filter(player_id=72).to_dicts()[0]
    known = {name for name, value in found.items() if value is not None}
    assert known == {"season", "game_id", "game_type", "player_id", "team_id", "is_scratched"}
    assert found["is_scratched"] is False


def test_whose_an_unlisted_player_is_must_be_clear():
    mine, theirs = (event("hit", team, hittingPlayerId=72) for team in (HOME, AWAY))

    assert unlisted(mine, theirs) == []
    assert unlisted(mine, theirs, mine) == [(72, HOME, None)]
    assert unlisted(event("hit", None, hittingPlayerId=72), event("hit", 3, hittingPlayerId=73)) == []
    assert unlisted(event("blocked-shot", AWAY, shootingPlayerId=72, blockingPlayerId=73)) == []
    assert unlisted({"typeDescKey": "stoppage"}, event("faceoff", HOME)) == []


def test_what_the_box_score_says_of_an_unlisted_player_is_taken():
    goal = event("goal", HOME, scoringPlayerId=72)
    lines = {"homeTeam": {"forwards": [{"playerId": 72, "position": "L", "sweaterNumber": 19}]}, "awayTeam": {}}

    found = build_table(
        LINEUPS, make_pages(with_plays(goal)), make_pages(box() | {"playerByGameStats": lines}), NO_PAGES
    )

    assert found.filter(player_id=72).select("team_id", "position", "sweater_number").rows() == [(HOME, "L", 19)]


def test_who_is_scratched_and_takes_part_is_dressed():
    goal = event("goal", HOME, scoringPlayerId=72)

    found = build_table(LINEUPS, make_pages(with_plays(goal)), NO_PAGES, make_pages(rail([72, 73])))

    assert found.select("player_id", "is_scratched").rows() == [(71, False), (72, False), (73, True)]
