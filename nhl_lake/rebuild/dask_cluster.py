"""Run build tasks on a Dask cluster. The scheduler repeats the tasks of lost workers."""

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
TLS_HINT = (
    "Set distributed.comm.tls.ca-file, .client.cert and .client.key in ~/.config/dask: see docs/how-to/cluster.md."
)
TASK_RETRIES = 5  # for a task whose worker was lost


@contextmanager
def open_dask_executor(address: str, root: Location, *, memory: int | None) -> Iterator[Executor]:
    """Run tasks on the workers of a cluster. All need the same program and must see the same lake.

    memory: the bytes that each worker thread may use.
    """
    client = connect_client(address)
    try:
        require_same_environment(client, address, root)
        workers = sum(worker["nthreads"] for worker in client.scheduler_info(n_workers=-1)["workers"].values())

        def run_tasks(tasks: Sequence[BuildTask], table: Table) -> Iterator[BuildResult]:
            yield from run_dask_tasks(client, address, tasks, table)

        yield Executor(max(workers, 2), memory, run_tasks)
    finally:
        client.close(timeout=5)


def connect_client(address: str) -> "Client":
    """Return a client of the scheduler at an address."""
    try:
        from distributed import Client, Security  # noqa: PLC0415 - it is not installed with the program
    except ImportError as error:
        raise BadInput(
            "A cluster needs Dask, which is not installed.", "Run `pip install 'nhl-lake[cluster]'`."
        ) from error
    if address.startswith("tls:"):
        try:
            has_certificates = Security().get_connection_args("client").get("ssl_context") is not None
        except OSError as error:  # no such file, or not a certificate
            raise BadInput(f"Dask's TLS settings cannot be used: {summarize_error(error)}", TLS_HINT) from error
        if not has_certificates:
            raise BadInput(f"{address} needs certificates, and Dask's settings name none.", TLS_HINT)
    try:
        return Client(address, timeout=CONNECT_TIMEOUT, set_as_default=False)
    except (OSError, ValueError) as error:  # OSError includes time-outs
        raise LakeError(
            f"There is no Dask scheduler at {address}: {summarize_error(error)}",
            "No changes were made. Start one with `dask scheduler`, or leave out --cluster to rebuild on this machine.",
        ) from error


def require_same_environment(client: "Client", address: str, root: Location) -> None:
    """Raise unless there are workers, and each has this program and its libraries and sees this lake."""
    found: dict[str, Any] = client.run(describe_environment, root)
    if not found:
        raise LakeError(f"The scheduler at {address} has no workers.", f"Run `dask worker {address}` on each machine.")
    expected = describe_environment(root)
    for worker, actual in found.items():
        differences = [
            f"{name} {actual.get(name)}, here {value}" for name, value in expected.items() if actual.get(name) != value
        ]
        if differences:
            raise LakeError(
                f"The worker {worker} differs: {'; '.join(differences)}.",
                "No changes were made. All machines need the same program, libraries and lake: "
                "see docs/how-to/cluster.md.",
            )


def describe_environment(root: Location) -> dict[str, str]:
    """Return a machine's software, and the id of the lake that it sees at a location."""
    try:
        lake_id = str(delta_tables.open_table(root, ledger.META).metadata().id)
    except TableNotFound:
        lake_id = "none"
    return describe_software() | {f"the lake at {root}": lake_id}


def run_dask_tasks(client: "Client", address: str, tasks: Sequence[BuildTask], table: Table) -> Iterator[BuildResult]:
    """Run tasks on the workers, and yield the results as they arrive."""
    from distributed import CancelledError, as_completed  # noqa: PLC0415
    from distributed.comm import CommClosedError  # noqa: PLC0415
    from distributed.scheduler import KilledWorker  # noqa: PLC0415

    # not pure: a task that ran before must run again, because its files are new
    futures = client.map(run_named_task, tasks, pure=False, retries=TASK_RETRIES)
    try:
        for future in as_completed(futures, loop=client.loop):
            yield future.result()
    except KilledWorker as error:
        raise LakeError(
            f"{table.name}: a task killed several workers: {summarize_error(error)}",
            "The table is unchanged. Give workers more memory, or let each task use less: --memory 1GB.",
        ) from error
    except (CancelledError, CommClosedError, OSError) as error:
        if client.status == "running" and not isinstance(error, CancelledError):
            raise  # a worker's own error, such as a full disk or an S3 error
        raise LakeError(
            f"{table.name}: the scheduler at {address} was lost: {summarize_error(error)}",
            "The table is unchanged; earlier tables are done. Start a scheduler, then run the same command again.",
        ) from error
