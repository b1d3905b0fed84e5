"""Season ids and game ids of the NHL."""

from datetime import date

FIRST_SEASON = 19171918


def make_season_id(start_year: int) -> int:
    """Return the season that starts in a year: 2023 -> 20232024."""
    return start_year * 10_000 + start_year + 1


def format_season(season: int) -> str:
    """Return a season as people write it: 20232024 -> 2023-24."""
    return f"{season // 10_000}-{season % 100:02}"


def is_season(number: int) -> bool:
    """Whether a number is a season id: two consecutive years, from the first season on."""
    return number >= FIRST_SEASON and number == make_season_id(number // 10_000)


def get_season_on(day: date) -> int:
    """Return the season of a day by the calendar alone: seasons change on 1 July."""
    return make_season_id(day.year if day.month >= 7 else day.year - 1)


def get_game_season(game_id: int) -> int:
    """Return the season of a game: 2023020001 -> 20232024."""
    return make_season_id(game_id // 1_000_000)


def get_game_type(game_id: int) -> int:
    """Return the game type: 1 preseason, 2 regular season, 3 playoffs, others special: 2023020001 -> 2."""
    return game_id // 10_000 % 100
