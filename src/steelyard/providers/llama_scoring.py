"""Label scoring on llama.cpp: shared prefix kept, several items at once, every token evaluated once.

Sequence 0 of the context holds the last used prefix. Each item of a group has a sequence of its own, and each
evaluated run of the label trie gets one that shares the item's cells. Runs' sequences are a cache: when they
run out, the least promising is dropped, and what is needed of its path is decoded again.

Prompts are tokenised whole, prefix and item together; what is shared is the longest common run of tokens. Where
a label's first characters change the last tokens of its prompt, the trie starts before those tokens, so that
all labels are continuations of the same tokens.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from steelyard.errors import Fault, ProviderError
from steelyard.providers.label_trie import Node, Run, Search, Trie
from steelyard.providers.llama_engine import CELLS_STEP, Batch, Context, Floats, Model
from steelyard.providers.llama_wire import Score

WIDTH = 1
MAX_TRIES = 64
MAX_ROWS = 256


@dataclass(frozen=True)
class Prepared:
    """An item ready to be scored: the tokens that all labels continue, and the search over the labels."""

    item: Score
    tokens: list[int]
    search: Search


@dataclass(frozen=True)
class ItemScores:
    """One item's result. `asked_tokens` counts the label tokens that were decoded for it."""

    best: int
    best_score: float
    scores: tuple[float, ...] | None
    prompt_tokens: int
    cached_tokens: int
    asked_tokens: int


@dataclass(eq=False)
class _State:
    """One item while it is being scored.

    `held` maps a decoded node of the trie to the sequence whose beginning is the path to it; `known` maps an
    evaluated one to the log-probabilities of its children.
    """

    tokens: list[int]
    search: Search
    sequence: int
    shared: int = 0
    asked: int = 0
    held: dict[Node, int] = field(default_factory=dict)
    known: dict[Node, list[float]] = field(default_factory=dict)
    wanted: list[Run] = field(default_factory=list)

    def advance(self) -> list[Run]:
        """Tell the search all that is known; the runs to decode next, none when the item is done."""
        for run in self.wanted:
            self._tell(run)
        self.wanted = []
        while len(self.wanted) < WIDTH and (runs := self.search.next_runs(1)):
            if all(node in self.known for node in runs[0].nodes):
                self._tell(runs[0])
            else:
                self.wanted += runs
        return self.wanted

    def _tell(self, run: Run) -> None:
        self.search.tell(run, [self.known[node] for node in run.nodes])


class _Work:
    """A batch being filled, and whose nodes' logits are in which of its rows."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.batch = Batch()
        self.rows: list[tuple[_State, Node, int]] = []

    def room(self, tokens: int) -> None:
        """Decode what is there if so many more tokens would not fit."""
        if len(self.batch) + tokens > self.context.batch_tokens or len(self.rows) + tokens > MAX_ROWS:
            self.flush()

    def add(self, token: int, position: int, sequences: Sequence[int]) -> None:
        """A token whose logits nobody needs."""
        if len(self.batch) >= self.context.batch_tokens:
            self.flush()
        self.batch.add(token, position, sequences, False)

    def ask(self, state: _State, node: Node, token: int, position: int, sequences: Sequence[int]) -> None:
        """A token that leads to a node of the trie."""
        self.rows.append((state, node, self.batch.add(token, position, sequences, True)))
        state.asked += node.parent is not None

    def flush(self) -> None:
        """Decode, and note the log-probabilities in the states."""
        if len(self.batch):
            self.context.decode(self.batch)
        for state, node, row in self.rows:
            state.known[node] = log_probabilities(self.context.logits(row), list(node.children))
        self.batch, self.rows = Batch(), []


class Scorer:
    """Scores groups of items that share a prefix."""

    def __init__(self, model: Model, context: Context) -> None:
        self.model = model
        self.context = context
        self.prefix: list[int] = []
        self._tries: OrderedDict[tuple[str, tuple[str, ...]], tuple[int, Trie]] = OrderedDict()
        self._epoch = 0
        self._prefix_text = ""
        self._prefix_tokens: list[int] = []
        self._free: list[int] = []

    def prepare(self, item: Score) -> Prepared:
        """Tokenise an item.

        Raises ProviderError: BAD_REQUEST for labels or prompts that cannot be scored, TOO_LONG for those that do
        not fit the context.
        """
        if not item.labels:
            raise ProviderError(Fault.BAD_REQUEST, "there are no labels to score")
        prompt = self.model.tokenise(item.prefix + item.prompt)
        cut, trie = self._trie(item, prompt)
        tokens = prompt[: len(prompt) - cut]
        if not tokens:
            raise ProviderError(Fault.BAD_REQUEST, "an empty prompt cannot be continued")
        longest = len(tokens) + max((node.depth for node in trie.walk()), default=0)
        if longest > self.model.limit:
            raise ProviderError(
                Fault.TOO_LONG,
                f"prompt and label have {longest} tokens; the context holds {self.model.limit}",
            )
        return Prepared(item, tokens, Search(trie, item.priors, full=item.full))

    def _trie(self, item: Score, prompt: Sequence[int]) -> tuple[int, Trie]:
        """How many of the prompt's last tokens the labels change, and the labels' trie from there on.

        Both depend on the prompt's last line only, because tokenisers merge nothing across a line break that
        stands before a non-blank character. So they are worked out, on the whole prompt, once per last line;
        where the labels would change tokens before that line, the result is not kept.
        """
        text = item.prefix + item.prompt
        line = text.rfind("\n")
        ending = text[line:] if line >= 0 and text[line:].strip() else text
        key = (ending, item.labels)
        if key in self._tries:
            self._tries.move_to_end(key)
            return self._tries[key]
        whole = [self.model.tokenise(text + label) for label in item.labels]
        start = min(_common(prompt, tokens) for tokens in whole)
        _check_labels(item.labels, whole, prompt)
        known = len(prompt) - start, Trie([tokens[start:] for tokens in whole])
        if known[0] < len(self.model.tokenise(ending)):
            self._tries[key] = known
        if len(self._tries) > MAX_TRIES:
            self._tries.popitem(last=False)
        return known

    def group(self, items: Sequence[Prepared]) -> list[ItemScores]:
        """Score prepared items with one prefix; at most half as many as the context has sequences."""
        states = [_State(one.tokens, one.search, 1 + place) for place, one in enumerate(items)]
        if items[0].item.prefix != self._prefix_text:
            self._prefix_text = items[0].item.prefix
            self._prefix_tokens = self.model.tokenise(self._prefix_text) if self._prefix_text else []
        shared = min(_common(self._prefix_tokens, state.tokens) for state in states)
        cells = max(shared, len(self.prefix)) + sum(
            len(state.tokens) - shared + len(state.search.trie.inner_nodes) + 8 for state in states
        )
        self.context.reserve(max(cells, 2 * CELLS_STEP))
        if self.context.epoch != self._epoch:
            self.prefix, self._epoch = [], self.context.epoch
        self._hold_prefix(self._prefix_tokens[:shared])
        self._free = list(range(1 + len(states), self.model.load.sequences))
        try:
            self._run(states)
        finally:
            for sequence in range(1, self.model.load.sequences):
                self.context.forget(sequence)
        return [
            ItemScores(
                state.search.best,
                state.search.best_score,
                tuple(state.search.scores) if one.item.full else None,
                len(state.tokens),
                state.shared,
                state.asked,
            )
            for one, state in zip(items, states, strict=True)
        ]

    def _hold_prefix(self, wanted: list[int]) -> None:
        """Make sequence 0 begin with these tokens, decoding only what it does not hold."""
        same = _common(self.prefix, wanted)
        if same == len(wanted):
            return
        self.context.forget(0, same)
        self.prefix = self.prefix[:same]
        for start in range(same, len(wanted), self.context.batch_tokens):
            batch = Batch()
            part = wanted[start : start + self.context.batch_tokens]
            batch.extend(part, start, [0], False)
            self.context.decode(batch)
            self.prefix += part

    def _run(self, states: Sequence[_State]) -> None:
        """Decode the items' own tokens, then round after round what their searches ask for."""
        work = _Work(self.context)
        for state in states:
            self._begin(work, state)
        work.flush()
        while wanted := [(state, run) for state in states for run in state.advance()]:
            self._drop_branches([state for state in states if state.search.done])
            for state, run in wanted:
                if not self._free:
                    work.flush()
                    self._drop_branches(states)
                self._branch(work, state, run)
            work.flush()

    def _begin(self, work: _Work, state: _State) -> None:
        """An item's own tokens; with them the whole trie where all scores are wanted and sequences suffice."""
        trie = state.search.trie
        slots = self._slots(trie) if state.search.full else {}
        sequences = [state.sequence, *(slots[trie.root] if slots else ())]
        state.shared = min(_common(self.prefix, state.tokens), len(state.tokens) - 1)
        for sequence in sequences:
            self.context.copy(0, sequence, state.shared)
        last = len(state.tokens) - 1
        for position in range(state.shared, last):
            work.add(state.tokens[position], position, sequences)
        nodes = trie.inner_nodes if slots else trie.root_run()
        work.room(1 + len(nodes))
        work.ask(state, trie.root, state.tokens[last], last, sequences)
        state.held[trie.root] = state.sequence
        for node in nodes:
            work.ask(state, node, node.token, last + node.depth, slots.get(node, (state.sequence,)))
            state.held[node] = slots[node][0] if slots else state.sequence

    def _slots(self, trie: Trie) -> dict[Node, tuple[int, ...]]:
        """Sequences for the whole trie, one for every way down it; none if there are not enough."""
        ends = [node for node in trie.inner_nodes if not any(child.inner for child in node.children.values())]
        if not ends or len(ends) > len(self._free) or len(trie.inner_nodes) >= MAX_ROWS:
            return {}
        slots: dict[Node, tuple[int, ...]] = {}
        for end in ends:
            sequence = self._free.pop()
            for node in (trie.root, *end.path()):
                slots[node] = (*slots.get(node, ()), sequence)
        return slots

    def _branch(self, work: _Work, state: _State, run: Run) -> None:
        """Decode a run in a sequence of its own, from the nearest ancestor that is still held."""
        path = [state.search.trie.root, *run.nodes[-1].path()]
        start = max(place for place, node in enumerate(path) if node in state.held)
        work.room(len(path) - start)
        source, sequence = state.held[path[start]], self._free.pop()
        length = len(state.tokens)
        self.context.copy(source, sequence, length + path[start].depth)
        for node in path[start + 1 :]:
            work.ask(state, node, node.token, length - 1 + node.depth, (sequence,))
            state.held[node] = sequence
        if path[start] is not run.nodes[0].parent:
            work.flush()  # the ancestors just decoded again may be what the next run copies

    def _drop_branches(self, states: Sequence[_State]) -> None:
        """Give back every sequence but the items' own; what is still needed will be decoded again."""
        for state in states:
            for sequence in set(state.held.values()) - {state.sequence}:
                self.context.forget(sequence)
                self._free.append(sequence)
            state.held = {node: held for node, held in state.held.items() if held == state.sequence}


def _check_labels(labels: Sequence[str], whole: Sequence[list[int]], prompt: Sequence[int]) -> None:
    """Raise ProviderError for a label that is nothing to this model, or the same as another one."""
    first: dict[tuple[int, ...], str] = {tuple(prompt): ""}
    for label, tokens in zip(labels, whole, strict=True):
        other = first.get(tuple(tokens))
        if other == "":
            raise ProviderError(Fault.BAD_REQUEST, f"the label {label!r} has no tokens")
        if other is not None:
            what = f"the labels {other!r} and {label!r} are the same tokens to this model"
            raise ProviderError(Fault.BAD_REQUEST, what, next_step="rename one of the labels, or leave the model out")
        first[tuple(tokens)] = label


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two sequences have in common from their beginnings."""
    length = min(len(one), len(other))
    return next((place for place in range(length) if one[place] != other[place]), length)


def log_probabilities(logits: Floats, tokens: list[int]) -> list[float]:
    """Log-probabilities of some tokens; double precision in the sum, over the whole vocabulary."""
    highest = float(logits.max())
    total = math.log(float(np.exp(logits - highest).sum(dtype=np.float64)))
    return [float(logits[token]) - highest - total for token in tokens]
