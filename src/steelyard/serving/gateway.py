"""One request: try the routes in order, keep the books, hand on what the first that answers says."""

from __future__ import annotations

import asyncio
import logging
import random
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote

from steelyard.catalogue import Offer
from steelyard.errors import Denied, Fault, ProviderError, SteelyardError
from steelyard.providers.privacy import DataRule, Withheld, may_send
from steelyard.providers.protocol import Chunk, Completion, Delta, Pool, Provider, Usage
from steelyard.providers.retry import RetryPolicy, call_with_retry
from steelyard.quantities import Money, Unknown
from steelyard.serving.chat import Ask
from steelyard.serving.refusal import Refusal, from_provider, not_found, unlogged
from steelyard.serving.routing import Route, order
from steelyard.serving.usage_log import Outcome, Record, Step, UsageLog, sha256_of_messages, sha256_of_text

PATIENCE_SECONDS = 120.0
RETRY = RetryPolicy(tries=3, busy_tries=3, first_pause_seconds=0.2, longest_pause_seconds=1.0, deadline_seconds=3.0)
_RNG = random.Random()

log = logging.getLogger("steelyard.serving")


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Gateway:
    """What all requests share. `routes` stand in the decision's fallback order, winner first.

    `patience_seconds` is how long one target may be silent (before its first piece, or between two).
    """

    study: str
    routes: Sequence[Route]
    rule: DataRule
    pool: Pool
    usage_log: UsageLog
    now: Callable[[], datetime] = _now
    clock: Callable[[], float] = time.monotonic
    patience_seconds: float = PATIENCE_SECONDS
    retry: RetryPolicy = RETRY

    @property
    def models(self) -> tuple[str, ...]:
        """What may be asked for: the study, then each candidate."""
        return (self.study, *(route.candidate_id for route in self.routes))


class _NoLabel(Exception):
    """A model did the task and named none of the labels: asking it again would say the same."""

    def __init__(self, usage: Usage) -> None:
        self.usage = usage


class Exchange:
    """One request and its lines in the usage log."""

    def __init__(self, gateway: Gateway, ask: Ask) -> None:
        self.gateway, self.ask = gateway, ask
        self.call = f"chatcmpl-{uuid.uuid4().hex}"
        self.time = gateway.now()
        self.steps: list[Step] = []
        self.route: Route | None = None
        self.broke_off: Outcome = "stopped"
        self._started = gateway.clock()

    @property
    def answered_by(self) -> str:
        """The candidate that answers."""
        return self.route.candidate_id if self.route else ""

    @property
    def head(self) -> tuple[str, int, str]:
        """What every body names: the call's id, when it was asked (Unix seconds), who answered."""
        return self.call, int(self.time.timestamp()), self.answered_by

    @property
    def trail(self) -> str:
        """What was tried, as a header can carry it: `gemma-3-270m (timeout) > linear`."""
        tried = (f"{step.candidate} ({step.fault})" if step.fault else step.candidate for step in self.steps)
        return quote(" > ".join(tried), safe=" ()>:/@#+,")

    async def chunks(self) -> AsyncGenerator[Chunk]:
        """The answer of the first route that gives one; `route` is set before the first chunk comes.

        A route that fails before it has said anything is passed over; afterwards its failure is raised, because
        half an answer of one model and half of another is nobody's answer. Content filters are not routed around.
        Raises Refusal (before anything was said) or ProviderError (after).
        """
        plan = self._plan()
        failure: ProviderError | None = None
        for route in plan:
            try:
                first, rest = await call_with_retry(partial(self._opened, route), self.gateway.retry, rng=_RNG)
            except ProviderError as error:
                log.warning("%s: %s", route.candidate_id, error.problems[0].what)
                self.steps.append(Step(route.candidate_id, error.fault.value))
                if error.fault is Fault.CONTENT_FILTER:
                    failure = error
                    break
                failure = failure or error
                continue
            except _NoLabel as error:
                self.steps.append(Step(route.candidate_id, "no label", error.usage))
                failure = failure or ProviderError(Fault.MALFORMED, "the answer named none of the labels")
                continue
            self.route = route
            self.steps.append(Step(route.candidate_id))
            yield first
            async with aclosing(rest):
                async for chunk in rest:
                    yield chunk
            return
        assert failure is not None
        self.write("failed")
        raise from_provider(failure, self.trail, clients_words=not self._does_task(plan[0]))

    def write(self, outcome: Outcome, completion: Completion | None = None) -> None:
        """Put a line into the usage log; Refusal(503) when that fails."""
        gateway, cut = self.gateway, Unknown("the answer did not end")
        usage = completion.usage if completion else cut
        record = Record(
            time=self.time,
            call=self.call,
            asked=self.ask.model,
            answered_by=self.answered_by,
            outcome=outcome,
            seconds=gateway.clock() - self._started,
            steps=tuple(self.steps),
            data_class=gateway.rule.data_class,
            rule=self._rule(),
            input_sha256=sha256_of_messages(self.ask.request.messages),
            output_sha256=sha256_of_text(completion.text) if completion else cut,
            usage=usage,
            cost=self._cost(usage),
        )
        try:
            gateway.usage_log.write(record)
        except OSError as error:
            log.error("usage log %s: %s", gateway.usage_log.file, error)
            raise unlogged(error) from error

    def _plan(self) -> tuple[Route, ...]:
        gateway, asked = self.gateway, self.ask.model
        if asked not in gateway.models:
            raise not_found(asked, gateway.models)
        plan = order(asked, gateway.study, gateway.routes, gateway.rule)
        if not plan:
            self.write("denied")
            raise Refusal(403, "denied_by_privacy_rule", f"no target may receive this data: {self._rule()}")
        if self.ask.last_user is None and any(self._does_task(route) for route in plan):
            raise Refusal(400, "invalid_value", "messages: the last user message is the input; there is none",
                          param="messages")  # fmt: skip
        return plan

    def _does_task(self, route: Route) -> bool:
        return self.ask.model == self.gateway.study or not route.passes_conversation

    async def _opened(self, route: Route) -> tuple[Chunk, AsyncGenerator[Chunk]]:
        """The first chunk that says something, and the rest."""
        pieces = self._asked(route)
        async for chunk in pieces:
            if isinstance(chunk, Completion) or chunk.text:
                return chunk, pieces
        raise ProviderError(Fault.CUT_STREAM, "the stream ended without its end")

    async def _asked(self, route: Route) -> AsyncGenerator[Chunk]:
        """Chunks of one route, ending with its Completion; all that goes wrong on the way is a ProviderError."""
        try:
            async with asyncio.timeout(self.gateway.patience_seconds):
                provider = await self.gateway.pool.get(route.target)
            async with aclosing(self._verb(route, provider)) as pieces:
                while True:
                    async with asyncio.timeout(self.gateway.patience_seconds):
                        chunk = await anext(pieces, None)
                    if chunk is None:
                        raise ProviderError(Fault.CUT_STREAM, "the stream ended without its end")
                    yield chunk
                    if isinstance(chunk, Completion):
                        return
        except TimeoutError:
            raise ProviderError(Fault.TIMEOUT, f"silent for {self.gateway.patience_seconds:.0f} s") from None
        except ProviderError:
            raise
        except Denied as error:
            raise ProviderError(Fault.PERMISSION, str(error)) from error
        except SteelyardError as error:
            raise ProviderError(Fault.UNREACHABLE, str(error)) from error

    async def _verb(self, route: Route, provider: Provider) -> AsyncGenerator[Chunk]:
        if self._does_task(route):
            completion = await route.answer_task(provider, self.ask.last_user or "")
            if not completion.text:
                raise _NoLabel(completion.usage)
            if self.ask.stream:
                yield Delta(completion.text)
            yield completion
        elif self.ask.stream:
            async for chunk in provider.stream(self.ask.request):
                yield chunk
        else:
            yield await provider.complete(self.ask.request)

    def _rule(self) -> str:
        """The rule that decided about the target that answered, or about the first that was asked for."""
        gateway, asked = self.gateway, self.ask.model
        route = self.route or next(r for r in gateway.routes if asked in (gateway.study, r.candidate_id))
        verdict = may_send(gateway.rule, route.target)
        if isinstance(verdict, Withheld):
            return verdict.reason
        rule, custody = gateway.rule, route.target.custody
        return f"{rule.data_class} data may be sent to: {rule.may_send_to}; {route.target.model} is: {custody}"

    def _cost(self, usage: Usage | Unknown) -> Money | Unknown:
        if isinstance(usage, Unknown):
            return usage
        if self.route is None:
            return Unknown("nobody answered")
        offer = self.route.offer
        return offer.price(usage, self.time) if isinstance(offer, Offer) else offer
