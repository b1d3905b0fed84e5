"""How a game, a player and the games to come look on a screen."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import polars as pl

from nhl_lake.cli.console import format_eastern_time, make_console, make_grid
from nhl_lake.hockey.calendar import FINAL_STATES, GAME_TYPES
from nhl_lake.hockey.results import RESULT_CODES
from nhl_lake.queries.game import GameSummary
from nhl_lake.queries.player import PlayerSummary
from nhl_lake.queries.predictions import FEATURE_COLUMNS, PREDICTION_COLUMNS, UpcomingPredictions
from nhl_lake.queries.team import TeamSummary

COLUMN_TITLES = {
    "goals": "G", "assists": "A", "shots_on_goal": "SOG", "saves": "SV", "shots_against": "SA", "goals_against": "GA",
    "time_on_ice_s": "TOI", "time_on_ice_per_game_s": "TOI a game", "game_date": "date", "game_id": "game",
    "game_type": "type", "wins": "W", "losses": "L", "overtime_losses": "OTL", "ties": "T",
    "power_play_goals": "PPG",
    "power_play_opportunities": "PP", "power_play_share": "PP %", "shots_per_game": "SOG a game", "player_id": "id",
}  # fmt: skip
TEXT_COLUMNS = (
    "month",
    "score",
    "power_play",
    "id",
    "team",
    "player",
    "decision",
    "date",
    "game",
    "opponent",
    "result",
    "season",
    "type",
    "teams",
)


def format_minutes(seconds: int | None) -> str | None:
    """Return seconds as minutes and seconds."""
    return None if seconds is None else f"{seconds // 60}:{seconds % 60:02d}"


def format_period(number: int, kind: str) -> str:
    """Return what people call a period: 1, 2, 3, OT, 2OT, SO."""
    if kind in ("REG", "SO"):
        return str(number) if kind == "REG" else "SO"
    return "OT" if number == 4 else f"{number - 3}OT"


def format_game_time(row: dict[str, Any]) -> str:
    """Return when in the game: the period and the time played in it; a dash where that is unknown."""
    return f"{format_period(row['period'], row['period_type'])} {format_minutes(row['period_seconds']) or '-'}"


def show_lines(rows: pl.DataFrame) -> None:
    """Print lines of players or games, with the heads that people know."""
    names = [COLUMN_TITLES.get(name, name) for name in rows.columns]
    lines = [
        tuple(format_cell(name, value) for name, value in zip(rows.columns, row, strict=True))
        for row in rows.iter_rows()
    ]
    make_console().print(make_grid(names, lines, right=[name for name in names if name not in TEXT_COLUMNS]))


def format_cell(name: str, value: Any) -> object:  # noqa: ANN401 - whatever a column holds
    """Return a value as it is printed: ids and seasons without separators, times as people say them."""
    if name in {"time_on_ice_s", "time_on_ice_per_game_s"}:
        return None if value is None else format_minutes(round(value))
    if name in {"power_play_share", "shots_per_game"}:
        return None if value is None else f"{100 * value:.1f}" if name == "power_play_share" else f"{value:.2f}"
    if name == "game_type":
        return GAME_TYPES.get(value, str(value))
    return str(value) if name in {"season", "game_id", "player_id", "game_date"} else value


def show_game(sheet: GameSummary) -> None:
    """Print a game on one screen."""
    game, out = sheet.game, make_console()
    away, home = game["away_team_abbrev"], game["home_team_abbrev"]
    out.print(f"{away} at {home}, {format_eastern_time(game['start_at'])}, game {game['game_id']}", style="bold")
    if game["game_state"] not in FINAL_STATES:
        out.print(f"Not final: {game['game_state']}, {game['schedule_state']}.")
        return
    beyond = "" if game["last_period_type"] == "REG" else f" ({game['last_period_type']})"
    out.print(f"Final{beyond}: {away} {game['away_score']}, {home} {game['home_score']}\n")
    if sheet.goals.is_empty() and sheet.periods.is_empty():
        out.print("Its plays are not in the lake; `nhl-lake status` says what is open.")
    else:
        show_plays(sheet, (away, home))
    for title, rows in (("Goalies", sheet.goalies), ("Leaders", sheet.leaders)):
        if rows.height:
            out.print(f"\n{title}", style="bold")
            show_lines(rows)


def show_plays(sheet: GameSummary, teams: Sequence[str]) -> None:
    """Print goals and shots by period, then goals and penalties."""
    out = make_console()
    for what, title in (("goals", "Goals"), ("shots_on_goal", "Shots")):
        show_periods(sheet.periods, what, title, teams)
    goals = [
        (
            format_game_time(row),
            row["team"],
            f"{row['away']}-{row['home']}",
            row["strength"],
            row["scorer"],
            row["assists"],
        )
        for row in sheet.goals.iter_rows(named=True)
    ]
    out.print("", make_grid(["goal", "team", f"{teams[0]}-{teams[1]}", "strength", "scorer", "assists"], goals))
    called = [
        (format_game_time(row), row["team"], row["minutes"], row["player"], row["what"])
        for row in sheet.penalties.iter_rows(named=True)
    ]
    if called:
        out.print("", make_grid(["penalty", "team", "min", "player", "for"], called, right=["min"]))


def show_periods(periods: pl.DataFrame, what: str, title: str, teams: Sequence[str]) -> None:
    """Print a count of both teams by period. Regulation has three, whatever happened in them."""
    last = max(3, *periods["period"].to_list())
    count = {(team, period): n for team, period, n in periods.select("team", "period", what).iter_rows()}
    numbers = range(1, last + 1)
    rows = []
    for team in teams:
        by_period = [count.get((team, number), 0) for number in numbers]
        rows.append((team, *by_period, sum(by_period)))
    names = [format_period(number, "REG" if number < 4 else "OT") for number in numbers]
    make_console().print(make_grid([title, *names, "all"], rows, right=[*names, "all"]))


def show_player(found: PlayerSummary) -> None:
    """Print a player: who he is, his last games, his seasons."""
    out, player = make_console(), found.player
    team = player["current_team_abbrev"] or "no team"
    name = format_player_name(player["first_name"], player["last_name"])
    about = f"{name}, {player['position'] or '–'}, {team}, {player['player_id']}"
    out.print(about, style="bold")
    if found.games.is_empty():
        out.print("He has played no game that is in the lake.")
        return
    out.print("\nLast games, the newest first", style="bold")
    show_lines(found.games)
    out.print("\nSeasons, as far as their games are in the lake", style="bold")
    show_lines(found.seasons)


def format_player_name(first: str | None, last: str | None) -> str:
    """Return a player's name, as far as it is known."""
    return " ".join(name for name in (first, last) if name) or "unknown name"


def show_team(found: TeamSummary) -> None:
    """Print a team: its months, its last games."""
    make_console().print(f"Regular season {found.season}, as far as its games are in the lake", style="bold")
    has_ties = found.months["ties"].sum() > 0
    show_lines(found.months if has_ties else found.months.drop("ties"))  # none since 2005
    make_console().print("\nLast games, the newest first", style="bold")
    show_lines(found.games)


def show_player_choices(people: pl.DataFrame) -> None:
    """Print players, to choose from."""
    rows = people.select("player_id", "first_name", "last_name", "position", "current_team_abbrev", "birth_date")
    lines = [(str(row[0]), format_player_name(row[1], row[2]), *row[3:]) for row in rows.iter_rows()]
    make_console().print(make_grid(["id", "player", "position", "team", "born"], lines))


def show_upcoming(slate: pl.DataFrame) -> None:
    """Print the games to come, day by day."""
    out = make_console()
    for (day,), games in slate.group_by("game_date", maintain_order=True):
        out.print(f"\n{day:%A %d %B %Y}", style="bold")
        rows = [
            line
            for game in games.iter_rows(named=True)
            for line in (
                (
                    format_eastern_time(game["start_at"])[-8:],
                    game["away_team_abbrev"],
                    *format_rest_and_form(game, "away"),
                    str(game["game_id"]),
                ),
                ("", f"at {game['home_team_abbrev']}", *format_rest_and_form(game, "home"), ""),
            )
        ]
        heads = ["start", "team", "rest", "record", "last 10", "goals", "against", "game"]
        out.print(make_grid(heads, rows, right=heads[2:7]))


def show_shooters(shooters: pl.DataFrame, told: UpcomingPredictions, games: int) -> None:
    """Print who is likely to shoot, by which forecast; without one, that there is none, and who has shot of late."""
    out = make_console()
    if told.shooters.is_empty():
        out.print("\nShots on goal of these games were not foretold: `nhl-lake predict` does that.")
        if shooters.height:
            out.print("By the last ten games of each:")
            show_lines(shooters)
        return
    made_at: datetime = shooters["made_at"].max()  # type: ignore[assignment]
    out.print(f"\nShots on goal, foretold {format_eastern_time(made_at)}", style="bold")
    names = ["game_date", "player", "team", "opponent", *PREDICTION_COLUMNS, *FEATURE_COLUMNS]
    lines = [tuple(format_prediction(name, row[name]) for name in names) for row in shooters.iter_rows(named=True)]
    heads = ["date", "player", "team", "opponent", "SOG", "over 2.5", "known from", "back-to-back", "last 10"]
    out.print(make_grid(heads, lines, right=["SOG", "over 2.5", "last 10"]))
    if told.unpredicted_games:
        out.print(
            f"Nothing was foretold of {told.unpredicted_games} of the {games} games: `nhl-lake predict` does that."
        )


def format_prediction(name: str, value: Any) -> object:  # noqa: ANN401 - whatever a column holds
    """Return a part of a forecast as it is printed."""
    if value is None:
        return None
    if name == "chance_over_2_5":
        return f"{value:.0%}"
    if name == "is_back_to_back":
        return "yes" if value else ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def format_rest_and_form(game: dict[str, Any], side: str) -> tuple[object, ...]:
    """Return rest and form of a team."""
    said = {name: game[f"{side}_{name}"] for name in ("rest_days", *RESULT_CODES, "recent_wins")}
    goals, against = game[f"{side}_goals_per_game"], game[f"{side}_goals_against_per_game"]
    if said["wins"] is None:
        return said["rest_days"], None, None, None, None
    record = f"{said['wins']}-{said['losses']}-{said['overtime_losses']}" + (f"-{said['ties']}" if said["ties"] else "")
    return (
        said["rest_days"],
        record,
        f"{said['recent_wins']} of {game[f'{side}_recent_games']}",
        f"{goals:.2f}",
        f"{against:.2f}",
    )
