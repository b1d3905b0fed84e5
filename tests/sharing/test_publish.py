"""A publication has the rows of the lake, for any reader; only what changed is written, and the manifest last."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import nhl_lake
from nhl_lake import catalog
from nhl_lake.errors import BadInput, LakeLocked
from nhl_lake.sharing import landing, manifest, publish
from nhl_lake.sharing.manifest import Publication, locate_file
from nhl_lake.store import delta_tables, location
from nhl_lake.store.location import Location
from tests.support.backups import NOW, copy_lake, days_later
from tests.support.commands import CommandResult
from tests.support.web_hosts import WebHost, serve_folder

Run = Callable[..., CommandResult]
TABLES = [table for table in catalog.BUILT_TABLES if table.name not in {"gold.sog_predictions"}]


def publish_here(root: Path, target: Location, now: datetime = NOW, **options: Any) -> publish.PublishSummary:
    """Publish silver and gold."""
    options = {"tables": catalog.BUILT_TABLES, "seasons": (), **options}
    tables = options.pop("tables")
    return publish.publish_tables(root, target, tables, now=now, command="nhl-lake publish", **options)


@pytest.fixture(scope="module")
def published(league_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A publication of silver and gold of the sample league. Do not change it."""
    folder = tmp_path_factory.mktemp("published") / "nhl"
    publish_here(league_lake, folder)
    return folder


@pytest.fixture(scope="module")
def site(published: Path) -> Iterator[WebHost]:
    with serve_folder(published) as host:
        yield host


@pytest.fixture(scope="module")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with its reader over HTTP, from a Python package."""
    found = find_spec("duckdb_extension_httpfs")
    if found is None:
        pytest.skip("DuckDB's reader over HTTP is packed for Linux on x86-64 only")
    assert found.submodule_search_locations
    (extension,) = Path(found.submodule_search_locations[0]).rglob("httpfs.duckdb_extension")
    config = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    with duckdb.connect(config=config) as connection:
        connection.execute(f"LOAD '{extension}'")
        yield connection


def read_lake(root: Path, name: str) -> pl.DataFrame:
    table = catalog.find_table(name)
    return delta_tables.scan_table(root, table).sort(table.key).collect()


def list_published() -> list[str]:
    return [table.name for table in TABLES]


@pytest.mark.league
@pytest.mark.parametrize("name", list_published())
def test_load_returns_the_rows_of_the_lake(league_lake: Path, site: WebHost, name: str):
    rows = read_lake(league_lake, name)
    if rows.is_empty():
        with pytest.raises(BadInput, match="has no rows there"):
            nhl_lake.load(name, source=site.url)
        return

    assert_frame_equal(nhl_lake.load(name, source=site.url).collect(), rows, check_exact=True)


@pytest.mark.league
def test_a_folder_is_loaded_like_a_host(published: Path, site: WebHost):
    for source in (published, str(published)):
        found = nhl_lake.load("gold.team_season", season=2025, source=source).collect()

        assert found.equals(nhl_lake.load("gold.team_season", season=[20252026], source=f"{site.url}/").collect())
        assert nhl_lake.list_published(source).equals(nhl_lake.list_published(site.url))


@pytest.mark.league
@pytest.mark.parametrize("name", ["gold.skater_season", "gold.shots", "silver.plays", "silver.players"])
def test_duckdb_reads_the_same_rows_over_http(
    league_lake: Path, site: WebHost, duck: duckdb.DuckDBPyConnection, name: str
):
    rows = read_lake(league_lake, name)
    season = rows["season"][0] if catalog.find_table(name).partition else None
    url = f"{site.url}/{locate_file(name, season)}"

    is_time = {column: isinstance(dtype, pl.Datetime) for column, dtype in rows.schema.items()}
    columns = ", ".join(f'epoch_us("{name}")' if is_time[name] else f'"{name}"' for name in rows.columns)
    found = duck.execute(f"select {columns} from read_parquet('{url}')").fetchall()

    assert found == rows.with_columns(pl.col(pl.Datetime).dt.epoch("us")).rows()


@pytest.mark.league
@pytest.mark.parametrize("name", ["gold.skater_season", "silver.plays"])
def test_polars_reads_the_same_rows_over_http(league_lake: Path, site: WebHost, name: str):
    found = pl.read_parquet(f"{site.url}/{locate_file(name, 20252026)}")

    assert_frame_equal(found, read_lake(league_lake, name), check_exact=True)


@pytest.mark.league
@pytest.mark.parametrize("name", ["gold.skater_season", "gold.shots", "silver.plays"])
def test_pandas_reads_the_same_rows_over_http(league_lake: Path, site: WebHost, name: str):
    pytest.importorskip("pyarrow", reason="pandas reads Parquet with pyarrow: pip install pyarrow")
    pandas = pytest.importorskip("pandas", reason="pandas is one of the development tools")
    found = pandas.read_parquet(f"{site.url}/{locate_file(name, 20252026)}", dtype_backend="pyarrow")

    assert_frame_equal(pl.from_pandas(found), read_lake(league_lake, name), check_exact=True)


@pytest.mark.league
def test_a_loader_like_that_of_nflreadr_needs_no_nhl_lake(league_lake: Path, site: WebHost):
    """The shape of nflreadr and nflreadpy: the manifest lists seasons, and each is one file at an address."""

    def load_shots(seasons: list[int]) -> pl.DataFrame:
        return pl.concat(pl.read_parquet(f"{site.url}/gold/shots/{year}.parquet") for year in seasons)

    import httpx

    about = httpx.get(f"{site.url}/manifest.json").json()
    shots = next(table for table in about["tables"] if table["name"] == "gold.shots")
    years = [file["season"] // 10_000 for file in shots["files"]]

    found = load_shots(years)

    assert found.equals(read_lake(league_lake, "gold.shots"))
    assert found.columns == [column["name"] for column in shots["columns"]]
    assert found.height == sum(file["rows"] for file in shots["files"])


@pytest.fixture
def root(small_lake: Path, tmp_path: Path) -> Path:
    return copy_lake(small_lake, tmp_path / "lake")


def read_times(folder: Path) -> dict[str, int]:
    return {str(f.relative_to(folder)): f.stat().st_mtime_ns for f in folder.rglob("*") if f.is_file()}


def test_a_second_publication_writes_nothing(root: Path, tmp_path: Path):
    publish_here(root, tmp_path / "out")
    before = read_times(tmp_path / "out")

    again = publish_here(root, tmp_path / "out", days_later(1))

    assert (again.written, again.removed) == (0, 0)
    assert read_times(tmp_path / "out") == before


def test_a_publication_of_the_same_rows_is_the_same_bytes(root: Path, tmp_path: Path):
    one, two = publish_here(root, tmp_path / "one").publication, publish_here(root, tmp_path / "two").publication

    assert one == two


def test_only_what_changed_is_written(root: Path, tmp_path: Path):
    out = tmp_path / "out"
    publish_here(root, out)
    before = read_times(out)
    table = catalog.find_table("gold.team_game")
    kept = delta_tables.scan_table(root, table).collect().tail(-1)
    delta_tables.replace_rows(root, table, kept, where=None, metadata={})

    again = publish_here(root, out, days_later(1))

    assert (again.written, again.removed) == (1, 0)
    changed = {name for name, at in read_times(out).items() if before[name] != at}
    (season,) = kept["season"].unique()
    assert changed == {locate_file("gold.team_game", season), "index.html", "manifest.json"}
    assert nhl_lake.load("gold.team_game", source=out).collect().height == kept.height


def test_the_manifest_is_written_last(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    names: list[str] = []
    write = location.write_file

    def note(place: Location, name: str, *arguments: Any, **options: Any) -> None:
        names.append(name)
        write(place, name, *arguments, **options)

    monkeypatch.setattr(location, "write_file", note)
    publish_here(root, tmp_path / "out")

    assert names[-2:] == ["index.html", "manifest.json"]
    assert len(names) > 20


def test_only_files_of_the_last_manifest_are_removed(root: Path, tmp_path: Path):
    out = tmp_path / "out"
    publish_here(root, out)
    for own in ("CNAME", "silver/notes.txt", "gold/shots/1999.parquet"):
        (out / own).write_text("mine")

    again = publish_here(root, out, tables=catalog.GOLD)

    assert again.removed > 10
    left = {str(f.relative_to(out)) for f in out.rglob("*") if f.is_file()}
    published = {locate_file(t.name, f.season) for t in again.publication.tables for f in t.files}
    assert left - published == {"CNAME", "silver/notes.txt", "gold/shots/1999.parquet", "index.html", "manifest.json"}
    assert not (out / "silver" / "plays").exists()


def test_a_damaged_file_is_published_again(root: Path, tmp_path: Path):
    out = tmp_path / "out"
    first = publish_here(root, out).publication
    file = out / locate_file("gold.team_game", next(t for t in first.tables if t.name == "gold.team_game").seasons[0])
    before = file.read_bytes()
    file.write_bytes(before[:-1])

    assert publish_here(root, out, days_later(1)).written == 1
    assert file.read_bytes() == before


def test_a_killed_publication_is_finished(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    out = tmp_path / "out"
    write = location.write_file
    left = [7]

    def stop(*arguments: Any, **options: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        write(*arguments, **options)

    monkeypatch.setattr(location, "write_file", stop)
    with pytest.raises(KeyboardInterrupt):
        publish_here(root, out)
    monkeypatch.undo()
    assert not (out / "manifest.json").exists()
    (out / ".nhl-lake-drafts-killed").mkdir()
    shutil.rmtree(out)  # nothing of it is named in a manifest: a half publication is not one

    publish_here(root, out)

    assert nhl_lake.list_published(out).height > 20
    assert not list(out.glob(".*"))


def test_a_publication_goes_to_a_place_of_its_own(root: Path, small_lake: Path, tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("mine")
    for target, problem in ((other, "is not empty"), (root / "out", "inside each other"), (tmp_path, "inside each")):
        with pytest.raises(BadInput, match=problem):
            publish_here(root, target)
    assert [file.name for file in other.iterdir()] == ["letter.txt"]


def test_the_publication_of_another_lake_is_not_overwritten(root: Path, tmp_path: Path):
    out = tmp_path / "out"
    publish_here(root, out, tables=())
    about = json.loads((out / "manifest.json").read_text())
    (out / "manifest.json").write_text(json.dumps(about | {"lake": "another"}))

    with pytest.raises(BadInput, match="another lake"):
        publish_here(root, out)


def test_one_run_at_a_time_publishes(root: Path, tmp_path: Path):
    with publish.lock_target(tmp_path / "out", "", now=NOW), pytest.raises(LakeLocked):
        publish_here(root, tmp_path / "out")


def test_a_link_in_the_publication_is_not_followed(root: Path, tmp_path: Path):
    out = tmp_path / "out"
    publish_here(root, out, tables=())
    (tmp_path / "elsewhere").mkdir()
    (out / "gold").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(nhl_lake.errors.LakeError, match="symbolic link"):
        publish_here(root, out)

    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_page_escapes_what_it_shows():
    evil = "<script>alert(1)</script>"
    table = manifest.PublishedTable("gold.shots", evil, (), (), (manifest.PublishedFile(20232024, 1, 2, "0" * 64),))
    page = landing.render_landing_page(
        Publication(format=1, made_by=evil, published_at=NOW, lake="", league=evil, data_through=None, tables=(table,))
    )

    assert evil not in page
    assert "&lt;script&gt;alert(1)" in page
    assert 'href="gold/shots/2023.parquet"' in page
    assert "http" not in page.replace("https://HOST/PATH", "").replace('startsWith("http")', "")


def test_the_page_says_whose_data_these_are():
    about = {"format": 1, "made_by": "1", "published_at": NOW, "lake": "", "data_through": None, "tables": ()}

    assert "personal, non-commercial use" in landing.render_landing_page(Publication(league="NHL", **about))
    assert "invented" in landing.render_landing_page(Publication(league="sample league", **about))


def test_the_command_says_what_it_did(root: Path, run_here: Run, tmp_path: Path):
    out = tmp_path / "out"
    first = run_here("publish", "--to", str(out), root=root)
    assert first.code == 0, first.err
    assert "19 tables" in first.out
    assert "0 removed" in first.out

    again = run_here("publish", "--to", str(out), "--silver", "--season", "2025", "--json", root=root)
    assert again.code == 0, again.err
    assert again.json["tables"] == len(catalog.BUILT_TABLES)
    assert again.json["files"] == nhl_lake.list_published(out).height

    assert "No file has changed" in run_here("publish", "--to", str(out), "--silver", root=root).out
    assert run_here("publish", "--to", "https://host/x", root=root).code == 2


def test_a_bucket_is_published_and_loaded(root: Path, bucket: Location):
    first = publish_here(root, bucket, tables=catalog.GOLD)
    again = publish_here(root, bucket, days_later(1), tables=catalog.GOLD)

    assert first.written == first.files > 10
    assert (again.written, again.removed) == (0, 0)
    found = nhl_lake.load("gold.team_game", source=str(bucket)).collect()
    assert_frame_equal(found, read_lake(root, "gold.team_game"))


@pytest.mark.league
def test_the_programs_of_the_document_run_as_printed(site: WebHost, duck: duckdb.DuckDBPyConnection):
    page = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "sharing.md").read_text()
    (program,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (query,) = re.findall(r"^```sql\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}

    exec(program.replace("https://example.org/nhl", site.url), names)
    found = duck.execute(query.replace("https://example.org/nhl", site.url)).fetchall()

    assert names["teams"].height > 100
    assert names["skaters"].collect().height > len(found) > 100
