"""The lake itself as a page: data through, incomplete pages, corrections of the week, predictions beside results."""

from collections.abc import Iterator, Sequence

import polars as pl
from markupsafe import Markup

from nhl_lake.hockey.ids import format_season
from nhl_lake.queries.status import SeasonStatus
from nhl_lake.reports.lake_status import StatusData
from nhl_lake.reports.page import ALONE, Place, render_page
from nhl_lake.reports.tables import NOWHERE, Source, TableColumn, render_table

MAX_CORRECTIONS = 200
SEASON_COLUMNS = (
    TableColumn("season", "Season"),
    TableColumn("first_game_date", "First game", kind="day"),
    TableColumn("complete_through", "Complete through", kind="day"),
    *(
        TableColumn(name, title, about, "count")
        for name, title, about in (
            ("complete", "Complete", "Games with every page"),
            ("partial", "Partial", "Not official yet, or without a page that the API does not have"),
            ("incomplete", "Incomplete", "Games with a page that failed or that fails a check"),
            ("pending", "Missing", "Played games that are missing"),
            ("not_requested", "Not requested", "Games before the first one that was requested"),
            ("upcoming", "To come", "Games to come"),
        )
    ),
)
REASON_COLUMNS = (
    TableColumn("season", "Season"),
    TableColumn("stands", "Status"),
    TableColumn("why", "Why"),
    TableColumn("games", "Games", kind="count"),
    TableColumn("newest", "Newest", "The newest of these games", kind="game"),
)
CORRECTION_COLUMNS = (
    TableColumn("seen", "Seen", "When the new version was fetched, in UTC"),
    TableColumn("game_date", "Game of", kind="day"),
    TableColumn("teams", "Game", kind="game", key="game_id"),
    TableColumn("table", "Table"),
    TableColumn("player_id", "Player id", kind="player"),
    TableColumn("event_id", "Event", "Number of the event on its page"),
    TableColumn("field", "Field"),
    TableColumn("was", "Was"),
    TableColumn("is", "Is"),
)
PREDICTION_COLUMNS = (
    TableColumn("game_date", "Date", kind="day"),
    TableColumn("teams", "Game", kind="game", key="game_id"),
    TableColumn("home_win_probability", "Home wins", "Probability that the home team wins, before the game", "percent"),
    TableColumn("winner", "Winner"),
    TableColumn("made", "Predicted", "When, in UTC"),
)
BAND_COLUMNS = (
    TableColumn("band_name", "Probability of a home win"),
    TableColumn("games", "Games", kind="count"),
    TableColumn("predicted", "Predicted", "Mean of the predictions", "percent", column=NOWHERE),
    TableColumn("won", "Came", "Share of home wins", "percent", column=NOWHERE),
)
TABLE_COLUMNS = (
    TableColumn("table", "Table"),
    TableColumn("rows", "Rows", kind="count"),
    TableColumn("megabytes", "MB", "Size on disk", "one"),
)


def render_status(data: StatusData, place: Place = ALONE) -> str:
    """Return the page on the lake as HTML."""
    status = data.status
    return render_page(
        "status.html.j2",
        place,
        title="Status of the lake",
        is_well=not status.problems,
        problems=status.problems,
        coverage=status.coverage,
        last_run=describe_last_run(data),
        unread=data.unread,
        tables=dict(render_tables(data, place)),
        correction_count=data.corrections.height,
        shown_corrections=min(data.corrections.height, MAX_CORRECTIONS),
    )


def describe_last_run(data: StatusData) -> str:
    """Return when the last run began and how it ended."""
    run = data.status.last_run
    return "" if run is None else f"{run['started_at']:%Y-%m-%d %H:%M} UTC: {run['outcome']}"


def render_tables(data: StatusData, place: Place) -> Iterator[tuple[str, Markup]]:
    """Yield the tables; one without rows is empty."""
    status = data.status
    parts: Sequence[tuple[str, pl.DataFrame, Sequence[TableColumn], str, Source | None]] = (
        ("seasons", frame_seasons(status.seasons), SEASON_COLUMNS, "Seasons", None),
        ("reasons", name_season(status.reasons), REASON_COLUMNS, "Why games are not complete", None),
        (
            "corrections", describe_corrections(data.corrections.head(MAX_CORRECTIONS)), CORRECTION_COLUMNS,
            "Corrections of the last seven days", None,
        ),
        (
            "predictions", describe_predictions(data.predictions), PREDICTION_COLUMNS, "Predictions beside results",
            Source("gold.game_predictions", "", ("game_id", "model", "made_at")),
        ),
        ("bands", describe_bands(data.bands), BAND_COLUMNS, "Predictions by probability", None),
        ("tables", data.tables.with_columns(megabytes=pl.col("bytes") / 1e6), TABLE_COLUMNS, "Tables", None),
    )  # fmt: skip
    for name, rows, columns, caption, source in parts:
        empty = rows.is_empty()
        yield name, Markup() if empty else render_table(rows, columns, caption=caption, source=source, link=place.link)


def frame_seasons(seasons: Sequence[SeasonStatus]) -> pl.DataFrame:
    """Return the seasons as rows."""
    dates = {"first_game_date", "complete_through"}
    schema = {name: pl.Date() if name in dates else pl.Int64() for name in SeasonStatus._fields}
    return name_season(pl.DataFrame(seasons, schema=schema, orient="row"))


def name_season(rows: pl.DataFrame) -> pl.DataFrame:
    """Write the season as people do: 2023-24."""
    return rows.with_columns(pl.col("season").map_elements(format_season, return_dtype=pl.String))


def describe_corrections(rows: pl.DataFrame) -> pl.DataFrame:
    """Add what a correction is in words: when it was seen, the teams."""
    teams = pl.format("{} at {}", "away_team_abbrev", "home_team_abbrev")
    return rows.with_columns(
        seen=pl.col("seen_at").dt.strftime("%Y-%m-%d %H:%M"), teams=teams.fill_null(pl.col("game_id").cast(pl.String))
    )


def describe_predictions(rows: pl.DataFrame) -> pl.DataFrame:
    """Add what a prediction is in words: the teams and the score, the winner, when it was made."""
    score = pl.format("{} {} – {} {}", "away_team_abbrev", "away_score", "home_score", "home_team_abbrev")
    winner = pl.when("is_home_win").then("home_team_abbrev").otherwise("away_team_abbrev")
    return rows.with_columns(teams=score, winner=winner, made=pl.col("made_at").dt.strftime("%Y-%m-%d %H:%M"))


def describe_bands(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the name of a band: 40 to 50%."""
    low = (100 * pl.col("band")).round(0).cast(pl.Int32)
    return rows.with_columns(band_name=pl.format("{} to {}%", low, low + 10))
