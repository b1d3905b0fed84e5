"""The site: a build writes what differs and nothing else, and a site that grew is the same as one built at once."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from nhl_lake.errors import BadInput, LakeError
from nhl_lake.reports import site, site_pages
from nhl_lake.reports.game import SECTIONS
from nhl_lake.reports.league import read_league
from nhl_lake.reports.league_page import render_teams
from nhl_lake.reports.page import ALONE, Place
from nhl_lake.reports.page_digest import digest_data, digest_sections
from nhl_lake.reports.player import read_players
from nhl_lake.reports.sections import scan_section
from nhl_lake.reports.site import build_site
from nhl_lake.reports.site_folder import MANIFEST
from nhl_lake.reports.site_pages import PageKind, PlannedPage
from nhl_lake.store.location import Location
from tests.support import fake_api
from tests.support.commands import CommandResult, get_clean_environment
from tests.support.frame_lakes import make_lake
from tests.support.sites import find_broken_links, read_site, stat_site

SEASON = 20252026
Run = Callable[..., CommandResult]


def test_a_second_build_touches_no_file(small_lake: Path, tmp_path: Path):
    folder = tmp_path / "site"
    first = build_site(small_lake, folder)
    assert first.written == first.files == len(read_site(folder)) - 1  # without the manifest
    assert first.pages == len(list(folder.rglob("*.html")))
    assert first.bytes == sum(len(body) for path, body in read_site(folder).items() if path != MANIFEST)
    before = stat_site(folder)
    assert build_site(small_lake, folder) == first._replace(written=0)
    assert stat_site(folder) == before


def test_a_site_that_grew_is_the_same_as_one_built_at_once(tmp_path: Path):
    root, grown, fresh = tmp_path / "lake", tmp_path / "grown", tmp_path / "fresh"
    fake_api.run_ingest(root, fake_api.make_league(1), rebuilds=True)
    build_site(root, grown)
    before = stat_site(grown)
    fake_api.run_ingest(root, fake_api.make_league(2), rebuilds=True)
    update = build_site(root, grown)
    build_site(root, fresh)
    assert read_site(grown) == read_site(fresh)
    after = stat_site(grown)
    changed = {path for path in after if before.get(path) != after[path] and (grown / path).is_file()}
    assert len(changed) == update.written + 1  # and the manifest
    assert 0 < update.written < update.files


def test_a_card_is_not_drawn_again_for_the_shots_of_others(small_lake: Path, monkeypatch: pytest.MonkeyPatch):
    cards = list(read_players(small_lake, SEASON))
    cell = pl.DataFrame({"cell_x_ft": [70], "cell_y_ft": [0], "shade": [5]}, schema=cards[0].league_cells.schema)
    others = [card._replace(league_cells=pl.concat([card.league_cells, cell])) for card in cards]
    assert digest_data(cards[0]) != digest_data(others[0])
    planned = []
    for found in (cards, others):
        monkeypatch.setattr(site_pages, "read_players", lambda *_, found=found: iter(found))
        planned.append([one.made_of for one in site_pages.plan_players(small_lake, SEASON, datetime.now(UTC))])
    assert planned[0] == planned[1] != []


@pytest.mark.soak  # three sites of a thousand pages; the test before it does the same with five games
@pytest.mark.league
def test_one_more_day_writes_only_what_it_changes(league_lake: Path, tmp_path: Path, run_cli: Run):
    root, grown, fresh = tmp_path / "lake", tmp_path / "grown", tmp_path / "fresh"
    shutil.copytree(league_lake, root)
    build_site(root, grown)
    before = read_site(grown)
    words = ("ingest", "--since", "2026-03-18", "--lookback", "1", "--quiet")
    assert run_cli(*words, root=root, api="league:", now="2026-04-02T13:00:00Z").code in {0, 3}
    build_site(root, grown, workers=1)
    build_site(root, fresh)
    after = read_site(grown)
    assert after == read_site(fresh)
    old_games = {path for path in before if path.startswith("games/") and before[path] != after.get(path)}
    assert len(old_games) < 0.2 * len([path for path in after if path.startswith("games/")])
    assert find_broken_links(grown) == []


def test_workers_draw_the_same_pages(small_lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    build_site(small_lake, tmp_path / "here", workers=1)
    monkeypatch.setattr(site, "POOL_PAGES", 1)
    monkeypatch.setattr(site, "CHUNK", 2)
    build_site(small_lake, tmp_path / "there", workers=2)
    assert read_site(tmp_path / "here") == read_site(tmp_path / "there")


def test_lost_and_edited_files_are_written_again_and_others_stay(small_lake: Path, tmp_path: Path):
    build_site(small_lake, tmp_path)
    first = read_site(tmp_path)
    lost, edited = sorted(path for path in first if path.endswith(".html"))[:2]
    (tmp_path / lost).unlink()
    (tmp_path / edited).write_text("edited")
    (tmp_path / "style.css").write_text("")
    (tmp_path / "CNAME").write_text("example.test")
    before = stat_site(tmp_path)
    assert build_site(small_lake, tmp_path).written == 3
    assert read_site(tmp_path) == first | {"CNAME": b"example.test"}
    changed = {path for path, about in stat_site(tmp_path).items() if before.get(path) != about}
    assert {path for path in changed if (tmp_path / path).is_file()} == {lost, edited, "style.css", MANIFEST}


def test_new_code_draws_every_page_and_writes_those_that_differ(
    small_lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    build_site(small_lake, tmp_path)
    before, pages = stat_site(tmp_path), read_site(tmp_path)
    monkeypatch.setattr(site, "hash_drawing", lambda: "another release")
    drawn = []
    build_site(small_lake, tmp_path, progress=lambda *numbers: drawn.append(numbers))
    assert read_site(tmp_path) | {MANIFEST: b""} == pages | {MANIFEST: b""}
    count = len([*tmp_path.rglob("*.html"), *tmp_path.rglob("*.svg")])
    assert drawn == [(number, count) for number in range(1, count + 1)]
    changed = {path for path, about in stat_site(tmp_path).items() if before[path] != about}
    assert changed == {".", MANIFEST}


def test_a_season_that_the_lake_lacks_is_an_error(small_lake: Path, tmp_path: Path):
    with pytest.raises(BadInput, match="has no games of 1999-00"):
        build_site(small_lake, tmp_path / "site", [19992000])
    assert not (tmp_path / "site").exists()


@pytest.mark.soak
def test_a_site_of_another_lake_replaces_the_pages(small_lake: Path, tmp_path: Path):
    other = tmp_path / "other"
    for day in (1, 2):
        fake_api.run_ingest(other, fake_api.make_league(day), rebuilds=True)
    build_site(small_lake, tmp_path / "site")
    made_of = json.loads((tmp_path / "site" / MANIFEST).read_text())["made_of"]
    build_site(other, tmp_path / "site")  # the same versions of the same tables, by another identity
    assert json.loads((tmp_path / "site" / MANIFEST).read_text())["made_of"] != made_of


class Notes:
    """Pages of a few words instead of a lake's: number, text, and the numbers of players that they link to."""

    def __init__(self) -> None:
        self.pages: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {"game": {}, "player": {}}
        self.drawn: list[str] = []

    def make_kind(self, kind: str) -> PageKind:
        def plan(_root: Location, season: int, _now: datetime) -> Iterator[PlannedPage]:
            for number, about in self.pages[kind].items():
                yield PlannedPage(kind, season, number, digest_data(about))

        def read(_root: Location, _season: int, _now: datetime, numbers: Any) -> Iterator[tuple[str, Any]]:
            for number in numbers:
                yield number, (number, *self.pages[kind][number])

        def draw(data: Any, place: Place) -> str:
            number, text, links = data
            if text == "broken":
                raise LakeError("A table cannot be read.", "Run `nhl-lake doctor`.")
            self.drawn.append(number)
            found = [place.link("player", link) for link in links]
            return text + "".join(f'<a href="{address}">' for address in found if address)

        return PageKind(plan, read, draw)


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> Notes:
    """Pages to change at will; every build takes the lake for changed."""
    found = Notes()
    versions = iter(map(str, range(100)))
    monkeypatch.setattr(site_pages, "KINDS", kinds := {kind: found.make_kind(kind) for kind in found.pages})
    monkeypatch.setattr(site, "KINDS", kinds)
    monkeypatch.setattr(site, "hash_versions", lambda *_: next(versions))
    return found


ONE, TWO = "2025020001", "2025020002"


def test_only_pages_that_show_something_else_are_drawn(small_lake: Path, tmp_path: Path, notes: Notes):
    notes.pages["game"] = {ONE: ("one", ()), TWO: ("two", ())}
    build_site(small_lake, tmp_path)
    notes.drawn.clear()
    notes.pages["game"][TWO] = ("other", ())
    assert build_site(small_lake, tmp_path).written == 1
    assert notes.drawn == [TWO]
    assert (tmp_path / f"games/{TWO}.html").read_text() == "other"


def test_a_new_page_is_linked_from_pages_that_lacked_it(small_lake: Path, tmp_path: Path, notes: Notes):
    notes.pages["game"] = {ONE: ("one", ("1", "2")), TWO: ("two", ("2",))}
    notes.pages["player"] = {"2": ("Berg", ())}
    build_site(small_lake, tmp_path)
    notes.drawn.clear()
    notes.pages["player"]["1"] = ("Ada", ())
    build_site(small_lake, tmp_path)
    assert sorted(notes.drawn) == ["1", ONE]
    assert "../players/1.html" in (tmp_path / f"games/{ONE}.html").read_text()
    assert find_broken_links(tmp_path) == []


def test_a_page_that_has_gone_is_removed_and_no_longer_linked(small_lake: Path, tmp_path: Path, notes: Notes):
    notes.pages["game"] = {ONE: ("one", ("1",)), TWO: ("two", ("2",))}
    notes.pages["player"] = {"1": ("Ada", ()), "2": ("Berg", ())}
    build_site(small_lake, tmp_path)
    notes.drawn.clear()
    del notes.pages["player"]["1"]
    assert build_site(small_lake, tmp_path).removed == 1
    assert notes.drawn == [ONE]
    assert not (tmp_path / "players/1.html").exists()
    assert find_broken_links(tmp_path) == []


def test_a_page_of_a_person_is_not_removed(small_lake: Path, tmp_path: Path, notes: Notes):
    notes.pages["game"] = {ONE: ("one", ())}
    build_site(small_lake, tmp_path)
    own = tmp_path / f"games/{TWO}.html"
    own.write_text("my notes")
    build_site(small_lake, tmp_path)
    assert own.read_text() == "my notes"


def test_what_a_stopped_build_wrote_is_finished_or_removed_by_the_next(small_lake: Path, tmp_path: Path, notes: Notes):
    notes.pages["game"] = {ONE: ("one", ()), TWO: ("broken", ())}
    folder = tmp_path / "site"
    with pytest.raises(LakeError, match="cannot be read"):
        build_site(small_lake, folder)
    notes.pages["game"] = {TWO: ("two", ())}
    build_site(small_lake, folder)
    build_site(small_lake, tmp_path / "fresh")
    found, fresh = read_site(folder), read_site(tmp_path / "fresh")
    assert found.keys() == fresh.keys()
    assert f"games/{ONE}.html" not in found


@pytest.mark.parametrize("number", ["../../x", "x", "1" * 11, "", "1\n"])
def test_an_odd_id_has_no_page(small_lake: Path, tmp_path: Path, notes: Notes, number: str):
    notes.pages["game"] = {ONE: ("one", (number,))}
    notes.pages["player"] = {number: ("Ada", ())}
    build_site(small_lake, tmp_path / "site")
    assert [file.name for file in tmp_path.rglob("*.html")] == [f"{ONE}.html"]
    assert (tmp_path / f"site/games/{ONE}.html").read_text() == "one"


def test_a_digest_tells_data_apart():
    frame = pl.DataFrame({"a": [1, 2], "b": ["x", None], "c": [[1], []], "d": [0.5, None]})
    others = [
        frame.reverse(), frame.head(1), frame.select("b", "a", "c", "d"), frame.rename({"a": "e"}),
        frame.with_columns(pl.lit("y").alias("b")), frame.with_columns(pl.col("a").cast(pl.Int32)),
        frame.with_columns(c=pl.Series([[1, 1], []])), frame.clear(), pl.DataFrame(),
    ]  # fmt: skip
    data = [
        (frame,),
        (frame, frame),
        *((other,) for other in others),
        ({"a": 1},),
        ({"a": "1"},),
        ({"b": 1},),
        ((),),
        None,
    ]
    assert len({digest_data(one) for one in data}) == len(data)
    assert digest_data((frame,)) == digest_data((frame.clone(),))


SCRIPT = """
import sys
from pathlib import Path
from nhl_lake.reports.site_pages import plan_pages
from nhl_lake.reports.site import choose_site
print(sorted((path, one.made_of) for path, one in plan_pages(*choose_site(Path(sys.argv[1]), ())).items()))
"""


@pytest.mark.soak
def test_digests_are_the_same_in_another_process_with_other_threads(small_lake: Path):
    words = [sys.executable, "-c", SCRIPT, str(small_lake)]
    found = {
        subprocess.run(
            words, env=get_clean_environment() | {"POLARS_MAX_THREADS": threads}, capture_output=True, check=True
        ).stdout
        for threads in ("1", "3")
    }
    assert len(found) == 1


def test_a_digest_of_a_game_changes_with_each_of_its_tables(small_lake: Path):
    whole = digest_sections(small_lake, SECTIONS, SEASON, "game_id")
    used = [
        name
        for name, section in SECTIONS.items()
        if scan_section(small_lake, section, SEASON, "game_id").collect().height
    ]
    assert len(used) > 8
    for name in used:
        part = digest_sections(
            small_lake, {key: one for key, one in SECTIONS.items() if key != name}, SEASON, "game_id"
        )
        assert part != whole, name


def test_teams_that_are_equal_are_in_the_order_of_their_letters(small_lake: Path):
    data = read_league(small_lake, SEASON)
    tied = data.teams.reverse().with_columns(xg_share=pl.lit(0.5))
    assert tied.height > 1
    assert render_teams(data._replace(teams=tied), ALONE) == render_teams(data._replace(teams=tied.reverse()), ALONE)


def test_a_digest_of_a_game_changes_with_the_order_of_its_rows(tmp_path: Path):
    ids = {"season": SEASON, "game_id": 2025020001, "event": "penalty", "period": 1, "is_goal": False}
    numbers = ((1, 2), (2, 1))
    digests = []
    for first, second in numbers:
        rows = [ids | {"event_id": 7, "event_number": first}, ids | {"event_id": 8, "event_number": second}]
        root = make_lake(tmp_path / str(first), silver__plays=rows)
        digests.append(digest_sections(root, SECTIONS, SEASON, "game_id"))
    assert digests[0] != digests[1]
