"""Every page of the NHL API that the lake keeps, declared.

Pages are kept as served. Tables of games, days and rosters keep every distinct version, so that corrections, and what
was known when, stay visible; tables of people, teams and seasons keep the newest.
"""

from nhl_lake.bronze import validation
from nhl_lake.schema import columns as c
from nhl_lake.schema.table import Column, Endpoint, Keeps, Table

WEB = "https://api-web.nhle.com"
STATS = "https://api.nhle.com"
REPORTS = "https://www.nhl.com"

CLOCK_AND_MEDIA = frozenset(
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


def page(name: str, grain: str, key: tuple[Column, ...], source: Endpoint, about: tuple[Column, ...]) -> Table:
    """Declare a bronze table that keeps every distinct version of a page."""
    return Table(
        name=f"bronze.{name}",
        grain=f"one version of {grain}",
        key=(*(k.name for k in key), "fetched_at"),
        columns=(*key, *about, *c.kept),
        source=source,
    )


def newest(name: str, grain: str, key: Column, source: Endpoint) -> Table:
    """Declare a bronze table that keeps the newest version of a page, merged by its key."""
    return Table(
        name=f"bronze.{name}",
        grain=grain,
        key=(key.name,),
        columns=(key, *c.kept),
        source=source,
        partition=None,
        keeps=Keeps.NEWEST,
    )


def game_page(name: str, grain: str, source: Endpoint) -> Table:
    """Declare a page of a game."""
    return page(name, grain, (c.game_id,), source, (c.season, c.game_date, c.state))


SCHEDULE = game_page(
    "schedule",
    "a game's entry in the schedule, past or future",
    Endpoint(path="v1/schedule/{day}", read=validation.schedule, volatile=CLOCK_AND_MEDIA),
)

PLAY_BY_PLAY = game_page(
    "play_by_play",
    "a game's play-by-play page",
    Endpoint(
        path="v1/gamecenter/{game_id}/play-by-play",
        read=validation.play_by_play,
        volatile=CLOCK_AND_MEDIA,
    ),
)

BOXSCORE = game_page(
    "boxscore",
    "a game's box score page",
    Endpoint(
        path="v1/gamecenter/{game_id}/boxscore",
        read=validation.boxscore,
        volatile=CLOCK_AND_MEDIA,
    ),
)

SHIFT_CHARTS = game_page(
    "shift_charts",
    "a game's shift chart, empty ones too",
    Endpoint(host=STATS, path="stats/rest/en/shiftcharts?cayenneExp=gameId={game_id}", read=validation.chart),
)

SHIFT_REPORT_HOME = game_page(
    "shift_report_home",
    "the home team's HTML shift report, asked for when a game's chart is empty",
    Endpoint(
        host=REPORTS,
        path="scores/htmlreports/{season}/TH{report_number}.HTM",
        read=validation.shift_report(home=True),
    ),
)

SHIFT_REPORT_AWAY = game_page(
    "shift_report_away",
    "the away team's HTML shift report, asked for when a game's chart is empty",
    Endpoint(
        host=REPORTS,
        path="scores/htmlreports/{season}/TV{report_number}.HTM",
        read=validation.shift_report(home=False),
    ),
)

RIGHT_RAIL = game_page(
    "right_rail",
    "the page beside a game: officials, scratches, coaches",
    Endpoint(
        path="v1/gamecenter/{game_id}/right-rail",
        read=validation.right_rail,
        # the series changes when other games are played
        volatile=CLOCK_AND_MEDIA | {"seasonSeries", "seasonSeriesWins"},
    ),
)

ROSTERS = page(
    "rosters",
    "a team's roster in a season",
    (c.season, c.team_abbrev),
    Endpoint(path="v1/roster/{team_abbrev}/{season}", read=validation.roster, volatile=CLOCK_AND_MEDIA),
    (),
)

STANDINGS = page(
    "standings",
    "the standings after a day with regular-season games",
    (c.game_date,),
    Endpoint(
        path="v1/standings/{game_date}",
        read=validation.standings,
        volatile=CLOCK_AND_MEDIA | {"standingsDateTimeUtc"},
    ),
    (c.season,),
)

PLAYERS = newest(
    "players",
    "one player, as the NHL last described him",
    c.player_id,
    Endpoint(
        path="v1/player/{player_id}/landing",
        read=validation.player,
        volatile=CLOCK_AND_MEDIA | {"shopLink", "twitterLink", "watchLink", "currentTeamRoster"},
    ),
)

TEAMS = newest(
    "teams",
    "one team id, as the NHL last described it",
    c.team_id,
    Endpoint(host=STATS, path="stats/rest/en/team", read=validation.listing("team_id")),
)

SEASONS = newest(
    "seasons",
    "one season, as the NHL last described it",
    c.season,
    Endpoint(host=STATS, path="stats/rest/en/season", read=validation.listing("season")),
)

GAME_PAGES = (PLAY_BY_PLAY, BOXSCORE, SHIFT_CHARTS, RIGHT_RAIL)
SHIFT_REPORTS = (SHIFT_REPORT_HOME, SHIFT_REPORT_AWAY)

TABLES = (SEASONS, TEAMS, SCHEDULE, *GAME_PAGES, *SHIFT_REPORTS, ROSTERS, STANDINGS, PLAYERS)
