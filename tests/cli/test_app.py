"""The command line: help, errors in two lines, exit codes."""

import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import polars as pl
import pytest
import typer
from deltalake.exceptions import DeltaError
from typer.testing import CliRunner

from nhl_lake import catalog
from nhl_lake.bronze import endpoints
from nhl_lake.cli import docs, docs_commands
from nhl_lake.cli.app import app
from nhl_lake.cli.output import convert_to_ascii as look_alike
from nhl_lake.cli.storage_errors import translate_error
from nhl_lake.schema import ledger
from nhl_lake.store import delta_tables, locks
from tests.support.commands import CommandResult
from tests.support.fake_api import FakeApi, FakeGame, run_ingest

REPOSITORY = Path(__file__).resolve().parents[2]
NOW = "2026-04-01T13:00:00Z"
Cli = Callable[..., CommandResult]


def two_lines(ended: CommandResult, code: int = 1) -> tuple[str, str]:
    """Return the two lines of an error, and check that it is one."""
    lines = ended.err.splitlines()
    assert ended.code == code, ended.err
    assert len(lines) == 2, ended.err
    assert lines[0].startswith("Error: ")
    assert "Traceback" not in ended.err
    return lines[0].removeprefix("Error: "), lines[1].strip()


def digests(root: Path) -> dict[str, tuple[int, int]]:
    return {
        str(file.relative_to(root)): (file.stat().st_size, file.stat().st_mtime_ns)
        for file in sorted(root.rglob("*"))
        if file.is_file() and ".nhl-lake" not in file.parts
    }


@pytest.fixture(scope="module")
def league_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of three days of the sample league, made by the command line."""
    root = tmp_path_factory.mktemp("league") / "lake"
    environment = os.environ | {"NHL_LAKE_ROOT": str(root), "NHL_LAKE_API": "league:", "NHL_LAKE_NOW": NOW}
    subprocess.run(
        [sys.executable, "-m", "nhl_lake", "ingest", "--since", "2026-03-29", "-q"], env=environment, check=True
    )
    return root


@pytest.fixture
def answering() -> Iterator[Callable[[bytes], str]]:
    """Return a function that starts a server which answers everything with one body, and returns its address."""
    servers = []

    def serve(body: bytes) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_generated_pages_in_the_repository_are_current():
    for name, text in docs.render_pages(app).items():
        assert (REPOSITORY / "docs" / name).read_text() == text, f"{name}: make docs"


def test_every_command_explains_itself():
    pages = docs.render_pages(app)["reference/commands.md"]
    for command in (
        "ingest",
        "rebuild",
        "status",
        "tables",
        "show",
        "runs",
        "check",
        "settings",
        "demo",
        "league",
        "corrections",
        "trace",
    ):
        assert f"## nhl-lake {command}" in pages


PROGRAM = (
    "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count())); import nhl_lake.cli.app as c; c.main()"
)


def test_a_command_ends_without_a_last_garbage_collection():
    ended = subprocess.run([sys.executable, "-c", PROGRAM, "--help"], capture_output=True, text=True, check=True)

    assert int(ended.stdout.split()[-1]) > 10_000


def test_with_json_an_error_is_an_object(run_cli: Cli, tmp_path: Path):
    for words, code in ((["status"], 1), (["show", "nothing"], 2), (["status", "--lokback"], 2)):
        ended = run_cli(*words, "--json", root=tmp_path / "lake")
        assert (ended.code, ended.out) == (code, "")
        assert json.loads(ended.err).keys() == {"error", "hint"}


def test_the_root_option_stands_before_or_after_the_command(run_cli: Cli, league_lake: Path, tmp_path: Path):
    before = run_cli("--root", str(league_lake), "settings", "--json", root=tmp_path)
    after = run_cli("settings", "--json", "--root", str(league_lake), root=tmp_path)
    both = run_cli("--root", str(tmp_path), "runs", "-n", "1", f"--root={league_lake}", root=tmp_path)

    for ended in (before, after):
        assert {one["name"]: one["value"] for one in ended.json}["root"] == str(league_lake)
    assert both.code == 0, both.err


def test_with_wait_a_command_runs_when_the_lake_is_free(start_cli, league_lake: Path, tmp_path: Path):
    root = shutil.copytree(league_lake, tmp_path / "lake")
    with locks.hold_lock(root, "nhl-lake ingest", now=datetime(2026, 1, 1, tzinfo=UTC)):
        process = start_cli("maintain", "--dry-run", "--wait", "10m", root=root)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(8)  # without --wait, an error after five seconds
    process.communicate(timeout=60)

    assert process.returncode == 0


HEAVY_MODULES = ("polars", "deltalake", "httpx", "obstore", "nhl_lake.catalog", "nhl_lake.settings")


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (["--help"], {}),
        (["-h"], {}),
        (["--version"], {}),
        (["ingest", "--help"], {}),
        (["sql", "-h"], {}),
        (["backup", "create", "-h"], {}),
        ([], {"_NHL_LAKE_COMPLETE": "complete_bash", "COMP_WORDS": "nhl-lake bac", "COMP_CWORD": "1"}),
        ([], {"_NHL_LAKE_COMPLETE": "complete_bash", "COMP_WORDS": "nhl-lake ingest --loo", "COMP_CWORD": "2"}),
    ],
)
def test_help_version_and_completion_load_no_engine(words: list[str], environment: dict[str, str], tmp_path: Path):
    code = "import sys, nhl_lake.cli.app as c\ntry: c.main()\n"
    code += f"finally: print([m for m in {HEAVY_MODULES} if m in sys.modules], file=sys.stderr)"
    command, variables = [sys.executable, "-c", code, *words], os.environ | environment
    ended = subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == "[]\n"
    if environment:
        assert ended.stdout.split() == (["backup"] if "bac" in environment["COMP_WORDS"] else ["--lookback"])


def test_every_description_of_the_root_help_fits_in_a_line_of_80_columns():
    ended = CliRunner(env={"COLUMNS": "80"}).invoke(app, ["--help"])
    panels = ended.output[ended.output.index("Get data") :].splitlines()

    assert not [line for line in panels if line.startswith("│  ")]


def test_every_command_has_a_panel_and_every_leaf_has_examples_and_json():
    for words, _ in docs_commands.list_commands(typer.main.get_command(app)):
        help_text = CliRunner(env={"COLUMNS": "80"}).invoke(app, [*words, "--help"]).output
        assert "Examples:" in help_text or "COMMAND" in help_text, words
        assert "--json" in help_text or "COMMAND" in help_text, words
    assert "─ Commands ─" not in CliRunner().invoke(app, ["--help"]).output


@pytest.mark.parametrize(
    ("words", "what", "hint", "code"),
    [
        (["show", "gold.skatergame"], "no table 'gold.skatergame'", "gold.skater_game", 2),
        (["show", "gold.skater_game"], "not in the lake", "nhl-lake ingest", 1),
        (["status"], "no lake at", "nhl-lake ingest", 1),
        (["runs"], "no lake at", "nhl-lake ingest", 1),
        (["check"], "no lake at", "nhl-lake ingest", 1),
        (["rebuild"], "no lake at", "nhl-lake ingest", 1),
        (["rebuild", "bronze.schedule"], "not built from other tables", "silver and gold", 2),
        (["ingest", "--since", "yesterday"], "--since yesterday is not a day", "--since 2023-10-01", 2),
        (["ingest", "--since", "2026-04-02"], "in the future", "--since 2023-10-01", 2),
        (["ingest", "--season", "23"], "--season 23 is not a season", "--season 2023", 2),
        (["ingest", "--season", "20232025"], "is not a season", "--season 2023", 2),
        (["ingest", "--lookback", "-1"], "from 0 to 36,525", "`nhl-lake ingest --help`", 2),
        (["ingest", "--season", "2031"], "no season 2031-32", "--season 2023", 2),
        (["ingets"], "No such command 'ingets'. Did you mean 'ingest'", "`nhl-lake --help`", 2),
        (["ingest", "--lokback", "1"], "No such option: --lokback", "`nhl-lake ingest --help`", 2),
        (["ingest", "--lookback", "one"], "Invalid value for '--lookback'", "`nhl-lake ingest --help`", 2),
        (["backup", "mkae"], "No such command 'mkae'", "`nhl-lake backup --help`", 2),
        (["export", "silver.games"], "Missing option '--to'", "`nhl-lake export --help`", 2),
        (["models", "backtest", "goals", "--season", "2023"], "Unknown model: goals", "nhl-lake models list", 2),
    ],
)
def test_a_wrong_command_or_option_is_named_with_a_hint(
    run_cli: Cli, tmp_path: Path, words: list[str], what: str, hint: str, code: int
):
    first, second = two_lines(run_cli(*words, root=tmp_path / "lake", api="league:", now=NOW), code)

    assert what in first
    assert hint in second
    assert not list(tmp_path.glob("lake/bronze/*"))


@pytest.mark.parametrize("name", ["lake #1", "a%20b", "what?", "lake[1]", "season=2023", "tab\there", "line\nbreak"])
def test_a_folder_name_that_the_engine_misreads_is_rejected_before_anything_is_written(
    run_cli: Cli, tmp_path: Path, name: str
):
    first, _ = two_lines(run_cli("ingest", root=tmp_path / name, api="league:", now=NOW), 2)

    assert "Invalid setting: NHL_LAKE_ROOT" in first
    assert not (tmp_path / name).exists()


def test_no_network_is_an_error_and_does_not_change_the_lake(run_cli: Cli, tmp_path: Path):
    root = tmp_path / "lake"
    run_ingest(root, FakeApi([FakeGame(1)]))
    before = {t.name: delta_tables.open_table(root, t).version() for t in endpoints.TABLES}
    first, second = two_lines(run_cli("ingest", root=root, api="http://127.0.0.1:9", now=NOW))

    assert "127.0.0.1 cannot be reached" in first
    assert "No changes were made" in second
    assert {t.name: delta_tables.open_table(root, t).version() for t in endpoints.TABLES} == before


def test_an_api_with_invalid_pages_is_an_error_and_creates_no_lake(
    run_cli: Cli, tmp_path: Path, answering: Callable[[bytes], str]
):
    base = answering(b"<html>down for maintenance</html>")
    ended = run_cli("ingest", root=tmp_path / "lake", api=base, now=NOW)
    first, _ = two_lines(CommandResult(ended.code, ended.out, last_error(ended.err)))

    assert "schedule cannot be read" in first
    assert "down for maintenance" in first
    assert not list(tmp_path.glob("lake/bronze/*"))


@pytest.mark.parametrize("damage", ["cut", "garbage", "gone", "meta_gone"])
def test_an_unreadable_lake_is_an_error_and_nothing_is_requested(run_cli: Cli, tmp_path: Path, damage: str):
    root = tmp_path / "lake"
    run_ingest(root, FakeApi([FakeGame(1)]))
    log = root / "bronze" / "play_by_play" / "_delta_log"
    last = sorted(log.glob("*.json"))[-1]
    if damage == "cut":
        last.write_text(last.read_text()[:50])
    elif damage == "garbage":
        last.write_text("no json at all")
    elif damage == "gone":
        for file in log.iterdir():
            file.unlink()
    else:
        for file in (root / "lake" / "meta").rglob("*"):
            if file.is_file():
                file.unlink()
    before = digests(root)

    # nothing listens at this address: a request would end with another error
    for command in (["ingest"], ["ingest", "--dry-run"], ["status"]):
        first, second = two_lines(run_cli(*command, root=root, api="http://127.0.0.1:9", now=NOW))
        assert "cannot be read" in first
        assert "backup" in second or "nhl-lake doctor" in second
    assert digests(root) == before


def test_pages_of_another_league_are_rejected(run_cli: Cli, tmp_path: Path):
    root = tmp_path / "lake"
    run_ingest(root, FakeApi([FakeGame(1)]))
    before = digests(root)

    for command in (["ingest"], ["ingest", "--dry-run"], ["demo", "--root", str(root)]):
        first, second = two_lines(run_cli(*command, root=root, api="league:", now=NOW), 2)
        assert "holds pages of the NHL, not of the sample league" in first
        assert "NHL_LAKE_ROOT" in second
    assert digests(root) == before


def test_a_missing_bronze_table_is_an_error(run_cli: Cli, tmp_path: Path):
    root = tmp_path / "lake"
    run_ingest(root, FakeApi([FakeGame(1)]), rebuilds=True)
    shutil.rmtree(root / "bronze" / "play_by_play")

    for command in (["rebuild"], ["rebuild", "--all"], ["check"]):
        first, second = two_lines(run_cli(*command, root=root, now=NOW))
        assert "bronze.play_by_play is missing from the lake" in first
        assert "nhl-lake restore --from-backup" in second


def test_a_rebuild_lists_what_it_rebuilt_as_json_and_an_error_as_well(run_cli: Cli, tmp_path: Path):
    root = tmp_path / "lake"
    run_ingest(root, FakeApi([FakeGame(1)]))

    first, second = (run_cli("rebuild", "silver.games", "--json", root=root, now=NOW).json for _ in range(2))
    failed = run_cli("rebuild", "silver.gmaes", "--json", root=root, now=NOW)

    assert [(one["table"], one["season"], one["rows"]) for one in first] == [("silver.games", 20252026, 1)]
    assert second == []
    assert (failed.code, failed.out) == (2, "")
    assert json.loads(failed.err)["hint"] == "Did you mean 'silver.games'?"


@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_a_damaged_data_file_is_an_error_of_two_lines(run_cli: Cli, tmp_path: Path, damage: str):
    root = tmp_path / "lake"
    run_ingest(root, FakeApi([FakeGame(1)]))
    (file,) = (root / "bronze" / "play_by_play").rglob("part-*.parquet")
    file.unlink() if damage == "gone" else os.truncate(file, 1000)

    ended = run_cli("rebuild", root=root, now=NOW)
    first, second = two_lines(CommandResult(ended.code, ended.out, last_error(ended.err)))
    assert "missing or damaged" in first
    assert "backup" in second


def test_a_root_that_is_a_file_is_an_error(run_cli: Cli, tmp_path: Path):
    (tmp_path / "file").write_text("not a lake")
    for command in ("ingest", "status"):
        first, _ = two_lines(run_cli(command, root=tmp_path / "file", api="league:", now=NOW), 2)
        assert "this is a file" in first


def test_a_setting_with_a_typing_error_is_named(run_cli: Cli, tmp_path: Path):
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "nhl-lake.toml").write_text("concurency = 2")
    first, second = two_lines(run_cli("settings", root=tmp_path / "lake"), 2)

    assert "concurency" in first
    assert "concurrency" in second


def test_a_lake_of_a_newer_program_is_rejected(run_cli: Cli, tmp_path: Path):
    root = tmp_path / "lake"
    run_ingest(root, FakeApi([FakeGame(1)]))
    row = {
        "layout": ledger.LAYOUT_VERSION + 1,
        "source": "NHL",
        "made_by": "9.9.9",
        "made_at": datetime(2030, 1, 1, tzinfo=UTC),
    }
    delta_tables.append_to_ledger(root, ledger.META, pl.DataFrame([row], schema=ledger.META.schema))
    before = digests(root)

    for command in ("ingest", "status", "rebuild", "tables"):
        first, second = two_lines(run_cli(command, root=root, api="league:", now=NOW))
        assert "nhl-lake 9.9.9: newer than this program" in first
        assert "pip install --upgrade" in second
    assert digests(root) == before


def test_a_full_disk_is_an_error_and_nothing_is_lost(tmp_path: Path, league_lake: Path, run_cli: Cli):
    root = tmp_path / "lake"
    subprocess.run(["cp", "-r", str(league_lake), str(root)], check=True)
    before = {
        t.name: set(delta_tables.scan_table(root, t).select(t.key).collect().iter_rows()) for t in endpoints.TABLES
    }
    environment = os.environ | {"NHL_LAKE_ROOT": str(root), "NHL_LAKE_API": "league:", "NHL_LAKE_NOW": NOW}

    def little_room() -> None:
        # no file may grow beyond 20 KB: like a full disk, in the middle of a write
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    process = subprocess.run(
        [sys.executable, "-m", "nhl_lake", "ingest", "--since", "2026-03-25"],
        env=environment,
        preexec_fn=little_room,
        capture_output=True,
        text=True,
        check=False,
    )

    first, second = two_lines(CommandResult(process.returncode, process.stdout, last_error(process.stderr)))
    assert "may not grow" in first or "disk is full" in first
    assert "Nothing was lost" in second
    for table in endpoints.TABLES:
        assert set(delta_tables.scan_table(root, table).select(table.key).collect().iter_rows()) >= before[table.name]
    assert run_cli("ingest", "--since", "2026-03-25", root=root, api="league:", now=NOW).code == 0


def last_error(err: str) -> str:
    """Return the error without the progress lines before it."""
    return err[err.index("Error: ") :]


def test_an_interrupted_run_stores_the_pages_so_far_and_exits_with_130(
    start_cli: Callable[..., subprocess.Popen[str]], tmp_path: Path, league_lake: Path
):
    root = tmp_path / "lake"
    process = start_cli("ingest", root=root, api="league:", now=NOW)
    boxscores = root / "bronze" / "boxscore" / "season=20252026"
    for _ in range(1200):
        if boxscores.exists() or process.poll() is not None:
            break
        threading.Event().wait(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)

    assert process.returncode == 130, err
    assert "the next run goes on from there" in out
    assert delta_tables.scan_table(root, endpoints.BOXSCORE).collect().height > 0
    assert delta_tables.scan_table(root, ledger.RUNS).collect()["outcome"].to_list() == ["stopped"]


@pytest.mark.parametrize("encoding", ["ascii", pytest.param("cp1252", marks=pytest.mark.soak)])
def test_characters_that_a_terminal_cannot_write_are_replaced(encoding: str, league_lake: Path):
    root = league_lake.parent / f"Noirlacombière {encoding} ō"
    shutil.copytree(league_lake, root)
    environment = os.environ | {"NHL_LAKE_ROOT": str(root), "NHL_LAKE_NOW": NOW, "PYTHONIOENCODING": encoding}

    def out(*words: str, code: int = 0) -> str:
        command = [sys.executable, "-m", "nhl_lake", *words]
        ended = subprocess.run(command, env=environment, capture_output=True, check=False)
        assert ended.returncode == code, ended.stderr
        assert b"Traceback" not in ended.stderr
        return (ended.stdout + ended.stderr).decode(encoding)

    game = str(delta_tables.scan_table(root, catalog.find_table("silver.plays")).collect()["game_id"][0])
    assert "Goals" in out("game", game)
    assert "data from" in out("status")
    assert "s3://" in out("settings")
    assert "'Loxyz'" in out("player", "Łōxyz", code=2)
    assert out("show", "silver.players")
    assert out("--help")
    people = json.loads(out("show", "silver.players", "--json"))
    names = set(delta_tables.scan_table(root, catalog.find_table("silver.players")).collect()["last_name"])
    assert {person["last_name"] for person in people} <= names


def test_a_replacement_looks_like_its_character():
    assert "".join(map(look_alike, "Noirlacombière – Łukasz … ┌─┬─┐ │ 氷")) == "Noirlacombiere - Lukasz ... +-+-+ | ?"


def test_a_disk_without_hard_links_is_an_error_that_says_so(
    run_here: Callable[..., CommandResult], tmp_path: Path, monkeypatch
):
    def fail_to_link(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", fail_to_link)
    ended = run_here("ingest", "-q", root=tmp_path / "lake", api="league:", now=NOW)

    assert ended.code == 2
    assert "has no hard links" in ended.err
    assert not list(tmp_path.rglob("*.json*link*"))


@pytest.mark.parametrize("number", [1, 38, 95])
def test_a_commit_that_needs_a_hard_link_says_so(number: int):
    engine = DeltaError(
        "Kernel error: Generic LocalFileSystem error: Unable to copy file from /m/_delta_log/0.json#1 to "
        f"/m/_delta_log/0.json: Operation not permitted (os error {number})"
    )

    assert "has no hard links" in translate_error(engine, str(engine)).message
    denied = PermissionError(13, "Permission denied", "/m")
    assert "has no hard links" not in translate_error(denied, str(denied)).message


def test_json_is_json_and_nothing_else(run_cli: Cli, league_lake: Path):
    summary = run_cli("ingest", "--since", "2026-03-29", "--json", root=league_lake, api="league:", now=NOW)
    assert summary.json["outcome"] == "done"
    assert summary.err == ""
    for command in (["status", "--json"], ["runs", "--json"], ["show", "silver.games", "--json"]):
        assert json.loads(run_cli(*command, root=league_lake, now=NOW).out)
    plan = run_cli("ingest", "--since", "2026-03-29", "--dry-run", "--json", root=league_lake, api="league:", now=NOW)
    assert isinstance(plan.json, list)


def test_quiet_prints_nothing(run_cli: Cli, league_lake: Path):
    ended = run_cli("ingest", "--since", "2026-03-29", "--quiet", root=league_lake, api="league:", now=NOW)

    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_a_dry_run_stores_nothing_and_prints_the_cost(run_cli: Cli, tmp_path: Path, league_lake: Path):
    before = digests(league_lake)
    ended = run_cli("ingest", "--since", "2026-03-20", "--dry-run", root=league_lake, api="league:", now=NOW, rate=4)

    assert ended.code == 0
    assert "minutes at 4 a second" in ended.out
    assert "gold.skater_game" in ended.out
    assert "missing" in ended.out
    assert digests(league_lake) == before
    empty = run_cli(
        "ingest", "--since", "2026-03-30", "--dry-run", "-v", root=tmp_path / "none", api="league:", now=NOW
    )
    assert "2025021" in empty.out
    assert not (tmp_path / "none" / "bronze").exists()


def test_show_filters_with_sql_and_names_an_invalid_condition(run_cli: Cli, league_lake: Path):
    ended = run_cli("show", "silver.games", "--where", "game_type = 2", "--json", "-n", "3", root=league_lake)
    assert {game["game_type"] for game in ended.json} == {2}
    first, _ = two_lines(run_cli("show", "silver.games", "--where", "no_such = 2", root=league_lake), 2)
    assert "no_such" in first


def test_tables_lists_every_table(run_cli: Cli, league_lake: Path):
    out = run_cli("tables", root=league_lake).out

    assert all(table.name in out for table in catalog.TABLES)


def test_check_finds_no_error_in_the_sample_league(run_cli: Cli, league_lake: Path):
    assert run_cli("check", root=league_lake).code == 0


def test_the_version_is_printed():
    assert CliRunner().invoke(app, ["--version"]).output.startswith("nhl-lake 0.")


def test_help_shows_brackets_as_they_are():
    ended = CliRunner(env={"COLUMNS": "120"}).invoke(app, ["models", "fit", "--help"])

    assert "nhl-lake[predict]" in ended.output
    assert "nhl-lake[predict]" in docs_commands.render_commands_page(app, "")
