"""People: careers, rosters by day, trades, injuries, namesakes, the club that moves."""

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

import pytest

from nhl_lake.league import contracts
from nhl_lake.league.engine import Engine
from nhl_lake.league.teams import TEAM_IDENTITIES

SEASON, NEXT_SEASON = 20242025, 20252026
OPENING = date(2024, 10, 8)
REAL_ABBREVS = frozenset(
    """ANA ARI ATL BOS BRK BUF CAR CBJ CGY CHI CLE CLR COL DAL DCG DET DFL EDM FLA HAM HFD KCS LAK MIN MMR MNS MTL MWN
    NJD NSH NYA NYI NYR OAK OTT PHI PHX PIR PIT QBD QUE SEA SEN SJS SLE STL TAN TBL TOR TSP UTA VAN VGK VMA WIN WPG WSH
    """.split()  # noqa: SIM905
)


def get_name(player):
    return dict(player.first)["default"], dict(player.last)["default"]


def test_there_are_thirty_two_clubs_with_codes_that_no_real_club_had():
    for season in (SEASON, NEXT_SEASON):
        clubs = Engine(1).season(season).teams
        assert len(clubs) == len({c.team_id for c in clubs}) == len({c.abbrev for c in clubs}) == 32
        assert Counter(c.division for c in clubs).most_common()[0][1] == 8
        assert all(c.team_id > 100 for c in clubs)
        assert not {c.abbrev for c in clubs} & REAL_ABBREVS


def test_one_club_moves_and_keeps_its_franchise_and_its_players():
    before, after = Engine(1).season(SEASON).teams, Engine(1).season(NEXT_SEASON).teams
    gone = {c.team_id for c in before} - {c.team_id for c in after}
    new = {c.team_id for c in after} - {c.team_id for c in before}
    old, moved = next(c for c in before if c.team_id in gone), next(c for c in after if c.team_id in new)
    assert len(gone) == len(new) == 1
    assert old.franchise_id == moved.franchise_id
    assert old.abbrev != moved.abbrev
    engine = Engine(1)
    then = {s.player.player_id for s in engine.roster(SEASON, old.team_id, date(2025, 4, 1))}
    now = {s.player.player_id for s in engine.roster(NEXT_SEASON, moved.team_id, date(2025, 10, 10))}
    assert len(then & now) > 12


def test_every_club_dresses_players_with_numbers_of_their_own():
    engine = Engine(1)
    for team in engine.season(SEASON).teams:
        for day in (OPENING, date(2025, 2, 20)):
            spots = engine.roster(SEASON, team.team_id, day)
            assert len(spots) >= 23
            assert len({s.number for s in spots}) == len({s.player.player_id for s in spots}) == len(spots)
            assert all(1 <= s.number <= 98 for s in spots)


@pytest.mark.league
def test_a_player_keeps_his_number_while_he_stays():
    known = contracts.build_season_contracts(1, SEASON)
    for states in known.rosters.values():
        for (_, before), (_, after) in pairwise(states):
            was, now = ({s.player.player_id: s.number for s in spots} for spots in (before, after))
            assert all(was[p] == now[p] for p in was.keys() & now.keys())
            assert len(was.keys() - now.keys()) == 1


def test_player_ids_have_seven_digits_and_start_with_89():
    assert all(8900000 < number < 9000000 for number in Engine(1).get_players(SEASON))


@pytest.mark.league
def test_a_player_is_the_same_person_in_every_season_whichever_is_asked_first():
    contracts.build_season_contracts.cache_clear()
    first = Engine(1).get_players(NEXT_SEASON)
    second = Engine(1).get_players(SEASON)
    contracts.build_season_contracts.cache_clear()
    again = Engine(1).get_players(SEASON)
    assert second == again
    shared = first.keys() & second.keys()
    assert 700 < len(shared) < 1050
    assert all(first[p] == second[p] for p in shared)


@pytest.mark.parametrize("seed", [1, 2, 77])
@pytest.mark.parametrize("season", [SEASON, NEXT_SEASON])
def test_one_club_has_two_players_of_one_name_on_opening_day(seed, season):
    engine = Engine(seed)
    pairs = 0
    for team in engine.season(season).teams:
        spots = engine.roster(season, team.team_id, engine.season(season).start)
        pairs += any(count > 1 for count in Counter(get_name(s.player) for s in spots).values())
    assert pairs >= 1


@pytest.mark.league
def test_players_are_traded_for_each_other_in_mid_season():
    engine = Engine(1)
    trades = contracts._draw_trades(1, SEASON)
    assert len(trades) >= 10
    trade = trades[0]
    clubs = {t.franchise_id: t.team_id for t in engine.season(SEASON).teams}
    one, other = (clubs[f] for f in trade.clubs)
    yesterday = trade.day - timedelta(days=1)
    moved = {
        s.player.player_id
        for s in contracts.list_contracts(contracts.build_season_contracts(1, SEASON), one, yesterday)
    } & {
        s.player.player_id
        for s in contracts.list_contracts(contracts.build_season_contracts(1, SEASON), other, trade.day)
    }
    assert moved
    assert engine.find_team_id(SEASON, min(moved), yesterday) == one
    assert engine.find_team_id(SEASON, min(moved), trade.day) == other


@pytest.mark.league
def test_the_injured_do_not_dress_while_there_is_somebody_else_and_call_ups_do():
    engine = Engine(1)
    known = contracts.build_season_contracts(1, SEASON)
    called = hurt = dressed = 0
    for game in engine.schedule(SEASON)[200:400]:
        if not game.is_played:
            continue
        for lineup in engine.get_outcome(game.game_id).lineups:
            own = {
                s.player.player_id
                for s in contracts.list_contracts(known, lineup.team_id, game.day)[: contracts.ROSTER_SLOTS]
            }
            for spot in lineup.dressed_players:
                dressed += 1
                called += spot.player.player_id not in own
                hurt += contracts.is_injured(known, spot.player.player_id, game.day)
    assert called > 20
    assert hurt < dressed * 0.004


def test_names_have_accents_and_some_are_localized():
    people = Engine(1).get_players(SEASON).values()
    assert any(not "".join(get_name(p)).isascii() for p in people)
    assert any(len(p.last) > 1 for p in people)


def test_lines_are_full_and_nobody_is_dressed_twice():
    engine = Engine(1)
    for game in [g for g in engine.schedule(SEASON) if g.is_played][150:300]:
        for lineup in engine.get_outcome(game.game_id).lineups:
            assert [len(line) for line in lineup.lines] == [3, 3, 3, 3]
            assert [len(pair) for pair in lineup.pairs] == [2, 2, 2]
            assert len(lineup.goalies) == 2
            assert (
                len({s.player.player_id for s in lineup.dressed_players})
                == len({s.number for s in lineup.dressed_players})
                == 20
            )
            assert not {s.player.player_id for s in lineup.dressed_players} & {
                s.player.player_id for s in lineup.scratches
            }
            assert {s.position for line in lineup.lines for s in line} == {"C", "L", "R"}


def test_homes_do_not_share_ids_or_franchises():
    assert len({h.team_id for h in TEAM_IDENTITIES}) == len(TEAM_IDENTITIES)
    assert len({h.franchise_id for h in TEAM_IDENTITIES}) == 32
