"""A day as a page: last night's games in small, tonight's games with form, rest and likely shooters."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl
from markupsafe import Markup

from nhl_lake.hockey.calendar import EASTERN
from nhl_lake.reports.charts.small_flow import draw_small_flow
from nhl_lake.reports.colors import MatchColors, pick_team_colors
from nhl_lake.reports.day import DayData
from nhl_lake.reports.page import ALONE, Place, render_page
from nhl_lake.reports.tables import NO_VALUE, NOWHERE, TableColumn, render_table

SIDES = ("away", "home")
PREDICTED_COLUMNS = (
    TableColumn("player", "Player", kind="player", key="player_id"),
    TableColumn("predicted_shots_on_goal", "SOG", "Predicted shots on goal", "two", column=NOWHERE),
    TableColumn("chance_over_2_5", "3+ SOG", "Probability of three or more", "percent"),
)
RECENT_COLUMNS = (
    TableColumn("player", "Player", kind="player", key="player_id"),
    TableColumn("shots_per_game", "SOG/GP", "Shots on goal a game, over the last ten games", "two", column=NOWHERE),
    TableColumn("games", "GP", "Games of the last ten in the lake", "count"),
    TableColumn("most", "Most", "Most shots on goal in one of them", "count"),
)
OTHER_COLUMNS = (
    TableColumn("time", "ET", "Start in New York"),
    TableColumn("away_team_abbrev", "Away", kind="team"),
    TableColumn("home_team_abbrev", "Home", kind="team"),
    TableColumn("state", "State"),
)
STATES = {"PPD": "postponed", "CNCL": "cancelled", "SUSP": "suspended", "GONE": "not played", "TBD": "time open"}


class Score(NamedTuple):
    """A game that is over, in small."""

    game: dict[str, Any]
    ending: str  # final, OT, SO
    flow: Markup  # empty without xG
    prediction: str
    colors: MatchColors


class Coming(NamedTuple):
    """A game to come."""

    title: str
    game: dict[str, Any]
    form: Markup
    shooters: list[Markup]  # a table for each team


def render_days(days: Sequence[DayData], place: Place = ALONE, *, title: str = "") -> str:
    """Return one or more days as an HTML page: the last games and the next, or a day of its own."""
    last = days[-1]
    return render_page(
        "day.html.j2",
        place,
        title=title or f"Games of {last.day}",
        days=[
            {
                "day": one.day,
                "name": f"{one.day:%A %d %B %Y}",
                "scores": list(list_scores(one)),
                "coming": list(list_coming(one, place)),
                "other": render_others(one, place),
                "has_games": bool(one.results.height or one.upcoming.height or one.other.height),
                "has_predicted_shots": one.has_predicted_shots,
            }
            for one in days
        ],
        previous_day=days[0].previous_day,
        next_day=last.next_day,
        sides=SIDES,
    )


def list_scores(data: DayData) -> Iterator[Score]:
    """Yield the games that are over."""
    flows = data.flow.partition_by("game_id", as_dict=True, include_key=False)
    for game in data.results.iter_rows(named=True):
        letters = (str(game["home_team_abbrev"]), str(game["away_team_abbrev"]))
        flow = flows.get((game["game_id"],))
        has_xg = flow is not None and flow["home_xg_so_far"].is_not_null().any()
        beyond = game["last_period_type"]
        yield Score(
            game
            | {f"{side}_shown_xg": format_xg(game[f"{side}_xg"]) for side in SIDES}
            | {f"{side}_score": NO_VALUE for side in SIDES if game[f"{side}_score"] is None},
            "Final" if beyond in (None, "REG") else f"Final ({beyond})",
            draw_small_flow(flow, letters) if flow is not None and has_xg else Markup(),
            describe_prediction(game),
            pick_team_colors(*letters),
        )


def format_xg(xg: float | None) -> str:
    """Return expected goals with two decimals."""
    return NO_VALUE if xg is None else f"{xg:.2f}"


def describe_prediction(game: dict[str, Any]) -> str:
    """Return what was predicted beside what came; without a stored prediction, what earlier games say."""
    stored, modeled = game["predicted_home_win_probability"], game["home_win_probability"]
    chance = modeled if stored is None else stored
    home, away = game["home_score"], game["away_score"]
    if chance is None or home is None or away is None or home == away:
        return ""
    is_home = home > away
    winner = game["home_team_abbrev"] if is_home else game["away_team_abbrev"]
    share = chance if is_home else 1 - chance
    shown = f"{100 * share:.0f}%"
    return f"{winner} won; chance {shown} {'by the prediction' if stored is not None else 'by earlier games'}"


def list_coming(data: DayData, place: Place) -> Iterator[Coming]:
    """Yield the games to come, with form and likely shooters."""
    columns = PREDICTED_COLUMNS if data.has_predicted_shots else RECENT_COLUMNS
    for game in data.upcoming.iter_rows(named=True):
        teams = [str(game[f"{side}_team_abbrev"]) for side in SIDES]
        title = " at ".join(teams)
        named = (
            TableColumn("measure", "Form"),
            *(TableColumn(side, team) for side, team in zip(SIDES, teams, strict=True)),
        )
        form = render_table(describe_form(game), named, caption=f"Form, {title}")
        own = data.shooters.filter(pl.col("game_id") == game["game_id"])
        by_team = [own.filter(pl.col("team") == team) for team in teams]
        shooters = [
            render_table(rows, columns, caption=f"Shooters of {team}", link=place.link, shows_caption=True)
            for team, rows in zip(teams, by_team, strict=True)
            if rows.height
        ]
        yield Coming(f"{title}, {format_start(game)}", game, form, shooters)


def format_start(game: dict[str, Any]) -> str:
    """Return when a game starts in New York."""
    start: datetime = game["start_at"]
    return f"{start.astimezone(EASTERN):%H:%M} ET" if game["schedule_state"] == "OK" else "time open"


def describe_form(game: dict[str, Any]) -> pl.DataFrame:
    """Return what is known of both teams before a game: one row per measure, a column per side."""
    sides = [list_form(game, side) for side in SIDES]
    rows = [(label, *(side[label] for side in sides)) for label in sides[0]]
    return pl.DataFrame(rows, schema=dict.fromkeys(("measure", *SIDES), pl.String), orient="row")


def list_form(game: dict[str, Any], side: str) -> dict[str, str | None]:
    """Return the form of one team in words, by measure; None if it is unknown."""
    own = {name.removeprefix(f"{side}_"): value for name, value in game.items() if name.startswith(f"{side}_")}
    chance, share = game["home_win_probability"], own["xg_share"]
    if chance is not None and side == "away":
        chance = 1 - chance
    record = [own[name] for name in ("wins", "losses", "overtime_losses")]
    return {
        "Chance to win, as predicted last": None if chance is None else f"{100 * chance:.0f}%",
        "Record in the lake": None if None in record else "–".join(map(str, record)),
        "Won of the last ten": None
        if own["recent_games"] is None
        else f"{own['recent_wins']} of {own['recent_games']}",
        "Days of rest": None if own["rest_days"] is None else str(own["rest_days"]),
        "Goals a game": format_mean(own["goals_per_game"]),
        "Goals against a game": format_mean(own["goals_against_per_game"]),
        "Share of xG at 5 on 5": None if share is None else f"{100 * share:.1f}%",
    }


def format_mean(value: float | None) -> str | None:
    """Return a mean with two decimals."""
    return None if value is None else f"{value:.2f}"


def render_others(data: DayData, place: Place) -> Markup:
    """Return the games that are neither over nor to come."""
    if data.other.is_empty():
        return Markup()
    start = pl.col("start_at").dt.convert_time_zone(EASTERN.key).dt.strftime("%H:%M")
    state = pl.col("schedule_state").replace_strict(STATES, default=pl.lit("under way"), return_dtype=pl.String)
    rows = data.other.with_columns(time=start, state=state)
    return render_table(rows, OTHER_COLUMNS, caption="Other games", link=place.link)
