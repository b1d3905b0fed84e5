"""playoff-bracket/{year}: the fifteen series, as far as their teams are known."""

from datetime import datetime

from nhl_lake.league.model import HOME, Team
from nhl_lake.league.pages.headers import build_full_name, localize_text
from nhl_lake.league.pages.page_source import Page, PageSource
from nhl_lake.league.playoffs import SERIES_LETTERS

ROUNDS = {**dict.fromkeys("ABCDEFGH", 1), **dict.fromkeys("IJKL", 2), **dict.fromkeys("MN", 3), "O": 4}
TITLES = {1: ("1st Round", "R1"), 2: ("2nd Round", "R2"), 3: ("Conference Finals", "CF"), 4: ("Final", "SCF")}


def build_bracket_page(source: PageSource, year: int, as_of: datetime) -> Page | None:
    """Return the bracket of a year; None before its teams are known. Slow: it needs the whole season."""
    season = (year - 1) * 10_000 + year
    games = source.list_playoff_games(season, as_of) if season in source.seasons else []
    if not games:
        return None
    pairs = {g.series.letter: g.series for g in games if g.series}
    wins: dict[tuple[str, int], int] = {}
    for game in games:
        if game.series and game.is_played and source.engine.get_end_time(game.game_id) <= as_of:
            score = source.engine.get_outcome(game.game_id).score
            winner = game.home_id if score[HOME] > score[1 - HOME] else game.away_id
            wins[game.series.letter, winner] = wins.get((game.series.letter, winner), 0) + 1
    rows: list[Page] = []
    for letter in SERIES_LETTERS:
        number = ROUNDS[letter]
        title, abbrev = TITLES[number]
        row: Page = {"seriesTitle": title, "seriesAbbrev": abbrev, "seriesLetter": letter, "playoffRound": number}
        series = pairs.get(letter)
        if series is None:
            rows.append(row | {"topSeedRank": 0, "topSeedWins": 0, "bottomSeedRank": 0, "bottomSeedWins": 0})
            continue
        top, bottom = (source.find_team(season, team) for team in (series.top_seed_id, series.bottom_seed_id))
        row["seriesUrl"] = f"/schedule/playoff-series/{year}/series-{letter.lower()}"
        row |= {"topSeedRank": 1, "topSeedWins": wins.get((letter, top.team_id), 0)}
        row |= {"bottomSeedRank": 2, "bottomSeedWins": wins.get((letter, bottom.team_id), 0)}
        row |= {"topSeedTeam": _build_team(top), "bottomSeedTeam": _build_team(bottom)}
        winner_id = next((team.team_id for team in (top, bottom) if wins.get((letter, team.team_id)) == 4), None)
        if winner_id is not None:
            loser_id = bottom.team_id if winner_id == top.team_id else top.team_id
            row |= {"winningTeamId": winner_id, "losingTeamId": loser_id}
        rows.append(row)
    return {"series": rows}


def _build_team(team: Team) -> Page:
    return {
        "id": team.team_id,
        "abbrev": team.abbrev,
        "name": build_full_name(team),
        "commonName": localize_text(team.common_name),
        "placeNameWithPreposition": localize_text(team.place_with_preposition),
    }
