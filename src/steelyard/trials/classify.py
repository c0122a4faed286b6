"""Classification: how a sample becomes a request, and how an answer becomes a label.

Providers that can score labels (local models, fitted classifiers) are asked which label is likeliest; the rest
generate, and the text is parsed. Few-shot examples come from dev only.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from steelyard.providers.protocol import (
    LabelRequest,
    Message,
    Provider,
    Request,
    Settings,
    Timing,
    Usage,
)
from steelyard.trials.labels import Labels, listed
from steelyard.usecase import Dataset, DataSpec, Sample, TaskSpec

SEPARATOR = "\n\n"
ANSWER_TOKENS = 32
REASONING_TOKENS = 2048
"""Room for hidden tokens before the answer, where a model writes them: a label cut off before it begins is lost."""


@dataclass(frozen=True)
class RunSettings:
    """How a candidate is run, as chosen on dev: the number of examples, and the label priors of PMI calibration.

    `priors` holds one log-probability a label (of the label after an empty message), None without calibration.
    `max_tokens` bounds a generated answer.
    """

    shots: int = 0
    priors: tuple[float, ...] | None = None
    max_tokens: int = ANSWER_TOKENS

    @property
    def calibration(self) -> str:
        """ "pmi" or "none"."""
        return "none" if self.priors is None else "pmi"

    def __str__(self) -> str:
        return f"{self.shots} shots" + (", PMI" if self.priors is not None else "")


@dataclass(frozen=True)
class Answer:
    """A label taken from an answer ("" = none could be taken); `strict`: the answer was exactly that label."""

    label: str
    strict: bool
    raw: str
    usage: Usage
    timing: Timing
    served_model: str
    scores: tuple[float, ...] | None = None


@dataclass(frozen=True)
class _Frame:
    """What all requests with the same settings share, made once; `digest` is a SHA-256 over it."""

    prefix: str
    turns: tuple[Message, ...]
    digest: str


class Classification:
    """The task of one study: prompt, labels, examples. Pure but for the provider that `answer` is handed."""

    def __init__(self, task: TaskSpec, spec: DataSpec, dataset: Dataset) -> None:
        self.labels = dataset.labels
        self._template = task.prompt
        self._field = spec.input
        self._names = Labels(self.labels)
        self.words = self._names.words
        self._word_of = dict(zip(self.labels, self.words, strict=True))
        self.examples = pick_examples(dataset.dev, self.labels, max(task.shots, default=0), spec.seed)
        self._continuations = tuple(f" {word}" for word in self.words)
        self._frame = cache(self._make_frame)

    def render(self, text: str) -> str:
        """The prompt of one input; only the input's own placeholder is replaced."""
        return self._template.replace("{" + self._field + "}", text)

    def label_request(self, text: str, settings: RunSettings, *, full: bool = False) -> LabelRequest:
        """Ask which label follows the prompt; the examples come first, each prompt with its label."""
        return LabelRequest(
            text=text,
            prefix=self._frame(settings).prefix,
            prompt=self.render(text),
            labels=self._continuations,
            priors=settings.priors,
            full=full,
        )

    def conversation(self, text: str, settings: RunSettings) -> Request:
        """Ask a chat model: the closed set of labels, the examples as turns, then the input."""
        turns = (*self._frame(settings).turns, Message("user", self.render(text)))
        return Request(turns, Settings(max_tokens=settings.max_tokens))

    def rendered(self, text: str, settings: RunSettings, verbs: frozenset[str]) -> str:
        """Everything that decides the answer, as one string: it enters the journal key."""
        verb = "score_labels" if "score_labels" in verbs else "complete"
        return "\x1f".join((verb, self._frame(settings).digest, self.render(text), text))

    def parse(self, raw: str) -> tuple[str, bool]:
        """The label that a text names and whether the text was exactly that label (see `Labels.parse`)."""
        return self._names.parse(raw)

    async def answer(self, provider: Provider, settings: RunSettings, text: str, *, full: bool = False) -> Answer:
        """One input, one label, by the provider's own way."""
        if "score_labels" in provider.verbs:
            scored = await provider.score_labels(self.label_request(text, settings, full=full))
            label = self.labels[scored.best]
            return Answer(label, True, "", scored.usage, scored.timing, scored.served_model, scored.scores)
        said = await provider.complete(self.conversation(text, settings))
        label, strict = self.parse(said.text)
        return Answer(label, strict, said.text, said.usage, said.timing, said.served_model)

    def _make_frame(self, settings: RunSettings) -> _Frame:
        shown = [
            (self.render(sample.input), self._word_of[sample.target]) for sample in self.examples[: settings.shots]
        ]
        rule = f"Answer with exactly one of these labels and nothing else{listed(self.words)}"
        turns = [Message("system", rule)]
        for prompt, word in shown:
            turns += [Message("user", prompt), Message("assistant", word)]
        digest = hashlib.sha256(repr((settings, self.labels, turns)).encode("utf-8", "surrogatepass"))
        prefix = "".join(f"{prompt} {word}{SEPARATOR}" for prompt, word in shown)
        return _Frame(prefix, tuple(turns), digest.hexdigest())


def pick_examples(dev: Sequence[Sample], labels: Sequence[str], n: int, seed: int) -> tuple[Sample, ...]:
    """`n` examples in a seeded order, one label after the other, the shorter half of each label's samples first.

    Shorter examples cost fewer tokens in every request. The first k of n are the examples of k shots.
    """
    rng = random.Random(seed)
    queues: dict[str, list[Sample]] = {label: [] for label in labels}
    for sample in dev:
        queues[sample.target].append(sample)
    for queue in queues.values():
        queue.sort(key=lambda s: (len(s.input), s.id))
        half = (len(queue) + 1) // 2
        short, long = queue[:half], queue[half:]
        rng.shuffle(short)
        rng.shuffle(long)
        queue[:] = short + long
    order = list(labels)
    rng.shuffle(order)
    picked: list[Sample] = []
    for turn in range(max((len(queue) for queue in queues.values()), default=0)):
        picked += [queues[label][turn] for label in order if turn < len(queues[label])]
        if len(picked) >= n:
            break
    return tuple(picked[:n])
