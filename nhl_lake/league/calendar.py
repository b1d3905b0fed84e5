"""The calendar: preseason and regular season by day, with postponed games and a cancelled one."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from nhl_lake.league.contracts import get_first_year
from nhl_lake.league.model import ScheduledGame, Season, Series, Team
from nhl_lake.league.seeds import create_rng
from nhl_lake.league.teams import build_teams

EASTERN: Final = ZoneInfo("America/New_York")
GAMES_BY_WEEKDAY: Final = (6, 11, 3, 11, 5, 13, 5)  # Monday first; about 51 a week
PRESEASON_GAMES: Final = 6  # per club
BACK_TO_BACK_COST: Final = 0.35  # games that a club must be behind another to play two days in a row before it
END_MARGIN: Final = timedelta(days=3)  # the last games are hard to place: aim to finish before the last day
PLAYOFF_ROUNDS: Final = 4
DAYS_BETWEEN_ROUNDS: Final = 16


@lru_cache(maxsize=64)
def plan_season(seed: int, number: int) -> Season:
    """Return the clubs and dates of a season, which opens on the Tuesday after 4 October."""
    year = get_first_year(number)
    opening = date(year, 10, 5)
    opening += timedelta(days=(1 - opening.weekday()) % 7)
    closing = opening + timedelta(days=192)
    last = closing + timedelta(days=3 + DAYS_BETWEEN_ROUNDS * (PLAYOFF_ROUNDS - 1) + 14)
    return Season(number, build_teams(seed, number), opening - timedelta(days=17), opening, closing, last)


@lru_cache(maxsize=8)
def plan_schedule(seed: int, number: int) -> tuple[ScheduledGame, ...]:
    """Return the preseason and regular season in the order of game ids, which is the order of the first plan."""
    about = plan_season(seed, number)
    rng = create_rng(seed, "calendar", number)
    preseason = _assign_days(
        rng, about, _pair_preseason(rng, about.teams), about.preseason_start, about.start - timedelta(days=2), 7
    )
    regular = _assign_days(rng, about, _pair_regular_season(rng, about), about.start, about.end - END_MARGIN, 0)
    exhibition = [_plan_game(rng, about, 1, i, game) for i, game in enumerate(preseason, 1)]
    games = [_plan_game(rng, about, 2, i, game) for i, game in enumerate(regular, 1)]
    cancelled = rng.randrange(5, len(exhibition) - 5)
    first = exhibition[cancelled].start
    exhibition[cancelled] = exhibition[cancelled]._replace(cancelled_at=first - timedelta(hours=rng.randint(5, 40)))
    _postpone_games(rng, about, games)
    return (*exhibition, *games)


def _pair_preseason(rng: Random, clubs: tuple[Team, ...]) -> list[tuple[Team, Team]]:
    """Pair the teams of the preseason: neighbors in shuffled order play each other."""
    pairs = []
    for turn in range(PRESEASON_GAMES):
        order = rng.sample(clubs, len(clubs))
        pairs += [(a, b) if turn % 2 else (b, a) for a, b in zip(order[::2], order[1::2], strict=True)]
    return pairs


def _pair_regular_season(rng: Random, about: Season) -> list[tuple[Team, Team]]:
    """Pair the teams for 82 games each: 26 in the division, 24 in the rest of the conference, 32 in the other one."""
    pairs: list[tuple[Team, Team]] = []
    by_division: dict[str, list[Team]] = {}
    for team in about.teams:
        by_division.setdefault(team.division, []).append(team)
    divisions = list(by_division.values())
    for clubs in divisions:
        rng.shuffle(clubs)
        for i, a in enumerate(clubs):
            for j in range(i + 1, len(clubs)):
                # in a ring of eight, teams two steps apart play three times, the others four times
                pairs += _alternate_home(a, clubs[j], 3 if (j - i) in (1, 7) else 4, flip=(j - i) == 7)
    for i, clubs in enumerate(divisions):
        for others in divisions[i + 1 :]:
            same = clubs[0].conference == others[0].conference
            for x, a in enumerate(clubs):
                for y, b in enumerate(others):
                    pairs += _alternate_home(a, b, 3 if same else 2, flip=(x + y) % 2 == 1)
    return pairs


def _alternate_home(a: Team, b: Team, count: int, *, flip: bool) -> list[tuple[Team, Team]]:
    first, second = (b, a) if flip else (a, b)
    return [(first, second) if i % 2 == 0 else (second, first) for i in range(count)]


def _assign_days(
    rng: Random, about: Season, pairs: list[tuple[Team, Team]], first: date, last: date, quota: int
) -> list[tuple[date, Team, Team]]:
    """Give every game a day: no team plays twice a day or three days in a row, and back-to-backs are rare."""
    waiting = {team.team_id: 0 for team in about.teams}
    for home, away in pairs:
        waiting[home.team_id] += 1
        waiting[away.team_id] += 1
    pool = rng.sample(pairs, len(pairs))
    played: dict[int, list[date]] = {team: [] for team in waiting}
    rows: list[tuple[date, Team, Team]] = []
    day = first
    while pool:
        left = sum(
            1 for ahead in range((last - day).days + 1) if quota or _is_game_day(about, day + timedelta(days=ahead))
        )
        wanted = quota or max(
            1, round(len(pool) / max(1, left) * GAMES_BY_WEEKDAY[day.weekday()] * 7 / sum(GAMES_BY_WEEKDAY))
        )
        if quota or _is_game_day(about, day):
            rows += [(day, *pair) for pair in _fill_day(rng, pool, wanted, day, (played, waiting))]
        day += timedelta(days=1)
    return rows


def _is_game_day(about: Season, day: date) -> bool:
    """Whether games are played on a day: not around Christmas or in the week of the all-star break."""
    year = get_first_year(about.season)
    if day in (date(year, 12, 24), date(year, 12, 25), date(year, 12, 26)):
        return False
    return not date(year + 1, 2, 2) <= day <= date(year + 1, 2, 8)


def _fill_day(
    rng: Random,
    pool: list[tuple[Team, Team]],
    wanted: int,
    day: date,
    state: tuple[dict[int, list[date]], dict[int, int]],
) -> list[tuple[Team, Team]]:
    """Pick the games of a day; teams with the most games left come first."""
    played, waiting = state
    yesterday, before = day - timedelta(days=1), day - timedelta(days=2)
    tired = {}
    for team, days in played.items():
        recent = days[-2:]
        tired[team] = (
            9.0 if yesterday in recent and before in recent else BACK_TO_BACK_COST if yesterday in recent else 0.0
        )
    need = {team: waiting[team] - tired[team] + rng.random() for team in waiting}
    busy: set[int] = {team for team, cost in tired.items() if cost > 5}
    chosen: list[int] = []
    ranked = sorted(range(len(pool)), key=lambda i: -need[pool[i][0].team_id] - need[pool[i][1].team_id])
    for i in ranked:
        home, away = pool[i]
        if len(chosen) == wanted:
            break
        if home.team_id not in busy and away.team_id not in busy:
            busy |= {home.team_id, away.team_id}
            chosen.append(i)
    games = [pool[i] for i in chosen]
    for i in sorted(chosen, reverse=True):
        del pool[i]
    for club in (team.team_id for pair in games for team in pair):
        waiting[club] -= 1
        played[club].append(day)
    return games


def _plan_game(rng: Random, about: Season, game_type: int, number: int, row: tuple[date, Team, Team]) -> ScheduledGame:
    day, home, away = row
    start = draw_start_time(rng, home, day)
    return create_scheduled_game(about, game_type, number, (home, away), start)


def create_scheduled_game(
    about: Season, game_type: int, number: int, clubs: tuple[Team, Team], start: datetime
) -> ScheduledGame:
    """Return a game as first scheduled."""
    home, away = clubs
    day = start.astimezone(EASTERN).date()
    published = datetime(get_first_year(about.season), 7, 2, 17, tzinfo=UTC)
    return ScheduledGame(
        game_id=get_first_year(about.season) * 1_000_000 + game_type * 10_000 + number, season=about.season,
        game_type=game_type,
        home_id=home.team_id, away_id=away.team_id, start=start, day=day, first_start=start, first_day=day,
        arena=home.arena, city=home.city,
        neutral_site=False, timezone=home.timezone, venue_timezone=home.venue_timezone, shown_from=published,
        removed_at=None,
        postponed_at=None,
        rescheduled_at=None, cancelled_at=None, if_necessary=False, series=None,
    )  # fmt: skip


def draw_start_time(rng: Random, home: Team, day: date) -> datetime:
    """Return when a game starts: in the evening local time, some matinees on weekends, early in Hawaii for the East."""
    hour, minute = rng.choice(((19, 0), (19, 0), (19, 0), (19, 30), (20, 0)))
    if home.timezone == "Pacific/Honolulu":
        hour, minute = 16, 30
    elif home.timezone in ("America/Los_Angeles", "America/Denver", "America/Chicago") and hour == 20:
        hour, minute = 19, 30
    if day.weekday() in (5, 6) and rng.random() < (0.35 if day.weekday() == 5 else 0.6):
        hour, minute = (
            rng.choice(((13, 0), (14, 0), (15, 30), (17, 0))) if home.timezone != "Pacific/Honolulu" else (13, 0)
        )
    return datetime.combine(day, time(hour, minute), ZoneInfo(home.timezone)).astimezone(UTC)


def _postpone_games(rng: Random, about: Season, games: list[ScheduledGame]) -> None:
    """Postpone three games of the winter, one of them by months; they keep their ids."""
    year = get_first_year(about.season)
    winter = [i for i, game in enumerate(games) if date(year, 10, 20) < game.day < date(year + 1, 1, 15)]
    busy: dict[int, set[date]] = {}
    for team, day in ((team, game.day) for game in games for team in (game.home_id, game.away_id)):
        busy.setdefault(team, set()).add(day)
    waits = (rng.randint(45, 80), rng.randint(4, 20), rng.randint(4, 40))
    for i, wait in zip(rng.sample(winter, len(waits)), waits, strict=True):
        clubs = (busy[games[i].home_id], busy[games[i].away_id])
        games[i] = _move_game(rng, games[i], _find_free_day(about, clubs, games[i].day + timedelta(days=wait)))
        for club in clubs:
            club.add(games[i].day)


def _find_free_day(about: Season, clubs: tuple[set[date], set[date]], day: date) -> date:
    """Return the first day from this one on when both clubs can play."""
    while not _is_game_day(about, day) or any(_is_day_blocked(busy, day) for busy in clubs):
        day += timedelta(days=1)
    return day


def _is_day_blocked(busy: set[date], day: date) -> bool:
    """Whether a club already plays on a day, or would play three days in a row."""
    near = {ahead for ahead in range(-2, 3) if day + timedelta(days=ahead) in busy}
    return 0 in near or any(pair <= near for pair in ({-2, -1}, {-1, 1}, {1, 2}))


def _move_game(rng: Random, game: ScheduledGame, day: date) -> ScheduledGame:
    """Return a postponed game on its new day, at the same hour. The new day is announced some days later."""
    local = game.start.astimezone(ZoneInfo(game.timezone))
    start = (local + (day - game.day)).astimezone(UTC)
    return game._replace(
        start=start,
        day=start.astimezone(EASTERN).date(),
        postponed_at=game.start - timedelta(hours=rng.randint(2, 30)),
        rescheduled_at=game.start + timedelta(days=rng.randint(1, 3)),
    )


def plan_series(
    seed: int, about: Season, series: Series, clubs: tuple[Team, Team], appears: datetime
) -> list[ScheduledGame]:
    """Return the seven planned games of a series: every other day, the better team at home in games 1, 2, 5 and 7."""
    rng = create_rng(seed, "series", about.season, series.round, series.number)
    top, bottom = clubs
    first = about.end + timedelta(days=3 + DAYS_BETWEEN_ROUNDS * (series.round - 1) + series.number % 2)
    rows = []
    for game in range(1, 8):
        home, away = (top, bottom) if game in (1, 2, 5, 7) else (bottom, top)
        day = first + timedelta(days=2 * (game - 1))
        start = datetime.combine(day, time(19, rng.choice((0, 30))), ZoneInfo(home.timezone)).astimezone(UTC)
        number = series.round * 100 + series.number * 10 + game
        planned = create_scheduled_game(about, 3, number, (home, away), start)
        rows.append(planned._replace(shown_from=appears, if_necessary=game > 4, series=series._replace(game=game)))
    return rows
