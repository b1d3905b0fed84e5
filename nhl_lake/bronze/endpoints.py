"""Declare every page of the NHL API that the lake stores: its address, its validation, and when to request it.

Bronze stores pages as served. Tables of games, days and teams in a season keep every distinct version, which shows
corrections and what was known when. Tables of players, teams and seasons keep the newest version.
"""

from collections.abc import Collection
from datetime import timedelta

import polars as pl

from nhl_lake.bronze import validation
from nhl_lake.hockey.seasons import FIRST_SHIFT_SEASON
from nhl_lake.schema import columns as c
from nhl_lake.schema.requests import (
    GOALIE,
    PLAYOFFS,
    SKATER,
    TEAM,
    AfterGames,
    EveryRun,
    OnePerDay,
    OnePerGame,
    OnePerPlayer,
    OnePerTeamSeason,
    OnePerValue,
    OnePerYear,
    Subject,
    WithSchedule,
)
from nhl_lake.schema.table import Column, Endpoint, Table, VersionPolicy

STATS_HOST = "https://api.nhle.com"
REPORTS_HOST = "https://www.nhl.com"

ONCE_A_DAY = timedelta(hours=20)  # less than a day: no daily run may miss it
SETTLE_TIME = timedelta(hours=6)  # after the start of a game: no game lasts longer
FIRST_EDGE_SEASON = 20212022

VOLATILE_KEYS = frozenset(
    {
        "clock",
        "tvBroadcasts",
        "radioLink",
        "ticketsLink",
        "ticketsLinkFr",
        "odds",
        "oddsPartners",
        "logo",
        "darkLogo",
        "headshot",
        "teamLogo",
        "heroImage",
        "gameVideo",
        "gameCenterLink",
        "threeMinRecap",
        "threeMinRecapFr",
        "condensedGame",
        "condensedGameFr",
        "highlightClip",
        "highlightClipFr",
        "highlightClipSharingUrl",
        "highlightClipSharingUrlFr",
        "discreteClip",
        "discreteClipFr",
        "pptReplayUrl",
    }
)


def declare_page(name: str, grain: str, key: tuple[Column, ...], source: Endpoint, about: tuple[Column, ...]) -> Table:
    """Declare a bronze table that keeps every distinct version of a page."""
    return Table(
        name=f"bronze.{name}",
        grain=f"one version of {grain}",
        key=(*(k.name for k in key), "fetched_at"),
        columns=(*key, *about, *c.stored_page_columns),
        source=source,
    )


def declare_newest_page(name: str, grain: str, key: Column, source: Endpoint) -> Table:
    """Declare a bronze table that keeps the newest version of a page, merged by its key."""
    return Table(
        name=f"bronze.{name}",
        grain=grain,
        key=(key.name,),
        columns=(key, *c.stored_page_columns),
        source=source,
        partition=None,
        version_policy=VersionPolicy.LATEST,
    )


def declare_game_page(name: str, grain: str, source: Endpoint) -> Table:
    """Declare a page of a game."""
    return declare_page(name, grain, (c.game_id,), source, (c.season, c.game_date, c.state))


def declare_edge_page(what: str, subject: Subject, key: Column) -> Table:
    """Declare an EDGE page, requested once after each day on which its subject has played. EDGE began in 2021-22."""
    return declare_page(
        f"edge_{what}s",
        f"a {what}'s EDGE page: tracking of a season so far",
        (c.season, c.game_type, key),
        Endpoint(
            path=f"v1/edge/{what}-detail/{{{key.name}}}/{{season}}/{{game_type}}",
            parse=validation.make_page_parser({key.name.replace("_", "."): key.name}),
            request=AfterGames(
                subject=subject, settle_time=SETTLE_TIME, refresh_every=ONCE_A_DAY, first_season=FIRST_EDGE_SEASON
            ),
            ignored_keys=VOLATILE_KEYS,
            only_with="edge",
        ),
        (),
    )


def declare_report(subject: str) -> Table:
    """Declare the summary report of the stats API on one game. It is an audit: it changes with the box score."""
    return declare_game_page(
        f"{subject}_reports",
        f"the official summary report on a game's {subject}s",
        Endpoint(
            host=STATS_HOST,
            path=f"stats/rest/en/{subject}/summary?isAggregate=false&isGame=true&limit=-1&cayenneExp=gameId={{game_id}}",
            parse=validation.parse_game_report,
            request=OnePerGame(second_look_after="bronze.boxscore"),
            is_empty=validation.is_report_empty,
            only_with="reports",
        ),
    )


SEASONS = declare_newest_page(
    "seasons",
    "one season, as the NHL last described it",
    c.season,
    Endpoint(
        host=STATS_HOST,
        path="stats/rest/en/season",
        parse=validation.make_listing_parser("season"),
        request=EveryRun(),
    ),
)

TEAMS = declare_newest_page(
    "teams",
    "one team id, as the NHL last described it",
    c.team_id,
    Endpoint(
        host=STATS_HOST,
        path="stats/rest/en/team",
        parse=validation.make_listing_parser("team_id"),
        request=EveryRun(),
    ),
)

SCHEDULE = declare_game_page(
    "schedule",
    "a game's entry in the schedule, past or future",
    Endpoint(
        path="v1/schedule/{day}",
        parse=validation.parse_schedule,
        request=WithSchedule(),
        ignored_keys=VOLATILE_KEYS,
    ),
)

PLAY_BY_PLAY = declare_game_page(
    "play_by_play",
    "a game's play-by-play page",
    Endpoint(
        path="v1/gamecenter/{game_id}/play-by-play",
        parse=validation.parse_play_by_play,
        request=OnePerGame(confirms_final=True),
        ignored_keys=VOLATILE_KEYS,
    ),
)

BOXSCORE = declare_game_page(
    "boxscore",
    "a game's box score page",
    Endpoint(
        path="v1/gamecenter/{game_id}/boxscore",
        parse=validation.parse_game_page,
        request=OnePerGame(),
        ignored_keys=VOLATILE_KEYS,
    ),
)

SHIFT_CHARTS = declare_game_page(
    "shift_charts",
    "a game's shift chart, empty ones too",
    Endpoint(
        host=STATS_HOST,
        path="stats/rest/en/shiftcharts?cayenneExp=gameId={game_id}",
        parse=validation.parse_shift_chart,
        request=OnePerGame(first_season=FIRST_SHIFT_SEASON),
        is_empty=validation.is_chart_empty,
    ),
)

RIGHT_RAIL = declare_game_page(
    "right_rail",
    "a game's right-rail page: officials, scratches, coaches",
    Endpoint(
        path="v1/gamecenter/{game_id}/right-rail",
        parse=validation.parse_right_rail,
        # the counts on this page are corrected together with the box score
        request=OnePerGame(second_look_after="bronze.boxscore"),
        # these change when the teams play other games
        ignored_keys=VOLATILE_KEYS | {"seasonSeries", "seasonSeriesWins"},
    ),
)

SHIFT_REPORT_HOME = declare_game_page(
    "shift_report_home",
    "the home team's HTML shift report",
    Endpoint(
        host=REPORTS_HOST,
        path="scores/htmlreports/{season}/TH{report_number}.HTM",
        parse=validation.make_shift_report_parser(home=True),
        request=OnePerGame(fallback_for="bronze.shift_charts"),
    ),
)

SHIFT_REPORT_AWAY = declare_game_page(
    "shift_report_away",
    "the away team's HTML shift report",
    Endpoint(
        host=REPORTS_HOST,
        path="scores/htmlreports/{season}/TV{report_number}.HTM",
        parse=validation.make_shift_report_parser(home=False),
        request=OnePerGame(fallback_for="bronze.shift_charts"),
    ),
)

ROSTERS = declare_page(
    "rosters",
    "a team's roster in a season",
    (c.season, c.team_abbrev),
    Endpoint(
        path="v1/roster/{team_abbrev}/{season}",
        parse=validation.parse_roster,
        request=OnePerTeamSeason(refresh_every=ONCE_A_DAY),
        ignored_keys=VOLATILE_KEYS,
    ),
    (),
)

CLUB_STATS = declare_page(
    "club_stats",
    "a team's statistics of its skaters and goalies in a regular season",
    (c.season, c.team_abbrev),
    Endpoint(
        path="v1/club-stats/{team_abbrev}/{season}/2",
        # it names its season, but not its team
        parse=validation.make_page_parser({"season": "season", "gameType": 2}, lists=("skaters", "goalies")),
        request=OnePerTeamSeason(refresh_every=timedelta(days=7), after_first_game=True),
        ignored_keys=VOLATILE_KEYS,
    ),
    (),
)

STANDINGS = declare_page(
    "standings",
    "the standings after a day with regular-season games",
    (c.game_date,),
    Endpoint(
        path="v1/standings/{game_date}",
        parse=validation.parse_standings,
        request=OnePerDay(settle_time=timedelta(hours=12)),
        ignored_keys=VOLATILE_KEYS | {"standingsDateTimeUtc"},
    ),
    (c.season,),
)

PLAYERS = declare_newest_page(
    "players",
    "one player, as the NHL last described them",
    c.player_id,
    Endpoint(
        path="v1/player/{player_id}/landing",
        parse=validation.parse_player,
        request=OnePerPlayer(refresh_every=timedelta(days=30)),
        ignored_keys=VOLATILE_KEYS | {"shopLink", "twitterLink", "watchLink", "currentTeamRoster"},
    ),
)

LANDING = declare_game_page(
    "landing",
    "a game's landing page: three stars, scoring, shootout",
    Endpoint(
        path="v1/gamecenter/{game_id}/landing",
        parse=validation.parse_game_page,
        request=OnePerGame(),
        # those that are about other games, and live on the right rail since 2024
        ignored_keys=VOLATILE_KEYS | {"seasonSeries", "seasonSeriesWins"},
        only_with="landing",
    ),
)

PLAYOFF_BRACKET = declare_page(
    "playoff_bracket",
    "the bracket of a season's playoffs",
    (c.season,),
    Endpoint(
        path="v1/playoff-bracket/{year}",
        parse=validation.parse_bracket,
        request=AfterGames(subject=PLAYOFFS, settle_time=SETTLE_TIME, refresh_every=ONCE_A_DAY),
        ignored_keys=VOLATILE_KEYS | {"bracketLogo", "bracketLogoFr", "seriesLogo", "seriesLogoFr"},
    ),
    (),
)

DRAFT_PICKS = declare_newest_page(
    "draft_picks",
    "the picks of one year's draft, as the NHL last listed them",
    c.year,
    Endpoint(
        path="v1/draft/picks/{year}/all",
        parse=validation.make_page_parser({"draftYear": "year"}, lists=("picks",)),
        request=OnePerYear(refresh_every=timedelta(days=7)),
        ignored_keys=VOLATILE_KEYS | {"draftYears", "teamLogoLight", "teamLogoDark"},
    ),
)

GLOSSARY = declare_newest_page(
    "glossary",
    "the NHL's glossary of statistics in one language",
    c.language,
    Endpoint(
        host=STATS_HOST,
        path="stats/rest/{language}/glossary",
        parse=validation.parse_glossary,
        request=OnePerValue(parameter="language", values=("en",), refresh_every=timedelta(days=90)),
    ),
)

EDGE_SKATERS = declare_edge_page("skater", SKATER, c.player_id)
EDGE_GOALIES = declare_edge_page("goalie", GOALIE, c.player_id)
EDGE_TEAMS = declare_edge_page("team", TEAM, c.team_id)

SKATER_REPORTS = declare_report("skater")
GOALIE_REPORTS = declare_report("goalie")
TEAM_REPORTS = declare_report("team")

ODDS = Table(
    name="bronze.odds",
    grain="one version of the odds of the NHL's betting partner in a country, on the games of that day",
    key=("country", "fetched_at"),
    columns=(Column("country", pl.String, "Country of the betting partner: US, CA"), *c.stored_page_columns),
    partition=None,
    source=Endpoint(
        path="v1/partner-game/{country}/now",
        parse=validation.make_page_parser({}, lists=("games",)),
        request=OnePerValue(parameter="country", values=("US", "CA"), refresh_every=timedelta(hours=1)),
        # without VOLATILE_KEYS: the odds are what this page is for
        ignored_keys=frozenset(
            {"lastUpdatedUTC", "logo", "imageUrl", "siteUrl", "bgColor", "textColor", "accentColor"}
        ),
        only_with="odds",
    ),
)

# every declaration above, in its order: requests are planned in this order
TABLES = tuple(table for table in list(globals().values()) if isinstance(table, Table))

# these groups follow from the request rules
LISTS = tuple(table for table in TABLES if isinstance(table.endpoint.request, EveryRun))
PLANNED_TABLES = tuple(table for table in TABLES if not isinstance(table.endpoint.request, EveryRun | WithSchedule))
# pages that are requested only by `ingest --with NAME`: these names
OPTIONAL_PAGES = tuple(dict.fromkeys(name for table in TABLES if (name := table.endpoint.only_with)))
GAME_PAGE_RULES = {table: rule for table in TABLES if isinstance(rule := table.endpoint.request, OnePerGame)}
# a game is complete when it has these: not with the pages that stand in for others, nor with optional ones
GAME_PAGES = tuple(
    table for table, rule in GAME_PAGE_RULES.items() if not rule.fallback_for and table.endpoint.only_with is None
)
CONFIRMING_PAGE = next(table for table, rule in GAME_PAGE_RULES.items() if rule.confirms_final)


def select_planned_tables(with_pages: Collection[str]) -> tuple[Table, ...]:
    """Return the tables whose pages a run plans: those of every run, and the optional ones named."""
    return tuple(t for t in PLANNED_TABLES if t.endpoint.only_with is None or t.endpoint.only_with in with_pages)


def find_fallbacks(table: Table) -> list[Table]:
    """Return the pages that stand in for a game page which is empty, incomplete or not found."""
    return [other for other, rule in GAME_PAGE_RULES.items() if rule.fallback_for == table.name]
