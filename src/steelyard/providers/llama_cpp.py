"""Models on this machine through llama.cpp, in a child process of their own: verbs complete, embed, score_labels.

What the times mean: `total_seconds` runs from writing the request to the child's pipe to reading its answer from
the pipe, less the time that the request stood in the child's queue behind others. A request that was scored in a
group took the group's time; latency is therefore measured one request at a time. Loading the model is never part
of it. Tokens: `input_tokens` are those of the whole prompt, `cached_tokens` those of them that were still known
from the request before, `output_tokens` those generated, or the label tokens that scoring had to look at.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from array import array
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Literal, TypeVar

import orjson

from steelyard.errors import Fault, InputError, NotAvailable, Problem, ProviderError
from steelyard.providers import llama_abi
from steelyard.providers import llama_wire as wire
from steelyard.providers.process import Arrival, ChildProcess
from steelyard.providers.protocol import (
    Chunk,
    Completion,
    Delta,
    Embeddings,
    LabelRequest,
    LabelScores,
    Pool,
    Request,
    Target,
    Timing,
    Usage,
)
from steelyard.quantities import Seconds, Tokens

R = TypeVar("R", bound=wire.Reply)

SILENCE_SECONDS = 60.0
"""After which a worker that neither works nor waits for work is taken for dead; it beats every five seconds."""

_OPTIONS: dict[str, tuple[str, ...] | range] = {
    "threads": range(1, 1025),
    "context_tokens": range(2**31),
    "batch_items": range(1, 33),
    "micro_batch": range(1, 4097),
    "flash_attention": ("auto", "off", "on"),
}


async def open_llama_cpp(target: Target, pool: Pool) -> LlamaCpp:
    """Start the child and load `target.weights` (a GGUF file), with `target.adapter` (a GGUF LoRA) if given.

    Options: `threads` (1), `context_tokens` (the longest sequence allowed; default: what the model was trained
    for), `batch_items` (items scored at once, 8), `micro_batch` (256), `flash_attention` (off; auto, on).
    Raises NotAvailable where xllamacpp or the file is missing, InputError for wrong options.
    """
    _check_options(target)
    if not llama_abi.installed():
        raise llama_abi.missing()
    for file in (target.weights, target.adapter):
        if file is not None and not file.is_file():
            raise _no_weights(target, f"there is no file {file}")
    if target.weights is None:
        raise _no_weights(target, "no weights are known")
    load = {
        "weights": str(target.weights),
        "adapter": str(target.adapter or ""),
        **{name: target.options[name] for name in _OPTIONS if name in target.options},
    }
    argv = [sys.executable, "-P", "-m", "steelyard.providers.llama_worker", orjson.dumps(load).decode()]
    child = ChildProcess(
        argv, wire.decode_reply, lambda number: wire.encode(wire.Cancel(number)), silence_seconds=SILENCE_SECONDS
    )
    try:
        try:
            ready = await child.start()
        except ProviderError:
            ready = await child.start()  # once may be chance: somebody else took the memory, or killed it
    except BaseException:  # a cancelled start too must not leave its child; raised again
        await child.close()
        raise
    if isinstance(ready, wire.Ready):
        return LlamaCpp(target, child, ready)
    await child.close()
    if isinstance(ready, wire.Failed) and ready.slug != "provider-failed":
        raise NotAvailable(Problem(slug=ready.slug, what=ready.message, next_step=ready.next_step))
    raise _failure(ready)


class LlamaCpp:
    """A loaded model. Requests with the same prefix that are in flight together are scored together."""

    verbs = frozenset({"complete", "embed", "score_labels"})

    def __init__(self, target: Target, child: ChildProcess[wire.Reply], ready: wire.Ready) -> None:
        self.target = target
        self.child = child
        self.served_model = ready.model

    async def complete(self, request: Request) -> Completion:
        """The whole answer; its first token is not timed."""
        arrival = await self._one(_generate(request, stream=False), wire.Generated)
        return self._completion(arrival, None)

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Deltas as they are generated, then the Completion. Leaving early ends the generation."""
        first: Seconds | None = None
        async with aclosing(self.child.ask(lambda number: _encode(_generate(request, True), number))) as replies:
            async for arrival in replies:
                match arrival.reply:
                    case wire.Piece(text=text, waited_seconds=waited):
                        first = Seconds(arrival.seconds - waited) if first is None else first
                        yield Delta(text)
                    case wire.Generated() as reply:
                        yield self._completion(Arrival(reply, arrival.seconds), first)
                    case reply:
                        raise _failure(reply)

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """Per text the mean of the model's last hidden states over its tokens."""
        arrival = await self._one(wire.Embed(0, tuple(texts)), wire.Embedded)
        reply = arrival.reply
        numbers = array("f", reply.rows())
        rows = [numbers[start : start + reply.width] for start in range(0, len(numbers), reply.width)]
        return Embeddings(
            vectors=rows,
            usage=Usage(input_tokens=Tokens(reply.input_tokens)),
            timing=Timing(Seconds(arrival.seconds - reply.waited_seconds)),
            served_model=self.served_model,
        )

    async def score_labels(self, request: LabelRequest) -> LabelScores:
        """A label's score is the sum of the log-probabilities of its tokens, without an end token, minus its prior.

        Nothing is added to prefix and prompt, and control tokens spelt out in them are plain text.
        """
        priors = request.priors
        if priors is not None and (len(priors) != len(request.labels) or not all(map(math.isfinite, priors))):
            raise ProviderError(Fault.BAD_REQUEST, "priors must be one finite log-probability a label")
        order = wire.Score(0, request.prefix, request.prompt, request.labels, request.priors, request.full)
        arrival = await self._one(order, wire.Scored)
        reply = arrival.reply
        scores = None if reply.scores is None else tuple(score for score in reply.scores if score is not None)
        if reply.best < 0 or reply.best_score is None or (reply.scores and scores != reply.scores):
            raise wire.damaged()
        return LabelScores(
            best=reply.best,
            best_score=reply.best_score,
            scores=scores,
            usage=Usage(Tokens(reply.input_tokens), Tokens(reply.output_tokens), Tokens(reply.cached_tokens)),
            timing=Timing(Seconds(arrival.seconds - reply.waited_seconds)),
            served_model=self.served_model,
        )

    async def close(self) -> None:
        """End the child."""
        await self.child.close()

    async def _one(self, order: wire.Ask, kind: type[R]) -> Arrival[R]:
        """The only reply to an order."""
        async with aclosing(self.child.ask(lambda number: _encode(order, number))) as replies:
            async for arrival in replies:
                if isinstance(arrival.reply, kind):
                    return Arrival(arrival.reply, arrival.seconds)
                raise _failure(arrival.reply)
        raise ProviderError(Fault.CRASHED, "the model's process gave no answer")

    def _completion(self, arrival: Arrival[wire.Generated], first: Seconds | None) -> Completion:
        reply = arrival.reply
        reason: Literal["stop", "length"] = "stop" if reply.finish_reason == "stop" else "length"
        return Completion(
            text=reply.text,
            finish_reason=reason,
            usage=Usage(Tokens(reply.input_tokens), Tokens(reply.output_tokens)),
            timing=Timing(Seconds(arrival.seconds - reply.waited_seconds), first),
            served_model=self.served_model,
        )


def _generate(request: Request, stream: bool) -> wire.Generate:
    settings = request.settings
    return wire.Generate(
        0,
        tuple((message.role, message.content) for message in request.messages),
        settings.max_tokens,
        settings.temperature,
        settings.seed,
        settings.stop,
        stream,
    )


def _encode(order: wire.Ask, number: int) -> bytes:
    return wire.encode(dataclasses.replace(order, id=number))


def _failure(reply: wire.Reply | None) -> ProviderError:
    if isinstance(reply, wire.Failed):
        return ProviderError(reply.fault, reply.message, next_step=reply.next_step)
    return ProviderError(Fault.MALFORMED, f"the model's process answered with {type(reply).__name__}")


def _no_weights(target: Target, what: str) -> NotAvailable:
    return NotAvailable(
        Problem(
            slug="weights-missing",
            what=f"{target.model} cannot run on this machine: {what}",
            next_step="fetch the weights: steelyard models get ID",
        )
    )


def _check_options(target: Target) -> None:
    """Raise InputError naming every option that is unknown or out of range; `concurrency` is the caller's."""
    problems: list[Problem] = []
    for name, value in target.options.items():
        if name == "concurrency":
            continue
        allowed = _OPTIONS.get(name)
        if allowed is None or isinstance(value, bool) or value not in allowed:
            shown = (
                f"{allowed.start} to {allowed.stop - 1}"
                if isinstance(allowed, range)
                else ", ".join(allowed or _OPTIONS)
            )
            problems.append(
                Problem(
                    slug="wrong-target-option",
                    what=f"{name}: {value!r} is no value for it" if allowed else f"there is no option {name}",
                    where=f"options of {target.model}",
                    allowed=shown,
                )
            )
    if problems:
        raise InputError(problems)
