"""The process in which llama.cpp runs: `python -m steelyard.providers.llama_worker LOAD`.

LOAD is the JSON of a `llama_engine.Load`. Orders come as lines on stdin, replies go as lines to what was stdout
(llama_wire); anything else that is printed ends up on stderr. The process ends when stdin does.

Scoring orders that wait and share the prefix of the oldest one are scored together, up to `batch_items`; other
orders are done one at a time, oldest first.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import orjson

from steelyard.errors import Fault, NotAvailable, ProviderError
from steelyard.providers import llama_wire as wire
from steelyard.providers.llama_engine import Context, Load, Model
from steelyard.providers.llama_generation import Generator, embed
from steelyard.providers.llama_scoring import Prepared, Scorer
from steelyard.providers.process import die_with_parent

BEAT_SECONDS = 5.0
BEAT_CPU_SECONDS = 0.002
"""Work takes more processor time than this between two beats, even where it waits for a disk; a deadlock takes none."""
LINGER_SECONDS = 0.003
"""How long to wait for more items to score with, where the last group had company."""


@dataclass(frozen=True)
class Waiting:
    """An order that has been read, and when (time.perf_counter)."""

    order: wire.Ask
    since: float


class Inbox:
    """Reads orders in a thread of its own, so that a cancellation arrives while the model runs."""

    def __init__(self, stdin: BinaryIO) -> None:
        self._stdin = stdin
        self._queue: queue.SimpleQueue[Waiting] = queue.SimpleQueue()
        self._waiting: deque[Waiting] = deque()
        self._cancelled: set[int] = set()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._stdin:
            order = wire.decode_order(line)
            if isinstance(order, wire.Cancel):
                self._cancelled.add(order.id)
            else:
                self._queue.put(Waiting(order, time.perf_counter()))
        os._exit(0)  # nobody listens any more; the main thread may be deep inside llama.cpp

    def cancelled(self, order: wire.Ask) -> bool:
        """Whether nobody waits for it any more."""
        return order.id in self._cancelled

    def done(self, order: wire.Ask) -> None:
        """Forget a cancellation that came too late or has been obeyed."""
        self._cancelled.discard(order.id)

    def next_group(self, most: int, linger_seconds: float) -> list[Waiting]:
        """The oldest order, and the scoring orders to be scored together with it, `most` at most."""
        if not self._waiting:
            self._waiting.append(self._queue.get())
        if linger_seconds:
            time.sleep(linger_seconds)
        while not self._queue.empty():
            self._waiting.append(self._queue.get())
        first = self._waiting.popleft()
        if not isinstance(first.order, wire.Score):
            return [first]
        alike = [
            waiting
            for waiting in self._waiting
            if isinstance(waiting.order, wire.Score) and waiting.order.prefix == first.order.prefix
        ]
        for waiting in alike[: most - 1]:
            self._waiting.remove(waiting)
        return [first, *alike[: most - 1]]


class Outbox:
    """What the worker says, line by line; beats in a thread of its own, so that silence is a sign."""

    def __init__(self, stdout: BinaryIO) -> None:
        self._stdout = stdout
        self._lock = threading.Lock()
        self.idle = False
        threading.Thread(target=self._beat, daemon=True).start()

    def say(self, reply: wire.Reply) -> None:
        """Send one reply."""
        line = wire.encode(reply)
        with self._lock:
            self._stdout.write(line)
            self._stdout.flush()

    def _beat(self) -> None:
        before = 0.0
        while True:
            now = time.process_time()
            if self.idle or now - before > BEAT_CPU_SECONDS:
                self.say(wire.Alive())
            before = time.process_time()
            time.sleep(BEAT_SECONDS)


class Worker:
    """One loaded model and what it can do."""

    def __init__(self, load: Load, inbox: Inbox, outbox: Outbox) -> None:
        self.load = load
        self.inbox = inbox
        self.outbox = outbox
        self.say = outbox.say
        self.model = Model(load)
        self.context = Context(self.model)
        self.scorer = Scorer(self.model, self.context)
        self.generator = Generator(self.model, self.context)
        self.embedding = Context(self.model, embeddings=True)

    def run(self) -> None:
        """Work until the process is ended."""
        self.say(wire.Ready(0, self.model.name, self.model.trained_tokens, self.model.width))
        linger = 0.0
        while True:
            self.outbox.idle = True
            group = self.inbox.next_group(self.load.batch_items, linger)
            self.outbox.idle = False
            linger = LINGER_SECONDS if len(group) > 1 else 0.0
            self.work(group, time.perf_counter())

    def work(self, group: Sequence[Waiting], started: float) -> None:
        """Answer a group, which is several scoring orders or one order of any kind."""
        prepared: list[tuple[wire.Score, float, Prepared]] = []
        for waiting in group:
            order, waited = waiting.order, started - waiting.since
            with self.guard(order):
                if self.inbox.cancelled(order):
                    raise ProviderError(Fault.TIMEOUT, "cancelled")
                match order:
                    case wire.Score():
                        prepared.append((order, waited, self.scorer.prepare(order)))
                    case wire.Embed():
                        self.embed(order, waited)
                    case wire.Generate():
                        self.generate(order, waited)
        if prepared:
            self.score(prepared)
        for waiting in group:
            self.inbox.done(waiting.order)

    @contextmanager
    def guard(self, order: wire.Ask) -> Iterator[None]:
        """A failure of one order is its reply, not the end of the worker."""
        try:
            yield
        except ProviderError as error:
            self.say(_failed(order, error))

    def score(self, group: Sequence[tuple[wire.Score, float, Prepared]]) -> None:
        """Score prepared orders together. Where that fails all of them fail."""
        try:
            results = self.scorer.group([prepared for _, _, prepared in group])
        except ProviderError as error:
            for order, _, _ in group:
                self.say(_failed(order, error))
            return
        for (order, waited, _), result in zip(group, results, strict=True):
            self.say(
                wire.Scored(
                    order.id,
                    result.best,
                    result.best_score,
                    result.scores,
                    result.prompt_tokens,
                    result.cached_tokens,
                    result.asked_tokens,
                    waited,
                )
            )

    def embed(self, order: wire.Embed, waited: float) -> None:
        """Answer with the texts' mean hidden states."""
        rows, tokens = embed(self.model, self.embedding, order.texts)
        packed = wire.Embedded.pack(rows.tobytes())
        self.say(wire.Embedded(order.id, self.model.width, packed, tokens, waited))

    def generate(self, order: wire.Generate, waited: float) -> None:
        """Answer with text, piece by piece where that was asked for."""

        def show(text: str) -> None:
            if order.stream:
                self.say(wire.Piece(order.id, text, waited))

        text, reason, read, written = self.generator.run(
            order, len(self.scorer.prefix), show, lambda: self.inbox.cancelled(order)
        )
        self.say(wire.Generated(order.id, text, reason, read, written, waited))


def _failed(order: wire.Ask, error: ProviderError) -> wire.Failed:
    """What went wrong, without the fault, which goes along in a field of its own."""
    problem = error.problems[0]
    what = problem.what.removeprefix(f"{error.fault.value}: ")
    return wire.Failed(order.id, error.fault, what, next_step=problem.next_step)


def main() -> None:
    """Entry point of the process. Never returns: leaving by way of the interpreter would wait for the reader."""
    die_with_parent()
    inbox = Inbox(sys.stdin.buffer)
    outbox = Outbox(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)
    try:
        Worker(Load(**orjson.loads(sys.argv[1])), inbox, outbox).run()
    except (NotAvailable, ProviderError) as error:
        fault = error.fault if isinstance(error, ProviderError) else Fault.NOT_FOUND
        problem = error.problems[0]
        what = problem.what.removeprefix(f"{fault.value}: ")
        sys.stderr.write(f"{what}\n")  # for a start that nobody asked for: it is then reported as a crash
        outbox.say(wire.Failed(0, fault, what, problem.slug, problem.next_step))
    except Exception:  # what is in flight is lost; the parent shows these lines and starts the process again
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(1)


if __name__ == "__main__":
    main()
