"""Every block of code in the documents runs as printed, on a lake of the sample league; their site builds.

A block that cannot run here says why in a comment above it (`<!-- not run: … -->`), and is parsed.
"""

import ast
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from nhl_lake import errors
from nhl_lake.errors import LakeError
from nhl_lake.queries import sql
from tests.support.commands import LEAGUE_NOW, CommandResult, get_clean_environment, make_environment
from tests.support.documents import BLOCKS, PAGES, REPOSITORY, Block, find_blocks
from tests.support.shell import Shell, start_shell

Cli = Callable[..., CommandResult]
LANGUAGES = {"sh", "sql", "python", "text", "toml", "yaml", "json"}
GENERATED = "docs/reference/commands.md"


@pytest.fixture(scope="module")
def shell() -> Iterator[Shell]:
    with start_shell() as found:
        yield found


def select(language: str, *, is_run: bool) -> list[Block]:
    return [block for block in BLOCKS if block.language == language and (block.reason is None) == is_run]


def write_script(page: str) -> str:
    """Return the blocks of a page that run, in order, as one script. In a tutorial, Python blocks are one program."""
    is_tutorial, parts, program = "/tutorials/" in page, [], ""
    for block in find_blocks(page):
        if block.reason is None and block.language == "sh":
            parts += [f"echo 'in {block}' >&2", block.text]
        elif block.reason is None and block.language == "python":
            program = f"{program}\n{block.text}" if is_tutorial else block.text
            parts += [] if is_tutorial else [f"echo 'in {block}' >&2", make_here_document(program)]
    return "\n".join([*parts, make_here_document(program)] if is_tutorial and program else parts)


def make_here_document(program: str) -> str:
    """Return the lines of a script that run a program in Python."""
    return f"python - <<'END OF BLOCK'\n{program}\nEND OF BLOCK"


@pytest.mark.parametrize("page", [page for page in PAGES if write_script(page)])
def test_the_blocks_of_a_page_run(shell: Shell, league_lake: Path, tmp_path: Path, page: str):
    lake = tmp_path / "data" / ("demo" if "/tutorials/" in page else "lake")
    shutil.copytree(league_lake, lake)
    settings = make_environment(lake, "league:", LEAGUE_NOW, {})

    ended = shell.run(write_script(page), tmp_path, {} if "/tutorials/" in page else settings)

    assert ended.returncode == 0, f"{ended.stdout[-2000:]}\n{ended.stderr[-4000:]}"


@pytest.mark.parametrize("block", select("sql", is_run=True), ids=str)
def test_a_question_has_an_answer(league_lake: Path, block: Block):
    rows = sql.collect_query(sql.run_query(league_lake, block.text))

    assert rows.height > 0
    assert not any(rows[name].is_null().all() for name in rows.columns)


@pytest.mark.parametrize("block", select("sh", is_run=False), ids=str)
def test_a_block_that_does_not_run_is_parsed(shell: Shell, tmp_path: Path, block: Block):
    checked = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert shell.parse(block.text, tmp_path) == []


def test_other_blocks_are_parsed():
    readers = {"python": ast.parse, "toml": tomllib.loads, "yaml": yaml.safe_load, "json": json.loads}
    for block in BLOCKS:
        assert block.language in LANGUAGES, f"{block} has no language: {sorted(LANGUAGES)}"
        if block.language in readers:
            readers[block.language](block.text)


def test_a_command_that_is_wrong_is_found(shell: Shell, tmp_path: Path):
    assert shell.run("nhl-lake ingest --nonsense", tmp_path, {}).returncode == 2
    assert shell.parse("cd nowhere; nothing | nhl-lake ingest \\\n  --nonsense\nnhl-lake status", tmp_path) == [
        "nhl-lake ingest --nonsense"
    ]
    assert shell.run("python - <<'END'\nraise SystemExit(open('no such file'))\nEND", tmp_path, {}).returncode != 0


def test_a_command_and_the_query_next_to_it_have_equal_answers(run_here: Cli, league_lake: Path):
    parts = PAGES["docs/how-to/questions.md"].split("\n## ")
    heading = {title: rest for title, _, rest in (part.partition("\n") for part in parts)}
    found_blocks = {
        title: [block.text for block in find_blocks("docs/how-to/questions.md") if block.text in heading[title]]
        for title in TITLES
    }
    words = [shlex.split(found_blocks[title][0])[1:] for title in TITLES]
    months, last, shooters = (run_here(*w, "--json", root=league_lake, now=LEAGUE_NOW).json for w in words)
    found = [sql.collect_query(sql.run_query(league_lake, found_blocks[title][-1])) for title in TITLES]

    assert [(m["power_play_goals"], m["power_play_opportunities"]) for m in months["months"]] == found[0].select(
        "goals", "chances"
    ).rows()
    assert [game["shots_on_goal"] for game in last["games"]] == found[1]["shots_on_goal"].to_list()
    assert [s["shots_per_game"] for s in shooters] == pytest.approx(found[2]["shots_per_game"].to_list())


@pytest.mark.parametrize(
    ("command", "kind", "keys"),
    [
        (command, kind, set(re.findall(r"`(\w+)`", keys)))
        for command, kind, keys in re.findall(
            r"^\| `([^`]+)` \| an? (object|list)[^|]* \| (.*) \|$", PAGES["docs/reference/json.md"], re.MULTILINE
        )
    ],
)
def test_json_has_the_documented_keys(
    run_here: Cli, league_lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, kind: str,
    keys: set[str],
):  # fmt: skip
    monkeypatch.chdir(tmp_path)
    printed = run_here(*shlex.split(command), "--json", root=league_lake, api="league:", now=LEAGUE_NOW).json

    assert isinstance(printed, list if kind == "list" else dict)
    assert set(printed[0] if kind == "list" else printed) == keys


def test_every_exit_code_of_an_error_is_documented():
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGES["docs/reference/exit-codes.md"], re.MULTILINE)}
    raised = {
        value.exit_code for value in vars(errors).values() if isinstance(value, type) and issubclass(value, LakeError)
    }
    assert codes == raised | {0, 3, 130}


TITLES = ("A team's power play by month", "A player's last ten games", "Tonight's best shooters")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the documents, as `make site` builds it."""
    pytest.importorskip("sphinx", reason="Sphinx is not installed: it is one of the development tools")
    folder = tmp_path_factory.mktemp("documents")
    line = re.search(r"-m (sphinx .*)", (REPOSITORY / "Makefile").read_text())
    assert line is not None
    words = line[1].replace("build/", f"{folder}/").split()
    ended = subprocess.run(
        [sys.executable, "-m", *words], cwd=REPOSITORY, env=get_clean_environment(), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return folder / "site"


def test_the_site_builds_without_warnings_and_asks_nothing_of_the_network(built: Path):
    pages = {path: path.read_text() for path in built.rglob("*.html")}
    assert len(pages) > 30
    for path, text in pages.items():
        asked = re.findall(r"<(?:script|img|link|iframe)\b[^>]*?(?:src|href)=\"((?:https?:)?//[^\"]*)\"", text)
        assert asked == [], path
    styles = "".join(path.read_text() for path in built.rglob("*.css"))
    assert not re.search(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", styles)


def test_programs_find_every_page_in_llms_txt(built: Path):
    listed = re.findall(r"\]\((_sources/[^)]*)\)", (built / "llms.txt").read_text())

    pages = {f"_sources/{name.removeprefix('docs/')}" for name in PAGES if name.startswith("docs/")}
    assert set(listed) == pages - {"_sources/index.md"}
    assert all((built / name).is_file() for name in listed)
    assert all(text in (built / "llms-full.txt").read_text() for name, text in PAGES.items() if name != "README.md")


def test_links_of_files_outside_the_site_lead_somewhere():
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", (REPOSITORY / name).read_text()):
            assert (REPOSITORY / target).exists(), f"{name}: {target}"
    names = re.compile(r"(?<![\w/-])(?<!, )docs/[\w/-]+\.(?:md|svg|ipynb|py)\b")
    for path in (*(REPOSITORY / "nhl_lake").rglob("*.py"), *(REPOSITORY / "tests").rglob("*.py")):
        for target in names.findall(path.read_text()):
            assert (REPOSITORY / target).exists(), f"{path}: {target}"


def test_every_page_begins_with_a_title_and_what_it_is_for():
    for name, text in PAGES.items():
        title, blank, first = text.split("\n", 3)[:3]
        assert title.startswith("# "), name
        assert blank == "", name
        assert re.match(r"[A-Z]", first), name
        assert Path(name).name.islower() or "/" not in name.removeprefix("docs/"), name
