"""The round trip: back up three seasons, delete the lake, restore it, and run ten more days.

The playoffs of three seasons of the sample league (`--whole`: all games), with the pages of players, teams and
standings, are stored on disk and in a bucket (SeaweedFS on loopback), each with its backups. After the restore, every
table's rows are compared with those before. After ten more daily runs, they are compared with those of a lake that was
never deleted. The random ids of runs are left out. The clock stands still in a run, so everything else must be exactly
equal.

    python -m benchmarks.roundtrip            # prints a table; some ten minutes
    python -m benchmarks.roundtrip --whole    # half an hour for each place; --where disk
"""

import argparse
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import obstore

from nhl_lake import catalog
from nhl_lake.backup import repository
from nhl_lake.backup.create import create_backup
from nhl_lake.backup.restore import restore_lake
from nhl_lake.ingest.client import RateLimit
from nhl_lake.ingest.run import USER_AGENT, ClientConfig, Options, ingest
from nhl_lake.league import League
from nhl_lake.league.transport import LeagueTransport
from nhl_lake.store import delta_tables, handles, location
from nhl_lake.store.location import Location
from tests.support import s3_servers
from tests.support.fake_api import SilentReport

SEASONS = (20222023, 20232024, 20242025)
FIRST = datetime(2025, 5, 1, 12, 0, tzinfo=UTC)
PLAYOFFS, WHOLE = frozenset({3}), frozenset({2, 3})
Digests = dict[str, tuple[int, int]]


class Games(NamedTuple):
    """The league, and the types of games to ingest."""

    league: League
    types: frozenset[int]


def run(root: Location, games: Games, at: datetime, seasons: tuple[int, ...] = ()) -> None:
    """Run once, as the command would at a time."""
    transport = LeagueTransport(games.league, lambda: at)
    config = ClientConfig(
        rate_limit=RateLimit(0, 4, USER_AGENT), base_url="http://league", source="sample league", transport=transport
    )
    options = Options(seasons=seasons, game_types=games.types)
    done = ingest(root, options, config, clock=lambda: at, progress=SilentReport(), command="round trip", rebuilds=True)
    if done.outcome != "done":
        sys.exit(f"the run at {at} of {root} ended with {done.outcome}: {done.error}")


def ten_days(root: Location, games: Games, days: int) -> None:
    """Run once a day."""
    for day in range(1, days + 1):
        run(root, games, FIRST + timedelta(days=day))


def hash_tables(root: Location) -> Digests:
    """Return the number of rows of each table, and a hash that does not depend on their order."""
    handles.clear_handles()
    found = {}
    for table in catalog.TABLES:
        rows = delta_tables.scan_table(root, table).drop("run_id", strict=False).collect()
        found[table.name] = (rows.height, int(rows.hash_rows(seed=1).sort().hash(seed=2).sum() or 0))
    return found


def delete_lake(root: Location) -> None:
    """Delete a lake."""
    if isinstance(root, Path):
        shutil.rmtree(root)
    else:
        obstore.delete(location.open_store(root), [file.name for file in location.list_files(root)])


def make_round_trip(
    name: str, root: Location, backups: Location, *, games: Games, days: int, never_wiped: Digests
) -> bool:
    """Do one round trip, and print its row."""
    run(root, games, FIRST, SEASONS)
    before = hash_tables(root)
    took = [time.perf_counter()]
    summary = create_backup(root, backups, clock=lambda: FIRST, report=SilentReport(), command="round trip")
    took.append(time.perf_counter())
    delete_lake(root)
    took.append(time.perf_counter())
    manifest = repository.require_newest_manifest(backups)
    restore_lake(root, backups, manifest, now=FIRST, command="round trip", rebuilds=False)
    took.append(time.perf_counter())
    after = hash_tables(root)
    ten_days(root, games, days)
    later = hash_tables(root)
    equal = [list_differing_tables(before, after), list_differing_tables(never_wiped, later)]
    rows, rows_later = (sum(count for count, _ in some.values()) for some in (before, later))
    print(
        f"{name:6}{len(before):8}{rows:12,}{summary.bytes / 1e6:8,.0f}{took[1] - took[0]:9.1f}"
        f"{took[3] - took[2]:9.1f}  {'equal' if not equal[0] else equal[0]:16}{rows_later:12,}  "
        f"{'equal' if not equal[1] else equal[1]}",
        flush=True,
    )
    return not any(equal)


def list_differing_tables(one: Digests, other: Digests) -> str:
    """Return the names of the tables that differ."""
    return ", ".join(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--days", type=int, default=10)
    asked.add_argument("--where", nargs="+", choices=["disk", "s3"], default=["disk", "s3"])
    asked.add_argument("--whole", action="store_true", help="all games, not only playoffs")
    given = asked.parse_args()
    games = Games(League(seasons=SEASONS), WHOLE if given.whole else PLAYOFFS)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        run(folder / "control", games, FIRST, SEASONS)
        ten_days(folder / "control", games, given.days)
        never_wiped = hash_tables(folder / "control")
        print(
            f"{'where':6}{'tables':>8}{'rows':>12}{'MB':>8}{'backup s':>9}{'restore':>9}  {'restored':16}"
            f"{'rows then':>12}  after {given.days} days"
        )
        said = []
        if "disk" in given.where:
            at = (folder / "lake", folder / "backups")
            said.append(make_round_trip("disk", *at, games=games, days=given.days, never_wiped=never_wiped))
        if "s3" in given.where:
            program = str(Path(sys.executable).with_name("weed"))
            with s3_servers.run_server(
                lambda: s3_servers.seaweed_command(program, folder), folder / "weed.log"
            ) as server:
                s3_servers.set_aws_variables(server)
                at = (server.make_empty_location(), server.make_empty_location())
                said.append(make_round_trip("S3", *at, games=games, days=given.days, never_wiped=never_wiped))
    sys.exit(not all(said))


if __name__ == "__main__":
    main()
