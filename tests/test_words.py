"""Words that the project avoids, with the ones to use instead: one name for one thing, in the field's words."""

import re
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
FORMER_NAMES = {  # files that name tables and columns of earlier releases
    "nhl_lake/maintenance/upgrade.py", "nhl_lake/schema/ledger.py", "tests/maintenance/test_old_lakes.py",
}  # fmt: skip
AVOIDED = {
    r"put(s|ting)? aside": "quarantine",
    r"foret(old|ell)": "predict",
    r"\bforecasts\b": "predictions",
    r"scoresheet": "game",
    r"\bslate\b": "upcoming games",
    r"\bkeeper": "writer",
    r"\b(he|his|him)\b": "they, their, the player",
    r"made again": "rebuilt",
    r"\bvault\b": "repository",
    r"\bdeeds\b": "individual events",
    r"\bregain": "restore",
    r"\bprecaution": "preflight",
    r"\brooms\b": "packages",
    r"nothing was changed": "No changes were made",
    r"defencem[ae]n\b": "defenseman",
    r"shoot-out": "shootout",
    r"team-mate": "teammate",
    r"\b(Asker|Manners|NotThere|Unfit)\b": "ClientConfig, RateLimit, PageNotFound, PageTooLarge",
    r"cannot be meant|is no setting|loses its way": "invalid",
    r"\bunshot": "goals_without_shot",
    r"tend the lake": "run maintenance",
}


def read_files() -> dict[str, str]:
    """Return the project's code and documents by name, also new ones; not the changelog, which tells of the past."""
    if not (PROJECT / ".git").exists():
        pytest.skip("no Git repository lists the files of the project")
    patterns = ["nhl_lake/*.py", "tests/*.py", "benchmarks/*.py", "docs/*.md", "README.md", "CONTRIBUTING.md"]
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    listed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    names = set(listed.stdout.split()) - FORMER_NAMES - {"tests/test_words.py"}
    return {name: (PROJECT / name).read_text() for name in sorted(names) if (PROJECT / name).exists()}


def test_a_new_file_is_read_before_git_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / "README.md").write_text("new")
    monkeypatch.setattr(f"{__name__}.PROJECT", tmp_path)

    assert read_files() == {"README.md": "new"}


def test_avoided_words_are_not_used():
    files = read_files()
    found = [
        f"{name}:{number}: {match[0]} (write: {instead})"
        for word, instead in AVOIDED.items()
        for name, text in files.items()
        for number, line in enumerate(text.splitlines(), 1)
        for match in re.finditer(word, line, re.IGNORECASE)
    ]
    assert found == []
