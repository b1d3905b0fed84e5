"""standings/{date}: the standings after the games of a day."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime
from typing import NamedTuple

from nhl_lake.league.model import Result, Season, Team
from nhl_lake.league.pages.headers import build_full_name, build_logo_url, format_instant, localize_text
from nhl_lake.league.pages.page_source import Page, PageSource

SPLITS = ("", "home", "road", "l10")
LAST_TEN = 10


class TeamResult(NamedTuple):
    """A game from a club's view."""

    is_home: bool
    scored: int
    allowed: int
    last_period_type: str

    @property
    def is_win(self) -> bool:
        """Whether the club won."""
        return self.scored > self.allowed


class StandingsRow(NamedTuple):
    """A club with its games so far, oldest first."""

    team: Team
    results: tuple[TeamResult, ...]

    def select_split(self, name: str) -> tuple[TeamResult, ...]:
        """Return all games, home games, road games, or the last ten."""
        if name == "l10":
            return self.results[-LAST_TEN:]
        return tuple(outing for outing in self.results if name == "" or outing.is_home == (name == "home"))


def build_standings_page(source: PageSource, day: date, as_of: datetime) -> Page:
    """Return the page of a day; it is empty outside the regular season."""
    season = source.find_season(day)
    if not season.start <= day <= season.end:
        return {"wildCardIndicator": False, "standings": []}
    results = [result for result in source.engine.list_results(season.season, as_of) if result.day <= day]
    rows = _build_rows(season, results)
    ranks = _rank_teams(rows)
    ordered = sorted(rows, key=lambda row: ranks["league"][row.team.team_id])
    return {
        "wildCardIndicator": True,
        "standingsDateTimeUtc": format_instant(max((result.ended_at for result in results), default=as_of)),
        "standings": [_build_team(season, day, row, ranks) for row in ordered],
    }


def _build_rows(season: Season, results: list[Result]) -> list[StandingsRow]:
    outings: dict[int, list[TeamResult]] = defaultdict(list)
    for result in sorted(results, key=lambda result: (result.ended_at, result.game_id)):
        home, away = result.home_goals, result.away_goals
        outings[result.home_id].append(TeamResult(True, home, away, result.last_period_type))
        outings[result.away_id].append(TeamResult(False, away, home, result.last_period_type))
    return [StandingsRow(team, tuple(outings[team.team_id])) for team in season.teams]


def _count_record(outings: tuple[TeamResult, ...]) -> dict[str, int]:
    """Count games, wins, losses and goals of some games; a shootout win adds a goal, as in the score."""
    wins = [outing for outing in outings if outing.is_win]
    lost = [outing for outing in outings if not outing.is_win]
    late = sum(outing.last_period_type != "REG" for outing in lost)
    scored, allowed = sum(o.scored for o in outings), sum(o.allowed for o in outings)
    return {
        "gamesPlayed": len(outings),
        "goalDifferential": scored - allowed,
        "goalsAgainst": allowed,
        "goalsFor": scored,
        "losses": len(lost) - late,
        "otLosses": late,
        "points": 2 * len(wins) + late,
        "regulationPlusOtWins": sum(outing.last_period_type != "SO" for outing in wins),
        "regulationWins": sum(outing.last_period_type == "REG" for outing in wins),
        "ties": 0,
        "wins": len(wins),
    }


def _compute_rank_key(outings: tuple[TeamResult, ...]) -> tuple[float, ...]:
    """Return the sort key of the standings: points, then fewer games, then regulation wins, other wins, and goals."""
    record = _count_record(outings)
    keys = ("points", "regulationWins", "regulationPlusOtWins", "wins", "goalDifferential", "goalsFor")
    best = {key: -record[key] for key in keys}
    return (best["points"], record["gamesPlayed"], *(best[key] for key in keys[1:]))


def _rank_teams(rows: list[StandingsRow]) -> dict[str, dict[int, int]]:
    """Rank every club in the league, its conference and its division, overall and by split."""
    groups: dict[str, Callable[[Team], str]] = {
        "league": lambda team: "",
        "conference": lambda team: team.conference,
        "division": lambda team: team.division,
    }
    found: dict[str, dict[int, int]] = {}
    for split in SPLITS:
        order = sorted(rows, key=lambda row: (*_compute_rank_key(row.select_split(split)), row.team.team_id))
        for name, group in groups.items():
            places: dict[str, int] = defaultdict(int)
            ranks = found.setdefault(name + split.capitalize(), {})
            for row in order:
                places[group(row.team)] += 1
                ranks[row.team.team_id] = places[group(row.team)]
    found["wildcard"] = _rank_wildcards(rows, found)
    return found


def _rank_wildcards(rows: list[StandingsRow], ranks: dict[str, dict[int, int]]) -> dict[int, int]:
    """Rank the wild cards: 0 for the first three of each division, then by conference."""
    found: dict[int, int] = {}
    places: dict[str, int] = defaultdict(int)
    for row in sorted(rows, key=lambda row: ranks["league"][row.team.team_id]):
        if ranks["division"][row.team.team_id] <= 3:
            found[row.team.team_id] = 0
        else:
            places[row.team.conference] += 1
            found[row.team.team_id] = places[row.team.conference]
    return found


def _build_team(season: Season, day: date, row: StandingsRow, ranks: dict[str, dict[int, int]]) -> Page:
    team, record = row.team, _count_record(row.results)
    games = max(record["gamesPlayed"], 1)
    page: Page = {
        "conferenceAbbrev": team.conference[0],
        "conferenceName": team.conference,
        "date": f"{day}",
        "divisionAbbrev": team.division[0],
        "divisionName": team.division,
        "gameTypeId": 2,
        "goalAgainst": record.pop("goalsAgainst"),
        "goalFor": record.pop("goalsFor"),
        "goalDifferentialPctg": round(record["goalDifferential"] / games, 6),
        **record,
        "placeName": localize_text(team.place),
        "seasonId": season.season,
        "shootoutLosses": sum(not outing.is_win and outing.last_period_type == "SO" for outing in row.results),
        "shootoutWins": sum(outing.is_win and outing.last_period_type == "SO" for outing in row.results),
        "teamName": build_full_name(team),
        "teamCommonName": localize_text(team.common_name),
        "teamAbbrev": {"default": team.abbrev},
        "teamLogo": build_logo_url(team, "light"),
        "waiversSequence": len(season.teams) + 1 - ranks["league"][team.team_id],
        "wildcardSequence": ranks["wildcard"][team.team_id],
    }
    page |= _compute_percentages(record, page, games) | _find_streak(row.results)
    for split in SPLITS[1:]:
        page |= {
            f"{split}{key[0].upper()}{key[1:]}": value for key, value in _count_record(row.select_split(split)).items()
        }
    page |= {f"{name}Sequence": places[team.team_id] for name, places in ranks.items() if name != "wildcard"}
    return dict(sorted(page.items()))


def _compute_percentages(record: dict[str, int], page: Page, games: int) -> Page:
    return {
        "goalsForPctg": round(float(str(page["goalFor"])) / games, 6),
        "pointPctg": round(record["points"] / (2 * games), 6),
        "regulationPlusOtWinPctg": round(record["regulationPlusOtWins"] / games, 6),
        "regulationWinPctg": round(record["regulationWins"] / games, 6),
        "winPctg": round(record["wins"] / games, 6),
    }


def _find_streak(outings: tuple[TeamResult, ...]) -> Page:
    """Return the current streak and its length: W, L, or OT for losses after regulation."""
    kinds = ["W" if o.is_win else "L" if o.last_period_type == "REG" else "OT" for o in outings]
    if not kinds:
        return {}
    count = next((n for n, kind in enumerate(reversed(kinds)) if kind != kinds[-1]), len(kinds))
    return {"streakCode": kinds[-1], "streakCount": count}
