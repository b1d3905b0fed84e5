"""Store pages with dlt: one resource, upserted by its key into a Delta table. peers.py runs this where dlt is
installed.

This is the fastest way in dlt's documentation: as many threads as the others have requests at once, and one text column
per page, without unpacking lists into tables.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
from deltalake import DeltaTable
from dlt.sources.helpers.requests import Client

KEPT = {"disposition": "merge", "strategy": "upsert"}


@dlt.resource(name="pages", primary_key="url", write_disposition=KEPT, table_format="delta")
def pages(addresses: list[str]) -> Iterator[Any]:
    """Yield the requested pages."""

    client = Client(raise_for_status=False)

    @dlt.defer
    def page(address: str) -> dict[str, str] | None:
        answer = client.get(address)
        return {"url": address, "body": answer.text} if answer.ok else None

    for address in addresses:
        yield page(address)


def main() -> None:
    """Store the pages of a list of URLs, and print the seconds and the number of stored pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("addresses", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--concurrency", type=int, required=True)
    arguments = parser.parse_args()
    dlt.config["extract.workers"] = arguments.concurrency
    dlt.config["runtime.dlthub_telemetry"] = False
    began = time.perf_counter()
    pipeline = dlt.pipeline(
        "season",
        pipelines_dir=str(arguments.folder / "work"),
        destination=dlt.destinations.filesystem(arguments.folder.as_uri()),
        dataset_name="lake",
    )
    pipeline.run(pages(arguments.addresses.read_text().splitlines()))
    seconds = time.perf_counter() - began
    stored = DeltaTable(arguments.folder / "lake" / "pages").to_pyarrow_table(columns=["url"])
    print(json.dumps({"seconds": seconds, "pages": stored.num_rows, "version": dlt.__version__}), flush=True)
    os._exit(0)  # threads left by pyarrow sometimes end the process with a signal


if __name__ == "__main__":
    main()
