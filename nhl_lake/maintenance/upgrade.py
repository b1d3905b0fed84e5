"""Upgrade a lake to the current layout: copy it, change the copy, verify it, and swap the two.

The old lake is never changed in place and is kept next to the new one. A kill at any step leaves the old or the new
lake. Every layout has `lake/meta` with the column `layout`, and the pages' bodies are the same in all of them.
"""

import dataclasses
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import polars as pl

from nhl_lake.bronze import endpoints
from nhl_lake.catalog import TABLES
from nhl_lake.errors import BadInput, LakeError, ValidationFailed
from nhl_lake.schema import ledger
from nhl_lake.schema.table import format_page_name
from nhl_lake.store import atomic_swap, checksums, delta_tables, handles, location, locks
from nhl_lake.store.commits import begin_commit, commit_files
from nhl_lake.store.delta import DELTA_LOG
from nhl_lake.store.files import write_data_file
from nhl_lake.store.location import FileInfo, Location
from nhl_lake.text import format_count

# a bronze table's name and a chunk of its pages: page, fetched_at, body
PageChunks = Iterator[tuple[str, pl.LazyFrame]]


class UpgradeStep(NamedTuple):
    """The step from one layout to the next: `change` takes the old lake and a complete copy, and changes the copy.

    `pages` reads bronze in the older layout.
    """

    layout: int
    change: Callable[[Location, Location], None]
    pages: Callable[[Location], PageChunks]


class UpgradeResult(NamedTuple):
    """A finished upgrade: the old layout, the number of verified pages, and where the old lake is."""

    layout: int
    pages: int
    kept_as: Location


def read_pages(root: Location) -> PageChunks:
    """Read the pages of a lake with the current layout, season by season."""
    for table in endpoints.TABLES:
        if delta_tables.has_table(root, table):
            for rows in delta_tables.scan_by_season(root, table):
                yield table.name, rows.select(format_page_name(table), "fetched_at", "body")


def rename_tables(old: Location, new: Location) -> None:
    """Change layout 1 into layout 2, which has new names for predictions and quarantined games.

    `lake.forecasts` becomes `lake.predictions`, row by row, and cards in `lake.models` get the new name of a feature.
    Derived tables with renamed columns are removed: the next rebuild builds them. It needs the pages' tables that
    layout 1 did not have, which are created empty; one that layout 1 had and that is lost stays lost, to be seen.
    """
    delta_tables.create_tables(new, [table for table in endpoints.TABLES if table.name not in PAGES_OF_LAYOUT_1])
    copy_predictions(old, new)
    rename_card_feature(new)
    for name in ("lake.forecasts", "silver.refusals", "gold.sog_predictions"):
        remove_files(new.joinpath(*name.split(".")))


def copy_predictions(old: Location, new: Location) -> None:
    """Copy `lake.forecasts` of an old lake to `lake.predictions` of a new one, and compare all rows."""
    if not delta_tables.has_table(old, FORECASTS):
        return
    delta_tables.create_tables(new, [ledger.PREDICTIONS])
    for rows in delta_tables.scan_by_season(old, FORECASTS):
        renamed = rows.rename({"foretold_shots_on_goal": "predicted_shots_on_goal"})
        expected = renamed.select(ledger.PREDICTIONS.schema.names()).sort(ledger.PREDICTIONS.key).collect()
        delta_tables.append_to_ledger(new, ledger.PREDICTIONS, expected)
        stored = delta_tables.scan_table(new, ledger.PREDICTIONS).join(
            expected.lazy().select("season").unique(), on="season", how="semi"
        )
        if not stored.sort(ledger.PREDICTIONS.key).collect().equals(expected):
            raise ValidationFailed(
                "Rows of lake.predictions differ after the upgrade.",
                "The lake is as before. This is a bug in nhl-lake: please report it.",
            )


def rename_card_feature(root: Location) -> None:
    """Write `is_defenseman` for `is_defenceman` in the cards of a lake's models, in place."""
    if not delta_tables.has_table(root, ledger.MODELS):
        return
    rows = delta_tables.scan_table(root, ledger.MODELS).collect()
    renamed = rows.with_columns(pl.col("card").str.replace_all('"is_defenceman"', '"is_defenseman"', literal=True))
    if renamed.equals(rows):
        return
    delta = delta_tables.open_table(root, ledger.MODELS)
    delta.alter.set_table_properties({"delta.appendOnly": "false"})
    with begin_commit(root, ledger.MODELS, delta) as properties:
        file = write_data_file(root, ledger.MODELS, renamed, None)
        commit_files(delta, ledger.MODELS, [file], properties, mode="overwrite")
    delta.alter.set_table_properties({"delta.appendOnly": "true"})


PAGES_OF_LAYOUT_1 = frozenset(
    f"bronze.{name}"
    for name in (
        "boxscore", "play_by_play", "players", "right_rail", "rosters", "schedule", "seasons", "shift_charts",
        "shift_report_away", "shift_report_home", "standings", "teams",
    )
)  # fmt: skip
FORECASTS = dataclasses.replace(
    ledger.PREDICTIONS,
    name="lake.forecasts",
    columns=tuple(
        dataclasses.replace(column, name=column.name.replace("predicted_", "foretold_"))
        for column in ledger.PREDICTIONS.columns
    ),
    checks={},
)
STEPS: tuple[UpgradeStep, ...] = (UpgradeStep(1, rename_tables, read_pages),)


def read_layout(root: Location) -> int:
    """Return the layout version of a lake."""
    found: int | None = delta_tables.scan_table(root, ledger.META).select(pl.col("layout").max()).collect().item()
    return ledger.LAYOUT_VERSION if found is None else found


def upgrade_lake(root: Location, *, now: datetime, command: str, made_by: str) -> UpgradeResult | None:
    """Upgrade a lake to the current layout. Returns None if it already has it."""
    root = root.resolve() if isinstance(root, Path) else root
    with locks.hold_lock(root, command, now=now):
        atomic_swap.require_no_unfinished_swap(root)
        was = read_layout(root)
        steps = plan_steps(was)
        if not steps:
            return None
        require_no_linked_tables(root)
        new = root.with_name(f"{root.name}.upgrading")
        remove_files(new)
        copy_lake(root, new)
        for step in steps:
            step.change(root, new)
        write_layout(new, now, made_by)
        count = verify_pages(steps[0].pages(root), read_pages(new))
        for table in TABLES:
            if delta_tables.has_table(new, table):
                delta = delta_tables.open_table(new, table)
                folder = delta_tables.locate_table(new, table)
                checksums.complete_checksums(folder, delta.version())
        fsync_lake(new)
        kept_as = choose_free_location(root.with_name(f"{root.name}.before-upgrade-{now:%Y%m%dT%H%M%SZ}"))
        with locks.hold_lock(new, command, now=now):  # after the swap this lock is the lake's
            atomic_swap.swap_into_place(new, root, kept_as, command=command)
        handles.clear_handles()
    return UpgradeResult(was, count, kept_as)


def require_no_linked_tables(root: Location) -> None:
    """Raise if a layer or a table of a lake is a symbolic link: the copy would lack what is behind it."""
    if not isinstance(root, Path):
        return
    for table in TABLES:
        folder = root.joinpath(*table.name.split("."))
        if folder.is_symlink() or folder.parent.is_symlink():
            raise BadInput(
                f"{folder} is behind a symbolic link: an upgrade copies only what is in the lake's folder.",
                "No changes were made. Move that table into the lake's folder, then run `nhl-lake upgrade` again.",
            )


def plan_steps(was: int) -> Sequence[UpgradeStep]:
    """Return the steps from a layout to the current one."""
    steps = sorted((step for step in STEPS if step.layout >= was), key=lambda step: step.layout)
    if [step.layout for step in steps] != list(range(was, ledger.LAYOUT_VERSION)):
        raise LakeError(
            f"This program cannot upgrade layout {was} to layout {ledger.LAYOUT_VERSION}.",
            "No changes were made. Run `pip install --upgrade nhl-lake`, or use the version that created the lake.",
        )
    return steps


def remove_files(at: Location) -> None:
    """Remove a folder with all its files: a table, or the partial copy of a killed upgrade."""
    if isinstance(at, Path):
        if at.exists():
            shutil.rmtree(at)
    else:
        atomic_swap.remove_objects(at, list(location.list_files(at)))


def copy_lake(root: Location, new: Location) -> None:
    """Copy a lake: hard-link data files, which never change, if the disk supports it; copy the rest."""
    if not isinstance(root, Path) or not isinstance(new, Path):
        atomic_swap.copy_objects(root, new, atomic_swap.list_lake_files(root))
        return
    for file in atomic_swap.list_lake_files(root):
        to = new / file.name
        to.parent.mkdir(parents=True, exist_ok=True)
        if not (is_data_file(file) and try_hard_link(root / file.name, to)):
            shutil.copy2(root / file.name, to)


def is_data_file(file: FileInfo) -> bool:
    """Return whether a file is a table's data file."""
    return file.name.endswith(".parquet") and f"{DELTA_LOG}/" not in file.name


def try_hard_link(file: Path, to: Path) -> bool:
    """Hard-link a file; return False if the disk does not support it."""
    try:
        os.link(file, to)
    except OSError:
        return False  # another disk, or one without hard links: the caller copies
    return True


def write_layout(root: Location, now: datetime, made_by: str) -> None:
    """Record the current layout in a lake."""
    last_row = delta_tables.scan_table(root, ledger.META).sort("layout").tail(1)
    changes = {"layout": ledger.LAYOUT_VERSION, "made_by": made_by, "made_at": now}
    row = last_row.with_columns(pl.lit(value).alias(name) for name, value in changes.items())
    delta_tables.append_to_ledger(root, ledger.META, row.cast(ledger.META.schema).collect())


def verify_pages(old: PageChunks, new: PageChunks) -> int:
    """Compare the pages of two lakes, body by body; return their number."""
    was, now = hash_pages(old), hash_pages(new)
    if not was.equals(now):
        differing = pl.concat([was.join(now, on=was.columns, how="anti"), now.join(was, on=was.columns, how="anti")])
        examples = "; ".join(f"{table} {page}" for table, page in differing.select("table", "page").head(3).iter_rows())
        raise ValidationFailed(
            f"{format_count(max(differing.height, 1), 'page', 'differ')} after the "
            f"upgrade{': ' if examples else ''}{examples}.",
            "No changes were made. This is a bug in nhl-lake: please report it.",
        )
    return now.height


def hash_pages(chunks: PageChunks) -> pl.DataFrame:
    """Return the name and the body's SHA-256 of every page, sorted."""
    found = [
        (table, page, at, hashlib.sha256(body.encode()).hexdigest())
        for table, rows in chunks
        for page, at, body in rows.select("page", "fetched_at", "body").collect().iter_rows()
    ]
    text = pl.String()
    names: dict[str, pl.DataType] = {
        "table": text,
        "page": text,
        "fetched_at": pl.Datetime("us", "UTC"),
        "sha256": text,
    }
    return pl.DataFrame(found, schema=names, orient="row").sort(*names)


def fsync_lake(new: Location) -> None:
    """Sync a new lake to disk before the swap."""
    if isinstance(new, Path):
        location.fsync_paths([new, *new.rglob("*")])


def choose_free_location(preferred: Location) -> Location:
    """Return an unused location next to the lake, with a number if `preferred` is taken."""
    names = (preferred, *(preferred.with_name(f"{preferred.name}-{n}") for n in range(2, 1000)))
    return next(name for name in names if atomic_swap.is_free(name))
