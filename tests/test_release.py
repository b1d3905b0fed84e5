"""What is released: the package's files, its version, the manual page, and the files for CI and containers."""

import fnmatch
import re
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from nhl_lake.cli import manual
from nhl_lake.cli.app import app
from nhl_lake.settings import ENV_PREFIX, Settings

REPOSITORY = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
GITHUB = REPOSITORY / ".github"
WORKFLOWS = sorted([*(GITHUB / "workflows").glob("*.yml"), GITHUB / "nightly-lake.yml"])
PIN = re.compile(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def test_wheel_has_every_file_of_the_package():
    package = REPOSITORY / "nhl_lake"
    globs = PROJECT["tool"]["setuptools"]["package-data"]["nhl_lake"]
    files = [file for file in package.rglob("*") if file.is_file() and file.suffix not in {".py", ".pyc"}]

    assert files
    assert [f for f in files if not any(fnmatch.fnmatch(str(f.relative_to(package)), glob) for glob in globs)] == []


def test_version_is_the_same_everywhere():
    number = PROJECT["project"]["version"]

    assert version("nhl-lake") == number
    assert str(yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())["version"]) == number


def test_pythons_that_are_tried_are_those_that_are_named():
    tried = yaml.safe_load((GITHUB / "workflows/ci.yml").read_text())["jobs"]["wheel"]["strategy"]["matrix"]["python"]
    prefix = "Programming Language :: Python :: 3."
    named = [text.rpartition(" ")[2] for text in PROJECT["project"]["classifiers"] if text.startswith(prefix)]

    assert tried == named
    assert PROJECT["project"]["requires-python"] == f">={tried[0]}"


def test_manual_page_is_current():
    assert (REPOSITORY / "docs/nhl-lake.1").read_text() == manual.render_manual(app)


def test_manual_page_has_requests_of_ours_alone():
    requests = {line.split()[0] for line in manual.render_manual(app).splitlines() if line.startswith((".", "'"))}

    assert requests == {".TH", ".SH", ".SS", ".TP", ".PP", ".B", ".EX", ".EE"}


@pytest.mark.parametrize(
    ("text", "quoted"), [(".so /etc/passwd", "\\&.so /etc/passwd"), ("'x", "\\&'x"), ("a\\fB-b", "a\\efB\\-b")]
)
def test_text_in_the_manual_page_is_no_request(text: str, quoted: str):
    assert manual.quote(text) == quoted


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_workflow_is_pinned_and_may_do_little(file: Path):
    text = file.read_text()
    uses = [line.partition("uses: ")[2] for line in text.splitlines() if "uses: " in line]
    workflow = yaml.safe_load(text)

    assert uses
    assert [line for line in uses if not PIN.fullmatch(line)] == []
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= (360 if file.name == "soak.yml" else 90)
        assert set(job["permissions"]) <= {"contents", "id-token", "attestations"}
        assert job["permissions"].get("contents", "read") == "read"
        # what is put into a script could be a script
        assert [step["run"] for step in job["steps"] if "${{" in step.get("run", "")] == []


def test_pre_commit_runs_what_make_check_runs():
    makefile = (REPOSITORY / "Makefile").read_text().replace("$(BIN)", ".venv/bin")
    check = re.search(r"^check:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert check is not None
    hooks = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]

    before_commits = [hook["entry"] for hook in hooks if "stages" not in hook]

    assert before_commits == [line.strip() for line in check[1].splitlines() if "$(MAKE)" not in line]


def test_container_is_built_from_files_that_are_there():
    text = (REPOSITORY / "docker/Dockerfile").read_text()
    allowed = [line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [
        source
        for line in text.splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
        if not source.startswith("--")
    ]

    assert copied
    assert [name for name in copied if not (REPOSITORY / name).exists() or name not in allowed] == []
    for name in set(re.findall(rf"{ENV_PREFIX}([A-Z_]+)", text + (REPOSITORY / "docker/compose.yml").read_text())):
        assert name.lower() in Settings.model_fields


@pytest.mark.parametrize("script", ["docker/entrypoint", ".ci/run", ".ci/try-wheel"])
def test_script_is_valid_shell(script: str):
    shell = (REPOSITORY / script).read_text().splitlines()[0].rpartition("/")[2].removeprefix("env ")

    subprocess.run([shell, "-n", str(REPOSITORY / script)], check=True)
