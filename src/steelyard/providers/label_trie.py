"""Which label is most probable, asking the model as little as possible. Knows no engine.

The labels' tokens form a trie. A label's score is the sum of the log-probabilities of its tokens, minus its
prior where priors are given; no end token is counted, so a label that is the beginning of another is never the
less probable of the two without priors. Adding a token can only lower a log-probability, hence an open node
bounds every label below it by its own log-probability minus the smallest prior among them. Best-first search
ends when no open node can still beat the best finished label: the answer is the exact argmax.

The caller evaluates: `next_runs` names nodes whose next-token log-probabilities are needed, `tell` takes them.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


@dataclass(eq=False)
class Node:
    """A place in the trie: `token` leads here from `parent`; `labels` (indices) end exactly here."""

    token: int = -1
    depth: int = 0
    parent: Node | None = None
    children: dict[int, Node] = field(default_factory=dict)
    labels: list[int] = field(default_factory=list)

    @property
    def inner(self) -> bool:
        """Whether the model must be asked what follows this node."""
        return bool(self.children)

    def path(self) -> list[Node]:
        """From the first node below the root to this one."""
        nodes: list[Node] = []
        node: Node | None = self
        while node is not None and node.parent is not None:
            nodes.append(node)
            node = node.parent
        return nodes[::-1]


class Trie:
    """The labels' token sequences as a tree. Labels with equal tokens share a node."""

    def __init__(self, label_tokens: Sequence[Sequence[int]]) -> None:
        """`label_tokens[i]` are the tokens of label i, at least one each (ValueError otherwise)."""
        self.root = Node()
        self.count = len(label_tokens)
        for index, tokens in enumerate(label_tokens):
            if not tokens:
                raise ValueError(f"label {index} has no tokens")
            node = self.root
            for token in tokens:
                if token not in node.children:
                    node.children[token] = Node(token, node.depth + 1, node)
                node = node.children[token]
            node.labels.append(index)
        self.inner_nodes = [node for node in self.walk() if node.inner and node.parent is not None]

    def root_run(self) -> list[Node]:
        """The inner only-children below the root: all labels go through them."""
        return self.run(self.root)[1:]

    @staticmethod
    def run(node: Node) -> list[Node]:
        """A node and the inner only-children below it."""
        nodes = [node]
        while len(nodes[-1].children) == 1:
            (child,) = nodes[-1].children.values()
            if not child.inner:
                break
            nodes.append(child)
        return nodes

    def walk(self) -> Iterator[Node]:
        """Every node, parents first."""
        stack = [self.root]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children.values()))


@dataclass(frozen=True, eq=False)
class Run:
    """Nodes to evaluate in one go: a node and the inner only-children below it."""

    nodes: tuple[Node, ...]


class Search:
    """One item's search. `best` is -1 until a label is finished; ties go to the label named first.

    `full` evaluates every inner node, which gives every label its score.
    """

    def __init__(self, trie: Trie, priors: Sequence[float] | None = None, *, full: bool = False) -> None:
        self.trie = trie
        self.priors = tuple(priors) if priors is not None else (0.0,) * trie.count
        self.full = full
        self.best = -1
        self.best_score = -math.inf
        self.scores = [-math.inf] * trie.count
        self.asked = 0
        self._slack = self._smallest_priors()
        self._order = 0
        self._told: dict[Node, float] = {}
        self._open: list[tuple[float, int, float, Node]] = []
        self._push(trie.root, 0.0)

    def _smallest_priors(self) -> dict[Node, float]:
        """Per inner node the smallest prior among the labels strictly below it."""
        smallest: dict[Node, float] = {}
        for node in reversed(list(self.trie.walk())):
            below = [
                min([self.priors[index] for index in child.labels] + [smallest.get(child, math.inf)])
                for child in node.children.values()
            ]
            if below:
                smallest[node] = min(below)
        return smallest

    def _push(self, node: Node, log_probability: float) -> None:
        bound = log_probability - self._slack[node]
        self._order += 1
        heapq.heappush(self._open, (-bound, self._order, log_probability, node))

    @property
    def done(self) -> bool:
        """Whether no open node can still change the answer."""
        return not self._open or (not self.full and -self._open[0][0] < self.best_score)

    def bound(self) -> float:
        """The best score that an open node may still lead to."""
        return -self._open[0][0] if self._open else -math.inf

    def next_runs(self, width: int) -> list[Run]:
        """Up to `width` of the most promising open runs; they are no longer open and must be told."""
        runs: list[Run] = []
        while len(runs) < width and not self.done:
            _, _, log_probability, node = heapq.heappop(self._open)
            self._told[node] = log_probability
            runs.append(Run(tuple(self.trie.run(node))))
        return runs

    def tell(self, run: Run, log_probabilities: Sequence[Sequence[float]]) -> None:
        """For each node of a run, the log-probabilities of its children's tokens, in the children's order."""
        reached = self._told.pop(run.nodes[0])
        successors = (*run.nodes[1:], None)
        for node, successor, row in zip(run.nodes, successors, log_probabilities, strict=True):
            self.asked += 1
            before = reached
            for child, log_probability in zip(node.children.values(), row, strict=True):
                after = before + min(log_probability, 0.0)
                for index in child.labels:
                    self._finish(index, after - self.priors[index])
                if child is successor:
                    reached = after
                elif child.inner:
                    self._push(child, after)

    def _finish(self, index: int, score: float) -> None:
        self.scores[index] = score
        better = score > self.best_score or self.best < 0  # minus infinity is the best of labels that all have it
        if better or (score == self.best_score and index < self.best):
            self.best, self.best_score = index, score
