"""Labels of which some have become one: a union-find, as wherever a delta joins two labels or factors share one."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence


class UnionFind:
    """Labels of which some are one: the least of them stands for all.

    Every label is known from the start, as one of its own (R. Tarjan, "Efficiency of a good but not linear set union
    algorithm", 1975; here with path compression alone, since the least label has to be the root).

    >>> labels = UnionFind()
    >>> labels.join(3, 1)
    >>> labels.join(2, 3)
    >>> labels.find(2), labels.find(0), labels.classes(range(4))
    (1, 0, [[0], [1, 2, 3]])
    """

    __slots__ = ("parent",)

    def __init__(self) -> None:
        self.parent: dict[int, int] = {}

    def find(self, label: int) -> int:
        """The label that stands for all those joined with this one."""
        parent = self.parent
        if label not in parent:
            return label
        root = parent[label]
        while root in parent:
            root = parent[root]
        while label != root:
            parent[label], label = root, parent[label]
        return root

    def join(self, a: int, b: int) -> None:
        """Two labels are one, as where a delta is eliminated."""
        a, b = self.find(a), self.find(b)
        if a != b:
            self.parent[max(a, b)] = min(a, b)

    def classes(self, labels: Iterable[int]) -> list[list[int]]:
        """These labels in the groups of those that are one, in order of their first labels."""
        groups: dict[int, list[int]] = {}
        for label in labels:
            groups.setdefault(self.find(label), []).append(label)
        return list(groups.values())


def alike(rows: Sequence[Hashable]) -> list[tuple[int, ...]]:
    """The places of equal rows, where there are several.

    >>> alike("abacb")
    [(0, 2), (1, 4)]
    """
    groups = [tuple(k for k, other in enumerate(rows) if other == row) for row in dict.fromkeys(rows)]
    return [group for group in groups if len(group) > 1]
