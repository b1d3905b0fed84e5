"""Who makes the slices of tables: this process alone, some processes beside it, or the workers of a cluster."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from nhl_lake.making import Done, Job, work
from nhl_lake.table import Table

Do = Callable[[Sequence[Job], Table], Iterator[Done]]


class Crew(NamedTuple):
    """Who makes slices: how many hands there are, how many bytes each may take, and the way to have jobs done."""

    hands: int
    memory: int | None
    do: Do


def alone(jobs: Sequence[Job], table: Table) -> Iterator[Done]:
    """Do jobs here, one after the other."""
    for job in jobs:
        yield work(job, table)


ALONE = Crew(1, None, alone)
