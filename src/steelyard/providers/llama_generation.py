"""Generating text and embedding it on llama.cpp; used by the worker process only."""

from __future__ import annotations

import codecs
import ctypes
from collections.abc import Callable, Sequence

import numpy as np

from steelyard.errors import Fault, ProviderError
from steelyard.providers import llama_abi as abi
from steelyard.providers.llama_engine import CELLS_STEP, Batch, Context, Floats, Model
from steelyard.providers.llama_wire import Generate, damaged

CHAT_SEQUENCE = 1
EMBED_TOKENS = 512


def render(model: Model, messages: Sequence[tuple[str, str]]) -> list[int]:
    """The tokens of a conversation that the model is to continue.

    By the chat template in the model's metadata; a model without one (a base model) gets the contents alone,
    joined by line breaks. Control tokens count only where the template writes them: each content is tokenised
    as plain text.
    """
    if model.chat_template is None:
        return model.tokenise("\n".join(content for _, content in messages))
    marks = [f"\x02{place}\x03" for place in range(len(messages))]
    frame = _apply_template(model, [(role, mark) for (role, _), mark in zip(messages, marks, strict=True)])
    tokens: list[int] = []
    for mark, (_, content) in zip(marks, messages, strict=True):
        before, found, frame = frame.partition(mark)
        if not found:
            raise ProviderError(Fault.BAD_REQUEST, "the model's chat template has no place for a message")
        tokens += model.tokenise(before, special=True, leading=not tokens)
        tokens += model.tokenise(content, leading=False)
    return tokens + model.tokenise(frame, special=True, leading=False)


def _apply_template(model: Model, messages: Sequence[tuple[str, str]]) -> str:
    turns = (abi.LlamaChatMessage * len(messages))(
        *(abi.LlamaChatMessage(role.encode(), content.encode()) for role, content in messages)
    )
    room = 4096 + sum(len(content) for _, content in messages) * 4
    buffer = ctypes.create_string_buffer(room)
    length = model.library.llama_chat_apply_template(model.chat_template, turns, len(turns), True, buffer, room)
    if length < 0 or length > room:
        raise ProviderError(Fault.BAD_REQUEST, "llama.cpp does not know the model's chat template")
    return buffer.raw[:length].decode()


class StopWatch:
    """Holds back text that may be the beginning of a stop string."""

    def __init__(self, stops: Sequence[str]) -> None:
        self.stops = [stop for stop in stops if stop]
        self.held = ""
        self.stopped = False

    def feed(self, text: str) -> str:
        """What may be shown after some more text; `stopped` is set once a stop string is complete."""
        self.held += text
        found = [place for stop in self.stops if (place := self.held.find(stop)) >= 0]
        if found:
            self.stopped = True
            shown, self.held = self.held[: min(found)], ""
            return shown
        keep = max((self._overlap(stop) for stop in self.stops), default=0)
        shown, self.held = self.held[: len(self.held) - keep], self.held[len(self.held) - keep :]
        return shown

    def _overlap(self, stop: str) -> int:
        """How many of the last characters are a beginning of `stop`."""
        longest = min(len(stop) - 1, len(self.held))
        return next((size for size in range(longest, 0, -1) if self.held.endswith(stop[:size])), 0)


class Generator:
    """Continues one conversation at a time."""

    def __init__(self, model: Model, context: Context) -> None:
        self.model = model
        self.context = context

    def run(
        self, ask: Generate, held_cells: int, show: Callable[[str], None], cancelled: Callable[[], bool]
    ) -> tuple[str, str, int, int]:
        """(text, finish reason, prompt tokens, generated tokens); `show` is given the text piece by piece.

        `held_cells` of the context are somebody else's. Generation ends with "length" at `max_tokens` or where
        the context is full; bytes of an unfinished character at the end are dropped. Raises TOO_LONG where not
        even one token fits.
        """
        prompt = render(self.model, ask.messages)
        if not prompt:
            raise ProviderError(Fault.BAD_REQUEST, "an empty conversation cannot be continued")
        room = self.model.limit - len(prompt)
        if room < 1:
            raise ProviderError(
                Fault.TOO_LONG,
                f"the conversation has {len(prompt)} tokens; the context holds {self.model.limit}",
            )
        allowed = min(ask.max_tokens, room)
        self.context.reserve(max(held_cells + len(prompt) + allowed, 2 * CELLS_STEP))
        try:
            return self._continue(prompt, allowed, ask, show, cancelled)
        finally:
            self.context.forget(CHAT_SEQUENCE)

    def _continue(
        self,
        prompt: list[int],
        allowed: int,
        ask: Generate,
        show: Callable[[str], None],
        cancelled: Callable[[], bool],
    ) -> tuple[str, str, int, int]:
        random = np.random.default_rng(ask.seed)
        decoder = codecs.getincrementaldecoder("utf-8")("ignore")
        watch = StopWatch(ask.stop)
        pieces: list[str] = []
        reason, generated = "length", 0
        tokens, position = prompt, 0
        while generated < allowed and not cancelled():
            row = self._decode(tokens, position)
            position += len(tokens)
            logits = self.context.logits(row)
            if not np.isfinite(logits[logits.argmax()]):
                raise damaged()
            token = sample(logits, ask.temperature, random)
            if self.model.ends(token):
                reason = "stop"
                break
            generated += 1
            tokens = [token]
            if shown := watch.feed(decoder.decode(self.model.piece(token))):
                pieces.append(shown)
                show(shown)
            if watch.stopped:
                reason = "stop"
                break
        if watch.held:
            pieces.append(watch.held)
            show(watch.held)
        return "".join(pieces), reason, len(prompt), generated

    def _decode(self, tokens: list[int], position: int) -> int:
        """Decode consecutive tokens, in parts if need be; the row of the last one."""
        row = 0
        for start in range(0, len(tokens), self.context.batch_tokens):
            batch = Batch()
            part = tokens[start : start + self.context.batch_tokens]
            row = batch.extend(part, position + start, [CHAT_SEQUENCE], True)
            self.context.decode(batch)
        return row


def sample(logits: Floats, temperature: float, random: np.random.Generator) -> int:
    """The likeliest token at temperature 0, else one drawn from softmax(logits / temperature)."""
    if temperature <= 0:
        return int(logits.argmax())
    scaled = (logits.astype(np.float64) - float(logits.max())) / temperature
    cumulated = np.cumsum(np.exp(scaled))
    place = np.searchsorted(cumulated, random.random() * cumulated[-1], side="right")
    return min(int(place), len(logits) - 1)


def embed(model: Model, context: Context, texts: Sequence[str]) -> tuple[Floats, int]:
    """One row a text, the mean of the last hidden states over its tokens; and the tokens in all.

    Raises BAD_REQUEST for a text without tokens, TOO_LONG for one that does not fit the context.
    """
    tokens = [model.tokenise(text) for text in texts]
    rows = np.zeros((len(texts), model.width), np.float32)
    for place, one in enumerate(tokens):
        if not one:
            raise ProviderError(Fault.BAD_REQUEST, f"text {place + 1} has no tokens to embed")
        if len(one) > model.limit:
            raise ProviderError(
                Fault.TOO_LONG,
                f"text {place + 1} has {len(one)} tokens; the context holds {model.limit}",
            )
    context.reserve(max(EMBED_TOKENS, max(map(len, tokens), default=0)) + 1)
    places = list(range(len(texts)))
    while places:
        group = [places.pop(0)]
        length = len(tokens[group[0]])
        while places and length + len(tokens[places[0]]) <= EMBED_TOKENS and len(group) < model.load.sequences:
            group.append(places.pop(0))
            length += len(tokens[group[-1]])
        _embed_group(context, [(place, tokens[place]) for place in group], rows)
    return rows, sum(map(len, tokens))


def _embed_group(context: Context, group: Sequence[tuple[int, list[int]]], rows: Floats) -> None:
    """Decode some texts, each in its own sequence, and write their means into their rows."""
    work = [
        (place, token, position, sequence)
        for sequence, (place, tokens) in enumerate(group)
        for position, token in enumerate(tokens)
    ]
    for start in range(0, len(work), EMBED_TOKENS):
        part = work[start : start + EMBED_TOKENS]
        batch = Batch()
        for _, token, position, sequence in part:
            batch.add(token, position, [sequence], True)
        context.decode(batch)
        for row, (place, *_) in enumerate(part):
            rows[place] += context.hidden(row)
    for sequence, (place, tokens) in enumerate(group):
        rows[place] /= len(tokens)
        context.forget(sequence)
