"""The workers of a Dask cluster as a crew: each job is a task; lost workers are the scheduler's to replace."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nhl_lake.errors import BadInput, LakeError, TableNotFound, summarize_error
from nhl_lake.rebuild.build import BuildResult, BuildTask
from nhl_lake.rebuild.executors import Executor, describe_software, run_named_task
from nhl_lake.schema import ledger
from nhl_lake.schema.table import Table
from nhl_lake.store import delta_tables
from nhl_lake.store.location import Location

if TYPE_CHECKING:
    from distributed import Client

CONNECT_TIMEOUT = "15s"
TASK_RETRIES = 5  # of a task whose worker is gone


@contextmanager
def open_dask_executor(address: str, root: Location, *, memory: int | None) -> Iterator[Executor]:
    """Have slices made by the workers of a cluster, each with the same program, and the same lake before its eyes.

    `memory` is what each thread of a worker may take, in bytes.
    """
    client = connect_client(address)
    try:
        require_same_environment(client, address, root)
        hands = sum(worker["nthreads"] for worker in client.scheduler_info(n_workers=-1)["workers"].values())

        def do(jobs: Sequence[BuildTask], table: Table) -> Iterator[BuildResult]:
            yield from run_dask_tasks(client, address, jobs, table)

        yield Executor(max(hands, 2), memory, do)
    finally:
        client.close(timeout=5)


def connect_client(address: str) -> "Client":
    """Return a client of the scheduler at an address."""
    try:
        from distributed import Client  # noqa: PLC0415 - it is not installed with the program
    except ImportError as error:
        raise BadInput(
            "A cluster needs Dask, which is not installed.", "`pip install 'nhl-lake[cluster]'` brings it."
        ) from error
    try:
        return Client(address, timeout=CONNECT_TIMEOUT, set_as_default=False)
    except (OSError, ValueError) as error:  # time-outs are of the first kind
        raise LakeError(
            f"There is no Dask scheduler at {address}: {summarize_error(error)}",
            "Nothing was changed. `dask scheduler` starts one; without --cluster the rebuild is made on this machine.",
        ) from error


def require_same_environment(client: "Client", address: str, root: Location) -> None:
    """Raise unless there are workers, and each has this program, these libraries, and sees this lake."""
    found: dict[str, Any] = client.run(describe_environment, root)
    if not found:
        raise LakeError(
            f"The scheduler at {address} has no workers.", f"`dask worker {address}` starts one, on each machine."
        )
    mine = describe_environment(root)
    for worker, theirs in found.items():
        other = [
            f"{name} {theirs.get(name)}, here {value}" for name, value in mine.items() if theirs.get(name) != value
        ]
        if other:
            raise LakeError(
                f"The worker {worker} differs: {'; '.join(other)}.",
                "Nothing was changed. All machines need the same program, libraries and lake: see docs/CLUSTER.md.",
            )


def describe_environment(root: Location) -> dict[str, str]:
    """Return what a machine has of the program, and which lake it sees at a place."""
    try:
        of = str(delta_tables.open_table(root, ledger.META).metadata().id)
    except TableNotFound:
        of = "none"
    return describe_software() | {f"the lake at {root}": of}


def run_dask_tasks(client: "Client", address: str, jobs: Sequence[BuildTask], table: Table) -> Iterator[BuildResult]:
    """Have jobs done by the workers, and yield what came of them as it comes."""
    from distributed import CancelledError, as_completed  # noqa: PLC0415
    from distributed.comm import CommClosedError  # noqa: PLC0415
    from distributed.scheduler import KilledWorker  # noqa: PLC0415

    # a job that was done before is one to be done all the same: its files are new ones
    futures = client.map(run_named_task, jobs, pure=False, retries=TASK_RETRIES)
    try:
        for future in as_completed(futures, loop=client.loop):
            yield future.result()
    except KilledWorker as error:
        raise LakeError(
            f"{table.name}: a job took down one worker after the other: {summarize_error(error)}",
            "The table is as before. Give workers more memory, or each job less: --memory 1GB.",
        ) from error
    except (CancelledError, CommClosedError, OSError) as error:
        if client.status == "running" and not isinstance(error, CancelledError):
            raise  # a worker's own trouble: a full disk, a store that is away
        raise LakeError(
            f"{table.name}: the scheduler at {address} was lost: {summarize_error(error)}",
            "The table is as before, those made before it stand. Run the same again when there is a scheduler.",
        ) from error
