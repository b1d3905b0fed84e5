"""Tests of lineups, on handwritten pages and the simulated league."""

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


def make_spot(player: int, position: str = "C", **values: Any) -> dict[str, Any]:
    name = {"firstName": {"default": "Åke"}, "lastName": {"default": "Grünwald", "cs": "Grünwald"}}
    return {"playerId": player, "teamId": HOME, "positionCode": position, "sweaterNumber": 9, **name, **values}


def make_page(*spots: dict[str, Any], number: int = 1) -> dict[str, Any]:
    head = {"id": 2023020000 + number, "season": 20232024, "gameType": 2}
    return {**head, "homeTeam": {"id": HOME}, "awayTeam": {"id": AWAY}, "rosterSpots": list(spots)}


def make_boxscore(*goalies: tuple[int, bool | None]) -> dict[str, Any]:
    """Return a box score with goalies of the home team: their ids, and whether they started."""
    lines = [{"playerId": player, "position": "G"} | ({} if is_starter is None else {"starter": is_starter})
             for player, is_starter in goalies]  # fmt: skip
    no_lines: dict[str, Any] = {"forwards": [], "defense": [], "goalies": []}
    stats = {"homeTeam": no_lines | {"goalies": lines}, "awayTeam": no_lines}
    return {k: v for k, v in make_page().items() if k != "rosterSpots"} | {"playerByGameStats": stats}


def make_rail(home: list[int], away: list[int] | None = None) -> dict[str, Any]:
    """Return a right rail with the scratched players of both teams."""
    benches = {"homeTeam": home, "awayTeam": away or []}
    return {"id": GAME, "gameInfo": {side: {"scratches": [{"id": n} for n in ids]} for side, ids in benches.items()}}


def build_lineups(*pages: dict[str, Any], state: str | None = "OFF") -> pl.DataFrame:
    return build_table(LINEUPS, make_pages(*pages, state=state), NO_PAGES, NO_PAGES)


def test_dressed_player_is_one_row():
    assert build_lineups(make_page(make_spot(71, "L"))).to_dicts() == [
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
    assert build_lineups().is_empty()
    assert build_lineups(make_page()).is_empty()


@pytest.mark.parametrize(("state", "there"), [("OFF", 1), ("FINAL", 1), ("LIVE", 0), ("PRE", 0), ("FUT", 0), (None, 0)])
def test_only_final_games_have_lineups(state: str | None, there: int):
    assert build_lineups(make_page(make_spot(71)), state=state).height == there


def test_team_and_position_are_those_of_the_game():
    traded = build_lineups(
        make_page(make_spot(71, "C", teamId=HOME), number=1), make_page(make_spot(71, "R", teamId=AWAY), number=2)
    )

    assert traded.select("game_id", "team_id", "position").rows() == [(GAME, HOME, "C"), (GAME + 1, AWAY, "R")]


def test_player_without_a_number_is_dressed():
    (row,) = build_lineups(make_page({k: v for k, v in make_spot(71).items() if k != "sweaterNumber"})).to_dicts()

    assert row["sweater_number"] is None


def test_box_score_says_which_goalie_started():
    dressed = make_page(make_spot(30, "G"), make_spot(31, "G"), make_spot(71))
    found = build_table(LINEUPS, make_pages(dressed), make_pages(make_boxscore((30, False), (31, True))), NO_PAGES)

    assert found.select("player_id", "is_starter").rows() == [(30, False), (31, True), (71, None)]


def test_starter_is_null_if_the_box_score_is_missing_silent_or_not_final():
    dressed = make_pages(make_page(make_spot(30, "G")))
    silent, early = make_pages(make_boxscore((30, None))), make_pages(make_boxscore((30, True)), state="LIVE")

    assert [
        build_table(LINEUPS, dressed, boxes, NO_PAGES)["is_starter"].to_list() for boxes in (NO_PAGES, silent, early)
    ] == [[None]] * 3


def test_scratched_player_has_a_team_but_no_position_or_number():
    found = build_table(LINEUPS, make_pages(make_page(make_spot(71))), NO_PAGES, make_pages(make_rail([72], [73])))

    assert found.filter(pl.col("is_scratched")).select("player_id", "team_id", "position", "sweater_number").rows() == [
        (72, HOME, None, None),
        (73, AWAY, None, None),
    ]
    assert found["game_type"].to_list() == [2, 2, 2]
    checks.validate_rows(LINEUPS, found)


def test_player_listed_as_dressed_and_scratched_is_dressed():
    found = build_table(LINEUPS, make_pages(make_page(make_spot(71))), NO_PAGES, make_pages(make_rail([71])))

    assert found.select("player_id", "is_scratched").rows() == [(71, False)]


def test_player_scratched_twice_is_one_row():
    found = build_table(LINEUPS, make_pages(make_page(make_spot(71))), NO_PAGES, make_pages(make_rail([72, 72])))

    assert found["player_id"].to_list() == [71, 72]


def test_right_rail_without_people_gives_no_scratches():
    rails: list[dict[str, Any]] = [{"id": GAME}, {"id": GAME, "gameInfo": {"awayTeam": {}}}]
    for silent in rails:
        assert build_table(LINEUPS, make_pages(make_page(make_spot(71))), NO_PAGES, make_pages(silent)).height == 1


def test_right_rail_alone_gives_no_lineup():
    assert build_table(LINEUPS, NO_PAGES, NO_PAGES, make_pages(make_rail([72]))).is_empty()


def make_spot_without(values: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in keys}


def make_lines(**groups: list[dict[str, Any]]) -> pl.LazyFrame:
    """Return a box score with lines of the home team."""
    values = make_boxscore()
    values["playerByGameStats"]["homeTeam"] = {"forwards": [], "defense": [], "goalies": [], **groups}
    return make_pages(values)


def build_player(spots: list[dict[str, Any]], boxes: pl.LazyFrame) -> tuple[Any, ...]:
    found = build_table(LINEUPS, make_pages(make_page(*spots, make_spot(99, "G"))), boxes, NO_PAGES)
    checks.validate_rows(LINEUPS, found)
    assert found["player_id"].to_list()[1:] == [99]  # other players are not affected
    return found.select("team_id", "position", "sweater_number").row(0)


@pytest.mark.parametrize("invalid", [None, "", "F", 7, ["C"], {"default": "C"}])
def test_invalid_position_is_null_or_that_of_the_box_score(invalid: Any):
    spots = [make_spot(71) | {"positionCode": invalid}]

    assert build_player(spots, NO_PAGES) == (HOME, None, 9)
    assert build_player(spots, make_lines(forwards=[{"playerId": 71, "position": "R"}])) == (HOME, "R", 9)
    assert build_player(spots, make_lines(forwards=[{"playerId": 71}])) == (HOME, None, 9)
    assert build_player(spots, make_lines(defense=[{"playerId": 71}])) == (HOME, "D", 9)
    assert build_player(spots, make_lines(goalies=[{"playerId": 71}])) == (HOME, "G", 9)
    assert build_player([make_spot_without(spots[0], "positionCode")], make_lines(goalies=[{"playerId": 71}])) == (
        HOME,
        "G",
        9,
    )


def test_box_score_until_2024_has_positions():
    nested = {"playerByGameStats": {"homeTeam": {"defense": [{"playerId": 71, "position": "D"}]}}}

    assert build_player(
        [make_spot_without(make_spot(71), "positionCode")], make_pages(make_page() | {"boxscore": nested})
    ) == (HOME, "D", 9)


@pytest.mark.parametrize("invalid", ["9", 99_999, 9.5, [], True])
def test_invalid_number_is_null_or_that_of_the_box_score(invalid: Any):
    spots = [make_spot(71, sweaterNumber=invalid)]

    assert build_player(spots, NO_PAGES) == (HOME, "C", None)
    assert build_player(spots, make_lines(forwards=[{"playerId": 71, "sweaterNumber": 12}])) == (HOME, "C", 12)


def test_player_listed_twice_is_one_and_contradictions_follow_the_box_score():
    twice = [make_spot(71, sweaterNumber=9), make_spot(71, sweaterNumber=12)]

    assert build_player(twice, NO_PAGES) == (HOME, "C", None)
    assert build_player(twice, make_lines(forwards=[{"playerId": 71, "sweaterNumber": 12}])) == (HOME, "C", 12)
    assert build_player([make_spot(71), make_spot(71)], NO_PAGES) == (HOME, "C", 9)
    assert build_player([make_spot(71, "C"), make_spot(71, "L")], NO_PAGES) == (HOME, None, 9)


def test_player_without_a_team_or_with_two_gets_that_of_the_box_score_or_is_left_out():
    boxes = make_lines(forwards=[{"playerId": 71}])
    for spots in ([make_spot_without(make_spot(71), "teamId")], [make_spot(71), make_spot(71, teamId=AWAY)]):
        assert build_player(spots, boxes) == (HOME, "C", 9)
        assert build_lineups(make_page(*spots)).is_empty()


def test_player_without_an_id_is_left_out():
    assert build_lineups(make_page(make_spot_without(make_spot(71), "playerId"), make_spot(72)))[
        "player_id"
    ].to_list() == [72]


def test_page_without_readable_players_is_rejected():
    with pytest.raises(ValidationFailed, match="playerId"):
        build_lineups(make_page(*(make_spot_without(make_spot(number), "playerId") for number in (71, 72, 73))))


@pytest.mark.league
def test_league_lineups_match_its_books():
    games = sample_games()[:12]
    found = build_table(
        LINEUPS, *(fetch_league_pages(kind, games) for kind in ("play-by-play", "boxscore", "right-rail"))
    )
    checks.validate_rows(LINEUPS, found)

    expected = set()
    for game in games:
        for lineup in get_league().engine.get_outcome(game).lineups:
            for player in lineup.dressed_players:
                starts = player is lineup.goalies[0] if player.position == "G" else None
                expected.add(
                    (game, player.player.player_id, player.team_id, player.position, player.number, starts, False)
                )
            expected |= {
                (game, player.player.player_id, player.team_id, None, None, None, True) for player in lineup.scratches
            }
    assert set(found.drop("season", "game_type", "first_name", "last_name").rows()) == expected
    assert (found["last_name"].is_null() == found["is_scratched"]).all()


def test_invalid_skater_line_does_not_cost_the_lineup():
    invalid = make_boxscore((30, True))
    invalid["playerByGameStats"]["homeTeam"]["forwards"] = [{"playerId": "seventy-one"}]

    found = build_table(LINEUPS, make_pages(make_page(make_spot(30, "G"))), make_pages(invalid), NO_PAGES)

    assert found["is_starter"].to_list() == [True]


def make_page_with_plays(*plays: dict[str, Any], spots: tuple[int, ...] = (71,)) -> dict[str, Any]:
    return make_page(*(make_spot(player) for player in spots)) | {"plays": list(plays)}


def make_event(kind: str, owner: int | None, **players: int) -> dict[str, Any]:
    return {"typeDescKey": kind, "details": {"eventOwnerTeamId": owner, **players}}


def list_unlisted(*plays: dict[str, Any]) -> list[tuple[int, int, str | None]]:
    """Return player, team and position of those in the lineup because of plays, without 71."""
    found = build_lineups(make_page_with_plays(*plays))
    checks.validate_rows(LINEUPS, found)
    return found.filter(pl.col("player_id") != 71).select("player_id", "team_id", "position").rows()


def test_unlisted_player_in_plays_is_dressed():
    goal = make_event("goal", HOME, scoringPlayerId=72, assist1PlayerId=73, assist2PlayerId=71, goalieInNetId=31)
    hit = make_event("hit", AWAY, hittingPlayerId=82, hitteePlayerId=74)

    assert list_unlisted(goal, hit) == [
        (31, AWAY, "G"), (72, HOME, None), (73, HOME, None), (74, HOME, None), (82, AWAY, None)
    ]  # fmt: skip
    found = build_lineups(make_page_with_plays(goal)).filter(player_id=72).to_dicts()[0]
    known = {name for name, value in found.items() if value is not None}
    assert known == {"season", "game_id", "game_type", "player_id", "team_id", "is_scratched"}
    assert found["is_scratched"] is False


def test_unlisted_player_needs_an_unambiguous_team():
    mine, theirs = (make_event("hit", team, hittingPlayerId=72) for team in (HOME, AWAY))

    assert list_unlisted(mine, theirs) == []
    assert list_unlisted(mine, theirs, mine) == [(72, HOME, None)]
    assert list_unlisted(make_event("hit", None, hittingPlayerId=72), make_event("hit", 3, hittingPlayerId=73)) == []
    assert list_unlisted(make_event("blocked-shot", AWAY, shootingPlayerId=72, blockingPlayerId=73)) == []
    assert list_unlisted({"typeDescKey": "stoppage"}, make_event("faceoff", HOME)) == []


def test_unlisted_player_takes_values_from_the_box_score():
    goal = make_event("goal", HOME, scoringPlayerId=72)
    lines = {"homeTeam": {"forwards": [{"playerId": 72, "position": "L", "sweaterNumber": 19}]}, "awayTeam": {}}

    found = build_table(
        LINEUPS,
        make_pages(make_page_with_plays(goal)),
        make_pages(make_boxscore() | {"playerByGameStats": lines}),
        NO_PAGES,
    )

    assert found.filter(player_id=72).select("team_id", "position", "sweater_number").rows() == [(HOME, "L", 19)]


def test_scratched_player_in_plays_is_dressed():
    goal = make_event("goal", HOME, scoringPlayerId=72)

    found = build_table(LINEUPS, make_pages(make_page_with_plays(goal)), NO_PAGES, make_pages(make_rail([72, 73])))

    assert found.select("player_id", "is_scratched").rows() == [(71, False), (72, False), (73, True)]
