"""The command line: every command, by panel. A command parses its options, calls one function and prints.

The modules of commands load Polars, deltalake and httpx inside the functions, so that `--help`, `--version` and shell
completion start fast.
"""

import gc
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from nhl_lake.cli import (
    backup,
    check,
    demo,
    errors,
    export,
    imports,
    ingest,
    maintain,
    predict,
    publish,
    query,
    rebuild,
    repair,
    report,
    schedule,
    show,
    site,
    status,
    xg,
)
from nhl_lake.cli.commands import (
    ASK,
    GET_DATA,
    OPERATE,
    PREDICT,
    PROTECT,
    Config,
    GlobalOptions,
    LogFormat,
    Root,
    Wait,
    add_command,
    make_group,
)
from nhl_lake.cli.output import install_error_handler, print_text

ABOUT = "Your own NHL lakehouse in a folder: raw pages, clean tables, answers."

app = make_group(ABOUT, completion=True)


def print_version(value: bool) -> None:
    """Print the version and exit."""
    if value:
        print_text(f"nhl-lake {version('nhl-lake')}")
        raise typer.Exit


@app.callback()
def set_global_options(
    context: typer.Context,
    root: Root = None,
    config: Config = None,
    wait: Wait = None,
    log_format: LogFormat = None,
    _: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Keep the options that stand before the command."""
    context.obj = GlobalOptions(root, wait, config, log_format)


def write_docs(folder: Annotated[Path, typer.Argument(help="Folder to write to.")] = Path("docs")) -> None:
    """Write the generated pages of the documents, and the manual page."""
    from nhl_lake.cli import docs, manual

    for name, text in docs.render_pages(app).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "nhl-lake.1").write_text(manual.render_manual(app))


add_command(
    app,
    ingest.ingest,
    "ingest",
    panel=GET_DATA,
    examples=(
        "nhl-lake ingest                      # the current season",
        "nhl-lake ingest --lookback 1         # and yesterday's games again: for cron",
        "nhl-lake ingest --since 2023-10-01",
        "nhl-lake ingest --season 2022 --season 2023",
        "nhl-lake ingest --dry-run",
        "nhl-lake ingest --lookback 1 --quiet --log-format json --ping https://hc-ping.com/ID",
    ),
)
add_command(
    app,
    rebuild.rebuild,
    "rebuild",
    panel=GET_DATA,
    examples=(
        "nhl-lake rebuild                     # what changed",
        "nhl-lake rebuild --all --memory 2GB",
        "nhl-lake rebuild gold.skater_game --season 2023",
        "nhl-lake rebuild --as-known-at 2026-01-05 --to then",
    ),
)
add_command(
    app,
    demo.demo,
    "demo",
    panel=GET_DATA,
    examples=("nhl-lake demo", "nhl-lake demo    # again: one more day of games"),
)
add_command(
    app,
    imports.import_command,
    "import",
    panel=GET_DATA,
    examples=(
        "nhl-lake import moneypuck skaters.csv teams.csv",
        "nhl-lake import moneypuck skaters.csv --playoffs",
        "nhl-lake import predecessor bronze_games_historical_v2/",
    ),
)
league = make_group("Run the sample league: invented teams, players and games")
add_command(
    league,
    demo.serve,
    "serve",
    examples=("nhl-lake league serve --port 8090", "NHL_LAKE_API=http://127.0.0.1:8090 nhl-lake ingest"),
)
app.add_typer(league, name="league", rich_help_panel=GET_DATA)

add_command(app, query.game_command, "game", panel=ASK, examples=("nhl-lake game 2023020001",))
add_command(
    app,
    query.player_command,
    "player",
    panel=ASK,
    examples=("nhl-lake player mcdavid", "nhl-lake player 8478402 -n 5"),
)
add_command(
    app, query.team_command, "team", panel=ASK, examples=("nhl-lake team TOR", "nhl-lake team TOR --season 2023")
)
add_command(
    app,
    query.leaders_command,
    "leaders",
    panel=ASK,
    examples=(
        "nhl-lake leaders --by goals --position D",
        "nhl-lake leaders --by save_share --season 2023",
        "nhl-lake leaders --by on_ice_attempt_share --situation 5on5 --team TOR",
    ),
)
add_command(
    app,
    query.upcoming,
    "upcoming",
    panel=ASK,
    examples=("nhl-lake upcoming", "nhl-lake upcoming --days 0 --shooters 15"),
)
add_command(
    app,
    query.sql_command,
    "sql",
    panel=ASK,
    examples=(
        "nhl-lake sql \"select player, goals from gold.skater_season where situation = '5on4' and is_total\"",
        "nhl-lake sql -f query.sql --format csv",
        'nhl-lake sql "select * from silver.games" -o games.csv',
    ),
)
add_command(
    app,
    show.show,
    "show",
    panel=ASK,
    examples=(
        "nhl-lake show gold.skater_game --where \"game_date >= '2026-03-30' and goals >= 3\"",
        "nhl-lake show gold.line_season --columns first_player,second_player,third_player,on_ice_goal_share",
    ),
)
add_command(app, show.tables, "tables", panel=ASK, examples=("nhl-lake tables", "nhl-lake tables gold.skater_game"))
add_command(
    app,
    check.corrections,
    "corrections",
    panel=ASK,
    examples=("nhl-lake corrections --since 30d", "nhl-lake corrections --since 2023-10-01 --game 2023020001"),
)
add_command(
    app,
    check.trace,
    "trace",
    panel=ASK,
    examples=("nhl-lake trace 2023020001", "nhl-lake trace 2023020001 --player 8478010"),
)
add_command(
    app,
    export.export,
    "export",
    panel=ASK,
    examples=(
        "nhl-lake export gold.skater_season -o skaters.xlsx",
        "nhl-lake export silver.plays --season 2023 -o plays/",
        "nhl-lake export --names moneypuck -o moneypuck/ --format csv",
    ),
)
add_command(
    app,
    imports.compare_command,
    "compare",
    panel=ASK,
    examples=("nhl-lake compare moneypuck teams.csv", "nhl-lake compare moneypuck skater.csv --all"),
)
reports = make_group("Write a report with pictures, as one HTML file")
add_command(
    reports,
    report.game,
    "game",
    examples=("nhl-lake report game 2023020001", "nhl-lake report game last TOR --open"),
)
add_command(
    reports,
    report.player,
    "player",
    examples=("nhl-lake report player mcdavid --open", "nhl-lake report player 8478402 --season 2023"),
)
add_command(reports, report.team, "team", examples=("nhl-lake report team TOR --open",))
add_command(
    reports,
    report.day,
    "day",
    examples=("nhl-lake report day            # last night and tonight", "nhl-lake report day 2024-02-22"),
)
add_command(reports, report.league, "league", examples=("nhl-lake report league --season 2023",))
app.add_typer(reports, name="report", rich_help_panel=ASK)
sites = make_group("Build or serve a site of the whole lake")
add_command(
    sites,
    site.build,
    "build",
    examples=("nhl-lake site build --to site", "nhl-lake site build --to site --season 2023"),
)
add_command(sites, site.serve, "serve", examples=("nhl-lake site serve", "nhl-lake site serve --port 0 --season 2023"))
app.add_typer(sites, name="site", rich_help_panel=ASK)
add_command(
    app,
    publish.publish,
    "publish",
    panel=ASK,
    examples=("nhl-lake publish --to public", "nhl-lake publish --to s3://bucket/nhl --silver --season 2023"),
)
add_command(app, export.duckdb, "duckdb", panel=ASK, examples=("nhl-lake duckdb lake.duckdb",))

add_command(
    app, predict.predict, "predict", panel=PREDICT, examples=("nhl-lake predict", "nhl-lake predict -n 50 --json")
)
models = make_group("List, show, fit, compare and backtest the models")
add_command(models, predict.list_models, "list", examples=("nhl-lake models list",))
add_command(models, xg.show, "show", examples=("nhl-lake models show xg", "nhl-lake models show xg --season 2023"))
add_command(models, xg.fit, "fit", examples=("nhl-lake models fit xg", "nhl-lake models fit xg --season 2022"))
add_command(
    models, xg.compare, "compare", examples=("nhl-lake models compare", "nhl-lake models compare --season 2024")
)
add_command(models, predict.backtest, "backtest", examples=("nhl-lake models backtest sog --season 2023",))
app.add_typer(models, name="models", rich_help_panel=PREDICT)

backups = make_group("Create, list, verify, prune and rehearse backups")
add_command(
    backups,
    backup.create,
    "create",
    examples=("nhl-lake backup create", "nhl-lake backup create -o s3://bucket/backups"),
)
add_command(backups, backup.list_backups, "list", examples=("nhl-lake backup list",))
add_command(backups, backup.verify, "verify", examples=("nhl-lake backup verify", "nhl-lake backup verify --deep"))
add_command(
    backups,
    backup.prune,
    "prune",
    examples=("nhl-lake backup prune --dry-run", "nhl-lake backup prune --keep-daily 7 --keep-weekly 4"),
)
add_command(backups, backup.drill, "drill", examples=("nhl-lake backup drill",))
app.add_typer(backups, name="backup", rich_help_panel=PROTECT)
add_command(
    app,
    repair.restore,
    "restore",
    panel=PROTECT,
    examples=(
        "nhl-lake restore --from-backup",
        "nhl-lake restore --from-backup --table silver.plays",
        "nhl-lake restore --from-backup --from https://host/backups",
        "nhl-lake restore gold.skater_game --as-of 2d",
    ),
)
add_command(app, repair.doctor, "doctor", panel=PROTECT, examples=("nhl-lake doctor", "nhl-lake doctor --deep --mend"))
add_command(app, check.check, "check", panel=PROTECT, examples=("nhl-lake check",))

add_command(
    app,
    status.status,
    "status",
    panel=OPERATE,
    examples=(
        "nhl-lake status",
        "nhl-lake status --check --max-age 36h",
        "nhl-lake status --prometheus /var/lib/node_exporter/nhl_lake.prom",
    ),
)
add_command(app, status.runs, "runs", panel=OPERATE, examples=("nhl-lake runs -n 5",))
add_command(app, status.settings, "settings", panel=OPERATE, examples=("nhl-lake settings",))
daily = make_group("Install, show or remove the daily run")
add_command(
    daily,
    schedule.install,
    "install",
    examples=("nhl-lake schedule install --at 09:00", "nhl-lake schedule install --backup --maintain --ping URL"),
)
add_command(daily, schedule.show, "show", examples=("nhl-lake schedule show",))
add_command(daily, schedule.remove, "remove", examples=("nhl-lake schedule remove",))
app.add_typer(daily, name="schedule", rich_help_panel=OPERATE)
add_command(
    app,
    maintain.maintain,
    "maintain",
    panel=OPERATE,
    examples=("nhl-lake maintain --dry-run",),
)
add_command(app, maintain.upgrade, "upgrade", panel=OPERATE, examples=("nhl-lake upgrade",))
add_command(app, write_docs, "docs", hidden=True)


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    install_error_handler()
    try:
        with errors.hide_engine_output():
            code = errors.run_command(lambda: app(prog_name="nhl-lake", standalone_mode=False))
        sys.exit(code)
    finally:
        gc.freeze()  # skips a last collection over everything that was imported: a seventh of a second
