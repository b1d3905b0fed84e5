"""Bronze only grows: whatever commands run in whatever order, no row is lost or changed."""

import json
import random
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import typer

from nhl_lake import catalog
from nhl_lake.bronze import endpoints
from nhl_lake.cli import app
from nhl_lake.ingest import client
from nhl_lake.ingest.client import RateLimit
from nhl_lake.schema import ledger
from tests.support import lakes

START = datetime(2023, 10, 11, 12, tzinfo=UTC)

# every command and ways to call it, some of them wrong; each run chooses new values for <>
CALLS = {
    "ingest": [
        [],
        ["--lookback", "<days>"],
        ["--lookback", "-1"],
        ["--since", "2023-10-01"],
        ["--since", "2031-10-01"],
        ["--since", "soon"],
        ["--season", "2023"],
        ["--season", "1890"],
        ["--game-type", "3"],
        ["--dry-run"],
        ["--dry-run", "--verbose", "--json"],
        ["--no-rebuild", "--quiet"],
    ],
    "rebuild": [[], ["--all"], ["--season", "2023"], ["gold.skater_game", "--all"], ["bronze.players"], ["<table>"]],
    "corrections": [[], ["--since", "30d", "--json"], ["--since", "soon"]],
    "trace": [["2023020001"], ["2023020058", "--player", "8480113", "--json"], ["1"]],
    "status": [[], ["--json"]],
    "tables": [[]],
    "show": [
        ["<table>"],
        ["<table>", "--limit", "3", "--json"],
        ["<table>", "--where", "season = 1"],
        ["bronze.nothing"],
    ],
    "runs": [[], ["--json"]],
    "check": [[]],
    "settings": [[]],
    "maintain": [
        [],
        ["--dry-run", "--json"],
        ["--keep-days", "7"],
        ["silver", "gold", "--keep-days", "7"],
        ["nothing"],
    ],
    "upgrade": [[], ["--json"]],
    "backup": [["create"], ["create", "-q"], ["list"], ["verify", "--deep"], ["prune", "--keep-daily", "1"], ["drill"]],
    # a restore over a good lake needs --yes; there is no prompt here
    "restore": [
        ["--from-backup"],
        ["--from-backup", "--table", "bronze.play_by_play", "--yes"],
        ["gold.skater_game", "--to-version", "0", "--yes"],
        ["bronze.play_by_play", "--to-version", "0", "--yes"],
    ],
    "doctor": [[], ["--deep", "--mend"], ["--mend", "--drop-missing-pages"]],
    "predict": [[]],
    "models": [["list"], ["backtest", "sog", "--season", "2023"]],
    "sql": [["select count(*) from <table>"], ["drop table bronze.schedule"], ["delete from bronze.schedule"]],
    "export": [["<table>", "--to", "<file>.csv"]],
    "duckdb": [["<file>.duckdb"]],
    "game": [["2023020001"]],
    "player": [["kucherov"], ["nobody at all"]],
    "team": [["TBL"]],
    "upcoming": [[], ["--shooters", "5"]],
    "leaders": [[], ["--by", "hits", "--position", "D"]],
    "schedule": [["show"]],
    "report": [
        ["game", "2023020001", "--to", "<file>.html"],
        ["player", "kucherov", "--to", "<file>.html"],
        ["team", "TBL", "--to", "<file>.html"],
        ["day", "--to", "<file>.html"],
        ["league", "--to", "<file>.html"],
    ],
    "site": [["build", "--to", "<file>", "--quiet", "--jobs", "1"]],
    "publish": [["--to", "<file>", "--silver"]],
    "import": [["moneypuck", "<file>.csv"], ["predecessor", "<file>"]],
    "compare": [["moneypuck", "<file>.csv"]],
}
ELSEWHERE = {"demo", "docs", "serve", "league"}  # these do not open the user's lake, or run until they are stopped


def read_stored_rows(root):
    """Every row of the tables that only grow, and the keys of those that are merged."""
    found = {}
    for table in (*endpoints.TABLES, *ledger.TABLES):
        if not (lakes.locate_table(root, table) / "_delta_log").exists():
            found[table.name] = set()
        elif table is ledger.RUNS:
            found[table.name] = set(lakes.read_rows(root, table)["run_id"])
        elif table.is_append_only:
            found[table.name] = lakes.read_row_set(root, table)
        else:
            found[table.name] = set(lakes.read_rows(root, table).select(table.key).rows())
    return found


def commits(root, table):
    """Return the actions of each commit in a table's log, by kind."""
    logs = sorted((lakes.locate_table(root, table) / "_delta_log").glob("*.json"))
    return [[json.loads(line) for line in log.read_text().splitlines()] for log in logs]


def is_rearranged(commit):
    """Whether a commit removes files only to move their rows into others; delta-rs marks such files."""
    (operation,) = (action["commitInfo"]["operation"] for action in commit if "commitInfo" in action)
    changes = [action[kind]["dataChange"] for action in commit for kind in ("add", "remove") if kind in action]
    return operation == "OPTIMIZE" and not any(changes)


def filled(rng, words, folder):
    drawn = {
        "<days>": str(rng.randint(0, 400)),
        "<table>": rng.choice(catalog.TABLES).name,
        "<file>": str(folder / str(rng.random())),
    }
    for name, value in drawn.items():
        words = [word.replace(name, value) for word in words]
    return words


def shaken(rng, server, now):
    """Change the API's answers: other recordings, faults, a clock that moves forward or back."""
    now += timedelta(hours=rng.choice([-30, 1, 24, 24, 24, 24 * 20]))
    server.args.as_of = now + timedelta(hours=rng.choice([-48, 0, 0, 0]))
    server.pages.capture = rng.choice([None, 1, 2])
    server.args.fail = rng.choice([0, 0, 0.2])
    return now


def test_every_command_is_called_by_these_tests():
    commands = set(typer.main.get_command(app.app).commands)

    assert commands - ELSEWHERE == CALLS.keys()


@pytest.mark.parametrize(
    ("seed", "commands", "calls_each"), [(1, 12, 1), pytest.param(2, len(CALLS), 100, marks=pytest.mark.soak)]
)
def test_bronze_only_grows_with_any_commands_in_any_order(
    seed, commands, calls_each, archive, replay, run_here, tmp_path, monkeypatch
):
    monkeypatch.setattr(client, "RateLimit", partial(RateLimit, first_backoff_s=0.01))
    rng = random.Random(seed)
    games = {2023020001, 2023020002, 2023020058, 2023020065, 2023020066, 2023020185, 2023020204}
    server = replay(games=games, as_of=START, seed=seed)
    root, now = tmp_path / "lake", START
    some = {
        name: rng.sample(ways, min(len(ways), calls_each)) for name, ways in rng.sample(sorted(CALLS.items()), commands)
    }
    calls = [(name, words) for name, ways in some.items() for words in ways]
    calls += [("ingest", ["--season", "2023", "--lookback", "4000"])] * 6  # other captures of the same games come in
    rng.shuffle(calls)
    before = read_stored_rows(root)
    codes = []
    for name, words in calls:
        server.dies_after = len(server.served) + rng.randint(5, 60) if rng.random() < 0.1 else None
        command = [name, *filled(rng, words, tmp_path)]
        codes.append(run_here(*command, root=root, api=server.base_url, now=now, backups=tmp_path / "backups").code)
        after = read_stored_rows(root)
        for table, rows in before.items():
            assert rows <= after[table], (command, table)
        before = after
        now = shaken(rng, server, now)

    assert {0, 1} <= set(codes)
    assert len(before["bronze.play_by_play"]) > len(games)  # the recordings went back and forth
    for table in (*endpoints.TABLES, *ledger.TABLES):
        found = commits(root, table)
        assert sum("metaData" in action for commit in found for action in commit) == 1, table.name
        if table.is_append_only:
            for commit in found:
                assert is_rearranged(commit) or not any("remove" in action for action in commit), table.name
