"""edge/{skater,goalie,team}-detail/{id}/{season}/{type}: invented tracking of a season so far.

Figures grow with the games that the team has played, and do not follow from plays: no page needs a game simulated.
"""

from datetime import datetime, timedelta
from random import Random

from nhl_lake.league.model import Player, ScheduledGame, Team
from nhl_lake.league.pages.headers import localize_text
from nhl_lake.league.pages.page_source import Page, PageSource, to_eastern_date
from nhl_lake.league.seeds import create_rng

FIRST_SEASON = 20212022
GAME_LENGTH = timedelta(hours=3)
KM_PER_MILE = 1.609344
# top speed and hardest shot in miles an hour; bursts and shots a game; goals per shot
SKATER_RANGES = ((20.5, 24.4), (78, 102), (0.1, 2.5), (0.4, 2.6), (0.03, 0.16))
SHARE_WITHOUT = 0.03  # of the players: the API has no page of them


def build_player_page(
    source: PageSource, kind: str, player_id: int, season: int, game_type: int, as_of: datetime
) -> Page | None:
    """Return the page of a skater or goalie; None for another kind of player, and for one without tracking."""
    if season not in source.seasons or season < FIRST_SEASON or game_type not in (2, 3):
        return None
    player = source.engine.get_players(season).get(player_id)
    rng = create_rng("edge", source.seed, season, game_type, player_id)
    if player is None or (player.position == "G") is not (kind == "goalie") or rng.random() < SHARE_WITHOUT:
        return None
    last_day = source.engine.season(season).playoff_end
    team_id = source.engine.find_team_id(season, player_id, min(to_eastern_date(as_of), last_day))
    games = _count_games(source, season, game_type, team_id, as_of)
    if team_id is None or not games:
        return None
    page = {"player": _build_player(player, source.find_team(season, team_id), games)} | _build_seasons(source)
    return page | (_build_goalie(rng) if kind == "goalie" else _build_skater(rng, player.position, games))


def build_team_page(source: PageSource, team_id: int, season: int, game_type: int, as_of: datetime) -> Page | None:
    """Return the page of a team; None before its first game of a type."""
    if season not in source.seasons or season < FIRST_SEASON or game_type not in (2, 3):
        return None
    team = next((team for team in source.engine.season(season).teams if team.team_id == team_id), None)
    games = _count_games(source, season, game_type, team_id, as_of)
    if team is None or not games:
        return None
    rng = create_rng("edge", source.seed, season, game_type, team_id)
    distance = _measure(sum(rng.uniform(39, 43) for _ in range(games)))
    bursts = {"value": round(games * rng.uniform(20, 30)), "rank": rng.randint(1, 32)}
    fast = _measure(rng.uniform(22.5, 24.5)) | {"rank": rng.randint(1, 32)}
    hard = _measure(rng.uniform(97, 104)) | {"rank": rng.randint(1, 32)}
    return {"team": _build_team(team) | {"gamesPlayed": games}} | _build_seasons(source) | {
        "shotSpeed": {"topShotSpeed": hard},
        "skatingSpeed": {"burstsOver20": bursts, "speedMax": fast},
        "distanceSkated": {"total": distance | {"rank": rng.randint(1, 32)}},
        "zoneTimeDetails": _build_zones(rng),
    }  # fmt: skip


def _count_games(source: PageSource, season: int, game_type: int, team_id: int | None, as_of: datetime) -> int:
    return sum(_is_over(game, as_of) and team_id in (game.home_id, game.away_id) and game.game_type == game_type
               for game in _list_games(source, season, game_type, as_of))  # fmt: skip


def _list_games(source: PageSource, season: int, game_type: int, as_of: datetime) -> list[ScheduledGame]:
    # the playoffs need the results of the whole season
    return source.list_playoff_games(season, as_of) if game_type == 3 else list(source.engine.schedule(season))


def _is_over(game: ScheduledGame, as_of: datetime) -> bool:
    return game.is_played and game.start + GAME_LENGTH <= as_of


def _build_player(player: Player, team: Team, games: int) -> Page:
    return {
        "id": player.player_id,
        "firstName": localize_text(player.first),
        "lastName": localize_text(player.last),
        "position": player.position,
        "gamesPlayed": games,
        "team": _build_team(team),
    }


def _build_team(team: Team) -> Page:
    return {"id": team.team_id, "commonName": localize_text(team.common_name), "abbrev": team.abbrev}


def _build_seasons(source: PageSource) -> Page:
    return {"seasonsWithEdgeStats": [{"id": season, "gameTypes": [2, 3]} for season in source.seasons]}


def _build_skater(rng: Random, position: str, games: int) -> Page:
    average = {"leagueAvg": _measure(21.9)}
    fast, hard, bursts, shots, share = (rng.uniform(*ends) for ends in SKATER_RANGES)
    zones = _build_zones(rng, 0.44 if position == "D" else 0.41)
    ranks = [{"percentile": round(rng.random(), 4)} for _ in range(5)]
    per_game = [rng.uniform(1.8, 3.6) for _ in range(games)]  # drawn last: what was drawn yesterday stays
    taken = round(games * shots)
    goals = round(taken * share)
    return {
        "topShotSpeed": _measure(hard) | ranks[0],
        "skatingSpeed": {
            "speedMax": _measure(fast) | ranks[1] | average,
            "burstsOver20": {"value": round(games * bursts)} | ranks[2],
        },
        "totalDistanceSkated": _measure(sum(per_game)) | ranks[3],
        "distanceMaxGame": _measure(max(per_game)) | ranks[4],
        "sogSummary": [
            {"locationCode": "all", "shots": taken, "goals": goals, "shootingPctg": round(goals / max(taken, 1), 6)}
        ],
        "zoneTimeDetails": zones,
    }


def _build_goalie(rng: Random) -> Page:
    return {
        "stats": {"goalsAgainstAvg": {"value": round(rng.uniform(2.2, 3.6), 6), "percentile": round(rng.random(), 4)}}
    }


def _build_zones(rng: Random, offensive: float = 0.41) -> Page:
    attack, neutral = offensive + rng.uniform(-0.04, 0.04), 0.18 + rng.uniform(-0.01, 0.01)
    return {
        "offensiveZonePctg": round(attack, 6),
        "neutralZonePctg": round(neutral, 6),
        "defensiveZonePctg": round(1 - attack - neutral, 6),
    }


def _measure(miles: float) -> Page:
    """Return miles, or miles an hour, in both systems."""
    return {"imperial": round(miles, 4), "metric": round(miles * KM_PER_MILE, 4)}
