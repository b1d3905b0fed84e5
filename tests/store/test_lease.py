"""The lease of a lake in a bucket, and the probe of the store's conditional writes."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nhl_lake.errors import LakeError, LakeLocked
from nhl_lake.store import lease, location, locks
from nhl_lake.store.lease import Lease, LeaseLost, probe_store
from nhl_lake.store.location import Bucket
from tests.support import s3_servers
from tests.support.s3_servers import Fault, Proxy, S3Server

SPAWN = multiprocessing.get_context("spawn")
T0 = datetime(2023, 10, 11, 6, tzinfo=UTC)
NAME = ".nhl-lake/lease.json"


def make_lease(root: Bucket, who: str = "one") -> Lease:
    return Lease(root, NAME, {"command": who, "process": 1, "host": "h", "since": "2023-10-11T06:00:00"})


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases of two seconds: SeaweedFS measures time in seconds."""
    monkeypatch.setattr(lease, "LEASE_TTL", timedelta(seconds=2))
    monkeypatch.setattr(lease, "RENEW_EVERY_S", 0.3)


def test_one_of_many_takes_a_free_lease(bucket: Bucket):
    for n in range(3):
        root = bucket / str(n)
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(lambda n, root=root: make_lease(root, str(n)).acquire(), range(8))) == 1


def test_one_of_many_takes_an_expired_lease(bucket: Bucket, short: None):
    assert make_lease(bucket).acquire()
    assert not make_lease(bucket).acquire()
    time.sleep(3.5)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda n: make_lease(bucket, str(n)).acquire(), range(8))) == 1


def test_lease_is_never_taken_before_its_holder_sees_it_expire(bucket: Bucket, short: None):
    """The store's clock counts whole seconds: late in a second, two of its seconds are only a bit more than one."""
    time.sleep((0.8 - time.time()) % 1)
    held, other = make_lease(bucket, "held"), make_lease(bucket, "other")
    assert held.acquire()

    while not other.acquire():
        time.sleep(0.02)

    assert held.is_expired()


def test_renewed_lease_stays_and_released_lease_is_free(bucket: Bucket, short: None):
    held = make_lease(bucket)
    assert held.acquire()
    with held.hold():
        time.sleep(5)
        assert not make_lease(bucket).acquire()
    held.release()

    assert make_lease(bucket).acquire()
    assert [file.name for file in location.list_files(bucket)] == [NAME]


@pytest.mark.parametrize("step", ["take", "take over", "renew"])
def test_lease_with_a_lost_response_is_ours(
    step: str, seaweed: S3Server, start_proxy: Callable[[S3Server], Proxy], monkeypatch: pytest.MonkeyPatch, short: None
):
    proxy = start_proxy(seaweed)
    root = s3_servers.use_server(proxy.as_server(), monkeypatch)
    held = make_lease(root)
    lost = Fault("PUT", "lease.json", lost=True, times=1)
    if step == "take":
        proxy.faults.append(lost)
    elif step == "take over":
        assert make_lease(root, "dead").acquire()
        time.sleep(3.5)
        lost.path = "lease.json"
        lost.after = 1  # the first is the file that asks for the time
        proxy.faults += [lost]
    assert held.acquire()
    with held.hold():
        if step == "renew":
            proxy.faults.append(lost)
        time.sleep(3)
        assert not held.is_expired()
    assert lost.hits == 1
    held.release()
    assert make_lease(root).acquire()


def test_lease_taken_by_another_run_is_lost_and_not_released(bucket: Bucket, short: None):
    held, other = make_lease(bucket, "held"), make_lease(bucket, "other")
    assert held.acquire()
    time.sleep(3.5)
    assert other.acquire()

    with pytest.raises(LeaseLost), held.hold():
        time.sleep(1)
    held.release()

    assert b'"other"' in location.read_file(bucket, NAME)


def test_lease_that_cannot_be_renewed_expires(
    seaweed: S3Server, start_proxy: Callable[[S3Server], Proxy], monkeypatch: pytest.MonkeyPatch, short: None
):
    proxy = start_proxy(seaweed)
    root = s3_servers.use_server(proxy.as_server(), monkeypatch)
    held = make_lease(root)
    assert held.acquire()

    proxy.faults.append(Fault("PUT", "lease.json", status=403, body=s3_servers.DENIED))
    with pytest.raises(LeaseLost, match="could not renew it"), held.hold():
        time.sleep(2.5)


def test_error_names_the_holder_of_the_lease(bucket: Bucket):
    with (
        locks.hold_lock(bucket, "nhl-lake ingest", now=T0),
        pytest.raises(LakeLocked) as error,
        locks.hold_lock(bucket, "nhl-lake rebuild", now=T0, wait_s=0.1),
    ):
        pass

    assert "`nhl-lake ingest`" in error.value.message
    assert f"process {os.getpid()}" in error.value.message
    with locks.hold_lock(bucket, "nhl-lake rebuild", now=T0, wait_s=0):
        pass


def test_invalid_lease_has_a_clear_error(bucket: Bucket):
    location.write_file(bucket, NAME, b"no JSON")

    with pytest.raises(LakeLocked, match="in use by another run"), locks.hold_lock(bucket, "x", now=T0, wait_s=0):
        pass


def hold(root: Bucket, told: Any) -> None:
    lease.LEASE_TTL, lease.RENEW_EVERY_S = timedelta(seconds=2), 0.3
    try:
        with locks.hold_lock(root, "nhl-lake ingest", now=T0):
            told.send(os.getpid())
            told.recv()
            lease.require_lease(root)
    except LeaseLost as error:
        told.send(str(error))
    else:
        told.send("held")


def test_lease_of_a_killed_run_expires(bucket: Bucket, short: None):
    here, there = SPAWN.Pipe()
    holder = SPAWN.Process(target=hold, args=(bucket, there))
    holder.start()
    assert here.poll(60)
    os.kill(here.recv(), signal.SIGKILL)
    holder.join()

    with locks.hold_lock(bucket, "nhl-lake rebuild", now=T0, wait_s=20):
        pass


def test_run_that_slept_past_its_lease_writes_nothing(bucket: Bucket, short: None):
    here, there = SPAWN.Pipe()
    holder = SPAWN.Process(target=hold, args=(bucket, there))
    holder.start()
    try:
        assert here.poll(60)
        os.kill(pid := here.recv(), signal.SIGSTOP)
        with locks.hold_lock(bucket, "nhl-lake rebuild", now=T0, wait_s=20):
            here.send("go on")
            os.kill(pid, signal.SIGCONT)
            assert here.poll(20)
            assert "Another run may hold it now" in here.recv()
        assert not location.has_file(bucket, NAME)
    finally:
        holder.kill()
        holder.join()


@pytest.mark.parametrize("server", ["moto", "seaweed"])
def test_store_with_conditional_writes_passes_the_probe(
    server: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
):
    root = s3_servers.use_server(request.getfixturevalue(server), monkeypatch)

    probe_store(root)

    assert location.is_empty(root)


@pytest.mark.parametrize("header", ["If-None-Match", "If-Match"])
def test_store_that_ignores_conditions_is_refused_before_any_write(
    header: str, moto: S3Server, start_proxy: Callable[[S3Server], Proxy], monkeypatch: pytest.MonkeyPatch
):
    proxy = start_proxy(moto)
    proxy.dropped_headers = frozenset({header.lower()})
    root = s3_servers.use_server(proxy.as_server(), monkeypatch)

    with pytest.raises(LakeError) as error, locks.hold_lock(root, "nhl-lake ingest", now=T0):
        pytest.fail("the lake was entered")

    assert f"ignores `{header}`" in error.value.message
    assert "silently lose" in error.value.message
    assert location.is_empty(root)


def test_control_without_conditions_loses_a_write(
    moto: S3Server, start_proxy: Callable[[S3Server], Proxy], monkeypatch: pytest.MonkeyPatch
):
    proxy = start_proxy(moto)
    proxy.dropped_headers = frozenset({"if-none-match"})
    root = s3_servers.use_server(proxy.as_server(), monkeypatch)

    location.write_file(root, "commit", b"one", new=True)
    location.write_file(root, "commit", b"two", new=True)

    assert location.read_file(root, "commit") == b"two"


def test_renewing_thread_ends_with_the_run(bucket: Bucket):
    before = threading.active_count()
    with locks.hold_lock(bucket, "x", now=T0):
        pass
    assert threading.active_count() == before
