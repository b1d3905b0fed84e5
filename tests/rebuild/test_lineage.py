"""What a table is built from: code and models."""

from pathlib import Path

import pytest

from nhl_lake.rebuild import lineage

FILES = (
    "silver/plays.py",
    "gold/shots.py",
    "gold/xg_nhl.json",
    "hockey/rink.py",
    "schema/columns.py",
    "bronze/lenient.py",
)


@pytest.mark.parametrize("changed", FILES)
def test_a_change_of_code_or_of_a_shipped_model_changes_the_hash(
    changed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(lineage, "__file__", str(tmp_path / "rebuild" / "lineage.py"))
    before = lineage.hash_code()

    (tmp_path / changed).write_text("another")

    assert lineage.hash_code() != before
