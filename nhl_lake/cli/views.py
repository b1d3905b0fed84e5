"""Print games, players, teams, leaders, upcoming games and tables."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from rich.text import Text

from nhl_lake.cli import frames
from nhl_lake.cli.console import (
    format_eastern_time,
    format_size,
    format_text,
    is_unicode_output,
    make_console,
    make_grid,
)
from nhl_lake.gold.measures.situations import ALL_SITUATIONS
from nhl_lake.hockey.calendar import FINAL_STATES, GAME_TYPES
from nhl_lake.hockey.ids import format_season
from nhl_lake.hockey.results import RESULT_CODES
from nhl_lake.queries.game import GameSummary
from nhl_lake.queries.leaders import Choice, Leaders
from nhl_lake.queries.player import PlayerSummary
from nhl_lake.queries.predictions import FEATURE_COLUMNS, PREDICTION_COLUMNS, UpcomingPredictions
from nhl_lake.queries.team import TeamSummary
from nhl_lake.schema.table import Table

MAX_PREDICTION_AGE = timedelta(hours=36)  # a daily run that was late is no reason to warn
BARS, MAX_BARS = "▁▂▃▄▅▆▇█", 65  # with the letters and the sum they fit 80 columns
COLUMN_TITLES = {
    "rank": "#", "player_id": "id", "team_abbrev": "team", "position": "pos", "games": "GP", "goals": "G",
    "assists": "A", "points": "P", "shots_on_goal": "SOG", "shots_per_game": "SOG a game", "saves": "SV",
    "shots_against": "SA", "goals_against": "GA", "save_share": "SV %", "wins": "W", "losses": "L",
    "overtime_losses": "OTL", "ties": "T", "time_on_ice_s": "TOI", "time_on_ice_per_game_s": "TOI a game",
    "game_date": "date", "game_id": "game", "game_type": "type", "power_play_goals": "PPG", "power_play": "PP",
    "power_play_opportunities": "PP", "power_play_share": "PP %", "xg": "xG", "xg_against": "xGA", "xg_share": "xG%",
    "on_ice_xg_share": "xG%", "goals_saved_above_expected": "GSAx", "goals_above_expected": "G-xG",
}  # fmt: skip
TEXT_COLUMNS = (
    "month", "score", "PP", "id", "team", "player", "decision", "date", "game", "opponent", "result", "season", "type",
    "teams", "pos",
)  # fmt: skip


def format_minutes(seconds: int | None) -> str | None:
    """Return seconds as minutes and seconds."""
    return None if seconds is None else f"{seconds // 60}:{seconds % 60:02d}"


def format_period(number: int, kind: str) -> str:
    """Return the name of a period: 1, 2, 3, OT, 2OT, SO."""
    if kind in ("REG", "SO"):
        return str(number) if kind == "REG" else "SO"
    return "OT" if number == 4 else f"{number - 3}OT"


def format_game_time(row: dict[str, Any]) -> str:
    """Return the period and the time played in it; a dash if unknown."""
    return f"{format_period(row['period'], row['period_type'])} {format_minutes(row['period_seconds']) or '-'}"


def show_grid(
    headings: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Sequence[str] = (),
    optional: Sequence[str] = (),
) -> None:
    """Print a grid; leave out optional columns, in their order, until it fits the screen.

    If it still does not fit, each item of a list in the last column gets a line.
    """
    out = make_console()
    shown = list(headings)
    texts = [dict(zip(headings, map(format_text, row), strict=True)) for row in rows]
    widths = {name: frames.measure(name, (row[name] for row in texts)) for name in shown}

    def is_too_wide() -> bool:
        return sum(widths[name] for name in shown) + frames.GAP * (len(shown) - 1) > out.width

    for name in optional:
        if name in shown and is_too_wide():
            shown.remove(name)
    if texts and is_too_wide():
        for row in texts:
            row[shown[-1]] = row[shown[-1]].replace(", ", ",\n")
    lines = [[Text(row[name]) for name in shown] for row in texts]  # with their line breaks
    out.print(make_grid(shown, lines, right=right, colored=["result"]))


def show_lines(rows: pl.DataFrame, optional: Sequence[str] = ()) -> None:
    """Print rows of players or games, with the usual headings (G, A, SOG)."""
    names = [COLUMN_TITLES.get(name, name) for name in rows.columns]
    lines = [
        tuple(format_cell(name, value) for name, value in zip(rows.columns, row, strict=True))
        for row in rows.iter_rows()
    ]
    right = [name for name in names if name not in TEXT_COLUMNS]
    show_grid(names, lines, right=right, optional=[COLUMN_TITLES.get(name, name) for name in optional])


def format_percent(share: float) -> str:
    """Return a share as percent."""
    return f"{100 * share:.1f}"


CELL_FORMATS: Mapping[str, Callable[[Any], str | None]] = {
    "time_on_ice_s": lambda value: format_minutes(round(value)),
    "time_on_ice_per_game_s": lambda value: format_minutes(round(value)),
    "season": format_season,
    "game_type": lambda value: GAME_TYPES.get(value, str(value)),
    "power_play_share": format_percent,
    "xg_share": format_percent,
    "on_ice_xg_share": format_percent,
    "goals_saved_above_expected": lambda value: f"{value:+.2f}",
    "goals_above_expected": lambda value: f"{value:+.2f}",
}


def format_cell(name: str, value: Any) -> object:  # noqa: ANN401 - whatever a column holds
    """Return a value as text: ids without separators, seasons as 2023-24, times as minutes and seconds."""
    if value is None:
        return None
    if name in CELL_FORMATS:
        return CELL_FORMATS[name](value)
    if isinstance(value, float):
        return f"{value:.3f}" if name.endswith("_share") else f"{value:.2f}"
    return str(value) if name in {"game_id", "player_id", "game_date"} else value


def show_game(found: GameSummary) -> None:
    """Print a game on one screen."""
    game, out = found.game, make_console()
    away, home = game["away_team_abbrev"], game["home_team_abbrev"]
    out.print(f"{away} at {home}, {format_eastern_time(game['start_at'])}, game {game['game_id']}", style="bold")
    if game["game_state"] not in FINAL_STATES:
        out.print(f"Not final: {game['game_state']}, {game['schedule_state']}.")
        return
    beyond = "" if game["last_period_type"] == "REG" else f" ({game['last_period_type']})"
    out.print(f"Final{beyond}: {away} {game['away_score']}, {home} {game['home_score']}\n", style="bold")
    if found.goals.is_empty() and found.periods.is_empty():
        out.print("Its plays are not in the lake; `nhl-lake status` shows what is missing.")
    else:
        show_plays(found, (away, home))
    for title, rows in (("Goalies", found.goalies), ("Leaders, xG% at 5on5", found.leaders)):
        if rows.height:
            out.print(f"\n{title}", style="bold")
            show_lines(rows)


def show_plays(found: GameSummary, teams: Sequence[str]) -> None:
    """Print goals, shots and xG by period, then goals and penalties."""
    for what, title in (("goals", "Goals"), ("shots_on_goal", "Shots"), ("xg", "xG")):
        if found.periods[what].is_not_null().any():
            show_periods(found.periods, what, title, teams)
    show_running_xg(found.running_xg, teams)
    goals = [
        (
            format_game_time(row),
            row["team"],
            f"{row['away']}-{row['home']}",
            row["strength"],
            format_cell("xg", row["xg"]),
            row["scorer"],
            row["assists"],
        )
        for row in found.goals.iter_rows(named=True)
    ]
    make_console().print()
    heads = ["goal", "team", f"{teams[0]}-{teams[1]}", "strength", "xG", "scorer", "assists"]
    show_grid(heads, goals, right=["xG"], optional=["xG"])
    called = [
        (format_game_time(row), row["team"], row["minutes"], row["player"], row["what"])
        for row in found.penalties.iter_rows(named=True)
    ]
    if called:
        make_console().print()
        show_grid(["penalty", "team", "min", "player", "for"], called, right=["min"])


def show_running_xg(running: pl.DataFrame, teams: Sequence[str]) -> None:
    """Print the running xG of both teams as bars, one character a minute; nothing where the terminal cannot.

    teams: the letters of away and home.
    """
    if running.is_empty() or not is_unicode_output():
        return
    step = 1 + (running.height - 1) // MAX_BARS
    ends = running.filter((pl.col("minute") % step == 0) | (pl.col("minute") == running.height))
    most = max(ends["away"][-1], ends["home"][-1])
    out = make_console()
    out.print(f"\nRunning xG, a bar every {'minute' if step == 1 else f'{step} minutes'}")
    for team, side in zip(teams, ("away", "home"), strict=True):
        bars = "".join(BARS[min(int(value / most * len(BARS)), len(BARS) - 1)] for value in ends[side])
        out.print(f"{team:3}  {bars}  {ends[side][-1]:.2f}")


def show_periods(periods: pl.DataFrame, what: str, title: str, teams: Sequence[str]) -> None:
    """Print a count or a sum of both teams by period, always with the three periods of regulation."""
    last = max(3, *periods["period"].to_list())
    count = {(team, period): n for team, period, n in periods.select("team", "period", what).iter_rows()}
    numbers = range(1, last + 1)
    rows = []
    for team in teams:
        by_period = [count.get((team, number)) or 0 for number in numbers]
        rows.append((team, *(format_cell(what, n) for n in (*by_period, sum(by_period)))))
    names = [format_period(number, "REG" if number < 4 else "OT") for number in numbers]
    make_console().print(make_grid([title, *names, "all"], rows, right=[*names, "all"]))


def show_player(found: PlayerSummary) -> None:
    """Print a player: name, position and team, last games, seasons."""
    out, player = make_console(), found.player
    team = player["current_team_abbrev"] or "no team"
    name = format_player_name(player["first_name"], player["last_name"])
    about = f"{name}, {player['position'] or '–'}, {team}, {player['player_id']}"
    out.print(about, style="bold")
    if found.games.is_empty():
        out.print("The lake has no games of this player.")
        return
    at_5on5 = " (xG% at 5on5)" if "on_ice_xg_share" in found.games.columns else ""
    out.print(f"\nLast games, newest first{at_5on5}", style="bold")
    show_lines(found.games, optional=["game_id"])
    out.print("\nSeasons, by the games in the lake", style="bold")
    show_lines(found.seasons, optional=["time_on_ice_per_game_s"])
    show_above_expected(found.above_expected)


def show_above_expected(rows: pl.DataFrame) -> None:
    """Print goals above expected by season, with what is likely the player's own, and the effect on xG at 5on5."""
    if rows.is_empty():
        return
    what = "Goals" if "effect" in rows.columns else "Goals saved"
    make_console().print(f"\n{what} above expected, regular season, with 80 % intervals", style="bold")
    heads = ["season", "goals", "likely own", "80 %"]
    effects = ["5on5 xG/60", "its 80 %"] if "effect" in rows.columns else []
    lines = [
        (
            format_season(row["season"]), format_signed(row["above"], 1), format_signed(row["shrunk"], 1),
            format_interval(row["low"], row["high"], 1),
            *([format_signed(row["effect"], 2), format_interval(row["effect_low"], row["effect_high"], 2)]
              if effects else []),
        )
        for row in rows.iter_rows(named=True)
    ]  # fmt: skip
    show_grid([*heads, *effects], lines, right=[*heads[1:], *effects], optional=["its 80 %", "80 %", "goals"])


def format_signed(value: float | None, decimals: int) -> str | None:
    """Return a number with its sign; a value that rounds to zero has none."""
    if value is None:
        return None
    rounded = round(value, decimals)
    return f"{rounded:+.{decimals}f}" if rounded else f"{0:.{decimals}f}"


def format_interval(low: float | None, high: float | None, decimals: int) -> str | None:
    """Return the ends of an interval."""
    return None if low is None or high is None else f"{format_signed(low, decimals)} to {format_signed(high, decimals)}"


def format_player_name(first: str | None, last: str | None) -> str:
    """Return the known parts of a player's name."""
    return " ".join(name for name in (first, last) if name) or "unknown name"


def show_team(found: TeamSummary) -> None:
    """Print a team: its months, its last games."""
    about = f"Regular season {format_season(found.season)}, by the games in the lake (xG% at 5on5)"
    make_console().print(about, style="bold")
    has_ties = found.months["ties"].sum() > 0
    show_lines(found.months if has_ties else found.months.drop("ties"))  # none since 2005
    make_console().print("\nLast games, newest first", style="bold")
    show_lines(found.games)


def show_leaders(found: Leaders, choice: Choice) -> None:
    """Print the leaders of a season."""
    out = make_console()
    about = [format_season(found.season), GAME_TYPES.get(choice.game_type, f"game type {choice.game_type}")]
    about += [found.situation] if found.situation != ALL_SITUATIONS else []
    about += [f"at least {found.min_games} games"] if found.min_games > 1 else []
    column = next(column for column in found.table.columns if column.name == found.column)
    out.print(f"{column.name}, {', '.join(about)}", style="bold", soft_wrap=False)
    out.print(f"{column.description}{f', in {column.unit}' if column.unit else ''}.", soft_wrap=False)
    if found.rows.is_empty():
        out.print(found.reason, soft_wrap=False)
        return
    ranked = found.rows.with_row_index("rank", 1)
    names = [name for name in ranked.columns if name not in {found.column, "player_id"}]
    names.insert(names.index("team_abbrev") + 1, found.column)
    others = [name for name in reversed(names) if name not in {"rank", "player", "team_abbrev", found.column}]
    show_lines(ranked.select([*names, "player_id"]), optional=["player_id", *others])


def show_tables(tables: Sequence[Table], sizes: Mapping[Table, Mapping[str, int]]) -> None:
    """Print tables: of each its rows, its size on disk, and what one row is."""
    rows = [
        (
            table.name,
            sizes[table]["rows"] if table in sizes else None,
            format_size(sizes[table]["bytes"]) if table in sizes else None,
            table.grain,
        )
        for table in tables
    ]
    heads = ["table", "rows", "on disk", "one row is"]
    make_console().print(make_grid(heads, rows, right=heads[1:3], unbroken=heads[:3]))


def show_columns(table: Table) -> None:
    """Print a table's columns with their types, units and meanings."""
    out = make_console()
    out.print(table.name, style="bold")
    out.print(f"One row is {table.grain}. Key: {', '.join(table.key)}.", soft_wrap=False)
    if table.inputs:
        out.print(f"Built from {', '.join(read.name for read in table.inputs)}.", soft_wrap=False)
    rows = [
        (
            column.name,
            str(column.dtype).partition("(")[0].lower() + (f", {column.unit}" if column.unit else ""),
            column.description
            + (f": {', '.join(column.values)}" if column.values else "")
            + (" (null: unknown)" if column.nullable else ""),
        )
        for column in table.columns
    ]
    out.print()
    out.print(make_grid(["column", "type, unit", "meaning"], rows, unbroken=["column", "type, unit"]))


def show_player_choices(people: pl.DataFrame) -> None:
    """Print the players to choose from."""
    rows = people.select("player_id", "first_name", "last_name", "position", "current_team_abbrev", "birth_date")
    lines = [(str(row[0]), format_player_name(row[1], row[2]), *row[3:]) for row in rows.iter_rows()]
    make_console().print(make_grid(["id", "player", "position", "team", "born"], lines))


def show_upcoming(upcoming: pl.DataFrame) -> None:
    """Print upcoming games, day by day."""
    out = make_console()
    for (day,), games in upcoming.group_by("game_date", maintain_order=True):
        out.print(f"\n{day:%A %d %B %Y}", style="bold")
        rows = [
            line
            for game in games.iter_rows(named=True)
            for line in (
                (
                    format_eastern_time(game["start_at"])[-8:],
                    game["away_team_abbrev"],
                    format_win_probability(game, "away"),
                    *format_rest_and_form(game, "away"),
                    str(game["game_id"]),
                ),
                (
                    "",
                    f"at {game['home_team_abbrev']}",
                    format_win_probability(game, "home"),
                    *format_rest_and_form(game, "home"),
                    "",
                ),
            )
        ]
        heads = ["start", "team", "wins", "rest", "record", "last 10", "goals", "against", "xG%", "game"]
        show_grid(heads, rows, right=heads[2:9], optional=["against", "goals", "last 10", "xG%"])


def show_shooters(shooters: pl.DataFrame, predicted: UpcomingPredictions, games: int, now: datetime) -> None:
    """Print the skaters with the most predicted shots; without predictions, rank them by recent games."""
    out = make_console()
    if predicted.shooters.is_empty():
        out.print("\nShots on goal in these games are not predicted yet: run `nhl-lake predict`.")
        if shooters.height:
            out.print("By the last ten games of each player:")
            show_lines(shooters, optional=["player_id", "most"])
        return
    made_at: datetime = shooters["made_at"].max()  # type: ignore[assignment]
    out.print(f"\nPredicted shots on goal, {format_eastern_time(made_at)}", style="bold")
    oldest: datetime = shooters["made_at"].min()  # type: ignore[assignment]
    if now - oldest > MAX_PREDICTION_AGE:
        age = (now - oldest) / timedelta(hours=1)
        out.print(
            f"These predictions are up to {age:.0f} hours old, and do not know what was played since: "
            "run `nhl-lake ingest`, then `nhl-lake predict`."
        )
    names = ["game_date", "player", "team", "opponent", *PREDICTION_COLUMNS, *FEATURE_COLUMNS]
    lines = [tuple(format_prediction(name, row[name]) for name in names) for row in shooters.iter_rows(named=True)]
    heads = ["date", "player", "team", "opponent", "SOG", "over 2.5", "known from", "back-to-back", "last 10"]
    right = ["SOG", "over 2.5", "last 10"]
    show_grid(heads, lines, right=right, optional=["known from", "back-to-back", "date"])
    if predicted.unpredicted_games:
        out.print(f"No predictions for {predicted.unpredicted_games} of the {games} games: run `nhl-lake predict`.")


def format_prediction(name: str, value: Any) -> object:  # noqa: ANN401 - whatever a column holds
    """Return a value of a prediction as text."""
    if value is None:
        return None
    if name == "chance_over_2_5":
        return f"{value:.0%}"
    if name == "is_back_to_back":
        return "yes" if value else ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def format_win_probability(game: dict[str, Any], side: str) -> str | None:
    """Return the probability that a team wins; None without a prediction."""
    chance = game["home_win_probability"]
    return None if chance is None else f"{chance if side == 'home' else 1 - chance:.0%}"


def format_rest_and_form(game: dict[str, Any], side: str) -> tuple[object, ...]:
    """Return the cells for rest and form of a team; the share of xG is at 5on5."""
    form = {name: game[f"{side}_{name}"] for name in ("rest_days", *RESULT_CODES, "recent_wins")}
    goals, against = game[f"{side}_goals_per_game"], game[f"{side}_goals_against_per_game"]
    if form["wins"] is None:
        return form["rest_days"], None, None, None, None, None
    record = f"{form['wins']}-{form['losses']}-{form['overtime_losses']}" + (f"-{form['ties']}" if form["ties"] else "")
    return (
        form["rest_days"],
        record,
        f"{form['recent_wins']} of {game[f'{side}_recent_games']}",
        f"{goals:.2f}",
        f"{against:.2f}",
        format_cell("xg_share", game[f"{side}_xg_share"]),
    )
