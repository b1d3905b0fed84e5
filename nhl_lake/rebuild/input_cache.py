"""What several tables of a rebuild read: small inputs, each read and checked once, and the sizes of their seasons."""

from collections.abc import Callable

import polars as pl

from nhl_lake.store.file_commit import PartitionSize

MAX_BYTES = 100 * 10**6  # of all frames in memory


class InputCache:
    """The cache of one rebuild. A process that works for a rebuild gets an empty one."""

    def __init__(self) -> None:
        self._frames: dict[tuple[object, ...], pl.DataFrame] = {}
        self._sizes: dict[tuple[object, ...], dict[str | None, PartitionSize]] = {}
        self._bytes = 0

    def __reduce__(self) -> tuple[type["InputCache"], tuple[()]]:
        return InputCache, ()

    def read_frame(self, key: tuple[object, ...], read: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        """Return the rows under a key: those that were read before, or what `read` returns."""
        if (found := self._frames.get(key)) is not None:
            return found
        rows = read()
        size = int(rows.estimated_size())
        if self._bytes + size > MAX_BYTES:
            self._frames.clear()
            self._bytes = 0
        if size <= MAX_BYTES:
            self._frames[key] = rows
            self._bytes += size
        return rows

    def read_sizes(
        self, key: tuple[object, ...], read: Callable[[], dict[str | None, PartitionSize]]
    ) -> dict[str | None, PartitionSize]:
        """Return the sizes of the seasons of a table's version: those that were read before, or what `read` returns."""
        if key not in self._sizes:
            self._sizes[key] = read()
        return self._sizes[key]
