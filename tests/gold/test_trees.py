"""Boosted trees: the sum for many rows is that of a walk through each tree, row by row."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhl_lake.gold.measures.trees import MAX_LEAVES, Tree, is_complete_tree, make_forest, sum_trees

FEATURES = 3
VALUES = [-1.5, 0.0, 0.5, 2.0]  # few, so that rows lie on thresholds


def grow_tree(seed: int, splits: int) -> Tree:
    """Return a tree of any shape: each split divides one of the leaves."""
    chance = random.Random(seed)
    nodes: list[list] = [[-1, 0.0, 0, 0, False, chance.random()]]
    for _ in range(splits):
        leaf = chance.choice([number for number, node in enumerate(nodes) if node[0] < 0])
        size = len(nodes)
        nodes[leaf] = [chance.randrange(FEATURES), chance.choice(VALUES), size, size + 1, chance.random() < 0.5, 0.0]
        nodes += [[-1, 0.0, 0, 0, False, chance.random()] for _ in range(2)]
    return Tree(*(tuple(values) for values in zip(*nodes, strict=True)))


def walk(tree: Tree, row: list[float]) -> float:
    """Return the value of the leaf that a row falls into, from the root downward."""
    node = 0
    while tree.feature[node] >= 0:
        value = row[tree.feature[node]]
        goes_left = tree.unknown_left[node] if math.isnan(value) else value <= tree.threshold[node]
        node = (tree.left if goes_left else tree.right)[node]
    return tree.value[node]


value = st.sampled_from([*VALUES, -9.0, 0.25, 9.0, math.nan, math.inf, -math.inf])
rows = st.lists(st.lists(value, min_size=FEATURES, max_size=FEATURES), max_size=30)


@given(shapes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, MAX_LEAVES - 1)), max_size=4), rows=rows)
def test_sum_is_that_of_a_walk_through_each_tree(shapes: list[tuple[int, int]], rows: list[list[float]]):
    trees = [grow_tree(seed, splits) for seed, splits in shapes]
    columns = [np.array([row[feature] for row in rows]) for feature in range(FEATURES)]

    found = sum_trees(make_forest(trees), columns, 0.25)

    assert found.tolist() == [sum((walk(tree, row) for tree in trees), 0.25) for row in rows]


@pytest.mark.parametrize("splits", [MAX_LEAVES - 1, MAX_LEAVES])
def test_tree_with_too_many_leaves_is_not_complete(splits: int):
    assert is_complete_tree(grow_tree(1, splits), FEATURES) is (splits < MAX_LEAVES)
