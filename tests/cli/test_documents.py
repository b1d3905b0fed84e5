"""Every command, question and program that the documents print runs as printed, on the lake of the demo."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nhl_lake.queries import sql
from tests.support.commands import LEAGUE_NOW, CommandResult, get_clean_environment, make_environment

Cli = Callable[..., CommandResult]
REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = {name: (REPOSITORY / name).read_text() for name in ("README.md", "docs/QUESTIONS.md", "docs/MONEYPUCK.md")}
ASKING = ("sql", "game", "player", "leaders", "team", "upcoming", "export", "duckdb")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for page in PAGES.values() for kind, text in BLOCK.findall(page) if kind == language]


def commands() -> list[str]:
    """Return the commands that only read; # begins a comment."""
    lines = [line for text in blocks("") for line in text.splitlines() if line.startswith("nhl-lake ")]
    return [line for line in dict.fromkeys(lines) if shlex.split(line, comments=True)[1] in ASKING]


@pytest.mark.parametrize("line", commands())
def test_a_command_runs_as_printed(
    run_here: Cli, league_lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
):
    monkeypatch.chdir(tmp_path)
    ended = run_here(*shlex.split(line, comments=True)[1:], root=league_lake, api="league:", now=LEAGUE_NOW)

    assert ended.code == 0, ended.err
    assert len(ended.out.splitlines()) > 1


@pytest.mark.parametrize("question", blocks("sql"))
def test_a_question_has_an_answer(league_lake: Path, question: str):
    rows = sql.collect_query(sql.run_query(league_lake, question))

    assert rows.height > 0
    assert not any(rows[name].is_null().all() for name in rows.columns)


@pytest.mark.parametrize("program", [text for text in blocks("python") if "open_lake" in text])
def test_a_program_runs_as_printed(league_lake: Path, tmp_path: Path, program: str):
    if "nhl_lake import plot" in program:
        pytest.importorskip("altair", reason="Altair is not installed: pip install 'nhl-lake[plot]'")
    env = (
        get_clean_environment()
        | make_environment(league_lake, None, None, {})
        | {"PYTHONPATH": os.pathsep.join(sys.path)}
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], env=env, cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stderr


def test_a_command_and_the_query_next_to_it_have_equal_answers(run_here: Cli, league_lake: Path):
    heading = {
        title: rest for title, _, rest in (part.partition("\n") for part in PAGES["docs/QUESTIONS.md"].split("## "))
    }
    words = [shlex.split(BLOCK.findall(heading[title])[0][1])[1:] for title in TITLES]
    months, last, shooters = (run_here(*w, "--json", root=league_lake, now=LEAGUE_NOW).json for w in words)
    found = [sql.collect_query(sql.run_query(league_lake, BLOCK.findall(heading[title])[-1][1])) for title in TITLES]

    assert [(m["power_play_goals"], m["power_play_opportunities"]) for m in months["months"]] == found[0].select(
        "goals", "chances"
    ).rows()
    assert [game["shots_on_goal"] for game in last["games"]] == found[1]["shots_on_goal"].to_list()
    assert [s["shots_per_game"] for s in shooters] == pytest.approx(found[2]["shots_per_game"].to_list())


TITLES = ("A team's power play by month", "A player's last ten games", "Tonight's best shooters")


def test_the_documents_have_commands_queries_and_programs():
    assert min(len(commands()), len(blocks("sql")), len(blocks("python"))) > 0
    assert {shlex.split(line, comments=True)[1] for line in commands()} == set(ASKING)
