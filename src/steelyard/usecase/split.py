"""Dev and test from one file: the same rows give the same split on every machine, in whatever order they stand.

The order is a hash of content and seed, so that a new row moves few of the old ones.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence

from steelyard.usecase.dataset import Sample
from steelyard.usecase.leaks import normalised

Group = list[int]


def split(samples: Sequence[Sample], test_share: float, seed: int) -> tuple[list[Sample], list[Sample]]:
    """(dev, test), each in file order and stratified by label.

    Samples of one cluster, and exact duplicates, stay on one side. Every label with two samples or more stands in
    dev; where clusters are large, that and their size may take the test's share below `test_share`.
    """
    groups = sorted(_groups(samples), key=lambda group: min(_rank(samples[n], seed) for n in group))
    strata: dict[str, list[Group]] = defaultdict(list)
    for group in groups:
        most = Counter(samples[n].target for n in group).most_common()
        strata[min(label for label, count in most if count == most[0][1])].append(group)
    chosen: list[Group] = []
    owed = 0.0
    for label in sorted(strata):
        size = sum(map(len, strata[label]))
        owed += test_share * size
        quota = min(round(owed), size - 1) if size > 1 else round(owed)
        for group in strata[label]:
            if len(group) <= quota:
                chosen.append(group)
                quota -= len(group)
                owed -= len(group)
        owed = max(-1.0, min(owed, 1.0))  # what large clusters left open must not fall on the next label
    test = {n for group in _shown(samples, chosen) for n in group}
    return (
        [sample for n, sample in enumerate(samples) if n not in test],
        [sample for n, sample in enumerate(samples) if n in test],
    )


def thin(samples: Sequence[Sample], limit: int | None, seed: int, *, cover: bool = False) -> list[Sample]:
    """At most `limit` samples in file order, each label in its proportion; `cover` takes one of each label first.

    The k-th of a label's n samples (in hash order) comes at (k + u) / n, u being its own hash in [0, 1): a
    systematic sample of every label at once.
    """
    if limit is None or len(samples) <= limit:
        return list(samples)
    by_label: dict[str, list[int]] = defaultdict(list)
    ranks = [_rank(sample, seed) for sample in samples]
    for n in sorted(range(len(samples)), key=lambda n: (ranks[n], samples[n].id)):
        by_label[samples[n].target].append(n)
    order: list[tuple[bool, float, int]] = []
    for members in by_label.values():
        for k, n in enumerate(members):
            order.append((not (cover and k == 0), (k + int(ranks[n][:13], 16) / 16**13) / len(members), n))
    return [samples[n] for n in sorted(n for _, _, n in sorted(order)[:limit])]


def _rank(sample: Sample, seed: int) -> str:
    return hashlib.sha256(f"{seed}\0{sample.sha256}".encode()).hexdigest()


def _groups(samples: Sequence[Sample]) -> list[Group]:
    """Samples that must stay together: the same cluster or the same normalised input, directly or through others."""
    parent = list(range(len(samples)))

    def root(n: int) -> int:
        while parent[n] != n:
            parent[n] = parent[parent[n]]
            n = parent[n]
        return n

    first: dict[tuple[str, str], int] = {}
    for n, sample in enumerate(samples):
        keys = [("text", normalised(sample.input))] + ([("cluster", sample.cluster)] if sample.cluster else [])
        for key in keys:
            parent[root(n)] = root(first.setdefault(key, n))
    members: dict[int, Group] = defaultdict(list)
    for n in range(len(samples)):
        members[root(n)].append(n)
    return list(members.values())


def _shown(samples: Sequence[Sample], chosen: list[Group]) -> list[Group]:
    """The chosen groups without those that dev needs, so that no label of two samples or more is missing there."""
    total = Counter(sample.target for sample in samples)
    tested = Counter(samples[n].target for group in chosen for n in group)
    kept: list[Group] = []
    for group in reversed(chosen):
        if any(total[samples[n].target] > 1 and tested[samples[n].target] == total[samples[n].target] for n in group):
            tested.subtract(samples[n].target for n in group)
        else:
            kept.append(group)
    return kept
