"""Fields of pages that nothing reads: each key path of the newest pages is read, ignored by name, or reported."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec
import polars as pl
from msgspec import inspect

from nhl_lake import catalog
from nhl_lake.bronze import endpoints
from nhl_lake.hockey.calendar import FINAL_STATES
from nhl_lake.schema.table import Table, collect_page_structs
from nhl_lake.silver.game_quality import GAME_QUALITY
from nhl_lake.silver.parsing.pages import decode_custom_type
from nhl_lake.silver.quality import pages as page_quality
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

SAMPLE_PAGES = 30

PAGE_STRUCTS = collect_page_structs(catalog.SILVER)


class UnreadPath(NamedTuple):
    """A key path that nothing reads: in how many of the newest pages it is, and one of them."""

    table: str
    path: str
    pages: int
    example: str


def iter_unread_paths(root: Location) -> Iterator[UnreadPath]:
    """Yield the key paths of the newest pages of each table that no struct reads and no list ignores."""
    for table, kinds in PAGE_STRUCTS.items():
        pages = delta_tables.scan_table(root, table).select(*table.page_key, "fetched_at", "body")
        last = pages.top_k(SAMPLE_PAGES, by="fetched_at")
        declared = set().union(*(list_declared_paths(inspect.type_info(kind)) for kind in kinds))
        found: defaultdict[str, list[str]] = defaultdict(list)
        for name, body in last.select(pl.concat_str(table.page_key, separator=" "), "body").collect().iter_rows():
            with suppress(msgspec.MsgspecError):  # the rebuild quarantines a page that cannot be read
                for path in list_paths(msgspec.json.decode(body)) - declared:
                    if not is_ignored(table, path):
                        found[path].append(name)
        for path, names in sorted(found.items()):
            yield UnreadPath(table.name, path, len(names), names[0])


class InvalidField(NamedTuple):
    """A value of another type than declared, which silver leaves out: in how many pages it is, and one of them."""

    table: str
    path: str
    reason: str
    pages: int
    example: str


def iter_invalid_fields(root: Location) -> Iterator[InvalidField]:
    """Yield the invalid fields and rows of the newest pages that `silver.game_quality` does not report."""
    for table, kinds in PAGE_STRUCTS.items():
        decoders = [
            (kind, msgspec.json.Decoder(kind, dec_hook=decode_custom_type).decode)
            for kind in kinds
            if kind not in GAME_QUALITY.page_structs.get(table, ())
        ]
        if not decoders:
            continue
        found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for pages in delta_tables.scan_by_season(root, table):
            newest = delta_tables.filter_newest_pages(pages, table)
            if table in endpoints.GAME_PAGE_RULES:  # silver reads the pages of final games
                newest = newest.filter(pl.col("state").is_in(FINAL_STATES))
            named = newest.select(pl.concat_str(table.page_key, separator=" "), "body").collect()
            for name, body in named.iter_rows():
                for invalid in (
                    one for kind, decode in decoders for one in page_quality.list_invalid_values(body, kind, decode)
                ):
                    found[re.sub(r"\[\d+\]", "[]", invalid.path), invalid.reason].add(name)
        for (path, why), names in sorted(found.items()):
            yield InvalidField(table.name, path, why, len(names), min(names))


def list_paths(value: Any, at: str = "") -> set[str]:  # noqa: ANN401 - any JSON value
    """Return the paths of all scalar values of a page: plays[].details.xCoord."""
    if isinstance(value, dict):
        return set().union(*(list_paths(inner, f"{at}.{key}" if at else key) for key, inner in value.items()))
    if isinstance(value, list):
        return set().union(*(list_paths(inner, f"{at}[]") for inner in value))
    return {at}


def list_declared_paths(kind: inspect.Type, at: str = "") -> set[str]:
    """Return the paths that a struct reads; a text may have several languages."""
    match kind:
        case inspect.StructType():
            inner = (list_declared_paths(f.type, f"{at}.{f.encode_name}" if at else f.encode_name) for f in kind.fields)
            return set().union(*inner)
        case inspect.ListType():
            return {at} | list_declared_paths(kind.item_type, f"{at}[]")
        case inspect.UnionType():
            return set().union(*(list_declared_paths(one, at) for one in kind.types))
        case inspect.CustomType():
            return {at, f"{at}.default"}
    return {at}


LANGUAGES = frozenset({"cs", "da", "de", "en", "es", "fi", "fr", "lv", "no", "pl", "ru", "sk", "sv"})

# by the name of a key, at any depth
IGNORED_KEYS = frozenset(endpoints.VOLATILE_KEYS) | {"shopLink", "twitterLink", "watchLink", "playerSlug", "badges"}

NAME_KEYS = ("abbrev", "name", "commonName", "placeName", "placeNameWithPreposition")
HEADER_KEYS = (
    *(f"{side}.{name}" for side in ("awayTeam", "homeTeam") for name in NAME_KEYS),
    *(
        "gameDate",
        "startTimeUTC",
        "easternUTCOffset",
        "venueUTCOffset",
        "venueTimezone",
        "venue",
        "venueLocation",
        "neutralSite",
    ),
    *("gameState", "gameScheduleState", "gameOutcome", "specialEvent"),
)
LIVE_STATE_KEYS = (
    *("period", "displayPeriod", "periodDescriptor", "situation", "awayTeam.onIce", "homeTeam.onIce"),
    *("limitedScoring", "maxPeriods", "regPeriods", "otInUse", "shootoutInUse"),
)
TOTALS_KEYS = ("linescore", "shotsByPeriod", "gameReports", "seasonSeries", "seasonSeriesWins")


def index_reasons(reasons: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return, by path, the reason why it and everything below it is not read."""
    return {path: reason for reason, prefixes in reasons.items() for path in prefixes}


IGNORED_PATHS: Mapping[Table, Mapping[str, str]] = {
    endpoints.SCHEDULE: index_reasons(
        {
            "silver.teams has the names": tuple(f"{s}Team.{n}" for s in ("away", "home") for n in NAME_KEYS),
            "not needed yet": ("venueTimezone", "specialEvent", "periodDescriptor", "seriesStatus", "gameOutcome"),
            "split squads play in the preseason": ("awayTeam.awaySplitSquad", "homeTeam.homeSplitSquad"),
            "play-by-play says who scored, the box score who won": ("winningGoalScorer", "winningGoalie"),
        }
    ),
    endpoints.PLAY_BY_PLAY: index_reasons(
        {
            "the schedule says so": HEADER_KEYS,
            "state of a live game, and the rules of its type": LIVE_STATE_KEYS,
            "totals of fields that are read; the right rail has them": ("summary",),
            "season totals so far: counted from games": (
                *(f"plays[].details.{role}PlayerTotal" for role in ("scoring", "assist1", "assist2", "assist3")),
                "plays[].details.goalInGame",
            ),
            "scores and shots so far: counted from plays, and compared in silver.game_quality": (
                *("plays[].details.awaySOG", "plays[].details.homeSOG"),
                *("plays[].details.awayScore", "plays[].details.homeScore"),
            ),
            "derived from fields that are read": (
                "plays[].period",
                "plays[].periodDescriptor",
                "plays[].timeRemaining",
            ),
            "silver.players has the names": ("rosterSpots[].firstName", "rosterSpots[].lastName"),
        }
    ),
    endpoints.BOXSCORE: index_reasons(
        {
            "the schedule says so": HEADER_KEYS,
            "state of a live game, and the rules of its type": LIVE_STATE_KEYS,
            "play-by-play and right rail have the teams' totals": (
                f"{side}Team.{stat}"
                for side in ("away", "home")
                for stat in ("score", "sog", "blocks", "hits", "pim", "faceoffWinningPctg", "powerPlayConversion")
            ),
            "totals of fields that are read; the right rail has them": (
                *(f"boxscore.{name}" for name in (*TOTALS_KEYS, "gameInfo")),
                "summary",
            ),
            "silver.players has the names; the share follows from saves": (
                f"{nested}playerByGameStats.{side}Team.{group}[].{name}"
                for nested in ("", "boxscore.")
                for side in ("away", "home")
                for group, name in (
                    *(("forwards", "name"), ("defense", "name"), ("goalies", "name")),
                    *(("goalies", "savePctg"), ("goalies", "saves"), ("goalies", "shotsAgainst")),
                )
            ),
        }
    ),
    endpoints.RIGHT_RAIL: index_reasons(
        {
            "sums of plays, and other games": TOTALS_KEYS,
            "read by category": ("teamGameStats",),
            "silver.players has the names": (
                f"gameInfo.{side}Team.scratches[].{name}"
                for side in ("away", "home")
                for name in ("firstName", "lastName")
            ),
        }
    ),
    endpoints.SHIFT_CHARTS: index_reasons(
        {
            "names, and the game: the ids are read": (
                *("data[].firstName", "data[].lastName", "data[].teamAbbrev", "data[].teamName", "data[].gameId"),
            ),
            "details of goals and of the web page": (
                *("data[].detailCode", "data[].eventDetails", "data[].eventNumber", "data[].hexValue"),
            ),
            "ids and numbers of shifts repeat": ("data[].id", "data[].shiftNumber"),
            "checked when the page was stored": ("total",),
        }
    ),
    endpoints.ROSTERS: index_reasons(
        {
            "centimeters and kilograms are read": (
                f"{group}[].{name}"
                for group in ("forwards", "defensemen", "goalies")
                for name in ("heightInInches", "weightInPounds")
            )
        }
    ),
    endpoints.STANDINGS: index_reasons(
        {
            "names, and figures derived from fields that are read": (
                *("wildCardIndicator", "standingsDateTimeUtc"),
                *(f"standings[].{name}Pctg" for name in ("goalDifferential", "goalsFor")),
                *(f"standings[].{name}Pctg" for name in ("regulationPlusOtWin", "regulationWin", "win")),
                *("standings[].conferenceAbbrev", "standings[].divisionAbbrev", "standings[].gameTypeId"),
                *("standings[].placeName", "standings[].teamCommonName"),
            )
        }
    ),
    endpoints.PLAYERS: index_reasons(
        {
            "totals: counted from games": ("awards", "careerTotals", "featuredStats", "last5Games", "seasonTotals"),
            "other players": ("currentTeamRoster",),
            "centimeters and kilograms are read": ("heightInInches", "weightInPounds"),
            "not needed yet": ("inHHOF", "inTop100AllTime"),
            "silver.teams has the names": ("fullTeamName", "teamCommonName", "teamPlaceNameWithPreposition"),
        }
    ),
    endpoints.LANDING: index_reasons(
        {
            "the schedule says so": (*HEADER_KEYS, "id", "season", "gameType"),
            "state of a live game, and the rules of its type": (*LIVE_STATE_KEYS, "tiesInUse"),
            "play-by-play, box score and right rail have the goals, penalties, attempts and totals": (
                *(f"summary.{name}" for name in ("scoring", "penalties", "shootout", "teamGameStats", "gameInfo")),
                *(f"summary.{name}" for name in (*TOTALS_KEYS, "iceSurface")),
                *(f"{side}Team.{name}" for side in ("away", "home") for name in ("id", "score", "sog")),
            ),
            "silver.players has the names, the box score the statistics": (
                f"summary.threeStars[].{name}"
                for name in (
                    *("name", "firstName", "lastName", "sweaterNo", "goals", "assists", "points"),
                    *("goalsAgainstAverage", "savePctg"),
                )
            ),
            "before the game: rosters, leaders and records": ("matchup",),
        }
    ),
    endpoints.PLAYOFF_BRACKET: index_reasons(
        {
            "pictures": ("bracketLogo", "bracketLogoFr", "series[].seriesLogo", "series[].seriesLogoFr"),
            "follows from fields that are read": (
                *("series[].seriesUrl", "series[].seriesAbbrev", "series[].losingTeamId"),
                *("series[].topSeedRank", "series[].bottomSeedRank"),
            ),
            "silver.teams has the names": (
                f"series[].{seed}SeedTeam.{name}" for seed in ("top", "bottom") for name in NAME_KEYS
            ),
        }
    ),
    endpoints.DRAFT_PICKS: index_reasons(
        {
            "checked when the page was stored": ("draftYear",),
            "about the broadcast and the web page": (
                *("broadcastStartTimeUTC", "draftYears", "selectableRounds", "state"),
                *("picks[].teamLogoLight", "picks[].teamLogoDark", "picks[].displayAbbrev"),
            ),
            "silver.teams has the names": (
                *("picks[].teamName", "picks[].teamCommonName", "picks[].teamPlaceNameWithPreposition"),
            ),
        }
    ),
    endpoints.GLOSSARY: index_reasons(
        {"the language is in the key": ("data[].languageCode",), "not needed yet": ("data[].lastUpdated", "total")}
    ),
    endpoints.EDGE_SKATERS: index_reasons(
        {
            "silver.players and silver.lineups have the player": (
                f"player.{name}"
                for name in (
                    *("id", "firstName", "lastName", "birthDate", "shootsCatches", "sweaterNumber", "position"),
                    *("slug", "goals", "assists", "points", "team"),
                )
            ),
            "the same for every skater of a day": (
                *(f"{name}.leagueAvg" for name in ("topShotSpeed", "totalDistanceSkated", "distanceMaxGame")),
                *(f"skatingSpeed.{name}.leagueAvg" for name in ("speedMax", "burstsOver20")),
                *(f"zoneTimeDetails.{zone}ZoneLeagueAvg" for zone in ("offensive", "neutral", "defensive")),
                *("zoneTimeDetails.offensiveZoneEvLeagueAvg", "seasonsWithEdgeStats"),
            ),
            "kilometers are read": (
                *(f"{name}.imperial" for name in ("topShotSpeed", "totalDistanceSkated", "distanceMaxGame")),
                "skatingSpeed.speedMax.imperial",
            ),
            "in which game it was": (
                f"{name}.overlay" for name in ("topShotSpeed", "skatingSpeed.speedMax", "distanceMaxGame")
            ),
            "gold counts shots and goals": ("sogSummary", "sogDetails"),
            "not needed yet": (
                *(f"zoneTimeDetails.{zone}ZonePercentile" for zone in ("offensive", "neutral", "defensive")),
                "zoneTimeDetails.offensiveZoneEvPercentile",
            ),
        }
    ),
    **dict.fromkeys(
        (endpoints.SKATER_REPORTS, endpoints.GOALIE_REPORTS, endpoints.TEAM_REPORTS),
        index_reasons({"an audit reads a few statistics": ("data", "total")}),
    ),
    endpoints.TEAMS: index_reasons({"the league, and a copy of the letters": ("leagueId", "rawTricode")}),
    endpoints.SEASONS: index_reasons(
        {
            "not about games": (
                *("allStarGameInUse", "entryDraftInUse", "supplementalDraftInUse", "olympicsParticipation"),
                *("formattedSeasonId", "seasonOrdinal", "nhlStanleyCupOwner", "rowInUse"),
                *("minimumPlayoffMinutesForGoalieStatsLeaders", "minimumRegularGamesForGoalieStatsLeaders"),
            )
        }
    ),
}


def is_ignored(table: Table, path: str) -> bool:
    """Whether a path is unread on purpose: by IGNORED_KEYS, another language, or a prefix in IGNORED_PATHS."""
    keys = path.replace("[]", "").split(".")
    ignored = IGNORED_PATHS.get(table, {})
    prefixes = (path[:end] for end in (*(n for n, sign in enumerate(path) if sign in ".["), len(path)))
    return not IGNORED_KEYS.isdisjoint(keys) or keys[-1] in LANGUAGES or any(prefix in ignored for prefix in prefixes)
