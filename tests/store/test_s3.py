"""A lake in a bucket equals one in a folder; and the errors that users see if the store fails."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from obstore.exceptions import BaseError
from polars.testing import assert_frame_equal

from nhl_lake.bronze.endpoints import PLAY_BY_PLAY
from nhl_lake.bronze.endpoints import TABLES as BRONZE
from nhl_lake.catalog import BUILT_TABLES, TABLES
from nhl_lake.errors import LakeError
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables, s3_errors
from nhl_lake.store.location import Location
from tests.support import s3_servers
from tests.support.commands import CommandResult
from tests.support.fake_api import NOON, FakeApi, FakeGame, run_ingest
from tests.support.pages import equal_bodies, make_page
from tests.support.s3_servers import DENIED, EXPIRED, SECRET_KEY, SLOW_DOWN, Fault, Proxy, S3Server

HOUR = timedelta(hours=1)
DEAD = "http://127.0.0.1:9"


def make_league(scorer: int = 8900001) -> FakeApi:
    return FakeApi([FakeGame(number, scorer=scorer) for number in range(1, 4)])


def read_facts(root: Location, table: Table) -> pl.DataFrame:
    return delta_tables.scan_table(root, table).drop("run_id", strict=False).collect().sort(table.key)


def test_lake_in_a_bucket_equals_the_lake_in_a_folder(bucket: Location, tmp_path: Path):
    for root in (bucket, tmp_path):
        run_ingest(root, make_league(), rebuilds=True)
        run_ingest(root, make_league(8900002), rebuilds=True, now=NOON + HOUR, lookback_days=2)

    for table in (*BRONZE, *BUILT_TABLES):
        assert_frame_equal(read_facts(bucket, table), read_facts(tmp_path, table))


@pytest.mark.soak
def test_reading_commands_print_the_same_for_a_bucket(
    bucket: Location, tmp_path: Path, run_here: Callable[..., CommandResult]
):
    folder = tmp_path / "lake"
    for root in (bucket, folder):
        run_ingest(root, make_league(), rebuilds=True)
        run_ingest(root, make_league(8900002), rebuilds=True, now=NOON + HOUR, lookback_days=2)
    now = NOON + 2 * HOUR
    game = str(FakeGame(1).id)
    for words in (
        ("show", "silver.games", "--json"),
        ("corrections", "--json"),
        ("trace", game, "--json"),
        ("check", "--json"),
        ("rebuild",),
    ):
        there, here = (run_here(*words, root=root, now=now) for root in (bucket, folder))
        assert there.code == here.code, words
        assert drop_run_ids(there.out) == drop_run_ids(here.out), words
    said = run_here("status", "--json", root=bucket, now=now).json
    here = run_here("status", "--json", root=folder, now=now).json
    assert (said["coverage"], said["problems"]) == (here["coverage"], here["problems"])
    sizes = run_here("tables", "--json", root=bucket, now=now).json
    assert {found["table"] for found in sizes if found["rows"] is not None} == {table.name for table in TABLES}
    assert run_here("runs", root=bucket, now=now).out.count("done") == 2


def drop_run_ids(text: str) -> list[str]:
    """Leave out the ids of runs, which are random."""
    return [line for line in text.splitlines() if "run_id" not in line]


FAILURES: dict[str, tuple[dict[str, str], Fault | None, str]] = {
    "wrong key": ({"AWS_ACCESS_KEY_ID": "AKIDWRONGWRONG"}, None, "does not accept these credentials"),
    "wrong secret": ({"AWS_SECRET_ACCESS_KEY": "wrongwrongwrong"}, None, "does not accept these credentials"),
    "no such bucket": ({}, None, "No such bucket"),
    "dead endpoint": ({"AWS_ENDPOINT_URL": DEAD}, None, "cannot be reached"),
    "no such host": ({"AWS_ENDPOINT_URL": "http://store.invalid"}, None, "cannot be reached"),
    "expired": ({}, Fault(status=400, body=EXPIRED), "have expired"),
    "denied": ({}, Fault(status=403, body=DENIED), "denies access"),
    "slow down for ever": ({}, Fault(status=503, body=SLOW_DOWN), "limits the request rate"),
    "cut for ever": ({}, Fault(cut=True), "cannot be reached"),
}


@pytest.mark.parametrize("command", ["status", "ingest"])
@pytest.mark.parametrize("failure", FAILURES)
def test_failing_store_is_an_error_of_two_lines_without_keys(
    failure: str,
    command: str,
    seaweed: S3Server,
    start_proxy: Callable[[S3Server], Proxy],
    monkeypatch: pytest.MonkeyPatch,
    run_cli: Callable[..., CommandResult],
):
    changed, fault, says = FAILURES[failure]
    proxy = start_proxy(seaweed)
    proxy.faults += [fault] if fault else []
    root = s3_servers.use_server(proxy.as_server(), monkeypatch, **changed)
    address = str(root).replace("s3://lake/", "s3://nonesuch/") if failure == "no such bucket" else str(root)

    ended = run_cli(command, root=address, api="league:", now="2025-10-14T12:00:00Z")

    assert ended.code == 1
    assert ended.out == ""
    assert ended.err.startswith("Error: ")
    assert len(ended.err.splitlines()) == 2, ended.err
    assert says in ended.err
    for secret in (SECRET_KEY, "wrongwrongwrong", "AKIDWRONGWRONG", "Signature="):
        assert secret not in ended.err


@pytest.mark.parametrize("after", [7, *(pytest.param(after, marks=pytest.mark.soak) for after in (3, 11))])
@pytest.mark.parametrize(
    "fault",
    [Fault(status=403, body=DENIED), pytest.param(Fault(status=400, body=EXPIRED), marks=pytest.mark.soak)],
    ids=["403", "400"],
)
def test_run_that_fails_halfway_loses_nothing_and_the_next_continues(
    fault: Fault,
    after: int,
    seaweed: S3Server,
    start_proxy: Callable[[S3Server], Proxy],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
):
    proxy = start_proxy(seaweed)
    root = s3_servers.use_server(proxy.as_server(), monkeypatch)
    run_ingest(root, FakeApi([FakeGame(1)]))
    before = read_facts(root, PLAY_BY_PLAY)
    proxy.faults.append(Fault("PUT", status=fault.status, body=fault.body, after=after))
    with pytest.raises((LakeError, OSError, BaseError)) as error:
        run_ingest(root, make_league(), now=NOON + HOUR, lookback_days=2)
    assert isinstance(error.value, LakeError) or s3_errors.explain_s3_error(error.value) is not None
    proxy.faults.clear()

    assert before.join(read_facts(root, PLAY_BY_PLAY), on=["game_id", "sha256"], how="anti").is_empty()
    assert run_ingest(root, make_league(), now=NOON + HOUR, lookback_days=2).outcome == "done"
    run_ingest(tmp_path, FakeApi([FakeGame(1)]))
    run_ingest(tmp_path, make_league(), now=NOON + HOUR, lookback_days=2)
    for table in BRONZE:
        assert_frame_equal(bodies(root, table), bodies(tmp_path, table))


def bodies(root: Location, table: Table) -> pl.DataFrame:
    return delta_tables.scan_newest_pages(root, table).select(*table.page_key, "sha256").collect().sort(table.page_key)


@pytest.mark.soak
def test_run_over_a_bad_network_succeeds(
    seaweed: S3Server, start_proxy: Callable[[S3Server], Proxy], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    proxy = start_proxy(seaweed)
    root = s3_servers.use_server(proxy.as_server(), monkeypatch)
    for n in range(0, 400, 7):
        kinds = (Fault(cut=True), Fault(lost=True), Fault(status=503, body=SLOW_DOWN), Fault(wait_s=0.2))
        proxy.faults.append(kinds[n % 4])
        proxy.faults[-1].after, proxy.faults[-1].times = n, 1

    assert run_ingest(root, make_league(), rebuilds=True).outcome == "done"

    assert sum(fault.hits for fault in proxy.faults) > 20
    run_ingest(tmp_path, make_league(), rebuilds=True)
    for table in (*BRONZE, *BUILT_TABLES):
        assert_frame_equal(read_facts(root, table), read_facts(tmp_path, table))


def test_table_is_read_again_after_another_writer(bucket: Location):
    delta_tables.create_tables(bucket, [PLAY_BY_PLAY])
    for n in range(3):
        delta_tables.store_pages(bucket, PLAY_BY_PLAY, make_page(PLAY_BY_PLAY, n, str(n), n), equal_bodies)
        pinned = delta_tables.scan_table(bucket, PLAY_BY_PLAY, version=n)
        assert delta_tables.scan_table(bucket, PLAY_BY_PLAY).collect().height == n + 1
        assert pinned.collect().height == n
    outside = delta_tables.DeltaTable(
        str(delta_tables.locate_table(bucket, PLAY_BY_PLAY)), storage_options={"allow_http": "true"}
    )
    delta_tables.append_rows(bucket, PLAY_BY_PLAY, outside, make_page(PLAY_BY_PLAY, 9, "9", 9))
    assert delta_tables.scan_table(bucket, PLAY_BY_PLAY).collect().height == 4
