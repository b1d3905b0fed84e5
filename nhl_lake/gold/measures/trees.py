"""Boosted regression trees as data, and their sum for many rows at once.

A row could walk through each tree from its root. It is faster to ask which nodes send it to the right: the leaves to
the left of these nodes are out of reach, and the row falls into the first leaf that remains. A leaf is a bit, so a tree
of any shape takes one lookup for each of its features (the idea is that of QuickScorer, Lucchese et al. 2015).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import msgspec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Integers: TypeAlias = NDArray[np.int64]
    Bits: TypeAlias = NDArray[np.uint64]

MAX_LEAVES = 64  # a bit each


class Tree(msgspec.Struct, frozen=True, array_like=True):
    """A regression tree as lists by node: node 0 is the root. A leaf has feature -1.

    A row goes left where its feature is at most the threshold, and where it is unknown if `unknown_left` says so.
    """

    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    unknown_left: tuple[bool, ...]
    value: tuple[float, ...]


class TreeBits(NamedTuple):
    """A tree, ready to be applied.

    reachable: for each of its features, the bits of the leaves that are in reach, by the bin of the row. A bin is the
    number of thresholds below the value; the last bin is that of unknown values. values: the value of each leaf.
    """

    reachable: "dict[int, Bits]"
    values: "Floats"


class Forest(NamedTuple):
    """Trees, ready to be applied, and the thresholds of each of their features in increasing order."""

    thresholds: "dict[int, Floats]"
    trees: Sequence[TreeBits]


def is_complete_tree(tree: Tree, features: int) -> bool:
    """Whether each node of a tree is a leaf, or has one of the features and two later nodes."""
    size = len(tree.feature)
    return (
        size > 0
        and all(len(values) == size for values in msgspec.structs.astuple(tree))
        and tree.feature.count(-1) <= MAX_LEAVES
        and all(
            feature < 0 or (feature < features and node < min(left, right) and max(left, right) < size)
            for node, (feature, left, right) in enumerate(zip(tree.feature, tree.left, tree.right, strict=True))
        )
    )


def make_forest(trees: Sequence[Tree]) -> Forest:
    """Return trees, ready to be applied."""
    import numpy as np  # noqa: PLC0415 - takes a tenth of a second, and only a rebuild needs it

    found: dict[int, set[float]] = {}
    for tree in trees:
        for feature, threshold in zip(tree.feature, tree.threshold, strict=True):
            if feature >= 0:
                found.setdefault(feature, set()).add(threshold)
    thresholds = {feature: np.array(sorted(values)) for feature, values in found.items()}
    return Forest(thresholds, [make_tree_bits(tree, thresholds) for tree in trees])


def make_tree_bits(tree: Tree, thresholds: "dict[int, Floats]") -> TreeBits:
    """Return a tree, ready to be applied."""
    import numpy as np  # noqa: PLC0415

    leaves: list[int] = []
    reachable: dict[int, Bits] = {}
    every = np.uint64(2**64 - 1)

    def number_leaves(node: int) -> None:
        """Number the leaves below a node from left to right. Those to the left are out of reach for some bins."""
        feature = tree.feature[node]
        if feature < 0:
            leaves.append(node)
            return
        first = len(leaves)
        number_leaves(tree.left[node])
        to_the_left = np.uint64(sum(1 << leaf for leaf in range(first, len(leaves))))
        number_leaves(tree.right[node])
        edges = thresholds[feature]
        bits = reachable.setdefault(feature, np.full(len(edges) + 2, every))
        bits[np.searchsorted(edges, tree.threshold[node]) + 1 : -1] &= ~to_the_left
        if not tree.unknown_left[node]:
            bits[-1] &= ~to_the_left

    number_leaves(0)
    return TreeBits(reachable, np.array([tree.value[leaf] for leaf in leaves]))


def find_bins(values: "Floats", thresholds: "Floats") -> "Integers":
    """Return how many thresholds are below each value; for an unknown value (NaN), one more than there are."""
    import numpy as np  # noqa: PLC0415

    bins = np.searchsorted(thresholds, values)
    bins[np.isnan(values)] = len(thresholds) + 1
    return bins


def sum_trees(forest: Forest, columns: "Sequence[Floats]", start: float) -> "Floats":
    """Return the sum of the trees for each row, plus a start. Columns are the features in order; unknown is NaN.

    The sum is in the order of the trees, so a row has the same sum among any others.
    """
    import numpy as np  # noqa: PLC0415

    bins = {feature: find_bins(columns[feature], edges) for feature, edges in forest.thresholds.items()}
    total = np.full(len(columns[0]), start)
    for tree in forest.trees:
        bits = np.full(len(total), np.uint64(2**64 - 1))
        for feature, reachable in tree.reachable.items():
            bits &= reachable[bins[feature]]
        first = bits & (~bits + np.uint64(1))  # the lowest bit alone
        total += tree.values[np.frexp(first.astype(np.float64))[1] - 1]
    return total
